/* Callers: whom they are offered to, and what becomes of those nobody takes. M11, M34, M36. */
#include "house.h"

/* The tab this agent has an incoming call on, or 0. */
static int incoming_at(struct house *h, int agent)
{
	for (int tab = 1; tab <= 3; tab++)
		if (!strcmp(state_of(h, agent, tab), "incoming"))
			return tab;
	return 0;
}

static void a_caller_is_offered_to_a_ready_agent_who_answers(void **state)
{
	struct house *h = *state;
	const struct call_view *call;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	assert_tab(h, 1, 1, "incoming");
	call = told(h, 1, 1);
	assert_string_equal(direction_word(call->direction), "inbound");
	assert_string_equal(call->phone, CUSTOMER);
	assert_string_equal(call->dnis, QUEUE);
	assert_string_equal(call->queue, "Support");
	assert_string_equal(call->queue_number, QUEUE);
	assert_string_equal(call->from.name, "Clara Customer");
	assert_string_equal(call->script_url, "https://example.org/script");
	assert_string_equal(call->extension, "1001");
	assert_int_equal(call->ring_until_ms, h->held.wall_us / 1000 + 20000);
	assert_hears(h, CUSTOMER, "ringback");
	does(h, CMD_ANSWER, 1, 1);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
	does(h, CMD_RELEASE, 1, 1);
	assert_states_told(h, 1, 1, "incoming talk idle");
	assert_int_equal(told(h, 1, 1)->counters.calls, 1);
	assert_int_equal(told(h, 1, 1)->counters.connects, 1);
}

static void a_caller_waits_until_somebody_is_ready(void **state)
{
	struct house *h = *state;

	calls_in(h, CUSTOMER, QUEUE);
	house_run_ms(h, 60000);
	assert_int_equal(figures(h).waiting_callers, 1);
	assert_int_equal(h->heard_count, 0);
	says(h, 2, AGENT_READY);
	assert_tab(h, 2, 1, "incoming");
	assert_int_equal(figures(h).waiting_callers, 0);
}

static void callers_are_served_in_the_order_they_came(void **state)
{
	struct house *h = *state;

	calls_in(h, CUSTOMER, QUEUE);
	house_run_ms(h, 1000);
	calls_in(h, OTHER, QUEUE);
	says(h, 1, AGENT_READY);
	assert_string_equal(told(h, 1, 1)->phone, CUSTOMER);
	assert_int_equal(figures(h).waiting_callers, 1);
	says(h, 2, AGENT_READY);
	assert_string_equal(told(h, 2, 1)->phone, OTHER);
}

static void who_has_been_ready_longest_is_offered_the_caller(void **state)
{
	struct house *h = *state;

	says(h, 2, AGENT_READY);
	house_run_ms(h, 1000);
	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	says(h, 2, AGENT_READY); /* said again: keeps his place */
	calls_in(h, CUSTOMER, QUEUE);
	assert_tab(h, 2, 1, "incoming");
	assert_tab(h, 1, 1, "");
}

static void nobody_is_offered_a_caller_who_is_busy_or_away(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	talks(h, 1, 1, OTHER);
	says(h, 2, AGENT_AWAY);
	says(h, 3, AGENT_READY);
	control_agent_present(h->control, &h->agents[3], false); /* nobody looks at his page */
	calls_in(h, CUSTOMER, QUEUE);
	assert_int_equal(figures(h).waiting_callers, 1);
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(figures(h).waiting_callers, 1); /* he wraps up first */
	does(h, CMD_END_WRAP, 1, 1);
	assert_tab(h, 1, 1, "incoming");
	assert_int_equal(figures(h).waiting_callers, 0);
}

static void a_page_that_opens_brings_the_caller(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	control_agent_present(h->control, &h->agents[1], false);
	calls_in(h, CUSTOMER, QUEUE);
	assert_int_equal(figures(h).waiting_callers, 1);
	h->wakes = 0;
	control_agent_present(h->control, &h->agents[1], true);
	assert_true(h->wakes > 0); /* the loop is asked to come again */
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "incoming");
}

/* --- direct, and to nobody --- */

