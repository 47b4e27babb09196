/* Which number is meant, and how it is dialed. */
#include "house.h"

#include "base/numbering.h"

static struct numbering *plan;

static int setup_in(void **state, const char *region)
{
	struct house *house = malloc(sizeof *house);
	struct control_config config = house_config();

	if (region)
		assert_int_equal(numbering_open(region, &plan, NULL), ST_OK);
	config.numbering = plan;
	house_open_with(house, &config, true);
	*state = house;
	return 0;
}

static int setup(void **state)
{
	return setup_in(state, NULL);
}

static int setup_in_britain(void **state)
{
	return setup_in(state, "GB");
}

static int teardown(void **state)
{
	house_close(*state);
	free(*state);
	numbering_close(plan);
	plan = NULL;
	return 0;
}

static const char *shown_to(struct house *h, const char *party)
{
	static char shown[TEL_NUMBER_SIZE];
	struct sim_leg_view views[16];
	unsigned count = sim_legs(h->sim, views, 16);

	str_copy(shown, sizeof shown, "no leg");
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(views[i].party, party))
			str_copy(shown, sizeof shown, views[i].shown);
	return shown;
}

static void a_national_number_is_kept_and_dialed_as_an_international_one(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, "020 7183 8750");
	assert_string_equal(told(h, 1, 1)->phone, "+442071838750");
	assert_string_not_equal(leg_of(h, "+442071838750"), "");
}

static void one_that_cannot_be_is_refused(void **state)
{
	struct house *h = *state;
	struct command command = command_of(h, CMD_DIAL, 1, 1);

	str_copy(command.number, sizeof command.number, "0207183875012345");
	is_refused(h, &command, "number.invalid");
	command = command_of(h, CMD_DIAL, 1, 1);
	str_copy(command.number, sizeof command.number, "+999 1234567");
	is_refused(h, &command, "number.invalid");
}

static void extensions_and_short_numbers_stay_as_they_are(void **state)
{
	struct house *h = *state;

	dials(h, 1, 1, "1002");
	house_run_ms(h, 1000);
	assert_string_equal(told(h, 1, 1)->phone, "1002");
	assert_string_not_equal(leg_of(h, "1002"), "");
	does(h, CMD_RELEASE, 1, 1);
	talks(h, 2, 1, "112");
	assert_string_not_equal(leg_of(h, "112"), "");
}

static void transfers_and_records_follow_the_plan_too(void **state)
{
	struct house *h = *state;

	talks(h, 1, 1, "+442071838750");
	does_with(h, CMD_TRANSFER_CONSULT, 1, 1, "0171 946 0000", 0);
	house_run_ms(h, 2000);
	assert_string_equal(told(h, 1, 2)->phone, "+441719460000");
	presents(h, 2, 1, "01632 960001");
	assert_string_equal(told(h, 2, 1)->phone, "+441632960001");
}

static void a_caller_is_known_by_the_international_number(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, "02071838750", QUEUE);
	house_run_ms(h, 100);
	assert_string_equal(told(h, 1, 1)->phone, "+442071838750");
	does(h, CMD_ANSWER, 1, 1);
}

static void a_caller_whose_number_is_none_is_shown_as_he_comes(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	calls_in(h, "0207183875012345", QUEUE);
	house_run_ms(h, 100);
	assert_string_equal(told(h, 1, 1)->phone, "0207183875012345");
	does(h, CMD_ANSWER, 1, 1);
}

static void a_rule_dials_with_its_prefix_and_shows_its_caller(void **state)
{
	const struct dial_rule rules[] = {
		{.name = "uk",
		 .number_prefix = "+44",
		 .strip = 3,
		 .prefix = "90",
		 .caller_number = "+442070000000"},
		{.name = "secret", .number_prefix = "+49", .is_withheld = true},
	};
	struct house *h = *state;

	control_set_dial_rules(h->control, rules, 2);
	talks(h, 1, 1, "+442071838750");
	assert_string_equal(told(h, 1, 1)->phone, "+442071838750");
	assert_string_equal(shown_to(h, "902071838750"), "+442070000000");
	does(h, CMD_RELEASE, 1, 1);
	talks(h, 2, 1, "+4930901820");
	assert_string_equal(shown_to(h, "+4930901820"), "");
	does(h, CMD_RELEASE, 2, 1);
	ends_wrap(h, 1, 1);
	control_set_dial_rules(h->control, NULL, 0);
	talks(h, 1, 1, "+442071838750");
	assert_string_equal(shown_to(h, "+442071838750"), "+15559999");
}

