/* The way of records to a real PostgreSQL and its misfortunes: nothing lost, nothing doubled, and
 * nobody who tells them has to wait. */
#include "db_test.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "db/record.h"
#include "tests/support/pg_proxy.h"

static struct pg_fixture pg;

struct bench { /* one test's database, log, and what the log said */
	char owner[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];
	char journal[128];
	struct record_log *log;
	struct uuid agent_id, dialer_call_id, call_id;
	unsigned version;
	uint64_t appended, stable;
	bool is_away;
	unsigned away_times;
	uint64_t rejected[8];
	unsigned rejected_count;
	atomic_uint wakes;
};

static struct bench bench;

/* --- what the log says --- */

static uint64_t events_stored(void)
{
	return strtoull(pg_fixture_value(bench.owner, "select count(*) from dialer_call_events"),
			NULL, 10);
}

static void hear_stable(void *user, uint64_t number)
{
	(void)user;
	assert_true(number > bench.stable);
	bench.stable = number;
}

static void hear_degraded(void *user, bool is_degraded, const char *why)
{
	(void)user;
	(void)is_degraded;
	fail_msg("the disk is well, whatever PostgreSQL does: %s", why);
}

static void hear_database(void *user, bool is_away, const char *why, uint64_t behind)
{
	(void)user;
	(void)behind;
	assert_true(is_away != bench.is_away);
	assert_true(!is_away || *why);
	bench.is_away = is_away;
	bench.away_times += is_away;
}

static void hear_rejected(void *user, uint64_t number, const char *why)
{
	(void)user;
	assert_non_null(strstr(why, "SQLSTATE"));
	assert_true(bench.rejected_count < 8);
	bench.rejected[bench.rejected_count++] = number;
}

static void hear_wake(void *user)
{
	(void)user;
	atomic_fetch_add(&bench.wakes, 1);
}

static void open_log(const char *conninfo)
{
	const struct record_log_events events = {
		.on_stable = hear_stable,
		.on_degraded = hear_degraded,
		.on_database = hear_database,
		.on_rejected = hear_rejected,
		.wake = hear_wake,
	};
	const struct record_log_config config = {
		.conninfo = conninfo,
		.journal_dir = bench.journal,
		.node = "n1",
		.segment_size = 1 << 20,
	};
	struct err err = {0};

	bench.is_away = false;
	bench.log = record_log_open(&config, &events, NULL, &err);
	if (!bench.log)
		fail_msg("%s: %s", err.code, err.message);
}

/* --- records --- */

static struct record call_record(void)
{
	int64_t now = clock_wall_ms(&clock_system);
	struct record record = {
		.at_ms = now,
		.has = RECORD_CALL | RECORD_EVENT_OPEN,
		.event_id = new_id(),
		.event_name = "ring",
		.event_at_ms = now,
		.call = {.call_id = bench.call_id,
			 .dialer_call_id = bench.dialer_call_id,
			 .tenant_id = id_of(TENANT),
			 .agent_id = bench.agent_id,
			 .version = ++bench.version,
			 .started_at_ms = now,
			 .direction = DIR_OUTBOUND,
			 .phone = "+15551234567",
			 .campaign = "Spring",
			 .actor = ACTOR_AGENT},
	};
	return record;
}

static uint64_t append(const struct record *record)
{
	uint64_t number;

	assert_int_equal(record_append(bench.log, record, &number), ST_OK);
	assert_int_equal(number, bench.appended + 1);
	return bench.appended = number;
}

static void append_events(unsigned count)
{
	while (count-- > 0) {
		struct record record = call_record();
		append(&record);
	}
}

/* --- waiting --- */

static bool is_all_stable(void *arg)
{
	(void)arg;
	record_log_poll(bench.log);
	return bench.stable == bench.appended;
}

static bool is_all_stored(void *arg)
{
	return is_all_stable(arg) && record_log_behind(bench.log) == 0;
}

static bool is_away(void *arg)
{
	(void)arg;
	record_log_poll(bench.log);
	return bench.is_away;
}

static bool is_back(void *arg)
{
	return !is_away(arg);
}

