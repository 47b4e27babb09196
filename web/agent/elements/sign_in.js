import { Piece, setDisabled, setHidden, setText } from './piece.js'

/* Asks for login and password. Leaves as `ct-sign-in {login, password}`. */
class SignIn extends Piece {
  start() {
    const form = this.querySelector('form')
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const { login, password } = Object.fromEntries(new FormData(form))
      this.say('ct-sign-in', { login: login.trim(), password })
    })
    this.form = form
  }

  /** @param {{message: string, isBusy: boolean}} view */
  update({ message, isBusy }) {
    setText(this.parts.message, message)
    setHidden(this.parts.message, !message)
    setDisabled(this.parts.submit, isBusy)
    setText(this.parts.submit, isBusy ? 'Signing in…' : 'Sign in')
  }

  /** After a refusal the password is typed again. */
  focusFirst() {
    this.form.password.value = ''
    const first = this.form.login.value ? this.form.password : this.form.login
    first.focus()
  }
}
customElements.define('ct-sign-in', SignIn)
