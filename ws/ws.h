#pragma once
/* The tab door: WebSockets of call tabs, adopted from the front door after its strict check of the
 * upgrade (docs/protocol.md is what they speak). One thread, the call plane's.
 *
 * Files: ws.c libwebsockets, seen nowhere else | hub*.c all channels: what tabs ask, what control
 * tells, pings, the end | channel.c one connection: its queue, its limits, its close | audience.c
 * whose windows look at what | recent.c the last events, for those who come back | protocol*.c,
 * call_json.c frame text <-> struct (pure, fuzzed) | ticket.c one-use tickets | frame.c a message
 * that many tabs share. */
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/timers.h"
#include "base/uuid.h"

struct control;
struct lws_context;
struct lws_protocols;
struct shed;
struct ws;
struct ticket; /* ws/ticket.h */

struct ws_config {
	const char *const *origins; /* exact allowed Origin values, NULL-ended; requests without
				       Origin pass only with allow_no_origin */
	bool allow_no_origin;	    /* for programs that are no browser; default false */
	unsigned ping_s;	    /* default 30; silent for 2.5 periods and two pings = dead */
	unsigned queue_messages, queue_bytes; /* per tab; default 64, 256 kB; more = close 4008 */
	unsigned rate_per_s,
		rate_burst;	   /* messages from a tab; default 20, 40; more = close 4429 */
	unsigned max_unattached_s; /* default 5: a socket that never attaches is closed 1008 */
	struct shed *shed;	   /* what is turned away now; NULL = nothing ever is. Borrowed. */
	/* Another sub-protocol of sockets that are adopted here; NULL = none. The library finds the
	 * place of a socket by its port alone, so there is one place for all. Lives as long as the
	 * context. Of its sockets it tells the end, LWS_CALLBACK_WSI_DESTROY: ws_socket_gone(). */
	const struct lws_protocols *other;
};

/* lws: a context made by server/ on its own uv loop (else the library takes over the signals), with
 * explicit vhosts, without a listener, without extensions (a crafted compressed frame would abort
 * the process), with a retry policy of zeros, and room for heads of 16 kB. Everything is borrowed.
 * It listens to control, which must not be polled after ws_destroy(). */
struct ws *ws_create(const struct ws_config *config, struct lws_context *lws,
		     const struct clock *clock, struct timers *timers, struct control *control,
		     struct err *err);
/* Before or after the context. Sockets that are still open go with the context. */
void ws_destroy(struct ws *);
/* Takes the descriptor (closed on failure). On the call plane's thread. */
void ws_adopt(struct ws *, int fd);
void ws_socket_gone(struct ws *);
/* Closes every tab: 1012 with a retry hint spread over spread_ms (a restart) - then
 * ws_connections() falls to 0. A tab whose commands are under way hears of them first, what it asks
 * now is not carried out; the second time nobody is waited for. Who comes later is closed the same
 * way. */
void ws_close_all(struct ws *, unsigned code, unsigned spread_ms);
/* Descriptors that were adopted and are not closed yet. From any thread. */
unsigned ws_connections(const struct ws *);

/* A ticket: 43 characters that open one socket, once, within 30 s. Call plane only.
 * session_expires_ms (Unix): when the session behind it ends, then 4401, a minute after a notice
 * token.expiring; 0 = never. origin: of the page that asks, NULL = the ticket is good from every
 * allowed one. ST_RATE "ticket.too_many", ST_BUSY "ticket.table_full". */
enum status ws_ticket_make(struct ws *, const struct uuid *agent_id, const struct uuid *session_id,
			   int64_t session_expires_ms, const char *origin, char ret[44],
			   struct err *err) MUST_USE;
/* For other sockets of the same pages: may they come from there, and whose ticket is it (used up)?
 */
bool ws_allows_origin(const struct ws *, const char *origin);
bool ws_ticket_take(struct ws *, const char *text, size_t length, const char *origin,
		    struct ticket *ret);
/* Closes the sockets of a session with 4401: it was revoked or signed out. */
void ws_session_end(struct ws *, const struct uuid *session_id);

struct ws_figures { /* since the start, but for the last two */
	uint64_t opened, refused, messages_in, messages_out, closed_slow, closed_rate, pings;
	unsigned connections, tickets;
};
void ws_figures(const struct ws *, struct ws_figures *ret);
