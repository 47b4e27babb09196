/* One RTP stream of a test telephone: G.711 u-law over UDP on loopback, a tone out, tones measured in,
 * keypad digits (RFC 4733) both ways. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'

export const DIGIT_NAMES = '0123456789*#ABCD'
const RATE = 8000
const SAMPLES = 160 // 20 ms
const AMPLITUDE = 6000
const EVENT_TYPE = 101
const WINDOW_MS = 300
// A tone of full amplitude measures 6000 here; mixing, one lost packet and a neighbouring tone stay on their side.
const LOUD = 250
const SILENT_AFTER_MS = 200
const EVENT_PACKETS = 5 // 100 ms
const END_PACKETS = 3
const GAP_PACKETS = 3

const linearOf = new Int16Array(256)
for (let i = 0; i < 256; i++) {
  const u = ~i & 255
  const magnitude = ((((u & 15) << 3) + 132) << ((u & 112) >> 4)) - 132
  linearOf[i] = u & 128 ? -magnitude : magnitude
}

function ulawOf(sample) {
  const sign = sample < 0 ? 128 : 0
  const value = Math.min(Math.abs(sample), 32635) + 132
  let exponent = 7
  while (exponent > 0 && !(value & (0x80 << exponent))) exponent--
  return ~(sign | (exponent << 4) | ((value >> (exponent + 3)) & 15)) & 255
}

/* All streams of a process tick together, 50 times a second; a late timer is made up for. */
const streams = new Set()
let ticker = null
let nextTick = 0

function tickAll() {
  for (; nextTick <= performance.now(); nextTick += 20) for (const stream of streams) stream.tick()
}

function join(stream) {
  streams.add(stream)
  if (ticker) return
  nextTick = performance.now()
  ticker = setInterval(tickAll, 10)
}

function leave(stream) {
  streams.delete(stream)
  if (streams.size || !ticker) return
  clearInterval(ticker)
  ticker = null
}

export class RtpStream {
  /* hz: the tone this party "says"; 0 = it says nothing */
  constructor(hz) {
    this.hz = hz
    this.isMuted = false
    this.digitsIn = [] // {digit, at}
    this.received = 0
    this.source = randomBytes(4).readUInt32BE()
    this.sequence = 0
    this.timestamp = 0
    this.phase = 0
    this.toSend = []
    this.heardSamples = new Int16Array(2 * RATE)
    this.heardAt = 0
    this.lastAt = -Infinity
    this.lastEvent = -1
  }

  async open() {
    this.socket = createSocket('udp4')
    this.socket.on('message', (packet) => this.receive(packet))
    await new Promise((resolve) => this.socket.bind(0, '127.0.0.1', resolve))
    this.port = this.socket.address().port
    return this
  }

  sendTo(port) {
    this.remotePort = port
    if (this.socket) join(this)
  }

  close() {
    leave(this)
    this.socket?.close()
    this.socket = null
  }

  press(digits) {
    for (const digit of digits) this.toSend.push({ event: DIGIT_NAMES.indexOf(digit), packets: 0, timestamp: 0 })
  }

  send(type, marker, timestamp, payload) {
    const packet = Buffer.alloc(12 + payload.length)
    packet[0] = 0x80
    packet[1] = type | (marker ? 0x80 : 0)
    packet.writeUInt16BE(this.sequence++ & 0xffff, 2)
    packet.writeUInt32BE(timestamp >>> 0, 4)
    packet.writeUInt32BE(this.source, 8)
    payload.copy(packet, 12)
    this.socket.send(packet, this.remotePort, '127.0.0.1')
  }

  tick() {
    this.timestamp += SAMPLES
    if (!this.socket) return
    if (this.toSend.length) this.sendDigit()
    else if (!this.isMuted) this.send(0, false, this.timestamp, this.nextTone())
  }

  nextTone() {
    const payload = Buffer.alloc(SAMPLES, 0xff)
    if (!this.hz) return payload
    for (let i = 0; i < SAMPLES; i++) {
      payload[i] = ulawOf(Math.round(AMPLITUDE * Math.sin(this.phase)))
      this.phase += (2 * Math.PI * this.hz) / RATE
    }
    this.phase %= 2 * Math.PI
    return payload
  }

  /* All packets of one digit carry the timestamp of its beginning; the last ones say three times that it is over. */
  sendDigit() {
    const digit = this.toSend[0]
    if (!digit.packets) digit.timestamp = this.timestamp
    digit.packets++
    if (digit.packets <= EVENT_PACKETS + END_PACKETS) {
      const isOver = digit.packets > EVENT_PACKETS
      const duration = Math.min(digit.packets, EVENT_PACKETS) * SAMPLES
      const payload = Buffer.from([digit.event, (isOver ? 0x80 : 0) | 10, duration >> 8, duration & 255])
      this.send(EVENT_TYPE, digit.packets === 1, digit.timestamp, payload)
    } else if (digit.packets > EVENT_PACKETS + END_PACKETS + GAP_PACKETS) {
      this.toSend.shift()
    }
  }

  receive(packet) {
    if (packet.length < 13) return
    const type = packet[1] & 127
    this.received++
    this.lastAt = performance.now()
    if (type === EVENT_TYPE) this.receiveDigit(packet)
    if (type !== 0) return
    for (let i = 12; i < packet.length; i++) {
      this.heardSamples[this.heardAt] = linearOf[packet[i]]
      this.heardAt = (this.heardAt + 1) % this.heardSamples.length
    }
  }

  receiveDigit(packet) {
    const timestamp = packet.readUInt32BE(4)
    if (timestamp === this.lastEvent) return
    this.lastEvent = timestamp
    this.digitsIn.push({ digit: DIGIT_NAMES[packet[12]], at: performance.now() })
  }

  /* Goertzel's filter over the last 300 ms: the amplitude of one tone in what was received. */
  amplitude(hz) {
    const count = (WINDOW_MS * RATE) / 1000
    const size = this.heardSamples.length
    const factor = 2 * Math.cos((2 * Math.PI * hz) / RATE)
    let one = 0
    let two = 0
    for (let i = 0; i < count; i++) {
      const next = this.heardSamples[(this.heardAt - count + i + size) % size] + factor * one - two
      two = one
      one = next
    }
    return (2 * Math.sqrt(Math.max(0, one * one + two * two - factor * one * two))) / count
  }

  isReceiving() {
    return performance.now() - this.lastAt < SILENT_AFTER_MS
  }

  /* Names of the tones {name: hz} that are heard now, sorted, joined by '+'; '' = silence or nothing at all. */
  heard(tones) {
    if (!this.isReceiving()) return ''
    const names = Object.keys(tones).filter((name) => this.amplitude(tones[name]) > LOUD)
    return names.sort().join('+')
  }
}
