import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until, within } from './until.mjs'

test('until gives the first truthy value', async () => {
  let calls = 0
  assert.equal(await until('third call', () => ++calls === 3 && 'there'), 'there')
  assert.equal(calls, 3)
})

test('until names what did not happen and the last value', async () => {
  await assert.rejects(
    until('the call ends', async () => 0, 20),
    /not within 20 ms: the call ends \(it was: 0\)/,
  )
})

test('until treats a throw as not yet and tells it when time is up', async () => {
  let calls = 0
  const flaky = () => {
    if (++calls < 3) throw new Error('too early')
    return true
  }
  assert.equal(await until('flaky', flaky), true)
  await assert.rejects(
    until('never', () => assert.fail('no row'), 20),
    /never \(it threw: no row\)/,
  )
})

test('within passes the value on and names what was late', async () => {
  assert.equal(await within('a value', 100, Promise.resolve(7)), 7)
  await assert.rejects(within('a reply', 10, new Promise(() => {})), /not within 10 ms: a reply/)
  await assert.rejects(within('a failure', 100, Promise.reject(new Error('its own'))), /its own/)
})
