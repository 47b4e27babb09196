/* Rules of the checker about the rows alone: each call is a whole story. See checker.mjs. */
import { groupBy } from './group.mjs'

/* What may follow what in the rows of one presentation of a call. */
const FOLLOWS = {
  '': ['queue', 'preview', 'incoming', 'ring'],
  queue: ['incoming', 'idle'],
  preview: ['ring', 'idle'],
  incoming: ['talk', 'idle'],
  ring: ['talk', 'busy', 'no answer', 'error on dial', 'idle'],
  busy: ['idle'],
  'no answer': ['idle'],
  'error on dial': ['idle'],
  talk: ['hold', 'conference', 'idle'],
  hold: ['talk', 'conference', 'idle'],
  conference: ['talk', 'hold', 'idle'],
  idle: ['end', 'talk', 'hold'], // back from a transfer that failed
  end: [],
}
const INSTANT = ['busy', 'no answer', 'error on dial', 'end']
const TRANSIENT_MS = { ring: 30_000, incoming: 30_000, preview: 30_000 }
const SLACK_MS = 1
const WRAP_SLACK_MS = 1500

const names = (events) => events.map((row) => row.event_name)
const times = (row) => row.created_on.getTime()

/* Events come in an order that the state machine can make. */
function story_is_possible({ eventsOfCall }) {
  return [...eventsOfCall].flatMap(([callId, events]) => {
    const at = events.findIndex((row, i) => !FOLLOWS[i ? events[i - 1].event_name : '']?.includes(row.event_name))
    return at < 0 ? [] : [{ callId, at, events: names(events) }]
  })
}

/* One begins where the one before ends: the durations of a call add up to its length. */
function durations_add_up({ eventsOfCall }) {
  return [...eventsOfCall].flatMap(([callId, events]) => {
    const at = events.findIndex((row, i) => {
      const next = events[i + 1]
      return next && (row.duration_ms === null || Math.abs(times(row) + Number(row.duration_ms) - times(next)) > SLACK_MS)
    })
    return at < 0 ? [] : [{ callId, at, event: events[at].event_name, duration: events[at].duration_ms, began: times(events[at]), next: times(events[at + 1]) }]
  })
}

/* What has no length has 0, and an event is only stored once. */
function rows_are_single({ rows }) {
  const wrong = rows.events.filter((row) => INSTANT.includes(row.event_name) && Number(row.duration_ms ?? 1) !== 0)
  const same = [...groupBy(rows.events, (row) => `${row.call_id} ${row.event_name} ${times(row)}`)].filter(([, all]) => all.length > 1)
  return [...wrong.map((row) => ({ callId: row.call_id, event: row.event_name, duration: row.duration_ms })), ...same.map(([what, all]) => ({ what, rows: all.length }))]
}

/* When all is over every call has ended, once: one `end`, and one `idle` more than transfers that came back. A caller who left
 * before anybody was asked has no tab on which he could end. */
function ends_once({ eventsOfCall, isQuiet }) {
  if (!isQuiet) return []
  return [...eventsOfCall].flatMap(([callId, events]) => {
    const told = names(events)
    const count = (name) => told.filter((each) => each === name).length
    const back = told.filter((name, i) => told[i - 1] === 'idle' && name !== 'end').length
    const isWhole = count('end') === 1 && count('idle') === 1 + back
    return isWhole ? [] : [{ callId, events: told }]
  })
}

/* Nothing that passes by itself lasted longer than it may, or lasts still. */
function nothing_is_stuck({ eventsOfCall, isQuiet, awayMs }) {
  return [...eventsOfCall].flatMap(([callId, events]) =>
    events.flatMap((row) => {
      const tooLong = Number(row.duration_ms ?? 0) > (TRANSIENT_MS[row.event_name] ?? Infinity) + awayMs
      const still = isQuiet && row.duration_ms === null
      return tooLong || still ? [{ callId, event: row.event_name, duration: row.duration_ms }] : []
    }))
}

/* Who does not end the wrap himself has exactly its time, also over a restart. */
function wrap_is_kept({ eventsOfCall, wrapMs, awayMs }) {
  if (wrapMs === null) return []
  return [...eventsOfCall].flatMap(([callId, events]) =>
    events.filter((row) => row.event_name === 'idle' && Number(row.duration_ms ?? 0) > Math.max(wrapMs, awayMs) + WRAP_SLACK_MS).map((row) => ({ callId, wrapMs, duration: row.duration_ms })))
}

/* An ended call that was talked has its outcome, and no call has two of the same making. */
function one_result({ rows, eventsOfCall, needsOutcome, isQuiet }) {
  const results = groupBy(rows.results, (row) => row.call_id)
  const twice = [...results].filter(([, all]) => all.length > 1 && new Set(all.map(({ result }) => result)).size < all.length)
  const unknown = [...results.keys()].filter((callId) => !eventsOfCall.has(callId))
  const without = isQuiet && needsOutcome ? [...eventsOfCall].filter(([callId, events]) => names(events).includes('talk') && names(events).includes('end') && !results.has(callId)) : []
  return [
    ...twice.map(([callId, all]) => ({ callId, results: all.map(({ result }) => result) })),
    ...unknown.map((callId) => ({ callId, why: 'a result of no call' })),
    ...without.map(([callId]) => ({ callId, why: 'talked, ended, no result' })),
  ]
}

/* What the dialer call says of itself is what its events say. */
function counters_are_right({ rows, isQuiet }) {
  if (!isQuiet) return []
  const events = groupBy(rows.events, (row) => row.dialer_call_id)
  return rows.calls.flatMap((call) => {
    const told = events.get(call.dialer_call_id) ?? []
    const wasTalked = told.some((row) => row.event_name === 'talk')
    const busies = told.filter((row) => row.event_name === 'busy').length
    const isRight = call.did_connect === wasTalked && call.busies === busies
    return isRight ? [] : [{ dialerCallId: call.dialer_call_id, connected: call.did_connect, wasTalked, busies: call.busies, told: busies }]
  })
}

export const RULES_OF_ROWS = { story_is_possible, durations_add_up, rows_are_single, ends_once, nothing_is_stuck, wrap_is_kept, one_result, counters_are_right }
