#pragma once
/* Agents, queues, outcomes and contacts in the database: what sign-in and the commands of the
 * program need. Lists for the doors are plain statements (db/sql/people.sql). Every function runs
 * inside a job or on a connection of db_connect(); texts are checked by the caller for length and
 * characters. */
#include "db/db.h"

struct person {
	struct uuid agent_id;
	char login[33], name[81], extension[33], cc_agent_id[33];
	char password_hash[201]; /* crypt(3)'s, "" = cannot sign in with a password */
	bool is_enabled;
};

/* A nil agent_id is made. ST_CONFLICT agent.exists: login (target "login") or extension
 * ("extension") is taken. */
enum status people_add_agent(struct db_conn *conn, const struct uuid *tenant_id,
			     struct person *agent, struct err *err) MUST_USE;
/* ST_NOT_FOUND agent.unknown */
enum status people_find_agent(struct db_conn *conn, const struct uuid *tenant_id, const char *login,
			      struct person *ret, struct err *err) MUST_USE;
enum status people_set_password(struct db_conn *conn, const struct uuid *tenant_id,
				const char *login, const char *password_hash,
				struct err *err) MUST_USE;
enum status people_set_enabled(struct db_conn *conn, const struct uuid *tenant_id,
			       const char *login, bool is_enabled, struct err *err) MUST_USE;

/* Insert, or change what has this name; *ret_id (may be NULL) is its key. ST_CONFLICT when another
 * row is in the way: a queue with that number (queue.number_taken), another default outcome or one
 * of the same meaning (outcome.taken). */
struct queue_row {
	const char *name, *phone_number, *script_url;
	unsigned wrap_s;
};
enum status people_put_queue(struct db_conn *conn, const struct uuid *tenant_id,
			     const struct queue_row *queue, struct uuid *ret_id,
			     struct err *err) MUST_USE;
struct outcome_row {
	const char *name, *system_for; /* system_for: a word of attempt_result_word(), "" = none */
	bool is_connect_xor_abort, is_default, is_retry;
	unsigned retry_after_s;
	int sort_order;
};
enum status people_put_outcome(struct db_conn *conn, const struct uuid *tenant_id,
			       const struct outcome_row *outcome, struct uuid *ret_id,
			       struct err *err) MUST_USE;
enum status people_put_contact(struct db_conn *conn, const struct uuid *tenant_id, const char *name,
			       const char *phone_number, const char *kind, struct uuid *ret_id,
			       struct err *err) MUST_USE;
