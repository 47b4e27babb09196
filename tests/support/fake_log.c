#include "tests/support/fake_log.h"

#include <assert.h>

#include "base/cleanup.h"

struct record_log {
	void (*on_stable)(void *user, uint64_t number);
	void *user;
	struct record *records;
	unsigned count, forgotten, capacity; /* records[] begins after the forgotten ones */
	uint64_t stable;
	bool is_refusing, has_no_history, is_held;
};

struct record_log *fake_log_open(void (*on_stable)(void *user, uint64_t number), void *user)
{
	struct record_log *log = xcalloc(1, sizeof *log);

	log->on_stable = on_stable;
	log->user = user;
	return log;
}

void fake_log_close(struct record_log *log)
{
	free(log->records);
	free(log);
}

void fake_log_sync(struct record_log *log)
{
	fake_log_sync_to(log, log->count);
}

void fake_log_sync_to(struct record_log *log, uint64_t number)
{
	assert(number <= log->count && !log->is_held);
	if (number <= log->stable)
		return;
	log->stable = number;
	log->on_stable(log->user, number);
}

void fake_log_cut(struct record_log *log)
{
	log->count = (unsigned)log->stable;
}

static unsigned last_checkpoint(const struct record_log *log)
{
	for (unsigned i = log->count; i > 0; i--) {
		const struct record *record = fake_log_record(log, i - 1);

		if (record->has & RECORD_CHECKPOINT_END)
			return (unsigned)record->begun_at - 1;
	}
	return 0;
}

void fake_log_drop_history(struct record_log *log)
{
	log->has_no_history = true;
}

void fake_log_replay(struct record_log *log,
		     void (*each)(void *user, const struct record *record, bool is_state),
		     void *user)
{
	unsigned state_from = last_checkpoint(log), count = log->count;

	for (unsigned i = 0; i < count; i++) {
		const struct record *record = fake_log_record(log, i);

		if (i >= state_from ||
		    (!log->has_no_history &&
		     record->has & (RECORD_STREAM | RECORD_INTENT | RECORD_ANSWER)))
			each(user, record, i >= state_from);
	}
}

void fake_log_refuse(struct record_log *log, bool on)
{
	log->is_refusing = on;
}

unsigned fake_log_count(const struct record_log *log)
{
	return log->count;
}

const struct record *fake_log_record(const struct record_log *log, unsigned index)
{
	assert(index >= log->forgotten && index < log->count);
	return &log->records[index - log->forgotten];
}

void fake_log_forget(struct record_log *log)
{
	log->forgotten = log->count;
}

enum status record_append(struct record_log *log, const struct record *record, uint64_t *ret_number)
{
	if (log->is_refusing)
		return ST_BUSY;
	if (log->count - log->forgotten == log->capacity) {
		log->capacity = log->capacity ? 2 * log->capacity : 256;
		log->records = xrealloc(log->records, log->capacity * sizeof *log->records);
	}
	log->records[log->count - log->forgotten] = *record;
	log->records[log->count - log->forgotten].number = *ret_number = log->count + 1;
	log->count++;
	return ST_OK;
}

void record_log_hold(struct record_log *log, bool on)
{
	log->is_held = on;
}

bool record_log_is_degraded(const struct record_log *log)
{
	return log->is_refusing;
}

uint64_t record_log_waiting(const struct record_log *log)
{
	return log->count - log->stable;
}
