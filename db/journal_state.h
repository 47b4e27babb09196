#pragma once
/* What the parts of the journal share: journal.c has its life and the owner's side,
 * journal_writer.c the thread, journal_read.c the readers. Private to the journal. */
#include <pthread.h>
#include <stdatomic.h>

#include "db/journal_scan.h"

struct journal_buffer {
	uint8_t *bytes;
	size_t size, capacity;
};

struct journal {
	struct journal_io io;
	struct journal_events events;
	char folder[JOURNAL_PATH_SIZE];
	char node[SEGMENT_NODE_MAX + 1];
	int64_t segment_size;
	size_t waiting_max;
	uint64_t accepted; /* damage in segments up to this one is passed over */
	int lock_fd;
	bool has_thread;
	pthread_t thread;
	pthread_cond_t wake; /* the thread */

	_Atomic uint64_t appended, synced, bytes;
	_Atomic uint64_t release_below; /* 0: nothing to release */
	atomic_bool is_degraded;

	pthread_mutex_t lock; /* of what follows, never held while the disk is waited for */
	struct journal_buffer pending; /* entries without checksums */
	size_t waiting;		       /* bytes of entries that are not stable */
	struct journal_segment *segments;
	unsigned segment_count;
	bool is_held;	/* pending is not to be taken */
	bool has_step;	/* something was appended since then, the last of it */
	size_t step_at; /* at this place of pending */
	bool is_stopping;
	int64_t stop_at_us;

	/* Only of the thread. */
	struct journal_buffer taken; /* on its way to the disk */
	size_t taken_done;	     /* stable bytes of it */
	int fd;			     /* of the segment written to; -1: a new one is needed */
	uint32_t seed;
	int64_t at;	 /* in it: here the next group goes */
	int64_t size;	 /* of it */
	int64_t zeroed;	 /* of these: behind the rest is space that was only taken */
	uint64_t newest; /* the highest number a segment was ever given */
	uint64_t *voids; /* segments that nobody needs and that may still be there */
	unsigned void_count;
	struct segment_spare spare;
	unsigned failures; /* in a row */
	int64_t not_before_us, spare_not_before_us;
};

void journal_buffer_reserve(struct journal_buffer *buffer, size_t more);
void journal_buffer_done(struct journal_buffer *buffer);
int64_t journal_now_us(void);

/* With the lock held. */
void journal_count_bytes(struct journal *journal);

/* Writes what is taken, all of it in one new segment: the entries found at opening that may not be
 * stable. false: errno. */
bool journal_writer_recover(struct journal *journal);
/* Segments in voids are unlinked; false when one is still there. */
bool journal_writer_drop_voids(struct journal *journal);
void journal_writer_note_void(struct journal *journal, uint64_t number);
/* The thread. */
void *journal_writer_run(void *journal);
