#include "server/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

static const struct {
	const char *name, *value, *text;
	enum option_kind kind;
	long low, high;
} options[] = {
#define OPTION(name, kind, value, low, high, text) {#name, value, text, OPTION_##kind, low, high},
	SERVER_OPTIONS(OPTION)
#undef OPTION
};
_Static_assert(sizeof(options) / sizeof(options[0]) == OPTION_COUNT, "every option");

#define VALUE_MAX   4096
#define LIST_BLANKS ", \t"

void config_init(struct config *config)
{
	memset(config, 0, sizeof(*config));
	for (int i = 0; i < OPTION_COUNT; i++) {
		config->values[i] = xstrdup(options[i].value);
		str_copy_cut(config->sources[i], sizeof(config->sources[i]), "default");
	}
}

static void free_list(const char **list)
{
	for (int i = 0; i < CONFIG_LIST_MAX && list[i]; i++)
		free((char *)list[i]);
}

void config_done(struct config *config)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		free(config->values[i]);
		free_list(config->lists[i]);
	}
	memset(config, 0, sizeof(*config));
}

static bool is_name(const char *given, const char *name)
{
	for (; *given && *name; given++, name++)
		if (tolower((unsigned char)*given) != *name && !(*given == '-' && *name == '_'))
			return false;
	return !*given && !*name;
}

static int find(const char *name)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (is_name(name, options[i].name))
			return i;
	return -1;
}

static bool is_switch_word(const char *value)
{
	return !strcmp(value, "on") || !strcmp(value, "off");
}

static enum status check_number(int option, const char *value, const char *source, struct err *err)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (!*value || *end || errno || number < options[option].low ||
	    number > options[option].high)
		return err_set(err, ST_INVALID, "config.value", options[option].name,
			       "%s: %s must be a number from %ld to %ld, not \"%.40s\"", source,
			       options[option].name, options[option].low, options[option].high,
			       value);
	return ST_OK;
}

static unsigned count_parts(const char *value)
{
	unsigned count = 0;

	for (size_t length; value += strspn(value, LIST_BLANKS), *value; value += length, count++)
		length = strcspn(value, LIST_BLANKS);
	return count;
}

static enum status check(int option, const char *value, const char *source, struct err *err)
{
	if (strlen(value) >= VALUE_MAX)
		return err_set(err, ST_INVALID, "config.value", options[option].name,
			       "%s: %s is too long", source, options[option].name);
	if (options[option].kind == OPTION_NUMBER)
		return check_number(option, value, source, err);
	if (options[option].kind == OPTION_SWITCH && !is_switch_word(value))
		return err_set(err, ST_INVALID, "config.value", options[option].name,
			       "%s: %s must be on or off, not \"%.40s\"", source,
			       options[option].name, value);
	if (options[option].kind == OPTION_LIST && count_parts(value) > CONFIG_LIST_MAX)
		return err_set(err, ST_INVALID, "config.value", options[option].name,
			       "%s: %s has more than %d parts", source, options[option].name,
			       CONFIG_LIST_MAX);
	return ST_OK;
}

enum status config_set(struct config *config, const char *name, const char *value,
		       const char *source, struct err *err)
{
	int option = find(name);
	enum status status;

	if (option < 0)
		return err_set(
			err, ST_NOT_FOUND, "config.unknown", name,
			"%s: there is no option \"%.40s\"; `calltab config --explain` lists them",
			source, name);
	status = check(option, value, source, err);
	if (status != ST_OK)
		return status;
	free(config->values[option]);
	config->values[option] = xstrdup(value);
	str_copy_cut(config->sources[option], sizeof(config->sources[option]), source);
	return ST_OK;
}

/* Debian's inih does not tell the handler the line: the reader counts it. */
struct reading {
	FILE *stream;
	int line;
	struct config *config;
	const char *path;
	struct err *err;
	enum status status;
};

/* The rest of a line that does not fit would be read as a line of its own. */
static bool skip_rest(FILE *stream)
{
	int c = fgetc(stream);
	bool is_rest = c != EOF && c != '\n';

	while (c != EOF && c != '\n')
		c = fgetc(stream);
	return is_rest;
}

