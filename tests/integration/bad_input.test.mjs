/* Bad input gets a clear error and changes nothing; what is missing or away is named together with what mends it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { startGateway } from '../support/gateway.mjs'
import { createDatabase, startCluster } from '../support/pg.mjs'
import { run } from '../support/program.mjs'
import { RawTab } from '../support/raw_tab.mjs'
import { until } from '../support/until.mjs'

let gateway, session, folder

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calltab-bad-'))
  gateway = await startGateway({ config: { wrap_s: 1, sim_ring_ms: 20, sim_answer_ms: 50 } })
  session = await gateway.signIn('1001')
})

after(async () => {
  await gateway?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const rows = async (database, sql) => {
  const client = new pg.Client({ connectionString: database.ownerUrl ?? database.url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/* A start that must fail: exit code 1, within 2 seconds of a clear line. */
async function failsToServe(args, expected, env = {}) {
  const began = performance.now()
  const { code, stdout, stderr } = await run(['serve', '--journal-dir', join(folder, 'journal'), ...args], { env, timeoutMs: 20_000 })
  assert.equal(code, 1, stderr)
  assert.match(stderr, expected)
  assert.equal(stdout.includes('ready'), false)
  assert.ok(performance.now() - began < 10_000)
}

test('commands that are wrong are answered with what is wrong, and the socket stays', async () => {
  const tab = await gateway.openRaw(session, { tab: 1 })
  const refused = [
    ['nonsense', {}, 'protocol.unknown_method'],
    ['attach', { tab: 1 }, 'protocol.already_attached'],
    ['dial', { number: 'SIP/300&Local/1' }, 'number.invalid'],
    ['dial', { number: '+1555' }, 'number.invalid'],
    ['dial', { number: 5 }, 'json.wrong_type'],
    ['dial', { number: '+15550001\r\nEvil: 1' }, 'number.invalid'],
    ['transferComplete', { callTab: 2 }, 'tab.not_active'],
    ['transferComplete', { callTab: 1 }, 'tab.same'],
    ['transferConsult', { number: '5551234' }, 'call.not_active'],
    ['setOutcome', { outcome: 'Sale' }, 'call.no_outcome_now'],
    ['setState', { state: 'Sleeping' }, undefined],
    ['playWaveFile', { filename: '../../etc/passwd' }, 'call.not_active'],
    ['endWrap', {}, 'call.not_idle'],
  ]
  for (const [method, params, code] of refused) {
    await assert.rejects(tab.request(method, params), (error) => {
      if (code) assert.equal(error.code, code, `${method}: ${error.message}`)
      assert.ok(error.message.length > 10, `${method} says why`)
      return true
    })
  }
  tab.send('not json')
  await until('it is answered', () => tab.answers.some((answer) => answer.id === null && answer.error.code === -32700))
  assert.equal(tab.closed, null)
  assert.equal((await tab.request('getCall')).call, null)
  assert.deepEqual(await rows(gateway.database, 'select * from dialer_calls'), [])
  await tab.close()
})

test('files are played by registered names only: what is no name or leads elsewhere is refused in a call', async () => {
  const tab = await gateway.openRaw(session, { tab: 4 })
  await tab.request('dial', { number: '+15550001777' })
  await tab.state('talk')
  for (const filename of ['../../etc/passwd', '/etc/passwd', 'recording:x', 'http://host/x', 'a b', '']) {
    await assert.rejects(tab.request('playWaveFile', { filename }), (error) => (assert.ok(['sound.invalid', 'json.missing'].includes(error.code), error.code), true))
  }
  await assert.rejects(tab.request('playWaveFile', { filename: 'unknown' }), { code: 'sound.not_found' })
  await tab.request('release')
  await tab.state('idle')
  await tab.request('endWrap')
  await tab.state('end')
  await tab.close()
})

test('wrong state: the condition that is not met is named', async () => {
  const tab = await gateway.openRaw(session, { tab: 5 })
  await tab.request('dial', { number: '+15550002777' })
  await tab.state('talk')
  await tab.request('hold')
  await tab.told('held', (call) => call.held)
  await assert.rejects(tab.request('transferComplete', { callTab: 6 }), { code: 'tab.not_active', message: 'transferComplete needs this tab active: it is held' })
  await assert.rejects(tab.request('hold'), { code: 'call.not_active' })
  await assert.rejects(tab.request('sendDTMF', { digits: '1' }), { code: 'call.not_active' })
  await tab.request('release')
  await tab.state('idle')
  await tab.request('endWrap')
  await tab.state('end')
  await tab.close()
})

test('a ticket opens one socket; an unknown one none; a page of another origin is refused', async () => {
  const ticket = await gateway.ticket(session)
  const first = await RawTab.open(gateway.socketUrl, ticket, { origin: gateway.url })
  await first.attach({ tab: 1 })
  const second = await RawTab.open(gateway.socketUrl, ticket, { origin: gateway.url })
  assert.equal((await second.whenClosed()).code, 4401)
  const unknown = await RawTab.open(gateway.socketUrl, 'A'.repeat(43), { origin: gateway.url })
  assert.equal((await unknown.whenClosed()).code, 4401)
  await assert.rejects(gateway.ticket(session).then((fresh) => RawTab.open(gateway.socketUrl, fresh, { origin: 'https://evil.example' })), { status: 403 })
  await first.close()
})

