/* The laboratory itself: one call through all of it, looked at from its three sides. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '../support/until.mjs'
import { createFaultWorld } from './gateway_world.mjs'
import { numberThat } from './switch_state.mjs'

let world
before(async () => {
  world = await createFaultWorld({ agents: 2, via: ['tab', 'switch', 'database'], config: { wrap_s: 0 } })
})
after(() => world?.stop())

const kinds = (ledger, party) => ledger.filter((line) => line.party === party).map((line) => line.kind)

test('a dialed call is the same in the ledger, on the tab and in the rows', async () => {
  const number = numberThat({ serial: 1, answerMs: 50 })
  const tab = await world.openTab(0)
  const { result } = await tab.command('dial', { number })
  await tab.state('talk')
  await tab.command('hold')
  await tab.when('it is held', ({ call }) => call.held)
  await tab.command('release')
  await tab.state('idle')
  await tab.command('setOutcome', { outcome: 'Sale' })
  await tab.command('endWrap')
  await tab.state('end')
  const { rows, ledger, tabs } = await world.logs()

  assert.deepEqual(rows.events.map(({ event_name: name }) => name), ['ring', 'talk', 'hold', 'idle', 'end'])
  assert.equal(rows.calls.length, 1)
  assert.equal(rows.calls[0].call_id, result.callId)
  assert.deepEqual(rows.results.map((row) => row.result), ['Sale'])
  assert.deepEqual(kinds(ledger, number).filter((kind) => !['join', 'leave'].includes(kind)), ['effect', 'dial', 'ring', 'answer', 'hangup_asked', 'hangup', 'gone'])
  assert.ok(ledger.some((line) => line.kind === 'hold' && line.channels.includes(`lab-c-${result.callId}`)))
  assert.deepEqual(tabs.filter((entry) => entry.kind === 'event' && entry.method === 'state').map((entry) => entry.call.state), ['ringing', 'talk', 'idle', 'end'])
  assert.deepEqual(tab.faults, [])
})

test('a caller reaches an agent, who is cut off and comes back to what he missed', async () => {
  const tab = await world.openTab(1)
  await tab.command('agentReady')
  await tab.when('he is ready', ({ agentView }) => agentView.state === 'Ready')
  await world.switch.ask('call', { from: '+15550001234', to: '5000', name: 'Clara' })
  await tab.state('incoming')
  await tab.command('answer')
  await tab.state('talk')
  tab.cut()
  await world.switch.ask('hangup', { party: '+15550001234' })
  await until('the end is stored', async () => (await world.rows()).events.some((row) => row.event_name === 'idle' && row.phone_number === '+15550001234'))
  const answer = await tab.connect()
  assert.equal(answer.resumed, true)
  await tab.state('idle')
  assert.equal(tab.call.endedBy, 'customer')
  await tab.command('setOutcome', { outcome: 'Sale' })
  await tab.command('endWrap')
  await tab.state('end')
  assert.deepEqual(tab.faults, [])
})

test('the switch goes on when the gateway is killed, and nothing is left behind', async () => {
  const number = numberThat({ serial: 2 })
  const tab = await world.openTab(0)
  await tab.command('dial', { number })
  await tab.state('talk')
  const killed = world.gateway.pid
  await world.killAndRestart()
  assert.notEqual(world.gateway.pid, killed)
  await world.ready()
  assert.ok((await world.switch.ask('stats')).connections >= 2)
  if (world.hasJournal) {
    await tab.connect()
    await tab.state('talk')
    await tab.command('release')
  }
  await until('the switch is empty', async () => (await world.switch.ask('live')).length === 0)
})
