#include "tests/support/routes_store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "routes/secret.h"
#include "tests/support/routes_rows.h"

#define SECRETS_MAX 32
#define TIME_MS	    1767607200123LL /* 2026-01-05T10:00:00.123Z */

/* ---- the store ---- */

struct secret { /* a session, a key or a link */
	char hash[SECRET_HASH_SIZE], prefix[KEY_PREFIX_SIZE], scopes[64];
	struct uuid id;
	int64_t expires_ms;
	bool is_gone;
};

struct count {
	const char *statement;
	unsigned times;
};

struct db {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	enum store_mode mode;
	bool has_thread, is_closing;
	struct db_job *head, **tail;
	unsigned waiting;
	unsigned fill_percent;
	struct secret sessions[SECRETS_MAX], keys[SECRETS_MAX], links[SECRETS_MAX];
	unsigned session_count, key_count, link_count;
	char password_hash[PASSWORD_HASH_SIZE];
	struct count counts[64];
};

struct db_conn {
	struct db *db;
};

static struct secret *find_secret(struct secret *list, unsigned count, const char *hash)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(list[i].hash, hash) == 0 && !list[i].is_gone)
			return &list[i];
	return NULL;
}

void routes_store_add_key(struct db *db, const char *key, const char *scopes)
{
	struct secret *secret = &db->keys[db->key_count++];

	secret_hash(key, secret->hash);
	if (!key_prefix(key, secret->prefix))
		abort();
	str_copy(secret->scopes, sizeof secret->scopes, scopes);
}

void routes_store_revoke_key(struct db *db, const char *key)
{
	char hash[SECRET_HASH_SIZE];

	secret_hash(key, hash);
	find_secret(db->keys, db->key_count, hash)->is_gone = true;
}

void routes_store_add_link(struct db *db, const char *link)
{
	struct secret *secret = &db->links[db->link_count++];

	secret_hash(link, secret->hash);
	secret->expires_ms = INT64_MAX;
}

void routes_store_add_session(struct db *db, const char *token)
{
	struct secret *secret = &db->sessions[db->session_count++];

	secret_hash(token, secret->hash);
	secret->expires_ms = TIME_MS * 2;
	secret->id = uuid_make(TIME_MS);
}

unsigned routes_store_queries(struct db *db, const char *statement)
{
	for (unsigned i = 0; db->counts[i].statement; i++)
		if (strcmp(db->counts[i].statement, statement) == 0)
			return db->counts[i].times;
	return 0;
}

static void count_query(struct db *db, const char *name)
{
	struct count *count = db->counts;

	while (count->statement && strcmp(count->statement, name) != 0)
		count++;
	count->statement = name;
	count->times++;
}

/* ---- the statements ---- */

static void find_session(struct db *db, const struct db_param *params, struct db_result *rows)
{
	const struct secret *secret = find_secret(db->sessions, db->session_count, params[0].text);
	char id[UUID_TEXT_SIZE];

	if (!secret || secret->expires_ms <= params[1].number)
		return;
	rows_add(rows);
	rows_uuid(rows, "session_id", uuid_format(&secret->id, id));
	rows_uuid(rows, "tenant_id", STORE_TENANT);
	rows_uuid(rows, "agent_id", STORE_AGENT);
	rows_text(rows, "login", "1001");
	rows_text(rows, "full_name", "Ada Agent");
	rows_text(rows, "extension", "1001");
	rows_time(rows, "expires_on", secret->expires_ms);
}

static void insert_session(struct db *db, const struct db_param *params, struct db_result *rows)
{
	struct secret *secret = &db->sessions[db->session_count++ % SECRETS_MAX];

	(void)rows;
	str_copy(secret->hash, sizeof secret->hash, params[3].text);
	secret->id = params[0].uuid;
	secret->expires_ms = params[4].number;
	secret->is_gone = false;
}

