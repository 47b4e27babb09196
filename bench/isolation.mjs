/* `dev/bench journal`, third part: who asks over HTTP, and a PostgreSQL that stands still, must not be felt on the tabs.
 * The real program on the simulated switch; calls are up, and their agents mute and unmute: a command each, stable before
 * it is carried out, and an event each, stable before it is told. Its time is from the command to the event on the tab. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startGateway } from '../tests/support/gateway.mjs'
import { createDatabase, startCluster } from '../tests/support/pg.mjs'
import { until } from '../tests/support/until.mjs'
import { addAgents, agentsAreStored, openTabs } from './call.mjs'
import { figure, median, progress } from './figures.mjs'
import { built, measure, Program } from './program.mjs'

const TABS = 100
const MUTES_PER_S = 200
const SECONDS = 5 // of one measurement
const ROUNDS = 5
const CLIENTS = 64
const POLLED = ['/odata/v4/cts_dialerCalls', '/odata/v4/cts_dialerCallEvents', '/odata/v4/agents', '/odata/v4/queues', '/odata/v4/outcomes']
const WITHIN_MS = 5
const RETRY_US = 1_000_000

export async function benchIsolation() {
  process.env.CALLTAB_BIN ??= built('server', 'calltab')
  const folder = mkdtempSync(join(tmpdir(), 'calltab-bench-'))
  const cluster = await startCluster({ fsync: true })
  let gateway, client
  try {
    const database = await createDatabase({ cluster })
    const tokens = await addAgents(database, TABS)
    gateway = await startGateway({ database, config: { log_level: 'warn' } })
    client = new Program(built('bench', 'tabs_client'))
    await openTabs(gateway, client, tokens, join(folder, 'tickets'))
    await agentsAreStored(database, TABS)
    const { key } = JSON.parse(await gateway.program(['key', 'create', 'bench', '--scopes', 'calls.read,agents.read,config.read', '--json']))
    await putAllOnCalls(client)
    await measureUnderRest(gateway, client, `Authorization: Bearer ${key}`)
    await measureFrozen(gateway, client, cluster, `Authorization: Bearer ${key}`)
  } finally {
    await client?.stop()
    cluster.thaw()
    await gateway?.stop()
    await cluster.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

const rest = (gateway, { clients = 1, seconds = SECONDS, pauseUs = 0, field = '-' }, ...paths) =>
  measure('rest_load', gateway.port, clients, seconds, pauseUs, field, ...paths)

async function putAllOnCalls(client) {
  const talking = new Set()
  await client.ask('record', 1)
  client.onMessage = ({ tab, message }) => {
    if (message.method === 'state' && message.params.call.state === 'talk') talking.add(tab)
  }
  for (let tab = 0; tab < TABS; tab++) {
    const params = { number: `+1555${String(tab).padStart(4, '0')}100` }
    await client.ask('send', tab, JSON.stringify({ jsonrpc: '2.0', id: `dial-${tab}`, method: 'dial', params }))
  }
  await until('all calls are up', () => talking.size === TABS, 30_000)
  client.onMessage = null
  await client.ask('record', 0)
}

/* Times of the events that mutes become, while something else goes on. */
async function pushTimes(client, seconds = SECONDS) {
  const count = seconds * MUTES_PER_S
  await client.ask('stat')
  await client.ask('mute', count, MUTES_PER_S)
  await pause(seconds * 1000 + 1000)
  const stat = await client.ask('stat')
  if (stat.timed < count || stat.lost) throw new Error(`${stat.timed} of ${count} events came, ${stat.lost} tabs were lost`)
  return stat
}

async function measureUnderRest(gateway, client, field) {
  const rounds = []
  await pushTimes(client) // warm
  for (let round = 1; round <= ROUNDS; round++) {
    progress(`under REST: round ${round} of ${ROUNDS}`)
    const idle = await pushTimes(client)
    const load = rest(gateway, { clients: CLIENTS, seconds: SECONDS + 2, field }, ...POLLED)
    await pause(500)
    const busy = await pushTimes(client)
    const { answers, statuses } = await load
    if (!statuses[200] || statuses[200] < answers * 0.99) throw new Error(`answers under load: ${JSON.stringify(statuses)}`)
    rounds.push({ idle, busy, answers: answers / (SECONDS + 2) })
  }
  const of = (pick) => median(rounds.map(pick))
  figure('bench.isolation.rest', { n: ROUNDS, figure: of((r) => r.busy.p99_us / r.idle.p99_us), unit: 'x idle', target: 1.5 })
  for (const name of ['p50', 'p99']) {
    figure(`bench.isolation.rest.${name}_idle`, { n: ROUNDS, figure: of((r) => r.idle[`${name}_us`]) / 1000, unit: 'ms' })
    figure(`bench.isolation.rest.${name}_busy`, { n: ROUNDS, figure: of((r) => r.busy[`${name}_us`]) / 1000, unit: 'ms' })
  }
  figure('bench.isolation.rest.answers', { n: ROUNDS, figure: of((r) => r.answers), unit: 'answers/s', digits: 0 })
}

/* ---- PostgreSQL stands still ---- */

/* As many clients as before go on asking for rows, as often as Retry-After allows; others ask for what needs none. */
async function measureFrozen(gateway, client, cluster, field) {
  const page = await gateway.request('GET', '/agent/')
  const etag = `If-None-Match: ${page.headers.get('etag')}`
  const asked = [
    ['healthz', { pauseUs: 5000 }, '/healthz'],
    ['static', { pauseUs: 5000 }, '/agent/'],
    ['unchanged', { pauseUs: 5000, field: etag }, '/agent/'],
  ]
  const before = await pushTimes(client)
  progress('PostgreSQL stands still')
  cluster.freeze()
  const stuck = rest(gateway, { clients: CLIENTS, seconds: 2 * SECONDS, pauseUs: RETRY_US, field }, ...POLLED)
  await pause(1000)
  const [push, ...answers] = await Promise.all([pushTimes(client), ...asked.map(([, how, path]) => rest(gateway, how, path))])
  const { statuses } = await stuck
  cluster.thaw()
  if (statuses[200]) throw new Error('rows came from a database that stands still')
  const wanted = { healthz: 200, static: 200, unchanged: 304 }
  asked.forEach(([name], i) => {
    if (answers[i].statuses[wanted[name]] !== answers[i].answers) throw new Error(`${name}: ${JSON.stringify(answers[i].statuses)}`)
  })
  const worst = Math.max(...answers.map((each) => each.p99_us))
  const n = answers.reduce((sum, each) => sum + each.answers, 0)
  figure('bench.isolation.frozen', { n, figure: worst / 1000, unit: 'ms', target: WITHIN_MS })
  asked.forEach(([name], i) => figure(`bench.isolation.frozen.${name}_p99`, { n: answers[i].answers, figure: answers[i].p99_us / 1000, unit: 'ms' }))
  figure('bench.isolation.frozen.push_p99', { n: push.timed, figure: push.p99_us / 1000, unit: 'ms' })
  figure('bench.isolation.frozen.push_p99_before', { n: before.timed, figure: before.p99_us / 1000, unit: 'ms' })
}
