#pragma once
/* One migration file's text to its two blocks, by dbmate's rules and with our refusals
 * (docs/migrations.md). Pure; any bytes are safe. Private to db/. */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define MIGRATION_SIZE_MAX     (1024 * 1024)
#define MIGRATION_VERSION_SIZE 64

struct migration_block {
	const char *sql; /* begins with the directive's line, as dbmate sends it; not NUL-ended */
	size_t length;
	unsigned line; /* of the directive, from 1 */
	bool in_transaction;
};

struct migration {
	struct migration_block up, down;
};

struct migrate_fault { /* where in the file, from 1 */
	unsigned line, column;
	char message[160];
};

/* ST_INVALID and *fault when it is refused. The blocks point into text. */
enum status migrate_parse(const char *text, size_t length, struct migration *ret,
			  struct migrate_fault *fault) MUST_USE;
/* The leading digits of a file name that is a migration's (digits, anything, ".sql"); false: it is
 * not one. */
bool migrate_parse_name(const char *name, char version[MIGRATION_VERSION_SIZE]);
/* Line and column of a byte. */
void migrate_locate(const char *text, size_t at, unsigned *ret_line, unsigned *ret_column);
/* The byte at which the index'th statement (from 0) of a block begins; 0 when it has fewer. */
size_t migrate_statement_at(const struct migration_block *block, unsigned index);
