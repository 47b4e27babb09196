/* The composer: the agent's own telephone, and what becomes of his calls when it does not do its
 * part. */
#include "crew.h"

#define CUST	    "+15550001"
#define OTHER	    "+15550002"
#define AGENT	    "1001"
#define DEAF	    "1003" /* reachable, never answers by itself */
#define UNREACHABLE "1004"

static void unreachable_telephone_ends_the_call_before_anybody_is_called(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", UNREACHABLE, CUST);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_ERROR, TEL_SIDE_AGENT);
	assert_int_equal(crew_fact(&crew, TELCALL_ENDED, "1")->cause, 20);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, NULL), 0);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 0);
	crew_done_empty(&crew);
}

static void unanswered_telephone_ends_the_call_after_20_s(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", DEAF, CUST);
	crew_run_ms(&crew, 19999);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	crew_run_ms(&crew, 1);
	assert_ended(&crew, "1", TEL_NO_ANSWER, TEL_SIDE_AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, NULL), 0);
	crew_run_ms(&crew, 60000);
	crew_done_empty(&crew);
}

static void agent_refuses_on_his_telephone(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", DEAF, CUST);
	crew_run_ms(&crew, 1000);
	crew_hangup(&crew, DEAF);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_ERROR, TEL_SIDE_AGENT);
	crew_done_empty(&crew);
}

static void agent_lifts_his_telephone_by_hand(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", DEAF, CUST);
	crew_run_ms(&crew, 5000);
	does(sim_party_answer(crew.sim, crew_leg(&crew, DEAF)));
	crew_run_ms(&crew, 600);
	assert_party_hears(&crew, DEAF, CUST);
	crew_done(&crew);
}

static void caller_is_parked_with_music_when_the_telephone_is_not_answered(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_caller(&crew, "1", "+15559999");
		crew_answer(&crew, "1", i ? DEAF : UNREACHABLE);
		crew_run_ms(&crew, 20000);
		assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->text,
				    "agent.no_audio");
		assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 1);
		assert_int_equal(crew_told(&crew, TELCALL_UP, NULL), 0);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
		assert_party_hears(&crew, "+15559999", "music");
		crew_answer(&crew, "1", AGENT);
		crew_answer(&crew, "1", AGENT);
		crew_run_ms(&crew, 200);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
		assert_party_hears(&crew, "+15559999", AGENT);
		crew_clear(&crew, "1");
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void parked_caller_hangs_up_or_is_cleared(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_caller(&crew, "1", "+15559999");
		crew_answer(&crew, "1", UNREACHABLE);
		crew_settle(&crew);
		assert_refused(ST_CONFLICT, "call.not_up",
			       telephony_hold(crew.telephony, "1", &err));
		if (i)
			crew_clear(&crew, "1");
		else
			crew_hangup(&crew, "+15559999");
		crew_settle(&crew);
		assert_ended(&crew, "1", TEL_NORMAL, i ? TEL_SIDE_US : TEL_SIDE_FAR);
		crew_done_empty(&crew);
	}
}

static void agent_who_hangs_up_in_talk_ends_the_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_AGENT);
	assert_int_equal(crew_fact(&crew, TELCALL_ENDED, "1")->cause, 16);
	assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	crew_done_empty(&crew);
}

static void agent_who_hangs_up_while_the_customer_rings_ends_the_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", AGENT, "+15550408");
	crew_run_ms(&crew, 1000);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_CANCELLED, TEL_SIDE_AGENT);
	crew_done_empty(&crew);
}

static void agent_who_hangs_up_in_hold_keeps_the_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	crew_settle(&crew);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	assert_party_hears(&crew, CUST, "music");
	crew_resume(&crew, "1");
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 200);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	assert_party_hears(&crew, CUST, AGENT);
	crew_transfer(&crew, "1", OTHER);
	crew_run_ms(&crew, 1000);
	assert_party_hears(&crew, CUST, OTHER);
	crew_hangup(&crew, CUST);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void call_resumed_on_a_new_leg_is_active(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 200);
	crew_hold(&crew, "1");
	crew_talk(&crew, "3", AGENT, OTHER);
	crew_hold(&crew, "3");
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	crew_resume(&crew, "3");
	crew_run_ms(&crew, 200);
	does(telephony_conference(crew.telephony, "3", "1", NULL));
	assert_party_hears(&crew, AGENT, CUST "+" OTHER);
	crew_done(&crew);
}

static void resume_without_a_telephone_leaves_the_call_held(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	crew_hangup(&crew, AGENT);
	sim_set_station(crew.sim, AGENT, false, true);
	crew_settle(&crew);
	crew_resume(&crew, "1");
	crew_settle(&crew);
	assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->text, "agent.no_audio");
	assert_party_hears(&crew, CUST, "music");
	assert_false(crew_fact(&crew, TELCALL_STATION, NULL)->on);
	sim_set_station(crew.sim, AGENT, true, true);
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 200);
	assert_party_hears(&crew, CUST, AGENT);
	crew_done(&crew);
}

