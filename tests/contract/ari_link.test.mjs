/* The driver's link to Asterisk, against a false one that does what a real one cannot be made to do. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../support/until.mjs'
import { FakeAri } from './fake_ari.mjs'
import { Probe } from './probe.mjs'

let fake
let probe

const probeAt = (port, host = '127.0.0.1') => new Probe(['ari', host, port, 'calltab', 'secret', 'calltab', 'trunk'])
const stateIs = (pattern, ms) => until(`state ${pattern}`, async () => pattern.test((await probe.op('state')).state), ms)
const sent = (start) => fake.requests.filter((name) => name.startsWith(start))

async function link(options) {
  fake = await new FakeAri(options).start()
  probe = probeAt(fake.port)
  await probe.ok('open')
}

async function up(options) {
  await link(options)
  await probe.fact('sync_end')
}

beforeEach(() => {
  fake = probe = null
})

afterEach(async () => {
  await probe?.stop()
  await fake?.stop()
})

for (const version of ['20.9.3', '22.9.99', '22.10.0', '18.26.4']) {
  test(`driver.ari.version_${version.replaceAll('.', '_')}_is_refused`, async () => {
    await link({ version })
    await stateIs(/^refused: Asterisk .* is too old/)
    assert.equal(probe.all('link').length, 0)
    assert.equal((await probe.op('mix_make', { mix: 'm' })).status, 'unavailable')
  })
}

for (const version of ['22.10.1', '22.11.0', '23.4.1', '24.0.0']) {
  test(`driver.ari.version_${version.replaceAll('.', '_')}_is_taken`, async () => {
    await up({ version })
    assert.equal((await probe.op('state')).state, 'up')
  })
}

test('driver.ari.set_up_on_every_connect', async () => {
  await up()
  fake.socket.close()
  await until('linked again', () => probe.all('sync_end').length === 2)
  for (const start of ['PUT applications/calltab/eventFilter', 'POST applications/calltab/subscription?eventSource=channel:,bridge:,endpoint:', 'GET asterisk/info', 'GET channels'])
    assert.equal(sent(start).length, 2, start)
  const filter = fake.bodies[fake.requests.indexOf('PUT applications/calltab/eventFilter')]
  assert.ok(filter.disallowed.some(({ type }) => type === 'ChannelVarset'))
})

test('driver.ari.refused_set_up_is_tried_again_without_spinning', async () => {
  fake = await new FakeAri().start()
  for (let i = 0; i < 100; i++) fake.answer('POST applications', { status: 500, body: { message: 'No' } })
  probe = probeAt(fake.port)
  await probe.ok('open')
  await stateIs(/^away: Asterisk refuses the set-up: 500 No/)
  const began = performance.now()
  await until('three more attempts', () => fake.connections >= 4)
  const took = performance.now() - began
  assert.ok(took > 400, `four attempts in ${took} ms: 100, 200, 400 ms apart are asked for`)
})

test('driver.ari.lists_that_cannot_be_read_are_no_reason_to_spin', async () => {
  fake = await new FakeAri().start()
  for (let i = 0; i < 100; i++) fake.answer('GET endpoints', { status: 200, body: { not: 'a list' } })
  probe = probeAt(fake.port)
  await probe.ok('open')
  const began = performance.now()
  await until('four attempts', () => fake.connections >= 4)
  assert.ok(performance.now() - began > 450)
  assert.deepEqual(probe.all('link').slice(0, 2).map(({ link_up }) => link_up), [1, undefined])
})

test('driver.ari.a_closed_door_is_not_run_against', async () => {
  const times = []
  const server = net.createServer((socket) => {
    times.push(performance.now())
    socket.destroy()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  probe = probeAt(server.address().port)
  await probe.ok('open')
  await until('five attempts', () => times.length >= 5, 8000)
  const gaps = times.slice(1).map((time, i) => time - times[i])
  for (const [i, wanted] of [200, 400, 800].entries()) assert.ok(gaps[i + 1] > wanted * 0.75, `${gaps}`)
  await new Promise((resolve) => server.close(resolve))
})

test('driver.ari.nobody_listens', async () => {
  fake = await new FakeAri().start()
  const { port } = fake
  await fake.stop()
  fake = null
  probe = probeAt(port)
  await probe.ok('open')
  await stateIs(/^away: /)
})

test('driver.ari.a_name_that_is_unknown', async () => {
  probe = probeAt(8088, 'asterisk.invalid')
  await probe.ok('open')
  await stateIs(/^away: the host name is unknown/, 20_000)
})

test('driver.ari.a_name_that_is_known', async () => {
  fake = await new FakeAri().start()
  probe = probeAt(fake.port, 'localhost')
  await probe.ok('open')
  await probe.fact('sync_end')
})

test('driver.ari.a_silent_peer_is_noticed', async () => {
  await up()
  fake.isSilent = true
  const began = performance.now()
  await probe.fact('link', { link_up: undefined }, { ms: 15_000 })
  const took = performance.now() - began
  assert.ok(took < 10_500, `${took} ms`)
})

/* One request does not return, and events go on coming: the socket is not dead, but every call waits behind it. */
test('driver.ari.a_blocked_socket_is_left_for_a_new_one', async () => {
  await up()
  fake.isSilent = true
  await probe.ok('mix_make', { mix: 'm' })
  const talk = setInterval(() => fake.tell({ type: 'ChannelTalkingStarted', channel: { id: 'x' } }), 100)
  const began = performance.now()
  try {
    await probe.fact('link', { link_up: undefined }, { ms: 15_000 })
  } finally {
    clearInterval(talk)
    fake.isSilent = false
  }
  const took = performance.now() - began
  assert.ok(took > 2900 && took < 10_000, `${took} ms`)
  await until('linked again', () => probe.all('sync_end').length === 2)
  assert.equal((await probe.op('state')).state, 'up')
})

