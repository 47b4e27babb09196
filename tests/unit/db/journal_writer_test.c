#include "journal_world.h"

#include <inttypes.h>
#include <string.h>

#include "db/journal_segment.h"

/* All zeros are written, of the segment and of the next one: what fails now is a group. */
static void wait_for_zeros(struct world *world)
{
	wait_until(world, world->spare_syncs == ZERO_STEPS);
}

/* --- groups --- */

static void first_entry_does_not_wait_until_its_whole_segment_is_zeroed(void **state)
{
	(void)state;
	struct world *world = world_make();

	world_open_and_append(world);
	wait_until(world, world->synced == 1);
	/* zeros for the header and for the entry; both */
	assert_int_equal(world->taken_syncs, 3);
	append_and_wait(world, 600);
	world_close(world);
	assert_true(world_open(world));
	assert_int_equal(world->found.cut_bytes, 0);
	assert_entries(world->journal, 1, 1, 601);
	world_free(world);
}

/* A sync that takes 2 seconds is one that does not return while all this happens. */
static void slow_sync_holds_nobody_and_the_next_takes_all_that_waited(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 1);
	wait_for_zeros(world);
	world_hold_syncs(world, true);
	append(world, 1);
	wait_until(world, world->is_sync_waiting);
	append(world, 200);
	assert_int_equal(journal_synced(world->journal), 1);
	assert_int_equal(journal_appended(world->journal), 202);
	assert_entries(world->journal, 1, 1, 1);
	unsigned before = world->syncs, told = world->syncs_told;
	world_hold_syncs(world, false);
	wait_until(world, world->synced == 202);
	assert_int_equal(world->syncs, before + 2);
	assert_int_equal(world->syncs_told, told + 2);
	assert_entries(world->journal, 1, 1, 202);
	world_free(world);
}

/* The records of one step: a killed process has left all of them or none. */
static void what_is_held_is_stable_together(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 1);
	for (unsigned round = 0; round < 40; round++) {
		uint64_t before = journal_appended(world->journal);

		journal_hold(world->journal, true);
		append(world, 1);
		journal_release(world->journal, 1); /* wakes the thread, which must leave it */
		append(world, 20);
		assert_int_equal(journal_synced(world->journal), before);
		journal_hold(world->journal, false);
		wait_until(world, world->synced > before);
		assert_int_equal(world->synced, before + 21);
	}
	assert_true(journal_bytes(world->journal) > SEGMENT); /* also at a segment's end */
	world_free(world);
}

static void too_much_that_waits_is_refused(void **state)
{
	(void)state;
	struct world *world = world_make();
	char payload[1000] = "";
	uint64_t number;
	unsigned taken = 0;

	world->config.waiting_bytes_max = 20000;
	assert_true(world_open(world));
	append_and_wait(world, 1);
	wait_for_zeros(world);
	world_hold_syncs(world, true);
	while (journal_append(world->journal, 1, payload, sizeof(payload), &number) == ST_OK)
		taken++;
	assert_int_equal(taken, 20000 / (1000 + ENTRY_HEADER_SIZE));
	world_hold_syncs(world, false);
	wait_until(world, world->synced == number);
	assert_int_equal(journal_append(world->journal, 1, payload, sizeof(payload), &number),
			 ST_OK);
	assert_int_equal(number, taken + 2);
	world_free(world);
}

/* --- failures --- */

static void full_disk_loses_nothing_and_is_told_once(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 50);
	pthread_mutex_lock(&world->lock);
	world->is_full = true;
	world->fail_sync = world->syncs + 1; /* a spare that is ready does not help either */
	pthread_mutex_unlock(&world->lock);
	append(world, 1000);
	wait_until(world, world->degraded_told == 1);
	append(world, 100);
	pthread_mutex_lock(&world->lock);
	world->is_full = false;
	pthread_mutex_unlock(&world->lock);
	wait_until(world, world->synced == 1150);
	wait_until(world, world->well_told == 1);
	assert_false(journal_is_degraded(world->journal));
	assert_int_equal(world->degraded_told, 1);
	assert_entries(world->journal, 1, 1, 1150);
	world_close(world);
	assert_true(world_open(world));
	assert_entries(world->journal, 1, 1, 1150);
	world_free(world);
}

static void file_whose_sync_failed_is_never_synced_again(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 50);
	wait_for_zeros(world);
	pthread_mutex_lock(&world->lock);
	world->fail_sync = world->syncs + 1;
	pthread_mutex_unlock(&world->lock);
	append_and_wait(world, 50);
	wait_until(world, world->well_told == 1);
	assert_int_equal(world->degraded_told, 1);
	assert_string_equal(world->why, "Input/output error (EIO)");
	assert_int_equal(world->ram->synced_after_failure, 0);
	assert_non_null(ram_find(world->ram, "0000000000000002.journal"));
	assert_entries(world->journal, 1, 1, 100);
	append_and_wait(world, 50);
	world_close(world);
	/* what the old file holds of the failed group does not count */
	assert_true(world_open(world));
	assert_entries(world->journal, 1, 1, 150);
	world_free(world);
}

static void zeros_that_fail_end_the_segment_and_harm_nobody(void **state)
{
	(void)state;
	struct world *world = world_make();

	world->fail_sync = 3; /* of the segment, which has only some of its zeros */
	world_open_and_append(world);
	wait_until(world, world->syncs == 3);
	append_and_wait(world, 50);
	assert_non_null(ram_find(world->ram, "0000000000000002.journal"));
	assert_int_equal(world->degraded_told, 0);
	assert_entries(world->journal, 1, 1, 51);
	world_free(world);
}

static void failed_write_goes_on_in_the_next_segment(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 50);
	wait_for_zeros(world);
	pthread_mutex_lock(&world->lock);
	world->is_write_bad = true;
	pthread_mutex_unlock(&world->lock);
	append_and_wait(world, 50);
	assert_int_equal(world->degraded_told, 1);
	world_close(world);
	assert_true(world_open(world));
	assert_entries(world->journal, 1, 1, 100);
	world_free(world);
}

static void short_and_interrupted_calls_are_gone_on_with(void **state)
{
	(void)state;
	struct world *world = world_make();

	world->ram->is_choppy = true;
	assert_true(world_open(world));
	append_and_wait(world, 200);
	assert_entries(world->journal, 1, 1, 200);
	world_close(world);
	assert_true(world_open(world));
	assert_entries(world->journal, 1, 1, 200);
	assert_int_equal(world->degraded_told, 0);
	world_free(world);
}

static void closing_in_time_says_what_was_not_stable(void **state)
{
	(void)state;
	struct world *world = world_make();

	world->is_full = true;
	assert_true(world_open(world));
	append(world, 7);
	wait_until(world, world->degraded_told == 1);
	assert_int_equal(journal_close(world->journal, 50), 7);
	world->journal = NULL;
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_entry_does_not_wait_until_its_whole_segment_is_zeroed),
		cmocka_unit_test(slow_sync_holds_nobody_and_the_next_takes_all_that_waited),
		cmocka_unit_test(what_is_held_is_stable_together),
		cmocka_unit_test(too_much_that_waits_is_refused),
		cmocka_unit_test(full_disk_loses_nothing_and_is_told_once),
		cmocka_unit_test(file_whose_sync_failed_is_never_synced_again),
		cmocka_unit_test(zeros_that_fail_end_the_segment_and_harm_nobody),
		cmocka_unit_test(failed_write_goes_on_in_the_next_segment),
		cmocka_unit_test(short_and_interrupted_calls_are_gone_on_with),
		cmocka_unit_test(closing_in_time_says_what_was_not_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
