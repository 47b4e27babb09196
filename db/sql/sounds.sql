-- Sounds that may be played into a call.

-- name: sound_put
-- $1 tenant_id $2 name $3 body (bytes) $4 duration_ms $5 sha256 $6 most_of_them -> is_new; no row when there are as many as there may be
insert into sounds as s (tenant_id, name, body, duration_ms, sha256)
select $1::uuid, $2::text, $3::bytea, $4::integer, $5::text
where exists (select from sounds where tenant_id = $1 and name = $2)
	or (select count(*) from sounds where tenant_id = $1) < $6
on conflict (tenant_id, name) do update
set body = excluded.body,
	duration_ms = excluded.duration_ms,
	sha256 = excluded.sha256,
	modified_on = now()
returning s.xmax = 0 as is_new

-- name: sound_list
-- $1 tenant_id -> what doors and the program show of each, by name
select name, duration_ms as "durationMs", octet_length(body) as bytes, sha256,
	created_on as "createdOn", modified_on as "modifiedOn"
from sounds
where tenant_id = $1
order by name

-- name: sound_get
-- $1 tenant_id $2 name -> body (bytes) sha256
select body, sha256
from sounds
where tenant_id = $1 and name = $2

-- name: sound_fetch
-- $1 tenant_id $2 name $3 version: the first 32 digits of sha256 -> body (bytes)
select body
from sounds
where tenant_id = $1 and name = $2 and left(sha256, 32) = $3

-- name: sound_delete
-- $1 tenant_id $2 name -> name
delete from sounds
where tenant_id = $1 and name = $2
returning name

-- name: setup_sounds
-- $1 tenant_id $2 limit -> name sha256 duration_ms
select name, sha256, duration_ms
from sounds
where tenant_id = $1
order by name
limit $2
