#!/usr/bin/env node
/* Stands in for the binary where gateway.mjs itself is tested. FAKE says how it behaves:
 * good | refuses to start | leaks (a sanitizer report at its end) | fails at its end | never ready */
import { writeFileSync } from 'node:fs'

const behaviour = process.env.FAKE
process.stderr.write(`level=info msg="fake, ${behaviour}"\n`)
if (behaviour === 'refuses') {
  process.stderr.write('calltab.ini:1: unknown key\n')
  process.exit(1)
}
setInterval(() => {}, 1000)
process.on('SIGTERM', () => {
  const { 1: log } = /log_path=([^:]+)/.exec(process.env.ASAN_OPTIONS)
  if (behaviour === 'leaks') writeFileSync(`${log}.${process.pid}`, 'ERROR: LeakSanitizer: detected memory leaks\n')
  process.exit(behaviour === 'fails' ? 3 : 0)
})
if (behaviour !== 'never ready') process.stdout.write('level=info msg=ready port=4321\n')
