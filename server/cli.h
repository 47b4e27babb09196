#pragma once
/* Commands of the program: what they share. Exit codes: 0 done, 1 failed, 2 used wrongly. */
#include <stdbool.h>
#include "server/config.h"

struct cli {
	struct config config;
	bool is_json;	       /* --json */
	const char *words[16]; /* what is neither option nor its value, after the command's name */
	unsigned word_count;
	/* a command's own flags, "--name value"; see cli_flag() */
	struct {
		const char *name, *value;
	} flags[16];
	unsigned flag_count;
};

struct cli_command {
	const char *name, *summary, *help; /* help: usage, then an example */
	const char *flags; /* own flags that take a value, blank-separated; a '!' before one: it
			      takes none */
	int (*run)(struct cli *cli);
};

extern const struct cli_command command_serve, command_migrate, command_agent, command_key,
	command_sound, command_dial_rule, command_call, command_simulate, command_config,
	command_replay, command_doctor;

/* NULL when it was not given; "" for a flag without value. */
const char *cli_flag(const struct cli *cli, const char *name);
int cli_fail(const struct cli *cli, const struct err *err); /* prints it, returns 1 */
int cli_usage(const struct cli_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3))); /* prints it and the usage, returns 2 */

struct db_conn;
enum status cli_connect(struct cli *cli, struct db_conn **ret, struct err *err);
/* Runs it on a connection and returns the exit code. */
int cli_with_database(struct cli *cli,
		      enum status (*run)(struct cli *, struct db_conn *, struct err *));
/* Prints the rows of a statement that takes the tenant: a table of the columns from first_column
 * on, or with --json an array of objects. */
enum status cli_list(struct cli *cli, struct db_conn *conn, const char *statement,
		     unsigned first_column, struct err *err) MUST_USE;
