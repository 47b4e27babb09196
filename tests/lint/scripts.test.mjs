/* Shell and JavaScript that nobody runs every day still parses. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import typescript from 'typescript'
import { read, root, sources } from './tree.mjs'

const isShell = (path) => /\.sh$/.test(path) || /^#!.*\b(ba)?sh\b/.test(read(path).slice(0, 80))
const shell = sources(/^(dev|\.ci|packaging|tests|bench|db|docs)\/|\.sh$/).filter((path) => !/\.(png|md)$|\/corpus\//.test(path) && isShell(path))
const run = (...command) => {
  const { error, status, stdout, stderr } = spawnSync(command[0], command.slice(1), { cwd: root, encoding: 'utf8' })
  if (error) throw error
  return status === 0 ? '' : `${stdout}${stderr}`
}

test('every shell script parses', () => {
  assert.ok(shell.length >= 4, shell.join(' '))
  assert.equal(shell.map((path) => run('bash', '-n', path)).join(''), '')
})

test('shellcheck finds nothing in the shell scripts', () => {
  assert.equal(run('shellcheck', '--external-sources', '--severity=warning', '--exclude=SC2010', ...shell), '')
})

test('every script that is run by name may be run', () => {
  const scripts = sources(/^(dev|\.ci)\/[\w-]+$/)
  assert.deepEqual(scripts.filter((path) => (statSync(join(root, path)).mode & 0o111) === 0), [])
})

test('every JavaScript file parses', () => {
  const faults = sources(/\.m?js$/).flatMap((path) => {
    const { parseDiagnostics } = typescript.createSourceFile(path, read(path), typescript.ScriptTarget.Latest)
    return parseDiagnostics.map(({ messageText, start }) => `${path}:${read(path).slice(0, start).split('\n').length}: ${messageText}`)
  })
  assert.deepEqual(faults, [])
})
