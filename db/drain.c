#include "db/drain.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "db/conn.h"
#include "db/drain_release.h"
#include "db/drain_rows.h"
#include "db/drain_store.h"
#include "db/record_codec.h"
#include "db/statements.h"

#define BATCH_MAX	 1000
#define ENTRIES_MAX	 4000 /* read at once, most of them without rows */
#define UNMARKED_MAX	 1000 /* entries without rows, until the watermark is moved for them alone */
#define GATHER_US	 INT64_C(5000) /* from one small transaction to the next */
#define IDLE_US		 INT64_C(60000000)
#define PAUSE_FIRST_US	 INT64_C(200000)
#define PAUSE_LONGEST_US INT64_C(5000000)
#define WHY_SIZE	 120

struct drain {
	struct drain_config config;
	struct drain_events events;
	char *conninfo, *node;
	pthread_t thread;
	int wake_fd; /* eventfd: more is stable, or stop */
	_Atomic uint64_t done, keep_from;
	pthread_mutex_t lock; /* of the two below */
	pthread_cond_t has_news;
	bool is_away;
	atomic_bool is_stopping;
	int64_t stop_at_us; /* set before is_stopping */
	uint64_t stop_at;   /* the last number to be stored */
	struct release_log release;

	/* Only of the drain's thread. */
	struct db_conn conn;
	struct drain_rows *rows;
	struct journal_reader *reader;
	struct record *records; /* read and not stored: first .. count */
	unsigned first, count, room;
	uint64_t last;	 /* entries up to this number were read */
	uint64_t stored; /* the watermark */
	bool is_stored_known, has_stored;
	bool was_moved;		/* the watermark could not be moved */
	unsigned most;		/* records of the next transaction */
	uint64_t suspect_until; /* one of those up to here is refused */
	unsigned failures;	/* in a row */
	int64_t not_before_us;	/* the pause after a failure */
	int64_t began_us;	/* the last transaction */
	int ghost_pid; /* of the connection given up in the middle of a transaction: it may hold
			  locks */
};

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

/* --- trouble --- */

static void tell_database(struct drain *drain, bool is_away, const char *why)
{
	if (drain->is_away == is_away)
		return;
	pthread_mutex_lock(&drain->lock);
	drain->is_away = is_away;
	pthread_cond_broadcast(&drain->has_news);
	pthread_mutex_unlock(&drain->lock);
	drain->events.on_database(drain->events.user, is_away, why);
}

static void tell_trouble(struct drain *drain, const char *what, const char *detail)
{
	if (drain->events.on_trouble)
		drain->events.on_trouble(drain->events.user, what, detail);
}

/* The first failure is tried again at once and in silence: a backend was ended, a deadlock was
 * broken. */
static void failed(struct drain *drain, bool is_hung, const char *why)
{
	int64_t pause = PAUSE_LONGEST_US;
	uint32_t chance;

	drain->failures += is_hung ? 2 : 1;
	if (drain->failures == 1)
		return;
	unsigned doublings = drain->failures - 2;
	if (doublings < 5 && (PAUSE_FIRST_US << doublings) < pause)
		pause = PAUSE_FIRST_US << doublings;
	random_bytes(&chance, sizeof(chance));
	drain->not_before_us = now_us() + pause / 2 + (int64_t)(chance % (uint32_t)(pause / 2));
	tell_database(drain, true, why);
}

static void succeeded(struct drain *drain)
{
	drain->failures = 0;
	tell_database(drain, false, "");
}

static const char *explain(const struct db_conn *conn, char buffer[WHY_SIZE])
{
	if (conn->is_hung)
		return "the database does not answer";
	if (!conn->sqlstate[0])
		return "the database is away";
	snprintf(buffer, WHY_SIZE, "the database refuses (SQLSTATE %s)", conn->sqlstate);
	return buffer;
}

/* After anything that leaves a doubt: how far it has come is read from the database again. */
static void connection_failed(struct drain *drain)
{
	char why[WHY_SIZE];

	failed(drain, drain->conn.is_hung, explain(&drain->conn, why));
	drain->is_stored_known = false;
	if (!drain->conn.is_lost)
		return;
	drain->ghost_pid = PQbackendPID(drain->conn.pg);
	conn_close(&drain->conn);
}

/* --- connection --- */

static void end_ghost(struct drain *drain)
{
	const struct db_param pid = db_int(drain->ghost_pid);

	/* Only a courtesy: what it still writes moves the watermark, but its locks could delay us.
	 */
	if (drain->ghost_pid &&
	    db_query(&drain->conn, "drain_end_backend", &pid, 1, NULL, NULL) != ST_OK)
		return;
	drain->ghost_pid = 0;
}

