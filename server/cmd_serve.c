#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "server/app.h"
#include "server/cli.h"

static int run_serve(struct cli *cli)
{
	if (cli->word_count)
		return cli_usage(&command_serve, "%.40s is not understood", cli->words[0]);
	return app_serve(&cli->config, cli_flag(cli, "salvage"), cli_flag(cli, "take-over"));
}

const struct cli_command command_serve = {
	.name = "serve",
	.summary = "run the gateway",
	.help = "Usage: calltab serve [--config FILE] [--OPTION VALUE ...] [--salvage]\n"
		"                     [--take-over]\n\n"
		"Serves until SIGTERM or Ctrl-C; SIGHUP reloads agents, queues and outcomes.\n"
		"Prints `ready port=N url=...` when it serves.\n\n"
		"One gateway serves a node and a switch. A second one is refused, or takes over "
		"with\n--take-over; whoever lost them without being asked ends with exit code "
		"3.\n\n"
		"--salvage  when the journal is damaged: goes on without the damaged entries, "
		"which are lost\n"
		"--take-over  when another gateway serves: asks it to end, and waits for that up "
		"to "
		"a minute\n\n"
		"Example: calltab serve --database 'host=/run/postgresql dbname=calltab' --switch "
		"sim\n",
	.flags = "!salvage !take-over",
	.run = run_serve,
};

static int run_config(struct cli *cli)
{
	if (cli_flag(cli, "markdown"))
		config_print_markdown(stdout);
	else if (cli_flag(cli, "sample"))
		config_print_sample(stdout);
	else if (cli_flag(cli, "explain"))
		config_explain(&cli->config, stdout);
	else
		return cli_usage(&command_config, "say --explain, --sample or --markdown");
	return 0;
}

const struct cli_command command_config = {
	.name = "config",
	.summary = "show the configuration and where each value comes from",
	.help = "Usage: calltab config --explain | --sample | --markdown [--config FILE]\n\n"
		"--explain   every option, its value, where it was set, what it is\n"
		"--sample    a configuration file with every default\n"
		"--markdown  the table of docs/config.md\n\n"
		"Example: calltab config --explain --config /etc/calltab/calltab.ini\n",
	.flags = "!explain !sample !markdown",
	.run = run_config,
};
