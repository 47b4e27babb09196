#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ws/recent.h"

#define S INT64_C(1000000)

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

/* An event of this size that begins with its number. */
static void put_sized(const struct uuid *agent, int tab, uint64_t epoch, uint64_t seq, size_t size,
		      int64_t now_us)
{
	char *text = recent_begin(recent, now_us);

	memset(text, 'x', size);
	memcpy(text, &seq, sizeof(seq));
	recent_commit(recent, agent, tab, epoch, seq, size, now_us);
}

static void put(const struct uuid *agent, int tab, uint64_t epoch, uint64_t seq)
{
	put_sized(agent, tab, epoch, seq, 100, 0);
}

static uint64_t seq_of(const struct recent_text *text)
{
	uint64_t seq;

	memcpy(&seq, text->text, sizeof(seq));
	return seq;
}

/* The last digits of the events after .. last, read in slices of three, or "no". */
static const char *missed_at(int64_t now_us, const struct uuid *agent, int tab, uint64_t epoch,
			     uint64_t after, uint64_t last)
{
	static char text[RECENT_EVENTS + 1];
	struct recent_text slice[3];
	unsigned count, length = 0;
	uint64_t newest = last;

	if (!recent_has(recent, agent, tab, epoch, after, last, now_us))
		return "no";
	while (after < last) {
		assert_true(
			recent_read(recent, agent, tab, epoch, after, 3, slice, &count, &newest));
		assert_in_range(count, 1, 3);
		for (unsigned i = 0; i < count; i++, after++) {
			assert_int_equal(seq_of(&slice[i]), after + 1);
			text[length++] = (char)('0' + seq_of(&slice[i]) % 10);
		}
	}
	assert_int_equal(newest, last);
	text[length] = '\0';
	return text;
}

static const char *missed(const struct uuid *agent, int tab, uint64_t epoch, uint64_t after,
			  uint64_t last)
{
	return missed_at(0, agent, tab, epoch, after, last);
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

static void nothing_missed_is_always_there(void **state)
{
	(void)state;
	assert_string_equal(missed(&ada, 1, 5, 0, 0), "");
	put(&ada, 1, 5, 1);
	recent_forget_old(recent, 3 * RECENT_AGE_US);
	assert_string_equal(missed_at(3 * RECENT_AGE_US, &ada, 1, 5, 1, 1), "");
}

static void what_is_not_all_there_is_not_there(void **state)
{
	(void)state;
	put(&ada, 1, 5, 2);
	put(&ada, 1, 5, 3);
	assert_string_equal(missed(&ada, 1, 5, 0, 3), "no"); /* 1 was before our time */
	assert_string_equal(missed(&ada, 1, 5, 1, 3), "23");
	assert_string_equal(missed(&ada, 1, 5, 1, 4), "no"); /* 4 is not told yet */
	assert_string_equal(missed(&ada, 1, 4, 1, 3), "no"); /* another epoch */
	assert_string_equal(missed(&bob, 1, 5, 1, 3), "no");
	assert_string_equal(missed(&ada, 2, 5, 1, 3), "no");
	assert_string_equal(missed(&ada, 1, 5, 7, 3), "no"); /* a number from the future */
	assert_string_equal(missed(&ada, 1, 5, UINT64_MAX, 3), "no");
	put(&ada, 1, 5, 5);
	assert_string_equal(missed(&ada, 1, 5, 2, 5), "no"); /* 4 is missing */
	assert_string_equal(missed(&ada, 1, 5, 4, 5), "5");
}

static void another_epoch_begins_anew(void **state)
{
	(void)state;
	put(&ada, 1, 5, 1);
	put(&ada, 1, 6, 2);
	put(&ada, 1, 6, 3);
	assert_string_equal(missed(&ada, 1, 6, 1, 3), "23");
	assert_string_equal(missed(&ada, 1, 6, 0, 3), "no");
	assert_string_equal(missed(&ada, 1, 5, 0, 1), "no");
}

static void a_thousand_are_told_again_and_one_more_is_a_snapshot(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= RECENT_EVENTS + 1; seq++)
		put(&ada, 1, 5, seq);
	assert_int_equal(strlen(missed(&ada, 1, 5, 1, RECENT_EVENTS + 1)), RECENT_EVENTS);
	assert_string_equal(missed(&ada, 1, 5, 0, RECENT_EVENTS + 1), "no");
}

static void ten_minutes_are_told_again_and_no_more(void **state)
{
	(void)state;
	put_sized(&ada, 1, 5, 1, 100, 0);
	put_sized(&ada, 1, 5, 2, 100, 10 * S);
	assert_string_equal(missed_at(RECENT_AGE_US - 1, &ada, 1, 5, 0, 2), "12");
	assert_string_equal(missed_at(RECENT_AGE_US, &ada, 1, 5, 0, 2), "no");
	assert_string_equal(missed_at(RECENT_AGE_US, &ada, 1, 5, 1, 2), "2");
}

