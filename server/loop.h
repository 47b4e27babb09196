#pragma once
/* The call plane's loop: libuv, with libwebsockets on it, one timer for all of base/timers.h, one
 * wake for all inboxes, signals, and a watch on itself: a turn of more than 100 ms is logged. */
#include <stdint.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/timers.h"

struct loop;
struct lws_context;
struct uv_loop_s;

struct loop_events { /* all on the loop's thread */
	void (*on_turn)(
		void *user); /* after a wake and after timers have fired: run what is queued */
	void (*on_signal)(void *user, int signal); /* SIGTERM, SIGINT, SIGHUP */
	void *user;
};

struct loop *loop_create(const struct clock *clock, const struct loop_events *events,
			 struct err *err);
void loop_destroy(struct loop *); /* the lws context with it */
struct lws_context *loop_lws(struct loop *);
struct uv_loop_s *loop_uv(struct loop *);
struct timers *loop_timers(struct loop *);
/* From any thread: on_turn will be called soon. */
void loop_wake(void *loop);
void loop_run(struct loop *); /* until loop_stop() */
void loop_stop(struct loop *);
/* The longest turn since the last call, in microseconds. */
int64_t loop_take_longest_us(struct loop *);
