/* A gateway that does what a test tells it, speaking docs/protocol.md and the part of docs/http-api.md that a page needs. For
 * tests of web/: every unlucky thing a network or a gateway can do is one line here. Most needed first:
 *
 *   const gateway = await startFakeGateway()
 *   const { token } = await gateway.signIn('1001', 'secret')
 *   const ticket = await gateway.ticket(token)
 *   gateway.tab('1001', 1).farAnswers()            the far end and the clock: fake_calls.mjs
 *   gateway.incoming('1001', { phone: '…' })       a caller; gateway.present() a record
 *   gateway.closeAll(1012, 'retry=50')             also terminateAll(), refuseTickets(n), loseEvents(n), loseAnswers(n),
 *                                                  forget(), isDeaf
 *   gateway.attachments, gateway.connections       what clients did
 *   await gateway.stop()
 *
 * Alone (`node tests/support/fake_gateway.mjs 8090`) it serves the agent page for a look at it. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { FakeAgent, OUTCOMES, Refusal, command, contractTime } from './fake_calls.mjs'

const WEB = fileURLToPath(new URL('../../web/', import.meta.url))
const MESSAGE_BYTES_AT_MOST = 16 * 1024
const ATTACH_WITHIN_MS = 5000
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const CONTENT_POLICY = "default-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
const AGENTS = [
  { login: '1001', password: 'secret', name: 'Ada Example', extension: '101' },
  { login: '1002', password: 'secret', name: 'Ben Example', extension: '102' },
]

export async function startFakeGateway(options = {}) {
  const gateway = new FakeGateway(options)
  await new Promise((resolve) => gateway.server.listen(options.port ?? 0, '127.0.0.1', resolve))
  gateway.port = gateway.server.address().port
  return gateway
}

class FakeGateway {
  /* pages: path -> {type, body, headers}: more of the site, for tests. links: code -> login. */
  constructor({ pages = {}, links = {}, agents = AGENTS } = {}) {
    this.pages = pages
    this.links = new Map(Object.entries(links))
    this.agents = new Map()
    for (const agent of agents) this.agents.set(agent.login, new FakeAgent(agent, this))
    this.tokens = new Map() // token -> login
    this.tickets = new Map() // ticket -> login
    this.sockets = new Set() // attached or about to be: {socket, agent, tab, client}
    this.attachments = [] // params of every accepted attach
    this.received = [] // every request but attach and ping that was carried out
    this.asked = [] // {id, method, text} of every one that came, also again
    this.answered = new Map() // agent, tab and id -> {text, message}: the same id gets the same answer
    this.connections = 0
    this.ticketsMade = 0
    this.ticketsToRefuse = 0
    this.eventsToLose = 0
    this.answersToLose = 0
    this.isDeaf = false // hears what attached tabs say and answers nothing
    this.clockMs = 0 // how much its clock is ahead, as it tells
    this.isClosed = false // refuses connections, as a gateway that is away
    this.server = createServer((request, response) => this.#answer(request, response))
    this.wss = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_AT_MOST, handleProtocols: () => 'calltab.v1' })
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  get socketUrl() {
    return `ws://127.0.0.1:${this.port}/ws`
  }

  async stop() {
    this.terminateAll()
    this.wss.close()
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  /* --- what a test does --- */

  async signIn(login, password) {
    const response = await fetch(`${this.url}/api/v1/sign-in`, { method: 'POST', body: JSON.stringify({ login, password }) })
    return response.json()
  }

  async ticket(token) {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${this.url}/api/v1/ws-tickets`, { method: 'POST', headers })
    if (!response.ok) throw Object.assign(new Error('no ticket'), { status: response.status })
    return (await response.json()).ticket
  }

  tab(login, number) {
    return this.agents.get(login).tab(number)
  }

  incoming(login, details, number) {
    this.#place(login, number).start('incoming', { direction: 'inbound', ...details })
  }

  present(login, details, number) {
    this.#place(login, number).start('preview', { direction: 'ccOutbound', actor: 'dialer', ...details })
  }

  #place(login, number) {
    const agent = this.agents.get(login)
    return number ? agent.tab(number) : agent.freeTab()
  }

  notice(code, message = code) {
    for (const it of this.sockets) this.#send(it.socket, { method: 'notice', params: { code, message } })
  }

  closeAll(code, reason) {
    for (const it of this.sockets) it.socket.close(code, reason)
  }

  /* The line breaks: no close frame. */
  terminateAll() {
    for (const it of this.sockets) it.socket.terminate()
  }

  refuseTickets(count) {
    this.ticketsToRefuse = count
  }

  /* The next numbered messages are not sent. */
  loseEvents(count) {
    this.eventsToLose = count
  }

  /* The next commands are carried out, and nobody is told. */
  loseAnswers(count) {
    this.answersToLose = count
  }

  /* As after a restart without a journal: a new epoch, nothing to replay, no command known. */
  forget() {
    this.answered.clear()
    for (const agent of this.agents.values()) {
      agent.epoch += 1
      for (const tab of agent.tabs.values()) Object.assign(tab, { seq: 1, log: [] })
    }
  }

  sendAll(text) {
    for (const it of this.sockets) it.socket.send(text)
  }

  endSessions() {
    this.tokens.clear()
    this.closeAll(4401, '')
  }

  /* --- what fake_calls.mjs tells us --- */

  call(tab, message) {
    if (this.eventsToLose > 0) {
      this.eventsToLose -= 1
      return
    }
    for (const it of this.sockets) if (it.tab === tab) this.#send(it.socket, message)
  }

  agent(agent) {
    this.#tellAgent(agent, { method: 'agent', params: { epoch: agent.epoch, agent: agent.view() } })
  }

  tabs(agent) {
    this.#tellAgent(agent, { method: 'tabs', params: { tabs: agent.tabNumbers() } })
  }

  #tellAgent(agent, message) {
    for (const it of this.sockets) if (it.tab && it.agent === agent) this.#send(it.socket, message)
  }

  #send(socket, message) {
    socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  }

  /* --- sockets --- */

  #upgrade(request, socket, head) {
    if (this.isClosed) return socket.destroy()
    const { origin } = request.headers
    if (origin && origin !== this.url) return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    this.wss.handleUpgrade(request, socket, head, (ws) => this.#opened(ws, request))
  }

  #opened(socket, request) {
    this.connections += 1
    const [, ticket = ''] = /(?:^|[ ,])ticket\.([\w-]{43})(?:$|[ ,])/.exec(request.headers['sec-websocket-protocol']) ?? []
    const login = this.tickets.get(ticket)
    this.tickets.delete(ticket)
    socket.on('error', () => {})
    if (!login || this.ticketsToRefuse-- > 0) return socket.close(4401, '')
    const it = { socket, agent: this.agents.get(login), tab: null }
    this.sockets.add(it)
    const tooLate = setTimeout(() => !it.tab && socket.close(1008, ''), ATTACH_WITHIN_MS)
    socket.on('close', () => {
      clearTimeout(tooLate)
      this.sockets.delete(it)
    })
    socket.on('message', (data) => this.#heard(it, data.toString()))
  }

  #heard(it, text) {
    let request
    try {
      request = JSON.parse(text)
    } catch {
      return this.#refuse(it.socket, null, -32700, new Refusal('json.malformed', 'this is not JSON'))
    }
    const { id, method, params = {} } = request
    if (request.jsonrpc !== '2.0' || typeof method !== 'string' || !['string', 'number'].includes(typeof id))
      return this.#refuse(it.socket, id ?? null, -32600, new Refusal('protocol.bad_request', 'not a JSON-RPC 2.0 request'))
    if (this.isDeaf && it.tab) return
    try {
      if (method === 'attach') return this.#attach(it, id, params)
      if (!it.tab) throw new Refusal('protocol.not_attached', 'attach first')
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      return this.#refuse(it.socket, id, refusal.number, refusal)
    }
    if (method === 'ping') return this.#send(it.socket, { id, result: { serverTime: new Date().toISOString() } })
    this.#commanded(it, id, method, params, text)
  }

  #refuse(socket, id, number, refusal) {
    this.#send(socket, refused(id, number, refusal))
  }

  #commanded(it, id, method, params, text) {
    const key = `${it.agent.login} ${it.tab.number} ${id}`
    const known = this.answered.get(key)
    this.asked.push({ id, method, text })
    if (known && known.text !== text)
      return this.#refuse(it.socket, id, -32010, new Refusal('command.id_reuse', 'this id was another command', 'id'))
    const message = known ? known.message : this.#carryOut(it, id, method, params)
    this.answered.set(key, { text, message })
    if (this.answersToLose > 0) this.answersToLose -= 1
    else this.#send(it.socket, message)
  }

  #carryOut(it, id, method, params) {
    try {
      return { id, result: this.#resultOf(it, method, params) }
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      return refused(id, refusal.number, refusal)
    }
  }

  #resultOf({ tab }, method, params) {
    this.received.push({ method, params, tab: tab.number })
    if (method === 'getCall') return { call: tab.snapshot() }
    return command(tab, method, params)
  }

  #attach(it, id, params) {
    if (it.tab) throw new Refusal('protocol.already_attached', 'this socket is attached')
    const tab = it.agent.tab(params.tab || 1)
    for (const other of this.sockets)
      if (other !== it && other.tab === tab && other.client === params.client) other.socket.close(4409, '')
    Object.assign(it, { tab, client: params.client })
    this.attachments.push(params)
    const missing = tab.after(params.epoch, params.seq)
    this.#send(it.socket, {
      id,
      result: {
        tab: tab.number,
        epoch: it.agent.epoch,
        seq: tab.seq,
        resumed: missing !== null,
        agent: it.agent.view(),
        tabs: it.agent.tabNumbers(),
        snapshot: tab.snapshot(),
        outcomes: OUTCOMES,
        sounds: ['greeting.wav'],
        serverTime: new Date(Date.now() + this.clockMs).toISOString(),
      },
    })
    for (const message of missing ?? []) this.#send(it.socket, message)
  }

  /* --- HTTP --- */

  async #answer(request, response) {
    if (this.isClosed) return request.socket.destroy()
    const { pathname } = new URL(request.url, this.url)
    const body = await bodyOf(request)
    const reply = (status, json) => {
      const type = status < 400 ? 'application/json' : 'application/problem+json'
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
      response.end(status === 204 ? undefined : JSON.stringify(json))
    }
    const login = this.tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    switch (`${request.method} ${pathname}`) {
      case 'POST /api/v1/sign-in':
        return this.#signedIn(body, reply)
      case 'POST /api/v1/ws-tickets':
        if (!login) return reply(401, problem(401, 'session.ended', 'sign in again'))
        return reply(200, { ticket: this.#newTicket(login), expiresIn: 30 })
      case 'POST /api/v1/sign-out':
        this.endSessions()
        return reply(204)
      case 'GET /':
        response.writeHead(302, { location: '/agent/' })
        return response.end()
      default:
        return this.#file(pathname, response)
    }
  }

  #signedIn(body, reply) {
    const { login, password, link } = JSON.parse(body || '{}')
    const found = link ? this.agents.get(this.links.get(link)) : this.agents.get(login)
    this.links.delete(link)
    if (!found || (!link && found.password !== password))
      return reply(401, problem(401, 'sign_in.refused', link ? 'this link has been used or is too old' : 'login or password is wrong'))
    const token = randomBytes(32).toString('base64url')
    this.tokens.set(token, found.login)
    reply(200, { token, expiresOn: contractTime(Date.now() + 8 * 3600_000), agent: found.view() })
  }

  #newTicket(login) {
    this.ticketsMade += 1
    const ticket = randomBytes(32).toString('base64url')
    this.tickets.set(ticket, login)
    return ticket
  }

  async #file(pathname, response) {
    const page = this.pages[pathname]
    try {
      const path = pathname === '/lib/calltab.js' ? 'dist/calltab.js' : normalize(pathname).replace(/\/$/, '/index.html')
      const body = page ? page.body : await readFile(join(WEB, path))
      const type = page?.type ?? TYPES[extname(path)] ?? 'application/octet-stream'
      const policy = type.startsWith('text/html') && !page ? { 'content-security-policy': CONTENT_POLICY } : {}
      response.writeHead(200, { 'content-type': type, 'x-content-type-options': 'nosniff', ...policy, ...page?.headers })
      response.end(body)
    } catch {
      response.writeHead(404, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify(problem(404, 'not_found', 'there is nothing here')))
    }
  }
}

function refused(id, number, { code, message, target }) {
  return { id, error: { code: number, message, data: { code, target } } }
}

function problem(status, code, detail) {
  return { type: 'about:blank', title: detail, status, detail, code, target: '' }
}

async function bodyOf(request) {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return body
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const gateway = await startFakeGateway({ port: Number(process.argv[2] ?? 0) })
  console.log(`${gateway.url}/agent/   login 1001, password secret`)
}
