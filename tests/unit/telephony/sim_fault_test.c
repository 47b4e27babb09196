/* The simulated switch: lost links, restarts, slowness, disorder and failures on request. */
#include "stage.h"

static void opening_tells_link_then_an_empty_sync(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	sim_link_down(stage.sim);
	sim_link_up(stage.sim);
	assert_int_equal(stage.count, 0);
	stage_settle(&stage);
	assert_int_equal(stage.count, 4);
	assert_int_equal(stage.facts[0].kind, TEL_LINK);
	assert_false(stage.facts[0].link_up);
	assert_true(stage.facts[1].link_up);
	assert_int_equal(stage.facts[1].epoch, stage.facts[0].epoch);
	assert_int_equal(stage.facts[2].kind, TEL_SYNC_BEGIN);
	assert_int_equal(stage.facts[3].kind, TEL_SYNC_END);
	stage_done(&stage);
}

static void link_that_is_down_from_the_start_comes_up_later(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	tel_driver_close(stage.driver);
	struct tel_host host = {&stage.clock, &stage.timers, NODE, {stage_keep, &stage}};
	stage.driver = sim_driver_create(&host, NULL, &stage.sim);
	sim_link_down(stage.sim);
	does(tel_driver_open(stage.driver, NULL));
	assert_int_equal(tel_driver_open(stage.driver, NULL), ST_CONFLICT);
	stage_run_ms(&stage, 1000);
	assert_int_equal(stage.count, 0);
	sim_link_up(stage.sim);
	stage_settle(&stage);
	assert_true(stage_fact(&stage, TEL_LINK, NULL)->link_up);
	stage_done(&stage);
}

static void operations_are_refused_until_the_link_has_been_told(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	sim_link_down(stage.sim);
	sim_link_up(stage.sim);
	assert_int_equal(tel_mix_make(stage.driver, 1, "m", TEL_MIX_TALK), ST_UNAVAILABLE);
	stage_settle(&stage);
	stage_mix(&stage, "m");
	stage_done(&stage);
}

static void end_of_a_sound_is_told_after_the_outage(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_mix(&stage, "m");
	does(tel_mix_play(stage.driver, 1, "m", "p", "hello"));
	sim_link_down(stage.sim);
	stage_run_ms(&stage, 5500);
	sim_link_up(stage.sim);
	stage_run_ms(&stage, 1000);
	assert_int_equal(stage_told(&stage, TEL_PLAY_ENDED, NULL), 1);
	stage_done(&stage);
}

static void slow_switch_holds_many_operations_but_not_any_number(void **state)
{
	(void)state;
	struct stage stage;
	unsigned taken = 0;

	stage_open(&stage, &(struct sim_config){.latency_ms = 1});
	for (unsigned i = 0; i < 10000; i++)
		does(tel_leg_answer(stage.driver, 1, "l"));
	stage_run_ms(&stage, 1);
	while (tel_leg_answer(stage.driver, 1, "l") == ST_OK)
		taken++;
	assert_int_equal(taken, 100000);
	stage_done(&stage);
}

static void without_a_link_operations_are_refused(void **state)
{
	(void)state;
	struct stage stage;
	struct tel_dest dest = {TEL_DEST_NUMBER, "1"};

	stage_open(&stage, NULL);
	sim_link_down(stage.sim);
	assert_int_equal(tel_leg_make(stage.driver, 1, "l", &dest, NULL), ST_UNAVAILABLE);
	assert_int_equal(tel_mix_make(stage.driver, 1, "m", TEL_MIX_TALK), ST_UNAVAILABLE);
	assert_int_equal(tel_driver_resync(stage.driver), ST_UNAVAILABLE);
	stage_done(&stage);
}

