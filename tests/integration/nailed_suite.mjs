/* An agent whose telephone stays up between calls, on a world (tests/support/world.mjs). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

export function nailedSuite(name) {
  let world, T1
  let serial = 0

  const number = (ending = '100') => `+1557${String(++serial).padStart(4, '0')}${ending}`
  const parties = async () => Object.keys(await world.outside.parties()).sort()
  const isThere = (...expected) => until(`${expected} are there`, async () => (await parties()).join() === expected.sort().join(), 15_000)
  const agent = () => T1.received.filter(({ method }) => method === 'agent').at(-1)?.params.agent ?? T1.attached.agent
  const audio = (isUp) => until(`audio is ${isUp}`, () => agent().audioUp === isUp, 15_000)
  const says = (state) => T1.request('setState', { state })

  async function mode(word) {
    const { gateway } = world
    const loaded = () => gateway.log.split('setup loaded').length
    const before = loaded()
    await gateway.program(['agent', 'audio', '1001', word])
    process.kill(gateway.pid, 'SIGHUP')
    await until('the gateway knows', () => loaded() > before)
  }

  before(async () => {
    world = await createWorld(name, { config: { wrap_s: 0 } })
    await mode('nailed')
    T1 = (await world.agent('1001')).T1
  })
  after(async () => {
    await world?.stop()
  })

  function story(title, body) {
    test(title, { timeout: 60_000 }, async () => {
      let pass = false
      try {
        await body()
        pass = true
      } finally {
        record({ test: `audio.nailed.${name}`, pass })
      }
    })
  }

  async function talk() {
    const party = number()
    await T1.request('dial', { number: party })
    await T1.state('talk')
    await world.hear({ [party]: '1001', 1001: party })
    return party
  }
  async function done() {
    await T1.told('idle', ({ state }) => state === 'idle')
    await T1.request('endWrap')
    await T1.state('end')
  }

  story(`audio.nailed.${name}.rung_when_ready: before any call, and told to the tab`, async () => {
    assert.equal(agent().audio, 'nailed')
    assert.equal(agent().audioUp, false)
    assert.deepEqual(await parties(), [])
    await says('Ready')
    await audio(true)
    await isThere('1001')
    await world.hear({ 1001: '' })
  })

  story(`audio.nailed.${name}.stays: two calls and a hold are heard, and it is never rung again`, async () => {
    const ups = T1.received.filter(({ method }) => method === 'agent').length
    const first = await talk()
    await T1.request('release')
    await done()
    await isThere('1001')
    await world.hear({ 1001: '' })
    const second = await talk()
    await T1.request('hold')
    await world.hear({ [second]: 'music', 1001: '' })
    await T1.request('resume')
    await world.hear({ [second]: '1001', 1001: second })
    await world.outside.hangup(second)
    await done()
    await isThere('1001')
    assert.notEqual(first, second)
    const told = T1.received.filter(({ method }) => method === 'agent').slice(ups)
    assert.ok(told.every(({ params }) => params.agent.audioUp), 'it never went down')
  })

  story(`audio.nailed.${name}.redialed: who puts it down is rung again`, async () => {
    const count = T1.received.length
    await world.outside.hangup('1001')
    await until('the tab is told', () => T1.received.slice(count).some(({ method, params }) => method === 'agent' && !params.agent.audioUp))
    await audio(true)
    await talk()
    await T1.request('release')
    await done()
  })

  story(`audio.nailed.${name}.let_go: with another mode`, async () => {
    await isThere('1001')
    await mode('desk')
    await isThere()
    await audio(false)
    const party = await talk()
    await world.outside.hangup(party)
    await isThere()
    await done()
  })
}
