#pragma once
/* One PGconn of one thread, and the only way to wait for it: every wait has a deadline of our own,
 * because a PostgreSQL that hangs (stopped process, dead network) answers nothing and closes
 * nothing. Private to db/. */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "db/db.h"

/* How long after the server's own statement_timeout a silent server is taken as hung. */
#define CONN_GRACE_MS	  1000
#define CONN_STATEMENT_MS 2000
#define CONN_CONNECT_S	  "3" /* per host; libpq's own, it also goes on to the next host */

struct conn_config {
	const char *conninfo;	 /* libpq's, URI or key=value; its own settings win over ours */
	const char *application; /* application_name */
	unsigned statement_timeout_ms;	 /* 0 = none: migrations take their time */
	unsigned idle_in_transaction_ms; /* 0 = none */
};

struct db_conn {
	PGconn *pg; /* NULL when closed */
	struct conn_config config;
	char *conninfo;
	bool *is_prepared; /* by index in db_statements */
	int64_t due_us;	   /* monotonic: the running job's deadline; 0 = none */
	bool is_lost;	   /* the connection must be closed, its state is unknown */
	bool is_hung;	   /* lost because the server said nothing */
	char sqlstate[6];  /* of the last failure, "" = none */
	/* For the log only: what PostgreSQL said. NULL = nobody listens. */
	void (*on_trouble)(void *user, const char *what, const char *detail);
	void *user;
};

/* Copies the config. No connection yet. */
void conn_init(struct db_conn *conn, const struct conn_config *config);
void conn_done(struct db_conn *conn);
/* Blocks for at most CONN_CONNECT_S per host. The err's message is for callers; the reason goes to
 * on_trouble, or into err when is_operator (a person at a terminal asked). */
enum status conn_open(struct db_conn *conn, bool is_operator, struct err *err) MUST_USE;
void conn_close(struct db_conn *conn);
/* Without asking the server: open, and no sign that the other end is gone. */
bool conn_is_usable(struct db_conn *conn);

/* Moves bytes both ways until a result can be taken without blocking. ST_TIMEOUT at until_us
 * (monotonic), which leaves the connection as it is; ST_UNAVAILABLE when it is lost. */
enum status conn_wait(struct db_conn *conn, int64_t until_us, struct err *err) MUST_USE;
/* The first result of what was sent, with the deadline of this connection; the others are dropped.
 */
enum status conn_result(struct db_conn *conn, PGresult **ret, struct err *err) MUST_USE;
/* ST_OK when the result is good. Otherwise clears it, says trouble, closes what cannot be trusted
 * any more. */
enum status conn_check(struct db_conn *conn, const char *what, PGresult *result,
		       struct err *err) MUST_USE;
/* Runs SQL of our own that takes no parameters (begin, commit). */
enum status conn_command(struct db_conn *conn, const char *sql, struct err *err) MUST_USE;
/* Prepares the statement of this index unless it is. */
enum status conn_prepare(struct db_conn *conn, unsigned index, struct err *err) MUST_USE;

/* The two answers every room above knows: away (503), not in time (504). */
enum status conn_away(struct err *err);
enum status conn_late(struct err *err);
/* Says on_trouble what PostgreSQL said, without the values it quotes, and remembers the SQLSTATE.
 */
void conn_trouble(struct db_conn *conn, const char *what, const PGresult *result);
/* The status for conn->sqlstate; fills err with words of ours. */
enum status conn_failure(const struct db_conn *conn, const PGresult *result, struct err *err);
