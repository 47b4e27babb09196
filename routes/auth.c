#include "routes/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/private.h"
#include "routes/router.h"
#include "routes/secret.h"

#define CACHE_SLOTS 1024

struct known { /* a token that was right */
	char hash[SECRET_HASH_SIZE];
	int64_t at_us; /* when the database said so */
	struct principal who;
};

struct auth {
	pthread_mutex_t lock;
	const struct clock *clock;
	struct attempts *tokens, *sign_ins;
	struct known known[CACHE_SLOTS]; /* each token has one place, the later one keeps it */
};

struct auth *auth_create(const struct clock *clock)
{
	struct auth *auth = xcalloc(1, sizeof *auth);

	pthread_mutex_init(&auth->lock, NULL);
	auth->clock = clock;
	auth->tokens = attempts_create(clock);
	auth->sign_ins = attempts_create(clock);
	return auth;
}

void auth_destroy(struct auth *auth)
{
	if (!auth)
		return;
	attempts_destroy(auth->tokens);
	attempts_destroy(auth->sign_ins);
	pthread_mutex_destroy(&auth->lock);
	free(auth);
}

struct attempts *auth_sign_ins(struct auth *auth)
{
	return auth->sign_ins;
}

/* ---- what is shown ---- */

static const char *after_scheme(const char *header, const char *scheme)
{
	size_t length = strlen(scheme);

	if (!header || strncasecmp(header, scheme, length) != 0 || header[length] != ' ')
		return NULL;
	header += length;
	return header + strspn(header, " ");
}

static bool read_basic(const char *encoded, char ret[AUTH_TEXT_SIZE])
{
	char text[AUTH_TEXT_SIZE], prefix[KEY_PREFIX_SIZE];

	if (!base64_decode(encoded, text, sizeof text))
		return false;
	char *colon = strchr(text, ':');
	if (!colon)
		return false;
	*colon = '\0';
	if (key_prefix(colon + 1, prefix))
		return str_copy(ret, AUTH_TEXT_SIZE, colon + 1);
	return str_format(ret, AUTH_TEXT_SIZE, "ctsk_%s_%s", text, colon + 1);
}

bool auth_read(const struct request *request, char ret[AUTH_TEXT_SIZE], bool *ret_is_shown)
{
	const char *header = request->wanted[WANT_AUTHORIZATION];
	const char *bearer = after_scheme(header, "Bearer"), *basic = after_scheme(header, "Basic");
	char prefix[KEY_PREFIX_SIZE];

	*ret_is_shown = header || request->wanted[WANT_API_KEY];
	if (header ? bearer != NULL : *ret_is_shown) {
		if (!str_copy(ret, AUTH_TEXT_SIZE, bearer ? bearer : request->wanted[WANT_API_KEY]))
			return false;
	} else if (!basic || !read_basic(basic, ret)) {
		return false;
	}
	return key_prefix(ret, prefix) || (bearer && token_is_well_formed(ret));
}

/* ---- what is believed ---- */

static struct known *place_of(struct auth *auth, const char *hash)
{
	char first[5] = {hash[0], hash[1], hash[2], hash[3], '\0'};

	return &auth->known[strtoul(first, NULL, 16) % CACHE_SLOTS];
}

/* Since when it was right, at most `since_us` ago; false when it was not. */
static bool was_right(struct auth *auth, const char *hash, int64_t since_us, struct principal *ret)
{
	pthread_mutex_lock(&auth->lock);
	const struct known *known = place_of(auth, hash);
	bool is_known = str_equal_constant_time(known->hash, hash, SECRET_HASH_SIZE) &&
			clock_mono_us(auth->clock) - known->at_us < since_us;
	if (is_known)
		*ret = known->who;
	pthread_mutex_unlock(&auth->lock);
	return is_known;
}

static void believe(struct auth *auth, const char *hash, const struct principal *who)
{
	pthread_mutex_lock(&auth->lock);
	struct known *known = place_of(auth, hash);
	memcpy(known->hash, hash, SECRET_HASH_SIZE);
	known->at_us = clock_mono_us(auth->clock);
	known->who = *who;
	pthread_mutex_unlock(&auth->lock);
}

static void forget(struct auth *auth, const char *hash)
{
	pthread_mutex_lock(&auth->lock);
	struct known *known = place_of(auth, hash);
	if (str_equal_constant_time(known->hash, hash, SECRET_HASH_SIZE))
		memset(known, 0, sizeof *known);
	pthread_mutex_unlock(&auth->lock);
}

void auth_forget(struct request *request)
{
	char token[AUTH_TEXT_SIZE], hash[SECRET_HASH_SIZE];
	bool is_shown;

	if (!auth_read(request, token, &is_shown))
		return;
	secret_hash(token, hash);
	forget(request->routes->auth, hash);
}

/* ---- rights ---- */

static enum status check_key(const struct principal *who, enum right right, struct err *err)
{
	static const unsigned needed[] = {[RIGHT_READ] = SCOPE_CALLS_READ,
					  [RIGHT_DIAL] = SCOPE_DIAL,
					  [RIGHT_ADMIN] = SCOPE_ADMIN};

	if (right == RIGHT_SESSION)
		return err_set(err, ST_FORBIDDEN, "session.needed", "",
			       "this is for agents who signed in, not for keys");
	if (who->scopes & needed[right])
		return ST_OK;
	const char *word = scope_word((enum scope)needed[right]);
	return err_set(err, ST_FORBIDDEN, "scope.missing", word, "this key lacks the scope %s",
		       word);
}

static enum status check_right(const struct principal *who, enum right right, struct err *err)
{
	if (who->kind == WHO_KEY)
		return check_key(who, right, err);
	if (right == RIGHT_ADMIN)
		return err_set(err, ST_FORBIDDEN, "scope.missing", scope_word(SCOPE_ADMIN),
			       "this needs a key with the scope %s", scope_word(SCOPE_ADMIN));
	return ST_OK;
}

