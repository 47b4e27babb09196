/* One call tab as a page sees it: what is known of its call, its agent and its connection, who is told, and the line behind it
 * (a socket, or the page above when this is a frame). The objects scripts use are made from it in call_tab.js. */
import { Channel } from './channel.js'
import { COMMANDS } from './commands.js'
import { CODES, TelephonyError, safeToIgnore } from './errors.js'
import { Handlers, eventOf, normaliseCall } from './events.js'
import { FrameHost, FrameLink, isFramed, originsOf } from './frame.js'

/* What CallTab.on() takes. */
export const EVENTS = new Set(['state', 'update', 'agent', 'tabs', 'notice', 'connection', 'error'])
const CONTRACT_EVENT = 'contract' // what RegisterForEvents waits for; not one of on()
const OVER = new Set(['disconnected', 'closed'])

export class Tab {
  /**
   * @param {{scriptUrl?: string, joinsPageAbove?: boolean}} options scriptUrl: where the library came from; the gateway is taken to
   * be there. joinsPageAbove: in a frame, connects by itself on first use.
   */
  constructor({ scriptUrl, joinsPageAbove = false }) {
    this.scriptUrl = scriptUrl
    this.joinsPageAbove = joinsPageAbove
    this.handlers = new Handlers()
    /** the current or most recent call, as text (events.js says why) @type {string | null} */
    this.callText = null
    this.number = 0
    this.agent = /** @type {any} */ (null)
    this.tabs = Object.freeze(/** @type {number[]} */ ([]))
    this.outcomes = Object.freeze(/** @type {string[]} */ ([]))
    /** @type {Readonly<{state: string} & Record<string, any>>} */
    this.connection = Object.freeze({ state: 'disconnected' })
    /** the gateway's clock minus this one */
    this.clockOffsetMs = 0
    /** @type {Channel | FrameLink | null} */
    this.line = null
    /** what a line that was let go is told apart by */
    this.lineNumber = 0
    /** @type {FrameHost | null} */
    this.host = null
    /** @type {Deferred | null} */
    this.connecting = null
    /** the tab that connect() asked for; undefined in a frame @type {number | undefined} */
    this.wanted = undefined
  }

  /* --- what scripts call --- */

  call() {
    return this.callText === null ? null : normaliseCall(JSON.parse(this.callText))
  }

  /** A handler that comes late is told the present state, once. @param {any} handler */
  register(handler) {
    const isNew = !this.handlers.has(CONTRACT_EVENT, handler)
    const remove = this.handlers.add(CONTRACT_EVENT, handler)
    this.joinPageAbove()
    if (isNew && this.callText !== null) queueMicrotask(() => this.tellPresentState(handler))
    return remove
  }

  /** @private @param {any} handler */
  tellPresentState(handler) {
    if (this.callText !== null && this.handlers.has(CONTRACT_EVENT, handler))
      this.handlers.tellOne(handler, eventOf(this.callText))
  }

  /** @param {string} method @param {any[]} args */
  command(method, args) {
    this.joinPageAbove()
    const answer = this.send(method, args)
    answer.catch((error) => this.handlers.report(error))
    return answer
  }

  /** @private @param {string} method @param {any[]} args */
  async send(method, args) {
    const params = COMMANDS[method](...args)
    if (!this.line)
      throw new TelephonyError(CODES.notConnected, `${method} was not sent: the call tab is not connected`, { method })
    return this.line.request(method, params)
  }

  /**
   * A second copy of the library on the page, or a second call, joins the connection there is.
   * @param {any} [options]
   * @returns {Promise<any>}
   */
  async connect(options = {}) {
    if (this.line instanceof FrameLink && hasTickets(options)) this.line.close()
    if (this.connecting) {
      this.mustBeSameTab(options)
      return this.connecting.promise
    }
    const line = hasTickets(options) ? this.channel(options) : this.frameLink(options)
    const connecting = new Deferred()
    this.connecting = connecting
    this.line = line
    if (options.frames) this.host = new FrameHost(options.frames, this.hosted())
    line.open()
    return connecting.promise
  }

