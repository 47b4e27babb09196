#include "routes/router.h"

#include <string.h>

#include "base/str.h"
#include "routes/auth.h"
#include "routes/handlers.h"
#include "routes/private.h"
#include "routes/sound_file.h"
#include "routes/static.h"

/* clang-format off */
/* What keeps the service looked at, what ends something and what the switch itself asks for is
 * never turned away; the simulated switch stands for a real one. Signing in, and what a page asks
 * before it has its tab, goes with new tabs. A ticket may be for a tab that comes back. */
const struct route route_table[] = {
	{HTTP_GET,  "/healthz",				RIGHT_NONE,	health_get,		OVERLOAD_NONE},
	{HTTP_GET,  "/readyz",				RIGHT_NONE,	ready_get,		OVERLOAD_NONE},
	{HTTP_GET,  "/ws",				RIGHT_NONE,	upgrade_get,		OVERLOAD_RESUMES},
	{HTTP_GET,  "/audio",				RIGHT_NONE,	upgrade_get,		OVERLOAD_RESUMES},
	{HTTP_POST, "/api/v1/sign-in",			RIGHT_NONE,	sign_in_post,		OVERLOAD_TABS},
	{HTTP_POST, "/api/v1/sign-out",			RIGHT_SESSION,	sign_out_post,		OVERLOAD_NONE},
	{HTTP_GET,  "/api/v1/me",			RIGHT_SESSION,	me_get,			OVERLOAD_TABS},
	{HTTP_POST, "/api/v1/ws-tickets",		RIGHT_SESSION,	ticket_post,		OVERLOAD_RESUMES},
	{HTTP_POST, "/api/v1/present",			RIGHT_DIAL,	present_post,		OVERLOAD_DIALS},
	{HTTP_GET,  "/api/v1/sounds",			RIGHT_ADMIN,	sound_list_get,		OVERLOAD_POLLS},
	{HTTP_GET,  "/api/v1/sounds/{name}",		RIGHT_ADMIN,	sound_get,		OVERLOAD_POLLS},
	{HTTP_PUT,  "/api/v1/sounds/{name}",		RIGHT_ADMIN,	sound_put,		OVERLOAD_WRITES, SOUND_BODY_MAX},
	{HTTP_DELETE, "/api/v1/sounds/{name}",		RIGHT_ADMIN,	sound_delete,		OVERLOAD_WRITES},
	{HTTP_GET,  "/sounds/{version}/{file}",		RIGHT_NONE,	sound_fetch_get,	OVERLOAD_NONE},
	{HTTP_GET,  "/api/v1/sim/{verb}",		RIGHT_ADMIN,	sim_get,		OVERLOAD_NONE},
	{HTTP_POST, "/api/v1/sim/{verb}",		RIGHT_ADMIN,	sim_post,		OVERLOAD_NONE},
	{HTTP_GET,  "/odata/v4/{set}",			RIGHT_READ,	entity_list_get,	OVERLOAD_POLLS},
	{HTTP_GET,  "/odata/v4/{set}/$count",		RIGHT_READ,	entity_count_get,	OVERLOAD_POLLS},
	{HTTP_GET,  "/odata/v4/{set}({key})",		RIGHT_READ,	entity_one_get,		OVERLOAD_POLLS},
	{HTTP_GET,  "/odata/v4/{set}({key})/{nav}",	RIGHT_READ,	entity_related_get,	OVERLOAD_POLLS},
	{0},
};
/* clang-format on */

/* ---- matching ---- */

static bool is_delimiter(char c)
{
	return c == '/' || c == '(' || c == ')' || c == '\0';
}

bool route_match(const char *pattern, struct request *request)
{
	const char *at = request->path;
	unsigned count = 0;

	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *at++)
				return false;
			continue;
		}
		const char *start = at;
		while (!is_delimiter(*at))
			at++;
		if (at == start || count == ROUTE_ARGS)
			return false;
		request->args[count].text = start;
		request->args[count++].length = (size_t)(at - start);
		pattern = strchr(pattern, '}') + 1;
	}
	return *at == '\0';
}

