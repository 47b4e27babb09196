#include "db/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/spare.h"
#include "base/str.h"
#include "db/sqlstate.h"
#include "db/statements.h"

#define CONNECT_DESCRIPTORS 3 /* the socket, and files of names and certificates */
#define KEYWORDS_MAX	    64
#define OPTIONS_SIZE	    1024

struct keywords {
	const char *names[KEYWORDS_MAX], *values[KEYWORDS_MAX];
	unsigned count;
};

/* Only what a lost peer, a hung peer and a forgotten transaction need; everything else is the
 * administrator's. */
static const struct {
	const char *name, *value;
} defaults[] = {
	{"connect_timeout", CONN_CONNECT_S}, {"keepalives_idle", "10"},
	{"keepalives_interval", "5"},	     {"keepalives_count", "3"},
	{"tcp_user_timeout", "10000"},	     {"client_encoding", "UTF8"},
};

void conn_init(struct db_conn *conn, const struct conn_config *config)
{
	*conn = (struct db_conn){.config = *config};
	conn->conninfo = xstrdup(config->conninfo ? config->conninfo : "");
	conn->is_prepared = xcalloc(db_statement_count, sizeof(bool));
}

void conn_done(struct db_conn *conn)
{
	conn_close(conn);
	free(conn->conninfo);
	free(conn->is_prepared);
	*conn = (struct db_conn){0};
}

void conn_close(struct db_conn *conn)
{
	PQfinish(conn->pg); /* NULL is fine; non-blocking as the connection is */
	conn->pg = NULL;
	conn->is_lost = conn->is_hung = false;
	memset(conn->is_prepared, 0, db_statement_count * sizeof(bool));
}

static void keywords_add(struct keywords *keywords, const char *name, const char *value)
{
	if (keywords->count == KEYWORDS_MAX - 1)
		return;
	keywords->names[keywords->count] = name;
	keywords->values[keywords->count++] = value;
}

static const char *parsed_value(const PQconninfoOption *parsed, const char *name)
{
	for (const PQconninfoOption *option = parsed; option->keyword; option++)
		if (strcmp(option->keyword, name) == 0)
			return option->val;
	return NULL;
}

/* Settings in `options` survive a reset of the session, those made with SET do not. The server's
 * own keepalives let it drop the transaction of a client whose machine is gone, and its locks. */
static bool make_options(const struct conn_config *config, const char *users, char *buffer,
			 size_t size)
{
	return str_format(
		buffer, size,
		"-c statement_timeout=%u -c idle_in_transaction_session_timeout=%u "
		"-c timezone=UTC -c datestyle=ISO -c jit=off -c client_min_messages=error "
		"-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
		"%s",
		config->statement_timeout_ms, config->idle_in_transaction_ms, users ? users : "");
}

