/* The samples in packaging/ work: TLS, pages and call tabs through nginx and through Caddy, mixed on one address. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startGateway } from '../support/gateway.mjs'
import { RawTab } from '../support/raw_tab.mjs'
import { root } from '../support/results.mjs'
import { until } from '../support/until.mjs'

const ROUNDS = 10 // enough for a proxy to use its kept connections again
const proxies = join(root, 'var', 'proxies', 'usr')
const folder = mkdtempSync(join(tmpdir(), 'calltab-proxies-'))
const ca = () => readFileSync(join(folder, 'cert.pem'))
const started = []
let gateway
let session

before(async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], { stdio: 'ignore' })
  gateway = await startGateway()
  session = await gateway.signIn('1001')
})

after(async () => {
  for (const child of started) child.kill('SIGTERM') // not SIGKILL: nginx would leave its worker behind
  await until('the proxies have ended', () => started.every(({ exitCode, signalCode }) => exitCode !== null || signalCode))
  await gateway.stop()
  rmSync(folder, { recursive: true })
})

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/* A sample with names and places of this test; each of them has to occur in it. */
function sample(name, changes) {
  return changes.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `${name} has "${from}"`)
    return text.replaceAll(from, to)
  }, readFileSync(join(root, 'packaging', name), 'utf8'))
}

async function startProxy(port, command, args) {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', command, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder } })
  let log = ''
  child.stderr.on('data', (data) => (log += data))
  started.push(child)
  await until(`${command} serves`, () => {
    if (child.exitCode !== null) throw new Error(log)
    return get(port, '/healthz')
  }, 15_000)
}

async function startNginx(port) {
  const site = sample('nginx.conf', [
    ['listen 443 ssl http2', `listen 127.0.0.1:${port} ssl http2`],
    ['server_name calltab.example', 'server_name localhost'],
    ['/etc/ssl/certs/calltab.pem', join(folder, 'cert.pem')],
    ['/etc/ssl/private/calltab.key', join(folder, 'key.pem')],
    ['server 127.0.0.1:8080;', `server 127.0.0.1:${gateway.port};`],
  ])
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`).join('\n')
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, `daemon off; worker_processes 1; pid ${join(folder, 'pid')}; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${site}\n}\n`)
  await startProxy(port, join(proxies, 'sbin', 'nginx'), ['-e', 'stderr', '-p', folder, '-c', file])
}

async function startCaddy(port) {
  const site = sample('Caddyfile', [
    ['calltab.example {', `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${join(folder, 'cert.pem')} ${join(folder, 'key.pem')}`],
    ['127.0.0.1:8080', `127.0.0.1:${gateway.port}`],
  ])
  const file = join(folder, 'Caddyfile')
  mkdirSync(join(folder, 'caddy'), { recursive: true })
  writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system ${join(folder, 'caddy')}\n}\n${site}`)
  await startProxy(port, join(proxies, 'bin', 'caddy'), ['run', '--adapter', 'caddyfile', '--config', file])
}

function get(port, path, { agent, token } = {}) {
  return new Promise((resolve, reject) => {
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    const request = https.get({ host: '127.0.0.1', servername: 'localhost', port, path, ca: ca(), agent, headers: { ...headers, host: `localhost:${port}` } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    request.on('error', reject)
  })
}

for (const [name, start] of Object.entries({ nginx: startNginx, caddy: startCaddy })) {
  test(`${name} serves pages and call tabs on one address`, async () => {
    const port = await freePort()
    const origin = `https://localhost:${port}`
    await start(port)
    await gateway.restart({ config: { origins: origin } })
    session = await gateway.signIn('1001')
    const agent = new https.Agent({ keepAlive: true, maxSockets: 4 })
    for (let i = 1; i <= ROUNDS; i++) {
      const answers = await Promise.all([1, 2, 3].map(() => get(port, '/api/v1/me', { agent, token: session.token })))
      assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200])
      const ticket = await gateway.ticket(session, { origin })
      const tab = await RawTab.open(`wss://127.0.0.1:${port}/ws`, ticket, { origin, ca: ca(), servername: 'localhost', headers: { host: `localhost:${port}` } })
      assert.equal((await tab.attach({ tab: (i % 16) + 1 })).tab, (i % 16) + 1)
      await tab.close()
    }
    agent.destroy()
  })
}
