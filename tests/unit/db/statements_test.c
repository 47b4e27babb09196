/* Every statement of db/sql against the schema the migrations make, as the service role. */
#include "db_test.h"

#include <ctype.h>
#include <dirent.h>

#include "db/db.h"
#include "db/migrate.h"
#include "db/statements.h"

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

/* Runs a statement that must work. */
static struct db_result *ask(const char *name, const struct db_param *params, unsigned count)
{
	struct db_result *rows = NULL;
	struct err err = {0};

	if (db_query(conn, name, params, count, &rows, &err) != ST_OK)
		fail_msg("%s: %s %s %s", name, err.code, err.target, err.message);
	return rows;
}

#define ASK(name, ...)                                                                             \
	ask(name, (const struct db_param[]){__VA_ARGS__},                                          \
	    COUNT(((const struct db_param[]){__VA_ARGS__})))
#define RUN(name, ...) db_result_free(ASK(name, __VA_ARGS__))

static enum status status_of(const char *name, const struct db_param *params, unsigned count,
			     struct err *err)
{
	*err = (struct err){0};
	return db_query(conn, name, params, count, NULL, err);
}

static const char *text_at(const struct db_result *rows, unsigned row, unsigned column)
{
	static char ring[8][256];
	static unsigned next;
	char *text = ring[next++ % 8];

	db_copy_text(rows, row, column, text, 256);
	return text;
}

static struct uuid add_agent(const char *login)
{
	struct uuid id = new_id();

	RUN("agent_insert", db_uuid(&id), db_uuid(&tenant), db_text(login), db_null(),
	    db_text("Ada Example"), db_text(login), db_text(""));
	return id;
}

/* An array of one, for the statements that take many rows. */
static struct db_param one_text(const char *text)
{
	static char ring[64][256];
	static unsigned next;
	char *array = ring[next++ % 64];

	snprintf(array, 256, text ? "{\"%s\"}" : "{NULL}", text);
	return db_text(array);
}

static struct db_param one_uuid(const struct uuid *uuid)
{
	return one_text(uuid && !uuid_is_nil(uuid) ? id_text(uuid) : NULL);
}

static struct db_param one_int(int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return one_text(text);
}

static struct db_param one_bool(bool value)
{
	return one_text(value ? "t" : "f");
}

static struct db_param one_time(int64_t unix_ms)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(text, unix_ms, true);
	return one_text(text);
}

static struct uuid add_call(int64_t created_ms)
{
	struct uuid id = new_id(), call_id = new_id(), writer = new_id();

	RUN("dialer_call_upsert", one_uuid(&id), one_uuid(&tenant), one_text("Spring"),
	    one_text("Grace Example"), one_text("contact"), one_text("c-1"), one_text(""),
	    one_text(""), one_text(""), one_text("+15551234567"), one_text("ccOutbound"),
	    one_text("retry"), one_text(NULL), one_text(NULL), one_int(2), one_int(1), one_int(1),
	    one_int(0), one_int(0), one_bool(false), one_text(""), one_time(created_ms + 60000),
	    one_bool(true), one_uuid(&call_id), one_int(1), one_uuid(&writer), one_int(1),
	    one_time(created_ms), one_time(created_ms));
	return id;
}

static struct uuid add_event(const struct uuid *dialer_call, const char *name, int64_t at_ms,
			     int64_t duration_ms)
{
	struct uuid id = new_id(), call_id = new_id();

	RUN("event_insert", one_uuid(&id), one_uuid(&tenant), one_uuid(dialer_call),
	    one_uuid(&call_id), one_text(name), one_text("ccOutbound"), one_text("+15551234567"),
	    duration_ms < 0 ? one_text(NULL) : one_int(duration_ms), one_text("agent"),
	    one_text("command"), one_int(16), one_time(at_ms));
	return id;
}

/* --- all of them --- */

/* With as many SQL NULLs as it has parameters: what is wrong with names, types or rights shows when
 * it is prepared. */
