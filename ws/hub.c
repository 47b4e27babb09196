#include "ws/hub_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/str.h"
#include "ws/frame.h"

#define US_PER_S	  INT64_C(1000000)
#define CLOSING_US	  (3 * US_PER_S) /* for the peer's answer to our close */
#define EXPIRY_NOTICE_US  (60 * US_PER_S)
#define SWEEPS_PER_PERIOD 100
#define LEAST_SWEEP_US	  10000
#define SLICE		  256
#define SLICE_PAUSE_US	  2000

/* ---- sending ---- */

struct frame *hub_frame(struct hub *hub)
{
	struct frame *frame = frame_make(&hub->writer);

	jw_reset(&hub->writer);
	return frame;
}

void hub_send(struct channel *channel)
{
	struct hub *hub = channel->shared->hub;
	struct frame *frame = hub_frame(hub);

	hub->figures.messages_out++;
	channel_send(channel, frame);
	frame_unref(frame);
}

/* ---- closing ---- */

void hub_close_restarting(struct channel *channel)
{
	struct hub *hub = channel->shared->hub;
	char reason[32] = "";
	uint32_t random;

	/* What it has asked for is under way: it is to hear what came of it, unless we come again.
	 */
	bool must_wait = channel->pending_count > 0 && !channel->is_leaving;
	channel->is_leaving = true;
	if (must_wait)
		return;
	if (hub->closing_spread_ms > 0) {
		random_bytes(&random, sizeof(random));
		snprintf(reason, sizeof(reason), "retry=%" PRIu32,
			 random % (hub->closing_spread_ms + 1));
	}
	channel_close(channel, hub->closing_code, reason);
}

static void leave_audience(struct channel *channel)
{
	struct hub *hub = channel->shared->hub;

	if (channel->agent_prev && (audience_remove(hub->audience, channel) || PLANTED(19)))
		control_agent_present(hub->control, &channel->agent_id, false);
}

/* From here on it hears nothing any more, also when the peer takes its time to go. */
static void on_closing(struct channel *channel, unsigned code)
{
	struct hub *hub = channel->shared->hub;

	hub->figures.closed_slow += code == CLOSE_SLOW;
	hub->figures.closed_rate += code == CLOSE_RATE;
	leave_audience(channel);
	timer_set(hub->timers, &channel->timer, hub_now_us(hub) + CLOSING_US);
}

/* ---- what a channel's timer means ---- */

void hub_watch_session(struct channel *channel)
{
	struct hub *hub = channel->shared->hub;
	int64_t notice_us = channel->session_ends_us - EXPIRY_NOTICE_US;

	if (channel->session_ends_us == INT64_MAX) {
		timer_stop(hub->timers, &channel->timer);
		return;
	}
	if (notice_us > hub_now_us(hub)) {
		timer_set(hub->timers, &channel->timer, notice_us);
		return;
	}
	timer_set(hub->timers, &channel->timer, channel->session_ends_us);
	protocol_write_notice(&hub->writer, "token.expiring",
			      "the session ends within a minute: sign in again");
	hub_send(channel);
}

static void on_channel_timer(void *arg)
{
	struct channel *channel = arg;
	struct hub *hub = channel->shared->hub;

	if (channel->state == CHANNEL_CLOSING)
		channel->shared->wire->kill(channel->wire);
	else if (hub_now_us(hub) >= channel->session_ends_us)
		channel_close(channel, CLOSE_NOT_SIGNED_IN, "session ended");
	else if (channel->state == CHANNEL_OPEN)
		channel_close(channel, CLOSE_POLICY, "not attached");
	else
		hub_watch_session(channel);
}

static int64_t session_end_us(const struct hub *hub, int64_t expires_ms)
{
	if (expires_ms <= 0)
		return INT64_MAX;
	return hub_now_us(hub) + expires_ms * 1000 - clock_wall_us(hub->clock);
}

/* ---- pings ---- */

static int64_t ping_period_us(const struct hub *hub)
{
	return hub->config.ping_s * US_PER_S;
}

static void set_sweep(struct hub *hub)
{
	int64_t pause_us = ping_period_us(hub) / SWEEPS_PER_PERIOD;

	timer_set(hub->timers, &hub->sweep,
		  hub_now_us(hub) + (pause_us < LEAST_SWEEP_US ? LEAST_SWEEP_US : pause_us));
}

