/* Presents a record to an agent: preview on a tab, dialed when its timer ends. A dialer call that
 * is tried again is loaded on a database worker first, because its row, its number and its counters
 * go on. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "control/control.h"
#include "routes/handlers.h"
#include "routes/private.h"

#define SETTLE_MS 1000

struct presentation {	       /* request->state */
	char login[WORD_SIZE]; /* whose tab; "" = the session's own agent */
	struct command command;
	/* What the body names wins over the row. */
	bool has_number, has_subject, has_name, has_to, has_phone_call, has_direction, has_callback;
};

/* ---- on the call plane ---- */

static void on_reply(void *user, const struct command *command, const struct reply *reply)
{
	struct request *request = user;

	(void)command;
	if (reply->status == ST_OK) {
		struct json_writer w = {0};
		jw_object(&w);
		jw_kv_uuid(&w, "callId", &reply->call_id);
		jw_kv_uuid(&w, "dialerCallId", &reply->dialer_call_id);
		jw_kv_int(&w, "tab", reply->tab);
		jw_object_end(&w);
		answer_json(request, 202, &w);
	} else {
		answer_error(request, &reply->err);
	}
	request_unref(request);
}

static bool choose_agent(struct control *control, struct request *request, struct err *err)
{
	struct presentation *presentation = request->state;
	struct uuid *agent_id = &presentation->command.agent_id;

	if (!*presentation->login) {
		*agent_id = request->who.agent_id;
		return true;
	}
	if (control_find_agent_by_login(control, presentation->login, agent_id))
		return true;
	err_set(err, ST_NOT_FOUND, "agent.unknown", "agent", "no agent has the login \"%s\"",
		presentation->login);
	return false;
}

static void on_call_plane(struct control *control, void *arg)
{
	struct request *request = arg;
	struct presentation *presentation = request->state;
	struct err err = {0};

	if (choose_agent(control, request, &err)) {
		control_command(control, &presentation->command, on_reply, request);
		return;
	}
	answer_error(request, &err);
	request_unref(request);
}

static void post(struct request *request)
{
	struct control *control = request->routes->control;
	struct err err = {0};

	if (control && control_post(control, on_call_plane, request_ref(request)))
		return;
	if (control)
		request_unref(request);
	err_set(&err, ST_BUSY, "control.busy", "", "the call plane takes no more for the moment");
	answer_error(request, &err);
}

/* ---- an earlier dialer call ---- */

static void take_row(struct presentation *presentation, const struct db_result *rows)
{
	struct command *command = &presentation->command;
	char direction[WORD_SIZE];

	if (!presentation->has_subject)
		db_copy_text(rows, 0, 1, command->subject, sizeof command->subject);
	if (!presentation->has_name)
		db_copy_text(rows, 0, 2, command->to.name, sizeof command->to.name);
	if (!presentation->has_to) {
		db_copy_text(rows, 0, 3, command->to.type, sizeof command->to.type);
		db_copy_text(rows, 0, 4, command->to.id, sizeof command->to.id);
	}
	if (!presentation->has_number)
		db_copy_text(rows, 0, 5, command->number, sizeof command->number);
	db_copy_text(rows, 0, 6, direction, sizeof direction);
	if (!presentation->has_direction && strcmp(direction, "outbound") == 0)
		command->direction = DIR_OUTBOUND;
	if (!presentation->has_phone_call)
		command->phone_call_id = db_get_uuid(rows, 0, 8);
	if (!presentation->has_callback)
		command->is_callback = db_get_bool(rows, 0, 16);
	command->counters = (struct dialer_counters){
		.calls = (int)db_get_int(rows, 0, 9),
		.no_answers = (int)db_get_int(rows, 0, 10),
		.busies = (int)db_get_int(rows, 0, 11),
		.connects = (int)db_get_int(rows, 0, 12),
		.aborts = (int)db_get_int(rows, 0, 13),
		.did_connect = db_get_bool(rows, 0, 14),
	};
}

static enum status run_load(struct request *request, struct db_conn *conn, struct err *err)
{
	struct presentation *presentation = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_uuid(&presentation->command.dialer_call_id)};
	auto_db_result struct db_result *rows = NULL;
	/* The counters of the attempt before must be in the row this one goes on with. */
	if (!request_settle(request, SETTLE_MS))
		return err_set(err, ST_UNAVAILABLE, "storage.behind", "dialerCallId",
			       "the attempt before is not in the database yet: try again");
	enum status status = db_query(conn, "dialer_call_for_attempt", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) != 1)
		return err_set(err, ST_NOT_FOUND, "dialer_call.unknown", "dialerCallId",
			       "there is no dialer call with this key");
	take_row(presentation, rows);
	post(request);
	return ST_OK;
}

/* ---- the request ---- */

static enum status read_uuid(const json_t *body, const char *key, struct uuid *ret, bool *ret_found,
			     struct err *err)
{
	char text[UUID_TEXT_SIZE];
	enum status status = json_get_text(body, key, text, sizeof text, ret_found, err);

	if (status == ST_OK && *ret_found && !uuid_parse(text, ret))
		return err_set(err, ST_INVALID, "json.wrong_type", key, "\"%s\" must be a guid",
			       key);
	return status;
}

