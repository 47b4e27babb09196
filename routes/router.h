#pragma once
/* Finds the handler of a request in one table of method, path pattern, right and handler, and
 * answers what needs none: 404, 405 with Allow, OPTIONS and CORS preflights, 401 and 403. Paths
 * outside the table are pages. */
#include "base/shed.h"
#include "routes/request.h"

struct route {
	enum http_method method; /* HTTP_GET serves HEAD too */
	const char *pattern;	 /* "{name}" stands for one or more characters but / ( and ) */
	enum right right;
	void (*handle)(struct request *request); /* must not block; on any thread */
	enum overload_level shed;		 /* its class: when it is turned away */
	unsigned body_limit;			 /* 0 = the usual one */
};
extern const struct route route_table[]; /* ended by a pattern of NULL */

/* Sees to it that the request is answered, now or later. */
void router_dispatch(struct request *request);
/* How many bytes of a body are taken, by the route it is for. */
unsigned router_body_limit(struct request *request);
/* Fills request->args with what the names stand for. */
bool route_match(const char *pattern, struct request *request);