static void delete_session(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)rows;
	for (unsigned i = 0; i < db->session_count; i++)
		if (uuid_equal(&db->sessions[i].id, &params[0].uuid))
			db->sessions[i].is_gone = true;
}

static void find_key(struct db *db, const struct db_param *params, struct db_result *rows)
{
	for (unsigned i = 0; i < db->key_count; i++) {
		if (strcmp(db->keys[i].prefix, params[0].text) != 0 || db->keys[i].is_gone)
			continue;
		rows_add(rows);
		rows_uuid(rows, "api_key_id", STORE_AGENT);
		rows_uuid(rows, "tenant_id", STORE_TENANT);
		rows_text(rows, "name", "test");
		rows_text(rows, "secret_hash", db->keys[i].hash);
		rows_text(rows, "scopes", db->keys[i].scopes);
	}
}

static void take_link(struct db *db, const struct db_param *params, struct db_result *rows)
{
	struct secret *secret = find_secret(db->links, db->link_count, params[0].text);

	if (!secret)
		return;
	secret->is_gone = true;
	rows_add(rows);
	rows_uuid(rows, "tenant_id", STORE_TENANT);
	rows_uuid(rows, "agent_id", STORE_AGENT);
	rows_text(rows, "login", "1001");
	rows_text(rows, "full_name", "Ada Agent");
	rows_text(rows, "extension", "1001");
	rows_bool(rows, "is_enabled", true);
}

static void find_agent(struct db *db, const struct db_param *params, struct db_result *rows)
{
	bool is_ada = strcmp(params[1].text, "1001") == 0;

	if (!is_ada && strcmp(params[1].text, "1002") != 0)
		return;
	rows_add(rows);
	rows_uuid(rows, "agent_id", STORE_AGENT);
	rows_text(rows, "login", params[1].text);
	rows_text(rows, "full_name", "Ada Agent");
	rows_text(rows, "extension", "1001");
	rows_text(rows, "cc_agent_id", "");
	rows_text(rows, "password_hash", db->password_hash);
	rows_bool(rows, "is_enabled", is_ada);
}

static void add_dialer_call(struct db_result *rows, const char *key, bool is_fresh)
{
	rows_add(rows);
	rows_uuid(rows, "dialerCallId", key);
	rows_text(rows, "subject", "Spring \"sale\"");
	rows_text(rows, "to", "Ada Example");
	rows_text(rows, "phoneNumber", "+15551234567");
	rows_text(rows, "direction", "ccOutbound");
	rows_text(rows, "status", is_fresh ? "open" : "retry");
	rows_uuid(rows, "agent", is_fresh ? NULL : STORE_AGENT);
	rows_text(rows, "agentName", is_fresh ? NULL : "Ada Agent");
	rows_uuid(rows, "phoneCallId", NULL);
	rows_text(rows, "crmRecordRef", NULL);
	rows_int(rows, "calls", is_fresh ? 0 : 2);
	rows_int(rows, "noAnswers", is_fresh ? 0 : 1);
	rows_int(rows, "busies", 0);
	rows_int(rows, "connects", is_fresh ? 0 : 1);
	rows_int(rows, "aborts", 0);
	rows_bool(rows, "didConnect", !is_fresh);
	rows_text(rows, "computedOutcome", NULL);
	rows_time(rows, "retryOn", 0);
	rows_time(rows, "createdOn", TIME_MS);
	rows_time(rows, "modifiedOn", TIME_MS);
}

static void list_calls(struct db *db, const struct db_param *params, struct db_result *rows)
{
	static const char *const keys[] = {STORE_CALL, STORE_NEW_CALL};

	(void)db;
	for (int64_t i = params[2].number; i < 2 && i < params[1].number + params[2].number; i++)
		add_dialer_call(rows, keys[i], i == 1);
}

static bool is_key(const struct db_param *param, const char *key)
{
	char text[UUID_TEXT_SIZE];

	return strcmp(uuid_format(&param->uuid, text), key) == 0;
}

