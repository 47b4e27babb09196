#include "db/result.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* PostgreSQL counts microseconds from 2000-01-01. */
#define EPOCH_2000_MS INT64_C(946684800000)

/* Type numbers of pg_type, which never change. */
enum {
	OID_BOOL = 16,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950
};

struct db_result {
	PGresult *pg;
	enum db_type types[]; /* asked once per result, not per value */
};

static enum db_type type_of(Oid oid)
{
	switch (oid) {
	case OID_BOOL:
		return DB_BOOL;
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		return DB_INT;
	case OID_TIMESTAMPTZ:
		return DB_TIME;
	case OID_UUID:
		return DB_UUID;
	default: /* text and its kin: the same bytes in binary and in text */
		return DB_TEXT;
	}
}

struct db_result *result_wrap(PGresult *pg)
{
	unsigned columns = (unsigned)PQnfields(pg);
	struct db_result *result = xmalloc(sizeof(*result) + columns * sizeof(result->types[0]));

	result->pg = pg;
	for (unsigned i = 0; i < columns; i++)
		result->types[i] = type_of(PQftype(pg, (int)i));
	return result;
}

void db_result_free(struct db_result *result)
{
	if (!result)
		return;
	PQclear(result->pg);
	free(result);
}

unsigned db_rows(const struct db_result *result)
{
	return (unsigned)PQntuples(result->pg);
}

unsigned db_columns(const struct db_result *result)
{
	return (unsigned)PQnfields(result->pg);
}

const char *db_column_name(const struct db_result *result, unsigned column)
{
	return PQfname(result->pg, (int)column);
}

enum db_type db_column_type(const struct db_result *result, unsigned column)
{
	return result->types[column];
}

bool db_is_null(const struct db_result *result, unsigned row, unsigned column)
{
	return PQgetisnull(result->pg, (int)row, (int)column);
}

/* The bytes of a value that has this type; NULL for SQL NULL. */
static const char *bytes_of(const struct db_result *result, unsigned row, unsigned column,
			    enum db_type type)
{
	assert(row < db_rows(result) && column < db_columns(result));
	assert(result->types[column] == type);
	(void)type;
	return db_is_null(result, row, column) ? NULL
					       : PQgetvalue(result->pg, (int)row, (int)column);
}

const char *db_get_text(const struct db_result *result, unsigned row, unsigned column,
			size_t *length)
{
	const char *text = bytes_of(result, row, column, DB_TEXT);

	*length = text ? (size_t)PQgetlength(result->pg, (int)row, (int)column) : 0;
	return text ? text : "";
}

void db_copy_text(const struct db_result *result, unsigned row, unsigned column, char *dst,
		  size_t size)
{
	size_t length;

	/* libpq ends every value with a NUL that length does not count; a text cannot have one
	 * inside. */
	str_copy_cut(dst, size, db_get_text(result, row, column, &length));
}

int64_t db_get_int(const struct db_result *result, unsigned row, unsigned column)
{
	const char *bytes = bytes_of(result, row, column, DB_INT);
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	if (!bytes)
		return 0;
	switch (PQgetlength(result->pg, (int)row, (int)column)) {
	case 2:
		memcpy(&two, bytes, 2);
		return (int16_t)be16toh(two);
	case 4:
		memcpy(&four, bytes, 4);
		return (int32_t)be32toh(four);
	default:
		memcpy(&eight, bytes, 8);
		return (int64_t)be64toh(eight);
	}
}

bool db_get_bool(const struct db_result *result, unsigned row, unsigned column)
{
	const char *bytes = bytes_of(result, row, column, DB_BOOL);

	return bytes && *bytes;
}

struct uuid db_get_uuid(const struct db_result *result, unsigned row, unsigned column)
{
	const char *bytes = bytes_of(result, row, column, DB_UUID);
	struct uuid uuid = {{0}};

	if (bytes)
		memcpy(uuid.bytes, bytes, sizeof(uuid.bytes));
	return uuid;
}

int64_t db_get_time_ms(const struct db_result *result, unsigned row, unsigned column)
{
	const char *bytes = bytes_of(result, row, column, DB_TIME);
	uint64_t raw;

	if (!bytes)
		return 0;
	memcpy(&raw, bytes, sizeof(raw));
	int64_t us = (int64_t)be64toh(raw);
	return EPOCH_2000_MS + us / 1000;
}
