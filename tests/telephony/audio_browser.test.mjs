/* The agent page in Chromium with a microphone that says a tone, a gateway and a real Asterisk: the customer's telephone measures
 * the page's tone, the page measures the customer's. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { toneWav } from '../support/asterisk.mjs'
import { STATION_TONES } from '../support/phone.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'
import { AgentPage } from '../web/agent_page.mjs'
import { launchBrowser } from '../web/browser.mjs'

const HEARING_MS = 15_000
const RELOAD_MS = 2000
const CLOSED_MS = 5000
const NEAR_HZ = 25

let browser, world, folder
let pages = []
let serial = 0

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calltab-audio-'))
  const tone = join(folder, 'tone.wav')
  writeFileSync(tone, toneWav(STATION_TONES[0], 10, 48000))
  browser = await launchBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${tone}`])
  world = await createWorld('asterisk', { config: { wrap_s: 0 } })
  const { gateway } = world
  await gateway.program(['agent', 'audio', '1001', 'ws'])
  process.kill(gateway.pid, 'SIGHUP')
  await until('the gateway knows', () => gateway.log.split('setup loaded').length > 2)
})
after(async () => {
  await browser?.close()
  await world?.stop()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(async () => {
  for (const { context } of pages) await context.close()
  pages = []
  await until('nothing is left at Asterisk', async () => (await channels()) === 0, 30_000)
})

const channels = async () => (await world.outside.asterisk.request('GET', 'channels')).body.length
const hears = (party, whom) => world.hear({ [party]: whom }, { only: false, ms: HEARING_MS })

/* In the page, before its scripts: a tone is what the browser's own filters take away, and what goes to the loudspeaker is measured. */
function listenIn() {
  const { mediaDevices } = navigator
  const original = mediaDevices.getUserMedia.bind(mediaDevices)
  mediaDevices.getUserMedia = () => {
    if (window.name === 'refused') return Promise.reject(new DOMException('no', 'NotAllowedError'))
    return original({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } })
  }
  const { connect } = AudioNode.prototype
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      window.ear = this.context.createAnalyser()
      window.ear.fftSize = 8192
      connect.call(this, window.ear)
    }
    return connect.call(this, to, ...rest)
  }
}

/* {hz, loud}: the strongest tone that the page plays. */
function loudest() {
  const { ear } = window
  if (!ear) return { hz: 0, loud: -Infinity }
  const bins = new Float32Array(ear.frequencyBinCount)
  ear.getFloatFrequencyData(bins)
  let at = 1
  for (let i = 2; i < bins.length; i++) if (bins[i] > bins[at]) at = i
  return { hz: (at * ear.context.sampleRate) / ear.fftSize, loud: bins[at] }
}

async function open({ name = '', ...options } = {}) {
  const link = await world.gateway.link('1001')
  const prepare = (it) => prepared(it, name)
  const it = await AgentPage.open(browser, world.gateway, { path: `/agent/#link=${link}`, prepare, ...options })
  pages.push(it)
  await it.isConnected()
  return it
}

async function prepared(it, name) {
  it.frames = { sent: 0, received: 0, sockets: 0 }
  it.page.on('websocket', (socket) => {
    if (!socket.url().endsWith('/audio')) return
    it.frames.sockets++
    socket.on('framesent', () => it.frames.sent++)
    socket.on('framereceived', () => it.frames.received++)
  })
  await it.page.addInitScript((name) => name && (window.name = name), name)
  await it.page.addInitScript(listenIn)
}

const says = (it, text) => until(`the page says "${text}"`, async () => (await it.text('ct-audio span')) === text, HEARING_MS)
const isOn = (it) => says(it, 'Your microphone is on.')
const pageHears = (it, party) => {
  const wanted = world.outside.carrier.toneOf.get(party)
  return until(`the page hears ${wanted} Hz`, async () => {
    const { hz, loud } = await it.page.evaluate(loudest)
    if (Math.abs(hz - wanted) > NEAR_HZ || loud < -60) throw new Error(`hears ${Math.round(hz)} Hz, ${Math.round(loud)} dB`)
    return { hz, wanted }
  }, HEARING_MS)
}

async function talk(it) {
  const party = `+1554${String(++serial).padStart(4, '0')}100`
  await it.page.getByLabel('Number to dial').fill(party)
  await it.press('Enter')
  await it.shows('Talking')
  await hears(party, '1001')
  await pageHears(it, party)
  return party
}
async function done(it, party) {
  await world.outside.hangup(party)
  await it.shows('Wrap-up')
  await it.button('Next without outcome').click()
  await it.isFree()
}

function story(name, title, body) {
  test(`${name}.${title}`, { timeout: 120_000 }, async () => {
    let pass = false
    try {
      await body()
      pass = true
    } finally {
      record({ test: name, pass })
    }
  })
}