static void handle(struct request *request)
{
	struct err err = {0};

	if (check_right(&request->who, request->route->right, &err) == ST_OK)
		request->route->handle(request);
	else
		answer_error(request, &err);
}

/* ---- the database's word ---- */

static bool is_ours(const struct request *request, const struct db_result *rows, unsigned column)
{
	struct uuid tenant_id = db_get_uuid(rows, 0, column);

	return uuid_equal(&tenant_id, &request->routes->config.tenant_id);
}

static enum status find_session(struct request *request, struct db_conn *conn, const char *hash,
				bool *ret_found, struct err *err)
{
	struct db_param params[] = {db_text(hash), db_time(clock_wall_ms(request->routes->clock))};
	auto_db_result struct db_result *rows = NULL;
	struct principal *who = &request->who;
	enum status status = db_query(conn, "session_by_token", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	*ret_found = db_rows(rows) == 1 && is_ours(request, rows, 1);
	if (!*ret_found)
		return ST_OK;
	*who = (struct principal){
		.kind = WHO_SESSION,
		.session_id = db_get_uuid(rows, 0, 0),
		.agent_id = db_get_uuid(rows, 0, 2),
		.session_expires_ms = db_get_time_ms(rows, 0, 6),
	};
	db_copy_text(rows, 0, 3, who->login, sizeof who->login);
	db_copy_text(rows, 0, 4, who->name, sizeof who->name);
	db_copy_text(rows, 0, 5, who->extension, sizeof who->extension);
	return ST_OK;
}

static enum status find_key(struct request *request, struct db_conn *conn, const char *prefix,
			    const char *hash, bool *ret_found, struct err *err)
{
	struct db_param params[] = {db_text(prefix),
				    db_time(clock_wall_ms(request->routes->clock))};
	auto_db_result struct db_result *rows = NULL;
	char kept[SECRET_HASH_SIZE] = "", scopes[256] = "";
	enum status status = db_query(conn, "key_by_prefix", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	bool is_known = db_rows(rows) == 1 && is_ours(request, rows, 1);
	if (is_known)
		db_copy_text(rows, 0, 3, kept, sizeof kept);
	*ret_found = str_equal_constant_time(kept, hash, SECRET_HASH_SIZE) && is_known;
	if (!*ret_found)
		return ST_OK;
	request->who = (struct principal){.kind = WHO_KEY, .key_id = db_get_uuid(rows, 0, 0)};
	db_copy_text(rows, 0, 4, scopes, sizeof scopes);
	(void)scopes_parse(scopes, &request->who.scopes, NULL);
	return ST_OK;
}

static enum status refuse(struct request *request, struct err *err)
{
	attempts_add_wrong(request->routes->auth->tokens, request->peer);
	return err_set(err, ST_DENIED, "token.unknown", "",
		       "nobody is known by this token or key: it is wrong, expired or revoked");
}

static enum status look_up(struct request *request, struct db_conn *conn, struct err *err)
{
	char token[AUTH_TEXT_SIZE], prefix[KEY_PREFIX_SIZE], hash[SECRET_HASH_SIZE];
	struct auth *auth = request->routes->auth;
	bool is_shown, is_found = false;

	if (!auth_read(request, token, &is_shown))
		return refuse(request, err);
	secret_hash(token, hash);
	enum status status = key_prefix(token, prefix)
				     ? find_key(request, conn, prefix, hash, &is_found, err)
				     : find_session(request, conn, hash, &is_found, err);
	if (status != ST_OK)
		return status;
	if (!is_found) {
		forget(auth, hash);
		return refuse(request, err);
	}
	believe(auth, hash, &request->who);
	handle(request);
	return ST_OK;
}

void auth_answer_too_many(struct request *request, unsigned wait_s)
{
	struct answer answer;
	struct err err = {0};

	err_set(&err, ST_RATE, "rate.limited", "", "too many wrong attempts: try again in %u s",
		wait_s);
	error_answer_make(request, &err, &answer);
	answer_add(&answer, "Retry-After", "%u", wait_s);
	request_answer(request, &answer);
}

/* An address that has shown too many wrong tokens is not looked up any more, unless it shows one
 * that was right in the last minutes: behind one address there may be many people. */
static bool must_wait(struct request *request, const char *hash)
{
	struct auth *auth = request->routes->auth;
	struct principal ignored;
	unsigned wait_s = attempts_wait_s(auth->tokens, request->peer);

	if (wait_s == 0 || (hash && was_right(auth, hash, AUTH_KNOWN_US, &ignored)))
		return false;
	auth_answer_too_many(request, wait_s);
	return true;
}

static void answer_unknown(struct request *request, bool is_shown)
{
	struct err err = {0};

	if (is_shown) {
		if (must_wait(request, NULL))
			return;
		(void)refuse(request, &err);
	} else {
		err_set(&err, ST_DENIED, "token.missing", "",
			"this needs Authorization: Bearer with a token or an API key");
	}
	answer_error(request, &err);
}

void auth_then_handle(struct request *request)
{
	char token[AUTH_TEXT_SIZE], hash[SECRET_HASH_SIZE];
	bool is_shown;

	if (request->route->right == RIGHT_NONE) {
		request->route->handle(request);
		return;
	}
	if (!auth_read(request, token, &is_shown)) {
		answer_unknown(request, is_shown);
		return;
	}
	secret_hash(token, hash);
	if (was_right(request->routes->auth, hash, AUTH_CACHE_US, &request->who))
		handle(request);
	else if (!must_wait(request, hash))
		request_run(request, look_up);
}
