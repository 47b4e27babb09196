/* Answers: who wins, what every one of them carries, and the two shapes of an error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/shed.h"
#include "base/str.h"
#include "routes/private.h"

const char *http_reason(int code)
{
	static const struct {
		int code;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{302, "Found"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].code == code)
			return reasons[i].reason;
	return "";
}

/* ---- the struct ---- */

void answer_add(struct answer *answer, const char *name, const char *format, ...)
{
	va_list args;
	char *value = NULL;

	if (answer->field_count == ANSWER_FIELDS)
		abort(); /* a handler of ours adds more than there is room for */
	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		abort();
	va_end(args);
	answer->fields[answer->field_count].name = name;
	answer->fields[answer->field_count++].value = value;
}

void answer_done(struct answer *answer)
{
	for (unsigned i = 0; i < answer->field_count; i++)
		free(answer->fields[i].value);
	if (!answer->is_borrowed)
		free(answer->body);
	*answer = (struct answer){0};
}

const char *answer_field(const struct answer *answer, const char *name)
{
	for (unsigned i = 0; i < answer->field_count; i++)
		if (strcasecmp(answer->fields[i].name, name) == 0)
			return answer->fields[i].value;
	return NULL;
}

/* ---- errors ---- */

static bool is_under_odata(const struct request *request)
{
	return strncmp(request->path, "/odata/", 7) == 0 || strcmp(request->path, "/odata") == 0;
}

/* Clients of OData know these words; the dotted codes are ours (docs/http-api.md). */
static const char *odata_code(int code, const struct err *err)
{
	static const struct {
		int code;
		const char *word;
	} words[] = {
		{400, "BadRequest"},	  {401, "Unauthorized"},	 {403, "Forbidden"},
		{404, "NotFound"},	  {405, "MethodNotAllowed"},	 {409, "Conflict"},
		{413, "PayloadTooLarge"}, {415, "UnsupportedMediaType"}, {429, "TooManyRequests"},
		{500, "InternalError"},	  {501, "NotImplemented"},	 {503, "Unavailable"},
		{504, "QueryTimeout"},
	};

	if (!strchr(err->code, '.') && *err->code)
		return err->code;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].code == code)
			return words[i].word;
	return err->code;
}

static void write_odata(struct json_writer *w, const struct request *request, int code,
			const struct err *err)
{
	jw_object(w);
	jw_key(w, "error");
	jw_object(w);
	jw_kv_text(w, "code", odata_code(code, err));
	jw_kv_text(w, "message", err->message);
	if (*err->target)
		jw_kv_text(w, "target", err->target);
	jw_key(w, "innererror");
	jw_object(w);
	jw_kv_text(w, "requestId", request->id);
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
}

static void write_problem(struct json_writer *w, const struct request *request, int code,
			  const struct err *err)
{
	jw_object(w);
	jw_kv_text(w, "type", "about:blank");
	jw_kv_text(w, "title", http_reason(code));
	jw_kv_int(w, "status", code);
	jw_kv_text(w, "detail", err->message);
	jw_kv_text(w, "code", err->code);
	if (*err->target)
		jw_kv_text(w, "target", err->target);
	jw_kv_text(w, "requestId", request->id);
	jw_object_end(w);
}

/* A browser's script that gets the Basic challenge has its user asked for a password by the
 * browser. */
static void add_challenges(const struct request *request, struct answer *answer)
{
	const char *mode = request->wanted[WANT_FETCH_MODE];

	answer_add(answer, "WWW-Authenticate", "Bearer realm=\"calltab\"");
	if (!mode || strcmp(mode, "navigate") == 0)
		answer_add(answer, "WWW-Authenticate",
			   "Basic realm=\"calltab\", charset=\"UTF-8\"");
}

void error_answer_make_as(const struct request *request, int code, const struct err *err,
			  struct answer *ret)
{
	struct json_writer w = {0};

	if (is_under_odata(request))
		write_odata(&w, request, code, err);
	else
		write_problem(&w, request, code, err);
	*ret = (struct answer){.code = code};
	ret->type = is_under_odata(request) ? "application/json" : "application/problem+json";
	ret->body = jw_take(&w, &ret->length);
	if (code == 401)
		add_challenges(request, ret);
	if (code == 503 || code == 504)
		answer_add(ret, "Retry-After", "%u", shed_retry_s());
}

void error_answer_make(const struct request *request, const struct err *err, struct answer *ret)
{
	error_answer_make_as(request, status_http(err->status), err, ret);
}

/* ---- answering ---- */

static void add_cors(const struct request *request, struct answer *answer)
{
	if (request->routes->config.origins)
		answer_add(answer, "Vary", "Origin");
	if (!request_origin_is_allowed(request))
		return;
	answer_add(answer, "Access-Control-Allow-Origin", "%s", request->wanted[WANT_ORIGIN]);
	answer_add(answer, "Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id");
}

/* What every answer carries. */
static void finish(const struct request *request, struct answer *answer)
{
	answer_add(answer, "X-Request-Id", "%s", request->id);
	answer_add(answer, "X-Content-Type-Options", "nosniff");
	answer_add(answer, "Referrer-Policy", "no-referrer");
	answer_add(answer, "Content-Security-Policy", "%s",
		   request->routes->content_security_policy);
	if (!answer_field(answer, "Cache-Control"))
		answer_add(answer, "Cache-Control", "no-store");
	add_cors(request, answer);
	/* 0.9.75 takes chunk lines that other programs read differently: nothing that follows such
	 * a body on the same connection is to be taken for a request. */
	if (request->is_chunked)
		answer->closes = true;
}

void request_answer(struct request *request, struct answer *answer)
{
	if (atomic_exchange(&request->is_claimed, true)) {
		answer_done(answer);
		return;
	}
	finish(request, answer);
	request->answer = *answer;
	*answer = (struct answer){0};
	if (atomic_exchange(&request->stage, STAGE_ANSWERED) == STAGE_WAITING)
		request->resume(request);
}

void answer_json(struct request *request, int code, struct json_writer *w)
{
	struct answer answer = {.code = code, .type = "application/json"};

	answer.body = jw_take(w, &answer.length);
	request_answer(request, &answer);
}

void answer_empty(struct request *request, int code)
{
	request_answer(request, &(struct answer){.code = code});
}

void answer_error(struct request *request, const struct err *err)
{
	struct answer answer;

	error_answer_make(request, err, &answer);
	request_answer(request, &answer);
}

void answer_rejection(struct request *request, const struct err *err)
{
	struct answer answer;

	error_answer_make(request, err, &answer);
	answer.closes = true;
	request_answer(request, &answer);
}
