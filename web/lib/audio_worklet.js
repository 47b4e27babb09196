/* What runs beside the page's own thread: the microphone becomes frames of 20 ms (16 kHz, 16 bit), frames become sound. The audio
 * card keeps its own rate, so both ways are resampled here. audio.js is the page's side; a frame is an ArrayBuffer, everything
 * else that is posted are figures. */

export const RATE = 16000
export const SAMPLES = 320
const START = 3 * SAMPLES // so much waits before it is played: what comes a little late is still in time
const MOST = 10 * SAMPLES // and no more than this: sound that waits longer is dropped, the newest is played
const FIGURES_EVERY = 5 // frames

/** From the card's rate to ours: each sample is the mean of what it stands for. */
export class Down {
  /** @param {number} rate */
  constructor(rate) {
    this.step = rate / RATE
    this.need = this.step
    this.sum = 0
  }

  /** @param {number} sample @param {(sample: number) => void} emit */
  push(sample, emit) {
    for (let left = 1; left > 1e-9; ) {
      const part = Math.min(left, this.need)
      this.sum += sample * part
      this.need -= part
      left -= part
      if (this.need > 1e-9) continue
      emit(this.sum / this.step)
      this.sum = 0
      this.need = this.step
    }
  }
}

/** From our rate to the card's: on the line between two samples. */
export class Up {
  /** @param {number} rate */
  constructor(rate) {
    this.step = RATE / rate
    this.at = 1
    this.before = 0
    this.after = 0
  }

  /** @param {() => number} take */
  pull(take) {
    for (; this.at >= 1; this.at -= 1) {
      this.before = this.after
      this.after = take()
    }
    const value = this.before + (this.after - this.before) * this.at
    this.at += this.step
    return value
  }
}

/** What came and is not played yet. */
export class Jitter {
  constructor() {
    this.samples = new Float32Array(2 * MOST)
    this.first = 0
    this.count = 0
    this.isPlaying = false
    this.dropped = 0
    this.pauses = 0
  }

  /** @param {Int16Array} frame */
  put(frame) {
    for (const sample of frame) {
      this.samples[(this.first + this.count) % this.samples.length] = sample / 32768
      this.count += 1
    }
    if (this.count > MOST) this.drop(this.count - START)
    if (this.count >= START) this.isPlaying = true
  }

  /** @private @param {number} count */
  drop(count) {
    this.first = (this.first + count) % this.samples.length
    this.count -= count
    this.dropped += count
  }

  take() {
    if (!this.isPlaying) return 0
    if (this.count === 0) {
      this.isPlaying = false
      this.pauses += 1
      return 0
    }
    const sample = this.samples[this.first]
    this.first = (this.first + 1) % this.samples.length
    this.count -= 1
    return sample
  }
}

const Base = /** @type {any} */ (globalThis).AudioWorkletProcessor ?? class {}

class Processor extends Base {
  constructor() {
    super()
    const rate = /** @type {any} */ (globalThis).sampleRate
    this.down = new Down(rate)
    this.up = new Up(rate)
    this.jitter = new Jitter()
    this.frame = new Int16Array(SAMPLES)
    this.filled = 0
    this.frames = 0
    this.loudest = 0
    this.port.onmessage = (/** @type {any} */ event) => this.jitter.put(new Int16Array(event.data))
  }

  /** @param {number} sample */
  keep(sample) {
    const value = Math.max(-1, Math.min(1, sample))
    this.loudest = Math.max(this.loudest, Math.abs(value))
    this.frame[this.filled] = Math.round(value * 32767)
    this.filled += 1
    if (this.filled === SAMPLES) this.send()
  }

  send() {
    const { buffer } = this.frame
    this.port.postMessage(buffer, [buffer])
    this.frame = new Int16Array(SAMPLES)
    this.filled = 0
    this.frames += 1
    if (this.frames % FIGURES_EVERY) return
    const { dropped, pauses } = this.jitter
    this.port.postMessage({ level: this.loudest, dropped, pauses })
    this.loudest = 0
  }

  /** Also without a microphone's sound: the gateway takes silence for a page that is gone, so frames always flow.
   * @param {Float32Array[][]} inputs @param {Float32Array[][]} outputs */
  process(inputs, outputs) {
    const heard = inputs[0][0]
    const [out] = outputs[0]
    for (let i = 0; i < out.length; i += 1) {
      this.down.push(heard ? heard[i] : 0, (sample) => this.keep(sample))
      out[i] = this.up.pull(() => this.jitter.take())
    }
    return true
  }
}

const { registerProcessor } = /** @type {any} */ (globalThis)
if (registerProcessor) registerProcessor('calltab-audio', Processor)
