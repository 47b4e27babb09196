/* `calltab doctor asterisk` on what a real Asterisk cannot be made to be: too old, half loaded, with a user who may
 * only read, with nonsense for answers. tests/telephony/doctor.test.mjs asks a real one. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createDatabase } from '../support/pg.mjs'
import { run } from '../support/program.mjs'

const NEEDED = [
  'res_http_websocket', 'res_websocket_client', 'res_ari', 'res_ari_model', 'res_ari_applications', 'res_ari_asterisk', 'res_ari_bridges',
  'res_ari_channels', 'res_ari_endpoints', 'res_ari_events', 'res_ari_playbacks', 'res_stasis', 'res_stasis_answer', 'res_stasis_playback',
  'app_stasis', 'pbx_config', 'chan_pjsip', 'res_pjsip', 'res_pjsip_session', 'res_pjsip_sdp_rtp', 'res_rtp_asterisk', 'res_pjsip_registrar',
  'res_pjsip_authenticator_digest', 'res_pjsip_endpoint_identifier_user', 'res_pjsip_endpoint_identifier_ip', 'res_pjsip_caller_id',
  'res_pjsip_header_funcs', 'func_callerid', 'func_channel', 'chan_bridge_media', 'res_musiconhold', 'bridge_simple', 'bridge_softmix',
  'codec_ulaw', 'codec_alaw', 'format_wav',
]
const running = (name) => ({ name: `${name}.so`, status: 'Running' })
const endpoint = (resource, state = 'online') => ({ technology: 'PJSIP', resource, state, channel_ids: [] })

let server, port, answers, asked, database, folder, configFile

/* Answers by "METHOD path"; a function is called; what is not there is 404. */
before(async () => {
  server = createServer((request, response) => {
    const name = `${request.method} ${request.url.split('?')[0]}`
    asked.push({ name, authorization: request.headers.authorization })
    let answer = answers[name] ?? { status: 404, body: { message: 'not found' } }
    if (typeof answer === 'function') answer = answer()
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(answer.text ?? JSON.stringify(answer.body))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = server.address().port
  database = await createDatabase()
  folder = mkdtempSync(join(tmpdir(), 'calltab-doctor-'))
  configFile = join(folder, 'calltab.ini')
  writeFileSync(configFile, `ari_host = 127.0.0.1\nari_port = ${port}\nari_user = gw\nari_password = sesame\nari_app = gw one\n`)
})

after(async () => {
  await new Promise((resolve) => server.close(resolve))
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  asked = []
  answers = {
    'GET /ari/asterisk/ping': () => ({ body: { ping: 'pong', timestamp: new Date().toISOString().replace('Z', '+0000') } }),
    'GET /ari/asterisk/info': { body: { system: { version: '22.11.0+dfsg-1' } } },
    'GET /ari/asterisk/modules': { body: NEEDED.map(running) },
    'GET /ari/endpoints': { body: [endpoint('1001'), endpoint('1002'), endpoint('trunk')] },
  }
})

async function doctor(args = [], { code } = {}) {
  const ended = await run(['doctor', 'asterisk', '--config', configFile, '--json', ...args])
  assert.equal(ended.stderr, '')
  const report = JSON.parse(ended.stdout)
  assert.equal(ended.code, code ?? (report.failed ? 1 : 0))
  return { ...report, of: Object.fromEntries(report.checks.map((check) => [check.check, check])) }
}

const states = ({ checks }, ...names) => Object.fromEntries(checks.filter(({ check }) => names.includes(check)).map(({ check, state }) => [check, state]))

test('in order: asked with the name and password of the configuration, nothing failed, and nothing is changed at the switch', async () => {
  const report = await doctor(['--database', database.url], { code: 0 })
  const asking = ['connection', 'rights', 'version', 'webrtc-version', 'modules', 'application', 'telephones', 'trunk', 'clock']
  assert.deepEqual(states(report, ...asking), Object.fromEntries(asking.map((name) => [name, 'ok'])))
  assert.equal(report.ok + report.warning + report.failed + report.unknown, report.checks.length)
  assert.equal(report.of.version.text, 'Asterisk 22.11.0')
  for (const { name, authorization } of asked) {
    assert.equal(authorization, `Basic ${Buffer.from('gw:sesame').toString('base64')}`)
    assert.match(name, /^GET |^DELETE \/ari\/channels\/calltab-doctor-asks$/)
  }
  assert.ok(asked.some(({ name }) => name === 'GET /ari/applications/gw%20one'))
})

test('too old: failed, and says which version is needed', async () => {
  answers['GET /ari/asterisk/info'] = { body: { system: { version: '20.9.3' } } }
  const report = await doctor([], { code: 1 })
  assert.equal(report.of.version.state, 'failed')
  assert.match(report.of.version.change, /22\.10\.1/)
})

test('modules that are missing, or there and not running, are named with the file to change', async () => {
  answers['GET /ari/asterisk/modules'] = { body: NEEDED.filter((name) => name !== 'app_stasis').map((name) => (name === 'chan_bridge_media' ? { name: 'chan_bridge_media.so', status: 'Not Running' } : running(name))) }
  const { of } = await doctor([], { code: 1 })
  assert.equal(of.modules.state, 'failed')
  assert.match(of.modules.text, /app_stasis, chan_bridge_media/)
  assert.equal(of.modules.file, 'modules.conf')
  assert.equal(of['more-modules'].state, 'warning')
})

test('a user who may only read, and one who may not come in', async () => {
  answers['DELETE /ari/channels/calltab-doctor-asks'] = { status: 403, body: { message: 'Write access denied' } }
  const reader = await doctor([], { code: 1 })
  assert.deepEqual([reader.of.rights.state, reader.of.rights.file], ['failed', 'ari.conf'])
  answers['GET /ari/asterisk/ping'] = { status: 401, body: {} }
  const stranger = await doctor([], { code: 1 })
  assert.match(stranger.of.connection.change, /\[gw\]/)
  assert.equal(stranger.unknown, stranger.checks.length - 1)
})

test('agents without a telephone, telephones and a trunk that are offline, no trunk', async () => {
  answers['GET /ari/endpoints'] = { body: [endpoint('1001', 'offline'), endpoint('1002'), endpoint('trunk', 'offline')] }
  assert.deepEqual(states(await doctor(['--database', database.url], { code: 0 }), 'telephones', 'trunk'), { telephones: 'warning', trunk: 'warning' })
  answers['GET /ari/endpoints'] = { body: [endpoint('1001')] }
  const { of } = await doctor(['--database', database.url], { code: 1 })
  assert.match(of.telephones.text, /1002/)
  assert.deepEqual([of.telephones.state, of.trunk.state], ['failed', 'failed'])
})

test('a clock that is a minute off is a warning', async () => {
  answers['GET /ari/asterisk/ping'] = () => ({ body: { timestamp: new Date(Date.now() - 60_000).toISOString().replace('Z', '+0000') } })
  const { of } = await doctor([], { code: 0 })
  assert.equal(of.clock.state, 'warning')
  assert.match(of.clock.text, /(59\.9|60\.\d) s behind/)
})

test('nonsense for answers is not known, never ok', async () => {
  for (const answer of [{ body: {} }, { body: [] }, { text: '' }, { text: '[' }, { text: '"x"' }, { body: { list: 1 } }, { body: [1, null, { name: 7 }] }, { status: 500, body: {} }]) {
    for (const name of Object.keys(answers)) if (!name.endsWith('ping')) answers[name] = answer
    const { of } = await doctor(['--database', database.url])
    for (const name of ['version', 'webrtc-version']) assert.equal(of[name].state, 'unknown', JSON.stringify(answer))
    for (const name of ['modules', 'telephones', 'trunk']) assert.match(of[name].state, /unknown|failed/, JSON.stringify(answer))
  }
  answers['GET /ari/asterisk/ping'] = { text: '<html>' }
  assert.equal((await doctor([], { code: 1 })).of.connection.file, 'ari.conf')
})

test('nobody there: failed, and what the files say is told all the same', async () => {
  writeFileSync(join(folder, 'http.conf'), '[general]\nenabled = no\n')
  writeFileSync(join(folder, 'ari.conf'), '[general]\nenabled = yes\n')
  const { of } = await doctor(['--ari-port', '1', '--config-dir', folder], { code: 1 })
  assert.deepEqual([of.connection.state, of.version.state, of.http.state, of['write-timeout'].state, of['rtp-ports'].state], ['failed', 'unknown', 'failed', 'failed', 'unknown'])
  assert.match(of['write-timeout'].change, /websocket_write_timeout = 2000/)
})

test('in words: one line for each check, what to change below it, the sum at the end', async () => {
  answers['GET /ari/asterisk/info'] = { body: { system: { version: '22.9.0' } } }
  const { code, stdout } = await run(['doctor', 'asterisk', '--config', configFile])
  assert.equal(code, 1)
  assert.match(stdout, /^failed +version +Asterisk 22\.9\.0 is too old.*\n +-> install Asterisk 22\.10\.1/m)
  assert.match(stdout, /^ok +connection +/m)
  assert.match(stdout, /^not known telephones +.*no database is configured/m)
  assert.match(stdout, /\n\d+ ok, \d+ warnings, 1 failed, \d+ not known\n$/)
  assert.ok(!stdout.includes('sesame'))
})

test('used wrongly: 2', async () => {
  for (const words of [[], ['printer'], ['asterisk', 'now'], ['asterisk', '--config-dir', '/nowhere'], ['asterisk', '--frob', '1']]) {
    const { code, stderr, stdout } = await run(['doctor', ...words, '--config', configFile])
    assert.equal(code, 2, words.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, /Usage: calltab doctor/)
  }
})
