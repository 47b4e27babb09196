/* Two calls of one agent: M8 to M10, and who may do what meanwhile. */
#include "house.h"

#define THIRD "+15550003"

/* Tab 1: the customer, held; tab 2: the other one, active. */
static void consults(struct house *h)
{
	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "held");
	assert_tab(h, 1, 2, "consult");
}

static void confers(struct house *h)
{
	consults(h);
	does_with(h, CMD_CONFERENCE, 1, 2, "", 1);
	house_run_ms(h, 0);
}

/* --- consultation --- */

static void a_consultation_opens_another_tab_and_names_it(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	h->tabs_tells = 0;
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	assert_int_equal(h->reply.tab, 2);
	assert_true(uuid_equal(&h->reply.call_id, &told(h, 1, 2)->call_id));
	assert_true(uuid_equal(&h->reply.dialer_call_id, &told(h, 1, 2)->dialer_call_id));
	assert_true(h->tabs_tells > 0);
	assert_tab(h, 1, 1, "held");
	assert_tab(h, 1, 2, "ringing");
	assert_string_equal(direction_word(told(h, 1, 2)->direction), "transfer");
	assert_int_equal(told(h, 1, 1)->partner_tab, 2);
	assert_int_equal(told(h, 1, 2)->partner_tab, 1);
	house_run_ms(h, 2000);
	assert_hears(h, CUSTOMER, "music");
	assert_hears(h, OTHER, "1001");
	assert_hears(h, "1001", OTHER);
}

static void a_consultation_takes_a_free_tab_first(void **state)
{
	struct house *h = *state;
	struct call_view view;
	uint64_t epoch, seq;

	control_tab_snapshot(h->control, &h->agents[1], 5, &view, &epoch,
			     &seq); /* somebody looks */
	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	assert_int_equal(h->reply.tab, 5);
}

static void the_agent_goes_between_the_two(void **state)
{
	struct house *h = *state;

	consults(h);
	does(h, CMD_HOLDRESUME, 1, 1); /* back to the customer: the other one is held */
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "talk");
	assert_tab(h, 1, 2, "consult_held");
	assert_hears(h, CUSTOMER, "1001");
	assert_hears(h, OTHER, "music");
	does(h, CMD_RESUME, 1, 2);
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "held");
	assert_tab(h, 1, 2, "consult");
	assert_hears(h, OTHER, "1001");
	assert_hears(h, CUSTOMER, "music");
}

static void a_cancelled_consultation_brings_the_customer_back(void **state)
{
	struct house *h = *state;

	consults(h);
	does(h, CMD_CANCEL_CONSULT, 1, 2);
	house_run_ms(h, 100);
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "talk");
	assert_int_equal(told(h, 1, 1)->partner_tab, 0);
	assert_hears(h, CUSTOMER, "1001");
	assert_string_equal(leg_of(h, OTHER), "");
}

static void a_consultation_can_be_cancelled_while_it_rings_and_from_the_customers_tab(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, SILENT_NUMBER, 0);
	house_run_ms(h, 1000);
	assert_true(can_do(h, 1, 1, CAN_CANCEL_CONSULT));
	assert_true(can_do(h, 1, 2, CAN_CANCEL_CONSULT));
	does(h, CMD_CANCEL_CONSULT, 1, 1);
	house_run_ms(h, 100);
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "talk");
	assert_false(can_do(h, 1, 1, CAN_CANCEL_CONSULT));
	assert_hears(h, CUSTOMER, "1001");
}

static void a_target_who_does_not_answer_leaves_the_customer_held(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, BUSY_NUMBER, 0);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "held");
	assert_int_equal(told(h, 1, 1)->partner_tab, 0);
	assert_false(told(h, 1, 2)->is_wrap_required);
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 0);
	assert_hears(h, CUSTOMER, "1001");
}

static void a_target_who_hangs_up_leaves_the_customer_as_he_is(void **state)
{
	struct house *h = *state;

	consults(h);
	hangs_up(h, OTHER);
	assert_tab(h, 1, 2, "wrap");
	assert_string_equal(ended_by_word(told(h, 1, 2)->ended_by), "customer");
	assert_tab(h, 1, 1, "held");
	assert_hears(h, CUSTOMER, "music");
	assert_false(can_do(h, 1, 1, CAN_CANCEL_CONSULT));
	ends_wrap(h, 1, 2);
	does(h, CMD_RESUME, 1, 1);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(h, 2000);
	does(h, CMD_RESUME, 1, 1); /* the target waits, and hangs up while he does */
	hangs_up(h, OTHER);
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
}

