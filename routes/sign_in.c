/* Sign-in by password or by a one-use link, sign-out, and who am I. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "control/agent_json.h"
#include "control/control.h"
#include "routes/auth.h"
#include "routes/handlers.h"
#include "routes/private.h"
#include "routes/secret.h"

struct sign_in { /* request->state */
	char login[WORD_SIZE], password[PASSWORD_MAX + 1], link[LINK_SIZE];
	char token[TOKEN_SIZE]; /* made when the secret was right */
	int64_t expires_ms;
	struct agent_view agent; /* as the database knows him; the live one replaces it */
};

/* ---- the answer: the agent as the call plane knows him ---- */

static void answer_agent(struct request *request, const struct agent_view *agent)
{
	const struct sign_in *sign_in = request->state;
	struct json_writer w = {0};

	jw_object(&w);
	if (sign_in->token[0]) {
		jw_kv_text(&w, "token", sign_in->token);
		jw_kv_time_ms(&w, "expiresOn", sign_in->expires_ms);
	}
	jw_key(&w, "agent");
	agent_json_write(&w, agent);
	jw_object_end(&w);
	answer_json(request, 200, &w);
}

static void on_call_plane(struct control *control, void *arg)
{
	struct request *request = arg;
	struct sign_in *sign_in = request->state;
	struct agent_view live;

	bool is_known = control_agent_view(control, &sign_in->agent.agent_id, &live);
	answer_agent(request, is_known ? &live : &sign_in->agent);
	request_unref(request);
}

static void ask_call_plane(struct request *request)
{
	struct control *control = request->routes->control;

	if (control && control_post(control, on_call_plane, request_ref(request)))
		return;
	if (control)
		request_unref(request);
	answer_agent(request, &((struct sign_in *)request->state)->agent);
}

/* ---- sign-in, on a database worker ---- */

/* From agent_id, login, full_name and extension, which stand side by side. */
static void read_agent(const struct db_result *rows, unsigned first, struct agent_view *ret)
{
	ret->agent_id = db_get_uuid(rows, 0, first);
	db_copy_text(rows, 0, first + 1, ret->login, sizeof ret->login);
	db_copy_text(rows, 0, first + 2, ret->name, sizeof ret->name);
	db_copy_text(rows, 0, first + 3, ret->extension, sizeof ret->extension);
	ret->state = ret->next_state = AGENT_LOGGED_OUT;
}

static enum status refuse(struct request *request, const char *message, struct err *err)
{
	attempts_add_wrong(auth_sign_ins(request->routes->auth), request->peer);
	log_warn("sign-in refused", "peer=%s request=%s", request->peer, request->id);
	return err_set(err, ST_DENIED, "sign_in.refused", "", "%s", message);
}

static enum status check_password(struct request *request, struct db_conn *conn, struct err *err)
{
	struct sign_in *sign_in = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_text(sign_in->login)};
	auto_db_result struct db_result *rows = NULL;
	char hash[PASSWORD_HASH_SIZE + 1] = "";
	enum status status = db_query(conn, "agent_by_login", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 1 && db_get_bool(rows, 0, 6))
		db_copy_text(rows, 0, 5, hash, sizeof hash);
	bool is_right = password_is_right(sign_in->password, hash);
	explicit_bzero(sign_in->password, sizeof sign_in->password);
	if (!is_right)
		return refuse(request, "the login or the password is wrong", err);
	read_agent(rows, 0, &sign_in->agent);
	return ST_OK;
}

static bool is_ours(const struct request *request, const struct db_result *rows)
{
	struct uuid tenant_id = db_get_uuid(rows, 0, 0);

	return uuid_equal(&tenant_id, &request->routes->config.tenant_id);
}

static enum status use_link(struct request *request, struct db_conn *conn, struct err *err)
{
	struct sign_in *sign_in = request->state;
	char hash[SECRET_HASH_SIZE];
	auto_db_result struct db_result *rows = NULL;

	secret_hash(sign_in->link, hash);
	struct db_param params[] = {db_text(hash), db_time(clock_wall_ms(request->routes->clock))};
	enum status status = db_query(conn, "link_take", params, 2, &rows, err);
	if (status != ST_OK)
		return status;
	if (db_rows(rows) != 1 || !is_ours(request, rows) || !db_get_bool(rows, 0, 5))
		return refuse(request, "this sign-in link is unknown, used or expired", err);
	read_agent(rows, 1, &sign_in->agent);
	return ST_OK;
}

