#pragma once
/* What a call's event rows say, as steps for a person who watches it. Pure: give it the names of
 * the rows in their order, each once.
 *
 * A row opens a state: "ring" is "ringing". "busy", "no answer" and "error on dial" are no states
 * but the cause of the idle that follows. The first idle is the last step, or the end of a record
 * that was never dialed. */
#include <stdbool.h>

struct follow {
	bool has_talked, is_over;
	char state[24]; /* "" before the first step */
	char cause[24]; /* of the last step: "busy", "hung up", "not connected"; else "" */
};

/* true: a step, state and cause are its. */
bool follow_row(struct follow *follow, const char *name);