/* Silence alone proves nothing: the process itself may have stood still. */
static bool is_dead(const struct channel *channel)
{
	const struct hub *hub = channel->shared->hub;

	return channel->pings_unanswered >= 2 &&
	       hub_now_us(hub) - channel->heard_us > ping_period_us(hub) * 5 / 2;
}

/* Every second visit pings, every visit looks: who is dead is found within half a period. */
static void visit(struct channel *channel)
{
	if (channel->state == CHANNEL_CLOSING)
		return;
	channel->is_ping_due = !channel->is_ping_due;
	if (is_dead(channel)) {
		channel_kill(channel);
	} else if (channel->is_ping_due) {
		channel->shared->hub->figures.pings++;
		channel_ping(channel);
	}
}

/* A timer per channel would do the same for forty times the price. Each channel is visited twice a
 * period: a sweep visits as many as the time since the last one is worth. */
static void on_sweep(void *arg)
{
	struct hub *hub = arg;
	const int64_t now_us = hub_now_us(hub), round_us = ping_period_us(hub) / 2;
	int64_t elapsed_us = now_us - hub->swept_us;

	hub->swept_us = now_us;
	if (elapsed_us > round_us) /* the process stood still: once round is enough */
		elapsed_us = round_us;
	hub->sweep_credit_us += elapsed_us * hub->channel_count;
	for (; hub->sweep_credit_us >= round_us; hub->sweep_credit_us -= round_us) {
		struct channel *channel = hub->sweep_next ? hub->sweep_next : hub->channels;
		hub->sweep_next = channel->next;
		visit(channel);
	}
	recent_forget_old(hub->recent, now_us);
	set_sweep(hub);
}

/* ---- jobs ---- */

static void do_slice(struct job *job)
{
	for (int i = 0; i < SLICE && job->next; i++) {
		struct channel *channel = job->next;
		job->next = channel->next;
		if (!job->frame)
			hub_close_restarting(channel);
		else if (channel->state == CHANNEL_ATTACHED)
			channel_send(channel, job->frame);
	}
}

static void end_job(struct hub *hub, struct job *job)
{
	LL_DELETE2(hub->jobs, job, following);
	if (job->frame)
		frame_unref(job->frame);
	free(job);
}

static void do_jobs(void *arg)
{
	struct hub *hub = arg;
	struct job *job, *following;

	LL_FOREACH_SAFE2(hub->jobs, job, following, following)
	{
		do_slice(job);
		if (!job->next)
			end_job(hub, job);
	}
	if (hub->jobs)
		timer_set(hub->timers, &hub->job_timer, hub_now_us(hub) + SLICE_PAUSE_US);
}

static void add_job(struct hub *hub, struct frame *frame)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->next = hub->channels;
	job->frame = frame ? frame_ref(frame) : NULL;
	LL_APPEND2(hub->jobs, job, following);
	do_jobs(hub);
}

void hub_broadcast(struct hub *hub, struct frame *frame)
{
	hub->figures.messages_out += hub->channel_count;
	add_job(hub, frame);
}

void hub_close_all(struct hub *hub, unsigned code, unsigned spread_ms)
{
	hub->closing_code = code;
	hub->closing_spread_ms = code == CLOSE_RESTART || code == CLOSE_OVERLOAD ? spread_ms : 0;
	add_job(hub, NULL);
}

void hub_session_end(struct hub *hub, const struct uuid *session_id)
{
	struct channel *channel;

	tickets_drop_session(hub->tickets, session_id);
	DL_FOREACH(hub->channels, channel) {
		if (uuid_equal(&channel->session_id, session_id))
			channel_close(channel, CLOSE_NOT_SIGNED_IN, "session ended");
	}
}

/* ---- a channel's life ---- */

static void list(struct hub *hub, struct channel *channel)
{
	DL_APPEND(hub->channels, channel);
	if (hub->channel_count++ > 0)
		return;
	hub->swept_us = hub_now_us(hub);
	hub->sweep_credit_us = 0;
	set_sweep(hub);
}

static void unlist(struct hub *hub, struct channel *channel)
{
	struct job *job;

	if (hub->sweep_next == channel)
		hub->sweep_next = channel->next;
	LL_FOREACH2(hub->jobs, job, following)
	{
		if (job->next == channel)
			job->next = channel->next;
	}
	DL_DELETE(hub->channels, channel);
	if (--hub->channel_count == 0)
		timer_stop(hub->timers, &hub->sweep);
}

