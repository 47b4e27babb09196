/* The composer: a switch that is away, comes back, was restarted or has too much to do. */
#include "crew.h"

#define CUST  "+15550001"
#define OTHER "+15550002"
#define AGENT "1001"

static void outage_ms(struct crew *crew, unsigned ms)
{
	sim_link_down(crew->sim);
	crew_run_ms(crew, ms);
	sim_link_up(crew->sim);
	crew_settle(crew);
}

static void commands_are_refused_while_the_switch_is_away(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_agent agent = crew_agent(AGENT);
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};

	crew_open(&crew, NULL);
	crew_consult(&crew);
	sim_link_down(crew.sim);
	crew_settle(&crew);
	struct telephony *t = crew.telephony;
	assert_false(crew_fact(&crew, TELCALL_LINK, NULL)->link_up);
	assert_false(telephony_is_linked(t));
	assert_refused(ST_UNAVAILABLE, "switch.away",
		       telephony_make(t, "3", &agent, &dest, NULL, &err));
	assert_refused(ST_UNAVAILABLE, "switch.away", telephony_hold(t, "2", &err));
	assert_refused(ST_UNAVAILABLE, "switch.away", telephony_clear(t, "2", 16, &err));
	assert_refused(ST_UNAVAILABLE, "switch.away", telephony_complete(t, "2", "1", &err));
	assert_refused(ST_UNAVAILABLE, "switch.away", telephony_dtmf(t, "2", 1, "1", &err));
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_true(crew_fact(&crew, TELCALL_LINK, NULL)->link_up);
	assert_true(crew_place(&crew, TELCALL_SYNCED, NULL) >
		    crew_place(&crew, TELCALL_LINK, NULL));
	assert_true(telephony_is_linked(t));
	assert_party_hears(&crew, AGENT, OTHER);
	assert_party_hears(&crew, CUST, "music");
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	crew_done(&crew);
}

/* The outage begins at each moment of the call and is over at once: the call must come up all the
 * same. */
static void short_outage_in_every_phase_does_no_harm(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms <= 650; ms += 10) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, ms);
		outage_ms(&crew, 0);
		crew_run_ms(&crew, 1000);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
		assert_party_hears(&crew, AGENT, CUST);
		assert_party_hears(&crew, CUST, AGENT);
		crew_clear(&crew, "1");
		crew_settle(&crew);
		assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
		crew_done_empty(&crew);
	}
}

static void answers_during_the_outage_are_noticed(void **state)
{
	(void)state;
	static const unsigned begins_ms[] = {0, 50, 101, 250};
	for (unsigned i = 0; i < sizeof begins_ms / sizeof *begins_ms; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, begins_ms[i]);
		outage_ms(&crew, 5000);
		crew_run_ms(&crew, 1000);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
		assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
		assert_party_hears(&crew, AGENT, CUST);
		crew_clear(&crew, "1");
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void parties_lost_during_the_outage_end_their_calls(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, i == 0 ? 150 : 650);
		if (i == 2)
			crew_hold(&crew, "1");
		sim_link_down(crew.sim);
		crew_hangup(&crew, i == 3 ? AGENT : CUST);
		crew_run_ms(&crew, 1000);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
		sim_link_up(crew.sim);
		crew_settle(&crew);
		assert_ended(&crew, "1", i == 3 ? TEL_NORMAL : TEL_LOST, TEL_SIDE_SWITCH);
		assert_true(crew_place(&crew, TELCALL_SYNCED, NULL) >
				    crew_place(&crew, TELCALL_ENDED, "1") ||
			    i == 3);
		crew_run_ms(&crew, 1000);
		crew_done_empty(&crew);
	}
}

static void agents_telephone_lost_before_the_call_ends_it(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", "1003", CUST);
	crew_run_ms(&crew, 1000);
	sim_link_down(crew.sim);
	crew_hangup(&crew, "1003");
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	crew_done_empty(&crew);
}

