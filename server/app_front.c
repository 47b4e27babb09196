/* The front door and the two it gives sockets to. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "server/app_priv.h"

struct socket_item {
	struct inbox_item item;
	int fd;
};

static void give_ws(void *user, int fd)
{
	struct app *app = user;
	struct socket_item *socket = xmalloc(sizeof(*socket));

	socket->fd = fd;
	atomic_fetch_add(&app->sockets_waiting, 1);
	if (inbox_put(&app->sockets, &socket->item))
		return;
	atomic_fetch_sub(&app->sockets_waiting, 1);
	close(fd);
	free(socket);
}

static void give_http(void *user, int fd, const struct sockaddr *address, socklen_t length)
{
	struct app *app = user;

	routes_adopt(app->routes, fd, address, length);
}

static unsigned connections(void *user)
{
	struct app *app = user;

	return atomic_load(&app->socket_count) + atomic_load(&app->sockets_waiting) +
	       routes_connections(app->routes);
}

void app_adopt_sockets(struct app *app)
{
	struct inbox_item *item = inbox_take_all(&app->sockets);

	while (item) {
		struct socket_item *socket = (struct socket_item *)item;

		item = item->next;
		ws_adopt(app->ws, socket->fd);
		atomic_fetch_sub(&app->sockets_waiting, 1);
		free(socket);
	}
	atomic_store(&app->socket_count, ws_connections(app->ws));
}

/* Above this level not even a tab that comes back is let in. It is told so by the HTTP door, which
 * has time for it: sockets wait for the call plane, and that has none. */
static bool admits_tabs(void *user)
{
	return shed_level(&((struct app *)user)->shed) < OVERLOAD_RESUMES;
}

/* No origins configured: the pages served here, under the names this machine may be reached by. The
 * port is known only now; both doors read the list at each request. */
static void set_own_origins(struct app *app)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
	const char *listen = config_text(app->config, OPT_listen);
	const char *colon = strrchr(listen, ':');
	unsigned port = front_port(app->front), count = 0;

	if (*config_text(app->config, OPT_origins))
		return;
	for (; count < sizeof(hosts) / sizeof(hosts[0]); count++)
		str_format(app->origin_texts[count], sizeof(app->origin_texts[count]),
			   "http://%s:%u", hosts[count], port);
	if (colon)
		str_format(app->origin_texts[count++], sizeof(app->origin_texts[0]),
			   "http://%.*s:%u", (int)(colon - listen), listen, port);
	for (unsigned i = 0; i < count; i++)
		app->origins[i] = app->origin_texts[i];
}

enum status app_open_front(struct app *app, struct err *err)
{
	struct front_config config = {
		.listen = config_text(app->config, OPT_listen),
		.max_connections = (unsigned)config_number(app->config, OPT_max_connections),
		.audio_path = AUDIO_PATH,
		.audio_subprotocol = AUDIO_PROTOCOL,
		.hooks = {.give_ws = give_ws,
			  .give_http = give_http,
			  .connections = connections,
			  .admits_tabs = admits_tabs,
			  .user = app},
	};

	app->front = front_start(&config, err);
	if (!app->front)
		return err->status;
	set_own_origins(app);
	return ST_OK;
}
