/* The two objects a script uses, made for one tab: `DynamicsTelephony`, the published API and nothing else, and `CallTab`, the
 * rest. And the one pair that all copies of the library on a page share. */
import { safeToIgnore } from './errors.js'
import { parseEventArgs } from './events.js'
import { EVENTS, Tab } from './tab.js'

const CONTRACT_COMMANDS = [
  'dial', 'holdresume', 'transferBlind', 'transferConsult', 'transferComplete', 'conference', 'answer', 'release', 'agentReady',
  'agentNotReady', 'playWaveFile', 'sendDTMF',
]
const OWN_COMMANDS = [
  'hold', 'resume', 'mute', 'reject', 'skip', 'pauseTimer', 'resumeTimer', 'cancelConsult', 'leave', 'setOutcome',
  'scheduleCallback', 'endWrap', 'setState', 'playWaveFile', 'startRecording', 'stopRecording', 'pauseRecording',
  'resumeRecording',
]
const PAGE = Symbol.for('calltab.page.v1')

/**
 * A tab of its own, apart from the one the page shares: for pages that show several.
 * @param {{scriptUrl?: string, joinsPageAbove?: boolean}} [options]
 */
export function makeCallTab(options = {}) {
  const tab = new Tab(options)
  return Object.freeze({ DynamicsTelephony: telephonyOf(tab), CallTab: callTabOf(tab) })
}

/**
 * The page's own tab. The first copy of the library makes it, every other one finds it: one channel, one set of handlers.
 * @param {string | undefined} scriptUrl
 * @returns {ReturnType<typeof makeCallTab>}
 */
export function sharedCallTab(scriptUrl) {
  const page = /** @type {any} */ (globalThis)
  if (!page[PAGE]) Object.defineProperty(page, PAGE, { value: makeCallTab({ scriptUrl, joinsPageAbove: true }) })
  return page[PAGE]
}

/** @param {Tab} tab */
function telephonyOf(tab) {
  return Object.freeze({
    RegisterForEvents: (/** @type {any} */ fnEventHandler) => tab.register(fnEventHandler),
    parseEventArgs,
    GetCallDetails: () => tab.call(),
    ...commandsOf(tab, CONTRACT_COMMANDS),
    playWaveFile: (/** @type {any} */ filename) => tab.command('playWaveFile', [filename]), // CallTab's takes more
  })
}

/** @param {Tab} tab */
function callTabOf(tab) {
  return Object.freeze({
    connect: (/** @type {any} */ options) => safeToIgnore(tab.connect(options)),
    disconnect: () => tab.disconnect(),
    on: (/** @type {string} */ name, /** @type {any} */ handler) => tab.handlers.add(known(name), handler),
    off: (/** @type {string} */ name, /** @type {any} */ handler) => tab.handlers.remove(known(name), handler),
    ...commandsOf(tab, OWN_COMMANDS),
    get call() {
      return tab.call()
    },
    get agent() {
      return tab.agent
    },
    get tab() {
      return tab.number
    },
    get tabs() {
      return tab.tabs
    },
    get outcomes() {
      return tab.outcomes
    },
    get state() {
      return tab.connection.state
    },
  })
}

/** @param {Tab} tab @param {string[]} methods */
function commandsOf(tab, methods) {
  return Object.fromEntries(methods.map((method) => [method, (/** @type {any[]} */ ...args) => tab.command(method, args)]))
}

/** @param {string} name */
function known(name) {
  if (!EVENTS.has(name)) throw new TypeError(`there is no event "${name}"; there are ${[...EVENTS].join(', ')}`)
  return name
}
