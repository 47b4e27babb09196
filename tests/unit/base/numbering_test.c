#include "unit.h"

#include "base/numbering.h"

/* National numbers of many lands, as people write them without their separators. */
static const struct {
	const char *region, *given, *taken;
} good[] = {
	{"GB", "02071838750", "+442071838750"},	    {"gb", "02071838750", "+442071838750"},
	{"GB", "00442071838750", "+442071838750"},  {"GB", "004930901820", "+4930901820"},
	{"GB", "+442071838750", "+442071838750"},   {"DE", "030901820", "+4930901820"},
	{"DE", "01711234567", "+491711234567"},	    {"DE", "00442071838750", "+442071838750"},
	{"US", "2025550123", "+12025550123"},	    {"US", "12025550123", "+12025550123"},
	{"US", "011442071838750", "+442071838750"}, {"FR", "0170189900", "+33170189900"},
	{"IT", "0669812345", "+390669812345"}, /* the 0 is part of it */
	{"RU", "84951234567", "+74951234567"},	    {"AU", "0293744000", "+61293744000"},
	{"AU", "001161293744000", "+61293744000"},  {"AU", "0011442071838750", "+442071838750"},
	{"JP", "0363849000", "+81363849000"},	    {"BR", "01123958400", "+551123958400"},
	{"MX", "5512345678", "+525512345678"},	    {"HU", "06301234567", "+36301234567"},
	{"DE", "+15550100001", "+15550100001"},
};

static const struct {
	const char *region, *given, *why;
} bad[] = {
	{"GB", "020718387501234", NULL},
	{"GB", "+9991234567", "country code"},
	{"US", "202555", NULL},
	{"US", "5550123", "area code"},
	{"DE", "00", NULL},
	{"US", "+1", NULL},
	{"US", "", NULL},
	{"US", "abc", NULL},
};

static struct numbering *plan(const char *region)
{
	struct numbering *numbering = NULL;
	struct err err;

	assert_int_equal(numbering_open(region, &numbering, &err), ST_OK);
	return numbering;
}

static void national_numbers_become_international(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct numbering *numbering = plan(good[i].region);
		struct err err;
		char number[33] = "";
		enum status status =
			numbering_normalise(numbering, good[i].given, number, sizeof(number), &err);

		if (good[i].taken)
			assert_string_equal(number, good[i].taken);
		else
			assert_int_equal(status, ST_INVALID);
		numbering_close(numbering);
	}
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct numbering *numbering = plan(bad[i].region);
		struct err err;
		char number[33] = "as before";

		assert_int_equal(
			numbering_normalise(numbering, bad[i].given, number, sizeof(number), &err),
			ST_INVALID);
		assert_string_equal(err.code, "number.invalid");
		if (bad[i].why)
			assert_non_null(strstr(err.message, bad[i].why));
		assert_string_equal(number, "as before");
		numbering_close(numbering);
	}
}

static void one_that_does_not_fit_is_refused(void **state)
{
	struct numbering *numbering = plan("GB");
	struct err err;
	char number[8] = "before";

	(void)state;
	assert_int_equal(
		numbering_normalise(numbering, "02071838750", number, sizeof(number), &err),
		ST_INVALID);
	assert_string_equal(number, "before");
	numbering_close(numbering);
}

static void an_unknown_region_is_refused(void **state)
{
	static const char *const regions[] = {"", "G", "GBR", "ZZ", "44", "é"};

	(void)state;
	for (unsigned i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		struct numbering *numbering = NULL;
		struct err err;

		assert_int_equal(numbering_open(regions[i], &numbering, &err), ST_INVALID);
		assert_string_equal(err.code, "numbering.region");
		assert_null(numbering);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(national_numbers_become_international),
		cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
		cmocka_unit_test(one_that_does_not_fit_is_refused),
		cmocka_unit_test(an_unknown_region_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
