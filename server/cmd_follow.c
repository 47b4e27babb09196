#include "server/cmd_follow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "server/call_follow.h"
#include "server/http_client.h"

#define POLL_MS	    250
#define AWAY_MS_MAX 60000 /* a gateway that is restarted takes its calls back */
#define PAGE	    500

static volatile sig_atomic_t is_stopped;

struct watch {
	struct cli *cli;
	const struct watched_call *call;
	struct follow follow;
	unsigned rows;
	bool is_terminal;
	int64_t state_since_us, away_since_us; /* away: 0 = it answers */
};

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	is_stopped = 1;
}

/* ---- asking ---- */

/* ST_UNAVAILABLE: ask again later. *ret is the array of rows, held by *body. */
static enum status read_rows(const struct watched_call *call, unsigned skip, json_t **body,
			     json_t **ret, struct err *err)
{
	struct http_reply reply = {0};
	char path[200];
	enum status status;

	if (call->dialer_call_id)
		str_format(path, sizeof(path),
			   "/odata/v4/cts_dialerCalls(%s)/dialerCallEvents?$skip=%u&$top=%d",
			   call->dialer_call_id, skip, PAGE);
	else
		str_format(path, sizeof(path), "/odata/v4/cts_dialerCallEvents?$top=1");
	status = http_ask(call->url, path, call->key, NULL, &reply, err);
	if (status == ST_OK && reply.code >= 300) {
		status = gateway_problem(&reply, err);
		if (reply.code >= 500)
			status = ST_UNAVAILABLE;
		else if (reply.code == 401 || reply.code == 403)
			status = err_set(err, ST_FORBIDDEN, "scope.missing", "calls.read",
					 "to follow a call the key needs the scope calls.read");
	} else if (status == ST_OK) {
		status = json_parse(reply.body, strlen(reply.body), &json_limits_switch, body, err);
	}
	free(reply.body);
	if (status == ST_OK)
		*ret = json_object_get(*body, "value");
	return status;
}

int follow_prepare(struct cli *cli, struct watched_call *call)
{
	size_t count;

	do {
		auto_json json_t *body = NULL;
		json_t *rows = NULL;
		struct err err;

		if (read_rows(call, call->rows_before, &body, &rows, &err) != ST_OK)
			return cli_fail(cli, &err);
		count = call->dialer_call_id ? json_array_size(rows) : 0;
		call->rows_before += (unsigned)count;
	} while (count == PAGE);
	return 0;
}

/* ---- telling ---- */

/* The line of a state, written over itself. */
static void print_line(const struct watch *watch, const char *state)
{
	int64_t us = clock_mono_us(&clock_system) - watch->state_since_us;

	printf("\r\033[K%s %u s%s", state, (unsigned)(us / 1000000),
	       watch->away_since_us ? " (the gateway is away)" : "");
}

static void show_line(const struct watch *watch)
{
	if (!watch->is_terminal || !*watch->follow.state || watch->follow.is_over)
		return;
	print_line(watch, watch->follow.state);
	fflush(stdout);
}

static void tell_json(const struct watch *watch)
{
	const struct follow *follow = &watch->follow;
	struct json_writer w = {0};

	jw_object(&w);
	jw_kv_text(&w, "state", follow->state);
	jw_kv_text(&w, "cause", *follow->cause && follow->is_over ? follow->cause : NULL);
	jw_kv_text(&w, "dialerCallId", watch->call->dialer_call_id);
	jw_kv_int(&w, "tab", watch->call->tab);
	jw_object_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

static void tell_step(struct watch *watch)
{
	const struct follow *follow = &watch->follow;

	watch->state_since_us = clock_mono_us(&clock_system);
	if (watch->cli->is_json)
		tell_json(watch);
	else if (follow->is_over)
		printf("%s: %s\n", follow->state, follow->cause);
	else if (watch->is_terminal)
		show_line(watch);
	else
		printf("%s\n", follow->state);
	fflush(stdout);
}

static void take_row(struct watch *watch, const char *name)
{
	struct follow before = watch->follow;

	if (!follow_row(&watch->follow, name))
		return;
	if (watch->is_terminal && *before.state) { /* stays as it was at its end */
		print_line(watch, before.state);
		printf("\n");
	}
	tell_step(watch);
}

static void take_rows(struct watch *watch, const json_t *rows)
{
	size_t count = json_array_size(rows);

	watch->rows += (unsigned)count;
	for (size_t i = 0; i < count; i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(rows, i), "eventName"));

		take_row(watch, name ? name : "");
	}
}

/* ---- the loop ---- */

static enum status look(struct watch *watch, struct err *err)
{
	auto_json json_t *body = NULL;
	json_t *rows = NULL;
	int64_t now_us = clock_mono_us(&clock_system);
	enum status status =
		read_rows(watch->call, watch->call->rows_before + watch->rows, &body, &rows, err);

	if (status == ST_OK) {
		watch->away_since_us = 0;
		take_rows(watch, rows);
	} else if (status == ST_UNAVAILABLE || status == ST_NOT_FOUND) {
		if (!watch->away_since_us)
			watch->away_since_us = now_us;
		if (now_us - watch->away_since_us < AWAY_MS_MAX * 1000LL)
			status = ST_OK;
	}
	show_line(watch);
	return status;
}

static int stop(const struct watch *watch)
{
	if (watch->is_terminal)
		printf("\n");
	fprintf(stderr, "calltab: no longer watched; the call itself goes on\n");
	return 0;
}

int follow_watch(struct cli *cli, const struct watched_call *call)
{
	struct watch watch = {.cli = cli,
			      .call = call,
			      .is_terminal = !cli->is_json && isatty(STDOUT_FILENO),
			      .state_since_us = clock_mono_us(&clock_system)};
	struct sigaction action = {.sa_handler = on_interrupt};
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

	sigaction(SIGINT, &action, NULL);
	while (!watch.follow.is_over) {
		struct err err;

		if (is_stopped)
			return stop(&watch);
		if (look(&watch, &err) != ST_OK) {
			if (watch.is_terminal)
				printf("\n");
			return cli_fail(cli, &err);
		}
		if (!watch.follow.is_over)
			nanosleep(&pause, NULL);
	}
	return 0;
}
