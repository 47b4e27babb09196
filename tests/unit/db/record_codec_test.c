/* What a record is as bytes: nothing of it is lost, and no bytes whatever do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/record_codec.h"
#include "db/record_fields.h"

#define ALL_PARTS 0xffffu

static unsigned char bytes[RECORD_BYTES_MAX];

/* --- patterns: each field gets a value of its own --- */

static void fill_struct(const struct field_table *table, unsigned char *to, unsigned *seed);

static void fill_field(const struct record_field *field, unsigned char *to, unsigned *seed)
{
	unsigned n = ++*seed;
	unsigned u = field->limit ? 1 + n % (field->limit - 1) : n * 2654435761u;

	switch (field->kind) {
	case FIELD_NONE:
		break;
	case FIELD_TEXT: /* as long as may be */
		for (unsigned i = 0; i < field->size - 1; i++)
			to[i] = (unsigned char)('a' + (n + i) % 26);
		to[field->size - 1] = '\0';
		break;
	case FIELD_UUID:
		memset(to, (int)(1 + n % 255), field->size);
		break;
	case FIELD_BOOL:
		*to = true;
		break;
	case FIELD_INT:
		memcpy(to, &(int){n % 2 ? (int)(n * 7919) : -(int)(n * 7919)}, sizeof(int));
		break;
	case FIELD_UINT:
	case FIELD_ENUM:
		memcpy(to, &u, sizeof(u));
		break;
	case FIELD_I64:
		memcpy(to, &(int64_t){n % 2 ? INT64_MIN + n : INT64_MAX - n}, sizeof(int64_t));
		break;
	case FIELD_U64:
		memcpy(to, &(uint64_t){UINT64_MAX - n}, sizeof(uint64_t));
		break;
	case FIELD_STRUCT:
		fill_struct(field->sub, to, seed);
		break;
	}
}

static void fill_struct(const struct field_table *table, unsigned char *to, unsigned *seed)
{
	for (unsigned i = 1; i < table->count; i++)
		fill_field(&table->fields[i], to + table->fields[i].offset, seed);
}

static void fill(struct record *record, unsigned seed)
{
	memset(record, 0, sizeof(*record));
	fill_struct(&record_table, (unsigned char *)record, &seed);
	record->has = ALL_PARTS;
}

/* --- comparing --- */

static void compare(const struct field_table *table, const unsigned char *a, const unsigned char *b,
		    unsigned *fields)
{
	for (unsigned i = 1; i < table->count; i++) {
		const struct record_field *field = &table->fields[i];
		if (field->kind == FIELD_STRUCT) {
			compare(field->sub, a + field->offset, b + field->offset, fields);
			continue;
		}
		++*fields;
		if (memcmp(a + field->offset, b + field->offset, field->size) != 0)
			fail_msg("field %u at %u of %u bytes differs", i, field->offset,
				 field->size);
	}
}

static unsigned assert_same(const struct record *a, const struct record *b)
{
	unsigned fields = 0;

	compare(&record_table, (const unsigned char *)a, (const unsigned char *)b, &fields);
	return fields;
}

/* --- tests --- */

static void every_field_of_every_part_comes_back(void **state)
{
	static struct record record, back;
	unsigned fields = 0;

	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		fill(&record, seed);
		size_t length = record_encode(&record, bytes);
		assert_true(length < RECORD_BYTES_MAX);
		assert_true(record_decode(bytes, length, &back));
		fields = assert_same(&record, &back);
	}
	assert_true(fields > 150);
	print_message("# %u fields, at their longest %zu bytes\n", fields,
		      record_encode(&record, bytes));
}

static void mark(const struct field_table *table, unsigned char *to)
{
	for (unsigned i = 1; i < table->count; i++) {
		const struct record_field *field = &table->fields[i];
		if (field->kind == FIELD_STRUCT)
			mark(field->sub, to + field->offset);
		else
			memset(to + field->offset, 0, field->size);
	}
}

