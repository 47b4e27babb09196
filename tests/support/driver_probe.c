/* A driver of telephony/ moved by hand: operations come as JSON lines on stdin, facts go as JSON
 * lines to stdout. With it tests/contract/driver.test.mjs asks every driver the same questions.
 *
 *   driver_probe sim
 *   driver_probe ari HOST PORT USER PASSWORD APP TRUNK [calls]
 *
 * In:  {"n":1,"op":"leg_make","token":7,"leg":"p-1","number":"+15550001","mix":"m-1"}
 * Out: {"n":1,"status":"ok"}            the answer to line n
 *      {"fact":"leg_ringing","leg":"p-1"}   whenever the driver tells one, without what is zero
 *
 * Operations are those of telephony/driver.h by name, further "open", "close", "state" and, for the
 * simulated switch, "sim_...": see the table at the end; with "calls", "open" and those of
 * driver_probe_calls.h. The program ends when stdin does. */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "driver_probe_calls.h"
#include "telephony/ari/ari.h"
#include "telephony/sim/sim.h"

#define LINE_MAX_SIZE 65536
#define NODE	      "probe"
#define LEGS_MAX      64

struct probe {
	uv_loop_t loop;
	uv_pipe_t input;
	uv_timer_t timer;
	uv_prepare_t prepare;
	struct lws_context *lws;
	struct timers timers;
	struct tel_driver *driver;
	struct telephony *telephony; /* NULL: legs and mixes */
	struct sim *sim;	     /* NULL: Asterisk */
	char line[LINE_MAX_SIZE];
	size_t length;
};

struct reply { /* what goes into the answer besides the status */
	struct json_writer *w;
	struct probe *probe;
};

/* ---- out ---- */

void probe_print(struct json_writer *w)
{
	fwrite(jw_start(w), 1, w->length, stdout);
	fputc('\n', stdout);
	fflush(stdout);
	jw_done(w);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text[0])
		jw_kv_text(w, key, text);
}

static void put_int(struct json_writer *w, const char *key, int64_t value)
{
	if (value)
		jw_kv_int(w, key, value);
}

static void put_ending(struct json_writer *w, const struct tel_fact *fact)
{
	static const char *const by[] = {"unknown", "us", "them"};

	jw_kv_text(w, "result", tel_result_word(fact->result));
	jw_kv_text(w, "by", by[fact->by]);
	jw_kv_int(w, "talk_ms", fact->talk_ms);
}

static void on_fact(void *user, const struct tel_fact *fact)
{
	struct json_writer w = {0};

	(void)user;
	jw_object(&w);
	jw_kv_text(&w, "fact", tel_fact_word(fact->kind));
	put_text(&w, "leg", fact->leg);
	put_text(&w, "mix", fact->mix);
	put_text(&w, "tag", fact->tag);
	put_text(&w, "station", fact->station);
	put_text(&w, "play", fact->play);
	put_text(&w, "record", fact->record);
	put_int(&w, "length_ms", fact->length_ms);
	put_text(&w, "dnis", fact->dnis);
	put_text(&w, "number", fact->number);
	put_text(&w, "name", fact->name);
	put_text(&w, "redirected_from", fact->redirected_from);
	put_text(&w, "digits", fact->digits);
	put_text(&w, "text", fact->text);
	put_int(&w, "token", fact->token);
	put_int(&w, "digit_ms", fact->digit_ms);
	put_int(&w, "epoch", fact->epoch);
	put_int(&w, "link_up", fact->link_up);
	put_int(&w, "is_up", fact->is_up);
	put_int(&w, "on", fact->on);
	put_int(&w, "cause", fact->cause);
	put_int(&w, "sip", fact->sip);
	put_int(&w, "at_us", fact->at_us);
	if (fact->kind == TEL_LEG_ENDED)
		put_ending(&w, fact);
	jw_object_end(&w);
	probe_print(&w);
}

/* ---- in: fields of a line ---- */

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static unsigned int_of(const json_t *line, const char *key)
{
	return (unsigned)json_integer_value(json_object_get(line, key));
}

