#include "db/journal_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TAIL_STEP (256u << 10)

struct scan {
	const struct journal_config *config;
	const struct journal_io *io;
	struct journal_scan *found;
	struct segment_cursor cursor;
	struct err *err;
	struct segment_header newest; /* the header of the newest segment that counts */
};

const char *journal_explain(char buffer[120], int error)
{
	const char *text = strerrordesc_np(error), *name = strerrorname_np(error);

	snprintf(buffer, 120, "%s (%s)", text ? text : "unknown error", name ? name : "?");
	return buffer;
}

enum status journal_fail_io(struct err *err, const char *what, int error)
{
	char why[120];

	return err_set(err, ST_UNAVAILABLE, "journal.io", "journal", "%.60s: %s", what,
		       journal_explain(why, error));
}

enum status journal_fail_damaged(struct err *err, uint64_t segment, int64_t at, const char *what)
{
	return err_set(err, ST_INVALID, "journal.damaged", "journal",
		       "%016" PRIx64 ".journal is damaged at byte %" PRId64 ": %s; `calltab serve "
		       "--salvage` goes on without the damaged entries",
		       segment, at, what);
}

/* --- which segments there are --- */

struct names {
	uint64_t *numbers;
	unsigned count, capacity;
};

static void note_name(void *arg, const char *name)
{
	struct names *names = arg;
	uint64_t number;

	if (!segment_name_parse(name, &number))
		return;
	if (names->count == names->capacity) {
		names->capacity = names->capacity ? names->capacity * 2 : 16;
		names->numbers =
			xrealloc(names->numbers, names->capacity * sizeof(*names->numbers));
	}
	names->numbers[names->count++] = number;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int open_segment(struct scan *scan, uint64_t number)
{
	char path[JOURNAL_PATH_SIZE];

	segment_path(path, scan->config->folder, number);
	return segment_open(scan->io, path, O_RDONLY);
}

static enum status read_header(struct scan *scan, uint64_t number, struct segment_header *ret,
			       int64_t *ret_size, enum header_verdict *ret_verdict)
{
	uint8_t bytes[SEGMENT_HEADER_SIZE] = {0};
	int fd = open_segment(scan, number);

	if (fd < 0)
		return journal_fail_io(scan->err, "a segment cannot be opened", errno);
	int64_t count = segment_read(scan->io, fd, bytes, sizeof(bytes), 0);
	int error = errno;
	*ret_size = scan->io->size(scan->io->user, fd);
	scan->io->close(scan->io->user, fd);
	if (count < 0)
		return journal_fail_io(scan->err, "a segment cannot be read", error);
	*ret_verdict = segment_header_get(bytes, ret);
	if (*ret_verdict == HEADER_GOOD && ret->number != number)
		*ret_verdict = HEADER_BAD;
	return ST_OK;
}

static enum status check_header(struct scan *scan, const struct segment_header *header,
				enum header_verdict verdict)
{
	if (verdict == HEADER_NEWER)
		return err_set(scan->err, ST_UNSUPPORTED, "journal.newer", "journal",
			       "the journal was written by a newer version of calltab: start that "
			       "one, or let it drain the journal first");
	if (verdict == HEADER_GOOD && strcmp(header->node, scan->config->node) != 0)
		return err_set(
			scan->err, ST_CONFLICT, "journal.node", "journal",
			"the journal belongs to node \"%s\", this is \"%s\": each node needs "
			"a folder of its own",
			header->node, scan->config->node);
	return ST_OK;
}

/* A segment without a good header: its entries cannot even be told from noise. */
static enum status note_lost(struct scan *scan, uint64_t number)
{
	if (number <= scan->found->accepted)
		return ST_OK;
	if (!scan->config->salvage)
		return journal_fail_damaged(scan->err, number, 0, "its header cannot be read");
	scan->found->has_new_damage = true;
	return ST_OK;
}

/* From the newest to the oldest, because a segment says what is void in those before it. */
static enum status read_headers(struct scan *scan, const uint64_t *numbers, unsigned count)
{
	struct journal_scan *found = scan->found;
	uint64_t bound = UINT64_MAX; /* first of the segment behind */
	unsigned at = count;
	enum status status = ST_OK;

	found->segments = xcalloc(count, sizeof(*found->segments));
	found->voids = xcalloc(count, sizeof(*found->voids));
	for (unsigned i = count; i-- > 0 && status == ST_OK;) {
		struct journal_segment segment = {.number = numbers[i]};
		struct segment_header header = {0};
		enum header_verdict verdict = HEADER_BAD;

		status = read_header(scan, numbers[i], &header, &segment.size, &verdict);
		if (status == ST_OK)
			status = check_header(scan, &header, verdict);
		if (status == ST_OK && verdict == HEADER_BAD)
			status = note_lost(scan, numbers[i]);
		if (status != ST_OK || verdict == HEADER_BAD)
			continue;
		if (header.accepted > found->accepted)
			found->accepted = header.accepted;
		segment.first = header.first;
		segment.seed = segment_seed(&header);
		segment.upto = bound == UINT64_MAX ? UINT64_MAX : bound - 1;
		if (segment.first >= bound) {
			found->voids[found->void_count++] = segment;
			continue;
		}
		if (bound == UINT64_MAX)
			scan->newest = header;
		bound = segment.first;
		found->segments[--at] = segment;
	}
	found->count = count - at;
	memmove(found->segments, found->segments + at, found->count * sizeof(*found->segments));
	return status;
}

static enum status find_segments(struct scan *scan)
{
	struct names names = {0};
	enum status status = ST_OK;

	if (scan->io->list(scan->io->user, scan->config->folder, note_name, &names) != 0)
		status = journal_fail_io(scan->err, "the folder cannot be read", errno);
	if (status == ST_OK && names.count > 0) {
		qsort(names.numbers, names.count, sizeof(*names.numbers), by_number);
		scan->found->newest = names.numbers[names.count - 1];
		status = read_headers(scan, names.numbers, names.count);
	}
	free(names.numbers);
	return status;
}

/* --- their entries --- */

struct walk {
	const struct journal_segment *segment;
	uint64_t expected;  /* the number that comes next */
	uint64_t known;	    /* up to here entries were stable, says what was read so far */
	int64_t group_at;   /* the first entry of the latest group */
	uint64_t step_last; /* the last entry of the latest whole step */
	int64_t step_end;   /* behind it */
	bool is_over;
};

static enum status read_failed(struct scan *scan)
{
	return journal_fail_io(scan->err, "a segment cannot be read", errno);
}

/* What is behind a place without a good entry. */
struct behind {
	bool has_entry;
	struct entry_header entry; /* the first */
	int64_t at;
	uint64_t known; /* the most that an entry says was stable */
};

static enum status look_behind(struct scan *scan, const struct walk *walk, struct behind *ret)
{
	struct segment_cursor *cursor = &scan->cursor;
	struct entry_header entry;
	enum cursor_result result;
	int64_t from = cursor->at;

	*ret = (struct behind){.known = walk->known};
	while ((result = cursor_search(cursor, walk->expected, &entry)) == CURSOR_ENTRY) {
		if (!ret->has_entry) {
			ret->has_entry = true;
			ret->entry = entry;
			ret->at = cursor->at;
		}
		if (entry.synced > ret->known)
			ret->known = entry.synced;
		if (ret->known >= walk->expected)
			break;
		cursor_pass(cursor, &entry);
	}
	if (result == CURSOR_FAILED)
		return read_failed(scan);
	cursor->at = from;
	return ST_OK;
}

static bool is_all_zeros(const uint8_t *bytes, int64_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)size - 1) == 0;
}

