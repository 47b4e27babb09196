/* Types, statuses, transactions and deadlines of db_query() on one connection. */
#include "db_test.h"

#include "db/conn.h"
#include "db/db.h"
#include "db/sqlstate.h"

static struct pg_fixture pg;
static char owner[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];
static struct db_conn *conn;
static struct uuid tenant;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int set_up(void **state)
{
	struct err err;

	(void)state;
	tenant = id_of(TENANT);
	pg_fixture_mend(&pg);
	pg_fixture_database(&pg, true, owner);
	pg_fixture_as(owner, "gateway", gateway);
	return db_connect(gateway, &conn, &err) == ST_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	db_disconnect(conn);
	return 0;
}

static enum status add_contact(const char *name, const char *number, struct err *err)
{
	struct uuid id = new_id();
	const struct db_param params[] = {db_uuid(&id), db_uuid(&tenant), db_text(name),
					  db_text(number), db_text("lead")};

	return db_query(conn, "contact_upsert", params, COUNT(params), NULL, err);
}

static void texts_come_back_as_they_went(void **state)
{
	static const char *const names[] = {"O'Brien; drop table agents; --", "\\ \" $1 %s",
					    "gr\xc3\xbcn \xf0\x9f\x93\x9e", " tabs\tand\nlines "};
	const struct db_param page[] = {db_uuid(&tenant), db_int(10), db_int(0)};
	struct err err;

	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++)
		assert_int_equal(add_contact(names[i], sql_format("%u", i), &err), ST_OK);
	for (unsigned i = 0; i < COUNT(names); i++) {
		auto_db_result struct db_result *rows = NULL;
		const struct db_param params[] = {db_uuid(&tenant), db_text(sql_format("%u", i))};
		char name[100];
		size_t length;
		assert_int_equal(db_query(conn, "contact_by_number", params, 2, &rows, &err),
				 ST_OK);
		db_copy_text(rows, 0, 1, name, sizeof(name));
		assert_string_equal(name, names[i]);
		assert_memory_equal(db_get_text(rows, 0, 1, &length), names[i], strlen(names[i]));
		assert_int_equal(length, strlen(names[i]));
	}
	auto_db_result struct db_result *all = NULL;
	assert_int_equal(db_query(conn, "contact_list", page, 3, &all, &err), ST_OK);
	assert_int_equal(db_rows(all), COUNT(names));
}

static void values_have_the_types_of_the_database(void **state)
{
	struct uuid id = new_id();
	struct err err;

	(void)state;
	pg_fixture_exec(
		owner, sql_format("insert into agents (agent_id, tenant_id, login, full_name, "
				  "extension, state_on, "
				  "modified_on) values ('%s', '%s', 'ada', 'Ada', '7', '1999-12-31 "
				  "23:59:59.999Z', '2025-11-24 16:00:00.123Z')",
				  id_text(&id), TENANT));
	const struct db_param params[] = {db_uuid(&tenant)};
	auto_db_result struct db_result *rows = NULL;
	assert_int_equal(db_query(conn, "agent_details", params, 1, &rows, &err), ST_OK);
	struct uuid got = db_get_uuid(rows, 0, 0);
	assert_true(uuid_equal(&got, &id));
	assert_int_equal(db_column_type(rows, 0), DB_UUID);
	assert_int_equal(db_column_type(rows, 1), DB_TEXT);
	assert_int_equal(db_column_type(rows, 7), DB_TIME);
	assert_int_equal(db_get_time_ms(rows, 0, 7),
			 946684799999); /* before PostgreSQL's year 0 of 2000 */
	assert_int_equal(db_column_type(rows, 8), DB_BOOL);
	assert_true(db_get_bool(rows, 0, 8));
	assert_false(db_get_bool(rows, 0, 9));
	auto_db_result struct db_result *list = NULL;
	const struct db_param page[] = {db_uuid(&tenant), db_int(1), db_int(0)};
	assert_int_equal(db_query(conn, "agent_list", page, 3, &list, &err), ST_OK);
	assert_int_equal(db_get_time_ms(list, 0, 4), 1764000000123);
}

