#pragma once
/* The tab door: WebSockets of call tabs, adopted from the front door after its strict check of the
 * upgrade. libwebsockets is seen in ws.c only. One thread, the call plane's.
 *
 * Files: ws.c lws glue | channel.c one connection: who it is, its queue, its limits | protocol.c
 * frame text <-> struct (pure, fuzzed) | ticket.c one-use tickets. */
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/timers.h"
#include "base/uuid.h"

struct control;
struct lws_context;
struct ws;

struct ws_config {
	const char *const *origins; /* exact allowed Origin values, NULL-ended; requests without
				       Origin pass only with allow_no_origin */
	bool allow_no_origin;	    /* for programs that are no browser; default false */
	unsigned ping_s;	    /* default 30; silent for 2.5 periods = dead */
	unsigned queue_messages, queue_bytes; /* per tab; default 64, 256 kB; more = close 4008 */
	unsigned rate_per_s,
		rate_burst;	   /* messages from a tab; default 20, 40; more = close 4429 */
	unsigned max_unattached_s; /* default 5: a socket that never attaches is closed 1008 */
};

/* lws: a context on libuv without a listener, made by server/. Everything borrowed. */
struct ws *ws_create(const struct ws_config *config, struct lws_context *lws,
		     const struct clock *clock, struct timers *timers, struct control *control,
		     struct err *err);
void ws_destroy(struct ws *);
/* Takes the descriptor (closed on failure). On the call plane's thread. */
void ws_adopt(struct ws *, int fd);
/* Closes every tab: 1012 with a retry hint spread over spread_ms (a restart) - then
 * ws_connections() falls to 0. */
void ws_close_all(struct ws *, unsigned code, unsigned spread_ms);
unsigned ws_connections(const struct ws *);

/* A ticket: 43 characters that open one socket, once, within 30 s. Call plane only. expires_ms:
 * when the session behind it ends (then 4401). */
enum status ws_ticket_make(struct ws *, const struct uuid *agent_id, const struct uuid *session_id,
			   int64_t session_expires_ms, const char *origin, char ret[44],
			   struct err *err) MUST_USE;
/* Closes the sockets of a session with 4401: it was revoked or signed out. */
void ws_session_end(struct ws *, const struct uuid *session_id);

struct ws_figures {
	uint64_t opened, refused, messages_in, messages_out, closed_slow, closed_rate, pings;
	unsigned connections, tickets;
};
void ws_figures(const struct ws *, struct ws_figures *ret);
