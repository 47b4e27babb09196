#pragma once
/* A listening socket from its text: "127.0.0.1:8080", "[::1]:8080", "localhost:0",
 * "unix:/run/calltab.sock". */
#include "base/status.h"

#define LISTEN_PATH_SIZE 108 /* what a unix address holds */

struct listener {
	int fd;			     /* -1 = closed */
	unsigned port;		     /* the real one; 0 for a unix socket */
	char path[LISTEN_PATH_SIZE]; /* of a unix socket, removed on close; "" otherwise */
};

/* Non-blocking, close-on-exec. ST_CONFLICT "listen.in_use", ST_INVALID "listen.invalid",
 * ST_FORBIDDEN "listen.denied"; then *ret is untouched. The file of a unix socket that nobody
 * listens on any more is replaced. */
enum status listener_open(struct listener *ret, const char *address, struct err *err) MUST_USE;
/* A closed one is fine. */
void listener_close(struct listener *listener);
