/* The agent's page: signs in, opens the call tabs and shows what the library says of them. It has no private door to the
 * gateway: everything it does on the tab channel, any page can do with the library. */
import { CallTabs } from './call_tabs.js'
import './elements/agent_state.js'
import './elements/audio.js'
import './elements/banner.js'
import './elements/call_card.js'
import './elements/dial_pad.js'
import './elements/errors.js'
import './elements/history.js'
import './elements/sign_in.js'
import './elements/tab_strip.js'
import { PHASE_WORDS, nameOf, phaseOf } from './format.js'
import { PageAudio } from './page_audio.js'
import { Session, takeLink } from './session.js'

const TICK_MS = 250

const $ = (selector) => document.querySelector(selector)
const desk = $('#desk')
const signIn = $('ct-sign-in')
const callCard = $('ct-call-card')
const dialPad = $('ct-dial-pad')
const errors = $('ct-errors')
const shown = ['ct-agent-state', 'ct-banner', 'ct-audio', 'ct-tab-strip', 'ct-call-card', 'ct-dial-pad', 'ct-history'].map($)

const session = new Session()
let tabs = null
let audio = null
let isRenderDue = false

/* --- signing in and out --- */

async function begin() {
  const link = takeLink()
  if (link !== null) return signInWith({ link })
  if (session.isOpen) openDesk()
  else showSignIn()
}

async function signInWith(proof) {
  showSignIn('', true)
  try {
    await session.open(proof)
    openDesk()
  } catch (error) {
    showSignIn(sentence(error.message))
  }
}

function showSignIn(message = '', isBusy = false) {
  closeDesk()
  signIn.hidden = false
  signIn.update({ message, isBusy })
  if (!isBusy) signIn.focusFirst()
  document.title = 'Sign in · calltab'
}

function openDesk() {
  signIn.hidden = true
  desk.hidden = false
  audio = new PageAudio(() => session.ticket(), renderSoon)
  tabs = new CallTabs(() => session.ticket(), {
    changed: renderSoon,
    entered: announce,
    refused: (error) => errors.show(sentence(error.message)),
    ended: sessionEnded,
  })
  tabs.open(1)
  render()
  dialPad.focusNumber()
}

function closeDesk() {
  desk.hidden = true
  errors.clear()
  tabs?.close()
  tabs = null
  audio?.close()
  audio = null
}

function sessionEnded() {
  session.forget()
  showSignIn('Your session has ended. Sign in again; a live call goes on.')
}

/* --- showing --- */

/** Once for many changes of the same moment. */
function renderSoon() {
  if (isRenderDue) return
  isRenderDue = true
  queueMicrotask(() => {
    isRenderDue = false
    if (tabs) render()
  })
}

function render() {
  const { list, selected, agent, outcomes, connection, notices } = tabs
  if (agent) audio.agentChanged(agent)
  const view = { tabs: list, selected, agent, audio: audio.audio, outcomes, connection, notices, now: tabs.now() }
  for (const element of shown) element.update(view)
  document.title = titleOf(list)
}

function titleOf(list) {
  const incoming = list.find((tab) => tab.call?.state === 'incoming')
  if (incoming) return `☎ ${nameOf(incoming.call)} · calltab`
  const phase = phaseOf(tabs.selected.call)
  return phase === 'free' ? 'calltab' : `${PHASE_WORDS[phase]} · calltab`
}

/** For those who hear the page: what a call has become. */
function announce({ number, call }) {
  const text = call.state === 'end' ? `Tab ${number} is free` : `${PHASE_WORDS[phaseOf(call)]}: ${nameOf(call)}, tab ${number}`
  $(call.state === 'incoming' ? '#alarm' : '#announcer').textContent = text
}

function sentence(text) {
  const trimmed = String(text).trim()
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? '' : '.')
}

/* --- what a person does --- */

/** A refused command has been told by the library's error event. */
async function run(name, ...args) {
  return tabs.command(name, args).then((result) => ({ result }), () => null)
}

async function dial(number) {
  if (!(await run('dial', number))) return
  dialPad.clear()
  callCard.focusHeading()
}

/** A consultation goes on where the new call is. */
async function command({ name, args }) {
  const done = await run(name, ...args)
  if (name === 'transferConsult' && done) {
    tabs.open(done.result.tab)
    tabs.select(done.result.tab)
  }
}

/** The outcome first: the end of a call must not overtake it. */
async function finish({ outcome, comment, at }) {
  const { selected } = tabs
  if (at && !(await run('scheduleCallback', at, outcome || undefined))) return
  if (!at && outcome && !(await run('setOutcome', outcome, comment || undefined))) return
  if (!(await tabs.command('endWrap', [], selected).then(() => true, () => false))) return
  if (selected === tabs.selected) dialPad.focusNumber()
}

const ACTIONS = {
  'ct-sign-in': (proof) => signInWith(proof),
  'ct-sign-out': async () => {
    closeDesk()
    await session.close()
    showSignIn()
  },
  'ct-command': command,
  'ct-dial': ({ number }) => dial(number),
  'ct-finish': finish,
  'ct-select': ({ number }) => tabs.select(number),
  'ct-open': () => tabs.select(tabs.openNext().number),
  'ct-offer': ({ number }) => dialPad.offer(number),
  'ct-connect-again': () => tabs.connectAgain(),
  'ct-audio': () => audio.take(),
}
for (const [type, act] of Object.entries(ACTIONS)) document.addEventListener(type, ({ detail }) => act(detail))

setInterval(() => tabs && document.visibilityState === 'visible' && render(), TICK_MS)
begin()
