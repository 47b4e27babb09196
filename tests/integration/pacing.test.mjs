/* More calls are wanted than the switch is asked for in a second: they wait for their turn, and everybody can see it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addAgents, openTab } from '../support/crew.mjs'
import { startGateway } from '../support/gateway.mjs'
import { createDatabase } from '../support/pg.mjs'
import { until } from '../support/until.mjs'

const PER_SECOND = 2
const RING_S = 2

let database, gateway, tabs
let serial = 0
const number = () => `+1555${String(++serial).padStart(4, '0')}100`
const switchState = async () => (await gateway.request('GET', '/readyz')).body.switch
const waits = (tab) => tab.told('it waits', (call) => call.state === 'ringing' && call.reason === 'waits_for_line')

before(async () => {
  database = await createDatabase()
  const crew = await addAgents(database, 10)
  gateway = await startGateway({ database, config: { sim_calls_per_s: PER_SECOND, ring_s: RING_S, wrap_s: 0, sim_ring_ms: 10, sim_answer_ms: 10 } })
  await until('the gateway has its switch', async () => (await gateway.request('GET', '/readyz')).status === 200, 10_000)
  tabs = await Promise.all(crew.map((agent) => openTab(gateway, agent)))
})

after(async () => {
  for (const tab of tabs ?? []) await tab.close()
  await gateway?.stop()
  await database?.drop()
})

async function finish(tab) {
  if (tab.call.state !== 'idle') {
    await tab.request('release')
    await tab.state('idle')
  }
  await tab.request('endWrap')
  await tab.state('end')
}

test('a call over the pace is seen to wait, goes in its turn, and can be given up', async () => {
  const some = tabs.slice(0, 4)
  for (const tab of some) await tab.request('dial', { number: number() })
  const [first, second, third, fourth] = some
  for (const tab of [second, third, fourth]) await waits(tab)
  assert.equal((await switchState()).waiting, 3)
  await third.request('release')
  const { call } = await third.state('idle')
  assert.deepEqual([call.reason, call.result], ['released', 'cancelled'])
  const order = []
  const goes = async (tab) => {
    await tab.state('talk', 10_000)
    order.push(some.indexOf(tab))
  }
  await Promise.all([fourth, second, first].map(goes))
  assert.deepEqual(order, [0, 1, 3])
  const { waiting, delayed } = await switchState()
  assert.deepEqual([waiting, delayed], [0, 3])
  for (const tab of some) await finish(tab)
})

test('the ring limit counts while a call waits, and nobody is called afterwards', async () => {
  for (const tab of tabs) await tab.request('dial', { number: number() })
  const last = tabs.at(-1)
  await waits(last)
  const { call } = await last.state('idle', 10_000)
  assert.deepEqual([call.reason, call.result], ['ring_limit', 'error'])
  await until('nobody waits any more', async () => (await switchState()).waiting === 0, 15_000)
  const talked = tabs.filter((tab) => tab.received.some(({ params }) => params.call?.phone === tab.call.phone && params.call.state === 'talk'))
  assert.ok(talked.length >= 2 && !talked.includes(last), `${talked.length} were called`)
  for (const tab of tabs) {
    await tab.told('it talks or is over', ({ state }) => ['talk', 'idle'].includes(state))
    await finish(tab)
  }
})