static bool is_on(const json_t *line, const char *key)
{
	return json_is_true(json_object_get(line, key));
}

static uint32_t token_of(const json_t *line)
{
	return int_of(line, "token");
}

/* ---- operations of every driver ---- */

static enum status op_leg_make(struct reply *r, const json_t *line)
{
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};
	struct tel_leg_options options = {.is_withheld = is_on(line, "withheld"),
					  .auto_answer = is_on(line, "auto_answer"),
					  .timeout_s = int_of(line, "timeout_s")};
	const char *station = text_of(line, "station");

	if (station[0])
		dest.kind = TEL_DEST_STATION;
	if (is_on(line, "media"))
		dest.kind = TEL_DEST_MEDIA;
	str_copy(dest.value, sizeof dest.value, station[0] ? station : text_of(line, "number"));
	str_copy(options.caller_number, sizeof options.caller_number,
		 text_of(line, "caller_number"));
	str_copy(options.caller_name, sizeof options.caller_name, text_of(line, "caller_name"));
	str_copy(options.mix, sizeof options.mix, text_of(line, "mix"));
	str_copy(options.tag, sizeof options.tag, text_of(line, "tag"));
	return tel_leg_make(r->probe->driver, token_of(line), text_of(line, "leg"), &dest,
			    &options);
}

static enum status op_leg_ring(struct reply *r, const json_t *line)
{
	return tel_leg_ring(r->probe->driver, token_of(line), text_of(line, "leg"));
}

static enum status op_leg_answer(struct reply *r, const json_t *line)
{
	return tel_leg_answer(r->probe->driver, token_of(line), text_of(line, "leg"));
}

static enum status op_leg_hangup(struct reply *r, const json_t *line)
{
	const json_t *cause = json_object_get(line, "cause");

	return tel_leg_hangup(r->probe->driver, token_of(line), text_of(line, "leg"),
			      cause ? (int)json_integer_value(cause) : 16);
}

static enum status op_leg_dtmf(struct reply *r, const json_t *line)
{
	return tel_leg_dtmf(r->probe->driver, token_of(line), text_of(line, "leg"),
			    text_of(line, "digits"), int_of(line, "on_ms"), int_of(line, "gap_ms"));
}

static enum status op_leg_mute(struct reply *r, const json_t *line)
{
	const char *what = text_of(line, "what");
	enum tel_mute mute = strcmp(what, "voice") == 0 ? TEL_MUTE_VOICE
			     : strcmp(what, "ear") == 0 ? TEL_MUTE_EAR
							: TEL_MUTE_BOTH;

	return tel_leg_mute(r->probe->driver, token_of(line), text_of(line, "leg"), mute,
			    is_on(line, "on"));
}

static enum status op_mix_make(struct reply *r, const json_t *line)
{
	enum tel_mix_kind kind =
		strcmp(text_of(line, "kind"), "park") == 0 ? TEL_MIX_PARK : TEL_MIX_TALK;

	return tel_mix_make(r->probe->driver, token_of(line), text_of(line, "mix"), kind);
}

static enum status op_mix_free(struct reply *r, const json_t *line)
{
	return tel_mix_free(r->probe->driver, token_of(line), text_of(line, "mix"));
}

static enum status op_mix_add(struct reply *r, const json_t *line)
{
	return tel_mix_add(r->probe->driver, token_of(line), text_of(line, "mix"),
			   text_of(line, "leg"));
}

static enum status op_mix_remove(struct reply *r, const json_t *line)
{
	return tel_mix_remove(r->probe->driver, token_of(line), text_of(line, "mix"),
			      text_of(line, "leg"));
}

static enum status op_mix_music(struct reply *r, const json_t *line)
{
	return tel_mix_music(r->probe->driver, token_of(line), text_of(line, "mix"),
			     is_on(line, "on"));
}

