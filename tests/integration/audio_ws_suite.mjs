/* An agent whose audio is in his page, on a world (tests/support/world.mjs): the page's part is played by PcmSocket, the
 * browser's own is tests/web/audio_*.test.mjs. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { PcmSocket } from '../support/pcm_socket.mjs'
import { STATION_TONES } from '../support/phone.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

const PROTOCOL = 'calltab.audio.v1'
const RELOAD_MS = 2000
const CLOSED_MS = 5000

export function audioWsSuite(name) {
  let world, session, T1
  let serial = 0
  let pages = []

  const number = (ending = '100') => `+1556${String(++serial).padStart(4, '0')}${ending}`
  const hears = (party, whom, ms) => world.hear({ [party]: whom }, { only: false, ms })
  const agent = () => T1.agent
  const legCount = async () => (name === 'sim' ? (await world.outside.ask('legs')).legs.length : (await world.outside.asterisk.request('GET', 'channels')).body.length)

  before(async () => {
    world = await createWorld(name, { config: { wrap_s: 0 } })
    const { gateway } = world
    await gateway.program(['agent', 'audio', '1001', 'ws'])
    process.kill(gateway.pid, 'SIGHUP')
    await until('the gateway knows', () => gateway.log.split('setup loaded').length > 2)
    ;({ session, T1 } = await world.agent('1001'))
  })
  after(async () => {
    for (const page of pages) page.cut()
    await world?.stop()
  })
  afterEach(async () => {
    for (const page of pages) page.close()
    await until('nothing is left', async () => (await legCount()) === 0, 30_000)
    pages = []
    if (T1.call && ['idle'].includes(T1.call.state)) await T1.request('endWrap')
  })

  async function open(window, { take = false, ticket, origin = world.gateway.origin, protocols } = {}) {
    const given = ticket ?? (await world.gateway.ticket(session))
    const list = protocols ?? [PROTOCOL, `ticket.${given}`, `window.${window}`, ...(take ? ['take'] : [])]
    const page = await PcmSocket.open(`ws://127.0.0.1:${world.gateway.port}/audio`, list, { hz: STATION_TONES[0], origin })
    pages.push(page)
    return page
  }
  async function opened(window, options) {
    const page = await open(window, options)
    await until('audio is up', () => agent().audioUp && agent().audioWindow === window && !page.closed, 10_000)
    return page
  }
  const closedWith = async (page) => (await until('the page is closed', () => page.closed)) && page.closed

  function story(title, body) {
    test(`audio.ws.${name}.${title}`, { timeout: 90_000 }, async () => {
      let pass = false
      try {
        await body()
        pass = true
      } finally {
        record({ test: `audio.ws_suite.${name}`, pass })
      }
    })
  }

  /* The page hears the customer: only where there is sound. */
  const tones = () => Object.fromEntries(world.outside.carrier?.toneOf ?? [])
  const pageHears = async (page, party) => name === 'sim' || until(`the page hears ${party}`, () => page.heard({ [party]: tones()[party] }) === party, 10_000)

  async function talk(page) {
    const party = number()
    await T1.request('dial', { number: party })
    await T1.state('talk')
    await hears(party, '1001')
    await pageHears(page, party)
    return party
  }
  async function done(party) {
    await world.outside.hangup(party)
    await T1.told('idle', ({ state }) => state === 'idle')
    await T1.request('endWrap')
    await T1.state('end')
  }

  story('both_ways: the page talks with the customer, is held, and talks again', async () => {
    const page = await opened('w1')
    const party = await talk(page)
    await T1.request('hold')
    await hears(party, 'music')
    await T1.request('resume')
    await hears(party, '1001')
    await pageHears(page, party)
    await T1.request('mute', { on: true })
    await hears(party, '')
    await T1.request('mute', { on: false })
    await hears(party, '1001')
    if (name !== 'sim') {
      const { received } = page
      const begun = performance.now()
      await until('a hundred frames more', () => page.received - received >= 100)
      const rate = 100_000 / (performance.now() - begun)
      assert.ok(rate > 35 && rate < 70, `${rate} frames a second`)
    }
    await done(party)
  })

  story('reload: the customer hears music, and the page again within two seconds', async () => {
    const party = await talk(await opened('w1'))
    pages.pop().close()
    await hears(party, 'music')
    const begun = performance.now()
    const page = await opened('w1')
    await hears(party, '1001')
    const ms = Math.round(performance.now() - begun)
    await pageHears(page, party)
    assert.equal(T1.call.state, 'talk')
    record({ test: `audio.ws_suite.${name}.reload`, figure: ms, unit: 'ms', target: RELOAD_MS, pass: ms <= RELOAD_MS })
    await done(party)
  })

  story('takeover: another window is told where the audio is, and takes it over', async () => {
    const first = await opened('w1')
    const party = await talk(first)
    const refused = await open('w2')
    assert.deepEqual(await closedWith(refused), { code: 4409, reason: 'audio.elsewhere' })
    assert.equal(agent().audioWindow, 'w1')
    await hears(party, '1001')
    const second = await opened('w2', { take: true })
    assert.deepEqual(await closedWith(first), { code: 4409, reason: 'audio.taken' })
    await hears(party, '1001')
    await pageHears(second, party)
    assert.equal(agent().audioWindow, 'w2')
    await done(party)
  })

  story('closed: a page that is gone leaves no leg behind', async () => {
    await opened('w1', { take: true }) // the place is still kept for w2
    for (const end of ['close', 'cut']) {
      const page = pages.at(-1)
      const begun = performance.now()
      page[end]()
      await until('its leg is gone', async () => (await legCount()) === 0, CLOSED_MS)
      const ms = Math.round(performance.now() - begun)
      record({ test: `audio.ws_suite.${name}.closed`, figure: ms, unit: 'ms', target: CLOSED_MS, pass: ms <= CLOSED_MS })
      await until('and the tab is told', () => !agent().audioUp)
      if (end === 'close') await opened('w1')
    }
  })

  story('silent: a page that sends nothing any more is gone', async () => {
    const page = await opened('w1')
    page.stop()
    await until('its leg is gone', async () => (await legCount()) === 0, 10_000)
    await until('and the tab is told', () => !agent().audioUp)
  })

  story('refused: without a ticket, twice with one, with a bad frame, as a text', async () => {
    assert.equal((await closedWith(await open('w1', { ticket: 'x'.repeat(43) }))).code, 4401)
    const ticket = await world.gateway.ticket(session)
    await opened('w1', { ticket })
    assert.equal((await closedWith(await open('w1', { ticket }))).code, 4401)
    await assert.rejects(open('w1', { origin: 'https://elsewhere.example' }))
    await assert.rejects(open('w1', { protocols: ['calltab.v1', 'ticket.x'] }))
    assert.equal((await closedWith(await open('w'.repeat(17)))).code, 4403)
    for (const bad of [Buffer.alloc(638), Buffer.alloc(641), Buffer.alloc(100_000), 'text']) {
      const page = await opened('w1', { take: true })
      page.ws.send(bad)
      assert.deepEqual(await closedWith(page), { code: 1008, reason: 'audio.bad_frame' })
    }
    const other = await world.gateway.signIn('1002')
    const desk = await open('w1', { ticket: await world.gateway.ticket(other) })
    assert.deepEqual(await closedWith(desk), { code: 4403, reason: 'audio.not_here' })
  })

  story('late: what comes faster than it can be heard is dropped, and the rest stays in time', async () => {
    const page = await opened('w1')
    const party = await talk(page)
    for (let i = 0; i < 500; i++) page.send(page.tone()) // ten seconds at once
    if (name !== 'sim') {
      page.hz = 0
      await hears(party, '', 3000)
      page.hz = STATION_TONES[0]
    }
    await hears(party, '1001')
    await done(party)
  })

  story('session: a sign-out ends the audio', async () => {
    const signedIn = await world.gateway.signIn('1001')
    const page = await opened('w1', { ticket: await world.gateway.ticket(signedIn) })
    await world.gateway.requestOk('POST', '/api/v1/sign-out', { token: signedIn.token })
    assert.equal((await closedWith(page)).code, 4401)
  })
}