static void null_is_told_from_empty(void **state)
{
	struct uuid id = new_id();
	struct err err;
	const struct db_param params[] = {db_uuid(&tenant), db_text("ada")};

	(void)state;
	pg_fixture_exec(owner, sql_format("insert into agents (agent_id, tenant_id, login, "
					  "full_name, extension) values "
					  "('%s', '%s', 'ada', '', '7')",
					  id_text(&id), TENANT));
	auto_db_result struct db_result *rows = NULL;
	assert_int_equal(db_query(conn, "agent_by_login", params, 2, &rows, &err), ST_OK);
	assert_false(db_is_null(rows, 0, 2));
	assert_true(db_is_null(rows, 0, 5));
	size_t length = 9;
	assert_string_equal(db_get_text(rows, 0, 5, &length), "");
	assert_int_equal(length, 0);
}

static void status_follows_sqlstate(void **state)
{
	static const struct {
		const char *sqlstate;
		enum status status;
	} cases[] = {
		{"", ST_UNAVAILABLE},	   {"08006", ST_UNAVAILABLE}, {"57P01", ST_UNAVAILABLE},
		{"57014", ST_TIMEOUT},	   {"23505", ST_CONFLICT},    {"23503", ST_CONFLICT},
		{"23514", ST_INVALID},	   {"22001", ST_INVALID},     {"40001", ST_BUSY},
		{"40P01", ST_BUSY},	   {"55P03", ST_BUSY},	      {"53300", ST_UNAVAILABLE},
		{"28P01", ST_UNAVAILABLE}, {"25006", ST_UNAVAILABLE}, {"42P01", ST_INTERNAL},
		{"42501", ST_INTERNAL},	   {"XX000", ST_INTERNAL},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++)
		assert_int_equal(sqlstate_status(cases[i].sqlstate), cases[i].status);
}

/* S-34: errors never show SQL. What PostgreSQL said goes to the log, and there without values of
 * rows. */
static char trouble[400];

static void hear_trouble(void *user, const char *what, const char *detail)
{
	(void)user;
	snprintf(trouble, sizeof(trouble), "%s|%s", what, detail);
}

static void callers_never_see_the_words_of_the_database(void **state)
{
	struct uuid id = new_id();
	struct err err;
	const struct db_param params[] = {db_uuid(&id),	    db_uuid(&tenant),
					  db_text("Sales"), db_text("+15551234567"),
					  db_int(90000),    db_text("")};

	(void)state;
	conn->on_trouble = hear_trouble;
	assert_int_equal(db_query(conn, "queue_upsert", params, COUNT(params), NULL, &err),
			 ST_INVALID);
	assert_string_equal(err.code, "db.invalid");
	assert_string_equal(err.target, "queues_wrap_seconds_check");
	assert_null(strstr(err.message, "relation"));
	assert_non_null(strstr(trouble, "queue_upsert|23514 "));
	assert_null(strstr(trouble, "+15551234567")); /* PostgreSQL's detail quotes the row */
}

static void failed_statement_leaves_the_connection_usable(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(add_contact(NULL, "1", &err), ST_INVALID);
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
}

static void transaction_is_all_or_nothing(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(db_begin(conn, &err), ST_OK);
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
	db_rollback(conn);
	assert_string_equal(pg_fixture_value(owner, "select count(*) from contacts"), "0");
	assert_int_equal(db_begin(conn, &err), ST_OK);
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
	assert_int_equal(db_commit(conn, &err), ST_OK);
	assert_string_equal(pg_fixture_value(owner, "select count(*) from contacts"), "1");
}

/* COMMIT of a failed transaction is a ROLLBACK that PostgreSQL calls a success. */
static void commit_of_a_failed_transaction_is_no_success(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(db_begin(conn, &err), ST_OK);
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
	assert_int_equal(add_contact(NULL, "1", &err), ST_INVALID);
	assert_int_not_equal(db_commit(conn, &err), ST_OK);
	assert_string_equal(pg_fixture_value(owner, "select count(*) from contacts"), "0");
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
}

