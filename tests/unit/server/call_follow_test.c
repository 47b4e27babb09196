#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/call_follow.h"

/* The steps of these rows ("a b c"), as "state state state: cause". */
static const char *steps(const char *const *rows)
{
	static char text[200];
	struct follow follow = {0};

	text[0] = 0;
	for (; *rows; rows++)
		if (follow_row(&follow, *rows))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s%s",
				 *text ? " " : "", follow.state, follow.is_over ? ": " : "",
				 follow.is_over ? follow.cause : "");
	return text;
}

#define STEPS(...) steps((const char *const[]){__VA_ARGS__, NULL})

static void answered_call_ends_hung_up(void **state)
{
	(void)state;
	assert_string_equal(STEPS("preview", "ring", "talk", "hold", "talk", "idle"),
			    "preview ringing talk hold talk idle: hung up");
}

static void fact_is_the_cause_of_the_idle_after_it(void **state)
{
	(void)state;
	assert_string_equal(STEPS("ring", "busy", "idle"), "ringing idle: busy");
	assert_string_equal(STEPS("ring", "no answer", "idle"), "ringing idle: no answer");
	assert_string_equal(STEPS("error on dial", "idle"), "idle: error on dial");
}

static void call_that_never_talked_was_not_connected(void **state)
{
	(void)state;
	assert_string_equal(STEPS("preview", "ring", "idle"),
			    "preview ringing idle: not connected");
	assert_string_equal(STEPS("preview", "end"), "preview end: not connected");
}

static void nothing_is_told_after_the_first_idle(void **state)
{
	(void)state;
	assert_string_equal(STEPS("talk", "idle", "end", "preview", "busy"), "talk idle: hung up");
}

static void unknown_and_overlong_names_are_shown_as_they_are_and_cut(void **state)
{
	(void)state;
	assert_string_equal(STEPS("conference", "", "a name that is longer than any other", "idle"),
			    "conference a name that is longer t idle: not connected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered_call_ends_hung_up),
		cmocka_unit_test(fact_is_the_cause_of_the_idle_after_it),
		cmocka_unit_test(call_that_never_talked_was_not_connected),
		cmocka_unit_test(nothing_is_told_after_the_first_idle),
		cmocka_unit_test(unknown_and_overlong_names_are_shown_as_they_are_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
