/* Rules of the checker about what tabs saw, alone and against the rows. See checker.mjs. */
import { groupBy } from './group.mjs'

/* What a tab calls the state to which a row belongs; what has no length is no state but `end`. */
const STATE_OF = { preview: 'preview', incoming: 'incoming', ring: 'ringing', talk: 'talk', hold: 'talk', conference: 'talk', idle: 'idle', end: 'end' }

const streamOf = ({ agent, tab, epoch }) => `${agent}/${tab}/${epoch}`
const seenEvents = (tabs) => tabs.filter(({ kind }) => kind === 'event')

/* Each client sees 1, 2, 3 …: after an attach exactly what follows the number from which it goes on. */
function stream_is_dense({ tabs }) {
  return [...groupBy(tabs.filter(({ kind }) => kind === 'event' || kind === 'attach'), ({ client }) => client)].flatMap(([client, entries]) => {
    let expected = null // {epoch, seq}
    return entries.flatMap((entry) => {
      if (entry.kind === 'attach') {
        const goesOn = entry.resumed && expected
        if (!goesOn) expected = { epoch: entry.epoch, seq: entry.seq + 1 }
        return goesOn && entry.epoch !== expected.epoch ? [{ client, what: 'resumed in another epoch', epoch: entry.epoch }] : []
      }
      const before = expected
      expected = { epoch: entry.epoch, seq: entry.seq + 1 }
      if (before && before.epoch === entry.epoch && before.seq === entry.seq) return []
      return [{ client, expected: before, epoch: entry.epoch, seq: entry.seq }]
    })
  })
}

/* What a tab has seen was stable: whoever comes back is not told of less in the same epoch. */
function nothing_is_unsaid({ tabs }) {
  return tabs
    .filter(({ kind, from, epoch, seq }) => kind === 'attach' && from && from.epoch === epoch && seq < from.seq)
    .map(({ client, from, seq }) => ({ client, had: from.seq, is: seq }))
}

/* When all is over everybody who resumed has got what there was up to the number he was told. */
function resume_is_whole({ tabs, isQuiet }) {
  if (!isQuiet) return []
  return [...groupBy(tabs.filter(({ kind }) => ['event', 'attach', 'closed'].includes(kind)), ({ client }) => client)].flatMap(([client, entries]) => {
    const last = entries.map(({ kind }) => kind).lastIndexOf('attach')
    const attach = entries[last]
    const wasCutAgain = entries.slice(last).some(({ kind }) => kind === 'closed')
    if (!attach?.resumed || wasCutAgain || attach.from.seq >= attach.seq) return []
    return entries.slice(last).some(({ kind, seq }) => kind === 'event' && seq >= attach.seq) ? [] : [{ client, promised: attach.seq, from: attach.from.seq }]
  })
}

/* One number of a tab is one event, whoever saw it and however often the gateway was restarted. */
function number_means_one_event({ tabs }) {
  return [...groupBy(seenEvents(tabs), (entry) => `${streamOf(entry)}/${entry.seq}`)].flatMap(([what, all]) => {
    const meanings = new Set(all.map(({ method, call }) => `${method} ${call?.callId} ${call?.version}`))
    return meanings.size > 1 ? [{ what, meanings: [...meanings] }] : []
  })
}

/* Events of state of one call, each once, in the order of their versions. */
function statesSeen(tabs) {
  const states = groupBy(seenEvents(tabs).filter(({ method, call }) => method === 'state' && call), ({ call }) => call.callId)
  return new Map([...states].map(([callId, all]) => {
    const once = new Map(all.map((entry) => [`${streamOf(entry)}/${entry.seq}`, entry]))
    return [callId, [...once.values()].sort((a, b) => a.call.version - b.call.version)]
  }))
}

/* The states that the rows of a call amount to: two rows of the same state in a row are one. */
function statesStored(events) {
  const states = events.map((row) => ({ row, state: STATE_OF[row.event_name] })).filter(({ state }) => state)
  return states.filter(({ state }, i) => i === 0 || states[i - 1].state !== state)
}

/* Seen implies stored: what a tab saw of a call, in this order, is in the rows. */
function seen_is_stored({ tabs, eventsOfCall }) {
  return [...statesSeen(tabs)].flatMap(([callId, seen]) => {
    const stored = statesStored(eventsOfCall.get(callId) ?? []).map(({ state }) => state)
    let at = 0
    for (const { call } of seen) {
      at = stored.indexOf(call.state, at) + 1
      if (at === 0) return [{ callId, seen: seen.map((entry) => entry.call.state), stored }]
    }
    return []
  })
}

/* And stored is seen, on tabs of which somebody has an unbroken record: no attach but the first had to start anew. */
function stored_is_seen({ tabs, eventsOfCall, isQuiet }) {
  if (!isQuiet) return []
  const entriesOfTab = groupBy(tabs.filter(({ kind }) => kind === 'attach' || kind === 'event'), ({ agent, tab }) => `${agent}/${tab}`)
  const unbroken = new Set([...entriesOfTab].filter(([, entries]) => hasUnbrokenClient(entries)).map(([name]) => name))
  return [...statesSeen(tabs)].flatMap(([callId, seen]) => {
    const { agent, tab } = seen[0]
    if (!unbroken.has(`${agent}/${tab}`)) return []
    const stored = statesStored(eventsOfCall.get(callId) ?? []).map(({ state }) => state)
    const told = seen.map(({ call }) => call.state)
    return stored.join() === told.join() ? [] : [{ callId, seen: told, stored }]
  })
}

