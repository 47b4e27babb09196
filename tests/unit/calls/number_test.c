#include "scene.h"

/* Numbers come from agents, CRMs, callers and whoever holds a stolen key. What is not plainly a
 * number is refused, never cleaned into one. */

static const struct {
	const char *given, *taken;
} good[] = {
	{"+442071838750", "+442071838750"},
	{"+44 20 7183 8750", "+442071838750"},
	{"+44 (0)", NULL}, /* too short */
	{"+44 (20) 7183-8750", "+442071838750"},
	{"(+44) 20 7183.8750", "+442071838750"},
	{" +442071838750", "+442071838750"},
	{"+442071838750 ", "+442071838750"},
	{"   +   4 4 2 0 7 1 8 3 8 7 5 0   ", "+442071838750"},
	{"+1 202-555-0123", "+12025550123"},
	{"+1.202.555.0123", "+12025550123"},
	{"(202) 555-0123", "2025550123"},
	{"202.555.0123", "2025550123"},
	{"020 7183 8750", "02071838750"},
	{"00442071838750", "00442071838750"},
	{"0049 30 901820", "004930901820"},
	{"+4930901820", "+4930901820"},
	{"+49 (30) 901820", "+4930901820"},
	{"+33 1 70 18 99 00", "+33170189900"},
	{"+33.1.70.18.99.00", "+33170189900"},
	{"+353 1 234 5678", "+35312345678"},
	{"+39 06 698 1", "+39066981"},
	{"+1234567", "+1234567"},		  /* 7, the fewest after + */
	{"+123456789012345", "+123456789012345"}, /* 15, the most */
	{"123456789012345", "123456789012345"},	  /* 15 without + */
	{"1-2-3-4-5-6-7-8-9-0-1-2-3-4-5", "123456789012345"},
	{"10", "10"}, /* an extension */
	{"99", "99"},
	{"00", "00"},
	{"101", "101"},
	{"1001", "1001"},
	{"1 0 0 1", "1001"},
	{"12345", "12345"},
	{"123456", "123456"},
	{"112", "112"},
	{"911", "911"},
	{"999", "999"},
	{"0800 900 900", "0800900900"},
	{"((((101))))", "101"}, /* separators mean nothing and prove nothing */
	{")(101)(", "101"},
	{"1-", NULL},
	{"+1 (555) 000-0408", "+15550000408"},
	{"+881612345678", "+881612345678"},
	{"+8816 1234 5678", "+881612345678"},
	{"+998 71 200 00 00", "+998712000000"},
	{"+7 495 123-45-67", "+74951234567"},
	{"+7(495)1234567", "+74951234567"},
	{"+61 2 9374 4000", "+61293744000"},
	{"+81 3-6384-9000", "+81363849000"},
	{"+55 11 2395-8400", "+551123958400"},
	{"+86 10 6250 3000", "+861062503000"},
};