static enum status prepare_all(struct db_conn *conn)
{
	enum status status = ST_OK;

	for (const char *const *name = drain_statements; *name && status == ST_OK; name++)
		status = conn_prepare(conn, (unsigned)db_statement_find(*name), NULL);
	return status;
}

static bool is_connected(struct drain *drain)
{
	char why[WHY_SIZE];

	if (conn_is_usable(&drain->conn))
		return true;
	drain->is_stored_known = false;
	if (conn_open(&drain->conn, false, NULL) == ST_OK) {
		end_ghost(drain);
		if (!drain->conn.is_lost && prepare_all(&drain->conn) == ST_OK)
			return true;
	}
	failed(drain, false, explain(&drain->conn, why));
	conn_close(&drain->conn);
	return false;
}

/* --- reading the journal --- */

static void note_done(struct drain *drain)
{
	uint64_t done = drain->last;

	if (drain->first < drain->count)
		done = drain->records[drain->first].number - 1;
	if (atomic_load(&drain->done) == done)
		return;
	pthread_mutex_lock(&drain->lock);
	atomic_store(&drain->done, done);
	pthread_cond_broadcast(&drain->has_news);
	pthread_mutex_unlock(&drain->lock);
}

static void read_from(struct drain *drain, uint64_t position)
{
	if (drain->reader)
		journal_reader_close(drain->reader);
	drain->reader = journal_reader_open(drain->config.journal, position + 1);
	drain->last = position;
	drain->first = drain->count = 0;
	drain->suspect_until = 0;
	drain->most = BATCH_MAX;
	note_done(drain);
}

/* The watermark is beyond the journal that was found: an older copy of its folder was put back.
 * What was in that copy is stored, what has come since is not. */
static uint64_t believed(struct drain *drain, uint64_t position)
{
	if (drain->has_stored || position <= drain->config.last)
		return position;
	tell_trouble(drain, "the database has more of the journal than its folder",
		     "an older copy of the folder was put back; going on behind what it has");
	return drain->config.last;
}

static bool find_position(struct drain *drain)
{
	uint64_t position;
	bool is_refused;

	if (drain->is_stored_known)
		return true;
	if (drain_position(&drain->conn, drain->node, &drain->config.journal_id, &position) !=
	    ST_OK) {
		connection_failed(drain);
		return false;
	}
	drain->is_stored_known = true;
	FAILPOINT("drain.position");
	/* The records at hand are those that follow, unless a commit of unknown outcome was one. */
	if (!drain->reader || position != drain->stored)
		read_from(drain, believed(drain, position));
	is_refused = drain->was_moved && position == drain->stored;
	drain->was_moved = false;
	drain->stored = position;
	/* Not moved by anybody, and yet not ours to move: the lease is another's. */
	if (is_refused)
		failed(drain, false, "another gateway serves this node");
	return !is_refused;
}

static void make_room(struct drain *drain)
{
	if (drain->first > 0 && drain->first == drain->count)
		drain->first = drain->count = 0;
	if (drain->count < drain->room)
		return;
	drain->room = drain->room ? drain->room * 2 : 16;
	drain->records = xrealloc(drain->records, drain->room * sizeof(drain->records[0]));
}

static void take_entry(struct drain *drain, const struct journal_entry *entry)
{
	struct record_head head;

	drain->last = entry->number;
	if (entry->type != RECORD_TYPE)
		return;
	if (record_peek(entry->payload, entry->size, &head) && !drain_has_rows(head.has))
		return;
	make_room(drain);
	struct record *record = &drain->records[drain->count];
	if (!record_decode(entry->payload, entry->size, record)) {
		drain->events.on_rejected(drain->events.user, entry->number,
					  "the journal's entry is not a record");
		return;
	}
	record->number = entry->number;
	drain->count++;
}

/* False: the journal cannot be read. */
static bool load(struct drain *drain)
{
	struct journal_entry entry;
	struct err err = {0};
	enum status status = ST_OK;

	for (unsigned i = 0; i < ENTRIES_MAX && drain->count - drain->first < BATCH_MAX; i++) {
		status = journal_reader_next(drain->reader, &entry, &err);
		if (status != ST_OK)
			break;
		take_entry(drain, &entry);
	}
	note_done(drain);
	if (status == ST_OK || status == ST_NOT_FOUND)
		return true;
	tell_trouble(drain, "the journal cannot be read", err.message);
	drain->failures++;
	failed(drain, false, "the journal cannot be read");
	return false;
}

