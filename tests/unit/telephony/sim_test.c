/* The simulated switch: its legs, one by one. */
#include "stage.h"

struct ending_case {
	const char *number;
	int rings_ms, early_ms, up_ms, ends_ms; /* from dialing; -1: never */
	enum tel_result result;
	int cause, sip;
};

#define NEVER -1

/* clang-format off */
static const struct ending_case endings[] = {
	/* number     rings  early  up     ends   result          cause sip */
	{"+1555486", NEVER, NEVER, NEVER,   100, TEL_BUSY,          17, 486},
	{"+1555404", NEVER, NEVER, NEVER,   100, TEL_INVALID,        1, 404},
	{"+1555480",   100, NEVER, NEVER,  1100, TEL_NO_ANSWER,     19, 480},
	{"+1555603", NEVER, NEVER, NEVER,   100, TEL_REJECTED,      21, 603},
	{"+1555503", NEVER, NEVER, NEVER,   100, TEL_CONGESTION,    34, 503},
	{"+1555500", NEVER, NEVER, NEVER,   100, TEL_ERROR,         38, 500},
	{"+1555408",   100, NEVER, NEVER, 30000, TEL_NO_ANSWER,     19, 480},
	{"+1555999", NEVER, NEVER, NEVER, 30000, TEL_ERROR,         19, 480},
	{"+1555183", NEVER,   100,  1100, NEVER, TEL_NORMAL,        16,   0},
	{"+1555777", NEVER, NEVER,     0, NEVER, TEL_NORMAL,        16,   0},
	{"+1555199",   100, NEVER,   500,  1500, TEL_NORMAL,        16,   0},
	{"+1555555",  1000, NEVER,  3000, NEVER, TEL_NORMAL,        16,   0},
	{"+1555242",   100, NEVER,   500, NEVER, TEL_NORMAL,        16,   0},
	{"+1555001",   100, NEVER,   500, NEVER, TEL_NORMAL,        16,   0},
	{"7",          100, NEVER,   500, NEVER, TEL_NORMAL,        16,   0},
};
/* clang-format on */

static void assert_told_at(const struct stage *stage, enum tel_fact_kind kind, const char *leg,
			   int64_t start_us, int ms)
{
	assert_int_equal(stage_told(stage, kind, leg), ms != NEVER);
	if (ms != NEVER)
		assert_int_equal(stage_fact(stage, kind, leg)->at_us - start_us, ms * 1000);
}

static void every_number_ending_behaves_as_documented(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof endings / sizeof *endings; i++) {
		const struct ending_case *c = &endings[i];
		struct stage stage;
		stage_open(&stage, NULL);
		int64_t start_us = stage.held.wall_us;
		stage_leg(&stage, "l", c->number, NULL);
		stage_run_ms(&stage, 40000);
		assert_told_at(&stage, TEL_LEG_RINGING, "l", start_us, c->rings_ms);
		assert_told_at(&stage, TEL_LEG_EARLY, "l", start_us, c->early_ms);
		assert_told_at(&stage, TEL_LEG_UP, "l", start_us, c->up_ms);
		assert_told_at(&stage, TEL_LEG_ENDED, "l", start_us, c->ends_ms);
		if (c->ends_ms == NEVER)
			assert_int_equal(tel_leg_hangup(stage.driver, 1, "l", 16), ST_OK);
		stage_settle(&stage);
		const struct tel_fact *ended = stage_fact(&stage, TEL_LEG_ENDED, "l");
		assert_int_equal(ended->result, c->result);
		assert_int_equal(ended->cause, c->cause);
		assert_int_equal(ended->sip, c->sip);
		assert_int_equal(sim_legs(stage.sim, NULL, 0), 0);
		stage_done(&stage);
	}
}

