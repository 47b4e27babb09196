/* What an attempt is worth, in the words of the mission: M20 to M23, M26, M28. */
#include "scene.h"

static struct scene begun(void)
{
	struct call_policy policy = usual_policy();
	struct scene scene;

	scene_start(&scene, &policy);
	return scene;
}

static struct scene talking(void)
{
	struct call_policy policy = usual_policy();
	struct scene scene;

	scene_lead(&scene, &policy, CALL_TALK, false);
	return scene;
}

static void attempts_no_answer_busy_talk_make_one_row(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;
	struct dialer_counters after;

	(void)state;
	scene_start(&s, &policy);
	happens(&s, EV_DIAL);
	happens(&s, EV_FAR_RINGING);
	assert_true(deadline_passes(&s));
	assert_string_equal(s.call.view.reason, "ring_limit");
	assert_rows(&s, "ring 22000, no answer, idle");
	assert_results(&s, "noanswer*");
	assert_counters(&s, 1, 1, 0, 0, 0, false);
	after = s.call.view.counters;

	scene_start(&s, &policy);
	s.call.base = after;
	happens(&s, EV_DIAL);
	later(&s, 800);
	far_ends(&s, ATTEMPT_BUSY);
	assert_rows(&s, "ring 800, busy, idle");
	assert_results(&s, "Busy*");
	assert_counters(&s, 2, 1, 1, 0, 0, false);
	after = s.call.view.counters;

	scene_start(&s, &policy);
	s.call.base = after;
	happens(&s, EV_DIAL);
	assert_counters(&s, 3, 1, 1, 0, 0, false);
	happens(&s, EV_UP);
	happens(&s, EV_RELEASE);
	assert_counters(&s, 3, 1, 1, 1, 0, true);
}

static void error_on_dial_has_its_row_and_outcome(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_DIAL);
	later(&s, 100);
	far_ends(&s, ATTEMPT_ERROR);
	assert_rows(&s, "ring 100, error on dial, idle");
	assert_results(&s, "EoD*");
	assert_counters(&s, 1, 0, 0, 0, 0, false);
}

static void a_carrier_that_never_rings_is_an_error_and_no_no_answer(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_DIAL);
	assert_true(deadline_passes(&s));
	assert_asked(&s, "clear");
	assert_rows(&s, "ring 22000, error on dial, idle");
	assert_counters(&s, 1, 0, 0, 0, 0, false);
}

static void an_attempt_the_agent_cancels_has_no_system_outcome(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_DIAL);
	happens(&s, EV_FAR_RINGING);
	later(&s, 5000);
	happens(&s, EV_RELEASE);
	assert_rows(&s, "ring 5000, idle");
	assert_results(&s, "");
	assert_string_equal(attempt_result_word(s.call.view.attempt_result), "cancelled");
	assert_counters(&s, 1, 0, 0, 0, 0, false);
}

/* "isConnectXorAbort: chosen on an attempt that reached talk, connects+1; on one that did not,
 * aborts+1; flag false, neither." */
static void flagged_outcome_counts_connect_or_abort(void **state)
{
	static const struct {
		bool is_talked, flag;
		int connects, aborts;
	} expected[] = {
		{true, true, 1, 0}, {true, false, 0, 0}, {false, true, 0, 1}, {false, false, 0, 0}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct scene s = begun();
		struct call_outcome chosen = outcome("Wrong person", expected[i].flag);

		happens(&s, EV_DIAL);
		if (expected[i].is_talked)
			happens(&s, EV_UP);
		happens(&s, EV_RELEASE);
		chooses(&s, &chosen);
		assert_counters(&s, 1, 0, 0, expected[i].connects, expected[i].aborts,
				expected[i].is_talked);
	}
}

static void an_automatic_outcome_neither_makes_nor_takes_a_connect(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	policy.system[ATTEMPT_BUSY] = outcome("Engaged", true); /* supersedes the system's */
	policy.system[ATTEMPT_BUSY].is_automatic = true;
	policy.default_outcome = outcome("Contacted", false);
	policy.default_outcome.is_automatic = true;
	scene_start(&s, &policy);
	happens(&s, EV_DIAL);
	far_ends(&s, ATTEMPT_BUSY);
	assert_results(&s, "Engaged*");
	assert_counters(&s, 1, 0, 1, 0, 0, false);
	scene_lead(&s, &policy, CALL_WRAP, false);
	assert_true(deadline_passes(&s));
	assert_results(&s, "Contacted*");
	assert_counters(&s, 1, 0, 0, 1, 0, true);
}

static void a_changed_outcome_adds_a_result_and_recounts(void **state)
{
	struct scene s = talking();
	struct call_outcome wrong = outcome("Wrong person", false), sold = outcome("Sold", true);

	(void)state;
	chooses(&s, &wrong);
	assert_counters(&s, 1, 0, 0, 0, 0, true);
	happens(&s, EV_RELEASE);
	chooses(&s, &sold);
	assert_counters(&s, 1, 0, 0, 1, 0, true);
	chooses(&s, &wrong);
	assert_counters(&s, 1, 0, 0, 0, 0, true);
	happens(&s, EV_END_WRAP);
	assert_results(&s, "Wrong person, Sold, Wrong person");
	assert_string_equal(s.call.view.outcome, "Wrong person");
}