test('driver.ari.a_long_row_of_requests_that_are_answered_is_not_blocked', async () => {
  await up()
  const waiting = []
  const receive = fake.receive.bind(fake)
  fake.receive = (socket, request) => waiting.push(() => receive(socket, request))
  for (let i = 0; i < 8; i++) await probe.ok('mix_make', { mix: `row${i}` })
  await until('all are asked for', () => waiting.length >= 8)
  while (waiting.length) {
    await pause(700)
    waiting.shift()()
  }
  assert.equal(probe.all('link').length, 1, 'the link was never given up')
})

test('driver.ari.another_gateway_takes_over', async () => {
  await up()
  fake.tell({ type: 'ApplicationReplaced', application: 'calltab' })
  await probe.fact('link', { link_up: undefined })
  await stateIs(/^refused: another client/)
  const { connections } = fake
  await assert.rejects(until('another attempt', () => fake.connections > connections, 1500))
})

test('driver.ari.nonsense_leads_to_a_comparison', async () => {
  await up()
  for (const nonsense of ['{"type":', '[]', '"x"', '{"type":"StasisStart","channel":7}', '{"type":"ChannelDestroyed"}', '{"type":"RESTResponse","request_id":"99999","status_code":200}'])
    fake.tell(nonsense)
  await until('compared again', () => probe.all('sync_end').length >= 2)
  assert.equal((await probe.op('state')).state, 'up')
  assert.deepEqual(probe.all('leg_offered'), [])
})

test('driver.ari.adding_is_tried_again_when_asterisk_is_not_ready', async () => {
  await up()
  await probe.ok('mix_make', { mix: 'm' })
  for (let i = 0; i < 2; i++) fake.answer('POST bridges/m/addChannel', { status: 422, body: { message: 'Channel not in Stasis application' } })
  await probe.ok('leg_make', { leg: 'l', number: '+1555', mix: 'm' })
  fake.stasisStart('l')
  await until('it was asked three times', () => sent('POST bridges/m/addChannel').length === 3)
  assert.equal(sent('POST channels/l/dial').length, 0, 'dialed only when it is in')
  fake.entered('l', 'm')
  await until('dialed', () => sent('POST channels/l/dial').length === 1)
  assert.deepEqual(probe.all('op_failed'), [])
})

test('driver.ari.adding_that_never_succeeds_is_told', async () => {
  await up()
  await probe.ok('mix_make', { mix: 'm' })
  for (let i = 0; i < 20; i++) fake.answer('POST bridges/m/addChannel', { status: 422, body: { message: 'Channel not in Stasis application' } })
  await probe.ok('leg_make', { leg: 'l', number: '+1555', mix: 'm', token: 5 })
  fake.stasisStart('l')
  assert.equal((await probe.fact('op_failed', { token: 5 })).text, 'Channel not in Stasis application')
})

