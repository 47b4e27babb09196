/* The test telephones themselves: a measuring instrument that cannot be wrong silently. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Carrier, digestAnswer, Phone } from '../support/phone.mjs'
import { until } from '../support/until.mjs'

let carrier
let caller

before(async () => {
  carrier = await new Carrier({ sipPort: 9 }).start()
  caller = await new Phone({ user: '1001', sipPort: carrier.port, hz: 510 }).start()
})

after(() => {
  caller.stop()
  carrier.stop()
})

const tones = { me: 510, first: 1010, nobody: 900 }

test('phone.hears_the_other_side', async () => {
  const call = await caller.call('+15550777')
  await until('the call is up', () => call.state === 'up')
  await until('the caller hears the called party', () => call.heard(tones) === 'first')
  await until('the called party hears the caller', () => carrier.live.heard(tones) === 'me')
  carrier.live.rtp.isMuted = true
  await until('silence', () => call.heard(tones) === '')
  call.hangup()
  await until('the far side knows', () => carrier.all.at(-1).state === 'down')
  assert.equal(carrier.all.at(-1).isEndedByUs, false)
})

test('phone.sends_and_receives_digits', async () => {
  const call = await caller.call('+15550777')
  await until('the call is up', () => call.state === 'up')
  call.press('1*#0')
  await until('digits arrive', () => carrier.live.digits === '1*#0')
  call.hangup()
})

test('phone.cancels_a_ringing_call', async () => {
  const call = await caller.call('+15550408')
  await until('it rings', () => call.state === 'ringing')
  call.hangup()
  await until('the far side knows', () => carrier.all.at(-1).state === 'down')
  assert.equal(carrier.all.at(-1).isEndedByUs, false)
})

test('phone.holds_by_reinvite', async () => {
  const call = await caller.call('+15550777')
  await until('the call is up', () => call.state === 'up')
  call.hold(true)
  await until('the far side was told', () => carrier.live.reinvites === 1)
  call.hangup()
})

for (const code of [486, 404, 603, 503, 500]) {
  test(`phone.carrier_refuses_with_${code}`, async () => {
    const call = await caller.call(`+1555${code}`)
    await until('it failed', () => call.state === 'down')
    assert.equal(call.code, code)
  })
}

test('phone.carrier_plays_dead', async () => {
  const before = carrier.all.length
  const dead = await caller.call('+15550999')
  const call = await caller.call('+15550183')
  await until('a later call is up', () => call.state === 'up')
  assert.deepEqual([dead.state, carrier.all.length], ['new', before + 1])
  dead.hangup()
  call.hangup()
})

test('phone.two_parties_have_two_tones', async () => {
  const call = await caller.call('+15551777')
  await until('the call is up', () => call.state === 'up')
  const second = carrier.toneOf.get('+15551777')
  assert.notEqual(second, tones.first)
  await until('the second tone', () => call.heard({ ...tones, second }) === 'second')
  call.hangup()
})

test('phone.digest_answer_is_that_of_rfc_2069', () => {
  // The example of RFC 2069 as corrected by its errata.
  const challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
  const answer = digestAnswer(challenge, { user: 'Mufasa', password: 'CircleOfLife', method: 'GET', uri: '/dir/index.html' })
  assert.match(answer, /response="1949323746fe6a43ef61f9606e7febea"/)
  assert.match(answer, /opaque="5ccc069c403ebaf9f0171e9517f40e41"/)
})
