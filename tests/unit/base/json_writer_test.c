#include "unit.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "base/json_writer.h"

static void expect(struct json_writer *w, const char *expected)
{
	assert_int_equal(w->length, strlen(expected));
	assert_memory_equal(jw_start(w), expected, w->length);
	jw_reset(w);
}

static void commas_and_colons_come_by_themselves(void **state)
{
	(void)state;
	struct json_writer w = {0};

	jw_object(&w);
	jw_kv_text(&w, "a", "x");
	jw_kv_int(&w, "b", -5);
	jw_key(&w, "c");
	jw_array(&w);
	jw_bool(&w, true);
	jw_bool(&w, false);
	jw_null(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_object(&w);
	jw_object_end(&w);
	jw_raw(&w, "1.5", 3);
	jw_array_end(&w);
	jw_kv_bool(&w, "d", true);
	jw_kv_null(&w, "e");
	jw_object_end(&w);
	expect(&w,
	       "{\"a\":\"x\",\"b\":-5,\"c\":[true,false,null,[],{},1.5],\"d\":true,\"e\":null}");
	jw_done(&w);
}

static void absent_things_are_null(void **state)
{
	(void)state;
	struct json_writer w = {0};
	struct uuid nil = {{0}};

	jw_array(&w);
	jw_text(&w, NULL);
	jw_uuid(&w, &nil);
	jw_time(&w, 0);
	jw_time_ms(&w, 0);
	jw_array_end(&w);
	expect(&w, "[null,null,null,null]");
	jw_done(&w);
}

static void keys_and_times_have_the_format_of_the_contract(void **state)
{
	(void)state;
	struct json_writer w = {0};
	struct uuid uuid;

	assert_true(uuid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &uuid));
	jw_object(&w);
	jw_kv_uuid(&w, "id", &uuid);
	jw_kv_time(&w, "s", 1700000000789);
	jw_kv_time_ms(&w, "ms", 1700000000789);
	jw_kv_time(&w, "far", INT64_MAX);
	jw_object_end(&w);
	expect(&w, "{\"id\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\","
		   "\"s\":\"2023-11-14T22:13:20Z\",\"ms\":\"2023-11-14T22:13:20.789Z\","
		   "\"far\":\"9999-12-31T23:59:59Z\"}");
	jw_done(&w);
}

static void whole_numbers_are_written_as_printf_writes_them(void **state)
{
	(void)state;
	struct json_writer w = {0};
	static const int64_t edges[] = {0, 9, 10, 99, 100, -1, -10, INT64_MAX, INT64_MIN};
	const int edge_count = sizeof(edges) / sizeof(edges[0]);
	char expected[32];

	random_start();
	for (int i = 0; i < 5000; i++) {
		int64_t value = i < edge_count ? edges[i] : (int64_t)random_next();
		if (i >= edge_count)
			value >>= random_below(64);
		snprintf(expected, sizeof(expected), "%lld", (long long)value);
		jw_int(&w, value);
		expect(&w, expected);
	}
	jw_done(&w);
}

static void special_characters_are_escaped_in_the_short_form(void **state)
{
	(void)state;
	struct json_writer w = {0};

	jw_text(&w, "q\" b\\ s/ \b\t\n\f\r \x01\x1f\x7f \xc3\xa9");
	expect(&w, "\"q\\\" b\\\\ s/ \\b\\t\\n\\f\\r \\u0001\\u001f\x7f \xc3\xa9\"");
	jw_done(&w);
}

