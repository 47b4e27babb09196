/* One agent, one call at a time: what he does, what the switch does, what is told and when. */
#include "house.h"

/* --- M6, M19 --- */

static void dialed_number_rings_and_talks(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, CUSTOMER);
	assert_tab(h, 1, 1, "ringing");
	assert_string_equal(told(h, 1, 1)->phone, CUSTOMER);
	assert_string_equal(direction_word(told(h, 1, 1)->direction), "outbound");
	assert_string_equal(told(h, 1, 1)->extension, "1001");
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
	assert_hears(h, "1001", CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	assert_tab(h, 1, 1, "wrap");
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	ends_wrap(h, 1, 1);
	assert_states_told(h, 1, 1, "ringing talk idle end");
}

static void the_answer_names_the_call(void **state)
{
	struct house *h = *state;
	struct reply dialed, held;

	dials(h, 1, 2, CUSTOMER);
	dialed = h->reply;
	assert_int_equal(dialed.tab, 2);
	assert_true(uuid_equal(&dialed.call_id, &told(h, 1, 2)->call_id));
	assert_true(uuid_equal(&dialed.dialer_call_id, &told(h, 1, 2)->dialer_call_id));
	assert_false(uuid_is_nil(&dialed.dialer_call_id));
	house_run_ms(h, 2000);
	does(h, CMD_HOLD, 1, 2);
	held = h->reply;
	assert_true(uuid_equal(&held.call_id, &dialed.call_id));
	assert_int_equal(held.tab, 2);
}

static void a_click_in_the_crm_says_whom_it_calls(void **state)
{
	struct house *h = *state;
	struct command command = command_of(h, CMD_DIAL, 1, 1);

	str_copy(command.number, sizeof command.number, CUSTOMER);
	str_copy(command.subject, sizeof command.subject, "Offer 17");
	str_copy(command.to.type, sizeof command.to.type, "contact");
	command.direction = DIR_CLICKTOCALL;
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	assert_string_equal(direction_word(told(h, 1, 1)->direction), "clicktocall");
	assert_string_equal(told(h, 1, 1)->campaign, "Offer 17");
	assert_string_equal(told(h, 1, 1)->to.type, "contact");
	assert_int_equal(told(h, 1, 1)->attempt, 1);
	assert_false(uuid_is_nil(&told(h, 1, 1)->phone_call_id));
}

static void a_refusal_names_the_tab_it_is_about(void **state)
{
	struct house *h = *state;

	is_refused_plain(h, CMD_RELEASE, 1, 7, "call.nothing_to_release");
	assert_int_equal(h->reply.tab, 7);
}

static void the_command_and_the_actor_are_named(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, CUSTOMER);
	assert_string_equal(told(h, 1, 1)->command_id, h->last_id);
	assert_string_equal(actor_word(told(h, 1, 1)->actor), "agent");
	house_run_ms(h, 2000);
	assert_string_equal(told(h, 1, 1)->command_id, "");
	assert_string_equal(actor_word(told(h, 1, 1)->actor), "switch");
}

/* --- seen implies stored --- */

static void nothing_is_told_before_it_is_stable(void **state)
{
	struct house *h = *state;
	unsigned before = fake_log_count(h->log);

	h->is_log_slow = true;
	dials(h, 1, 1, CUSTOMER);
	assert_int_equal(h->reply.status, ST_OK);
	house_run_ms(h, 2000);
	assert_true(fake_log_count(h->log) >= before + 1);
	assert_int_equal(h->heard_count, 0);
	assert_tab(h, 1, 1, "");
	fake_log_sync_to(h->log, before + 1);
	house_run_ms(h, 2000);
	assert_true(fake_log_count(h->log) >= before + 2);
	assert_int_equal(h->heard_count, 1);
	assert_tab(h, 1, 1, "ringing");
	fake_log_sync(h->log);
	assert_tab(h, 1, 1, "talk");
	assert_states_told(h, 1, 1, "ringing talk");
}

/* The agent's telephone may ring for it, but what is called is stable before it is called. */
static void nobody_else_is_called_before_the_call_is_stable(void **state)
{
	struct house *h = *state;

	h->is_log_slow = true;
	dials(h, 1, 1, CUSTOMER);
	house_run_ms(h, 5000);
	assert_int_equal(legs(h), 1);
	h->is_log_slow = false;
	house_run_ms(h, 2000);
	assert_int_equal(legs(h), 2);
	assert_states_told(h, 1, 1, "ringing talk");
}

