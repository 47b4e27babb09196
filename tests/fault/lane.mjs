/* Things that happen late and never overtake each other, which timers alone do not promise. */
import { performance } from 'node:perf_hooks'

export class Lane {
  #waiting = []
  #timer = null
  #due = 0

  /* Runs it after delayMs, and after everything that was put before. At once when nothing waits and there is no delay. */
  put(delayMs, run) {
    const now = performance.now()
    this.#due = Math.max(this.#due, now + delayMs)
    if (this.#waiting.length === 0 && this.#due <= now) return run()
    this.#waiting.push({ due: this.#due, run })
    this.#timer ??= setTimeout(() => this.#turn(), this.#due - now)
  }

  #turn() {
    const now = performance.now()
    while (this.#waiting.length && this.#waiting[0].due <= now + 0.5) this.#waiting.shift().run()
    this.#timer = this.#waiting.length ? setTimeout(() => this.#turn(), Math.max(0, this.#waiting[0].due - now)) : null
  }

  /* What has not happened by now never will. */
  drop() {
    clearTimeout(this.#timer)
    this.#timer = null
    this.#waiting = []
  }
}
