/* Starts the switch of the laboratory and speaks its control port.
 *
 *   const lab = await startSwitch({ stations: ['1001'], seed: 7, quirks: { endOrder: 1 } })
 *   lab.port                                    // ARI
 *   await lab.ask('call', { from: '+1555', to: '5000' })
 *   lab.freeze(); lab.thaw()                    // the whole process stands still
 *   lab.ledger()                                // every line so far
 *   await lab.stop() */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../support/results.mjs'
import { within } from '../support/until.mjs'

const START_MS = 20_000

export async function startSwitch(options = {}) {
  const lab = new LabSwitch()
  await lab.start(options)
  return lab
}

class LabSwitch {
  #child
  #ended
  #control
  #agent = new Agent({ keepAlive: true, maxSockets: 4 })

  async start(options) {
    this.folder = mkdtempSync(join(tmpdir(), 'calltab-switch-'))
    this.ledgerFile = join(this.folder, 'ledger.jsonl')
    const config = JSON.stringify({ ...options, ledger: this.ledgerFile })
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, join(root, 'tests/fault/switch.mjs'), config], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    const first = new Promise((resolve, reject) => {
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (more) => (text += more).includes('\n') && resolve(text))
      child.once('error', reject).once('close', (code) => reject(new Error(`the switch ended with ${code}`)))
    })
    const { port, control } = JSON.parse(await within('the switch is ready', START_MS, first))
    Object.assign(this, { port, pid: child.pid })
    this.#control = control
  }

  ask(verb, options = {}) {
    const body = JSON.stringify({ verb, ...options })
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port: this.#control, method: 'POST', agent: this.#agent }, async (response) => {
        let text = ''
        for await (const part of response.setEncoding('utf8')) text += part
        const { result, error } = JSON.parse(text)
        if (error) reject(new Error(`switch: ${verb}: ${error}`))
        else resolve(result)
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  ledger() {
    return readFileSync(this.ledgerFile, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  }

  freeze() {
    process.kill(this.pid, 'SIGSTOP')
  }

  thaw() {
    process.kill(this.pid, 'SIGCONT')
  }

  async stop() {
    this.#agent.destroy()
    if (this.#child.exitCode === null) {
      this.thaw()
      this.#child.stdin.end()
      await within('the switch ends', START_MS, this.#ended)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
