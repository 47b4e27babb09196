/* What other products lose when a connection breaks or a page sleeps (R1 to R5, R10): on the real binary where its clock allows, else on the
 * same doors with a clock that can be moved. Each row is on record as regress.R<n>. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Door } from '../support/door.mjs'
import { startGateway } from '../support/gateway.mjs'
import { OPCODE, RawSocket } from '../support/rawsocket.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'

const ROUNDS = 20
const QUIET_MS = 15 * 60_000
const ASLEEP_MS = 30 * 60_000

let gateway
let door
let agents = 0
before(async () => {
  gateway = await startGateway({ config: { wrap_s: 0 } })
  door = await Door.start('--no-origin')
})
after(async () => {
  await door.stop()
  await gateway.stop()
})

function row(id, title, n, body) {
  test(`${id}: ${title}`, { timeout: 60_000 }, async () => {
    let pass = false
    try {
      await body()
      pass = true
    } finally {
      record({ test: `regress.${id}`, n, pass })
    }
  })
}

/* Somebody rings for ever at this number: its end decides (docs/simulated-switch.md). */
const RINGS = '+15550001408'

const seqsOf = ({ received }) => received.flatMap(({ params }) => params.seq ?? [])

/* A page on a tab of the real gateway: attached again and again with what it has heard. */
class Page {
  seqs = [] // of all its connections
  #before = [] // of those before this one
  constructor(session, tab) {
    Object.assign(this, { session, tab, client: `page-${tab}` })
  }

  async attach() {
    const { epoch, client, tab } = this
    const position = epoch === undefined ? {} : { epoch, seq: this.seq }
    this.raw = await gateway.openRaw(this.session, { tab, client, ...position })
    const { attached } = this.raw
    if (epoch === undefined) Object.assign(this, { epoch: attached.epoch, seq: attached.seq, from: attached.seq })
    return attached
  }

  #take() {
    this.seqs = [...this.#before, ...seqsOf(this.raw)]
    this.seq = this.seqs.at(-1) ?? this.from
  }

  /* Everything the gateway has sent has arrived. */
  async settle() {
    await this.raw.request('ping')
    this.#take()
  }

  cut() {
    this.#take()
    this.raw.cut()
    this.#before = this.seqs
  }

  assertDense() {
    assert.deepEqual(this.seqs, this.seqs.map((_, i) => this.from + 1 + i))
  }
}

row('R1', 'a tab resumes before its first event', 1, async () => {
  const page = new Page(await gateway.signIn('1001'), 15)
  const first = await page.attach()
  assert.deepEqual([first.seq, first.resumed, first.snapshot], [0, false, null])
  page.cut()
  const second = await page.attach()
  assert.deepEqual([second.seq, second.resumed, second.epoch], [0, true, first.epoch])
  await page.settle()
  assert.deepEqual(page.seqs, [])
  page.cut()
  // and gets the first one when it comes meanwhile
  const other = await gateway.openRaw(page.session, { tab: 15 })
  await other.request('dial', { number: RINGS })
  await other.state('ringing')
  const third = await page.attach()
  assert.equal(third.resumed, true)
  await page.settle()
  assert.deepEqual(page.seqs, Array.from({ length: third.seq }, (_, i) => i + 1))
  assert.ok(page.seqs.length >= 1)
  await other.request('release')
  await other.close()
  page.cut()
})

row('R2', 'a connection that is found dead late does not touch the one after it', 2, async () => {
  // the same page: the gateway takes the dead one away 3 s after it was replaced
  const session = await gateway.signIn('1002')
  const dead = await RawSocket.openTab(gateway.port, await gateway.ticket(session), { origin: gateway.origin })
  await dead.request('attach', { tab: 1, client: 'page-1' })
  dead.silence()
  dead.stopReading() // a black hole: what it is sent piles up
  const page = new Page(session, 1)
  await page.attach()
  await page.raw.request('agentReady')
  await until('the dead one is cut', () => {
    dead.readOn()
    return dead.end
  }, 10_000)
  await page.raw.request('ping')
  assert.equal(page.raw.closed, null)
  assert.equal(page.raw.agent.state, 'Ready')
  await page.raw.request('dial', { number: RINGS })
  await page.raw.state('ringing')
  await page.raw.request('release')
  await page.raw.close()
  // another page of a clock that moves: 75 s of silence
  const agent = ++agents
  const silent = await RawSocket.openTab(door.port, await door.ticket(agent))
  await silent.request('attach', { tab: 1 })
  silent.silence()
  silent.stopReading()
  const young = await RawSocket.openTab(door.port, await door.ticket(agent))
  const { result } = await young.request('attach', { tab: 1 })
  const before = await door.stat()
  for (let s = 0; s < 120; s += 10) {
    await door.ask('advance', 10_000)
    await young.request('ping')
  }
  await door.statWhen('the silent one is gone', ({ open }) => open === before.open - 1)
  assert.equal((await door.stat()).present, before.present)
  await door.ask('tell', agent, 1, 'talk')
  assert.equal((await young.notification('state')).params.seq, result.seq + 1)
  silent.destroy()
  young.destroy()
})

