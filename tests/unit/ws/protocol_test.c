#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "ws/protocol.h"

#define REQUEST(method, params)                                                                    \
	"{\"jsonrpc\":\"2.0\",\"id\":\"c1\",\"method\":\"" method "\",\"params\":{" params "}}"

static enum status read_text(const char *text, struct request *ret, struct err *err)
{
	/* A copy without a NUL, so that the sanitizer sees a byte too far. */
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	memset(err, 0, sizeof(*err));
	enum status status = protocol_read(copy, length, ret, err);
	free(copy);
	return status;
}

/* ---- reading ---- */

/* clang-format off */
static const struct {
	const char *text;
	enum command_kind kind;
} methods[] = {
	{REQUEST("dial", "\"number\":\"+1555\""), CMD_DIAL},
	{REQUEST("holdresume", ""), CMD_HOLDRESUME},
	{REQUEST("hold", ""), CMD_HOLD},
	{REQUEST("resume", ""), CMD_RESUME},
	{REQUEST("transferBlind", "\"number\":\"1\""), CMD_TRANSFER_BLIND},
	{REQUEST("transferConsult", "\"number\":\"1\""), CMD_TRANSFER_CONSULT},
	{REQUEST("transferComplete", "\"callTab\":1"), CMD_TRANSFER_COMPLETE},
	{REQUEST("conference", "\"callTab\":16"), CMD_CONFERENCE},
	{REQUEST("leave", ""), CMD_LEAVE},
	{REQUEST("cancelConsult", ""), CMD_CANCEL_CONSULT},
	{REQUEST("answer", ""), CMD_ANSWER},
	{REQUEST("release", ""), CMD_RELEASE},
	{REQUEST("reject", ""), CMD_REJECT},
	{REQUEST("skip", ""), CMD_SKIP},
	{REQUEST("playWaveFile", "\"filename\":\"hello\""), CMD_PLAY},
	{REQUEST("sendDTMF", "\"digits\":\"0123456789*#\""), CMD_DTMF},
	{REQUEST("mute", "\"on\":true"), CMD_MUTE},
	{REQUEST("pauseTimer", ""), CMD_PAUSE_TIMER},
	{REQUEST("resumeTimer", ""), CMD_RESUME_TIMER},
	{REQUEST("setOutcome", "\"outcome\":\"Sale\""), CMD_SET_OUTCOME},
	{REQUEST("scheduleCallback", "\"at\":\"2026-11-22T17:00:00Z\""), CMD_SCHEDULE_CALLBACK},
	{REQUEST("endWrap", ""), CMD_END_WRAP},
	{REQUEST("startRecording", ""), CMD_RECORD_START},
	{REQUEST("stopRecording", ""), CMD_RECORD_STOP},
	{REQUEST("pauseRecording", ""), CMD_RECORD_PAUSE},
	{REQUEST("resumeRecording", ""), CMD_RECORD_RESUME},
	{REQUEST("agentReady", ""), CMD_AGENT_STATE},
	{REQUEST("agentNotReady", ""), CMD_AGENT_STATE},
	{REQUEST("setState", "\"state\":\"Away\""), CMD_AGENT_STATE},
};
/* clang-format on */

static void every_method_becomes_its_command(void **state)
{
	(void)state;
	struct request request;
	struct err err;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (read_text(methods[i].text, &request, &err) != ST_OK)
			fail_msg("%s: %s", methods[i].text, err.message);
		assert_int_equal(request.kind, REQUEST_COMMAND);
		assert_int_equal(request.command.kind, methods[i].kind);
		assert_int_equal(request.command.actor, ACTOR_AGENT);
		assert_string_equal(request.command.id, "c1");
	}
	/* All but PRESENT, which is not for tabs, and with three words for the agent's state. */
	assert_int_equal(sizeof(methods) / sizeof(methods[0]), CMD_KIND_COUNT - 1 + 2);
}

