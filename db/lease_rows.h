#pragma once
/* What the lease asks of PostgreSQL (db/sql/leases.sql). Private to db/; lease.c is its only user.
 */
#include "db/conn.h"
#include "db/lease.h"

#define LEASE_KEY_SIZE	  320
#define LEASE_HOLDER_SIZE 120

struct lease_self { /* who asks */
	struct uuid tenant_id, instance_id;
	const char *node, *switch_name;
	char host[65];
	int64_t pid, epoch;					   /* epoch: 0 = none yet */
	char node_key[LEASE_KEY_SIZE], switch_key[LEASE_KEY_SIZE]; /* of the locks; "" = none */
};

struct lease_holder {
	char node[16];
	int64_t epoch, since_ms;
	struct uuid journal_id;	       /* nil: not known */
	char where[LEASE_HOLDER_SIZE]; /* "pid 4711 on web1" */
};

enum lease_answer {
	LEASE_MINE,
	LEASE_WANTED, /* mine, and another one waits for it */
	LEASE_LOST,
	LEASE_UNKNOWN, /* the row is gone, or older than mine */
};

void lease_self_init(struct lease_self *self, const struct lease_config *config);
/* Both locks or none. */
enum status lease_lock(struct db_conn *conn, const struct lease_self *self, bool *ret_is_mine,
		       struct err *err) MUST_USE;
enum status lease_unlock(struct db_conn *conn, const struct lease_self *self,
			 struct err *err) MUST_USE;
/* Ends the sessions that hold our locks; pid 0 = whoever they are. */
enum status lease_end_holder(struct db_conn *conn, const struct lease_self *self, int pid,
			     struct err *err) MUST_USE;
enum status lease_find_holder(struct db_conn *conn, const struct lease_self *self, bool *ret_found,
			      struct lease_holder *ret, struct err *err) MUST_USE;
enum status lease_claim(struct db_conn *conn, struct lease_self *self, struct err *err) MUST_USE;
/* where: of whoever has or wants it. */
enum status lease_look(struct db_conn *conn, const struct lease_self *self, enum lease_answer *ret,
		       char where[LEASE_HOLDER_SIZE], struct err *err) MUST_USE;
enum status lease_want(struct db_conn *conn, const struct lease_self *self,
		       const struct lease_holder *holder, struct err *err) MUST_USE;
enum status lease_restore(struct db_conn *conn, const struct lease_self *self,
			  struct err *err) MUST_USE;
enum status lease_note_journal(struct db_conn *conn, const struct lease_self *self,
			       const struct uuid *journal_id, struct err *err) MUST_USE;
enum status lease_note_end(struct db_conn *conn, const struct lease_self *self,
			   struct err *err) MUST_USE;
