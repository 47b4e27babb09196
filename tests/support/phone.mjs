/* A scriptable SIP telephone for tests, and a test carrier made of it: UDP on loopback, digest registration,
 * G.711, RFC 4733 digits. Each party says its own tone, so that a test can measure who hears whom.
 *
 *   const phone = await new Phone({ user: '1001', password: 'secret', sipPort, hz: 500 }).start()
 *   await phone.register()
 *   phone.on('call', (call) => call.answer())
 *   const call = await phone.call('+15550001')
 *   call.heard({ carrier: 1100 })     'carrier' while that tone arrives
 *
 * A call's state is 'new' 'ringing' 'early' 'up' 'down'; it emits each of them once, then 'down'. */
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { RtpStream } from './rtp.mjs'

const HOST = '127.0.0.1'
const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, INFO, UPDATE'
const REASONS = {
  100: 'Trying', 180: 'Ringing', 183: 'Session Progress', 200: 'OK', 403: 'Forbidden', 404: 'Not Found',
  480: 'Temporarily Unavailable', 481: 'Call Does Not Exist', 486: 'Busy Here', 487: 'Request Terminated',
  500: 'Server Internal Error', 503: 'Service Unavailable', 603: 'Decline',
}

const md5 = (text) => createHash('md5').update(text).digest('hex')
const token = () => randomBytes(6).toString('hex')
const tagOf = (header) => /;tag=([^;>\s]+)/.exec(header ?? '')?.[1]
const uriOf = (header) => /<([^>]+)>/.exec(header ?? '')?.[1] ?? header?.split(';')[0]

/* {first, code | method + uri, headers: [[name, value]], body, get(name), all(name), cseq: [number, method]} */
export function parseSip(text) {
  const [head, body = ''] = text.split(/\r\n\r\n(.*)/s)
  const [first, ...lines] = head.split('\r\n')
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()])
  const all = (name) => headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const get = (name) => all(name)[0]
  const [word, second] = first.split(' ')
  const start = word === 'SIP/2.0' ? { code: Number(second) } : { method: word, uri: second }
  return { ...start, first, headers, body, all, get, cseq: (get('CSeq') ?? '').split(' ') }
}

export function digestAnswer(challenge, { user, password, method, uri }) {
  const field = (name) => new RegExp(`[ ,]${name}="?([^",]+)"?`).exec(challenge)?.[1]
  const [realm, nonce, opaque] = [field('realm'), field('nonce'), field('opaque')]
  const secret = md5(`${user}:${realm}:${password}`)
  const request = md5(`${method}:${uri}`)
  const common = `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=MD5`
  const rest = opaque ? `, opaque="${opaque}"` : ''
  if (!field('qop')) return `${common}, response="${md5(`${secret}:${nonce}:${request}`)}"${rest}`
  const own = token()
  const response = md5(`${secret}:${nonce}:00000001:${own}:auth:${request}`)
  return `${common}, response="${response}", qop=auth, nc=00000001, cnonce="${own}"${rest}`
}

const answerDirection = { sendrecv: 'sendrecv', sendonly: 'recvonly', recvonly: 'sendonly', inactive: 'inactive' }

/* One call of one phone. dialog: what names it to the other side. */
export class Call extends EventEmitter {
  constructor(phone, { isInbound, dialog, invite }) {
    super()
    Object.assign(this, { phone, isInbound, dialog, invite })
    this.rtp = new RtpStream(phone.hzFor(this))
    this.state = 'new'
    this.code = 0 // SIP status with which a call that was never up has failed
    this.isEndedByUs = null
    this.reinvites = 0
    this.sdpVersion = 0
    this.timers = new Set()
  }

  /* Inbound: the number that was called. Outbound: the number we called. */
  get number() {
    return decodeURIComponent(/^sip:([^@;]+)@/.exec(this.dialog.uri)?.[1] ?? '')
  }