static void every_statement_can_be_prepared_by_the_service_role(void **state)
{
	const struct db_param nulls[32] = {0};

	(void)state;
	assert_true(db_statement_count > 40);
	for (unsigned i = 0; i < db_statement_count; i++) {
		struct err err;
		assert_int_equal(db_begin(conn, &err), ST_OK);
		enum status status =
			status_of(db_statements[i].name, nulls, db_statements[i].parameters, &err);
		/* null keys are refused as data, never as a defect */
		if (status != ST_OK && status != ST_INVALID)
			fail_msg("%s: %s %s", db_statements[i].name, err.code, err.message);
		db_rollback(conn);
	}
}

static void statements_are_found_by_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < db_statement_count; i++)
		assert_int_equal(db_statement_find(db_statements[i].name), i);
	assert_int_equal(db_statement_find("no_such"), -1);
	assert_int_equal(db_statement_find(""), -1);
}

static void every_migration_file_is_embedded(void **state)
{
	DIR *folder = opendir("migrations");
	struct dirent *found;
	unsigned files = 0, embedded = 0;

	(void)state;
	assert_non_null(folder); /* tests run in the root of the tree */
	while ((found = readdir(folder)))
		files += isdigit((unsigned char)found->d_name[0]) != 0;
	closedir(folder);
	while (migrations_embedded[embedded].version)
		embedded++;
	assert_int_equal(files, embedded);
}

/* The names are the wire's (docs/http-api.md). */
static void columns_bear_the_names_of_the_wire(void **state)
{
	static const struct {
		const char *statement, *columns;
	} sets[] = {
		{"dialer_call_list", "dialerCallId subject to phoneNumber direction status agent "
				     "agentName phoneCallId crmRecordRef calls "
				     "noAnswers busies connects aborts didConnect computedOutcome "
				     "retryOn createdOn modifiedOn "},
		{"event_list", "dialerCallEventId dialerCallId eventName direction phoneNumber "
			       "duration createdOn "},
		{"result_list", "dialerCallResultId dialerCallId agent agentName direction "
				"phoneNumber result subject comment createdOn "},
		{"agent_list", "agentId fullName extension state modifiedOn "},
		{"queue_list", "queueId name phoneNumber modifiedOn "},
		{"outcome_list", "outcomeId name isConnectXorAbort isAutomatic modifiedOn "},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(sets); i++) {
		char columns[512] = "";
		struct db_result *rows =
			ASK(sets[i].statement, db_uuid(&tenant), db_int(1), db_int(0));
		for (unsigned c = 0; c < db_columns(rows); c++) {
			strcat(columns, db_column_name(rows, c));
			strcat(columns, " ");
		}
		assert_string_equal(columns, sets[i].columns);
		db_result_free(rows);
	}
}

static void one_row_has_the_columns_of_the_list(void **state)
{
	static const char *const sets[][2] = {
		{"dialer_call_list", "dialer_call_get"},
		{"event_list", "event_get"},
		{"result_list", "result_get"},
		{"agent_list", "agent_get"},
		{"queue_list", "queue_get"},
		{"outcome_list", "outcome_get"},
	};
	struct uuid id = new_id();

	(void)state;
	for (unsigned i = 0; i < COUNT(sets); i++) {
		struct db_result *list = ASK(sets[i][0], db_uuid(&tenant), db_int(1), db_int(0));
		struct db_result *one = ASK(sets[i][1], db_uuid(&tenant), db_uuid(&id));
		assert_int_equal(db_columns(list), db_columns(one));
		for (unsigned c = 0; c < db_columns(list); c++) {
			assert_string_equal(db_column_name(list, c), db_column_name(one, c));
			assert_int_equal(db_column_type(list, c), db_column_type(one, c));
		}
		db_result_free(list);
		db_result_free(one);
	}
}

/* --- calls --- */

