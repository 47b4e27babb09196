import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTap } from './tap.mjs'

const outcomes = (text) => parseTap(text).map(({ name, outcome }) => `${outcome} ${name}`)

test('cmocka: flat points', () => {
  assert.deepEqual(outcomes('1..3\nok 1 - held_call_resumes\nnot ok 2 - busy\nok 3 - away # SKIP no switch\n'), [
    'pass held_call_resumes',
    'fail busy',
    'skip away',
  ])
})

test('node:test: innermost points count, with their path', () => {
  const text = `TAP version 13
# Subtest: hold
    # Subtest: twice
    ok 1 - twice
      ---
      duration_ms: 1
      ...
    # Subtest: while ringing
    not ok 2 - while ringing
      ---
      error: 'refused'
      ...
    1..2
not ok 1 - hold
  ---
  error: '1 subtest failed'
  ...
# Subtest: plain
ok 2 - plain
1..2
`
  assert.deepEqual(outcomes(text), ['pass hold > twice', 'fail hold > while ringing', 'pass plain'])
  assert.match(parseTap(text)[1].detail, /refused/)
})

test('a point that failed around good ones counts as well', () => {
  assert.deepEqual(outcomes('    ok 1 - inside\n    1..1\nnot ok 1 - the hook after it\n'), [
    'pass the hook after it > inside',
    'fail the hook after it',
  ])
})

test('what stands in a detail is no point', () => {
  const text = `not ok 1 - table
  ---
  actual: |-
    ok 7 - not a point
    ...
  more: yes
  ...
ok 2 - next
`
  assert.deepEqual(outcomes(text), ['fail table', 'pass next'])
})

test('names with a number sign and reasons of skipping', () => {
  assert.deepEqual(parseTap('ok 1 - sends 42\\#\nok 2 - sign-in # SKIP there is no browser\nok 3 - later # TODO\n'), [
    { name: 'sends 42#', outcome: 'pass', detail: '' },
    { name: 'sign-in', outcome: 'skip', detail: 'there is no browser' },
    { name: 'later', outcome: 'skip', detail: 'todo' },
  ])
})

test('a program that stops in the middle keeps what it said', () => {
  assert.deepEqual(outcomes('# Subtest: outer\n    ok 1 - one\n    not ok 2 - two\n'), ['pass one', 'fail two'])
})
