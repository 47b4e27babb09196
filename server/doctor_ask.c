#include "server/doctor_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "server/http_client.h"
#include "telephony/ari/ari_event.h"

#define TIMEOUT_S     10L
#define FILE_SIZE_MAX (1 << 20)
#define LIST_MAX      20000
#define NO_CHANNEL    "/ari/channels/calltab-doctor-asks"

struct asker {
	struct doctor_facts *facts;
	const char *password;
	char url[300];
};

/* 0 when nobody answers; then facts->why says so. */
static long ask(struct asker *asker, const char *method, const char *path, char **body)
{
	struct http_request request = {.method = method,
				       .url = asker->url,
				       .path = path,
				       .user = asker->facts->user,
				       .password = asker->password,
				       .timeout_s = TIMEOUT_S};
	struct http_reply reply = {0};
	struct err err;

	*body = NULL;
	if (http_send(&request, &reply, &err) != ST_OK) {
		str_copy_cut(asker->facts->why, sizeof(asker->facts->why), err.message);
		return 0;
	}
	*body = reply.body;
	return reply.code;
}

/* The answer to a GET as an object, a list as its member "list"; NULL when there is none. */
static json_t *ask_json(struct asker *asker, const char *path)
{
	auto_free char *body = NULL;
	auto_free char *text = NULL;
	json_t *json = NULL;
	size_t size;

	if (ask(asker, NULL, path, &body) != 200)
		return NULL;
	size = strlen(body) + sizeof("{\"list\":}");
	text = xmalloc(size);
	snprintf(text, size, body[0] == '[' ? "{\"list\":%s}" : "%s", body);
	if (json_parse(text, strlen(text), &json_limits_switch, &json, NULL) != ST_OK)
		return NULL;
	return json;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- is it there, and who are we? ---- */

static void ask_ping(struct asker *asker)
{
	struct doctor_facts *facts = asker->facts;
	auto_free char *body = NULL;
	auto_json json_t *json = NULL;
	int64_t before = clock_wall_ms(&clock_system), theirs;
	long code = ask(asker, NULL, "/ari/asterisk/ping", &body);
	int64_t ours = before + (clock_wall_ms(&clock_system) - before) / 2;

	if (code == 200 &&
	    json_parse(body, strlen(body), &json_limits_body, &json, NULL) == ST_OK) {
		facts->reach = DOCTOR_SIGNED_IN;
		facts->has_clock = ari_time_parse(text_of(json, "timestamp"), &theirs);
		facts->clock_ahead_ms = facts->has_clock ? theirs - ours : 0;
	} else if (code == 401) {
		facts->reach = DOCTOR_REFUSED;
	} else if (code) {
		facts->reach = DOCTOR_NO_ARI;
		str_format(facts->why, sizeof(facts->why), "HTTP %ld to GET /ari/asterisk/ping",
			   code);
	}
}

static void ask_version(struct asker *asker)
{
	auto_json json_t *json = ask_json(asker, "/ari/asterisk/info?only=system");
	const char *version = text_of(json_object_get(json, "system"), "version");

	/* "22.10.1+dfsg+..." of a distribution: the number alone. */
	str_format(asker->facts->version, sizeof(asker->facts->version), "%.*s",
		   (int)strspn(version, "0123456789."), version);
}

/* A user who may only read is refused before the channel is looked for. */
static void ask_rights(struct asker *asker)
{
	auto_free char *body = NULL;
	long code = ask(asker, "DELETE", NO_CHANNEL, &body);

	if (code == 404 || code == 403)
		asker->facts->may_write = code == 404 ? DOCTOR_YES : DOCTOR_NO;
}

static void ask_application(struct asker *asker)
{
	auto_free char *body = NULL;
	char path[256], name[200];
	long code;

	if (!str_url_encode(name, sizeof(name), asker->facts->app) ||
	    !str_format(path, sizeof(path), "/ari/applications/%s", name))
		return;
	code = ask(asker, NULL, path, &body);
	if (code == 200 || code == 404)
		asker->facts->has_app = code == 200 ? DOCTOR_YES : DOCTOR_NO;
}

/* ---- the lists ---- */

/* How many there are; 0 and false when it is no list. */
static bool list_size(const json_t *list, unsigned *ret)
{
	size_t size = json_array_size(list);

	*ret = (unsigned)(size < LIST_MAX ? size : LIST_MAX);
	return json_is_array(list);
}

static void ask_modules(struct asker *asker)
{
	struct doctor_facts *facts = asker->facts;
	auto_json json_t *json = ask_json(asker, "/ari/asterisk/modules");
	const json_t *list = json_object_get(json, "list");

	facts->has_modules = list_size(list, &facts->module_count);
	facts->modules = xcalloc(facts->module_count + 1, sizeof(*facts->modules));
	for (unsigned i = 0; i < facts->module_count; i++) {
		const json_t *module = json_array_get(list, i);

		str_copy(facts->modules[i].name, sizeof(facts->modules[i].name),
			 text_of(module, "name"));
		facts->modules[i].is_running = !strcmp(text_of(module, "status"), "Running");
	}
}

static void ask_endpoints(struct asker *asker)
{
	struct doctor_facts *facts = asker->facts;
	auto_json json_t *json = ask_json(asker, "/ari/endpoints");
	const json_t *list = json_object_get(json, "list");

	facts->has_endpoints = list_size(list, &facts->endpoint_count);
	facts->endpoints = xcalloc(facts->endpoint_count + 1, sizeof(*facts->endpoints));
	for (unsigned i = 0; i < facts->endpoint_count; i++) {
		const json_t *endpoint = json_array_get(list, i);
		struct doctor_endpoint *ret = &facts->endpoints[i];

		str_copy(ret->technology, sizeof(ret->technology), text_of(endpoint, "technology"));
		str_copy(ret->resource, sizeof(ret->resource), text_of(endpoint, "resource"));
		ret->is_online = !strcmp(text_of(endpoint, "state"), "online");
	}
}

void doctor_ask(struct doctor_facts *facts, const char *password)
{
	struct asker asker = {.facts = facts, .password = password};
	bool is_v6 = strchr(facts->host, ':') && facts->host[0] != '[';

	if (!str_format(asker.url, sizeof(asker.url), is_v6 ? "http://[%s]:%u" : "http://%s:%u",
			facts->host, facts->port)) {
		str_copy(facts->why, sizeof(facts->why), "ari_host is too long");
		return;
	}
	ask_ping(&asker);
	if (facts->reach != DOCTOR_SIGNED_IN)
		return;
	ask_version(&asker);
	ask_rights(&asker);
	ask_application(&asker);
	ask_modules(&asker);
	ask_endpoints(&asker);
}

/* ---- files ---- */

static char *read_all(FILE *file)
{
	char *text = xmalloc(FILE_SIZE_MAX + 1);
	size_t length = fread(text, 1, FILE_SIZE_MAX + 1, file);

	if (length > FILE_SIZE_MAX || ferror(file)) {
		free(text);
		return NULL;
	}
	text[length] = 0;
	return text;
}

void doctor_read_files(struct doctor_facts *facts)
{
	for (unsigned i = 0; facts->config_dir && i < DOCTOR_FILE_COUNT; i++) {
		char path[1024];
		FILE *file = NULL;

		if (str_format(path, sizeof(path), "%s/%s", facts->config_dir,
			       doctor_file_names[i]))
			file = fopen(path, "re");
		facts->files[i].is_missing = !file && errno == ENOENT;
		if (!file)
			continue;
		facts->files[i].text = read_all(file);
		fclose(file);
	}
}

void doctor_facts_done(struct doctor_facts *facts)
{
	for (unsigned i = 0; i < DOCTOR_FILE_COUNT; i++)
		free((char *)facts->files[i].text);
	free(facts->modules);
	free(facts->endpoints);
	free(facts->agents);
}
