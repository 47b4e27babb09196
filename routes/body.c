#include <string.h>
#include <strings.h>

#include "routes/handlers.h"

static bool is_json(const char *type)
{
	size_t length = strcspn(type, "; \t");

	return (length == 16 && strncasecmp(type, "application/json", 16) == 0) ||
	       (length > 5 && strncasecmp(type + length - 5, "+json", 5) == 0);
}

json_t *request_json(struct request *request)
{
	const char *type = request->wanted[WANT_CONTENT_TYPE];
	struct err err = {0};
	json_t *json = NULL;

	if (request->body_length == 0)
		return json_object();
	if (!type || !is_json(type)) {
		struct answer answer;
		err_set(&err, ST_INVALID, "http.unsupported_type", "Content-Type",
			"the body must be JSON: send Content-Type: application/json");
		error_answer_make_as(request, 415, &err, &answer);
		request_answer(request, &answer);
		return NULL;
	}
	if (json_parse(request->body, request->body_length, &json_limits_body, &json, &err) !=
	    ST_OK) {
		answer_error(request, &err);
		return NULL;
	}
	return json;
}
