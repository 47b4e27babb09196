#include "db/migrate_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define FILES_MAX 10000

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct migrate_entry *)a)->name,
		      ((const struct migrate_entry *)b)->name);
}

/* Takes text. */
static enum status add(struct migrate_files *files, const char *name, const char *version,
		       char *text, size_t length, struct err *err)
{
	struct migrate_fault fault;

	files->entries = xrealloc(files->entries, (files->count + 1) * sizeof(*files->entries));
	struct migrate_entry *entry = &files->entries[files->count++];
	*entry = (struct migrate_entry){
		.name = xstrdup(name), .version = xstrdup(version), .text = text, .length = length};
	if (migrate_parse(text, length, &entry->parsed, &fault) != ST_OK)
		return err_set(err, ST_INVALID, "migrate.file", "migrations", "%s:%u:%u: %s", name,
			       fault.line, fault.column, fault.message);
	return ST_OK;
}

static enum status add_file(struct migrate_files *files, const char *directory, const char *name,
			    const char *version, struct err *err)
{
	char path[1024];
	FILE *file =
		str_format(path, sizeof(path), "%s/%s", directory, name) ? fopen(path, "re") : NULL;

	if (!file)
		return err_set(err, ST_NOT_FOUND, "migrate.file", "migrations",
			       "%s cannot be read: %s", name, strerror(errno));
	/* One byte more than is allowed shows that there is too much. */
	char *text = xmalloc(MIGRATION_SIZE_MAX + 2);
	size_t length = fread(text, 1, MIGRATION_SIZE_MAX + 1, file);
	bool is_read = !ferror(file);
	fclose(file);
	if (!is_read) {
		free(text);
		return err_set(err, ST_NOT_FOUND, "migrate.file", "migrations", "%s cannot be read",
			       name);
	}
	text[length] = '\0';
	return add(files, name, version, xrealloc(text, length + 1), length, err);
}

static enum status load_directory(struct migrate_files *files, const char *directory,
				  struct err *err)
{
	char version[MIGRATION_VERSION_SIZE];
	DIR *folder = opendir(directory);
	struct dirent *found;
	enum status status = ST_OK;

	if (!folder)
		return err_set(err, ST_NOT_FOUND, "migrate.folder", "migrations", "%s: %s",
			       directory, strerror(errno));
	while (status == ST_OK && (found = readdir(folder)))
		if (migrate_parse_name(found->d_name, version) && files->count < FILES_MAX)
			status = add_file(files, directory, found->d_name, version, err);
	closedir(folder);
	return status;
}

static enum status load_embedded(struct migrate_files *files, struct err *err)
{
	enum status status = ST_OK;

	for (const struct migration_file *file = migrations_embedded;
	     status == ST_OK && file->version; file++)
		status = add(files, file->name, file->version, xstrdup(file->text),
			     strlen(file->text), err);
	return status;
}

static enum status check_versions(struct migrate_files *files, struct err *err)
{
	for (unsigned i = 0; i < files->count; i++) {
		struct migrate_entry *entry = &files->entries[i];
		if (migrate_files_find(files, entry->version) != entry)
			return err_set(err, ST_INVALID, "migrate.file", "migrations",
				       "%s: another file has the same version %s", entry->name,
				       entry->version);
	}
	return ST_OK;
}

enum status migrate_files_load(struct migrate_files *files, const char *directory, struct err *err)
{
	*files = (struct migrate_files){0};
	enum status status =
		directory ? load_directory(files, directory, err) : load_embedded(files, err);
	if (files->count > 0)
		qsort(files->entries, files->count, sizeof(*files->entries), by_name);
	if (status == ST_OK)
		status = check_versions(files, err);
	if (status != ST_OK)
		migrate_files_done(files);
	return status;
}

void migrate_files_done(struct migrate_files *files)
{
	for (unsigned i = 0; i < files->count; i++) {
		free(files->entries[i].name);
		free(files->entries[i].version);
		free(files->entries[i].text);
	}
	free(files->entries);
	*files = (struct migrate_files){0};
}

struct migrate_entry *migrate_files_find(struct migrate_files *files, const char *version)
{
	for (unsigned i = 0; i < files->count; i++)
		if (strcmp(files->entries[i].version, version) == 0)
			return &files->entries[i];
	return NULL;
}
