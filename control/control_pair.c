/* Commands on two calls of one agent: consult, complete, conference, and resuming one while another
 * is active. */
#include "control/control_priv.h"

#include "base/str.h"
#include "calls/pair.h"

static void set_partner(struct live_call *a, struct live_call *b)
{
	a->call.view.partner_tab = b ? b->call.view.tab : 0;
	if (b)
		b->call.view.partner_tab = a->call.view.tab;
}

static struct live_call *partner_of(const struct live_call *call)
{
	int tab = call->call.view.partner_tab;

	return tab && call->agent ? control_current(call->agent, tab) : NULL;
}

/* This call has gone idle: a conference of two is none, a consultation's other side is alone again.
 */
void control_partner_after(struct control *control, struct live_call *call)
{
	struct call_event event = control_event(control, EV_PARTNER_GONE, ACTOR_SWITCH, NULL);

	for (int i = 1; call->agent && i <= TAB_MAX; i++) {
		struct live_call *other = control_current(call->agent, i);

		if (!other || other == call || other->call.view.partner_tab != call->call.view.tab)
			continue;
		other->call.view.partner_tab = 0;
		other->conference_id = (struct uuid){0};
		if (other->call.view.state == CALL_CONFERENCE)
			control_queue_event(control, other, &event);
	}
}

/* Only one call of an agent has his audio: the one that has it is held first. */
static enum status hold_active(struct control *control, struct live_call *except,
			       const struct command *command, struct live_call **ret_held,
			       struct err *err)
{
	struct live_call *active = control_active_call(except->agent, except);
	struct call_event event = control_event(control, EV_HOLD, ACTOR_AGENT, command);
	enum status status = control_check_device(except->agent, err);

	*ret_held = NULL;
	if (status != ST_OK || !active)
		return status;
	if (!call_rule_find(&active->call, EV_HOLD))
		return err_set(err, ST_CONFLICT, "agent.on_call", "tab",
			       "tab %d is busy and cannot be held now", active->call.view.tab);
	status = control_apply(control, active, &event, NULL, err);
	if (status == ST_OK)
		*ret_held = active;
	return status;
}

/* What was held for a command that then failed. */
static void take_back(struct control *control, struct live_call *held,
		      const struct command *command)
{
	struct call_event event = control_event(control, EV_RESUME, ACTOR_AGENT, command);

	if (held && call_rule_find(&held->call, EV_RESUME))
		control_apply(control, held, &event, NULL, NULL);
}

enum status control_resume(struct control *control, struct live_call *call,
			   const struct command *command, struct err *err)
{
	struct call_event event = control_event(control, EV_RESUME, ACTOR_AGENT, command);
	struct live_call *held = NULL;
	enum status status = ST_OK;

	if (call_rule_find(&call->call, EV_RESUME))
		status = hold_active(control, call, command, &held, err);
	if (status == ST_OK)
		status = control_apply(control, call, &event, NULL, err);
	if (status != ST_OK)
		take_back(control, held, command);
	return status;
}

static enum status dial_consult(struct control *control, struct live_call *customer,
				const char *number, int tab, const struct command *command,
				struct reply *reply, struct err *err)
{
	struct live_call *call =
		control_call_create(control, &command->call_id, DIR_TRANSFER, customer->agent, tab);
	struct call_event event = control_event(control, EV_CONSULT_DIAL, ACTOR_AGENT, command);
	int former_partner = customer->call.view.partner_tab;
	enum status status;

	str_copy_cut(call->call.view.phone, sizeof(call->call.view.phone), number);
	set_partner(call, customer);
	status = control_apply(control, call, &event, NULL, err);
	if (status != ST_OK) {
		customer->call.view.partner_tab = former_partner;
		control_call_destroy(control, call);
		return status;
	}
	reply->call_id = call->call.view.call_id;
	reply->dialer_call_id = call->call.view.dialer_call_id;
	reply->tab = tab;
	return ST_OK;
}

static enum status check_consult(const struct control *control, const struct live_call *customer,
				 const struct command *command, int tab, char number[NUMBER_SIZE],
				 struct err *err)
{
	enum status status = control_parse_number(control, command->number, number, err);

	if (status != ST_OK || !call_rule_find(&customer->call, EV_CONSULT))
		return status;
	if (!tab)
		return err_set(err, ST_CONFLICT, "agent.no_free_tab", "tab",
			       "all %d tabs have a call", TAB_MAX);
	status = control_check_begin(control, err);
	return status == ST_OK ? control_check_room(control, err) : status;
}

