#pragma once
/* Events of the door probe that go through a real journal, as control's do: each becomes a usual
 * record, and is told to its tab when that is stable. PostgreSQL is away, so the drain only tries
 * to connect. */
#include <stdbool.h>

struct control;
struct door_store {
	long count;	 /* events */
	long out;	 /* as many are on their way; the next ones begin when some were told */
	long per_second; /* at most; 0 = no limit */
};

/* wake: from the journal's thread, when door_journal_poll() is needed. False: why is on stderr. */
bool door_journal_open(const char *folder, struct control *control, void (*wake)(void *user));
void door_journal_close(void); /* also when it is not open */
void door_journal_start(const struct door_store *store);
/* Tells what is stable and appends what is due. */
void door_journal_poll(void);
/* When the next is due, in ms from now; -1 = when something becomes stable. */
long door_journal_next_ms(void);
/* True once, when all were told. */
bool door_journal_is_done(void);
