#pragma once
/* Asterisk 22 (>= 22.10.1) through ARI: events and REST requests over one WebSocket. What was
 * observed, and which traps this driver avoids and where, is in docs/telephony.md.
 *
 * Files: ari.c the operations | ari_link.c connecting and staying connected | ari_sync.c comparing
 * after a connect | ari_queue.c the order of operations | ari_leg.c one leg, a small machine |
 * ari_media.c audio over a WebSocket | ari_mix.c mixes and sounds | ari_request.c requests and
 * their answers | ari_event.c texts to facts (pure, fuzzed) | ari_result.c how a leg ended (pure) |
 * ari_net.c the socket, the only file with libwebsockets. */
#include "telephony/driver.h"

#define ARI_SOUND_SIZE 256

struct lws_context;
struct uv_loop_s;

struct ari_config {
	char host[128];		/* address or name */
	struct uv_loop_s *loop; /* the one under lws: a name is looked up without blocking. NULL is
				   fine for an address; a name then blocks the loop */
	unsigned port;
	char user[65], password[129]; /* never logged */
	char app[33];		      /* Stasis application, default "calltab" */
	char trunk[65]; /* PJSIP endpoint that reaches the carrier: PJSIP/<number>@<trunk> */
	char station_technology[17];		 /* default "PJSIP": PJSIP/<extension> */
	char music_class[65];			 /* "" = the default class */
	unsigned connect_min_ms, connect_max_ms; /* back-off, default 100 .. 3200 */
	/* Another client has taken over the application; the driver is fenced already. On the call
	 * plane's thread, outside of facts; may be NULL. */
	void (*on_replaced)(void *user_data);
	void *user_data;
	unsigned ping_s; /* default 5: dead peers are noticed within 10 s */
	/* A registered sound, by its name: from where Asterisk fetches it, and its length. False:
	 * there is none. NULL: names and paths are those of Asterisk's own sounds. */
	bool (*find_sound)(void *user, const char *name, char url[ARI_SOUND_SIZE],
			   unsigned *ret_ms);
	void *sound_user;
};

/* lws: the call plane's context on libuv (may be shared with the tabs). Borrowed: it outlives the
 * driver. tel_driver_open() answers ST_INVALID for a configuration that cannot work. */
struct tel_driver *ari_driver_create(const struct tel_host *host, const struct ari_config *config,
				     struct lws_context *lws);
/* From now on nothing is asked of Asterisk any more, until the program is started anew: calls are
 * another gateway's. */
void ari_driver_fence(struct tel_driver *driver, const char *why);
/* What /readyz and the log say: "connecting", "up", "away: <why>" (it is tried again soon),
 * "refused: wrong user or password", "refused: Asterisk 20.1 is too old ..." (tried again every 30
 * s), "refused: another client ..." (never tried again). */
const char *ari_driver_state(struct tel_driver *driver);
