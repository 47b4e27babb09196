/* Blind transfers, and agents with more than two calls. M8. */
#include "house.h"

#define THIRD "+15550003"

/* --- blind transfer --- */

static void a_blind_transfer_connects_the_other_party(void **state)
{
	static const char *const from[] = {"talk", "held"};
	struct house *h = *state;

	for (int i = 0; i < 2; i++) {
		talks(h, 1, 1, CUSTOMER);
		if (i)
			does(h, CMD_HOLD, 1, 1);
		assert_tab(h, 1, 1, from[i]);
		does_with(h, CMD_TRANSFER_BLIND, 1, 1, OTHER, 0);
		assert_string_equal(call_client_word(told(h, 1, 1)->state), "idle");
		house_run_ms(h, 2000);
		assert_tab(h, 1, 1, "wrap");
		assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "agent");
		assert_hears(h, CUSTOMER, OTHER);
		assert_hears(h, OTHER, CUSTOMER);
		assert_string_equal(leg_of(h, "1001"), "");
		hangs_up(h, CUSTOMER);
		ends_wrap(h, 1, 1);
		house_run_ms(h, 100);
		assert_int_equal(legs(h), 0);
	}
}

static void a_failed_transfer_comes_back_and_can_be_answered(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, BUSY_NUMBER, 0);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "incoming");
	assert_string_equal(told(h, 1, 1)->reason, "transfer_failed");
	assert_hears(h, CUSTOMER, "music");
	says(h, 1, AGENT_NOT_READY); /* does not drop him */
	assert_tab(h, 1, 1, "incoming");
	does(h, CMD_ANSWER, 1, 1);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
	assert_states_told(h, 1, 1, "ringing talk idle incoming talk");
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(told(h, 1, 1)->counters.connects, 1);
}

static void a_failed_transfer_that_nobody_takes_back_is_released(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, BUSY_NUMBER, 0);
	house_run_ms(h, 1000);
	assert_tab(h, 1, 1, "incoming");
	house_run_ms(h, 20000);
	assert_tab(h, 1, 1, "wrap");
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_string_equal(attempt_result_word(told(h, 1, 1)->attempt_result), "connected");
}

static void a_queues_caller_whose_transfer_failed_goes_back_to_the_queue_as_talked(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	does(h, CMD_ANSWER, 1, 1);
	house_run_ms(h, 2000);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, BUSY_NUMBER, 0);
	house_run_ms(h, 1000);
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(figures(h).waiting_callers, 1);
	says(h, 2, AGENT_READY);
	assert_tab(h, 2, 1, "incoming");
	assert_int_equal(told(h, 2, 1)->counters.connects, 1);
	assert_true(told(h, 2, 1)->counters.did_connect);
	assert_int_equal(told(h, 2, 1)->counters.calls, 1);
	does(h, CMD_ANSWER, 2, 1);
	house_run_ms(h, 2000);
	assert_hears(h, CUSTOMER, "1002");
}

static void a_customer_who_leaves_during_the_transfer_ends_it(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, SILENT_NUMBER, 0);
	house_run_ms(h, 1000);
	hangs_up(h, CUSTOMER);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "customer");
	assert_int_equal(legs(h), 0);
}

static void a_transfer_can_be_taken_back_by_release(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, SILENT_NUMBER, 0);
	house_run_ms(h, 1000);
	is_refused_plain(h, CMD_DIAL, 1, 1, "tab.not_free");
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_int_equal(legs(h), 0);
}

static void a_transfer_to_a_colleague_rings_his_telephone(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, "1002", 0);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "wrap");
	assert_hears(h, CUSTOMER, "1002");
	hangs_up(h, CUSTOMER);
}

/* --- more than two --- */

static void to_resume_a_third_call_the_active_one_is_held(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	does(h, CMD_HOLD, 1, 2);
	talks(h, 1, 3, THIRD);
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "talk");
	assert_tab(h, 1, 2, "held");
	assert_tab(h, 1, 3, "held");
	assert_hears(h, CUSTOMER, "1001");
	assert_hears(h, OTHER, "music");
	assert_hears(h, THIRD, "music");
}

static void while_one_rings_no_other_can_be_resumed(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	dials(h, 1, 2, SILENT_NUMBER);
	assert_false(can_do(h, 1, 1, CAN_RESUME));
	is_refused_plain(h, CMD_RESUME, 1, 1, "agent.on_call");
	is_refused_plain(h, CMD_HOLDRESUME, 1, 1, "agent.on_call");
	is_refused_plain(h, CMD_TRANSFER_CONSULT, 1, 1, "agent.on_call");
	does(h, CMD_RELEASE, 1, 2);
	assert_true(can_do(h, 1, 1, CAN_RESUME));
}

