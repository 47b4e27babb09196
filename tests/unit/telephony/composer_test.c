/* The composer: one call of one agent. */
#include "crew.h"

#define CUST  "+15550001"
#define AGENT "1001"
/* 59 characters: the far leg's id would have 65. */
#define TOO_LONG "01234567890123456789012345678901234567890123456789012345678"

static void made_call_goes_through_its_phases(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", AGENT, CUST);
	crew_run_ms(&crew, 100);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, NULL), 0);
	crew_run_ms(&crew, 1);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	assert_string_equal(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->agent, "agent-1001");
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "1"), 1);
	crew_run_ms(&crew, 100);
	assert_int_equal(crew_told(&crew, TELCALL_RINGING, "1"), 1);
	assert_party_hears(&crew, AGENT, "ringback");
	crew_run_ms(&crew, 400);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
	assert_party_hears(&crew, AGENT, CUST);
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(crew.count, 4);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_true(crew_fact(&crew, TELCALL_ENDED, "1")->has_rung);
	assert_string_equal(crew_fact(&crew, TELCALL_ENDED, "1")->agent, "agent-1001");
	assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	crew_done_empty(&crew);
}

static void make_waiting(struct crew *crew)
{
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER, .value = CUST};
	struct tel_call_options options = {.far_waits = true};

	assert_int_equal(telephony_make(crew->telephony, "1", &agent, &dest, &options, NULL),
			 ST_OK);
}

static void far_party_that_waits_is_called_when_it_may_be(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct crew crew;

		crew_open(&crew, NULL);
		make_waiting(&crew);
		crew_run_ms(&crew, i == 0 ? 5000 : 50); /* his telephone is up, or rings */
		assert_int_equal(crew_legs(&crew), 1);
		assert_int_equal(crew_told(&crew, TELCALL_DIALING, NULL), 0);
		telephony_call_far(crew.telephony, "1");
		telephony_call_far(crew.telephony, "1");
		crew_run_ms(&crew, 2000);
		assert_int_equal(crew_told(&crew, TELCALL_DIALING, "1"), 1);
		assert_party_hears(&crew, AGENT, CUST);
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

static void far_party_that_waits_is_not_called_when_the_call_ends_before(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	make_waiting(&crew);
	crew_run_ms(&crew, 1000);
	crew_end(&crew, "1");
	telephony_call_far(crew.telephony, "1");
	crew_run_ms(&crew, 2000);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, NULL), 0);
	crew_done_empty(&crew);
}

static void transfer_that_waits_is_begun_when_it_may_be(void **state)
{
	(void)state;
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER, .value = "+15550002"};
	struct tel_call_options options = {.far_waits = true};
	struct crew crew;

	for (int i = 0; i < 2; i++) {
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		assert_int_equal(
			telephony_transfer_blind(crew.telephony, "1", &dest, &options, NULL),
			ST_OK);
		crew_run_ms(&crew, 3000);
		assert_party_hears(&crew, CUST, AGENT);
		if (i == 1)
			crew_end(&crew, "1");
		telephony_call_far(crew.telephony, "1");
		crew_run_ms(&crew, 2000);
		assert_int_equal(crew_told(&crew, TELCALL_TRANSFERRED, "1"), i == 0);
		if (i == 0)
			assert_party_hears(&crew, CUST, "+15550002");
		if (i == 0)
			crew_hangup(&crew, CUST);
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void legs_and_mixes_carry_ids_of_this_node(void **state)
{
	(void)state;
	struct crew crew;
	struct sim_leg_view views[2];

	crew_open(&crew, NULL);
	crew_talk(&crew, "call-1", AGENT, CUST);
	assert_int_equal(sim_legs(crew.sim, views, 2), 2);
	assert_int_equal(strncmp(views[0].leg, "gw1-a-", 6), 0);
	assert_string_equal(views[0].leg + strlen(views[0].leg) - 9, "-agent-10");
	assert_string_equal(views[0].tag, "agent-1001");
	assert_string_equal(views[1].leg, "gw1-c-call-1");
	assert_string_equal(views[1].tag, "call-1");
	assert_string_equal(views[1].mix, "gw1-m-call-1");
	assert_string_equal(views[1].shown, "+18005550100");
	crew_done(&crew);
}

static void answering_numbers_come_up(void **state)
{
	(void)state;
	static const char *const numbers[] = {"+1555183", "+1555777", "+1555555", "+1555242",
					      "+1555001"};
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, numbers[i]);
		crew_run_ms(&crew, 4000);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
		assert_int_equal(crew_told(&crew, TELCALL_RINGING, "1"), i != 1);
		assert_party_hears(&crew, AGENT, numbers[i]);
		crew_done(&crew);
	}
}

