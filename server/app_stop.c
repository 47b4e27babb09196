/* The end of a gateway, wanted or not: in order (SIGTERM, or another one takes over), or fenced
 * (another one has taken over). Calls stay up at the switch: whoever serves next takes them back.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "server/app_priv.h"

#define STOP_TABS_US   3000000 /* for commands under way, and for tabs to take their close frame */
#define STOP_URGENT_US 2000000 /* before the end of that: whose commands hang are closed too */
#define STOP_SPREAD_MS 2000
#define STOP_TICK_US   10000
#define EXIT_FENCED    3

/* Nobody new comes in; what is under way is finished, and told when it is stable. */
void app_begin_stop(struct app *app, const char *why)
{
	if (app->stop_until_us)
		return;
	log_info("stopping", "why=%s tabs=%u", log_quote(why), ws_connections(app->ws));
	atomic_store(&app->is_stopping, true);
	front_stop_accepting(app->front);
	routes_drain(app->routes);
	ws_close_all(app->ws, 1012, STOP_SPREAD_MS);
	app->stop_until_us = clock_mono_us(&clock_system) + STOP_TABS_US;
	timer_set(loop_timers(app->loop), &app->tick, clock_mono_us(&clock_system) + STOP_TICK_US);
}

bool app_stop_is_over(struct app *app)
{
	bool is_quiet = !ws_connections(app->ws) && !atomic_load(&app->sockets_waiting) &&
			routes_is_quiet(app->routes);
	int64_t now_us = clock_mono_us(&clock_system);

	if (is_quiet || now_us >= app->stop_until_us) {
		log_info("nothing is under way any more", "ms=%lld tabs=%u requests=%s",
			 (long long)(now_us - app->stop_until_us + STOP_TABS_US) / 1000,
			 ws_connections(app->ws), routes_is_quiet(app->routes) ? "no" : "yes");
		return true;
	}
	if (!app->is_stop_urgent && now_us >= app->stop_until_us - STOP_URGENT_US) {
		app->is_stop_urgent = true;
		ws_close_all(app->ws, 1012, STOP_SPREAD_MS);
	}
	timer_set(loop_timers(app->loop), &app->tick, now_us + STOP_TICK_US);
	return false;
}

/* The switch first: not one more command of ours may reach it. */
static void fence(struct app *app, const char *why)
{
	if (app->exit_code == EXIT_FENCED)
		return;
	if (!app->sim)
		ari_driver_fence(app->driver, why);
	app->exit_code = EXIT_FENCED;
	log_err("fenced: this gateway is not in charge any more", "why=%s", log_quote(why));
	fprintf(stderr, "calltab serve: %s: this gateway ends\n", why);
	app_begin_stop(app, why);
}

/* --- what other threads and the driver say --- */

static void on_wanted(void *user, const char *by)
{
	struct app *app = user;

	str_copy_cut(app->wanted_by, sizeof(app->wanted_by), by);
	atomic_store(&app->is_wanted, true);
	loop_wake(app->loop);
}

static void on_lost(void *user, const char *by)
{
	struct app *app = user;

	str_copy_cut(app->lost_to, sizeof(app->lost_to), by);
	atomic_store(&app->is_lost, true);
	loop_wake(app->loop);
}

void app_on_replaced(void *user)
{
	struct app *app = user;

	app->is_replaced = true;
	loop_wake(app->loop);
}

static void on_trouble(void *user, const char *what, const char *detail)
{
	(void)user;
	log_warn("lease", "what=%s detail=%s", log_quote(what), log_quote(detail ? detail : ""));
}

void app_look_at_lease(struct app *app)
{
	char why[200];

	if (app->is_replaced) {
		app->is_replaced = false;
		fence(app, "another client of Asterisk has taken over the application");
	}
	if (atomic_exchange(&app->is_lost, false)) {
		str_format(why, sizeof(why), "another gateway (%s) has taken over", app->lost_to);
		fence(app, why);
	}
	if (atomic_exchange(&app->is_wanted, false)) {
		str_format(why, sizeof(why), "another gateway (%s) takes over", app->wanted_by);
		app_begin_stop(app, why);
	}
}

/* --- the lease --- */

static void on_progress(void *user, const char *line)
{
	(void)user;
	fprintf(stderr, "calltab serve: %s\n", line);
}

enum status app_take_lease(struct app *app, struct err *err)
{
	struct config *c = app->config;
	char switch_name[200] = "";
	const struct lease_config config = {
		.conninfo = config_text(c, OPT_database),
		.tenant_id = app_tenant(),
		.node = config_text(c, OPT_node),
		.switch_name = switch_name,
		.journal_dir = config_text(c, OPT_journal_dir),
		.take_over = app->take_over,
		.on_progress = on_progress,
	};

	/* Its own simulated switch no other program can reach. */
	if (!strcmp(config_text(c, OPT_switch), "ari"))
		str_format(switch_name, sizeof(switch_name), "ari %s:%ld/%s",
			   config_text(c, OPT_ari_host), config_number(c, OPT_ari_port),
			   config_text(c, OPT_ari_app));
	app->lease = lease_take(&config, err);
	return app->lease ? ST_OK : err->status;
}

void app_watch_lease(struct app *app)
{
	const struct lease_events events = {
		.on_wanted = on_wanted, .on_lost = on_lost, .on_trouble = on_trouble, .user = app};
	struct uuid journal_id = record_log_journal_id(app->log);

	lease_watch(app->lease, &events, &journal_id);
}
