/* The composer: prompts. */
#include "crew.h"

#define CUST  "+15550001"
#define THIRD "+15550002"
#define AGENT "1001"

static void play(struct crew *crew, const char *call, const char *sound, enum tel_hearers who)
{
	does(telephony_play(crew->telephony, call, sound, who, NULL));
	crew_run_ms(crew, 1);
}

/* Told once, with this outcome. */
static void is_over(const struct crew *crew, const char *call, const char *outcome)
{
	assert_int_equal(crew_told(crew, TELCALL_PLAY_ENDED, call), 1);
	assert_string_equal(crew_fact(crew, TELCALL_PLAY_ENDED, call)->text, outcome);
}

static void open_talk(struct crew *crew)
{
	crew_open(crew, NULL);
	crew_talk(crew, "1", AGENT, CUST);
}

static void both_hear_a_prompt_over_the_talk(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "hello", TEL_HEARD_BY_BOTH);
	assert_party_hears(&crew, CUST, AGENT "+hello");
	assert_party_hears(&crew, AGENT, CUST "+hello");
	assert_int_equal(crew_told(&crew, TELCALL_PLAY_ENDED, "1"), 0);
	crew_run_ms(&crew, 2000);
	is_over(&crew, "1", "ok");
	assert_party_hears(&crew, AGENT, CUST);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

static void prompt_for_the_customer_shuts_the_agents_ear_meanwhile(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	does(telephony_mute(crew.telephony, "1", true, NULL));
	play(&crew, "1", "hello", TEL_HEARD_BY_CUSTOMER);
	assert_party_hears(&crew, CUST, "hello");
	assert_party_hears(&crew, AGENT, "");
	crew_run_ms(&crew, 2000);
	is_over(&crew, "1", "ok");
	assert_party_hears(&crew, AGENT, CUST);
	assert_party_hears(&crew, CUST, "");
	crew_done(&crew);
}

static void next_prompt_takes_the_place_of_the_one_before(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "one", TEL_HEARD_BY_CUSTOMER);
	play(&crew, "1", "two", TEL_HEARD_BY_CUSTOMER);
	is_over(&crew, "1", "stopped");
	assert_party_hears(&crew, CUST, AGENT "+two");
	assert_party_hears(&crew, AGENT, "");
	play(&crew, "1", "three", TEL_HEARD_BY_BOTH);
	assert_party_hears(&crew, AGENT, CUST "+three");
	crew_run_ms(&crew, 2000);
	assert_int_equal(crew_told(&crew, TELCALL_PLAY_ENDED, "1"), 3);
	crew_done(&crew);
}

static void prompt_that_is_stopped_is_told_at_once(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	does(telephony_play_stop(crew.telephony, "1", NULL));
	play(&crew, "1", "hello", TEL_HEARD_BY_CUSTOMER);
	does(telephony_play_stop(crew.telephony, "1", NULL));
	crew_run_ms(&crew, 1);
	is_over(&crew, "1", "stopped");
	assert_party_hears(&crew, AGENT, CUST);
	assert_party_hears(&crew, CUST, AGENT);
	crew_run_ms(&crew, 5000);
	is_over(&crew, "1", "stopped");
	crew_done(&crew);
}

static void sound_that_the_switch_has_not_fails_and_the_ear_is_opened(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "missing-file", TEL_HEARD_BY_CUSTOMER);
	crew_settle(&crew);
	is_over(&crew, "1", "failed");
	assert_party_hears(&crew, AGENT, CUST);
	crew_done(&crew);
}

static void held_call_hears_music_and_no_prompt(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "hello", TEL_HEARD_BY_CUSTOMER);
	crew_hold(&crew, "1");
	crew_run_ms(&crew, 1);
	is_over(&crew, "1", "stopped");
	assert_party_hears(&crew, CUST, "music");
	assert_refused(ST_CONFLICT, "call.not_up",
		       telephony_play(crew.telephony, "1", "hello", TEL_HEARD_BY_BOTH, &err));
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 1);
	assert_party_hears(&crew, AGENT, CUST);
	crew_done(&crew);
}

static void transferred_customer_hears_ringback_and_no_prompt(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "hello", TEL_HEARD_BY_BOTH);
	crew_transfer(&crew, "1", THIRD);
	crew_run_ms(&crew, 1);
	is_over(&crew, "1", "stopped");
	crew_run_ms(&crew, 300);
	assert_party_hears(&crew, CUST, "ringback");
	crew_run_ms(&crew, 3000);
	assert_party_hears(&crew, CUST, THIRD);
	crew_done(&crew);
}

