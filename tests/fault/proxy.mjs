/* A TCP proxy that does to connections what networks do. It stands between a tab and the gateway, the gateway and its
 * switch, the gateway and PostgreSQL; the upstream may be a port or a unix socket.
 *
 *   const proxy = await FaultProxy.start({ upstream: { port: 8080 }, seed: 7 })
 *   proxy.set({ latencyMs: 5, jitterMs: 3, bytesPerS: 100_000, sliceBytes: 1 })   // all connections, also later ones
 *   proxy.rst(); proxy.fin(); proxy.blackhole(); proxy.heal(); proxy.halfOpen('server')
 *   proxy.cutAfter({ direction: 'up', pattern: COMMITS, how: 'rst', times: 200 })
 *   proxy.newcomers = 'refuse'                                                     // 'pass', 'silent'
 *   proxy.counters                                                                 // what happened
 *
 * Every fault can be given to some: proxy.rst((link) => link.number === 3). `up` is from the client to the upstream. */
import net from 'node:net'
import { seeded } from '../support/random.mjs'
import { Lane } from './lane.mjs'

/* The end of a transaction on PostgreSQL's wire: a Sync (a pipeline is committed by it), or the word itself. */
export const COMMITS = [Buffer.from([0x53, 0, 0, 0, 4]), Buffer.from('commit\0'), Buffer.from('COMMIT\0')]

const SLICED_AT_ONCE = 64 * 1024

export class FaultProxy {
  #server
  #cuts = []
  #notes = []
  #faults = {}
  links = new Set()
  newcomers = 'pass'
  counters = { connections: 0, refused: 0, bytesUp: 0, bytesDown: 0, rst: 0, fin: 0, blackhole: 0, halfOpen: 0, cut: 0 }

  static async start(options) {
    const proxy = new FaultProxy(options)
    await proxy.#listen()
    return proxy
  }

  constructor({ upstream, seed = 1 }) {
    this.upstream = upstream
    this.random = seeded(seed)
  }

