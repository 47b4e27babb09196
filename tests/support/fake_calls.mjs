/* The calls of the fake gateway: agents, their tabs and what commands do to them, as far as a page can see it. Nothing happens by
 * itself; the far end and the clock are moved by the test. The rules are docs/protocol.md's; the real ones are in calls/. */
import { randomUUID } from 'node:crypto'

const TABS_AT_MOST = 16
const LOG_AT_MOST = 64
const PREVIEW_MS = 15_000
const RING_MS = 22_000
const WRAP_MS = 30_000
const DIRECTIONS = new Set(['outbound', 'clicktocall'])
const AGENT_STATES = new Set(['LoggedIn', 'Ready', 'Away', 'NotReady'])
export const OUTCOMES = ['Sale', 'Call back', 'Not interested', 'Wrong number', 'No Answer', 'Voice Mail', 'None']
const SOUNDS = new Set(['greeting.wav'])

/* An error of docs/protocol.md; number follows from the code. */
export class Refusal extends Error {
  constructor(code, message, target = '') {
    super(message)
    this.code = code
    this.target = target
  }

  get number() {
    if (/^protocol\.unknown_method$/.test(this.code)) return -32601
    if (/^protocol\./.test(this.code)) return -32600
    if (/^(switch|storage)\./.test(this.code)) return -32012
    if (/^(number\.denied|tab\.foreign)$/.test(this.code)) return -32011
    if (/^(call|tab|agent)\./.test(this.code)) return -32010
    return -32602
  }
}

export class FakeAgent {
  constructor({ login, password, name, extension }, hear) {
    Object.assign(this, { login, password, name, extension, hear })
    this.agentId = randomUUID()
    this.state = this.nextState = 'LoggedIn'
    this.reason = ''
    this.stateTime = contractTime(Date.now())
    this.tabs = new Map()
    this.epoch = Date.now()
  }

  view() {
    const { agentId, login, name, extension, state, nextState, reason, stateTime } = this
    return { agentId, login, name, extension, state, nextState, reason, stateTime, phoneReachable: true, audio: 'desk', audioWindow: '', audioUp: false }
  }

  tab(number) {
    if (!Number.isInteger(number) || number < 1 || number > TABS_AT_MOST)
      throw new Refusal('json.out_of_range', `tab must be 1 to ${TABS_AT_MOST}`, 'tab')
    if (!this.tabs.has(number)) {
      this.tabs.set(number, new FakeTab(this, number))
      this.hear.tabs(this)
    }
    return this.tabs.get(number)
  }

  tabNumbers() {
    return [...this.tabs.keys()].sort((a, b) => a - b)
  }

  freeTab() {
    const free = this.tabNumbers().find((number) => this.tabs.get(number).isFree())
    return this.tab(free ?? this.tabs.size + 1)
  }

  setState(state, reason = '') {
    if (!AGENT_STATES.has(state)) throw new Refusal('agent.state_invalid', `there is no agent state "${state}"`, 'state')
    Object.assign(this, { nextState: state, reason, stateTime: contractTime(Date.now()) })
    const isBusy = [...this.tabs.values()].some((tab) => tab.isLive())
    if (!isBusy) this.state = state
    this.hear.agent(this)
  }

  /* A change of one tab may change what the others allow, and ends a wait for the next agent state. */
  changed() {
    for (const tab of this.tabs.values()) tab.tellIfOtherwise()
    if (this.state !== this.nextState) this.setState(this.nextState, this.reason)
  }
}

export class FakeTab {
  constructor(agent, number) {
    this.agent = agent
    this.number = number
    this.call = null
    this.seq = 0
    this.log = [] // {method, params}, numbered without holes
  }

  isFree() {
    return !this.call || this.call.state === 'end'
  }

  isLive() {
    return !!this.call && ['incoming', 'ringing', 'talk'].includes(this.call.state)
  }

  isActive() {
    return !!this.call && this.call.state === 'talk' && !this.call.held
  }

  isHeld() {
    return !!this.call && this.call.state === 'talk' && this.call.held
  }

  /* Wrap is over and an outcome is still due. */
  isOverdue() {
    return this.call.boardState === 'Pause' && !this.call.paused
  }

  snapshot() {
    return this.call && { ...this.call, can: this.can() }
  }

  /* --- telling --- */

  enter(state, change = {}) {
    const deadlines = { previewUntil: null, ringUntil: null, wrapUntil: null, paused: false }
    Object.assign(this.call, deadlines, { state, stateTime: contractTime(Date.now()), boardState: boardOf(state) }, change)
    this.tell('state')
    this.agent.changed()
  }

  update(change) {
    Object.assign(this.call, change)
    this.tell('update')
    this.agent.changed()
  }

