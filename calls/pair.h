#pragma once
/* Operations on two calls of one agent. The contract: "The current call tab must have a call in the
 * active (not held) state and the call on the provided call tab must be on hold". Pure; the unmet
 * condition is named. */
#include "base/status.h"
#include "calls/call.h"

/* method: "transferComplete" or "conference", for the message. active/held: NULL when that tab has
 * no call. */
enum status pair_check(const char *method, const struct call *active, int active_tab,
		       const struct call *held, int held_tab, struct err *err) MUST_USE;
