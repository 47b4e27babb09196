#pragma once
/* What the two ends of the record log share: the queue of records on its way to the writer, and the
 * writer's news on their way back. Private to db/; record_log.c is the front end, record_writer.c
 * the back. */
#include <pthread.h>
#include <stdatomic.h>

#include "db/record.h"
#include "db/record_rows.h"

#define REJECTED_KEPT 16
#define WHY_SIZE      120

struct record_log {
	struct record_log_events events;
	char *conninfo;
	unsigned limit;
	struct uuid writer_id; /* of this run: keys what is written, so that twice is once */
	pthread_t thread;
	int wake_fd; /* eventfd: the queue is no longer empty, or stop */

	_Atomic uint64_t appended, stable;
	atomic_bool is_degraded;

	pthread_mutex_t lock; /* of everything below */
	struct record_rows *head, **tail;
	bool is_stopping;
	int64_t stop_at_us; /* monotonic */
	uint64_t left;	    /* unwritten when the writer stopped */

	bool has_news;
	char why[WHY_SIZE];
	struct {
		uint64_t number;
		char why[WHY_SIZE];
	} rejected[REJECTED_KEPT];
	unsigned rejected_count; /* may be more than are kept */

	/* Only of the thread that polls: what it has delivered. */
	uint64_t told_stable;
	bool told_degraded;
};

/* At most `most` records from the front, as a list; NULL when there is none. */
struct record_rows *record_queue_take(struct record_log *log, unsigned most, unsigned *ret_count);
bool record_queue_is_stopping(struct record_log *log, int64_t *ret_stop_at_us);

/* News, from the writer's thread. */
void record_news_stable(struct record_log *log, uint64_t number);
void record_news_degraded(struct record_log *log, bool is_degraded, const char *why);
void record_news_rejected(struct record_log *log, uint64_t number, const char *why);

/* The thread; returns when stopped. */
void *record_writer_run(void *log);
