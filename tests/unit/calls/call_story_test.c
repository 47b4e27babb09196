/* What a call tells: its rows, which of its changes are new states, what may be done with it now.
 */
#include "scene.h"

static struct call_story story_of(enum call_state from, enum call_event_kind kind)
{
	struct call_policy policy = usual_policy();
	struct scene s;
	struct call before;

	scene_lead(&s, &policy, from, false);
	before = s.call;
	happens(&s, kind);
	return call_story(&before, &s.call);
}

static void only_a_new_client_state_is_told_as_state(void **state)
{
	static const struct {
		enum call_state from;
		enum call_event_kind kind;
		bool is_new;
	} expected[] = {
		{CALL_NONE, EV_DIAL, true},
		{CALL_NONE, EV_PRESENT, true},
		{CALL_NONE, EV_ENQUEUE, true},
		{CALL_QUEUED, EV_OFFER, true},
		{CALL_INCOMING, EV_ANSWER, false},
		{CALL_ANSWERING, EV_UP, true},
		{CALL_PREVIEW, EV_PAUSE_TIMER, false},
		{CALL_PREVIEW, EV_DIAL, true},
		{CALL_RINGING, EV_FAR_RINGING, false},
		{CALL_RINGING, EV_UP, true},
		{CALL_TALK, EV_HOLD, false},
		{CALL_TALK, EV_MUTE, false},
		{CALL_TALK, EV_OUTCOME, false},
		{CALL_TALK, EV_CONFERENCE, false},
		{CALL_TALK, EV_TRANSFER, true},
		{CALL_TRANSFERRING, EV_TRANSFERRED, false},
		{CALL_TALK, EV_RELEASE, true},
		{CALL_TRANSFERRING, EV_TRANSFER_FAILED, true},
		{CALL_WRAP, EV_PAUSE_TIMER, false},
		{CALL_WRAP, EV_WRAP_TIME, false},
		{CALL_WRAP, EV_END_WRAP, true},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
		assert_int_equal(story_of(expected[i].from, expected[i].kind).is_new_client_state,
				 expected[i].is_new);
}

static void nothing_happened_is_no_story(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;
	struct call_story story;

	(void)state;
	scene_lead(&s, &policy, CALL_TALK, false);
	story = call_story(&s.call, &s.call);
	assert_false(story.is_changed);
	assert_false(story.is_new_client_state);
	assert_null(story.closed_event);
	assert_null(story.instant_event);
	assert_null(story.opened_event);
	assert_false(story.is_result_given);
}

/* A caller who leaves before an answer was not dialed: no "no answer" of his. */
static void only_a_dialed_attempt_has_a_dialing_result_row(void **state)
{
	static const enum call_state from[] = {CALL_QUEUED, CALL_INCOMING, CALL_ANSWERING,
					       CALL_TALK};
	struct call_policy policy = usual_policy();

	(void)state;
	for (unsigned i = 0; i < sizeof from / sizeof from[0]; i++)
		for (int r = ATTEMPT_NO_ANSWER; r <= ATTEMPT_ERROR; r++) {
			struct scene s;

			scene_lead(&s, &policy, from[i], false);
			s.rows[0] = 0;
			strcpy(s.rows, call_event_name(from[i]));
			far_ends(&s, (enum attempt_result)r);
			assert_null(strstr(s.rows, "answer,"));
			assert_null(strstr(s.rows, "busy"));
			assert_null(strstr(s.rows, "error"));
		}
}

static void a_switch_that_gives_no_reason_made_an_error(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	scene_lead(&s, &policy, CALL_RINGING, false);
	far_ends(&s, ATTEMPT_NONE);
	assert_string_equal(attempt_result_word(s.call.view.attempt_result), "error");
}

static void event_names_are_the_products(void **state)
{
	static const char *const names[CALL_STATE_COUNT] = {
		NULL,	"queue", "preview", "preview", "incoming", "incoming",
		"ring", "talk",	 "hold",    "talk",    "hold",	   "conference",
		"idle", "idle",	 "idle",    "idle",    NULL};

	(void)state;
	for (int i = 0; i < CALL_STATE_COUNT; i++)
		if (names[i])
			assert_string_equal(call_event_name((enum call_state)i), names[i]);
		else
			assert_null(call_event_name((enum call_state)i));
}

static void an_offer_has_its_agent_and_tab(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;
	struct call_event event;

	(void)state;
	scene_lead(&s, &policy, CALL_QUEUED, false);
	event = event_now(&s, EV_OFFER);
	event.agent_id = (struct uuid){{1, 2, 3}};
	event.tab = 5;
	happens_event(&s, &event);
	assert_true(uuid_equal(&s.call.view.agent_id, &event.agent_id));
	assert_int_equal(s.call.view.tab, 5);
	assert_int_equal(s.call.view.started_at_ms, START_MS + 1000);
}

static void changes_of_the_recording_are_rows_without_length(void **state)
{
	static const struct {
		enum call_event_kind kind;
		const char *row;
		enum recording after;
	} changes[] = {
		{EV_RECORD_START, "recording on", RECORDING_ON},
		{EV_RECORD_PAUSE, "recording paused", RECORDING_PAUSED},
		{EV_RECORD_RESUME, "recording resumed", RECORDING_ON},
		{EV_RECORD_STOP, "recording off", RECORDING_OFF},
		{EV_RECORD_START, "recording on", RECORDING_ON},
		{EV_RECORD_OVER, "recording off", RECORDING_OFF},
	};
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	scene_lead(&s, &policy, CALL_TALK, false);
	for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct call before = s.call;
		struct call_event event = event_now(&s, changes[i].kind);
		struct call_story story;

		assert_int_equal(call_step(&before, &event, &s.call, &s.todo, &s.err), ST_OK);
		story = call_story(&before, &s.call);
		assert_string_equal(story.instant_event, changes[i].row);
		assert_null(story.closed_event);
		assert_null(story.opened_event);
		assert_int_equal(s.call.view.recording, changes[i].after);
	}
}

