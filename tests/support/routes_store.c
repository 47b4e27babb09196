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

#define ROWS_MAX    32
#define COLUMNS_MAX 24
#define TIME_MS	    1767607200123LL /* 2026-01-05T10:00:00.123Z */

/* ---- results ---- */

struct cell {
	enum db_type type;
	bool is_null;
	char text[128];
	int64_t number;
	struct uuid uuid;
};

struct db_result {
	unsigned rows, columns;
	const char *names[COLUMNS_MAX];
	struct cell cells[ROWS_MAX][COLUMNS_MAX];
};

static struct db_result *result_new(void)
{
	return xcalloc(1, sizeof(struct db_result));
}

static struct cell *add_cell(struct db_result *result, const char *name, enum db_type type)
{
	unsigned column = 0;

	while (result->names[column] && strcmp(result->names[column], name) != 0)
		column++;
	assert(column < COLUMNS_MAX && result->rows > 0);
	result->names[column] = name;
	result->columns = column + 1 > result->columns ? column + 1 : result->columns;
	result->cells[result->rows - 1][column].type = type;
	return &result->cells[result->rows - 1][column];
}

static void add_row(struct db_result *result)
{
	assert(result->rows < ROWS_MAX);
	result->rows++;
}

static void add_text(struct db_result *result, const char *name, const char *text)
{
	struct cell *cell = add_cell(result, name, DB_TEXT);

	cell->is_null = !text;
	str_copy_cut(cell->text, sizeof cell->text, text);
}

static void add_int(struct db_result *result, const char *name, int64_t number)
{
	add_cell(result, name, DB_INT)->number = number;
}

static void add_bool(struct db_result *result, const char *name, bool value)
{
	add_cell(result, name, DB_BOOL)->number = value;
}

static void add_time(struct db_result *result, const char *name, int64_t ms)
{
	struct cell *cell = add_cell(result, name, DB_TIME);

	cell->number = ms;
	cell->is_null = ms == 0;
}

static void add_uuid(struct db_result *result, const char *name, const char *text)
{
	struct cell *cell = add_cell(result, name, DB_UUID);

	cell->is_null = !text;
	if (text && !uuid_parse(text, &cell->uuid))
		abort();
}

void db_result_free(struct db_result *result)
{
	free(result);
}

unsigned db_rows(const struct db_result *result)
{
	return result->rows;
}

unsigned db_columns(const struct db_result *result)
{
	return result->columns;
}

const char *db_column_name(const struct db_result *result, unsigned column)
{
	return result->names[column];
}

enum db_type db_column_type(const struct db_result *result, unsigned column)
{
	return result->cells[0][column].type;
}

/* As strict as the real one: a wrong column or type is a defect of the asker. */
static const struct cell *cell_at(const struct db_result *result, unsigned row, unsigned column,
				  enum db_type type)
{
	assert(row < result->rows && column < result->columns);
	assert(result->cells[row][column].type == type);
	(void)type;
	return &result->cells[row][column];
}

bool db_is_null(const struct db_result *result, unsigned row, unsigned column)
{
	return result->cells[row][column].is_null;
}

const char *db_get_text(const struct db_result *result, unsigned row, unsigned column,
			size_t *length)
{
	const struct cell *cell = cell_at(result, row, column, DB_TEXT);

	*length = strlen(cell->text);
	return cell->text;
}

void db_copy_text(const struct db_result *result, unsigned row, unsigned column, char *dst,
		  size_t size)
{
	str_copy_cut(dst, size, cell_at(result, row, column, DB_TEXT)->text);
}

int64_t db_get_int(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_INT)->number;
}

bool db_get_bool(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_BOOL)->number;
}

struct uuid db_get_uuid(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_UUID)->uuid;
}

int64_t db_get_time_ms(const struct db_result *result, unsigned row, unsigned column)
{
	return cell_at(result, row, column, DB_TIME)->number;
}

struct db_param db_text(const char *text)
{
	return (struct db_param){.kind = text ? DB_P_TEXT : DB_P_NULL, .text = text};
}

struct db_param db_int(int64_t value)
{
	return (struct db_param){.kind = DB_P_INT, .number = value};
}

struct db_param db_bool(bool value)
{
	return (struct db_param){.kind = DB_P_BOOL, .number = value};
}

struct db_param db_uuid(const struct uuid *uuid)
{
	if (!uuid || uuid_is_nil(uuid))
		return db_null();
	return (struct db_param){.kind = DB_P_UUID, .uuid = *uuid};
}

struct db_param db_time(int64_t unix_ms)
{
	return (struct db_param){.kind = unix_ms ? DB_P_TIME_MS : DB_P_NULL, .number = unix_ms};
}

struct db_param db_null(void)
{
	return (struct db_param){.kind = DB_P_NULL};
}

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
	struct secret sessions[ROWS_MAX], keys[ROWS_MAX], links[ROWS_MAX];
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
	add_row(rows);
	add_uuid(rows, "session_id", uuid_format(&secret->id, id));
	add_uuid(rows, "tenant_id", STORE_TENANT);
	add_uuid(rows, "agent_id", STORE_AGENT);
	add_text(rows, "login", "1001");
	add_text(rows, "full_name", "Ada Agent");
	add_text(rows, "extension", "1001");
	add_time(rows, "expires_on", secret->expires_ms);
}

