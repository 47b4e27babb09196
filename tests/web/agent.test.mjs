/* The agent page: what a person sees, does and is told, at two widths, by mouse and by keyboard. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startFakeGateway } from '../support/fake_gateway.mjs'
import { until } from '../support/until.mjs'
import { AgentPage } from './agent_page.mjs'
import { launchBrowser } from './browser.mjs'

const limit = { timeout: 60_000 }
let browser
let gateway

before(async () => {
  browser = await launchBrowser()
})
after(() => browser?.close())

/* Each test has a gateway and a page of its own; the page's console must stay silent unless the test says why not. */
function onPage(title, options, body) {
  test(title, limit, async () => {
    gateway = await startFakeGateway({ links: { 'once-1': '1001' } })
    const it = await AgentPage.open(browser, gateway, options)
    try {
      await body(it)
      it.complaints.splice(0, Infinity, ...it.complaints.filter((text) => !options.expects?.test(text)))
      await it.close()
    } finally {
      await it.context.close()
      await gateway.stop()
    }
  })
}

const REFUSED = /status of 401/ // the browser's own line about an HTTP answer

onPage('a wrong password is said and asked for again', { expects: REFUSED }, async (it) => {
  await it.page.getByLabel('Login').fill('1001')
  await it.page.getByLabel('Password').fill('wrong')
  await it.press('Enter')
  await it.page.getByRole('alert').getByText('Login or password is wrong.').waitFor()
  assert.equal(await it.page.getByLabel('Password').inputValue(), '')
  assert.equal(await it.page.evaluate(() => document.activeElement.name), 'password')
  await it.signIn()
  assert.equal(await it.text('.agent-name b'), 'Ada Example')
  assert.equal(await it.page.title(), 'calltab')
})

onPage('a sign-in link works once and leaves the address bar at once', { path: '/agent/#link=once-1', expects: REFUSED }, async (it) => {
  await it.isConnected()
  assert.equal(new URL(it.page.url()).hash, '')
  const again = await AgentPage.open(browser, gateway, { path: '/agent/#link=once-1' })
  await again.page.getByText('This link has been used or is too old.').waitFor()
  assert.equal(new URL(again.page.url()).hash, '')
  await again.context.close()
})

onPage('a reload asks for nothing and finds the call where it was', {}, async (it) => {
  await it.signIn()
  await it.talk()
  await it.page.reload()
  await it.shows('Talking')
  assert.equal(await it.text('.call h2'), '+15550101')
})

onPage('signing out ends the session here and there', {}, async (it) => {
  await it.signIn()
  await it.button('Sign out').click()
  await it.page.getByLabel('Login').waitFor()
  assert.equal(gateway.tokens.size, 0)
  await until('no socket is left', () => gateway.sockets.size === 0)
  await it.page.reload()
  await it.page.getByLabel('Login').waitFor()
})

for (const width of [1280, 420]) {
  const height = width === 1280 ? 800 : 860
  const LONG = 'Dr. Maximiliane Wolkenstein-Trostburg, Donaudampfschifffahrtsgesellschaft'

  onPage(`every scene fits ${width} pixels, in the light`, { width, height }, async (it) => {
    await it.picture('sign-in')
    await it.signIn()
    await it.picture('free')
    gateway.incoming('1001', { phone: '+15550142', fromName: LONG, queue: 'Support for everybody', dnis: '+18005550199' }, 1)
    await it.shows('Incoming call')
    await it.picture('incoming')
    await it.namesEverything()
    await it.button('Answer').click()
    await it.shows('Talking')
    await it.picture('talk')
    await it.button('Transfer').click()
    await it.picture('transfer')
    await it.page.getByLabel('Transfer to').fill('102')
    await it.button('Consult first').click()
    await it.shows('Ringing')
    gateway.tab('1001', 2).farAnswers()
    await it.shows('Talking')
    await it.picture('consultation')
    await it.namesEverything()
    await it.button('Keypad').click()
    await it.picture('keypad')
    await it.button('Complete the transfer').click()
    await it.shows('Wrap-up')
    await it.page.getByText('Not interested').click()
    await it.picture('wrap')
    await it.namesEverything()
  })

  onPage(`every scene fits ${width} pixels, in the dark`, { width, height, dark: true }, async (it) => {
    await it.picture('dark-sign-in')
    await it.signIn()
    const popUrl = 'https://crm.example/1'
    gateway.present('1001', { phone: '+15550123', toName: LONG, campaign: 'Spring', attempt: 2, attempts: 5, popUrl }, 1)
    await it.shows('Preview')
    await it.picture('dark-preview')
    await it.page.locator('.state-button').click()
    await it.picture('dark-states')
    await it.press('Escape')
    await it.button('Dial now').click()
    await it.shows('Ringing')
    await it.picture('dark-ringing')
    gateway.closeAll(1012, 'retry=60000')
    await it.page.locator('.banner').getByText('Connection lost').waitFor()
    await it.picture('dark-lost')
  })
}