/* --- storing --- */

/* How many of the records at hand come next. */
static unsigned batch_size(const struct drain *drain)
{
	unsigned count = drain->count - drain->first, suspects = 0;

	if (count > drain->most)
		count = drain->most;
	while (suspects < count &&
	       drain->records[drain->first + suspects].number <= drain->suspect_until)
		suspects++;
	/* Together they were refused: halves lead to the one. */
	return suspects > 1 ? suspects / 2 : suspects == 1 ? 1 : count;
}

static void stored(struct drain *drain, unsigned count, uint64_t number)
{
	FAILPOINT("drain.stored");
	drain->first += count;
	drain->stored = number;
	drain->has_stored = true;
	drain->most = drain->most < BATCH_MAX / 2 ? drain->most * 2 : BATCH_MAX;
	note_done(drain);
	succeeded(drain);
}

static void refused(struct drain *drain, unsigned count)
{
	struct record *last = &drain->records[drain->first + count - 1];
	char why[WHY_SIZE];

	succeeded(drain);
	drain->suspect_until = last->number;
	if (count > 1)
		return;
	drain->events.on_rejected(drain->events.user, last->number, explain(&drain->conn, why));
	last->has = 0; /* its turn comes with nothing to write */
	drain->suspect_until = 0;
}

/* What a drain does that makes its keys anew when it does not know whether a batch was stored. */
static void store_again(struct drain *drain, unsigned count, struct drain_move move)
{
	for (unsigned i = drain->first; i < drain->first + count; i++)
		drain->records[i].event_id = uuid_make(drain->records[i].at_ms);
	move.from = move.to;
	drain_rows_begin(drain->rows, drain->records + drain->first, count,
			 &drain->config.journal_id);
	drain_store(&drain->conn, drain->rows, &move);
}

static void write_batch(struct drain *drain)
{
	unsigned count = batch_size(drain);
	bool is_all = drain->first + count == drain->count;
	struct drain_move move = {
		.node = drain->node,
		.journal_id = drain->config.journal_id,
		.tenant_id = drain->config.tenant_id,
		.lease_epoch = drain->config.lease_epoch,
		.from = drain->stored,
		.to = is_all ? drain->last : drain->records[drain->first + count - 1].number,
	};

	drain->began_us = now_us();
	drain_rows_begin(drain->rows, drain->records + drain->first,
			 count - (PLANTED(11) && count > 1), &drain->config.journal_id);
	switch (drain_store(&drain->conn, drain->rows, &move)) {
	case STORE_DONE:
		if (PLANTED(12))
			store_again(drain, count, move);
		stored(drain, count, move.to);
		break;
	case STORE_MOVED:
		drain->was_moved = true;
		drain->is_stored_known = false;
		break;
	case STORE_REFUSED:
		refused(drain, count);
		break;
	case STORE_LATE:
		drain->most = count > 1 ? count / 2 : 1;
		connection_failed(drain);
		break;
	case STORE_FAILED:
		connection_failed(drain);
		break;
	}
}

/* --- the thread --- */

static bool is_stopping(struct drain *drain)
{
	return atomic_load(&drain->is_stopping);
}

static bool is_over(struct drain *drain)
{
	if (!is_stopping(drain))
		return false;
	if (now_us() >= drain->stop_at_us || drain->failures > 1)
		return true;
	bool is_at_hand_stored = drain->is_stored_known && drain->stored == drain->last &&
				 drain->first == drain->count;
	return is_at_hand_stored &&
	       (drain->last >= drain->stop_at || journal_is_degraded(drain->config.journal));
}

/* Until there is more, the connection says something, or the time has come. */
static void wait_for_news(struct drain *drain, int64_t until_us)
{
	struct pollfd fds[2] = {
		{.fd = drain->wake_fd, .events = POLLIN},
		{.fd = drain->conn.pg ? PQsocket(drain->conn.pg) : -1, .events = POLLIN},
	};
	uint64_t count;

	if (is_stopping(drain) && drain->stop_at_us < until_us)
		until_us = drain->stop_at_us;
	int64_t left_us = until_us - now_us();
	if (left_us <= 0)
		return;
	poll(fds, 2, (int)(left_us / 1000 + 1));
	/* Empty it, or it wakes for ever; that there was nothing to read is fine. */
	if (read(drain->wake_fd, &count, sizeof(count)) < 0)
		return;
}

