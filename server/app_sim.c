/* The simulated switch over HTTP: a caller dials in, a telephone is picked up, who hears whom. Runs
 * on the call plane; the HTTP door gives a verb and texts and takes JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "server/app_priv.h"

#define ARGS	 6
#define LEGS_MAX 1000

struct simulation {
	struct app *app;
	char verb[16];
	char args[ARGS][TEL_NAME_SIZE];
	void (*done)(void *arg, enum status status, const char *json, const struct err *err);
	void *arg;
};

static void write_leg(struct json_writer *w, const struct sim_leg_view *leg)
{
	jw_object(w);
	jw_kv_text(w, "leg", leg->leg);
	jw_kv_text(w, "party", leg->party);
	jw_kv_text(w, "mix", leg->mix);
	jw_kv_text(w, "tag", leg->tag);
	jw_kv_text(w, "state", leg->state);
	jw_kv_bool(w, "inbound", leg->is_inbound);
	jw_kv_bool(w, "station", leg->is_station);
	jw_kv_text(w, "hears", leg->hears);
	jw_kv_text(w, "digits", leg->digits);
	jw_kv_text(w, "shown", leg->shown);
	jw_kv_int(w, "madeUs", leg->made_us);
	jw_kv_int(w, "upUs", leg->up_us);
	jw_object_end(w);
}

struct recordings {
	struct sim *sim;
	struct json_writer *w;
};

static void write_recording(void *user, const char *name)
{
	const struct recordings *to = user;
	char hears[160];

	sim_recorded(to->sim, name, hears, sizeof(hears));
	jw_object(to->w);
	jw_kv_text(to->w, "name", name);
	jw_kv_text(to->w, "hears", hears);
	jw_object_end(to->w);
}

static enum status show_legs(struct sim *sim, struct json_writer *w)
{
	auto_free struct sim_leg_view *views = xcalloc(LEGS_MAX, sizeof(*views));
	unsigned count = sim_legs(sim, views, LEGS_MAX);

	jw_key(w, "legs");
	jw_array(w);
	for (unsigned i = 0; i < count && i < LEGS_MAX; i++)
		write_leg(w, &views[i]);
	jw_array_end(w);
	jw_kv_int(w, "count", count);
	jw_key(w, "recordings");
	jw_array(w);
	sim_each_recording(sim, write_recording, &(struct recordings){sim, w});
	jw_array_end(w);
	return ST_OK;
}

static enum status call_in(struct sim *sim, const struct simulation *s, struct json_writer *w,
			   struct err *err)
{
	char leg[TEL_ID_SIZE];
	enum status status;

	if (!tel_is_number(s->args[0]) || !tel_is_number(s->args[1]))
		return err_set(err, ST_INVALID, "number.invalid", "to",
			       "from and to are numbers: [+0-9*#]{1,32}");
	status = sim_call_in(sim, s->args[0], s->args[2], s->args[1], leg, err);
	if (status == ST_OK)
		jw_kv_text(w, "leg", leg);
	return status;
}

static enum status set_link(struct sim *sim, const char *state, struct err *err)
{
	if (!strcmp(state, "down"))
		sim_link_down(sim);
	else if (!strcmp(state, "up"))
		sim_link_up(sim);
	else if (!strcmp(state, "restart"))
		sim_restart(sim);
	else
		return err_set(err, ST_INVALID, "sim.state", "state",
			       "state is up, down or restart");
	return ST_OK;
}

static enum status act(const struct simulation *s, struct json_writer *w, struct err *err)
{
	struct sim *sim = s->app->sim;
	enum status status;

	if (!strcmp(s->verb, "legs"))
		return show_legs(sim, w);
	if (!strcmp(s->verb, "call"))
		return call_in(sim, s, w, err);
	if (!strcmp(s->verb, "link"))
		return set_link(sim, s->args[0], err);
	if (!strcmp(s->verb, "station")) {
		sim_set_station(sim, s->args[0], strcmp(s->args[1], "false") != 0,
				strcmp(s->args[2], "false") != 0);
		return ST_OK;
	}
	if (!strcmp(s->verb, "answer"))
		status = sim_party_answer(sim, s->args[0]);
	else if (!strcmp(s->verb, "hangup"))
		status = sim_party_hangup(sim, s->args[0]);
	else if (!strcmp(s->verb, "hold"))
		status = sim_party_hold(sim, s->args[0], strcmp(s->args[1], "false") != 0);
	else
		status = sim_party_press(sim, s->args[0], s->args[1]);
	if (status != ST_OK)
		return err_set(err, status, "sim.leg", "leg",
			       "this leg is not there or cannot do that");
	return ST_OK;
}

static void on_control(struct control *control, void *arg)
{
	auto_free struct simulation *s = arg;
	struct json_writer w = {0};
	struct err err = {0};
	enum status status;

	(void)control;
	jw_object(&w);
	status = act(s, &w, &err);
	jw_object_end(&w);
	auto_free char *json = xcalloc(1, w.length + 1);
	memcpy(json, jw_start(&w), w.length);
	jw_done(&w);
	s->done(s->arg, status, status == ST_OK ? json : NULL, &err);
}

void app_simulate(void *user, const char *verb, const char *const args[6],
		  void (*done)(void *arg, enum status status, const char *json,
			       const struct err *err),
		  void *arg)
{
	struct app *app = user;
	struct simulation *s = xcalloc(1, sizeof(*s));
	struct err err = {0};

	s->app = app;
	s->done = done;
	s->arg = arg;
	str_copy_cut(s->verb, sizeof(s->verb), verb);
	for (unsigned i = 0; i < ARGS; i++)
		str_copy_cut(s->args[i], sizeof(s->args[i]), args[i]);
	if (app->sim && control_post(app->control, on_control, s))
		return;
	free(s);
	if (!app->sim)
		err_set(&err, ST_UNSUPPORTED, "sim.unsupported", "",
			"the switch in use is not the simulated one");
	else
		err_set(&err, ST_BUSY, "busy", "", "too much is waiting: try again");
	done(arg, err.status, NULL, &err);
}
