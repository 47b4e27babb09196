/* Whole calls in the words of the mission (M6, M7, M11, M16, M17, M33), told to the pure
 * machine. */
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

/* --- M6, M11: by hand --- */

static void dialed_call_rings_talks_idles_and_ends(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_DIAL);
	assert_string_equal(client_state(&s), "ringing");
	assert_asked(&s, "dial");
	later(&s, 500);
	happens(&s, EV_FAR_RINGING);
	assert_asked(&s, "");
	later(&s, 2500);
	happens(&s, EV_UP);
	assert_string_equal(client_state(&s), "talk");
	later(&s, 60000);
	happens(&s, EV_RELEASE);
	assert_string_equal(client_state(&s), "idle");
	assert_asked(&s, "clear");
	later(&s, 12000);
	happens(&s, EV_END_WRAP);
	assert_string_equal(client_state(&s), "end");
	assert_rows(&s, "ring 3000, talk 60000, idle 12000, end");
}

/* An agent who picks up his own telephone late takes nothing from the customer's time. */
static void the_ring_limit_begins_when_the_customer_is_called(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_DIAL);
	later(&s, 12000);
	happens(&s, EV_FAR_DIALING);
	assert_int_equal(timer_left_ms(&s), 22000);
	later(&s, 1000);
	happens(&s, EV_FAR_RINGING);
	assert_int_equal(timer_left_ms(&s), 21000);
	assert_true(deadline_passes(&s));
	assert_rows(&s, "ring 34000, no answer, idle");
}

static void answered_call_talks(void **state)
{
	struct scene s = begun();

	(void)state;
	s.call.view.direction = DIR_INBOUND;
	happens(&s, EV_ENQUEUE);
	assert_int_equal(timer_left_ms(&s), -1); /* a caller waits as long as he likes */
	later(&s, 7000);
	happens(&s, EV_OFFER);
	assert_string_equal(client_state(&s), "incoming");
	assert_int_equal(s.call.view.tab, 3);
	assert_int_equal(timer_left_ms(&s), 20000);
	later(&s, 2000);
	happens(&s, EV_ANSWER);
	assert_asked(&s, "answer");
	assert_string_equal(client_state(&s), "incoming"); /* until his audio is there */
	later(&s, 1000);
	happens(&s, EV_UP);
	assert_string_equal(client_state(&s), "talk");
	assert_rows(&s, "queue 7000, incoming 3000, talk");
}

static void release_leads_to_idle_from_everything_that_lives(void **state)
{
	static const enum call_state from[] = {
		CALL_PREVIEW,	   CALL_PREVIEW_PAUSED, CALL_INCOMING, CALL_ANSWERING,
		CALL_RINGING,	   CALL_TALK,		CALL_HELD,     CALL_CONSULT,
		CALL_CONSULT_HELD, CALL_CONFERENCE,
	};
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned i = 0; i < sizeof from / sizeof from[0]; i++) {
		struct scene s;

		scene_lead(&s, &policy, from[i], false);
		happens(&s, EV_RELEASE);
		assert_string_equal(client_state(&s), "idle");
		assert_string_equal(ended_by_word(s.call.view.ended_by), "agent");
	}
}

static void release_is_refused_where_nothing_is_to_release(void **state)
{
	static const enum call_state from[] = {CALL_NONE,	 CALL_QUEUED, CALL_WRAP,
					       CALL_WRAP_PAUSED, CALL_PAUSE,  CALL_END};
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned i = 0; i < sizeof from / sizeof from[0]; i++) {
		struct scene s;

		scene_lead(&s, &policy, from[i], false);
		is_refused(&s, EV_RELEASE, "call.nothing_to_release");
	}
}

static void hold_and_resume_stay_in_talk(void **state)
{
	struct scene s = talking();
	int64_t talk_since = s.call.view.state_at_ms;

	(void)state;
	later(&s, 5000);
	happens(&s, EV_HOLD);
	assert_asked(&s, "hold");
	assert_string_equal(client_state(&s), "talk");
	assert_true(call_state_is_held(s.call.view.state));
	assert_int_equal(s.call.view.state_at_ms, talk_since);
	later(&s, 4000);
	happens(&s, EV_RESUME);
	assert_asked(&s, "resume");
	assert_int_equal(s.call.view.state_at_ms, talk_since);
	later(&s, 1000);
	happens(&s, EV_RELEASE);
	assert_rows(&s, "ring 1000, talk 5000, hold 4000, talk 1000, idle");
}

/* Mute belongs to the call: the switch keeps it while the call is held, so we do too. */
static void a_muted_call_is_still_muted_after_hold(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_MUTE);
	assert_asked(&s, "mute");
	happens(&s, EV_HOLD);
	happens(&s, EV_RESUME);
	assert_true(s.call.view.is_muted);
	happens(&s, EV_RELEASE);
	assert_false(s.call.view.is_muted);
}

