#include "base/timers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cleanup.h"

static bool is_before(const struct timer *a, const struct timer *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->order < b->order;
}

static void place(struct timers *timers, size_t index, struct timer *timer)
{
	timers->heap[index] = timer;
	timer->slot = index + 1;
}

static void sift_up(struct timers *timers, size_t index, struct timer *timer)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;
		if (!is_before(timer, timers->heap[parent]))
			break;
		place(timers, index, timers->heap[parent]);
		index = parent;
	}
	place(timers, index, timer);
}

static void sift_down(struct timers *timers, size_t index, struct timer *timer)
{
	for (;;) {
		size_t child = 2 * index + 1;
		if (child >= timers->count)
			break;
		if (child + 1 < timers->count &&
		    is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!is_before(timers->heap[child], timer))
			break;
		place(timers, index, timers->heap[child]);
		index = child;
	}
	place(timers, index, timer);
}

void timers_init(struct timers *timers)
{
	*timers = (struct timers){.running_us = INT64_MIN};
}

void timers_done(struct timers *timers)
{
	for (size_t i = 0; i < timers->count; i++)
		timers->heap[i]->slot = 0;
	free(timers->heap);
	timers_init(timers);
}

bool timer_is_set(const struct timer *timer)
{
	return timer->slot != 0;
}

int64_t timers_next_us(const struct timers *timers)
{
	return timers->count ? timers->heap[0]->at_us : INT64_MAX;
}

void timer_stop(struct timers *timers, struct timer *timer)
{
	if (!timer->slot)
		return;
	size_t index = timer->slot - 1;
	assert(index < timers->count && timers->heap[index] == timer);
	timer->slot = 0;
	struct timer *last = timers->heap[--timers->count];
	if (last == timer)
		return;
	if (is_before(last, timer))
		sift_up(timers, index, last);
	else
		sift_down(timers, index, last);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t at_us)
{
	int64_t before_us = timers_next_us(timers);

	timer_stop(timers, timer);
	/* With its own, earlier deadline it could stand before due timers and hide them from this
	 * run. */
	timer->at_us = at_us < timers->running_us ? timers->running_us : at_us;
	timer->order = timers->next_order++;
	if (timers->count == timers->capacity) {
		timers->capacity = timers->capacity ? 2 * timers->capacity : 64;
		timers->heap = xrealloc(timers->heap, timers->capacity * sizeof(*timers->heap));
	}
	sift_up(timers, timers->count++, timer);
	if (timers->on_earlier && timers_next_us(timers) < before_us)
		timers->on_earlier(timers->user);
}

size_t timers_run(struct timers *timers, int64_t now_us)
{
	const uint64_t set_before = timers->next_order;
	size_t fired = 0;

	assert(timers->running_us == INT64_MIN);
	timers->running_us = now_us;
	while (timers->count > 0) {
		struct timer *timer = timers->heap[0];
		if (timer->at_us > now_us || timer->order >= set_before)
			break;
		timer_stop(timers, timer);
		fired++;
		timer->fire(timer->arg);
	}
	timers->running_us = INT64_MIN;
	return fired;
}
