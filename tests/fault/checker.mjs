/* Judges a run by its three sides: the switch's ledger (what really happened), what tabs saw, and the rows in PostgreSQL.
 *
 *   const findings = check(await world.logs(), { isQuiet: true })     // [] when every promise was kept
 *
 * Each rule is a pure function from the logs to findings {rule, …}; checker.test.mjs plants a violation of each. Logs:
 *   ledger  lines of switch.mjs       tabs  entries of TabLog       rows  {calls, events, results}, events in their order
 *   live    channels at the switch when it was over
 * Options: node, the gateway's name; isQuiet: everything was over when the rows were read; presented: {number: how often it
 * was given to POST /present}; needsOutcome: every call that was talked has one; foreign: channels that were nobody's of ours;
 * settleMs: until the end of a far end is in the rows; awayMs: how long the gateway or its switch were away at most; wrapMs:
 * how long idle lasts when nobody ends it; isStaffed: whenever somebody called an agent was ready and had a window. */
import { RULES_OF_ROWS } from './checker_rows.mjs'
import { RULES_OF_TABS } from './checker_tabs.mjs'
import { groupBy } from './group.mjs'

const SHOWN = 20

export function check(logs, options = {}) {
  const index = makeIndex(logs, options)
  return Object.entries(RULES).flatMap(([rule, judge]) => judge(index).map((finding) => ({ rule, ...finding })))
}

/* A text for an assertion's message. */
export function describe(findings) {
  const shown = findings.slice(0, SHOWN).map((finding) => JSON.stringify(finding))
  return [`${findings.length} violations`, ...shown, ...(findings.length > SHOWN ? ['…'] : [])].join('\n')
}

/* What several rules need. */
function makeIndex({ ledger = [], tabs = [], rows, live = [] }, options) {
  const settings = { node: 'lab', isQuiet: false, presented: {}, needsOutcome: false, foreign: [], settleMs: 5000, awayMs: 0, wrapMs: null, isStaffed: false, ...options }
  const prefix = `${settings.node}-c-`
  const originates = ledger.filter((line) => line.kind === 'effect' && line.effect === 'originate' && line.isTrunk)
  return {
    ...settings, ledger, tabs, rows, live, originates,
    callIdOf: (channel) => (channel.startsWith(prefix) ? channel.slice(prefix.length) : null),
    eventsOfCall: groupBy(rows.events, (row) => row.call_id),
    originatesOfCall: groupBy(originates, (line) => (line.channel.startsWith(prefix) ? line.channel.slice(prefix.length) : null)),
    ledgerOf: groupBy(ledger, (line) => line.channel),
    sent: tabs.filter((entry) => entry.kind === 'sent'),
    answers: tabs.filter((entry) => entry.kind === 'answer'),
  }
}

/* --- the switch against the rest --- */

/* Nothing is done at the switch that nobody asked for: the call of each far leg is in the rows, the target of each transfer in
 * a command. */
function effect_belongs({ originates, callIdOf, eventsOfCall, sent }) {
  const targets = new Set(sent.filter(({ method }) => method.startsWith('transfer')).map(({ params }) => params.number))
  return originates
    .filter(({ channel, party }) => (callIdOf(channel) ? !eventsOfCall.has(callIdOf(channel)) : !targets.has(party)))
    .map(({ channel, party }) => ({ channel, party }))
}

/* A number is dialed at most as often as somebody asked for it under another id; a leg's id is used once, ever. */
function effect_once({ originates, sent, presented }) {
  const asked = new Map(Object.entries(presented))
  const dials = groupBy(sent.filter(({ params }) => params?.number), ({ params }) => params.number)
  for (const [number, tries] of dials) asked.set(number, (asked.get(number) ?? 0) + new Set(tries.map(({ agent, tab, id }) => `${agent}/${tab}/${id}`)).size)
  const tooOften = [...groupBy(originates, ({ party }) => party)].filter(([party, all]) => all.length > (asked.get(party) ?? 0))
  const twice = [...groupBy(originates, ({ channel }) => channel)].filter(([, all]) => all.length > 1)
  return [
    ...tooOften.map(([party, all]) => ({ party, asked: asked.get(party) ?? 0, dialed: all.length, channels: all.map(({ channel }) => channel) })),
    ...twice.map(([channel, all]) => ({ channel, dialed: all.length })),
  ]
}

