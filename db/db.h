#pragma once
/* PostgreSQL, asked only from worker threads (house decision 6). A job is a function that runs on a
 * worker with that worker's connection; its done function is called on the same worker right after,
 * and posts the answer to whatever inbox its owner reads. A job that cannot run (queue full,
 * breaker open, deadline passed while waiting) has only its done called, with the status. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "base/uuid.h"

struct db;	/* the pool */
struct db_conn; /* one connection, prepared statements included; valid inside a job only */
struct db_result;

struct db_job { /* embedded in the asker's struct; the asker owns it until done has been called */
	enum status (*run)(struct db_conn *conn, void *arg, struct err *err);
	void (*done)(void *arg, enum status status, const struct err *err);
	void *arg;
	unsigned deadline_ms; /* waiting included; 0 = 5000 */
	/* private */
	struct db_job *next;
	int64_t due_us;
};

struct db_config {
	const char *conninfo;
	unsigned workers;	       /* default 4 */
	unsigned queue_limit;	       /* default 1000 */
	unsigned statement_timeout_ms; /* default 2000 */
	/* For the log: what PostgreSQL said, on any thread, without values of rows. May be NULL. */
	void (*on_trouble)(void *user, const char *what, const char *detail);
	void *user;
};

/* Does not connect yet: workers do, so that a database that is away at start is found by
 * migrate_check(). */
struct db *db_open(const struct db_config *config, struct err *err);
void db_close(struct db *); /* finishes running jobs, fails waiting ones with ST_UNAVAILABLE */
/* ST_BUSY (done is not called) when the queue is full. */
enum status db_submit(struct db *, struct db_job *job, struct err *err) MUST_USE;
bool db_is_available(const struct db *); /* false while the breaker is open */
/* How many jobs wait, in hundredths of how many may. From any thread. */
unsigned db_fill_percent(struct db *);

/* --- inside a job: named statements of db/sql, bind parameters only --- */
enum db_param_kind {
	DB_P_NULL,
	DB_P_TEXT,
	DB_P_INT,
	DB_P_BOOL,
	DB_P_UUID,
	DB_P_TIME_MS,
	DB_P_BYTES
};
struct db_param {
	enum db_param_kind kind;
	const char *text;
	int64_t number; /* INT, BOOL, TIME_MS (Unix milliseconds; 0 = NULL), BYTES: how many */
	struct uuid uuid;
};
struct db_param db_text(const char *text); /* NULL is SQL NULL */
struct db_param db_int(int64_t value);
struct db_param db_bool(bool value);
struct db_param db_uuid(const struct uuid *uuid); /* nil or NULL is SQL NULL */
struct db_param db_time(int64_t unix_ms);
/* bytea; borrowed until the query has returned. Read back by db_get_text(). */
struct db_param db_bytes(const void *bytes, size_t length);
struct db_param db_null(void);

/* Runs the statement called `name` (`-- name:` in the files of db/sql; the comment there tells
 * parameters and columns). *ret may be NULL when rows do not matter. SQLSTATE is mapped to a status
 * in db/sqlstate.c and nowhere else (23505 and 23503 conflict, other 22 and 23 invalid, 57014
 * timeout, 08 28 53 57P unavailable, 40 and 55P03 busy, else internal); err's target is the name of
 * the constraint, if one is concerned; the database's own text goes to on_trouble only. A server
 * that is silent for the statement timeout and a second more, or that cannot be connected to, opens
 * the breaker: for 0.5 to 5 s every job fails at once, then one connection is tried. */
enum status db_query(struct db_conn *conn, const char *name, const struct db_param *params,
		     unsigned count, struct db_result **ret, struct err *err) MUST_USE;
enum status db_begin(struct db_conn *conn, struct err *err) MUST_USE;
enum status db_commit(struct db_conn *conn, struct err *err) MUST_USE;
void db_rollback(struct db_conn *conn);

/* --- rows, typed by the database (binary results) --- */
enum db_type { DB_TEXT, DB_INT, DB_BOOL, DB_UUID, DB_TIME };
void db_result_free(struct db_result *result); /* NULL is fine */
static inline void cleanup_db_result(struct db_result **result)
{
	db_result_free(*result);
}
#define auto_db_result __attribute__((cleanup(cleanup_db_result)))
unsigned db_rows(const struct db_result *result);
unsigned db_columns(const struct db_result *result);
const char *db_column_name(const struct db_result *result, unsigned column);
enum db_type db_column_type(const struct db_result *result, unsigned column);
bool db_is_null(const struct db_result *result, unsigned row, unsigned column);
/* Not NUL-ended by promise: use length. */
const char *db_get_text(const struct db_result *result, unsigned row, unsigned column,
			size_t *length);
/* Copies, cutting at size - 1. */
void db_copy_text(const struct db_result *result, unsigned row, unsigned column, char *dst,
		  size_t size);
int64_t db_get_int(const struct db_result *result, unsigned row, unsigned column);
bool db_get_bool(const struct db_result *result, unsigned row, unsigned column);
struct uuid db_get_uuid(const struct db_result *result, unsigned row, unsigned column);
int64_t db_get_time_ms(const struct db_result *result, unsigned row, unsigned column);

/* A connection outside the pool, for commands of the program (migrate, agent, key). When it fails,
 * err carries PostgreSQL's reason: it is meant for the person who typed the command. */
enum status db_connect(const char *conninfo, struct db_conn **ret, struct err *err) MUST_USE;
void db_disconnect(struct db_conn *conn);
