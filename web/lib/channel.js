/* The connection of one call tab to the gateway (docs/protocol.md): one WebSocket at a time, opened with a fresh ticket,
 * attached with the last number this client has seen, and brought back after a loss by the rules of manners.js.
 *
 * The owner gives a sink and hears: connection(info) on every change of the connection; attached(result, isResumed);
 * notification(method, params) for each message, numbered ones in order and without holes; failed(error) for what nobody asked
 * for. */
import { COMMAND_TIMEOUT_MS, PendingRequests, newCommandId, randomText } from './commands.js'
import { CODES, TelephonyError, asTelephonyError, errorFromWire } from './errors.js'
import { CLOSE, askedPatienceMs, backOffMs, planAfterClose, thisPage } from './manners.js'

export const PROTOCOL = 'calltab.v1'
const TICKET_WITHIN_MS = 15000
const ATTACHED_WITHIN_MS = 15000
const STABLE_AFTER_MS = 5000 // a connection that lived less long does not count as a success
const HEARTBEAT_MS = 55000
const PROBE_AFTER_MS = 10000 // a page that wakes up does not believe a socket that has been silent for longer
const NUMBERED = new Set(['state', 'update'])
/* Refusals of `attach` that another try may not meet. */
const PASSING = /^(switch|storage|command|client|internal)(\.|$)/

/**
 * @typedef {object} ChannelOptions
 * @property {string} url
 * @property {() => Promise<string> | string} getTicket a fresh ticket for every connection
 * @property {number} tab
 * @property {any} [WebSocket] a constructor with the browser's interface
 * @property {number} [commandTimeoutMs]
 * @property {number} [heartbeatMs]
 * @property {import('./manners.js').Page} [page]
 * @property {() => number} [random]
 * @property {{firstMs: number, longestMs: number}} [backOff]
 *
 * @typedef {object} Sink
 * @property {(info: any) => void} connection
 * @property {(result: any, isResumed: boolean) => void} attached
 * @property {(method: string, params: any) => void} notification
 * @property {(error: TelephonyError) => void} failed
 */

export class Channel {
  /** @param {ChannelOptions} options @param {Sink} sink */
  constructor(options, sink) {
    this.options = options
    this.sink = sink
    this.page = options.page || thisPage()
    this.random = options.random || Math.random
    this.client = randomText(16)
    this.requests = new PendingRequests()
    /** @type {any} */
    this.socket = null
    this.attachId = ''
    this.attachSentAt = 0
    /** what a late answer of an earlier connection is told apart by */
    this.turn = 0
    this.position = { epoch: /** @type {number | null} */ (null), seq: 0 }
    this.attempt = 0
    this.ticketsRefused = 0
    this.isAttached = false
    this.wasAttached = false
    this.isStopped = false
    this.isAway = false // the page has gone, perhaps into the browser's cache
    this.attachedAt = 0
    this.lastHeardAt = 0
    this.notBefore = 0 // the gateway asked for this much patience
    /** @type {any} */
    this.retryTimer = null
    /** @type {any} */
    this.attachTimer = null
    /** @type {any} */
    this.beatTimer = null
    this.stopWatching = () => {}
  }

  open() {
    this.stopWatching = this.page.watch({
      leave: () => this.leave(),
      comeBack: () => this.comeBack(),
      wake: () => this.wake(),
    })
    this.say('connecting')
    this.tryOnce()
  }

  /** An end the owner wants. Nothing is tried any more. */
  close() {
    this.end(1000)
    this.say('disconnected')
  }

  /**
   * Sends a command. Before the first attachment it waits for it; given in a later outage it is refused at once, because a
   * hang-up that is carried out half a minute late is worse than none. One that was sent when its connection broke is sent
   * again, with the same id, on the next.
   * @param {string} method
   * @param {Record<string, any>} params
   * @param {number} [withinMs]
   * @returns {Promise<any>}
   */
  request(method, params, withinMs = this.timeoutMs()) {
    const mayWait = !this.wasAttached && !this.isStopped
    const { id, answer } = this.requests.add(method, params, withinMs)
    if (this.isAttached) this.sendDue()
    else if (!mayWait) this.requests.fail(id)
    this.probeUnlessAnswered(answer, withinMs / 3)
    return answer
  }

  /** @private */
  timeoutMs() {
    return this.options.commandTimeoutMs || COMMAND_TIMEOUT_MS
  }

  /** @private */
  sendDue() {
    for (const text of this.requests.takeDue()) this.socket.send(text)
  }

  /** A line that says nothing is given up while there is time to ask again on another. @private
   * @param {Promise<any>} answer @param {number} afterMs */
  probeUnlessAnswered(answer, afterMs) {
    const { turn } = this
    const check = () => {
      if (!this.isAttached || turn !== this.turn) return
      const silentMs = Date.now() - this.lastHeardAt // something may have come just behind the question
      if (silentMs >= afterMs) this.probe(afterMs)
      else timer = setTimeout(check, afterMs - silentMs)
    }
    let timer = setTimeout(check, afterMs)
    const stop = () => clearTimeout(timer)
    answer.then(stop, stop)
  }

