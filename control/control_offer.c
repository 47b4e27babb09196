/* Waiting callers, and whom they are offered to: the agent whose own number was dialed, else the
 * one who has been ready longest. Every cross-agent decision is made here and nowhere else
 * (docs/architecture.md, "Growing"). */
#include "control/control_priv.h"

#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/str.h"

void control_caller_waits(struct control *control, struct live_call *call)
{
	struct call_event event = control_event(control, EV_ENQUEUE, ACTOR_SWITCH, NULL);

	if (call->queue) {
		struct call_view *view = &call->call.view;

		str_copy_cut(view->queue, sizeof(view->queue), call->queue->setup.name);
		str_copy_cut(view->queue_number, sizeof(view->queue_number),
			     call->queue->setup.number);
		str_copy_cut(view->script_url, sizeof(view->script_url),
			     call->queue->setup.script_url);
		if (call->queue->setup.wrap_s)
			call->call.policy.wrap_ms = call->queue->setup.wrap_s * 1000LL;
	}
	DL_APPEND2(control->waiting, call, prev_waiting, next_waiting);
	call->is_waiting = true;
	call->waiting_since_ms = control_now_ms(control);
	control->waiting_count++;
	control_apply(control, call, &event, NULL, NULL);
}

void control_offer_soon(struct control *control)
{
	control->is_offer_due = true;
	if (!control->is_polling && control->inbox.wake)
		control->inbox.wake(control->inbox.user);
}

void control_caller_gone(struct control *control, struct live_call *call)
{
	if (!call->is_waiting)
		return;
	DL_DELETE2(control->waiting, call, prev_waiting, next_waiting);
	call->is_waiting = false;
	control->waiting_count--;
}

/* An agent is offered a call when he is ready, has no call on any tab, and somebody looks at his
 * page. */
static bool may_take(const struct agent_slot *agent)
{
	return agent->pages && agent_is_available(&agent->view, control_is_engaged(agent));
}

/* Who gave the caller back is asked again only when nobody else can take him. */
static struct agent_slot *choose(struct control *control, const struct live_call *call)
{
	struct agent_slot *agent, *next, *best = NULL, *excluded = NULL;

	if (call->wanted)
		return may_take(call->wanted) ? call->wanted : NULL;
	HASH_ITER(by_id, control->agents, agent, next) {
		if (!may_take(agent))
			continue;
		if (uuid_equal(&agent->setup.agent_id, &call->excluded_agent))
			excluded = agent;
		else if (!best || agent->view.state_at_ms < best->view.state_at_ms)
			best = agent;
	}
	return best ? best : excluded;
}

static void offer(struct control *control, struct live_call *call, struct agent_slot *agent)
{
	struct call_event event = control_event(control, EV_OFFER, ACTOR_DIALER, NULL);
	struct call_view *view = &call->call.view;

	call->agent = agent;
	event.agent_id = agent->setup.agent_id;
	event.tab = control_free_tab(agent);
	str_copy_cut(view->extension, sizeof(view->extension), agent->setup.extension);
	str_copy_cut(view->cc_agent_id, sizeof(view->cc_agent_id), agent->setup.cc_agent_id);
	control_apply(control, call, &event, NULL, NULL);
}

void control_offer_waiting(struct control *control)
{
	struct live_call *call, *next;
	bool is_somebody_free = true;

	control->is_offer_due = false;
	/* nobody would be told of it, or could answer it */
	if (control->is_degraded || !control->is_linked)
		return;
	DL_FOREACH_SAFE2(control->waiting, call, next, next_waiting) {
		struct agent_slot *agent;

		/* when nobody can take one caller of a queue, nobody can take the next */
		if (!call->wanted && !is_somebody_free)
			continue;
		agent = choose(control, call);
		if (agent)
			offer(control, call, agent);
		else if (!call->wanted)
			is_somebody_free = false;
	}
}

/* What an attempt that was talked is worth stays with the row; the caller himself counts once. */
static struct dialer_counters given_back(const struct call *old)
{
	struct dialer_counters counters = old->view.counters;

	counters.calls = old->base.calls;
	return counters;
}

/* The caller lives on in a new presentation; the one that was given back keeps its tab until its
 * wrap is over. */
static void wait_again(struct control *control, struct live_call *old)
{
	struct live_call *call = control_call_create(control, NULL, DIR_INBOUND, NULL, 0);
	struct call_view *view = &call->call.view;
	char line[TEL_ID_SIZE];

	view->dialer_call_id = old->call.view.dialer_call_id;
	view->phone_call_id = old->call.view.phone_call_id;
	str_copy_cut(view->phone, sizeof(view->phone), old->call.view.phone);
	str_copy_cut(view->dnis, sizeof(view->dnis), old->call.view.dnis);
	view->from = old->call.view.from;
	call->call.base = given_back(&old->call);
	call->queue = old->queue;
	call->excluded_agent = old->call.view.agent_id;
	str_copy_cut(line, sizeof(line), old->line);
	str_copy_cut(call->leg, sizeof(call->leg), old->leg);
	/* it was the agent's wish; the next one has his own */
	if (telephony_record_stop(control->telephony, line, NULL) != ST_OK)
		log_warn("a recording could not be ended", "line=%s", line);
	control_set_line(control, old, "");
	control_set_line(control, call, line);
	old->call.is_detached = true;
	control_leave_dialer_index(control, old);
	control_caller_waits(control, call);
}

void control_give_back(struct control *control, struct live_call *call)
{
	struct agent_slot *agent = call->agent;
	bool has_rung_out = !strcmp(call->call.view.reason, "rang_out");

	if (call->queue && call->line[0]) {
		wait_again(control, call);
	} else if (call->line[0] &&
		   telephony_clear(control->telephony, call->line, Q850_BUSY, NULL) != ST_OK) {
		control_sweep_lines(control);
	}
	if (has_rung_out && agent)
		control_agent_event(control, agent, AGENT_EV_MISSED);
}
