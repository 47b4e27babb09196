#include "db_test.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "db/journal.h"
#include "db/journal_segment.h"
#include "journal_ram.h"

#define SEGMENT	   65536
#define ZERO_STEPS 16 /* of 4 kB */
#define SPARE	   "spare.journal"

/* --- one journal on a disk in memory --- */

struct world {
	struct ram *ram;
	struct journal_io io;
	struct journal *journal;
	struct journal_found found;
	struct err err;
	struct journal_config config;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	uint64_t synced;
	unsigned syncs_told, degraded_told, well_told;
	char why[120];
	/* faults, by the hook */
	unsigned syncs;	    /* of segments */
	unsigned fail_sync; /* this one fails; 0: none */
	bool is_full;	    /* no space to begin a segment */
	bool is_write_bad;  /* the next write to a segment fails */
	bool is_sync_held;  /* syncs of segments wait */
	bool is_sync_waiting;
	bool is_spare_held;   /* the first sync of a spare waits until something was appended */
	unsigned spare_syncs; /* of this one */
	unsigned taken_syncs; /* of the one before, when it became a segment */
};

static void on_synced(void *user, uint64_t number)
{
	struct world *world = user;

	ram_note(world->ram, RAM_ACKED, number);
	pthread_mutex_lock(&world->lock);
	assert(number > world->synced);
	world->synced = number;
	world->syncs_told++;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
}

static void on_degraded(void *user, const char *why)
{
	struct world *world = user;

	pthread_mutex_lock(&world->lock);
	if (why) {
		world->degraded_told++;
		str_copy_cut(world->why, sizeof(world->why), why);
	} else {
		world->well_told++;
	}
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
}

static bool is_segment(const char *name)
{
	uint64_t number;

	return segment_name_parse(name, &number);
}

static int sync_hook(struct world *world)
{
	world->is_sync_waiting = true;
	pthread_cond_broadcast(&world->changed);
	while (world->is_sync_held)
		pthread_cond_wait(&world->changed, &world->lock);
	world->is_sync_waiting = false;
	return ++world->syncs == world->fail_sync ? EIO : 0;
}

static void spare_hook(struct world *world)
{
	world->spare_syncs++;
	pthread_cond_broadcast(&world->changed);
	while (world->is_spare_held)
		pthread_cond_wait(&world->changed, &world->lock);
}

static int hook(void *user, enum ram_kind kind, const char *name)
{
	struct world *world = user;
	int error = 0;

	pthread_mutex_lock(&world->lock);
	if (world->is_full && (kind == RAM_SIZE || kind == RAM_WRITE) && !is_segment(name))
		error = ENOSPC;
	if (world->is_write_bad && kind == RAM_WRITE && is_segment(name)) {
		world->is_write_bad = false;
		error = EIO;
	}
	if (kind == RAM_SYNC && is_segment(name))
		error = sync_hook(world);
	if (kind == RAM_SYNC && strcmp(name, SPARE) == 0)
		spare_hook(world);
	if (kind == RAM_RENAME) {
		world->taken_syncs = world->spare_syncs;
		world->spare_syncs = 0;
	}
	pthread_mutex_unlock(&world->lock);
	return error;
}

static struct world *world_make(void)
{
	struct world *world = xcalloc(1, sizeof(*world));

	pthread_mutex_init(&world->lock, NULL);
	pthread_cond_init(&world->changed, NULL);
	world->ram = ram_make();
	world->ram->is_recording = true;
	world->ram->hook = hook;
	world->ram->hook_user = world;
	world->io = ram_io(world->ram);
	world->config = (struct journal_config){
		.folder = "/journal", .node = "n1", .io = &world->io, .segment_size = SEGMENT};
	return world;
}

static bool world_open(struct world *world)
{
	const struct journal_events events = {
		.on_synced = on_synced, .on_degraded = on_degraded, .user = world};

	world->found = (struct journal_found){0};
	world->journal = journal_open(&world->config, &events, &world->found, &world->err);
	if (world->journal)
		world->synced = journal_synced(world->journal);
	return world->journal;
}

static void world_close(struct world *world)
{
	assert_int_equal(journal_close(world->journal, 5000), 0);
	world->journal = NULL;
}

