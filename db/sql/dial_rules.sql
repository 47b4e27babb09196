-- Dial rules: prefix and caller of what is dialed.

-- name: setup_dial_rules
-- $1 tenant_id $2 limit -> name campaign queue party_type number_prefix strip prefix caller_number caller_name is_withheld, in their order
select name, campaign, queue, party_type, number_prefix, strip, prefix, caller_number, caller_name, is_withheld
from dial_rules
where tenant_id = $1
order by position, name
limit $2

-- name: dial_rule_list
-- $1 tenant_id -> what the program shows of each, in their order
select name, position, campaign, queue, party_type as customer, number_prefix as number, strip, prefix,
	caller_number as "callerNumber", caller_name as "callerName", is_withheld as withheld
from dial_rules
where tenant_id = $1
order by position, name

-- name: dial_rule_put
-- $1 tenant_id $2 name $3 position $4 campaign $5 queue $6 party_type $7 number_prefix $8 strip $9 prefix $10 caller_number $11 caller_name $12 is_withheld $13 the most there may be -> is_new; no row: there are too many
insert into dial_rules as d (tenant_id, name, position, campaign, queue, party_type, number_prefix, strip, prefix,
	caller_number, caller_name, is_withheld)
select $1::uuid, $2::text, $3::integer, $4::text, $5::text, $6::text, $7::text, $8::integer, $9::text, $10::text,
	$11::text, $12::boolean
where exists (select from dial_rules where tenant_id = $1 and name = $2)
	or (select count(*) from dial_rules where tenant_id = $1) < $13
on conflict (tenant_id, name) do update
set position = excluded.position, campaign = excluded.campaign, queue = excluded.queue,
	party_type = excluded.party_type, number_prefix = excluded.number_prefix, strip = excluded.strip,
	prefix = excluded.prefix, caller_number = excluded.caller_number, caller_name = excluded.caller_name,
	is_withheld = excluded.is_withheld, modified_on = now()
returning d.xmax = 0 as is_new

-- name: dial_rule_delete
-- $1 tenant_id $2 name -> name
delete from dial_rules
where tenant_id = $1 and name = $2
returning name
