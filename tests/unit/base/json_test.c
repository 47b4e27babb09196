#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"

static enum status parse_text(const char *text, const struct json_limits *limits, struct err *err)
{
	json_t *untouched = (json_t *)&parse_text, *root = untouched;
	/* of exactly this size, so that a byte read behind its end is seen */
	size_t length = strlen(text);
	auto_free char *copy = xmalloc(length);
	enum status status;

	memcpy(copy, text, length);
	memset(err, 0, sizeof(*err));
	status = json_parse(copy, length, limits, &root, err);
	if (status == ST_OK)
		json_decref(root);
	else
		assert_ptr_equal(root, untouched);
	return status;
}

static void accepts(const char *text)
{
	struct err err;

	if (parse_text(text, &json_limits_command, &err) != ST_OK)
		fail_msg("%s: %s", text, err.message);
}

static void refuses(const char *text, enum status status, const char *code)
{
	struct err err;

	assert_int_equal(parse_text(text, &json_limits_command, &err), status);
	assert_int_equal(err.status, status);
	assert_string_equal(err.code, code);
	assert_true(strlen(err.message) > 0);
}

static void objects_are_accepted(void **state)
{
	(void)state;
	accepts("{}");
	accepts(" \r\n\t{\"a\":[1,-2,3.5e3,true,false,null,\"x\"],\"b\":{}} \n");
	accepts("{\"a\":{\"k\":1},\"b\":{\"k\":2}}");
	accepts("{\"e\":\"\\u00e9\\ud83d\\udcde\\n\\\"\\\\\\/\",\"\\u0061\":1}");
	accepts("{\"max\":9223372036854775807,\"min\":-9223372036854775808}");
}

static void top_level_that_is_no_object_is_refused(void **state)
{
	(void)state;
	refuses("[]", ST_INVALID, "json.not_object");
	refuses("[{}]", ST_INVALID, "json.not_object");
	refuses("\"text\"", ST_INVALID, "json.not_object");
	refuses("12", ST_INVALID, "json.not_object");
	refuses("null", ST_INVALID, "json.not_object");
}

static void malformed_text_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"}",
		"{]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"{} {}",
		"{}x",
		"{\"a\":01}",
		"{\"a\":+1}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":NaN}",
		"{\"a\":1e999}",
		"{\"a\":9223372036854775808}",
		"{\"a\":tru}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"",
		"{\"a\":\"\\",
		"{\"a\":\"\\\"",
		"\xef\xbb\xbf{}",
		"{\"a\":1 /* c */}",
		"{\"a\":\"\n\"}",
		"{\"a\":\"\x01\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(bad[i], ST_INVALID, "json.malformed");
}

static void duplicate_keys_are_refused(void **state)
{
	(void)state;
	refuses("{\"a\":1,\"a\":1}", ST_INVALID, "json.malformed");
	refuses("{\"a\":1,\"\\u0061\":2}", ST_INVALID, "json.malformed");
	refuses("{\"o\":{\"a\":1,\"b\":2,\"a\":3}}", ST_INVALID, "json.malformed");
}

static void nul_is_refused_escaped_and_raw_in_keys_and_values(void **state)
{
	(void)state;
	static const char raw[] = "{\"a\":\"x\0y\"}", after[] = "{}\0";
	json_t *root = NULL;
	struct err err;

	refuses("{\"a\":\"x\\u0000y\"}", ST_INVALID, "json.malformed");
	refuses("{\"a\\u0000\":1}", ST_INVALID, "json.malformed");
	assert_int_equal(json_parse(raw, sizeof(raw) - 1, &json_limits_command, &root, &err),
			 ST_INVALID);
	assert_int_equal(json_parse(after, sizeof(after) - 1, &json_limits_command, &root, &err),
			 ST_INVALID);
	assert_null(root);
}