static void digits_are_pressed_after_answer(void **state)
{
	(void)state;
	struct stage stage;
	char pressed[8] = "";

	stage_open(&stage, NULL);
	stage_leg(&stage, "l", "+15550242", NULL);
	stage_run_ms(&stage, 5000);
	for (unsigned i = 0; i < stage.count; i++)
		if (stage.facts[i].kind == TEL_LEG_DIGIT)
			strcat(pressed, stage.facts[i].digits);
	assert_string_equal(pressed, "42#");
	stage_done(&stage);
}

static void who_hung_up_and_how_long_they_talked_is_told(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_leg(&stage, "ours", "+15550001", NULL);
	stage_leg(&stage, "theirs", "+15550002", NULL);
	stage_leg(&stage, "early", "+15550408", NULL);
	stage_run_ms(&stage, 500 + 2345);
	does(tel_leg_hangup(stage.driver, 1, "ours", 16));
	does(tel_leg_hangup(stage.driver, 1, "early", 16));
	sim_party_hangup(stage.sim, "theirs");
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "ours")->by, TEL_BY_US);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "ours")->talk_ms, 2345);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "theirs")->by, TEL_BY_THEM);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "early")->result, TEL_CANCELLED);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "early")->talk_ms, 0);
	stage_done(&stage);
}

static void party_answers_before_it_would_by_itself(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_leg(&stage, "l", "+15550001", NULL);
	stage_run_ms(&stage, 200);
	assert_int_equal(sim_party_answer(stage.sim, "l"), ST_OK);
	stage_run_ms(&stage, 5000);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "l"), 1);
	stage_done(&stage);
}

static void usual_times_are_configured(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, &(struct sim_config){.ring_ms = 30, .answer_ms = 50});
	int64_t start_us = stage.held.wall_us;
	stage_leg(&stage, "l", "+15550001", NULL);
	stage_run_ms(&stage, 5000);
	assert_told_at(&stage, TEL_LEG_RINGING, "l", start_us, 30);
	assert_told_at(&stage, TEL_LEG_UP, "l", start_us, 80);
	stage_done(&stage);
}

static void script_overrides_the_ending(void **state)
{
	(void)state;
	struct stage stage;
	struct sim_script script = {.number = "+1555486",
				    .end = SIM_ANSWER,
				    .ring_after_ms = 50,
				    .end_after_ms = 70,
				    .hangup_after_ms = 900,
				    .digits = "1"};
	struct sim_script broken = {.number = "sip:x", .end = SIM_ANSWER};

	stage_open(&stage, NULL);
	assert_int_equal(sim_set_script(stage.sim, &script), ST_OK);
	script.hangup_after_ms = 1000;
	assert_int_equal(sim_set_script(stage.sim, &script), ST_OK);
	assert_int_equal(sim_set_script(stage.sim, &broken), ST_INVALID);
	int64_t start_us = stage.held.wall_us;
	stage_leg(&stage, "l", "+1555486", NULL);
	stage_run_ms(&stage, 5000);
	assert_told_at(&stage, TEL_LEG_RINGING, "l", start_us, 50);
	assert_told_at(&stage, TEL_LEG_UP, "l", start_us, 120);
	assert_told_at(&stage, TEL_LEG_DIGIT, "l", start_us, 320);
	assert_told_at(&stage, TEL_LEG_ENDED, "l", start_us, 1120);
	stage_done(&stage);
}

static void station_that_is_asked_to_answers_by_itself(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	assert_int_equal(sim_set_station(stage.sim, "1001", true, true), ST_OK);
	stage_station_leg(&stage, "asked", "1001", true);
	stage_station_leg(&stage, "unasked", "1001", false);
	stage_run_ms(&stage, 101);
	assert_int_equal(stage_told(&stage, TEL_LEG_RINGING, NULL), 2);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "asked"), 1);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "unasked"), 0);
	stage_run_ms(&stage, 400);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "unasked"), 1);
	stage_done(&stage);
}

