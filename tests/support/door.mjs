/* The program door_probe (its head says what it understands), run for a test: front door and tab door with a stand-in
 * for control. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './results.mjs'
import { until, within } from './until.mjs'

export function doorPath() {
  if (process.env.CALLTAB_DOOR_PROBE) return process.env.CALLTAB_DOOR_PROBE
  const built = readdirSync(root)
    .filter((name) => name.startsWith('build'))
    .map((name) => join(root, name, 'tests', 'support', 'door_probe'))
    .filter((path) => existsSync(path))
  const ofTests = built.find((path) => path.startsWith(join(root, 'build-test/')))
  if (ofTests) return ofTests
  built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (built.length === 0) throw new Error('door_probe is not built: run dev/test, or set CALLTAB_DOOR_PROBE')
  return built[0]
}

export class Door {
  #child
  #lines = []
  #waiting = []
  #rest = ''
  stderr = ''
  exit = null // {code, signal}

  /* Resolves when it listens; rejects with what it said when it does not. */
  static async start(...args) {
    const door = new Door(args)
    try {
      door.port = (await within('door_probe listens', 20_000, door.#line())).port
    } catch (error) {
      throw Object.assign(error, door.exit, { stderr: door.stderr })
    }
    return door
  }

  constructor(args) {
    // freed memory is not kept back: tests look at how much there is
    const env = { ...process.env, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` }
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', doorPath(), ...args], { env })
    this.pid = this.#child.pid
    this.#child.stdout.setEncoding('utf8').on('data', (text) => this.#read(text))
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text))
    this.#child.stdin.on('error', () => {})
    this.#child.on('close', (code, signal) => {
      this.exit = { code, signal }
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`door_probe ended with ${code ?? signal}: ${this.stderr}`))
    })
  }

  #read(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) {
      const waiting = this.#waiting.shift()
      if (waiting) waiting.resolve(JSON.parse(line))
      else this.#lines.push(JSON.parse(line))
    }
  }

  #line() {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift())
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /* One line in, one object out. */
  async ask(...words) {
    this.#child.stdin.write(`${words.join(' ')}\n`)
    const answer = await this.#line()
    assert.equal(answer.error, undefined, words.join(' '))
    return answer
  }

  async ticket(agent = 1, origin = '-', session = agent, lifeMs = 0) {
    return (await this.ask('ticket', agent, origin, session, lifeMs)).ticket
  }

  stat() {
    return this.ask('stat')
  }

  /* Resolves with the figures once the condition holds for them. */
  statWhen(description, condition, ms) {
    return until(description, async () => {
      const stat = await this.stat()
      return condition(stat) && stat
    }, ms)
  }

  /* It must end by itself, whole and without a complaint of the sanitizers. */
  async stop() {
    this.#child.stdin.end()
    await until('door_probe ends with its input', () => this.exit, 20_000)
    assert.deepEqual(this.exit, { code: 0, signal: null }, this.stderr)
    assert.doesNotMatch(this.stderr, /Sanitizer|runtime error|SUMMARY/, this.stderr)
  }
}
