#include "db/sql_scan.h"

#include <string.h>

struct scan {
	const char *text;
	size_t length, at;
	struct sql_statement *statement;
	unsigned words; /* seen in this statement */
	bool was_from;	/* the word before was "from" */
	unsigned parens;
	unsigned bodies;  /* open begin ... end and case ... end of an SQL function's body */
	bool is_function; /* create [or replace] function | procedure */
};

static bool is_word_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_word_part(unsigned char c)
{
	return is_word_start(c) || (c >= '0' && c <= '9') || c == '$';
}

static char char_at(const struct scan *scan, size_t ahead)
{
	return scan->at + ahead < scan->length ? scan->text[scan->at + ahead] : '\0';
}

/* Each skip_ function stands on the opening character and leaves behind the closing one; false:
 * there is none. */

static bool skip_quoted(struct scan *scan, char quote, bool has_escapes)
{
	for (scan->at++; scan->at < scan->length; scan->at++) {
		if (has_escapes && scan->text[scan->at] == '\\')
			scan->at++;
		else if (scan->text[scan->at] == quote && char_at(scan, 1) == quote)
			scan->at++;
		else if (scan->text[scan->at] == quote) {
			scan->at++;
			return true;
		}
	}
	scan->at = scan->length;
	return false;
}

static void skip_line(struct scan *scan)
{
	while (scan->at < scan->length && scan->text[scan->at] != '\n')
		scan->at++;
}

static bool skip_block_comment(struct scan *scan)
{
	unsigned depth = 0;

	do {
		if (char_at(scan, 0) == '/' && char_at(scan, 1) == '*') {
			depth++;
			scan->at += 2;
		} else if (char_at(scan, 0) == '*' && char_at(scan, 1) == '/') {
			depth--;
			scan->at += 2;
		} else {
			scan->at++;
		}
	} while (depth > 0 && scan->at < scan->length);
	return depth == 0;
}

/* The length of $tag$ here, 0 when this dollar opens nothing ($1, a lone one). */
static size_t dollar_tag(const struct scan *scan)
{
	size_t n = 1;

	if (char_at(scan, 1) >= '0' && char_at(scan, 1) <= '9')
		return 0;
	while (is_word_part((unsigned char)char_at(scan, n)) && char_at(scan, n) != '$')
		n++;
	return char_at(scan, n) == '$' ? n + 1 : 0;
}

static bool skip_dollar_quoted(struct scan *scan, size_t tag)
{
	const char *opening = scan->text + scan->at;
	const char *from = opening + tag;
	const char *found = memmem(from, (size_t)(scan->text + scan->length - from), opening, tag);

	scan->at = found ? (size_t)(found - scan->text) + tag : scan->length;
	return found != NULL;
}

/* --- words --- */

static void lower_copy(char dst[SQL_WORD_SIZE], const char *word, size_t length)
{
	if (length >= SQL_WORD_SIZE)
		length = 0;
	for (size_t i = 0; i < length; i++)
		dst[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 'a' - 'A' : word[i]);
	dst[length] = '\0';
}

/* create [or replace] function | procedure: only there `begin` opens a body. */
static void note_function(struct scan *scan, const char *word)
{
	bool is_create = strcmp(scan->statement->words[0], "create") == 0;
	bool is_kind = strcmp(word, "function") == 0 || strcmp(word, "procedure") == 0;

	if (is_create && is_kind && (scan->words == 1 || scan->words == 3))
		scan->is_function = true;
}

static void note_body(struct scan *scan, const char *word)
{
	if (!scan->is_function)
		return;
	if (strcmp(word, "begin") == 0 || (scan->bodies > 0 && strcmp(word, "case") == 0))
		scan->bodies++;
	else if (scan->bodies > 0 && strcmp(word, "end") == 0)
		scan->bodies--;
}

static void take_word(struct scan *scan)
{
	char word[SQL_WORD_SIZE];
	size_t start = scan->at;

	while (scan->at < scan->length && is_word_part((unsigned char)scan->text[scan->at]))
		scan->at++;
	lower_copy(word, scan->text + start, scan->at - start);
	if (scan->words < SQL_WORDS)
		memcpy(scan->statement->words[scan->words], word, sizeof(word));
	if (scan->was_from && scan->parens == 0 && strcmp(word, "stdin") == 0)
		scan->statement->reads_stdin = true;
	scan->was_from = strcmp(word, "from") == 0;
	note_function(scan, word);
	note_body(scan, word);
	scan->words++;
}

/* e'...' and E'...' know backslashes, other strings do not. */
static bool is_escape_string(const struct scan *scan)
{
	char c = char_at(scan, 0);

	return (c == 'e' || c == 'E') && char_at(scan, 1) == '\'';
}

/* One token; false when it has no end. */
static bool take_token(struct scan *scan)
{
	char c = char_at(scan, 0);
	size_t tag;

	if (is_escape_string(scan)) {
		scan->at++;
		return skip_quoted(scan, '\'', true);
	}
	if (c == '\'' || c == '"') {
		scan->was_from = false;
		return skip_quoted(scan, c, false);
	}
	if (c == '$' && (tag = dollar_tag(scan)) > 0)
		return skip_dollar_quoted(scan, tag);
	if (is_word_start((unsigned char)c)) {
		take_word(scan);
		return true;
	}
	if (c == '(')
		scan->parens++;
	else if (c == ')' && scan->parens > 0)
		scan->parens--;
	scan->at++;
	return true;
}

/* White space and comments. */
static bool skip_nothing(struct scan *scan, bool *ret_is_skipped)
{
	char c = char_at(scan, 0);

	*ret_is_skipped = true;
	if (c == '-' && char_at(scan, 1) == '-') {
		skip_line(scan);
		return true;
	}
	if (c == '/' && char_at(scan, 1) == '*')
		return skip_block_comment(scan);
	if (c == ' ' || (c >= '\t' && c <= '\r')) {
		scan->at++;
		return true;
	}
	*ret_is_skipped = false;
	return true;
}

enum sql_scan sql_scan_next(const char *text, size_t length, size_t *at, struct sql_statement *ret)
{
	struct scan scan = {.text = text, .length = length, .at = *at, .statement = ret};
	bool has_started = false, is_whole = true;

	*ret = (struct sql_statement){0};
	while (scan.at < length) {
		size_t token = scan.at;
		bool is_skipped;

		is_whole = skip_nothing(&scan, &is_skipped);
		if (is_whole && !is_skipped) {
			bool is_end = text[scan.at] == ';' && scan.parens == 0 && scan.bodies == 0;
			if (is_end && has_started)
				break;
			if (!is_end && !has_started)
				ret->start = token;
			has_started = has_started || !is_end;
			is_whole = take_token(&scan);
			ret->end = scan.at;
		}
		if (!is_whole) {
			ret->start = token;
			*at = length;
			return SQL_UNTERMINATED;
		}
	}
	*at = scan.at;
	return has_started ? SQL_FOUND : SQL_DONE;
}