onPage('by keyboard alone: sign in, dial, hang up, choose an outcome, next', {}, async (it) => {
  const type = (text) => it.page.keyboard.type(text)
  await it.page.getByLabel('Login').waitFor()
  await type('1001')
  await it.press('Tab')
  await type('secret')
  await it.press('Enter')
  await it.isConnected()
  assert.equal(await it.focused(), 'dial-number')
  await type('+15550101')
  await it.press('Enter')
  await it.shows('Ringing')
  await until('the call is where the eyes are', async () => (await it.focused()) === '+15550101')
  gateway.tab('1001', 1).farAnswers()
  await it.shows('Talking')
  assert.equal(await it.focused(), '+15550101', 'focus is kept')
  await it.press('Tab')
  assert.equal(await it.focused(), 'Hold')
  await it.press('Enter')
  await it.shows('On hold')
  assert.equal(await it.focused(), 'Resume')
  await it.press('Enter')
  await it.shows('Talking')
  await it.press('Tab', 'Tab', 'Tab', 'Tab')
  assert.equal(await it.focused(), 'Hang up')
  await it.press('Enter')
  await it.shows('Wrap-up')
  assert.equal(await it.focused(), '+15550101', 'the button is gone, the call is not')
  await it.press('Tab', 'ArrowDown', 'ArrowDown')
  assert.deepEqual(it.commands().filter(([method]) => method === 'setOutcome'), [], 'looking at outcomes gives none')
  await it.press('Enter')
  await it.isFree()
  const last = it.commands().slice(-2)
  assert.deepEqual(last, [['setOutcome', { outcome: 'Not interested' }], ['endWrap', {}]])
  await until('ready for the next', async () => (await it.focused()) === 'dial-number')
})

onPage('an incoming call says who, for whom and on which number; answering connects', {}, async (it) => {
  await it.signIn()
  gateway.incoming('1001', { phone: '+15550142', fromName: 'Grace Hopper', queue: 'Support', dnis: '+18005550199' }, 1)
  await it.shows('Incoming call')
  assert.equal(await it.text('.call h2'), 'Grace Hopper')
  assert.equal(await it.text('.call .number'), '+15550142')
  assert.equal(await it.text('.facts'), 'QueueSupportCalled number+18005550199')
  assert.equal(await it.text('#alarm'), 'Incoming call: Grace Hopper, tab 1')
  await until('the window says it', async () => (await it.page.title()) === '☎ Grace Hopper · calltab')
  await it.button('Answer').click()
  await it.shows('Talking')
  assert.equal(await it.page.title(), 'Talking · calltab')
})

onPage('an incoming call can be rejected', {}, async (it) => {
  await it.signIn()
  gateway.incoming('1001', { phone: '+15550142' }, 1)
  await it.button('Reject').click()
  await it.shows('Wrap-up')
  assert.deepEqual(it.commands(), [['reject', {}]])
  assert.match(await it.text('.facts'), /EndedRejected, by you/)
})

