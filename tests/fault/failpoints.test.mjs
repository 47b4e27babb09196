/* Killed at every place where something is half done: each FAILPOINT of the sources at its first and at a later hit, while
 * agents work; and the disk and the database fail where a failure has a meaning. One life of the gateway ends where the next
 * case has to recover from it. Nothing is lost, doubled, dialed twice or stuck.
 *
 * CALLTAB_FAULT_FAILPOINT=name runs those of one place alone. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record, root } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { SEED } from './amounts.mjs'
import { describe } from './checker.mjs'
import { createFaultWorld, needsJournal } from './gateway_world.mjs'
import { judge } from './judge.mjs'
import { Numbers, startAgents } from './workload.mjs'

const ALONE = process.env.CALLTAB_FAULT_FAILPOINT
const WORLDS = 3
const AGENTS = 8
const REACH_MS = 12_000
const CUT_EVERY_MS = 150 // a tab, so that somebody always has to resume
const AFTERMATH_MS = 300
const ROOMS = ['base', 'calls', 'telephony', 'db', 'control', 'ws', 'routes', 'server']
const SMALL = 'segment_size:262144,keep_s:1' // segments begin and go, checkpoints are made, all within seconds

/* --- what there is --- */

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sources(path) : entry.name.endsWith('.c') ? [path] : []
  })
}

function failpoints() {
  const names = ROOMS.flatMap((room) => sources(join(root, room)))
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/\bFAILPOINT\("([^"]+)"\)/g)])
    .map(([, name]) => name)
  return [...new Set(names)].sort()
}

const FAILS = ['journal.write', 'journal.sync', 'drain.commit']
const ONCE_A_LIFE = /^(start\.|recover\.(restoring|done|settling)|composer\.settl)/
const SELDOM = /^(journal\.(new_segment|segment_begun|released?)|segment\.|checkpoint\.|drain\.position|ws\.(joined|attached|resumed_event))/

/* What is only met again when something else has failed. */
const WITH = { 'drain.position': ',drain.commit:2:fail' }

/* What comes once a life is met twice in two lives. */
function laterHit(name, random) {
  return ONCE_A_LIFE.test(name) ? 1 : SELDOM.test(name) ? 2 : random.whole(3, 30)
}

function cases(random) {
  const all = failpoints().filter((name) => !ALONE || name === ALONE).flatMap((name) =>
    ['kill', ...(FAILS.includes(name) ? ['fail'] : [])].flatMap((action) => [1, laterHit(name, random)].map((hit) => ({ name, hit, action }))))
  return all.map((each) => [random.next(), each]).sort(([a], [b]) => a - b).map(([, each]) => each)
}

/* {name: how often}, as base/fault.c keeps it. */
const COUNT_SIZE = 64
const NAME_SIZE = 56
function readCounts(path) {
  const bytes = readFileSync(path)
  const slots = Array.from({ length: bytes.length / COUNT_SIZE }, (_, i) => bytes.subarray(i * COUNT_SIZE, (i + 1) * COUNT_SIZE))
  return Object.fromEntries(slots.filter((slot) => slot[0]).map((slot) => [slot.toString('utf8', 0, slot.indexOf(0)), Number(slot.readBigUInt64LE(NAME_SIZE))]))
}

/* --- what is done --- */

/* Notes how long the gateway was away at most, and disturbs tabs. */
class Watch {
  longestMs = 0
  #isOver = false

  constructor(world, random) {
    this.ended = Promise.all([this.#look(world), this.#cut(world, random)])
  }

  async #look(world) {
    for (let up = performance.now(); !this.#isOver; await pause(50)) {
      if (!(await world.isReady().catch(() => false))) continue
      this.longestMs = Math.max(this.longestMs, performance.now() - up)
      up = performance.now()
    }
  }

  async #cut(world, random) {
    for (; !this.#isOver; await pause(random.between(0, 2 * CUT_EVERY_MS))) random.pick(world.clients).cut()
  }

  stop() {
    this.#isOver = true
    return this.ended
  }
}

/* True when the place was reached that often. */
async function strike(world, countsPath, { name, hit, action }) {
  const env = { CALLTAB_FAILPOINT: `${name}:${hit}:${action}${(hit > 1 && WITH[name]) || ''}` }
  if (action === 'kill') return world.restartToEnd(env, REACH_MS)
  await world.restartWith(env)
  const before = readCounts(countsPath)[name] ?? 0
  const wasReached = await until(`${name} is reached`, () => (readCounts(countsPath)[name] ?? 0) >= before + hit, REACH_MS).catch(() => false)
  await pause(AFTERMATH_MS)
  return Boolean(wasReached)
}

async function runWorld(t, index, list, counts) {
  const random = seeded(SEED + index)
  const world = await createFaultWorld({ agents: AGENTS, seed: SEED + index, config: { wrap_s: 0, ring_s: 2, command_memory_s: 20 }, env: { CALLTAB_SMALL: SMALL } })
  const countsPath = join(world.folder, 'counts')
  world.options.env = { ...world.options.env, CALLTAB_FAILPOINT_COUNTS: countsPath }
  const agents = await startAgents(world, { count: AGENTS, random, numbers: new Numbers(random), thinkMs: 10, awayMs: 100, again: 0.3 })
  const watch = new Watch(world, random)
  const missed = []
  try {
    for (const each of list) {
      if (await strike(world, countsPath, each)) continue
      missed.push(`${each.name}:${each.hit}:${each.action}`)
      t.diagnostic(`${missed.at(-1)} was not reached:\n${world.gateway.log.slice(-2000)}`)
    }
    await world.restartWith({})
    await world.ready()
    await watch.stop()
    for (const [name, hits] of Object.entries(readCounts(countsPath))) counts[name] = (counts[name] ?? 0) + hits
    const findings = await judge(world, agents, { awayMs: watch.longestMs })
    t.diagnostic(`world ${index}: ${list.length} cases, ${agents.calls} calls, longest absence ${Math.round(watch.longestMs)} ms`)
    return { findings, missed }
  } finally {
    agents.abandon()
    await watch.stop()
    await world.stop()
  }
}

test('crash.failpoints', { timeout: 900_000, ...(await needsJournal()) }, async (t) => {
  const all = cases(seeded(SEED))
  const counts = {}
  const worlds = Math.min(WORLDS, all.length)
  const results = await Promise.all(Array.from({ length: worlds }, (_, i) => runWorld(t, i, all.filter((_, at) => at % worlds === i), counts)))
  const findings = results.flatMap((each) => each.findings)
  const missed = results.flatMap((each) => each.missed)
  for (const name of new Set(all.map((each) => each.name))) {
    const own = all.filter((each) => each.name === name).map(({ hit, action }) => `${action} at ${hit}`)
    t.diagnostic(`${name}: reached ${counts[name] ?? 0} times, ${own.join(', ')}`)
  }
  t.diagnostic(`${all.length} cases, seed ${SEED}`)
  const figure = findings.length + missed.length
  if (!ALONE) record({ test: 'crash.failpoints', n: all.length, seed: SEED, figure, unit: 'violations', target: 0, pass: figure === 0 })
  assert.deepEqual([missed, findings.length], [[], 0], describe(findings))
})
