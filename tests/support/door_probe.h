#pragma once
/* Between door_probe.c (the loop and what hangs on it) and door_probe_verbs.c (what it is told). */
#include <stdatomic.h>
#include "base/clock.h"
#include "server/front.h"
#include "ws/ws.h"

struct control;

struct probe {
	struct control *control;
	struct ws *ws;
	struct front *front;
	atomic_uint http_connections;
};
extern struct probe probe;
extern const struct clock probe_clock; /* can be moved */

/* --- door_probe.c --- */
void probe_advance(long ms);
void probe_push_start(void); /* probe_push_some() in every turn of the loop from now on */
void probe_push_stop(void);
void probe_wake_stable(void *user); /* from any thread */
void probe_store(void);		    /* goes on with what the journal has to do */

/* --- door_probe_verbs.c --- */
void probe_obey(char *line);
void probe_say_port(unsigned port);
/* In control's own turn, never inside the question. */
void probe_answer_commands(void);
void probe_push_some(void);
void probe_say_stored(void); /* when all of it is */
void probe_done(void);
