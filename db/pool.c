#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "db/conn.h"

#define WORKERS_DEFAULT	   4
#define WORKERS_MAX	   64
#define QUEUE_DEFAULT	   1000
#define DEADLINE_MS	   5000
#define BREAKER_FIRST_US   INT64_C(500000)
#define BREAKER_LONGEST_US INT64_C(5000000)

struct worker {
	struct db *db;
	struct db_conn conn;
	pthread_t thread;
};

/* Jobs in a queue, workers that take them, and a minder who fails the jobs that waited too long
 * and, while the breaker is open, tries whether the database is back. Everything below the lock
 * belongs to it. */
struct db {
	struct worker *workers;
	unsigned worker_count, started;
	pthread_t minder;
	bool is_minded;
	unsigned queue_limit;
	struct db_conn probe; /* the minder's */
	void (*on_trouble)(void *user, const char *what, const char *detail);
	void *user;
	atomic_bool is_open; /* the breaker: read by anybody, written under the lock */

	pthread_mutex_t lock;
	pthread_cond_t has_job, has_news; /* for workers, for the minder */
	struct db_job *head, **tail;
	unsigned waiting;
	bool is_stopping;
	unsigned failures; /* in a row */
	int64_t open_until_us;
};

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

/* --- queue --- */

static struct db_job *take_first(struct db *db)
{
	struct db_job *job = db->head;

	db->head = job->next;
	if (!db->head)
		db->tail = &db->head;
	db->waiting--;
	return job;
}

/* Takes every job that is due out of the queue, as a list. */
static struct db_job *take_due(struct db *db, int64_t now)
{
	struct db_job *due = NULL, **due_tail = &due;
	struct db_job **at = &db->head;

	while (*at) {
		struct db_job *job = *at;
		if (job->due_us > now) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		db->waiting--;
		job->next = NULL;
		*due_tail = job;
		due_tail = &job->next;
	}
	db->tail = at;
	return due;
}

static int64_t earliest_due(const struct db *db)
{
	int64_t earliest = INT64_MAX;

	for (const struct db_job *job = db->head; job; job = job->next)
		if (job->due_us < earliest)
			earliest = job->due_us;
	return earliest;
}

enum status db_submit(struct db *db, struct db_job *job, struct err *err)
{
	job->next = NULL;
	job->due_us =
		now_us() + (int64_t)(job->deadline_ms ? job->deadline_ms : DEADLINE_MS) * 1000;
	pthread_mutex_lock(&db->lock);
	if (db->waiting >= db->queue_limit || db->is_stopping) {
		pthread_mutex_unlock(&db->lock);
		return err_set(err, ST_BUSY, "db.busy", "database",
			       "too many requests wait for the database");
	}
	bool is_news = job->due_us < earliest_due(db);
	*db->tail = job;
	db->tail = &job->next;
	db->waiting++;
	pthread_cond_signal(&db->has_job);
	if (is_news)
		pthread_cond_signal(&db->has_news);
	pthread_mutex_unlock(&db->lock);
	return ST_OK;
}

unsigned db_fill_percent(struct db *db)
{
	pthread_mutex_lock(&db->lock);
	unsigned percent = (unsigned)(db->waiting * UINT64_C(100) / db->queue_limit);
	pthread_mutex_unlock(&db->lock);
	return percent;
}

/* --- breaker --- */

/* From 0.5 to 5 s, doubling, with the upper half left to chance so that many programs do not come
 * back at once. */
static void breaker_trip(struct db *db)
{
	int64_t length = BREAKER_LONGEST_US;
	uint32_t chance;

	random_bytes(&chance, sizeof(chance));
	pthread_mutex_lock(&db->lock);
	if (db->failures < 4 && (BREAKER_FIRST_US << db->failures) < length)
		length = BREAKER_FIRST_US << db->failures;
	db->failures++;
	db->open_until_us = now_us() + length / 2 + (int64_t)(chance % (uint32_t)(length / 2));
	atomic_store(&db->is_open, true);
	pthread_cond_signal(&db->has_news);
	pthread_mutex_unlock(&db->lock);
}

static void breaker_close(struct db *db)
{
	pthread_mutex_lock(&db->lock);
	db->failures = 0;
	atomic_store(&db->is_open, false);
	pthread_mutex_unlock(&db->lock);
}

bool db_is_available(const struct db *db)
{
	return !atomic_load(&db->is_open);
}

/* --- workers --- */

static enum status run_job(struct worker *worker, struct db_job *job, struct err *err)
{
	struct db_conn *conn = &worker->conn;

	conn->due_us = job->due_us;
	enum status status = job->run(conn, job->arg, err);
	db_rollback(conn); /* of what the job left open */
	conn->due_us = 0;
	if (conn->is_hung)
		breaker_trip(worker->db);
	if (conn->is_lost)
		conn_close(conn);
	return status;
}

static void finish_job(struct worker *worker, struct db_job *job)
{
	struct err err = {0};
	enum status status;

	if (atomic_load(&worker->db->is_open))
		status = conn_away(&err);
	else if (now_us() >= job->due_us)
		status = conn_late(&err);
	else
		status = run_job(worker, job, &err);
	/* The job is its asker's again: not touched after this. */
	job->done(job->arg, status, &err);
}

/* Connects before a job is taken: connecting to a server that hangs takes longer than a job may
 * wait, and as long as the job is in the queue the minder can end it or another worker take it. */
