/* The real binary, run once: `calltab migrate`, `calltab agent`, ... The binary is CALLTAB_BIN, else that of the
 * sanitizer build of dev/test, else the newest one of any build folder. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './results.mjs'

export function programPath() {
  if (process.env.CALLTAB_BIN) return process.env.CALLTAB_BIN
  const built = readdirSync(root)
    .filter((name) => name.startsWith('build'))
    .map((name) => join(root, name, 'server', 'calltab'))
    .filter((path) => existsSync(path))
  const ofTests = built.find((path) => path.startsWith(join(root, 'build-test/')))
  if (ofTests) return ofTests
  built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (built.length === 0) throw new Error('calltab is not built: run dev/test, or set CALLTAB_BIN')
  return built[0]
}

/* Resolves with {code, stdout, stderr}; never throws because of the exit code. */
export function run(args, { env = {}, input = '', timeoutMs = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', programPath(), ...args], { env: { ...process.env, ...env } })
    const out = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (out[name] += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? signal, ...out })
    })
    child.stdin.on('error', () => {}) // it may end without reading
    child.stdin.end(input)
  })
}

/* The same, for what must succeed; resolves with stdout. */
export async function runOk(args, options) {
  const { code, stdout, stderr } = await run(args, options)
  if (code !== 0) throw new Error(`calltab ${args.join(' ')} ended with ${code}:\n${stderr}${stdout}`)
  return stdout
}

export function migrateUp(ownerUrl) {
  return runOk(['migrate', 'up', '--database', ownerUrl])
}