static void the_campaign_and_the_customer_choose_the_rule(void **state)
{
	const struct dial_rule rules[] = {
		{.name = "spring", .campaign = "Spring", .caller_number = "+15551111"},
		{.name = "leads", .party_type = "lead", .caller_number = "+15552222"},
	};
	struct house *h = *state;
	struct command command = command_of(h, CMD_PRESENT, 1, 1);

	control_set_dial_rules(h->control, rules, 2);
	str_copy(command.number, sizeof command.number, CUSTOMER);
	str_copy(command.subject, sizeof command.subject, "Spring");
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	does(h, CMD_DIAL, 1, 1);
	house_run_ms(h, 1000);
	assert_string_equal(shown_to(h, CUSTOMER), "+15551111");
	command = command_of(h, CMD_PRESENT, 2, 1);
	str_copy(command.number, sizeof command.number, OTHER);
	str_copy(command.to.type, sizeof command.to.type, "lead");
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	does(h, CMD_DIAL, 2, 1);
	house_run_ms(h, 1000);
	assert_string_equal(shown_to(h, OTHER), "+15552222");
}

static void a_transfer_of_a_queues_call_follows_the_queues_rule(void **state)
{
	const struct dial_rule rule = {.name = "desk", .queue = "Support", .prefix = "7"};
	struct house *h = *state;

	control_set_dial_rules(h->control, &rule, 1);
	says(h, 1, AGENT_READY);
	calls_in(h, CUSTOMER, QUEUE);
	house_run_ms(h, 100);
	does(h, CMD_ANSWER, 1, 1);
	house_run_ms(h, 1000);
	does_with(h, CMD_TRANSFER_BLIND, 1, 1, "5550002", 0);
	house_run_ms(h, 100);
	assert_string_not_equal(leg_of(h, "75550002"), "");
	house_run_ms(h, 2000);
	hangs_up(h, CUSTOMER);
}

static void a_rule_that_does_not_fit_refuses_the_dial(void **state)
{
	const struct dial_rule rule = {.name = "cut", .strip = 8};
	struct house *h = *state;
	struct command command = command_of(h, CMD_DIAL, 1, 1);

	control_set_dial_rules(h->control, &rule, 1);
	str_copy(command.number, sizeof command.number, "12345678");
	is_refused(h, &command, "dial.rule");
	control_set_dial_rules(h->control, NULL, 0);
}

static void a_colleague_is_rung_without_any_rule(void **state)
{
	const struct dial_rule rule = {.name = "all", .prefix = "9"};
	struct house *h = *state;

	control_set_dial_rules(h->control, &rule, 1);
	dials(h, 1, 1, "1002");
	house_run_ms(h, 1000);
	assert_string_not_equal(leg_of(h, "1002"), "");
	does(h, CMD_RELEASE, 1, 1);
}

#define WITH(how, test) cmocka_unit_test_setup_teardown(test, how, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(setup_in_britain,
		     a_national_number_is_kept_and_dialed_as_an_international_one),
		WITH(setup_in_britain, one_that_cannot_be_is_refused),
		WITH(setup_in_britain, extensions_and_short_numbers_stay_as_they_are),
		WITH(setup_in_britain, transfers_and_records_follow_the_plan_too),
		WITH(setup_in_britain, a_caller_is_known_by_the_international_number),
		WITH(setup_in_britain, a_caller_whose_number_is_none_is_shown_as_he_comes),
		WITH(setup, a_rule_dials_with_its_prefix_and_shows_its_caller),
		WITH(setup, the_campaign_and_the_customer_choose_the_rule),
		WITH(setup, a_transfer_of_a_queues_call_follows_the_queues_rule),
		WITH(setup, a_rule_that_does_not_fit_refuses_the_dial),
		WITH(setup, a_colleague_is_rung_without_any_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