static void ring_time_passes_during_the_outage(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", "1003", CUST);
	crew_run_ms(&crew, 1000);
	sim_link_down(crew.sim);
	crew_run_ms(&crew, 19000);
	assert_ended(&crew, "1", TEL_NO_ANSWER, TEL_SIDE_AGENT);
	assert_int_equal(crew_legs(&crew), 1);
	sim_link_up(crew.sim);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void caller_being_answered_survives_the_outage(void **state)
{
	(void)state;
	for (unsigned latency_ms = 0; latency_ms <= 50; latency_ms += 50) {
		struct crew crew;
		crew_open(&crew, &(struct sim_config){.latency_ms = latency_ms});
		crew_caller(&crew, "1", "+15559999");
		crew_run_ms(&crew, 60);
		crew_answer(&crew, "1", AGENT);
		outage_ms(&crew, 1000);
		crew_run_ms(&crew, 2000);
		if (latency_ms == 0) {
			assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
			assert_party_hears(&crew, "+15559999", AGENT);
		} else {
			/* The making of the agent's leg was lost with the link; the answer was
			 * repeated. */
			assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->text,
					    "agent.no_audio");
			assert_party_hears(&crew, "+15559999", "music");
		}
		crew_clear(&crew, "1");
		crew_run_ms(&crew, 200);
		crew_done_empty(&crew);
	}
}

/* A slow switch loses what was on its way. Each operation is repeated by what should be so. */
static void operations_lost_with_the_link_are_repeated(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, &(struct sim_config){.latency_ms = 50});
	crew_consult(&crew);
	crew_hold(&crew, "2");
	crew_resume(&crew, "1");
	does(telephony_mute(crew.telephony, "1", true, NULL));
	assert_party_hears(&crew, AGENT, OTHER);
	outage_ms(&crew, 1000);
	crew_run_ms(&crew, 200);
	assert_party_hears(&crew, AGENT, CUST);
	assert_party_hears(&crew, OTHER, "music");
	assert_party_hears(&crew, CUST, "");
	crew_hold(&crew, "1");
	outage_ms(&crew, 1000);
	crew_run_ms(&crew, 200);
	assert_party_hears(&crew, AGENT, "");
	assert_party_hears(&crew, CUST, "music");
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	outage_ms(&crew, 1000);
	crew_run_ms(&crew, 200);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_US);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	crew_done_empty(&crew);
}

static void completion_lost_with_the_link_is_repeated(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, &(struct sim_config){.latency_ms = 50});
	crew_consult(&crew);
	does(telephony_complete(crew.telephony, "2", "1", NULL));
	outage_ms(&crew, 1000);
	crew_run_ms(&crew, 200);
	assert_party_hears(&crew, CUST, OTHER);
	assert_party_hears(&crew, OTHER, CUST);
	assert_int_equal(crew_legs(&crew), 2);
	assert_int_equal(sim_mixes(crew.sim), 1);
	crew_hangup(&crew, CUST);
	crew_run_ms(&crew, 200);
	crew_done_empty(&crew);
}

static void parties_left_to_themselves_survive_the_outage(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_complete(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	outage_ms(&crew, 1000);
	assert_party_hears(&crew, CUST, OTHER);
	sim_link_down(crew.sim);
	crew_hangup(&crew, CUST);
	sim_link_up(crew.sim);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void transfer_target_answers_or_fails_during_the_outage(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		crew_transfer(&crew, "1", i ? "+15550480" : OTHER);
		crew_run_ms(&crew, 50);
		outage_ms(&crew, 5000);
		if (i) {
			assert_int_equal(crew_fact(&crew, TELCALL_TRANSFER_FAILED, "1")->result,
					 TEL_LOST);
			assert_party_hears(&crew, CUST, "music");
			crew_clear(&crew, "1");
		} else {
			assert_int_equal(crew_told(&crew, TELCALL_TRANSFERRED, "1"), 1);
			assert_party_hears(&crew, CUST, OTHER);
			crew_hangup(&crew, CUST);
		}
		crew_settle(&crew);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 1);
		crew_done_empty(&crew);
	}
}

static void digits_lost_with_the_link_are_told(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(telephony_dtmf(crew.telephony, "1", 41, "12345", NULL));
	outage_ms(&crew, 100);
	crew_run_ms(&crew, 3000);
	assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->text, "dtmf.lost");
	assert_int_equal(crew_fact(&crew, TELCALL_OP_FAILED, "1")->token, 41);
	assert_int_equal(crew_told(&crew, TELCALL_DTMF_DONE, NULL), 0);
	crew_done(&crew);
}

