/* What control tells: written once, sent to every window that looks at it. */
#include <utlist.h>

#include "base/fault.h"
#include "ws/frame.h"
#include "ws/hub_priv.h"

/* tab 0 = to all windows of the agent */
static void send_to_agent(struct hub *hub, const struct uuid *agent_id, int tab,
			  struct frame *frame)
{
	struct channel *channel = audience_find(hub->audience, agent_id), *next;

	DL_FOREACH_SAFE2(channel, channel, next, agent_next) {
		if (tab != 0 && channel->tab != tab)
			continue;
		hub->figures.messages_out++;
		channel_send(channel, frame);
	}
}

/* Who is behind gets it in its turn. */
static void send_event(struct hub *hub, struct channel *channels, int tab, char *text,
		       size_t length)
{
	struct channel *channel, *next;

	DL_FOREACH_SAFE2(channels, channel, next, agent_next) {
		if (channel->tab != tab || channel->is_behind)
			continue;
		hub->figures.messages_out++;
		channel_send_text(channel, text, length);
	}
}

/* With ten thousand tabs an event waits longest for memory that has not been touched for a while:
 * all of it is asked for first and comes while the event is written. */
static void on_call(void *user, enum tell_kind kind, const struct call_view *call, uint64_t epoch,
		    uint64_t seq)
{
	struct hub *hub = user;
	struct channel *channels;
	int64_t now_us = hub_now_us(hub);
	size_t length;
	char *text;

	recent_expect(hub->recent, &call->agent_id, call->tab);
	channels = audience_find(hub->audience, &call->agent_id);
	if (channels && hub->shared.wire->expect)
		hub->shared.wire->expect(channels->wire);
	text = recent_begin(hub->recent, now_us);
	length = protocol_put_call_event(text, kind, call, epoch, seq);
	recent_commit(hub->recent, &call->agent_id, call->tab, epoch, seq, length, now_us);
	if (PLANTED(24) && seq % 16 == 0 && hub->channels)
		channels = audience_find(hub->audience, &hub->channels->agent_id);
	FAILPOINT("ws.event");
	send_event(hub, channels, call->tab, text, length);
	FAILPOINT("ws.event_sent");
}

/* Written again it is the same text: nothing in it depends on the moment. */
static void on_past(void *user, enum tell_kind kind, const struct call_view *call, uint64_t epoch,
		    uint64_t seq, int64_t age_ms)
{
	struct hub *hub = user;
	int64_t now_us = hub_now_us(hub);
	char *text = recent_begin(hub->recent, now_us);
	size_t length = protocol_put_call_event(text, kind, call, epoch, seq);

	recent_commit(hub->recent, &call->agent_id, call->tab, epoch, seq, length,
		      now_us - age_ms * 1000);
}

static void on_agent(void *user, const struct agent_view *agent, uint64_t epoch)
{
	struct hub *hub = user;
	struct frame *frame;

	if (!audience_find(hub->audience, &agent->agent_id))
		return;
	protocol_write_agent_event(&hub->writer, agent, epoch);
	frame = hub_frame(hub);
	send_to_agent(hub, &agent->agent_id, 0, frame);
	frame_unref(frame);
}

static void on_tabs(void *user, const struct uuid *agent_id)
{
	struct hub *hub = user;
	struct frame *frame;
	int tabs[TAB_MAX];

	if (!audience_find(hub->audience, agent_id))
		return;
	protocol_write_tabs_event(&hub->writer, tabs, control_tabs(hub->control, agent_id, tabs));
	frame = hub_frame(hub);
	send_to_agent(hub, agent_id, 0, frame);
	frame_unref(frame);
}

static void on_notice(void *user, const struct uuid *agent_id, const char *code,
		      const char *message)
{
	struct hub *hub = user;
	struct frame *frame;

	protocol_write_notice(&hub->writer, code, message);
	frame = hub_frame(hub);
	if (agent_id && !uuid_is_nil(agent_id))
		send_to_agent(hub, agent_id, 0, frame);
	else
		hub_broadcast(hub, frame);
	frame_unref(frame);
}

void hub_listen(struct hub *hub)
{
	const struct control_listener listener = {
		.on_call = on_call,
		.on_past = on_past,
		.on_agent = on_agent,
		.on_tabs = on_tabs,
		.on_notice = on_notice,
		.user = hub,
	};

	control_listen(hub->control, &listener);
}