static void memory_is_bounded_and_the_oldest_go_first(void **state)
{
	(void)state;
	const size_t big = RECENT_TEXT_LONGEST;
	uint64_t last = 0;
	unsigned there = 0;

	for (uint64_t seq = 1; seq <= 10; seq++)
		put(&bob, 3, 5, seq);
	while (last < RECENT_EVENTS * 6)
		put_sized(&ada, 1, 5, ++last, big, 0);
	assert_int_equal(recent_bytes(recent), RECENT_BYTES);
	assert_string_equal(missed(&bob, 3, 5, 0, 10), "no");
	assert_string_equal(missed(&bob, 3, 5, 9, 10), "no");
	for (uint64_t after = last - RECENT_EVENTS; after < last; after++)
		there += recent_has(recent, &ada, 1, 5, after, last, 0);
	assert_int_equal(there, RECENT_EVENTS);
}

/* What somebody is in the middle of reading goes like everything else; he is told so. */
static void who_reads_too_slowly_is_told(void **state)
{
	(void)state;
	struct recent_text slice[2];
	unsigned count;
	uint64_t newest;

	for (uint64_t seq = 1; seq <= 3; seq++)
		put(&ada, 1, 5, seq);
	assert_true(recent_read(recent, &ada, 1, 5, 0, 2, slice, &count, &newest));
	assert_int_equal(count, 2);
	for (uint64_t seq = 1; seq <= 6000; seq++)
		put_sized(&bob, 1, 5, seq, RECENT_TEXT_LONGEST, 0);
	assert_false(recent_read(recent, &ada, 1, 5, 2, 2, slice, &count, &newest));
	assert_int_equal(count, 0);
}

static void memory_is_given_back_when_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(recent_bytes(recent), 0);
	for (uint64_t seq = 1; seq <= 2000; seq++)
		put_sized(&ada, 1, 5, seq, 2000, 0);
	assert_in_range(recent_bytes(recent), 4000000, 6000000);
	put_sized(&bob, 1, 5, 1, 100, 60 * S);
	recent_forget_old(recent, RECENT_AGE_US);
	assert_int_equal(recent_bytes(recent), RECENT_CHUNK);
	recent_forget_old(recent, RECENT_AGE_US + 60 * S);
	assert_int_equal(recent_bytes(recent), 0);
	assert_int_equal(recent_tabs(recent), 0);
	put(&ada, 1, 5, 2001);
	assert_string_equal(missed(&ada, 1, 5, 2000, 2001), "1");
}

static void tabs_whose_events_are_gone_take_no_room(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		struct uuid agent = {{7}};
		memcpy(agent.bytes + 8, &i, sizeof(i));
		put_sized(&agent, 1 + (int)(i % 16), 5, 1, 2000, 0);
	}
	assert_in_range(recent_tabs(recent), RECENT_BYTES / 2100 * 9 / 10, 70000);
}

/* ---- a tab that comes and goes ---- */

#define TABS   4
#define ROUNDS 3000

static uint32_t random_state = 4711;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

struct reader { /* of one tab, who is away now and then */
	uint64_t heard, told;
	bool is_here, is_behind;
};

static void tell(struct reader *reader, int tab, int64_t now_us)
{
	reader->told++;
	put_sized(&ada, tab, 5, reader->told, 8 + random_below(3000), now_us);
	if (reader->is_here && !reader->is_behind)
		assert_int_equal(++reader->heard, reader->told);
}

static void come_back(struct reader *reader, int tab, int64_t now_us, unsigned *resets)
{
	reader->is_here = true;
	if (recent_has(recent, &ada, tab, 5, reader->heard, reader->told, now_us)) {
		reader->is_behind = reader->heard < reader->told;
		return;
	}
	assert_true(reader->told - reader->heard > RECENT_EVENTS / 2); /* not without reason */
	reader->heard = reader->told;
	reader->is_behind = false;
	++*resets;
}

static void read_some(struct reader *reader, int tab)
{
	struct recent_text slice[32];
	unsigned count;
	uint64_t newest;

	assert_true(recent_read(recent, &ada, tab, 5, reader->heard, 1 + random_below(32), slice,
				&count, &newest));
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(seq_of(&slice[i]), ++reader->heard);
	reader->is_behind = reader->heard < newest;
	assert_int_equal(newest, reader->told);
}

static void whoever_comes_and_goes_hears_every_number_once(void **state)
{
	(void)state;
	struct reader readers[TABS + 1] = {{0}};
	unsigned resets = 0, resumes = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int tab = 1; tab <= TABS; tab++) {
			struct reader *reader = &readers[tab];
			unsigned burst = random_below(50) ? random_below(8) : random_below(1500);
			for (unsigned i = 0; i < burst; i++)
				tell(reader, tab, round * S / 100);
			if (!reader->is_here) {
				come_back(reader, tab, round * S / 100, &resets);
				resumes++;
			} else if (random_below(3) == 0) {
				reader->is_here = reader->is_behind = false;
			}
			while (reader->is_behind && random_below(4))
				read_some(reader, tab);
		}
	}
	assert_true(resumes > ROUNDS / 2);
	assert_in_range(resets, 1, resumes / 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exactly_what_was_missed_comes_in_order),
		TEST(nothing_missed_is_always_there),
		TEST(what_is_not_all_there_is_not_there),
		TEST(another_epoch_begins_anew),
		TEST(a_thousand_are_told_again_and_one_more_is_a_snapshot),
		TEST(ten_minutes_are_told_again_and_no_more),
		TEST(memory_is_bounded_and_the_oldest_go_first),
		TEST(who_reads_too_slowly_is_told),
		TEST(memory_is_given_back_when_nothing_happens),
		TEST(tabs_whose_events_are_gone_take_no_room),
		TEST(whoever_comes_and_goes_hears_every_number_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
