-- What the record writer writes (db/record_rows.c makes the parameters). Each may be executed twice, and
-- late, without harm: docs/data.md, "Twice is once".

-- name: dialer_call_upsert
-- $1 dialer_call_id $2 tenant_id $3 subject $4-$6 to name type id $7-$9 from name type id $10 phone_number $11 direction $12 status $13 agent_id $14 phone_call_id $15-$19 calls no_answers busies connects aborts $20 did_connect $21 dnis $22 retry_on $23 is_callback $24 call_id $25 version $26 writer_id $27 record $28 created_on $29 modified_on
insert into dialer_calls as d (
	dialer_call_id, tenant_id, subject, to_name, to_type, to_id, from_name, from_type, from_id,
	phone_number, direction, status, agent_id, phone_call_id, calls, no_answers, busies, connects,
	aborts, did_connect, dnis, retry_on, is_callback, call_id, version, writer_id, record,
	created_on, modified_on)
values (
	$1, $2, $3, $4, $5, $6, $7, $8, $9,
	$10, $11, $12, $13, $14, $15, $16, $17, $18,
	$19, $20, $21, $22, $23, $24, $25, $26, $27,
	$28, $29)
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
-- $1 dialer_call_event_id $2 tenant_id $3 dialer_call_id $4 call_id $5 event_name $6 direction $7 phone_number $8 duration_ms $9 actor $10 reason $11 cause $12 created_on
insert into dialer_call_events (
	dialer_call_event_id, tenant_id, dialer_call_id, call_id, event_name, direction, phone_number,
	duration_ms, actor, reason, cause, created_on)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (dialer_call_event_id) do nothing

-- name: event_close
-- $1 dialer_call_event_id $2 duration_ms
update dialer_call_events
set duration_ms = greatest($2::bigint, 0)
where dialer_call_event_id = $1 and duration_ms is null

-- name: result_insert
-- $1 dialer_call_result_id $2 tenant_id $3 dialer_call_id $4 call_id $5 agent_id $6 direction $7 phone_number $8 result $9 is_automatic $10 subject $11 comment $12 created_on
insert into dialer_call_results (
	dialer_call_result_id, tenant_id, dialer_call_id, call_id, agent_id, direction, phone_number,
	result, is_automatic, subject, comment, created_on)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (dialer_call_result_id) do nothing

-- name: agent_state_update
-- $1 agent_id $2 tenant_id $3 state $4 state_reason $5 state_on $6 state_writer_id $7 state_record
update agents
set state = $3, state_reason = $4, state_on = $5, state_writer_id = $6, state_record = $7, modified_on = now()
where agent_id = $1 and tenant_id = $2
	and (state_writer_id is distinct from $6 or state_record < $7)

-- name: record_end_backend
-- $1 pid of the writer's connection that was given up: it may still hold locks -> ended
select pg_terminate_backend(pid) as ended
from pg_stat_activity
where pid = $1 and usename = current_user and application_name = 'calltab records' and pid <> pg_backend_pid()
