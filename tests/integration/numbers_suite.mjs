/* Numbers as people write them, and dial rules, on either switch: what is kept, what is dialed, what the called party's
 * display shows. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { run } from '../support/program.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

/* 1777: answers and stays; what is in front of it is free. */
const LONDON = '+442079461777'
const BERLIN = '+49301231777'

export function numbersSuite(name) {
  let world, tab

  before(async () => {
    world = await createWorld(name, { config: { number_region: 'GB', caller_number: '+442070000000' } })
    await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
    tab = (await world.agent('1001')).T1
  })
  after(() => world?.stop())

  const rule = (...args) => run(['dial-rule', ...args, '--config', world.gateway.configFile])

  async function addRules(...rules) {
    for (const [ruleName, ...args] of rules) assert.equal((await rule('add', ruleName, ...args)).stderr, '')
    process.kill(world.gateway.pid, 'SIGHUP')
  }

  async function over() {
    await tab.request('release')
    await tab.state('idle')
    await tab.request('endWrap')
    await tab.state('end')
  }

  /* Dials, and says who is rung with which number on his display. */
  async function rung(number) {
    await tab.request('dial', { number })
    const { call } = await tab.state('talk')
    const parties = Object.entries(await world.outside.parties()).filter(([party]) => party !== '1001')
    assert.equal(parties.length, 1)
    await over()
    return { phone: call.phone, dialed: parties[0][0], shown: parties[0][1].shown }
  }

  test('a national number is kept and dialed as an international one, with the general caller number', async () => {
    assert.deepEqual(await rung('(020) 7946-1777'), { phone: LONDON, dialed: LONDON, shown: '+442070000000' })
    assert.deepEqual(await rung('0049 30 1231777'), { phone: BERLIN, dialed: BERLIN, shown: '+442070000000' })
  })

  test('what cannot be a number is refused and nobody is rung', async () => {
    for (const number of ['020 7946 1777 1777', '+999 123 1777', '12345678901234567', '020 7946&1777', "020'"]) await assert.rejects(tab.request('dial', { number }), { code: 'number.invalid' })
    assert.deepEqual(await world.outside.parties(), {})
  })

  test('a dial rule changes what is dialed and shown, not what is kept', async () => {
    await addRules(['london', '--number', '+44', '--strip', '3', '--prefix', '90', '--caller-number', '+442071111111'], ['berlin', '--number', '+49', '--withheld'])
    await until('the gateway has learned of it', async () => (await rung('020 7946 1777')).dialed !== LONDON, 20_000)
    assert.deepEqual(await rung('020 7946 1777'), { phone: LONDON, dialed: '902079461777', shown: '+442071111111' })
    assert.deepEqual(await rung(BERLIN), { phone: BERLIN, dialed: BERLIN, shown: '' })
  })
}
