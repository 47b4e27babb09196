/* What the library does when the network, the gateway or the page have a bad day. */
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { after, afterEach, before, describe, test } from 'node:test'
import WebSocket from 'ws'
import { createCallTab } from '../../web/lib/index.js'
import { BACK_OFF, backOffMs, planAfterClose } from '../../web/lib/manners.js'
import { startFakeGateway } from '../support/fake_gateway.mjs'
import { until, within } from '../support/until.mjs'

const SOON = { firstMs: 1, longestMs: 4 }

describe('coming back', () => {
  test('the delay is anything below a ceiling that doubles up to 30 s', () => {
    const ceilings = [0, 1, 2, 3, 10, 1000].map((attempt) => backOffMs({ attempt, random: () => 1 }))
    assert.deepEqual(ceilings, [500, 1000, 2000, 4000, 30_000, 30_000])
    assert.equal(backOffMs({ attempt: 5, random: () => 0 }), 0)
    assert.equal(BACK_OFF.longestMs, 30_000)
  })

  test('a hidden page waits at least 15 s', () => {
    for (const chance of [0, 0.5, 1]) {
      const delay = backOffMs({ attempt: 0, random: () => chance, isHidden: true })
      assert.ok(delay >= 15_000 && delay <= 30_000, String(delay))
    }
  })

  const after = (code, more) => planAfterClose({ code, attempt: 0, ticketsRefused: 0, random: () => 0.5, ...more })

  test('a restart is waited for as long as it asks, and not all come at once', () => {
    assert.equal(after(1012, { reason: 'retry=4000' }).delayMs, 4500)
    for (const code of [1012, 1013]) {
      assert.equal(after(code, { reason: 'retry=4000', random: () => 0 }).delayMs, 4000)
      assert.equal(after(code, { reason: '' }).delayMs, 250)
      assert.equal(after(code, { reason: 'retry=999999999', random: () => 0 }).delayMs, 300_000)
    }
  })

  test('an overload is waited for as long as it asks, and longer each time while it lasts', () => {
    const delays = [0, 1, 2, 10].map((attempt) => after(1013, { reason: 'retry=4000', attempt, random: () => 1 }).delayMs)
    assert.deepEqual(delays, [4500, 5000, 6000, 34_000])
    assert.equal(after(1013, { reason: 'retry=4000', attempt: 10, random: () => 0 }).delayMs, 4000)
  })

  test('a refused ticket is replaced once', () => {
    assert.equal(after(4401, { ticketsRefused: 1 }).delayMs, 0)
    assert.equal(after(4401, { ticketsRefused: 2 }).stop.code, 'session.ended')
  })

  test('what another try cannot mend is not tried', () => {
    assert.equal(after(4403).stop.code, 'tab.not_allowed')
    assert.equal(after(4409).stop.code, 'connection.replaced')
  })

  test('everything else is, a scolding for haste after a pause', () => {
    for (const code of [1000, 1001, 1005, 1006, 1008, 1009, 4008]) assert.equal(after(code).delayMs, 250)
    assert.ok(after(4429).delayMs >= 5000)
  })
})

