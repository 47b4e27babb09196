#include "server/upgrade_check.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* What the library behind us can take: 127 bytes of a list, 63 of an item, about 90 fields. */
#define LIST_MAX   120
#define ITEM_MAX   63
#define FIELDS_MAX 64

struct piece {
	const char *at;
	size_t length;
};

static bool piece_is(struct piece piece, const char *word)
{
	return strlen(word) == piece.length && strncasecmp(piece.at, word, piece.length) == 0;
}

static bool piece_is_exactly(struct piece piece, const char *word)
{
	return strlen(word) == piece.length && memcmp(piece.at, word, piece.length) == 0;
}

static bool is_token_char(unsigned char c)
{
	return c > 0x20 && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool is_token(struct piece piece)
{
	for (size_t i = 0; i < piece.length; i++)
		if (!is_token_char((unsigned char)piece.at[i]))
			return false;
	return piece.length > 0;
}

static struct piece trim(struct piece piece)
{
	while (piece.length && (piece.at[0] == ' ' || piece.at[0] == '\t'))
		piece.at++, piece.length--;
	while (piece.length &&
	       (piece.at[piece.length - 1] == ' ' || piece.at[piece.length - 1] == '\t'))
		piece.length--;
	return piece;
}

/* ---- what a field may say; NULL = fine ---- */

/* A comma list of tokens that has the word in it. */
static const char *check_list(struct piece value, const char *word,
			      bool (*matches)(struct piece piece, const char *word),
			      const char *missing)
{
	bool has_word = false;

	if (value.length > LIST_MAX)
		return "a list is too long";
	while (true) {
		const char *comma = memchr(value.at, ',', value.length);
		size_t length = comma ? (size_t)(comma - value.at) : value.length;
		struct piece item = trim((struct piece){value.at, length});
		if (!is_token(item))
			return "a list has something else than tokens";
		if (item.length > ITEM_MAX)
			return "a list is too long";
		has_word |= matches(item, word);
		if (!comma)
			return has_word ? NULL : missing;
		value.at += length + 1;
		value.length -= length + 1;
	}
}

static const char *check_host(struct piece value, const struct upgrade_rules *rules)
{
	(void)rules;
	return value.length ? NULL : "Host is empty";
}

static const char *check_upgrade(struct piece value, const struct upgrade_rules *rules)
{
	(void)rules;
	return piece_is(value, "websocket") ? NULL : "Upgrade is not websocket";
}

static const char *check_connection(struct piece value, const struct upgrade_rules *rules)
{
	(void)rules;
	return check_list(value, "upgrade", piece_is, "Connection has no upgrade");
}

/* 16 bytes in base64 */
static const char *check_key(struct piece value, const struct upgrade_rules *rules)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)rules;
	if (value.length != 24 || memcmp(value.at + 22, "==", 2) != 0)
		return "Sec-WebSocket-Key is not a key";
	for (size_t i = 0; i < 22; i++)
		if (!memchr(base64, value.at[i], 64))
			return "Sec-WebSocket-Key is not a key";
	return NULL;
}

static const char *check_version(struct piece value, const struct upgrade_rules *rules)
{
	(void)rules;
	return piece_is(value, "13") ? NULL : "Sec-WebSocket-Version is not 13";
}

static const char *check_protocol(struct piece value, const struct upgrade_rules *rules)
{
	return check_list(value, rules->subprotocol, piece_is_exactly,
			  "Sec-WebSocket-Protocol has not ours");
}

static const char *anything(struct piece value, const struct upgrade_rules *rules)
{
	(void)value;
	(void)rules;
	return NULL;
}

static const char *nothing(struct piece value, const struct upgrade_rules *rules)
{
	(void)value;
	(void)rules;
	return "a field that an upgrade may not have";
}

