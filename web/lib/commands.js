/* The commands of a tab: how each one's arguments become parameters by name, and the answers that are still awaited. */
import { CODES, TelephonyError, errorFromWire } from './errors.js'

export const COMMAND_TIMEOUT_MS = 15000
const ON_THE_WIRE_AT_MOST = 32 // unanswered; the gateway takes 40 messages in a burst
export const MESSAGE_BYTES_AT_MOST = 16 * 1024

/* Method of docs/protocol.md -> its parameters from a script's arguments. The one list of what a script, or a frame below the
 * page, may ask of the gateway. */
/** @type {Readonly<Record<string, (...args: any[]) => Record<string, any>>>} */
export const COMMANDS = Object.freeze({
  dial: (number, direction) => present({ number: asNumberText(number), direction }),
  holdresume: () => ({}),
  transferBlind: (number) => present({ number: asNumberText(number) }),
  transferConsult: (number) => present({ number: asNumberText(number) }),
  transferComplete: (callTab) => present({ callTab: asTab(callTab) }),
  conference: (callTab) => present({ callTab: asTab(callTab) }),
  answer: () => ({}),
  release: () => ({}),
  agentReady: () => ({}),
  agentNotReady: (reason) => present({ reason }),
  playWaveFile: (filename, to) => present({ filename, to }),
  sendDTMF: (digit) => present({ digits: asNumberText(digit) }),
  hold: () => ({}),
  resume: () => ({}),
  mute: (on = true) => ({ on: Boolean(on) }),
  reject: () => ({}),
  skip: () => ({}),
  pauseTimer: () => ({}),
  resumeTimer: () => ({}),
  cancelConsult: () => ({}),
  leave: () => ({}),
  setOutcome: (outcome, comment) => present({ outcome, comment }),
  scheduleCallback: (at, outcome) => present({ at: asTime(at), outcome }),
  endWrap: () => ({}),
  startRecording: () => ({}),
  stopRecording: () => ({}),
  pauseRecording: () => ({}),
  resumeRecording: () => ({}),
  setState: (state, reason) => present({ state, reason }),
})

/** Arguments that were not given are not sent, so that the gateway names what is missing. @param {Record<string, any>} params */
function present(params) {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined && value !== null))
}

/** Old scripts pass telephone numbers and digits as numbers. @param {any} value */
function asNumberText(value) {
  return typeof value === 'number' ? String(value) : value
}

/** @param {any} value */
function asTab(value) {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
}

/** @param {any} at a Date, Unix milliseconds or an ISO text */
function asTime(at) {
  if (at === undefined || at === null) return at
  const time = new Date(at)
  if (Number.isNaN(time.getTime()))
    throw new TelephonyError('time.invalid', 'scheduleCallback needs a Date or an ISO time', { target: 'at' })
  return time.toISOString()
}

/** An id no other page will make: the key by which the gateway knows a command again. Pages without https have no randomUUID. */
export function newCommandId() {
  const { crypto: source } = globalThis
  return source && source.randomUUID ? source.randomUUID() : randomText(16)
}

/** @param {number} bytes */
export function randomText(bytes) {
  const random = new Uint8Array(bytes)
  const source = globalThis.crypto
  if (source && source.getRandomValues) source.getRandomValues(random)
  else random.forEach((_, at) => (random[at] = Math.floor(Math.random() * 256))) // Node 18; a name, not a secret
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/* Requests whose answers are awaited. Each ends exactly once: answered, out of time, or failed with the connection. One that was
 * sent outlives its connection and is sent again, to the letter, on the next: the gateway knows the id and answers what it
 * answered before. */
export class PendingRequests {
  constructor() {
    /** @private in the order in which they were given @type {Map<string, {method: string, text: string, isAsked: boolean,
     *   wasSent: boolean, isOnWire: boolean, timer: any, resolve: (result: any) => void, reject: (error: any) => void}>} */
    this.byId = new Map()
  }

  /**
   * Registers a request; whoever sends its text says so by sent() or takeDue(). Throws when it is too large to be sent.
   * @param {string} method
   * @param {Record<string, any>} params
   * @param {number} withinMs
   * @param {{isAsked?: boolean}} [options] isAsked false: nobody needs the answer once the connection is gone
   */
  add(method, params, withinMs, { isAsked = true } = {}) {
    const id = newCommandId()
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    if (utf8Length(text) > MESSAGE_BYTES_AT_MOST) {
      const message = `${method} is larger than ${MESSAGE_BYTES_AT_MOST} bytes and was not sent`
      throw new TelephonyError(CODES.tooLarge, message, { method })
    }
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id), withinMs)
      this.byId.set(id, { method, text, isAsked, wasSent: false, isOnWire: false, timer, resolve, reject })
    })
    return { id, answer }
  }

  /** @param {string} id */
  sent(id) {
    const request = this.byId.get(id)
    if (request) request.wasSent = request.isOnWire = true
  }

  /** The texts that wait for a connection, in their order and as many as it may carry; from now on they count as sent. */
  takeDue() {
    const all = [...this.byId.values()]
    const room = ON_THE_WIRE_AT_MOST - all.filter((request) => request.isOnWire).length
    const due = all.filter((request) => !request.isOnWire).slice(0, Math.max(0, room))
    for (const request of due) request.wasSent = request.isOnWire = true
    return due.map((request) => request.text)
  }

  /**
   * @param {any} message a JSON-RPC answer
   * @returns {boolean} whether somebody waited for it
   */
  settle(message) {
    const request = this.take(message.id)
    if (!request) return false
    if ('error' in message) request.reject(errorFromWire(message.error, request.method))
    else request.resolve(message.result)
    return true
  }

  /** The answer did not come. What was sent may have been done: that is said, not guessed. @param {string} id */
  fail(id) {
    const request = this.take(id)
    if (!request) return
    const { method } = request
    const unknown = `${method} was sent and not answered: it may have been carried out; look at the call before you try again`
    request.reject(
      request.wasSent
        ? new TelephonyError(CODES.unknown, unknown, { method })
        : new TelephonyError(CODES.notConnected, `${method} was not sent: the call tab is not connected`, { method }),
    )
  }

  failAll() {
    for (const id of [...this.byId.keys()]) this.fail(id)
  }

  /** What is kept will be sent on the next connection. @param {{keepUnsent: boolean}} options */
  lineLost({ keepUnsent }) {
    for (const [id, request] of [...this.byId]) {
      request.isOnWire = false
      if (!request.isAsked || (!request.wasSent && !keepUnsent)) this.fail(id)
    }
  }

  /** The gateway does not remember what it was asked: sent again, a command could be carried out twice. */
  failSent() {
    for (const [id, request] of [...this.byId]) if (request.wasSent) this.fail(id)
  }

  /** @private @param {string} id */
  take(id) {
    const request = this.byId.get(id)
    if (!request) return null
    clearTimeout(request.timer)
    this.byId.delete(id)
    return request
  }
}

/** @param {string} text */
function utf8Length(text) {
  return new TextEncoder().encode(text).length
}