static void insert_session(struct db *db, const struct db_param *params, struct db_result *rows)
{
	struct secret *secret = &db->sessions[db->session_count++ % ROWS_MAX];

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
		add_row(rows);
		add_uuid(rows, "api_key_id", STORE_AGENT);
		add_uuid(rows, "tenant_id", STORE_TENANT);
		add_text(rows, "name", "test");
		add_text(rows, "secret_hash", db->keys[i].hash);
		add_text(rows, "scopes", db->keys[i].scopes);
	}
}

static void take_link(struct db *db, const struct db_param *params, struct db_result *rows)
{
	struct secret *secret = find_secret(db->links, db->link_count, params[0].text);

	if (!secret)
		return;
	secret->is_gone = true;
	add_row(rows);
	add_uuid(rows, "tenant_id", STORE_TENANT);
	add_uuid(rows, "agent_id", STORE_AGENT);
	add_text(rows, "login", "1001");
	add_text(rows, "full_name", "Ada Agent");
	add_text(rows, "extension", "1001");
	add_bool(rows, "is_enabled", true);
}

static void find_agent(struct db *db, const struct db_param *params, struct db_result *rows)
{
	bool is_ada = strcmp(params[1].text, "1001") == 0;

	if (!is_ada && strcmp(params[1].text, "1002") != 0)
		return;
	add_row(rows);
	add_uuid(rows, "agent_id", STORE_AGENT);
	add_text(rows, "login", params[1].text);
	add_text(rows, "full_name", "Ada Agent");
	add_text(rows, "extension", "1001");
	add_text(rows, "cc_agent_id", "");
	add_text(rows, "password_hash", db->password_hash);
	add_bool(rows, "is_enabled", is_ada);
}

static void add_dialer_call(struct db_result *rows, const char *key, bool is_fresh)
{
	add_row(rows);
	add_uuid(rows, "dialerCallId", key);
	add_text(rows, "subject", "Spring \"sale\"");
	add_text(rows, "to", "Ada Example");
	add_text(rows, "phoneNumber", "+15551234567");
	add_text(rows, "direction", "ccOutbound");
	add_text(rows, "status", is_fresh ? "open" : "retry");
	add_uuid(rows, "agent", is_fresh ? NULL : STORE_AGENT);
	add_text(rows, "agentName", is_fresh ? NULL : "Ada Agent");
	add_uuid(rows, "phoneCallId", NULL);
	add_text(rows, "crmRecordRef", NULL);
	add_int(rows, "calls", is_fresh ? 0 : 2);
	add_int(rows, "noAnswers", is_fresh ? 0 : 1);
	add_int(rows, "busies", 0);
	add_int(rows, "connects", is_fresh ? 0 : 1);
	add_int(rows, "aborts", 0);
	add_bool(rows, "didConnect", !is_fresh);
	add_text(rows, "computedOutcome", NULL);
	add_time(rows, "retryOn", 0);
	add_time(rows, "createdOn", TIME_MS);
	add_time(rows, "modifiedOn", TIME_MS);
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
	add_row(rows);
	add_int(rows, "count", 2);
}

static void list_events_of(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)db;
	if (!is_key(&params[1], STORE_CALL))
		return;
	for (int i = 0; i < 2; i++) {
		add_row(rows);
		add_uuid(rows, "dialerCallEventId", STORE_NEW_CALL);
		add_uuid(rows, "dialerCallId", STORE_CALL);
		add_text(rows, "eventName", i == 0 ? "ring" : "talk");
		add_text(rows, "direction", "ccOutbound");
		add_text(rows, "phoneNumber", "+15551234567");
		add_int(rows, "duration", i == 0 ? 4 : 0);
		add_time(rows, "createdOn", TIME_MS + i);
		if (i == 1)
			rows->cells[1][5].is_null = true;
	}
}

static void load_call(struct db *db, const struct db_param *params, struct db_result *rows)
{
	(void)db;
	if (!is_key(&params[1], STORE_CALL))
		return;
	add_row(rows);
	add_uuid(rows, "dialer_call_id", STORE_CALL);
	add_text(rows, "subject", "Spring \"sale\"");
	add_text(rows, "to_name", "Ada Example");
	add_text(rows, "to_type", "contact");
	add_text(rows, "to_id", STORE_NEW_CALL);
	add_text(rows, "phone_number", "+15551234567");
	add_text(rows, "direction", "ccOutbound");
	add_text(rows, "status", "retry");
	add_uuid(rows, "phone_call_id", NULL);
	add_int(rows, "calls", 2);
	add_int(rows, "no_answers", 1);
	add_int(rows, "busies", 0);
	add_int(rows, "connects", 1);
	add_int(rows, "aborts", 0);
	add_bool(rows, "did_connect", true);
	add_time(rows, "retry_on", 0);
	add_bool(rows, "is_callback", true);
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
	struct db_result *rows = result_new();
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

bool db_is_available(const struct db *db)
{
	return db->mode != STORE_AWAY;
}
