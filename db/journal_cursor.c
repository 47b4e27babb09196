#include "db/journal_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define READ_SIZE (256u << 10)

void cursor_init(struct segment_cursor *cursor, const struct journal_io *io)
{
	*cursor = (struct segment_cursor){.io = io, .fd = -1};
}

void cursor_done(struct segment_cursor *cursor)
{
	if (cursor->fd >= 0)
		cursor->io->close(cursor->io->user, cursor->fd);
	cursor->fd = -1;
	free(cursor->bytes);
	cursor->bytes = NULL;
	cursor->capacity = cursor->filled = 0;
}

void cursor_set(struct segment_cursor *cursor, int fd, uint32_t seed)
{
	if (cursor->fd >= 0)
		cursor->io->close(cursor->io->user, cursor->fd);
	cursor->fd = fd;
	cursor->seed = seed;
	cursor->at = SEGMENT_HEADER_SIZE;
	cursor_forget(cursor);
}

void cursor_forget(struct segment_cursor *cursor)
{
	cursor->filled = 0;
}

void cursor_pass(struct segment_cursor *cursor, const struct entry_header *entry)
{
	cursor->at += (int64_t)entry_bytes(entry->size);
}

/* Bytes from the cursor's place on. CURSOR_BAD: the file ends before. */
static enum cursor_result need(struct segment_cursor *cursor, size_t size, const uint8_t **ret)
{
	if (cursor->at < cursor->base ||
	    cursor->at + (int64_t)size > cursor->base + (int64_t)cursor->filled) {
		size_t capacity = size > READ_SIZE ? size : READ_SIZE;
		if (capacity > cursor->capacity) {
			free(cursor->bytes);
			cursor->bytes = xmalloc(capacity);
			cursor->capacity = capacity;
		}
		cursor->filled = 0;
		int64_t count = segment_read(cursor->io, cursor->fd, cursor->bytes,
					     cursor->capacity, cursor->at);
		if (count < 0)
			return CURSOR_FAILED;
		cursor->base = cursor->at;
		cursor->filled = (size_t)count;
		if ((size_t)count < size)
			return CURSOR_BAD;
	}
	*ret = cursor->bytes + (cursor->at - cursor->base);
	return CURSOR_ENTRY;
}

enum cursor_result cursor_look(struct segment_cursor *cursor, struct entry_header *ret,
			       const uint8_t **ret_bytes)
{
	const uint8_t *bytes;
	enum cursor_result result = need(cursor, ENTRY_HEADER_SIZE, &bytes);

	if (result != CURSOR_ENTRY)
		return result;
	if (!entry_get(bytes, ret))
		return CURSOR_BAD;
	result = need(cursor, entry_bytes(ret->size), &bytes);
	if (result != CURSOR_ENTRY)
		return result;
	*ret_bytes = bytes;
	return entry_is_good(bytes, ret, cursor->seed) ? CURSOR_ENTRY : CURSOR_BAD;
}

/* Over zeros as fast as can be: there may be 64 MB of them. An entry whose size and checksum are
 * both 0 would be passed over, once in four thousand million empty entries. */
static void skip_zeros(struct segment_cursor *cursor)
{
	int64_t end = cursor->base + (int64_t)cursor->filled - ENTRY_HEADER_SIZE;
	uint64_t word;

	while (cursor->at < end) {
		memcpy(&word, cursor->bytes + (cursor->at - cursor->base), sizeof(word));
		if (word != 0)
			return;
		cursor->at += (int64_t)sizeof(word);
	}
}

enum cursor_result cursor_search(struct segment_cursor *cursor, uint64_t after,
				 struct entry_header *ret)
{
	const uint8_t *bytes;

	for (;; cursor->at += 8) {
		enum cursor_result result = need(cursor, ENTRY_HEADER_SIZE, &bytes);
		if (result != CURSOR_ENTRY)
			return result;
		skip_zeros(cursor);
		result = cursor_look(cursor, ret, &bytes);
		if (result == CURSOR_FAILED || (result == CURSOR_ENTRY && ret->number > after))
			return result;
	}
}
