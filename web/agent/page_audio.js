/* The agent's audio as this page has it: opened by itself where it is in a page and no other window has it. */
import { TabAudio } from '../lib/audio.js'

export class PageAudio {
  /** @param {() => Promise<string>} getTicket @param {() => void} changed */
  constructor(getTicket, changed) {
    this.audio = new TabAudio({ getTicket, changed })
    this.isDecided = false
  }

  /** @param {any} agent */
  agentChanged({ audio: mode, audioWindow }) {
    const isHere = mode === 'ws'
    if (isHere && !this.isDecided) this.begin(audioWindow)
    else if (isHere && audioWindow === '' && this.audio.state === 'elsewhere') this.audio.open() // the other one has gone
    if (!isHere && this.isDecided) this.close()
    this.isDecided = isHere
  }

  /** @private @param {string} holder */
  begin(holder) {
    if (holder === '' || holder === this.audio.window) this.audio.open()
    else this.audio.end('elsewhere')
  }

  take() {
    this.audio.open({ take: true })
  }

  close() {
    this.audio.close()
  }
}
