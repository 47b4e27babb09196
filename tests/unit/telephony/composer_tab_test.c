/* The composer: an agent whose audio is in a page of his, which comes, goes and comes back. */
#include "crew.h"

#define CUST   "+15550001"
#define OTHER  "+15550002"
#define CALLER "+15559999"
#define AGENT  "1001"

static struct tel_agent tab_agent(void)
{
	struct tel_agent agent = crew_agent(AGENT);

	agent.mode = TEL_AGENT_TAB;
	return agent;
}

/* The page is there, or not. */
static void page(struct crew *crew, bool on)
{
	struct tel_agent agent = tab_agent();

	does(telephony_keep(crew->telephony, &agent, on, NULL));
	crew_settle(crew);
}

static void dials(struct crew *crew, const char *call, const char *number)
{
	struct tel_agent agent = tab_agent();
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};

	snprintf(dest.value, sizeof dest.value, "%s", number);
	does(telephony_make(crew->telephony, call, &agent, &dest, NULL, NULL));
	crew_run_ms(crew, 600);
}

static void talks(struct crew *crew)
{
	crew_open(crew, NULL);
	page(crew, true);
	crew_run_ms(crew, 100);
	dials(crew, "1", CUST);
	assert_int_equal(crew_told(crew, TELCALL_UP, "1"), 1);
	assert_party_hears(crew, CUST, AGENT);
	assert_party_hears(crew, AGENT, CUST);
}

static void is_empty(struct crew *crew)
{
	page(crew, false);
	crew_run_ms(crew, 60000);
	crew_done_empty(crew);
}

static void its_leg_comes_and_goes_with_the_page(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	page(&crew, true);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_MEDIA, NULL), 1);
	char leg[TEL_ID_SIZE];
	snprintf(leg, sizeof leg, "%s", crew_fact(&crew, TELCALL_AGENT_MEDIA, NULL)->leg);
	crew_run_ms(&crew, 100);
	assert_string_equal(crew_leg(&crew, AGENT), leg);
	assert_true(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	page(&crew, false);
	assert_string_equal(crew_leg(&crew, AGENT), "");
	assert_false(crew_fact(&crew, TELCALL_AGENT_AUDIO, NULL)->on);
	crew_run_ms(&crew, 60000);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_MEDIA, NULL), 1);
	crew_done_empty(&crew);
}

static void a_reload_in_a_call_is_music_and_then_the_agent_again(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	page(&crew, false);
	assert_party_hears(&crew, CUST, "music");
	assert_int_equal(crew_legs(&crew), 1);
	crew_run_ms(&crew, 1000);
	page(&crew, true);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, CUST, AGENT);
	assert_party_hears(&crew, AGENT, CUST);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	crew_run_ms(&crew, 60000); /* nobody waits any more */
	assert_party_hears(&crew, CUST, AGENT);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	is_empty(&crew);
}

static void who_does_not_come_back_has_hung_up_after_20_s(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	page(&crew, false);
	crew_run_ms(&crew, 19900);
	assert_party_hears(&crew, CUST, "music");
	crew_run_ms(&crew, 200);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_AGENT);
	crew_run_ms(&crew, 60000);
	crew_done_empty(&crew);
}

/* Each new leg that fails does not begin the 20 s anew. */
static void a_page_whose_leg_always_fails_is_waited_for_once(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	for (unsigned i = 0; i < 15; i++) {
		if (crew_leg(&crew, AGENT)[0])
			crew_hangup(&crew, AGENT);
		sim_fail_next(crew.sim, "leg_make", "no");
		crew_run_ms(&crew, 1000);
	}
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	assert_party_hears(&crew, CUST, "music");
	for (unsigned i = 0; i < 10; i++) {
		sim_fail_next(crew.sim, "leg_make", "no");
		crew_run_ms(&crew, 1000);
	}
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_AGENT);
	is_empty(&crew);
}

static void a_leg_that_is_lost_is_made_again_by_itself(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	crew_hangup(&crew, AGENT);
	crew_settle(&crew);
	assert_party_hears(&crew, CUST, "music");
	crew_run_ms(&crew, 1500);
	assert_party_hears(&crew, CUST, AGENT);
	assert_int_equal(crew_told(&crew, TELCALL_AGENT_MEDIA, NULL), 2);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	is_empty(&crew);
}

static void the_customer_hangs_up_while_the_page_is_away(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	page(&crew, false);
	crew_hangup(&crew, CUST);
	crew_settle(&crew);
	assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_FAR);
	crew_run_ms(&crew, 60000);
	crew_done_empty(&crew);
}

static void a_call_that_is_answered_while_the_page_is_away_hears_music(void **state)
{
	(void)state;
	struct tel_agent agent = tab_agent();
	struct tel_dest dest = {TEL_DEST_NUMBER, CUST};
	struct crew crew;

	crew_open(&crew, NULL);
	page(&crew, true);
	crew_run_ms(&crew, 100);
	does(telephony_make(crew.telephony, "1", &agent, &dest, NULL, NULL));
	crew_run_ms(&crew, 200);
	page(&crew, false);
	crew_run_ms(&crew, 1000);
	assert_int_equal(crew_told(&crew, TELCALL_UP, "1"), 1);
	assert_party_hears(&crew, CUST, "music");
	page(&crew, true);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, CUST, AGENT);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	is_empty(&crew);
}

