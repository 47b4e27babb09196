/* The real program on its own: how soon it serves after it was started, and what it needs when nobody is there. */
import { setTimeout as pause } from 'node:timers/promises'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { startGateway } from '../tests/support/gateway.mjs'
import { createDatabase } from '../tests/support/pg.mjs'
import { figure, median, progress } from './figures.mjs'
import { built } from './program.mjs'

const STARTS = 9
const ASK_EVERY_MS = 1
const SERVED_WITHIN_MS = 10_000
const IDLE_MS = 3_000 // until what the start needed has been given back

export async function benchStart() {
  process.env.CALLTAB_BIN ??= built('server', 'calltab')
  const database = await createDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'calltab-bench-'))
  try {
    await measureStarts('first_request', database)
    const config = { journal_dir: join(folder, 'journal') }
    await makeHistory(database, config)
    await measureStarts('first_request_again', database, config)
    await measureIdleMemory(database)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await database.drop()
  }
}

async function measureStarts(name, database, config = {}) {
  progress(`start (${name}): ${STARTS} times`)
  const times = []
  for (let i = 0; i < STARTS; i++) times.push(await timeOneStart(database, config))
  figure(`bench.start.${name}`, { n: STARTS, figure: median(times), unit: 'ms', target: 150, digits: 1 })
}

/* A journal with something in it, whose last entries a start has to write once more. */
async function makeHistory(database, config) {
  const gateway = await startGateway({ database, config })
  try {
    const raw = await gateway.openRaw(await gateway.signIn('1001'))
    await raw.close()
  } finally {
    await gateway.stop()
  }
}

/* From the moment before the process is made to the first whole answer. */
async function timeOneStart(database, config) {
  const port = await freePort()
  const began = performance.now()
  const starting = startGateway({ database, config: { ...config, listen: `127.0.0.1:${port}` } })
  try {
    while (!(await isServed(port))) {
      if (performance.now() - began > SERVED_WITHIN_MS) throw new Error('nothing was served')
      await pause(ASK_EVERY_MS)
    }
    return performance.now() - began
  } finally {
    await (await starting).stop()
  }
}

function isServed(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))
    let text = ''
    socket.setEncoding('latin1').on('data', (more) => (text += more))
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(text.startsWith('HTTP/1.1 200')))
  })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function measureIdleMemory(database) {
  const gateway = await startGateway({ database })
  try {
    await pause(IDLE_MS)
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1])
    figure('bench.start.idle_memory', { n: 1, figure: kilobytes / 1024, unit: 'MB', target: 15, digits: 1 })
  } finally {
    await gateway.stop()
  }
}
