/* Two things happen to a call at the same moment: answer, hang-up, a move between bridges, the loss of the socket. Each pair is
 * tried in both orders without a pause, and with one. Whatever came of it, no leg, bridge or call is left anywhere, and every
 * call has one end. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

const GAP_MS = 12 // long enough for a request and its events to be under way
const AWAY_MS = 120
const RACES = 45

let world, T1, T2, I1, phone
let serial = 0
let clean = 0

before(async () => {
  world = await createWorld('asterisk', { hasLink: true, config: { wrap_s: 30, ring_s: 20, offer_s: 20 } })
  await isLinked()
  ;({ T1, T2 } = await world.agent('1001'))
  I1 = (await world.agent('1002')).T1
  phone = world.outside.phones[0]
})

after(() => world?.stop())

const isLinked = () => until('the gateway has its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
const carrierCall = (number) => [...world.outside.carrier.calls.values()].find((call) => world.outside.carrier.partyOf(call) === number)
const number = (ending) => `+1559${String(++serial).padStart(4, '0')}${ending}`

const talks = (tab, party) => tab.told(`${party} talks`, ({ state, phone: to }) => state === 'talk' && to === party, 10_000)

/* --- where a race begins: {tab, party, far} --- */

async function ringing() {
  const party = number('408')
  await T1.request('dial', { number: party })
  const far = await until(`${party} rings`, () => carrierCall(party))
  await until('the agent is told', () => T1.call.state === 'ringing' && T1.call.reason === 'far_rings', 10_000)
  return { tab: T1, party, far }
}

async function talk(tab = T1) {
  const party = number('777')
  await tab.request('dial', { number: party })
  await talks(tab, party)
  return { tab, party, far: await until(`${party} is up`, () => carrierCall(party)) }
}

async function held() {
  const made = await talk()
  await T1.request('hold')
  await T1.told('it is held', (call) => call.held)
  return made
}

async function consulting() {
  const customer = await talk()
  const party = number('777')
  await T1.request('transferConsult', { number: party })
  await talks(T2, party)
  return { ...customer, target: await until(`${party} is up`, () => carrierCall(party)) }
}

async function offered() {
  const party = number('111')
  const far = await world.outside.carrier.callIn(party, '5000')
  await I1.told('the caller is offered', ({ state, phone: from }) => state === 'incoming' && from === party, 10_000)
  return { tab: I1, party, far }
}

/* --- what may happen; a command that comes too late, or while the switch is away, is refused --- */

const ask = (method, params) => ({ tab }) => tab.request(method, params?.()).catch(() => {})
const farAnswers = ({ far }) => far.answer()
const farEnds = ({ far }) => far.hangup()
const targetEnds = ({ target }) => target.hangup()
const agentEnds = () => phone.live?.hangup()
const release = ask('release')
const hold = ask('hold')
const resume = ask('resume')
const answer = ask('answer')
const transfer = ask('transferBlind', () => ({ number: number('777') }))
const complete = () => T2.request('transferComplete', { callTab: 1 }).catch(() => {})
const join = () => T2.request('conference', { callTab: 1 }).catch(() => {})
const lose = () => {
  world.outside.link.cut()
  return pause(AWAY_MS).then(() => world.outside.link.mend())
}

/* survives: nothing in it ends the call, so it has to be there afterwards. either: the loser decides. Else it ends by itself. */
const PAIRS = [
  ['answer', 'far hang-up', ringing, farAnswers, farEnds],
  ['answer', 'release', ringing, farAnswers, release],
  ['answer', 'the agent hangs up', ringing, farAnswers, agentEnds],
  ['answer', 'socket loss', ringing, farAnswers, lose, 'survives'],
  ['far hang-up', 'socket loss', ringing, farEnds, lose],
  ['release', 'far hang-up', talk, release, farEnds],
  ['hold', 'far hang-up', talk, hold, farEnds],
  ['hold', 'socket loss', talk, hold, lose, 'survives'],
  ['resume', 'far hang-up', held, resume, farEnds],
  ['resume', 'socket loss', held, resume, lose, 'survives'],
  ['blind transfer', 'far hang-up', talk, transfer, farEnds],
  ['complete', "the customer's hang-up", consulting, complete, farEnds],
  ['complete', 'socket loss', consulting, complete, lose, 'either'],
  ['conference', "the target's hang-up", consulting, join, targetEnds, 'either'],
  ['inbound answer', "the caller's hang-up", offered, answer, farEnds],
]

