/* The registry of sounds as administrators use it: by the program, over HTTP, and as the switch fetches from it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { toneWav } from '../support/asterisk.mjs'
import { startGateway } from '../support/gateway.mjs'
import { run } from '../support/program.mjs'
import { until } from '../support/until.mjs'

let gateway, folder

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calltab-sounds-'))
  gateway = await startGateway({ config: { sim_ring_ms: 20, sim_answer_ms: 50 } })
})

after(async () => {
  await gateway?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/* --- the program --- */

async function calltab(args, { code = 0 } = {}) {
  const ended = await run([...args, '--config', gateway.configFile])
  assert.equal(ended.code, code, `calltab ${args.join(' ')}: ${ended.stderr}${ended.stdout}`)
  return ended
}

const json = async (args) => JSON.parse((await calltab([...args, '--json'])).stdout)
const list = () => json(['sound', 'list'])

async function refused(args, code) {
  assert.equal(JSON.parse((await calltab([...args, '--json'], { code: 1 })).stderr).code, code)
}

function file(name, bytes) {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

test('sound add, list, remove: what was added is listed, replaced under its name, and gone', async () => {
  const tone = file('tone.wav', toneWav(900, 1.5))
  const added = await json(['sound', 'add', 'greeting', tone])
  assert.deepEqual([added.name, added.durationMs, added.bytes], ['greeting', 1500, 44 + 24000])
  assert.match(added.sha256, /^[0-9a-f]{64}$/)
  const [listed] = await list()
  assert.deepEqual([listed.name, listed.durationMs, listed.sha256], ['greeting', 1500, added.sha256])
  assert.match((await calltab(['sound', 'list'])).stdout, /^name .*durationMs.*\ngreeting +1500 /)
  assert.match((await calltab(['sound', 'add', 'greeting', file('longer.wav', toneWav(500, 2))])).stdout, /greeting added: 2\.000 s/)
  assert.deepEqual((await list()).map(({ name, durationMs }) => [name, durationMs]), [['greeting', 2000]])
  await calltab(['sound', 'remove', 'greeting'])
  assert.deepEqual(await list(), [])
})

test('sound: what is wrong is refused with the reason and adds nothing', async () => {
  const tone = file('good.wav', toneWav(900, 0.1))
  await refused(['sound', 'add', '../x', tone], 'sound.invalid')
  await refused(['sound', 'add', 'a.wav', tone], 'sound.invalid')
  await refused(['sound', 'add', 'x'.repeat(65), tone], 'sound.invalid')
  await refused(['sound', 'add', 'a', join(folder, 'nowhere.wav')], 'sound.file')
  await refused(['sound', 'add', 'a', folder], 'sound.file')
  await refused(['sound', 'add', 'a', file('empty.wav', '')], 'sound.empty')
  await refused(['sound', 'add', 'a', file('text.wav', 'this is text and no audio')], 'sound.not_audio')
  await refused(['sound', 'add', 'a', file('cut.wav', toneWav(900, 1).subarray(0, 30))], 'sound.not_audio')
  await refused(['sound', 'add', 'a', file('large.wav', Buffer.alloc(10_000_001))], 'sound.too_large')
  await refused(['sound', 'remove', 'nothing'], 'sound.not_found')
  for (const args of [['sound'], ['sound', 'add'], ['sound', 'add', 'a'], ['sound', 'remove'], ['sound', 'play', 'a']]) await calltab(args, { code: 2 })
  assert.deepEqual(await list(), [])
})

/* --- over HTTP --- */

const keys = {}
async function key(scopes) {
  keys[scopes] ??= (await gateway.program(['key', 'create', scopes.replaceAll(/\W/g, '-'), '--scopes', scopes])).trim()
  return keys[scopes]
}

const api = async (method, path, options) => gateway.request(method, `/api/v1/sounds${path}`, { token: await key('admin'), ...options })

/* As the switch asks: nobody in particular. */
const fetched = (path, headers) => fetch(gateway.url + path, { headers })
const address = ({ name, sha256 }) => `/sounds/${sha256.slice(0, 32)}/${name}.wav`

async function isProblem(answer, status, code) {
  assert.deepEqual([answer.status, answer.body.code], [status, code])
}

test('PUT, GET, DELETE: for keys with admin and nobody else', async () => {
  const wav = toneWav(700, 0.5)
  const session = await gateway.signIn('1001')
  const others = [[undefined, 401], ['ctsk_nonsense', 401], [session.token, 403], [await key('dial'), 403], [await key('calls.read'), 403]]
  for (const [token, status] of others) {
    for (const [method, path] of [['GET', ''], ['GET', '/a'], ['PUT', '/a'], ['DELETE', '/a']]) {
      const answer = await gateway.request(method, `/api/v1/sounds${path}`, { token, body: method === 'PUT' ? wav : undefined })
      assert.equal(answer.status, status, `${method} ${path}`)
    }
  }
  assert.deepEqual(await list(), [])
})

test('PUT converts, GET gives what is played, the list shows it, DELETE forgets it', async () => {
  const put = await api('PUT', '/hello', { body: toneWav(700, 1, 44100) })
  assert.equal(put.status, 201)
  const { name, durationMs, bytes, sha256 } = put.body
  assert.equal(name, 'hello')
  assert.ok(Math.abs(durationMs - 1000) < 5, `${durationMs} ms`)
  const [listed] = (await api('GET', '')).body.value
  assert.deepEqual([listed.name, listed.durationMs, listed.bytes, listed.sha256], [name, durationMs, bytes, sha256])
  const read = await fetch(`${gateway.url}/api/v1/sounds/hello`, { headers: { 'x-api-key': await key('admin') } })
  assert.equal(read.status, 200)
  const body = Buffer.from(await read.arrayBuffer())
  assert.deepEqual([read.headers.get('content-type'), body.length, body.readUInt32LE(24), body.readUInt16LE(22), body.readUInt16LE(34)], ['audio/wav', bytes, 8000, 1, 16])
  const again = await api('PUT', '/hello', { body: toneWav(300, 2) })
  assert.deepEqual([again.status, again.body.durationMs], [200, 2000])
  assert.notEqual(again.body.sha256, sha256)
  assert.equal((await api('DELETE', '/hello')).status, 204)
  for (const method of ['GET', 'DELETE']) await isProblem(await api(method, '/hello'), 404, 'sound.not_found')
})

test('PUT: what is wrong is refused with the reason', async () => {
  const good = toneWav(700, 0.1)
  for (const name of ['a.wav', 'a%20b', '..', 'x'.repeat(65), 'a:b']) {
    const answer = await api('PUT', `/${name}`, { body: good })
    assert.ok([400, 404].includes(answer.status), `${name}: ${answer.status}`)
  }
  const wide = Buffer.from(good)
  wide.writeUInt16LE(6, 22)
  wide.writeUInt16LE(12, 32)
  for (const [body, status, code] of [
    [undefined, 400, 'sound.empty'], ['no audio', 400, 'sound.not_audio'], [Buffer.alloc(70_000), 400, 'sound.not_audio'],
    [good.subarray(0, 20), 400, 'sound.not_audio'], [good.subarray(0, 44), 400, 'sound.silent'], [wide, 400, 'sound.channels'],
    [Buffer.alloc(10_000_001), 413, 'http.too_large'],
  ]) {
    await isProblem(await api('PUT', '/a', { body }), status, code)
  }
  const large = await gateway.request('PUT', '/api/v1/sounds/a', { body: Buffer.alloc(70_000) })
  assert.equal(large.status, 413, 'without a key there is room for little')
  const elsewhere = await gateway.request('POST', '/api/v1/present', { token: await key('admin'), body: Buffer.alloc(70_000) })
  assert.equal(elsewhere.status, 413, 'and on other routes too')
  assert.deepEqual(await list(), [])
})

test('the switch fetches by an address that names the version, again only when it has changed', async () => {
  const { body: sound } = await api('PUT', '/prompt', { body: toneWav(700, 0.5) })
  const first = await fetched(address(sound))
  const etag = first.headers.get('etag')
  assert.deepEqual([first.status, first.headers.get('content-type'), (await first.arrayBuffer()).byteLength], [200, 'audio/wav', sound.bytes])
  assert.match(first.headers.get('cache-control'), /max-age=\d{3,}/)
  assert.match(etag, /^"[0-9a-f]{16}"$/)
  assert.equal((await fetched(address(sound), { 'if-none-match': etag })).status, 304)
  assert.equal((await fetched(address(sound), { 'if-none-match': '"other"' })).status, 200)
  assert.equal((await fetch(gateway.url + address(sound), { method: 'HEAD' })).headers.get('content-length'), String(sound.bytes))
  assert.equal((await fetch(gateway.url + address(sound), { method: 'POST' })).status, 405)
  assert.equal((await fetched(address(sound).replace('/prompt', `-${'0'.repeat(80)}/prompt`))).status, 200)
  for (const path of [
    address(sound).replace('/prompt', '-0x/prompt'), '/sounds/prompt.wav', `/sounds/${'0'.repeat(32)}/prompt.wav`, address({ ...sound, name: 'other' }), address(sound).replace('.wav', ''),
    `/sounds/${sound.sha256}/prompt.wav`, address(sound).replace('.wav', '.mp3'), `/sounds/${sound.sha256.slice(0, 32)}/..%2fprompt.wav`, '/sounds/', '/sounds',
  ]) {
    assert.ok([400, 404].includes((await fetched(path)).status), path)
  }
  const longer = await api('PUT', '/prompt', { body: toneWav(700, 1) })
  assert.equal((await (await fetched(address(longer.body))).arrayBuffer()).byteLength, longer.body.bytes)
  await api('DELETE', '/prompt')
  assert.equal((await fetched(address(longer.body))).status, 404)
})

test('what was put is played at once; what the program adds, after a SIGHUP; what is gone, no more', async () => {
  const tab = await gateway.openRaw(await gateway.signIn('1001'), { tab: 5 })
  await tab.request('dial', { number: '+15550001555' })
  await tab.state('talk')
  const plays = (filename, more) => tab.request('playWaveFile', { filename, ...more })
  await api('PUT', '/hello', { body: toneWav(700, 0.5) })
  await plays('hello')
  await plays('hello', { to: 'customer' })
  await assert.rejects(plays('hello', { to: 'nobody' }), { code: 'to.invalid' })
  await calltab(['sound', 'add', 'second', file('second.wav', toneWav(900, 0.2))])
  await assert.rejects(plays('second'), { code: 'sound.not_found' })
  process.kill(gateway.pid, 'SIGHUP')
  await until('the gateway has learned of it', () => plays('second').then(() => true, () => false))
  await plays('hello')
  await api('DELETE', '/hello')
  await assert.rejects(plays('hello'), { code: 'sound.not_found' })
  await tab.request('release')
  await tab.state('idle')
  await tab.request('endWrap')
  await tab.close()
})

test('sounds are there after a restart', async () => {
  const { body: sound } = await api('PUT', '/kept', { body: toneWav(700, 0.5) })
  await gateway.restart()
  // connections of before may be tried first
  await until('it can be fetched', () => fetched(address(sound)).then(({ status }) => status === 200, () => false))
  const [listed] = (await api('GET', '')).body.value
  assert.equal(listed.name, 'kept')
})
