#pragma once
/* How much is turned away, from the bottom up, while more is asked than can be done. Pure:
 * measurements in, level out. Each level turns away its class and all below it; events and commands
 * of live calls are never turned away.
 *
 * Up: a level as soon as something is above its threshold, and one more for every measurement that
 * is no better; far above it, several at once. Down: one level after each OVERLOAD_CALM_MS in which
 * everything is well below. */
#include <stdint.h>

#define OVERLOAD_CALM_MS 500

enum overload_level {
	OVERLOAD_NONE,
	OVERLOAD_POLLS,	  /* reading lists and reports over REST */
	OVERLOAD_WRITES,  /* REST that changes something */
	OVERLOAD_DIALS,	  /* calls that are not there yet */
	OVERLOAD_TABS,	  /* tabs that come for the first time */
	OVERLOAD_RESUMES, /* tabs that come back */
};

struct overload_sample {
	unsigned lag_ms;	   /* the call plane was busy or late for so long */
	unsigned journal_percent;  /* of the records that may wait for the disk */
	unsigned requests_percent; /* of the requests that may wait for the database */
	unsigned files_percent;	   /* of the descriptors the process may have */
};

struct overload {
	enum overload_level level;
	int64_t calm_since_us; /* 0 = it is not calm */
};

/* A sample every 100 ms or so. Returns the level from now on. */
enum overload_level overload_step(struct overload *overload, const struct overload_sample *sample,
				  int64_t now_us);
const char *overload_word(enum overload_level level); /* "none" "polls" ... */
