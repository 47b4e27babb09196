#pragma once
/* A thread between a client and PostgreSQL that can lose an answer: the worst moment for a
 * connection to break is after COMMIT was carried out and before anybody was told. */
#include <stdbool.h>

#include "tests/support/pg_fixture.h"

struct pg_proxy;

/* conninfo: of the server, by unix socket. through: the same database through the proxy. */
struct pg_proxy *pg_proxy_start(const char *conninfo, const char *server_folder,
				char through[PG_CONNINFO_SIZE]);
void pg_proxy_stop(struct pg_proxy *proxy);
/* The next answer of the server that follows something the client sends from now on is thrown away
 * and the connection is closed, so many times. */
void pg_proxy_lose_answers(struct pg_proxy *proxy, int times);
/* How many are left to be lost. */
int pg_proxy_left(struct pg_proxy *proxy);
/* The same, but only for what the client sends with these bytes in it ("commit"). */
void pg_proxy_lose_answers_to(struct pg_proxy *proxy, const char *pattern, int times);