/* Bytes from the cursor to the last one that is not zero. Usually all are, up to 64 MB of them. */
static enum status measure_tail(struct scan *scan)
{
	const struct segment_cursor *cursor = &scan->cursor;
	uint8_t *bytes auto_free = xmalloc(TAIL_STEP);
	int64_t count, last = cursor->at;

	for (int64_t at = last;; at += count) {
		count = segment_read(scan->io, cursor->fd, bytes, TAIL_STEP, at);
		if (count < 0)
			return read_failed(scan);
		if (count == 0)
			break;
		if (is_all_zeros(bytes, count))
			continue;
		for (int64_t i = count; i-- > 0;) {
			if (bytes[i] == 0)
				continue;
			last = at + i + 1;
			break;
		}
	}
	scan->found->cut_bytes = (uint64_t)(last - cursor->at);
	return ST_OK;
}

/* Entries were stable and are not there. */
static enum status note_damage(struct scan *scan, struct walk *walk)
{
	char what[60];
	bool is_known = walk->segment->number <= scan->found->accepted;

	snprintf(what, sizeof(what), "entry %" PRIu64 " was stored and cannot be read",
		 walk->expected);
	if (!is_known && !scan->config->salvage && !scan->config->is_read_only)
		return journal_fail_damaged(scan->err, walk->segment->number, scan->cursor.at,
					    what);
	scan->found->has_new_damage |= !is_known;
	return ST_OK;
}

static void go_on_at(struct scan *scan, struct walk *walk, uint64_t number, int64_t at)
{
	scan->found->gap += number - walk->expected;
	walk->expected = number;
	walk->step_last = number - 1;
	walk->step_end = at;
}

/* Of the last step only a part is there: nobody was told of it, and it does not count. */
static void cut_part(struct scan *scan, struct walk *walk)
{
	if (walk->step_last < walk->known)
		return;
	walk->expected = walk->step_last + 1;
	scan->cursor.at = walk->step_end;
}

