/* What the doors are promised: dense numbers, exact abilities, one answer each, bounds. */
#include "house.h"

static void numbers_are_dense_for_each_tab(void **state)
{
	struct house *h = *state;
	uint64_t last[AGENTS + 1][TAB_MAX + 1] = {{0}};

	talks(h, 1, 1, CUSTOMER);
	talks(h, 2, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(h, 2000);
	does_with(h, CMD_CONFERENCE, 1, 2, "", 1);
	does(h, CMD_LEAVE, 1, 2);
	ends_wrap(h, 1, 1);
	ends_wrap(h, 1, 2);
	for (unsigned i = 0; i < h->heard_count; i++) {
		const struct call_view *call = &h->heard[i].call;
		int agent = uuid_equal(&call->agent_id, &h->agents[1]) ? 1 : 2;

		assert_int_equal(h->heard[i].seq, ++last[agent][call->tab]);
	}
	assert_true(last[1][1] > 4 && last[1][2] > 3 && last[2][1] > 1);
}

static void versions_grow_with_every_change_of_a_call(void **state)
{
	struct house *h = *state;
	unsigned last = 0;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_MUTE, 1, 1);
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER); /* changes what tab 1 can do */
	does(h, CMD_RELEASE, 1, 2);
	for (unsigned i = 0; i < h->heard_count; i++) {
		if (h->heard[i].call.tab != 1)
			continue;
		assert_true(h->heard[i].call.version > last);
		last = h->heard[i].call.version;
	}
	assert_true(last > 4);
}

static void the_snapshot_of_a_tab_nobody_used_is_empty(void **state)
{
	struct house *h = *state;
	struct call_view view, nothing;
	uint64_t epoch = 0, seq = 7;

	memset(&nothing, 0, sizeof nothing);
	assert_false(control_tab_snapshot(h->control, &h->agents[1], 7, &view, &epoch, &seq));
	assert_memory_equal(&view, &nothing, sizeof view);
	assert_int_equal(seq, 0);
	assert_true(epoch > 0);
	assert_false(control_tab_snapshot(h->control, &h->agents[1], 0, &view, &epoch, &seq));
	assert_false(
		control_tab_snapshot(h->control, &h->agents[1], TAB_MAX + 1, &view, &epoch, &seq));
	assert_false(control_tab_snapshot(h->control, &(struct uuid){{1}}, 1, &view, &epoch, &seq));
}

static void a_tab_exists_when_somebody_looks_at_it(void **state)
{
	struct house *h = *state;
	struct call_view view;
	uint64_t epoch, seq;
	int tabs[TAB_MAX];

	assert_int_equal(control_tabs(h->control, &h->agents[1], tabs), 0);
	control_tab_snapshot(h->control, &h->agents[1], 3, &view, &epoch, &seq);
	control_tab_snapshot(h->control, &h->agents[1], 1, &view, &epoch, &seq);
	assert_int_equal(h->tabs_tells, 2);
	assert_int_equal(control_tabs(h->control, &h->agents[1], tabs), 2);
	assert_int_equal(tabs[0], 1);
	assert_int_equal(tabs[1], 3);
}

/* M5 */
static void an_ended_call_is_shown_until_the_next_one_begins(void **state)
{
	struct house *h = *state;
	struct uuid ended;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	ends_wrap(h, 1, 1);
	ended = told(h, 1, 1)->call_id;
	house_run_ms(h, 3600000);
	assert_tab(h, 1, 1, "end");
	assert_true(uuid_equal(&told(h, 1, 1)->call_id, &ended));
	assert_int_equal(told(h, 1, 1)->can, CAN_DIAL);
	dials(h, 1, 1, OTHER);
	assert_false(uuid_equal(&told(h, 1, 1)->call_id, &ended));
}

/* --- abilities --- */

static void abilities_of_the_other_tab_are_told_when_they_change(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	assert_true(can_do(h, 1, 1, CAN_RESUME));
	house_forget(h);
	dials(h, 1, 2, OTHER);
	assert_false(can_do(h, 1, 1, CAN_RESUME)); /* tab 2 rings and cannot be held */
	assert_false(can_do(h, 1, 1, CAN_TRANSFER_CONSULT));
	house_run_ms(h, 2000);
	assert_true(can_do(h, 1, 1, CAN_RESUME));
	assert_true(can_do(h, 1, 2, CAN_TRANSFER_COMPLETE | CAN_CONFERENCE));
	assert_false(can_do(h, 1, 1, CAN_TRANSFER_COMPLETE));
	does(h, CMD_RELEASE, 1, 1);
	assert_false(can_do(h, 1, 2, CAN_TRANSFER_COMPLETE));
	assert_false(can_do(h, 1, 1, CAN_DIAL)); /* his audio is in use */
	does(h, CMD_HOLD, 1, 2);
	assert_true(can_do(h, 1, 1, CAN_DIAL));
	assert_states_told(h, 1, 1, "idle"); /* all else was an update */
}

