#include "db/migrate_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

/* Any fixed number does; this one is "calltab" in ASCII. Advisory locks are per database. */
#define LOCK_KEY	"27977812545896802"
#define LOCK_PATIENCE_S 300
/* Of the few statements of our own; what is in the files takes the time it takes. */
#define ANSWER_LIMIT_S 30
#define LINE_SIZE      400

void migrate_run_say(const struct migrate_run *run, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	if (!run->options->on_progress)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	run->options->on_progress(run->options->user, line);
}

/* --- plain questions --- */

static bool is_good(const PGresult *result)
{
	return PQresultStatus(result) == PGRES_COMMAND_OK ||
	       PQresultStatus(result) == PGRES_TUPLES_OK;
}

/* For what is not in a file: says what PostgreSQL said. Takes the result. */
static enum status refused(PGresult *result, const char *doing, struct err *err)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	err_set(err, ST_UNAVAILABLE, "migrate.database", "database", "%s: %s", doing,
		message ? message : "the connection broke");
	PQclear(result);
	return ST_UNAVAILABLE;
}

/* At most one text parameter, text results. */
static enum status ask(struct migrate_run *run, const char *sql, const char *value,
		       const char *doing, PGresult **ret, struct err *err)
{
	PGresult *result;

	run->conn.due_us = clock_mono_us(&clock_system) + INT64_C(1000000) * ANSWER_LIMIT_S;
	if (!PQsendQueryParams(run->conn.pg, sql, value ? 1 : 0, NULL, &value, NULL, NULL, 0))
		return err_set(err, ST_UNAVAILABLE, "migrate.database", "database",
			       "%s: the connection broke", doing);
	enum status status = conn_result(&run->conn, &result, err);
	if (status != ST_OK)
		return status;
	if (!is_good(result))
		return refused(result, doing, err);
	if (ret)
		*ret = result;
	else
		PQclear(result);
	return ST_OK;
}

/* As dbmate chooses it: the schema that new tables go to, else public. */
static enum status find_table(struct migrate_run *run, struct err *err)
{
	PGresult *result;
	enum status status = ask(run,
				 "select format('%I.schema_migrations', s), "
				 "to_regclass(format('%I.schema_migrations', s)) "
				 "is not null from coalesce(current_schema(), 'public') s",
				 NULL, "looking for schema_migrations", &result, err);

	if (status != ST_OK)
		return status;
	str_copy(run->table, sizeof(run->table), PQgetvalue(result, 0, 0));
	run->has_table = PQgetvalue(result, 0, 1)[0] == 't';
	PQclear(result);
	return ST_OK;
}

static void mark_applied(struct migrate_run *run, const PGresult *versions)
{
	run->unknown[0] = '\0';
	for (unsigned i = 0; i < run->files.count; i++)
		run->files.entries[i].is_applied = false;
	for (int i = 0; i < PQntuples(versions); i++) {
		const char *version = PQgetvalue(versions, i, 0);
		struct migrate_entry *entry = migrate_files_find(&run->files, version);
		if (entry)
			entry->is_applied = true;
		else
			str_copy_cut(run->unknown, sizeof(run->unknown), version);
	}
}

static enum status read_applied(struct migrate_run *run, struct err *err)
{
	char sql[240];
	PGresult *result;

	if (!run->has_table)
		return ST_OK;
	str_format(sql, sizeof(sql), "select version from %s order by version", run->table);
	enum status status = ask(run, sql, NULL, "reading schema_migrations", &result, err);
	if (status != ST_OK)
		return status;
	mark_applied(run, result);
	PQclear(result);
	return ST_OK;
}

/* --- life --- */

enum status migrate_run_open(struct migrate_run *run, const struct migrate_options *options,
			     struct err *err)
{
	/* No statement timeout: a migration takes the time it takes. */
	const struct conn_config config = {.conninfo = options->conninfo,
					   .application = "calltab migrate"};

	*run = (struct migrate_run){.options = options};
	conn_init(&run->conn, &config);
	enum status status = migrate_files_load(&run->files, options->directory, err);
	if (status == ST_OK)
		status = conn_open(&run->conn, true, err);
	if (status == ST_OK)
		status = find_table(run, err);
	if (status == ST_OK)
		status = read_applied(run, err);
	return status;
}

