/* `dev/bench telephony`: what calltab adds to a real Asterisk. sipp is the carrier and the agents' telephones for the first two
 * questions, so that nobody else takes processor; who hears what is asked of telephones that look at each packet of sound.
 *
 * cpu: of a complete call, dialed and released by a tab. setup: from the command on the socket to `talk` on the tab, next to
 * the same requests sent by a client that does nothing else, in turns. audio: from the command to the first packet that
 * sounds different. */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'
import { startAsterisk } from '../tests/support/asterisk.mjs'
import { addAgents, openTab } from '../tests/support/crew.mjs'
import { startGateway } from '../tests/support/gateway.mjs'
import { createDatabase, startCluster } from '../tests/support/pg.mjs'
import { hasSipp, startSipp } from '../tests/support/sipp.mjs'
import { until } from '../tests/support/until.mjs'
import { createWorld } from '../tests/support/world.mjs'
import { figure, median, progress, quantile } from './figures.mjs'
import { built } from './program.mjs'

const AGENTS = 60
const CALLS = 400
const PER_SECOND = 20
const ROUNDS = 7
const CALLS_A_ROUND = 20
const AUDIO_ROUNDS = 25
const CPU_TARGET = 10 // percent of Asterisk's
const SETUP_TARGET = 1.3
const AUDIO_TARGET_MS = 25
const SAMPLE_RATE = 8000
const LOUD = 1000 // a tone alone measures 6000

/* Their telephones answer at once: sipp's do so when the name ends in 777. */
const extensionOf = (i) => `${100 + i}777`
const farNumber = (i) => `+1558${String(i).padStart(4, '0')}777`

export async function benchTelephony() {
  process.env.CALLTAB_BIN ??= built('server', 'calltab')
  if (!hasSipp()) throw new Error('sipp is not installed (Debian package sip-tester)')
  await withSipp(async (lab) => {
    await benchCpu(lab)
    await benchSetup(lab)
  })
  await benchAudio()
}

/* ---- Asterisk between two ends of sipp ---- */

async function withSipp(run) {
  const opened = []
  try {
    const extensions = Array.from({ length: AGENTS }, (_, i) => extensionOf(i))
    const asterisk = await startAsterisk({ telephones: extensions, rtpPorts: 1000 })
    opened.unshift(() => asterisk.remove())
    const carrier = await startSipp({ port: asterisk.ports.carrier })
    opened.unshift(() => carrier.stop())
    const cluster = await startCluster({ fsync: true })
    opened.unshift(() => cluster.destroy())
    const database = await createDatabase({ cluster })
    const crew = await addAgents(database, AGENTS, extensionOf)
    const { port, user, password, app, trunk } = asterisk.ari
    const gateway = await startGateway({ database, config: { log_level: 'warn', switch: 'ari', ari_port: port, ari_user: user, ari_password: password, ari_app: app, ari_trunk: trunk } })
    opened.unshift(() => gateway.stop())
    await until('the gateway has its switch', async () => (await gateway.request('GET', '/readyz')).status === 200, 10_000)
    const tabs = []
    for (const agent of crew) tabs.push(listening(await openTab(gateway, agent)))
    opened.unshift(() => Promise.all(tabs.map((tab) => tab.close())))
    await run({ asterisk, gateway, tabs })
  } finally {
    for (const close of opened) await close()
  }
}

/* A tab that says at once when its call is in a state, and when that was. */
function listening(tab) {
  const waiting = new Map()
  tab.received.push = function push(message) {
    const at = performance.now()
    Array.prototype.push.call(this, message)
    const state = message.params.call?.state
    waiting.get(state)?.(at)
    waiting.delete(state)
  }
  tab.becomes = (state) => new Promise((resolve) => waiting.set(state, resolve))
  return tab
}

async function wholeCall(tab, number) {
  const [talks, ends] = ['talk', 'end'].map((state) => tab.becomes(state))
  const began = performance.now()
  await tab.request('dial', { number })
  const talkAt = await talks
  const idle = tab.becomes('idle')
  await tab.request('release')
  await idle
  await tab.request('endWrap')
  await ends
  return talkAt - began
}

/* ---- processor ---- */

