#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "telephony/driver.h"

/* A driver that only counts what passes the doors. */
struct counting {
	struct tel_driver driver;
	unsigned passed;
	struct tel_leg_options options;
	unsigned on_ms, gap_ms;
	int cause;
	bool is_closed;
};

static struct counting *counting_of(struct tel_driver *driver)
{
	return (struct counting *)driver;
}

static enum status pass(struct tel_driver *driver)
{
	counting_of(driver)->passed++;
	return ST_OK;
}

static enum status pass_open(struct tel_driver *driver, struct err *err)
{
	(void)err;
	return pass(driver);
}

static void pass_close(struct tel_driver *driver)
{
	counting_of(driver)->is_closed = true;
}

static enum status pass_make(struct tel_driver *driver, uint32_t token, const char *leg,
			     const struct tel_dest *dest, const struct tel_leg_options *options)
{
	(void)token, (void)leg, (void)dest;
	counting_of(driver)->options = *options;
	return pass(driver);
}

static enum status pass_id(struct tel_driver *driver, uint32_t token, const char *id)
{
	(void)token, (void)id;
	return pass(driver);
}

static enum status pass_hangup(struct tel_driver *driver, uint32_t token, const char *leg,
			       int cause)
{
	(void)token, (void)leg;
	counting_of(driver)->cause = cause;
	return pass(driver);
}

static enum status pass_dtmf(struct tel_driver *driver, uint32_t token, const char *leg,
			     const char *digits, unsigned on_ms, unsigned gap_ms)
{
	(void)token, (void)leg, (void)digits;
	counting_of(driver)->on_ms = on_ms;
	counting_of(driver)->gap_ms = gap_ms;
	return pass(driver);
}

static enum status pass_mute(struct tel_driver *driver, uint32_t token, const char *leg,
			     enum tel_mute mute, bool on)
{
	(void)token, (void)leg, (void)mute, (void)on;
	return pass(driver);
}

static enum status pass_mix_make(struct tel_driver *driver, uint32_t token, const char *mix,
				 enum tel_mix_kind kind)
{
	(void)token, (void)mix, (void)kind;
	return pass(driver);
}

static enum status pass_pair(struct tel_driver *driver, uint32_t token, const char *mix,
			     const char *leg)
{
	(void)token, (void)mix, (void)leg;
	return pass(driver);
}

static enum status pass_music(struct tel_driver *driver, uint32_t token, const char *mix, bool on)
{
	(void)token, (void)mix, (void)on;
	return pass(driver);
}

static enum status pass_play(struct tel_driver *driver, uint32_t token, const char *mix,
			     const char *play, const char *sound)
{
	(void)token, (void)mix, (void)play, (void)sound;
	return pass(driver);
}

static const struct tel_driver_ops all_ops = {
	.name = "counting",
	.capabilities = TEL_CAN_PLAY,
	.open = pass_open,
	.close = pass_close,
	.leg_make = pass_make,
	.leg_ring = pass_id,
	.leg_answer = pass_id,
	.leg_hangup = pass_hangup,
	.leg_dtmf = pass_dtmf,
	.leg_mute = pass_mute,
	.mix_make = pass_mix_make,
	.mix_free = pass_id,
	.mix_add = pass_pair,
	.mix_remove = pass_pair,
	.mix_music = pass_music,
	.mix_play = pass_play,
	.play_stop = pass_id,
	.resync = pass,
};

static struct counting counting(void)
{
	return (struct counting){.driver = {.ops = &all_ops}};
}

static struct tel_dest number(const char *value)
{
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};
	memcpy(dest.value, value, strlen(value) + 1);
	return dest;
}

