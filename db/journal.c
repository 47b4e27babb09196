#include "db/journal_state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define WAITING_BYTES_MAX (64u << 20)
#define NAME_LENGTH	  24 /* of the longest file in the folder, with its slash */

/* --- buffers --- */

void journal_buffer_reserve(struct journal_buffer *buffer, size_t more)
{
	size_t capacity = buffer->capacity ? buffer->capacity : 65536;

	while (capacity < buffer->size + more)
		capacity *= 2;
	if (capacity == buffer->capacity)
		return;
	buffer->bytes = xrealloc(buffer->bytes, capacity);
	buffer->capacity = capacity;
}

void journal_buffer_done(struct journal_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct journal_buffer){0};
}

/* --- opening --- */

static struct journal *create(const struct journal_config *config,
			      const struct journal_events *events)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));
	pthread_condattr_t attributes;

	journal->io = config->io ? *config->io : journal_io_system;
	if (events)
		journal->events = *events;
	journal->segment_size = config->segment_size ? config->segment_size : JOURNAL_SEGMENT_SIZE;
	journal->waiting_max =
		config->waiting_bytes_max ? config->waiting_bytes_max : WAITING_BYTES_MAX;
	journal->lock_fd = journal->fd = -1;
	journal->spare =
		(struct segment_spare){.io = &journal->io, .folder = journal->folder, .fd = -1};
	pthread_mutex_init(&journal->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&journal->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return journal;
}

static void destroy(struct journal *journal)
{
	if (journal->fd >= 0)
		journal->io.close(journal->io.user, journal->fd);
	spare_drop(&journal->spare);
	if (journal->lock_fd >= 0)
		journal->io.close(journal->io.user, journal->lock_fd);
	journal_buffer_done(&journal->pending);
	journal_buffer_done(&journal->taken);
	pthread_mutex_destroy(&journal->lock);
	pthread_cond_destroy(&journal->wake);
	free(journal->segments);
	free(journal->voids);
	free(journal);
}

static enum status take_names(struct journal *journal, const struct journal_config *config,
			      struct err *err)
{
	if (!str_copy(journal->folder, sizeof(journal->folder) - NAME_LENGTH - 1, config->folder))
		return journal_fail_io(err, "the folder's name", ENAMETOOLONG);
	if (!str_copy(journal->node, sizeof(journal->node), config->node))
		return err_set(err, ST_INVALID, "journal.node", "journal",
			       "a node's name has at most %d bytes", SEGMENT_NODE_MAX);
	return ST_OK;
}

static enum status lock_folder(struct journal *journal, struct err *err)
{
	const struct journal_io *io = &journal->io;
	char path[JOURNAL_PATH_SIZE];

	if (io->mkdir(io->user, journal->folder) != 0 && errno != EEXIST)
		return journal_fail_io(err, "the folder cannot be made", errno);
	if (!str_format(path, sizeof(path), "%s/lock", journal->folder))
		return journal_fail_io(err, "the folder's name", ENAMETOOLONG);
	journal->lock_fd = segment_open(io, path, O_RDWR | O_CREAT);
	if (journal->lock_fd < 0)
		return journal_fail_io(err, "the lock cannot be opened", errno);
	if (io->lock(io->user, journal->lock_fd) == 0)
		return ST_OK;
	if (errno != EWOULDBLOCK)
		return journal_fail_io(err, "the folder cannot be locked", errno);
	return err_set(err, ST_CONFLICT, "journal.locked", "journal",
		       "another calltab uses this journal: stop it first, or give this one a "
		       "folder of its own");
}

void journal_count_bytes(struct journal *journal)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < journal->segment_count; i++)
		bytes += (uint64_t)journal->segments[i].size;
	journal->bytes = bytes;
}

/* Takes the list out of the scan. */
static void take_found(struct journal *journal, struct journal_scan *scan, bool is_read_only)
{
	journal->segments = scan->segments;
	journal->segment_count = scan->count;
	scan->segments = NULL;
	journal_count_bytes(journal);
	journal->accepted = scan->accepted;
	journal->newest = scan->newest;
	journal->at = scan->end;
	journal->appended = scan->last;
	journal->synced = is_read_only ? scan->last : scan->stable;
	for (unsigned i = 0; i < scan->void_count; i++)
		journal_writer_note_void(journal, scan->voids[i].number);
}

/* The last entries may be in the kernel's cache only: the run before may have ended between their
 * write and their sync, or after a sync that failed. They are written once more, elsewhere. */
static enum status make_stable(struct journal *journal, const struct journal_scan *scan,
			       struct err *err)
{
	if (scan->has_new_damage)
		journal->accepted = scan->newest;
	if (scan->tail_size == 0 && !scan->has_new_damage)
		return ST_OK;
	journal_buffer_reserve(&journal->taken, scan->tail_size + 1);
	if (scan->tail_size > 0)
		memcpy(journal->taken.bytes, scan->tail, scan->tail_size);
	journal->taken.size = journal->waiting = scan->tail_size;
	return journal_writer_recover(journal)
		       ? ST_OK
		       : journal_fail_io(err, "the last entries cannot be made stable", errno);
}

static void tell_found(const struct journal *journal, const struct journal_scan *scan,
		       struct journal_found *ret)
{
	bool is_empty = journal->segment_count == 0 || scan->last < journal->segments[0].first;

