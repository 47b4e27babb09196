/* The hold key of the agent's telephone. */
#include "house.h"

static void presses_hold(struct house *h, bool on)
{
	assert_int_equal(sim_party_hold(h->sim, leg_of(h, "1001"), on), ST_OK);
	house_run_ms(h, 10);
}

static void hold_key_holds_and_resumes(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	presses_hold(h, true);
	assert_tab(h, 1, 1, "held");
	assert_string_equal(told(h, 1, 1)->reason, "telephone_hold");
	assert_hears(h, CUSTOMER, "music");
	assert_false(can_do(h, 1, 1, CAN_RESUME));
	presses_hold(h, false);
	assert_tab(h, 1, 1, "talk");
	assert_string_equal(told(h, 1, 1)->reason, "telephone_resume");
	assert_hears(h, CUSTOMER, "1001");
}

static void nothing_that_needs_his_ear_is_begun_meanwhile(void **state)
{
	struct house *h = *state;
	struct command dial = command_of(h, CMD_DIAL, 1, 2);

	talks(h, 1, 1, CUSTOMER);
	presses_hold(h, true);
	is_refused_plain(h, CMD_RESUME, 1, 1, "agent.telephone_on_hold");
	strcpy(dial.number, OTHER);
	is_refused(h, &dial, "agent.telephone_on_hold");
	does(h, CMD_RELEASE, 1, 1);
	ends_wrap(h, 1, 1);
	house_run_ms(h, 100);
	talks(h, 1, 2, OTHER); /* another leg: the old one has taken its hold with it */
}

static void a_call_held_in_the_tab_stays_held(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	presses_hold(h, true);
	presses_hold(h, false);
	assert_tab(h, 1, 1, "held");
	assert_true(can_do(h, 1, 1, CAN_RESUME));
	does(h, CMD_RESUME, 1, 1);
	assert_hears(h, CUSTOMER, "1001");
}

static void a_call_that_has_ended_meanwhile_is_not_resumed(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	presses_hold(h, true);
	assert_tab(h, 1, 2, "held");
	hangs_up(h, OTHER);
	house_run_ms(h, 100);
	presses_hold(h, false);
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "held");
	does(h, CMD_RESUME, 1, 1);
	assert_hears(h, CUSTOMER, "1001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hold_key_holds_and_resumes, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(nothing_that_needs_his_ear_is_begun_meanwhile,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_call_held_in_the_tab_stays_held, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_call_that_has_ended_meanwhile_is_not_resumed,
						house_setup, house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
