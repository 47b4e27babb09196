#include "tests/support/routes_loopback.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/router.h"

void loopback_header(struct loopback *lo, const char *name, const char *value)
{
	lo->fields[lo->field_count++] = (struct http_field){name, value};
}

void loopback_done(struct loopback *lo)
{
	if (lo->request)
		request_unref(lo->request);
	lo->request = NULL;
}

static void resume(struct request *request)
{
	(void)request;
}

const struct answer *loopback_answer(struct loopback *lo)
{
	const struct answer *answer = &lo->request->answer;

	if (atomic_load(&lo->request->stage) != STAGE_ANSWERED)
		return NULL;
	size_t length = answer->length < LOOPBACK_BODY ? answer->length : LOOPBACK_BODY - 1;
	if (length > 0)
		memcpy(lo->body, answer->body, length);
	lo->body[length] = '\0';
	return answer;
}

const struct answer *loopback_send(struct loopback *lo, const char *method, const char *target,
				   const char *body)
{
	loopback_done(lo);
	if (body)
		loopback_header(lo, "Content-Type", "application/json");
	struct http_head head = {.method = method,
				 .target = target,
				 .version = "HTTP/1.1",
				 .fields = lo->fields,
				 .field_count = lo->field_count};
	lo->request = request_create(lo->routes, &head, lo->peer ? lo->peer : "192.0.2.1");
	lo->field_count = 0;
	lo->request->resume = resume;
	lo->request->body = body ? xstrdup(body) : NULL;
	lo->request->body_length = body ? strlen(body) : 0;
	router_dispatch(lo->request);
	int running = STAGE_RUNNING;
	atomic_compare_exchange_strong(&lo->request->stage, &running, STAGE_WAITING);
	return loopback_answer(lo);
}
