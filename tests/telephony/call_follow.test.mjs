/* `calltab call --from` on a real Asterisk: what the terminal says is what the telephones do. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { run } from '../support/program.mjs'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'

let world, tab, key

before(async () => {
  world = await createWorld('asterisk', { config: { preview_s: 1 } })
  await until('the gateway has reached its switch', async () => (await world.gateway.request('GET', '/readyz')).status === 200, 10_000)
  key = (await world.gateway.program(['key', 'create', 'watcher', '--scopes', 'dial,calls.read'])).trim()
  tab = (await world.agent('1001')).T1
})

after(() => world?.stop())

const watch = (number) => run(['call', number, '--from', '1001', '--tab', '1', '--config', world.gateway.configFile], { env: { CALLTAB_KEY: key, CALLTAB_URL: world.gateway.url } })

async function assertTold(watching, lines) {
  const { code, stdout, stderr } = await watching
  assert.equal(stderr, '')
  assert.deepEqual(stdout.trim().split('\n').slice(1), lines)
  assert.equal(code, 0)
  await tab.request('endWrap')
  await tab.state('end')
}

test('a call that is answered and hung up by the customer', async () => {
  const customer = '+15550001777'
  const watching = watch(customer)
  await tab.state('talk')
  await world.hear({ [customer]: '1001', 1001: customer })
  await world.outside.hangup(customer)
  await assertTold(watching, ['preview', 'ringing', 'talk', 'idle: hung up'])
})

test('a customer who is busy', () => assertTold(watch('+15550001486'), ['preview', 'ringing', 'idle: busy']))
