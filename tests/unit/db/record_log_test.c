/* Records in the journal, without PostgreSQL: told when they are stable, found again by the next
 * run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "db/record.h"

struct seen {
	uint64_t number;
	bool is_state;
	unsigned has;
	int64_t at_ms;
};

static struct bench {
	char folder[64];
	struct record_log *log;
	struct journal_found found;
	uint64_t stable;
	bool is_degraded;
	struct seen seen[64];
	unsigned seen_count;
} bench;

static atomic_bool is_disk_full;

static int64_t pwrite_or_not(void *user, int fd, const void *bytes, size_t size, int64_t at)
{
	if (atomic_load(&is_disk_full)) {
		errno = ENOSPC;
		return -1;
	}
	return journal_io_system.pwrite(user, fd, bytes, size, at);
}

static void hear_stable(void *user, uint64_t number)
{
	(void)user;
	assert_true(number > bench.stable);
	bench.stable = number;
}

static void hear_degraded(void *user, bool is_degraded, const char *why)
{
	(void)user;
	assert_true(!is_degraded || strstr(why, "ENOSPC"));
	bench.is_degraded = is_degraded;
}

static void hear_wake(void *user)
{
	(void)user;
}

static struct record_log *try_open(unsigned limit, struct err *err)
{
	static struct journal_io io;
	const struct record_log_events events = {
		.on_stable = hear_stable, .on_degraded = hear_degraded, .wake = hear_wake};
	const struct record_log_config config = {.conninfo = "host=/nonexistent",
						 .journal_dir = bench.folder,
						 .node = "n1",
						 .limit = limit,
						 .segment_size = 1 << 20,
						 .io = &io};
	io = journal_io_system;
	io.pwrite = pwrite_or_not;
	return record_log_open(&config, &events, &bench.found, err);
}

static void open_log(unsigned limit)
{
	struct err err = {0};

	bench.log = try_open(limit, &err);
	if (!bench.log)
		fail_msg("%s: %s", err.code, err.message);
	bench.stable = bench.found.last;
}

static uint64_t append(unsigned has, int64_t at_ms, uint64_t begun_at)
{
	static struct record record;
	uint64_t number;

	record = (struct record){.has = has, .at_ms = at_ms, .begun_at = begun_at};
	assert_int_equal(record_append(bench.log, &record, &number), ST_OK);
	return number;
}

static void until_stable(uint64_t number)
{
	int64_t end_us = clock_mono_us(&clock_system) + 5000000;

	while (bench.stable < number) {
		assert_true(clock_mono_us(&clock_system) < end_us);
		poll(NULL, 0, 1);
		record_log_poll(bench.log);
	}
	assert_int_equal(bench.stable, number);
}

static void see(void *user, const struct record *record, bool is_state)
{
	(void)user;
	assert_true(bench.seen_count < 64);
	bench.seen[bench.seen_count++] =
		(struct seen){record->number, is_state, record->has, record->at_ms};
}

static void recover(int64_t since_ms)
{
	struct err err = {0};

	bench.seen_count = 0;
	if (record_log_recover(bench.log, since_ms, see, NULL, &err) != ST_OK)
		fail_msg("%s: %s", err.code, err.message);
}

static void look_away(void *user, const struct record *record, bool is_state)
{
	(void)user;
	(void)record;
	(void)is_state;
}

static void recover_quietly(void)
{
	assert_int_equal(record_log_recover(bench.log, 0, look_away, NULL, NULL), ST_OK);
}

static void restart(void)
{
	assert_int_equal(record_log_close(bench.log, 2000), 0);
	open_log(0);
}

static int set_up(void **state)
{
	(void)state;
	bench = (struct bench){0};
	atomic_store(&is_disk_full, false);
	strcpy(bench.folder, "/tmp/calltab-log-XXXXXX");
	assert_non_null(mkdtemp(bench.folder));
	open_log(0);
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	record_log_close(bench.log, 0);
	str_format(command, sizeof(command), "rm -rf '%s'", bench.folder);
	return system(command);
}

/* --- tests --- */

static void records_are_told_in_order_when_they_are_stable(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 100; i++)
		assert_int_equal(append(RECORD_NOTICE, 1, 0), i);
	until_stable(100);
	assert_int_equal(record_log_waiting(bench.log), 0);
	assert_int_equal(record_log_behind(bench.log), 100);
}

static void numbers_go_on_after_a_restart_and_nothing_old_is_told(void **state)
{
	(void)state;
	append(RECORD_NOTICE, 1, 0);
	append(RECORD_NOTICE, 2, 0);
	restart();
	assert_int_equal(bench.found.last, 2);
	record_log_poll(bench.log);
	assert_int_equal(append(RECORD_NOTICE, 3, 0), 3);
	until_stable(3);
}

static void without_a_checkpoint_everything_is_state(void **state)
{
	(void)state;
	append(RECORD_NOTICE, 1, 0);
	append(RECORD_STREAM, 2, 0);
	restart();
	recover(INT64_MAX);
	assert_int_equal(bench.seen_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bench.seen[i].number, i + 1);
		assert_true(bench.seen[i].is_state);
		assert_int_equal(bench.seen[i].at_ms, i + 1);
	}
}

