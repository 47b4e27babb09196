#include "scene.h"

#include "base/str.h"
#include "calls/dial_rule.h"

static const struct dial_rule rules[] = {
	{.name = "hotline", .queue = "Support", .caller_number = "+4930100"},
	{.name = "spring-de",
	 .campaign = "Spring",
	 .number_prefix = "+49",
	 .strip = 3,
	 .prefix = "0"},
	{.name = "spring", .campaign = "Spring", .prefix = "77"},
	{.name = "patients", .party_type = "contact", .is_withheld = true},
	{.name = "germany", .number_prefix = "+49"},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static const char *winner(const char *campaign, const char *queue, const char *type,
			  const char *number)
{
	struct dial_facts facts = {
		.campaign = campaign, .queue = queue, .party_type = type, .number = number};
	const struct dial_rule *rule = dial_rule_find(rules, RULES, &facts);

	return rule ? rule->name : "none";
}

static void the_first_rule_whose_conditions_all_hold_wins(void **state)
{
	(void)state;
	assert_string_equal(winner("Spring", "Support", "contact", "+4930"), "hotline");
	assert_string_equal(winner("Spring", "", "contact", "+4930901820"), "spring-de");
	assert_string_equal(winner("Spring", "", "contact", "+442071838750"), "spring");
	assert_string_equal(winner("Autumn", "", "contact", "+442071838750"), "patients");
	assert_string_equal(winner("", "", "lead", "+4930901820"), "germany");
	assert_string_equal(winner("", "", "lead", "+442071838750"), "none");
	assert_string_equal(winner("spring", "", "", "+1"), "none"); /* as written */
	assert_string_equal(winner("", "", "", "4930901820"), "none");
}

static void without_rules_there_is_none(void **state)
{
	struct dial_facts facts = {"", "", "", "+4930901820"};

	(void)state;
	assert_null(dial_rule_find(NULL, 0, &facts));
}

static void a_rule_takes_away_and_puts_in_front(void **state)
{
	char number[NUMBER_SIZE];

	(void)state;
	assert_int_equal(dial_rule_apply(&rules[1], "+4930901820", number, NULL), ST_OK);
	assert_string_equal(number, "030901820");
	assert_int_equal(dial_rule_apply(&rules[2], "+1", number, NULL), ST_OK);
	assert_string_equal(number, "77+1");
	assert_int_equal(dial_rule_apply(&rules[0], "+4930", number, NULL), ST_OK);
	assert_string_equal(number, "+4930");
	assert_int_equal(dial_rule_apply(&rules[1], number, number, NULL), ST_OK);
	assert_string_equal(number, "030"); /* in place */
}

static void what_a_rule_cannot_do_is_refused_and_changes_nothing(void **state)
{
	struct dial_rule rule = {.name = "r", .strip = 5, .prefix = "1234567890123456"};
	char number[NUMBER_SIZE] = "as before";
	struct err err;

	(void)state;
	assert_int_equal(dial_rule_apply(&rule, "+1234", number, &err), ST_INVALID);
	assert_string_equal(err.code, "dial.rule");
	rule.strip = 0;
	assert_int_equal(dial_rule_apply(&rule, "+12345678901234567", number, &err), ST_INVALID);
	assert_string_equal(number, "as before");
	assert_int_equal(dial_rule_apply(&rule, "+123456789012345", number, &err), ST_OK);
}

static void a_rule_that_cannot_be_names_its_field(void **state)
{
	static const struct {
		struct dial_rule rule;
		const char *field;
	} bad[] = {
		{{.name = ""}, "name"},
		{{.name = "a b"}, "name"},
		{{.name = "r", .number_prefix = "+4x"}, "number-prefix"},
		{{.name = "r", .number_prefix = "4+"}, "number-prefix"},
		{{.name = "r", .strip = 17}, "strip"},
		{{.name = "r", .prefix = "0,"}, "prefix"},
		{{.name = "r", .prefix = "&"}, "prefix"},
		{{.name = "r", .caller_number = "+"}, "caller-number"},
		{{.name = "r", .caller_number = "1+2"}, "caller-number"},
		{{.name = "r", .caller_number = "+1234567890123456"}, "caller-number"},
		{{.name = "r", .caller_name = "a\r\nVia: x"}, "caller-name"},
		{{.name = "r", .caller_name = "\x7f"}, "caller-name"},
		{{.name = "r", .caller_name = "\" <sip:x"}, "caller-name"},
		{{.name = "r", .caller_name = "x", .is_withheld = true}, "withheld"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err;

		assert_int_equal(dial_rule_check(&bad[i].rule, &err), ST_INVALID);
		assert_string_equal(err.target, bad[i].field);
	}
	for (unsigned i = 0; i < RULES; i++)
		assert_int_equal(dial_rule_check(&rules[i], NULL), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_whose_conditions_all_hold_wins),
		cmocka_unit_test(without_rules_there_is_none),
		cmocka_unit_test(a_rule_takes_away_and_puts_in_front),
		cmocka_unit_test(what_a_rule_cannot_do_is_refused_and_changes_nothing),
		cmocka_unit_test(a_rule_that_cannot_be_names_its_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
