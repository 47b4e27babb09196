#pragma once
/* The named statements of db/sql, embedded by dev/embed and sorted by name. */

struct db_statement {
	const char *name;
	unsigned parameters;
	const char *text;
};
extern const struct db_statement db_statements[];
extern const unsigned db_statement_count;

/* Its index in the table; -1 when there is none of this name. */
int db_statement_find(const char *name);
