/* The pool: workers, deadlines, breaker. */
#include "db_test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "db/db.h"

static struct pg_fixture pg;
static char owner[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];
static struct db *db;
static struct uuid tenant;

/* A job that counts the agents, and what became of it. */
struct asked {
	struct db_job job;
	atomic_int done_times;
	enum status status;
	char code[40];
	int64_t agents;
	int64_t took_ms, since_us;
	pthread_t run_on, done_on;
	void (*meanwhile)(struct db_conn *conn);
};

static enum status count_agents(struct db_conn *conn, void *arg, struct err *err)
{
	struct asked *asked = arg;
	const struct db_param params[] = {db_uuid(&tenant)};
	auto_db_result struct db_result *rows = NULL;

	asked->run_on = pthread_self();
	if (asked->meanwhile)
		asked->meanwhile(conn);
	enum status status = db_query(conn, "agent_count", params, 1, &rows, err);
	if (status == ST_OK)
		asked->agents = db_get_int(rows, 0, 0);
	return status;
}

static void hear_done(void *arg, enum status status, const struct err *err)
{
	struct asked *asked = arg;

	asked->status = status;
	asked->done_on = pthread_self();
	asked->took_ms = (clock_mono_us(&clock_system) - asked->since_us) / 1000;
	str_copy_cut(asked->code, sizeof(asked->code), status == ST_OK ? "" : err->code);
	atomic_fetch_add(&asked->done_times, 1);
}

static enum status submit(struct asked *asked, unsigned deadline_ms)
{
	struct err err;

	asked->job = (struct db_job){
		.run = count_agents, .done = hear_done, .arg = asked, .deadline_ms = deadline_ms};
	asked->since_us = clock_mono_us(&clock_system);
	asked->agents = -1;
	atomic_store(&asked->done_times, 0);
	return db_submit(db, &asked->job, &err);
}

static bool is_done(void *arg)
{
	return atomic_load(&((struct asked *)arg)->done_times) > 0;
}

static enum status ask(struct asked *asked, unsigned deadline_ms)
{
	assert_int_equal(submit(asked, deadline_ms), ST_OK);
	pg_until("the job is done", is_done, asked, 20000);
	assert_int_equal(atomic_load(&asked->done_times), 1);
	return asked->status;
}

static bool is_available(void *arg)
{
	(void)arg;
	return db_is_available(db);
}

static bool is_unavailable(void *arg)
{
	return !is_available(arg);
}

static void open_pool(const char *conninfo, unsigned workers, unsigned queue_limit)
{
	const struct db_config config = {.conninfo = conninfo,
					 .workers = workers,
					 .queue_limit = queue_limit,
					 .statement_timeout_ms = 1000};
	struct err err;

	db = db_open(&config, &err);
	assert_non_null(db);
}

static int set_up(void **state)
{
	(void)state;
	tenant = id_of(TENANT);
	pg_fixture_mend(&pg);
	pg_fixture_database(&pg, true, owner);
	pg_fixture_as(owner, "gateway", gateway);
	open_pool(gateway, 2, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static void job_runs_and_answers_on_one_worker(void **state)
{
	struct asked asked = {0};

	(void)state;
	assert_int_equal(ask(&asked, 0), ST_OK);
	assert_int_equal(asked.agents, 0);
	assert_true(pthread_equal(asked.run_on, asked.done_on));
	assert_false(pthread_equal(asked.run_on, pthread_self()));
}

static void many_jobs_are_all_answered_once(void **state)
{
	static struct asked many[300];

	(void)state;
	memset(many, 0, sizeof(many));
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(submit(&many[i], 10000), ST_OK);
	for (unsigned i = 0; i < 300; i++) {
		pg_until("each is done", is_done, &many[i], 10000);
		assert_int_equal(many[i].status, ST_OK);
		assert_int_equal(atomic_load(&many[i].done_times), 1);
	}
}

static void ended_backends_are_replaced_before_anybody_notices(void **state)
{
	struct asked asked = {0};

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ask(&asked, 0), ST_OK);
		assert_true(pg_fixture_end_backends(owner, "calltab") > 0);
	}
	assert_int_equal(ask(&asked, 0), ST_OK);
	assert_true(db_is_available(db));
}

static void restarted_database_is_used_again(void **state)
{
	struct asked asked = {0};

	(void)state;
	assert_int_equal(ask(&asked, 0), ST_OK);
	pg_fixture_kill(&pg);
	assert_int_equal(ask(&asked, 0), ST_UNAVAILABLE);
	assert_string_equal(asked.code, "db.away");
	assert_false(db_is_available(db));
	/* while the breaker is open nothing is tried and nobody waits */
	assert_int_equal(ask(&asked, 0), ST_UNAVAILABLE);
	assert_in_range(asked.took_ms, 0, 200);
	pg_fixture_revive(&pg);
	pg_until("the database is found again", is_available, NULL, 8000);
	assert_int_equal(ask(&asked, 0), ST_OK);
}

