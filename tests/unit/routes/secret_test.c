#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "routes/secret.h"

static void hash_is_sha256_in_hexadecimal(void **state)
{
	char hash[SECRET_HASH_SIZE];

	(void)state;
	secret_hash("abc", hash); /* FIPS 180-2, appendix B.1 */
	assert_string_equal(hash,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void keys_have_their_form(void **state)
{
	char key[KEY_SIZE], prefix[KEY_PREFIX_SIZE], read[KEY_PREFIX_SIZE];

	(void)state;
	key_make(key, prefix);
	assert_int_equal(strlen(key), KEY_SIZE - 1);
	assert_int_equal(strlen(prefix), 8);
	assert_true(key_prefix(key, read));
	assert_string_equal(read, prefix);
	key[strlen(key) - 1] = '\0';
	assert_false(key_prefix(key, read));
	assert_false(key_prefix("", read));
	assert_false(key_prefix("ctsk_", read));
	assert_false(key_prefix("ctsk_abcdefgh", read));
	assert_false(key_prefix("ctsk_abcdefg'_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", read));
	assert_false(key_prefix("ctsk_abcdefgh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!", read));
}

static void two_secrets_are_never_equal(void **state)
{
	char a[TOKEN_SIZE], b[TOKEN_SIZE], link[LINK_SIZE];

	(void)state;
	token_make(a);
	token_make(b);
	link_make(link);
	assert_string_not_equal(a, b);
	assert_true(token_is_well_formed(a));
	assert_false(token_is_well_formed(link));
	assert_true(link_is_well_formed(link));
	assert_false(link_is_well_formed(a));
	a[10] = ' ';
	assert_false(token_is_well_formed(a));
}

static void right_password_is_right_and_others_are_wrong(void **state)
{
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_hash("pässword ", hash, NULL), ST_OK);
	assert_int_equal(password_hash("pässword ", other, NULL), ST_OK);
	assert_memory_equal(hash, "$y$", 3);
	assert_string_not_equal(hash, other); /* salted */
	assert_true(password_is_right("pässword ", hash));
	assert_false(password_is_right("pässword", hash));
	assert_false(password_is_right("", hash));
	assert_false(password_is_right("pässword ", NULL));
	assert_false(password_is_right("pässword ", ""));
	assert_false(password_is_right("pässword ", "no hash at all"));
	assert_false(password_is_right("pässword ", "*0"));
}

/* The shortest of three, in microseconds. */
static int64_t time_of(const char *hash)
{
	int64_t shortest = INT64_MAX;

	for (int i = 0; i < 3; i++) {
		int64_t start = clock_mono_us(&clock_system);
		assert_false(password_is_right("wrong", hash));
		int64_t took = clock_mono_us(&clock_system) - start;
		shortest = took < shortest ? took : shortest;
	}
	return shortest;
}

/* Else the time would tell which logins exist. Wide bounds: what is looked for is a hash that is
 * not computed. */
static void nobody_takes_as_long_as_somebody(void **state)
{
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_hash("right", hash, NULL), ST_OK);
	int64_t somebody = time_of(hash), nobody = time_of(NULL);
	assert_true(nobody > somebody / 3 && nobody < somebody * 3);
}

static void empty_and_endless_passwords_are_refused(void **state)
{
	char hash[PASSWORD_HASH_SIZE] = "untouched", endless[PASSWORD_MAX + 2];

	(void)state;
	memset(endless, 'a', sizeof endless - 1);
	endless[sizeof endless - 1] = '\0';
	assert_int_equal(password_hash("", hash, NULL), ST_INVALID);
	assert_int_equal(password_hash(endless, hash, NULL), ST_INVALID);
	assert_string_equal(hash, "untouched");
}

static void base64_is_decoded_strictly(void **state)
{
	char text[16];

	(void)state;
	assert_true(base64_decode("dXNlcjpwdw==", text, sizeof text));
	assert_string_equal(text, "user:pw");
	assert_true(base64_decode("", text, sizeof text));
	assert_string_equal(text, "");
	assert_false(base64_decode("dXNl cjpw", text, sizeof text));
	assert_false(base64_decode("dXNl_jpw", text, sizeof text));
	assert_false(base64_decode("AAAA", text, sizeof text)); /* NULs */
	assert_false(base64_decode("YWFhYWFhYWFhYWFhYWFhYWFh", text, sizeof text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_sha256_in_hexadecimal),
		cmocka_unit_test(keys_have_their_form),
		cmocka_unit_test(two_secrets_are_never_equal),
		cmocka_unit_test(right_password_is_right_and_others_are_wrong),
		cmocka_unit_test(nobody_takes_as_long_as_somebody),
		cmocka_unit_test(empty_and_endless_passwords_are_refused),
		cmocka_unit_test(base64_is_decoded_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