describe('a tab', () => {
  let gateway
  let token
  const open = []

  before(async () => {
    gateway = await startFakeGateway()
  })
  after(() => gateway.stop())
  afterEach(async () => {
    for (const { CallTab } of open.splice(0)) CallTab.disconnect()
    await until('all sockets are closed', () => gateway.sockets.size === 0)
    Object.assign(gateway, { isDeaf: false, isClosed: false, ticketsToRefuse: 0, eventsToLose: 0, answersToLose: 0, attachments: [], received: [], asked: [] })
    for (const agent of gateway.agents.values()) agent.tabs.clear()
  })

  async function openTab(options = {}) {
    token = (await gateway.signIn('1001', 'secret')).token
    const it = { ...createCallTab(), errors: [], connections: [], states: [] }
    open.push(it)
    it.CallTab.on('error', (error) => it.errors.push(error))
    it.CallTab.on('connection', (info) => it.connections.push(info))
    it.DynamicsTelephony.RegisterForEvents((event) => it.states.push(it.DynamicsTelephony.parseEventArgs(event).state))
    it.connected = it.CallTab.connect({
      url: gateway.socketUrl,
      WebSocket,
      getTicket: () => gateway.ticket(token),
      backOff: SOON,
      ...options,
    })
    if (options.wait !== false) await it.connected
    return it
  }

  /* The connection was lost and is back. */
  async function back(it, attachments) {
    await until('attached again', () => gateway.attachments.length === attachments && it.CallTab.state === 'connected')
  }

  const limit = { timeout: 20_000 }

  test('the first connection says who and where', limit, async () => {
    const it = await openTab()
    assert.equal(it.CallTab.tab, 1)
    assert.equal(it.CallTab.agent.login, '1001')
    assert.deepEqual([...it.CallTab.tabs], [1])
    assert.ok(it.CallTab.outcomes.includes('Sale'))
    assert.equal(it.CallTab.call, null)
    assert.equal(it.CallTab.state, 'connected')
    assert.deepEqual(it.connections.map(({ state }) => state), ['connecting', 'connected'])
  })

  test("the gateway's clock is known, so that its deadlines can be counted down", limit, async () => {
    const it = await openTab()
    assert.ok(Math.abs(it.connections.at(-1).clockOffsetMs) < 1000)
    gateway.clockMs = 3_600_000
    gateway.terminateAll()
    await back(it, 2)
    gateway.clockMs = 0
    assert.ok(Math.abs(it.connections.at(-1).clockOffsetMs - 3_600_000) < 1000)
  })

  test('every connection has a fresh ticket and comes back with the last number seen', limit, async () => {
    const it = await openTab()
    await it.DynamicsTelephony.dial('+15550101')
    await until('ringing', () => it.states.length === 1)
    const before = gateway.ticketsMade
    gateway.terminateAll()
    await back(it, 2)
    assert.equal(gateway.ticketsMade, before + 1)
    const [first, second] = gateway.attachments
    assert.equal(first.seq, undefined)
    assert.deepEqual({ epoch: second.epoch, seq: second.seq }, { epoch: gateway.tab('1001', 1).agent.epoch, seq: 1 })
    assert.equal(second.client, first.client)
  })

  test('what was missed is told once, in order', limit, async () => {
    const it = await openTab()
    await it.DynamicsTelephony.dial('+15550101')
    gateway.isClosed = true
    gateway.terminateAll()
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    gateway.tab('1001', 1).farAnswers()
    gateway.tab('1001', 1).farHangsUp()
    gateway.isClosed = false
    await back(it, 2)
    await until('the events arrived', () => it.states.length >= 3)
    assert.deepEqual(it.states, ['ringing', 'talk', 'idle'])
    assert.equal(it.CallTab.call.state, 'idle')
  })

  test('what cannot be told again is replaced by the present state, once', limit, async () => {
    const it = await openTab()
    await it.DynamicsTelephony.dial('+15550101')
    gateway.isClosed = true
    gateway.terminateAll()
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    gateway.tab('1001', 1).farAnswers()
    gateway.tab('1001', 1).farHangsUp()
    gateway.forget()
    gateway.isClosed = false
    await back(it, 2)
    assert.deepEqual(it.states, ['ringing', 'idle'])
    gateway.forget()
    gateway.terminateAll()
    await back(it, 3)
    assert.deepEqual(it.states, ['ringing', 'idle'], 'a state that was told is not told again')
  })

  test('a hole in the numbers is a reason to attach again', limit, async () => {
    const it = await openTab()
    await it.DynamicsTelephony.dial('+15550101')
    gateway.loseEvents(1)
    gateway.tab('1001', 1).farAnswers()
    gateway.tab('1001', 1).farHangsUp()
    await back(it, 2)
    await until('the events arrived', () => it.states.length >= 3)
    assert.deepEqual(it.states, ['ringing', 'talk', 'idle'])
    assert.equal(gateway.attachments[1].seq, 1)
  })

  test('the first hole is mended at once', limit, async () => {
    const it = await openTab({ random: () => 1, backOff: { firstMs: 60_000, longestMs: 60_000 } })
    await it.DynamicsTelephony.dial('+15550101')
    gateway.loseEvents(1)
    gateway.tab('1001', 1).farAnswers()
    gateway.tab('1001', 1).farHangsUp()
    await back(it, 2)
  })

  test('an event told twice is one', limit, async () => {
    const it = await openTab()
    await it.DynamicsTelephony.dial('+15550101')
    const [message] = gateway.tab('1001', 1).log
    gateway.sendAll(JSON.stringify({ jsonrpc: '2.0', ...message }))
    gateway.tab('1001', 1).farAnswers()
    await until('talk', () => it.states.includes('talk'))
    assert.deepEqual(it.states, ['ringing', 'talk'])
    assert.equal(gateway.attachments.length, 1)
  })

  test('a restart is waited for as long as it asks', limit, async () => {
    const it = await openTab({ random: () => 0 })
    const at = Date.now()
    gateway.closeAll(1012, 'retry=200')
    await back(it, 2)
    assert.ok(Date.now() - at >= 195, 'not before')
    const waiting = it.connections.find(({ state }) => state === 'reconnecting')
    assert.deepEqual({ ...waiting }, { state: 'reconnecting', code: 1012, reason: 'retry=200', retryInMs: 200 })
  })

  test('a refused ticket is replaced once, then the session counts as ended', limit, async () => {
    gateway.refuseTickets(1)
    const it = await openTab()
    assert.equal(gateway.attachments.length, 1)
    const before = gateway.ticketsMade
    gateway.refuseTickets(99)
    gateway.terminateAll()
    await until('closed', () => it.CallTab.state === 'closed')
    assert.equal(it.errors.at(-1).code, 'session.ended')
    assert.ok(gateway.ticketsMade - before <= 2)
    await assert.rejects(it.DynamicsTelephony.dial('+15550101'), { code: 'client.not_connected' })
  })

  test('a session that ended asks for one new ticket and gives up when there is none', limit, async () => {
    const it = await openTab()
    gateway.endSessions()
    await until('closed', () => it.CallTab.state === 'closed')
    assert.equal(it.errors.at(-1).code, 'session.ended')
    assert.equal(it.connections.at(-1).error.code, 'session.ended')
  })

  test('a tab that is connected elsewhere does not fight for it', limit, async () => {
    const it = await openTab()
    const { connections } = gateway
    gateway.closeAll(4409, '')
    await until('closed', () => it.CallTab.state === 'closed')
    assert.equal(it.errors.at(-1).code, 'connection.replaced')
    assert.equal(gateway.connections, connections)
  })

  test('connect() after an end connects again', limit, async () => {
    const it = await openTab()
    gateway.closeAll(4403, '')
    await until('closed', () => it.CallTab.state === 'closed')
    await it.CallTab.connect({ url: gateway.socketUrl, WebSocket, getTicket: () => gateway.ticket(token) })
    await it.DynamicsTelephony.dial('+15550101')
  })

  test('connect() to an impossible tab says why and does not try again', limit, async () => {
    const it = await openTab({ tab: 99, wait: false })
    await assert.rejects(it.connected, { code: 'json.out_of_range', target: 'tab' })
    assert.equal(it.CallTab.state, 'closed')
  })

  test('a gateway that is away is tried until it is there', limit, async () => {
    const getTicket = () => {
      gateway.isClosed = true
      return 'x'.repeat(43)
    }
    const it = await openTab({ wait: false, getTicket })
    await until('several tries', () => it.connections.length > 4)
    assert.equal(it.CallTab.state, 'connecting')
    it.CallTab.disconnect()
    await assert.rejects(it.connected, { code: 'client.not_connected' })
  })

  test('a ticket that cannot be had is an error event and another try', limit, async () => {
    let refusals = 3
    const it = await openTab({ getTicket: () => (refusals-- > 0 ? Promise.reject(new Error('no network')) : gateway.ticket(token)) })
    assert.deepEqual(it.errors.map(({ code }) => code), ['ticket.failed', 'ticket.failed', 'ticket.failed'])
  })

  test('a single ticket opens a single connection', limit, async () => {
    const { token: own } = await gateway.signIn('1001', 'secret')
    const it = await openTab({ getTicket: undefined, ticket: await gateway.ticket(own) })
    const { connections } = gateway
    gateway.terminateAll()
    await until('closed', () => it.CallTab.state === 'closed')
    assert.equal(it.errors.at(-1).code, 'session.ended')
    assert.equal(gateway.connections, connections)
  })

  test('a command given before the first connection waits for it', limit, async () => {
    const it = await openTab({ wait: false })
    await it.DynamicsTelephony.dial('+15550101')
    assert.equal(gateway.received.length, 1)
  })

  test('a command given in an outage is refused at once and never sent', limit, async () => {
    const it = await openTab()
    gateway.isClosed = true
    gateway.terminateAll()
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    await assert.rejects(it.DynamicsTelephony.release(), { code: 'client.not_connected', method: 'release' })
    gateway.isClosed = false
    await back(it, 2)
    assert.deepEqual(gateway.received, [])
    gateway.closeAll(1012, 'retry=60000')
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    await assert.rejects(within('the refusal', 1000, it.DynamicsTelephony.release()), { code: 'client.not_connected' })
  })

  test('a command whose answer is lost with the connection is asked again with its id, and done once', limit, async () => {
    const it = await openTab()
    gateway.loseAnswers(1)
    const answer = it.DynamicsTelephony.dial('+15550101')
    await until('it was carried out', () => gateway.received.length === 1)
    gateway.terminateAll()
    const { callId } = await answer
    assert.equal(callId, it.CallTab.call.callId)
    assert.deepEqual(gateway.received.map(({ method }) => method), ['dial'])
    const [first, second] = gateway.asked
    assert.equal(gateway.asked.length, 2)
    assert.deepEqual(second, first, 'to the letter')
    assert.deepEqual(it.states, ['ringing'])
  })

  test('a refusal that was lost is told like any other', limit, async () => {
    const it = await openTab()
    gateway.loseAnswers(1)
    const answer = it.DynamicsTelephony.release()
    await until('it was refused', () => gateway.asked.length === 1)
    gateway.terminateAll()
    await assert.rejects(answer, ({ code, method }) => code.startsWith('call.') && method === 'release')
    assert.equal(gateway.received.length, 1)
  })

  test('a command that never arrived arrives on the next connection', limit, async () => {
    const it = await openTab()
    gateway.isDeaf = true
    const answer = it.DynamicsTelephony.dial('+15550101')
    gateway.terminateAll()
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    gateway.isDeaf = false
    await answer
    assert.equal(gateway.received.length, 1)
  })

  test('unanswered commands are asked again in their order, before any newer one', limit, async () => {
    const it = await openTab({ backOff: { firstMs: 20, longestMs: 20 } })
    const { DynamicsTelephony: dt, CallTab } = it
    await dt.dial('+15550101')
    gateway.tab('1001', 1).farAnswers()
    gateway.asked = []
    gateway.loseAnswers(3)
    const answers = [CallTab.mute(true), dt.holdresume(), dt.holdresume()]
    await until('all were carried out', () => gateway.asked.length === 3)
    gateway.terminateAll()
    const newer = new Promise((resolve) => CallTab.on('connection', ({ state }) => state === 'connected' && resolve(CallTab.mute(false))))
    await Promise.all([...answers, newer])
    const methods = ['mute', 'holdresume', 'holdresume']
    assert.deepEqual(gateway.asked.map(({ method }) => method), [...methods, ...methods, 'mute'])
    assert.deepEqual(gateway.asked.slice(3, 6), gateway.asked.slice(0, 3))
    assert.equal(gateway.received.filter(({ method }) => method === 'holdresume').length, 2)
    assert.equal(it.CallTab.call.held, false)
    assert.deepEqual(it.errors, [])
  })

  test('many unanswered commands come back in portions that the gateway takes', limit, async () => {
    const it = await openTab()
    gateway.isDeaf = true
    const answers = Array.from({ length: 50 }, () => it.CallTab.setState('Away'))
    gateway.terminateAll()
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    gateway.isDeaf = false
    const ended = await Promise.allSettled(answers)
    assert.equal(ended.filter(({ status }) => status === 'fulfilled').length, 32)
    for (const { reason } of ended.slice(32)) assert.equal(reason.code, 'client.not_connected')
    assert.equal(gateway.received.length, 32)
  })

  test('a gateway that has forgotten everything is not asked again', limit, async () => {
    const it = await openTab()
    gateway.loseAnswers(1)
    const answer = it.DynamicsTelephony.dial('+15550101')
    await until('it was carried out', () => gateway.received.length === 1)
    gateway.forget()
    gateway.terminateAll()
    await assert.rejects(answer, { code: 'command.unknown', method: 'dial' })
    assert.equal(gateway.asked.length, 1)
  })

  test('a command without an answer ends in time and says what is not known', limit, async () => {
    const it = await openTab({ commandTimeoutMs: 90 })
    gateway.isDeaf = true
    const answer = within('the end of the wait', 2000, it.DynamicsTelephony.dial('+15550101'))
    await assert.rejects(answer, { code: 'command.unknown', method: 'dial', message: /may have been carried out/ })
    await until('the silent line is given up', () => it.connections.some(({ code, reason }) => code === 4000 && reason === 'silent'))
    gateway.isDeaf = false
    await until('attached again', () => it.CallTab.state === 'connected')
    await it.DynamicsTelephony.dial('+15550102')
    assert.deepEqual(gateway.received.map(({ params }) => params.number), ['+15550102'], 'what was given up is not sent again')
  })

  test('a silent line is given up in time to ask again', limit, async () => {
    const it = await openTab({ commandTimeoutMs: 900 })
    gateway.isDeaf = true
    it.CallTab.on('connection', ({ reason }) => {
      if (reason === 'silent') gateway.isDeaf = false // before it is back
    })
    await it.DynamicsTelephony.dial('+15550101')
    assert.ok(it.connections.some(({ reason }) => reason === 'silent'))
  })

  test('a page that leaves knows nothing of what it had sent', limit, async () => {
    const it = await openTab()
    gateway.isDeaf = true
    const answer = it.DynamicsTelephony.dial('+15550101')
    it.CallTab.disconnect()
    await assert.rejects(answer, { code: 'command.unknown' })
  })

  test('a thousand commands have a thousand ids, also where there is no https', limit, async () => {
    const { newCommandId } = await import('../../web/lib/commands.js')
    const ids = Array.from({ length: 1000 }, newCommandId)
    const plain = globalThis.crypto
    Object.defineProperty(globalThis, 'crypto', { configurable: true, value: { getRandomValues: (bytes) => randomFillSync(bytes) } })
    try {
      ids.push(...Array.from({ length: 1000 }, newCommandId))
    } finally {
      Object.defineProperty(globalThis, 'crypto', { configurable: true, value: plain })
    }
    assert.equal(new Set(ids).size, 2000)
    for (const id of ids) assert.match(id, /^[0-9a-f-]{32,36}$/)
  })

  test('a line that went silent is found by asking', limit, async () => {
    const it = await openTab({ commandTimeoutMs: 60, heartbeatMs: 60 })
    gateway.isDeaf = true
    await until('given up', () => it.connections.some(({ reason }) => reason === 'silent'))
    gateway.isDeaf = false
    await until('attached again', () => it.CallTab.state === 'connected')
  })

  test('nonsense from the gateway is reported and harms nothing', limit, async () => {
    const it = await openTab()
    const told = (method) => JSON.stringify({ jsonrpc: '2.0', method, params: {} })
    for (const text of ['{', '[]', '"x"', told('agent'), told('later')]) gateway.sendAll(text)
    await it.DynamicsTelephony.dial('+15550101')
    assert.deepEqual(it.errors.map(({ code }) => code), Array(4).fill('protocol.bad_message'))
  })

  test('notices of the gateway arrive', limit, async () => {
    const it = await openTab()
    const notices = []
    it.CallTab.on('notice', (notice) => notices.push(notice))
    gateway.notice('switch.away', 'the switch does not answer')
    await until('the notice', () => notices.length)
    assert.deepEqual({ ...notices[0] }, { code: 'switch.away', message: 'the switch does not answer' })
  })

  test('off() takes a handler off, and there are no events of other names', limit, async () => {
    const it = await openTab()
    const seen = []
    const handler = () => seen.push('seen')
    it.CallTab.on('state', () => it.CallTab.off('state', handler)) // also while it is being told
    it.CallTab.on('state', handler) // taken off by the one before it
    const remove = it.CallTab.on('update', handler)
    it.CallTab.on('agent', handler)
    it.CallTab.off('agent', handler)
    remove()
    await it.DynamicsTelephony.agentReady()
    await it.DynamicsTelephony.dial('+15550101')
    await until('ringing', () => it.states.length)
    assert.deepEqual(seen, [])
    assert.throws(() => it.CallTab.on('ringing', handler), TypeError)
    assert.throws(() => it.DynamicsTelephony.RegisterForEvents('handler'), TypeError)
  })

  test('a handler cannot change what the next one sees', limit, async () => {
    const it = await openTab()
    const phones = []
    const tamper = (call) => {
      phones.push(call.phone)
      call.phone = 'changed'
    }
    it.CallTab.on('state', tamper)
    it.CallTab.on('state', (call) => tamper(call))
    await it.DynamicsTelephony.dial('+15550101')
    await until('both were told', () => phones.length === 2)
    assert.deepEqual(phones, ['+15550101', '+15550101'])
    assert.equal(it.CallTab.call.phone, '+15550101')
  })

  test('old habits: numbers and digits as numbers, tabs as texts', limit, async () => {
    const it = await openTab()
    await it.DynamicsTelephony.dial(5550101)
    gateway.tab('1001', 1).farAnswers()
    await until('talk', () => it.states.includes('talk'))
    await it.DynamicsTelephony.sendDTMF(5)
    await assert.rejects(it.DynamicsTelephony.transferComplete('2'), { code: 'call.not_held', target: 'callTab' })
    assert.deepEqual(gateway.received.map(({ params }) => params), [{ number: '5550101' }, { digits: '5' }, { callTab: 2 }])
  })

  /* A browser's page, moved by the test. */
  class Page {
    hidden = false
    isHidden = () => this.hidden
    watch = (on) => {
      this.on = on
      return () => {
        this.on = null
      }
    }
  }

  test('a hidden page does not hammer, and comes back when it is looked at', limit, async () => {
    const page = new Page()
    const it = await openTab({ page })
    page.hidden = true
    gateway.terminateAll()
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    assert.ok(it.connections.at(-1).retryInMs >= 15_000)
    page.hidden = false
    page.on.wake()
    await back(it, 2)
  })

  test('waking up does not cut short what an overloaded gateway asked for', limit, async () => {
    const page = new Page()
    let asked = 0
    const getTicket = () => {
      asked += 1
      return gateway.ticket(token)
    }
    const it = await openTab({ page, getTicket })
    gateway.closeAll(1013, 'retry=60000')
    await until('the loss is known', () => it.CallTab.state === 'reconnecting')
    page.on.wake()
    page.on.wake()
    assert.equal(asked, 1)
  })

  test('a ticket that is refused with Retry-After is asked for later, and not because somebody looks', limit, async () => {
    const page = new Page()
    let asked = 0
    const getTicket = () => {
      asked += 1
      if (asked === 1) throw Object.assign(new Error('overload'), { status: 503, retryAfterMs: 300 })
      return gateway.ticket(token)
    }
    const began = performance.now()
    const it = await openTab({ page, getTicket, wait: false })
    await until('the refusal is known', () => it.connections.some(({ reason }) => reason === 'ticket'))
    page.on.wake()
    assert.equal(asked, 1)
    await until('connected', () => it.CallTab.state === 'connected')
    assert.ok(performance.now() - began >= 290)
    assert.equal(asked, 2)
  })

  test('a page that goes closes its socket, and one that the browser brings back attaches again', limit, async () => {
    const page = new Page()
    const it = await openTab({ page })
    page.on.leave()
    await until('the socket is closed', () => gateway.sockets.size === 0)
    page.on.comeBack()
    await back(it, 2)
    assert.notEqual(gateway.attachments[1].epoch, undefined)
  })

  test('a second call of connect() joins the first, for another tab it is refused', limit, async () => {
    const it = await openTab()
    const { connections } = gateway
    await it.CallTab.connect({ url: gateway.socketUrl, WebSocket, getTicket: () => gateway.ticket(token), tab: 1 })
    assert.equal(gateway.connections, connections)
    await assert.rejects(it.CallTab.connect({ getTicket: () => '', tab: 2 }), { code: 'client.other_tab' })
  })

  test('two copies of the library on one page are one', limit, async () => {
    const first = await import('../../web/lib/index.js')
    const second = await import('../../web/lib/index.js?second')
    assert.notEqual(first, second)
    assert.equal(second.DynamicsTelephony, first.DynamicsTelephony)
    assert.equal(second.CallTab, first.CallTab)
  })

  test('without a ticket and without a page above there is nothing to connect to', limit, async () => {
    const { CallTab, DynamicsTelephony } = createCallTab()
    const errors = []
    CallTab.on('error', (error) => errors.push(error))
    CallTab.connect() // ignoring it is fine
    await assert.rejects(CallTab.connect(), { code: 'client.bad_options' })
    await assert.rejects(CallTab.connect({ ticket: 'x' }), { code: 'client.bad_options', target: 'url' })
    await assert.rejects(DynamicsTelephony.dial('1'), { code: 'client.not_connected' })
    assert.equal(errors.length, 1)
  })

  test('what is no event is refused by parseEventArgs', () => {
    const { DynamicsTelephony } = createCallTab()
    for (const wrong of [undefined, null, 5, '', '{', '[]', 'null', {}, { dtEventArgs: 5 }, { dtEventArgs: '{}' }])
      assert.throws(() => DynamicsTelephony.parseEventArgs(wrong), { code: 'event.malformed' }, JSON.stringify(wrong))
    const odd = { state: 'talk', isCallback: 'no', type: 'other', retryDatetime: '2031-05-06T14:30:00.123+02:00' }
    const bare = DynamicsTelephony.parseEventArgs(JSON.stringify(odd))
    assert.deepEqual([bare.isCallback, bare.type, bare.retryDatetime], [false, 'phonecall', '2031-05-06T12:30:00Z'])
    assert.equal(Object.keys(bare).length, 18)
    const hostile = DynamicsTelephony.parseEventArgs('{"state":"talk","__proto__":{"isAdmin":true},"constructor":1}')
    assert.equal(hostile.isAdmin, undefined)
    assert.equal(hostile.constructor, 1)
  })
})
