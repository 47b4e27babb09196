#include "db/people_store.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define COUNT(params) (sizeof(params) / sizeof((params)[0]))

static struct uuid new_id(void)
{
	return uuid_make(clock_wall_ms(&clock_system));
}

/* Which of the two unique columns is in the way is told by the constraint. */
static enum status agent_exists(const struct person *agent, struct err *err)
{
	bool is_extension = err && strstr(err->target, "extension");

	return err_set(err, ST_CONFLICT, "agent.exists", is_extension ? "extension" : "login",
		       "there is an agent with the %s %s already",
		       is_extension ? "extension" : "login",
		       is_extension ? agent->extension : agent->login);
}

enum status people_add_agent(struct db_conn *conn, const struct uuid *tenant_id,
			     struct person *agent, struct err *err)
{
	struct uuid id = uuid_is_nil(&agent->agent_id) ? new_id() : agent->agent_id;
	struct err why = {0};
	const struct db_param params[] = {
		db_uuid(&id),
		db_uuid(tenant_id),
		db_text(agent->login),
		db_text(agent->password_hash[0] ? agent->password_hash : NULL),
		db_text(agent->name),
		db_text(agent->extension),
		db_text(agent->cc_agent_id),
	};
	enum status status = db_query(conn, "agent_insert", params, COUNT(params), NULL, &why);

	if (status == ST_CONFLICT)
		agent_exists(agent, &why);
	if (status != ST_OK) {
		if (err)
			*err = why;
		return status;
	}
	agent->agent_id = id;
	return ST_OK;
}

static enum status unknown_agent(const char *login, struct err *err)
{
	return err_set(err, ST_NOT_FOUND, "agent.unknown", "login",
		       "there is no agent with the login %s", login);
}

enum status people_find_agent(struct db_conn *conn, const struct uuid *tenant_id, const char *login,
			      struct person *ret, struct err *err)
{
	const struct db_param params[] = {db_uuid(tenant_id), db_text(login)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "agent_by_login", params, COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return unknown_agent(login, err);
	ret->agent_id = db_get_uuid(rows, 0, 0);
	db_copy_text(rows, 0, 1, ret->login, sizeof(ret->login));
	db_copy_text(rows, 0, 2, ret->name, sizeof(ret->name));
	db_copy_text(rows, 0, 3, ret->extension, sizeof(ret->extension));
	db_copy_text(rows, 0, 4, ret->cc_agent_id, sizeof(ret->cc_agent_id));
	db_copy_text(rows, 0, 5, ret->password_hash, sizeof(ret->password_hash));
	ret->is_enabled = db_get_bool(rows, 0, 6);
	return ST_OK;
}

/* A statement that returns one row when the agent was there. */
static enum status change_agent(struct db_conn *conn, const char *statement,
				const struct db_param params[3], const char *login, struct err *err)
{
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, statement, params, 3, &rows, err);

	if (status != ST_OK)
		return status;
	return db_rows(rows) > 0 ? ST_OK : unknown_agent(login, err);
}

enum status people_set_password(struct db_conn *conn, const struct uuid *tenant_id,
				const char *login, const char *password_hash, struct err *err)
{
	const struct db_param params[] = {db_uuid(tenant_id), db_text(login),
					  db_text(password_hash)};

	return change_agent(conn, "agent_set_password", params, login, err);
}

enum status people_set_enabled(struct db_conn *conn, const struct uuid *tenant_id,
			       const char *login, bool is_enabled, struct err *err)
{
	const struct db_param params[] = {db_uuid(tenant_id), db_text(login), db_bool(is_enabled)};

	return change_agent(conn, "agent_set_enabled", params, login, err);
}

/* A statement that returns the key of the row it put. */
static enum status put(struct db_conn *conn, const char *statement, const struct db_param *params,
		       unsigned count, struct uuid *ret_id, struct err *err)
{
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, statement, params, count, &rows, err);

	if (status == ST_OK && ret_id)
		*ret_id = db_get_uuid(rows, 0, 0);
	return status;
}

enum status people_put_queue(struct db_conn *conn, const struct uuid *tenant_id,
			     const struct queue_row *queue, struct uuid *ret_id, struct err *err)
{
	struct uuid id = new_id();
	const struct db_param params[] = {
		db_uuid(&id),	       db_uuid(tenant_id),
		db_text(queue->name),  db_text(queue->phone_number),
		db_int(queue->wrap_s), db_text(queue->script_url ? queue->script_url : ""),
	};
	enum status status = put(conn, "queue_upsert", params, COUNT(params), ret_id, err);

	if (status == ST_CONFLICT)
		return err_set(err, status, "queue.number_taken", "phoneNumber",
			       "another queue has the number %s", queue->phone_number);
	return status;
}

enum status people_put_outcome(struct db_conn *conn, const struct uuid *tenant_id,
			       const struct outcome_row *outcome, struct uuid *ret_id,
			       struct err *err)
{
	struct uuid id = new_id();
	const struct db_param params[] = {
		db_uuid(&id),
		db_uuid(tenant_id),
		db_text(outcome->name),
		db_bool(outcome->is_connect_xor_abort),
		db_text(outcome->system_for ? outcome->system_for : ""),
		db_bool(outcome->is_default),
		db_bool(outcome->is_retry),
		db_int(outcome->retry_after_s),
		db_int(outcome->sort_order),
	};
	enum status status = put(conn, "outcome_upsert", params, COUNT(params), ret_id, err);

	if (status == ST_CONFLICT)
		return err_set(err, status, "outcome.taken", "name",
			       "another outcome is the default or has this meaning already");
	return status;
}

enum status people_put_contact(struct db_conn *conn, const struct uuid *tenant_id, const char *name,
			       const char *phone_number, const char *kind, struct uuid *ret_id,
			       struct err *err)
{
	struct uuid id = new_id();
	const struct db_param params[] = {db_uuid(&id), db_uuid(tenant_id), db_text(name),
					  db_text(phone_number), db_text(kind ? kind : "contact")};

	return put(conn, "contact_upsert", params, COUNT(params), ret_id, err);
}