onPage('a record in preview counts down, can wait, be skipped or dialed', {}, async (it) => {
  await it.signIn()
  const record = { phone: '+15550123', toName: 'Katherine Johnson', campaign: 'Spring', attempt: 2, attempts: 5 }
  gateway.present('1001', record, 1)
  await it.shows('Preview')
  assert.equal(await it.text('.call .about'), 'Dialer · Spring')
  assert.match(await it.text('.facts'), /Attempt2 of 5/)
  const seconds = async () => Number(await it.text('.call ct-ring b'))
  const before = await seconds()
  assert.ok(before <= 15 && before > 5, String(before))
  await until('it counts down', async () => (await seconds()) < before)
  await it.button('Pause').click()
  await until('it waits', async () => (await it.text('.call ct-ring small')) === 'paused')
  await it.button('Resume').click()
  await it.button('Skip').click()
  await it.shows('Wrap-up')
  await it.button('Save and next').click()
  await it.isFree()
  gateway.present('1001', record, 1)
  await it.button('Dial now').click()
  await it.shows('Ringing')
  assert.deepEqual(it.commands().map(([method]) => method), ['pauseTimer', 'resumeTimer', 'skip', 'endWrap', 'dial'])
})

onPage('hold, mute and the keypad', {}, async (it) => {
  await it.signIn()
  await it.talk()
  await it.button('Hold').click()
  await it.shows('On hold')
  assert.equal(await it.button('Mute').isEnabled(), false, 'what the gateway would refuse cannot be pressed')
  await it.button('Resume').click()
  await it.shows('Talking')
  await it.button('Mute').click()
  await it.button('Unmute').click()
  await it.button('Keypad').click()
  await it.page.keyboard.type('4x2')
  await it.page.locator('#keypad').getByRole('button', { name: 'hash' }).click()
  await until('the digits went', () => gateway.tab('1001', 1).digits === '42#')
  assert.equal(await it.page.getByLabel('Digits to send').inputValue(), '42#')
  await it.page.getByLabel('Digits to send').focus()
  await it.press('Escape')
  assert.equal(await it.focused(), 'Keypad')
  const mutes = it.commands().filter(([method]) => method === 'mute')
  assert.deepEqual(mutes, [['mute', { on: true }], ['mute', { on: false }]])
})

onPage('a consultation opens a tab of its own; then transfer, conference or back', {}, async (it) => {
  await it.signIn()
  await it.talk()
  const consult = async () => {
    await it.button('Transfer').click()
    await it.page.getByLabel('Transfer to').fill('102')
    await it.press('Enter')
    await it.shows('Ringing')
    assert.equal(await it.text('.call h2'), '102')
    gateway.tab('1001', 2).farAnswers()
    await it.shows('Talking')
    assert.equal(await it.text('.partner p'), 'With +15550101 on tab 1')
  }
  await consult()
  assert.equal(gateway.sockets.size, 2, 'each tab has a connection of its own')
  await it.button('Back to the customer').click()
  await it.shows('Wrap-up')
  await it.page.getByRole('tab', { name: 'Tab 1: Talking' }).click()
  await it.shows('Talking')
  gateway.tab('1001', 2).call.state = 'end'
  await consult()
  await it.button('Complete the transfer').click()
  await it.shows('Wrap-up')
  assert.deepEqual(it.commands().at(-1), ['transferComplete', { callTab: 1 }])
})

onPage('two calls of the agent become a conference', {}, async (it) => {
  await it.signIn()
  await it.talk()
  await it.button('Hold').click()
  await it.shows('On hold')
  await it.button('Open another tab').click()
  await it.isFree()
  await until('the second connection', () => gateway.sockets.size === 2)
  await it.talk('+15550102', 2)
  assert.equal(await it.text('.partner p'), '+15550101 is on hold on tab 1')
  await it.button('Conference').click()
  await until('asked for', () => it.commands().at(-1)[0] === 'conference')
  assert.deepEqual(it.commands().at(-1), ['conference', { callTab: 1 }])
})

onPage('tabs show their calls, and are walked by arrow keys', {}, async (it) => {
  await it.signIn()
  await it.talk()
  await it.button('Open another tab').click()
  await it.isFree()
  await it.page.getByRole('tab', { name: 'Tab 1: Talking, +15550101' }).waitFor()
  const selected = it.page.locator('[role=tab][aria-selected=true]')
  await selected.focus()
  await it.press('ArrowLeft')
  assert.match(await selected.getAttribute('aria-label'), /^Tab 1/)
  await it.shows('Talking')
  gateway.incoming('1001', { phone: '+15550142' }, 2)
  await it.page.getByRole('tab', { name: 'Tab 2: Incoming call, +15550142' }).waitFor()
  await it.shows('Talking')
  assert.equal(await it.text('#alarm'), 'Incoming call: +15550142, tab 2', 'who talks is not torn away, but told')
})

