/* The composer: calls taken back after the gateway was killed. */
#include "crew.h"

#include "base/str.h"

#define CUST   "+15550001"
#define OTHER  "+15550002"
#define CALLER "+15559999"
#define AGENT  "1001"

static void live_as(struct crew *crew, enum tel_was phase, const char *station, const char *leg)
{
	struct tel_restored restored = crew_was("1", phase, station);

	str_copy(restored.leg, sizeof restored.leg, leg);
	crew_die(crew);
	crew_rise(crew);
	crew_restore(crew, &restored);
	crew_start(crew);
}

static void talk_goes_on(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 60000);
	crew_told_nothing(&crew);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	assert_party_hears(&crew, CUST, AGENT);
	assert_party_hears(&crew, AGENT, CUST);
	crew_hold(&crew, "1");
	assert_party_hears(&crew, CUST, "music");
	crew_resume(&crew, "1");
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(crew_legs(&crew), 2);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

static void mute_is_what_the_call_says(void **state)
{
	(void)state;
	for (unsigned is_muted = 0; is_muted < 2; is_muted++) {
		struct crew crew;
		struct tel_restored restored = crew_was("1", TEL_WAS_TALK, AGENT);
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		does(telephony_mute(crew.telephony, "1", !is_muted, NULL));
		crew_die(&crew);
		crew_rise(&crew);
		restored.is_muted = is_muted;
		crew_restore(&crew, &restored);
		crew_start(&crew);
		assert_party_hears(&crew, CUST, is_muted ? "" : AGENT);
		does(telephony_mute(crew.telephony, "1", !is_muted, NULL));
		assert_party_hears(&crew, CUST, is_muted ? AGENT : "");
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

/* The intent was stable, the switch was never asked; the reverse; and an agent without a leg. */
/* Done at the switch, and the program ended before it had written that down: the call is what is
 * written. */
static void what_nobody_wrote_down_is_undone(void **state)
{
	(void)state;
	const struct tel_dest dest = {.kind = TEL_DEST_NUMBER, .value = "+15550408"};
	const struct tel_call_options waits = {.far_waits = true};

	for (int i = 0; i < 3; i++) {
		struct crew crew;

		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		if (i == 0)
			crew_hold(&crew, "1");
		else if (i == 1)
			assert_int_equal(telephony_mute(crew.telephony, "1", true, NULL), ST_OK);
		else
			assert_int_equal(
				telephony_transfer_blind(crew.telephony, "1", &dest, &waits, NULL),
				ST_OK);
		crew_live_again(&crew, TEL_WAS_TALK, AGENT, 1000);
		crew_run_ms(&crew, 1000);
		assert_party_hears(&crew, CUST, AGENT);
		assert_party_hears(&crew, AGENT, CUST);
		assert_int_equal(crew_legs(&crew), 2);
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

static void held_call_stays_held(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		if (i != 1)
			crew_hold(&crew, "1");
		if (i == 2)
			crew_hangup(&crew, AGENT);
		crew_settle(&crew);
		crew_live_again(&crew, TEL_WAS_HELD, AGENT, 0);
		crew_told_nothing(&crew);
		assert_int_equal(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on, i != 2);
		assert_party_hears(&crew, CUST, "music");
		crew_resume(&crew, "1");
		crew_run_ms(&crew, 1000);
		assert_party_hears(&crew, CUST, AGENT);
		assert_party_hears(&crew, AGENT, CUST);
		assert_int_equal(crew_legs(&crew), 2);
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

static void consultation_goes_on(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_die(&crew);
	crew_rise(&crew);
	crew_restore_as(&crew, "2", TEL_WAS_TALK, AGENT);
	crew_restore_as(&crew, "1", TEL_WAS_HELD, AGENT);
	crew_start(&crew);
	crew_told_nothing(&crew);
	assert_party_hears(&crew, AGENT, OTHER);
	assert_party_hears(&crew, CUST, "music");
	does(telephony_complete(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	assert_party_hears(&crew, CUST, OTHER);
	crew_hangup(&crew, CUST);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void call_being_made_is_found_as_it_is(void **state)
{
	(void)state;
	static const unsigned made_ms[] = {150, 450, 150, 150};
	static const unsigned away_ms[] = {0, 0, 250, 60000};

	for (unsigned i = 0; i < 4; i++) {
		struct crew crew;
		struct tel_restored restored = crew_was("1", TEL_WAS_MADE, AGENT);
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, made_ms[i]);
		assert_string_not_equal(crew_leg(&crew, CUST), "");
		restored.has_rung = crew_told(&crew, TELCALL_RINGING, "1");
		crew_die(&crew);
		crew_run_ms(&crew, away_ms[i]);
		crew_rise(&crew);
		crew_restore(&crew, &restored);
		crew_start(&crew);
		assert_int_equal(crew_told(&crew, TELCALL_RINGING, "1"), i == 2);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), i == 3);
		crew_run_ms(&crew, 1000);
		assert_int_equal(crew_told(&crew, TELCALL_RINGING, "1"), i == 0 || i == 2);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
		assert_int_equal(crew_told(&crew, TELCALL_DIALING, "1"), 0);
		assert_party_hears(&crew, AGENT, CUST);
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

/* Nothing at the switch yet; the agent's telephone rings; he is there and nobody was called. */
static void call_that_was_not_made_is_never_made(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		if (i > 0)
			crew_make(&crew, "1", i == 1 ? "1003" : AGENT, CUST);
		if (i == 2) { /* by the time he is there, nobody listens */
			crew_die(&crew);
			crew_run_ms(&crew, 1000);
			assert_int_equal(crew_legs(&crew), 1);
			crew_rise(&crew);
			crew_restore_as(&crew, "1", TEL_WAS_MADE, AGENT);
			crew_start(&crew);
		} else {
			crew_live_again(&crew, TEL_WAS_MADE, i == 1 ? "1003" : AGENT, 0);
		}
		assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
		assert_true(crew_place(&crew, TELCALL_ENDED, "1") <
			    crew_place(&crew, TELCALL_SYNCED, NULL));
		crew_run_ms(&crew, 5000);
		assert_int_equal(crew_told(&crew, TELCALL_DIALING, NULL), 0);
		crew_done_empty(&crew);
	}
}

/* Its leg stands at the switch, in no mix: the dialing was still to come. */
static void leg_that_was_not_dialed_is_removed(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};

	crew_open(&crew, NULL);
	does(tel_leg_make(crew.driver, 1, "gw1-c-1", &dest, NULL));
	crew_live_again(&crew, TEL_WAS_MADE, AGENT, 0);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

/* In its mix and silent: nobody can tell whether it was dialed; it does not hang for long. */
static void leg_that_never_rings_is_given_up(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", AGENT, "+15550999");
	crew_run_ms(&crew, 1000);
	crew_live_again(&crew, TEL_WAS_MADE, AGENT, 0);
	crew_told_nothing(&crew);
	crew_run_ms(&crew, 7000);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	crew_run_ms(&crew, 2000);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void call_without_a_far_party_is_lost(void **state)
{
	(void)state;
	static const enum tel_was phases[] = {
		TEL_WAS_MADE,	 TEL_WAS_TALK,	    TEL_WAS_HELD,	 TEL_WAS_PARKED,
		TEL_WAS_OFFERED, TEL_WAS_ANSWERING, TEL_WAS_TRANSFERRING};

	for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		crew_die(&crew);
		crew_hangup(&crew, CUST);
		crew_rise(&crew);
		crew_restore_as(&crew, "1", phases[i], AGENT);
		crew_start(&crew);
		assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 1);
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void agents_leg_gone_is_as_when_he_hangs_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_make(&crew, "1", AGENT, CUST);
		crew_run_ms(&crew, i ? 1500 : 150);
		crew_die(&crew);
		crew_hangup(&crew, AGENT);
		crew_rise(&crew);
		crew_restore_as(&crew, "1", i ? TEL_WAS_TALK : TEL_WAS_MADE, AGENT);
		crew_start(&crew);
		assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
		crew_settle(&crew);
		assert_ended(&crew, "1", i ? TEL_NORMAL : TEL_CANCELLED, TEL_SIDE_SWITCH);
		crew_done_empty(&crew);
	}
}

/* Nobody is told of a resume's success, so control says talk while his telephone still rings. */
static void resume_goes_on_or_falls_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		struct tel_agent agent = crew_agent("1003");
		crew_open(&crew, NULL);
		crew_caller(&crew, "1", CALLER);
		does(telephony_answer(crew.telephony, "1", &agent, NULL));
		crew_run_ms(&crew, 500);
		does(sim_party_answer(crew.sim, crew_leg(&crew, "1003")));
		crew_settle(&crew);
		crew_hold(&crew, "1");
		crew_hangup(&crew, "1003");
		crew_settle(&crew);
		crew_resume(&crew, "1");
		crew_run_ms(&crew, 500);
		live_as(&crew, TEL_WAS_TALK, "1003", crew_leg(&crew, CALLER));
		crew_told_nothing(&crew);
		assert_party_hears(&crew, CALLER, "music");
		if (i == 0)
			does(sim_party_answer(crew.sim, crew_leg(&crew, "1003")));
		crew_run_ms(&crew, 30000);
		assert_party_hears(&crew, CALLER, i ? "music" : "1003");
		assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, "1"), i);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

static void waiting_caller_still_waits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		char leg[TEL_ID_SIZE];
		crew_open(&crew, NULL);
		crew_caller(&crew, "1", CALLER);
		str_copy(leg, sizeof leg, crew_leg(&crew, CALLER));
		live_as(&crew, TEL_WAS_OFFERED, i ? AGENT : NULL, leg);
		crew_told_nothing(&crew);
		assert_int_equal(crew_told(&crew, TELCALL_OFFERED, NULL), 0);
		assert_party_hears(&crew, CALLER, "ringback");
		crew_answer(&crew, "1", AGENT);
		crew_run_ms(&crew, 1000);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
		assert_party_hears(&crew, CALLER, AGENT);
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

/* The answer was asked for, and was not written down: he waits with music. */
static void offered_caller_who_is_up_can_be_answered(void **state)
{
	(void)state;
	struct crew crew;
	char leg[TEL_ID_SIZE];

	crew_open(&crew, NULL);
	crew_caller(&crew, "1", CALLER);
	crew_answer(&crew, "1", AGENT);
	crew_run_ms(&crew, 1000);
	str_copy(leg, sizeof leg, crew_leg(&crew, CALLER));
	live_as(&crew, TEL_WAS_OFFERED, NULL, leg);
	crew_settle(&crew);
	crew_told_nothing(&crew);
	assert_party_hears(&crew, CALLER, "music");
	assert_int_equal(crew_legs(&crew), 1);
	crew_answer(&crew, "1", AGENT);
	crew_run_ms(&crew, 1000);
	assert_party_hears(&crew, CALLER, AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

/* Before and after the agent's telephone is there. His leg is found, or it is gone. */
static void answering_goes_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct crew crew;
		char leg[TEL_ID_SIZE];
		crew_open(&crew, NULL);
		crew_caller(&crew, "1", CALLER);
		str_copy(leg, sizeof leg, crew_leg(&crew, CALLER));
		if (i < 2)
			crew_answer(&crew, "1", AGENT);
		crew_run_ms(&crew, i == 0 ? 0 : 1000);
		live_as(&crew, TEL_WAS_ANSWERING, AGENT, leg);
		crew_run_ms(&crew, 1000);
		assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), i < 2);
		assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, "1"), i == 2);
		assert_party_hears(&crew, CALLER, i < 2 ? AGENT : "music");
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

static void parked_caller_keeps_his_music(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		crew_live_again(&crew, TEL_WAS_PARKED, i ? AGENT : NULL, 0);
		crew_settle(&crew);
		crew_told_nothing(&crew);
		assert_party_hears(&crew, CUST, "music");
		assert_int_equal(crew_legs(&crew), 1);
		crew_answer(&crew, "1", "1002");
		crew_run_ms(&crew, 1000);
		assert_party_hears(&crew, CUST, "1002");
		crew_end(&crew, "1");
		crew_done_empty(&crew);
	}
}