/* --- what is left --- */

const isOver = (tab) => !tab.call || ['idle', 'end'].includes(tab.call.state)

async function nothingAtTheSwitch() {
  await until('Asterisk has no channel and no bridge', async () => {
    const lists = await Promise.all(['channels', 'bridges'].map((what) => world.outside.asterisk.request('GET', what)))
    if (lists.every(({ body }) => body.length === 0)) return true
    throw new Error(lists.map(({ body }) => body.map(({ id, state, bridge_type: type }) => `${id} ${state ?? type}`).join(', ')).join('; '))
  }, 12_000)
  await until('nobody outside is in a call', () => [world.outside.carrier, ...world.outside.phones].every(({ calls }) => calls.size === 0), 5000)
}

async function finish(tab) {
  if (!tab.call || tab.call.state === 'end') return
  // not while a transfer is under way
  await tab.told('its wrap may be ended', ({ state, can }) => state === 'end' || can.includes('endWrap'), 10_000)
  await tab.request('endWrap')
  await tab.told('it has ended', ({ state }) => state === 'end')
}

/* Whoever was left to talk to somebody hangs up; whoever was left alone must have been hung up by calltab. */
async function settle({ tab, far }, outcome) {
  await isLinked()
  if (outcome === 'survives') {
    await tab.told('the call has survived', ({ state }) => state === 'talk', 10_000)
    await tab.request('release')
  }
  for (const each of [T1, T2, I1]) {
    // who talks on with one of two, after the other has gone, ends it himself
    const isEnded = until('the call is over', () => isOver(each), each === tab && !outcome ? 8000 : 1000)
    if (each === tab && !outcome) await isEnded
    await isEnded.catch(() => each.request('release').then(() => until('the call is over, released', () => isOver(each), 8000)))
  }
  if (far.state === 'up') far.hangup()
  for (const each of [T1, T2, I1]) await finish(each)
  await nothingAtTheSwitch()
}

async function race(begin, one, other, gapMs, outcome) {
  const calls = await begin()
  const first = one(calls)
  if (gapMs) await pause(gapMs)
  await Promise.all([first, other(calls)])
  await settle(calls, outcome)
  clean++
}

for (const [a, b, begin, one, other, outcome] of PAIRS) {
  test(`telephony.races: ${a} x ${b}`, async () => {
    const isInbound = begin === offered
    if (isInbound) await I1.request('agentReady')
    await race(begin, one, other, 0, outcome)
    await race(begin, other, one, 0, outcome)
    await race(begin, one, other, GAP_MS, outcome)
    if (isInbound) await I1.request('agentNotReady')
  })
}

test('telephony.races: every call has one end, and a new life finds none', async () => {
  let pass = false
  try {
    await until('what was told is in the tables', async () => (await world.gateway.request('GET', '/readyz')).body.journal.behind === 0, 10_000)
    const rows = await world.database.query("select call_id, count(*) filter (where event_name = 'end')::int as ends from dialer_call_events group by call_id")
    assert.ok(rows.length >= RACES, `${rows.length} calls`)
    assert.deepEqual(rows.filter(({ ends }) => ends !== 1), [])
    await world.gateway.restart()
    assert.match(world.gateway.log.slice(world.gateway.log.lastIndexOf('"state of before"')), /^"state of before" calls=0 /)
    assert.equal(clean, RACES, 'every race left nothing')
    pass = true
  } finally {
    record({ test: 'telephony.races', n: RACES, figure: clean, unit: 'races', target: RACES, pass })
  }
})
