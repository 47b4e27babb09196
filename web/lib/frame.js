/* The same names inside a frame. A CRM's form that is shown in a frame of the call tab's page loads this library too; it has no
 * socket of its own but talks to the page above by a MessagePort.
 *
 * Who may: the frame sends its greeting only to origins on its list (where its script came from, its own, and what it is told),
 * and the page above takes greetings only from the origins it lists in connect({frames: {origins}}). After that the port is
 * the proof: nobody else holds it. */
import { COMMAND_TIMEOUT_MS, COMMANDS, PendingRequests } from './commands.js'
import { CODES, TelephonyError } from './errors.js'

const VERSION = 1
const GREETING = 'hello'
const FRAMES_AT_MOST = 16
const GREETINGS_AT_MOST = 12
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10000
const MARGIN_MS = 2000 // the page above answers for the gateway first

/** The windows above this one, nearest first. @param {any} win */
function windowsAbove(win) {
  const above = []
  for (let it = win; it.parent && it.parent !== it; it = it.parent) above.push(it.parent)
  return above
}

/** @param {any} [win] */
export function isFramed(win = globalThis.window) {
  return !!win && !!win.parent && win.parent !== win
}

/** The http origins of a list of addresses, each once. @param {(string | undefined)[]} addresses */
export function originsOf(addresses) {
  const origins = addresses.map((address) => {
    try {
      const { origin, protocol } = new URL(address || '')
      return /^https?:$/.test(protocol) ? origin : ''
    } catch {
      return ''
    }
  })
  return [...new Set(origins.filter(Boolean))]
}

/* The frame's side: the same interface as Channel. */
export class FrameLink {
  /**
   * @param {{origins: string[], window?: any, commandTimeoutMs?: number}} options
   * @param {import('./channel.js').Sink} sink
   */
  constructor(options, sink) {
    this.options = options
    this.window = options.window || globalThis.window
    this.sink = sink
    this.requests = new PendingRequests()
    /** @type {any} the port to the page above, once it has answered */
    this.port = null
    /** @type {any[]} ports whose greeting is still unanswered */
    this.greeted = []
    /** @type {(() => void)[]} commands given before the page above has answered */
    this.unsent = []
    this.isStopped = false
    this.greetings = 0
    /** @type {any} */
    this.timer = null
    this.onLeave = () => this.leave()
    this.onShow = (/** @type {any} */ event) => event.persisted && this.open()
  }

  open() {
    this.window.addEventListener('pagehide', this.onLeave)
    this.window.addEventListener('pageshow', this.onShow)
    this.sink.connection({ state: 'connecting' })
    this.greetings = 0
    this.greet()
  }

  close() {
    this.isStopped = true
    this.window.removeEventListener('pageshow', this.onShow)
    this.leave()
    this.sink.connection({ state: 'disconnected' })
  }

  /**
   * @param {string} method
   * @param {Record<string, any>} params
   * @param {number} [withinMs]
   */
  request(method, params, withinMs = (this.options.commandTimeoutMs || COMMAND_TIMEOUT_MS) + MARGIN_MS) {
    const { id, answer } = this.requests.add(method, params, withinMs)
    if (this.isStopped) this.requests.fail(id)
    else if (this.port) this.ask(id, method, params)
    else this.unsent.push(() => this.ask(id, method, params))
    return answer
  }

  /** @private @param {string} id @param {string} method @param {any} params */
  ask(id, method, params) {
    this.requests.sent(id)
    this.port.postMessage({ kind: 'request', id, method, params })
  }

