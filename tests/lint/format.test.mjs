/* clang-format decides how C looks; nobody discusses. `dev/format` makes it so. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { root, sources } from './tree.mjs'

test('C looks as clang-format has it', () => {
  const { error, status, stderr } = spawnSync('clang-format', ['--dry-run', '--Werror', ...sources(/\.[ch]$/)], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (error) throw error
  const files = new Set([...stderr.matchAll(/^([^\s:]+):\d+:\d+: error:/gm)].map((match) => match[1]))
  assert.deepEqual([...files], [], 'run dev/format')
  assert.equal(status, 0, stderr)
})
