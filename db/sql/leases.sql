-- One gateway for a node and a switch (db/lease.c). The lock is a session's; the row says whose it is.

-- name: lease_lock
-- $1 what is locked -> is_mine: held until the connection ends
select pg_try_advisory_lock(hashtextextended($1::text, 0)) as is_mine

-- name: lease_unlock
-- $1 what is locked -> was_mine
select pg_advisory_unlock(hashtextextended($1::text, 0)) as was_mine

-- name: lease_end_holder
-- $1 what is locked $2 pid, null = any -> ended: of each session but this one that holds it
select pg_terminate_backend(pid) as ended
from pg_locks
where locktype = 'advisory' and granted and objsubid = 1 and pid <> pg_backend_pid()
	and ($2::bigint is null or pid = $2)
	and database = (select oid from pg_database where datname = current_database())
	and classid = ((hashtextextended($1::text, 0) >> 32) & 4294967295)::oid
	and objid = (hashtextextended($1::text, 0) & 4294967295)::oid

-- name: lease_holder
-- $1 tenant_id $2 node $3 switch_name -> node, epoch, instance_id, host, pid, journal_id, since: who serves either and has not ended in order
select node, epoch, instance_id, host, pid, journal_id, created_on as since
from gateway_leases
where tenant_id = $1 and released_on is null and (node = $2 or ($3::text <> '' and switch_name = $3))
order by node = $2 desc, created_on desc
limit 1

-- name: lease_claim
-- $1 tenant_id $2 node $3 switch_name $4 instance_id $5 host $6 pid -> epoch; whoever served before has lost both
with others as (
	update gateway_leases
	set epoch = epoch + 1, released_on = now(), modified_on = now()
	where tenant_id = $1 and node <> $2 and $3::text <> '' and switch_name = $3 and released_on is null
)
insert into gateway_leases as l (tenant_id, node, epoch, instance_id, host, pid, switch_name)
values ($1, $2, 1, $4, $5, $6, $3)
on conflict (tenant_id, node) do update
set epoch = l.epoch + 1, instance_id = excluded.instance_id, host = excluded.host, pid = excluded.pid,
	switch_name = excluded.switch_name, journal_id = null, wanted_by = null, released_on = null,
	created_on = now(), modified_on = now()
returning epoch

-- name: lease_look
-- $1 tenant_id $2 node -> epoch, wanted_by, host, pid
select epoch, wanted_by, host, pid
from gateway_leases
where tenant_id = $1 and node = $2

-- name: lease_want
-- $1 tenant_id $2 node $3 epoch $4 wanted_by: its holder is asked to end
update gateway_leases
set wanted_by = $4, modified_on = now()
where tenant_id = $1 and node = $2 and epoch = $3

-- name: lease_journal
-- $1 tenant_id $2 node $3 epoch $4 journal_id
update gateway_leases
set journal_id = $4, modified_on = now()
where tenant_id = $1 and node = $2 and epoch = $3

-- name: lease_release
-- $1 tenant_id $2 node $3 epoch
update gateway_leases
set released_on = now(), wanted_by = null, modified_on = now()
where tenant_id = $1 and node = $2 and epoch = $3

-- name: lease_restore
-- $1 tenant_id $2 node $3 switch_name $4 instance_id $5 host $6 pid $7 epoch: the row was lost with a database that failed over to an older copy
insert into gateway_leases as l (tenant_id, node, epoch, instance_id, host, pid, switch_name)
values ($1, $2, $7, $4, $5, $6, $3)
on conflict (tenant_id, node) do update
set epoch = excluded.epoch, instance_id = excluded.instance_id, host = excluded.host, pid = excluded.pid,
	switch_name = excluded.switch_name, wanted_by = null, released_on = null, modified_on = now()
where l.epoch < excluded.epoch
