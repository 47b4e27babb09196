-- The files that the switch has written (docs/recordings.md): one row for each part, from its beginning on.

-- migrate:up
create table recordings (
	tenant_id uuid not null references tenants,
	-- of the file at the switch, without its ending
	name varchar(64) not null check (name <> ''),
	-- where it is, in the words of the switch: asterisk:recording/<name>.wav
	location varchar(100) not null default '',
	dialer_call_id uuid not null references dialer_calls,
	-- the presentation on a tab in which it was begun
	call_id uuid not null,
	agent_id uuid references agents,
	begun_on timestamptz(3) not null,
	-- null while it goes on; for good when the gateway was away at its end and the call was over by then
	ended_on timestamptz(3),
	-- null when nobody knows it
	duration_ms bigint check (duration_ms >= 0),
	-- '' while it goes on
	result varchar(16) not null default '' check (result in ('', 'ok', 'failed', 'lost')),
	primary key (tenant_id, name)
);
create index recordings_by_call on recordings (dialer_call_id, begun_on, name);
grant select, insert, update on recordings to calltab_service;

-- migrate:down
drop table recordings;
