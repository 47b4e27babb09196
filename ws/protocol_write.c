/* The writing half of ws/protocol.h. */
#include <string.h>

#include "base/json_writer.h"
#include "control/agent_json.h"
#include "ws/call_json.h"
#include "ws/protocol.h"

/* ---- objects ---- */

void protocol_write_call(struct json_writer *w, const struct call_view *call)
{
	char text[CALL_JSON_LONGEST];

	jw_raw(w, text, (size_t)(call_json_put(text, call) - text));
}

static void write_call_or_null(struct json_writer *w, const char *key, const struct call_view *call)
{
	jw_key(w, key);
	if (call)
		protocol_write_call(w, call);
	else
		jw_null(w);
}

static void write_tabs(struct json_writer *w, const int *tabs, unsigned count)
{
	jw_key(w, "tabs");
	jw_array(w);
	for (unsigned i = 0; i < count; i++)
		jw_int(w, tabs[i]);
	jw_array_end(w);
}

static void write_outcomes(struct json_writer *w, const struct outcome_setup *outcomes,
			   unsigned count)
{
	jw_key(w, "outcomes");
	jw_array(w);
	for (unsigned i = 0; i < count; i++) {
		jw_object(w);
		jw_kv_text(w, "name", outcomes[i].name);
		jw_kv_bool(w, "isDefault", outcomes[i].is_default);
		jw_kv_bool(w, "isRetry", outcomes[i].is_retry);
		jw_object_end(w);
	}
	jw_array_end(w);
}

/* ---- envelopes ---- */

static void begin_notification(struct json_writer *w, const char *method)
{
	jw_object(w);
	jw_kv_text(w, "jsonrpc", "2.0");
	jw_kv_text(w, "method", method);
	jw_key(w, "params");
	jw_object(w);
}

static void begin_answer(struct json_writer *w, const struct request_id *id, const char *what)
{
	jw_object(w);
	jw_kv_text(w, "jsonrpc", "2.0");
	jw_key(w, "id");
	if (id->is_number)
		jw_raw(w, id->text, strlen(id->text));
	else
		jw_text(w, id->text[0] ? id->text : NULL);
	jw_key(w, what);
	jw_object(w);
}

static void end_message(struct json_writer *w)
{
	jw_object_end(w);
	jw_object_end(w);
}

/* ---- notifications ---- */

static char *put(char *to, const char *text)
{
	size_t length = strlen(text);

	memcpy(to, text, length);
	return to + length;
}

