#include "ws/ticket.h"

#include <assert.h>
#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/str.h"

/* As elsewhere: without memory the process ends. */
#define uthash_fatal(message) abort()
#include <uthash.h>

/* The table is searched by these characters (96 bits), the rest is compared in constant time: what
 * a search takes longer or shorter tells at most that a first part exists. */
#define INDEX_LENGTH 16
#define TEXT_LENGTH  (TICKET_SIZE - 1)

struct session { /* of one or more tickets */
	struct uuid id;
	unsigned count;
	UT_hash_handle hh;
};

struct entry {
	char text[TEXT_LENGTH];
	int64_t expires_us;
	struct ticket ticket;
	char *origin; /* NULL = any */
	struct session *session;
	struct entry *prev, *next; /* in order of age */
	UT_hash_handle hh;
};

struct tickets {
	const struct clock *clock;
	struct entry *by_text, *by_age;
	struct session *sessions;
};

struct tickets *tickets_create(const struct clock *clock)
{
	struct tickets *tickets = xcalloc(1, sizeof(*tickets));

	tickets->clock = clock;
	return tickets;
}

static void forget(struct tickets *tickets, struct entry *entry)
{
	struct session *session = entry->session;

	HASH_DEL(tickets->by_text, entry);
	DL_DELETE(tickets->by_age, entry);
	if (--session->count == 0) {
		HASH_DEL(tickets->sessions, session);
		free(session);
	}
	free(entry->origin);
	free(entry);
}

static void forget_old(struct tickets *tickets)
{
	int64_t now_us = clock_mono_us(tickets->clock);

	while (tickets->by_age && tickets->by_age->expires_us <= now_us)
		forget(tickets, tickets->by_age);
}

void tickets_destroy(struct tickets *tickets)
{
	if (!tickets)
		return;
	while (tickets->by_age)
		forget(tickets, tickets->by_age);
	free(tickets);
}

static struct session *find_session(const struct tickets *tickets, const struct uuid *id)
{
	struct session *session;

	HASH_FIND(hh, tickets->sessions, id, sizeof(*id), session);
	return session;
}

static struct session *need_session(struct tickets *tickets, const struct uuid *id)
{
	struct session *session = find_session(tickets, id);

	if (!session) {
		session = xcalloc(1, sizeof(*session));
		session->id = *id;
		HASH_ADD(hh, tickets->sessions, id, sizeof(session->id), session);
	}
	return session;
}

static enum status check_room(const struct tickets *tickets, const struct uuid *session_id,
			      struct err *err)
{
	const struct session *session = find_session(tickets, session_id);

	if (session && session->count >= TICKETS_PER_SESSION)
		return err_set(err, ST_RATE, "ticket.too_many", "",
			       "%d tickets of this session are not used yet: use them or wait",
			       TICKETS_PER_SESSION);
	if (HASH_COUNT(tickets->by_text) >= TICKETS_MAX)
		return err_set(err, ST_BUSY, "ticket.table_full", "",
			       "too many tickets are waiting to be used: try again");
	return ST_OK;
}

enum status tickets_make(struct tickets *tickets, const struct ticket *ticket, const char *origin,
			 char ret[TICKET_SIZE], struct err *err)
{
	struct entry *entry;
	char text[TICKET_SIZE];

	forget_old(tickets);
	enum status status = check_room(tickets, &ticket->session_id, err);
	if (status != ST_OK)
		return status;
	random_token(text);
	entry = xcalloc(1, sizeof(*entry));
	memcpy(entry->text, text, TEXT_LENGTH);
	entry->expires_us = clock_mono_us(tickets->clock) + TICKET_LIFE_US;
	entry->ticket = *ticket;
	entry->origin = origin && origin[0] ? xstrdup(origin) : NULL;
	entry->session = need_session(tickets, &ticket->session_id);
	entry->session->count++;
	HASH_ADD(hh, tickets->by_text, text, INDEX_LENGTH, entry);
	DL_APPEND(tickets->by_age, entry);
	memcpy(ret, text, TICKET_SIZE);
	return ST_OK;
}

bool tickets_take(struct tickets *tickets, const char *text, size_t length, const char *origin,
		  struct ticket *ret)
{
	struct entry *entry;

	forget_old(tickets);
	if (length != TEXT_LENGTH)
		return false;
	HASH_FIND(hh, tickets->by_text, text, INDEX_LENGTH, entry);
	if (!entry || !str_equal_constant_time(entry->text, text, TEXT_LENGTH))
		return false;
	bool is_good = !entry->origin || (origin && strcmp(entry->origin, origin) == 0);
	if (is_good)
		*ret = entry->ticket;
	forget(tickets, entry);
	return is_good;
}

void tickets_drop_session(struct tickets *tickets, const struct uuid *session_id)
{
	struct entry *entry, *next;

	if (!find_session(tickets, session_id))
		return;
	DL_FOREACH_SAFE(tickets->by_age, entry, next)
		if (uuid_equal(&entry->ticket.session_id, session_id))
			forget(tickets, entry);
}

unsigned tickets_count(struct tickets *tickets)
{
	forget_old(tickets);
	return HASH_COUNT(tickets->by_text);
}
