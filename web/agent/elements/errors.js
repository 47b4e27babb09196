import { Piece, setText, stamp } from './piece.js'

const SHOWN_AT_MOST = 3
const SHOWN_MS = 12000

/* What was refused, in words, until it is dismissed or old. */
class Errors extends Piece {
  show(message) {
    const { element, parts } = stamp('t-error')
    setText(parts.text, message)
    const close = () => element.remove()
    parts.close.addEventListener('click', close)
    this.parts.list.append(element)
    while (this.parts.list.children.length > SHOWN_AT_MOST) this.parts.list.firstElementChild.remove()
    setTimeout(close, SHOWN_MS)
  }

  clear() {
    this.parts.list.replaceChildren()
  }
}
customElements.define('ct-errors', Errors)