static void a_dial_can_be_released_before_it_is_stable(void **state)
{
	struct house *h = *state;

	h->is_log_slow = true;
	dials(h, 1, 1, CUSTOMER);
	house_run_ms(h, 5000);
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 1000);
	assert_int_equal(legs(h), 0);
	h->is_log_slow = false;
	house_run_ms(h, 2000);
	assert_int_equal(legs(h), 0);
	assert_states_told(h, 1, 1, "ringing idle");
}

static void every_told_change_has_its_record(void **state)
{
	struct house *h = *state;
	uint64_t before;

	dials(h, 1, 1, CUSTOMER);
	before = fake_log_count(h->log);
	h->is_log_slow = true;
	house_run_ms(h, 2000);
	does(h, CMD_HOLD, 1, 1);
	does(h, CMD_RESUME, 1, 1);
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 100);
	for (uint64_t number = before + 1; number <= fake_log_count(h->log); number++) {
		unsigned heard = h->heard_count;
		const struct record *record;

		fake_log_sync_to(h->log, number);
		record = fake_log_record(h->log, (unsigned)number - 1);
		for (unsigned i = heard; i < h->heard_count; i++) {
			assert_int_equal(h->heard[i].records, number);
			if (record->has & RECORD_CALL)
				assert_memory_equal(&h->heard[i].call, &record->call,
						    sizeof record->call);
		}
	}
	assert_states_told(h, 1, 1, "ringing talk idle");
}

static void what_could_not_be_recorded_is_not_told(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	house_forget(h);
	fake_log_refuse(h->log, true);
	does(h, CMD_HOLD, 1, 1);
	assert_int_equal(h->heard_count, 0);
	fake_log_refuse(h->log, false);
	does(h, CMD_RESUME, 1, 1);
	assert_tab(h, 1, 1, "talk");
}

/* --- M7, M14 and mute --- */

static void holdresume_holds_and_resumes(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLDRESUME, 1, 1);
	assert_tab(h, 1, 1, "held");
	house_run_ms(h, 0);
	assert_hears(h, CUSTOMER, "music");
	assert_hears(h, "1001", "");
	does(h, CMD_HOLDRESUME, 1, 1);
	assert_tab(h, 1, 1, "talk");
	house_run_ms(h, 0);
	assert_hears(h, CUSTOMER, "1001");
	is_refused_plain(h, CMD_RESUME, 1, 1, "call.not_held");
	does(h, CMD_HOLD, 1, 1);
	is_refused_plain(h, CMD_HOLD, 1, 1, "call.not_active");
	assert_states_told(h, 1, 1, "ringing talk");
}

static void digits_arrive_in_order_and_others_are_refused(void **state)
{
	struct house *h = *state;
	struct sim_leg_view views[8];
	struct command wrong;
	unsigned count;
	bool is_found = false;

	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_DTMF, 1, 1, "12*#", 0);
	house_run_ms(h, 3000);
	wrong = command_of(h, CMD_DTMF, 1, 1);
	str_copy(wrong.digits, sizeof wrong.digits, "1x");
	is_refused(h, &wrong, "digits.invalid");
	house_run_ms(h, 3000);
	count = sim_legs(h->sim, views, 8);
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(views[i].party, CUSTOMER)) {
			assert_string_equal(views[i].digits, "12*#");
			is_found = true;
		}
	assert_true(is_found);
}

static void a_muted_agent_is_not_heard_until_he_wants_to(void **state)
{
	struct house *h = *state;
	struct command mute;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_MUTE, 1, 1);
	house_run_ms(h, 0);
	assert_true(told(h, 1, 1)->is_muted);
	assert_hears(h, CUSTOMER, "");
	does(h, CMD_HOLD, 1, 1);
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 0);
	assert_true(told(h, 1, 1)->is_muted);
	assert_hears(h, CUSTOMER, "");
	mute = command_of(h, CMD_MUTE, 1, 1);
	mute.on = false;
	assert_int_equal(house_send(h, &mute)->status, ST_OK);
	house_run_ms(h, 0);
	assert_false(told(h, 1, 1)->is_muted);
	assert_hears(h, CUSTOMER, "1001");
}

/* --- refusals --- */

