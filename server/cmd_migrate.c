#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "db/migrate.h"
#include "server/cli.h"

static void on_progress(void *user, const char *line)
{
	(void)user;
	printf("%s\n", line);
	fflush(stdout);
}

static void on_row(void *user, const char *name, bool is_applied)
{
	struct json_writer *w = user;

	if (!w) {
		printf("[%c] %s\n", is_applied ? 'X' : ' ', name);
		return;
	}
	jw_object(w);
	jw_kv_text(w, "name", name);
	jw_kv_bool(w, "applied", is_applied);
	jw_object_end(w);
}

static int status(struct cli *cli, const struct migrate_options *options)
{
	struct json_writer w = {0};
	unsigned pending = 0;
	struct err err;

	jw_object(&w);
	jw_key(&w, "migrations");
	jw_array(&w);
	if (migrate_status(options, on_row, cli->is_json ? &w : NULL, &pending, &err) != ST_OK) {
		jw_done(&w);
		return cli_fail(cli, &err);
	}
	jw_array_end(&w);
	jw_kv_int(&w, "pending", pending);
	jw_object_end(&w);
	if (cli->is_json)
		printf("%.*s\n", (int)w.length, jw_start(&w));
	else
		printf("\nPending: %u\n", pending);
	jw_done(&w);
	return cli_flag(cli, "exit-code") && pending ? 1 : 0;
}

static int up(struct cli *cli, const struct migrate_options *options)
{
	unsigned applied = 0;
	struct err err;

	if (migrate_up(options, &applied, &err) != ST_OK)
		return cli_fail(cli, &err);
	if (cli->is_json)
		printf("{\"applied\":%u}\n", applied);
	else
		printf(applied ? "%u applied: the schema is current\n"
			       : "nothing to do: the schema is current\n",
		       applied);
	return 0;
}

static int down(struct cli *cli, const struct migrate_options *options)
{
	unsigned undone = 0;
	struct err err;

	if (!cli_flag(cli, "yes"))
		return cli_usage(&command_migrate,
				 "down deletes tables and what is in them: say --yes");
	if (migrate_down(options, &undone, &err) != ST_OK)
		return cli_fail(cli, &err);
	printf(cli->is_json ? "{\"undone\":%u}\n" : "%u undone\n", undone);
	return 0;
}

static int run_migrate(struct cli *cli)
{
	const char *steps = cli_flag(cli, "steps");
	struct migrate_options options = {
		.conninfo = config_text(&cli->config, OPT_database),
		.directory = cli_flag(cli, "dir"),
		.to_version = cli_flag(cli, "to"),
		.steps = steps ? (unsigned)strtoul(steps, NULL, 10) : 1,
		.on_progress = cli->is_json ? NULL : on_progress,
	};
	const char *word = cli->word_count == 1 ? cli->words[0] : "";

	if (!*options.conninfo)
		return cli_usage(&command_migrate,
				 "no database: set --database, of the migrating role");
	if (steps && !options.steps)
		return cli_usage(&command_migrate, "--steps is a number from 1");
	if (!strcmp(word, "up"))
		return up(cli, &options);
	if (!strcmp(word, "down"))
		return down(cli, &options);
	if (!strcmp(word, "status"))
		return status(cli, &options);
	return cli_usage(&command_migrate, "say up, down or status");
}

const struct cli_command command_migrate = {
	.name = "migrate",
	.summary = "bring the database's schema up or down, or show where it is",
	.help = "Usage: calltab migrate up [--to VERSION] | down [--steps N] --yes | status "
		"[--exit-code]\n"
		"       [--database CONNINFO] [--dir FOLDER] [--json]\n\n"
		"--database  as the role that owns the schema, not the service's\n"
		"--dir       use the files of a folder instead of those built in\n"
		"--exit-code status ends with 1 when migrations are pending\n\n"
		"Example: calltab migrate up --database "
		"postgres://calltab_owner@localhost/calltab\n",
	.flags = "to steps dir !yes !exit-code",
	.run = run_migrate,
};
