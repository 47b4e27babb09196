#pragma once
/* How many calls are set up in a second, and whose comes next: a switch that is asked for more than
 * it can do does none of it well. Pure: time comes in, nothing is called.
 *
 * Who may not go yet waits. Of several owners each gets a turn in order, however many one of them
 * has waiting; what one owner put comes out in the order in which he put it. A short burst goes at
 * once: a quarter of a second's worth. */
#include <stdbool.h>
#include <stdint.h>

#include "telephony/driver.h"

struct pace_entry { /* of the caller's own */
	struct pace_entry *prev, *next;
	char owner[TEL_ID_SIZE];
	uint64_t turn;
	int64_t since_us;
	bool is_waiting;
};

struct pace {
	unsigned per_s; /* 0: no limit */
	int64_t due_us; /* when all that was taken would be over at exactly this pace */
	struct pace_entry *waiting;
	unsigned count;
	uint64_t turn; /* of the last one that went */
};

/* Whether one may go now, if nobody waits. */
bool pace_may_go(const struct pace *pace, int64_t now_us);
/* One goes: by its turn, or because it cannot wait; then the others wait longer. */
void pace_spend(struct pace *pace, int64_t now_us);
/* How long until the next one may go; 0 = now. */
int64_t pace_wait_us(const struct pace *pace, int64_t now_us);

void pace_put(struct pace *pace, struct pace_entry *entry, const char *owner, int64_t now_us);
/* Whose turn it is, no longer waiting; NULL: nobody waits. Does not ask whether one may go. */
struct pace_entry *pace_take(struct pace *pace);
/* It does not wait any more; fine when it did not. */
void pace_remove(struct pace *pace, struct pace_entry *entry);