static enum status read_direction(const json_t *body, struct presentation *presentation,
				  struct err *err)
{
	char word[WORD_SIZE];
	enum call_direction *direction = &presentation->command.direction;
	enum status status = json_get_text(body, "direction", word, sizeof word,
					   &presentation->has_direction, err);

	*direction = DIR_CCOUTBOUND;
	if (status != ST_OK || !presentation->has_direction)
		return status;
	if (direction_parse(word, direction) &&
	    (*direction == DIR_CCOUTBOUND || *direction == DIR_OUTBOUND))
		return ST_OK;
	return err_set(err, ST_INVALID, "direction.invalid", "direction",
		       "a record is presented as ccOutbound or outbound");
}

static enum status read_party(const json_t *body, struct presentation *presentation,
			      struct err *err)
{
	struct party_view *to = &presentation->command.to;
	bool has_id = false;
	enum status status = json_get_text(body, "toName", to->name, sizeof to->name,
					   &presentation->has_name, err);

	if (status == ST_OK)
		status = json_get_text(body, "toType", to->type, sizeof to->type,
				       &presentation->has_to, err);
	if (status == ST_OK)
		status = json_get_text(body, "toId", to->id, sizeof to->id, &has_id, err);
	presentation->has_to |= has_id;
	return status;
}

static enum status read_record(const json_t *body, struct presentation *presentation,
			       struct err *err)
{
	struct command *command = &presentation->command;
	enum status status = json_get_text(body, "number", command->number, sizeof command->number,
					   &presentation->has_number, err);

	if (status == ST_OK)
		status = json_get_text(body, "subject", command->subject, sizeof command->subject,
				       &presentation->has_subject, err);
	if (status == ST_OK)
		status = read_uuid(body, "phoneCallId", &command->phone_call_id,
				   &presentation->has_phone_call, err);
	if (status == ST_OK)
		status = json_get_bool(body, "isCallback", &command->is_callback,
				       &presentation->has_callback, err);
	if (status == ST_OK)
		status = read_party(body, presentation, err);
	if (status == ST_OK)
		status = read_direction(body, presentation, err);
	return status;
}

/* Whose tab: a key names an agent, a session has one of its own and no other. */
static enum status read_agent(const json_t *body, const struct request *request,
			      struct presentation *presentation, struct err *err)
{
	bool is_key = request->who.kind == WHO_KEY;
	bool has_login = false;
	enum status status = json_get_text(body, "agent", presentation->login,
					   sizeof presentation->login, &has_login, err);

	if (status != ST_OK)
		return status;
	if (is_key && (!has_login || !*presentation->login))
		return err_set(err, ST_INVALID, "json.missing", "agent",
			       "\"agent\" must name the agent's login");
	if (!is_key && *presentation->login && strcmp(presentation->login, request->who.login) != 0)
		return err_set(err, ST_FORBIDDEN, "agent.foreign", "agent",
			       "a session presents records to its own agent only");
	if (!is_key)
		presentation->login[0] = '\0';
	return ST_OK;
}

static enum status read_body(const json_t *body, const struct request *request,
			     struct presentation *presentation, bool *ret_again, struct err *err)
{
	struct command *command = &presentation->command;
	long long tab = 0;
	enum status status = read_agent(body, request, presentation, err);

	if (status == ST_OK)
		status = json_get_int(body, "tab", 0, TAB_MAX, &tab, NULL, err);
	if (status == ST_OK)
		status = read_uuid(body, "dialerCallId", &command->dialer_call_id, ret_again, err);
	if (status == ST_OK)
		status = read_record(body, presentation, err);
	if (status == ST_OK && !*command->number && !*ret_again)
		status = err_set(err, ST_INVALID, "json.missing", "number",
				 "\"number\" or \"dialerCallId\" must be given");
	command->kind = CMD_PRESENT;
	command->tab = (int)tab;
	command->actor = request->who.kind == WHO_KEY ? ACTOR_API : ACTOR_AGENT;
	return status;
}

/* The client's key of idempotence, else one that no other command has. */
static enum status choose_id(const struct request *request, struct command *command,
			     struct err *err)
{
	const char *key = request->wanted[WANT_IDEMPOTENCY_KEY];

	if (!key) {
		struct uuid uuid = uuid_make(clock_wall_ms(request->routes->clock));
		uuid_format(&uuid, command->id);
		return ST_OK;
	}
	if (*key && str_is_printable(key) && str_copy(command->id, sizeof command->id, key))
		return ST_OK;
	return err_set(err, ST_INVALID, "http.bad_header", "Idempotency-Key",
		       "Idempotency-Key has 1 to %d characters", COMMAND_ID_SIZE - 1);
}

void present_post(struct request *request)
{
	struct presentation *presentation = xcalloc(1, sizeof *presentation);
	auto_json json_t *body = request_json(request);
	struct err err = {0};
	bool is_again = false;

	request->state = presentation;
	if (!body)
		return;
	enum status status = read_body(body, request, presentation, &is_again, &err);
	if (status == ST_OK)
		status = choose_id(request, &presentation->command, &err);
	if (status != ST_OK)
		answer_error(request, &err);
	else if (is_again)
		request_run(request, run_load);
	else
		post(request);
}
