/* The composer: what an earlier life has left at the switch, and what is not ours. */
#include "crew.h"

#include "base/str.h"

#define CUST   "+15550001"
#define OTHER  "+15550002"
#define CALLER "+15559999"
#define AGENT  "1001"

static void best_of_several_agents_legs_is_kept(void **state)
{
	(void)state;
	static const char *const mixes[] = {"", "gw1-m-1", "gw1-m-9"};
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_STATION, AGENT};

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew); /* all is over; by hand: */
	struct tel_dest number = {TEL_DEST_NUMBER, CUST};
	does(tel_mix_make(crew.driver, 1, "gw1-m-1", TEL_MIX_TALK));
	does(tel_mix_make(crew.driver, 1, "gw1-m-9", TEL_MIX_TALK));
	does(tel_leg_make(crew.driver, 1, "gw1-c-1", &number,
			  &(struct tel_leg_options){.mix = "gw1-m-1", .tag = "1"}));
	for (unsigned i = 0; i < 3; i++) {
		struct tel_leg_options options = {.auto_answer = true};
		char leg[TEL_ID_SIZE];
		struct tel_agent agent = crew_agent(AGENT);
		str_format(leg, sizeof leg, "gw1-a-%u-agent-10", i);
		str_copy(options.mix, sizeof options.mix, mixes[i]);
		str_copy(options.tag, sizeof options.tag, agent.id);
		does(tel_leg_make(crew.driver, 1, leg, &dest, &options));
	}
	crew_run_ms(&crew, 2000);
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 0);
	crew_settle(&crew);
	crew_told_nothing(&crew);
	assert_int_equal(crew_legs(&crew), 2);
	assert_string_equal(crew_leg(&crew, AGENT), "gw1-a-1-agent-10");
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(sim_mixes(crew.sim), 1);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

/* Same first eight characters, another agent. */
static void leg_of_another_agent_is_not_taken(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_die(&crew);
	crew_rise(&crew);
	crew_restore_as(&crew, "1", TEL_WAS_TALK, "1002");
	crew_start(&crew);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_SWITCH);
	crew_done_empty(&crew);
}

/* Adopted in the instant of the crash, or never: nobody has written it down. */
static void waiting_caller_whom_nobody_knows_is_offered_again(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_caller(&crew, "1", CALLER);
	crew_die(&crew);
	crew_rise(&crew);
	crew_start(&crew);
	const char *leg = crew_fact(&crew, TELCALL_OFFERED, NULL)->leg;
	assert_string_equal(leg, crew_leg(&crew, CALLER));
	assert_int_equal(crew_told(&crew, TELCALL_OFFERED, NULL), 1);
	does(telephony_adopt(crew.telephony, "2", leg, NULL));
	crew_end(&crew, "2");
	crew_done_empty(&crew);
}

/* After a transfer, a completion, a leave; nobody knows them any more. */
static void parties_left_to_themselves_talk_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		if (i == 0) {
			crew_talk(&crew, "1", AGENT, CUST);
			crew_transfer(&crew, "1", OTHER);
			crew_run_ms(&crew, 2000);
		} else {
			crew_consult(&crew);
			if (i == 1)
				does(telephony_complete(crew.telephony, "2", "1", NULL));
			else
				does(telephony_conference(crew.telephony, "2", "1", NULL));
		}
		/* i == 2: killed before the agent's leg left. */
		crew_settle(&crew);
		crew_die(&crew);
		crew_rise(&crew);
		crew_start(&crew);
		crew_settle(&crew);
		assert_int_equal(crew_legs(&crew), 2);
		assert_int_equal(sim_mixes(crew.sim), 1);
		assert_party_hears(&crew, CUST, OTHER);
		assert_party_hears(&crew, OTHER, CUST);
		crew_hangup(&crew, i ? CUST : OTHER);
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void one_party_alone_is_hung_up(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_make(&crew, "3", "1002", "+15550003");
	crew_run_ms(&crew, 150);
	crew_die(&crew);
	crew_rise(&crew);
	crew_start(&crew);
	crew_settle(&crew);
	crew_told_nothing(&crew);
	crew_done_empty(&crew);
}

/* An unknown one in the mix of a call that is known. */
static void stranger_in_a_known_call_is_hung_up(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 0);
	crew_settle(&crew);
	crew_told_nothing(&crew);
	assert_int_equal(crew_legs(&crew), 2);
	assert_party_hears(&crew, CUST, AGENT);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

static void legs_of_others_are_never_touched(void **state)
{
	(void)state;
	static const char *const strangers[] = {"gw2-c-1", "gw11-a-7-agent-10", "gw1-x-1",
						"1795357596.21"};
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_NUMBER, OTHER};

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(tel_mix_make(crew.driver, 1, "gw2-m-1", TEL_MIX_TALK));
	for (unsigned i = 0; i < 4; i++)
		does(tel_leg_make(
			crew.driver, 1, strangers[i], &dest,
			&(struct tel_leg_options){.mix = "gw2-m-1", .tag = "agent-1001"}));
	crew_run_ms(&crew, 1000);
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 0);
	crew_end(&crew, "1");
	assert_int_equal(crew_legs(&crew), 4);
	assert_int_equal(sim_mixes(crew.sim), 1);
	crew_done(&crew);
}

