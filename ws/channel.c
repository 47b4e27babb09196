#include "ws/channel.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ws/frame.h"
#include "ws/protocol.h"

#define FRAGMENTS_MAX 64
#define FIRST_PARTIAL 1024
#define CONTROL_MAX   125 /* payload of a close or ping (RFC 6455 5.5) */
#define US_PER_S      INT64_C(1000000)

void channel_init(struct channel *channel, const struct channel_shared *shared, void *wire,
		  int64_t now_us)
{
	*channel = (struct channel){
		.shared = shared,
		.wire = wire,
		.heard_us = now_us,
		.session_ends_us = INT64_MAX,
	};
}

/* ---- what waits ---- */

static void drop_queue(struct channel *channel)
{
	const unsigned size = channel->shared->limits.queue_messages;

	for (unsigned i = 0; i < channel->queue_count; i++)
		frame_unref(channel->queue[(channel->queue_first + i) % size]);
	free(channel->queue);
	channel->queue = NULL;
	channel->queue_first = channel->queue_count = 0;
	channel->queue_bytes = 0;
}

static void drop_partial(struct channel *channel)
{
	free(channel->partial);
	channel->partial = NULL;
	channel->partial_length = channel->partial_capacity = 0;
}

void channel_done(struct channel *channel)
{
	drop_queue(channel);
	drop_partial(channel);
	free(channel->client);
	channel->client = NULL;
}

static void enqueue(struct channel *channel, struct frame *frame)
{
	const struct channel_limits *limits = &channel->shared->limits;

	if (channel->queue_count >= limits->queue_messages ||
	    channel->queue_bytes + frame->length > limits->queue_bytes) {
		channel_close(channel, CLOSE_SLOW, "too slow");
		return;
	}
	if (!channel->queue)
		channel->queue = xcalloc(limits->queue_messages, sizeof(struct frame *));
	channel->queue[(channel->queue_first + channel->queue_count) % limits->queue_messages] =
		frame_ref(frame);
	channel->queue_count++;
	channel->queue_bytes += frame->length;
	channel->shared->wire->ask_writable(channel->wire);
}

/* ---- the wire ---- */

static bool is_choked(const struct channel *channel)
{
	return channel->shared->wire->is_choked(channel->wire);
}

void channel_kill(struct channel *channel)
{
	bool is_news = channel->state != CHANNEL_CLOSING;

	channel->state = CHANNEL_CLOSING;
	channel->is_close_sent = true;
	drop_queue(channel);
	channel->shared->wire->kill(channel->wire);
	if (is_news)
		channel->shared->on_closing(channel, 0);
}

static void put(struct channel *channel, enum wire_kind kind, char *payload, size_t length)
{
	if (!channel->shared->wire->send(channel->wire, kind, payload, length))
		channel_kill(channel);
}

static void put_control(struct channel *channel, enum wire_kind kind, const char *payload,
			size_t length)
{
	char bytes[FRAME_RESERVE + CONTROL_MAX];

	assert(length <= CONTROL_MAX);
	memcpy(bytes + FRAME_RESERVE, payload, length);
	put(channel, kind, bytes + FRAME_RESERVE, length);
}

static void put_close(struct channel *channel)
{
	char payload[2 + sizeof(channel->close_reason)];
	size_t length = strlen(channel->close_reason);

	payload[0] = (char)(channel->close_code >> 8);
	payload[1] = (char)channel->close_code;
	memcpy(payload + 2, channel->close_reason, length);
	channel->is_close_sent = true;
	put_control(channel, WIRE_CLOSE, payload, 2 + length);
}

/* ---- sending ---- */

bool channel_is_ready(const struct channel *channel)
{
	return channel->state != CHANNEL_CLOSING && channel->queue_count == 0 &&
	       !is_choked(channel);
}

void channel_send(struct channel *channel, struct frame *frame)
{
	if (channel->state == CHANNEL_CLOSING)
		return;
	if (channel_is_ready(channel))
		put(channel, WIRE_TEXT, frame_text(frame), frame->length);
	else
		enqueue(channel, frame);
}

void channel_send_text(struct channel *channel, char *text, size_t length)
{
	struct frame *frame;

	if (channel_is_ready(channel)) {
		put(channel, WIRE_TEXT, text, length);
	} else if (channel->state != CHANNEL_CLOSING) {
		frame = frame_copy(text, length);
		enqueue(channel, frame);
		frame_unref(frame);
	}
}

void channel_ask_ready(struct channel *channel)
{
	channel->shared->wire->ask_writable(channel->wire);
}

static void send_first(struct channel *channel)
{
	struct frame *frame = channel->queue[channel->queue_first];

	channel->queue_first = (channel->queue_first + 1) % channel->shared->limits.queue_messages;
	channel->queue_count--;
	channel->queue_bytes -= frame->length;
	put(channel, WIRE_TEXT, frame_text(frame), frame->length);
	frame_unref(frame);
}

