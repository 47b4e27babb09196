/* calltab call, calltab simulate: a running gateway is asked over HTTP, with a key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "server/cli.h"
#include "server/cmd_follow.h"
#include "server/http_client.h"

static const char *gateway_url(struct cli *cli, char buffer[256])
{
	const char *url = cli_flag(cli, "url"), *env = getenv("CALLTAB_URL");

	if (url || env)
		return url ? url : env;
	str_format(buffer, 256, "http://%s", config_text(&cli->config, OPT_listen));
	return buffer;
}

static const char *gateway_key(struct cli *cli)
{
	const char *key = cli_flag(cli, "key");

	return key ? key : getenv("CALLTAB_KEY");
}

enum status gateway_problem(const struct http_reply *reply, struct err *err)
{
	auto_json json_t *body = NULL;
	char detail[200] = "", code[40] = "gateway.refused";
	bool found;

	if (json_parse(reply->body, strlen(reply->body), &json_limits_switch, &body, NULL) != ST_OK)
		return err_set(err, ST_INTERNAL, "gateway.answer", "", "the gateway answered %ld",
			       reply->code);
	if (json_get_text(body, "code", code, sizeof(code), &found, NULL) != ST_OK ||
	    json_get_text(body, "detail", detail, sizeof(detail), &found, NULL) != ST_OK)
		detail[0] = 0;
	return err_set(err, ST_CONFLICT, code, "", "%s",
		       detail[0] ? detail : "the gateway refused it");
}

static int ask(struct cli *cli, const char *path, const char *json, struct http_reply *reply)
{
	char buffer[256];
	struct err err;
	enum status status =
		http_ask(gateway_url(cli, buffer), path, gateway_key(cli), json, reply, &err);

	if (status == ST_OK && reply->code >= 300)
		status = gateway_problem(reply, &err);
	return status == ST_OK ? 0 : cli_fail(cli, &err);
}

static void add_flag(struct cli *cli, struct json_writer *w, const char *flag, const char *key)
{
	if (cli_flag(cli, flag))
		jw_kv_text(w, key, cli_flag(cli, flag));
}

static char *present_body(struct cli *cli)
{
	struct json_writer w = {0};
	char *text;
	const char *tab = cli_flag(cli, "tab");

	jw_object(&w);
	if (cli->word_count)
		jw_kv_text(&w, "number", cli->words[0]);
	add_flag(cli, &w, "agent", "agent");
	add_flag(cli, &w, "from", "agent");
	add_flag(cli, &w, "dialer-call", "dialerCallId");
	add_flag(cli, &w, "subject", "subject");
	add_flag(cli, &w, "to-name", "toName");
	add_flag(cli, &w, "to-type", "toType");
	add_flag(cli, &w, "to-id", "toId");
	if (tab)
		jw_kv_int(&w, "tab", strtol(tab, NULL, 10));
	jw_object_end(&w);
	text = xcalloc(1, w.length + 1);
	memcpy(text, jw_start(&w), w.length);
	jw_done(&w);
	return text;
}

/* Prints where the record is shown; fills what is needed to watch it. */
static int take_presented(struct cli *cli, const char *body, struct watched_call *call,
			  char id[UUID_TEXT_SIZE])
{
	auto_json json_t *json = NULL;
	const char *text = NULL;

	if (json_parse(body, strlen(body), &json_limits_switch, &json, NULL) == ST_OK)
		text = json_string_value(json_object_get(json, "dialerCallId"));
	call->tab = json_integer_value(json_object_get(json, "tab"));
	if (cli->is_json && call->is_watched)
		printf("{\"state\":\"presented\",\"cause\":null,\"dialerCallId\":\"%s\",\"tab\":%"
		       "lld}\n",
		       text ? text : "", call->tab);
	else if (cli->is_json)
		printf("%s\n", body);
	else if (text)
		printf("presented on tab %lld, dialer call %s\n", call->tab, text);
	fflush(stdout);
	call->dialer_call_id = id;
	return text && str_copy(id, UUID_TEXT_SIZE, text) ? 0 : 1;
}

static int check_call(struct cli *cli)
{
	struct uuid id;

	if (cli->word_count > 1 || (!cli->word_count && !cli_flag(cli, "dialer-call")))
		return cli_usage(&command_call, "say a number, or --dialer-call with its id");
	if (!cli_flag(cli, "agent") == !cli_flag(cli, "from"))
		return cli_usage(&command_call,
				 "say --from LOGIN, which watches the call, or --agent LOGIN");
	if (cli_flag(cli, "from") && cli_flag(cli, "dialer-call") &&
	    !uuid_parse(cli_flag(cli, "dialer-call"), &id))
		return cli_usage(&command_call, "--dialer-call is the id of a dialer call");
	if (!gateway_key(cli))
		return cli_usage(&command_call,
				 "a key with the scope dial is needed: CALLTAB_KEY or --key; "
				 "`calltab key create` makes one");
	return 0;
}

