/* The composer: recordings. */
#include "crew.h"

#define CUST  "+15550001"
#define THIRD "+15550002"
#define AGENT "1001"

static void takes_down(const struct crew *crew, const char *record, const char *whom)
{
	char heard[160];

	sim_recorded(crew->sim, record, heard, sizeof heard);
	assert_string_equal(heard, whom);
}

static void start(struct crew *crew, const char *call, const char *name)
{
	does(telephony_record(crew->telephony, call, name, NULL));
	crew_run_ms(crew, 1);
}

static void begin(struct crew *crew)
{
	crew_open(crew, NULL);
	crew_talk(crew, "1", AGENT, CUST);
	start(crew, "1", "r-1");
	assert_string_equal(crew_fact(crew, TELCALL_RECORD_BEGUN, "1")->recording, "r-1");
}

/* The newest end that was told. */
static const struct tel_call_fact *newest_end(const struct crew *crew)
{
	const struct tel_call_fact *found = NULL;

	for (unsigned i = 0; i < crew->count; i++)
		if (crew->facts[i].kind == TELCALL_RECORD_ENDED)
			found = &crew->facts[i];
	assert_non_null(found);
	return found;
}

static void ended(const struct crew *crew, const char *record, const char *text, bool goes_on)
{
	const struct tel_call_fact *fact = newest_end(crew);

	assert_string_equal(fact->recording, record);
	assert_string_equal(fact->text, text);
	assert_int_equal(fact->on, goes_on);
}

static void call_is_recorded_until_it_is_stopped(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	takes_down(&crew, "r-1", CUST "+" AGENT);
	crew_run_ms(&crew, 2000);
	does(telephony_record_stop(crew.telephony, "1", NULL));
	crew_run_ms(&crew, 1);
	ended(&crew, "r-1", "ok", false);
	assert_in_range(newest_end(&crew)->length_ms, 2000, 2100);
	start(&crew, "1", "r-1"); /* a name that is in use no more */
	crew_end(&crew, "1");
	crew_run_ms(&crew, 10);
	assert_int_equal(crew_told(&crew, TELCALL_RECORD_ENDED, "1"), 2);
	crew_done_empty(&crew);
}

static void paused_recording_is_silent(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	does(telephony_record_pause(crew.telephony, "1", true, NULL));
	crew_run_ms(&crew, 1);
	takes_down(&crew, "r-1", "");
	does(telephony_record_pause(crew.telephony, "1", false, NULL));
	crew_run_ms(&crew, 1);
	takes_down(&crew, "r-1", CUST "+" AGENT);
	crew_end(&crew, "1");
	crew_run_ms(&crew, 10);
	ended(&crew, "r-1", "ok", false);
	crew_done_empty(&crew);
}

static void held_call_is_recorded_and_the_other_one_is_not(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	does(telephony_hold(crew.telephony, "1", NULL));
	crew_talk(&crew, "2", AGENT, THIRD);
	takes_down(&crew, "r-1", CUST "+music");
	crew_end(&crew, "2");
	crew_end(&crew, "1");
	crew_run_ms(&crew, 10);
	crew_done_empty(&crew);
}

static void conference_is_recorded_in_a_second_part(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	does(telephony_record_pause(crew.telephony, "1", true, NULL));
	does(telephony_hold(crew.telephony, "1", NULL));
	crew_talk(&crew, "2", AGENT, THIRD);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_run_ms(&crew, 10);
	ended(&crew, "r-1", "ok", true);
	takes_down(&crew, "r-2", ""); /* paused is paused */
	does(telephony_record_pause(crew.telephony, "1", false, NULL));
	crew_run_ms(&crew, 10);
	takes_down(&crew, "r-2", CUST "+" THIRD "+" AGENT);
	does(telephony_leave(crew.telephony, "2", NULL));
	crew_run_ms(&crew, 10);
	assert_int_equal(crew_told(&crew, TELCALL_ENDED, "1"), 1);
	takes_down(&crew, "r-2", CUST "+" THIRD);
	does(sim_party_hangup(crew.sim, NODE "-c-1"));
	crew_run_ms(&crew, 10);
	ended(&crew, "r-2", "ok", false);
	crew_done_empty(&crew);
}

static void customer_who_leaves_a_conference_is_recorded_no_more(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	does(telephony_hold(crew.telephony, "1", NULL));
	crew_talk(&crew, "2", AGENT, THIRD);
	does(telephony_conference(crew.telephony, "2", "1", NULL));
	crew_run_ms(&crew, 10);
	does(sim_party_hangup(crew.sim, NODE "-c-1"));
	crew_run_ms(&crew, 10);
	ended(&crew, "r-2", "ok", false);
	takes_down(&crew, "r-2", "");
	crew_end(&crew, "2");
	crew_run_ms(&crew, 10);
	crew_done_empty(&crew);
}

