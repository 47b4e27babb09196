#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/spare.h"
#include "base/str.h"
#include "db/migrate.h"
#include "server/app_priv.h"
#include "server/version.h"

#define TICK_US		  1000000
#define HOUR_TICKS	  3600
#define HISTORY_MS	  600000 /* of events that are told again to whoever comes back */
#define STOP_STORAGE_MS	  5000
#define SPARE_DESCRIPTORS 12 /* for journal, database and switch when there are none left */

struct uuid app_tenant(void)
{
	struct uuid tenant = {0};

	uuid_parse(TENANT_DEFAULT, &tenant);
	return tenant;
}

/* --- the turn of the loop --- */

static void note_state(struct app *app)
{
	struct control_figures figures;
	struct telephony_figures calls;

	control_figures(app->control, &figures);
	telephony_figures(app->telephony, &calls);
	atomic_store(&app->calls_waiting, calls.waiting);
	atomic_store(&app->calls_delayed, calls.delayed);
	atomic_store(&app->is_linked, figures.is_switch_linked);
	atomic_store(&app->is_degraded, figures.is_storage_degraded);
}

static void on_turn(void *user)
{
	struct app *app = user;

	app_look_at_lease(app);
	app_adopt_sockets(app);
	record_log_poll(app->log);
	control_poll(app->control);
	if (record_log_wants_checkpoint(app->log))
		control_checkpoint(app->control);
	note_state(app);
}

static void on_tick(void *arg)
{
	struct app *app = arg;

	app_note_switch(app);
	if (app->ticks++ % HOUR_TICKS == 0)
		app_forget_expired(app);
	timer_set(loop_timers(app->loop), &app->tick, clock_mono_us(&clock_system) + TICK_US);
	if (app->stop_until_us && app_stop_is_over(app))
		loop_stop(app->loop);
}

static void on_signal(void *user, int signal)
{
	struct app *app = user;

	if (signal == SIGHUP)
		app_reload_setup(app);
	else if (app->stop_signals++)
		loop_stop(app->loop);
	else
		app_begin_stop(app, signal == SIGINT ? "SIGINT" : "SIGTERM");
}

/* --- building --- */

static enum status check_database(const char *conninfo, struct err *err)
{
	enum migrate_state state;

	if (!*conninfo)
		return err_set(
			err, ST_INVALID, "config.database", "database",
			"no database is configured: set `database` in the configuration file "
			"or CALLTAB_DATABASE");
	return migrate_check(conninfo, &state, err);
}

/* The database's own words go to the log and nowhere else. Both are called on its threads. */
static void on_trouble(void *user, const char *what, const char *detail)
{
	(void)user;
	log_warn("database", "what=%s detail=%s", log_quote(what), log_quote(detail ? detail : ""));
}

static void on_rejected(void *user, uint64_t number, const char *why)
{
	(void)user;
	log_err("the database refused a record for good: its rows are lost", "record=%llu why=%s",
		(unsigned long long)number, log_quote(why ? why : ""));
}

static void on_stable(void *user, uint64_t number)
{
	control_on_stable(((struct app *)user)->control, number);
}

static void on_degraded(void *user, bool is_degraded, const char *why)
{
	control_on_degraded(((struct app *)user)->control, is_degraded, why);
}

/* Calls go on and are told: it is the reports that lag behind. */
static void on_database(void *user, bool is_away, const char *why, uint64_t behind)
{
	struct app *app = user;

	atomic_store(&app->is_database_away, is_away);
	if (is_away)
		log_err("the database is away: the journal keeps what happens",
			"why=%s behind=%llu", log_quote(why), (unsigned long long)behind);
	else
		log_warn("the database is back", "behind=%llu", (unsigned long long)behind);
	control_on_database(app->control, is_away);
}

/* On the journal's and the drain's thread. */
static void wake(void *user)
{
	loop_wake(((struct app *)user)->loop);
}

static enum status open_log(struct app *app, struct err *err)
{
	const struct record_log_config config = {
		.conninfo = config_text(app->config, OPT_database),
		.journal_dir = config_text(app->config, OPT_journal_dir),
		.node = config_text(app->config, OPT_node),
		.tenant_id = app_tenant(),
		.lease_epoch = lease_epoch(app->lease),
		.segment_size = SMALL("segment_size", 0),
		.keep_s = SMALL("keep_s", 0),
		.salvage = app->salvage,
	};
	const struct record_log_events events = {.on_stable = on_stable,
						 .on_degraded = on_degraded,
						 .on_database = on_database,
						 .on_rejected = on_rejected,
						 .on_trouble = on_trouble,
						 .wake = wake,
						 .user = app};
	struct journal_found found = {0};
	struct err why = {0};

