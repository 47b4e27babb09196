#pragma once
/* One call and a clock that only the test moves: what happens to the call, what that asked for, and
 * the event rows it has left so far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls/agent.h"
#include "calls/call.h"
#include "calls/number.h"
#include "calls/pair.h"

#define START_MS 1795366800000 /* 2026-11-22T17:00:00Z */

struct scene {
	struct call call;
	int64_t now_ms;
	struct effects todo; /* of the last event */
	struct err err;	     /* of the last refusal */
	char rows[400]; /* "ring 2000, talk 61000, idle": what has a number is closed, "busy" is
			   instant */
	int64_t row_at_ms;
	char results[400]; /* "Busy*, Sold": automatic ones with a star */
};

/* Preview 15 s, ring limit 22 s, wrap 30 s, outcomes configured, the system's own ones given. */
struct call_policy usual_policy(void);
struct call_outcome outcome(const char *name, bool is_connect_xor_abort);

/* A call that nothing has happened to. */
void scene_start(struct scene *scene, const struct call_policy *policy);
void later(struct scene *scene, int64_t ms);

/* An event as it would come now; the actor follows from its kind. */
struct call_event event_now(const struct scene *scene, enum call_event_kind kind);
/* It is accepted and something changes. */
void happens(struct scene *scene, enum call_event_kind kind);
void happens_event(struct scene *scene, const struct call_event *event);
void far_ends(struct scene *scene, enum attempt_result result);
void chooses(struct scene *scene, const struct call_outcome *outcome);
/* It is accepted and nothing changes. */
void is_ignored(struct scene *scene, enum call_event_kind kind);
/* It is refused with this code and leaves no trace. */
void is_refused(struct scene *scene, enum call_event_kind kind, const char *code);
void is_refused_saying(struct scene *scene, enum call_event_kind kind, const char *message);

/* Lets the deadline that runs now pass, and its event happen; false when none runs. */
bool deadline_passes(struct scene *scene);
/* How long the running timer has still to go, -1 when there is none. */
int64_t timer_left_ms(const struct scene *scene);

/* Leads a fresh call into this state, the shortest way. */
void scene_lead(struct scene *scene, const struct call_policy *policy, enum call_state state,
		bool is_consult);

#define assert_state(scene, expected)                                                              \
	assert_string_equal(call_state_word((scene)->call.view.state), call_state_word(expected))
#define assert_rows(scene, expected)	assert_string_equal((scene)->rows, expected)
#define assert_results(scene, expected) assert_string_equal((scene)->results, expected)
/* "dial" or "complete, clear" or "" */
void assert_asked(const struct scene *scene, const char *effects);
/* calls, noAnswers, busies, connects, aborts, didConnect */
void assert_counters(const struct scene *scene, int calls, int no_answers, int busies, int connects,
		     int aborts, bool did_connect);