test('driver.ari.nothing_is_asked_of_a_leg_before_it_is_there', async () => {
  await up()
  await probe.ok('mix_make', { mix: 'm' })
  await probe.ok('leg_make', { leg: 'l', number: '+1555', mix: 'm' })
  await probe.ok('leg_mute', { leg: 'l', what: 'voice', on: true })
  await probe.ok('mix_make', { mix: 'later' })
  await until('what came later has been asked for', () => sent('POST bridges/later').length === 1)
  assert.equal(sent('POST bridges/m/addChannel').length + sent('POST channels/l').length, 0)
  fake.stasisStart('l')
  await until('then it is added', () => sent('POST bridges/m/addChannel').length === 1)
})

/* A leg that is up and alone in mix a, with mixes b and c beside it. */
async function legInMix() {
  await up()
  for (const mix of ['a', 'b', 'c']) await probe.ok('mix_make', { mix })
  await probe.ok('leg_make', { leg: 'l', number: '+1555', mix: 'a' })
  fake.stasisStart('l')
  await until('added', () => sent('POST bridges/a/addChannel').length === 1)
  fake.entered('l', 'a')
  await until('dialed', () => sent('POST channels/l/dial').length === 1)
}

/* What was asked for before has been sent when this has. */
async function overtake() {
  await probe.ok('mix_make', { mix: `m${++overtakers}` })
  await until('a later request', () => sent(`POST bridges/m${overtakers}?`).length === 1)
}
let overtakers = 0

test('driver.ari.a_move_waits_for_the_event_of_the_last', async () => {
  await legInMix()
  await probe.ok('mix_add', { mix: 'b', leg: 'l' })
  await probe.ok('mix_add', { mix: 'c', leg: 'l' })
  await overtake()
  assert.deepEqual([sent('POST bridges/b/addChannel').length, sent('POST bridges/c/addChannel').length], [1, 0])
  fake.entered('l', 'b')
  await until('the second move', () => sent('POST bridges/c/addChannel').length === 1)
})

test('driver.ari.a_move_does_not_wait_for_ever', async () => {
  await legInMix()
  await probe.ok('mix_add', { mix: 'b', leg: 'l' })
  await probe.ok('mix_add', { mix: 'c', leg: 'l' })
  await until('the second move', () => sent('POST bridges/c/addChannel').length === 1)
})

test('driver.ari.a_mix_is_not_deleted_while_legs_leave_it', async () => {
  await legInMix()
  await probe.ok('mix_add', { mix: 'b', leg: 'l' })
  await probe.ok('mix_add', { mix: 'c', leg: 'l' })
  await probe.ok('mix_free', { mix: 'a' })
  await probe.ok('mix_free', { mix: 'b' })
  await overtake()
  assert.equal(sent('DELETE').length, 0)
  fake.entered('l', 'b')
  await until('the second move', () => sent('POST bridges/c/addChannel').length === 1)
  assert.deepEqual(sent('DELETE'), ['DELETE bridges/a'])
  fake.entered('l', 'c')
  await until('both are deleted', () => sent('DELETE').length === 2)
  assert.deepEqual(sent('DELETE'), ['DELETE bridges/a', 'DELETE bridges/b'])
})

test('driver.ari.a_mix_is_deleted_when_the_leg_in_it_is_hung_up_on_its_way', async () => {
  await legInMix()
  await probe.ok('mix_add', { mix: 'b', leg: 'l' })
  await probe.ok('mix_add', { mix: 'c', leg: 'l' })
  for (const mix of ['a', 'b', 'c']) await probe.ok('mix_free', { mix })
  await probe.ok('leg_hangup', { leg: 'l' })
  await until('all are deleted', () => sent('DELETE bridges').length === 3)
})

test('driver.ari.a_channel_whose_end_was_missed', async () => {
  await up()
  await probe.ok('leg_make', { leg: 'l', number: '+1555' })
  fake.stasisStart('l')
  await until('dialed', () => sent('POST channels/l/dial').length === 1)
  fake.answer('GET channels/l', { status: 404, body: { message: 'Channel not found' } })
  fake.answer('POST channels/l/mute', { status: 404, body: { message: 'Channel not found' } })
  await probe.ok('leg_mute', { leg: 'l', what: 'voice', on: true, token: 6 })
  assert.equal((await probe.fact('leg_ended', { leg: 'l' })).result, 'lost')
  assert.deepEqual(probe.all('op_failed'), [])
})

test('driver.ari.a_leg_that_cannot_be_dialed_is_an_error', async () => {
  await up()
  fake.answer('POST channels/l/dial', { status: 409, body: { message: 'no' } })
  await probe.ok('leg_make', { leg: 'l', number: '+1555' })
  fake.stasisStart('l')
  await until('it is hung up', () => sent('DELETE channels/l').length === 1)
  fake.tell({ type: 'ChannelDestroyed', cause: 38, channel: { id: 'l' } })
  assert.equal((await probe.fact('leg_ended', { leg: 'l' })).result, 'error')
})