static void a_customer_who_leaves_during_the_consultation_ends_his_call_only(void **state)
{
	struct house *h = *state;

	consults(h);
	hangs_up(h, CUSTOMER);
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "consult");
	assert_int_equal(told(h, 1, 2)->partner_tab, 0);
	assert_hears(h, OTHER, "1001");
	assert_false(can_do(h, 1, 2, CAN_TRANSFER_COMPLETE));
	is_refused_plain(h, CMD_TRANSFER_COMPLETE, 1, 2, "tab.not_held");
}

static void a_consultation_about_nobody_can_still_be_cancelled(void **state)
{
	struct house *h = *state;

	consults(h);
	hangs_up(h, CUSTOMER);
	ends_wrap(h, 1, 1);
	does(h, CMD_CANCEL_CONSULT, 1, 2);
	house_run_ms(h, 100);
	assert_tab(h, 1, 2, "wrap");
	assert_int_equal(legs(h), 0);
}

static void a_bad_number_leaves_the_customer_talking(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	command = command_of(h, CMD_TRANSFER_CONSULT, 1, 1);
	str_copy(command.number, sizeof command.number, "101@trunk");
	is_refused(h, &command, "number.invalid");
	command.kind = CMD_TRANSFER_BLIND;
	str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
	is_refused(h, &command, "number.invalid");
	assert_tab(h, 1, 1, "talk");
}

static void without_a_free_tab_nobody_can_be_consulted(void **state)
{
	struct house *h = *state;

	for (int tab = 1; tab <= TAB_MAX; tab++) {
		talks(h, 1, tab, CUSTOMER);
		if (tab < TAB_MAX)
			does(h, CMD_HOLD, 1, tab);
	}
	assert_false(can_do(h, 1, TAB_MAX, CAN_TRANSFER_CONSULT));
	is_refused_plain(h, CMD_TRANSFER_CONSULT, 1, TAB_MAX, "agent.no_free_tab");
	does(h, CMD_RELEASE, 1, 3);
	assert_false(can_do(h, 1, TAB_MAX, CAN_TRANSFER_CONSULT)); /* it wraps up first */
	ends_wrap(h, 1, 3);
	assert_true(can_do(h, 1, TAB_MAX, CAN_TRANSFER_CONSULT));
	does_with(h, CMD_TRANSFER_CONSULT, 1, TAB_MAX, OTHER, 0);
	assert_int_equal(h->reply.tab, 3);
}

/* --- complete --- */

static void complete_joins_the_two_and_both_tabs_are_idle(void **state)
{
	struct house *h = *state;

	consults(h);
	does_with(h, CMD_TRANSFER_COMPLETE, 1, 2, "", 1);
	assert_true(uuid_equal(&h->reply.call_id, &told(h, 1, 2)->call_id));
	assert_true(uuid_equal(&h->reply.dialer_call_id, &told(h, 1, 2)->dialer_call_id));
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "wrap");
	assert_hears(h, CUSTOMER, OTHER);
	assert_hears(h, OTHER, CUSTOMER);
	assert_string_equal(leg_of(h, "1001"), "");
	assert_string_equal(told(h, 1, 1)->reason, "transfer_completed");
	assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "agent");
	assert_string_equal(ended_by_word(told(h, 1, 2)->ended_by), "agent");
	assert_states_told(h, 1, 1, "ringing talk idle");
	assert_states_told(h, 1, 2, "ringing talk idle");
	house_run_ms(h, 60000); /* the two talk on */
	assert_hears(h, CUSTOMER, OTHER);
	hangs_up(h, CUSTOMER);
}

static void the_customers_tab_can_complete_too_when_it_is_the_active_one(void **state)
{
	struct house *h = *state;

	consults(h);
	does(h, CMD_RESUME, 1, 1);
	assert_true(can_do(h, 1, 1, CAN_TRANSFER_COMPLETE));
	assert_false(can_do(h, 1, 2, CAN_TRANSFER_COMPLETE));
	does_with(h, CMD_TRANSFER_COMPLETE, 1, 1, "", 2);
	house_run_ms(h, 100);
	assert_hears(h, CUSTOMER, OTHER);
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "wrap");
	hangs_up(h, OTHER);
}

