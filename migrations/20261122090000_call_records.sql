-- Agents, queues, outcomes, contacts, and the three entities of the published API.
-- Every row carries its tenant; keys are UUID version 7; times have millisecond precision, always UTC.

-- migrate:up
create table tenants (
	tenant_id uuid primary key,
	name varchar(100) not null unique,
	created_on timestamptz(3) not null default now()
);
insert into tenants (tenant_id, name) values ('00000000-0000-7000-8000-000000000001', 'default');

create table agents (
	agent_id uuid primary key,
	tenant_id uuid not null references tenants,
	login varchar(32) not null check (login <> ''),
	password_hash varchar(200),
	full_name varchar(80) not null,
	extension varchar(32) not null check (extension <> ''),
	cc_agent_id varchar(32) not null default '',
	state varchar(16) not null default 'LoggedOut'
		check (state in ('LoggedOut', 'LoggedIn', 'Ready', 'Away', 'NotReady')),
	state_reason varchar(32) not null default '',
	state_on timestamptz(3) not null default now(),
	-- which run of the program wrote the state, and its how manieth record that was (docs/data.md, "Twice is once")
	state_writer_id uuid,
	state_record bigint not null default 0,
	is_enabled boolean not null default true,
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	unique (tenant_id, login),
	unique (tenant_id, extension)
);

create table queues (
	queue_id uuid primary key,
	tenant_id uuid not null references tenants,
	name varchar(80) not null check (name <> ''),
	phone_number varchar(32) not null check (phone_number <> ''),
	wrap_seconds integer not null default 0 check (wrap_seconds between 0 and 86400),
	script_url varchar(256) not null default '',
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	unique (tenant_id, name),
	unique (tenant_id, phone_number)
);

create table outcomes (
	outcome_id uuid primary key,
	tenant_id uuid not null references tenants,
	name varchar(100) not null check (name <> ''),
	is_connect_xor_abort boolean not null default false,
	-- replaces the system outcome of the same meaning
	system_for varchar(16) not null default ''
		check (system_for in ('', 'noanswer', 'busy', 'error', 'cancelled', 'rejected', 'deflected', 'missed')),
	is_default boolean not null default false,
	is_retry boolean not null default false,
	retry_after_seconds integer not null default 0 check (retry_after_seconds between 0 and 31536000),
	sort_order integer not null default 0,
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	unique (tenant_id, name)
);
create unique index outcomes_one_default on outcomes (tenant_id) where is_default;
create unique index outcomes_one_per_meaning on outcomes (tenant_id, system_for) where system_for <> '';

create table contacts (
	contact_id uuid primary key,
	tenant_id uuid not null references tenants,
	full_name varchar(80) not null check (full_name <> ''),
	phone_number varchar(32) not null,
	kind varchar(32) not null default 'contact',
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	unique (tenant_id, full_name)
);
create index contacts_by_number on contacts (tenant_id, phone_number);

-- cts_dialerCall: "one entry for each phone call ... used for the lifetime of the phone call"
create table dialer_calls (
	dialer_call_id uuid primary key,
	tenant_id uuid not null references tenants,
	subject varchar(200) not null default '',
	to_name varchar(80) not null default '',
	to_type varchar(32) not null default '',
	to_id varchar(36) not null default '',
	from_name varchar(80) not null default '',
	from_type varchar(32) not null default '',
	from_id varchar(36) not null default '',
	phone_number varchar(32) not null default '',
	direction varchar(16) not null
		check (direction in ('inbound', 'outbound', 'clicktocall', 'transfer', 'ccOutbound')),
	status varchar(16) not null check (status in ('open', 'retry', 'closed')),
	agent_id uuid references agents,
	phone_call_id uuid,
	-- the call's record in a CRM whose keys are no guids; written by integrators only
	crm_record_ref varchar(255),
	calls integer not null default 0,
	no_answers integer not null default 0,
	busies integer not null default 0,
	connects integer not null default 0,
	aborts integer not null default 0,
	did_connect boolean not null default false,
	-- written by integrators only
	computed_outcome varchar(100),
	dnis varchar(32) not null default '',
	retry_on timestamptz(3),
	is_callback boolean not null default false,
	-- the latest presentation on a tab, the version of that call, and who wrote this (docs/data.md, "Twice is once")
	call_id uuid,
	version bigint not null default 0,
	writer_id uuid,
	record bigint not null default 0,
	created_on timestamptz(3) not null,
	modified_on timestamptz(3) not null
);
create index dialer_calls_by_creation on dialer_calls (tenant_id, created_on, dialer_call_id);
create index dialer_calls_by_change on dialer_calls (tenant_id, modified_on, dialer_call_id);

-- cts_dialerCallEvent: "one entry for each event including: talk, ring, idle, error on dial, busy, no answer"
create table dialer_call_events (
	dialer_call_event_id uuid primary key,
	tenant_id uuid not null references tenants,
	dialer_call_id uuid not null references dialer_calls,
	call_id uuid not null,
	event_name varchar(32) not null check (event_name <> ''),
	direction varchar(16) not null
		check (direction in ('inbound', 'outbound', 'clicktocall', 'transfer', 'ccOutbound')),
	phone_number varchar(32) not null default '',
	-- null while the event is still going on
	duration_ms bigint check (duration_ms >= 0),
	actor varchar(16) not null default '',
	reason varchar(32) not null default '',
	cause integer not null default 0,
	created_on timestamptz(3) not null
);
create index dialer_call_events_by_call on dialer_call_events (dialer_call_id, created_on, dialer_call_event_id);
create index dialer_call_events_by_creation on dialer_call_events (tenant_id, created_on, dialer_call_event_id);

-- cts_dialerCallResult: "one entry every time a call gets an outcome"
create table dialer_call_results (
	dialer_call_result_id uuid primary key,
	tenant_id uuid not null references tenants,
	dialer_call_id uuid not null references dialer_calls,
	call_id uuid not null,
	agent_id uuid references agents,
	direction varchar(16) not null
		check (direction in ('inbound', 'outbound', 'clicktocall', 'transfer', 'ccOutbound')),
	phone_number varchar(32) not null default '',
	result varchar(100) not null check (result <> ''),
	is_automatic boolean not null default false,
	subject varchar(200) not null default '',
	-- what the agent says to the outcome
	comment varchar(200) not null default '',
	created_on timestamptz(3) not null
);
create index dialer_call_results_by_call on dialer_call_results (dialer_call_id, created_on, dialer_call_result_id);
create index dialer_call_results_by_creation on dialer_call_results (tenant_id, created_on, dialer_call_result_id);

-- migrate:down
drop table dialer_call_results;
drop table dialer_call_events;
drop table dialer_calls;
drop table contacts;
drop table outcomes;
drop table queues;
drop table agents;
drop table tenants;
