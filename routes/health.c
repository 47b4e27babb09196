#include <stdio.h>
#include <stdlib.h>

#include "base/shed.h"
#include "routes/handlers.h"
#include "routes/private.h"

#define READY_SIZE 1024

/* The process answers, and says nothing else: a database or a switch that is away is no reason to
 * restart it. */
void health_get(struct request *request)
{
	static char body[] = "{\"status\":\"ok\"}";

	request_answer(request, &(struct answer){.code = 200,
						 .type = "application/json",
						 .body = body,
						 .length = sizeof body - 1,
						 .is_borrowed = true});
}

/* The hook writes members, `"database":"ok","switch":{…}`; this puts them into an object. */
void ready_get(struct request *request)
{
	const struct route_hooks *hooks = &request->routes->hooks;
	char members[READY_SIZE] = "";
	bool is_ready = !hooks->ready || hooks->ready(hooks->user, members, sizeof members);
	struct answer answer = {.code = is_ready ? 200 : 503, .type = "application/json"};
	int length = asprintf(&answer.body, "{\"ready\":%s%s%s}", is_ready ? "true" : "false",
			      *members ? "," : "", members);

	if (length < 0)
		abort();
	answer.length = (size_t)length;
	if (!is_ready)
		answer_add(&answer, "Retry-After", "%u", shed_retry_s());
	request_answer(request, &answer);
}
