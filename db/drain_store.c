#include "db/drain_store.h"

#include <string.h>

#include "base/fault.h"
#include "db/sqlstate.h"
#include "db/statements.h"

#define SQLSTATE_LATE "57014" /* statement_timeout */

enum status drain_position(struct db_conn *conn, const char *node, const struct uuid *journal_id,
			   uint64_t *ret)
{
	const struct db_param params[] = {db_text(node), db_uuid(journal_id)};
	struct db_result *rows auto_db_result = NULL;
	enum status status = db_query(conn, "journal_position", params, 2, &rows, NULL);

	if (status == ST_OK)
		*ret = db_rows(rows) ? (uint64_t)db_get_int(rows, 0, 0) : 0;
	return status;
}

static enum status move_watermark(struct db_conn *conn, const struct drain_move *move,
				  bool *ret_has_moved)
{
	const struct db_param params[] = {
		db_text(move->node),
		db_uuid(&move->journal_id),
		db_int((int64_t)move->from),
		db_int((int64_t)move->to),
		db_uuid(&move->tenant_id),
		move->lease_epoch ? db_int(move->lease_epoch) : db_null()};
	struct db_result *rows auto_db_result = NULL;
	enum status status = db_query(conn, "journal_move", params, 6, &rows, NULL);

	*ret_has_moved = status == ST_OK && db_rows(rows) == 1;
	return status;
}

static enum status execute(struct db_conn *conn, const struct drain_statement *statement)
{
	int formats[DRAIN_PARAMS_MAX];
	PGresult *result;
	enum status status = conn_prepare(conn, (unsigned)db_statement_find(statement->name), NULL);

	if (status != ST_OK)
		return status;
	for (unsigned i = 0; i < statement->count; i++)
		formats[i] = 1;
	if (!PQsendQueryPrepared(conn->pg, statement->name, (int)statement->count,
				 statement->values, statement->lengths, formats, 1)) {
		conn->is_lost = true;
		return ST_UNAVAILABLE;
	}
	status = conn_result(conn, &result, NULL);
	if (status == ST_OK)
		status = conn_check(conn, "writing records", result, NULL);
	if (status == ST_OK)
		PQclear(result);
	return status;
}

/* In two steps, so that a test can come between: sent, and answered. */
static enum status commit(struct db_conn *conn)
{
	PGresult *result;

	if (!PQsendQuery(conn->pg, "commit")) {
		conn->is_lost = true;
		return ST_UNAVAILABLE;
	}
	FAILPOINT("drain.commit_sent");
	enum status status = conn_result(conn, &result, NULL);
	if (status == ST_OK)
		status = conn_check(conn, "storing records", result, NULL);
	if (status == ST_OK)
		PQclear(result);
	FAILPOINT("drain.committed");
	return status;
}

static enum store_verdict verdict_of(struct db_conn *conn)
{
	if (conn->is_hung)
		return STORE_LATE;
	if (conn->is_lost)
		return STORE_FAILED;
	if (strcmp(conn->sqlstate, SQLSTATE_LATE) == 0)
		return STORE_LATE;
	return sqlstate_blames_the_row(conn->sqlstate) ? STORE_REFUSED : STORE_FAILED;
}

enum store_verdict drain_store(struct db_conn *conn, struct drain_rows *rows,
			       const struct drain_move *move)
{
	struct drain_statement statement;
	bool has_moved = true;

	conn->sqlstate[0] = '\0';
	FAILPOINT("drain.begin");
	enum status status = db_begin(conn, NULL);
	/* First of all: its row's lock keeps any other writer of this journal out. */
	if (status == ST_OK)
		status = move_watermark(conn, move, &has_moved);
	while (status == ST_OK && has_moved && drain_rows_next(rows, &statement))
		status = execute(conn, &statement);
	if (FAILPOINT("drain.commit"))
		status = ST_UNAVAILABLE;
	if (status == ST_OK && has_moved)
		status = commit(conn);
	if (status == ST_OK && has_moved)
		return STORE_DONE;

	enum store_verdict verdict = status == ST_OK ? STORE_MOVED : verdict_of(conn);
	db_rollback(conn);
	return verdict;
}
