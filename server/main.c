/* calltab: the gateway between browser call tabs and telephony. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "db/db.h"
#include "server/cli.h"
#include "server/version.h"

static const struct cli_command *const commands[] = {
	&command_serve,	 &command_migrate,   &command_agent,  &command_key,
	&command_sound,	 &command_dial_rule, &command_call,   &command_simulate,
	&command_config, &command_replay,    &command_doctor,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fprintf(out,
		"calltab %s: the gateway between browser call tabs and telephony\n\n"
		"Usage: calltab COMMAND [--config FILE] [--OPTION VALUE ...]\n\n",
		CALLTAB_VERSION);
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "  %-10s %s\n", "version", "print the version");
	fprintf(out, "\n`calltab COMMAND --help` says more. Every option of `calltab config "
		     "--explain` can\n"
		     "be set in the configuration file, as CALLTAB_OPTION, or as --option.\n");
}

const char *cli_flag(const struct cli *cli, const char *name)
{
	for (unsigned i = 0; i < cli->flag_count; i++)
		if (!strcmp(cli->flags[i].name, name))
			return cli->flags[i].value;
	return NULL;
}

int cli_fail(const struct cli *cli, const struct err *err)
{
	struct json_writer w = {0};

	if (!cli->is_json) {
		fprintf(stderr, "calltab: %s\n", err->message);
		return 1;
	}
	jw_object(&w);
	jw_kv_text(&w, "code", err->code);
	jw_kv_text(&w, "message", err->message);
	jw_kv_text(&w, "target", err->target);
	jw_object_end(&w);
	fprintf(stderr, "%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
	return 1;
}

int cli_usage(const struct cli_command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "calltab %s: ", command->name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n\n%s", command->help);
	va_end(args);
	return 2;
}

enum status cli_connect(struct cli *cli, struct db_conn **ret, struct err *err)
{
	const char *conninfo = config_text(&cli->config, OPT_database);

	if (!*conninfo)
		return err_set(
			err, ST_INVALID, "config.database", "database",
			"no database is configured: set `database` in the configuration file, "
			"CALLTAB_DATABASE, or --database");
	return db_connect(conninfo, ret, err);
}

/* 1: it takes a value, 0: it takes none, -1: not one of this command's. */
static int own_flag(const struct cli_command *command, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = command->flags; p && *p;) {
		bool is_bare = *p == '!';
		const char *start = p + is_bare;
		size_t size = strcspn(start, " ");

		if (size == length && !strncmp(start, name, size))
			return !is_bare;
		p = start + size + (start[size] == ' ');
	}
	return -1;
}

struct argument {
	char name[64];
	const char *value; /* after '=', or NULL */
};

static bool split(const char *text, struct argument *ret)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);

	if (length >= sizeof(ret->name))
		return false;
	memcpy(ret->name, text, length);
	ret->name[length] = 0;
	ret->value = equals ? equals + 1 : NULL;
	return true;
}

static bool is_bare_word(const char *name)
{
	return !strcmp(name, "json") || !strcmp(name, "help");
}

/* First pass: only --config, because the file comes before the environment and both before flags.
 */
static const char *find_config_flag(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "--config=", 9))
			return argv[i] + 9;
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			return argv[i + 1];
	}
	return NULL;
}

static int take_flag(const struct cli_command *command, struct cli *cli, int argc, char **argv,
		     int *i)
{
	struct argument argument;
	int own;
	char source[64];
	struct err err;

	if (!split(argv[*i] + 2, &argument))
		return cli_usage(command, "%.40s is no option", argv[*i]);
	own = own_flag(command, argument.name);
	if (own != 0 && !is_bare_word(argument.name) && !argument.value) {
		if (*i + 1 >= argc)
			return cli_usage(command, "%s needs a value", argv[*i]);
		argument.value = argv[++*i];
	}
	if (!strcmp(argument.name, "config"))
		return 0;
	if (!strcmp(argument.name, "json")) {
		cli->is_json = true;
		return 0;
	}
	if (own >= 0) {
		if (cli->flag_count == sizeof(cli->flags) / sizeof(cli->flags[0]))
			return cli_usage(command, "too many options");
		cli->flags[cli->flag_count].name = strdup(argument.name);
		cli->flags[cli->flag_count++].value = argument.value ? argument.value : "";
		return 0;
	}
	snprintf(source, sizeof(source), "--%.40s", argument.name);
	if (config_set(&cli->config, argument.name, argument.value, source, &err) != ST_OK)
		return cli_usage(command, "%s", err.message);
	return 0;
}

static int parse(const struct cli_command *command, struct cli *cli, int argc, char **argv)
{
	struct err err;

	config_init(&cli->config);
	if (config_load_file(&cli->config, find_config_flag(argc, argv), &err) != ST_OK ||
	    config_load_environment(&cli->config, &err) != ST_OK)
		return cli_fail(cli, &err);
	for (int i = 2; i < argc; i++) {
		int code = 0;

		if (!strncmp(argv[i], "--", 2))
			code = take_flag(command, cli, argc, argv, &i);
		else if (cli->word_count < sizeof(cli->words) / sizeof(cli->words[0]))
			cli->words[cli->word_count++] = argv[i];
		else
			code = cli_usage(command, "too many words");
		if (code)
			return code;
	}
	return 0;
}

static int set_log_level(const struct cli *cli)
{
	int level = log_level_parse(config_text(&cli->config, OPT_log_level));

	if (level < 0) {
		fprintf(stderr,
			"calltab: %s: log_level must be err, warn, info or debug, not \"%s\"\n",
			cli->config.sources[OPT_log_level],
			config_text(&cli->config, OPT_log_level));
		return 1;
	}
	log_set_level((enum log_level)level);
	return 0;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct cli cli = {0};
	int code;

	if (wants_help(argc, argv)) {
		printf("calltab %s: %s\n\n%s", command->name, command->summary, command->help);
		return 0;
	}
	code = parse(command, &cli, argc, argv);
	if (!code)
		code = set_log_level(&cli);
	if (!code)
		code = command->run(&cli);
	for (unsigned i = 0; i < cli.flag_count; i++)
		free((char *)cli.flags[i].name);
	config_done(&cli.config);
	return code;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	json_start();
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_help(argc > 1 ? stdout : stderr);
		return argc > 1 ? 0 : 2;
	}
	if (!strcmp(name, "version") || !strcmp(name, "--version")) {
		printf("calltab %s\n", CALLTAB_VERSION);
		return 0;
	}
	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return run(commands[i], argc, argv);
	fprintf(stderr, "calltab: there is no command \"%.40s\"\n\n", name);
	print_help(stderr);
	return 2;
}
