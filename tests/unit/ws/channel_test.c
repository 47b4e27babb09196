/* A channel on a wire of the test's own, which remembers what it was given and chokes when told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_writer.h"
#include "ws/channel.h"
#include "ws/frame.h"
#include "ws/protocol.h"

static struct {
	char text[1 << 16]; /* all that was sent, as "T<text>;" "P<ping>;" "C<code> <reason>;" */
	size_t length;
	unsigned sends_until_choked; /* 0 = never */
	bool is_choked, is_dead;
	unsigned asked_writable, killed;
} wire;

static struct {
	unsigned closings;
	unsigned code;
	char heard[1 << 16]; /* messages, each with a ';' */
	size_t heard_length;
} told;

static bool wire_is_choked(void *user)
{
	(void)user;
	return wire.is_choked;
}

static void note(const char *bytes, size_t length)
{
	assert_true(wire.length + length < sizeof(wire.text));
	memcpy(wire.text + wire.length, bytes, length);
	wire.length += length;
	wire.text[wire.length] = '\0';
}

static bool wire_send(void *user, enum wire_kind kind, char *payload, size_t length)
{
	char code[16];

	(void)user;
	assert_false(wire.is_choked);			      /* would corrupt the stream */
	memset(payload - FRAME_RESERVE, 0xee, FRAME_RESERVE); /* as the library may */
	if (wire.is_dead)
		return false;
	note(&"TPC"[kind], 1);
	if (kind == WIRE_CLOSE) {
		snprintf(code, sizeof(code), "%d ", (uint8_t)payload[0] << 8 | (uint8_t)payload[1]);
		note(code, strlen(code));
		payload += 2;
		length -= 2;
	}
	note(payload, length);
	note(";", 1);
	if (wire.sends_until_choked > 0 && --wire.sends_until_choked == 0)
		wire.is_choked = true;
	return true;
}

static void wire_ask_writable(void *user)
{
	(void)user;
	wire.asked_writable++;
}

static void wire_kill(void *user)
{
	(void)user;
	wire.killed++;
}

static const struct wire_ops wire_ops = {
	.is_choked = wire_is_choked,
	.send = wire_send,
	.ask_writable = wire_ask_writable,
	.kill = wire_kill,
};

static void on_closing(struct channel *channel, unsigned code)
{
	assert_int_equal(channel->state, CHANNEL_CLOSING);
	told.closings++;
	told.code = code;
}

static void on_message(struct channel *channel, const char *text, size_t length, bool is_binary)
{
	(void)channel;
	memcpy(told.heard + told.heard_length, is_binary ? "B" : "", is_binary);
	told.heard_length += is_binary;
	memcpy(told.heard + told.heard_length, text, length);
	told.heard_length += length;
	told.heard[told.heard_length++] = ';';
	told.heard[told.heard_length] = '\0';
}

static const struct channel_shared shared = {
	.wire = &wire_ops,
	.limits = {.queue_messages = 4, .queue_bytes = 100, .rate_per_s = 20, .rate_burst = 40},
	.on_closing = on_closing,
	.on_message = on_message,
};

static struct channel channel;

static int begin(void **state)
{
	(void)state;
	memset(&wire, 0, sizeof(wire));
	memset(&told, 0, sizeof(told));
	channel_init(&channel, &shared, &wire, 1000);
	return 0;
}

static int end(void **state)
{
	(void)state;
	channel_done(&channel);
	return 0;
}

static struct frame *make(const char *text)
{
	struct json_writer w = {0};

	jw_raw(&w, text, strlen(text));
	struct frame *frame = frame_make(&w);
	jw_done(&w);
	return frame;
}

static void send_text(const char *text)
{
	struct frame *frame = make(text);

	channel_send(&channel, frame);
	frame_unref(frame);
}

static void hear(const char *bytes, uint64_t remaining, bool is_final, int64_t now_us)
{
	/* Of its own length, so that the sanitizer sees a byte too far. */
	size_t length = strlen(bytes);
	char *copy = malloc(length ? length : 1);

	memcpy(copy, bytes, length);
	channel_hear(&channel,
		     &(struct piece_heard){.bytes = length ? copy : NULL,
					   .length = length,
					   .remaining = remaining,
					   .is_final = is_final},
		     now_us);
	free(copy);
}

