/* More is asked than can be done, or there are no descriptors left: what is new is turned away in the right words and at once,
 * calls that are up notice nothing, and it ends by itself (L6, F4). */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { record } from '../support/results.mjs'
import { until, within } from '../support/until.mjs'
import { check, describe as inWords } from './checker.mjs'
import { createFaultWorld } from './gateway_world.mjs'
import { numberThat } from './switch_state.mjs'

const TABS = 10
const TIMES = 3 // of what was measured
const MEASURE_S = 3
const OVERLOAD_S = 8
const ANSWERS_MS = 5000 // anything that takes longer is no refusal, however busy the machine is
const NORMAL_MS = 10_000
const SLOW_MS = 10 // of the way to the database: it is what there is too little of, on every machine
const USUAL_MS = 3000
const CROWD_MS = 4000
const QUEUE = 100 // requests that may wait for it

const p99 = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.99)] ?? 0
const stateOf = async (world) => (await world.gateway.request('GET', '/readyz')).body
const levelOf = async (world) => (await stateOf(world)).overload.level

/* Calls that are up all the time, each held and taken back again and again. */
class LiveCalls {
  isOver = false
  toggles = 0
  took = []

  static async start(world, count = TABS) {
    const calls = new LiveCalls()
    calls.tabs = await Promise.all(Array.from({ length: count }, (_, i) => world.openTab(i)))
    await Promise.all(calls.tabs.map(async (tab, i) => {
      const { error } = await tab.command('dial', { number: numberThat({ serial: i + 1, answerMs: 0 }) })
      assert.equal(error, undefined)
      await tab.state('talk')
    }))
    calls.ended = Promise.all(calls.tabs.map((tab) => calls.#toggle(tab)))
    calls.ended.catch(() => {}) // stop() says it
    return calls
  }

  async #toggle(tab) {
    for (let isHeld = true; !this.isOver; isHeld = !isHeld) {
      const began = performance.now()
      const { error, lost } = await tab.command('holdresume')
      assert.ok(!lost && !error, `a command of a live call: ${lost ? 'the connection is lost' : error?.data?.code}`)
      await tab.when('it is told', ({ call }) => call.held === isHeld, 30_000)
      this.took.push(performance.now() - began)
      this.toggles++
      await pause(150)
    }
  }

  /* Each of them has told all it had to tell, and nobody else has. */
  async stop(world) {
    this.isOver = true
    await this.ended
    assert.deepEqual(world.faults(), [])
    assert.deepEqual(this.tabs.map(({ counts, closed }) => [counts.connects, closed]), this.tabs.map(() => [1, null]), 'no connection was lost')
  }

  async hangUp() {
    await Promise.all(this.tabs.map(async (tab) => {
      await tab.command('release')
      await tab.state('idle')
      await tab.command('setOutcome', { outcome: 'Sale' })
      await tab.command('endWrap')
      await tab.state('end')
    }))
  }
}

/* One request after the other or many at once, each with how it ended and when. */
class Polls {
  #agent
  ended = []
  isOver = false

  constructor(world, sockets) {
    this.world = world
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets, maxTotalSockets: sockets })
  }

  ask(path = '/odata/v4/cts_dialerCalls?$top=1') {
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.world.gateway.port, path, agent: this.#agent, headers: { authorization: `Bearer ${this.world.agent(0).token}` } }
      const request = httpRequest(options, async (response) => {
        let text = ''
        for await (const part of response.setEncoding('utf8')) text += part
        const answer = { status: response.statusCode, headers: response.headers, text, began, at: performance.now(), ms: performance.now() - sent }
        this.ended.push(answer)
        resolve(answer)
      })
      let sent = began
      request.on('socket', (socket) => (sent = performance.now(), socket)) // not what it waited here for a free connection
      request.on('error', reject)
      request.end()
    })
  }

  /* As many as are answered while there are always a few under way: answers a second. */
  async measure(concurrency, seconds) {
    const until_ = performance.now() + seconds * 1000
    const before_ = this.ended.length
    await Promise.all(Array.from({ length: concurrency }, async () => {
      while (performance.now() < until_) assert.equal((await this.ask()).status, 200)
    }))
    return (this.ended.length - before_) / seconds
  }

  /* So many a second, whatever becomes of them. */
  async offer(rate, seconds) {
    const began = performance.now()
    const asked = []
    this.ended = []
    while (performance.now() < began + seconds * 1000) {
      for (const due = ((performance.now() - began) / 1000) * rate; asked.length < due;) asked.push(this.ask())
      await pause(5)
    }
    await Promise.all(asked)
    return asked.length
  }

  destroy() {
    this.#agent.destroy()
  }
}

