/* Commands that cannot double: the same id is the same command, and nothing is done before it is
 * stable that it was about to be. */
#include "house.h"

static void open_exact(struct house *house)
{
	struct control_config config = house_exact_config();

	house_open_with(house, &config, true);
}

static struct command dial_of(const struct house *house, const char *id, const char *number)
{
	struct command command = command_of(house, CMD_DIAL, 1, 1);

	str_copy(command.id, sizeof command.id, id);
	str_copy(command.number, sizeof command.number, number);
	return command;
}

static void the_same_id_is_one_call_and_one_answer(void **state)
{
	struct house house;
	struct command dial;
	struct reply first;

	(void)state;
	open_exact(&house);
	dial = dial_of(&house, "a", CUSTOMER);
	first = *house_send(&house, &dial);
	assert_int_equal(first.status, ST_OK);
	house_run_ms(&house, 2000);
	assert_int_equal(legs(&house), 2);
	for (int i = 0; i < 5; i++) {
		const struct reply *again = house_send(&house, &dial);

		assert_int_equal(again->status, ST_OK);
		assert_true(uuid_equal(&again->call_id, &first.call_id));
		assert_int_equal(again->tab, first.tab);
	}
	assert_int_equal(legs(&house), 2);
	house_close(&house);
}

static void repeated_while_under_way_it_is_answered_each_time_and_done_once(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_exact(&house);
	house.is_log_slow = true;
	dial = dial_of(&house, "a", CUSTOMER);
	for (int i = 0; i < 3; i++)
		house_queue(&house, &dial);
	house_run_ms(&house, 100);
	assert_int_equal(house.replies, 0);
	house.is_log_slow = false;
	house_run_ms(&house, 2000);
	assert_int_equal(house.replies, 3);
	assert_int_equal(house.reply.status, ST_OK);
	assert_int_equal(legs(&house), 2);
	house_close(&house);
}

static void the_same_id_for_something_else_is_refused(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_exact(&house);
	dial = dial_of(&house, "a", CUSTOMER);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	dial = dial_of(&house, "a", OTHER);
	assert_int_equal(house_send(&house, &dial)->status, ST_CONFLICT);
	assert_string_equal(house.reply.err.code, "command.id_reuse");
	dial = dial_of(&house, "a", CUSTOMER);
	dial.tab = 2; /* ids are a tab's own */
	assert_int_equal(house_send(&house, &dial)->status, ST_CONFLICT);
	assert_string_equal(house.reply.err.code, "agent.on_call");
	house_close(&house);
}

static void what_was_refused_stays_refused(void **state)
{
	struct house house;
	struct command release;

	(void)state;
	open_exact(&house);
	release = command_of(&house, CMD_RELEASE, 1, 1);
	assert_int_equal(house_send(&house, &release)->status, ST_CONFLICT);
	talks(&house, 1, 1, CUSTOMER);
	assert_int_equal(house_send(&house, &release)->status, ST_CONFLICT);
	assert_tab(&house, 1, 1, "talk");
	does(&house, CMD_RELEASE, 1, 1);
	house_close(&house);
}

static void not_now_is_no_answer_to_keep(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_exact(&house);
	sim_link_down(house.sim);
	house_run_ms(&house, 10);
	dial = dial_of(&house, "a", CUSTOMER);
	assert_string_equal(house_send(&house, &dial)->err.code, "switch.away");
	house_crash(&house); /* nor is it kept over a restart */
	house_run_ms(&house, 10);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	house_close(&house);
}

static void the_switch_is_not_asked_before_the_intent_is_stable(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_exact(&house);
	house.is_log_slow = true;
	dial = dial_of(&house, "a", CUSTOMER);
	house_queue(&house, &dial);
	house_run_ms(&house, 3000);
	assert_int_equal(legs(&house), 0);
	fake_log_sync(house.log);
	house_run_ms(&house, 50);
	assert_int_equal(legs(&house), 1);
	assert_int_equal(house.replies, 0); /* nor is the answer told before it is stable */
	fake_log_sync(house.log);
	assert_int_equal(house.replies, 1);
	house.is_log_slow = false;
	house_close(&house);
}

