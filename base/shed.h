#pragma once
/* What is turned away just now. server/ sets the level by a rule of its own (server/overload.h);
 * a door asks here, from any thread, before it begins anything new, and names the class of that
 * work. A class is turned away from its own level on, so whatever is not there yet goes before what
 * is: events and commands of live calls have no class and are never turned away.
 *
 * NULL in the place of a struct shed: nothing is ever turned away. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

enum overload_level {
	OVERLOAD_NONE,	  /* as a class: never turned away */
	OVERLOAD_POLLS,	  /* reading lists and reports over REST */
	OVERLOAD_WRITES,  /* REST that changes something */
	OVERLOAD_DIALS,	  /* calls that are not there yet */
	OVERLOAD_TABS,	  /* tabs that come for the first time */
	OVERLOAD_RESUMES, /* tabs that come back */
	OVERLOAD_LEVEL_COUNT
};
const char *overload_word(enum overload_level level); /* "none" "polls" ... */

struct shed { /* all zero: nothing is turned away */
	atomic_uint level;
	atomic_uint_fast64_t refused[OVERLOAD_LEVEL_COUNT]; /* by class, since the start */
};

enum overload_level shed_level(const struct shed *shed);
void shed_set_level(struct shed *shed, enum overload_level level);
/* At the lowest level polls are not shut out, they find less room: only while no more than this
 * many hundredths of the requests that may wait for the database do wait. So the database stays as
 * busy as it can be, and the level lasts as long as more is asked. */
#define SHED_POLL_ROOM_PERCENT 25

/* Is one more of this class turned away? It is counted when it is, so ask only about what is there
 * to be refused. */
bool shed_refuses(struct shed *shed, enum overload_level work);
/* ST_UNAVAILABLE "overload.polls" and so on, with a sentence. */
enum status shed_error(enum overload_level work, struct err *err);
/* When to come again, in ms: left to chance between one and five seconds, so that those who were
 * turned away together do not come back together. */
unsigned shed_retry_ms(void);
/* The same in whole seconds, for Retry-After: 1 to 5. */
unsigned shed_retry_s(void);
