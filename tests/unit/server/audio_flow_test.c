/* How audio flows between a page and the switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "server/audio_flow.h"

static void real_time_passes_and_more_does_not(void **state)
{
	struct audio_pace pace = {.due_us = 0};
	unsigned passed = 0;

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_true(audio_pace_step(&pace, 1000000 + i * AUDIO_FRAME_US));
	/* twice as fast for ten seconds: what was owed, then every second one */
	for (int i = 0; i < 1000; i++)
		passed += audio_pace_step(&pace, 2000000 + i * AUDIO_FRAME_US / 2);
	assert_in_range(passed, 500, 500 + AUDIO_LATE_US / AUDIO_FRAME_US + 1);
}

static void after_a_pause_only_the_newest_200_ms_come_at_once(void **state)
{
	struct audio_pace pace = {.due_us = 0};
	unsigned passed = 0;

	(void)state;
	assert_true(audio_pace_step(&pace, 1000000));
	for (int i = 0; i < 100; i++)
		passed += audio_pace_step(&pace, 5000000);
	assert_int_equal(passed, AUDIO_LATE_US / AUDIO_FRAME_US + 1);
	assert_true(audio_pace_step(&pace, 5000000 + AUDIO_FRAME_US));
}

static void the_oldest_waiting_frame_gives_way(void **state)
{
	struct audio_queue queue = {.count = 0};
	char frame[AUDIO_FRAME];

	(void)state;
	assert_false(audio_queue_take(&queue, frame));
	for (int i = 0; i < AUDIO_WAITING + 3; i++) {
		memset(frame, i, sizeof frame);
		audio_queue_put(&queue, frame);
	}
	assert_int_equal(queue.dropped, 3);
	for (int i = 3; i < AUDIO_WAITING + 3; i++) {
		assert_true(audio_queue_take(&queue, frame));
		assert_int_equal(frame[0], i);
		assert_int_equal(frame[AUDIO_FRAME - 1], i);
	}
	assert_false(audio_queue_take(&queue, frame));
}

static void a_frame_comes_in_pieces(void **state)
{
	struct audio_parts parts = {.length = 0};
	char bytes[AUDIO_FRAME];

	(void)state;
	for (int i = 0; i < AUDIO_FRAME; i++)
		bytes[i] = (char)i;
	for (int round = 0; round < 3; round++) {
		assert_int_equal(audio_parts_add(&parts, bytes, 100, false), AUDIO_MORE);
		assert_int_equal(audio_parts_add(&parts, bytes + 100, 539, false), AUDIO_MORE);
		assert_int_equal(audio_parts_add(&parts, bytes + 639, 1, true), AUDIO_WHOLE);
		assert_memory_equal(parts.bytes, bytes, AUDIO_FRAME);
	}
	assert_int_equal(audio_parts_add(&parts, bytes, AUDIO_FRAME, true), AUDIO_WHOLE);
}

static void what_is_no_frame_is_bad(void **state)
{
	char bytes[AUDIO_FRAME + 1] = "";

	(void)state;
	assert_int_equal(audio_parts_add(&(struct audio_parts){.length = 0}, bytes, 0, true),
			 AUDIO_BAD);
	assert_int_equal(audio_parts_add(&(struct audio_parts){.length = 0}, bytes, 638, true),
			 AUDIO_BAD);
	assert_int_equal(
		audio_parts_add(&(struct audio_parts){.length = 0}, bytes, AUDIO_FRAME + 1, true),
		AUDIO_BAD);
	assert_int_equal(audio_parts_add(&(struct audio_parts){.length = 600}, bytes, 41, false),
			 AUDIO_BAD);
	assert_int_equal(audio_parts_add(&(struct audio_parts){.length = 600}, bytes, 40, false),
			 AUDIO_BAD);
}

static void what_a_page_asks_for_stands_in_its_list(void **state)
{
	static const char list[] = "calltab.audio.v1, ticket.abc,window.w-1 , take";
	struct audio_asked asked;

	(void)state;
	audio_asked_read(list, &asked);
	assert_int_equal(asked.ticket_length, 3);
	assert_memory_equal(asked.ticket, "abc", 3);
	assert_string_equal(asked.window, "w-1");
	assert_true(asked.is_take);
	audio_asked_read("calltab.audio.v1, window.0123456789abcdefg, taken, ticket.", &asked);
	assert_null(asked.ticket);
	assert_string_equal(asked.window, "");
	assert_false(asked.is_take);
	audio_asked_read("", &asked);
	assert_null(asked.ticket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_time_passes_and_more_does_not),
		cmocka_unit_test(after_a_pause_only_the_newest_200_ms_come_at_once),
		cmocka_unit_test(the_oldest_waiting_frame_gives_way),
		cmocka_unit_test(a_frame_comes_in_pieces),
		cmocka_unit_test(what_is_no_frame_is_bad),
		cmocka_unit_test(what_a_page_asks_for_stands_in_its_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