static void lone_surrogates_are_refused(void **state)
{
	(void)state;
	refuses("{\"a\":\"\\ud83d\"}", ST_INVALID, "json.malformed");
	refuses("{\"a\":\"\\udcde\"}", ST_INVALID, "json.malformed");
	refuses("{\"a\":\"\\ud83dx\"}", ST_INVALID, "json.malformed");
	refuses("{\"a\":\"\\ud83d\\ud83d\"}", ST_INVALID, "json.malformed");
}

static void message_tells_the_place_but_does_not_quote_the_text(void **state)
{
	(void)state;
	struct err err;

	assert_int_equal(parse_text("{\n \"password\": hunter2 }", &json_limits_body, &err),
			 ST_INVALID);
	assert_non_null(strstr(err.message, "line 2 column 1"));
	assert_null(strstr(err.message, "hunter"));
	assert_int_equal(parse_text("{\"hunter2\":1,\"hunter2\":1}", &json_limits_body, &err),
			 ST_INVALID);
	assert_non_null(strstr(err.message, "duplicate"));
	assert_null(strstr(err.message, "hunter"));
}

/* ---- limits ---- */

static void text_may_have_as_many_bytes_as_the_limit_and_not_one_more(void **state)
{
	(void)state;
	size_t limit = json_limits_command.bytes;
	auto_free char *text = xmalloc(limit + 2);
	struct err err;

	memset(text, ' ', limit + 1);
	memcpy(text, "{}", 2);
	text[limit] = '\0';
	assert_int_equal(parse_text(text, &json_limits_command, &err), ST_OK);
	text[limit] = ' ';
	text[limit + 1] = '\0';
	refuses(text, ST_TOO_LARGE, "json.too_large");
}

/* depth brackets around nothing, the outermost an object */
static char *nested(unsigned depth)
{
	char *text = xmalloc(2 * depth + 5), *to = text;

	to = stpcpy(to, "{\"a\":");
	memset(to, '[', depth - 1);
	memset(to + depth - 1, ']', depth - 1);
	strcpy(to + 2 * (depth - 1), "}");
	return text;
}

static void nesting_may_be_as_deep_as_the_limit_and_not_one_deeper(void **state)
{
	(void)state;
	static const struct json_limits *const all[] = {&json_limits_command, &json_limits_body,
							&json_limits_switch};
	struct err err;

	for (int i = 0; i < 3; i++) {
		auto_free char *fits = nested(all[i]->depth);
		auto_free char *deep = nested(all[i]->depth + 1);
		assert_int_equal(parse_text(fits, all[i], &err), ST_OK);
		assert_int_equal(parse_text(deep, all[i], &err), ST_INVALID);
		assert_string_equal(err.code, "json.too_deep");
	}
}

/* The parser itself would answer json.malformed, after having gone 2048 calls deep. */
static void hundred_thousand_brackets_are_refused_before_they_are_parsed(void **state)
{
	(void)state;
	static const char *const bombs[] = {"[", "{\"a\":", "[{\"a\":", "[ \n"};
	struct err err;

	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		size_t length = strlen(bombs[i]);
		auto_free char *text = xmalloc(100000 * length + 1);
		for (size_t n = 0; n < 100000; n++)
			memcpy(text + n * length, bombs[i], length);
		text[100000 * length] = '\0';
		assert_int_equal(parse_text(text, &json_limits_switch, &err), ST_INVALID);
		assert_string_equal(err.code, "json.too_deep");
	}
}

static void brackets_colons_and_quotes_inside_texts_do_not_count(void **state)
{
	(void)state;
	struct json_limits limits = {.bytes = 1000, .depth = 1, .keys = 2};
	struct err err;

	assert_int_equal(parse_text("{\"[[{:::\":\"\\\"[[[[{{{{::::\\\\\"}", &limits, &err), ST_OK);
	assert_int_equal(parse_text("{\"a\":\"\\\\\",\"b\":\"[:\"}", &limits, &err), ST_OK);
	assert_int_equal(parse_text("{\"a\":\"\\\\\",\"b\":[]}", &limits, &err), ST_INVALID);
	assert_string_equal(err.code, "json.too_deep");
}

