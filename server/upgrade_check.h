#pragma once
/* Reads the first bytes of a connection and says which door they belong to. Pure: bytes in, verdict
 * out.
 *
 * It is strict on purpose: libwebsockets gets only heads that cannot be understood in two ways. A
 * second Upgrade line, a bare LF or a folded line, read by the looser parser behind us, would reach
 * its HTTP/2 code, which has known holes; whatever is odd goes to the HTTP door, which answers it
 * in words. */
#include <stddef.h>

#define HEAD_MAX                                                                                   \
	8192 /* bytes of a head that are looked at; a longer one is the HTTP door's business */

enum head_verdict {
	HEAD_MORE,    /* cannot be told yet: wait for more bytes */
	HEAD_HTTP,    /* not for our path */
	HEAD_REFUSED, /* for our path, but no upgrade we would take: the HTTP door says so */
	HEAD_UPGRADE, /* a complete, strictly valid WebSocket upgrade */
};

struct upgrade_rules {
	const char *path;	 /* "/ws" */
	const char *subprotocol; /* must be in the client's list: "calltab.v1" */
};

/* Looks at everything that has arrived so far (more than HEAD_MAX is not needed). Bytes behind the
 * head are refused: "the client MUST wait for a response before sending any further data" (RFC
 * 6455 4.1), and the library would write its answer over them. *why (optional) gets a constant text
 * saying which rule decided a HEAD_REFUSED. */
enum head_verdict upgrade_check(const char *head, size_t length, const struct upgrade_rules *rules,
				const char **why);
