#pragma once
/* Writes many records as one transaction in one round trip: pipeline mode with a single sync is an
 * implicit transaction. Private to db/. */
#include "db/conn.h"
#include "db/record_rows.h"

enum group_verdict {
	GROUP_STORED,  /* committed */
	GROUP_REFUSED, /* nothing stored: PostgreSQL will never take *ret_refused (NULL: one of
			  them, unknown which) */
	GROUP_FAILED,  /* nothing is known: it may be stored or not; write it again */
};

struct group_watch { /* told once when PostgreSQL is slow to answer */
	void (*on_slow)(void *user);
	void *user;
};

/* The connection is open and the statements are prepared; it may be lost afterwards. */
enum group_verdict record_group_write(struct db_conn *conn, struct record_rows *first,
				      unsigned count, const struct group_watch *watch,
				      struct record_rows **ret_refused);