/* Digits are heard at most as often as somebody asked for them under another id. */
function digits_once({ ledger, sent }) {
  const asked = groupBy(sent.filter(({ method }) => method === 'sendDTMF'), ({ params }) => params.digits)
  const heard = groupBy(ledger.filter(({ kind, effect }) => kind === 'effect' && effect === 'digits'), ({ digits }) => digits)
  return [...heard].flatMap(([digits, all]) => {
    const ids = new Set((asked.get(digits) ?? []).map(({ agent, tab, id }) => `${agent}/${tab}/${id}`))
    return all.length > ids.size ? [{ digits, asked: ids.size, heard: all.length }] : []
  })
}

/* Every call of the ledger is in the rows exactly once: the far legs that were made, and the callers that were taken in. */
function call_is_stored({ originates, ledger, callIdOf, rows, eventsOfCall }) {
  const stored = groupBy(rows.calls, (row) => row.phone_number)
  const dialerCalls = new Map(rows.calls.map((row) => [row.dialer_call_id, row]))
  const missing = originates.map(({ channel }) => callIdOf(channel)).filter((id) => id && !eventsOfCall.get(id)?.some((row) => dialerCalls.has(row.dialer_call_id)))
  const taken = [...new Set(ledger.filter(({ kind }) => kind === 'ring_asked').map(({ party }) => party))]
  const callers = taken.filter((party) => (stored.get(party) ?? []).length !== 1)
  return [...missing.map((callId) => ({ callId })), ...callers.map((party) => ({ party, rows: (stored.get(party) ?? []).length }))]
}

/* A row says "talk" only when the far end had answered, and not before. */
function talk_is_real({ originatesOfCall, ledgerOf, eventsOfCall }) {
  return [...originatesOfCall].flatMap(([callId, [{ channel }]]) => {
    const talk = (eventsOfCall.get(callId) ?? []).find((row) => row.event_name === 'talk')
    if (!talk) return []
    const answered = ledgerOf.get(channel).find(({ kind }) => kind === 'answer')
    return !answered || talk.created_on.getTime() < Math.floor(answered.at) - 2 ? [{ callId, answered: answered?.at ?? null, talk: talk.created_on.getTime() }] : []
  })
}

/* A call whose far end is gone is idle soon, also when nobody could be told at that time. */
function end_is_noticed({ originatesOfCall, ledgerOf, eventsOfCall, settleMs, awayMs }) {
  return [...originatesOfCall].flatMap(([callId, [{ channel }]]) => {
    const gone = ledgerOf.get(channel).find(({ kind }) => kind === 'hangup')
    const events = eventsOfCall.get(callId) ?? []
    if (!gone || events.length === 0) return []
    const idle = events.find((row) => row.event_name === 'idle')
    const late = idle ? idle.created_on.getTime() - gone.at : null
    return late === null || late > settleMs + awayMs ? [{ callId, late }] : []
  })
}

/* Whoever calls while somebody is there for him is offered to him. */
function caller_is_offered({ isStaffed, ledger, rows }) {
  if (!isStaffed) return []
  const offered = new Set(rows.events.filter((row) => row.event_name === 'incoming').map((row) => row.phone_number))
  return ledger.filter(({ kind, party }) => kind === 'ring_asked' && !offered.has(party)).map(({ party }) => ({ party }))
}

/* When all is over nothing of ours is up. */
function nothing_is_left({ live, node, isQuiet, foreign }) {
  if (!isQuiet) return []
  return live.filter(({ id, isInbound, isEnding }) => (id.startsWith(`${node}-`) || isInbound) && !isEnding && !foreign.includes(id)).map(({ id, party, state }) => ({ channel: id, party, state }))
}

function foreign_is_untouched({ ledger, foreign }) {
  const touched = ['hangup_asked', 'join', 'leave', 'mute', 'ring_asked']
  return ledger.filter(({ kind, channel }) => touched.includes(kind) && foreign.includes(channel)).map(({ kind, channel }) => ({ kind, channel }))
}

export const RULES = {
  effect_belongs, effect_once, digits_once, call_is_stored, talk_is_real, end_is_noticed, caller_is_offered, nothing_is_left, foreign_is_untouched,
  ...RULES_OF_ROWS, ...RULES_OF_TABS,
}
