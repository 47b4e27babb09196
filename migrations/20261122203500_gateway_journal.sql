-- How far the journal of each gateway has been moved into the tables: written in the transaction of the rows
-- themselves, so that each record is stored exactly once (docs/data.md, "Twice is once").

-- migrate:up
create table gateway_journal (
	node varchar(8) not null,
	-- a journal that was begun anew counts from 1 again and has another id
	journal_id uuid not null,
	seq bigint not null check (seq >= 0),
	created_on timestamptz(3) not null default now(),
	modified_on timestamptz(3) not null default now(),
	primary key (node, journal_id)
);
grant select, insert, update on gateway_journal to calltab_service;

-- migrate:down
drop table gateway_journal;
