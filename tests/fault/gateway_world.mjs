/* The gateway under test in the middle of the laboratory: its switch, its database, proxies on the ways between them, many
 * agents with sessions, clients that keep records.
 *
 *   const world = await createFaultWorld({ agents: 20, via: ['tab', 'switch', 'database'], config: { wrap_s: 0 } })
 *   const tab = await world.openTab(0)              // a TabClient of the first agent, attached; {via: false} = not by the proxy
 *   await world.killAndRestart()                    // kill -9, the same port
 *   const findings = check(await world.logs())      // checker.mjs
 *   await world.stop()
 *
 * switch: 'ari' = the laboratory's (switch.mjs), 'sim' = the gateway's own, which needs no ledger. cluster: 'own' = a
 * PostgreSQL that can be stopped. hasJournal: whether this binary keeps one; without it a restart forgets the calls. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAgents } from '../support/crew.mjs'
import { startGateway } from '../support/gateway.mjs'
import { createDatabase, startCluster } from '../support/pg.mjs'
import { runOk } from '../support/program.mjs'
import { until } from '../support/until.mjs'
import { FaultProxy } from './proxy.mjs'
import { startSwitch } from './switch_client.mjs'
import { TabClient, TabLog } from './tab_client.mjs'

const ORIGIN = 'http://lab.example'
const READY_MS = 30_000
const ROWS_MS = 10_000

/* Whether this binary has an option of that name. */
export async function hasOption(name) {
  options ??= runOk(['config', '--markdown'])
  return (await options).includes(`\`${name}\``)
}
let options

export const NO_JOURNAL = 'this binary has no journal: calls are not remembered across a restart'

/* For tests of what only a journal can promise: {skip} when there is none. */
export async function needsJournal() {
  return (await hasOption('journal_dir')) ? {} : { skip: NO_JOURNAL }
}

export async function createFaultWorld(options = {}) {
  const world = new FaultWorld(options)
  try {
    await world.start()
  } catch (error) {
    await world.stop().catch(() => {})
    throw error
  }
  return world
}

class FaultWorld {
  #agents = []
  #http = new Agent({ keepAlive: true, maxSockets: 64 })
  #clients = []
  proxies = {}

  constructor({ agents = 2, via = [], switch: kind = 'ari', cluster, config = {}, quirks, seed = 1, env = {} }) {
    this.options = { agents, via, kind, cluster, config, quirks, seed, env }
    this.folder = mkdtempSync(join(tmpdir(), 'calltab-lab-'))
    this.log = new TabLog()
  }