static void until_all_stable(void)
{
	pg_until("all records are stable", is_all_stable, NULL, 5000);
	assert_int_equal(record_log_waiting(bench.log), 0);
}

static void until_all_stored(void)
{
	pg_until("all records are stored", is_all_stored, NULL, 20000);
}

static void begin_journal(void)
{
	static unsigned count;

	str_format(bench.journal, sizeof(bench.journal), "%s/journal%u", pg.folder, ++count);
	bench.appended = bench.stable = 0;
}

static int set_up(void **state)
{
	(void)state;
	bench = (struct bench){
		.agent_id = new_id(), .dialer_call_id = new_id(), .call_id = new_id()};
	pg_fixture_mend(&pg);
	pg_fixture_database(&pg, true, bench.owner);
	pg_fixture_as(bench.owner, "gateway", bench.gateway);
	pg_fixture_exec(bench.owner, sql_format("insert into agents (agent_id, tenant_id, login, "
						"full_name, extension) values "
						"('%s', '%s', '1001', 'Ada Example', '1001')",
						id_text(&bench.agent_id), TENANT));
	begin_journal();
	open_log(bench.gateway);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	record_log_close(bench.log, 0);
	return 0;
}

/* --- once --- */

/* A trigger that fires for each row that is proposed, also where it turns out to be there: rows
 * that are written twice count twice, whatever the statements make of them. */
static void count_proposals(void)
{
	pg_fixture_exec(bench.owner,
			"create table proposals (id uuid); grant insert on proposals to "
			"calltab_service; create function propose() returns trigger language "
			"plpgsql as $$ begin insert into proposals values "
			"(new.dialer_call_event_id); return new; end $$; create trigger propose "
			"before insert on dialer_call_events for each row execute function "
			"propose()");
}

static void assert_stored_once(uint64_t count)
{
	assert_int_equal(events_stored(), count);
	assert_int_equal(
		strtoull(pg_fixture_value(bench.owner, "select count(*) from proposals"), NULL, 10),
		count);
	assert_int_equal(strtoull(pg_fixture_value(bench.owner, "select seq from gateway_journal"),
				  NULL, 10),
			 bench.appended);
}

/* --- tests --- */

static void record_is_stored_as_the_rows_it_describes(void **state)
{
	(void)state;
	struct record record = call_record();

	strcpy(record.call.to.name, "Grace Example");
	record.call.counters = (struct dialer_counters){
		.calls = 3, .no_answers = 1, .busies = 1, .connects = 1, .did_connect = true};
	record.call.dialer_status = DIALER_CLOSED;
	append(&record);
	struct record second = call_record();
	second.has = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_RESULT | RECORD_AGENT;
	second.call = record.call;
	second.call.version++;
	second.closed_event_id = record.event_id;
	second.closed_duration_ms = 2500;
	second.result_id = new_id();
	strcpy(second.result, "Sold");
	strcpy(second.comment, "two of them");
	second.agent = (struct agent_view){.agent_id = bench.agent_id,
					   .tenant_id = id_of(TENANT),
					   .state = AGENT_NOT_READY,
					   .reason = "lunch",
					   .state_at_ms = second.at_ms};
	append(&second);
	until_all_stored();

	assert_string_equal(
		pg_fixture_value(bench.owner,
				 "select concat_ws(',', subject, to_name, phone_number, direction, "
				 "status, calls, no_answers, busies, "
				 "connects, aborts, did_connect, call_id is not null, created_on < "
				 "modified_on or created_on = "
				 "modified_on) from dialer_calls"),
		"Spring,Grace Example,+15551234567,outbound,closed,3,1,1,1,0,t,t,t");
	assert_string_equal(pg_fixture_value(bench.owner,
					     "select concat_ws(',', event_name, direction, "
					     "phone_number, duration_ms, actor) from "
					     "dialer_call_events"),
			    "ring,outbound,+15551234567,2500,agent");
	assert_string_equal(
		pg_fixture_value(bench.owner,
				 "select concat_ws(',', result, direction, phone_number, subject, "
				 "comment, is_automatic, agent_id is not null) "
				 "from dialer_call_results"),
		"Sold,outbound,+15551234567,Spring,two of them,f,t");
	assert_string_equal(
		pg_fixture_value(bench.owner, "select state || ',' || state_reason from agents"),
		"NotReady,lunch");
}

