#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/str.h"
#include "db/journal_id.h"
#include "db/record_log_priv.h"

#define LIMIT_DEFAULT	   100000
#define KEEP_DEFAULT_S	   900
#define CHECKPOINT_RECORDS 50000
#define ENTRY_OVERHEAD	   32 /* of the journal, for each record; about */

/* --- news of the other threads --- */

/* Called with the lock held; gives it back. */
static void unlock_with_news(struct record_log *log)
{
	bool is_first = !log->has_news && !log->is_stopping;

	log->has_news = true;
	pthread_mutex_unlock(&log->lock);
	if (is_first)
		log->events.wake(log->events.user);
}

static void on_synced(void *user, uint64_t number)
{
	struct record_log *log = user;
	struct drain *drain = atomic_load(&log->drain);

	atomic_store(&log->synced, number);
	pthread_mutex_lock(&log->lock);
	unlock_with_news(log);
	if (drain)
		drain_wake(drain);
}

static void on_journal_degraded(void *user, const char *why)
{
	struct record_log *log = user;

	pthread_mutex_lock(&log->lock);
	log->news.is_degraded = why != NULL;
	str_copy_cut(log->news.degraded_why, WHY_SIZE, why);
	unlock_with_news(log);
}

static void on_database(void *user, bool is_away, const char *why)
{
	struct record_log *log = user;

	pthread_mutex_lock(&log->lock);
	log->news.is_database_away = is_away;
	str_copy_cut(log->news.database_why, WHY_SIZE, why);
	unlock_with_news(log);
}

static void on_rejected(void *user, uint64_t number, const char *why)
{
	struct record_log *log = user;

	pthread_mutex_lock(&log->lock);
	unsigned at = log->news.rejected_count++;
	if (at < REJECTED_KEPT) {
		log->news.rejected[at].number = number;
		str_copy_cut(log->news.rejected[at].why, WHY_SIZE, why);
	}
	unlock_with_news(log);
}

static void on_trouble(void *user, const char *what, const char *detail)
{
	struct record_log *log = user;

	if (log->events.on_trouble)
		log->events.on_trouble(log->events.user, what, detail);
}

/* --- opening and closing --- */

static enum status open_journal(struct record_log *log, const struct record_log_config *config,
				struct journal_found *found, struct err *err)
{
	const struct journal_config journal = {.folder = config->journal_dir,
					       .node = config->node,
					       .io = config->io,
					       .segment_size = config->segment_size,
					       .salvage = config->salvage};
	const struct journal_events events = {
		.on_synced = on_synced, .on_degraded = on_journal_degraded, .user = log};

	log->journal = journal_open(&journal, &events, found, err);
	if (!log->journal)
		return err->status;
	atomic_store(&log->synced, found->last);
	log->told_stable = found->last;
	return ST_OK;
}

static enum status open_drain(struct record_log *log, const struct record_log_config *config,
			      const struct journal_found *found, struct err *err)
{
	const struct journal_io *io = config->io ? config->io : &journal_io_system;
	const struct drain_events events = {.on_database = on_database,
					    .on_rejected = on_rejected,
					    .on_trouble = on_trouble,
					    .user = log};
	struct drain_config drain = {.conninfo = config->conninfo,
				     .node = config->node,
				     .tenant_id = config->tenant_id,
				     .lease_epoch = config->lease_epoch,
				     .journal = log->journal,
				     .first = found->first,
				     .last = found->last,
				     .keep_s = config->keep_s ? config->keep_s : KEEP_DEFAULT_S};
	/* An empty journal counts from 1, one with a gap may do so again: neither is what the
	 * watermark in the database is about. */
	bool is_new = found->last == 0 || found->salvaged_gap > 0;
	enum status status =
		journal_id_get(config->journal_dir, io, is_new, &drain.journal_id, err);

	log->journal_id = drain.journal_id;
	if (status == ST_OK)
		atomic_store(&log->drain, drain_open(&drain, &events));
	return status;
}

struct record_log *record_log_open(const struct record_log_config *config,
				   const struct record_log_events *events,
				   struct journal_found *ret_found, struct err *err)
{
	struct record_log *log = xcalloc(1, sizeof(*log));
	struct journal_found found = {0};
	struct err own = {0};

	err = err ? err : &own;
	log->events = *events;
	log->limit = config->limit ? config->limit : LIMIT_DEFAULT;
	log->due_bytes = (config->segment_size ? config->segment_size : JOURNAL_SEGMENT_SIZE) / 2;
	pthread_mutex_init(&log->lock, NULL);
	if (open_journal(log, config, &found, err) != ST_OK ||
	    open_drain(log, config, &found, err) != ST_OK) {
		record_log_close(log, 0);
		return NULL;
	}
	if (ret_found)
		*ret_found = found;
	return log;
}

uint64_t record_log_close(struct record_log *log, unsigned wait_ms)
{
	int64_t end_us = clock_mono_us(&clock_system) + (int64_t)wait_ms * 1000;
	uint64_t left = 0;

	if (!log)
		return 0;
	pthread_mutex_lock(&log->lock);
	log->is_stopping = true;
	pthread_mutex_unlock(&log->lock);
	/* The drain first: it reads the journal, which wakes it until it is gone. */
	struct drain *drain = atomic_load(&log->drain);
	if (drain)
		drain_stop(drain, wait_ms);
	int64_t left_us = end_us - clock_mono_us(&clock_system);
	if (log->journal)
		left = journal_close(log->journal, left_us > 0 ? (unsigned)(left_us / 1000) : 0);
	if (drain)
		drain_free(drain);
	pthread_mutex_destroy(&log->lock);
	free(log);
	return left;
}

