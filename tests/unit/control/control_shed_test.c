/* What control turns away when there is too much to do: calls that are not there yet, and nothing
 * of those that are. */
#include "house.h"

#include "base/shed.h"

static struct shed shed;

static void open_shed(struct house *house, unsigned remember_s)
{
	struct control_config config = house_config();

	shed = (struct shed){0};
	config.remember_s = remember_s;
	config.shed = &shed;
	house_open_with(house, &config, true);
}

static uint64_t refusals(void)
{
	return atomic_load(&shed.refused[OVERLOAD_DIALS]);
}

static void new_calls_are_refused_and_no_record_is_written(void **state)
{
	struct house house;
	struct command dial, present;

	(void)state;
	for (unsigned remember_s = 0; remember_s <= 60; remember_s += 60) {
		open_shed(&house, remember_s);
		says(&house, 1, AGENT_READY);
		shed_set_level(&shed, OVERLOAD_DIALS);
		dial = command_of(&house, CMD_DIAL, 1, 1);
		str_copy(dial.number, sizeof dial.number, CUSTOMER);
		is_refused(&house, &dial, "overload.dials");
		assert_int_equal(house.reply.status, ST_UNAVAILABLE);
		present = command_of(&house, CMD_PRESENT, 1, 0);
		str_copy(present.number, sizeof present.number, CUSTOMER);
		is_refused(&house, &present, "overload.dials");
		assert_int_equal(refusals(), 2);
		assert_int_equal(legs(&house), 0);
		house_close(&house);
	}
}

static void below_that_level_calls_begin(void **state)
{
	struct house house;

	(void)state;
	open_shed(&house, 60);
	shed_set_level(&shed, OVERLOAD_WRITES);
	talks(&house, 1, 1, CUSTOMER);
	assert_int_equal(refusals(), 0);
	house_close(&house);
}

/* From the highest level on, what an agent can do to a call that is up. */
static void live_calls_are_served_at_every_level(void **state)
{
	struct house house;

	(void)state;
	open_shed(&house, 60);
	talks(&house, 1, 1, CUSTOMER);
	shed_set_level(&shed, OVERLOAD_RESUMES);
	does(&house, CMD_HOLD, 1, 1);
	does(&house, CMD_RESUME, 1, 1);
	does_with(&house, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(&house, 2000);
	does_with(&house, CMD_CONFERENCE, 1, 2, "", 1);
	does(&house, CMD_LEAVE, 1, 2);
	chooses(&house, 1, 1, "Sale");
	ends_wrap(&house, 1, 1);
	ends_wrap(&house, 1, 2);
	says(&house, 1, AGENT_NOT_READY);
	assert_int_equal(refusals(), 0);
	house_close(&house);
}

/* The record is on the tab: it is a live call, and its timer would dial it anyway. */
static void a_preview_may_be_dialed(void **state)
{
	struct house house;

	(void)state;
	open_shed(&house, 60);
	says(&house, 1, AGENT_READY);
	presents(&house, 1, 1, CUSTOMER);
	presents(&house, 2, 1, OTHER);
	shed_set_level(&shed, OVERLOAD_RESUMES);
	does(&house, CMD_DIAL, 1, 1);
	house_run_ms(&house, 16000);
	assert_tab(&house, 1, 1, "talk");
	assert_tab(&house, 2, 1, "talk");
	assert_int_equal(refusals(), 0);
	house_close(&house);
}

static void a_dial_that_was_given_before_has_its_answer(void **state)
{
	struct house house;
	struct command dial;
	struct reply first;

	(void)state;
	open_shed(&house, 60);
	dial = command_of(&house, CMD_DIAL, 1, 1);
	str_copy(dial.id, sizeof dial.id, "a");
	str_copy(dial.number, sizeof dial.number, CUSTOMER);
	first = *house_send(&house, &dial);
	assert_int_equal(first.status, ST_OK);
	shed_set_level(&shed, OVERLOAD_RESUMES);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	assert_true(uuid_equal(&house.reply.call_id, &first.call_id));
	assert_int_equal(refusals(), 0);
	house_close(&house);
}

static void a_refused_id_may_be_tried_again(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_shed(&house, 60);
	shed_set_level(&shed, OVERLOAD_DIALS);
	dial = command_of(&house, CMD_DIAL, 1, 1);
	str_copy(dial.id, sizeof dial.id, "a");
	str_copy(dial.number, sizeof dial.number, CUSTOMER);
	assert_string_equal(house_send(&house, &dial)->err.code, "overload.dials");
	shed_set_level(&shed, OVERLOAD_NONE);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_calls_are_refused_and_no_record_is_written),
		cmocka_unit_test(below_that_level_calls_begin),
		cmocka_unit_test(live_calls_are_served_at_every_level),
		cmocka_unit_test(a_preview_may_be_dialed),
		cmocka_unit_test(a_dial_that_was_given_before_has_its_answer),
		cmocka_unit_test(a_refused_id_may_be_tried_again),
	};

	return cmocka_run_group_tests_name("control/shed", tests, NULL, NULL);
}