/* The target rings, has answered, is gone, was never called. */
static void transfer_goes_on(void **state)
{
	(void)state;
	static const char *const numbers[] = {OTHER, OTHER, "+15550480", NULL};

	for (unsigned i = 0; i < 4; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		if (numbers[i])
			crew_transfer(&crew, "1", numbers[i]);
		crew_run_ms(&crew, 150);
		crew_live_again(&crew, TEL_WAS_TRANSFERRING, AGENT, i ? 60000 : 0);
		if (i == 0)
			crew_told_nothing(&crew);
		crew_run_ms(&crew, 2000);
		if (i < 2) {
			assert_int_equal(crew_told(&crew, TELCALL_TRANSFERRED, "1"), 1);
			assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
			assert_party_hears(&crew, CUST, OTHER);
			crew_hangup(&crew, CUST);
		} else {
			assert_int_equal(crew_fact(&crew, TELCALL_TRANSFER_FAILED, "1")->result,
					 TEL_LOST);
			assert_party_hears(&crew, CUST, "music");
			crew_resume(&crew, "1");
			crew_run_ms(&crew, 1000);
			assert_party_hears(&crew, CUST, AGENT);
			crew_clear(&crew, "1");
		}
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void conference_of(struct crew *crew, const char *first, const char *second,
			  enum tel_was phase)
{
	struct tel_restored a = crew_was(first, phase, AGENT), b = crew_was(second, phase, AGENT);

	str_copy(a.partner, sizeof a.partner, second);
	str_copy(b.partner, sizeof b.partner, first);
	crew_die(crew);
	crew_rise(crew);
	crew_restore(crew, &a);
	crew_restore(crew, &b);
	crew_start(crew);
	crew_settle(crew);
}

/* In either order; the mix is call 2's. */
static void conference_goes_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_consult(&crew);
		does(telephony_conference(crew.telephony, "2", "1", NULL));
		if (i >= 2)
			crew_hold(&crew, "1");
		crew_settle(&crew);
		conference_of(&crew, i % 2 ? "1" : "2", i % 2 ? "2" : "1",
			      i < 2 ? TEL_WAS_CONFERENCE : TEL_WAS_HELD);
		crew_told_nothing(&crew);
		assert_int_equal(sim_mixes(crew.sim), 1);
		assert_party_hears(&crew, CUST, i < 2 ? OTHER "+" AGENT : OTHER);
		if (i >= 2)
			crew_resume(&crew, "2");
		assert_party_hears(&crew, OTHER, CUST "+" AGENT);
		does(telephony_leave(crew.telephony, "1", NULL));
		crew_settle(&crew);
		assert_party_hears(&crew, CUST, OTHER);
		crew_hangup(&crew, CUST);
		crew_settle(&crew);
		crew_done_empty(&crew);
	}
}

