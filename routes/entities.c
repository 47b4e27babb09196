#include "routes/entities.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "routes/handlers.h"
#include "routes/private.h"

#define SETTLE_MS 250 /* usually 5 */

#define TOP_DEFAULT   100
#define TOP_MAX	      1000
#define SKIP_MAX      1000000000
#define NAME_MAX_SIZE 64

/* clang-format off */
const struct entity_set entity_sets[] = {
	{
		.name = "cts_dialerCalls", .alias = "cts_dialerCall",
		.list = "dialer_call_list", .one = "dialer_call_get", .count = "dialer_call_count",
		.related = {
			{"dialerCallEvents", "event_list_of_call"},
			{"dialerCallResults", "result_list_of_call"},
		},
		.properties = {
			{"dialerCallId", DB_UUID}, {"subject", DB_TEXT}, {"to", DB_TEXT},
			{"phoneNumber", DB_TEXT}, {"direction", DB_TEXT}, {"status", DB_TEXT},
			{"agent", DB_UUID}, {"agentName", DB_TEXT}, {"phoneCallId", DB_UUID}, {"crmRecordRef", DB_TEXT},
			{"calls", DB_INT}, {"noAnswers", DB_INT}, {"busies", DB_INT}, {"connects", DB_INT},
			{"aborts", DB_INT}, {"didConnect", DB_BOOL}, {"computedOutcome", DB_TEXT},
			{"retryOn", DB_TIME}, {"createdOn", DB_TIME}, {"modifiedOn", DB_TIME},
		},
	},
	{
		.name = "cts_dialerCallEvents", .alias = "cts_dialerCallEvent",
		.list = "event_list", .one = "event_get",
		.count = "event_count",
		.properties = {
			{"dialerCallEventId", DB_UUID}, {"dialerCallId", DB_UUID}, {"eventName", DB_TEXT},
			{"direction", DB_TEXT}, {"phoneNumber", DB_TEXT}, {"duration", DB_INT},
			{"createdOn", DB_TIME},
		},
	},
	{
		.name = "cts_dialerCallResults", .alias = "cts_dialerCallResult",
		.list = "result_list", .one = "result_get",
		.count = "result_count",
		.properties = {
			{"dialerCallResultId", DB_UUID}, {"dialerCallId", DB_UUID}, {"agent", DB_UUID},
			{"agentName", DB_TEXT}, {"direction", DB_TEXT}, {"phoneNumber", DB_TEXT},
			{"result", DB_TEXT}, {"subject", DB_TEXT}, {"comment", DB_TEXT},
			{"createdOn", DB_TIME},
		},
	},
	{
		.name = "agents", .list = "agent_list", .one = "agent_get", .count = "agent_count",
		.properties = {
			{"agentId", DB_UUID}, {"fullName", DB_TEXT}, {"extension", DB_TEXT},
			{"state", DB_TEXT}, {"modifiedOn", DB_TIME},
		},
	},
	{
		.name = "queues", .list = "queue_list", .one = "queue_get", .count = "queue_count",
		.properties = {
			{"queueId", DB_UUID}, {"name", DB_TEXT}, {"phoneNumber", DB_TEXT},
			{"modifiedOn", DB_TIME},
		},
	},
	{
		.name = "outcomes", .list = "outcome_list", .one = "outcome_get", .count = "outcome_count",
		.properties = {
			{"outcomeId", DB_UUID}, {"name", DB_TEXT}, {"isConnectXorAbort", DB_BOOL},
			{"isAutomatic", DB_BOOL}, {"modifiedOn", DB_TIME},
		},
	},
	{0},
};
/* clang-format on */

const struct entity_set *entity_set_find(const char *name)
{
	for (const struct entity_set *set = entity_sets; set->name; set++)
		if (strcmp(set->name, name) == 0 || (set->alias && strcmp(set->alias, name) == 0))
			return set;
	for (const struct entity_set *set = entity_sets; set->name; set++)
		if (strcasecmp(set->name, name) == 0 ||
		    (set->alias && strcasecmp(set->alias, name) == 0))
			return set;
	return NULL;
}