static enum status op_mix_play(struct reply *r, const json_t *line)
{
	return tel_mix_play(r->probe->driver, token_of(line), text_of(line, "mix"),
			    text_of(line, "play"), text_of(line, "sound"));
}

static enum status op_play_stop(struct reply *r, const json_t *line)
{
	return tel_play_stop(r->probe->driver, token_of(line), text_of(line, "play"));
}

static enum status op_mix_record(struct reply *r, const json_t *line)
{
	return tel_mix_record(r->probe->driver, token_of(line), text_of(line, "mix"),
			      text_of(line, "record"));
}

static enum status op_record_pause(struct reply *r, const json_t *line)
{
	return tel_record_pause(r->probe->driver, token_of(line), text_of(line, "record"),
				is_on(line, "on"));
}

static enum status op_record_stop(struct reply *r, const json_t *line)
{
	return tel_record_stop(r->probe->driver, token_of(line), text_of(line, "record"));
}

static enum status op_resync(struct reply *r, const json_t *line)
{
	(void)line;
	return tel_driver_resync(r->probe->driver);
}

static enum status op_open(struct reply *r, const json_t *line)
{
	struct err err = {0};
	enum status status = tel_driver_open(r->probe->driver, &err);

	(void)line;
	put_text(r->w, "text", err.message);
	return status;
}

static enum status op_close(struct reply *r, const json_t *line)
{
	(void)line;
	tel_driver_close(r->probe->driver);
	r->probe->driver = NULL;
	return ST_OK;
}

static enum status op_state(struct reply *r, const json_t *line)
{
	(void)line;
	if (!r->probe->sim)
		jw_kv_text(r->w, "state", ari_driver_state(r->probe->driver));
	return ST_OK;
}

/* ---- the far ends of the simulated switch, and its faults ---- */

static enum status op_sim_station(struct reply *r, const json_t *line)
{
	return sim_set_station(r->probe->sim, text_of(line, "station"), is_on(line, "reachable"),
			       is_on(line, "answers"));
}

static enum status op_sim_call_in(struct reply *r, const json_t *line)
{
	char leg[TEL_ID_SIZE] = "";
	enum status status = sim_call_in(r->probe->sim, text_of(line, "from"),
					 text_of(line, "name"), text_of(line, "dnis"), leg, NULL);

	put_text(r->w, "leg", leg);
	return status;
}

static enum status op_sim_answer(struct reply *r, const json_t *line)
{
	return sim_party_answer(r->probe->sim, text_of(line, "leg"));
}

static enum status op_sim_hangup(struct reply *r, const json_t *line)
{
	return sim_party_hangup(r->probe->sim, text_of(line, "leg"));
}

static enum status op_sim_press(struct reply *r, const json_t *line)
{
	return sim_party_press(r->probe->sim, text_of(line, "leg"), text_of(line, "digits"));
}

static enum status op_sim_hold(struct reply *r, const json_t *line)
{
	return sim_party_hold(r->probe->sim, text_of(line, "leg"), is_on(line, "on"));
}

static void put_leg(struct json_writer *w, const struct sim_leg_view *view)
{
	jw_object(w);
	jw_kv_text(w, "leg", view->leg);
	jw_kv_text(w, "party", view->party);
	jw_kv_text(w, "shown", view->shown);
	jw_kv_text(w, "mix", view->mix);
	jw_kv_text(w, "state", view->state);
	jw_kv_text(w, "hears", view->hears);
	jw_kv_text(w, "digits", view->digits);
	jw_object_end(w);
}

static enum status op_sim_legs(struct reply *r, const json_t *line)
{
	struct sim_leg_view views[LEGS_MAX];
	unsigned count = sim_legs(r->probe->sim, views, LEGS_MAX);

	(void)line;
	jw_key(r->w, "legs");
	jw_array(r->w);
	for (unsigned i = 0; i < count && i < LEGS_MAX; i++)
		put_leg(r->w, &views[i]);
	jw_array_end(r->w);
	jw_kv_int(r->w, "mixes", sim_mixes(r->probe->sim));
	return ST_OK;
}

