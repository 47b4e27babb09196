/* What is around a driver in the contract tests: far ends that answer, hang up, press keys and say whom they hear,
 * and a link that can be cut. The simulated switch and a real Asterisk with SIP telephones answer the same questions.
 * Parties are named by extension or number; numbers behave by their ending (telephony/sim/sim.h). */
import { EXTENSIONS, MUSIC_HZ, PASSWORD, PROMPT_HZ, startAsterisk } from '../support/asterisk.mjs'
import { LinkProxy } from '../support/link_proxy.mjs'
import { Carrier, Phone, STATION_TONES } from '../support/phone.mjs'
import { until } from '../support/until.mjs'
import { Probe } from './probe.mjs'

const REACHABLE = ['1001', '1002'] // 1003 exists and is not there

export class SimWorld {
  name = 'sim'
  sound = 'prompt'

  async start() {
    this.probe = new Probe(['sim'])
    for (const station of EXTENSIONS)
      await this.probe.ok('sim_station', { station, reachable: REACHABLE.includes(station), answers: true })
    return this
  }

  async legs() {
    return (await this.probe.ok('sim_legs')).legs
  }

  /* The newest leg of this party. */
  async legOf(party) {
    return until(`a leg of ${party}`, async () => (await this.legs()).filter((leg) => leg.party === party).at(-1))
  }

  async isLive(party) {
    return (await this.legs()).some((leg) => leg.party === party)
  }

  async hears(party) {
    return (await this.legs()).filter((leg) => leg.party === party).at(-1)?.hears ?? ''
  }

  async digitsAt(party) {
    return (await this.legOf(party)).digits
  }

  async shownTo(party) {
    return (await this.legOf(party)).shown
  }

  async callIn(from, dnis, name = '') {
    await this.probe.ok('sim_call_in', { from, dnis, name })
  }

  async party(verb, party, fields = {}) {
    return this.probe.ok(`sim_${verb}`, { leg: (await this.legOf(party)).leg, ...fields })
  }

  async hangup(party) {
    await this.party('hangup', party)
  }

  async press(party, digits) {
    await this.party('press', party, { digits })
  }

  async hold(party, on) {
    await this.party('hold', party, { on })
  }

  async cut() {
    await this.probe.ok('sim_link', { on: false })
  }

  async mend() {
    await this.probe.ok('sim_link', { on: true })
  }

  async restart() {
    await this.probe.ok('sim_restart')
  }

  async leftovers() {
    const { legs, mixes } = await this.probe.ok('sim_legs')
    return { legs: legs.length, mixes }
  }

  async stop() {
    await this.probe.stop()
  }
}

export class AsteriskWorld {
  name = 'asterisk'
  phones = new Map()

  async start() {
    this.asterisk = await startAsterisk()
    const { sip, http, carrier } = this.asterisk.ports
    this.sound = this.asterisk.prompt
    this.proxy = await new LinkProxy().start(http)
    this.carrier = await new Carrier({ sipPort: sip, port: carrier }).start()
    for (const station of REACHABLE) await this.plugIn(station, sip)
    this.probe = this.makeProbe()
    return this
  }

  makeProbe({ port = this.proxy.port, password = PASSWORD, host = '127.0.0.1', app = 'calltab', mode } = {}) {
    return new Probe(['ari', host, port, 'calltab', password, app, 'trunk', ...(mode ? [mode] : [])])
  }

  /* A desk telephone that answers by itself when asked to, else after 400 ms. */
  async plugIn(user, sipPort) {
    const phone = new Phone({ user, password: PASSWORD, sipPort, hz: STATION_TONES[this.phones.size] })
    this.phones.set(user, await phone.start())
    await phone.register()
    phone.on('call', (call) => {
      call.ring()
      call.after(/answer-after=0/.test(call.header('Call-Info') ?? '') ? 1 : 400, () => call.answer())
    })
  }

  callOf(party) {
    if (this.phones.has(party)) return this.phones.get(party).live
    return [...this.carrier.calls.values()].filter((call) => this.carrier.partyOf(call) === party).at(-1)
  }

  need(party) {
    return until(`a call of ${party}`, () => this.callOf(party))
  }

  async isLive(party) {
    return Boolean(this.callOf(party))
  }

  tones() {
    const tones = { music: MUSIC_HZ, ringback: 440, [this.sound]: PROMPT_HZ }
    for (const [station, phone] of this.phones) tones[station] = phone.hz
    for (const [party, hz] of this.carrier.toneOf) if (this.callOf(party)) tones[party] = hz
    return tones
  }

  async hears(party) {
    return this.callOf(party)?.heard(this.tones()) ?? ''
  }

  async digitsAt(party) {
    return (await this.need(party)).digits
  }

  async shownTo(party) {
    return /<(.*)>/.exec((await this.need(party)).caller)?.[1] ?? ''
  }

  async callIn(from, dnis, name = '') {
    return this.carrier.callIn(from, dnis, { name })
  }

  async hangup(party) {
    ;(await this.need(party)).hangup()
  }

  async press(party, digits) {
    ;(await this.need(party)).press(digits)
  }

  async hold(party, on) {
    ;(await this.need(party)).hold(on)
  }

  async cut() {
    this.proxy.cut()
    await until('the driver has noticed', () => this.probe.all('link').at(-1).link_up !== 1)
  }

  async mend() {
    this.proxy.mend()
  }

  /* As in a crash. */
  async restart() {
    await this.asterisk.stop('SIGKILL')
    await this.asterisk.start()
  }

  async leftovers() {
    const list = async (what) => (await this.asterisk.request('GET', what)).body.length
    return { legs: await list('channels'), mixes: await list('bridges') }
  }

  async stop() {
    try {
      await this.probe?.stop()
    } finally {
      for (const phone of [...this.phones.values(), this.carrier]) phone?.stop()
      await this.proxy?.stop()
      await this.asterisk?.remove()
    }
  }
}
