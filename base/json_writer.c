#include "base/json_writer.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#define MAX_DEPTH      32
#define FIRST_CAPACITY 512

/* ---- the buffer ---- */

static char *end_of(const struct json_writer *w)
{
	return w->text + w->reserve + w->length;
}

static void grow(struct json_writer *w, size_t total)
{
	size_t capacity = w->capacity ? w->capacity : FIRST_CAPACITY;

	while (capacity < total)
		capacity *= 2;
	w->text = xrealloc(w->text, capacity);
	w->capacity = capacity;
}

/* Room for so many bytes more; answers where they go. */
static inline char *need(struct json_writer *w, size_t more)
{
	size_t total = w->reserve + w->length + more;

	if (total > w->capacity || !w->text)
		grow(w, total);
	return end_of(w);
}

static void advance_to(struct json_writer *w, const char *end)
{
	w->length = (size_t)(end - (w->text + w->reserve));
}

static void put_char(struct json_writer *w, char c)
{
	*need(w, 1) = c;
	w->length++;
}

static void put(struct json_writer *w, const char *bytes, size_t length)
{
	memcpy(need(w, length), bytes, length);
	w->length += length;
}

void jw_init_reserve(struct json_writer *w, size_t reserve)
{
	*w = (struct json_writer){.reserve = reserve};
}

void jw_done(struct json_writer *w)
{
	free(w->text);
	jw_init_reserve(w, w->reserve);
}

void jw_reset(struct json_writer *w)
{
	w->length = 0;
	w->depth = 0;
	w->has_item = 0;
	w->is_object = 0;
	w->after_key = false;
}

char *jw_take(struct json_writer *w, size_t *length)
{
	need(w, 0);
	char *text = w->text;
	*length = w->length;
	jw_init_reserve(w, w->reserve);
	return text;
}

const char *jw_start(const struct json_writer *w)
{
	return w->text ? w->text + w->reserve : "";
}

/* ---- structure ---- */

static uint32_t depth_bit(const struct json_writer *w)
{
	return UINT32_C(1) << (w->depth - 1);
}

static void put_comma(struct json_writer *w)
{
	if (w->has_item & depth_bit(w))
		put_char(w, ',');
	w->has_item |= depth_bit(w);
}

/* Every value begins here. */
static void begin_value(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0) {
		assert(w->length == 0 && "one value at the top");
		return;
	}
	assert(!(w->is_object & depth_bit(w)) && "a key is due");
	put_comma(w);
}

static void begin_container(struct json_writer *w, char bracket, bool is_object)
{
	begin_value(w);
	assert(w->depth < MAX_DEPTH);
	w->depth++;
	w->has_item &= ~depth_bit(w);
	if (is_object)
		w->is_object |= depth_bit(w);
	else
		w->is_object &= ~depth_bit(w);
	put_char(w, bracket);
}

static void end_container(struct json_writer *w, char bracket, bool is_object)
{
	assert(w->depth > 0 && !w->after_key);
	assert(!!(w->is_object & depth_bit(w)) == is_object);
	w->depth--;
	put_char(w, bracket);
}

void jw_object(struct json_writer *w)
{
	begin_container(w, '{', true);
}

void jw_object_end(struct json_writer *w)
{
	end_container(w, '}', true);
}

void jw_array(struct json_writer *w)
{
	begin_container(w, '[', false);
}

void jw_array_end(struct json_writer *w)
{
	end_container(w, ']', false);
}

/* ---- text ---- */

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Marks, in the top bit of its byte, the lowest byte of eight that is a control character, a
 * quote, a backslash or not ASCII. (Bytes above the lowest may be marked wrongly by a borrow.) */
static uint64_t special_bytes(uint64_t eight)
{
	uint64_t quote = eight ^ EVERY_BYTE('"'), backslash = eight ^ EVERY_BYTE('\\');
	uint64_t is_control = (eight - EVERY_BYTE(0x20)) & ~eight;
	uint64_t is_quote = (quote - EVERY_BYTE(1)) & ~quote;
	uint64_t is_backslash = (backslash - EVERY_BYTE(1)) & ~backslash;

	return (is_control | is_quote | is_backslash | eight) & EVERY_BYTE(0x80);
}

static const bool is_special[256] = {
	[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0x80 ... 0xff] = true};

/* Copies up to the first special byte; answers how many. *to has room for all of it. */
static size_t copy_plain(char *to, const char *text, size_t length)
{
	size_t done = 0;

	while (length - done >= 8) {
		uint64_t eight;
		memcpy(&eight, text + done, 8);
		memcpy(to + done, &eight, 8);
		uint64_t special = special_bytes(le64toh(eight));
		if (special)
			return done + (size_t)__builtin_ctzll(special) / 8;
		done += 8;
	}
	for (; done < length && !is_special[(unsigned char)text[done]]; done++)
		to[done] = text[done];
	return done;
}

