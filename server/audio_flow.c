#include "server/audio_flow.h"

#include <string.h>

#include "base/str.h"

bool audio_pace_step(struct audio_pace *pace, int64_t now_us)
{
	if (pace->due_us < now_us - AUDIO_LATE_US)
		pace->due_us = now_us - AUDIO_LATE_US;
	if (pace->due_us > now_us)
		return false;
	pace->due_us += AUDIO_FRAME_US;
	return true;
}

void audio_queue_put(struct audio_queue *queue, const char frame[AUDIO_FRAME])
{
	if (queue->count == AUDIO_WAITING) {
		queue->first = (queue->first + 1) % AUDIO_WAITING;
		queue->count--;
		queue->dropped++;
	}
	memcpy(queue->frames[(queue->first + queue->count++) % AUDIO_WAITING], frame, AUDIO_FRAME);
}

bool audio_queue_take(struct audio_queue *queue, char ret[AUDIO_FRAME])
{
	if (!queue->count)
		return false;
	memcpy(ret, queue->frames[queue->first], AUDIO_FRAME);
	queue->first = (queue->first + 1) % AUDIO_WAITING;
	queue->count--;
	return true;
}

enum audio_heard audio_parts_add(struct audio_parts *parts, const char *bytes, size_t length,
				 bool is_end)
{
	if (parts->length == AUDIO_FRAME)
		parts->length = 0;
	if (length > AUDIO_FRAME - parts->length)
		return AUDIO_BAD;
	memcpy(parts->bytes + parts->length, bytes, length);
	parts->length += length;
	if (!is_end)
		return parts->length < AUDIO_FRAME ? AUDIO_MORE : AUDIO_BAD;
	return parts->length == AUDIO_FRAME ? AUDIO_WHOLE : AUDIO_BAD;
}

static void read_item(const char *item, size_t length, struct audio_asked *ret)
{
	static const char ticket[] = "ticket.", window[] = "window.", take[] = "take";
	const size_t prefix = sizeof ticket - 1;

	if (length == sizeof take - 1 && memcmp(item, take, length) == 0) {
		ret->is_take = true;
	} else if (length > prefix && memcmp(item, ticket, prefix) == 0) {
		ret->ticket = item + prefix;
		ret->ticket_length = length - prefix;
	} else if (length > prefix && memcmp(item, window, prefix) == 0 &&
		   length - prefix < sizeof ret->window) {
		str_format(ret->window, sizeof ret->window, "%.*s", (int)(length - prefix),
			   item + prefix);
	}
}

void audio_asked_read(const char *list, struct audio_asked *ret)
{
	*ret = (struct audio_asked){.ticket = NULL};
	while (*list) {
		size_t length = strcspn(list, ", \t");
		read_item(list, length, ret);
		list += length;
		list += strspn(list, ", \t");
	}
}