static void dialer_calls_are_listed_oldest_first_in_pages(void **state)
{
	struct uuid newer = add_call(1764000002000), older = add_call(1764000001000);

	(void)state;
	struct db_result *rows = ASK("dialer_call_list", db_uuid(&tenant), db_int(1), db_int(0));
	struct uuid first = db_get_uuid(rows, 0, 0);
	assert_int_equal(db_rows(rows), 1);
	assert_true(uuid_equal(&first, &older));
	assert_string_equal(text_at(rows, 0, 2), "Grace Example");
	assert_true(db_is_null(rows, 0, 6)); /* nobody's */
	assert_int_equal(db_get_int(rows, 0, 10), 2);
	assert_int_equal(db_get_time_ms(rows, 0, 18), 1764000001000);
	db_result_free(rows);
	rows = ASK("dialer_call_list", db_uuid(&tenant), db_int(10), db_int(1));
	first = db_get_uuid(rows, 0, 0);
	assert_int_equal(db_rows(rows), 1);
	assert_true(uuid_equal(&first, &newer));
	db_result_free(rows);
	rows = ASK("dialer_call_count", db_uuid(&tenant));
	assert_int_equal(db_get_int(rows, 0, 0), 2);
	db_result_free(rows);
}

static void another_tenant_sees_nothing(void **state)
{
	struct uuid call = add_call(1764000001000), other = new_id();

	(void)state;
	struct db_result *rows = ASK("dialer_call_list", db_uuid(&other), db_int(10), db_int(0));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	rows = ASK("dialer_call_get", db_uuid(&other), db_uuid(&call));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
}

/* M25: "durations sum to the call's length within a second", in whole seconds as they are shown. */
static void durations_of_a_call_add_up_to_its_length(void **state)
{
	const int64_t start = 1764000000900;
	const int64_t lengths[] = {1400, 1400, 1400, 1400, 1400, 100, 900};
	struct uuid call = add_call(start);
	int64_t at = start, sum = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(lengths); i++) {
		add_event(&call, "talk", at, lengths[i]);
		at += lengths[i];
	}
	add_event(&call, "idle", at, -1);
	struct db_result *rows =
		ASK("event_list_of_call", db_uuid(&tenant), db_uuid(&call), db_int(100), db_int(0));
	assert_int_equal(db_rows(rows), COUNT(lengths) + 1);
	for (unsigned i = 0; i < COUNT(lengths); i++)
		sum += db_get_int(rows, i, 5);
	assert_in_range(sum, 7, 9);			  /* 8.0 s */
	assert_true(db_is_null(rows, COUNT(lengths), 5)); /* still going on */
	db_result_free(rows);
}

static void event_is_closed_once(void **state)
{
	struct uuid call = add_call(1764000000000);
	struct uuid event = add_event(&call, "talk", 1764000000000, -1);

	(void)state;
	RUN("event_close", one_uuid(&event), one_int(5000));
	RUN("event_close", one_uuid(&event), one_int(9000));
	struct db_result *rows = ASK("event_get", db_uuid(&tenant), db_uuid(&event));
	assert_int_equal(db_get_int(rows, 0, 5), 5);
	db_result_free(rows);
}

static void new_attempt_gets_what_the_row_has(void **state)
{
	struct uuid call = add_call(1764000000000);

	(void)state;
	struct db_result *rows = ASK("dialer_call_for_attempt", db_uuid(&tenant), db_uuid(&call));
	assert_int_equal(db_rows(rows), 1);
	assert_string_equal(text_at(rows, 0, 1), "Spring");
	assert_string_equal(text_at(rows, 0, 2), "Grace Example");
	assert_string_equal(text_at(rows, 0, 5), "+15551234567");
	assert_string_equal(text_at(rows, 0, 6), "ccOutbound");
	assert_string_equal(text_at(rows, 0, 7), "retry");
	assert_int_equal(db_get_int(rows, 0, 9), 2);
	assert_int_equal(db_get_time_ms(rows, 0, 15), 1764000060000);
	assert_true(db_get_bool(rows, 0, 16));
	db_result_free(rows);
}

/* M24 */
static void integrator_writes_the_computed_outcome(void **state)
{
	struct uuid call = add_call(1764000000000), nobody = new_id();

	(void)state;
	struct db_result *rows = ASK("dialer_call_set_computed_outcome", db_uuid(&tenant),
				     db_uuid(&call), db_text("Won"));
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
	rows = ASK("dialer_call_get", db_uuid(&tenant), db_uuid(&call));
	assert_string_equal(text_at(rows, 0, 16), "Won");
	db_result_free(rows);
	rows = ASK("dialer_call_set_computed_outcome", db_uuid(&tenant), db_uuid(&nobody),
		   db_text("Won"));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
}

