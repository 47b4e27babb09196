/* When to come back after a connection was lost, and when not: pure decisions. And the life of a browser's page, which a
 * connection follows. */
import { CODES, TelephonyError } from './errors.js'

/* Close codes of docs/protocol.md. */
export const CLOSE = Object.freeze({
  goingAway: 1001,
  restart: 1012,
  overload: 1013,
  ours: 4000, // we hang up on a connection that lost an event or went silent, and come back
  notSignedIn: 4401,
  notAllowed: 4403,
  replaced: 4409,
  tooMany: 4429,
})

export const BACK_OFF = Object.freeze({ firstMs: 500, longestMs: 30000 })
const HIDDEN_AT_LEAST_MS = 15000
const TOO_MANY_AT_LEAST_MS = 5000
const RETRY_AT_MOST_MS = 300000
const RETRY_SPREAD = 0.25

/**
 * Full jitter: anything between nothing and a ceiling that doubles, so that ten thousand tabs which lost the same gateway do not
 * come back in the same second. A hidden page comes back too (a call may be waiting), only later.
 * @param {{attempt: number, random?: () => number, isHidden?: boolean, backOff?: {firstMs: number, longestMs: number}}} situation
 */
export function backOffMs({ attempt, random = Math.random, isHidden = false, backOff = BACK_OFF }) {
  const ceiling = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(attempt, 20))
  const delay = random() * ceiling
  return isHidden ? Math.max(delay, HIDDEN_AT_LEAST_MS * (1 + random())) : delay
}

/**
 * What to do after a close.
 * @param {{code: number, reason?: string, attempt: number, ticketsRefused: number, random?: () => number, isHidden?: boolean,
 *   backOff?: {firstMs: number, longestMs: number}}} close
 * @returns {{stop: TelephonyError} | {delayMs: number}}
 */
export function planAfterClose(close) {
  const { code, reason = '', ticketsRefused, random = Math.random } = close
  switch (code) {
    case CLOSE.notSignedIn:
      if (ticketsRefused > 1) return { stop: new TelephonyError(CODES.sessionEnded, 'the session has ended: sign in again') }
      return { delayMs: 0 }
    case CLOSE.notAllowed:
      return { stop: new TelephonyError(CODES.notAllowed, 'this agent may not use this tab', { target: 'tab' }) }
    case CLOSE.replaced:
      return { stop: new TelephonyError(CODES.replaced, 'this call tab was connected elsewhere') }
    case CLOSE.restart: {
      const askedMs = retryOf(reason)
      return { delayMs: askedMs === null ? backOffMs(close) : askedMs * (1 + RETRY_SPREAD * random()) }
    }
    case CLOSE.overload: // not before what is asked for, and then as after any loss: later each time, while it lasts
      return { delayMs: (retryOf(reason) ?? 0) + backOffMs(close) }
    case CLOSE.tooMany:
      return { delayMs: Math.max(backOffMs(close), TOO_MANY_AT_LEAST_MS) }
    default:
      return { delayMs: backOffMs(close) }
  }
}

/** What a refused ticket says of Retry-After, as `retryAfterMs`, or 0. @param {any} thrown */
export function askedPatienceMs(thrown) {
  const askedMs = thrown ? Number(thrown.retryAfterMs) : 0
  return askedMs > 0 ? Math.min(askedMs, RETRY_AT_MOST_MS) : 0
}

/** The number of `retry=<ms>`, or null. @param {string} reason */
function retryOf(reason) {
  const found = /(?:^|[ ;,])retry=(\d{1,9})/.exec(reason)
  return found ? Math.min(Number(found[1]), RETRY_AT_MOST_MS) : null
}

/**
 * @typedef {{isHidden: () => boolean, watch: (on: {leave: () => void, comeBack: () => void, wake: () => void}) => () => void}} Page
 * A page's life: `leave` when it goes away, `comeBack` when the browser brings it back from its cache, `wake` when it becomes
 * visible or the network is back. watch() returns the way to stop watching.
 */

/** The page this script runs in; in Node one that is always visible. @returns {Page} */
export function thisPage() {
  const { document: doc, window: win } = globalThis
  if (!doc || !win) return { isHidden: () => false, watch: () => () => {} }
  return {
    isHidden: () => doc.visibilityState === 'hidden',
    watch({ leave, comeBack, wake }) {
      const onShow = (/** @type {PageTransitionEvent} */ event) => event.persisted && comeBack()
      const onVisible = () => doc.visibilityState === 'visible' && wake()
      win.addEventListener('pagehide', leave)
      win.addEventListener('pageshow', onShow)
      win.addEventListener('online', wake)
      doc.addEventListener('visibilitychange', onVisible)
      return () => {
        win.removeEventListener('pagehide', leave)
        win.removeEventListener('pageshow', onShow)
        win.removeEventListener('online', wake)
        doc.removeEventListener('visibilitychange', onVisible)
      }
    },
  }
}
