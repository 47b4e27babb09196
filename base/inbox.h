#pragma once
/* How threads talk (docs/architecture.md, "Planes"): any thread puts, one thread takes all. The
 * wake function is called, outside the lock, only when the inbox was empty, so that a burst costs
 * one wake. */
#include <pthread.h>
#include <stddef.h>

struct inbox_item { /* embedded in the message; the taker owns it from then on */
	struct inbox_item *next;
};

struct inbox {
	pthread_mutex_t lock;
	struct inbox_item *head, **tail;
	size_t count, limit; /* limit 0 = none */
	void (*wake)(void *user);
	void *user;
};

void inbox_init(struct inbox *inbox, size_t limit, void (*wake)(void *user), void *user);
void inbox_done(struct inbox *inbox);
/* False when the limit is reached: the item still belongs to the caller. */
_Bool inbox_put(struct inbox *inbox, struct inbox_item *item);
/* Everything that is there, oldest first, as a NULL-ended list; NULL when empty. */
struct inbox_item *inbox_take_all(struct inbox *inbox);
size_t inbox_count(struct inbox *inbox);
