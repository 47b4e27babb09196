/* What the documents say about the tree is true: links lead somewhere, named files exist, the map names every page. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { read, root, sources } from './tree.mjs'

const documents = sources(/\.md$/)

/* Headings as the anchors that renderers make of them. */
function anchors(text) {
  const plain = text.replace(/^```[^]*?^```/gm, '')
  return [...plain.matchAll(/^#+ +(.*)$/gm)].map((match) =>
    match[1].toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-'),
  )
}

test('every link inside the tree leads somewhere', () => {
  const broken = documents.flatMap((path) => {
    const text = read(path)
    const plain = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
    return [...plain.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
      if (/^[a-z]+:/.test(target)) return []
      const [file, anchor] = target.split('#')
      const found = file ? normalize(join(dirname(path), file)) : path
      if (!existsSync(join(root, found))) return [`${path}: ${target}`]
      if (anchor && !anchors(read(found)).includes(anchor)) return [`${path}: ${target} (no such heading)`]
      return []
    })
  })
  assert.deepEqual(broken, [])
})

test('every file that a document names in code quotes exists', () => {
  // only what looks like a path of ours: a folder of the tree, a slash, a name with an ending
  const folders = new Set(sources(/\//).map((path) => path.split('/')[0]))
  const missing = documents.flatMap((path) =>
    [...read(path).matchAll(/`([\w.-]+\/[\w./-]+\.(?:c|h|m?js|md|sql|ini|service|build|html|css))`/g)]
      .map((match) => match[1])
      .filter((name) => folders.has(name.split('/')[0]) && !/NNN|YYYY/.test(name) && !/^(web\/dist)\//.test(name))
      .filter((name) => !existsSync(join(root, name)))
      .map((name) => `${path}: ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('the map in README.md leads to every page of docs', () => {
  const map = read('README.md')
  const pages = documents.filter((path) => /^docs\/[^/]+\.md$/.test(path))
  assert.deepEqual(pages.filter((path) => !map.includes(`(${path})`)), [])
})

test('decisions are numbered without a hole and have the four parts', () => {
  const decisions = documents.filter((path) => /^docs\/decisions\/\d{3}-[a-z0-9-]+\.md$/.test(path))
  assert.deepEqual(decisions.map((path) => Number(/(\d{3})-/.exec(path)[1])), decisions.map((_, i) => i + 1))
  const incomplete = decisions.filter((path) => !['Context', 'Options', 'Figures', 'Choice'].every((part) => read(path).includes(`\n## ${part}\n`)))
  assert.deepEqual(incomplete, [])
})

test('the architecture names every room', () => {
  const rooms = [...new Set(sources(/^\w+\/.*\.[ch]$/).map((path) => path.split('/')[0]))].filter((room) => !['tests', 'bench'].includes(room))
  const text = read('docs/architecture.md')
  assert.deepEqual(rooms.filter((room) => !text.includes(`\`${room}/\``)), [])
})
