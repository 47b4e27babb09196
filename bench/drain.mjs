/* `dev/bench journal`, second part: the drain against COPY. A journal full of calls goes to PostgreSQL; then the very rows
 * it made are copied out, and in again into the emptied tables. PostgreSQL syncs every commit. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createDatabase, startCluster } from '../tests/support/pg.mjs'
import { figure, median, progress } from './figures.mjs'
import { measure } from './program.mjs'

const TENANT = '00000000-0000-7000-8000-000000000001'
const RECORDS = 60_000 // 12,000 calls of five
const ROUNDS = 5
const LIVE_PER_S = 200
const COPY_ROWS = 1000 // in one transaction, as the drain has records
const TABLES = ['dialer_calls', 'dialer_call_events']

export async function benchDrain() {
  const folder = mkdtempSync(join(tmpdir(), 'calltab-bench-'))
  const cluster = await startCluster({ fsync: true })
  try {
    const database = await createDatabase({ cluster })
    const journal = join(folder, 'journal')
    await measure('drain_load', 'fill', journal, RECORDS, TENANT)
    const rounds = []
    for (let round = 1; round <= ROUNDS; round++) {
      progress(`drain: round ${round} of ${ROUNDS}`)
      rounds.push(await oneRound(cluster, database, journal))
    }
    report(rounds)
    await database.close()
  } finally {
    await cluster.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function oneRound(cluster, database, journal) {
  await empty(database)
  const { ms } = await measure('drain_load', 'drain', journal, database.url)
  const rows = await countRows(database)
  const pieces = await copyOut(cluster, database)
  await empty(database)
  const piecesMs = await copyIn(database, pieces)
  if ((await countRows(database)) !== rows) throw new Error('COPY made other rows than the drain')
  await empty(database)
  const wholeMs = await copyIn(database, [TABLES.map((table) => join(cluster.folder, table))])
  return { records: (RECORDS * 1000) / ms, drain: (rows * 1000) / ms, copy: (rows * 1000) / piecesMs, whole: (rows * 1000) / wholeMs }
}

/* The watermark, too: the drain begins at the beginning. */
async function empty(database) {
  await database.query(`truncate ${TABLES.join(', ')}, dialer_call_results, gateway_journal cascade`)
  await database.query('checkpoint')
}

async function countRows(database) {
  const [{ calls, events }] = await database.query(
    'select (select count(*)::int from dialer_calls) as calls, (select count(*)::int from dialer_call_events) as events')
  if (events !== RECORDS) throw new Error(`${events} of ${RECORDS} events were stored`)
  return calls + events
}

/* Files of rows, to be copied in together: each piece a transaction. */
async function copyOut(cluster, database) {
  const pieces = []
  for (const table of TABLES) {
    const path = join(cluster.folder, table)
    await database.query(`copy (select * from ${table} order by created_on) to '${path}'`)
    const lines = readFileSync(path, 'latin1').split('\n').slice(0, -1)
    for (let i = 0; i * COPY_ROWS < lines.length; i++) {
      writeFileSync(`${path}.${i}`, `${lines.slice(i * COPY_ROWS, (i + 1) * COPY_ROWS).join('\n')}\n`, 'latin1')
      pieces.push([`${path}.${i}`])
    }
  }
  return pieces
}

async function copyIn(database, pieces) {
  const tableOf = (path) => TABLES.find((table) => new RegExp(`/${table}(\\.\\d+)?$`).test(path))
  const began = performance.now()
  for (const paths of pieces) {
    await database.query(`begin; ${paths.map((path) => `copy ${tableOf(path)} from '${path}';`).join(' ')} commit`)
  }
  return performance.now() - began
}

function report(rounds) {
  const n = rounds.length
  const of = (pick) => median(rounds.map(pick))
  figure('bench.drain.copy_ratio', { n, figure: of((r) => r.drain / r.copy), unit: 'x COPY', least: 0.55 })
  figure('bench.drain.copy_ratio.whole', { n, figure: of((r) => r.drain / r.whole), unit: 'x COPY' })
  figure('bench.drain.rows', { n, figure: of((r) => r.drain), unit: 'rows/s', digits: 0 })
  figure('bench.drain.copy_rows', { n, figure: of((r) => r.copy), unit: 'rows/s', digits: 0 })
  figure('bench.drain.live_ratio', { n, figure: of((r) => r.records / LIVE_PER_S), unit: 'x live', least: 10, digits: 0 })
}