static void everything_is_told_while_the_database_is_away(void **state)
{
	(void)state;
	append_events(5);
	until_all_stored();
	pg_fixture_kill(&pg);
	append_events(300);
	until_all_stable();
	pg_until("away", is_away, NULL, 5000);
	assert_false(record_log_is_degraded(bench.log));
	assert_int_equal(record_log_behind(bench.log), 300);
	assert_true(atomic_load(&bench.wakes) > 0);
	pg_fixture_revive(&pg);
	until_all_stored();
	pg_until("back", is_back, NULL, 1000);
	assert_int_equal(bench.away_times, 1);
	assert_int_equal(events_stored(), 305);
}

static void waiting_records_share_a_transaction(void **state)
{
	(void)state;
	pg_fixture_kill(&pg);
	append_events(2000);
	pg_fixture_revive(&pg);
	until_all_stored();
	assert_int_equal(events_stored(), 2000);
	assert_in_range(
		atoi(pg_fixture_value(bench.owner,
				      "select count(distinct xmin::text) from dialer_call_events")),
		1, 5);
	/* in the order of their numbers: the row of the call is that of the last record */
	assert_string_equal(
		pg_fixture_value(bench.owner, "select version || ',' || record from dialer_calls"),
		"2000,2000");
}

static void ended_backend_costs_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		append_events(20);
		if (i % 3 == 0)
			pg_fixture_end_backends(bench.owner, "calltab records");
		record_log_poll(bench.log);
	}
	until_all_stored();
	assert_int_equal(events_stored(), 600);
}

static void idle_log_notices_that_the_database_stops_and_comes_back(void **state)
{
	(void)state;
	append_events(1);
	until_all_stored();
	pg_fixture_kill(&pg);
	pg_until("away", is_away, NULL, 5000);
	pg_fixture_revive(&pg);
	pg_until("back", is_back, NULL, 10000);
}

/* A stopped process answers nothing and closes nothing. */
static void hung_database_is_noticed_and_gets_everything_once(void **state)
{
	(void)state;
	count_proposals();
	append_events(5);
	until_all_stored();
	pg_fixture_freeze(&pg);
	append_events(700);
	until_all_stable();
	pg_until("away", is_away, NULL, 8000);
	append_events(50);
	/* what was sent may be carried out after the thaw, besides what is sent again */
	pg_fixture_thaw(&pg);
	until_all_stored();
	pg_until("back", is_back, NULL, 1000);
	assert_stored_once(755);
	assert_string_equal(pg_fixture_value(bench.owner, "select record from dialer_calls"),
			    "755");
}

static void hung_database_does_not_keep_a_program_from_ending(void **state)
{
	(void)state;
	count_proposals();
	append_events(5);
	until_all_stored();
	pg_fixture_freeze(&pg);
	append_events(100);
	until_all_stable();
	assert_int_equal(record_log_close(bench.log, 100), 0);
	open_log(bench.gateway);
	append_events(30);
	until_all_stable();
	pg_fixture_thaw(&pg);
	until_all_stored();
	assert_stored_once(135);
}

static bool is_less_behind(void *from)
{
	record_log_poll(bench.log);
	return record_log_behind(bench.log) < *(uint64_t *)from;
}

static bool is_answer_lost(void *proxy)
{
	record_log_poll(bench.log);
	return pg_proxy_left(proxy) == 0;
}

