/* What the tree contains, for the checks in this folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/results.mjs'

export { root }

const NOT_OURS = /^(\.git|build[^/]*|var|node_modules|web\/dist)(\/|$)/

/* Paths from the top, sorted; those that match. With git: what is or would be committed. */
export function sources(pattern = /./) {
  return (existsSync(join(root, '.git')) ? fromGit() : fromDisk(''))
    .filter((path) => pattern.test(path) && existsSync(join(root, path)))
    .sort()
}

function fromGit() {
  const args = ['-c', 'safe.directory=*', '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
  return execFileSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 24 }).split('\0').filter(Boolean)
}

function fromDisk(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name
    if (NOT_OURS.test(path)) return []
    return entry.isDirectory() ? fromDisk(path) : [path]
  })
}

export function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

/* 'a.c:3' of every line that matches: [{path, line, text}] */
export function grep(paths, pattern) {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((text, i) => (pattern.test(text) ? [{ path, line: i + 1, text: text.trim() }] : [])),
  )
}

export function list(findings) {
  return findings.map(({ path, line, text }) => `${path}:${line}: ${text}`).join('\n')
}
