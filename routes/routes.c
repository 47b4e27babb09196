#include "routes/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "routes/auth.h"
#include "routes/http.h"
#include "routes/private.h"
#include "routes/sound_cache.h"
#include "routes/static.h"

#define BODY_LIMIT	   (64u * 1024)
#define REQUEST_DEADLINE_S 10

/* ---- our copies of the configuration ---- */

static const char *const *copy_list(const char *const *list)
{
	unsigned count = 0;

	while (list && list[count])
		count++;
	if (count == 0)
		return NULL;
	char **copy = xcalloc(count + 1, sizeof *copy);
	for (unsigned i = 0; i < count; i++)
		copy[i] = xstrdup(list[i]);
	return (const char *const *)copy;
}

static void free_list(const char *const *list)
{
	for (unsigned i = 0; list && list[i]; i++)
		free((char *)list[i]);
	free((char **)list);
}

static void copy_config(struct routes_config *config, const struct routes_config *given)
{
	*config = *given;
	config->web_dir = NULL; /* read at start and never again */
	config->origins = copy_list(given->origins);
	config->trusted_proxies = copy_list(given->trusted_proxies);
	config->version = xstrdup(given->version ? given->version : "");
	if (!config->threads)
		config->threads = 1;
	if (!config->body_limit)
		config->body_limit = BODY_LIMIT;
	if (!config->request_deadline_s)
		config->request_deadline_s = REQUEST_DEADLINE_S;
}

/* An origin goes into a header: what could begin another directive or another header is refused. */
static enum status check_origins(const char *const *origins, struct err *err)
{
	for (; origins && *origins; origins++)
		if (!**origins || (*origins)[strcspn(*origins, " \t\r\n;,'\"*")])
			return err_set(
				err, ST_INVALID, "config.origin", "origins",
				"an origin is scheme://host or scheme://host:port, nothing else");
	return ST_OK;
}

/* The pages load nothing from elsewhere, and only the configured origins may show them in a frame.
 */
static char *make_policy(const char *const *origins)
{
	static const char fixed[] = "default-src 'self'; base-uri 'none'; object-src 'none'; "
				    "form-action 'self'; frame-ancestors 'self'";
	size_t size = sizeof fixed;

	for (unsigned i = 0; origins && origins[i]; i++)
		size += strlen(origins[i]) + 1;
	char *policy = xmalloc(size), *at = stpcpy(policy, fixed);
	for (unsigned i = 0; origins && origins[i]; i++)
		at = stpcpy(stpcpy(at, " "), origins[i]);
	return policy;
}

/* ---- life ---- */

struct routes *routes_create_bare(const struct routes_config *config, const struct clock *clock,
				  struct control *control, struct db *db,
				  const struct route_hooks *hooks, struct err *err)
{
	struct pages *pages = NULL;

	if (check_origins(config->origins, err) != ST_OK ||
	    pages_load(config->web_dir, &pages, err) != ST_OK)
		return NULL;
	struct routes *routes = xcalloc(1, sizeof *routes);
	copy_config(&routes->config, config);
	if (hooks)
		routes->hooks = *hooks;
	routes->control = control;
	routes->db = db;
	routes->clock = clock;
	routes->pages = pages;
	routes->auth = auth_create(clock);
	routes->sounds = sound_cache_create();
	routes->content_security_policy = make_policy(routes->config.origins);
	atomic_store(&routes->refs, 1);
	return routes;
}

struct routes *routes_create(const struct routes_config *config, struct control *control,
			     struct db *db, const struct route_hooks *hooks, struct err *err)
{
	struct routes *routes = routes_create_bare(config, &clock_system, control, db, hooks, err);

	if (!routes)
		return NULL;
	routes->http = http_create(routes, err);
	if (routes->http)
		return routes;
	routes_unref(routes);
	return NULL;
}

struct routes *routes_ref(struct routes *routes)
{
	atomic_fetch_add(&routes->refs, 1);
	return routes;
}

/* The last one may be a request that a worker or the call plane answered too late. */
void routes_unref(struct routes *routes)
{
	if (atomic_fetch_sub(&routes->refs, 1) != 1)
		return;
	auth_destroy(routes->auth);
	pages_free(routes->pages);
	sound_cache_destroy(routes->sounds);
	free_list(routes->config.origins);
	free_list(routes->config.trusted_proxies);
	free((char *)routes->config.version);
	free(routes->content_security_policy);
	free(routes);
}

void routes_destroy(struct routes *routes)
{
	if (!routes)
		return;
	http_destroy(routes->http);
	routes_unref(routes);
}

bool routes_adopt(struct routes *routes, int fd, const struct sockaddr *address, socklen_t length)
{
	return http_adopt(routes->http, fd, address, length);
}

void routes_drain(struct routes *routes)
{
	http_drain(routes->http);
}

bool routes_is_quiet(struct routes *routes)
{
	return http_is_quiet(routes->http);
}

unsigned routes_connections(const struct routes *routes)
{
	return http_connections(routes->http);
}
