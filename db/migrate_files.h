#pragma once
/* The migrations to work with: those inside the program, or those of a folder. Private to db/. */
#include "db/migrate.h"
#include "db/migrate_parse.h"

struct migrate_entry {
	char *name, *version, *text;
	size_t length;
	struct migration parsed;
	bool is_applied;
};

struct migrate_files {
	struct migrate_entry *entries; /* in byte order of their names, as dbmate applies them */
	unsigned count;
};

/* Every file is read and parsed, so that a broken one is found before anything runs. directory
 * NULL: embedded. */
enum status migrate_files_load(struct migrate_files *files, const char *directory,
			       struct err *err) MUST_USE;
void migrate_files_done(struct migrate_files *files);
struct migrate_entry *migrate_files_find(struct migrate_files *files, const char *version);