/* --- twice is once (docs/data.md) --- */

struct write {
	struct uuid call_id, writer_id;
	int version, record;
};

static bool is_taken(const struct uuid *dialer_call, const struct write *write)
{
	static int count;
	const char *subject = sql_format("write %d", ++count);
	int64_t now = clock_wall_ms(&clock_system);

	RUN("dialer_call_upsert", one_uuid(dialer_call), one_uuid(&tenant), one_text(subject),
	    one_text(""), one_text(""), one_text(""), one_text(""), one_text(""), one_text(""),
	    one_text(""), one_text("inbound"), one_text("open"), one_text(NULL), one_text(NULL),
	    one_int(0), one_int(0), one_int(0), one_int(0), one_int(0), one_bool(false),
	    one_text(""), one_text(NULL), one_bool(false), one_uuid(&write->call_id),
	    one_int(write->version), one_uuid(&write->writer_id), one_int(write->record),
	    one_time(now), one_time(now));
	struct db_result *rows = ASK("dialer_call_get", db_uuid(&tenant), db_uuid(dialer_call));
	bool is = strcmp(text_at(rows, 0, 1), subject) == 0;
	db_result_free(rows);
	return is;
}

static void dialer_call_is_written_by_what_is_newer(void **state)
{
	struct uuid row = new_id(), call = new_id(), other_call = new_id(), run = new_id(),
		    other_run = new_id();

	(void)state;
	assert_true(is_taken(&row, &(struct write){call, run, 5, 10}));
	/* in one run of the program the record's number decides, whatever call it is */
	assert_false(is_taken(&row, &(struct write){call, run, 5, 10}));
	assert_false(is_taken(&row, &(struct write){call, run, 9, 9}));
	assert_false(is_taken(&row, &(struct write){other_call, run, 9, 9}));
	assert_true(is_taken(&row, &(struct write){call, run, 4, 11}));
	/* between runs the call's version decides */
	assert_false(is_taken(&row, &(struct write){call, other_run, 4, 99}));
	assert_true(is_taken(&row, &(struct write){call, other_run, 5, 1}));
	/* but a new presentation begins again */
	assert_true(is_taken(&row, &(struct write){other_call, run, 1, 1}));
}

static void dialer_call_of_another_tenant_is_not_written(void **state)
{
	struct uuid row = add_call(1764000000000), mine = tenant;

	(void)state;
	tenant = new_id();
	pg_fixture_exec(owner,
			sql_format("insert into tenants values ('%s', 'other')", id_text(&tenant)));
	RUN("dialer_call_upsert", one_uuid(&row), one_uuid(&tenant), one_text("taken"),
	    one_text(""), one_text(""), one_text(""), one_text(""), one_text(""), one_text(""),
	    one_text(""), one_text("inbound"), one_text("open"), one_text(NULL), one_text(NULL),
	    one_int(0), one_int(0), one_int(0), one_int(0), one_int(0), one_bool(false),
	    one_text(""), one_text(NULL), one_bool(false), one_text(NULL), one_int(9),
	    one_text(NULL), one_int(9), one_time(1), one_time(1));
	struct db_result *rows = ASK("dialer_call_get", db_uuid(&mine), db_uuid(&row));
	assert_string_equal(text_at(rows, 0, 1), "Spring");
	db_result_free(rows);
}

static const char *state_after(const struct uuid *agent, const char *word, const struct uuid *run,
			       int record)
{
	RUN("agent_state_update", one_uuid(agent), one_uuid(&tenant), one_text(word), one_text(""),
	    one_time(1764000000000), one_uuid(run), one_int(record));
	struct db_result *rows = ASK("agent_get", db_uuid(&tenant), db_uuid(agent));
	const char *state = text_at(rows, 0, 3);
	db_result_free(rows);
	return state;
}

