#include "scene.h"

#include "base/str.h"

struct agent_scene {
	struct agent_view agent;
	int64_t now_ms;
	bool is_changed;
	struct err err;
};

static struct agent_scene agent_in(enum agent_state state)
{
	return (struct agent_scene){
		.agent = {.state = state,
			  .next_state = state,
			  .state_at_ms = START_MS,
			  .version = 3},
		.now_ms = START_MS + 60000,
	};
}

static enum status step(struct agent_scene *scene, const struct agent_event *event)
{
	struct agent_view before = scene->agent;

	return agent_step(&before, event, &scene->agent, &scene->is_changed, &scene->err);
}

static void occurs(struct agent_scene *scene, enum agent_event_kind kind)
{
	struct agent_event event = {.kind = kind, .at_ms = scene->now_ms};

	assert_int_equal(step(scene, &event), ST_OK);
}

static void asks(struct agent_scene *scene, enum agent_state state, const char *reason,
		 bool is_on_call)
{
	struct agent_event event = {.kind = AGENT_EV_SET,
				    .at_ms = scene->now_ms,
				    .state = state,
				    .reason = reason,
				    .is_on_call = is_on_call};

	assert_int_equal(step(scene, &event), ST_OK);
}

static void assert_agent(const struct agent_scene *scene, enum agent_state state,
			 enum agent_state next, const char *reason)
{
	assert_string_equal(agent_state_word(scene->agent.state), agent_state_word(state));
	assert_string_equal(agent_state_word(scene->agent.next_state), agent_state_word(next));
	assert_string_equal(scene->agent.reason, reason);
}

static void first_page_logs_in_and_signing_out_logs_out(void **state)
{
	struct agent_scene scene = agent_in(AGENT_LOGGED_OUT);

	(void)state;
	occurs(&scene, AGENT_EV_PRESENT);
	assert_agent(&scene, AGENT_LOGGED_IN, AGENT_LOGGED_IN, "");
	assert_true(scene.is_changed);
	assert_int_equal(scene.agent.state_at_ms, scene.now_ms);
	assert_int_equal(scene.agent.version, 4);
	occurs(&scene, AGENT_EV_ABSENT);
	assert_agent(&scene, AGENT_LOGGED_OUT, AGENT_LOGGED_OUT, "");
}

/* state x event, by hand: L logged in, O logged out, N not ready, - nothing changes */
static void every_event_in_every_state_leads_where_it_should(void **state)
{
	static const char *const grid[AGENT_STATE_COUNT] = {
		/* present absent (set) call_over missed */
		[AGENT_LOGGED_OUT] = "L- --", [AGENT_LOGGED_IN] = "-O --", [AGENT_READY] = "-O -N",
		[AGENT_AWAY] = "-O --",	      [AGENT_NOT_READY] = "-O --",
	};

	(void)state;
	for (int from = 0; from < AGENT_STATE_COUNT; from++)
		for (int event = 0; event < AGENT_EV_COUNT; event++) {
			struct agent_scene scene = agent_in((enum agent_state)from);
			struct agent_view before = scene.agent;
			char to = grid[from][event];

			if (event == AGENT_EV_SET)
				continue;
			occurs(&scene, (enum agent_event_kind)event);
			assert_int_equal(scene.is_changed, to != '-');
			if (to == '-')
				assert_memory_equal(&before, &scene.agent, sizeof before);
			else
				assert_int_equal(scene.agent.state, to == 'L'	? AGENT_LOGGED_IN
								    : to == 'O' ? AGENT_LOGGED_OUT
										: AGENT_NOT_READY);
			assert_int_equal(
				agent_rule((enum agent_state)from, (enum agent_event_kind)event),
				to == '-' ? AGENT_STATE_COUNT : scene.agent.state);
		}
}

static void a_free_agent_takes_any_state_but_logged_out(void **state)
{
	(void)state;
	for (int from = AGENT_LOGGED_IN; from < AGENT_STATE_COUNT; from++)
		for (int to = AGENT_LOGGED_IN; to < AGENT_STATE_COUNT; to++) {
			struct agent_scene scene = agent_in((enum agent_state)from);

			asks(&scene, (enum agent_state)to, "lunch", false);
			assert_agent(&scene, (enum agent_state)to, (enum agent_state)to, "lunch");
			assert_true(scene.is_changed);
		}
}

static void logged_out_is_not_asked_for(void **state)
{
	(void)state;
	for (int from = 0; from < AGENT_STATE_COUNT; from++) {
		struct agent_scene scene = agent_in((enum agent_state)from);
		struct agent_view before = scene.agent;
		struct agent_event event = {.kind = AGENT_EV_SET, .state = AGENT_LOGGED_OUT};

		scene.is_changed = true;
		assert_int_equal(step(&scene, &event), ST_INVALID);
		assert_string_equal(scene.err.code, "agent.state_invalid");
		assert_string_equal(scene.err.target, "state");
		assert_memory_equal(&before, &scene.agent, sizeof before);
		assert_true(scene.is_changed); /* untouched */
	}
}

static void who_is_logged_out_signs_in_first(void **state)
{
	struct agent_scene scene = agent_in(AGENT_LOGGED_OUT);
	struct agent_event event = {.kind = AGENT_EV_SET, .state = AGENT_READY};
	struct agent_view before = scene.agent;

	(void)state;
	assert_int_equal(step(&scene, &event), ST_CONFLICT);
	assert_string_equal(scene.err.code, "agent.logged_out");
	assert_memory_equal(&before, &scene.agent, sizeof before);
}

