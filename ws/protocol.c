/* The reading half; protocol_write.c is the other. */
#include "ws/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "ws/iso_time.h"

static enum status bad_request(struct err *err, const char *target, const char *why)
{
	return err_set(err, ST_INVALID, "protocol.bad_request", target, "%s", why);
}

/* ---- parameters, one function per shape ---- */

static enum status no_params(const json_t *params, struct command *ret, struct err *err)
{
	(void)params;
	(void)ret;
	(void)err;
	return ST_OK;
}

/* In `preview` there is a number already; where there is none control says so. */
static enum status dial_params(const json_t *params, struct command *ret, struct err *err)
{
	char direction[WORD_SIZE] = "outbound";
	enum status status =
		json_get_text(params, "number", ret->number, sizeof(ret->number), NULL, err);

	if (status == ST_OK)
		status =
			json_get_text(params, "direction", direction, sizeof(direction), NULL, err);
	if (status != ST_OK)
		return status;
	ret->direction = DIR_OUTBOUND;
	if (strcmp(direction, direction_word(DIR_CLICKTOCALL)) == 0)
		ret->direction = DIR_CLICKTOCALL;
	else if (strcmp(direction, direction_word(DIR_OUTBOUND)) != 0)
		return err_set(err, ST_INVALID, "direction.invalid", "direction",
			       "\"direction\" must be clicktocall, outbound or absent");
	return ST_OK;
}

static enum status number_params(const json_t *params, struct command *ret, struct err *err)
{
	return json_need_text(params, "number", ret->number, sizeof(ret->number), err);
}

static enum status call_tab_params(const json_t *params, struct command *ret, struct err *err)
{
	long long tab = 0;
	bool found;
	enum status status = json_get_int(params, "callTab", 1, TAB_MAX, &tab, &found, err);

	if (status == ST_OK && !found)
		return err_set(err, ST_INVALID, "json.missing", "callTab",
			       "\"callTab\" is missing");
	ret->other_tab = (int)tab;
	return status;
}

static enum status sound_params(const json_t *params, struct command *ret, struct err *err)
{
	char to[WORD_SIZE] = "both";
	enum status status =
		json_need_text(params, "filename", ret->sound, sizeof(ret->sound), err);

	if (status == ST_OK)
		status = json_get_text(params, "to", to, sizeof(to), NULL, err);
	if (status != ST_OK)
		return status;
	ret->is_for_customer = strcmp(to, "customer") == 0;
	if (!ret->is_for_customer && strcmp(to, "both") != 0)
		return err_set(err, ST_INVALID, "to.invalid", "to",
			       "\"to\" must be both, customer or absent");
	return ST_OK;
}

static enum status digits_params(const json_t *params, struct command *ret, struct err *err)
{
	enum status status =
		json_need_text(params, "digits", ret->digits, sizeof(ret->digits), err);

	if (status == ST_OK && strspn(ret->digits, "0123456789*#") != strlen(ret->digits))
		return err_set(err, ST_INVALID, "digits.invalid", "digits",
			       "\"digits\" may have 0 to 9, * and # only; nothing was sent");
	return status;
}

static enum status mute_params(const json_t *params, struct command *ret, struct err *err)
{
	bool found;
	enum status status = json_get_bool(params, "on", &ret->on, &found, err);

	if (status == ST_OK && !found)
		return err_set(err, ST_INVALID, "json.missing", "on", "\"on\" is missing");
	return status;
}

static enum status outcome_params(const json_t *params, struct command *ret, struct err *err)
{
	enum status status =
		json_need_text(params, "outcome", ret->outcome, sizeof(ret->outcome), err);

	if (status == ST_OK)
		status = json_get_text(params, "comment", ret->comment, sizeof(ret->comment), NULL,
				       err);
	return status;
}

static enum status callback_params(const json_t *params, struct command *ret, struct err *err)
{
	char at[40];
	enum status status = json_need_text(params, "at", at, sizeof(at), err);

	if (status == ST_OK)
		status = json_get_text(params, "outcome", ret->outcome, sizeof(ret->outcome), NULL,
				       err);
	if (status == ST_OK && !iso_time_parse(at, &ret->retry_at_ms))
		return err_set(err, ST_INVALID, "time.invalid", "at",
			       "\"at\" must be a time such as 2026-11-22T17:00:00Z");
	return status;
}