/* Bytes that are in no table and lie so that they can only be padding before something aligned. */
static bool is_padding(size_t from, size_t to)
{
	size_t alignment = to % 8 ? 4 : 8;

	return to % alignment == 0 && to - from < alignment && from % alignment != 0;
}

/* A member that somebody adds to one of the structs and forgets here would be lost at a restart. */
static void no_member_is_forgotten(void **state)
{
	static struct record record;
	unsigned char *raw = (unsigned char *)&record;

	(void)state;
	memset(raw, 0xff, sizeof(record));
	record.number = 0; /* the journal's, not in the bytes */
	mark(&record_table, raw);
	for (size_t from = 0, to; from < sizeof(record); from = to + 1) {
		for (to = from; to < sizeof(record) && raw[to]; to++)
			;
		if (to > from && !is_padding(from, to))
			fail_msg("bytes %zu to %zu of struct record are in no table", from, to);
	}
}

static void only_the_parts_it_has_are_written(void **state)
{
	static struct record record, back;

	(void)state;
	for (unsigned bit = 0; bit < 15; bit++) {
		fill(&record, bit);
		record.has = 1u << bit;
		size_t length = record_encode(&record, bytes);
		assert_true(record_decode(bytes, length, &back));
		assert_int_equal(back.has, record.has);
		assert_int_equal(back.at_ms, record.at_ms);
		assert_int_equal(back.begun_at != 0, record.has == RECORD_CHECKPOINT_END);
		assert_int_equal(back.answer.tab != 0, record.has == RECORD_ANSWER);
		assert_int_equal(back.intent.kind != 0, record.has == RECORD_INTENT);
		assert_int_equal(back.step.tab != 0, record.has == RECORD_STEP);
		assert_int_equal(back.live.line[0] != 0, record.has == RECORD_LIVE);
		assert_int_equal(back.agent.login[0] != 0, record.has == RECORD_AGENT);
		assert_int_equal(back.closed_duration_ms != 0, record.has == RECORD_EVENT_CLOSE);
		assert_int_equal(back.result[0] != 0, record.has == RECORD_RESULT);
		assert_int_equal(back.event_name[0] != 0, record.has == RECORD_EVENT_OPEN);
		assert_int_equal(back.seq != 0, record.has == RECORD_STREAM);
	}
}

static void zeros_and_extremes_come_back(void **state)
{
	static const int ints[] = {0, 1, -1, 63, 64, -64, -65, INT32_MAX, INT32_MIN};
	static const int64_t wides[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1764000000123};
	static struct record record, back;

	(void)state;
	for (unsigned i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		record = (struct record){.has = RECORD_CALL, .call.tab = ints[i]};
		assert_true(record_decode(bytes, record_encode(&record, bytes), &back));
		assert_int_equal(back.call.tab, ints[i]);
	}
	for (unsigned i = 0; i < sizeof(wides) / sizeof(wides[0]); i++) {
		record = (struct record){.has = RECORD_NOTICE, .at_ms = wides[i]};
		assert_true(record_decode(bytes, record_encode(&record, bytes), &back));
		assert_true(back.at_ms == wides[i]);
	}
	/* a full uuid of zeros and an empty text are nothing */
	record = (struct record){.has = RECORD_NOTICE};
	assert_int_equal(record_encode(&record, bytes), 3);
}