  /** Says hello to every window above, at each origin that may be trusted; the browser keeps it from all others. @private */
  greet() {
    clearTimeout(this.timer)
    this.dropGreeted()
    if (this.greetings >= GREETINGS_AT_MOST) return this.giveUp()
    windowsAbove(this.window).forEach((above, level) => {
      for (const origin of this.originsToTry(level)) this.greetOne(above, origin)
    })
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.greetings)
    this.greetings += 1
    this.timer = setTimeout(() => this.greet(), waitMs)
  }

  /** Where the browser tells who is above, a greeting that could only be refused (noisily, on the console) is spared.
   * @private @param {number} level */
  originsToTry(level) {
    const { ancestorOrigins } = this.window.location
    return ancestorOrigins ? this.options.origins.filter((origin) => origin === ancestorOrigins[level]) : this.options.origins
  }

  /** @private @param {any} above @param {string} origin */
  greetOne(above, origin) {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = (event) => this.heard(port1, event.data)
    this.greeted.push(port1)
    above.postMessage({ calltab: GREETING, version: VERSION }, origin, [port2])
  }

  /** @private */
  giveUp() {
    const error = new TelephonyError(CODES.noCallTab, `no call tab answers above this frame (asked: ${this.options.origins.join(', ')})`)
    this.isStopped = true
    this.leave()
    this.sink.failed(error)
    this.sink.connection({ state: 'closed', reason: error.code, error })
  }

  /** @private @param {any} port @param {any} message */
  heard(port, message) {
    if (!message || typeof message !== 'object') return
    if (message.kind === 'welcome' && !this.port) this.welcomed(port)
    if (port !== this.port) return
    switch (message.kind) {
      case 'welcome':
      case 'attached':
        return this.sink.attached(message, false)
      case 'connection':
        return this.sink.connection(message.info)
      case 'answer':
        return void this.requests.settle(message)
      case 'bye':
        return this.left()
      default:
        return this.sink.notification(message.kind, message.params || {})
    }
  }

  /** @private @param {any} port */
  welcomed(port) {
    clearTimeout(this.timer)
    this.port = port
    this.greeted = this.greeted.filter((other) => other !== port)
    this.dropGreeted()
    for (const send of this.unsent.splice(0)) send()
  }

  /** The page above has let its tab go; it may connect again. @private */
  left() {
    this.port.close()
    this.port = null
    this.requests.failAll()
    this.sink.connection({ state: 'reconnecting', reason: 'page' })
    this.greetings = 0
    this.greet()
  }

  /** @private */
  leave() {
    clearTimeout(this.timer)
    this.dropGreeted()
    this.requests.failAll()
    if (!this.port) return
    this.port.postMessage({ kind: 'bye' })
    this.port.close()
    this.port = null
  }

  /** @private */
  dropGreeted() {
    for (const port of this.greeted.splice(0)) port.close()
  }
}

/**
 * @typedef {object} Hosted what a frame may see and do
 * @property {() => any} summary the tab as attached() takes it
 * @property {() => any} connection
 * @property {(method: string, params: any) => Promise<any>} request
 * @property {(error: TelephonyError) => void} failed
 */

/* The page's side: hands the tab to frames of the listed origins. */
export class FrameHost {
  /**
   * @param {{origins: string[], within?: () => any}} options `within` gives the frame's window when a page shows several tabs
   * @param {Hosted} tab
   * @param {any} [win]
   */
  constructor(options, tab, win = globalThis.window) {
    this.origins = new Set(options.origins)
    this.within = options.within
    this.tab = tab
    this.window = win
    /** @type {Map<any, any>} port by the window that sent it */
    this.ports = new Map()
    this.refused = new Set()
    this.onMessage = (/** @type {any} */ event) => this.greeted(event)
    this.window.addEventListener('message', this.onMessage)
  }

  close() {
    this.window.removeEventListener('message', this.onMessage)
    this.tell({ kind: 'bye' })
    for (const port of this.ports.values()) port.close()
    this.ports.clear()
  }

  /** To every frame. @param {any} message */
  tell(message) {
    for (const port of this.ports.values()) port.postMessage(message)
  }

  /** @private @param {any} event */
  greeted({ data, origin, source, ports }) {
    if (!data || data.calltab !== GREETING || data.version !== VERSION || ports.length !== 1) return
    if (!this.isOurs(source)) return
    if (!this.origins.has(origin)) return this.refuse(origin)
    if (this.ports.size >= FRAMES_AT_MOST && !this.ports.has(source)) return this.refuse(origin)
    const [port] = ports
    if (this.ports.has(source)) this.ports.get(source).close() // the frame was loaded again
    this.ports.set(source, port)
    port.onmessage = (/** @type {any} */ { data: message }) => this.heard(source, port, message)
    port.postMessage({ kind: 'welcome', ...this.tab.summary() })
    port.postMessage({ kind: 'connection', info: this.tab.connection() })
  }

  /** Whether the window is the frame of this tab or inside it. @private @param {any} source */
  isOurs(source) {
    if (!this.within) return true
    const frame = this.within()
    return !!frame && (source === frame || windowsAbove(source).includes(frame))
  }

  /** @private @param {string} origin */
  refuse(origin) {
    if (this.refused.has(origin) || this.refused.size >= FRAMES_AT_MOST) return
    this.refused.add(origin)
    this.tab.failed(new TelephonyError(CODES.frameRefused, `a frame of ${origin} may not use this call tab`, { target: 'frames' }))
  }

  /** @private @param {any} source @param {any} port @param {any} message */
  heard(source, port, message) {
    if (!message || typeof message !== 'object') return
    if (message.kind === 'bye' && this.ports.get(source) === port) this.ports.delete(source)
    if (message.kind === 'request') this.asked(port, message)
  }

  /** @private @param {any} port @param {any} request */
  async asked(port, { id, method, params }) {
    try {
      if (!Object.prototype.hasOwnProperty.call(COMMANDS, method))
        throw new TelephonyError('protocol.unknown_method', 'a frame may not ask for this', { target: 'method' })
      port.postMessage({ kind: 'answer', id, result: await this.tab.request(method, params) })
    } catch (error) {
      const { message, code = 'internal', target = '' } = /** @type {any} */ (error)
      port.postMessage({ kind: 'answer', id, error: { message, data: { code, target } } })
    }
  }
}
