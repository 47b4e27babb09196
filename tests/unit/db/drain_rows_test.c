#include "db_test.h"

#include <stdlib.h>

#include "db/record_rows.h"

static const struct uuid writer = {{1, 2, 3}};

static struct record full_record(void)
{
	struct record record = {
		.at_ms = 1764000000123,
		.has = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN | RECORD_RESULT |
		       RECORD_AGENT,
		.event_id = {{5}},
		.closed_event_id = {{6}},
		.result_id = {{7}},
		.event_name = "talk",
		.event_at_ms = 1764000000100,
		.closed_duration_ms = 7000,
		.result = "Sold",
		.call = {.call_id = {{2}},
			 .dialer_call_id = {{3}},
			 .tenant_id = {{4}},
			 .version = 9,
			 .direction = DIR_CCOUTBOUND,
			 .phone = "+15551234567",
			 .campaign = "Spring"},
		.agent = {.agent_id = {{8}}, .tenant_id = {{4}}, .state = AGENT_READY},
	};
	return record;
}

static void record_becomes_one_row_per_thing_that_happened(void **state)
{
	(void)state;
	const char *const expected[] = {"dialer_call_upsert", "event_close", "event_insert",
					"result_insert", "agent_state_update"};
	struct record record = full_record();
	struct record_rows *rows = record_rows_make(&record, 42, &writer);
	struct record_row row;
	size_t at = 0;

	for (unsigned i = 0; i < 5; i++) {
		assert_true(record_rows_next(rows, &at, &row));
		assert_string_equal(row.statement, expected[i]);
	}
	assert_false(record_rows_next(rows, &at, &row));
	assert_int_equal(rows->number, 42);
	free(rows);
}

static void notice_has_no_rows(void **state)
{
	(void)state;
	struct record record = {.has = RECORD_NOTICE};
	struct record_rows *rows = record_rows_make(&record, 1, &writer);
	struct record_row row;
	size_t at = 0;

	assert_int_equal(rows->size, 0);
	assert_false(record_rows_next(rows, &at, &row));
	free(rows);
}

static void nil_keys_and_zero_times_are_null(void **state)
{
	(void)state;
	struct record record = full_record();
	struct record_row row;
	size_t at = 0;

	struct record_rows *rows = record_rows_make(&record, 1, &writer);
	assert_true(record_rows_next(rows, &at, &row));
	assert_null(row.values[12]); /* agent_id */
	assert_null(row.values[21]); /* retry_on */
	assert_string_equal(row.values[27],
			    "2025-11-24T16:00:00.123Z"); /* started_at_ms is 0: the record's time */
	free(rows);
}

static void event_that_goes_on_has_no_duration_and_an_instant_has_none_to_wait_for(void **state)
{
	(void)state;
	struct record record = full_record();
	struct record_row row;

	for (int is_instant = 0; is_instant < 2; is_instant++) {
		size_t at = 0;
		record.has = RECORD_EVENT_OPEN;
		record.is_event_instant = is_instant;
		struct record_rows *rows = record_rows_make(&record, 1, &writer);
		assert_true(record_rows_next(rows, &at, &row));
		if (is_instant)
			assert_string_equal(row.values[7], "0");
		else
			assert_null(row.values[7]);
		free(rows);
	}
}

static void bytes_that_are_no_text_do_not_reach_the_database(void **state)
{
	(void)state;
	struct record record = full_record();
	struct record_row row;
	size_t at = 0;

	strcpy(record.call.campaign, "gr\xc3\xbcn \xff\xc3 x");
	struct record_rows *rows = record_rows_make(&record, 1, &writer);
	assert_true(record_rows_next(rows, &at, &row));
	assert_string_equal(row.values[2], "gr\xc3\xbcn ?? x");
	free(rows);
}

/* Every text as long as it may be: the pack must hold it. */
static void longest_record_fits(void **state)
{
	(void)state;
	struct record record;
	struct record_row row;
	size_t at = 0;
	unsigned count = 0;

	memset(&record, 'x', sizeof(record));
	record.has =
		RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN | RECORD_RESULT | RECORD_AGENT;
#define END(text) (text)[sizeof(text) - 1] = '\0'
	END(record.call.campaign), END(record.call.phone), END(record.call.dnis),
		END(record.call.reason);
	END(record.call.to.name), END(record.call.to.type), END(record.call.to.id);
	END(record.call.from.name), END(record.call.from.type), END(record.call.from.id);
	END(record.event_name), END(record.result), END(record.comment), END(record.agent.reason);
	record.call.direction = DIR_INBOUND;
	record.call.dialer_status = DIALER_OPEN;
	record.call.actor = ACTOR_API;
	record.agent.state = AGENT_AWAY;
	record.call.counters.did_connect = true;
	record.call.is_callback = record.is_event_instant = record.is_result_automatic = true;
	struct record_rows *rows = record_rows_make(&record, UINT64_MAX / 2, &writer);
	while (record_rows_next(rows, &at, &row))
		count++;
	assert_int_equal(count, 5);
	assert_in_range(rows->size, 1000, 4000);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_becomes_one_row_per_thing_that_happened),
		cmocka_unit_test(notice_has_no_rows),
		cmocka_unit_test(nil_keys_and_zero_times_are_null),
		cmocka_unit_test(
			event_that_goes_on_has_no_duration_and_an_instant_has_none_to_wait_for),
		cmocka_unit_test(bytes_that_are_no_text_do_not_reach_the_database),
		cmocka_unit_test(longest_record_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
