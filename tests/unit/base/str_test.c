#include "unit.h"

#include "base/str.h"

static void copy_fits_with_its_nul_or_gives_nothing(void **state)
{
	(void)state;
	char dst[4] = "xyz";

	assert_true(str_copy(dst, sizeof(dst), "abc"));
	assert_string_equal(dst, "abc");
	assert_false(str_copy(dst, sizeof(dst), "abcd"));
	assert_string_equal(dst, "");
	assert_true(str_copy(dst, 1, ""));
	assert_true(str_copy(dst, sizeof(dst), NULL));
	assert_string_equal(dst, "");
	dst[0] = 'k';
	assert_false(str_copy(dst, 0, ""));
	assert_int_equal(dst[0], 'k');
}

static void cut_copy_never_halves_a_character(void **state)
{
	(void)state;
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9ez"; /* a é € 📞 z */
	static const size_t kept[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
	char dst[16];

	for (size_t size = 1; size < sizeof(kept) / sizeof(kept[0]); size++) {
		memset(dst, '#', sizeof(dst));
		str_copy_cut(dst, size, text);
		assert_int_equal(strlen(dst), kept[size]);
		assert_memory_equal(dst, text, kept[size]);
		assert_int_equal(dst[size], '#');
	}
	str_copy_cut(dst, sizeof(dst), NULL);
	assert_string_equal(dst, "");
	dst[0] = 'k';
	str_copy_cut(dst, 0, "abc");
	assert_int_equal(dst[0], 'k');
}

static void cut_copy_keeps_what_fits_of_text_that_is_no_utf8(void **state)
{
	(void)state;
	char dst[8];

	str_copy_cut(dst, sizeof(dst), "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80");
	assert_true(strlen(dst) >= 4);
}

static void format_tells_whether_it_fitted(void **state)
{
	(void)state;
	char dst[5];

	assert_true(str_format(dst, sizeof(dst), "%d", 1234));
	assert_string_equal(dst, "1234");
	assert_false(str_format(dst, sizeof(dst), "%d", 12345));
	assert_string_equal(dst, "1234");
}

/* ---- UTF-8, against a decoder written another way ---- */

static size_t encode(uint32_t point, char *to)
{
	if (point < 0x80) {
		to[0] = (char)point;
		return 1;
	}
	size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = length - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	to[0] = (char)(lead[length] | point);
	return length;
}

/* Decodes by the bit patterns alone and accepts what the encoder would have made of the result. */
static size_t reference(const char *text, size_t length)
{
	const uint8_t *s = (const uint8_t *)text;
	char back[4];
	size_t need = 1;
	uint32_t point = s[0];

	if (s[0] >= 0xf8 || (s[0] >= 0x80 && s[0] < 0xc0))
		return 0;
	if (s[0] >= 0xc0) {
		need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
		point = s[0] & (0x7fu >> need);
	}
	if (length < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3f);
	}
	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return encode(point, back) == need ? need : 0;
}

static void every_character_is_utf8_and_its_beginnings_are_not(void **state)
{
	(void)state;
	char text[4];

	for (uint32_t point = 0; point <= 0x10ffff; point++) {
		size_t length = encode(point, text);
		bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
		if (str_is_utf8(text, length) == is_surrogate)
			fail_msg("U+%04X", point);
		for (size_t cut = 1; cut < length; cut++) {
			if (str_is_utf8(text, cut))
				fail_msg("U+%04X cut to %zu", point, cut);
		}
	}
	assert_true(str_is_utf8("", 0));
	assert_int_equal(str_utf8_char("a", 0), 0);
}

static void every_three_bytes_and_four_random_ones_are_judged_as_by_the_reference(void **state)
{
	(void)state;
	char text[4];

	random_start();
	for (uint32_t i = 0; i < 1u << 24; i += 1 + (i < 0xc0u << 16 ? random_below(64) : 0)) {
		text[0] = (char)(i >> 16);
		text[1] = (char)(i >> 8);
		text[2] = (char)i;
		text[3] = (char)random_next();
		if (str_utf8_char(text, 3) != reference(text, 3) ||
		    str_utf8_char(text, 4) != reference(text, 4))
			fail_msg("%06x %02x", i, (uint8_t)text[3]);
	}
}

