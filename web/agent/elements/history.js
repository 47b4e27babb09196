import { durationOf, iconOfPast, resultOfPast, timeOf } from '../format.js'
import { Piece, setAttribute, setHidden, setIcon, setList, setText, stamp } from './piece.js'

/* The calls this tab has had, newest first. `ct-offer {number}` puts a number into the dial pad. */
class History extends Piece {
  make(past) {
    const { element, parts } = stamp('t-past-call')
    element.parts = parts
    parts.again.addEventListener('click', () => this.say('ct-offer', { number: past.phone }))
    return element
  }

  /** @param {{selected: any}} view */
  update({ selected }) {
    const { history } = selected
    setHidden(this.parts.nothing, history.length > 0)
    setList(this.parts.list, history, (past) => past.callId, (past) => this.make(past), show)
  }
}
customElements.define('ct-history', History)

function show({ parts }, past) {
  const who = past.name || past.phone || 'unknown'
  setIcon(parts.icon, iconOfPast(past))
  setAttribute(parts.icon.parentNode, 'data-result', past.result)
  setText(parts.who, who)
  setText(parts.what, [past.name && past.phone, resultOfPast(past)].filter(Boolean).join(' · '))
  setText(parts.time, timeOf(past.startedAt))
  setText(parts.duration, past.talkMs === null ? '' : durationOf(past.talkMs))
  setAttribute(parts.again, 'aria-label', `Dial ${who} again`)
  setHidden(parts.again, !past.phone)
}