row('R3', 'a tab that was quiet for a quarter of an hour resumes', 1, async () => {
  const agent = ++agents
  const tab = await RawSocket.openTab(door.port, await door.ticket(agent))
  const { result: first } = await tab.request('attach', { tab: 1 })
  await door.ask('tell', agent, 1, 'talk')
  await tab.notification('state')
  for (let ms = 0; ms < QUIET_MS; ms += 20_000) {
    await door.ask('advance', 20_000)
    await tab.request('ping')
  }
  tab.cut()
  const back = await RawSocket.openTab(door.port, await door.ticket(agent))
  const { result } = await back.request('attach', { tab: 1, epoch: first.epoch, seq: 1 })
  assert.deepEqual([result.resumed, result.seq], [true, 1])
  await door.ask('tell', agent, 1, 'held')
  assert.equal((await back.message(({ method }) => method)).params.seq, 2)
  back.destroy()
})

row('R4', 'twenty rounds of coming back without traffic repeat nothing', ROUNDS, async () => {
  const page = new Page(await gateway.signIn('1001'), 1)
  await page.attach()
  await page.raw.request('dial', { number: RINGS })
  await page.raw.state('ringing')
  await page.raw.request('release')
  await page.raw.state('idle') // and there it stays: nothing happens by itself any more
  await page.settle()
  const { length } = page.seqs
  for (let round = 0; round < ROUNDS; round++) {
    page.cut()
    const { resumed, seq } = await page.attach()
    assert.deepEqual([resumed, seq], [true, page.seq], `round ${round}`)
    await page.settle()
    assert.deepEqual(seqsOf(page.raw), [], `round ${round}`)
  }
  assert.equal(page.seqs.length, length)
  await page.raw.request('endWrap')
  await page.raw.state('end')
  await page.settle()
  assert.ok(page.seqs.length > length)
  page.assertDense()
  page.cut()
})

row('R5', 'a command whose connection is cut before its answer is carried out once', ROUNDS, async () => {
  const page = new Page(await gateway.signIn('1001'), 2)
  await page.attach()
  for (let round = 0; round < ROUNDS; round++) {
    const id = `r5-${round}`
    page.raw.request('dial', { number: RINGS }, id).catch(() => {})
    if (round % 2) await page.raw.state('ringing')
    page.cut()
    await page.attach()
    const { callId } = await page.raw.request('dial', { number: RINGS }, id)
    const again = await page.raw.request('dial', { number: RINGS }, id)
    assert.equal(again.callId, callId, 'the same id, the same answer')
    await page.raw.told('it rings', (call) => call.state === 'ringing')
    assert.equal(page.raw.call.callId, callId)
    await page.raw.request('release')
    await page.raw.state('idle')
    await page.settle()
  }
  page.assertDense()
})

/* The browser answers pings though the page's timers sleep. Nothing here is said by a script. */
row('R10', 'a page that sleeps for half an hour stays connected and hears its call', 1, async () => {
  const agent = ++agents
  const tab = await RawSocket.openTab(door.port, await door.ticket(agent))
  await tab.request('attach', { tab: 1 })
  const { open, pings } = await door.stat()
  assert.equal(open, 1, 'nobody else is there')
  const pingsHere = () => tab.frames.filter(({ opcode }) => opcode === OPCODE.ping).length
  const before = pingsHere()
  for (let ms = 0; ms < ASLEEP_MS; ms += 15_000) {
    await door.ask('advance', 15_000)
    const told = (await door.stat()).pings - pings
    await until('the pings have come', () => pingsHere() - before >= told)
  }
  assert.ok(pingsHere() - before >= 55, `${pingsHere() - before} pings`)
  assert.equal(tab.end, null)
  await door.ask('tell', agent, 1, 'incoming')
  assert.equal((await tab.notification('state')).params.call.state, 'incoming')
  tab.destroy()
})
