#pragma once
/* A journal on a disk in memory (journal_ram.h) with faults, what it said, and entries whose
 * content follows from their number. For the tests of the journal. */
#include "db_test.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "db/journal.h"
#include "journal_ram.h"

#define SEGMENT	   65536
#define ZERO_STEPS 16 /* of 4 kB */

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

struct world *world_make(void);
bool world_open(struct world *world);
void world_close(struct world *world);
void world_free(struct world *world);
/* Opened, and an entry appended while the first of the zeros are written. */
void world_open_and_append(struct world *world);
/* Syncs of segments wait from now on, or not any more. */
void world_hold_syncs(struct world *world, bool is_held);

/* Payload of an entry: a function of its number. */
size_t make_payload(uint64_t number, char bytes[400]);
void append(struct world *world, unsigned count);
void append_and_wait(struct world *world, unsigned count);
void assert_entry(const struct journal_entry *entry, uint64_t number);
/* A reader from `from` gives exactly first to last. */
void assert_entries(struct journal *journal, uint64_t from, uint64_t first, uint64_t last);

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
