/* A gateway that is stopped in order while everybody works: no command fails, nobody waits for long, calls stay up (F11). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seeded } from '../support/random.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { check, describe } from './checker.mjs'
import { createFaultWorld } from './gateway_world.mjs'
import { Numbers, startAgents } from './workload.mjs'

const AGENTS = 20
const ROUNDS = 5
const GAP_MS = 2000
let world

before(async () => {
  world = await createFaultWorld({ agents: AGENTS, config: { wrap_s: 1 } })
})
after(() => world?.stop())

/* From the close of each tab to its next attach. */
function gaps() {
  const closedAt = new Map()
  const list = []
  for (const { kind, client, at, code } of world.log.entries) {
    if (kind === 'closed' && code === 1012) closedAt.set(client, at)
    if (kind !== 'attach' || !closedAt.has(client)) continue
    list.push(at - closedAt.get(client))
    closedAt.delete(client)
  }
  return list
}

test('stop.graceful: restarts under load', { timeout: 240_000 }, async () => {
  const random = seeded(11)
  const agents = await startAgents(world, { count: AGENTS, random, numbers: new Numbers(random) })
  for (let round = 0; round < ROUNDS; round++) {
    const { calls } = agents
    await until('they are at work', () => agents.calls > calls + AGENTS && agents.inFlight > AGENTS / 4, 30_000)
    await world.gateway.restart() // throws unless it ends with 0
    await until('the switch is there', () => world.isReady(), 10_000)
  }
  await agents.finish()
  await world.gateway.restart()
  const findings = check(await world.logs())
  const unknown = Object.values(agents.unknown).reduce((sum, count) => sum + count, 0)
  const list = gaps()
  const longest = Math.max(...list)
  const told = world.log.entries.filter(({ kind, code, reason }) => kind === 'closed' && code === 1012 && /^retry=\d+$/.test(reason ?? '')).length
  const pass = findings.length === 0 && unknown === 0 && longest <= GAP_MS && list.length >= AGENTS
  record({ test: 'stop.graceful', n: ROUNDS, figure: Math.round(longest), unit: 'ms', target: GAP_MS, pass, failed_commands: unknown, tabs_told: told, calls: agents.calls })
  assert.deepEqual(findings, [], describe?.(findings))
  assert.deepEqual(world.faults(), [])
  assert.equal(unknown, 0, 'no command has an unknown end')
  assert.ok(list.length >= AGENTS, `${list.length} tabs were told to come back`)
  assert.ok(longest <= GAP_MS, `${longest} ms`)
})
