#pragma once
/* The rest of `calltab call --from`: watches the call until it is idle. */
#include "server/cli.h"

struct http_reply;

struct watched_call {
	const char *url, *key;	    /* of the gateway */
	const char *dialer_call_id; /* NULL before it was presented */
	bool is_watched;
	long long tab;
	unsigned rows_before; /* of earlier attempts of the same dialer call */
};

/* Before the call is made: may the key read events, and how many are there already? An exit code.
 */
int follow_prepare(struct cli *cli, struct watched_call *call);
/* Prints each state; on a terminal a line that counts the seconds. Ctrl-C ends the watching and
 * leaves the call alone. An exit code. */
int follow_watch(struct cli *cli, const struct watched_call *call);
/* The gateway's refusal, in its words. */
enum status gateway_problem(const struct http_reply *reply, struct err *err);
