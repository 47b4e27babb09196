/* Migrations against a real PostgreSQL: whole or not at all, alone, and back. */
#include "db_test.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"
#include "db/migrate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct pg_fixture pg;
static char owner[PG_CONNINFO_SIZE], folder[128];
static unsigned embedded;

/* --- what was said --- */

static char said[4096];

static void hear(void *user, const char *line)
{
	(void)user;
	if (strlen(said) + strlen(line) + 2 < sizeof(said)) {
		strcat(said, line);
		strcat(said, "\n");
	}
}

/* --- files --- */

static void write_file(const char *name, const char *text)
{
	char path[256];

	str_format(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	pg_fixture_database(&pg, false, owner);
	str_format(folder, sizeof(folder), "%s/migrations-%u", pg.folder, pg.databases);
	said[0] = '\0';
	return mkdir(folder, 0755);
}

static struct migrate_options embedded_files(void)
{
	return (struct migrate_options){.conninfo = owner, .on_progress = hear};
}

static struct migrate_options own_files(void)
{
	return (struct migrate_options){
		.conninfo = owner, .directory = folder, .on_progress = hear};
}

static unsigned up(struct migrate_options options)
{
	struct err err = {0};
	unsigned applied = 99;

	if (migrate_up(&options, &applied, &err) != ST_OK)
		fail_msg("%s: %s", err.code, err.message);
	return applied;
}

static unsigned down(struct migrate_options options, unsigned steps)
{
	struct err err = {0};
	unsigned undone = 99;

	options.steps = steps;
	if (migrate_down(&options, &undone, &err) != ST_OK)
		fail_msg("%s: %s", err.code, err.message);
	return undone;
}

static enum status fails(struct migrate_options options, struct err *err)
{
	unsigned applied;

	*err = (struct err){0};
	return migrate_up(&options, &applied, err);
}

static enum migrate_state check(const char *conninfo, struct err *err)
{
	enum migrate_state found = (enum migrate_state)99;
	enum status status = migrate_check(conninfo, &found, err);

	assert_int_equal(status, found == MIGRATE_CURRENT ? ST_OK : ST_CONFLICT);
	return found;
}

static const char *versions(void)
{
	return pg_fixture_value(
		owner, "select string_agg(version, ',' order by version) from schema_migrations");
}

/* --- tests --- */

static void schema_goes_up_once(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(check(owner, &err), MIGRATE_EMPTY);
	assert_non_null(strstr(err.message, "calltab migrate up"));
	assert_int_equal(up(embedded_files()), embedded);
	assert_non_null(strstr(said, "up 20261122090000_call_records.sql "));
	assert_int_equal(check(owner, &err), MIGRATE_CURRENT);
	assert_int_equal(up(embedded_files()), 0);
	assert_string_equal(pg_fixture_value(owner, "select count(*) from tenants"), "1");
}

static void remember_row(void *user, const char *name, bool is_applied)
{
	char *rows = user;

	strcat(rows, is_applied ? "[X] " : "[ ] ");
	strcat(rows, name);
	strcat(rows, "\n");
}

static void status_tells_and_changes_nothing(void **state)
{
	struct migrate_options options = own_files();
	char rows[256] = "";
	struct err err;
	unsigned pending;

	(void)state;
	write_file("1_a.sql", "-- migrate:up\ncreate table a();\n-- migrate:down\ndrop table a;\n");
	write_file("2_b.sql", "-- migrate:up\ncreate table b();\n-- migrate:down\ndrop table b;\n");
	assert_int_equal(migrate_status(&options, remember_row, rows, &pending, &err), ST_OK);
	assert_int_equal(pending, 2);
	assert_string_equal(rows, "[ ] 1_a.sql\n[ ] 2_b.sql\n");
	assert_string_equal(
		pg_fixture_value(owner, "select to_regclass('schema_migrations') is null"), "t");
	options.to_version = "1";
	up(options);
	rows[0] = '\0';
	assert_int_equal(migrate_status(&options, remember_row, rows, &pending, &err), ST_OK);
	assert_string_equal(rows, "[X] 1_a.sql\n[ ] 2_b.sql\n");
}

static void dump(char **ret)
{
	char command[600];
	size_t size = 0, got;

	/* Newer ones write a random key into the dump unless they are given one. */
	str_format(command, sizeof(command),
		   "%s/pg_dump --schema-only --restrict-key=x -d '%s' 2>/dev/null || %s/pg_dump "
		   "--schema-only -d '%s'",
		   pg.bindir, owner, pg.bindir, owner);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	*ret = malloc(1 << 20);
	while ((got = fread(*ret + size, 1, (1 << 20) - 1 - size, pipe)) > 0)
		size += got;
	(*ret)[size] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_true(size > 500);
}

/* Every down really undoes its up. */
static void every_migration_can_be_undone_without_a_trace(void **state)
{
	(void)state;
	up(embedded_files());
	assert_int_equal(down(embedded_files(), 100), embedded);
	for (unsigned i = 0; i < embedded; i++) {
		struct migrate_options options = embedded_files();
		char *before, *after;
		dump(&before);
		options.to_version = migrations_embedded[i].version;
		assert_int_equal(up(options), 1);
		assert_int_equal(down(embedded_files(), 1), 1);
		dump(&after);
		assert_string_equal(before, after);
		assert_int_equal(up(options), 1);
		free(before);
		free(after);
	}
}

struct runner {
	struct migrate_options options;
	enum status status;
	unsigned applied;
	struct err err;
};

static void *run_up(void *arg)
{
	struct runner *runner = arg;

	runner->status = migrate_up(&runner->options, &runner->applied, &runner->err);
	return NULL;
}

static void two_at_once(struct migrate_options options, unsigned files)
{
	struct runner runners[2] = {{.options = options}, {.options = options}};
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		runners[i].options.on_progress = NULL;
		assert_int_equal(pthread_create(&threads[i], NULL, run_up, &runners[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		if (runners[i].status != ST_OK)
			fail_msg("%s", runners[i].err.message);
	}
	assert_int_equal(runners[0].applied + runners[1].applied, files);
}

static void two_runs_at_once_both_succeed(void **state)
{
	(void)state;
	two_at_once(embedded_files(), embedded);
}

/* It waits for every snapshot in the database: had the other run waited for the lock inside
 * PostgreSQL, neither would ever end. */
static void concurrent_index_is_not_blocked_by_a_waiting_run(void **state)
{
	(void)state;
	write_file("1.sql", "-- migrate:up\ncreate table t (a int); select pg_sleep(0.2);\n-- "
			    "migrate:down\ndrop table t;\n");
	write_file("2.sql", "-- migrate:up transaction:false\ncreate index concurrently i on t "
			    "(a);\n-- migrate:down\n");
	two_at_once(own_files(), 2);
}

static void failing_file_leaves_nothing_and_names_its_place(void **state)
{
	struct err err;

	(void)state;
	write_file("1_good.sql",
		   "-- migrate:up\ncreate table good();\n-- migrate:down\ndrop table good;\n");
	write_file("2_bad.sql", "-- why\n-- migrate:up\ncreate table half();\n\tinsert into "
				"gr\xc3\xbcn values (1);\n"
				"-- migrate:down\n");
	assert_int_equal(fails(own_files(), &err), ST_CONFLICT);
	assert_string_equal(err.code, "migrate.failed");
	assert_non_null(
		strstr(err.message, "2_bad.sql:4:14: relation \"gr\xc3\xbcn\" does not exist"));
	assert_non_null(strstr(said, "\tinsert into gr\xc3\xbcn values (1);\n\t            ^\n"));
	assert_string_equal(versions(), "1");
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('half') is null"), "t");
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('good') is null"), "f");
}

/* PostgreSQL gives no position for these. */
static void error_without_a_position_gets_that_of_its_statement(void **state)
{
	struct err err;

	(void)state;
	write_file("1.sql",
		   "-- migrate:up\ncreate table t();\n\n  create table t();\n-- migrate:down\n");
	assert_int_equal(fails(own_files(), &err), ST_CONFLICT);
	assert_non_null(strstr(err.message, "1.sql:4:3: relation \"t\" already exists"));
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('t') is null"), "t");
}

static void connection_that_breaks_in_the_middle_leaves_nothing(void **state)
{
	struct err err;

	(void)state;
	write_file(
		"1.sql",
		"-- migrate:up\ncreate table t(); select pg_terminate_backend(pg_backend_pid());\n"
		"-- migrate:down\n");
	assert_int_not_equal(fails(own_files(), &err), ST_OK);
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('t') is null"), "t");
	assert_string_equal(versions(), "");
}

static void failing_undo_leaves_everything(void **state)
{
	struct migrate_options options = own_files();
	struct err err;
	unsigned undone;

	(void)state;
	write_file("1.sql", "-- migrate:up\ncreate table t();\n-- migrate:down\ndrop table t; drop "
			    "table no_such;\n");
	up(options);
	assert_int_equal(migrate_down(&options, &undone, &err), ST_CONFLICT);
	assert_int_equal(undone, 0);
	assert_string_equal(versions(), "1");
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('t') is null"), "f");
}

static void broken_file_is_found_before_anything_runs(void **state)
{
	struct err err;

	(void)state;
	write_file("1.sql", "-- migrate:up\ncreate table t();\n-- migrate:down\ndrop table t;\n");
	write_file("2.sql", "-- migrate:up\nbegin;\n-- migrate:down\n");
	assert_int_equal(fails(own_files(), &err), ST_INVALID);
	assert_non_null(strstr(err.message, "2.sql:2:1: begin, commit"));
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('t') is null"), "t");
	write_file("2.sql", "-- migrate:up\n-- migrate:down\n");
	write_file("2_again.sql", "-- migrate:up\n-- migrate:down\n");
	assert_int_equal(fails(own_files(), &err), ST_INVALID);
	assert_non_null(strstr(err.message, "same version 2"));
}

static void files_go_in_byte_order_and_late_ones_are_not_forgotten(void **state)
{
	(void)state;
	write_file("0002.sql",
		   "-- migrate:up\ncreate table b();\n-- migrate:down\ndrop table b;\n");
	write_file("10.sql", "-- migrate:up\nalter table b rename to c;\n-- migrate:down\nalter "
			     "table c rename to b;\n");
	write_file("9.sql", "-- migrate:up\ndrop table c;\n-- migrate:down\ncreate table c();\n");
	write_file("notes.txt", "not a migration");
	assert_int_equal(up(own_files()), 3);
	write_file("0001.sql",
		   "-- migrate:up\ncreate table late();\n-- migrate:down\ndrop table late;\n");
	assert_int_equal(up(own_files()), 1);
	assert_int_equal(down(own_files(), 1), 1); /* the highest name, not the last applied */
	assert_string_equal(versions(), "0001,0002,10");
	assert_int_equal(down(own_files(), 9), 3);
	assert_string_equal(versions(), "");
}

static void statement_outside_a_transaction_is_recorded(void **state)
{
	(void)state;
	write_file("1.sql",
		   "-- migrate:up\ncreate table t (a int);\n-- migrate:down\ndrop table t;\n");
	write_file("2.sql",
		   "-- migrate:up transaction:false\ncreate index concurrently i on t (a);\n"
		   "-- migrate:down transaction:false\ndrop index concurrently i;\n");
	assert_int_equal(up(own_files()), 2);
	assert_string_equal(versions(), "1,2");
	assert_int_equal(down(own_files(), 1), 1);
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('i') is null"), "t");
}

static void up_stops_where_it_is_told(void **state)
{
	struct migrate_options options = embedded_files();
	struct err err;

	(void)state;
	options.to_version = migrations_embedded[0].version;
	assert_int_equal(up(options), 1);
	assert_int_equal(check(owner, &err), MIGRATE_BEHIND);
	assert_non_null(strstr(err.message, "calltab migrate up"));
	options.to_version = "12345";
	assert_int_equal(fails(options, &err), ST_NOT_FOUND);
	assert_string_equal(err.code, "migrate.version");
}

static void newer_database_is_refused(void **state)
{
	struct migrate_options options = embedded_files();
	struct err err;
	unsigned undone;

	(void)state;
	up(options);
	pg_fixture_exec(owner, "insert into schema_migrations values ('99991231000000')");
	assert_int_equal(check(owner, &err), MIGRATE_AHEAD);
	assert_non_null(strstr(err.message, "99991231000000"));
	assert_non_null(strstr(err.message, "calltab migrate down"));
	assert_int_equal(fails(options, &err), ST_CONFLICT);
	assert_string_equal(err.code, "migrate.newer");
	assert_int_equal(migrate_down(&options, &undone, &err), ST_CONFLICT);
	assert_int_equal(undone, 0);
}

static void service_role_may_check_and_not_migrate(void **state)
{
	char gateway[PG_CONNINFO_SIZE];
	struct migrate_options options = embedded_files();
	struct err err;

	(void)state;
	pg_fixture_as(owner, "gateway", gateway);
	options.conninfo = gateway;
	assert_int_equal(fails(options, &err), ST_UNAVAILABLE);
	assert_non_null(strstr(err.message, "permission denied"));
	up(embedded_files());
	assert_int_equal(check(gateway, &err), MIGRATE_CURRENT);
	options = embedded_files();
	assert_int_equal(down(options, embedded - 1), embedded - 1);
	enum migrate_state found;
	assert_int_not_equal(migrate_check(gateway, &found, &err),
			     ST_OK); /* its rights went with the file */
	assert_non_null(strstr(err.message, "permission denied"));
}

/* One URL for calltab and dbmate (docs/migrations.md). */
static void schema_of_the_search_path_is_used(void **state)
{
	char inside[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];
	struct migrate_options options = embedded_files();
	struct err err;

	(void)state;
	pg_fixture_exec(owner, "create schema calltab");
	str_format(inside, sizeof(inside), "%s options=-csearch_path=calltab", owner);
	options.conninfo = inside;
	assert_int_equal(up(options), embedded);
	assert_string_equal(
		pg_fixture_value(owner, "select count(*) from calltab.schema_migrations"),
		sql_format("%u", embedded));
	assert_string_equal(pg_fixture_value(owner, "select to_regclass('public.agents') is null"),
			    "t");
	pg_fixture_as(inside, "gateway", gateway);
	assert_int_equal(check(gateway, &err), MIGRATE_CURRENT);
	assert_int_equal(down(options, 100), embedded);
}

/* --- side by side with dbmate itself, which is one of the test's npm packages --- */

#define DBMATE "node_modules/@dbmate/linux-x64/bin/dbmate"

static int dbmate(const char *command, char *output, size_t size)
{
	char line[700], database[32];
	size_t used = 0, got;

	if (access(DBMATE, X_OK) != 0) {
		print_message("# needs the npm package @dbmate/linux-x64\n");
		skip();
	}
	str_format(database, sizeof(database), "test%u", pg.databases);
	str_format(line, sizeof(line),
		   DBMATE " --url 'postgres://owner@/%s?socket=%s&sslmode=disable' -d %s "
			  "--no-dump-schema %s 2>&1",
		   database, pg.folder, "migrations", command);
	FILE *pipe = popen(line, "r");
	assert_non_null(pipe);
	while ((got = fread(output + used, 1, size - 1 - used, pipe)) > 0)
		used += got;
	output[used] = '\0';
	int how = pclose(pipe);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void dbmate_must(const char *command, const char *expected)
{
	char output[4096];

	if (dbmate(command, output, sizeof(output)) != 0 || !strstr(output, expected))
		fail_msg("dbmate %s: %s", command, output);
}

static void what_calltab_applied_dbmate_takes_as_applied(void **state)
{
	(void)state;
	up(embedded_files());
	dbmate_must("status", "Pending: 0");
	dbmate_must("down", "Rolled back: ");
	assert_int_equal(up(embedded_files()), 1);
	assert_int_equal(down(embedded_files(), 100), embedded);
	dbmate_must("status", "Applied: 0");
}

static void what_dbmate_applied_calltab_takes_as_applied(void **state)
{
	struct err err;

	(void)state;
	dbmate_must("up", "Applied: ");
	assert_int_equal(check(owner, &err), MIGRATE_CURRENT);
	assert_int_equal(up(embedded_files()), 0);
	assert_int_equal(down(embedded_files(), 100), embedded);
	dbmate_must("status", "Applied: 0");
}

static void the_two_take_turns(void **state)
{
	struct migrate_options options = embedded_files();

	(void)state;
	options.to_version = migrations_embedded[0].version;
	assert_int_equal(up(options), 1);
	dbmate_must("up", migrations_embedded[1].name);
	assert_int_equal(up(embedded_files()), 0);
	assert_int_equal(down(embedded_files(), embedded - 1), embedded - 1);
	dbmate_must("rollback", migrations_embedded[0].name);
	dbmate_must("status", "Applied: 0");
}

static void database_that_is_away_is_told_with_the_reason(void **state)
{
	enum migrate_state found;
	struct err err;

	(void)state;
	assert_int_equal(migrate_check("host=/nonexistent", &found, &err), ST_UNAVAILABLE);
	assert_non_null(strstr(err.message, "/nonexistent"));
}

#define test(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(schema_goes_up_once),
		test(status_tells_and_changes_nothing),
		test(every_migration_can_be_undone_without_a_trace),
		test(two_runs_at_once_both_succeed),
		test(concurrent_index_is_not_blocked_by_a_waiting_run),
		test(failing_file_leaves_nothing_and_names_its_place),
		test(error_without_a_position_gets_that_of_its_statement),
		test(connection_that_breaks_in_the_middle_leaves_nothing),
		test(failing_undo_leaves_everything),
		test(broken_file_is_found_before_anything_runs),
		test(files_go_in_byte_order_and_late_ones_are_not_forgotten),
		test(statement_outside_a_transaction_is_recorded),
		test(up_stops_where_it_is_told),
		test(newer_database_is_refused),
		test(service_role_may_check_and_not_migrate),
		test(schema_of_the_search_path_is_used),
		test(what_calltab_applied_dbmate_takes_as_applied),
		test(what_dbmate_applied_calltab_takes_as_applied),
		test(the_two_take_turns),
		cmocka_unit_test(database_that_is_away_is_told_with_the_reason),
	};

	start_or_skip(&pg);
	while (migrations_embedded[embedded].version)
		embedded++;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
