/* Audio over a WebSocket as a page sends it: 16 kHz, 16 bit, 20 ms a message. It says a tone and measures what it hears.
 *
 *   const socket = await PcmSocket.open('ws://127.0.0.1:8088/media/…', ['media'], { hz: 1300 })
 *   socket.heard({ customer: 1100 })     'customer' while that tone arrives */
import WebSocket from 'ws'

const RATE = 16000
const SAMPLES = 320
const AMPLITUDE = 6000
const WINDOW = (300 * RATE) / 1000
const LOUD = 250
const SILENT_AFTER_MS = 200

export class PcmSocket {
  sent = 0
  received = 0
  texts = []
  closed = null
  lastAt = -Infinity
  phase = 0
  samples = new Int16Array(2 * RATE)
  at = 0

  static open(url, protocols, { hz = 0, ...options } = {}) {
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...options })
      const socket = new PcmSocket(ws, hz)
      ws.once('open', () => resolve(socket))
      ws.once('error', reject)
    })
  }

  constructor(ws, hz) {
    Object.assign(this, { ws, hz })
    ws.on('message', (data, isBinary) => (isBinary ? this.take(data) : this.texts.push(data.toString())))
    ws.on('close', (code, reason) => {
      this.stop()
      this.closed = { code, reason: reason.toString() }
    })
    ws.on('error', () => {})
    this.next = performance.now()
    this.timer = setInterval(() => this.tick(), 10)
  }

  /* A late timer is made up for. */
  tick() {
    for (; this.next <= performance.now(); this.next += 20) if (this.ws.readyState === 1) this.send(this.tone())
  }

  send(bytes) {
    this.ws.send(bytes)
    this.sent++
  }

  tone() {
    const frame = Buffer.alloc(2 * SAMPLES)
    for (let i = 0; i < SAMPLES && this.hz; i++) {
      frame.writeInt16LE(Math.round(AMPLITUDE * Math.sin(this.phase)), 2 * i)
      this.phase = (this.phase + (2 * Math.PI * this.hz) / RATE) % (2 * Math.PI)
    }
    return frame
  }

  take(data) {
    this.received++
    this.lastAt = performance.now()
    for (let i = 0; i + 1 < data.length; i += 2) {
      this.samples[this.at] = data.readInt16LE(i)
      this.at = (this.at + 1) % this.samples.length
    }
  }

  amplitude(hz) {
    const factor = 2 * Math.cos((2 * Math.PI * hz) / RATE)
    const size = this.samples.length
    let [one, two] = [0, 0]
    for (let i = 0; i < WINDOW; i++) [two, one] = [one, this.samples[(this.at - WINDOW + i + size) % size] + factor * one - two]
    return (2 * Math.sqrt(Math.max(0, one * one + two * two - factor * one * two))) / WINDOW
  }

  heard(tones) {
    if (performance.now() - this.lastAt > SILENT_AFTER_MS) return ''
    return Object.keys(tones).filter((name) => this.amplitude(tones[name]) > LOUD).sort().join('+')
  }

  stop() {
    clearInterval(this.timer)
  }

  close() {
    this.stop()
    this.ws.close()
  }

  cut() {
    this.stop()
    this.ws.terminate()
  }
}