static void agent_state_is_written_by_what_is_newer(void **state)
{
	struct uuid agent = add_agent("1001"), run = new_id(), next_run = new_id();

	(void)state;
	assert_string_equal(state_after(&agent, "Ready", &run, 7), "Ready");
	assert_string_equal(state_after(&agent, "Away", &run, 6), "Ready");
	assert_string_equal(state_after(&agent, "Away", &run, 7), "Ready");
	assert_string_equal(state_after(&agent, "NotReady", &run, 8), "NotReady");
	assert_string_equal(state_after(&agent, "LoggedIn", &next_run, 1), "LoggedIn");
}

/* --- people --- */

static void login_and_extension_belong_to_one_agent(void **state)
{
	struct uuid id = new_id();
	struct err err;

	(void)state;
	add_agent("1001");
	const struct db_param same_login[] = {db_uuid(&id), db_uuid(&tenant), db_text("1001"),
					      db_null(),    db_text("B"),     db_text("2"),
					      db_text("")};
	assert_int_equal(status_of("agent_insert", same_login, COUNT(same_login), &err),
			 ST_CONFLICT);
	assert_string_equal(err.target, "agents_tenant_id_login_key");
	const struct db_param same_extension[] = {db_uuid(&id), db_uuid(&tenant), db_text("b"),
						  db_null(),	db_text("B"),	  db_text("1001"),
						  db_text("")};
	assert_int_equal(status_of("agent_insert", same_extension, COUNT(same_extension), &err),
			 ST_CONFLICT);
	assert_string_equal(err.target, "agents_tenant_id_extension_key");
}

static void disabled_agent_is_not_set_up_and_his_sessions_end(void **state)
{
	struct uuid agent = add_agent("1001"), session = new_id();

	(void)state;
	RUN("session_insert", db_uuid(&session), db_uuid(&tenant), db_uuid(&agent), db_text("ab01"),
	    db_time(2000000000000));
	RUN("agent_set_enabled", db_uuid(&tenant), db_text("1001"), db_bool(false));
	struct db_result *rows = ASK("setup_agents", db_uuid(&tenant));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	rows = ASK("session_by_token", db_text("ab01"), db_time(1764000000000));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
}

static void put_by_name_changes_what_is_there(void **state)
{
	struct uuid first = new_id(), second = new_id();

	(void)state;
	RUN("queue_upsert", db_uuid(&first), db_uuid(&tenant), db_text("Sales"), db_text("100"),
	    db_int(0), db_text(""));
	struct db_result *rows =
		ASK("queue_upsert", db_uuid(&second), db_uuid(&tenant), db_text("Sales"),
		    db_text("200"), db_int(20), db_text("https://example.org/script"));
	struct uuid id = db_get_uuid(rows, 0, 0);
	assert_true(uuid_equal(&id, &first));
	db_result_free(rows);
	rows = ASK("setup_queues", db_uuid(&tenant));
	assert_int_equal(db_rows(rows), 1);
	assert_string_equal(text_at(rows, 0, 2), "200");
	assert_int_equal(db_get_int(rows, 0, 3), 20);
	db_result_free(rows);
	RUN("contact_upsert", db_uuid(&first), db_uuid(&tenant), db_text("Grace Example"),
	    db_text("1"), db_text("lead"));
	RUN("contact_upsert", db_uuid(&second), db_uuid(&tenant), db_text("Grace Example"),
	    db_text("2"), db_text("lead"));
	rows = ASK("contact_by_number", db_uuid(&tenant), db_text("2"));
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
}

static void outcome(const char *name, const char *system_for, bool is_default, enum status expected)
{
	struct uuid id = new_id();
	struct err err;
	const struct db_param params[] = {
		db_uuid(&id),	db_uuid(&tenant),    db_text(name),
		db_bool(true),	db_text(system_for), db_bool(is_default),
		db_bool(false), db_int(0),	     db_int(5),
	};

	assert_int_equal(status_of("outcome_upsert", params, COUNT(params), &err), expected);
}

