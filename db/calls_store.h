#pragma once
/* Dialer calls in the database beyond plain lists: what a new attempt takes over from the ones
 * before, and the column that belongs to integrators. Every function runs inside a job or on a
 * connection of db_connect(). */
#include "calls/call_view.h"
#include "db/db.h"

struct dialer_call_row {
	struct uuid dialer_call_id, phone_call_id;
	char subject[SUBJECT_SIZE], phone[NUMBER_SIZE];
	struct party_view to;
	enum call_direction direction;
	enum dialer_status status;
	struct dialer_counters counters;
	int64_t retry_at_ms; /* 0 = none */
	bool is_callback;
};

/* ST_NOT_FOUND dialer_call.unknown */
enum status calls_load(struct db_conn *conn, const struct uuid *tenant_id,
		       const struct uuid *dialer_call_id, struct dialer_call_row *ret,
		       struct err *err) MUST_USE;
/* "for your use - to change the outcome": NULL clears it. ST_NOT_FOUND dialer_call.unknown */
enum status calls_set_computed_outcome(struct db_conn *conn, const struct uuid *tenant_id,
				       const struct uuid *dialer_call_id, const char *outcome,
				       struct err *err) MUST_USE;