static void without_a_call_everything_but_dial_is_refused(void **state)
{
	static const struct {
		enum command_kind kind;
		const char *code;
	} expected[] = {
		{CMD_HOLDRESUME, "call.not_active"},
		{CMD_HOLD, "call.not_active"},
		{CMD_RESUME, "call.not_held"},
		{CMD_TRANSFER_BLIND, "call.not_active"},
		{CMD_TRANSFER_CONSULT, "call.not_active"},
		{CMD_TRANSFER_COMPLETE, "tab.not_active"},
		{CMD_CONFERENCE, "tab.not_active"},
		{CMD_LEAVE, "call.no_conference"},
		{CMD_CANCEL_CONSULT, "call.no_consult"},
		{CMD_ANSWER, "call.not_incoming"},
		{CMD_RELEASE, "call.nothing_to_release"},
		{CMD_REJECT, "call.not_incoming"},
		{CMD_SKIP, "call.not_preview"},
		{CMD_PLAY, "call.not_active"},
		{CMD_DTMF, "call.not_active"},
		{CMD_MUTE, "call.not_active"},
		{CMD_PAUSE_TIMER, "call.no_timer"},
		{CMD_RESUME_TIMER, "call.not_paused"},
		{CMD_SET_OUTCOME, "call.no_outcome_now"},
		{CMD_SCHEDULE_CALLBACK, "call.no_outcome_now"},
		{CMD_END_WRAP, "call.not_idle"},
	};
	struct house *h = *state;

	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
		is_refused_plain(h, expected[i].kind, 1, 1, expected[i].code);
	/* ... and on a tab whose call is over */
	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	ends_wrap(h, 1, 1);
	house_run_ms(h, 1000);
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
		is_refused_plain(h, expected[i].kind, 1, 1, expected[i].code);
}

static void a_ringing_call_can_be_released_and_nothing_else(void **state)
{
	static const enum command_kind wrong[] = {
		CMD_HOLDRESUME,
		CMD_HOLD,
		CMD_RESUME,
		CMD_TRANSFER_BLIND,
		CMD_TRANSFER_CONSULT,
		CMD_TRANSFER_COMPLETE,
		CMD_CONFERENCE,
		CMD_LEAVE,
		CMD_CANCEL_CONSULT,
		CMD_ANSWER,
		CMD_REJECT,
		CMD_SKIP,
		CMD_PLAY,
		CMD_DTMF,
		CMD_MUTE,
		CMD_PAUSE_TIMER,
		CMD_RESUME_TIMER,
		CMD_SET_OUTCOME,
		CMD_END_WRAP,
		CMD_SCHEDULE_CALLBACK,
	};
	struct house *h = *state;

	dials(h, 1, 1, SILENT_NUMBER);
	house_run_ms(h, 1000);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct command command = command_of(h, wrong[i], 1, 1);

		command.other_tab = 2;
		str_copy(command.number, sizeof command.number, OTHER);
		str_copy(command.digits, sizeof command.digits, "1");
		str_copy(command.outcome, sizeof command.outcome, "Sale");
		command.retry_at_ms = INT64_MAX;
		assert_int_equal(house_send(h, &command)->status, ST_CONFLICT);
	}
	assert_tab(h, 1, 1, "ringing");
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
	assert_string_equal(attempt_result_word(told(h, 1, 1)->attempt_result), "cancelled");
}

static void a_tab_with_a_call_cannot_dial(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	is_refused_plain(h, CMD_DIAL, 1, 1, "tab.not_free");
	is_refused_plain(h, CMD_DIAL, 1, 2, "agent.on_call");
	does(h, CMD_HOLD, 1, 1);
	is_refused_plain(h, CMD_DIAL, 1, 1, "tab.not_free");
	dials(h, 1, 2, OTHER); /* his audio is free */
	house_run_ms(h, 2000);
	assert_tab(h, 1, 2, "talk");
	assert_tab(h, 1, 1, "held");
}

static void a_bad_number_is_refused_and_ends_no_wrap(void **state)
{
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 1000);
	command = command_of(h, CMD_DIAL, 1, 1);
	str_copy(command.number, sizeof command.number, "101&PJSIP/102");
	is_refused(h, &command, "number.invalid");
	assert_tab(h, 1, 1, "wrap");
}

static void a_dial_the_switch_refuses_ends_no_wrap(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 1000);
	sim_busy_next(h->sim, 1);
	/* the composer itself keeps what the driver's queue cannot take: then it is full */
	does_with(h, CMD_DIAL, 2, 1, OTHER, 0);
	is_refused_plain(h, CMD_DIAL, 1, 1, "switch.busy");
	assert_tab(h, 1, 1, "wrap");
	house_run_ms(h, 2000);
	assert_tab(h, 2, 1, "talk");
	dials(h, 1, 1, CUSTOMER);
}

