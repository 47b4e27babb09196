/* `dev/bench journal`, first part: what an event costs until it is stable and told, how many of them there can be, and
 * how long a restart reads. The doors run with a stand-in for control and a real journal (door_probe); the disk alone is
 * measured in turns with them. docs/performance.md says what each figure means. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../tests/support/until.mjs'
import { figure, median, progress } from './figures.mjs'
import { built, measure, Program } from './program.mjs'

const ORIGIN = 'http://bench.example'
const TABS = 500
const ROUNDS = 7
const RECORD_BYTES = 512 // of the usual one, with its header
const PUSHES = 400
const PUSHES_PER_S = 400
const THROUGH = { events: 40_000, out: 256 }
const GROUP = 64
const PAYLOAD_BYTES = 400
const APPEND_S = 2
const RECOVER = { recover_100k: [100_000, 1000], recover_1m: [1_000_000, 3000] }
const RECOVERIES = 3

export async function benchJournal() {
  const folder = mkdtempSync(join(tmpdir(), 'calltab-bench-'))
  try {
    await measureAppend(folder)
    await measurePushes(folder)
    for (const [name, [records, target]] of Object.entries(RECOVER)) await measureRecover(folder, name, records, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/* ---- into the journal ---- */

async function measureAppend(folder) {
  const rates = []
  const shares = []
  for (let round = 1; round <= ROUNDS; round++) {
    progress(`append: round ${round} of ${ROUNDS}`)
    const disk = await measure('journal_load', 'sync', folder, GROUP * (PAYLOAD_BYTES + 32), 200)
    const { per_s: rate } = await measure('journal_load', 'append', join(folder, `append-${round}`), PAYLOAD_BYTES, GROUP, APPEND_S)
    rates.push(rate)
    shares.push(rate / ((GROUP * 1e6) / disk.p50_us))
    rmSync(join(folder, `append-${round}`), { recursive: true })
  }
  figure('bench.journal.append_64', { n: ROUNDS, figure: median(rates), unit: 'events/s', least: 100_000, digits: 0 })
  figure('bench.journal.append_64_of_disk', { n: ROUNDS, figure: median(shares), unit: 'x disk' })
}

/* ---- to the tabs ---- */

async function measurePushes(folder) {
  const server = await Program.server(built('tests', 'support', 'door_probe'), '--origin', ORIGIN)
  const client = new Program(built('bench', 'tabs_client'))
  try {
    await openTabs(folder, server, client)
    await server.ask('journal', join(folder, 'pushes'))
    await push(server, client, THROUGH.events, THROUGH.out) // warm
    await measurePushTime(folder, server, client)
    await measureThrough(server, client)
  } finally {
    await client.stop()
    await server.stop()
  }
}

async function openTabs(folder, server, client) {
  const { tickets } = await server.ask('tickets', 1, TABS)
  writeFileSync(join(folder, 'tickets'), tickets.join('\n'))
  const { opened, why } = await client.ask('open', server.port, TABS, ORIGIN, join(folder, 'tickets'))
  if (opened !== TABS) throw new Error(`${opened} of ${TABS} tabs were served: ${why}`)
}

/* {stored, wall_us, cpu_us} of the server and the times of the frames. */
async function push(server, client, events, ...how) {
  await client.ask('stat')
  const stored = await server.ask('store', events, ...how)
  let times
  let frames = 0
  await until(`${events} events arrive`, async () => {
    const stat = await client.ask('stat')
    if (stat.frames > (times?.frames ?? 0)) times = stat
    frames += stat.frames
    return frames >= events
  }, 20_000)
  return { ...stored, ...times }
}

/* One after the other, against the disk in turns. */
async function measurePushTime(folder, server, client) {
  const rounds = []
  for (let round = 1; round <= ROUNDS; round++) {
    progress(`push: round ${round} of ${ROUNDS}`)
    const disk = await measure('journal_load', 'sync', folder, RECORD_BYTES, PUSHES)
    rounds.push({ disk: disk.p50_us, push: (await push(server, client, PUSHES, 1, PUSHES_PER_S)).p50_us })
  }
  const of = (pick) => median(rounds.map(pick))
  figure('bench.journal.push_p50', { n: ROUNDS, figure: of((r) => r.push - r.disk), unit: 'us over fdatasync', target: 200, digits: 0 })
  figure('bench.journal.push_p50.whole', { n: ROUNDS, figure: of((r) => r.push), unit: 'us', digits: 0 })
  figure('bench.journal.push_p50.fdatasync', { n: ROUNDS, figure: of((r) => r.disk), unit: 'us', digits: 0 })
}

async function measureThrough(server, client) {
  const rounds = []
  for (let round = 1; round <= ROUNDS; round++) {
    progress(`through: round ${round} of ${ROUNDS}`)
    rounds.push(await push(server, client, THROUGH.events, THROUGH.out))
  }
  const rate = median(rounds.map((r) => (THROUGH.events * 1e6) / r.wall_us))
  figure('bench.journal.through', { n: ROUNDS, figure: rate, unit: 'events/s', least: 20_000, digits: 0 })
  figure('bench.journal.through_cpu', { n: ROUNDS, figure: median(rounds.map((r) => r.cpu_us / THROUGH.events)), unit: 'us' })
}

/* ---- a restart ---- */

async function measureRecover(folder, name, records, target) {
  const times = []
  for (let i = 1; i <= RECOVERIES; i++) {
    progress(`${name}: ${i} of ${RECOVERIES}`)
    const path = join(folder, `${name}-${i}`)
    const read = await measure('journal_recover', records, path)
    if (read.records !== records) throw new Error(`${read.records} of ${records} records were recovered`)
    times.push(read.ms)
    rmSync(path, { recursive: true })
  }
  figure(`bench.journal.${name}`, { n: RECOVERIES, figure: median(times), unit: 'ms', target, digits: 0 })
}