static void ids_are_letters_digits_dot_underscore_dash(void **state)
{
	(void)state;
	static const char *const good[] = {
		"a", "gw1-c-0190.x_Z",
		"0123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {
		"",
		"a b",
		"a/b",
		"a%2f",
		"\xc3\xa4",
		"a\n",
		"01234567890123456789012345678901234567890123456789012345678901234"};
	for (unsigned i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(tel_is_id(good[i]));
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(tel_is_id(bad[i]));
	assert_false(tel_is_id(NULL));
}

static void numbers_are_plus_digits_star_hash(void **state)
{
	(void)state;
	assert_true(tel_is_number("+15550001"));
	assert_true(tel_is_number("*67#"));
	assert_true(tel_is_number("01234567890123456789012345678901"));
	assert_false(tel_is_number("012345678901234567890123456789012"));
	assert_false(tel_is_number(""));
	assert_false(tel_is_number("1555;x=y"));
	assert_false(tel_is_number("sip:x@host"));
	assert_false(tel_is_digits("+1"));
	assert_true(tel_is_digits("42#*"));
}

static void leg_is_made_only_to_a_well_formed_destination(void **state)
{
	(void)state;
	struct counting c = counting();
	struct tel_dest good = number("+15550001"), bad = number("1 555");
	struct tel_dest station = {TEL_DEST_STATION, "desk-7_b"}, odd = {TEL_DEST_STATION, "a.b"};
	struct tel_dest unknown_kind = {(enum tel_dest_kind)7, "1"};

	assert_int_equal(tel_leg_make(&c.driver, 1, "l", &good, NULL), ST_OK);
	assert_int_equal(tel_leg_make(&c.driver, 1, "l", &station, NULL), ST_OK);
	assert_int_equal(c.passed, 2);
	assert_int_equal(tel_leg_make(&c.driver, 1, "l", &bad, NULL), ST_INVALID);
	assert_int_equal(tel_leg_make(&c.driver, 1, "l", &odd, NULL), ST_INVALID);
	assert_int_equal(tel_leg_make(&c.driver, 1, "l", &unknown_kind, NULL), ST_INVALID);
	assert_int_equal(tel_leg_make(&c.driver, 1, "l l", &good, NULL), ST_INVALID);
	assert_int_equal(c.passed, 2);
}

static void leg_options_are_checked(void **state)
{
	(void)state;
	struct counting c = counting();
	struct tel_dest dest = number("1");
	struct tel_leg_options good = {.caller_number = "+1555",
				       .caller_name = "Acme",
				       .timeout_s = 30,
				       .mix = "m-1",
				       .tag = "call-1"};
	struct tel_leg_options bad[5];

	for (unsigned i = 0; i < 5; i++)
		bad[i] = good;
	strcpy(bad[0].caller_number, "x");
	strcpy(bad[1].mix, "m/1");
	strcpy(bad[2].tag, "a tag");
	bad[3].timeout_s = 3601;
	memset(bad[4].caller_name, 'x', sizeof bad[4].caller_name);

	assert_int_equal(tel_leg_make(&c.driver, 1, "l", &dest, &good), ST_OK);
	assert_string_equal(c.options.tag, "call-1");
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(tel_leg_make(&c.driver, 1, "l", &dest, &bad[i]), ST_INVALID);
	assert_int_equal(c.passed, 1);
}

static void tones_have_a_default_length_and_limits(void **state)
{
	(void)state;
	struct counting c = counting();

	assert_int_equal(tel_leg_dtmf(&c.driver, 1, "l", "12*#", 0, 0), ST_OK);
	assert_int_equal(c.on_ms, 100);
	assert_int_equal(c.gap_ms, 100);
	assert_int_equal(tel_leg_dtmf(&c.driver, 1, "l", "12*#", 40, 60), ST_OK);
	assert_int_equal(c.on_ms, 40);
	assert_int_equal(c.gap_ms, 60);
	assert_int_equal(tel_leg_dtmf(&c.driver, 1, "l", "12a", 0, 0), ST_INVALID);
	assert_int_equal(tel_leg_dtmf(&c.driver, 1, "l", "", 0, 0), ST_INVALID);
	assert_int_equal(tel_leg_dtmf(&c.driver, 1, "l", "1", 19, 0), ST_INVALID);
	assert_int_equal(tel_leg_dtmf(&c.driver, 1, "l", "1", 0, 5001), ST_INVALID);
	assert_int_equal(c.passed, 2);
}

static void every_other_door_checks_its_arguments(void **state)
{
	(void)state;
	struct counting c = counting();
	struct tel_driver *d = &c.driver;

	assert_int_equal(tel_leg_ring(d, 1, "a b"), ST_INVALID);
	assert_int_equal(tel_leg_answer(d, 1, ""), ST_INVALID);
	assert_int_equal(tel_leg_hangup(d, 1, "l", 0), ST_INVALID);
	assert_int_equal(tel_leg_hangup(d, 1, "l", 128), ST_INVALID);
	assert_int_equal(tel_leg_mute(d, 1, "l", (enum tel_mute)0, true), ST_INVALID);
	assert_int_equal(tel_leg_mute(d, 1, "l", (enum tel_mute)4, true), ST_INVALID);
	assert_int_equal(tel_mix_make(d, 1, "m", (enum tel_mix_kind)2), ST_INVALID);
	assert_int_equal(tel_mix_free(d, 1, "m/"), ST_INVALID);
	assert_int_equal(tel_mix_add(d, 1, "m", "l/"), ST_INVALID);
	assert_int_equal(tel_mix_remove(d, 1, "m/", "l"), ST_INVALID);
	assert_int_equal(tel_mix_music(d, 1, "", true), ST_INVALID);
	assert_int_equal(tel_mix_play(d, 1, "m", "p", ""), ST_INVALID);
	assert_int_equal(tel_mix_play(d, 1, "m", "p", "a\r\nb"), ST_INVALID);
	assert_int_equal(tel_play_stop(d, 1, "p p"), ST_INVALID);
	assert_int_equal(c.passed, 0);

	assert_int_equal(tel_leg_ring(d, 1, "l"), ST_OK);
	assert_int_equal(tel_leg_answer(d, 1, "l"), ST_OK);
	assert_int_equal(tel_leg_hangup(d, 1, "l", 17), ST_OK);
	assert_int_equal(c.cause, 17);
	assert_int_equal(tel_leg_mute(d, 1, "l", TEL_MUTE_BOTH, true), ST_OK);
	assert_int_equal(tel_mix_make(d, 1, "m", TEL_MIX_PARK), ST_OK);
	assert_int_equal(tel_mix_free(d, 1, "m"), ST_OK);
	assert_int_equal(tel_mix_add(d, 1, "m", "l"), ST_OK);
	assert_int_equal(tel_mix_remove(d, 1, "m", "l"), ST_OK);
	assert_int_equal(tel_mix_music(d, 1, "m", true), ST_OK);
	assert_int_equal(tel_mix_play(d, 1, "m", "p", "hello"), ST_OK);
	assert_int_equal(tel_play_stop(d, 1, "p"), ST_OK);
	assert_int_equal(tel_driver_resync(d), ST_OK);
	assert_int_equal(tel_driver_open(d, NULL), ST_OK);
	assert_int_equal(c.passed, 13);
}

static void what_a_driver_cannot_is_unsupported(void **state)
{
	(void)state;
	struct tel_driver_ops ops = all_ops;
	ops.capabilities = 0;
	struct counting c = {.driver = {.ops = &ops}};

	assert_int_equal(tel_mix_play(&c.driver, 1, "m", "p", "hello"), ST_UNSUPPORTED);
	assert_int_equal(tel_play_stop(&c.driver, 1, "p"), ST_UNSUPPORTED);
	assert_int_equal(tel_driver_capabilities(&c.driver), 0);
	assert_int_equal(c.passed, 0);
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	struct counting c = counting();

	tel_driver_close(NULL);
	tel_driver_close(&c.driver);
	assert_true(c.is_closed);
}

static void every_result_and_fact_has_its_own_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TEL_RESULT_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(tel_result_word(i), tel_result_word(k));
	for (unsigned i = 0; i < TEL_FACT_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(tel_fact_word(i), tel_fact_word(k));
	assert_string_equal(tel_result_word(TEL_NO_ANSWER), "noanswer");
	assert_string_equal(tel_result_word(TEL_RESULT_COUNT), "?");
	assert_string_equal(tel_fact_word(TEL_FACT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_letters_digits_dot_underscore_dash),
		cmocka_unit_test(numbers_are_plus_digits_star_hash),
		cmocka_unit_test(leg_is_made_only_to_a_well_formed_destination),
		cmocka_unit_test(leg_options_are_checked),
		cmocka_unit_test(tones_have_a_default_length_and_limits),
		cmocka_unit_test(every_other_door_checks_its_arguments),
		cmocka_unit_test(what_a_driver_cannot_is_unsupported),
		cmocka_unit_test(closing_nothing_is_fine),
		cmocka_unit_test(every_result_and_fact_has_its_own_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
