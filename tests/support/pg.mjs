/* A private PostgreSQL for tests: one cluster per run in a temp folder, reached by a unix socket only, a template
 * database migrated once by the real binary, and a database of its own for every test file.
 *
 *   const database = await createDatabase()         // migrated; seeded with dev/seed.sql unless {seed: false}
 *   await database.query('select ...', [value])     // as superuser
 *   database.url, database.ownerUrl                 // what calltab serve and calltab migrate are given
 *   await database.drop()
 *
 * dev/test starts the cluster and hands it on in CALLTAB_TEST_PG; a file run alone starts one and ends it when the
 * process ends, however it ends. Tests that stop or freeze PostgreSQL ask startCluster() for one of their own.
 * fsync is off unless {fsync: true}: a killed process loses nothing by that, only a power cut would. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migrateUp } from './program.mjs'
import { root } from './results.mjs'
import { until } from './until.mjs'

const PORT = 5432 // only part of the socket's name: nothing listens on TCP
const LONGEST_SOCKET_PATH = 107
const SOCKET_NAME = `/.s.PGSQL.${PORT}`
const TEMPLATE = 'calltab_template'
const TEMPLATE_LOCK = 4211

const SETTINGS = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  timezone: 'UTC',
  shared_buffers: '32MB',
  max_connections: '100',
  log_min_messages: 'warning',
}
const UNSAFE_SETTINGS = { fsync: 'off', full_page_writes: 'off' }

let shared

/* The cluster of this run. */
export function sharedCluster() {
  shared ??= process.env.CALLTAB_TEST_PG
    ? Promise.resolve(new Cluster(process.env.CALLTAB_TEST_PG))
    : startCluster()
  return shared
}

export async function startCluster({ fsync = false, settings = {} } = {}) {
  const folder = makeFolder()
  const cluster = new Cluster(folder, { ...SETTINGS, ...(fsync ? {} : UNSAFE_SETTINGS), ...settings })
  cluster.initialise()
  await cluster.start()
  await cluster.query(
    `create role calltab_owner login;
     create role calltab_service nologin;
     create role calltab_app login in role calltab_service;`,
  )
  return cluster
}

/* A database for one test file. cluster: another than the shared one. migrated: false = empty. */
export async function createDatabase({ cluster, migrated = true, seed = migrated } = {}) {
  const home = cluster ?? (await sharedCluster())
  const name = `t${randomBytes(6).toString('hex')}`
  await home.createDatabase(name, { migrated })
  const database = new Database(home, name)
  if (seed) await database.query(readFileSync(join(root, 'dev', 'seed.sql'), 'utf8'))
  return database
}

class Database {
  #pool
  constructor(cluster, name) {
    this.cluster = cluster
    this.name = name
    this.url = cluster.url(name, 'calltab_app')
    this.ownerUrl = cluster.url(name, 'calltab_owner')
  }

  async query(text, values) {
    this.#pool ??= this.cluster.pool(this.name)
    return (await this.#pool.query(text, values)).rows
  }

  async close() {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.end()
  }

  async drop() {
    await this.close()
    await this.cluster.query(`drop database if exists "${this.name}" with (force)`)
  }
}

class Cluster {
  #settings
  #child = null
  #pool
  constructor(folder, settings = null) {
    this.folder = folder
    this.#settings = settings // null: somebody else's cluster, never stopped here
  }

  url(database, role) {
    return `postgresql://${role}@/${database}?host=${encodeURIComponent(this.folder)}&port=${PORT}`
  }

  pool(database) {
    const pool = new pg.Pool({ host: this.folder, port: PORT, user: 'postgres', database, max: 4, allowExitOnIdle: true })
    pool.on('error', () => {}) // an idle connection cut by a test that stops PostgreSQL
    return pool
  }

  async query(text, values) {
    this.#pool ??= this.pool('postgres')
    return (await this.#pool.query(text, values)).rows
  }

  async createDatabase(name, { migrated }) {
    // One at a time: a template must not be in use while it is copied, nor be made twice.
    const client = new pg.Client({ host: this.folder, port: PORT, user: 'postgres', database: 'postgres' })
    await client.connect()
    try {
      await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
      if (migrated && !(await hasDatabase(client, TEMPLATE))) await this.#makeTemplate(client)
      await client.query(`create database "${name}" owner calltab_owner template ${migrated ? TEMPLATE : 'template1'}`)
    } finally {
      await client.end()
    }
  }

  async #makeTemplate(client) {
    const unfinished = `${TEMPLATE}_new`
    await client.query(`drop database if exists ${unfinished}`)
    await client.query(`create database ${unfinished} owner calltab_owner`)
    await migrateUp(this.url(unfinished, 'calltab_owner'))
    await client.query(`alter database ${unfinished} rename to ${TEMPLATE}`)
  }

