#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "server/config.h"

static const char *const variables[] = {"CALLTAB_CONFIG", "CALLTAB_WRAP_S", "CALLTAB_LISTEN",
					"CALLTAB_ALLOW_NO_ORIGIN"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[64], file[80], home[4096];
static struct config config;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/calltab-config-XXXXXX");
	if (!mkdtemp(folder) || !getcwd(home, sizeof(home)))
		return -1;
	snprintf(file, sizeof(file), "%s/test.ini", folder);
	for (unsigned i = 0; i < COUNT(variables); i++)
		unsetenv(variables[i]);
	config_init(&config);
	err = (struct err){0};
	return 0;
}

static int tear_down(void **state)
{
	char found[96];

	(void)state;
	config_done(&config);
	for (unsigned i = 0; i < COUNT(variables); i++)
		unsetenv(variables[i]);
	unlink(file);
	snprintf(found, sizeof(found), "%s/calltab.ini", folder);
	unlink(found);
	return chdir(home) || rmdir(folder);
}

static void write_file(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static enum status load(const char *text)
{
	write_file(file, text);
	return config_load_file(&config, file, &err);
}

static void assert_option(enum option_index option, const char *value, const char *source)
{
	assert_string_equal(config_text(&config, option), value);
	assert_string_equal(config.sources[option], source);
}

/* What print writes; freed by the caller. */
static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (print)
		print(out);
	else
		config_explain(&config, out);
	fclose(out);
	return text;
}

static void every_option_begins_with_its_default(void **state)
{
	(void)state;
	assert_option(OPT_listen, "127.0.0.1:8080", "default");
	assert_int_equal(config_number(&config, OPT_wrap_s), 30);
	assert_false(config_switch(&config, OPT_allow_no_origin));
	assert_null(config_list(&config, OPT_origins)[0]);
	for (int i = 0; i < OPTION_COUNT; i++)
		assert_string_equal(config.sources[i], "default");
}

static void the_environment_overrules_the_file_and_a_flag_overrules_both(void **state)
{
	(void)state;
	assert_int_equal(load("listen = 127.0.0.1:1\nwrap_s = 1\nring_s = 1\n"), ST_OK);
	setenv("CALLTAB_WRAP_S", "2", 1);
	setenv("CALLTAB_LISTEN", "127.0.0.1:2", 1);
	assert_int_equal(config_load_environment(&config, &err), ST_OK);
	assert_int_equal(config_set(&config, "listen", "127.0.0.1:3", "--listen", &err), ST_OK);
	assert_option(OPT_ring_s, "1", "test.ini:3");
	assert_option(OPT_wrap_s, "2", "CALLTAB_WRAP_S");
	assert_option(OPT_listen, "127.0.0.1:3", "--listen");
}

static void a_source_is_the_file_and_the_line(void **state)
{
	(void)state;
	assert_int_equal(load("# a comment\n"
			      "\n"
			      "; another = one\n"
			      "wrap_s = 5 ; to the end\n"
			      "  ring_s=6  \n"
			      "\tnode: a\r\n"
			      "wrap_s = 7"),
			 ST_OK);
	assert_option(OPT_wrap_s, "7", "test.ini:7");
	assert_option(OPT_ring_s, "6", "test.ini:5");
	assert_option(OPT_node, "a", "test.ini:6");
}

static void a_name_may_have_hyphens_and_capitals(void **state)
{
	(void)state;
	assert_int_equal(config_set(&config, "wrap-s", "5", "--wrap-s", &err), ST_OK);
	assert_option(OPT_wrap_s, "5", "--wrap-s");
	assert_int_equal(load("Allow-No_origin = on\n"), ST_OK);
	assert_true(config_switch(&config, OPT_allow_no_origin));
}