static int run_call(struct cli *cli)
{
	struct http_reply reply = {0};
	auto_free char *body = NULL;
	char buffer[256], id[UUID_TEXT_SIZE];
	struct watched_call call = {.url = gateway_url(cli, buffer),
				    .key = gateway_key(cli),
				    .dialer_call_id = cli_flag(cli, "dialer-call"),
				    .is_watched = cli_flag(cli, "from") != NULL};
	int code = check_call(cli);

	if (!code && call.is_watched)
		code = follow_prepare(cli, &call);
	if (code)
		return code;
	body = present_body(cli);
	code = ask(cli, "/api/v1/present", body, &reply);
	if (!code)
		code = take_presented(cli, reply.body, &call, id);
	free(reply.body);
	return code || !call.is_watched ? code : follow_watch(cli, &call);
}

const struct cli_command command_call = {
	.name = "call",
	.summary = "present a record to an agent: previewed on his tab, then dialed",
	.help = "Usage: calltab call NUMBER --from LOGIN|--agent LOGIN [--subject TEXT] [--to-name "
		"NAME]\n"
		"       [--to-type contact|lead|...] [--to-id ID] [--tab N] [--json]\n"
		"       calltab call --dialer-call ID --from|--agent LOGIN   the next attempt of "
		"an "
		"earlier call\n\n"
		"--from   and watch it: each state until it is idle, and why; the key needs "
		"calls.read\n"
		"         too. Ctrl-C ends the watching, not the call\n"
		"--agent  present it and end\n"
		"--url  of the gateway, or CALLTAB_URL; default http://<listen>\n"
		"--key  with the scope dial, or CALLTAB_KEY\n\n"
		"Example: calltab call +15551234567 --from 1001 --subject Spring --to-name 'Ada "
		"Example'\n",
	.flags = "agent from dialer-call subject to-name to-type to-id tab url key",
	.run = run_call,
};

static const struct {
	const char *verb;
	unsigned words;
	const char *members[3];
} simulations[] = {
	{"legs", 0, {NULL}},
	{"call", 2, {"from", "to"}},
	{"answer", 1, {"leg"}},
	{"hangup", 1, {"leg"}},
	{"press", 2, {"leg", "digits"}},
	{"hold", 2, {"leg", "on"}},
	{"station", 2, {"station", "reachable"}},
	{"link", 1, {"state"}},
};

static char *simulate_body(struct cli *cli, unsigned verb)
{
	struct json_writer w = {0};
	char *text;

	jw_object(&w);
	for (unsigned i = 0; i < simulations[verb].words; i++)
		jw_kv_text(&w, simulations[verb].members[i], cli->words[i + 1]);
	if (cli_flag(cli, "name"))
		jw_kv_text(&w, "name", cli_flag(cli, "name"));
	jw_object_end(&w);
	text = xcalloc(1, w.length + 1);
	memcpy(text, jw_start(&w), w.length);
	jw_done(&w);
	return text;
}

static int run_simulate(struct cli *cli)
{
	const char *verb = cli->word_count ? cli->words[0] : "";

	for (unsigned i = 0; i < sizeof(simulations) / sizeof(simulations[0]); i++) {
		auto_free char *body = NULL;
		struct http_reply reply = {0};
		char path[64];
		int code;

		if (strcmp(verb, simulations[i].verb) != 0 ||
		    cli->word_count != simulations[i].words + 1)
			continue;
		body = simulate_body(cli, i);
		str_format(path, sizeof(path), "/api/v1/sim/%s", verb);
		code = ask(cli, path, simulations[i].words ? body : NULL, &reply);
		if (!code)
			printf("%s\n", reply.body);
		free(reply.body);
		return code;
	}
	return cli_usage(&command_simulate, "this is not understood");
}

const struct cli_command command_simulate = {
	.name = "simulate",
	.summary = "act for the far end of the simulated switch: call in, answer, hang up",
	.help = "Usage: calltab simulate call FROM TO [--name NAME]   a caller dials TO (a queue's "
		"number or an extension)\n"
		"       calltab simulate legs                        who is up, and who hears "
		"whom\n"
		"       calltab simulate answer|hangup LEG\n"
		"       calltab simulate press LEG DIGITS\n"
		"       calltab simulate station EXTENSION true|false  the telephone is reachable "
		"or not\n"
		"       calltab simulate link up|down|restart\n\n"
		"--url, --key (scope admin) as for `calltab call`\n\n"
		"Example: calltab simulate call +15557654321 5000 --name 'Clara Customer'\n",
	.flags = "name url key",
	.run = run_simulate,
};