function assertIsRefusal({ status, headers, text }) {
  assert.equal(status, 503)
  assert.match(headers['retry-after'], /^[1-5]$/)
  assert.match(headers['content-type'], /^application\/json/)
  const { error } = JSON.parse(text)
  assert.equal(error.code, 'Unavailable')
  assert.match(error.message, /try again/)
  assert.ok(error.innererror.requestId)
}

describe('three times as much as can be done', () => {
  let world
  before(async () => {
    world = await createFaultWorld({ agents: TABS, via: ['database'], config: { wrap_s: 0, overload_lag_ms: 50 }, env: { CALLTAB_SMALL: `db_queue:${QUEUE}` } })
  })
  after(() => world?.stop())

  test('overload.shed', { timeout: 120_000 }, async (t) => {
    const calls = await LiveCalls.start(world)
    const polls = new Polls(world, 400)
    world.proxies.database.set({ latencyMs: SLOW_MS })
    await polls.measure(16, 1) // workers connect
    const most = await polls.measure(16, MEASURE_S)
    assert.equal(await levelOf(world), 'none')

    const calm = calls.took.length
    const levels = new Set()
    let isOffering = true
    const watch = (async () => {
      while (isOffering) {
        levels.add(await levelOf(world))
        await pause(50)
      }
    })()
    const offered = await polls.offer(most * TIMES, OVERLOAD_S)
    isOffering = false
    await watch
    const over = performance.now()
    const answered = polls.ended
    const good = answered.filter(({ status }) => status === 200)
    const refusals = answered.filter(({ status }) => status !== 200)
    await until('it is back to normal', async () => (await levelOf(world)) === 'none' && (await polls.ask()).status === 200, NORMAL_MS)
    const normalMs = performance.now() - over
    const during = calls.took.slice(calm)
    await calls.stop(world)
    const { overload } = await stateOf(world)
    world.proxies.database.set({ latencyMs: 0 })
    await calls.hangUp()
    const findings = check(await world.logs(), { isQuiet: true, needsOutcome: true })

    const lost = findings.length
    const goodput = good.length / ((over - answered[0].began) / 1000) / most
    const refusalMs = p99(refusals.map(({ ms }) => ms))
    t.diagnostic(`most ${Math.round(most)}/s, offered ${offered}, good ${good.length} (${goodput.toFixed(2)} of the most), refused ${refusals.length} in p99 ${refusalMs.toFixed(1)} ms; ` +
      `live calls: ${during.length} changes, p99 ${p99(during).toFixed(1)} ms; normal after ${Math.round(normalMs)} ms; levels ${[...levels]}`)
    record({ test: 'overload.shed', n: offered, figure: lost, unit: 'lost events of live calls', target: 0, pass: lost === 0 && refusals.length > 0 })
    record({ test: 'overload.live', n: during.length, figure: Math.round(p99(during)), unit: 'ms p99', target: 100, pass: p99(during) <= 100 })
    record({ test: 'overload.goodput', n: good.length, figure: Number(goodput.toFixed(2)), unit: 'of the maximum', target: 0.9, pass: goodput >= 0.9 })
    record({ test: 'overload.refusal', n: refusals.length, figure: Math.round(refusalMs), unit: 'ms p99', target: 50, pass: refusalMs <= 50 })
    record({ test: 'overload.normal', n: 1, figure: Math.round(normalMs), unit: 'ms', target: NORMAL_MS, pass: normalMs <= NORMAL_MS })
    assert.deepEqual(findings, [], inWords(findings))
    refusals.forEach(assertIsRefusal)
    assert.ok(refusals.length > offered / 5, `${refusals.length} of ${offered} were refused`)
    assert.equal(overload.refused.polls, refusals.length)
    assert.equal(overload.refused.dials + overload.refused.tabs + overload.refused.resumes, 0, 'nothing but polls had to go')
    assert.ok(levels.has('polls'))
    assert.ok(refusalMs < ANSWERS_MS, `a refusal took ${refusalMs} ms`)
    assert.ok(goodput > 0.3, `${goodput} of the most was done`)
    assert.ok(during.length > TABS, 'live calls went on')
    const said = world.gateway.log.match(/overload: new work is turned away/g) ?? []
    assert.ok(said.length >= 1 && said.length <= 2 * OVERLOAD_S, `the log says it ${said.length} times, and not for each of ${refusals.length}`)
    assert.match(world.gateway.log, /overload is over/)
    polls.destroy()
  })
})

