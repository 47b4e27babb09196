#pragma once
/* The HTTP door: REST, pages, health. libmicrohttpd is seen in http.c only; every handler works on
 * struct request and struct reply and can be tested without a socket. Reads of the database are
 * jobs on db workers while the connection is suspended; nothing here blocks. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"
#include "base/uuid.h"

struct routes;
struct control;
struct db;
struct shed;

struct route_hooks { /* what routes asks of rooms it may not see; server/ wires them. Answers come
			from any thread. */
	/* A ticket for this session: done(arg, status, ticket or NULL, err) is called once. */
	void (*make_ticket)(void *user, const struct uuid *agent_id, const struct uuid *session_id,
			    int64_t session_expires_ms, const char *origin,
			    void (*done)(void *arg, enum status status, const char *ticket,
					 const struct err *err),
			    void *arg);
	void (*end_session)(void *user, const struct uuid *session_id);
	/* The simulated switch, when it is the one in use: verb "legs" | "call" | "answer" |
	 * "hangup" | "press" | "station" | "link"; the answer is JSON text. args: the body's
	 * members as texts ("true", "false" for booleans), NULL where absent: call from,to,name |
	 * answer leg | hangup leg | press leg,digits | station station,reachable,answers | link
	 * state. NULL hook or ST_UNSUPPORTED = not a simulated switch. */
	void (*simulate)(void *user, const char *verb, const char *const args[6],
			 void (*done)(void *arg, enum status status, const char *json,
				      const struct err *err),
			 void *arg);
	/* A sound was put (version: how the switch is to ask for it) or deleted (version NULL):
	 * done is called once, when calls know of it. NULL hook: nobody plays any. */
	void (*set_sound)(void *user, const char *name, const char *version, unsigned duration_ms,
			  void (*done)(void *arg), void *arg);
	/* Readiness in words; fills lines of JSON members, returns whether ready. Called on any
	 * thread: reads atomics only. */
	bool (*ready)(void *user, char *json, unsigned size);
	/* Waits until the tables have everything that was told before now; false: not in this time.
	 * Called on a database worker, before it reads. NULL = they always have. */
	bool (*settle)(void *user, unsigned wait_ms);
	void *user;
};

struct routes_config {
	const char *web_dir;		    /* static files; NULL = none */
	const char *const *origins;	    /* allowed for CORS and sign-in, NULL-ended */
	const char *const *trusted_proxies; /* addresses whose X-Forwarded-For is believed,
					       NULL-ended; NULL = none */
	struct uuid tenant_id;
	unsigned threads;	     /* default 1 */
	unsigned body_limit;	     /* default 64 kB */
	unsigned request_deadline_s; /* default 10 */
	const char *version;
	struct shed *shed; /* what is turned away now; NULL = nothing ever is. Borrowed. */
};

struct routes *routes_create(const struct routes_config *config, struct control *control,
			     struct db *db, const struct route_hooks *hooks, struct err *err);
void routes_destroy(struct routes *); /* resumes all suspended with 503, then stops */
/* Takes the descriptor, from any thread. False: it was closed. */
bool routes_adopt(struct routes *, int fd, const struct sockaddr *address, socklen_t length);
/* New requests are answered with 503 from now on, and connections end with their answer; what is
 * under way goes on. From any thread. */
void routes_drain(struct routes *);
/* Nothing is under way. */
bool routes_is_quiet(struct routes *);
unsigned routes_connections(const struct routes *);
