#include "db/record_queue.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#define LIMIT_DEFAULT 100000

static void wake_writer(struct record_log *log)
{
	uint64_t one = 1;

	if (write(log->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake */
}

struct record_log *record_log_open(const char *conninfo, unsigned limit,
				   const struct record_log_events *events)
{
	struct record_log *log = xcalloc(1, sizeof(*log));

	log->events = *events;
	log->conninfo = xstrdup(conninfo);
	log->limit = limit ? limit : LIMIT_DEFAULT;
	log->writer_id = uuid_make(clock_wall_ms(&clock_system));
	log->tail = &log->head;
	log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&log->lock, NULL);
	/* As without memory: a program that has no thread to store calls cannot take any. */
	if (log->wake_fd < 0 || pthread_create(&log->thread, NULL, record_writer_run, log) != 0)
		abort();
	return log;
}

uint64_t record_log_close(struct record_log *log, unsigned wait_ms)
{
	if (!log)
		return 0;
	pthread_mutex_lock(&log->lock);
	log->is_stopping = true;
	log->stop_at_us = clock_mono_us(&clock_system) + (int64_t)wait_ms * 1000;
	pthread_mutex_unlock(&log->lock);
	wake_writer(log);
	pthread_join(log->thread, NULL);

	uint64_t left = log->appended - log->stable;
	for (struct record_rows *rows = log->head, *next; rows; rows = next) {
		next = rows->next;
		free(rows);
	}
	pthread_mutex_destroy(&log->lock);
	close(log->wake_fd);
	free(log->conninfo);
	free(log);
	return left;
}

enum status record_append(struct record_log *log, const struct record *record, uint64_t *ret_number)
{
	if (record_log_waiting(log) >= log->limit)
		return ST_BUSY;
	pthread_mutex_lock(&log->lock);
	uint64_t number = ++log->appended;
	struct record_rows *rows = record_rows_make(record, number, &log->writer_id);
	bool was_empty = !log->head;
	*log->tail = rows;
	log->tail = &rows->next;
	pthread_mutex_unlock(&log->lock);
	if (was_empty)
		wake_writer(log);
	*ret_number = number;
	return ST_OK;
}

bool record_log_is_degraded(const struct record_log *log)
{
	return log->is_degraded;
}

uint64_t record_log_waiting(const struct record_log *log)
{
	/* stable first: it never passes appended */
	uint64_t stable = log->stable;

	return log->appended - stable;
}

/* --- the writer's side --- */

struct record_rows *record_queue_take(struct record_log *log, unsigned most, unsigned *ret_count)
{
	unsigned count = 0;

	pthread_mutex_lock(&log->lock);
	struct record_rows *first = log->head, **at = &log->head;
	for (; *at && count < most; count++)
		at = &(*at)->next;
	log->head = *at;
	if (!log->head)
		log->tail = &log->head;
	if (count > 0)
		*at = NULL;
	pthread_mutex_unlock(&log->lock);
	*ret_count = count;
	return count > 0 ? first : NULL;
}

bool record_queue_is_stopping(struct record_log *log, int64_t *ret_stop_at_us)
{
	pthread_mutex_lock(&log->lock);
	bool is_stopping = log->is_stopping;
	*ret_stop_at_us = log->stop_at_us;
	pthread_mutex_unlock(&log->lock);
	return is_stopping;
}

/* Called with the lock held; gives it back. */
static void unlock_with_news(struct record_log *log)
{
	bool is_first = !log->has_news && !log->is_stopping;

	log->has_news = true;
	pthread_mutex_unlock(&log->lock);
	if (is_first)
		log->events.wake(log->events.user);
}

void record_news_stable(struct record_log *log, uint64_t number)
{
	pthread_mutex_lock(&log->lock);
	log->stable = number;
	unlock_with_news(log);
}

void record_news_degraded(struct record_log *log, bool is_degraded, const char *why)
{
	pthread_mutex_lock(&log->lock);
	if (log->is_degraded == is_degraded) {
		pthread_mutex_unlock(&log->lock);
		return;
	}
	log->is_degraded = is_degraded;
	str_copy_cut(log->why, sizeof(log->why), why);
	unlock_with_news(log);
}

void record_news_rejected(struct record_log *log, uint64_t number, const char *why)
{
	pthread_mutex_lock(&log->lock);
	if (log->rejected_count < REJECTED_KEPT) {
		log->rejected[log->rejected_count].number = number;
		str_copy_cut(log->rejected[log->rejected_count].why, WHY_SIZE, why);
	}
	log->rejected_count++;
	unlock_with_news(log);
}

/* --- the poller's side --- */

static void tell_rejected(const struct record_log *log, const struct record_log *news)
{
	unsigned kept = news->rejected_count < REJECTED_KEPT ? news->rejected_count : REJECTED_KEPT;

	for (unsigned i = 0; log->events.on_rejected && i < kept; i++)
		log->events.on_rejected(log->events.user, news->rejected[i].number,
					news->rejected[i].why);
}

static void tell_degraded(struct record_log *log, bool is_degraded, const char *why)
{
	if (log->told_degraded == is_degraded)
		return;
	log->told_degraded = is_degraded;
	log->events.on_degraded(log->events.user, is_degraded, why);
}

static void tell_stable(struct record_log *log, uint64_t number)
{
	if (log->told_stable == number)
		return;
	log->told_stable = number;
	log->events.on_stable(log->events.user, number);
}

void record_log_poll(struct record_log *log)
{
	pthread_mutex_lock(&log->lock);
	/* Told outside the lock: whoever hears may append. */
	uint64_t stable = log->stable;
	bool is_degraded = log->is_degraded;
	struct record_log news = {.rejected_count = log->rejected_count};
	for (unsigned i = 0; i < REJECTED_KEPT && i < log->rejected_count; i++)
		news.rejected[i] = log->rejected[i];
	str_copy_cut(news.why, sizeof(news.why), log->why);
	log->rejected_count = 0;
	log->has_news = false;
	pthread_mutex_unlock(&log->lock);

	tell_rejected(log, &news);
	if (!is_degraded)
		tell_degraded(log, false, news.why);
	tell_stable(log, stable);
	if (is_degraded)
		tell_degraded(log, true, news.why);
}
