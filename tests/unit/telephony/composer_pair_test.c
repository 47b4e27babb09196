/* The composer: two calls of one agent, and what can be done with them. */
#include "crew.h"

#define ONE   "+15550001"
#define TWO   "+15550002"
#define THREE "+15550003"
#define AGENT "1001"

static void second_call_moves_the_agents_leg(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, ONE);
	crew_hold(&crew, "1");
	crew_make(&crew, "2", AGENT, TWO);
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "2"), 1);
	assert_int_equal(crew_legs(&crew), 3);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, AGENT, "ringback");
	assert_party_hears(&crew, ONE, "music");
	crew_run_ms(&crew, 400);
	assert_party_hears(&crew, AGENT, TWO);
	assert_party_hears(&crew, ONE, "music");
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
	crew_done(&crew);
}

static void toggle_swaps_who_hears_music(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	for (unsigned i = 0; i < 3; i++) {
		crew_hold(&crew, "2");
		crew_resume(&crew, "1");
		crew_settle(&crew);
		assert_party_hears(&crew, AGENT, ONE);
		assert_party_hears(&crew, ONE, AGENT);
		assert_party_hears(&crew, TWO, "music");
		crew_hold(&crew, "1");
		crew_resume(&crew, "2");
		crew_settle(&crew);
		assert_party_hears(&crew, AGENT, TWO);
		assert_party_hears(&crew, TWO, AGENT);
		assert_party_hears(&crew, ONE, "music");
	}
	does(telephony_complete(crew.telephony, "2", "1", NULL));
	assert_party_hears(&crew, ONE, TWO);
	crew_done(&crew);
}

static void two_active_calls_are_refused(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT);

	crew_open(&crew, NULL);
	crew_consult(&crew);
	assert_refused(ST_CONFLICT, "agent.busy", telephony_resume(crew.telephony, "1", &err));
	crew_caller(&crew, "3", "+15559999");
	assert_refused(ST_CONFLICT, "agent.busy",
		       telephony_answer(crew.telephony, "3", &agent, &err));
	assert_party_hears(&crew, AGENT, TWO);
	assert_party_hears(&crew, ONE, "music");
	assert_party_hears(&crew, "+15559999", "ringback");
	crew_done(&crew);
}

static void mute_belongs_to_the_call_not_to_the_leg(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_mute(crew.telephony, "2", true, NULL));
	assert_party_hears(&crew, TWO, "");
	crew_hold(&crew, "2");
	crew_resume(&crew, "1");
	assert_party_hears(&crew, ONE, AGENT);
	crew_hold(&crew, "1");
	crew_resume(&crew, "2");
	assert_party_hears(&crew, TWO, "");
	crew_done(&crew);
}

static void end_of_one_call_leaves_the_other(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_clear(&crew, "2");
	crew_settle(&crew);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_US);
	assert_party_hears(&crew, ONE, "music");
	assert_party_hears(&crew, AGENT, "");
	crew_resume(&crew, "1");
	assert_party_hears(&crew, AGENT, ONE);
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_FAR);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 2);
	crew_done_empty(&crew);
}

static void held_party_hangs_up(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_FAR);
	assert_party_hears(&crew, AGENT, TWO);
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void completed_parties_talk_without_the_agent(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_complete(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_US);
	assert_party_hears(&crew, ONE, TWO);
	assert_party_hears(&crew, TWO, ONE);
	assert_int_equal(crew_legs(&crew), 2);
	assert_int_equal(sim_mixes(crew.sim), 1);
	crew_run_ms(&crew, 60000);
	crew_hangup(&crew, TWO);
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 2);
	crew_done_empty(&crew);
}

static void completion_keeps_the_leg_of_an_agent_with_a_third_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_hold(&crew, "2");
	crew_talk(&crew, "3", AGENT, THREE);
	does(telephony_complete(crew.telephony, "3", "1", NULL));
	crew_settle(&crew);
	assert_party_hears(&crew, ONE, THREE);
	assert_party_hears(&crew, TWO, "music");
	assert_party_hears(&crew, AGENT, "");
	crew_resume(&crew, "2");
	assert_party_hears(&crew, TWO, AGENT);
	crew_done(&crew);
}

