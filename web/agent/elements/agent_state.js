import { AGENT_WORDS } from '../format.js'
import { Piece, setAttribute, setHidden, setText } from './piece.js'

const REASONS = ['Break', 'Lunch', 'Meeting', 'Training', 'Paperwork']
/** What the menu offers: state, reason, words. */
const CHOICES = [
  { state: 'Ready', reason: '', words: 'Ready' },
  { state: 'Away', reason: '', words: 'Away' },
  { state: 'NotReady', reason: '', words: 'Not ready' },
  ...REASONS.map((reason) => ({ state: 'NotReady', reason, words: reason })),
]

/* Who is signed in and the state he is in, with a menu to change it. */
class AgentState extends Piece {
  start() {
    const { button, menu, signOut } = this.parts
    for (const choice of CHOICES) menu.append(this.item(choice))
    button.addEventListener('click', () => this.open(menu.hidden))
    button.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') event.preventDefault(), this.open(true)
    })
    menu.addEventListener('keydown', (event) => this.onMenuKey(event))
    document.addEventListener('pointerdown', (event) => {
      if (!this.contains(event.target)) this.open(false)
    })
    this.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !this.contains(event.relatedTarget)) this.open(false)
    })
    signOut.addEventListener('click', () => this.say('ct-sign-out'))
  }

  item(choice) {
    const item = document.createElement('button')
    const dot = document.createElement('span')
    dot.className = 'dot'
    dot.dataset.state = choice.state
    item.append(dot, choice.words)
    item.setAttribute('role', 'menuitemradio')
    item.tabIndex = -1
    item.addEventListener('click', () => {
      this.open(false)
      this.parts.button.focus()
      this.choose(choice)
    })
    item.choice = choice
    return item
  }

  choose({ state, reason }) {
    if (state === 'Ready') this.command('agentReady')
    else if (state === 'NotReady') this.command('agentNotReady', reason || undefined)
    else this.command('setState', state)
  }

  open(isOpen) {
    const { button, menu } = this.parts
    if (menu.hidden !== isOpen) return
    menu.hidden = !isOpen
    button.setAttribute('aria-expanded', String(isOpen))
    if (isOpen) (menu.querySelector('[aria-checked="true"]') ?? menu.firstElementChild).focus()
  }

  onMenuKey(event) {
    const items = [...this.parts.menu.children]
    const at = items.indexOf(document.activeElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key]
    if (to !== undefined) items[to % items.length].focus()
    else if (event.key === 'Escape') this.open(false), this.parts.button.focus()
    else return
    event.preventDefault()
  }

  /** @param {{agent: any}} view */
  update({ agent }) {
    const { initials, name, extension, dot, state, next, menu } = this.parts
    if (!agent) return
    setText(initials, initialsOf(agent.name || agent.login))
    setText(name, agent.name || agent.login)
    setText(extension, agent.extension ? `ext. ${agent.extension}${agent.phoneReachable ? '' : ' · phone not reachable'}` : '')
    setAttribute(dot, 'data-state', agent.state)
    const isPending = agent.nextState !== agent.state
    setText(state, wordsOf(agent.state, isPending ? '' : agent.reason))
    setText(next, isPending ? `then ${wordsOf(agent.nextState, agent.reason).toLowerCase()}` : '')
    setHidden(next, !isPending)
    for (const item of menu.children) {
      const { choice } = item
      const isChosen = choice.state === agent.nextState && choice.reason === (agent.reason || '')
      setAttribute(item, 'aria-checked', String(isChosen))
    }
  }
}
customElements.define('ct-agent-state', AgentState)

function wordsOf(state, reason) {
  const words = AGENT_WORDS[state] ?? state
  return reason ? `${words} · ${reason}` : words
}

function initialsOf(name) {
  const words = name.trim().split(/\s+/)
  return (words.length > 1 ? words[0][0] + words[words.length - 1][0] : name.slice(0, 2)).toUpperCase()
}
