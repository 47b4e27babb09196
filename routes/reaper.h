#pragma once
/* Deadlines of connections, which libmicrohttpd does not have: its time-out counts silence, so a
 * client that sends a byte every few seconds keeps a connection for ever. Each connection is in one
 * phase, each phase lasts so long at most, and one thread shuts down (the library notices and
 * closes) whoever stays longer. A request that nobody has answered in time is handed to
 * take_late()/late() instead.
 *
 * The same thread lingers: after an answer that refuses the rest of a body it reads and drops what
 * the client still sends, because closing with unread bytes makes the kernel destroy the answer on
 * its way.
 *
 * The lists are in order of deadline by themselves, since all entries of a phase wait equally long.
 * Any thread. */
#include <stdbool.h>
#include <stdint.h>

enum phase {
	PHASE_NONE,
	PHASE_HEAD,   /* accepted; the first head is due */
	PHASE_IDLE,   /* kept alive; the whole of the next head is due */
	PHASE_BODY,   /* the whole body is due */
	PHASE_WORK,   /* an answer is due from us */
	PHASE_ANSWER, /* the client reads */
	PHASE_COUNT
};

struct reaper_entry { /* embedded in the connection */
	struct reaper_entry *previous, *next;
	int64_t due_us;
	enum phase phase;
	int fd; /* open as long as the entry is in a phase */
};

struct reaper_config {
	unsigned limit_ms[PHASE_COUNT];
	/* An entry of PHASE_WORK is late. Called under the reaper's lock: gives something to hold
	 * on to, or NULL. */
	void *(*take_late)(struct reaper_entry *entry);
	void (*late)(void *taken); /* right after, without the lock */
};

struct reaper;

struct reaper *reaper_create(const struct reaper_config *config);
/* Every entry must be in PHASE_NONE. NULL is fine. */
void reaper_destroy(struct reaper *reaper);
void reaper_set(struct reaper *reaper, struct reaper_entry *entry, enum phase phase);
/* Takes the descriptor of a connection that is being closed: reads and drops for two seconds at
 * most. */
void reaper_linger(struct reaper *reaper, int fd);

/* All that is in PHASE_WORK is late now. */
void reaper_end_work(struct reaper *reaper);
/* Waits until nothing is in PHASE_BODY, PHASE_WORK or PHASE_ANSWER; false when it took longer. */
bool reaper_wait_quiet(struct reaper *reaper, unsigned ms);
