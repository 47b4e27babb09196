/* What is said while tests run and at their end. */

const SHOWN_LINES = 60 // of one failure

export class Report {
  #cases = []
  #startedAt = performance.now()

  /* One program's worth of cases {name, outcome, detail}. log: what it printed besides; shown when one of them failed. */
  add(suite, program, cases, { seconds, log = '' } = {}) {
    const all = cases.map((each) => ({ ...each, suite, program }))
    this.#cases.push(...all)
    const failed = all.filter(({ outcome }) => outcome === 'fail')
    const skipped = all.filter(({ outcome }) => outcome === 'skip')
    const took = seconds === undefined ? '' : ` ${seconds.toFixed(1)} s`
    const counts = [`${all.length}`, failed.length && `${failed.length} failed`, skipped.length && `${skipped.length} skipped`].filter(Boolean).join(', ')
    this.say(`${failed.length ? 'FAIL' : 'ok  '} ${suite}: ${program} (${counts})${took}`)
    for (const each of failed) this.#showFailure(each)
    if (failed.length && log.trim()) this.say(indent(`it also printed:\n${cut(log, SHOWN_LINES)}`))
  }

  fail(suite, program, name, detail = '', seconds) {
    this.add(suite, program, [{ name, outcome: 'fail', detail }], { seconds })
  }

  pass(suite, program, name, seconds) {
    this.add(suite, program, [{ name, outcome: 'pass', detail: '' }], { seconds })
  }

  #showFailure({ name, detail }) {
    this.say(indent(`not ok: ${name}\n${indent(cut(detail, SHOWN_LINES))}`))
  }

  say(text) {
    process.stdout.write(`${text}\n`)
  }

  /* The end: names of what failed, reasons of what was skipped, the one line. Returns the exit code. */
  finish() {
    const of = (wanted) => this.#cases.filter(({ outcome }) => outcome === wanted)
    const [passed, failed, skipped] = ['pass', 'fail', 'skip'].map(of)
    this.say('')
    for (const { suite, program, name, detail } of skipped) this.say(`skipped ${suite}: ${program}: ${name}: ${detail.trim() || 'no reason given'}`)
    for (const { suite, program, name } of failed) this.say(`failed ${suite}: ${program}: ${name}`)
    const seconds = (performance.now() - this.#startedAt) / 1000
    this.say(`${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`)
    this.say(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`)
    return failed.length || passed.length === 0 ? 1 : 0
  }
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ')
}

function cut(text, most) {
  const lines = text.trimEnd().split('\n')
  return lines.length <= most ? lines.join('\n') : [`(${lines.length - most} lines before)`, ...lines.slice(-most)].join('\n')
}
