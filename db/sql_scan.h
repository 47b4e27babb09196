#pragma once
/* Finds the statements in a piece of SQL as PostgreSQL would: strings, quoted names, dollar quotes,
 * comments, parentheses and bodies of SQL functions (begin atomic ... end) may all contain
 * semicolons. Pure; any bytes are safe. Private to db/. */
#include <stdbool.h>
#include <stddef.h>

#define SQL_WORD_SIZE 16
#define SQL_WORDS     3

struct sql_statement {
	size_t start, end;		      /* from its first character to before the semicolon */
	char words[SQL_WORDS][SQL_WORD_SIZE]; /* its first words in lower case, "" when it has fewer
						 or longer */
	bool reads_stdin;		      /* ... from stdin */
};

enum sql_scan { SQL_FOUND, SQL_DONE, SQL_UNTERMINATED };

/* Takes the next statement; *at starts as 0. Empty ones are skipped. SQL_UNTERMINATED: a string,
 * quote or comment that begins at ret->start has no end. */
enum sql_scan sql_scan_next(const char *text, size_t length, size_t *at, struct sql_statement *ret);
