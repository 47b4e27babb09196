/* Sounds: administrators put, read and delete them; the switch fetches what it is to play. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "control/control.h"
#include "routes/entities.h"
#include "routes/handlers.h"
#include "routes/private.h"
#include "routes/sound_cache.h"
#include "routes/sound_file.h"
#include "routes/static.h"

#define TYPE	"audio/wav"
#define SUFFIX	".wav"
#define KEPT_S	86400 /* an address has its version in it: what it gives never changes */
#define ETAG(t) "\"%.16s\"", (t)

struct asked { /* request->state */
	char name[SOUND_NAME_SIZE], version[SOUND_VERSION_SIZE];
	struct sound_file sound; /* PUT: without its bytes once they are stored */
	bool is_new, is_deleted;
	struct request *request;
};

static struct asked *ask(struct request *request)
{
	struct asked *asked = xcalloc(1, sizeof *asked);
	struct err err = {0};

	request->state = asked;
	asked->request = request;
	if (request_arg(request, 0, asked->name, sizeof asked->name) &&
	    sound_name_is_valid(asked->name))
		return asked;
	err_set(&err, ST_INVALID, "sound.invalid", "name",
		"a sound's name is 1 to 64 of A-Z a-z 0-9 _ -");
	answer_error(request, &err);
	return NULL;
}

static enum status not_found(struct err *err)
{
	return err_set(err, ST_NOT_FOUND, "sound.not_found", "name",
		       "no sound of this name is registered");
}

/* ---- the list ---- */

static enum status run_list(struct request *request, struct db_conn *conn, struct err *err)
{
	struct db_param tenant = db_uuid(&request->routes->config.tenant_id);
	auto_db_result struct db_result *rows = NULL;
	struct json_writer w = {0};
	enum status status = db_query(conn, "sound_list", &tenant, 1, &rows, err);

	if (status != ST_OK)
		return status;
	jw_object(&w);
	jw_key(&w, "value");
	jw_array(&w);
	for (unsigned i = 0; i < db_rows(rows); i++)
		entity_row_write(&w, rows, i);
	jw_array_end(&w);
	jw_object_end(&w);
	answer_json(request, 200, &w);
	return ST_OK;
}

void sound_list_get(struct request *request)
{
	request_run(request, run_list);
}

/* ---- the sound itself ---- */

/* Takes bytes. */
static void answer_sound(struct request *request, const char *sha256, char *bytes, size_t length,
			 unsigned kept_s)
{
	struct answer answer = {.code = 200, .type = TYPE, .body = bytes, .length = length};
	char etag[20];

	(void)str_format(etag, sizeof etag, ETAG(sha256));
	if (etag_is_known(request->wanted[WANT_IF_NONE_MATCH], etag)) {
		free(bytes);
		answer = (struct answer){.code = 304};
	}
	answer_add(&answer, "ETag", "%s", etag);
	answer_add(&answer, "Cache-Control", kept_s ? "private, max-age=%u" : "no-cache", kept_s);
	request_answer(request, &answer);
}

static char *copy_bytes(const struct db_result *rows, unsigned column, size_t *ret_length)
{
	const char *bytes = db_get_text(rows, 0, column, ret_length);
	char *copy = xmalloc(*ret_length + 1);

	memcpy(copy, bytes, *ret_length);
	return copy;
}

static enum status run_get(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct asked *asked = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_text(asked->name)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "sound_get", params, 2, &rows, err);
	char sha256[SOUND_HASH_SIZE], *bytes;
	size_t length;

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return not_found(err);
	db_copy_text(rows, 0, 1, sha256, sizeof sha256);
	bytes = copy_bytes(rows, 0, &length);
	answer_sound(request, sha256, bytes, length, 0);
	return ST_OK;
}

void sound_get(struct request *request)
{
	if (ask(request))
		request_run(request, run_get);
}

/* ---- put and delete ---- */

/* Called when the call plane knows of it: who has the answer can have it played. */
static void on_known(void *arg)
{
	struct asked *asked = arg;
	struct request *request = asked->request;
	struct json_writer w = {0};

	if (asked->is_deleted) {
		answer_empty(request, 204);
	} else {
		jw_object(&w);
		jw_kv_text(&w, "name", asked->name);
		jw_kv_int(&w, "durationMs", asked->sound.duration_ms);
		jw_kv_int(&w, "bytes", (int64_t)asked->sound.length);
		jw_kv_text(&w, "sha256", asked->sound.sha256);
		jw_object_end(&w);
		answer_json(request, asked->is_new ? 201 : 200, &w);
	}
	request_unref(request);
}