void migrate_run_done(struct migrate_run *run)
{
	migrate_files_done(&run->files);
	conn_done(&run->conn); /* the session's lock goes with it */
}

/* --- lock --- */

/* Asked again and again and never waited for inside PostgreSQL: a session that waits in a statement
 * holds a snapshot, and `create index concurrently` in the other run would wait for that snapshot
 * for ever. */
static enum status take_lock(struct migrate_run *run, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	int64_t until = clock_mono_us(&clock_system) + INT64_C(1000000) * LOCK_PATIENCE_S;

	for (bool is_first = true;; is_first = false) {
		PGresult *result;
		enum status status = ask(run, "select pg_try_advisory_lock(" LOCK_KEY ")", NULL,
					 "taking the migration lock", &result, err);
		if (status != ST_OK)
			return status;
		bool is_locked = PQgetvalue(result, 0, 0)[0] == 't';
		PQclear(result);
		if (is_locked)
			return ST_OK;
		if (clock_mono_us(&clock_system) >= until)
			return err_set(err, ST_TIMEOUT, "migrate.locked", "database",
				       "another migration has been running for %d minutes; nothing "
				       "was changed",
				       LOCK_PATIENCE_S / 60);
		if (is_first)
			migrate_run_say(run, "waiting for another migration to end");
		nanosleep(&pause, NULL);
	}
}

static enum status make_table(struct migrate_run *run, struct err *err)
{
	char sql[240];

	str_format(sql, sizeof(sql), "create table if not exists %s (version varchar primary key)",
		   run->table);
	enum status status = ask(run, sql, NULL, "making schema_migrations", NULL, err);
	run->has_table = status == ST_OK;
	return status;
}

enum status migrate_run_lock(struct migrate_run *run, struct err *err)
{
	enum status status = take_lock(run, err);

	if (status == ST_OK && !run->has_table)
		status = make_table(run, err);
	/* A table that is in use must not make every other user of it wait behind us. */
	if (status == ST_OK)
		status = ask(run, "set lock_timeout = '10s'", NULL, "setting lock_timeout", NULL,
			     err);
	if (status == ST_OK)
		status = read_applied(run, err);
	return status;
}

/* --- one block --- */

struct failure {
	char message[160];
	size_t at; /* byte in the block */
};

/* PostgreSQL counts characters from 1. */
static size_t byte_of_character(const struct migration_block *block, unsigned long position)
{
	size_t at = 0;

	while (at < block->length && position > 0) {
		bool is_continuation = ((unsigned char)block->sql[at] & 0xc0) == 0x80;
		if (!is_continuation && --position == 0)
			break;
		at++;
	}
	return at;
}

/* Where: PostgreSQL's own word, else the statement whose turn it was. */
static void note_failure(const struct migration_block *block, const PGresult *result, unsigned done,
			 struct failure *failure)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);

	str_copy_cut(failure->message, sizeof(failure->message),
		     message ? message : "the connection broke");
	failure->at = position ? byte_of_character(block, strtoul(position, NULL, 10))
			       : migrate_statement_at(block, done);
}

/* The whole block as one simple query, as dbmate sends it. */
static bool run_sql(struct migrate_run *run, const struct migration_block *block,
		    struct failure *failure)
{
	char *sql = strndup(block->sql, block->length);
	bool is_sent = sql && PQsendQuery(run->conn.pg, sql);
	bool is_done = is_sent;
	unsigned done = 0;
	PGresult *result;

	free(sql);
	*failure = (struct failure){.message = "the connection broke"};
	if (!is_sent)
		return false;
	while (conn_wait(&run->conn, INT64_MAX, NULL) == ST_OK &&
	       (result = PQgetResult(run->conn.pg))) {
		if (is_done && !is_good(result)) {
			note_failure(block, result, done, failure);
			is_done = false;
		}
		done++;
		PQclear(result);
	}
	return is_done && PQstatus(run->conn.pg) == CONNECTION_OK;
}