static void only_an_active_tab_and_a_held_one_are_joined(void **state)
{
	struct house *h = *state;
	struct command command;

	consults(h);
	is_refused_plain(h, CMD_TRANSFER_COMPLETE, 1, 1, "tab.not_active");
	assert_string_equal(h->reply.err.message,
			    "transferComplete needs this tab active: it is held");
	is_refused_plain(h, CMD_CONFERENCE, 1, 1, "tab.not_active");
	for (int i = 0; i < 5; i++) {
		static const struct {
			int tab;
			const char *code;
		} expected[] = {{2, "tab.same"},
				{3, "tab.not_held"},
				{0, "tab.invalid"},
				{-1, "tab.invalid"},
				{TAB_MAX + 1, "tab.invalid"}};

		command = command_of(h, i % 2 ? CMD_CONFERENCE : CMD_TRANSFER_COMPLETE, 1, 2);
		command.other_tab = expected[i].tab;
		is_refused(h, &command, expected[i].code);
	}
	assert_hears(h, OTHER, "1001");
	assert_hears(h, CUSTOMER, "music");
}

static void another_agents_held_call_cannot_be_taken(void **state)
{
	struct house *h = *state;

	talks(h, 2, 1, CUSTOMER);
	does(h, CMD_HOLD, 2, 1);
	talks(h, 1, 2, OTHER);
	is_refused_plain(h, CMD_TRANSFER_COMPLETE, 1, 2, "tab.not_held");
	assert_tab(h, 2, 1, "held");
}

static void two_calls_that_are_no_consultation_can_be_joined_as_well(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	does_with(h, CMD_TRANSFER_COMPLETE, 1, 2, "", 1);
	house_run_ms(h, 100);
	assert_hears(h, CUSTOMER, OTHER);
	hangs_up(h, OTHER);
}

/* --- conference --- */

static void three_hear_each_other_and_two_stay_when_the_agent_leaves(void **state)
{
	struct house *h = *state;

	confers(h);
	assert_tab(h, 1, 1, "conference");
	assert_tab(h, 1, 2, "conference");
	assert_int_equal(told(h, 1, 1)->partner_tab, 2);
	assert_int_equal(told(h, 1, 2)->partner_tab, 1);
	assert_hears(h, "1001", CUSTOMER "+" OTHER);
	assert_hears(h, CUSTOMER, OTHER "+1001");
	assert_hears(h, OTHER, CUSTOMER "+1001");
	house_forget(h);
	does(h, CMD_LEAVE, 1, 1);
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "wrap");
	for (int tab = 1; tab <= 2; tab++) {
		assert_string_equal(told(h, 1, tab)->reason, "left_conference");
		assert_string_equal(ended_by_word(told(h, 1, tab)->ended_by), "agent");
	}
	assert_hears(h, CUSTOMER, OTHER);
	assert_hears(h, OTHER, CUSTOMER);
	assert_string_equal(leg_of(h, "1001"), "");
	hangs_up(h, CUSTOMER);
}

static void two_calls_that_are_no_consultation_can_confer(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, TAB_MAX, OTHER);
	does(h, CMD_HOLD, 1, TAB_MAX);
	does(h, CMD_RESUME, 1, 1);
	assert_int_equal(told(h, 1, 1)->partner_tab, 0);
	does_with(h, CMD_CONFERENCE, 1, 1, "", TAB_MAX);
	house_run_ms(h, 0);
	assert_int_equal(told(h, 1, 1)->partner_tab, TAB_MAX);
	assert_int_equal(told(h, 1, TAB_MAX)->partner_tab, 1);
	assert_hears(h, "1001", CUSTOMER "+" OTHER);
	hangs_up(h, OTHER);
	assert_tab(h, 1, 1, "talk");
}

/* The held party is gone, but control does not know yet when it takes the command. */
static void a_conference_that_comes_too_late_pairs_nobody(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	command = command_of(h, CMD_CONFERENCE, 1, 2);
	command.other_tab = 1;
	house_queue(h, &command);
	assert_int_equal(sim_party_hangup(h->sim, leg_of(h, CUSTOMER)), ST_OK);
	house_run_switch(h);
	house_run_ms(h, 0);
	assert_string_equal(h->reply.err.code, "call.unknown");
	assert_tab(h, 1, 2, "talk");
	assert_int_equal(told(h, 1, 2)->partner_tab, 0);
	assert_int_equal(told(h, 1, 1)->partner_tab, 0);
	assert_hears(h, OTHER, "1001");
}