  tell(method) {
    this.call.version += 1
    this.seq += 1
    const call = this.snapshot()
    this.lastCan = call.can.join()
    const message = { method, params: { epoch: this.agent.epoch, seq: this.seq, call } }
    this.log = [...this.log, message].slice(-LOG_AT_MOST)
    this.agent.hear.call(this, message)
  }

  tellIfOtherwise() {
    if (this.call && this.can().join() !== this.lastCan) this.tell('update')
  }

  /* The numbered messages after seq, or null when they are not there any more. */
  after(epoch, seq) {
    if (epoch !== this.agent.epoch || !Number.isInteger(seq) || seq > this.seq) return null
    const missing = this.log.filter((message) => message.params.seq > seq)
    return missing.length === this.seq - seq ? missing : null
  }

  /* --- calls --- */

  start(state, details) {
    const now = Date.now()
    this.call = {
      ...emptyCall(this.agent),
      tab: this.number,
      callId: randomUUID(),
      id: randomUUID(),
      dtCallId: randomUUID(),
      ...details,
    }
    const until = { preview: { previewUntil: at(now + PREVIEW_MS) }, ringing: { ringUntil: at(now + RING_MS) } }[state] ?? {}
    this.enter(state, until)
  }

  end(endedBy, { result, outcome = '', cause = 16 } = {}) {
    const wasConnected = this.call.state === 'talk'
    this.enter('idle', {
      held: false,
      muted: false,
      recording: 'off',
      partnerTab: null,
      endedBy,
      cause,
      outcome: outcome || this.call.outcome,
      result: result ?? (wasConnected ? 'connected' : 'cancelled'),
      wrapUntil: at(Date.now() + WRAP_MS),
      wrapRequired: !outcome,
    })
  }

  can() {
    const isBusyElsewhere = [...this.agent.tabs.values()].some((tab) => tab !== this && tab.isActive())
    return this.canAlone().filter((name) => !isBusyElsewhere || !['dial', 'answer'].includes(name))
  }

  canAlone() {
    const { call } = this
    if (this.isFree()) return ['dial']
    const timer = call.paused ? 'resumeTimer' : 'pauseTimer'
    switch (call.state) {
      case 'preview':
        return ['dial', 'skip', 'release', timer]
      case 'incoming':
        return ['answer', 'release', 'reject']
      case 'ringing':
        return ['release']
      case 'idle':
        return ['dial', 'setOutcome', 'scheduleCallback', 'endWrap', ...(this.isOverdue() ? [] : [timer])]
      default:
        return call.held ? ['resume', 'release', ...recordingCan(call)] : this.canActive()
    }
  }

  canActive() {
    const others = [...this.agent.tabs.values()].filter((tab) => tab !== this && tab.isHeld())
    return [
      'release', 'hold', 'transferBlind', 'transferConsult', 'sendDTMF', 'playWaveFile', 'mute', ...recordingCan(this.call),
      ...(others.length ? ['transferComplete', 'conference'] : []),
      ...(this.call.direction === 'transfer' && this.call.partnerTab ? ['cancelConsult'] : []),
    ]
  }

  /* --- the far end and the clock, moved by the test --- */

  farAnswers() {
    this.enter('talk', { result: 'connected' })
  }

  farHangsUp() {
    if (this.call.state === 'incoming') return this.end('customer', { result: 'missed', outcome: 'MissedCall' })
    this.end('customer')
  }

  farIsBusy() {
    this.end('switch', { result: 'busy', outcome: 'Busy', cause: 17 })
  }

  timerEnds() {
    if (this.call.state === 'preview') this.enter('ringing', { ringUntil: at(Date.now() + RING_MS) })
    else if (this.call.state === 'ringing') this.end('system', { result: 'noanswer', outcome: 'noanswer', cause: 19 })
    else if (this.call.state === 'idle' && this.call.outcome) this.enter('end')
    else if (this.call.state === 'idle') this.update({ wrapUntil: null, boardState: 'Pause', wrapRequired: true })
  }
}

const RECORDING_CAN = { off: ['startRecording'], on: ['stopRecording', 'pauseRecording'], paused: ['stopRecording', 'resumeRecording'] }
const recordingCan = (call) => RECORDING_CAN[call.recording]

function record(tab, method, recording) {
  mustBe(tab.call && recordingCan(tab.call).includes(method), 'call.not_recorded', `${method} is not possible: this tab is ${stateOf(tab)}`)
  tab.update({ recording })
}

