#pragma once
/* One-use tickets. A page that is signed in asks for one over HTTP and shows it when it opens its
 * socket; so the session's token is in no URL and no sub-protocol list, and a cookie alone never
 * opens a socket. 256 random bits, good for one use within 30 seconds, bound to agent, session and
 * the page's origin. In memory only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/uuid.h"

#define TICKET_SIZE	    44 /* 43 characters and the NUL */
#define TICKET_LIFE_US	    (30 * INT64_C(1000000))
#define TICKETS_MAX	    32768
#define TICKETS_PER_SESSION 64

struct tickets;

struct ticket { /* what it stands for */
	struct uuid agent_id, session_id;
	int64_t session_expires_ms; /* Unix; when the socket must end with it */
};

struct tickets *tickets_create(const struct clock *clock); /* borrowed */
void tickets_destroy(struct tickets *tickets);
/* origin: where the page that asked comes from; NULL or "" = the ticket is good from every allowed
 * origin. ST_RATE "ticket.too_many" for one session, ST_BUSY "ticket.table_full" for all. */
enum status tickets_make(struct tickets *tickets, const struct ticket *ticket, const char *origin,
			 char ret[TICKET_SIZE], struct err *err) MUST_USE;
/* Uses it up. False when it is unknown, used, too old, or was made for another origin (then it is
 * used up too). */
bool tickets_take(struct tickets *tickets, const char *text, size_t length, const char *origin,
		  struct ticket *ret);
void tickets_drop_session(struct tickets *tickets, const struct uuid *session_id);
unsigned tickets_count(struct tickets *tickets); /* that could still be used */
