/* A checker that cannot fail is worthless: every rule is shown logs of a day on which all went well, and finds nothing, and
 * the same with one thing wrong, and finds that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { record } from '../support/results.mjs'
import { check, RULES } from './checker.mjs'

const T0 = Date.parse('2026-11-22T10:00:00.000Z')
const at = (ms) => new Date(T0 + ms)
const OPTIONS = { node: 'lab', isQuiet: true, needsOutcome: true, foreign: ['theirs'], wrapMs: 60, isStaffed: true }

/* One call as rows: [[event, ms from the beginning, duration]]. */
function story(callId, phone, start, steps, extra = {}) {
  return steps.map(([event_name, from, duration_ms], i) => ({
    dialer_call_event_id: `${callId}-${i}`, dialer_call_id: `d-${callId}`, call_id: callId, event_name, phone_number: phone, created_on: at(start + from),
    duration_ms: duration_ms === null ? null : String(duration_ms), actor: 'agent', reason: 'why', cause: 0, ...extra,
  }))
}

/* What a client saw of it: from a number on, one event for each state. */
function seen(client, agent, callId, firstSeq, states, more = {}) {
  return states.map((state, i) => ({
    kind: 'event', method: 'state', client, agent, tab: 1, epoch: 7, seq: firstSeq + i,
    call: { callId, state, version: i + 1, actor: 'agent', reason: 'why', cause: null }, ...more,
  }))
}

const line = (ms, kind, channel, party, more = {}) => ({ kind, at: T0 + ms, epoch: 1, channel, party, ...more })
const originate = (ms, channel, party) => line(ms, 'effect', channel, party, { effect: 'originate', isTrunk: true })
const attach = (client, agent, seq, more = {}) => ({ kind: 'attach', client, agent, tab: 1, epoch: 7, seq, resumed: false, from: null, call: null, ...more })
const agent = (client, login, state) => ({ kind: 'agent', client, agent: login, tab: 1, state, nextState: state })
const sent = (client, agent, id, method, params = {}) => ({ kind: 'sent', client, agent, tab: 1, id, method, params })
const answer = (client, agent, id, result, error) => ({ kind: 'answer', client, agent, tab: 1, id, result, error })

/* A call that was talked and held, one that was busy, one that came in, a channel of somebody else. */
function goodDay() {
  return {
    ledger: [
      line(0, 'inbound', 'theirs', '555'),
      originate(5, 'lab-c-a', '+1001'), line(8, 'ring', 'lab-c-a', '+1001'), line(20, 'answer', 'lab-c-a', '+1001', { by: 'far' }),
      line(100, 'hangup', 'lab-c-a', '+1001', { by: 'far', cause: 16 }),
      originate(200, 'lab-c-b', '+1486'), line(210, 'hangup', 'lab-c-b', '+1486', { by: 'far', cause: 17 }),
      line(300, 'inbound', '9.1', '+1777'), line(301, 'ring_asked', '9.1', '+1777'), line(310, 'answer', '9.1', '+1777', { by: 'us' }), line(350, 'hangup', '9.1', '+1777', { by: 'far' }),
    ],
    tabs: [
      attach('w1', '2001', 0), attach('w2', '2002', 0),
      sent('w1', '2001', 'c1', 'dial', { number: '+1001' }), answer('w1', '2001', 'c1', { callId: 'a' }), answer('w1', '2001', 'c1', { callId: 'a' }),
      ...seen('w1', '2001', 'a', 1, ['ringing', 'talk', 'idle', 'end']),
      sent('w1', '2001', 'c2', 'dial', { number: '+1486' }), answer('w1', '2001', 'c2', { callId: 'b' }),
      { kind: 'closed', client: 'w1', agent: '2001', tab: 1, code: 1006 },
      attach('w1', '2001', 7, { resumed: true, from: { epoch: 7, seq: 4 } }),
      ...seen('w1', '2001', 'b', 5, ['ringing', 'idle', 'end']),
      ...seen('w2', '2002', 'c', 1, ['incoming', 'talk', 'idle', 'end']),
    ],
    rows: {
      calls: [['a', '+1001', true, 0], ['b', '+1486', false, 1], ['c', '+1777', true, 0]].map(([id, phone_number, did_connect, busies]) => ({ dialer_call_id: `d-${id}`, phone_number, did_connect, busies })),
      events: [
        ...story('a', '+1001', 5, [['ring', 0, 15], ['talk', 15, 40], ['hold', 55, 40], ['idle', 95, 50], ['end', 145, 0]]),
        ...story('b', '+1486', 200, [['ring', 0, 10], ['busy', 10, 0], ['idle', 10, 20], ['end', 30, 0]]),
        ...story('c', '+1777', 301, [['queue', 0, 1], ['incoming', 1, 10], ['talk', 11, 40], ['idle', 51, 9], ['end', 60, 0]]),
      ],
      results: [['a', 'Sale'], ['b', 'Busy'], ['c', 'Sale']].map(([call_id, result]) => ({ call_id, result })),
    },
    live: [{ id: 'theirs', party: '555', state: 'Up' }],
  }
}