onPage('wrap: the countdown can be paused, and what is due is said', {}, async (it) => {
  await it.signIn()
  await it.talk()
  gateway.tab('1001', 1).farHangsUp()
  await it.shows('Wrap-up')
  assert.match(await it.text('.facts'), /Endedby the other side/)
  await it.button('Pause').click()
  await it.button('Resume').click()
  await it.button('Pause').waitFor()
  gateway.tab('1001', 1).timerEnds()
  await it.page.getByText('Wrap time is over: choose an outcome to go on.').waitFor()
  await it.page.getByLabel('Sale').check()
  await it.page.getByLabel('Comment').fill('two of them')
  await it.button('Save and next').click()
  await it.isFree()
  assert.deepEqual(it.commands().slice(-2), [['setOutcome', { outcome: 'Sale', comment: 'two of them' }], ['endWrap', {}]])
  assert.match(await it.text('.past-text'), /Sale/)
})

onPage('wrap: without an outcome the call can be left, with a callback it is scheduled', {}, async (it) => {
  await it.signIn()
  await it.talk()
  gateway.tab('1001', 1).farHangsUp()
  await it.button('Next without outcome').click()
  await it.isFree()
  assert.deepEqual(it.commands().at(-1), ['endWrap', {}])
  await it.talk('+15550102')
  gateway.tab('1001', 1).farHangsUp()
  await it.page.getByText('Call back later').click()
  await it.page.getByLabel('When').fill('2031-05-06T14:30')
  await it.page.getByLabel('Call back', { exact: true }).check()
  await it.button('Save and next').click()
  await it.isFree()
  const [[method, { at, outcome }]] = it.commands().slice(-2)
  assert.deepEqual([method, outcome], ['scheduleCallback', 'Call back'])
  assert.equal(new Date(at).getTime(), new Date('2031-05-06T14:30').getTime())
})

onPage('the history keeps the calls of the tab and offers their numbers', {}, async (it) => {
  await it.signIn()
  await it.talk('+15550111')
  gateway.tab('1001', 1).farHangsUp()
  await it.button('Next without outcome').click()
  gateway.incoming('1001', { phone: '+15550142', fromName: 'Grace Hopper' }, 1)
  await it.shows('Incoming call')
  gateway.tab('1001', 1).farHangsUp()
  await it.shows('Wrap-up')
  const rows = await it.page.locator('.past .past-text b').allTextContents()
  assert.deepEqual(rows, ['Grace Hopper', '+15550111'])
  assert.match(await it.text('.past .past-text small'), /MissedCall/)
  await it.button('Dial +15550111 again').click()
  assert.equal(await it.page.getByLabel('Number to dial').inputValue(), '+15550111')
  assert.equal(it.commands().at(-1)[0], 'endWrap', 'a person decides when to dial')
})

onPage("the agent's state: colours, reasons, by keyboard", {}, async (it) => {
  await it.signIn()
  const colour = () => it.page.locator('.state-button .dot').evaluate((dot) => getComputedStyle(dot).backgroundColor)
  const shade = async () => {
    const [r, g, b] = (await colour()).match(/\d+/g).map(Number)
    return { r, g, b }
  }
  const lightGray = await shade()
  assert.ok(Math.min(...Object.values(lightGray)) > 170, 'signed in is light gray')
  await it.page.locator('.state-button').focus()
  await it.press('Enter', 'Home', 'Enter')
  await until('ready', async () => (await it.text('.state-button span:nth-of-type(2)')) === 'Ready')
  const green = await shade()
  assert.ok(green.g > green.r + 60 && green.g > green.b + 60)
  await it.press('ArrowDown', 'ArrowDown', 'Enter')
  await until('away', async () => (await it.text('.state-button span:nth-of-type(2)')) === 'Away')
  const yellow = await shade()
  assert.ok(yellow.r > 200 && yellow.g > 150 && yellow.b < 60)
  await it.press('ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter')
  await until('lunch', async () => (await it.text('.state-button span:nth-of-type(2)')) === 'Not ready · Lunch')
  const red = await shade()
  assert.ok(red.r > red.g + 90 && red.r > red.b + 90)
  assert.equal(await it.page.evaluate(() => document.activeElement.className), 'state-button', 'focus is kept')
  assert.deepEqual(it.commands(), [['agentReady', {}], ['setState', { state: 'Away' }], ['agentNotReady', { reason: 'Lunch' }]])
})

