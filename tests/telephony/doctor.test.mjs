/* The sample configuration of docs/asterisk and `calltab doctor asterisk`, on a fresh Asterisk that runs with it. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import { changeConf, EXTENSIONS, PASSWORD, startAsterisk } from '../support/asterisk.mjs'
import { createDatabase } from '../support/pg.mjs'
import { Carrier, Phone, STATION_TONES } from '../support/phone.mjs'
import { run } from '../support/program.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'

let asterisk, database
const phones = []

before(async () => {
  asterisk = await startAsterisk()
  database = await createDatabase()
})

after(async () => {
  for (const phone of phones) await phone.stop()
  await asterisk?.remove()
  await database?.drop()
})

async function doctor(args = []) {
  const { code, stdout, stderr } = await run(['doctor', 'asterisk', '--json', '--ari-port', String(asterisk.ports.http), '--ari-password', PASSWORD, '--database', database.url, '--config-dir', join(asterisk.dir, 'etc'), ...args], { env: { CALLTAB_CONFIG: '/dev/null' } })
  assert.equal(stderr, '')
  const { checks } = JSON.parse(stdout)
  return { code, of: Object.fromEntries(checks.map((check) => [check.check, check])) }
}

async function changed(name, change, look) {
  const file = join(asterisk.dir, 'etc', name)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, changeConf(text, change))
  try {
    await look()
  } finally {
    writeFileSync(file, text)
  }
}

test('Asterisk starts with the samples and complains about none of them', () => {
  assert.deepEqual(asterisk.log().split('\n').filter((line) => /\b(WARNING|ERROR)\b/.test(line)), [])
})

test('telephones that have not registered are a warning, registered ones are ok, and so is all the rest', async () => {
  const before = await doctor()
  assert.equal(before.of.telephones.state, 'warning')
  assert.match(before.of.telephones.text, /1001/)
  for (const user of EXTENSIONS) {
    const phone = await new Phone({ user, password: PASSWORD, sipPort: asterisk.ports.sip, hz: STATION_TONES[phones.length] }).start()
    phones.push(phone)
    await phone.register()
  }
  const { of, code } = await until('all telephones are online', async () => {
    const report = await doctor()
    return report.of.telephones.state === 'ok' && report
  })
  const concerns = Object.values(of).filter(({ check, state }) => state !== 'ok' && check !== 'more-modules' && check !== 'webrtc-version')
  record({ test: 'doctor.asterisk.samples', n: Object.keys(of).length, figure: concerns.length, unit: 'checks that are not ok', target: 0, pass: code === 0 && concerns.length === 0 })
  assert.deepEqual(concerns, [])
  assert.equal(code, 0)
  assert.match(of.application.text, /is free/)
})

test('a caller who comes while no gateway is connected hears ringing, and is offered to the first that comes', async () => {
  const carrier = await new Carrier({ sipPort: asterisk.ports.sip, port: asterisk.ports.carrier }).start()
  phones.push(carrier)
  const call = await carrier.call('+18005550100', { from: '+15557654321' })
  await until('it rings', () => call.state === 'ringing', 8000)
  const { host, port, user, password, app } = asterisk.ari
  const socket = new WebSocket(`ws://${host}:${port}/ari/events?app=${app}`, { headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` } })
  const events = []
  socket.on('message', (text) => events.push(JSON.parse(text)))
  const start = await until('the caller is offered', () => events.find(({ type }) => type === 'StasisStart'), 8000)
  assert.deepEqual(start.args, ['inbound', '+18005550100'])
  assert.equal(call.state, 'ringing')
  assert.match((await doctor()).of.application.text, /is there: a gateway is, or was, connected/)
  call.hangup()
  await until('the caller is gone', () => call.state === 'down')
  socket.terminate()
})

test('what is spoiled in the files or in Asterisk is found, with the file to change', async () => {
  assert.equal((await doctor(['--ari-password', 'wrong'])).of.connection.file, 'ari.conf')
  const { code, of } = await doctor(['--ari-trunk', 'carrier', '--ari-music', 'sales', '--ari-app', 'other'])
  assert.equal(code, 1)
  assert.deepEqual([of.trunk.state, of.music.state, of.callers.state], ['failed', 'failed', 'warning'])
  assert.deepEqual([of.trunk.file, of.music.file, of.callers.file], ['pjsip.conf', 'musiconhold.conf', 'extensions.conf'])
  await changed('ari.conf', { general: { websocket_write_timeout: 100 } }, async () => assert.equal((await doctor()).of['write-timeout'].state, 'failed'))
  await changed('rtp.conf', { general: { rtpstart: 16000, rtpend: 16010 } }, async () => assert.equal((await doctor()).of['rtp-ports'].state, 'failed'))
  await changed('ari.conf', { calltab: { read_only: 'yes' } }, async () => {
    await asterisk.cli('module reload res_ari')
    assert.equal((await until('the user may only read', async () => (await doctor()).of.rights.state === 'failed' && (await doctor()))).of.rights.file, 'ari.conf')
  })
  await asterisk.cli('module unload app_stasis.so')
  assert.match((await doctor()).of.modules.text, /app_stasis/)
})