static void parameters_reach_their_fields(void **state)
{
	(void)state;
	struct request r;
	struct err err;

	assert_int_equal(
		read_text(REQUEST("dial", "\"number\":\"+15551234\",\"direction\":\"clicktocall\""),
			  &r, &err),
		ST_OK);
	assert_string_equal(r.command.number, "+15551234");
	assert_int_equal(r.command.direction, DIR_CLICKTOCALL);
	assert_int_equal(read_text(REQUEST("dial", ""), &r, &err), ST_OK);
	assert_string_equal(r.command.number, "");
	assert_int_equal(r.command.direction, DIR_OUTBOUND);
	assert_int_equal(read_text(REQUEST("conference", "\"callTab\":2"), &r, &err), ST_OK);
	assert_int_equal(r.command.other_tab, 2);
	assert_int_equal(read_text(REQUEST("playWaveFile", "\"filename\":\"../x\""), &r, &err),
			 ST_OK);
	assert_string_equal(r.command.sound, "../x"); /* control knows the sounds there are */
	assert_false(r.command.is_for_customer);
	assert_int_equal(
		read_text(REQUEST("playWaveFile", "\"filename\":\"x\",\"to\":\"customer\""), &r,
			  &err),
		ST_OK);
	assert_true(r.command.is_for_customer);
	assert_int_equal(read_text(REQUEST("mute", "\"on\":false"), &r, &err), ST_OK);
	assert_false(r.command.on);
	assert_int_equal(
		read_text(REQUEST("setOutcome", "\"outcome\":\"J\xc3\xbc\",\"comment\":\"x\""), &r,
			  &err),
		ST_OK);
	assert_string_equal(r.command.outcome, "J\xc3\xbc");
	assert_string_equal(r.command.comment, "x");
	assert_int_equal(read_text(REQUEST("scheduleCallback",
					   "\"at\":\"1970-01-01T00:00:01Z\",\"outcome\":\"Later\""),
				   &r, &err),
			 ST_OK);
	assert_int_equal(r.command.retry_at_ms, 1000);
	assert_string_equal(r.command.outcome, "Later");
	assert_int_equal(read_text(REQUEST("agentReady", ""), &r, &err), ST_OK);
	assert_int_equal(r.command.agent_state, AGENT_READY);
	assert_int_equal(read_text(REQUEST("agentNotReady", "\"reason\":\"lunch\""), &r, &err),
			 ST_OK);
	assert_int_equal(r.command.agent_state, AGENT_NOT_READY);
	assert_string_equal(r.command.reason, "lunch");
	assert_int_equal(
		read_text(REQUEST("setState", "\"state\":\"LoggedIn\",\"reason\":null"), &r, &err),
		ST_OK);
	assert_int_equal(r.command.agent_state, AGENT_LOGGED_IN);
}

static void attach_has_defaults(void **state)
{
	(void)state;
	struct request r;
	struct err err;

	assert_int_equal(
		read_text("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"attach\"}", &r, &err), ST_OK);
	assert_int_equal(r.kind, REQUEST_ATTACH);
	assert_int_equal(r.attach.tab, 1);
	assert_string_equal(r.attach.client, "");
	assert_false(r.attach.has_position);
	assert_int_equal(read_text(REQUEST("attach", "\"tab\":0,\"epoch\":5"), &r, &err), ST_OK);
	assert_int_equal(r.attach.tab, 1);
	assert_false(r.attach.has_position);
	assert_int_equal(read_text(REQUEST("attach", "\"tab\":16,\"client\":\"x\",\"epoch\":"
						     "1764000000000,\"seq\":7,\"later\":1"),
				   &r, &err),
			 ST_OK);
	assert_int_equal(r.attach.tab, 16);
	assert_string_equal(r.attach.client, "x");
	assert_true(r.attach.has_position);
	assert_int_equal(r.attach.epoch, 1764000000000);
	assert_int_equal(r.attach.seq, 7);
}

/* An error would leave the tab without a way to go on. */
static void a_position_that_makes_no_sense_is_none(void **state)
{
	(void)state;
	static const char *const positions[] = {
		REQUEST("attach", "\"epoch\":5"),
		REQUEST("attach", "\"seq\":5"),
		REQUEST("attach", "\"epoch\":-1,\"seq\":5"),
		REQUEST("attach", "\"epoch\":5,\"seq\":-1"),
		REQUEST("attach", "\"epoch\":5,\"seq\":1.5"),
		REQUEST("attach", "\"epoch\":5,\"seq\":1e300"),
		REQUEST("attach", "\"epoch\":\"5\",\"seq\":\"5\""),
		REQUEST("attach", "\"epoch\":null,\"seq\":null"),
		REQUEST("attach", "\"epoch\":{},\"seq\":[1]"),
	};
	struct request r;
	struct err err;

	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
		assert_int_equal(read_text(positions[i], &r, &err), ST_OK);
		assert_false(r.attach.has_position);
	}
}

