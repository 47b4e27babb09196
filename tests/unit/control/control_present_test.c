/* Records presented with the preview timer, and the attempts of one dialer call: M16, M20 to M22,
 * M28. */
#include "house.h"

static void a_presented_record_is_dialed_when_its_time_is_over(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	assert_tab(h, 1, 1, "preview");
	assert_string_equal(direction_word(told(h, 1, 1)->direction), "ccOutbound");
	assert_string_equal(actor_word(told(h, 1, 1)->actor), "api");
	assert_int_equal(told(h, 1, 1)->preview_until_ms, h->held.wall_us / 1000 + 15000);
	house_run_ms(h, 14999);
	assert_tab(h, 1, 1, "preview");
	assert_int_equal(legs(h), 0);
	house_run_ms(h, 1);
	assert_tab(h, 1, 1, "ringing");
	assert_string_equal(actor_word(told(h, 1, 1)->actor), "timer");
	house_run_ms(h, 2000);
	assert_hears(h, CUSTOMER, "1001");
	assert_states_told(h, 1, 1, "preview ringing talk");
}

static void dial_before_the_time_is_over_needs_no_number(void **state)
{
	struct house *h = *state;
	struct uuid presented;

	presents(h, 1, 1, CUSTOMER);
	presented = h->reply.call_id;
	house_run_ms(h, 5000);
	dials(h, 1, 1, "");
	assert_true(uuid_equal(&h->reply.call_id, &presented));
	assert_tab(h, 1, 1, "ringing");
	assert_int_equal(told(h, 1, 1)->preview_until_ms, 0);
	house_run_ms(h, 12000);
	assert_tab(h, 1, 1, "talk");
	assert_int_equal(legs(h), 2); /* dialed once */
}

static void a_paused_preview_waits_for_its_agent(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	house_run_ms(h, 6000);
	does(h, CMD_PAUSE_TIMER, 1, 1);
	house_run_ms(h, 3600000);
	assert_tab(h, 1, 1, "preview_paused");
	does(h, CMD_RESUME_TIMER, 1, 1);
	house_run_ms(h, 8999);
	assert_tab(h, 1, 1, "preview");
	house_run_ms(h, 1);
	assert_tab(h, 1, 1, "ringing");
}

/* Two things in one turn: the pause was there first, so the timer that has fired already has
 * nothing to say. */
static void a_pause_in_the_last_moment_counts(void **state)
{
	struct house *h = *state;
	struct command pause, resume;

	presents(h, 1, 1, CUSTOMER);
	held_clock_advance(&h->held, 15000 * 1000);
	pause = command_of(h, CMD_PAUSE_TIMER, 1, 1);
	resume = command_of(h, CMD_RESUME_TIMER, 1, 1);
	control_command(h->control, &pause, NULL, NULL);
	timers_run(&h->timers, h->held.mono_us);
	control_command(h->control, &resume, NULL, NULL);
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "ringing"); /* nothing was left of it */
	assert_int_equal(legs(h), 1);
}

static void a_skipped_record_costs_no_attempt(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	does(h, CMD_SKIP, 1, 1);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "Reject");
	ends_wrap(h, 1, 1);
	assert_int_equal(told(h, 1, 1)->counters.calls, 0);
	assert_string_equal(dialer_status_word(told(h, 1, 1)->dialer_status), "open");
	assert_int_equal(legs(h), 0);
}

static void an_agent_who_is_not_ready_gives_the_record_back(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	presents(h, 1, 1, CUSTOMER);
	says(h, 1, AGENT_NOT_READY);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->reason, "not_ready");
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "NotReady");
}

/* A state that is refused withdraws nothing. */
static void a_state_that_cannot_be_asked_for_takes_nothing_back(void **state)
{
	struct house *h = *state;
	struct command command = command_of(h, CMD_AGENT_STATE, 1, 0);

	presents(h, 1, 1, CUSTOMER);
	command.agent_state = AGENT_LOGGED_OUT;
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	is_refused(h, &command, "agent.state_invalid");
	assert_tab(h, 1, 1, "preview");
}

/* --- attempts --- */

static struct command attempt(struct house *h, const struct call_view *last, const char *number)
{
	struct command command = command_of(h, CMD_PRESENT, 1, 1);

	command.direction = DIR_CCOUTBOUND;
	str_copy(command.number, sizeof command.number, number);
	str_copy(command.subject, sizeof command.subject, "Spring campaign");
	if (last) {
		command.dialer_call_id = last->dialer_call_id;
		command.phone_call_id = last->phone_call_id;
		command.counters = last->counters;
		command.is_callback = last->retry_at_ms != 0;
	}
	return command;
}

