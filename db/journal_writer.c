#include "db/journal_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/str.h"
#include "base/uuid.h"

#define GROUP_MAX	 (1u << 20)
#define KEPT_CAPACITY	 (4u << 20) /* a buffer that was larger once is given back */
#define PAUSE_FIRST_US	 INT64_C(100000)
#define PAUSE_LONGEST_US INT64_C(1000000)
#define SPARE_PAUSE_US	 INT64_C(10000000)
#define ZEROS_AHEAD	 (2 << 20)
#define TOO_EARLY_MS	 30 /* of a planted defect */

int64_t journal_now_us(void)
{
	return clock_mono_us(&clock_system);
}

static bool has_taken(const struct journal *journal)
{
	return journal->taken_done < journal->taken.size;
}

/* --- what becomes of a group --- */

static void degrade(struct journal *journal, int error)
{
	char why[120];

	if (journal->is_degraded)
		return;
	journal->is_degraded = true;
	if (journal->events.on_degraded)
		journal->events.on_degraded(journal->events.user, journal_explain(why, error));
}

/* No segment can be begun. */
static void pause_writing(struct journal *journal)
{
	int64_t pause = PAUSE_LONGEST_US;

	if (journal->failures < 4)
		pause = PAUSE_FIRST_US << journal->failures;
	journal->failures++;
	journal->not_before_us = journal_now_us() + pause;
}

static void tell_synced(struct journal *journal, uint64_t last)
{
	if (journal->has_thread && journal->events.on_synced)
		journal->events.on_synced(journal->events.user, last);
}

static void succeeded(struct journal *journal, size_t size, uint64_t last)
{
	FAILPOINT("journal.synced");
	journal->taken_done += size;
	if (!has_taken(journal)) {
		journal->taken.size = journal->taken_done = 0;
		if (journal->taken.capacity > KEPT_CAPACITY)
			journal_buffer_done(&journal->taken);
	}
	pthread_mutex_lock(&journal->lock);
	journal->waiting -= size;
	journal->synced = last;
	pthread_mutex_unlock(&journal->lock);
	if (size > 0)
		tell_synced(journal, last);
	FAILPOINT("journal.told");
	journal->failures = 0;
	journal->not_before_us = 0;
	if (!journal->is_degraded)
		return;
	journal->is_degraded = false;
	if (journal->events.on_degraded)
		journal->events.on_degraded(journal->events.user, NULL);
}

/* Whole steps from the front of what is taken, as many as fit into `room`; their bytes. At the end
 * of what was taken a step is over. */
static size_t build_group(struct journal *journal, size_t room, uint32_t seed, uint64_t *ret_last)
{
	uint8_t *from = journal->taken.bytes + journal->taken_done;
	size_t left = journal->taken.size - journal->taken_done, at = 0, size = 0;

	*ret_last = journal->synced;
	while (at < left) {
		struct entry_header entry;
		entry_get(from + at, &entry);
		size_t bytes = entry_bytes(entry.size);
		if (at + bytes > room)
			break;
		entry.synced = journal->synced;
		entry.goes_on &= at + bytes < left;
		entry_sign(from + at, &entry, seed);
		at += bytes;
		if (entry.goes_on)
			continue;
		*ret_last = entry.number;
		size = at;
	}
	return size;
}

/* The kernel may have dropped what it could not write: nothing is asked of this file again. */
static void seal(struct journal *journal)
{
	if (journal->fd >= 0)
		journal->io.close(journal->io.user, journal->fd);
	journal->fd = -1;
}

/* --- segments --- */

void journal_writer_note_void(struct journal *journal, uint64_t number)
{
	journal->voids =
		xrealloc(journal->voids, (journal->void_count + 1) * sizeof(*journal->voids));
	journal->voids[journal->void_count++] = number;
}

static bool unlink_segment(struct journal *journal, uint64_t number)
{
	char path[JOURNAL_PATH_SIZE];

	segment_path(path, journal->folder, number);
	return journal->io.unlink(journal->io.user, path) == 0 || errno == ENOENT;
}