static void one_outcome_is_the_default_and_one_stands_for_a_meaning(void **state)
{
	(void)state;
	outcome("Sold", "", true, ST_OK);
	outcome("Not interested", "", true, ST_CONFLICT);
	outcome("Not interested", "", false, ST_OK);
	outcome("Nobody there", "noanswer", false, ST_OK);
	outcome("Silence", "noanswer", false, ST_CONFLICT);
	outcome("Odd", "sleeping", false, ST_INVALID);
}

/* --- access --- */

static void session_is_found_until_it_expires_or_ends(void **state)
{
	struct uuid agent = add_agent("1001"), session = new_id();

	(void)state;
	RUN("session_insert", db_uuid(&session), db_uuid(&tenant), db_uuid(&agent), db_text("ab01"),
	    db_time(5000));
	struct db_result *rows = ASK("session_by_token", db_text("ab01"), db_time(4999));
	assert_int_equal(db_rows(rows), 1);
	assert_string_equal(text_at(rows, 0, 3), "1001");
	assert_int_equal(db_get_time_ms(rows, 0, 6), 5000);
	db_result_free(rows);
	rows = ASK("session_by_token", db_text("ab01"), db_time(5000));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	rows = ASK("session_delete_expired", db_time(5000));
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
}

static void sign_in_link_works_once(void **state)
{
	struct uuid agent = add_agent("1001");

	(void)state;
	RUN("link_insert", db_text("cd02"), db_uuid(&tenant), db_uuid(&agent), db_time(5000));
	struct db_result *rows = ASK("link_take", db_text("cd02"), db_time(4000));
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
	rows = ASK("link_take", db_text("cd02"), db_time(4000));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	RUN("link_insert", db_text("cd03"), db_uuid(&tenant), db_uuid(&agent), db_time(5000));
	rows = ASK("link_take", db_text("cd03"),
		   db_time(5000)); /* too late, and used up all the same */
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	assert_string_equal(pg_fixture_value(owner, "select count(*) from sign_in_links"), "0");
}

static void revoked_key_is_not_found_and_its_name_is_free(void **state)
{
	struct uuid id = new_id(), next = new_id();

	(void)state;
	RUN("key_insert", db_uuid(&id), db_uuid(&tenant), db_text("crm"), db_text("ct_1"),
	    db_text("ff00"), db_text("calls.read dial"), db_null());
	struct db_result *rows = ASK("key_by_prefix", db_text("ct_1"), db_time(1764000000000));
	assert_int_equal(db_rows(rows), 1);
	assert_string_equal(text_at(rows, 0, 3), "ff00");
	assert_string_equal(text_at(rows, 0, 4), "calls.read dial");
	db_result_free(rows);
	RUN("key_revoke", db_uuid(&tenant), db_text("crm"), db_time(1764000000000));
	rows = ASK("key_by_prefix", db_text("ct_1"), db_time(1764000000001));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	RUN("key_insert", db_uuid(&next), db_uuid(&tenant), db_text("crm"), db_text("ct_2"),
	    db_text("ff01"), db_text("calls.read"), db_time(1764000005000));
	rows = ASK("key_by_prefix", db_text("ct_2"), db_time(1764000005000));
	assert_int_equal(db_rows(rows), 0); /* expired */
	db_result_free(rows);
	rows = ASK("key_list", db_uuid(&tenant));
	assert_int_equal(db_rows(rows), 2);
	db_result_free(rows);
}

/* --- sounds --- */

