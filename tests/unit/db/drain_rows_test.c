/* Many records as a few statements give the same tables as each record by itself. */
#include "db_test.h"

#include <stdlib.h>

#include "db/conn.h"
#include "db/drain_rows.h"
#include "db/drain_store.h"

#define AGENTS	4
#define CALLS	6
#define RECORDS 600

static struct pg_fixture pg;
static struct uuid agents[AGENTS], calls[CALLS], journal;
static struct record records[RECORDS];
static unsigned random_state = 42;

static unsigned roll(unsigned sides)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % sides;
}

/* --- records: calls that are presented again and again, events that end in time or late --- */

struct life {
	struct uuid call_id, event_id;
	unsigned version;
};

static void make_call(struct record *record, struct life *life, const struct uuid *dialer_call)
{
	struct call_view *call = &record->call;

	if (life->version == 0 || roll(12) == 0)
		*life = (struct life){.call_id = new_id()};
	record->has |= RECORD_CALL;
	call->call_id = life->call_id;
	call->dialer_call_id = *dialer_call;
	call->tenant_id = id_of(TENANT);
	call->version = ++life->version;
	call->agent_id = agents[roll(AGENTS)];
	call->started_at_ms = roll(3) ? record->at_ms - 1000 : 0;
	call->direction = (enum call_direction)roll(DIR_COUNT);
	call->dialer_status = (enum dialer_status)roll(DIALER_STATUS_COUNT);
	call->phone_call_id = roll(3) ? (struct uuid){{0}} : new_id();
	call->retry_at_ms = roll(2) ? record->at_ms + 5000 : 0;
	call->counters.calls = (int)roll(100);
	call->counters.did_connect = roll(2);
	snprintf(call->campaign, sizeof(call->campaign), "subject %u \"{\\} gr\xc3\xbcn", roll(99));
}

static void make_events(struct record *record, struct life *life)
{
	if (!uuid_is_nil(&life->event_id) && roll(2)) {
		record->has |= RECORD_EVENT_CLOSE;
		record->closed_event_id = life->event_id;
		record->closed_duration_ms = (int64_t)roll(10000) - 10;
		life->event_id = (struct uuid){{0}};
	}
	if (roll(3) == 0)
		return;
	record->has |= RECORD_EVENT_OPEN;
	record->event_id = life->event_id = new_id();
	strcpy(record->event_name, roll(2) ? "talk" : "ring");
	record->is_event_instant = roll(5) == 0;
	record->event_at_ms = roll(2) ? record->at_ms - 5 : 0;
}

static void make_records(void)
{
	struct life lives[CALLS] = {0};

	memset(records, 0, sizeof(records));
	for (unsigned i = 0; i < RECORDS; i++) {
		struct record *record = &records[i];
		unsigned c = roll(CALLS);
		record->number = i + 1;
		record->at_ms = 1764000000000 + i * 10;
		make_call(record, &lives[c], &calls[c]);
		make_events(record, &lives[c]);
		if (roll(6) == 0) {
			record->has |= RECORD_RESULT;
			record->result_id = new_id();
			strcpy(record->result, "Sold");
		}
		if (roll(4) == 0) {
			record->has |= RECORD_AGENT;
			record->agent.agent_id = agents[roll(AGENTS)];
			record->agent.tenant_id = id_of(TENANT);
			record->agent.state = (enum agent_state)roll(AGENT_STATE_COUNT);
			snprintf(record->agent.reason, sizeof(record->agent.reason), "r%u", i);
		}
		if (roll(20) == 0)
			record->has |= RECORD_COPY;
	}
}

/* --- storing and comparing --- */

static void new_database(char owner[PG_CONNINFO_SIZE], char gateway[PG_CONNINFO_SIZE])
{
	pg_fixture_database(&pg, true, owner);
	pg_fixture_as(owner, "gateway", gateway);
	for (unsigned i = 0; i < AGENTS; i++)
		pg_fixture_exec(
			owner,
			sql_format("insert into agents (agent_id, tenant_id, login, "
				   "full_name, extension) values ('%s', '%s', '%u', 'A', '%u')",
				   id_text(&agents[i]), TENANT, 1000 + i, 1000 + i));
}

static void store(const char *gateway, unsigned most)
{
	const struct conn_config config = {.conninfo = gateway, .application = "test"};
	struct drain_rows *rows = drain_rows_create();
	struct db_conn conn;
	struct drain_move move = {.node = "n1", .journal_id = journal};

	conn_init(&conn, &config);
	assert_int_equal(conn_open(&conn, false, NULL), ST_OK);
	for (unsigned at = 0, count; at < RECORDS; at += count) {
		count = most > 1 ? 1 + roll(most) : 1;
		count = count > RECORDS - at ? RECORDS - at : count;
		drain_rows_begin(rows, records + at, count, &journal);
		move.from = at;
		move.to = at + count;
		assert_int_equal(drain_store(&conn, rows, &move), STORE_DONE);
	}
	conn_done(&conn);
	drain_rows_destroy(rows);
}

