/* The one port on the wire: which door a connection gets, and what happens to those that never say. Every odd head has
 * its row in tests/unit/server/upgrade_check_test.c; here are those that a library behind the door would mistake. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Door } from '../support/door.mjs'
import { RawSocket, upgradeHead } from '../support/rawsocket.mjs'
import { until } from '../support/until.mjs'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'

let door
before(async () => {
  door = await Door.start('--no-origin')
})
after(() => door.stop())

async function answerTo(text, where = door.port) {
  const socket = await RawSocket.connect(where)
  socket.write(text)
  const answer = await socket.text(/\r\n\r\n/)
  socket.destroy()
  return answer
}

async function canOpen(where, ticket) {
  const tab = await RawSocket.openTab(where, ticket)
  assert.ok((await tab.request('attach')).result)
  tab.destroy()
}

test('heads that could be read in two ways never reach the tab door', async () => {
  const head = (fields) => upgradeHead({ fields })
  const odd = {
    'two Upgrades, h2c first': head({ Upgrade: ['h2c', 'websocket'] }),
    'two Upgrades, h2c last': head({ Upgrade: ['websocket', 'h2c'] }),
    'a list in Upgrade': head({ Upgrade: 'h2c, websocket' }),
    'only h2c': head({ Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' }),
    'h2c settings': head({ 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' }),
    'a bare LF before h2c': head({ 'X-A': 'a\nUpgrade: h2c' }),
    'a bare CR before h2c': head({ 'X-A': 'a\rUpgrade: h2c' }),
    'a folded h2c': head({ 'X-A': 'a\r\n Upgrade: h2c' }),
    'NUL': head({ 'X-A': 'a\0b' }),
    'a body': head({ 'Content-Length': '5' }) + 'hello',
    'a chunked body': head({ 'Transfer-Encoding': 'chunked' }) + '0\r\n\r\n',
    'HTTP/1.0': upgradeHead({ version: 'HTTP/1.0' }),
    'no key': head({ 'Sec-WebSocket-Key': null }),
    'version 8': head({ 'Sec-WebSocket-Version': '8' }),
    'a space before the colon': head({ 'X-A ': 'a' }),
    'no sub-protocol': head({ 'Sec-WebSocket-Protocol': null }),
    'another sub-protocol': head({ 'Sec-WebSocket-Protocol': 'chat, superchat' }),
    'a query': upgradeHead({ path: '/ws?a=b' }),
    'a plain request': 'GET /ws HTTP/1.1\r\nHost: a\r\n\r\n',
  }
  const before = await door.stat()
  for (const [what, text] of Object.entries(odd)) assert.match(await answerTo(text), /^HTTP\/1\.[01] 4\d\d /, what)
  const now = await door.stat()
  assert.equal(now.given_ws, before.given_ws)
  assert.equal(now.upgrades_refused - before.upgrades_refused, Object.keys(odd).length)
})

test('HTTP/2 with prior knowledge, TLS and garbage are HTTP side business, at once', async () => {
  for (const bytes of ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', Buffer.from('16030100a5010000a10303', 'hex'), 'hello\r\n\r\n']) {
    const before = await door.stat()
    const socket = await RawSocket.connect(door.port)
    socket.write(bytes)
    await door.statWhen('it was given away', ({ given_http }) => given_http === before.given_http + 1)
    socket.destroy()
  }
})

test('requests on one connection, together or a byte at a time, are all answered', async () => {
  const socket = await RawSocket.connect(door.port)
  socket.write(GET.repeat(5))
  await socket.text(/(http GET \/x\n[^]*){5}/)
  await socket.drip(GET)
  await socket.text(/(http GET \/x\n[^]*){6}/)
  socket.destroy()
})

test('an upgrade may come a byte at a time', async () => {
  const socket = await RawSocket.connect(door.port)
  await socket.drip(upgradeHead({ ticket: await door.ticket(1) }))
  await socket.upgraded()
  assert.ok((await socket.request('attach')).result)
  socket.destroy()
})

test('a connection that asked for HTTP stays with it: an upgrade on it gets 426', async () => {
  const socket = await RawSocket.connect(door.port)
  socket.write(GET)
  await socket.text(/http GET \/x/)
  socket.write(upgradeHead({ ticket: await door.ticket(1) }))
  await socket.text(/HTTP\/1\.1 426 /)
  socket.destroy()
})

test('a request whose sender has closed his half is still answered', async () => {
  const socket = await RawSocket.connect(door.port)
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  socket.halfClose()
  assert.match(await socket.allText(), /http GET \/x/)
})

test('a head above 8 kB is refused by the HTTP side', async () => {
  const tab = upgradeHead({ ticket: await door.ticket(1), fields: { 'X-Long': 'x'.repeat(9000) } })
  assert.match(await answerTo(tab), /^HTTP\/1\.1 4\d\d /)
})

test('who is silent or stops in mid-head is closed in time, and costs nothing meanwhile', async () => {
  const own = await Door.start('--no-origin', '--head-ms', '700')
  const halves = await Promise.all(['', 'G', 'GET /ws', upgradeHead({}).slice(0, -1)].map(async (text) => {
    const socket = await RawSocket.connect(own.port)
    if (text) socket.write(text)
    return socket
  }))
  const waiting = await own.statWhen('all are in', ({ accepted }) => accepted === 4)
  for (const socket of halves) assert.equal(await socket.allText(), '')
  const done = await own.statWhen('all were late', ({ late, undecided }) => late === 4 && undecided === 0)
  assert.ok(done.cpu_us - waiting.cpu_us < 300_000, `${done.cpu_us - waiting.cpu_us} us of CPU`)
  await canOpen(own.port, await own.ticket())
  await own.stop()
})

test('a crowd that says nothing does not keep others out', async () => {
  const own = await Door.start('--no-origin', '--max-connections', '200')
  const crowd = await Promise.all(Array.from({ length: 250 }, () => RawSocket.connect(own.port)))
  await own.statWhen('all were taken', ({ accepted }) => accepted === 250)
  await canOpen(own.port, await own.ticket())
  const { crowded, undecided } = await own.stat()
  assert.ok(undecided <= 100, `${undecided} wait`)
  assert.ok(crowded >= 150, `${crowded} were closed`)
  for (const socket of crowd) socket.destroy()
  await own.stop()
})

test('at the limit of connections the next ones are refused in words, and served when there is room', async () => {
  const own = await Door.start('--no-origin', '--max-connections', '40')
  const held = await Promise.all(Array.from({ length: 40 }, async () => {
    const socket = await RawSocket.connect(own.port)
    socket.write(GET)
    await socket.text(/http GET/)
    return socket
  }))
  const flood = await Promise.all(Array.from({ length: 100 }, () => RawSocket.connect(own.port)))
  for (const socket of flood) socket.write(GET)
  const full = await own.statWhen('it pauses', ({ pauses }) => pauses > 5)
  assert.equal(full.http, 40)
  assert.equal(full.accepted, 40)
  for (const socket of flood) {
    await socket.text(/^HTTP\/1\.1 503 [^]*\r\nRetry-After: [1-5]\r\n[^]*"code":"overload\.connections"/)
    socket.destroy()
  }
  assert.equal((await own.stat()).accepted, 40)
  for (const socket of held) socket.destroy()
  await until('somebody is served', async () => /^HTTP\/1\.1 200|http GET/.test(await answerTo(GET, own.port)))
  await canOpen(own.port, await own.ticket())
  await own.stop()
})

test('without descriptors it pauses, neither spins nor dies, and goes on when there are some', async () => {
  const own = await Door.start('--no-origin')
  const tab = await RawSocket.openTab(own.port, await own.ticket())
  await tab.request('attach')
  await own.ask('nofile', 3)
  const waiting = await Promise.all(Array.from({ length: 20 }, () => RawSocket.connect(own.port)))
  for (const socket of waiting) socket.write(GET)
  const { pauses, cpu_us } = await own.stat()
  const began = performance.now()
  const later = await own.statWhen('it has paused 20 times', (stat) => stat.pauses >= pauses + 20)
  assert.ok(later.cpu_us - cpu_us < 300_000, `${later.cpu_us - cpu_us} us of CPU in 400 ms and more`)
  assert.ok(performance.now() - began >= 19 * 20, 'each pause lasts')
  assert.ok((await tab.request('ping')).result, 'who was there is served')
  await own.ask('nofile', 0)
  for (const socket of waiting) {
    await socket.text(/http GET/)
    socket.destroy()
  }
  tab.destroy()
  await own.stop()
})

test('a port in use is told with the address and what to do, and nothing is left running', async () => {
  const refusal = await Door.start('--listen', `127.0.0.1:${door.port}`).then(() => assert.fail('it listens'), (error) => error)
  assert.equal(refusal.code, 1)
  assert.match(refusal.stderr, new RegExp(`listen\\.in_use: cannot listen on 127\\.0\\.0\\.1:${door.port}: another program listens there`))
  await canOpen(door.port, await door.ticket(1))
})

test('it listens on a unix socket and on IPv6, and takes over the file of one that was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calltab-front-'))
  const path = join(folder, 's')
  const killed = await Door.start('--no-origin', '--listen', `unix:${path}`)
  process.kill(killed.pid, 'SIGKILL')
  await until('it is dead', () => killed.exit)
  assert.ok(existsSync(path))
  const own = await Door.start('--no-origin', '--listen', `unix:${path}`)
  assert.match(await answerTo(GET, path), /http GET \/x/)
  await canOpen(path, await own.ticket())
  await own.stop()
  assert.ok(!existsSync(path))
  rmSync(folder, { recursive: true })
  if (await hasIPv6()) {
    const six = await Door.start('--no-origin', '--listen', '[::1]:0')
    const socket = await RawSocket.connect(six.port, { host: '::1' })
    socket.write(GET)
    await socket.text(/http GET \/x/)
    socket.destroy()
    await six.stop()
  }
})

function hasIPv6() {
  return new Promise((resolve) => {
    const server = net.createServer().once('error', () => resolve(false))
    server.listen(0, '::1', () => server.close(() => resolve(true)))
  })
}

test('after the end of accepting nobody new comes in, who is there stays', async () => {
  const own = await Door.start('--no-origin')
  const tab = await RawSocket.openTab(own.port, await own.ticket())
  await tab.request('attach')
  await own.ask('stop-accepting')
  await until('connections are refused', () => RawSocket.connect(own.port).then((socket) => socket.destroy(), () => true))
  assert.ok((await tab.request('ping')).result)
  tab.destroy()
  await own.stop()
})

test('a thousand pages that come back at once are all served', async () => {
  const own = await Door.start('--no-origin')
  const { tickets } = await own.ask('tickets', 1, 1000)
  const tabs = await Promise.all(tickets.map((ticket) => RawSocket.openTab(own.port, ticket)))
  const answers = await Promise.all(tabs.map((tab) => tab.request('attach')))
  assert.ok(answers.every(({ result }) => result))
  const { open, present, late, crowded } = await own.stat()
  assert.deepEqual({ open, present, late, crowded }, { open: 1000, present: 1000, late: 0, crowded: 0 })
  for (const tab of tabs) tab.destroy()
  await own.statWhen('all are gone', ({ connections }) => connections === 0)
  await own.stop()
})