static enum status op_sim_recorded(struct reply *r, const json_t *line)
{
	char hears[160];

	sim_recorded(r->probe->sim, text_of(line, "record"), hears, sizeof hears);
	jw_kv_text(r->w, "hears", hears);
	return ST_OK;
}

static enum status op_sim_link(struct reply *r, const json_t *line)
{
	if (is_on(line, "on"))
		sim_link_up(r->probe->sim);
	else
		sim_link_down(r->probe->sim);
	return ST_OK;
}

static enum status op_sim_restart(struct reply *r, const json_t *line)
{
	(void)line;
	sim_restart(r->probe->sim);
	return ST_OK;
}

struct op_row {
	const char *name;
	enum status (*run)(struct reply *r, const json_t *line);
	bool is_of_sim;
};

static const struct op_row ops[] = {
	{"open", op_open, false},
	{"close", op_close, false},
	{"state", op_state, false},
	{"leg_make", op_leg_make, false},
	{"leg_ring", op_leg_ring, false},
	{"leg_answer", op_leg_answer, false},
	{"leg_hangup", op_leg_hangup, false},
	{"leg_dtmf", op_leg_dtmf, false},
	{"leg_mute", op_leg_mute, false},
	{"mix_make", op_mix_make, false},
	{"mix_free", op_mix_free, false},
	{"mix_add", op_mix_add, false},
	{"mix_remove", op_mix_remove, false},
	{"mix_music", op_mix_music, false},
	{"mix_play", op_mix_play, false},
	{"play_stop", op_play_stop, false},
	{"mix_record", op_mix_record, false},
	{"record_pause", op_record_pause, false},
	{"record_stop", op_record_stop, false},
	{"resync", op_resync, false},
	{"sim_station", op_sim_station, true},
	{"sim_call_in", op_sim_call_in, true},
	{"sim_answer", op_sim_answer, true},
	{"sim_hangup", op_sim_hangup, true},
	{"sim_press", op_sim_press, true},
	{"sim_hold", op_sim_hold, true},
	{"sim_legs", op_sim_legs, true},
	{"sim_recorded", op_sim_recorded, true},
	{"sim_link", op_sim_link, true},
	{"sim_restart", op_sim_restart, true},
};

static enum status run_call_op(struct probe *probe, const json_t *line)
{
	const char *op = text_of(line, "op");

	if (strcmp(op, "open") == 0)
		return telephony_start(probe->telephony, probe->driver, NULL);
	return probe_call_op(probe->telephony, op, line);
}

static enum status run_op(struct reply *r, const json_t *line)
{
	if (r->probe->telephony)
		return run_call_op(r->probe, line);
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strcmp(ops[i].name, text_of(line, "op")) == 0 &&
		    (r->probe->sim || !ops[i].is_of_sim))
			return r->probe->driver ? ops[i].run(r, line) : ST_UNAVAILABLE;
	return ST_UNSUPPORTED;
}

static void on_line(struct probe *probe, const char *text, size_t length)
{
	auto_json json_t *line = NULL;
	struct json_writer w = {0};
	struct reply reply = {.w = &w, .probe = probe};

	jw_object(&w);
	if (json_parse(text, length, &json_limits_body, &line, NULL) == ST_OK) {
		jw_kv_int(&w, "n", int_of(line, "n"));
		enum status status = run_op(&reply, line);
		jw_kv_text(&w, "status", status_name(status));
	} else {
		jw_kv_text(&w, "status", "malformed line");
	}
	jw_object_end(&w);
	probe_print(&w);
}