/* Milliseconds of processor so far, of a process or of one of its threads; the clock ticks of /proc are hundredths. */
function cpuMs(path) {
  const fields = readFileSync(`/proc/${path}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function benchCpu({ asterisk, gateway, tabs }) {
  progress(`${CALLS} calls, ${PER_SECOND} a second`)
  for (let i = 0; i < 20; i++) await wholeCall(tabs[i], farNumber(i)) // what is done once is done
  const places = [gateway.pid, asterisk.pid, `${gateway.pid}/task/${gateway.pid}`] // the call plane is the first thread
  const before = places.map(cpuMs)
  const began = performance.now()
  const free = [...tabs]
  const running = []
  for (let i = 0; i < CALLS; i++) {
    await pause(Math.max(0, began + (i * 1000) / PER_SECOND - performance.now()))
    const tab = await until('an agent is free', () => free.shift(), 20_000)
    running.push(wholeCall(tab, farNumber(i)).then(() => free.push(tab)))
  }
  await Promise.all(running)
  await until('all of it is stored', async () => (await gateway.request('GET', '/readyz')).body.journal.behind === 0, 10_000)
  const [ours, theirs, callPlane] = places.map((place, i) => (cpuMs(place) - before[i]) / CALLS)
  figure('bench.telephony.cpu_share', { n: CALLS, figure: (100 * ours) / theirs, unit: '%', target: CPU_TARGET })
  figure('bench.telephony.cpu_calltab', { n: CALLS, figure: ours, unit: 'ms' })
  figure('bench.telephony.cpu_call_plane', { n: CALLS, figure: callPlane, unit: 'ms' })
  figure('bench.telephony.cpu_storage', { n: CALLS, figure: ours - callPlane, unit: 'ms' })
  figure('bench.telephony.cpu_asterisk', { n: CALLS, figure: theirs, unit: 'ms' })
}

/* ---- set-up ---- */

/* The requests of telephony/ari, in its order, waiting for what it waits for, and nothing else. */
class BareClient {
  #serial = 0
  #waiting = []

  async open({ host, port, user, password }) {
    const auth = Buffer.from(`${user}:${password}`).toString('base64')
    this.socket = new WebSocket(`ws://${host}:${port}/ari/events?app=bare`, 'ari', { headers: { authorization: `Basic ${auth}` } })
    this.socket.on('message', (data) => this.#read(JSON.parse(data)))
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject))
    this.send('PUT', 'applications/bare/eventFilter', { disallowed: ['ChannelVarset', 'ChannelDialplan', 'ChannelCallerId', 'ChannelConnectedLine'].map((type) => ({ type })) })
    this.send('POST', 'applications/bare/subscription?eventSource=channel:,bridge:,endpoint:')
    return this
  }

  #read(message) {
    if (message.type === 'RESTResponse' && message.status_code >= 300) throw new Error(`${message.uri}: ${message.message_body}`)
    const at = this.#waiting.findIndex((matches) => matches(message))
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  send(method, uri, body) {
    const request = { type: 'RESTRequest', request_id: String(++this.#serial), method, uri }
    if (body) Object.assign(request, { content_type: 'application/json', message_body: JSON.stringify(body) })
    this.socket.send(JSON.stringify(request))
  }

  event(type, channel, state) {
    return new Promise((resolve) => {
      this.#waiting.push((message) => {
        const is = message.type === type && message.channel?.id === channel && (!state || message.channel.state === state)
        if (is) resolve(performance.now())
        return is
      })
    })
  }

  async leg(id, endpoint, bridge) {
    const [starts, up] = [this.event('StasisStart', id), this.event('ChannelStateChange', id, 'Up')]
    this.send('POST', 'channels/create', { endpoint, app: 'bare', appArgs: 'out', channelId: id })
    await starts
    if (bridge) await this.join(id, bridge)
    this.send('POST', `channels/${id}/dial?timeout=30`)
    return up
  }

  join(id, bridge) {
    const entered = this.event('ChannelEnteredBridge', id)
    this.send('POST', `bridges/${bridge}/addChannel?channel=${id}&inhibitConnectedLineUpdates=true`)
    return entered
  }

  async call(i) {
    const [bridge, agent, far] = ['b', 'a', 'f'].map((kind) => `bare-${kind}-${i}`)
    const began = performance.now()
    this.send('POST', `bridges/${bridge}?type=mixing&name=bare`)
    await this.leg(agent, `PJSIP/${extensionOf(0)}`)
    this.join(agent, bridge)
    const ms = (await this.leg(far, `PJSIP/${farNumber(i)}@trunk`, bridge)) - began
    const gone = [agent, far].map((id) => this.event('ChannelDestroyed', id))
    for (const id of [agent, far]) this.send('DELETE', `channels/${id}`)
    await Promise.all(gone)
    this.send('DELETE', `bridges/${bridge}`)
    return ms
  }

  close() {
    this.socket.close()
  }
}

