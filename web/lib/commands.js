/* The commands of a tab: how each one's arguments become parameters by name, and the answers that are still awaited. */
import { CODES, TelephonyError, errorFromWire } from './errors.js'

export const ANSWER_WITHIN_MS = 10000
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
  playWaveFile: (filename) => present({ filename }),
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

let numberOfIds = 0
const idOfThisCopy = randomText(8)

/** An id no other page will make: the key by which the gateway knows a command again. */
export function newCommandId() {
  numberOfIds += 1
  return `${idOfThisCopy}-${numberOfIds.toString(36)}`
}

/** @param {number} bytes */
export function randomText(bytes) {
  const random = new Uint8Array(bytes)
  const source = globalThis.crypto
  if (source && source.getRandomValues) source.getRandomValues(random)
  else random.forEach((_, at) => (random[at] = Math.floor(Math.random() * 256))) // Node 18; a name, not a secret
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/* Requests whose answers are awaited. Each ends exactly once: answered, out of time, or failed with the connection. */
export class PendingRequests {
  constructor() {
    /** @private @type {Map<string, {method: string, text: string, isSent: boolean, timer: any,
     *   resolve: (result: any) => void, reject: (error: any) => void}>} */
    this.byId = new Map()
  }

  /**
   * Registers a request; whoever sends its text says so by sent() or takeUnsent(). Throws when it is too large to be sent.
   * @param {string} method
   * @param {Record<string, any>} params
   * @param {number} withinMs
   */
  add(method, params, withinMs) {
    const id = newCommandId()
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    if (utf8Length(text) > MESSAGE_BYTES_AT_MOST) {
      const message = `${method} is larger than ${MESSAGE_BYTES_AT_MOST} bytes and was not sent`
      throw new TelephonyError(CODES.tooLarge, message, { method })
    }
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id), withinMs)
      this.byId.set(id, { method, text, isSent: false, timer, resolve, reject })
    })
    return { id, text, answer }
  }

  /** @param {string} id */
  sent(id) {
    const request = this.byId.get(id)
    if (request) request.isSent = true
  }

  /** The texts that still wait for a connection; from now on they count as sent. */
  takeUnsent() {
    const unsent = [...this.byId.values()].filter((request) => !request.isSent)
    for (const request of unsent) request.isSent = true
    return unsent.map((request) => request.text)
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
    request.reject(
      request.isSent
        ? new TelephonyError(CODES.unknownOutcome, `no answer to ${method}: look at the call before trying again`, { method })
        : new TelephonyError(CODES.notConnected, `${method} was not sent: the call tab is not connected`, { method }),
    )
  }

  /** @param {{keepUnsent?: boolean}} [options] */
  failAll({ keepUnsent = false } = {}) {
    for (const [id, request] of [...this.byId]) if (request.isSent || !keepUnsent) this.fail(id)
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