story('audio.ws', 'both_ways: tones are measured at both ends, and frames counted', async () => {
  const it = await open()
  await isOn(it)
  const party = await talk(it)
  const { hz, wanted } = await pageHears(it, party)
  record({ test: 'audio.ws.tone', figure: Math.round(Math.abs(hz - wanted)), unit: 'Hz', target: NEAR_HZ, pass: true })
  const [sent, received, begun] = [it.frames.sent, it.frames.received, performance.now()]
  await until('two hundred frames more', () => it.frames.sent - sent >= 200 && it.frames.received - received >= 200, 30_000)
  const seconds = (performance.now() - begun) / 1000
  const rates = [(it.frames.sent - sent) / seconds, (it.frames.received - received) / seconds]
  record({ test: 'audio.ws.frames', figure: Math.round(Math.min(...rates)), unit: '/s', target: 50, pass: rates.every((rate) => rate > 30 && rate < 75) })
  assert.ok(rates.every((rate) => rate > 30 && rate < 75), `${rates} frames a second`)
  assert.ok(Number(await it.page.locator('ct-audio meter').evaluate((meter) => meter.value)) > 5, 'the level is shown')
  await it.picture('audio-1280')
  await it.button('Hold').click()
  await hears(party, 'music')
  await it.button('Resume').click()
  await hears(party, '1001')
  await pageHears(it, party)
  await done(it, party)
  await it.close()
})

story('audio.ws', 'reload: music for the customer, then the agent again', async () => {
  const it = await open({ width: 420, height: 860 })
  await isOn(it)
  const party = await talk(it)
  let heardMusic = false
  let ms = Infinity
  for (let round = 0; round < 3; round++) {
    const begun = performance.now()
    const music = world.hear({ [party]: 'music' }, { only: false, ms: 2000 }).then(() => (heardMusic = true), () => {}) // may be over too soon
    await it.page.reload()
    await isOn(it)
    await hears(party, '1001')
    ms = Math.min(ms, Math.round(performance.now() - begun))
    await music
    await it.shows('Talking')
    await pageHears(it, party)
  }
  assert.ok(heardMusic, 'the customer hears music meanwhile')
  record({ test: 'audio.ws.reload', figure: ms, unit: 'ms', target: RELOAD_MS, pass: ms <= RELOAD_MS })
  await it.picture('audio-420')
  await done(it, party)
  await it.close()
})

story('audio.ws', 'closed: a tab that is closed leaves no leg', async () => {
  const it = await open()
  await isOn(it)
  const party = await talk(it)
  assert.equal(await channels(), 2)
  const begun = performance.now()
  await it.page.close()
  await until('only the customer is left', async () => (await channels()) === 1, CLOSED_MS)
  const ms = Math.round(performance.now() - begun)
  record({ test: 'audio.ws.closed', figure: ms, unit: 'ms', target: CLOSED_MS, pass: ms <= CLOSED_MS })
  await hears(party, 'music')
  const again = await open()
  await again.button('Take over').click() // its place is still kept for a reload of the closed one
  await isOn(again)
  await hears(party, '1001')
  await pageHears(again, party)
  await done(again, party)
})

story('audio.takeover', 'another window says where the audio is, and takes it over in a call', async () => {
  const first = await open()
  await isOn(first)
  const party = await talk(first)
  const second = await open()
  await says(second, 'Your audio is in the other window.')
  assert.equal(second.frames.sockets, 0, 'it does not even ask')
  await second.picture('audio-elsewhere')
  const begun = performance.now()
  await second.button('Take over').click()
  await isOn(second)
  await says(first, 'Your audio is in the other window.')
  await hears(party, '1001')
  const ms = Math.round(performance.now() - begun)
  await pageHears(second, party)
  record({ test: 'audio.takeover.time', figure: ms, unit: 'ms', target: RELOAD_MS, pass: ms <= RELOAD_MS })
  const { sent } = first.frames
  const now = second.frames.sent
  await until('the second one sends', () => second.frames.sent - now > 50)
  assert.ok(first.frames.sent - sent < 5, 'the first one does not')
  await first.button('Take over').click()
  await isOn(first)
  await says(second, 'Your audio is in the other window.')
  await hears(party, '1001')
  await pageHears(first, party)
  await done(first, party)
  await first.close()
})

story('audio.ws', 'refused: what to do is said, and trying again helps', async () => {
  const it = await open({ name: 'refused', width: 420, height: 860 })
  await says(it, 'No microphone: the browser may not use the microphone: allow it for this page.')
  await it.picture('audio-refused')
  await it.namesEverything()
  await it.page.evaluate(() => (window.name = ''))
  await it.button('Try again').click()
  await isOn(it)
  await it.close()
})