/* The descriptors of a running process: how many, and where its journal writes. */
class Descriptors {
  constructor(pid) {
    this.pid = pid
  }

  count() {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  limit(soft) {
    execFileSync('prlimit', ['--pid', String(this.pid), `--nofile=${soft}:`])
  }

  /* What share of a processor it takes while this goes on. */
  async cpu(what) {
    const from = { cpuS: this.#cpuS(), at: performance.now() }
    await what
    return (this.#cpuS() - from.cpuS) / ((performance.now() - from.at) / 1000)
  }

  #cpuS() {
    const [utime, stime] = readFileSync(`/proc/${this.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ').slice(11, 13).map(Number)
    return (utime + stime) / 100
  }
}

const GOOD = (origin) =>
  `GET /ws HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: calltab.v1, ticket.${'x'.repeat(43)}\r\n\r\n`

/* What becomes of a connection: 'let in' (it stays), or the first line of the answer, or 'closed'; and how long that took. */
function knock(port, text, ms) {
  return new Promise((resolve) => {
    const began = performance.now()
    const socket = net.connect(port, '127.0.0.1')
    let heard = ''
    const done = (how) => {
      clearTimeout(timer)
      resolve({ how, heard, ms: performance.now() - began, socket })
    }
    const timer = setTimeout(() => done('let in'), ms)
    socket.on('data', (data) => (heard += data))
    socket.on('error', () => {})
    socket.on('close', () => done(heard ? heard.split('\r\n')[0] : 'closed'))
    if (text) socket.write(text)
  })
}

for (const limit of [64, 256]) {
  describe(`${limit} descriptors`, () => {
    let world
    const open = []
    before(async () => {
      world = await createFaultWorld({ agents: 20, config: { wrap_s: 0, overload_lag_ms: 50, command_memory_s: 20 }, env: { CALLTAB_SMALL: 'segment_size:262144,keep_s:1' } })
    })
    after(async () => {
      for (const socket of open) socket.destroy()
      await world?.stop()
    })

    test(`overload.files${limit}`, { timeout: 120_000 }, async (t) => {
      const calls = await LiveCalls.start(world, 20)
      const spare = await world.openTab(0, { tab: 2 }) // without a call
      const files = new Descriptors(world.gateway.pid)
      const { port } = world.gateway
      const hold = async (count) => {
        const held = await Promise.all(Array.from({ length: count }, () => knock(port, '', 300)))
        open.push(...held.map(({ socket }) => socket))
        return held.filter(({ how }) => how === 'let in').length
      }
      const usualCpu = await files.cpu(pause(USUAL_MS))
      // more than there may be soon: a process whose limit is lowered has them all in use
      if (files.count() < limit) await hold(limit - files.count() + 5)
      const before_ = { count: files.count(), segments: readdirSync(join(world.folder, 'journal')).join() }
      files.limit(limit)
      await until('the level is the highest', async () => /level=resumes/.test(world.gateway.log), 10_000)

      // a crowd that does not give up, for some seconds
      const from = { at: performance.now(), toggles: calls.toggles }
      const knocks = []
      const crowd = Array.from({ length: 30 }, async (_, i) => {
        while (performance.now() < from.at + CROWD_MS) {
          const one = await knock(port, i % 2 ? GOOD('http://lab.example') : 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', ANSWERS_MS)
          one.socket.destroy()
          knocks.push(one)
        }
      })
      const busyCpu = files.cpu(Promise.all(crowd))
      // every number below the limit is somebody's: without the reserve nobody could be told so
      await until('the crowd is answered', () => knocks.length > 60, 3000)
      // meanwhile PostgreSQL ends its connections, and the journal goes on to other files
      await world.database.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and usename = 'calltab_app'")
      const dial = await spare.command('dial', { number: numberThat({ serial: 99, answerMs: 0 }) })
      const cpu = (await busyCpu) - usualCpu // the live calls are as busy as before
      const toggles = calls.toggles - from.toggles
      const rows = async () => Number((await world.database.query("select count(*) from dialer_call_events where event_name in ('talk', 'hold')"))[0].count)
      const stored = await rows()
      await until('what happens is stored', async () => (await rows()) > stored + 20, 20_000)
      await until('the journal has other segments', () => readdirSync(join(world.folder, 'journal')).join() !== before_.segments, 20_000)

      for (const socket of open.splice(0)) socket.destroy()
      files.limit(4096)
      const over = performance.now()
      await until('a tab is let in', async () => (await world.openTab(1, { tab: 2 })).isConnected, NORMAL_MS)
      await until('nothing is turned away', async () => (await levelOf(world)) === 'none', NORMAL_MS)
      const normalMs = performance.now() - over
      await calls.stop(world)
      await calls.hangUp()
      const findings = check(await world.logs(), { isQuiet: true, needsOutcome: true })

      const ways = {}
      for (const { how } of knocks) ways[how] = (ways[how] ?? 0) + 1
      const words = knocks.filter(({ heard }) => heard)
      t.diagnostic(`${before_.count} descriptors in use, ${limit} allowed: ${JSON.stringify(ways)} in p99 ${Math.round(p99(knocks.map(({ ms }) => ms)))} ms; ` +
        `${(cpu * 100).toFixed(1)} % of a core more than ${(usualCpu * 100).toFixed(1)} % before, ${toggles} changes of live calls; normal after ${Math.round(normalMs)} ms`)
      record({ test: `overload.files${limit}`, n: knocks.length, figure: findings.length, unit: 'lost events of live calls', target: 0, pass: findings.length === 0 && !ways['let in'] })
      record({ test: `overload.files${limit}.cpu`, n: knocks.length, figure: Number((cpu * 100).toFixed(1)), unit: '% of a core', target: 10, pass: cpu < 0.1 })
      assert.deepEqual(findings, [], inWords(findings))
      assert.equal(dial.error?.data.code, 'overload.dials')
      assert.equal(dial.error.code, -32012)
      assert.equal(ways['let in'], undefined, `nobody new is let in, and nobody waits: ${JSON.stringify(ways)}`)
      assert.ok(words.length > knocks.length / 2, JSON.stringify(ways))
      for (const { heard } of words) {
        assert.match(heard, /^HTTP\/1\.1 503 /)
        assert.match(heard, /\r\nRetry-After: [1-5]\r\n/)
        assert.match(heard, /overload\.(connections|resumes)/)
      }
      assert.ok(toggles > 20, `live calls went on: ${toggles}`)
      assert.ok(cpu < 0.3, `${cpu * 100} % of a core`)
    })
  })
}
