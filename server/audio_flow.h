#pragma once
/* How audio flows between a page and the switch: nobody looks into it, nothing of it grows. Sound
 * that comes late is worth less than no sound, so what cannot go on now is dropped. Pure: time
 * comes in, in microseconds. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIO_FRAME    640 /* bytes: 20 ms of 16 kHz, 16 bit */
#define AUDIO_FRAME_US 20000
#define AUDIO_LATE_US  200000 /* after a pause as much may come at once */
#define AUDIO_WAITING  10     /* frames that may wait */

/* No more than real time: the switch plays 50 frames a second, and what is more would be heard
 * later and later. */
struct audio_pace {
	int64_t due_us;
};
/* May this frame go on? */
bool audio_pace_step(struct audio_pace *pace, int64_t now_us);

/* Frames that wait for their socket; the oldest gives way. */
struct audio_queue {
	unsigned first, count;
	uint64_t dropped;
	char frames[AUDIO_WAITING][AUDIO_FRAME];
};
void audio_queue_put(struct audio_queue *queue, const char frame[AUDIO_FRAME]);
/* The oldest, copied; false: none waits. */
bool audio_queue_take(struct audio_queue *queue, char ret[AUDIO_FRAME]);

/* Frames out of pieces of messages. */
struct audio_parts {
	size_t length;
	char bytes[AUDIO_FRAME];
};
enum audio_heard { AUDIO_MORE, AUDIO_WHOLE, AUDIO_BAD };
/* is_end: the last piece of its message. WHOLE: a frame is in parts->bytes until the next call.
 * BAD: no message is longer or shorter than a frame. */
enum audio_heard audio_parts_add(struct audio_parts *parts, const char *bytes, size_t length,
				 bool is_end);

/* What a page says in its list of sub-protocols, besides calltab.audio.v1. */
struct audio_asked {
	const char *ticket; /* in the list; NULL = none */
	size_t ticket_length;
	char window[17]; /* "" = none, or not fit to be one */
	bool is_take;
};
void audio_asked_read(const char *list, struct audio_asked *ret);
