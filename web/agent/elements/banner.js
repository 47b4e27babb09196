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

/* Subjects of notices, the worst first, and what is said where the gateway gave no words. */
const NOTICES = [
  ['switch', 'bad', 'alert', 'The telephone system is away: no calls can be made.'],
  ['storage', 'warn', 'alert', 'Storage is away: what happens is shown when it is back.'],
  ['database', 'warn', 'alert', 'The database is away: calls go on, reports have to wait.'],
  ['restart', 'warn', 'link', 'The gateway restarts shortly.'],
  ['token', 'warn', 'alert', 'Your session ends soon: sign in again when you can.'],
]

function bannerOf(connection, notices, now) {
  const when = whenOf(connection, now)
  switch (connection.state) {
    case 'closed':
    case 'disconnected':
      return { kind: 'bad', text: `Not connected: ${connection.error?.message ?? 'this call tab was closed'}.`, canConnect: true }
    case 'reconnecting':
      return { kind: 'warn', icon: 'link', text: `Connection lost${when}. A live call goes on; the page catches up.` }
    case 'connecting':
      return isFirstTry(connection) ? null : { kind: 'warn', icon: 'link', text: `The gateway does not answer${when}.` }
    default:
      return noticeOf(notices)
  }
}

function noticeOf(notices) {
  const found = NOTICES.find(([subject]) => notices.has(subject))
  if (!found) return null
  const [subject, kind, icon, words] = found
  return { kind, icon, text: notices.get(subject) || words }
}

function isFirstTry({ code, reason }) {
  return code === undefined && reason === undefined
}

function whenOf({ retryAt }, now) {
  const seconds = Math.ceil((retryAt - now) / 1000)
  return seconds > 1 ? `: next try in ${seconds} s` : ', trying again'
}