const row = (logs, callId, name) => logs.rows.events.find((each) => each.call_id === callId && each.event_name === name)
const without = (list, matches) => list.filter((each) => !matches(each))
const event = (logs, client, seq) => logs.tabs.find((each) => each.kind === 'event' && each.client === client && each.seq === seq)

/* {rule: {what went wrong: change the logs}} */
const PLANTS = {
  effect_belongs: {
    'somebody is called for whom there is no call': (logs) => logs.ledger.push(originate(900, 'lab-c-ghost', '+1001')),
    'a transfer target nobody named': (logs) => logs.ledger.push(originate(900, 'lab-t-1', '+1999')),
  },
  effect_once: {
    'a repeated command dials again': (logs) => logs.ledger.push(originate(900, 'lab-c-a2', '+1001')),
    'a leg id is used a second time': (logs) => {
      logs.ledger.push(originate(900, 'lab-c-a', '+1001'))
      logs.tabs.push(sent('w1', '2001', 'c9', 'dial', { number: '+1001' }))
    },
  },
  digits_once: {
    'the same digits twice': (logs) => {
      const digits = line(50, 'effect', 'lab-c-a', '+1001', { effect: 'digits', digits: '1234' })
      logs.tabs.push(sent('w1', '2001', 'c5', 'sendDTMF', { digits: '1234' }))
      logs.ledger.push(digits, { ...digits, at: T0 + 60 })
    },
    'digits of nobody': (logs) => logs.ledger.push(line(50, 'effect', 'lab-c-a', '+1001', { effect: 'digits', digits: '1234' })),
  },
  caller_is_offered: {
    'he waits although somebody is ready': (logs) => (logs.rows.events = without(logs.rows.events, ({ call_id: id, event_name: name }) => id === 'c' && ['incoming', 'talk'].includes(name))),
  },
  call_is_stored: {
    'the row of a dialed call is missing': (logs) => (logs.rows.events = without(logs.rows.events, ({ call_id: id }) => id === 'b')),
    'a dialer call is missing': (logs) => (logs.rows.calls = without(logs.rows.calls, ({ dialer_call_id: id }) => id === 'd-a')),
    'a caller is stored twice': (logs) => logs.rows.calls.push({ dialer_call_id: 'd-c2', phone_number: '+1777', did_connect: false, busies: 0 }),
    'a caller is not stored': (logs) => (logs.rows.calls = without(logs.rows.calls, ({ phone_number: number }) => number === '+1777')),
  },
  talk_is_real: {
    'talk without an answer': (logs) => (logs.ledger = without(logs.ledger, ({ kind, channel }) => kind === 'answer' && channel === 'lab-c-a')),
    'talk before the answer': (logs) => (logs.ledger.find(({ kind, channel }) => kind === 'answer' && channel === 'lab-c-a').at += 50),
  },
  end_is_noticed: {
    'a call goes on although nobody is there': (logs) => (logs.rows.events = without(logs.rows.events, ({ call_id: id, event_name: name }) => id === 'a' && ['idle', 'end'].includes(name))),
    'its end is noticed much later': (logs) => (row(logs, 'a', 'idle').created_on = at(9000)),
  },
  nothing_is_left: {
    'a far leg is still up': (logs) => logs.live.push({ id: 'lab-c-a', party: '+1001', state: 'Up' }),
    'a caller hangs in the line': (logs) => logs.live.push({ id: '9.1', party: '+1777', state: 'Up', isInbound: true }),
  },
  foreign_is_untouched: {
    'a channel of somebody else is hung up': (logs) => logs.ledger.push(line(900, 'hangup_asked', 'theirs', '555')),
  },
  story_is_possible: {
    'talk without ring': (logs) => (logs.rows.events = without(logs.rows.events, (each) => each === row(logs, 'a', 'ring'))),
    'something after the end': (logs) => logs.rows.events.push(...story('a', '+1001', 200, [['talk', 0, 1]])),
  },
  durations_add_up: {
    'a second is missing': (logs) => (row(logs, 'a', 'talk').duration_ms = '39000'),
    'a duration was never filled': (logs) => (row(logs, 'a', 'talk').duration_ms = null),
  },
  rows_are_single: {
    'a fact without length has one': (logs) => (row(logs, 'b', 'busy').duration_ms = '5'),
    'a row twice': (logs) => logs.rows.events.push({ ...row(logs, 'b', 'end'), dialer_call_event_id: 'other' }),
  },
  ends_once: {
    'no end': (logs) => (logs.rows.events = without(logs.rows.events, (each) => each === row(logs, 'b', 'end'))),
    'two ends': (logs) => logs.rows.events.push(...story('b', '+1486', 500, [['idle', 0, 0], ['end', 0, 0]])),
  },
  nothing_is_stuck: {
    'it rang for two minutes': (logs) => (row(logs, 'a', 'ring').duration_ms = '120000'),
    'wrap goes on for ever': (logs) => (row(logs, 'c', 'idle').duration_ms = null),
  },
  wrap_is_kept: {
    'its time begins anew': (logs) => (row(logs, 'b', 'idle').duration_ms = '3000'),
  },
  one_result: {
    'the outcome is stored twice': (logs) => logs.rows.results.push({ call_id: 'a', result: 'Sale' }),
    'an outcome of no call': (logs) => logs.rows.results.push({ call_id: 'ghost', result: 'Sale' }),
    'no outcome': (logs) => (logs.rows.results = without(logs.rows.results, ({ call_id: id }) => id === 'a')),
  },
  counters_are_right: {
    'connected, it says, and nobody talked': (logs) => (logs.rows.calls[1].did_connect = true),
    'a busy counted twice': (logs) => (logs.rows.calls[1].busies = 2),
  },
  stream_is_dense: {
    'an event is skipped': (logs) => (logs.tabs = without(logs.tabs, (each) => each === event(logs, 'w2', 2))),
    'an event comes twice': (logs) => logs.tabs.push(event(logs, 'w2', 4)),
    'two change places': (logs) => {
      const [a, b] = [event(logs, 'w2', 2), event(logs, 'w2', 3)].map((each) => logs.tabs.indexOf(each))
      ;[logs.tabs[a], logs.tabs[b]] = [logs.tabs[b], logs.tabs[a]]
    },
    'an event is lost at a resume': (logs) => (logs.tabs = without(logs.tabs, (each) => each === event(logs, 'w1', 5))),
    'the epoch changes without a word': (logs) => (event(logs, 'w2', 3).epoch = 8),
  },
  nothing_is_unsaid: {
    'after a restart there is less than was seen': (logs) => logs.tabs.push(attach('w2', '2002', 3, { from: { epoch: 7, seq: 4 } })),
  },
  resume_is_whole: {
    'what was promised never comes': (logs) => (logs.tabs = without(logs.tabs, (each) => each === event(logs, 'w1', 7))),
  },
  number_means_one_event: {
    'a number is used again after a restart': (logs) => logs.tabs.push(attach('w3', '2002', 1), ...seen('w3', '2002', 'z', 2, ['ringing'])),
  },
  seen_is_stored: {
    'a tab saw what no row says': (logs) => (logs.rows.events = without(logs.rows.events, (each) => ['talk', 'hold'].includes(each.event_name) && each.call_id === 'a')),
    'in another order': (logs) => {
      event(logs, 'w1', 1).call.state = 'talk'
      event(logs, 'w1', 2).call.state = 'ringing'
    },
  },
  stored_is_seen: {
    'a row that nobody was told of': (logs) => {
      logs.tabs = without(logs.tabs, (each) => each === event(logs, 'w2', 4))
    },
  },
  same_words: {
    'the row blames another one': (logs) => (row(logs, 'a', 'idle').actor = 'switch'),
    'the cause differs': (logs) => (row(logs, 'b', 'idle').cause = 17),
  },
  same_answer: {
    'the same id makes another call': (logs) => logs.tabs.push(answer('w1', '2001', 'c1', { callId: 'b' })),
    'first yes, then no': (logs) => logs.tabs.push(answer('w1', '2001', 'c2', undefined, { number: -32010, code: 'call.live' })),
  },
  release_is_sure: {
    'nobody knows whether it was released': (logs) => logs.tabs.push(sent('w1', '2001', 'c8', 'release'), answer('w1', '2001', 'c8', undefined, { number: -32603, code: 'command.unknown' })),
  },
  agent_is_kept: {
    'ready, and then as if he had just come': (logs) => logs.tabs.push(agent('w1', '2001', 'Ready'), agent('w1', '2001', 'LoggedIn')),
  },
  answer_is_kept: {
    'a call that was promised is nowhere': (logs) => logs.tabs.push(sent('w1', '2001', 'c7', 'dial', { number: '+1007' }), answer('w1', '2001', 'c7', { callId: 'gone' })),
    'talked, and never dialed': (logs) => (logs.ledger = without(logs.ledger, ({ channel }) => channel === 'lab-c-a')),
  },
}

