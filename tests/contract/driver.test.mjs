/* The contract of telephony/driver.h: every driver does the same, told by facts and by who hears whom. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { fetchAsterisk } from '../support/asterisk.mjs'
import { until } from '../support/until.mjs'
import { AsteriskWorld, SimWorld } from './driver_worlds.mjs'

const TALK = '0001' // no ending of its own: rings, then answers
let serial = 0

/* One test's legs and mixes: unique ids and numbers, and a way to see that nothing is left of them. */
class Scene {
  legs = []
  mixes = []

  constructor(world) {
    this.world = world
    this.probe = world.probe
    this.from = this.probe.facts.length
  }

  id(kind) {
    return `probe-${kind}-${process.pid}-${++serial}`
  }

  number(ending = TALK) {
    return `+1${String(5550000 + ++serial)}${ending}`
  }

  async mix(fields = {}) {
    const mix = this.id('m')
    this.mixes.push(mix)
    await this.probe.ok('mix_make', { mix, ...fields })
    return mix
  }

  async leg(fields) {
    const leg = this.id('l')
    this.legs.push(leg)
    await this.probe.ok('leg_make', { leg, ...fields })
    return leg
  }

  async upLeg(fields) {
    const leg = await this.leg(fields)
    await this.fact('leg_up', { leg })
    return leg
  }

  async offered(from, dnis, name) {
    await this.world.callIn(from, dnis, name)
    const fact = await this.fact('leg_offered', { dnis })
    this.legs.push(fact.leg)
    return fact
  }

  /* A telephone and a number in one mix, both up. */
  async talk() {
    const mix = await this.mix()
    const party = this.number('777')
    const agent = await this.upLeg({ station: '1001', mix, auto_answer: true })
    const far = await this.upLeg({ number: party, mix })
    return { mix, agent, far, party }
  }

  fact(kind, wanted = {}, ms) {
    return this.probe.fact(kind, wanted, { after: this.from, ms })
  }

  count(kind, wanted = {}) {
    return this.probe.facts.slice(this.from).filter((fact) => fact.fact === kind && Object.entries(wanted).every(([key, value]) => fact[key] === value)).length
  }

  async hears(party, whom, ms) {
    await until(`${party} hears "${whom}"`, async () => {
      const heard = await this.world.hears(party)
      if (heard !== whom) throw new Error(`hears "${heard}"`)
      return true
    }, ms)
  }

  /* Everything that was asked for before this has been carried out. */
  async settle() {
    const after = this.probe.facts.length
    await this.probe.ok('resync')
    await this.probe.fact('sync_end', {}, { after })
  }

  async clean() {
    for (const leg of this.legs) if (!this.probe.all('leg_ended', { leg }).length) await this.probe.op('leg_hangup', { leg })
    for (const leg of this.legs) if (this.probe.story(leg).length) await this.probe.fact('leg_ended', { leg })
    for (const mix of this.mixes) await this.probe.op('mix_free', { mix })
    await this.settle()
  }

  /* The rules that hold for every leg of every test. */
  check() {
    for (const leg of this.legs) {
      const story = this.probe.story(leg).filter((kind) => kind !== 'op_failed')
      assert.equal(story.filter((kind) => kind === 'leg_ended').length, 1, `exactly one end: ${story}`)
      assert.equal(story.at(-1), 'leg_ended', `the end is the last fact: ${story}`)
      for (const kind of ['leg_offered', 'leg_ringing', 'leg_early', 'leg_up'])
        assert.ok(story.filter((each) => each === kind).length <= 1, `${kind} at most once: ${story}`)
    }
  }
}

