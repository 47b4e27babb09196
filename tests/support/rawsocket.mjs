/* HTTP and WebSocket by hand, byte by byte, so that a test can also say what no library would: half heads, a byte at a
 * time, frames without a mask, lengths that lie.
 *
 *   const socket = await RawSocket.connect(port)            // or a path of a unix socket
 *   socket.write('GET / HTTP/1.1\r\n...')
 *   await socket.text(/200 OK/)                             // all text so far, once it matches
 *   const tab = await RawSocket.openTab(port, ticket)       // the handshake done, frames from here on
 *   tab.request('attach', { tab: 1 })                       // a masked text frame, JSON-RPC
 *   await tab.message((m) => m.method === 'state')          // the next text frame that fits, not taken before
 *   await tab.closed()                                      // {code, reason}; code null without a close frame */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { until } from './until.mjs'

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' // the answer to it (RFC 6455 1.3)

/* The head of an upgrade as a browser sends it. Fields set to null are left out; an array stands for several lines. */
export function upgradeHead({ path = '/ws', version = 'HTTP/1.1', ticket, origin, fields = {} } = {}) {
  const all = {
    Host: 'calltab.example',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': ticket === undefined ? 'calltab.v1' : `calltab.v1, ticket.${ticket}`,
    Origin: origin ?? null,
    ...fields,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [value].flat().map((each) => `${name}: ${each}`)))
  return `GET ${path} ${version}\r\n${lines.join('\r\n')}\r\n\r\n`
}

/* One frame of a client. length: what the header claims, when that is to be a lie. */
export function frame(opcode, payload = '', { fin = true, mask = randomBytes(4), rsv = 0, length } = {}) {
  const data = Buffer.from(payload)
  const claimed = length ?? data.length
  const maskBit = mask ? 0x80 : 0
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode]
  if (claimed < 126) head.push(maskBit | claimed)
  else if (claimed < 65536) head.push(maskBit | 126, claimed >> 8, claimed & 255)
  else {
    const long = Buffer.alloc(8)
    long.writeBigUInt64BE(BigInt(claimed))
    head.push(maskBit | 127, ...long)
  }
  if (!mask) return Buffer.concat([Buffer.from(head), data])
  return Buffer.concat([Buffer.from(head), mask, data.map((byte, i) => byte ^ mask[i % 4])])
}

export const closeFrame = (code, reason = '') => frame(OPCODE.close, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]))

export class RawSocket {
  #socket
  #frames = null // null: still text
  #taken = new Set()
  #nextId = 1
  #answersPings = true
  bytes = Buffer.alloc(0) // not read as frames yet
  received = 0
  end = null // 'end' the peer closed, 'reset' it was cut

  static connect(where, options = {}) {
    return new Promise((resolve, reject) => {
      const address = typeof where === 'string' ? { path: where } : { host: '127.0.0.1', port: where }
      const socket = net.connect({ ...address, allowHalfOpen: true, ...options })
      socket.once('connect', () => resolve(new RawSocket(socket)))
      socket.once('error', reject)
    })
  }

  static async openTab(where, ticket, { origin, fields } = {}) {
    const socket = await RawSocket.connect(where)
    socket.write(upgradeHead({ ticket, origin, fields }))
    await socket.upgraded()
    return socket
  }

