/* Asterisk dies in the middle of calls and is started again: what the agents' tabs are told, and that life goes on. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

let world, key, agents
let serial = 0
const number = () => `+1555${String(++serial).padStart(4, '0')}777`
const isReady = async () => (await world.gateway.request('GET', '/readyz')).status === 200

before(async () => {
  world = await createWorld('asterisk', { config: { wrap_s: 30 } })
  await until('the gateway has reached its switch', isReady, 10_000)
  key = (await world.gateway.program(['key', 'create', 'outage', '--scopes', 'calls.read'])).trim()
  agents = [await world.agent('1001'), await world.agent('1002')]
})

after(() => world?.stop())

async function dial(tab, to = number()) {
  const { callId } = await tab.request('dial', { number: to })
  await tab.state('talk', 10_000)
  return { callId, to }
}

async function finish(tab) {
  await tab.request('endWrap')
  await tab.state('end')
}

test('telephony.outage.killed: every call ends as lost, tabs are told, and new calls work', async () => {
  let pass = false
  try {
    const [{ T1, T2 }, other] = agents
    await dial(T1)
    await T1.request('hold')
    await T1.told('it is held', (call) => call.held)
    await dial(T2)
    await dial(other.T1)
    await world.outside.asterisk.stop('SIGKILL')
    await until('the gateway says so', async () => !(await isReady()), 10_000)
    await assert.rejects(other.T2.request('dial', { number: number() }), ({ code }) => code === 'switch.away')
    for (const tab of [T1, T2, other.T1]) assert.equal(tab.call.state, 'talk', 'nobody knows yet')

    await world.outside.asterisk.start()
    for (const tab of [T1, T2, other.T1]) {
      const { call } = await tab.state('idle', 20_000)
      assert.equal(call.reason, 'lost')
      await finish(tab)
    }
    for (const phone of world.outside.phones) for (const call of phone.calls.values()) call.hangup() // nobody told them
    const { to } = await dial(T1)
    await until('they hear each other', async () => {
      const { [to]: far, 1001: agent } = await world.outside.parties()
      return far?.hears === '1001' && agent?.hears === to
    }, 10_000)
    await T1.request('release')
    await T1.state('idle')
    await finish(T1)
    await until('Asterisk has no channel and no bridge', async () => {
      const lists = await Promise.all(['channels', 'bridges'].map((what) => world.outside.asterisk.request('GET', what)))
      return lists.every(({ body }) => body.length === 0)
    }, 8000)
    await until('all are stored, each with one end', async () => {
      const { value } = await world.gateway.requestOk('GET', '/odata/v4/cts_dialerCalls', { token: key })
      return value.length === 4 && value.every(({ status }) => status === 'closed')
    }, 10_000)
    pass = true
  } finally {
    record({ test: 'telephony.outage.killed', n: 4, figure: pass ? 4 : 0, unit: 'calls', target: 4, pass })
  }
})