static void another_agents_calls_change_nothing(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_HOLD, 1, 1);
	house_forget(h);
	talks(h, 2, 1, OTHER);
	does(h, CMD_RELEASE, 2, 1);
	for (unsigned i = 0; i < h->heard_count; i++)
		assert_true(uuid_equal(&h->heard[i].call.agent_id, &h->agents[2]));
}

static void what_changes_nothing_is_told_once(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, CUSTOMER);
	house_forget(h);
	does(h, CMD_HOLD, 1, 1);
	assert_int_equal(h->heard_count, 1);
	does(h, CMD_RESUME, 1, 1);
	assert_int_equal(h->heard_count, 2);
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(h->heard_count, 3);
	house_run_ms(h, 1000);
	assert_int_equal(h->heard_count, 3);
	ends_wrap(h, 1, 1);
	talks(h, 1, 1, CUSTOMER);
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(h, 2000);
	house_forget(h);
	does(h, CMD_MUTE, 1, 2); /* means nothing to the partner */
	assert_int_equal(h->heard_count, 1);
	chooses(h, 1, 1, "Sale");
	assert_int_equal(h->heard_count, 2);
}

/* --- agents --- */

static void ready_and_not_ready_are_told_to_all(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	assert_int_equal(h->agent_tells, 1);
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Ready");
	assert_int_equal(figures(h).agents_ready, 1);
	says(h, 1, AGENT_NOT_READY);
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "NotReady");
	says(h, 1, AGENT_NOT_READY);
	assert_int_equal(h->agent_tells, 2); /* nothing new */
	assert_int_equal(figures(h).agents_ready, 0);
}

static void an_agents_state_is_told_when_it_is_stable(void **state)
{
	struct house *h = *state;
	struct agent_view view;

	h->is_log_slow = true;
	says(h, 1, AGENT_READY);
	assert_int_equal(h->agent_tells, 0);
	assert_true(control_agent_view(h->control, &h->agents[1], &view));
	assert_string_equal(agent_state_word(view.state), "LoggedIn");
	/* reading the setup again shows nothing early */
	struct agent_setup setup = {
		.agent_id = h->agents[1], .login = "agent1", .name = "Agnes", .extension = "1001"};
	control_set_agent(h->control, &setup);
	assert_true(control_agent_view(h->control, &h->agents[1], &view));
	assert_string_equal(agent_state_word(view.state), "LoggedIn");
	assert_string_equal(view.name, "Agnes");
	fake_log_sync(h->log);
	assert_int_equal(h->agent_tells, 1);
	assert_true(control_agent_view(h->control, &h->agents[1], &view));
	assert_string_equal(agent_state_word(view.state), "Ready");
}

static void a_state_asked_for_during_a_call_comes_after_it(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	talks(h, 1, 1, CUSTOMER);
	says(h, 1, AGENT_AWAY);
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Ready");
	assert_string_equal(agent_state_word(h->heard_agent[1].next_state), "Away");
	does(h, CMD_HOLD, 1, 1);
	talks(h, 1, 2, OTHER);
	does(h, CMD_RELEASE, 1, 2);
	assert_string_equal(agent_state_word(h->heard_agent[1].state),
			    "Ready"); /* one more is live */
	does(h, CMD_RELEASE, 1, 1);
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Away");
}

static void pages_come_and_go_and_signing_out_is_something_else(void **state)
{
	struct house *h = *state;
	struct command out = command_of(h, CMD_AGENT_STATE, 1, 0);
	struct agent_view view;

	says(h, 1, AGENT_READY);
	control_agent_present(h->control, &h->agents[1], true);
	control_agent_present(h->control, &h->agents[1], false);
	control_agent_present(h->control, &h->agents[1], false);
	control_agent_present(h->control, &h->agents[1], false); /* once too often */
	house_run_ms(h, 0);
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "Ready");
	out.agent_state = AGENT_LOGGED_OUT;
	is_refused(h, &out, "agent.state_invalid"); /* no tab may say that */
	out.actor = ACTOR_API;
	str_format(out.id, sizeof out.id, "c%u", h->commands + 1);
	assert_int_equal(house_send(h, &out)->status, ST_OK);
	assert_string_equal(agent_state_word(h->heard_agent[1].state), "LoggedOut");
	control_agent_present(h->control, &h->agents[1], true);
	house_run_ms(h, 0);
	assert_true(control_agent_view(h->control, &h->agents[1], &view));
	assert_string_equal(agent_state_word(view.state), "LoggedIn");
	/* signed out in one browser, signed in again while another still shows its page */
	str_format(out.id, sizeof out.id, "c%u", h->commands + 1);
	assert_int_equal(house_send(h, &out)->status, ST_OK);
	control_agent_present(h->control, &h->agents[1], true);
	house_run_ms(h, 0);
	assert_true(control_agent_view(h->control, &h->agents[1], &view));
	assert_string_equal(agent_state_word(view.state), "LoggedIn");
	control_agent_present(h->control, &(struct uuid){{9}}, true); /* nobody */
}

