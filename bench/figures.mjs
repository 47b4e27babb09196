/* What was measured, on record and as a table. Figures go to var/bench-results.jsonl (or CALLTAB_RESULTS). */
import { join } from 'node:path'
import { record, root } from '../tests/support/results.mjs'

const recorded = []

/* target: the most it may be; null = only for information */
export function figure(test, { n, figure: value, unit, target = null, digits = 2 }) {
  const rounded = Number(value.toFixed(digits))
  const pass = target === null || rounded <= target
  record({ test, n, figure: rounded, unit, target, pass }, process.env.CALLTAB_RESULTS || join(root, 'var', 'bench-results.jsonl'))
  recorded.push({ test, figure: rounded, unit, target, pass })
}

export function printTable() {
  const rows = recorded.map(({ test, figure: value, unit, target, pass }) => [
    test, `${value} ${unit}`, target === null ? '' : `${target} ${unit}`, target === null ? '' : pass ? 'pass' : 'miss',
  ])
  rows.unshift(['figure', 'measured', 'at most', ''])
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
