#pragma once
/* Every timer of one thread in one queue. Nothing here knows an event loop: the owner asks for the
 * next deadline, sleeps in whatever loop it has, and calls timers_run(). With a held clock a test
 * runs hours in microseconds. Deadlines are monotonic microseconds (base/clock.h).
 * A timer struct is embedded in, and owned by, whoever set it; it must be stopped before it is
 * freed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at_us;
	void (*fire)(void *arg); /* may set or stop any timer, itself too */
	void *arg;
	size_t slot;	/* 0 = not set; else 1 + index in the heap */
	uint64_t order; /* equal deadlines fire in the order they were set */
};

struct timers {
	struct timer **heap;
	size_t count, capacity;
	uint64_t next_order;
	void (*on_earlier)(void *user); /* optional: the earliest deadline moved forward */
	void *user;
	int64_t running_us; /* now_us of the run that is going on, else INT64_MIN */
};

void timers_init(struct timers *timers);
void timers_done(struct timers *timers);

/* Sets (or moves) the timer. */
void timer_set(struct timers *timers, struct timer *timer, int64_t at_us);
/* Does nothing when it is not set. After this it does not fire. */
void timer_stop(struct timers *timers, struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* The earliest deadline, or INT64_MAX. */
int64_t timers_next_us(const struct timers *timers);
/* Fires all with at_us <= now_us, in order of deadline; returns how many fired. A timer set while
 * running with a deadline <= now_us is taken as set for now_us and fires in the next run, so a run
 * always ends. Not to be called from fire(). */
size_t timers_run(struct timers *timers, int64_t now_us);