/* While little comes, a few milliseconds of it share a transaction. */
static bool is_due(struct drain *drain)
{
	return is_stopping(drain) || drain->count - drain->first >= BATCH_MAX ||
	       now_us() >= drain->began_us + GATHER_US;
}

static bool is_something_to_store(struct drain *drain)
{
	uint64_t unmarked = drain->last - drain->stored;

	return drain->first < drain->count || unmarked >= UNMARKED_MAX ||
	       (unmarked > 0 && is_stopping(drain));
}

/* One turn; false when it is time to end. */
static bool turn(struct drain *drain)
{
	bool is_readable = !drain->is_stored_known || load(drain);

	if (is_over(drain))
		return false;
	if (!is_readable || now_us() < drain->not_before_us) {
		wait_for_news(drain, drain->not_before_us);
		return true;
	}
	if (!is_connected(drain) || !find_position(drain))
		return true;
	if (!is_something_to_store(drain)) {
		bool has_more = journal_synced(drain->config.journal) > drain->last;
		succeeded(drain);
		release_run(&drain->release, drain->config.journal, drain->stored,
			    atomic_load(&drain->keep_from));
		if (!has_more)
			wait_for_news(drain, now_us() + IDLE_US);
		return true;
	}
	if (is_due(drain))
		write_batch(drain);
	else
		wait_for_news(drain, drain->began_us + GATHER_US);
	return true;
}

static void *run(void *arg)
{
	struct drain *drain = arg;
	const struct conn_config config = {
		.conninfo = drain->conninfo,
		.application = "calltab records",
		.statement_timeout_ms = CONN_STATEMENT_MS,
		.idle_in_transaction_ms = 5000,
	};

	conn_init(&drain->conn, &config);
	drain->conn.on_trouble = drain->events.on_trouble;
	drain->conn.user = drain->events.user;
	while (turn(drain))
		;
	conn_done(&drain->conn);
	if (drain->reader)
		journal_reader_close(drain->reader);
	return NULL;
}

static void init_lock(struct drain *drain)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&drain->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&drain->has_news, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct drain *drain_open(const struct drain_config *config, const struct drain_events *events)
{
	struct drain *drain = xcalloc(1, sizeof(*drain));

	drain->config = *config;
	drain->events = *events;
	drain->conninfo = xstrdup(config->conninfo);
	drain->node = xstrdup(config->node);
	drain->most = BATCH_MAX;
	drain->rows = drain_rows_create();
	atomic_store(&drain->done, config->first ? config->first - 1 : 0);
	release_init(&drain->release, config->keep_s);
	init_lock(drain);
	drain->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* As without memory: a program that has no thread to store calls cannot take any. */
	if (drain->wake_fd < 0 || pthread_create(&drain->thread, NULL, run, drain) != 0)
		abort();
	return drain;
}

void drain_stop(struct drain *drain, unsigned wait_ms)
{
	drain->stop_at = journal_appended(drain->config.journal);
	drain->stop_at_us = now_us() + (int64_t)wait_ms * 1000;
	atomic_store(&drain->is_stopping, true);
	drain_wake(drain);
	pthread_join(drain->thread, NULL);
}

void drain_free(struct drain *drain)
{
	pthread_cond_destroy(&drain->has_news);
	pthread_mutex_destroy(&drain->lock);
	drain_rows_destroy(drain->rows);
	close(drain->wake_fd);
	free(drain->records);
	free(drain->conninfo);
	free(drain->node);
	free(drain);
}

void drain_wake(struct drain *drain)
{
	uint64_t one = 1;

	if (write(drain->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake */
}

uint64_t drain_done(const struct drain *drain)
{
	return atomic_load(&drain->done);
}

bool drain_wait(struct drain *drain, uint64_t number, unsigned wait_ms)
{
	int64_t until_us = now_us() + (int64_t)wait_ms * 1000;
	const struct timespec until = {.tv_sec = until_us / 1000000,
				       .tv_nsec = until_us % 1000000 * 1000};
	int error = 0;

	if (drain_done(drain) >= number)
		return true;
	pthread_mutex_lock(&drain->lock);
	while (drain_done(drain) < number && !drain->is_away && error == 0)
		error = pthread_cond_timedwait(&drain->has_news, &drain->lock, &until);
	pthread_mutex_unlock(&drain->lock);
	return drain_done(drain) >= number;
}

void drain_keep_from(struct drain *drain, uint64_t number)
{
	atomic_store(&drain->keep_from, number);
}
