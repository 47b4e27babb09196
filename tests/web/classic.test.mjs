/* The library in a browser: as a classic script, beside a second copy, and in a frame of another origin. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { transformSync } from 'esbuild'
import { startFakeGateway } from '../support/fake_gateway.mjs'
import { root } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { launchBrowser, openPage } from './browser.mjs'

const html = (body) => ({ type: 'text/html; charset=utf-8', body: `<!doctype html><title>test</title>${body}` })
const script = (body) => ({ type: 'text/javascript; charset=utf-8', body })
const limit = { timeout: 60_000 }

const CONNECT = `
  async function connect(CallTab, more) {
    const signIn = await fetch('/api/v1/sign-in', { method: 'POST', body: JSON.stringify({ login: '1001', password: 'secret' }) })
    const { token } = await signIn.json()
    const headers = { authorization: 'Bearer ' + token }
    const getTicket = async () => (await (await fetch('/api/v1/ws-tickets', { method: 'POST', headers })).json()).ticket
    return CallTab.connect({ getTicket, ...more })
  }`

/* A script as a CRM has it: it knows the contract and nothing else. */
const OLD_SCRIPT = `
  window.seen = []
  DynamicsTelephony.RegisterForEvents(function (evtData) {
    var oCall = DynamicsTelephony.parseEventArgs(evtData)
    window.seen.push(oCall.state + ' ' + oCall.phone)
  })`

let browser
let gateway
let crm // another origin, whose form is shown in a frame

before(async () => {
  execFileSync('npm', ['run', '--silent', 'build:web'], { cwd: root })
  browser = await launchBrowser()
  crm = await startSite({})
  gateway = await startFakeGateway({
    pages: {
      '/classic.html': html('<script src="/connect.js"></script><script src="/lib/calltab.js"></script><script src="/old.js"></script>'),
      '/both.html': html(
        '<script src="/connect.js"></script><script src="/lib/calltab.js"></script>' +
          '<script type="module" src="/both.js"></script>',
      ),
      '/host.html': html('<script src="/connect.js"></script><script src="/lib/calltab.js"></script><iframe></iframe>'),
      '/connect.js': script(CONNECT),
      '/old.js': script(OLD_SCRIPT),
      '/both.js': script("import * as module from '/lib/index.js'; window.module = module"),
    },
  })
  crm.pages['/form.html'] = html(`<script src="${gateway.url}/lib/calltab.js"></script><script src="/old.js"></script>`)
  crm.pages['/outer.html'] = html('<iframe src="/form.html"></iframe>')
  crm.pages['/old.js'] = script(OLD_SCRIPT)
})

after(async () => {
  await browser?.close()
  await gateway?.stop()
  await crm?.stop()
})