bool journal_writer_drop_voids(struct journal *journal)
{
	if (journal->void_count == 0)
		return true;
	for (unsigned i = 0; i < journal->void_count; i++)
		if (!unlink_segment(journal, journal->voids[i]))
			return false;
	if (journal->io.fsync_dir(journal->io.user, journal->folder) != 0)
		return false;
	journal->void_count = 0;
	return true;
}

/* The one before is not written to any more: the space behind its entries is given back. Also what
 * failed there may go, it is in the new one. */
static void cut_segment(struct journal *journal, uint64_t number, int64_t end)
{
	char path[JOURNAL_PATH_SIZE];

	segment_path(path, journal->folder, number);
	int fd = segment_open(&journal->io, path, O_WRONLY);
	if (fd < 0)
		return;
	bool is_cut = journal->io.ftruncate(journal->io.user, fd, end) == 0;
	journal->io.close(journal->io.user, fd);
	if (!is_cut)
		return;
	pthread_mutex_lock(&journal->lock);
	for (unsigned i = 0; i < journal->segment_count; i++)
		if (journal->segments[i].number == number)
			journal->segments[i].size = end;
	journal_count_bytes(journal);
	pthread_mutex_unlock(&journal->lock);
}

/* Segments in which nothing counts any more leave the list. */
static void list_segment(struct journal *journal, const struct journal_segment *segment)
{
	pthread_mutex_lock(&journal->lock);
	unsigned count = journal->segment_count;
	while (count > 0 && journal->segments[count - 1].first >= segment->first)
		journal_writer_note_void(journal, journal->segments[--count].number);
	journal->segments = xrealloc(journal->segments, (count + 1) * sizeof(*journal->segments));
	if (count > 0)
		journal->segments[count - 1].upto = segment->first - 1;
	journal->segments[count] = *segment;
	journal->segment_count = count + 1;
	journal_count_bytes(journal);
	pthread_mutex_unlock(&journal->lock);
}

/* A new segment with the first group in it. What it says with its name is: entries from here on are
 * mine. So the group must be stable before the name is: at opening it may hold entries that
 * somebody was told of, and that are void in the old segment from then on. */
static bool begin_segment(struct journal *journal, size_t group_max)
{
	struct segment_header header = {
		.number = ++journal->newest,
		.first = journal->synced + 1,
		.accepted = journal->accepted,
		.created_us = clock_wall_us(&clock_system),
	};
	uint64_t previous =
		journal->segment_count ? journal->segments[journal->segment_count - 1].number : 0;
	int64_t previous_end = journal->at;

	random_bytes(&header.salt, sizeof(header.salt));
	str_copy(header.node, sizeof(header.node), journal->node);
	uint32_t seed = segment_seed(&header);
	size_t size = build_group(journal, group_max, seed, &header.synced);
	int64_t end = SEGMENT_HEADER_SIZE + (int64_t)size;
	int64_t file_size = end > journal->segment_size ? end : journal->segment_size;
	seal(journal);
	FAILPOINT("journal.new_segment");
	if (spare_reach(&journal->spare, file_size, end))
		journal->fd = spare_become(&journal->spare, &header,
					   journal->taken.bytes + journal->taken_done, size);
	if (journal->fd < 0) {
		int error = errno;
		journal_writer_note_void(journal, header.number);
		journal_writer_drop_voids(journal);
		errno = error;
		return false;
	}
	FAILPOINT("journal.segment_begun");
	journal->seed = seed;
	journal->at = end;
	journal->size = file_size;
	journal->zeroed = journal->spare.zeroed;
	list_segment(journal, &(struct journal_segment){.number = header.number,
							.first = header.first,
							.upto = UINT64_MAX,
							.seed = seed,
							.size = file_size});
	succeeded(journal, size, header.synced);
	if (previous)
		cut_segment(journal, previous, previous_end);
	journal_writer_drop_voids(journal);
	return true;
}

