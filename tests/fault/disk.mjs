/* The disk under the gateway's journal, as a test wants it at this moment (base/fault.h).
 *
 *   const disk = new FaultyDisk()
 *   const world = await createFaultWorld({ env: disk.env })
 *   disk.set({ slowMs: 2000 })                            // each sync from now on takes so much longer
 *   disk.set({ error: ENOSPC, failing: TAKES_SPACE })     // until disk.set()
 *   disk.slowBegun, disk.slowEnded, disk.failed           // how many there were
 *   disk.remove() */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

export const { ENOSPC, EIO } = constants.errno
export const TAKES_SPACE = 1
export const SYNCS = 2
const NUMBERS = 6
const SET = 3 // of them are the test's

export class FaultyDisk {
  #folder = mkdtempSync(join(tmpdir(), 'calltab-disk-'))
  #file = openSync(join(this.#folder, 'disk'), 'w+', 0o600)

  constructor() {
    writeSync(this.#file, Buffer.alloc(NUMBERS * 4), 0, NUMBERS * 4, 0)
  }

  get env() {
    return { CALLTAB_FAULT_DISK: join(this.#folder, 'disk') }
  }

  set({ error = 0, failing = TAKES_SPACE | SYNCS, slowMs = 0 } = {}) {
    const numbers = Buffer.from(Uint32Array.of(error, failing, slowMs).buffer)
    writeSync(this.#file, numbers, 0, SET * 4, 0)
  }

  #number(at) {
    const bytes = Buffer.alloc(4)
    readSync(this.#file, bytes, 0, 4, at * 4)
    return bytes.readUInt32LE()
  }

  get failed() {
    return this.#number(3)
  }

  get slowBegun() {
    return this.#number(4)
  }

  get slowEnded() {
    return this.#number(5)
  }

  remove() {
    closeSync(this.#file)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