/* Somebody has tidied up the switch; the second time after a resync that saw everything. */
static void mix_lost_by_the_switch_is_made_again(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	for (unsigned i = 0; i < 2; i++) {
		does(tel_driver_resync(crew.driver));
		crew_settle(&crew);
		does(tel_mix_free(crew.driver, 1, "gw1-m-1"));
		does(tel_mix_free(crew.driver, 1, "gw1-m-2"));
		assert_party_hears(&crew, AGENT, "");
		does(tel_driver_resync(crew.driver));
		crew_settle(&crew);
		assert_party_hears(&crew, AGENT, OTHER);
		assert_party_hears(&crew, CUST, "music");
	}
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void objection_to_a_repetition_is_no_news(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	sim_fail_next(crew.sim, "mix_add", "it is in there");
	outage_ms(&crew, 10);
	crew_settle(&crew);
	assert_int_equal(crew.refused, 1);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	sim_fail_next(crew.sim, "mix_remove", "now it is news");
	crew_hold(&crew, "1");
	crew_settle(&crew);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, "1"), 1);
	crew_done(&crew);
}

static void ringing_lost_with_the_link_is_heard_after_it(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, &(struct sim_config){.latency_ms = 50});
	crew_caller(&crew, "1", "+15559999");
	outage_ms(&crew, 10);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, "+15559999", "ringback");
	crew_hangup(&crew, "+15559999");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

/* Nobody has told the composer of the outage, which is over already: what it asks is refused. */
static void command_between_two_links(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	sim_link_down(crew.sim);
	sim_link_up(crew.sim);
	crew_make(&crew, "1", AGENT, CUST);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	crew_done_empty(&crew);
}

static void restart_of_the_switch_ends_every_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_caller(&crew, "3", "+15559999");
	crew_make(&crew, "4", "1003", CUST);
	int64_t before = crew.stage.held.wall_us;
	sim_restart(crew.sim);
	crew_settle(&crew);
	for (char call[] = "1"; call[0] <= '4'; call[0]++)
		assert_ended(&crew, call, TEL_LOST, TEL_SIDE_SWITCH);
	assert_true(crew_fact(&crew, TELCALL_LINK, NULL)->epoch >= before);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	crew_talk(&crew, "5", AGENT, CUST);
	assert_party_hears(&crew, AGENT, CUST);
	crew_clear(&crew, "5");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void restart_after_an_outage_ends_every_call(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	sim_link_down(crew.sim);
	sim_restart(crew.sim);
	crew_run_ms(&crew, 30000);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	assert_ended(&crew, "2", TEL_LOST, TEL_SIDE_SWITCH);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	crew_done_empty(&crew);
}

static void offers_come_after_the_outage(void **state)
{
	(void)state;
	struct crew crew;
	char leg[TEL_ID_SIZE];

	crew_open(&crew, NULL);
	sim_link_down(crew.sim);
	does(sim_call_in(crew.sim, "1", "", "100", leg, NULL));
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_string_equal(crew_fact(&crew, TELCALL_OFFERED, NULL)->leg, leg);
	sim_link_down(crew.sim);
	sim_party_hangup(crew.sim, leg);
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_int_equal(crew_fact(&crew, TELCALL_OFFER_GONE, NULL)->result, TEL_LOST);
	crew_done_empty(&crew);
}

/* What an earlier life of this gateway, and others, have left at the switch. */
static void orphans_of_ours_are_removed_and_strangers_left_alone(void **state)
{
	(void)state;
	static const char *const ours[] = {"gw1-c-old", "gw1-a-7-agent-10", "gw1-t-7"};
	static const char *const strangers[] = {"gw2-c-old",  "gw1",	    "gw1-x-old",
						"gw1-cc-old", "gw11-c-old", "1795357596.21"};
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};

	crew_open(&crew, NULL);
	for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++)
		does(tel_leg_make(crew.driver, 1, ours[i], &dest, NULL));
	for (unsigned i = 0; i < sizeof strangers / sizeof *strangers; i++)
		does(tel_leg_make(crew.driver, 1, strangers[i], &dest, NULL));
	does(tel_mix_make(crew.driver, 1, "gw1-m-old", TEL_MIX_TALK));
	does(tel_mix_make(crew.driver, 1, "gw2-m-old", TEL_MIX_TALK));
	crew_run_ms(&crew, 1000);
	does(tel_driver_resync(crew.driver));
	crew_settle(&crew);
	assert_int_equal(crew_legs(&crew), sizeof strangers / sizeof *strangers);
	assert_int_equal(sim_mixes(crew.sim), 1);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, NULL), 0);
	crew_done(&crew);
}