static void requests_of_no_parameters(void **state)
{
	(void)state;
	struct request r;
	struct err err;

	assert_int_equal(read_text(REQUEST("ping", ""), &r, &err), ST_OK);
	assert_int_equal(r.kind, REQUEST_PING);
	assert_int_equal(read_text(REQUEST("getCall", ""), &r, &err), ST_OK);
	assert_int_equal(r.kind, REQUEST_GET_CALL);
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

static void ids_come_back_as_they_were(void **state)
{
	(void)state;
	static const struct {
		const char *id, *answered;
	} cases[] = {
		{"\"x\"", "\"x\""},
		{"\"" A64 "\"", "\"" A64 "\""},
		{"\"7\"", "\"7\""},
		{"7", "7"},
		{"0", "0"},
		{"-1", "-1"},
		{"9223372036854775807", "9223372036854775807"},
		{"\"\\u00e9\\\"\"", "\"\xc3\xa9\\\"\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], wanted[256];
		struct request request;
		struct err err;
		struct json_writer w = {0};
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}",
			 cases[i].id);
		snprintf(wanted, sizeof(wanted),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"serverTime\":\"1970-01-"
			 "01T00:00:01.500Z\"}}",
			 cases[i].answered);
		assert_int_equal(read_text(text, &request, &err), ST_OK);
		protocol_write_pong(&w, &request.id, 1500);
		assert_int_equal(w.length, strlen(wanted));
		assert_memory_equal(jw_start(&w), wanted, w.length);
		jw_done(&w);
	}
}

/* The number on the wire of what was refused. */
static long long wire_code(const struct request_id *id, const struct err *err)
{
	struct json_writer w = {0};
	auto_json json_t *root = NULL;

	protocol_write_error(&w, id, err);
	assert_int_equal(json_parse(jw_start(&w), w.length, &json_limits_body, &root, NULL), ST_OK);
	const json_t *error = json_object_get(root, "error");
	const json_t *data = json_object_get(error, "data");
	assert_string_equal(json_string_value(json_object_get(data, "code")), err->code);
	assert_string_equal(json_string_value(json_object_get(data, "target")), err->target);
	assert_string_equal(json_string_value(json_object_get(error, "message")), err->message);
	long long code = json_integer_value(json_object_get(error, "code"));
	jw_done(&w);
	return code;
}

