/* The link's life: connecting, watching over it, trying again when it is gone. */
#include "telephony/ari/ari_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/uuid.h"

#define REFUSED_MS   30000 /* until a refused link is tried again: somebody has to act first */
#define SETUP_MAX_US INT64_C(10000000)
#define PONG_MAX_US  INT64_C(3000000)
/* Until a socket on which nothing is answered counts as blocked: requests are carried out one after
 * the other, so one that does not return holds up every call, and a new socket is not held up. */
#define STUCK_MAX_US INT64_C(3000000)
#define WATCH_MS     1000

static void set_state(struct ari *ari, const char *format, ...) PRINTF_LIKE(2, 3);
static void set_state(struct ari *ari, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ari->state, sizeof ari->state, format, args);
	va_end(args);
}

static void on_connect_due(void *arg)
{
	struct ari *ari = arg;

	ari->phase = ARI_CONNECTING;
	ari->began_us = ari_now_us(ari);
	ari_net_connect(ari->net);
	ari_flush(ari);
}

/* Twice as long after each failure, and never the same for two gateways. */
static unsigned back_off_ms(const struct ari *ari)
{
	unsigned doublings = ari->failures < 16 ? ari->failures : 16;
	uint64_t ms = (uint64_t)ari->config.connect_min_ms << doublings;
	uint8_t noise;

	if (ms > ari->config.connect_max_ms)
		ms = ari->config.connect_max_ms;
	random_bytes(&noise, 1);
	return (unsigned)(ms * 4 / 5 + ms * 2 / 5 * noise / 255);
}

static void stop_leg_checks(struct ari *ari)
{
	struct ari_leg *leg, *next;

	HASH_ITER(hh, ari->legs, leg, next)
		ari_timer_stop(ari, &leg->check_timer);
}

/* Calls go on without us. What was under way is lost; the next comparison tells what came of it. */
static void forget_link(struct ari *ari)
{
	bool was_linked = ari->phase == ARI_LINKED;

	ari->phase = ARI_WAITING;
	ari_queue_drop_all(ari);
	ari_requests_drop(ari);
	ari_sync_drop(ari);
	stop_leg_checks(ari);
	if (was_linked)
		ari_tell(ari, (struct tel_fact){.kind = TEL_LINK, .epoch = ari->epoch});
}

static void try_again_in(struct ari *ari, unsigned ms)
{
	ari->failures++;
	ari_timer_in(ari, &ari->connect_timer, on_connect_due, ari, ms);
}

void ari_link_up(struct ari *ari)
{
	ari->phase = ARI_LINKED;
	set_state(ari, "up");
	ari_tell(ari, (struct tel_fact){.kind = TEL_LINK, .link_up = true, .epoch = ari->epoch});
}

void ari_link_drop(struct ari *ari, const char *why)
{
	set_state(ari, "away: %s", why);
	ari_net_close(ari->net);
	forget_link(ari);
	try_again_in(ari, back_off_ms(ari));
}

void ari_link_refuse(struct ari *ari, const char *why)
{
	set_state(ari, "refused: %s", why);
	ari_net_close(ari->net);
	forget_link(ari);
	try_again_in(ari, REFUSED_MS);
}

void ari_link_fence(struct ari *ari, const char *why)
{
	set_state(ari, "refused: %s", why);
	ari_net_close(ari->net);
	ari_timer_stop(ari, &ari->connect_timer);
	forget_link(ari);
}

/* Another gateway has taken our application over, and has our calls. Trying again would take them
 * back, and so on for ever: this one stays away until it is started anew. */
static void on_replaced(struct ari *ari)
{
	ari_link_fence(ari, "another client of Asterisk has taken over the application");
	if (ari->config.on_replaced)
		ari->config.on_replaced(ari->config.user_data);
}

static void on_open(void *user)
{
	struct ari *ari = user;

	ari->phase = ARI_IDENTIFYING;
	ari->heard_us = ari_now_us(ari);
	ari_sync_identify(ari);
}