static void completion_needs_one_active_and_one_held(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	struct telephony *t = crew.telephony;
	assert_refused(ST_CONFLICT, "call.not_up", telephony_complete(t, "1", "2", &err));
	assert_refused(ST_CONFLICT, "call.not_held", telephony_complete(t, "2", "2", &err));
	assert_refused(ST_CONFLICT, "call.not_up", telephony_conference(t, "1", "2", &err));
	crew_hold(&crew, "2");
	assert_refused(ST_CONFLICT, "call.not_up", telephony_complete(t, "2", "1", &err));
	crew_talk(&crew, "other", "1002", THREE);
	assert_refused(ST_CONFLICT, "call.not_held", telephony_complete(t, "other", "1", &err));
	assert_refused(ST_CONFLICT, "call.not_held", telephony_conference(t, "other", "1", &err));
	assert_party_hears(&crew, ONE, "music");
	assert_party_hears(&crew, TWO, "music");
	assert_party_hears(&crew, THREE, "1002");
	crew_done(&crew);
}

/* The hang-up is on its way when the command is given. */
static void party_hangs_up_in_the_middle_of_a_completion(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_consult(&crew);
		crew_hangup(&crew, i ? ONE : TWO);
		does(telephony_complete(crew.telephony, "2", "1", NULL));
		crew_settle(&crew);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 1);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, "2"), 1);
		crew_run_ms(&crew, 1000);
		crew_done_empty(&crew);
	}
}

static void open_conference(struct crew *crew)
{
	crew_open(crew, NULL);
	crew_consult(crew);
	does(telephony_conference(crew->telephony, "2", "1", NULL));
	crew_settle(crew);
}

static void conference_hears_each_other(void **state)
{
	(void)state;
	struct crew crew;

	open_conference(&crew);
	assert_party_hears(&crew, AGENT, ONE "+" TWO);
	assert_party_hears(&crew, ONE, TWO "+" AGENT);
	assert_party_hears(&crew, TWO, ONE "+" AGENT);
	assert_int_equal(sim_mixes(crew.sim), 1);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	does(telephony_mute(crew.telephony, "1", true, NULL));
	assert_party_hears(&crew, ONE, TWO);
	assert_party_hears(&crew, TWO, ONE);
	crew_done(&crew);
}

static void agent_leaves_a_conference_and_the_two_stay(void **state)
{
	(void)state;
	struct crew crew;

	open_conference(&crew);
	does(telephony_leave(crew.telephony, "1", NULL));
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_US);
	assert_party_hears(&crew, ONE, TWO);
	assert_party_hears(&crew, TWO, ONE);
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void agent_who_puts_down_his_telephone_has_left(void **state)
{
	(void)state;
	struct crew crew;

	open_conference(&crew);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_AGENT);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_AGENT);
	assert_party_hears(&crew, ONE, TWO);
	crew_hangup(&crew, TWO);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void party_leaves_a_conference_and_the_others_go_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		const char *gone = i ? ONE : TWO, *stays = i ? TWO : ONE;
		open_conference(&crew);
		crew_hangup(&crew, gone);
		crew_settle(&crew);
		assert_ended(&crew, i ? "1" : "2", TEL_NORMAL, TEL_SIDE_FAR);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 1);
		assert_party_hears(&crew, AGENT, stays);
		assert_party_hears(&crew, stays, AGENT);
		assert_refused(ST_CONFLICT, "call.not_in_conference",
			       telephony_leave(crew.telephony, i ? "2" : "1", &err));
		crew_hold(&crew, i ? "2" : "1");
		assert_party_hears(&crew, stays, "music");
		crew_clear(&crew, i ? "2" : "1");
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void cleared_party_of_a_conference_goes_alone(void **state)
{
	(void)state;
	struct crew crew;

	open_conference(&crew);
	crew_clear(&crew, "2");
	crew_settle(&crew);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_US);
	assert_party_hears(&crew, AGENT, ONE);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void held_conference_goes_on_without_music(void **state)
{
	(void)state;
	struct crew crew;

	open_conference(&crew);
	crew_hold(&crew, "1");
	assert_party_hears(&crew, ONE, TWO);
	assert_party_hears(&crew, TWO, ONE);
	assert_party_hears(&crew, AGENT, "");
	crew_talk(&crew, "3", AGENT, THREE);
	assert_refused(ST_CONFLICT, "agent.busy", telephony_resume(crew.telephony, "2", &err));
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	assert_party_hears(&crew, TWO, "music");
	crew_hold(&crew, "3");
	crew_resume(&crew, "2");
	assert_party_hears(&crew, TWO, AGENT);
	crew_done(&crew);
}