size_t protocol_put_call_event(char *start, enum tell_kind kind, const struct call_view *call,
			       uint64_t epoch, uint64_t seq)
{
	char *to = start;

	_Static_assert(CALL_EVENT_LONGEST >= CALL_JSON_LONGEST + 160, "the call and around it");
	to = put(to, kind == TELL_STATE
			     ? "{\"jsonrpc\":\"2.0\",\"method\":\"state\",\"params\":{\"epoch\":"
			     : "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":{\"epoch\":");
	to = call_json_put_int(to, (int64_t)epoch);
	to = put(to, ",\"seq\":");
	to = call_json_put_int(to, (int64_t)seq);
	to = put(to, ",\"call\":");
	to = call_json_put(to, call);
	to = put(to, "}}");
	return (size_t)(to - start);
}

void protocol_write_agent_event(struct json_writer *w, const struct agent_view *agent,
				uint64_t epoch)
{
	begin_notification(w, "agent");
	jw_kv_int(w, "epoch", (int64_t)epoch);
	jw_key(w, "agent");
	agent_json_write(w, agent);
	end_message(w);
}

void protocol_write_tabs_event(struct json_writer *w, const int *tabs, unsigned count)
{
	begin_notification(w, "tabs");
	write_tabs(w, tabs, count);
	end_message(w);
}

void protocol_write_notice(struct json_writer *w, const char *code, const char *message)
{
	begin_notification(w, "notice");
	jw_kv_text(w, "code", code);
	jw_kv_text(w, "message", message);
	end_message(w);
}

/* ---- answers ---- */

void protocol_write_attached(struct json_writer *w, const struct request_id *id,
			     const struct attached *attached)
{
	begin_answer(w, id, "result");
	jw_kv_int(w, "tab", attached->tab);
	jw_kv_int(w, "epoch", (int64_t)attached->epoch);
	jw_kv_int(w, "seq", (int64_t)attached->seq);
	jw_kv_bool(w, "resumed", attached->is_resumed);
	jw_key(w, "agent");
	agent_json_write(w, attached->agent);
	write_tabs(w, attached->tabs, attached->tab_count);
	write_call_or_null(w, "snapshot", attached->snapshot);
	write_outcomes(w, attached->outcomes, attached->outcome_count);
	jw_key(w, "sounds");
	jw_array(w);
	jw_array_end(w);
	jw_kv_time_ms(w, "serverTime", attached->now_ms);
	end_message(w);
}

void protocol_write_pong(struct json_writer *w, const struct request_id *id, int64_t now_ms)
{
	begin_answer(w, id, "result");
	jw_kv_time_ms(w, "serverTime", now_ms);
	end_message(w);
}

void protocol_write_got_call(struct json_writer *w, const struct request_id *id,
			     const struct call_view *call)
{
	begin_answer(w, id, "result");
	write_call_or_null(w, "call", call);
	end_message(w);
}

void protocol_write_reply(struct json_writer *w, const struct request_id *id,
			  const struct reply *reply)
{
	if (reply->status != ST_OK) {
		protocol_write_error(w, id, &reply->err);
		return;
	}
	begin_answer(w, id, "result");
	jw_kv_uuid(w, "callId", &reply->call_id);
	jw_kv_uuid(w, "dtCallId", &reply->dialer_call_id);
	jw_kv_int(w, "tab", reply->tab);
	if (reply->is_volatile)
		jw_kv_bool(w, "volatile", true);
	end_message(w);
}

/* ---- errors ---- */

enum {
	NOT_JSON = -32700,
	NOT_A_REQUEST = -32600,
	NO_SUCH_METHOD = -32601,
	BAD_PARAMETER = -32602,
	DEFECT = -32603,
	STATE_FORBIDS = -32010,
	NOT_ALLOWED = -32011,
	TRY_LATER = -32012,
};

/* These are about the message as a whole, whatever their status. */
static int number_of_code(const char *code)
{
	static const struct {
		const char *code;
		int number;
	} numbers[] = {
		{"json.malformed", NOT_JSON},
		{"json.too_deep", NOT_JSON},
		{"json.too_large", NOT_JSON},
		{"json.not_object", NOT_A_REQUEST},
		{"protocol.bad_request", NOT_A_REQUEST},
		{"protocol.not_attached", NOT_A_REQUEST},
		{"protocol.already_attached", NOT_A_REQUEST},
		{"protocol.unknown_method", NO_SUCH_METHOD},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(code, numbers[i].code) == 0)
			return numbers[i].number;
	return 0;
}

static int number_of_status(enum status status)
{
	switch (status) {
	case ST_INVALID:
	case ST_NOT_FOUND:
	case ST_TOO_LARGE:
		return BAD_PARAMETER;
	case ST_CONFLICT:
	case ST_UNSUPPORTED:
		return STATE_FORBIDS;
	case ST_DENIED:
	case ST_FORBIDDEN:
		return NOT_ALLOWED;
	case ST_RATE:
	case ST_BUSY:
	case ST_UNAVAILABLE:
	case ST_TIMEOUT:
		return TRY_LATER;
	case ST_OK:
	case ST_INTERNAL:
	case ST_COUNT:
		break;
	}
	return DEFECT;
}

void protocol_write_error(struct json_writer *w, const struct request_id *id, const struct err *err)
{
	int number = number_of_code(err->code);

	begin_answer(w, id, "error");
	jw_kv_int(w, "code", number ? number : number_of_status(err->status));
	jw_kv_text(w, "message", err->message);
	jw_key(w, "data");
	jw_object(w);
	jw_kv_text(w, "code", err->code[0] ? err->code : "internal");
	jw_kv_text(w, "target", err->target);
	jw_object_end(w);
	end_message(w);
}