static void on_close(void *user, const char *reason)
{
	struct ari *ari = user;

	if (strstr(reason, "unauthorized"))
		ari_link_refuse(ari, "wrong user or password");
	else
		ari_link_drop(ari, reason);
	ari_flush(ari);
}

static void dispatch(struct ari *ari, const struct ari_event *event)
{
	switch (event->kind) {
	case ARI_EVENT_IGNORED:
		break;
	case ARI_EVENT_ANSWER:
		ari_on_answer(ari, event);
		break;
	case ARI_EVENT_PLAYBACK_ENDED: {
		struct ari_play *play = ari_play_find(ari, event->playback);
		if (play)
			ari_play_end(play, event->is_done ? "ok" : "failed");
		break;
	}
	case ARI_EVENT_RECORD_BEGUN:
	case ARI_EVENT_RECORD_ENDED:
		ari_record_on_event(ari, event);
		break;
	case ARI_EVENT_ENDPOINT:
		ari_sync_note_station(ari, event->technology, event->resource, event->is_online);
		break;
	case ARI_EVENT_REPLACED:
		on_replaced(ari);
		break;
	default:
		ari_leg_on_event(ari, event);
		break;
	}
}

static void on_message(void *user, const char *text, size_t length)
{
	struct ari *ari = user;
	struct ari_event event;

	ari->heard_us = ari_now_us(ari);
	if (ari_event_parse(text, length, ari->config.app, &event) == ST_OK)
		dispatch(ari, &event);
	else if (ari->phase == ARI_LINKED)
		ari_sync_start(ari); /* whatever it said, we have missed it */
	ari_event_done(&event);
	ari_flush(ari);
}

/* A peer is alive when anything comes from it. When all is quiet it is asked. */
static void watch_link(struct ari *ari)
{
	int64_t quiet_us = ari_now_us(ari) - ari->heard_us;
	int64_t ping_us = (int64_t)ari->config.ping_s * 1000000;

	if (ari->requests && quiet_us > ping_us + PONG_MAX_US)
		ari_link_drop(ari, "Asterisk does not answer");
	else if (ari_requests_stuck_us(ari) > STUCK_MAX_US)
		ari_link_drop(ari, "Asterisk is stuck in a request");
	else if (!ari->requests && quiet_us >= ping_us)
		ari_send(ari, ari_ignore_answer, NULL, "GET asterisk/ping");
}

static void on_watch_due(void *arg)
{
	struct ari *ari = arg;

	if (ari->phase == ARI_LINKED)
		watch_link(ari);
	else if ((ari->phase == ARI_CONNECTING || ari->phase == ARI_IDENTIFYING) &&
		 ari_now_us(ari) - ari->began_us > SETUP_MAX_US)
		ari_link_drop(ari, "Asterisk does not answer");
	ari_timer_in(ari, &ari->watch_timer, on_watch_due, ari, WATCH_MS);
	ari_flush(ari);
}

void ari_link_open(struct ari *ari)
{
	struct ari_net_handler handler = {
		.on_open = on_open, .on_message = on_message, .on_close = on_close, .user = ari};
	char path[64];
	struct ari_net_config config = {.host = ari->config.host,
					.loop = ari->config.loop,
					.port = ari->config.port,
					.path = path,
					.user = ari->config.user,
					.password = ari->config.password};

	str_format(path, sizeof path, "/ari/events?app=%s", ari->config.app);
	ari->net = ari_net_create(ari->lws, &config, &handler);
	ari->phase = ARI_WAITING;
	ari_timer_in(ari, &ari->connect_timer, on_connect_due, ari, 0);
	ari_timer_in(ari, &ari->watch_timer, on_watch_due, ari, WATCH_MS);
}

void ari_link_close(struct ari *ari)
{
	ari_timer_stop(ari, &ari->connect_timer);
	ari_timer_stop(ari, &ari->watch_timer);
	ari_net_destroy(ari->net);
	ari_queue_drop_all(ari);
	ari_requests_drop(ari);
	ari_sync_drop(ari);
}