static const char *const hostile[] = {
	/* nothing, or nothing but separators and signs */
	"",
	" ",
	"  ",
	"-",
	"--",
	"()",
	"( )",
	".",
	"...",
	"+",
	"+ ",
	"+-",
	"(+)",
	"+()",
	"++",
	/* too short */
	"1",
	" 1 ",
	"(1)",
	"0",
	"+1",
	"+12",
	"+123",
	"+1234",
	"+12345",
	"+123456",
	"+1 2 3 4 5 6",
	/* too long */
	"1234567890123456",
	"+1234567890123456",
	"+12345678901234567890",
	"12345678901234567890123456789012",
	"1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6",
	"000000000000000000000000000000000000",
	"+442071838750+442071838750",
	"                                                              101",
	"-----------------------------------------------------------------",
	"1                                                               1",
	/* a country code does not begin with 0 */
	"+0",
	"+0123456789",
	"+00442071838750",
	"+0 44 2071838750",
	"+(0)442071838750",
	/* plus where it does not belong, or more of them */
	"44+2071838750",
	"442071838750+",
	"++442071838750",
	"+ +442071838750",
	"+44+2071838750",
	"(+)+442071838750",
	"0+442071838750",
	"+-+442071838750",
	/* letters: words for numbers, pauses, waits, extensions */
	"1-800-FLOWERS",
	"0800 CALLTAB",
	"abc",
	"a",
	"x101",
	"101x",
	"101 ext 5",
	"101 x5",
	"+442071838750x12",
	"+442071838750;ext=12",
	"+442071838750,12",
	"+442071838750,,12#",
	"+442071838750p12",
	"+442071838750w12",
	"+442071838750P12",
	"+442071838750W12",
	"+442071838750 pause 5",
	"O800900900",
	"l01",
	"1e5",
	"0x65",
	"1_000",
	"NaN",
	"null",
	"undefined",
	"true",
	"[object Object]",
	"anonymous",
	"restricted",
	/* star and hash are service codes, not numbers */
	"*72",
	"*72442071838750",
	"**21*442071838750#",
	"*#06#",
	"#31#442071838750",
	"*67 2025550123",
	"101#",
	"101*",
	"#",
	"*",
	"+44*2071838750",
	/* dial strings and addresses of switches */
	"SIP/trunk/442071838750",
	"PJSIP/442071838750@trunk",
	"PJSIP/101",
	"Local/101@internal",
	"Local/s@default/n",
	"IAX2/guest@192.0.2.1/101",
	"Zap/g1/442071838750",
	"DAHDI/1/442071838750",
	"300&Zap/g1/442071838750",
	"101&PJSIP/102",
	"101&102",
	"101|102",
	"101@trunk",
	"101@192.0.2.1",
	"101@internal,1",
	"101,1,Answer",
	"101^102",
	"101:102",
	"101/102",
	"/101",
	"101/",
	"101\\",
	"101%23",
	"%2B442071838750",
	"%2b442071838750",
	"%252B442071838750",
	"&#43;442071838750",
	"101!",
	"101?",
	"101=1",
	"101~",
	"101`id`",
	"101'",
	"101\"",
	"101{1}",
	"101[1]",
	"101<1>",
	"101$1",
	"${EXTEN}",
	"101${EXTEN}",
	"${SHELL(id)}",
	"$[1+1]",
	"$(id)",
	"101;id",
	"101;DROP TABLE calls",
	"101' OR '1'='1",
	"101--comment",
	"-- 101 --x",
	"<script>101</script>",
	"../101",
	"..\\101",
	"_X.",
	"_101",
	"X.",
	"N11",
	"s",
	"i",
	"t",
	"h",
	/* addresses */
	"tel:+442071838750",
	"TEL:+442071838750",
	"tel://442071838750",
	"callto:101",
	"sip:101@192.0.2.1",
	"sips:101@example.org",
	"sip:+442071838750@example.org;user=phone",
	"http://192.0.2.1/",
	"https://example.org/+442071838750",
	"mailto:101@example.org",
	"\"Alice\" <101>",
	"Alice <sip:101@example.org>",
	/* control characters and line ends: headers and logs are lines */
	"101\n",
	"\n101",
	"101\r\n",
	"101\r\nVia: SIP/2.0/UDP 192.0.2.1",
	"101\n102",
	"101\t",
	"\t101",
	"1\v01",
	"1\f01",
	"101\b",
	"101\x1b[31m",
	"101\x7f",
	"\x01"
	"101",
	/* other scripts' digits, separators and signs */
	"\xd9\xa1\xd9\xa0\xd9\xa1",		     /* Arabic-Indic */
	"+\xd9\xa4\xd9\xa4\xd9\xa2\xd9\xa0\xd9\xa7", /* ... after a plus */
	"\xdb\xb1\xdb\xb0\xdb\xb1",		     /* extended Arabic-Indic */
	"\xe0\xa5\xa7\xe0\xa5\xa6\xe0\xa5\xa7",	     /* Devanagari */
	"\xef\xbc\x91\xef\xbc\x90\xef\xbc\x91",	     /* full-width */
	"\xef\xbc\x8b"
	"442071838750",		    /* full-width plus */
	"\xe2\x91\xa0\xe2\x91\xa1", /* circled */
	"10\xc2\xb9",		    /* superscript */
	"\xe2\x81\xba"
	"442071838750", /* superscript plus */
	"101\xc2\xa0",	/* no-break space */
	"1\xe2\x80\x89"
	"01", /* thin space */
	"1\xe2\x80\x8b"
	"01", /* zero-width space */
	"\xef\xbb\xbf"
	"101", /* byte order mark */
	"1\xe2\x80\x90"
	"01", /* hyphen */
	"1\xe2\x80\x93"
	"01", /* en dash */
	"1\xe2\x88\x92"
	"01", /* minus */
	"1\xc2\xb7"
	"01", /* middle dot */
	"\xef\xbc\x88"
	"101\xef\xbc\x89", /* full-width parentheses */
	"\xe2\x80\xae"
	"101",		   /* right-to-left override */
	"101\xe2\x80\xac", /* pop directional formatting */
	"\xe2\x80\x8e"
	"101", /* left-to-right mark */
	"\xd8\x9c"
	"101",		    /* Arabic letter mark */
	"101\xcc\x81",	    /* combining accent */
	"\xf0\x9f\x93\x9e", /* a picture of a telephone */
	/* not even text */
	"101\xff",
	"\xc0\xb1"
	"01", /* an overlong '1' */
	"\x80"
	"101",
	"101\xc2",
};