	*ret = (struct journal_found){
		.first = is_empty ? 0 : journal->segments[0].first,
		.last = is_empty ? 0 : scan->last,
		.segments = journal->segment_count,
		.cut_bytes = scan->cut_bytes,
		.salvaged_gap = scan->gap,
	};
}

static enum status recover(struct journal *journal, const struct journal_config *config,
			   struct journal_found *ret_found, struct err *err)
{
	struct journal_scan scan;
	enum status status = journal_scan(config, &journal->io, &scan, err);

	if (status == ST_OK) {
		take_found(journal, &scan, config->is_read_only);
		if (config->is_read_only && config->salvage)
			journal->accepted = UINT64_MAX;
		if (!config->is_read_only)
			status = make_stable(journal, &scan, err);
		if (ret_found && status == ST_OK)
			tell_found(journal, &scan, ret_found);
	}
	journal_scan_done(&scan);
	return status;
}

/* No signal is handled on it: it would interrupt a write. */
static void start_thread(struct journal *journal)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	journal->has_thread = true;
	/* As without memory: a journal without its thread would only fill up. */
	if (pthread_create(&journal->thread, NULL, journal_writer_run, journal) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct journal *journal_open(const struct journal_config *config,
			     const struct journal_events *events, struct journal_found *ret_found,
			     struct err *err)
{
	struct journal *journal = create(config, events);
	enum status status = take_names(journal, config, err);

	if (status == ST_OK && !config->is_read_only)
		status = lock_folder(journal, err);
	if (status == ST_OK)
		status = recover(journal, config, ret_found, err);
	if (status != ST_OK) {
		destroy(journal);
		return NULL;
	}
	if (!config->is_read_only) {
		journal_writer_drop_voids(journal);
		start_thread(journal);
	}
	return journal;
}

uint64_t journal_close(struct journal *journal, unsigned wait_ms)
{
	if (!journal)
		return 0;
	if (journal->has_thread) {
		pthread_mutex_lock(&journal->lock);
		journal->is_stopping = true;
		journal->stop_at_us = journal_now_us() + (int64_t)wait_ms * 1000;
		pthread_cond_signal(&journal->wake);
		pthread_mutex_unlock(&journal->lock);
		pthread_join(journal->thread, NULL);
	}
	uint64_t left = journal->appended - journal->synced;
	destroy(journal);
	return left;
}

/* --- the owner's side --- */

enum status journal_append(struct journal *journal, uint16_t type, const void *payload, size_t size,
			   uint64_t *ret_number)
{
	assert(type != 0 && journal->has_thread);
	if (size > JOURNAL_PAYLOAD_MAX)
		return ST_TOO_LARGE;
	struct entry_header entry = {.size = (uint32_t)size, .type = type};
	size_t bytes = entry_bytes(entry.size);

	pthread_mutex_lock(&journal->lock);
	if (journal->waiting + bytes > journal->waiting_max) {
		pthread_mutex_unlock(&journal->lock);
		return ST_BUSY;
	}
	struct journal_buffer *buffer = &journal->pending;
	journal_buffer_reserve(buffer, bytes);
	uint8_t *at = buffer->bytes + buffer->size;
	entry.number = journal->appended + 1;
	entry.goes_on = journal->is_held;
	entry_put(at, &entry);
	if (size > 0)
		memcpy(at + ENTRY_HEADER_SIZE, payload, size);
	memset(at + ENTRY_HEADER_SIZE + size, 0, bytes - ENTRY_HEADER_SIZE - size);
	bool was_empty = buffer->size == 0;
	journal->has_step = journal->is_held;
	journal->step_at = buffer->size;
	buffer->size += bytes;
	journal->waiting += bytes;
	journal->appended = entry.number;
	if (was_empty && !journal->is_held)
		pthread_cond_signal(&journal->wake);
	pthread_mutex_unlock(&journal->lock);
	*ret_number = entry.number;
	return ST_OK;
}

/* The last entry of a step is known when it is over. */
static void end_step(struct journal *journal)
{
	uint8_t *at = journal->pending.bytes + journal->step_at;
	struct entry_header entry;

	if (!journal->has_step)
		return;
	journal->has_step = false;
	entry_get(at, &entry);
	entry.goes_on = false;
	entry_put(at, &entry);
}

void journal_hold(struct journal *journal, bool on)
{
	pthread_mutex_lock(&journal->lock);
	end_step(journal);
	journal->is_held = on;
	if (!on && journal->pending.size > 0)
		pthread_cond_signal(&journal->wake);
	pthread_mutex_unlock(&journal->lock);
}

uint64_t journal_appended(const struct journal *journal)
{
	return journal->appended;
}

uint64_t journal_synced(const struct journal *journal)
{
	return journal->synced;
}

bool journal_is_degraded(const struct journal *journal)
{
	return journal->is_degraded;
}

uint64_t journal_bytes(const struct journal *journal)
{
	return journal->bytes;
}

void journal_release(struct journal *journal, uint64_t number)
{
	if (!journal->has_thread)
		return;
	pthread_mutex_lock(&journal->lock);
	if (number > journal->release_below)
		journal->release_below = number;
	pthread_cond_signal(&journal->wake);
	pthread_mutex_unlock(&journal->lock);
}
