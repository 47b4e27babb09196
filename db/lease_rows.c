#include "db/lease_rows.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static void make_key(char key[LEASE_KEY_SIZE], const struct uuid *tenant_id, const char *what,
		     const char *name)
{
	char tenant[UUID_TEXT_SIZE];

	uuid_format(tenant_id, tenant);
	str_format(key, LEASE_KEY_SIZE, "calltab %s %s %s", tenant, what, name);
}

void lease_self_init(struct lease_self *self, const struct lease_config *config)
{
	*self = (struct lease_self){.tenant_id = config->tenant_id,
				    .instance_id = uuid_make(clock_wall_ms(&clock_system)),
				    .node = config->node,
				    .switch_name = config->switch_name,
				    .pid = getpid()};
	if (gethostname(self->host, sizeof(self->host) - 1) != 0 || !self->host[0])
		str_copy(self->host, sizeof(self->host), "unknown");
	make_key(self->node_key, &config->tenant_id, "node", config->node);
	if (config->switch_name[0])
		make_key(self->switch_key, &config->tenant_id, "switch", config->switch_name);
}

/* --- the locks --- */

static enum status ask_bool(struct db_conn *conn, const char *statement, const char *key, bool *ret,
			    struct err *err)
{
	const struct db_param param = db_text(key);
	struct db_result *rows auto_db_result = NULL;
	enum status status = db_query(conn, statement, &param, 1, &rows, err);

	if (status == ST_OK)
		*ret = db_rows(rows) == 1 && db_get_bool(rows, 0, 0);
	return status;
}

enum status lease_lock(struct db_conn *conn, const struct lease_self *self, bool *ret_is_mine,
		       struct err *err)
{
	bool was_mine;
	enum status status = ask_bool(conn, "lease_lock", self->node_key, ret_is_mine, err);

	if (status != ST_OK || !*ret_is_mine || !self->switch_key[0])
		return status;
	status = ask_bool(conn, "lease_lock", self->switch_key, ret_is_mine, err);
	if (status == ST_OK && !*ret_is_mine)
		status = ask_bool(conn, "lease_unlock", self->node_key, &was_mine, err);
	return status;
}

enum status lease_unlock(struct db_conn *conn, const struct lease_self *self, struct err *err)
{
	bool was_mine;
	enum status status = ask_bool(conn, "lease_unlock", self->node_key, &was_mine, err);

	if (status == ST_OK && self->switch_key[0])
		status = ask_bool(conn, "lease_unlock", self->switch_key, &was_mine, err);
	return status;
}

enum status lease_end_holder(struct db_conn *conn, const struct lease_self *self, int pid,
			     struct err *err)
{
	struct db_param params[] = {db_text(self->node_key), pid ? db_int(pid) : db_null()};
	enum status status = db_query(conn, "lease_end_holder", params, 2, NULL, err);

	params[0] = db_text(self->switch_key);
	if (status == ST_OK && self->switch_key[0])
		status = db_query(conn, "lease_end_holder", params, 2, NULL, err);
	return status;
}

/* --- the row --- */

static void write_where(char where[LEASE_HOLDER_SIZE], const struct db_result *rows, unsigned host,
			unsigned pid)
{
	char name[65];

	db_copy_text(rows, 0, host, name, sizeof(name));
	str_format(where, LEASE_HOLDER_SIZE, "pid %" PRId64 " on %s", db_get_int(rows, 0, pid),
		   name);
}

enum status lease_find_holder(struct db_conn *conn, const struct lease_self *self, bool *ret_found,
			      struct lease_holder *ret, struct err *err)
{
	const struct db_param params[] = {db_uuid(&self->tenant_id), db_text(self->node),
					  db_text(self->switch_name)};
	struct db_result *rows auto_db_result = NULL;
	enum status status = db_query(conn, "lease_holder", params, 3, &rows, err);

	if (status != ST_OK)
		return status;
	*ret_found = db_rows(rows) == 1;
	if (!*ret_found)
		return ST_OK;
	*ret = (struct lease_holder){.epoch = db_get_int(rows, 0, 1),
				     .journal_id = db_get_uuid(rows, 0, 5),
				     .since_ms = db_get_time_ms(rows, 0, 6)};
	db_copy_text(rows, 0, 0, ret->node, sizeof(ret->node));
	write_where(ret->where, rows, 3, 4);
	return ST_OK;
}

enum status lease_claim(struct db_conn *conn, struct lease_self *self, struct err *err)
{
	const struct db_param params[] = {db_uuid(&self->tenant_id),  db_text(self->node),
					  db_text(self->switch_name), db_uuid(&self->instance_id),
					  db_text(self->host),	      db_int(self->pid)};
	struct db_result *rows auto_db_result = NULL;
	enum status status = db_query(conn, "lease_claim", params, 6, &rows, err);

	if (status == ST_OK)
		self->epoch = db_get_int(rows, 0, 0);
	return status;
}

enum status lease_look(struct db_conn *conn, const struct lease_self *self, enum lease_answer *ret,
		       char where[LEASE_HOLDER_SIZE], struct err *err)
{
	const struct db_param params[] = {db_uuid(&self->tenant_id), db_text(self->node)};
	struct db_result *rows auto_db_result = NULL;
	enum status status = db_query(conn, "lease_look", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) != 1 || db_get_int(rows, 0, 0) < self->epoch) {
		*ret = LEASE_UNKNOWN;
		return ST_OK;
	}
	write_where(where, rows, 2, 3);
	*ret = db_get_int(rows, 0, 0) > self->epoch ? LEASE_LOST
	       : db_is_null(rows, 0, 1)		    ? LEASE_MINE
						    : LEASE_WANTED;
	if (*ret == LEASE_WANTED)
		db_copy_text(rows, 0, 1, where, LEASE_HOLDER_SIZE);
	return ST_OK;
}

enum status lease_want(struct db_conn *conn, const struct lease_self *self,
		       const struct lease_holder *holder, struct err *err)
{
	char me[100];
	const struct db_param params[] = {db_uuid(&self->tenant_id), db_text(holder->node),
					  db_int(holder->epoch), db_text(me)};

	str_format(me, sizeof(me), "pid %" PRId64 " on %s", self->pid, self->host);
	return db_query(conn, "lease_want", params, 4, NULL, err);
}

enum status lease_restore(struct db_conn *conn, const struct lease_self *self, struct err *err)
{
	const struct db_param params[] = {db_uuid(&self->tenant_id),  db_text(self->node),
					  db_text(self->switch_name), db_uuid(&self->instance_id),
					  db_text(self->host),	      db_int(self->pid),
					  db_int(self->epoch)};

	return db_query(conn, "lease_restore", params, 7, NULL, err);
}

enum status lease_note_journal(struct db_conn *conn, const struct lease_self *self,
			       const struct uuid *journal_id, struct err *err)
{
	const struct db_param params[] = {db_uuid(&self->tenant_id), db_text(self->node),
					  db_int(self->epoch), db_uuid(journal_id)};

	return db_query(conn, "lease_journal", params, 4, NULL, err);
}

enum status lease_note_end(struct db_conn *conn, const struct lease_self *self, struct err *err)
{
	const struct db_param params[] = {db_uuid(&self->tenant_id), db_text(self->node),
					  db_int(self->epoch)};

	return db_query(conn, "lease_release", params, 3, NULL, err);
}
