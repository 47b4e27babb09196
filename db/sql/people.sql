-- Agents, queues, outcomes, contacts: as the doors show them (columns bear the names of the wire), as control
-- loads them at start (setup_...), as the commands of the program change them.

-- name: agent_list
-- $1 tenant_id $2 limit $3 offset -> all columns, oldest first
select agent_id as "agentId", full_name as "fullName", extension, state, modified_on as "modifiedOn"
from agents
where tenant_id = $1
order by created_on, agent_id
limit $2 offset $3

-- name: agent_count
-- $1 tenant_id -> count
select count(*) as count
from agents
where tenant_id = $1

-- name: agent_get
-- $1 tenant_id $2 agent_id -> the columns of agent_list
select agent_id as "agentId", full_name as "fullName", extension, state, modified_on as "modifiedOn"
from agents
where tenant_id = $1 and agent_id = $2

-- name: queue_list
-- $1 tenant_id $2 limit $3 offset -> all columns, oldest first
select queue_id as "queueId", name, phone_number as "phoneNumber", modified_on as "modifiedOn"
from queues
where tenant_id = $1
order by created_on, queue_id
limit $2 offset $3

-- name: queue_count
-- $1 tenant_id -> count
select count(*) as count
from queues
where tenant_id = $1

-- name: queue_get
-- $1 tenant_id $2 queue_id -> the columns of queue_list
select queue_id as "queueId", name, phone_number as "phoneNumber", modified_on as "modifiedOn"
from queues
where tenant_id = $1 and queue_id = $2

-- name: outcome_list
-- $1 tenant_id $2 limit $3 offset -> all columns, in the order agents see them
select outcome_id as "outcomeId", name, is_connect_xor_abort as "isConnectXorAbort",
	system_for <> '' as "isAutomatic", modified_on as "modifiedOn"
from outcomes
where tenant_id = $1
order by sort_order, name, outcome_id
limit $2 offset $3

-- name: outcome_count
-- $1 tenant_id -> count
select count(*) as count
from outcomes
where tenant_id = $1

-- name: outcome_get
-- $1 tenant_id $2 outcome_id -> the columns of outcome_list
select outcome_id as "outcomeId", name, is_connect_xor_abort as "isConnectXorAbort",
	system_for <> '' as "isAutomatic", modified_on as "modifiedOn"
from outcomes
where tenant_id = $1 and outcome_id = $2

-- name: setup_agents
-- $1 tenant_id -> agent_id login full_name extension cc_agent_id audio_mode
select agent_id, login, full_name, extension, cc_agent_id, audio_mode
from agents
where tenant_id = $1 and is_enabled
order by created_on, agent_id

-- name: setup_queues
-- $1 tenant_id -> queue_id name phone_number wrap_seconds script_url
select queue_id, name, phone_number, wrap_seconds, script_url
from queues
where tenant_id = $1
order by created_on, queue_id

-- name: setup_outcomes
-- $1 tenant_id -> outcome_id name is_connect_xor_abort system_for is_default is_retry retry_after_seconds
select outcome_id, name, is_connect_xor_abort, system_for, is_default, is_retry, retry_after_seconds
from outcomes
where tenant_id = $1
order by sort_order, name, outcome_id

-- name: agent_insert
-- $1 agent_id $2 tenant_id $3 login $4 password_hash $5 full_name $6 extension $7 cc_agent_id
insert into agents (agent_id, tenant_id, login, password_hash, full_name, extension, cc_agent_id)
values ($1, $2, $3, $4, $5, $6, $7)

-- name: agent_set_password
-- $1 tenant_id $2 login $3 password_hash -> agent_id
update agents
set password_hash = $3, modified_on = now()
where tenant_id = $1 and login = $2
returning agent_id

-- name: agent_set_enabled
-- $1 tenant_id $2 login $3 is_enabled -> agent_id
update agents
set is_enabled = $3, modified_on = now()
where tenant_id = $1 and login = $2
returning agent_id

-- name: agent_set_audio
-- $1 tenant_id $2 login $3 audio_mode -> agent_id
update agents
set audio_mode = $3, modified_on = now()
where tenant_id = $1 and login = $2
returning agent_id

-- name: agent_by_login
-- $1 tenant_id $2 login -> agent_id login full_name extension cc_agent_id password_hash is_enabled
select agent_id, login, full_name, extension, cc_agent_id, password_hash, is_enabled
from agents
where tenant_id = $1 and login = $2

-- name: agent_details
-- $1 tenant_id -> what `calltab agent list` prints
select agent_id, login, full_name, extension, cc_agent_id, audio_mode, state, state_on, is_enabled,
	password_hash is not null as has_password
from agents
where tenant_id = $1
order by login

-- name: queue_upsert
-- $1 queue_id (of a new one) $2 tenant_id $3 name $4 phone_number $5 wrap_seconds $6 script_url -> queue_id
insert into queues as q (queue_id, tenant_id, name, phone_number, wrap_seconds, script_url)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, name) do update
set phone_number = excluded.phone_number,
	wrap_seconds = excluded.wrap_seconds,
	script_url = excluded.script_url,
	modified_on = now()
returning queue_id

-- name: outcome_upsert
-- $1 outcome_id (of a new one) $2 tenant_id $3 name $4 is_connect_xor_abort $5 system_for $6 is_default $7 is_retry $8 retry_after_seconds $9 sort_order -> outcome_id
insert into outcomes as o (
	outcome_id, tenant_id, name, is_connect_xor_abort, system_for, is_default, is_retry,
	retry_after_seconds, sort_order)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id, name) do update
set is_connect_xor_abort = excluded.is_connect_xor_abort,
	system_for = excluded.system_for,
	is_default = excluded.is_default,
	is_retry = excluded.is_retry,
	retry_after_seconds = excluded.retry_after_seconds,
	sort_order = excluded.sort_order,
	modified_on = now()
returning outcome_id

-- name: contact_upsert
-- $1 contact_id (of a new one) $2 tenant_id $3 full_name $4 phone_number $5 kind -> contact_id
insert into contacts as c (contact_id, tenant_id, full_name, phone_number, kind)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, full_name) do update
set phone_number = excluded.phone_number,
	kind = excluded.kind,
	modified_on = now()
returning contact_id

-- name: contact_list
-- $1 tenant_id $2 limit $3 offset -> contact_id full_name phone_number kind, by name
select contact_id, full_name, phone_number, kind
from contacts
where tenant_id = $1
order by full_name, contact_id
limit $2 offset $3

-- name: contact_by_number
-- $1 tenant_id $2 phone_number -> contact_id full_name phone_number kind, oldest first, at most 10
select contact_id, full_name, phone_number, kind
from contacts
where tenant_id = $1 and phone_number = $2
order by created_on, contact_id
limit 10
