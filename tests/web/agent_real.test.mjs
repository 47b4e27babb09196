/* The agent page on the real gateway with its simulated switch: a working day of a few minutes, by mouse and keyboard. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'
import { AgentPage } from './agent_page.mjs'
import { launchBrowser } from './browser.mjs'

const limit = { timeout: 120_000 }
const QUEUE = '5000'
let browser
let world
let key

before(async () => {
  browser = await launchBrowser()
  world = await createWorld('sim')
  key = (await world.gateway.program(['key', 'create', 'page', '--scopes', 'dial'])).trim()
})
after(async () => {
  await browser?.close()
  await world?.stop()
})

function story(title, body) {
  test(title, limit, async () => {
    let pass = false
    const link = await world.gateway.link('1001')
    const it = await AgentPage.open(browser, world.gateway, { path: `/agent/#link=${link}` })
    try {
      await it.isConnected()
      await body(it)
      await it.close()
      pass = true
    } finally {
      await it.context.close()
      record({ test: 'web.agent_page.sim', pass })
    }
  })
}

story('an agent dials, holds, resumes, sends digits, hangs up and chooses an outcome', async (it) => {
  const number = '+15550001100'
  const at = async () => (await world.outside.parties())[number]
  await it.page.getByLabel('Number to dial').fill(number)
  await it.press('Enter')
  await it.shows('Talking')
  await world.hear({ [number]: '1001', 1001: number })
  await it.button('Hold').click()
  await it.shows('On hold')
  await world.hear({ [number]: 'music' }, { only: false })
  await it.button('Resume').click()
  await it.shows('Talking')
  await it.button('Keypad').click()
  await it.page.keyboard.type('42#')
  await until('the digits arrived', async () => (await at()).digits === '42#')
  await it.picture('real-talk')
  await it.button('Hang up').click()
  await it.shows('Wrap-up')
  await it.page.locator('.outcome').first().click()
  const outcome = await it.text('.outcome')
  await it.button('Save and next').click()
  await it.isFree()
  await until('the history has it', async () => (await it.text('.past-text small')) === outcome)
  await until('the switch is empty', async () => Object.keys(await world.outside.parties()).length === 0)
})

story('a caller of the queue is offered to an agent who is ready', async (it) => {
  await it.page.locator('.state-button').click()
  await it.page.getByRole('menuitemradio', { name: 'Ready', exact: true }).click()
  await until('ready', async () => (await it.text('.state-button span:nth-of-type(2)')) === 'Ready')
  await world.outside.call('+15550142', QUEUE, { name: 'Clara Customer' })
  await it.shows('Incoming call')
  assert.equal(await it.text('.call h2'), 'Clara Customer')
  await it.button('Answer').click()
  await it.shows('Talking')
  await world.hear({ '+15550142': '1001', 1001: '+15550142' })
  await world.outside.hangup('+15550142')
  await it.shows('Wrap-up')
  await it.button('Next without outcome').click()
  await it.isFree()
})

story('a consultation becomes a transfer', async (it) => {
  const [customer, target] = ['+15550002100', '+15550003100']
  await it.page.getByLabel('Number to dial').fill(customer)
  await it.press('Enter')
  await it.shows('Talking')
  await it.button('Transfer').click()
  await it.page.getByLabel('Transfer to').fill(target)
  await it.press('Enter')
  await until('the consultation is shown', async () => (await it.text('.call h2')) === target)
  await it.shows('Talking')
  await world.hear({ 1001: target }, { only: false })
  await it.button('Complete the transfer').click()
  await it.shows('Wrap-up')
  await world.hear({ [customer]: target, [target]: customer })
  await world.outside.hangup(customer)
  for (const tab of ['Tab 1', 'Tab 2']) {
    await it.page.getByRole('tab', { name: tab }).click()
    await it.button('Next without outcome').click()
    await it.isFree()
  }
})

story('a record is previewed and dialed by the agent', async (it) => {
  const json = { agent: '1001', number: '+15550004100', toName: 'Ada Lovelace', subject: 'Spring' }
  await world.gateway.requestOk('POST', '/api/v1/present', { token: key, json })
  await it.shows('Preview')
  assert.equal(await it.text('.call h2'), 'Ada Lovelace')
  await it.button('Pause').click()
  await until('it waits', async () => (await it.text('.call ct-ring small')) === 'paused')
  await it.picture('real-preview')
  await it.button('Dial now').click()
  await it.shows('Talking')
  await it.page.reload()
  await it.shows('Talking')
  await it.button('Hang up').click()
  await it.button('Next without outcome').click()
  await it.isFree()
})
