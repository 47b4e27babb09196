/* The one error of the library. It has the same three words as an error of the gateway on the wire and over HTTP, so that a
 * program can act on `code`, a form can mark `target` and a person can read `message`. */

/* What the library itself says; every other code comes from the gateway (docs/protocol.md). Codes are forever. */
export const CODES = Object.freeze({
  notConnected: 'client.not_connected', // nothing was sent
  badOptions: 'client.bad_options',
  otherTab: 'client.other_tab', // this page already carries another tab
  tooLarge: 'command.too_large', // nothing was sent
  unknown: 'command.unknown', // it was sent, and nobody knows whether it was carried out: look at the call
  ticketFailed: 'ticket.failed', // getTicket refused; it will be asked again
  sessionEnded: 'session.ended', // sign in again; nothing is tried any more
  notAllowed: 'tab.not_allowed',
  replaced: 'connection.replaced', // the same client connected elsewhere
  badMessage: 'protocol.bad_message',
  badEvent: 'event.malformed', // parseEventArgs was given something else
  handlerThrew: 'handler.threw',
  noCallTab: 'frame.no_call_tab', // no page above this frame is a call tab
  frameRefused: 'frame.refused', // a frame of an origin that is not listed
})

export class TelephonyError extends Error {
  /**
   * @param {string} code a stable word such as `tab.not_active`
   * @param {string} message one sentence for people
   * @param {{target?: string, method?: string, cause?: unknown}} [more]
   */
  constructor(code, message, { target = '', method = '', cause } = {}) {
    super(message)
    this.name = 'TelephonyError'
    this.code = code
    /** the parameter or condition it is about, or '' */
    this.target = target
    /** the command it answers, or '' */
    this.method = method
    if (cause !== undefined) this.cause = cause
  }
}

/**
 * The error object of a JSON-RPC answer as a TelephonyError.
 * @param {any} error
 * @param {string} [method]
 */
export function errorFromWire(error, method = '') {
  const data = (error && error.data) || {}
  const code = typeof data.code === 'string' && data.code ? data.code : 'internal'
  const message = error && typeof error.message === 'string' ? error.message : 'the gateway refused without a reason'
  return new TelephonyError(code, message, { target: typeof data.target === 'string' ? data.target : '', method })
}

/**
 * Anything that was thrown, as a TelephonyError.
 * @param {any} thrown
 * @param {string} code used when it is not one already
 */
export function asTelephonyError(thrown, code) {
  if (thrown instanceof TelephonyError) return thrown
  const message = thrown && thrown.message ? String(thrown.message) : String(thrown)
  return new TelephonyError(code, message, { cause: thrown })
}

/**
 * Marks a promise as looked after: who ignores the answer of a command gets no "unhandled rejection" in the console.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function safeToIgnore(promise) {
  promise.catch(() => {})
  return promise
}
