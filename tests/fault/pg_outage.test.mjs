/* PostgreSQL is stopped, hangs, is behind a network that swallows everything, or is cut off in the moment of a commit, while
 * two hundred events a second happen: calls go on, and when it is back every event is there, once and in order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { CUTS, OUTAGE_S, SEED } from './amounts.mjs'
import { check, describe } from './checker.mjs'
import { createFaultWorld } from './gateway_world.mjs'
import { COMMITS } from './proxy.mjs'
import { numberThat } from './switch_state.mjs'

const TABS = 50
const EVENTS_PER_S = 200
const BASELINE_S = 4
const CATCH_UP_MS = 60_000
const CUT_MS = 20_000
const TIMES_LIVE = 10
const OPTIONS = { timeout: Math.max(400_000, OUTAGE_S * 4000, CUTS * 2000) }

/* Fifty calls that are held and taken back, four times a second each. */
class Load {
  isOver = false
  refused = {}
  times = [] // [at, ms] of each command

  /* toggles: commands that were accepted, of all tabs. */
  constructor(world, random) {
    Object.assign(this, { world, random })
  }

  async start() {
    this.tabs = await Promise.all(Array.from({ length: TABS }, (_, i) => this.world.openTab(i)))
    await Promise.all(this.tabs.map(async (tab, i) => {
      const { result } = await tab.command('dial', { number: numberThat({ serial: i + 1, answerMs: 0 }) })
      tab.callId = result.callId
      tab.toggles = 0
      await tab.state('talk')
    }))
    this.ended = Promise.all(this.tabs.map((tab) => this.#toggle(tab)))
  }

  async #toggle(tab) {
    for (let next = performance.now() + this.random.between(0, 250); !this.isOver; next += (TABS / EVENTS_PER_S) * 1000) {
      await pause(Math.max(0, next - performance.now()))
      const began = performance.now()
      const { result, error, lost } = await tab.command('holdresume')
      this.times.push([began, performance.now() - began])
      if (result) tab.toggles++
      else this.refused[lost ? 'lost' : error.data?.code] = (this.refused[lost ? 'lost' : error.data?.code] ?? 0) + 1
    }
  }

  get toggles() {
    return this.tabs.reduce((sum, { toggles }) => sum + toggles, 0)
  }

  p99(from, to) {
    const sorted = this.times.filter(([at]) => at >= from && at < to).map(([, ms]) => ms).sort((a, b) => a - b)
    return sorted.length ? sorted[Math.floor(sorted.length * 0.99)] : null
  }

  async stop() {
    this.isOver = true
    await this.ended
  }

  async endCalls() {
    await Promise.all(this.tabs.map(async (tab) => {
      await tab.when('release is possible', ({ call }) => call?.can.includes('release'), CATCH_UP_MS)
      await tab.command('release')
      await tab.state('idle', CATCH_UP_MS)
      await tab.command('setOutcome', { outcome: 'Sale' })
      await tab.command('endWrap')
      await tab.state('end', CATCH_UP_MS)
    }))
    await until('the switch is empty', async () => (await this.world.switch.ask('live')).length === 0)
  }
}

/* Rows of talk and hold that there should be: one for the answer, one for each command. */
const stored = async (world) => Number((await world.database.query("select count(*) from dialer_call_events where event_name in ('talk', 'hold')"))[0].count)

async function outage(t, name, { options, begin, end }) {
  const world = await createFaultWorld({ agents: TABS, cluster: 'own', seed: SEED, config: { wrap_s: 0 }, ...options })
  try {
    const load = new Load(world, seeded(SEED))
    await load.start()
    const began = performance.now()
    await pause(BASELINE_S * 1000)
    await begin(world, load)
    const away = performance.now()
    await pause(OUTAGE_S * 1000)
    const back = performance.now()
    const backlog = load.toggles + TABS - load.storedBefore
    await end(world)
    await until('what has happened is stored', async () => (await stored(world)) >= load.storedBefore + backlog, CATCH_UP_MS)
    const catchUpMs = performance.now() - back
    await load.stop()
    await load.endCalls()
    await until('all of it is stored', async () => (await stored(world)) >= load.toggles + TABS, CATCH_UP_MS).catch(() => {})

    const rows = await stored(world)
    const lost = load.toggles + TABS - rows
    const findings = [...world.faults(), ...check(await world.logs(), { isQuiet: true, needsOutcome: true, awayMs: OUTAGE_S * 1000 })]
    const rate = Math.round((backlog / catchUpMs) * 1000)
    t.diagnostic(`${load.toggles} commands accepted, refused ${JSON.stringify(load.refused)}, command p99 before ${load.p99(began, away)?.toFixed(1)} ms, during ${load.p99(away, back)?.toFixed(1)} ms`)
    t.diagnostic(`${backlog} events waited, there after ${Math.round(catchUpMs)} ms: ${rate}/s, ${(rate / EVENTS_PER_S).toFixed(1)} times the live rate; lost ${lost}; seed ${SEED}`)
    record({ test: name, n: load.toggles, seed: SEED, figure: Math.abs(lost) + findings.length, unit: 'lost and doubled', target: 0, pass: lost === 0 && findings.length === 0 })
    record({ test: `${name}.catch_up`, n: backlog, seed: SEED, figure: rate / EVENTS_PER_S, unit: 'times the live rate', target: TIMES_LIVE, pass: rate >= TIMES_LIVE * EVENTS_PER_S })
    assert.equal(lost, 0, 'rows lost (or, below 0, doubled)')
    assert.equal(findings.length, 0, describe(findings))
  } finally {
    await world.stop()
  }
}

const remember = async (world, load) => { load.storedBefore = await stored(world) }

test('PostgreSQL is away', { ...OPTIONS, concurrency: 2 }, async (t) => {
  await Promise.all([
    t.test(`pg.stopped: ${OUTAGE_S} s`, OPTIONS, (each) => outage(each, 'pg.stopped', {
      begin: async (world, load) => (await remember(world, load), await world.cluster.stop('immediate')),
      end: (world) => world.cluster.start(),
    })),
    t.test(`pg.hung: ${OUTAGE_S} s`, OPTIONS, (each) => outage(each, 'pg.hung', {
      begin: async (world, load) => (await remember(world, load), world.cluster.freeze()),
      end: (world) => world.cluster.thaw(),
    })),
  ])
})

test('the network to PostgreSQL is bad', { ...OPTIONS, concurrency: 2 }, async (t) => {
  await Promise.all([
    t.test(`pg.blackholed: ${OUTAGE_S} s`, OPTIONS, (each) => outage(each, 'pg.blackholed', {
      options: { via: ['database'] },
      begin: async (world, load) => {
        await remember(world, load)
        world.proxies.database.blackhole()
        world.proxies.database.newcomers = 'silent'
      },
      end: (world) => {
        world.proxies.database.newcomers = 'pass'
        world.proxies.database.rst()
      },
    })),
    t.test(`pg.cut_at_commit: ${CUTS} times`, OPTIONS, cutAtCommit),
  ])
})

/* The commit has arrived, its answer never comes: whether the rows are there nobody knows, so they are written again. */
async function cutAtCommit(t) {
  const world = await createFaultWorld({ agents: TABS, via: ['database'], seed: SEED, config: { wrap_s: 0 } })
  try {
    const proxy = world.proxies.database
    const load = new Load(world, seeded(SEED))
    await load.start()
    for (let i = 0; i < CUTS; i++) {
      // not the first commit of a connection: a writer that never gets through waits longer each time
      const cut = proxy.cutAfter({ pattern: COMMITS, how: i % 2 ? 'rst' : 'fin', only: (link) => link.notes.has('writer') && link.notes.has('wrote') })
      await until(`cut ${i + 1}`, () => cut.left === 0, CUT_MS)
    }
    proxy.forgetCuts()
    await load.stop()
    await load.endCalls()
    await until('all of it is stored', async () => (await stored(world)) >= load.toggles + TABS, CATCH_UP_MS).catch(() => {})
    const lost = load.toggles + TABS - (await stored(world))
    const findings = [...world.faults(), ...check(await world.logs(), { isQuiet: true, needsOutcome: true })]
    t.diagnostic(`${proxy.counters.cut} cuts, ${load.toggles} events, refused ${JSON.stringify(load.refused)}, lost ${lost}, seed ${SEED}`)
    record({ test: 'pg.cut_at_commit', n: proxy.counters.cut, seed: SEED, figure: Math.abs(lost) + findings.length, unit: 'lost and doubled', target: 0, pass: lost === 0 && findings.length === 0 })
    assert.equal(lost, 0, 'rows lost (or, below 0, doubled)')
    assert.equal(findings.length, 0, describe(findings))
  } finally {
    await world.stop()
  }
}
