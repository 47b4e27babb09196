#pragma once
/* How much is turned away, from the bottom up, while more is asked than can be done. Pure:
 * measurements in, level out. Each level turns away its class and all below it; events and commands
 * of live calls are never turned away.
 *
 * Up: a level as soon as something is above its threshold, and one more after each
 * OVERLOAD_LASTING_MS in which that did not help; far above it, several at once. Down: one level
 * after each OVERLOAD_CALM_MS in which everything is well below. */
#include <stdint.h>
#include "base/shed.h"

#define OVERLOAD_CALM_MS 500
/* A call that is refused is lost business: what is below it has its second first. */
#define OVERLOAD_LASTING_MS 1000

struct overload_sample {
	unsigned lag_ms; /* the call plane was busy or late for so long: overload_lag_ms() */
	unsigned journal_percent;  /* of the records that may wait for the disk */
	unsigned requests_percent; /* of the requests that may wait for the database */
	unsigned files_percent;	   /* of the descriptors that connections may have */
};

struct overload {
	enum overload_level level;
	int64_t calm_since_us; /* 0 = it is not calm */
	int64_t raised_us;     /* when the level last went up */
};

/* A sample every 100 ms or so. Returns the level from now on. */
enum overload_level overload_step(struct overload *overload, const struct overload_sample *sample,
				  int64_t now_us);

/* One stall is no overload, however long it was: a machine that stood still, a page that had to be
 * read. What counts is what stays, so of the last samples of lag the least is the lag. */
#define OVERLOAD_LAGS 3
struct overload_lag { /* all zero */
	unsigned ms[OVERLOAD_LAGS], next;
};
unsigned overload_lag_ms(struct overload_lag *lag, unsigned newest_ms);
