/* One small world on either switch: a gateway, two agents with telephones, people outside. A test written against it
 * runs on the simulated switch and on a real Asterisk, and asks the same question of both: who hears whom.
 *
 *   const world = await createWorld('sim')                    // or 'asterisk'
 *   const { T1, T2 } = await world.agent('1001')              // two tabs of one agent (RawTab), opened when named
 *   await T1.request('dial', { number: '+15550100001' })
 *   await T1.state('talk')
 *   await world.hear({ '+15550100001': '1001', 1001: '+15550100001' })
 *   await world.outside.hangup('+15550100001')
 *   await world.stop()
 *
 * `outside` has, on both: call(from, to, {name}) a caller comes in; answer(party), hangup(party), press(party, digits), hold(party, on) with the telephone's own key;
 * parties() {party: {state, hears, digits, shown}}: everybody who is up or ringing, by number or extension; shown: the
 * number on his display. What one hears is
 * the others' numbers, 'music' or the name of a sound, sorted and joined by '+'; '' is silence. */
import { MUSIC_HZ, PROMPT_HZ, startAsterisk } from './asterisk.mjs'
import { startGateway } from './gateway.mjs'
import { LinkProxy } from './link_proxy.mjs'
import { Carrier, Phone, STATION_TONES } from './phone.mjs'
import { until } from './until.mjs'

export const SWITCHES = ['sim', 'asterisk']
const EXTENSIONS = ['1001', '1002']
const HEARING_MS = 8000 // a tone has to arrive and to be measured

/* config: more of the gateway's. startCarrier({sipPort, port}): another carrier for Asterisk than phone.mjs's (sipp.mjs).
 * hasLink: the gateway reaches Asterisk by outside.link (link_proxy.mjs), which can be cut. */
export async function createWorld(name, { config = {}, database, startCarrier, hasLink } = {}) {
  const outside = name === 'asterisk' ? await AsteriskOutside.start({ startCarrier, hasLink }) : new SimOutside()
  try {
    const gateway = await startGateway({ config: { ...outside.config, ...config }, database })
    await outside.attach(gateway)
    return new World(name, gateway, outside)
  } catch (error) {
    await outside.stop()
    throw error
  }
}

class World {
  #agents = new Map()
  constructor(name, gateway, outside) {
    Object.assign(this, { name, gateway, outside, database: gateway.database })
  }

  /* {session, T1, T2}: signed in, both tabs attached. */
  async agent(login) {
    if (!this.#agents.has(login)) {
      const session = await this.gateway.signIn(login)
      const [T1, T2] = await Promise.all([1, 2].map((tab) => this.gateway.openRaw(session, { tab })))
      this.#agents.set(login, { session, T1, T2 })
    }
    return this.#agents.get(login)
  }

  /* Waits until everybody named hears exactly that, and nobody else is there when `only` is set. */
  async hear(expected, { ms = HEARING_MS, only = true } = {}) {
    const wanted = JSON.stringify(sorted(expected))
    const heard = async () => {
      const all = Object.entries(await this.outside.parties()).map(([party, { hears }]) => [party, hears])
      return JSON.stringify(sorted(Object.fromEntries(all.filter(([party]) => only || party in expected))))
    }
    let last
    await until(`they hear ${wanted}`, async () => (last = await heard()) === wanted, ms).catch((error) => {
      throw new Error(`${error.message}; heard was ${last}`)
    })
  }

  async stop() {
    for (const { T1, T2 } of this.#agents.values()) await Promise.all([T1.close(), T2.close()])
    try {
      await this.gateway.stop()
    } finally {
      await this.outside.stop()
    }
  }
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))

/* --- the simulated switch: asked over HTTP --- */

class SimOutside {
  config = { switch: 'sim' }

  async attach(gateway) {
    this.gateway = gateway
    this.key = (await gateway.program(['key', 'create', 'world', '--scopes', 'admin,dial,calls.read'])).trim()
    for (const station of EXTENSIONS) await this.ask('station', { station, reachable: 'true' })
  }

  ask(verb, json) {
    return this.gateway.requestOk(json ? 'POST' : 'GET', `/api/v1/sim/${verb}`, { token: this.key, json })
  }

