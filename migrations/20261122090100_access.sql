-- Who may come in: sessions of agents, one-use sign-in links, keys of programs. Only hashes of secrets are kept.

-- migrate:up
create table sessions (
	session_id uuid primary key,
	tenant_id uuid not null references tenants,
	agent_id uuid not null references agents,
	token_hash bytea not null unique,
	created_on timestamptz(3) not null default now(),
	expires_on timestamptz(3) not null
);
create index sessions_by_expiry on sessions (expires_on);

create table sign_in_links (
	link_hash bytea primary key,
	tenant_id uuid not null references tenants,
	agent_id uuid not null references agents,
	expires_on timestamptz(3) not null
);

create table api_keys (
	api_key_id uuid primary key,
	tenant_id uuid not null references tenants,
	name varchar(100) not null check (name <> ''),
	-- the first part of the key, shown in lists
	prefix varchar(16) not null unique,
	secret_hash bytea not null,
	-- words separated by one space
	scopes varchar(500) not null,
	created_on timestamptz(3) not null default now(),
	expires_on timestamptz(3),
	revoked_on timestamptz(3)
);
-- a revoked key stays for the record and its name may be given again
create unique index api_keys_one_per_name on api_keys (tenant_id, name) where revoked_on is null;

-- The service reads and writes rows and can do nothing else. `calltab migrate up` runs as the owner; the role
-- calltab_service has no login of its own: grant it to the role that `calltab serve` connects as.
do $$
begin
	if not exists (select from pg_roles where rolname = 'calltab_service') then
		create role calltab_service nologin;
	end if;
exception when duplicate_object or unique_violation then
	null;
end
$$;
do $$
begin
	execute format('grant usage on schema %I to calltab_service', current_schema());
end
$$;
grant select on tenants, schema_migrations to calltab_service;
grant select, insert, update, delete on agents, queues, outcomes, contacts, sessions, sign_in_links, api_keys to calltab_service;
-- What has happened stays: no deletes, an event's end is all of it that may change, a result never does.
grant select, insert, update on dialer_calls to calltab_service;
grant select, insert, update (duration_ms) on dialer_call_events to calltab_service;
grant select, insert on dialer_call_results to calltab_service;

-- migrate:down
revoke all on dialer_calls, dialer_call_events, dialer_call_results, agents, queues, outcomes, contacts,
	sessions, sign_in_links, api_keys, tenants, schema_migrations from calltab_service;
do $$
begin
	execute format('revoke usage on schema %I from calltab_service', current_schema());
end
$$;
drop table api_keys;
drop table sign_in_links;
drop table sessions;
