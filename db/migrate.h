#pragma once
/* Migrations, compatible with dbmate (docs/migrations.md): files YYYYMMDDHHMMSS_name.sql embedded at build, table
 * schema_migrations(version). On top: an advisory lock around the run, file/line/caret in errors, a refusal of
 * databases that are newer than this program. */
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

struct migration_file { /* embedded ones: migrations_embedded, ended by {0} */
	const char *version; /* the leading digits, as text */
	const char *name;    /* file name */
	const char *text;
};
extern const struct migration_file migrations_embedded[];

enum migrate_state { MIGRATE_CURRENT, MIGRATE_BEHIND, MIGRATE_AHEAD, MIGRATE_EMPTY };

struct migrate_options {
	const char *conninfo;	/* of the migrating role */
	const char *directory;	/* instead of the embedded files; NULL = embedded */
	const char *to_version; /* up: stop after this one; NULL = all */
	unsigned steps;		/* down: how many; default 1 */
	/* one line per file as it is applied ("up 2026..._x.sql 12 ms"); may be NULL */
	void (*on_progress)(void *user, const char *line);
	void *user;
};

enum status migrate_up(const struct migrate_options *options, unsigned *ret_applied, struct err *err) MUST_USE;
enum status migrate_down(const struct migrate_options *options, unsigned *ret_undone, struct err *err) MUST_USE;
/* on_row(user, name, is_applied) in file order. */
enum status migrate_status(const struct migrate_options *options,
			   void (*on_row)(void *user, const char *name, bool is_applied), void *user,
			   unsigned *ret_pending, struct err *err) MUST_USE;
/* What `serve` asks at start: is the schema the one this program was built for? err says which command mends it. */
enum status migrate_check(const char *conninfo, enum migrate_state *ret, struct err *err) MUST_USE;
