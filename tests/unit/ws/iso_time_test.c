#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ws/iso_time.h"

static void times_are_read_to_the_millisecond(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t unix_ms;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01t00:00:00z", 0},
		{"1969-12-31T23:59:59Z", -1000},
		{"2026-11-22T17:00:00Z", 1795366800000},
		{"2026-11-22T17:00:00.123Z", 1795366800123},
		{"2026-11-22T17:00:00.5Z", 1795366800500},
		{"2026-11-22T17:00:00.123999999Z", 1795366800123},
		{"2026-11-22T18:00:00+01:00", 1795366800000},
		{"2026-11-22T11:30:00-05:30", 1795366800000},
		{"2024-02-29T00:00:00Z", 1709164800000},
		{"2000-02-29T12:00:00Z", 951825600000},
		{"9999-12-31T23:59:59Z", 253402300799000},
		{"0001-01-01T00:00:00Z", -62135596800000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t unix_ms = 77;
		if (!iso_time_parse(cases[i].text, &unix_ms) || unix_ms != cases[i].unix_ms)
			fail_msg("%s: %lld", cases[i].text, (long long)unix_ms);
	}
}

static void every_day_of_four_centuries_comes_back(void **state)
{
	(void)state;
	const int64_t day_ms = 86400000;

	for (int64_t at = -30610224000000; at < -30610224000000 + 146097 * day_ms; at += day_ms) {
		char text[CLOCK_TEXT_SIZE];
		int64_t back;
		clock_format(text, at + 4711, true);
		assert_true(iso_time_parse(text, &back));
		assert_int_equal(back, at + 4711);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"tomorrow",
		"2026-11-22",
		"2026-11-22T17:00Z",
		"2026-11-22T17:00:00",
		"2026-11-22 17:00:00Z",
		"2026-11-22T17:00:00ZZ",
		"2026-11-22T17:00:00Z ",
		" 2026-11-22T17:00:00Z",
		"2026-11-22T17:00:00.Z",
		"2026-11-22T17:00:00.1234567890Z",
		"2026-11-22T17:00:00+0100",
		"2026-11-22T17:00:00+01",
		"2026-11-22T17:00:00+24:00",
		"2026-11-22T17:00:00+01:60",
		"2026-11-22T24:00:00Z",
		"2026-11-22T17:60:00Z",
		"2026-11-22T17:00:60Z",
		"2026-13-22T17:00:00Z",
		"2026-00-22T17:00:00Z",
		"2026-11-31T17:00:00Z",
		"2026-11-00T17:00:00Z",
		"2026-02-29T17:00:00Z",
		"1900-02-29T17:00:00Z",
		"0000-01-01T00:00:00Z",
		"2026-1-22T17:00:00Z",
		"+026-11-22T17:00:00Z",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t unix_ms = 77;
		if (iso_time_parse(texts[i], &unix_ms) || unix_ms != 77)
			fail_msg("\"%s\" was taken", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_to_the_millisecond),
		cmocka_unit_test(every_day_of_four_centuries_comes_back),
		cmocka_unit_test(what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