  constructor(socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.removeAllListeners('error')
    socket.on('error', () => (this.end ??= 'reset'))
    socket.on('end', () => (this.end ??= 'end'))
    socket.on('close', () => (this.end ??= 'reset'))
    socket.on('data', (data) => {
      this.received += data.length
      this.bytes = Buffer.concat([this.bytes, data])
      if (this.#frames) this.#readFrames()
    })
  }

  /* Resolves when the kernel has it. */
  write(data) {
    return new Promise((done) => this.#socket.write(data, () => done()))
  }

  /* One byte in each packet, each after the one before has gone out. */
  async drip(data) {
    for (const byte of Buffer.from(data)) await this.write(Buffer.from([byte]))
  }

  /* No more reading: what the peer sends piles up in the kernel. */
  stopReading() {
    this.#socket.pause()
  }

  readOn() {
    this.#socket.resume()
  }

  silence() {
    this.#answersPings = false
  }

  /* Our half is closed, we still read. */
  halfClose() {
    this.#socket.end()
  }

  cut() {
    this.#socket.resetAndDestroy?.()
    this.#socket.destroy()
  }

  destroy() {
    this.#socket.destroy()
  }

  /* --- text --- */

  text(pattern, ms) {
    return until(`text ${pattern}`, () => pattern.test(this.bytes.toString('latin1')) && this.bytes.toString('latin1'), ms)
  }

  /* Everything until the peer has closed. */
  async allText(ms) {
    await until('the peer closes', () => this.end, ms)
    return this.bytes.toString('latin1')
  }

  /* --- frames --- */

  /* Waits for the 101, checks it, and reads frames from then on. Resolves with the head. */
  async upgraded(ms) {
    const head = (await this.text(/\r\n\r\n/, ms)).split('\r\n\r\n')[0]
    assert.match(head, /^HTTP\/1\.1 101 /, head)
    assert.ok(head.includes(`Sec-WebSocket-Accept: ${ACCEPT}`), head)
    this.bytes = this.bytes.subarray(head.length + 4)
    this.#frames = []
    this.#readFrames()
    return head
  }

  #readFrames() {
    for (;;) {
      const found = readFrame(this.bytes)
      if (!found) return
      this.bytes = this.bytes.subarray(found.size)
      this.#frames.push(found)
      if (found.opcode === OPCODE.ping && this.#answersPings) this.send(OPCODE.pong, found.payload)
    }
  }

  get frames() {
    return this.#frames
  }

  send(opcode, payload, options) {
    this.write(frame(opcode, payload, options))
  }

  /* Sends a request; resolves with its answer (the whole message). */
  request(method, params, { id = `r${this.#nextId++}` } = {}) {
    this.send(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id, method, ...(params && { params }) }))
    return this.message((message) => message.id === id && message.method === undefined)
  }

  /* The next text frame, in order, that fits and that nobody has taken. */
  message(fits = () => true, ms) {
    return until(`a message that fits ${fits}`, () => {
      for (const each of this.#frames) {
        if (each.opcode !== OPCODE.text || this.#taken.has(each)) continue
        each.message ??= JSON.parse(each.payload.toString('utf8'))
        if (!fits(each.message)) continue
        this.#taken.add(each)
        return each.message
      }
      if (this.end) throw new Error(`the socket is closed (${this.end})`)
      return null
    }, ms)
  }

  notification(method, ms) {
    return this.message((message) => message.method === method, ms)
  }

  /* All messages there are, taken or not. */
  messages() {
    return this.#frames.filter(({ opcode }) => opcode === OPCODE.text).map(({ payload }) => JSON.parse(payload.toString('utf8')))
  }

  /* Waits for the close, answers it, and for the end of the connection. */
  async closed(ms) {
    const close = await until('a close frame or the end', () => this.#frames.find(({ opcode }) => opcode === OPCODE.close) ?? this.end, ms)
    if (close.payload && !this.end) this.send(OPCODE.close, close.payload.subarray(0, 2))
    await until('the connection ends', () => this.end, ms)
    this.#socket.destroy()
    if (!close.payload) return { code: null, reason: '' }
    return { code: close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1005, reason: close.payload.subarray(2).toString() }
  }
}

function readFrame(bytes) {
  if (bytes.length < 2) return null
  const [first, second] = bytes
  let length = second & 0x7f
  let at = 2
  if (length === 126) {
    if (bytes.length < 4) return null
    length = bytes.readUInt16BE(2)
    at = 4
  } else if (length === 127) {
    if (bytes.length < 10) return null
    length = Number(bytes.readBigUInt64BE(2))
    at = 10
  }
  if (bytes.length < at + length) return null
  return {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 7,
    opcode: first & 15,
    masked: (second & 0x80) !== 0,
    payload: Buffer.from(bytes.subarray(at, at + length)),
    size: at + length,
  }
}