static void hold_while_the_telephone_rings_again_is_a_hold(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 50);
	crew_hold(&crew, "1");
	crew_run_ms(&crew, 1000);
	assert_party_hears(&crew, CUST, "music");
	assert_party_hears(&crew, AGENT, "");
	crew_resume(&crew, "1");
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	crew_done(&crew);
}

static void hang_up_with_one_call_active_and_one_held_ends_only_the_active(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	assert_party_hears(&crew, CUST, "music");
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 200);
	assert_party_hears(&crew, CUST, AGENT);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void next_call_comes_while_the_last_leg_is_going(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, &(struct sim_config){.latency_ms = 20});
	crew_talk(&crew, "1", AGENT, CUST);
	crew_clear(&crew, "1");
	crew_make(&crew, "2", AGENT, OTHER);
	crew_run_ms(&crew, 1000);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_party_hears(&crew, AGENT, OTHER);
	assert_int_equal(crew_legs(&crew), 2);
	crew_clear(&crew, "2");
	crew_run_ms(&crew, 100);
	crew_done_empty(&crew);
}

static void agent_with_a_held_call_answers_another(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	crew_caller(&crew, "2", "+15559999");
	crew_answer(&crew, "2", AGENT);
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "2"), 1);
	assert_party_hears(&crew, "+15559999", AGENT);
	assert_party_hears(&crew, CUST, "music");
	crew_done(&crew);
}

static void agent_moves_to_another_telephone_between_calls(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {TEL_DEST_NUMBER, OTHER};

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	strcpy(agent.station, "1002");
	does(telephony_make(crew.telephony, "2", &agent, &dest, NULL, NULL));
	crew_run_ms(&crew, 700);
	assert_party_hears(&crew, "1002", OTHER);
	crew_done(&crew);
}

static void two_agents_do_not_disturb_each_other(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_talk(&crew, "2", "1002", OTHER);
	crew_hold(&crew, "1");
	assert_party_hears(&crew, CUST, "music");
	assert_party_hears(&crew, OTHER, "1002");
	crew_hangup(&crew, AGENT);
	crew_clear(&crew, "2");
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void refused_step_of_the_switch_is_told(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	sim_fail_next(crew.sim, "mix_remove", "not now");
	crew_hold(&crew, "1");
	crew_settle(&crew);
	assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->text, "not now");
	sim_fail_next(crew.sim, "leg_dtmf", "no digits");
	crew_resume(&crew, "1");
	does(telephony_dtmf(crew.telephony, "1", 55, "1", NULL));
	crew_settle(&crew);
	assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->text, "no digits");
	assert_int_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->token, 55);
	crew_done(&crew);
}

static void leg_that_cannot_be_made_ends_the_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	sim_fail_next(crew.sim, "leg_make", NULL);
	crew_make(&crew, "2", AGENT, OTHER);
	crew_settle(&crew);
	assert_ended(&crew, "2", TEL_ERROR, TEL_SIDE_SWITCH);
	crew_clear(&crew, "1");
	sim_fail_next(crew.sim, "leg_make", NULL);
	crew_make(&crew, "3", AGENT, OTHER);
	crew_settle(&crew);
	assert_ended(&crew, "3", TEL_ERROR, TEL_SIDE_AGENT);
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unreachable_telephone_ends_the_call_before_anybody_is_called),
		cmocka_unit_test(unanswered_telephone_ends_the_call_after_20_s),
		cmocka_unit_test(agent_refuses_on_his_telephone),
		cmocka_unit_test(agent_lifts_his_telephone_by_hand),
		cmocka_unit_test(caller_is_parked_with_music_when_the_telephone_is_not_answered),
		cmocka_unit_test(parked_caller_hangs_up_or_is_cleared),
		cmocka_unit_test(agent_who_hangs_up_in_talk_ends_the_call),
		cmocka_unit_test(agent_who_hangs_up_while_the_customer_rings_ends_the_call),
		cmocka_unit_test(agent_who_hangs_up_in_hold_keeps_the_call),
		cmocka_unit_test(call_resumed_on_a_new_leg_is_active),
		cmocka_unit_test(resume_without_a_telephone_leaves_the_call_held),
		cmocka_unit_test(hold_while_the_telephone_rings_again_is_a_hold),
		cmocka_unit_test(hang_up_with_one_call_active_and_one_held_ends_only_the_active),
		cmocka_unit_test(next_call_comes_while_the_last_leg_is_going),
		cmocka_unit_test(agent_with_a_held_call_answers_another),
		cmocka_unit_test(agent_moves_to_another_telephone_between_calls),
		cmocka_unit_test(two_agents_do_not_disturb_each_other),
		cmocka_unit_test(refused_step_of_the_switch_is_told),
		cmocka_unit_test(leg_that_cannot_be_made_ends_the_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
