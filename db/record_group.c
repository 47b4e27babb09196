#include "db/record_group.h"

#include "base/clock.h"
#include "db/sqlstate.h"

#define SLOW_US	   INT64_C(1000000)
#define GIVE_UP_US ((int64_t)(CONN_STATEMENT_MS + CONN_GRACE_MS) * 1000)

struct group {
	struct db_conn *conn;
	const struct group_watch *watch;
	bool is_slow;
	bool has_error;
	unsigned error_at; /* index of the statement */
};

/* Asks for results of every statement of every record, then ends the transaction. */
static bool send_all(PGconn *pg, const struct record_rows *rows, unsigned count)
{
	struct record_row row;

	for (; count > 0; count--, rows = rows->next)
		for (size_t at = 0; record_rows_next(rows, &at, &row);)
			if (!PQsendQueryPrepared(pg, row.statement, (int)row.count, row.values,
						 NULL, NULL, 1))
				return false;
	return PQpipelineSync(pg);
}

/* Waits for something to happen: however many records there are, a server that goes on answering is
 * not hung. */
static enum status wait_for_news(struct group *group)
{
	int64_t since = clock_mono_us(&clock_system);
	enum status status = ST_TIMEOUT;

	if (!group->is_slow)
		status = conn_wait(group->conn, since + SLOW_US, NULL);
	if (status == ST_TIMEOUT && !group->is_slow) {
		group->is_slow = true;
		group->watch->on_slow(group->watch->user);
	}
	return status == ST_TIMEOUT ? conn_wait(group->conn, since + GIVE_UP_US, NULL) : status;
}

static void note_error(struct group *group, const PGresult *result, unsigned index)
{
	conn_trouble(group->conn, "writing records", result);
	group->has_error = true;
	group->error_at = index;
}

/* Takes results up to the end of the transaction. False: the connection is lost, the end is not
 * known. */
static bool collect(struct group *group)
{
	PGconn *pg = group->conn->pg;
	unsigned index = 0, empties = 0;

	for (;;) {
		if (wait_for_news(group) != ST_OK)
			return false;
		PGresult *result = PQgetResult(pg);
		if (!result) {
			/* One NULL ends each statement; a second in a row never comes from a sound
			 * connection. */
			if (++empties > 1 || PQstatus(pg) != CONNECTION_OK)
				return false;
			continue;
		}
		ExecStatusType status = PQresultStatus(result);
		empties = 0;
		if (status == PGRES_FATAL_ERROR && !group->has_error)
			note_error(group, result, index);
		PQclear(result);
		if (PQstatus(pg) != CONNECTION_OK)
			return false;
		if (status == PGRES_PIPELINE_SYNC)
			return PQexitPipelineMode(pg);
		index++;
	}
}

/* Which record the statement of this index belongs to; NULL when to none: the commit itself was
 * refused. */
static struct record_rows *owner_of(struct record_rows *rows, unsigned count, unsigned index)
{
	struct record_row row;

	for (; count > 0; count--, rows = rows->next)
		for (size_t at = 0; record_rows_next(rows, &at, &row);)
			if (index-- == 0)
				return rows;
	return NULL;
}

enum group_verdict record_group_write(struct db_conn *conn, struct record_rows *first,
				      unsigned count, const struct group_watch *watch,
				      struct record_rows **ret_refused)
{
	struct group group = {.conn = conn, .watch = watch};

	*ret_refused = NULL;
	conn->sqlstate[0] = '\0';
	if (!PQenterPipelineMode(conn->pg) || !send_all(conn->pg, first, count) ||
	    !collect(&group)) {
		conn->is_lost = true;
		return GROUP_FAILED;
	}
	if (!group.has_error)
		return GROUP_STORED;
	if (sqlstate_blames_the_connection(conn->sqlstate))
		conn->is_lost = true;
	if (!sqlstate_blames_the_row(conn->sqlstate))
		return GROUP_FAILED;
	*ret_refused = count == 1 ? first : owner_of(first, count, group.error_at);
	return GROUP_REFUSED;
}
