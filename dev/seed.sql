-- What a newcomer finds after the first dev/run, and every test database: two agents, a queue, outcomes, contacts.
-- The agents have no password: they come in by `calltab agent link` (or set one with `calltab agent password`).
-- Running it again changes nothing.
begin;

insert into agents (agent_id, tenant_id, login, full_name, extension, cc_agent_id) values
	('01900000-0000-7000-8000-000000001001', '00000000-0000-7000-8000-000000000001', '1001', 'Ada Example', '1001', 'A1001'),
	('01900000-0000-7000-8000-000000001002', '00000000-0000-7000-8000-000000000001', '1002', 'Ben Example', '1002', 'A1002')
on conflict do nothing;

insert into queues (queue_id, tenant_id, name, phone_number, wrap_seconds, script_url) values
	('01900000-0000-7000-8000-000000002001', '00000000-0000-7000-8000-000000000001', 'Service', '5000', 0, '')
on conflict do nothing;

-- system_for: replaces the system's outcome of the same meaning. An attempt that reached talk and is not in this
-- list when wrap ends gets none: the agent is asked.
insert into outcomes (outcome_id, tenant_id, name, is_connect_xor_abort, system_for, is_default, is_retry, retry_after_seconds, sort_order) values
	('01900000-0000-7000-8000-000000003001', '00000000-0000-7000-8000-000000000001', 'Sale', true, '', false, false, 0, 10),
	('01900000-0000-7000-8000-000000003002', '00000000-0000-7000-8000-000000000001', 'Not interested', true, '', false, false, 0, 20),
	('01900000-0000-7000-8000-000000003003', '00000000-0000-7000-8000-000000000001', 'Call back', true, '', false, true, 86400, 30),
	('01900000-0000-7000-8000-000000003004', '00000000-0000-7000-8000-000000000001', 'Voice Mail', false, '', false, true, 14400, 40),
	('01900000-0000-7000-8000-000000003005', '00000000-0000-7000-8000-000000000001', 'Wrong number', false, '', false, false, 0, 50),
	('01900000-0000-7000-8000-000000003006', '00000000-0000-7000-8000-000000000001', 'No Answer', false, 'noanswer', false, true, 7200, 60)
on conflict do nothing;

insert into contacts (contact_id, tenant_id, full_name, phone_number, kind) values
	('01900000-0000-7000-8000-000000004001', '00000000-0000-7000-8000-000000000001', 'Clara Customer', '+15550100001', 'contact'),
	('01900000-0000-7000-8000-000000004002', '00000000-0000-7000-8000-000000000001', 'David Dealer', '+15550100002', 'account'),
	('01900000-0000-7000-8000-000000004003', '00000000-0000-7000-8000-000000000001', 'Eva Enquiry', '+15550100003', 'lead'),
	('01900000-0000-7000-8000-000000004004', '00000000-0000-7000-8000-000000000001', 'Felix Friend', '+15550100004', 'contact')
on conflict do nothing;

commit;