  async parties() {
    const { legs } = await this.ask('legs')
    return Object.fromEntries(legs.map(({ party, state, hears, digits, shown, leg }) => [party, { state, hears, digits, shown, leg }]))
  }

  async #leg(party) {
    const found = (await this.parties())[party]
    if (!found) throw new Error(`${party} is in no call`)
    return found.leg
  }

  async call(from, to, { name = '' } = {}) {
    await this.ask('call', { from, to, name })
  }

  async answer(party) {
    await this.ask('answer', { leg: await this.#leg(party) })
  }

  async hangup(party) {
    await this.ask('hangup', { leg: await this.#leg(party) })
  }

  async press(party, digits) {
    await this.ask('press', { leg: await this.#leg(party), digits })
  }

  async hold(party, on) {
    await this.ask('hold', { leg: await this.#leg(party), on: String(on) })
  }

  async stop() {}
}

/* --- Asterisk: real telephones and a carrier made of them --- */

class AsteriskOutside {
  static async start({ startCarrier = (ports) => new Carrier(ports).start(), hasLink }) {
    const outside = new AsteriskOutside()
    try {
      return await outside.begin(startCarrier, hasLink)
    } catch (error) {
      await outside.stop() // or what it opened keeps the test's process alive
      throw error
    }
  }

  async begin(startCarrier, hasLink) {
    const outside = this
    outside.asterisk = await startAsterisk()
    const { ports, ari } = outside.asterisk
    if (hasLink) outside.link = await new LinkProxy().start(ari.port)
    outside.config = { switch: 'ari', ari_port: outside.link?.port ?? ari.port, ari_user: ari.user, ari_password: ari.password, ari_app: ari.app, ari_trunk: ari.trunk }
    outside.carrier = await startCarrier({ sipPort: ports.sip, port: ports.carrier })
    outside.phones = await Promise.all(
      EXTENSIONS.map((user, i) => new Phone({ user, password: ari.password, sipPort: ports.sip, hz: STATION_TONES[i] }).start()),
    )
    for (const phone of outside.phones) {
      phone.on('call', (call) => call.ring().answer())
      await phone.register()
    }
    return outside
  }

  async attach() {}

  #calls() {
    const stations = this.phones.flatMap((phone) => [...phone.calls.values()].map((call) => [phone.user, call]))
    const people = [...this.carrier.calls.values()].map((call) => [this.carrier.partyOf(call), call])
    return [...stations, ...people]
  }

  /* Tones are given again after ten numbers: only whoever is in a call now can be heard. */
  #tones() {
    const present = new Set(this.#calls().map(([party]) => party))
    return {
      music: MUSIC_HZ,
      prompt: PROMPT_HZ,
      ...Object.fromEntries(this.phones.map(({ user, hz }) => [user, hz])),
      ...Object.fromEntries([...this.carrier.toneOf].filter(([party]) => present.has(party))),
    }
  }

  async parties() {
    const tones = this.#tones()
    return Object.fromEntries(
      this.#calls().map(([party, call]) => {
        const others = Object.fromEntries(Object.entries(tones).filter(([name]) => name !== party))
        return [party, { state: call.state, hears: call.heard(others), digits: call.digits, shown: /<(.*)>$/.exec(call.caller)?.[1] ?? '' }]
      }),
    )
  }

  #call(party) {
    const found = this.#calls().find(([name]) => name === party)
    if (!found) throw new Error(`${party} is in no call`)
    return found[1]
  }

  async call(from, to, { name = '' } = {}) {
    await this.carrier.callIn(from, to, { name })
  }

  async answer(party) {
    this.#call(party).answer()
  }

  async hangup(party) {
    this.#call(party).hangup()
  }

  async press(party, digits) {
    this.#call(party).press(digits)
  }

  async hold(party, on) {
    this.#call(party).hold(on)
  }

  async stop() {
    try {
      for (const phone of [...(this.phones ?? []), this.carrier]) phone?.stop()
    } finally {
      await this.link?.stop()
      await this.asterisk?.remove()
    }
  }
}