static void lost_answer_to_commit_is_mended_without_doubling(void **state)
{
	(void)state;
	char through[PG_CONNINFO_SIZE];
	struct pg_proxy *proxy = pg_proxy_start(bench.gateway, pg.folder, through);

	record_log_close(bench.log, 1000);
	open_log(through);
	count_proposals();
	append_events(3);
	until_all_stored();
	for (int i = 0; i < 20; i++) {
		pg_proxy_lose_answers_to(proxy, "commit", 1);
		append_events(3);
		pg_until("an answer is lost", is_answer_lost, proxy, 5000);
		append_events(1);
		until_all_stored();
	}
	assert_int_equal(bench.away_times, 0); /* mended in silence */
	assert_stored_once(83);
	record_log_close(bench.log, 1000);
	pg_proxy_stop(proxy);
	open_log(bench.gateway);
}

static void lost_answer_to_anything_is_mended_without_doubling(void **state)
{
	static const char *const lost[] = {"begin", "journal_move", "dialer_call_upsert",
					   "event_insert", "commit"};
	char through[PG_CONNINFO_SIZE];
	struct pg_proxy *proxy = pg_proxy_start(bench.gateway, pg.folder, through);

	(void)state;
	record_log_close(bench.log, 1000);
	open_log(through);
	count_proposals();
	append_events(3);
	until_all_stored();
	for (int i = 0; i < 10; i++) {
		pg_proxy_lose_answers_to(proxy, lost[i % 5], 1);
		append_events(2);
		pg_until("an answer is lost", is_answer_lost, proxy, 5000);
		until_all_stored();
	}
	assert_stored_once(23);
	record_log_close(bench.log, 1000);
	pg_proxy_stop(proxy);
	open_log(bench.gateway);
}

static void refused_record_is_left_out_and_reported_once(void **state)
{
	(void)state;
	pg_fixture_kill(&pg); /* so that all of them are one group */
	append_events(10);
	struct record bad = call_record();
	bad.call.dialer_call_id = new_id();
	bad.call.agent_id = new_id(); /* nobody's */
	uint64_t bad_number = append(&bad);
	append_events(10);
	pg_fixture_revive(&pg);
	until_all_stored();
	assert_int_equal(bench.rejected_count, 1);
	assert_int_equal(bench.rejected[0], bad_number);
	assert_int_equal(events_stored(), 20);
	assert_string_equal(pg_fixture_value(bench.owner, "select count(*) from dialer_calls"),
			    "1");
}

static void refused_last_record_does_not_hold_up_its_number(void **state)
{
	(void)state;
	struct record bad = call_record();

	bad.call.agent_id = new_id();
	append(&bad);
	until_all_stored();
	assert_int_equal(bench.rejected_count, 1);
}

/* A constraint of the administrator's that is checked at commit: no statement can be blamed. */
static void record_refused_at_commit_is_found(void **state)
{
	(void)state;
	pg_fixture_exec(bench.owner, "create function refuse() returns trigger language plpgsql as "
				     "$$ begin if new.event_name = 'bad' then "
				     "raise exception 'no'; end if; return new; end $$; create "
				     "constraint trigger refuse after insert on "
				     "dialer_call_events deferrable initially deferred for each "
				     "row execute function refuse()");
	pg_fixture_kill(&pg);
	append_events(4);
	struct record bad = call_record();
	strcpy(bad.event_name, "bad");
	uint64_t bad_number = append(&bad);
	append_events(4);
	pg_fixture_revive(&pg);
	until_all_stored();
	assert_int_equal(bench.rejected_count, 1);
	assert_int_equal(bench.rejected[0], bad_number);
	assert_int_equal(events_stored(), 8);
}

static void wrong_privileges_are_waited_out_and_nothing_is_lost(void **state)
{
	(void)state;
	pg_fixture_exec(bench.owner, "revoke insert on dialer_call_events from calltab_service");
	append_events(3);
	pg_until("away", is_away, NULL, 5000);
	assert_int_equal(bench.rejected_count, 0);
	pg_fixture_exec(bench.owner, "grant insert on dialer_call_events to calltab_service");
	until_all_stored();
	assert_int_equal(events_stored(), 3);
}

static void notice_is_told_in_its_turn_and_stores_nothing(void **state)
{
	(void)state;
	struct record notice = {.has = RECORD_NOTICE};

	append_events(1);
	append(&notice);
	append_events(1);
	until_all_stored();
	assert_int_equal(events_stored(), 2);
	pg_fixture_kill(&pg);
	append(&notice); /* needs no database */
	until_all_stable();
	pg_fixture_revive(&pg);
}

