#include "tests/support/door_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/record.h"
#include "tests/support/fake_control.h"

#define OUT_MAX 4096

static struct {
	struct record_log *log;
	struct control *control;
	struct door_store store;
	int64_t began_us;
	long appended, told;
	uint64_t random;
	struct {
		unsigned tab; /* of those that were attached to */
		int64_t at_us;
	} on_their_way[OUT_MAX];
	struct call_view told_call;
	struct record record;
} own;

static int64_t now_us(void)
{
	return clock_mono_us(&clock_system);
}

/* ---- what the log says ---- */

/* When it was appended goes into its commandId, so that a client can tell how long it took. */
static void tell(unsigned tab, int64_t at_us)
{
	snprintf(own.told_call.command_id, sizeof(own.told_call.command_id), "%016lld",
		 (long long)at_us);
	fake_tell_seen(own.control, tab, &own.told_call);
}

static void on_stable(void *user, uint64_t number)
{
	(void)user;
	for (; own.told < (long)number; own.told++)
		tell(own.on_their_way[own.told % OUT_MAX].tab,
		     own.on_their_way[own.told % OUT_MAX].at_us);
}

static void on_degraded(void *user, bool is_degraded, const char *why)
{
	(void)user;
	if (is_degraded)
		fprintf(stderr, "the journal: %s\n", why);
}

/* ---- records ---- */

/* The parts that control gives to the step of a live call. */
static void make_record(void)
{
	own.record = (struct record){.has = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN |
					    RECORD_STREAM | RECORD_LIVE | RECORD_STEP,
				     .event_name = "talk",
				     .call = own.told_call,
				     .event_id = fake_uuid(6, 1),
				     .closed_event_id = fake_uuid(6, 2),
				     .closed_duration_ms = 7000,
				     .live.event_id = fake_uuid(6, 1),
				     .live.event_at_ms = own.told_call.state_at_ms};
	strcpy(own.record.live.line, "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000");
}

static bool append_one(void)
{
	unsigned tabs = fake_seen_count(own.control);
	uint64_t number;

	own.random = own.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	unsigned tab = (unsigned)(own.random >> 33) % tabs;
	int64_t at_us = now_us();
	own.record.at_ms = at_us / 1000;
	if (record_append(own.log, &own.record, &number) != ST_OK)
		return false;
	/* The log is new: what was appended as the n-th has the number n. */
	own.on_their_way[own.appended % OUT_MAX].tab = tab;
	own.on_their_way[own.appended % OUT_MAX].at_us = at_us;
	own.appended++;
	return true;
}

/* ---- from outside ---- */

bool door_journal_open(const char *folder, struct control *control, void (*wake)(void *user))
{
	const struct record_log_events events = {
		.on_stable = on_stable, .on_degraded = on_degraded, .wake = wake};
	const struct record_log_config config = {
		.conninfo = "host=/nonexistent", .journal_dir = folder, .node = "probe"};
	struct err err = {0};

	door_journal_close();
	own.log = record_log_open(&config, &events, NULL, &err);
	if (!own.log)
		fprintf(stderr, "%s\n", err.message);
	own.control = control;
	own.random = 4711;
	fake_call(control, 1, 1, CALL_TALK, "", &own.told_call);
	make_record();
	return own.log;
}

void door_journal_close(void)
{
	record_log_close(own.log, 1000);
	memset(&own, 0, sizeof(own));
}

static long first_of_run, last_of_run;

void door_journal_start(const struct door_store *store)
{
	own.store = *store;
	if (own.store.out > OUT_MAX)
		own.store.out = OUT_MAX;
	own.began_us = now_us();
	first_of_run = own.appended;
	last_of_run = own.appended + store->count;
	door_journal_poll();
}

static long due(void)
{
	long count = last_of_run;

	if (own.store.per_second > 0)
		count = first_of_run + (now_us() - own.began_us) * own.store.per_second / 1000000;
	if (count > own.told + own.store.out)
		count = own.told + own.store.out;
	return count < last_of_run ? count : last_of_run;
}

void door_journal_poll(void)
{
	if (!own.log)
		return;
	record_log_poll(own.log);
	while (own.appended < due() && append_one())
		;
}

long door_journal_next_ms(void)
{
	if (!own.log || own.store.per_second == 0 || own.appended >= last_of_run)
		return -1;
	int64_t next_us =
		own.began_us + (own.appended + 1 - first_of_run) * 1000000 / own.store.per_second;
	return next_us > now_us() ? (next_us - now_us() + 999) / 1000 : 1;
}

bool door_journal_is_done(void)
{
	if (!own.log || last_of_run == 0 || own.told < last_of_run)
		return false;
	last_of_run = 0;
	return true;
}
