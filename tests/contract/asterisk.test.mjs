/* What only a real Asterisk can show of its driver: the devices' own keys, what is on the wire, channels of others,
 * and a gateway that comes back after a crash. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { fetchAsterisk, PASSWORD } from '../support/asterisk.mjs'
import { Phone } from '../support/phone.mjs'
import { until } from '../support/until.mjs'
import { AsteriskWorld } from './driver_worlds.mjs'

function reasonWithoutAsterisk() {
  try {
    fetchAsterisk()
    return false
  } catch (error) {
    return `Asterisk cannot be fetched: ${error.message}`
  }
}

describe('asterisk', { skip: reasonWithoutAsterisk() }, () => {
  const world = new AsteriskWorld()
  let probe
  let serial = 0
  let from = 0

  before(async () => {
    await world.start()
    probe = world.probe
    await probe.ok('open')
    await probe.fact('sync_end')
  })
  after(() => world.stop())
  beforeEach(() => {
    from = probe.facts.length
  })

  const id = (kind) => `probe-${kind}-${++serial}`
  const number = (ending) => `+1${5560000 + ++serial}${ending}`
  const fact = (kind, wanted, options) => probe.fact(kind, wanted, { after: from, ...options })
  const end = async (...legs) => {
    for (const leg of legs) await probe.ok('leg_hangup', { leg })
    for (const leg of legs) await fact('leg_ended', { leg })
  }
  const upLeg = async (fields) => {
    const leg = id('l')
    await probe.ok('leg_make', { leg, ...fields })
    await fact('leg_up', { leg })
    return leg
  }

  test('driver.asterisk.the_hold_key_of_a_telephone', async () => {
    const leg = await upLeg({ station: '1001', auto_answer: true })
    world.callOf('1001').hold(true)
    assert.equal((await fact('leg_held', { leg })).on, 1)
    world.callOf('1001').hold(false)
    await fact('leg_held', { leg, on: undefined })
    await end(leg)
  })

  test('driver.asterisk.a_telephone_comes_and_goes', async () => {
    const phone = await new Phone({ user: '1003', password: PASSWORD, sipPort: world.asterisk.ports.sip }).start()
    await phone.register()
    await fact('station', { station: '1003', on: 1 })
    await phone.register(0)
    await fact('station', { station: '1003', on: undefined })
    phone.stop()
  })

  test('driver.asterisk.a_telephone_answers_by_itself_only_when_asked', async () => {
    for (const auto_answer of [true, false]) {
      const leg = await upLeg({ station: '1002', auto_answer })
      assert.equal(/answer-after=0/.test(world.callOf('1002').header('Call-Info') ?? ''), auto_answer)
      await end(leg)
    }
  })

  test('driver.asterisk.no_header_can_be_smuggled_in', async () => {
    const party = number('777')
    const leg = await upLeg({ number: party, caller_number: '+15557654321', caller_name: 'Zoë "x"\r\nEvil: 1\r\n<sip:a@b>' })
    const { invite } = world.callOf(party)
    assert.equal(invite.get('Evil'), undefined)
    assert.match(invite.get('From'), /^"Zoë xEvil: 1sip:a@b" <sip:\+15557654321@/)
    await end(leg)
  })

  test('driver.asterisk.a_withheld_number_is_not_sent_openly', async () => {
    const party = number('777')
    const leg = await upLeg({ number: party, caller_number: '+15557654321', caller_name: 'Acme', withheld: true })
    const { invite } = world.callOf(party)
    assert.match(invite.get('From'), /anonymous/i)
    assert.match(invite.get('Privacy'), /id/)
    await end(leg)
  })

  test('driver.asterisk.nobody_is_told_who_else_is_on_the_call', async () => {
    const mix = id('m')
    const party = number('777')
    await probe.ok('mix_make', { mix })
    const agent = await upLeg({ station: '1001', mix, auto_answer: true })
    const far = await upLeg({ number: party, mix, caller_number: '+15557654321' })
    const call = world.callOf(party)
    await until('they talk', async () => (await world.hears(party)) === '1001')
    assert.deepEqual([call.reinvites, world.callOf('1001').reinvites], [0, 0])
    assert.ok(!/1001/.test(call.invite.headers.flat().join(' ')))
    await end(agent, far)
    await probe.ok('mix_free', { mix })
  })

  test('driver.asterisk.a_special_number_reaches_the_carrier_as_it_is', async () => {
    const party = `*21*${++serial}#777`
    world.carrier.script(party, (call) => call.answer())
    const leg = await upLeg({ number: party })
    assert.equal(world.carrier.live.number, party)
    await end(leg)
  })

  test('driver.asterisk.refusals_have_their_sip_code', async () => {
    for (const [cause, code] of [[17, 486], [21, 403], [34, 503], [1, 404], [16, 603]]) {
      const dnis = number('5000')
      const call = await world.carrier.callIn(number('1234'), dnis)
      const { leg } = await fact('leg_offered', { dnis })
      await probe.ok('leg_hangup', { leg, cause })
      await until('refused', () => call.state === 'down')
      assert.deepEqual([cause, call.code], [cause, code])
      await fact('leg_ended', { leg })
    }
  })

  test('driver.asterisk.a_diverted_caller_says_from_where', async () => {
    const dnis = number('5000')
    await world.carrier.callIn('+15551112222', dnis, { headers: { Diversion: '<sip:+18005559999@x>;reason=unconditional' } })
    const offer = await fact('leg_offered', { dnis })
    assert.equal(offer.redirected_from, '+18005559999')
    await end(offer.leg)
  })

  test('driver.asterisk.a_caller_without_a_number', async () => {
    const dnis = number('5000')
    await world.carrier.callIn('anonymous', dnis)
    const offer = await fact('leg_offered', { dnis })
    assert.equal(offer.number, undefined)
    await end(offer.leg)
  })

  test('driver.asterisk.somebody_else_ends_a_leg', async () => {
    const leg = await upLeg({ number: number('777') })
    const { body } = await world.asterisk.request('GET', `channels/${leg}`)
    await world.asterisk.cli(`channel request hangup ${body.name}`)
    assert.equal((await fact('leg_ended', { leg })).result, 'normal')
  })

  test('driver.asterisk.channels_of_others_are_left_alone', async () => {
    const phone = world.phones.get('1002')
    const echo = await phone.call('*43')
    await until('the echo test answers', () => echo.state === 'up')
    const [theirs] = (await world.asterisk.request('GET', 'channels')).body
    await world.asterisk.request('POST', 'bridges/theirs?type=mixing&name=theirs')
    const after = probe.facts.length
    await probe.ok('resync')
    await probe.fact('sync_end', {}, { after })
    const told = probe.facts.slice(after)
    assert.ok(!told.some((each) => each.leg || each.mix))
    await probe.ok('leg_hangup', { leg: theirs.id })
    await probe.ok('leg_hangup', { leg: `probe-i-${theirs.id}` })
    await probe.ok('mix_free', { mix: 'theirs' })
    await until('they still hear themselves', async () => echo.heard(world.tones()) === '1002')
    assert.equal((await world.asterisk.request('GET', 'bridges/theirs')).status, 200)
    await world.asterisk.request('DELETE', 'bridges/theirs')
    echo.hangup()
  })

  /* Asked for in one breath: the end of the one mix used to take the leg out of the other in one of four cases. */
  test('driver.asterisk.a_mix_may_end_while_legs_leave_it', async () => {
    const mix = id('m')
    const bridges = async () => (await world.asterisk.request('GET', 'bridges')).body
    await probe.ok('mix_make', { mix })
    const agent = await upLeg({ station: '1001', auto_answer: true, mix })
    for (let round = 0; round < 12; round++) {
      const [leg, party, others] = [id('l'), number('777'), [id('m'), id('m')]]
      for (const other of others) await probe.ok('mix_make', { mix: other })
      const asked = [probe.ok('leg_make', { leg, number: party, mix: others[0] })]
      for (const to of [mix, others[1], mix, others[0], others[1], mix]) asked.push(probe.ok('mix_add', { mix: to, leg }))
      for (const other of others) asked.push(probe.ok('mix_free', { mix: other }))
      await Promise.all(asked)
      if (round % 3 < 2) {
        await until('only one mix is left', async () => (await bridges()).length === 1)
        await until('they hear each other', async () => (await world.hears('1001')) === party && (await world.hears(party)) === '1001')
      } // else it is hung up on its way
      await end(leg)
    }
    await end(agent)
    await probe.ok('mix_free', { mix })
    await until('nothing is left', async () => (await bridges()).length === 0)
  })

  test('driver.asterisk.a_leg_that_is_taken_away_is_lost', async () => {
    const leg = await upLeg({ number: number('777') })
    await world.asterisk.request('POST', `channels/${leg}/continue?context=from-agent&extension=*43&priority=1`)
    assert.equal((await fact('leg_ended', { leg })).result, 'lost')
    assert.equal((await world.asterisk.request('GET', `channels/${leg}`)).status, 200, 'and left to whoever took it')
    await world.asterisk.request('DELETE', `channels/${leg}`)
  })

  test('driver.asterisk.wrong_password', async () => {
    const stranger = world.makeProbe({ password: 'wrong' })
    await stranger.ok('open')
    await until('it says so', async () => (await stranger.op('state')).state === 'refused: wrong user or password')
    await stranger.stop()
  })

  test('driver.asterisk.the_newer_gateway_takes_over', async () => {
    const first = world.makeProbe({ app: 'shared' })
    const second = world.makeProbe({ app: 'shared' })
    await first.ok('open')
    await first.fact('sync_end')
    await second.ok('open')
    await second.fact('sync_end')
    await first.fact('link', { link_up: undefined })
    assert.match((await first.op('state')).state, /^refused: another client/)
    await first.stop()
    await second.stop()
  })

  test('driver.asterisk.a_pulled_cable_is_noticed_within_ten_seconds', async () => {
    const leg = await upLeg({ number: number('777') })
    world.proxy.freeze()
    const began = performance.now()
    await fact('link', { link_up: undefined }, { ms: 15_000 })
    assert.ok(performance.now() - began < 10_500)
    await probe.fact('leg_seen', { leg }, { after: from, ms: 15_000 })
    await end(leg)
  })

  /* What blocks it is not ours to stop: a sound that somebody else plays on a channel. */
  test('driver.asterisk.a_blocked_socket_is_left_and_what_waited_on_it_is_not_done_later', async () => {
    const mix = id('m')
    await probe.ok('mix_make', { mix })
    const [blocked, other] = [await upLeg({ station: '1001', mix, auto_answer: true }), await upLeg({ number: number('777'), mix })]
    for (const leg of [blocked, other]) await fact('leg_joined', { leg })
    const sound = `sound:${world.sound}`
    await world.asterisk.request('POST', `channels/${blocked}/play/long-${mix}?media=${[sound, sound, sound, sound].join(',')}`)
    await until('it plays', async () => (await world.asterisk.request('GET', `playbacks/long-${mix}`)).body?.state === 'playing')
    await probe.ok('mix_remove', { mix, leg: blocked })
    await probe.ok('mix_remove', { mix, leg: other })
    await fact('link', { link_up: undefined }, { ms: 8000 })
    await fact('sync_end', {}, { ms: 3000 })
    assert.equal(probe.all('leg_left').filter(({ mix: from }) => from === mix).length, 0, 'nobody has left: the sound still plays')
    const stays = await upLeg({ number: number('777'), mix })
    await fact('leg_joined', { leg: stays })
    await world.asterisk.request('DELETE', `playbacks/long-${mix}`)
    await fact('leg_left', { leg: blocked }, { ms: 8000 })
    // an answer to a later request of another client: what the old socket still held would have been done by then
    for (let i = 0; i < 3; i++) await probe.ok('resync')
    await until('compared', () => probe.facts.slice(from).filter(({ fact: kind }) => kind === 'sync_end').length >= 3)
    assert.deepEqual(probe.all('leg_left', { leg: other }), [], 'what waited behind it was lost with the socket')
    await end(blocked, other, stays)
    await probe.ok('mix_free', { mix })
    assert.deepEqual((await world.asterisk.request('GET', 'applications')).body.map(({ name }) => name), ['calltab'])
  })

  /* Last: from here on another probe speaks. */
  test('driver.asterisk.a_new_gateway_finds_the_calls_of_the_one_that_crashed', async () => {
    const mix = id('m')
    await probe.ok('mix_make', { mix })
    const [party, from, dnis] = [number('777'), number('1234'), number('5000')]
    const agent = await upLeg({ station: '1001', mix, auto_answer: true })
    const far = await upLeg({ number: party, mix, tag: 'call-99' })
    await world.carrier.callIn(from, dnis)
    const offer = await fact('leg_offered', { dnis })
    await probe.kill()
    await until('they still talk', async () => (await world.hears(party)) === '1001')
    world.probe = probe = world.makeProbe()
    await probe.ok('open')
    await probe.fact('sync_end')
    const seen = Object.fromEntries(probe.all('leg_seen').map((each) => [each.leg, [each.tag, each.mix, each.is_up]]))
    assert.deepEqual(seen, { [agent]: [undefined, mix, 1], [far]: ['call-99', mix, 1], [offer.leg]: [undefined, undefined, undefined] })
    assert.deepEqual(probe.all('mix_seen').map((each) => each.mix), [mix])
    const again = await probe.fact('leg_offered', { dnis })
    assert.deepEqual([again.leg, again.number], [offer.leg, from], 'who still waits is offered again, by the same name')
    await probe.ok('leg_dtmf', { leg: far, digits: '5', token: 1 })
    await probe.fact('leg_dtmf_done', { token: 1 })
    for (const leg of [agent, far, offer.leg]) await probe.ok('leg_hangup', { leg })
    for (const leg of [agent, far, offer.leg]) await probe.fact('leg_ended', { leg })
    await probe.ok('mix_free', { mix })
    await until('nothing is left', async () => Object.values(await world.leftovers()).every((count) => count === 0))
  })
})
