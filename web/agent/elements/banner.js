import { Piece, setAttribute, setHidden, setIcon, setText } from './piece.js'

/* The state of the connection and what the gateway says about itself. Quiet while all is well. */
class Banner extends Piece {
  start() {
    this.parts.again.addEventListener('click', () => this.say('ct-connect-again'))
  }

  /** @param {{connection: any, notices: Map<string, string>, now: number}} view */
  update({ connection, notices, now }) {
    const { banner, icon, text, again } = this.parts
    const shown = bannerOf(connection, notices, now)
    setHidden(banner, !shown)
    setHidden(again, !shown?.canConnect)
    if (!shown) return
    setAttribute(banner, 'data-kind', shown.kind)
    setIcon(icon, shown.kind === 'bad' ? 'alert' : shown.icon)
    setText(text, shown.text)
  }
}
customElements.define('ct-banner', Banner)

/* The worst first. */
function bannerOf(connection, notices, now) {
  switch (connection.state) {
    case 'closed':
    case 'disconnected':
      return { kind: 'bad', text: `Not connected: ${connection.error?.message ?? 'this call tab was closed'}.`, canConnect: true }
    case 'reconnecting':
      return { kind: 'warn', icon: 'link', text: `Connection lost${whenOf(connection, now)}. A live call goes on; the page catches up.` }
    case 'connecting':
      return connection.code || connection.reason ? { kind: 'warn', icon: 'link', text: `The gateway does not answer${whenOf(connection, now)}.` } : null
  }
  if (notices.has('switch')) return { kind: 'bad', text: notices.get('switch') || 'The telephone system is away: no calls can be made.' }
  if (notices.has('storage')) return { kind: 'warn', icon: 'alert', text: notices.get('storage') || 'Calls are kept, but the database is away.' }
  if (notices.has('restart')) return { kind: 'warn', icon: 'link', text: notices.get('restart') || 'The gateway restarts shortly.' }
  if (notices.has('token')) return { kind: 'warn', icon: 'alert', text: notices.get('token') || 'Your session ends soon: sign in again when you can.' }
  return null
}

function whenOf({ retryAt }, now) {
  const seconds = Math.ceil((retryAt - now) / 1000)
  return seconds > 1 ? `: next try in ${seconds} s` : ', trying again'
}