/* ---- the loop ---- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	struct probe *probe = handle->data;

	(void)size;
	*buffer = uv_buf_init(probe->line + probe->length,
			      (unsigned)(sizeof probe->line - probe->length));
}

static void on_input(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct probe *probe = stream->data;
	char *end;

	(void)buffer;
	if (count < 0) {
		uv_stop(&probe->loop);
		return;
	}
	probe->length += (size_t)count;
	while ((end = memchr(probe->line, '\n', probe->length))) {
		size_t used = (size_t)(end - probe->line) + 1;
		on_line(probe, probe->line, used - 1);
		memmove(probe->line, probe->line + used, probe->length - used);
		probe->length -= used;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct probe *probe = timer->data;

	timers_run(&probe->timers, clock_mono_us(&clock_system));
}

/* Before each sleep: until the next deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct probe *probe = prepare->data;
	int64_t next = timers_next_us(&probe->timers);
	int64_t left = next - clock_mono_us(&clock_system);

	uv_update_time(&probe->loop);
	if (next == INT64_MAX)
		uv_timer_stop(&probe->timer);
	else
		uv_timer_start(&probe->timer, on_timer,
			       left > 0 ? (uint64_t)(left + 999) / 1000 : 0, 0);
}

static void start_loop(struct probe *probe)
{
	uv_loop_init(&probe->loop);
	uv_timer_init(&probe->loop, &probe->timer);
	uv_prepare_init(&probe->loop, &probe->prepare);
	uv_pipe_init(&probe->loop, &probe->input, 0);
	probe->timer.data = probe->prepare.data = probe->input.data = probe;
	uv_prepare_start(&probe->prepare, on_prepare);
	uv_pipe_open(&probe->input, STDIN_FILENO);
	uv_read_start((uv_stream_t *)&probe->input, on_alloc, on_input);
	timers_init(&probe->timers);
}

static bool start_lws(struct probe *probe)
{
	void *loops[] = {&probe->loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.foreign_loops = loops,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};

	lws_set_log_level(LLL_ERR, NULL);
	probe->lws = lws_create_context(&info);
	return probe->lws != NULL;
}

static void stop(struct probe *probe)
{
	if (probe->telephony)
		telephony_destroy(probe->telephony);
	else
		tel_driver_close(probe->driver);
	uv_close((uv_handle_t *)&probe->timer, NULL);
	uv_close((uv_handle_t *)&probe->prepare, NULL);
	uv_close((uv_handle_t *)&probe->input, NULL);
	if (probe->lws)
		lws_context_destroy(probe->lws);
	uv_run(&probe->loop, UV_RUN_DEFAULT);
	uv_loop_close(&probe->loop);
	timers_done(&probe->timers);
}

static struct tel_driver *make_ari(struct probe *probe, const struct tel_host *host, char **args)
{
	struct ari_config config = {.loop = &probe->loop, .port = (unsigned)atoi(args[1])};

	str_copy(config.host, sizeof config.host, args[0]);
	str_copy(config.user, sizeof config.user, args[2]);
	str_copy(config.password, sizeof config.password, args[3]);
	str_copy(config.app, sizeof config.app, args[4]);
	str_copy(config.trunk, sizeof config.trunk, args[5]);
	return start_lws(probe) ? ari_driver_create(host, &config, probe->lws) : NULL;
}

int main(int argc, char **argv)
{
	static struct probe probe;
	struct tel_host host = {.clock = &clock_system,
				.timers = &probe.timers,
				.node = NODE,
				.sink = {.on_fact = on_fact}};

	start_loop(&probe);
	if (argc == 9 && strcmp(argv[8], "calls") == 0) {
		probe.telephony =
			telephony_create(host.clock, host.timers, NODE,
					 (struct tel_call_sink){probe_on_call_fact, NULL});
		host.sink = telephony_driver_sink(probe.telephony);
		argc--;
	}
	if (argc == 2 && strcmp(argv[1], "sim") == 0)
		probe.driver = sim_driver_create(&host, NULL, &probe.sim);
	else if (argc == 8 && strcmp(argv[1], "ari") == 0)
		probe.driver = make_ari(&probe, &host, argv + 2);
	if (!probe.driver) {
		fputs("usage: driver_probe sim | ari HOST PORT USER PASSWORD APP TRUNK [calls]\n",
		      stderr);
		return 2;
	}
	uv_run(&probe.loop, UV_RUN_DEFAULT);
	stop(&probe);
	return 0;
}
