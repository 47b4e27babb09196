import { mayOf } from '../format.js'
import { Piece, setDisabled } from './piece.js'

/* Buttons of which each is one command, enabled while the gateway would accept it. */
class Commands extends Piece {
  /** @param {{selected: any}} view */
  update({ selected }) {
    const may = mayOf(selected)
    for (const button of this.querySelectorAll('[data-command]')) setDisabled(button, !may(button.dataset.command))
  }
}

/* A caller waits for an answer. */
customElements.define('ct-incoming', class extends Commands {})
/* The other side rings. */
customElements.define('ct-ringing', class extends Commands {})
