/* How long a restarted gateway reads its journal: appends COUNT usual records, then opens and
 * recovers them all as state.
 *
 *   journal_recover COUNT FOLDER     prints {"records":N,"ms":N,"open_ms":N} */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/record.h"

static uint64_t stable, seen;

static void hear_stable(void *user, uint64_t number)
{
	(void)user;
	stable = number;
}

static void hear_degraded(void *user, bool is_degraded, const char *why)
{
	(void)user;
	(void)is_degraded;
	(void)why;
}

static void wake(void *user)
{
	(void)user;
}

static void see(void *user, const struct record *record, bool is_state)
{
	(void)user;
	(void)record;
	seen += is_state;
}

static struct record usual(void)
{
	struct record record = {.has = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN |
				       RECORD_STREAM | RECORD_LIVE | RECORD_STEP,
				.at_ms = 1764000000123,
				.event_name = "talk",
				.call = {.phone = "+15551234567",
					 .to.name = "Grace Example",
					 .to.type = "contact",
					 .extension = "1001",
					 .reason = "answered",
					 .campaign = "Spring",
					 .state_at_ms = 1764000000123,
					 .started_at_ms = 1764000000123}};
	struct uuid *const ids[] = {&record.event_id,	    &record.closed_event_id,
				    &record.call.call_id,   &record.call.dialer_call_id,
				    &record.call.tenant_id, &record.call.agent_id,
				    &record.live.event_id};

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		memset(ids[i], (int)(i + 1), sizeof(*ids[i]));
	strcpy(record.live.line, "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000");
	return record;
}

static struct record_log *open_log(const char *folder)
{
	const struct record_log_events events = {
		.on_stable = hear_stable, .on_degraded = hear_degraded, .wake = wake};
	const struct record_log_config config = {
		.conninfo = "host=/nonexistent", .journal_dir = folder, .node = "n1"};
	struct err err = {0};
	struct record_log *log = record_log_open(&config, &events, NULL, &err);

	if (!log) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return log;
}

static void fill(const char *folder, uint64_t count)
{
	struct record_log *log = open_log(folder);
	struct record record = usual();
	uint64_t number = 0;

	while (number < count) {
		if (record_append(log, &record, &number) != ST_OK)
			poll(NULL, 0, 1);
		record_log_poll(log);
	}
	record_log_close(log, 60000);
}

int main(int argc, char **argv)
{
	struct err err = {0};

	if (argc != 3)
		return 2;
	fill(argv[2], strtoull(argv[1], NULL, 10));
	int64_t began_us = clock_mono_us(&clock_system);
	struct record_log *log = open_log(argv[2]);
	int64_t opened_us = clock_mono_us(&clock_system);
	if (record_log_recover(log, 0, see, NULL, &err) != ST_OK) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	int64_t end_us = clock_mono_us(&clock_system);
	printf("{\"records\":%llu,\"ms\":%lld,\"open_ms\":%lld}\n", (unsigned long long)seen,
	       (long long)(end_us - began_us) / 1000, (long long)(opened_us - began_us) / 1000);
	record_log_close(log, 0);
	return 0;
}
