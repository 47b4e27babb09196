#pragma once
/* Requests without a socket: `loopback_send()` makes one, has it dispatched and gives its answer.
 *
 *	struct loopback lo = {.routes = routes};
 *	loopback_header(&lo, "Authorization", "Bearer …");
 *	const struct answer *answer = loopback_send(&lo, "GET", "/odata/v4/agents", NULL);
 */
#include "routes/request.h"

#define LOOPBACK_FIELDS 16
#define LOOPBACK_BODY	4096

struct loopback {
	struct routes *routes;
	const char *peer;			   /* NULL = 192.0.2.1 */
	struct http_field fields[LOOPBACK_FIELDS]; /* of the next request only */
	unsigned field_count;
	struct request *request;  /* the last one */
	char body[LOOPBACK_BODY]; /* of the last answer, NUL-ended */
};

void loopback_header(struct loopback *lo, const char *name, const char *value);
/* NULL when nobody has answered yet: loopback_answer() asks again. body NULL = none; it is sent as
 * JSON. */
const struct answer *loopback_send(struct loopback *lo, const char *method, const char *target,
				   const char *body);
const struct answer *loopback_answer(struct loopback *lo);
void loopback_done(struct loopback *lo);
