/* The simulated switch: who hears whom. */
#include "stage.h"

/* Two answered parties in one mix. */
static void open_pair(struct stage *stage)
{
	stage_open(stage, &(struct sim_config){.any_station = true});
	stage_mix(stage, "m");
	stage_station_leg(stage, "agent", "1001", true);
	stage_run_ms(stage, 200);
	does(tel_mix_add(stage->driver, 1, "m", "agent"));
	stage_leg(stage, "cust", "+15550001", "m");
}

static void caller_hears_ringback_then_the_party(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	assert_hears(stage.sim, "agent", "");
	stage_run_ms(&stage, 100);
	assert_hears(stage.sim, "agent", "ringback");
	assert_hears(stage.sim, "cust", "");
	stage_run_ms(&stage, 400);
	assert_hears(stage.sim, "agent", "+15550001");
	assert_hears(stage.sim, "cust", "1001");
	stage_done(&stage);
}

static void early_media_is_heard_before_the_answer(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_leg(&stage, "early", "+15550183", "m");
	does(tel_leg_hangup(stage.driver, 1, "cust", 16));
	stage_run_ms(&stage, 100);
	assert_hears(stage.sim, "agent", "+15550183");
	assert_hears(stage.sim, "early", "1001");
	stage_done(&stage);
}

static void music_is_heard_by_all_in_the_mix(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	does(tel_mix_remove(stage.driver, 1, "m", "agent"));
	does(tel_mix_music(stage.driver, 1, "m", true));
	assert_hears(stage.sim, "cust", "music");
	assert_hears(stage.sim, "agent", "");
	does(tel_mix_add(stage.driver, 1, "m", "agent"));
	assert_hears(stage.sim, "cust", "1001+music");
	does(tel_mix_music(stage.driver, 1, "m", false));
	assert_hears(stage.sim, "cust", "1001");
	stage_done(&stage);
}

static void leg_is_in_one_mix_at_a_time(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	stage_mix(&stage, "n");
	stage_forget(&stage);
	does(tel_mix_add(stage.driver, 1, "n", "agent"));
	does(tel_mix_add(stage.driver, 1, "n", "agent"));
	stage_settle(&stage);
	assert_hears(stage.sim, "cust", "");
	assert_string_equal(stage_fact(&stage, TEL_LEG_LEFT, "agent")->mix, "m");
	assert_string_equal(stage_fact(&stage, TEL_LEG_JOINED, "agent")->mix, "n");
	assert_int_equal(stage_told(&stage, TEL_LEG_JOINED, "agent"), 1);
	assert_true(stage_place(&stage, TEL_LEG_LEFT, "agent") <
		    stage_place(&stage, TEL_LEG_JOINED, "agent"));
	does(tel_mix_remove(stage.driver, 1, "m", "agent"));
	does(tel_mix_add(stage.driver, 1, "n", "cust"));
	assert_hears(stage.sim, "cust", "1001");
	stage_done(&stage);
}

static void three_hear_each_other_sorted(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_leg(&stage, "third", "+15550002", "m");
	stage_run_ms(&stage, 500);
	assert_hears(stage.sim, "agent",
		     "+15550001+"
		     "+15550002");
	assert_hears(stage.sim, "cust", "+15550002+1001");
	assert_hears(stage.sim, "third", "+15550001+1001");
	stage_done(&stage);
}

static void nobody_talks_in_a_park(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	assert_int_equal(tel_mix_make(stage.driver, 1, "park", TEL_MIX_PARK), ST_OK);
	stage_run_ms(&stage, 500);
	does(tel_mix_add(stage.driver, 1, "park", "agent"));
	does(tel_mix_add(stage.driver, 1, "park", "cust"));
	assert_hears(stage.sim, "cust", "");
	does(tel_mix_music(stage.driver, 1, "park", true));
	assert_hears(stage.sim, "cust", "music");
	stage_done(&stage);
}

static void mute_takes_voice_or_ear(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	does(tel_leg_mute(stage.driver, 1, "agent", TEL_MUTE_VOICE, true));
	assert_hears(stage.sim, "cust", "");
	assert_hears(stage.sim, "agent", "+15550001");
	does(tel_leg_mute(stage.driver, 1, "agent", TEL_MUTE_EAR, true));
	assert_hears(stage.sim, "agent", "");
	does(tel_leg_mute(stage.driver, 1, "agent", TEL_MUTE_VOICE, false));
	assert_hears(stage.sim, "cust", "1001");
	assert_hears(stage.sim, "agent", "");
	does(tel_leg_mute(stage.driver, 1, "agent", TEL_MUTE_BOTH, false));
	assert_hears(stage.sim, "agent", "+15550001");
	stage_done(&stage);
}

static void digits_are_heard_while_they_sound_one_after_the_other(void **state)
{
	(void)state;
	struct stage stage;
	struct sim_leg_view views[2];

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	does(tel_leg_dtmf(stage.driver, 11, "cust", "42#", 100, 50));
	does(tel_leg_dtmf(stage.driver, 12, "cust", "7", 100, 50));
	assert_hears(stage.sim, "cust", "1001+dtmf:42#");
	assert_hears(stage.sim, "agent", "+15550001");
	stage_run_ms(&stage, 399);
	assert_int_equal(stage_told(&stage, TEL_LEG_DTMF_DONE, NULL), 0);
	stage_run_ms(&stage, 1);
	assert_int_equal(stage_fact(&stage, TEL_LEG_DTMF_DONE, "cust")->token, 11);
	assert_hears(stage.sim, "cust", "1001+dtmf:7");
	stage_run_ms(&stage, 150);
	assert_int_equal(stage_fact(&stage, TEL_LEG_DTMF_DONE, "cust")->token, 12);
	assert_hears(stage.sim, "cust", "1001");
	assert_int_equal(sim_legs(stage.sim, views, 2), 2);
	assert_string_equal(views[1].digits, "42#7");
	stage_done(&stage);
}

