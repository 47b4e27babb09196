/* WAV files as Asterisk writes them: PCM, mono, 16 bit, 8 kHz; also while it is still writing. */
const RATE = 8000
const HEAD = 44

export function wavSamples(file) {
  const count = Math.max(0, (file.length - HEAD) >> 1)
  const samples = new Int16Array(count)
  for (let i = 0; i < count; i++) samples[i] = file.readInt16LE(HEAD + 2 * i)
  return samples
}

/* Goertzel's filter: the amplitude of one tone. */
export function toneIn(samples, hz) {
  const factor = 2 * Math.cos((2 * Math.PI * hz) / RATE)
  let one = 0
  let two = 0
  for (const sample of samples) {
    const next = sample + factor * one - two
    two = one
    one = next
  }
  return (2 * Math.sqrt(Math.max(0, one * one + two * two - factor * one * two))) / samples.length
}
