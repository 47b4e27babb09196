#include "routes/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/head.h"
#include "routes/private.h"
#include "routes/proxy.h"

static const char *const method_words[HTTP_METHOD_COUNT] = {
	[HTTP_GET] = "GET",	    [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",	    [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "",
};

static const char *const wanted_names[WANT_COUNT] = {
	[WANT_HOST] = "Host",
	[WANT_ORIGIN] = "Origin",
	[WANT_AUTHORIZATION] = "Authorization",
	[WANT_API_KEY] = "X-API-Key",
	[WANT_CONTENT_TYPE] = "Content-Type",
	[WANT_IF_NONE_MATCH] = "If-None-Match",
	[WANT_REQUEST_ID] = "X-Request-Id",
	[WANT_IDEMPOTENCY_KEY] = "Idempotency-Key",
	[WANT_FORWARDED_FOR] = "X-Forwarded-For",
	[WANT_FETCH_MODE] = "Sec-Fetch-Mode",
	[WANT_PREFLIGHT_METHOD] = "Access-Control-Request-Method",
};

const char *http_method_word(enum http_method method)
{
	return method_words[method];
}

enum http_method http_method_parse(const char *word)
{
	for (unsigned i = 0; i < HTTP_OTHER; i++)
		if (strcmp(word, method_words[i]) == 0)
			return (enum http_method)i;
	return HTTP_OTHER;
}

/* ---- making one ---- */

static const char *find_field(const struct http_head *head, const char *name)
{
	for (unsigned i = 0; i < head->field_count; i++)
		if (strcasecmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	return NULL;
}

/* Each proxy may add a line of its own: the nearest one's is the last. */
static const char *find_last_field(const struct http_head *head, const char *name)
{
	const char *value = NULL;

	for (unsigned i = 0; i < head->field_count; i++)
		if (strcasecmp(head->fields[i].name, name) == 0)
			value = head->fields[i].value;
	return value;
}

static char *append(char **at, const char *text, size_t length)
{
	char *start = *at;

	memcpy(start, text, length);
	start[length] = '\0';
	*at += length + 1;
	return start;
}

/* The client's own id is echoed when it can do no harm in a header and in a log line. */
static bool is_request_id(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	return length > 0 && length < REQUEST_ID_SIZE &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_.:")] == '\0';
}

static void choose_id(struct request *request)
{
	if (is_request_id(request->wanted[WANT_REQUEST_ID])) {
		str_copy(request->id, sizeof request->id, request->wanted[WANT_REQUEST_ID]);
		return;
	}
	struct uuid uuid = uuid_make(clock_wall_ms(request->routes->clock));
	uuid_format(&uuid, request->id);
}

struct request *request_create(struct routes *routes, const struct http_head *head,
			       const char *peer)
{
	const char *values[WANT_COUNT];
	size_t size = sizeof(struct request) + strlen(head->target) + 2;

	for (unsigned i = 0; i < WANT_COUNT; i++) {
		values[i] = i == WANT_FORWARDED_FOR ? find_last_field(head, wanted_names[i])
						    : find_field(head, wanted_names[i]);
		size += values[i] ? strlen(values[i]) + 1 : 0;
	}
	struct request *request = xcalloc(1, size);
	char *at = (char *)(request + 1);
	size_t path_length = strcspn(head->target, "?");
	request->routes = routes_ref(routes);
	request->method = http_method_parse(head->method);
	request->path = append(&at, head->target, path_length);
	request->query = head->target[path_length] ? append(&at, head->target + path_length + 1,
							    strlen(head->target + path_length + 1))
						   : "";
	for (unsigned i = 0; i < WANT_COUNT; i++)
		request->wanted[i] = values[i] ? append(&at, values[i], strlen(values[i])) : NULL;
	if (!path_decode(request->path, request->path, path_length))
		request->path[0] = '\0';
	proxy_client_address(routes->config.trusted_proxies, peer,
			     request->wanted[WANT_FORWARDED_FOR], request->peer);
	choose_id(request);
	atomic_store(&request->refs, 1);
	return request;
}

struct request *request_ref(struct request *request)
{
	atomic_fetch_add(&request->refs, 1);
	return request;
}

void request_unref(struct request *request)
{
	if (atomic_fetch_sub(&request->refs, 1) != 1)
		return;
	struct routes *routes = request->routes;
	answer_done(&request->answer);
	free(request->state);
	free(request->body);
	free(request);
	routes_unref(routes);
}

/* ---- reading it ---- */

bool request_arg(const struct request *request, unsigned index, char *ret, size_t size)
{
	if (request->args[index].length >= size)
		return false;
	memcpy(ret, request->args[index].text, request->args[index].length);
	ret[request->args[index].length] = '\0';
	return true;
}

enum request_option request_option(const struct request *request, const char *name, char *ret,
				   size_t size)
{
	char key[64];

	for (const char *at = request->query; *at;) {
		size_t length = strcspn(at, "&");
		const char *equals = memchr(at, '=', length);
		size_t key_length = equals ? (size_t)(equals - at) : length;
		size_t value_length = equals ? length - key_length - 1 : 0;
		if (key_length < sizeof key && option_decode(key, at, key_length) &&
		    strcmp(key, name) == 0)
			return value_length < size && option_decode(ret, equals ? equals + 1 : "",
								    value_length)
				       ? OPTION_GIVEN
				       : OPTION_BAD;
		at += length + (at[length] == '&');
	}
	return OPTION_ABSENT;
}

bool request_origin_is_allowed(const struct request *request)
{
	const char *origin = request->wanted[WANT_ORIGIN];
	const char *const *allowed = request->routes->config.origins;

	for (; origin && allowed && *allowed; allowed++)
		if (strcmp(*allowed, origin) == 0)
			return true;
	return false;
}

bool request_origin_is_same(const struct request *request)
{
	const char *origin = request->wanted[WANT_ORIGIN], *host = request->wanted[WANT_HOST];
	const char *authority = origin ? strstr(origin, "://") : NULL;

	return authority && host && strcasecmp(authority + 3, host) == 0;
}

/* ---- its work on a database worker ---- */

static void run_now(struct request *request, struct db_conn *conn)
{
	struct err err = {0};
	enum status status = request->run(request, conn, &err);

	if (status == ST_OK)
		return;
	if (err.status == ST_OK)
		err_set(&err, status, "internal", "", "something went wrong");
	answer_error(request, &err);
}

/* What a query met is the request's affair: the pool has seen the state of its connection itself.
 */
static enum status job_run(struct db_conn *conn, void *arg, struct err *err)
{
	struct request *request = arg;

	(void)err;
	request->conn = conn;
	run_now(request, conn);
	request->conn = NULL;
	return ST_OK;
}

static void job_done(void *arg, enum status status, const struct err *err)
{
	struct request *request = arg;

	if (status != ST_OK)
		answer_error(request, err);
	request_unref(request);
}

void request_run(struct request *request,
		 enum status (*run)(struct request *, struct db_conn *, struct err *))
{
	struct err err = {0};

	request->run = run;
	if (request->conn) {
		run_now(request, request->conn);
		return;
	}
	if (!request->routes->db) {
		err_set(&err, ST_UNAVAILABLE, "storage.away", "", "there is no database");
		answer_error(request, &err);
		return;
	}
	request->job =
		(struct db_job){.run = job_run, .done = job_done, .arg = request_ref(request)};
	if (db_submit(request->routes->db, &request->job, &err) != ST_OK) {
		answer_error(request, &err);
		request_unref(request);
	}
}

bool request_settle(const struct request *request, unsigned wait_ms)
{
	const struct route_hooks *hooks = &request->routes->hooks;

	return !hooks->settle || hooks->settle(hooks->user, wait_ms);
}
