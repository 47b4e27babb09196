/* Calls to a carrier nobody here wrote: sipp (support/sipp/carrier.xml) behind a real Asterisk. The agent's telephone is
 * ours, says its tone, and hears it come back: sipp echoes what it gets. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { record } from '../support/results.mjs'
import { hasSipp, startSipp } from '../support/sipp.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

const CALL_PACE_MS = 160
const CALLS_IN_A_ROW = 20

describe('sipp is the carrier', { skip: hasSipp() ? false : 'sipp is not installed (Debian package sip-tester)' }, () => {
  let world, key, T1, phone
  let serial = 0
  /* Numbers are used once; the last three digits say what sipp does. */
  const number = (ending = '100') => `+1556${String(++serial).padStart(4, '0')}${ending}`

  before(async () => {
    world = await createWorld('asterisk', { config: { wrap_s: 30, ring_s: 5 }, startCarrier: startSipp })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    key = (await world.gateway.program(['key', 'create', 'sipp', '--scopes', 'calls.read'])).trim()
    T1 = (await world.agent('1001')).T1
    phone = world.outside.phones[0]
  })

  after(() => world?.stop())

  const set = async (path) => (await world.gateway.requestOk('GET', `/odata/v4/${path}`, { token: key })).value
  const eventNames = async (id) => (await set(`cts_dialerCalls(${id})/dialerCallEvents`)).map((event) => event.eventName)
  const hearsItself = () => phone.live?.heard({ itself: phone.hz }) === 'itself'

  async function nothingIsLeft() {
    await until('Asterisk has no channel and no bridge', async () => {
      const [channels, bridges] = await Promise.all(['channels', 'bridges'].map((what) => world.outside.asterisk.request('GET', what)))
      return channels.body.length === 0 && bridges.body.length === 0
    }, 8000)
  }

  async function dial(to) {
    const { dtCallId } = await T1.request('dial', { number: to })
    await T1.state('ringing')
    return dtCallId
  }

  /* The wrap ends by hand; resolves with the call at its end. */
  async function finish() {
    await T1.request('endWrap')
    const { call } = await T1.state('end')
    await nothingIsLeft()
    return call
  }

  async function giveUp() {
    for (const method of ['release', 'endWrap']) await T1.request(method).catch(() => {})
    await nothingIsLeft().catch(() => {})
  }

  function row(id, words, run, n = 1) {
    test(`call.sipp.${id} ${words}`, async () => {
      let pass = false
      try {
        await run()
        pass = true
      } finally {
        if (!pass) await giveUp() // the next row is not to fail for this one
        record({ test: `call.sipp.${id}`, n, figure: pass ? n : 0, unit: 'calls', target: n, pass })
      }
    })
  }

  row('answered', 'the agent dials, sipp rings and answers, the agent hears its own tone come back, releases; events are stored', async () => {
    const to = number()
    const id = await dial(to)
    await T1.state('talk')
    await until('the tone comes back', hearsItself, 8000)
    await T1.request('release')
    const { call } = await T1.state('idle')
    assert.equal(call.endedBy, 'agent')
    await finish()
    assert.deepEqual(await eventNames(id), ['ring', 'talk', 'idle', 'end'])
    const row = await world.gateway.requestOk('GET', `/odata/v4/cts_dialerCalls(${id})`, { token: key })
    assert.deepEqual([row.phoneNumber, row.status, row.connects, row.didConnect], [to, 'closed', 1, true])
  })

  const refusals = [
    ['busy', '486', 'busy', 'Busy', { busies: 1, noAnswers: 0 }],
    ['unknown', '404', 'error on dial', 'EoD', { busies: 0, noAnswers: 0 }],
    ['away', '480', 'no answer', 'No Answer', { busies: 0, noAnswers: 1 }],
  ]
  for (const [id, ending, eventName, outcome, counters] of refusals) {
    row(id, `${ending}: the event "${eventName}", the outcome ${outcome}, no talk`, async () => {
      const dialerCall = await dial(number(ending))
      const { call } = await T1.state('idle', 8000)
      assert.equal(call.outcome, outcome)
      await finish()
      const names = await eventNames(dialerCall)
      assert.ok(names.includes(eventName) && !names.includes('talk'), `events: ${names}`)
      const row = await world.gateway.requestOk('GET', `/odata/v4/cts_dialerCalls(${dialerCall})`, { token: key })
      const { busies, noAnswers, didConnect } = row
      assert.deepEqual({ busies, noAnswers, didConnect }, { ...counters, didConnect: false })
    })
  }

  row('far_end', 'sipp hangs up: the call goes idle, ended by the customer', async () => {
    await dial(number('199'))
    await T1.state('talk')
    const { call } = await T1.state('idle', 8000)
    assert.equal(call.endedBy, 'customer')
    await finish()
  })

  row('early', 'early media is heard while it rings, and the answer makes it talk', async () => {
    await dial(number('183'))
    await until('the tone comes back before the answer', () => hearsItself() && T1.call.state === 'ringing', 8000)
    await T1.state('talk')
    await until('the tone comes back', hearsItself, 8000)
    await T1.request('release')
    await finish()
  })

  row('cancelled', 'the agent gives up while it rings: sipp gets a CANCEL it understands', async () => {
    const id = await dial(number('183'))
    await until('sipp has the call', hearsItself, 8000)
    await T1.request('release')
    await finish()
    assert.ok(!(await eventNames(id)).includes('talk'))
  })

  row('in_a_row', `${CALLS_IN_A_ROW} calls one after the other: all closed, nothing left in Asterisk`, async () => {
    const before = (await set('cts_dialerCalls?$top=1000')).length
    const began = performance.now()
    for (let i = 0; i < CALLS_IN_A_ROW; i++) {
      // a tab may send 20 messages a second, and a call takes three
      await until('the tab may send again', () => performance.now() - began >= i * CALL_PACE_MS)
      await dial(number('777'))
      await T1.state('talk')
      await T1.request('release')
      await T1.state('idle')
      await T1.request('endWrap')
      await T1.state('end')
    }
    await nothingIsLeft()
    const made = (await set('cts_dialerCalls?$top=1000')).slice(before)
    assert.equal(made.length, CALLS_IN_A_ROW)
    assert.deepEqual(made.filter(({ status, didConnect }) => status !== 'closed' || !didConnect), [])
  }, CALLS_IN_A_ROW)
})
