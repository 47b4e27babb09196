// A real Asterisk on loopback, for tests and for dev/run --asterisk.
//
//   node tests/support/asterisk.mjs up DIR [BASEPORT]   starts one in DIR, prints its ports as JSON, leaves it running
//                                                       with BASEPORT the ports are the same every time
//   node tests/support/asterisk.mjs down DIR            stops it
//
// The configuration users see (docs/asterisk/*.conf) is what runs here, with only addresses, ports and passwords
// changed; what a test instance needs beyond that lies in tests/support/asterisk/. The program itself is fetched
// by dev/get-asterisk into var/asterisk, or into $CALLTAB_ASTERISK.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import fs from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const samples = path.join(root, 'docs/asterisk')
const templates = path.join(root, 'tests/support/asterisk')

export const MUSIC_HZ = 2300
export const PROMPT_HZ = 900
export const PASSWORD = 'secret'
export const EXTENSIONS = ['1001', '1002', '1003']

/** Where the program is; fetches it (about ten seconds) when it is not there. Throws when it cannot. */
export function fetchAsterisk(prefix = process.env.CALLTAB_ASTERISK || path.join(root, 'var/asterisk')) {
  execFileSync(path.join(root, 'dev/get-asterisk'), [prefix], { stdio: ['ignore', 'ignore', 'inherit'] })
  return path.resolve(prefix)
}

function freeTcpPort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function freeUdpPort() {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4').on('error', reject).bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}

// Below the ports the kernel gives away by itself. Ranges of two instances may overlap: Asterisk skips taken ports.
async function pickPorts(basePort) {
  const rtp = 16000 + 2 * Math.floor(Math.random() * 8000)
  if (basePort) return { http: basePort + 88, sip: basePort + 60, carrier: basePort + 80, rtp: basePort + 1000 }
  return { http: await freeTcpPort(), sip: await freeUdpPort(), carrier: await freeUdpPort(), rtp }
}

/** The text of an Asterisk configuration file with changes {section: {key: value}} made; unknown sections throw. */
export function changeConf(text, changes) {
  const lines = text.split('\n')
  for (const [section, values] of Object.entries(changes)) {
    const start = lines.findIndex((line) => line.startsWith(`[${section}]`))
    if (start < 0) throw new Error(`no section [${section}] in the sample configuration`)
    for (const [key, value] of Object.entries(values)) {
      let end = lines.findIndex((line, i) => i > start && line.startsWith('['))
      if (end < 0) end = lines.length
      const at = lines.findIndex((line, i) => i > start && i < end && line.split('=')[0].trim() === key)
      if (at >= 0) lines[at] = `${key} = ${value}`
      else lines.splice(start + 1, 0, `${key} = ${value}`)
    }
  }
  return lines.join('\n')
}

/** A tone, mono, 16 bit; at 8 kHz as Asterisk's format_wav plays it without conversion. */
export function toneWav(hz, seconds, rate = 8000) {
  const count = Math.round(rate * seconds)
  const wav = Buffer.alloc(44 + 2 * count)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(36 + 2 * count, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20) // PCM
  wav.writeUInt16LE(1, 22) // one channel
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(2 * rate, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(2 * count, 40)
  for (let i = 0; i < count; i++)
    wav.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hz * i) / rate)), 44 + 2 * i)
  return wav
}

/* Telephones that are never registered: they are where the carrier is, which answers for them. */
function sections(telephones, ports) {
  return telephones
    .map((name) => `\n[${name}](telephone)\naors = ${name}\n[${name}](telephone-address)\ncontact = sip:${name}@127.0.0.1:${ports.carrier}\n`)
    .join('')
}