static void an_agents_outcome_replaces_the_systems_and_counts_as_his(void **state)
{
	struct scene s = begun();
	struct call_outcome chosen = outcome("Do not call", true);

	(void)state;
	happens(&s, EV_DIAL);
	far_ends(&s, ATTEMPT_BUSY);
	chooses(&s, &chosen);
	assert_results(&s, "Busy*, Do not call");
	assert_counters(&s, 1, 0, 1, 0, 1, false);
}

static void an_outcome_chosen_while_talking_needs_no_second_one(void **state)
{
	struct scene s = talking();

	(void)state;
	assert_true(s.call.view.is_wrap_required);
	happens(&s, EV_OUTCOME);
	assert_false(s.call.view.is_wrap_required);
	far_ends(&s, ATTEMPT_CANCELLED);
	assert_true(deadline_passes(&s));
	assert_state(&s, CALL_END);
	assert_results(&s, "Sold");
}

static void an_outcome_with_retry_leaves_the_row_for_another_attempt(void **state)
{
	struct scene s = talking();
	struct call_outcome later_please = outcome("Call again", true);

	(void)state;
	later_please.is_retry = true;
	later_please.retry_after_ms = 2 * 3600 * 1000;
	happens(&s, EV_RELEASE);
	chooses(&s, &later_please);
	assert_int_equal(s.call.view.retry_at_ms, s.now_ms + 7200000);
	assert_string_equal(dialer_status_word(s.call.view.dialer_status), "open");
	happens(&s, EV_END_WRAP);
	assert_string_equal(dialer_status_word(s.call.view.dialer_status), "retry");
}

static void a_final_outcome_closes_the_row(void **state)
{
	struct scene s = talking();
	struct call_outcome again = outcome("Call again", true), sold = outcome("Sold", true);

	(void)state;
	again.is_retry = true;
	happens(&s, EV_RELEASE);
	chooses(&s, &again);
	chooses(&s, &sold);
	assert_int_equal(s.call.view.retry_at_ms, 0);
	happens(&s, EV_END_WRAP);
	assert_string_equal(dialer_status_word(s.call.view.dialer_status), "closed");
}

static void a_scheduled_callback_is_a_retry_at_that_time(void **state)
{
	struct scene s = talking();
	struct call_event event;

	(void)state;
	happens(&s, EV_RELEASE);
	event = event_now(&s, EV_CALLBACK);
	event.outcome = outcome("Callback", true);
	happens_event(&s, &event);
	assert_int_equal(s.call.view.retry_at_ms, event.retry_at_ms);
	assert_results(&s, "Callback");
	happens(&s, EV_END_WRAP);
	assert_string_equal(dialer_status_word(s.call.view.dialer_status), "retry");
}

static void a_systems_retry_outcome_is_a_retry_too(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	policy.system[ATTEMPT_NO_ANSWER] = outcome("Not at home", false);
	policy.system[ATTEMPT_NO_ANSWER].is_automatic = true;
	policy.system[ATTEMPT_NO_ANSWER].is_retry = true;
	policy.system[ATTEMPT_NO_ANSWER].retry_after_ms = 600000;
	scene_start(&s, &policy);
	happens(&s, EV_DIAL);
	happens(&s, EV_FAR_RINGING);
	far_ends(&s, ATTEMPT_NO_ANSWER);
	assert_int_equal(s.call.view.retry_at_ms, s.now_ms + 600000);
	assert_true(deadline_passes(&s));
	assert_string_equal(dialer_status_word(s.call.view.dialer_status), "retry");
	assert_results(&s, "Not at home*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_no_answer_busy_talk_make_one_row),
		cmocka_unit_test(error_on_dial_has_its_row_and_outcome),
		cmocka_unit_test(a_carrier_that_never_rings_is_an_error_and_no_no_answer),
		cmocka_unit_test(an_attempt_the_agent_cancels_has_no_system_outcome),
		cmocka_unit_test(flagged_outcome_counts_connect_or_abort),
		cmocka_unit_test(an_automatic_outcome_neither_makes_nor_takes_a_connect),
		cmocka_unit_test(a_changed_outcome_adds_a_result_and_recounts),
		cmocka_unit_test(an_agents_outcome_replaces_the_systems_and_counts_as_his),
		cmocka_unit_test(an_outcome_chosen_while_talking_needs_no_second_one),
		cmocka_unit_test(an_outcome_with_retry_leaves_the_row_for_another_attempt),
		cmocka_unit_test(a_final_outcome_closes_the_row),
		cmocka_unit_test(a_scheduled_callback_is_a_retry_at_that_time),
		cmocka_unit_test(a_systems_retry_outcome_is_a_retry_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
