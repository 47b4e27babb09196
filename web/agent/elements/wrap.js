import { mayOf } from '../format.js'
import { Piece, setAttribute, setDisabled, setHidden, setIcon, setList, setText, stamp } from './piece.js'

const COMMENT_BYTES_AT_MOST = 200 // docs/protocol.md, setOutcome

/* After the call: its outcome, a callback, and on to the next. Nothing is sent before a person says so, because each outcome
 * given is one on record. `ct-finish {outcome, comment, at}`. */
class Wrap extends Piece {
  start() {
    const { form, pause, comment } = this.parts
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.finish()
    })
    form.addEventListener('change', () => this.showNext())
    comment.addEventListener('input', () => this.measure() || comment.reportValidity())
    pause.addEventListener('click', () => this.command(this.call.paused ? 'resumeTimer' : 'pauseTimer'))
  }

  finish() {
    const { comment, when, later } = this.parts
    const outcome = this.chosen()
    const at = later.open && when.value ? new Date(when.value) : null
    const isNew = outcome !== this.call.outcome || comment.value.trim() !== ''
    this.say('ct-finish', { outcome: isNew || at ? outcome : '', comment: comment.value.trim(), at })
  }

  /** The browser tells it, and lets nothing be saved meanwhile. */
  measure() {
    const { comment } = this.parts
    const over = new TextEncoder().encode(comment.value.trim()).length - COMMENT_BYTES_AT_MOST
    const unit = over === 1 ? 'letter' : 'letters'
    comment.setCustomValidity(over > 0 ? `Too long by ${over} ${unit} (é counts as two, an emoji as four).` : '')
    return over <= 0
  }

  chosen() {
    return this.querySelector('input[name=outcome]:checked')?.value ?? ''
  }

  make(outcome) {
    const { element, parts } = stamp('t-outcome')
    setText(parts.name, outcome)
    element.querySelector('input').value = outcome
    return element
  }

  begin(call) {
    const { comment, when, later } = this.parts
    comment.value = ''
    this.measure()
    when.value = ''
    later.open = false
    this.check(call.outcome)
  }

  check(outcome) {
    for (const radio of this.querySelectorAll('input[name=outcome]')) radio.checked = radio.value === outcome
  }

  /** @param {{selected: any, outcomes: readonly string[]}} view */
  update({ selected, outcomes }) {
    const { call } = selected
    const { prompt, pause, pauseIcon, pauseText, later } = this.parts
    setList(this.parts.outcomes, this.listed(outcomes, call), String, (outcome) => this.make(outcome), () => {})
    if (call.callId !== this.call?.callId) this.begin(call)
    else if (call.outcome !== this.call.outcome) this.check(call.outcome)
    this.call = call
    const may = mayOf(selected)
    const isOverdue = call.boardState === 'Pause' && !call.can.includes('resumeTimer')
    setText(prompt, isOverdue ? 'Wrap time is over: choose an outcome to go on.' : '')
    setHidden(prompt, !isOverdue)
    setHidden(pause, isOverdue)
    setDisabled(pause, !may(call.paused ? 'resumeTimer' : 'pauseTimer'))
    setIcon(pauseIcon, call.paused ? 'play' : 'pause')
    setText(pauseText, call.paused ? 'Resume' : 'Pause')
    setHidden(later, !may('scheduleCallback'))
    this.mayFinish = may('endWrap') || may('setOutcome')
    this.showNext()
  }

  /* An outcome the system gave is not always one of the list. */
  listed(outcomes, call) {
    return call.outcome && !outcomes.includes(call.outcome) ? [call.outcome, ...outcomes] : outcomes
  }

  showNext() {
    const { next, nextText } = this.parts
    const outcome = this.chosen()
    setDisabled(next, !this.mayFinish)
    setText(nextText, outcome ? 'Save and next' : 'Next without outcome')
    setAttribute(next, 'data-plain', outcome ? null : '')
  }
}
customElements.define('ct-wrap', Wrap)
