import { PHASE_WORDS, aboutOf, durationOf, factsOf, iconOf, nameOf, phaseOf } from '../format.js'
import './command_buttons.js'
import './live.js'
import './preview.js'
import './ring.js'
import './wrap.js'
import { Piece, setAttribute, setHidden, setIcon, setList, setText } from './piece.js'

/* The call of the selected tab: who it is, how long it lasts, and what can be done with it now. */
class CallCard extends Piece {
  start() {
    this.bodies = [...this.querySelectorAll('[data-phase]')].filter((it) => it.localName.startsWith('ct-'))
  }

  /** @param {{selected: any, agent: any, tabs: any[], now: number, outcomes: readonly string[]}} view */
  update(view) {
    const { selected } = view
    const { call } = selected
    const phase = phaseOf(call)
    const hadFocus = this.contains(document.activeElement) && document.activeElement !== this
    setAttribute(this, 'aria-labelledby', `tab-${selected.number}`)
    setHidden(this.parts.card, phase === 'free')
    setHidden(this.parts.empty, phase !== 'free')
    if (phase === 'free') this.showEmpty(view)
    else this.showCall(view, phase)
    for (const body of this.bodies) {
      setHidden(body, phase === 'free' || body.dataset.phase !== call.state)
      if (!body.hidden) body.update(view)
    }
    if (hadFocus && !isShown(document.activeElement)) this.focusHeading()
  }

  showEmpty({ selected, agent }) {
    const { call, connection } = selected
    const title = connection.state === 'connected' ? 'No call on this tab' : 'Not connected'
    const isReady = agent?.state === 'Ready'
    const text = isReady ? 'You are ready: the next call is presented here.' : 'Dial a number, or set yourself ready to be given calls.'
    setText(this.parts.emptyTitle, title)
    setText(this.parts.emptyText, call?.outcome ? `Last call: ${nameOf(call)}, ${call.outcome}. ${text}` : text)
  }

  showCall({ selected, now }, phase) {
    const { call } = selected
    const { card, phase: chip, about, icon, name, number } = this.parts
    setAttribute(card, 'data-phase', phase)
    setText(chip, PHASE_WORDS[phase])
    setText(about, aboutOf(call))
    setIcon(icon, iconOf(call))
    setText(name, nameOf(call))
    setText(number, nameOf(call) === call.phone ? '' : call.phone)
    this.showTime(call, now)
    this.showFacts(call)
  }

  showTime(call, now) {
    const { ring, timer } = this.parts
    const until = call.previewUntil ?? call.wrapUntil ?? call.ringUntil
    const hasRing = until !== null || (call.paused && call.state !== 'talk')
    setHidden(ring, !hasRing)
    setHidden(timer, hasRing)
    if (hasRing) ring.update(until === null ? null : Date.parse(until) - now, `${call.callId} ${call.state}`)
    else setText(timer, durationOf(now - Date.parse(call.stateTime)))
  }

  showFacts(call) {
    const { facts, links, pop, script } = this.parts
    const list = factsOf(call)
    setHidden(facts, !list.length)
    setList(facts, list, ([name]) => name, makeFact, (element, [name, value]) => {
      setText(element.firstChild, name)
      setText(element.lastChild, value)
    })
    showLink(pop, call.popUrl)
    showLink(script, call.scriptUrl)
    setHidden(links, pop.hidden && script.hidden)
  }

  /** Where the eyes and a screen reader go when the call changes under a person's hands. */
  focusHeading() {
    const { card, name, emptyTitle } = this.parts
    const heading = card.hidden ? emptyTitle : name
    heading.focus()
  }
}
customElements.define('ct-call-card', CallCard)

function makeFact() {
  const fact = document.createElement('div')
  fact.append(document.createElement('dt'), document.createElement('dd'))
  return fact
}

/* An address from outside opens only when it is one of the web. */
function showLink(link, address) {
  const isWeb = /^https?:\/\//.test(address)
  setHidden(link, !isWeb)
  setAttribute(link, 'href', isWeb ? address : null)
}

function isShown(element) {
  return element && element !== document.body && element.getClientRects().length > 0
}