test('17 kB in a message closes with 1009; a 10 MB body is 413; the gateway serves on', async () => {
  const tab = await gateway.openRaw(session, { tab: 1 })
  tab.send(JSON.stringify({ jsonrpc: '2.0', id: 'x', method: 'dial', params: { number: '1'.repeat(17 * 1024) } }))
  assert.equal((await tab.whenClosed()).code, 1009)
  const answer = await gateway.request('POST', '/api/v1/sign-in', { body: 'x'.repeat(10 * 1024 * 1024), headers: { 'content-type': 'application/json' } }).catch((error) => ({ status: error.cause?.code }))
  assert.ok([413, 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(answer.status), String(answer.status))
  assert.equal((await gateway.request('GET', '/healthz')).status, 200)
})

test('an agent presents records to himself only; keys need the scope', async () => {
  const foreign = await gateway.request('POST', '/api/v1/present', { token: session.token, json: { agent: '1002', number: '+15550003777' } })
  assert.equal(foreign.status, 403)
  assert.equal(foreign.body.code, 'agent.foreign')
  const key = (await gateway.program(['key', 'create', 'reader', '--scopes', 'calls.read'])).trim()
  const denied = await gateway.request('POST', '/api/v1/present', { token: key, json: { agent: '1001', number: '+15550003777' } })
  assert.equal(denied.status, 403)
  assert.match(denied.body.detail, /dial/)
})

test('a configuration that is wrong names file, line and what is wrong', async () => {
  const file = join(folder, 'calltab.ini')
  const own = await createDatabase() // the other one has a gateway already
  for (const [text, expected] of [
    ['listen = 127.0.0.1:0\nwrap_s = soon\n', /calltab\.ini:2: wrap_s must be a number from 0 to 3600, not "soon"/],
    ['listn = 1\n', /calltab\.ini:1: there is no option "listn"/],
    ['listen = 127.0.0.1:0\n\nthis is no line\n', /calltab\.ini:3: this line is not `name = value`/],
    ['[server]\nlisten = 127.0.0.1:0\n', /calltab\.ini:2: there are no sections/],
    ['switch = rotary\n', /calltab\.ini:1: switch must be sim or ari, not "rotary"/],
    ['node = N 1\n', /calltab\.ini:1: node must be 1 to 8 of a-z 0-9, not "N 1"/],
    ['allow_no_origin = maybe\n', /calltab\.ini:1: allow_no_origin must be on or off/],
    ['listen = nowhere\n', /listen|address/],
    ['log_level = loud\n', /log_level must be err, warn, info or debug/],
  ]) {
    writeFileSync(file, text)
    await failsToServe(['--config', file, '--database', own.url], expected)
  }
  await own.drop()
  await failsToServe(['--config', join(folder, 'absent.ini')], /cannot read the configuration file .*absent\.ini/)
  await failsToServe(['--config', '/dev/null'], /no database is configured: set `database`/)
  const { code, stderr } = await run(['serve', '--wrap-s', 'x'])
  assert.equal(code, 2)
  assert.match(stderr, /--wrap-s: wrap_s must be a number/)
})

test('a port in use, a database that is away, older or newer: serve refuses and says what mends it', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const own = await createDatabase()
  await failsToServe(['--config', '/dev/null', '--database', own.url, '--listen', `127.0.0.1:${holder.address().port}`], /another program listens there/)
  await own.drop()
  holder.close()
  await failsToServe(['--config', '/dev/null', '--database', 'host=/nowhere dbname=x'], /database/)
  const empty = await createDatabase({ migrated: false })
  await failsToServe(['--config', '/dev/null', '--database', empty.ownerUrl ?? empty.url], /calltab migrate up/)
  await empty.drop()
  const newer = await createDatabase()
  await rows(newer, "insert into schema_migrations (version) values ('20990101000000')")
  await failsToServe(['--config', '/dev/null', '--database', newer.url], /newer/)
  await newer.drop()
})

