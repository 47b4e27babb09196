#pragma once
/* "Now" as a struct of two functions, so that tests can hold time still.
 * Wall time is UTC and may jump; durations and deadlines use the monotonic time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_us)(void *user); /* microseconds since 1970-01-01T00:00:00Z */
	int64_t (*mono_us)(void *user); /* microseconds since some start, never backwards */
	void *user;
};

/* The machine's clocks. */
extern const struct clock clock_system;

static inline int64_t clock_wall_us(const struct clock *clock)
{
	return clock->wall_us(clock->user);
}

static inline int64_t clock_mono_us(const struct clock *clock)
{
	return clock->mono_us(clock->user);
}

static inline int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wall_us(clock->user) / 1000;
}

/* A clock that stands still until a test moves it. `struct clock c = clock_held(&held);` */
struct held_clock {
	int64_t wall_us, mono_us;
};
struct clock clock_held(struct held_clock *held);
void held_clock_advance(struct held_clock *held, int64_t us);

#define CLOCK_TEXT_SIZE 25 /* "YYYY-MM-DDTHH:MM:SS.mmmZ" and the NUL */

/* UTC as "YYYY-MM-DDTHH:MM:SSZ", or with milliseconds; returns the length. Years outside 0000 to
 * 9999 become the first or last moment of that range. */
size_t clock_format(char buffer[CLOCK_TEXT_SIZE], int64_t unix_ms, bool with_ms);