static void database_that_hangs_is_given_up_within_the_deadline(void **state)
{
	struct asked asked = {0}, next = {0};

	(void)state;
	assert_int_equal(ask(&asked, 0), ST_OK);
	pg_fixture_freeze(&pg);
	enum status status = ask(&asked, 500);
	int64_t first_ms = asked.took_ms;
	/* the deadline of a patient one is the statement's and a second more; then the breaker
	 * opens */
	enum status patient = ask(&next, 10000);
	bool was_open = !db_is_available(db);
	pg_fixture_thaw(&pg);
	assert_int_equal(status, ST_TIMEOUT);
	assert_in_range(first_ms, 450, 900);
	assert_true(patient == ST_TIMEOUT || patient == ST_UNAVAILABLE);
	assert_in_range(next.took_ms, 1500, 4500);
	assert_true(was_open);
	pg_until("the database is found again", is_available, NULL, 10000);
	assert_int_equal(ask(&asked, 0), ST_OK);
}

/* All workers hang: who waits behind them is told in time all the same. */
static void job_that_waits_too_long_is_failed_in_time(void **state)
{
	struct asked stuck[2] = {0}, waiting = {0}, patient = {0};

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(ask(&stuck[i], 0), ST_OK);
	pg_fixture_freeze(&pg);
	for (int i = 0; i < 2; i++)
		assert_int_equal(submit(&stuck[i], 10000), ST_OK);
	assert_int_equal(submit(&patient, 9000), ST_OK);
	enum status status = ask(&waiting, 300);
	pg_fixture_thaw(&pg);
	assert_int_equal(status, ST_TIMEOUT);
	assert_in_range(waiting.took_ms, 280, 700);
	for (int i = 0; i < 2; i++)
		pg_until("the others end", is_done, &stuck[i], 10000);
	pg_until("the last one ends", is_done, &patient, 10000);
}

static sem_t is_running, may_go_on;

static void hold_worker(struct db_conn *conn)
{
	(void)conn;
	sem_post(&is_running);
	sem_wait(&may_go_on);
}

static void full_queue_is_busy_and_done_is_not_called(void **state)
{
	struct asked runs = {.meanwhile = hold_worker}, waits = {0}, refused = {0};

	(void)state;
	sem_init(&is_running, 0, 0);
	sem_init(&may_go_on, 0, 0);
	db_close(db);
	open_pool(gateway, 1, 1);
	assert_int_equal(submit(&runs, 5000), ST_OK);
	sem_wait(&is_running);
	assert_int_equal(submit(&waits, 5000), ST_OK);
	assert_int_equal(submit(&refused, 5000), ST_BUSY);
	assert_int_equal(db_fill_percent(db), 100);
	sem_post(&may_go_on);
	pg_until("the one that waited is done", is_done, &waits, 10000);
	assert_int_equal(runs.status, ST_OK);
	assert_int_equal(waits.status, ST_OK);
	assert_int_equal(atomic_load(&refused.done_times), 0);
	assert_int_equal(db_fill_percent(db), 0);
}

static void leave_open(struct db_conn *conn)
{
	struct err err;

	assert_int_equal(db_begin(conn, &err), ST_OK);
}

static void transaction_a_job_left_open_is_rolled_back(void **state)
{
	struct asked asked = {.meanwhile = leave_open};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(&asked, 0), ST_OK);
	assert_string_equal(
		pg_fixture_value(owner,
				 "select count(*) from pg_stat_activity where application_name = "
				 "'calltab' and state <> 'idle'"),
		"0");
}

static void pool_without_a_database_opens_and_says_so_when_asked(void **state)
{
	struct asked asked = {0};

	(void)state;
	db_close(db);
	open_pool("host=/nonexistent", 2, 0);
	assert_true(db_is_available(db)); /* nobody has asked yet */
	assert_int_equal(ask(&asked, 0), ST_UNAVAILABLE);
	pg_until("the breaker is open", is_unavailable, NULL, 1000);
}

static void close_fails_what_waits(void **state)
{
	static struct asked many[50];
	unsigned answered = 0, failed = 0;

	(void)state;
	memset(many, 0, sizeof(many));
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(submit(&many[i], 10000), ST_OK);
	db_close(db);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(atomic_load(&many[i].done_times), 1);
		answered += many[i].status == ST_OK;
		failed += many[i].status == ST_UNAVAILABLE;
	}
	assert_int_equal(answered + failed, 50);
	db = NULL;
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(job_runs_and_answers_on_one_worker),
		test(many_jobs_are_all_answered_once),
		test(ended_backends_are_replaced_before_anybody_notices),
		test(restarted_database_is_used_again),
		test(database_that_hangs_is_given_up_within_the_deadline),
		test(job_that_waits_too_long_is_failed_in_time),
		test(full_queue_is_busy_and_done_is_not_called),
		test(transaction_a_job_left_open_is_rolled_back),
		test(pool_without_a_database_opens_and_says_so_when_asked),
		test(close_fails_what_waits),
	};

	start_or_skip(&pg);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
