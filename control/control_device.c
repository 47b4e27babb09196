/* The hold key of an agent's telephone. It is his hold as if he had asked for it in the tab: the
 * customer hears music, the tab says so, and taking the telephone off hold resumes. While it is on
 * hold he would hear nobody, so nothing that needs his ear is begun. */
#include "control/control_priv.h"

static struct live_call *find_call(struct control *control, const struct uuid *call_id)
{
	struct live_call *call;

	HASH_FIND(by_id, control->calls, call_id, sizeof(*call_id), call);
	return call;
}

enum status control_check_device(const struct agent_slot *agent, struct err *err)
{
	if (!agent->is_device_held)
		return ST_OK;
	return err_set(err, ST_CONFLICT, "agent.telephone_on_hold", "tab",
		       "the telephone itself is on hold: take it off hold there first");
}

static void hold(struct control *control, struct agent_slot *agent)
{
	struct live_call *call = control_active_call(agent, NULL);
	struct call_event event = control_event(control, EV_HOLD, ACTOR_AGENT, NULL);

	/* three who talk are not held: the two others go on */
	if (!call || !call_rule_find(&call->call, EV_HOLD))
		return;
	event.reason = "telephone_hold";
	if (control_apply(control, call, &event, NULL, NULL) == ST_OK)
		agent->device_held = call->call.view.call_id;
}

static void resume(struct control *control, struct agent_slot *agent)
{
	struct live_call *call = find_call(control, &agent->device_held);
	struct call_event event = control_event(control, EV_RESUME, ACTOR_AGENT, NULL);

	agent->device_held = (struct uuid){0};
	if (!call || call->agent != agent || !call_rule_find(&call->call, EV_RESUME) ||
	    control_active_call(agent, call))
		return;
	event.reason = "telephone_resume";
	control_apply(control, call, &event, NULL, NULL);
}

void control_device_held(struct control *control, struct agent_slot *agent, bool on)
{
	if (agent->is_device_held == on)
		return;
	agent->is_device_held = on;
	if (on)
		hold(control, agent);
	else
		resume(control, agent);
	control_refresh(control, agent);
}

void control_device_gone(struct control *control, struct agent_slot *agent)
{
	agent->device_held = (struct uuid){0};
	if (!agent->is_device_held)
		return;
	agent->is_device_held = false;
	control_refresh(control, agent);
}
