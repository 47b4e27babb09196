#include "calls/dial_rule.h"

#include <string.h>

#define DIGITS "0123456789"

static bool is_met(const char *condition, const char *fact)
{
	return !condition[0] || !strcmp(condition, fact);
}

const struct dial_rule *dial_rule_find(const struct dial_rule *rules, unsigned count,
				       const struct dial_facts *facts)
{
	for (const struct dial_rule *rule = rules; rule < rules + count; rule++)
		if (is_met(rule->campaign, facts->campaign) && is_met(rule->queue, facts->queue) &&
		    is_met(rule->party_type, facts->party_type) &&
		    !strncmp(facts->number, rule->number_prefix, strlen(rule->number_prefix)))
			return rule;
	return NULL;
}

enum status dial_rule_apply(const struct dial_rule *rule, const char *number, char ret[NUMBER_SIZE],
			    struct err *err)
{
	size_t length = strlen(number), added = strlen(rule->prefix);

	if (rule->strip >= length)
		return err_set(err, ST_INVALID, "dial.rule", "number",
			       "the dial rule %s takes %u characters from a number that has %zu",
			       rule->name, rule->strip, length);
	if (added + length - rule->strip >= NUMBER_SIZE)
		return err_set(err, ST_INVALID, "dial.rule", "number",
			       "the dial rule %s makes this number too long", rule->name);
	/* ret may be number itself */
	memmove(ret + added, number + rule->strip, length - rule->strip + 1);
	memcpy(ret, rule->prefix, added);
	return ST_OK;
}

static bool is_made_of(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == 0;
}

static bool has_control_characters(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			return true;
	return false;
}

static enum status refuse(struct err *err, const char *field, const char *why)
{
	return err_set(err, ST_INVALID, "dial.rule", field, "%s: %s", field, why);
}

static bool is_number(const char *text)
{
	size_t digits = strlen(text) - (*text == '+');

	return !*text || (is_made_of(text + (*text == '+'), DIGITS) && digits >= 2 && digits <= 15);
}

enum status dial_rule_check(const struct dial_rule *rule, struct err *err)
{
	const char *begin = rule->number_prefix + (rule->number_prefix[0] == '+');

	if (!rule->name[0] || !is_made_of(rule->name, "abcdefghijklmnopqrstuvwxyz"
						      "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-"))
		return refuse(err, "name", "1 to 32 of A-Z a-z 0-9 . _ -");
	if (!is_made_of(begin, DIGITS))
		return refuse(err, "number-prefix", "digits, with a + in front or without");
	if (rule->strip > DIAL_STRIP_MAX)
		return refuse(err, "strip", "at most 16 characters can be taken away");
	if (!is_made_of(rule->prefix, DIGITS "*#+"))
		return refuse(err, "prefix", "only 0-9 * # +");
	if (!is_number(rule->caller_number))
		return refuse(err, "caller-number", "2 to 15 digits, with a + in front or without");
	if (has_control_characters(rule->caller_name) || strpbrk(rule->caller_name, "\"\\"))
		return refuse(err, "caller-name", "no \" \\ and no control characters");
	if (rule->is_withheld && (rule->caller_number[0] || rule->caller_name[0]))
		return refuse(err, "withheld", "a caller who is withheld shows no number or name");
	return ST_OK;
}