static void make_known(struct request *request)
{
	const struct route_hooks *hooks = &request->routes->hooks;
	struct asked *asked = request->state;

	request_ref(request);
	if (hooks->set_sound)
		hooks->set_sound(hooks->user, asked->name,
				 asked->is_deleted ? NULL : asked->version,
				 asked->sound.duration_ms, on_known, asked);
	else
		on_known(asked);
}

static enum status store(struct request *request, struct db_conn *conn, struct asked *asked,
			 struct err *err)
{
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_text(asked->name),
				    db_bytes(asked->sound.wav, asked->sound.length),
				    db_int(asked->sound.duration_ms),
				    db_text(asked->sound.sha256),
				    db_int(SOUNDS_MAX)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "sound_put", params, 6, &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return err_set(err, ST_CONFLICT, "sound.limit", "name",
			       "there are %d sounds already: delete one first", SOUNDS_MAX);
	asked->is_new = db_get_bool(rows, 0, 0);
	return ST_OK;
}

static enum status run_put(struct request *request, struct db_conn *conn, struct err *err)
{
	struct asked *asked = request->state;
	enum status status = sound_convert(request->body, request->body_length, &asked->sound, err);

	if (status != ST_OK)
		return status;
	status = store(request, conn, asked, err);
	str_copy_cut(asked->version, sizeof asked->version, asked->sound.sha256);
	if (status == ST_OK)
		sound_cache_put(request->routes->sounds, asked->name, asked->version,
				asked->sound.wav, asked->sound.length);
	free(asked->sound.wav);
	asked->sound.wav = NULL;
	if (status == ST_OK)
		make_known(request);
	return status;
}

void sound_put(struct request *request)
{
	if (ask(request))
		request_run(request, run_put);
}

static enum status run_delete(struct request *request, struct db_conn *conn, struct err *err)
{
	struct asked *asked = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_text(asked->name)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "sound_delete", params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return not_found(err);
	asked->is_deleted = true;
	sound_cache_drop(request->routes->sounds, asked->name);
	make_known(request);
	return ST_OK;
}

void sound_delete(struct request *request)
{
	if (ask(request))
		request_run(request, run_delete);
}

/* ---- for the switch ---- */

/* /sounds/<version>[-000...]/<name>.wav: zeros make the address long, because Asterisk cuts the
 * path of what it has fetched to the length of the address (docs/telephony.md). Who knows the
 * version, 128 bits of the sound's hash, has been told of it by us or has the sound. Nothing else
 * is asked for, and every other address looks the same.
 */
static bool read_address(const struct request *request, struct asked *asked)
{
	char file[SOUND_NAME_SIZE + sizeof SUFFIX], version[SOUND_VERSION_SIZE + 100];
	size_t length;

	if (!request_arg(request, 0, version, sizeof version))
		return false;
	length = strcspn(version, "-");
	if (version[length] && strspn(version + length + 1, "0") != strlen(version + length + 1))
		return false;
	version[length] = '\0';
	if (!str_copy(asked->version, sizeof asked->version, version) ||
	    strspn(asked->version, "0123456789abcdef") != SOUND_VERSION_SIZE - 1 ||
	    !request_arg(request, 1, file, sizeof file))
		return false;
	length = strlen(file);
	if (length < sizeof SUFFIX || strcmp(file + length - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	file[length - strlen(SUFFIX)] = '\0';
	return sound_name_is_valid(file) && str_copy(asked->name, sizeof asked->name, file);
}

static enum status run_fetch(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct asked *asked = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_text(asked->name), db_text(asked->version)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "sound_fetch", params, 3, &rows, err);
	size_t length;
	char *bytes;

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return not_found(err);
	bytes = copy_bytes(rows, 0, &length);
	sound_cache_put(request->routes->sounds, asked->name, asked->version, bytes, length);
	answer_sound(request, asked->version, bytes, length, KEPT_S);
	return ST_OK;
}

void sound_fetch_get(struct request *request)
{
	struct asked *asked = xcalloc(1, sizeof *asked);
	struct err err = {0};
	size_t length;
	char *bytes;

	request->state = asked;
	if (!read_address(request, asked)) {
		(void)not_found(&err);
		answer_error(request, &err);
		return;
	}
	bytes = sound_cache_get(request->routes->sounds, asked->name, asked->version, &length);
	if (bytes)
		answer_sound(request, asked->version, bytes, length, KEPT_S);
	else
		request_run(request, run_fetch);
}
