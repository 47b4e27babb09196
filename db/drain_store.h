#pragma once
/* Some rows and the watermark in one transaction: both are there or neither is. Private to db/. */
#include "db/conn.h"
#include "db/drain_rows.h"

struct drain_move { /* of the watermark */
	const char *node;
	struct uuid journal_id;
	struct uuid tenant_id;
	int64_t lease_epoch; /* 0 = not looked at */
	uint64_t from, to;
};

enum store_verdict {
	STORE_DONE,    /* committed */
	STORE_MOVED,   /* nothing was written: the watermark is not at `from`, or the lease is
			  another's */
	STORE_REFUSED, /* nothing was written: PostgreSQL will never take one of these rows */
	STORE_LATE,    /* it took too long, which fewer rows may not */
	STORE_FAILED,  /* nothing is known: it may be stored or not */
};

/* The connection is open; it may be lost afterwards. */
enum store_verdict drain_store(struct db_conn *conn, struct drain_rows *rows,
			       const struct drain_move *move);
/* The watermark as it is in the database; 0 when there is none. */
enum status drain_position(struct db_conn *conn, const char *node, const struct uuid *journal_id,
			   uint64_t *ret) MUST_USE;
