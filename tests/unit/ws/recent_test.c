#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_writer.h"
#include "ws/frame.h"
#include "ws/recent.h"

static struct recent *recent;
static const struct uuid ada = {{1}}, bob = {{2}};

static int begin(void **state)
{
	(void)state;
	recent = recent_create();
	return 0;
}

static int end(void **state)
{
	(void)state;
	recent_destroy(recent);
	return 0;
}

static void put_sized(const struct uuid *agent, int tab, uint64_t epoch, uint64_t seq, size_t size,
		      int64_t now_us)
{
	struct json_writer w = {0};
	char *text = malloc(size);

	memset(text, 'x', size);
	jw_raw(&w, text, size);
	struct frame *frame = frame_make(&w);
	*frame_text(frame) = (char)('0' + seq % 10);
	recent_put(recent, agent, tab, epoch, seq, frame, now_us);
	frame_unref(frame);
	jw_done(&w);
	free(text);
}

static void put(const struct uuid *agent, int tab, uint64_t epoch, uint64_t seq)
{
	put_sized(agent, tab, epoch, seq, 10, 0);
}

/* The last digits of the missed events' numbers, or "no". */
static const char *missed(const struct uuid *agent, int tab, uint64_t epoch, uint64_t after,
			  uint64_t last)
{
	static char text[RECENT_MISSED + 1];
	struct frame *frames[RECENT_MISSED];
	unsigned count = 99;

	if (!recent_missed(recent, agent, tab, epoch, after, last, frames, &count))
		return "no";
	for (unsigned i = 0; i < count; i++)
		text[i] = *frame_text(frames[i]);
	text[count] = '\0';
	return text;
}

static void exactly_what_was_missed_comes_in_order(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= 9; seq++) {
		put(&ada, 1, 5, seq);
		put(&bob, 1, 5, seq + 100);
		put(&ada, 2, 5, seq + 200);
	}
	assert_string_equal(missed(&ada, 1, 5, 6, 9), "789");
	assert_string_equal(missed(&ada, 1, 5, 0, 9), "123456789");
	assert_string_equal(missed(&ada, 1, 5, 9, 9), "");
	assert_string_equal(missed(&ada, 2, 5, 207, 209), "89");
}

static void what_is_not_all_there_is_not_there(void **state)
{
	(void)state;
	put(&ada, 1, 5, 2);
	put(&ada, 1, 5, 3);
	put(&ada, 1, 5, 5);
	assert_string_equal(missed(&ada, 1, 5, 0, 3), "no"); /* 1 was before our time */
	assert_string_equal(missed(&ada, 1, 5, 1, 3), "23");
	assert_string_equal(missed(&ada, 1, 5, 2, 5), "no"); /* 4 is missing */
	assert_string_equal(missed(&ada, 1, 5, 4, 6), "no"); /* 6 is not told yet */
	assert_string_equal(missed(&ada, 1, 4, 1, 3), "no"); /* another epoch */
	assert_string_equal(missed(&bob, 1, 5, 1, 3), "no");
	assert_string_equal(missed(&ada, 2, 5, 1, 3), "no");
	assert_string_equal(missed(&ada, 1, 5, 7, 5), "no"); /* a number from the future */
	assert_string_equal(missed(&ada, 1, 5, UINT64_MAX, 5), "no");
}

static void too_many_are_a_snapshot(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= RECENT_MISSED + 1; seq++)
		put(&ada, 1, 5, seq);
	assert_int_equal(strlen(missed(&ada, 1, 5, 1, RECENT_MISSED + 1)), RECENT_MISSED);
	assert_string_equal(missed(&ada, 1, 5, 0, RECENT_MISSED + 1), "no");
}

static void the_oldest_go_first(void **state)
{
	(void)state;
	char wanted[8];

	for (uint64_t seq = 1; seq <= RECENT_EVENTS + 7; seq++)
		put(&ada, 1, 5, seq);
	assert_int_equal(recent_count(recent), RECENT_EVENTS);
	assert_string_equal(missed(&ada, 1, 5, 6, 8), "no");
	snprintf(wanted, sizeof(wanted), "%d%d", (RECENT_EVENTS + 6) % 10,
		 (RECENT_EVENTS + 7) % 10);
	assert_string_equal(missed(&ada, 1, 5, RECENT_EVENTS + 5, RECENT_EVENTS + 7), wanted);
}

static void memory_and_age_are_bounded(void **state)
{
	(void)state;
	const size_t big = RECENT_BYTES / 4;

	for (uint64_t seq = 1; seq <= 6; seq++)
		put_sized(&ada, 1, 5, seq, big, 0);
	assert_int_equal(recent_count(recent), 4);
	recent_forget_old(recent, RECENT_AGE_US - 1);
	assert_int_equal(recent_count(recent), 4);
	put_sized(&ada, 1, 5, 7, 1, RECENT_AGE_US);
	assert_int_equal(recent_count(recent), 1);
	recent_forget_old(recent, 3 * RECENT_AGE_US);
	assert_int_equal(recent_count(recent), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exactly_what_was_missed_comes_in_order, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_all_there_is_not_there, begin, end),
		cmocka_unit_test_setup_teardown(too_many_are_a_snapshot, begin, end),
		cmocka_unit_test_setup_teardown(the_oldest_go_first, begin, end),
		cmocka_unit_test_setup_teardown(memory_and_age_are_bounded, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