static void world_free(struct world *world)
{
	journal_close(world->journal, 5000);
	assert_int_equal(world->ram->synced_after_failure, 0);
	ram_free(world->ram);
	pthread_mutex_destroy(&world->lock);
	pthread_cond_destroy(&world->changed);
	free(world);
}

/* Payload of an entry: a function of its number. */
static size_t make_payload(uint64_t number, char bytes[400])
{
	size_t size = (size_t)(number * 7919 % 400);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(number * 31 + i * 7);
	return size;
}

static void append(struct world *world, unsigned count)
{
	char payload[400];

	for (unsigned i = 0; i < count; i++) {
		uint64_t number, next = journal_appended(world->journal) + 1;
		size_t size = make_payload(next, payload);
		assert_int_equal(journal_append(world->journal, (uint16_t)(1 + next % 9), payload,
						size, &number),
				 ST_OK);
		assert_int_equal(number, next);
	}
}

/* 10 seconds at most. */
#define wait_until(world, condition)                                                               \
	do {                                                                                       \
		struct timespec deadline;                                                          \
		clock_gettime(CLOCK_REALTIME, &deadline);                                          \
		deadline.tv_sec += 10;                                                             \
		pthread_mutex_lock(&(world)->lock);                                                \
		int waited = 0;                                                                    \
		while (!(condition) && !waited)                                                    \
			waited = pthread_cond_timedwait(&(world)->changed, &(world)->lock,         \
							&deadline);                                \
		pthread_mutex_unlock(&(world)->lock);                                              \
		assert_int_equal(waited, 0);                                                       \
	} while (0)

static void append_and_wait(struct world *world, unsigned count)
{
	append(world, count);
	uint64_t last = journal_appended(world->journal);
	wait_until(world, world->synced == last);
}

/* All zeros are written, of the segment and of the next one: what fails now is a group. */
static void wait_for_zeros(struct world *world)
{
	wait_until(world, world->spare_syncs == ZERO_STEPS);
}

static void assert_entry(const struct journal_entry *entry, uint64_t number)
{
	char payload[400];

	assert_int_equal(entry->number, number);
	assert_int_equal(entry->type, 1 + number % 9);
	assert_int_equal(entry->size, make_payload(number, payload));
	assert_memory_equal(entry->payload, payload, entry->size);
}

/* A reader from `from` gives exactly first to last. */
static void assert_entries(struct journal *journal, uint64_t from, uint64_t first, uint64_t last)
{
	struct journal_reader *reader = journal_reader_open(journal, from);
	struct journal_entry entry;
	struct err err;

	for (uint64_t number = first; number <= last; number++) {
		assert_int_equal(journal_reader_next(reader, &entry, &err), ST_OK);
		assert_entry(&entry, number);
	}
	assert_int_equal(journal_reader_next(reader, &entry, &err), ST_NOT_FOUND);
	journal_reader_close(reader);
}