/* clang-format off */
static const struct {
	const char *text;
	int number;
	const char *code, *target;
	const char *id; /* what the answer carries */
} wrong[] = {
	/* not JSON */
	{"", -32700, "json.malformed", "", ""},
	{"hello", -32700, "json.malformed", "", ""},
	{"{", -32700, "json.malformed", "", ""},
	{"{} {}", -32700, "json.malformed", "", ""},
	{"{\"a\":1,\"a\":2}", -32700, "json.malformed", "", ""},
	{"{\"a\":\"\\u0000\"}", -32700, "json.malformed", "", ""},
	{"{\"a\":\"\xff\"}", -32700, "json.malformed", "", ""},
	{"{\"a\":NaN}", -32700, "json.malformed", "", ""},
	{"{'a':1}", -32700, "json.malformed", "", ""},
	{"{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", -32700, "json.too_deep", "", ""},
	/* not a request */
	{"[]", -32600, "json.not_object", "", ""},
	{"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, "json.not_object", "", ""},
	{"1", -32600, "json.not_object", "", ""},
	{"null", -32600, "json.not_object", "", ""},
	{"{}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"id\":\"" A64 "a\",\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"id\":\"a\\n\",\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600, "protocol.bad_request", "id", ""},
	{"{\"id\":1,\"method\":\"ping\"}", -32600, "protocol.bad_request", "jsonrpc", "1"},
	{"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600, "protocol.bad_request", "jsonrpc", "1"},
	{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", -32600, "protocol.bad_request", "jsonrpc", "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, "protocol.bad_request", "method", "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", -32600, "protocol.bad_request", "method", "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600, "protocol.bad_request", "method", "1"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", -32600, "protocol.bad_request", "params", "1"},
	/* no method */
	{REQUEST("frobnicate", ""), -32601, "protocol.unknown_method", "method", "c1"},
	{REQUEST("Dial", ""), -32601, "protocol.unknown_method", "method", "c1"},
	{REQUEST("", ""), -32601, "protocol.unknown_method", "method", "c1"},
	{REQUEST("present", ""), -32601, "protocol.unknown_method", "method", "c1"},
	/* parameters */
	{REQUEST("attach", "\"tab\":17"), -32602, "json.out_of_range", "tab", "c1"},
	{REQUEST("attach", "\"tab\":-1"), -32602, "json.out_of_range", "tab", "c1"},
	{REQUEST("attach", "\"tab\":\"1\""), -32602, "json.wrong_type", "tab", "c1"},
	{REQUEST("attach", "\"client\":\"" A64 "a\""), -32602, "json.too_long", "client", "c1"},
	{REQUEST("dial", "\"number\":15551234"), -32602, "json.wrong_type", "number", "c1"},
	{REQUEST("dial", "\"number\":\"1\",\"direction\":\"inbound\""), -32602, "direction.invalid", "direction", "c1"},
	{REQUEST("dial", "\"number\":\"" A64 "\""), -32602, "json.too_long", "number", "c1"},
	{REQUEST("transferBlind", ""), -32602, "json.missing", "number", "c1"},
	{REQUEST("transferConsult", "\"number\":\"\""), -32602, "json.missing", "number", "c1"},
	{REQUEST("transferComplete", ""), -32602, "json.missing", "callTab", "c1"},
	{REQUEST("transferComplete", "\"callTab\":0"), -32602, "json.out_of_range", "callTab", "c1"},
	{REQUEST("conference", "\"callTab\":17"), -32602, "json.out_of_range", "callTab", "c1"},
	{REQUEST("conference", "\"callTab\":\"2\""), -32602, "json.wrong_type", "callTab", "c1"},
	{REQUEST("playWaveFile", ""), -32602, "json.missing", "filename", "c1"},
	{REQUEST("playWaveFile", "\"filename\":\"x\",\"to\":\"agent\""), -32602, "to.invalid", "to", "c1"},
	{REQUEST("playWaveFile", "\"filename\":\"" A64 "a\""), -32602, "json.too_long", "filename", "c1"},
	{REQUEST("sendDTMF", ""), -32602, "json.missing", "digits", "c1"},
	{REQUEST("sendDTMF", "\"digits\":\"12A\""), -32602, "digits.invalid", "digits", "c1"},
	{REQUEST("sendDTMF", "\"digits\":\" 1\""), -32602, "digits.invalid", "digits", "c1"},
	{REQUEST("sendDTMF", "\"digits\":\"" A16 A16 "a\""), -32602, "json.too_long", "digits", "c1"},
	{REQUEST("mute", ""), -32602, "json.missing", "on", "c1"},
	{REQUEST("mute", "\"on\":1"), -32602, "json.wrong_type", "on", "c1"},
	{REQUEST("setOutcome", ""), -32602, "json.missing", "outcome", "c1"},
	{REQUEST("scheduleCallback", ""), -32602, "json.missing", "at", "c1"},
	{REQUEST("scheduleCallback", "\"at\":\"tomorrow\""), -32602, "time.invalid", "at", "c1"},
	{REQUEST("setState", ""), -32602, "json.missing", "state", "c1"},
	{REQUEST("setState", "\"state\":\"Busy\""), -32602, "state.invalid", "state", "c1"},
	{REQUEST("setState", "\"state\":\"LoggedOut\""), -32602, "state.invalid", "state", "c1"},
	{REQUEST("agentNotReady", "\"reason\":\"" A64 "\""), -32602, "json.too_long", "reason", "c1"},
};
/* clang-format on */

static void what_is_wrong_is_named(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct request request;
		struct err err;
		if (read_text(wrong[i].text, &request, &err) == ST_OK)
			fail_msg("%s was taken", wrong[i].text);
		if (strcmp(err.code, wrong[i].code) || strcmp(err.target, wrong[i].target) ||
		    strcmp(request.id.text, wrong[i].id))
			fail_msg("%s: code %s target \"%s\" id \"%s\"", wrong[i].text, err.code,
				 err.target, request.id.text);
		if (wire_code(&request.id, &err) != wrong[i].number)
			fail_msg("%s: %lld", wrong[i].text, wire_code(&request.id, &err));
	}
}

static void a_message_above_the_limit_is_refused_before_it_is_parsed(void **state)
{
	(void)state;
	char *text = malloc(MESSAGE_MAX + 1);
	struct request request;
	struct err err;

	memset(text, ' ', MESSAGE_MAX + 1);
	text[MESSAGE_MAX - 1] = '1';
	assert_int_equal(protocol_read(text, MESSAGE_MAX, &request, &err), ST_INVALID);
	assert_string_equal(err.code, "json.not_object");
	assert_int_equal(protocol_read(text, MESSAGE_MAX + 1, &request, &err), ST_TOO_LARGE);
	assert_string_equal(err.code, "json.too_large");
	free(text);
}

static void a_status_has_its_number(void **state)
{
	(void)state;
	static const int numbers[ST_COUNT] = {
		[ST_INVALID] = -32602,	 [ST_DENIED] = -32011,	    [ST_FORBIDDEN] = -32011,
		[ST_NOT_FOUND] = -32602, [ST_CONFLICT] = -32010,    [ST_TOO_LARGE] = -32602,
		[ST_RATE] = -32012,	 [ST_INTERNAL] = -32603,    [ST_UNSUPPORTED] = -32010,
		[ST_BUSY] = -32012,	 [ST_UNAVAILABLE] = -32012, [ST_TIMEOUT] = -32012,
	};
	const struct request_id id = {.text = "x"};

	for (enum status status = ST_OK + 1; status < ST_COUNT; status++) {
		struct err err;
		err_set(&err, status, "a.b", "c", "d");
		assert_int_equal(wire_code(&id, &err), numbers[status]);
	}
}

/* ---- writing ---- */

static void assert_written(struct json_writer *w, const char *wanted)
{
	if (w->length != strlen(wanted) || memcmp(jw_start(w), wanted, w->length) != 0)
		fail_msg("wrote\n%.*s\nwanted\n%s", (int)w->length, jw_start(w), wanted);
	jw_reset(w);
}

static const struct call_view full_call = {
	.call_id.bytes = {0x01, [15] = 0x11},
	.dialer_call_id.bytes = {0x02, [15] = 0x22},
	.phone_call_id.bytes = {0x03, [15] = 0x33},
	.tab = 2,
	.version = 9,
	.state = CALL_HELD,
	.state_at_ms = 1795366800123,
	.direction = DIR_CCOUTBOUND,
	.phone = "+15551234567",
	.outcome = "No \"An\\swer\"",
	.from = {.type = "agent", .id = "f-1", .name = "J\xc3\xbcrgen"},
	.to = {.type = "contact", .id = "t-1", .name = "Ada"},
	.is_callback = true,
	.retry_at_ms = 1795366801000,
	.dnis = "800",
	.queue_number = "801",
	.cc_agent_id = "A7",
	.extension = "1001",
	.is_muted = true,
	.recording = RECORDING_PAUSED,
	.ended_by = ENDED_BY_CUSTOMER,
	.cause = 16,
	.attempt_result = ATTEMPT_CONNECTED,
	.reason = "answered",
	.actor = ACTOR_SWITCH,
	.command_id = "c7",
	.preview_until_ms = 1795366800500,
	.ring_until_ms = 1795366800501,
	.wrap_until_ms = 1795366800502,
	.is_wrap_required = true,
	.is_paused = true,
	.queue = "Sales",
	.campaign = "Spring",
	.attempt = 2,
	.attempts = 3,
	.script_url = "https://s",
	.pop_url = "https://p",
	.can = CAN_RESUME | CAN_RELEASE,
	.partner_tab = 1,
};

static void a_call_has_the_contract_first_and_then_ours(void **state)
{
	(void)state;
	struct json_writer w = {0};

	protocol_write_call(&w, &full_call);
	assert_written(
		&w,
		"{\"state\":\"talk\",\"stateTime\":\"2026-11-22T17:00:00Z\",\"type\":\"phonecall\","
		"\"id\":\"03000000-0000-0000-0000-000000000033\",\"direction\":\"ccOutbound\","
		"\"phone\":\"+15551234567\",\"outcome\":\"No "
		"\\\"An\\\\swer\\\"\",\"fromType\":\"agent\","
		"\"fromId\":\"f-1\",\"toType\":\"contact\",\"toId\":\"t-1\","
		"\"dtCallId\":\"02000000-0000-0000-0000-000000000022\",\"isCallback\":true,"
		"\"retryDatetime\":\"2026-11-22T17:00:01Z\",\"dnis\":\"800\",\"queueDn\":\"801\","
		"\"agentId\":\"A7\",\"extension\":\"1001\","
		"\"tab\":2,\"callId\":\"01000000-0000-0000-0000-000000000011\",\"version\":9,"
		"\"held\":true,\"muted\":true,\"recording\":\"paused\",\"paused\":true,"
		"\"endedBy\":\"customer\",\"cause\":16,\"reason\":\"answered\",\"actor\":"
		"\"switch\","
		"\"commandId\":\"c7\",\"result\":\"connected\",\"boardState\":\"Hold\","
		"\"previewUntil\":\"2026-11-22T17:00:00.500Z\",\"ringUntil\":\"2026-11-22T17:00:00."
		"501Z\","
		"\"wrapUntil\":\"2026-11-22T17:00:00.502Z\",\"wrapRequired\":true,"
		"\"fromName\":\"J\xc3\xbcrgen\",\"toName\":\"Ada\",\"queue\":\"Sales\","
		"\"campaign\":\"Spring\",\"attempt\":2,\"attempts\":3,\"scriptUrl\":\"https://s\","
		"\"popUrl\":\"https://p\",\"candidates\":[],\"partnerTab\":1,"
		"\"can\":[\"release\",\"resume\"]}");
	jw_done(&w);
}

static void what_a_call_has_not_is_null_or_empty(void **state)
{
	(void)state;
	struct json_writer w = {0};
	const struct call_view empty = {.state = CALL_RINGING, .direction = DIR_OUTBOUND};

	protocol_write_call(&w, &empty);
	assert_written(
		&w, "{\"state\":\"ringing\",\"stateTime\":null,\"type\":\"phonecall\",\"id\":null,"
		    "\"direction\":\"outbound\",\"phone\":\"\",\"outcome\":\"\",\"fromType\":\"\","
		    "\"fromId\":\"\",\"toType\":\"\",\"toId\":\"\",\"dtCallId\":null,"
		    "\"isCallback\":false,\"retryDatetime\":null,\"dnis\":\"\",\"queueDn\":\"\","
		    "\"agentId\":\"\",\"extension\":\"\",\"tab\":0,\"callId\":null,\"version\":0,"
		    "\"held\":false,\"muted\":false,\"recording\":\"off\",\"paused\":false,"
		    "\"endedBy\":\"\",\"cause\":null,\"reason\":\"\",\"actor\":\"agent\","
		    "\"commandId\":\"\",\"result\":\"none\",\"boardState\":\"Ring\","
		    "\"previewUntil\":null,\"ringUntil\":null,\"wrapUntil\":null,"
		    "\"wrapRequired\":false,\"fromName\":\"\",\"toName\":\"\",\"queue\":\"\","
		    "\"campaign\":\"\",\"attempt\":0,\"attempts\":0,\"scriptUrl\":\"\","
		    "\"popUrl\":\"\",\"candidates\":[],\"partnerTab\":null,\"can\":[]}");
	jw_done(&w);
}

static void notifications_are_whole_messages(void **state)
{
	(void)state;
	struct json_writer w = {0};
	const int tabs[] = {1, 2};
	const struct agent_view agent = {.agent_id.bytes = {4, [15] = 0x44},
					 .login = "1001",
					 .name = "Ada",
					 .extension = "x1",
					 .state = AGENT_READY,
					 .next_state = AGENT_NOT_READY,
					 .reason = "lunch",
					 .state_at_ms = 1795366800000,
					 .is_phone_reachable = true};

	protocol_write_agent_event(&w, &agent, 5);
	assert_written(
		&w, "{\"jsonrpc\":\"2.0\",\"method\":\"agent\",\"params\":{\"epoch\":5,\"agent\":{"
		    "\"agentId\":\"04000000-0000-0000-0000-000000000044\",\"login\":\"1001\","
		    "\"name\":\"Ada\",\"extension\":\"x1\",\"state\":\"Ready\","
		    "\"nextState\":\"NotReady\",\"reason\":\"lunch\","
		    "\"stateTime\":\"2026-11-22T17:00:00Z\",\"phoneReachable\":true,"
		    "\"audio\":\"desk\",\"audioWindow\":\"\",\"audioUp\":false}}}");
	protocol_write_tabs_event(&w, tabs, 2);
	assert_written(&w, "{\"jsonrpc\":\"2.0\",\"method\":\"tabs\",\"params\":{\"tabs\":[1,2]}}");
	protocol_write_notice(&w, "switch.away", "gone");
	assert_written(
		&w,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notice\",\"params\":{\"code\":\"switch.away\","
		"\"message\":\"gone\"}}");
	jw_done(&w);
}

static void an_event_an_answer_and_a_snapshot_carry_the_same_call(void **state)
{
	(void)state;
	const struct request_id id = {.text = "a1"};
	const struct agent_view agent = {0};
	const int tab = 2;
	const struct outcome_setup outcome = {.name = "Sale", .is_default = true};
	const struct attached attached = {.tab = 2,
					  .epoch = 1764000000000,
					  .seq = 7,
					  .agent = &agent,
					  .tabs = &tab,
					  .tab_count = 1,
					  .snapshot = &full_call,
					  .outcomes = &outcome,
					  .outcome_count = 1,
					  .now_ms = 1795366800123};
	struct json_writer w[4] = {{0}};
	static const char *const paths[3][2] = {
		{"params", "call"}, {"result", "call"}, {"result", "snapshot"}};
	auto_json json_t *call = NULL;
	char event[CALL_EVENT_LONGEST];

	protocol_write_call(&w[3], &full_call);
	assert_int_equal(json_parse(jw_start(&w[3]), w[3].length, &json_limits_body, &call, NULL),
			 ST_OK);
	jw_raw(&w[0], event,
	       protocol_put_call_event(event, TELL_UPDATE, &full_call, 1764000000000, 7));
	protocol_write_got_call(&w[1], &id, &full_call);
	protocol_write_attached(&w[2], &id, &attached);
	for (int i = 0; i < 3; i++) {
		auto_json json_t *root = NULL;
		assert_int_equal(
			json_parse(jw_start(&w[i]), w[i].length, &json_limits_body, &root, NULL),
			ST_OK);
		const json_t *inner = json_object_get(root, paths[i][0]);
		assert_true(json_equal(json_object_get(inner, paths[i][1]), call));
		if (i != 1)
			assert_int_equal(json_integer_value(json_object_get(inner, "seq")), 7);
	}
	for (int i = 0; i < 4; i++)
		jw_done(&w[i]);
}

static void answers_name_call_and_tab(void **state)
{
	(void)state;
	const struct request_id id = {.text = "c1"};
	const struct reply done = {.call_id.bytes = {1, [15] = 1}, .tab = 2};
	struct reply failed = {.status = ST_CONFLICT};
	struct json_writer w = {0};

	protocol_write_reply(&w, &id, &done);
	assert_written(&w, "{\"jsonrpc\":\"2.0\",\"id\":\"c1\",\"result\":{"
			   "\"callId\":\"01000000-0000-0000-0000-000000000001\",\"dtCallId\":null,"
			   "\"tab\":2}}");
	err_set(&failed.err, ST_CONFLICT, "tab.not_active", "tab", "it is held");
	protocol_write_reply(&w, &id, &failed);
	assert_written(&w, "{\"jsonrpc\":\"2.0\",\"id\":\"c1\",\"error\":{\"code\":-32010,"
			   "\"message\":\"it is "
			   "held\",\"data\":{\"code\":\"tab.not_active\",\"target\":\"tab\"}}}");
	jw_done(&w);
}

static void what_no_storage_knows_of_is_volatile(void **state)
{
	(void)state;
	const struct request_id id = {.text = "c2"};
	const struct reply done = {.tab = 1, .is_volatile = true};
	struct json_writer w = {0};

	protocol_write_reply(&w, &id, &done);
	assert_written(&w, "{\"jsonrpc\":\"2.0\",\"id\":\"c2\",\"result\":{\"callId\":null,"
			   "\"dtCallId\":null,\"tab\":1,\"volatile\":true}}");
	jw_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_becomes_its_command),
		cmocka_unit_test(parameters_reach_their_fields),
		cmocka_unit_test(attach_has_defaults),
		cmocka_unit_test(a_position_that_makes_no_sense_is_none),
		cmocka_unit_test(requests_of_no_parameters),
		cmocka_unit_test(ids_come_back_as_they_were),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_message_above_the_limit_is_refused_before_it_is_parsed),
		cmocka_unit_test(a_status_has_its_number),
		cmocka_unit_test(a_call_has_the_contract_first_and_then_ours),
		cmocka_unit_test(what_a_call_has_not_is_null_or_empty),
		cmocka_unit_test(notifications_are_whole_messages),
		cmocka_unit_test(an_event_an_answer_and_a_snapshot_carry_the_same_call),
		cmocka_unit_test(answers_name_call_and_tab),
		cmocka_unit_test(what_no_storage_knows_of_is_volatile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
