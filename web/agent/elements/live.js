import { mayOf, nameOf, phaseOf } from '../format.js'
import './keys.js'
import { Piece, setAttribute, setDisabled, setHidden, setIcon, setList, setText } from './piece.js'

const DIGITS = /[0-9*#]/g

/* A live call: hold, mute, digits, and the ways to another person. */
class Live extends Piece {
  start() {
    const { hold, mute, keypadToggle, transferToggle, digits, keys, transfer, blind, complete, conference } = this.parts
    hold.addEventListener('click', () => this.command(this.call.held ? 'resume' : 'hold'))
    mute.addEventListener('click', () => this.command('mute', !this.call.muted))
    this.parts.record.addEventListener('click', () => this.command(this.call.recording === 'off' ? 'startRecording' : 'stopRecording'))
    this.parts.recordPause.addEventListener('click', () => this.command(this.call.recording === 'paused' ? 'resumeRecording' : 'pauseRecording'))
    keypadToggle.addEventListener('click', () => this.toggle('keypad', 'digits'))
    transferToggle.addEventListener('click', () => this.toggle('transfer', 'target'))
    digits.addEventListener('input', () => this.typed())
    keys.addEventListener('ct-key', ({ detail }) => this.press(detail.digit))
    transfer.addEventListener('submit', (event) => {
      event.preventDefault()
      this.toTarget('transferConsult')
    })
    blind.addEventListener('click', () => this.toTarget('transferBlind'))
    complete.addEventListener('click', () => this.command('transferComplete', this.otherTab()))
    conference.addEventListener('click', () => this.command('conference', this.otherTab()))
    for (const panel of [this.parts.keypad, this.parts.transfer])
      panel.addEventListener('keydown', (event) => event.key === 'Escape' && this.closePanels(true))
  }

  /* --- panels --- */

  toggle(name, field) {
    const isOpening = this.parts[name].hidden
    this.closePanels()
    if (!isOpening) return
    this.parts[name].hidden = false
    this.parts[`${name}Toggle`].setAttribute('aria-expanded', 'true')
    this.parts[field].focus()
  }

  closePanels(focusToggle = false) {
    for (const name of ['keypad', 'transfer']) {
      const wasOpen = !this.parts[name].hidden
      this.parts[name].hidden = true
      this.parts[`${name}Toggle`].setAttribute('aria-expanded', 'false')
      if (wasOpen && focusToggle) this.parts[`${name}Toggle`].focus()
    }
  }

  /* --- digits: each is sent as it is typed; the field shows what was --- */

  typed() {
    const { digits } = this.parts
    const text = (digits.value.match(DIGITS) ?? []).join('')
    const added = text.startsWith(this.sentDigits) ? text.slice(this.sentDigits.length) : ''
    if (added) this.send(added)
    digits.value = this.sentDigits
  }

  press(digit) {
    this.send(digit)
    this.parts.digits.value = this.sentDigits
  }

  send(digits) {
    if (!this.call.can.includes('sendDTMF')) return
    this.sentDigits = (this.sentDigits + digits).slice(-32)
    this.command('sendDTMF', digits)
  }

  /* --- other people --- */

  toTarget(name) {
    const { target } = this.parts
    const number = target.value.trim()
    if (!number) return target.focus()
    this.command(name, number)
  }

  otherTab() {
    return Number(this.parts.partnerTab.value)
  }

  /** @param {{selected: any, tabs: any[]}} view */
  update({ selected, tabs }) {
    const { call } = selected
    if (call.callId !== this.call?.callId) this.begin()
    const wasHeld = this.call?.held
    this.call = call
    if (call.held && !wasHeld) this.closePanels()
    const may = mayOf(selected)
    this.showControls(call, may)
    this.showPartner(call, may, tabs.filter((tab) => tab !== selected && phaseOf(tab.call) === 'held'), tabs)
  }

  begin() {
    this.sentDigits = ''
    this.parts.digits.value = ''
    this.parts.target.value = ''
    this.closePanels()
  }

  showControls(call, may) {
    const { hold, holdIcon, holdText, mute, muteIcon, muteText, keypadToggle, transferToggle, keys, digits, consult, blind } = this.parts
    setDisabled(hold, !may(call.held ? 'resume' : 'hold'))
    setAttribute(hold, 'aria-pressed', String(call.held))
    setIcon(holdIcon, call.held ? 'play' : 'pause')
    setText(holdText, call.held ? 'Resume' : 'Hold')
    setDisabled(mute, !may('mute'))
    setAttribute(mute, 'aria-pressed', String(call.muted))
    setIcon(muteIcon, call.muted ? 'mic-off' : 'mic')
    setText(muteText, call.muted ? 'Unmute' : 'Mute')
    this.showRecording(call, may)
    setDisabled(keypadToggle, !may('sendDTMF'))
    setDisabled(digits, !may('sendDTMF'))
    keys.disabled = !may('sendDTMF')
    setDisabled(transferToggle, !may('transferBlind') && !may('transferConsult'))
    setDisabled(consult, !may('transferConsult'))
    setDisabled(blind, !may('transferBlind'))
    for (const button of this.querySelectorAll('[data-command]')) setDisabled(button, !may(button.dataset.command))
  }

  showRecording({ recording }, may) {
    const { record, recordText, recordPause, recordPauseIcon, recordPauseText } = this.parts
    setDisabled(record, !may(recording === 'off' ? 'startRecording' : 'stopRecording'))
    setText(recordText, recording === 'off' ? 'Record' : 'Stop recording')
    setHidden(recordPause, recording === 'off')
    setDisabled(recordPause, !may(recording === 'paused' ? 'resumeRecording' : 'pauseRecording'))
    setIcon(recordPauseIcon, recording === 'paused' ? 'play' : 'pause')
    setText(recordPauseText, recording === 'paused' ? 'Resume recording' : 'Pause recording')
  }

  /* What this call and a held one on another tab can become together. */
  showPartner(call, may, held, tabs) {
    const { partner, partnerText, partnerChoice, partnerTab, complete, conference, cancel, leave } = this.parts
    const own = tabs.find((tab) => tab.call && tab.number === call.partnerTab)
    setHidden(complete, !may('transferComplete') || !held.length)
    setHidden(conference, !may('conference') || !held.length)
    setHidden(cancel, !may('cancelConsult'))
    setHidden(leave, !may('leave'))
    setHidden(partner, [complete, conference, cancel, leave].every((button) => button.hidden))
    setText(partnerText, partnerWords(own, held))
    setHidden(partnerChoice, held.length < 2)
    const makeOption = ({ number }) => new Option('', String(number))
    const showOption = (option, { number, call: its }) => setText(option, `Tab ${number}: ${nameOf(its)}`)
    setList(partnerTab, held, ({ number }) => number, makeOption, showOption)
    if (this.choiceOf !== call.callId && own && held.includes(own)) partnerTab.value = String(own.number)
    this.choiceOf = call.callId
  }
}
customElements.define('ct-live', Live)

function partnerWords(own, held) {
  if (own) return `With ${nameOf(own.call)} on tab ${own.number}`
  if (held.length !== 1) return 'Calls on hold'
  const [{ number, call }] = held
  return `${nameOf(call)} is on hold on tab ${number}`
}
