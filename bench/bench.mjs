/* dev/bench: runs what is named, ends with a table; 1 when something did not run, 0 also when a target is missed. */
import { printTable } from './figures.mjs'

const BENCHES = {
  tabs: async () => (await import('./tabs.mjs')).benchTabs(),
  start: async () => (await import('./start.mjs')).benchStart(),
  call: async () => (await import('./call.mjs')).benchCall(),
  journal: async () => (await import('./journal.mjs')).benchJournal(),
  drain: async () => (await import('./drain.mjs')).benchDrain(),
  telephony: async () => (await import('./telephony.mjs')).benchTelephony(),
  isolation: async () => (await import('./isolation.mjs')).benchIsolation(),
}
// what dev/bench is asked for: tabs are the doors, and how the whole program starts
const GROUPS = {
  tabs: ['tabs', 'start'], call: ['call'], telephony: ['telephony'], journal: ['journal', 'drain', 'isolation'],
  all: ['tabs', 'start', 'call', 'telephony', 'journal', 'drain', 'isolation'],
}

const names = GROUPS[process.argv[2] ?? 'all']
if (!names) {
  process.stderr.write('usage: dev/bench [tabs|call|telephony|journal|all]\n')
  process.exit(2)
}
for (const name of names) {
  try {
    await BENCHES[name]()
  } catch (error) {
    process.stderr.write(`${name} did not run: ${error.stack}\n`)
    process.exitCode = 1
  }
}
printTable()
