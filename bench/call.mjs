/* `dev/bench call`: the real program on the simulated switch and a real PostgreSQL, with a thousand tabs. Agents dial and
 * hang up; how long does it take from the command on the socket to the driver call, and from the switch's fact to the
 * event on the tab? Load client and switch read the same clock (CLOCK_MONOTONIC): the switch says when it was asked for
 * a leg and when the leg was answered (GET /api/v1/sim/legs). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startGateway } from '../tests/support/gateway.mjs'
import { startCluster, createDatabase } from '../tests/support/pg.mjs'
import { until } from '../tests/support/until.mjs'
import { figure, progress, quantile } from './figures.mjs'
import { built, Program } from './program.mjs'

const TABS = 1_000
const CALLS_PER_S = 25 // each is two commands, and four events on its tab: ringing, talk, idle, end or an update
const SECONDS = 20
const TALK_MS = 600 // long enough for the legs to be seen while they are up
const LOOK_EVERY_MS = 250
const LEAST_SAMPLES = 0.98 // of the calls
const TARGET_MS = 5

export async function benchCall() {
  process.env.CALLTAB_BIN ??= built('server', 'calltab')
  const folder = mkdtempSync(join(tmpdir(), 'calltab-bench-'))
  const cluster = await startCluster({ fsync: true })
  let gateway, client
  try {
    const database = await createDatabase({ cluster })
    const tokens = await addAgents(database)
    gateway = await startGateway({ database, config: { log_level: 'warn' } })
    client = new Program(built('bench', 'tabs_client'))
    await openTabs(gateway, client, tokens, join(folder, 'tickets'))
    await agentsAreStored(database)
    report(await dialAndHangUp(gateway, client))
  } finally {
    await client?.stop()
    await gateway?.stop()
    await cluster.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

/* Their sessions are made at once with them: a thousand sign-ins are not what is measured. */
export async function addAgents(database, count = TABS) {
  const tokens = await database.query(
    `with made as (
       insert into agents (agent_id, tenant_id, login, full_name, extension)
       select gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 'bench' || n, 'Agent ' || n, (10000 + n)::text
         from generate_series(0, $1 - 1) n
       returning agent_id, tenant_id, extension::int - 10000 as n),
     opened as (
       insert into sessions (session_id, tenant_id, agent_id, token_hash, expires_on)
       select gen_random_uuid(), tenant_id, agent_id, sha256(convert_to('ctss_' || lpad(n::text, 43, '0'), 'UTF8')), now() + interval '1 hour'
         from made)
     select 'ctss_' || lpad(n::text, 43, '0') as token from made order by n`, [count])
  await database.query('analyze agents, sessions') // as after a night of a real installation
  return tokens.map(({ token }) => token)
}

export async function openTabs(gateway, client, tokens, path) {
  progress(`opening ${tokens.length} tabs`)
  const tickets = []
  for (let i = 0; i < tokens.length; i += 50) {
    tickets.push(...(await Promise.all(tokens.slice(i, i + 50).map((token) => gateway.ticket({ token })))))
  }
  writeFileSync(path, tickets.join('\n'))
  const { opened, why } = await client.ask('open', gateway.port, tokens.length, gateway.origin, path)
  if (opened !== tokens.length) throw new Error(`${opened} of ${tokens.length} tabs were served: ${why}`)
}

/* That all came at once is written; what follows is measured at rest. */
export async function agentsAreStored(database, all = TABS) {
  await until('all agents are stored as signed in', async () => {
    const [{ count }] = await database.query("select count(*)::int from agents where state <> 'LoggedOut'")
    return count >= all
  }, 60_000)
}

/* ---- the load ---- */

const numberOf = (tab) => `+1555${String(tab).padStart(4, '0')}100`

async function dialAndHangUp(gateway, client) {
  const calls = new Map() // by tab: {sentUs, talkUs}
  const legs = new Map() // by id, as last seen
  const trouble = []
  let events = 0
  const send = (tab, method, params) =>
    client.ask('send', tab, JSON.stringify({ jsonrpc: '2.0', id: `${method}-${tab}`, method, params }))
  const hangUps = []

  await client.ask('record', 1)
  client.onMessage = ({ tab, us, message }) => {
    if (message.error) trouble.push(message.error.message)
    if (message.method) events++
    if (message.method !== 'state' || message.params.call.state !== 'talk') return
    calls.get(tab).talkUs = us
    hangUps.push(pause(TALK_MS).then(() => send(tab, 'release', {})))
  }
  const stopLooking = lookAtLegs(gateway, legs)
  progress(`${CALLS_PER_S} calls a second for ${SECONDS} s`)
  const began = performance.now()
  for (let i = 0; i < CALLS_PER_S * SECONDS; i++) {
    await pause(Math.max(0, began + (i * 1000) / CALLS_PER_S - performance.now()))
    const call = {}
    calls.set(i, call)
    call.sentUs = (await send(i, 'dial', { number: numberOf(i) })).sent_us
  }
  await until('all calls were answered', () => trouble.length > 0 || [...calls.values()].every((call) => call.talkUs), 10_000)
  const seconds = (performance.now() - began) / 1000
  await Promise.all(hangUps)
  await stopLooking()
  client.onMessage = null
  if (trouble.length > 0) throw new Error(`${trouble.length} commands were refused, the first: ${trouble[0]}`)
  progress(`${(events / seconds).toFixed(0)} events a second arrived on the tabs`)
  return { calls, legs }
}

function lookAtLegs(gateway, legs) {
  let isOn = true
  const looking = (async () => {
    const { key } = JSON.parse(await gateway.program(['key', 'create', 'bench', '--scopes', 'admin', '--json']))
    while (isOn) {
      for (const leg of (await gateway.requestOk('GET', '/api/v1/sim/legs', { token: key })).legs) legs.set(leg.leg, leg)
      await pause(LOOK_EVERY_MS)
    }
  })()
  looking.catch(() => {}) // it is awaited at the end
  return () => {
    isOn = false
    return looking
  }
}

/* ---- the figures ---- */

function report({ calls, legs }) {
  const toDriver = []
  const toTab = []
  const byParty = new Map([...legs.values()].map((leg) => [leg.party, leg]))
  for (const [tab, { sentUs, talkUs }] of calls) {
    const station = byParty.get(String(10000 + tab))
    const customer = byParty.get(numberOf(tab))
    if (!station?.upUs || !customer?.upUs) continue
    toDriver.push((Math.min(station.madeUs, customer.madeUs) - sentUs) / 1000)
    toTab.push((talkUs - Math.max(station.upUs, customer.upUs)) / 1000)
  }
  if (toTab.length < calls.size * LEAST_SAMPLES) throw new Error(`only ${toTab.length} of ${calls.size} calls were seen on the switch`)
  for (const [name, times] of [['command_to_driver', toDriver], ['fact_to_tab', toTab]]) {
    figure(`bench.call.${name}_p99`, { n: times.length, figure: quantile(times, 0.99), unit: 'ms', target: TARGET_MS })
    figure(`bench.call.${name}_p50`, { n: times.length, figure: quantile(times, 0.5), unit: 'ms' })
    figure(`bench.call.${name}_max`, { n: times.length, figure: Math.max(...times), unit: 'ms' })
  }
}
