#pragma once
/* What the files of the builder share: app.c life | app_hooks.c what the HTTP door asks of rooms it
 * may not see | app_setup.c agents, queues, outcomes from the database | app_sim.c the simulated
 * switch over HTTP. */
#include <stdatomic.h>

#include "base/inbox.h"
#include "control/control.h"
#include "db/db.h"
#include "db/record.h"
#include "routes/routes.h"
#include "server/app.h"
#include "server/front.h"
#include "server/loop.h"
#include "telephony/ari/ari.h"
#include "telephony/sim/sim.h"
#include "telephony/telephony.h"
#include "ws/ws.h"

struct app {
	struct config *config;
	struct loop *loop;
	struct db *db;
	struct record_log *log;
	bool salvage;
	struct telephony *telephony;
	struct tel_driver *driver; /* owned by telephony */
	struct sim *sim;	   /* NULL with a real switch */
	struct control *control;
	struct ws *ws;
	struct routes *routes;
	struct front *front;
	struct inbox sockets; /* upgrades from the front thread */
	struct timer tick;
	atomic_uint
		socket_count; /* given to the tab door and not closed yet, as of the last turn */
	atomic_uint sockets_waiting; /* in the inbox */
	atomic_bool is_linked, is_degraded, is_database_away, is_stopping;
	char origin_texts[4][280];
	const char *origins[5];	 /* of the pages served here, when none are configured */
	char state_text[2][128]; /* the one not pointed at is written */
	_Atomic(const char *) switch_state;
	bool is_continuous; /* no record was lost since the last run */
	unsigned ticks;
	int stop_signals;
	int64_t stop_until_us;
};

struct route_hooks app_hooks(struct app *);
/* Loads agents, queues and outcomes into control, now; before the loop runs or on its thread after
 * SIGHUP. */
enum status app_load_setup(struct app *, struct db_conn *, struct err *);
/* The same through a db worker. */
void app_reload_setup(struct app *);
/* Deletes sessions and sign-in links that have expired, through a db worker. */
void app_forget_expired(struct app *);
void app_simulate(void *user, const char *verb, const char *const args[6],
		  void (*done)(void *arg, enum status status, const char *json,
			       const struct err *err),
		  void *arg);