const struct entity_related *entity_related_find(const struct entity_set *set, const char *name)
{
	for (const struct entity_related *related = set->related; related->name; related++)
		if (strcasecmp(related->name, name) == 0)
			return related;
	return NULL;
}

/* ---- rows to JSON ---- */

static void write_value(struct json_writer *w, const struct db_result *rows, unsigned row,
			unsigned column)
{
	size_t length = 0;
	struct uuid uuid;

	if (db_is_null(rows, row, column)) {
		jw_null(w);
		return;
	}
	switch (db_column_type(rows, column)) {
	case DB_TEXT: {
		const char *text = db_get_text(rows, row, column, &length);
		jw_text_n(w, text, length);
		break;
	}
	case DB_INT:
		jw_int(w, db_get_int(rows, row, column));
		break;
	case DB_BOOL:
		jw_bool(w, db_get_bool(rows, row, column));
		break;
	case DB_UUID:
		uuid = db_get_uuid(rows, row, column);
		jw_uuid(w, &uuid);
		break;
	case DB_TIME:
		jw_time_ms(w, db_get_time_ms(rows, row, column));
		break;
	}
}

void entity_row_write(struct json_writer *w, const struct db_result *rows, unsigned row)
{
	jw_object(w);
	for (unsigned column = 0; column < db_columns(rows); column++) {
		jw_key(w, db_column_name(rows, column));
		write_value(w, rows, row, column);
	}
	jw_object_end(w);
}

static void answer_rows(struct request *request, const struct db_result *rows)
{
	struct json_writer w = {0};

	jw_object(&w);
	jw_key(&w, "value");
	jw_array(&w);
	for (unsigned row = 0; row < db_rows(rows); row++)
		entity_row_write(&w, rows, row);
	jw_array_end(&w);
	jw_object_end(&w);
	answer_json(request, 200, &w);
}

/* ---- what the request asks for ---- */

struct question { /* request->state */
	const struct entity_set *set;
	const struct entity_related *related;
	struct uuid key;
	long long top, skip;
};

static enum status not_found(struct err *err)
{
	return err_set(err, ST_NOT_FOUND, "NotFound", "", "there is no such set or row");
}

static enum status read_number(const struct request *request, const char *name, long long max,
			       long long *ret, struct err *err)
{
	char text[12];
	enum request_option option = request_option(request, name, text, sizeof text);

	if (option == OPTION_ABSENT)
		return ST_OK;
	if (option == OPTION_BAD || !*text || text[strspn(text, "0123456789")] || atoll(text) > max)
		return err_set(err, ST_INVALID, "InvalidQueryOption", name,
			       "%s must be a number from 0 to %lld", name, max);
	*ret = atoll(text);
	return ST_OK;
}

/* What begins with a dollar sign has a meaning in OData: to pass over what we do not do yet would
 * answer with rows that were not asked for. */
static enum status check_options(const struct request *request, struct err *err)
{
	static const char *const unsupported[] = {
		"$filter",  "$select", "$orderby", "$expand", "$search",    "$apply",
		"$compute", "$count",  "$format",  "$index",  "$skiptoken", "$deltatoken"};
	char ignored[2];

	for (unsigned i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
		if (request_option(request, unsupported[i], ignored, sizeof ignored) !=
		    OPTION_ABSENT)
			return err_set(err, ST_UNSUPPORTED, "NotImplemented", unsupported[i],
				       "%s is not implemented", unsupported[i]);
	return ST_OK;
}

static enum status read_key(const struct request *request, struct question *question,
			    struct err *err)
{
	char text[UUID_TEXT_SIZE];

