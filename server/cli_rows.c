/* Commands that ask the database: a connection for one of them, rows as text. */
#include <stdio.h>

#include "base/json_writer.h"
#include "db/db.h"
#include "server/app.h"
#include "server/cli.h"

/* A table of texts, or with --json an array of objects: whatever the statement gives. */
static void print_cell(struct json_writer *w, const struct db_result *rows, unsigned row,
		       unsigned column)
{
	struct uuid uuid;
	size_t length;
	const char *text;

	if (db_is_null(rows, row, column)) {
		jw_null(w);
		return;
	}
	switch (db_column_type(rows, column)) {
	case DB_INT:
		jw_int(w, db_get_int(rows, row, column));
		break;
	case DB_BOOL:
		jw_bool(w, db_get_bool(rows, row, column));
		break;
	case DB_UUID:
		uuid = db_get_uuid(rows, row, column);
		jw_uuid(w, &uuid);
		break;
	case DB_TIME:
		jw_time(w, db_get_time_ms(rows, row, column));
		break;
	default:
		text = db_get_text(rows, row, column, &length);
		jw_text_n(w, text, length);
	}
}

static void print_json(const struct db_result *rows)
{
	struct json_writer w = {0};

	jw_array(&w);
	for (unsigned i = 0; i < db_rows(rows); i++) {
		jw_object(&w);
		for (unsigned k = 0; k < db_columns(rows); k++) {
			jw_key(&w, db_column_name(rows, k));
			print_cell(&w, rows, i, k);
		}
		jw_object_end(&w);
	}
	jw_array_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

/* Without the key that leads the columns of some statements: nobody types it. */
static void print_table(const struct db_result *rows, unsigned first_column)
{
	for (unsigned k = first_column; k < db_columns(rows); k++)
		printf("%-20s ", db_column_name(rows, k));
	printf("\n");
	for (unsigned i = 0; i < db_rows(rows); i++) {
		for (unsigned k = first_column; k < db_columns(rows); k++) {
			struct json_writer w = {0};
			const char *text;
			size_t length;

			print_cell(&w, rows, i, k);
			text = jw_start(&w);
			length = w.length;
			if (length >= 2 && text[0] == '"')
				text++, length -= 2;
			printf("%-20.*s ", (int)length, text);
			jw_done(&w);
		}
		printf("\n");
	}
}

enum status cli_list(struct cli *cli, struct db_conn *conn, const char *statement,
		     unsigned first_column, struct err *err)
{
	struct uuid tenant = app_tenant();
	struct db_param param = db_uuid(&tenant);
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, statement, &param, 1, &rows, err);

	if (status != ST_OK)
		return status;
	if (cli->is_json)
		print_json(rows);
	else
		print_table(rows, first_column);
	return ST_OK;
}

int cli_with_database(struct cli *cli,
		      enum status (*run)(struct cli *, struct db_conn *, struct err *))
{
	struct db_conn *conn = NULL;
	struct err err;
	enum status status = cli_connect(cli, &conn, &err);

	if (status == ST_OK)
		status = run(cli, conn, &err);
	db_disconnect(conn);
	return status == ST_OK ? 0 : cli_fail(cli, &err);
}
