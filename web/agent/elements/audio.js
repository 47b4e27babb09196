import { Piece, setAttribute, setHidden, setIcon, setText } from './piece.js'

const TELEPHONE = {
  up: { kind: 'good', icon: 'phone', text: 'Your telephone is connected.' },
  down: { kind: 'warn', icon: 'phone', text: 'Your telephone is being called: answer it and leave it off the hook.' },
}

/* How the agent is heard, where that is not a telephone that is rung for each call. */
class Audio extends Piece {
  start() {
    this.parts.button.addEventListener('click', () => this.say('ct-audio'))
  }

  /** @param {{agent: any, audio: any}} view */
  update({ agent, audio }) {
    const { row, icon, text, meter, button } = this.parts
    const shown = agent && shownOf(agent, audio)
    setHidden(row, !shown)
    if (!shown) return
    setAttribute(row, 'data-kind', shown.kind)
    setIcon(icon, shown.icon)
    setText(text, shown.text)
    setHidden(meter, !shown.hasMeter)
    if (shown.hasMeter) meter.value = Math.round(100 * Math.min(1, audio.level * 2))
    setHidden(button, !shown.button)
    if (shown.button) setText(button, shown.button)
  }
}
customElements.define('ct-audio', Audio)

function shownOf(agent, audio) {
  if (agent.audio === 'nailed') return ['LoggedOut', 'LoggedIn'].includes(agent.state) ? null : agent.audioUp ? TELEPHONE.up : TELEPHONE.down
  return agent.audio === 'ws' ? pageOf(agent, audio) : null
}

function pageOf(agent, { state, problem }) {
  switch (state) {
    case 'on':
      return agent.audioUp
        ? { kind: 'good', icon: 'mic', text: 'Your microphone is on.', hasMeter: true }
        : { kind: 'warn', icon: 'mic', text: 'Connecting your audio …' }
    case 'asking':
      return { kind: 'warn', icon: 'mic', text: 'Allow the microphone: the browser is asking.' }
    case 'connecting':
      return { kind: 'warn', icon: 'mic', text: 'Connecting your audio …' }
    case 'elsewhere':
      return { kind: 'warn', icon: 'mic-off', text: 'Your audio is in the other window.', button: 'Take over' }
    case 'refused':
      return { kind: 'bad', icon: 'mic-off', text: `No microphone: ${problem}.`, button: 'Try again' }
    case 'ended':
      return { kind: 'bad', icon: 'mic-off', text: `Your audio has ended (${problem}).`, button: 'Connect' }
    default:
      return { kind: 'bad', icon: 'mic-off', text: 'Your audio is off.', button: 'Connect' }
  }
}