	if (!request_arg(request, 1, text, sizeof text) || !uuid_parse(text, &question->key))
		return err_set(err, ST_INVALID, "InvalidKey", "",
			       "the key in parentheses must be a guid without quotes");
	return ST_OK;
}

/* Makes the question; NULL when it was answered with an error. */
static struct question *ask(struct request *request, bool has_key, bool has_related)
{
	struct question *question = xcalloc(1, sizeof *question);
	char name[NAME_MAX_SIZE];
	struct err err = {0};
	enum status status = check_options(request, &err);

	request->state = question;
	*question = (struct question){.top = TOP_DEFAULT};
	if (status == ST_OK && (!request_arg(request, 0, name, sizeof name) ||
				!(question->set = entity_set_find(name))))
		status = not_found(&err);
	if (status == ST_OK && has_key)
		status = read_key(request, question, &err);
	if (status == ST_OK && has_related &&
	    (!request_arg(request, 2, name, sizeof name) ||
	     !(question->related = entity_related_find(question->set, name))))
		status = not_found(&err);
	if (status == ST_OK)
		status = read_number(request, "$top", TOP_MAX, &question->top, &err);
	if (status == ST_OK)
		status = read_number(request, "$skip", SKIP_MAX, &question->skip, &err);
	if (status == ST_OK)
		return question;
	answer_error(request, &err);
	return NULL;
}

/* ---- on a database worker ---- */

/* What is older than the last moments is shown in any case. */
static void settle(struct request *request)
{
	(void)request_settle(request, SETTLE_MS);
}

static enum status run_list(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct question *question = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_int(question->top), db_int(question->skip)};
	auto_db_result struct db_result *rows = NULL;

	settle(request);
	enum status status = db_query(conn, question->set->list, params, 3, &rows, err);

	if (status == ST_OK)
		answer_rows(request, rows);
	return status;
}

static enum status run_count(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct question *question = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id)};
	auto_db_result struct db_result *rows = NULL;

	settle(request);
	enum status status = db_query(conn, question->set->count, params, 1, &rows, err);

	if (status != ST_OK)
		return status;
	struct answer answer = {.code = 200, .type = "text/plain; charset=utf-8"};
	int length = asprintf(&answer.body, "%lld", (long long)db_get_int(rows, 0, 0));
	if (length < 0)
		abort();
	answer.length = (size_t)length;
	request_answer(request, &answer);
	return ST_OK;
}

static enum status run_one(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct question *question = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_uuid(&question->key)};
	auto_db_result struct db_result *rows = NULL;

	settle(request);
	enum status status = db_query(conn, question->set->one, params, 2, &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return not_found(err);
	struct json_writer w = {0};
	entity_row_write(&w, rows, 0);
	answer_json(request, 200, &w);
	return ST_OK;
}

/* A row that is not there is told from one that has no events yet. */
static enum status run_related(struct request *request, struct db_conn *conn, struct err *err)
{
	const struct question *question = request->state;
	struct db_param params[] = {db_uuid(&request->routes->config.tenant_id),
				    db_uuid(&question->key), db_int(question->top),
				    db_int(question->skip)};
	auto_db_result struct db_result *rows = NULL, *owner = NULL;

	settle(request);
	enum status status = db_query(conn, question->related->statement, params, 4, &rows, err);

	if (status == ST_OK && db_rows(rows) == 0)
		status = db_query(conn, question->set->one, params, 2, &owner, err);
	if (status == ST_OK && owner && db_rows(owner) == 0)
		return not_found(err);
	if (status == ST_OK)
		answer_rows(request, rows);
	return status;
}

/* ---- handlers ---- */

void entity_list_get(struct request *request)
{
	if (ask(request, false, false))
		request_run(request, run_list);
}

void entity_count_get(struct request *request)
{
	if (ask(request, false, false))
		request_run(request, run_count);
}

void entity_one_get(struct request *request)
{
	if (ask(request, true, false))
		request_run(request, run_one);
}

void entity_related_get(struct request *request)
{
	if (ask(request, true, true))
		request_run(request, run_related);
}