static void an_agent_is_found_by_his_login_also_after_it_changed(void **state)
{
	struct house *h = *state;
	struct agent_setup setup = {
		.agent_id = h->agents[1], .login = "agnes", .extension = "1001"};
	struct uuid found;

	assert_true(control_find_agent_by_login(h->control, "agent1", &found));
	assert_true(uuid_equal(&found, &h->agents[1]));
	control_set_agent(h->control, &setup);
	assert_false(control_find_agent_by_login(h->control, "agent1", &found));
	assert_true(control_find_agent_by_login(h->control, "agnes", &found));
	assert_int_equal(figures(h).agents, AGENTS);
}

/* --- threads and queues --- */

static void count_up(struct control *control, void *arg)
{
	(void)control;
	++*(unsigned *)arg;
}

static void posted_functions_run_in_the_next_turn(void **state)
{
	struct house *h = *state;
	unsigned ran = 0;

	h->wakes = 0;
	assert_true(control_post(h->control, count_up, &ran));
	assert_true(control_post(h->control, count_up, &ran));
	assert_int_equal(ran, 0);
	assert_true(h->wakes > 0);
	control_poll(h->control);
	assert_int_equal(ran, 2);
}

static void the_inbox_has_an_end(void **state)
{
	struct house *h = *state;
	unsigned ran = 0, taken = 0;

	while (taken < 100000 && control_post(h->control, count_up, &ran))
		taken++;
	assert_int_equal(taken, 10000);
	control_poll(h->control);
	assert_int_equal(ran, taken);
	assert_true(control_post(h->control, count_up, &ran));
	control_poll(h->control);
	assert_int_equal(ran, taken + 1);
}

static void ignore_call(void *user, enum tell_kind kind, const struct call_view *call,
			uint64_t epoch, uint64_t seq)
{
	(void)user;
	(void)kind;
	(void)call;
	(void)epoch;
	(void)seq;
}

/* Ended in the middle of everything: the sanitizer sees what is not freed. */
static void what_was_never_run_is_freed(void **state)
{
	struct house *h = *state;
	struct control_config config = house_config();
	struct control *control = control_create(&config, &h->clock, &h->timers, NULL, NULL);
	struct record_log *log = fake_log_open(control_on_stable, control);
	struct agent_setup agent = {
		.agent_id = h->agents[1], .login = "agent1", .extension = "1001"};
	struct queue_setup queue = {.name = "Sales", .number = "5001"};
	struct command command = command_of(h, CMD_RELEASE, 1, 1);
	struct control_listener listener = {.on_call = ignore_call};
	unsigned ran = 0;

	for (int i = 0; i < 6; i++)
		control_listen(control, &listener); /* two too many */
	control_attach_log(control, log);
	control_set_agent(control, &agent);
	control_set_queue(control, &queue);
	control_agent_present(control, &h->agents[1], true); /* a tell that waits for its record */
	assert_int_equal(record_log_waiting(log), 1);
	control_command(control, &command, NULL, NULL);
	assert_true(control_post(control, count_up, &ran));
	control_destroy(control);
	assert_int_equal(ran, 0);
	fake_log_close(log);
	control_destroy(NULL);
}

/* Many commands in one turn: each is answered, in order. */
static void commands_of_one_turn_are_answered_in_order(void **state)
{
	struct house *h = *state;
	struct command release, end;

	talks(h, 1, 1, CUSTOMER);
	release = command_of(h, CMD_RELEASE, 1, 1);
	end = command_of(h, CMD_END_WRAP, 1, 1);
	control_command(h->control, &release, NULL, NULL);
	control_command(h->control, &end, NULL, NULL);
	house_run_ms(h, 0);
	assert_tab(h, 1, 1, "end");
	assert_states_told(h, 1, 1, "ringing talk idle end");
}