static void completed_transfer_is_recorded_until_both_are_gone(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	does(telephony_hold(crew.telephony, "1", NULL));
	crew_talk(&crew, "2", AGENT, THIRD);
	does(telephony_complete(crew.telephony, "2", "1", NULL));
	crew_run_ms(&crew, 10);
	takes_down(&crew, "r-2", CUST "+" THIRD);
	does(sim_party_hangup(crew.sim, NODE "-c-2"));
	crew_run_ms(&crew, 10);
	ended(&crew, "r-2", "ok", false);
	crew_done_empty(&crew);
}

static void blind_transfer_is_recorded_in_the_same_part(void **state)
{
	(void)state;
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER, .value = THIRD};
	struct crew crew;

	begin(&crew);
	does(telephony_transfer_blind(crew.telephony, "1", &dest, NULL, NULL));
	crew_run_ms(&crew, 2000);
	assert_int_equal(crew_told(&crew, TELCALL_TRANSFERRED, "1"), 1);
	takes_down(&crew, "r-1", CUST "+" THIRD);
	does(sim_party_hangup(crew.sim, NODE "-c-1"));
	crew_run_ms(&crew, 10);
	ended(&crew, "r-1", "ok", false);
	crew_done_empty(&crew);
}

static void recording_that_cannot_begin_is_told(void **state)
{
	(void)state;
	struct crew crew;

	crew_open(&crew, NULL);
	crew_talk(&crew, "1", AGENT, CUST);
	does(sim_fail_next(crew.sim, "mix_record", NULL));
	start(&crew, "1", "r-1");
	ended(&crew, "r-1", "failed", false);
	assert_int_equal(crew_told(&crew, TELCALL_RECORD_BEGUN, "1"), 0);
	assert_int_equal(crew_told(&crew, TELCALL_OP_FAILED, "1"), 0);
	start(&crew, "1", "r-1");
	takes_down(&crew, "r-1", CUST "+" AGENT);
	crew_end(&crew, "1");
	crew_run_ms(&crew, 10);
	crew_done_refused(&crew);
}

static void recording_that_cannot_be_paused_is_ended(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	does(sim_fail_next(crew.sim, "record_pause", NULL));
	does(telephony_record_pause(crew.telephony, "1", true, NULL));
	crew_run_ms(&crew, 10);
	ended(&crew, "r-1", "failed", false);
	takes_down(&crew, "r-1", "");
	crew_end(&crew, "1");
	crew_done_refused(&crew);
}

static void recording_goes_on_over_a_lost_link(void **state)
{
	(void)state;
	struct crew crew;

	begin(&crew);
	sim_link_down(crew.sim);
	crew_run_ms(&crew, 100);
	takes_down(&crew, "r-1", CUST "+" AGENT);
	sim_link_up(crew.sim);
	crew_run_ms(&crew, 100);
	assert_int_equal(crew_told(&crew, TELCALL_RECORD_ENDED, "1"), 0);
	crew_end(&crew, "1");
	crew_run_ms(&crew, 10);
	ended(&crew, "r-1", "ok", false);
	crew_done_empty(&crew);
}

static void recording_of_before_is_taken_back(void **state)
{
	(void)state;
	struct tel_restored was;
	struct crew crew;

	begin(&crew);
	crew_die(&crew);
	crew_rise(&crew);
	was = crew_was("1", TEL_WAS_TALK, AGENT);
	strcpy(was.recording, "r-1");
	was.is_recording_paused = true;
	crew_restore(&crew, &was);
	crew_start(&crew);
	crew_run_ms(&crew, 10);
	takes_down(&crew, "r-1", "");
	crew_end(&crew, "1");
	crew_run_ms(&crew, 10);
	ended(&crew, "r-1", "ok", false);
	crew_done_empty(&crew);
}

static void only_a_call_that_is_up_is_recorded_and_only_by_a_name(void **state)
{
	static const char *const bad[] = {"", "a b", "../x", "a/b"};
	struct crew crew;

	(void)state;
	crew_open(&crew, NULL);
	crew_make(&crew, "1", AGENT, "+15550408");
	assert_int_equal(telephony_record(crew.telephony, "1", "r-1", NULL), ST_CONFLICT);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(telephony_record(crew.telephony, "1", bad[i], NULL), ST_INVALID);
	does(telephony_record_stop(crew.telephony, "1", NULL));
	does(telephony_record_pause(crew.telephony, "1", true, NULL));
	crew_end(&crew, "1");
	crew_done(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_is_recorded_until_it_is_stopped),
		cmocka_unit_test(paused_recording_is_silent),
		cmocka_unit_test(held_call_is_recorded_and_the_other_one_is_not),
		cmocka_unit_test(conference_is_recorded_in_a_second_part),
		cmocka_unit_test(customer_who_leaves_a_conference_is_recorded_no_more),
		cmocka_unit_test(completed_transfer_is_recorded_until_both_are_gone),
		cmocka_unit_test(blind_transfer_is_recorded_in_the_same_part),
		cmocka_unit_test(recording_that_cannot_begin_is_told),
		cmocka_unit_test(recording_that_cannot_be_paused_is_ended),
		cmocka_unit_test(recording_goes_on_over_a_lost_link),
		cmocka_unit_test(recording_of_before_is_taken_back),
		cmocka_unit_test(only_a_call_that_is_up_is_recorded_and_only_by_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