  initialise() {
    this.#runAsServer('initdb', ['--pgdata', join(this.folder, 'data'), '--username=postgres', '--auth=trust',
      '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'])
  }

  #runAsServer(program, args) {
    const { error, status, stderr } = spawnSync(join(binaries(), program), args, { ...serverIdentity(), cwd: '/', encoding: 'utf8' })
    if (error || status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`)
  }

  /* Resolves when connections are accepted. Also after stop(). */
  async start() {
    const settings = Object.entries({ ...this.#settings, unix_socket_directories: this.folder })
    const log = openSync(join(this.folder, 'log'), 'a', 0o600)
    const identity = serverIdentity()
    // Ends with this process even when that is killed: nothing of a test may stay behind.
    const child = spawn('setpriv', ['--pdeathsig', 'QUIT',
      ...(identity.uid ? ['--reuid', String(identity.uid), '--regid', String(identity.gid), '--clear-groups'] : []),
      '--', join(binaries(), 'postgres'), '-D', join(this.folder, 'data'), '-p', String(PORT),
      ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { stdio: ['ignore', log, log], cwd: '/', detached: true })
    closeSync(log)
    child.unref()
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = null
    })
    endWithProcess(this)
    await until('PostgreSQL accepts connections', async () => {
      if (this.#child !== child) return 'ended'
      const client = new pg.Client({ host: this.folder, port: PORT, user: 'postgres', database: 'postgres' })
      client.on('error', () => {})
      await client.connect()
      await client.end()
      return true
    }, 30_000)
    if (this.#child !== child) throw new Error(`PostgreSQL did not start:\n${this.log()}`)
  }

  log() {
    return readFileSync(join(this.folder, 'log'), 'utf8')
  }

  /* mode: fast = clients are cut, data is written; immediate = like a crash. */
  async stop(mode = 'fast') {
    const child = this.#child
    if (!child) return
    child.ref()
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await until(`PostgreSQL stopped (${mode})`, () => this.#child !== child, 30_000)
  }

  /* Every process of the server stands still, sockets stay open: a database that hangs. */
  freeze() {
    this.#signalAll('SIGSTOP')
  }

  thaw() {
    this.#signalAll('SIGCONT')
  }

  #signalAll(signal) {
    const main = this.#child.pid
    process.kill(main, signal)
    for (const pid of childrenOf(main)) {
      try {
        process.kill(pid, signal)
      } catch {
        // ended meanwhile
      }
    }
  }

  async destroy() {
    await this.#pool?.end()
    this.#pool = undefined
    await this.stop('immediate')
    rmSync(this.folder, { recursive: true, force: true })
  }

  /* For the exit of this process, where nothing can be awaited. */
  destroyNow() {
    if (this.#child) {
      const { pid } = this.#child
      this.thaw()
      process.kill(pid, 'SIGQUIT')
      for (let tries = 0; tries < 200 && isRunning(pid); tries++) pauseNow(10)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function hasDatabase(client, name) {
  return (await client.query('select from pg_database where datname = $1', [name])).rowCount > 0
}

function makeFolder() {
  const parent = [tmpdir(), '/tmp'].find((path) => path.length + '/calltab-pg-XXXXXX'.length + SOCKET_NAME.length <= LONGEST_SOCKET_PATH)
  const folder = mkdtempSync(join(parent, 'calltab-pg-'))
  const { uid, gid } = serverIdentity()
  if (uid !== undefined) chownSync(folder, uid, gid)
  return folder
}

/* PostgreSQL refuses to run as root: then it runs as the user that its package made. */
function serverIdentity() {
  if (process.getuid() !== 0) return {}
  const id = (option) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function binaries() {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).filter((name) => existsSync(join(base, name, 'bin', 'initdb'))) : []
  if (versions.length === 0) throw new Error('PostgreSQL is not installed: run dev/setup test')
  versions.sort((a, b) => Number(b) - Number(a))
  return join(base, versions[0], 'bin')
}

function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid).map(Number)
}

function parentOf(pid) {
  return Number(statOf(pid)?.[1])
}

function isRunning(pid) {
  const state = statOf(pid)?.[0]
  return state !== undefined && state !== 'Z'
}

/* [state, parent, ...]: what follows the name in parentheses, which may contain anything */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function pauseNow(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const toEnd = new Set()

function endWithProcess(cluster) {
  if (toEnd.size === 0) {
    process.once('exit', () => {
      for (const each of toEnd) each.destroyNow()
    })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))
  }
  toEnd.add(cluster)
}
