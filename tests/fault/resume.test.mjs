/* Tabs whose connections break in every way there is, again and again, while their calls go on: each comes back to exactly
 * what it missed. Another window of each tab, on a sound connection, says what there was. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until, within } from '../support/until.mjs'
import { RESUMES, SEED } from './amounts.mjs'
import { describe } from './checker.mjs'
import { judgeStreams } from './checker_tabs.mjs'
import { createFaultWorld } from './gateway_world.mjs'

const TABS = 60
const TELL_EVERY_MS = 200 // each tab: half the rate at which a client may ask
const GIVE_UP_MS = 30 // a page that hears nothing
const BACK_MS = 20_000
const WORK_MS = 20 * 60_000
const HOWS = ['rst', 'fin', 'blackhole', 'halfOpen', 'cutInFrame', 'silentUp', 'sliced']

const random = seeded(SEED)
const isUsed = Object.fromEntries(HOWS.map((how) => [how, 0]))
let world
let key
let isOver = false

before(async () => {
  world = await createFaultWorld({ agents: TABS, switch: 'sim', via: ['tab'], seed: SEED, config: { wrap_s: 0, sim_ring_ms: 1, sim_answer_ms: 1 } })
  key = await world.key('admin')
})
after(() => world?.stop())
// after thousands of connections that were reset, Node's own clean-up of its handles may never come to an end
process.once('beforeExit', () => setImmediate(() => process.exit()))

/* A call in talk on a window with a sound connection. */
async function talker(index) {
  await world.gateway.requestOk('POST', '/api/v1/sim/station', { token: key, json: { station: world.agent(index).login, reachable: 'true' } })
  const tab = await world.openTab(index, { via: false, keepPayloads: false })
  await tab.command('dial', { number: `+1555${String(index).padStart(4, '0')}777` })
  await tab.state('talk')
  return tab
}

/* Something to tell, all the time. */
async function keepTelling(tab) {
  for (let on = true; !isOver; on = !on) {
    const { result, error } = await tab.command('mute', { on })
    assert.ok(result, JSON.stringify(error))
    await pause(random.between(TELL_EVERY_MS / 2, TELL_EVERY_MS * 1.5))
  }
}

const linkOf = (tab) => [...world.proxies.tab.links].find(({ client }) => client.remotePort === tab.stream?.localPort)

/* Breaks the tab's connection; resolves when the tab knows. */
async function breakIt(tab) {
  const link = linkOf(tab)
  const how = random.pick(HOWS)
  isUsed[how]++
  if (!link) return tab.cut()
  const mine = (each) => each === link
  const { tab: proxy } = world.proxies
  if (how === 'rst' || how === 'fin') proxy[how](mine)
  else if (how === 'halfOpen') proxy.halfOpen('server', mine)
  else if (how === 'cutInFrame') proxy.cutAfter({ direction: 'down', bytes: random.whole(1, 900), how: random.pick(['rst', 'fin', 'halfOpen']), link })
  else if (how === 'blackhole') proxy.blackhole(mine)
  else if (how === 'silentUp') proxy.blackhole(mine, 'up')
  else proxy.set({ sliceBytes: random.whole(1, 7) }, mine)
  await tab.when('it notices', ({ isConnected }) => !isConnected, random.between(1, GIVE_UP_MS)).catch(() => tab.cut())
  return link
}

/* What was left of the old connection comes to life or dies when the tab is long on another one. */
function lateEnd(link) {
  const mine = (each) => each === link
  setTimeout(() => (random.chance(0.5) ? world.proxies.tab.heal(mine) : world.proxies.tab.rst(mine)), random.between(0, 400)).unref()
  setTimeout(() => world.proxies.tab.rst(mine), 1000).unref()
}

async function comeBack(tab) {
  await until('the tab is back', () => tab.connect({ ms: 5000 }), BACK_MS)
}

async function breakAndComeBack(tab, times) {
  for (let i = 0; i < times; i++) {
    const link = await breakIt(tab)
    await comeBack(tab)
    if (link) lateEnd(link)
    await pause(random.between(0, 40))
  }
}

test(`resume.proxy: ${RESUMES} times`, { timeout: WORK_MS }, async (t) => {
  const talkers = await Promise.all(Array.from({ length: TABS }, (_, i) => talker(i)))
  const windows = await Promise.all(talkers.map((_, i) => world.openTab(i, { keepPayloads: false })))
  const telling = talkers.map(keepTelling)
  const began = performance.now()
  await Promise.all(windows.map((tab, i) => breakAndComeBack(tab, Math.floor(RESUMES / TABS) + (i < RESUMES % TABS ? 1 : 0))))
  const seconds = (performance.now() - began) / 1000
  isOver = true
  await within('the last is told', 10_000, Promise.all(telling))
  await Promise.all(windows.map(comeBack))
  await Promise.all(windows.map((tab, i) => tab.when('it has seen all', ({ epoch, seq }) => epoch === talkers[i].epoch && seq === talkers[i].seq)))

  const sum = (name) => windows.reduce((total, { counts }) => total + counts[name], 0)
  const findings = [...world.faults(), ...judgeStreams(world.log.entries)]
  t.diagnostic(`${sum('resumed')} resumed, ${sum('reset')} had to start anew, ${sum('events')} events, ${Math.round(seconds)} s, seed ${SEED}, ${JSON.stringify(isUsed)}`)
  const resumes = sum('resumed') + sum('reset')
  const anew = world.hasJournal ? sum('reset') : 0
  record({ test: 'resume.proxy', n: resumes, seed: SEED, figure: findings.length + anew, unit: 'gaps and duplicates', target: 0, pass: findings.length + anew === 0 && resumes >= RESUMES })
  assert.ok(resumes >= RESUMES)
  assert.equal(findings.length, 0, describe(findings))
  // without a journal what is kept is small, and a snapshot in its place is no gap
  assert.equal(anew, 0)
})
