#include "ws/call_json.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "calls/call_view.h"

enum kind {
	K_TEXT,
	K_UUID, /* nil = null */
	K_BOOL,
	K_INT,
	K_INT_OR_NULL, /* 0 = null */
	K_TIME,	       /* whole seconds, as the contract has it; 0 = null */
	K_TIME_MS,
	K_FIXED, /* the same for every call, part of the lead */
	K_CLIENT_WORD,
	K_BOARD_WORD,
	K_HELD,
	K_DIRECTION,
	K_ENDED_BY,
	K_ACTOR,
	K_RESULT,
	K_RECORDING,
	K_CAN,
};

#define LEAD_SIZE 24

struct property {
	char lead[LEAD_SIZE]; /* what stands before the value; copied whole, whatever its length */
	uint8_t lead_length, kind;
	uint16_t offset;
};

#define LEAD(text) text, sizeof(text) - 1
#define PROPERTY(key, kind, field)                                                                 \
	{                                                                                          \
		LEAD(",\"" key "\":"), kind, offsetof(struct call_view, field)                     \
	}

/* clang-format off */
static const struct property properties[] = {
	/* the 18 of the contract, in its order */
	{LEAD("{\"state\":"), K_CLIENT_WORD, offsetof(struct call_view, state)},
	PROPERTY("stateTime",     K_TIME,        state_at_ms),
	{LEAD(",\"type\":\"phonecall\""), K_FIXED, 0},
	PROPERTY("id",            K_UUID,        phone_call_id),
	PROPERTY("direction",     K_DIRECTION,   direction),
	PROPERTY("phone",         K_TEXT,        phone),
	PROPERTY("outcome",       K_TEXT,        outcome),
	PROPERTY("fromType",      K_TEXT,        from.type),
	PROPERTY("fromId",        K_TEXT,        from.id),
	PROPERTY("toType",        K_TEXT,        to.type),
	PROPERTY("toId",          K_TEXT,        to.id),
	PROPERTY("dtCallId",      K_UUID,        dialer_call_id),
	PROPERTY("isCallback",    K_BOOL,        is_callback),
	PROPERTY("retryDatetime", K_TIME,        retry_at_ms),
	PROPERTY("dnis",          K_TEXT,        dnis),
	PROPERTY("queueDn",       K_TEXT,        queue_number),
	PROPERTY("agentId",       K_TEXT,        cc_agent_id),
	PROPERTY("extension",     K_TEXT,        extension),
	/* ours */
	PROPERTY("tab",           K_INT,         tab),
	PROPERTY("callId",        K_UUID,        call_id),
	PROPERTY("version",       K_INT,         version),
	PROPERTY("held",          K_HELD,        state),
	PROPERTY("muted",         K_BOOL,        is_muted),
	PROPERTY("recording",     K_RECORDING,   recording),
	PROPERTY("paused",        K_BOOL,        is_paused),
	PROPERTY("endedBy",       K_ENDED_BY,    ended_by),
	PROPERTY("cause",         K_INT_OR_NULL, cause),
	PROPERTY("reason",        K_TEXT,        reason),
	PROPERTY("actor",         K_ACTOR,       actor),
	PROPERTY("commandId",     K_TEXT,        command_id),
	PROPERTY("result",        K_RESULT,      attempt_result),
	PROPERTY("boardState",    K_BOARD_WORD,  state),
	PROPERTY("previewUntil",  K_TIME_MS,     preview_until_ms),
	PROPERTY("ringUntil",     K_TIME_MS,     ring_until_ms),
	PROPERTY("wrapUntil",     K_TIME_MS,     wrap_until_ms),
	PROPERTY("wrapRequired",  K_BOOL,        is_wrap_required),
	PROPERTY("fromName",      K_TEXT,        from.name),
	PROPERTY("toName",        K_TEXT,        to.name),
	PROPERTY("queue",         K_TEXT,        queue),
	PROPERTY("campaign",      K_TEXT,        campaign),
	PROPERTY("attempt",       K_INT,         attempt),
	PROPERTY("attempts",      K_INT,         attempts),
	PROPERTY("scriptUrl",     K_TEXT,        script_url),
	PROPERTY("popUrl",        K_TEXT,        pop_url),
	{LEAD(",\"candidates\":[]"), K_FIXED, 0},
	PROPERTY("partnerTab",    K_INT_OR_NULL, partner_tab),
	PROPERTY("can",           K_CAN,         can),
};
/* clang-format on */
#define PROPERTY_COUNT (sizeof(properties) / sizeof(properties[0]))

/* Every byte of the view escaped as \u00xx, every lead, and every value that is not one of its
 * texts. */
