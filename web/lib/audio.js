/* The agent's own audio in this page: microphone and sound over a WebSocket of its own (docs/protocol.md, "Audio"), for agents
 * whose audio is `ws`. One window of an agent has it; another may take it over.
 *
 *   import { TabAudio } from '<gateway>/lib/audio.js'
 *   const audio = new TabAudio({ getTicket, changed: () => show(audio.state, audio.level) })
 *   await audio.open()                 // asks for the microphone, then connects; a lost connection comes back by itself
 *   await audio.open({ take: true })   // takes it over from another window
 *   audio.close()
 *
 * state: 'off', 'asking' for the microphone, 'connecting', 'on', 'elsewhere' (in another window), 'refused' (no microphone:
 * `problem` says why), 'ended' (the gateway does not want it: `problem`). */
import { backOffMs, CLOSE } from './manners.js'

export const AUDIO_PROTOCOL = 'calltab.audio.v1'
const FRAME_BYTES = 640
const WAITING_MOST = 10 * FRAME_BYTES // sound that waits longer to be sent is late
const BACK_OFF = { firstMs: 200, longestMs: 5000 }
const STABLE_AFTER_MS = 5000
const KEY = 'calltab.window'
const WISHES = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 }
/* What a person can do about it. */
const PROBLEMS = {
  NotAllowedError: 'the browser may not use the microphone: allow it for this page',
  NotFoundError: 'there is no microphone: plug one in',
  NotReadableError: 'the microphone is used by another program',
}

export class TabAudio {
  /**
   * @param {object} options
   * @param {() => Promise<string> | string} options.getTicket a fresh ticket for every connection
   * @param {() => void} [options.changed] state or level have changed
   * @param {string} [options.url] of the gateway's /audio; default: where this file came from
   * @param {string} [options.window] this window's name, 1 to 16 of A-Z a-z 0-9 _ -; default: one that a reload keeps
   */
  constructor({ getTicket, changed = () => {}, url = urlHere(), window = windowName() }) {
    this.getTicket = getTicket
    this.changed = changed
    this.url = url
    this.window = window
    this.state = 'off'
    this.problem = ''
    /** the microphone's, 0 to 1 */
    this.level = 0
    this.sent = 0
    this.received = 0
    this.late = 0
    /** of what came too late to be played, and how often there was nothing to play */
    this.figures = { dropped: 0, pauses: 0 }
    /** @type {WebSocket | null} */
    this.socket = null
    /** @type {{context: AudioContext, node: AudioWorkletNode, stream: MediaStream} | null} */
    this.sound = null
    this.turn = 0
    this.attempt = 0
    /** @type {any} */
    this.retryTimer = null
    this.leave = () => this.drop()
    this.comeBack = (/** @type {any} */ event) => event.persisted && this.state !== 'off' && this.open()
    this.wake = () => this.sound && this.sound.context.state === 'suspended' && this.sound.context.resume()
  }

  /** @param {{take?: boolean}} [how] */
  async open({ take = false } = {}) {
    const turn = this.begin()
    try {
      if (!this.sound) this.sound = await this.start(turn)
    } catch (error) {
      if (turn === this.turn) this.end('refused', problemOf(error))
      return
    }
    if (turn === this.turn) await this.connect(turn, take)
  }

  close() {
    this.end('off')
  }

  /* --- the sound --- */

  /** @private */
  begin() {
    this.drop()
    this.listen(true)
    this.say(this.sound ? 'connecting' : 'asking')
    return this.turn
  }

  /** @private @param {number} turn */
  async start(turn) {
    if (!navigator.mediaDevices) throw new Error('pages get a microphone over https only')
    const stream = await navigator.mediaDevices.getUserMedia({ audio: WISHES })
    const context = new AudioContext({ latencyHint: 'interactive' })
    try {
      await context.audioWorklet.addModule(new URL('./audio_worklet.js', import.meta.url).href)
      const node = new AudioWorkletNode(context, 'calltab-audio', { outputChannelCount: [1] })
      node.port.onmessage = ({ data }) => (data instanceof ArrayBuffer ? this.send(data) : this.measured(data))
      context.createMediaStreamSource(stream).connect(node)
      node.connect(context.destination)
      context.resume()
      if (turn !== this.turn) throw new Error('closed meanwhile')
      return { context, node, stream }
    } catch (error) {
      stop(stream, context)
      throw error
    }
  }

