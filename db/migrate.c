#include "db/migrate.h"

#include <string.h>

#include "db/migrate_run.h"

static enum status refuse_newer(const struct migrate_run *run, struct err *err)
{
	return err_set(err, ST_CONFLICT, "migrate.newer", "database",
		       "the database has migration %s, which this program does not know: install "
		       "the newer calltab, "
		       "or undo it with that one: calltab migrate down --yes",
		       run->unknown);
}

static enum status check_target(struct migrate_run *run, struct err *err)
{
	const char *version = run->options->to_version;

	if (!version || migrate_files_find(&run->files, version))
		return ST_OK;
	return err_set(err, ST_NOT_FOUND, "migrate.version", "to", "there is no migration %s",
		       version);
}

static enum status apply_pending(struct migrate_run *run, unsigned *applied, struct err *err)
{
	enum status status = ST_OK;

	for (unsigned i = 0; status == ST_OK && i < run->files.count; i++) {
		struct migrate_entry *entry = &run->files.entries[i];
		const char *last = run->options->to_version;
		if (!entry->is_applied) {
			status = migrate_run_block(run, entry, true, err);
			*applied += status == ST_OK;
		}
		if (last && strcmp(entry->version, last) == 0)
			break;
	}
	return status;
}

enum status migrate_up(const struct migrate_options *options, unsigned *ret_applied,
		       struct err *err)
{
	struct migrate_run run;
	enum status status = migrate_run_open(&run, options, err);

	*ret_applied = 0;
	if (status == ST_OK)
		status = check_target(&run, err);
	if (status == ST_OK)
		status = migrate_run_lock(&run, err);
	if (status == ST_OK && run.unknown[0])
		status = refuse_newer(&run, err);
	if (status == ST_OK)
		status = apply_pending(&run, ret_applied, err);
	migrate_run_done(&run);
	return status;
}

static struct migrate_entry *highest_applied(struct migrate_run *run)
{
	for (unsigned i = run->files.count; i-- > 0;)
		if (run->files.entries[i].is_applied)
			return &run->files.entries[i];
	return NULL;
}

static enum status undo_steps(struct migrate_run *run, unsigned *undone, struct err *err)
{
	unsigned steps = run->options->steps ? run->options->steps : 1;
	struct migrate_entry *entry;
	enum status status = ST_OK;

	while (status == ST_OK && *undone < steps && (entry = highest_applied(run))) {
		status = migrate_run_block(run, entry, false, err);
		*undone += status == ST_OK;
	}
	return status;
}

enum status migrate_down(const struct migrate_options *options, unsigned *ret_undone,
			 struct err *err)
{
	struct migrate_run run;
	enum status status = migrate_run_open(&run, options, err);

	*ret_undone = 0;
	if (status == ST_OK)
		status = migrate_run_lock(&run, err);
	/* It may stand on what would be undone. */
	if (status == ST_OK && run.unknown[0])
		status = refuse_newer(&run, err);
	if (status == ST_OK)
		status = undo_steps(&run, ret_undone, err);
	migrate_run_done(&run);
	return status;
}

static unsigned count_pending(const struct migrate_run *run)
{
	unsigned pending = 0;

	for (unsigned i = 0; i < run->files.count; i++)
		pending += !run->files.entries[i].is_applied;
	return pending;
}

enum status migrate_status(const struct migrate_options *options,
			   void (*on_row)(void *user, const char *name, bool is_applied),
			   void *user, unsigned *ret_pending, struct err *err)
{
	struct migrate_run run;
	enum status status = migrate_run_open(&run, options, err);

	for (unsigned i = 0; status == ST_OK && on_row && i < run.files.count; i++)
		on_row(user, run.files.entries[i].name, run.files.entries[i].is_applied);
	if (status == ST_OK)
		*ret_pending = count_pending(&run);
	migrate_run_done(&run);
	return status;
}

static enum migrate_state state_of(const struct migrate_run *run)
{
	unsigned pending = count_pending(run);

	if (run->unknown[0])
		return MIGRATE_AHEAD;
	if (pending == 0)
		return MIGRATE_CURRENT;
	return pending == run->files.count ? MIGRATE_EMPTY : MIGRATE_BEHIND;
}

static enum status explain(const struct migrate_run *run, enum migrate_state state, struct err *err)
{
	switch (state) {
	case MIGRATE_CURRENT:
		break;
	case MIGRATE_AHEAD:
		return refuse_newer(run, err);
	case MIGRATE_EMPTY:
		return err_set(err, ST_CONFLICT, "migrate.empty", "database",
			       "the database has no tables of calltab: run calltab migrate up");
	case MIGRATE_BEHIND:
		return err_set(err, ST_CONFLICT, "migrate.behind", "database",
			       "the database is older than this program (%u missing): run calltab "
			       "migrate up",
			       count_pending(run));
	}
	return ST_OK;
}

enum status migrate_check(const char *conninfo, enum migrate_state *ret, struct err *err)
{
	const struct migrate_options options = {.conninfo = conninfo};
	struct migrate_run run;
	enum status status = migrate_run_open(&run, &options, err);

	if (status == ST_OK) {
		*ret = state_of(&run);
		status = explain(&run, *ret, err);
	}
	migrate_run_done(&run);
	return status;
}
