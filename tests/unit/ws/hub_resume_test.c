/* What a window gets that was away: the missed events or the snapshot, and nothing of the
 * connection it had before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/ws/hub_lines.h"

/* ---- what was missed ---- */

/* Comes back with the last number it has, as a text, and asserts what it is told. */
static void attach_from(struct line *line, unsigned agent, const char *client, const char *epoch,
			const char *seq, bool is_resumed)
{
	char text[256];

	open_line(line, agent, agent, 0);
	snprintf(text, sizeof(text),
		 "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"attach\",\"params\":{\"tab\":1,"
		 "\"client\":\"%s\",\"epoch\":%s,\"seq\":%s}}",
		 client, epoch, seq);
	line->takes = 1; /* the answer; what follows waits until let_flow() */
	say(line, text);
	assert_non_null(strstr(line->last, is_resumed ? "\"resumed\":true" : "\"resumed\":false"));
	line->is_choked = false;
}

/* So many texts at most in each turn, until it asks for no more turn. */
static void let_flow(struct line *line, unsigned a_turn)
{
	unsigned asked = 0;

	while (line->asked != asked && !line->close_code) {
		asked = line->asked;
		line->is_choked = false;
		line->takes = a_turn;
		channel_on_writable(line->channel);
	}
	line->is_choked = false;
	line->takes = 0;
}

static void resume_after(struct line *line, unsigned agent, uint64_t seq)
{
	char number[24], epoch[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)seq);
	snprintf(epoch, sizeof(epoch), "%lld", (long long)FAKE_EPOCH);
	attach_from(line, agent, "", epoch, number, true);
	line->seq = seq;
	let_flow(line, 0);
}

static void tell_many(unsigned agent, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fake_tell_call(control, agent, 1, i % 2 ? CALL_TALK : CALL_HELD, "");
}

static void a_thousand_missed_events_overflow_nothing(void **state)
{
	(void)state;
	struct line line;
	char epoch[24];

	snprintf(epoch, sizeof(epoch), "%lld", (long long)FAKE_EPOCH);
	tell_many(7, 1200);
	attach_from(&line, 7, "", epoch, "200", true);
	line.seq = 200;
	let_flow(&line, 10);
	assert_int_equal(line.close_code, 0);
	assert_int_equal(line.events, 1000);
	assert_int_equal(line.holes, 0);
	assert_int_equal(line.seq, 1200);
	tell_many(7, 1);
	assert_int_equal(line.seq, 1201);
	hang_up(&line);
	attach_from(&line, 7, "", epoch, "200", false); /* 1001 */
	tell_many(7, 1);
	assert_int_equal(line.events, 1);
	assert_int_equal(line.seq, 1202);
	hang_up(&line);
}

static void a_replay_does_not_hold_up_the_loop(void **state)
{
	(void)state;
	struct line line;
	unsigned before;

	tell_many(7, 500);
	open_line(&line, 7, 7, 0);
	say(&line, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"attach\",\"params\":{\"seq\":0,"
		   "\"epoch\":1764000000000}}");
	assert_in_range(line.events, 1, 32);
	before = line.events;
	channel_on_writable(line.channel);
	assert_in_range(line.events - before, 1, 32);
	let_flow(&line, 0);
	assert_int_equal(line.events, 500);
	hang_up(&line);
}

static void live_events_come_behind_the_missed_ones(void **state)
{
	(void)state;
	struct line line, neighbour;

	open_attached(&neighbour, 7, 1);
	tell_many(7, 300);
	open_line(&line, 7, 7, 0);
	line.takes = 50;
	say(&line,
	    "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"attach\",\"params\":{\"seq\":100,"
	    "\"epoch\":1764000000000}}");
	line.takes = 7;
	for (int i = 0; i < 200; i++) {
		tell_many(7, 1);
		if (i % 3 == 0) {
			line.is_choked = false;
			line.takes = 7;
			channel_on_writable(line.channel);
		}
	}
	let_flow(&line, 7);
	tell_many(7, 1);
	assert_int_equal(line.close_code, 0);
	assert_int_equal(line.holes, 0);
	assert_int_equal(line.seq, 501);
	assert_int_equal(line.events, 401);
	assert_int_equal(neighbour.events, 501);
	assert_int_equal(neighbour.holes, 0);
	assert_string_equal(line.last_event, neighbour.last_event);
	hang_up(&line);
	hang_up(&neighbour);
}