	app->log = record_log_open(&config, &events, &found, &why);
	if (!app->log)
		return err_set(err, why.status, why.code, "journal_dir",
			       "the journal (journal_dir %.60s): %.110s", config.journal_dir,
			       why.message);
	FAILPOINT("start.journal_opened");
	app->is_continuous = found.last > 0 && found.salvaged_gap == 0;
	log_info("journal", "records=%llu..%llu segments=%u cut_bytes=%llu lost=%llu",
		 (unsigned long long)found.first, (unsigned long long)found.last, found.segments,
		 (unsigned long long)found.cut_bytes, (unsigned long long)found.salvaged_gap);
	return ST_OK;
}

static enum status open_database(struct app *app, struct err *err)
{
	const char *conninfo = config_text(app->config, OPT_database);
	struct db_config config = {.conninfo = conninfo,
				   .workers = (unsigned)config_number(app->config, OPT_db_workers),
				   .queue_limit = SMALL("db_queue", 0),
				   .on_trouble = on_trouble};

	app->db = db_open(&config, err);
	return app->db ? open_log(app, err) : err->status;
}

/* It becomes part of every key at the switch. */
static enum status check_node(const struct config *config, struct err *err)
{
	const char *node = config_text(config, OPT_node);
	size_t length = strlen(node);

	if (length && length <= 8 && strspn(node, "abcdefghijklmnopqrstuvwxyz0123456789") == length)
		return ST_OK;
	return err_set(err, ST_INVALID, "config.value", "node",
		       "%s: node must be 1 to 8 of a-z 0-9, not \"%.40s\"",
		       config->sources[OPT_node], node);
}

static enum status create_control(struct app *app, struct err *err)
{
	struct config *c = app->config;
	const char *region = config_text(c, OPT_number_region);
	enum status status = *region ? numbering_open(region, &app->numbering, err) : ST_OK;
	struct control_config config = {
		.node = config_text(c, OPT_node),
		.tenant_id = app_tenant(),
		.preview_s = (unsigned)config_number(c, OPT_preview_s),
		.wrap_s = (unsigned)config_number(c, OPT_wrap_s),
		.ring_s = (unsigned)config_number(c, OPT_ring_s),
		.offer_s = (unsigned)config_number(c, OPT_offer_s),
		.max_calls = (unsigned)config_number(c, OPT_max_calls),
		.remember_s = (unsigned)config_number(c, OPT_command_memory_s),
		.numbering = app->numbering,
		.shed = &app->shed,
	};

	str_copy_cut(config.caller_number, sizeof(config.caller_number),
		     config_text(c, OPT_caller_number));
	str_copy_cut(config.caller_name, sizeof(config.caller_name),
		     config_text(c, OPT_caller_name));
	app->control = control_create(&config, &clock_system, loop_timers(app->loop), loop_wake,
				      app->loop);
	return status;
}

/* What was live before the last end goes on; what was told before can be told again. */
static enum status recover(struct app *app, struct err *err)
{
	int64_t begun_us = clock_mono_us(&clock_system);
	int64_t since_ms = clock_wall_ms(&clock_system) - HISTORY_MS;
	enum status status =
		record_log_recover(app->log, since_ms, control_recover_record, app->control, err);
	unsigned calls;

	if (status != ST_OK)
		return status;
	FAILPOINT("start.records_read");
	calls = control_recover_end(app->control, app->is_continuous);
	FAILPOINT("start.recovered");
	log_info("state of before", "calls=%u ms=%lld", calls,
		 (long long)(clock_mono_us(&clock_system) - begun_us) / 1000);
	return ST_OK;
}

/* The configured folder must be there; without the installed one there are simply no pages. */
static const char *web_folder(const struct app *app)
{
	const char *folder = config_text(app->config, OPT_web_dir);

	if (*folder)
		return folder;
	if (!access(CALLTAB_WEB_DIR, R_OK))
		return CALLTAB_WEB_DIR;
	log_warn("no pages are served: web_dir is not set and nothing is installed", "folder=%s",
		 CALLTAB_WEB_DIR);
	return NULL;
}

static enum status create_doors(struct app *app, const char *const *allowed, struct err *err)
{
	struct config *c = app->config;
	struct route_hooks hooks = app_hooks(app);
	struct ws_config ws = {
		.origins = allowed,
		.allow_no_origin = config_switch(c, OPT_allow_no_origin),
		.ping_s = (unsigned)config_number(c, OPT_ping_s),
		.shed = &app->shed,
	};
	struct audio_config audio = {.port = (unsigned)config_number(c, OPT_ari_port),
				     .loop = loop_uv(app->loop)};
	struct routes_config routes = {
		.web_dir = web_folder(app),
		.origins = allowed,
		.trusted_proxies = config_list(c, OPT_trusted_proxies),
		.tenant_id = app_tenant(),
		.threads = (unsigned)config_number(c, OPT_http_threads),
		.version = CALLTAB_VERSION,
		.shed = &app->shed,
	};

