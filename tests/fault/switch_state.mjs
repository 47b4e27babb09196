/* What is at the simulated switch: channels, bridges, and what far ends do by themselves. It knows neither sockets nor
 * JSON-RPC: switch_ari.mjs asks it, and what it has to say goes to `tell(event)` (an ARI event) and to `ledger(kind, fields)`.
 *
 * The number decides what a far end does, as at the gateway's own simulated switch (docs/simulated-switch.md), and one form
 * more for workloads: a number that ends in 8aa8hh answers after aa * 10 ms and hangs up hh * 100 ms later (00: never). */

export const NORMAL = 16

/* ring: null = never rings. Then one of: answer, fail {cause, sip}; after `for` ms. hangup: ms after the answer. */
const BEHAVIOURS = {
  486: { ring: 10, for: 20, fail: { cause: 17, sip: 486 } },
  404: { ring: null, for: 20, fail: { cause: 1, sip: 404 } },
  480: { ring: 10, for: 200, fail: { cause: 19, sip: 480 } },
  603: { ring: null, for: 20, fail: { cause: 21, sip: 603 } },
  503: { ring: null, for: 20, fail: { cause: 34, sip: 503 } },
  500: { ring: null, for: 20, fail: { cause: 38, sip: 500 } },
  408: { ring: 10 },
  999: { ring: null },
  501: { refuse: true },
  777: { ring: null, for: 0, answer: true },
  199: { ring: 10, for: 40, answer: true, hangup: 100 },
}
const USUAL = { ring: 10, for: 40, answer: true }

export function behaviourOf(number) {
  const coded = /8(\d\d)8(\d\d)$/.exec(number)
  if (coded) return { ring: 2, for: Number(coded[1]) * 10, answer: true, hangup: Number(coded[2]) * 100 || undefined }
  return BEHAVIOURS[number.slice(-3)] ?? USUAL
}

/* The number that behaves so. serial: what makes it different from all others. */
export function numberThat({ serial, answerMs = 30, talkMs = 0 }) {
  const two = (value) => String(Math.min(99, Math.round(value))).padStart(2, '0')
  return `+1${String(serial).padStart(7, '0')}8${two(answerMs / 10)}8${two(talkMs / 100)}`
}

const STATION_RING_MS = 2
const STATION_ANSWER_MS = 5
const STATION_PICKUP_MS = 200 // when it was not asked to answer by itself
const DIALPLAN_RETRIES = 20
const BETWEEN_PRESSED_MS = 50

export class SwitchState {
  #timers = new Set()
  #serial = 0
  channels = new Map()
  bridges = new Map()
  plays = new Map()

  /* isActive(): whether an application is connected. chance(p), between(a, b): of the seeded generator. */
  constructor({ app, stations, quirks, tell, ledger, isActive, chance, between }) {
    Object.assign(this, { app, quirks, tell, ledger, isActive, chance, between })
    this.stations = new Map(stations.map((name) => [name, true]))
    this.started = new Date()
  }

  /* --- time --- */

  #later(channel, ms, run) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!channel || this.channels.get(channel.id) === channel) run()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  /* --- channels we are asked for --- */

  create({ id, endpoint, appArgs, autoAnswer }) {
    const [, resource] = endpoint.split('/')
    const [party, trunk] = resource.split('@')
    const refused = trunk ? behaviourOf(party).refuse : !this.stations.get(party)
    if (this.channels.has(id)) return { status: 409, error: 'Channel with given unique ID already exists' }
    this.ledger('effect', { effect: 'originate', channel: id, party, isTrunk: Boolean(trunk), isRefused: Boolean(refused) })
    if (refused) return { status: 500, error: 'Allocation failed' }
    const channel = this.#add({ id, party, isTrunk: Boolean(trunk), autoAnswer, state: 'Down', appData: `${this.app},${appArgs}`, args: appArgs.split(',') })
    this.#later(channel, this.between(0, this.quirks.stasisMs), () => this.#enterStasis(channel))
    return { status: 200, body: this.describe(channel) }
  }

  #add(fields) {
    const channel = { state: 'Down', isInStasis: false, bridge: null, ending: null, digits: '', muted: '', caller: { name: '', number: '' }, serial: ++this.#serial, ...fields }
    this.channels.set(channel.id, channel)
    return channel
  }