/* Socket.io cannot: a session that never had an event. */
static void it_resumes_before_the_first_event(void **state)
{
	(void)state;
	struct line line;

	resume_after(&line, 7, 0);
	assert_int_equal(line.events, 0);
	hang_up(&line);
	tell_many(7, 2);
	resume_after(&line, 7, 0);
	assert_int_equal(line.events, 2);
	assert_int_equal(line.seq, 2);
	hang_up(&line);
}

static void a_quiet_tab_resumes_after_any_time(void **state)
{
	(void)state;
	struct line line;

	tell_many(7, 3);
	advance(15 * 60 * S);
	resume_after(&line, 7, 3);
	assert_int_equal(line.events, 0);
	hang_up(&line);
	attach_from(&line, 7, "", "1764000000000", "2", false); /* but what was missed is too old */
	hang_up(&line);
}

static void twenty_rounds_without_traffic_repeat_nothing(void **state)
{
	(void)state;
	struct line line;

	tell_many(7, 5);
	for (int i = 0; i < 20; i++) {
		resume_after(&line, 7, 5);
		assert_int_equal(line.events, 0);
		hang_up(&line);
	}
}

static void a_position_of_somewhere_else_gets_the_snapshot(void **state)
{
	(void)state;
	static const char *const positions[][2] = {
		{"1764000000000", "4"},
		{"1764000000000", "9007199254740991"},
		{"1764000000001", "3"},
		{"1763999999999", "3"},
		{"0", "0"},
		{"-1", "3"},
		{"1764000000000", "-1"},
		{"1764000000000", "2.5"},
		{"1764000000000", "\"3\""},
		{"null", "3"},
	};
	struct line line;

	tell_many(7, 3);
	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
		attach_from(&line, 7, "", positions[i][0], positions[i][1], false);
		assert_non_null(strstr(line.last, "\"seq\":3,"));
		assert_non_null(strstr(line.last, "\"snapshot\":{\"state\":"));
		let_flow(&line, 0);
		assert_int_equal(line.texts, 1);
		hang_up(&line);
	}
}

static void who_loses_what_he_is_reading_is_told_to_attach_again(void **state)
{
	(void)state;
	struct line line;

	tell_many(7, 100);
	attach_from(&line, 7, "", "1764000000000", "1", true);
	line.is_choked = true;
	for (int i = 0; i < 64; i++)
		tell_many(8, 1000); /* more than all memory for events */
	line.is_choked = false;
	channel_on_writable(line.channel);
	assert_int_equal(line.close_code, CLOSE_SLOW);
	assert_int_equal(line.events, 0);
	hang_up(&line);
}

static void what_was_told_before_a_restart_is_told_again_to_the_letter(void **state)
{
	(void)state;
	struct line line;
	struct call_view calls[3];
	char live[3][4096];

	open_attached(&line, 7, 1);
	for (int i = 0; i < 3; i++) {
		fake_call(control, 7, 1, i == 1 ? CALL_TALK : CALL_HELD, "x", &calls[i]);
		fake_tell_call(control, 7, 1, calls[i].state, "x");
		memcpy(live[i], line.last_event, sizeof(live[i]));
		advance(1234 * MS);
	}
	hang_up(&line);
	end(NULL);
	begin(NULL);
	advance(77 * S);
	for (int i = 0; i < 3; i++)
		fake_tell_past(control, 7, 1, &calls[i], (uint64_t)i + 1, 90000 - i * 1000);
	for (int i = 0; i < 3; i++) {
		attach_from(&line, 7, "", "1764000000000", i == 0 ? "0" : i == 1 ? "1" : "2", true);
		line.takes = 1;
		channel_on_writable(line.channel);
		assert_string_equal(line.last_event, live[i]);
		hang_up(&line);
	}
	advance(520 * S); /* ten minutes after the first two were told */
	attach_from(&line, 7, "", "1764000000000", "1", false);
	hang_up(&line);
	tell_many(7, 1);
	resume_after(&line, 7, 3);
	assert_int_equal(line.seq, 4);
	hang_up(&line);
}