  /** @private @param {ArrayBuffer} frame */
  send(frame) {
    const { socket } = this
    if (!socket || socket.readyState !== 1) return
    if (socket.bufferedAmount > WAITING_MOST) {
      this.late += 1
      return
    }
    socket.send(frame)
    this.sent += 1
  }

  /** @private @param {{level: number, dropped: number, pauses: number}} figures */
  measured({ level, ...figures }) {
    this.figures = figures
    this.level = level
    this.changed()
  }

  /* --- the connection --- */

  /** @private @param {number} turn @param {boolean} take */
  async connect(turn, take) {
    this.say('connecting')
    try {
      const ticket = await this.getTicket()
      if (turn === this.turn) this.openSocket(ticket, take)
    } catch (error) {
      if (turn !== this.turn) return
      const { status, message } = /** @type {any} */ (error)
      if (status === 401 || status === 403) this.end('ended', message)
      else this.retry()
    }
  }

  /** @private @param {string} ticket @param {boolean} take */
  openSocket(ticket, take) {
    const list = [AUDIO_PROTOCOL, `ticket.${ticket}`, `window.${this.window}`, ...(take ? ['take'] : [])]
    const socket = new WebSocket(this.url, list)
    let openedAt = Infinity
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      openedAt = Date.now()
      if (socket === this.socket) this.say('on')
    }
    socket.onmessage = ({ data }) => socket === this.socket && this.heard(data)
    socket.onclose = (event) => {
      if (Date.now() - openedAt > STABLE_AFTER_MS) this.attempt = 0
      if (socket === this.socket) this.lost(event)
    }
    this.socket = socket
  }

  /** @private @param {ArrayBuffer} frame */
  heard(frame) {
    if (!this.sound) return
    this.received += 1
    this.sound.node.port.postMessage(frame, [frame])
  }

  /** @private @param {CloseEvent} event */
  lost({ code, reason }) {
    this.socket = null
    if (code === CLOSE.replaced) this.end('elsewhere')
    else if (code === CLOSE.notAllowed || reason === 'session ended') this.end('ended', reason)
    else this.retry()
  }

  /** @private */
  retry() {
    const { attempt, turn } = this
    this.attempt += 1
    this.say('connecting')
    const delayMs = backOffMs({ attempt, random: Math.random, isHidden: false, backOff: BACK_OFF })
    this.retryTimer = setTimeout(() => this.connect(turn, false), delayMs)
  }

  /** The connection, not the sound. @private */
  drop() {
    const { socket } = this
    this.turn += 1
    this.socket = null
    clearTimeout(this.retryTimer)
    if (socket) socket.close(1000)
  }

  /** @private @param {string} state @param {string} [problem] */
  end(state, problem = '') {
    this.drop()
    this.listen(false)
    if (this.sound) stop(this.sound.stream, this.sound.context)
    this.sound = null
    this.attempt = 0
    this.level = 0
    this.say(state, problem)
  }

  /** A page that leaves hangs up at once; browsers that want a gesture before they play get it with the next one.
   * @private @param {boolean} isOn */
  listen(isOn) {
    const change = isOn ? 'addEventListener' : 'removeEventListener'
    window[change]('pagehide', this.leave)
    window[change]('pageshow', this.comeBack)
    for (const gesture of ['pointerdown', 'keydown']) document[change](gesture, this.wake)
  }

  /** @private @param {string} state @param {string} [problem] */
  say(state, problem = '') {
    this.state = state
    this.problem = problem
    this.changed()
  }
}

/** @param {MediaStream} stream @param {AudioContext} context */
function stop(stream, context) {
  for (const track of stream.getTracks()) track.stop()
  context.close()
}

/** @param {any} error */
function problemOf(error) {
  return PROBLEMS[/** @type {keyof typeof PROBLEMS} */ (error.name)] ?? error.message
}

function urlHere() {
  return new URL('/audio', import.meta.url).href.replace(/^http/, 'ws')
}

/** The same after a reload, another one in another window. */
function windowName() {
  const name = sessionStorage.getItem(KEY) ?? Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => (byte & 31).toString(32)).join('')
  sessionStorage.setItem(KEY, name)
  return name
}