static void ended_connection_is_unavailable_and_not_asked_again(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
	assert_int_equal(pg_fixture_end_backends(owner, "calltab command"), 1);
	assert_int_equal(add_contact("Ada", "2", &err), ST_UNAVAILABLE);
	assert_string_equal(err.code, "db.away");
	assert_int_equal(add_contact("Ada", "2", &err), ST_UNAVAILABLE);
}

static int64_t ms_since(int64_t us)
{
	return (clock_mono_us(&clock_system) - us) / 1000;
}

static void lock_held_by_another_is_given_up_by_the_server(void **state)
{
	struct db_conn *other;
	struct err err;

	(void)state;
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
	assert_int_equal(db_connect(gateway, &other, &err), ST_OK);
	assert_int_equal(db_begin(conn, &err), ST_OK);
	assert_int_equal(add_contact("Grace", "2", &err), ST_OK);
	struct db_conn *mine = conn;
	conn = other;
	int64_t since = clock_mono_us(&clock_system);
	assert_int_equal(add_contact("Grace", "3", &err), ST_TIMEOUT);
	assert_in_range(ms_since(since), 1900, 2900);
	assert_false(conn->is_lost); /* the server said so itself */
	conn = mine;
	db_disconnect(other);
}

/* A stopped server answers nothing: our own deadline must end the wait. */
static void hung_server_is_given_up(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(add_contact("Grace", "1", &err), ST_OK);
	pg_fixture_freeze(&pg);
	int64_t since = clock_mono_us(&clock_system);
	assert_int_equal(add_contact("Ada", "2", &err), ST_TIMEOUT);
	int64_t took = ms_since(since);
	pg_fixture_thaw(&pg);
	assert_in_range(took, 2900, 3500);
	assert_true(conn->is_lost && conn->is_hung);
}

static void settings_are_those_the_house_relies_on(void **state)
{
	static const char *const expected[][2] = {
		{"timezone", "UTC"},	     {"jit", "off"},
		{"statement_timeout", "2s"}, {"idle_in_transaction_session_timeout", "5s"},
		{"client_encoding", "UTF8"}, {"work_mem", "7MB"},
	};
	char users[PG_CONNINFO_SIZE];
	struct db_conn *other;
	struct err err;

	(void)state;
	str_format(users, sizeof(users), "%s options='-c work_mem=7MB' application_name=mine",
		   gateway);
	assert_int_equal(db_connect(users, &other, &err), ST_OK);
	for (unsigned i = 0; i < COUNT(expected); i++) {
		const char *sql = sql_format("show %s", expected[i][0]);
		PGresult *shown = NULL;
		assert_int_equal(PQsendQuery(other->pg, sql), 1);
		assert_int_equal(conn_result(other, &shown, &err), ST_OK);
		assert_string_equal(PQgetvalue(shown, 0, 0), expected[i][1]);
		PQclear(shown);
	}
	db_disconnect(other);
}

static void unreachable_or_unreadable_address_is_told_to_the_operator(void **state)
{
	struct db_conn *other = NULL;
	struct err err;

	(void)state;
	assert_int_equal(db_connect("host=/nonexistent dbname=x", &other, &err), ST_UNAVAILABLE);
	assert_string_equal(err.code, "db.away");
	assert_non_null(strstr(err.message, "/nonexistent"));
	assert_int_equal(db_connect("password=secret nonsense", &other, &err), ST_INVALID);
	assert_null(strstr(err.message, "secret"));
	assert_null(other);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(texts_come_back_as_they_went),
		test(values_have_the_types_of_the_database),
		test(null_is_told_from_empty),
		cmocka_unit_test(status_follows_sqlstate),
		test(callers_never_see_the_words_of_the_database),
		test(failed_statement_leaves_the_connection_usable),
		test(transaction_is_all_or_nothing),
		test(commit_of_a_failed_transaction_is_no_success),
		test(ended_connection_is_unavailable_and_not_asked_again),
		test(lock_held_by_another_is_given_up_by_the_server),
		test(hung_server_is_given_up),
		test(settings_are_those_the_house_relies_on),
		test(unreachable_or_unreadable_address_is_told_to_the_operator),
	};

	start_or_skip(&pg);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