  /* --- coming up --- */

  /** @private */
  async tryOnce() {
    clearTimeout(this.retryTimer)
    this.retryTimer = null
    const turn = ++this.turn
    try {
      const ticket = await inTime(this.options.getTicket(), TICKET_WITHIN_MS)
      if (turn === this.turn) this.openSocket(ticket)
    } catch (thrown) {
      if (turn === this.turn) this.ticketFailed(thrown)
    }
  }

  /** @private @param {any} thrown */
  ticketFailed(thrown) {
    const isFinal = thrown && (thrown.code === CODES.sessionEnded || thrown.status === 401 || thrown.status === 403)
    if (isFinal) return this.stop(new TelephonyError(CODES.sessionEnded, 'the session has ended: sign in again', { cause: thrown }))
    if (thrown && thrown.code === CODES.badOptions) return this.stop(thrown)
    this.sink.failed(asTelephonyError(thrown, CODES.ticketFailed))
    const askedMs = askedPatienceMs(thrown)
    const delayMs = askedMs + this.backOff()
    if (askedMs > 0) this.notBefore = Date.now() + delayMs
    this.retryAfter(delayMs, { reason: 'ticket' })
  }

  /** @private @param {string} ticket */
  openSocket(ticket) {
    const { url, WebSocket: Socket = globalThis.WebSocket } = this.options
    /** @type {any} */
    let socket
    try {
      socket = new Socket(url, [PROTOCOL, `ticket.${ticket}`])
    } catch (cause) {
      throw new TelephonyError(CODES.badOptions, `no socket can be opened to ${url}`, { cause })
    }
    this.socket = socket
    const ifCurrent = (/** @type {(event: any) => void} */ act) => (/** @type {any} */ event) => {
      if (socket === this.socket) act(event)
    }
    socket.onopen = ifCurrent(() => this.attach())
    socket.onmessage = ifCurrent((event) => this.heard(event.data))
    socket.onclose = ifCurrent((event) => this.lost(event.code, event.reason))
    socket.onerror = () => {} // a close always follows, and says more
    this.attachTimer = setTimeout(() => this.hangUp('slow'), ATTACHED_WITHIN_MS)
  }

