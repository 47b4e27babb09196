#pragma once
/* What record_log.c and record_recover.c share. Private to db/. */
#include <pthread.h>
#include <stdatomic.h>

#include "db/drain.h"
#include "db/record.h"
#include "db/record_codec.h"

#define REJECTED_KEPT 16
#define WHY_SIZE      120

/* What the other threads have to say, until it is told. */
struct record_news {
	bool is_degraded, is_database_away;
	char degraded_why[WHY_SIZE], database_why[WHY_SIZE];
	struct {
		uint64_t number;
		char why[WHY_SIZE];
	} rejected[REJECTED_KEPT];
	unsigned rejected_count; /* may be more than are kept */
};

struct record_log {
	struct record_log_events events;
	unsigned limit;
	struct uuid journal_id;
	struct journal *journal;
	struct drain *_Atomic drain;
	_Atomic uint64_t synced;

	pthread_mutex_t lock; /* of these */
	struct record_news news;
	bool has_news, is_stopping;

	/* Only of the thread that appends and polls. */
	uint64_t told_stable;
	bool told_degraded, told_database_away;
	uint64_t since_records, since_bytes; /* since the last checkpoint began, its copies apart */
	uint64_t copy_records, copy_bytes;
	uint64_t due_bytes;
	uint64_t checkpoint_end, checkpoint_begun_at; /* appended last; 0 = told to the drain */
	unsigned char bytes[RECORD_BYTES_MAX];
};

/* Counts what decides when the next checkpoint is due. */
void record_log_count(struct record_log *log, unsigned has, size_t size);
