/* A carrier nobody here wrote: sipp with the scenario of sipp/carrier.xml, which also says what a called number does.
 *
 *   if (hasSipp()) carrier = await startSipp({ port })
 *   carrier.stop()
 *
 * stop() throws when a call went otherwise than the scenario allows. For createWorld it looks like the carrier of
 * phone.mjs, but nobody can look inside: it is in no list of parties, and hears nothing that a test could measure. */
import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './results.mjs'
import { until } from './until.mjs'

const SCENARIO = join(root, 'tests/support/sipp/carrier.xml')
const START_MS = 10_000

export function hasSipp() {
  try {
    execFileSync('which', ['sipp'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/* An even port with a free one two above it: sipp's echo listens on both. */
async function mediaPort() {
  for (;;) {
    const port = 40000 + 4 * Math.floor(Math.random() * 5000)
    if ((await Promise.all([port, port + 2].map(isFree))).every(Boolean)) return port
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').on('error', () => resolve(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}

export async function startSipp({ port }) {
  const carrier = new Sipp()
  try {
    await carrier.start(port)
  } catch (error) {
    carrier.release()
    throw error
  }
  return carrier
}

class Sipp {
  calls = new Map()
  toneOf = new Map()
  #child
  #ended = false

  async start(port) {
    this.folder = mkdtempSync(join(tmpdir(), 'calltab-sipp-'))
    const media = await mediaPort()
    const args = ['-sf', SCENARIO, '-i', '127.0.0.1', '-p', port, '-mi', '127.0.0.1', '-mp', media, '-rtp_echo', '-nostdin', '-trace_err', '-watchdog_minor_maxtriggers', 100_000, '-watchdog_major_maxtriggers', 100_000]
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'sipp', ...args.map(String)], { cwd: this.folder, stdio: 'ignore' })
    this.#child.on('error', () => (this.#ended = true)).on('exit', () => (this.#ended = true))
    await until('sipp answers on its port', async () => this.#ended || !(await isFree(port)), START_MS)
    if (this.#ended) throw new Error(`sipp did not start: ${this.errors()}`)
  }

  /* What sipp has complained about so far. It also counts as an error that a time the scenario waits for has
   * passed, and that the machine let it wait. */
  errors() {
    const files = readdirSync(this.folder).filter((name) => name.endsWith('_errors.log'))
    const text = files.map((name) => readFileSync(join(this.folder, name), 'utf8')).join('')
    const entries = text.split(/(?=\d{4}-\d\d-\d\d\t)/).slice(1)
    return entries.filter((entry) => !/receive timeout on message .*jumping to label|Overload warning: the m\w+ watchdog timer/.test(entry)).join('')
  }

  partyOf() {
    return ''
  }

  stop() {
    const errors = this.errors()
    const wasGone = this.#ended
    this.release()
    if (errors || wasGone) throw new Error(`sipp ${wasGone ? 'ended before its time' : 'met what it did not expect'}: ${errors}`)
  }

  release() {
    this.#child?.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
