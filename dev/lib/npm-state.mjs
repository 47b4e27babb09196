/* Ends with 0 when node_modules is what package-lock.json says for this machine, else with 1. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const top = process.argv[2]
const read = (path) => JSON.parse(readFileSync(join(top, path), 'utf8')).packages

function isForHere({ os, cpu }) {
  const allows = (list, mine) => !list || (list.some((each) => each.startsWith('!')) ? !list.includes(`!${mine}`) : list.includes(mine))
  return allows(os, process.platform) && allows(cpu, process.arch)
}

function isComplete() {
  const wanted = read('package-lock.json')
  const installed = read('node_modules/.package-lock.json')
  const names = new Set([...Object.keys(wanted), ...Object.keys(installed)])
  names.delete('')
  for (const name of names) {
    if (installed[name]?.version !== wanted[name]?.version && (installed[name] || isForHere(wanted[name]))) return false
  }
  return true
}

try {
  process.exitCode = isComplete() ? 0 : 1
} catch {
  process.exitCode = 1 // nothing is installed yet
}