static enum status open_session(struct request *request, struct db_conn *conn, struct err *err)
{
	struct sign_in *sign_in = request->state;
	int64_t now_ms = clock_wall_ms(request->routes->clock);
	struct uuid session_id = uuid_make(now_ms);
	char token[TOKEN_SIZE], hash[SECRET_HASH_SIZE];

	token_make(token);
	secret_hash(token, hash);
	struct db_param params[] = {db_uuid(&session_id),
				    db_uuid(&request->routes->config.tenant_id),
				    db_uuid(&sign_in->agent.agent_id), db_text(hash),
				    db_time(now_ms + SESSION_LIFE_MS)};
	enum status status = db_query(conn, "session_insert", params, 5, NULL, err);
	if (status != ST_OK)
		return status;
	memcpy(sign_in->token, token, sizeof token);
	sign_in->expires_ms = now_ms + SESSION_LIFE_MS;
	return ST_OK;
}

static enum status by_password(struct request *request, struct db_conn *conn, struct err *err)
{
	enum status status = check_password(request, conn, err);

	return status == ST_OK ? open_session(request, conn, err) : status;
}

/* One transaction: a link that could open no session has not been used. */
static enum status by_link(struct request *request, struct db_conn *conn, struct err *err)
{
	enum status status = db_begin(conn, err);

	if (status == ST_OK)
		status = use_link(request, conn, err);
	if (status == ST_OK)
		status = open_session(request, conn, err);
	if (status == ST_OK)
		return db_commit(conn, err);
	db_rollback(conn);
	return status;
}

static enum status run_sign_in(struct request *request, struct db_conn *conn, struct err *err)
{
	struct sign_in *sign_in = request->state;
	enum status status =
		*sign_in->link ? by_link(request, conn, err) : by_password(request, conn, err);

	if (status == ST_OK)
		ask_call_plane(request);
	return status;
}

/* ---- the requests ---- */

static enum status read_body(struct sign_in *sign_in, const json_t *body, struct err *err)
{
	bool has_link = false;
	enum status status =
		json_get_text(body, "link", sign_in->link, sizeof sign_in->link, &has_link, err);

	if (status != ST_OK || has_link)
		return status;
	status = json_need_text(body, "login", sign_in->login, sizeof sign_in->login, err);
	if (status != ST_OK)
		return status;
	return json_need_text(body, "password", sign_in->password, sizeof sign_in->password, err);
}

/* A page of somebody else must not sign its visitor in here. Programs send no Origin. */
static bool origin_is_fine(const struct request *request)
{
	return !request->wanted[WANT_ORIGIN] || request_origin_is_allowed(request) ||
	       request_origin_is_same(request);
}

void sign_in_post(struct request *request)
{
	struct err err = {0};
	unsigned wait_s = attempts_wait_s(auth_sign_ins(request->routes->auth), request->peer);

	if (!origin_is_fine(request)) {
		err_set(&err, ST_FORBIDDEN, "origin.denied", "Origin",
			"this page's origin is not among the configured ones");
		answer_error(request, &err);
		return;
	}
	if (wait_s > 0) {
		auth_answer_too_many(request, wait_s);
		return;
	}
	auto_json json_t *body = request_json(request);
	if (!body)
		return;
	request->state = xcalloc(1, sizeof(struct sign_in));
	if (read_body(request->state, body, &err) == ST_OK)
		request_run(request, run_sign_in);
	else
		answer_error(request, &err);
}

static enum status run_sign_out(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct route_hooks *hooks = &request->routes->hooks;
	struct db_param params[] = {db_uuid(&request->who.session_id)};
	enum status status = db_query(conn, "session_delete", params, 1, NULL, err);

	if (status != ST_OK)
		return status;
	auth_forget(request);
	if (hooks->end_session)
		hooks->end_session(hooks->user, &request->who.session_id);
	answer_empty(request, 204);
	return ST_OK;
}

void sign_out_post(struct request *request)
{
	request_run(request, run_sign_out);
}

void me_get(struct request *request)
{
	struct sign_in *sign_in = xcalloc(1, sizeof *sign_in);
	const struct principal *who = &request->who;

	request->state = sign_in;
	sign_in->agent.agent_id = who->agent_id;
	sign_in->agent.state = sign_in->agent.next_state = AGENT_LOGGED_OUT;
	str_copy(sign_in->agent.login, sizeof sign_in->agent.login, who->login);
	str_copy(sign_in->agent.name, sizeof sign_in->agent.name, who->name);
	str_copy(sign_in->agent.extension, sizeof sign_in->agent.extension, who->extension);
	ask_call_plane(request);
}
