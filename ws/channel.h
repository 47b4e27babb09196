#pragma once
/* One connection of one tab: what waits to be sent, how much may wait, how fast messages may come,
 * and how it ends. It knows no library and no JSON; bytes go through struct wire_ops, which ws.c
 * fills for libwebsockets and the unit tests for themselves.
 *
 * A frame is written at once when nothing waits (half the cost of going through "tell me when
 * writable"), else it queues. The queue is bounded in frames and in bytes; who reads slower than
 * that is closed with 4008 and comes back for a snapshot. Events that were missed do not go through
 * the queue: a channel that is behind asks for them when it can take them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/timers.h"
#include "base/uuid.h"

struct frame;
struct hub;
struct channel;
struct pending;

enum close_code { /* docs/protocol.md */
		  CLOSE_GOING_AWAY = 1001,
		  CLOSE_BAD_TEXT = 1007,
		  CLOSE_POLICY = 1008,
		  CLOSE_TOO_BIG = 1009,
		  CLOSE_RESTART = 1012,
		  CLOSE_OVERLOAD = 1013,
		  CLOSE_SLOW = 4008,
		  CLOSE_NOT_SIGNED_IN = 4401,
		  CLOSE_NOT_ALLOWED = 4403,
		  CLOSE_REPLACED = 4409,
		  CLOSE_RATE = 4429,
};

enum wire_kind { WIRE_TEXT, WIRE_PING, WIRE_CLOSE };

struct wire_ops {
	/* Part of an earlier frame is still on its way: nothing may be sent until "writable". */
	bool (*is_choked)(void *wire);
	/* FRAME_RESERVE bytes in front of the payload may be overwritten. False: the connection is
	 * dead. */
	bool (*send)(void *wire, enum wire_kind kind, char *payload, size_t length);
	/* Optional: something is about to be sent there, so its memory may be fetched. */
	void (*expect)(const void *wire);
	void (*ask_writable)(void *wire); /* channel_on_writable() is called once, later */
	void (*kill)(
		void *wire); /* ends it without a word, not before this turn of the loop is over */
};

struct channel_limits {
	unsigned queue_messages, queue_bytes;
	unsigned rate_per_s, rate_burst;
};

struct channel_shared { /* the same for all of a hub */
	const struct wire_ops *wire;
	struct channel_limits limits;
	/* Called once, when it begins to close for whatever reason of ours; code 0 = the peer's or
	 * the wire's. */
	void (*on_closing)(struct channel *channel, unsigned code);
	/* It is behind, nothing else waits and the wire takes more: what is next? */
	void (*on_ready)(struct channel *channel);
	/* A whole message. text is valid during the call; a text message is UTF-8. */
	void (*on_message)(struct channel *channel, const char *text, size_t length,
			   bool is_binary);
	struct hub *hub;
};

enum channel_state {
	CHANNEL_OPEN, /* not attached */
	CHANNEL_ATTACHED,
	CHANNEL_CLOSING, /* nothing is sent or heard any more but the close itself */
};

struct channel {
	/* what every event needs, together */
	const struct channel_shared *shared;
	void *wire;
	struct channel *agent_next; /* of the agent's attached ones */
	enum channel_state state;
	int tab;
	unsigned queue_count;
	bool is_behind; /* its next event comes from on_ready(), live ones wait there */
	bool is_ping_due;
	bool is_close_sent;
	bool is_leaving; /* closed as soon as its commands are answered; hears no new ones */
	struct channel *agent_prev; /* NULL = not attached */
	struct uuid agent_id, session_id;
	char *client; /* NULL = none */
	/* going out */
	struct frame **queue; /* a ring, only there while something waits */
	unsigned queue_first;
	unsigned pings_unanswered; /* also those that could not be sent */
	size_t queue_bytes;
	uint64_t heard_epoch, heard_seq; /* while it is behind: the last event it has */
	/* coming in */
	char *partial;
	size_t partial_length, partial_capacity;
	unsigned fragments;
	unsigned pending_count;
	int64_t rate_us; /* when the bucket would be full again */
	int64_t heard_us;
	/* ending */
	uint16_t close_code;
	char close_reason[32];
	int64_t session_ends_us; /* monotonic; INT64_MAX = never */
	struct timer
		timer; /* not attached in time, session's end, or not closed in time: by state */
	struct channel *prev, *next; /* the hub's list of all */
	struct pending *pending;     /* commands that are not answered yet */
};

void channel_init(struct channel *channel, const struct channel_shared *shared, void *wire,
		  int64_t now_us);
/* Its wire is gone: forgets what waits. */
void channel_done(struct channel *channel);

/* Sends or queues; takes a reference of its own when it queues. Too much waiting closes the
 * channel. */
void channel_send(struct channel *channel, struct frame *frame);
/* The same with a text that is copied when it has to wait; FRAME_RESERVE bytes in front of it may
 * be overwritten. */
void channel_send_text(struct channel *channel, char *text, size_t length);
/* Nothing waits and the wire takes more. */
bool channel_is_ready(const struct channel *channel);
/* on_ready() is called again, in a later turn. */
void channel_ask_ready(struct channel *channel);
void channel_on_writable(struct channel *channel);
void channel_ping(struct channel *channel);
/* Begins to close: nothing else is sent any more. The code of the first call counts. */
void channel_close(struct channel *channel, unsigned code, const char *reason);
/* Ends it without a word: the wire failed, or nobody is there. */
void channel_kill(struct channel *channel);
/* The peer said close: as channel_close(), but the answer is the library's. */
void channel_leave(struct channel *channel);

struct piece_heard {
	const char *bytes;
	size_t length;
	uint64_t remaining; /* of the frame, still to come */
	bool is_final;	    /* in the last frame of its message */
	bool is_binary;
};
/* Puts messages together. One that is too big, in too many fragments, one too many in the time, or
 * not UTF-8 closes the channel instead. */
void channel_hear(struct channel *channel, const struct piece_heard *piece, int64_t now_us);
/* An answer to a ping; one that nobody asked for counts as a message. */
void channel_hear_pong(struct channel *channel, int64_t now_us);
