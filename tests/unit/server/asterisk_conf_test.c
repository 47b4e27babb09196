#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/asterisk_conf.h"

static const char text[] = "; comment\n"
			   "stray = 1\n"
			   "[general](!)\r\n"
			   "  Enabled=yes ; not no\r\n"
			   "bindport => 8088\n"
			   ";enabled = no\n"
			   ";-- bindport = 1\n"
			   "bindport = 2 --;\n"
			   "name = a\\;b\n"
			   "empty =\n"
			   "[other]\n"
			   "bindport = 9\n"
			   "[GENERAL]\n"
			   "bindport = 8089";

static const char *value(const char *section, const char *key)
{
	static char ret[32];

	return conf_value(text, section, key, ret, sizeof(ret)) ? ret : NULL;
}

static void last_value_of_the_section_counts(void **state)
{
	(void)state;
	assert_string_equal(value("general", "bindport"), "8089");
	assert_string_equal(value("other", "bindport"), "9");
	assert_string_equal(value("general", "enabled"), "yes");
	assert_string_equal(value("general", "empty"), "");
	assert_null(value("general", "stray"));
	assert_null(value("nowhere", "bindport"));
	assert_null(value("gen", "bindport"));
}

static void comments_are_no_values(void **state)
{
	char ret[16];

	(void)state;
	assert_string_equal(value("general", "name"), "a;b");
	assert_true(conf_value("[a]\n;-- k = 1\nk = 2 --;\nk = 3\n;-----\n", "a", "k", ret, 16));
	assert_string_equal(ret, "3");
	assert_false(conf_value("[a]\n;-- k = 1", "a", "k", ret, 16));
	assert_false(conf_value("[a]\n;k = 1", "a", "k", ret, 16));
	assert_false(conf_value("[a]\n;--\nk = 1\nk = 2\n--;\n", "a", "k", ret, 16));
}

static void value_that_does_not_fit_is_none(void **state)
{
	char ret[4];

	(void)state;
	assert_false(conf_value("[a]\nk = abcd", "a", "k", ret, sizeof(ret)));
	assert_string_equal(ret, "");
}

static void long_line_is_cut_and_the_next_is_read(void **state)
{
	char long_text[5000], ret[8];

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	memcpy(long_text, "[a]\n", 4);
	strcpy(long_text + 4000, "\nk = 7\n");
	assert_true(conf_value(long_text, "a", "k", ret, sizeof(ret)));
	assert_string_equal(ret, "7");
}

static void sections_includes_and_words_are_seen_outside_of_comments(void **state)
{
	(void)state;
	assert_true(conf_has_section(text, "other"));
	assert_false(conf_has_section("; [other]\n", "other"));
	assert_false(conf_has_include(text));
	assert_true(conf_has_include("[a]\n#tryinclude \"x.conf\"\n"));
	assert_false(conf_has_include(";#include x\n"));
	assert_true(conf_mentions("n,GotoIf($[\"${STASISSTATUS}\"])", "STASISSTATUS"));
	assert_false(conf_mentions("; STASISSTATUS", "STASISSTATUS"));
}

static void stasis_is_of_exactly_this_application(void **state)
{
	(void)state;
	assert_true(
		conf_calls_stasis("exten => _X.,1,Stasis(calltab,inbound,${EXTEN})", "calltab"));
	assert_true(conf_calls_stasis("same => n,stasis(calltab)", "calltab"));
	assert_false(conf_calls_stasis("same => n,Stasis(calltab2,inbound)", "calltab"));
	assert_false(conf_calls_stasis("same => n,Stasis(calltab", "calltab"));
	assert_false(conf_calls_stasis(";same => n,Stasis(calltab)", "calltab"));
}

static void truth_has_six_words(void **state)
{
	(void)state;
	assert_true(conf_is_true("Yes"));
	assert_true(conf_is_true("1"));
	assert_false(conf_is_true("no"));
	assert_false(conf_is_true(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_value_of_the_section_counts),
		cmocka_unit_test(comments_are_no_values),
		cmocka_unit_test(value_that_does_not_fit_is_none),
		cmocka_unit_test(long_line_is_cut_and_the_next_is_read),
		cmocka_unit_test(sections_includes_and_words_are_seen_outside_of_comments),
		cmocka_unit_test(stasis_is_of_exactly_this_application),
		cmocka_unit_test(truth_has_six_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
