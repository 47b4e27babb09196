#include "journal_world.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "db/journal.h"
#include "db/journal_segment.h"

static unsigned count_segments(struct ram *ram)
{
	unsigned count = 0;
	uint64_t number;

	pthread_mutex_lock(&ram->lock);
	for (unsigned i = 0; i < ram->name_count; i++)
		count += segment_name_parse(ram->names[i].name, &number);
	pthread_mutex_unlock(&ram->lock);
	return count;
}

static const char *const FIRST = "0000000000000001.journal";

/* Where an entry begins in the first segment. */
static int64_t place_of(const struct world *world, uint64_t number)
{
	const struct ram_inode *inode = ram_find(world->ram, FIRST);
	int64_t at = SEGMENT_HEADER_SIZE;
	struct entry_header entry;

	while (entry_get(inode->bytes + at, &entry) && entry.number < number)
		at += (int64_t)entry_bytes(entry.size);
	assert_int_equal(entry.number, number);
	return at;
}

/* --- what it keeps --- */

static void what_is_appended_is_read_back(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	assert_int_equal(world->found.last, 0);
	append_and_wait(world, 300);
	assert_entries(world->journal, 0, 1, 300);
	assert_entries(world->journal, 250, 250, 300);
	assert_entries(world->journal, 301, 1, 0);
	world_free(world);
}

static void longest_payload_and_none_at_all_are_kept(void **state)
{
	(void)state;
	struct world *world = world_make();
	struct journal_entry entry;
	uint64_t number;
	auto_free char *bytes = xcalloc(1, JOURNAL_PAYLOAD_MAX + 1);

	assert_true(world_open(world));
	memset(bytes, 'x', JOURNAL_PAYLOAD_MAX);
	assert_int_equal(journal_append(world->journal, 1, bytes, JOURNAL_PAYLOAD_MAX + 1, &number),
			 ST_TOO_LARGE);
	assert_int_equal(journal_append(world->journal, 1, NULL, 0, &number), ST_OK);
	assert_int_equal(journal_append(world->journal, 65535, bytes, JOURNAL_PAYLOAD_MAX, &number),
			 ST_OK);
	world_close(world);
	assert_true(world_open(world));
	struct journal_reader *reader = journal_reader_open(world->journal, 2);
	assert_int_equal(journal_reader_next(reader, &entry, NULL), ST_OK);
	assert_int_equal(entry.number, 2);
	assert_int_equal(entry.type, 65535);
	assert_int_equal(entry.size, JOURNAL_PAYLOAD_MAX);
	assert_memory_equal(entry.payload, bytes, JOURNAL_PAYLOAD_MAX);
	journal_reader_close(reader);
	world_free(world);
}

static void numbers_go_on_over_openings(void **state)
{
	(void)state;
	struct world *world = world_make();

	for (unsigned round = 0; round < 6; round++) {
		assert_true(world_open(world));
		assert_int_equal(world->found.last, round * 50);
		assert_int_equal(world->found.cut_bytes, 0);
		append(world, 50);
		world_close(world);
	}
	assert_true(world_open(world));
	assert_int_equal(world->found.first, 1);
	assert_entries(world->journal, 1, 1, 300);
	world_free(world);
}

static void openings_without_entries_leave_nothing_behind(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append(world, 50);
	world_close(world);
	for (unsigned round = 0; round < 5; round++) {
		assert_true(world_open(world));
		world_close(world);
	}
	assert_in_range(count_segments(world->ram), 1, 2);
	world_free(world);
}

static void full_segment_is_followed_by_the_next(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	for (unsigned i = 0; i < 40; i++)
		append_and_wait(world, 50);
	assert_in_range(count_segments(world->ram), 7, 10);
	assert_entries(world->journal, 1, 1, 2000);
	assert_true(journal_bytes(world->journal) > 2000 * 200);
	world_close(world);
	assert_true(world_open(world));
	assert_int_equal(world->found.last, 2000);
	assert_entries(world->journal, 1, 1, 2000);
	world_free(world);
}

