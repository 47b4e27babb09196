#pragma once
/* One message on its way out, in one piece of memory that any number of tabs share: a notification
 * is written once, however many windows look at the tab. Counted, because a slow window holds on to
 * it longer than a fast one. One thread only. */
#include <stddef.h>
#include <stdint.h>

struct json_writer;

#define FRAME_RESERVE 16 /* bytes in front of the text that belong to the socket library */

struct frame {
	unsigned refs;
	uint32_t length;
	char bytes[]; /* FRAME_RESERVE, then the text */
};

/* A copy of what the writer holds; the caller has the first reference. */
struct frame *frame_make(const struct json_writer *writer);
/* A copy of a text. */
struct frame *frame_copy(const char *text, size_t length);
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);

static inline char *frame_text(struct frame *frame)
{
	return frame->bytes + FRAME_RESERVE;
}