static enum status reason_params(const json_t *params, struct command *ret, struct err *err)
{
	return json_get_text(params, "reason", ret->reason, sizeof(ret->reason), NULL, err);
}

static enum status ready_params(const json_t *params, struct command *ret, struct err *err)
{
	ret->agent_state = AGENT_READY;
	return reason_params(params, ret, err);
}

static enum status not_ready_params(const json_t *params, struct command *ret, struct err *err)
{
	ret->agent_state = AGENT_NOT_READY;
	return reason_params(params, ret, err);
}

/* Logging out is signing out, over HTTP. */
static enum status state_params(const json_t *params, struct command *ret, struct err *err)
{
	char state[WORD_SIZE];
	enum status status = json_need_text(params, "state", state, sizeof(state), err);

	if (status != ST_OK)
		return status;
	if (!agent_state_parse(state, &ret->agent_state) || ret->agent_state == AGENT_LOGGED_OUT)
		return err_set(err, ST_INVALID, "state.invalid", "state",
			       "\"state\" must be LoggedIn, Ready, Away or NotReady");
	return reason_params(params, ret, err);
}

/* ---- methods ---- */

/* clang-format off */
static const struct method {
	const char *name;
	enum request_kind kind;
	enum command_kind command;
	enum status (*read)(const json_t *params, struct command *ret, struct err *err);
} methods[] = {
	{"attach",           REQUEST_ATTACH,   0,                     NULL},
	{"ping",             REQUEST_PING,     0,                     no_params},
	{"getCall",          REQUEST_GET_CALL, 0,                     no_params},
	{"dial",             REQUEST_COMMAND,  CMD_DIAL,              dial_params},
	{"holdresume",       REQUEST_COMMAND,  CMD_HOLDRESUME,        no_params},
	{"hold",             REQUEST_COMMAND,  CMD_HOLD,              no_params},
	{"resume",           REQUEST_COMMAND,  CMD_RESUME,            no_params},
	{"transferBlind",    REQUEST_COMMAND,  CMD_TRANSFER_BLIND,    number_params},
	{"transferConsult",  REQUEST_COMMAND,  CMD_TRANSFER_CONSULT,  number_params},
	{"transferComplete", REQUEST_COMMAND,  CMD_TRANSFER_COMPLETE, call_tab_params},
	{"conference",       REQUEST_COMMAND,  CMD_CONFERENCE,        call_tab_params},
	{"leave",            REQUEST_COMMAND,  CMD_LEAVE,             no_params},
	{"cancelConsult",    REQUEST_COMMAND,  CMD_CANCEL_CONSULT,    no_params},
	{"answer",           REQUEST_COMMAND,  CMD_ANSWER,            no_params},
	{"release",          REQUEST_COMMAND,  CMD_RELEASE,           no_params},
	{"reject",           REQUEST_COMMAND,  CMD_REJECT,            no_params},
	{"skip",             REQUEST_COMMAND,  CMD_SKIP,              no_params},
	{"playWaveFile",     REQUEST_COMMAND,  CMD_PLAY,              sound_params},
	{"sendDTMF",         REQUEST_COMMAND,  CMD_DTMF,              digits_params},
	{"mute",             REQUEST_COMMAND,  CMD_MUTE,              mute_params},
	{"pauseTimer",       REQUEST_COMMAND,  CMD_PAUSE_TIMER,       no_params},
	{"resumeTimer",      REQUEST_COMMAND,  CMD_RESUME_TIMER,      no_params},
	{"setOutcome",       REQUEST_COMMAND,  CMD_SET_OUTCOME,       outcome_params},
	{"scheduleCallback", REQUEST_COMMAND,  CMD_SCHEDULE_CALLBACK, callback_params},
	{"endWrap",          REQUEST_COMMAND,  CMD_END_WRAP,          no_params},
	{"startRecording",   REQUEST_COMMAND,  CMD_RECORD_START,      no_params},
	{"stopRecording",    REQUEST_COMMAND,  CMD_RECORD_STOP,       no_params},
	{"pauseRecording",   REQUEST_COMMAND,  CMD_RECORD_PAUSE,      no_params},
	{"resumeRecording",  REQUEST_COMMAND,  CMD_RECORD_RESUME,     no_params},
	{"agentReady",       REQUEST_COMMAND,  CMD_AGENT_STATE,       ready_params},
	{"agentNotReady",    REQUEST_COMMAND,  CMD_AGENT_STATE,       not_ready_params},
	{"setState",         REQUEST_COMMAND,  CMD_AGENT_STATE,       state_params},
};
/* clang-format on */

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(name, methods[i].name) == 0)
			return &methods[i];
	return NULL;
}