static void admit(struct channel *channel, const struct ticket *ticket)
{
	struct hub *hub = channel->shared->hub;
	int64_t deadline_us = hub_now_us(hub) + hub->config.max_unattached_s * US_PER_S;

	channel->agent_id = ticket->agent_id;
	channel->session_id = ticket->session_id;
	channel->session_ends_us = session_end_us(hub, ticket->session_expires_ms);
	if (channel->session_ends_us < deadline_us)
		deadline_us = channel->session_ends_us;
	timer_set(hub->timers, &channel->timer, deadline_us);
}

struct channel *hub_open(struct hub *hub, void *wire, const struct ticket *ticket)
{
	struct channel *channel = xmalloc(sizeof(*channel));

	channel_init(channel, &hub->shared, wire, hub_now_us(hub));
	channel->timer = (struct timer){.fire = on_channel_timer, .arg = channel};
	hub->figures.opened++;
	list(hub, channel);
	if (hub->closing_code)
		hub_close_restarting(channel);
	else if (!ticket)
		channel_close(channel, CLOSE_NOT_SIGNED_IN, "ticket");
	else
		admit(channel, ticket);
	return channel;
}

void hub_hear(struct channel *channel, const struct piece_heard *piece)
{
	channel_hear(channel, piece, hub_now_us(channel->shared->hub));
}

void hub_hear_pong(struct channel *channel)
{
	channel_hear_pong(channel, hub_now_us(channel->shared->hub));
}

void hub_closed(struct channel *channel)
{
	struct hub *hub = channel->shared->hub;

	leave_audience(channel);
	hub_forget_pending(channel);
	timer_stop(hub->timers, &channel->timer);
	unlist(hub, channel);
	channel_done(channel);
	free(channel);
}

/* ---- the hub's life ---- */

static unsigned or_default(unsigned value, unsigned instead)
{
	return value ? value : instead;
}

static void fill_config(struct ws_config *config)
{
	config->ping_s = or_default(config->ping_s, 30);
	config->queue_messages = or_default(config->queue_messages, 64);
	config->queue_bytes = or_default(config->queue_bytes, 256 * 1024);
	config->rate_per_s = or_default(config->rate_per_s, 20);
	config->rate_burst = or_default(config->rate_burst, 40);
	config->max_unattached_s = or_default(config->max_unattached_s, 5);
}

struct hub *hub_create(const struct ws_config *config, const struct wire_ops *wire,
		       const struct clock *clock, struct timers *timers, struct control *control)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->config = *config;
	fill_config(&hub->config);
	hub->clock = clock;
	hub->timers = timers;
	hub->control = control;
	hub->shared = (struct channel_shared){
		.wire = wire,
		.limits = {.queue_messages = hub->config.queue_messages,
			   .queue_bytes = hub->config.queue_bytes,
			   .rate_per_s = hub->config.rate_per_s,
			   .rate_burst = hub->config.rate_burst},
		.on_closing = on_closing,
		.on_ready = hub_on_ready,
		.on_message = hub_on_message,
		.hub = hub,
	};
	hub->tickets = tickets_create(clock);
	hub->audience = audience_create();
	hub->recent = recent_create();
	hub->sweep = (struct timer){.fire = on_sweep, .arg = hub};
	hub->job_timer = (struct timer){.fire = do_jobs, .arg = hub};
	hub_listen(hub);
	return hub;
}

void hub_destroy(struct hub *hub)
{
	if (!hub)
		return;
	while (hub->channels)
		hub_closed(hub->channels);
	while (hub->jobs)
		end_job(hub, hub->jobs);
	timer_stop(hub->timers, &hub->sweep);
	timer_stop(hub->timers, &hub->job_timer);
	tickets_destroy(hub->tickets);
	audience_destroy(hub->audience);
	recent_destroy(hub->recent);
	jw_done(&hub->writer);
	free(hub);
}

/* ---- small questions ---- */

bool hub_allows_origin(const struct hub *hub, const char *origin)
{
	if (!origin[0])
		return hub->config.allow_no_origin;
	if (strcmp(origin, "null") == 0) /* a sandboxed frame, a file: anybody */
		return false;
	for (const char *const *each = hub->config.origins; each && *each; each++)
		if (strcmp(*each, origin) == 0)
			return true;
	return false;
}

struct tickets *hub_tickets(struct hub *hub)
{
	return hub->tickets;
}

void hub_refused(struct hub *hub)
{
	hub->figures.refused++;
}

void hub_figures(struct hub *hub, struct ws_figures *ret)
{
	*ret = hub->figures;
	ret->connections = hub->channel_count;
	ret->tickets = tickets_count(hub->tickets);
}