/* ---- sending ---- */

static void what_can_be_sent_goes_at_once(void **state)
{
	(void)state;
	send_text("a");
	send_text("b");
	assert_string_equal(wire.text, "Ta;Tb;");
	assert_int_equal(wire.asked_writable, 0);
	assert_null(channel.queue);
}

static void behind_a_choked_wire_frames_wait_in_order(void **state)
{
	(void)state;
	wire.sends_until_choked = 1;
	send_text("a");
	send_text("b");
	send_text("c");
	assert_string_equal(wire.text, "Ta;");
	assert_true(wire.asked_writable > 0);
	wire.is_choked = false;
	send_text("d"); /* not past those that wait */
	assert_string_equal(wire.text, "Ta;");
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "Ta;Tb;Tc;Td;");
	assert_null(channel.queue);
	assert_int_equal(channel.queue_bytes, 0);
}

static void a_wire_that_chokes_again_is_asked_again(void **state)
{
	(void)state;
	wire.is_choked = true;
	send_text("a");
	send_text("b");
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "");
	wire.is_choked = false;
	wire.sends_until_choked = 1;
	wire.asked_writable = 0;
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "Ta;");
	assert_int_equal(wire.asked_writable, 1);
	wire.is_choked = false;
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "Ta;Tb;");
}

/* Frames of 24 bytes: four fit, but only when those that have gone are no longer counted. */
static void the_queue_is_a_ring(void **state)
{
	(void)state;
	char text[32], wanted[32 * 24] = "";

	wire.is_choked = true;
	for (int i = 1; i <= 24; i++) {
		snprintf(text, sizeof(text), "%024d", i);
		send_text(text);
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "T%s;", text);
		if (i < 4)
			continue;
		wire.is_choked = false;
		wire.sends_until_choked = 1;
		channel_on_writable(&channel);
	}
	wire.is_choked = false;
	channel_on_writable(&channel);
	assert_string_equal(wire.text, wanted);
	assert_int_equal(told.closings, 0);
}

static void too_many_waiting_frames_are_too_slow(void **state)
{
	(void)state;
	wire.is_choked = true;
	for (int i = 0; i < 4; i++)
		send_text("x");
	assert_int_equal(told.closings, 0);
	send_text("x");
	assert_int_equal(told.closings, 1);
	assert_int_equal(told.code, CLOSE_SLOW);
	assert_null(channel.queue);
	send_text("never");
	wire.is_choked = false;
	channel_on_writable(&channel);
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "C4008 too slow;");
}

static void too_many_waiting_bytes_are_too_slow(void **state)
{
	(void)state;
	char fifty[51];

	memset(fifty, 'x', 50);
	fifty[50] = '\0';
	wire.is_choked = true;
	send_text(fifty);
	send_text(fifty);
	assert_int_equal(told.closings, 0);
	send_text("x");
	assert_int_equal(told.code, CLOSE_SLOW);
}

static void a_frame_is_shared_and_freed_by_the_last(void **state)
{
	(void)state;
	struct channel other;
	struct frame *frame = make("shared");

	channel_init(&other, &shared, &wire, 1000);
	wire.is_choked = true;
	channel_send(&channel, frame);
	channel_send(&other, frame);
	assert_int_equal(frame->refs, 3);
	channel_done(&other);
	assert_int_equal(frame->refs, 2);
	wire.is_choked = false;
	channel_on_writable(&channel);
	assert_int_equal(frame->refs, 1);
	assert_string_equal(wire.text, "Tshared;");
	frame_unref(frame);
}