static bool is_ready(struct worker *worker)
{
	struct db *db = worker->db;
	struct err err;

	if (atomic_load(&db->is_open) || conn_is_usable(&worker->conn))
		return true;
	pthread_cond_signal(&db->has_job);
	if (conn_open(&worker->conn, false, &err) != ST_OK)
		breaker_trip(db);
	return false;
}

/* The next job, as soon as there is one and a connection for it; NULL when it is time to stop. */
static struct db_job *next_job(struct worker *worker)
{
	struct db *db = worker->db;
	struct db_job *job = NULL;

	pthread_mutex_lock(&db->lock);
	while (!job && !db->is_stopping) {
		if (!db->head) {
			pthread_cond_wait(&db->has_job, &db->lock);
			continue;
		}
		pthread_mutex_unlock(&db->lock);
		bool may_take = is_ready(worker);
		pthread_mutex_lock(&db->lock);
		if (may_take && db->head && !db->is_stopping)
			job = take_first(db);
	}
	pthread_mutex_unlock(&db->lock);
	return job;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct db_job *job;

	while ((job = next_job(worker)))
		finish_job(worker, job);
	conn_close(&worker->conn);
	return NULL;
}

/* --- minder --- */

static void fail_jobs(struct db_job *list, enum status status, const char *code,
		      const char *message)
{
	struct err err = {0};

	err_set(&err, status, code, "database", "%s", message);
	while (list) {
		struct db_job *next = list->next;
		list->done(list->arg, status, &err);
		list = next;
	}
}

static void probe(struct db *db)
{
	struct err err;

	if (conn_open(&db->probe, false, &err) == ST_OK &&
	    conn_command(&db->probe, "select 1", &err) == ST_OK)
		breaker_close(db);
	else
		breaker_trip(db);
	conn_close(&db->probe);
}

static void wait_until(struct db *db, int64_t until_us)
{
	struct timespec until = {.tv_sec = until_us / 1000000,
				 .tv_nsec = until_us % 1000000 * 1000};

	if (until_us == INT64_MAX)
		pthread_cond_wait(&db->has_news, &db->lock);
	else
		pthread_cond_timedwait(&db->has_news, &db->lock, &until);
}

static void *mind(void *arg)
{
	struct db *db = arg;

	pthread_mutex_lock(&db->lock);
	while (!db->is_stopping) {
		int64_t now = now_us();
		bool is_probe_due = atomic_load(&db->is_open) && now >= db->open_until_us;
		struct db_job *due = take_due(db, now);

		if (due || is_probe_due) {
			pthread_mutex_unlock(&db->lock);
			fail_jobs(due, ST_TIMEOUT, "db.timeout",
				  "the database was too busy in time");
			if (is_probe_due)
				probe(db);
			pthread_mutex_lock(&db->lock);
			continue;
		}
		int64_t until = earliest_due(db);
		if (atomic_load(&db->is_open) && db->open_until_us < until)
			until = db->open_until_us;
		wait_until(db, until);
	}
	pthread_mutex_unlock(&db->lock);
	return NULL;
}

/* --- life --- */

static void init_conn(struct db_conn *conn, const struct db_config *config)
{
	const struct conn_config conn_config = {
		.conninfo = config->conninfo,
		.application = "calltab",
		.statement_timeout_ms = config->statement_timeout_ms ? config->statement_timeout_ms
								     : CONN_STATEMENT_MS,
		.idle_in_transaction_ms = 5000,
	};

	conn_init(conn, &conn_config);
	conn->on_trouble = config->on_trouble;
	conn->user = config->user;
}

static void init_sync(struct db *db)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->has_job, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&db->has_news, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static bool start_threads(struct db *db)
{
	db->is_minded = pthread_create(&db->minder, NULL, mind, db) == 0;
	if (!db->is_minded)
		return false;
	for (; db->started < db->worker_count; db->started++) {
		struct worker *worker = &db->workers[db->started];
		if (pthread_create(&worker->thread, NULL, work, worker) != 0)
			return false;
	}
	return true;
}

struct db *db_open(const struct db_config *config, struct err *err)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->worker_count = config->workers ? config->workers : WORKERS_DEFAULT;
	if (db->worker_count > WORKERS_MAX)
		db->worker_count = WORKERS_MAX;
	db->queue_limit = config->queue_limit ? config->queue_limit : QUEUE_DEFAULT;
	db->tail = &db->head;
	db->workers = xcalloc(db->worker_count, sizeof(*db->workers));
	for (unsigned i = 0; i < db->worker_count; i++) {
		db->workers[i].db = db;
		init_conn(&db->workers[i].conn, config);
	}
	init_conn(&db->probe, config);
	init_sync(db);
	if (start_threads(db))
		return db;
	err_set(err, ST_INTERNAL, "db.threads", "database",
		"cannot start the threads of the database");
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	pthread_mutex_lock(&db->lock);
	db->is_stopping = true;
	pthread_cond_broadcast(&db->has_job);
	pthread_cond_broadcast(&db->has_news);
	pthread_mutex_unlock(&db->lock);
	for (unsigned i = 0; i < db->started; i++)
		pthread_join(db->workers[i].thread, NULL);
	if (db->is_minded)
		pthread_join(db->minder, NULL);
	fail_jobs(db->head, ST_UNAVAILABLE, "db.away", "the service is stopping");
	for (unsigned i = 0; i < db->worker_count; i++)
		conn_done(&db->workers[i].conn);
	conn_done(&db->probe);
	pthread_mutex_destroy(&db->lock);
	pthread_cond_destroy(&db->has_job);
	pthread_cond_destroy(&db->has_news);
	free(db->workers);
	free(db);
}