function writeConfiguration(dir, prefix, { ports, telephones, rtpPorts }) {
  const loader = fs.readdirSync(path.join(prefix, 'root/usr/lib')).find((name) => name.includes('linux-gnu'))
  const places = {
    '@DIR@': dir,
    '@MODULES@': path.join(prefix, 'root/usr/lib', loader, 'asterisk/modules'),
    '@DATA@': path.join(prefix, 'root/usr/share/asterisk'),
  }
  for (const sub of ['etc', 'lib/keys', 'cache', 'run', 'log', 'music', 'sounds', 'spool/recording', 'spool/tmp'])
    fs.mkdirSync(path.join(dir, sub), { recursive: true })
  const write = (name, text) => fs.writeFileSync(path.join(dir, 'etc', name), text)
  for (const name of fs.readdirSync(templates)) {
    const text = fs.readFileSync(path.join(templates, name), 'utf8')
    write(name, text.replace(/@[A-Z]+@/g, (place) => places[place]))
  }
  const loopback = { media_address: '127.0.0.1', bind_rtp_to_media_address: 'yes' }
  const changes = {
    'http.conf': { general: { bindport: ports.http } },
    'ari.conf': { calltab: { password: PASSWORD } },
    'rtp.conf': { general: { rtpstart: ports.rtp, rtpend: ports.rtp + rtpPorts - 1 } },
    'musiconhold.conf': { default: { directory: path.join(dir, 'music') } }, // a recognisable tone: MUSIC_HZ
    'extensions.conf': {},
    'res_http_media_cache.conf': {},
    'pjsip.conf': {
      udp: { bind: `127.0.0.1:${ports.sip}` },
      telephone: loopback,
      'telephone-password': { password: PASSWORD },
      'telephone-address': { qualify_frequency: 0 },
      trunk: loopback,
      'trunk-address': { contact: `sip:127.0.0.1:${ports.carrier}`, qualify_frequency: 0 },
      'trunk-source': { match: '127.0.0.1' },
    },
  }
  for (const [name, change] of Object.entries(changes))
    write(name, changeConf(fs.readFileSync(path.join(samples, name), 'utf8'), change))
  fs.appendFileSync(path.join(dir, 'etc/pjsip.conf'), sections(telephones, ports))
  // Modules that would complain about a missing file.
  for (const name of ['ccss', 'cdr', 'cel', 'features', 'udptl', 'pjsip_notify', 'manager'])
    write(`${name}.conf`, '[general]\n')
  for (const name of ['acl', 'chan_websocket', 'websocket_client']) write(`${name}.conf`, '')
  fs.writeFileSync(path.join(dir, 'music/hold.wav'), toneWav(MUSIC_HZ, 10))
  fs.writeFileSync(path.join(dir, 'sounds/prompt.wav'), toneWav(PROMPT_HZ, 3))
}

const isAlive = (pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z'
  } catch {
    return false
  }
}

