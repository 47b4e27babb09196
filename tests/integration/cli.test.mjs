/* The program as administrators and scripts use it: what its commands do to the database and to a running gateway, what
 * they print, and with what they end: 0 done, 1 failed, 2 used wrongly. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startGateway } from '../support/gateway.mjs'
import { createDatabase } from '../support/pg.mjs'
import { run } from '../support/program.mjs'
import { root } from '../support/results.mjs'
import { until } from '../support/until.mjs'

const PASSWORD = 'correct horse'
const SECOND_AND_TRAVEL = 1500 // "within a second", on a busy machine

let gateway, folder

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calltab-cli-'))
  gateway = await startGateway({ config: { wrap_s: 30, preview_s: 60, ring_s: 2, sim_ring_ms: 20, sim_answer_ms: 50 } })
})

after(async () => {
  await gateway?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/* A command on the gateway's configuration; fails unless it ends with `code`. */
async function calltab(args, { code = 0, ...options } = {}) {
  const ended = await run([...args, '--config', gateway.configFile], options)
  assert.equal(ended.code, code, `calltab ${args.join(' ')}: ${ended.stderr}${ended.stdout}`)
  return ended
}

const json = async (args, options) => JSON.parse((await calltab([...args, '--json'], options)).stdout)
const agents = () => json(['agent', 'list'])
const agent = async (login) => (await agents()).find((row) => row.login === login)
const createKey = async (name, scopes) => (await json(['key', 'create', name, '--scopes', scopes])).key
const signIn = (body) => gateway.request('POST', '/api/v1/sign-in', { json: body, origin: gateway.origin })

/* Fails with 1 and this code, in words without --json. */
async function refused(args, code, options) {
  const { stderr, stdout } = await calltab([...args, '--json'], { code: 1, ...options })
  const problem = JSON.parse(stderr)
  assert.equal(problem.code, code)
  assert.equal(stdout, '')
  const words = await calltab(args, { code: 1, ...options })
  assert.equal(words.stderr, `calltab: ${problem.message}\n`)
}

test('agent add: the agent is listed, can sign in after a SIGHUP, and cannot be added twice', async () => {
  const options = { input: `${PASSWORD}\n` }
  assert.deepEqual(await json(['agent', 'add', 'ada', '--name', 'Ada Example', '--extension', '1003', '--password'], options), { login: 'ada', extension: '1003' })
  const { full_name, extension, is_enabled, has_password, agent_id } = await agent('ada')
  assert.deepEqual({ full_name, extension, is_enabled, has_password }, { full_name: 'Ada Example', extension: '1003', is_enabled: true, has_password: true })
  assert.match(agent_id, /^[0-9a-f-]{36}$/)
  assert.match((await calltab(['agent', 'list'])).stdout, /^login .*\n(.*\n)*ada +Ada Example +1003 /)
  await refused(['agent', 'add', 'ada'], 'agent.exists')
  await refused(['agent', 'add', 'bob', '--extension', '1003'], 'agent.exists')
  process.kill(gateway.pid, 'SIGHUP')
  const answer = await until('ada signs in', async () => {
    const tried = await signIn({ login: 'ada', password: PASSWORD })
    return tried.status === 200 && tried
  })
  assert.equal(answer.body.agent.name, 'Ada Example')
})

test('agent: what is wrong is refused and adds nothing', async () => {
  const before = (await agents()).length
  await refused(['agent', 'add', 'a b'], 'agent.login')
  await refused(['agent', 'add', 'x'.repeat(33)], 'agent.login')
  await refused(['agent', 'add', 'bob', '--extension', 'SIP/1'], 'agent.extension')
  await refused(['agent', 'add', 'bob', '--password'], 'password.short', { input: 'seven77\n' })
  await refused(['agent', 'add', 'bob', '--password'], 'password.short', { input: '' })
  for (const verb of ['link', 'password', 'enable', 'disable']) await refused(['agent', verb, 'nobody'], 'agent.unknown', { input: `${PASSWORD}\n` })
  assert.equal((await agents()).length, before)
})

