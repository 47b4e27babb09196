/* The switch is away, or lost everything; the database is away; somebody sets the clock. */
#include "house.h"

/* --- the switch is away --- */

static void while_the_switch_is_away_commands_are_refused_and_calls_go_on(void **state)
{
	static const enum command_kind wrong[] = {
		CMD_HOLDRESUME, CMD_HOLD, CMD_TRANSFER_BLIND, CMD_TRANSFER_CONSULT,
		CMD_DTMF,	CMD_MUTE, CMD_RELEASE};
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	house_forget(h);
	sim_link_down(h->sim);
	house_run_ms(h, 10);
	assert_string_equal(h->notices, "switch.away ");
	assert_false(figures(h).is_switch_linked);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		is_refused_plain(h, wrong[i], 1, 1, "switch.away");
	is_refused_plain(h, CMD_DIAL, 2, 1, "switch.away");
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
	sim_link_up(h->sim);
	house_run_ms(h, 10);
	assert_string_equal(h->notices, "switch.away switch.ok ");
	assert_tab(h, 1, 1, "talk");
	assert_int_equal(h->heard_count, 0);
	does(h, CMD_HOLD, 1, 1);
	house_run_ms(h, 0);
	assert_hears(h, CUSTOMER, "music");
}

static void an_outcome_needs_no_switch(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	sim_link_down(h->sim);
	house_run_ms(h, 10);
	chooses(h, 1, 1, "Sale");
	says(h, 1, AGENT_AWAY);
	assert_string_equal(told(h, 1, 1)->outcome, "Sale");
}

/* "The switch is back" is a promise: from then on commands are taken. */
static void the_switch_is_back_when_it_takes_commands(void **state)
{
	struct house *h = *state;
	unsigned notices;

	sim_link_down(h->sim);
	house_run_ms(h, 10);
	house_forget(h);
	sim_link_up(h->sim);
	do {
		notices = (unsigned)strlen(h->notices);
		assert_true(timers_next_us(&h->timers) <= h->held.mono_us);
		timers_run(&h->timers, h->held.mono_us);
		control_poll(h->control);
	} while (!notices && !h->notices[0]);
	assert_string_equal(h->notices, "switch.ok ");
	assert_true(telephony_is_linked(h->telephony));
	dials(h, 1, 1, CUSTOMER);
}

static void who_hung_up_meanwhile_is_known_when_the_switch_is_back(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	sim_link_down(h->sim);
	house_run_ms(h, 10);
	hangs_up(h, CUSTOMER);
	house_run_ms(h, 1000);
	assert_tab(h, 1, 1, "talk"); /* nobody could say so */
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->reason, "lost");
	assert_string_equal(attempt_result_word(told(h, 1, 1)->attempt_result), "connected");
	assert_int_equal(legs(h), 0);
}

static void a_restarted_switch_has_lost_its_calls(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	dials(h, 1, 2, SILENT_NUMBER);
	presents(h, 2, 1, OTHER);
	says(h, 2, AGENT_READY);
	sim_restart(h->sim);
	house_run_ms(h, 1000);
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 2, 1, "preview"); /* nothing of it was there */
	for (int tab = 1; tab <= 2; tab++) {
		assert_string_equal(told(h, 1, tab)->reason, "lost");
		assert_string_equal(ended_by_word(told(h, 1, tab)->ended_by), "switch");
	}
	assert_string_equal(attempt_result_word(told(h, 1, 1)->attempt_result), "connected");
	assert_string_equal(attempt_result_word(told(h, 1, 2)->attempt_result), "error");
	assert_false(h->heard_agent[1].is_audio_up);
	dials(h, 1, 1, CUSTOMER);
	house_run_ms(h, 2000);
	assert_hears(h, CUSTOMER, "1001");
}

/* Our limit passed while nobody could hang up: it is done when the switch is back, and the call is
 * not forgotten before. */
static void what_could_not_be_hung_up_is_hung_up_later(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, SILENT_NUMBER);
	house_run_ms(h, 1000);
	sim_link_down(h->sim);
	house_run_ms(h, 25000);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "noanswer");
	assert_int_equal(legs(h), 2);
	ends_wrap(h, 1, 1);
	assert_int_equal(figures(h).calls_live, 1);
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_int_equal(figures(h).calls_live, 0);
}

/* The same when the switch had only too much to do. */
static void what_could_not_be_hung_up_at_once_is_hung_up_a_second_later(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, SILENT_NUMBER);
	house_run_ms(h, 22080); /* from when his telephone was up */
	assert_tab(h, 1, 1, "ringing");
	sim_busy_next(h->sim, 30);
	dials(h, 2, 1, OTHER); /* waits in the composer, and with it everything else */
	house_run_ms(h, 500);
	assert_tab(h, 1, 1, "wrap");
	assert_int_not_equal((int)strlen(leg_of(h, SILENT_NUMBER)), 0);
	house_run_ms(h, 1000);
	assert_string_equal(leg_of(h, SILENT_NUMBER), "");
	assert_tab(h, 2, 1, "talk");
}