static struct db_result *put_sound(const char *name, const void *body, size_t length, int64_t most)
{
	static const char hash[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

	return ASK("sound_put", db_uuid(&tenant), db_text(name), db_bytes(body, length),
		   db_int(1500), db_text(hash), db_int(most));
}

static void sound_is_put_under_its_name_byte_for_byte(void **state)
{
	static const char body[] = "RIFF\0\xff\x80'\\x";
	size_t length;

	(void)state;
	db_result_free(put_sound("hello", "old", 3, 10));
	struct db_result *rows = put_sound("hello", body, sizeof body, 10);
	assert_int_equal(db_rows(rows), 1);
	assert_false(db_get_bool(rows, 0, 0));
	db_result_free(rows);
	rows = ASK("sound_get", db_uuid(&tenant), db_text("hello"));
	const char *found = db_get_text(rows, 0, 0, &length);
	assert_int_equal(length, sizeof body);
	assert_memory_equal(found, body, sizeof body);
	db_result_free(rows);
	rows = ASK("sound_delete", db_uuid(&tenant), db_text("hello"));
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
	rows = ASK("sound_get", db_uuid(&tenant), db_text("hello"));
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
}

static void sounds_are_as_many_as_may_be_and_known_ones_are_replaced(void **state)
{
	(void)state;
	db_result_free(put_sound("a", "1", 1, 2));
	db_result_free(put_sound("b", "2", 1, 2));
	struct db_result *rows = put_sound("c", "3", 1, 2);
	assert_int_equal(db_rows(rows), 0);
	db_result_free(rows);
	rows = put_sound("b", "4", 1, 2);
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
	rows = ASK("sound_list", db_uuid(&tenant));
	assert_int_equal(db_rows(rows), 2);
	assert_string_equal(text_at(rows, 1, 0), "b");
	db_result_free(rows);
	rows = ASK("setup_sounds", db_uuid(&tenant), db_int(1));
	assert_int_equal(db_rows(rows), 1);
	db_result_free(rows);
}

/* --- what the service role may not do --- */

static void service_role_can_do_nothing_but_rows(void **state)
{
	static const char *const forbidden[] = {
		"create table t (a int)",
		"create schema s",
		"create view v as select 1",
		"create function f() returns int language sql as 'select 1'",
		"create index i on dialer_calls (subject)",
		"alter table dialer_calls add column x int",
		"alter table agents disable trigger all",
		"drop table dialer_calls",
		"drop table schema_migrations",
		"truncate dialer_calls cascade",
		"truncate dialer_call_events",
		"truncate sessions",
		"delete from dialer_calls",
		"delete from dialer_call_events",
		"delete from dialer_call_results",
		"delete from tenants",
		"update dialer_call_results set result = 'x'",
		"update dialer_call_events set event_name = 'x'",
		"update tenants set name = 'x'",
		"insert into tenants values (gen_random_uuid(), 'x')",
		"insert into schema_migrations values ('1')",
		"delete from schema_migrations",
		"update schema_migrations set version = '1'",
		"create role r",
		"grant calltab_service to owner",
		"copy dialer_calls to program 'true'",
		"set session_replication_role = replica",
		"select pg_read_file('/etc/passwd')",
		"create extension pgcrypto",
		"set role owner",
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(forbidden); i++) {
		const char *sqlstate = pg_fixture_sqlstate(gateway, forbidden[i]);
		if (strcmp(sqlstate, "42501") != 0)
			fail_msg("%s: SQLSTATE \"%s\"", forbidden[i], sqlstate);
	}
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(every_statement_can_be_prepared_by_the_service_role),
		cmocka_unit_test(statements_are_found_by_name),
		cmocka_unit_test(every_migration_file_is_embedded),
		test(columns_bear_the_names_of_the_wire),
		test(one_row_has_the_columns_of_the_list),
		test(dialer_calls_are_listed_oldest_first_in_pages),
		test(another_tenant_sees_nothing),
		test(durations_of_a_call_add_up_to_its_length),
		test(event_is_closed_once),
		test(new_attempt_gets_what_the_row_has),
		test(integrator_writes_the_computed_outcome),
		test(dialer_call_is_written_by_what_is_newer),
		test(dialer_call_of_another_tenant_is_not_written),
		test(agent_state_is_written_by_what_is_newer),
		test(login_and_extension_belong_to_one_agent),
		test(disabled_agent_is_not_set_up_and_his_sessions_end),
		test(put_by_name_changes_what_is_there),
		test(one_outcome_is_the_default_and_one_stands_for_a_meaning),
		test(session_is_found_until_it_expires_or_ends),
		test(sign_in_link_works_once),
		test(revoked_key_is_not_found_and_its_name_is_free),
		test(sound_is_put_under_its_name_byte_for_byte),
		test(sounds_are_as_many_as_may_be_and_known_ones_are_replaced),
		test(service_role_can_do_nothing_but_rows),
	};

	start_or_skip(&pg);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
