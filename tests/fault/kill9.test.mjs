/* The gateway is killed again and again while agents work: nothing is lost, nothing is doubled, nobody is called twice,
 * nothing hangs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { KILLS, SEED } from './amounts.mjs'
import { describe } from './checker.mjs'
import { createFaultWorld, needsJournal } from './gateway_world.mjs'
import { judge } from './judge.mjs'
import { Numbers, startAgents } from './workload.mjs'

const TABS = 20
const UNDISTURBED_MS = 3000
const UNDECIDABLE = ['sendDTMF'] // of what these agents do: the switch shows nothing of it afterwards
const UNKNOWN_PERCENT = 2

async function inWorld(run) {
  const random = seeded(SEED)
  const world = await createFaultWorld({ agents: TABS, seed: SEED, config: { wrap_s: 0 } })
  try {
    await run(world, random, await startAgents(world, { count: TABS, random, numbers: new Numbers(random), thinkMs: 80 }))
  } finally {
    await world.stop()
  }
}

test('agents who are left alone keep every promise', async (t) => {
  await inWorld(async (world, random, agents) => {
    await pause(UNDISTURBED_MS)
    const findings = await judge(world, agents)
    t.diagnostic(`${agents.calls} calls, seed ${SEED}`)
    assert.ok(agents.calls >= TABS)
    assert.equal(findings.length, 0, describe(findings))
  })
})

test(`crash.kill9: ${KILLS} times`, { timeout: 30 * 60_000, ...(await needsJournal()) }, async (t) => {
  await inWorld(async (world, random, agents) => {
    let longestMs = 0
    for (let i = 0; i < KILLS; i++) {
      await pause(random.between(20, 400))
      const began = performance.now()
      await world.killAndRestart()
      await world.ready()
      longestMs = Math.max(longestMs, performance.now() - began)
    }
    const findings = await judge(world, agents, { awayMs: longestMs })
    t.diagnostic(`${agents.calls} calls, ${agents.commands} commands, unknown ${JSON.stringify(agents.unknown)}, longest absence ${Math.round(longestMs)} ms, seed ${SEED}`)
    const unknown = Object.values(agents.unknown).reduce((sum, count) => sum + count, 0)
    const percent = Math.round((1000 * unknown) / KILLS) / 10
    record({ test: 'crash.unknown', n: KILLS, seed: SEED, figure: percent, unit: '% of kills', target: UNKNOWN_PERCENT, pass: percent < UNKNOWN_PERCENT, commands: agents.commands, ...agents.unknown })
    record({ test: 'crash.kill9', n: KILLS, seed: SEED, figure: findings.length, unit: 'violations', target: 0, pass: findings.length === 0 })
    assert.equal(findings.length, 0, describe(findings))
    assert.deepEqual(Object.keys(agents.unknown).filter((method) => !UNDECIDABLE.includes(method)), [], 'what can be found out is not unknown')
  })
})
