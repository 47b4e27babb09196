#pragma once
/* Asterisk 22 (>= 22.10.1) through ARI: events and REST requests over one WebSocket. See docs/telephony.md for
 * what was observed and which traps this driver avoids.
 *
 * Files: ari.c life cycle and operations | ari_leg.c the legs' own small machines | ari_request.c requests and
 * their answers | ari_event.c event text -> facts (pure, fuzzed) | ari_net.c the socket, the only file with lws. */
#include "telephony/driver.h"

struct lws_context;

struct ari_config {
	char host[128];
	unsigned port;
	char user[65], password[129]; /* never logged */
	char app[33];		      /* Stasis application, default "calltab" */
	char trunk[65];		      /* PJSIP endpoint that reaches the carrier: PJSIP/<number>@<trunk> */
	char station_technology[17];  /* default "PJSIP": PJSIP/<extension> */
	char music_class[65];	      /* "" = the default class */
	unsigned connect_min_ms, connect_max_ms; /* back-off, default 100 .. 3200 */
	unsigned ping_s;	      /* default 5: dead peers are noticed within 10 s */
};

/* lws: the call plane's context on libuv (may be shared with the tabs). Borrowed. */
struct tel_driver *ari_driver_create(const struct tel_host *host, const struct ari_config *config,
				     struct lws_context *lws);
/* What /readyz and the log say: "connecting", "up", "refused: wrong password", "Asterisk 20 is too old ..." */
const char *ari_driver_state(struct tel_driver *);