/* As a newer program would write them: at the front, in the middle of a part, at the end. */
static void unknown_tags_are_skipped(void **state)
{
	static const unsigned char foreign[] = {0x7f, 3, 'x', 'y', 'z', 0xff, 0x7f, 0, 0, 1, 9};
	static struct record record, back;
	unsigned char longer[RECORD_BYTES_MAX];
	struct record_head head;

	(void)state;
	fill(&record, 1);
	size_t length = record_encode(&record, bytes);
	memcpy(longer, foreign, sizeof(foreign));
	memcpy(longer + sizeof(foreign), bytes, length);
	memcpy(longer + sizeof(foreign) + length, foreign, sizeof(foreign));
	size_t longer_length = length + 2 * sizeof(foreign);
	assert_true(record_decode(longer, longer_length, &back));
	assert_same(&record, &back);
	assert_true(record_peek(longer, longer_length, &head));
	assert_int_equal(head.has, ALL_PARTS);

	const unsigned char inside[] = {TAG_HAS, 1, RECORD_CALL,
					4, /* call */
					9,	 6, 1,
					8, /* tab 4 */
					120,	 2, 'x',
					'y',				    /* what is not known */
					41,	 1, 5};			    /* can */
	assert_true(record_decode(inside, sizeof(inside), &back) == false); /* one byte short */
	unsigned char whole[sizeof(inside)];
	memcpy(whole, inside, sizeof(inside));
	whole[4] = 10;
	assert_true(record_decode(whole, sizeof(whole), &back));
	assert_int_equal(back.call.tab, 4);
	assert_int_equal(back.call.can, 5);
}

static void what_an_older_program_did_not_write_is_zero(void **state)
{
	static struct record record, back, zero;

	(void)state;
	memset(&back, 0xff, sizeof(back));
	record = (struct record){.has = RECORD_CALL | RECORD_LIVE};
	assert_true(record_decode(bytes, record_encode(&record, bytes), &back));
	assert_memory_equal(&back.live, &zero.live, sizeof(zero.live));
	assert_memory_equal(&back.call, &zero.call, sizeof(zero.call));
}

static void what_is_not_a_record_is_refused(void **state)
{
	static const struct {
		unsigned char bytes[48];
		size_t length;
	} wrong[] = {
		{{0}, 0},
		{{TAG_HAS, 1, 0}, 3},				    /* has nothing */
		{{TAG_AT_MS, 1, 2}, 3},				    /* nothing says what it is */
		{{TAG_HAS, 2, 0x80, 0x80}, 4},			    /* a number without an end */
		{{TAG_HAS, 2, 1, 1}, 4},			    /* two numbers */
		{{TAG_HAS, 0}, 2},				    /* no number */
		{{TAG_HAS, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, 8}, /* does not fit */
		{{TAG_HAS, 1, 1, 4, 0x7f}, 5},			    /* a length that runs out */
		{{TAG_HAS, 1, 1, 4, 3, 8, 1, 99}, 8},		    /* no such state */
		{{TAG_HAS, 1, 1, 4, 3, 22, 1, 2}, 8},		    /* neither true nor false */
		{{TAG_HAS, 1, 1, 4, 3, 1, 1, 7}, 8},		    /* a short uuid */
		{{TAG_HAS, 1, 1, 8, 2, 'a', 0}, 7}, /* a text with its end in the middle */
		{{TAG_HAS, 1, 1, 4, 7, 6, 5, 0xff, 0xff, 0xff, 0xff, 0x7f}, 12}, /* no int */
		{{TAG_HAS, 1, 1, 8, 33, 'l', 'o', 'n', 'g'}, 38}, /* NULs and too long */
	};
	static struct record back;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (record_decode(wrong[i].bytes, wrong[i].length, &back))
			fail_msg("case %u is taken for a record", i);
}

/* The copy has its own size, so that the sanitizer sees a byte too far. */
static void decode_copy(const unsigned char *from, size_t length)
{
	static struct record back;
	struct record_head head;
	unsigned char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, from, length);
	bool is_record = record_decode(copy, length, &back);
	bool is_head = record_peek(copy, length, &head);
	assert_true(is_head || !is_record);
	if (is_record)
		assert_true(record_encode(&back, bytes) < RECORD_BYTES_MAX);
	free(copy);
}