/* --- appending --- */

void record_log_count(struct record_log *log, unsigned has, size_t size)
{
	bool is_copy = has & RECORD_COPY;

	if (has & RECORD_CHECKPOINT_BEGIN)
		log->since_records = log->since_bytes = log->copy_records = log->copy_bytes = 0;
	*(is_copy ? &log->copy_records : &log->since_records) += 1;
	*(is_copy ? &log->copy_bytes : &log->since_bytes) += size + ENTRY_OVERHEAD;
}

enum status record_append(struct record_log *log, const struct record *record, uint64_t *ret_number)
{
	if (record_log_waiting(log) >= log->limit)
		return ST_BUSY;
	FAILPOINT("record.append");
	size_t size = record_encode(record, log->bytes);
	enum status status =
		journal_append(log->journal, RECORD_TYPE, log->bytes, size, ret_number);
	if (status != ST_OK)
		return status;
	FAILPOINT("record.appended");
	record_log_count(log, record->has, size);
	if (record->has & RECORD_CHECKPOINT_END) {
		log->checkpoint_end = *ret_number;
		log->checkpoint_begun_at = record->begun_at;
	}
	return ST_OK;
}

bool record_log_wants_checkpoint(const struct record_log *log)
{
	/* As much news as the copy had at least: where a great deal is remembered the next one
	 * would be due before this one has ended, and the disk would do nothing else. */
	uint64_t records =
		log->copy_records > CHECKPOINT_RECORDS ? log->copy_records : CHECKPOINT_RECORDS;
	uint64_t bytes = log->copy_bytes > log->due_bytes ? log->copy_bytes : log->due_bytes;

	return log->since_records > records || log->since_bytes > bytes;
}

bool record_log_is_degraded(const struct record_log *log)
{
	return journal_is_degraded(log->journal);
}

struct uuid record_log_journal_id(const struct record_log *log)
{
	return log->journal_id;
}

uint64_t record_log_waiting(const struct record_log *log)
{
	/* synced first: it never passes appended */
	uint64_t synced = journal_synced(log->journal);

	return journal_appended(log->journal) - synced;
}

unsigned record_log_fill_percent(const struct record_log *log)
{
	return (unsigned)(record_log_waiting(log) * 100 / log->limit);
}

uint64_t record_log_behind(const struct record_log *log)
{
	struct drain *drain = atomic_load(&log->drain);
	uint64_t done = drain_done(drain);
	uint64_t synced = journal_synced(log->journal);

	return synced > done ? synced - done : 0;
}

bool record_log_settle(struct record_log *log, unsigned wait_ms)
{
	return drain_wait(atomic_load(&log->drain), journal_synced(log->journal), wait_ms);
}

/* --- telling --- */

static void tell_rejected(const struct record_log *log, const struct record_news *news)
{
	unsigned kept = news->rejected_count < REJECTED_KEPT ? news->rejected_count : REJECTED_KEPT;

	for (unsigned i = 0; log->events.on_rejected && i < kept; i++)
		log->events.on_rejected(log->events.user, news->rejected[i].number,
					news->rejected[i].why);
}

static void tell_degraded(struct record_log *log, const struct record_news *news)
{
	if (log->told_degraded == news->is_degraded)
		return;
	log->told_degraded = news->is_degraded;
	log->events.on_degraded(log->events.user, news->is_degraded, news->degraded_why);
}

static void tell_database(struct record_log *log, const struct record_news *news)
{
	if (log->told_database_away == news->is_database_away)
		return;
	log->told_database_away = news->is_database_away;
	if (log->events.on_database)
		log->events.on_database(log->events.user, news->is_database_away,
					news->database_why, record_log_behind(log));
}

static void tell_stable(struct record_log *log, uint64_t number)
{
	if (number <= log->told_stable)
		return;
	log->told_stable = number;
	if (log->checkpoint_end && log->checkpoint_end <= number) {
		drain_keep_from(atomic_load(&log->drain), log->checkpoint_begun_at);
		log->checkpoint_end = 0;
	}
	FAILPOINT("record.stable");
	log->events.on_stable(log->events.user, number);
	FAILPOINT("record.told");
}

void record_log_hold(struct record_log *log, bool on)
{
	journal_hold(log->journal, on);
}

void record_log_poll(struct record_log *log)
{
	pthread_mutex_lock(&log->lock);
	/* Told outside the lock: whoever hears may append. */
	struct record_news news = log->news;
	uint64_t synced = atomic_load(&log->synced);
	log->news.rejected_count = 0;
	log->has_news = false;
	pthread_mutex_unlock(&log->lock);

	tell_rejected(log, &news);
	tell_database(log, &news);
	if (!news.is_degraded)
		tell_degraded(log, &news);
	tell_stable(log, synced);
	if (news.is_degraded)
		tell_degraded(log, &news);
}
