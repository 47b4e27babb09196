#include "ws/frame.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_writer.h"

struct frame *frame_copy(const char *text, size_t length)
{
	struct frame *frame = xmalloc(sizeof(*frame) + FRAME_RESERVE + length);

	frame->refs = 1;
	frame->length = (uint32_t)length;
	memcpy(frame_text(frame), text, length);
	return frame;
}

struct frame *frame_make(const struct json_writer *writer)
{
	return frame_copy(jw_start(writer), writer->length);
}

struct frame *frame_ref(struct frame *frame)
{
	frame->refs++;
	return frame;
}

void frame_unref(struct frame *frame)
{
	if (--frame->refs == 0)
		free(frame);
}
