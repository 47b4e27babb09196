/* Every hardening flag of the release build is seen on the binary, not only in meson.build. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../support/results.mjs'

const binary = process.env.CALLTAB_RELEASED ?? join(root, 'build-run', 'server', 'calltab')
const read = (...args) => execFileSync('readelf', ['--wide', ...args, binary], { encoding: 'utf8', maxBuffer: 1 << 26 })

test('there is a release build', () => assert.ok(existsSync(binary), binary))

test('it runs anywhere in memory (PIE)', () => assert.match(read('--file-header'), /Type:\s+DYN/))

test('its tables are read-only once it runs (full RELRO)', () => {
  assert.match(read('--program-headers'), /GNU_RELRO/)
  assert.match(read('--dynamic'), /BIND_NOW|FLAGS.*\bNOW\b/)
})

test('its stack is not executable and no segment is writable and executable', () => {
  const segments = read('--program-headers').split('\n')
  assert.match(segments.find((line) => line.includes('GNU_STACK')), / RW +0x/)
  assert.deepEqual(segments.filter((line) => /^ +LOAD.* RWE /.test(line)), [])
})

test('overwritten stacks are noticed', () => assert.match(read('--symbols'), /__stack_chk_fail/))

test('copies are checked where the compiler knows the size (FORTIFY)', () => {
  const checked = new Set([...read('--symbols').matchAll(/\b__(\w+)_chk\b/g)].map((match) => match[1]))
  assert.ok(checked.size >= 3, [...checked].join(' '))
})

// The note that would switch it on in the kernel is missing: Debian's own start files do not carry it.
test('places to jump to are marked (cf-protection)', { skip: process.arch !== 'x64' && 'an x86-64 feature' }, () => {
  const text = execFileSync('objdump', ['--disassemble=main', '--no-show-raw-insn', binary], { encoding: 'utf8' })
  assert.match(text, /<main>:\n.*endbr64/)
})

test('it looks for libraries in the system only, and its text stays as it is', () => {
  assert.doesNotMatch(read('--dynamic'), /RPATH|RUNPATH|TEXTREL/)
})

test('it names no folder of the machine that built it', () => {
  const text = execFileSync('strings', [binary], { encoding: 'latin1', maxBuffer: 1 << 28 })
  assert.deepEqual(text.split('\n').filter((line) => line.includes(root)), [])
})
