/* The way to the switch is gone while five hundred calls are up, and life goes on there: some end, some answer, callers
 * come. Five seconds after it is back no call differs from the switch, and channels of others were not touched. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { SEED, SWITCH_CALLS } from './amounts.mjs'
import { check, describe } from './checker.mjs'
import { createFaultWorld } from './gateway_world.mjs'
import { numberThat } from './switch_state.mjs'

const AWAY_MS = 6000
const SETTLED_MS = 5000
const ENDED_SHARE = 0.3
const RINGING_SHARE = 0.1
const AT_ONCE = 25 // dials under way
const FOREIGN = ['pbx-1', 'pbx-2', 'pbx-3']

/* In groups, as a switch takes them. */
async function inGroups(list, run) {
  for (let i = 0; i < list.length; i += AT_ONCE) await Promise.all(list.slice(i, i + AT_ONCE).map(run))
}

test(`switch.outage: ${SWITCH_CALLS} calls`, { timeout: 300_000 }, async (t) => {
  const random = seeded(SEED)
  const world = await createFaultWorld({ agents: SWITCH_CALLS, via: ['switch'], seed: SEED, config: { wrap_s: 0, ring_s: 60 } })
  try {
    for (const id of FOREIGN) await world.switch.ask('foreign', { id })
    const tabs = Array.from({ length: SWITCH_CALLS }, (_, i) => world.client(i))
    await inGroups(tabs, (tab) => tab.connect())
    const ringing = new Set(tabs.filter(() => random.chance(RINGING_SHARE)))
    await inGroups(tabs, async (tab) => {
      const number = ringing.has(tab) ? `+1${tab.agent}000408` : numberThat({ serial: tab.agent, answerMs: 0 })
      const { result, error } = await tab.command('dial', { number })
      assert.ok(result, JSON.stringify(error))
      tab.callId = result.callId
      await tab.state(ringing.has(tab) ? 'ringing' : 'talk')
    })
    await until('all of them ring or talk at the switch', async () => (await world.switch.ask('live')).filter(({ id, state }) => id.startsWith('lab-c-') && ['Up', 'Ringing'].includes(state)).length === SWITCH_CALLS)

    const proxy = world.proxies.switch
    proxy.newcomers = 'refuse'
    proxy.rst()
    await until('the gateway says so', async () => !(await world.isReady()))
    const gone = tabs.filter(() => random.chance(ENDED_SHARE))
    const answered = [...ringing].filter((tab) => !gone.includes(tab) && random.chance(0.5))
    await world.switch.ask('many', { hangups: gone.map(({ callId }) => `lab-c-${callId}`) })
    for (const { callId } of answered) await world.switch.ask('answer', { channel: `lab-c-${callId}` })
    await pause(AWAY_MS)
    for (const tab of gone) assert.notEqual(tab.call.state, 'idle', 'nobody could know')

    proxy.newcomers = 'pass'
    const back = performance.now()
    const expected = new Map(tabs.map((tab) => [tab, gone.includes(tab) ? 'idle' : ringing.has(tab) && !answered.includes(tab) ? 'ringing' : 'talk']))
    const wrong = () => tabs.filter((tab) => tab.call?.state !== expected.get(tab))
    await until('every call is as it is at the switch', () => wrong().length === 0, 30_000).catch(() => {})
    const settledMs = Math.round(performance.now() - back)
    const differ = wrong().map((tab) => ({ rule: 'settled', agent: tab.agent, is: tab.call?.state, should: expected.get(tab) }))
    const unexplained = gone.filter((tab) => tab.call?.state === 'idle' && tab.call.reason !== 'lost').map((tab) => ({ rule: 'lost', agent: tab.agent, reason: tab.call.reason }))

    await world.ready()
    await inGroups(tabs, async (tab) => {
      if (tab.call.state !== 'idle') await tab.command('release')
      await tab.state('idle')
      await tab.command('setOutcome', { outcome: 'Sale' })
      await tab.command('endWrap')
      await tab.state('end')
    })
    await until('only others are left', async () => (await world.switch.ask('live')).length === FOREIGN.length)
    const findings = [...differ, ...unexplained, ...world.faults(), ...check(await world.logs(), { isQuiet: true, foreign: FOREIGN, awayMs: AWAY_MS + 5000 })]
    t.diagnostic(`${gone.length} ended, ${answered.length} answered meanwhile; settled after ${settledMs} ms, seed ${SEED}`)
    const pass = findings.length === 0 && settledMs <= SETTLED_MS
    record({ test: 'switch.outage', n: SWITCH_CALLS, seed: SEED, figure: settledMs, unit: 'ms', target: SETTLED_MS, pass })
    assert.equal(findings.length, 0, describe(findings))
    assert.ok(settledMs <= SETTLED_MS, `settled after ${settledMs} ms`)
  } finally {
    await world.stop()
  }
})
