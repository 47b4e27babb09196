#pragma once
/* The glue to libmicrohttpd 0.9.75, which is seen in http.c only. It neither listens nor limits
 * connections (the front door does both; its own limit deadlocks a thread). Requests become struct
 * request, are suspended while nobody has answered them, and every one of its known faults is met
 * here: see http.c and docs/http-api.md, "On the wire". */
#include <netinet/in.h>
#include <stdbool.h>
#include "base/status.h"

struct http;
struct routes;

struct http *http_create(struct routes *routes, struct err *err);
/* Answers what waits with 503, lets answers go out for two seconds at most, closes everything. NULL
 * is fine. */
void http_destroy(struct http *http);
/* From any thread. Takes the descriptor; false: it was closed. */
bool http_adopt(struct http *http, int fd, const struct sockaddr *address, socklen_t length);
/* Refuses what comes from now on, finishes what is under way. */
void http_drain(struct http *http);
bool http_is_quiet(struct http *http);
unsigned http_connections(const struct http *http);
