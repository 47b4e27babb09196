/* A program that is steered by lines: one line in, one line of JSON out. What it tells by itself (lines with a
 * `message`) goes to onMessage. Programs end with this process. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../tests/support/results.mjs'

export const built = (...path) => join(root, 'build-bench', ...path)

export class Program {
  #child
  #waiting = []
  #rest = ''
  #stderr = ''
  onMessage = null

  constructor(path, args = []) {
    this.path = path
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', path, ...args])
    this.pid = this.#child.pid
    this.ended = new Promise((resolve) => this.#child.on('close', (code, signal) => resolve(code ?? signal)))
    this.#child.stdout.setEncoding('utf8').on('data', (text) => this.#read(text))
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#stderr += text))
    this.#child.stdin.on('error', () => {})
    this.ended.then((how) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`${path} ended with ${how}: ${this.#stderr}`))
    })
  }

  /* A server: the first thing it says is its port. */
  static async server(path, ...args) {
    const program = new Program(path, args)
    program.port = (await program.#line()).port
    return program
  }

  #read(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) this.#take(JSON.parse(line))
  }

  #take(line) {
    if (line.message && this.onMessage) this.onMessage(line)
    else this.#waiting.shift()?.resolve(line)
  }

  #line() {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async ask(...words) {
    const answer = this.#line()
    this.#child.stdin.write(`${words.join(' ')}\n`)
    const line = await answer
    if (line.error) throw new Error(`${this.path}: ${words.join(' ')}: ${line.error}`)
    return line
  }

  async stop() {
    this.#child.stdin.end()
    await this.ended
  }
}

/* A program of bench/ that measures one thing and ends; what it says. */
export function measure(name, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', built('bench', name), ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', (text) => (said[stream] += text))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(said.stdout))
      else reject(new Error(`${name} ${args[0]} ended with ${code ?? signal}: ${said.stderr}`))
    })
  })
}
