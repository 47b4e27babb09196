#include "scene.h"

/* Words are a promise to scripts and reports: written here once more, by hand. */

static void every_inner_state_has_its_words(void **state)
{
	static const struct {
		enum call_state state;
		const char *inner, *client, *board;
	} expected[] = {
		{CALL_NONE, "none", "end", "Idle"},
		{CALL_QUEUED, "queued", "", "Offering"},
		{CALL_PREVIEW, "preview", "preview", "Preview"},
		{CALL_PREVIEW_PAUSED, "preview_paused", "preview", "Pause"},
		{CALL_INCOMING, "incoming", "incoming", "Incoming"},
		{CALL_ANSWERING, "answering", "incoming", "Start"},
		{CALL_RINGING, "ringing", "ringing", "Ring"},
		{CALL_TALK, "talk", "talk", "Talk"},
		{CALL_HELD, "held", "talk", "Hold"},
		{CALL_CONSULT, "consult", "talk", "Talk"},
		{CALL_CONSULT_HELD, "consult_held", "talk", "Hold"},
		{CALL_CONFERENCE, "conference", "talk", "Talk"},
		{CALL_TRANSFERRING, "transferring", "idle", "Wrap"},
		{CALL_WRAP, "wrap", "idle", "Wrap"},
		{CALL_WRAP_PAUSED, "wrap_paused", "idle", "Pause"},
		{CALL_PAUSE, "pause", "idle", "Pause"},
		{CALL_END, "end", "end", "End"},
	};

	(void)state;
	assert_int_equal(sizeof expected / sizeof expected[0], CALL_STATE_COUNT);
	for (unsigned i = 0; i < CALL_STATE_COUNT; i++) {
		assert_int_equal(expected[i].state, i);
		assert_string_equal(call_state_word((enum call_state)i), expected[i].inner);
		assert_string_equal(call_client_word((enum call_state)i), expected[i].client);
		assert_string_equal(call_board_word((enum call_state)i), expected[i].board);
	}
}

static void clients_see_exactly_six_states(void **state)
{
	static const char *const six[] = {"preview", "incoming", "ringing", "talk", "idle", "end"};
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < CALL_STATE_COUNT; i++) {
		bool is_one = i == CALL_QUEUED; /* on no tab: no client sees it */

		for (unsigned w = 0; w < 6; w++)
			if (!strcmp(call_client_word((enum call_state)i), six[w])) {
				is_one = true;
				seen |= 1u << w;
			}
		assert_true(is_one);
	}
	assert_int_equal(seen, 0x3f);
}

static void board_words_are_the_products(void **state)
{
	static const char *const known[] = {"Idle",    "Incoming", "Start", "Offering",
					    "Preview", "Ring",	   "Talk",  "Hold",
					    "Pause",   "Wrap",	   "End",   "Stop"};

	(void)state;
	for (unsigned i = 0; i < CALL_STATE_COUNT; i++) {
		bool is_known = false;

		for (unsigned w = 0; w < sizeof known / sizeof known[0]; w++)
			is_known |= !strcmp(call_board_word((enum call_state)i), known[w]);
		assert_true(is_known);
	}
}

static void a_state_is_active_or_held_or_neither(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CALL_STATE_COUNT; i++) {
		enum call_state s = (enum call_state)i;
		bool is_talk = !strcmp(call_client_word(s), "talk");

		assert_false(call_state_is_active(s) && call_state_is_held(s));
		assert_int_equal(call_state_is_active(s) || call_state_is_held(s), is_talk);
		if (is_talk)
			assert_true(call_state_is_live(s));
		if (is_talk)
			assert_false(call_state_is_over(s));
	}
	assert_true(call_state_is_active(CALL_TALK));
	assert_true(call_state_is_active(CALL_CONSULT));
	assert_true(call_state_is_active(CALL_CONFERENCE));
	assert_true(call_state_is_held(CALL_HELD));
	assert_true(call_state_is_held(CALL_CONSULT_HELD));
}

static void over_is_what_clients_see_as_idle_or_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CALL_STATE_COUNT; i++) {
		const char *word = call_client_word((enum call_state)i);

		assert_int_equal(call_state_is_over((enum call_state)i),
				 !strcmp(word, "idle") || !strcmp(word, "end"));
	}
}

