#include "scene.h"

/* "The current call tab must have a call in the active (not held) state and the call on the
 * provided call tab must be on hold for successful transfer." Each combination of two tabs, and the
 * words for what is missing. */

#define NO_CALL CALL_STATE_COUNT

static const struct call *in_state(struct call *call, unsigned state)
{
	*call = (struct call){.view.state = (enum call_state)state};
	return state == NO_CALL ? NULL : call;
}

static bool is_active(unsigned state)
{
	return state == CALL_TALK || state == CALL_CONSULT;
}

static bool is_held(unsigned state)
{
	return state == CALL_HELD || state == CALL_CONSULT_HELD;
}

static void only_an_active_and_a_held_call_are_a_pair(void **state)
{
	struct call a, b;

	(void)state;
	for (unsigned here = 0; here <= NO_CALL; here++)
		for (unsigned there = 0; there <= NO_CALL; there++) {
			struct err err = {0};
			enum status status = pair_check("conference", in_state(&a, here), 1,
							in_state(&b, there), 2, &err);

			if (is_active(here) && is_held(there)) {
				assert_int_equal(status, ST_OK);
				continue;
			}
			assert_int_equal(status, ST_CONFLICT);
			assert_string_equal(err.code, here == CALL_CONFERENCE ? "tab.in_conference"
						      : is_active(here)	      ? "tab.not_held"
									      : "tab.not_active");
			assert_string_equal(err.target, is_active(here) ? "callTab" : "tab");
		}
}

/* What pair_check() lets pass the rules know too, and the other way round. */
static void the_rules_know_the_same_pairs(void **state)
{
	struct call a, b;

	(void)state;
	for (unsigned here = 0; here < NO_CALL; here++)
		for (unsigned there = 0; there < NO_CALL; there++) {
			bool is_pair = pair_check("conference", in_state(&a, here), 1,
						  in_state(&b, there), 2, NULL) == ST_OK;
			bool completes =
				call_rule_find(&a, EV_COMPLETE) && call_rule_find(&b, EV_COMPLETED);
			bool confers = call_rule_find(&a, EV_CONFERENCE) &&
				       call_rule_find(&b, EV_CONFERENCED);

			assert_int_equal(is_pair, completes);
			assert_int_equal(is_pair, confers);
		}
}

static void a_held_tab_cannot_complete(void **state)
{
	struct call a, b;
	struct err err;

	(void)state;
	assert_int_equal(pair_check("transferComplete", in_state(&a, CALL_HELD), 1,
				    in_state(&b, CALL_HELD), 2, &err),
			 ST_CONFLICT);
	assert_string_equal(err.message, "transferComplete needs this tab active: it is held");
}

static void the_unmet_condition_is_named(void **state)
{
	static const struct {
		unsigned here, there;
		const char *message;
	} expected[] = {
		{CALL_HELD, CALL_TALK, "transferComplete needs this tab active: it is held"},
		{CALL_CONSULT_HELD, CALL_HELD,
		 "transferComplete needs this tab active: it is held"},
		{NO_CALL, CALL_HELD, "transferComplete needs this tab active: it has no call"},
		{CALL_WRAP, CALL_HELD, "transferComplete needs this tab active: it has no call"},
		{CALL_END, CALL_HELD, "transferComplete needs this tab active: it has no call"},
		{CALL_RINGING, CALL_HELD, "transferComplete needs this tab active: it is ringing"},
		{CALL_INCOMING, CALL_HELD,
		 "transferComplete needs this tab active: it is not connected"},
		{CALL_PREVIEW, CALL_HELD,
		 "transferComplete needs this tab active: it is not connected"},
		{CALL_CONFERENCE, CALL_HELD,
		 "transferComplete needs this tab active: it is in a conference"},
		{CALL_TALK, CALL_TALK, "transferComplete needs tab 2 held: it is active"},
		{CALL_TALK, CALL_CONFERENCE, "transferComplete needs tab 2 held: it is active"},
		{CALL_TALK, NO_CALL, "transferComplete needs tab 2 held: it has no call"},
		{CALL_TALK, CALL_WRAP, "transferComplete needs tab 2 held: it has no call"},
		{CALL_CONSULT, CALL_RINGING, "transferComplete needs tab 2 held: it is ringing"},
		{CALL_CONSULT, CALL_ANSWERING,
		 "transferComplete needs tab 2 held: it is not connected"},
	};
	struct call a, b;
	struct err err;

	(void)state;
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		assert_int_equal(pair_check("transferComplete", in_state(&a, expected[i].here), 1,
					    in_state(&b, expected[i].there), 2, &err),
				 ST_CONFLICT);
		assert_string_equal(err.message, expected[i].message);
	}
}

static void the_method_is_called_as_the_agent_called_it(void **state)
{
	struct call a, b;
	struct err err;

	(void)state;
	assert_int_equal(pair_check("conference", in_state(&a, CALL_TALK), 4,
				    in_state(&b, CALL_TALK), 16, &err),
			 ST_CONFLICT);
	assert_string_equal(err.message, "conference needs tab 16 held: it is active");
}

static void a_tab_is_no_pair_with_itself(void **state)
{
	struct call a;
	struct err err;
	const struct call *call = in_state(&a, CALL_TALK);

	(void)state;
	assert_int_equal(pair_check("conference", call, 3, call, 3, &err), ST_INVALID);
	assert_string_equal(err.code, "tab.same");
	assert_string_equal(err.target, "callTab");
	assert_string_equal(err.message,
			    "conference needs another tab of yours in callTab: 3 is this one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_an_active_and_a_held_call_are_a_pair),
		cmocka_unit_test(the_rules_know_the_same_pairs),
		cmocka_unit_test(a_held_tab_cannot_complete),
		cmocka_unit_test(the_unmet_condition_is_named),
		cmocka_unit_test(the_method_is_called_as_the_agent_called_it),
		cmocka_unit_test(a_tab_is_no_pair_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
