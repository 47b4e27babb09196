#pragma once
/* One migrating connection: the lock, the table of applied versions, and running one block. Private
 * to db/. */
#include "db/conn.h"
#include "db/migrate_files.h"

struct migrate_run {
	struct db_conn conn;
	const struct migrate_options *options;
	struct migrate_files files;
	char table[160]; /* schema-qualified and quoted */
	bool has_table;
	char unknown[MIGRATION_VERSION_SIZE]; /* a recorded version without a file; "" = none */
};

/* Loads the files, connects, reads which are applied. Done is to be called in any case. */
enum status migrate_run_open(struct migrate_run *run, const struct migrate_options *options,
			     struct err *err) MUST_USE;
void migrate_run_done(struct migrate_run *run);
/* Makes the table unless it is there, waits for other runs to end, reads again which files are
 * applied. */
enum status migrate_run_lock(struct migrate_run *run, struct err *err) MUST_USE;
/* Runs the up or down block and records or forgets the version, in one transaction unless the file
 * says otherwise. */
enum status migrate_run_block(struct migrate_run *run, struct migrate_entry *entry, bool is_up,
			      struct err *err) MUST_USE;
void migrate_run_say(const struct migrate_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
