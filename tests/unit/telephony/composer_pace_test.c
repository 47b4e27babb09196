/* The composer: more calls are wanted than the switch is asked for in a second. */
#include "crew.h"

#define AGENT	"1001"
#define OTHER	"1002"
#define CUST	"+15550001"
#define SECOND	"+15550002"
#define THIRD	"+15550003"
#define TURN_MS 500

static void open_at_two_a_second(struct crew *crew)
{
	crew_open(crew, NULL);
	telephony_set_pace(crew->telephony, 2);
}

static struct telephony_figures figures(struct crew *crew)
{
	struct telephony_figures result;

	telephony_figures(crew->telephony, &result);
	return result;
}

static void a_call_over_the_pace_waits_for_its_turn(void **state)
{
	struct crew crew;

	(void)state;
	open_at_two_a_second(&crew);
	crew_make(&crew, "1", AGENT, CUST);
	crew_make(&crew, "2", OTHER, SECOND);
	crew_run_ms(&crew, TURN_MS - 1);
	assert_int_equal(crew_told(&crew, TELCALL_WAITING, "1"), 0);
	assert_int_equal(crew_told(&crew, TELCALL_WAITING, "2"), 1);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "1"), 1);
	assert_string_equal(crew_leg(&crew, OTHER), "");
	assert_int_equal(figures(&crew).waiting, 1);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "2"), 1);
	assert_int_equal(figures(&crew).waiting, 0);
	assert_int_equal(figures(&crew).made, 2);
	assert_int_equal(figures(&crew).delayed, 1);
	assert_int_equal(figures(&crew).longest_wait_us, TURN_MS * 1000);
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void a_waiting_call_can_be_cleared_and_nobody_is_called(void **state)
{
	struct crew crew;

	(void)state;
	open_at_two_a_second(&crew);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_end(&crew, "1");
	crew_make(&crew, "2", AGENT, CUST);
	crew_make(&crew, "3", OTHER, SECOND);
	assert_int_equal(figures(&crew).waiting, 1);
	crew_clear(&crew, "3");
	crew_settle(&crew);
	assert_ended(&crew, "3", TEL_CANCELLED, TEL_SIDE_US);
	assert_int_equal(figures(&crew).waiting, 0);
	crew_end(&crew, "2");
	crew_run_ms(&crew, 10 * TURN_MS);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "3"), 0);
	crew_done_empty(&crew);
}

static void an_agent_whose_call_waits_is_busy(void **state)
{
	struct crew crew;
	struct tel_agent agent = crew_agent(OTHER);
	struct tel_dest dest = {TEL_DEST_NUMBER, THIRD};

	(void)state;
	open_at_two_a_second(&crew);
	crew_make(&crew, "1", AGENT, CUST);
	crew_make(&crew, "2", OTHER, SECOND);
	assert_refused(ST_CONFLICT, "agent.busy",
		       telephony_make(crew.telephony, "3", &agent, &dest, NULL, &err));
	assert_refused(ST_CONFLICT, "call.not_up", telephony_hold(crew.telephony, "2", &err));
	crew_done(&crew);
}

static void the_held_call_stays_held_while_the_second_waits(void **state)
{
	struct crew crew;

	(void)state;
	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	telephony_set_pace(crew.telephony, 2);
	crew_make(&crew, "2", OTHER, SECOND);
	crew_make(&crew, "3", AGENT, THIRD);
	crew_run_ms(&crew, TURN_MS - 1);
	assert_party_hears(&crew, CUST, "music");
	assert_party_hears(&crew, AGENT, "");
	assert_string_equal(crew_leg(&crew, THIRD), "");
	crew_run_ms(&crew, 1000);
	assert_party_hears(&crew, AGENT, THIRD);
	assert_party_hears(&crew, CUST, "music");
	for (const char *call = "123"; *call; call++)
		crew_clear(&crew, (char[]){*call, 0});
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void the_agent_hangs_up_while_his_second_call_waits(void **state)
{
	struct crew crew;

	(void)state;
	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	crew_hold(&crew, "1");
	telephony_set_pace(crew.telephony, 2);
	crew_make(&crew, "2", OTHER, SECOND);
	crew_make(&crew, "3", AGENT, THIRD);
	crew_hangup(&crew, AGENT);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "3"), 1);
	assert_int_equal(crew_fact(&crew, TELCALL_ENDED, "3")->side, TEL_SIDE_AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "3"), 0);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 0);
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void an_answer_does_not_wait_and_counts(void **state)
{
	struct crew crew;

	(void)state;
	crew_open(&crew, NULL);
	crew_caller(&crew, "1", "+15559999");
	telephony_set_pace(crew.telephony, 2);
	crew_make(&crew, "2", OTHER, SECOND);
	crew_answer(&crew, "1", AGENT);
	crew_run_ms(&crew, 400);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
	crew_clear(&crew, "2");
	crew_make(&crew, "3", OTHER, THIRD);
	crew_run_ms(&crew, 2 * TURN_MS - 401);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "3"), 0);
	assert_string_equal(crew_leg(&crew, OTHER), "");
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_DIALING, "3"), 1);
	crew_done(&crew);
}

static void what_waits_goes_on_after_an_outage(void **state)
{
	struct crew crew;

	(void)state;
	open_at_two_a_second(&crew);
	crew_make(&crew, "1", AGENT, CUST);
	crew_make(&crew, "2", OTHER, SECOND);
	sim_link_down(crew.sim);
	crew_run_ms(&crew, 10 * TURN_MS);
	assert_int_equal(figures(&crew).waiting, 1);
	sim_link_up(crew.sim);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "2"), 1);
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void what_waits_is_not_lost_with_a_switch_that_is_restarted(void **state)
{
	struct crew crew;

	(void)state;
	open_at_two_a_second(&crew);
	crew_make(&crew, "1", AGENT, CUST);
	crew_make(&crew, "2", OTHER, SECOND);
	sim_restart(crew.sim);
	crew_run_ms(&crew, 2000);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 1);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "2"), 1);
	crew_clear(&crew, "2");
	crew_settle(&crew);
	crew_done_empty(&crew);
}

static void what_waits_goes_with_the_composer(void **state)
{
	struct crew crew;

	(void)state;
	open_at_two_a_second(&crew);
	crew_make(&crew, "1", AGENT, CUST);
	crew_make(&crew, "2", OTHER, SECOND);
	crew_done(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_over_the_pace_waits_for_its_turn),
		cmocka_unit_test(a_waiting_call_can_be_cleared_and_nobody_is_called),
		cmocka_unit_test(an_agent_whose_call_waits_is_busy),
		cmocka_unit_test(the_held_call_stays_held_while_the_second_waits),
		cmocka_unit_test(the_agent_hangs_up_while_his_second_call_waits),
		cmocka_unit_test(an_answer_does_not_wait_and_counts),
		cmocka_unit_test(what_waits_goes_on_after_an_outage),
		cmocka_unit_test(what_waits_is_not_lost_with_a_switch_that_is_restarted),
		cmocka_unit_test(what_waits_goes_with_the_composer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