/* ---- the connection before this one ---- */

#define HOLD(id) "{\"jsonrpc\":\"2.0\",\"id\":\"" id "\",\"method\":\"hold\"}"

static void what_still_comes_from_a_replaced_connection_is_not_heard(void **state)
{
	(void)state;
	struct line old, young;

	open_line(&old, 7, 7, 0);
	attach(&old, 1, "page");
	open_line(&young, 7, 7, 0);
	attach(&young, 1, "page");
	say(&old, HOLD("late"));
	assert_int_equal(fake_command_count(control), 0);
	fake_tell_call(control, 7, 1, CALL_TALK, "");
	assert_int_equal(old.events, 0);
	assert_int_equal(young.events, 1);
	hang_up(&old);
	hang_up(&young);
}

static void a_connection_that_dies_late_takes_nothing_with_it(void **state)
{
	(void)state;
	struct line old, young;

	open_line(&old, 7, 7, 0);
	attach(&old, 1, "page");
	say(&old, HOLD("c1"));
	old.is_choked = true; /* a black hole */
	advance(40 * S);
	attach_from(&young, 7, "page", "1764000000000", "0", true);
	say(&young, HOLD("c2"));
	for (int i = 0; i < 10; i++) {
		advance(10 * S);
		hub_hear_pong(young.channel);
	}
	assert_true(old.is_killed);
	assert_false(young.is_killed);
	hang_up(&old);
	assert_true(fake_is_present(control, 7));
	assert_int_equal(fake_answer_all(control, NULL), 2);
	assert_non_null(strstr(young.last, "\"id\":\"c2\""));
	fake_tell_call(control, 7, 1, CALL_TALK, "");
	assert_int_equal(young.events, 1);
	assert_int_equal(young.close_code, 0);
	hang_up(&young);
	assert_false(fake_is_present(control, 7));
}

static void a_command_asked_again_is_answered_where_it_was_asked_again(void **state)
{
	(void)state;
	struct line old, young;

	open_line(&old, 7, 7, 0);
	attach(&old, 1, "page");
	say(&old, HOLD("c1"));
	hang_up(&old);
	open_line(&young, 7, 7, 0);
	attach(&young, 1, "page");
	say(&young, HOLD("c1"));
	assert_string_equal(fake_command(control, 0)->id, fake_command(control, 1)->id);
	fake_answer_all(control, NULL);
	assert_int_equal(young.texts, 2);
	assert_non_null(strstr(young.last, "\"id\":\"c1\""));
	hang_up(&young);
}

static void only_the_same_window_of_the_same_tab_is_replaced(void **state)
{
	(void)state;
	struct line lines[5];

	for (int i = 0; i < 5; i++)
		open_line(&lines[i], i == 3 ? 8 : 7, 7, 0);
	attach(&lines[0], 1, "page");
	attach(&lines[1], 1, "other");
	attach(&lines[2], 2, "page");
	attach(&lines[3], 1, "page"); /* somebody else */
	attach(&lines[4], 1, "page");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(lines[i].close_code, i == 0 ? CLOSE_REPLACED : 0);
		hang_up(&lines[i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_thousand_missed_events_overflow_nothing),
		TEST(a_replay_does_not_hold_up_the_loop),
		TEST(live_events_come_behind_the_missed_ones),
		TEST(it_resumes_before_the_first_event),
		TEST(a_quiet_tab_resumes_after_any_time),
		TEST(twenty_rounds_without_traffic_repeat_nothing),
		TEST(a_position_of_somewhere_else_gets_the_snapshot),
		TEST(who_loses_what_he_is_reading_is_told_to_attach_again),
		TEST(what_was_told_before_a_restart_is_told_again_to_the_letter),
		TEST(what_still_comes_from_a_replaced_connection_is_not_heard),
		TEST(a_connection_that_dies_late_takes_nothing_with_it),
		TEST(a_command_asked_again_is_answered_where_it_was_asked_again),
		TEST(only_the_same_window_of_the_same_tab_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
