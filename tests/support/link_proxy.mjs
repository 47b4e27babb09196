import net from 'node:net'

/* Stands between a gateway, or its driver, and Asterisk's HTTP port, so that the link can be cut, or go silent, by itself. */
export class LinkProxy {
  sockets = new Set()
  isCut = false
  attempts = 0

  async start(port) {
    this.server = net.createServer((client) => this.join(client, port))
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    this.port = this.server.address().port
    return this
  }

  join(client, port) {
    this.attempts++
    if (this.isCut) return client.destroy()
    const server = net.connect({ port, host: '127.0.0.1', noDelay: true })
    client.setNoDelay()
    for (const socket of [client, server]) {
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server).pipe(client)
  }

  cut() {
    this.isCut = true
    for (const socket of this.sockets) socket.destroy()
  }

  mend() {
    this.isCut = false
  }

  /* As when a cable is pulled: nothing moves, nothing is closed. */
  freeze() {
    for (const socket of this.sockets) {
      socket.unpipe()
      socket.pause()
    }
  }

  async stop() {
    this.cut()
    await new Promise((resolve) => this.server.close(resolve))
  }
}