  disconnect() {
    this.joinsPageAbove = false
    if (this.line) this.line.close()
  }

  /* --- the line --- */

  /** @private @param {any} options */
  mustBeSameTab({ tab }) {
    if (tab === undefined || this.wanted === undefined || Number(tab || 1) === this.wanted) return
    throw new TelephonyError(CODES.otherTab, `this page is connected to tab ${this.wanted} already`, { target: 'tab' })
  }

  /** Old scripts in a frame know nothing of connect(). @private */
  joinPageAbove() {
    if (!this.line && this.joinsPageAbove && isFramed() && this.trustedOrigins().length) safeToIgnore(this.connect())
  }

  /** @private @param {any} options */
  channel(options) {
    this.wanted = Number(options.tab || 1)
    const url = options.url || this.socketUrl()
    return new Channel({ ...options, tab: this.wanted, url, getTicket: ticketsOf(options) }, this.sink())
  }

  /** @private @param {any} options */
  frameLink(options) {
    const origins = this.trustedOrigins(options.origins)
    if (!isFramed() || !origins.length) {
      const message = 'connect() needs getTicket, or a call tab in the page above this frame'
      throw new TelephonyError(CODES.badOptions, message, { target: 'getTicket' })
    }
    this.wanted = undefined
    return new FrameLink({ ...options, origins }, this.sink())
  }

  /** @private @param {string[]} [listed] */
  trustedOrigins(listed = []) {
    return originsOf([this.scriptUrl, ...listed])
  }

  /** @private */
  socketUrl() {
    const [origin] = originsOf([this.scriptUrl])
    if (!origin) throw new TelephonyError(CODES.badOptions, 'connect() needs the url of the gateway', { target: 'url' })
    return `${origin.replace(/^http/, 'ws')}/ws`
  }

  /** @private @param {any} error */
  letGo(error) {
    this.lineNumber += 1
    this.line = null
    if (this.host) this.host.close()
    this.host = null
    if (this.connecting) this.connecting.reject(error)
    this.connecting = null
  }

  /* --- what the line says --- */

  /** @private @returns {import('./channel.js').Sink} */
  sink() {
    const { lineNumber } = this
    const isCurrent = () => lineNumber === this.lineNumber
    return {
      connection: (info) => isCurrent() && this.connectionChanged(info),
      attached: (result, isResumed) => isCurrent() && this.attached(result, isResumed),
      notification: (method, params) => isCurrent() && this.notified(method, params),
      failed: (error) => this.handlers.report(error),
    }
  }

  /** @private @param {any} info */
  connectionChanged(info) {
    const clock = info.state === 'connected' ? { clockOffsetMs: this.clockOffsetMs } : {}
    this.connection = Object.freeze({ ...info, ...clock })
    this.toFrames({ kind: 'connection', info: this.connectionForFrames() })
    if (info.state === 'connected' && this.connecting) this.connecting.resolve(this.summary())
    if (OVER.has(info.state))
      this.letGo(info.error || new TelephonyError(CODES.notConnected, 'the page disconnected its call tab'))
    this.handlers.tell('connection', () => this.connection)
  }

  /** @private @param {any} result @param {boolean} isResumed */
  attached(result, isResumed) {
    this.number = result.tab
    this.clockOffsetMs = result.clockOffsetMs || 0
    this.outcomes = Object.freeze((result.outcomes || []).map(nameOf))
    this.notified('agent', { agent: result.agent })
    this.notified('tabs', { tabs: result.tabs })
    if (!isResumed) this.takeSnapshot(result.snapshot)
    this.toFrames({ kind: 'attached', ...this.summary() })
  }

  /** What happened while nobody listened, in one step: the truth now. @private @param {any} call */
  takeSnapshot(call) {
    const before = this.call()
    const textBefore = this.callText
    this.callText = call ? JSON.stringify(normaliseCall(call)) : null
    if (!call) return
    const isNewState = !before || before.callId !== call.callId || before.state !== call.state
    if (isNewState) this.tellState()
    else if (this.callText !== textBefore) this.handlers.tell('update', () => this.call())
  }

