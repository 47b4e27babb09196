/* Callers, consultations, conferences, transfers; time; who and why. */
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

static const char *client_state(const struct scene *scene)
{
	return call_client_word(scene->call.view.state);
}

/* --- inbound --- */

static void an_offer_refused_by_the_agent_is_deflected(void **state)
{
	static const enum call_event_kind ways[] = {EV_RELEASE, EV_REJECT, EV_NOT_READY};
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct scene s;

		scene_lead(&s, &policy, CALL_INCOMING, false);
		happens(&s, ways[i]);
		assert_asked(&s, "give_back");
		assert_results(&s, "Deflect*");
		assert_string_equal(attempt_result_word(s.call.view.attempt_result), "deflected");
	}
}

static void an_offer_that_rings_out_is_missed(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	scene_lead(&s, &policy, CALL_INCOMING, false);
	assert_true(deadline_passes(&s));
	assert_asked(&s, "give_back");
	assert_results(&s, "MissedCall*");
	assert_string_equal(s.call.view.reason, "rang_out");
	assert_string_equal(ended_by_word(s.call.view.ended_by), "system");
}

static void a_caller_who_leaves_is_a_missed_call(void **state)
{
	static const enum call_state from[] = {CALL_INCOMING, CALL_ANSWERING};
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct scene s;

		scene_lead(&s, &policy, from[i], false);
		far_ends(&s, ATTEMPT_MISSED);
		assert_asked(&s, "");
		assert_results(&s, "MissedCall*");
		assert_string_equal(ended_by_word(s.call.view.ended_by), "customer");
	}
}

static void a_caller_who_leaves_the_queue_is_abandoned(void **state)
{
	struct scene s = begun();

	(void)state;
	s.call.view.direction = DIR_INBOUND;
	s.call.view.tab = 0;
	happens(&s, EV_ENQUEUE);
	later(&s, 90000);
	far_ends(&s, ATTEMPT_MISSED);
	assert_results(&s, "Abandon*");
	assert_false(s.call.view.is_wrap_required);
	happens(&s, EV_WRAP_TIME); /* nobody has to wrap it up */
	assert_state(&s, CALL_END);
	assert_rows(&s, "queue 90000, idle 0, end");
	assert_counters(&s, 1, 0, 0, 0, 0, false);
}

static void a_caller_whose_agent_has_no_telephone_goes_back(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	scene_lead(&s, &policy, CALL_ANSWERING, false);
	happens(&s, EV_NO_AUDIO);
	assert_asked(&s, "give_back");
	assert_state(&s, CALL_WRAP);
	assert_results(&s, "MissedCall*");
}

/* --- two calls, transfers --- */

static void a_consultation_is_a_call_of_its_own_and_owes_no_outcome(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	scene_start(&s, &policy);
	happens(&s, EV_CONSULT_DIAL);
	assert_asked(&s, "dial");
	assert_string_equal(client_state(&s), "ringing");
	happens(&s, EV_UP);
	assert_state(&s, CALL_CONSULT);
	happens(&s, EV_COMPLETE);
	assert_asked(&s, "complete");
	assert_string_equal(client_state(&s), "idle");
	assert_false(s.call.view.is_wrap_required);
	assert_true(deadline_passes(&s));
	assert_state(&s, CALL_END);
	assert_results(&s, "");
}

static void the_customer_waits_while_a_third_is_asked(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_CONSULT);
	assert_state(&s, CALL_HELD);
	assert_asked(&s, "hold");
	happens(&s, EV_CONSULT); /* once more, to another one: held already */
	assert_asked(&s, "");
	happens(&s, EV_COMPLETED);
	assert_asked(&s, "");
	assert_string_equal(client_state(&s), "idle");
	assert_string_equal(s.call.view.reason, "transfer_completed");
	assert_string_equal(ended_by_word(s.call.view.ended_by), "system");
}

static void a_conference_loses_its_third_and_is_a_talk_again(void **state)
{
	struct scene s = talking();

	(void)state;
	later(&s, 1000);
	happens(&s, EV_CONFERENCE);
	assert_asked(&s, "conference");
	assert_string_equal(client_state(&s), "talk");
	later(&s, 2000);
	happens(&s, EV_PARTNER_GONE);
	assert_state(&s, CALL_TALK);
	later(&s, 3000);
	happens(&s, EV_RELEASE);
	assert_rows(&s, "ring 1000, talk 1000, conference 2000, talk 3000, idle");
}

static void who_leaves_a_conference_is_idle(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_CONFERENCE);
	happens(&s, EV_LEAVE);
	assert_asked(&s, "leave");
	assert_state(&s, CALL_WRAP);
	s = talking();
	happens(&s, EV_CONFERENCE);
	happens(&s, EV_PARTNER_LEFT);
	assert_asked(&s, "");
	assert_state(&s, CALL_WRAP);
}

static void a_blind_transfer_is_idle_at_once_and_wraps_when_it_is_through(void **state)
{
	struct scene s = talking();

	(void)state;
	later(&s, 4000);
	happens(&s, EV_TRANSFER);
	assert_asked(&s, "transfer");
	assert_string_equal(client_state(&s), "idle");
	assert_string_equal(ended_by_word(s.call.view.ended_by), "agent");
	assert_int_equal(s.call.view.state_at_ms, s.now_ms);
	happens(&s, EV_OUTCOME); /* idle is idle */
	later(&s, 9000);
	happens(&s, EV_TRANSFERRED);
	assert_state(&s, CALL_WRAP);
	assert_string_equal(ended_by_word(s.call.view.ended_by), "agent");
	assert_int_equal(timer_left_ms(&s), 30000);
	assert_true(deadline_passes(&s));
	assert_rows(&s, "ring 1000, talk 4000, idle 39000, end");
	assert_results(&s, "Sold");
}

