/* The writing half of ws/protocol.h. */
#include <string.h>

#include "base/json_writer.h"
#include "ws/protocol.h"

/* ---- objects ---- */

static void write_optional_int(struct json_writer *w, const char *key, int value)
{
	jw_key(w, key);
	if (value)
		jw_int(w, value);
	else
		jw_null(w);
}

static void write_can(struct json_writer *w, unsigned can)
{
	jw_key(w, "can");
	jw_array(w);
	for (unsigned i = 0; i < CAN_COUNT; i++)
		if (can & 1u << i)
			jw_text(w, can_word(1u << i));
	jw_array_end(w);
}

/* The 18 properties of the contract, in its order. */
static void write_contract(struct json_writer *w, const struct call_view *call)
{
	jw_kv_text(w, "state", call_client_word(call->state));
	jw_kv_time(w, "stateTime", call->state_at_ms);
	jw_kv_text(w, "type", "phonecall");
	jw_kv_uuid(w, "id", &call->phone_call_id);
	jw_kv_text(w, "direction", direction_word(call->direction));
	jw_kv_text(w, "phone", call->phone);
	jw_kv_text(w, "outcome", call->outcome);
	jw_kv_text(w, "fromType", call->from.type);
	jw_kv_text(w, "fromId", call->from.id);
	jw_kv_text(w, "toType", call->to.type);
	jw_kv_text(w, "toId", call->to.id);
	jw_kv_uuid(w, "dtCallId", &call->dialer_call_id);
	jw_kv_bool(w, "isCallback", call->is_callback);
	jw_kv_time(w, "retryDatetime", call->retry_at_ms);
	jw_kv_text(w, "dnis", call->dnis);
	jw_kv_text(w, "queueDn", call->queue_number);
	jw_kv_text(w, "agentId", call->cc_agent_id);
	jw_kv_text(w, "extension", call->extension);
}

static void write_ours(struct json_writer *w, const struct call_view *call)
{
	jw_kv_int(w, "tab", call->tab);
	jw_kv_uuid(w, "callId", &call->call_id);
	jw_kv_int(w, "version", call->version);
	jw_kv_bool(w, "held", call_state_is_held(call->state));
	jw_kv_bool(w, "muted", call->is_muted);
	jw_kv_bool(w, "recording", call->is_recording);
	jw_kv_bool(w, "paused", call->is_paused);
	jw_kv_text(w, "endedBy", ended_by_word(call->ended_by));
	write_optional_int(w, "cause", call->cause);
	jw_kv_text(w, "reason", call->reason);
	jw_kv_text(w, "actor", actor_word(call->actor));
	jw_kv_text(w, "commandId", call->command_id);
	jw_kv_text(w, "result", attempt_result_word(call->attempt_result));
	jw_kv_text(w, "boardState", call_board_word(call->state));
	jw_kv_time_ms(w, "previewUntil", call->preview_until_ms);
	jw_kv_time_ms(w, "ringUntil", call->ring_until_ms);
	jw_kv_time_ms(w, "wrapUntil", call->wrap_until_ms);
	jw_kv_bool(w, "wrapRequired", call->is_wrap_required);
	jw_kv_text(w, "fromName", call->from.name);
	jw_kv_text(w, "toName", call->to.name);
	jw_kv_text(w, "queue", call->queue);
	jw_kv_text(w, "campaign", call->campaign);
	jw_kv_int(w, "attempt", call->attempt);
	jw_kv_int(w, "attempts", call->attempts);
	jw_kv_text(w, "scriptUrl", call->script_url);
	jw_kv_text(w, "popUrl", call->pop_url);
	jw_key(w, "candidates");
	jw_array(w);
	jw_array_end(w);
	write_optional_int(w, "partnerTab", call->partner_tab);
	write_can(w, call->can);
}

void protocol_write_call(struct json_writer *w, const struct call_view *call)
{
	jw_object(w);
	write_contract(w, call);
	write_ours(w, call);
	jw_object_end(w);
}

static void write_call_or_null(struct json_writer *w, const char *key, const struct call_view *call)
{
	jw_key(w, key);
	if (call)
		protocol_write_call(w, call);
	else
		jw_null(w);
}

void protocol_write_agent(struct json_writer *w, const struct agent_view *agent)
{
	jw_object(w);
	jw_kv_uuid(w, "agentId", &agent->agent_id);
	jw_kv_text(w, "login", agent->login);
	jw_kv_text(w, "name", agent->name);
	jw_kv_text(w, "extension", agent->extension);
	jw_kv_text(w, "state", agent_state_word(agent->state));
	jw_kv_text(w, "nextState", agent_state_word(agent->next_state));
	jw_kv_text(w, "reason", agent->reason);
	jw_kv_time(w, "stateTime", agent->state_at_ms);
	jw_kv_bool(w, "phoneReachable", agent->is_phone_reachable);
	jw_kv_bool(w, "audioUp", agent->is_audio_up);
	jw_object_end(w);
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

void protocol_write_call_event(struct json_writer *w, enum tell_kind kind,
			       const struct call_view *call, uint64_t epoch, uint64_t seq)
{
	begin_notification(w, kind == TELL_STATE ? "state" : "update");
	jw_kv_int(w, "epoch", (int64_t)epoch);
	jw_kv_int(w, "seq", (int64_t)seq);
	write_call_or_null(w, "call", call);
	end_message(w);
}

void protocol_write_agent_event(struct json_writer *w, const struct agent_view *agent,
				uint64_t epoch)
{
	begin_notification(w, "agent");
	jw_kv_int(w, "epoch", (int64_t)epoch);
	jw_key(w, "agent");
	protocol_write_agent(w, agent);
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
	protocol_write_agent(w, attached->agent);
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
