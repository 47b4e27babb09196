-- Who may come in. Hashes travel as hexadecimal text.

-- name: session_insert
-- $1 session_id $2 tenant_id $3 agent_id $4 token_hash $5 expires_on
insert into sessions (session_id, tenant_id, agent_id, token_hash, expires_on)
values ($1, $2, $3, decode($4, 'hex'), $5)

-- name: session_by_token
-- $1 token_hash $2 now -> session_id tenant_id agent_id login full_name extension expires_on, of an enabled agent
select s.session_id, s.tenant_id, s.agent_id, a.login, a.full_name, a.extension, s.expires_on
from sessions s
join agents a on a.agent_id = s.agent_id
where s.token_hash = decode($1, 'hex') and s.expires_on > $2 and a.is_enabled

-- name: session_delete
-- $1 session_id -> session_id
delete from sessions
where session_id = $1
returning session_id

-- name: session_delete_expired
-- $1 now -> session_id of each
delete from sessions
where expires_on <= $1
returning session_id

-- name: link_insert
-- $1 link_hash $2 tenant_id $3 agent_id $4 expires_on
insert into sign_in_links (link_hash, tenant_id, agent_id, expires_on)
values (decode($1, 'hex'), $2, $3, $4)

-- name: link_take
-- $1 link_hash $2 now -> tenant_id agent_id login full_name extension is_enabled; the link is gone, whoever asks next finds nothing
with taken as (
	delete from sign_in_links
	where link_hash = decode($1, 'hex')
	returning tenant_id, agent_id, expires_on
)
select t.tenant_id, t.agent_id, a.login, a.full_name, a.extension, a.is_enabled
from taken t
join agents a on a.agent_id = t.agent_id
where t.expires_on > $2

-- name: link_delete_expired
-- $1 now -> agent_id of each
delete from sign_in_links
where expires_on <= $1
returning agent_id

-- name: key_insert
-- $1 api_key_id $2 tenant_id $3 name $4 prefix $5 secret_hash $6 scopes $7 expires_on
insert into api_keys (api_key_id, tenant_id, name, prefix, secret_hash, scopes, expires_on)
values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7)

-- name: key_by_prefix
-- $1 prefix $2 now -> api_key_id tenant_id name secret_hash (hexadecimal) scopes, if valid
select api_key_id, tenant_id, name, encode(secret_hash, 'hex') as secret_hash, scopes
from api_keys
where prefix = $1 and revoked_on is null and (expires_on is null or expires_on > $2)

-- name: key_list
-- $1 tenant_id -> api_key_id name prefix scopes created_on expires_on revoked_on, oldest first
select api_key_id, name, prefix, scopes, created_on, expires_on, revoked_on
from api_keys
where tenant_id = $1
order by created_on, api_key_id

-- name: key_revoke
-- $1 tenant_id $2 name $3 now -> api_key_id
update api_keys
set revoked_on = $3
where tenant_id = $1 and name = $2 and revoked_on is null
returning api_key_id
