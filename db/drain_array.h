#pragma once
/* One column of many rows, as an array parameter in PostgreSQL's binary format: a tenth of the work
 * of text on both sides. Grows as it is filled and keeps its memory. Private to db/. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

enum array_type { ARRAY_UUID, ARRAY_TEXT, ARRAY_INT, ARRAY_BIGINT, ARRAY_BOOL, ARRAY_TIME };

struct drain_array {
	enum array_type type;
	unsigned count;
	bool has_null;
	unsigned char *bytes;
	size_t size, room;
};

/* Empties it. */
void drain_array_begin(struct drain_array *array, enum array_type type);
void drain_array_free(struct drain_array *array);

/* Each appends one element, of an array of its type. */
void drain_array_uuid(struct drain_array *array, const struct uuid *uuid); /* nil = null */
/* Bytes that are not UTF-8 become '?': one bad byte from a telephone must not make a record
 * unwritable. */
void drain_array_text(struct drain_array *array, const char *text);
void drain_array_int(struct drain_array *array, int32_t value);
void drain_array_bigint(struct drain_array *array, int64_t value);
void drain_array_bool(struct drain_array *array, bool value);
void drain_array_time(struct drain_array *array, int64_t unix_ms); /* 0 = null */
void drain_array_null(struct drain_array *array);

/* The parameter, valid until the array changes; *ret_size bytes. Not for an empty one. */
const void *drain_array_value(struct drain_array *array, size_t *ret_size);
