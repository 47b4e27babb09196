#include "tests/support/pg_proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

#define PAIRS 16

struct pair {
	int client, server;
	bool has_asked; /* since an answer is to be lost */
};

struct pg_proxy {
	char folder[80], server[108];
	int listener, stop[2];
	atomic_int to_lose;
	const char *_Atomic pattern; /* only answers to what has it; NULL = to anything */
	pthread_t thread;
	struct pair pairs[PAIRS];
};

static struct sockaddr_un address_of(const char *folder)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	str_format(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", folder);
	return address;
}

static void close_pair(struct pair *pair)
{
	if (pair->client >= 0)
		close(pair->client);
	if (pair->server >= 0)
		close(pair->server);
	*pair = (struct pair){.client = -1, .server = -1};
}

static void accept_pair(struct pg_proxy *proxy)
{
	int client = accept(proxy->listener, NULL, NULL);
	struct sockaddr_un address = address_of(proxy->server);

	for (int i = 0; client >= 0 && i < PAIRS; i++) {
		struct pair *pair = &proxy->pairs[i];
		if (pair->client >= 0)
			continue;
		*pair = (struct pair){.client = client,
				      .server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
		if (connect(pair->server, (struct sockaddr *)&address, sizeof(address)) != 0)
			close_pair(pair);
		return;
	}
	close(client);
}

/* *ret_has_pattern is left alone where there is none. */
static bool pass(int from, int to, const char *pattern, bool *ret_has_pattern)
{
	char buffer[65536];
	ssize_t got = read(from, buffer, sizeof(buffer));

	if (got > 0 && (!pattern || memmem(buffer, (size_t)got, pattern, strlen(pattern))))
		*ret_has_pattern = true;

	for (ssize_t sent = 0, n; sent < got; sent += n) {
		n = send(to, buffer + sent, (size_t)(got - sent), MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return got > 0;
}

static void serve_pair(struct pg_proxy *proxy, struct pair *pair, bool from_client,
		       bool from_server)
{
	bool is_up = true;

	if (from_client) {
		bool is_asked = false;
		is_up = pass(pair->client, pair->server, atomic_load(&proxy->pattern), &is_asked);
		pair->has_asked = pair->has_asked || (is_asked && atomic_load(&proxy->to_lose) > 0);
	}
	if (is_up && from_server && pair->has_asked) {
		char gone[65536];
		is_up = read(pair->server, gone, sizeof(gone)) < 0;
		if (atomic_load(&proxy->to_lose) > 0)
			atomic_fetch_sub(&proxy->to_lose, 1);
	} else if (is_up && from_server) {
		bool is_any;
		is_up = pass(pair->server, pair->client, NULL, &is_any);
	}
	if (!is_up)
		close_pair(pair);
}

static void *serve(void *arg)
{
	struct pg_proxy *proxy = arg;
	struct pollfd fds[2 + 2 * PAIRS];

	for (;;) {
		fds[0] = (struct pollfd){.fd = proxy->stop[0], .events = POLLIN};
		fds[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
		for (int i = 0; i < PAIRS; i++) {
			fds[2 + 2 * i] =
				(struct pollfd){.fd = proxy->pairs[i].client, .events = POLLIN};
			fds[3 + 2 * i] =
				(struct pollfd){.fd = proxy->pairs[i].server, .events = POLLIN};
		}
		if (poll(fds, 2 + 2 * PAIRS, -1) < 0 || fds[0].revents)
			return NULL;
		for (int i = 0; i < PAIRS; i++)
			if (fds[2 + 2 * i].revents || fds[3 + 2 * i].revents)
				serve_pair(proxy, &proxy->pairs[i], fds[2 + 2 * i].revents,
					   fds[3 + 2 * i].revents);
		if (fds[1].revents)
			accept_pair(proxy);
	}
}

struct pg_proxy *pg_proxy_start(const char *conninfo, const char *server_folder,
				char through[PG_CONNINFO_SIZE])
{
	struct pg_proxy *proxy = xcalloc(1, sizeof(*proxy));
	struct sockaddr_un address;

	for (int i = 0; i < PAIRS; i++)
		proxy->pairs[i] = (struct pair){.client = -1, .server = -1};
	str_copy(proxy->server, sizeof(proxy->server), server_folder);
	str_format(proxy->folder, sizeof(proxy->folder), "%s/proxy", server_folder);
	mkdir(proxy->folder, 0700);
	address = address_of(proxy->folder);
	proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(proxy->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(proxy->listener, 16) != 0 || pipe(proxy->stop) != 0 ||
	    pthread_create(&proxy->thread, NULL, serve, proxy) != 0)
		abort();
	str_format(through, PG_CONNINFO_SIZE, "%s host=%s", conninfo, proxy->folder);
	return proxy;
}

void pg_proxy_stop(struct pg_proxy *proxy)
{
	struct sockaddr_un address = address_of(proxy->folder);

	if (write(proxy->stop[1], "x", 1) != 1)
		abort();
	pthread_join(proxy->thread, NULL);
	for (int i = 0; i < PAIRS; i++)
		close_pair(&proxy->pairs[i]);
	close(proxy->listener);
	close(proxy->stop[0]);
	close(proxy->stop[1]);
	unlink(address.sun_path);
	rmdir(proxy->folder);
	free(proxy);
}

void pg_proxy_lose_answers_to(struct pg_proxy *proxy, const char *pattern, int times)
{
	atomic_store(&proxy->pattern, pattern);
	atomic_store(&proxy->to_lose, times);
}

void pg_proxy_lose_answers(struct pg_proxy *proxy, int times)
{
	atomic_store(&proxy->pattern, NULL);
	atomic_store(&proxy->to_lose, times);
}

int pg_proxy_left(struct pg_proxy *proxy)
{
	return atomic_load(&proxy->to_lose);
}