static void fill_keywords(struct keywords *keywords, const struct conn_config *config,
			  const PQconninfoOption *parsed, const char *options)
{
	for (const PQconninfoOption *option = parsed; option->keyword; option++)
		if (option->val && strcmp(option->keyword, "options") != 0)
			keywords_add(keywords, option->keyword, option->val);
	for (unsigned i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (!parsed_value(parsed, defaults[i].name))
			keywords_add(keywords, defaults[i].name, defaults[i].value);
	keywords_add(keywords, "application_name", config->application);
	keywords_add(keywords, "options", options);
	keywords->names[keywords->count] = keywords->values[keywords->count] = NULL;
}

enum status conn_away(struct err *err)
{
	return err_set(err, ST_UNAVAILABLE, "db.away", "database",
		       "the database is away; try again in a moment");
}

enum status conn_late(struct err *err)
{
	return err_set(err, ST_TIMEOUT, "db.timeout", "database",
		       "the database did not answer in time");
}

static void ignore_notice(void *user, const char *message)
{
	(void)user;
	(void)message;
}

/* libpq ends its texts with line breaks and may use several lines. */
static void one_line(char *dst, size_t size, const char *text)
{
	str_copy_cut(dst, size, text);
	for (char *c = dst; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	for (size_t n = strlen(dst); n > 0 && dst[n - 1] == ' '; n--)
		dst[n - 1] = '\0';
}

static enum status cannot_connect(struct db_conn *conn, bool is_operator, struct err *err)
{
	char text[sizeof(err->message) - 40];

	one_line(text, sizeof(text), PQerrorMessage(conn->pg));
	conn->sqlstate[0] = '\0';
	if (conn->on_trouble)
		conn->on_trouble(conn->user, "cannot connect to the database", text);
	conn_close(conn);
	if (is_operator)
		return err_set(err, ST_UNAVAILABLE, "db.away", "database",
			       "cannot connect to the database: %s", text);
	return conn_away(err);
}

enum status conn_open(struct db_conn *conn, bool is_operator, struct err *err)
{
	char options[OPTIONS_SIZE];
	struct keywords keywords = {0};
	char *why = NULL;
	PQconninfoOption *parsed = PQconninfoParse(conn->conninfo, &why);

	conn_close(conn);
	if (!parsed) {
		/* The reason may quote the password. */
		PQfreemem(why);
		return err_set(err, ST_INVALID, "db.conninfo", "database",
			       "the connection string of the database cannot be read");
	}
	const char *users = parsed_value(parsed, "options");
	if (!make_options(&conn->config, users ? users : getenv("PGOPTIONS"), options,
			  sizeof(options))) {
		PQconninfoFree(parsed);
		return err_set(err, ST_INVALID, "db.conninfo", "database",
			       "the database's options are too long");
	}
	fill_keywords(&keywords, &conn->config, parsed, options);
	spare_make_room(CONNECT_DESCRIPTORS);
	/* expand_dbname off: a database name is a name and never a second connection string */
	conn->pg = PQconnectdbParams(keywords.names, keywords.values, 0);
	PQconninfoFree(parsed);
	if (PQstatus(conn->pg) != CONNECTION_OK || PQsetnonblocking(conn->pg, 1) != 0)
		return cannot_connect(conn, is_operator, err);
	PQsetNoticeProcessor(conn->pg, ignore_notice, NULL);
	return ST_OK;
}

bool conn_is_usable(struct db_conn *conn)
{
	if (!conn->pg || conn->is_lost || PQstatus(conn->pg) != CONNECTION_OK)
		return false;
	/* Nothing is due on an idle connection: readable means a farewell, a notice or the end. */
	struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN | POLLRDHUP};
	if (poll(&fd, 1, 0) <= 0)
		return true;
	return !(fd.revents & (POLLHUP | POLLRDHUP)) && PQconsumeInput(conn->pg) &&
	       PQstatus(conn->pg) == CONNECTION_OK;
}

static enum status lost(struct db_conn *conn, const char *what, struct err *err)
{
	char text[200];

	conn->is_lost = true;
	conn->sqlstate[0] = '\0';
	one_line(text, sizeof(text), PQerrorMessage(conn->pg));
	if (conn->on_trouble)
		conn->on_trouble(conn->user, what, text);
	return conn_away(err);
}

/* How long poll may wait; -1 never: every wait has an end. */
static int left_ms(int64_t until_us)
{
	int64_t left = until_us - clock_mono_us(&clock_system);

	if (left <= 0)
		return 0;
	return left > INT64_C(3600000000) ? 3600000 : (int)((left + 999) / 1000);
}

enum status conn_wait(struct db_conn *conn, int64_t until_us, struct err *err)
{
	for (;;) {
		int unsent = PQflush(conn->pg);
		if (unsent < 0)
			return lost(conn, "the connection to the database broke", err);
		if (!PQisBusy(conn->pg))
			return ST_OK;
		struct pollfd fd = {.fd = PQsocket(conn->pg),
				    .events = POLLIN | (unsent ? POLLOUT : 0)};
		int wait_ms = left_ms(until_us);
		int ready = poll(&fd, 1, wait_ms);
		if (ready == 0 && wait_ms == 0)
			return conn_late(err);
		if (ready < 0 && errno != EINTR)
			return lost(conn, "the connection to the database broke", err);
		if (ready > 0 && (fd.revents & ~POLLOUT) && !PQconsumeInput(conn->pg))
			return lost(conn, "the connection to the database broke", err);
	}
}

/* When to give up: the server's own timeout should come first; a job's deadline may be sooner. */
static int64_t give_up_us(const struct db_conn *conn, bool *ret_is_jobs)
{
	int64_t now = clock_mono_us(&clock_system);
	int64_t hung = INT64_MAX;

	if (conn->config.statement_timeout_ms)
		hung = now + (int64_t)(conn->config.statement_timeout_ms + CONN_GRACE_MS) * 1000;
	*ret_is_jobs = conn->due_us && conn->due_us < hung;
	return *ret_is_jobs ? conn->due_us : hung;
}

enum status conn_result(struct db_conn *conn, PGresult **ret, struct err *err)
{
	bool is_jobs;
	int64_t until_us = give_up_us(conn, &is_jobs);

	*ret = NULL;
	for (;;) {
		enum status status = conn_wait(conn, until_us, err);
		if (status != ST_OK) {
			PQclear(*ret);
			*ret = NULL;
			conn->is_lost = true;
			conn->is_hung = status == ST_TIMEOUT && !is_jobs;
			return status;
		}
		PGresult *result = PQgetResult(conn->pg);
		if (!result)
			return *ret ? ST_OK : lost(conn, "the database said nothing", err);
		if (*ret)
			PQclear(result);
		else
			*ret = result;
	}
}

void conn_trouble(struct db_conn *conn, const char *what, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	char text[400];

	str_copy_cut(conn->sqlstate, sizeof(conn->sqlstate), sqlstate ? sqlstate : "");
	if (!conn->on_trouble)
		return;
	/* The detail quotes values (names, numbers): the primary message and the constraint must
	 * do. */
	snprintf(text, sizeof(text), "%s %s%s%s", conn->sqlstate, primary ? primary : "no answer",
		 constraint ? ", constraint " : "", constraint ? constraint : "");
	conn->on_trouble(conn->user, what, text);
}

enum status conn_failure(const struct db_conn *conn, const PGresult *result, struct err *err)
{
	enum status status = sqlstate_status(conn->sqlstate);
	const char *constraint =
		result ? PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) : NULL;

	switch (status) {
	case ST_CONFLICT:
		return err_set(err, status, "db.conflict", constraint ? constraint : "",
			       "it exists already, or something else depends on it");
	case ST_INVALID:
		return err_set(err, status, "db.invalid", constraint ? constraint : "",
			       "the database does not accept this value");
	case ST_TIMEOUT:
		return conn_late(err);
	case ST_BUSY:
		return err_set(err, status, "db.busy", "database",
			       "somebody else is changing the same; try again");
	case ST_UNAVAILABLE:
		return conn_away(err);
	default:
		return err_set(err, status, "db.failed", "database",
			       "the database refused; see the log");
	}
}