static void full_queue_of_the_driver_delays_and_loses_nothing(void **state)
{
	(void)state;
	for (unsigned busy = 1; busy < 12; busy++) {
		struct crew crew;
		struct tel_agent agent = crew_agent("1002");
		struct tel_dest dest = {TEL_DEST_NUMBER, OTHER};
		crew_open(&crew, NULL);
		sim_busy_next(crew.sim, busy);
		crew_make(&crew, "1", AGENT, CUST);
		assert_refused(ST_BUSY, "switch.busy",
			       telephony_make(crew.telephony, "2", &agent, &dest, NULL, &err));
		crew_run_ms(&crew, 2000);
		assert_party_hears(&crew, AGENT, CUST);
		crew_hold(&crew, "1");
		sim_busy_next(crew.sim, busy);
		crew_make(&crew, "2", AGENT, OTHER);
		crew_run_ms(&crew, 2000);
		assert_party_hears(&crew, AGENT, OTHER);
		sim_busy_next(crew.sim, busy);
		does(telephony_complete(crew.telephony, "2", "1", NULL));
		crew_run_ms(&crew, 2000);
		assert_party_hears(&crew, CUST, OTHER);
		crew_hangup(&crew, CUST);
		sim_busy_next(crew.sim, busy);
		crew_run_ms(&crew, 2000);
		crew_done_empty(&crew);
	}
}

static void outage_while_operations_wait_for_room(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	sim_busy_next(crew.sim, 100);
	crew_make(&crew, "1", AGENT, CUST);
	crew_run_ms(&crew, 50);
	sim_busy_next(crew.sim, 0);
	outage_ms(&crew, 1000);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	crew_talk(&crew, "2", AGENT, CUST);
	sim_busy_next(crew.sim, 100);
	crew_hold(&crew, "2");
	crew_run_ms(&crew, 50);
	sim_busy_next(crew.sim, 0);
	outage_ms(&crew, 1000);
	assert_party_hears(&crew, CUST, "music");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

/* The link is gone, but the composer has not been told yet. */
static void command_into_a_link_that_has_just_gone(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	sim_link_down(crew.sim);
	crew_hold(&crew, "1");
	crew_make(&crew, "2", AGENT, OTHER);
	crew_run_ms(&crew, 100);
	assert_ended(&crew, "2", TEL_LOST, TEL_SIDE_SWITCH);
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_party_hears(&crew, CUST, "music");
	crew_resume(&crew, "1");
	assert_party_hears(&crew, CUST, AGENT);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void clear_just_before_the_outage_is_carried_out_after_it(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	sim_link_down(crew.sim);
	crew_clear(&crew, "1");
	crew_run_ms(&crew, 5000);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	assert_int_equal(crew_legs(&crew), 2);
	sim_link_up(crew.sim);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_refused_while_the_switch_is_away),
		cmocka_unit_test(short_outage_in_every_phase_does_no_harm),
		cmocka_unit_test(answers_during_the_outage_are_noticed),
		cmocka_unit_test(parties_lost_during_the_outage_end_their_calls),
		cmocka_unit_test(agents_telephone_lost_before_the_call_ends_it),
		cmocka_unit_test(ring_time_passes_during_the_outage),
		cmocka_unit_test(caller_being_answered_survives_the_outage),
		cmocka_unit_test(operations_lost_with_the_link_are_repeated),
		cmocka_unit_test(completion_lost_with_the_link_is_repeated),
		cmocka_unit_test(parties_left_to_themselves_survive_the_outage),
		cmocka_unit_test(transfer_target_answers_or_fails_during_the_outage),
		cmocka_unit_test(digits_lost_with_the_link_are_told),
		cmocka_unit_test(mix_lost_by_the_switch_is_made_again),
		cmocka_unit_test(objection_to_a_repetition_is_no_news),
		cmocka_unit_test(ringing_lost_with_the_link_is_heard_after_it),
		cmocka_unit_test(command_between_two_links),
		cmocka_unit_test(restart_of_the_switch_ends_every_call),
		cmocka_unit_test(restart_after_an_outage_ends_every_call),
		cmocka_unit_test(offers_come_after_the_outage),
		cmocka_unit_test(orphans_of_ours_are_removed_and_strangers_left_alone),
		cmocka_unit_test(full_queue_of_the_driver_delays_and_loses_nothing),
		cmocka_unit_test(outage_while_operations_wait_for_room),
		cmocka_unit_test(command_into_a_link_that_has_just_gone),
		cmocka_unit_test(clear_just_before_the_outage_is_carried_out_after_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