  /* 'Acme <+15557654321>' as the called party sees it; '' when withheld. */
  get caller() {
    const from = this.invite?.get('From') ?? ''
    const name = /^"?([^"<]*?)"?\s*</.exec(from)?.[1] ?? ''
    const number = decodeURIComponent(/sip:([^@>;]+)@/.exec(from)?.[1] ?? '')
    return number === 'anonymous' ? '' : `${name} <${number}>`.trim()
  }

  header(name) {
    return this.invite?.get(name)
  }

  setState(state) {
    if (this.state === state || this.state === 'down') return
    this.state = state
    this.emit(state, this)
    this.phone.emit('state', this)
  }

  after(ms, action) {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      if (this.state !== 'down') action()
    }, ms)
    this.timers.add(timer)
  }

  end(isEndedByUs, code = 0) {
    if (this.state === 'down') return
    this.isEndedByUs = isEndedByUs
    this.code = code
    for (const timer of this.timers) clearTimeout(timer)
    this.rtp.close()
    this.phone.forget(this)
    this.setState('down')
  }

  respond(code, body = '') {
    this.lastResponse = this.phone.respond(this.invite, code, { call: this, body })
  }

  ring() {
    this.respond(180)
    this.setState('ringing')
    return this
  }

  /* Early media: the caller hears this party's tone before the answer. */
  early() {
    this.respond(183, this.sdp())
    this.setState('early')
    return this
  }

  answer() {
    if (this.state === 'up' || this.state === 'down') return this
    this.respond(200, this.sdp())
    this.setState('up')
    return this
  }

  reject(code) {
    this.respond(code)
    this.end(true, code)
  }

  hangup() {
    if (this.state === 'down') return
    if (this.state === 'up') this.phone.request('BYE', this.dialog)
    else if (this.isInbound) return this.reject(486)
    else this.phone.request('CANCEL', this.dialog)
    this.end(true)
  }

  /* The device's own hold key. One re-INVITE at a time (RFC 3261 14.1). */
  hold(on) {
    this.wanted = on ? 'sendonly' : 'sendrecv'
    if (!this.offered) this.#reinvite()
  }

  #reinvite() {
    this.offered = this.wanted
    this.phone.request('INVITE', this.dialog, { body: this.sdp(this.offered) })
  }

  /* 491: the other side is asking something of its own; "retry ... after a random amount of time" (RFC 3261 14.1). */
  #onReinviteAnswer(code) {
    const isOver = code !== 491 && this.offered === this.wanted
    this.offered = isOver ? null : this.wanted
    if (!isOver) this.after(code === 491 ? 100 + Math.random() * 300 : 0, () => this.#reinvite())
  }

  press(digits) {
    this.rtp.press(digits)
  }

  /* Keys the other side has pressed. */
  get digits() {
    return this.rtp.digitsIn.map(({ digit }) => digit).join('')
  }

  heard(tones) {
    return this.rtp.heard(tones)
  }

  sdp(direction = 'sendrecv') {
    return [
      'v=0', `o=- 1 ${++this.sdpVersion} IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0',
      `m=audio ${this.rtp.port} RTP/AVP 0 101`, 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16', 'a=ptime:20', `a=${direction}`, '',
    ].join('\r\n')
  }

  takeSdp(message) {
    const port = Number(/m=audio (\d+)/.exec(message.body)?.[1] ?? 0)
    if (port && this.state !== 'down') this.rtp.sendTo(port)
  }

  onReinvite(message, from) {
    const direction = /a=(sendrecv|sendonly|recvonly|inactive)/.exec(message.body)?.[1] ?? 'sendrecv'
    this.reinvites++
    this.takeSdp(message)
    const body = message.body || message.method === 'INVITE' ? this.sdp(answerDirection[direction]) : ''
    this.phone.respond(message, 200, { call: this, body, from })
  }

  /* The answer to an INVITE of ours: the first one or a later one for hold. */
  onInviteAnswer(message) {
    const { dialog } = this
    if (message.code < 200) {
      this.takeSdp(message)
      if (message.code > 100) this.setState(message.body ? 'early' : 'ringing')
      return
    }
    this.phone.acknowledge(message, dialog)
    if ([401, 407].includes(message.code) && !dialog.hasAuthorized) return this.phone.inviteAgain(this, message)
    if (this.offered) this.#onReinviteAnswer(message.code)
    if (message.code >= 300) {
      if (this.state !== 'up') this.end(false, message.code)
      return
    }
    dialog.remote = message.get('To')
    dialog.target = uriOf(message.get('Contact'))
    this.takeSdp(message)
    this.setState('up')
  }
}

export class Phone extends EventEmitter {
  /* user, password: its account; sipPort: the switch's; port: its own (0 = any free one); hz: its tone */
  constructor({ user, password = '', sipPort, port = 0, hz = 0 }) {
    super()
    this.setMaxListeners(0)
    Object.assign(this, { user, password, sipPort, port, hz })
    this.calls = new Map() // live ones, by Call-ID
    this.all = [] // every call there was, oldest first
  }

  hzFor() {
    return this.hz
  }

  async start() {
    this.socket = createSocket('udp4')
    this.socket.on('message', (data, from) => this.receive(parseSip(data.toString('utf8')), from))
    await new Promise((resolve, reject) => this.socket.on('error', reject).bind(this.port, HOST, resolve))
    this.port = this.socket.address().port
    return this
  }

  /* As if its cable were pulled: no BYE, no un-registration. */
  stop() {
    for (const call of [...this.calls.values()]) call.end(true)
    this.socket?.close()
    this.socket = null
  }

  forget(call) {
    this.calls.delete(call.dialog.id)
  }

  /* The newest live call, if any. */
  get live() {
    return [...this.calls.values()].at(-1)
  }

  transmit(text, port = this.sipPort) {
    this.socket?.send(text, port, HOST)
    return { text, port }
  }

  request(method, dialog, { headers = {}, body = '', cseq, branch } = {}) {
    const isOfInvite = method === 'CANCEL'
    const number = cseq ?? (isOfInvite ? dialog.cseq : ++dialog.cseq)
    const via = branch ?? (isOfInvite ? dialog.inviteBranch : `z9hG4bK${token()}`)
    if (method === 'INVITE') dialog.inviteBranch = via
    const uri = isOfInvite ? dialog.uri : (dialog.target ?? dialog.uri)
    const lines = {
      Via: `SIP/2.0/UDP ${HOST}:${this.port};branch=${via};rport`,
      'Max-Forwards': 70, From: dialog.local, To: dialog.remote, 'Call-ID': dialog.id, CSeq: `${number} ${method}`,
      Contact: `<sip:${this.user}@${HOST}:${this.port}>`, Allow: ALLOW, ...headers,
    }
    if (body) lines['Content-Type'] ??= 'application/sdp'
    lines['Content-Length'] = Buffer.byteLength(body)
    const head = Object.entries(lines).map(([key, value]) => `${key}: ${value}`).join('\r\n')
    this.transmit(`${method} ${uri} SIP/2.0\r\n${head}\r\n\r\n${body}`)
  }

  respond(message, code, { call, body = '', from } = {}) {
    let to = message.get('To')
    if (code > 100 && !tagOf(to)) to += `;tag=${call?.dialog.tag ?? token()}`
    const lines = [
      ...message.all('Via').map((via) => `Via: ${via}`),
      ...message.all('Record-Route').map((route) => `Record-Route: ${route}`),
      `From: ${message.get('From')}`, `To: ${to}`, `Call-ID: ${message.get('Call-ID')}`, `CSeq: ${message.get('CSeq')}`,
      `Contact: <sip:${this.user}@${HOST}:${this.port}>`, `Allow: ${ALLOW}`,
      ...(body ? ['Content-Type: application/sdp'] : []), `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    const port = (from ?? call?.from)?.port
    return this.transmit(`SIP/2.0 ${code} ${REASONS[code] ?? 'Status'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`, port)
  }

  acknowledge(answer, dialog) {
    const [cseq] = answer.cseq
    // The ACK of a failure belongs to the INVITE's own transaction, that of a success is a new one.
    if (answer.code >= 300)
      return this.request('ACK', { ...dialog, target: undefined, remote: answer.get('To') }, { cseq, branch: dialog.inviteBranch })
    const target = uriOf(answer.get('Contact')) ?? dialog.uri
    this.request('ACK', { ...dialog, target, remote: answer.get('To') }, { cseq })
  }

  /* Registers, or with 0 seconds un-registers, this telephone. */
  register(seconds = 300) {
    const uri = `sip:${HOST}:${this.sipPort}`
    const self = `<sip:${this.user}@${HOST}>`
    const dialog = { id: token(), local: `${self};tag=${token()}`, remote: self, uri, cseq: 0 }
    return new Promise((resolve, reject) => {
      const give = (error) => {
        clearTimeout(timer)
        this.onRegister = null
        if (error) reject(new Error(`register ${this.user}: ${error}`))
        else resolve()
      }
      const timer = setTimeout(() => give('no answer'), 5000)
      let challenges = 0
      this.onRegister = (message) => {
        // The answer to a request sent again, or a challenge whose number has grown old meanwhile, is no refusal.
        if (Number(message.cseq[0]) !== dialog.cseq) return
        if (message.code === 401 && challenges++ < 3) {
          const Authorization = digestAnswer(message.get('WWW-Authenticate'), { ...this, method: 'REGISTER', uri })
          this.request('REGISTER', dialog, { headers: { Expires: seconds, Authorization } })
        } else {
          give(message.code === 200 ? null : String(message.code))
        }
      }
      this.request('REGISTER', dialog, { headers: { Expires: seconds } })
    })
  }

  /* Dials. from, name: what the switch is told of the caller; headers: further ones such as Diversion. */
  async call(number, { from = this.user, name = '', headers = {} } = {}) {
    const uri = `sip:${encodeURIComponent(number).replaceAll('%2B', '+')}@${HOST}:${this.sipPort}`
    const dialog = {
      id: token(), uri, cseq: 0, remote: `<${uri}>`,
      local: `${name ? `"${name}" ` : ''}<sip:${from}@${HOST}>;tag=${token()}`,
    }
    const call = new Call(this, { isInbound: false, dialog })
    call.headers = headers
    await call.rtp.open()
    this.keep(call)
    this.request('INVITE', dialog, { headers, body: call.sdp() })
    return call
  }

  inviteAgain(call, challenge) {
    const { dialog } = call
    const isProxy = challenge.code === 407
    dialog.hasAuthorized = true
    const answer = digestAnswer(challenge.get(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'), {
      ...this, method: 'INVITE', uri: dialog.uri,
    })
    const headers = { ...call.headers, [isProxy ? 'Proxy-Authorization' : 'Authorization']: answer }
    this.request('INVITE', dialog, { headers, body: call.sdp() })
  }

  keep(call) {
    this.calls.set(call.dialog.id, call)
    this.all.push(call)
  }

  receive(message, from) {
    const call = this.calls.get(message.get('Call-ID'))
    if (message.code) return this.receiveAnswer(message, call)
    if (this.isIgnored(message)) return
    const isInitial = message.method === 'INVITE' && !tagOf(message.get('To'))
    if (isInitial && !call) return this.receiveCall(message, from)
    if (message.method === 'ACK') return
    if (message.method === 'OPTIONS') return this.respond(message, 200, { from })
    if (!call) return this.respond(message, 481, { from })
    this.receiveInCall(message, from, call, isInitial)
  }

  /* For a carrier that plays dead. */
  isIgnored() {
    return false
  }

  receiveAnswer(message, call) {
    if (message.cseq[1] === 'REGISTER') this.onRegister?.(message)
    else if (message.cseq[1] === 'INVITE') {
      if (call) call.onInviteAnswer(message)
      else if (message.code >= 200) this.endLate(message)
    }
  }

  /* A final answer to a call we have given up already: acknowledged, and ended again if it was an answer. */
  endLate(message) {
    const call = this.all.find(({ dialog }) => dialog.id === message.get('Call-ID'))
    if (!call) return
    this.acknowledge(message, call.dialog)
    if (message.code >= 300 || call.dialog.target) return
    call.dialog.remote = message.get('To')
    call.dialog.target = uriOf(message.get('Contact'))
    this.request('BYE', call.dialog)
  }

  async receiveCall(message, from) {
    const tag = token()
    const dialog = {
      id: message.get('Call-ID'), tag, uri: message.uri, target: uriOf(message.get('Contact')), cseq: 100,
      local: `${message.get('To')};tag=${tag}`, remote: message.get('From'),
    }
    const call = new Call(this, { isInbound: true, dialog, invite: message })
    call.from = from
    this.keep(call)
    call.respond(100)
    await call.rtp.open()
    call.takeSdp(message)
    if (call.state !== 'down') this.emit('call', call)
  }

  receiveInCall(message, from, call, isInitial) {
    if (isInitial) {
      // Sent again because our answer was late: what was said last still holds.
      this.transmit(call.lastResponse.text, call.lastResponse.port)
    } else if (message.method === 'CANCEL') {
      this.respond(message, 200, { call, from })
      if (call.state === 'up') return
      call.respond(487)
      call.end(false)
    } else if (message.method === 'BYE') {
      this.respond(message, 200, { call, from })
      call.end(false)
    } else if (message.method === 'INVITE' || message.method === 'UPDATE') {
      call.onReinvite(message, from)
    } else {
      this.respond(message, 200, { call, from })
    }
  }
}

