/* A call in words for people: pure functions of the call object. */

export const AGENT_WORDS = { LoggedOut: 'Signed out', LoggedIn: 'Signed in', Ready: 'Ready', Away: 'Away', NotReady: 'Not ready' }

export const PHASE_WORDS = {
  free: 'Free',
  preview: 'Preview',
  incoming: 'Incoming call',
  ringing: 'Ringing',
  talk: 'Talking',
  held: 'On hold',
  wrap: 'Wrap-up',
}

const DIRECTION_WORDS = {
  inbound: 'Inbound',
  outbound: 'Outbound',
  clicktocall: 'Click to call',
  transfer: 'Consultation',
  ccOutbound: 'Dialer',
}
const ENDED_WORDS = { agent: 'by you', customer: 'by the other side', system: 'by the system', switch: 'by the network' }
const RECORDING_WORDS = { off: '', on: 'On', paused: 'Paused: silence is recorded' }
const RESULT_WORDS = {
  noanswer: 'No answer', busy: 'Busy', error: 'Could not be dialed', cancelled: 'Cancelled', rejected: 'Skipped', deflected: 'Rejected',
  missed: 'Missed',
}

/** What a person sees of a tab's call: its state, with held and free apart. */
export function phaseOf(call) {
  if (!call || call.state === 'end') return 'free'
  if (call.state === 'idle') return 'wrap'
  return call.state === 'talk' && call.held ? 'held' : call.state
}

/** Whether the gateway would accept a command on this tab now. */
export function mayOf({ call, connection }) {
  return (name) => connection.state === 'connected' && call.can.includes(name)
}

/** The other party: who calls us, or whom we call. */
export function nameOf(call) {
  const name = call.direction === 'inbound' ? call.fromName : call.toName
  return name || call.phone || 'Unknown number'
}

export const whoOf = nameOf

export function aboutOf(call) {
  return [DIRECTION_WORDS[call.direction], call.campaign].filter(Boolean).join(' · ')
}

export function iconOf(call) {
  return call.state === 'idle' ? 'hangup' : 'phone'
}

/** [name, value] of what is worth knowing now. */
export function factsOf(call) {
  const isOver = call.state === 'idle'
  const result = RESULT_WORDS[call.result]
  return [
    ['Queue', call.queue],
    ['Called number', call.dnis],
    ['Attempt', call.attempt > 1 || call.attempts > 0 ? `${call.attempt}${call.attempts ? ` of ${call.attempts}` : ''}` : ''],
    ['Callback', call.isCallback ? callbackOf(call) : ''],
    ['Recording', RECORDING_WORDS[call.recording] ?? ''],
    ['Ended', isOver ? [result, ENDED_WORDS[call.endedBy]].filter(Boolean).join(', ') : ''],
    ['Outcome', isOver ? call.outcome : ''],
  ].filter(([, value]) => value)
}

function callbackOf(call) {
  return call.retryDatetime ? new Date(call.retryDatetime).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }) : 'as agreed'
}

/** 0:07, 12:34, 1:02:03 */
export function durationOf(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (number) => String(number).padStart(2, '0')
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** The time that matters: what is left of a timer, else how long the state lasts. */
export function clockOf(call, now) {
  const until = call.previewUntil ?? call.wrapUntil ?? call.ringUntil
  if (until) return durationOf(Date.parse(until) - now + 999)
  return call.paused ? 'paused' : durationOf(now - Date.parse(call.stateTime))
}

export function timeOf(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
}

/* --- the history --- */

/** A call as the history keeps it, from what it was before and what is known now. */
export function pastOf(call, before) {
  const at = Date.parse(call.stateTime)
  const past = before ?? { callId: call.callId, startedAt: at, talkAt: null, talkMs: null }
  const isTalk = call.state === 'talk'
  const talkAt = past.talkAt ?? (isTalk ? at : null)
  return {
    ...past,
    talkAt,
    talkMs: past.talkMs ?? (call.state === 'idle' && talkAt !== null ? at - talkAt : null),
    phone: call.phone,
    name: nameOf(call) === call.phone || !call.phone ? '' : nameOf(call),
    direction: call.direction,
    outcome: call.outcome,
    result: call.result,
    isOver: call.state === 'idle' || call.state === 'end',
  }
}

export function iconOfPast({ direction, result }) {
  if (result === 'missed' || result === 'deflected') return 'missed'
  return direction === 'inbound' ? 'in' : 'out'
}

export function resultOfPast({ outcome, result, isOver }) {
  if (!isOver) return 'now'
  return outcome || RESULT_WORDS[result] || ''
}