/* --- groups --- */

static size_t next_step_bytes(const struct journal *journal)
{
	const uint8_t *from = journal->taken.bytes + journal->taken_done;
	size_t left = journal->taken.size - journal->taken_done, size = 0;
	struct entry_header entry = {.goes_on = true};

	while (entry.goes_on && size < left) {
		entry_get(from + size, &entry);
		size += entry_bytes(entry.size);
	}
	return size;
}

/* What was taken together stays together: it goes into the next segment rather than into two. */
static size_t least_room(const struct journal *journal)
{
	size_t left = journal->taken.size - journal->taken_done;
	size_t most = (size_t)journal->segment_size - SEGMENT_HEADER_SIZE;

	if (most > GROUP_MAX)
		most = GROUP_MAX;
	return left <= most ? left : next_step_bytes(journal);
}

/* A disk that has failed, for tests. */
static bool has_failed(bool is_planned)
{
	if (is_planned)
		errno = EIO;
	return is_planned;
}

/* What a journal does that is not there to keep a promise. */
static void tell_too_early(struct journal *journal, uint64_t last)
{
	tell_synced(journal, last);
	poll(NULL, 0, TOO_EARLY_MS);
}

static bool append_group(struct journal *journal, size_t least)
{
	const struct journal_io *io = &journal->io;
	size_t room = (size_t)(journal->size - journal->at);
	size_t most = least > GROUP_MAX ? least : GROUP_MAX; /* a step is never in two groups */
	uint64_t last;
	size_t size = build_group(journal, room < most ? room : most, journal->seed, &last);

	if (PLANTED(1))
		tell_too_early(journal, last);
	if (has_failed(FAILPOINT("journal.write")) ||
	    !segment_write(io, journal->fd, journal->taken.bytes + journal->taken_done, size,
			   journal->at) ||
	    has_failed(FAILPOINT("journal.sync")) || io->fdatasync(io->user, journal->fd) != 0)
		return false;
	journal->at += (int64_t)size;
	succeeded(journal, size, last);
	return true;
}

static bool begin_with_group(struct journal *journal)
{
	size_t room = (size_t)journal->segment_size - SEGMENT_HEADER_SIZE;
	size_t size = next_step_bytes(journal);

	if (room > GROUP_MAX)
		room = GROUP_MAX;
	return begin_segment(journal, size > room ? size : room);
}

static void write_group(struct journal *journal)
{
	size_t needed = least_room(journal);

	if (journal->fd >= 0 && (int64_t)needed <= journal->size - journal->at) {
		if (append_group(journal, needed))
			return;
		degrade(journal, errno);
		seal(journal);
	}
	if (begin_with_group(journal))
		return;
	degrade(journal, errno);
	pause_writing(journal);
}

bool journal_writer_recover(struct journal *journal)
{
	return begin_segment(journal, SIZE_MAX);
}

/* --- what is done when there is nothing to write --- */

/* From the oldest on, each surely gone before the next goes: a hole between two segments would look
 * like a loss. */
static bool release_oldest(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	bool is_due =
		journal->segment_count > 1 && journal->segments[1].first <= journal->release_below;
	uint64_t number = is_due ? journal->segments[0].number : 0;
	pthread_mutex_unlock(&journal->lock);
	if (is_due)
		FAILPOINT("journal.release");
	if (!is_due || !journal_writer_drop_voids(journal) || !unlink_segment(journal, number) ||
	    journal->io.fsync_dir(journal->io.user, journal->folder) != 0)
		return false;
	FAILPOINT("journal.released");
	pthread_mutex_lock(&journal->lock);
	journal->segment_count--;
	memmove(journal->segments, journal->segments + 1,
		journal->segment_count * sizeof(*journal->segments));
	journal_count_bytes(journal);
	pthread_mutex_unlock(&journal->lock);
	journal->not_before_us = 0; /* there is space again */
	journal->spare_not_before_us = 0;
	return true;
}

