/* `calltab call --from`: a call that is watched from a terminal, a pipe or a program until it is over. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { startGateway } from '../support/gateway.mjs'
import { programPath } from '../support/program.mjs'
import { until } from '../support/until.mjs'

const BUSY = '+15551230486'
const ANSWERS = '+15551230100'

let gateway, tab, key

before(async () => {
  gateway = await startGateway({ config: { preview_s: 1, sim_ring_ms: 300, sim_answer_ms: 600 } })
  key = (await gateway.program(['key', 'create', 'watcher', '--scopes', 'dial,calls.read'])).trim()
  tab = await gateway.openRaw(await gateway.signIn('1001'), { tab: 1 })
})

after(async () => {
  await tab?.close()
  await gateway?.stop()
})

/* The command while it runs: what it has printed so far, and how it ends. */
function watch(args, { terminal = false, withKey = key } = {}) {
  const command = [programPath(), 'call', ...args, '--config', gateway.configFile]
  const [program, ...rest] = terminal ? ['script', '-qefc', command.join(' '), '/dev/null'] : command
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...rest], { env: { ...process.env, CALLTAB_KEY: withKey, CALLTAB_URL: gateway.url } })
  const watched = { child, stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (watched[name] += text))
  watched.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
  watched.shows = (text) => until(`it shows ${text}`, () => watched.stdout.includes(text), 10_000)
  return watched
}

async function nextRecord() {
  await tab.request('endWrap')
  await tab.state('end')
}

test('through a pipe: one line for each state, then why it is idle, and 0', async () => {
  const watched = watch([ANSWERS, '--from', '1001'])
  await tab.state('talk')
  await watched.shows('talk')
  await tab.request('hold')
  await watched.shows('hold')
  await tab.request('release')
  assert.equal(await watched.ended, 0)
  assert.match(watched.stdout, /^presented on tab 1, dialer call [0-9a-f-]{36}\npreview\nringing\ntalk\nhold\nidle: hung up\n$/)
  assert.equal(watched.stderr, '')
  await nextRecord()
})

test('--json: one object for each state, the cause in the last; a second attempt tells only its own', async () => {
  const first = watch([BUSY, '--from', '1001', '--json'])
  assert.equal(await first.ended, 0)
  const told = first.stdout.trim().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(told.map(({ state, cause }) => [state, cause]), [['presented', null], ['preview', null], ['ringing', null], ['idle', 'busy']])
  assert.equal(new Set(told.map(({ dialerCallId, tab }) => `${dialerCallId} ${tab}`)).size, 1)
  await nextRecord()
  const second = watch(['--dialer-call', told[0].dialerCallId, '--from', '1001'])
  assert.equal(await second.ended, 0)
  assert.match(second.stdout, /^presented on tab 1, dialer call .*\npreview\nringing\nidle: busy\n$/)
  await nextRecord()
})

test('on a terminal: one line that counts, and stays when its state ends', async () => {
  const watched = watch([ANSWERS, '--from', '1001'], { terminal: true })
  await watched.shows('talk 1 s')
  await tab.request('release')
  assert.equal(await watched.ended, 0)
  const lines = watched.stdout.split('\r\n').map((line) => line.split('\r\x1b[K'))
  assert.ok(lines.find((line) => line.includes('talk 0 s') && /^talk \d+ s$/.test(line.at(-1))), watched.stdout)
  assert.match(lines.map((line) => line.at(-1)).join('\n'), /^presented .*\npreview \d s\nringing \d s\ntalk \d s\nidle: hung up\n$/)
  await nextRecord()
})

test('Ctrl-C leaves the call alone and says so', async () => {
  const watched = watch([ANSWERS, '--from', '1001'])
  await watched.shows('talk')
  await until('the tab talks', () => tab.call.state === 'talk')
  watched.child.kill('SIGINT')
  assert.equal(await watched.ended, 0)
  assert.match(watched.stderr, /the call itself goes on/)
  assert.ok(!watched.stdout.includes('idle'))
  const { body } = await gateway.request('GET', '/api/v1/sim/legs', { token: (await gateway.program(['key', 'create', 'looker', '--scopes', 'admin'])).trim() })
  assert.ok(body.legs.some(({ party }) => party === ANSWERS), JSON.stringify(body))
  await tab.request('release')
  await tab.state('idle')
  await nextRecord()
})

test('a key that may not read is refused before anybody is called', async () => {
  const dial = (await gateway.program(['key', 'create', 'dial', '--scopes', 'dial'])).trim()
  const count = async () => (await gateway.request('GET', '/odata/v4/cts_dialerCalls/$count', { token: key })).body
  const was = await count()
  const watched = watch([ANSWERS, '--from', '1001'], { withKey: dial })
  assert.equal(await watched.ended, 1)
  assert.match(watched.stderr, /calls\.read/)
  assert.equal(await count(), was)
})

test('used wrongly: 2; refused by the gateway: 1, in its words', async () => {
  for (const args of [[ANSWERS, '--from', '1001', '--agent', '1001'], ['--dialer-call', 'x/y', '--from', '1001'], [ANSWERS]]) {
    const watched = watch(args)
    assert.equal(await watched.ended, 2, args.join(' '))
    assert.match(watched.stderr, /Usage: calltab call/)
  }
  const watched = watch([ANSWERS, '--from', 'nobody'])
  assert.equal(await watched.ended, 1)
  assert.match(watched.stderr, /no agent has the login/)
})

test('a gateway that is killed meanwhile is waited for, and tells how the call ended', async () => {
  const watched = watch([ANSWERS, '--from', '1001'])
  await watched.shows('talk')
  await gateway.restart({ crash: true })
  assert.equal(await watched.ended, 0)
  assert.match(watched.stdout, /talk\nidle: hung up\n$/)
})