static void get_call(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)db;
	if (is_key(&params[1], STORE_CALL))
		add_dialer_call(rows, STORE_CALL, false);
	else if (is_key(&params[1], STORE_NEW_CALL))
		add_dialer_call(rows, STORE_NEW_CALL, true);
}

static void count_calls(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)db;
	(void)params;
	rows_add(rows);
	rows_int(rows, "count", 2);
}

static void list_events_of(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)db;
	if (!is_key(&params[1], STORE_CALL))
		return;
	for (int i = 0; i < 2; i++) {
		rows_add(rows);
		rows_uuid(rows, "dialerCallEventId", STORE_NEW_CALL);
		rows_uuid(rows, "dialerCallId", STORE_CALL);
		rows_text(rows, "eventName", i == 0 ? "ring" : "talk");
		rows_text(rows, "direction", "ccOutbound");
		rows_text(rows, "phoneNumber", "+15551234567");
		if (i == 0)
			rows_int(rows, "duration", 4);
		else
			rows_null_int(rows, "duration");
		rows_time(rows, "createdOn", TIME_MS + i);
	}
}

static void load_call(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)db;
	if (!is_key(&params[1], STORE_CALL))
		return;
	rows_add(rows);
	rows_uuid(rows, "dialer_call_id", STORE_CALL);
	rows_text(rows, "subject", "Spring \"sale\"");
	rows_text(rows, "to_name", "Ada Example");
	rows_text(rows, "to_type", "contact");
	rows_text(rows, "to_id", STORE_NEW_CALL);
	rows_text(rows, "phone_number", "+15551234567");
	rows_text(rows, "direction", "ccOutbound");
	rows_text(rows, "status", "retry");
	rows_uuid(rows, "phone_call_id", NULL);
	rows_int(rows, "calls", 2);
	rows_int(rows, "no_answers", 1);
	rows_int(rows, "busies", 0);
	rows_int(rows, "connects", 1);
	rows_int(rows, "aborts", 0);
	rows_bool(rows, "did_connect", true);
	rows_time(rows, "retry_on", 0);
	rows_bool(rows, "is_callback", true);
}

static const struct {
	const char *name;
	unsigned parameters;
	void (*answer)(struct db *db, const struct db_param *params, struct db_result *rows);
} statements[] = {
	{"session_by_token", 2, find_session},
	{"session_insert", 5, insert_session},
	{"session_delete", 1, delete_session},
	{"key_by_prefix", 2, find_key},
	{"link_take", 2, take_link},
	{"agent_by_login", 2, find_agent},
	{"dialer_call_list", 3, list_calls},
	{"dialer_call_get", 2, get_call},
	{"dialer_call_count", 1, count_calls},
	{"event_list_of_call", 4, list_events_of},
	{"dialer_call_for_attempt", 2, load_call},
};

enum status db_query(struct db_conn *conn, const char *name, const struct db_param *params,
		     unsigned count, struct db_result **ret, struct err *err)
{
	struct db_result *rows = rows_new();
	unsigned i = 0;

	pthread_mutex_lock(&conn->db->lock);
	while (i < sizeof statements / sizeof *statements && strcmp(statements[i].name, name) != 0)
		i++;
	if (i == sizeof statements / sizeof *statements) {
		pthread_mutex_unlock(&conn->db->lock);
		db_result_free(rows);
		return err_set(err, ST_INTERNAL, "db.failed", "", "not in the fake store");
	}
	assert(count == statements[i].parameters);
	(void)count;
	count_query(conn->db, statements[i].name);
	statements[i].answer(conn->db, params, rows);
	pthread_mutex_unlock(&conn->db->lock);
	if (ret)
		*ret = rows;
	else
		db_result_free(rows);
	return ST_OK;
}

enum status db_begin(struct db_conn *conn, struct err *err)
{
	(void)conn;
	(void)err;
	return ST_OK;
}