static void a_caller_of_an_extension_is_offered_to_that_agent_only(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, "1002");
	assert_int_equal(figures(h).waiting_callers, 1);
	assert_tab(h, 1, 1, "");
	says(h, 2, AGENT_READY);
	assert_tab(h, 2, 1, "incoming");
	assert_string_equal(told(h, 2, 1)->queue, "");
	assert_string_equal(told(h, 2, 1)->dnis, "1002");
	does(h, CMD_ANSWER, 2, 1);
	house_run_ms(h, 2000);
	assert_hears(h, CUSTOMER, "1002");
}

static void a_direct_caller_who_is_refused_is_told_so(void **state)
{
	struct house *h = *state;

	says(h, 2, AGENT_READY);
	calls_in(h, CUSTOMER, "1002");
	does(h, CMD_RELEASE, 2, 1);
	house_run_ms(h, 100);
	assert_tab(h, 2, 1, "wrap");
	assert_string_equal(told(h, 2, 1)->outcome, "Deflect");
	assert_int_equal(legs(h), 0);
}

static void a_number_nobody_has_is_refused(void **state)
{
	struct house *h = *state;
	unsigned records = fake_log_count(h->log);

	calls_in(h, CUSTOMER, "4711");
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_int_equal(figures(h).calls_live, 0);
	assert_int_equal(fake_log_count(h->log), records);
}

static void an_agent_without_an_extension_is_nobodys_number(void **state)
{
	struct house *h = *state;
	struct agent_setup setup = {.agent_id = uuid_from(77, (uint8_t[10]){7}), .login = "new"};
	struct agent_setup again = {.agent_id = uuid_from(78, (uint8_t[10]){7}), .login = "newer"};

	control_set_agent(h->control, &setup);
	control_set_agent(h->control, &again);
	control_set_agent(h->control, &setup);
	str_copy(setup.extension, sizeof setup.extension, "1077");
	control_set_agent(h->control, &setup);
	control_set_agent(h->control, &again);
	calls_in(h, CUSTOMER, "1077");
	assert_int_equal(figures(h).waiting_callers, 1);
}

/* --- given back --- */

static void a_deflected_caller_goes_to_the_next_agent(void **state)
{
	struct house *h = *state;
	struct uuid row, activity;
	const struct call_view *again;

	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	says(h, 2, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	assert_tab(h, 1, 1, "incoming");
	row = told(h, 1, 1)->dialer_call_id;
	activity = told(h, 1, 1)->phone_call_id;
	does(h, CMD_RELEASE, 1, 1);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "Deflect");
	assert_string_equal(told(h, 1, 1)->reason, "released");
	assert_tab(h, 2, 1, "incoming");
	again = told(h, 2, 1);
	assert_true(uuid_equal(&row, &again->dialer_call_id));
	assert_true(uuid_equal(&activity, &again->phone_call_id));
	assert_string_equal(again->phone, CUSTOMER);
	assert_string_equal(again->dnis, QUEUE);
	assert_string_equal(again->queue, "Support");
	assert_string_equal(again->from.name, "Clara Customer");
	does(h, CMD_ANSWER, 2, 1);
	house_run_ms(h, 2000);
	assert_hears(h, CUSTOMER, "1002");
	does(h, CMD_RELEASE, 2, 1);
	assert_int_equal(told(h, 2, 1)->counters.calls, 1); /* one caller */
	assert_int_equal(told(h, 2, 1)->counters.connects, 1);
}

/* The row belongs to who has the caller now: what the first agent's wrap does changes it no more.
 */