static char *put_escape(char *to, unsigned char c)
{
	static const char short_form[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	static const char hex[] = "0123456789abcdef";

	*to++ = '\\';
	if (c == '"' || c == '\\') {
		*to++ = (char)c;
	} else if (short_form[c]) {
		*to++ = short_form[c];
	} else {
		memcpy(to, "u00", 3);
		to[3] = hex[c >> 4];
		to[4] = hex[c & 15];
		to += 5;
	}
	return to;
}

/* Writes the special character that text begins with; answers how many bytes of text it was. */
static size_t put_special(char **to, const char *text, size_t length)
{
	if ((unsigned char)*text < 0x80) {
		*to = put_escape(*to, (unsigned char)*text);
		return 1;
	}
	size_t step = str_utf8_char(text, length);
	if (step == 0) {
		memcpy(*to, "\xef\xbf\xbd", 3); /* U+FFFD */
		*to += 3;
		return 1;
	}
	memcpy(*to, text, step);
	*to += step;
	return step;
}

static void put_string(struct json_writer *w, const char *text, size_t length)
{
	enum { LONGEST_ESCAPE = 6, QUOTE = 1 };
	char *to = need(w, QUOTE + length + LONGEST_ESCAPE + QUOTE);

	*to++ = '"';
	while (length > 0) {
		size_t plain = copy_plain(to, text, length);
		to += plain;
		text += plain;
		length -= plain;
		if (length == 0)
			break;
		size_t step = put_special(&to, text, length);
		text += step;
		length -= step;
		/* An escape is longer than what it stands for: the rest must fit again. */
		advance_to(w, to);
		to = need(w, length + LONGEST_ESCAPE + QUOTE);
	}
	*to++ = '"';
	advance_to(w, to);
}

void jw_key(struct json_writer *w, const char *key)
{
	assert(w->depth > 0 && (w->is_object & depth_bit(w)) && !w->after_key);
	put_comma(w);
	put_string(w, key, strlen(key));
	put_char(w, ':');
	w->after_key = true;
}

void jw_text(struct json_writer *w, const char *text)
{
	if (text)
		jw_text_n(w, text, strlen(text));
	else
		jw_null(w);
}

void jw_text_n(struct json_writer *w, const char *text, size_t length)
{
	begin_value(w);
	put_string(w, text, length);
}

/* ---- other values ---- */

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
				 "25262728293031323334353637383940414243444546474849"
				 "50515253545556575859606162636465666768697071727374"
				 "75767778798081828384858687888990919293949596979899";

void jw_int(struct json_writer *w, int64_t value)
{
	char digits[20]; /* "-9223372036854775808" */
	char *from = digits + sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	for (; rest >= 100; rest /= 100) {
		from -= 2;
		memcpy(from, two_digits + 2 * (rest % 100), 2);
	}
	if (rest >= 10) {
		from -= 2;
		memcpy(from, two_digits + 2 * rest, 2);
	} else {
		*--from = (char)('0' + rest);
	}
	if (value < 0)
		*--from = '-';
	jw_raw(w, from, (size_t)(digits + sizeof(digits) - from));
}

void jw_bool(struct json_writer *w, bool value)
{
	if (value)
		jw_raw(w, "true", 4);
	else
		jw_raw(w, "false", 5);
}

void jw_null(struct json_writer *w)
{
	jw_raw(w, "null", 4);
}

void jw_uuid(struct json_writer *w, const struct uuid *uuid)
{
	char quoted[1 + UUID_TEXT_SIZE] = "\"";

	if (uuid_is_nil(uuid)) {
		jw_null(w);
		return;
	}
	uuid_format(uuid, quoted + 1);
	quoted[UUID_TEXT_SIZE] = '"'; /* over the NUL */
	jw_raw(w, quoted, sizeof(quoted));
}

static void write_time(struct json_writer *w, int64_t unix_ms, bool with_ms)
{
	char quoted[1 + CLOCK_TEXT_SIZE] = "\"";

	if (unix_ms == 0) {
		jw_null(w);
		return;
	}
	size_t length = clock_format(quoted + 1, unix_ms, with_ms);
	quoted[1 + length] = '"'; /* over the NUL */
	jw_raw(w, quoted, length + 2);
}

void jw_time(struct json_writer *w, int64_t unix_ms)
{
	write_time(w, unix_ms, false);
}

void jw_time_ms(struct json_writer *w, int64_t unix_ms)
{
	write_time(w, unix_ms, true);
}

void jw_raw(struct json_writer *w, const char *json, size_t length)
{
	begin_value(w);
	put(w, json, length);
}