/* --- who may open it --- */

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
	(void)stat;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void real_folder_is_made_and_opened_once(void **state)
{
	(void)state;
	char top[] = "/tmp/calltab-journal-XXXXXX", folder[64];
	struct journal_found found;
	struct err err;
	struct stat stat_of;
	uint64_t number;

	assert_non_null(mkdtemp(top));
	snprintf(folder, sizeof(folder), "%s/journal", top);
	const struct journal_config config = {
		.folder = folder, .node = "n1", .segment_size = SEGMENT};
	struct journal *journal = journal_open(&config, NULL, &found, &err);
	assert_non_null(journal);
	assert_int_equal(stat(folder, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0700);
	assert_null(journal_open(&config, NULL, &found, &err));
	assert_string_equal(err.code, "journal.locked");
	assert_int_equal(err.status, ST_CONFLICT);
	assert_int_equal(journal_append(journal, 1, "one", 3, &number), ST_OK);
	assert_int_equal(journal_close(journal, 10000), 0);

	journal = journal_open(&config, NULL, &found, &err);
	assert_non_null(journal);
	assert_int_equal(found.last, 1);
	assert_int_equal(journal_close(journal, 10000), 0);
	nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void folder_of_another_node_is_refused(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append(world, 1);
	world_close(world);
	world->config.node = "n2";
	assert_false(world_open(world));
	assert_string_equal(world->err.code, "journal.node");
	assert_non_null(strstr(world->err.message, "\"n1\""));
	world->config.node = "a name of 25 bytes, 1 more";
	assert_false(world_open(world));
	assert_string_equal(world->err.code, "journal.node");
	world_free(world);
}

/* CRC-32 in its slowest form, so that the test writes what the code does not. */
static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void set_version(struct world *world, uint8_t version)
{
	struct ram_inode *inode = ram_find(world->ram, FIRST);

	for (unsigned at = 0; at <= 2048; at += 2048) {
		inode->bytes[at + 8] = version;
		memset(inode->bytes + at + 12, 0, 4);
		uint32_t crc = crc_of(inode->bytes + at, 512);
		memcpy(inode->bytes + at + 12, &crc, 4);
	}
}

/* In it no entry says that its step goes on. */
static void older_version_is_gone_on_from(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 20);
	world_close(world);
	set_version(world, 1);
	assert_true(world_open(world));
	assert_int_equal(world->found.last, 20);
	assert_int_equal(world->found.cut_bytes, 0);
	append_and_wait(world, 10);
	assert_entries(world->journal, 1, 1, 30);
	world_close(world);
	assert_true(world_open(world));
	assert_entries(world->journal, 1, 1, 30);
	world_free(world);
}

static void newer_version_is_refused(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append(world, 1);
	world_close(world);
	set_version(world, SEGMENT_VERSION + 1);
	assert_false(world_open(world));
	assert_string_equal(world->err.code, "journal.newer");
	world_free(world);
}

/* --- damage --- */

static void torn_tail_is_cut(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 10);
	world_hold_syncs(world, true);
	append(world, 10);
	wait_until(world, world->is_sync_waiting);
	world_hold_syncs(world, false);
	world_close(world);
	/* as if the sync of the second group had never come: its third entry has holes */
	int64_t at = place_of(world, 13);
	memset(ram_find(world->ram, FIRST)->bytes + at + 8, 0, 50);
	assert_true(world_open(world));
	assert_int_equal(world->found.last, 12);
	assert_true(world->found.cut_bytes > 300);
	assert_int_equal(world->found.salvaged_gap, 0);
	assert_entries(world->journal, 1, 1, 12);
	append_and_wait(world, 5);
	world_close(world);
	assert_true(world_open(world));
	assert_int_equal(world->found.cut_bytes, 0);
	assert_entries(world->journal, 1, 1, 17);
	world_free(world);
}

/* Of a group the whole steps are kept, of which nothing may have been told either. */
static void part_of_a_step_is_cut(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 10);
	world_hold_syncs(world, true);
	append(world, 1);
	wait_until(world, world->is_sync_waiting);
	journal_hold(world->journal, true);
	append(world, 3);
	journal_hold(world->journal, false);
	journal_hold(world->journal, true);
	append(world, 7);
	journal_hold(world->journal, false);
	world_hold_syncs(world, false);
	world_close(world);
	int64_t at = place_of(world, 18);
	memset(ram_find(world->ram, FIRST)->bytes + at + 8, 0, 50);
	for (int i = 0; i < 2; i++) {
		assert_true(world_open(world));
		assert_int_equal(world->found.last, 14);
		/* what may not have been stable was written into a segment of its own */
		assert_int_equal(world->found.cut_bytes > 300, i == 0);
		assert_int_equal(world->found.salvaged_gap, 0);
		assert_entries(world->journal, 1, 1, 14);
		world_close(world);
	}
	assert_true(world_open(world));
	append_and_wait(world, 5);
	world_close(world);
	assert_true(world_open(world));
	assert_int_equal(world->found.cut_bytes, 0);
	assert_entries(world->journal, 1, 1, 19);
	world_free(world);
}

