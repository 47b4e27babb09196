/* One gateway for a node and a switch: the second one is refused or takes over in order; who loses them without being asked
 * stops commanding the switch at once, and ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import WebSocket from 'ws'
import { iniText } from '../support/gateway.mjs'
import { programPath } from '../support/program.mjs'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createFaultWorld } from './gateway_world.mjs'
import { numberThat } from './switch_state.mjs'
import { Numbers, startAgents } from './workload.mjs'

const EXIT_FENCED = 3
const AGENTS = 6
let world
let serial = 500_000

beforeEach(async () => {
  world = await createFaultWorld({ agents: AGENTS, via: ['database'], config: { wrap_s: 0 } })
})
afterEach(() => world?.stop())

/* Another program of the same binary, with the world's database and switch. */
class Other {
  text = ''
  exit = null

  constructor(config, flags = []) {
    this.file = join(world.folder, `other-${++serial}.ini`)
    writeFileSync(this.file, iniText({ ...world.gateway.config, listen: '127.0.0.1:0', ...config }))
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', programPath(), 'serve', '--config', this.file, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.text += text))
    this.child.on('close', (code, signal) => (this.exit = { code, signal }))
  }

  get port() {
    return Number(/\bready port=(\d+)/.exec(this.text)?.[1] ?? 0)
  }

  ready(ms = 30_000) {
    return until('the other one serves', () => this.port || (this.exit && assert.fail(this.text)), ms)
  }

  async ended(ms = 30_000) {
    await until('the other one ended', () => this.exit, ms)
    return this.exit
  }

  async stop() {
    this.child.kill('SIGTERM')
    await this.ended()
  }
}

const effects = () => world.switch.ledger().filter(({ kind }) => kind === 'effect')
/* On the port it had. */
async function startAgain() {
  world.gateway.config.listen = `127.0.0.1:${world.gateway.port}`
  await world.gateway.start()
  await world.ready()
}

/* A client of Asterisk's that knows nothing of any lock. */
function steal() {
  const socket = new WebSocket(`ws://127.0.0.1:${world.switch.port}/ari/events?app=calltab`, ['ari'])
  return new Promise((resolve, reject) => socket.once('open', () => resolve(socket)).once('error', reject))
}

const otherFolder = () => join(world.folder, `journal-${++serial}`)

async function talking(tab) {
  const { result, error } = await tab.command('dial', { number: numberThat({ serial: ++serial, answerMs: 20 }) })
  assert.ok(result, JSON.stringify(error))
  return tab.state('talk')
}

test('a second gateway is refused, with words, whatever its folder and its node', { timeout: 120_000 }, async () => {
  for (const config of [{}, { journal_dir: otherFolder() }, { journal_dir: otherFolder(), node: 'lab2' }]) {
    const other = new Other(config)
    assert.equal((await other.ended()).code, 1)
    assert.match(other.text, new RegExp(`another gateway \\(pid ${world.gateway.pid} on .+, node lab\\) serves this node or switch since 20`))
  }
  assert.equal((await world.switch.ask('stats')).replaced, 0, 'it never came to the switch')
  assert.ok(await world.isReady())
})

test('a second gateway that is told to take over gets the calls of the first', { timeout: 120_000 }, async () => {
  const tab = await world.openTab(0)
  const call = await talking(tab)
  const other = new Other({}, ['--take-over'])
  const { code } = await world.gateway.ended()
  assert.equal(code, 0)
  assert.equal(tab.closed.code, 1012)
  assert.match(tab.closed.reason, /^retry=\d+$/)
  await other.ready()
  assert.match(other.text, /waiting for the other gateway/)
  world.gateway.port = other.port
  tab.url = `ws://127.0.0.1:${other.port}/ws`
  const { resumed } = await tab.connect()
  assert.ok(resumed)
  assert.equal(tab.call.callId, call.callId)
  await until('it has the switch', () => world.isReady(), 10_000)
  assert.ok((await tab.command('release')).result)
  await tab.when('the call is over', ({ call: now }) => ['idle', 'end'].includes(now.state))
  assert.deepEqual(world.faults(), [])
  await other.stop()
  assert.equal(other.exit.code, 0, other.text)
})

test('who is replaced at the switch commands nothing any more', { timeout: 180_000 }, async () => {
  const ROUNDS = 5
  let late = 0
  let slowest = 0
  for (let round = 0; round < ROUNDS; round++) {
    const agents = await startAgents(world, { count: AGENTS, random: seeded(round + 1), numbers: new Numbers(seeded(round + 77), 900_000 + round * 1000), thinkMs: 10 })
    await until('they are at work', () => agents.calls > AGENTS * 2, 20_000)
    const thief = await steal()
    const { code } = await world.gateway.ended()
    assert.equal(code, EXIT_FENCED, world.gateway.sanitizerReports() + world.gateway.log.slice(-2000))
    assert.match(world.gateway.log, /another client of Asterisk has taken over/)
    const lines = world.switch.ledger()
    const { at } = lines.findLast(({ kind }) => kind === 'replaced')
    const after = lines.filter((line) => line.kind === 'effect' && line.at > at)
    slowest = Math.max(slowest, ...after.map((line) => line.at - at), 0)
    late += after.filter((line) => line.at - at > 100).length
    await until('tabs were told to come back', () => world.log.entries.filter((line) => line.kind === 'closed' && line.code === 1012).length > round, 5000)
    thief.terminate()
    await startAgain()
    await agents.finish()
  }
  record({ test: 'takeover.replaced', n: ROUNDS, figure: late, unit: 'commands', target: 0, pass: late === 0, slowest_ms: slowest })
  assert.equal(late, 0)
})

test('who was cut off from the database while another took over is fenced when it is back', { timeout: 120_000 }, async () => {
  const tab = await world.openTab(0)
  await talking(tab)
  world.proxies.database.newcomers = 'refuse'
  world.proxies.database.rst()
  const other = new Other({ database: world.database.url, journal_dir: otherFolder(), node: 'lab', switch: 'sim' })
  await other.ready()
  assert.match(other.text, /did not end in order/)
  assert.ok(world.gateway.isRunning, 'a database that is away stops nobody')
  world.proxies.database.newcomers = 'pass'
  const { code } = await world.gateway.ended()
  assert.equal(code, EXIT_FENCED)
  assert.match(world.gateway.log, /another gateway \(pid \d+ on .+\) has taken over/)
  assert.equal(tab.closed.code, 1012)
  await other.stop()
  await startAgain()
})

test('a gateway that was killed is no obstacle to the next one on its folder', { timeout: 60_000 }, async () => {
  await world.gateway.kill()
  const began = performance.now()
  await world.gateway.start()
  assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`)
  assert.doesNotMatch(world.gateway.log, /did not end in order/)
})
