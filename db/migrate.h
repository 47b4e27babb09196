#pragma once
/* Migrations, compatible with dbmate (docs/migrations.md): files YYYYMMDDHHMMSS_name.sql embedded
 * at build, table schema_migrations(version). On top: an advisory lock around the run,
 * file/line/caret in errors, a refusal of databases that are newer than this program. */
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

struct migration_file {	     /* embedded ones: migrations_embedded, ended by {0} */
	const char *version; /* the leading digits, as text */
	const char *name;    /* file name */
	const char *text;
};
extern const struct migration_file migrations_embedded[];

enum migrate_state { MIGRATE_CURRENT, MIGRATE_BEHIND, MIGRATE_AHEAD, MIGRATE_EMPTY };

struct migrate_options {
	const char
		*conninfo; /* of the migrating role; a direct connection (no pooler in between) */
	const char *directory;	/* instead of the embedded files; NULL = embedded */
	const char *to_version; /* up: stop after this one; NULL = all */
	unsigned steps;		/* down: how many; default 1 */
	/* One line per file as it is applied ("up 2026..._x.sql 12 ms"), a line while another run
	 * is waited for, and before a failure three lines: file:line:column with PostgreSQL's
	 * message, the line itself, a caret. May be NULL. */
	void (*on_progress)(void *user, const char *line);
	void *user;
};

/* Every file is one transaction with its row in schema_migrations: on failure the files before it
 * stay, of the failing one nothing does, and err names file and line. PostgreSQL's own words are in
 * err: the caller is a person at a terminal. *ret_applied counts what was done, also on failure.
 * Two runs at once queue up (5 minutes at most). ST_CONFLICT migrate.newer: the database records a
 * version that is not among the files. */
enum status migrate_up(const struct migrate_options *options, unsigned *ret_applied,
		       struct err *err) MUST_USE;
/* Undoes the applied file with the highest name, steps times. */
enum status migrate_down(const struct migrate_options *options, unsigned *ret_undone,
			 struct err *err) MUST_USE;
/* on_row(user, name, is_applied) in file order; changes nothing. */
enum status migrate_status(const struct migrate_options *options,
			   void (*on_row)(void *user, const char *name, bool is_applied),
			   void *user, unsigned *ret_pending, struct err *err) MUST_USE;
/* What `serve` asks at start, as the service role: is the schema the one this program was built
 * for? ST_OK only when *ret is MIGRATE_CURRENT; ST_CONFLICT for the other three, with err telling
 * which command mends it; any other status: it could not be found out and *ret is untouched. */
enum status migrate_check(const char *conninfo, enum migrate_state *ret, struct err *err) MUST_USE;
