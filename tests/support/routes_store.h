#pragma once
/* db/db.h without a database, for tests of routes: a pool that answers the statements that routes
 * uses from a few rows in memory. Linked into a test it takes the place of the real room. Jobs run
 * where and when the mode says. */
#include <stdatomic.h>
#include "db/db.h"

enum store_mode {
	STORE_AT_ONCE, /* inside db_submit(): a unit test needs no thread */
	STORE_THREAD,  /* on a thread of its own, as the real pool */
	STORE_FROZEN,  /* nowhere, until the mode changes: a database that hangs */
	STORE_AWAY,    /* every job fails with ST_UNAVAILABLE */
	STORE_FULL,    /* db_submit() answers ST_BUSY */
};

#define STORE_TENANT "00000000-0000-7000-8000-000000000001"
#define STORE_AGENT                                                                                \
	"01890000-0000-7000-8000-0000000000a1" /* login 1001, password "correct horse", Ada Agent  \
						*/
#define STORE_CALL                                                                                 \
	"01890000-0000-7000-8000-0000000000c1" /* +15551234567, 2 calls, 1 no answer, with 2       \
						  events */
#define STORE_NEW_CALL "01890000-0000-7000-8000-0000000000c2" /* no events yet, nobody's */
#define STORE_PASSWORD "correct horse"

struct db *routes_store_create(enum store_mode mode);
void routes_store_destroy(struct db *db); /* waiting jobs end with ST_UNAVAILABLE */
void routes_store_set_mode(struct db *db, enum store_mode mode);
unsigned routes_store_waiting(struct db *db);
void routes_store_set_fill(struct db *db, unsigned percent); /* what db_fill_percent() says */
unsigned routes_store_queries(struct db *db, const char *statement); /* how often it ran */

/* Rows that tests need; texts are copied. */
void routes_store_add_key(struct db *db, const char *key, const char *scopes);
void routes_store_revoke_key(struct db *db, const char *key);
void routes_store_add_link(struct db *db, const char *link);
void routes_store_add_session(struct db *db, const char *token);
