/* How many go in a second, and whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "telephony/pace.h"

#define MS INT64_C(1000)
#define S  INT64_C(1000000)

/* How many may go between two moments, asked every millisecond. */
static unsigned go(struct pace *pace, int64_t from_us, int64_t to_us)
{
	unsigned count = 0;

	for (int64_t now = from_us; now < to_us; now += MS)
		while (pace_may_go(pace, now) && count < 10000) {
			pace_spend(pace, now);
			count++;
		}
	return count;
}

static void without_a_limit_everybody_goes(void **state)
{
	struct pace pace = {0};

	(void)state;
	assert_int_equal(go(&pace, 0, MS), 10000);
	assert_int_equal(pace_wait_us(&pace, 0), 0);
}

static void so_many_go_in_a_second_after_a_short_burst(void **state)
{
	struct pace pace = {.per_s = 40};

	(void)state;
	assert_int_equal(go(&pace, 5 * S, 5 * S + MS), 10);
	assert_int_equal(go(&pace, 5 * S + MS, 6 * S), 39);
	assert_int_equal(go(&pace, 6 * S, 16 * S), 400);
}

static void a_slow_pace_has_no_burst(void **state)
{
	struct pace pace = {.per_s = 1};

	(void)state;
	assert_int_equal(go(&pace, S, 4 * S), 3);
}

static void the_wait_is_exact(void **state)
{
	struct pace pace = {.per_s = 4};

	(void)state;
	pace_spend(&pace, S);
	assert_int_equal(pace_wait_us(&pace, S), 250 * MS);
	assert_int_equal(pace_wait_us(&pace, S + 249 * MS), MS);
	assert_false(pace_may_go(&pace, S + 249 * MS));
	assert_true(pace_may_go(&pace, S + 250 * MS));
}

static void what_cannot_wait_holds_up_the_others_for_a_second_at_most(void **state)
{
	struct pace pace = {.per_s = 40};

	(void)state;
	for (int i = 0; i < 1000; i++)
		pace_spend(&pace, S);
	assert_int_equal(pace_wait_us(&pace, S), S);
}

static void put_all(struct pace *pace, struct pace_entry *entries, const char *owners)
{
	for (; *owners; owners++)
		pace_put(pace, entries++, (char[]){*owners, 0}, 0);
}

static void expect(struct pace *pace, const char *owners)
{
	for (; *owners; owners++) {
		struct pace_entry *entry = pace_take(pace);
		assert_non_null(entry);
		assert_int_equal(entry->owner[0], *owners);
		assert_false(entry->is_waiting);
	}
}

static void each_owner_gets_a_turn(void **state)
{
	struct pace pace = {.per_s = 1};
	struct pace_entry entries[8];

	(void)state;
	put_all(&pace, entries, "aaaabbcb");
	assert_int_equal(pace.count, 8);
	expect(&pace, "abcababa");
	assert_int_equal(pace.count, 0);
	assert_null(pace_take(&pace));
}

static void who_comes_late_waits_for_one_round_at_most(void **state)
{
	struct pace pace = {.per_s = 1};
	struct pace_entry entries[6], late[2];

	(void)state;
	put_all(&pace, entries, "aaaaab");
	expect(&pace, "aba");
	put_all(&pace, late, "bc");
	expect(&pace, "abc");
	expect(&pace, "a");
}

static void one_owners_come_out_in_their_order(void **state)
{
	struct pace pace = {.per_s = 1};
	struct pace_entry entries[5];

	(void)state;
	put_all(&pace, entries, "aaaaa");
	for (int i = 0; i < 5; i++)
		assert_ptr_equal(pace_take(&pace), &entries[i]);
}

static void who_gives_up_is_not_missed(void **state)
{
	struct pace pace = {.per_s = 1};
	struct pace_entry entries[4] = {0};

	(void)state;
	put_all(&pace, entries, "abc");
	pace_remove(&pace, &entries[1]);
	pace_remove(&pace, &entries[1]);
	pace_remove(&pace, &entries[3]); /* which never waited */
	assert_int_equal(pace.count, 2);
	expect(&pace, "ac");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_everybody_goes),
		cmocka_unit_test(so_many_go_in_a_second_after_a_short_burst),
		cmocka_unit_test(a_slow_pace_has_no_burst),
		cmocka_unit_test(the_wait_is_exact),
		cmocka_unit_test(what_cannot_wait_holds_up_the_others_for_a_second_at_most),
		cmocka_unit_test(each_owner_gets_a_turn),
		cmocka_unit_test(who_comes_late_waits_for_one_round_at_most),
		cmocka_unit_test(one_owners_come_out_in_their_order),
		cmocka_unit_test(who_gives_up_is_not_missed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