static struct command plays(struct house *h, const char *sound, bool is_for_customer)
{
	struct command command = command_of(h, CMD_PLAY, 1, 1);

	str_copy(command.sound, sizeof command.sound, sound);
	command.is_for_customer = is_for_customer;
	return command;
}

static void registered_sounds_are_played_and_no_others(void **state)
{
	static const char *const bad[] = {"", "../../etc/passwd", "/etc/passwd", "a b",
					  "recording:x"};
	const struct sound_setup sounds[] = {{.name = "hello"}, {.name = "other"}};
	struct house *h = *state;
	struct command command;

	talks(h, 1, 1, CUSTOMER);
	command = plays(h, "hello", false);
	is_refused(h, &command, "sound.not_found");
	control_set_sounds(h->control, sounds, 2);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		command = plays(h, bad[i], false);
		is_refused(h, &command, "sound.invalid");
	}
	command = plays(h, "hello", false);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	house_run_ms(h, 10);
	assert_hears(h, CUSTOMER, "1001+hello");
	house_run_ms(h, 2000);
	command = plays(h, "other", true);
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	house_run_ms(h, 10);
	assert_hears(h, CUSTOMER, "1001+other");
	assert_hears(h, "1001", "");
	control_forget_sound(h->control, "other");
	command = plays(h, "other", true);
	is_refused(h, &command, "sound.not_found");
	control_set_sounds(h->control, NULL, 0);
	command = plays(h, "hello", false);
	is_refused(h, &command, "sound.not_found");
}

static void a_foreign_agent_and_a_foreign_tab_are_refused(void **state)
{
	struct house *h = *state;
	struct command command = command_of(h, CMD_DIAL, 0, 1);

	str_copy(command.number, sizeof command.number, CUSTOMER);
	is_refused(h, &command, "agent.unknown");
	command.agent_id = h->agents[1];
	for (int i = 0; i < 3; i++) {
		command.tab = (int[]){0, -1, TAB_MAX + 1}[i];
		str_format(command.id, sizeof command.id, "c%u", h->commands + 1);
		is_refused(h, &command, "tab.invalid");
	}
	talks(h, 1, 1, CUSTOMER);
	/* the other agent's tab of the same number has no call */
	is_refused_plain(h, CMD_RELEASE, 2, 1, "call.nothing_to_release");
	assert_tab(h, 1, 1, "talk");
}

/* --- what the far end does --- */

static void far_ends_make_their_results(void **state)
{
	static const struct {
		const char *number, *result, *outcome, *row, *ended_by;
	} expected[] = {
		{BUSY_NUMBER, "busy", "Busy", "busy", "customer"},
		{"+15550603", "busy", "Busy", "busy", "customer"},
		{"+15550503", "busy", "Busy", "busy", "switch"},
		{"+15550480", "noanswer", "noanswer", "no answer", "customer"},
		{WRONG_NUMBER, "error", "EoD", "error on dial", "switch"},
		{"+15550500", "error", "EoD", "error on dial", "switch"},
		{DEAD_NUMBER, "error", "EoD", "error on dial", "system"},
		{SILENT_NUMBER, "noanswer", "noanswer", "no answer", "system"},
	};
	struct house *h = *state;

	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		const struct call_view *call;
		unsigned records = fake_log_count(h->log), rows = 0;

		dials(h, 1, 1, expected[i].number);
		house_run_ms(h, 25000);
		assert_tab(h, 1, 1, "wrap");
		call = told(h, 1, 1);
		assert_string_equal(attempt_result_word(call->attempt_result), expected[i].result);
		assert_string_equal(call->outcome, expected[i].outcome);
		assert_string_equal(ended_by_word(call->ended_by), expected[i].ended_by);
		for (unsigned r = records; r < fake_log_count(h->log); r++)
			rows += !strcmp(fake_log_record(h->log, r)->event_name, expected[i].row);
		assert_int_equal(rows, 1);
		assert_int_equal(legs(h), 0);
		ends_wrap(h, 1, 1);
	}
}

static void the_ring_limit_ends_the_ringing(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, SILENT_NUMBER);
	house_run_ms(h, 21000);
	assert_tab(h, 1, 1, "ringing");
	house_run_ms(h, 1500);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->reason, "ring_limit");
	assert_string_equal(actor_word(told(h, 1, 1)->actor), "timer");
	house_run_ms(h, 0);
	assert_int_equal(legs(h), 0);
}

