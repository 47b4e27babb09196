#include "unit.h"

#include "base/status.h"
#include "base/str.h"

static void failing_function_ends_with_err_set(void **state)
{
	(void)state;
	struct err err = {0};
	enum status status =
		err_set(&err, ST_CONFLICT, "call.not_held", "callTab", "tab %d is not held", 2);

	assert_int_equal(status, ST_CONFLICT);
	assert_int_equal(err.status, ST_CONFLICT);
	assert_string_equal(err.code, "call.not_held");
	assert_string_equal(err.target, "callTab");
	assert_string_equal(err.message, "tab 2 is not held");
}

static void err_may_be_null(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ST_BUSY, "queue.full", "", "full"), ST_BUSY);
}

static void target_may_be_null(void **state)
{
	(void)state;
	struct err err = {.target = "old"};

	assert_int_equal(err_set(&err, ST_BUSY, "queue.full", NULL, "full"), ST_BUSY);
	assert_string_equal(err.target, "");
}

static void message_may_quote_the_err_it_replaces(void **state)
{
	(void)state;
	struct err err = {.message = "port in use"};

	(void)!err_set(&err, ST_INTERNAL, "app.start", "", "cannot start: %s", err.message);
	assert_string_equal(err.message, "cannot start: port in use");
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	struct err err;
	char text[400] = "";

	for (int i = 0; i < 190; i++)
		strcat(text, "\xc3\xa9");
	(void)!err_set(&err, ST_INVALID, text, text, "x%s", text);
	assert_true(strlen(err.message) >= sizeof(err.message) - 2);
	assert_true(str_is_utf8(err.message, strlen(err.message)));
	assert_true(str_is_utf8(err.code, strlen(err.code)));
	assert_true(str_is_utf8(err.target, strlen(err.target)));
}

static void every_status_has_the_number_of_its_table_row(void **state)
{
	(void)state;
	static const int numbers[ST_COUNT] = {200, 400, 401, 403, 404, 409, 413,
					      429, 500, 501, 503, 503, 504};

	for (int i = 0; i < ST_COUNT; i++) {
		assert_int_equal(status_http((enum status)i), numbers[i]);
		assert_true(strlen(status_name((enum status)i)) > 1);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(status_name((enum status)i),
						status_name((enum status)j));
	}
	assert_string_equal(status_name(ST_OK), "ok");
	assert_string_equal(status_name(ST_CONFLICT), "conflict");
}

static void number_outside_the_table_is_an_internal_error(void **state)
{
	(void)state;
	assert_int_equal(status_http((enum status)ST_COUNT), 500);
	assert_int_equal(status_http((enum status) - 1), 500);
	assert_string_equal(status_name((enum status)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failing_function_ends_with_err_set),
		cmocka_unit_test(err_may_be_null),
		cmocka_unit_test(target_may_be_null),
		cmocka_unit_test(message_may_quote_the_err_it_replaces),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(every_status_has_the_number_of_its_table_row),
		cmocka_unit_test(number_outside_the_table_is_an_internal_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
