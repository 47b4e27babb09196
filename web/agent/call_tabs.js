/* The agent's tabs on this page: each has a connection of its own through the library. The page shows one of them at a time and
 * hears of all. */
import { createCallTab } from '../lib/index.js'
import { pastOf, phaseOf } from './format.js'

const HISTORY_AT_MOST = 50
const NOTICE = /^(\w+)\.(\w+)$/

export class CallTabs {
  /**
   * @param {() => Promise<string>} getTicket
   * @param {{changed: () => void, entered: (tab: any) => void, refused: (error: any) => void, ended: (error: any) => void}} hear
   */
  constructor(getTicket, hear) {
    this.getTicket = getTicket
    this.hear = hear
    this.list = []
    this.selected = null
    this.agent = null
    this.outcomes = []
    this.notices = new Map() // subject -> words, while it lasts
    this.clockOffsetMs = 0
  }

  /** The tab of this number; connects it when it is new to the page. */
  open(number) {
    const known = this.list.find((tab) => tab.number === number)
    if (known) return known
    const tab = { number, ...createCallTab(), call: null, connection: { state: 'connecting' }, history: [] }
    this.list = [...this.list, tab].sort((a, b) => a.number - b.number)
    this.selected ??= tab
    this.listen(tab)
    this.connect(tab)
    return tab
  }

  openNext() {
    const numbers = new Set(this.list.map((tab) => tab.number))
    let number = 1
    while (numbers.has(number)) number += 1
    return this.open(number)
  }

  select(number) {
    this.selected = this.list.find((tab) => tab.number === number) ?? this.selected
    this.hear.changed()
  }

  connect(tab) {
    tab.CallTab.connect({ tab: tab.number, getTicket: this.getTicket })
  }

  connectAgain() {
    for (const tab of this.list) if (['closed', 'disconnected'].includes(tab.CallTab.state)) this.connect(tab)
  }

  close() {
    for (const tab of this.list.splice(0)) tab.CallTab.disconnect()
    this.selected = null
  }

  /** A command of DynamicsTelephony or CallTab on the selected tab. What is refused comes back by hear.refused. */
  command(name, args, tab = this.selected) {
    const on = name in tab.DynamicsTelephony ? tab.DynamicsTelephony : tab.CallTab
    return on[name](...args)
  }

  /* --- what the library says --- */

  listen(tab) {
    const { CallTab } = tab
    CallTab.on('state', (call) => this.callChanged(tab, call, true))
    CallTab.on('update', (call) => this.callChanged(tab, call, false))
    CallTab.on('agent', (agent) => this.agentChanged(agent))
    CallTab.on('tabs', (numbers) => this.tabsChanged(numbers))
    CallTab.on('notice', (notice) => this.noticed(notice))
    CallTab.on('connection', (connection) => this.connectionChanged(tab, connection))
    CallTab.on('error', (error) => error.method && this.hear.refused(error))
  }

  callChanged(tab, call, isNewState) {
    tab.call = call
    const at = tab.history.findIndex((past) => past.callId === call.callId)
    const past = pastOf(call, tab.history[at])
    if (at >= 0) tab.history[at] = past
    else tab.history = [past, ...tab.history].slice(0, HISTORY_AT_MOST)
    if (isNewState) this.cameIn(tab)
    this.hear.changed()
  }

  /* A call that is presented shows itself, unless a person is busy with another. */
  cameIn(tab) {
    const isPresented = ['incoming', 'preview'].includes(tab.call.state)
    const isFree = phaseOf(this.selected.call) === 'free'
    if (isPresented && isFree) this.selected = tab
    this.hear.entered(tab)
  }

  agentChanged(agent) {
    this.agent = agent
    this.hear.changed()
  }

  tabsChanged(numbers) {
    for (const number of numbers) this.open(number)
    this.hear.changed()
  }

  noticed({ code, message }) {
    const [, subject, word] = NOTICE.exec(code) ?? []
    if (subject === 'recording') return this.hear.refused({ code, message })
    if (subject === 'sound') return // a moment of one call; the script that asked for it hears of it too
    if (word === 'ok') this.notices.delete(subject)
    else if (subject) this.notices.set(subject, message)
    this.hear.changed()
  }

  connectionChanged(tab, connection) {
    tab.connection = { ...connection, retryAt: this.now() + (connection.retryInMs ?? 0) }
    if (connection.state === 'connected') this.connected(tab, connection)
    if (connection.error?.code === 'session.ended') this.hear.ended(connection.error)
    this.hear.changed()
  }

  connected(tab, { clockOffsetMs }) {
    this.clockOffsetMs = clockOffsetMs
    this.outcomes = tab.CallTab.outcomes
    tab.call = tab.CallTab.call
    for (const subject of ['restart', 'token']) this.notices.delete(subject)
  }

  /** The gateway's time. */
  now() {
    return Date.now() + this.clockOffsetMs
  }

  /** The worst connection of all tabs: one that is down is worth a word even when another one is looked at. */
  get connection() {
    const order = ['closed', 'disconnected', 'reconnecting', 'connecting']
    for (const state of order) {
      const found = this.list.find((tab) => tab.connection.state === state)
      if (found) return found.connection
    }
    return { state: 'connected' }
  }
}
