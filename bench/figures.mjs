/* What was measured, on record and as a table. Figures go to var/bench-results.jsonl (or CALLTAB_RESULTS). */
import { join } from 'node:path'
import { record, root } from '../tests/support/results.mjs'

const recorded = []

/* target: the most it may be; least: the least. Neither: only for information */
export function figure(test, { n, figure: value, unit, target: most = null, least = null, digits = 2 }) {
  const rounded = Number(value.toFixed(digits))
  const target = most ?? least
  const pass = most !== null ? rounded <= most : least === null || rounded >= least
  record({ test, n, figure: rounded, unit, target, pass }, process.env.CALLTAB_RESULTS || join(root, 'var', 'bench-results.jsonl'))
  const bound = target === null ? '' : `${most === null ? 'at least' : 'at most'} ${target} ${unit}`
  recorded.push({ test, figure: rounded, unit, bound, pass })
}

export function printTable() {
  const rows = recorded.map(({ test, figure: value, unit, bound, pass }) => [
    test, `${value} ${unit}`, bound, bound === '' ? '' : pass ? 'pass' : 'miss',
  ])
  rows.unshift(['figure', 'measured', 'target', ''])
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)))
  for (const row of rows) {
    console.log(`${row[0].padEnd(widths[0])}  ${row[1].padStart(widths[1])}  ${row[2].padStart(widths[2])}  ${row[3]}`.trimEnd())
  }
}

export function progress(text) {
  process.stderr.write(`${text}\n`)
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length - 1) * share + 0.5))]
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
