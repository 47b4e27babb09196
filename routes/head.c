#include "routes/head.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"

#define LONGEST_LENGTH 18 /* digits of a Content-Length: fits int64_t */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%XX" at text stands for; -1 when it is none. */
static int escaped_byte(const char *text, const char *end)
{
	if (end - text < 3)
		return -1;
	int high = hex_digit(text[1]), low = hex_digit(text[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool decode(char *dst, const char *src, size_t length, bool is_path)
{
	const char *start = dst, *end = src + length;

	while (src < end) {
		int byte = (unsigned char)*src;
		bool is_escaped = byte == '%';
		if (is_escaped && (byte = escaped_byte(src, end)) < 0)
			return false;
		if (byte < 0x20 || byte == 0x7f)
			return false;
		if (is_path && (byte == '\\' || (is_escaped && byte == '/')))
			return false;
		if (!is_path && byte == '+' && !is_escaped)
			byte = ' ';
		*dst++ = (char)byte;
		src += is_escaped ? 3 : 1;
	}
	*dst = '\0';
	return str_is_utf8(start, (size_t)(dst - start));
}

bool path_decode(char *dst, const char *src, size_t length)
{
	return decode(dst, src, length, true);
}

bool option_decode(char *dst, const char *src, size_t length)
{
	return decode(dst, src, length, false);
}

static bool is_token(const char *text)
{
	static const char also[] = "!#$%&'*+-.^_`|~";

	if (!*text)
		return false;
	for (; *text; text++) {
		bool is_alnum = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
				(*text >= 'A' && *text <= 'Z');
		if (!is_alnum && !strchr(also, *text))
			return false;
	}
	return true;
}

/* No control byte but the tab. */
static bool is_field_value(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static enum status check_target(const char *target, struct err *err)
{
	const char *end = target + strlen(target);

	if (*target != '/')
		return err_set(err, ST_INVALID, "http.bad_target", "",
			       "the request's target must begin with a slash");
	for (const char *at = target; at < end; at++) {
		unsigned char c = (unsigned char)*at;
		if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
			return err_set(
				err, ST_INVALID, "http.bad_target", "",
				"the request's target has a byte that must be percent-encoded");
		if (c == '%' && escaped_byte(at, end) < 0x20)
			return err_set(err, ST_INVALID, "http.bad_target", "",
				       "the request's target has a bad percent-encoding");
	}
	size_t path_length = strcspn(target, "?");
	auto_free char *path = xmalloc(path_length + 1);
	if (!path_decode(path, target, path_length))
		return err_set(err, ST_INVALID, "http.bad_target", "",
			       "the request's path cannot be decoded");
	return ST_OK;
}

static unsigned count_fields(const struct http_head *head, const char *name, const char **ret_first)
{
	unsigned count = 0;

	for (unsigned i = 0; i < head->field_count; i++)
		if (strcasecmp(head->fields[i].name, name) == 0 && count++ == 0 && ret_first)
			*ret_first = head->fields[i].value;
	return count;
}

static enum status check_fields(const struct http_head *head, struct err *err)
{
	/* Two of these would leave it to each reader which one counts. */
	static const char *const single[] = {"Host",   "Content-Length", "Transfer-Encoding",
					     "Origin", "Authorization",	 "X-API-Key",
					     "Expect", "Content-Type",	 "Content-Encoding"};

	for (unsigned i = 0; i < head->field_count; i++) {
		if (!is_token(head->fields[i].name))
			return err_set(err, ST_INVALID, "http.bad_header", "",
				       "the name of a header is not a token");
		if (!is_field_value(head->fields[i].value))
			return err_set(err, ST_INVALID, "http.bad_header", "",
				       "a header's value has a control character");
	}
	for (unsigned i = 0; i < sizeof single / sizeof *single; i++)
		if (count_fields(head, single[i], NULL) > 1)
			return err_set(err, ST_INVALID, "http.duplicate_header", single[i],
				       "there is more than one %s", single[i]);
	return ST_OK;
}

static enum status check_host(const struct http_head *head, struct err *err)
{
	const char *host = NULL;

	if (count_fields(head, "Host", &host) == 0)
		return strcmp(head->version, "HTTP/1.0") == 0
			       ? ST_OK
			       : err_set(err, ST_INVALID, "http.bad_host", "Host",
					 "HTTP/1.1 needs a Host header");
	if (!*host || host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789.-_:[]%~")])
		return err_set(err, ST_INVALID, "http.bad_host", "Host",
			       "the Host header is not a host and a port");
	return ST_OK;
}

static enum status check_framing(const struct http_head *head, struct head_framing *ret,
				 struct err *err)
{
	const char *length = NULL, *coding = NULL;
	bool has_length = count_fields(head, "Content-Length", &length) > 0;
	bool has_coding = count_fields(head, "Transfer-Encoding", &coding) > 0;

	if (has_length && has_coding)
		return err_set(err, ST_INVALID, "http.bad_framing", "Content-Length",
			       "Content-Length and Transfer-Encoding exclude each other");
	if (has_coding && strcasecmp(coding, "chunked") != 0)
		return err_set(err, ST_INVALID, "http.bad_framing", "Transfer-Encoding",
			       "the only Transfer-Encoding is chunked");
	if (has_coding && strcmp(head->version, "HTTP/1.1") != 0)
		return err_set(err, ST_INVALID, "http.bad_framing", "Transfer-Encoding",
			       "chunked needs HTTP/1.1");
	if (has_length) {
		size_t digits = strspn(length, "0123456789");
		if (digits == 0 || digits > LONGEST_LENGTH || length[digits])
			return err_set(err, ST_INVALID, "http.bad_framing", "Content-Length",
				       "Content-Length is not a number of bytes");
		ret->content_length = strtoll(length, NULL, 10);
	}
	ret->is_chunked = has_coding;
	return ST_OK;
}

enum status head_check(const struct http_head *head, struct head_framing *ret, struct err *err)
{
	*ret = (struct head_framing){.content_length = -1};
	if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
		return err_set(err, ST_INVALID, "http.bad_version", "",
			       "this server speaks HTTP/1.1");
	if (!is_token(head->method))
		return err_set(err, ST_INVALID, "http.bad_method", "",
			       "the request's method is not a token");
	enum status status = check_target(head->target, err);
	if (status == ST_OK)
		status = check_fields(head, err);
	if (status == ST_OK)
		status = check_host(head, err);
	if (status == ST_OK)
		status = check_framing(head, ret, err);
	return status;
}

bool head_has_coding(const struct http_head *head)
{
	const char *coding = NULL;

	return count_fields(head, "Content-Encoding", &coding) > 0 && *coding &&
	       strcasecmp(coding, "identity") != 0;
}

/* Where a line's end begins and the next thing must follow: two bytes that were CR and LF. */
static const char *skip_line_end(const char *at)
{
	return at[0] == '\0' && at[1] == '\0' ? at + 2 : NULL;
}

/* The byte after name, colon, blanks and value; NULL when they are no one line. */
static const char *skip_field(const char *at, const struct http_field *field)
{
	if (field->name != at)
		return NULL;
	at += strlen(at) + 1; /* the colon became NUL */
	while (at < field->value && (*at == ' ' || *at == '\t'))
		at++;
	return at == field->value ? at + strlen(at) : NULL;
}

bool head_is_contiguous(const struct http_head *head, size_t target_length, size_t size)
{
	const char *at = head->method, *end = head->method + size;

	at += strlen(at) + 1;
	if (at != head->target)
		return false;
	at += target_length + 1;
	if (at != head->version)
		return false;
	at = skip_line_end(at + strlen(at));
	for (unsigned i = 0; at && at < end && i < head->field_count; i++) {
		at = skip_field(at, &head->fields[i]);
		at = at ? skip_line_end(at) : NULL;
	}
	return at && at + 2 == end && skip_line_end(at);
}