static void outcomes_and_queues_are_replaced_by_their_key(void **state)
{
	struct house *h = *state;
	struct outcome_setup list[OUTCOME_SIZE], one;
	unsigned count = control_outcomes(h->control, list, OUTCOME_SIZE);
	struct queue_setup queue = {.name = "Sales", .number = QUEUE, .wrap_s = 5};

	assert_int_equal(count, 3);
	one = list[0];
	str_copy(one.name, sizeof one.name, "Sold");
	control_set_outcome(h->control, &one);
	assert_int_equal(control_outcomes(h->control, list, OUTCOME_SIZE), 3);
	assert_string_equal(list[0].name, "Sold");
	assert_int_equal(control_outcomes(h->control, list, 2), 2);
	control_set_queue(h->control, &queue);
	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	assert_string_equal(told(h, 1, 1)->queue, "Sales");
	does(h, CMD_RELEASE, 1, 1);
	assert_int_equal(told(h, 1, 1)->wrap_until_ms, h->held.wall_us / 1000 + 5000);
}

static const struct record *last_result(struct house *h)
{
	for (unsigned i = fake_log_count(h->log); i-- > 0;)
		if (fake_log_record(h->log, i)->has & RECORD_RESULT)
			return fake_log_record(h->log, i);
	fail_msg("no result");
	return NULL;
}

/* M34: "a configured outcome of the same meaning supersedes the system one" */
static void a_configured_outcome_stands_for_the_systems(void **state)
{
	struct house *h = *state;
	struct outcome_setup engaged = {.outcome_id = uuid_from(500, (uint8_t[10]){5}),
					.name = "Engaged",
					.system_for = ATTEMPT_BUSY,
					.is_retry = true,
					.retry_after_s = 600};
	struct outcome_setup usual = {.outcome_id = uuid_from(501, (uint8_t[10]){5}),
				      .name = "Contacted",
				      .is_default = true};

	control_set_outcome(h->control, &engaged);
	control_set_outcome(h->control, &usual);
	dials(h, 1, 1, BUSY_NUMBER);
	house_run_ms(h, 2000);
	assert_string_equal(told(h, 1, 1)->outcome, "Engaged");
	assert_true(last_result(h)->is_result_automatic);
	ends_wrap(h, 1, 1);
	assert_string_equal(dialer_status_word(told(h, 1, 1)->dialer_status), "retry");
	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	assert_false(told(h, 1, 1)->is_wrap_required);
	house_run_ms(h, WRAP_MS);
	assert_tab(h, 1, 1, "end");
	assert_string_equal(told(h, 1, 1)->outcome, "Contacted");
	assert_true(last_result(h)->is_result_automatic);
	assert_int_equal(told(h, 1, 1)->counters.connects, 1); /* nobody judged it */
	talks(h, 1, 1, CUSTOMER);
	chooses(h, 1, 1, "Contacted");
	assert_false(last_result(h)->is_result_automatic);
	assert_int_equal(told(h, 1, 1)->counters.connects, 0);
}

static void without_a_wrap_time_idle_waits(void **state)
{
	struct house *h = *state;
	struct control_config config = house_config();

	house_close(h);
	config.wrap_s = 0;
	house_open_with(h, &config, false);
	talks(h, 1, 1, CUSTOMER);
	does(h, CMD_RELEASE, 1, 1);
	house_run_ms(h, 3600000);
	assert_tab(h, 1, 1, "wrap");
	is_refused_plain(h, CMD_PAUSE_TIMER, 1, 1, "call.no_timer");
	ends_wrap(h, 1, 1);
	assert_string_equal(told(h, 1, 1)->outcome, "None");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_are_dense_for_each_tab, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(versions_grow_with_every_change_of_a_call,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(the_snapshot_of_a_tab_nobody_used_is_empty,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_tab_exists_when_somebody_looks_at_it, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_ended_call_is_shown_until_the_next_one_begins,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			abilities_of_the_other_tab_are_told_when_they_change, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(another_agents_calls_change_nothing, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(what_changes_nothing_is_told_once, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(ready_and_not_ready_are_told_to_all, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(an_agents_state_is_told_when_it_is_stable,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_state_asked_for_during_a_call_comes_after_it,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(pages_come_and_go_and_signing_out_is_something_else,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_is_found_by_his_login_also_after_it_changed, house_setup,
			house_teardown),
		cmocka_unit_test_setup_teardown(posted_functions_run_in_the_next_turn, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(the_inbox_has_an_end, house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(what_was_never_run_is_freed, house_setup,
						house_teardown),
		cmocka_unit_test_setup_teardown(commands_of_one_turn_are_answered_in_order,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(outcomes_and_queues_are_replaced_by_their_key,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(a_configured_outcome_stands_for_the_systems,
						house_setup, house_teardown),
		cmocka_unit_test_setup_teardown(without_a_wrap_time_idle_waits, house_setup,
						house_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