enum status control_consult(struct control *control, struct live_call *customer,
			    const struct command *command, struct reply *reply, struct err *err)
{
	struct call_event consult = control_event(control, EV_CONSULT, ACTOR_AGENT, command);
	bool was_active = call_state_is_active(customer->call.view.state);
	int tab = control_free_tab(customer->agent);
	struct live_call *held = NULL;
	char number[NUMBER_SIZE];
	enum status status = check_consult(control, customer, command, tab, number, err);

	if (status == ST_OK && call_rule_find(&customer->call, EV_CONSULT))
		status = hold_active(control, customer, command, &held, err);
	if (status == ST_OK)
		status = control_apply(control, customer, &consult, NULL, err);
	if (status == ST_OK) {
		status = dial_consult(control, customer, number, tab, command, reply, err);
		if (status != ST_OK && was_active)
			take_back(control, customer, command);
	}
	if (status != ST_OK)
		take_back(control, held, command);
	return status;
}

static enum status pair_up(struct control *control, struct live_call *active,
			   struct live_call *held, const struct command *command, struct err *err)
{
	bool is_transfer = command->kind == CMD_TRANSFER_COMPLETE;
	struct call_event first = control_event(control, is_transfer ? EV_COMPLETE : EV_CONFERENCE,
						ACTOR_AGENT, command);
	struct call_event second = control_event(
		control, is_transfer ? EV_COMPLETED : EV_CONFERENCED, ACTOR_AGENT, command);
	struct effect_args args = {.partner = held};
	int active_partner = active->call.view.partner_tab,
	    held_partner = held->call.view.partner_tab;
	enum status status;

	/* partners before the step, so that both tabs say so in the same event */
	if (!is_transfer)
		set_partner(active, held);
	second.on =
		active->call.view.is_muted; /* the agent's voice is muted for both, or for none */
	if (!is_transfer) {
		active->conference_id = held->call.view.call_id;
		held->conference_id = active->call.view.call_id;
	}
	status = control_apply(control, active, &first, &args, err);
	if (status == ST_OK)
		return control_apply(control, held, &second, NULL, err);
	active->conference_id = held->conference_id = (struct uuid){0};
	active->call.view.partner_tab = active_partner;
	held->call.view.partner_tab = held_partner;
	return status;
}

enum status control_pair_up(struct control *control, struct agent_slot *agent,
			    const struct command *command, struct reply *reply, struct err *err)
{
	const char *method =
		command->kind == CMD_TRANSFER_COMPLETE ? "transferComplete" : "conference";
	struct live_call *active = control_current(agent, command->tab), *held;
	int other = command->other_tab;
	enum status status;

	if (other < 1 || other > TAB_MAX)
		return err_set(err, ST_INVALID, "tab.invalid", "callTab", "tabs are 1 to %d",
			       TAB_MAX);
	held = control_current(agent, other);
	status = pair_check(method, active ? &active->call : NULL, command->tab,
			    held ? &held->call : NULL, other, err);
	if (status != ST_OK)
		return status;
	reply->call_id = active->call.view.call_id;
	reply->dialer_call_id = active->call.view.dialer_call_id;
	return pair_up(control, active, held, command, err);
}

enum status control_cancel_consult(struct control *control, struct live_call *call,
				   const struct command *command, struct err *err)
{
	struct call_event event = control_event(control, EV_CANCEL_CONSULT, ACTOR_AGENT, command);
	struct call_event back = control_event(control, EV_RESUME, ACTOR_AGENT, command);
	struct live_call *consult = call->call.is_consult ? call : partner_of(call);
	struct live_call *customer = consult == call ? partner_of(call) : call;
	enum status status;

	if (!consult || !consult->call.is_consult)
		consult = call; /* the rules name what is missing */
	status = control_apply(control, consult, &event, NULL, err);
	if (status == ST_OK && customer && !customer->agent->is_device_held &&
	    call_rule_find(&customer->call, EV_RESUME))
		control_apply(control, customer, &back, NULL, NULL);
	return status;
}

/* In a conference he is muted for both. */
void control_mute_partner(struct control *control, struct live_call *call,
			  const struct call_event *event)
{
	struct live_call *partner = partner_of(call);
	struct effect_args args = {.on = event->on};

	if (call->call.view.state == CALL_CONFERENCE && partner &&
	    partner->call.view.state == CALL_CONFERENCE)
		control_apply(control, partner, event, &args, NULL);
}

enum status control_leave(struct control *control, struct live_call *call,
			  const struct command *command, struct err *err)
{
	struct call_event event = control_event(control, EV_LEAVE, ACTOR_AGENT, command);
	struct call_event other = control_event(control, EV_PARTNER_LEFT, ACTOR_AGENT, command);
	struct live_call *partner = partner_of(call);
	enum status status = control_apply(control, call, &event, NULL, err);

	if (status == ST_OK && partner)
		control_apply(control, partner, &other, NULL, NULL);
	return status;
}