static void live_is_what_may_be_up_at_the_switch(void **state)
{
	static const enum call_state live[] = {
		CALL_QUEUED, CALL_INCOMING, CALL_ANSWERING,    CALL_RINGING,	CALL_TALK,
		CALL_HELD,   CALL_CONSULT,  CALL_CONSULT_HELD, CALL_CONFERENCE, CALL_TRANSFERRING,
	};
	unsigned expected = 0, found = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof live / sizeof live[0]; i++)
		expected |= 1u << live[i];
	for (unsigned i = 0; i < CALL_STATE_COUNT; i++)
		found |= (unsigned)call_state_is_live((enum call_state)i) << i;
	assert_int_equal(found, expected);
}

static void directions_are_the_five_words_and_read_back(void **state)
{
	static const char *const words[] = {"inbound", "outbound", "clicktocall", "transfer",
					    "ccOutbound"};
	enum call_direction direction = DIR_COUNT;

	(void)state;
	assert_int_equal(sizeof words / sizeof words[0], DIR_COUNT);
	for (int i = 0; i < DIR_COUNT; i++) {
		assert_string_equal(direction_word((enum call_direction)i), words[i]);
		assert_true(direction_parse(words[i], &direction));
		assert_int_equal(direction, i);
	}
}

static void an_unknown_direction_leaves_the_answer_alone(void **state)
{
	static const char *const wrong[] = {"", "Inbound", "ccoutbound", "outbound ", "out"};
	enum call_direction direction = DIR_TRANSFER;

	(void)state;
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(direction_parse(wrong[i], &direction));
	assert_int_equal(direction, DIR_TRANSFER);
}

static void agent_states_have_words_and_colours_and_read_back(void **state)
{
	static const struct {
		enum agent_state state;
		const char *word, *colour;
	} expected[] = {
		{AGENT_LOGGED_OUT, "LoggedOut", "dark gray"},
		{AGENT_LOGGED_IN, "LoggedIn", "light gray"},
		{AGENT_READY, "Ready", "green"},
		{AGENT_AWAY, "Away", "yellow"},
		{AGENT_NOT_READY, "NotReady", "red"},
	};
	enum agent_state parsed = AGENT_STATE_COUNT;

	(void)state;
	assert_int_equal(sizeof expected / sizeof expected[0], AGENT_STATE_COUNT);
	for (int i = 0; i < AGENT_STATE_COUNT; i++) {
		assert_int_equal(expected[i].state, i);
		assert_string_equal(agent_state_word((enum agent_state)i), expected[i].word);
		assert_string_equal(agent_state_colour((enum agent_state)i), expected[i].colour);
		assert_true(agent_state_parse(expected[i].word, &parsed));
		assert_int_equal(parsed, i);
	}
}

static void an_unknown_agent_state_leaves_the_answer_alone(void **state)
{
	static const char *const wrong[] = {"", "ready", "Not Ready", "READY", "Ready1"};
	enum agent_state parsed = AGENT_AWAY;

	(void)state;
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(agent_state_parse(wrong[i], &parsed));
	assert_int_equal(parsed, AGENT_AWAY);
}

static void actors_have_their_words(void **state)
{
	static const char *const words[] = {"agent",  "supervisor", "timer", "dialer",
					    "switch", "reconciler", "api"};

	(void)state;
	assert_int_equal(sizeof words / sizeof words[0], ACTOR_COUNT);
	for (int i = 0; i < ACTOR_COUNT; i++)
		assert_string_equal(actor_word((enum actor)i), words[i]);
}

static void dialer_call_status_is_open_retry_or_closed(void **state)
{
	(void)state;
	assert_int_equal(DIALER_STATUS_COUNT, 3);
	assert_string_equal(dialer_status_word(DIALER_OPEN), "open");
	assert_string_equal(dialer_status_word(DIALER_RETRY), "retry");
	assert_string_equal(dialer_status_word(DIALER_CLOSED), "closed");
}

