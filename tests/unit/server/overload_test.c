/* What is turned away, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/overload.h"

#define STEP_US INT64_C(100000)

static struct overload overload;
static int64_t now_us;

static int set_up(void **state)
{
	(void)state;
	overload = (struct overload){0};
	now_us = 1;
	return 0;
}

static enum overload_level step(struct overload_sample sample)
{
	now_us += STEP_US;
	return overload_step(&overload, &sample, now_us);
}

static void nothing_is_turned_away_at_the_thresholds(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(step((struct overload_sample){.lag_ms = 50,
							       .journal_percent = 50,
							       .requests_percent = 50,
							       .files_percent = 85}),
				 OVERLOAD_NONE);
}

static void lag_that_lasts_sheds_from_the_bottom(void **state)
{
	(void)state;
	for (int level = OVERLOAD_POLLS; level <= OVERLOAD_TABS; level++)
		for (int i = 0; i < OVERLOAD_LASTING_MS / 100; i++) /* a second each */
			assert_int_equal(step((struct overload_sample){.lag_ms = 60}), level);
	/* who comes back is let in as long as it is no worse */
	for (int i = 0; i < 50; i++)
		assert_int_equal(step((struct overload_sample){.lag_ms = 60}), OVERLOAD_TABS);
	assert_int_equal(step((struct overload_sample){.lag_ms = 2001}), OVERLOAD_RESUMES);
}

static void much_lag_sheds_much_at_once(void **state)
{
	(void)state;
	assert_int_equal(step((struct overload_sample){.lag_ms = 400}), OVERLOAD_DIALS);
}

static void short_lag_costs_polls_only(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 9; i++)
			assert_int_equal(step((struct overload_sample){.lag_ms = 60}),
					 OVERLOAD_POLLS);
		for (int i = 0; i < 6; i++)
			step((struct overload_sample){0});
		assert_int_equal(overload.level, OVERLOAD_NONE);
	}
}

static void requests_that_wait_for_the_database_cost_polls_only(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(step((struct overload_sample){.requests_percent = 100}),
				 OVERLOAD_POLLS);
}

static void few_descriptors_shut_out_new_tabs(void **state)
{
	(void)state;
	assert_int_equal(step((struct overload_sample){.files_percent = 86}), OVERLOAD_TABS);
	assert_int_equal(step((struct overload_sample){.files_percent = 98}), OVERLOAD_RESUMES);
}

static void journal_that_fills_stops_dials_before_tabs(void **state)
{
	(void)state;
	assert_int_equal(step((struct overload_sample){.journal_percent = 76}), OVERLOAD_DIALS);
}

static void between_the_thresholds_it_stays(void **state)
{
	(void)state;
	step((struct overload_sample){.lag_ms = 60});
	for (int i = 0; i < 100; i++)
		assert_int_equal(step((struct overload_sample){.lag_ms = 40}), OVERLOAD_POLLS);
}

static void it_is_over_within_three_seconds(void **state)
{
	int steps = 0;

	(void)state;
	step((struct overload_sample){.lag_ms = 5000});
	assert_int_equal(overload.level, OVERLOAD_RESUMES);
	while (step((struct overload_sample){0}) != OVERLOAD_NONE)
		steps++;
	assert_in_range(steps, 20, 30);
}

static void one_stall_is_no_lag_and_what_stays_is(void **state)
{
	struct overload_lag lag = {0};

	(void)state;
	assert_int_equal(overload_lag_ms(&lag, 5000), 0);
	assert_int_equal(overload_lag_ms(&lag, 70), 0);
	assert_int_equal(overload_lag_ms(&lag, 60), 60); /* three in a row, and the least of them */
	assert_int_equal(overload_lag_ms(&lag, 5000), 60);
	assert_int_equal(overload_lag_ms(&lag, 5000), 60);
	assert_int_equal(overload_lag_ms(&lag, 5000), 5000);
	assert_int_equal(overload_lag_ms(&lag, 3), 3); /* over at once */
	assert_int_equal(overload_lag_ms(&lag, 5000), 3);
}

#define test(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_stall_is_no_lag_and_what_stays_is),
		test(nothing_is_turned_away_at_the_thresholds),
		test(lag_that_lasts_sheds_from_the_bottom),
		test(much_lag_sheds_much_at_once),
		test(short_lag_costs_polls_only),
		test(requests_that_wait_for_the_database_cost_polls_only),
		test(few_descriptors_shut_out_new_tabs),
		test(journal_that_fills_stops_dials_before_tabs),
		test(between_the_thresholds_it_stays),
		test(it_is_over_within_three_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
