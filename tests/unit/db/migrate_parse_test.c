/* dbmate's rules and our refusals, file by file; then bytes of all kinds. */
#include "db_test.h"

#include "db/migrate_parse.h"
#include "db/sql_scan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UP	     "-- migrate:up\n"
#define DOWN	     "-- migrate:down\n"

static enum status parse(const char *text, struct migration *ret, struct migrate_fault *fault)
{
	return migrate_parse(text, strlen(text), ret, fault);
}

static void files_that_dbmate_takes_are_taken(void **state)
{
	static const char *const good[] = {
		UP "create table t (a int);\n" DOWN "drop table t;\n",
		UP DOWN, /* both blocks may be empty */
		"-- why\n\n  -- and more\n" UP "select 1;\n" DOWN,
		"--migrate:up\nselect 1;\n--migrate:down\n",
		"--\tmigrate:up\nselect 1;\n--   migrate:down",
		"-- migrate:up\r\nselect 1;\r\n-- migrate:down\r\nselect 2;\r\n",
		"-- migrate:up transaction:false\ncreate index concurrently i on t (a);\n" DOWN,
		"-- migrate:up transaction:true\nselect 1; select 2;\n-- migrate:down   "
		"transaction:false  \nselect 1;",
		UP "insert into t values ('a;b', E'it\\'s;', \"c;d\", $$e;f$$, $tag$ g;$$;h "
		   "$tag$); -- i;j\n/* k;l /* m; */ n;*/\n" DOWN,
		UP "do $$ begin perform 1; commit; end $$;\n" DOWN, /* inside a body it is not ours
								       to judge */
		UP "savepoint s; rollback to s; rollback work to savepoint s; release s;\n" DOWN,
		UP "create function f() returns int begin atomic select case when true then 1 end; "
		   "select 2; end; select 3;\n" DOWN,
		UP "copy t from '/tmp/file'; copy (select * from stdin) to '/tmp/x';\n" DOWN,
		UP
		"select 'migrate:up'; -- see migrate:down\n  -- migrate:down\n" DOWN, /* only at the
											 start of a
											 line */
		UP "-- migrate:upward\nselect 1;\n" DOWN, /* another word */
		UP "select $1, a$b$c from gr\xc3\xbcn;\n" DOWN,
		UP "create rule r as on insert to t do also (select 1; select 2);\n" DOWN,
	};
	struct migration migration;
	struct migrate_fault fault;

	(void)state;
	for (unsigned i = 0; i < COUNT(good); i++)
		if (parse(good[i], &migration, &fault) != ST_OK)
			fail_msg("%s\n%u:%u %s", good[i], fault.line, fault.column, fault.message);
}

