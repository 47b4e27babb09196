#include "ws/frame.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_writer.h"

struct frame *frame_make(const struct json_writer *writer)
{
	struct frame *frame = xmalloc(sizeof(*frame) + FRAME_RESERVE + writer->length);

	frame->refs = 1;
	frame->length = (uint32_t)writer->length;
	memcpy(frame_text(frame), jw_start(writer), writer->length);
	return frame;
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