static unsigned count_segments(struct ram *ram)
{
	unsigned count = 0;

	pthread_mutex_lock(&ram->lock);
	for (unsigned i = 0; i < ram->name_count; i++)
		count += is_segment(ram->names[i].name);
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

static void set_held(struct world *world, bool is_held)
{
	pthread_mutex_lock(&world->lock);
	world->is_sync_held = is_held;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
}

/* A sync that takes 2 seconds is one that does not return while all this happens. */
static void first_entry_does_not_wait_until_its_whole_segment_is_zeroed(void **state)
{
	(void)state;
	struct world *world = world_make();

	world->is_spare_held = true;
	assert_true(world_open(world));
	append(world, 1);
	pthread_mutex_lock(&world->lock);
	world->is_spare_held = false;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
	wait_until(world, world->synced == 1);
	/* zeros for the header and for the entry; both */
	assert_int_equal(world->taken_syncs, 3);
	append_and_wait(world, 600);
	assert_entries(world->journal, 1, 1, 601);
	world_close(world);
	assert_true(world_open(world));
	assert_int_equal(world->found.cut_bytes, 0);
	assert_entries(world->journal, 1, 1, 601);
	world_free(world);
}

static void slow_sync_holds_nobody_and_the_next_takes_all_that_waited(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append_and_wait(world, 1);
	wait_for_zeros(world);
	set_held(world, true);
	append(world, 1);
	wait_until(world, world->is_sync_waiting);
	append(world, 200);
	assert_int_equal(journal_synced(world->journal), 1);
	assert_int_equal(journal_appended(world->journal), 202);
	assert_entries(world->journal, 1, 1, 1);
	unsigned before = world->syncs, told = world->syncs_told;
	set_held(world, false);
	wait_until(world, world->synced == 202);
	assert_int_equal(world->syncs, before + 2);
	assert_int_equal(world->syncs_told, told + 2);
	assert_entries(world->journal, 1, 1, 202);
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
	set_held(world, true);
	while (journal_append(world->journal, 1, payload, sizeof(payload), &number) == ST_OK)
		taken++;
	assert_int_equal(taken, 20000 / (1000 + ENTRY_HEADER_SIZE));
	set_held(world, false);
	wait_until(world, world->synced == number);
	assert_int_equal(journal_append(world->journal, 1, payload, sizeof(payload), &number),
			 ST_OK);
	assert_int_equal(number, taken + 2);
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

static void newer_version_is_refused(void **state)
{
	(void)state;
	struct world *world = world_make();

	assert_true(world_open(world));
	append(world, 1);
	world_close(world);
	struct ram_inode *inode = ram_find(world->ram, FIRST);
	for (unsigned at = 0; at <= 2048; at += 2048) {
		inode->bytes[at + 8] = SEGMENT_VERSION + 1;
		memset(inode->bytes + at + 12, 0, 4);
		uint32_t crc = crc_of(inode->bytes + at, 512);
		memcpy(inode->bytes + at + 12, &crc, 4);
	}
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
	set_held(world, true);
	append(world, 10);
	wait_until(world, world->is_sync_waiting);
	set_held(world, false);
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

	world->is_spare_held = true;
	assert_true(world_open(world));
	append(world, 1);
	pthread_mutex_lock(&world->lock);
	world->fail_sync = 3; /* of the segment, which has only some of its zeros */
	world->is_spare_held = false;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
	wait_until(world, world->syncs == 3);
	append_and_wait(world, 50);
	assert_non_null(ram_find(world->ram, "0000000000000002.journal"));
	assert_int_equal(world->ram->synced_after_failure, 0);
	assert_int_equal(world->degraded_told, 0);
	assert_entries(world->journal, 1, 1, 51);
	world_close(world);
	assert_true(world_open(world));
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
		set_held(world, true);
		append(world, 3);
		for (; number <= journal_synced(world->journal); number++) {
			assert_int_equal(journal_reader_next(live, &entry, NULL), ST_OK);
			assert_entry(&entry, number);
		}
		if (journal_synced(world->journal) < journal_appended(world->journal))
			assert_int_equal(journal_reader_next(live, &entry, NULL), ST_NOT_FOUND);
		set_held(world, false);
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
		cmocka_unit_test(first_entry_does_not_wait_until_its_whole_segment_is_zeroed),
		cmocka_unit_test(slow_sync_holds_nobody_and_the_next_takes_all_that_waited),
		cmocka_unit_test(too_much_that_waits_is_refused),
		cmocka_unit_test(real_folder_is_made_and_opened_once),
		cmocka_unit_test(folder_of_another_node_is_refused),
		cmocka_unit_test(newer_version_is_refused),
		cmocka_unit_test(torn_tail_is_cut),
		cmocka_unit_test(damage_of_what_was_stable_is_refused_and_salvage_goes_on),
		cmocka_unit_test(segment_that_is_missing_or_has_no_header_is_damage),
		cmocka_unit_test(full_disk_loses_nothing_and_is_told_once),
		cmocka_unit_test(file_whose_sync_failed_is_never_synced_again),
		cmocka_unit_test(zeros_that_fail_end_the_segment_and_harm_nobody),
		cmocka_unit_test(failed_write_goes_on_in_the_next_segment),
		cmocka_unit_test(short_and_interrupted_calls_are_gone_on_with),
		cmocka_unit_test(closing_in_time_says_what_was_not_stable),
		cmocka_unit_test(release_removes_only_what_may_go),
		cmocka_unit_test(readers_see_exactly_what_is_stable),
		cmocka_unit_test(read_only_changes_nothing_and_tells_damage_when_it_comes_to_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