static void an_idle_call_has_no_partner_and_no_recording(void **state)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	(void)state;
	scene_lead(&s, &policy, CALL_TALK, false);
	s.call.view.partner_tab = 2;
	s.call.view.recording = RECORDING_PAUSED;
	happens(&s, EV_RELEASE);
	assert_int_equal(s.call.view.partner_tab, 0);
	assert_int_equal(s.call.view.recording, RECORDING_OFF);
}

/* --- abilities --- */

static unsigned can_in(enum call_state in, struct call_neighbours others)
{
	struct call_policy policy = usual_policy();
	struct scene s;

	scene_lead(&s, &policy, in, false);
	return call_can(&s.call, &others);
}

#define alone                                                                                      \
	(struct call_neighbours)                                                                   \
	{                                                                                          \
		.has_place = true                                                                  \
	}

static void abilities_of_an_agent_with_one_call(void **state)
{
	static const struct {
		enum call_state in;
		unsigned can;
	} expected[] = {
		{CALL_NONE, CAN_DIAL},
		{CALL_PREVIEW, CAN_DIAL | CAN_RELEASE | CAN_REJECT | CAN_SKIP | CAN_PAUSE},
		{CALL_PREVIEW_PAUSED, CAN_DIAL | CAN_RELEASE | CAN_REJECT | CAN_SKIP | CAN_UNPAUSE},
		{CALL_INCOMING, CAN_ANSWER | CAN_RELEASE | CAN_REJECT},
		{CALL_ANSWERING, CAN_RELEASE},
		{CALL_RINGING, CAN_RELEASE},
		{CALL_TALK, CAN_RECORD_START | CAN_RELEASE | CAN_HOLD | CAN_TRANSFER_BLIND |
				    CAN_TRANSFER_CONSULT | CAN_DTMF | CAN_PLAY | CAN_MUTE |
				    CAN_OUTCOME | CAN_CALLBACK},
		{CALL_HELD, CAN_RECORD_START | CAN_RELEASE | CAN_RESUME | CAN_TRANSFER_BLIND |
				    CAN_TRANSFER_CONSULT | CAN_OUTCOME | CAN_CALLBACK},
		{CALL_CONSULT, CAN_RECORD_START | CAN_RELEASE | CAN_HOLD | CAN_CANCEL_CONSULT |
				       CAN_DTMF | CAN_PLAY | CAN_MUTE},
		{CALL_CONSULT_HELD,
		 CAN_RECORD_START | CAN_RELEASE | CAN_RESUME | CAN_CANCEL_CONSULT},
		{CALL_CONFERENCE, CAN_RECORD_START | CAN_RELEASE | CAN_DTMF | CAN_PLAY | CAN_MUTE |
					  CAN_LEAVE | CAN_OUTCOME | CAN_CALLBACK},
		{CALL_TRANSFERRING, CAN_RELEASE | CAN_OUTCOME | CAN_CALLBACK},
		{CALL_WRAP, CAN_DIAL | CAN_PAUSE | CAN_OUTCOME | CAN_CALLBACK | CAN_END_WRAP},
		{CALL_WRAP_PAUSED,
		 CAN_DIAL | CAN_UNPAUSE | CAN_OUTCOME | CAN_CALLBACK | CAN_END_WRAP},
		{CALL_PAUSE, CAN_DIAL | CAN_OUTCOME | CAN_CALLBACK | CAN_END_WRAP},
		{CALL_END, CAN_DIAL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
		assert_int_equal(can_in(expected[i].in, alone), expected[i].can);
}

static void a_held_call_elsewhere_makes_transfer_and_conference_possible(void **state)
{
	struct call_neighbours others = {.has_held = true, .has_place = true};
	unsigned both = CAN_TRANSFER_COMPLETE | CAN_CONFERENCE;

	(void)state;
	assert_int_equal(can_in(CALL_TALK, others), can_in(CALL_TALK, alone) | both);
	assert_int_equal(can_in(CALL_CONSULT, others), can_in(CALL_CONSULT, alone) | both);
	assert_int_equal(can_in(CALL_HELD, others), can_in(CALL_HELD, alone));
	assert_int_equal(can_in(CALL_CONFERENCE, others), can_in(CALL_CONFERENCE, alone));
}

static void an_active_call_elsewhere_forbids_a_second_dial_or_answer(void **state)
{
	struct call_neighbours others = {.has_active = true, .has_place = true};

	(void)state;
	assert_int_equal(can_in(CALL_NONE, others), 0);
	assert_int_equal(can_in(CALL_WRAP, others), can_in(CALL_WRAP, alone) & ~(unsigned)CAN_DIAL);
	assert_int_equal(can_in(CALL_INCOMING, others), CAN_RELEASE | CAN_REJECT);
	assert_int_equal(can_in(CALL_HELD, others), can_in(CALL_HELD, alone));
}

static void a_call_that_cannot_be_held_forbids_to_resume_another(void **state)
{
	struct call_neighbours others = {.has_active = true, .has_fixed = true, .has_place = true};

	(void)state;
	assert_int_equal(can_in(CALL_HELD, others),
			 can_in(CALL_HELD, alone) & ~(unsigned)(CAN_RESUME | CAN_TRANSFER_CONSULT));
	assert_int_equal(can_in(CALL_CONSULT_HELD, others),
			 CAN_RELEASE | CAN_CANCEL_CONSULT | CAN_RECORD_START);
}

static void without_a_free_tab_there_is_no_consultation(void **state)
{
	(void)state;
	assert_int_equal(can_in(CALL_TALK, (struct call_neighbours){0}),
			 can_in(CALL_TALK, alone) & ~(unsigned)CAN_TRANSFER_CONSULT);
}

static void the_customers_tab_can_cancel_the_consultation_about_him(void **state)
{
	struct call_neighbours others = {.has_consult = true, .has_place = true};

	(void)state;
	assert_int_equal(can_in(CALL_HELD, others), can_in(CALL_HELD, alone) | CAN_CANCEL_CONSULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_new_client_state_is_told_as_state),
		cmocka_unit_test(nothing_happened_is_no_story),
		cmocka_unit_test(only_a_dialed_attempt_has_a_dialing_result_row),
		cmocka_unit_test(a_switch_that_gives_no_reason_made_an_error),
		cmocka_unit_test(event_names_are_the_products),
		cmocka_unit_test(an_offer_has_its_agent_and_tab),
		cmocka_unit_test(changes_of_the_recording_are_rows_without_length),
		cmocka_unit_test(an_idle_call_has_no_partner_and_no_recording),
		cmocka_unit_test(abilities_of_an_agent_with_one_call),
		cmocka_unit_test(a_held_call_elsewhere_makes_transfer_and_conference_possible),
		cmocka_unit_test(an_active_call_elsewhere_forbids_a_second_dial_or_answer),
		cmocka_unit_test(a_call_that_cannot_be_held_forbids_to_resume_another),
		cmocka_unit_test(without_a_free_tab_there_is_no_consultation),
		cmocka_unit_test(the_customers_tab_can_cancel_the_consultation_about_him),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