static void a_timer_does_not_dial_before_that_is_stable(void **state)
{
	struct house house;

	(void)state;
	open_exact(&house);
	presents(&house, 1, 1, CUSTOMER);
	house_run_ms(&house, 14900);
	house.is_log_slow = true;
	house_run_ms(&house, 1000);
	assert_int_equal(legs(&house), 0);
	house.is_log_slow = false;
	house_run_ms(&house, 2000);
	assert_tab(&house, 1, 1, "talk");
	house_close(&house);
}

static void while_storage_fails_a_call_can_be_ended_and_none_begun(void **state)
{
	struct house house;
	struct command dial, release;

	(void)state;
	open_exact(&house);
	talks(&house, 1, 1, CUSTOMER);
	house.is_log_slow = true;
	control_on_degraded(house.control, true, "no space left");
	dial = command_of(&house, CMD_DIAL, 2, 1);
	str_copy(dial.number, sizeof dial.number, OTHER);
	assert_string_equal(house_send(&house, &dial)->err.code, "storage.away");
	release = command_of(&house, CMD_RELEASE, 1, 1);
	assert_int_equal(house_send(&house, &release)->status, ST_OK);
	assert_true(house.reply.is_volatile);
	house_run_ms(&house, 500);
	assert_int_equal(legs(&house), 0);
	assert_tab(&house, 1, 1, "talk"); /* told when it is stable */
	control_on_degraded(house.control, false, NULL);
	house.is_log_slow = false;
	house_run_ms(&house, 0);
	assert_tab(&house, 1, 1, "wrap");
	house_close(&house);
}

static void what_waits_when_storage_fails_is_refused_or_ends_the_call(void **state)
{
	struct house house;
	struct command dial, release;

	(void)state;
	open_exact(&house);
	talks(&house, 1, 1, CUSTOMER);
	house.is_log_slow = true;
	dial = command_of(&house, CMD_DIAL, 2, 1);
	str_copy(dial.number, sizeof dial.number, OTHER);
	house_queue(&house, &dial);
	release = command_of(&house, CMD_RELEASE, 1, 1);
	house_queue(&house, &release);
	house_run_ms(&house, 100);
	control_on_degraded(house.control, true, "no space left");
	house_run_ms(&house, 500);
	assert_int_equal(house.replies, house.commands);
	assert_int_equal(legs(&house), 0);
	control_on_degraded(house.control, false, NULL);
	house.is_log_slow = false;
	house_run_ms(&house, 3000);
	assert_int_equal(legs(&house), 0); /* the dial is not done late */
	house_close(&house);
}

static void after_a_day_an_id_is_a_new_one(void **state)
{
	struct house house;
	struct command dial;
	struct reply first;

	(void)state;
	open_exact(&house);
	dial = dial_of(&house, "a", CUSTOMER);
	first = *house_send(&house, &dial);
	house_run_ms(&house, 2000);
	does(&house, CMD_RELEASE, 1, 1);
	house_run_ms(&house, 86400000);
	says(&house, 1, AGENT_READY); /* any command lets old ones go */
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	assert_false(uuid_equal(&house.reply.call_id, &first.call_id));
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_id_is_one_call_and_one_answer),
		cmocka_unit_test(repeated_while_under_way_it_is_answered_each_time_and_done_once),
		cmocka_unit_test(the_same_id_for_something_else_is_refused),
		cmocka_unit_test(what_was_refused_stays_refused),
		cmocka_unit_test(not_now_is_no_answer_to_keep),
		cmocka_unit_test(the_switch_is_not_asked_before_the_intent_is_stable),
		cmocka_unit_test(a_timer_does_not_dial_before_that_is_stable),
		cmocka_unit_test(while_storage_fails_a_call_can_be_ended_and_none_begun),
		cmocka_unit_test(what_waits_when_storage_fails_is_refused_or_ends_the_call),
		cmocka_unit_test(after_a_day_an_id_is_a_new_one),
	};

	return cmocka_run_group_tests_name("control/exact", tests, NULL, NULL);
}