static bool is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

enum status conn_check(struct db_conn *conn, const char *what, PGresult *result, struct err *err)
{
	if (is_good(result))
		return ST_OK;
	conn_trouble(conn, what, result);
	if (PQstatus(conn->pg) != CONNECTION_OK || sqlstate_blames_the_connection(conn->sqlstate))
		conn->is_lost = true;
	enum status status = conn_failure(conn, result, err);
	PQclear(result);
	return status;
}

/* After a send that said yes or no. */
static enum status finish(struct db_conn *conn, const char *what, int was_sent, struct err *err)
{
	PGresult *result;

	if (!was_sent)
		return lost(conn, "cannot send to the database", err);
	enum status status = conn_result(conn, &result, err);
	if (status == ST_OK)
		status = conn_check(conn, what, result, err);
	if (status == ST_OK)
		PQclear(result);
	return status;
}

enum status conn_command(struct db_conn *conn, const char *sql, struct err *err)
{
	return finish(conn, sql, PQsendQuery(conn->pg, sql), err);
}

enum status conn_prepare(struct db_conn *conn, unsigned index, struct err *err)
{
	const struct db_statement *statement = &db_statements[index];

	if (conn->is_prepared[index])
		return ST_OK;
	int was_sent = PQsendPrepare(conn->pg, statement->name, statement->text, 0, NULL);
	enum status status = finish(conn, statement->name, was_sent, err);
	conn->is_prepared[index] = status == ST_OK;
	return status;
}
