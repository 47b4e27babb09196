/* kill -9 and a new gateway on the same records. The switch of this house dies with it, so what was
 * up is lost; calls that survive are tested where the switch is a process of its own (tests/fault).
 */
#include "house.h"
#include "ledger.h"

static void open_exact(struct house *house)
{
	struct control_config config = house_exact_config();

	house_open_with(house, &config, true);
}

static uint64_t seq_of(struct house *house, int agent, int tab, uint64_t *ret_epoch)
{
	struct call_view view;
	uint64_t seq;

	control_tab_snapshot(house->control, &house->agents[agent], tab, &view, ret_epoch, &seq);
	return seq;
}

static void a_tab_shows_what_it_showed_and_its_numbers_go_on(void **state)
{
	struct house house;
	struct call_view before;
	uint64_t epoch, seq, epoch_after;

	(void)state;
	open_exact(&house);
	talks(&house, 1, 1, CUSTOMER);
	does(&house, CMD_RELEASE, 1, 1);
	chooses(&house, 1, 1, "Sale");
	ends_wrap(&house, 1, 1);
	before = *told(&house, 1, 1);
	seq = seq_of(&house, 1, 1, &epoch);
	house_crash(&house);
	assert_memory_equal(told(&house, 1, 1), &before, sizeof before);
	assert_int_equal(seq_of(&house, 1, 1, &epoch_after), seq);
	assert_int_equal(epoch, epoch_after);
	assert_int_equal(house.past, seq);
	house_forget(&house);
	dials(&house, 1, 1, CUSTOMER);
	assert_int_equal(house.heard[0].seq, seq + 1);
	house_close(&house);
}

static void a_call_the_switch_lost_is_told_so_by_the_reconciler(void **state)
{
	struct house house;
	const struct call_view *call;

	(void)state;
	open_exact(&house);
	talks(&house, 1, 1, CUSTOMER);
	house_crash(&house);
	house_run_ms(&house, 5000);
	call = told(&house, 1, 1);
	assert_int_equal(call->state, CALL_WRAP);
	assert_string_equal(call->reason, "lost");
	assert_int_equal(call->actor, ACTOR_RECONCILER);
	assert_int_equal(call->attempt_result, ATTEMPT_CONNECTED);
	house_run_ms(&house, WRAP_MS);
	house_close(&house);
}

static void wrap_goes_on_with_the_time_that_is_left(void **state)
{
	struct house house;

	(void)state;
	open_exact(&house);
	talks(&house, 1, 1, CUSTOMER);
	does(&house, CMD_RELEASE, 1, 1);
	chooses(&house, 1, 1, "Sale");
	house_run_ms(&house, 20000);
	house_crash(&house);
	assert_tab(&house, 1, 1, "wrap");
	house_run_ms(&house, 9000);
	assert_tab(&house, 1, 1, "wrap");
	house_run_ms(&house, 1500);
	assert_tab(&house, 1, 1, "end");
	house_close(&house);
}

static void a_timer_that_ran_out_meanwhile_fires_once(void **state)
{
	struct house house;
	unsigned before;

	(void)state;
	open_exact(&house);
	presents(&house, 1, 1, CUSTOMER);
	house_run_ms(&house, 1000);
	held_clock_advance(&house.held, 60000000);
	before = fake_log_count(house.log);
	house_crash(&house);
	house_run_ms(&house, 3000);
	assert_tab(&house, 1, 1, "talk");
	for (unsigned i = before, dials = 0; i < fake_log_count(house.log); i++) {
		dials += fake_log_record(house.log, i)->has & RECORD_STEP &&
			 fake_log_record(house.log, i)->step.kind == EV_PREVIEW_TIME;
		assert_in_range(dials, 0, 1);
	}
	house_close(&house);
}

static void agents_are_what_they_were(void **state)
{
	struct house house;
	struct agent_view view;

	(void)state;
	open_exact(&house);
	says(&house, 1, AGENT_READY);
	says(&house, 2, AGENT_AWAY);
	house_crash(&house);
	control_agent_view(house.control, &house.agents[1], &view);
	assert_int_equal(view.state, AGENT_READY);
	control_agent_view(house.control, &house.agents[2], &view);
	assert_int_equal(view.state, AGENT_AWAY);
	assert_int_equal(figures(&house).agents_ready, 1);
	house_close(&house);
}