static void a_change_during_a_call_waits_for_its_end(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	asks(&scene, AGENT_AWAY, "dentist", true);
	assert_agent(&scene, AGENT_READY, AGENT_AWAY, "dentist");
	assert_int_equal(scene.agent.state_at_ms, START_MS);
	assert_true(scene.is_changed);
	assert_int_equal(scene.agent.version, 4);
	scene.now_ms += 5000;
	occurs(&scene, AGENT_EV_CALL_OVER);
	assert_agent(&scene, AGENT_AWAY, AGENT_AWAY, "dentist");
	assert_int_equal(scene.agent.state_at_ms, scene.now_ms);
	assert_int_equal(scene.agent.version, 5);
}

static void the_last_wish_during_a_call_counts(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	asks(&scene, AGENT_AWAY, "dentist", true);
	asks(&scene, AGENT_NOT_READY, "meeting", true);
	assert_agent(&scene, AGENT_READY, AGENT_NOT_READY, "meeting");
	occurs(&scene, AGENT_EV_CALL_OVER);
	assert_agent(&scene, AGENT_NOT_READY, AGENT_NOT_READY, "meeting");
}

static void ready_again_during_the_call_takes_the_wish_back(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	asks(&scene, AGENT_AWAY, "dentist", true);
	asks(&scene, AGENT_READY, NULL, true);
	assert_agent(&scene, AGENT_READY, AGENT_READY, "");
	assert_int_equal(scene.agent.state_at_ms, START_MS);
	occurs(&scene, AGENT_EV_CALL_OVER);
	assert_false(scene.is_changed);
	assert_agent(&scene, AGENT_READY, AGENT_READY, "");
}

/* Who has been ready longest is served first: asking again must not cost the place. */
static void ready_asked_for_twice_keeps_the_first_time(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	asks(&scene, AGENT_READY, NULL, false);
	assert_false(scene.is_changed);
	assert_int_equal(scene.agent.state_at_ms, START_MS);
	assert_int_equal(scene.agent.version, 3);
	asks(&scene, AGENT_READY, "back early", false);
	assert_true(scene.is_changed);
	assert_int_equal(scene.agent.state_at_ms, START_MS);
	assert_agent(&scene, AGENT_READY, AGENT_READY, "back early");
}

static void who_signs_out_with_a_wish_is_signed_out(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	asks(&scene, AGENT_AWAY, "dentist", true);
	occurs(&scene, AGENT_EV_ABSENT);
	assert_agent(&scene, AGENT_LOGGED_OUT, AGENT_LOGGED_OUT, "");
}

static void a_missed_offer_takes_a_ready_agent_out(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	occurs(&scene, AGENT_EV_MISSED);
	assert_agent(&scene, AGENT_NOT_READY, AGENT_NOT_READY, "missed_call");
}

static void the_time_of_a_state_never_goes_back(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);

	(void)state;
	scene.now_ms = START_MS - 3600000; /* the machine's clock was set */
	asks(&scene, AGENT_AWAY, NULL, false);
	assert_int_equal(scene.agent.state_at_ms, START_MS);
	occurs(&scene, AGENT_EV_ABSENT);
	assert_int_equal(scene.agent.state_at_ms, START_MS);
}

static void a_long_reason_is_cut(void **state)
{
	struct agent_scene scene = agent_in(AGENT_READY);
	char reason[200];

	(void)state;
	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = 0;
	asks(&scene, AGENT_AWAY, reason, false);
	assert_int_equal(strlen(scene.agent.reason), WORD_SIZE - 1);
}

static void only_a_ready_agent_without_call_or_wish_is_available(void **state)
{
	(void)state;
	for (int s = 0; s < AGENT_STATE_COUNT; s++)
		for (int n = 0; n < AGENT_STATE_COUNT; n++)
			for (int on_call = 0; on_call < 2; on_call++) {
				struct agent_view agent = {.state = (enum agent_state)s,
							   .next_state = (enum agent_state)n};

				assert_int_equal(agent_is_available(&agent, on_call),
						 s == AGENT_READY && n == AGENT_READY && !on_call);
			}
}

static void agent_events_have_their_words(void **state)
{
	static const char *const words[] = {"present", "absent", "set", "call_over", "missed"};

	(void)state;
	assert_int_equal(sizeof words / sizeof words[0], AGENT_EV_COUNT);
	for (int i = 0; i < AGENT_EV_COUNT; i++)
		assert_string_equal(agent_event_word((enum agent_event_kind)i), words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_page_logs_in_and_signing_out_logs_out),
		cmocka_unit_test(every_event_in_every_state_leads_where_it_should),
		cmocka_unit_test(a_free_agent_takes_any_state_but_logged_out),
		cmocka_unit_test(logged_out_is_not_asked_for),
		cmocka_unit_test(who_is_logged_out_signs_in_first),
		cmocka_unit_test(a_change_during_a_call_waits_for_its_end),
		cmocka_unit_test(the_last_wish_during_a_call_counts),
		cmocka_unit_test(ready_again_during_the_call_takes_the_wish_back),
		cmocka_unit_test(ready_asked_for_twice_keeps_the_first_time),
		cmocka_unit_test(who_signs_out_with_a_wish_is_signed_out),
		cmocka_unit_test(a_missed_offer_takes_a_ready_agent_out),
		cmocka_unit_test(the_time_of_a_state_never_goes_back),
		cmocka_unit_test(a_long_reason_is_cut),
		cmocka_unit_test(only_a_ready_agent_without_call_or_wish_is_available),
		cmocka_unit_test(agent_events_have_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
