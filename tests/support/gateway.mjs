/* The real gateway under test: writes a configuration, starts the real binary on a port of the kernel's choice, reads
 * the ready line and hands out helpers.
 *
 *   const gateway = await startGateway({ config: { switch: 'sim', wrap_s: 0 } })
 *   const session = await gateway.signIn('1001')
 *   const call = await gateway.openTab(session, { tab: 1 })    // CallTab of web/lib, over a real socket
 *   const raw = await gateway.openRaw(session, { tab: 2 })     // JSON-RPC by hand (raw_tab.mjs)
 *   await gateway.stop()
 *
 * stop() rejects when the program ends with anything but 0 or a sanitizer wrote a report; a test file that forgets
 * stop() gets it at its exit, as a failure. The program's log is shown only when something failed. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { createDatabase } from './pg.mjs'
import { programPath, runOk } from './program.mjs'
import { RawTab } from './raw_tab.mjs'
import { root } from './results.mjs'
import { until } from './until.mjs'

const READY = /\bready\b.*\bport=(\d+)/
const START_MS = 30_000 // a sanitizer build on a busy machine; the release build needs a hundredth of it
const STOP_MS = 20_000
const LOG_SHOWN = 100 // lines

const PATIENT_MS = 2000 // a slow machine with sanitizers turns nobody away who is not meant to be

/* config: keys of the INI file, over the defaults here. database: one of createDatabase(), else one is made and
 * dropped at stop(). env: more of the environment. wait: false = do not wait for the ready line (a start that fails). */
export async function startGateway({ config = {}, database, env = {}, wait = true } = {}) {
  const ownsDatabase = !database
  const gateway = new Gateway(database ?? (await createDatabase()), ownsDatabase, config, env)
  try {
    await gateway.start({ wait })
  } catch (error) {
    gateway.wasStopped = true
    await gateway.release()
    throw error
  }
  return gateway
}

class Gateway {
  #child = null
  #exit = null // {code, signal} of the last program that ended
  #ownsDatabase
  #begun = 0 // what of the log is this life's
  log = ''
  port = 0
  wasStopped = false

