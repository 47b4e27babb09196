-- Dial rules: prefix and caller by campaign, queue, customer and number (docs/numbers.md). The first that holds wins, by
-- position, then name.

-- migrate:up
create table dial_rules (
	tenant_id uuid not null references tenants,
	name varchar(32) not null check (name ~ '^[A-Za-z0-9._-]{1,32}$'),
	position integer not null default 100 check (position between 0 and 1000000),
	-- conditions; empty: always
	campaign varchar(200) not null default '',
	queue varchar(80) not null default '',
	party_type varchar(32) not null default '',
	number_prefix varchar(16) not null default '' check (number_prefix ~ '^[+]?[0-9]*$'),
	-- what is done
	strip integer not null default 0 check (strip between 0 and 16),
	prefix varchar(16) not null default '' check (prefix ~ '^[0-9*#+]*$'),
	caller_number varchar(32) not null default '' check (caller_number ~ '^([+]?[0-9]{2,15})?$'),
	caller_name varchar(80) not null default '' check (caller_name !~ '[[:cntrl:]"\\]'),
	is_withheld boolean not null default false,
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	primary key (tenant_id, name),
	check (not is_withheld or (caller_number = '' and caller_name = ''))
);
grant select, insert, update, delete on dial_rules to calltab_service;

-- migrate:down
drop table dial_rules;
