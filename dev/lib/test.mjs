/* The driver of dev/test: builds, runs every suite or those named, counts cases. See usage below. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, chmodSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { startCluster } from '../../tests/support/pg.mjs'
import { root } from '../../tests/support/results.mjs'
import { analyzer } from './analyze.mjs'
import { runProgram } from './process.mjs'
import { Report } from './report.mjs'
import { parseTap } from './tap.mjs'

const FILE_LIMIT_MS = 600_000 // of one test file; every wait inside has a shorter one
const BUILD_LIMIT_MS = 1_800_000
const MESON_LIMIT_MS = 1_800_000
const PATIENCE = '4' // times the limits in meson.build, which are for a machine that does nothing else
const AT_ONCE = 2 // test files; they start servers and browsers of their own
const PROGRAM = join(root, 'build-test', 'server', 'calltab')
const RELEASED = join(root, 'build-run', 'server', 'calltab')

/* In the order in which they run. needs: builds; nodes: folders whose *.test.mjs are run; alone: one file at a time,
 * because they measure sound or time. */
const SUITES = {
  unit: { about: 'C units under sanitizers (meson test)', needs: ['test'], meson: 'unit' },
  lint: { about: 'the tree itself: layers, headers, sizes, documents', needs: ['test'], meson: 'lint' },
  fuzz: { about: 'every kept input of the fuzz targets once more', needs: ['test'], meson: 'fuzz' },
  support: { about: 'the tools of the tests', nodes: ['tests/support', 'dev/lib'] },
  contract: { about: 'every telephony operation on both drivers', needs: ['test'], nodes: ['tests/contract'], alone: true },
  integration: { about: 'the real binary, a real PostgreSQL, real sockets', needs: ['test'], nodes: ['tests/integration'] },
  web: { about: 'the library and the pages, in Node and in Chromium', needs: ['test'], nodes: ['tests/web'] },
  telephony: { about: 'a real Asterisk with telephones that listen', needs: ['test'], nodes: ['tests/telephony'], alone: true },
  fault: { about: 'crashes, outages and bad networks, and what is left afterwards', needs: ['test'], nodes: ['tests/fault'], alone: true },
  release: { about: 'the release build and its hardening', needs: ['run'], nodes: ['tests/release'] },
  clang: { about: 'the build by a second compiler', needs: ['clang'] },
  analyze: { about: "gcc's analyzer over the program, cppcheck", needs: ['test', 'analyzer'], tool: 'cppcheck' },
  tidy: { about: 'clang-tidy, some minutes; only when it is named', needs: ['test'], tool: 'clang-tidy', isAskedFor: true },
}

const usage = `usage: dev/test [SUITE|FILE]...

Runs every suite, or those named; a file is run alone. The last line is "N passed, N failed, N skipped".

${Object.entries(SUITES).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`).join('\n')}

for example: dev/test unit lint
             dev/test tests/integration/sign_in.test.mjs