static void fourth_party_joins_a_conference(void **state)
{
	(void)state;
	struct crew crew;

	open_conference(&crew);
	crew_hold(&crew, "1");
	crew_talk(&crew, "3", AGENT, THREE);
	does(telephony_conference(crew.telephony, "3", "1", NULL));
	assert_party_hears(&crew, AGENT, ONE "+" TWO "+" THREE);
	assert_party_hears(&crew, THREE, ONE "+" TWO "+" AGENT);
	does(telephony_leave(crew.telephony, "2", NULL));
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 3);
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	assert_party_hears(&crew, TWO, THREE);
	crew_hangup(&crew, TWO);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void party_hangs_up_in_the_middle_of_a_conference_command(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct crew crew;
		const char *who[] = {ONE, TWO, AGENT};
		crew_open(&crew, NULL);
		crew_consult(&crew);
		crew_hangup(&crew, who[i]);
		does(telephony_conference(crew.telephony, "2", "1", NULL));
		crew_settle(&crew);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), i == 2 ? 2 : 1);
		if (i == 2) {
			assert_party_hears(&crew, ONE, TWO);
			crew_hangup(&crew, ONE);
		} else {
			assert_party_hears(&crew, AGENT, i ? ONE : TWO);
			crew_clear(&crew, i ? "1" : "2");
		}
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void blind_transfer_connects_the_customer_with_the_target(void **state)
{
	(void)state;
	struct crew crew;
	struct sim_leg_view views[2];

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, ONE);
	crew_transfer(&crew, "1", TWO);
	crew_settle(&crew);
	assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, ONE, "ringback");
	assert_int_equal(sim_legs(crew.sim, views, 2), 2);
	assert_int_equal(strncmp(views[1].leg, "gw1-t-", 6), 0);
	assert_string_equal(views[1].tag, "1");
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	crew_run_ms(&crew, 400);
	assert_int_equal(crew_told(&crew, TELCALL_TRANSFERRED, "1"), 1);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_true(crew_place(&crew, TELCALL_TRANSFERRED, "1") <
		    crew_place(&crew, TELCALL_ENDED, "1"));
	assert_party_hears(&crew, ONE, TWO);
	assert_party_hears(&crew, TWO, ONE);
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void held_call_is_transferred_blind(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_transfer(&crew, "1", THREE);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, ONE, "ringback");
	assert_party_hears(&crew, AGENT, TWO);
	crew_run_ms(&crew, 400);
	assert_party_hears(&crew, ONE, THREE);
	assert_party_hears(&crew, AGENT, TWO);
	crew_done(&crew);
}

static void failed_transfer_leaves_the_customer_with_music(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, ONE);
	crew_transfer(&crew, "1", "+15550486");
	crew_run_ms(&crew, 200);
	const struct tel_call_fact *failed = crew_fact(&crew, TELCALL_TRANSFER_FAILED, "1");
	assert_int_equal(failed->result, TEL_BUSY);
	assert_int_equal(failed->cause, 17);
	assert_party_hears(&crew, ONE, "music");
	assert_int_equal(crew_legs(&crew), 1);
	crew_answer(&crew, "1", "1002");
	crew_run_ms(&crew, 200);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 2);
	assert_party_hears(&crew, ONE, "1002");
	crew_clear(&crew, "1");
	crew_settle(&crew);
	assert_string_equal(crew_fact(&crew, TELCALL_ENDED, "1")->agent, "agent-1002");
	crew_done_empty(&crew);
}

