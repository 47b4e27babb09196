/* What the README promises of dev/run: it starts, prints an address that signs in, keeps the data, and Ctrl-C ends
 * everything it started. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { record, root } from '../support/results.mjs'
import { until } from '../support/until.mjs'

const AGAIN_MS = 15_000 // "starts within seconds", on a machine that does other things
const folder = mkdtempSync(join(tmpdir(), 'run'))
const environment = { ...process.env, CALLTAB_RUN: folder, CALLTAB_BIN: '' }
after(() => rmSync(folder, { recursive: true, force: true }))

/* {child, out(), links, database, ended()}: running, all addresses printed */
async function start(...args) {
  const child = spawn(join(root, 'dev', 'run'), ['--port', '0', ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (out += text))
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
  await until('dev/run is ready', () => {
    if (child.exitCode !== null) throw new Error(out)
    return out.includes('Ctrl-C ends it.')
  }, 120_000).catch((error) => {
    child.kill('SIGTERM')
    throw new Error(`${error.message}\n${out}`)
  })
  return { child, ended, links: out.match(/http:\/\/\S+#link=\S+/g), database: /psql '([^']+)'/.exec(out)[1] }
}

async function stop({ child, ended }, signal = 'SIGINT') {
  child.kill(signal)
  return ended
}

const post = async (url, path, json, token) => {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(json),
  })
  return { status: response.status, body: await response.json() }
}

const sql = (database, text) => execFileSync('psql', ['-X', '-A', '-t', database, '-c', text], { encoding: 'utf8' }).trim()

/* Command lines of everything that works in our folder. */
function ofOurs() {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return command.includes(folder) ? [command] : []
    } catch {
      return []
    }
  })
}

test('it starts and each printed address signs its agent in, once', async () => {
  const run = await start()
  try {
    assert.equal(run.links.length, 2)
    for (const [i, login] of ['1001', '1002'].entries()) {
      const link = run.links[i].split('#link=')[1]
      const { status, body } = await post(run.links[i], '/api/v1/sign-in', { link })
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.agent.login, login)
      assert.equal((await post(run.links[i], '/api/v1/sign-in', { link })).status, 401)
    }
    const page = await fetch(run.links[0])
    assert.equal(page.status, 200)
    assert.match(await page.text(), /<script/)
    sql(run.database, "insert into contacts (contact_id, tenant_id, full_name, phone_number) select gen_random_uuid(), tenant_id, 'Kept', '+15550199' from tenants")
  } finally {
    assert.equal(await stop(run), 0)
  }
  assert.deepEqual(ofOurs(), [])
})

test('the next run starts within seconds and has the data; the key still works', async () => {
  const at = performance.now()
  const run = await start()
  const took = Math.round(performance.now() - at)
  try {
    record({ test: 'dev.run.again', figure: took, unit: 'ms', target: AGAIN_MS, pass: took < AGAIN_MS })
    assert.ok(took < AGAIN_MS, `${took} ms`)
    assert.equal(sql(run.database, "select count(*) from contacts where full_name = 'Kept'"), '1')
    const legs = execFileSync(join(root, 'dev', 'calltab'), ['simulate', 'legs'], { env: environment, encoding: 'utf8' })
    assert.equal(JSON.parse(legs).count, 0)
  } finally {
    assert.equal(await stop(run, 'SIGTERM'), 0)
  }
})

test('two at once: the second says so and the first goes on', async () => {
  const run = await start()
  try {
    await assert.rejects(start(), /another dev\/run/)
    assert.equal((await fetch(new URL('/healthz', run.links[0]))).status, 200)
  } finally {
    await stop(run)
  }
})

test('killed, it takes everything along', async () => {
  const run = await start()
  await stop(run, 'SIGKILL')
  await until('nothing of it is left', () => ofOurs().length === 0)
})

test('--fresh forgets', async () => {
  const run = await start('--fresh')
  try {
    assert.equal(sql(run.database, "select count(*) from contacts where full_name = 'Kept'"), '0')
  } finally {
    await stop(run)
  }
})

test('a wrong option is answered with the usage', () => {
  assert.throws(() => execFileSync(join(root, 'dev', 'run'), ['--what'], { stdio: 'pipe' }), (error) => error.status === 2 && /usage: dev\/run/.test(error.stderr))
})