static void calls_go_on_while_the_link_is_down(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_mix(&stage, "m");
	does(sim_set_station(stage.sim, "1001", true, true));
	stage_settle(&stage);
	stage_leg(&stage, "stays", "+15550001", "m");
	stage_leg(&stage, "goes", "+15550199", NULL);
	stage_leg(&stage, "rings", "+15550408", NULL);
	sim_link_down(stage.sim);
	stage_run_ms(&stage, 5000);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, NULL), 0);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, NULL), 0);
	sim_link_up(stage.sim);
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "goes")->result, TEL_LOST);
	assert_true(stage_fact(&stage, TEL_LEG_SEEN, "stays")->is_up);
	assert_string_equal(stage_fact(&stage, TEL_LEG_SEEN, "stays")->tag, "call-1");
	assert_false(stage_fact(&stage, TEL_LEG_SEEN, "rings")->is_up);
	assert_int_equal(stage_told(&stage, TEL_LEG_SEEN, "goes"), 0);
	assert_string_equal(stage_fact(&stage, TEL_MIX_SEEN, NULL)->mix, "m");
	int end = stage_place(&stage, TEL_SYNC_END, NULL);
	assert_true(stage_place(&stage, TEL_LEG_ENDED, "goes") < end);
	assert_int_equal(stage_told(&stage, TEL_STATION, NULL), 2);
	stage_run_ms(&stage, 60000);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, "goes"), 1);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "stays"), 0);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, "rings"), 1);
	stage_done(&stage);
}

static void fact_under_way_is_lost_with_the_link(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_leg(&stage, "l", "+15550001", NULL);
	stage_run_ms(&stage, 500);
	sim_party_hangup(stage.sim, "l");
	sim_link_down(stage.sim);
	stage_run_ms(&stage, 1000);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, NULL), 0);
	sim_link_up(stage.sim);
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, "l"), 1);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "l")->result, TEL_LOST);
	stage_done(&stage);
}

static void caller_waits_for_the_link(void **state)
{
	(void)state;
	struct stage stage;
	char patient[TEL_ID_SIZE], hasty[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	sim_link_down(stage.sim);
	assert_int_equal(sim_call_in(stage.sim, "1", "", "100", patient, NULL), ST_OK);
	assert_int_equal(sim_call_in(stage.sim, "2", "", "100", hasty, NULL), ST_OK);
	stage_run_ms(&stage, 1000);
	sim_party_hangup(stage.sim, hasty);
	sim_link_up(stage.sim);
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_OFFERED, patient), 1);
	assert_true(stage_place(&stage, TEL_LEG_OFFERED, patient) >
		    stage_place(&stage, TEL_SYNC_END, NULL));
	assert_int_equal(stage_told(&stage, TEL_LEG_OFFERED, hasty), 0);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, hasty), 0);
	stage_done(&stage);
}

static void restart_loses_every_leg_and_changes_the_epoch(void **state)
{
	(void)state;
	struct stage stage;
	char untold[TEL_ID_SIZE];

	stage_open(&stage, NULL);
	stage_mix(&stage, "m");
	stage_leg(&stage, "l", "+15550001", "m");
	stage_run_ms(&stage, 500);
	does(tel_mix_play(stage.driver, 1, "m", "p", "hello"));
	assert_int_equal(sim_call_in(stage.sim, "1", "", "100", untold, NULL), ST_OK);
	sim_restart(stage.sim);
	stage_run_ms(&stage, 2000);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "l")->result, TEL_LOST);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, untold), 0);
	assert_int_equal(stage_told(&stage, TEL_LINK, NULL), 2);
	assert_true(stage.facts[stage_place(&stage, TEL_LINK, NULL)].epoch > stage.facts[0].epoch);
	assert_int_equal(stage_told(&stage, TEL_PLAY_ENDED, NULL), 1);
	assert_int_equal(sim_mixes(stage.sim), 0);
	assert_int_equal(sim_legs(stage.sim, NULL, 0), 0);
	stage_done(&stage);
}

static void restart_while_cut_off_waits_for_the_link(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_leg(&stage, "l", "+15550001", NULL);
	sim_link_down(stage.sim);
	sim_restart(stage.sim);
	stage_run_ms(&stage, 1000);
	assert_int_equal(stage_told(&stage, TEL_LINK, NULL), 1);
	sim_link_up(stage.sim);
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "l")->result, TEL_LOST);
	stage_done(&stage);
}