/* Fields that may stand once at most. */
static const struct field {
	const char *name;
	const char *(*check)(struct piece value, const struct upgrade_rules *rules);
	const char *missing; /* NULL = need not be there */
} fields[] = {
	{"host", check_host, "Host is missing"},
	{"upgrade", check_upgrade, "Upgrade is missing"},
	{"connection", check_connection, "Connection is missing"},
	{"sec-websocket-key", check_key, "Sec-WebSocket-Key is missing"},
	{"sec-websocket-version", check_version, "Sec-WebSocket-Version is missing"},
	{"sec-websocket-protocol", check_protocol, "Sec-WebSocket-Protocol is missing"},
	{"origin", anything, NULL},
	{"content-length", nothing, NULL},
	{"transfer-encoding", nothing, NULL},
	{"http2-settings", nothing, NULL},
	{"expect", nothing, NULL},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* ---- the head ---- */

/* Which single bytes no head may have, found before the head is complete. */
static const char *check_bytes(const char *head, size_t length, bool is_complete)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)head[i];
		bool is_last = i + 1 == length;
		if (c >= 0x20 && c != 0x7f)
			continue;
		if (c == '\t')
			continue;
		if (c == '\r' && (is_last ? !is_complete : head[i + 1] == '\n'))
			continue;
		if (c == '\n' && i > 0 && head[i - 1] == '\r')
			continue;
		return c == '\n' ? "a bare LF" : c == '\r' ? "a bare CR" : "a control byte";
	}
	return NULL;
}

static const char *check_request_line(struct piece line, const struct upgrade_rules *rules)
{
	size_t path = strlen(rules->path);

	/* "GET <path>" is known to be there. */
	line.at += 4 + path;
	line.length -= 4 + path;
	return line.length == 9 && memcmp(line.at, " HTTP/1.1", 9) == 0
		       ? NULL
		       : "the request line is not HTTP/1.1";
}

static const char *check_field(struct piece line, const struct upgrade_rules *rules, unsigned *seen)
{
	const char *colon = memchr(line.at, ':', line.length);
	struct piece name = {line.at, colon ? (size_t)(colon - line.at) : 0};

	if (!is_token(name))
		return "a line is no field";
	struct piece value = trim((struct piece){colon + 1, line.length - name.length - 1});
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (!piece_is(name, fields[i].name))
			continue;
		if (*seen & 1u << i)
			return "a field stands twice";
		*seen |= 1u << i;
		return fields[i].check(value, rules);
	}
	return NULL;
}

/* Cuts off the next line. check_bytes() saw to it that every CR is followed by LF. */
static struct piece next_line(const char **at)
{
	struct piece line = {*at, 0};

	while (line.at[line.length] != '\r')
		line.length++;
	*at = line.at + line.length + 2;
	return line;
}

/* head .. end: everything up to and with the CRLF of the last field. */
static const char *check_head(const char *head, const char *end, const struct upgrade_rules *rules)
{
	unsigned seen = 0, count = 0;
	const char *why = check_request_line(next_line(&head), rules);

	while (!why && head < end)
		why = ++count > FIELDS_MAX ? "too many fields"
					   : check_field(next_line(&head), rules, &seen);
	for (size_t i = 0; !why && i < FIELD_COUNT; i++)
		if (!(seen & 1u << i))
			why = fields[i].missing;
	return why;
}

/* Is it, as far as it goes, "GET <path>" and an end of the path? */
static enum head_verdict check_start(const char *head, size_t length, const char *path)
{
	size_t path_length = strlen(path), wanted = 4 + path_length;

	if (memcmp(head, "GET ", length < 4 ? length : 4) != 0)
		return HEAD_HTTP;
	if (length <= 4)
		return HEAD_MORE;
	if (memcmp(head + 4, path, length < wanted ? length - 4 : path_length) != 0)
		return HEAD_HTTP;
	if (length <= wanted)
		return HEAD_MORE;
	return head[wanted] == ' ' || head[wanted] == '?' ? HEAD_UPGRADE : HEAD_HTTP;
}

enum head_verdict upgrade_check(const char *head, size_t length, const struct upgrade_rules *rules,
				const char **why)
{
	enum head_verdict start = check_start(head, length, rules->path);
	const char *reason;

	if (start != HEAD_UPGRADE)
		return start;
	const char *blank = memmem(head, length, "\r\n\r\n", 4);
	size_t seen = blank ? (size_t)(blank - head) + 4 : length;
	reason = head[4 + strlen(rules->path)] == '?' ? "the path has a query"
						      : check_bytes(head, seen, blank != NULL);
	if (blank) {
		if (!reason)
			reason = check_head(head, blank + 2, rules);
		if (!reason && length > seen)
			reason = "bytes behind the head";
	} else if (!reason) {
		if (length < HEAD_MAX)
			return HEAD_MORE;
		reason = "the head is too long";
	}
	if (!reason)
		return HEAD_UPGRADE;
	if (why)
		*why = reason;
	return HEAD_REFUSED;
}
