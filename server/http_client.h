#pragma once
/* One request over HTTP, for commands of the program (libcurl behind it). */
#include "base/status.h"

struct http_reply {
	long code;
	char *body; /* NUL-ended; the caller frees it */
};

/* url: of the gateway, without path. key may be NULL. json may be NULL: then GET, else POST.
 * ST_UNAVAILABLE when nobody answers. */
enum status http_ask(const char *url, const char *path, const char *key, const char *json,
		     struct http_reply *ret, struct err *err) MUST_USE;

struct http_request {
	const char *method;	     /* NULL: GET, or POST when there is a body */
	const char *url, *path;	     /* url without path */
	const char *key;	     /* sent as Bearer; or NULL */
	const char *user, *password; /* sent as Basic; or NULL */
	const char *json;	     /* body; or NULL */
	long timeout_s;
};

/* To anybody. ST_UNAVAILABLE when nobody answers; err's message is the reason alone. */
enum status http_send(const struct http_request *request, struct http_reply *ret,
		      struct err *err) MUST_USE;