static void slow_switch_keeps_the_order(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, &(struct sim_config){.latency_ms = 250, .any_station = true});
	stage_mix(&stage, "m");
	stage_leg(&stage, "l", "+15550777", "m");
	stage_run_ms(&stage, 249);
	assert_int_equal(sim_mixes(stage.sim), 0);
	assert_int_equal(stage.count, 0);
	stage_run_ms(&stage, 1);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "l"), 1);
	assert_int_equal(stage_told(&stage, TEL_OP_FAILED, NULL), 0);
	does(tel_leg_hangup(stage.driver, 1, "l", 16));
	assert_int_equal(sim_legs(stage.sim, NULL, 0), 1);
	stage_run_ms(&stage, 250);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, "l"), 1);
	stage_done(&stage);
}

static void operation_under_way_is_lost_with_the_link(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, &(struct sim_config){.latency_ms = 250});
	stage_leg(&stage, "l", "+15550777", NULL);
	stage_run_ms(&stage, 100);
	sim_link_down(stage.sim);
	sim_link_up(stage.sim);
	stage_run_ms(&stage, 5000);
	assert_int_equal(stage_told(&stage, TEL_LEG_UP, "l"), 0);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "l")->result, TEL_LOST);
	stage_done(&stage);
}

/* Jitter must be seen to disorder something, or the other assertions prove nothing. */
static void jitter_disorders_legs_but_never_one_leg(void **state)
{
	(void)state;
	struct stage stage;
	char leg[TEL_ID_SIZE];
	bool is_disordered = false;

	stage_open(&stage, &(struct sim_config){.jitter_ms = 2000, .seed = 7});
	for (unsigned i = 0; i < 50; i++) {
		snprintf(leg, sizeof leg, "l%02u", i);
		stage_leg(&stage, leg, "+15550199", NULL);
	}
	stage_run_ms(&stage, 20000);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(leg, sizeof leg, "l%02u", i);
		assert_true(stage_place(&stage, TEL_LEG_RINGING, leg) <
			    stage_place(&stage, TEL_LEG_UP, leg));
		assert_true(stage_place(&stage, TEL_LEG_UP, leg) <
			    stage_place(&stage, TEL_LEG_ENDED, leg));
	}
	for (unsigned i = 1; i < stage.count; i++)
		is_disordered |= stage.facts[i].at_us < stage.facts[i - 1].at_us;
	assert_true(is_disordered);
	stage_done(&stage);
}

static void nothing_overtakes_a_sync(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, &(struct sim_config){.jitter_ms = 2000, .seed = 7});
	stage_leg(&stage, "gone", "+15550777", NULL);
	stage_leg(&stage, "stays", "+15550777", NULL);
	stage_run_ms(&stage, 0);
	does(tel_leg_hangup(stage.driver, 1, "gone", 16));
	assert_int_equal(tel_driver_resync(stage.driver), ST_OK);
	does(tel_leg_hangup(stage.driver, 1, "stays", 16));
	stage_run_ms(&stage, 20000);
	assert_int_equal(stage_told(&stage, TEL_LEG_SEEN, "gone"), 0);
	assert_true(stage_place(&stage, TEL_LEG_ENDED, "gone") <
		    stage_place(&stage, TEL_SYNC_BEGIN, NULL));
	assert_int_equal(stage_told(&stage, TEL_LEG_SEEN, "stays"), 1);
	assert_true(stage_place(&stage, TEL_LEG_ENDED, "stays") >
		    stage_place(&stage, TEL_SYNC_END, NULL));
	stage_done(&stage);
}