static void after_a_checkpoint_older_ones_are_streams_and_commands(void **state)
{
	static const uint64_t expected[] = {4, 5, 6, 7, 8, 9};

	(void)state;
	append(RECORD_CALL | RECORD_STREAM, 100, 0); /* 1: too old */
	append(RECORD_ANSWER, 150, 0);		     /* 2: too old */
	append(RECORD_CALL | RECORD_LIVE, 200, 0);   /* 3: neither told nor a command */
	append(RECORD_CALL | RECORD_STREAM, 200, 0); /* 4 */
	append(RECORD_INTENT, 210, 0);		     /* 5 */
	append(RECORD_CHECKPOINT_BEGIN, 220, 0);     /* 6 */
	append(RECORD_COPY | RECORD_LIVE, 220, 0);   /* 7 */
	append(RECORD_CHECKPOINT_END, 220, 6);	     /* 8 */
	append(RECORD_CALL, 100, 0);		     /* 9 */
	restart();
	recover(200);
	assert_int_equal(bench.seen_count, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(bench.seen[i].number, expected[i]);
		assert_int_equal(bench.seen[i].is_state, expected[i] >= 6);
	}
}

static void checkpoint_that_was_not_ended_does_not_count(void **state)
{
	(void)state;
	append(RECORD_CHECKPOINT_BEGIN, 1, 0); /* 1 */
	append(RECORD_CHECKPOINT_END, 1, 1);   /* 2 */
	append(RECORD_CALL, 1, 0);	       /* 3 */
	append(RECORD_CHECKPOINT_BEGIN, 1, 0); /* 4 */
	append(RECORD_CHECKPOINT_END, 1, 99);  /* 5: of another */
	append(RECORD_CHECKPOINT_BEGIN, 1, 0); /* 6 */
	restart();
	recover(INT64_MAX);
	assert_int_equal(bench.seen_count, 6);
	assert_int_equal(bench.seen[0].number, 1);
	assert_true(bench.seen[0].is_state);
}

static void checkpoint_is_due_after_half_a_segment(void **state)
{
	unsigned count = 0;

	(void)state;
	assert_false(record_log_wants_checkpoint(bench.log));
	while (!record_log_wants_checkpoint(bench.log)) {
		append(RECORD_NOTICE, 1764000000000, 0);
		assert_true(++count < 50000);
	}
	assert_true(count > 5000);
	restart(); /* counts what it finds */
	assert_false(record_log_wants_checkpoint(bench.log));
	recover_quietly();
	assert_true(record_log_wants_checkpoint(bench.log));
	append(RECORD_CHECKPOINT_BEGIN, 1, 0);
	assert_false(record_log_wants_checkpoint(bench.log));
}

static unsigned news_until_due(void)
{
	unsigned count = 0;

	while (!record_log_wants_checkpoint(bench.log)) {
		append(RECORD_NOTICE, 1764000000000, 0);
		assert_true(++count < 90000);
	}
	return count;
}

/* A copy that is larger than what makes the next one due must not make it due. */
static void a_large_copy_is_followed_by_as_much_news_before_the_next(void **state)
{
	(void)state;
	unsigned usual = news_until_due();
	append(RECORD_CHECKPOINT_BEGIN, 1764000000000, 0);
	for (unsigned i = 0; i < 2 * usual; i++)
		append(RECORD_COPY | RECORD_NOTICE, 1764000000000, 0);
	assert_false(record_log_wants_checkpoint(bench.log));
	assert_in_range(news_until_due(), usual * 19 / 10, usual * 21 / 10);
	append(RECORD_CHECKPOINT_BEGIN, 1764000000000, 0);
	assert_in_range(news_until_due(), usual * 9 / 10, usual * 11 / 10);
}

static void second_log_of_a_folder_is_refused(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(try_open(0, &err));
	assert_string_equal(err.code, "journal.locked");
}

static void full_disk_is_told_and_waits_up_to_the_limit(void **state)
{
	static const struct record record = {.has = RECORD_NOTICE};
	uint64_t number = 0;

	(void)state;
	record_log_close(bench.log, 1000);
	open_log(10);
	append(RECORD_NOTICE, 1, 0);
	until_stable(1);
	atomic_store(&is_disk_full, true);
	for (unsigned i = 0; i < 10; i++)
		append(RECORD_NOTICE, 1, 0);
	for (int64_t end_us = clock_mono_us(&clock_system) + 5000000; !bench.is_degraded;
	     record_log_poll(bench.log)) {
		assert_true(clock_mono_us(&clock_system) < end_us);
		poll(NULL, 0, 1);
	}
	assert_true(record_log_is_degraded(bench.log));
	assert_int_equal(record_append(bench.log, &record, &number), ST_BUSY);
	assert_int_equal(number, 0);
	assert_int_equal(record_log_fill_percent(bench.log), 100);
	assert_int_equal(bench.stable, 1);
	atomic_store(&is_disk_full, false);
	until_stable(11);
	assert_int_equal(record_log_fill_percent(bench.log), 0);
	record_log_poll(bench.log);
	assert_false(bench.is_degraded);
}

static void close_counts_what_the_disk_did_not_take(void **state)
{
	(void)state;
	append(RECORD_NOTICE, 1, 0);
	until_stable(1);
	atomic_store(&is_disk_full, true);
	append(RECORD_NOTICE, 1, 0);
	append(RECORD_NOTICE, 1, 0);
	assert_int_equal(record_log_close(bench.log, 100), 2);
	atomic_store(&is_disk_full, false);
	open_log(0);
	assert_int_equal(bench.found.last, 1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(records_are_told_in_order_when_they_are_stable),
		test(numbers_go_on_after_a_restart_and_nothing_old_is_told),
		test(without_a_checkpoint_everything_is_state),
		test(after_a_checkpoint_older_ones_are_streams_and_commands),
		test(checkpoint_that_was_not_ended_does_not_count),
		test(checkpoint_is_due_after_half_a_segment),
		test(second_log_of_a_folder_is_refused),
		test(a_large_copy_is_followed_by_as_much_news_before_the_next),
		test(full_disk_is_told_and_waits_up_to_the_limit),
		test(close_counts_what_the_disk_did_not_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
