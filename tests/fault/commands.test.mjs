/* Commands whose connection goes before they are sent, on their way, before the answer or after it, and which are sent again
 * under the same id: at most one effect at the switch, exactly one when the answer was yes, the same answer each time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { COMMANDS, SEED } from './amounts.mjs'
import { describe, RULES } from './checker.mjs'
import { createFaultWorld, needsJournal } from './gateway_world.mjs'
import { groupBy } from './group.mjs'
import { numberThat } from './switch_state.mjs'

const DIALERS = 40 // tabs that dial busy numbers, one after the other
const SENDERS = 20 // tabs in one long call that send digits
const DIGITS_SHARE = 0.2
const RETRIES_MAX = 5
const NOT_NOW = -32012
const EFFECTS_MS = 30_000
const LOSSES = ['none', 'beforeSend', 'onTheWay', 'beforeAnswer', 'afterAnswer']

class Sender {
  #serial = 0
  commands = [] // {id, kind, key, answer}: key is what the ledger shows of it

  constructor(world, tab, random, losses) {
    Object.assign(this, { world, tab, random, losses })
  }

  #link() {
    return [...this.world.proxies.tab.links].find(({ client }) => client.remotePort === this.tab.stream?.localPort)
  }

  async #connected() {
    await until('the tab is connected', () => this.tab.isConnected || this.tab.connect({ ms: 5000 }), 20_000)
  }

  /* One try under a kind of loss; resolves with the answer if one came. */
  async #try(loss, method, params, id) {
    await this.#connected()
    const link = this.#link()
    const mine = (each) => each === link
    if (loss === 'beforeSend') {
      this.tab.cut()
      return null
    }
    if (loss === 'onTheWay' && link) this.world.proxies.tab.cutAfter({ direction: 'up', bytes: this.random.whole(1, 90), link, how: this.random.pick(['rst', 'fin']) })
    if (loss === 'beforeAnswer') this.world.proxies.tab.blackhole(mine, 'down')
    const asked = this.tab.command(method, params, id)
    const answer = loss === 'beforeAnswer' ? await Promise.race([asked, pause(this.random.between(1, 25), { lost: true })]) : await asked
    if (loss !== 'none') this.world.proxies.tab.rst(mine)
    if (loss !== 'none' && this.tab.isConnected) this.tab.cut()
    return answer.lost ? null : answer
  }

  /* Tries with losses, then until there is an answer. */
  async perform(kind, method, params, key) {
    const id = `${this.tab.name}:${++this.#serial}`
    const command = { id, kind, key, answers: [] }
    this.commands.push(command)
    const retries = this.losses ? this.random.whole(0, RETRIES_MAX) : 0
    for (let i = 0; i < retries; i++) await this.#note(command, this.#try(this.random.pick(LOSSES), method, params, id))
    for (let answer = null; !answer; await pause(answer ? 0 : 20)) answer = await this.#note(command, this.#try('none', method, params, id))
    return command.answers.at(-1)
  }

  /* "Not now" is no answer. */
  async #note(command, asked) {
    const answer = await asked
    if (!answer || answer.error?.code === NOT_NOW) return null
    command.answers.push(answer)
    return answer
  }

  /* Until the call of the last dial is over; busy numbers are at once. */
  async over() {
    for (let call; (call = this.tab.call) && !['idle', 'end'].includes(call.state); ) {
      await this.#connected()
      await this.tab.when('it is busy', ({ isConnected, call: now }) => !isConnected || ['idle', 'end'].includes(now?.state), 5000).catch(() => {})
    }
  }
}

let serial = 0

async function dial(sender) {
  const number = `+1${String(++serial).padStart(7, '0')}0486`
  const answer = await sender.perform('originate', 'dial', { number }, number)
  if (answer.result) await sender.tab.when('the call is told', ({ call, isConnected }) => !isConnected || call?.callId === answer.result.callId, 5000).catch(() => {})
  await sender.over()
}

async function sendDigits(sender, i) {
  const digits = String(1000 + i)
  await sender.perform('digits', 'sendDTMF', { digits }, `${sender.channel}/${digits}`)
}

async function inTalk(sender) {
  const { result } = await sender.tab.command('dial', { number: numberThat({ serial: 9_000_000 + ++serial }) })
  await sender.tab.state('talk')
  sender.channel = `lab-c-${result.callId}`
}

/* How often each command is in the ledger. */
function effects(world) {
  const lines = world.switch.ledger().filter(({ kind }) => kind === 'effect')
  const keys = lines.map((line) => (line.effect === 'digits' ? `${line.channel}/${line.digits}` : line.effect === 'originate' && line.isTrunk ? line.party : null))
  return groupBy(keys, (key) => key)
}

async function run(t, count, losses) {
  const random = seeded(SEED)
  const world = await createFaultWorld({ agents: DIALERS + SENDERS, via: ['tab'], seed: SEED, config: { wrap_s: 0 } })
  try {
    const tabs = await Promise.all(Array.from({ length: DIALERS + SENDERS }, (_, i) => world.openTab(i, { keepPayloads: false })))
    const all = tabs.map((tab) => new Sender(world, tab, random, losses))
    const [dialers, senders] = [all.slice(0, DIALERS), all.slice(DIALERS)]
    await Promise.all(senders.map(inTalk))
    const ofDigits = Math.round(count * DIGITS_SHARE)
    const share = (total, among, i) => Math.floor(total / among) + (i < total % among ? 1 : 0)
    await Promise.all([
      ...dialers.map(async (sender, i) => { for (let k = share(count - ofDigits, DIALERS, i); k > 0; k--) await dial(sender) }),
      ...senders.map(async (sender, i) => { for (let k = share(ofDigits, SENDERS, i); k > 0; k--) await sendDigits(sender, k) }),
    ])
    const commands = all.flatMap((sender) => sender.commands)
    const yes = commands.filter(({ answers }) => answers.some(({ result }) => result))
    await until('what was answered is done', () => { const done = effects(world); return yes.every(({ key }) => done.has(key)) }, EFFECTS_MS).catch(() => {})
    const done = effects(world)
    const twice = commands.filter(({ key }) => (done.get(key)?.length ?? 0) > 1)
    const never = yes.filter(({ key }) => !done.has(key))
    const others = RULES.same_answer({ answers: world.log.entries.filter(({ kind }) => kind === 'answer') })
    t.diagnostic(`${commands.length} commands, ${yes.length} answered yes, ${twice.length} twice, ${never.length} never, ${others.length} answered differently, ${world.faults().length} faults of the stream, seed ${SEED}`)
    return { commands, findings: [...twice.map(({ id, key }) => ({ rule: 'twice', id, key })), ...never.map(({ id, key }) => ({ rule: 'never', id, key })), ...others, ...world.faults()] }
  } finally {
    await world.stop()
  }
}

test('commands on sound connections have one effect each', async (t) => {
  const { commands, findings } = await run(t, 200, false)
  assert.equal(commands.length, 200)
  assert.equal(findings.length, 0, describe(findings))
})

test(`commands.once: ${COMMANDS} ids`, { timeout: 20 * 60_000, ...(await needsJournal()) }, async (t) => {
  const { commands, findings } = await run(t, COMMANDS, true)
  record({ test: 'commands.once', n: commands.length, seed: SEED, figure: findings.length, unit: 'commands', target: 0, pass: findings.length === 0 })
  assert.equal(findings.length, 0, describe(findings))
})