static void held_customer_hears_music_and_agent_nothing(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	crew_hold(&crew, "1");
	crew_settle(&crew);
	assert_party_hears(&crew, CUST, "music");
	assert_party_hears(&crew, AGENT, "");
	crew_resume(&crew, "1");
	crew_resume(&crew, "1");
	crew_settle(&crew);
	assert_party_hears(&crew, CUST, AGENT);
	assert_party_hears(&crew, AGENT, CUST);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
	crew_done(&crew);
}

static void muted_agent_is_not_heard(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(telephony_mute(crew.telephony, "1", true, NULL));
	assert_party_hears(&crew, CUST, "");
	assert_party_hears(&crew, AGENT, CUST);
	crew_hold(&crew, "1");
	crew_resume(&crew, "1");
	assert_party_hears(&crew, CUST, "");
	does(telephony_mute(crew.telephony, "1", false, NULL));
	assert_party_hears(&crew, CUST, AGENT);
	crew_done(&crew);
}

static void mute_while_ringing_holds_from_the_answer_on(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", AGENT, CUST);
	does(telephony_mute(crew.telephony, "1", true, NULL));
	crew_run_ms(&crew, 700);
	assert_party_hears(&crew, CUST, "");
	crew_done(&crew);
}

static void digits_are_sent_and_received(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(telephony_dtmf(crew.telephony, "1", 77, "12*#", NULL));
	does(telephony_dtmf(crew.telephony, "1", 78, "9", NULL));
	assert_party_hears(&crew, CUST, "1001+dtmf:12*#");
	crew_run_ms(&crew, 700);
	assert_int_equal(crew_fact(&crew, TELCALL_DTMF_DONE, "1")->token, 77);
	crew_run_ms(&crew, 200);
	assert_int_equal(crew_fact(&crew, TELCALL_DTMF_DONE, "1")->token, 78);
	assert_int_equal(crew_told(&crew, TELCALL_DTMF_DONE, NULL), 2);
	sim_party_press(crew.sim, crew_leg(&crew, CUST), "5");
	sim_party_press(crew.sim, crew_leg(&crew, AGENT), "6");
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_DIGIT, NULL), 1);
	assert_string_equal(crew_fact(&crew, TELCALL_DIGIT, "1")->digits, "5");
	crew_done(&crew);
}

static void digits_that_fail_are_told_by_their_token(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(telephony_dtmf(crew.telephony, "1", 77, "1", NULL));
	sim_fail_next(crew.sim, "leg_dtmf", NULL);
	does(telephony_dtmf(crew.telephony, "1", 78, "2", NULL));
	does(telephony_dtmf(crew.telephony, "1", 79, "3", NULL));
	crew_settle(&crew);
	assert_int_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->token, 78);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_DTMF_DONE, "1"), 2);
	assert_int_equal(crew_fact(&crew, TELCALL_DTMF_DONE, "1")->token, 79);
	crew_done(&crew);
}

static void facts_carry_the_time_at_which_the_driver_learned_them(void **state)
{
	(void)state;
	struct crew crew;
	char leg[TEL_ID_SIZE];

	crew_open(&crew, &(struct sim_config){.jitter_ms = 3000, .seed = 3});
	int64_t start_us = crew.stage.held.wall_us;
	does(sim_call_in(crew.sim, "+15559999", "", "100", leg, NULL));
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_OFFERED, NULL), 0);
	crew_run_ms(&crew, 10000);
	assert_int_equal(crew_fact(&crew, TELCALL_OFFERED, NULL)->at_us, start_us);
	crew_done(&crew);
}

static void wrong_or_too_many_digits_are_refused(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	assert_refused(ST_INVALID, "dtmf.invalid",
		       telephony_dtmf(crew.telephony, "1", 1, "12a", &err));
	for (unsigned i = 0; i < 8; i++)
		does(telephony_dtmf(crew.telephony, "1", i, "12", NULL));
	assert_refused(ST_BUSY, "switch.busy", telephony_dtmf(crew.telephony, "1", 9, "12", &err));
	crew_run_ms(&crew, 10000);
	assert_int_equal(crew_told(&crew, TELCALL_DTMF_DONE, "1"), 8);
	crew_done(&crew);
}

