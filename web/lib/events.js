/* What a call looks like to a script, and who is told about it.
 *
 * A call is kept as text and parsed anew for everybody who asks, so no handler can change what the next one sees, and
 * GetCallDetails() and the event of the same state cannot differ. */
import { CODES, TelephonyError, asTelephonyError } from './errors.js'

/* The 18 properties of the published contract, in its order, each with the form it promises. */
/** @type {Record<string, (value: any) => any>} */
const CONTRACT = {
  state: asText,
  stateTime: asContractTime,
  type: () => 'phonecall',
  id: asTextOrNull,
  direction: asText,
  phone: asText,
  outcome: asText,
  fromType: asText,
  fromId: asTextOrNull,
  toType: asText,
  toId: asTextOrNull,
  dtCallId: asTextOrNull,
  isCallback: (value) => value === true || value === 'true',
  retryDatetime: asContractTime,
  dnis: asText,
  queueDn: asText,
  agentId: asText,
  extension: asText,
}

const KNOWN = new Set(Object.keys(CONTRACT))

const WRAPPINGS_AT_MOST = 4

/** @param {any} value */
function asText(value) {
  return value === undefined || value === null ? '' : String(value)
}

/** @param {any} value */
function asTextOrNull(value) {
  return value === undefined || value === null || value === '' ? null : String(value)
}

/** `YYYY-MM-DDTHH:MM:SSZ`, or null. @param {any} value */
function asContractTime(value) {
  if (value === undefined || value === null || value === '') return null
  const at = new Date(value)
  return Number.isNaN(at.getTime()) ? null : `${at.toISOString().slice(0, 19)}Z`
}

/**
 * The call with all 18 properties in the contract's forms; what the contract does not know stays as it came.
 * @param {any} raw
 */
export function normaliseCall(raw) {
  const promised = Object.keys(CONTRACT).map((name) => [name, CONTRACT[name](raw[name])])
  const others = Object.keys(raw).filter((name) => !KNOWN.has(name))
  return Object.fromEntries([...promised, ...others.map((name) => [name, raw[name]])])
}

/**
 * What a handler of RegisterForEvents is called with. `dtEventArgs` is the call as text.
 * @param {string} callText
 */
export function eventOf(callText) {
  return Object.freeze({ dtEventArgs: callText })
}

/**
 * The call of an event, of its `dtEventArgs`, or of a raw string: the text of a call, of an event, or of a notification as it
 * came over the wire.
 * @param {any} e
 */
export function parseEventArgs(e) {
  let value = e
  for (let depth = 0; depth < WRAPPINGS_AT_MOST; depth++) {
    if (typeof value === 'string') value = parseText(value)
    else if (isObject(value) && 'dtEventArgs' in value) value = value.dtEventArgs
    else if (isObject(value) && isObject(value.params)) value = value.params.call
    else break
  }
  if (!isObject(value) || typeof value.state !== 'string')
    throw new TelephonyError(CODES.badEvent, 'parseEventArgs needs an event of this library, or its text')
  return normaliseCall(value)
}

/** @param {any} value */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @param {string} text */
function parseText(text) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TelephonyError(CODES.badEvent, 'parseEventArgs was given a text that is not JSON', { cause })
  }
}

/* Handlers by the name of what they wait for. One that throws is reported and stops no other. */
export class Handlers {
  constructor() {
    /** @private @type {Map<string, Set<(detail: any) => void>>} */
    this.byName = new Map()
  }

  /**
   * The same function twice is one handler. Returns the way to take it off again.
   * @param {string} name
   * @param {(detail: any) => void} handler
   */
  add(name, handler) {
    if (typeof handler !== 'function') throw new TypeError(`a handler of "${name}" must be a function`)
    const set = this.byName.get(name) || new Set()
    this.byName.set(name, set.add(handler))
    return () => this.remove(name, handler)
  }

  /** @param {string} name @param {(detail: any) => void} handler */
  remove(name, handler) {
    const set = this.byName.get(name)
    if (set) set.delete(handler)
  }

  /** @param {string} name @param {(detail: any) => void} handler */
  has(name, handler) {
    const set = this.byName.get(name)
    return !!set && set.has(handler)
  }

  /**
   * Calls every handler that was there when it happened and has not been taken off meanwhile, each with a detail of its own.
   * @param {string} name
   * @param {() => any} makeDetail
   */
  tell(name, makeDetail) {
    for (const handler of [...(this.byName.get(name) || [])])
      if (this.has(name, handler)) this.tellOne(handler, makeDetail())
  }

  /** @param {(detail: any) => void} handler @param {any} detail */
  tellOne(handler, detail) {
    try {
      handler(detail)
    } catch (thrown) {
      this.report(thrown)
    }
  }

  /** An error nobody asked for: to the `error` handlers, else to the console. @param {any} thrown */
  report(thrown) {
    const error = asTelephonyError(thrown, CODES.handlerThrew)
    const listeners = [...(this.byName.get('error') || [])]
    if (!listeners.length) console.warn(...linesFor(error))
    for (const listener of listeners) {
      try {
        listener(error)
      } catch (again) {
        console.error('calltab: an error handler threw', again)
      }
    }
  }
}

/** @param {TelephonyError & {cause?: unknown}} error */
function linesFor(error) {
  const line = `calltab: ${error.method ? `${error.method}: ` : ''}${error.message} (${error.code})`
  return error.cause ? [line, error.cause] : [line]
}