static void conference_without_its_agent_is_left_to_the_others(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	sim_link_down(crew.sim);
	crew_hangup(&crew, AGENT);
	conference_of(&crew, "1", "2", TEL_WAS_CONFERENCE);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_SWITCH);
	assert_ended(&crew, "2", TEL_NORMAL, TEL_SIDE_SWITCH);
	assert_party_hears(&crew, CUST, OTHER);
	crew_hangup(&crew, CUST);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void conference_goes_on_without_a_party_that_is_gone(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	sim_link_down(crew.sim);
	crew_hangup(&crew, OTHER);
	conference_of(&crew, "1", "2", TEL_WAS_CONFERENCE);
	assert_ended(&crew, "2", TEL_LOST, TEL_SIDE_SWITCH);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	assert_party_hears(&crew, CUST, AGENT);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

/* It was still there, and it was gone already. */
static void call_that_should_end_ends(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, NULL);
		crew_talk(&crew, "1", AGENT, CUST);
		crew_die(&crew);
		if (i)
			crew_hangup(&crew, CUST);
		crew_rise(&crew);
		crew_restore_as(&crew, "1", TEL_WAS_ENDING, AGENT);
		crew_start(&crew);
		crew_settle(&crew);
		assert_ended(&crew, "1", i ? TEL_LOST : TEL_NORMAL, TEL_SIDE_US);
		crew_done_empty(&crew);
	}
}

