import { PHASE_WORDS, clockOf, phaseOf, whoOf } from '../format.js'
import { Piece, setAttribute, setDisabled, setList, setText, stamp } from './piece.js'

const TABS_AT_MOST = 16

/* The agent's tabs, each with the state of its call. `ct-select {number}` and `ct-open`. */
class TabStrip extends Piece {
  start() {
    this.parts.add.addEventListener('click', () => this.say('ct-open'))
    this.parts.tabs.addEventListener('keydown', (event) => this.onKey(event))
  }

  make({ number }) {
    const { element, parts } = stamp('t-tab')
    element.parts = parts
    element.id = `tab-${number}`
    element.addEventListener('click', () => this.say('ct-select', { number }))
    return element
  }

  onKey(event) {
    const tabs = [...this.parts.tabs.children]
    const at = tabs.indexOf(document.activeElement)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    tabs[to % tabs.length].focus()
    tabs[to % tabs.length].click()
  }

  /* Where there are more tabs than fit, the selected one is not out of sight. */
  showSelected(number) {
    if (number === this.selectedNumber) return
    this.selectedNumber = number
    this.querySelector('[aria-selected=true]').scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  /** @param {{tabs: any[], selected: any, now: number}} view */
  update({ tabs, selected, now }) {
    const showTab = (element, tab) => show(element, tab, tab === selected, now)
    setList(this.parts.tabs, tabs, ({ number }) => number, (tab) => this.make(tab), showTab)
    setDisabled(this.parts.add, tabs.length >= TABS_AT_MOST)
    this.showSelected(selected.number)
  }
}
customElements.define('ct-tab-strip', TabStrip)

function show(element, { number, call, connection }, isSelected, now) {
  const { parts } = element
  const phase = phaseOf(call)
  setText(parts.number, String(number))
  setText(parts.who, phase === 'free' ? `Tab ${number}` : whoOf(call))
  setText(parts.what, connection.state === 'connected' ? PHASE_WORDS[phase] : 'Not connected')
  const clock = phase === 'free' ? '' : clockOf(call, now)
  setText(parts.clock, clock && ` · ${clock}`)
  setAttribute(element, 'data-phase', phase)
  setAttribute(element, 'aria-selected', String(isSelected))
  setAttribute(element, 'tabindex', isSelected ? '0' : '-1')
  const label = phase === 'free' ? 'free' : `${PHASE_WORDS[phase]}, ${whoOf(call)}`
  setAttribute(element, 'aria-label', `Tab ${number}: ${label}`)
}