  async start() {
    const { agents, via, kind, cluster, config, quirks, seed, env } = this.options
    this.hasJournal = await hasOption('journal_dir')
    this.cluster = cluster === 'own' ? await startCluster() : undefined
    this.database = await createDatabase({ cluster: this.cluster })
    this.#agents = await addAgents(this.database, agents)
    if (kind === 'ari') this.switch = await startSwitch({ seed, quirks, stations: this.#agents.map(({ login }) => login) })
    if (via.includes('switch')) this.proxies.switch = await FaultProxy.start({ upstream: { port: this.switch.port }, seed })
    if (via.includes('database')) this.proxies.database = await FaultProxy.start({ upstream: { path: `${this.database.cluster.folder}/.s.PGSQL.5432` }, seed: seed + 1 })
    // the connection that writes what happened; it says how as soon as it is made
    for (const words of ['into dialer_call_events', 'copy dialer_call_events']) this.proxies.database?.note('writer', words)
    this.proxies.database?.note('wrote', 'COMMIT\0', 'down')
    this.gateway = await startGateway({
      database: this.database,
      env,
      config: {
        origins: ORIGIN,
        node: 'lab',
        ...(kind === 'ari' && { switch: 'ari', ari_port: (this.proxies.switch ?? this.switch).port, ari_password: 'lab' }),
        ...(this.proxies.database && { database: `postgresql://calltab_app@127.0.0.1:${this.proxies.database.port}/${this.database.name}?sslmode=disable&gssencmode=disable` }),
        ...(this.hasJournal && { journal_dir: join(this.folder, 'journal') }),
        ...config,
      },
    })
    if (via.includes('tab')) this.proxies.tab = await FaultProxy.start({ upstream: { port: this.gateway.port }, seed: seed + 2 })
    await this.ready()
  }

  agent(index) {
    return this.#agents[index]
  }

  /* Until the switch is there too. */
  ready(ms = READY_MS) {
    return until('the gateway has its switch', async () => (await this.gateway.request('GET', '/readyz')).status === 200, ms)
  }

  async isReady() {
    return (await this.gateway.request('GET', '/readyz')).status === 200
  }

  /* --- clients --- */

  /* A keep-alive connection, not fetch: thousands of tickets are asked for. */
  ticket(index) {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${this.#agents[index].token}`, origin: ORIGIN, 'content-length': 0 }
      const request = httpRequest({ host: '127.0.0.1', port: this.gateway.port, method: 'POST', path: '/api/v1/ws-tickets', agent: this.#http, headers }, async (response) => {
        try {
          let text = ''
          for await (const part of response.setEncoding('utf8')) text += part
          if (response.statusCode >= 300) throw new Error(`ticket: ${response.statusCode} ${text}`)
          resolve(JSON.parse(text).ticket)
        } catch (error) {
          reject(error)
        }
      })
      request.setTimeout(10_000, () => request.destroy(new Error('no ticket within 10 s')))
      request.on('error', reject)
      request.end()
    })
  }

  /* A client of agent `index` that is not connected yet. */
  client(index, { tab = 1, via = true, ...more } = {}) {
    const port = () => (via && this.proxies.tab ? this.proxies.tab.port : this.gateway.port)
    const client = new TabClient({
      url: `ws://127.0.0.1:${port()}/ws`, origin: ORIGIN, agent: this.#agents[index].login, tab, log: this.log, getTicket: () => this.ticket(index), ...more,
    })
    this.#clients.push(client)
    return client
  }

  async openTab(index, options) {
    const client = this.client(index, options)
    await client.connect()
    return client
  }

  get clients() {
    return this.#clients
  }

  /* Of all clients; [] when the promise of the stream holds. */
  faults() {
    return this.#clients.flatMap(({ faults }) => faults)
  }

  async key(scopes) {
    return (await this.gateway.program(['key', 'create', `lab-${randomBytes(3).toString('hex')}`, '--scopes', scopes])).trim()
  }

  /* --- the gateway's end and beginning --- */

  async killAndRestart() {
    await this.gateway.restart({ crash: true })
  }

  /* Killed, and started with more in its environment (CALLTAB_FAILPOINT …), only this time. */
  async restartWith(env) {
    this.gateway.env = { ...this.options.env, ...env }
    this.gateway.port = this.port ??= this.gateway.port // which is none when it ended before it was ready
    await this.gateway.restart({ crash: true })
    this.gateway.env = this.options.env
  }

  /* Killed, and started with more in its environment; resolves with true when it ended by itself before the time was up. */
  async restartToEnd(env, ms) {
    await this.gateway.kill()
    this.port ??= this.gateway.port
    this.gateway.config.listen = `127.0.0.1:${this.port}`
    this.gateway.env = { ...this.options.env, ...env }
    await this.gateway.start({ wait: false })
    this.gateway.env = this.options.env
    return this.gateway.ended(ms).then(() => true, () => false)
  }

  /* --- what the checker reads --- */

  async rows() {
    const [calls, events, results] = await Promise.all([
      this.database.query('select * from dialer_calls'),
      this.database.query('select * from dialer_call_events order by created_on, dialer_call_event_id'),
      this.database.query('select * from dialer_call_results order by created_on, dialer_call_result_id'),
    ])
    return { calls, events, results }
  }

  /* What tabs were told is stable in the journal; the rows follow. Whatever does not come in time is the checker's to name. */
  async #rowsFollow() {
    const ended = this.#clients.filter(({ call }) => call?.state === 'end').map(({ call }) => call.callId)
    await until('the rows are there', async () => {
      const sql = "select count(distinct call_id) from dialer_call_events where event_name = 'end' and call_id = any($1::uuid[])"
      return Number((await this.database.query(sql, [ended]))[0].count) === new Set(ended).size
    }, ROWS_MS).catch(() => {})
  }

  async logs() {
    await this.#rowsFollow()
    return { ledger: this.switch?.ledger() ?? [], tabs: this.log.entries, rows: await this.rows(), live: (await this.switch?.ask('live')) ?? [] }
  }

  /* --- the end --- */

  async stop() {
    for (const client of this.#clients) client.cut()
    this.#http.destroy()
    for (const proxy of Object.values(this.proxies)) proxy.set({ latencyMs: 0, jitterMs: 0 })
    try {
      if (this.gateway) await this.gateway.stop()
      else await this.database?.drop()
    } finally {
      for (const proxy of Object.values(this.proxies)) await proxy.stop()
      await this.switch?.stop()
      await this.cluster?.destroy()
      rmSync(this.folder, { recursive: true, force: true })
    }
  }
}
