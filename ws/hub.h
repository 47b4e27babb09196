#pragma once
/* The heart of the tab door, without the socket library: all channels, what their tabs ask, what
 * control tells them. ws.c opens a channel for each socket and passes on what it hears; unit tests
 * do the same with wires of their own. */
#include <stdbool.h>
#include <stdint.h>
#include "ws/channel.h"
#include "ws/ticket.h"
#include "ws/ws.h"

struct hub;

/* Everything borrowed; config is copied, its origins are not. */
struct hub *hub_create(const struct ws_config *config, const struct wire_ops *wire,
		       const struct clock *clock, struct timers *timers, struct control *control);
/* The wires of channels that are still there must not call any more. */
void hub_destroy(struct hub *hub);

/* Exactly one of the configured ones; "" (none given) only when the configuration allows it. */
bool hub_allows_origin(const struct hub *hub, const char *origin);
struct tickets *hub_tickets(struct hub *hub);

/* A socket is open; ticket NULL: the one it showed was no good, so it is closed with 4401. The
 * channel lives until hub_closed(). */
struct channel *hub_open(struct hub *hub, void *wire, const struct ticket *ticket);
void hub_hear(struct channel *channel, const struct piece_heard *piece);
void hub_hear_pong(struct channel *channel);
/* The wire is gone; frees the channel. */
void hub_closed(struct channel *channel);

void hub_close_all(struct hub *hub, unsigned code, unsigned spread_ms);
void hub_session_end(struct hub *hub, const struct uuid *session_id);
void hub_refused(struct hub *hub); /* counts a socket that was refused before it was one */
void hub_figures(struct hub *hub, struct ws_figures *ret);
