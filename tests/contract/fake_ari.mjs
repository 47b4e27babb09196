/* The least of Asterisk that the driver's link meets, for what a real one cannot be made to do: an old version, a
 * refused request, an event that never comes, nonsense on the socket.
 *
 *   const fake = await new FakeAri({ version: '20.1.0' }).start()
 *   fake.answer('POST bridges/m/addChannel', { status: 422, body: {...} })   // once; everything else is 200 or 204
 *   fake.tell({ type: 'StasisStart', ... })
 *   fake.requests                                                           // ['GET asterisk/info?...', ...] */
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const LISTS = ['channels', 'bridges', 'endpoints']

export class FakeAri {
  constructor({ version = '22.10.1', started = '2026-11-22T15:07:05.831+0000' } = {}) {
    Object.assign(this, { version, started })
    this.connections = 0
    this.requests = []
    this.bodies = []
    this.scripted = []
    this.channels = []
    this.bridges = []
    this.isSilent = false
  }

  async start() {
    this.http = createServer()
    this.sockets = new WebSocketServer({ server: this.http, path: '/ari/events' })
    this.sockets.on('connection', (socket) => {
      this.connections++
      this.socket = socket
      socket.on('message', (data) => this.receive(socket, JSON.parse(data)))
    })
    await new Promise((resolve) => this.http.listen(0, '127.0.0.1', resolve))
    this.port = this.http.address().port
    return this
  }

  receive(socket, request) {
    const name = `${request.method} ${request.uri}`
    this.requests.push(name)
    this.bodies.push(request.message_body ? JSON.parse(request.message_body) : null)
    if (this.isSilent) return
    const { status, body } = this.answerTo(name)
    socket.send(
      JSON.stringify({
        type: 'RESTResponse', request_id: request.request_id, status_code: status, uri: request.uri,
        ...(body === undefined ? {} : { content_type: 'application/json', message_body: JSON.stringify(body) }),
      }),
    )
  }

  answerTo(name) {
    const at = this.scripted.findIndex(({ start }) => name.startsWith(start))
    if (at >= 0) return this.scripted.splice(at, 1)[0]
    if (name.startsWith('GET asterisk/info'))
      return { status: 200, body: { system: { version: `${this.version}+dfsg-1` }, status: { startup_time: this.started } } }
    const list = LISTS.find((each) => name === `GET ${each}`)
    if (list) return { status: 200, body: this[list] ?? [] }
    return { status: 204 }
  }

  /* The next request that begins so gets this answer. */
  answer(start, { status, body }) {
    this.scripted.push({ start, status, body })
  }

  tell(event) {
    this.socket.send(typeof event === 'string' ? event : JSON.stringify(event))
  }

  /* The events by which Asterisk tells that a channel of ours is in the application. */
  stasisStart(id) {
    this.tell({ type: 'StasisStart', args: ['out'], channel: { id, state: 'Down', dialplan: { app_name: 'Stasis', app_data: 'calltab,out,' } } })
  }

  entered(id, bridge) {
    this.tell({ type: 'ChannelEnteredBridge', bridge: { id: bridge }, channel: { id } })
  }

  async stop() {
    for (const socket of this.sockets.clients) socket.terminate()
    this.sockets.close()
    await new Promise((resolve) => this.http.close(resolve))
  }
}