static void switch_that_does_not_say_so_ends_it_too(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, &(struct sim_config){.latency_ms = 50});
	crew_talk(&crew, "1", AGENT, CUST);
	crew_live_again(&crew, TEL_WAS_ENDING, AGENT, 0);
	sim_link_down(crew.sim);
	crew_run_ms(&crew, 4900);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	crew_run_ms(&crew, 200);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_US);
	sim_link_up(crew.sim);
	crew_run_ms(&crew, 200);
	crew_done_empty(&crew);
}

static void call_that_never_was_up_is_not_talked_on(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_make(&crew, "1", AGENT, CUST);
	crew_run_ms(&crew, 250);
	crew_live_again(&crew, TEL_WAS_TALK, AGENT, 0);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	crew_settle(&crew);
	crew_done_empty(&crew);
}

/* Killed again while it recovers. */
static void second_death(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	for (unsigned i = 0; i < 5; i++) {
		crew_die(&crew);
		crew_rise(&crew);
		crew_restore_as(&crew, "1", TEL_WAS_HELD, AGENT);
		crew_restore_as(&crew, "2", TEL_WAS_TALK, AGENT);
		if (i % 2 == 0)
			crew_start(&crew);
		else
			assert_int_equal(telephony_start(crew.telephony, crew.driver, NULL),
					 ST_CONFLICT);
		assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	}
	assert_party_hears(&crew, AGENT, OTHER);
	assert_party_hears(&crew, CUST, "music");
	crew_end(&crew, "1");
	crew_end(&crew, "2");
	crew_done_empty(&crew);
}

