#pragma once
/* A record as bytes in the journal. Tagged fields, each with its length, so that a newer program
 * reads what an older one wrote (what is missing is zero) and an older one skips what it does not
 * know. Fields that are zero or empty are left out: a usual record has some 500 bytes. Which fields
 * there are is a table; a tag is never used for anything else later. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"
#include "db/record.h"

#define RECORD_BYTES_MAX 65536 /* every field at its longest fits */
#define RECORD_TYPE	 1     /* the journal's entry type */

/* Only the parts that has names are written. Returns the length. */
size_t record_encode(const struct record *record, unsigned char bytes[RECORD_BYTES_MAX]);
/* Zeroes *ret first. False: not a record (a length runs out of the entry, a text is too long, an
 * enum is unknown). number is not part of the bytes. */
bool record_decode(const void *bytes, size_t length, struct record *ret) MUST_USE;

/* What decides whether a record has to be decoded at all. */
struct record_head {
	unsigned has;
	int64_t at_ms;
	uint64_t begun_at;
};
/* The same without looking into the parts: some times faster. False as above, but for what is wrong
 * inside a part. */
bool record_peek(const void *bytes, size_t length, struct record_head *ret) MUST_USE;
