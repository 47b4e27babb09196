/* What the library promises to a script, in the words of the mission, whatever gateway is behind it.
 *
 *   runLibrarySuite('fake', makeGateway)
 *
 * makeGateway() resolves with the gateway as this suite needs it:
 *   socketUrl, WebSocket             for connect()
 *   ticket(login)                    a fresh one
 *   agents                           two logins
 *   number                           somebody who rings until farAnswers(); may be another one each time
 *   incoming(login, tab, phone)      a caller is offered to the agent, who is ready, on that tab
 *   present(login, tab, number)      a record is presented there
 *   farAnswers(login, tab)  farHangsUp(login, tab)
 *   stop() */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { CallTab, DynamicsTelephony, createCallTab } from '../../web/lib/index.js'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'

const NAMES = [
  'RegisterForEvents', 'parseEventArgs', 'GetCallDetails', 'dial', 'holdresume', 'transferBlind', 'transferConsult',
  'transferComplete', 'conference', 'answer', 'release', 'agentReady', 'agentNotReady', 'playWaveFile', 'sendDTMF',
]
const PROPERTIES = [
  'state', 'stateTime', 'type', 'id', 'direction', 'phone', 'outcome', 'fromType', 'fromId', 'toType', 'toId', 'dtCallId',
  'isCallback', 'retryDatetime', 'dnis', 'queueDn', 'agentId', 'extension',
]
const STATES = new Set(['preview', 'incoming', 'ringing', 'talk', 'idle', 'end'])
const DIRECTIONS = new Set(['inbound', 'outbound', 'clicktocall', 'transfer', 'ccOutbound'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

export function runLibrarySuite(name, makeGateway) {
  describe(`the library on the ${name} gateway`, () => {
    let gateway
    const open = []

    before(async () => {
      gateway = await makeGateway()
    })
    afterEach(async () => {
      for (const script of open) await script.finish()
      for (const script of open.splice(0)) script.CallTab.disconnect()
    })
    after(() => gateway.stop())

    /* A row of the mission: a test whose result is on record. */
    function row(id, title, body) {
      test(`${id}: ${title}`, { timeout: 30_000 }, async () => {
        let pass = false
        try {
          await body()
          pass = true
        } finally {
          record({ test: `library.${name}.${id}`, pass })
        }
      })
    }

    async function openTab(tab, login = gateway.agents[0]) {
      const script = new Script(gateway, login, tab)
      open.push(script)
      await script.connect()
      return script
    }

    row('M1', 'DynamicsTelephony exposes exactly the 15 names, same case', () => {
      for (const it of [DynamicsTelephony, createCallTab().DynamicsTelephony]) {
        assert.deepEqual(Reflect.ownKeys(it).sort(), [...NAMES].sort())
        for (const each of NAMES) assert.equal(typeof it[each], 'function', each)
        assert.ok(Object.isFrozen(it))
      }
      assert.ok(Object.isFrozen(CallTab))
    })

    row('M2', 'each later state change calls every handler once, in order', async () => {
      const script = await openTab(1)
      const seen = [script.listen(), script.listen()]
      await script.wholeCall()
      for (const states of seen) assert.deepEqual(states, ['ringing', 'talk', 'idle', 'end'])
    })

    row('M2', 'the same function registered twice is called once', async () => {
      const script = await openTab(1)
      const states = []
      const handler = (event) => states.push(script.stateOf(event))
      await script.wholeCall()
      script.DynamicsTelephony.RegisterForEvents(handler)
      script.DynamicsTelephony.RegisterForEvents(handler)
      await until('the present state was told', () => states.length)
      await script.wholeCall()
      assert.deepEqual(states, ['end', 'ringing', 'talk', 'idle', 'end'])
    })

    row('M2', "other tabs' calls never arrive", async () => {
      const first = await openTab(1)
      const second = await openTab(2)
      const states = first.listen()
      await second.wholeCall()
      await first.roundTrip()
      assert.deepEqual(states.filter((state) => state !== 'end'), [])
      assert.ok(!first.calls.has(second.CallTab.call.callId))
    })

    row('M2', 'a handler that registers late gets the present state once', async () => {
      const script = await openTab(1)
      await script.talk()
      const states = script.listen()
      assert.deepEqual(states, [], 'not before the script that registers has gone on')
      await until('the present state was told', () => states.length)
      await script.hangUp()
      assert.deepEqual(states, ['talk', 'idle', 'end'])
    })

    row('M2', 'a handler that registers inside another one is told the present state once', async () => {
      const script = await openTab(1)
      const states = []
      let inner
      script.DynamicsTelephony.RegisterForEvents(() => {
        inner = inner ?? script.DynamicsTelephony.RegisterForEvents((event) => states.push(script.stateOf(event)))
      })
      await script.wholeCall()
      const last = ['ringing', 'talk', 'idle', 'end']
      assert.deepEqual(states.slice(-4), last)
      assert.ok(states.length <= 5, states.join())
    })

    row('M2', 'a handler that throws stops no other and is reported', async () => {
      const script = await openTab(1)
      script.DynamicsTelephony.RegisterForEvents(() => {
        throw new Error('on purpose')
      })
      const states = script.listen()
      await script.wholeCall()
      assert.deepEqual(states.slice(-4), ['ringing', 'talk', 'idle', 'end'])
      const reported = script.errors.filter((error) => error.code === 'handler.threw')
      assert.ok(reported.length >= 4)
      assert.equal(reported[0].cause.message, 'on purpose')
    })

    row('M3', 'parseEventArgs understands the event, its dtEventArgs and the raw string', async () => {
      const script = await openTab(1)
      const { parseEventArgs, GetCallDetails } = script.DynamicsTelephony
      let states = 0
      script.DynamicsTelephony.RegisterForEvents((event) => {
        assert.equal(typeof event.dtEventArgs, 'string')
        const details = GetCallDetails()
        for (const form of [event, event.dtEventArgs, JSON.stringify(event)]) {
          const call = parseEventArgs(form)
          assert.deepEqual(call, details)
          for (const property of PROPERTIES) assert.ok(property in call, property)
        }
        states += 1
      })
      await script.wholeCall()
      assert.ok(states >= 4)
      assert.deepEqual(script.errors, [])
    })

    row('M4', 'times, type, direction and isCallback have the promised forms', async () => {
      const script = await openTab(1)
      const calls = script.listenCalls()
      await script.wholeCall({ beforeEnd: () => script.CallTab.scheduleCallback(new Date(Date.now() + 86_400_000)) })
      assert.ok(calls.length >= 4)
      for (const call of calls) {
        assert.match(call.stateTime, TIME)
        assert.equal(call.type, 'phonecall')
        assert.ok(DIRECTIONS.has(call.direction), call.direction)
        assert.equal(typeof call.isCallback, 'boolean')
        if (call.retryDatetime !== null) assert.match(call.retryDatetime, TIME)
      }
      assert.match(script.CallTab.call.retryDatetime, TIME)
    })

    row('M5', 'after end GetCallDetails still returns that call until the next one starts', async () => {
      const script = await openTab(1)
      await script.wholeCall()
      const first = script.DynamicsTelephony.GetCallDetails()
      assert.equal(first.state, 'end')
      await script.ring()
      const second = script.DynamicsTelephony.GetCallDetails()
      assert.equal(second.state, 'ringing')
      assert.notEqual(second.callId, first.callId)
      await script.DynamicsTelephony.release()
      await script.reached('idle')
    })

    row('M5', 'a page that is loaded again knows the call that ended', async () => {
      const before = await openTab(1)
      await before.wholeCall()
      const { callId } = before.CallTab.call
      before.CallTab.disconnect()
      const again = await openTab(1)
      assert.equal(again.DynamicsTelephony.GetCallDetails().callId, callId)
    })

    row('M15', 'there are six states and stateTime never goes backwards', async () => {
      const script = await openTab(1)
      const calls = script.listenCalls()
      await script.previewedCall()
      await script.incomingCall()
      for (const call of calls) assert.ok(STATES.has(call.state), call.state)
      const times = calls.map((call) => call.stateTime)
      assert.deepEqual(times, [...times].sort())
      assert.deepEqual(new Set(calls.map((call) => call.state)), STATES)
    })

    row('M19', 'the event equals the call details in every state', async () => {
      const script = await openTab(1)
      const states = new Set()
      const { parseEventArgs, GetCallDetails } = script.DynamicsTelephony
      script.DynamicsTelephony.RegisterForEvents((event) => {
        assert.deepEqual(parseEventArgs(event), GetCallDetails())
        states.add(GetCallDetails().state)
      })
      await script.previewedCall()
      await script.incomingCall()
      assert.deepEqual(states, STATES)
      assert.deepEqual(script.errors, [])
    })

    row('M30', 'a bad command gets an error and never a dropped socket', async () => {
      const script = await openTab(1)
      const { DynamicsTelephony: dt } = script
      await script.refused(() => dt.dial('not a number'), { target: 'number' })
      await script.refused(() => dt.dial(), { target: 'number' })
      await script.refused(() => dt.holdresume())
      await script.refused(() => dt.release())
      await script.refused(() => dt.transferComplete(2))
      await script.refused(() => dt.playWaveFile('../../etc/passwd'))
      await script.refused(() => script.CallTab.setOutcome('no such outcome'))
      await script.refused(() => dt.dial('1'.repeat(17_000)), { code: 'command.too_large' })
      assert.deepEqual(script.connections, ['connecting', 'connected'])
      await script.wholeCall()
    })

    row('M30', 'a refused command may be ignored: no unhandled rejection, one error event', async () => {
      const script = await openTab(1)
      const unhandled = []
      const onUnhandled = (reason) => unhandled.push(reason)
      process.on('unhandledRejection', onUnhandled)
      script.DynamicsTelephony.release()
      await until('the error event', () => script.errors.length)
      await script.roundTrip()
      process.off('unhandledRejection', onUnhandled)
      assert.deepEqual(unhandled, [])
      const [error] = script.errors
      assert.equal(error.name, 'TelephonyError')
      assert.equal(error.method, 'release')
      assert.ok(error.code && error.message)
    })

    row('M12', 'agentReady and agentNotReady are pushed to all tabs of the agent, and to no other agent', async () => {
      const [login, otherLogin] = gateway.agents
      const tabs = [await openTab(1, login), await openTab(2, login)]
      const other = await openTab(1, otherLogin)
      await until('the other one is signed in', () => other.CallTab.agent.state !== 'LoggedOut')
      const otherState = other.CallTab.agent.state
      await tabs[0].DynamicsTelephony.agentReady()
      for (const tab of tabs) await until('ready', () => tab.CallTab.agent.state === 'Ready')
      await tabs[1].DynamicsTelephony.agentNotReady('lunch')
      for (const tab of tabs) await until('not ready', () => tab.CallTab.agent.state === 'NotReady')
      assert.equal(tabs[0].CallTab.agent.reason, 'lunch')
      await other.roundTrip()
      assert.equal(other.CallTab.agent.state, otherState)
    })
  })
}

/* A script in a call tab, and what it has seen. */
class Script {
  errors = []
  connections = []
  calls = new Set() // ids

  constructor(gateway, login, tab) {
    Object.assign(this, createCallTab(), { gateway, login, tab })
    this.CallTab.on('error', (error) => this.errors.push(error))
    this.CallTab.on('connection', ({ state }) => this.connections.push(state))
    this.CallTab.on('state', ({ callId }) => this.calls.add(callId))
  }

  connect(options) {
    const { socketUrl: url, WebSocket } = this.gateway
    return this.CallTab.connect({ url, WebSocket, tab: this.tab, getTicket: () => this.gateway.ticket(this.login), ...options })
  }

  stateOf(event) {
    return this.DynamicsTelephony.parseEventArgs(event).state
  }

  listenCalls() {
    const calls = []
    this.DynamicsTelephony.RegisterForEvents((event) => calls.push(this.DynamicsTelephony.parseEventArgs(event)))
    return calls
  }

  listen() {
    const states = []
    this.DynamicsTelephony.RegisterForEvents((event) => states.push(this.stateOf(event)))
    return states
  }

  reached(state) {
    return until(`tab ${this.tab} is in ${state}`, () => this.DynamicsTelephony.GetCallDetails()?.state === state)
  }

  async ring() {
    await this.DynamicsTelephony.dial(this.gateway.number)
    await this.reached('ringing')
  }

  async talk() {
    await this.ring()
    await this.gateway.farAnswers(this.login, this.tab)
    await this.reached('talk')
  }

  async hangUp({ beforeEnd } = {}) {
    await this.DynamicsTelephony.release()
    await this.reached('idle')
    await beforeEnd?.()
    await this.CallTab.endWrap()
    await this.reached('end')
  }

  async wholeCall(options) {
    await this.talk()
    await this.hangUp(options)
  }

  async previewedCall() {
    await this.gateway.present(this.login, this.tab, this.gateway.number)
    await this.reached('preview')
    await this.DynamicsTelephony.dial()
    await this.reached('ringing')
    await this.gateway.farAnswers(this.login, this.tab)
    await this.reached('talk')
    await this.hangUp()
  }

  async incomingCall() {
    await this.DynamicsTelephony.agentReady()
    await this.gateway.incoming(this.login, this.tab, '+15550100')
    await this.reached('incoming')
    await this.DynamicsTelephony.answer()
    await this.reached('talk')
    await this.gateway.farHangsUp(this.login, this.tab)
    await this.reached('idle')
    await this.CallTab.endWrap()
    await this.reached('end')
  }

  /* Everything the gateway has sent to this tab so far has arrived. */
  async roundTrip() {
    await this.DynamicsTelephony.sendDTMF('x').then(
      () => assert.fail('x is no digit'),
      () => {},
    )
  }

  async refused(command, expected = {}) {
    await assert.rejects(command, (error) => {
      assert.equal(error.name, 'TelephonyError')
      assert.match(error.code, /^[a-z_]+\.[a-z_]+$/)
      assert.ok(error.message)
      for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value)
      return true
    })
  }

  /* Leaves the tab free for the next test. */
  async finish() {
    if (this.CallTab.state !== 'connected') return
    const state = this.CallTab.call?.state ?? 'end'
    if (!['idle', 'end'].includes(state)) await this.DynamicsTelephony.release()
    if (state !== 'end') await this.reached('idle').then(() => this.CallTab.endWrap())
  }
}