static void a_resume_the_switch_refuses_gives_the_other_call_back(void **state)
{
	struct house *h = *state;
	struct command resume;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	sim_link_down(h->sim);
	house_run_ms(h, 10);
	resume = command_of(h, CMD_RESUME, 1, 1);
	is_refused(h, &resume, "switch.away");
	assert_tab(h, 1, 2, "talk");
	assert_tab(h, 1, 1, "held");
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	assert_hears(h, OTHER, "1001");
}

/* The caller is gone, but control does not know yet when it takes the command. */
static void a_resume_that_comes_too_late_gives_the_other_call_back(void **state)
{
	struct house *h = *state;
	struct command resume;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	resume = command_of(h, CMD_RESUME, 1, 1);
	house_queue(h, &resume);
	assert_int_equal(sim_party_hangup(h->sim, leg_of(h, CUSTOMER)), ST_OK);
	house_run_switch(h);
	house_run_ms(h, 0);
	assert_string_equal(h->reply.err.code, "call.unknown");
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "talk");
	assert_hears(h, OTHER, "1001");
}

static void a_consultation_that_comes_too_late_gives_the_other_call_back(void **state)
{
	struct house *h = *state;
	struct command consult;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	does(h, CMD_HOLD, 1, 2);
	does(h, CMD_RESUME, 1, 1);
	does(h, CMD_RESUME, 1, 2);
	/* about the held customer: nothing is asked of the switch for him before the dial */
	consult = command_of(h, CMD_TRANSFER_CONSULT, 1, 2);
	str_copy(consult.number, sizeof consult.number, THIRD);
	house_queue(h, &consult);
	assert_int_equal(sim_party_hangup(h->sim, leg_of(h, OTHER)), ST_OK);
	house_run_switch(h);
	house_run_ms(h, 0);
	assert_string_equal(h->reply.err.code, "call.unknown");
	assert_string_equal(leg_of(h, THIRD), "");
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "held");
	assert_int_equal(figures(h).calls_live, 2);
}

/* A switch without room for more took the hold, but neither the new call nor the way back. */
static void a_consultation_the_switch_has_no_room_for_leaves_the_customer_held(void **state)
{
	struct house *h = *state;
	struct command consult;

	talks(h, 1, 1, CUSTOMER);
	sim_busy_next(h->sim, 1);
	consult = command_of(h, CMD_TRANSFER_CONSULT, 1, 1);
	str_copy(consult.number, sizeof consult.number, OTHER);
	assert_int_equal(house_send(h, &consult)->status, ST_BUSY);
	assert_string_equal(h->reply.err.code, "switch.busy");
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "held");
	assert_int_equal(told(h, 1, 1)->partner_tab, 0);
	assert_tab(h, 1, 2, "");
	assert_int_equal(figures(h).calls_live, 1);
	assert_string_equal(leg_of(h, OTHER), "");
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 0);
	assert_hears(h, CUSTOMER, "1001");
}

static void a_second_consultation_that_fails_leaves_the_first(void **state)
{
	struct house *h = *state;
	struct command consult;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(h, 2000);
	sim_busy_next(h->sim, 1);
	consult = command_of(h, CMD_TRANSFER_CONSULT, 1, 1);
	str_copy(consult.number, sizeof consult.number, THIRD);
	assert_int_equal(house_send(h, &consult)->status, ST_BUSY);
	house_run_ms(h, 100);
	assert_int_equal(told(h, 1, 1)->partner_tab, 2);
	does(h, CMD_RESUME, 1, 2);
	does(h, CMD_CANCEL_CONSULT, 1, 2);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_blind_transfer_connects_the_other_party,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_failed_transfer_comes_back_and_can_be_answered,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_failed_transfer_that_nobody_takes_back_is_released, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			a_queues_caller_whose_transfer_failed_goes_back_to_the_queue_as_talked,
			house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_customer_who_leaves_during_the_transfer_ends_it,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_transfer_can_be_taken_back_by_release,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_transfer_to_a_colleague_rings_his_telephone,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(to_resume_a_third_call_the_active_one_is_held,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(while_one_rings_no_other_can_be_resumed,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_resume_the_switch_refuses_gives_the_other_call_back, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			a_resume_that_comes_too_late_gives_the_other_call_back, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			a_consultation_that_comes_too_late_gives_the_other_call_back, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			a_consultation_the_switch_has_no_room_for_leaves_the_customer_held,
			house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_second_consultation_that_fails_leaves_the_first,
						house_setup, house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
