import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { record } from './results.mjs'

const folder = mkdtempSync(join(tmpdir(), 'calltab-results-'))
const file = join(folder, 'var', 'results.jsonl')
after(() => rmSync(folder, { recursive: true }))

test('a figure is one JSON line with all fields', () => {
  record({ test: 'call.sim.M1', n: 1, figure: 15, unit: 'names', target: 15, pass: true }, file)
  record({ test: 'call.asterisk.M7', seed: 4, pass: false }, file)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))
  assert.equal(lines.length, 2)
  for (const line of lines) {
    assert.deepEqual(Object.keys(line), ['test', 'n', 'seed', 'figure', 'unit', 'target', 'pass', 'commit', 'at'])
    assert.match(line.commit, /^([0-9a-f]{40}\+?|unknown)$/)
  }
  assert.equal(lines[0].figure, 15)
  assert.equal(lines[1].seed, 4)
})

test('a name without a dot and a pass that is no boolean are refused', () => {
  assert.throws(() => record({ test: 'M1', pass: true }, file), /not a dotted name/)
  assert.throws(() => record({ test: 'call.sim.M1', pass: 1 }, file), /true or false/)
})
