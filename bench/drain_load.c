/* clang-format off */
/* A journal full of usual calls, and how soon PostgreSQL has it.
 *
 *   drain_load fill FOLDER COUNT TENANT  appends COUNT records of calls, each of CALL_RECORDS, LIVE of them at a time
 *   drain_load drain FOLDER CONNINFO     {"ms":N}: from opening it until all is stored */
/* clang-format on */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/record.h"

#define LIVE	     200
#define CALL_RECORDS 5
#define DRAINED_MS   300000
#define APART_MS     5 /* events of one second: 200 */

static bool was_refused;

static void on_stable(void *user, uint64_t number)
{
	(void)user;
	(void)number;
}

static void on_degraded(void *user, bool is_degraded, const char *why)
{
	(void)user;
	was_refused |= is_degraded;
	if (is_degraded)
		fprintf(stderr, "%s\n", why);
}

static void on_rejected(void *user, uint64_t number, const char *why)
{
	(void)user;
	was_refused = true;
	fprintf(stderr, "record %llu: %s\n", (unsigned long long)number, why);
}

static void on_trouble(void *user, const char *what, const char *detail)
{
	(void)user;
	fprintf(stderr, "%s: %s\n", what, detail ? detail : "");
}

static void wake(void *user)
{
	(void)user;
}

static struct record_log *open_log(const char *folder, const char *conninfo,
				   struct journal_found *ret_found)
{
	const struct record_log_events events = {.on_stable = on_stable,
						 .on_degraded = on_degraded,
						 .on_rejected = on_rejected,
						 .on_trouble = on_trouble,
						 .wake = wake};
	const struct record_log_config config = {
		.conninfo = conninfo, .journal_dir = folder, .node = "bench"};
	struct err err = {0};
	struct record_log *log = record_log_open(&config, &events, ret_found, &err);

	if (!log) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return log;
}

static struct uuid key(unsigned kind, uint64_t number)
{
	struct uuid uuid = {{(uint8_t)kind, 0, 0, 0, 0, 0, 0x70, 0, 0x80}};

	for (int i = 0; i < 7; i++)
		uuid.bytes[15 - i] = (uint8_t)(number >> (8 * i));
	return uuid;
}

/* The step-th record of a call, as control writes it. */
static struct record record_of(uint64_t call, unsigned step, int64_t at_ms,
			       const struct uuid *tenant_id)
{
	static const char *const names[CALL_RECORDS] = {"preview", "ring", "talk", "wrap", "idle"};
	struct record record = {.has = RECORD_CALL | RECORD_EVENT_OPEN | RECORD_STREAM |
				       RECORD_LIVE | RECORD_STEP,
				.at_ms = at_ms,
				.event_id = key(3, call * CALL_RECORDS + step),
				.event_at_ms = at_ms,
				.call = {.call_id = key(1, call),
					 .dialer_call_id = key(2, call),
					 .tenant_id = *tenant_id,
					 .version = step + 1,
					 .campaign = "Spring",
					 .phone = "+15551234567",
					 .to.name = "Grace Example",
					 .to.type = "contact",
					 .extension = "1001",
					 .reason = "answered",
					 .direction = DIR_OUTBOUND,
					 .state_at_ms = at_ms,
					 .started_at_ms = at_ms},
				.live.event_id = key(3, call * CALL_RECORDS + step)};

	strcpy(record.event_name, names[step]);
	strcpy(record.live.line, "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000");
	if (step > 0) {
		record.has |= RECORD_EVENT_CLOSE;
		record.closed_event_id = key(3, call * CALL_RECORDS + step - 1);
		record.closed_duration_ms = LIVE * APART_MS;
	}
	return record;
}

static void fill(const char *folder, uint64_t count, const struct uuid *tenant_id)
{
	struct record_log *log = open_log(folder, "host=/nonexistent", NULL);
	int64_t now_ms = clock_wall_ms(&clock_system) - (int64_t)count * APART_MS;
	uint64_t number = 0;

	for (uint64_t i = 0; i < count; i++) {
		/* One after the other of those that live takes a step; then others come. */
		uint64_t call = i / (LIVE * CALL_RECORDS) * LIVE + i % LIVE;
		unsigned step = (unsigned)(i / LIVE % CALL_RECORDS);
		struct record record =
			record_of(call, step, now_ms + (int64_t)i * APART_MS, tenant_id);
		while (record_append(log, &record, &number) != ST_OK) {
			poll(NULL, 0, 1);
			record_log_poll(log);
		}
	}
	if (record_log_close(log, 60000) > 0)
		exit(1);
	printf("{\"records\":%llu}\n", (unsigned long long)number);
}

static void drain(const char *folder, const char *conninfo)
{
	int64_t began_us = clock_mono_us(&clock_system);
	struct record_log *log = open_log(folder, conninfo, NULL);

	if (!record_log_settle(log, DRAINED_MS))
		was_refused = true;
	int64_t took_us = clock_mono_us(&clock_system) - began_us;
	record_log_poll(log);
	record_log_close(log, 0);
	if (was_refused)
		exit(1);
	printf("{\"ms\":%.1f}\n", (double)took_us / 1000);
}

int main(int argc, char **argv)
{
	struct uuid tenant_id;

	if (argc == 5 && strcmp(argv[1], "fill") == 0 && uuid_parse(argv[4], &tenant_id))
		fill(argv[2], strtoull(argv[3], NULL, 10), &tenant_id);
	else if (argc == 4 && strcmp(argv[1], "drain") == 0)
		drain(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