static void a_dead_wire_is_killed_once_and_left_alone(void **state)
{
	(void)state;
	wire.is_choked = true;
	send_text("a");
	send_text("b");
	wire.is_choked = false;
	wire.is_dead = true;
	channel_on_writable(&channel);
	assert_int_equal(wire.killed, 1);
	assert_int_equal(told.closings, 1);
	assert_int_equal(told.code, 0);
	wire.is_dead = false;
	send_text("c");
	channel_ping(&channel);
	channel_close(&channel, CLOSE_RATE, "");
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "");
	assert_int_equal(wire.killed, 1);
	assert_int_equal(told.closings, 1);
}

static void a_ping_has_a_payload_and_is_not_forced_through(void **state)
{
	(void)state;
	channel_ping(&channel);
	assert_string_equal(wire.text, "Pc;");
	wire.is_choked = true;
	channel_ping(&channel);
	assert_string_equal(wire.text, "Pc;");
	assert_int_equal(channel.pings_unanswered, 2);
	channel_hear_pong(&channel, 2000);
	assert_int_equal(channel.pings_unanswered, 1);
	assert_int_equal(channel.heard_us, 2000);
}

/* ---- ending ---- */

static void a_close_is_the_last_thing_said(void **state)
{
	(void)state;
	send_text("a");
	channel_close(&channel, CLOSE_NOT_SIGNED_IN, "session ended");
	send_text("b");
	channel_ping(&channel);
	channel_close(&channel, CLOSE_RATE, "again");
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "Ta;C4401 session ended;");
	assert_int_equal(told.closings, 1);
	assert_int_equal(wire.killed, 0);
}

static void a_close_waits_for_the_frame_before_it(void **state)
{
	(void)state;
	wire.sends_until_choked = 1;
	send_text("half");
	send_text("dropped");
	channel_close(&channel, CLOSE_RESTART, "retry=5");
	assert_string_equal(wire.text, "Thalf;");
	assert_true(wire.asked_writable > 0);
	wire.is_choked = false;
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "Thalf;C1012 retry=5;");
}

static void a_reason_too_long_is_cut(void **state)
{
	(void)state;
	channel_close(&channel, CLOSE_POLICY,
		      "a reason that is much longer than there is room for");
	assert_string_equal(wire.text, "C1008 a reason that is much longer th;");
}

static void who_left_hears_nothing_more(void **state)
{
	(void)state;
	wire.is_choked = true;
	send_text("a");
	channel_leave(&channel);
	channel_leave(&channel);
	wire.is_choked = false;
	channel_on_writable(&channel);
	assert_string_equal(wire.text, "");
	assert_int_equal(told.closings, 1);
	assert_int_equal(told.code, 0);
}

/* ---- hearing ---- */

static void a_message_in_one_piece_is_heard_where_it_lies(void **state)
{
	(void)state;
	hear("one", 0, true, 5000);
	hear("", 0, true, 5000);
	assert_string_equal(told.heard, "one;;");
	assert_null(channel.partial);
	assert_int_equal(channel.heard_us, 5000);
}

static void pieces_and_fragments_are_put_together(void **state)
{
	(void)state;
	hear("ab", 4, true, 0); /* one frame in three reads */
	hear("cd", 2, true, 0);
	hear("ef", 0, true, 0);
	hear("gh", 1, false, 0); /* two frames, the first in two reads */
	hear("i", 0, false, 0);
	hear("j", 0, true, 0);
	hear("", 0, false, 0);
	hear("k", 0, true, 0);
	assert_string_equal(told.heard, "abcdef;ghij;k;");
	assert_null(channel.partial);
}

static void sixty_four_fragments_are_a_message_and_sixty_five_are_not(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 1; i <= 64; i++)
			hear("x", 0, i == 64, 0);
	assert_int_equal(told.heard_length, 2 * 65);
	for (int i = 1; i <= 65; i++)
		hear("", 0, false, 0);
	assert_int_equal(told.code, CLOSE_TOO_BIG);
}