// A process that is gone already is what was asked for.
function kill(pid, signal) {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

async function waitUntilGone(pid, ms) {
  for (const end = Date.now() + ms; isAlive(pid); await pause(20)) if (Date.now() > end) return false
  return true
}

// It dies with us, however we die, unless it is meant to stay.
async function boot(dir, program, stays) {
  // one that was killed may still be answering here while its threads end
  fs.rmSync(path.join(dir, 'run/asterisk.ctl'), { force: true })
  const conf = path.join(dir, 'etc/asterisk.conf')
  const out = fs.openSync(path.join(dir, 'log/stdout'), 'w')
  const command = [...(stays ? [] : ['setpriv', '--pdeathsig', 'KILL', '--']), program, '-f', '-C', conf]
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', out, out], detached: true })
  fs.closeSync(out)
  child.unref()
  const run = promisify(execFile)
  for (const end = Date.now() + 30000; Date.now() < end; await pause(50)) {
    if (!isAlive(child.pid)) break
    const answer = await run(program, ['-C', conf, '-rx', 'core waitfullybooted']).catch(() => ({ stdout: '' }))
    if (answer.stdout.includes('fully booted')) return child.pid
  }
  kill(child.pid, 'SIGKILL')
  throw new Error(`Asterisk did not start: ${fs.readFileSync(path.join(dir, 'log/stdout'), 'utf8').slice(-2000)}`)
}

export class Asterisk {
  constructor(dir, prefix, ports, stays) {
    Object.assign(this, { dir, ports, stays, program: path.join(prefix, 'asterisk'), pid: 0 })
    this.ari = { host: '127.0.0.1', port: ports.http, user: 'calltab', password: PASSWORD, app: 'calltab', trunk: 'trunk' }
    this.prompt = path.join(dir, 'sounds/prompt'); // a sound for mix_play: PROMPT_HZ for 3 s
  }

  async start() {
    this.pid = await boot(this.dir, this.program, this.stays)
    return this
  }

  /** Ends the process; with 'SIGKILL' as in a crash: the far ends are told nothing. */
  async stop(signal = 'SIGTERM') {
    if (!this.pid) return
    const { pid } = this
    this.pid = 0
    kill(pid, signal)
    if (await waitUntilGone(pid, 5000)) return
    kill(pid, 'SIGKILL')
    await waitUntilGone(pid, 5000)
  }

  /** The answer to a console command. */
  async cli(command) {
    const conf = path.join(this.dir, 'etc/asterisk.conf')
    return (await promisify(execFile)(this.program, ['-C', conf, '-rx', command])).stdout
  }

  /** One HTTP request to ARI, for what a test wants to see or do behind the driver's back: {status, body}. */
  async request(method, uri, body) {
    const { host, port, user, password } = this.ari
    const answer = await fetch(`http://${host}:${port}/ari/${uri}`, {
      method,
      headers: {
        Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
        'Content-Type': 'application/json',
      },
      body: body && JSON.stringify(body),
    })
    const text = await answer.text()
    return { status: answer.status, body: text ? JSON.parse(text) : null }
  }

  log() {
    return fs.readFileSync(path.join(this.dir, 'log/full'), 'utf8')
  }
}

/**
 * Starts an Asterisk and resolves when it is fully booted. dir: its own folder (default a temporary one, removed
 * by remove()); basePort: fixed ports instead of free ones; prefix: where the program was unpacked; stays: it
 * outlives this process; telephones: names of more of them, which the carrier answers for; rtpPorts: two for each leg.
 */
export async function startAsterisk({ dir, basePort = 0, prefix = fetchAsterisk(), stays = false, telephones = [], rtpPorts = 400 } = {}) {
  const own = path.resolve(dir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'calltab-asterisk-')))
  // A unix socket's path holds 107 characters.
  if (own.length > 85) throw new Error(`the folder's path is too long for Asterisk's control socket: ${own}`)
  const ports = await pickPorts(basePort)
  writeConfiguration(own, prefix, { ports, telephones, rtpPorts })
  const asterisk = await new Asterisk(own, prefix, ports, stays).start()
  asterisk.remove = async () => {
    await asterisk.stop()
    if (!dir) fs.rmSync(own, { recursive: true, force: true })
  }
  return asterisk
}

// A process number may have been given to somebody else since: the command line has to name the folder.
function isOurs(pid, dir) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(path.join(dir, 'etc/asterisk.conf'))
  } catch {
    return false
  }
}

async function down(dir) {
  const file = path.join(dir, 'asterisk.json')
  const { pid } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : { pid: 0 }
  if (!pid || !isOurs(pid, dir)) return
  kill(pid, 'SIGTERM')
  if (!(await waitUntilGone(pid, 5000))) kill(pid, 'SIGKILL')
}

async function up(dir, basePort) {
  await down(dir)
  const { pid, ports, ari } = await startAsterisk({ dir, basePort, stays: true })
  const facts = { pid, dir, ports, ari, extensions: EXTENSIONS, password: PASSWORD }
  fs.writeFileSync(path.join(dir, 'asterisk.json'), JSON.stringify(facts))
  return facts
}

async function main([verb, dir, basePort]) {
  if (!['up', 'down'].includes(verb) || !dir) {
    console.error('usage: node tests/support/asterisk.mjs up DIR [BASEPORT] | down DIR')
    process.exit(2)
  }
  const answer = await { up, down }[verb](path.resolve(dir), Number(basePort) || 0)
  if (answer) console.log(JSON.stringify(answer))
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
}