test('driver.ari.what_the_called_party_is_told_is_clean', async () => {
  await up()
  const caller_name = 'A"c\\m<e>\r\nEvil: 1\u0007\u0085 \u202eé'
  await probe.ok('leg_make', { leg: 'l', station: '1001', auto_answer: true, tag: 'call-9', caller_number: '+15557654321', caller_name })
  await until('asked for', () => sent('POST channels/create').length === 1)
  assert.deepEqual(fake.bodies[fake.requests.indexOf('POST channels/create')], {
    endpoint: 'PJSIP/1001', app: 'calltab', appArgs: 'out,call-9', channelId: 'l',
    variables: {
      'CONNECTEDLINE(all,i)': '"AcmeEvil: 1 é" <+15557654321>',
      'PJSIP_HEADER(add,Call-Info)': '<sip:calltab>;answer-after=0',
      'PJSIP_HEADER(add,Alert-Info)': '<http://calltab>;info=alert-autoanswer',
    },
  })
})

test('driver.ari.a_bridge_left_behind_is_deleted_and_others_are_not', async () => {
  fake = await new FakeAri().start()
  const bridge = (id, name, channels) => ({ id, name, channels, bridge_class: 'stasis' })
  fake.bridges = [bridge('old', 'calltab', []), bridge('inuse', 'calltab', ['x']), bridge('theirs', 'other', []), { id: 'base', name: 'calltab', channels: [], bridge_class: 'base' }]
  fake.channels = [
    { id: 'x', state: 'Up', dialplan: { app_name: 'Stasis', app_data: 'calltab,out,call-1' } },
    { id: 'y', state: 'Up', dialplan: { app_name: 'Stasis', app_data: 'calltab2,out' } },
    { id: 'z', state: 'Up', dialplan: { app_name: 'Echo', app_data: '' } },
  ]
  probe = probeAt(fake.port)
  await probe.ok('open')
  await probe.fact('sync_end')
  await until('deleted', () => sent('DELETE').length)
  await probe.ok('leg_hangup', { leg: 'y' })
  await probe.ok('leg_hangup', { leg: 'z' })
  await probe.ok('mix_free', { mix: 'theirs' })
  assert.deepEqual(sent('DELETE'), ['DELETE bridges/old'])
  assert.deepEqual(probe.all('mix_seen').map(({ mix }) => mix), ['inuse'])
  assert.deepEqual(probe.all('leg_seen').map(({ leg, tag, is_up }) => [leg, tag, is_up]), [['x', 'call-1', 1]])
})

/* A gateway that was killed has left all this. */
async function leftBehind() {
  fake = await new FakeAri().start()
  const channel = (id, state, app_data) => ({ id, state, dialplan: { app_name: 'Stasis', app_data }, caller: { number: '15559999' } })
  fake.channels = [
    channel('probe-c-1', 'Up', 'calltab,out,1'),
    channel('probe-a-7-agent', 'Up', 'calltab,out,agent'),
    channel('probe-c-2', 'Ringing', 'calltab,out,2'),
    channel('probe-c-3', 'Down', 'calltab,out,3'),
    channel('1.1', 'Up', 'calltab,inbound,500'),
    channel('1.2', 'Ring', 'calltab,inbound,500'),
    channel('1.3', 'Ring', 'other,inbound,500'),
  ]
  fake.bridges = [
    { id: 'probe-m-1', name: 'calltab', channels: ['probe-c-1', 'probe-a-7-agent'], bridge_class: 'stasis' },
    { id: 'theirs', name: 'other', channels: ['probe-c-3'], bridge_class: 'stasis' },
  ]
  probe = probeAt(fake.port)
  await probe.ok('open')
  await probe.fact('leg_offered')
}