static void each_bad_byte_becomes_one_replacement_character(void **state)
{
	(void)state;
	struct json_writer w = {0};

	jw_text(&w, "a\xff"
		    "b\xc3");
	expect(&w, "\"a\xef\xbf\xbd"
		   "b\xef\xbf\xbd\"");
	jw_text(&w, "\xed\xa0\x80");
	expect(&w, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	jw_done(&w);
}

/* ---- against jansson's parser ---- */

/* The text as a reader must see it, made with a decoder that knows nothing of the writer's. */
static size_t expected_text(const char *text, size_t length, char *to)
{
	size_t at = 0, made = 0;

	while (at < length) {
		size_t step = 1;
		json_t *one = NULL;
		for (; step <= 4 && step <= length - at && !one; step++)
			one = json_stringn(text + at, step);
		if (one) {
			step--;
			memcpy(to + made, text + at, step);
			made += step;
			json_decref(one);
		} else {
			step = 1;
			memcpy(to + made, "\xef\xbf\xbd", 3);
			made += 3;
		}
		at += step;
	}
	return made;
}

static json_t *text_value(const char *text, size_t length)
{
	auto_free char *expected = xmalloc(3 * length + 1);
	size_t made = expected_text(text, length, expected);
	json_t *value = json_stringn(expected, made);

	assert_non_null(value);
	return value;
}

static json_t *parse(const struct json_writer *w)
{
	json_error_t error;
	json_t *root =
		json_loadb(jw_start(w), w->length,
			   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (!root)
		fail_msg("%s at %d: %.*s", error.text, error.position, (int)w->length, jw_start(w));
	return root;
}

static void every_byte_at_every_place_arrives(void **state)
{
	(void)state;
	struct json_writer w = {0};

	for (size_t length = 1; length < 20; length++) {
		for (size_t at = 0; at < length; at++) {
			for (int c = 0; c < 256; c++) {
				char text[20];
				memset(text, 'a', sizeof(text));
				text[at] = (char)c;
				jw_text_n(&w, text, length);
				json_t *got = parse(&w), *want = text_value(text, length);
				assert_true(json_equal(got, want));
				json_decref(got);
				json_decref(want);
				jw_reset(&w);
			}
		}
	}
	jw_done(&w);
}

enum kind { PLAIN, CONTROL, ANY_BYTE, UTF8, NEARLY_UTF8, MIXED, KIND_COUNT };

static size_t random_piece(enum kind kind, char *to)
{
	static const char *const good[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x93\x9e",
					   "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\xc0\x80",	  "\xed\xa0\x80",     "\xe2\x82",
					  "\xf0\x9f\x93", "\xf5\x80\x80\x80", "\x80",
					  "\xe0\x80\x80"};
	const char *piece;

	switch (kind) {
	case PLAIN:
		*to = (char)(' ' + random_below(95));
		return 1;
	case CONTROL:
		*to = (char)random_below(32);
		return 1;
	case ANY_BYTE:
		*to = (char)random_below(256);
		return 1;
	case UTF8:
		piece = good[random_below(5)];
		break;
	case NEARLY_UTF8:
		piece = bad[random_below(7)];
		break;
	default:
		return random_piece((enum kind)random_below(MIXED), to);
	}
	memcpy(to, piece, strlen(piece));
	return strlen(piece);
}

#define LONGEST_TEXT 6000

static size_t random_text(char text[LONGEST_TEXT + 4])
{
	enum kind kind = (enum kind)random_below(KIND_COUNT);
	size_t goal = random_below(100) == 0 ? random_below(LONGEST_TEXT) : random_below(40);
	size_t length = 0;

	while (length < goal)
		length += random_piece(kind, text + length);
	return length;
}

static json_t *write_random_text(struct json_writer *w)
{
	static char text[LONGEST_TEXT + 4];
	size_t length = random_text(text);
	/* of exactly this size, so that a byte read behind its end is seen */
	auto_free char *copy = xmalloc(length);

	memcpy(copy, text, length);
	jw_text_n(w, copy, length);
	return text_value(copy, length);
}

static json_t *write_random_scalar(struct json_writer *w)
{
	int64_t number = (int64_t)random_next() >> random_below(64);

	switch (random_below(6)) {
	case 0:
		jw_int(w, number);
		return json_integer(number);
	case 1:
		jw_bool(w, number & 1);
		return json_boolean(number & 1);
	case 2:
		jw_null(w);
		return json_null();
	default:
		return write_random_text(w);
	}
}

static json_t *write_random_value(struct json_writer *w, unsigned depth_left);

static json_t *write_random_object(struct json_writer *w, unsigned depth_left)
{
	static char text[LONGEST_TEXT + 4], key[LONGEST_TEXT + 16], expected[3 * LONGEST_TEXT + 64];
	json_t *object = json_object();

	jw_object(w);
	for (unsigned i = random_below(5); i > 0; i--) {
		size_t length = random_text(text);
		for (size_t n = 0; n < length; n++)
			text[n] = text[n] ? text[n] : ' '; /* keys end at a NUL */
		text[length] = '\0';
		snprintf(key, sizeof(key), "%u%s", i, text);
		jw_key(w, key);
		expected[expected_text(key, strlen(key), expected)] = '\0';
		auto_free char *kept = xstrdup(expected); /* the value may hold an object too */
		assert_int_equal(
			json_object_set_new(object, kept, write_random_value(w, depth_left)), 0);
	}
	jw_object_end(w);
	return object;
}

static json_t *write_random_value(struct json_writer *w, unsigned depth_left)
{
	unsigned kind = random_below(5);

	if (depth_left == 0 || kind < 2)
		return write_random_scalar(w);
	if (kind < 4)
		return write_random_object(w, depth_left - 1);
	json_t *array = json_array();
	jw_array(w);
	for (unsigned i = random_below(5); i > 0; i--)
		json_array_append_new(array, write_random_value(w, depth_left - 1));
	jw_array_end(w);
	return array;
}

static void random_documents_are_read_back_equal(void **state)
{
	(void)state;

	random_start();
	for (int i = 0; i < 3000; i++) {
		struct json_writer w;
		jw_init_reserve(&w, random_below(3) * 9);
		json_t *want = write_random_value(&w, random_below(12));
		json_t *got = parse(&w);
		if (!json_equal(want, got))
			fail_msg("document %d: %.*s", i, (int)w.length, jw_start(&w));
		json_decref(want);
		json_decref(got);
		jw_done(&w);
	}
}

static void text_of_escapes_only_grows_sixfold_and_arrives(void **state)
{
	(void)state;
	enum { LENGTH = 70000 };
	auto_free char *text = xmalloc(LENGTH);
	struct json_writer w = {0};

	memset(text, 1, LENGTH);
	jw_text_n(&w, text, LENGTH);
	assert_int_equal(w.length, 6 * LENGTH + 2);
	json_t *got = parse(&w);
	assert_int_equal(json_string_length(got), LENGTH);
	assert_memory_equal(json_string_value(got), text, LENGTH);
	json_decref(got);
	jw_done(&w);
}

/* ---- depth and misuse ---- */

static void nest(struct json_writer *w, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		if (i % 2) {
			jw_key(w, "k");
			jw_array(w);
		} else {
			jw_object(w);
		}
	}
}

static void nesting_of_32_is_written(void **state)
{
	(void)state;
	struct json_writer w = {0};

	nest(&w, 32);
	jw_int(&w, 1);
	jw_int(&w, 2);
	for (unsigned i = 32; i > 0; i--) {
		if (i % 2)
			jw_object_end(&w);
		else
			jw_array_end(&w);
	}
	json_t *got = parse(&w);
	json_decref(got);
	jw_done(&w);
}

static void nest_33(void)
{
	struct json_writer w = {0};

	nest(&w, 33);
}

static void value_for_a_key(void)
{
	struct json_writer w = {0};

	jw_object(&w);
	jw_int(&w, 1);
}

static void key_in_an_array(void)
{
	struct json_writer w = {0};

	jw_array(&w);
	jw_key(&w, "k");
}

static void key_after_a_key(void)
{
	struct json_writer w = {0};

	jw_object(&w);
	jw_key(&w, "a");
	jw_key(&w, "b");
}

static void end_after_a_key(void)
{
	struct json_writer w = {0};

	jw_object(&w);
	jw_key(&w, "a");
	jw_object_end(&w);
}

static void wrong_end(void)
{
	struct json_writer w = {0};

	jw_object(&w);
	jw_array_end(&w);
}

static void end_of_nothing(void)
{
	struct json_writer w = {0};

	jw_object_end(&w);
}

static void second_top_value(void)
{
	struct json_writer w = {0};

	jw_int(&w, 1);
	jw_int(&w, 2);
}

static void misuse_is_asserted(void **state)
{
	(void)state;
	static void (*const misuses[])(void) = {nest_33,	 value_for_a_key, key_in_an_array,
						key_after_a_key, end_after_a_key, wrong_end,
						end_of_nothing,	 second_top_value};

	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++)
		assert_aborts(misuses[i], "Assertion");
}