test('a good day has nothing wrong', () => {
  assert.deepEqual(check(goodDay(), OPTIONS), [])
})

test('nothing is demanded of the end before it is there', () => {
  const logs = goodDay()
  logs.rows.events = without(logs.rows.events, (each) => each === row(logs, 'c', 'end'))
  logs.tabs = without(logs.tabs, (each) => each === event(logs, 'w2', 4))
  logs.live.push({ id: 'lab-c-a', party: '+1001', state: 'Up' })
  assert.deepEqual(check(logs, { ...OPTIONS, isQuiet: false }), [])
})

test('"not now" may be answered differently later', () => {
  const logs = goodDay()
  logs.tabs.splice(2, 0, answer('w1', '2001', 'c1', undefined, { number: -32012, code: 'storage.away' }))
  assert.deepEqual(check(logs, OPTIONS), [])
})

test('every rule has something planted', () => {
  assert.deepEqual(Object.keys(PLANTS).sort(), Object.keys(RULES).sort())
})

let caught = 0
const all = Object.entries(PLANTS).flatMap(([rule, plants]) => Object.entries(plants).map(([what, plant]) => ({ rule, what, plant })))
for (const { rule, what, plant } of all) {
  test(`${rule} sees: ${what}`, () => {
    const logs = goodDay()
    plant(logs)
    const rules = check(logs, OPTIONS).map((finding) => finding.rule)
    assert.ok(rules.includes(rule), `found: ${rules.join(' ') || 'nothing'}`)
    caught++
  })
}

test('all that was planted is caught', () => {
  record({ test: 'checker.synthetic', n: all.length, figure: caught, unit: 'violations', target: all.length, pass: caught === all.length })
  assert.equal(caught, all.length)
})
