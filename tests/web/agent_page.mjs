/* The agent page in a browser, as a person uses it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startFakeGateway } from '../support/fake_gateway.mjs'
import { until } from '../support/until.mjs'
import { launchBrowser, openPage, screenshotPath } from './browser.mjs'

/* One browser for the file; returns onPage(title, options, body). Each test has a scripted gateway and a page of its own, whose console
 * must stay silent but for what options.expects says. */
export function pageSuite() {
  let browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(() => browser?.close())
  return (title, options, body) =>
    test(title, { timeout: 60_000 }, async () => {
      const gateway = await startFakeGateway({ links: { 'once-1': '1001' } })
      const it = await AgentPage.open(browser, gateway, options)
      try {
        await body(it)
        await it.close(options.expects)
      } finally {
        await it.context.close()
        await gateway.stop()
      }
    })
}

export class AgentPage {
  /* prepare(it): before the page is there */
  static async open(browser, gateway, { path = '/agent/', prepare, ...options } = {}) {
    const it = new AgentPage()
    Object.assign(it, await openPage(browser, options), { browser, gateway })
    await prepare?.(it)
    await it.page.goto(gateway.url + path)
    return it
  }

  another(options) {
    return AgentPage.open(this.browser, this.gateway, options)
  }

  /* A button by its name, as a screen reader says it. */
  button(name) {
    return this.page.getByRole('button', { name, exact: true })
  }

  press(...keys) {
    return keys.reduce((before, key) => before.then(() => this.page.keyboard.press(key)), Promise.resolve())
  }

  async signIn(login = '1001', password = 'secret') {
    await this.page.getByLabel('Login').fill(login)
    await this.page.getByLabel('Password').fill(password)
    await this.button('Sign in').click()
    await this.isConnected()
  }

  isConnected() {
    return this.page.waitForFunction(() => document.querySelector('ct-agent-state b')?.textContent)
  }

  async dial(number) {
    await this.page.getByLabel('Number to dial').fill(number)
    await this.button('Dial').click()
    await this.shows('Ringing')
  }

  async talk(number = '+15550101', tab = 1) {
    await this.dial(number)
    this.gateway.tab('1001', tab).farAnswers()
    await this.shows('Talking')
  }

  /* The state of the selected tab's call, as its card says it. */
  shows(phase) {
    return until(`the card shows ${phase}`, async () => (await this.text('.call:not([hidden]) .chip')) === phase)
  }

  isFree() {
    return this.page.locator('.empty').waitFor()
  }

  async text(selector) {
    return (await this.page.locator(selector).first().textContent()).trim()
  }

  focused() {
    return this.page.evaluate(() => {
      const element = document.activeElement
      return element.getAttribute('aria-label') || element.id || element.textContent.trim() || element.localName
    })
  }

  commands() {
    return this.gateway.received.map(({ method, params }) => [method, params])
  }

  /* A picture, and that nothing sticks out to the side. */
  async picture(name) {
    const { width } = this.page.viewportSize()
    await this.page.screenshot({ path: screenshotPath(`agent-${name}-${width}`), fullPage: width < 900 })
    const excess = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.equal(excess, 0, `${name} at ${width} pixels is ${excess} too wide`)
  }

  /* Every control has a name, every field a label. */
  async namesEverything() {
    const nameless = await this.page.evaluate(() =>
      [...document.querySelectorAll('button, a[href], input, select')]
        .filter((it) => it.getClientRects().length)
        .filter((it) => !(it.getAttribute('aria-label') || it.textContent.trim() || it.labels?.[0]?.textContent.trim()))
        .map((it) => it.outerHTML),
    )
    assert.deepEqual(nameless, [])
  }

  async close(expected) {
    const refused = await this.page.locator('.error').allTextContents()
    assert.deepEqual(refused, [], 'no command was refused')
    await this.context.close()
    assert.deepEqual(this.complaints.filter((text) => !expected?.test(text)), [], 'the console is silent')
  }
}
