/* The composer: a leg that is kept up between calls. */
#include "crew.h"

#define CUST	    "+15550001"
#define OTHER	    "+15550002"
#define AGENT	    "1001"
#define DEAF	    "1003" /* reachable, never answers by itself */
#define UNREACHABLE "1004"

static void keep(struct crew *crew, const char *station, bool on)
{
	struct tel_agent agent = crew_agent(station);

	does(telephony_keep(crew->telephony, &agent, on, NULL));
	crew_settle(crew);
}

static void kept(struct crew *crew, const char *station)
{
	crew_open(crew, NULL);
	keep(crew, station, true);
}

static void is_rung_at_once_and_stays(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, AGENT);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	char leg[TEL_ID_SIZE];
	snprintf(leg, sizeof leg, "%s", crew_leg(&crew, AGENT));
	assert_party_hears(&crew, AGENT, "");
	crew_talk(&crew, "1", AGENT, CUST);
	assert_party_hears(&crew, CUST, AGENT);
	crew_clear(&crew, "1");
	crew_run_ms(&crew, 60000);
	assert_string_equal(crew_leg(&crew, AGENT), leg);
	assert_party_hears(&crew, AGENT, "");
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
	keep(&crew, AGENT, false);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 2);
	crew_done_empty(&crew);
}

/* Tried after 1, 2, 4, 8, 16, 30, 30 s ...: plugged in now, it comes up with the next attempt. */
static void is_rung_again_ever_more_slowly(void **state)
{
	(void)state;
	static const struct {
		int plugged_in_ms, not_yet_ms, up_ms;
	} seen[] = {{100, 900, 1500}, {3500, 6900, 7500}, {62000, 90500, 91500}};

	for (unsigned i = 0; i < sizeof seen / sizeof *seen; i++) {
		struct crew crew;
		kept(&crew, UNREACHABLE);
		crew_run_ms(&crew, seen[i].plugged_in_ms);
		does(sim_set_station(crew.sim, UNREACHABLE, true, true));
		crew_run_ms(&crew, seen[i].not_yet_ms - seen[i].plugged_in_ms);
		assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 0);
		crew_run_ms(&crew, seen[i].up_ms - seen[i].not_yet_ms);
		assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
		keep(&crew, UNREACHABLE, false);
		crew_done_empty(&crew);
	}
}

static void who_puts_it_down_is_rung_again(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, AGENT);
	crew_run_ms(&crew, 20000);
	for (unsigned i = 1; i <= 3; i++) {
		crew_hangup(&crew, AGENT);
		crew_settle(&crew);
		assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
		crew_run_ms(&crew, 500);
		assert_string_equal(crew_leg(&crew, AGENT), "");
		crew_run_ms(&crew, 19500); /* up for long: it begins anew */
		assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
		assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1 + 2 * i);
	}
	keep(&crew, AGENT, false);
	crew_done_empty(&crew);
}

static void who_puts_it_down_in_a_call_ends_the_call(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, AGENT);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_AGENT);
	crew_run_ms(&crew, 2000);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	keep(&crew, AGENT, false);
	crew_done_empty(&crew);
}

static void a_call_does_not_wait_for_the_back_off(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, UNREACHABLE);
	crew_run_ms(&crew, 20000);
	does(sim_set_station(crew.sim, UNREACHABLE, true, true));
	crew_talk(&crew, "1", UNREACHABLE, CUST);
	assert_party_hears(&crew, CUST, UNREACHABLE);
	crew_run_ms(&crew, 60000);
	assert_int_equal(crew_legs(&crew), 2);
	keep(&crew, UNREACHABLE, false);
	assert_party_hears(&crew, CUST, UNREACHABLE);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void unanswered_it_is_rung_again(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, DEAF);
	crew_run_ms(&crew, 20100);
	assert_string_equal(crew_leg(&crew, DEAF), "");
	crew_run_ms(&crew, 1500);
	does(sim_party_answer(crew.sim, crew_leg(&crew, DEAF)));
	crew_settle(&crew);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	keep(&crew, DEAF, false);
	crew_done_empty(&crew);
}

static void an_outage_does_not_ring_twice(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, AGENT);
	crew_run_ms(&crew, 1000);
	sim_link_down(crew.sim);
	crew_run_ms(&crew, 5000);
	sim_link_up(crew.sim);
	crew_run_ms(&crew, 5000);
	assert_int_equal(crew_legs(&crew), 1);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 1);
	sim_link_down(crew.sim);
	crew_hangup(&crew, AGENT);
	crew_run_ms(&crew, 5000);
	sim_link_up(crew.sim);
	crew_run_ms(&crew, 5000);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_AUDIO, NULL), 3);
	assert_int_equal(crew_legs(&crew), 1);
	keep(&crew, AGENT, false);
	crew_done_empty(&crew);
}

static void after_a_restart_it_is_taken_over_or_rung(void **state)
{
	(void)state;
	struct tel_agent agent = crew_agent(AGENT), other = crew_agent("1002");
	struct crew crew;

	kept(&crew, AGENT);
	crew_run_ms(&crew, 1000);
	crew_die(&crew);
	crew_rise(&crew);
	does(telephony_keep(crew.telephony, &agent, true, NULL));
	does(telephony_keep(crew.telephony, &other, true, NULL));
	crew_start(&crew);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_legs(&crew), 2);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_talk(&crew, "2", "1002", OTHER);
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(crew_legs(&crew), 4);
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	keep(&crew, AGENT, false);
	keep(&crew, "1002", false);
	crew_done_empty(&crew);
}

static void nobody_keeps_it_any_more_after_a_restart(void **state)
{
	(void)state;
	struct crew crew;

	kept(&crew, AGENT);
	crew_run_ms(&crew, 1000);
	crew_die(&crew);
	crew_rise(&crew);
	crew_start(&crew);
	crew_run_ms(&crew, 1000);
	crew_done_empty(&crew);
}

static void asking_twice_is_asking_once(void **state)
{
	(void)state;
	struct tel_agent agent = crew_agent(AGENT), bad = {.id = "a b"};
	struct crew crew;

	kept(&crew, AGENT);
	keep(&crew, AGENT, true);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_legs(&crew), 1);
	keep(&crew, AGENT, false);
	keep(&crew, AGENT, false);
	does(telephony_keep(crew.telephony, &agent, false, NULL));
	assert_refused(ST_INVALID, "agent.bad_id",
		       telephony_keep(crew.telephony, &bad, true, &err));
	crew_done_empty(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_rung_at_once_and_stays),
		cmocka_unit_test(is_rung_again_ever_more_slowly),
		cmocka_unit_test(who_puts_it_down_is_rung_again),
		cmocka_unit_test(who_puts_it_down_in_a_call_ends_the_call),
		cmocka_unit_test(a_call_does_not_wait_for_the_back_off),
		cmocka_unit_test(unanswered_it_is_rung_again),
		cmocka_unit_test(an_outage_does_not_ring_twice),
		cmocka_unit_test(after_a_restart_it_is_taken_over_or_rung),
		cmocka_unit_test(nobody_keeps_it_any_more_after_a_restart),
		cmocka_unit_test(asking_twice_is_asking_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