static void an_agent_whose_telephone_is_gone_cannot_resume(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_HOLD);
	happens(&s, EV_RESUME);
	happens(&s, EV_NO_AUDIO);
	assert_state(&s, CALL_HELD);
	assert_string_equal(s.call.view.reason, "no_agent_audio");
	assert_asked(&s, "");
}

/* --- M16: preview --- */

static void preview_dials_when_its_time_is_over(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_PRESENT);
	assert_string_equal(client_state(&s), "preview");
	assert_int_equal(timer_left_ms(&s), 15000);
	assert_true(deadline_passes(&s));
	assert_string_equal(client_state(&s), "ringing");
	assert_asked(&s, "dial");
	assert_string_equal(actor_word(s.call.view.actor), "timer");
	assert_rows(&s, "preview 15000, ring");
}

static void dial_before_the_preview_is_over_stops_its_timer(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_PRESENT);
	later(&s, 4000);
	happens(&s, EV_DIAL);
	assert_string_equal(client_state(&s), "ringing");
	assert_int_equal(s.call.view.preview_until_ms, 0);
	is_ignored(&s, EV_PREVIEW_TIME);
	assert_int_equal(timer_left_ms(&s), 22000); /* the ring limit's */
}

static void a_paused_preview_waits_and_goes_on_with_what_was_left(void **state)
{
	struct scene s = begun();

	(void)state;
	happens(&s, EV_PRESENT);
	later(&s, 6000);
	happens(&s, EV_PAUSE_TIMER);
	assert_true(s.call.view.is_paused);
	assert_string_equal(client_state(&s), "preview");
	assert_int_equal(timer_left_ms(&s), -1);
	later(&s, 3600000);
	happens(&s, EV_RESUME_TIMER);
	assert_false(s.call.view.is_paused);
	assert_int_equal(timer_left_ms(&s), 9000);
	assert_int_equal(s.call.view.state_at_ms, START_MS);
}

static void a_skipped_record_goes_back_to_its_queue(void **state)
{
	static const enum call_event_kind ways[] = {EV_SKIP, EV_REJECT, EV_RELEASE, EV_NOT_READY};

	(void)state;
	for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct scene s = begun();

		happens(&s, EV_PRESENT);
		happens(&s, ways[i]);
		assert_asked(&s, ""); /* nothing of it is at the switch */
		assert_string_equal(attempt_result_word(s.call.view.attempt_result), "rejected");
		assert_results(&s, "Reject*");
		assert_true(deadline_passes(&s));
		assert_string_equal(client_state(&s), "end");
		assert_string_equal(dialer_status_word(s.call.view.dialer_status), "open");
		assert_counters(&s, 0, 0, 0, 0, 0, false);
	}
}

/* --- M17: wrap --- */

static void idle_starts_the_wrap_timer_and_its_end_is_the_end(void **state)
{
	struct scene s = talking();

	(void)state;
	far_ends(&s, ATTEMPT_CANCELLED);
	assert_string_equal(client_state(&s), "idle");
	assert_int_equal(s.call.view.wrap_until_ms, s.now_ms + 30000);
	later(&s, 1000);
	chooses(&s, &(struct call_outcome){.name = "Sold", .is_configured = true});
	assert_int_equal(timer_left_ms(&s), 29000);
	assert_true(deadline_passes(&s));
	assert_string_equal(client_state(&s), "end");
	assert_int_equal(timer_left_ms(&s), -1);
}

static void every_way_into_idle_arms_exactly_one_wrap_timer(void **state)
{
	struct call_policy policy = usual_policy();
	unsigned ways = 0;

	(void)state;
	for (unsigned i = 0; i < call_rule_count; i++) {
		const struct call_rule *rule = &call_rules[i];
		struct scene s;

		if (rule->to != CALL_WRAP || !call_state_is_live(rule->from))
			continue;
		scene_lead(&s, &policy, rule->from, false);
		s.call.is_consult = rule->guard == GUARD_CONSULT;
		assert_int_equal(s.call.view.wrap_until_ms, 0);
		later(&s, 700);
		happens(&s, rule->event);
		assert_state(&s, CALL_WRAP);
		assert_int_equal(s.call.view.wrap_until_ms, s.now_ms + 30000);
		ways++;
	}
	assert_int_equal(ways, 34);
}

static void without_a_wrap_time_idle_waits_for_the_agent(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	policy.wrap_ms = 0;
	scene_lead(&s, &policy, CALL_WRAP, false);
	assert_int_equal(timer_left_ms(&s), -1);
	assert_int_equal(s.call.view.wrap_until_ms, 0);
	is_refused(&s, EV_PAUSE_TIMER, "call.no_timer");
	happens(&s, EV_END_WRAP);
	assert_state(&s, CALL_END);
}

static void the_agent_moves_on_before_the_wrap_is_over(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_RELEASE);
	later(&s, 10);
	happens(&s, EV_END_WRAP);
	assert_state(&s, CALL_END);
	assert_string_equal(s.call.view.reason, "moved_on");
	is_ignored(&s, EV_WRAP_TIME);
}