static void station_that_does_not_obey_is_answered_by_its_user(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	sim_set_station(stage.sim, "1001", true, false);
	stage_station_leg(&stage, "l", "1001", true);
	stage_run_ms(&stage, 5000);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "l"), 0);
	assert_int_equal(sim_party_answer(stage.sim, "l"), ST_OK);
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "l"), 1);
	assert_int_equal(sim_party_answer(stage.sim, "l"), ST_CONFLICT);
	sim_party_hangup(stage.sim, "l");
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "l")->by, TEL_BY_THEM);
	stage_done(&stage);
}

static void assert_station_is_invalid(struct stage *stage, const char *leg, const char *station)
{
	stage_station_leg(stage, leg, station, true);
	stage_settle(stage);
	const struct tel_fact *ended = stage_fact(stage, TEL_LEG_ENDED, leg);
	assert_int_equal(ended->result, TEL_INVALID);
	assert_int_equal(ended->cause, 20);
	assert_int_equal(ended->sip, 480);
}

static void unknown_or_unreachable_station_fails_at_once(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	assert_station_is_invalid(&stage, "unknown", "1009");
	sim_set_station(stage.sim, "1001", false, true);
	assert_station_is_invalid(&stage, "unreachable", "1001");
	assert_int_equal(sim_set_station(stage.sim, "a b", true, true), ST_INVALID);
	stage_done(&stage);
	stage_open(&stage, &(struct sim_config){.any_station = true});
	stage_station_leg(&stage, "any", "1009", true);
	stage_run_ms(&stage, 200);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "any"), 1);
	stage_done(&stage);
}

static void change_of_reachability_is_told_once(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	sim_set_station(stage.sim, "1001", true, true);
	sim_set_station(stage.sim, "1001", true, false);
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_STATION, NULL), 1);
	assert_true(stage_fact(&stage, TEL_STATION, NULL)->on);
	sim_set_station(stage.sim, "1001", false, false);
	stage_settle(&stage);
	assert_false(stage_fact(&stage, TEL_STATION, NULL)->on);
	assert_string_equal(stage_fact(&stage, TEL_STATION, NULL)->station, "1001");
	stage_done(&stage);
}

static void caller_is_offered_rung_and_answered(void **state)
{
	(void)state;
	struct stage stage;
	char leg[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	assert_int_equal(
		sim_call_in(stage.sim, "+15557777", "Ann\nSmith", "+18005550100", leg, NULL),
		ST_OK);
	assert_true(tel_is_id(leg));
	stage_settle(&stage);
	const struct tel_fact *offered = stage_fact(&stage, TEL_LEG_OFFERED, leg);
	assert_string_equal(offered->number, "+15557777");
	assert_string_equal(offered->name, "AnnSmith");
	assert_string_equal(offered->dnis, "+18005550100");
	assert_hears(stage.sim, leg, "");
	does(tel_leg_ring(stage.driver, 1, leg));
	assert_hears(stage.sim, leg, "ringback");
	does(tel_leg_answer(stage.driver, 1, leg));
	does(tel_leg_answer(stage.driver, 1, leg));
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, leg), 1);
	assert_hears(stage.sim, leg, "");
	stage_done(&stage);
}

static void caller_who_gives_up_has_abandoned(void **state)
{
	(void)state;
	struct stage stage;
	char leg[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	assert_int_equal(sim_call_in(stage.sim, "", "", "100", leg, NULL), ST_OK);
	stage_settle(&stage);
	sim_party_hangup(stage.sim, leg);
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, leg)->result, TEL_ABANDONED);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, leg)->sip, 487);
	assert_int_equal(sim_party_hangup(stage.sim, leg), ST_NOT_FOUND);
	stage_done(&stage);
}

static void refused_caller_gets_our_cause(void **state)
{
	(void)state;
	struct stage stage;
	char leg[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	assert_int_equal(sim_call_in(stage.sim, "1", "", "100", leg, NULL), ST_OK);
	does(tel_leg_hangup(stage.driver, 1, leg, 17));
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, leg)->result, TEL_CANCELLED);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, leg)->cause, 17);
	stage_done(&stage);
}