function hasUnbrokenClient(entries) {
  return [...groupBy(entries, ({ client }) => client).values()].some((own) => {
    const attaches = own.filter(({ kind }) => kind === 'attach')
    const isFromTheBeginning = attaches[0]?.call === null
    return isFromTheBeginning && attaches.slice(1).every(({ resumed }) => resumed)
  })
}

/* The row and the telling say the same: who, why, and the switch's number. */
function same_words({ tabs, eventsOfCall }) {
  return [...statesSeen(tabs)].flatMap(([callId, seen]) => {
    const stored = statesStored(eventsOfCall.get(callId) ?? [])
    if (stored.length !== seen.length) return [] // another rule's
    return seen.flatMap(({ call }, i) => {
      const { row, state } = stored[i]
      const isSame = state === call.state && row.actor === call.actor && row.reason === call.reason && Number(row.cause) === Number(call.cause ?? 0)
      return isSame ? [] : [{ callId, state: call.state, told: [call.actor, call.reason, call.cause], row: [row.actor, row.reason, row.cause] }]
    })
  })
}

/* The same command id has the same answer. "Not now, nothing has changed" is none: it may be asked again. */
function same_answer({ answers }) {
  const final = answers.filter(({ error }) => error?.number !== -32012)
  return [...groupBy(final, ({ agent, tab, id }) => `${agent}/${tab}/${id}`)].flatMap(([command, all]) => {
    const different = new Set(all.map(({ result, error }) => JSON.stringify([result ?? null, error?.code ?? null])))
    return different.size > 1 ? [{ command, answers: [...different] }] : []
  })
}

/* Whoever was told that his call was made has it: in the rows, and once at the switch when it was talked. */
function answer_is_kept({ answers, sent, eventsOfCall, originatesOfCall, ledger }) {
  const dials = new Set(sent.filter(({ method }) => method === 'dial').map(({ agent, tab, id }) => `${agent}/${tab}/${id}`))
  return answers
    .filter(({ agent, tab, id, result }) => result?.callId && dials.has(`${agent}/${tab}/${id}`))
    .filter(({ result: { callId } }) => {
      const events = eventsOfCall.get(callId)
      const wasTalked = events?.some((row) => row.event_name === 'talk')
      return !events || (wasTalked && ledger.length && originatesOfCall.get(callId)?.length !== 1)
    })
    .map(({ id, result }) => ({ command: id, callId: result.callId, rows: eventsOfCall.get(result.callId)?.length ?? 0, originates: originatesOfCall.get(result.callId)?.length ?? 0 }))
}

/* To end a call can be asked for any number of times, so nobody is told that it is not known whether it was done; unless the
 * call was lost meanwhile. */
function release_is_sure({ sent, answers, eventsOfCall, tabs }) {
  const releases = new Set(sent.filter(({ method }) => ['release', 'reject'].includes(method)).map(({ agent, tab, id }) => `${agent}/${tab}/${id}`))
  const wasLost = (agent) => seenEvents(tabs).some((entry) => entry.agent === agent && eventsOfCall.get(entry.call?.callId)?.some((row) => row.reason === 'lost'))
  return answers
    .filter(({ agent, tab, id, error }) => error?.code === 'command.unknown' && releases.has(`${agent}/${tab}/${id}`) && !wasLost(agent))
    .map(({ agent, id }) => ({ agent, command: id }))
}

/* Nobody who is ready, away or not ready becomes somebody who has just come, unless he asks for it. */
function agent_is_kept({ tabs }) {
  return [...groupBy(tabs.filter(({ kind, method }) => kind === 'agent' || (kind === 'sent' && method.startsWith('agent'))), ({ client }) => client)].flatMap(([client, entries]) =>
    entries.flatMap((entry, i) => {
      const before = entries[i - 1]
      const isLost = ['LoggedIn', 'LoggedOut'].includes(entry.state) && before?.kind === 'agent' && ['Ready', 'Away', 'NotReady'].includes(before.state)
      return isLost ? [{ client, was: before.state, is: entry.state }] : []
    }))
}

export const RULES_OF_TABS = { stream_is_dense, nothing_is_unsaid, resume_is_whole, number_means_one_event, seen_is_stored, stored_is_seen, same_words, same_answer, answer_is_kept, release_is_sure, agent_is_kept }

/* The streams alone, for runs that have no ledger. */
export function judgeStreams(tabs) {
  return Object.entries({ stream_is_dense, resume_is_whole, number_means_one_event }).flatMap(([rule, judge]) => judge({ tabs, isQuiet: true }).map((finding) => ({ rule, ...finding })))
}
