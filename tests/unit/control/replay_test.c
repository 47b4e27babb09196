/* What was recorded, fed through the rules again. */
#include "control/replay.h"
#include "house.h"

static unsigned replay_all(struct house *house, struct replay *replay)
{
	struct replay_difference differences[REPLAY_DIFFERENCES_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < fake_log_count(house->log); i++) {
		unsigned here = replay_take(replay, fake_log_record(house->log, i), differences);

		for (unsigned d = 0; d < here && d < REPLAY_DIFFERENCES_MAX; d++)
			print_message("record %u: %s recorded=%s replayed=%s\n", i + 1,
				      differences[d].field, differences[d].recorded,
				      differences[d].replayed);
		count += here;
	}
	return count;
}

static void work(struct house *house)
{
	talks(house, 1, 1, CUSTOMER);
	does(house, CMD_HOLD, 1, 1);
	does(house, CMD_RESUME, 1, 1);
	does_with(house, CMD_TRANSFER_CONSULT, 1, 1, OTHER, 0);
	house_run_ms(house, 2000);
	does_with(house, CMD_TRANSFER_COMPLETE, 1, 2, "", 1);
	house_run_ms(house, 1000);
	chooses(house, 1, 1, "Sale");
	house_run_ms(house, WRAP_MS + 1000);
	presents(house, 2, 1, BUSY_NUMBER);
	house_run_ms(house, 20000);
	says(house, 1, AGENT_READY);
	calls_in(house, CUSTOMER, QUEUE);
	house_run_ms(house, 25000); /* rings out */
	says(house, 2, AGENT_READY);
	house_run_ms(house, 100);
}

static void the_same_rules_give_the_same_calls(void **state)
{
	struct replay *replay = replay_create();
	struct replay_figures figures;
	struct house house;

	(void)state;
	house_open(&house);
	work(&house);
	house_rest(&house);
	assert_int_equal(replay_all(&house, replay), 0);
	replay_figures(replay, &figures);
	assert_true(figures.steps > 20);
	assert_int_equal(figures.different, 0);
	replay_destroy(replay);
	house_close(&house);
}

static void count_ended(void *arg, const struct call_view *call)
{
	assert_int_equal(call->state, CALL_END);
	++*(unsigned *)arg;
}

static void count_agents(void *arg, const struct agent_view *agent)
{
	assert_true(agent->login[0]);
	++*(unsigned *)arg;
}

static void at_the_end_every_call_and_agent_is_known(void **state)
{
	struct replay *replay = replay_create();
	unsigned calls = 0, agents = 0;
	struct house house;

	(void)state;
	house_open(&house);
	work(&house);
	house_rest(&house);
	replay_all(&house, replay);
	replay_calls(replay, count_ended, &calls);
	replay_agents(replay, count_agents, &agents);
	assert_true(calls >= 4);
	assert_int_equal(agents, AGENTS);
	replay_destroy(replay);
	house_close(&house);
}

static void a_step_that_went_otherwise_is_named(void **state)
{
	struct replay *replay = replay_create();
	struct replay_difference differences[REPLAY_DIFFERENCES_MAX];
	struct house house;
	unsigned found = 0;

	(void)state;
	house_open(&house);
	talks(&house, 1, 1, CUSTOMER);
	for (unsigned i = 0; i < fake_log_count(house.log); i++) {
		struct record record = *fake_log_record(house.log, i);

		if (record.has & RECORD_STEP && record.call.state == CALL_TALK)
			record.call.state = CALL_HELD;
		if (replay_take(replay, &record, differences)) {
			found++;
			assert_string_equal(differences[0].field, "state");
			assert_string_equal(differences[0].recorded, "held");
			assert_string_equal(differences[0].replayed, "talk");
		}
	}
	assert_int_equal(found, 1);
	replay_destroy(replay);
	house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_rules_give_the_same_calls),
		cmocka_unit_test(at_the_end_every_call_and_agent_is_known),
		cmocka_unit_test(a_step_that_went_otherwise_is_named),
	};

	return cmocka_run_group_tests_name("control/replay", tests, NULL, NULL);
}
