/* driver_probe (tests/support/driver_probe.c) as an object: operations go in, facts come out.
 *
 *   const probe = new Probe(['sim'])
 *   await probe.op('open')                                  // {status: 'ok', ...}
 *   await probe.fact('leg_up', { leg: 'p-1' })              // waits for it; looks back as well
 *   await probe.stop()                                      // fails when the program did not end well */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../support/results.mjs'
import { until, within } from '../support/until.mjs'

/* CALLTAB_PROBE, else that of the sanitizer build of dev/test, else the newest one of any build folder. */
function probePath() {
  if (process.env.CALLTAB_PROBE) return process.env.CALLTAB_PROBE
  const built = readdirSync(root)
    .filter((name) => name.startsWith('build'))
    .map((name) => join(root, name, 'tests/contract/driver_probe'))
    .filter((path) => existsSync(path))
  const ofTests = built.find((path) => path.startsWith(join(root, 'build-test/')))
  if (ofTests) return ofTests
  if (!built.length) throw new Error('driver_probe is not built: run dev/test, or set CALLTAB_PROBE')
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
}

const matches = (fact, wanted) => Object.entries(wanted).every(([key, value]) => fact[key] === value)

export class Probe {
  #serial = 0
  #answers = new Map()

  constructor(args) {
    this.facts = []
    this.stderr = ''
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', probePath(), ...args.map(String)])
    this.child.stderr.on('data', (text) => (this.stderr += text))
    this.ended = new Promise((resolve) => this.child.on('close', (code, signal) => resolve(code ?? signal)))
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#take(JSON.parse(line)))
    this.child.stdin.on('error', () => {}) // a probe that was killed does not read
  }

  #take(message) {
    if (message.fact) this.facts.push(message)
    else this.#answers.get(message.n)?.(message)
  }

  /* Resolves with the answer: {status: 'ok' | 'invalid' | 'unavailable' | ...}. */
  op(name, fields = {}) {
    const n = ++this.#serial
    const answer = new Promise((resolve) => this.#answers.set(n, resolve))
    this.child.stdin.write(`${JSON.stringify({ n, op: name, ...fields })}\n`)
    return within(`an answer to ${name}`, 5000, Promise.race([answer, this.#death(name)]))
  }

  async #death(name) {
    const code = await this.ended
    throw new Error(`the probe ended with ${code} at ${name}:\n${this.stderr}`)
  }

  /* The same for what has to be accepted. */
  async ok(name, fields) {
    const answer = await this.op(name, fields)
    assert.equal(answer.status, 'ok', `${name} ${JSON.stringify(fields)}`)
    return answer
  }

  all(kind, wanted = {}) {
    return this.facts.filter((fact) => fact.fact === kind && matches(fact, wanted))
  }

  /* The first such fact, waiting for it if need be. after: index into facts to begin at. */
  fact(kind, wanted = {}, { after = 0, ms = 5000 } = {}) {
    const find = () => this.facts.slice(after).find((fact) => fact.fact === kind && matches(fact, wanted))
    return until(`${kind} ${JSON.stringify(wanted)}`, find, ms)
  }

  /* Kinds of the facts of a leg, in order. */
  story(leg) {
    return this.facts.filter((fact) => fact.leg === leg).map((fact) => fact.fact)
  }

  /* As in a crash: nobody is told anything. */
  async kill() {
    this.child.kill('SIGKILL')
    await this.ended
  }

  async stop() {
    this.child.stdin.end()
    const code = await within('the probe ends', 10_000, this.ended)
    assert.equal(`${code}${this.stderr}`, '0', 'the probe ends well and no sanitizer complains')
  }
}
