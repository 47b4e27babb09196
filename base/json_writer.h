#pragma once
/* Writes JSON (RFC 8259) straight into a growing buffer: commas and quoting are the writer's
 *business. Many times cheaper than building a tree first.
 *
 *	struct json_writer w = {0};
 *	jw_object(&w); jw_key(&w, "tab"); jw_int(&w, 1); jw_object_end(&w);
 *	send(w.text, w.length); jw_done(&w);
 *
 * Text that is not UTF-8 has its bad bytes replaced by U+FFFD, so the result is always valid JSON.
 * Nesting is limited to 32; misuse (a value where a key is due, a second value at the top) is
 * asserted. A NUL in jw_text_n() becomes \u0000, which is JSON but which strict readers refuse. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/uuid.h"

struct json_writer {
	char *text;		 /* not NUL-ended */
	size_t length, capacity; /* capacity counts the reserve, length does not */
	size_t reserve;		 /* bytes left free before text[0]'s JSON; see jw_init_reserve */
	unsigned depth;
	uint32_t has_item;  /* bit per depth: a comma is due before the next item */
	uint32_t is_object; /* bit per depth: a key is due before the next value */
	bool after_key;
};

/* Keeps `reserve` bytes free in front (libwebsockets writes its frame header there): the JSON
 * starts at text + reserve and length counts from there. A zeroed struct has no reserve. */
void jw_init_reserve(struct json_writer *w, size_t reserve);
void jw_done(struct json_writer *w);
/* Forget the text, keep the memory and the reserve. */
void jw_reset(struct json_writer *w);
/* Gives the buffer (with its reserve) to the caller, who frees it; the writer is as new. */
char *jw_take(struct json_writer *w, size_t *length);
/* First byte of the JSON. */
const char *jw_start(const struct json_writer *w);

void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
void jw_text(struct json_writer *w, const char *text); /* NULL gives null */
void jw_text_n(struct json_writer *w, const char *text, size_t length);
void jw_int(struct json_writer *w, int64_t value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
void jw_uuid(struct json_writer *w, const struct uuid *uuid); /* nil gives null */
/* "YYYY-MM-DDTHH:MM:SSZ" (the contract's format); 0 gives null. */
void jw_time(struct json_writer *w, int64_t unix_ms);
/* "YYYY-MM-DDTHH:MM:SS.mmmZ"; 0 gives null. */
void jw_time_ms(struct json_writer *w, int64_t unix_ms);
/* Text that is JSON already. */
void jw_raw(struct json_writer *w, const char *json, size_t length);

/* key and value in one line */
#define jw_kv_text(w, k, v)    (jw_key(w, k), jw_text(w, v))
#define jw_kv_int(w, k, v)     (jw_key(w, k), jw_int(w, v))
#define jw_kv_bool(w, k, v)    (jw_key(w, k), jw_bool(w, v))
#define jw_kv_uuid(w, k, v)    (jw_key(w, k), jw_uuid(w, v))
#define jw_kv_time(w, k, v)    (jw_key(w, k), jw_time(w, v))
#define jw_kv_time_ms(w, k, v) (jw_key(w, k), jw_time_ms(w, v))
#define jw_kv_null(w, k)       (jw_key(w, k), jw_null(w))
