import { Piece, setDisabled } from './piece.js'

/* A number and the way to dial it on the selected tab. */
class DialPad extends Piece {
  start() {
    const { form, number, back, keys } = this.parts
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const text = number.value.trim()
      if (text && this.mayDial) this.say('ct-dial', { number: text })
      else number.focus()
    })
    number.addEventListener('input', () => this.showButtons())
    keys.addEventListener('ct-key', ({ detail }) => this.put(number.value + detail.digit))
    back.addEventListener('click', () => {
      this.put(number.value.slice(0, -1))
      if (!number.value) number.focus()
    })
  }

  put(text) {
    const { number } = this.parts
    number.value = text.slice(0, number.maxLength)
    this.showButtons()
  }

  /** From the history: the number stands there, a person decides. */
  offer(text) {
    this.put(text)
    this.parts.number.focus()
  }

  clear() {
    this.put('')
  }

  focusNumber() {
    this.parts.number.focus()
  }

  showButtons() {
    const { number, dial, back } = this.parts
    setDisabled(dial, !this.mayDial || !number.value.trim())
    setDisabled(back, !number.value)
  }

  /** @param {{selected: any}} view */
  update({ selected }) {
    const { call, connection } = selected
    const isFree = !call || (call.state !== 'preview' && call.can.includes('dial'))
    this.mayDial = connection.state === 'connected' && isFree
    this.toggleAttribute('data-quiet', !isFree)
    this.showButtons()
  }
}
customElements.define('ct-dial-pad', DialPad)