static void keys_of_all_objects_count_together(void **state)
{
	(void)state;
	struct json_limits limits = {.bytes = 1000, .depth = 3, .keys = 4};
	struct err err;

	assert_int_equal(parse_text("{\"a\":{\"b\":1,\"c\":2},\"d\":3}", &limits, &err), ST_OK);
	assert_int_equal(parse_text("{\"a\":{\"b\":1,\"c\":2},\"d\":{\"e\":1}}", &limits, &err),
			 ST_TOO_LARGE);
	assert_string_equal(err.code, "json.too_large");
}

static void scanner_and_parser_never_run_over_the_end(void **state)
{
	(void)state;
	static const char alphabet[] = "{}[]:,\"\\ au0dn1-.\n\x01\xc3\xa9\xff";
	struct err err;
	char text[40];

	random_start();
	for (int i = 0; i < 50000; i++) {
		size_t length = random_below(sizeof(text) - 1);
		for (size_t n = 0; n < length; n++)
			text[n] = alphabet[random_below(sizeof(alphabet) - 1)];
		text[length] = '\0';
		(void)!parse_text(text, &json_limits_command, &err);
	}
}

/* ---- getters ---- */

static json_t *object_of(const char *text)
{
	json_t *root = NULL;
	struct err err;

	if (json_parse(text, strlen(text), &json_limits_command, &root, &err) != ST_OK)
		fail_msg("%s", err.message);
	return root;
}

static int set_up(void **state)
{
	*state = object_of(
		"{\"t\":\"h\xc3\xa9\",\"e\":\"\",\"i\":5,\"r\":5.0,\"b\":true,\"f\":false,"
		"\"n\":null,\"a\":[]}");
	return 0;
}

static int tear_down(void **state)
{
	json_decref(*state);
	return 0;
}

static void expect_err(const struct err *err, const char *code, const char *target)
{
	assert_string_equal(err->code, code);
	assert_string_equal(err->target, target);
}

static void text_is_copied_when_it_fits(void **state)
{
	char ret[4] = "old";
	bool found = false;
	struct err err;

	assert_int_equal(json_get_text(*state, "t", ret, 4, &found, &err), ST_OK);
	assert_true(found);
	assert_string_equal(ret, "h\xc3\xa9");
	strcpy(ret, "old");
	assert_int_equal(json_get_text(*state, "t", ret, 3, NULL, &err), ST_INVALID);
	expect_err(&err, "json.too_long", "t");
	assert_string_equal(ret, "old");
	assert_int_equal(json_get_text(*state, "e", ret, 1, &found, &err), ST_OK);
	assert_true(found);
	assert_string_equal(ret, "");
}

static void absent_or_null_leaves_the_result_untouched(void **state)
{
	static const char *const keys[] = {"absent", "n"};
	char text[4] = "old";
	long long number = 7;
	bool flag = true;

	for (int i = 0; i < 2; i++) {
		bool found = true;
		assert_int_equal(json_get_text(*state, keys[i], text, 4, &found, NULL), ST_OK);
		assert_false(found);
		found = true;
		assert_int_equal(json_get_int(*state, keys[i], 0, 1, &number, &found, NULL), ST_OK);
		assert_false(found);
		found = true;
		assert_int_equal(json_get_bool(*state, keys[i], &flag, &found, NULL), ST_OK);
		assert_false(found);
	}
	assert_string_equal(text, "old");
	assert_int_equal(number, 7);
	assert_true(flag);
	assert_int_equal(json_get_text(NULL, "t", text, 4, NULL, NULL), ST_OK);
}