  /** @private @param {string} method @param {any} params */
  notified(method, params) {
    const take = TAKE[method]
    if (!take) return // of a newer gateway
    if (!take(this, params)) {
      const message = `the gateway sent "${method}" without what it is about`
      return this.handlers.report(new TelephonyError(CODES.badMessage, message))
    }
    this.toFrames({ kind: method, params })
  }

  tellState() {
    const text = /** @type {string} */ (this.callText)
    this.handlers.tell(CONTRACT_EVENT, () => eventOf(text))
    this.handlers.tell('state', () => normaliseCall(JSON.parse(text)))
  }

  /* --- frames below --- */

  /** @private @param {any} message */
  toFrames(message) {
    if (this.host) this.host.tell(message)
  }

  /** @private */
  hosted() {
    return {
      summary: () => this.summary(),
      connection: () => this.connectionForFrames(),
      request: (/** @type {string} */ method, /** @type {any} */ params) =>
        this.line
          ? this.line.request(method, params)
          : Promise.reject(new TelephonyError(CODES.notConnected, 'the call tab is not connected', { method })),
      failed: (/** @type {TelephonyError} */ error) => this.handlers.report(error),
    }
  }

  /** @private */
  summary() {
    const { number: tab, agent, tabs, outcomes, clockOffsetMs } = this
    return { tab, agent, tabs, outcomes, clockOffsetMs, snapshot: this.call() }
  }

  /** An error object does not travel. @private */
  connectionForFrames() {
    const { error, ...info } = this.connection
    return OVER.has(info.state) ? { state: 'reconnecting', reason: 'page' } : info
  }
}

/* Notification -> how the tab takes it and whom it tells. False: the message lacks its subject. */
/** @type {Record<string, (tab: Tab, params: any) => boolean>} */
const TAKE = {
  state(tab, { call }) {
    if (!call || typeof call.state !== 'string') return false
    tab.callText = JSON.stringify(normaliseCall(call))
    tab.tellState()
    return true
  },
  update(tab, { call }) {
    if (!call || typeof call.state !== 'string') return false
    tab.callText = JSON.stringify(normaliseCall(call))
    tab.handlers.tell('update', () => tab.call())
    return true
  },
  agent(tab, { agent }) {
    if (!agent) return false
    const isSame = JSON.stringify(agent) === JSON.stringify(tab.agent)
    tab.agent = Object.freeze({ ...agent })
    if (!isSame) tab.handlers.tell('agent', () => tab.agent)
    return true
  },
  tabs(tab, { tabs }) {
    if (!Array.isArray(tabs)) return false
    const isSame = tabs.join() === tab.tabs.join()
    tab.tabs = Object.freeze([...tabs])
    if (!isSame) tab.handlers.tell('tabs', () => tab.tabs)
    return true
  },
  notice(tab, notice) {
    tab.handlers.tell('notice', () => Object.freeze({ ...notice }))
    return true
  },
}

class Deferred {
  constructor() {
    this.resolve = (/** @type {any} */ _) => {}
    this.reject = (/** @type {any} */ _) => {}
    this.promise = safeToIgnore(
      new Promise((resolve, reject) => {
        this.resolve = resolve
        this.reject = reject
      }),
    )
  }
}

/** @param {any} options */
function hasTickets(options) {
  return options.ticket !== undefined || options.getTicket !== undefined
}

/** @param {{ticket?: string, getTicket?: () => any}} options @returns {() => any} */
function ticketsOf({ ticket, getTicket }) {
  let first = ticket
  return () => {
    const given = first
    first = undefined
    if (given !== undefined) return given
    if (getTicket) return getTicket()
    throw new TelephonyError(CODES.sessionEnded, 'a ticket opens one connection: give connect() a getTicket')
  }
}

/** @param {any} outcome */
function nameOf(outcome) {
  return typeof outcome === 'string' ? outcome : String(outcome.name)
}
