#pragma once
/* Many records as rows: what has to be executed, in this order and in one transaction, to store
 * them all. Of a dialer call and of an agent only the newest is written, the end of an event that
 * begins in the same records is part of its row. Pure. Private to db/. */
#include <stdbool.h>
#include <stddef.h>

#include "db/record.h"

#define DRAIN_PARAMS_MAX 29

struct drain_statement {
	const char *name; /* of db/sql/records.sql */
	unsigned rows, count;
	const char *values[DRAIN_PARAMS_MAX]; /* arrays in binary format */
	int lengths[DRAIN_PARAMS_MAX];
};

/* Does a record with these parts become any row? */
bool drain_has_rows(unsigned has);

struct drain_rows;
struct drain_rows *drain_rows_create(void);
void drain_rows_destroy(struct drain_rows *rows); /* NULL is fine */
/* Takes up these records (borrowed until the next call), in the order of their numbers. writer_id:
 * of the journal they are in. */
void drain_rows_begin(struct drain_rows *rows, const struct record *records, unsigned count,
		      const struct uuid *writer_id);
/* The next statement; false when there is none. Valid until the next call. */
bool drain_rows_next(struct drain_rows *rows, struct drain_statement *ret);
/* The statements there can be, NULL-ended: the drain prepares them once. */
extern const char *const drain_statements[];
