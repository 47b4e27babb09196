import { mayOf } from '../format.js'
import { Piece, setDisabled, setIcon, setText } from './piece.js'

/* A record is presented: dial it now, think, or pass it over. */
class Preview extends Piece {
  start() {
    this.parts.pause.addEventListener('click', () => this.command(this.isPaused ? 'resumeTimer' : 'pauseTimer'))
  }

  /** @param {{selected: any}} view */
  update({ selected }) {
    const { call } = selected
    const { pause, pauseIcon, pauseText } = this.parts
    const may = mayOf(selected)
    this.isPaused = call.paused
    for (const button of this.querySelectorAll('[data-command]')) setDisabled(button, !may(button.dataset.command))
    setDisabled(pause, !may(call.paused ? 'resumeTimer' : 'pauseTimer'))
    setIcon(pauseIcon, call.paused ? 'play' : 'pause')
    setText(pauseText, call.paused ? 'Resume' : 'Pause')
  }
}
customElements.define('ct-preview', Preview)