/* What a called party does, by the ending of its number; the table of telephony/sim/sim.h in SIP. */
const RING_MS = 100
const ANSWER_MS = 400
const refuse = (code) => (call) => call.reject(code)
const ringThenAnswer = (ringMs, answerMs) => (call) =>
  call.after(ringMs, () => {
    call.ring()
    call.after(answerMs, () => call.answer())
  })
const answerThen = (ms, action) => (call) => {
  ringThenAnswer(RING_MS, ANSWER_MS)(call)
  call.once('up', () => call.after(ms, () => action(call)))
}

export const BEHAVIOURS = {
  486: refuse(486),
  404: refuse(404),
  603: refuse(603),
  503: refuse(503),
  500: refuse(500),
  480: (call) => {
    call.ring()
    call.after(1000, () => call.reject(480))
  },
  408: (call) => call.ring(),
  999: () => {},
  183: (call) => {
    call.early()
    call.after(1000, () => call.answer())
  },
  777: (call) => call.answer(),
  199: answerThen(1000, (call) => call.hangup()),
  555: ringThenAnswer(1000, 2000),
  242: answerThen(200, (call) => call.press('42#')),
}

/* Far enough from each other, from ringback (440 and 480 Hz) and from the tones of asterisk.mjs. */
export const STATION_TONES = [510, 610, 710, 810]
export const PARTY_TONES = [1010, 1130, 1250, 1370, 1490, 1610, 1730, 1850, 1970, 2090]

