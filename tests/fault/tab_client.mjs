/* A model of a tab that behaves as docs/protocol.md asks of a good client, believes nothing, and writes everything down.
 *
 *   const tab = new TabClient({ url, getTicket, origin, agent: '2001', tab: 1, log })
 *   await tab.connect()                         // ticket, socket, attach with the last (epoch, seq)
 *   const answer = await tab.command('dial', { number })          // {result} or {error}; one id, sent once
 *   tab.cut(); await tab.connect()              // resumes
 *   tab.faults                                  // gaps, duplicates, reorders: [] when the promise holds
 *
 * The log (TabLog) has one line for each thing: attach, agent, event, sent, answer, closed. checker.mjs judges it. */
import { openSync, writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import WebSocket from 'ws'
import { within } from '../support/until.mjs'

const CONNECT_MS = 20_000

/* Everything that tabs saw and said, in order, in memory and, when it has a file, there as JSON lines. */
export class TabLog {
  entries = []
  #file
  constructor(path) {
    this.#file = path ? openSync(path, 'a') : null
  }

  add(kind, fields) {
    const entry = { n: this.entries.length + 1, at: performance.timeOrigin + performance.now(), kind, ...fields }
    this.entries.push(entry)
    if (this.#file !== null) writeSync(this.#file, `${JSON.stringify(entry)}\n`)
    return entry
  }
}

let clients = 0

export class TabClient {
  #socket = null
  #waiting = new Map()
  #generation = 0
  #watchers = new Set()
  epoch = null
  seq = null
  call = null
  agentView = null
  attached = null // the answer to the last attach
  closed = null // {code, reason} of the last connection
  faults = []
  counts = { connects: 0, resumed: 0, reset: 0, events: 0 }
  notices = []

  constructor({ url, getTicket, origin, agent, tab = 1, log = new TabLog(), name = `lab-${++clients}`, keepPayloads = true }) {
    Object.assign(this, { url, getTicket, origin, agent, tab, log, name, keepPayloads })
  }

  #note(kind, fields) {
    this.log.add(kind, { client: this.name, agent: this.agent, tab: this.tab, ...fields })
  }

  get isConnected() {
    return this.#socket?.readyState === WebSocket.OPEN && this.attached !== null
  }

  /* --- connecting --- */

  /* Resolves with the answer to attach. Whatever connection there was is forgotten without a word. */
  async connect({ ms = CONNECT_MS } = {}) {
    const generation = ++this.#generation
    this.#forget()
    const socket = await within(`${this.name} is connected`, ms, this.#open(await this.getTicket()))
    if (generation !== this.#generation) {
      socket.terminate()
      throw new Error('connected anew meanwhile')
    }
    this.#socket = socket
    this.counts.connects++
    const params = { tab: this.tab, client: this.name, ...(this.epoch !== null && { epoch: this.epoch, seq: this.seq }) }
    const answer = await within(`${this.name} is attached`, ms, this.#ask(`attach-${generation}`, 'attach', params))
    if (answer.error) throw Object.assign(new Error(`attach: ${answer.error.message}`), { code: answer.error.data?.code })
    return answer.result
  }

  #open(ticket) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url, ['calltab.v1', `ticket.${ticket}`], { origin: this.origin, perMessageDeflate: false, handshakeTimeout: CONNECT_MS })
      this.#opening = socket
      // messages that come with the handshake's last packet must not be missed
      socket.on('message', (data) => this.#read(socket, data))
      socket.on('close', (code, reason) => {
        this.#over(socket, code, reason.toString())
        reject(new Error(`closed while connecting: ${code}`))
      })
      socket.once('open', () => resolve(socket))
      socket.on('error', (error) => reject(error))
    })
  }

  #opening = null

  #forget() {
    for (const socket of [this.#socket, this.#opening]) socket?.terminate()
    this.#socket = this.#opening = null
    this.attached = null
  }

  #over(socket, code, reason) {
    if (socket !== this.#socket && socket !== this.#opening) return
    this.closed = { code, reason }
    this.attached = null
    this.#socket = this.#opening = null
    this.#note('closed', { code, reason })
    for (const { resolve } of this.#waiting.values()) resolve({ lost: true })
    this.#waiting.clear()
    this.#wake()
  }

  /* --- hearing --- */

  #read(socket, data) {
    if (socket !== this.#socket && socket !== this.#opening) return
    const message = JSON.parse(data)
    if (message.method) this.#onNotification(message)
    else this.#onAnswer(message)
    this.#wake()
  }

  #onAnswer({ id, result, error }) {
    if (String(id).startsWith('attach-')) this.#onAttached(result)
    else this.#note('answer', { id, result, error: error && { number: error.code, code: error.data?.code, message: error.message } })
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.resolve(error ? { error } : { result })
  }

  #onAttached(result) {
    if (!result) return
    const had = this.epoch !== null
    if (had) this.counts[result.resumed ? 'resumed' : 'reset']++
    this.#note('attach', { epoch: result.epoch, seq: result.seq, resumed: result.resumed, from: had ? { epoch: this.epoch, seq: this.seq } : null, call: this.#brief(result.snapshot) })
    if (result.resumed && (result.epoch !== this.epoch || result.seq < this.seq)) this.#fault('resume', { had: [this.epoch, this.seq], got: [result.epoch, result.seq] })
    if (!result.resumed) {
      this.epoch = result.epoch
      this.seq = result.seq
      this.call = result.snapshot
    }
    this.#onAgent(result.agent)
    this.attached = result
  }

  #onNotification({ method, params }) {
    if (method === 'notice') this.notices.push({ at: performance.now(), ...params })
    if (params.agent) this.#onAgent(params.agent)
    if (params.seq === undefined) return
    const { epoch, seq, call } = params
    this.counts.events++
    this.#note('event', { method, epoch, seq, call: this.#brief(call) })
    if (!this.attached) this.#fault('early', { epoch, seq })
    if (epoch !== this.epoch) this.#fault('epoch', { expected: this.epoch, epoch, seq })
    else if (seq <= this.seq) this.#fault(seq === this.seq ? 'duplicate' : 'reorder', { expected: this.seq + 1, seq })
    else if (seq > this.seq + 1) this.#fault('gap', { expected: this.seq + 1, seq })
    this.epoch = epoch
    this.seq = Math.max(seq, this.seq)
    this.call = call
  }

  #onAgent(agent) {
    this.agentView = agent
    if (agent) this.#note('agent', { state: agent.state, nextState: agent.nextState, stateTime: agent.stateTime })
  }

  #fault(kind, what) {
    const fault = { kind, client: this.name, agent: this.agent, tab: this.tab, ...what }
    this.faults.push(fault)
    this.log.add('fault', fault)
  }

  /* What the checker needs of a call; all of it would fill the memory of a long run. */
  #brief(call) {
    if (!call || !this.keepPayloads) return call ? { callId: call.callId, state: call.state, version: call.version } : null
    const { callId, dtCallId, state, stateTime, phone, direction, version, held, muted, endedBy, cause, reason, actor, result, outcome, commandId, boardState } = call
    return { callId, dtCallId, state, stateTime, phone, direction, version, held, muted, endedBy, cause, reason, actor, result, outcome, commandId, boardState }
  }

  /* --- asking --- */

  #ask(id, method, params) {
    return new Promise((resolve) => {
      this.#waiting.set(id, { resolve })
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }), (error) => error && resolve({ lost: true }))
    })
  }

  /* One try. Resolves with {result}, {error} or, when the connection went before the answer came, {lost: true}. */
  command(method, params = {}, id = `${this.name}-${++commands}`) {
    if (!this.isConnected) return Promise.resolve({ lost: true, notSent: true })
    this.#note('sent', { id, method, params })
    return this.#ask(id, method, params)
  }

  /* --- waiting: predicates are looked at whenever something was heard --- */

  #wake() {
    for (const watcher of this.#watchers) watcher()
  }

  when(description, predicate, ms = 10_000) {
    const now = predicate(this)
    if (now) return Promise.resolve(now)
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer)
        this.#watchers.delete(watcher)
        settle(value)
      }
      const watcher = () => {
        const value = predicate(this)
        if (value) done(resolve, value)
      }
      const timer = setTimeout(() => done(reject, new Error(`not within ${ms} ms: ${this.name}: ${description} (call: ${this.call?.state}, closed: ${this.closed?.code})`)), ms)
      this.#watchers.add(watcher)
    })
  }

  state(name, ms) {
    return this.when(`the call is in ${name}`, () => this.call?.state === name && this.call, ms)
  }

  /* --- leaving --- */

  /* Gone without a word. */
  cut() {
    this.#generation++
    this.#forget()
    this.#note('closed', { code: 1006, reason: 'cut by the client' })
    for (const { resolve } of this.#waiting.values()) resolve({ lost: true })
    this.#waiting.clear()
    this.#wake()
  }

  close() {
    this.#generation++
    this.#socket?.close(1000)
    setTimeout(() => this.#forget(), 500).unref()
  }

  /* The raw stream of the connection, for tests that stop reading. */
  get stream() {
    return this.#socket?._socket
  }
}

let commands = 0
