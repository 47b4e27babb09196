/* The library's promises on the real gateway and its simulated switch: what the fake one is measured by. */
import WebSocket from 'ws'
import { until } from '../support/until.mjs'
import { createWorld } from '../support/world.mjs'
import { runLibrarySuite } from './library_suite.mjs'

const QUEUE = '5000'

runLibrarySuite('sim', async () => {
  const world = await createWorld('sim')
  const { gateway, outside } = world
  const key = (await gateway.program(['key', 'create', 'suite', '--scopes', 'dial'])).trim()
  const sessions = {}
  let dealt = 0
  let far // who is called, or calls
  return {
    socketUrl: gateway.socketUrl,
    WebSocket: class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { origin: gateway.url, perMessageDeflate: false })
      }
    },
    agents: ['1001', '1002'],
    /* Everybody whose number ends in 408 rings for ever, by himself. */
    get number() {
      dealt += 1
      far = `+1555${String(dealt).padStart(4, '0')}408`
      return far
    },
    async ticket(login) {
      sessions[login] ??= gateway.signIn(login)
      return gateway.ticket(await sessions[login])
    },
    async incoming(_login, _tab, phone) {
      far = phone
      await outside.call(phone, QUEUE)
    },
    present: (agent, tab, number) => gateway.requestOk('POST', '/api/v1/present', { token: key, json: { agent, tab, number } }),
    async farAnswers() {
      await until('the far end rings', async () => (await outside.parties())[far]?.state === 'ringing')
      await outside.answer(far)
    },
    farHangsUp: () => outside.hangup(far),
    stop: () => world.stop(),
  }
})
