/* The first real call, in the words of the mission: from a browser call tab to a telephone and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'
import { AgentPage } from '../web/agent_page.mjs'
import { launchBrowser } from '../web/browser.mjs'

for (const name of ['sim', 'asterisk']) {
  test(`call.${name}.first the agent page dials, both hear each other, hold, resume, 42#, release, outcome, and PostgreSQL holds it`, async () => {
    const customer = '+15550001777'
    const world = await createWorld(name, { config: { wrap_s: 30 } })
    let browser
    const db = new pg.Client({ connectionString: world.database.ownerUrl ?? world.database.url })
    let pass = false
    try {
      browser = await launchBrowser()
      await db.connect()
      await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
      const page = await AgentPage.open(browser, world.gateway, { path: `/agent/#link=${await world.gateway.link('1001')}` })
      await page.isConnected()

      await page.page.getByLabel('Number to dial').fill(customer)
      await page.button('Dial').click()
      await page.shows('Talking')
      await world.hear({ [customer]: '1001', 1001: customer })
      await page.picture(`talking-${name}`)

      await page.button('Hold').click()
      await page.button('Resume').waitFor()
      await world.hear({ [customer]: 'music', 1001: '' })
      await page.button('Resume').click()
      await page.button('Hold').waitFor()
      await world.hear({ [customer]: '1001', 1001: customer })

      await page.button('Keypad').click()
      await page.page.getByLabel('Digits to send').click()
      await page.press('4', '2', '#')
      await until('42# arrived at the telephone', async () => (await world.outside.parties())[customer].digits === '42#', 8000)

      await page.button('Hang up').click()
      await page.shows('Wrap-up')
      await page.page.getByText('Sale', { exact: true }).click()
      await page.button('Save and next').click()
      await page.isFree()
      await until('nothing is left at the switch', async () => Object.keys(await world.outside.parties()).length === 0, 8000)

      const read = async () => (await db.query('select * from dialer_calls')).rows
      const calls = await until('the row is closed', async () => {
        const rows = await read()
        return rows[0]?.status === 'closed' && rows
      }, 8000)
      assert.equal(calls.length, 1)
      assert.equal(calls[0].phone_number, customer)
      assert.equal(calls[0].did_connect, true)
      const { rows: events } = await db.query('select event_name, duration_ms from dialer_call_events order by created_on, dialer_call_event_id')
      assert.deepEqual(events.map((event) => event.event_name), ['ring', 'talk', 'hold', 'talk', 'idle', 'end'])
      assert.ok(events.every((event) => event.duration_ms !== null), 'every duration is filled')
      const { rows: results } = await db.query('select result from dialer_call_results')
      assert.deepEqual(results, [{ result: 'Sale' }])
      await page.close()
      pass = true
    } finally {
      record({ test: `call.${name}.first`, n: 1, figure: pass ? 1 : 0, unit: 'calls', target: 1, pass })
      await browser?.close()
      await db.end()
      await world.stop()
    }
  })
}