static void release(struct journal *journal)
{
	uint64_t below = journal->release_below;

	if (!release_oldest(journal))
		atomic_compare_exchange_strong(&journal->release_below, &below, 0);
}

/* A segment that was needed before all of it was zeroed. */
static bool has_to_zero(const struct journal *journal)
{
	return journal->fd >= 0 && journal->zeroed < journal->size;
}

static void zero_ahead(struct journal *journal)
{
	int64_t from = journal->zeroed > journal->at ? journal->zeroed : journal->at;

	journal->zeroed = segment_zero(&journal->io, journal->fd, from, journal->size);
	/* What is in it is stable; what comes goes into a new one. */
	if (journal->zeroed < 0)
		seal(journal);
}

static void prepare_spare(struct journal *journal)
{
	if (!spare_step(&journal->spare, journal->segment_size))
		journal->spare_not_before_us = journal_now_us() + SPARE_PAUSE_US;
}

/* --- the thread --- */

/* With the lock held. When there is something to do; INT64_MAX: nothing. */
static int64_t due_at(const struct journal *journal)
{
	if (journal->release_below > 0)
		return 0;
	if (has_taken(journal))
		return journal->not_before_us;
	if (!journal->is_stopping && has_to_zero(journal))
		return 0;
	if (!journal->is_stopping && !spare_is_ready(&journal->spare, journal->segment_size))
		return journal->spare_not_before_us;
	return INT64_MAX;
}

/* With the lock held. */
static void wait_until(struct journal *journal, int64_t at_us)
{
	struct timespec at = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};

	if (journal->is_stopping && journal->stop_at_us < at_us)
		at = (struct timespec){.tv_sec = journal->stop_at_us / 1000000,
				       .tv_nsec = journal->stop_at_us % 1000000 * 1000};
	if (at_us == INT64_MAX && !journal->is_stopping)
		pthread_cond_wait(&journal->wake, &journal->lock);
	else
		pthread_cond_timedwait(&journal->wake, &journal->lock, &at);
}

/* Until there is something to do; false: the end. */
static bool wait_for_work(struct journal *journal)
{
	bool is_over;

	pthread_mutex_lock(&journal->lock);
	for (;;) {
		if (!has_taken(journal) && journal->pending.size > 0 &&
		    (!journal->is_held || journal->is_stopping)) {
			struct journal_buffer empty = journal->taken;
			journal->taken = journal->pending;
			journal->pending = empty;
			journal->pending.size = 0;
			journal->has_step = false;
			journal->taken_done = 0;
		}
		int64_t now_us = journal_now_us(), due_us = due_at(journal);
		is_over = journal->is_stopping &&
			  (!has_taken(journal) || now_us >= journal->stop_at_us);
		if (is_over || due_us <= now_us)
			break;
		wait_until(journal, due_us);
	}
	pthread_mutex_unlock(&journal->lock);
	return !is_over;
}

/* While there is always something to write, what is done on the side is done between two groups,
 * and only when it is needed soon. */
static void work_aside(struct journal *journal)
{
	bool is_idle = journal->appended == journal->synced;
	bool is_half_full = journal->fd >= 0 && journal->at > journal->size / 2;
	bool is_near_end_of_zeros = journal->zeroed - journal->at < ZEROS_AHEAD;

	if (journal->release_below > 0)
		release(journal);
	else if (has_to_zero(journal) && (is_idle || is_near_end_of_zeros))
		zero_ahead(journal);
	else if ((is_idle || is_half_full) &&
		 !spare_is_ready(&journal->spare, journal->segment_size) &&
		 journal->spare_not_before_us <= journal_now_us())
		prepare_spare(journal);
}

void *journal_writer_run(void *arg)
{
	struct journal *journal = arg;

	while (wait_for_work(journal)) {
		if (has_taken(journal) && journal->not_before_us <= journal_now_us())
			write_group(journal);
		work_aside(journal);
	}
	seal(journal);
	return NULL;
}
