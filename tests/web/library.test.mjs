/* The library's promises on the fake gateway. The same suite runs on the real one: tests/integration. */
import WebSocket from 'ws'
import { startFakeGateway } from '../support/fake_gateway.mjs'
import { runLibrarySuite } from './library_suite.mjs'

runLibrarySuite('fake', async () => {
  const gateway = await startFakeGateway()
  const agents = ['1001', '1002']
  const tokens = {}
  for (const login of agents) tokens[login] = (await gateway.signIn(login, 'secret')).token
  return {
    socketUrl: gateway.socketUrl,
    WebSocket,
    agents,
    number: '+15550101',
    ticket: (login) => gateway.ticket(tokens[login]),
    incoming: (login, tab, phone) => gateway.incoming(login, { phone }, tab),
    present: (login, tab, phone) => gateway.present(login, { phone }, tab),
    farAnswers: (login, tab) => gateway.tab(login, tab).farAnswers(),
    farHangsUp: (login, tab) => gateway.tab(login, tab).farHangsUp(),
    stop: () => gateway.stop(),
  }
})
