/* What does not belong into the tree: big or binary files, results of builds, places and hosts of one machine. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { grep, list, read, root, sources } from './tree.mjs'

const LARGEST = 200_000
const PICTURE = /^docs\/.*\.png$/
const all = sources()
const texts = all.filter((path) => !PICTURE.test(path))
const self = 'tests/lint/clean.test.mjs'

test('no file is large', () => {
  const large = all.filter((path) => statSync(join(root, path)).size > LARGEST)
  assert.deepEqual(large, [])
})

test('no file is binary, but for pictures in docs', () => {
  // inputs of parsers may hold any byte
  const binary = texts.filter((path) => !/\/corpus\//.test(path) && readFileSync(join(root, path)).includes(0))
  assert.deepEqual(binary, [])
})

test('nothing that a build makes is kept', () => {
  const made = all.filter((path) => /\.(o|a|so|d|gcda|gcno|min\.js|map|log|pid|orig|rej|swp|pyc)$|(^|\/)(core|nohup\.out|a\.out|compile_commands\.json)$/.test(path))
  assert.deepEqual(made, [])
})

test('no place and no host of one machine is named', () => {
  // the example domains and loopback are nobody's machine
  const places = /(^|[\s'`=:(]|[\s=(]")\/(work|root|home\/(?!dev\b)[a-z]\w*|Users)\/|\.\.\/shared|registry\.npmjs|\bresolved": "http/
  const paths = texts.filter((path) => path !== self && !/\/corpus\//.test(path))
  assert.equal(list(grep(paths, places)), '')
})

test('the packages of the lock file come with checksums and without hosts', () => {
  const { packages } = JSON.parse(read('package-lock.json'))
  for (const [name, { integrity, resolved }] of Object.entries(packages)) {
    if (name === '') continue
    assert.match(integrity ?? '', /^sha512-/, name)
    assert.equal(resolved, undefined, name)
  }
})

test('texts end with a newline, lines with no blank, and there are no carriage returns', () => {
  const paths = texts.filter((path) => /\.(c|h|m?js|ts|css|html|sql|md|sh|build|ini|service|json)$|^dev\//.test(path) && !/\/corpus\//.test(path))
  const faults = [
    ...grep(paths, /[ \t]$|\r/),
    ...paths.filter((path) => /[^\n]$/.test(read(path))).map((path) => ({ path, line: 0, text: 'no newline at the end' })),
  ]
  assert.equal(list(faults), '')
})

test('what should be done later has an issue', () => {
  const paths = texts.filter((path) => /\.(c|h|m?js)$|^dev\//.test(path) && path !== self)
  assert.equal(list(grep(paths, /(\/\/|\/\*|^\s*[*#]).*\b(FIXME\b|XXX\b|TODO\b(?!\(\d+\)))/)), '')
})
