/* After a call: wrap, outcomes, and the rows that remain. M17, M25, M26, M33. */
#include "house.h"

/* --- M17, M26, M33 --- */

static void wrap_ends_by_its_timer_when_an_outcome_is_given(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(told(h, 1, 1)->wrap_until_ms, h->held.wall_us / 1000 + WRAP_MS);
	chooses(h, 1, 1, "Sale");
	house_run_ms(h, WRAP_MS - 1);
	assert_tab(h, 1, 1, "wrap");
	house_run_ms(h, 1);
	assert_tab(h, 1, 1, "end");
	assert_string_equal(told(h, 1, 1)->reason, "wrap_over");
	assert_string_equal(told(h, 1, 1)->outcome, "Sale");
}

static void wrap_without_an_outcome_waits_in_pause(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	assert_true(told(h, 1, 1)->is_wrap_required);
	house_run_ms(h, 10 * WRAP_MS);
	assert_tab(h, 1, 1, "pause");
	assert_true(told(h, 1, 1)->is_paused);
	assert_states_told(h, 1, 1, "ringing talk idle");
	chooses(h, 1, 1, "Wrong person");
	assert_tab(h, 1, 1, "end");
}

static void an_unknown_outcome_is_refused(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	command = command_of(h, CMD_SET_OUTCOME, 1, 1);
	str_copy(command.outcome, sizeof command.outcome, "sale");
	is_refused(h, &command, "outcome.unknown");
	command.outcome[0] = 0;
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	is_refused(h, &command, "outcome.unknown");
}

static void a_callback_needs_a_time_to_come(void **state)
{
	struct house *h = *state;
	struct command command;
	int64_t now_ms;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	now_ms = h->held.wall_us / 1000;
	command = command_of(h, CMD_SCHEDULE_CALLBACK, 1, 1);
	command.retry_at_ms = now_ms;
	is_refused(h, &command, "callback.past");
	command.retry_at_ms = now_ms + 1000;
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_int_equal(told(h, 1, 1)->retry_at_ms, now_ms + 1000);
	ends_wrap(h, 1, 1);
	assert_string_equal(dialer_status_word(told(h, 1, 1)->dialer_status), "retry");
}

static void each_outcome_given_is_one_result(void **state)
{
	struct house *h = *state;
	unsigned results = 0, automatic = 0;

	talks(h, 1, 1, CUSTOMER);
	chooses(h, 1, 1, "Wrong person");
	does(h, CMD_RELEASE, 1, 1);
	chooses(h, 1, 1, "Sale");
	ends_wrap(h, 1, 1);
	for (unsigned i = 0; i < fake_log_count(h->log); i++) {
		const struct record *record = fake_log_record(h->log, i);

		results += (record->has & RECORD_RESULT) != 0;
		automatic += record->is_result_automatic;
	}
	assert_int_equal(results, 2);
	assert_int_equal(automatic, 0);
}

static void a_comment_is_kept_with_the_outcome_it_was_given_to(void **state)
{
	static const struct {
		const char *outcome, *comment;
	} given[] = {
		{"Wrong person", "asked for Jo"}, {"Sale", ""}, {"Wrong person", "two of them"}};
	struct house *h = *state;
	unsigned results = 0;

	talks(h, 1, 1, CUSTOMER);
	for (unsigned i = 0; i < 3; i++) {
		struct command command = command_of(h, CMD_SET_OUTCOME, 1, 1);

		str_copy(command.outcome, sizeof command.outcome, given[i].outcome);
		str_copy(command.comment, sizeof command.comment, given[i].comment);
		assert_int_equal(house_send(h, &command)->status, ST_OK);
	}
	for (unsigned i = 0; i < fake_log_count(h->log); i++) {
		const struct record *record = fake_log_record(h->log, i);

		if (!(record->has & RECORD_RESULT))
			continue;
		assert_string_equal(record->result, given[results].outcome);
		assert_string_equal(record->comment, given[results++].comment);
	}
	assert_int_equal(results, 3);
}

