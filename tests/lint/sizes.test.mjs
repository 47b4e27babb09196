/* The tail: longest functions, biggest files. Printed in every run, refused beyond the house's limits. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { read, root, sources } from './tree.mjs'

const LONGEST_FILE = 600
const LONGEST_TEST = 850 // a test file mirrors one source file, so it cannot be divided alone
const LONGEST_FUNCTION = 80
const SHOWN = 10

/* Functions that may be longer, each with the reason: it is a table or one switch and looks like it. */
const LONGER = {}

function functions(paths) {
  if (paths.length === 0) return []
  const text = execFileSync('ctags', ['--languages=C', '--kinds-C=f', '--fields=+ne', '--output-format=json', '-f', '-', ...paths], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  return text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .map(({ name, path, line, end }) => ({ name, path, line, lines: end - line + 1 }))
    .sort((a, b) => b.lines - a.lines)
}

const sizes = (paths) => paths.map((path) => ({ path, lines: read(path).split('\n').length - 1 })).sort((a, b) => b.lines - a.lines)

test('no function is longer than a table or a switch has to be', (t) => {
  const found = functions(sources(/\.[ch]$/))
  assert.ok(found.length > 100)
  for (const { name, path, line, lines } of found.slice(0, SHOWN)) t.diagnostic(`${lines} lines: ${name} ${path}:${line}`)
  const middle = found[Math.floor(found.length / 2)].lines
  t.diagnostic(`${found.length} functions, half of them at most ${middle} lines`)
  const tooLong = found.filter(({ lines, name }) => lines > LONGEST_FUNCTION && !LONGER[name])
  assert.deepEqual(tooLong, [])
})

test('no file holds more than one idea', (t) => {
  const found = sizes(sources(/\.(c|h|m?js|css|html)$|^dev\/[\w-]+$/))
  for (const { path, lines } of found.slice(0, SHOWN)) t.diagnostic(`${lines} lines: ${path}`)
  const most = (path) => (path.startsWith('tests/') ? LONGEST_TEST : LONGEST_FILE)
  assert.deepEqual(found.filter(({ path, lines }) => lines > most(path)), [])
})

test('every exception is still needed', () => {
  const long = functions(sources(/\.[ch]$/)).filter(({ lines }) => lines > LONGEST_FUNCTION).map(({ name }) => name)
  assert.deepEqual(Object.keys(LONGER).filter((name) => !long.includes(name)), [])
})