static void party_remembers_the_newest_digits(void **state)
{
	(void)state;
	struct stage stage;
	struct sim_leg_view views[2];

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	for (unsigned i = 0; i < 3; i++)
		does(tel_leg_dtmf(stage.driver, 1, "cust", "0123456789012345678901234567890*", 20,
				  20));
	stage_run_ms(&stage, 10000);
	sim_legs(stage.sim, views, 2);
	assert_string_equal(views[1].digits,
			    "0123456789012345678901234567890*0123456789012345678901234567890*");
	stage_done(&stage);
}

static void sound_is_heard_until_it_is_over(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	does(tel_mix_play(stage.driver, 1, "m", "p1", "hello"));
	assert_hears(stage.sim, "cust", "1001+hello");
	stage_run_ms(&stage, 1000);
	assert_hears(stage.sim, "cust", "1001");
	assert_string_equal(stage_fact(&stage, TEL_PLAY_ENDED, NULL)->play, "p1");
	assert_string_equal(stage_fact(&stage, TEL_PLAY_ENDED, NULL)->text, "ok");
	does(tel_mix_play(stage.driver, 1, "m", "p2", "missing-file"));
	stage_settle(&stage);
	assert_string_equal(stage_fact(&stage, TEL_PLAY_ENDED, NULL)->text, "failed");
	does(tel_mix_play(stage.driver, 1, "m", "p3", "hello"));
	does(tel_play_stop(stage.driver, 1, "p3"));
	stage_settle(&stage);
	assert_string_equal(stage_fact(&stage, TEL_PLAY_ENDED, NULL)->text, "stopped");
	does(tel_mix_play(stage.driver, 1, "m", "p4", "hello"));
	does(tel_mix_free(stage.driver, 1, "m"));
	stage_settle(&stage);
	assert_string_equal(stage_fact(&stage, TEL_PLAY_ENDED, NULL)->play, "p4");
	assert_int_equal(stage_told(&stage, TEL_PLAY_ENDED, NULL), 4);
	stage_done(&stage);
}

static void freed_mix_leaves_its_legs_alone(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	does(tel_mix_free(stage.driver, 1, "m"));
	stage_settle(&stage);
	assert_int_equal(stage_told(&stage, TEL_LEG_LEFT, NULL), 2);
	assert_int_equal(stage_told(&stage, TEL_LEG_ENDED, NULL), 0);
	assert_hears(stage.sim, "cust", "");
	assert_int_equal(sim_mixes(stage.sim), 0);
	stage_done(&stage);
}

static void leg_leaves_its_mix_before_it_ends(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_run_ms(&stage, 500);
	sim_party_hangup(stage.sim, "cust");
	assert_hears(stage.sim, "agent", "");
	assert_hears(stage.sim, "cust", "");
	stage_settle(&stage);
	assert_true(stage_place(&stage, TEL_LEG_LEFT, "cust") + 1 ==
		    stage_place(&stage, TEL_LEG_ENDED, "cust"));
	stage_done(&stage);
}

static void name_heard_twice_is_said_once(void **state)
{
	(void)state;
	struct stage stage;

	open_pair(&stage);
	stage_leg(&stage, "third", "+15550001", "m");
	stage_run_ms(&stage, 500);
	assert_hears(stage.sim, "agent", "+15550001");
	stage_done(&stage);
}

static void small_buffer_gets_whole_names(void **state)
{
	(void)state;
	struct stage stage;
	char heard[16];

	open_pair(&stage);
	stage_leg(&stage, "third", "+15550002", "m");
	stage_run_ms(&stage, 500);
	sim_heard_by(stage.sim, "agent", heard, sizeof heard);
	assert_string_equal(heard, "+15550001");
	sim_heard_by(stage.sim, "nobody", heard, sizeof heard);
	assert_string_equal(heard, "");
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caller_hears_ringback_then_the_party),
		cmocka_unit_test(early_media_is_heard_before_the_answer),
		cmocka_unit_test(music_is_heard_by_all_in_the_mix),
		cmocka_unit_test(leg_is_in_one_mix_at_a_time),
		cmocka_unit_test(three_hear_each_other_sorted),
		cmocka_unit_test(nobody_talks_in_a_park),
		cmocka_unit_test(mute_takes_voice_or_ear),
		cmocka_unit_test(digits_are_heard_while_they_sound_one_after_the_other),
		cmocka_unit_test(party_remembers_the_newest_digits),
		cmocka_unit_test(sound_is_heard_until_it_is_over),
		cmocka_unit_test(freed_mix_leaves_its_legs_alone),
		cmocka_unit_test(leg_leaves_its_mix_before_it_ends),
		cmocka_unit_test(name_heard_twice_is_said_once),
		cmocka_unit_test(small_buffer_gets_whole_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