static void who_leaves_a_conference_leaves_the_others_talking(void **state)
{
	static const char *const leaving[] = {CUSTOMER, OTHER};
	struct house *h = *state;

	for (int i = 0; i < 2; i++) {
		int gone = i + 1, staying = 2 - i;

		confers(h);
		hangs_up(h, leaving[i]);
		assert_tab(h, 1, gone, "wrap");
		assert_tab(h, 1, staying, "talk");
		assert_int_equal(told(h, 1, staying)->partner_tab, 0);
		assert_string_equal(told(h, 1, staying)->reason, "conference_over");
		assert_hears(h, leaving[1 - i], "1001");
		does(h, CMD_HOLD, 1, staying);
		does(h, CMD_RESUME, 1, staying);
		does(h, CMD_RELEASE, 1, staying);
		ends_wrap(h, 1, 1);
		ends_wrap(h, 1, 2);
		house_run_ms(h, 100);
		assert_int_equal(legs(h), 0);
	}
}

static void releasing_one_of_a_conference_keeps_the_other(void **state)
{
	struct house *h = *state;

	confers(h);
	does(h, CMD_RELEASE, 1, 2);
	house_run_ms(h, 100);
	assert_tab(h, 1, 2, "wrap");
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
	assert_string_equal(leg_of(h, OTHER), "");
}

static void an_agent_who_puts_down_his_telephone_has_left_the_conference(void **state)
{
	struct house *h = *state;

	confers(h);
	hangs_up(h, "1001");
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_tab(h, 1, 2, "wrap");
	assert_hears(h, CUSTOMER, OTHER);
	hangs_up(h, CUSTOMER);
}

static void mute_in_a_conference_is_for_both(void **state)
{
	struct house *h = *state;
	struct command mute;

	consults(h);
	does(h, CMD_MUTE, 1, 2);
	does_with(h, CMD_CONFERENCE, 1, 2, "", 1);
	house_run_ms(h, 0);
	assert_true(told(h, 1, 1)->is_muted);
	assert_true(told(h, 1, 2)->is_muted);
	assert_hears(h, CUSTOMER, OTHER);
	mute = command_of(h, CMD_MUTE, 1, 1);
	mute.on = false;
	assert_int_equal(house_send(h, &mute)->status, ST_OK);
	house_run_ms(h, 0);
	assert_false(told(h, 1, 1)->is_muted);
	assert_false(told(h, 1, 2)->is_muted);
	assert_hears(h, CUSTOMER, OTHER "+1001");
}

static void a_conference_is_not_held_transferred_or_extended(void **state)
{
	static const enum command_kind wrong[] = {
		CMD_HOLD,	    CMD_HOLDRESUME,	  CMD_RESUME,
		CMD_TRANSFER_BLIND, CMD_TRANSFER_CONSULT, CMD_CANCEL_CONSULT};
	struct house *h = *state;

	confers(h);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		for (int tab = 1; tab <= 2; tab++) {
			struct command command = command_of(h, wrong[i], 1, tab);

			str_copy(command.number, sizeof command.number, THIRD);
			assert_int_equal(house_send(h, &command)->status, ST_CONFLICT);
		}
	is_refused_plain(h, CMD_CONFERENCE, 1, 2, "tab.in_conference");
	is_refused_plain(h, CMD_DIAL, 1, 3, "agent.on_call");
	assert_hears(h, "1001", CUSTOMER "+" OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_consultation_opens_another_tab_and_names_it,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_consultation_takes_a_free_tab_first, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_agent_goes_between_the_two, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_cancelled_consultation_brings_the_customer_back,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_consultation_can_be_cancelled_while_it_rings_and_from_the_customers_tab,
			house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_target_who_does_not_answer_leaves_the_customer_held, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_target_who_hangs_up_leaves_the_customer_as_he_is,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			a_customer_who_leaves_during_the_consultation_ends_his_call_only,
			house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_consultation_about_nobody_can_still_be_cancelled,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_bad_number_leaves_the_customer_talking,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(without_a_free_tab_nobody_can_be_consulted,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(complete_joins_the_two_and_both_tabs_are_idle,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			the_customers_tab_can_complete_too_when_it_is_the_active_one, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(only_an_active_tab_and_a_held_one_are_joined,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(another_agents_held_call_cannot_be_taken,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			two_calls_that_are_no_consultation_can_be_joined_as_well, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(
			three_hear_each_other_and_two_stay_when_the_agent_leaves, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(two_calls_that_are_no_consultation_can_confer,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_conference_that_comes_too_late_pairs_nobody,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(who_leaves_a_conference_leaves_the_others_talking,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(releasing_one_of_a_conference_keeps_the_other,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_who_puts_down_his_telephone_has_left_the_conference, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(mute_in_a_conference_is_for_both, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_conference_is_not_held_transferred_or_extended,
						house_setup, house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