`

const report = new Report()
const builds = new Map() // name: whether it could be built

async function main(args) {
  if (args.includes('--help')) {
    process.stdout.write(usage)
    return 0
  }
  const files = args.filter((arg) => arg.endsWith('.test.mjs'))
  const names = args.filter((arg) => !files.includes(arg)).map((arg) => arg.replace(/^tests\/|\/$/g, ''))
  const unknown = [...names.filter((name) => !SUITES[name]), ...files.filter((file) => !existsSync(file))]
  if (unknown.length) {
    process.stderr.write(`there is no ${unknown.join(' and no ')}\n\n${usage}`)
    return 2
  }
  const wanted = (suite) => (args.length ? names.includes(suite) : !SUITES[suite].isAskedFor)
  for (const name of Object.keys(SUITES).filter(wanted)) {
    await runSuite(name, SUITES[name])
  }
  if (files.length && (await isBuilt('test'))) await runFiles('files', files.map((file) => relative(root, resolve(file))), true)
  await releaseShared()
  return report.finish()
}

async function runSuite(name, { needs = [], meson, nodes, alone, tool }) {
  for (const build of needs) {
    if (!(await isBuilt(build))) return report.fail(name, 'all of it', 'could not be run', `build ${build} failed`)
  }
  if (meson) await runMeson(meson)
  if (nodes) await runFiles(name, nodes.flatMap(testFiles), alone)
  if (tool) await runAnalyzer(name, tool)
}

async function isBuilt(name) {
  if (!builds.has(name)) {
    report.say(`building ${name} (var/log/build-${name}.log)`)
    const { code, errors, output, seconds } = await runProgram(join(root, 'dev/build'), [name], { cwd: root, timeoutMs: BUILD_LIMIT_MS })
    builds.set(name, code === 0)
    if (code === 0) report.pass('build', name, 'builds', seconds)
    else report.fail('build', name, 'builds', errors + output, seconds)
  }
  return builds.get(name)
}

/* --- C tests --- */

async function runMeson(suite) {
  const folder = join(root, 'build-test')
  const log = join(folder, 'meson-logs', 'testlog.json')
  rmSync(log, { force: true })
  const args = ['test', '-C', folder, '--no-rebuild', '--suite', suite, '--num-processes', String(processors()), '--timeout-multiplier', PATIENCE]
  const { code, output, errors, isLate } = await runProgram('meson', args, { cwd: root, env: SANITIZERS, timeoutMs: MESON_LIMIT_MS })
  const tests = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) : []
  if (tests.length === 0) {
    if (suite === 'fuzz' && /No (suitable )?tests/.test(output + errors)) return
    report.fail(suite, 'meson test', 'runs', `ended with ${code}${isLate ? ' (too late)' : ''}\n${output}${errors}`)
  }
  for (const { name, result, returncode, duration, stdout = '', stderr = '' } of tests) {
    const program = name.replace(/^.* \/ /, '')
    const cases = result === 'SKIP' && !/^\s*(not )?ok\b/m.test(stdout) ? [{ name: program, outcome: 'skip', detail: stdout.trim() }] : parseTap(stdout)
    if (!['OK', 'SKIP'].includes(result) && !cases.some(({ outcome }) => outcome === 'fail')) {
      cases.push({ name: `ended well (${result}, ${returncode})`, outcome: 'fail', detail: '' })
    } else if (cases.length === 0) {
      cases.push({ name: program, outcome: 'pass', detail: '' })
    }
    report.add(suite, program, cases, { seconds: duration, log: stderr })
  }
}

/* Without halt_on_error an undefined behaviour is only printed. */
const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:halt_on_error=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  LSAN_OPTIONS: 'print_suppressions=0',
}

/* --- Node tests --- */

function testFiles(folder) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      if (entry.isDirectory()) return testFiles(join(folder, entry.name))
      return entry.name.endsWith('.test.mjs') ? [join(folder, entry.name)] : []
    })
    .sort()
}

async function runFiles(suite, files, alone) {
  const waiting = [...files]
  const shared = files.length ? await sharedThings() : null
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) await runFile(suite, file, shared)
  }
  await Promise.all(Array.from({ length: alone ? 1 : Math.min(AT_ONCE, processors()) }, worker))
}

async function runFile(suite, file, shared) {
  const folder = mkdtempSync(join(shared.folder, 't'))
  chmodSync(folder, 0o711) // PostgreSQL may run as another user
  const { code, output, errors, seconds, isLate, left } = await runProgram(process.execPath, ['--test-reporter=tap', file], {
    cwd: root,
    timeoutMs: FILE_LIMIT_MS,
    env: { TMPDIR: folder, CALLTAB_TEST_PG: shared.cluster.folder, CALLTAB_BIN: PROGRAM, CALLTAB_RELEASED: RELEASED },
  })
  const cases = parseTap(output)
  const fail = (name, detail = '') => cases.push({ name, outcome: 'fail', detail })
  if (isLate) fail(`ends within ${FILE_LIMIT_MS / 1000} s`)
  else if (code !== 0 && !cases.some(({ outcome }) => outcome === 'fail')) fail(`ended well (${code})`)
  else if (cases.length === 0) fail('contains a test')
  if (left.length) fail('leaves no process behind', left.join('\n'))
  report.add(suite, basename(file), cases, { seconds, log: errors + diagnosticsOf(output) })
  rmSync(folder, { recursive: true, force: true })
}

/* What node:test says about the whole file, and what the test printed itself: of use when something failed. */
function diagnosticsOf(output) {
  return output
    .split('\n')
    .filter((line) => /^# /.test(line) && !/^# (Subtest|tests|suites|pass|fail|cancelled|skipped|todo|duration_ms)\b/.test(line))
    .join('\n')
}

/* --- analyzers --- */

async function runAnalyzer(suite, tool) {
  const { command, args } = analyzer(root, tool)
  const { code, output, errors, seconds } = await runProgram(command, args, { cwd: root, timeoutMs: BUILD_LIMIT_MS })
  if (code === 0) report.pass(suite, tool, 'finds nothing', seconds)
  else report.fail(suite, tool, 'finds nothing', output + errors, seconds)
}

/* --- what the node suites share: one PostgreSQL, one temp folder --- */

let shared

async function sharedThings() {
  if (!shared) {
    const folder = mkdtempSync(join(shortTemp(), 'calltab-test-'))
    chmodSync(folder, 0o711)
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    shared = { folder, cluster: await startCluster() }
  }
  return shared
}

/* Sockets live below it, and their paths are short. */
function shortTemp() {
  return tmpdir().length < 30 ? tmpdir() : '/tmp'
}

async function releaseShared() {
  await shared?.cluster.destroy()
}

function processors() {
  return cpus().length
}

mkdirSync(join(root, 'var', 'log'), { recursive: true })
process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  report.fail('dev/test', basename(dirname(import.meta.url)), 'runs', error.stack)
  return report.finish()
})