static void a_failed_transfer_comes_back_as_incoming(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_TRANSFER);
	later(&s, 5000);
	happens(&s, EV_TRANSFER_FAILED);
	assert_string_equal(client_state(&s), "incoming");
	assert_string_equal(s.call.view.reason, "transfer_failed");
	assert_string_equal(ended_by_word(s.call.view.ended_by), "");
	is_refused(&s, EV_NOT_READY, "call.not_offered"); /* a customer is not dropped by that */
	happens(&s, EV_ANSWER);
	happens(&s, EV_UP);
	assert_string_equal(client_state(&s), "talk");
	later(&s, 1000);
	happens(&s, EV_RELEASE);
	assert_counters(&s, 1, 0, 0, 1, 0, true);
	assert_string_equal(attempt_result_word(s.call.view.attempt_result), "connected");
}

static void a_failed_transfer_nobody_takes_back_was_a_connected_call(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_TRANSFER);
	happens(&s, EV_TRANSFER_FAILED);
	assert_true(deadline_passes(&s));
	assert_asked(&s, "give_back");
	assert_string_equal(attempt_result_word(s.call.view.attempt_result), "connected");
	assert_counters(&s, 1, 0, 0, 1, 0, true);
	assert_results(&s, "");
	assert_true(s.call.view.is_wrap_required);
}

/* --- M15: time --- */

static void state_time_never_goes_back_when_the_clock_does(void **state)
{
	struct scene s = talking();
	int64_t talk_since = s.call.view.state_at_ms;

	(void)state;
	s.now_ms -= 7200000;
	happens(&s, EV_RELEASE);
	assert_int_equal(s.call.view.state_at_ms, talk_since);
	assert_int_equal(s.call.view.wrap_until_ms, s.now_ms + 30000);
	happens(&s, EV_END_WRAP);
	assert_int_equal(s.call.view.state_at_ms, talk_since);
}

static void a_pause_over_a_jump_of_the_clock_never_leaves_more_than_there_was(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_RELEASE);
	s.now_ms -= 7200000; /* back: two hours more seem to be left */
	happens(&s, EV_PAUSE_TIMER);
	happens(&s, EV_RESUME_TIMER);
	assert_int_equal(timer_left_ms(&s), 30000);
	s.now_ms += 7200000; /* forth: nothing is left */
	happens(&s, EV_PAUSE_TIMER);
	happens(&s, EV_RESUME_TIMER);
	assert_int_equal(timer_left_ms(&s), 0);
}

static void who_and_why_and_which_command_are_told(void **state)
{
	struct scene s = begun();
	struct call_event event = event_now(&s, EV_DIAL);

	(void)state;
	event.command_id = "dial-1";
	event.actor = ACTOR_API;
	happens_event(&s, &event);
	assert_string_equal(s.call.view.command_id, "dial-1");
	assert_string_equal(actor_word(s.call.view.actor), "api");
	assert_string_equal(s.call.view.reason, "dialed");
	happens(&s, EV_UP);
	assert_string_equal(s.call.view.command_id, "");
	assert_string_equal(actor_word(s.call.view.actor), "switch");
	event = event_now(&s, EV_FAR_ENDED);
	event.cause = 41;
	event.reason = "lost";
	event.ended_by = ENDED_BY_SWITCH;
	happens_event(&s, &event);
	assert_string_equal(s.call.view.reason, "lost");
	assert_int_equal(s.call.view.cause, 41);
	assert_string_equal(ended_by_word(s.call.view.ended_by), "switch");
}

static void who_ended_it_stays_told_through_the_wrap(void **state)
{
	struct scene s = talking();

	(void)state;
	far_ends(&s, ATTEMPT_CANCELLED);
	happens(&s, EV_OUTCOME);
	happens(&s, EV_PAUSE_TIMER);
	happens(&s, EV_RESUME_TIMER);
	assert_string_equal(ended_by_word(s.call.view.ended_by), "customer");
	assert_int_equal(s.call.view.cause, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_refused_by_the_agent_is_deflected),
		cmocka_unit_test(an_offer_that_rings_out_is_missed),
		cmocka_unit_test(a_caller_who_leaves_is_a_missed_call),
		cmocka_unit_test(a_caller_who_leaves_the_queue_is_abandoned),
		cmocka_unit_test(a_caller_whose_agent_has_no_telephone_goes_back),
		cmocka_unit_test(a_consultation_is_a_call_of_its_own_and_owes_no_outcome),
		cmocka_unit_test(the_customer_waits_while_a_third_is_asked),
		cmocka_unit_test(a_conference_loses_its_third_and_is_a_talk_again),
		cmocka_unit_test(who_leaves_a_conference_is_idle),
		cmocka_unit_test(a_blind_transfer_is_idle_at_once_and_wraps_when_it_is_through),
		cmocka_unit_test(a_failed_transfer_comes_back_as_incoming),
		cmocka_unit_test(a_failed_transfer_nobody_takes_back_was_a_connected_call),
		cmocka_unit_test(state_time_never_goes_back_when_the_clock_does),
		cmocka_unit_test(a_pause_over_a_jump_of_the_clock_never_leaves_more_than_there_was),
		cmocka_unit_test(who_and_why_and_which_command_are_told),
		cmocka_unit_test(who_ended_it_stays_told_through_the_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