  #enterStasis(channel) {
    channel.isInStasis = true
    this.tell('StasisStart', channel, { args: channel.args })
  }

  dial(channel, timeoutS) {
    this.ledger('dial', { channel: channel.id, party: channel.party })
    this.tell('Dial', channel, { peer: this.describe(channel), dialstatus: '' })
    const behaviour = channel.isTrunk ? behaviourOf(channel.party) : this.#stationBehaviour(channel)
    if (behaviour.ring !== null) this.#later(channel, behaviour.ring, () => this.#ring(channel))
    if (behaviour.answer) this.#later(channel, behaviour.for + (behaviour.ring ?? 0), () => this.answerFar(channel, behaviour.hangup))
    if (behaviour.fail) this.#later(channel, behaviour.for + (behaviour.ring ?? 0), () => this.endFar(channel, behaviour.fail.cause, behaviour.fail.sip))
    if (timeoutS) this.#later(channel, timeoutS * 1000, () => channel.state !== 'Up' && this.#end(channel, { by: 'timeout', cause: 19, sip: 480, requestCause: 32, soft: true }))
  }

  #stationBehaviour({ autoAnswer }) {
    return { ring: STATION_RING_MS, for: autoAnswer ? STATION_ANSWER_MS : STATION_PICKUP_MS, answer: true }
  }

  #ring(channel) {
    if (channel.state !== 'Down' || channel.ending) return
    channel.state = 'Ringing'
    this.ledger('ring', { channel: channel.id, party: channel.party })
    const told = [() => this.tell('ChannelStateChange', channel), () => this.tell('Dial', channel, { peer: this.describe(channel), dialstatus: 'RINGING' })]
    if (this.chance(0.5)) told.reverse()
    for (const each of told) each()
  }

  /* The far end picks up; it hangs up after `hangupMs`. */
  answerFar(channel, hangupMs) {
    if (channel.state === 'Up' || channel.ending) return
    channel.state = 'Up'
    this.ledger('answer', { channel: channel.id, party: channel.party, by: 'far' })
    this.tell('ChannelStateChange', channel)
    this.tell('Dial', channel, { peer: this.describe(channel), dialstatus: 'ANSWER' })
    if (channel.isTrunk && this.chance(this.quirks.answerThenHangup)) this.endFar(channel, NORMAL)
    else if (hangupMs) this.#later(channel, hangupMs, () => this.endFar(channel, NORMAL))
  }

  /* --- callers --- */

  callIn({ from, to, name = '', id = `lab-${Date.now()}.${++this.#serial}`, patienceMs = 0 }) {
    const channel = this.#add({ id, party: from, isTrunk: true, isInbound: true, state: 'Ring', exten: to, caller: { name, number: from }, appData: `${this.app},inbound,${to}`, args: ['inbound', to] })
    this.ledger('inbound', { channel: id, party: from, to })
    if (patienceMs) this.#later(channel, patienceMs, () => channel.state !== 'Up' && this.endFar(channel, 127, 487))
    this.#tryStasis(channel, DIALPLAN_RETRIES)
    return { channel: id }
  }

  /* As docs/asterisk/extensions.conf does it: tried again each second while no application is there. */
  #tryStasis(channel, tries) {
    if (channel.ending) return
    if (this.isActive()) {
      this.ledger('offered', { channel: channel.id, party: channel.party })
      this.#enterStasis(channel)
    } else if (tries > 0) {
      this.#later(channel, this.quirks.dialplanRetryMs, () => this.#tryStasis(channel, tries - 1))
    } else {
      this.#end(channel, { by: 'switch', cause: NORMAL })
    }
  }

  ringBack(channel) {
    this.ledger('ring_asked', { channel: channel.id, party: channel.party })
  }

  answerCaller(channel) {
    if (channel.state === 'Up' || channel.ending) return
    channel.state = 'Up'
    this.ledger('answer', { channel: channel.id, party: channel.party, by: 'us' })
    this.tell('ChannelStateChange', channel)
  }

  /* --- the end --- */

  hangupOurs(channel, cause) {
    this.ledger('hangup_asked', { channel: channel.id, party: channel.party, cause })
    this.#end(channel, { by: 'us', cause, requestCause: 32, soft: true })
  }

  endFar(channel, cause = NORMAL, sip = 0) {
    this.#end(channel, { by: 'far', cause, sip, requestCause: cause })
  }

  #end(channel, ending) {
    if (channel.ending) return
    channel.ending = ending
    this.ledger('hangup', { channel: channel.id, party: channel.party, by: ending.by, cause: ending.cause, wasUp: channel.state === 'Up' })
    this.tell('ChannelHangupRequest', channel, { cause: ending.requestCause ?? ending.cause, ...(ending.soft && { soft: true }), ...(ending.sip && { tech_cause: ending.sip }) })
    // A request that comes in this time meets a channel that is on its way out.
    this.#later(channel, this.between(0, this.quirks.endMs), () => this.#destroy(channel))
  }

  #destroy(channel) {
    const { bridge, ending } = channel
    const steps = [
      () => bridge && this.#leave(channel),
      () => channel.isInStasis && this.tell('StasisEnd', channel),
      () => this.tell('ChannelDestroyed', channel, { cause: ending.cause, cause_txt: '', ...(ending.sip && { tech_cause: ending.sip }) }),
    ]
    if (this.chance(this.quirks.endOrder)) steps.splice(1, 0, steps.splice(this.chance(0.5) ? 2 : 0, 1)[0])
    for (const step of steps) step()
    this.channels.delete(channel.id)
    this.ledger('gone', { channel: channel.id, party: channel.party })
  }

  /* --- bridges --- */

  makeBridge({ id, type, name }) {
    if (this.bridges.has(id)) return { status: 409, error: 'Bridge with id already exists' }
    this.bridges.set(id, { id, type, name, hasMusic: false })
    return { status: 200, body: this.describeBridge(this.bridges.get(id)) }
  }

  members(bridge) {
    return [...this.channels.values()].filter((channel) => channel.bridge === bridge.id)
  }

  freeBridge(bridge) {
    for (const channel of this.members(bridge)) {
      this.#leave(channel)
      // a cause that was on its way is overwritten by the end of the bridge
      if (channel.ending && this.quirks.bridgeEndsCause) channel.ending.cause = NORMAL
    }
    this.bridges.delete(bridge.id)
    for (const play of this.plays.values()) if (play.bridge === bridge.id) this.plays.delete(play.id)
  }

  add(bridge, channel) {
    if (channel.bridge === bridge.id) return
    if (channel.bridge) this.#leave(channel)
    channel.bridge = bridge.id
    this.ledger('join', { channel: channel.id, party: channel.party, bridge: bridge.id })
    this.tell('ChannelEnteredBridge', channel, { bridge: { id: bridge.id } })
  }

  remove(bridge, channel) {
    if (channel.bridge !== bridge.id) return false
    this.#leave(channel)
    return true
  }

  #leave(channel) {
    const { bridge } = channel
    channel.bridge = null
    this.ledger('leave', { channel: channel.id, party: channel.party, bridge })
    this.tell('ChannelLeftBridge', channel, { bridge: { id: bridge } })
  }

  music(bridge, on) {
    if (!on && !bridge.hasMusic) return false
    if (bridge.hasMusic !== on) this.ledger(on ? 'hold' : 'resume', { bridge: bridge.id, channels: this.members(bridge).map(({ id }) => id) })
    bridge.hasMusic = on
    return true
  }

  play(bridge, id, media) {
    this.ledger('effect', { effect: 'play', play: id, bridge: bridge.id, media })
    this.plays.set(id, { id, bridge: bridge.id })
    this.#later(null, this.quirks.playMs, () => this.endPlay(id))
  }

  endPlay(id) {
    if (!this.plays.delete(id)) return false
    this.tell('PlaybackFinished', null, { playback: { id, state: 'done' } })
    return true
  }

  /* --- digits, mute --- */

  sendDigits(channel, digits) {
    channel.digits += digits
    this.ledger('effect', { effect: 'digits', channel: channel.id, party: channel.party, digits })
  }

  press(channel, digits) {
    ;[...digits].forEach((digit, i) => this.#later(channel, i * BETWEEN_PRESSED_MS, () => this.tell('ChannelDtmfReceived', channel, { digit, duration_ms: 40 })))
  }

  mute(channel, direction, on) {
    channel.muted = on ? direction : ''
    this.ledger('mute', { channel: channel.id, party: channel.party, direction, on })
  }

  /* --- the whole --- */

  setStation(name, isOnline) {
    this.stations.set(name, isOnline)
    this.tell('PeerStatusChange', null, { endpoint: this.describeStation(name) })
  }

  /* Everything is gone and nobody is told; it is another switch now. */
  restart() {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const channel of this.channels.values()) this.ledger('hangup', { channel: channel.id, party: channel.party, by: 'restart', cause: 0, wasUp: channel.state === 'Up' })
    this.channels.clear()
    this.bridges.clear()
    this.plays.clear()
    this.started = new Date(Math.max(Date.now(), this.started.getTime() + 1))
  }

  /* --- as ARI shows them --- */

  describe(channel) {
    return {
      id: channel.id,
      name: `PJSIP/${channel.isTrunk ? 'trunk' : channel.party}-${String(channel.serial).padStart(8, '0')}`,
      state: channel.state,
      caller: channel.caller,
      dialplan: { context: 'default', exten: channel.exten ?? '', priority: 1, app_name: 'Stasis', app_data: channel.appData },
    }
  }

  describeBridge(bridge) {
    return { id: bridge.id, bridge_type: bridge.type, bridge_class: 'stasis', name: bridge.name, channels: this.members(bridge).map(({ id }) => id) }
  }

  describeStation(name) {
    return { technology: 'PJSIP', resource: name, state: this.stations.get(name) ? 'online' : 'offline' }
  }
}