static void next_operation_fails_on_request(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_mix(&stage, "m");
	assert_int_equal(sim_fail_next(stage.sim, "mix_add", "not in Stasis"), ST_OK);
	assert_int_equal(sim_fail_next(stage.sim, "leg_make", NULL), ST_OK);
	assert_int_equal(sim_fail_next(stage.sim, "no_such_op", NULL), ST_INVALID);
	stage_leg(&stage, "fails", "+15550777", NULL);
	stage_leg(&stage, "l", "+15550777", NULL);
	does(tel_mix_add(stage.driver, 5, "m", "l"));
	stage_settle(&stage);
	assert_int_equal(stage_fact(&stage, TEL_LEG_ENDED, "fails")->result, TEL_ERROR);
	assert_string_equal(stage_fact(&stage, TEL_OP_FAILED, "l")->text, "not in Stasis");
	assert_int_equal(stage_fact(&stage, TEL_OP_FAILED, "l")->token, 5);
	assert_int_equal(stage_told(&stage, TEL_LEG_JOINED, "l"), 0);
	does(tel_mix_add(stage.driver, 6, "m", "l"));
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_JOINED, "l"), 1);
	stage_done(&stage);
}

static void full_queue_refuses_so_many(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	sim_busy_next(stage.sim, 2);
	assert_int_equal(tel_mix_make(stage.driver, 1, "m", TEL_MIX_TALK), ST_BUSY);
	assert_int_equal(tel_mix_make(stage.driver, 1, "m", TEL_MIX_TALK), ST_BUSY);
	assert_int_equal(tel_mix_make(stage.driver, 1, "m", TEL_MIX_TALK), ST_OK);
	assert_int_equal(sim_mixes(stage.sim), 1);
	stage_done(&stage);
}

static void lost_end_of_a_sound_is_told_late(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, NULL);
	stage_mix(&stage, "m");
	sim_lose_play_ends(stage.sim, true);
	does(tel_mix_play(stage.driver, 1, "m", "p", "hello"));
	stage_run_ms(&stage, 2999);
	assert_int_equal(stage_told(&stage, TEL_PLAY_ENDED, NULL), 0);
	stage_run_ms(&stage, 1);
	assert_int_equal(stage_told(&stage, TEL_PLAY_ENDED, NULL), 1);
	stage_done(&stage);
}

static void nothing_is_told_after_close(void **state)
{
	(void)state;
	struct stage stage;

	stage_open(&stage, &(struct sim_config){.latency_ms = 10});
	stage_mix(&stage, "m");
	stage_leg(&stage, "l", "+15550001", "m");
	stage_run_ms(&stage, 600);
	does(tel_leg_dtmf(stage.driver, 1, "l", "123", 0, 0));
	does(tel_mix_play(stage.driver, 1, "m", "p", "hello"));
	stage_run_ms(&stage, 20);
	sim_party_hangup(stage.sim, "l");
	does(tel_mix_music(stage.driver, 1, "m", true));
	unsigned told = stage.count;
	tel_driver_close(stage.driver);
	stage.driver = NULL;
	stage_run_ms(&stage, 60000);
	assert_int_equal(stage.count, told);
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_tells_link_then_an_empty_sync),
		cmocka_unit_test(link_that_is_down_from_the_start_comes_up_later),
		cmocka_unit_test(operations_are_refused_until_the_link_has_been_told),
		cmocka_unit_test(end_of_a_sound_is_told_after_the_outage),
		cmocka_unit_test(slow_switch_holds_many_operations_but_not_any_number),
		cmocka_unit_test(without_a_link_operations_are_refused),
		cmocka_unit_test(calls_go_on_while_the_link_is_down),
		cmocka_unit_test(fact_under_way_is_lost_with_the_link),
		cmocka_unit_test(caller_waits_for_the_link),
		cmocka_unit_test(restart_loses_every_leg_and_changes_the_epoch),
		cmocka_unit_test(restart_while_cut_off_waits_for_the_link),
		cmocka_unit_test(slow_switch_keeps_the_order),
		cmocka_unit_test(operation_under_way_is_lost_with_the_link),
		cmocka_unit_test(jitter_disorders_legs_but_never_one_leg),
		cmocka_unit_test(nothing_overtakes_a_sync),
		cmocka_unit_test(next_operation_fails_on_request),
		cmocka_unit_test(full_queue_refuses_so_many),
		cmocka_unit_test(lost_end_of_a_sound_is_told_late),
		cmocka_unit_test(nothing_is_told_after_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