/* ---- the buffer ---- */

static void reserve_stays_free_in_front_of_the_json(void **state)
{
	(void)state;
	struct json_writer w;
	size_t length;

	jw_init_reserve(&w, 16);
	assert_string_equal(jw_start(&w), "");
	jw_array(&w);
	memset(w.text, 'R', 16);
	for (int i = 0; i < 1000; i++)
		jw_int(&w, 12345);
	jw_array_end(&w);
	assert_ptr_equal(jw_start(&w), w.text + 16);
	assert_int_equal(w.length, 6001);
	for (int i = 0; i < 16; i++)
		assert_int_equal(w.text[i], 'R');

	char *taken = jw_take(&w, &length);
	assert_int_equal(length, 6001);
	assert_memory_equal(taken + 16, "[12345,", 7);
	free(taken);

	jw_bool(&w, true);
	assert_ptr_equal(jw_start(&w), w.text + 16);
	expect(&w, "true");
	jw_done(&w);
}

static void reset_keeps_the_memory_and_forgets_the_rest(void **state)
{
	(void)state;
	struct json_writer w = {0};

	jw_object(&w);
	jw_key(&w, "half");
	char *text = w.text;
	jw_reset(&w);
	jw_array(&w);
	jw_int(&w, 1);
	jw_array_end(&w);
	assert_ptr_equal(w.text, text);
	expect(&w, "[1]");
	jw_done(&w);
	assert_null(w.text);
}

static void writer_of_which_nothing_was_written_can_be_taken(void **state)
{
	(void)state;
	struct json_writer w = {0};
	size_t length = 99;
	char *taken = jw_take(&w, &length);

	assert_non_null(taken);
	assert_int_equal(length, 0);
	free(taken);
	jw_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_colons_come_by_themselves),
		cmocka_unit_test(absent_things_are_null),
		cmocka_unit_test(keys_and_times_have_the_format_of_the_contract),
		cmocka_unit_test(whole_numbers_are_written_as_printf_writes_them),
		cmocka_unit_test(special_characters_are_escaped_in_the_short_form),
		cmocka_unit_test(each_bad_byte_becomes_one_replacement_character),
		cmocka_unit_test(every_byte_at_every_place_arrives),
		cmocka_unit_test(random_documents_are_read_back_equal),
		cmocka_unit_test(text_of_escapes_only_grows_sixfold_and_arrives),
		cmocka_unit_test(nesting_of_32_is_written),
		cmocka_unit_test(misuse_is_asserted),
		cmocka_unit_test(reserve_stays_free_in_front_of_the_json),
		cmocka_unit_test(reset_keeps_the_memory_and_forgets_the_rest),
		cmocka_unit_test(writer_of_which_nothing_was_written_can_be_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