static void an_answered_command_keeps_its_answer(void **state)
{
	struct house house;
	struct command dial;
	struct reply first;

	(void)state;
	open_exact(&house);
	dial = command_of(&house, CMD_DIAL, 1, 1);
	str_copy(dial.number, sizeof dial.number, CUSTOMER);
	first = *house_send(&house, &dial);
	house_run_ms(&house, 2000);
	does(&house, CMD_RELEASE, 1, 1);
	house_crash(&house);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	assert_true(uuid_equal(&house.reply.call_id, &first.call_id));
	house_run_ms(&house, 2000);
	assert_int_equal(legs(&house), 0);
	house_close(&house);
}

/* The crash comes when the intent is stable and the dial's own records are not: only the agent's
 * telephone has been called. */
static void crash_in_dial(struct house *house, struct command *dial)
{
	house->is_log_slow = true;
	*dial = command_of(house, CMD_DIAL, 1, 1);
	str_copy(dial->number, sizeof dial->number, CUSTOMER);
	house_queue(house, dial);
	house_run_ms(house, 0);
	fake_log_sync(house->log);
	house_run_ms(house, 2000);
	assert_int_equal(legs(house), 1);
	house_crash(house);
	house->is_log_slow = false;
	house_run_ms(house, 1000);
}

static void a_dial_without_its_step_has_called_nobody_and_may_be_asked_again(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_exact(&house);
	crash_in_dial(&house, &dial);
	assert_int_equal(legs(&house), 0);
	assert_tab(&house, 1, 1, "");
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	house_run_ms(&house, 2000);
	assert_int_equal(legs(&house), 2);
	assert_int_equal(told(&house, 1, 1)->counters.calls, 1);
	assert_tab(&house, 1, 1, "talk");
	house_close(&house);
}

/* Programs before this one called the far party at once. */
static void make_intents_old(const struct house *house)
{
	for (unsigned i = 0; i < fake_log_count(house->log); i++)
		((struct record *)(uintptr_t)fake_log_record(house->log, i))->intent.far_waits =
			false;
}

static void a_dial_of_an_older_program_is_unknown_an_attempt_and_never_dialed_again(void **state)
{
	struct house house;
	struct command dial;

	(void)state;
	open_exact(&house);
	house.is_log_slow = true;
	dial = command_of(&house, CMD_DIAL, 1, 1);
	str_copy(dial.number, sizeof dial.number, CUSTOMER);
	house_queue(&house, &dial);
	house_run_ms(&house, 0);
	fake_log_sync(house.log);
	house_run_ms(&house, 100);
	make_intents_old(&house);
	house_crash(&house);
	house.is_log_slow = false;
	house_run_ms(&house, 1000);
	assert_int_equal(legs(&house), 0);
	assert_string_equal(house_send(&house, &dial)->err.code, "command.unknown");
	house_run_ms(&house, 2000);
	assert_int_equal(legs(&house), 0);
	assert_int_equal(told(&house, 1, 1)->counters.calls, 1);
	assert_string_equal(told(&house, 1, 1)->reason, "lost");
	house_close(&house);
}

static void a_preview_that_was_about_to_be_dialed_is_dialed_once(void **state)
{
	struct house house;

	(void)state;
	open_exact(&house);
	presents(&house, 1, 1, CUSTOMER);
	house_run_ms(&house, 14900);
	house.is_log_slow = true;
	house_run_ms(&house, 200);
	fake_log_sync(house.log);
	house_run_ms(&house, 2000);
	assert_int_equal(legs(&house), 1);
	house_crash(&house);
	house.is_log_slow = false;
	house_run_ms(&house, 3000);
	assert_int_equal(legs(&house), 2);
	assert_tab(&house, 1, 1, "talk");
	assert_int_equal(told(&house, 1, 1)->counters.calls, 1);
	house_close(&house);
}

/* Carried out at the switch, and the crash comes before its step is stable. */
static void crash_in(struct house *house, struct command *command, enum command_kind kind)
{
	house->is_log_slow = true;
	*command = command_of(house, kind, 1, 1);
	str_copy(command->number, sizeof command->number, OTHER);
	str_copy(command->digits, sizeof command->digits, "12");
	house_queue(house, command);
	house_run_ms(house, 0);
	fake_log_sync(house->log);
	house_run_ms(house, 500);
	house_crash(house);
	house->is_log_slow = false;
	house_run_ms(house, 1000);
}

