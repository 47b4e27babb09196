/* The requests of ARI that telephony/ari sends, on SwitchState: one table from method and path to what is done. An answer
 * is {status, body?}; refusals have the texts and numbers that Asterisk 22 gives. */
import { NORMAL } from './switch_state.mjs'

export const BODY_MAX = 40_960
const REASONS = { normal: NORMAL, busy: 17, congestion: 34, no_answer: 19 }

const done = { status: 204 }
const ok = (body) => ({ status: 200, body })
const refuse = (status, message) => ({ status, body: { message } })
const NO_CHANNEL = refuse(404, 'Channel not found')
const NO_BRIDGE = refuse(404, 'Bridge not found')

/* [method, path with :parts, (state, parts, parameters) => answer] */
const ROUTES = [
  ['GET', 'asterisk/ping', () => ok({ ping: 'pong' })],
  ['GET', 'asterisk/info', (state) => ok({ system: { version: '22.10.1' }, status: { startup_time: state.started.toISOString().replace('Z', '+0000') } })],
  ['PUT', 'applications/:app/eventFilter', (state) => ok({ name: state.app })],
  ['POST', 'applications/:app/subscription', (state) => ok({ name: state.app })],
  ['GET', 'channels', (state) => ok([...state.channels.values()].map((channel) => state.describe(channel)))],
  ['GET', 'bridges', (state) => ok([...state.bridges.values()].map((bridge) => state.describeBridge(bridge)))],
  ['GET', 'endpoints', (state) => ok([...state.stations.keys()].map((name) => state.describeStation(name)))],
  ['POST', 'channels/create', create],
  ['POST', 'channels/:channel/dial', onChannel(dial)],
  ['POST', 'channels/:channel/ring', onChannel((state, channel) => (state.ringBack(channel), done))],
  ['POST', 'channels/:channel/answer', onChannel(answer)],
  ['POST', 'channels/:channel/dtmf', onChannel((state, channel, { dtmf }) => (state.sendDigits(channel, dtmf), done))],
  ['POST', 'channels/:channel/mute', onChannel((state, channel, { direction }) => (state.mute(channel, direction, true), done))],
  ['DELETE', 'channels/:channel/mute', onChannel((state, channel, { direction }) => (state.mute(channel, direction, false), done))],
  ['GET', 'channels/:channel', onChannel((state, channel) => ok(state.describe(channel)))],
  ['DELETE', 'channels/:channel', onChannel(hangup)],
  ['POST', 'channels/:channel', originate],
  ['POST', 'bridges/:bridge/addChannel', onBridge((state, bridge, parameters) => move(state, bridge, parameters, true))],
  ['POST', 'bridges/:bridge/removeChannel', onBridge((state, bridge, parameters) => move(state, bridge, parameters, false))],
  ['POST', 'bridges/:bridge/moh', onBridge((state, bridge) => (state.music(bridge, true), done))],
  ['DELETE', 'bridges/:bridge/moh', onBridge((state, bridge) => (state.music(bridge, false) ? done : refuse(409, 'Bridge is not playing music')))],
  ['POST', 'bridges/:bridge/play/:play', onBridge((state, bridge, { media }, { play }) => (state.play(bridge, play, media), { status: 201, body: { id: play } }))],
  ['GET', 'playbacks/:play', (state, { play }) => (state.plays.has(play) ? ok({ id: play }) : refuse(404, 'Playback not found'))],
  ['DELETE', 'playbacks/:play', (state, { play }) => (state.endPlay(play) ? done : refuse(404, 'Playback not found'))],
  ['POST', 'bridges/:bridge', (state, { bridge }, { type, name = '' }) => plain(state.makeBridge({ id: bridge, type, name }))],
  ['DELETE', 'bridges/:bridge', onBridge((state, bridge) => (state.freeBridge(bridge), done))],
].map(([method, path, handle]) => ({ method, pattern: patternOf(path), handle }))

function patternOf(path) {
  return new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
}

/* What the request `{method, uri, message_body}` comes to. */
export function answerRequest(state, { method, uri, message_body: text }) {
  if (text !== undefined && typeof text !== 'string') text = undefined // ignored, as Asterisk does
  if (text && Buffer.byteLength(text) > BODY_MAX) return refuse(413, 'Request body too large')
  const [path, query = ''] = uri.split('?')
  let parameters
  try {
    parameters = { ...Object.fromEntries(new URLSearchParams(query)), ...(text ? JSON.parse(text) : {}) }
  } catch {
    return refuse(400, 'Invalid parameters')
  }
  let isKnown = false
  for (const { method: wanted, pattern, handle } of ROUTES) {
    const found = pattern.exec(path)
    if (!found) continue
    isKnown = true
    if (wanted === method) return handle(state, mapped(found.groups), parameters)
  }
  return isKnown ? refuse(405, 'Method not allowed') : refuse(404, 'Resource not found')
}

const mapped = (groups = {}) => Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]))
const plain = ({ status, error, body }) => ({ status, body: error ? { error } : body })

function onChannel(handle) {
  return (state, parts, parameters) => {
    const channel = state.channels.get(parts.channel)
    return channel ? handle(state, channel, parameters, parts) : NO_CHANNEL
  }
}

function onBridge(handle) {
  return (state, parts, parameters) => {
    const bridge = state.bridges.get(parts.bridge)
    return bridge ? handle(state, bridge, parameters, parts) : NO_BRIDGE
  }
}

/* --- channels --- */

function create(state, _, { channelId, endpoint, appArgs = '', variables = {} }) {
  if (!endpoint || !/^\w+\/./.test(endpoint)) return refuse(400, 'Invalid endpoint specified')
  const autoAnswer = Object.keys(variables).some((name) => name.includes('Call-Info'))
  return plain(state.create({ id: channelId, endpoint, appArgs, autoAnswer }))
}

function originate(state, { channel }, parameters) {
  const made = create(state, {}, { ...parameters, channelId: channel })
  if (made.status === 200) state.dial(state.channels.get(channel), Number(parameters.timeout ?? 30))
  return made
}

function dial(state, channel, { timeout = 0 }) {
  if (channel.state !== 'Down' || channel.ending) return refuse(409, 'Channel not in proper state')
  state.dial(channel, Number(timeout))
  return done
}

function answer(state, channel) {
  if (channel.ending) return refuse(409, 'Channel is hanging up')
  if (!channel.isInbound) return refuse(412, 'Channel in invalid state')
  state.answerCaller(channel)
  return done
}

function hangup(state, channel, { reason_code: code, reason = 'normal' }) {
  state.hangupOurs(channel, code ? Number(code) : (REASONS[reason] ?? NORMAL))
  return done
}

/* --- bridges --- */

function move(state, bridge, { channel: ids = '' }, isIn) {
  for (const id of Array.isArray(ids) ? ids : ids.split(',')) {
    const channel = state.channels.get(id)
    if (!channel) return refuse(400, 'Channel not found')
    if (!channel.isInStasis) return refuse(422, 'Channel not in Stasis application')
    if (channel.ending) return refuse(409, 'Channel is hanging up')
    if (isIn) state.add(bridge, channel)
    else if (!state.remove(bridge, channel)) return refuse(422, 'Channel not in this bridge')
  }
  return done
}