static bool serves(const struct route *route, enum http_method method)
{
	return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

/* The route; NULL when none has this path and method. *ret_methods: a bit per method that the path
 * has. */
static const struct route *find_route(struct request *request, unsigned *ret_methods)
{
	const struct route *found = NULL;

	*ret_methods = 0;
	for (const struct route *route = route_table; route->pattern; route++) {
		if (found || !route_match(route->pattern, request))
			continue;
		*ret_methods |= 1u << route->method;
		if (route->method == HTTP_GET)
			*ret_methods |= 1u << HTTP_HEAD;
		if (serves(route, request->method))
			found = route;
	}
	return found;
}

/* Only who shows something that may be a key is given room for much. */
unsigned router_body_limit(struct request *request)
{
	unsigned methods, usual = request->routes->config.body_limit;
	const struct route *route = find_route(request, &methods);

	if (!route || route->body_limit <= usual ||
	    (!request->wanted[WANT_AUTHORIZATION] && !request->wanted[WANT_API_KEY]))
		return usual;
	return route->body_limit;
}

/* ---- what needs no handler ---- */

static void write_allow(unsigned methods, char *ret, size_t size)
{
	char *at = ret;

	methods |= 1u << HTTP_OPTIONS;
	for (unsigned i = 0; i < HTTP_OTHER; i++)
		if (methods & 1u << i)
			at += snprintf(at, size - (size_t)(at - ret), "%s%s", at > ret ? ", " : "",
				       http_method_word((enum http_method)i));
}

static void answer_options(struct request *request, unsigned methods)
{
	struct answer answer = {.code = 204};
	char allow[80];

	write_allow(methods, allow, sizeof allow);
	answer_add(&answer, "Allow", "%s", allow);
	if (request_origin_is_allowed(request) && request->wanted[WANT_PREFLIGHT_METHOD]) {
		answer_add(&answer, "Access-Control-Allow-Methods", "%s", allow);
		answer_add(
			&answer, "Access-Control-Allow-Headers",
			"Authorization, Content-Type, Idempotency-Key, If-None-Match, X-API-Key, "
			"X-Request-Id");
		answer_add(&answer, "Access-Control-Max-Age", "600");
	}
	request_answer(request, &answer);
}

static void answer_not_allowed(struct request *request, unsigned methods)
{
	struct answer answer;
	struct err err = {0};
	char allow[80];

	write_allow(methods, allow, sizeof allow);
	err_set(&err, ST_INVALID, "http.method_not_allowed", "", "this address allows %s", allow);
	error_answer_make_as(request, 405, &err, &answer);
	answer_add(&answer, "Allow", "%s", allow);
	request_answer(request, &answer);
}

static void answer_not_found(struct request *request)
{
	struct err err = {0};

	err_set(&err, ST_NOT_FOUND, "http.not_found", "", "there is nothing at this address");
	answer_error(request, &err);
}

static bool finds_room(const struct routes *routes, enum overload_level work)
{
	return work == OVERLOAD_POLLS && shed_level(routes->config.shed) == OVERLOAD_POLLS &&
	       routes->db && db_fill_percent(routes->db) < SHED_POLL_ROOM_PERCENT;
}

/* Before anybody is looked up: a refusal must cost next to nothing. */
static bool is_turned_away(struct request *request, const struct route *route)
{
	struct err err = {0};

	if (finds_room(request->routes, route->shed))
		return false;
	if (!shed_refuses(request->routes->config.shed, route->shed))
		return false;
	(void)shed_error(route->shed, &err);
	answer_error(request, &err);
	return true;
}

void router_dispatch(struct request *request)
{
	unsigned methods;
	const struct route *route = find_route(request, &methods);

	if (methods == 0 && pages_has(request->routes->pages, request->path)) {
		methods = 1u << HTTP_GET | 1u << HTTP_HEAD;
		if (methods & 1u << request->method) {
			pages_answer(request);
			return;
		}
	}
	if (route) {
		request->route = route;
		if (!is_turned_away(request, route))
			auth_then_handle(request);
	} else if (methods == 0) {
		answer_not_found(request);
	} else if (request->method == HTTP_OPTIONS) {
		answer_options(request, methods);
	} else {
		answer_not_allowed(request, methods);
	}
}