/* The failing line with a caret below, both as they stand in the file. */
static void show(const struct migrate_run *run, const struct migration_block *block, size_t at)
{
	char text[LINE_SIZE / 2], caret[LINE_SIZE / 2];
	size_t start = at, end = at, used = 0;

	while (start > 0 && block->sql[start - 1] != '\n')
		start--;
	while (end < block->length && block->sql[end] != '\n' && block->sql[end] != '\r')
		end++;
	if (end - start >= sizeof(text) || at - start >= sizeof(caret) - 1)
		return;
	memcpy(text, block->sql + start, end - start);
	text[end - start] = '\0';
	for (size_t i = start; i < at; i++)
		if (((unsigned char)block->sql[i] & 0xc0) != 0x80)
			caret[used++] = block->sql[i] == '\t' ? '\t' : ' ';
	caret[used++] = '^';
	caret[used] = '\0';
	migrate_run_say(run, "%s", text);
	migrate_run_say(run, "%s", caret);
}

static enum status fail_block(struct migrate_run *run, const struct migrate_entry *entry,
			      const struct migration_block *block, const struct failure *failure,
			      struct err *err)
{
	unsigned line, column;

	migrate_locate(block->sql, failure->at, &line, &column);
	line += block->line - 1;
	migrate_run_say(run, "%s:%u:%u: %s", entry->name, line, column, failure->message);
	show(run, block, failure->at);
	return err_set(err, ST_CONFLICT, "migrate.failed", "migrations", "%s:%u:%u: %s",
		       entry->name, line, column, failure->message);
}

static enum status record_version(struct migrate_run *run, const struct migrate_entry *entry,
				  bool is_up, struct err *err)
{
	char sql[240];

	str_format(sql, sizeof(sql),
		   is_up ? "insert into %s (version) values ($1)"
			 : "delete from %s where version = $1",
		   run->table);
	return ask(run, sql, entry->version, "recording the version", NULL, err);
}

/* Back to a connection without a transaction, so that the lock is given back in order. */
static void undo(struct migrate_run *run)
{
	if (PQstatus(run->conn.pg) == CONNECTION_OK &&
	    PQtransactionStatus(run->conn.pg) != PQTRANS_IDLE)
		db_rollback(&run->conn);
}

static enum status run_in_transaction(struct migrate_run *run, struct migrate_entry *entry,
				      const struct migration_block *block, bool is_up,
				      struct err *err)
{
	struct failure failure;
	enum status status = ask(run, "begin", NULL, "begin", NULL, err);

	if (status != ST_OK)
		return status;
	if (!run_sql(run, block, &failure)) {
		undo(run);
		return fail_block(run, entry, block, &failure, err);
	}
	/* The parser refuses commit and its kin; a procedure could still have done it. */
	if (PQtransactionStatus(run->conn.pg) != PQTRANS_INTRANS) {
		undo(run);
		return err_set(err, ST_CONFLICT, "migrate.transaction", "migrations",
			       "%s ended its own transaction: what it did is stored but not "
			       "recorded; mend by hand",
			       entry->name);
	}
	status = record_version(run, entry, is_up, err);
	if (status == ST_OK)
		status = ask(run, "commit", NULL, "commit", NULL, err);
	if (status != ST_OK)
		undo(run);
	return status;
}

static enum status run_alone(struct migrate_run *run, struct migrate_entry *entry,
			     const struct migration_block *block, bool is_up, struct err *err)
{
	struct failure failure;

	if (!run_sql(run, block, &failure))
		return fail_block(run, entry, block, &failure, err);
	return record_version(run, entry, is_up, err);
}

enum status migrate_run_block(struct migrate_run *run, struct migrate_entry *entry, bool is_up,
			      struct err *err)
{
	const struct migration_block *block = is_up ? &entry->parsed.up : &entry->parsed.down;
	int64_t since = clock_mono_us(&clock_system);
	enum status status = block->in_transaction
				     ? run_in_transaction(run, entry, block, is_up, err)
				     : run_alone(run, entry, block, is_up, err);

	if (status != ST_OK)
		return status;
	entry->is_applied = is_up;
	migrate_run_say(run, "%s %s %d ms", is_up ? "up" : "down", entry->name,
			(int)((clock_mono_us(&clock_system) - since) / 1000));
	return ST_OK;
}