static void others_are_refused_with_the_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *message;
	} bad[] = {
		{"", 1, 1, "no \"-- migrate:up\""},
		{"select 1;\n" UP DOWN, 1, 1, "only -- comments"},
		{"-- x\n/* y */\n" UP DOWN, 2, 1, "only -- comments"},
		{UP "select 1;\n", 2, 1, "no \"-- migrate:down\""},
		{DOWN UP, 1, 1, "migrate:up comes before"},
		{UP DOWN UP DOWN, 3, 1, "migrate:up comes before"},
		{UP UP DOWN, 2, 1, "a second migrate:up"},
		{UP DOWN "\n" DOWN, 4, 1, "a second migrate:down"},
		{" -- migrate:up\n" DOWN, 2, 1, "migrate:up comes before"},
		{"-- Migrate:Up\n" DOWN, 2, 1, "migrate:up comes before"},
		{"-- migrate:up transaction:off\n" DOWN, 1, 15,
		 "unknown option \"transaction:off\""},
		{UP "-- migrate:down transaction:False\n", 2, 17, "unknown option"},
		{"-- migrate:up transaction:false\nselect 1;\nselect 2;\n" DOWN, 3, 1,
		 "exactly one statement"},
		{"-- migrate:up transaction:false\n" DOWN, 1, 1, "there is none"},
		{UP "begin;\nselect 1;\n" DOWN, 2, 1, "begin, commit and rollback"},
		{UP "select 1;\n  COMMIT ;\n" DOWN, 3, 3, "begin, commit and rollback"},
		{UP "select 1; start transaction;\n" DOWN, 2, 11, "begin, commit and rollback"},
		{UP "rollback;\n" DOWN, 2, 1, "begin, commit and rollback"},
		{UP "/* x */ end;\n" DOWN, 2, 9, "begin, commit and rollback"},
		{UP "abort;\n" DOWN, 2, 1, "begin, commit and rollback"},
		{UP "prepare transaction 'x';\n" DOWN, 2, 1, "begin, commit and rollback"},
		{UP DOWN "\ncommit;\n", 4, 1, "begin, commit and rollback"},
		{UP "copy t (a) from stdin;\n1\n\\.\n" DOWN, 2, 1, "copy from stdin"},
		{UP "COPY t FROM STDIN with csv;\n" DOWN, 2, 1, "copy from stdin"},
		{UP "select 1;\n\\d t\n" DOWN, 3, 1, "backslash"},
		{UP "select 'a;\n" DOWN, 2, 8, "no end"},
		{UP "select 1; $x$ ;\n" DOWN, 2, 11, "no end"},
		{UP "select 1; /* /* */ ;\n" DOWN, 2, 11, "no end"},
		{UP "select \"a;\n" DOWN, 2, 8, "no end"},
		{UP "select '\xff';\n" DOWN, 1, 1, "UTF-8"},
		{UP "-- gr\xc3\xbcn\ninsert into gr\xc3\xbcn; commit;\n" DOWN, 3, 19,
		 "begin, commit"}, /* in characters */
	};
	struct migration migration = {0};
	struct migrate_fault fault;

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		if (parse(bad[i].text, &migration, &fault) != ST_INVALID)
			fail_msg("taken: %s", bad[i].text);
		if (fault.line != bad[i].line || fault.column != bad[i].column ||
		    !strstr(fault.message, bad[i].message))
			fail_msg("%s\n%u:%u %s", bad[i].text, fault.line, fault.column,
				 fault.message);
	}
	assert_null(migration.up.sql);
}

static void blocks_are_what_dbmate_sends(void **state)
{
	const char *text = "-- why\n" UP "select 1;\n" DOWN "select 2;\n";
	struct migration migration;
	struct migrate_fault fault;

	(void)state;
	assert_int_equal(parse(text, &migration, &fault), ST_OK);
	assert_int_equal(migration.up.length, strlen(UP "select 1;\n"));
	assert_memory_equal(migration.up.sql, UP "select 1;\n", migration.up.length);
	assert_int_equal(migration.up.line, 2);
	assert_int_equal(migration.down.length, strlen(DOWN "select 2;\n"));
	assert_memory_equal(migration.down.sql, DOWN "select 2;\n", migration.down.length);
	assert_int_equal(migration.down.line, 4);
	assert_true(migration.up.in_transaction && migration.down.in_transaction);
}

static void option_belongs_to_its_block(void **state)
{
	struct migration migration;
	struct migrate_fault fault;

	(void)state;
	assert_int_equal(parse("-- migrate:up transaction:false\nvacuum;\n" DOWN "select 1;",
			       &migration, &fault),
			 ST_OK);
	assert_false(migration.up.in_transaction);
	assert_true(migration.down.in_transaction);
}

static void too_long_or_binary_text_is_refused(void **state)
{
	static char text[MIGRATION_SIZE_MAX + 1];
	struct migration migration;
	struct migrate_fault fault;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, UP DOWN, strlen(UP DOWN));
	assert_int_equal(migrate_parse(text, MIGRATION_SIZE_MAX, &migration, &fault), ST_OK);
	assert_int_equal(migrate_parse(text, MIGRATION_SIZE_MAX + 1, &migration, &fault),
			 ST_INVALID);
	text[100] = '\0';
	assert_int_equal(migrate_parse(text, MIGRATION_SIZE_MAX, &migration, &fault), ST_INVALID);
	assert_non_null(strstr(fault.message, "NUL"));
}

