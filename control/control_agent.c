/* The agent himself: what he is, and what he wants to be. */
#include "control/control_priv.h"

#include "base/log.h"

/* The one door to an agent's view: what it counts is asked for in every turn of the loop. */
static void take(struct control *control, struct agent_slot *agent, const struct agent_view *next,
		 bool is_changed)
{
	control->ready_count -= agent->view.state == AGENT_READY;
	control->ready_count += next->state == AGENT_READY;
	agent->view = *next;
	if (!is_changed)
		return;
	log_info("agent", "agent=%s state=%s next=%s", agent->setup.login,
		 agent_state_word(agent->view.state), agent_state_word(agent->view.next_state));
	control_record_agent(control, agent);
	control_keep_audio(control, agent);
	control_offer_soon(control);
}

void control_agent_event(struct control *control, struct agent_slot *agent,
			 enum agent_event_kind kind)
{
	struct agent_event event = {.kind = kind, .at_ms = control_now_ms(control)};
	bool is_changed = false;
	struct agent_view next;

	if (agent_step(&agent->view, &event, &next, &is_changed, NULL) == ST_OK)
		take(control, agent, &next, is_changed);
}

/* What is on offer goes back: "skip/NotReady -> idle(Reject)", "release() or NotReady -> Deflect".
 */
static void withdraw_offers(struct control *control, struct agent_slot *agent,
			    const struct command *command)
{
	struct call_event event = control_event(control, EV_NOT_READY, ACTOR_AGENT, command);

	for (int i = 1; i <= TAB_MAX; i++) {
		struct live_call *call = control_current(agent, i);

		if (call && call_rule_find(&call->call, EV_NOT_READY))
			control_apply(control, call, &event, NULL, NULL);
	}
}

enum status control_set_agent_state(struct control *control, struct agent_slot *agent,
				    enum agent_state state, const char *reason,
				    const struct command *command, struct err *err)
{
	bool is_sign_out = state == AGENT_LOGGED_OUT && command->actor == ACTOR_API;
	struct agent_event event = {.kind = is_sign_out ? AGENT_EV_ABSENT : AGENT_EV_SET,
				    .at_ms = control_now_ms(control),
				    .state = state,
				    .reason = reason,
				    .is_on_call = control_is_live(agent)};
	bool is_changed = false;
	struct agent_view next;
	enum status status = agent_step(&agent->view, &event, &next, &is_changed, err);

	if (status != ST_OK)
		return status;
	if (state != AGENT_READY)
		withdraw_offers(control, agent, command);
	/* what was offered does not make him wait for its end */
	event.is_on_call = control_is_live(agent);
	status = agent_step(&agent->view, &event, &next, &is_changed, err);
	if (status == ST_OK)
		take(control, agent, &next, is_changed);
	return status;
}

void control_agent_present(struct control *control, const struct uuid *agent_id, bool is_present)
{
	struct agent_slot *agent = control_find_agent(control, agent_id);

	if (!agent)
		return;
	if (is_present)
		agent->pages++;
	else if (agent->pages && --agent->pages == 0)
		control_audio_left(control, agent);
	if (is_present) {
		timer_stop(control->timers, &agent->left_timer);
		control_agent_event(control, agent, AGENT_EV_PRESENT);
		control_keep_audio(control, agent);
	}
	control_offer_soon(control);
}