/* A caller who was answered has nobody left; one who waits will be offered. */
static void answered_caller_whom_nobody_knows_is_hung_up(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST}, waiting = {TEL_DEST_STATION, "1003"};

	crew_open(&crew, NULL);
	does(tel_leg_make(crew.driver, 1, "gw1-i-17", &dest, NULL));
	does(tel_leg_make(crew.driver, 1, "gw1-i-18", &waiting, NULL));
	crew_run_ms(&crew, 2000);
	crew_die(&crew);
	crew_rise(&crew);
	crew_start(&crew);
	crew_settle(&crew);
	assert_string_equal(crew_leg(&crew, CUST), "");
	assert_string_equal(crew_leg(&crew, "1003"), "gw1-i-18");
	crew_done(&crew);
}

/* Somebody has taken the party out of our mix, which is gone. */
static void party_in_a_mix_of_others_is_taken_back(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(tel_mix_make(crew.driver, 1, "gw2-m-1", TEL_MIX_TALK));
	does(tel_mix_add(crew.driver, 1, "gw2-m-1", "gw1-c-1"));
	does(tel_mix_free(crew.driver, 1, "gw1-m-1"));
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 0);
	assert_party_hears(&crew, CUST, AGENT);
	crew_end(&crew, "1");
	assert_int_equal(sim_mixes(crew.sim), 1);
	crew_done(&crew);
}

/* What only the first one showed is not there any more, as far as the second one knows. */
static void comparison_begun_anew(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};

	crew_open(&crew, NULL);
	does(tel_leg_make(crew.driver, 1, "gw1-t-9", &dest, NULL));
	struct tel_sink sink = telephony_driver_sink(crew.telephony);
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_BEGIN});
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_LEG_SEEN, .leg = "gw1-t-9"});
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_BEGIN});
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_END});
	crew_settle(&crew);
	assert_int_equal(crew_legs(&crew), 1);
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_BEGIN});
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_LEG_SEEN, .leg = "gw1-t-9"});
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_END});
	crew_settle(&crew);
	crew_done_empty(&crew);
}

/* A comparison that is cut off decides nothing; the next one does. */
static void link_lost_in_the_comparison(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_die(&crew);
	crew_rise(&crew);
	crew_restore_as(&crew, "1", TEL_WAS_HELD, AGENT);
	struct tel_sink sink = telephony_driver_sink(crew.telephony);
	for (unsigned i = 0; i < 2; i++) {
		sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_LINK, .link_up = true});
		sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_BEGIN});
		sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_MIX_SEEN, .mix = "gw1-m-1"});
		sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_LEG_SEEN,
							   .leg = "gw1-a-1-x",
							   .is_up = true});
		if (i == 0)
			sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_SYNC_BEGIN});
		sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_LINK});
	}
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	crew_start(&crew);
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	assert_party_hears(&crew, CUST, "music");
	assert_int_equal(crew_legs(&crew), 2); /* OTHER was nobody's */
	for (unsigned i = 0; i < 2; i++) {
		does(tel_driver_resync(crew.driver));
		crew_settle(&crew);
	}
	assert_party_hears(&crew, CUST, "music");
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

/* Seen, then gone before the comparison is over. */
static void leg_that_ends_in_the_comparison(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_die(&crew);
	crew_rise(&crew);
	crew_restore_as(&crew, "1", TEL_WAS_HELD, AGENT);
	crew.is_new_life = false;
	struct tel_sink sink = telephony_driver_sink(crew.telephony);
	sink.on_fact(sink.user, &(struct tel_fact){.kind = TEL_LEG_ENDED,
						   .leg = "gw1-c-1",
						   .result = TEL_NORMAL,
						   .by = TEL_BY_THEM});
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_FAR);
	crew_start(&crew);
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 1);
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(best_of_several_agents_legs_is_kept),
		cmocka_unit_test(leg_of_another_agent_is_not_taken),
		cmocka_unit_test(waiting_caller_whom_nobody_knows_is_offered_again),
		cmocka_unit_test(parties_left_to_themselves_talk_on),
		cmocka_unit_test(one_party_alone_is_hung_up),
		cmocka_unit_test(stranger_in_a_known_call_is_hung_up),
		cmocka_unit_test(legs_of_others_are_never_touched),
		cmocka_unit_test(answered_caller_whom_nobody_knows_is_hung_up),
		cmocka_unit_test(party_in_a_mix_of_others_is_taken_back),
		cmocka_unit_test(comparison_begun_anew),
		cmocka_unit_test(link_lost_in_the_comparison),
		cmocka_unit_test(leg_that_ends_in_the_comparison),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