static void switch_that_was_restarted_too_has_nothing(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_consult(&crew);
	crew_die(&crew);
	sim_restart(crew.sim);
	crew_rise(&crew);
	crew_restore_as(&crew, "1", TEL_WAS_HELD, AGENT);
	crew_restore_as(&crew, "2", TEL_WAS_TALK, AGENT);
	crew_start(&crew);
	assert_ended(&crew, "1", TEL_LOST, TEL_SIDE_SWITCH);
	assert_ended(&crew, "2", TEL_LOST, TEL_SIDE_SWITCH);
	crew_talk(&crew, "3", AGENT, CUST);
	crew_end(&crew, "3");
	crew_done_empty(&crew);
}

static void what_cannot_be_restored(void **state)
{
	(void)state;
	struct crew crew;
	struct tel_restored talk = crew_was("1", TEL_WAS_TALK, AGENT),
			    held = crew_was("2", TEL_WAS_HELD, AGENT);
	struct tel_restored bad;

	crew_open(&crew, NULL);
	assert_refused(ST_CONFLICT, "telephony.started",
		       telephony_restore(crew.telephony, &talk, &err));
	crew_die(&crew);
	crew_rise(&crew);
	struct telephony *t = crew.telephony;
	crew_restore(&crew, &talk);
	crew_restore(&crew, &held);
	assert_refused(ST_CONFLICT, "call.exists", telephony_restore(t, &talk, &err));
	bad = crew_was("3", TEL_WAS_TALK, AGENT);
	assert_refused(ST_CONFLICT, "agent.busy", telephony_restore(t, &bad, &err));
	bad = crew_was("3", TEL_WAS_TALK, NULL);
	assert_refused(ST_INVALID, "agent.bad_id", telephony_restore(t, &bad, &err));
	bad = crew_was("a call", TEL_WAS_HELD, AGENT);
	assert_refused(ST_INVALID, "call.bad_id", telephony_restore(t, &bad, &err));
	bad = crew_was("3", TEL_WAS_COUNT, AGENT);
	assert_refused(ST_INVALID, "call.bad_phase", telephony_restore(t, &bad, &err));
	bad = crew_was("3", TEL_WAS_OFFERED, NULL);
	str_copy(bad.leg, sizeof bad.leg, "gw1-c-1");
	assert_refused(ST_CONFLICT, "call.exists", telephony_restore(t, &bad, &err));
	str_copy(bad.leg, sizeof bad.leg, "a leg");
	assert_refused(ST_INVALID, "call.bad_id", telephony_restore(t, &bad, &err));
	crew_start(&crew);
	crew_done_empty(&crew);
}

