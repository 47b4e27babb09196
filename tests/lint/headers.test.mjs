/* Every header compiles alone: it includes what it needs and forward-declares the rest. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { root, sources } from './tree.mjs'

const folder = mkdtempSync(join(tmpdir(), 'calltab-headers-'))
after(() => rmSync(folder, { recursive: true }))

const libraries = execFileSync('pkg-config', ['--cflags', 'libpq', 'jansson', 'libuv', 'libmicrohttpd', 'libwebsockets', 'cmocka'], { encoding: 'utf8' })
const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-x', 'c', ...libraries.trim().split(/\s+/)]

/* The compiler's complaint, "" when there is none. */
function compile(includeFolder, header) {
  const file = join(folder, 'alone.c')
  writeFileSync(file, `#include "${header}"\n#include "${header}"\nextern int nothing;\n`)
  const { error, stderr } = spawnSync('gcc', [...flags, `-I${includeFolder}`, file], { encoding: 'utf8' })
  if (error) throw error
  return stderr
}

test('every header compiles alone', () => {
  const headers = sources(/^(?!tests\/|bench\/).*\.h$/)
  assert.ok(headers.length > 10)
  const complaints = headers.map((header) => compile(root, header)).filter(Boolean)
  assert.equal(complaints.join('\n'), '')
})

test('one that needs another header first, or that is not guarded, is found', () => {
  writeFileSync(join(folder, 'needy.h'), '#pragma once\nsize_t length(void);\n')
  assert.match(compile(folder, 'needy.h'), /needy\.h:2:.*size_t/)
  writeFileSync(join(folder, 'unguarded.h'), 'struct s { int n; };\n')
  assert.match(compile(folder, 'unguarded.h'), /redefinition/)
})
