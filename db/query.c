#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "db/conn.h"
#include "db/result.h"
#include "db/statements.h"

#define PARAMS_MAX 32
#define VALUE_SIZE 40 /* a uuid, a time, a number */

struct db_param db_text(const char *text)
{
	return (struct db_param){.kind = text ? DB_P_TEXT : DB_P_NULL, .text = text};
}

struct db_param db_int(int64_t value)
{
	return (struct db_param){.kind = DB_P_INT, .number = value};
}

struct db_param db_bool(bool value)
{
	return (struct db_param){.kind = DB_P_BOOL, .number = value};
}

struct db_param db_uuid(const struct uuid *uuid)
{
	if (!uuid || uuid_is_nil(uuid))
		return db_null();
	return (struct db_param){.kind = DB_P_UUID, .uuid = *uuid};
}

struct db_param db_time(int64_t unix_ms)
{
	return (struct db_param){.kind = unix_ms ? DB_P_TIME_MS : DB_P_NULL, .number = unix_ms};
}

struct db_param db_bytes(const void *bytes, size_t length)
{
	return (struct db_param){.kind = DB_P_BYTES, .text = bytes, .number = (int64_t)length};
}

struct db_param db_null(void)
{
	return (struct db_param){.kind = DB_P_NULL};
}

/* Parameters travel as text, so that the statement alone decides how wide an integer is; only bytes
 * travel as they are. Results are binary. */
static const char *format_param(const struct db_param *param, char buffer[VALUE_SIZE])
{
	switch (param->kind) {
	case DB_P_NULL:
		return NULL;
	case DB_P_TEXT:
	case DB_P_BYTES:
		return param->text;
	case DB_P_INT:
		snprintf(buffer, VALUE_SIZE, "%" PRId64, param->number);
		return buffer;
	case DB_P_BOOL:
		return param->number ? "t" : "f";
	case DB_P_UUID:
		return uuid_format(&param->uuid, buffer);
	case DB_P_TIME_MS:
		clock_format(buffer, param->number, true);
		return buffer;
	}
	return NULL;
}

/* What must hold before anything is sent. */
static enum status ready_to_send(struct db_conn *conn, struct err *err)
{
	if (!conn->pg || conn->is_lost)
		return conn_away(err);
	if (conn->due_us && clock_mono_us(&clock_system) >= conn->due_us)
		return conn_late(err);
	return ST_OK;
}

static enum status send_statement(struct db_conn *conn, const struct db_statement *statement,
				  const struct db_param *params, unsigned count, PGresult **ret,
				  struct err *err)
{
	const char *values[PARAMS_MAX];
	char buffers[PARAMS_MAX][VALUE_SIZE];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];

	for (unsigned i = 0; i < count; i++) {
		values[i] = format_param(&params[i], buffers[i]);
		formats[i] = params[i].kind == DB_P_BYTES;
		lengths[i] = formats[i] ? (int)params[i].number : 0; /* a text has its own end */
	}
	if (!PQsendQueryPrepared(conn->pg, statement->name, (int)count, values, lengths, formats,
				 1)) {
		conn->is_lost = true;
		return conn_away(err);
	}
	return conn_result(conn, ret, err);
}

enum status db_query(struct db_conn *conn, const char *name, const struct db_param *params,
		     unsigned count, struct db_result **ret, struct err *err)
{
	int index = db_statement_find(name);
	PGresult *result;

	if (ret)
		*ret = NULL;
	/* Only we can get these wrong. */
	assert(index >= 0 && "no such statement in db/sql");
	assert(count == db_statements[index].parameters && count <= PARAMS_MAX);
	enum status status = ready_to_send(conn, err);
	if (status == ST_OK)
		status = conn_prepare(conn, (unsigned)index, err);
	if (status == ST_OK)
		status = send_statement(conn, &db_statements[index], params, count, &result, err);
	if (status != ST_OK)
		return status;
	status = conn_check(conn, name, result, err);
	if (status != ST_OK)
		return status;
	if (ret)
		*ret = result_wrap(result);
	else
		PQclear(result);
	return ST_OK;
}

static enum status command(struct db_conn *conn, const char *sql, struct err *err)
{
	enum status status = ready_to_send(conn, err);

	return status == ST_OK ? conn_command(conn, sql, err) : status;
}

enum status db_begin(struct db_conn *conn, struct err *err)
{
	return command(conn, "begin", err);
}

enum status db_commit(struct db_conn *conn, struct err *err)
{
	/* COMMIT of a failed transaction "succeeds" as ROLLBACK. */
	if (conn->pg && PQtransactionStatus(conn->pg) == PQTRANS_INERROR) {
		db_rollback(conn);
		return err_set(err, ST_INTERNAL, "db.failed", "database",
			       "the transaction had failed before");
	}
	return command(conn, "commit", err);
}

void db_rollback(struct db_conn *conn)
{
	if (!conn->pg || conn->is_lost || PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
		return;
	/* Also after the job's deadline: the connection is to be used again. */
	int64_t due_us = conn->due_us;
	conn->due_us = 0;
	if (conn_command(conn, "rollback", NULL) != ST_OK)
		conn->is_lost = true;
	conn->due_us = due_us;
}

enum status db_connect(const char *conninfo, struct db_conn **ret, struct err *err)
{
	struct db_conn *conn = xmalloc(sizeof(*conn));
	const struct conn_config config = {
		.conninfo = conninfo,
		.application = "calltab command",
		.statement_timeout_ms = CONN_STATEMENT_MS,
		.idle_in_transaction_ms = 5000,
	};

	conn_init(conn, &config);
	enum status status = conn_open(conn, true, err);
	if (status != ST_OK) {
		db_disconnect(conn);
		return status;
	}
	*ret = conn;
	return ST_OK;
}

void db_disconnect(struct db_conn *conn)
{
	if (!conn)
		return;
	conn_done(conn);
	free(conn);
}