static void damage_of_what_was_stable_is_refused_and_salvage_goes_on(void **state)
{
	(void)state;
	struct world *world = world_make();
	char place[80];

	assert_true(world_open(world));
	append_and_wait(world, 10);
	append_and_wait(world, 10);
	world_close(world);
	int64_t at = place_of(world, 5), next = place_of(world, 6);
	ram_find(world->ram, FIRST)->bytes[at + 20] ^= 1;
	ram_find(world->ram, FIRST)->bytes[next + 4] ^= 1;
	for (unsigned i = 0; i < 2; i++) {
		assert_false(world_open(world));
		assert_string_equal(world->err.code, "journal.damaged");
		snprintf(place, sizeof(place), "%s is damaged at byte %" PRId64, FIRST, at);
		assert_non_null(strstr(world->err.message, place));
		assert_non_null(strstr(world->err.message, "--salvage"));
	}
	world->config.salvage = true;
	assert_true(world_open(world));
	assert_int_equal(world->found.salvaged_gap, 2);
	assert_int_equal(world->found.last, 20);
	append(world, 5);
	world_close(world);

	/* it is known from then on */
	world->config.salvage = false;
	assert_true(world_open(world));
	assert_int_equal(world->found.salvaged_gap, 2);
	struct journal_reader *reader = journal_reader_open(world->journal, 1);
	struct journal_entry entry;
	for (uint64_t number = 1; number <= 25; number = number == 4 ? 7 : number + 1) {
		assert_int_equal(journal_reader_next(reader, &entry, NULL), ST_OK);
		assert_entry(&entry, number);
	}
	journal_reader_close(reader);
	world_free(world);
}

static void segment_that_is_missing_or_has_no_header_is_damage(void **state)
{
	(void)state;

	for (unsigned round = 0; round < 2; round++) {
		struct world *world = world_make();
		assert_true(world_open(world));
		for (unsigned i = 0; i < 20; i++)
			append_and_wait(world, 50);
		world_close(world);
		struct ram_inode *second = ram_find(world->ram, "0000000000000002.journal");
		if (round == 0)
			world->io.unlink(world->io.user, "/0000000000000002.journal");
		else
			memset(second->bytes, 0, SEGMENT_HEADER_SIZE);
		assert_false(world_open(world));
		assert_string_equal(world->err.code, "journal.damaged");
		world->config.salvage = true;
		assert_true(world_open(world));
		assert_in_range(world->found.salvaged_gap, 100, 500);
		assert_int_equal(world->found.last, 1000);
		world_free(world);
	}
}

/* --- releasing and reading --- */

static uint64_t wait_for_less(struct world *world, uint64_t bytes)
{
	/* done by the journal's thread before the next entry is told */
	for (unsigned i = 0; i < 1000 && journal_bytes(world->journal) >= bytes; i++)
		append_and_wait(world, 1);
	return journal_bytes(world->journal);
}

static void release_removes_only_what_may_go(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	for (unsigned i = 0; i < 20; i++)
		append_and_wait(world, 50);
	uint64_t bytes = journal_bytes(world->journal);
	struct journal_reader *reader = journal_reader_open(world->journal, 1);
	struct journal_entry entry;
	assert_int_equal(journal_reader_next(reader, &entry, NULL), ST_OK);

	journal_release(world->journal, 500);
	assert_true(wait_for_less(world, bytes) < bytes);
	assert_null(ram_find(world->ram, FIRST));
	/* what was begun is read to its end, then what is left */
	uint64_t last = 1;
	bool has_jumped = false;
	while (journal_reader_next(reader, &entry, NULL) == ST_OK) {
		has_jumped |= entry.number != last + 1;
		assert_true(entry.number == last + 1 || entry.number <= 500);
		assert_entry(&entry, entry.number);
		last = entry.number;
	}
	assert_true(last >= 1000 || has_jumped);
	journal_reader_close(reader);

	journal_release(world->journal, UINT64_MAX);
	wait_for_less(world, 2 * SEGMENT);
	world_close(world);
	assert_true(world_open(world));
	assert_true(world->found.last >= 1000);
	append_and_wait(world, 1);
	world_free(world);
}

