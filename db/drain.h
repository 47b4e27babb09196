#pragma once
/* Moves what is stable in the journal to PostgreSQL, on a thread and a connection of its own, in
 * the order of the records and each exactly once: how far it has come (the watermark) stands in
 * table gateway_journal and is written in the transaction of the rows; after every doubt it is read
 * from there anew. With PostgreSQL away or refusing it tries again for ever (0.2 to 5 s apart).
 * Private to db/; record_log.c is its only user. */
#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "db/journal.h"

struct drain_config {
	const char *conninfo, *node;
	struct uuid journal_id;
	struct uuid tenant_id;
	int64_t lease_epoch; /* what the lease of tenant and node must have; 0 = it is not looked at
			      */
	struct journal *journal; /* borrowed */
	uint64_t first, last;	 /* the entries it had when it was opened; 0 = none */
	unsigned keep_s;	 /* what is younger than this is not released */
};

struct drain_events { /* called on the drain's thread */
	/* why: "" when it is back */
	void (*on_database)(void *user, bool is_away, const char *why);
	void (*on_rejected)(void *user, uint64_t number, const char *why);
	void (*on_trouble)(void *user, const char *what, const char *detail); /* may be NULL */
	void *user;
};

struct drain;

struct drain *drain_open(const struct drain_config *config, const struct drain_events *events);
/* Stores what is in the journal by now as long as it takes, but at most wait_ms (and 3 s more when
 * PostgreSQL hangs just then), and not at all when PostgreSQL is away; then ends the thread. */
void drain_stop(struct drain *drain, unsigned wait_ms);
/* After drain_stop(), when nobody calls drain_wake() any more. */
void drain_free(struct drain *drain);

/* --- from any thread --- */

/* More has become stable. */
void drain_wake(struct drain *drain);
/* Up to this number nothing is left to be stored. */
uint64_t drain_done(const struct drain *drain);
/* Waits until drain_done() has reached the number; false: not in this time, or the database is
 * away.
 */
bool drain_wait(struct drain *drain, uint64_t number, unsigned wait_ms);
/* A restart needs the records from this number on: older segments may go when they are stored. */
void drain_keep_from(struct drain *drain, uint64_t number);
