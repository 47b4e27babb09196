/* The registry of sounds as administrators use it: by the program, over HTTP, and as the switch fetches from it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { toneWav } from '../support/asterisk.mjs'
import { startGateway } from '../support/gateway.mjs'
import { run } from '../support/program.mjs'

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
