#pragma once
/* Reads JSON from outside, strictly and within limits (jansson behind it). Doors only: ws, routes,
 * telephony/ari. */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

/* Once, before any thread parses: jansson's hash seed is taken now and not by the first who parses.
 */
void json_start(void);

struct json_limits {
	size_t bytes;	/* of the text */
	unsigned depth; /* of nesting; an object inside the top object is 2 */
	unsigned keys;	/* in all objects together */
};
extern const struct json_limits json_limits_command; /* a tab's message: 16 kB, 16, 256 */
extern const struct json_limits json_limits_body;    /* an HTTP body: 64 kB, 16, 1024 */
extern const struct json_limits json_limits_switch;  /* a switch's event: 4 MB, 64, 65536 */

static inline void cleanup_json(json_t **json)
{
	json_decref(*json);
}
#define auto_json __attribute__((cleanup(cleanup_json)))

/* Refuses: over a limit (json.too_large, json.too_deep), malformed (json.malformed, message with
 * line and column), duplicate keys, \u0000, a top level that is no object (json.not_object). */
enum status json_parse(const char *text, size_t length, const struct json_limits *limits,
		       json_t **ret, struct err *err) MUST_USE;

/* Getters. Absent or null: *found (optional) false, *ret untouched. Wrong type or out of range:
 * ST_INVALID "json.wrong_type" / "json.out_of_range" with target = key. Text is copied; too long is
 * json.too_long. */
enum status json_get_text(const json_t *object, const char *key, char *ret, size_t size,
			  bool *found, struct err *err) MUST_USE;
enum status json_get_int(const json_t *object, const char *key, long long min, long long max,
			 long long *ret, bool *found, struct err *err) MUST_USE;
enum status json_get_bool(const json_t *object, const char *key, bool *ret, bool *found,
			  struct err *err) MUST_USE;
/* As json_get_text, and ST_INVALID "json.missing" when absent or empty. */
enum status json_need_text(const json_t *object, const char *key, char *ret, size_t size,
			   struct err *err) MUST_USE;