enum status db_commit(struct db_conn *conn, struct err *err)
{
	(void)conn;
	(void)err;
	return ST_OK;
}

void db_rollback(struct db_conn *conn)
{
	(void)conn;
}

/* ---- the pool ---- */

static void run(struct db *db, struct db_job *job)
{
	struct db_conn conn = {.db = db};
	struct err err = {0};
	enum status status = job->run(&conn, job->arg, &err);

	job->done(job->arg, status, &err);
}

static void fail(struct db_job *job)
{
	struct err err = {0};

	err_set(&err, ST_UNAVAILABLE, "storage.away", "", "the database is away");
	job->done(job->arg, ST_UNAVAILABLE, &err);
}

static struct db_job *take_job(struct db *db)
{
	struct db_job *job = db->head;

	if (!job)
		return NULL;
	db->head = job->next;
	if (!db->head)
		db->tail = &db->head;
	db->waiting--;
	return job;
}

static void *work(void *arg)
{
	struct db *db = arg;

	pthread_mutex_lock(&db->lock);
	while (!db->is_closing) {
		struct db_job *job = db->mode == STORE_FROZEN ? NULL : take_job(db);
		if (!job) {
			pthread_cond_wait(&db->news, &db->lock);
			continue;
		}
		pthread_mutex_unlock(&db->lock);
		run(db, job);
		pthread_mutex_lock(&db->lock);
	}
	pthread_mutex_unlock(&db->lock);
	return NULL;
}

struct db *routes_store_create(enum store_mode mode)
{
	struct db *db = xcalloc(1, sizeof *db);

	db->mode = mode;
	db->tail = &db->head;
	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->news, NULL);
	if (password_hash(STORE_PASSWORD, db->password_hash, NULL) != ST_OK)
		abort();
	db->has_thread = mode != STORE_AT_ONCE;
	if (db->has_thread && pthread_create(&db->thread, NULL, work, db) != 0)
		abort();
	return db;
}

void routes_store_destroy(struct db *db)
{
	struct db_job *job;

	pthread_mutex_lock(&db->lock);
	db->is_closing = true;
	pthread_cond_broadcast(&db->news);
	pthread_mutex_unlock(&db->lock);
	if (db->has_thread)
		pthread_join(db->thread, NULL);
	while ((job = take_job(db)))
		fail(job);
	pthread_cond_destroy(&db->news);
	pthread_mutex_destroy(&db->lock);
	free(db);
}

void routes_store_set_mode(struct db *db, enum store_mode mode)
{
	pthread_mutex_lock(&db->lock);
	db->mode = mode;
	pthread_cond_broadcast(&db->news);
	pthread_mutex_unlock(&db->lock);
}

unsigned routes_store_waiting(struct db *db)
{
	pthread_mutex_lock(&db->lock);
	unsigned waiting = db->waiting;
	pthread_mutex_unlock(&db->lock);
	return waiting;
}

enum status db_submit(struct db *db, struct db_job *job, struct err *err)
{
	pthread_mutex_lock(&db->lock);
	enum store_mode mode = db->mode;
	if (mode == STORE_THREAD || mode == STORE_FROZEN) {
		job->next = NULL;
		*db->tail = job;
		db->tail = &job->next;
		db->waiting++;
		pthread_cond_broadcast(&db->news);
	}
	pthread_mutex_unlock(&db->lock);
	if (mode == STORE_FULL)
		return err_set(err, ST_BUSY, "storage.busy", "", "too many requests wait");
	if (mode == STORE_AWAY)
		fail(job);
	else if (mode == STORE_AT_ONCE)
		run(db, job);
	return ST_OK;
}

void routes_store_set_fill(struct db *db, unsigned percent)
{
	db->fill_percent = percent;
}

unsigned db_fill_percent(struct db *db)
{
	return db->fill_percent;
}

bool db_is_available(const struct db *db)
{
	return db->mode != STORE_AWAY;
}