static void the_next_dial_moves_on_from_the_wrap(void **state)
{
	struct house *h = *state;
	struct uuid first;

	talks(h, 1, 1, CUSTOMER);
	first = told(h, 1, 1)->call_id;
	does(h, CMD_RELEASE, 1, 1);
	dials(h, 1, 1, OTHER);
	assert_tab(h, 1, 1, "ringing");
	assert_false(uuid_equal(&first, &told(h, 1, 1)->call_id));
	assert_states_told(h, 1, 1, "ringing talk idle end ringing");
}

/* --- M25 --- */

static void durations_add_up_to_the_calls_length(void **state)
{
	struct house *h = *state;
	int64_t sum_ms = 0, begun_ms = h->held.wall_us / 1000, end_ms;
	unsigned open = 0, closed = 0;

	dials(h, 1, 1, CUSTOMER);
	house_run_ms(h, 3210);
	does(h, CMD_HOLD, 1, 1);
	house_run_ms(h, 1234);
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 999);
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 777);
	ends_wrap(h, 1, 1);
	end_ms = h->held.wall_us / 1000;
	for (unsigned i = 0; i < fake_log_count(h->log); i++) {
		const struct record *record = fake_log_record(h->log, i);

		if (record->has & RECORD_EVENT_CLOSE) {
			sum_ms += record->closed_duration_ms;
			closed++;
		}
		open += (record->has & RECORD_EVENT_OPEN) && !record->is_event_instant;
	}
	assert_int_equal(sum_ms, end_ms - begun_ms);
	assert_int_equal(open, closed);
}

/* Every row has a key of its own, its call and its time; nothing is said twice. */
static void records_say_what_happened_and_when(void **state)
{
	struct house *h = *state;
	struct uuid seen[40];
	unsigned count = 0, from = fake_log_count(h->log);
	int64_t last_ms = 0;

	dials(h, 1, 1, BUSY_NUMBER);
	house_run_ms(h, 2000);
	ends_wrap(h, 1, 1);
	for (unsigned i = from; i < fake_log_count(h->log); i++) {
		const struct record *record = fake_log_record(h->log, i);

		assert_int_equal(record->number, i + 1);
		assert_true(record->at_ms >= last_ms);
		last_ms = record->at_ms;
		if (record->has & RECORD_EVENT_OPEN) {
			assert_int_equal(record->event_at_ms, record->at_ms);
			seen[count++] = record->event_id;
		}
		if (record->has & RECORD_RESULT)
			seen[count++] = record->result_id;
		if (record->has & (RECORD_CALL | RECORD_EVENT_OPEN))
			assert_true(uuid_equal(&record->call.call_id, &told(h, 1, 1)->call_id));
		assert_int_equal(record->is_event_instant,
				 !strcmp(record->event_name, "busy") ||
					 !strcmp(record->event_name, "end"));
	}
	assert_int_equal(count, 5); /* ring, busy, idle, end and the result */
	for (unsigned i = 0; i < count; i++) {
		assert_false(uuid_is_nil(&seen[i]));
		for (unsigned j = 0; j < i; j++)
			assert_false(uuid_equal(&seen[i], &seen[j]));
	}
	assert_int_equal(last_ms, h->held.wall_us / 1000);
}

static void an_agents_record_is_his_view(void **state)
{
	struct house *h = *state;
	const struct record *record;

	says(h, 1, AGENT_READY);
	record = fake_log_record(h->log, fake_log_count(h->log) - 1);
	assert_int_equal(record->has, RECORD_AGENT);
	assert_int_equal(record->at_ms, h->held.wall_us / 1000);
	assert_memory_equal(&record->agent, &h->heard_agent[1], sizeof record->agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(wrap_ends_by_its_timer_when_an_outcome_is_given,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(wrap_without_an_outcome_waits_in_pause, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_unknown_outcome_is_refused, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_callback_needs_a_time_to_come, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(each_outcome_given_is_one_result, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_comment_is_kept_with_the_outcome_it_was_given_to,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(the_next_dial_moves_on_from_the_wrap, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(durations_add_up_to_the_calls_length, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(records_say_what_happened_and_when, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_agents_record_is_his_view, house_setup,
						house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
