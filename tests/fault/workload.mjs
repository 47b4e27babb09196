/* An agent at work, who does not know what is done to the gateway meanwhile: he dials, holds, mutes, sends digits, releases or
 * is hung up on, gives an outcome, and goes on. What he does next depends only on what his tab shows. When the connection goes
 * he comes back; a command without an answer is sent again under its id, as often as it takes.
 *
 *   const agents = await startAgents(world, { count: 20, random, numbers })
 *   ...
 *   await agents.finish()          // nobody begins a new call; resolves when every call has ended */
import { setTimeout as pause } from 'node:timers/promises'
import { numberThat } from './switch_state.mjs'

const RETRY_MS = 30
const NOT_NOW = -32012
const STUCK_MS = 60_000

/* Numbers nobody else dials, each with a behaviour of its own. */
export class Numbers {
  #serial
  constructor(random, first = 1) {
    this.random = random
    this.#serial = first
  }

  next() {
    const serial = this.#serial++
    const chance = this.random.next()
    if (chance < 0.1) return `+1${String(serial).padStart(7, '0')}0486`
    if (chance < 0.15) return `+1${String(serial).padStart(7, '0')}0480`
    const talkMs = this.random.chance(0.5) ? 0 : this.random.between(100, 600)
    return numberThat({ serial, answerMs: this.random.between(0, 60), talkMs })
  }
}

let commands = 0 // an id is used once, whoever works on that tab

export class Worker {
  #isFinishing = false
  #isAbandoned = false
  calls = 0
  commands = 0
  refused = {} // {code: how often}, of commands
  unknown = {} // {method: how often nobody knows whether it was done}

  /* awayMs: he comes back after up to so long. again: how likely he then repeats a command that was answered. */
  constructor(world, tab, { random, numbers, thinkMs = 40, awayMs = 0, again = 0 }) {
    Object.assign(this, { world, tab, random, numbers, thinkMs, awayMs, again })
  }

  start() {
    this.ended = this.#work()
    this.ended.catch(() => {}) // finish() tells
    return this
  }

  finish() {
    this.#isFinishing = true
    return this.ended
  }

  /* At once, and without a word: when the world ends. */
  abandon() {
    this.#isAbandoned = true
  }

  async #work() {
    for (let since = performance.now(); ; ) {
      const version = this.tab.call?.version
      if (!(await this.#step())) return
      if (this.tab.call?.version !== version) since = performance.now()
      else if (performance.now() - since > STUCK_MS) throw new Error(`${this.tab.name}: nothing moves in ${this.tab.call?.state}`)
    }
  }

  /* False when there is nothing more to do. */
  async #step() {
    if (!this.tab.isConnected) await this.#comeBack()
    const { call } = this.tab
    if (!call || call.state === 'end') return this.#begin()
    if (call.state === 'talk') await this.#talk(call)
    else if (call.state === 'idle') await this.#wrapUp(call)
    else await this.#changes(call, 3000)
    return true
  }

  /* What the page does not know it was told it asks once more; the checker compares the answers. */
  async #comeBack() {
    await pause(this.random.between(0, this.awayMs))
    await this.reconnect()
    if (this.last && this.random.chance(this.again)) await this.tab.command(...this.last)
  }

  async reconnect() {
    while (!this.tab.isConnected) {
      if (this.#isAbandoned) throw new Error('abandoned')
      try {
        await this.tab.connect({ ms: 5000 })
      } catch {
        await pause(RETRY_MS * (1 + this.random.next()))
      }
    }
  }

  /* One command under one id until it has an answer. */
  async perform(method, params) {
    const id = `${this.tab.name}:${++commands}`
    for (;;) {
      await this.reconnect()
      const answer = await this.tab.command(method, params, id)
      if (answer.lost) continue
      this.last = [method, params, id]
      if (answer.error?.code !== NOT_NOW) return this.#count(method, answer)
      await pause(RETRY_MS)
    }
  }

  #count(method, answer) {
    const code = answer.error?.data?.code
    this.commands++
    if (code) this.refused[code] = (this.refused[code] ?? 0) + 1
    if (code === 'command.unknown') this.unknown[method] = (this.unknown[method] ?? 0) + 1
    return answer
  }

  /* Until the tab tells of a change, or the connection goes, or time is up. */
  #changes({ version, callId }, ms) {
    return this.tab.when('something changes', ({ call, isConnected }) => !isConnected || call?.version !== version || call?.callId !== callId, ms).catch(() => {})
  }

  async #begin() {
    if (this.#isFinishing) return false
    await pause(this.random.between(0, this.thinkMs))
    this.calls++
    const answer = await this.perform('dial', { number: this.numbers.next() })
    if (answer.result) await this.tab.when('the call is there', ({ call, isConnected }) => !isConnected || call?.callId === answer.result.callId, 5000).catch(() => {})
    return true
  }

  async #talk(call) {
    if (this.#isFinishing) return void (await this.perform('release', {}), await this.#changes(call, 1000))
    const can = (method) => call.can.includes(method)
    const wishes = ['wait', 'holdresume', 'mute', 'sendDTMF', 'release'].filter((wish) => wish === 'wait' || can(wish === 'holdresume' ? (call.held ? 'resume' : 'hold') : wish))
    const wish = this.random.pick(wishes)
    if (wish === 'wait') return this.#changes(call, this.random.between(10, 150))
    const params = { mute: { on: !call.muted }, sendDTMF: { digits: String(this.random.whole(1000, 9999)) } }[wish] ?? {}
    await this.perform(wish, params)
    await this.#changes(call, this.random.between(5, 100))
  }

  async #wrapUp(call) {
    if (!call.outcome && call.can.includes('setOutcome')) await this.perform('setOutcome', { outcome: 'Sale' })
    await this.perform('endWrap', {})
    await this.#changes(call, 1000)
  }
}

export async function startAgents(world, { count, random, numbers, ...more }) {
  const tabs = await Promise.all(Array.from({ length: count }, (_, i) => world.openTab(i, more.tab)))
  const workers = tabs.map((tab) => new Worker(world, tab, { random, numbers, ...more }).start())
  return {
    workers,
    get calls() {
      return workers.reduce((sum, { calls }) => sum + calls, 0)
    },
    get commands() {
      return workers.reduce((sum, worker) => sum + worker.commands, 0)
    },
    /* {method: how often nobody knows whether it was done} */
    get unknown() {
      const all = {}
      for (const worker of workers) for (const [method, count] of Object.entries(worker.unknown)) all[method] = (all[method] ?? 0) + count
      return all
    },
    get inFlight() {
      return tabs.filter(({ call }) => call && !['idle', 'end'].includes(call.state)).length
    },
    finish: () => Promise.all(workers.map((worker) => worker.finish())),
    abandon: () => workers.forEach((worker) => worker.abandon()),
  }
}