static void numbers_are_taken_without_their_separators(void **state)
{
	char taken[NUMBER_SIZE];
	struct err err;

	(void)state;
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		enum status status = number_parse(good[i].given, taken, &err);

		if ((status == ST_OK) != (good[i].taken != NULL))
			fail_msg("\"%s\": %s", good[i].given, status_name(status));
		if (good[i].taken)
			assert_string_equal(taken, good[i].taken);
	}
}

static void hostile_numbers_are_refused_and_nothing_is_written(void **state)
{
	char untouched[NUMBER_SIZE];

	(void)state;
	memset(untouched, 0x5a, sizeof untouched);
	for (unsigned i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		char taken[NUMBER_SIZE];
		struct err err = {0};

		memset(taken, 0x5a, sizeof taken);
		if (number_parse(hostile[i], taken, &err) != ST_INVALID)
			fail_msg("taken: \"%s\"", hostile[i]);
		assert_memory_equal(taken, untouched, sizeof taken);
		assert_int_equal(err.status, ST_INVALID);
		assert_string_equal(err.code, "number.invalid");
		assert_string_equal(err.target, "number");
		assert_non_null(strstr(err.message, "this is no telephone number: "));
	}
}

static void the_table_has_more_than_two_hundred_numbers(void **state)
{
	unsigned count = sizeof good / sizeof good[0] + sizeof hostile / sizeof hostile[0];

	(void)state;
	if (count <= 200)
		fail_msg("only %u", count);
}

static void no_byte_but_digits_plus_and_separators_passes(void **state)
{
	char text[] = "1?01", taken[NUMBER_SIZE];

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		bool is_fine = strchr("0123456789 -().", byte) != NULL;

		text[1] = (char)byte;
		assert_int_equal(number_parse(text, taken, NULL) == ST_OK, is_fine);
	}
}

static void a_taken_number_is_taken_again_as_it_is(void **state)
{
	char once[NUMBER_SIZE], twice[NUMBER_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (!good[i].taken)
			continue;
		assert_int_equal(number_parse(good[i].given, once, NULL), ST_OK);
		assert_int_equal(number_parse(once, twice, NULL), ST_OK);
		assert_string_equal(once, twice);
	}
}

static void the_refusal_says_what_is_wrong(void **state)
{
	static const struct {
		const char *given, *says;
	} expected[] = {
		{"", "it has fewer than 2 digits"},
		{"+123", "after + come a country code and 7 to 15 digits in all"},
		{"+0123456789", "after + come a country code and 7 to 15 digits in all"},
		{"1234567890123456", "it has more than 15 digits"},
		{"12345678901234567890123456789012345678901234567890123456789012345",
		 "it is too long"},
		{"101;102",
		 "only digits, a leading + and the separators space - ( ) . may be in it"},
	};
	char taken[NUMBER_SIZE];
	struct err err;

	(void)state;
	for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		assert_int_equal(number_parse(expected[i].given, taken, &err), ST_INVALID);
		assert_string_equal(err.message + strlen("this is no telephone number: "),
				    expected[i].says);
	}
}

static void digits_are_what_a_keypad_has(void **state)
{
	static const char *const fine[] = {"0",
					   "1",
					   "9",
					   "*",
					   "#",
					   "12*#",
					   "0123456789*#",
					   "**##**##",
					   "42#",
					   "00000000000000000000000000000000"};
	static const char *const wrong[] = {"",		" ",   "a",
					    "A",	"D",   "1 2",
					    "1-2",	"+1",  "1,2",
					    "1p2",	"1w2", "12\n",
					    "\n1",	"1\t", "1.5",
					    "\xd9\xa1", "1&2", "12!",
					    "1*#x",	"%23", "000000000000000000000000000000000"};

	(void)state;
	for (unsigned i = 0; i < sizeof fine / sizeof fine[0]; i++)
		assert_int_equal(digits_check(fine[i], NULL), ST_OK);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct err err = {0};

		assert_int_equal(digits_check(wrong[i], &err), ST_INVALID);
		assert_string_equal(err.code, "digits.invalid");
		assert_string_equal(err.target, "digits");
	}
}

static void no_byte_but_twelve_keys_is_a_digit(void **state)
{
	char text[] = "?";

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		text[0] = (char)byte;
		assert_int_equal(digits_check(text, NULL) == ST_OK,
				 strchr("0123456789*#", byte) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_taken_without_their_separators),
		cmocka_unit_test(hostile_numbers_are_refused_and_nothing_is_written),
		cmocka_unit_test(the_table_has_more_than_two_hundred_numbers),
		cmocka_unit_test(no_byte_but_digits_plus_and_separators_passes),
		cmocka_unit_test(a_taken_number_is_taken_again_as_it_is),
		cmocka_unit_test(the_refusal_says_what_is_wrong),
		cmocka_unit_test(digits_are_what_a_keypad_has),
		cmocka_unit_test(no_byte_but_twelve_keys_is_a_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