static void the_row_follows_the_caller(void **state)
{
	struct house *h = *state;
	struct uuid first, row;

	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	says(h, 2, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	first = told(h, 1, 1)->call_id;
	row = told(h, 1, 1)->dialer_call_id;
	does(h, CMD_RELEASE, 1, 1);
	unsigned from = fake_log_count(h->log);
	ends_wrap(h, 1, 1);
	for (unsigned i = from; i < fake_log_count(h->log); i++) {
		const struct record *record = fake_log_record(h->log, i);

		if (record->has & RECORD_CALL)
			assert_false(uuid_equal(&record->call.call_id, &first));
	}
	does(h, CMD_ANSWER, 2, 1);
	assert_true(uuid_equal(&told(h, 2, 1)->dialer_call_id, &row));
}

/* The first agent may still wrap up what he gave back when the row is free for its next attempt. */
static void what_was_given_back_holds_no_row(void **state)
{
	struct house *h = *state;
	struct command command;

	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	says(h, 2, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	does(h, CMD_RELEASE, 1, 1);
	does(h, CMD_ANSWER, 2, 1);
	house_run_ms(h, 2000);
	does(h, CMD_RELEASE, 2, 1);
	chooses(h, 2, 1, "Sale");
	ends_wrap(h, 2, 1);
	chooses(h, 1, 1, "Wrong person");
	command = command_of(h, CMD_PRESENT, 2, 1);
	command.dialer_call_id = told(h, 2, 1)->dialer_call_id;
	str_copy(command.number, sizeof command.number, CUSTOMER);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_tab(h, 1, 1, "wrap");
}

/* Both are free in the same moment, and the one who refused him has been ready longer. */
static void who_refused_the_caller_is_asked_last(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	does(h, CMD_RELEASE, 1, 1);
	h->is_log_slow = true;
	control_on_degraded(h->control, true, "gone");
	does(h, CMD_END_WRAP, 1, 1);
	house_run_ms(h, 1000);
	says(h, 2, AGENT_READY);
	assert_int_equal(figures(h).waiting_callers, 1);
	h->is_log_slow = false;
	control_on_degraded(h->control, false, NULL);
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "end");
	assert_tab(h, 2, 1, "incoming");
}

static void the_agents_number_in_the_contact_centre_is_shown(void **state)
{
	struct house *h = *state;
	struct agent_setup setup = {.agent_id = h->agents[1],
				    .login = "agent1",
				    .extension = "1001",
				    .cc_agent_id = "A-17"};

	control_set_agent(h->control, &setup);
	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	assert_string_equal(told(h, 1, 1)->cc_agent_id, "A-17");
	does(h, CMD_RELEASE, 1, 1);
	says(h, 1, AGENT_AWAY);
	dials(h, 1, 1, OTHER);
	assert_string_equal(told(h, 1, 1)->cc_agent_id, "A-17");
}

static void an_offer_that_rings_out_goes_on_and_takes_the_agent_out(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	says(h, 2, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	house_run_ms(h, 19999);
	assert_tab(h, 1, 1, "incoming");
	house_run_ms(h, 1);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "MissedCall");
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "NotReady");
	assert_string_equal(h->heard_agent[1].reason, "missed_call");
	assert_tab(h, 2, 1, "incoming");
}

static void not_ready_withdraws_the_offer(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	says(h, 1, AGENT_AWAY);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "Deflect");
	assert_string_equal(told(h, 1, 1)->reason, "not_ready");
	/* at once, not after a call that never was his */
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Away");
	assert_int_equal(figures(h).waiting_callers, 1);
	says(h, 2, AGENT_READY);
	assert_tab(h, 2, 1, "incoming");
}

static void the_only_agent_gets_his_caller_back_after_his_wrap(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(figures(h).waiting_callers, 1);
	house_run_ms(h, 10000);
	assert_int_equal(incoming_at(h, 1), 0);
	does(h, CMD_END_WRAP, 1, 1);
	assert_int_equal(figures(h).waiting_callers, 0);
	assert_int_not_equal(incoming_at(h, 1), 0);
}

static void an_agent_without_a_telephone_gives_the_caller_to_the_next(void **state)
{
	struct house *h = *state;

	says(h, 3, AGENT_READY); /* his telephone cannot be reached */
	calls_in(h, CUSTOMER, QUEUE);
	assert_tab(h, 3, 1, "incoming");
	does(h, CMD_ANSWER, 3, 1);
	house_run_ms(h, 100);
	assert_tab(h, 3, 1, "wrap");
	assert_string_equal(told(h, 3, 1)->reason, "no_agent_audio");
	assert_hears(h, CUSTOMER, "music"); /* he was answered, so he waits with music */
	says(h, 1, AGENT_READY);
	assert_tab(h, 1, 1, "incoming");
	does(h, CMD_ANSWER, 1, 1);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
}

/* --- who leaves --- */

static void a_caller_who_leaves_while_it_rings_is_missed(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	house_run_ms(h, 3000);
	hangs_up(h, CUSTOMER);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "MissedCall");
	assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "customer");
	/* not his fault */
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Ready");
}