/* Copies of a checkpoint tell of nothing that has happened. */
static void copy_stores_nothing(void **state)
{
	(void)state;
	struct record copy = call_record();

	copy.has |= RECORD_COPY | RECORD_LIVE;
	append(&copy);
	append_events(1);
	until_all_stored();
	assert_int_equal(events_stored(), 1);
}

static void integrators_columns_are_left_alone(void **state)
{
	(void)state;
	struct record record = call_record();
	struct uuid crm_id = new_id();

	append(&record);
	until_all_stored();
	pg_fixture_exec(
		bench.owner,
		sql_format("update dialer_calls set computed_outcome = 'Won', crm_record_ref = "
			   "'T-1', phone_call_id = '%s'",
			   id_text(&crm_id)));
	record = call_record();
	record.call.phone_call_id = new_id();
	append(&record);
	until_all_stored();
	assert_string_equal(pg_fixture_value(bench.owner,
					     "select computed_outcome || ',' || crm_record_ref || "
					     "',' || version from dialer_calls"),
			    "Won,T-1,2");
	assert_string_equal(pg_fixture_value(bench.owner, "select phone_call_id from dialer_calls"),
			    id_text(&crm_id));
}

static void second_attempt_continues_the_row_although_its_version_starts_again(void **state)
{
	(void)state;
	append_events(5);
	bench.call_id = new_id();
	bench.version = 0;
	struct record record = call_record();
	record.call.counters.calls = 2;
	append(&record);
	until_all_stored();
	assert_string_equal(pg_fixture_value(bench.owner, "select count(*) || ',' || max(calls) || "
							  "',' || max(version) from dialer_calls"),
			    "1,2,1");
}

static void next_run_of_the_program_goes_on_with_a_row(void **state)
{
	(void)state;
	append_events(5);
	until_all_stored();
	record_log_close(bench.log, 1000);
	open_log(bench.gateway);
	append_events(1);
	until_all_stored();
	assert_string_equal(
		pg_fixture_value(bench.owner, "select version || ',' || record from dialer_calls"),
		"6,6");
}

static void new_journal_may_go_on_with_a_row(void **state)
{
	(void)state;
	append_events(5);
	until_all_stored();
	record_log_close(bench.log, 1000);
	begin_journal();
	open_log(bench.gateway);
	append_events(1); /* record 1 of this journal, version 6 of the call */
	until_all_stored();
	assert_string_equal(
		pg_fixture_value(bench.owner, "select version || ',' || record from dialer_calls"),
		"6,1");
	record_log_close(bench.log, 1000);
	begin_journal();
	open_log(bench.gateway);
	bench.version = 2; /* an old one of the same presentation */
	append_events(1);
	until_all_stored();
	assert_string_equal(pg_fixture_value(bench.owner, "select version from dialer_calls"), "6");
	assert_string_equal(
		pg_fixture_value(bench.owner,
				 "select string_agg(seq::text, ',' order by created_on) from "
				 "gateway_journal"),
		"5,1,1");
}

static void folder_that_lost_its_segments_is_a_new_journal(void **state)
{
	char command[200];

	(void)state;
	append_events(5);
	until_all_stored();
	record_log_close(bench.log, 1000);
	str_format(command, sizeof(command), "find '%s' -type f ! -name id -delete", bench.journal);
	assert_int_equal(system(command), 0);
	bench.appended = bench.stable = 0;
	open_log(bench.gateway);
	append_events(2);
	until_all_stored();
	assert_int_equal(events_stored(), 7);
}

static void watermark_moved_by_somebody_else_is_believed(void **state)
{
	(void)state;
	append_events(3);
	until_all_stored();
	pg_fixture_exec(bench.owner, "update gateway_journal set seq = seq + 2");
	append_events(4);
	until_all_stored();
	assert_int_equal(events_stored(), 5);
	assert_string_equal(pg_fixture_value(bench.owner, "select seq from gateway_journal"), "7");
}

