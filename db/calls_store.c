#include "db/calls_store.h"

#include <string.h>

#define COUNT(params) (sizeof(params) / sizeof((params)[0]))

static enum status unknown_call(struct err *err)
{
	return err_set(err, ST_NOT_FOUND, "dialer_call.unknown", "dialerCallId",
		       "there is no such dialer call");
}

static enum dialer_status parse_status(const char *word)
{
	for (int i = 0; i < DIALER_STATUS_COUNT; i++)
		if (strcmp(dialer_status_word((enum dialer_status)i), word) == 0)
			return (enum dialer_status)i;
	return DIALER_CLOSED;
}

/* The columns of dialer_call_for_attempt, in their order. */
enum column {
	C_ID,
	C_SUBJECT,
	C_TO_NAME,
	C_TO_TYPE,
	C_TO_ID,
	C_PHONE,
	C_DIRECTION,
	C_STATUS,
	C_PHONE_CALL,
	C_CALLS,
	C_NO_ANSWERS,
	C_BUSIES,
	C_CONNECTS,
	C_ABORTS,
	C_DID_CONNECT,
	C_RETRY_ON,
	C_IS_CALLBACK,
};

static struct dialer_counters read_counters(const struct db_result *rows)
{
	return (struct dialer_counters){
		.calls = (int)db_get_int(rows, 0, C_CALLS),
		.no_answers = (int)db_get_int(rows, 0, C_NO_ANSWERS),
		.busies = (int)db_get_int(rows, 0, C_BUSIES),
		.connects = (int)db_get_int(rows, 0, C_CONNECTS),
		.aborts = (int)db_get_int(rows, 0, C_ABORTS),
		.did_connect = db_get_bool(rows, 0, C_DID_CONNECT),
	};
}

static void read_row(const struct db_result *rows, struct dialer_call_row *ret)
{
	char word[WORD_SIZE];

	*ret = (struct dialer_call_row){
		.dialer_call_id = db_get_uuid(rows, 0, C_ID),
		.phone_call_id = db_get_uuid(rows, 0, C_PHONE_CALL),
		.counters = read_counters(rows),
		.retry_at_ms = db_get_time_ms(rows, 0, C_RETRY_ON),
		.is_callback = db_get_bool(rows, 0, C_IS_CALLBACK),
	};
	db_copy_text(rows, 0, C_SUBJECT, ret->subject, sizeof(ret->subject));
	db_copy_text(rows, 0, C_PHONE, ret->phone, sizeof(ret->phone));
	db_copy_text(rows, 0, C_TO_NAME, ret->to.name, sizeof(ret->to.name));
	db_copy_text(rows, 0, C_TO_TYPE, ret->to.type, sizeof(ret->to.type));
	db_copy_text(rows, 0, C_TO_ID, ret->to.id, sizeof(ret->to.id));
	db_copy_text(rows, 0, C_DIRECTION, word, sizeof(word));
	if (!direction_parse(word, &ret->direction))
		ret->direction = DIR_OUTBOUND;
	db_copy_text(rows, 0, C_STATUS, word, sizeof(word));
	ret->status = parse_status(word);
}

enum status calls_load(struct db_conn *conn, const struct uuid *tenant_id,
		       const struct uuid *dialer_call_id, struct dialer_call_row *ret,
		       struct err *err)
{
	const struct db_param params[] = {db_uuid(tenant_id), db_uuid(dialer_call_id)};
	auto_db_result struct db_result *rows = NULL;
	enum status status =
		db_query(conn, "dialer_call_for_attempt", params, COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	if (db_rows(rows) == 0)
		return unknown_call(err);
	read_row(rows, ret);
	return ST_OK;
}

enum status calls_set_computed_outcome(struct db_conn *conn, const struct uuid *tenant_id,
				       const struct uuid *dialer_call_id, const char *outcome,
				       struct err *err)
{
	const struct db_param params[] = {db_uuid(tenant_id), db_uuid(dialer_call_id),
					  db_text(outcome)};
	auto_db_result struct db_result *rows = NULL;
	enum status status = db_query(conn, "dialer_call_set_computed_outcome", params,
				      COUNT(params), &rows, err);

	if (status != ST_OK)
		return status;
	return db_rows(rows) > 0 ? ST_OK : unknown_call(err);
}