static void readers_see_exactly_what_is_stable(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	struct journal_reader *live = journal_reader_open(world->journal, 1);
	struct journal_entry entry;
	for (unsigned round = 0, number = 1; round < 60; round++) {
		append_and_wait(world, 1 + round % 40);
		world_hold_syncs(world, true);
		append(world, 3);
		for (; number <= journal_synced(world->journal); number++) {
			assert_int_equal(journal_reader_next(live, &entry, NULL), ST_OK);
			assert_entry(&entry, number);
		}
		if (journal_synced(world->journal) < journal_appended(world->journal))
			assert_int_equal(journal_reader_next(live, &entry, NULL), ST_NOT_FOUND);
		world_hold_syncs(world, false);
		uint64_t last = journal_appended(world->journal);
		wait_until(world, world->synced == last);
	}
	assert_true(count_segments(world->ram) > 3);
	assert_entries(world->journal, 1, 1, journal_synced(world->journal));
	journal_reader_close(live);
	world_free(world);
}

static void read_only_changes_nothing_and_tells_damage_when_it_comes_to_it(void **state)
{
	(void)state;
	struct world *world = world_make();
	struct journal_entry entry;
	struct err err;

	assert_true(world_open(world));
	append_and_wait(world, 100);
	append_and_wait(world, 100);
	struct journal_config config = world->config;
	config.is_read_only = true;
	/* beside the one that writes */
	struct journal *reading = journal_open(&config, NULL, NULL, &err);
	assert_non_null(reading);
	assert_entries(reading, 1, 1, 200);
	assert_int_equal(journal_close(reading, 0), 0);
	world_close(world);
	unsigned before = world->ram->op_count;

	ram_find(world->ram, FIRST)->bytes[place_of(world, 50) + 40] ^= 4;
	reading = journal_open(&config, NULL, NULL, &err);
	assert_non_null(reading);
	struct journal_reader *reader = journal_reader_open(reading, 1);
	for (uint64_t number = 1; number < 50; number++)
		assert_int_equal(journal_reader_next(reader, &entry, &err), ST_OK);
	assert_int_equal(journal_reader_next(reader, &entry, &err), ST_INVALID);
	assert_string_equal(err.code, "journal.damaged");
	journal_reader_close(reader);
	journal_close(reading, 0);

	config.salvage = true;
	reading = journal_open(&config, NULL, NULL, &err);
	reader = journal_reader_open(reading, 50);
	assert_int_equal(journal_reader_next(reader, &entry, &err), ST_OK);
	assert_entry(&entry, 51);
	journal_reader_close(reader);
	journal_close(reading, 0);
	assert_int_equal(world->ram->op_count, before);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_appended_is_read_back),
		cmocka_unit_test(longest_payload_and_none_at_all_are_kept),
		cmocka_unit_test(numbers_go_on_over_openings),
		cmocka_unit_test(openings_without_entries_leave_nothing_behind),
		cmocka_unit_test(full_segment_is_followed_by_the_next),
		cmocka_unit_test(real_folder_is_made_and_opened_once),
		cmocka_unit_test(folder_of_another_node_is_refused),
		cmocka_unit_test(older_version_is_gone_on_from),
		cmocka_unit_test(newer_version_is_refused),
		cmocka_unit_test(torn_tail_is_cut),
		cmocka_unit_test(part_of_a_step_is_cut),
		cmocka_unit_test(damage_of_what_was_stable_is_refused_and_salvage_goes_on),
		cmocka_unit_test(segment_that_is_missing_or_has_no_header_is_damage),
		cmocka_unit_test(release_removes_only_what_may_go),
		cmocka_unit_test(readers_see_exactly_what_is_stable),
		cmocka_unit_test(read_only_changes_nothing_and_tells_damage_when_it_comes_to_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
