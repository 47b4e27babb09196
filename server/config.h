#pragma once
/* The configuration: one INI file (no sections), overruled by the environment, overruled by flags:
 * load them in this order, what is set later wins. An error names the file and line, or the
 * variable, or the flag, says what would be right, and leaves the value as it was. */
#include <stdbool.h>
#include <stdio.h>
#include "base/status.h"
#include "server/options.h"

#define CONFIG_LIST_MAX 32

enum option_index {
#define OPTION(name, kind, value, low, high, text) OPT_##name,
	SERVER_OPTIONS(OPTION)
#undef OPTION
		OPTION_COUNT
};

struct config {
	char *values[OPTION_COUNT];
	char sources[OPTION_COUNT]
		    [64]; /* "default", "calltab.ini:3", "CALLTAB_LISTEN", "--listen" */
	const char *lists[OPTION_COUNT][CONFIG_LIST_MAX + 1]; /* of LIST options, once asked for */
};

void config_init(struct config *config); /* defaults */
void config_done(struct config *config);
/* path NULL: CALLTAB_CONFIG, else calltab.ini in the working folder or /etc/calltab/ when there;
 * none is no error. */
enum status config_load_file(struct config *config, const char *path, struct err *err) MUST_USE;
enum status config_load_environment(struct config *config, struct err *err) MUST_USE;
/* One flag's value; name without dashes, '-' and '_' are the same. ST_NOT_FOUND when no option has
 * this name. */
enum status config_set(struct config *config, const char *name, const char *value,
		       const char *source, struct err *err) MUST_USE;
const char *config_text(const struct config *config, enum option_index option);
long config_number(const struct config *config, enum option_index option);
bool config_switch(const struct config *config, enum option_index option);
/* The trimmed parts of a LIST, NULL-ended; valid until the same list is asked for again. */
const char *const *config_list(struct config *config, enum option_index option);
/* One line per option: name, value (secrets masked), where it came from, what it is. */
void config_explain(const struct config *config, FILE *out);
/* The table as docs/config.md has it, and as a sample file. */
void config_print_markdown(FILE *out);
void config_print_sample(FILE *out);