/* There is no good entry with the expected number here. */
static enum status step_over(struct scan *scan, struct walk *walk)
{
	struct behind behind;
	bool is_last = walk->segment->upto == UINT64_MAX;

	enum status status = look_behind(scan, walk, &behind);

	if (status != ST_OK)
		return status;
	if (is_last && behind.known < walk->expected) {
		walk->is_over = true;
		cut_part(scan, walk);
		return measure_tail(scan);
	}
	if (note_damage(scan, walk) != ST_OK)
		return ST_INVALID;
	if (behind.has_entry && behind.entry.number <= walk->segment->upto) {
		go_on_at(scan, walk, behind.entry.number, behind.at);
		scan->cursor.at = behind.at;
		return ST_OK;
	}
	go_on_at(scan, walk, is_last ? behind.known + 1 : walk->segment->upto + 1, scan->cursor.at);
	walk->is_over = true;
	return ST_OK;
}

static enum status walk_segment(struct scan *scan, struct walk *walk)
{
	struct segment_cursor *cursor = &scan->cursor;
	enum status status = ST_OK;
	struct entry_header entry;
	const uint8_t *bytes;
	int fd = open_segment(scan, walk->segment->number);

	if (fd < 0)
		return journal_fail_io(scan->err, "a segment cannot be opened", errno);
	cursor_set(cursor, fd, walk->segment->seed);
	walk->group_at = walk->step_end = cursor->at;
	walk->step_last = walk->expected - 1;
	while (status == ST_OK && !walk->is_over && walk->expected <= walk->segment->upto) {
		enum cursor_result result = cursor_look(cursor, &entry, &bytes);
		if (result == CURSOR_FAILED)
			return read_failed(scan);
		if (result == CURSOR_BAD || entry.number != walk->expected) {
			status = step_over(scan, walk);
			continue;
		}
		if (entry.synced > walk->known)
			walk->known = entry.synced;
		if (entry.number == entry.synced + 1)
			walk->group_at = cursor->at;
		walk->expected++;
		cursor_pass(cursor, &entry);
		if (entry.goes_on)
			continue;
		walk->step_last = entry.number;
		walk->step_end = cursor->at;
	}
	return status;
}

/* The entries that may never have reached the disk: they are written once more. */
static enum status keep_tail(struct scan *scan, const struct walk *walk)
{
	struct journal_scan *found = scan->found;
	struct segment_cursor *cursor = &scan->cursor;
	struct entry_header entry;
	const uint8_t *bytes;
	int64_t end = cursor->at;

	cursor->at = walk->group_at;
	found->end = end;
	while (cursor->at < end) {
		enum cursor_result result = cursor_look(cursor, &entry, &bytes);
		if (result == CURSOR_FAILED)
			return read_failed(scan);
		if (result == CURSOR_ENTRY && entry.number > found->stable &&
		    entry.number <= found->last) {
			size_t size = entry_bytes(entry.size);
			if (found->tail_size == 0)
				found->end = cursor->at;
			found->tail = xrealloc(found->tail, found->tail_size + size);
			memcpy(found->tail + found->tail_size, bytes, size);
			found->tail_size += size;
		}
		cursor->at += result == CURSOR_ENTRY ? (int64_t)entry_bytes(entry.size) : 8;
	}
	return ST_OK;
}

static enum status walk_segments(struct scan *scan)
{
	struct journal_scan *found = scan->found;
	struct walk walk = {.expected = found->count ? found->segments[0].first : 1};
	enum status status = ST_OK;

	for (unsigned i = 0; i < found->count && status == ST_OK; i++) {
		walk.segment = &found->segments[i];
		walk.known =
			walk.segment->upto == UINT64_MAX ? scan->newest.synced : walk.segment->upto;
		walk.is_over = false;
		status = walk_segment(scan, &walk);
	}
	if (status != ST_OK)
		return status;
	found->last = walk.expected - 1;
	found->stable = walk.known < found->last ? walk.known : found->last;
	return found->count ? keep_tail(scan, &walk) : ST_OK;
}

enum status journal_scan(const struct journal_config *config, const struct journal_io *io,
			 struct journal_scan *ret, struct err *err)
{
	struct scan scan = {.config = config, .io = io, .found = ret, .err = err};

	*ret = (struct journal_scan){0};
	cursor_init(&scan.cursor, io);
	enum status status = find_segments(&scan);
	if (status == ST_OK)
		status = walk_segments(&scan);
	cursor_done(&scan.cursor);
	return status;
}

void journal_scan_done(struct journal_scan *scan)
{
	free(scan->segments);
	free(scan->voids);
	free(scan->tail);
	*scan = (struct journal_scan){0};
}