static void commands_work_while_the_page_is_away(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	page(&crew, false);
	crew_hold(&crew, "1");
	crew_run_ms(&crew, 30000); /* held calls wait for ever */
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, NULL), 0);
	crew_resume(&crew, "1");
	crew_run_ms(&crew, 5000);
	assert_party_hears(&crew, CUST, "music");
	page(&crew, true);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, CUST, AGENT);
	page(&crew, false);
	crew_transfer(&crew, "1", OTHER);
	crew_run_ms(&crew, 1000);
	assert_party_hears(&crew, CUST, OTHER);
	crew_hangup(&crew, CUST);
	crew_run_ms(&crew, 60000);
	crew_done_empty(&crew);
}

static void mute_is_kept_over_a_reload(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	does(telephony_mute(crew.telephony, "1", true, NULL));
	page(&crew, false);
	page(&crew, true);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, CUST, "");
	assert_party_hears(&crew, AGENT, CUST);
	crew_clear(&crew, "1");
	crew_settle(&crew);
	is_empty(&crew);
}

static void others_of_a_conference_talk_on_while_the_page_is_away(void **state)
{
	(void)state;
	struct crew crew;

	talks(&crew);
	crew_hold(&crew, "1");
	dials(&crew, "2", OTHER);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_settle(&crew);
	page(&crew, false);
	assert_party_hears(&crew, CUST, OTHER);
	page(&crew, true);
	crew_run_ms(&crew, 100);
	assert_party_hears(&crew, CUST, OTHER "+" AGENT);
	crew_clear(&crew, "1");
	crew_clear(&crew, "2");
	crew_settle(&crew);
	is_empty(&crew);
}

static void a_call_waits_for_the_page(void **state)
{
	(void)state;
	struct tel_agent agent = tab_agent();
	struct crew crew;

	crew_open(&crew, NULL);
	dials(&crew, "1", CUST);
	assert_string_equal(crew_leg(&crew, CUST), "");
	page(&crew, true);
	crew_run_ms(&crew, 700);
	assert_party_hears(&crew, CUST, AGENT);
	crew_clear(&crew, "1");
	page(&crew, false);
	crew_caller(&crew, "2", CALLER);
	does(telephony_answer(crew.telephony, "2", &agent, NULL));
	crew_run_ms(&crew, 20100);
	assert_string_equal(crew_fact(&crew, TELCALL_OP_FAILED, "2")->text, "agent.no_audio");
	assert_party_hears(&crew, CALLER, "music");
	crew_clear(&crew, "2");
	dials(&crew, "3", CUST);
	crew_run_ms(&crew, 20000);
	assert_ended(&crew, "3", TEL_NO_ANSWER, TEL_SIDE_AGENT);
	is_empty(&crew);
}

static void after_a_restart_the_page_is_waited_for(void **state)
{
	(void)state;
	struct tel_restored was = crew_was("1", TEL_WAS_TALK, AGENT);
	struct crew crew;

	for (int i = 0; i < 2; i++) {
		talks(&crew);
		was.agent = tab_agent();
		crew_die(&crew);
		crew_hangup(&crew, AGENT); /* its socket died with the gateway */
		crew_rise(&crew);
		crew_restore(&crew, &was);
		crew_start(&crew);
		crew_run_ms(&crew, 100);
		assert_party_hears(&crew, CUST, "music");
		if (i == 0) {
			page(&crew, true);
			crew_run_ms(&crew, 100);
			assert_party_hears(&crew, CUST, AGENT);
			crew_clear(&crew, "1");
			crew_settle(&crew);
		} else {
			crew_run_ms(&crew, 20100);
			assert_ended(&crew, "1", TEL_NORMAL, TEL_SIDE_AGENT);
		}
		is_empty(&crew);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_leg_comes_and_goes_with_the_page),
		cmocka_unit_test(a_reload_in_a_call_is_music_and_then_the_agent_again),
		cmocka_unit_test(who_does_not_come_back_has_hung_up_after_20_s),
		cmocka_unit_test(a_page_whose_leg_always_fails_is_waited_for_once),
		cmocka_unit_test(a_leg_that_is_lost_is_made_again_by_itself),
		cmocka_unit_test(the_customer_hangs_up_while_the_page_is_away),
		cmocka_unit_test(a_call_that_is_answered_while_the_page_is_away_hears_music),
		cmocka_unit_test(commands_work_while_the_page_is_away),
		cmocka_unit_test(mute_is_kept_over_a_reload),
		cmocka_unit_test(others_of_a_conference_talk_on_while_the_page_is_away),
		cmocka_unit_test(a_call_waits_for_the_page),
		cmocka_unit_test(after_a_restart_the_page_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
