/* The hold key of the desk telephone itself: the tab says so, the customer hears music, and taking it off hold resumes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { SWITCHES, createWorld } from '../support/world.mjs'

for (const name of SWITCHES) suite(name)

function suite(name) {
  let world, agent
  let serial = 0

  before(async () => {
    world = await createWorld(name, { config: { wrap_s: 0 } })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    agent = await world.agent('1001')
  })
  after(() => world?.stop())

  const told = (tab, what, matches) => until(`${what}: ${JSON.stringify(tab.call?.can)}`, () => tab.call && matches(tab.call) && tab.call, 8000)

  async function talk() {
    const to = `+1555${String(++serial).padStart(4, '0')}777`
    await agent.T1.request('dial', { number: to })
    await agent.T1.state('talk')
    await world.hear({ [to]: '1001', 1001: to })
    return to
  }

  async function release(tab) {
    await tab.request('release')
    await tab.request('endWrap')
    await until('nothing is left at the switch', async () => Object.keys(await world.outside.parties()).length === 0, 8000)
  }

  function row(id, words, run) {
    test(`call.${name}.desk.${id} ${words}`, async () => {
      let pass = false
      try {
        await run()
        pass = true
      } finally {
        record({ test: `call.${name}.desk.${id}`, n: 1, figure: pass ? 1 : 0, unit: 'calls', target: 1, pass })
      }
    })
  }

  row('hold', 'hold pressed on the telephone is a hold in the tab, and off again a resume', async () => {
    const { T1 } = agent
    const to = await talk()
    for (let i = 0; i < 2; i++) {
      await world.outside.hold('1001', true)
      const held = await told(T1, 'held', (call) => call.held && call.state === 'talk')
      assert.equal(held.reason, 'telephone_hold')
      assert.equal(held.actor, 'agent')
      await world.hear({ [to]: 'music', 1001: '' })
      await world.outside.hold('1001', false)
      assert.equal((await told(T1, 'resumed', (call) => !call.held)).reason, 'telephone_resume')
      await world.hear({ [to]: '1001', 1001: to })
    }
    await release(T1)
  })

  row('refused', 'while the telephone is on hold the tab cannot resume or consult, and says why', async () => {
    const { T1, T2 } = agent
    const to = await talk()
    await world.outside.hold('1001', true)
    const held = await told(T1, 'held', (call) => call.held && !call.can.includes('resume'))
    assert.ok(!held.can.includes('transferConsult'))
    for (const [tab, method, params] of [[T1, 'resume', {}], [T1, 'transferConsult', { number: '+15550009777' }], [T2, 'dial', { number: '+15550009777' }]])
      await assert.rejects(tab.request(method, params), { code: 'agent.telephone_on_hold' }, method)
    await world.hear({ [to]: 'music', 1001: '' })
    await world.outside.hold('1001', false)
    await told(T1, 'resumed', (call) => !call.held && call.can.includes('transferConsult'))
    await release(T1)
  })

  row('transfer', 'a call that the telephone holds can be given away, and the next one is as ever', async () => {
    const { T1 } = agent
    const to = await talk()
    await world.outside.hold('1001', true)
    await told(T1, 'held', (call) => call.held)
    const target = '+15550008777'
    await T1.request('transferBlind', { number: target })
    await T1.state('idle')
    await world.hear({ [to]: target, [target]: to })
    await world.outside.hangup(to)
    await T1.request('endWrap')
    await until('nothing is left at the switch', async () => Object.keys(await world.outside.parties()).length === 0, 8000)
    await talk()
    await release(T1)
  })
}
