/* Recordings: rows, what the tab is told, and what becomes of it when the switch refuses. */
#include "house.h"

#include "db/record.h"

/* The newest row of a recording; NULL = none. */
static const struct record_recording *row(const struct house *h)
{
	for (unsigned i = fake_log_count(h->log); i-- > 0;)
		if (fake_log_record(h->log, i)->has & RECORD_RECORDING)
			return &fake_log_record(h->log, i)->recording;
	return NULL;
}

static void a_part_has_a_row_when_it_begins_and_when_it_has_ended(void **state)
{
	struct house *h = *state;
	char id[UUID_TEXT_SIZE];

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RECORD_START, 1, 1);
	house_run_ms(h, 1000);
	assert_int_equal(told(h, 1, 1)->recording, RECORDING_ON);
	uuid_format(&told(h, 1, 1)->dialer_call_id, id);
	assert_non_null(row(h));
	assert_memory_equal(row(h)->name, id, strlen(id));
	assert_true(uuid_equal(&row(h)->dialer_call_id, &told(h, 1, 1)->dialer_call_id));
	assert_true(uuid_equal(&row(h)->agent_id, &told(h, 1, 1)->agent_id));
	assert_int_equal(row(h)->ended_at_ms, 0);
	assert_non_null(strstr(row(h)->location, "sim:recording/"));
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 100);
	assert_int_equal(told(h, 1, 1)->recording, RECORDING_OFF);
	assert_int_not_equal(row(h)->ended_at_ms, 0);
	assert_in_range(row(h)->duration_ms, 1000, 1300);
	assert_string_equal(row(h)->result, "ok");
	assert_null(strstr(h->notices, "recording.failed"));
}

static void a_recording_that_the_switch_refuses_is_off_and_said(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	assert_int_equal(sim_fail_next(h->sim, "mix_record", NULL), ST_OK);
	does(h, CMD_RECORD_START, 1, 1);
	house_run_ms(h, 10);
	assert_int_equal(told(h, 1, 1)->recording, RECORDING_OFF);
	assert_string_equal(told(h, 1, 1)->reason, "recording_failed");
	assert_non_null(strstr(h->notices, "recording.failed"));
	assert_string_equal(row(h)->result, "failed");
	does(h, CMD_RECORD_START, 1, 1);
	house_run_ms(h, 10);
	assert_int_equal(told(h, 1, 1)->recording, RECORDING_ON);
}

static void a_pause_that_the_switch_refuses_ends_the_recording(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RECORD_START, 1, 1);
	house_run_ms(h, 10);
	assert_int_equal(sim_fail_next(h->sim, "record_pause", NULL), ST_OK);
	does(h, CMD_RECORD_PAUSE, 1, 1);
	house_run_ms(h, 10);
	assert_int_equal(told(h, 1, 1)->recording, RECORDING_OFF);
	assert_non_null(strstr(h->notices, "recording.failed"));
	is_refused_plain(h, CMD_RECORD_RESUME, 1, 1, "call.recording_not_paused");
}

static void what_is_not_up_is_not_recorded(void **state)
{
	struct house *h = *state;

	is_refused_plain(h, CMD_RECORD_START, 1, 1, "call.not_recordable");
	dials(h, 1, 1, CUSTOMER);
	is_refused_plain(h, CMD_RECORD_START, 1, 1, "call.not_recordable");
	is_refused_plain(h, CMD_RECORD_STOP, 1, 1, "call.not_recorded");
	assert_false(can_do(h, 1, 1, CAN_RECORD_START));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_part_has_a_row_when_it_begins_and_when_it_has_ended, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_recording_that_the_switch_refuses_is_off_and_said,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_pause_that_the_switch_refuses_ends_the_recording,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_up_is_not_recorded, house_setup,
						house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
