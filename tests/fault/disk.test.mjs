/* The disk of the journal is slow, full or broken, under the whole program: the switch is heard at once, nobody is told of what
 * is not stable, calls that are up go on and can be held and released, new ones are refused; and when the disk is back
 * everything is told and stored. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { SEED } from './amounts.mjs'
import { describe } from './checker.mjs'
import { EIO, ENOSPC, FaultyDisk, SYNCS, TAKES_SPACE } from './disk.mjs'
import { createFaultWorld, needsJournal } from './gateway_world.mjs'
import { judge } from './judge.mjs'
import { numberThat } from './switch_state.mjs'
import { Numbers, startAgents } from './workload.mjs'

const STALL_MS = 2000
const LAG_MS = 20
const CALLERS = 50
const ROUNDS = 5
const WORKERS = 6
const BACK_MS = 5000
const QUICK = { eventMs: 0, answerMs: 0, stasisMs: 0 }
const journal = await needsJournal()

let serial = 5_000_000
const number = () => numberThat({ serial: ++serial, answerMs: 10 })

async function withDisk(options, run) {
  const disk = new FaultyDisk()
  try {
    const world = await createFaultWorld({ env: disk.env, seed: SEED, ...options, config: { wrap_s: 0, ...options.config } })
    try {
      await run(world, disk)
    } finally {
      disk.set()
      await world.stop()
    }
  } finally {
    disk.remove()
  }
}

async function talk(tab) {
  const { result, error } = await tab.command('dial', { number: number() })
  assert.ok(result, JSON.stringify(error))
  await tab.state('talk')
  return `lab-c-${result.callId}`
}

/* --- slow --- */

/* Until the switch is told to ring a caller, in ms: how long the gateway takes to hear and to act. */
async function lags(world) {
  const from = world.switch.ledger().length
  for (let i = 0; i < CALLERS; i++) {
    await world.switch.ask('call', { from: number(), to: '5000', patienceMs: 300 })
    await pause(20)
  }
  const rungSince = () => world.switch.ledger().slice(from).filter(({ kind }) => kind === 'ring_asked')
  await until('every caller hears it ring', () => rungSince().length === CALLERS, 20_000)
  const rung = new Map(rungSince().map(({ channel, at }) => [channel, at]))
  const all = world.switch.ledger().slice(from).filter(({ kind }) => kind === 'offered').map(({ channel, at }) => rung.get(channel) - at)
  return all.sort((a, b) => a - b)
}

/* While a sync stalls the far end hangs up, and fifty callers come. The most that the switch had to wait, in ms. */
async function stall(world, disk, tab, channel) {
  const begun = disk.slowBegun
  disk.set({ slowMs: STALL_MS })
  tab.command('mute', { on: true })
  await until('a sync stalls', () => disk.slowBegun > begun, 10_000)
  const stalling = disk.slowBegun
  await world.switch.ask('hangup', { channel })
  const heard = tab.when('it is told', ({ call }) => call?.state === 'idle', 30_000).then(() => disk.slowEnded)
  const all = await lags(world)
  await until('it has happened to the gateway too', () => disk.slowBegun > stalling, 10_000)
  disk.set()
  // the sync that stalled was begun before the hang-up: it is stable with the next one, and not told before
  assert.ok((await heard) > stalling, 'told before it was stable')
  return all.at(-1)
}

test('disk.slow: a sync that takes two seconds holds up nobody but the telling', { timeout: 120_000, ...journal }, async (t) => {
  await withDisk({ agents: 2, quirks: QUICK }, async (world, disk) => {
    const tab = await world.openTab(0)
    let best = Infinity
    for (let round = 1; round <= ROUNDS && best > LAG_MS; round++) {
      const channel = await talk(tab)
      const alone = (await lags(world)).at(-1)
      const longest = await stall(world, disk, tab, channel)
      t.diagnostic(`round ${round}: at most ${longest.toFixed(1)} ms, with a quick disk ${alone.toFixed(1)} ms`)
      best = Math.min(best, longest)
      await tab.command('setOutcome', { outcome: 'Sale' })
      await tab.command('endWrap')
      await tab.state('end')
    }
    const { connections, writeTimeouts } = await world.switch.ask('stats')
    const findings = await judge(world)
    const pass = best <= LAG_MS && connections === 1 && writeTimeouts === 0 && findings.length === 0
    record({ test: 'disk.slow', n: CALLERS, figure: Math.round(best * 10) / 10, unit: 'ms', target: LAG_MS, pass, connections, findings: findings.length })
    assert.deepEqual([connections, writeTimeouts], [1, 0])
    assert.equal(findings.length, 0, describe(findings))
    assert.ok(best <= LAG_MS, `${best} ms in the best of ${ROUNDS} rounds`)
  })
})

