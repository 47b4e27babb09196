/* What the worklet does with sound, in Node: rates, and what waits to be played. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Down, Jitter, RATE, SAMPLES, Up } from '../../web/lib/audio_worklet.js'

const tone = (hz, rate, count) => Float64Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate))
const frameOf = (value) => new Int16Array(SAMPLES).fill(value)

/* The strength of one tone in samples. */
function amplitude(samples, hz, rate) {
  let [re, im] = [0, 0]
  samples.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * hz * i) / rate)
    im += sample * Math.sin((2 * Math.PI * hz * i) / rate)
  })
  return (2 * Math.hypot(re, im)) / samples.length
}

for (const rate of [8000, 16000, 44100, 48000, 96000]) {
  test(`a microphone of ${rate} Hz becomes ${RATE} Hz: the same tone, the same length`, () => {
    const down = new Down(rate)
    const out = []
    for (const sample of tone(500, rate, rate)) down.push(sample, (value) => out.push(value))
    assert.ok(Math.abs(out.length - RATE) <= 1, `${out.length}`)
    assert.ok(amplitude(out, 500, RATE) > 0.9)
    assert.ok(amplitude(out, 1300, RATE) < 0.05)
  })

  test(`${RATE} Hz becomes a loudspeaker of ${rate} Hz`, () => {
    const up = new Up(rate)
    const source = tone(500, RATE, 2 * RATE)
    let at = 0
    const out = Array.from({ length: rate }, () => up.pull(() => source[at++]))
    assert.ok(Math.abs(at - RATE) <= 2, `${at}`)
    assert.ok(amplitude(out, 500, rate) > 0.9)
    assert.ok(amplitude(out, 1300, rate) < 0.05)
  })
}

test('nothing is played before a little waits, then everything in order', () => {
  const jitter = new Jitter()
  jitter.put(frameOf(1))
  jitter.put(frameOf(2))
  assert.equal(jitter.take(), 0)
  jitter.put(frameOf(3))
  const heard = Array.from({ length: 3 * SAMPLES }, () => Math.round(jitter.take() * 32768))
  assert.deepEqual(heard, [1, 2, 3].flatMap((value) => Array(SAMPLES).fill(value)))
})

test('when nothing is left there is silence, and it waits again', () => {
  const jitter = new Jitter()
  for (let i = 0; i < 3; i++) jitter.put(frameOf(100))
  for (let i = 0; i < 3 * SAMPLES; i++) jitter.take()
  assert.equal(jitter.take(), 0)
  assert.equal(jitter.pauses, 1)
  jitter.put(frameOf(100))
  assert.equal(jitter.take(), 0)
  jitter.put(frameOf(100))
  jitter.put(frameOf(100))
  assert.ok(jitter.take() > 0)
})

test('what waits too long is dropped, the newest is kept, and it never grows', () => {
  const jitter = new Jitter()
  for (let i = 1; i <= 1000; i++) {
    jitter.put(frameOf(i))
    assert.ok(jitter.count <= 10 * SAMPLES)
  }
  const waiting = jitter.count
  const heard = Array.from({ length: waiting }, () => Math.round(jitter.take() * 32768))
  assert.equal(heard.at(-1), 1000)
  assert.equal(jitter.dropped, 1000 * SAMPLES - waiting)
})
