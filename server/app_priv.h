#pragma once
/* What the files of the builder share: app.c life | app_stop.c its end, and who else may serve |
 * app_hooks.c what the HTTP door asks of rooms it may not see | app_setup.c agents, queues,
 * outcomes, sounds from the database | app_sound.c sounds as they change, and where the switch
 * finds them | app_sim.c the simulated switch over HTTP | app_front.c the front door and where its
 * sockets go | app_load.c how much there is to do, and what is turned away. */
#include <stdatomic.h>

#include "base/inbox.h"
#include "base/shed.h"
#include "control/control.h"
#include "db/db.h"
#include "db/lease.h"
#include "db/record.h"
#include "routes/routes.h"
#include "server/app.h"
#include "server/audio.h"
#include "server/front.h"
#include "server/loop.h"
#include "server/overload.h"
#include "telephony/ari/ari.h"
#include "telephony/sim/sim.h"
#include "telephony/telephony.h"
#include "ws/ws.h"

struct app_load { /* app_load.c */
	struct overload overload;
	struct overload_lag lag;
	struct timer timer;
	int64_t due_us;
	unsigned most_lag_ms; /* overload_lag_ms */
};

struct app {
	struct config *config;
	struct shed shed; /* what is turned away: the doors ask */
	struct app_load load;
	struct loop *loop;
	struct db *db;
	struct record_log *log;
	struct lease *lease;
	bool salvage, take_over;
	struct telephony *telephony;
	struct tel_driver *driver; /* owned by telephony */
	struct sim *sim;	   /* NULL with a real switch */
	struct control *control;
	struct numbering *numbering; /* NULL without number_region */
	struct ws *ws;
	struct audio *audio;
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
	atomic_uint calls_waiting; /* for their turn at the switch */
	atomic_ullong calls_delayed;
	bool is_continuous; /* no record was lost since the last run */
	unsigned ticks;
	atomic_uint sound_changes; /* by the HTTP door */
	int stop_signals;
	int64_t stop_until_us; /* 0 = not stopping */
	bool is_stop_urgent;
	int exit_code;
	/* another gateway: it said what it wants, then set the flag */
	atomic_bool is_wanted, is_lost;
	bool is_replaced; /* the switch said so */
	char wanted_by[128], lost_to[128];
};

/* Once is enough; the loop is stopped when all is done or it has taken too long. */
void app_begin_stop(struct app *app, const char *why);
/* Asked by the tick while it stops; sets the next one when it is not. */
bool app_stop_is_over(struct app *app);
/* One gateway for a node and a switch: before the journal is opened; when the loop may be woken; on
 * each turn. */
enum status app_take_lease(struct app *app, struct err *err);
void app_watch_lease(struct app *app);
void app_look_at_lease(struct app *app);
void app_on_replaced(void *app);
/* The switch that is configured: before anything is opened; its telephony, with control's sink; its
 * driver, once calls are restored; what it says of itself, now and then. */
enum status app_check_switch(const struct config *config, struct err *err);
void app_create_telephony(struct app *app);
enum status app_start_telephony(struct app *app, struct err *err);
void app_note_switch(struct app *app);
struct route_hooks app_hooks(struct app *);
/* Once both doors are there. */
enum status app_open_front(struct app *, struct err *err);
/* On each turn: what the front door has given to the tab door. */
void app_adopt_sockets(struct app *);
/* From the first turn of the loop on; before the loop is gone. */
void app_watch_load(struct app *);
void app_stop_watching_load(struct app *);
/* Loads agents, queues and outcomes into control, now; before the loop runs or on its thread after
 * SIGHUP. */
enum status app_load_setup(struct app *, struct db_conn *, struct err *);
/* The same through a db worker. */
void app_reload_setup(struct app *);
/* Deletes sessions and sign-in links that have expired, through a db worker. */
void app_forget_expired(struct app *);
/* route_hooks' set_sound. */
void app_set_sound(void *user, const char *name, const char *version, unsigned duration_ms,
		   void (*done)(void *arg), void *arg);
/* ari_config's find_sound. */
bool app_find_sound(void *user, const char *name, char url[ARI_SOUND_SIZE], unsigned *ret_ms);
void app_simulate(void *user, const char *verb, const char *const args[6],
		  void (*done)(void *arg, enum status status, const char *json,
			       const struct err *err),
		  void *arg);
