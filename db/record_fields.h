#pragma once
/* Which fields of a record are written into the journal, as tables: the tag of a field is its index
 * in the table of its struct. A tag is never used for anything else later; the place of a field
 * that is gone stays empty. Private to db/. */
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_NONE, /* no field (any more): skipped when read */
	FIELD_TEXT,
	FIELD_UUID,
	FIELD_BOOL,
	FIELD_INT, /* int */
	FIELD_UINT,
	FIELD_I64,
	FIELD_U64,
	FIELD_ENUM, /* 0 .. limit - 1 */
	FIELD_STRUCT,
};

struct field_table;

struct record_field {
	enum field_kind kind;
	unsigned offset, size;
	unsigned limit; /* ENUM */
	unsigned parts; /* of struct record: written when `has` has one of these; 0 = always */
	const struct field_table *sub; /* STRUCT */
};

struct field_table {
	const struct record_field *fields; /* index = tag; 0 is no tag */
	unsigned count;
};

/* The tags of struct record that are looked at without decoding. */
enum { TAG_HAS = 1, TAG_AT_MS = 2, TAG_BEGUN_AT = 3 };

extern const struct field_table record_table;