void channel_on_writable(struct channel *channel)
{
	if (is_choked(channel)) {
		channel->shared->wire->ask_writable(channel->wire);
		return;
	}
	if (channel->state == CHANNEL_CLOSING) {
		if (!channel->is_close_sent)
			put_close(channel);
		return;
	}
	while (channel->queue_count > 0 && !is_choked(channel))
		send_first(channel);
	if (channel->queue_count > 0)
		channel->shared->wire->ask_writable(channel->wire);
	else
		drop_queue(channel);
	if (channel->is_behind && channel_is_ready(channel))
		channel->shared->on_ready(channel);
}

/* An empty payload would do for the peer, but the library keeps the pong of one to itself. */
void channel_ping(struct channel *channel)
{
	if (channel->state == CHANNEL_CLOSING)
		return;
	channel->pings_unanswered++;
	if (!is_choked(channel))
		put_control(channel, WIRE_PING, "c", 1);
}

/* ---- ending ---- */

void channel_close(struct channel *channel, unsigned code, const char *reason)
{
	if (channel->state == CHANNEL_CLOSING)
		return;
	channel->state = CHANNEL_CLOSING;
	channel->close_code = (uint16_t)code;
	str_copy_cut(channel->close_reason, sizeof(channel->close_reason), reason);
	drop_queue(channel);
	drop_partial(channel);
	if (is_choked(channel))
		channel->shared->wire->ask_writable(channel->wire);
	else
		put_close(channel);
	channel->shared->on_closing(channel, code);
}

void channel_leave(struct channel *channel)
{
	if (channel->state == CHANNEL_CLOSING)
		return;
	channel->state = CHANNEL_CLOSING;
	channel->is_close_sent = true;
	drop_queue(channel);
	drop_partial(channel);
	channel->shared->on_closing(channel, 0);
}

/* ---- hearing ---- */

/* A bucket of rate_burst that fills by rate_per_s, kept as the time at which it is full again. */
static bool take_token(struct channel *channel, int64_t now_us)
{
	const struct channel_limits *limits = &channel->shared->limits;
	const int64_t each_us = US_PER_S / limits->rate_per_s;

	if (channel->rate_us < now_us)
		channel->rate_us = now_us;
	if (channel->rate_us - now_us > each_us * (int64_t)(limits->rate_burst - 1))
		return false;
	channel->rate_us += each_us;
	return true;
}

static bool is_too_big(const struct channel *channel, const struct piece_heard *piece)
{
	return piece->remaining > MESSAGE_MAX || piece->length > MESSAGE_MAX ||
	       channel->partial_length + piece->length + piece->remaining > MESSAGE_MAX;
}

static void keep_piece(struct channel *channel, const struct piece_heard *piece)
{
	size_t wanted = channel->partial_length + piece->length;

	if (piece->length == 0)
		return;
	if (wanted > channel->partial_capacity) {
		size_t capacity =
			channel->partial_capacity ? channel->partial_capacity : FIRST_PARTIAL;
		while (capacity < wanted)
			capacity *= 2;
		channel->partial = xrealloc(channel->partial, capacity);
		channel->partial_capacity = capacity;
	}
	memcpy(channel->partial + channel->partial_length, piece->bytes, piece->length);
	channel->partial_length = wanted;
}

static void take_message(struct channel *channel, const char *text, size_t length, bool is_binary,
			 int64_t now_us)
{
	if (!take_token(channel, now_us))
		channel_close(channel, CLOSE_RATE, "too many messages");
	else if (!is_binary && !str_is_utf8(text, length))
		channel_close(channel, CLOSE_BAD_TEXT, "not UTF-8");
	else
		channel->shared->on_message(channel, text, length, is_binary);
}

/* Most messages come in one piece and are used where they lie. */
static void end_message(struct channel *channel, const struct piece_heard *piece, int64_t now_us)
{
	char *partial;
	size_t length;

	channel->fragments = 0;
	if (!channel->partial) {
		take_message(channel, piece->length ? piece->bytes : "", piece->length,
			     piece->is_binary, now_us);
		return;
	}
	keep_piece(channel, piece);
	partial = channel->partial;
	length = channel->partial_length;
	channel->partial = NULL;
	drop_partial(channel);
	take_message(channel, partial, length, piece->is_binary, now_us);
	free(partial);
}

void channel_hear(struct channel *channel, const struct piece_heard *piece, int64_t now_us)
{
	channel->heard_us = now_us;
	if (channel->state == CHANNEL_CLOSING)
		return;
	if (is_too_big(channel, piece))
		channel_close(channel, CLOSE_TOO_BIG, "message above 16 kB");
	else if (piece->remaining == 0 && ++channel->fragments > FRAGMENTS_MAX)
		channel_close(channel, CLOSE_TOO_BIG, "too many fragments");
	else if (piece->is_final && piece->remaining == 0)
		end_message(channel, piece, now_us);
	else
		keep_piece(channel, piece);
}

void channel_hear_pong(struct channel *channel, int64_t now_us)
{
	channel->heard_us = now_us;
	if (channel->pings_unanswered > 0)
		channel->pings_unanswered--;
	else if (channel->state != CHANNEL_CLOSING && !take_token(channel, now_us))
		channel_close(channel, CLOSE_RATE, "too many messages");
}
