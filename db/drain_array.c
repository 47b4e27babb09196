#include "db/drain_array.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define HEAD_SIZE	20 /* dimensions, has nulls, type, length, first index */
#define EPOCH_2000_US	INT64_C(946684800000000) /* what PostgreSQL counts from */
#define PG_OID(name, n) [name] = n

static const uint32_t oids[] = {
	PG_OID(ARRAY_UUID, 2950), PG_OID(ARRAY_TEXT, 25), PG_OID(ARRAY_INT, 23),
	PG_OID(ARRAY_BIGINT, 20), PG_OID(ARRAY_BOOL, 16), PG_OID(ARRAY_TIME, 1184),
};

static unsigned char *room_for(struct drain_array *array, size_t size)
{
	if (array->size + size > array->room) {
		array->room = (array->size + size) * 2;
		array->bytes = xrealloc(array->bytes, array->room);
	}
	return array->bytes + array->size;
}

static void store_32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void store_64(unsigned char *to, uint64_t value)
{
	store_32(to, (uint32_t)(value >> 32));
	store_32(to + 4, (uint32_t)value);
}

/* The place of the next element's bytes. */
static unsigned char *append(struct drain_array *array, size_t size)
{
	unsigned char *to = room_for(array, 4 + size);

	store_32(to, (uint32_t)size);
	array->size += 4 + size;
	array->count++;
	return to + 4;
}

void drain_array_begin(struct drain_array *array, enum array_type type)
{
	array->type = type;
	array->count = 0;
	array->has_null = false;
	array->size = 0;
	room_for(array, HEAD_SIZE);
	array->size = HEAD_SIZE;
}

void drain_array_free(struct drain_array *array)
{
	free(array->bytes);
	*array = (struct drain_array){0};
}

void drain_array_null(struct drain_array *array)
{
	store_32(room_for(array, 4), UINT32_MAX);
	array->size += 4;
	array->count++;
	array->has_null = true;
}

void drain_array_uuid(struct drain_array *array, const struct uuid *uuid)
{
	if (uuid_is_nil(uuid))
		drain_array_null(array);
	else
		memcpy(append(array, sizeof(*uuid)), uuid, sizeof(*uuid));
}

void drain_array_text(struct drain_array *array, const char *text)
{
	size_t size = strlen(text);
	unsigned char *to = append(array, size);

	memcpy(to, text, size);
	for (size_t at = 0, length; at < size; at += length) {
		length = str_utf8_char((const char *)to + at, size - at);
		if (length == 0) {
			to[at] = '?';
			length = 1;
		}
	}
}

void drain_array_int(struct drain_array *array, int32_t value)
{
	store_32(append(array, 4), (uint32_t)value);
}

void drain_array_bigint(struct drain_array *array, int64_t value)
{
	store_64(append(array, 8), (uint64_t)value);
}

void drain_array_bool(struct drain_array *array, bool value)
{
	*append(array, 1) = value;
}

void drain_array_time(struct drain_array *array, int64_t unix_ms)
{
	if (unix_ms == 0)
		drain_array_null(array);
	else
		store_64(append(array, 8), (uint64_t)(unix_ms * 1000 - EPOCH_2000_US));
}

const void *drain_array_value(struct drain_array *array, size_t *ret_size)
{
	store_32(array->bytes, 1);
	store_32(array->bytes + 4, array->has_null);
	store_32(array->bytes + 8, oids[array->type]);
	store_32(array->bytes + 12, array->count);
	store_32(array->bytes + 16, 1);
	*ret_size = array->size;
	return array->bytes;
}
