#include "tests/support/routes_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define ROWS_MAX    32
#define COLUMNS_MAX 24

struct cell {
	enum db_type type;
	bool is_null;
	char text[128];
	int64_t number;
	struct uuid uuid;
};

struct db_result {
	unsigned rows, columns;
	const char *names[COLUMNS_MAX];
	struct cell cells[ROWS_MAX][COLUMNS_MAX];
};

struct db_result *rows_new(void)
{
	return xcalloc(1, sizeof(struct db_result));
}

static struct cell *add_cell(struct db_result *result, const char *name, enum db_type type)
{
	unsigned column = 0;

	while (result->names[column] && strcmp(result->names[column], name) != 0)
		column++;
	assert(column < COLUMNS_MAX && result->rows > 0);
	result->names[column] = name;
	result->columns = column + 1 > result->columns ? column + 1 : result->columns;
	result->cells[result->rows - 1][column].type = type;
	return &result->cells[result->rows - 1][column];
}

void rows_add(struct db_result *result)
{
	assert(result->rows < ROWS_MAX);
	result->rows++;
}

void rows_text(struct db_result *result, const char *name, const char *text)
{
	struct cell *cell = add_cell(result, name, DB_TEXT);

	cell->is_null = !text;
	str_copy_cut(cell->text, sizeof cell->text, text);
}

void rows_int(struct db_result *result, const char *name, int64_t number)
{
	add_cell(result, name, DB_INT)->number = number;
}

void rows_null_int(struct db_result *result, const char *name)
{
	add_cell(result, name, DB_INT)->is_null = true;
}

void rows_bool(struct db_result *result, const char *name, bool value)
{
	add_cell(result, name, DB_BOOL)->number = value;
}

void rows_time(struct db_result *result, const char *name, int64_t ms)
{
	struct cell *cell = add_cell(result, name, DB_TIME);

	cell->number = ms;
	cell->is_null = ms == 0;
}

void rows_uuid(struct db_result *result, const char *name, const char *text)
{
	struct cell *cell = add_cell(result, name, DB_UUID);

	cell->is_null = !text;
	if (text && !uuid_parse(text, &cell->uuid))
		abort();
}

void db_result_free(struct db_result *result)
{
	free(result);
}

unsigned db_rows(const struct db_result *result)
{
	return result->rows;
}

unsigned db_columns(const struct db_result *result)
{
	return result->columns;
}

const char *db_column_name(const struct db_result *result, unsigned column)
{
	return result->names[column];
}

enum db_type db_column_type(const struct db_result *result, unsigned column)
{
	return result->cells[0][column].type;
}

/* As strict as the real one: a wrong column or type is a defect of the asker. */
static const struct cell *cell_at(const struct db_result *result, unsigned row, unsigned column,
				  enum db_type type)
{
	assert(row < result->rows && column < result->columns);
	assert(result->cells[row][column].type == type);
	(void)type;
	return &result->cells[row][column];
}

bool db_is_null(const struct db_result *result, unsigned row, unsigned column)
{
	return result->cells[row][column].is_null;
}

const char *db_get_text(const struct db_result *result, unsigned row, unsigned column,
			size_t *length)
{
	const struct cell *cell = cell_at(result, row, column, DB_TEXT);

	*length = strlen(cell->text);
	return cell->text;
}

void db_copy_text(const struct db_result *result, unsigned row, unsigned column, char *dst,
		  size_t size)
{
	str_copy_cut(dst, size, cell_at(result, row, column, DB_TEXT)->text);
}

int64_t db_get_int(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_INT)->number;
}

bool db_get_bool(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_BOOL)->number;
}

struct uuid db_get_uuid(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_UUID)->uuid;
}

int64_t db_get_time_ms(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_TIME)->number;
}

struct db_param db_text(const char *text)
{
	return (struct db_param){.kind = text ? DB_P_TEXT : DB_P_NULL, .text = text};
}

struct db_param db_int(int64_t value)
{
	return (struct db_param){.kind = DB_P_INT, .number = value};
}

struct db_param db_bool(bool value)
{
	return (struct db_param){.kind = DB_P_BOOL, .number = value};
}

struct db_param db_uuid(const struct uuid *uuid)
{
	if (!uuid || uuid_is_nil(uuid))
		return db_null();
	return (struct db_param){.kind = DB_P_UUID, .uuid = *uuid};
}

struct db_param db_time(int64_t unix_ms)
{
	return (struct db_param){.kind = unix_ms ? DB_P_TIME_MS : DB_P_NULL, .number = unix_ms};
}

struct db_param db_bytes(const void *bytes, size_t length)
{
	return (struct db_param){.kind = DB_P_BYTES, .text = bytes, .number = (int64_t)length};
}

struct db_param db_null(void)
{
	return (struct db_param){.kind = DB_P_NULL};
}
