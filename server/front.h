#pragma once
/* The front door: the one listening socket, in a thread of its own. It reads the first bytes of a
 * connection without taking them from the socket (so whoever gets the socket reads the head
 * himself) and gives it away: strictly valid upgrades of our path to the tab door, everything else
 * to the HTTP door, at once. Only a connection whose door cannot be told yet waits here, ten
 * seconds at most.
 *
 * Neither library behind it listens by itself: one spins and then crashes without descriptors, the
 * other deadlocks at its connection limit. Here the limit is checked before accept(). At the limit,
 * and without descriptors, newcomers are answered with 503 and closed, a few at a time with pauses
 * between, so that a crowd before the door costs next to nothing; as long as the reserve of
 * descriptors (base/spare.h) is not whole nobody is let in. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/status.h"

struct front;

/* Both doors take the descriptor (non-blocking, close-on-exec) and close it when they cannot use
 * it. Called on the front thread; they must not block. */
struct front_hooks {
	void (*give_ws)(void *user, int fd);
	void (*give_http)(void *user, int fd, const struct sockaddr *address, socklen_t length);
	/* How many connections both doors have, from the moment the descriptor was given. */
	unsigned (*connections)(void *user);
	/* False: upgrades go to the HTTP door too, which refuses them in words. NULL = always. */
	bool (*admits_tabs)(void *user);
	void *user;
};

struct front_config {
	/* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:0" (0 = the kernel chooses), "localhost:8080",
	 * "unix:/run/calltab.sock" */
	const char *listen;
	unsigned max_connections; /* 0 = 20000; never more than the descriptor limit less 256,
				     or half of it when it is small; the limit as it is now */
	const char *ws_path;	  /* NULL = "/ws" */
	const char *subprotocol;  /* NULL = "calltab.v1" */
	/* A second path for upgrades, with its own sub-protocol; NULL = none. */
	const char *audio_path, *audio_subprotocol;
	unsigned head_deadline_ms; /* 0 = 10000 */
	struct front_hooks hooks;
};

/* Listens and starts the thread. ST_CONFLICT "listen.in_use", ST_INVALID "listen.invalid" (no such
 * address), ST_FORBIDDEN "listen.denied". NULL on failure. Texts are borrowed for the front's life.
 */
struct front *front_start(const struct front_config *config, struct err *err);
/* The real port, also when 0 was asked for; 0 for a unix socket. */
unsigned front_port(const struct front *front);
/* From any thread: closes the listening socket; connections that wait for their head still get
 * their door. */
void front_stop_accepting(struct front *front);
/* Stops and joins the thread, closes what still waits. NULL is fine. */
void front_stop(struct front *front);

struct front_figures {				 /* since the start; from any thread */
	uint64_t accepted, given_ws, given_http; /* given_ws: the audio ones too */
	uint64_t refused;   /* of given_http: asked for our path without a strictly valid upgrade */
	uint64_t late;	    /* closed: no whole head within the deadline */
	uint64_t gone;	    /* the peer left before its door was known */
	uint64_t crowded;   /* closed: too many were waiting for their head */
	uint64_t pauses;    /* accepting paused: no descriptors or at the limit */
	uint64_t full;	    /* answered with 503 and closed meanwhile */
	unsigned undecided; /* waiting for their head now */
};
/* How many connections there are, in hundredths of how many there may be now. From any thread. */
unsigned front_fill_percent(const struct front *front);
void front_figures(const struct front *front, struct front_figures *ret);