static char *read_line(char *buffer, int size, void *user)
{
	struct reading *reading = user;
	size_t length, blanks;

	reading->line++;
	if (!fgets(buffer, size, reading->stream))
		return NULL;
	length = strlen(buffer);
	/* To inih an indented line would continue the one before it. */
	blanks = strspn(buffer, " \t");
	if (length + 1 == (size_t)size && buffer[length - 1] != '\n' &&
	    skip_rest(reading->stream) && !strchr(";#", buffer[blanks]) && reading->status == ST_OK)
		reading->status =
			err_set(reading->err, ST_INVALID, "config.line", "config",
				"%.100s:%d: a line has at most %d characters; give a longer value "
				"in the environment, as CALLTAB_ and the option's name",
				reading->path, reading->line, size - 1);
	memmove(buffer, buffer + blanks, length - blanks + 1);
	return buffer;
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	int line = reading->line;
	const char *base = strrchr(reading->path, '/');
	char source[64];

	if (reading->status != ST_OK)
		return 1;
	if (!str_format(source, sizeof(source), "%s:%d", base ? base + 1 : reading->path, line))
		str_format(source, sizeof(source), "line %d", line);
	if (*section)
		reading->status =
			err_set(reading->err, ST_INVALID, "config.section", section,
				"%s: there are no sections; remove [%.40s]", source, section);
	else
		reading->status = config_set(reading->config, name, value, source, reading->err);
	return 1;
}

static const char *find_file(void)
{
	static const char *const places[] = {"calltab.ini", "/etc/calltab/calltab.ini"};
	const char *named = getenv("CALLTAB_CONFIG");

	if (named && *named)
		return named;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!access(places[i], R_OK))
			return places[i];
	return NULL;
}

enum status config_load_file(struct config *config, const char *path, struct err *err)
{
	const char *file = path ? path : find_file();
	struct reading reading = {.config = config, .path = file, .err = err};

	int result;

	if (!file)
		return ST_OK;
	reading.stream = fopen(file, "re");
	if (!reading.stream)
		return err_set(err, ST_NOT_FOUND, "config.file", "config",
			       "cannot read the configuration file %.100s: %s", file,
			       strerror(errno));
	result = ini_parse_stream(read_line, &reading, on_line, &reading);
	fclose(reading.stream);
	if (reading.status != ST_OK)
		return reading.status;
	if (result)
		return err_set(err, ST_INVALID, "config.syntax", "config",
			       "%.100s:%d: this line is not `name = value`", file, result);
	return ST_OK;
}

enum status config_load_environment(struct config *config, struct err *err)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		char variable[64] = "CALLTAB_";
		size_t length = strlen(variable);
		const char *value;
		enum status status;

		for (const char *p = options[i].name; *p; p++)
			variable[length++] = (char)toupper((unsigned char)*p);
		variable[length] = 0;
		value = getenv(variable);
		if (!value)
			continue;
		status = config_set(config, options[i].name, value, variable, err);
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

const char *config_text(const struct config *config, enum option_index option)
{
	return config->values[option];
}

long config_number(const struct config *config, enum option_index option)
{
	return strtol(config->values[option], NULL, 10);
}

bool config_switch(const struct config *config, enum option_index option)
{
	return !strcmp(config->values[option], "on");
}

const char *const *config_list(struct config *config, enum option_index option)
{
	auto_free char *copy = xstrdup(config->values[option]);
	const char **list = config->lists[option];
	unsigned count = 0;
	char *save = NULL;

	free_list(list);
	for (char *part = strtok_r(copy, LIST_BLANKS, &save); part && count < CONFIG_LIST_MAX;
	     part = strtok_r(NULL, LIST_BLANKS, &save))
		list[count++] = xstrdup(part);
	list[count] = NULL;
	return list;
}

void config_explain(const struct config *config, FILE *out)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		bool is_hidden = options[i].kind == OPTION_SECRET && config->values[i][0];

		fprintf(out, "%s = %s\n    # from %s. %s\n", options[i].name,
			is_hidden ? "********" : config->values[i], config->sources[i],
			options[i].text);
	}
}

static const char *kind_text(int option, char *buffer, size_t size)
{
	static const char *const words[] = {
		[OPTION_TEXT] = "text",	    [OPTION_NUMBER] = "number", [OPTION_SWITCH] = "on/off",
		[OPTION_SECRET] = "secret", [OPTION_LIST] = "list",
	};

	if (options[option].kind != OPTION_NUMBER)
		return words[options[option].kind];
	snprintf(buffer, size, "%ld to %ld", options[option].low, options[option].high);
	return buffer;
}

void config_print_markdown(FILE *out)
{
	char kind[64];

	fprintf(out, "| option | kind | default | what it is |\n|---|---|---|---|\n");
	for (int i = 0; i < OPTION_COUNT; i++)
		fprintf(out, "| `%s` | %s | %s%s%s | %s |\n", options[i].name,
			kind_text(i, kind, sizeof(kind)), *options[i].value ? "`" : "",
			options[i].value, *options[i].value ? "`" : "", options[i].text);
}

void config_print_sample(FILE *out)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		fprintf(out, "; %s\n;%s = %s\n\n", options[i].text, options[i].name,
			options[i].value);
}
