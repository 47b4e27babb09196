/* Running a program with a limit of time, and finding what it left behind. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

const MARK = 'CALLTAB_TEST_PROGRAM' // in the environment of everything a program starts
const GRACE_MS = 5000
const MOST_OUTPUT = 10_000_000

/* Resolves with {code, output, errors, seconds, isLate, left}: left are the command lines of processes that were still
 * there some seconds after the end (they are killed). onLine hears each line of the output as it comes. */
export function runProgram(command, args, { env = {}, cwd, timeoutMs = 600_000, onLine } = {}) {
  const mark = randomUUID()
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      cwd,
      env: { ...process.env, ...env, [MARK]: mark },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, so that a late one is ended with its children
    })
    const text = { stdout: '', stderr: '' }
    let tail = ''
    let isLate = false
    child.stdout.setEncoding('utf8').on('data', (data) => {
      if (text.stdout.length < MOST_OUTPUT) text.stdout += data
      if (!onLine) return
      const lines = (tail + data).split('\n')
      tail = lines.pop()
      lines.forEach(onLine)
    })
    child.stderr.setEncoding('utf8').on('data', (data) => {
      if (text.stderr.length < MOST_OUTPUT) text.stderr += data
    })
    const timer = setTimeout(() => {
      isLate = true
      killGroup(child.pid, 'SIGTERM')
      setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE_MS).unref()
    }, timeoutMs)
    const kill = () => killGroup(child.pid, 'SIGKILL')
    process.once('exit', kill)
    child.on('error', reject)
    // not 'close': a process it left behind may hold the pipes open for ever
    child.on('exit', async (code, signal) => {
      clearTimeout(timer)
      process.off('exit', kill)
      const seconds = (performance.now() - startedAt) / 1000
      const left = await endLeftovers(mark)
      await Promise.race([new Promise((done) => child.once('close', done)), pause(200)])
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ code: code ?? signal, output: text.stdout, errors: text.stderr, seconds, isLate, left })
    })
  })
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch {
    // it is gone
  }
}

async function endLeftovers(mark) {
  const deadline = performance.now() + GRACE_MS
  let left = markedProcesses(mark)
  while (left.length > 0 && performance.now() < deadline) {
    await pause(50)
    left = markedProcesses(mark)
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  }
  return left.map(({ command }) => command)
}

function markedProcesses(mark) {
  const wanted = `${MARK}=${mark}`
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(wanted)) return []
      return [{ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }]
    } catch {
      return [] // not ours to see, or gone
    }
  })
}