/* The world outside: numbers behave by their ending, or by a script; every number has a tone of its own. */
export class Carrier extends Phone {
  constructor({ sipPort, port }) {
    super({ user: 'carrier', sipPort, port })
    this.toneOf = new Map()
    this.scripts = new Map()
    this.on('call', (call) => this.behave(call))
  }

  /* The number whose owner is at this end of the call. */
  partyOf(call) {
    return call.isInbound ? call.number : call.party
  }

  hzFor(call) {
    const party = this.partyOf(call) ?? this.calling
    if (!this.toneOf.has(party)) this.toneOf.set(party, PARTY_TONES[this.toneOf.size % PARTY_TONES.length])
    return this.toneOf.get(party)
  }

  /* From now on a call to this number is handled by script(call). */
  script(number, script) {
    this.scripts.set(number, script)
  }

  behave(call) {
    const ordinary = ringThenAnswer(RING_MS, ANSWER_MS)
    const script = this.scripts.get(call.number) ?? BEHAVIOURS[call.number.slice(-3)] ?? ordinary
    script(call)
  }

  isIgnored(message) {
    const number = decodeURIComponent(/^sip:([^@;]+)@/.exec(message.uri ?? '')?.[1] ?? '')
    return number.endsWith('999') && !this.scripts.has(number)
  }

  /* from dials dnis through the trunk. */
  async callIn(from, dnis, options = {}) {
    this.calling = from
    const call = await this.call(dnis, { ...options, from })
    call.party = from
    return call
  }
}
