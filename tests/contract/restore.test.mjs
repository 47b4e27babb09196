/* A gateway that is killed while people talk, and one that starts again, with a real Asterisk below: nobody hears
 * anybody else than before, and every command works. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { fetchAsterisk } from '../support/asterisk.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { AsteriskWorld } from './driver_worlds.mjs'

function reasonWithoutAsterisk() {
  try {
    fetchAsterisk()
    return false
  } catch (error) {
    return `Asterisk cannot be fetched: ${error.message}`
  }
}

describe('restore', { skip: reasonWithoutAsterisk() }, () => {
  const world = new AsteriskWorld()
  let probe
  let serial = 0
  let slowest = 0

  before(() => world.start())
  after(async () => {
    await world.stop()
    record({ test: 'restore.asterisk.settled', n: 5, figure: Math.round(slowest), unit: 'ms', target: 5000, pass: slowest <= 5000 })
  })
  beforeEach(async () => {
    await live()
  })
  afterEach(async () => {
    await until('nothing is left', async () => Object.values(await world.leftovers()).every((count) => count === 0), 15_000)
    await probe.stop()
  })

  const number = (ending = '777') => `+1${5580000 + ++serial}${ending}`
  const hears = (party, whom) => until(`${party} hears ${whom || 'nobody'}`, async () => (await world.hears(party)) === whom, 10_000)
  const facts = () => probe.facts.filter(({ call }) => call).map(({ fact, call }) => `${fact} ${call}`)

  /* What the journal says comes first. */
  async function live(...calls) {
    probe = world.makeProbe({ mode: 'calls' })
    for (const call of calls) await probe.ok('call_restore', call)
    const began = performance.now()
    await probe.ok('open')
    await probe.fact('call_synced')
    slowest = Math.max(slowest, performance.now() - began)
  }
  async function again(...calls) {
    await probe.kill()
    await live(...calls)
  }
  async function talk(call, station = '1001') {
    const party = number()
    await probe.ok('call_make', { call, station, number: party })
    await probe.fact('call_up', { call }, { ms: 10_000 })
    await hears(party, station)
    return party
  }
  async function clear(...calls) {
    for (const call of calls) await probe.ok('call_clear', { call })
    for (const call of calls) await probe.fact('call_ended', { call })
  }

  test('restore.asterisk.talk_goes_on', async () => {
    const party = await talk('t1')
    await probe.kill()
    await hears(party, '1001')
    await live({ call: 't1', phase: 'talk', station: '1001' })
    assert.deepEqual(facts(), [])
    await hears(party, '1001')
    await hears('1001', party)
    await probe.ok('call_hold', { call: 't1' })
    await hears(party, 'music')
    await hears('1001', '')
    await probe.ok('call_resume', { call: 't1' })
    await hears(party, '1001')
    await clear('t1')
  })

  test('restore.asterisk.held_talked_on_and_waiting', async () => {
    const held = await talk('h1')
    await probe.ok('call_hold', { call: 'h1' })
    const active = await talk('h2')
    const [from, dnis] = [number('1234'), number('5000')]
    await world.callIn(from, dnis)
    const { leg } = await probe.fact('call_offered', { dnis })
    await probe.ok('call_adopt', { call: 'h3', leg })
    await again(
      { call: 'h1', phase: 'held', station: '1001' },
      { call: 'h2', phase: 'talk', station: '1001' },
      { call: 'h3', phase: 'offered', leg },
    )
    assert.deepEqual(facts(), [])
    await hears(held, 'music')
    await hears(active, '1001')
    assert.deepEqual(probe.all('call_offered'), [])
    await probe.ok('call_answer', { call: 'h3', station: '1002' })
    await probe.fact('call_up', { call: 'h3' })
    await hears('1002', from)
    await probe.ok('call_conference', { call: 'h2', held: 'h1' })
    await hears('1001', [held, active].sort().join('+'))
    await again(
      { call: 'h1', phase: 'conference', station: '1001', partner: 'h2' },
      { call: 'h2', phase: 'conference', station: '1001', partner: 'h1' },
      { call: 'h3', phase: 'talk', station: '1002', leg },
    )
    assert.deepEqual(facts(), [])
    await hears('1001', [held, active].sort().join('+'))
    await hears('1002', from)
    await clear('h1', 'h2', 'h3')
  })

  test('restore.asterisk.who_hung_up_meanwhile_is_lost', async () => {
    const party = await talk('g1')
    await talk('g2', '1002')
    await probe.kill()
    await world.hangup(party)
    await world.hangup('1002')
    await until('both are gone', async () => !(await world.isLive(party)) && !(await world.isLive('1002')))
    await live({ call: 'g1', phase: 'talk', station: '1001' }, { call: 'g2', phase: 'talk', station: '1002' })
    assert.equal((await probe.fact('call_ended', { call: 'g1' })).result, 'lost')
    const { result, side } = await probe.fact('call_ended', { call: 'g2' })
    assert.deepEqual([result, side], ['normal', 'switch'])
  })

  test('restore.asterisk.call_being_made_is_found_ringing_and_answered', async () => {
    const party = number('555') // rings after 1 s, answers 2 s later
    await probe.ok('call_make', { call: 'm1', station: '1001', number: party })
    await probe.fact('call_dialing', { call: 'm1' })
    await until('it is there', () => world.callOf(party))
    await again({ call: 'm1', phase: 'made', station: '1001' })
    await probe.fact('call_up', { call: 'm1' }, { ms: 10_000 })
    assert.deepEqual(facts(), ['call_ringing m1', 'call_up m1'])
    await hears(party, '1001')
    await clear('m1')
  })

  test('restore.asterisk.nobody_knows_them', async () => {
    const first = await talk('p1')
    await probe.ok('call_hold', { call: 'p1' })
    const second = await talk('p2')
    await probe.ok('call_complete', { call: 'p2', held: 'p1' })
    await hears(first, second)
    const alone = await talk('p3', '1002')
    const [from, dnis] = [number('1234'), number('5000')]
    await world.callIn(from, dnis)
    const { leg } = await probe.fact('call_offered', { dnis })
    await again()
    assert.equal((await probe.fact('call_offered', { dnis })).leg, leg)
    await until('who is alone is hung up', async () => !(await world.isLive(alone)) && !(await world.isLive('1002')))
    await hears(first, second)
    await hears(second, first)
    await world.hangup(first)
    await until('the other one is hung up', async () => !(await world.isLive(second)))
    await world.hangup(from)
  })
})
