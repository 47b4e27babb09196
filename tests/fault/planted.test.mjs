/* The checker, put to the test: the gateway has a defect (base/fault.h, PLANTED), and the run must say so. The same runs
 * without a defect must find nothing. docs/testing.md has the list.
 *
 * CALLTAB_FAULT_PLANT=n runs one of them alone, CALLTAB_FAULT_PLANT=drops all of that run. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { SEED } from './amounts.mjs'
import { describe } from './checker.mjs'
import { createFaultWorld, needsJournal } from './gateway_world.mjs'
import { judge } from './judge.mjs'
import { numberThat } from './switch_state.mjs'
import { Numbers, startAgents } from './workload.mjs'

const ALONE = process.env.CALLTAB_FAULT_PLANT
const AT_ONCE = 3
const AGENTS = 8
const WORK_MS = 2000
const QUIET_MS = 6000 // a defect may well hang somebody: that is not waited for
const STUCK_MS = 3000
const PLANTS = 25

let serial = 0
const number = (more) => numberThat({ serial: 5_000_000 + ++serial, ...more })

/* --- what is done: each resolves with what the checker has to know --- */

async function startWork(world, random, more) {
  return startAgents(world, { count: AGENTS, random, numbers: new Numbers(random), thinkMs: 10, ...more })
}

async function work(world, random) {
  const agents = await startWork(world, random)
  await pause(WORK_MS)
  return { agents }
}

/* Connections break; whoever comes back has missed something, and asks again for what he has asked for. */
async function drops(world, random) {
  const agents = await startWork(world, random, { awayMs: 150, again: 0.7 })
  for (const began = performance.now(); performance.now() - began < WORK_MS; await pause(random.between(10, 60))) random.pick(world.clients).cut()
  return { agents }
}

async function kills(world, random) {
  const agents = await startWork(world, random, { again: 0.7 })
  let awayMs = 0
  for (let i = 0; i < 3; i++) {
    await pause(random.between(500, 800))
    awayMs = Math.max(awayMs, await away(world, () => world.killAndRestart()))
  }
  return { agents, awayMs }
}

/* How long it took until the gateway had its switch again. */
async function away(world, run) {
  const began = performance.now()
  await run()
  await world.ready()
  return performance.now() - began
}

/* The gateway is killed, and there are calls in talk with nobody who does anything: some go on, some end meanwhile, some are
 * in wrap, and one leg is there of which nobody knows. */
async function left(world) {
  const tabs = await Promise.all([0, 1, 2, 3].map((i) => world.openTab(i)))
  const callIds = await Promise.all(tabs.map(async (tab) => {
    const { result } = await tab.command('dial', { number: number() })
    await tab.state('talk')
    await tab.command('setOutcome', { outcome: 'Sale' })
    return result.callId
  }))
  const [lost, , wrapping] = tabs
  await wrapping.command('release')
  await wrapping.state('idle')
  await pause(3000) // most of the wrap: what begins anew is seen, however long the restart takes
  const awayMs = await away(world, async () => {
    await world.gateway.kill()
    await world.switch.ask('hangup', { channel: `lab-c-${callIds[0]}` })
    await world.switch.ask('foreign', { id: `lab-c-${randomUUID()}`, appData: 'calltab,out,' })
    await world.gateway.restart({ crash: true })
  })
  await Promise.all(tabs.map((tab) => tab.connect()))
  await Promise.all([lost, wrapping].map((tab) => tab.state('end', awayMs + 5500).catch(() => {})))
  await pause(1000)
  for (const tab of tabs) if (tab.call.state === 'talk') await tab.command('release')
  await Promise.all(tabs.map((tab) => tab.state('end', 4000).catch(() => {})))
  return { awayMs: awayMs + 200, settleMs: 1500, wrapMs: 4000 }
}

/* A preview's time is over, and in that moment the gateway is killed: before the intent is stable, or after it. */
async function preview(world) {
  const key = await world.key('dial')
  const presented = {}
  for (let hit = 1; hit <= 4; hit++) {
    const tab = await world.openTab(hit)
    const to = number()
    presented[to] = 1
    await world.gateway.requestOk('POST', '/api/v1/present', { token: key, json: { agent: tab.agent, tab: 1, number: to } })
    await world.restartWith({ CALLTAB_FAILPOINT: `journal.write:${hit}:late` })
    await world.gateway.ended(8000).catch(() => {})
    await world.restartWith({})
    await world.ready()
    await tab.connect()
    await tab.state('talk')
    await tab.command('setOutcome', { outcome: 'Sale' })
    await tab.command('release')
    await tab.state('idle')
    await tab.command('endWrap')
    await tab.state('end')
  }
  return { presented }
}

