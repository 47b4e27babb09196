/* The switch of the fault laboratory: a process of its own that speaks the part of ARI that telephony/ari uses, behaves as
 * badly as a real one does, goes on when the gateway is killed, and keeps a ledger of what really happened.
 *
 *   node tests/fault/switch.mjs '{"ledger":"FILE","stations":["1001"],"seed":7}'
 *
 * prints {"port":…,"control":…} and runs until its standard input ends. `port` is ARI; `control` takes commands as POSTed
 * JSON, one verb each (VERBS below); switch_client.mjs speaks it. A ledger's line is {n, at, epoch, kind, …}, written before
 * the switch does anything else.
 *
 * Quirks, all of them also of a real Asterisk, can be set at the start and changed at any time:
 *   writeTimeoutMs   a reader that does not take what was written for so long is disconnected
 *   answerMs         answers to requests come up to so late, in their order
 *   eventMs          events of different channels overtake each other by up to so much; those of one channel never do
 *   stasisMs, endMs  up to so long until a new channel is in the application, until one that was hung up is gone
 *   endOrder         how often the events of an end come in another order
 *   answerThenHangup how often a far end hangs up in the moment in which it answers
 *   bridgeEndsCause  the end of a bridge overwrites the cause of a hang-up that is under way */
import { openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { performance } from 'node:perf_hooks'
import { WebSocketServer } from 'ws'
import { seeded } from '../support/random.mjs'
import { Lane } from './lane.mjs'
import { answerRequest } from './switch_ari.mjs'
import { SwitchState } from './switch_state.mjs'

const MESSAGE_MAX = 65_535
const QUIRKS = {
  writeTimeoutMs: 100, answerMs: 2, eventMs: 2, stasisMs: 2, endMs: 4, endOrder: 0.2, answerThenHangup: 0, bridgeEndsCause: true,
  dialplanRetryMs: 1000, playMs: 300,
}

class Switch {
  #sockets = new Set() // all connections, the application's and replaced ones
  #app = null // the one that gets events
  #count = 0
  #epoch = 1
  #figures = { missed: 0, requests: 0, connections: 0, replaced: 0, writeTimeouts: 0 }
  isReading = true
  accepting = 'yes' // no: connections are refused; silent: taken and never answered

  constructor({ ledger, stations = [], seed = 1, app = 'calltab', quirks = {} }) {
    this.file = ledger ? openSync(ledger, 'a') : null
    this.random = seeded(seed)
    this.quirks = { ...QUIRKS, ...quirks }
    this.state = new SwitchState({
      app, stations, quirks: this.quirks,
      tell: (type, channel, fields) => this.#tell(type, channel, fields),
      ledger: (kind, fields) => this.ledger(kind, fields),
      isActive: () => this.#app !== null,
      chance: this.random.chance, between: this.random.between,
    })
  }

  ledger(kind, fields = {}) {
    const line = { n: ++this.#count, at: Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000, epoch: this.#epoch, kind, ...fields }
    if (this.file !== null) writeSync(this.file, `${JSON.stringify(line)}\n`)
  }

  /* --- what is told --- */

  #tell(type, channel, fields = {}) {
    const event = { type, timestamp: new Date().toISOString().replace('Z', '+0000'), application: this.state.app, ...(channel && { channel: this.state.describe(channel) }), ...fields }
    const to = this.#app
    if (!to) {
      this.#figures.missed++
      return
    }
    if (!channel) return this.#send(to, event)
    channel.lane ??= new Lane()
    channel.lane.put(this.random.between(0, this.quirks.eventMs), () => (to === this.#app ? this.#send(to, event) : this.#figures.missed++))
  }

  /* As Asterisk does: a reader that does not take it in time is disconnected. */
  #send(connection, message) {
    const { socket } = connection
    if (socket.readyState !== socket.OPEN) return
    socket.send(JSON.stringify(message))
    if (connection.writeTimer || socket.bufferedAmount === 0) return
    const left = socket.bufferedAmount
    connection.writeTimer = setTimeout(() => {
      connection.writeTimer = null
      if (socket.bufferedAmount < left) return
      this.#figures.writeTimeouts++
      this.ledger('write_timeout')
      socket.terminate()
    }, this.quirks.writeTimeoutMs)
  }

  /* --- connections --- */

  async listen() {
    this.http = createServer((request, response) => response.writeHead(404).end())
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MESSAGE_MAX, handleProtocols: () => 'ari' })
    this.http.on('upgrade', (request, socket, head) => {
      if (this.accepting === 'silent') return
      sockets.handleUpgrade(request, socket, head, (made) => this.#connected(made, socket))
    })
    this.http.on('connection', (socket) => {
      socket.on('error', () => {})
      if (this.accepting === 'no') socket.destroy()
    })
    await new Promise((resolve) => this.http.listen(0, '127.0.0.1', resolve))
    return this.http.address().port
  }

  #connected(socket, stream) {
    const connection = { socket, stream, lane: new Lane(), writeTimer: null }
    this.#sockets.add(connection)
    this.#figures.connections++
    socket.on('message', (data) => this.#receive(connection, data))
    socket.on('error', () => {})
    socket.on('close', () => this.#closed(connection))
    if (!this.isReading) stream.pause()
    if (this.#app) {
      this.#figures.replaced++
      this.ledger('replaced')
      this.#send(this.#app, { type: 'ApplicationReplaced', application: this.state.app })
    }
    this.#app = connection
    this.ledger('connect')
  }

  #closed(connection) {
    clearTimeout(connection.writeTimer)
    connection.lane.drop()
    this.#sockets.delete(connection)
    if (this.#app !== connection) return
    this.#app = null
    this.ledger('disconnect')
  }

  #receive(connection, data) {
    let request
    try {
      request = JSON.parse(data)
    } catch {
      this.#send(connection, { type: 'RESTResponse', request_id: '', status_code: 400, uri: '' })
      return
    }
    this.#figures.requests++
    const { status, body } = answerRequest(this.state, request)
    const answer = {
      type: 'RESTResponse', request_id: request.request_id, status_code: status, uri: request.uri,
      ...(body !== undefined && { content_type: 'application/json', message_body: JSON.stringify(body) }),
    }
    connection.lane.put(this.random.between(0, this.quirks.answerMs), () => this.#send(connection, answer))
  }

  /* --- what tests command --- */

  drop(how = 'rst') {
    for (const { socket, stream } of this.#sockets) {
      if (how === 'rst') stream.resetAndDestroy()
      else if (how === 'fin') stream.end()
      else socket.close(1000)
    }
  }

  read(isReading) {
    this.isReading = isReading
    for (const { stream } of this.#sockets) isReading ? stream.resume() : stream.pause()
  }

  restart() {
    this.ledger('restart')
    this.state.restart()
    this.#epoch++
    for (const { socket } of this.#sockets) socket.terminate()
  }

  channel({ channel, party }) {
    const found = channel ? this.state.channels.get(channel) : [...this.state.channels.values()].find((each) => each.party === party && !each.ending)
    if (!found) throw new Error(`there is no channel ${channel ?? party}`)
    return found
  }

  live() {
    return [...this.state.channels.values()].map(({ id, party, state, bridge, ending, isInbound = false, isTrunk, muted, digits }) => ({ id, party, state, bridge, isEnding: ending !== null, isInbound, isTrunk, muted, digits }))
  }

  stats() {
    return { ...this.#figures, isActive: this.#app !== null, channels: this.state.channels.size, bridges: this.state.bridges.size, ledger: this.#count }
  }
}

const VERBS = {
  call: (at, options) => at.state.callIn(options),
  hangup: (at, { cause, ...which }) => at.state.endFar(at.channel(which), cause),
  answer: (at, which) => at.state.answerFar(at.channel(which)),
  press: (at, { digits, ...which }) => at.state.press(at.channel(which), digits),
  /* Many at once, so that nothing comes between them: far ends of these channels hang up, these callers come. */
  many: (at, { hangups = [], calls = [] }) => {
    for (const channel of hangups) if (at.state.channels.has(channel)) at.state.endFar(at.state.channels.get(channel))
    return calls.map((options) => at.state.callIn(options))
  },
  /* A channel that is nobody's of ours. */
  /* Somebody else's, or with an id and an application of ours: what an earlier life has left. */
  foreign: (at, { id, party = '5550', appData = 'other' }) => {
    at.state.channels.set(id, { id, party, state: 'Up', caller: { name: '', number: party }, appData, args: [], isInStasis: false, bridge: null, ending: null, digits: '', serial: 0 })
  },
  station: (at, { station, on }) => at.state.setStation(station, on),
  quirks: (at, quirks) => Object.assign(at.quirks, quirks),
  accept: (at, { how }) => { at.accepting = how },
  read: (at, { on }) => at.read(on),
  drop: (at, { how }) => at.drop(how),
  restart: (at) => at.restart(),
  mark: (at, { text }) => at.ledger('mark', { text }),
  live: (at) => at.live(),
  bridges: (at) => [...at.state.bridges.values()].map((bridge) => at.state.describeBridge(bridge)),
  stats: (at) => at.stats(),
}

async function listenForControl(at) {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request.setEncoding('utf8')) text += part
    try {
      const { verb, ...options } = JSON.parse(text)
      if (!VERBS[verb]) throw new Error(`no verb ${verb}`)
      response.end(JSON.stringify({ result: VERBS[verb](at, options) ?? null }))
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ error: error.message }))
    }
  })
  server.keepAliveTimeout = 600_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

const at = new Switch(JSON.parse(process.argv[2] ?? '{}'))
const [port, control] = [await at.listen(), await listenForControl(at)]
process.stdout.write(`${JSON.stringify({ port, control })}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
