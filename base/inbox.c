#include "base/inbox.h"

void inbox_init(struct inbox *inbox, size_t limit, void (*wake)(void *user), void *user)
{
	*inbox = (struct inbox){.limit = limit, .wake = wake, .user = user};
	inbox->tail = &inbox->head;
	pthread_mutex_init(&inbox->lock, NULL);
}

void inbox_done(struct inbox *inbox)
{
	pthread_mutex_destroy(&inbox->lock);
}

_Bool inbox_put(struct inbox *inbox, struct inbox_item *item)
{
	pthread_mutex_lock(&inbox->lock);
	if (inbox->limit && inbox->count >= inbox->limit) {
		pthread_mutex_unlock(&inbox->lock);
		return 0;
	}
	_Bool was_empty = inbox->count++ == 0;
	item->next = NULL;
	*inbox->tail = item;
	inbox->tail = &item->next;
	pthread_mutex_unlock(&inbox->lock);

	if (was_empty && inbox->wake)
		inbox->wake(inbox->user);
	return 1;
}

struct inbox_item *inbox_take_all(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	struct inbox_item *first = inbox->head;
	inbox->head = NULL;
	inbox->tail = &inbox->head;
	inbox->count = 0;
	pthread_mutex_unlock(&inbox->lock);
	return first;
}

size_t inbox_count(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	size_t count = inbox->count;
	pthread_mutex_unlock(&inbox->lock);
	return count;
}