static void prompt_ends_before_its_call(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "hello", TEL_HEARD_BY_BOTH);
	crew_hangup(&crew, CUST);
	crew_settle(&crew);
	is_over(&crew, "1", "stopped");
	assert_true(crew_place(&crew, TELCALL_PLAY_ENDED, "1") <
		    crew_place(&crew, TELCALL_ENDED, "1"));
	crew_forget(&crew);
	crew_talk(&crew, "2", AGENT, CUST);
	play(&crew, "2", "hello", TEL_HEARD_BY_CUSTOMER);
	crew_clear(&crew, "2");
	crew_settle(&crew);
	is_over(&crew, "2", "stopped");
	assert_true(crew_place(&crew, TELCALL_PLAY_ENDED, "2") <
		    crew_place(&crew, TELCALL_ENDED, "2"));
	crew_done_empty(&crew);
}

static void three_hear_a_prompt_until_the_agent_leaves_them(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_run_ms(&crew, 1);
	play(&crew, "1", "hello", TEL_HEARD_BY_BOTH);
	assert_party_hears(&crew, CUST, THIRD "+" AGENT "+hello");
	assert_party_hears(&crew, THIRD, CUST "+" AGENT "+hello");
	does(telephony_leave(crew.telephony, "2", NULL));
	crew_run_ms(&crew, 1);
	is_over(&crew, "1", "stopped");
	assert_party_hears(&crew, CUST, THIRD);
	crew_done(&crew);
}

static void agent_hears_again_after_a_lost_link(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	sim_lose_play_ends(crew.sim, true);
	play(&crew, "1", "hello", TEL_HEARD_BY_CUSTOMER);
	sim_link_down(crew.sim);
	crew_run_ms(&crew, 3000);
	assert_int_equal(crew_told(&crew, TELCALL_PLAY_ENDED, "1"), 0);
	sim_link_up(crew.sim);
	crew_run_ms(&crew, 20000);
	is_over(&crew, "1", "ok");
	assert_party_hears(&crew, AGENT, CUST);
	crew_done(&crew);
}

static void restarted_switch_has_forgotten_the_prompt(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "hello", TEL_HEARD_BY_CUSTOMER);
	sim_restart(crew.sim);
	crew_run_ms(&crew, 20000);
	is_over(&crew, "1", "stopped");
	crew_done(&crew);
}

/* The prompt was playing when the gateway died: nobody will ever open the ear but the next one. */
static void next_life_opens_the_ear(void **state)
{
	(void)state;
	struct crew crew;

	open_talk(&crew);
	play(&crew, "1", "hello", TEL_HEARD_BY_CUSTOMER);
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 100);
	crew_run_ms(&crew, 3000);
	assert_party_hears(&crew, AGENT, CUST);
	assert_party_hears(&crew, CUST, AGENT);
	crew_done(&crew);
}

static void what_is_no_name_reaches_nobody(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "../x", "/x", "http://host/x", "a b", "recording:x"};
	struct crew crew;

	open_talk(&crew);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused(
			ST_INVALID, "sound.invalid",
			telephony_play(crew.telephony, "1", bad[i], TEL_HEARD_BY_BOTH, &err));
	assert_refused(ST_CONFLICT, "call.unknown",
		       telephony_play(crew.telephony, "2", "hello", TEL_HEARD_BY_BOTH, &err));
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_PLAY_ENDED, NULL), 0);
	crew_done(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_hear_a_prompt_over_the_talk),
		cmocka_unit_test(prompt_for_the_customer_shuts_the_agents_ear_meanwhile),
		cmocka_unit_test(next_prompt_takes_the_place_of_the_one_before),
		cmocka_unit_test(prompt_that_is_stopped_is_told_at_once),
		cmocka_unit_test(sound_that_the_switch_has_not_fails_and_the_ear_is_opened),
		cmocka_unit_test(held_call_hears_music_and_no_prompt),
		cmocka_unit_test(transferred_customer_hears_ringback_and_no_prompt),
		cmocka_unit_test(prompt_ends_before_its_call),
		cmocka_unit_test(three_hear_a_prompt_until_the_agent_leaves_them),
		cmocka_unit_test(agent_hears_again_after_a_lost_link),
		cmocka_unit_test(restarted_switch_has_forgotten_the_prompt),
		cmocka_unit_test(next_life_opens_the_ear),
		cmocka_unit_test(what_is_no_name_reaches_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