static void three_attempts_are_one_row(void **state)
{
	static const char *const numbers[] = {SILENT_NUMBER, BUSY_NUMBER, CUSTOMER};
	struct house *h = *state;
	struct call_view last;
	struct uuid row = {0}, calls[3];

	for (int i = 0; i < 3; i++) {
		struct command command = attempt(h, i ? &last : NULL, numbers[i]);

		assert_int_equal(house_send(h, &command)->status, ST_OK);
		dials(h, 1, 1, "");
		house_run_ms(h, 25000);
		if (i == 2)
			does(h, CMD_RELEASE, 1, 1);
		ends_wrap(h, 1, 1);
		last = *told(h, 1, 1);
		calls[i] = last.call_id;
		if (i)
			assert_true(uuid_equal(&row, &last.dialer_call_id));
		row = last.dialer_call_id;
		assert_int_equal(last.attempt, i + 1);
	}
	assert_false(uuid_equal(&calls[0], &calls[1]));
	assert_int_equal(last.counters.calls, 3);
	assert_int_equal(last.counters.no_answers, 1);
	assert_int_equal(last.counters.busies, 1);
	assert_int_equal(last.counters.connects, 1);
	assert_true(last.counters.did_connect);
	assert_string_equal(last.campaign, "Spring campaign");
}

static void the_activity_of_the_crm_stays_the_same_over_the_attempts(void **state)
{
	struct house *h = *state;
	struct command command = attempt(h, NULL, CUSTOMER);
	struct call_view first;

	assert_int_equal(house_send(h, &command)->status, ST_OK);
	first = *told(h, 1, 1);
	assert_false(uuid_is_nil(&first.phone_call_id));
	does(h, CMD_SKIP, 1, 1);
	ends_wrap(h, 1, 1);
	command = attempt(h, &first, CUSTOMER);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_true(uuid_equal(&told(h, 1, 1)->phone_call_id, &first.phone_call_id));
	does(h, CMD_SKIP, 1, 1);
	ends_wrap(h, 1, 1);
	first.phone_call_id = (struct uuid){{0}}; /* not known: a new one */
	command = attempt(h, &first, CUSTOMER);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_false(uuid_is_nil(&told(h, 1, 1)->phone_call_id));
}

static void a_retry_is_a_callback_next_time(void **state)
{
	struct house *h = *state;
	struct command command = attempt(h, NULL, CUSTOMER);
	struct call_view last;

	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_false(told(h, 1, 1)->is_callback);
	dials(h, 1, 1, "");
	house_run_ms(h, 2000);
	does(h, CMD_RELEASE, 1, 1);
	chooses(h, 1, 1, "Call again");
	assert_int_equal(told(h, 1, 1)->retry_at_ms, h->held.wall_us / 1000 + 3600000);
	ends_wrap(h, 1, 1);
	last = *told(h, 1, 1);
	assert_string_equal(dialer_status_word(last.dialer_status), "retry");
	command = attempt(h, &last, CUSTOMER);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_true(told(h, 1, 1)->is_callback);
	assert_int_equal(told(h, 1, 1)->retry_at_ms, 0);
	assert_string_equal(dialer_status_word(told(h, 1, 1)->dialer_status), "open");
	dials(h, 1, 1, "");
	house_run_ms(h, 2000);
	does(h, CMD_RELEASE, 1, 1);
	chooses(h, 1, 1, "Sale");
	ends_wrap(h, 1, 1);
	assert_string_equal(dialer_status_word(told(h, 1, 1)->dialer_status), "closed");
	assert_int_equal(told(h, 1, 1)->counters.connects, 2);
}

static void a_row_is_on_one_tab_at_a_time(void **state)
{
	struct house *h = *state;
	struct command command = attempt(h, NULL, CUSTOMER);
	struct call_view first;

	assert_int_equal(house_send(h, &command)->status, ST_OK);
	first = *told(h, 1, 1);
	command = attempt(h, &first, CUSTOMER);
	command.agent_id = h->agents[2];
	is_refused(h, &command, "call.live");
	does(h, CMD_SKIP, 1, 1);
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	is_refused(h, &command, "call.live"); /* until its end is stable */
	h->is_log_slow = true;
	does(h, CMD_END_WRAP, 1, 1);
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	is_refused(h, &command, "call.live");
	h->is_log_slow = false;
	house_run_ms(h, 0);
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_tab(h, 2, 1, "preview");
}

/* --- where, and to whom --- */

static void a_record_finds_a_free_tab(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	presents(h, 1, 0, OTHER);
	assert_int_equal(h->reply.tab, 2);
	assert_tab(h, 1, 2, "preview");
	assert_tab(h, 1, 1, "wrap");
}

static void a_tab_in_use_takes_no_record(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	command = attempt(h, NULL, OTHER);
	is_refused(h, &command, "tab.not_free");
}

static void an_agent_with_a_call_on_every_tab_is_presented_nothing(void **state)
{
	struct house *h = *state;
	struct command command = attempt(h, NULL, OTHER);

	for (int tab = 1; tab <= TAB_MAX; tab++) {
		presents(h, 1, tab, CUSTOMER);
		does(h, CMD_SKIP, 1, tab);
		does(h, CMD_PAUSE_TIMER, 1, tab);
	}
	command.tab = 0;
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	is_refused(h, &command, "agent.no_free_tab");
}

static void who_is_on_a_call_is_presented_nothing(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	command = attempt(h, NULL, OTHER);
	command.tab = 2;
	is_refused(h, &command, "agent.on_call");
}

