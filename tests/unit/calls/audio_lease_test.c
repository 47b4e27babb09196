/* Which window has the agent's audio. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "calls/audio_lease.h"

static void the_first_one_has_it_and_others_do_not(void **state)
{
	struct audio_lease lease = {.window = ""};

	(void)state;
	assert_true(audio_lease_ask(&lease, "one", false, 0));
	assert_false(audio_lease_ask(&lease, "two", false, 1000000));
	assert_string_equal(lease.window, "one");
	assert_int_equal(lease.serial, 1);
}

static void another_takes_it_over(void **state)
{
	struct audio_lease lease = {.window = ""};

	(void)state;
	assert_true(audio_lease_ask(&lease, "one", false, 0));
	assert_true(audio_lease_ask(&lease, "two", true, 5));
	assert_string_equal(lease.window, "two");
	/* what the first one's connection says now is no news */
	assert_false(audio_lease_leave(&lease, 1, 6));
	assert_true(lease.is_connected);
	assert_true(audio_lease_leave(&lease, 2, 7));
	assert_false(audio_lease_leave(&lease, 2, 8));
}

static void a_reload_finds_its_place(void **state)
{
	struct audio_lease lease = {.window = ""};

	(void)state;
	assert_true(audio_lease_ask(&lease, "one", false, 0));
	assert_true(audio_lease_leave(&lease, 1, 1000));
	assert_false(audio_lease_ask(&lease, "two", false, 1000 + AUDIO_RESERVED_MS - 1));
	assert_true(audio_lease_ask(&lease, "one", false, 1000 + AUDIO_RESERVED_MS - 1));
	/* also when the old connection has not been noticed to be gone */
	assert_true(audio_lease_ask(&lease, "one", false, 20000));
	assert_false(audio_lease_leave(&lease, 2, 20001));
	assert_int_equal(lease.serial, 3);
}

static void a_place_is_not_kept_for_ever(void **state)
{
	struct audio_lease lease = {.window = ""};

	(void)state;
	assert_false(audio_lease_expire(&lease, 0));
	assert_true(audio_lease_ask(&lease, "one", false, 0));
	assert_false(audio_lease_expire(&lease, 1000000));
	assert_true(audio_lease_leave(&lease, 1, 0));
	assert_false(audio_lease_expire(&lease, AUDIO_RESERVED_MS - 1));
	assert_true(audio_lease_expire(&lease, AUDIO_RESERVED_MS));
	assert_string_equal(lease.window, "");
	assert_false(audio_lease_expire(&lease, AUDIO_RESERVED_MS));
	assert_true(audio_lease_ask(&lease, "two", false, AUDIO_RESERVED_MS));
	assert_true(audio_lease_leave(&lease, 2, 20000));
	/* nobody had the time to look */
	assert_true(audio_lease_ask(&lease, "one", false, 20000 + AUDIO_RESERVED_MS));
}

static void a_window_has_a_short_plain_name(void **state)
{
	(void)state;
	assert_true(audio_window_is_valid("aZ09_-"));
	assert_true(audio_window_is_valid("0123456789abcdef"));
	assert_false(audio_window_is_valid("0123456789abcdefg"));
	assert_false(audio_window_is_valid(""));
	assert_false(audio_window_is_valid("a b"));
	assert_false(audio_window_is_valid("a\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_one_has_it_and_others_do_not),
		cmocka_unit_test(another_takes_it_over),
		cmocka_unit_test(a_reload_finds_its_place),
		cmocka_unit_test(a_place_is_not_kept_for_ever),
		cmocka_unit_test(a_window_has_a_short_plain_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
