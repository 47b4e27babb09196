#include "db/access_store.h"

#include "base/clock.h"

#define COUNT(params) (sizeof(params) / sizeof((params)[0]))

/* --- sessions --- */

enum status access_add_session(struct db_conn *conn, const struct uuid *session_id,
			       const struct uuid *tenant_id, const struct uuid *agent_id,
			       const char *token_hash, int64_t expires_ms, struct err *err)
{
	const struct db_param params[] = {db_uuid(session_id), db_uuid(tenant_id),
					  db_uuid(agent_id), db_text(token_hash),
					  db_time(expires_ms)};

	return db_query(conn, "session_insert", params, COUNT(params), NULL, err);
}

/* login full_name extension, from this column on */
static void copy_agent(const struct db_result *rows, unsigned column, struct access_agent *ret)
{
	db_copy_text(rows, 0, column, ret->login, sizeof(ret->login));
	db_copy_text(rows, 0, column + 1, ret->name, sizeof(ret->name));
	db_copy_text(rows, 0, column + 2, ret->extension, sizeof(ret->extension));
}

enum status access_find_session(struct db_conn *conn, const char *token_hash, int64_t now_ms,
				struct access_agent *ret, struct err *err)
{
	const struct db_param params[] = {db_text(token_hash), db_time(now_ms)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "session_by_token", params, COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return err_set(err, ST_DENIED, "session.unknown", "token",
			       "this session has ended: sign in again");
	*ret = (struct access_agent){
		.session_id = db_get_uuid(rows, 0, 0),
		.tenant_id = db_get_uuid(rows, 0, 1),
		.agent_id = db_get_uuid(rows, 0, 2),
		.expires_ms = db_get_time_ms(rows, 0, 6),
	};
	copy_agent(rows, 3, ret);
	return ST_OK;
}

enum status access_end_session(struct db_conn *conn, const struct uuid *session_id, struct err *err)
{
	const struct db_param id = db_uuid(session_id);

	return db_query(conn, "session_delete", &id, 1, NULL, err);
}

/* --- links --- */

enum status access_add_link(struct db_conn *conn, const char *link_hash,
			    const struct uuid *tenant_id, const struct uuid *agent_id,
			    int64_t expires_ms, struct err *err)
{
	const struct db_param params[] = {db_text(link_hash), db_uuid(tenant_id), db_uuid(agent_id),
					  db_time(expires_ms)};

	return db_query(conn, "link_insert", params, COUNT(params), NULL, err);
}

enum status access_take_link(struct db_conn *conn, const char *link_hash, int64_t now_ms,
			     struct access_agent *ret, struct err *err)
{
	const struct db_param params[] = {db_text(link_hash), db_time(now_ms)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "link_take", params, COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0 || !db_get_bool(rows, 0, 5))
		return err_set(err, ST_DENIED, "link.unknown", "link",
			       "this link was used already or has expired");
	*ret = (struct access_agent){
		.tenant_id = db_get_uuid(rows, 0, 0),
		.agent_id = db_get_uuid(rows, 0, 1),
	};
	copy_agent(rows, 2, ret);
	return ST_OK;
}

enum status access_remove_expired(struct db_conn *conn, int64_t now_ms, unsigned *ret_removed,
				  struct err *err)
{
	const struct db_param now = db_time(now_ms);
	auto_db_result struct db_result *sessions = NULL;
	auto_db_result struct db_result *links = NULL;
	enum status status = db_query(conn, "session_delete_expired", &now, 1, &sessions, err);

	if (status == ST_OK)
		status = db_query(conn, "link_delete_expired", &now, 1, &links, err);
	if (status == ST_OK && ret_removed)
		*ret_removed = db_rows(sessions) + db_rows(links);
	return status;
}

/* --- keys --- */

enum status access_add_key(struct db_conn *conn, struct access_key *key, struct err *err)
{
	struct uuid id = key->key_id;

	if (uuid_is_nil(&id))
		id = uuid_make(clock_wall_ms(&clock_system));
	const struct db_param params[] = {
		db_uuid(&id),
		db_uuid(&key->tenant_id),
		db_text(key->name),
		db_text(key->prefix),
		db_text(key->secret_hash),
		db_text(key->scopes),
		db_time(key->expires_ms),
	};
	enum status status = db_query(conn, "key_insert", params, COUNT(params), NULL, err);
	if (status == ST_CONFLICT)
		return err_set(err, status, "key.exists", "name",
			       "there is a key called %s already", key->name);
	if (status == ST_OK)
		key->key_id = id;
	return status;
}

enum status access_find_key(struct db_conn *conn, const char *prefix, int64_t now_ms,
			    struct access_key *ret, struct err *err)
{
	const struct db_param params[] = {db_text(prefix), db_time(now_ms)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "key_by_prefix", params, COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return err_set(err, ST_DENIED, "key.unknown", "key",
			       "this key is unknown, revoked or expired");
	*ret = (struct access_key){
		.key_id = db_get_uuid(rows, 0, 0),
		.tenant_id = db_get_uuid(rows, 0, 1),
	};
	db_copy_text(rows, 0, 2, ret->name, sizeof(ret->name));
	db_copy_text(rows, 0, 3, ret->secret_hash, sizeof(ret->secret_hash));
	db_copy_text(rows, 0, 4, ret->scopes, sizeof(ret->scopes));
	return ST_OK;
}

enum status access_revoke_key(struct db_conn *conn, const struct uuid *tenant_id, const char *name,
			      int64_t now_ms, struct err *err)
{
	const struct db_param params[] = {db_uuid(tenant_id), db_text(name), db_time(now_ms)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "key_revoke", params, COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return err_set(err, ST_NOT_FOUND, "key.unknown", "name",
			       "there is no valid key called %s", name);
	return ST_OK;
}
