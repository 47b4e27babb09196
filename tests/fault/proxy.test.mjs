/* The fault proxy does what it says: each fault once, on an echo server. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { until } from '../support/until.mjs'
import { COMMITS, FaultProxy } from './proxy.mjs'

let server
let peers // the server's side of each connection: {socket, text, end}
let proxy
const clients = []

before(async () => {
  peers = []
  server = net.createServer({ allowHalfOpen: true }, (socket) => peers.push(watched(socket)))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
})
after(() => server.close())
afterEach(async () => {
  for (const { socket } of [...clients, ...peers]) socket.destroy()
  clients.length = peers.length = 0
  await proxy.stop()
})

function watched(socket) {
  const one = { socket, text: '', chunks: 0, end: null, at: [] }
  socket.on('data', (data) => {
    one.text += data.toString('latin1')
    one.chunks++
    one.at.push(performance.now())
  })
  socket.on('end', () => (one.end ??= 'fin'))
  socket.on('error', (error) => (one.end ??= error.code))
  socket.on('close', () => (one.end ??= 'closed'))
  return one
}

async function through(options = {}) {
  proxy = await FaultProxy.start({ upstream: { port: server.address().port }, ...options })
  return connect()
}

async function connect() {
  const client = watched(net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }))
  clients.push(client)
  const count = clients.length
  await until('the server has the connection', () => peers.length === count)
  return { client, peer: peers[count - 1] }
}

const heard = (one, text, ms) => until(`"${text}" arrives (${one.text})`, () => one.text === text, ms)
const ended = (one, how) => until(`the end is ${how}`, () => one.end === how)

test('bytes pass both ways and are counted', async () => {
  const { client, peer } = await through()
  client.socket.write('hello')
  await heard(peer, 'hello')
  peer.socket.write('good day')
  await heard(client, 'good day')
  assert.deepEqual([proxy.counters.bytesUp, proxy.counters.bytesDown], [5, 8])
})

test('an end of one side is an end of the other, and half an end is half an end', async () => {
  const { client, peer } = await through()
  client.socket.end('last words')
  await heard(peer, 'last words')
  await ended(peer, 'fin')
  peer.socket.end('answer')
  await heard(client, 'answer')
  await ended(client, 'fin')
  await until('the proxy has forgotten it', () => proxy.links.size === 0)
})

test('latency holds bytes up, jitter never reorders them', async () => {
  const { client, peer } = await through({ seed: 3 })
  proxy.set({ latencyMs: 40, jitterMs: 30 })
  const began = performance.now()
  let all = ''
  for (let i = 0; i < 30; i++) {
    client.socket.write(`${i},`)
    all += `${i},`
  }
  await heard(peer, all)
  assert.ok(peer.at[0] - began >= 39, `first after ${peer.at[0] - began} ms`)
})

test('bandwidth is limited', async () => {
  const { client, peer } = await through()
  proxy.set({ bytesPerS: 100_000 })
  const began = performance.now()
  client.socket.write('x'.repeat(20_000))
  await until('all of it', () => peer.text.length === 20_000)
  assert.ok(performance.now() - began >= 190)
})

test('slices arrive one by one', async () => {
  const { client, peer } = await through()
  proxy.set({ sliceBytes: 1 })
  client.socket.write('0123456789')
  await heard(peer, '0123456789')
  assert.ok(peer.chunks > 1, `${peer.chunks} pieces`)
})

test('a reset is a reset for both', async () => {
  const { client, peer } = await through()
  assert.equal(proxy.rst(), 1)
  await ended(client, 'ECONNRESET')
  await ended(peer, 'ECONNRESET')
})

test('a FIN comes from both', async () => {
  const { client, peer } = await through()
  proxy.fin()
  await ended(client, 'fin')
  await ended(peer, 'fin')
})

test('a black hole swallows one way or both, and healing loses nothing', async () => {
  const { client, peer } = await through()
  proxy.blackhole(undefined, 'up')
  client.socket.write('up')
  peer.socket.write('down')
  await heard(client, 'down')
  assert.equal(peer.text, '')
  proxy.blackhole()
  peer.socket.write('!')
  client.socket.end()
  proxy.heal()
  await heard(peer, 'up')
  await heard(client, 'down!')
  await ended(peer, 'fin')
})

test('one that was forgotten half is never told', async () => {
  const { client, peer } = await through()
  proxy.halfOpen('server')
  await ended(client, 'ECONNRESET')
  peer.socket.write('anybody there?')
  client.socket.destroy()
  const other = await connect() // as long as another needs to be made, it has heard nothing
  assert.equal(peer.end, null)
  assert.equal(other.peer.end, null)
})

test('a cut after so many bytes passes exactly these', async () => {
  const { client, peer } = await through()
  proxy.cutAfter({ direction: 'up', bytes: 7, how: 'fin' })
  client.socket.write('0123')
  client.socket.write('456789')
  await ended(peer, 'fin')
  assert.equal(peer.text, '0123456')
  assert.equal(proxy.counters.cut, 1)
})

test('a cut after a pattern passes it, also when it comes in pieces, and no answer comes back', async () => {
  const { client, peer } = await through()
  const cut = proxy.cutAfter({ pattern: COMMITS, how: 'rst' })
  peer.socket.on('data', () => peer.socket.write('done'))
  client.socket.write(Buffer.from([0x53, 0, 0]))
  await heard(peer, 'S\0\0')
  client.socket.write(Buffer.from([0, 4, 0x51]))
  await ended(client, 'ECONNRESET')
  assert.deepEqual([cut.left, peer.text], [0, 'S\0\0\0\x04'])
})

test('only those connections are cut that were meant', async () => {
  const { client, peer } = await through()
  proxy.note('writer', 'insert')
  proxy.cutAfter({ pattern: 'commit', only: (link) => link.notes.has('writer') })
  client.socket.write('select commit')
  await heard(peer, 'select commit')
  client.socket.write(' insert')
  await heard(peer, 'select commit insert')
  client.socket.write(' commit')
  await ended(client, 'ECONNRESET')
})

test('newcomers are refused, or taken and never answered', async () => {
  await through()
  proxy.newcomers = 'refuse'
  const refused = watched(net.connect(proxy.port, '127.0.0.1'))
  await ended(refused, 'ECONNRESET')
  proxy.newcomers = 'silent'
  const silent = watched(net.connect(proxy.port, '127.0.0.1'))
  clients.push(silent)
  await until('it is taken', () => !silent.socket.connecting)
  assert.equal(peers.length, 1)
})

test('the upstream may be a unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calltab-proxy-'))
  const path = join(folder, 's')
  const one = net.createServer((socket) => socket.end('unix'))
  await new Promise((resolve) => one.listen(path, resolve))
  proxy = await FaultProxy.start({ upstream: { path } })
  const client = watched(net.connect(proxy.port, '127.0.0.1'))
  clients.push(client)
  await heard(client, 'unix')
  await new Promise((resolve) => one.close(resolve))
  rmSync(folder, { recursive: true })
})

test('the same seed gives the same chances', async () => {
  const draw = async () => {
    const made = await FaultProxy.start({ upstream: { port: 1 }, seed: 11 })
    const drawn = Array.from({ length: 5 }, () => made.random.next())
    await made.stop()
    return drawn
  }
  assert.deepEqual(await draw(), await draw())
  proxy = await FaultProxy.start({ upstream: { port: 1 } })
})
