/* What control tells: written once, sent to every window that looks at it. */
#include <utlist.h>

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

static void on_call(void *user, enum tell_kind kind, const struct call_view *call, uint64_t epoch,
		    uint64_t seq)
{
	struct hub *hub = user;
	struct frame *frame;

	protocol_write_call_event(&hub->writer, kind, call, epoch, seq);
	frame = hub_frame(hub);
	recent_put(hub->recent, &call->agent_id, call->tab, epoch, seq, frame, hub_now_us(hub));
	send_to_agent(hub, &call->agent_id, call->tab, frame);
	frame_unref(frame);
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
		.on_agent = on_agent,
		.on_tabs = on_tabs,
		.on_notice = on_notice,
		.user = hub,
	};

	control_listen(hub->control, &listener);
}