static void caller_is_offered_adopted_and_answered(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_caller(&crew, "1", "+15559999");
	const struct tel_call_fact *offer = crew_fact(&crew, TELCALL_OFFERED, NULL);
	assert_string_equal(offer->number, "+15559999");
	assert_string_equal(offer->name, "Caller");
	assert_string_equal(offer->dnis, "+18005550100");
	assert_party_hears(&crew, "+15559999", "ringback");
	crew_answer(&crew, "1", AGENT);
	crew_settle(&crew);
	assert_party_hears(&crew, "+15559999", "music");
	crew_run_ms(&crew, 101);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
	assert_party_hears(&crew, "+15559999", AGENT);
	assert_party_hears(&crew, AGENT, "+15559999");
	crew_clear(&crew, "1");
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	crew_done_empty(&crew);
}

static void refused_offer_is_gone(void **state)
{
	(void)state;
	struct crew crew;
	char leg[TEL_ID_SIZE];

	crew_open(&crew, NULL);
	does(sim_call_in(crew.sim, "1", "", "100", leg, NULL));
	crew_settle(&crew);
	does(telephony_refuse(crew.telephony, leg, 17, NULL));
	assert_refused(ST_CONFLICT, "call.unknown",
		       telephony_adopt(crew.telephony, "1", leg, &err));
	crew_settle(&crew);
	const struct tel_call_fact *gone = crew_fact(&crew, TELCALL_OFFER_GONE, NULL);
	assert_string_equal(gone->leg, leg);
	assert_int_equal(gone->cause, 17);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	crew_done_empty(&crew);
}

static void wrong_arguments_are_refused(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT), odd = agent, nobody = agent;
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST}, sip = {TEL_DEST_NUMBER, "sip:x"};
	struct tel_call_options shown = {.caller_number = "x"}, slow = {.ring_s = 4000};

	strcpy(odd.station, "a b");
	strcpy(nobody.id, "");
	crew_open(&crew, NULL);
	struct telephony *t = crew.telephony;
	assert_refused(ST_INVALID, "agent.bad_id",
		       telephony_make(t, "1", &nobody, &dest, NULL, &err));
	assert_refused(ST_INVALID, "call.bad_id",
		       telephony_make(t, "a b", &agent, &dest, NULL, &err));
	assert_refused(ST_INVALID, "call.bad_id",
		       telephony_make(t, TOO_LONG, &agent, &dest, NULL, &err));
	assert_refused(ST_INVALID, "agent.bad_station",
		       telephony_make(t, "1", &odd, &dest, NULL, &err));
	crew_caller(&crew, "in", "+15559999");
	assert_refused(ST_INVALID, "agent.bad_station", telephony_answer(t, "in", &odd, &err));
	crew_clear(&crew, "in");
	crew_settle(&crew);
	assert_refused(ST_INVALID, "number.invalid",
		       telephony_make(t, "1", &agent, &sip, NULL, &err));
	assert_refused(ST_INVALID, "number.invalid",
		       telephony_make(t, "1", &agent, &dest, &shown, &err));
	assert_refused(ST_INVALID, "call.bad_ring_limit",
		       telephony_make(t, "1", &agent, &dest, &slow, &err));
	assert_int_equal(crew_legs(&crew), 0);
	crew_done_empty(&crew);
}