const suite = {
  async 'link_and_first_comparison'({ probe }) {
    const link = await probe.fact('link', { link_up: 1 })
    assert.ok(link.epoch > 0)
    await probe.fact('sync_end')
    const kinds = probe.facts.map((fact) => fact.fact)
    assert.deepEqual([kinds[0], kinds[1]], ['link', 'sync_begin'])
    assert.equal((await probe.op('open')).status, 'conflict')
    const stations = Object.fromEntries(probe.all('station').map(({ station, on }) => [station, Boolean(on)]))
    assert.deepEqual(stations, { 1001: true, 1002: true, 1003: false })
  },

  async 'outbound_rings_and_is_answered'(scene) {
    const leg = await scene.leg({ number: scene.number() })
    await scene.fact('leg_up', { leg })
    assert.deepEqual(scene.probe.story(leg), ['leg_ringing', 'leg_up'])
    await scene.probe.ok('leg_hangup', { leg })
    const end = await scene.fact('leg_ended', { leg })
    assert.deepEqual([end.result, end.by, end.cause], ['normal', 'us', 16])
    assert.ok(end.talk_ms >= 0 && end.talk_ms < 5000)
  },

  async 'talk_time_is_measured'(scene) {
    const leg = await scene.upLeg({ number: scene.number('199') }) // hangs up after one second
    const end = await scene.fact('leg_ended', { leg })
    assert.deepEqual([end.result, end.by], ['normal', 'them'])
    assert.ok(end.talk_ms > 900 && end.talk_ms < 2500, `${end.talk_ms} ms`)
  },

  async 'failures_have_their_result'(scene) {
    const table = { 486: ['busy', 17], 404: ['invalid', 1], 603: ['rejected', 21], 503: ['congestion', 34], 500: ['error', 38], 480: ['noanswer', 19] }
    const legs = {}
    for (const code of Object.keys(table)) legs[code] = await scene.leg({ number: scene.number(code) })
    for (const [code, [result, cause]] of Object.entries(table)) {
      const end = await scene.fact('leg_ended', { leg: legs[code] })
      assert.deepEqual([code, end.result, end.cause, end.sip, end.talk_ms], [code, result, cause, Number(code), 0])
    }
  },

  async 'nobody_answers_in_time'(scene) {
    const leg = await scene.leg({ number: scene.number('408'), timeout_s: 1 })
    const end = await scene.fact('leg_ended', { leg })
    assert.deepEqual([end.result, end.cause], ['noanswer', 19])
    assert.equal(scene.count('leg_ringing', { leg }), 1)
  },

  async 'a_dead_carrier_is_an_error_and_no_unanswered_call'(scene) {
    const leg = await scene.leg({ number: scene.number('999'), timeout_s: 1 })
    const end = await scene.fact('leg_ended', { leg })
    assert.equal(end.result, 'error')
    assert.equal(scene.count('leg_ringing', { leg }), 0)
  },

  async 'early_media_is_told_and_heard'(scene) {
    const mix = await scene.mix()
    const party = scene.number('183')
    await scene.upLeg({ station: '1001', mix, auto_answer: true })
    const far = await scene.leg({ number: party, mix })
    await scene.fact('leg_early', { leg: far })
    await scene.hears('1001', party)
    assert.equal(scene.count('leg_up', { leg: far }), 0, 'heard before the answer')
    await scene.fact('leg_up', { leg: far })
  },

  async 'ringback_is_heard'(scene) {
    const mix = await scene.mix()
    const party = scene.number('555')
    await scene.upLeg({ station: '1001', mix, auto_answer: true })
    await scene.leg({ number: party, mix })
    await scene.hears('1001', 'ringback')
    await scene.hears('1001', party)
  },

  async 'a_telephone_that_is_away'(scene) {
    const leg = await scene.leg({ station: '1003' })
    const end = await scene.fact('leg_ended', { leg })
    assert.deepEqual([end.result, end.cause], ['invalid', 20])
  },

  async 'a_telephone_that_nobody_knows'(scene) {
    const leg = await scene.leg({ station: '4711' })
    const end = await scene.fact('leg_ended', { leg })
    assert.equal(end.result, 'invalid')
  },

  async 'cancelled_while_ringing'(scene) {
    const party = scene.number('408')
    const leg = await scene.leg({ number: party })
    await scene.fact('leg_ringing', { leg })
    await scene.probe.ok('leg_hangup', { leg })
    const end = await scene.fact('leg_ended', { leg })
    assert.deepEqual([end.result, end.by], ['cancelled', 'us'])
    await until('the far telephone stops ringing', async () => !(await scene.world.isLive(party)))
  },

  async 'cancelled_at_once'(scene) {
    const legs = []
    for (let i = 0; i < 5; i++) {
      const leg = scene.id('l')
      scene.legs.push(leg)
      legs.push(leg)
      await Promise.all([scene.probe.ok('leg_make', { leg, number: scene.number('408') }), scene.probe.ok('leg_hangup', { leg })])
    }
    for (const leg of legs) assert.equal((await scene.fact('leg_ended', { leg })).result, 'cancelled')
  },

  async 'the_far_end_hangs_up'(scene) {
    const { far, party } = await scene.talk()
    await scene.hears('1001', party)
    await scene.world.hangup(party)
    const end = await scene.fact('leg_ended', { leg: far })
    assert.deepEqual([end.result, end.by, end.cause], ['normal', 'them', 16])
    await scene.hears('1001', '')
  },

  async 'inbound_is_offered_rung_and_answered'(scene) {
    const from = scene.number()
    const offer = await scene.offered(from, scene.number('5000'), 'Clara Caller')
    assert.deepEqual([offer.number, offer.name], [from, 'Clara Caller'])
    await scene.probe.ok('leg_ring', { leg: offer.leg })
    const mix = await scene.mix()
    await scene.probe.ok('leg_answer', { leg: offer.leg })
    await scene.probe.ok('mix_add', { mix, leg: offer.leg })
    await scene.fact('leg_up', { leg: offer.leg })
    await scene.upLeg({ station: '1001', mix, auto_answer: true })
    await scene.hears('1001', from)
    await scene.hears(from, '1001')
  },

  async 'inbound_is_refused'(scene) {
    const from = scene.number()
    const offer = await scene.offered(from, scene.number('5000'))
    await scene.probe.ok('leg_hangup', { leg: offer.leg, cause: 17 })
    const end = await scene.fact('leg_ended', { leg: offer.leg })
    assert.deepEqual([end.result, end.by, end.cause], ['cancelled', 'us', 17])
    await until('the caller is gone', async () => !(await scene.world.isLive(from)))
  },

  async 'the_caller_gives_up'(scene) {
    const from = scene.number()
    const offer = await scene.offered(from, scene.number('5000'))
    await scene.probe.ok('leg_ring', { leg: offer.leg })
    await scene.world.hangup(from)
    const end = await scene.fact('leg_ended', { leg: offer.leg })
    assert.deepEqual([end.result, end.by], ['abandoned', 'them'])
  },

  async 'the_caller_hangs_up_after_the_answer'(scene) {
    const from = scene.number()
    const offer = await scene.offered(from, scene.number('5000'))
    await scene.probe.ok('leg_answer', { leg: offer.leg })
    await scene.fact('leg_up', { leg: offer.leg })
    await scene.world.hangup(from)
    const end = await scene.fact('leg_ended', { leg: offer.leg })
    assert.deepEqual([end.result, end.by], ['normal', 'them'])
  },

  async 'only_an_offered_leg_can_be_answered'(scene) {
    const leg = await scene.leg({ number: scene.number('408') })
    await scene.fact('leg_ringing', { leg })
    await scene.probe.ok('leg_answer', { leg, token: 41 })
    await scene.fact('op_failed', { token: 41 })
    await scene.probe.ok('leg_ring', { leg, token: 42 })
    await scene.fact('op_failed', { token: 42 })
  },

  async 'moved_between_mixes'(scene) {
    const { mix, agent, far, party } = await scene.talk()
    const other = await scene.mix()
    const second = scene.number('777')
    await scene.upLeg({ number: second, mix: other })
    await scene.hears(party, '1001')
    await scene.probe.ok('mix_add', { mix: other, leg: agent })
    await scene.fact('leg_left', { leg: agent, mix })
    await scene.fact('leg_joined', { leg: agent, mix: other })
    await scene.hears('1001', second)
    await scene.hears(second, '1001')
    await scene.hears(party, '')
    await scene.probe.ok('mix_remove', { mix: other, leg: agent })
    await scene.fact('leg_left', { leg: agent, mix: other })
    await scene.hears('1001', '')
    await scene.hears(second, '')
    assert.equal(scene.count('leg_left', { leg: far }), 0)
  },

  async 'three_hear_each_other'(scene) {
    const { mix, party } = await scene.talk()
    const third = scene.number('777')
    await scene.upLeg({ number: third, mix })
    const both = (...parties) => parties.sort().join('+')
    await scene.hears('1001', both(party, third))
    await scene.hears(party, both('1001', third))
    await scene.hears(third, both('1001', party))
  },

  async 'a_parking_place_is_silent'(scene) {
    const mix = await scene.mix({ kind: 'park' })
    const [one, two] = [scene.number('777'), scene.number('777')]
    const legs = [await scene.upLeg({ number: one }), await scene.upLeg({ number: two })]
    for (const leg of legs) await scene.probe.ok('mix_add', { mix, leg })
    for (const leg of legs) await scene.fact('leg_joined', { leg, mix })
    const talk = await scene.mix()
    await scene.hears(one, '')
    for (const leg of legs) await scene.probe.ok('mix_add', { mix: talk, leg })
    await scene.hears(one, two)
    for (const leg of legs) await scene.probe.ok('mix_add', { mix, leg })
    await scene.hears(one, '')
    await scene.hears(two, '')
  },

  async 'hold_is_music_and_nothing_else'(scene) {
    const { mix, agent, party } = await scene.talk()
    await scene.hears(party, '1001')
    await scene.probe.ok('mix_remove', { mix, leg: agent })
    await scene.probe.ok('mix_music', { mix, on: true })
    await scene.hears(party, 'music')
    await scene.hears('1001', '')
    await scene.probe.ok('mix_music', { mix, on: false })
    await scene.probe.ok('mix_add', { mix, leg: agent })
    await scene.hears(party, '1001')
    await scene.hears('1001', party)
  },

  async 'music_may_be_asked_for_twice'(scene) {
    const { mix } = await scene.talk()
    for (const on of [false, true, true, false, false]) await scene.probe.ok('mix_music', { mix, on, token: 50 })
    await scene.settle()
    assert.equal(scene.count('op_failed', { token: 50 }), 0)
  },

  async 'dtmf_out'(scene) {
    const { far, party } = await scene.talk()
    await scene.probe.ok('leg_dtmf', { leg: far, digits: '42#', token: 61 })
    await scene.probe.ok('leg_dtmf', { leg: far, digits: '0*1234567', on_ms: 80, gap_ms: 60, token: 62 })
    await scene.fact('leg_dtmf_done', { leg: far, token: 61 })
    await scene.fact('leg_dtmf_done', { leg: far, token: 62 })
    await until('all digits arrive in order', async () => (await scene.world.digitsAt(party)) === '42#0*1234567')
  },

  async 'dtmf_in'(scene) {
    const { far, party } = await scene.talk()
    await scene.world.press(party, '7*#')
    await until('three digits', () => scene.count('leg_digit', { leg: far }) === 3)
    const digits = scene.probe.all('leg_digit', { leg: far })
    assert.equal(digits.map((fact) => fact.digits).join(''), '7*#')
    assert.ok(digits[0].digit_ms > 20, 'how long it was pressed')
  },

  async 'dtmf_needs_an_answered_leg'(scene) {
    const leg = await scene.leg({ number: scene.number('408') })
    await scene.fact('leg_ringing', { leg })
    await scene.probe.ok('leg_dtmf', { leg, digits: '1', token: 63 })
    await scene.fact('op_failed', { leg, token: 63 })
  },

  async 'a_call_sending_digits_holds_up_nobody'(scene) {
    const { far } = await scene.talk()
    const other = await scene.mix()
    const bystander = await scene.upLeg({ number: scene.number('777') })
    await scene.probe.ok('leg_dtmf', { leg: far, digits: '1234567812345678', token: 64 })
    const began = Date.now()
    await scene.probe.ok('mix_add', { mix: other, leg: bystander })
    await scene.fact('leg_joined', { leg: bystander, mix: other })
    assert.ok(Date.now() - began < 1500, `the other call waited ${Date.now() - began} ms`)
    assert.equal(scene.count('leg_dtmf_done', { token: 64 }), 0)
    await scene.fact('leg_dtmf_done', { token: 64 })
  },

  async 'a_leg_sending_digits_moves_with_all_of_them_sent'(scene) {
    const { far, party } = await scene.talk()
    const other = await scene.mix()
    await scene.probe.ok('leg_dtmf', { leg: far, digits: '123456', token: 65 })
    await scene.probe.ok('mix_add', { mix: other, leg: far })
    await scene.fact('leg_joined', { leg: far, mix: other })
    await scene.fact('leg_dtmf_done', { token: 65 })
    await until('all digits', async () => (await scene.world.digitsAt(party)) === '123456')
  },

  async 'hang_up_while_digits_are_sent'(scene) {
    const { far } = await scene.talk()
    await scene.probe.ok('leg_dtmf', { leg: far, digits: '1234567812345678', token: 66 })
    const began = Date.now()
    await scene.probe.ok('leg_hangup', { leg: far })
    await scene.fact('leg_ended', { leg: far })
    assert.ok(Date.now() - began < 2000, 'all of them take 3.4 s')
    assert.equal(scene.count('leg_dtmf_done', { token: 66 }), 0)
  },

  async 'mute_has_a_direction'(scene) {
    const { agent, party } = await scene.talk()
    await scene.hears(party, '1001')
    await scene.hears('1001', party)
    const mute = (what, on) => scene.probe.ok('leg_mute', { leg: agent, what, on })
    await mute('voice', true)
    await scene.hears(party, '')
    await scene.hears('1001', party)
    await mute('voice', false)
    await scene.hears(party, '1001')
    await mute('ear', true)
    await scene.hears('1001', '')
    await scene.hears(party, '1001')
    await mute('ear', false)
    await mute('both', true)
    await scene.hears(party, '')
    await scene.hears('1001', '')
    await mute('both', false)
    await scene.hears(party, '1001')
    await scene.hears('1001', party)
  },

  async 'the_called_party_sees_the_caller'(scene) {
    const shown = { caller_number: '+15557654321', caller_name: 'Acme' }
    const [open, hidden] = [scene.number('408'), scene.number('408')]
    const legs = [await scene.leg({ number: open, ...shown }), await scene.leg({ number: hidden, ...shown, withheld: true })]
    for (const leg of legs) await scene.fact('leg_ringing', { leg })
    assert.equal(await scene.world.shownTo(open), '+15557654321')
    assert.equal(await scene.world.shownTo(hidden), '')
  },

  async 'sounds_end_once'(scene) {
    const { mix, party } = await scene.talk()
    const plays = [scene.id('p'), scene.id('p'), scene.id('p')]
    await scene.probe.ok('mix_play', { mix, play: plays[0], sound: scene.world.sound })
    await scene.hears(party, ['1001', scene.world.sound].sort().join('+'))
    assert.equal((await scene.fact('play_ended', { play: plays[0] })).text, 'ok')
    await scene.probe.ok('mix_play', { mix, play: plays[1], sound: 'missing-sound' })
    assert.equal((await scene.fact('play_ended', { play: plays[1] })).text, 'failed')
    await scene.probe.ok('mix_play', { mix, play: plays[2], sound: scene.world.sound })
    await scene.probe.ok('play_stop', { play: plays[2] })
    assert.equal((await scene.fact('play_ended', { play: plays[2] })).text, 'stopped')
    await scene.hears(party, '1001')
    await scene.settle()
    for (const play of plays) assert.equal(scene.count('play_ended', { play }), 1)
  },

  async 'a_sound_ends_with_its_mix'(scene) {
    const { mix } = await scene.talk()
    const play = scene.id('p')
    await scene.probe.ok('mix_play', { mix, play, sound: scene.world.sound })
    await scene.settle()
    await scene.probe.ok('mix_free', { mix })
    assert.equal((await scene.fact('play_ended', { play })).text, 'stopped')
    scene.mixes = []
  },

  async 'the_hold_key_of_a_telephone_is_told'(scene) {
    const { agent } = await scene.talk()
    for (const on of [1, undefined, 1, undefined]) {
      const from = scene.probe.facts.length
      await scene.world.hold('1001', on === 1)
      assert.equal((await scene.probe.fact('leg_held', { leg: agent }, { after: from })).on, on)
    }
    assert.equal(scene.count('leg_held', { leg: agent }), 4)
  },

  async 'a_recording_begins_and_ends_once'(scene) {
    const { mix } = await scene.talk()
    const records = [scene.id('r'), scene.id('r')]
    for (const record of records) {
      await scene.probe.ok('mix_record', { mix, record })
      await scene.fact('record_begun', { record })
    }
    await scene.probe.ok('record_pause', { record: records[0], on: true })
    await scene.probe.ok('record_stop', { record: records[0] })
    const ended = await scene.fact('record_ended', { record: records[0] })
    assert.equal(ended.text, 'ok')
    assert.ok(ended.length_ms > 0)
    assert.equal(scene.count('record_ended', { record: records[1] }), 0, 'the other one goes on')
    await scene.probe.ok('record_stop', { record: records[1] })
    await scene.fact('record_ended', { record: records[1] })
    await scene.settle()
    for (const record of records) assert.equal(scene.count('record_ended', { record }), 1)
    const unknown = scene.id('r')
    await scene.probe.ok('record_stop', { record: unknown })
    assert.equal((await scene.fact('record_ended', { record: unknown })).text, 'lost')
  },

  async 'what_is_asked_before_a_recording_has_begun_is_done'(scene) {
    const { mix } = await scene.talk()
    const record = scene.id('r')
    await scene.probe.ok('mix_record', { mix, record })
    await scene.probe.ok('record_pause', { record, on: true })
    await scene.probe.ok('record_stop', { record })
    assert.equal((await scene.fact('record_ended', { record })).text, 'ok')
    assert.equal(scene.count('op_failed', { mix }), 0)
  },

  async 'a_recording_ends_with_its_mix'(scene) {
    const { mix } = await scene.talk()
    const record = scene.id('r')
    await scene.probe.ok('mix_record', { mix, record })
    await scene.fact('record_begun', { record })
    await scene.probe.ok('mix_free', { mix })
    await scene.fact('record_ended', { record })
    scene.mixes = []
  },

  async 'a_recording_that_is_being_made_may_be_asked_for_again'(scene) {
    const { mix } = await scene.talk()
    const record = scene.id('r')
    await scene.probe.ok('mix_record', { mix, record })
    await scene.fact('record_begun', { record })
    await scene.probe.ok('mix_record', { mix, record, token: 75 })
    await scene.settle()
    assert.equal(scene.count('op_failed', { token: 75 }), 0)
    assert.equal(scene.count('record_ended', { record }), 0)
    await scene.probe.ok('record_stop', { record })
    await scene.fact('record_ended', { record })
  },

  async 'ids_and_numbers_are_checked_at_the_door'(scene) {
    const bad = ['', 'a b', 'ä', 'a/b', 'a'.repeat(65), 'a,b', 'a%20b']
    for (const leg of bad) assert.equal((await scene.probe.op('leg_make', { leg, number: '+1555' })).status, 'invalid', leg)
    for (const mix of bad) assert.equal((await scene.probe.op('mix_make', { mix })).status, 'invalid', mix)
    for (const number of ['', '+1555;x=y', 'sip:x@host', '1'.repeat(33), '1555\r\n'])
      assert.equal((await scene.probe.op('leg_make', { leg: scene.id('l'), number })).status, 'invalid', number)
    for (const digits of ['', '12a', '1'.repeat(33)])
      assert.equal((await scene.probe.op('leg_dtmf', { leg: scene.id('l'), digits })).status, 'invalid', digits)
    for (const cause of [0, 128]) assert.equal((await scene.probe.op('leg_hangup', { leg: scene.id('l'), cause })).status, 'invalid')
    const leg = 'x.Y_z-0'.padEnd(64, '9')
    scene.legs.push(leg)
    await scene.probe.ok('leg_make', { leg, number: scene.number('486') })
    await scene.fact('leg_ended', { leg })
  },

  async 'an_id_is_used_once'(scene) {
    const leg = await scene.upLeg({ number: scene.number('777') })
    await scene.probe.ok('leg_make', { leg, number: scene.number('777'), token: 71 })
    await scene.fact('op_failed', { leg, token: 71 })
    await scene.settle()
    assert.equal(scene.count('leg_ended', { leg }), 0, 'the first leg goes on')
  },

  async 'a_leg_that_has_ended_is_no_failure'(scene) {
    const { mix, far } = await scene.talk()
    await scene.probe.ok('leg_hangup', { leg: far })
    const operations = [
      ['leg_hangup', {}],
      ['leg_dtmf', { digits: '1' }],
      ['leg_mute', { what: 'voice', on: true }],
      ['mix_add', { mix }],
      ['mix_remove', { mix }],
      ['leg_answer', {}],
      ['leg_ring', {}],
    ]
    const all = () => Promise.all(operations.map(([name, fields]) => scene.probe.ok(name, { leg: far, token: 72, ...fields })))
    await all()
    await scene.fact('leg_ended', { leg: far })
    await all()
    await scene.settle()
    assert.equal(scene.count('op_failed', { token: 72 }), 0)
  },

  async 'a_leg_that_never_was_is_no_failure'(scene) {
    const { mix } = await scene.talk()
    const leg = scene.id('nobody')
    await scene.probe.ok('leg_hangup', { leg, token: 73 })
    await scene.probe.ok('mix_add', { leg, mix, token: 73 })
    await scene.probe.ok('leg_dtmf', { leg, digits: '1', token: 73 })
    await scene.settle()
    assert.equal(scene.count('op_failed', { token: 73 }), 0)
    assert.deepEqual(scene.probe.story(leg), [])
  },

  async 'a_mix_that_never_was_is_told'(scene) {
    const { far } = await scene.talk()
    const mix = scene.id('nomix')
    const operations = { mix_add: { leg: far }, mix_remove: { leg: far }, mix_music: { on: true }, mix_free: {}, mix_play: { play: scene.id('p'), sound: 'x' }, mix_record: { record: scene.id('r') } }
    let token = 80
    for (const [name, fields] of Object.entries(operations)) {
      await scene.probe.ok(name, { mix, ...fields, token: ++token })
      await scene.fact('op_failed', { mix, token })
    }
    const leg = await scene.leg({ number: scene.number('408'), mix, token: 90 })
    await scene.fact('op_failed', { token: 90 })
    await scene.fact('leg_ringing', { leg })
  },

  async 'a_mix_may_be_made_twice'(scene) {
    const { mix, party } = await scene.talk()
    await scene.probe.ok('mix_make', { mix, token: 91 })
    await scene.settle()
    assert.equal(scene.count('op_failed', { token: 91 }), 0)
    await scene.hears(party, '1001')
  },

  async 'a_leg_may_be_added_where_it_is'(scene) {
    const { mix, far, party } = await scene.talk()
    await scene.hears(party, '1001')
    await scene.probe.ok('mix_add', { mix, leg: far })
    await scene.settle()
    assert.deepEqual([scene.count('leg_joined', { leg: far }), scene.count('leg_left', { leg: far })], [1, 0])
  },

  async 'removed_from_where_it_is_not'(scene) {
    const { mix, far, party } = await scene.talk()
    const other = await scene.mix()
    await scene.probe.ok('mix_remove', { mix: other, leg: far, token: 92 })
    await scene.settle()
    assert.deepEqual([scene.count('op_failed', { token: 92 }), scene.count('leg_left', { leg: far, mix })], [0, 0])
    await scene.hears(party, '1001')
  },

  async 'legs_outlive_their_mix'(scene) {
    const { mix, agent, far, party } = await scene.talk()
    await scene.hears(party, '1001')
    await scene.probe.ok('mix_free', { mix })
    await scene.fact('leg_left', { leg: agent, mix })
    await scene.fact('leg_left', { leg: far, mix })
    await scene.hears(party, '')
    scene.mixes = []
    assert.equal(scene.count('leg_ended'), 0)
  },

  async 'operations_keep_their_order'(scene) {
    const mixes = [await scene.mix(), await scene.mix(), await scene.mix()]
    const party = scene.number('777')
    const agent = await scene.upLeg({ station: '1001', auto_answer: true })
    // All at once, the first of them while the leg is not even there: the last one counts.
    const leg = scene.id('l')
    scene.legs.push(leg)
    const asked = [scene.probe.ok('leg_make', { leg, number: party, mix: mixes[0] })]
    for (const mix of [1, 2, 1, 0, 2, 1]) asked.push(scene.probe.ok('mix_add', { mix: mixes[mix], leg }))
    asked.push(scene.probe.ok('mix_free', { mix: mixes[2] }))
    asked.push(scene.probe.ok('mix_add', { mix: mixes[1], leg: agent }))
    await Promise.all(asked)
    await scene.fact('leg_up', { leg })
    await scene.hears('1001', party)
    await scene.hears(party, '1001')
    scene.mixes.pop()
    assert.equal(scene.count('op_failed'), 0)
  },

  async 'many_legs_at_once'(scene) {
    const mix = await scene.mix()
    const numbers = Array.from({ length: 12 }, () => scene.number('777'))
    const legs = await Promise.all(numbers.map((number) => scene.leg({ number, mix })))
    for (const leg of legs) await scene.fact('leg_up', { leg })
    for (const leg of legs) await scene.fact('leg_joined', { leg, mix })
    await Promise.all(legs.map((leg) => scene.probe.ok('leg_hangup', { leg })))
    for (const leg of legs) assert.equal((await scene.fact('leg_ended', { leg })).result, 'normal')
  },

  async 'resync_tells_what_there_is'(scene) {
    const { mix, agent, far } = await scene.talk()
    const tagged = await scene.upLeg({ number: scene.number('777'), tag: 'call-17' })
    const after = scene.probe.facts.length
    await scene.probe.ok('resync')
    await scene.probe.fact('sync_end', {}, { after })
    const told = scene.probe.facts.slice(after)
    assert.deepEqual([told[0].fact, told.at(-1).fact], ['sync_begin', 'sync_end'])
    const seen = told.filter((fact) => fact.fact === 'leg_seen')
    assert.deepEqual(seen.map((fact) => fact.leg).sort(), [agent, far, tagged].sort())
    assert.ok(seen.every((fact) => fact.is_up === 1))
    assert.equal(seen.find((fact) => fact.leg === tagged).tag, 'call-17')
    assert.deepEqual(told.filter((fact) => fact.fact === 'mix_seen').map((fact) => fact.mix), [mix])
  },

  async 'resync_disturbs_nothing'(scene) {
    const mix = await scene.mix()
    const party = scene.number('777')
    await scene.upLeg({ station: '1001', mix, auto_answer: true })
    const leg = scene.id('l')
    scene.legs.push(leg)
    const asked = []
    for (let i = 0; i < 3; i++) asked.push(scene.probe.ok('resync'))
    asked.push(scene.probe.ok('leg_make', { leg, number: party, mix }))
    for (let i = 0; i < 5; i++) asked.push(scene.probe.ok('resync'))
    await Promise.all(asked)
    await scene.fact('leg_up', { leg })
    await scene.hears(party, '1001')
  },

  async 'a_lost_link_leaves_calls_alone_and_is_made_good'(scene) {
    const { mix, agent, far, party } = await scene.talk()
    const leaver = scene.number('777')
    const gone = await scene.upLeg({ number: leaver })
    const after = scene.probe.facts.length
    await scene.world.cut()
    await scene.probe.fact('link', { link_up: undefined }, { after })
    for (const [name, fields] of [['leg_hangup', { leg: far }], ['mix_make', { mix: scene.id('m') }], ['leg_make', { leg: scene.id('l'), number: '+1555' }], ['resync', {}]])
      assert.equal((await scene.probe.op(name, fields)).status, 'unavailable', name)
    await scene.hears('1001', party)
    await scene.world.hangup(leaver)
    await scene.world.mend()
    await scene.probe.fact('sync_end', {}, { after })
    const told = scene.probe.facts.slice(after)
    const up = told.find((fact) => fact.fact === 'link' && fact.link_up === 1)
    assert.equal(up.epoch, scene.probe.all('link', { link_up: 1 })[0].epoch, 'the same Asterisk')
    assert.deepEqual(told.filter((fact) => fact.fact === 'leg_ended').map(({ leg, result }) => [leg, result]), [[gone, 'lost']])
    assert.deepEqual(told.filter((fact) => fact.fact === 'leg_seen').map((fact) => fact.leg).sort(), [agent, far].sort())
    assert.ok(told.some((fact) => fact.fact === 'mix_seen' && fact.mix === mix))
    await scene.probe.ok('mix_remove', { mix, leg: agent })
    await scene.hears(party, '')
  },

  async 'an_answer_during_the_outage_is_seen'(scene) {
    const leg = await scene.leg({ number: scene.number('555') }) // rings after 1 s, answers 2 s later
    await scene.fact('leg_ringing', { leg })
    const after = scene.probe.facts.length
    await scene.world.cut()
    await until('the party has answered', async () => {
      const { world } = scene
      return world.name === 'sim' ? (await world.legs()).every((each) => each.state === 'up') : [...world.carrier.calls.values()].every((call) => call.state === 'up')
    })
    await scene.world.mend()
    assert.equal((await scene.probe.fact('leg_seen', { leg }, { after })).is_up, 1)
  },

  async 'who_calls_during_the_outage_is_offered_afterwards'(scene) {
    const from = scene.number()
    const dnis = scene.number('5000')
    await scene.world.cut()
    await scene.world.callIn(from, dnis)
    await scene.world.mend()
    const offer = await scene.fact('leg_offered', { dnis })
    scene.legs.push(offer.leg)
    assert.equal(offer.number, from)
  },

  async 'a_restarted_switch_has_lost_everything'(scene) {
    const { agent, far } = await scene.talk()
    const after = scene.probe.facts.length
    const before = scene.probe.all('link', { link_up: 1 }).at(-1).epoch
    await scene.world.restart()
    await scene.probe.fact('sync_end', {}, { after, ms: 20_000 })
    const told = scene.probe.facts.slice(after)
    assert.notEqual(told.find((fact) => fact.fact === 'link' && fact.link_up === 1).epoch, before)
    for (const leg of [agent, far]) assert.equal(told.find((fact) => fact.fact === 'leg_ended' && fact.leg === leg).result, 'lost')
    scene.mixes = []
    await scene.upLeg({ number: scene.number('777') })
  },
}