  constructor(database, ownsDatabase, config, env) {
    this.database = database
    this.#ownsDatabase = ownsDatabase
    this.folder = mkdtempSync(join(tmpdir(), 'calltab-gateway-'))
    this.configFile = join(this.folder, 'calltab.ini')
    this.config = { listen: '127.0.0.1:0', database: database.url, journal_dir: join(this.folder, 'journal'), overload_lag_ms: PATIENT_MS, switch: 'sim', web_dir: join(root, 'web'), ...config }
    this.env = env
    watchExit(this)
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  get socketUrl() {
    return `ws://127.0.0.1:${this.port}/ws`
  }

  /* What the pages of this gateway send as their origin. */
  get origin() {
    return this.config.origins ? this.config.origins.split(',')[0].trim() : this.url
  }

  get pid() {
    return this.#child?.pid
  }

  get isRunning() {
    return this.#child !== null
  }

  async start({ wait = true } = {}) {
    writeFileSync(this.configFile, iniText(this.config))
    this.port = 0
    this.#begun = this.log.length
    this.#exit = null
    // ends with this process, even when that is killed
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', programPath(), 'serve', '--config', this.configFile], {
      env: { ...process.env, ...sanitizerEnvironment(this.folder), ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => this.#read(text))
    child.on('close', (code, signal) => {
      this.#exit = { code, signal }
      this.#child = null
    })
    if (!wait) return
    await until('the gateway is ready', () => this.port || this.#exit, START_MS)
    if (!this.port) throw new Error(`the gateway ended with ${this.#exit.code ?? this.#exit.signal} before it was ready:\n${this.log}`)
  }

  #read(text) {
    this.log += text
    const ready = READY.exec(this.log.slice(Math.max(this.#begun, this.log.length - 4096)))
    if (ready && !this.port) this.port = Number(ready[1])
  }

  /* Waits for the program to end by itself; resolves with {code, signal}. */
  async ended(ms = STOP_MS) {
    await until('the gateway ended', () => this.#exit, ms)
    return this.#exit
  }

  /* An orderly end; rejects unless it was one. */
  async stop() {
    this.wasStopped = true
    try {
      if (this.#child) {
        this.#child.kill('SIGTERM')
        await this.ended().catch((error) => {
          this.#child?.kill('SIGKILL')
          throw error
        })
      }
      this.assertClean()
    } finally {
      await this.release()
    }
  }

  /* The program is gone at once, without a last word. */
  async kill() {
    this.#child?.kill('SIGKILL')
    await this.ended()
  }

  /* Stops (in order, unless crash) and starts again with the same database, on the same port unless config says so. */
  async restart({ crash = false, config = {} } = {}) {
    const { port } = this
    if (crash) {
      await this.kill()
    } else {
      this.#child?.kill('SIGTERM')
      await this.ended()
      this.assertClean()
    }
    this.config = { ...this.config, listen: `127.0.0.1:${port}`, ...config }
    await this.start()
  }

  /* Throws when the last end was not in order or a sanitizer wrote anything. */
  assertClean() {
    const reports = this.sanitizerReports()
    if (reports) throw new Error(`a sanitizer found:\n${reports}`)
    if (this.#exit && this.#exit.code !== 0) {
      throw new Error(`the gateway ended with ${this.#exit.code ?? this.#exit.signal}:\n${lastLines(this.log)}`)
    }
  }

  sanitizerReports() {
    return readdirSync(this.folder)
      .filter((name) => name.startsWith('sanitizer.'))
      .map((name) => readFileSync(join(this.folder, name), 'utf8'))
      .join('\n')
  }

  async release() {
    this.wasStopped = true
    if (this.#child) {
      this.#child.kill('SIGKILL')
      await this.ended()
    }
    if (this.#ownsDatabase) await this.database.drop()
    else await this.database.close?.()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /* For the exit of this process, where nothing can be awaited. */
  releaseNow() {
    this.#child?.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  /* --- helpers of a client --- */

  /* {status, headers, body}; body parsed when it is JSON. token: of a session or a key. json: a body. */
  async request(method, path, { token, json, headers = {}, body, origin } = {}) {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(origin && { origin }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json !== undefined ? JSON.stringify(json) : body,
    })
    const text = await response.text()
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  async requestOk(method, path, options) {
    const answer = await this.request(method, path, options)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /* The secret of a one-use sign-in link, as `calltab agent link` makes it. */
  async link(login) {
    const text = await this.program(['agent', 'link', login])
    const found = /#link=([\w-]+)/.exec(text)
    if (!found) throw new Error(`no link in: ${text}`)
    return found[1]
  }

  /* {token, expiresOn, agent} */
  async signIn(login, password) {
    const json = password === undefined ? { link: await this.link(login) } : { login, password }
    return this.requestOk('POST', '/api/v1/sign-in', { json, origin: this.origin })
  }

  async ticket(session, { origin = this.origin } = {}) {
    return (await this.requestOk('POST', '/api/v1/ws-tickets', { token: session.token, origin })).ticket
  }

  /* A CallTab of web/lib, attached. options: more for CallTab.connect(). */
  async openTab(session, { tab = 1, ...options } = {}) {
    const { createCallTab } = await import('../../web/lib/index.js')
    const { CallTab } = createCallTab()
    await CallTab.connect({
      url: this.socketUrl,
      getTicket: () => this.ticket(session),
      tab,
      WebSocket: socketClassWithOrigin(this.origin),
      ...options,
    })
    return CallTab
  }

  /* A RawTab, attached unless {attach: false}. */
  async openRaw(session, { tab = 1, attach = true, origin = this.origin, ...params } = {}) {
    const raw = await RawTab.open(this.socketUrl, await this.ticket(session, { origin }), { origin })
    if (attach) await raw.attach({ tab, ...params })
    return raw
  }

  /* A program of the same binary on the same configuration; resolves with what it printed. */
  program(args) {
    return runOk([...args, '--config', this.configFile], { env: { ...sanitizerEnvironment(this.folder), ...this.env } })
  }
}

export function iniText(config) {
  return Object.entries(config)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
}

/* Reports go to files of ours: what the program prints cannot hide them. */
function sanitizerEnvironment(folder) {
  const options = `log_path=${join(folder, 'sanitizer')}:halt_on_error=1:print_stacktrace=1`
  return {
    ASAN_OPTIONS: `${options}:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1`,
    UBSAN_OPTIONS: options,
    LSAN_OPTIONS: 'print_suppressions=0',
  }
}

/* Browsers send the page's origin by themselves; ws has to be told. */
function socketClassWithOrigin(origin) {
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { origin, perMessageDeflate: false })
    }
  }
}

function lastLines(text) {
  return text.trimEnd().split('\n').slice(-LOG_SHOWN).join('\n')
}

const started = new Set()

function watchExit(gateway) {
  if (started.size === 0) process.once('exit', atExit)
  started.add(gateway)
}

function atExit(code) {
  for (const gateway of started) {
    if (!gateway.wasStopped) {
      gateway.releaseNow()
      process.exitCode = 1
      process.stderr.write('a gateway was started and never stopped\n')
    }
    if (code !== 0 && gateway.log) process.stderr.write(`--- log of a gateway ---\n${lastLines(gateway.log)}\n`)
  }
}