/* --- full, broken --- */

const noticeOf = (tab, code) => tab.notices.find((notice) => notice.code === code)
const clockOf = (entry) => entry.at - performance.timeOrigin

/* What a tab was told of calls in that time. */
function toldBetween(world, tab, from, to) {
  return world.log.entries.filter((entry) => entry.kind === 'event' && entry.client === tab.name && clockOf(entry) > from && clockOf(entry) < to)
}

async function isUp(world, channel) {
  return (await world.switch.ask('live')).some(({ id, isEnding }) => id === channel && !isEnding)
}

async function bridgeOf(world, channel) {
  return (await world.switch.ask('bridges')).find(({ channels }) => channels.includes(channel))
}

/* What works meanwhile and what does not. */
async function whileAway(world, [held, released, untouched, idle], channels) {
  assert.deepEqual((await world.gateway.request('GET', '/readyz')).body.storage, 'degraded')
  assert.equal((await world.gateway.request('GET', '/readyz')).status, 503)
  const refused = await idle.command('dial', { number: number() })
  assert.deepEqual([refused.error?.code, refused.error?.data?.code], [-32012, 'storage.away'])
  assert.equal((await held.command('holdresume')).result?.volatile, true)
  await until('the customer is alone', async () => (await bridgeOf(world, channels[0]))?.channels.length === 1)
  assert.equal((await released.command('release')).result?.volatile, true)
  await until('the other is hung up', async () => !(await isUp(world, channels[1])))
  assert.equal((await untouched.command('sendDTMF', { digits: '12' })).error?.data?.code, 'storage.away')
  assert.ok((await isUp(world, channels[0])) && (await isUp(world, channels[2])))
  assert.equal((await bridgeOf(world, channels[2])).channels.length, 2, 'who talks, talks on')
}

/* And then all of it is told. */
async function afterwards(world, [held, released, untouched, idle]) {
  await held.when('it is held', ({ call }) => call?.held, 10_000)
  await released.state('idle')
  await untouched.command('release')
  await untouched.state('idle')
  await held.command('release')
  await held.state('idle')
  await talk(idle)
  await idle.command('release')
  await idle.state('idle')
  for (const tab of [held, released, untouched, idle]) {
    await tab.command('setOutcome', { outcome: 'Sale' })
    await tab.command('endWrap')
    await tab.state('end')
  }
}

async function outage(t, name, fault) {
  await withDisk({ agents: WORKERS + 4 }, async (world, disk) => {
    const random = seeded(SEED)
    const { pid } = world.gateway
    const agents = await startAgents(world, { count: WORKERS, random, numbers: new Numbers(random), thinkMs: 50 })
    const tabs = await Promise.all([0, 1, 2, 3].map((i) => world.openTab(WORKERS + i)))
    const channels = [await talk(tabs[0]), await talk(tabs[1]), await talk(tabs[2])]
    await until('they are at work', () => agents.calls > 2 * WORKERS, 20_000)
    disk.set(fault)
    await until('every tab knows', () => tabs.every((tab) => noticeOf(tab, 'storage.degraded')), 20_000)
    await whileAway(world, tabs, channels)
    await until('the disk was tried again', () => disk.failed > 3, 10_000)
    const backAt = performance.now()
    disk.set()
    await until('every tab knows', () => tabs.every((tab) => noticeOf(tab, 'storage.ok')), 20_000)
    const backMs = Math.max(...tabs.map((tab) => noticeOf(tab, 'storage.ok').at)) - backAt
    const told = [...tabs, ...agents.workers.map(({ tab }) => tab)].flatMap((tab) => toldBetween(world, tab, noticeOf(tab, 'storage.degraded').at, backAt))
    await afterwards(world, tabs)
    const findings = await judge(world, agents)
    t.diagnostic(`${agents.calls} calls, told again after ${Math.round(backMs)} ms, ${told.length} told meanwhile, seed ${SEED}`)
    const pass = backMs <= BACK_MS && told.length === 0 && findings.length === 0
    record({ test: name, n: agents.calls, seed: SEED, figure: Math.round(backMs), unit: 'ms', target: BACK_MS, pass, findings: findings.length })
    assert.equal(told.length, 0, JSON.stringify(told[0]))
    assert.equal(findings.length, 0, describe(findings))
    assert.equal(world.gateway.pid, pid)
    assert.ok(backMs <= BACK_MS, `${backMs} ms`)
  })
}

test('disk.full: no space is left, and comes back', { timeout: 120_000, ...journal }, (t) => outage(t, 'disk.full', { error: ENOSPC, failing: TAKES_SPACE }))

test('disk.eio: syncs fail, and work again', { timeout: 120_000, ...journal }, (t) => outage(t, 'disk.eio', { error: EIO, failing: SYNCS }))
