#include "unit.h"

#include <ctype.h>
#include <pthread.h>

#include "base/cleanup.h"
#include "base/uuid.h"

/* RFC 9562, appendix A.6 */
static const char rfc_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
#define RFC_MS INT64_C(0x017F22E279B0)
static const uint8_t rfc_noise[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};

static void layout_is_that_of_the_rfc_example(void **state)
{
	(void)state;
	char text[UUID_TEXT_SIZE];
	struct uuid uuid = uuid_from(RFC_MS, rfc_noise);

	assert_ptr_equal(uuid_format(&uuid, text), text);
	assert_string_equal(text, rfc_text);
}

static void version_and_variant_hold_for_any_random_bits(void **state)
{
	(void)state;
	char text[UUID_TEXT_SIZE];
	uint8_t ones[10], zeros[10] = {0};

	memset(ones, 0xff, sizeof(ones));
	struct uuid full = uuid_from(INT64_C(0xffffffffffff), ones);
	assert_string_equal(uuid_format(&full, text), "ffffffff-ffff-7fff-bfff-ffffffffffff");
	struct uuid empty = uuid_from(0, zeros);
	assert_string_equal(uuid_format(&empty, text), "00000000-0000-7000-8000-000000000000");
	assert_false(uuid_is_nil(&empty));
}

static int order(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void keys_of_one_millisecond_ascend(void **state)
{
	(void)state;
	struct uuid last = uuid_make(RFC_MS);

	for (int i = 0; i < 100000; i++) {
		struct uuid next = uuid_make(RFC_MS);
		assert_true(order(&last, &next) < 0);
		assert_memory_equal(last.bytes, next.bytes, 6);
		assert_int_equal(next.bytes[6] >> 4, 7);
		assert_int_equal(next.bytes[8] >> 6, 2);
		last = next;
	}
}

/* Of two calls whose clocks differ by a little. */
static void keys_of_one_millisecond_ascend_though_others_are_made_between(void **state)
{
	(void)state;
	struct uuid last = uuid_make(RFC_MS);

	for (int i = 0; i < 1000; i++) {
		uuid_make(RFC_MS + i % 5 - 2);
		struct uuid next = uuid_make(RFC_MS);
		assert_true(order(&last, &next) < 0);
		last = next;
	}
}

static void keys_of_later_milliseconds_are_greater_in_bytes_and_in_text(void **state)
{
	(void)state;
	char last_text[UUID_TEXT_SIZE], text[UUID_TEXT_SIZE];
	struct uuid last = uuid_make(1);

	uuid_format(&last, last_text);
	for (int64_t ms = 2; ms < INT64_C(1) << 47; ms += 1 + ms / 3) {
		struct uuid next = uuid_make(ms);
		assert_true(order(&last, &next) < 0);
		uuid_format(&next, text);
		assert_true(strcmp(last_text, text) < 0);
		strcpy(last_text, text);
		last = next;
	}
}

static void keys_begin_anew_at_random_in_each_millisecond(void **state)
{
	(void)state;
	struct uuid a = uuid_make(1000), b = uuid_make(1001), c = uuid_make(2600);

	assert_memory_not_equal(a.bytes + 6, b.bytes + 6, 10);
	assert_memory_not_equal(a.bytes + 6, c.bytes + 6, 10);
}

#define KEYS_PER_THREAD 5000
#define THREADS		4

static void *make_keys(void *arg)
{
	struct uuid *keys = arg;

	for (int i = 0; i < KEYS_PER_THREAD; i++)
		keys[i] = uuid_make(RFC_MS);
	return NULL;
}

static int compare_keys(const void *a, const void *b)
{
	return order(a, b);
}

static void threads_never_make_the_same_key(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	auto_free struct uuid *keys = xcalloc(THREADS * KEYS_PER_THREAD, sizeof(*keys));

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, make_keys, keys + i * KEYS_PER_THREAD),
			0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	qsort(keys, THREADS * KEYS_PER_THREAD, sizeof(*keys), compare_keys);
	for (int i = 1; i < THREADS * KEYS_PER_THREAD; i++)
		assert_false(uuid_equal(&keys[i - 1], &keys[i]));
}