static void failed_transfer_can_be_taken_back_or_tried_again(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, ONE);
	crew_transfer(&crew, "1", "+15550486");
	crew_run_ms(&crew, 200);
	crew_transfer(&crew, "1", "+15550404");
	crew_run_ms(&crew, 200);
	assert_int_equal(crew_fact(&crew, TELCALL_TRANSFER_FAILED, "1")->result, TEL_INVALID);
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 200);
	assert_party_hears(&crew, ONE, AGENT);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void customer_hangs_up_while_the_target_rings(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, ONE);
	crew_transfer(&crew, "1", "+15550408");
	crew_run_ms(&crew, 1000);
	crew_hangup(&crew, ONE);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_FAR);
	assert_int_equal(crew_told(&crew, TELCALL_TRANSFER_FAILED, NULL), 0);
	crew_done_empty(&crew);
}

static void transfer_is_cleared_while_the_target_rings(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, ONE);
	crew_transfer(&crew, "1", "+15550408");
	crew_run_ms(&crew, 1000);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	crew_done_empty(&crew);
}

static void conference_cannot_be_transferred(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_NUMBER, THREE}, bad = {TEL_DEST_NUMBER, "x"};

	open_conference(&crew);
	assert_refused(ST_CONFLICT, "call.in_conference",
		       telephony_transfer_blind(crew.telephony, "1", &dest, NULL, &err));
	assert_refused(ST_INVALID, "number.invalid",
		       telephony_transfer_blind(crew.telephony, "1", &bad, NULL, &err));
	assert_party_hears(&crew, AGENT, ONE "+" TWO);
	crew_done(&crew);
}

static void agents_call_each_other(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {TEL_DEST_STATION, "1002"};

	crew_open(&crew, NULL);
	does(telephony_make(crew.telephony, "1", &agent, &dest, NULL, NULL));
	crew_run_ms(&crew, 700);
	assert_party_hears(&crew, AGENT, "1002");
	assert_party_hears(&crew, "1002", AGENT);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_call_moves_the_agents_leg),
		cmocka_unit_test(toggle_swaps_who_hears_music),
		cmocka_unit_test(two_active_calls_are_refused),
		cmocka_unit_test(mute_belongs_to_the_call_not_to_the_leg),
		cmocka_unit_test(end_of_one_call_leaves_the_other),
		cmocka_unit_test(held_party_hangs_up),
		cmocka_unit_test(completed_parties_talk_without_the_agent),
		cmocka_unit_test(completion_keeps_the_leg_of_an_agent_with_a_third_call),
		cmocka_unit_test(completion_needs_one_active_and_one_held),
		cmocka_unit_test(party_hangs_up_in_the_middle_of_a_completion),
		cmocka_unit_test(conference_hears_each_other),
		cmocka_unit_test(agent_leaves_a_conference_and_the_two_stay),
		cmocka_unit_test(agent_who_puts_down_his_telephone_has_left),
		cmocka_unit_test(party_leaves_a_conference_and_the_others_go_on),
		cmocka_unit_test(cleared_party_of_a_conference_goes_alone),
		cmocka_unit_test(held_conference_goes_on_without_music),
		cmocka_unit_test(fourth_party_joins_a_conference),
		cmocka_unit_test(party_hangs_up_in_the_middle_of_a_conference_command),
		cmocka_unit_test(blind_transfer_connects_the_customer_with_the_target),
		cmocka_unit_test(held_call_is_transferred_blind),
		cmocka_unit_test(failed_transfer_leaves_the_customer_with_music),
		cmocka_unit_test(failed_transfer_can_be_taken_back_or_tried_again),
		cmocka_unit_test(customer_hangs_up_while_the_target_rings),
		cmocka_unit_test(transfer_is_cleared_while_the_target_rings),
		cmocka_unit_test(conference_cannot_be_transferred),
		cmocka_unit_test(agents_call_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
