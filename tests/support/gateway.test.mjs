import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startGateway } from './gateway.mjs'

process.env.CALLTAB_BIN = fileURLToPath(new URL('./fake_program.mjs', import.meta.url))
const database = { url: 'postgresql:///nowhere', close: async () => {} }
const start = (behaviour, options) => startGateway({ database, env: { FAKE: behaviour }, ...options })

test('the ready line tells the port and an orderly end leaves nothing', async () => {
  const gateway = await start('good')
  assert.equal(gateway.url, 'http://127.0.0.1:4321')
  await gateway.stop()
  assert.equal(existsSync(gateway.folder), false)
})

test('a program that ends before it is ready is an error with its log', async () => {
  await assert.rejects(start('refuses'), /ended with 1 before it was ready:[^]*unknown key/)
})

test('a start that should fail can be watched', async () => {
  const gateway = await start('refuses', { wait: false })
  assert.deepEqual(await gateway.ended(), { code: 1, signal: null })
  assert.match(gateway.log, /unknown key/)
  await assert.rejects(gateway.stop())
})

test('a sanitizer report fails the stop though the exit code is 0', async () => {
  const gateway = await start('leaks')
  await assert.rejects(gateway.stop(), /a sanitizer found:[^]*LeakSanitizer/)
})

test('an end that is not 0 fails the stop and shows the log', async () => {
  const gateway = await start('fails')
  await assert.rejects(gateway.stop(), /ended with 3:[^]*fake, fails/)
})

test('a restart keeps the port', async () => {
  const gateway = await start('good')
  await gateway.restart()
  assert.match(gateway.config.listen, /:4321$/)
  await gateway.restart({ crash: true })
  await gateway.stop()
})