test('agent link: signs in once', async () => {
  const { link, path } = await json(['agent', 'link', '1002'])
  assert.equal(path, `/agent/#link=${link}`)
  assert.equal((await signIn({ link })).status, 200)
  assert.equal((await signIn({ link })).status, 401)
  assert.match((await calltab(['agent', 'link', '1002'])).stdout, /^\/agent\/#link=[\w-]+\n$/)
})

test('agent password: the new one signs in, the old one no more', async () => {
  await calltab(['agent', 'password', '1002'], { input: `${PASSWORD}\n` })
  assert.equal((await signIn({ login: '1002', password: PASSWORD })).status, 200)
  await calltab(['agent', 'password', '1002'], { input: 'battery staple\n' })
  assert.equal((await signIn({ login: '1002', password: PASSWORD })).status, 401)
  assert.equal((await signIn({ login: '1002', password: 'battery staple' })).status, 200)
  await refused(['agent', 'password', '1002'], 'password.short', { input: 'short\n' })
  assert.equal((await signIn({ login: '1002', password: 'battery staple' })).status, 200)
})

test('agent disable: out within a second, back in after enable', async () => {
  const { token } = await gateway.signIn('1002')
  const isIn = async () => (await gateway.request('POST', '/api/v1/ws-tickets', { token, origin: gateway.origin })).status < 300
  assert.equal(await isIn(), true)
  await calltab(['agent', 'disable', '1002'])
  assert.equal((await agent('1002')).is_enabled, false)
  await until('the session is refused', async () => !(await isIn()), SECOND_AND_TRAVEL)
  assert.equal((await signIn({ link: (await json(['agent', 'link', '1002'])).link })).status, 401)
  await calltab(['agent', 'enable', '1002'])
  assert.equal((await agent('1002')).is_enabled, true)
  assert.equal((await signIn({ link: (await json(['agent', 'link', '1002'])).link })).status, 200)
})

test('key: created, listed without its secret, revoked within a second', async () => {
  const key = await createKey('crm', 'calls.read')
  const isIn = async () => (await gateway.request('GET', '/odata/v4/cts_dialerCalls', { token: key })).status === 200
  assert.equal(await isIn(), true)
  const listed = await calltab(['key', 'list', '--json'])
  const row = JSON.parse(listed.stdout).find(({ name }) => name === 'crm')
  assert.ok(key.startsWith(`ctsk_${row.prefix}_`) && !listed.stdout.includes(key))
  assert.deepEqual([row.scopes, row.expires_on, row.revoked_on], ['calls.read', null, null])
  assert.match((await calltab(['key', 'list'])).stdout, /^name .*\n(.*\n)*crm /)
  await refused(['key', 'create', 'crm', '--scopes', 'calls.read'], 'key.exists')
  await calltab(['key', 'revoke', 'crm'])
  await until('the key is refused', async () => !(await isIn()), SECOND_AND_TRAVEL)
  await refused(['key', 'revoke', 'crm'], 'key.unknown')
  assert.notEqual(await createKey('crm', 'calls.read'), key, 'its name is free again')
})

test('key: a life in days; what is wrong is refused and creates nothing', async () => {
  await calltab(['key', 'create', 'short', '--scopes', 'dial', '--days', '2'])
  const before = await json(['key', 'list'])
  const life = Date.parse(before.find(({ name }) => name === 'short').expires_on) - Date.now()
  assert.ok(Math.abs(life - 2 * 86_400_000) < 60_000, `${life} ms`)
  for (const days of ['0', '-1', 'x', '1x', '', '36501', '99999999999999999999']) await refused(['key', 'create', 'bad', '--scopes', 'dial', `--days=${days}`], 'key.days')
  for (const scopes of ['', 'everything', 'dial,everything']) await refused(['key', 'create', 'bad', '--scopes', scopes], 'key.scopes')
  await refused(['key', 'create', 'bad'], 'key.scopes')
  await refused(['key', 'create', 'b d', '--scopes', 'dial'], 'key.name')
  assert.deepEqual(await json(['key', 'list']), before)
})

test('call: presents a record; three attempts by --dialer-call are one row', async () => {
  const key = await createKey('dialer', 'dial,calls.read')
  const env = { CALLTAB_KEY: key, CALLTAB_URL: gateway.url }
  const tab = await gateway.openRaw(await gateway.signIn('1001'), { tab: 1 })
  const attempt = async (args) => {
    const presented = await json(['call', '--agent', '1001', ...args], { env })
    assert.equal(presented.tab, 1)
    await tab.state('preview')
    await tab.request('dial', { number: '' })
    await tab.state('idle', 8000)
    await tab.request('endWrap')
    await tab.state('end')
    return presented.dialerCallId
  }
  const id = await attempt(['+15551230486', '--subject', 'Spring', '--to-name', 'Ada Example', '--to-type', 'lead'])
  assert.equal(tab.call.toType, 'lead')
  assert.equal(await attempt(['--dialer-call', id]), id)
  assert.equal(await attempt(['--dialer-call', id]), id)
  const { value } = await gateway.requestOk('GET', '/odata/v4/cts_dialerCalls', { token: key })
  assert.deepEqual(value.map(({ dialerCallId, calls, busies, subject, to }) => ({ dialerCallId, calls, busies, subject, to })), [
    { dialerCallId: id, calls: 3, busies: 3, subject: 'Spring', to: 'Ada Example' },
  ])

  const { stdout } = await calltab(['call', '+15551230100', '--agent', '1001', '--tab', '1'], { env })
  assert.match(stdout, /^presented on tab 1, dialer call [0-9a-f-]{36}\n$/)
  await tab.state('preview')
  await refused(['call', '+15551230100', '--agent', '1001', '--tab', '1'], 'tab.not_free', { env })
  await refused(['call', '+15551230100', '--agent', 'nobody'], 'agent.unknown', { env })
  await refused(['call', 'x', '--agent', '1001', '--tab', '2'], 'number.invalid', { env })
  await tab.request('release')
  await tab.state('idle')
  await tab.request('endWrap')
  await tab.state('end')
  await tab.close()
})

test('call: without a key, with a wrong one, or without a gateway it says so', async () => {
  const words = ['call', '+15551230100', '--agent', '1001']
  assert.match((await calltab([...words, '--url', gateway.url], { code: 2 })).stderr, /a key with the scope dial is needed/)
  assert.equal((await calltab([...words, '--url', gateway.url, '--key', 'ct_wrong'], { code: 1 })).stdout, '')
  const reader = await createKey('reader', 'calls.read')
  await calltab([...words, '--url', gateway.url, '--key', reader], { code: 1 })
  const { stderr } = await calltab([...words, '--url', 'http://127.0.0.1:1', '--key', reader], { code: 1 })
  assert.match(stderr, /127\.0\.0\.1:1/)
})

test('simulate: a caller comes in, is seen, answered, hung up', async () => {
  const env = { CALLTAB_KEY: await createKey('simulate', 'admin,dial'), CALLTAB_URL: gateway.url }
  const simulate = async (...args) => JSON.parse((await calltab(['simulate', ...args], { env })).stdout)
  const leg = async (party) => (await simulate('legs')).legs.find((found) => found.party === party)
  await simulate('station', '1001', 'true')
  const tab = await gateway.openRaw(await gateway.signIn('1001'), { tab: 1 })
  await tab.request('agentReady')
  await simulate('call', '+15557654321', '5000', '--name', 'Clara Customer')
  assert.equal((await tab.state('incoming')).call.phone, '+15557654321')
  await tab.request('answer')
  await tab.state('talk')
  assert.equal((await until('they hear each other', async () => (await leg('+15557654321')).hears === '1001' && leg('1001'))).hears, '+15557654321')
  await simulate('hangup', String((await leg('+15557654321')).leg))
  assert.equal((await tab.state('idle')).call.endedBy, 'customer')
  assert.equal(await leg('+15557654321'), undefined)
  const { stderr } = await calltab(['simulate', 'hangup', '999999'], { code: 1, env })
  assert.match(stderr, /^calltab: \S/)
  await tab.request('agentNotReady')
  await tab.close()
})

test('migrate: status, down and up, in words and as JSON', async () => {
  const database = await createDatabase({ migrated: false })
  const migrate = async (words, { code = 0 } = {}) => {
    const ended = await run(['migrate', ...words, '--database', database.ownerUrl])
    assert.equal(ended.code, code, ended.stderr)
    return ended.stdout
  }
  const tables = async () => (await database.query("select table_name from information_schema.tables where table_schema = 'public'")).map((row) => row.table_name)
  try {
    const fresh = JSON.parse(await migrate(['status', '--json']))
    const total = fresh.pending
    assert.ok(total >= 2 && fresh.migrations.length === total && fresh.migrations.every(({ applied }) => !applied))
    await migrate(['status', '--exit-code'], { code: 1 })
    assert.match(await migrate(['status']), new RegExp(`^\\[ \\] \\d{14}.*\\n(.*\\n)*\\nPending: ${total}\\n$`))
    assert.deepEqual(JSON.parse(await migrate(['up', '--json'])), { applied: total })
    assert.deepEqual(JSON.parse(await migrate(['up', '--json'])), { applied: 0 })
    assert.match(await migrate(['up']), /nothing to do: the schema is current/)
    await migrate(['status', '--exit-code'])
    await migrate(['down'], { code: 2 })
    assert.ok((await tables()).includes('sessions'), 'without --yes nothing is undone')
    assert.deepEqual(JSON.parse(await migrate(['down', '--yes', '--json'])), { undone: 1 })
    assert.equal(JSON.parse(await migrate(['status', '--json'])).pending, 1)
    assert.match(await migrate(['down', '--steps', String(total - 1), '--yes']), new RegExp(`${total - 1} undone\\n$`))
    assert.deepEqual((await tables()).filter((name) => name !== 'schema_migrations'), [])
    await migrate(['up'])
    assert.equal(JSON.parse(await migrate(['status', '--json'])).pending, 0)
  } finally {
    await database.drop()
  }
})

test('README lists every command of the program', async () => {
  const { stdout } = await run(['--help'])
  const commands = [...stdout.matchAll(/^  (\w+) +\w/gm)].map(([, name]) => name).filter((name) => name !== 'version')
  assert.ok(commands.length >= 9)
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  for (const name of commands) assert.ok(readme.includes(`\`calltab ${name}`), name)
})

test('used wrongly: 2, and the usage on stderr', async () => {
  const wrong = [
    [], ['dance'], ['agent'], ['agent', 'dance'], ['agent', 'add'], ['agent', 'list', 'x'], ['agent', 'list', '--nonsense', '1'], ['agent', 'add', 'x', '--name'],
    ['key'], ['key', 'create'], ['key', 'list', 'x'], ['call'], ['call', '1', '2'], ['call', '+15551230100'], ['simulate'], ['simulate', 'call', '1'],
    ['migrate', '--database', 'x'], ['migrate', 'sideways', '--database', 'x'], ['migrate', 'up'], ['migrate', 'up', '--database', 'x', '--steps', 'x'], ['config'],
  ]
  const cwd = join(folder, 'calltab.ini')
  writeFileSync(cwd, '')
  for (const args of wrong) {
    const { code, stdout, stderr } = await run(args, { env: { CALLTAB_CONFIG: cwd } })
    assert.equal(code, 2, `calltab ${args.join(' ')}: ${stderr}`)
    assert.equal(stdout, '')
    assert.match(stderr, /Usage: calltab/)
  }
})

test('without a database, or with one that is away: 1, and what to set', async () => {
  const empty = join(folder, 'empty.ini')
  writeFileSync(empty, '')
  for (const args of [['agent', 'list'], ['key', 'list']]) {
    const none = await run([...args, '--config', empty])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /no database is configured: set `database`/)
    const away = await run([...args, '--config', empty, '--database', `host=${folder} dbname=x user=x`])
    assert.equal(away.code, 1)
    assert.match(away.stderr, /^calltab: \S/)
  }
})
