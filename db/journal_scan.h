#pragma once
/* What a folder of segments holds: found by reading alone, nothing is changed. The journal opens
 * with it, the tests run it on many thousand crashed folders. Private to the journal. */
#include "db/journal_segment.h"

/* Goes through the entries of one segment after the other with one buffer. */
struct segment_cursor {
	const struct journal_io *io;
	int fd;	       /* its own; -1: none */
	uint32_t seed; /* of the segment's checksums */
	int64_t at;    /* the place of the next entry */
	uint8_t *bytes;
	size_t capacity, filled;
	int64_t base; /* place of bytes[0] */
};

enum cursor_result {
	CURSOR_ENTRY,
	CURSOR_BAD,    /* no good entry here */
	CURSOR_FAILED, /* the file cannot be read: errno */
};

void cursor_init(struct segment_cursor *cursor, const struct journal_io *io);
void cursor_done(struct segment_cursor *cursor);
/* Takes the descriptor; at the first entry. */
void cursor_set(struct segment_cursor *cursor, int fd, uint32_t seed);
/* The entry at the cursor's place, which stays; *ret_bytes is good until the next call. */
enum cursor_result cursor_look(struct segment_cursor *cursor, struct entry_header *ret,
			       const uint8_t **ret_bytes);
void cursor_pass(struct segment_cursor *cursor, const struct entry_header *entry);
/* On to the next good entry with a number above `after`; CURSOR_BAD at the end of the file. */
enum cursor_result cursor_search(struct segment_cursor *cursor, uint64_t after,
				 struct entry_header *ret);
/* The file has changed: what was read is read again. */
void cursor_forget(struct segment_cursor *cursor);

struct journal_segment {
	uint64_t number;
	uint64_t first; /* entry */
	uint64_t upto;	/* the last entry that counts here; UINT64_MAX: the newest segment */
	uint32_t seed;
	int64_t size; /* of the file */
};

struct journal_scan {
	struct journal_segment *segments; /* oldest first, without void ones */
	unsigned count;
	struct journal_segment *voids; /* nothing in them counts */
	unsigned void_count;
	uint64_t newest;   /* the highest number of a segment */
	uint64_t accepted; /* damage up to this segment is known */
	uint64_t last;	   /* entry; the next is last + 1 */
	uint64_t stable;   /* <= last: surely stable; what is behind may only be in the cache */
	uint8_t *tail;	   /* the entries behind stable as they are on disk */
	size_t tail_size;
	int64_t end;	     /* of what counts as stable in the newest segment */
	uint64_t cut_bytes;  /* behind the last entry, of a torn tail */
	uint64_t gap;	     /* entries that are lost */
	bool has_new_damage; /* that was not accepted before; only with salvage or is_read_only */
};

/* Reads. *ret is to be freed by journal_scan_done(), also after a failure. */
enum status journal_scan(const struct journal_config *config, const struct journal_io *io,
			 struct journal_scan *ret, struct err *err) MUST_USE;
void journal_scan_done(struct journal_scan *scan);
enum status journal_fail_damaged(struct err *err, uint64_t segment, int64_t at, const char *what);
/* "No space left on device (ENOSPC)" */
const char *journal_explain(char buffer[120], int error);
enum status journal_fail_io(struct err *err, const char *what, int error);
