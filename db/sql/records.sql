-- What the drain writes (db/drain_rows.c makes the parameters): each statement takes many rows at once, as one array
-- for each column. Each may be executed twice, and late, without harm: docs/data.md, "Twice is once". In one execution
-- of the first two no key may occur twice.

-- name: dialer_call_upsert
-- arrays: $1 dialer_call_id $2 tenant_id $3 subject $4-$6 to name type id $7-$9 from name type id $10 phone_number $11 direction $12 status $13 agent_id $14 phone_call_id $15-$19 calls no_answers busies connects aborts $20 did_connect $21 dnis $22 retry_on $23 is_callback $24 call_id $25 version $26 writer_id $27 record $28 created_on $29 modified_on
insert into dialer_calls as d (
	dialer_call_id, tenant_id, subject, to_name, to_type, to_id, from_name, from_type, from_id,
	phone_number, direction, status, agent_id, phone_call_id, calls, no_answers, busies, connects,
	aborts, did_connect, dnis, retry_on, is_callback, call_id, version, writer_id, record,
	created_on, modified_on)
select *
from unnest(
	$1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
	$10::text[], $11::text[], $12::text[], $13::uuid[], $14::uuid[], $15::int[], $16::int[], $17::int[], $18::int[],
	$19::int[], $20::bool[], $21::text[], $22::timestamptz[], $23::bool[], $24::uuid[], $25::bigint[], $26::uuid[], $27::bigint[],
	$28::timestamptz[], $29::timestamptz[])
on conflict (dialer_call_id) do update
set subject = excluded.subject,
	to_name = excluded.to_name,
	to_type = excluded.to_type,
	to_id = excluded.to_id,
	from_name = excluded.from_name,
	from_type = excluded.from_type,
	from_id = excluded.from_id,
	phone_number = excluded.phone_number,
	direction = excluded.direction,
	status = excluded.status,
	agent_id = excluded.agent_id,
	phone_call_id = case
		when d.call_id is distinct from excluded.call_id then coalesce(excluded.phone_call_id, d.phone_call_id)
		else coalesce(d.phone_call_id, excluded.phone_call_id)
	end,
	calls = excluded.calls,
	no_answers = excluded.no_answers,
	busies = excluded.busies,
	connects = excluded.connects,
	aborts = excluded.aborts,
	did_connect = excluded.did_connect,
	dnis = excluded.dnis,
	retry_on = excluded.retry_on,
	is_callback = excluded.is_callback,
	call_id = excluded.call_id,
	version = excluded.version,
	writer_id = excluded.writer_id,
	record = excluded.record,
	modified_on = greatest(d.modified_on, excluded.modified_on)
where d.tenant_id = excluded.tenant_id
	and case
		when d.writer_id = excluded.writer_id then d.record < excluded.record
		else d.call_id is distinct from excluded.call_id or d.version < excluded.version
	end

-- name: event_insert
-- arrays: $1 dialer_call_event_id $2 tenant_id $3 dialer_call_id $4 call_id $5 event_name $6 direction $7 phone_number $8 duration_ms $9 actor $10 reason $11 cause $12 created_on
insert into dialer_call_events as e (
	dialer_call_event_id, tenant_id, dialer_call_id, call_id, event_name, direction, phone_number,
	duration_ms, actor, reason, cause, created_on)
select *
from unnest(
	$1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
	$8::bigint[], $9::text[], $10::text[], $11::int[], $12::timestamptz[])
on conflict (dialer_call_event_id) do update
set duration_ms = excluded.duration_ms
where e.duration_ms is null and excluded.duration_ms is not null

-- name: event_close
-- arrays: $1 dialer_call_event_id $2 duration_ms
update dialer_call_events as e
set duration_ms = greatest(c.duration_ms, 0)
from unnest($1::uuid[], $2::bigint[]) as c (dialer_call_event_id, duration_ms)
where e.dialer_call_event_id = c.dialer_call_event_id and e.duration_ms is null

-- name: result_insert
-- arrays: $1 dialer_call_result_id $2 tenant_id $3 dialer_call_id $4 call_id $5 agent_id $6 direction $7 phone_number $8 result $9 is_automatic $10 subject $11 comment $12 created_on
insert into dialer_call_results (
	dialer_call_result_id, tenant_id, dialer_call_id, call_id, agent_id, direction, phone_number,
	result, is_automatic, subject, comment, created_on)
select *
from unnest(
	$1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
	$8::text[], $9::bool[], $10::text[], $11::text[], $12::timestamptz[])
on conflict (dialer_call_result_id) do nothing

-- name: agent_state_update
-- arrays: $1 agent_id $2 tenant_id $3 state $4 state_reason $5 state_on $6 state_writer_id $7 state_record
update agents as a
set state = s.state,
	state_reason = s.reason,
	state_on = s.state_on,
	state_writer_id = s.writer_id,
	state_record = s.record,
	modified_on = now()
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[], $7::bigint[])
	as s (agent_id, tenant_id, state, reason, state_on, writer_id, record)
where a.agent_id = s.agent_id and a.tenant_id = s.tenant_id
	and (a.state_writer_id is distinct from s.writer_id or a.state_record < s.record)

-- name: recording_insert
-- arrays: $1 tenant_id $2 name $3 location $4 dialer_call_id $5 call_id $6 agent_id $7 begun_on
insert into recordings (tenant_id, name, location, dialer_call_id, call_id, agent_id, begun_on)
select *
from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[])
on conflict (tenant_id, name) do nothing

-- name: recording_end
-- arrays: $1 tenant_id $2 name $3 ended_on $4 duration_ms $5 result
update recordings as r
set ended_on = e.ended_on, duration_ms = e.duration_ms, result = e.result
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::text[])
	as e (tenant_id, name, ended_on, duration_ms, result)
where r.tenant_id = e.tenant_id and r.name = e.name and r.ended_on is null

-- name: journal_position
-- $1 node $2 journal_id -> seq: everything up to this number is stored; no row: nothing is
select seq
from gateway_journal
where node = $1 and journal_id = $2

-- name: journal_move
-- $1 node $2 journal_id $3 seq as it must be now (0 = no row yet, or 0) $4 seq from now on $5 tenant_id $6 epoch of the lease, null = not looked at -> seq; no row: somebody else has moved it, or serves this node
with lease as materialized (
	select
	from gateway_leases
	where $6::bigint is not null and tenant_id = $5 and node = $1 and epoch = $6
	for share
)
insert into gateway_journal as j (node, journal_id, seq)
select $1::text, $2::uuid, $4::bigint
where $6::bigint is null or exists (select from lease)
on conflict (node, journal_id) do update
set seq = excluded.seq, modified_on = now()
where j.seq = $3::bigint
returning seq

-- name: drain_end_backend
-- $1 pid of the drain's connection that was given up: it may still hold locks -> ended
select pg_terminate_backend(pid) as ended
from pg_stat_activity
where pid = $1 and usename = current_user and application_name = 'calltab records' and pid <> pg_backend_pid()
