#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

static const struct {
	const char *name;
	int http;
} table[ST_COUNT] = {
	[ST_OK] = {"ok", 200},
	[ST_INVALID] = {"invalid", 400},
	[ST_DENIED] = {"denied", 401},
	[ST_FORBIDDEN] = {"forbidden", 403},
	[ST_NOT_FOUND] = {"not_found", 404},
	[ST_CONFLICT] = {"conflict", 409},
	[ST_TOO_LARGE] = {"too_large", 413},
	[ST_RATE] = {"rate", 429},
	[ST_INTERNAL] = {"internal", 500},
	[ST_UNSUPPORTED] = {"unsupported", 501},
	[ST_BUSY] = {"busy", 503},
	[ST_UNAVAILABLE] = {"unavailable", 503},
	[ST_TIMEOUT] = {"timeout", 504},
};

enum status err_set(struct err *err, enum status status, const char *code, const char *target,
		    const char *format, ...)
{
	va_list args;

	if (!err)
		return status;
	/* The text is made aside, so that it may quote the very err it replaces. */
	struct err made = {.status = status};
	char text[2 * sizeof(made.message)];
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	str_copy_cut(made.message, sizeof(made.message), text);
	str_copy_cut(made.code, sizeof(made.code), code);
	str_copy_cut(made.target, sizeof(made.target), target);
	*err = made;
	return status;
}

int status_http(enum status status)
{
	return (unsigned)status < ST_COUNT ? table[status].http : 500;
}

const char *status_name(enum status status)
{
	return (unsigned)status < ST_COUNT ? table[status].name : "unknown";
}
