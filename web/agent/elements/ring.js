import { Piece, setAttribute, setText } from './piece.js'

/* Two clocks never agree quite: 15 seconds do not begin with a 16. */
const CLOCK_DOUBT_MS = 200

/* A countdown: seconds and the part of the circle that is left. */
class Ring extends Piece {
  /**
   * @param {number | null} leftMs null = stopped
   * @param {string} key of what is counted down; its longest time is the whole circle
   */
  update(leftMs, key) {
    const { front, seconds, unit } = this.parts
    if (key !== this.key) Object.assign(this, { key, wholeMs: 1 })
    const left = Math.max(0, leftMs ?? 0)
    this.wholeMs = Math.max(this.wholeMs, left)
    setAttribute(front, 'stroke-dashoffset', String(leftMs === null ? 100 : Math.round(100 - (100 * left) / this.wholeMs)))
    setText(seconds, leftMs === null ? '–' : String(Math.max(0, Math.ceil((left - CLOCK_DOUBT_MS) / 1000))))
    setText(unit, leftMs === null ? 'paused' : 's')
    setAttribute(this, 'data-low', leftMs !== null && left < 5000 ? '' : null)
  }
}
customElements.define('ct-ring', Ring)
