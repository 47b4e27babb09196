/* calltab replay: what the journal holds, through the rules once more, while the gateway runs and after. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway } from '../support/gateway.mjs'
import { run } from '../support/program.mjs'

let gateway

before(async () => {
  gateway = await startGateway({ config: { sim_ring_ms: 20, sim_answer_ms: 50, wrap_s: 0 } })
})
after(() => gateway.stop())

async function calltab(args, { code = 0 } = {}) {
  const ended = await run(args)
  assert.equal(ended.code, code, `calltab ${args.join(' ')}: ${ended.stderr}${ended.stdout}`)
  return ended
}

const replay = (...args) => calltab(['replay', ...args, '--journal-dir', gateway.config.journal_dir])

async function oneCall() {
  const tab = await gateway.openRaw(await gateway.signIn('1001'), { tab: 1 })
  await tab.request('dial', { number: '+15550001234' })
  const { call } = await tab.state('talk')
  await tab.request('release')
  await tab.state('idle')
  await tab.close()
  return call
}

test('the state of every call and agent is printed, and this version gives what was recorded', async () => {
  const call = await oneCall()
  const { stdout, stderr } = await replay('--compare', '--json')
  const lines = stdout.trim().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(lines.filter((line) => line.field), [])
  const seen = lines.find((line) => line.call === call.callId)
  assert.equal(seen.state, 'wrap')
  assert.ok(lines.some((line) => line.agent === '1001' && line.state === 'LoggedIn'), stdout)
  assert.match(stderr, /\d+ records, [1-9]\d* steps, 0 of them different/)
})

test('a slice ends where it is told to, and no telephone number is shown whole', async () => {
  const call = await oneCall()
  const { stdout } = await replay()
  const { stdout: early } = await replay('..2')
  assert.ok(stdout.includes(call.callId))
  assert.ok(!early.includes(call.callId))
  assert.ok(!stdout.includes('+15550001234'))
})

test('a slice that is none, and a folder that is none, are said so', async () => {
  for (const slice of ['abc', '0..5', '9..3', '1...']) {
    const { stderr } = await calltab(['replay', slice, '--journal-dir', gateway.config.journal_dir], { code: 2 })
    assert.match(stderr, /100\.\.200/)
  }
  const folder = mkdtempSync(join(tmpdir(), 'calltab-none-'))
  const { stderr } = await calltab(['replay', '--journal-dir', join(folder, 'nothing')], { code: 1 })
  assert.match(stderr, /^calltab: \S.*nothing/)
  rmSync(folder, { recursive: true })
})