static void a_bad_line_is_named_and_its_value_not_taken(void **state)
{
	static const struct {
		const char *text, *code, *target, *says;
	} bad[] = {
		{"\nwrap_s = soon\n", "config.value", "wrap_s",
		 "test.ini:2: wrap_s must be a number from 0 to 3600, not \"soon\""},
		{"wrap_s =\n", "config.value", "wrap_s", "test.ini:1: wrap_s must be a number"},
		{"wrap_s = 5s\n", "config.value", "wrap_s", "not \"5s\""},
		{"wrap_s = 5 6\n", "config.value", "wrap_s", "not \"5 6\""},
		{"wrap_s = 0x5\n", "config.value", "wrap_s", "not \"0x5\""},
		{"wrap_s = -1\n", "config.value", "wrap_s", "from 0 to 3600"},
		{"wrap_s = 3601\n", "config.value", "wrap_s", "from 0 to 3600"},
		{"wrap_s = 99999999999999999999\n", "config.value", "wrap_s", "from 0 to 3600"},
		{"ari_port = 0\n", "config.value", "ari_port", "from 1 to 65535"},
		{"ari_port = 65536\n", "config.value", "ari_port", "from 1 to 65535"},
		{"allow_no_origin = yes\n", "config.value", "allow_no_origin",
		 "test.ini:1: allow_no_origin must be on or off, not \"yes\""},
		{"\n\nwarp_s = 5\n", "config.unknown", "warp_s",
		 "test.ini:3: there is no option \"warp_s\"; `calltab config --explain` lists"},
		{"wrap_s_ = 5\n", "config.unknown", "wrap_s_", "test.ini:1"},
		{"wrap = 5\n", "config.unknown", "wrap", "test.ini:1"},
		{"[calltab]\nwrap_s = 5\n", "config.section", "calltab",
		 "test.ini:2: there are no sections; remove [calltab]"},
		{"node = a\nwrap_s\n", "config.syntax", "config",
		 "test.ini:2: this line is not `name = value`"},
		{"origins = https://a.example,\n  https://b.example\n", "config.unknown", "https",
		 "test.ini:2"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		assert_int_not_equal(load(bad[i].text), ST_OK);
		assert_string_equal(err.code, bad[i].code);
		assert_string_equal(err.target, bad[i].target);
		if (!strstr(err.message, bad[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.message, bad[i].says);
		assert_option(OPT_wrap_s, "30", "default");
	}
}

static void the_first_of_several_bad_lines_is_told(void **state)
{
	(void)state;
	assert_int_equal(load("ring_s = x\nwrap_s = y\n"), ST_INVALID);
	assert_non_null(strstr(err.message, "test.ini:1: ring_s"));
}

/* A connection string of n characters in all, on the second of three lines. */
static enum status load_long(int length, const char *begin)
{
	char text[1000];

	snprintf(text, sizeof(text), "node = a\n%s%0*d\nwrap_s = 5\n", begin,
		 length - (int)strlen(begin), 0);
	return load(text);
}

static void a_line_that_is_too_long_is_told_as_such(void **state)
{
	(void)state;
	assert_int_equal(load_long(199, "database = "), ST_OK);
	assert_int_equal(strlen(config_text(&config, OPT_database)), 199 - 11);
	assert_option(OPT_wrap_s, "5", "test.ini:3");
	assert_int_equal(load_long(300, "; database = "), ST_OK);
	assert_option(OPT_wrap_s, "5", "test.ini:3");
	assert_int_equal(load_long(200, "database = "), ST_INVALID);
	assert_string_equal(err.code, "config.line");
	assert_non_null(strstr(err.message, "test.ini:2: a line has at most 199 characters"));
	assert_int_equal(strlen(config_text(&config, OPT_database)), 199 - 11);
}

static void a_bad_variable_or_flag_is_named(void **state)
{
	char value[5000];

	(void)state;
	setenv("CALLTAB_ALLOW_NO_ORIGIN", "true", 1);
	assert_int_equal(config_load_environment(&config, &err), ST_INVALID);
	assert_non_null(strstr(err.message, "CALLTAB_ALLOW_NO_ORIGIN: allow_no_origin must be on"));
	assert_int_equal(config_set(&config, "wrap-s", "x", "--wrap-s", &err), ST_INVALID);
	assert_non_null(strstr(err.message, "--wrap-s: wrap_s must be a number"));
	assert_int_equal(config_set(&config, "warp", "1", "--warp", &err), ST_NOT_FOUND);
	assert_non_null(strstr(err.message, "--warp: there is no option \"warp\""));
	assert_int_equal(config_set(&config, "", "1", "--", &err), ST_NOT_FOUND);
	memset(value, 'x', sizeof(value));
	value[4096] = 0;
	assert_int_equal(config_set(&config, "node", value, "--node", &err), ST_INVALID);
	assert_non_null(strstr(err.message, "--node: node is too long"));
	assert_option(OPT_node, "n1", "default");
	value[4095] = 0;
	assert_int_equal(config_set(&config, "node", value, "--node", &err), ST_OK);
}

static void a_named_file_must_be_there_and_one_that_is_found_need_not(void **state)
{
	char found[96];

	(void)state;
	assert_int_equal(config_load_file(&config, "/nonexistent/x.ini", &err), ST_NOT_FOUND);
	assert_string_equal(err.code, "config.file");
	assert_non_null(strstr(err.message, "/nonexistent/x.ini: No such file"));
	setenv("CALLTAB_CONFIG", "/nonexistent/y.ini", 1);
	assert_int_equal(config_load_file(&config, NULL, &err), ST_NOT_FOUND);
	write_file(file, "wrap_s = 8\n");
	setenv("CALLTAB_CONFIG", file, 1);
	assert_int_equal(config_load_file(&config, NULL, &err), ST_OK);
	assert_option(OPT_wrap_s, "8", "test.ini:1");
	unsetenv("CALLTAB_CONFIG");
	assert_int_equal(chdir(folder), 0);
	snprintf(found, sizeof(found), "%s/calltab.ini", folder);
	write_file(found, "wrap_s = 9\n");
	assert_int_equal(config_load_file(&config, NULL, &err), ST_OK);
	assert_option(OPT_wrap_s, "9", "calltab.ini:1");
}

static void a_list_is_split_at_commas_and_blanks(void **state)
{
	const char *const *list;
	char value[256] = "";

	(void)state;
	assert_int_equal(config_set(&config, "origins", " https://a.example ,,https://b.example:1 ",
				    "--origins", &err),
			 ST_OK);
	list = config_list(&config, OPT_origins);
	assert_string_equal(list[0], "https://a.example");
	assert_string_equal(list[1], "https://b.example:1");
	assert_null(list[2]);
	for (int i = 0; i < CONFIG_LIST_MAX; i++)
		strcat(value, "x,");
	assert_int_equal(config_set(&config, "origins", value, "--origins", &err), ST_OK);
	list = config_list(&config, OPT_origins);
	assert_string_equal(list[CONFIG_LIST_MAX - 1], "x");
	assert_null(list[CONFIG_LIST_MAX]);
	strcat(value, "y");
	assert_int_equal(config_set(&config, "origins", value, "--origins", &err), ST_INVALID);
	assert_non_null(strstr(err.message, "--origins: origins has more than 32 parts"));
}

static void a_secret_is_never_shown(void **state)
{
	auto_free char *before = printed(NULL);

	(void)state;
	assert_non_null(strstr(before, "database = \n    # from default."));
	assert_int_equal(load("database = postgres://u:hush@h/d\nari_password = hush\n"
			      "ari_user = ada\n"),
			 ST_OK);
	auto_free char *after = printed(NULL);
	assert_null(strstr(after, "hush"));
	assert_non_null(strstr(after, "database = ********\n    # from test.ini:1."));
	assert_non_null(strstr(after, "ari_password = ********\n    # from test.ini:2."));
	assert_non_null(strstr(after, "ari_user = ada\n    # from test.ini:3."));
}

static void the_explanation_has_every_option(void **state)
{
	auto_free char *text = printed(NULL);
	int count = 0;

	(void)state;
	for (const char *at = text; (at = strstr(at, "\n    # from default. ")); at++)
		count++;
	assert_int_equal(count, OPTION_COUNT);
}

static void the_sample_says_the_defaults_as_it_is_and_with_every_line_in_force(void **state)
{
	auto_free char *sample = printed(config_print_sample);
	unsigned lines = 0;

	(void)state;
	assert_int_equal(load(sample), ST_OK);
	for (int i = 0; i < OPTION_COUNT; i++)
		assert_string_equal(config.sources[i], "default");
	for (char *at = sample; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (*at == ';' && at[1] != ' ')
			*at = ' ', lines++;
	}
	assert_int_equal(lines, OPTION_COUNT);
	assert_int_equal(load(sample), ST_OK);
	struct config fresh;
	config_init(&fresh);
	for (int i = 0; i < OPTION_COUNT; i++) {
		assert_string_equal(config.values[i], fresh.values[i]);
		assert_memory_equal(config.sources[i], "test.ini:", 9);
	}
	config_done(&fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(every_option_begins_with_its_default),
		TEST(the_environment_overrules_the_file_and_a_flag_overrules_both),
		TEST(a_source_is_the_file_and_the_line),
		TEST(a_name_may_have_hyphens_and_capitals),
		TEST(a_bad_line_is_named_and_its_value_not_taken),
		TEST(the_first_of_several_bad_lines_is_told),
		TEST(a_line_that_is_too_long_is_told_as_such),
		TEST(a_bad_variable_or_flag_is_named),
		TEST(a_named_file_must_be_there_and_one_that_is_found_need_not),
		TEST(a_list_is_split_at_commas_and_blanks),
		TEST(a_secret_is_never_shown),
		TEST(the_explanation_has_every_option),
		TEST(the_sample_says_the_defaults_as_it_is_and_with_every_line_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
