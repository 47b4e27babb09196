#pragma once
/* One gateway for a node and a switch, whatever machine and folder it has (the journal's lock knows
 * only its own folder). It is PostgreSQL that arbitrates: a session's advisory lock for the node
 * and one for the switch, on a connection of their own, and a row of gateway_leases that says whose
 * they are. The row's epoch grows with every gateway that begins.
 *
 * A running gateway does not need PostgreSQL: when the connection breaks it goes on, connects again
 * and takes its locks again. Only when the row says that another one began meanwhile it is lost:
 * on_lost(). Who comes new and finds a row that was not ended in order waits long enough for its
 * holder to come back, unless he has the holder's journal (the same folder, not in use): then the
 * holder is dead.
 *
 *   lease_take() -> lease_watch() -> ... -> lease_release() */
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/uuid.h"

struct lease;

struct lease_config {
	const char *conninfo;
	struct uuid tenant_id;
	const char *node;
	const char *switch_name; /* "" = one that nobody else can reach */
	const char *journal_dir; /* it need not be there */
	bool take_over;		 /* asks the holder to end, and waits for it */
	unsigned wait_s;	 /* at most so long; 0 = 60 */
	unsigned grace_ms;	 /* for a holder that may come back; 0 = 6 s; less is for tests */
	/* What is being waited for, a line each, within lease_take(). May be NULL. */
	void (*on_progress)(void *user, const char *line);
	void *user;
};

struct lease_events { /* called on the lease's thread, each at most once */
	/* Another gateway wants to take over: end in order. */
	void (*on_wanted)(void *user, const char *by);
	/* Another gateway has taken over: stop commanding the switch at once. */
	void (*on_lost)(void *user, const char *by);
	/* For the log: what PostgreSQL said. May be NULL. */
	void (*on_trouble)(void *user, const char *what, const char *detail);
	void *user;
};

/* ST_CONFLICT "lease.held" names the holder and says since when; ST_UNAVAILABLE without a database.
 * NULL then. */
struct lease *lease_take(const struct lease_config *config, struct err *err);
/* journal_id: of the journal that is written from now on. */
void lease_watch(struct lease *lease, const struct lease_events *events,
		 const struct uuid *journal_id);
/* What the drain's transactions compare with. */
int64_t lease_epoch(const struct lease *lease);
/* The end in order: the next one need not wait. NULL is fine. */
void lease_release(struct lease *lease);