static void close_stores_what_is_in_the_journal(void **state)
{
	(void)state;
	append_events(1000);
	assert_int_equal(record_log_close(bench.log, 10000), 0);
	assert_int_equal(events_stored(), 1000);
	open_log(bench.gateway);
}

static void what_a_run_could_not_store_the_next_one_does(void **state)
{
	(void)state;
	count_proposals();
	append_events(2);
	until_all_stored();
	pg_fixture_kill(&pg);
	append_events(70);
	until_all_stable();
	assert_int_equal(record_log_close(bench.log, 500), 0);
	open_log(bench.gateway);
	pg_until("away", is_away, NULL, 5000);
	append_events(7);
	until_all_stable();
	pg_fixture_revive(&pg);
	until_all_stored();
	assert_stored_once(79);
}

static void log_without_a_database_says_so_at_once(void **state)
{
	(void)state;
	record_log_close(bench.log, 1000);
	open_log("host=/nonexistent");
	pg_until("away", is_away, NULL, 2000);
	append_events(3);
	until_all_stable();
	assert_int_equal(record_log_behind(bench.log), 3);
}

static void slow_trigger_gets_smaller_transactions(void **state)
{
	(void)state;
	pg_fixture_exec(bench.owner,
			"create function slow() returns trigger language plpgsql as $$ begin "
			"perform pg_sleep(0.02); return null; end $$; create trigger slow after "
			"insert on dialer_call_events for each row execute function slow()");
	append_events(300);
	until_all_stored();
	assert_int_equal(events_stored(), 300);
}

static void backlog_is_stored_quickly(void **state)
{
	enum { COUNT = 20000 };

	(void)state;
	pg_fixture_kill(&pg);
	for (unsigned i = 0; i < COUNT; i++) {
		if (i % 10 == 0) {
			bench.dialer_call_id = new_id();
			bench.call_id = new_id();
		}
		append_events(1);
	}
	until_all_stable();
	pg_fixture_revive(&pg);
	uint64_t from = record_log_behind(bench.log);
	int64_t began_us = clock_mono_us(&clock_system);
	pg_until("the first of them is stored", is_less_behind, &from, 10000);
	from = record_log_behind(bench.log);
	began_us = clock_mono_us(&clock_system);
	until_all_stored();
	int64_t took_us = clock_mono_us(&clock_system) - began_us;
	assert_int_equal(events_stored(), COUNT);
	print_message("# catching up: %.0f records a second\n",
		      (double)from * 1e6 / (double)(took_us + 1));
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(record_is_stored_as_the_rows_it_describes),
		test(everything_is_told_while_the_database_is_away),
		test(waiting_records_share_a_transaction),
		test(ended_backend_costs_nothing),
		test(idle_log_notices_that_the_database_stops_and_comes_back),
		test(hung_database_is_noticed_and_gets_everything_once),
		test(hung_database_does_not_keep_a_program_from_ending),
		test(lost_answer_to_commit_is_mended_without_doubling),
		test(lost_answer_to_anything_is_mended_without_doubling),
		test(refused_record_is_left_out_and_reported_once),
		test(refused_last_record_does_not_hold_up_its_number),
		test(record_refused_at_commit_is_found),
		test(wrong_privileges_are_waited_out_and_nothing_is_lost),
		test(notice_is_told_in_its_turn_and_stores_nothing),
		test(copy_stores_nothing),
		test(integrators_columns_are_left_alone),
		test(second_attempt_continues_the_row_although_its_version_starts_again),
		test(next_run_of_the_program_goes_on_with_a_row),
		test(new_journal_may_go_on_with_a_row),
		test(folder_that_lost_its_segments_is_a_new_journal),
		test(watermark_moved_by_somebody_else_is_believed),
		test(close_stores_what_is_in_the_journal),
		test(what_a_run_could_not_store_the_next_one_does),
		test(log_without_a_database_says_so_at_once),
		test(slow_trigger_gets_smaller_transactions),
		test(backlog_is_stored_quickly),
	};

	start_or_skip(&pg);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