_Static_assert(sizeof(struct call_view) * 6 + PROPERTY_COUNT * (LEAD_SIZE + UUID_TEXT_SIZE) +
			       CAN_COUNT * 32 <
		       CALL_JSON_LONGEST,
	       "the longest call object fits");

static char *put(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	return to + length;
}

/* Constant words need no escapes. */
static char *put_word(char *to, const char *word)
{
	*to++ = '"';
	to = put(to, word, strlen(word));
	*to++ = '"';
	return to;
}

/* What has to be escaped, or checked to be UTF-8, is the JSON writer's business. */
static char *put_escaped(char *to, const char *text)
{
	struct json_writer w = {0};

	jw_text(&w, text);
	to = put(to, jw_start(&w), w.length);
	jw_done(&w);
	return to;
}

static char *put_text(char *to, const char *text)
{
	char *start = to;
	const char *at = text;

	*to++ = '"';
	for (; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			return put_escaped(start, text);
		*to++ = (char)c;
	}
	*to++ = '"';
	return to;
}

char *call_json_put_int(char *to, int64_t value)
{
	char digits[20];
	size_t count = 0;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do
		digits[count++] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		*to++ = '-';
	while (count > 0)
		*to++ = digits[--count];
	return to;
}

static char *put_null(char *to)
{
	return put(to, "null", 4);
}

static char *put_bool(char *to, bool value)
{
	return value ? put(to, "true", 4) : put(to, "false", 5);
}

#define HEX_ROW(high)                                                                              \
	high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high      \
	     "9" high "a" high "b" high "c" high "d" high "e" high "f"

static char *put_hex(char *to, const uint8_t *bytes, size_t count)
{
	static const char digits[] =
		HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4") HEX_ROW("5")
			HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9") HEX_ROW("a")
				HEX_ROW("b") HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");

	for (size_t i = 0; i < count; i++, to += 2)
		memcpy(to, digits + 2 * bytes[i], 2);
	return to;
}

static char *put_uuid(char *to, const struct uuid *uuid)
{
	static const uint8_t groups[] = {4, 2, 2, 2, 6};
	const uint8_t *at = uuid->bytes;

	if (uuid_is_nil(uuid))
		return put_null(to);
	for (size_t i = 0; i < sizeof(groups); at += groups[i++]) {
		*to++ = i == 0 ? '"' : '-';
		to = put_hex(to, at, groups[i]);
	}
	*to++ = '"';
	return to;
}

static char *put_time(char *to, int64_t unix_ms, bool with_ms)
{
	if (unix_ms == 0)
		return put_null(to);
	*to++ = '"';
	to += clock_format(to, unix_ms, with_ms);
	*to++ = '"';
	return to;
}

static char *put_can(char *to, unsigned can)
{
	char *start = to;

	*to++ = '[';
	for (unsigned rest = can; rest; rest &= rest - 1) {
		if (to > start + 1)
			*to++ = ',';
		to = put_word(to, can_word(rest & -rest));
	}
	*to++ = ']';
	return to;
}

static char *put_value(char *to, enum kind kind, const void *value)
{
	switch (kind) {
	case K_TEXT:
		return put_text(to, value);
	case K_UUID:
		return put_uuid(to, value);
	case K_BOOL:
		return put_bool(to, *(const bool *)value);
	case K_INT:
		return call_json_put_int(to, *(const int *)value);
	case K_INT_OR_NULL:
		return *(const int *)value ? call_json_put_int(to, *(const int *)value)
					   : put_null(to);
	case K_TIME:
		return put_time(to, *(const int64_t *)value, false);
	case K_TIME_MS:
		return put_time(to, *(const int64_t *)value, true);
	case K_FIXED:
		return to;
	case K_CLIENT_WORD:
		return put_word(to, call_client_word(*(const enum call_state *)value));
	case K_BOARD_WORD:
		return put_word(to, call_board_word(*(const enum call_state *)value));
	case K_HELD:
		return put_bool(to, call_state_is_held(*(const enum call_state *)value));
	case K_DIRECTION:
		return put_word(to, direction_word(*(const enum call_direction *)value));
	case K_ENDED_BY:
		return put_word(to, ended_by_word(*(const enum ended_by *)value));
	case K_ACTOR:
		return put_word(to, actor_word(*(const enum actor *)value));
	case K_RESULT:
		return put_word(to, attempt_result_word(*(const enum attempt_result *)value));
	case K_RECORDING:
		return put_word(to, recording_word(*(const enum recording *)value));
	case K_CAN:
		return put_can(to, *(const unsigned *)value);
	}
	return to;
}

char *call_json_put(char *to, const struct call_view *call)
{
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		const struct property *property = &properties[i];
		memcpy(to, property->lead, LEAD_SIZE);
		to = put_value(to + property->lead_length, property->kind,
			       (const char *)call + property->offset);
	}
	*to++ = '}';
	return to;
}