static void who_is_logged_out_is_presented_nothing(void **state)
{
	struct house *h = *state;
	struct command out = command_of(h, CMD_AGENT_STATE, 1, 0);
	struct command command;

	out.actor = ACTOR_API;
	out.agent_state = AGENT_LOGGED_OUT;
	assert_int_equal(house_send(h, &out)->status, ST_OK);
	command = attempt(h, NULL, CUSTOMER);
	is_refused(h, &command, "agent.logged_out");
	control_agent_present(h->control, &h->agents[1], false);
	control_agent_present(h->control, &h->agents[1], true);
}

static void a_record_with_a_bad_number_is_refused(void **state)
{
	struct house *h = *state;
	struct command command = attempt(h, NULL, "call me");

	is_refused(h, &command, "number.invalid");
}

static void a_presented_record_says_whom_it_is_about(void **state)
{
	struct house *h = *state;
	struct command command = attempt(h, NULL, "+1 (555) 0001");

	str_copy(command.to.name, sizeof command.to.name, "Clara Customer");
	str_copy(command.to.type, sizeof command.to.type, "contact");
	str_copy(command.to.id, sizeof command.to.id, "c-17");
	command.direction = DIR_INBOUND; /* nobody is presented as that */
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_string_equal(told(h, 1, 1)->to.name, "Clara Customer");
	assert_string_equal(told(h, 1, 1)->to.type, "contact");
	assert_string_equal(told(h, 1, 1)->phone, CUSTOMER);
	assert_string_equal(direction_word(told(h, 1, 1)->direction), "ccOutbound");
	does(h, CMD_SKIP, 1, 1);
	ends_wrap(h, 1, 1);
	command.direction = DIR_OUTBOUND;
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_string_equal(direction_word(told(h, 1, 1)->direction), "outbound");
}

/* --- when the time is over and nothing can be dialed, no attempt is spoilt --- */

static void a_preview_waits_while_its_agent_is_on_another_call(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	dials(h, 1, 2, OTHER);
	house_run_ms(h, 16000);
	assert_tab(h, 1, 2, "talk");
	assert_tab(h, 1, 1, "preview_paused");
	assert_string_equal(told(h, 1, 1)->reason, "agent.on_call");
	is_refused_plain(h, CMD_DIAL, 1, 1, "agent.on_call");
	does(h, CMD_RELEASE, 1, 2);
	dials(h, 1, 1, "");
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	assert_int_equal(told(h, 1, 1)->counters.calls, 1);
}

static void a_preview_waits_while_the_switch_is_away(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	sim_link_down(h->sim);
	house_run_ms(h, 16000);
	assert_tab(h, 1, 1, "preview_paused");
	assert_string_equal(told(h, 1, 1)->reason, "switch.away");
	is_refused_plain(h, CMD_DIAL, 1, 1, "switch.away");
	sim_link_up(h->sim);
	house_run_ms(h, 100);
	does(h, CMD_RESUME_TIMER, 1, 1);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
}

static void a_switch_that_takes_nothing_more_made_an_error_on_dial(void **state)
{
	struct house *h = *state;

	presents(h, 1, 1, CUSTOMER);
	house_run_ms(h, 14990);
	sim_busy_next(h->sim, 1000);
	dials(h, 2, 1, OTHER); /* waits in the composer */
	house_run_ms(h, 15);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->reason, "switch_refused");
	assert_string_equal(told(h, 1, 1)->outcome, "EoD");
	assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "switch");
	sim_busy_next(h->sim, 0);
	house_run_ms(h, 5000);
}

static void reaching_the_limit_of_calls_keeps_what_is_there(void **state)
{
	struct house *h = *state;
	struct control_config config = house_config();

	house_close(h);
	config.max_calls = 1;
	house_open_with(h, &config, true);
	presents(h, 1, 1, CUSTOMER);
	is_refused_plain(h, CMD_DIAL, 2, 1, "calls.limit");
	dials(h, 1, 1, "");
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	is_refused_plain(h, CMD_TRANSFER_CONSULT, 1, 1, "calls.limit");
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_presented_record_is_dialed_when_its_time_is_over,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(dial_before_the_time_is_over_needs_no_number,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_paused_preview_waits_for_its_agent, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_pause_in_the_last_moment_counts, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_skipped_record_costs_no_attempt, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_agent_who_is_not_ready_gives_the_record_back,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_state_that_cannot_be_asked_for_takes_nothing_back,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(three_attempts_are_one_row, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(
			the_activity_of_the_crm_stays_the_same_over_the_attempts, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_retry_is_a_callback_next_time, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_row_is_on_one_tab_at_a_time, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_record_finds_a_free_tab, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_tab_in_use_takes_no_record, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_with_a_call_on_every_tab_is_presented_nothing, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(who_is_on_a_call_is_presented_nothing, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(who_is_logged_out_is_presented_nothing, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_record_with_a_bad_number_is_refused, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_presented_record_says_whom_it_is_about,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_preview_waits_while_its_agent_is_on_another_call,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_preview_waits_while_the_switch_is_away,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_switch_that_takes_nothing_more_made_an_error_on_dial, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(reaching_the_limit_of_calls_keeps_what_is_there,
						house_setup, house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
