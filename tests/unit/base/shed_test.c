/* What is turned away at which level, and with which words. */
#include "unit.h"

#include "base/shed.h"

static void a_class_is_turned_away_from_its_own_level_on(void **state)
{
	struct shed shed = {0};

	(void)state;
	for (unsigned level = 0; level < OVERLOAD_LEVEL_COUNT; level++) {
		shed_set_level(&shed, (enum overload_level)level);
		assert_int_equal(shed_level(&shed), level);
		for (unsigned work = OVERLOAD_POLLS; work < OVERLOAD_LEVEL_COUNT; work++)
			assert_int_equal(shed_refuses(&shed, (enum overload_level)work),
					 work <= level);
	}
	for (unsigned work = OVERLOAD_POLLS; work < OVERLOAD_LEVEL_COUNT; work++)
		assert_int_equal(atomic_load(&shed.refused[work]), OVERLOAD_LEVEL_COUNT - work);
}

static void what_has_no_class_is_never_turned_away(void **state)
{
	struct shed shed = {0};

	(void)state;
	shed_set_level(&shed, OVERLOAD_RESUMES);
	assert_false(shed_refuses(&shed, OVERLOAD_NONE));
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_NONE]), 0);
}

static void without_a_level_nothing_is_turned_away(void **state)
{
	(void)state;
	assert_int_equal(shed_level(NULL), OVERLOAD_NONE);
	assert_false(shed_refuses(NULL, OVERLOAD_POLLS));
	assert_false(shed_refuses(NULL, OVERLOAD_NONE));
}

static void a_refusal_names_its_class_and_is_one_to_try_again(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(shed_error(OVERLOAD_DIALS, &err), ST_UNAVAILABLE);
	assert_int_equal(err.status, ST_UNAVAILABLE);
	assert_string_equal(err.code, "overload.dials");
	assert_string_equal(err.target, "");
	assert_true(strlen(err.message) > 20);
}

static void who_was_turned_away_together_does_not_come_back_together(void **state)
{
	unsigned seen_s[7] = {0}, least = UINT32_MAX, longest = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		unsigned ms = shed_retry_ms();
		if (ms < least)
			least = ms;
		if (ms > longest)
			longest = ms;
		assert_in_range(ms, 1000, 5000);
		unsigned s = shed_retry_s();
		assert_in_range(s, 1, 5);
		seen_s[s]++;
	}
	assert_true(least < 1200 && longest > 4800);
	for (int s = 2; s <= 5; s++)
		assert_in_range(seen_s[s], 300, 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_class_is_turned_away_from_its_own_level_on),
		cmocka_unit_test(what_has_no_class_is_never_turned_away),
		cmocka_unit_test(without_a_level_nothing_is_turned_away),
		cmocka_unit_test(a_refusal_names_its_class_and_is_one_to_try_again),
		cmocka_unit_test(who_was_turned_away_together_does_not_come_back_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
