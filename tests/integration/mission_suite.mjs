/* The rows of the mission, in its words, on a world (tests/support/world.mjs): M1-M17, M19-M22, M25-M27, M30.
 * Each row is one test `call.<world>.Mn` and one figure on record. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import pg from 'pg'
import { createCallTab } from '../../web/lib/index.js'
import { PROMPT_HZ, toneWav } from '../support/asterisk.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

const CONTRACT_NAMES = [
  'RegisterForEvents', 'parseEventArgs', 'GetCallDetails', 'dial', 'holdresume', 'transferBlind', 'transferConsult', 'transferComplete',
  'conference', 'answer', 'release', 'agentReady', 'agentNotReady', 'playWaveFile', 'sendDTMF',
]
const PROPERTIES = [
  'state', 'stateTime', 'type', 'id', 'direction', 'phone', 'outcome', 'fromType', 'fromId', 'toType', 'toId', 'dtCallId', 'isCallback',
  'retryDatetime', 'dnis', 'queueDn', 'agentId', 'extension',
]
const DATETIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const WRAP_S = 2
const PREVIEW_S = 2
const RING_S = 3

export function missionSuite(name) {
  let world, session, db, key, admin
  let serial = 0
  const tabs = new Map()

  /* Numbers are used once: the last three digits are the far end's behaviour. */
  const number = (ending = '100') => `+1555${String(++serial).padStart(4, '0')}${ending}`

  async function openTab(tab, signedIn = session) {
    const made = { ...createCallTab() }
    const origin = world.gateway.url
    class Socket extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { origin, perMessageDeflate: false })
      }
    }
    made.events = []
    made.CallTab.on('state', (call) => made.events.push(structuredClone(call)))
    await made.CallTab.connect({ url: world.gateway.socketUrl, getTicket: () => world.gateway.ticket(signedIn), tab, WebSocket: Socket })
    made.state = (state, ms = 8000) => until(`tab ${tab} is ${state} (${made.DynamicsTelephony.GetCallDetails()?.state})`, () => made.DynamicsTelephony.GetCallDetails()?.state === state && made.DynamicsTelephony.GetCallDetails(), ms)
    made.told = (what, matches, ms = 8000) => until(what, () => made.DynamicsTelephony.GetCallDetails() && matches(made.DynamicsTelephony.GetCallDetails()) && made.DynamicsTelephony.GetCallDetails(), ms)
    tabs.set(made, tab)
    return made
  }

  const get = (path) => world.gateway.requestOk('GET', path, { token: key })
  const present = (json) => world.gateway.requestOk('POST', '/api/v1/present', { token: key, json: { agent: '1001', tab: 1, ...json } })
  const at = async (party) => (await world.outside.parties())[party] ?? { hears: '', digits: '' }
  const hears = (party, whom) => world.hear({ [party]: whom }, { only: false })

  const rows = async (sql, ...params) => {
    await until('the tables have what was told', async () => (await world.gateway.request('GET', '/readyz')).body.journal.behind === 0)
    return (await db.query(sql, params)).rows
  }
  const callRow = async (id) => (await rows('select * from dialer_calls where dialer_call_id = $1', id))[0]
  const eventRows = (id) => rows('select * from dialer_call_events where dialer_call_id = $1 order by created_on, dialer_call_event_id', id)
  const resultRows = (id) => rows('select * from dialer_call_results where dialer_call_id = $1 order by created_on, dialer_call_result_id', id)

  /* The tone by which a world of telephones knows a prompt, at a rate that has to be converted. */
  const putSound = (sound, seconds) =>
    world.gateway.requestOk('PUT', `/api/v1/sounds/${sound}`, { token: admin, body: toneWav(PROMPT_HZ, seconds, 44100), headers: { 'content-type': 'audio/wav' } })

  async function talk(made, to = number()) {
    await made.DynamicsTelephony.dial(to)
    await made.state('talk')
    return to
  }

  /* Whatever a row left behind goes: calls released, wraps ended, tabs closed. */
  async function tidy() {
    for (const [made, tab] of tabs) {
      await until(`tab ${tab} is at rest`, async () => {
        const call = made.DynamicsTelephony.GetCallDetails()
        if (!call || call.state === 'end') return true
        const step = call.can.includes('release') ? () => made.DynamicsTelephony.release() : () => made.CallTab.endWrap()
        await step().catch(() => {})
        return false
      }, 10_000)
      made.CallTab.disconnect()
    }
    tabs.clear()
    await until('nothing is left at the switch', async () => Object.keys(await world.outside.parties()).length === 0, 8000)
  }

  function row(id, words, run) {
    test(`call.${name}.${id} ${words}`, async () => {
      let pass = false
      try {
        await run()
        await tidy()
        pass = true
      } finally {
        if (!pass) await tidy().catch(() => {})
        record({ test: `call.${name}.${id}`, n: 1, figure: pass ? 1 : 0, unit: 'rows', target: 1, pass })
      }
    })
  }

  before(async () => {
    world = await createWorld(name, { config: { wrap_s: WRAP_S, preview_s: PREVIEW_S, ring_s: RING_S, offer_s: RING_S } })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    key = (await world.gateway.program(['key', 'create', 'crm', '--scopes', 'calls.read,dial'])).trim()
    admin = (await world.gateway.program(['key', 'create', 'sounds', '--scopes', 'admin'])).trim()
    session = await world.gateway.signIn('1001')
    db = new pg.Client({ connectionString: world.gateway.database.ownerUrl ?? world.gateway.database.url })
    await db.connect()
  })

  after(async () => {
    for (const made of tabs.keys()) made.CallTab.disconnect()
    await db?.end()
    await world?.stop()
  })

  row('M1', 'the client object has exactly the 15 names', async () => {
    const { DynamicsTelephony } = createCallTab()
    assert.deepEqual(Object.keys(DynamicsTelephony).sort(), [...CONTRACT_NAMES].sort())
  })

  row('M2', 'each later state change calls fn once, in order; late handlers get the present state; a throwing one stops no other', async () => {
    const one = await openTab(1)
    const two = await openTab(2)
    const [first, second, late, other] = [[], [], [], []]
    const state = (list) => (event) => list.push(one.DynamicsTelephony.parseEventArgs(event).state)
    one.DynamicsTelephony.RegisterForEvents(() => {
      throw new Error('on purpose')
    })
    one.DynamicsTelephony.RegisterForEvents(state(first))
    one.DynamicsTelephony.RegisterForEvents(state(second))
    two.DynamicsTelephony.RegisterForEvents(state(other))
    first.length = second.length = other.length = 0 // the state of an earlier call is told at registering
    await talk(one)
    one.DynamicsTelephony.RegisterForEvents(state(late))
    await until('the late handler got the present state', () => late.length === 1)
    await one.DynamicsTelephony.release()
    await one.CallTab.endWrap()
    await one.state('end')
    assert.deepEqual(first, ['ringing', 'talk', 'idle', 'end'])
    assert.deepEqual(second, first)
    assert.deepEqual(late, ['talk', 'idle', 'end'])
    assert.deepEqual(other, [])
  })

  row('M3', 'parseEventArgs gives all 18 properties in three forms and equals GetCallDetails', async () => {
    const one = await openTab(1)
    const seen = []
    one.DynamicsTelephony.RegisterForEvents((event) => {
      const parsed = one.DynamicsTelephony.parseEventArgs(event)
      seen.push(parsed)
      assert.deepEqual(one.DynamicsTelephony.parseEventArgs(event.dtEventArgs), parsed)
      assert.deepEqual(one.DynamicsTelephony.parseEventArgs(String(event.dtEventArgs)), parsed)
      assert.deepEqual(one.DynamicsTelephony.GetCallDetails(), parsed)
    })
    seen.length = 0
    await talk(one)
    await until('events came', () => seen.length >= 2)
    for (const parsed of seen) for (const property of PROPERTIES) assert.ok(property in parsed, `${property} is missing`)
  })

  row('M4', 'formats of stateTime, retryDatetime, type, direction, isCallback', async () => {
    const one = await openTab(1)
    await talk(one)
    await one.DynamicsTelephony.release()
    await one.state('idle')
    await one.CallTab.scheduleCallback(new Date(Date.now() + 3_600_000).toISOString())
    const call = await one.told('a retry time', (c) => c.retryDatetime)
    assert.match(call.stateTime, DATETIME)
    assert.match(call.retryDatetime, DATETIME)
    assert.equal(call.type, 'phonecall')
    assert.ok(['inbound', 'outbound', 'clicktocall', 'transfer', 'ccOutbound'].includes(call.direction))
    assert.equal(typeof call.isCallback, 'boolean')
  })

  row('M5', 'after end GetCallDetails still returns that call until the next one starts', async () => {
    const one = await openTab(1)
    await talk(one)
    await one.DynamicsTelephony.release()
    await one.CallTab.endWrap()
    const ended = await one.state('end')
    const again = await openTab(1)
    assert.equal(again.DynamicsTelephony.GetCallDetails().callId, ended.callId)
    await one.DynamicsTelephony.dial(number())
    const next = await one.state('ringing')
    assert.notEqual(next.callId, ended.callId)
  })

  row('M6', 'dial on a free tab: ringing, then talk when answered', async () => {
    const one = await openTab(1)
    one.events.length = 0
    const to = number()
    await one.DynamicsTelephony.dial(to)
    await one.state('talk')
    assert.deepEqual(one.events.map((call) => call.state), ['ringing', 'talk'])
    await hears('1001', to)
    await hears(to, '1001')
  })

  row('M7', 'holdresume holds an active call, resumes a held one, is refused where there is none', async () => {
    const one = await openTab(1)
    await assert.rejects(one.DynamicsTelephony.holdresume(), { code: 'call.not_active' })
    const to = await talk(one)
    await one.DynamicsTelephony.holdresume()
    await one.told('held', (call) => call.held && call.state === 'talk')
    await hears(to, 'music')
    await hears('1001', '')
    await one.DynamicsTelephony.holdresume()
    await one.told('resumed', (call) => !call.held)
    await hears(to, '1001')
    await hears('1001', to)
  })

  row('M8', 'transferBlind: the tab goes idle, the other party is connected to the number', async () => {
    const one = await openTab(1)
    const to = await talk(one)
    const target = number()
    await one.DynamicsTelephony.transferBlind(target)
    await one.state('idle')
    await hears(to, target)
    await hears(target, to)
    await world.outside.hangup(to)
  })

  row('M9', 'transferConsult, transferComplete: only with this tab active and the other held', async () => {
    const one = await openTab(1)
    const to = await talk(one)
    const target = number()
    const { tab } = await one.DynamicsTelephony.transferConsult(target)
    assert.notEqual(tab, 1)
    const two = await openTab(tab)
    await two.state('talk')
    assert.equal(two.DynamicsTelephony.GetCallDetails().direction, 'transfer')
    await hears(to, 'music')
    await hears('1001', target)
    await assert.rejects(one.DynamicsTelephony.transferComplete(tab), { code: 'tab.not_active', message: 'transferComplete needs this tab active: it is held' })
    await two.DynamicsTelephony.transferComplete(1)
    await one.state('idle')
    await two.state('idle')
    await hears(to, target)
    await hears(target, to)
    await world.outside.hangup(to)
  })

  row('M10', 'conference: three hear each other; the agent leaves and the two stay', async () => {
    const one = await openTab(1)
    const to = await talk(one)
    const target = number()
    const { tab } = await one.DynamicsTelephony.transferConsult(target)
    const two = await openTab(tab)
    await two.state('talk')
    await two.DynamicsTelephony.conference(1)
    const both = (a, b) => [a, b].sort().join('+')
    await hears('1001', both(to, target))
    await hears(to, both('1001', target))
    await hears(target, both('1001', to))
    await two.CallTab.leave()
    await one.state('idle')
    await two.state('idle')
    await hears(to, target)
    await hears(target, to)
    await world.outside.hangup(to)
  })

  row('M11', 'answer on incoming gives talk; release gives idle, refused where nothing is to release', async () => {
    const one = await openTab(1)
    await assert.rejects(one.DynamicsTelephony.release(), { code: 'call.nothing_to_release' })
    await assert.rejects(one.DynamicsTelephony.answer(), { code: 'call.not_incoming' })
    await one.DynamicsTelephony.agentReady()
    const from = number()
    await world.outside.call(from, '5000', { name: 'Clara Customer' })
    const incoming = await one.state('incoming')
    assert.equal(incoming.direction, 'inbound')
    assert.equal(incoming.phone, from)
    assert.equal(incoming.dnis, '5000')
    await one.DynamicsTelephony.answer()
    await one.state('talk')
    await hears(from, '1001')
    await hears('1001', from)
    await one.DynamicsTelephony.release()
    await one.state('idle')
    await one.CallTab.endWrap()
    const second = number()
    await world.outside.call(second, '5000')
    await one.state('incoming')
    await one.DynamicsTelephony.release()
    assert.equal((await one.state('idle')).outcome, 'Deflect')
    await world.outside.hangup(second)
    await one.DynamicsTelephony.agentNotReady()
    await one.CallTab.endWrap()
    await one.DynamicsTelephony.dial(number('408'))
    await one.state('ringing')
    await one.DynamicsTelephony.release()
    await one.state('idle')
    await one.CallTab.endWrap()
    await present({ number: number() })
    await one.state('preview')
    await one.DynamicsTelephony.release()
    assert.equal((await one.state('idle')).outcome, 'Reject')
  })

  row('M12', 'agentReady, agentNotReady: over HTTP within a second, pushed to all tabs', async () => {
    const one = await openTab(1)
    const two = await openTab(2)
    for (const [method, state] of [['agentReady', 'Ready'], ['agentNotReady', 'NotReady']]) {
      await one.DynamicsTelephony[method]()
      await until(`${state} over HTTP`, async () => (await get('/odata/v4/agents')).value.find((agent) => agent.extension === '1001').state === state, 1000)
      for (const made of [one, two]) await until(`${state} on the tab`, () => made.CallTab.agent.state === state, 1000)
    }
  })

  row('M13', 'playWaveFile plays f into the call and the far leg hears it; an unknown or path-escaping name is refused', async () => {
    const one = await openTab(1)
    await assert.rejects(one.DynamicsTelephony.playWaveFile('prompt'), { code: 'call.not_active' })
    const to = await talk(one)
    for (const name of ['../prompt', '/etc/passwd', 'prompt.wav', 'a/b', 'tone:busy', 'http://127.0.0.1/x', '']) {
      await assert.rejects(one.DynamicsTelephony.playWaveFile(name), (error) => (assert.match(error.code, /^(sound\.invalid|json\.missing)$/), true))
    }
    await assert.rejects(one.DynamicsTelephony.playWaveFile('prompt'), { code: 'sound.not_found' })
    await hears(to, '1001')
    await putSound('prompt', 4)
    await one.DynamicsTelephony.playWaveFile('prompt')
    const both = (a, b) => [a, b].sort().join('+')
    await Promise.all([hears(to, both('1001', 'prompt')), hears('1001', both(to, 'prompt'))])
    await Promise.all([hears(to, '1001'), hears('1001', to)])
    await one.CallTab.playWaveFile('prompt', 'customer')
    await Promise.all([hears(to, both('1001', 'prompt')), hears('1001', '')])
    await Promise.all([hears(to, '1001'), hears('1001', to)])
    await one.DynamicsTelephony.playWaveFile('prompt')
    await hears(to, both('1001', 'prompt'))
    await one.DynamicsTelephony.holdresume()
    await hears(to, 'music')
    await one.DynamicsTelephony.holdresume()
    await hears(to, '1001')
    await world.gateway.requestOk('DELETE', '/api/v1/sounds/prompt', { token: admin })
    await assert.rejects(one.DynamicsTelephony.playWaveFile('prompt'), { code: 'sound.not_found' })
  })

  row('M14', 'sendDTMF sends the four tones in order; any other character is refused and nothing is sent', async () => {
    const one = await openTab(1)
    const to = await talk(one)
    await one.DynamicsTelephony.sendDTMF('12*#')
    await until('the digits arrived', async () => (await at(to)).digits === '12*#', 8000)
    await assert.rejects(one.DynamicsTelephony.sendDTMF('1x'), { code: 'digits.invalid' })
    assert.equal((await at(to)).digits, '12*#')
  })

  row('M15', 'exactly six states, stateTime never goes backwards', async () => {
    const one = await openTab(1)
    one.events.length = 0
    await present({ number: number() })
    await one.state('preview')
    await one.DynamicsTelephony.dial('')
    await one.state('talk')
    await one.DynamicsTelephony.holdresume()
    await one.DynamicsTelephony.holdresume()
    await one.DynamicsTelephony.release()
    await one.state('idle')
    await one.CallTab.endWrap()
    await one.state('end')
    await one.DynamicsTelephony.agentReady()
    const caller = number()
    await world.outside.call(caller, '5000')
    await one.state('incoming')
    await one.DynamicsTelephony.agentNotReady()
    await one.state('idle')
    await world.outside.hangup(caller)
    const states = new Set(one.events.map((call) => call.state))
    assert.deepEqual([...states].sort(), ['end', 'idle', 'incoming', 'preview', 'ringing', 'talk'])
    const times = one.events.map((call) => call.stateTime)
    assert.deepEqual(times, [...times].sort())
  })

  row('M16', 'preview starts a timer; at expiry the number is dialed; dial before expiry stops it', async () => {
    const one = await openTab(1)
    await present({ number: number() })
    const preview = await one.state('preview')
    const left = Date.parse(preview.previewUntil) - Date.now()
    assert.ok(left > 0 && left <= PREVIEW_S * 1000, `${left} ms are left`)
    await one.state('talk', PREVIEW_S * 1000 + 6000)
    await one.DynamicsTelephony.release()
    await one.CallTab.endWrap()
    await one.state('end')
    one.events.length = 0
    await present({ number: number() })
    await one.state('preview')
    await one.DynamicsTelephony.dial('')
    const ringing = await one.state('ringing')
    assert.equal(ringing.previewUntil, null)
    await one.state('talk')
    await until('the preview would be over', () => Date.now() > Date.parse(preview.previewUntil) + 500, PREVIEW_S * 1000 + 5000)
    assert.deepEqual(one.events.map((call) => call.state), ['preview', 'ringing', 'talk'])
  })

  row('M17', 'idle starts the wrap timer; end at expiry or by hand; never end before idle', async () => {
    const one = await openTab(1)
    one.events.length = 0
    await talk(one)
    await one.DynamicsTelephony.release()
    const idle = await one.state('idle')
    const left = Date.parse(idle.wrapUntil) - Date.now()
    assert.ok(left > 0 && left <= WRAP_S * 1000, `${left} ms are left`)
    await one.CallTab.setOutcome('Sale')
    await one.state('end', WRAP_S * 1000 + 5000)
    assert.ok(Date.now() >= Date.parse(idle.wrapUntil))
    await talk(one)
    await world.outside.hangup(one.DynamicsTelephony.GetCallDetails().phone)
    assert.equal((await one.state('idle')).endedBy, 'customer')
    await one.CallTab.endWrap()
    await one.state('end')
    assert.deepEqual(one.events.map((call) => call.state), ['ringing', 'talk', 'idle', 'end', 'ringing', 'talk', 'idle', 'end'])
  })

  row('M19', 'the event payload equals the call details in every state', async () => {
    const one = await openTab(1)
    let seen = 0
    const hadCall = one.DynamicsTelephony.GetCallDetails()
    one.DynamicsTelephony.RegisterForEvents((event) => {
      seen++
      assert.deepEqual(one.DynamicsTelephony.parseEventArgs(event), one.DynamicsTelephony.GetCallDetails())
    })
    if (hadCall) await until('the late handler got the present state', () => seen === 1)
    seen = 0
    const failures = []
    one.CallTab.on('error', (error) => failures.push(error))
    await talk(one)
    await one.DynamicsTelephony.release()
    await one.CallTab.endWrap()
    await one.state('end')
    assert.equal(seen, 4)
    assert.deepEqual(failures, [])
  })

  /* Presents (again), lets it ring, and waits for the end of the attempt. */
  async function attempt(one, body, state, outcome) {
    const { dialerCallId } = await present(body)
    await one.state('preview')
    await one.DynamicsTelephony.dial('')
    await one.state(state, RING_S * 1000 + 6000)
    if (state === 'talk') await one.DynamicsTelephony.release()
    await one.state('idle')
    if (outcome) await one.CallTab.setOutcome(outcome)
    await one.CallTab.endWrap()
    await one.state('end')
    return dialerCallId
  }

  row('M20', 'one dialerCall row for its lifetime: three attempts, one row, calls = 3', async () => {
    const one = await openTab(1)
    const to = number()
    const id = await attempt(one, { number: to, subject: 'Spring' }, 'talk', 'Call back')
    for (let i = 0; i < 2; i++) assert.equal(await attempt(one, { dialerCallId: id }, 'talk', 'Call back'), id)
    const found = await rows('select * from dialer_calls where phone_number = $1', to)
    assert.equal(found.length, 1)
    assert.equal(found[0].calls, 3)
    assert.equal(found[0].subject, 'Spring')
  })

  row('M21', 'the dialerCall over HTTP has every property of the contract', async () => {
    const one = await openTab(1)
    const id = await attempt(one, { number: number(), subject: 'Spring', toName: 'Ada Example', toType: 'contact' }, 'talk', 'Sale')
    const call = await get(`/odata/v4/cts_dialerCalls(${id})`)
    for (const property of ['agent', 'calls', 'noAnswers', 'busies', 'connects', 'didConnect', 'direction', 'phoneNumber', 'phoneCallId', 'status', 'subject', 'to', 'computedOutcome', 'aborts']) {
      assert.ok(property in call, `${property} is missing`)
    }
    assert.equal(call.status, 'closed')
    assert.equal(call.to, 'Ada Example')
    assert.equal(call.direction, 'ccOutbound')
  })

  row('M22', 'attempts no answer, busy, talk: noAnswers=1, busies=1, connects=1, didConnect=true', async () => {
    const one = await openTab(1)
    const id = await attempt(one, { number: number('408') }, 'idle')
    /* the number of a record is kept: the owner of the row corrects it between attempts */
    await callRow(id)
    await db.query('update dialer_calls set phone_number = $2 where dialer_call_id = $1', [id, number('486')])
    await attempt(one, { dialerCallId: id }, 'idle')
    await callRow(id)
    await db.query('update dialer_calls set phone_number = $2 where dialer_call_id = $1', [id, number()])
    await attempt(one, { dialerCallId: id }, 'talk', 'Sale')
    const found = await callRow(id)
    assert.deepEqual(
      { calls: found.calls, noAnswers: found.no_answers, busies: found.busies, connects: found.connects, didConnect: found.did_connect, aborts: found.aborts },
      { calls: 3, noAnswers: 1, busies: 1, connects: 1, didConnect: true, aborts: 0 },
    )
  })

  row('M25', 'one event row per event, durations filled when the state is left, adding up to the length of the call', async () => {
    const one = await openTab(1)
    await talk(one)
    const { dtCallId } = one.DynamicsTelephony.GetCallDetails()
    const open = (await eventRows(dtCallId)).at(-1)
    assert.equal(open.event_name, 'talk')
    assert.equal(open.duration_ms, null)
    await until('a second of talk has passed', () => Date.now() - open.created_on.getTime() > 1200)
    await one.DynamicsTelephony.release()
    await one.state('idle')
    await one.CallTab.setOutcome('Sale')
    await one.state('end', WRAP_S * 1000 + 5000)
    const events = (await get(`/odata/v4/cts_dialerCalls(${dtCallId})/dialerCallEvents`)).value
    assert.deepEqual(events.map((event) => event.eventName), ['ring', 'talk', 'idle', 'end'])
    const length = (Date.parse(events.at(-1).createdOn) - Date.parse(events[0].createdOn)) / 1000
    const sum = events.reduce((total, event) => total + event.duration, 0)
    assert.ok(Math.abs(sum - length) <= 1, `${sum} s against ${length} s`)
    for (const event of events) assert.equal(event.dialerCallId, dtCallId)
    for (const [ending, event] of [['486', 'busy'], ['404', 'error on dial'], ['408', 'no answer']]) {
      await one.DynamicsTelephony.dial(number(ending))
      const idle = await one.state('idle', RING_S * 1000 + 6000)
      await one.CallTab.endWrap()
      await one.state('end')
      const names = (await eventRows(idle.dtCallId)).map((row) => row.event_name)
      assert.deepEqual(names, ['ring', event, 'idle', 'end'])
    }
  })

  row('M26', 'exactly one result row each time an outcome is given; a changed outcome adds a row', async () => {
    const one = await openTab(1)
    await talk(one)
    const { dtCallId } = one.DynamicsTelephony.GetCallDetails()
    await one.DynamicsTelephony.release()
    await one.state('idle')
    await one.CallTab.setOutcome('Sale')
    await one.told('the outcome', (call) => call.outcome === 'Sale')
    await one.CallTab.setOutcome('Not interested')
    await one.CallTab.endWrap()
    await one.state('end')
    assert.deepEqual((await resultRows(dtCallId)).map((row) => row.result), ['Sale', 'Not interested'])
    await one.DynamicsTelephony.dial(number('486'))
    const busy = await one.state('idle')
    await one.CallTab.endWrap()
    await one.state('end')
    const automatic = await resultRows(busy.dtCallId)
    assert.deepEqual(automatic.map((row) => [row.result, row.is_automatic]), [['Busy', true]])
  })

  row('M27', 'dtCallId opens that dialerCall over HTTP with its events and results', async () => {
    const one = await openTab(1)
    await talk(one)
    const { dtCallId, phone } = one.DynamicsTelephony.GetCallDetails()
    const call = await get(`/odata/v4/cts_dialerCalls(${dtCallId})`)
    assert.equal(call.phoneNumber, phone)
    assert.deepEqual((await get(`/odata/v4/cts_dialerCalls(${dtCallId})/dialerCallEvents`)).value.map((event) => event.eventName), ['ring', 'talk'])
    await one.CallTab.setOutcome('Sale', 'two of them, für Jörg')
    const result = await until('the result is there', async () => (await get(`/odata/v4/cts_dialerCalls(${dtCallId})/dialerCallResults`)).value[0])
    assert.deepEqual([result.result, result.comment], ['Sale', 'two of them, für Jörg'])
  })

  row('M30', 'one channel per call tab; a bad command gets an error message, never a dropped socket', async () => {
    const raw = await world.gateway.openRaw(session, { tab: 3 })
    for (const [method, params, code] of [
      ['dial', { number: 'sip:x@y' }, 'number.invalid'], ['nonsense', {}, 'protocol.unknown_method'], ['hold', {}, 'call.not_active'],
      ['sendDTMF', { digits: 'x' }, 'call.not_active'], ['transferComplete', { callTab: 99 }, 'json.out_of_range'], ['dial', {}, 'number.invalid'],
    ]) {
      await assert.rejects(raw.request(method, params), (error) => (assert.ok([code, 'digits.invalid'].includes(error.code), `${method}: ${error.code}`), true))
    }
    raw.send('{"jsonrpc":')
    await until('malformed JSON is answered', () => raw.answers.some((answer) => answer.error?.data?.code === 'json.malformed'))
    assert.ok((await raw.request('ping')).serverTime)
    await raw.close()
  })
}