static const char *const tables[][2] = {
	{"dialer_calls", "dialer_call_id"},
	{"dialer_call_events", "dialer_call_event_id"},
	{"dialer_call_results", "dialer_call_result_id"},
	{"(select agent_id, state, state_reason, state_on, state_writer_id, state_record from "
	 "agents)",
	 "agent_id"},
	{"(select node, journal_id, seq from gateway_journal)", "node"},
};

static const char *digest(const char *owner, unsigned table)
{
	return pg_fixture_value(
		owner, sql_format("select count(*) || ' ' || md5(string_agg(t::text, '|' order by "
				  "%s)) from %s as t",
				  tables[table][1], tables[table][0]));
}

static void batches_give_the_tables_that_single_records_give(void **state)
{
	char single[PG_CONNINFO_SIZE], batched[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < AGENTS; i++)
			agents[i] = new_id();
		for (unsigned i = 0; i < CALLS; i++)
			calls[i] = new_id();
		journal = new_id();
		make_records();
		new_database(single, gateway);
		store(gateway, 1);
		new_database(batched, gateway);
		store(gateway, round == 0 ? RECORDS * 2 : 10u << (round * 2));
		for (unsigned t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
			assert_string_equal(digest(single, t), digest(batched, t));
	}
}

/* --- without a database --- */

static void one_record(const struct record *record, struct drain_rows *rows,
		       struct drain_statement *statement)
{
	drain_rows_begin(rows, record, 1, &journal);
	assert_true(drain_rows_next(rows, statement));
}

/* The element of a binary array of one; NULL for a null. */
static const char *element(const struct drain_statement *statement, unsigned column)
{
	const unsigned char *at = (const unsigned char *)statement->values[column] + 20;
	static char text[512];
	unsigned size = (unsigned)at[2] << 8 | at[3];

	if (at[0] == 0xff)
		return NULL;
	memcpy(text, at + 4, size);
	text[size] = '\0';
	return text;
}

static void record_becomes_one_row_per_thing_that_happened(void **state)
{
	const char *const expected[] = {"dialer_call_upsert", "event_insert", "event_close",
					"result_insert", "agent_state_update"};
	struct record record = {.has = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN |
				       RECORD_RESULT | RECORD_AGENT,
				.event_id = {{1}},
				.closed_event_id = {{2}}};
	struct drain_rows *rows = drain_rows_create();
	struct drain_statement statement;

	(void)state;
	drain_rows_begin(rows, &record, 1, &journal);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(drain_rows_next(rows, &statement));
		assert_string_equal(statement.name, expected[i]);
		assert_int_equal(statement.rows, 1);
	}
	assert_false(drain_rows_next(rows, &statement));
	drain_rows_destroy(rows);
}

static void notice_and_copy_have_no_rows(void **state)
{
	const struct record records_without[] = {{.has = RECORD_NOTICE},
						 {.has = RECORD_COPY | RECORD_CALL | RECORD_AGENT}};
	struct drain_rows *rows = drain_rows_create();
	struct drain_statement statement;

	(void)state;
	assert_false(drain_has_rows(records_without[0].has));
	assert_false(drain_has_rows(records_without[1].has));
	drain_rows_begin(rows, records_without, 2, &journal);
	assert_false(drain_rows_next(rows, &statement));
	drain_rows_destroy(rows);
}

static void nil_keys_and_zero_times_are_null(void **state)
{
	struct record record = {.has = RECORD_CALL, .at_ms = 1764000000123};
	struct drain_rows *rows = drain_rows_create();
	struct drain_statement statement;

	(void)state;
	one_record(&record, rows, &statement);
	assert_null(element(&statement, 12));	  /* agent_id */
	assert_null(element(&statement, 21));	  /* retry_on */
	assert_non_null(element(&statement, 27)); /* started_at_ms is 0: the record's time */
	drain_rows_destroy(rows);
}

static void bytes_that_are_no_text_do_not_reach_the_database(void **state)
{
	struct record record = {.has = RECORD_CALL};
	struct drain_rows *rows = drain_rows_create();
	struct drain_statement statement;

	(void)state;
	strcpy(record.call.campaign, "gr\xc3\xbcn \xff\xc3 x");
	one_record(&record, rows, &statement);
	assert_string_equal(element(&statement, 2), "gr\xc3\xbcn ?? x");
	drain_rows_destroy(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_becomes_one_row_per_thing_that_happened),
		cmocka_unit_test(notice_and_copy_have_no_rows),
		cmocka_unit_test(nil_keys_and_zero_times_are_null),
		cmocka_unit_test(bytes_that_are_no_text_do_not_reach_the_database),
		cmocka_unit_test(batches_give_the_tables_that_single_records_give),
	};

	start_or_skip(&pg);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
