/* A call tab's socket spoken by hand: docs/protocol.md without our library, so that a test can also say wrong things.
 *
 *   const tab = await RawTab.open(url, ticket, { origin })
 *   await tab.attach({ tab: 1 })
 *   const { callId } = await tab.request('dial', { number: '5550101' })   // rejects with RawError {code, target}
 *   const { call } = await tab.state('talk')                              // the next one not yet taken */
import { randomUUID } from 'node:crypto'
import WebSocket from 'ws'
import { until } from './until.mjs'

export class RawError extends Error {
  constructor({ code, message, data }) {
    super(message)
    this.number = code
    this.code = data?.code
    this.target = data?.target
  }
}

export class RawTab {
  #socket
  #waiting = new Map()
  #run = randomUUID().slice(0, 8) // ids are remembered by the tab, over its connections
  #nextId = 1
  #taken = 0
  received = [] // every message that is no answer, in order
  answers = [] // every answer, also those nobody waits for
  closed = null // {code, reason}
  call = null // as last told
  agent = null

  /* options: more for ws, such as headers or a certificate */
  static open(url, ticket, { origin, protocols = ['calltab.v1', `ticket.${ticket}`], ...options } = {}) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, protocols, { origin, perMessageDeflate: false, ...options })
      const tab = new RawTab(socket)
      socket.once('open', () => resolve(tab))
      socket.once('error', reject)
      socket.once('unexpected-response', (request, response) => {
        reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode }))
        request.destroy()
      })
    })
  }

  constructor(socket) {
    this.#socket = socket
    socket.on('message', (data) => this.#read(JSON.parse(data.toString())))
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      for (const { reject } of this.#waiting.values()) reject(new Error(`the socket closed: ${code} ${reason}`))
      this.#waiting.clear()
    })
    socket.on('error', () => {})
  }

  #read(message) {
    if (message.method) {
      this.received.push(message)
      if (message.params.call) this.call = message.params.call
      if (message.params.agent) this.agent = message.params.agent
      return
    }
    this.answers.push(message)
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (!waiting) return
    if (message.error) waiting.reject(new RawError(message.error))
    else waiting.resolve(message.result)
  }

  async attach(params = {}) {
    const result = await this.request('attach', { client: `raw-${Math.random().toString(36).slice(2)}`, ...params })
    this.attached = result
    this.call = result.snapshot
    this.agent = result.agent
    return result
  }

  request(method, params = {}, id = `${this.#run}-${this.#nextId++}`) {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new Error(`the socket is closed: ${this.closed.code}`))
      this.#waiting.set(id, { resolve, reject })
      this.send({ jsonrpc: '2.0', id, method, params })
    })
  }

  /* An object is sent as JSON, a text or a Buffer as it is. */
  send(message, options) {
    const isRaw = typeof message === 'string' || Buffer.isBuffer(message)
    this.#socket.send(isRaw ? message : JSON.stringify(message), options)
  }

  /* The next notification of this method not yet taken for which matches(params) holds; those before it count as taken. */
  async next(method, matches = () => true, ms = 5000) {
    const find = () => this.received.findIndex((message, i) => i >= this.#taken && message.method === method && matches(message.params))
    await until(`a notification "${method}" (received: ${this.received.map((m) => m.params.call?.state ?? m.method).join(' ')})`, () => find() >= 0, ms)
    const index = find()
    this.#taken = index + 1
    return this.received[index].params
  }

  /* {epoch, seq, call} of the next change into this state. */
  state(name, ms) {
    return this.next('state', ({ call }) => call.state === name, ms)
  }

  /* {epoch, seq, call} of the next telling about the call, of the same state or another, that matches. */
  async told(description, matches, ms = 5000) {
    await until(description, () => this.call && matches(this.call), ms)
    return this.call
  }

  /* Resolves with {code, reason}. */
  async whenClosed(ms = 5000) {
    await until('the socket is closed', () => this.closed, ms)
    return this.closed
  }

  async close() {
    if (!this.closed) this.#socket.close(1000)
    await this.whenClosed()
  }

  /* Gone without a word, as when a cable is cut. */
  cut() {
    this.#socket.terminate()
  }
}
