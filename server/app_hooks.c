/* What the HTTP door asks of rooms it may not see. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "server/app_priv.h"

struct ticket_request {
	struct app *app;
	struct uuid agent_id, session_id;
	int64_t expires_ms;
	char origin[257];
	void (*done)(void *arg, enum status status, const char *ticket, const struct err *err);
	void *arg;
};

static void make_on_call_plane(struct control *control, void *arg)
{
	auto_free struct ticket_request *request = arg;
	struct err err = {0};
	char ticket[44] = "";
	enum status status;

	(void)control;
	status = ws_ticket_make(request->app->ws, &request->agent_id, &request->session_id,
				request->expires_ms, request->origin, ticket, &err);
	request->done(request->arg, status, status == ST_OK ? ticket : NULL, &err);
}

static void make_ticket(void *user, const struct uuid *agent_id, const struct uuid *session_id,
			int64_t session_expires_ms, const char *origin,
			void (*done)(void *arg, enum status status, const char *ticket,
				     const struct err *err),
			void *arg)
{
	struct app *app = user;
	struct ticket_request *request = xcalloc(1, sizeof(*request));
	struct err err = {0};

	request->app = app;
	request->agent_id = *agent_id;
	request->session_id = *session_id;
	request->expires_ms = session_expires_ms;
	str_copy_cut(request->origin, sizeof(request->origin), origin);
	request->done = done;
	request->arg = arg;
	if (control_post(app->control, make_on_call_plane, request))
		return;
	free(request);
	err_set(&err, ST_BUSY, "busy", "", "too much is waiting: try again");
	done(arg, ST_BUSY, NULL, &err);
}

struct session_end {
	struct app *app;
	struct uuid session_id;
};

static void end_on_call_plane(struct control *control, void *arg)
{
	auto_free struct session_end *end = arg;

	(void)control;
	ws_session_end(end->app->ws, &end->session_id);
	audio_session_end(end->app->audio, &end->session_id);
}

static void end_session(void *user, const struct uuid *session_id)
{
	struct session_end *end = xcalloc(1, sizeof(*end));

	end->app = user;
	end->session_id = *session_id;
	if (!control_post(end->app->control, end_on_call_plane, end))
		free(end);
}

/* "overload":{"level":"none","refused":{"polls":0,...,"connections":0}} */
static void write_overload(const struct app *app, char *json, size_t size)
{
	const struct shed *shed = &app->shed;
	struct front_figures figures = {0};
	int length = snprintf(json, size, "\"overload\":{\"level\":\"%s\",\"refused\":{",
			      overload_word(shed_level(shed)));

	for (int work = OVERLOAD_POLLS; work < OVERLOAD_LEVEL_COUNT; work++)
		length += snprintf(json + length, size - (size_t)length, "\"%s\":%" PRIu64 ",",
				   overload_word((enum overload_level)work),
				   atomic_load(&shed->refused[work]));
	if (app->front)
		front_figures(app->front, &figures);
	snprintf(json + length, size - (size_t)length, "\"connections\":%" PRIu64 "}}",
		 figures.full);
}

static bool ready(void *user, char *json, unsigned size)
{
	struct app *app = user;
	bool has_database = db_is_available(app->db) && !atomic_load(&app->is_database_away);
	bool is_linked = atomic_load(&app->is_linked), is_degraded = atomic_load(&app->is_degraded);
	bool is_stopping = atomic_load(&app->is_stopping);
	const char *state = atomic_load(&app->switch_state);
	char overload[300];

	write_overload(app, overload, sizeof(overload));
	str_format(json, size,
		   "\"stopping\":%s,\"database\":\"%s\",\"storage\":\"%s\","
		   "\"journal\":{\"behind\":%llu},"
		   "\"switch\":{\"driver\":\"%s\",\"state\":\"%s\","
		   "\"waiting\":%u,\"delayed\":%llu},%s",
		   is_stopping ? "true" : "false", has_database ? "ok" : "away",
		   is_degraded ? "degraded" : "ok", (unsigned long long)record_log_behind(app->log),
		   app->sim ? "sim" : "ari", is_linked ? "up" : state,
		   atomic_load(&app->calls_waiting), atomic_load(&app->calls_delayed), overload);
	/* With the database away calls go on: only reports and REST have to wait. Overload passes,
	 * and who would be sent elsewhere because of it has calls here. */
	return is_linked && !is_degraded && !is_stopping;
}

static bool settle(void *user, unsigned wait_ms)
{
	return record_log_settle(((struct app *)user)->log, wait_ms);
}

struct route_hooks app_hooks(struct app *app)
{
	return (struct route_hooks){
		.make_ticket = make_ticket,
		.end_session = end_session,
		.set_sound = app_set_sound,
		.simulate = app_simulate,
		.ready = ready,
		.settle = settle,
		.user = app,
	};
}