/* Last of all: after close no fact comes, and the calls are the switch's. */
async function closing(scene) {
  const { probe } = scene
  const leg = await scene.leg({ number: scene.number('555') })
  const facts = probe.facts.length
  await probe.ok('close')
  assert.equal((await probe.op('leg_hangup', { leg })).status, 'unavailable')
  const told = probe.facts.slice(facts).filter((fact) => fact.leg === leg && fact.fact !== 'leg_joined')
  assert.deepEqual(told, [])
}

function runSuite(world, skip) {
  describe(world.name, { skip }, () => {
    let scene
    before(async () => {
      await world.start()
      assert.equal((await world.probe.op('mix_make', { mix: 'm' })).status, 'unavailable', 'not open yet')
      await world.probe.ok('open')
      await world.probe.fact('sync_end')
    })
    after(() => world.stop())
    afterEach(async () => {
      const { probe } = scene ?? {}
      if (!probe) return
      await scene.clean()
      scene.check()
      scene = null
      await until('nothing is left at the switch', async () => {
        const { legs, mixes } = await world.leftovers()
        return legs === 0 && mixes === 0
      })
    })
    for (const [name, run] of Object.entries(suite)) test(`driver.${world.name}.${name}`, () => run((scene = new Scene(world))))
    test(`driver.${world.name}.no_fact_after_close`, async () => {
      const last = new Scene(world)
      await closing(last)
    })
  })
}

function reasonWithoutAsterisk() {
  try {
    fetchAsterisk()
    return false
  } catch (error) {
    return `Asterisk cannot be fetched: ${error.message}`
  }
}

runSuite(new SimWorld())
runSuite(new AsteriskWorld(), reasonWithoutAsterisk())
