#include "journal_world.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "db/journal_segment.h"

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
	if (kind == RAM_SYNC && strcmp(name, "spare.journal") == 0)
		spare_hook(world);
	if (kind == RAM_RENAME) {
		world->taken_syncs = world->spare_syncs;
		world->spare_syncs = 0;
	}
	pthread_mutex_unlock(&world->lock);
	return error;
}

struct world *world_make(void)
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

bool world_open(struct world *world)
{
	const struct journal_events events = {
		.on_synced = on_synced, .on_degraded = on_degraded, .user = world};

	world->found = (struct journal_found){0};
	world->journal = journal_open(&world->config, &events, &world->found, &world->err);
	if (world->journal)
		world->synced = journal_synced(world->journal);
	return world->journal;
}

void world_close(struct world *world)
{
	assert_int_equal(journal_close(world->journal, 5000), 0);
	world->journal = NULL;
}

void world_free(struct world *world)
{
	journal_close(world->journal, 5000);
	assert_int_equal(world->ram->synced_after_failure, 0);
	ram_free(world->ram);
	pthread_mutex_destroy(&world->lock);
	pthread_cond_destroy(&world->changed);
	free(world);
}

size_t make_payload(uint64_t number, char bytes[400])
{
	size_t size = (size_t)(number * 7919 % 400);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(number * 31 + i * 7);
	return size;
}

void append(struct world *world, unsigned count)
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

void append_and_wait(struct world *world, unsigned count)
{
	append(world, count);
	uint64_t last = journal_appended(world->journal);
	wait_until(world, world->synced == last);
}

void assert_entry(const struct journal_entry *entry, uint64_t number)
{
	char payload[400];

	assert_int_equal(entry->number, number);
	assert_int_equal(entry->type, 1 + number % 9);
	assert_int_equal(entry->size, make_payload(number, payload));
	assert_memory_equal(entry->payload, payload, entry->size);
}

void assert_entries(struct journal *journal, uint64_t from, uint64_t first, uint64_t last)
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

void world_hold_syncs(struct world *world, bool is_held)
{
	pthread_mutex_lock(&world->lock);
	world->is_sync_held = is_held;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
}

void world_open_and_append(struct world *world)
{
	world->is_spare_held = true;
	assert_true(world_open(world));
	append(world, 1);
	pthread_mutex_lock(&world->lock);
	world->is_spare_held = false;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
}