static void commands_wait_for_the_comparison(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_die(&crew);
	crew_rise(&crew);
	crew_restore_as(&crew, "1", TEL_WAS_TALK, AGENT);
	assert_refused(ST_UNAVAILABLE, "switch.away", telephony_hold(crew.telephony, "1", &err));
	assert_refused(ST_UNAVAILABLE, "switch.away",
		       telephony_clear(crew.telephony, "1", 16, &err));
	crew_start(&crew);
	crew_end(&crew, "1");
	crew_done_empty(&crew);
}

/* All comes back in one turn of the loop. */
static void five_hundred_calls_at_once(void **state)
{
	(void)state;
	enum { CALLS = 500 };
	struct crew crew;
	char call[16], station[16], number[16];

	crew_open(&crew, &(struct sim_config){.any_station = true});
	for (unsigned i = 0; i < CALLS; i++) {
		str_format(call, sizeof call, "%u", i);
		str_format(station, sizeof station, "%u", 2000 + i);
		str_format(number, sizeof number, "+1555%07u", 1000 * i);
		crew_make(&crew, call, station, number);
	}
	crew_run_ms(&crew, 3000);
	assert_int_equal(crew_told(&crew, TELCALL_UP, NULL), CALLS);
	crew_die(&crew);
	crew_rise(&crew);
	for (unsigned i = 0; i < CALLS; i++) {
		str_format(call, sizeof call, "%u", i);
		str_format(station, sizeof station, "%u", 2000 + i);
		crew_restore_as(&crew, call, i % 2 ? TEL_WAS_TALK : TEL_WAS_HELD, station);
	}
	crew_start(&crew);
	crew_told_nothing(&crew);
	assert_int_equal(crew_legs(&crew), 2 * CALLS);
	assert_party_hears(&crew, "+15550498000", "music");
	assert_party_hears(&crew, "+15550499000", "2499");
	for (unsigned i = 0; i < CALLS; i++) {
		str_format(call, sizeof call, "%u", i);
		crew_clear(&crew, call);
	}
	crew_settle(&crew);
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talk_goes_on),
		cmocka_unit_test(mute_is_what_the_call_says),
		cmocka_unit_test(what_nobody_wrote_down_is_undone),
		cmocka_unit_test(held_call_stays_held),
		cmocka_unit_test(consultation_goes_on),
		cmocka_unit_test(call_being_made_is_found_as_it_is),
		cmocka_unit_test(call_that_was_not_made_is_never_made),
		cmocka_unit_test(leg_that_was_not_dialed_is_removed),
		cmocka_unit_test(leg_that_never_rings_is_given_up),
		cmocka_unit_test(call_without_a_far_party_is_lost),
		cmocka_unit_test(agents_leg_gone_is_as_when_he_hangs_up),
		cmocka_unit_test(resume_goes_on_or_falls_back),
		cmocka_unit_test(waiting_caller_still_waits),
		cmocka_unit_test(offered_caller_who_is_up_can_be_answered),
		cmocka_unit_test(answering_goes_on),
		cmocka_unit_test(parked_caller_keeps_his_music),
		cmocka_unit_test(transfer_goes_on),
		cmocka_unit_test(conference_goes_on),
		cmocka_unit_test(conference_without_its_agent_is_left_to_the_others),
		cmocka_unit_test(conference_goes_on_without_a_party_that_is_gone),
		cmocka_unit_test(call_that_should_end_ends),
		cmocka_unit_test(switch_that_does_not_say_so_ends_it_too),
		cmocka_unit_test(call_that_never_was_up_is_not_talked_on),
		cmocka_unit_test(second_death),
		cmocka_unit_test(switch_that_was_restarted_too_has_nothing),
		cmocka_unit_test(what_cannot_be_restored),
		cmocka_unit_test(commands_wait_for_the_comparison),
		cmocka_unit_test(five_hundred_calls_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
