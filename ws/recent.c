#include "ws/recent.h"

#include <string.h>

#include "base/cleanup.h"
#include "ws/frame.h"

struct event {
	struct uuid agent_id;
	int tab;
	uint64_t epoch, seq;
	int64_t at_us;
	struct frame *frame;
};

struct recent {		      /* a ring */
	struct event *events; /* made with the first one */
	unsigned first, count;
	size_t bytes;
};

struct recent *recent_create(void)
{
	return xcalloc(1, sizeof(struct recent));
}

static void forget_first(struct recent *recent)
{
	struct event *event = &recent->events[recent->first];

	recent->bytes -= event->frame->length;
	frame_unref(event->frame);
	recent->first = (recent->first + 1) % RECENT_EVENTS;
	recent->count--;
}

void recent_destroy(struct recent *recent)
{
	if (!recent)
		return;
	while (recent->count > 0)
		forget_first(recent);
	free(recent->events);
	free(recent);
}

void recent_forget_old(struct recent *recent, int64_t now_us)
{
	while (recent->count > 0 && recent->events[recent->first].at_us <= now_us - RECENT_AGE_US)
		forget_first(recent);
}

void recent_put(struct recent *recent, const struct uuid *agent_id, int tab, uint64_t epoch,
		uint64_t seq, struct frame *frame, int64_t now_us)
{
	if (!recent->events)
		recent->events = xcalloc(RECENT_EVENTS, sizeof(struct event));
	if (recent->count == RECENT_EVENTS)
		forget_first(recent);
	recent->events[(recent->first + recent->count) % RECENT_EVENTS] = (struct event){
		.agent_id = *agent_id,
		.tab = tab,
		.epoch = epoch,
		.seq = seq,
		.at_us = now_us,
		.frame = frame_ref(frame),
	};
	recent->count++;
	recent->bytes += frame->length;
	while (recent->bytes > RECENT_BYTES)
		forget_first(recent);
	recent_forget_old(recent, now_us);
}

static bool is_of(const struct event *event, const struct uuid *agent_id, int tab, uint64_t epoch)
{
	return event->tab == tab && event->epoch == epoch && uuid_equal(&event->agent_id, agent_id);
}

bool recent_missed(const struct recent *recent, const struct uuid *agent_id, int tab,
		   uint64_t epoch, uint64_t after, uint64_t last, struct frame *ret[RECENT_MISSED],
		   unsigned *ret_count)
{
	uint64_t wanted = last;

	if (last - after > RECENT_MISSED) /* also when it is from the future */
		return false;
	/* From the newest backwards: they are dense, so each must be the one before. */
	for (unsigned i = recent->count; i > 0 && wanted > after; i--) {
		const struct event *event =
			&recent->events[(recent->first + i - 1) % RECENT_EVENTS];
		if (is_of(event, agent_id, tab, epoch) && event->seq == wanted)
			ret[--wanted - after] = event->frame;
	}
	*ret_count = (unsigned)(last - after);
	return wanted == after;
}

unsigned recent_count(const struct recent *recent)
{
	return recent->count;
}