static void text_is_read_in_either_case(void **state)
{
	(void)state;
	struct uuid lower, upper, expected = uuid_from(RFC_MS, rfc_noise);
	char text[UUID_TEXT_SIZE];

	for (int i = 0; i < UUID_TEXT_SIZE; i++)
		text[i] = (char)toupper((unsigned char)rfc_text[i]);
	assert_true(uuid_parse(rfc_text, &lower));
	assert_true(uuid_parse(text, &upper));
	assert_true(uuid_equal(&lower, &expected));
	assert_true(uuid_equal(&upper, &expected));
}

static void text_survives_format_and_parse(void **state)
{
	(void)state;
	char text[UUID_TEXT_SIZE];

	for (int i = 0; i < 1000; i++) {
		struct uuid uuid, back;
		random_bytes(uuid.bytes, sizeof(uuid.bytes));
		assert_true(uuid_parse(uuid_format(&uuid, text), &back));
		assert_true(uuid_equal(&uuid, &back));
	}
}

static void anything_else_is_refused_and_leaves_out_untouched(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"017f22e279b07cc398c4dc0c0c07398f",
		"017f22e2079b0-7cc3-98c4-dc0c0c07398f",
		"017f22e-279b0-7cc3-98c4-dc0c0c07398f",
		"{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
		" 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398\n",
		"017f22e2-79b0-7cc3-98c4--c0c0c07398f",
	};
	struct uuid out;

	memset(&out, 0x5a, sizeof(out));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(uuid_parse(bad[i], &out));
	assert_false(uuid_parse(NULL, &out));
	for (size_t i = 0; i < sizeof(out.bytes); i++)
		assert_int_equal(out.bytes[i], 0x5a);
}

static void no_byte_but_hexadecimal_digits_is_a_digit(void **state)
{
	(void)state;
	struct uuid out;

	for (int c = 1; c < 256; c++) {
		char text[UUID_TEXT_SIZE];
		strcpy(text, rfc_text);
		text[0] = (char)c;
		assert_int_equal(uuid_parse(text, &out), !!strchr("0123456789abcdefABCDEF", c));
	}
}

static void nil_is_nil_and_nothing_else_is(void **state)
{
	(void)state;
	struct uuid nil = {{0}};

	assert_true(uuid_is_nil(&nil));
	for (int i = 0; i < 16; i++) {
		struct uuid uuid = {{0}};
		uuid.bytes[i] = 1;
		assert_false(uuid_is_nil(&uuid));
		assert_false(uuid_equal(&uuid, &nil));
	}
}

/* With 5000 tokens a character that a position can have is missing with a chance below 1e-31. */
static void tokens_are_43_characters_of_base64url_with_256_random_bits(void **state)
{
	(void)state;
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static bool seen[43][64];
	char token[44];

	for (int n = 0; n < 5000; n++) {
		assert_ptr_equal(random_token(token), token);
		assert_int_equal(strlen(token), 43);
		for (int i = 0; i < 43; i++) {
			const char *place = strchr(alphabet, token[i]);
			assert_non_null(place);
			seen[i][place - alphabet] = true;
		}
	}
	/* the last character carries 4 bits, above two that are 0 */
	for (int i = 0; i < 43; i++) {
		for (int c = 0; c < 64; c++)
			assert_int_equal(seen[i][c], i < 42 || c % 4 == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_is_that_of_the_rfc_example),
		cmocka_unit_test(version_and_variant_hold_for_any_random_bits),
		cmocka_unit_test(keys_of_one_millisecond_ascend),
		cmocka_unit_test(keys_of_one_millisecond_ascend_though_others_are_made_between),
		cmocka_unit_test(keys_of_later_milliseconds_are_greater_in_bytes_and_in_text),
		cmocka_unit_test(keys_begin_anew_at_random_in_each_millisecond),
		cmocka_unit_test(threads_never_make_the_same_key),
		cmocka_unit_test(text_is_read_in_either_case),
		cmocka_unit_test(text_survives_format_and_parse),
		cmocka_unit_test(anything_else_is_refused_and_leaves_out_untouched),
		cmocka_unit_test(no_byte_but_hexadecimal_digits_is_a_digit),
		cmocka_unit_test(nil_is_nil_and_nothing_else_is),
		cmocka_unit_test(tokens_are_43_characters_of_base64url_with_256_random_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
