/* The HTTP door alone (tests/support/http_probe.c) and a client that speaks in bytes.
 *
 *   const probe = await startProbe(['deadline=1'])
 *   const { responses, closed, text } = await probe.talk('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', { responses: 1 })
 *   await probe.tell('freeze')                       // its answer as text
 *   await probe.stop()                               // fails when the program did not end well */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './results.mjs'
import { until, within } from './until.mjs'

export const SESSION = `ctss_${'A'.repeat(43)}`
export const KEY_READ = `ctsk_rrrrrrrr_${'B'.repeat(43)}`
export const KEY_DIAL = `ctsk_dddddddd_${'B'.repeat(43)}`

const DEFAULT_MS = 8000

/* CALLTAB_HTTP_PROBE, else that of the sanitizer build of dev/test, else the newest one of any build folder. */
function probePath() {
  if (process.env.CALLTAB_HTTP_PROBE) return process.env.CALLTAB_HTTP_PROBE
  const built = readdirSync(root)
    .filter((name) => name.startsWith('build'))
    .map((name) => join(root, name, 'tests/unit/routes/http_probe'))
    .filter((path) => existsSync(path))
  const ofTests = built.find((path) => path.startsWith(join(root, 'build-test/')))
  if (ofTests) return ofTests
  if (!built.length) throw new Error('http_probe is not built: run dev/test, or set CALLTAB_HTTP_PROBE')
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
}

export async function startProbe(args = []) {
  const probe = new Probe(args)
  await until('the probe listens', () => probe.port || probe.isOver)
  if (!probe.port) throw new Error(`the probe did not start:\n${probe.stderr}`)
  return probe
}

class Probe {
  #waiting = [] // for a line each
  port = 0
  isOver = false
  stderr = ''

  constructor(args) {
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', probePath(), ...args])
    this.child.stderr.on('data', (text) => (this.stderr += text))
    this.child.stdin.on('error', () => {})
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.isOver = true
        resolve(code ?? signal)
      })
    })
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (line.startsWith('port ')) this.port = Number(line.slice(5))
      else this.#waiting.shift()?.(line)
    })
  }

  get pid() {
    return this.child.pid
  }

  tell(word) {
    const answer = new Promise((resolve) => this.#waiting.push(resolve))
    this.child.stdin.write(`${word}\n`)
    return within(`an answer to ${word}`, DEFAULT_MS, answer)
  }

  open() {
    return new Wire(this.port)
  }

  /* Sends, waits for so many responses (or for the end of the connection) and closes. */
  async talk(bytes, { responses = Infinity, ms = DEFAULT_MS, methods } = {}) {
    const wire = this.open()
    wire.send(bytes)
    try {
      await until(`${responses} responses or the end of the connection`,
        () => wire.closed || wire.responses(methods).length >= responses, ms)
      return { responses: wire.responses(methods), closed: wire.closed, text: wire.text }
    } finally {
      wire.destroy()
    }
  }

  async stop() {
    this.child.kill('SIGTERM')
    const code = await within('the probe ends', 15_000, this.ended)
    assert.equal(code, 0, this.stderr)
    assert.equal(this.stderr, '')
  }
}

/* One connection; `text` is all that came, one character a byte. */
class Wire {
  text = ''
  closed = false // by the other side, orderly or not
  wasReset = false

  constructor(port) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.setNoDelay(true)
    this.socket.on('data', (bytes) => (this.text += bytes.toString('latin1')))
    this.socket.on('end', () => (this.closed = true))
    this.socket.on('error', () => (this.wasReset = true))
    this.socket.on('close', () => (this.closed = true))
  }

  send(bytes) {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /* Every complete response. methods: what was asked, where HEAD makes a difference. */
  responses(methods = []) {
    const found = []
    for (let rest = this.text; ;) {
      const response = takeResponse(rest, methods[found.length])
      if (!response) return found
      rest = rest.slice(response.size)
      if (response.status !== 100) found.push(response)
    }
  }

  destroy() {
    this.socket.destroy()
  }
}

function takeResponse(text, method) {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [first, ...lines] = text.slice(0, end).split('\r\n')
  const parts = /^HTTP\/1\.[01] (\d{3})/.exec(first)
  assert.ok(parts, `not a response: ${JSON.stringify(text.slice(0, 80))}`)
  const fields = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  const all = (name) => fields.filter((field) => field[0] === name).map((field) => field[1])
  const status = Number(parts[1])
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304 && status !== 100
  const length = hasBody ? Number(all('content-length')[0] ?? 0) : 0
  if (text.length < end + 4 + length) return null
  const body = text.slice(end + 4, end + 4 + length)
  return { status, all, header: (name) => all(name)[0], body, json: () => JSON.parse(Buffer.from(body, 'latin1')), size: end + 4 + length }
}
