#pragma once
/* Sessions of agents, one-use sign-in links, keys of programs. Only hashes come here, as 64
 * lower-case hexadecimal digits; who makes and compares secrets is routes' business. Every function
 * runs inside a job or on a connection of db_connect(). */
#include "db/db.h"

#define HASH_TEXT_SIZE	65
#define KEY_PREFIX_SIZE 17
#define KEY_NAME_SIZE	101
#define KEY_SCOPES_SIZE 501

/* Whom a session or a link stands for. */
struct access_agent {
	struct uuid session_id; /* nil for a link */
	struct uuid tenant_id, agent_id;
	char login[33], name[81], extension[33];
	int64_t expires_ms; /* 0 for a link */
};

enum status access_add_session(struct db_conn *conn, const struct uuid *session_id,
			       const struct uuid *tenant_id, const struct uuid *agent_id,
			       const char *token_hash, int64_t expires_ms,
			       struct err *err) MUST_USE;
/* ST_DENIED session.unknown: no such token, expired, or its agent is disabled. */
enum status access_find_session(struct db_conn *conn, const char *token_hash, int64_t now_ms,
				struct access_agent *ret, struct err *err) MUST_USE;
/* Also ST_OK when it was gone already. */
enum status access_end_session(struct db_conn *conn, const struct uuid *session_id,
			       struct err *err) MUST_USE;

enum status access_add_link(struct db_conn *conn, const char *link_hash,
			    const struct uuid *tenant_id, const struct uuid *agent_id,
			    int64_t expires_ms, struct err *err) MUST_USE;
/* Uses it up: of any number that ask at the same time exactly one gets ST_OK; the others ST_DENIED
 * link.unknown. */
enum status access_take_link(struct db_conn *conn, const char *link_hash, int64_t now_ms,
			     struct access_agent *ret, struct err *err) MUST_USE;

/* Expired sessions and links; *ret_removed may be NULL. */
enum status access_remove_expired(struct db_conn *conn, int64_t now_ms, unsigned *ret_removed,
				  struct err *err) MUST_USE;

struct access_key {
	struct uuid key_id, tenant_id;
	char name[KEY_NAME_SIZE], prefix[KEY_PREFIX_SIZE], secret_hash[HASH_TEXT_SIZE],
		scopes[KEY_SCOPES_SIZE];
	int64_t expires_ms; /* 0 = never; not filled by access_find_key(), which finds valid ones
			       only */
};

/* A nil key_id is made. ST_CONFLICT key.exists: a valid key has this name (or, one in 2^64, this
 * prefix). */
enum status access_add_key(struct db_conn *conn, struct access_key *key, struct err *err) MUST_USE;
/* By the part of the key that is no secret; the caller compares the hash. ST_DENIED key.unknown. */
enum status access_find_key(struct db_conn *conn, const char *prefix, int64_t now_ms,
			    struct access_key *ret, struct err *err) MUST_USE;
/* ST_NOT_FOUND key.unknown */
enum status access_revoke_key(struct db_conn *conn, const struct uuid *tenant_id, const char *name,
			      int64_t now_ms, struct err *err) MUST_USE;
