/* Figures on record: every run appends to var/test-results.jsonl, one JSON object a line (docs/testing.md). */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/* record({test: 'call.sim.M1', n: 15, figure: 15, unit: 'names', target: 15, pass: true})
 * test: a stable dotted name. n: how often it was tried. seed: of a random run, else null. figure and target in unit.
 * The line also gets the commit and the time. Returns what was written. */
export function record({ test, n = 1, seed = null, figure = null, unit = '', target = null, pass }, file = resultsFile()) {
  if (!/^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$/.test(test ?? '')) throw new Error(`"${test}" is not a dotted name`)
  if (typeof pass !== 'boolean') throw new Error(`${test}: pass must be true or false`)
  const line = { test, n, seed, figure, unit, target, pass, commit: commit(), at: new Date().toISOString() }
  mkdirSync(dirname(file), { recursive: true })
  appendFileSync(file, `${JSON.stringify(line)}\n`)
  return line
}

function resultsFile() {
  return process.env.CALLTAB_RESULTS || join(root, 'var', 'test-results.jsonl')
}

let knownCommit

function commit() {
  if (knownCommit === undefined) {
    try {
      // the checkout may belong to somebody else than the one who runs the tests
      const git = (...args) => execFileSync('git', ['-c', 'safe.directory=*', '-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
      const isDirty = git('status', '--porcelain', '--untracked-files=no') !== ''
      knownCommit = git('rev-parse', 'HEAD') + (isDirty ? '+' : '')
    } catch {
      knownCommit = 'unknown'
    }
  }
  return knownCommit
}