static void a_caller_who_leaves_the_queue_is_abandoned(void **state)
{
	struct house *h = *state;
	const struct record *last = NULL;
	unsigned results = 0;

	calls_in(h, CUSTOMER, QUEUE);
	house_run_ms(h, 5000);
	hangs_up(h, CUSTOMER);
	assert_int_equal(figures(h).calls_live, 0);
	assert_int_equal(figures(h).waiting_callers, 0);
	for (unsigned i = 0; i < fake_log_count(h->log); i++) {
		const struct record *record = fake_log_record(h->log, i);

		results += (record->has & RECORD_RESULT) && !strcmp(record->result, "Abandon");
		if (record->has & RECORD_CALL)
			last = record;
	}
	assert_int_equal(results, 1);
	assert_string_equal(dialer_status_word(last->call.dialer_status), "closed");
	assert_string_equal(last->call.reason, "caller_left");
	assert_int_equal(h->heard_count, 0);
}

/* He was gone before control had its turn. */
static void a_caller_who_leaves_at_once_leaves_nothing(void **state)
{
	struct house *h = *state;
	unsigned records = fake_log_count(h->log);
	char leg[TEL_ID_SIZE];

	assert_int_equal(sim_call_in(h->sim, CUSTOMER, "", QUEUE, leg, NULL), ST_OK);
	house_run_switch(h);
	assert_int_equal(sim_party_hangup(h->sim, leg), ST_OK);
	house_run_switch(h);
	house_run_ms(h, 100);
	assert_int_equal(figures(h).calls_live, 0);
	assert_int_equal(fake_log_count(h->log), records);
}

static void a_caller_who_leaves_while_his_agent_is_brought_is_missed(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	sim_set_station(h->sim, "1001", true, false); /* rings until somebody picks it up */
	does(h, CMD_ANSWER, 1, 1);
	assert_tab(h, 1, 1, "answering");
	house_run_ms(h, 1000);
	hangs_up(h, CUSTOMER);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_int_equal(legs(h), 0);
	sim_set_station(h->sim, "1001", true, true);
}

/* --- two answers --- */

static void only_who_is_offered_the_caller_can_answer(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	is_refused_plain(h, CMD_ANSWER, 2, 1, "call.not_incoming");
	does(h, CMD_ANSWER, 1, 1);
	is_refused_plain(h, CMD_ANSWER, 1, 1, "call.not_incoming");
}

static void an_agent_can_dial_while_he_is_offered_a_caller_but_not_take_both(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	dials(h, 1, 2, OTHER);
	assert_false(can_do(h, 1, 1, CAN_ANSWER));
	is_refused_plain(h, CMD_ANSWER, 1, 1, "agent.on_call");
	house_run_ms(h, 2000);
	does(h, CMD_HOLD, 1, 2);
	assert_true(can_do(h, 1, 1, CAN_ANSWER));
	does(h, CMD_ANSWER, 1, 1);
	house_run_ms(h, 1000);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
	assert_hears(h, OTHER, "music");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_caller_is_offered_to_a_ready_agent_who_answers,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_caller_waits_until_somebody_is_ready, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(callers_are_served_in_the_order_they_came,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(who_has_been_ready_longest_is_offered_the_caller,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(nobody_is_offered_a_caller_who_is_busy_or_away,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_page_that_opens_brings_the_caller, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(
			a_caller_of_an_extension_is_offered_to_that_agent_only, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_direct_caller_who_is_refused_is_told_so,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_number_nobody_has_is_refused, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_agent_without_an_extension_is_nobodys_number,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_deflected_caller_goes_to_the_next_agent,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(the_row_follows_the_caller, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(what_was_given_back_holds_no_row, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(who_refused_the_caller_is_asked_last, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_agents_number_in_the_contact_centre_is_shown,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			an_offer_that_rings_out_goes_on_and_takes_the_agent_out, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(not_ready_withdraws_the_offer, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_only_agent_gets_his_caller_back_after_his_wrap,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_without_a_telephone_gives_the_caller_to_the_next, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_caller_who_leaves_while_it_rings_is_missed,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_caller_who_leaves_the_queue_is_abandoned,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_caller_who_leaves_at_once_leaves_nothing,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_caller_who_leaves_while_his_agent_is_brought_is_missed, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(only_who_is_offered_the_caller_can_answer,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_can_dial_while_he_is_offered_a_caller_but_not_take_both,
			house_setup, house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
