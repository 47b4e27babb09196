/* `dev/bench tabs`: what an event to one of many tabs costs, against a bare epoll server that sends the same bytes; what
 * idle tabs cost; how long it takes until all are back. The doors run with a stand-in for control (door_probe), so that
 * the price is theirs alone. docs/performance.md says what each figure means. */
import { setTimeout as pause } from 'node:timers/promises'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../tests/support/until.mjs'
import { figure, median, progress } from './figures.mjs'
import { built, Program } from './program.mjs'

const ORIGIN = 'http://bench.example'
const MANY = 10_000
const FEW = 1_000
const ROUNDS = 7
const EVENTS = 40_000
const PATTERNS = { single: 1, batch: 32 } // events in one turn of the server's loop
const IDLE_S = 30 // one ping period: every tab is pinged once
const STORMS = 3

export async function benchTabs() {
  const folder = mkdtempSync(join(tmpdir(), 'calltab-bench-'))
  const sides = []
  try {
    await measureStorms(folder)
    progress('opening the tabs')
    const many = await openDoors(folder, MANY)
    sides.push(many)
    await measureIdleMemory(many)
    await measureIdleCpu(many)
    sides.push(await openDoors(folder, FEW))
    const message = join(folder, 'message')
    writeFileSync(message, await oneMessage(many))
    sides.push(await openRaw(message, MANY), await openRaw(message, FEW))
    reportPushes(await pushRounds(sides))
  } finally {
    await Promise.all(sides.map(closeSide))
    rmSync(folder, { recursive: true, force: true })
  }
}

/* ---- a server and its tabs ---- */

const startDoors = () => Program.server(built('tests', 'support', 'door_probe'), '--origin', ORIGIN)

async function openDoors(folder, count) {
  const side = { name: 'calltab', count, server: await startDoors(), client: new Program(built('bench', 'tabs_client')) }
  await openTabs(side, await ticketFile(folder, side.server, count))
  return side
}

async function openRaw(message, count) {
  const side = { name: 'raw', count, server: await Program.server(built('bench', 'raw_push'), message), client: new Program(built('bench', 'tabs_client')) }
  await openTabs(side)
  return side
}

async function ticketFile(folder, server, count) {
  const { tickets } = await server.ask('tickets', 1, count)
  const path = join(folder, `tickets-${server.port}`)
  writeFileSync(path, tickets.join('\n'))
  return path
}

async function openTabs({ server, client, count }, ...tickets) {
  const opened = await client.ask('open', server.port, count, ORIGIN, ...tickets)
  if (opened.opened !== count) throw new Error(`${opened.lost} of ${count} tabs were not served: ${opened.why}`)
  return opened
}

async function closeSide({ client, server }) {
  await client.stop()
  await server.stop()
}

/* ---- one event to one tab ---- */

/* The bytes that the bare server has to send. */
async function oneMessage({ server, client }) {
  await client.ask('record', 1)
  let text
  client.onMessage = ({ message }) => (text ??= JSON.stringify(message))
  await server.ask('push', 1)
  await until('an event arrives', () => text)
  client.onMessage = null
  await client.ask('record', 0)
  await client.ask('stat')
  return text
}

async function pushRounds(sides) {
  const samples = []
  for (const side of sides) await push(side, PATTERNS.batch, EVENTS) // warm
  for (let round = 1; round <= ROUNDS; round++) {
    progress(`push: round ${round} of ${ROUNDS}`)
    // every second round the other way round: nobody always comes first
    for (const side of round % 2 ? sides : [...sides].reverse()) {
      for (const [pattern, perTurn] of Object.entries(PATTERNS)) {
        samples.push({ ...(await push(side, perTurn, EVENTS)), round, pattern, name: side.name, count: side.count })
      }
    }
  }
  return samples
}

async function push({ name, server, client }, perTurn, events) {
  const { cpu_us: cpu, bytes } = await server.ask('push', events, perTurn)
  let frames = 0
  await until(`${events} events of ${name} arrive`, async () => {
    const stat = await client.ask('stat')
    if (stat.lost) throw new Error(`${stat.lost} tabs were lost`)
    frames += stat.frames
    return frames >= events
  }, 20_000)
  return { cost: cpu / events, bytes }
}

/* A ratio is taken inside each round, where both met the same machine. */
function reportPushes(samples) {
  for (const [pattern, suffix] of [['single', ''], ['batch', '_batch']]) {
    const rounds = Array.from({ length: ROUNDS }, (_, i) => costsOfRound(samples, pattern, i + 1))
    const of = (pick) => median(rounds.map(pick))
    figure(`bench.tabs.push_ratio${suffix}`, { n: ROUNDS, figure: of((c) => c.calltab[MANY] / c.raw[MANY]), unit: 'x raw', target: 1.25 })
    figure(`bench.tabs.push_growth${suffix}`, {
      n: ROUNDS, figure: of((c) => c.calltab[MANY] / c.calltab[FEW] / (c.raw[MANY] / c.raw[FEW])), unit: 'x raw', target: 1.1,
    })
    for (const name of ['calltab', 'raw']) {
      for (const count of [FEW, MANY]) {
        figure(`bench.tabs.push_cpu${suffix}.${name}_${count}`, { n: ROUNDS, figure: of((c) => c[name][count]), unit: 'us' })
      }
    }
  }
}

function costsOfRound(samples, pattern, round) {
  const costs = { calltab: {}, raw: {} }
  for (const each of samples) {
    if (each.pattern === pattern && each.round === round) costs[each.name][each.count] = each.cost
  }
  return costs
}

/* ---- idle tabs ---- */

async function measureIdleMemory({ server }) {
  const { rss_kb: rss } = await server.ask('stat')
  figure('bench.tabs.idle_memory', { n: MANY, figure: rss / 1024, unit: 'MB', target: 35, digits: 1 })
}

async function measureIdleCpu({ server, client }) {
  progress(`idle: ${MANY} tabs for ${IDLE_S} s`)
  await client.ask('stat')
  const before = await server.ask('stat')
  await pause(IDLE_S * 1000)
  const after = await server.ask('stat')
  const { pings, lost } = await client.ask('stat')
  if (lost || pings < MANY * 0.9 || pings > MANY * 1.1) throw new Error(`${pings} pings, ${lost} tabs lost: not what was to be measured`)
  figure('bench.tabs.idle_cpu', { n: pings, figure: ((after.cpu_us - before.cpu_us) / IDLE_S / 1e6) * 100, unit: '%', target: 0.6 })
}

/* ---- all at once ---- */

async function measureStorms(folder) {
  const times = []
  for (let storm = 1; storm <= STORMS; storm++) {
    progress(`reconnect: ${storm} of ${STORMS}`)
    const side = { count: MANY, server: await startDoors(), client: new Program(built('bench', 'tabs_client')) }
    try {
      await openTabs(side, await ticketFile(folder, side.server, MANY))
      await side.client.ask('close')
      await until('the server has seen them go', async () => (await side.server.ask('stat')).open === 0, 10_000)
      times.push((await openTabs(side, await ticketFile(folder, side.server, MANY))).wall_us)
    } finally {
      await closeSide(side)
    }
  }
  figure('bench.tabs.reconnect', { n: STORMS, figure: median(times) / 1e6, unit: 's', target: 3 })
}
