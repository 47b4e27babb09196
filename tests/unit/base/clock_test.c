#include "unit.h"

#include <time.h>

#include "base/clock.h"

static void held_clock_stands_until_moved(void **state)
{
	(void)state;
	struct held_clock held = {.wall_us = 1700000000123456, .mono_us = 50};
	struct clock clock = clock_held(&held);

	assert_int_equal(clock_wall_us(&clock), 1700000000123456);
	assert_int_equal(clock_wall_us(&clock), 1700000000123456);
	assert_int_equal(clock_wall_ms(&clock), 1700000000123);
	assert_int_equal(clock_mono_us(&clock), 50);
	held_clock_advance(&held, 2000000);
	assert_int_equal(clock_wall_us(&clock), 1700000002123456);
	assert_int_equal(clock_mono_us(&clock), 2000050);
}

static void wall_time_may_jump_alone(void **state)
{
	(void)state;
	struct held_clock held = {.wall_us = 10, .mono_us = 10};
	struct clock clock = clock_held(&held);

	held.wall_us = 5;
	assert_int_equal(clock_wall_us(&clock), 5);
	assert_int_equal(clock_mono_us(&clock), 10);
}

static void system_clock_tells_unix_time_and_never_runs_backwards(void **state)
{
	(void)state;
	int64_t before = (int64_t)time(NULL) - 1;
	int64_t wall = clock_wall_us(&clock_system);
	int64_t after = (int64_t)time(NULL) + 1;
	int64_t last = 0;

	assert_true(wall / 1000000 >= before && wall / 1000000 <= after);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono_us(&clock_system);
		assert_true(now >= last);
		last = now;
	}
	assert_true(last > 0);
}

static void expect_text(int64_t unix_ms, bool with_ms, const char *expected)
{
	char text[CLOCK_TEXT_SIZE];

	assert_int_equal(clock_format(text, unix_ms, with_ms), strlen(expected));
	assert_string_equal(text, expected);
}

static void known_moments_have_their_text(void **state)
{
	(void)state;
	expect_text(0, false, "1970-01-01T00:00:00Z");
	expect_text(-1, true, "1969-12-31T23:59:59.999Z");
	expect_text(951782400000, false, "2000-02-29T00:00:00Z");
	expect_text(951868799999, true, "2000-02-29T23:59:59.999Z");
	expect_text(1709251199000, false, "2024-02-29T23:59:59Z");
	expect_text(4107542400000, false, "2100-03-01T00:00:00Z");
	expect_text(1700000000007, true, "2023-11-14T22:13:20.007Z");
	expect_text(1700000000999, false, "2023-11-14T22:13:20Z");
}

static void years_of_five_digits_are_held_at_the_range(void **state)
{
	(void)state;
	expect_text(253402300800000, false, "9999-12-31T23:59:59Z");
	expect_text(INT64_MAX, true, "9999-12-31T23:59:59.999Z");
	expect_text(-62167219200001, true, "0000-01-01T00:00:00.000Z");
	expect_text(INT64_MIN, false, "0000-01-01T00:00:00Z");
}

static void random_moments_agree_with_the_c_library(void **state)
{
	(void)state;
	random_start();
	for (int i = 0; i < 20000; i++) {
		/* years 0000 to 9999 */
		int64_t unix_ms = (int64_t)(random_next() % 315569520000000) - 62167219200000;
		int64_t seconds = unix_ms / 1000 - (unix_ms % 1000 < 0);
		time_t t = (time_t)seconds;
		struct tm tm;
		char expected[64];

		assert_non_null(gmtime_r(&t, &tm));
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec, (int)(unix_ms - seconds * 1000));
		expect_text(unix_ms, true, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_clock_stands_until_moved),
		cmocka_unit_test(wall_time_may_jump_alone),
		cmocka_unit_test(system_clock_tells_unix_time_and_never_runs_backwards),
		cmocka_unit_test(known_moments_have_their_text),
		cmocka_unit_test(years_of_five_digits_are_held_at_the_range),
		cmocka_unit_test(random_moments_agree_with_the_c_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
