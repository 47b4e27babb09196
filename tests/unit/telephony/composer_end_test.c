/* The composer: how calls end, from either side and in every phase. */
#include "crew.h"

#define CUST  "+15550001"
#define AGENT "1001"

struct failing_number {
	const char *number;
	enum tel_result result;
	enum tel_side side;
	int cause;
	bool has_rung;
};

/* clang-format off */
static const struct failing_number failing[] = {
	{"+1555486", TEL_BUSY,       TEL_SIDE_FAR,    17, false},
	{"+1555404", TEL_INVALID,    TEL_SIDE_SWITCH,  1, false},
	{"+1555480", TEL_NO_ANSWER,  TEL_SIDE_FAR,    19, true},
	{"+1555603", TEL_REJECTED,   TEL_SIDE_FAR,    21, false},
	{"+1555503", TEL_CONGESTION, TEL_SIDE_SWITCH, 34, false},
	{"+1555500", TEL_ERROR,      TEL_SIDE_SWITCH, 38, false},
	{"+1555408", TEL_NO_ANSWER,  TEL_SIDE_US,     19, true},
	{"+1555999", TEL_ERROR,      TEL_SIDE_SWITCH, 19, false},
	{"+1555199", TEL_NORMAL,     TEL_SIDE_FAR,    16, true},
};
/* clang-format on */

static void every_number_ending_has_its_result(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof failing / sizeof *failing; i++) {
		const struct failing_number *f = &failing[i];
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, f->number);
		crew_run_ms(&crew, 40000);
		assert_ended(&crew, "1", f->result, f->side);
		const struct tel_call_fact *ended = crew_fact(&crew, TELCALL_ENDED, "1");
		assert_int_equal(ended->cause, f->cause);
		assert_int_equal(ended->has_rung, f->has_rung);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), f->result == TEL_NORMAL);
		crew_done_empty(&crew);
	}
}

static void offer_ends_before_anybody_adopts_it(void **state)
{
	(void)state;
	struct crew crew;
	char leg[TEL_ID_SIZE];

	crew_open(&crew, NULL);
	does(sim_call_in(crew.sim, "1", "", "100", leg, NULL));
	crew_settle(&crew);
	sim_party_hangup(crew.sim, leg);
	does(telephony_adopt(crew.telephony, "late", leg, NULL));
	crew_settle(&crew);
	assert_ended(&crew, "late", TEL_ABANDONED, TEL_SIDE_FAR);
	does(sim_call_in(crew.sim, "1", "", "100", leg, NULL));
	crew_settle(&crew);
	sim_party_hangup(crew.sim, leg);
	crew_settle(&crew);
	assert_int_equal(crew_fact(&crew, TELCALL_OFFER_GONE, NULL)->result, TEL_ABANDONED);
	assert_int_equal(crew_fact(&crew, TELCALL_OFFER_GONE, NULL)->sip, 487);
	assert_refused(ST_CONFLICT, "call.unknown",
		       telephony_adopt(crew.telephony, "2", leg, &err));
	crew_done_empty(&crew);
}

static void caller_abandons_while_ringing(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_caller(&crew, "1", "+15559999");
	crew_hangup(&crew, "+15559999");
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_ABANDONED, TEL_SIDE_FAR);
	crew_done_empty(&crew);
}

static void clear_in_every_phase_leaves_nothing(void **state)
{
	(void)state;
	static const unsigned phases_ms[] = {0, 50, 101, 150, 250, 650};
	static const enum tel_result results[] = {TEL_CANCELLED, TEL_CANCELLED, TEL_CANCELLED,
						  TEL_CANCELLED, TEL_CANCELLED, TEL_NORMAL};
	for (unsigned i = 0; i < sizeof phases_ms / sizeof *phases_ms; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, phases_ms[i]);
		crew_clear(&crew, "1");
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
		crew_settle(&crew);
		assert_ended(&crew, "1", results[i], TEL_SIDE_US);
		crew_run_ms(&crew, 60000);
		assert_ended(&crew, "1", results[i], TEL_SIDE_US);
		crew_done_empty(&crew);
	}
}

static void clear_of_an_inbound_call_in_every_phase_leaves_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_caller(&crew, "1", "+15559999");
		if (i > 0)
			crew_answer(&crew, "1", AGENT);
		if (i > 1)
			crew_run_ms(&crew, i == 2 ? 50 : 200);
		if (i > 3)
			crew_hold(&crew, "1");
		crew_clear(&crew, "1");
		crew_settle(&crew);
		/* The answer was on its way when the second was cleared: it was up by then. */
		assert_ended(&crew, "1", i == 0 ? TEL_CANCELLED : TEL_NORMAL, TEL_SIDE_US);
		crew_run_ms(&crew, 60000);
		crew_done_empty(&crew);
	}
}

static void cleared_call_is_told_to_end_though_the_switch_is_silent(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	sim_fail_next(crew.sim, "leg_hangup", NULL);
	crew_clear(&crew, "1");
	crew_run_ms(&crew, 3000);
	crew_clear(&crew, "1");
	crew_run_ms(&crew, 1999);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	crew_run_ms(&crew, 1);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	crew_done(&crew);
}

static void call_without_a_far_leg_ends_without_waiting_for_the_switch(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, &(struct sim_config){.latency_ms = 50});
	crew_make(&crew, "1", AGENT, CUST);
	crew_run_ms(&crew, 10);
	int64_t cleared_us = crew.stage.held.wall_us;
	crew_clear(&crew, "1");
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_CANCELLED, TEL_SIDE_US);
	assert_int_equal(crew_fact(&crew, TELCALL_ENDED, "1")->at_us, cleared_us);
	crew_run_ms(&crew, 100);
	crew_done_empty(&crew);
}

static void far_party_hangs_up_in_every_phase(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, i == 0 ? 150 : i == 1 ? 250 : 650);
		if (i == 3)
			crew_hold(&crew, "1");
		crew_hangup(&crew, CUST);
		crew_settle(&crew);
		assert_ended(&crew, "1", i < 2 ? TEL_REJECTED : TEL_NORMAL, TEL_SIDE_FAR);
		crew_done_empty(&crew);
	}
}

static void caller_hangs_up_while_the_agent_is_being_rung(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_caller(&crew, "1", "+15559999");
	crew_answer(&crew, "1", AGENT);
	crew_run_ms(&crew, 50);
	crew_hangup(&crew, "+15559999");
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_FAR);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 0);
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_ending_has_its_result),
		cmocka_unit_test(offer_ends_before_anybody_adopts_it),
		cmocka_unit_test(caller_abandons_while_ringing),
		cmocka_unit_test(clear_in_every_phase_leaves_nothing),
		cmocka_unit_test(clear_of_an_inbound_call_in_every_phase_leaves_nothing),
		cmocka_unit_test(cleared_call_is_told_to_end_though_the_switch_is_silent),
		cmocka_unit_test(call_without_a_far_leg_ends_without_waiting_for_the_switch),
		cmocka_unit_test(far_party_hangs_up_in_every_phase),
		cmocka_unit_test(caller_hangs_up_while_the_agent_is_being_rung),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