static void unknown_calls_are_refused(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};

	crew_open(&crew, NULL);
	struct telephony *t = crew.telephony;
	assert_refused(ST_CONFLICT, "call.unknown", telephony_answer(t, "x", &agent, &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_clear(t, "x", 16, &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_hold(t, "x", &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_resume(t, "x", &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_mute(t, "x", true, &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_dtmf(t, "x", 1, "1", &err));
	assert_refused(ST_CONFLICT, "call.unknown",
		       telephony_transfer_blind(t, "x", &dest, NULL, &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_complete(t, "x", "y", &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_conference(t, "x", "y", &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_leave(t, "x", &err));
	assert_refused(ST_CONFLICT, "call.unknown", telephony_refuse(t, "x", 16, &err));
	crew_done_empty(&crew);
}

static void ringing_call_cannot_be_held(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};

	crew_open(&crew, NULL);
	struct telephony *t = crew.telephony;
	crew_make(&crew, "1", AGENT, "+15550408");
	for (unsigned i = 0; i < 2; i++) {
		assert_refused(ST_CONFLICT, "call.not_up", telephony_hold(t, "1", &err));
		assert_refused(ST_CONFLICT, "call.not_up", telephony_resume(t, "1", &err));
		assert_refused(ST_CONFLICT, "call.not_up", telephony_dtmf(t, "1", 1, "1", &err));
		assert_refused(ST_CONFLICT, "call.not_up", telephony_answer(t, "1", &agent, &err));
		assert_refused(ST_CONFLICT, "call.not_up",
			       telephony_transfer_blind(t, "1", &dest, NULL, &err));
		crew_run_ms(&crew, 1000);
	}
	assert_refused(ST_CONFLICT, "call.exists",
		       telephony_make(t, "1", &agent, &dest, NULL, &err));
	assert_refused(ST_CONFLICT, "agent.busy",
		       telephony_make(t, "2", &agent, &dest, NULL, &err));
	crew_done(&crew);
}

static void withheld_number_and_ring_limit_reach_the_switch(void **state)
{
	(void)state;
	struct crew crew;
	struct sim_leg_view views[2];
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {TEL_DEST_NUMBER, "+15550408"};
	struct tel_call_options options = {
		.caller_number = "+18005550100", .is_withheld = true, .ring_s = 5};

	crew_open(&crew, NULL);
	does(telephony_make(crew.telephony, "1", &agent, &dest, &options, NULL));
	crew_run_ms(&crew, 300);
	assert_int_equal(sim_legs(crew.sim, views, 2), 2);
	assert_string_equal(views[1].shown, "");
	crew_run_ms(&crew, 4900);
	assert_ended(&crew, "1", TEL_NO_ANSWER, TEL_SIDE_US);
	crew_done_empty(&crew);
}

static void clear_then_make_again(struct crew *crew, const struct tel_call_fact *fact)
{
	if (fact->kind == TELCALL_UP)
		crew_clear(crew, fact->call);
	if (fact->kind == TELCALL_ENDED && strcmp(fact->call, "1") == 0)
		crew_make(crew, "2", AGENT, CUST);
}

static void commands_may_be_given_from_inside_the_sink(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew.on_fact = clear_then_make_again;
	crew_make(&crew, "1", AGENT, CUST);
	crew_run_ms(&crew, 5000);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_US);
	crew_done_empty(&crew);
}

static void every_fact_and_side_has_its_own_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TELCALL_FACT_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(tel_call_fact_word(i), tel_call_fact_word(k));
	assert_string_equal(tel_side_word(TEL_SIDE_FAR), "customer");
	assert_string_equal(tel_side_word(TEL_SIDE_SWITCH), "switch");
	assert_string_equal(tel_side_word(TEL_SIDE_SWITCH + 1), "?");
	assert_string_equal(tel_call_fact_word(TELCALL_FACT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_call_goes_through_its_phases),
		cmocka_unit_test(far_party_that_waits_is_called_when_it_may_be),
		cmocka_unit_test(far_party_that_waits_is_not_called_when_the_call_ends_before),
		cmocka_unit_test(transfer_that_waits_is_begun_when_it_may_be),
		cmocka_unit_test(legs_and_mixes_carry_ids_of_this_node),
		cmocka_unit_test(answering_numbers_come_up),
		cmocka_unit_test(held_customer_hears_music_and_agent_nothing),
		cmocka_unit_test(muted_agent_is_not_heard),
		cmocka_unit_test(mute_while_ringing_holds_from_the_answer_on),
		cmocka_unit_test(digits_are_sent_and_received),
		cmocka_unit_test(digits_that_fail_are_told_by_their_token),
		cmocka_unit_test(facts_carry_the_time_at_which_the_driver_learned_them),
		cmocka_unit_test(wrong_or_too_many_digits_are_refused),
		cmocka_unit_test(caller_is_offered_adopted_and_answered),
		cmocka_unit_test(refused_offer_is_gone),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(unknown_calls_are_refused),
		cmocka_unit_test(ringing_call_cannot_be_held),
		cmocka_unit_test(withheld_number_and_ring_limit_reach_the_switch),
		cmocka_unit_test(commands_may_be_given_from_inside_the_sink),
		cmocka_unit_test(every_fact_and_side_has_its_own_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
