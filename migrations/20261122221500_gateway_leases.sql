-- Who serves a node and a switch: one gateway at a time (docs/operations.md). The lock itself is a session's advisory
-- lock; this says whose it is, and its epoch tells one that was cut off that another has taken over meanwhile.

-- migrate:up
create table gateway_leases (
	tenant_id uuid not null,
	node varchar(8) not null,
	-- grows with every gateway that begins to serve
	epoch bigint not null check (epoch > 0),
	instance_id uuid not null,
	-- where it runs: of the machine and the program
	host varchar(64) not null,
	pid bigint not null,
	-- '' = a simulated one, which nobody else can reach
	switch_name varchar(200) not null,
	-- the journal it writes; null until it is open
	journal_id uuid,
	-- who waits for its end
	wanted_by varchar(100),
	-- null: not ended in order
	released_on timestamptz(3),
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	primary key (tenant_id, node)
);
grant select, insert, update on gateway_leases to calltab_service;

-- migrate:down
drop table gateway_leases;
