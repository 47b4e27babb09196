-- The three entities of the published API as the doors show them. Columns bear the names of the wire.

-- name: dialer_call_list
-- $1 tenant_id $2 limit $3 offset -> all columns, oldest first
select d.dialer_call_id as "dialerCallId",
	d.subject,
	d.to_name as "to",
	d.phone_number as "phoneNumber",
	d.direction,
	d.status,
	d.agent_id as "agent",
	a.full_name as "agentName",
	d.phone_call_id as "phoneCallId",
	d.crm_record_ref as "crmRecordRef",
	d.calls,
	d.no_answers as "noAnswers",
	d.busies,
	d.connects,
	d.aborts,
	d.did_connect as "didConnect",
	d.computed_outcome as "computedOutcome",
	d.retry_on as "retryOn",
	d.created_on as "createdOn",
	d.modified_on as "modifiedOn"
from dialer_calls d
left join agents a on a.agent_id = d.agent_id
where d.tenant_id = $1
order by d.created_on, d.dialer_call_id
limit $2 offset $3

-- name: dialer_call_count
-- $1 tenant_id -> count
select count(*) as count
from dialer_calls
where tenant_id = $1

-- name: dialer_call_get
-- $1 tenant_id $2 dialer_call_id -> the columns of dialer_call_list
select d.dialer_call_id as "dialerCallId",
	d.subject,
	d.to_name as "to",
	d.phone_number as "phoneNumber",
	d.direction,
	d.status,
	d.agent_id as "agent",
	a.full_name as "agentName",
	d.phone_call_id as "phoneCallId",
	d.crm_record_ref as "crmRecordRef",
	d.calls,
	d.no_answers as "noAnswers",
	d.busies,
	d.connects,
	d.aborts,
	d.did_connect as "didConnect",
	d.computed_outcome as "computedOutcome",
	d.retry_on as "retryOn",
	d.created_on as "createdOn",
	d.modified_on as "modifiedOn"
from dialer_calls d
left join agents a on a.agent_id = d.agent_id
where d.tenant_id = $1 and d.dialer_call_id = $2

-- name: event_list
-- $1 tenant_id $2 limit $3 offset -> all columns, oldest first; duration: whole seconds, as the seconds of the clock that passed, so that a call's durations add up to its length
select dialer_call_event_id as "dialerCallEventId",
	dialer_call_id as "dialerCallId",
	event_name as "eventName",
	direction,
	phone_number as "phoneNumber",
	(floor(extract(epoch from created_on) + duration_ms / 1000.0)
		- floor(extract(epoch from created_on)))::integer as "duration",
	created_on as "createdOn"
from dialer_call_events
where tenant_id = $1
order by created_on, dialer_call_event_id
limit $2 offset $3

-- name: event_count
-- $1 tenant_id -> count
select count(*) as count
from dialer_call_events
where tenant_id = $1

-- name: event_get
-- $1 tenant_id $2 dialer_call_event_id -> the columns of event_list
select dialer_call_event_id as "dialerCallEventId",
	dialer_call_id as "dialerCallId",
	event_name as "eventName",
	direction,
	phone_number as "phoneNumber",
	(floor(extract(epoch from created_on) + duration_ms / 1000.0)
		- floor(extract(epoch from created_on)))::integer as "duration",
	created_on as "createdOn"
from dialer_call_events
where tenant_id = $1 and dialer_call_event_id = $2

-- name: event_list_of_call
-- $1 tenant_id $2 dialer_call_id $3 limit $4 offset -> the columns of event_list, oldest first
select dialer_call_event_id as "dialerCallEventId",
	dialer_call_id as "dialerCallId",
	event_name as "eventName",
	direction,
	phone_number as "phoneNumber",
	(floor(extract(epoch from created_on) + duration_ms / 1000.0)
		- floor(extract(epoch from created_on)))::integer as "duration",
	created_on as "createdOn"
from dialer_call_events
where tenant_id = $1 and dialer_call_id = $2
order by created_on, dialer_call_event_id
limit $3 offset $4

-- name: result_list
-- $1 tenant_id $2 limit $3 offset -> all columns, oldest first
select r.dialer_call_result_id as "dialerCallResultId",
	r.dialer_call_id as "dialerCallId",
	r.agent_id as "agent",
	a.full_name as "agentName",
	r.direction,
	r.phone_number as "phoneNumber",
	r.result,
	r.subject,
	r.comment,
	r.created_on as "createdOn"
from dialer_call_results r
left join agents a on a.agent_id = r.agent_id
where r.tenant_id = $1
order by r.created_on, r.dialer_call_result_id
limit $2 offset $3

-- name: result_count
-- $1 tenant_id -> count
select count(*) as count
from dialer_call_results
where tenant_id = $1

-- name: result_get
-- $1 tenant_id $2 dialer_call_result_id -> the columns of result_list
select r.dialer_call_result_id as "dialerCallResultId",
	r.dialer_call_id as "dialerCallId",
	r.agent_id as "agent",
	a.full_name as "agentName",
	r.direction,
	r.phone_number as "phoneNumber",
	r.result,
	r.subject,
	r.comment,
	r.created_on as "createdOn"
from dialer_call_results r
left join agents a on a.agent_id = r.agent_id
where r.tenant_id = $1 and r.dialer_call_result_id = $2

-- name: result_list_of_call
-- $1 tenant_id $2 dialer_call_id $3 limit $4 offset -> the columns of result_list, oldest first
select r.dialer_call_result_id as "dialerCallResultId",
	r.dialer_call_id as "dialerCallId",
	r.agent_id as "agent",
	a.full_name as "agentName",
	r.direction,
	r.phone_number as "phoneNumber",
	r.result,
	r.subject,
	r.comment,
	r.created_on as "createdOn"
from dialer_call_results r
left join agents a on a.agent_id = r.agent_id
where r.tenant_id = $1 and r.dialer_call_id = $2
order by r.created_on, r.dialer_call_result_id
limit $3 offset $4

-- name: dialer_call_for_attempt
-- $1 tenant_id $2 dialer_call_id -> what a new attempt takes over from the ones before
select dialer_call_id, subject, to_name, to_type, to_id, phone_number, direction, status, phone_call_id,
	calls, no_answers, busies, connects, aborts, did_connect, retry_on, is_callback
from dialer_calls
where tenant_id = $1 and dialer_call_id = $2

-- name: dialer_call_set_computed_outcome
-- $1 tenant_id $2 dialer_call_id $3 computed_outcome -> dialer_call_id
update dialer_calls
set computed_outcome = $3, modified_on = greatest(modified_on, now())
where tenant_id = $1 and dialer_call_id = $2
returning dialer_call_id
