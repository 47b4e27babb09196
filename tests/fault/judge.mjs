/* The end of a run: everybody finishes, everything settles, and then the three sides are compared. Whatever is not over when
 * time is up is a finding of its own, rule "quiet"; what hangs the checker names. */
import { until, within } from '../support/until.mjs'
import { check } from './checker.mjs'

const QUIET_MS = 60_000
const STUCK_MS = 10_000

/* agents: of startAgents(), or nothing when nobody is at work. more: what the checker needs to know. */
export async function judge(world, agents, { quietMs = QUIET_MS, stuckMs = STUCK_MS, ...more } = {}) {
  const late = []
  const patiently = (waiting) => waiting.catch((error) => late.push({ rule: 'quiet', why: error.message }))
  if (agents) await patiently(within('everybody has finished', quietMs, agents.finish()))
  const foreign = more.foreign ?? []
  await patiently(until('the switch is empty', async () => (await world.switch.ask('live')).every(({ id }) => foreign.includes(id)), stuckMs))
  await patiently(until('every row is closed', async () => (await world.rows()).events.every((row) => row.duration_ms !== null), stuckMs))
  return [...late, ...world.faults(), ...check(await world.logs(), { isQuiet: true, needsOutcome: true, ...more })]
}
