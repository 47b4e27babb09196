#include "db/journal_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct journal_reader {
	struct journal *journal;
	struct segment_cursor cursor;
	uint64_t number;  /* the entry that is read next */
	uint64_t segment; /* that the cursor is in; 0: none */
	uint64_t upto;	  /* its last entry that counts */
};

struct journal_reader *journal_reader_open(struct journal *journal, uint64_t from)
{
	struct journal_reader *reader = xcalloc(1, sizeof(*reader));

	reader->journal = journal;
	reader->number = from ? from : 1;
	cursor_init(&reader->cursor, &journal->io);
	return reader;
}

void journal_reader_close(struct journal_reader *reader)
{
	if (!reader)
		return;
	cursor_done(&reader->cursor);
	free(reader);
}

/* The segment that holds the reader's entry. One that was released under the reader is read on in,
 * as long as the file is open. false: nothing stable there. */
static bool find_segment(struct journal_reader *reader, struct journal_segment *ret)
{
	struct journal *journal = reader->journal;
	bool is_found = false;

	pthread_mutex_lock(&journal->lock);
	const struct journal_segment *segments = journal->segments;
	if (journal->segment_count > 0 && reader->number < segments[0].first) {
		bool is_inside = reader->segment > 0 && reader->segment < segments[0].number &&
				 reader->number <= reader->upto;
		if (!is_inside)
			reader->number = segments[0].first;
	}
	if (reader->number <= journal->synced) {
		*ret = (struct journal_segment){.number = reader->segment, .upto = reader->upto};
		for (unsigned i = journal->segment_count; i-- > 0 && !is_found;) {
			is_found = segments[i].first <= reader->number;
			if (is_found)
				*ret = segments[i];
		}
		is_found |= reader->segment > 0;
	}
	pthread_mutex_unlock(&journal->lock);
	return is_found;
}

/* ST_NOT_FOUND: released in this moment. */
static enum status enter(struct journal_reader *reader, const struct journal_segment *segment,
			 struct err *err)
{
	const struct journal_io *io = &reader->journal->io;
	char path[JOURNAL_PATH_SIZE];

	reader->upto = segment->upto;
	if (reader->segment == segment->number)
		return ST_OK;
	segment_path(path, reader->journal->folder, segment->number);
	int fd = segment_open(io, path, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT ? ST_NOT_FOUND
				       : journal_fail_io(err, "a segment cannot be opened", errno);
	reader->segment = segment->number;
	cursor_set(&reader->cursor, fd, segment->seed);
	return ST_OK;
}

/* On to the reader's entry in the segment. CURSOR_BAD: it is not there. */
static enum cursor_result look(struct journal_reader *reader, struct entry_header *ret,
			       const uint8_t **ret_bytes)
{
	enum cursor_result result;
	bool is_again = false;

	for (;;) {
		result = cursor_look(&reader->cursor, ret, ret_bytes);
		if (result == CURSOR_ENTRY && ret->number < reader->number) {
			cursor_pass(&reader->cursor, ret);
			continue;
		}
		if (result == CURSOR_ENTRY && ret->number > reader->number)
			result = CURSOR_BAD;
		if (result != CURSOR_BAD || is_again)
			return result;
		/* The buffer may be older than the entry. */
		cursor_forget(&reader->cursor);
		is_again = true;
	}
}

static bool is_released(struct journal_reader *reader)
{
	struct journal *journal = reader->journal;

	pthread_mutex_lock(&journal->lock);
	bool is_gone = journal->segment_count > 0 && reader->segment < journal->segments[0].number;
	pthread_mutex_unlock(&journal->lock);
	return is_gone;
}

/* The entry is not there although it was stable. ST_OK: the reader has a place to go on from. */
static enum status step_over(struct journal_reader *reader, struct err *err)
{
	struct entry_header entry;

	if (is_released(reader)) {
		reader->segment = 0;
		return ST_OK;
	}
	if (reader->segment > reader->journal->accepted)
		return journal_fail_damaged(err, reader->segment, reader->cursor.at,
					    "an entry that was stored cannot be read");
	enum cursor_result result = cursor_search(&reader->cursor, reader->number, &entry);
	if (result == CURSOR_FAILED)
		return journal_fail_io(err, "a segment cannot be read", errno);
	if (result == CURSOR_ENTRY && entry.number <= reader->upto)
		reader->number = entry.number;
	else
		reader->number =
			reader->upto == UINT64_MAX ? reader->journal->synced + 1 : reader->upto + 1;
	return ST_OK;
}

static enum status read_entry(struct journal_reader *reader, struct journal_entry *ret,
			      struct err *err)
{
	struct entry_header entry;
	const uint8_t *bytes;
	enum cursor_result result = look(reader, &entry, &bytes);

	if (result == CURSOR_FAILED)
		return journal_fail_io(err, "a segment cannot be read", errno);
	if (result == CURSOR_BAD)
		return ST_NOT_FOUND;
	*ret = (struct journal_entry){.number = entry.number,
				      .type = entry.type,
				      .size = entry.size,
				      .payload = bytes + ENTRY_HEADER_SIZE};
	cursor_pass(&reader->cursor, &entry);
	reader->number++;
	return ST_OK;
}

enum status journal_reader_next(struct journal_reader *reader, struct journal_entry *ret,
				struct err *err)
{
	struct journal_segment segment;
	enum status status;

	for (;;) {
		if (!find_segment(reader, &segment))
			return ST_NOT_FOUND;
		status = enter(reader, &segment, err);
		if (status == ST_NOT_FOUND)
			continue;
		if (status == ST_OK)
			status = read_entry(reader, ret, err);
		if (status != ST_NOT_FOUND)
			return status;
		status = step_over(reader, err);
		if (status != ST_OK)
			return status;
	}
}
