/* clang-format decides how C looks; nobody discusses. `dev/format` makes it so. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { root, sources } from './tree.mjs'

test('C looks as clang-format has it', () => {
  const files = sources(/\.[ch]$/).filter((path) => {
    const { error, status } = spawnSync('clang-format', ['--dry-run', '--Werror', path], { cwd: root })
    if (error) throw error
    return status !== 0
  })
  assert.deepEqual(files, [], 'run dev/format')
})