async function benchSetup({ asterisk, tabs }) {
  progress(`${ROUNDS} times ${CALLS_A_ROUND} calls, by calltab and by a bare client in turns`)
  const bare = await new BareClient().open(asterisk.ari)
  const rounds = []
  let serial = 0
  for (let round = 0; round <= ROUNDS; round++) {
    const [ours, theirs] = [[], []]
    for (let i = 0; i < CALLS_A_ROUND; i++) {
      theirs.push(await bare.call(serial++))
      ours.push(await wholeCall(tabs[serial % AGENTS], farNumber(serial)))
    }
    if (round) rounds.push([quantile(ours, 0.5), quantile(theirs, 0.5)]) // the first is not counted
  }
  bare.close()
  const n = ROUNDS * CALLS_A_ROUND
  figure('bench.telephony.setup_ratio', { n, figure: median(rounds.map(([ours, theirs]) => ours / theirs)), unit: 'times', target: SETUP_TARGET })
  figure('bench.telephony.setup_calltab_p50', { n, figure: median(rounds.map(([ours]) => ours)), unit: 'ms' })
  figure('bench.telephony.setup_bare_p50', { n, figure: median(rounds.map(([, theirs]) => theirs)), unit: 'ms' })
}

/* ---- sound ---- */

/* Whether this tone is in one packet, whose first 12 bytes are no sound. */
function hasTone(packet, hz) {
  const factor = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE)
  let [one, two] = [0, 0]
  for (let i = 12; i < packet.length; i++) {
    const next = linear(packet[i]) + factor * one - two
    two = one
    one = next
  }
  return (2 * Math.sqrt(Math.max(0, one * one + two * two - factor * one * two))) / (packet.length - 12) > LOUD
}

function linear(byte) {
  const u = ~byte & 255
  const magnitude = ((((u & 15) << 3) + 132) << ((u & 112) >> 4)) - 132
  return u & 128 ? -magnitude : magnitude
}

/* When the first packet comes that has, or has not, the tone. */
function whenHeard(call, hz, has) {
  const { rtp } = call
  const receive = rtp.receive
  return new Promise((resolve) => {
    rtp.receive = (packet) => {
      receive.call(rtp, packet)
      if ((packet[1] & 127) !== 0 || hasTone(packet, hz) !== has) return
      rtp.receive = receive
      resolve(performance.now())
    }
  })
}

async function benchAudio() {
  progress(`${AUDIO_ROUNDS} times hold, consult and complete`)
  const world = await createWorld('asterisk', { config: { log_level: 'warn', wrap_s: 30 } })
  try {
    await until('the gateway has its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    const { T1, T2 } = await world.agent('1001')
    const times = { hold: [], resume: [], consult: [], complete: [] }
    for (let round = 0; round < AUDIO_ROUNDS; round++) await oneRound(world, T1, T2, 2 * round, times)
    for (const [name, list] of Object.entries(times)) {
      figure(`bench.telephony.${name}_to_audio_p50`, { n: list.length, figure: quantile(list, 0.5), unit: 'ms', target: AUDIO_TARGET_MS })
      figure(`bench.telephony.${name}_to_audio_max`, { n: list.length, figure: Math.max(...list), unit: 'ms' })
    }
  } finally {
    await world.stop()
  }
}

async function oneRound(world, T1, T2, serial, times) {
  const [customer, target] = [farNumber(1000 + serial), farNumber(1001 + serial)]
  const agentHz = world.outside.phones[0].hz
  const callOf = (number) => until(`a call of ${number}`, () => [...world.outside.carrier.calls.values()].find((call) => call.number === number))
  const talks = (tab, number) => tab.told('they talk', ({ state, phone }) => state === 'talk' && phone === number, 10_000)
  const measure = async (name, call, hz, has, command) => {
    await whenHeard(call, hz, !has) // it is as it should be before
    const changed = whenHeard(call, hz, has)
    const began = performance.now()
    await command()
    times[name].push((await changed) - began)
  }

  await T1.request('dial', { number: customer })
  await talks(T1, customer)
  const call = await callOf(customer)
  await measure('hold', call, agentHz, false, () => T1.request('hold'))
  await measure('resume', call, agentHz, true, () => T1.request('resume'))
  await measure('consult', call, agentHz, false, () => T1.request('transferConsult', { number: target }))
  await talks(T2, target)
  const other = await callOf(target)
  await measure('complete', call, world.outside.carrier.toneOf.get(target), true, () => T2.request('transferComplete', { callTab: 1 }))
  other.hangup()
  for (const tab of [T1, T2]) {
    await tab.told('it is over', ({ state }) => state === 'idle')
    await tab.request('endWrap')
    await tab.told('it has ended', ({ state }) => state === 'end')
  }
  await until('nobody is in a call', () => world.outside.carrier.calls.size === 0)
}