/* A position that makes no sense is none: its tab gets the snapshot, and not an error it cannot do
 * anything about. */
static bool read_number(const json_t *params, const char *key, uint64_t *ret)
{
	const json_t *number = json_object_get(params, key);

	*ret = 0;
	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(number);
	return true;
}

static enum status read_attach(const json_t *params, struct attach *ret, struct err *err)
{
	long long tab = 1;
	enum status status = json_get_int(params, "tab", 0, TAB_MAX, &tab, NULL, err);

	if (status == ST_OK)
		status = json_get_text(params, "client", ret->client, sizeof(ret->client), NULL,
				       err);
	if (status != ST_OK)
		return status;
	ret->tab = tab == 0 ? 1 : (int)tab;
	ret->has_position =
		read_number(params, "epoch", &ret->epoch) && read_number(params, "seq", &ret->seq);
	return ST_OK;
}

/* ---- the envelope ---- */

static enum status read_id(const json_t *root, struct request_id *ret, struct err *err)
{
	const json_t *id = json_object_get(root, "id");

	if (json_is_integer(id)) {
		ret->is_number = true;
		snprintf(ret->text, sizeof(ret->text), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(id));
		return ST_OK;
	}
	if (!json_is_string(id) || json_string_length(id) == 0 ||
	    json_string_length(id) >= sizeof(ret->text) || !str_is_printable(json_string_value(id)))
		return bad_request(err, "id",
				   "\"id\" must be a text of 1 to 64 bytes or a whole number");
	str_copy(ret->text, sizeof(ret->text), json_string_value(id));
	return ST_OK;
}

static enum status read_envelope(const json_t *root, const char **ret_method,
				 const json_t **ret_params, struct err *err)
{
	const char *version = json_string_value(json_object_get(root, "jsonrpc"));
	const json_t *params = json_object_get(root, "params");

	if (!version || strcmp(version, "2.0") != 0)
		return bad_request(err, "jsonrpc", "\"jsonrpc\" must be \"2.0\"");
	*ret_method = json_string_value(json_object_get(root, "method"));
	if (!*ret_method)
		return bad_request(err, "method", "\"method\" must be a text");
	if (params && !json_is_null(params) && !json_is_object(params))
		return bad_request(err, "params",
				   "\"params\" must be an object: names, not places");
	*ret_params = params;
	return ST_OK;
}

static enum status read_method(const char *name, const json_t *params, struct request *ret,
			       struct err *err)
{
	const struct method *method = find_method(name);

	if (!method) /* the name itself is the client's text: not repeated beyond what err holds */
		return err_set(err, ST_NOT_FOUND, "protocol.unknown_method", "method",
			       "there is no method \"%.40s\"", name);
	ret->kind = method->kind;
	if (method->kind == REQUEST_ATTACH)
		return read_attach(params, &ret->attach, err);
	ret->command.kind = method->command;
	ret->command.actor = ACTOR_AGENT;
	str_copy(ret->command.id, sizeof(ret->command.id), ret->id.text);
	return method->read(params, &ret->command, err);
}

enum status protocol_read(const char *text, size_t length, struct request *ret, struct err *err)
{
	auto_json json_t *root = NULL;
	const char *method = NULL;
	const json_t *params = NULL;

	memset(ret, 0, sizeof(*ret));
	enum status status = json_parse(text, length, &json_limits_command, &root, err);
	if (status == ST_OK)
		status = read_id(root, &ret->id, err);
	if (status == ST_OK)
		status = read_envelope(root, &method, &params, err);
	if (status == ST_OK)
		status = read_method(method, params, ret, err);
	return status;
}
