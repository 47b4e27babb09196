#include "server/asterisk_conf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define LINE_SIZE 1024

struct lines {
	const char *at;
	bool in_comment; /* between ;-- and --; */
	char line[LINE_SIZE];
};

static void append(struct lines *lines, size_t *length, char c)
{
	if (*length + 1 < sizeof(lines->line))
		lines->line[(*length)++] = c;
}

/* One character of a line, or a whole mark of a comment; false at the comment that ends it. */
static bool take(struct lines *lines, size_t *length)
{
	const char *at = lines->at;

	if (lines->in_comment) {
		lines->in_comment = strncmp(at, "--;", 3) != 0;
		lines->at += lines->in_comment ? 1 : 3;
	} else if (!strncmp(at, "\\;", 2)) {
		append(lines, length, ';');
		lines->at += 2;
	} else if (!strncmp(at, ";--", 3) && at[3] != '-') {
		lines->in_comment = true;
		lines->at += 3;
	} else if (*at == ';') {
		return false;
	} else {
		append(lines, length, *at);
		lines->at++;
	}
	return true;
}

/* The next line, without comments and without blanks at its ends; false after the last one. */
static bool next_line(struct lines *lines)
{
	size_t length = 0, start;

	if (!*lines->at)
		return false;
	while (*lines->at && *lines->at != '\n' && take(lines, &length))
		;
	lines->at += strcspn(lines->at, "\n");
	lines->at += *lines->at == '\n';
	while (length && isspace((unsigned char)lines->line[length - 1]))
		length--;
	lines->line[length] = 0;
	start = strspn(lines->line, " \t\r");
	memmove(lines->line, lines->line + start, length - start + 1);
	return true;
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && !strncasecmp(text, word, length);
}

/* "[name]", "[name](template)": is it this section? */
static bool is_section(const char *line, const char *section)
{
	return is_word(line + 1, strcspn(line + 1, "]"), section);
}

static const char *value_of(const char *line, const char *key)
{
	size_t length = strcspn(line, "=");
	const char *value = line + length;

	if (!*value)
		return NULL;
	value += value[1] == '>' ? 2 : 1;
	while (length && isspace((unsigned char)line[length - 1]))
		length--;
	return is_word(line, length, key) ? value + strspn(value, " \t") : NULL;
}

bool conf_value(const char *text, const char *section, const char *key, char *ret, size_t size)
{
	struct lines lines = {.at = text};
	bool is_in = false, is_found = false;

	ret[0] = 0;
	while (next_line(&lines)) {
		const char *value;

		if (lines.line[0] == '[') {
			is_in = is_section(lines.line, section);
			continue;
		}
		value = is_in ? value_of(lines.line, key) : NULL;
		if (value)
			is_found = str_copy(ret, size, value);
	}
	return is_found;
}

bool conf_has_section(const char *text, const char *section)
{
	struct lines lines = {.at = text};

	while (next_line(&lines))
		if (lines.line[0] == '[' && is_section(lines.line, section))
			return true;
	return false;
}

bool conf_has_include(const char *text)
{
	struct lines lines = {.at = text};

	while (next_line(&lines))
		if (!strncmp(lines.line, "#include", 8) ||
		    !strncmp(lines.line, "#tryinclude", 11) || !strncmp(lines.line, "#exec", 5))
			return true;
	return false;
}

bool conf_mentions(const char *text, const char *word)
{
	struct lines lines = {.at = text};

	while (next_line(&lines))
		if (strstr(lines.line, word))
			return true;
	return false;
}

static bool is_stasis_line(const char *line, const char *app)
{
	size_t length = strlen(app);

	for (const char *at = line; (at = strcasestr(at, "Stasis(")); at++)
		if (!strncmp(at + 7, app, length) && strchr(",)", at[7 + length]) && at[7 + length])
			return true;
	return false;
}

bool conf_calls_stasis(const char *text, const char *app)
{
	struct lines lines = {.at = text};

	while (next_line(&lines))
		if (is_stasis_line(lines.line, app))
			return true;
	return false;
}

bool conf_is_true(const char *value)
{
	static const char *const words[] = {"yes", "true", "y", "t", "1", "on"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return false;
}