/* Killed between the intent to release and its doing. */
async function release(world) {
  const tab = await world.openTab(0)
  await tab.command('dial', { number: number() })
  await tab.state('talk')
  await world.restartWith({ CALLTAB_FAILPOINT: 'intent.stable:1:kill' })
  await world.ready()
  await tab.connect()
  await tab.command('release', {}, 'once')
  await world.gateway.ended()
  await world.restartWith({})
  await world.ready()
  await tab.connect()
  await tab.command('release', {}, 'once')
  await tab.state('idle', 1000).catch(() => tab.command('release'))
  await tab.state('idle', 1000)
  await tab.command('setOutcome', { outcome: 'Sale' })
  await tab.command('endWrap')
  await tab.state('end')
  return {}
}

/* Calls come in for an agent who has lost a window, and then the gateway. */
async function presence(world) {
  const [tab, older] = [await world.openTab(0), await world.openTab(0)]
  await tab.command('agentReady')
  older.cut()
  await caller(world, tab)
  await world.killAndRestart()
  await world.ready()
  await tab.connect()
  await caller(world, tab)
  return { isStaffed: true }
}

async function caller(world, tab) {
  await until('he is ready', () => tab.agentView.state === 'Ready', 1000).catch(() => {})
  await pause(100) // for the other window's end to be noticed
  await world.switch.ask('call', { from: number(), to: '5000', patienceMs: 1500 })
  const wasOffered = await tab.state('incoming', 2000).catch(() => false)
  if (!wasOffered) return
  await tab.command('answer')
  await tab.state('talk')
  await tab.command('release')
  await tab.state('idle')
  await tab.command('setOutcome', { outcome: 'Sale' })
  await tab.command('endWrap')
  await tab.state('end')
}

/* The journal's folder is gone: what it told is not to be gone on with. */
async function newJournal(world, random) {
  const first = await startWork(world, random)
  await pause(500)
  await first.finish()
  await until('all of it is stored', async () => (await world.rows()).events.every((row) => row.duration_ms !== null))
  await world.gateway.kill()
  rmSync(join(world.folder, 'journal'), { recursive: true })
  await world.gateway.restart({ crash: true })
  await world.ready()
  for (const tab of world.clients) await tab.connect()
  const agents = await startAgentsAgain(world, random)
  await pause(500)
  return { agents }
}

async function startAgentsAgain(world, random) {
  const tabs = [...world.clients]
  return startAgents({ openTab: async (i) => tabs[i], clients: tabs }, { count: tabs.length, random, numbers: new Numbers(random, 1000), thinkMs: 10 })
}

/* --- the list --- */

const RUNS = {
  work: { run: work, plants: [2, 11, 12, 13, 14, 15, 16, 24, 25] },
  drops: { run: drops, plants: [6, 17, 20] },
  kills: { run: kills, plants: [1, 3, 5] },
  left: { run: left, plants: [4, 8, 9, 10, 21], config: { wrap_s: 4 } },
  preview: { run: preview, plants: [7], config: { preview_s: 1 } },
  release: { run: release, plants: [22] },
  presence: { run: presence, plants: [19, 23] },
  newJournal: { run: newJournal, plants: [18] },
}

/* What was found in one run; of what is merely not over in time nothing is said when there is a defect. */
async function findingsOf(name, plant) {
  const { run, config } = RUNS[name]
  const random = seeded(SEED + plant)
  const env = plant ? { CALLTAB_PLANT: String(plant) } : {}
  const world = await createFaultWorld({ agents: AGENTS, seed: SEED, env, config: { wrap_s: 0, ring_s: 2, ...config } })
  let agents
  try {
    const { agents: atWork, ...options } = await run(world, random)
    agents = atWork
    const found = await judge(world, agents, { ...(plant && { quietMs: QUIET_MS, stuckMs: STUCK_MS }), ...options })
    return plant ? found.filter(({ rule }) => rule !== 'quiet') : found
  } finally {
    agents?.abandon()
    await world.stop()
  }
}

const all = Object.entries(RUNS).flatMap(([name, { plants }]) => [0, ...plants].map((plant) => ({ name, plant }))).filter(({ name, plant }) => !ALONE || ALONE === String(plant) || ALONE === name)
let caught = 0

function one(t, { name, plant }) {
  return t.test(plant ? `${plant} is caught (${name})` : `${name}: nothing is found where nothing is wrong`, async (each) => {
    const began = performance.now()
    const findings = await findingsOf(name, plant)
    const rules = [...new Set(findings.map(({ rule, kind }) => rule ?? kind))]
    each.diagnostic(`${plant || name}: ${rules.join(' ') || 'nothing'}, ${Math.round(performance.now() - began)} ms`)
    if (!plant) return assert.equal(findings.length, 0, describe(findings))
    assert.ok(findings.length > 0, 'it escaped')
    caught++
  })
}

test('checker.planted', { timeout: 600_000, concurrency: AT_ONCE, ...(await needsJournal()) }, async (t) => {
  t.diagnostic(`seed ${SEED}`)
  await Promise.all(all.map((each) => one(t, each)))
  if (ALONE) return
  record({ test: 'checker.planted', n: PLANTS, seed: SEED, figure: caught, unit: 'defects', target: PLANTS, pass: caught === PLANTS })
  assert.equal(caught, PLANTS)
})
