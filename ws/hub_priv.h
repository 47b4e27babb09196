#pragma once
/* Shared by hub*.c only: hub.c life and time, hub_request.c what tabs ask, hub_told.c what control
 * tells. */
#include "base/json_writer.h"
#include "ws/audience.h"
#include "ws/hub.h"
#include "ws/protocol.h"
#include "ws/recent.h"

#define OUTCOMES_MAX 256
#define REPLAY_SLICE 32 /* missed events in one turn of the loop, for one channel */
#define PENDING_MAX  64 /* commands of one channel without an answer */

/* Something for all channels, done in slices so that ten thousand of them do not hold up a call. */
struct job {
	struct job *following;
	struct channel *next; /* whose turn it is */
	struct frame *frame;  /* to be sent; NULL = to be closed */
};

struct hub {
	struct ws_config config;
	const struct clock *clock;
	struct timers *timers;
	struct control *control;
	struct channel_shared shared;
	struct tickets *tickets;
	struct audience *audience;
	struct recent *recent;
	struct json_writer writer; /* reused, so that a message costs one allocation */
	struct channel *channels;
	unsigned channel_count;
	/* pings */
	struct timer sweep;
	struct channel *sweep_next;
	int64_t swept_us, sweep_credit_us;
	/* jobs */
	struct job *jobs;
	struct timer job_timer;
	/* all are being closed */
	unsigned closing_code, closing_spread_ms;
	struct ws_figures figures;
	struct outcome_setup outcomes[OUTCOMES_MAX]; /* scratch */
};

static inline int64_t hub_now_us(const struct hub *hub)
{
	return clock_mono_us(hub->clock);
}

/* What stands in hub->writer, as a frame; the writer is empty afterwards. The caller has the
 * reference. */
struct frame *hub_frame(struct hub *hub);
/* To one channel; the writer is empty afterwards. */
void hub_send(struct channel *channel);
void hub_broadcast(struct hub *hub, struct frame *frame);

/* All are closed: this one too, at once or when its last command has been answered. */
void hub_close_restarting(struct channel *channel);
/* Attached from now on: the session's end is watched. */
void hub_watch_session(struct channel *channel);

/* --- hub_request.c --- */
void hub_on_message(struct channel *channel, const char *text, size_t length, bool is_binary);
/* It is behind and can take more. */
void hub_on_ready(struct channel *channel);
/* Answers that still come have nobody to go to. */
void hub_forget_pending(struct channel *channel);

/* --- hub_told.c --- */
void hub_listen(struct hub *hub);