static void wrong_byte_anywhere_spoils_the_text(void **state)
{
	(void)state;
	char text[] = "plain text \xe2\x82\xac and more of it";
	size_t length = strlen(text);

	assert_true(str_is_utf8(text, length));
	for (size_t i = 0; i < length; i++) {
		char kept = text[i];
		text[i] = '\xff';
		assert_false(str_is_utf8(text, length));
		text[i] = kept;
	}
}

static void control_characters_are_not_printable(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[] = {'a', (char)c, 'b', '\0'};
		assert_int_equal(str_is_printable(text), c >= 0x20 && c != 0x7f);
	}
	assert_true(str_is_printable(""));
}

static void constant_time_comparison_sees_every_byte(void **state)
{
	(void)state;
	char a[44], b[44];

	memset(a, 'a', sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(str_equal_constant_time(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		for (int bit = 0; bit < 8; bit++) {
			b[i] ^= (char)(1 << bit);
			assert_false(str_equal_constant_time(a, b, sizeof(a)));
			b[i] ^= (char)(1 << bit);
		}
	}
	b[43] = 'x';
	assert_true(str_equal_constant_time(a, b, 43));
	assert_true(str_equal_constant_time(a, b, 0));
}

static void url_encoding_leaves_only_unreserved_characters(void **state)
{
	(void)state;
	char dst[64];

	assert_true(str_url_encode(dst, sizeof(dst), "Az09._~-"));
	assert_string_equal(dst, "Az09._~-");
	assert_true(str_url_encode(dst, sizeof(dst), "PJSIP/+1 (2)&\xc3\xa9%\n"));
	assert_string_equal(dst, "PJSIP%2F%2B1%20%282%29%26%C3%A9%25%0A");
	for (int c = 1; c < 256; c++) {
		char one[] = {(char)c, '\0'}, expected[4];
		bool is_plain = (c < 128 && (c >= '0' && c <= '9')) || (c >= 'A' && c <= 'Z') ||
				(c >= 'a' && c <= 'z') || strchr("._~-", c);
		snprintf(expected, sizeof(expected), is_plain ? "%c" : "%%%02X", c);
		assert_true(str_url_encode(dst, sizeof(dst), one));
		assert_string_equal(dst, expected);
	}
}

static void url_encoding_that_does_not_fit_gives_nothing(void **state)
{
	(void)state;
	char dst[5];

	assert_true(str_url_encode(dst, 5, "a/"));
	assert_string_equal(dst, "a%2F");
	assert_false(str_url_encode(dst, 4, "a/"));
	assert_string_equal(dst, "");
	assert_true(str_url_encode(dst, 5, "abcd"));
	assert_false(str_url_encode(dst, 5, "abcde"));
	assert_false(str_url_encode(dst, 0, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_fits_with_its_nul_or_gives_nothing),
		cmocka_unit_test(cut_copy_never_halves_a_character),
		cmocka_unit_test(cut_copy_keeps_what_fits_of_text_that_is_no_utf8),
		cmocka_unit_test(format_tells_whether_it_fitted),
		cmocka_unit_test(every_character_is_utf8_and_its_beginnings_are_not),
		cmocka_unit_test(
			every_three_bytes_and_four_random_ones_are_judged_as_by_the_reference),
		cmocka_unit_test(wrong_byte_anywhere_spoils_the_text),
		cmocka_unit_test(control_characters_are_not_printable),
		cmocka_unit_test(constant_time_comparison_sees_every_byte),
		cmocka_unit_test(url_encoding_leaves_only_unreserved_characters),
		cmocka_unit_test(url_encoding_that_does_not_fit_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