/* The switch of this house is lost with the program: what is asked again meets a call that is over,
 * but it is carried out and not answered from memory. */
static void only_what_a_switch_cannot_show_or_undo_is_unknown(void **state)
{
	static const struct {
		enum command_kind kind;
		bool is_unknown;
	} cases[] = {
		{CMD_HOLDRESUME, false}, {CMD_MUTE, false},	 {CMD_TRANSFER_BLIND, false},
		{CMD_ANSWER, false},	 {CMD_RELEASE, false},	 {CMD_SET_OUTCOME, false},
		{CMD_DTMF, true},	 {CMD_CONFERENCE, true},
	};
	struct house house;
	struct command command;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		open_exact(&house);
		talks(&house, 1, 1, CUSTOMER);
		crash_in(&house, &command, cases[i].kind);
		house_send(&house, &command);
		assert_int_equal(strcmp(house.reply.err.code, "command.unknown") == 0,
				 cases[i].is_unknown);
		house_close(&house);
	}
}

/* Whoever asks again before the switch was read back waits for that, and is answered then. */
static void who_asks_again_at_once_is_answered(void **state)
{
	struct house house;
	struct command dial;
	unsigned replies;

	(void)state;
	open_exact(&house);
	house.is_log_slow = true;
	dial = command_of(&house, CMD_DIAL, 1, 1);
	str_copy(dial.number, sizeof dial.number, CUSTOMER);
	house_queue(&house, &dial);
	house_run_ms(&house, 0);
	fake_log_sync(house.log);
	house_run_ms(&house, 100);
	house_crash(&house);
	house.is_log_slow = false;
	replies = house.replies;
	house_queue(&house, &dial);
	house_run_ms(&house, 3000);
	assert_int_equal(house.replies, replies + 1);
	assert_int_equal(house.reply.status, ST_OK);
	assert_tab(&house, 1, 1, "talk");
	house_close(&house);
}

static void what_only_records_would_show_was_not_done_and_may_be_asked_again(void **state)
{
	struct house house;
	struct command ready;
	struct agent_view view;

	(void)state;
	open_exact(&house);
	house.is_log_slow = true;
	ready = command_of(&house, CMD_AGENT_STATE, 1, 0);
	ready.agent_state = AGENT_READY;
	house_queue(&house, &ready);
	house_run_ms(&house, 0);
	fake_log_sync(house.log);
	house_crash(&house);
	house.is_log_slow = false;
	house_run_ms(&house, 100);
	assert_int_equal(house_send(&house, &ready)->status, ST_OK);
	control_agent_view(house.control, &house.agents[1], &view);
	assert_int_equal(view.state, AGENT_READY);
	house_close(&house);
}

static void crash_after_checkpoint(struct house *house)
{
	control_checkpoint(house->control);
	for (int i = 0; i < 8; i++)
		house_run_ms(house, 0);
	fake_log_drop_history(house->log);
	house_crash(house);
}

static void a_checkpoint_is_enough(void **state)
{
	struct house house;
	struct call_view first, second;
	struct command dial;
	struct agent_view view;
	uint64_t epoch, seq;

	(void)state;
	open_exact(&house);
	dial = command_of(&house, CMD_DIAL, 1, 1);
	str_copy(dial.number, sizeof dial.number, CUSTOMER);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	house_run_ms(&house, 2000);
	does(&house, CMD_RELEASE, 1, 1);
	says(&house, 1, AGENT_AWAY);
	presents(&house, 2, 3, OTHER);
	first = *told(&house, 1, 1);
	second = *told(&house, 2, 3);
	seq = seq_of(&house, 1, 1, &epoch);
	crash_after_checkpoint(&house);
	assert_memory_equal(told(&house, 1, 1), &first, sizeof first);
	assert_memory_equal(told(&house, 2, 3), &second, sizeof second);
	assert_int_equal(seq_of(&house, 1, 1, &epoch), seq);
	control_agent_view(house.control, &house.agents[1], &view);
	assert_int_equal(view.state, AGENT_AWAY);
	assert_int_equal(house_send(&house, &dial)->status, ST_OK);
	assert_int_equal(legs(&house), 0);
	house_run_ms(&house, 16000);
	assert_tab(&house, 2, 3, "talk");
	house_close(&house);
}

