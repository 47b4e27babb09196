/* Reads what a test program printed in the Test Anything Protocol, nested as node:test nests it. */

/* A list of cases {name, outcome: 'pass' | 'fail' | 'skip', detail}: the innermost ones, named by their whole path. A
 * point with points inside counts itself only when it failed and none of them did: then something around them broke. */
export function parseTap(text) {
  const pending = [] // by indent: points whose parent has not come yet
  let yaml = null
  let last = null
  for (const line of text.split('\n')) {
    if (yaml !== null) {
      if (line === `${yaml}...`) yaml = null
      else last.detail += `${line.slice(yaml.length)}\n`
      continue
    }
    const start = /^( +)---$/.exec(line)
    if (start && last) {
      yaml = start[1]
      continue
    }
    const point = readPoint(line)
    if (point) {
      last = point
      const { indent } = point
      point.children = pending[indent + 4] ?? []
      pending.length = indent + 1
      pending[indent] ??= []
      pending[indent].push(point)
    }
  }
  // points without a parent: the program ended in the middle
  return pending.flat().filter(Boolean).flatMap((point) => casesOf(point, []))
}

function readPoint(line) {
  const match = /^( *)(ok|not ok)\b *\d* *(?:- )?(.*)$/.exec(line)
  if (!match) return null
  const [, indent, verdict, rest] = match
  const directive = /(?:^|[^\\])# *(SKIP|TODO)\b *(.*)$/i.exec(rest)
  const name = (directive ? rest.slice(0, directive.index + 1).replace(/#$/, '') : rest).replace(/\\([#\\])/g, '$1').trim()
  return {
    indent: indent.length,
    name,
    // a test that is still to be written is no success
    outcome: directive ? 'skip' : verdict === 'ok' ? 'pass' : 'fail',
    detail: directive ? directive[2] || directive[1].toLowerCase() : '',
  }
}

function casesOf(point, path) {
  const names = [...path, point.name]
  const inner = point.children.flatMap((child) => casesOf(child, names))
  const isTold = inner.length > 0 && (point.outcome !== 'fail' || inner.some(({ outcome }) => outcome === 'fail'))
  return isTold ? inner : [...inner, { name: names.join(' > '), outcome: point.outcome, detail: point.detail }]
}
