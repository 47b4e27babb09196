-- Of the HTTP routes: how many rows a set has.

-- name: dialer_call_count
-- $1 tenant_id -> count
select count(*) as count
from dialer_calls
where tenant_id = $1

-- name: event_count
-- $1 tenant_id -> count
select count(*) as count
from dialer_call_events
where tenant_id = $1

-- name: result_count
-- $1 tenant_id -> count
select count(*) as count
from dialer_call_results
where tenant_id = $1

-- name: agent_count
-- $1 tenant_id -> count
select count(*) as count
from agents
where tenant_id = $1

-- name: queue_count
-- $1 tenant_id -> count
select count(*) as count
from queues
where tenant_id = $1

-- name: outcome_count
-- $1 tenant_id -> count
select count(*) as count
from outcomes
where tenant_id = $1
