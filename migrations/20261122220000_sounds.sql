-- What may be played into a call: converted when it is uploaded (docs/sounds.md), served to the switch from here.

-- migrate:up
create table sounds (
	tenant_id uuid not null references tenants,
	name varchar(64) not null check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
	-- a WAV file: 8 kHz, mono, 16 bit
	body bytea not null check (octet_length(body) <= 10000000),
	duration_ms integer not null check (duration_ms > 0),
	-- of the body
	sha256 char(64) not null check (sha256 ~ '^[0-9a-f]{64}$'),
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	primary key (tenant_id, name)
);
grant select, insert, update, delete on sounds to calltab_service;

-- migrate:down
drop table sounds;