static void attempt_results_have_words_and_system_outcomes(void **state)
{
	static const struct {
		enum attempt_result result;
		const char *word, *outcome;
	} expected[] = {
		{ATTEMPT_NONE, "none", ""},
		{ATTEMPT_CONNECTED, "connected", ""},
		{ATTEMPT_NO_ANSWER, "noanswer", "noanswer"},
		{ATTEMPT_BUSY, "busy", "Busy"},
		{ATTEMPT_ERROR, "error", "EoD"},
		{ATTEMPT_CANCELLED, "cancelled", ""},
		{ATTEMPT_REJECTED, "rejected", "Reject"},
		{ATTEMPT_DEFLECTED, "deflected", "Deflect"},
		{ATTEMPT_MISSED, "missed", "MissedCall"},
	};

	(void)state;
	assert_int_equal(sizeof expected / sizeof expected[0], ATTEMPT_RESULT_COUNT);
	for (int i = 0; i < ATTEMPT_RESULT_COUNT; i++) {
		assert_int_equal(expected[i].result, i);
		assert_string_equal(attempt_result_word((enum attempt_result)i), expected[i].word);
		assert_string_equal(attempt_system_outcome((enum attempt_result)i),
				    expected[i].outcome);
	}
}

static void who_ended_a_call_has_a_word(void **state)
{
	static const char *const words[] = {"", "agent", "customer", "system", "switch"};

	(void)state;
	assert_int_equal(sizeof words / sizeof words[0], ENDED_BY_COUNT);
	for (int i = 0; i < ENDED_BY_COUNT; i++)
		assert_string_equal(ended_by_word((enum ended_by)i), words[i]);
}

static void abilities_are_called_as_the_methods_are(void **state)
{
	static const char *const words[] = {
		"dial",
		"answer",
		"release",
		"hold",
		"resume",
		"transferBlind",
		"transferConsult",
		"transferComplete",
		"conference",
		"cancelConsult",
		"sendDTMF",
		"playWaveFile",
		"mute",
		"reject",
		"skip",
		"pauseTimer",
		"resumeTimer",
		"setOutcome",
		"endWrap",
		"leave",
		"scheduleCallback",
		"startRecording",
		"stopRecording",
		"pauseRecording",
		"resumeRecording",
	};

	(void)state;
	assert_int_equal(sizeof words / sizeof words[0], CAN_COUNT);
	for (unsigned i = 0; i < CAN_COUNT; i++)
		assert_string_equal(can_word(1u << i), words[i]);
	assert_string_equal(can_word(0), "");
	assert_string_equal(can_word(CAN_DIAL | CAN_ANSWER), "");
	assert_string_equal(can_word(1u << CAN_COUNT), "");
}

static void events_and_effects_have_unique_words(void **state)
{
	(void)state;
	for (int i = 0; i < EV_COUNT; i++) {
		assert_true(call_event_word((enum call_event_kind)i)[0]);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(call_event_word((enum call_event_kind)i),
						call_event_word((enum call_event_kind)j));
	}
	for (int i = 0; i < FX_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(call_effect_word((enum call_effect)i),
						call_effect_word((enum call_effect)j));
	assert_string_equal(call_effect_word(FX_NONE), "");
	assert_string_equal(call_event_word(EV_PRESENT), "present");
	assert_string_equal(call_event_word(EV_END_WRAP), "end_wrap");
	assert_string_equal(call_event_word(EV_WRAP_TIME), "wrap_time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_inner_state_has_its_words),
		cmocka_unit_test(clients_see_exactly_six_states),
		cmocka_unit_test(board_words_are_the_products),
		cmocka_unit_test(a_state_is_active_or_held_or_neither),
		cmocka_unit_test(over_is_what_clients_see_as_idle_or_end),
		cmocka_unit_test(live_is_what_may_be_up_at_the_switch),
		cmocka_unit_test(directions_are_the_five_words_and_read_back),
		cmocka_unit_test(an_unknown_direction_leaves_the_answer_alone),
		cmocka_unit_test(agent_states_have_words_and_colours_and_read_back),
		cmocka_unit_test(an_unknown_agent_state_leaves_the_answer_alone),
		cmocka_unit_test(actors_have_their_words),
		cmocka_unit_test(dialer_call_status_is_open_retry_or_closed),
		cmocka_unit_test(attempt_results_have_words_and_system_outcomes),
		cmocka_unit_test(who_ended_a_call_has_a_word),
		cmocka_unit_test(abilities_are_called_as_the_methods_are),
		cmocka_unit_test(events_and_effects_have_unique_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
