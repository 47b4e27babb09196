#pragma once
/* A slice of the journal fed through the pure machine once more. Each step is taken from the call
 * as it was recorded before it, so a difference is that step's own and does not spread. Pure but
 * for memory. */
#include <stdbool.h>
#include <stdint.h>
#include "calls/call_view.h"
#include "db/record.h"

struct replay;

#define REPLAY_DIFFERENCES_MAX 8

/* One field in which this program's rules give something else than what was recorded. */
struct replay_difference {
	const char *field;
	char recorded[WORD_SIZE * 2], replayed[WORD_SIZE * 2];
};

struct replay *replay_create(void);
void replay_destroy(struct replay *replay);
/* Takes the next record; returns how many differences its step has (0 when it has none or is no
 * step), the first REPLAY_DIFFERENCES_MAX of them in ret. */
unsigned replay_take(struct replay *replay, const struct record *record,
		     struct replay_difference ret[REPLAY_DIFFERENCES_MAX]);

struct replay_figures {
	uint64_t records, steps, different; /* steps with differences */
};
void replay_figures(const struct replay *replay, struct replay_figures *ret);
/* As of the last record taken: calls that have not ended and those that ended, oldest first. */
void replay_calls(const struct replay *replay,
		  void (*each)(void *arg, const struct call_view *call), void *arg);
void replay_agents(const struct replay *replay,
		   void (*each)(void *arg, const struct agent_view *agent), void *arg);