static void version_is_the_leading_digits(void **state)
{
	static const struct {
		const char *name, *version; /* NULL: no migration */
	} names[] = {
		{"20261122090000_call_records.sql", "20261122090000"},
		{"0002.sql", "0002"},
		{"7x.sql", "7"},
		{"x7.sql", NULL},
		{"7.txt", NULL},
		{"7", NULL},
		{".sql", NULL},
		{"", NULL},
		{"7.sql~", NULL},
		{"1111111111111111111111111111111111111111111111111111111111111111.sql", NULL},
	};
	char version[MIGRATION_VERSION_SIZE];

	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++) {
		assert_int_equal(migrate_parse_name(names[i].name, version),
				 names[i].version != NULL);
		if (names[i].version)
			assert_string_equal(version, names[i].version);
	}
}

static void statement_is_found_by_its_number(void **state)
{
	const char *sql = UP "select 1; -- a;\n\n  ;;select 'x;';\nselect 3";
	struct migration_block block = {.sql = sql, .length = strlen(sql)};

	(void)state;
	assert_int_equal(migrate_statement_at(&block, 0), strstr(sql, "select 1") - sql);
	assert_int_equal(migrate_statement_at(&block, 1), strstr(sql, "select 'x") - sql);
	assert_int_equal(migrate_statement_at(&block, 2), strstr(sql, "select 3") - sql);
	assert_int_equal(migrate_statement_at(&block, 3), 0);
}

/* Any mixture of the pieces that matter: no crash, no endless loop, and what is taken obeys the
 * rules. */
static uint64_t random_state = 1;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

static size_t random_text(char *text, size_t size)
{
	static const char *const pieces[] = {
		UP,
		DOWN,
		"-- migrate:up transaction:false\n",
		"-- migrate:down x:y\n",
		"'",
		"\"",
		"$$",
		"$a$",
		"$1",
		"/*",
		"*/",
		"--",
		"\n",
		"\r\n",
		";",
		"(",
		")",
		"\\",
		"e'",
		"E'\\'",
		"begin",
		" atomic ",
		"end",
		"case",
		"create function ",
		"copy t from stdin",
		"commit",
		"select 1",
		" ",
		"\xc3\xbc",
		"\xff",
		"\xf0\x9f",
		"",
	};
	size_t length = 0;

	for (unsigned n = random_below(30); n > 0; n--) {
		const char *piece = pieces[random_below(COUNT(pieces))];
		size_t more = strlen(piece);
		if (length + more > size)
			break;
		memcpy(text + length, piece, more);
		length += more;
		if (random_below(10) == 0 && length > 0)
			text[random_below((unsigned)length)] = (char)random_below(256);
	}
	return length;
}

static void check_taken(const char *text, size_t length, const struct migration *migration)
{
	const struct migration_block *up = &migration->up, *down = &migration->down;

	assert_true(up->sql >= text && up->sql + up->length == down->sql);
	assert_true(down->sql + down->length == text + length);
	assert_memory_equal(up->sql, "--", 2);
	assert_memory_equal(down->sql, "--", 2);
}

static void no_text_does_harm(void **state)
{
	unsigned taken = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char buffer[1024];
		size_t length = i % 2 ? strlen(strcpy(buffer, UP)) : 0;
		length += random_text(buffer + length, sizeof(buffer) - 100);
		if (i % 2)
			length += strlen(strcpy(buffer + length, "\n" DOWN));
		char *text =
			malloc(length + 1); /* its very size, so that ASan sees the byte behind */
		struct migration migration;
		struct migrate_fault fault = {0};

		memcpy(text, buffer, length);
		text = realloc(text, length ? length : 1);
		if (migrate_parse(text, length, &migration, &fault) == ST_OK) {
			check_taken(text, length, &migration);
			taken++;
		} else {
			assert_true(fault.line > 0 && fault.column > 0 && fault.message[0]);
		}
		free(text);
	}
	assert_true(taken > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_dbmate_takes_are_taken),
		cmocka_unit_test(others_are_refused_with_the_place),
		cmocka_unit_test(blocks_are_what_dbmate_sends),
		cmocka_unit_test(option_belongs_to_its_block),
		cmocka_unit_test(too_long_or_binary_text_is_refused),
		cmocka_unit_test(version_is_the_leading_digits),
		cmocka_unit_test(statement_is_found_by_its_number),
		cmocka_unit_test(no_text_does_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