  async #listen() {
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => this.#take(socket))
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.port = this.#server.address().port
  }

  #take(socket) {
    socket.on('error', () => {})
    if (this.newcomers === 'refuse') {
      this.counters.refused++
      socket.resetAndDestroy()
      return
    }
    const link = new Link(this, socket, ++this.counters.connections)
    Object.assign(link.faults, this.#faults)
    this.links.add(link)
    if (this.newcomers === 'silent') socket.pause()
    else link.connect(this.upstream)
  }

  #each(only, run) {
    const chosen = [...this.links].filter(only ?? (() => true))
    for (const link of chosen) run(link)
    return chosen.length
  }

  /* latencyMs, jitterMs, bytesPerS (0 = no limit), sliceBytes (0 = as they come). */
  set(faults, only) {
    if (!only) Object.assign(this.#faults, faults)
    return this.#each(only, (link) => Object.assign(link.faults, faults))
  }

  rst(only) {
    return this.#each(only, (link) => link.rst())
  }

  fin(only) {
    return this.#each(only, (link) => link.fin())
  }

  /* direction: 'up', 'down' or both. Nothing is lost by it until the connection is given up: bytes wait, as in a network
   * that sends them again. */
  blackhole(only, direction) {
    return this.#each(only, (link) => link.blackhole(direction))
  }

  heal(only) {
    return this.#each(only, (link) => link.heal())
  }

  /* One side is gone; the other, 'server' or 'client', is never told. */
  halfOpen(keep, only) {
    return this.#each(only, (link) => link.halfOpen(keep))
  }

  /* Cuts a connection when so many bytes, or the end of one of the patterns, have been passed on in that direction. how: rst,
   * fin, blackhole, halfOpen. times: how many connections. link: this one only; only(link): which others. Bytes are counted
   * from now. Returns the cut, whose `left` counts down. */
  cutAfter({ direction = 'up', bytes, pattern, how = 'rst', times = 1, link, only = () => true }) {
    const patterns = pattern === undefined ? [] : [pattern].flat().map((each) => Buffer.from(each))
    const cut = { direction, bytes, patterns, how, left: times, only }
    const cuts = link ? link.cuts : this.#cuts
    cuts.push(cut)
    for (const each of link ? [link] : this.links) each.countFromNow(direction)
    return cut
  }

  forgetCuts() {
    this.#cuts = []
  }

  /* Connections through which the pattern went get the name: link.notes.has(name). */
  note(name, pattern, direction = 'up') {
    this.#notes.push({ name, pattern: Buffer.from(pattern), direction })
  }

  async stop() {
    for (const link of this.links) link.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /* --- for links --- */

  /* Where in these bytes the connection is to be cut, and how; null: nowhere. */
  look(link, direction, before, tail, chunk) {
    const seen = Buffer.concat([tail, chunk])
    for (const { name, pattern, direction: wanted } of this.#notes) if (wanted === direction && seen.includes(pattern)) link.notes.add(name)
    this.#cuts = this.#cuts.filter(({ left }) => left > 0)
    for (const cut of [...link.cuts, ...this.#cuts]) {
      if (cut.direction !== direction || cut.left <= 0 || !cut.only(link)) continue
      const at = cut.patterns.length ? endOfFirst(cut.patterns, seen, tail.length) : cut.bytes - before
      if (at === null || at > chunk.length) continue
      cut.left--
      return { at: Math.max(0, at), how: cut.how }
    }
    return null
  }
}

/* How many bytes of the chunk belong to what ends with the first pattern; null: there is none. */
function endOfFirst(patterns, seen, tailLength) {
  let first = null
  for (const pattern of patterns) {
    const at = seen.indexOf(pattern, Math.max(0, tailLength - pattern.length + 1))
    if (at >= 0 && (first === null || at + pattern.length < first)) first = at + pattern.length
  }
  return first === null ? null : first - tailLength
}

const TAIL = 64 // longest pattern

/* A unix socket has no reset: its end is one. */
function reset(socket) {
  if (!socket || socket.destroyed) return
  if (socket.remoteAddress) socket.resetAndDestroy()
  else socket.destroy()
}

class Link {
  faults = { latencyMs: 0, jitterMs: 0, bytesPerS: 0, sliceBytes: 0 }
  notes = new Set()
  cuts = []
  isOver = false

  constructor(proxy, client, number) {
    Object.assign(this, { proxy, client, number })
    this.ways = { up: this.#way('up'), down: this.#way('down') }
    client.setNoDelay(true)
    client.on('close', () => this.#ended('client'))
  }

  #way(direction) {
    return { direction, lane: new Lane(), passed: 0, tail: Buffer.alloc(0), isHeld: false, isCut: false, isEnded: false, waiting: 0, freeAt: 0 }
  }

  connect(upstream) {
    this.server = net.connect({ ...upstream, allowHalfOpen: true })
    if (!upstream.path) this.server.setNoDelay(true)
    this.server.on('error', () => {})
    this.server.on('close', () => this.#ended('server'))
    this.#pump(this.client, this.server, this.ways.up)
    this.#pump(this.server, this.client, this.ways.down)
  }

  #pump(from, to, way) {
    from.on('data', (chunk) => this.#pass(from, to, way, chunk))
    from.on('end', () => way.lane.put(0, () => {
      way.isEnded = true
      if (!way.isCut && !way.isHeld) to.end()
    }))
    to.on('drain', () => way.isHeld || from.resume())
  }

  #pass(from, to, way, chunk) {
    if (way.isCut || this.isOver) return
    const cut = this.proxy.look(this, way.direction, way.passed, way.tail, chunk)
    const bytes = cut ? chunk.subarray(0, cut.at) : chunk
    way.tail = Buffer.concat([way.tail, bytes]).subarray(-TAIL)
    way.passed += bytes.length
    this.proxy.counters[way.direction === 'up' ? 'bytesUp' : 'bytesDown'] += bytes.length
    way.isCut = cut !== null
    const { latencyMs, jitterMs } = this.faults
    const delay = latencyMs + (jitterMs ? this.proxy.random.between(0, jitterMs) : 0) + this.#bandwidthDelay(way, bytes.length)
    way.lane.put(delay, () => this.#write(from, to, bytes, cut))
  }

  #bandwidthDelay(way, length) {
    if (!this.faults.bytesPerS) return 0
    const now = performance.now()
    way.freeAt = Math.max(way.freeAt, now) + (length / this.faults.bytesPerS) * 1000
    return way.freeAt - now
  }

  #write(from, to, bytes, cut) {
    if (this.isOver || to.destroyed) return
    const then = cut ? () => this.#cut(cut.how) : undefined
    const { sliceBytes } = this.faults
    if (bytes.length === 0) return then?.()
    if (sliceBytes && bytes.length <= SLICED_AT_ONCE) return this.#slice(from, to, bytes, sliceBytes, then)
    if (!to.write(bytes, then)) from.pause()
  }

  /* Each piece goes out, and the reader gets a turn, before the next is given to the kernel. */
  #slice(from, to, bytes, size, then) {
    from.pause()
    const next = (at) => {
      if (this.isOver || to.destroyed) return
      if (at < bytes.length) return void to.write(bytes.subarray(at, at + size), () => setImmediate(next, at + size))
      if (then) then()
      else if (!this.ways.up.isHeld && !this.ways.down.isHeld) from.resume()
    }
    next(0)
  }

  #cut(how) {
    this.proxy.counters.cut++
    if (how === 'halfOpen') this.halfOpen('server')
    else this[how]()
  }

  countFromNow(direction) {
    this.ways[direction].passed = 0
  }

  /* --- faults --- */

  rst() {
    this.proxy.counters.rst++
    this.#over()
    for (const socket of [this.client, this.server]) reset(socket)
  }

  fin() {
    this.proxy.counters.fin++
    this.#over()
    for (const socket of [this.client, this.server]) socket?.end()
    // whoever does not answer a FIN by one is not waited for
    setTimeout(() => this.destroy(), 1000).unref()
  }

  blackhole(direction) {
    this.proxy.counters.blackhole++
    if (direction !== 'down') this.#hold(this.ways.up, this.client)
    if (direction !== 'up') this.#hold(this.ways.down, this.server)
  }

  #hold(way, from) {
    way.isHeld = true
    from?.pause()
  }

  heal() {
    for (const [way, from, to] of [[this.ways.up, this.client, this.server], [this.ways.down, this.server, this.client]]) {
      if (!way.isHeld) continue
      way.isHeld = false
      from?.resume()
      if (way.isEnded && !way.isCut) to?.end()
    }
  }

  halfOpen(keep) {
    this.proxy.counters.halfOpen++
    const [kept, gone] = keep === 'server' ? [this.server, this.client] : [this.client, this.server]
    for (const way of Object.values(this.ways)) way.isCut = true
    this.isForgotten = keep
    kept?.resume() // what it still says is heard by nobody
    reset(gone)
  }

  #ended(side) {
    if (this.isForgotten && side !== this.isForgotten) return
    if (!this.isForgotten && !this.isOver) this.#follow(side)
    const others = [this.client, this.server].filter((socket) => socket && !socket.destroyed)
    if (others.length === 0 || this.isForgotten) this.destroy()
  }

  /* One side is gone for good: the other hears of it unless nothing gets through. */
  #follow(side) {
    const way = side === 'client' ? this.ways.up : this.ways.down
    const other = side === 'client' ? this.server : this.client
    if (way.isHeld) way.isEnded = true
    else way.lane.put(0, () => other?.destroy())
  }

  #over() {
    this.isOver = true
    for (const way of Object.values(this.ways)) way.lane.drop()
    this.proxy.links.delete(this)
  }

  destroy() {
    this.#over()
    this.client.destroy()
    this.server?.destroy()
  }
}