static void an_answer_that_comes_after_our_limit_reaches_nobody(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, SILENT_NUMBER);
	house_run_ms(h, 1000);
	sim_link_down(h->sim);
	house_run_ms(h, 22000);
	assert_tab(h, 1, 1, "wrap");
	assert_int_equal(sim_party_answer(h->sim, leg_of(h, SILENT_NUMBER)), ST_OK);
	house_run_ms(h, 2000);
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(attempt_result_word(told(h, 1, 1)->attempt_result), "noanswer");
}

static void a_direct_caller_refused_while_the_switch_is_away_is_refused_later(void **state)
{
	struct house *h = *state;

	says(h, 2, AGENT_READY);
	calls_in(h, CUSTOMER, "1002");
	sim_link_down(h->sim);
	house_run_ms(h, 10);
	is_refused_plain(h, CMD_ANSWER, 2, 1, "switch.away");
	does(h, CMD_REJECT, 2, 1);
	ends_wrap(h, 2, 1);
	assert_int_equal(legs(h), 1);
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_int_equal(figures(h).calls_live, 0);
}

static void callers_are_offered_again_when_the_switch_is_back(void **state)
{
	struct house *h = *state;

	calls_in(h, CUSTOMER, QUEUE);
	sim_link_down(h->sim);
	house_run_ms(h, 10);
	says(h, 1, AGENT_READY);
	assert_tab(h, 1, 1, "");
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "incoming");
}

static void an_operation_the_switch_refuses_later_is_noticed(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	house_forget(h);
	assert_int_equal(sim_fail_next(h->sim, "leg_mute", "no"), ST_OK);
	does(h, CMD_MUTE, 1, 1);
	house_run_ms(h, 10);
	assert_string_equal(h->notices, "switch.refused ");
}

static void a_telephone_that_comes_and_goes_is_told(void **state)
{
	struct house *h = *state;

	sim_set_station(h->sim, "1001", false, true);
	house_run_ms(h, 10);
	assert_false(h->heard_agent[1].is_phone_reachable);
	sim_set_station(h->sim, "1001", true, true);
	house_run_ms(h, 10);
	assert_true(h->heard_agent[1].is_phone_reachable);
	h->agent_tells = 0;
	sim_set_station(h->sim, "9999", true, true); /* nobody's */
	house_run_ms(h, 10);
	assert_int_equal(h->agent_tells, 0);
}

/* --- the database is away --- */

static void goes_away(struct house *h)
{
	h->is_log_slow = true;
	control_on_degraded(h->control, true, "connection refused");
	house_run_ms(h, 0);
}

static void comes_back(struct house *h)
{
	h->is_log_slow = false;
	control_on_degraded(h->control, false, NULL);
	house_run_ms(h, 0);
}

static void while_storage_is_away_nothing_new_begins(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	house_forget(h);
	goes_away(h);
	assert_string_equal(h->notices, "storage.degraded ");
	assert_true(figures(h).is_storage_degraded);
	is_refused_plain(h, CMD_DIAL, 2, 1, "storage.away");
	is_refused_plain(h, CMD_TRANSFER_CONSULT, 1, 1, "storage.away");
	command = command_of(h, CMD_PRESENT, 2, 0);
	str_copy(command.number, sizeof command.number, OTHER);
	is_refused(h, &command, "storage.away");
	calls_in(h, OTHER, QUEUE);
	house_run_ms(h, 100);
	assert_string_equal(leg_of(h, OTHER), "");
	comes_back(h);
	assert_string_equal(h->notices, "storage.degraded storage.ok ");
	dials(h, 2, 1, OTHER);
}

static void what_lives_can_be_held_and_released_and_is_told_later(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	house_forget(h);
	goes_away(h);
	does(h, CMD_HOLD, 1, 1);
	does(h, CMD_RESUME, 1, 1);
	does(h, CMD_RELEASE, 1, 1);
	does(h, CMD_END_WRAP, 1, 1);
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_int_equal(h->heard_count, 0);
	assert_tab(h, 1, 1, "talk"); /* as of the last stable record */
	comes_back(h);
	assert_states_told(h, 1, 1, "idle end");
}

static void callers_are_not_offered_to_agents_who_would_not_see_it(void **state)
{
	struct house *h = *state;

	calls_in(h, CUSTOMER, QUEUE);
	goes_away(h);
	says(h, 1, AGENT_READY);
	house_run_ms(h, 60000);
	assert_int_equal(figures(h).waiting_callers, 1);
	comes_back(h);
	assert_tab(h, 1, 1, "incoming");
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Ready");
}

static void a_preview_waits_while_storage_is_away(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	goes_away(h);
	house_run_ms(h, 20000);
	assert_int_equal(legs(h), 0);
	comes_back(h);
	assert_tab(h, 1, 1, "preview_paused");
	assert_string_equal(told(h, 1, 1)->reason, "storage.away");
}

