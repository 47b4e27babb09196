/* Five hundred calls at the pace that one Asterisk is meant for, to a carrier nobody here wrote: sipp is every called party and
 * every agent's telephone. All are answered, all are stored, and nothing is left anywhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startAsterisk } from '../support/asterisk.mjs'
import { addAgents, openTab } from '../support/crew.mjs'
import { startGateway } from '../support/gateway.mjs'
import { createDatabase } from '../support/pg.mjs'
import { record } from '../support/results.mjs'
import { hasSipp, startSipp } from '../support/sipp.mjs'
import { until } from '../support/until.mjs'

const CALLS = 500
const PER_SECOND = 40
const AGENTS = 120
const RTP_PORTS = 4 * AGENTS + 100

let turnedAway = 0
const extensions = Array.from({ length: AGENTS }, (_, i) => String(2001 + i))

/* A gateway that is asked for more than it can do refuses new calls first, and says so: he tries again. */
async function dial(tab, number) {
  for (;;) {
    try {
      return await tab.request('dial', { number })
    } catch (error) {
      if (error.code !== 'overload.dials') throw error
      turnedAway++
      await pause(1000)
    }
  }
}

/* An agent's life with one call. */
async function call(tab, number) {
  const { dtCallId } = await dial(tab, number)
  await tab.state('talk', 30_000)
  await tab.request('release')
  await tab.state('idle', 30_000)
  await tab.request('endWrap')
  await tab.state('end', 30_000)
  return dtCallId
}

test('telephony.sipp500: 500 calls at 40 a second: all answered, all stored, nothing left', { skip: hasSipp() ? false : 'sipp is not installed (Debian package sip-tester)', timeout: 300_000 }, async (t) => {
  const opened = []
  let answered = 0
  let pass = false
  try {
    const asterisk = await startAsterisk({ telephones: extensions, rtpPorts: RTP_PORTS })
    opened.unshift(() => asterisk.remove())
    const carrier = await startSipp({ port: asterisk.ports.carrier })
    opened.unshift(() => carrier.stop())
    const database = await createDatabase()
    opened.unshift(() => database.drop())
    const crew = await addAgents(database, AGENTS)
    const { port, user, password, app, trunk } = asterisk.ari
    const gateway = await startGateway({ database, config: { switch: 'ari', ari_port: port, ari_user: user, ari_password: password, ari_app: app, ari_trunk: trunk, wrap_s: 30, ring_s: 30 } })
    opened.unshift(() => gateway.stop())
    const readyz = () => gateway.request('GET', '/readyz')
    await until('the gateway has reached its switch', async () => (await readyz()).status === 200, 10_000)
    const tabs = []
    for (const agent of crew) tabs.push(await openTab(gateway, agent))

    const began = performance.now()
    const free = [...tabs]
    const running = []
    const failures = []
    const ids = new Set()
    for (let i = 0; i < CALLS; i++) {
      const early = began + (i * 1000) / PER_SECOND - performance.now()
      if (early > 0) await pause(early)
      const tab = await until('an agent is free', () => free.shift(), 60_000)
      const done = call(tab, `+1557${String(i).padStart(4, '0')}100`)
      running.push(done.then((id) => ids.add(id) && answered++, (error) => failures.push(error.message)).then(() => free.push(tab)))
    }
    const rate = (CALLS - 1) / ((performance.now() - began) / 1000)
    await Promise.all(running)
    t.diagnostic(`${answered} answered, begun at ${rate.toFixed(1)}/s, over after ${Math.round(performance.now() - began)} ms, ${turnedAway} times turned away at first`)
    assert.deepEqual(failures, [])
    assert.equal(ids.size, CALLS, 'each a call of its own')

    await until('Asterisk has no channel and no bridge', async () => {
      const lists = await Promise.all(['channels', 'bridges'].map((what) => asterisk.request('GET', what)))
      return lists.every(({ body }) => body.length === 0)
    }, 15_000)
    await until('what was told is in the tables', async () => (await readyz()).body.journal.behind === 0, 30_000)
    const [row] = await database.query(
      `select count(*) filter (where c.status = 'closed' and c.did_connect) as calls,
              (select count(*) from dialer_call_events where event_name = 'talk') as talks,
              (select count(*) from dialer_call_events where event_name = 'end') as ends
       from dialer_calls c`)
    assert.deepEqual(Object.values(row).map(Number), [CALLS, CALLS, CALLS], JSON.stringify(row))
    for (const tab of tabs) await tab.close()
    await gateway.restart()
    assert.match(gateway.log.slice(gateway.log.lastIndexOf('"state of before"')), /^"state of before" calls=0 /, 'the gateway has no call either')
    for (const close of opened.splice(0)) await close()
    pass = true
  } finally {
    for (const close of opened) await Promise.resolve().then(close).catch((error) => t.diagnostic(error.message)) // what failed first is said
    record({ test: 'telephony.sipp500', n: CALLS, figure: answered, unit: 'calls', target: CALLS, pass })
  }
})