test('driver.ari.a_new_life_sees_where_each_leg_is', async () => {
  await leftBehind()
  const seen = Object.fromEntries(probe.all('leg_seen').map(({ leg, tag, mix, is_up, on }) => [leg, [tag, mix, is_up, on]]))
  assert.deepEqual(seen, {
    'probe-c-1': ['1', 'probe-m-1', 1, 1],
    'probe-a-7-agent': ['agent', 'probe-m-1', 1, 1],
    'probe-c-2': ['2', undefined, undefined, 1],
    'probe-c-3': ['3', undefined, undefined, undefined],
    'probe-i-1.1': [undefined, undefined, 1, 1],
    'probe-i-1.2': [undefined, undefined, undefined, undefined],
  })
  assert.deepEqual(probe.all('leg_offered').map(({ leg, dnis, number }) => [leg, dnis, number]), [['probe-i-1.2', '500', '15559999']])
  const order = probe.facts.map(({ fact }) => fact)
  assert.ok(order.indexOf('leg_offered') > order.indexOf('sync_end'), `${order}`)
  assert.deepEqual(sent('DELETE'), [])
})

test('driver.ari.a_leg_of_an_earlier_life_lives_on', async () => {
  await leftBehind()
  fake.tell({ type: 'ChannelStateChange', channel: { id: 'probe-c-2', state: 'Up' } })
  await probe.fact('leg_up', { leg: 'probe-c-2' })
  assert.equal(probe.all('leg_ringing').length, 0, 'told in the comparison')
  fake.tell({ type: 'ChannelStateChange', channel: { id: 'probe-c-3', state: 'Ringing' } })
  await probe.fact('leg_ringing', { leg: 'probe-c-3' })
  await probe.ok('mix_add', { mix: 'probe-m-1', leg: 'probe-c-1' })
  await probe.ok('mix_add', { mix: 'probe-m-1', leg: 'probe-i-1.1' })
  await until('who is not there is added', () => sent('POST bridges/probe-m-1/addChannel').length === 1)
  await probe.ok('leg_hangup', { leg: 'probe-i-1.1' })
  await until('hung up by its own name', () => sent('DELETE channels/1.1').length === 1)
  fake.tell({ type: 'ChannelDestroyed', cause: 16, channel: { id: '1.1' } })
  await probe.fact('leg_ended', { leg: 'probe-i-1.1' })
  fake.channels = fake.channels.filter(({ id }) => id !== '1.1')
  await probe.ok('resync')
  await until('compared', () => probe.all('sync_end').length === 2)
  await overtake()
  assert.equal(probe.all('leg_offered').length, 1, 'offered once')
})

test('driver.ari.a_far_end_that_hangs_up_without_a_request', async () => {
  for (const [leg, cause, isOurs, by] of [['l1', 16, false, 'them'], ['l2', 38, false, 'unknown'], ['l3', 16, true, 'us']]) {
    if (!probe) await up()
    await probe.ok('leg_make', { leg, number: '+1555' })
    fake.stasisStart(leg)
    await until('dialed', () => sent(`POST channels/${leg}/dial`).length === 1)
    fake.tell({ type: 'ChannelStateChange', channel: { id: leg, state: 'Up' } })
    await probe.fact('leg_up', { leg })
    if (isOurs) await probe.ok('leg_hangup', { leg })
    fake.tell({ type: 'StasisEnd', channel: { id: leg } })
    fake.tell({ type: 'ChannelDestroyed', cause, channel: { id: leg } })
    assert.equal((await probe.fact('leg_ended', { leg })).by, by, leg)
  }
})

test('driver.ari.an_old_list_does_not_bring_back_the_dead', async () => {
  await up()
  await probe.ok('leg_make', { leg: 'l', number: '+1555' })
  fake.stasisStart('l')
  await until('dialed', () => sent('POST channels/l/dial').length === 1)
  // The end of l is told before the answer that still lists it.
  fake.isSilent = true
  await probe.ok('resync')
  await until('asked', () => sent('GET channels').length === 2)
  fake.tell({ type: 'ChannelDestroyed', cause: 16, channel: { id: 'l' } })
  await probe.fact('leg_ended', { leg: 'l' })
  const stale = [{ id: 'l', state: 'Up', dialplan: { app_name: 'Stasis', app_data: 'calltab,out,' } }]
  const first = fake.requests.lastIndexOf('GET channels') + 1
  for (const [i, body] of [stale, [], []].entries())
    fake.tell({ type: 'RESTResponse', request_id: String(first + i), status_code: 200, message_body: JSON.stringify(body) })
  await until('compared', () => probe.all('sync_end').length === 2)
  assert.deepEqual(probe.all('leg_seen'), [])
})

test('driver.ari.a_full_queue_is_told', async () => {
  await up()
  fake.isSilent = true
  const answers = await Promise.all(Array.from({ length: 4200 }, (_, i) => probe.op('mix_make', { mix: `m${i}` })))
  assert.equal(answers[0].status, 'ok')
  assert.equal(answers.at(-1).status, 'busy')
})
