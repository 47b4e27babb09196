#pragma once
/* Dial rules: with which prefix a number is dialed and whose number the called party sees, by
 * campaign, queue, kind of customer and number (mission M38). The first rule whose conditions all
 * hold wins; the order is the caller's. Pure. */
#include <stdbool.h>
#include "base/status.h"
#include "calls/call_view.h"

#define DIAL_RULES_MAX	 1000
#define DIAL_STRIP_MAX	 16
#define DIAL_PREFIX_SIZE 17

struct dial_rule {
	char name[WORD_SIZE];
	/* Conditions; "" holds always. number_prefix: how the number begins, as +49 or 00. */
	char campaign[SUBJECT_SIZE], queue[NAME_SIZE], party_type[WORD_SIZE];
	char number_prefix[DIAL_PREFIX_SIZE];
	/* What is done: this many characters (a + counts) are taken from the front, then the prefix
	 * [0-9*#+] is put there. "" and 0: the number as it is. */
	unsigned strip;
	char prefix[DIAL_PREFIX_SIZE];
	/* Shown to the called party; "" = what the configuration says. */
	char caller_number[NUMBER_SIZE], caller_name[NAME_SIZE];
	bool is_withheld;
};

struct dial_facts { /* what conditions look at; none is NULL */
	const char *campaign, *queue, *party_type, *number;
};

/* NULL: none holds, the number is dialed as it is. */
const struct dial_rule *dial_rule_find(const struct dial_rule *rules, unsigned count,
				       const struct dial_facts *facts);
/* What the switch is asked to dial. Errors: ST_INVALID dial.rule, the rule takes more digits than
 * there are, or makes the number too long. ret is then untouched. */
enum status dial_rule_apply(const struct dial_rule *rule, const char *number, char ret[NUMBER_SIZE],
			    struct err *err) MUST_USE;
/* Can this rule be? Errors: ST_INVALID dial.rule with the field as target. */
enum status dial_rule_check(const struct dial_rule *rule, struct err *err) MUST_USE;