static void a_checkpoint_keeps_every_answer(void **state)
{
	struct command commands[700];
	struct house house;

	(void)state;
	open_exact(&house);
	for (int i = 0; i < 700; i++) {
		commands[i] = command_of(&house, CMD_AGENT_STATE, 1, 0);
		commands[i].agent_state = i % 2 ? AGENT_READY : AGENT_AWAY;
		assert_int_equal(house_send(&house, &commands[i])->status, ST_OK);
	}
	crash_after_checkpoint(&house);
	house_forget(&house);
	for (int i = 0; i < 700; i++)
		assert_int_equal(house_send(&house, &commands[i])->status, ST_OK);
	assert_int_equal(house.agent_tells, 0); /* none was carried out again */
	house_close(&house);
}

static bool has_ended(struct house *house, unsigned from)
{
	unsigned count = fake_log_count(house->log);

	for (unsigned i = from; i < count; i++)
		if (fake_log_record(house->log, i)->has & RECORD_CHECKPOINT_END)
			return true;
	return false;
}

/* What happens now must not wait behind the copy of a day's commands, nor find the journal full. */
static void a_checkpoint_waits_for_the_disk(void **state)
{
	struct house house;
	unsigned before;

	(void)state;
	open_exact(&house);
	for (int i = 0; i < 2500; i++)
		says(&house, 1, i % 2 ? AGENT_READY : AGENT_AWAY);
	before = fake_log_count(house.log);
	house.is_log_slow = true;
	control_checkpoint(house.control);
	for (int i = 0; i < 50; i++)
		house_run_ms(&house, 0);
	assert_in_range(fake_log_count(house.log) - before, 2000, 2300);
	assert_false(has_ended(&house, before));
	for (int i = 0; i < 50 && !has_ended(&house, before); i++) {
		fake_log_sync(house.log);
		house_run_ms(&house, 0);
	}
	assert_true(has_ended(&house, before));
	assert_true(fake_log_count(house.log) - before > 2500);
	house.is_log_slow = false;
	house_close(&house);
}

/* After any number of crashes every call has one life, one idle, one end, one row each. */
static void over_many_crashes_every_record_is_part_of_one_life(void **state)
{
	static struct ledger ledger;
	struct house house;

	(void)state;
	memset(&ledger, 0, sizeof ledger);
	open_exact(&house);
	for (int round = 0; round < 30; round++) {
		struct command dial = command_of(&house, CMD_DIAL, 1 + round % 2, 1 + round % 3);

		str_copy(dial.number, sizeof dial.number, round % 4 ? CUSTOMER : BUSY_NUMBER);
		house_queue(&house, &dial);
		house_run_ms(&house, (round * 37) % 900);
		house.is_log_slow = round % 2;
		house_run_ms(&house, (round * 53) % 400);
		if (round % 5 == 0)
			control_checkpoint(house.control);
		house.is_log_slow = false;
		house_crash(&house);
		house_run_ms(&house, round % 3 ? 100 : 40000);
	}
	house_rest(&house);
	ledger_read(&ledger, &house);
	ledger_close(&ledger);
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tab_shows_what_it_showed_and_its_numbers_go_on),
		cmocka_unit_test(a_call_the_switch_lost_is_told_so_by_the_reconciler),
		cmocka_unit_test(wrap_goes_on_with_the_time_that_is_left),
		cmocka_unit_test(a_timer_that_ran_out_meanwhile_fires_once),
		cmocka_unit_test(agents_are_what_they_were),
		cmocka_unit_test(an_answered_command_keeps_its_answer),
		cmocka_unit_test(a_dial_without_its_step_has_called_nobody_and_may_be_asked_again),
		cmocka_unit_test(
			a_dial_of_an_older_program_is_unknown_an_attempt_and_never_dialed_again),
		cmocka_unit_test(a_preview_that_was_about_to_be_dialed_is_dialed_once),
		cmocka_unit_test(only_what_a_switch_cannot_show_or_undo_is_unknown),
		cmocka_unit_test(who_asks_again_at_once_is_answered),
		cmocka_unit_test(what_only_records_would_show_was_not_done_and_may_be_asked_again),
		cmocka_unit_test(a_checkpoint_is_enough),
		cmocka_unit_test(a_checkpoint_keeps_every_answer),
		cmocka_unit_test(a_checkpoint_waits_for_the_disk),
		cmocka_unit_test(over_many_crashes_every_record_is_part_of_one_life),
	};

	return cmocka_run_group_tests_name("control/recover", tests, NULL, NULL);
}
