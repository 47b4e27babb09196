/* The tab door on the wire, as a hostile or unlucky client meets it (docs/protocol.md; what the library gets wrong is
 * listed at the head of ws/ws.c). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Door } from '../support/door.mjs'
import { OPCODE, RawSocket, closeFrame, frame, upgradeHead } from '../support/rawsocket.mjs'
import { until } from '../support/until.mjs'

const ORIGIN = 'https://calltab.example'
const MESSAGE_MAX = 16 * 1024

let door
let agents = 0 // each test has agents of its own
before(async () => {
  door = await Door.start('--origin', ORIGIN, '--origin', 'https://crm.example:8443', '--no-origin')
})
after(() => door.stop())

const newAgent = () => ++agents

async function open(agent = newAgent(), options) {
  return RawSocket.openTab(door.port, await door.ticket(agent), options)
}

async function attached(agent = newAgent(), params = { tab: 1 }, options) {
  const tab = await open(agent, options)
  tab.agent = agent
  tab.attach = (await tab.request('attach', params)).result
  assert.ok(tab.attach)
  return tab
}

const code = async (tab) => (await tab.closed()).code

async function isAlive(tab) {
  assert.match((await tab.request('ping')).result.serverTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
}

/* --- opening --- */

test('the answer selects calltab.v1 and no extension, though one was offered', async () => {
  const socket = await RawSocket.connect(door.port)
  socket.write(upgradeHead({ ticket: await door.ticket(newAgent()), fields: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame' } }))
  const head = await socket.upgraded()
  assert.match(head, /\r\nSec-WebSocket-Protocol: calltab\.v1(\r\n|$)/)
  assert.doesNotMatch(head, /extensions/i)
  // a compressed frame is a broken one
  socket.send(OPCODE.text, Buffer.from('f248cdc9c907 00'.replace(' ', ''), 'hex'), { rsv: 4 })
  assert.equal(await code(socket), 1002)
})

const strangers = [
  'null', 'https://calltab.example.', 'https://calltab.example.evil.test', 'https://evilcalltab.example', 'https://evil.test/calltab.example',
  'https://calltab.example@evil.test', 'https://calltab.example:443', 'https://calltab.example:8443', 'http://calltab.example', 'HTTPS://calltab.example',
  'https://CALLTAB.example', 'https://calltab.example/', 'https://calltab.example#', 'https://calltab.example?x', 'https://calltab.example ,https://x',
  'https://crm.example', 'https://crm.example:8444', 'https://crm.example:08443', '//calltab.example', 'calltab.example', 'https:calltab.example', 'https:///calltab.example',
  'https://calltab.examplе', 'https://xn--calltab-example', 'https://www.calltab.example', 'https://calltab', 'https://', 'file://', 'about:blank', 'data:text/html,x',
  'blob:https://calltab.example/1', 'chrome-extension://abc', 'ws://calltab.example', 'wss://calltab.example', 'https://127.0.0.1', 'https://localhost',
  'https://calltab.example\thttps://x', 'https://calltab.example, https://crm.example:8443', '*', `https://${'x'.repeat(400)}.example`,
]

test('a page of another origin gets 403 and its ticket is not even looked at', async () => {
  assert.equal(strangers.length, 40)
  const agent = newAgent()
  const ticket = await door.ticket(agent)
  for (const origin of strangers) {
    const socket = await RawSocket.connect(door.port)
    socket.write(upgradeHead({ ticket, origin }))
    const answer = await socket.allText()
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/, origin)
    assert.match(answer, /"code":"origin\.denied"/, origin)
    socket.destroy()
  }
  const tab = await RawSocket.openTab(door.port, ticket, { origin: ORIGIN })
  assert.ok((await tab.request('attach', { tab: 1 })).result)
  tab.destroy()
})

test('without an origin only where the configuration allows it', async () => {
  const strict = await Door.start('--origin', ORIGIN)
  const socket = await RawSocket.connect(strict.port)
  socket.write(upgradeHead({ ticket: await strict.ticket() }))
  assert.match(await socket.allText(), /^HTTP\/1\.1 403 /)
  const tab = await RawSocket.openTab(strict.port, await strict.ticket(), { origin: ORIGIN })
  tab.destroy()
  await strict.stop()
})

test('a ticket opens one socket, once; a script can read why another did not open', async () => {
  const ticket = await door.ticket(newAgent())
  const first = await RawSocket.openTab(door.port, ticket)
  const second = await RawSocket.openTab(door.port, ticket)
  assert.deepEqual(await second.closed(), { code: 4401, reason: 'ticket' })
  assert.ok((await first.request('attach', { tab: 1 })).result)
  first.destroy()
})

test('a ticket that is unknown, misspelt, missing or of another origin ends with 4401', async () => {
  const ticket = await door.ticket(newAgent())
  const lists = ['A'.repeat(43), ticket.slice(1), `${ticket}A`, ticket.toLowerCase() === ticket ? ticket.toUpperCase() : ticket.toLowerCase()].map((text) => `calltab.v1, ticket.${text}`)
  for (const list of [...lists, 'calltab.v1', `calltab.v1, xticket.${ticket}`, `calltab.v1, ${ticket}`]) {
    const tab = await RawSocket.openTab(door.port, 'x', { fields: { 'Sec-WebSocket-Protocol': list } })
    assert.equal(await code(tab), 4401, list)
  }
  const bound = await RawSocket.openTab(door.port, await door.ticket(newAgent(), ORIGIN), { origin: 'https://crm.example:8443' })
  assert.equal(await code(bound), 4401)
  const right = await RawSocket.openTab(door.port, await door.ticket(newAgent(), ORIGIN), { origin: ORIGIN })
  assert.ok((await right.request('attach', { tab: 1 })).result)
  right.destroy()
})

test('the sub-protocols may come in any order', async () => {
  const ticket = await door.ticket(newAgent())
  const tab = await RawSocket.openTab(door.port, 'x', { fields: { 'Sec-WebSocket-Protocol': `ticket.${ticket},calltab.v1` } })
  assert.ok((await tab.request('attach', { tab: 1 })).result)
  tab.destroy()
})

test('after 30 seconds a ticket is void, after 5 an idle socket is closed', async () => {
  const own = await Door.start('--no-origin')
  const late = await own.ticket()
  const idle = await RawSocket.openTab(own.port, await own.ticket())
  await own.statWhen('the idle socket is open', ({ open }) => open === 1)
  await own.ask('advance', 4900)
  await until('a refusal', async () => (await idle.request('dial', {})).error.data.code === 'protocol.not_attached')
  await own.ask('advance', 200)
  assert.deepEqual(await idle.closed(), { code: 1008, reason: 'not attached' })
  await own.ask('advance', 25_000)
  assert.equal(await code(await RawSocket.openTab(own.port, late)), 4401)
  await own.stop()
})

/* --- attaching --- */

test('attach answers with the whole state; before it every other request is refused; a second one too', async () => {
  const agent = newAgent()
  const tab = await open(agent)
  for (const method of ['ping', 'getCall', 'dial', 'agentReady']) {
    const { error } = await tab.request(method)
    assert.deepEqual([error.code, error.data.code], [-32600, 'protocol.not_attached'], method)
  }
  await door.ask('tell', agent, 2, 'talk')
  const { result } = await tab.request('attach', { tab: 2, client: 'page' }, { id: 7 })
  assert.deepEqual(Object.keys(result), ['tab', 'epoch', 'seq', 'resumed', 'agent', 'tabs', 'snapshot', 'outcomes', 'sounds', 'serverTime'])
  assert.deepEqual([result.tab, result.seq, result.resumed, result.tabs], [2, 1, false, [2]])
  assert.equal(result.snapshot.state, 'talk')
  assert.equal(result.agent.login, String(agent))
  assert.deepEqual((await tab.request('getCall')).result.call, { ...result.snapshot, stateTime: (await tab.request('getCall')).result.call.stateTime })
  const { error } = await tab.request('attach', { tab: 3 })
  assert.deepEqual([error.code, error.data.code], [-32600, 'protocol.already_attached'])
  await isAlive(tab)
  tab.destroy()
})

test('an agent nobody knows is told 4403, and a tab number out of range is refused', async () => {
  const nobody = await open(1_000_001)
  nobody.send(OPCODE.text, '{"jsonrpc":"2.0","id":1,"method":"attach"}')
  assert.equal(await code(nobody), 4403)
  const tab = await open()
  for (const number of [17, -1, '1', 1.5]) assert.equal((await tab.request('attach', { tab: number })).error.code, -32602)
  assert.equal((await tab.request('attach', { tab: 16 })).result.tab, 16)
  tab.destroy()
})

/* --- messages --- */

test('a bad message gets an error and never a dropped socket', async () => {
  const tab = await attached()
  const bad = [
    ['hello', -32700, 'json.malformed'],
    ['', -32700, 'json.malformed'],
    ['{"jsonrpc":"2.0","id":1,"id":2}', -32700, 'json.malformed'],
    [`{"a":${'['.repeat(16)}${']'.repeat(16)}}`, -32700, 'json.too_deep'],
    [JSON.stringify(Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${i}`, 1]))), -32700, 'json.too_large'],
    ['[]', -32600, 'json.not_object'],
    ['{"method":"ping"}', -32600, 'protocol.bad_request'],
    ['{"jsonrpc":"2.0","id":"x","method":"frobnicate"}', -32601, 'protocol.unknown_method'],
    ['{"jsonrpc":"2.0","id":"x","method":"sendDTMF","params":{"digits":"1A"}}', -32602, 'digits.invalid'],
    ['{"jsonrpc":"2.0","id":"x","method":"transferComplete"}', -32602, 'json.missing'],
  ]
  for (const [text, number, word] of bad) {
    tab.send(OPCODE.text, text)
    const { id, error } = await tab.message((message) => message.error)
    assert.deepEqual([error.code, error.data.code], [number, word], text)
    assert.equal(id, text.includes('"x"') ? 'x' : null, text)
  }
  tab.send(OPCODE.binary, '{"jsonrpc":"2.0","id":1,"method":"ping"}')
  assert.equal((await tab.message((message) => message.error)).error.data.code, 'protocol.bad_request')
  await isAlive(tab)
  tab.destroy()
})

const padded = (bytes) => {
  const text = '{"jsonrpc":"2.0","id":"pad","method":"ping"}'
  return text.slice(0, -1) + ' '.repeat(bytes - text.length) + '}'
}

test('a message may have 16 kB; one byte more, in one frame or many, ends with 1009', async () => {
  const fits = await attached()
  fits.send(OPCODE.text, padded(MESSAGE_MAX))
  assert.ok((await fits.message(({ id }) => id === 'pad')).result)
  fits.destroy()
  const one = await attached()
  one.send(OPCODE.text, padded(MESSAGE_MAX + 1))
  assert.equal(await code(one), 1009)
  const many = await attached()
  many.send(OPCODE.text, padded(MESSAGE_MAX), { fin: false })
  many.send(OPCODE.continuation, ' ')
  assert.equal(await code(many), 1009)
})

test('a length that was only announced is refused at once', async () => {
  await Promise.all([MESSAGE_MAX + 1, 1_000_000, 2 ** 52].map(async (length) => {
    const tab = await attached()
    tab.send(OPCODE.text, 'x', { length })
    assert.equal(await code(tab), 1009)
  }))
})

test('64 fragments are put together, empty ones count, and 65 end with 1009', async () => {
  const text = padded(200)
  const send = (tab, pieces) => pieces.forEach((piece, i) => tab.send(i ? OPCODE.continuation : OPCODE.text, piece, { fin: i === pieces.length - 1 }))
  const pieces = (count) => [...text.slice(0, count - 1), text.slice(count - 1)]
  const fits = await attached()
  send(fits, pieces(64))
  assert.ok((await fits.message(({ id }) => id === 'pad')).result)
  send(fits, [...Array(60).fill(''), ...pieces(4)])
  assert.ok((await fits.message(({ id }) => id === 'pad')).result)
  fits.destroy()
  for (const tooMany of [pieces(65), Array(65).fill(''), [...Array(64).fill(''), text]]) {
    const tab = await attached()
    send(tab, tooMany)
    assert.equal(await code(tab), 1009)
  }
})

test('pings between fragments and a byte at a time are fine', async () => {
  const tab = await attached()
  tab.send(OPCODE.text, padded(100).slice(0, 50), { fin: false })
  tab.send(OPCODE.ping, 'between')
  tab.send(OPCODE.continuation, padded(100).slice(50))
  assert.ok((await tab.message(({ id }) => id === 'pad')).result)
  assert.ok(tab.frames.some(({ opcode, payload }) => opcode === OPCODE.pong && payload.toString() === 'between'))
  await tab.drip(frame(OPCODE.text, padded(120)))
  assert.ok((await tab.message(({ id }) => id === 'pad')).result)
  tab.destroy()
})

test('text that is not UTF-8 ends with 1007, a character cut in two by fragments does not', async () => {
  const fine = await attached()
  const [first, second] = [Buffer.from('{"jsonrpc":"2.0","id":"J\xc3', 'latin1'), Buffer.from('\xbc","method":"ping"}', 'latin1')]
  fine.send(OPCODE.text, first, { fin: false })
  fine.send(OPCODE.continuation, second)
  assert.ok(await fine.message(({ id }) => id === 'Jü'))
  fine.destroy()
  for (const bytes of ['\xff\xfe', 'x\xc3', '\xed\xa0\x80', '\xc0\xaf', '\xf4\x90\x80\x80']) {
    const tab = await attached()
    tab.send(OPCODE.text, Buffer.from(bytes, 'latin1'))
    assert.equal(await code(tab), 1007)
  }
})

test('40 messages in a burst are answered, a flood ends with 4429', async () => {
  const tab = await open()
  const burst = Array.from({ length: 40 }, (_, i) => frame(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id: i, method: i ? 'ping' : 'attach' })))
  tab.write(Buffer.concat(burst))
  await until('40 answers', () => tab.messages().length === 40)
  tab.write(Buffer.concat(burst))
  assert.deepEqual(await tab.closed(), { code: 4429, reason: 'too many messages' })
})

test('pongs nobody asked for count as messages', async () => {
  const tab = await attached()
  tab.write(Buffer.concat(Array(60).fill(frame(OPCODE.pong, 'x'))))
  assert.equal(await code(tab), 4429)
})

test('a client that does not wait for the answer to its upgrade gets no socket', async () => {
  const ticket = await door.ticket(newAgent())
  const socket = await RawSocket.connect(door.port)
  socket.write(Buffer.concat([Buffer.from(upgradeHead({ ticket })), frame(OPCODE.text, '{"jsonrpc":"2.0","id":"a","method":"attach"}')]))
  await socket.text(/^HTTP\/1\.1 426 /)
  socket.destroy()
  const tab = await RawSocket.openTab(door.port, ticket)
  tab.destroy()
})

test('broken frames end with 1002', async () => {
  const broken = {
    'a reserved bit': frame(OPCODE.text, 'x', { rsv: 4 }),
    'another reserved bit': frame(OPCODE.text, 'x', { rsv: 1 }),
    'a reserved kind': frame(3, 'x'),
    'a reserved control kind': frame(11, 'x'),
    'a continuation of nothing': frame(OPCODE.continuation, 'x'),
    'a message inside a message': Buffer.concat([frame(OPCODE.text, 'a', { fin: false }), frame(OPCODE.text, 'b')]),
    'a ping in fragments': frame(OPCODE.ping, 'x', { fin: false }),
  }
  // at once: the library waits 5 s for an answer it has made itself unable to read
  await Promise.all(Object.entries(broken).map(async ([what, bytes]) => {
    const tab = await attached()
    tab.write(bytes)
    assert.equal(await code(tab), 1002, what)
  }))
})

test('a ping too long and a length beyond 63 bits end the connection', async () => {
  const lie = Buffer.concat([Buffer.from([0x81, 0xff]), Buffer.alloc(8, 255), Buffer.alloc(104)])
  for (const bytes of [frame(OPCODE.ping, 'x'.repeat(126)), lie]) {
    const tab = await attached()
    tab.write(bytes)
    await tab.closed()
  }
})

/* RFC 6455 5.1 asks for 1002; the library takes them and does not tell us. They do no harm: the test is here so that a
 * change of that is noticed. */
test('frames without a mask are taken like others', async () => {
  const tab = await attached()
  tab.send(OPCODE.text, '{"jsonrpc":"2.0","id":"bare","method":"ping"}', { mask: null })
  assert.ok((await tab.message(({ id }) => id === 'bare')).result)
  tab.destroy()
})

test("a client's close is answered with its code", async () => {
  for (const sent of [1000, 1001, 3000, 4000]) {
    const tab = await attached()
    tab.write(closeFrame(sent, 'bye'))
    assert.equal(await code(tab), sent)
  }
  const empty = await attached()
  empty.send(OPCODE.close, '')
  assert.ok([1000, 1005].includes(await code(empty)))
})

/* --- what control tells --- */

test('two windows of a tab hear the same bytes; other tabs and other agents hear nothing', async () => {
  const agent = newAgent()
  const [first, second, other] = [await attached(agent), await attached(agent), await attached(agent, { tab: 2 })]
  const stranger = await attached()
  for (const state of ['ringing', 'talk', 'talk', 'wrap']) await door.ask('tell', agent, 1, state, `m-${state}`)
  const heard = async (tab) => {
    await until('four events', () => tab.messages().filter(({ method }) => method === 'state' || method === 'update').length === 4)
    return tab.frames.filter(({ payload }) => payload.includes('"seq"') && payload.includes('"call"')).map(({ payload }) => payload.toString())
  }
  const texts = await heard(first)
  assert.deepEqual(await heard(second), texts)
  const events = texts.map((text) => JSON.parse(text))
  assert.deepEqual(events.map(({ method }) => method), ['state', 'state', 'update', 'state'])
  assert.deepEqual(events.map(({ params }) => params.seq), [1, 2, 3, 4])
  assert.deepEqual(events.map(({ params }) => params.call.state), ['ringing', 'talk', 'talk', 'idle'])
  assert.deepEqual(events.map(({ params }) => params.call.commandId), ['m-ringing', 'm-talk', 'm-talk', 'm-wrap'])
  for (const tab of [other, stranger]) {
    await isAlive(tab)
    assert.deepEqual(tab.messages().filter(({ method }) => method), [])
  }
  for (const tab of [first, second, other, stranger]) tab.destroy()
})

test("the agent's state and tabs reach all his windows, a notice reaches everybody", async () => {
  const agent = newAgent()
  const [one, two, stranger] = [await attached(agent), await attached(agent, { tab: 2 }), await attached()]
  await door.ask('agent', agent, 'NotReady')
  await door.ask('tabs', agent)
  await door.ask('notice', agent, 'token.test', 'yours')
  await door.ask('notice', 0, 'storage.degraded', 'everybody')
  for (const tab of [one, two]) {
    assert.equal((await tab.notification('agent')).params.agent.state, 'NotReady')
    assert.deepEqual((await tab.notification('tabs')).params, { tabs: [1, 2] })
    assert.deepEqual((await tab.notification('notice')).params, { code: 'token.test', message: 'yours' })
    assert.equal((await tab.notification('notice')).params.code, 'storage.degraded')
  }
  await stranger.notification('notice')
  assert.deepEqual(stranger.messages().flatMap(({ method, params }) => (method ? [params.code] : [])), ['storage.degraded'])
  for (const tab of [one, two, stranger]) tab.destroy()
})

test('who comes back gets exactly what he missed, or a snapshot', async () => {
  const agent = newAgent()
  const first = await attached(agent)
  await door.ask('tell', agent, 1, 'ringing')
  await first.notification('state')
  first.cut()
  for (const state of ['talk', 'held', 'talk']) await door.ask('tell', agent, 1, state)
  const { epoch } = first.attach
  const back = await open(agent)
  const { result } = await back.request('attach', { tab: 1, epoch, seq: 1 })
  assert.deepEqual([result.resumed, result.seq, result.snapshot.state], [true, 4, 'talk'])
  await door.ask('tell', agent, 1, 'wrap')
  const seqs = () => back.messages().flatMap(({ params }) => params?.seq ?? [])
  await until('the missed and the new event', () => seqs().length === 4)
  assert.deepEqual(seqs(), [2, 3, 4, 5])
  back.destroy()
  for (const [position, resumed] of [[{ epoch, seq: 5 }, true], [{ epoch, seq: 6 }, false], [{ epoch: epoch - 1, seq: 5 }, false], [{ epoch }, false], [{}, false]]) {
    const tab = await open(agent)
    const { result } = await tab.request('attach', { tab: 1, ...position })
    assert.equal(result.resumed, resumed, JSON.stringify(position))
    assert.equal(result.seq, 5)
    await isAlive(tab)
    assert.equal(tab.messages().filter(({ method }) => method).length, 0)
    tab.destroy()
  }
  await door.ask('flood', agent, 1, 1000)
  const late = await open(agent)
  assert.equal((await late.request('attach', { tab: 1, epoch, seq: 4 })).result.resumed, false)
  late.destroy()
})

test('a thousand missed events come whole and in order, live ones behind them', async () => {
  const agent = newAgent()
  const first = await attached(agent)
  const { epoch } = first.attach
  first.destroy()
  await door.ask('flood', agent, 1, 1000)
  const back = await open(agent)
  assert.equal((await back.request('attach', { tab: 1, epoch, seq: 0 })).result.resumed, true)
  await door.ask('flood', agent, 1, 500)
  const seqs = () => back.messages().flatMap(({ params }) => params?.seq ?? [])
  await until('all events', () => back.frames.length >= 1501, 20_000)
  assert.deepEqual(seqs(), Array.from({ length: 1500 }, (_, i) => i + 1))
  await isAlive(back)
  back.destroy()
})

test('a page that is back before its old connection was missed replaces it', async () => {
  const agent = newAgent()
  const old = await attached(agent, { tab: 1, client: 'page-1' })
  const other = [await attached(agent, { tab: 1, client: 'page-2' }), await attached(agent, { tab: 2, client: 'page-1' }), await attached(agent), await attached(undefined, { tab: 1, client: 'page-1' })]
  const young = await attached(agent, { tab: 1, client: 'page-1' })
  assert.deepEqual(await old.closed(), { code: 4409, reason: 'replaced' })
  for (const tab of [...other, young]) {
    await isAlive(tab)
    tab.destroy()
  }
})

test('a reader that is too slow is closed with 4008, costs little memory and slows nobody down', async () => {
  const [slow, fast] = [await attached(), await attached()]
  for (let i = 0; i < 64; i++) await door.ask('flood', newAgent(), 1, 1000) // all there may be for what could be missed
  slow.stopReading()
  const before = await door.stat()
  for (let i = 0; i < 40; i++) await door.ask('flood', slow.agent, 1, 1000)
  const after = await door.statWhen('the slow one is closed', ({ closed_slow }) => closed_slow === before.closed_slow + 1)
  assert.ok(after.rss_kb - before.rss_kb < 8 * 1024, `${after.rss_kb - before.rss_kb} kB`)
  await door.ask('tell', fast.agent, 1, 'talk')
  await fast.notification('state')
  slow.readOn()
  assert.deepEqual(await slow.closed(), { code: 4008, reason: 'too slow' })
  const seqs = slow.messages().flatMap(({ params }) => params?.seq ?? [])
  assert.deepEqual(seqs, seqs.map((_, i) => i + 1)) // whole, in order, up to the cut
  assert.ok(seqs.length < 2000, `${seqs.length} events were taken`)
  fast.destroy()
})

test('a reader that only pauses gets every event, whole and in order, once he reads on', async () => {
  const own = await Door.start('--no-origin', '--queue-messages', '4000', '--queue-bytes', '8000000')
  const tab = await RawSocket.openTab(own.port, await own.ticket())
  await tab.request('attach')
  for (let round = 1; round <= 3; round++) {
    tab.stopReading()
    await own.ask('flood', 1, 1, 1500) // more than the kernel takes: frames are cut anywhere
    await own.ask('notice', 1, 'after.flood', `round-${round}`)
    tab.readOn()
    await tab.notification('notice', 20_000)
    const seqs = tab.messages().flatMap(({ params }) => params?.seq ?? [])
    assert.deepEqual(seqs, Array.from({ length: 1500 * round }, (_, i) => i + 1))
    assert.equal(tab.messages().at(-1).params.message, `round-${round}`)
  }
  assert.equal((await own.stat()).closed_slow, 0)
  tab.destroy()
  await own.stop()
})

/* --- commands --- */

test("a command reaches control as the connection's own agent and tab, whatever it says", async () => {
  const tab = await attached(undefined, { tab: 3 })
  const { result } = await tab.request('dial', { number: '+15550100', agent: 1, agentId: '01000000-0000-7000-8000-000000000001', tab: 9 }, { id: 'k-1' })
  assert.deepEqual(Object.keys(result), ['callId', 'dtCallId', 'tab'])
  assert.equal(result.tab, 3)
  const [command] = (await door.ask('commands')).commands
  assert.deepEqual([command.agent, command.tab, command.id, command.number], [tab.agent, 3, 'k-1', '+15550100'])
  await tab.request('transferComplete', { callTab: 2 }, { id: 99 })
  const [complete] = (await door.ask('commands')).commands
  assert.deepEqual([complete.agent, complete.tab, complete.otherTab, complete.id], [tab.agent, 3, 2, '99'])
  tab.destroy()
})

test('what control refuses comes back with number, code and target', async () => {
  const tab = await attached()
  for (const [status, number] of [['conflict', -32010], ['forbidden', -32011], ['unavailable', -32012], ['internal', -32603]]) {
    await door.ask('answer', status, 'test.word')
    const { error } = await tab.request('hold')
    assert.deepEqual(error, { code: number, message: 'it was asked for', data: { code: 'test.word', target: 'tab' } })
  }
  await door.ask('answer', 'ok')
  tab.destroy()
})

test('answers that come late go to nobody, and too many unanswered commands are refused', async () => {
  await door.ask('answer', 'hold')
  const gone = await attached()
  gone.send(OPCODE.text, '{"jsonrpc":"2.0","id":"x","method":"hold"}')
  await until('the command has arrived', async () => (await door.ask('commands')).commands?.some(({ agent }) => agent === gone.agent))
  gone.cut()
  const busy = await Door.start('--no-origin', '--rate', '1000', '--burst', '1000')
  await busy.ask('answer', 'hold')
  const tab = await RawSocket.openTab(busy.port, await busy.ticket())
  await tab.request('attach')
  const answers = Array.from({ length: 65 }, () => tab.request('hold'))
  assert.equal((await answers[64]).error.data.code, 'protocol.busy')
  await busy.ask('answer', 'ok')
  assert.ok((await Promise.all(answers.slice(0, 64))).every(({ result }) => result))
  tab.destroy()
  await busy.stop()
  await door.statWhen('the socket is gone', ({ open }) => open === 0)
  await door.ask('answer', 'ok')
})

/* --- the end --- */

test('a session that ends takes its sockets and its tickets with it, and no others', async () => {
  const [agent, session] = [newAgent(), 900_001]
  const mine = [await RawSocket.openTab(door.port, await door.ticket(agent, '-', session)), await RawSocket.openTab(door.port, await door.ticket(agent, '-', session))]
  for (const tab of mine) await tab.request('attach')
  const theirs = await attached(agent)
  const unused = await door.ticket(agent, '-', session)
  await door.ask('end', session)
  for (const tab of mine) assert.deepEqual(await tab.closed(), { code: 4401, reason: 'session ended' })
  assert.equal(await code(await RawSocket.openTab(door.port, unused)), 4401)
  await isAlive(theirs)
  theirs.destroy()
})

test('a minute before its session ends a tab is told, then it is closed', async () => {
  const own = await Door.start('--no-origin', '--ping-s', '3600')
  const tab = await RawSocket.openTab(own.port, await own.ticket(1, '-', 1, 600_000))
  await tab.request('attach')
  await own.ask('advance', 539_000)
  await until('alive and not told', async () => (await tab.request('ping')).result && !tab.messages().some(({ method }) => method))
  await own.ask('advance', 1500)
  assert.equal((await tab.notification('notice')).params.code, 'token.expiring')
  await own.ask('advance', 60_000)
  assert.deepEqual(await tab.closed(), { code: 4401, reason: 'session ended' })
  await own.stop()
})

test('a restart closes all with 1012 and spreads their return; who comes meanwhile is told the same', async () => {
  const own = await Door.start('--no-origin')
  const tabs = await Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const tab = await RawSocket.openTab(own.port, await own.ticket(i + 1))
    await tab.request('attach')
    return tab
  }))
  const late = await own.ticket(99)
  await own.ask('close', 1012, 5000)
  const ends = await Promise.all(tabs.map((tab) => tab.closed()))
  const waits = ends.map(({ code: each, reason }) => each === 1012 && Number(/^retry=(\d+)$/.exec(reason)[1]))
  assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) <= 5000, String(waits))
  assert.ok(new Set(waits).size > 20, String(waits))
  assert.equal(await code(await RawSocket.openTab(own.port, late)), 1012)
  await own.statWhen('all are gone', ({ connections, present, open }) => connections + present + open === 0)
  await own.stop()
})

test('who does not answer a close is dropped after three seconds', async () => {
  const own = await Door.start('--no-origin')
  const tab = await RawSocket.openTab(own.port, await own.ticket())
  await tab.request('attach')
  await own.ask('close', 1001)
  await until('the close has come', () => tab.frames.some(({ opcode }) => opcode === OPCODE.close))
  assert.equal(tab.end, null)
  await own.ask('advance', 3100)
  await until('the connection is cut', () => tab.end)
  await own.statWhen('it is gone', ({ connections }) => connections === 0)
  tab.destroy()
  await own.stop()
})

test('a peer that is there is pinged and kept, one that is silent is found', async () => {
  const own = await Door.start('--no-origin', '--ping-s', '1')
  const [here, gone] = [await RawSocket.openTab(own.port, await own.ticket(1)), await RawSocket.openTab(own.port, await own.ticket(2))]
  await Promise.all([here.request('attach'), gone.request('attach')])
  gone.silence()
  const began = performance.now()
  await until('the silent one is cut', () => gone.end, 8000)
  const seconds = (performance.now() - began) / 1000
  assert.ok(seconds > 2.3, `${seconds} s`)
  assert.equal(here.end, null)
  const pings = here.frames.filter(({ opcode }) => opcode === OPCODE.ping)
  assert.ok(pings.length >= 2 && pings.length <= seconds + 2, `${pings.length} pings in ${seconds} s`)
  assert.ok(pings.every(({ payload, masked, fin }) => payload.length >= 1 && !masked && fin))
  await own.statWhen('one is left', ({ present, open }) => present === 1 && open === 1)
  here.destroy()
  gone.destroy()
  await own.stop()
})

test('a connection that is cut in mid-frame leaves nothing behind', async () => {
  const before = await door.statWhen('nobody is there', ({ open, present }) => open + present === 0)
  for (const bytes of [frame(OPCODE.text, 'x'.repeat(5000)).subarray(0, 3000), frame(OPCODE.text, '{', { fin: false }), Buffer.from([0x81])]) {
    const tab = await attached()
    await tab.write(bytes)
    tab.cut()
  }
  await door.statWhen('all are gone', ({ connections, open, present }) => connections + open + present === 0)
  assert.equal((await door.stat()).tickets, before.tickets)
})
