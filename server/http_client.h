#pragma once
/* One request to a running gateway, for commands of the program (libcurl behind it). */
#include "base/status.h"

struct http_reply {
	long code;
	char *body; /* NUL-ended; the caller frees it */
};

/* url: of the gateway, without path. key may be NULL. json may be NULL: then GET, else POST.
 * ST_UNAVAILABLE when nobody answers. */
enum status http_ask(const char *url, const char *path, const char *key, const char *json,
		     struct http_reply *ret, struct err *err) MUST_USE;