/* Method of docs/protocol.md -> what it does. Returns the tab its answer names. */
const METHODS = {
  dial(tab, { number, direction = 'outbound' }) {
    if (tab.call?.state === 'preview') return tab.enter('ringing', { ringUntil: at(Date.now() + RING_MS) })
    mustBe(tab.isFree() || tab.call.state === 'idle', 'tab.not_free', `dial needs a free tab: it is ${stateOf(tab)}`)
    if (!DIRECTIONS.has(direction)) throw new Refusal('direction.invalid', 'direction must be outbound or clicktocall', 'direction')
    mustBeNumber(number)
    if (!tab.isFree()) METHODS.endWrap(tab)
    tab.start('ringing', { phone: number, direction })
  },
  holdresume: (tab) => (tab.isHeld() ? METHODS.resume(tab) : hold(tab, 'holdresume')),
  hold: (tab) => hold(tab, 'hold'),
  resume(tab) {
    mustBe(tab.isHeld(), 'call.not_held', `resume needs a held call: this tab is ${stateOf(tab)}`)
    for (const other of tab.agent.tabs.values()) if (other !== tab && other.isActive()) hold(other, 'resume')
    tab.update({ held: false, boardState: 'Talk' })
  },
  transferBlind(tab, { number }) {
    mustBe(tab.isActive(), 'call.not_active', `transferBlind needs an active call: this tab is ${stateOf(tab)}`)
    mustBeNumber(number)
    tab.end('agent')
  },
  transferConsult(tab, { number }) {
    mustBe(tab.isActive(), 'call.not_active', `transferConsult needs an active call: this tab is ${stateOf(tab)}`)
    const phone = mustBeNumber(number)
    const other = tab.agent.freeTab()
    tab.update({ held: true, boardState: 'Hold', partnerTab: other.number })
    other.start('ringing', { phone, direction: 'transfer', partnerTab: tab.number })
    return other
  },
  transferComplete(tab, { callTab }) {
    const other = mustBePair('transferComplete', tab, callTab)
    other.end('agent')
    tab.end('agent')
  },
  conference(tab, { callTab }) {
    const other = mustBePair('conference', tab, callTab)
    other.update({ held: false, boardState: 'Talk', partnerTab: tab.number })
    tab.update({ partnerTab: other.number })
  },
  cancelConsult(tab) {
    const customer = tab.agent.tabs.get(tab.call?.partnerTab)
    mustBe(customer, 'call.no_consult', 'cancelConsult needs a consultation')
    tab.end('agent')
    customer.update({ held: false, boardState: 'Talk', partnerTab: null })
  },
  answer(tab) {
    mustBe(tab.call?.state === 'incoming', 'call.not_incoming', `answer needs an incoming call: this tab is ${stateOf(tab)}`)
    tab.enter('talk', { result: 'connected' })
  },
  release(tab) {
    const state = tab.call?.state
    mustBe(['preview', 'incoming', 'ringing', 'talk'].includes(state), 'call.none', `nothing to release: this tab is ${stateOf(tab)}`)
    if (state === 'preview') tab.end('agent', { result: 'rejected', outcome: 'Reject', cause: null })
    else if (state === 'incoming') tab.end('agent', { result: 'deflected', outcome: 'Deflect' })
    else tab.end('agent')
  },
  reject(tab) {
    mustBe(tab.call?.state === 'incoming', 'call.not_incoming', `reject needs an incoming call: this tab is ${stateOf(tab)}`)
    METHODS.release(tab)
  },
  skip(tab) {
    mustBe(tab.call?.state === 'preview', 'call.not_preview', `skip needs a preview: this tab is ${stateOf(tab)}`)
    METHODS.release(tab)
  },
  playWaveFile(tab, { filename }) {
    if (!SOUNDS.has(filename)) throw new Refusal('sound.not_found', 'there is no such sound', 'filename')
    mustBe(tab.isActive(), 'call.not_active', `playWaveFile needs an active call: this tab is ${stateOf(tab)}`)
  },
  sendDTMF(tab, { digits }) {
    if (typeof digits !== 'string' || !/^[0-9*#]{1,32}$/.test(digits))
      throw new Refusal('digits.invalid', 'digits are 0 to 9, * and #', 'digits')
    mustBe(tab.isActive(), 'call.not_active', `sendDTMF needs an active call: this tab is ${stateOf(tab)}`)
    tab.digits = (tab.digits ?? '') + digits
  },
  startRecording: (tab) => record(tab, 'startRecording', 'on'),
  stopRecording: (tab) => record(tab, 'stopRecording', 'off'),
  pauseRecording: (tab) => record(tab, 'pauseRecording', 'paused'),
  resumeRecording: (tab) => record(tab, 'resumeRecording', 'on'),
  mute(tab, { on }) {
    if (typeof on !== 'boolean') throw new Refusal('json.missing', 'mute needs on', 'on')
    mustBe(tab.isActive(), 'call.not_active', `mute needs an active call: this tab is ${stateOf(tab)}`)
    tab.update({ muted: on })
  },
  pauseTimer(tab) {
    mustBe(['preview', 'idle'].includes(tab.call?.state) && !tab.call.paused, 'call.no_timer', 'no timer is running')
    tab.update({ paused: true, previewUntil: null, wrapUntil: null, boardState: 'Pause' })
  },
  resumeTimer(tab) {
    mustBe(tab.call?.paused, 'call.no_timer', 'no timer is paused')
    const until = tab.call.state === 'preview' ? { previewUntil: at(Date.now() + PREVIEW_MS) } : { wrapUntil: at(Date.now() + WRAP_MS) }
    tab.update({ paused: false, boardState: boardOf(tab.call.state), ...until })
  },
  setOutcome(tab, { outcome }) {
    if (!OUTCOMES.includes(outcome)) throw new Refusal('outcome.unknown', `there is no outcome "${outcome}"`, 'outcome')
    mustBe(tab.call, 'call.none', 'no call is on this tab')
    tab.update({ outcome, wrapRequired: false })
  },
  scheduleCallback(tab, { at: when, outcome }) {
    if (Number.isNaN(Date.parse(when))) throw new Refusal('time.invalid', 'at must be an ISO time', 'at')
    mustBe(tab.call, 'call.none', 'no call is on this tab')
    tab.update({ isCallback: true, retryDatetime: contractTime(Date.parse(when)), ...(outcome && { outcome, wrapRequired: false }) })
  },
  endWrap(tab) {
    mustBe(tab.call?.state === 'idle', 'call.not_idle', `endWrap needs a released call: this tab is ${stateOf(tab)}`)
    tab.enter('end', tab.call.outcome ? {} : { outcome: 'None', wrapRequired: false })
  },
  agentReady: (tab) => tab.agent.setState('Ready'),
  agentNotReady: (tab, { reason }) => tab.agent.setState('NotReady', reason),
  setState: (tab, { state, reason }) => tab.agent.setState(state, reason),
}

function hold(tab, name) {
  mustBe(tab.isActive(), 'call.not_active', `${name} needs an active call: this tab is ${stateOf(tab)}`)
  tab.update({ held: true, boardState: 'Hold' })
}

/* Carries out a command; its result, or a Refusal thrown. */
export function command(tab, method, params) {
  if (!Object.hasOwn(METHODS, method)) throw new Refusal('protocol.unknown_method', `there is no method "${method}"`, 'method')
  const result = METHODS[method](tab, params)
  const where = result instanceof FakeTab ? result : tab
  return { callId: where.call?.callId ?? null, dtCallId: where.call?.dtCallId ?? null, tab: where.number }
}

function mustBe(condition, code, message) {
  if (!condition) throw new Refusal(code, message, 'tab')
}

function mustBeNumber(number) {
  if (number === undefined) throw new Refusal('json.missing', 'number is missing', 'number')
  if (typeof number !== 'string' || !/^\+?[0-9*#]{2,32}$/.test(number))
    throw new Refusal('number.invalid', 'a number has 2 to 32 digits', 'number')
  return number
}

function mustBePair(name, tab, callTab) {
  if (!Number.isInteger(callTab)) throw new Refusal('json.missing', `${name} needs callTab`, 'callTab')
  mustBe(tab.isActive(), 'tab.not_active', `${name} needs this tab active: it is ${stateOf(tab)}`)
  const other = tab.agent.tabs.get(callTab)
  if (!other || other === tab || !other.isHeld())
    throw new Refusal('call.not_held', `${name} needs tab ${callTab} held: it is ${other ? stateOf(other) : 'free'}`, 'callTab')
  return other
}

function stateOf(tab) {
  if (tab.isFree()) return 'free'
  return tab.isHeld() ? 'held' : tab.call.state
}

function boardOf(state) {
  return { preview: 'Preview', incoming: 'Incoming', ringing: 'Ring', talk: 'Talk', idle: 'Wrap', end: 'End' }[state]
}

function emptyCall(agent) {
  return {
    state: 'preview', stateTime: '', type: 'phonecall', id: null, direction: 'outbound', phone: '', outcome: '', fromType: '',
    fromId: null, toType: '', toId: null, dtCallId: null, isCallback: false, retryDatetime: null, dnis: '', queueDn: '',
    agentId: agent.login, extension: agent.extension,
    tab: 0, callId: null, version: 0, held: false, muted: false, recording: 'off', paused: false, endedBy: '', cause: null,
    reason: '', actor: 'agent', commandId: '', result: 'none', boardState: '', previewUntil: null, ringUntil: null, wrapUntil: null,
    wrapRequired: false, fromName: '', toName: '', queue: '', campaign: '', attempt: 1, attempts: 0, scriptUrl: '', popUrl: '',
    candidates: [], partnerTab: null,
  }
}

export function contractTime(ms) {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function at(ms) {
  return new Date(ms).toISOString()
}