static void a_paused_wrap_goes_on_with_what_was_left(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_RELEASE);
	later(&s, 21000);
	happens(&s, EV_PAUSE_TIMER);
	assert_true(s.call.view.is_paused);
	later(&s, 500000);
	happens(&s, EV_RESUME_TIMER);
	assert_int_equal(timer_left_ms(&s), 9000);
	happens(&s, EV_PAUSE_TIMER);
	later(&s, 1);
	happens(&s, EV_RESUME_TIMER);
	assert_int_equal(timer_left_ms(&s), 9000);
}

static void a_wrap_paused_in_its_last_moment_does_not_begin_anew(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_RELEASE);
	later(&s, 30000);
	happens(&s, EV_PAUSE_TIMER);
	later(&s, 60000);
	happens(&s, EV_RESUME_TIMER);
	assert_int_equal(timer_left_ms(&s), 0);
}

/* --- M33: the Pause rule --- */

static void wrap_without_an_outcome_ends_in_pause(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_RELEASE);
	assert_true(s.call.view.is_wrap_required);
	assert_true(deadline_passes(&s));
	assert_state(&s, CALL_PAUSE);
	assert_string_equal(client_state(&s), "idle");
	assert_string_equal(call_board_word(s.call.view.state), "Pause");
	assert_true(s.call.view.is_paused);
	assert_string_equal(s.call.view.reason, "outcome_due");
	assert_int_equal(timer_left_ms(&s), -1);
	assert_results(&s, "");
	chooses(&s, &(struct call_outcome){.name = "Sold", .is_configured = true});
	assert_state(&s, CALL_END);
	assert_results(&s, "Sold");
}

static void who_forces_the_end_leaves_the_outcome_none(void **state)
{
	struct scene s = talking();

	(void)state;
	happens(&s, EV_RELEASE);
	assert_true(deadline_passes(&s));
	happens(&s, EV_END_WRAP);
	assert_state(&s, CALL_END);
	assert_results(&s, "None*");
	assert_string_equal(s.call.view.outcome, "None");
}

static void a_default_outcome_is_applied_when_nobody_chose(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	policy.default_outcome = outcome("Contacted", true);
	policy.default_outcome.is_automatic = true;
	scene_lead(&s, &policy, CALL_WRAP, false);
	assert_false(s.call.view.is_wrap_required);
	assert_results(&s, "");
	assert_true(deadline_passes(&s));
	assert_state(&s, CALL_END);
	assert_results(&s, "Contacted*");
	assert_counters(&s, 1, 0, 0, 1, 0, true);
}

static void a_chosen_outcome_beats_the_default(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	policy.default_outcome = outcome("Contacted", true);
	scene_lead(&s, &policy, CALL_WRAP, false);
	happens(&s, EV_OUTCOME);
	assert_true(deadline_passes(&s));
	assert_results(&s, "Sold");
}

static void without_configured_outcomes_none_is_due(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	policy.has_outcomes = false;
	scene_lead(&s, &policy, CALL_WRAP, false);
	assert_false(s.call.view.is_wrap_required);
	assert_true(deadline_passes(&s));
	assert_state(&s, CALL_END);
	assert_results(&s, "None*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialed_call_rings_talks_idles_and_ends),
		cmocka_unit_test(the_ring_limit_begins_when_the_customer_is_called),
		cmocka_unit_test(answered_call_talks),
		cmocka_unit_test(release_leads_to_idle_from_everything_that_lives),
		cmocka_unit_test(release_is_refused_where_nothing_is_to_release),
		cmocka_unit_test(hold_and_resume_stay_in_talk),
		cmocka_unit_test(a_muted_call_is_still_muted_after_hold),
		cmocka_unit_test(an_agent_whose_telephone_is_gone_cannot_resume),
		cmocka_unit_test(preview_dials_when_its_time_is_over),
		cmocka_unit_test(dial_before_the_preview_is_over_stops_its_timer),
		cmocka_unit_test(a_paused_preview_waits_and_goes_on_with_what_was_left),
		cmocka_unit_test(a_skipped_record_goes_back_to_its_queue),
		cmocka_unit_test(idle_starts_the_wrap_timer_and_its_end_is_the_end),
		cmocka_unit_test(every_way_into_idle_arms_exactly_one_wrap_timer),
		cmocka_unit_test(without_a_wrap_time_idle_waits_for_the_agent),
		cmocka_unit_test(the_agent_moves_on_before_the_wrap_is_over),
		cmocka_unit_test(a_paused_wrap_goes_on_with_what_was_left),
		cmocka_unit_test(a_wrap_paused_in_its_last_moment_does_not_begin_anew),
		cmocka_unit_test(wrap_without_an_outcome_ends_in_pause),
		cmocka_unit_test(who_forces_the_end_leaves_the_outcome_none),
		cmocka_unit_test(a_default_outcome_is_applied_when_nobody_chose),
		cmocka_unit_test(a_chosen_outcome_beats_the_default),
		cmocka_unit_test(without_configured_outcomes_none_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
