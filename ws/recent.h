#pragma once
/* The last events of every tab, so that a window whose connection broke gets exactly what it
 * missed: per tab the newest RECENT_EVENTS of the last RECENT_AGE_US, and RECENT_BYTES over all
 * tabs, the oldest going first. At 1.2 kB an event that is 50,000 events: the ten minutes hold up
 * to 90 events a second over all tabs, and become shorter above.
 *
 * One log for all. An event is written once, where it stays and from where it is sent:
 *
 *	char *text = recent_begin(recent, now_us);
 *	size_t length = ...write the message to text...;
 *	recent_commit(recent, &agent_id, tab, epoch, seq, length, now_us);
 *
 * A tab costs nothing until it has an event. Texts are valid until the next recent_begin() or
 * recent_forget_old(). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/uuid.h"

#define RECENT_EVENTS	    1000
#define RECENT_AGE_US	    (600 * INT64_C(1000000))
#define RECENT_CHUNK	    (1u << 20)
#define RECENT_CHUNKS	    64
#define RECENT_BYTES	    (RECENT_CHUNKS * (size_t)RECENT_CHUNK)
#define RECENT_TEXT_LONGEST (17 * 1024)

struct recent;

struct recent *recent_create(void);
void recent_destroy(struct recent *recent);

/* Room for RECENT_TEXT_LONGEST bytes. FRAME_RESERVE bytes in front of it are the sender's. */
char *recent_begin(struct recent *recent, int64_t now_us);
/* Makes what was written there the tab's newest event. One that does not follow the tab's last one
 * (another epoch, a hole in the numbers) begins the tab's row anew. */
void recent_commit(struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		   uint64_t seq, size_t length, int64_t at_us);
/* The tab is about to have an event: what is known of it is fetched into the cache meanwhile. */
void recent_expect(const struct recent *recent, const struct uuid *agent_id, int tab);
void recent_forget_old(struct recent *recent, int64_t now_us);

/* Are all events after .. last of the tab there, neither too many nor too old? None at all is
 * always there. */
bool recent_has(const struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		uint64_t after, uint64_t last, int64_t now_us);

struct recent_text {
	char *text; /* FRAME_RESERVE bytes in front of it may be overwritten */
	size_t length;
};
/* The next events behind `after`, at most `max` of them, oldest first; *ret_newest is the number of
 * the tab's newest. False when one of them is not there any more. */
bool recent_read(const struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		 uint64_t after, unsigned max, struct recent_text *ret, unsigned *ret_count,
		 uint64_t *ret_newest);

size_t recent_bytes(const struct recent *recent); /* of memory for events */
unsigned recent_tabs(const struct recent *recent);