onPage('a state that waits for the end of the call says so', {}, async (it) => {
  await it.signIn()
  await it.talk()
  await it.page.locator('.state-button').click()
  await it.page.getByRole('menuitemradio', { name: 'Lunch' }).click()
  await until('it waits', async () => (await it.text('.state-button small')) === 'then not ready · lunch')
  await it.button('Hang up').click()
  await until('it came', async () => (await it.text('.state-button span:nth-of-type(2)')) === 'Not ready · Lunch')
})

onPage('a lost connection is said, counted down and caught up with', {}, async (it) => {
  await it.signIn()
  await it.talk()
  gateway.closeAll(1012, 'retry=1500')
  await it.page.locator('.banner').getByText('Connection lost: next try in').waitFor()
  assert.equal(await it.button('Hang up').isEnabled(), false)
  gateway.tab('1001', 1).farHangsUp()
  await it.shows('Wrap-up')
  await it.page.locator('.banner').waitFor({ state: 'hidden' })
})

onPage('troubles of the gateway are said as long as they last', {}, async (it) => {
  await it.signIn()
  const banner = it.page.locator('.banner')
  gateway.notice('storage.degraded', 'Calls are kept; the database is away.')
  await banner.getByText('Calls are kept; the database is away.').waitFor()
  gateway.notice('switch.away', 'The telephone system does not answer.')
  await banner.getByText('The telephone system does not answer.').waitFor()
  gateway.notice('switch.ok')
  await banner.getByText('Calls are kept; the database is away.').waitFor()
  gateway.notice('storage.ok')
  await banner.waitFor({ state: 'hidden' })
})

onPage('a tab that was connected elsewhere can be taken back', {}, async (it) => {
  await it.signIn()
  gateway.closeAll(4409, '')
  await it.page.locator('.banner').getByText('Not connected: this call tab was connected elsewhere.').waitFor()
  it.complaints.length = 0 // the library warns, as nobody asked for this
  await it.button('Connect again').click()
  await it.page.locator('.banner').waitFor({ state: 'hidden' })
  await it.dial('+15550101')
})

onPage('an ended session leads to the sign-in, which says why', { expects: REFUSED }, async (it) => {
  await it.signIn()
  gateway.endSessions()
  await it.page.getByText('Your session has ended. Sign in again; a live call goes on.').waitFor()
  await it.signIn()
})

onPage('a refused command is said in words and changes nothing', {}, async (it) => {
  await it.signIn()
  await it.page.getByLabel('Number to dial').fill('abc')
  await it.press('Enter')
  await it.page.getByRole('alert').getByText('A number has 2 to 32 digits.').waitFor()
  assert.equal(await it.focused(), 'dial-number')
  await it.button('Dismiss').click()
  assert.equal(await it.page.getByRole('alert').count(), 0)
})

onPage('what comes from outside is text, and leads nowhere but to the web', {}, async (it) => {
  await it.signIn()
  const markup = '<img src=x onerror="document.title=1">'
  const urls = { popUrl: 'javascript:alert(1)', scriptUrl: 'https://crm.example/1' }
  gateway.incoming('1001', { phone: markup, fromName: markup, queue: markup, ...urls }, 1)
  await it.shows('Incoming call')
  assert.equal(await it.text('.call h2'), markup)
  assert.equal(await it.page.locator('img').count(), 0)
  assert.deepEqual(await it.page.locator('.links a:visible').allTextContents(), ['Open the script'])
})
