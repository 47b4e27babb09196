/* The agent page at two widths, in the light and in the dark: nothing sticks out, everything has a name. The pictures are in
 * var/screenshots for those who want to see. */
import { pageSuite } from './agent_page.mjs'

const LONG = 'Dr. Maximiliane Wolkenstein-Trostburg, Donaudampfschifffahrtsgesellschaft'
const onPage = pageSuite()

for (const width of [1280, 420]) {
  const height = width === 1280 ? 800 : 860

  onPage(`every scene fits ${width} pixels, in the light`, { width, height }, async (it) => {
    await it.picture('sign-in')
    await it.signIn()
    await it.picture('free')
    it.gateway.incoming('1001', { phone: '+15550142', fromName: LONG, queue: 'Support for everybody', dnis: '+18005550199' }, 1)
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
    it.gateway.tab('1001', 2).farAnswers()
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
    it.gateway.present('1001', { phone: '+15550123', toName: LONG, campaign: 'Spring', attempt: 2, attempts: 5, popUrl }, 1)
    await it.shows('Preview')
    await it.picture('dark-preview')
    await it.page.locator('.state-button').click()
    await it.picture('dark-states')
    await it.press('Escape')
    await it.button('Dial now').click()
    await it.shows('Ringing')
    await it.picture('dark-ringing')
    it.gateway.closeAll(1012, 'retry=60000')
    await it.page.locator('ct-banner .banner').getByText('Connection lost').waitFor()
    await it.picture('dark-lost')
  })
}