  /** @private */
  attach() {
    const { tab } = this.options
    const { epoch, seq } = this.position
    const last = epoch === null ? {} : { epoch, seq }
    this.attachId = newCommandId()
    this.attachSentAt = Date.now()
    const params = { tab, client: this.client, ...last }
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id: this.attachId, method: 'attach', params }))
  }

  /** At once and not through a promise: the missed events may be in the same packet. @private @param {any} message */
  attachAnswered(message) {
    this.attachId = ''
    if ('error' in message) this.attachRefused(errorFromWire(message.error, 'attach'))
    else this.attached(message.result)
  }

  /** @private @param {any} result */
  attached(result) {
    clearTimeout(this.attachTimer)
    const isSameEpoch = result.epoch === this.position.epoch
    const isResumed = result.resumed === true && isSameEpoch
    if (!isSameEpoch) this.requests.failSent()
    if (!isResumed) this.position = { epoch: result.epoch, seq: result.seq }
    this.isAttached = true
    this.wasAttached = true
    this.attachedAt = Date.now()
    this.beat()
    this.sendDue()
    this.sink.attached({ ...result, clockOffsetMs: this.clockOffset(result) }, isResumed)
    if (this.isAttached) this.say('connected')
  }

  /** The gateway's clock minus ours, taking it that the answer was written half way. @private @param {any} result */
  clockOffset({ serverTime }) {
    const at = Date.parse(serverTime)
    return Number.isNaN(at) ? 0 : Math.round(at - (this.attachSentAt + Date.now()) / 2)
  }

  /** @private @param {TelephonyError} error */
  attachRefused(error) {
    if (!PASSING.test(error.code)) return this.stop(error)
    this.sink.failed(error)
    this.hangUp('refused')
  }

  /* --- what arrives --- */

  /** @private @param {any} data */
  heard(data) {
    this.lastHeardAt = Date.now()
    const message = parse(data)
    if (!message) return this.sink.failed(new TelephonyError(CODES.badMessage, 'the gateway sent something that is not a message'))
    if (this.attachId && message.id === this.attachId) return this.attachAnswered(message)
    if (typeof message.method === 'string') return this.notified(message.method, message.params || {})
    if (this.requests.settle(message)) return this.isAttached && this.sendDue()
    if ('error' in message && message.id === null)
      this.sink.failed(new TelephonyError(CODES.badMessage, `the gateway did not understand a message: ${message.error.message}`))
  }

  /** @private @param {string} method @param {any} params */
  notified(method, params) {
    if (!this.isAttached) return
    if (NUMBERED.has(method)) {
      const { epoch, seq } = params
      if (epoch === this.position.epoch && seq <= this.position.seq) return // told twice
      if (epoch !== this.position.epoch || seq !== this.position.seq + 1) return this.hangUp('gap')
      this.position.seq = seq
    }
    this.sink.notification(method, params)
  }

  /* --- going down --- */

  /** We give this connection up: an event is missing, or nobody answers. @private @param {string} reason */
  hangUp(reason) {
    const { socket } = this
    this.lost(CLOSE.ours, reason)
    if (socket) socket.close(CLOSE.ours, reason)
  }

  /** @private @param {number} code @param {string} reason */
  lost(code, reason) {
    const wasStable = this.isAttached && Date.now() - this.attachedAt >= STABLE_AFTER_MS
    if (wasStable) this.attempt = this.ticketsRefused = 0
    this.forgetSocket()
    this.requests.lineLost({ keepUnsent: !this.wasAttached })
    if (code === CLOSE.notSignedIn) this.ticketsRefused += 1
    const isHidden = this.page.isHidden()
    const { attempt, ticketsRefused, random } = this
    const plan = planAfterClose({ code, reason, attempt, ticketsRefused, random, isHidden, backOff: this.options.backOff })
    if ('stop' in plan) return this.stop(plan.stop, code)
    const isFirstGap = reason === 'gap' && attempt === 0
    this.attempt += 1
    if (code === CLOSE.restart || code === CLOSE.overload || code === CLOSE.tooMany) this.notBefore = Date.now() + plan.delayMs
    this.retryAfter(isFirstGap ? 0 : plan.delayMs, { code, reason })
  }

  /** @private */
  backOff() {
    const { attempt, random } = this
    this.attempt += 1
    return backOffMs({ attempt, random, isHidden: this.page.isHidden(), backOff: this.options.backOff })
  }

  /** @private @param {number} delayMs @param {{code?: number, reason?: string}} why */
  retryAfter(delayMs, why) {
    this.retryTimer = setTimeout(() => this.tryOnce(), delayMs)
    this.say(this.wasAttached ? 'reconnecting' : 'connecting', { ...why, retryInMs: Math.round(delayMs) })
  }

  /** An end that only the owner can undo. @private @param {TelephonyError} error @param {number} [code] */
  stop(error, code) {
    this.end(1000)
    this.sink.failed(error)
    this.say('closed', { code, reason: error.code, error })
  }

  /** @private @param {number} code */
  end(code) {
    this.isStopped = true
    this.stopWatching()
    const { socket } = this
    this.forgetSocket()
    this.requests.failAll()
    if (socket) socket.close(code)
  }

  /** @private */
  forgetSocket() {
    this.turn += 1
    this.socket = null
    this.attachId = ''
    this.isAttached = false
    for (const timer of [this.retryTimer, this.attachTimer, this.beatTimer]) clearTimeout(timer)
    this.retryTimer = null
  }

  /** @private @param {string} state @param {Record<string, any>} [more] */
  say(state, more) {
    this.sink.connection({ state, ...more })
  }

  /* --- the page --- */

  /** @private */
  leave() {
    const { socket } = this
    this.isAway = true
    this.forgetSocket()
    this.requests.failAll()
    if (socket) socket.close(1000, 'page')
  }

  /** @private */
  comeBack() {
    this.isAway = false
    this.say(this.wasAttached ? 'reconnecting' : 'connecting', { reason: 'page' })
    this.tryOnce()
  }

  /** @private */
  wake() {
    if (this.isAway) return
    if (this.isAttached && Date.now() - this.lastHeardAt > PROBE_AFTER_MS) this.probe()
    else if (this.retryTimer !== null && Date.now() >= this.notBefore) this.tryOnce()
  }

  /** @private */
  beat() {
    const heartbeatMs = this.options.heartbeatMs || HEARTBEAT_MS
    const silentMs = Date.now() - this.lastHeardAt
    if (silentMs >= heartbeatMs) this.probe()
    this.beatTimer = setTimeout(() => this.beat(), silentMs >= heartbeatMs ? heartbeatMs : heartbeatMs - silentMs)
  }

  /** A browser does not show a script the pings of the protocol, so a dead line is found by asking. @private */
  probe(withinMs = this.timeoutMs()) {
    const { turn } = this
    const askedAt = Date.now()
    const { answer } = this.requests.add('ping', {}, withinMs, { isAsked: false })
    this.sendDue()
    answer.catch(() => {
      if (this.isAttached && turn === this.turn && this.lastHeardAt <= askedAt) this.hangUp('silent')
    })
  }
}

/** @param {any} data @returns {any} */
function parse(data) {
  if (typeof data !== 'string') return null
  try {
    const message = JSON.parse(data)
    return message && typeof message === 'object' && !Array.isArray(message) ? message : null
  } catch {
    return null
  }
}

/**
 * @template T
 * @param {Promise<T> | T} promise
 * @param {number} ms
 * @returns {Promise<T>}
 */
function inTime(promise, ms) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TelephonyError(CODES.ticketFailed, `no ticket within ${ms} ms`)), ms)
    Promise.resolve(promise).then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