static void wrong_callers_are_refused(void **state)
{
	(void)state;
	struct stage stage;
	struct err err;
	char leg[TEL_ID_SIZE] = "untouched";

	stage_open(&stage, NULL);
	assert_int_equal(sim_call_in(stage.sim, "x", "", "100", leg, &err), ST_INVALID);
	assert_string_equal(err.target, "from");
	assert_int_equal(sim_call_in(stage.sim, "1", "", "", leg, &err), ST_INVALID);
	assert_string_equal(err.target, "dnis");
	assert_string_equal(leg, "untouched");
	stage_done(&stage);
}

static void party_presses_keys_only_when_up(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_leg(&stage, "l", "+15550001", NULL);
	assert_int_equal(sim_party_press(stage.sim, "l", "1"), ST_CONFLICT);
	assert_int_equal(sim_party_press(stage.sim, "nobody", "1"), ST_NOT_FOUND);
	stage_run_ms(&stage, 500);
	assert_int_equal(sim_party_press(stage.sim, "l", "1a"), ST_INVALID);
	assert_int_equal(sim_party_press(stage.sim, "l", "19"), ST_OK);
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_DIGIT, "l"), 2);
	assert_string_equal(stage_fact(&stage, TEL_LEG_DIGIT, "l")->digits, "9");
	stage_done(&stage);
}

static void operation_on_an_ended_leg_is_no_failure(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_mix(&stage, "m");
	stage_leg(&stage, "l", "+15550001", NULL);
	does(tel_leg_hangup(stage.driver, 1, "l", 16));
	does(tel_leg_hangup(stage.driver, 1, "l", 16));
	does(tel_mix_add(stage.driver, 1, "m", "l"));
	does(tel_mix_remove(stage.driver, 1, "m", "l"));
	does(tel_leg_mute(stage.driver, 1, "l", TEL_MUTE_BOTH, true));
	does(tel_leg_dtmf(stage.driver, 1, "l", "1", 0, 0));
	does(tel_leg_answer(stage.driver, 1, "l"));
	does(tel_leg_ring(stage.driver, 1, "l"));
	stage_run_ms(&stage, 5000);
	assert_int_equal(stage_told(&stage, TEL_OP_FAILED, NULL), 0);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, "l"), 1);
	assert_int_equal(stage.facts[stage.count - 1].kind, TEL_LEG_ENDED);
	stage_done(&stage);
}

static void impossible_operations_are_told_with_their_token(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_leg(&stage, "l", "+15550408", NULL);
	does(tel_leg_answer(stage.driver, 71, "l"));
	does(tel_mix_add(stage.driver, 72, "nowhere", "l"));
	does(tel_leg_dtmf(stage.driver, 73, "l", "1", 0, 0));
	does(tel_mix_free(stage.driver, 74, "nowhere"));
	stage_leg(&stage, "l", "+15550001", NULL);
	stage_leg(&stage, "m", "+15550001", "nowhere");
	does(tel_leg_ring(stage.driver, 75, "m"));
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_OP_FAILED, NULL), 7);
	assert_int_equal(stage.facts[0].token, 71);
	assert_string_equal(stage.facts[1].mix, "nowhere");
	assert_int_equal(stage.facts[2].token, 73);
	assert_int_equal(stage.facts[3].token, 74);
	assert_int_equal(stage.facts[6].token, 75);
	assert_int_equal(sim_legs(stage.sim, NULL, 0), 2);
	stage_done(&stage);
}

