/* Many agents at once, with sessions that come with the database: signing in five hundred is rarely what is tested.
 *
 *   const crew = await addAgents(database, 100)                     // [{login: '2001', agentId, token}, ...]; the login is the extension
 *   const gateway = await startGateway({ database })                // reads them when it starts
 *   const tab = await openTab(gateway, crew[0], { tab: 1 })         // a RawTab, attached */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { RawTab } from './raw_tab.mjs'

const TENANT = '00000000-0000-7000-8000-000000000001'
const FIRST_LOGIN = 2001

export async function addAgents(database, count, nameOf = (i) => String(FIRST_LOGIN + i)) {
  const crew = Array.from({ length: count }, (_, i) => ({ login: nameOf(i), agentId: randomUUID(), token: `ctss_${randomBytes(32).toString('base64url')}` }))
  const ids = crew.map(({ agentId }) => agentId)
  const hashes = crew.map(({ token }) => createHash('sha256').update(token).digest('hex'))
  await database.query(
    `insert into agents (agent_id, tenant_id, login, full_name, extension)
     select a.id::uuid, $1, a.login, 'Lab ' || a.login, a.login from unnest($2::text[], $3::text[]) as a (id, login)`,
    [TENANT, ids, crew.map(({ login }) => login)])
  await database.query(
    `insert into sessions (session_id, tenant_id, agent_id, token_hash, expires_on)
     select gen_random_uuid(), $1, s.id::uuid, decode(s.hash, 'hex'), now() + interval '1 day' from unnest($2::text[], $3::text[]) as s (id, hash)`,
    [TENANT, ids, hashes])
  return crew
}

export async function openTab(gateway, { token }, params = { tab: 1 }) {
  const { ticket } = await gateway.requestOk('POST', '/api/v1/ws-tickets', { token, origin: gateway.origin })
  const tab = await RawTab.open(gateway.socketUrl, ticket, { origin: gateway.origin })
  await tab.attach(params)
  return tab
}
