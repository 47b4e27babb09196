#include "db/migrate_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "db/sql_scan.h"

struct line {
	const char *start;
	size_t length; /* without the line break, and without a carriage return */
	unsigned number;
};

struct parser {
	const char *text;
	size_t length, at;
	unsigned line;
	struct migrate_fault *fault;
};

static PRINTF_LIKE(4, 5) enum status
	refuse(struct parser *parser, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	parser->fault->line = line;
	parser->fault->column = column;
	va_start(args, format);
	vsnprintf(parser->fault->message, sizeof(parser->fault->message), format, args);
	va_end(args);
	return ST_INVALID;
}

static bool next_line(struct parser *parser, struct line *ret)
{
	if (parser->at >= parser->length)
		return false;
	const char *start = parser->text + parser->at;
	const char *end = memchr(start, '\n', parser->length - parser->at);
	size_t length = end ? (size_t)(end - start) : parser->length - parser->at;

	parser->at += length + (end ? 1 : 0);
	if (length > 0 && start[length - 1] == '\r')
		length--;
	*ret = (struct line){.start = start, .length = length, .number = ++parser->line};
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static size_t skip_spaces(const struct line *line, size_t at)
{
	while (at < line->length && is_space(line->start[at]))
		at++;
	return at;
}

/* "--", optional blanks, the word, then blanks or the end. *ret_options: what follows. */
static bool is_directive(const struct line *line, const char *word, size_t *ret_options)
{
	size_t length = strlen(word);

	if (line->length < 2 || memcmp(line->start, "--", 2) != 0)
		return false;
	size_t at = skip_spaces(line, 2);
	if (line->length - at < length || memcmp(line->start + at, word, length) != 0)
		return false;
	at += length;
	*ret_options = skip_spaces(line, at);
	return at == line->length || *ret_options > at;
}

static bool is_blank_or_comment(const struct line *line)
{
	size_t at = skip_spaces(line, 0);

	return at == line->length ||
	       (line->length - at >= 2 && memcmp(line->start + at, "--", 2) == 0);
}

/* dbmate ignores what it does not know; a misspelled transaction:false would then run in one. */
static enum status read_options(struct parser *parser, const struct line *line, size_t at,
				struct migration_block *block)
{
	block->in_transaction = true;
	while (at < line->length) {
		size_t end = at;
		while (end < line->length && !is_space(line->start[end]))
			end++;
		size_t length = end - at;
		if (length == 17 && memcmp(line->start + at, "transaction:false", length) == 0)
			block->in_transaction = false;
		else if (!(length == 16 &&
			   memcmp(line->start + at, "transaction:true", length) == 0))
			return refuse(
				parser, line->number, (unsigned)at + 1,
				"unknown option \"%.*s\": only transaction:false means anything",
				length > 40 ? 40 : (int)length, line->start + at);
		at = skip_spaces(line, end);
	}
	return ST_OK;
}

static enum status open_block(struct parser *parser, const struct line *line, size_t options,
			      struct migration_block *block, const char *word)
{
	if (block->sql)
		return refuse(parser, line->number, 1,
			      "a second %s: write one pair per file, dbmate fails after the first",
			      word);
	block->sql = line->start;
	block->line = line->number;
	return read_options(parser, line, options, block);
}

static enum status read_blocks(struct parser *parser, struct migration *ret)
{
	struct line line;
	size_t options;
	enum status status = ST_OK;

	while (status == ST_OK && next_line(parser, &line)) {
		if (is_directive(&line, "migrate:up", &options)) {
			if (ret->down.sql)
				return refuse(parser, line.number, 1,
					      "migrate:up comes before migrate:down");
			status = open_block(parser, &line, options, &ret->up, "migrate:up");
		} else if (is_directive(&line, "migrate:down", &options)) {
			if (!ret->up.sql)
				return refuse(parser, line.number, 1,
					      "migrate:up comes before migrate:down");
			status = open_block(parser, &line, options, &ret->down, "migrate:down");
		} else if (!ret->up.sql && !is_blank_or_comment(&line)) {
			return refuse(parser, line.number, 1,
				      "only -- comments may stand before -- migrate:up");
		}
	}
	if (status == ST_OK && (!ret->up.sql || !ret->down.sql))
		return refuse(parser, parser->line ? parser->line : 1, 1,
			      "there is no \"-- migrate:%s\" line", ret->up.sql ? "down" : "up");
	return status;
}

/* --- statements --- */

static bool is_word(const struct sql_statement *statement, unsigned index, const char *word)
{
	return strcmp(statement->words[index], word) == 0;
}

/* Savepoints may be used: they do not end the transaction. */
static bool is_transaction_control(const struct sql_statement *statement)
{
	if (is_word(statement, 0, "rollback"))
		return !is_word(statement, 1, "to") && !is_word(statement, 2, "to");
	if (is_word(statement, 0, "start") || is_word(statement, 0, "prepare"))
		return is_word(statement, 1, "transaction");
	return is_word(statement, 0, "begin") || is_word(statement, 0, "commit") ||
	       is_word(statement, 0, "end") || is_word(statement, 0, "abort");
}

static const char *fault_of(const struct migration_block *block,
			    const struct sql_statement *statement, unsigned index)
{
	if (block->sql[statement->start] == '\\')
		return "a backslash command of psql: only SQL can be run here";
	if (statement->reads_stdin && is_word(statement, 0, "copy"))
		return "copy from stdin needs psql: use insert";
	if (is_transaction_control(statement))
		return "begin, commit and rollback are the runner's: each file is one transaction";
	if (!block->in_transaction && index > 0)
		return "transaction:false means exactly one statement: PostgreSQL runs several as "
		       "one transaction";
	return NULL;
}

static enum status check_statements(struct parser *parser, const struct migration_block *block)
{
	struct sql_statement statement;
	unsigned index = 0, line, column;

	for (size_t at = 0;; index++) {
		enum sql_scan found = sql_scan_next(block->sql, block->length, &at, &statement);
		if (found == SQL_DONE)
			break;
		const char *message = found == SQL_UNTERMINATED
					      ? "this quote or comment has no end"
					      : fault_of(block, &statement, index);
		migrate_locate(block->sql, statement.start, &line, &column);
		if (message)
			return refuse(parser, block->line + line - 1, column, "%s", message);
	}
	if (!block->in_transaction && index == 0)
		return refuse(parser, block->line, 1,
			      "transaction:false means exactly one statement: there is none");
	return ST_OK;
}

static enum status check_text(struct parser *parser)
{
	if (parser->length > MIGRATION_SIZE_MAX)
		return refuse(parser, 1, 1, "longer than %d bytes", MIGRATION_SIZE_MAX);
	if (memchr(parser->text, '\0', parser->length))
		return refuse(parser, 1, 1, "there is a NUL byte in it");
	if (!str_is_utf8(parser->text, parser->length))
		return refuse(parser, 1, 1, "it is not UTF-8");
	return ST_OK;
}

enum status migrate_parse(const char *text, size_t length, struct migration *ret,
			  struct migrate_fault *fault)
{
	struct parser parser = {.text = text, .length = length, .fault = fault};
	struct migration found = {0};
	enum status status = check_text(&parser);

	if (status == ST_OK)
		status = read_blocks(&parser, &found);
	if (status != ST_OK)
		return status;
	found.up.length = (size_t)(found.down.sql - found.up.sql);
	found.down.length = (size_t)(text + length - found.down.sql);
	status = check_statements(&parser, &found.up);
	if (status == ST_OK)
		status = check_statements(&parser, &found.down);
	if (status == ST_OK)
		*ret = found;
	return status;
}

bool migrate_parse_name(const char *name, char version[MIGRATION_VERSION_SIZE])
{
	size_t digits = strspn(name, "0123456789");
	size_t length = strlen(name);

	if (digits == 0 || digits >= MIGRATION_VERSION_SIZE || length < digits + 4 ||
	    strcmp(name + length - 4, ".sql") != 0)
		return false;
	memcpy(version, name, digits);
	version[digits] = '\0';
	return true;
}

void migrate_locate(const char *text, size_t at, unsigned *ret_line, unsigned *ret_column)
{
	*ret_line = *ret_column = 1;
	for (size_t i = 0; i < at; i++) {
		bool is_continuation = ((unsigned char)text[i] & 0xc0) == 0x80;
		if (text[i] == '\n') {
			++*ret_line;
			*ret_column = 1;
		} else if (!is_continuation) {
			++*ret_column;
		}
	}
}

size_t migrate_statement_at(const struct migration_block *block, unsigned index)
{
	struct sql_statement statement;

	for (size_t at = 0; sql_scan_next(block->sql, block->length, &at, &statement) == SQL_FOUND;)
		if (index-- == 0)
			return statement.start;
	return 0;
}