static void leg_beyond_the_limit_meets_congestion(void **state)
{
	(void)state;
	struct stage stage;
	char caller[TEL_ID_SIZE];

	stage_open(&stage, &(struct sim_config){.max_legs = 2});
	stage_leg(&stage, "a", "+15550001", NULL);
	stage_leg(&stage, "b", "+15550001", NULL);
	stage_leg(&stage, "c", "+15550001", NULL);
	assert_int_equal(sim_call_in(stage.sim, "1", "", "1", caller, NULL), ST_BUSY);
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "c")->result, TEL_CONGESTION);
	assert_int_equal(sim_legs(stage.sim, NULL, 0), 2);
	stage_mix(&stage, "m1");
	stage_mix(&stage, "m2");
	stage_mix(&stage, "m3");
	stage_settle(&stage);
	assert_string_equal(stage_fact(&stage, TEL_OP_FAILED, NULL)->mix, "m3");
	stage_done(&stage);
}

static void view_shows_what_the_called_party_sees(void **state)
{
	(void)state;
	struct stage stage;
	struct tel_dest dest = {TEL_DEST_NUMBER, "+15550001"};
	struct tel_leg_options options = {.caller_number = "+18005550100", .tag = "call-7"};
	struct sim_leg_view views[2];

	stage_open(&stage, NULL);
	assert_int_equal(tel_leg_make(stage.driver, 1, "open", &dest, &options), ST_OK);
	options.is_withheld = true;
	assert_int_equal(tel_leg_make(stage.driver, 1, "withheld", &dest, &options), ST_OK);
	stage_run_ms(&stage, 200);
	assert_int_equal(sim_legs(stage.sim, views, 2), 2);
	assert_string_equal(views[0].shown, "+18005550100");
	assert_string_equal(views[0].tag, "call-7");
	assert_string_equal(views[0].state, "ringing");
	assert_string_equal(views[1].shown, "");
	assert_int_equal(sim_legs(stage.sim, views, 1), 2);
	stage_done(&stage);
}

static void a_day_of_calls_passes_in_a_moment(void **state)
{
	(void)state;
	struct stage stage;
	char leg[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	for (unsigned i = 0; i < 24 * 60 * 2; i++) {
		snprintf(leg, sizeof leg, "l%u", i);
		stage_leg(&stage, leg, i % 2 ? "+15550199" : "+15550486", NULL);
		stage_run_ms(&stage, 30000);
	}
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, NULL), 24 * 60 * 2);
	assert_int_equal(sim_legs(stage.sim, NULL, 0), 0);
	stage_done(&stage);
}

static void a_thousand_calls_ring_at_once(void **state)
{
	(void)state;
	struct stage stage;
	char leg[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(leg, sizeof leg, "l%u", i);
		stage_leg(&stage, leg, "+15550001", NULL);
	}
	stage_run_ms(&stage, 500);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, NULL), 1000);
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_ending_behaves_as_documented),
		cmocka_unit_test(digits_are_pressed_after_answer),
		cmocka_unit_test(who_hung_up_and_how_long_they_talked_is_told),
		cmocka_unit_test(party_answers_before_it_would_by_itself),
		cmocka_unit_test(usual_times_are_configured),
		cmocka_unit_test(script_overrides_the_ending),
		cmocka_unit_test(station_that_is_asked_to_answers_by_itself),
		cmocka_unit_test(station_that_does_not_obey_is_answered_by_its_user),
		cmocka_unit_test(unknown_or_unreachable_station_fails_at_once),
		cmocka_unit_test(change_of_reachability_is_told_once),
		cmocka_unit_test(caller_is_offered_rung_and_answered),
		cmocka_unit_test(caller_who_gives_up_has_abandoned),
		cmocka_unit_test(refused_caller_gets_our_cause),
		cmocka_unit_test(wrong_callers_are_refused),
		cmocka_unit_test(party_presses_keys_only_when_up),
		cmocka_unit_test(operation_on_an_ended_leg_is_no_failure),
		cmocka_unit_test(impossible_operations_are_told_with_their_token),
		cmocka_unit_test(leg_beyond_the_limit_meets_congestion),
		cmocka_unit_test(view_shows_what_the_called_party_sees),
		cmocka_unit_test(a_day_of_calls_passes_in_a_moment),
		cmocka_unit_test(a_thousand_calls_ring_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
