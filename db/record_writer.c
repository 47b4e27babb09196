#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/conn.h"
#include "db/record_group.h"
#include "db/record_queue.h"
#include "db/statements.h"

/* Enough that a backlog drains at many thousand records a second, few enough that one transaction
 * stays short. */
#define GROUP_MAX 500

#define PAUSE_FIRST_US	 INT64_C(200000)
#define PAUSE_LONGEST_US INT64_C(5000000)

struct writer {
	struct record_log *log;
	struct db_conn conn;
	struct record_rows *group; /* taken from the queue, not yet stored */
	unsigned count;
	uint64_t alone_until;  /* up to this number each record is written by itself: one of them is
				  refused at commit */
	unsigned failures;     /* in a row */
	int64_t not_before_us; /* the pause after a failure */
	int ghost_pid; /* of the connection given up in the middle of a group: it may hold locks */
};

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

/* The first failure is tried again at once and in silence: a backend was ended, a deadlock was
 * broken. */
static void failed(struct writer *writer, const char *why)
{
	int64_t pause = PAUSE_LONGEST_US;
	uint32_t chance;

	if (writer->failures++ == 0)
		return;
	unsigned doublings = writer->failures - 2;
	if (doublings < 5 && (PAUSE_FIRST_US << doublings) < pause)
		pause = PAUSE_FIRST_US << doublings;
	random_bytes(&chance, sizeof(chance));
	writer->not_before_us = now_us() + pause / 2 + (int64_t)(chance % (uint32_t)(pause / 2));
	record_news_degraded(writer->log, true, why);
}

static void succeeded(struct writer *writer)
{
	writer->failures = 0;
	record_news_degraded(writer->log, false, "");
}

static const char *explain(const struct db_conn *conn, char buffer[WHY_SIZE])
{
	if (!conn->sqlstate[0])
		return "the database is away";
	snprintf(buffer, WHY_SIZE, "the database refuses (SQLSTATE %s)", conn->sqlstate);
	return buffer;
}

/* --- connection --- */

static void end_ghost(struct writer *writer)
{
	const struct db_param pid = db_int(writer->ghost_pid);

	/* Only a courtesy: what it still writes does no harm, but its locks could delay us. */
	if (writer->ghost_pid &&
	    db_query(&writer->conn, "record_end_backend", &pid, 1, NULL, NULL) != ST_OK)
		return;
	writer->ghost_pid = 0;
}

static enum status prepare_all(struct db_conn *conn)
{
	enum status status = ST_OK;

	for (const char *const *name = record_statements; *name && status == ST_OK; name++)
		status = conn_prepare(conn, (unsigned)db_statement_find(*name), NULL);
	return status;
}

static bool is_connected(struct writer *writer)
{
	char why[WHY_SIZE];

	if (conn_is_usable(&writer->conn))
		return true;
	if (conn_open(&writer->conn, false, NULL) == ST_OK) {
		end_ghost(writer);
		if (!writer->conn.is_lost && prepare_all(&writer->conn) == ST_OK)
			return true;
	}
	failed(writer, explain(&writer->conn, why));
	conn_close(&writer->conn);
	return false;
}

/* --- records --- */

static void drop_first(struct writer *writer)
{
	struct record_rows *first = writer->group;

	writer->group = first->next;
	writer->count--;
	free(first);
}

/* The first `count` of the group are stored. */
static void stored(struct writer *writer, unsigned count)
{
	uint64_t number = 0;

	for (; count > 0; count--) {
		number = writer->group->number;
		drop_first(writer);
	}
	record_news_stable(writer->log, number);
}

/* The refused record stays in its place with nothing to write, so that its number is told in its
 * turn. */
static void refuse(struct writer *writer, struct record_rows *refused)
{
	char why[WHY_SIZE];
	struct record_rows *last = writer->group;

	if (refused) {
		record_news_rejected(writer->log, refused->number, explain(&writer->conn, why));
		refused->size = 0;
		return;
	}
	while (last->next)
		last = last->next;
	writer->alone_until = last->number;
}

static void slow(void *user)
{
	struct writer *writer = user;

	record_news_degraded(writer->log, true, "the database does not answer");
}

static void write_group(struct writer *writer)
{
	const struct group_watch watch = {.on_slow = slow, .user = writer};
	unsigned count = writer->group->number <= writer->alone_until ? 1 : writer->count;
	struct record_rows *refused;
	char why[WHY_SIZE];

	switch (record_group_write(&writer->conn, writer->group, count, &watch, &refused)) {
	case GROUP_STORED:
		stored(writer, count);
		succeeded(writer);
		break;
	case GROUP_REFUSED:
		refuse(writer, refused);
		succeeded(writer);
		break;
	case GROUP_FAILED:
		failed(writer, explain(&writer->conn, why));
		if (writer->conn.is_lost) {
			writer->ghost_pid = PQbackendPID(writer->conn.pg);
			conn_close(&writer->conn);
		}
		break;
	}
}

/* Records with nothing to write wait for their turn and for nothing else. */
static bool has_rows(const struct record_rows *rows)
{
	for (; rows; rows = rows->next)
		if (rows->size > 0)
			return true;
	return false;
}

/* --- waiting --- */

/* Until there is a record, the connection says something, or the time has come. */
static void wait_for_news(struct writer *writer, int64_t until_us)
{
	struct pollfd fds[2] = {
		{.fd = writer->log->wake_fd, .events = POLLIN},
		{.fd = writer->conn.pg ? PQsocket(writer->conn.pg) : -1, .events = POLLIN},
	};
	int64_t left_us = until_us - now_us();
	uint64_t count;

	if (until_us != INT64_MAX && left_us <= 0)
		return;
	poll(fds, 2, until_us == INT64_MAX ? -1 : (int)(left_us / 1000 + 1));
	/* Empty it, or it wakes for ever; that there was nothing to read is fine. */
	if (read(writer->log->wake_fd, &count, sizeof(count)) < 0)
		return;
}

/* One turn; false when it is time to end. */
static bool turn(struct writer *writer)
{
	int64_t stop_at_us;
	bool is_stopping = record_queue_is_stopping(writer->log, &stop_at_us);

	if (!writer->group)
		writer->group = record_queue_take(writer->log, GROUP_MAX, &writer->count);
	if (is_stopping && (!writer->group || now_us() >= stop_at_us))
		return false;
	if (writer->group && !has_rows(writer->group)) {
		stored(writer, writer->count);
		return true;
	}
	if (now_us() < writer->not_before_us) {
		bool is_stop_sooner = is_stopping && stop_at_us < writer->not_before_us;
		wait_for_news(writer, is_stop_sooner ? stop_at_us : writer->not_before_us);
		return true;
	}
	if (!is_connected(writer))
		return true;
	if (writer->group) {
		write_group(writer);
		return true;
	}
	succeeded(writer);
	wait_for_news(writer, INT64_MAX);
	return true;
}

void *record_writer_run(void *arg)
{
	struct record_log *log = arg;
	struct writer writer = {.log = log};
	const struct conn_config config = {
		.conninfo = log->conninfo,
		.application = "calltab records",
		.statement_timeout_ms = CONN_STATEMENT_MS,
		.idle_in_transaction_ms = 5000,
	};

	conn_init(&writer.conn, &config);
	writer.conn.on_trouble = log->events.on_trouble;
	writer.conn.user = log->events.user;
	while (turn(&writer))
		;
	conn_done(&writer.conn);
	while (writer.group)
		drop_first(&writer);
	return NULL;
}
