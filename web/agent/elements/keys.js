import { Piece, stamp } from './piece.js'

const KEYS = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'], ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'], ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'],
  ['*', ''], ['0', '+'], ['#', ''],
]
const NAMES = { '*': 'star', '#': 'hash' }

/* The twelve keys of a telephone. `ct-key {digit}`. */
class Keys extends Piece {
  start() {
    for (const [digit, letters] of KEYS) {
      const { element, parts } = stamp('t-key')
      parts.digit.textContent = digit
      parts.letters.textContent = letters
      element.setAttribute('aria-label', NAMES[digit] ?? digit)
      element.addEventListener('click', () => this.say('ct-key', { digit }))
      this.parts.keys.append(element)
    }
  }

  set disabled(isDisabled) {
    for (const key of this.parts.keys.children) if (key.disabled !== isDisabled) key.disabled = isDisabled
  }
}
customElements.define('ct-keys', Keys)