async function startSite(pages) {
  const server = createServer((request, response) => {
    const page = pages[request.url.split('?')[0]]
    response.writeHead(page ? 200 : 404, { 'content-type': page?.type ?? 'text/plain' })
    response.end(page?.body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { pages, url: `http://127.0.0.1:${server.address().port}`, stop }
}

async function seen(frame, count) {
  return until(`${count} events`, async () => {
    const events = await frame.evaluate(() => window.seen)
    return events.length >= count && events
  })
}

async function frameAt(page, path) {
  return until(`the frame ${path}`, () => page.frames().find((frame) => frame.url().endsWith(path)))
}

async function freshTab() {
  gateway.agents.get('1001').tabs.clear()
}

test('the modules use no syntax younger than ES2020', () => {
  const folder = join(root, 'web/lib')
  for (const name of readdirSync(folder).filter((it) => it.endsWith('.js'))) {
    const source = readFileSync(join(folder, name), 'utf8')
    const [old, young] = ['es2020', 'esnext'].map((target) => transformSync(source, { target }).code)
    assert.equal(old, young, name)
  }
})

test('the classic script has two globals, and an old script works with them', limit, async () => {
  await freshTab()
  const { page, complaints } = await openPage(browser)
  const plain = await openPage(browser)
  await plain.page.goto(`${gateway.url}/old.js`)
  const before = await plain.page.evaluate(() => Object.getOwnPropertyNames(window))
  await page.goto(`${gateway.url}/classic.html`)
  const added = await page.evaluate((names) => Object.getOwnPropertyNames(window).filter((name) => !names.includes(name)), before)
  assert.deepEqual(added.filter((name) => !['connect', 'seen'].includes(name)).sort(), ['CallTab', 'DynamicsTelephony'])
  assert.equal(await page.evaluate(() => Object.keys(window.DynamicsTelephony).length), 15)

  await page.evaluate(() => window.connect(window.CallTab))
  await page.evaluate(() => window.DynamicsTelephony.dial('+15550101'))
  gateway.tab('1001', 1).farAnswers()
  await page.evaluate(() => window.DynamicsTelephony.release())
  assert.deepEqual(await seen(page, 3), ['ringing +15550101', 'talk +15550101', 'idle +15550101'])
  assert.deepEqual(complaints, [])
})

test('a refusal nobody looks at is one warning and no unhandled rejection', limit, async () => {
  await freshTab()
  const { page, complaints } = await openPage(browser)
  await page.goto(`${gateway.url}/classic.html`)
  await page.evaluate(() => window.connect(window.CallTab))
  await page.evaluate(() => {
    window.DynamicsTelephony.release()
  })
  await until('the warning', () => complaints.length)
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
  assert.equal(complaints.length, 1)
  assert.match(complaints[0], /^calltab: release: .*\(call\.none\)$/)
})

test('a classic script and the modules on one page share one connection', limit, async () => {
  await freshTab()
  const { page } = await openPage(browser)
  await page.goto(`${gateway.url}/both.html`)
  await page.waitForFunction(() => window.module)
  const connections = gateway.connections
  await page.evaluate(() => Promise.all([window.connect(window.CallTab), window.connect(window.module.CallTab)]))
  assert.equal(gateway.connections, connections + 1)
  assert.ok(await page.evaluate(() => window.module.DynamicsTelephony === window.DynamicsTelephony))
})

test('in a frame of a listed origin the same names work, with no connection of their own', limit, async () => {
  await freshTab()
  const { page, complaints } = await openPage(browser)
  await page.goto(`${gateway.url}/host.html`)
  const connections = gateway.connections
  await page.evaluate((origin) => window.connect(window.CallTab, { frames: { origins: [origin] } }), crm.url)
  await page.evaluate((url) => document.querySelector('iframe').setAttribute('src', url), `${crm.url}/form.html`)
  const frame = await frameAt(page, '/form.html')
  await frame.waitForFunction(() => window.CallTab?.state === 'connected')
  const result = await frame.evaluate(() => window.DynamicsTelephony.dial('+15550101'))
  assert.equal(result.tab, 1)
  gateway.tab('1001', 1).farAnswers()
  assert.deepEqual(await seen(frame, 2), ['ringing +15550101', 'talk +15550101'])
  assert.deepEqual(
    await frame.evaluate(() => window.DynamicsTelephony.GetCallDetails()),
    await page.evaluate(() => window.DynamicsTelephony.GetCallDetails()),
  )
  assert.deepEqual(await frame.evaluate(() => [window.CallTab.tab, window.CallTab.agent.login]), [1, '1001'])
  const refusal = await frame.evaluate(() =>
    window.DynamicsTelephony.transferComplete(2).catch(({ name, code, target, message }) => ({ name, code, target, message })),
  )
  assert.deepEqual(refusal, {
    name: 'TelephonyError',
    code: 'call.not_held',
    target: 'callTab',
    message: 'transferComplete needs tab 2 held: it is free',
  })
  assert.equal(gateway.connections, connections + 1)
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes('call.not_held')))
  assert.deepEqual(complaints, [])
})

test('a form that is loaded again, or deeper inside, knows the present state', limit, async () => {
  await freshTab()
  const { page } = await openPage(browser)
  await page.goto(`${gateway.url}/host.html`)
  await page.evaluate((url) => document.querySelector('iframe').setAttribute('src', url), `${crm.url}/outer.html`)
  await page.evaluate((origin) => window.connect(window.CallTab, { frames: { origins: [origin] } }), crm.url)
  await page.evaluate(() => window.DynamicsTelephony.dial('+15550101'))
  const frame = await frameAt(page, '/form.html')
  await frame.waitForFunction(() => window.seen?.length)
  await frame.evaluate(() => location.reload())
  await until('the new form', async () => (await frame.evaluate(() => performance.getEntriesByType('navigation')[0].type)) === 'reload')
  assert.deepEqual(await seen(frame, 1), ['ringing +15550101'])
  gateway.tab('1001', 1).farAnswers()
  assert.deepEqual(await seen(frame, 2), ['ringing +15550101', 'talk +15550101'])
})

test('a frame sees a lost connection and its return', limit, async () => {
  await freshTab()
  const { page } = await openPage(browser)
  await page.goto(`${gateway.url}/host.html`)
  await page.evaluate((origin) => window.connect(window.CallTab, { frames: { origins: [origin] } }), crm.url)
  await page.evaluate((url) => document.querySelector('iframe').setAttribute('src', url), `${crm.url}/form.html`)
  const frame = await frameAt(page, '/form.html')
  await frame.waitForFunction(() => window.CallTab?.state === 'connected')
  await frame.evaluate(() => {
    window.states = []
    window.CallTab.on('connection', ({ state }) => window.states.push(state))
  })
  gateway.terminateAll()
  await frame.waitForFunction(() => window.states.includes('connected'))
  assert.deepEqual(await frame.evaluate(() => [window.states[0], window.states.at(-1)]), ['reconnecting', 'connected'])
})

test('a frame of an origin that is not listed gets nothing, and the page is told', limit, async () => {
  await freshTab()
  const { page } = await openPage(browser)
  await page.goto(`${gateway.url}/host.html`)
  await page.evaluate(() => {
    window.errors = []
    window.CallTab.on('error', ({ code }) => window.errors.push(code))
    return window.connect(window.CallTab, { frames: { origins: ['https://crm.example'] } })
  })
  await page.evaluate((url) => document.querySelector('iframe').setAttribute('src', url), `${crm.url}/form.html`)
  const frame = await frameAt(page, '/form.html')
  await page.waitForFunction(() => window.errors.length)
  assert.deepEqual(await page.evaluate(() => window.errors), ['frame.refused'])
  await page.evaluate(() => window.DynamicsTelephony.dial('+15550101'))
  assert.deepEqual(await frame.evaluate(() => [window.CallTab.state, window.seen.length]), ['connecting', 0])
})

test('a frame trusts only the origin its script came from: another page above hears no greeting', limit, async () => {
  const { page } = await openPage(browser)
  const stranger = await startSite({ '/': html(`<script src="/spy.js"></script><iframe src="${crm.url}/form.html"></iframe>`) })
  stranger.pages['/spy.js'] = script('window.heard = []; addEventListener("message", ({ data }) => window.heard.push(data))')
  await page.goto(stranger.url)
  const frame = await frameAt(page, '/form.html')
  await frame.waitForFunction(() => window.CallTab?.state === 'connecting')
  await frame.evaluate(() => window.parent.postMessage('sent after any greeting', '*'))
  await page.waitForFunction(() => window.heard.length)
  assert.deepEqual(await page.evaluate(() => window.heard), ['sent after any greeting'])
  await stranger.stop()
})

test('a page with several tabs gives each frame its own', limit, async () => {
  await freshTab()
  const { page } = await openPage(browser)
  await page.goto(`${gateway.url}/host.html`)
  await page.evaluate(async (crmUrl) => {
    const { createCallTab } = await import('/lib/index.js')
    window.pairs = []
    for (const tab of [1, 2]) {
      const frame = document.body.appendChild(document.createElement('iframe'))
      frame.setAttribute('src', `${crmUrl}/form.html?${tab}`)
      const pair = createCallTab()
      window.pairs.push(pair)
      await window.connect(pair.CallTab, { tab, frames: { origins: [crmUrl], within: () => frame.contentWindow } })
    }
    await window.pairs[1].DynamicsTelephony.dial('+15550102')
  }, crm.url)
  const numbers = []
  for (const tab of [1, 2]) {
    const frame = await frameAt(page, `?${tab}`)
    await frame.waitForFunction(() => window.CallTab?.state === 'connected')
    numbers.push(await frame.evaluate(() => [window.CallTab.tab, window.CallTab.call?.phone ?? null]))
  }
  assert.deepEqual(numbers, [[1, null], [2, '+15550102']])
})