static void wrong_type_is_named_with_its_key(void **state)
{
	char text[4] = "old";
	long long number = 7;
	bool flag = true;
	struct err err;
	static const char *const no_text[] = {"i", "r", "b", "a"},
				 *const no_int[] = {"t", "r", "b"},
				 *const no_bool[] = {"t", "i", "a"};

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(json_get_text(*state, no_text[i], text, 4, NULL, &err),
				 ST_INVALID);
		expect_err(&err, "json.wrong_type", no_text[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(json_get_int(*state, no_int[i], 0, 9, &number, NULL, &err),
				 ST_INVALID);
		expect_err(&err, "json.wrong_type", no_int[i]);
		assert_int_equal(json_get_bool(*state, no_bool[i], &flag, NULL, &err), ST_INVALID);
		expect_err(&err, "json.wrong_type", no_bool[i]);
	}
	assert_string_equal(text, "old");
	assert_int_equal(number, 7);
	assert_true(flag);
}

static void whole_number_must_lie_in_its_range(void **state)
{
	long long number = 0;
	bool found = false;
	struct err err;

	assert_int_equal(json_get_int(*state, "i", 5, 5, &number, &found, &err), ST_OK);
	assert_true(found);
	assert_int_equal(number, 5);
	number = 7;
	assert_int_equal(json_get_int(*state, "i", 6, 9, &number, NULL, &err), ST_INVALID);
	expect_err(&err, "json.out_of_range", "i");
	assert_int_equal(json_get_int(*state, "i", -9, 4, &number, NULL, &err), ST_INVALID);
	expect_err(&err, "json.out_of_range", "i");
	assert_non_null(strstr(err.message, "-9 to 4"));
	assert_int_equal(number, 7);
}

static void booleans_are_read(void **state)
{
	bool flag = false, found = false;

	assert_int_equal(json_get_bool(*state, "b", &flag, &found, NULL), ST_OK);
	assert_true(flag && found);
	assert_int_equal(json_get_bool(*state, "f", &flag, NULL, NULL), ST_OK);
	assert_false(flag);
}

static void needed_text_must_be_there_and_not_empty(void **state)
{
	static const char *const missing[] = {"absent", "n", "e"};
	char text[8] = "old";
	struct err err;

	assert_int_equal(json_need_text(*state, "t", text, sizeof(text), &err), ST_OK);
	assert_string_equal(text, "h\xc3\xa9");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(json_need_text(*state, missing[i], text, sizeof(text), &err),
				 ST_INVALID);
		expect_err(&err, "json.missing", missing[i]);
	}
	assert_int_equal(json_need_text(*state, "i", text, sizeof(text), &err), ST_INVALID);
	expect_err(&err, "json.wrong_type", "i");
	assert_string_equal(text, "h\xc3\xa9");
}

#define GETTER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_accepted),
		cmocka_unit_test(top_level_that_is_no_object_is_refused),
		cmocka_unit_test(malformed_text_is_refused),
		cmocka_unit_test(duplicate_keys_are_refused),
		cmocka_unit_test(nul_is_refused_escaped_and_raw_in_keys_and_values),
		cmocka_unit_test(lone_surrogates_are_refused),
		cmocka_unit_test(message_tells_the_place_but_does_not_quote_the_text),
		cmocka_unit_test(text_may_have_as_many_bytes_as_the_limit_and_not_one_more),
		cmocka_unit_test(nesting_may_be_as_deep_as_the_limit_and_not_one_deeper),
		cmocka_unit_test(hundred_thousand_brackets_are_refused_before_they_are_parsed),
		cmocka_unit_test(brackets_colons_and_quotes_inside_texts_do_not_count),
		cmocka_unit_test(keys_of_all_objects_count_together),
		cmocka_unit_test(scanner_and_parser_never_run_over_the_end),
		GETTER_TEST(text_is_copied_when_it_fits),
		GETTER_TEST(absent_or_null_leaves_the_result_untouched),
		GETTER_TEST(wrong_type_is_named_with_its_key),
		GETTER_TEST(whole_number_must_lie_in_its_range),
		GETTER_TEST(booleans_are_read),
		GETTER_TEST(needed_text_must_be_there_and_not_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