static void a_preview_cannot_be_dialed_while_storage_is_away(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	goes_away(h);
	is_refused_plain(h, CMD_DIAL, 1, 1, "storage.away");
	assert_int_equal(legs(h), 0);
	comes_back(h);
	dials(h, 1, 1, "");
}

static void what_is_known_already_is_not_noticed_again(void **state)
{
	struct house *h = *state;

	house_forget(h);
	control_on_degraded(h->control, false, NULL);
	control_on_degraded(h->control, true, "gone");
	control_on_degraded(h->control, true, "still gone");
	assert_string_equal(h->notices, "storage.degraded ");
}

static void the_loop_is_woken_when_there_is_something_to_offer_again(void **state)
{
	struct house *h = *state;

	calls_in(h, CUSTOMER, QUEUE);
	goes_away(h);
	says(h, 1, AGENT_READY);
	h->is_log_slow = false;
	h->wakes = 0;
	control_on_degraded(h->control, false, NULL);
	assert_true(h->wakes > 0);
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "incoming");
}

/* --- somebody sets the clock --- */

static void a_clock_that_is_set_neither_fires_nor_starves_a_timer(void **state)
{
	static const int64_t jumps[] = {3600000, -3600000};
	struct house *h = *state;

	for (int i = 0; i < 2; i++) {
		presents(h, 1, 1, SILENT_NUMBER);
		house_run_ms(h, 1000);
		house_set_wall(h, jumps[i]);
		house_run_ms(h, 13999);
		assert_tab(h, 1, 1, "preview");
		house_run_ms(h, 1);
		assert_tab(h, 1, 1, "ringing");
		house_set_wall(h, jumps[i]);
		house_run_ms(h, 21000); /* ... and the ringing itself was a change in between */
		assert_tab(h, 1, 1, "ringing");
		house_run_ms(h, 1500);
		assert_tab(h, 1, 1, "wrap");
		house_set_wall(h, jumps[i]);
		chooses(h, 1, 1, "Sale");
		does(h, CMD_PAUSE_TIMER, 1, 1);
		house_set_wall(h, -3 * jumps[i]);
		house_run_ms(h, 500);
		does(h, CMD_RESUME_TIMER, 1, 1);
		house_run_ms(h, WRAP_MS - 2500);
		assert_tab(h, 1, 1, "wrap");
		house_run_ms(h, 2500);
		assert_tab(h, 1, 1, "end");
	}
}

static void state_times_of_a_call_never_go_back(void **state)
{
	struct house *h = *state;
	int64_t last = 0;

	dials(h, 1, 1, CUSTOMER);
	house_set_wall(h, -7200000);
	house_run_ms(h, 2000);
	does(h, CMD_RELEASE, 1, 1);
	house_set_wall(h, -7200000);
	ends_wrap(h, 1, 1);
	for (unsigned i = 0; i < h->heard_count; i++) {
		assert_true(h->heard[i].call.state_at_ms >= last);
		last = h->heard[i].call.state_at_ms;
	}
}

static void durations_are_what_passed_and_not_what_the_clock_says(void **state)
{
	struct house *h = *state;
	int64_t sum_ms = 0;

	dials(h, 1, 1, CUSTOMER);
	house_run_ms(h, 2000);
	house_set_wall(h, 3600000);
	house_run_ms(h, 3000);
	does(h, CMD_RELEASE, 1, 1);
	house_set_wall(h, -7200000);
	house_run_ms(h, 5000);
	ends_wrap(h, 1, 1);
	for (unsigned i = 0; i < fake_log_count(h->log); i++)
		if (fake_log_record(h->log, i)->has & RECORD_EVENT_CLOSE)
			sum_ms += fake_log_record(h->log, i)->closed_duration_ms;
	assert_int_equal(sum_ms, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			while_the_switch_is_away_commands_are_refused_and_calls_go_on, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(an_outcome_needs_no_switch, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_switch_is_back_when_it_takes_commands,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			who_hung_up_meanwhile_is_known_when_the_switch_is_back, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_restarted_switch_has_lost_its_calls, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_hung_up_is_hung_up_later,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			what_could_not_be_hung_up_at_once_is_hung_up_a_second_later, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_comes_after_our_limit_reaches_nobody,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_direct_caller_refused_while_the_switch_is_away_is_refused_later,
			house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(callers_are_offered_again_when_the_switch_is_back,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(an_operation_the_switch_refuses_later_is_noticed,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_telephone_that_comes_and_goes_is_told,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(while_storage_is_away_nothing_new_begins,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			what_lives_can_be_held_and_released_and_is_told_later, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			callers_are_not_offered_to_agents_who_would_not_see_it, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_preview_waits_while_storage_is_away, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_preview_cannot_be_dialed_while_storage_is_away,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(what_is_known_already_is_not_noticed_again,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			the_loop_is_woken_when_there_is_something_to_offer_again, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			a_clock_that_is_set_neither_fires_nor_starves_a_timer, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(state_times_of_a_call_never_go_back, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(
			durations_are_what_passed_and_not_what_the_clock_says, house_setup,
			house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