static void a_message_may_have_16_kB_and_no_more(void **state)
{
	(void)state;
	char *text = malloc(MESSAGE_MAX + 1);

	memset(text, 'x', MESSAGE_MAX);
	text[MESSAGE_MAX] = '\0';
	hear(text, 0, true, 0);
	hear("x", MESSAGE_MAX - 1, true, 0);
	assert_int_equal(told.closings, 0);
	hear(text + 1, 0, true, 0);
	assert_int_equal(told.heard_length, 2 * (MESSAGE_MAX + 1));
	hear(text, 0, false, 0);
	assert_int_equal(told.closings, 0);
	hear("x", 0, true, 0);
	assert_int_equal(told.code, CLOSE_TOO_BIG);
	free(text);
}

static void a_length_that_lies_is_refused_before_anything_is_kept(void **state)
{
	(void)state;
	static const uint64_t lies[] = {MESSAGE_MAX, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		begin(state);
		hear("x", lies[i], true, 0);
		assert_int_equal(told.code, CLOSE_TOO_BIG);
		assert_null(channel.partial);
	}
}

static void text_must_be_utf8_and_binary_need_not(void **state)
{
	(void)state;
	hear("J\xc3", 0, false, 0);
	hear("\xbc", 0, true, 0);
	assert_string_equal(told.heard, "J\xc3\xbc;");
	channel_hear(&channel,
		     &(struct piece_heard){
			     .bytes = "\xff", .length = 1, .is_final = true, .is_binary = true},
		     0);
	assert_string_equal(told.heard, "J\xc3\xbc;B\xff;");
	hear("x\xc3", 0, true, 0);
	assert_int_equal(told.code, CLOSE_BAD_TEXT);
	hear("later", 0, true, 0);
	assert_string_equal(told.heard, "J\xc3\xbc;B\xff;");
}

static void forty_messages_at_once_then_twenty_a_second(void **state)
{
	(void)state;
	int64_t now_us = 1000000;

	for (int i = 0; i < 40; i++)
		hear("x", 0, true, now_us);
	for (int i = 0; i < 100; i++)
		hear("x", 0, true, now_us += 50000);
	assert_int_equal(told.closings, 0);
	hear("x", 0, true, now_us + 49999);
	assert_int_equal(told.code, CLOSE_RATE);
	assert_int_equal(told.heard_length, 2 * 140);
}

static void a_pause_fills_the_bucket_and_no_more(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 40; i++)
			hear("x", 0, true, (round + 1) * INT64_C(60000000));
	assert_int_equal(told.closings, 0);
	hear("x", 0, true, 3 * INT64_C(60000000));
	assert_int_equal(told.code, CLOSE_RATE);
}

static void pongs_nobody_asked_for_count(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		channel_ping(&channel);
	for (int i = 0; i < 50 + 40; i++)
		channel_hear_pong(&channel, 0);
	assert_int_equal(told.closings, 0);
	channel_hear_pong(&channel, 0);
	assert_int_equal(told.code, CLOSE_RATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_can_be_sent_goes_at_once),
		TEST(behind_a_choked_wire_frames_wait_in_order),
		TEST(a_wire_that_chokes_again_is_asked_again),
		TEST(the_queue_is_a_ring),
		TEST(too_many_waiting_frames_are_too_slow),
		TEST(too_many_waiting_bytes_are_too_slow),
		TEST(a_frame_is_shared_and_freed_by_the_last),
		TEST(a_dead_wire_is_killed_once_and_left_alone),
		TEST(a_ping_has_a_payload_and_is_not_forced_through),
		TEST(a_close_is_the_last_thing_said),
		TEST(a_close_waits_for_the_frame_before_it),
		TEST(a_reason_too_long_is_cut),
		TEST(who_left_hears_nothing_more),
		TEST(a_message_in_one_piece_is_heard_where_it_lies),
		TEST(pieces_and_fragments_are_put_together),
		TEST(sixty_four_fragments_are_a_message_and_sixty_five_are_not),
		TEST(a_message_may_have_16_kB_and_no_more),
		TEST(a_length_that_lies_is_refused_before_anything_is_kept),
		TEST(text_must_be_utf8_and_binary_need_not),
		TEST(forty_messages_at_once_then_twenty_a_second),
		TEST(a_pause_fills_the_bucket_and_no_more),
		TEST(pongs_nobody_asked_for_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
