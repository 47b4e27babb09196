#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "telephony/ari/ari_result.h"

static void expect(struct ari_ending ending, enum tel_result result)
{
	if (ari_result(&ending) != result)
		fail_msg("sip %d cause %d gives %s, not %s", ending.sip, ending.cause,
			 tel_result_word(ari_result(&ending)), tel_result_word(result));
}

static void each_refusal_of_a_carrier_has_its_word(void **state)
{
	/* The causes are those that Asterisk gives with each status. */
	static const struct {
		int sip, cause;
		enum tel_result result;
	} rows[] = {
		{486, 17, TEL_BUSY},	  {600, 17, TEL_BUSY},	     {480, 19, TEL_NO_ANSWER},
		{408, 18, TEL_NO_ANSWER}, {404, 1, TEL_INVALID},     {410, 22, TEL_INVALID},
		{484, 28, TEL_INVALID},	  {604, 1, TEL_INVALID},     {403, 21, TEL_REJECTED},
		{603, 21, TEL_REJECTED},  {503, 34, TEL_CONGESTION}, {504, 102, TEL_CONGESTION},
		{500, 38, TEL_ERROR},	  {488, 58, TEL_ERROR},	     {606, 58, TEL_ERROR},
		{499, 127, TEL_ERROR},	  {0, 17, TEL_BUSY},	     {0, 1, TEL_INVALID},
		{0, 20, TEL_INVALID},	  {0, 21, TEL_REJECTED},     {0, 34, TEL_CONGESTION},
		{0, 18, TEL_NO_ANSWER},	  {0, 38, TEL_ERROR},	     {0, 0, TEL_ERROR},
		{420, 17, TEL_BUSY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect((struct ari_ending){.sip = rows[i].sip, .cause = rows[i].cause},
		       rows[i].result);
}

static void what_was_up_ends_normally(void **state)
{
	(void)state;
	expect((struct ari_ending){.was_up = true, .sip = 486, .cause = 17}, TEL_NORMAL);
	expect((struct ari_ending){.was_up = true, .is_inbound = true, .cause = 44}, TEL_NORMAL);
	expect((struct ari_ending){.was_up = true, .was_hangup_ours = true, .cause = 16},
	       TEL_NORMAL);
}

static void what_we_hang_up_before_is_cancelled(void **state)
{
	(void)state;
	expect((struct ari_ending){.was_hangup_ours = true, .sip = 486, .cause = 17},
	       TEL_CANCELLED);
	expect((struct ari_ending){.was_hangup_ours = true, .is_inbound = true, .cause = 17},
	       TEL_CANCELLED);
}

static void a_caller_who_leaves_has_abandoned(void **state)
{
	(void)state;
	expect((struct ari_ending){.is_inbound = true, .sip = 487, .cause = 127}, TEL_ABANDONED);
	expect((struct ari_ending){.is_inbound = true, .cause = 17}, TEL_ABANDONED);
}

static void only_what_rang_was_left_unanswered(void **state)
{
	(void)state;
	expect((struct ari_ending){.was_timeout = true, .has_rung = true, .sip = 480, .cause = 19},
	       TEL_NO_ANSWER);
	expect((struct ari_ending){.was_timeout = true, .sip = 480, .cause = 19}, TEL_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_refusal_of_a_carrier_has_its_word),
		cmocka_unit_test(what_was_up_ends_normally),
		cmocka_unit_test(what_we_hang_up_before_is_cancelled),
		cmocka_unit_test(a_caller_who_leaves_has_abandoned),
		cmocka_unit_test(only_what_rang_was_left_unanswered),
	};

	return cmocka_run_group_tests_name("ari_result", tests, NULL, NULL);
}