static void truncated_and_random_bytes_do_no_harm(void **state)
{
	static unsigned char good[RECORD_BYTES_MAX], bad[RECORD_BYTES_MAX];
	static struct record record;
	unsigned random = 20260101;

	(void)state;
	fill(&record, 3);
	size_t length = record_encode(&record, good);
	for (size_t i = 0; i < length; i++)
		decode_copy(good, i);
	for (unsigned round = 0; round < 20000; round++) {
		memcpy(bad, good, length);
		for (unsigned flips = 0; flips < 1 + round % 5; flips++) {
			random = random * 1664525 + 1013904223;
			bad[(random >> 8) % (round % 2 ? length : 40)] ^=
				(unsigned char)(random >> 24);
		}
		decode_copy(bad, length);
	}
	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < 64; i++)
			bad[i] = (unsigned char)((random = random * 1664525 + 1013904223) >> 24);
		decode_copy(bad, random % 64);
	}
}

static struct record usual(void)
{
	struct record record = {
		.at_ms = 1764000000123,
		.has = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN | RECORD_STREAM |
		       RECORD_LIVE | RECORD_STEP,
		.event_name = "talk",
		.event_at_ms = 1764000000100,
		.closed_duration_ms = 7000,
		.epoch = 1764000000000,
		.seq = 12345,
		.call = {.version = 9,
			 .tab = 2,
			 .state = CALL_TALK,
			 .state_at_ms = 1764000000100,
			 .started_at_ms = 1763999990000,
			 .direction = DIR_CCOUTBOUND,
			 .phone = "+15551234567",
			 .to = {"contact", "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000", "Grace Example"},
			 .extension = "1001",
			 .reason = "answered",
			 .actor = ACTOR_SWITCH,
			 .campaign = "Spring",
			 .attempt = 1,
			 .can = 0x1234},
		.live = {.policy = {15000, 22000, 22000, 30000, true,
				    .system[ATTEMPT_NO_ANSWER] = {.name = "No answer"},
				    .system[ATTEMPT_BUSY] = {.name = "Busy"}},
			 .has_rung = true,
			 .has_dialed = true,
			 .event_at_ms = 1764000000100},
		.step = {.kind = EV_UP, .at_ms = 1764000000100, .actor = ACTOR_SWITCH},
	};
	struct uuid *const ids[] = {&record.event_id,	    &record.closed_event_id,
				    &record.call.call_id,   &record.call.dialer_call_id,
				    &record.call.tenant_id, &record.call.agent_id,
				    &record.live.event_id,  &record.call.phone_call_id};
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		memset(ids[i], (int)(i + 1), sizeof(struct uuid));
	memcpy(record.live.line, record.call.to.id, sizeof(record.live.line));
	return record;
}

static void usual_record_is_small_and_quickly_read(void **state)
{
	static struct record record, back;
	const unsigned count = 100000;

	(void)state;
	record = usual();
	size_t length = record_encode(&record, bytes);
	int64_t began_us = clock_mono_us(&clock_system);
	for (unsigned i = 0; i < count; i++)
		if (!record_decode(bytes, length, &back))
			fail();
	int64_t took_us = clock_mono_us(&clock_system) - began_us;
	assert_same(&record, &back);
	print_message("# a usual record has %zu bytes; %u are read in %lld ms\n", length, count,
		      (long long)took_us / 1000);
	assert_in_range(length, 100, 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_every_part_comes_back),
		cmocka_unit_test(no_member_is_forgotten),
		cmocka_unit_test(only_the_parts_it_has_are_written),
		cmocka_unit_test(zeros_and_extremes_come_back),
		cmocka_unit_test(unknown_tags_are_skipped),
		cmocka_unit_test(what_an_older_program_did_not_write_is_zero),
		cmocka_unit_test(what_is_not_a_record_is_refused),
		cmocka_unit_test(truncated_and_random_bytes_do_no_harm),
		cmocka_unit_test(usual_record_is_small_and_quickly_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
