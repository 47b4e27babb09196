/* What is recorded, by the tones in the file (on the simulated switch: by its word for what the file would hold): both sides,
 * silence while it is paused, the same recording through hold, transfer and conference, never the agent's consultation. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { toneIn, wavSamples } from '../support/wav.mjs'
import { SWITCHES, createWorld } from '../support/world.mjs'

const LOUD = 250
const SILENT = 60
const WINDOW = 1600 // 200 ms

for (const name of SWITCHES) suite(name)

function suite(name) {
  let world, db, agent
  let serial = 0
  const number = () => `+1555${String(++serial).padStart(4, '0')}777`

  before(async () => {
    world = await createWorld(name, { config: { wrap_s: 0 } })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    db = new pg.Client({ connectionString: world.database.ownerUrl ?? world.database.url })
    await db.connect()
    agent = await world.agent('1001')
  })

  after(async () => {
    await db?.end()
    await world?.stop()
  })

  const rows = async (dtCallId) => {
    await until('the tables have what was told', async () => (await world.gateway.request('GET', '/readyz')).body.journal.behind === 0)
    return (await db.query('select * from recordings where dialer_call_id = $1 order by begun_on, name', [dtCallId])).rows
  }
  const ended = (dtCallId, count) =>
    until(`${count} parts have ended`, async () => {
      const found = await rows(dtCallId)
      return found.length === count && found.every((row) => row.ended_on) && found
    }, 15_000)
  const told = (tab, what, matches) => until(what, () => tab.call && matches(tab.call) && tab.call, 8000)

  /* Names of the tones in the file from one second to another: on Asterisk the file is read, on the simulated switch it is asked. */
  const samples = (row) => wavSamples(fs.readFileSync(path.join(world.outside.asterisk.dir, 'spool', row.location.replace(/^asterisk:/, ''))))
  const recorded = async () => (await world.outside.ask('legs')).recordings
  const tones = () => ({ 1001: world.outside.phones[0].hz, music: 2300, ...Object.fromEntries(world.outside.carrier.toneOf) })

  /* What the recording takes down now, lasting long enough to be measured in the file. */
  async function takes(row, whom) {
    if (name === 'sim') return until(`it takes down ${whom || 'silence'}`, async () => (await recorded()).some(({ hears }) => hears === whom), 8000)
    const file = () => {
      try {
        return samples(row)
      } catch {
        return new Int16Array(0)
      }
    }
    const from = file().length
    const wanted = Object.keys(tones()).filter((one) => whom.includes(one))
    await until(`it takes down ${whom || 'silence'}`, () => {
      const all = file()
      if (all.length < from + 3 * WINDOW) return false
      const last = all.subarray(all.length - WINDOW)
      if (!wanted.length) return last.every((sample) => Math.abs(sample) < SILENT)
      return wanted.every((one) => toneIn(last, tones()[one]) > LOUD)
    }, 15_000)
  }

  async function talk() {
    const { T1 } = agent
    const to = number()
    await T1.request('dial', { number: to })
    await T1.state('talk')
    await world.hear({ [to]: '1001', 1001: to })
    return to
  }

  const row0 = async (tab, count = 1) => {
    const found = await until(`${count} parts are known`, async () => {
      const all = await rows(tab.call.dtCallId)
      return all.length === count && all
    }, 8000)
    return found.at(-1)
  }
  const both = (...parties) => parties.sort().join('+')

  function recordingTest(id, words, run) {
    test(`call.${name}.recording.${id} ${words}`, async () => {
      let pass = false
      try {
        await run()
        await until('nothing is left at the switch', async () => Object.keys(await world.outside.parties()).length === 0, 8000)
        pass = true
      } finally {
        record({ test: `call.${name}.recording.${id}`, n: 1, figure: pass ? 1 : 0, unit: 'calls', target: 1, pass })
      }
    })
  }

  async function release(tab) {
    await tab.request('release')
    await tab.state('idle')
    await tab.request('endWrap')
    await tab.state('end')
  }

  recordingTest('pause', 'both are in the file, silence while it is paused, and the row says where the file is and how long', async () => {
    const { T1 } = agent
    const to = await talk()
    await assert.rejects(T1.request('pauseRecording'), { code: 'call.not_recorded' })
    await T1.request('startRecording')
    await told(T1, 'on', (call) => call.recording === 'on' && call.can.includes('pauseRecording') && !call.can.includes('startRecording'))
    const row = await row0(T1)
    assert.match(row.name, new RegExp(`^${T1.call.dtCallId}_\\d{8}T\\d{6}Z-1$`))
    assert.equal(row.ended_on, null)
    await takes(row, both('1001', to))
    await T1.request('pauseRecording')
    await told(T1, 'paused', (call) => call.recording === 'paused')
    await takes(row, '')
    await T1.request('resumeRecording')
    await told(T1, 'on again', (call) => call.recording === 'on')
    await takes(row, both('1001', to))
    await T1.request('stopRecording')
    await told(T1, 'off', (call) => call.recording === 'off')
    const [whole] = await ended(T1.call.dtCallId, 1)
    assert.equal(whole.result, 'ok')
    assert.ok(whole.duration_ms > 0)
    if (name === 'asterisk') {
      const length = samples(whole).length / 8
      assert.ok(Math.abs(length - whole.duration_ms) < 1500, `${length} ms in the file, ${whole.duration_ms} ms in the row`)
    }
    const events = await db.query('select event_name from dialer_call_events where dialer_call_id = $1 and event_name like \'recording%\' order by created_on, dialer_call_event_id', [T1.call.dtCallId])
    assert.deepEqual(events.rows.map((event) => event.event_name), ['recording on', 'recording paused', 'recording resumed', 'recording off'])
    await release(T1)
  })

  recordingTest('hold', 'it goes on through hold and ends with the call', async () => {
    const { T1 } = agent
    const to = await talk()
    await T1.request('startRecording')
    const row = await row0(T1)
    await takes(row, both('1001', to))
    await T1.request('hold')
    await told(T1, 'held', (call) => call.held && call.recording === 'on')
    await takes(row, both('music', to))
    await T1.request('resume')
    await takes(row, both('1001', to))
    await release(T1)
    const [whole] = await ended(T1.call.dtCallId, 1)
    assert.equal(whole.result, 'ok')
    assert.equal(T1.call.recording, 'off')
  })

  recordingTest('consult', 'never the consultation; a completed transfer is recorded in a part of its own until both have gone', async () => {
    const { T1, T2 } = agent
    const to = await talk()
    await T1.request('startRecording')
    const { dtCallId } = T1.call
    const row = await row0(T1)
    const target = number()
    const { tab } = await T1.request('transferConsult', { number: target })
    assert.equal(tab, 2)
    await T2.state('talk')
    assert.equal(T2.call.recording, 'off')
    await world.hear({ 1001: target }, { only: false })
    await takes(row, both('music', to))
    await T2.request('transferComplete', { callTab: 1 })
    await T1.state('idle')
    await world.hear({ [to]: target, [target]: to })
    const second = await until('a second part', async () => (await rows(dtCallId))[1], 8000)
    assert.match(second.name, /-2$/)
    await takes(second, both(target, to))
    await world.outside.hangup(to)
    const parts = await ended(dtCallId, 2)
    assert.deepEqual(parts.map((part) => part.result), ['ok', 'ok'])
    if (name === 'asterisk') {
      const all = samples(parts[0])
      for (let i = 0; i + WINDOW <= all.length; i += WINDOW)
        assert.ok(toneIn(all.subarray(i, i + WINDOW), tones()[target]) < LOUD, 'the target of the consultation is not in the first part')
    }
    for (const tab of [T1, T2]) await tab.request('endWrap').catch(() => {})
  })

  recordingTest('transfer', 'a blind transfer is recorded on in the same file, a paused one stays paused', async () => {
    const { T1 } = agent
    const to = await talk()
    await T1.request('startRecording')
    const { dtCallId } = T1.call
    const row = await row0(T1)
    const target = number()
    await T1.request('transferBlind', { number: target })
    await T1.state('idle')
    await world.hear({ [to]: target, [target]: to })
    await takes(row, both(target, to))
    await world.outside.hangup(target)
    assert.equal((await ended(dtCallId, 1))[0].result, 'ok')
    await T1.request('endWrap')
  })

  recordingTest('conference', 'three are recorded in a conference, and the two who stay', async () => {
    const { T1, T2 } = agent
    const to = await talk()
    await T1.request('startRecording')
    const { dtCallId } = T1.call
    await row0(T1)
    const target = number()
    await T1.request('transferConsult', { number: target })
    await T2.state('talk')
    await T2.request('conference', { callTab: 1 })
    const second = await until('a second part', async () => (await rows(dtCallId))[1], 8000)
    await takes(second, both('1001', target, to))
    await told(T1, 'recorded in the conference', (call) => call.recording === 'on' && call.can.includes('leave'))
    await T2.request('leave')
    await T1.state('idle')
    await takes(second, both(target, to))
    await world.outside.hangup(to)
    assert.deepEqual((await ended(dtCallId, 2)).map((part) => part.result), ['ok', 'ok'])
    for (const tab of [T1, T2]) await tab.request('endWrap').catch(() => {})
  })

  recordingTest('restart', 'a gateway that is killed goes on with the recording, and its row is closed', async () => {
    if (name === 'sim') return // this switch dies with the gateway
    const { T1 } = agent
    const to = await talk()
    await T1.request('startRecording')
    const { dtCallId } = T1.call
    const row = await row0(T1)
    await takes(row, both('1001', to))
    await world.gateway.restart({ crash: true })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    const again = await world.gateway.openRaw(agent.session, { tab: 1 })
    await told(again, 'still recorded', (call) => call.recording === 'on' && call.state === 'talk')
    await takes(row, both('1001', to))
    await again.request('pauseRecording')
    await takes(row, '')
    await release(again)
    assert.equal((await ended(dtCallId, 1))[0].result, 'ok')
    await again.close()
  })

  recordingTest('crash', 'a pause that was asked for when the gateway was killed is made', async () => {
    if (name === 'sim') return
    await agent.T1.close()
    await agent.T2.close()
    world.gateway.env = { ...world.gateway.env, CALLTAB_FAILPOINT: 'intent.stable:3:kill' } // dial, startRecording, pauseRecording
    await world.gateway.restart({ crash: true })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    const tab = await world.gateway.openRaw(agent.session, { tab: 1 })
    const to = number()
    await tab.request('dial', { number: to })
    await tab.state('talk')
    await tab.request('startRecording')
    const row = await row0(tab)
    await assert.rejects(tab.request('pauseRecording'), /socket/)
    await world.gateway.ended()
    delete world.gateway.env.CALLTAB_FAILPOINT
    await world.gateway.restart({ crash: true })
    const again = await world.gateway.openRaw(agent.session, { tab: 1 })
    await told(again, 'paused', (call) => call.recording === 'paused')
    await takes(row, '')
    await release(again)
    await again.close()
  })
}
