#pragma once
/* A record as the rows to be written: statements of db/sql/records.sql with their parameters,
 * packed into one piece of memory, about 600 bytes where the record itself has 3 kB (thousands may
 * wait). Pure. Private to db/. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/record.h"

#define RECORD_PARAMS_MAX 29

struct record_rows {
	struct record_rows *next; /* the queue's */
	uint64_t number;
	size_t size;
	char data[];
};

struct record_row {
	const char *statement;
	unsigned count;
	const char *values[RECORD_PARAMS_MAX]; /* text format; NULL is SQL NULL */
};

/* writer_id: this run of the program. Text that is not UTF-8 has its bad bytes replaced by '?'. */
struct record_rows *record_rows_make(const struct record *record, uint64_t number,
				     const struct uuid *writer_id);
/* Takes the next row; false when there is none. *at starts as 0. Values point into rows. */
bool record_rows_next(const struct record_rows *rows, size_t *at, struct record_row *ret);
/* The statements there can be, NULL-ended: the writer prepares them once. */
extern const char *const record_statements[];