static void an_agent_who_picks_up_late_leaves_the_customer_his_time(void **state)
{
	struct house *h = *state;

	sim_set_station(h->sim, "1001", true, false); /* rings until somebody picks it up */
	dials(h, 1, 1, SILENT_NUMBER);
	house_run_ms(h, 15000);
	assert_string_equal(leg_of(h, SILENT_NUMBER), "");
	assert_int_equal(sim_party_answer(h->sim, leg_of(h, "1001")), ST_OK);
	house_run_ms(h, 21000);
	assert_tab(h, 1, 1, "ringing");
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->outcome, "noanswer");
	sim_set_station(h->sim, "1001", true, true);
}

static void a_customer_who_hangs_up_is_named(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	hangs_up(h, CUSTOMER);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "customer");
	assert_int_equal(told(h, 1, 1)->cause, 16);
	assert_string_equal(told(h, 1, 1)->reason, "hung_up");
	ends_wrap(h, 1, 1);
	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	hangs_up(h, CUSTOMER);
	assert_tab(h, 1, 1, "wrap");
	house_run_ms(h, 100);
	assert_int_equal(legs(h), 0);
}

static void an_agent_who_puts_down_his_telephone_ends_the_call(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	assert_true(h->heard_agent[1].is_audio_up);
	hangs_up(h, "1001");
	house_run_ms(h, 100);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->reason, "agent_hung_up");
	assert_string_equal(ended_by_word(told(h, 1, 1)->ended_by), "agent");
	assert_false(h->heard_agent[1].is_audio_up);
	assert_int_equal(legs(h), 0);
}

static void nobody_is_called_when_the_agents_telephone_cannot_be_reached(void **state)
{
	struct house *h = *state;

	dials(h, 3, 1, CUSTOMER);
	house_run_ms(h, 100);
	assert_tab(h, 3, 1, "wrap");
	assert_string_equal(told(h, 3, 1)->reason, "agent_unreachable");
	assert_string_equal(ended_by_word(told(h, 3, 1)->ended_by), "agent");
	assert_string_equal(attempt_result_word(told(h, 3, 1)->attempt_result), "error");
	assert_string_equal(leg_of(h, CUSTOMER), "");
	assert_int_equal(told(h, 3, 1)->counters.no_answers, 0);
}

/* The customer's call stays held when the agent's telephone cannot be brought back. */
static void a_resume_without_a_telephone_leaves_the_call_held(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	hangs_up(h, "1001");
	sim_set_station(h->sim, "1001", false, true);
	assert_tab(h, 1, 1, "held");
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 25000);
	assert_tab(h, 1, 1, "held");
	assert_string_equal(told(h, 1, 1)->reason, "no_agent_audio");
	assert_true(can_do(h, 1, 1, CAN_RESUME | CAN_RELEASE));
	assert_hears(h, CUSTOMER, "music");
	sim_set_station(h->sim, "1001", true, true);
	does(h, CMD_RESUME, 1, 1);
	house_run_ms(h, 2000);
	assert_tab(h, 1, 1, "talk");
	assert_hears(h, CUSTOMER, "1001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dialed_number_rings_and_talks, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_answer_names_the_call, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_click_in_the_crm_says_whom_it_calls, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_refusal_names_the_tab_it_is_about, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_command_and_the_actor_are_named, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_told_before_it_is_stable, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(nobody_else_is_called_before_the_call_is_stable,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_dial_can_be_released_before_it_is_stable,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(every_told_change_has_its_record, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_recorded_is_not_told, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(holdresume_holds_and_resumes, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(digits_arrive_in_order_and_others_are_refused,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_muted_agent_is_not_heard_until_he_wants_to,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(without_a_call_everything_but_dial_is_refused,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_ringing_call_can_be_released_and_nothing_else,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_tab_with_a_call_cannot_dial, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(a_bad_number_is_refused_and_ends_no_wrap,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_dial_the_switch_refuses_ends_no_wrap, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(registered_sounds_are_played_and_no_others,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_foreign_agent_and_a_foreign_tab_are_refused,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(far_ends_make_their_results, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_ring_limit_ends_the_ringing, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_who_picks_up_late_leaves_the_customer_his_time, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_customer_who_hangs_up_is_named, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_agent_who_puts_down_his_telephone_ends_the_call,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			nobody_is_called_when_the_agents_telephone_cannot_be_reached, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(a_resume_without_a_telephone_leaves_the_call_held,
						house_setup, house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
