#pragma once
/* A record log (db/record.h) without a database: it keeps what control appends, and records become
 * stable when a test says so and not before. Defines the symbols of db/record.h that control uses;
 * link it instead of db. */
#include "db/record.h"

struct record_log *fake_log_open(void (*on_stable)(void *user, uint64_t number), void *user);
void fake_log_close(struct record_log *log);

/* Everything appended so far, or up to this number, is stable now. */
void fake_log_sync(struct record_log *log);
void fake_log_sync_to(struct record_log *log, uint64_t number);
/* As when the limit is reached: record_append() answers ST_BUSY. */
void fake_log_refuse(struct record_log *log, bool on);

/* As after a crash: what was not stable was never written. */
void fake_log_cut(struct record_log *log);
/* Gives control what record_log_recover() would: from the last complete checkpoint on as state,
 * what is older as history only. */
/* ... and with what is older than the checkpoint removed. */
void fake_log_drop_history(struct record_log *log);
void fake_log_replay(struct record_log *log,
		     void (*each)(void *user, const struct record *record, bool is_state),
		     void *user);

/* How many were appended. */
unsigned fake_log_count(const struct record_log *log);
/* 0 is the first. Valid until the next record_append(). */
const struct record *fake_log_record(const struct record_log *log, unsigned index);
/* What is kept so far will not be asked for any more. */
void fake_log_forget(struct record_log *log);
