#pragma once
/* What must be true of every accepted step, whatever the rules say. Shared by the walk over all
 * pairs, the random walks and the fuzzer; knows no test library. */
#include "calls/call.h"

/* NULL, or what is wrong. */
const char *step_fault(const struct call *before, const struct call_event *event,
		       const struct call *after, const struct effects *todo);
/* `can` promises exactly what would be accepted. */
const char *can_fault(const struct call *call);

/* A whole life of a call, told step by step: rows that open and close, one idle, one end. */
struct life {
	const char *open_row;
	int64_t row_at_ms, begun_at_ms, row_sum_ms;
	unsigned idles, ends, returns, wraps_armed, results;
};
const char *life_fault(struct life *life, const struct call *before, const struct call_event *event,
		       const struct call *after);