	if (!strcmp(config_text(c, OPT_switch), "ari"))
		audio.host = config_text(c, OPT_ari_host);
	app->audio = audio_create(&audio, loop_lws(app->loop), &clock_system,
				  loop_timers(app->loop), app->control);
	ws.other = audio_protocol(app->audio);
	app->ws = ws_create(&ws, loop_lws(app->loop), &clock_system, loop_timers(app->loop),
			    app->control, err);
	if (!app->ws)
		return err->status;
	audio_attach(app->audio, app->ws);
	app->routes = routes_create(&routes, app->control, app->db, &hooks, err);
	return app->routes ? ST_OK : err->status;
}

static const char *const *origins(struct app *app)
{
	return *config_text(app->config, OPT_origins) ? config_list(app->config, OPT_origins)
						      : app->origins;
}

static enum status load_setup(struct app *app, struct err *err)
{
	struct db_conn *conn = NULL;
	enum status status = db_connect(config_text(app->config, OPT_database), &conn, err);

	if (status == ST_OK)
		status = app_load_setup(app, conn, err);
	db_disconnect(conn);
	return status;
}

static enum status build(struct app *app, struct err *err)
{
	struct loop_events events = {.on_turn = on_turn, .on_signal = on_signal, .user = app};
	enum status status = check_node(app->config, err);

	if (status == ST_OK)
		status = app_check_switch(app->config, err);
	if (status == ST_OK)
		status = check_database(config_text(app->config, OPT_database), err);
	if (status == ST_OK)
		status = app_take_lease(app, err);
	if (status != ST_OK)
		return status;
	app->loop = loop_create(&clock_system, &events, err);
	if (!app->loop)
		return err->status;
	inbox_init(&app->sockets, 0, loop_wake, app->loop);
	status = create_control(app, err);
	if (status == ST_OK)
		status = open_database(app, err);
	if (status == ST_OK) {
		control_attach_log(app->control, app->log);
		app_watch_lease(app);
		status = load_setup(app, err);
	}
	app_create_telephony(app);
	/* doors hear what was told before, and the switch is opened when it is known what was live
	 */
	if (status == ST_OK)
		status = create_doors(app, origins(app), err);
	if (status == ST_OK)
		status = recover(app, err);
	if (status == ST_OK)
		status = app_start_telephony(app, err);
	FAILPOINT("start.switch_begun");
	if (status == ST_OK)
		status = app_open_front(app, err);
	return status;
}

/* --- the end --- */

static void tear_down(struct app *app)
{
	uint64_t left;

	front_stop(app->front);
	routes_destroy(app->routes);
	if (app->control)
		control_poll(app->control); /* what the HTTP door posted last */
	audio_destroy(app->audio);
	ws_destroy(app->ws);
	telephony_destroy(app->telephony);
	left = app->log ? record_log_close(app->log, STOP_STORAGE_MS) : 0;
	if (left)
		log_err("stopped with records that were not stored", "records=%llu",
			(unsigned long long)left);
	lease_release(app->lease); /* the next one finds all of it in the database */
	db_close(app->db);
	log_info("stopped", "left=%llu", (unsigned long long)left);
	control_destroy(app->control);
	numbering_close(app->numbering);
	if (app->loop)
		timer_stop(loop_timers(app->loop), &app->tick);
	app_stop_watching_load(app);
	loop_destroy(app->loop);
}

static void announce(const struct app *app)
{
	unsigned port = front_port(app->front);

	printf("ready port=%u url=http://127.0.0.1:%u/\n", port, port);
	fflush(stdout);
	log_info("ready", "port=%u switch=%s", port, config_text(app->config, OPT_switch));
}

int app_serve(struct config *config, bool salvage, bool take_over)
{
	struct app *app = xcalloc(1, sizeof(*app));
	struct err err = {0};
	enum status status;

	app->config = config;
	app->salvage = salvage;
	app->take_over = take_over;
	app->switch_state = "connecting";
	app->tick.fire = on_tick;
	app->tick.arg = app;
	signal(SIGPIPE, SIG_IGN);
	spare_keep(SPARE_DESCRIPTORS);
	status = build(app, &err);
	FAILPOINT("start.ready");
	if (status == ST_OK) {
		announce(app);
		timer_set(loop_timers(app->loop), &app->tick, clock_mono_us(&clock_system));
		app_watch_load(app);
		loop_run(app->loop);
	} else {
		fprintf(stderr, "calltab serve: %s\n", err.message);
	}
	int exit_code = status == ST_OK ? app->exit_code : 1;
	tear_down(app);
	free(app);
	return exit_code;
}