test('help, wrong commands and wrong options: 0, 2, 2, with what would be right', async () => {
  const help = await run(['--help'])
  assert.equal(help.code, 0)
  for (const command of ['serve', 'migrate', 'agent', 'key', 'call', 'simulate', 'config']) {
    assert.match(help.stdout, new RegExp(`^ {2}${command} `, 'm'))
    const own = await run([command, '--help'])
    assert.equal(own.code, 0)
    assert.match(own.stdout, /Example: /)
  }
  assert.equal((await run(['dance'])).code, 2)
  assert.equal((await run(['serve', '--nonsense', '1'])).code, 2)
  assert.equal((await run(['agent', 'dance'])).code, 2)
  assert.equal((await run([])).code, 2)
  const explained = await gateway.program(['config', '--explain'])
  assert.match(explained, /wrap_s = 1\n {4}# from calltab\.ini:\d+\. /)
  assert.doesNotMatch(explained, /postgres:|host=/, 'secrets are masked')
})

test('the options of the program are those of docs/config.md', async () => {
  const documented = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8')
  const { stdout } = await run(['config', '--markdown'])
  assert.ok(documented.includes(stdout.trim()), 'regenerate the table: calltab config --markdown')
})

test('Asterisk away: agents see it, dial says so, the process keeps trying without spinning', async () => {
  const away = await startGateway({ config: { switch: 'ari', ari_port: 9 } })
  const signedIn = await away.signIn('1001')
  const tab = await away.openRaw(signedIn, { tab: 1 })
  await assert.rejects(tab.request('dial', { number: '+15550001777' }), { code: 'switch.away' })
  const ready = await away.request('GET', '/readyz')
  assert.equal(ready.status, 503)
  assert.equal(ready.body.switch.driver, 'ari')
  assert.notEqual(ready.body.switch.state, 'up')
  const cpu = () => readFileSync(`/proc/${away.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0)
  // at first it also prepares the journal's next segment
  const spent = []
  await until('two seconds in a row pass without spinning', async () => {
    const [began, used] = [performance.now(), cpu()]
    await until('a second has passed', () => performance.now() - began > 1000)
    return spent.push(cpu() - used) > 1 && spent.slice(-2).every((ticks) => ticks < 10)
  }, 10_000).catch(() => assert.fail(`${spent} ticks of 10 ms in the seconds`))
  await tab.close()
  await away.stop()
})

const isTold = (tab, notice) => tab.received.some(({ params }) => params?.code === notice)

test('the database goes away while serving: calls go on and are told, and their rows follow when it is back', async () => {
  const cluster = await startCluster()
  const database = await createDatabase({ cluster })
  const own = await startGateway({ database, config: { sim_ring_ms: 20, sim_answer_ms: 50, wrap_s: 1 } })
  const signedIn = await own.signIn('1001')
  const tab = await own.openRaw(signedIn, { tab: 1 })
  await tab.request('dial', { number: '+15550001777' })
  const { call } = await tab.state('talk')
  await cluster.stop()
  await tab.request('release')
  await tab.state('idle')
  await until('it is said that the database is away', () => isTold(tab, 'database.away'), 15_000)
  await tab.request('endWrap').catch(() => {})
  await tab.state('end')
  await tab.request('dial', { number: '+15550002777' })
  const { call: second } = await tab.state('talk')
  assert.equal((await own.request('GET', '/healthz')).status, 200)
  const ready = await own.request('GET', '/readyz')
  assert.equal(ready.status, 200, 'new calls can be made')
  assert.equal(ready.body.database, 'away')
  assert.equal(ready.body.storage, 'ok')
  assert.ok(ready.body.journal.behind > 0, JSON.stringify(ready.body))
  await cluster.start()
  await until('it is said that the database is back', () => isTold(tab, 'database.ok'), 20_000)
  await until('the rows have followed', async () => (await own.request('GET', '/readyz')).body.journal.behind === 0)
  const found = await rows(database, `select event_name from dialer_call_events where dialer_call_id = '${call.dtCallId}' order by created_on`)
  assert.equal(found.filter(({ event_name: name }) => name === 'idle').length, 1, JSON.stringify(found))
  assert.equal((await rows(database, `select * from dialer_calls where dialer_call_id = '${second.dtCallId}'`)).length, 1)
  assert.equal(isTold(tab, 'storage.degraded'), false)
  await tab.request('release')
  await tab.state('idle')
  await tab.close()
  await own.stop()
  await cluster.stop()
})

test('the journal: a second gateway is kept out, a folder that cannot be written is named', async () => {
  const second = await startGateway({ config: { journal_dir: gateway.config.journal_dir }, wait: false })
  assert.equal((await second.ended()).code, 1)
  assert.match(second.log, /journal_dir .*another calltab/)
  second.wasStopped = true
  await second.release()
  const nowhere = await startGateway({ config: { journal_dir: '/proc/calltab/journal' }, wait: false })
  assert.equal((await nowhere.ended()).code, 1)
  assert.match(nowhere.log, /journal_dir \/proc\/calltab\/journal/)
  nowhere.wasStopped = true
  await nowhere.release()
})

test('what was told and not stored when the program was killed is stored by the next one', async () => {
  const cluster = await startCluster()
  const database = await createDatabase({ cluster })
  const own = await startGateway({ database, config: { sim_ring_ms: 20, sim_answer_ms: 50 } })
  const tab = await own.openRaw(await own.signIn('1001'), { tab: 1 })
  await cluster.stop()
  await tab.request('dial', { number: '+15550001777' })
  const { call } = await tab.state('talk')
  await own.kill()
  await cluster.start()
  await own.restart({ crash: true })
  await until('the rows are there', async () => (await own.request('GET', '/readyz')).body.journal?.behind === 0)
  const found = await rows(database, `select event_name from dialer_call_events where dialer_call_id = '${call.dtCallId}' order by created_on`)
  assert.ok(found.some(({ event_name: name }) => name === 'talk'), JSON.stringify(found))
  await tab.close()
  await own.stop()
  await cluster.stop()
})
