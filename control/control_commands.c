/* Commands of the doors: find what they are about, check what only control can know, turn them into
 * events. Each is answered once; a refused one has changed nothing. */
#include "control/control_priv.h"

#include <string.h>

#include "base/shed.h"
#include "base/str.h"
#include "calls/number.h"

/* Commands that are one event of the tab's call. */
static const enum call_event_kind plain_events[CMD_KIND_COUNT] = {
	[CMD_HOLD] = EV_HOLD,
	[CMD_TRANSFER_BLIND] = EV_TRANSFER,
	[CMD_ANSWER] = EV_ANSWER,
	[CMD_RELEASE] = EV_RELEASE,
	[CMD_REJECT] = EV_REJECT,
	[CMD_SKIP] = EV_SKIP,
	[CMD_PLAY] = EV_PLAY,
	[CMD_DTMF] = EV_DTMF,
	[CMD_MUTE] = EV_MUTE,
	[CMD_PAUSE_TIMER] = EV_PAUSE_TIMER,
	[CMD_RESUME_TIMER] = EV_RESUME_TIMER,
	[CMD_END_WRAP] = EV_END_WRAP,
	[CMD_RECORD_START] = EV_RECORD_START,
	[CMD_RECORD_STOP] = EV_RECORD_STOP,
	[CMD_RECORD_PAUSE] = EV_RECORD_PAUSE,
	[CMD_RECORD_RESUME] = EV_RECORD_RESUME,
};

static const struct call no_call; /* state CALL_NONE: what a tab without a call is */

/* The refusal that belongs to an event on a tab without a call. */
static enum status refuse_without_call(enum call_event_kind kind, struct err *err)
{
	struct call_event event = {.kind = kind};
	struct effects todo;
	struct call next;

	return call_step(&no_call, &event, &next, &todo, err);
}

static void name_call(const struct live_call *call, struct reply *reply)
{
	reply->call_id = call->call.view.call_id;
	reply->dialer_call_id = call->call.view.dialer_call_id;
	reply->tab = call->call.view.tab;
}

enum status control_check_begin(const struct control *control, struct err *err)
{
	if (control->is_degraded)
		return err_set(
			err, ST_UNAVAILABLE, "storage.away", "",
			"the database is away: no new call is begun; try again when it is back");
	if (!control->is_linked)
		return err_set(err, ST_UNAVAILABLE, "switch.away", "",
			       "the switch is away: try again when it is back");
	return ST_OK;
}

enum status control_check_room(const struct control *control, struct err *err)
{
	if (HASH_CNT(by_id, control->calls) >= control->config.max_calls)
		return err_set(err, ST_BUSY, "calls.limit", "", "too many calls are live");
	return ST_OK;
}

enum status control_check_audio(const struct agent_slot *agent, const struct live_call *except,
				struct err *err)
{
	const struct live_call *active = control_active_call(agent, except);

	if (agent->is_device_held)
		return control_check_device(agent, err);
	if (active)
		return err_set(err, ST_CONFLICT, "agent.on_call", "tab",
			       "tab %d has an active call: hold or release it first",
			       active->call.view.tab);
	return ST_OK;
}

static enum status check_new_call(const struct control *control, const struct agent_slot *agent,
				  struct err *err)
{
	enum status status = control_check_begin(control, err);

	if (status == ST_OK)
		status = control_check_room(control, err);
	return status == ST_OK ? control_check_audio(agent, NULL, err) : status;
}

/* "idle --agent moves on by hand--> end": the next dial on the tab ends the wrap of the last call.
 */
static void move_on(struct control *control, struct agent_slot *agent,
		    const struct command *command)
{
	struct live_call *last = control_current(agent, command->tab);
	struct call_event event = control_event(control, EV_END_WRAP, ACTOR_AGENT, command);

	if (last && call_state_is_over(last->call.view.state))
		control_apply(control, last, &event, NULL, NULL);
}

static struct live_call *create_dialed(struct control *control, struct agent_slot *agent,
				       const struct command *command, const char *number)
{
	enum call_direction direction =
		command->direction == DIR_CLICKTOCALL ? DIR_CLICKTOCALL : DIR_OUTBOUND;
	struct live_call *call =
		control_call_create(control, &command->call_id, direction, agent, command->tab);
	struct call_view *view = &call->call.view;

	str_copy_cut(view->phone, sizeof(view->phone), number);
	str_copy_cut(view->campaign, sizeof(view->campaign), command->subject);
	view->to = command->to;
	return call;
}

/* The switch is asked first: what it refuses must not have ended the wrap of the last call. */
static enum status dial_new(struct control *control, struct agent_slot *agent,
			    const struct command *command, struct reply *reply, struct err *err)
{
	struct call_event event = control_event(control, EV_DIAL, ACTOR_AGENT, command);
	const struct effect_args done = {.is_carried_out = true};
	char number[NUMBER_SIZE];
	struct live_call *call;
	enum status status = control_parse_number(control, command->number, number, err);

	if (status == ST_OK)
		status = check_new_call(control, agent, err);
	if (status != ST_OK)
		return status;
	call = create_dialed(control, agent, command, number);
	status = control_carry_out(control, call, FX_DIAL, NULL, err);
	if (status != ST_OK) {
		control_call_destroy(control, call);
		return status;
	}
	move_on(control, agent, command);
	name_call(call, reply);
	return control_apply(control, call, &event, &done, err);
}

/* Does a dial find a call on the tab that it goes on with: a preview, or one that refuses it? */
static bool is_dial_of_call(const struct live_call *call)
{
	return call && (!call_state_is_over(call->call.view.state) ||
			call->call.view.state == CALL_TRANSFERRING);
}

static enum status dial(struct control *control, struct agent_slot *agent,
			const struct command *command, struct reply *reply, struct err *err)
{
	struct live_call *call = control_current(agent, command->tab);
	struct call_event event = control_event(control, EV_DIAL, ACTOR_AGENT, command);
	enum status status = ST_OK;

	if (!is_dial_of_call(call))
		return dial_new(control, agent, command, reply, err);
	name_call(call, reply);
	if (call_rule_find(&call->call, EV_DIAL)) {
		status = control_check_begin(control, err);
		if (status == ST_OK)
			status = control_check_audio(agent, call, err);
	}
	if (status == ST_OK)
		status = control_apply(control, call, &event, NULL, err);
	return status;
}

static void fill_presented(struct live_call *call, const struct command *command,
			   const char *number)
{
	struct call_view *view = &call->call.view;

	if (!uuid_is_nil(&command->dialer_call_id))
		view->dialer_call_id = command->dialer_call_id;
	if (!uuid_is_nil(&command->phone_call_id))
		view->phone_call_id = command->phone_call_id;
	str_copy_cut(view->phone, sizeof(view->phone), number);
	str_copy_cut(view->campaign, sizeof(view->campaign), command->subject);
	view->to = command->to;
	view->is_callback = command->is_callback;
	call->call.base = command->counters;
	view->attempt = command->counters.calls + 1;
}

static enum status check_present(struct control *control, struct agent_slot *agent,
				 const struct command *command, struct err *err)
{
	struct live_call *live;

	HASH_FIND(by_dialer, control->calls_by_dialer, &command->dialer_call_id,
		  sizeof(command->dialer_call_id), live);
	if (live)
		return err_set(err, ST_CONFLICT, "call.live", "dialerCallId",
			       "this dialer call is on a tab now");
	if (agent->view.state == AGENT_LOGGED_OUT)
		return err_set(err, ST_CONFLICT, "agent.logged_out", "agent",
			       "the agent is logged out: nothing can be presented");
	if (control_is_live(agent))
		return err_set(err, ST_CONFLICT, "agent.on_call", "agent",
			       "the agent is on a call");
	return check_new_call(control, agent, err);
}

/* The place: the one asked for when it is free, else any. */
static enum status find_place(const struct agent_slot *agent, int wanted, int *ret_tab,
			      struct err *err)
{
	const struct live_call *there = wanted ? control_current(agent, wanted) : NULL;
	int tab = wanted ? wanted : control_free_tab(agent);

	if (there)
		return err_set(err, ST_CONFLICT, "tab.not_free", "tab", "tab %d has a call",
			       wanted);
	if (!tab)
		return err_set(err, ST_CONFLICT, "agent.no_free_tab", "agent",
			       "all %d tabs of the agent have a call", TAB_MAX);
	*ret_tab = tab;
	return ST_OK;
}

static enum status present(struct control *control, struct agent_slot *agent,
			   const struct command *command, struct reply *reply, struct err *err)
{
	struct call_event event = control_event(control, EV_PRESENT, ACTOR_DIALER, command);
	char number[NUMBER_SIZE];
	struct live_call *call;
	int tab = 0;
	enum status status = control_parse_number(control, command->number, number, err);

	if (status == ST_OK)
		status = check_present(control, agent, command, err);
	if (status == ST_OK)
		status = find_place(agent, command->tab, &tab, err);
	if (status != ST_OK)
		return status;
	call = control_call_create(
		control, &command->call_id,
		command->direction == DIR_OUTBOUND ? DIR_OUTBOUND : DIR_CCOUTBOUND, agent, tab);
	/* an index entry is by the row's key: set before the first step takes its place */
	fill_presented(call, command, number);
	status = control_apply(control, call, &event, NULL, err);
	if (status == ST_OK)
		name_call(call, reply);
	else
		control_call_destroy(control, call);
	return status;
}

static const struct outcome_setup *find_outcome(const struct control *control, const char *name)
{
	for (unsigned i = 0; i < control->outcome_count; i++)
		if (!strcmp(control->outcomes[i].name, name))
			return &control->outcomes[i];
	return NULL;
}

static enum status set_outcome(struct control *control, struct live_call *call,
			       const struct command *command, struct err *err)
{
	const struct outcome_setup *setup = find_outcome(control, command->outcome);
	bool is_callback = command->kind == CMD_SCHEDULE_CALLBACK;
	struct call_event event = control_event(control, is_callback ? EV_CALLBACK : EV_OUTCOME,
						ACTOR_AGENT, command);

	if (!setup && (command->outcome[0] || !is_callback))
		return err_set(err, ST_INVALID, "outcome.unknown", "outcome",
			       "no outcome of this name is configured");
	if (is_callback && command->retry_at_ms <= control_now_ms(control))
		return err_set(err, ST_INVALID, "callback.past", "at",
			       "a callback needs a time to come");
	if (setup)
		event.outcome = control_outcome(setup);
	else
		str_copy_cut(event.outcome.name, sizeof(event.outcome.name), "Callback");
	event.comment = command->comment;
	event.retry_at_ms = command->retry_at_ms;
	return control_apply(control, call, &event, NULL, err);
}

static enum status check_args(const struct control *control, const struct command *command,
			      char number[NUMBER_SIZE], struct err *err)
{
	if (command->kind == CMD_DTMF)
		return digits_check(command->digits, err);
	if (command->kind == CMD_TRANSFER_BLIND)
		return control_parse_number(control, command->number, number, err);
	return ST_OK;
}

static enum status plain(struct control *control, struct live_call *call,
			 const struct command *command, struct err *err)
{
	enum call_event_kind kind = plain_events[command->kind];
	struct call_event event = control_event(control, kind, ACTOR_AGENT, command);
	char number[NUMBER_SIZE] = "";
	struct effect_args args = {.number = number,
				   .digits = command->digits,
				   .sound = command->sound,
				   .is_for_customer = command->is_for_customer,
				   .on = command->on};
	enum status status = check_args(control, command, number, err);

	if (status == ST_OK && kind == EV_ANSWER && call_rule_find(&call->call, EV_ANSWER))
		status = control_check_audio(call->agent, call, err);
	if (status != ST_OK)
		return status;
	event.on = command->on;
	status = control_apply(control, call, &event, &args, err);
	if (status == ST_OK && kind == EV_MUTE)
		control_mute_partner(control, call, &event);
	return status;
}

/* "Holds / Resumes the call on the current call tab." */
static enum status holdresume(struct control *control, struct live_call *call,
			      const struct command *command, struct err *err)
{
	struct command one = *command;

	one.kind = call_state_is_held(call->call.view.state) ? CMD_RESUME : CMD_HOLD;
	if (one.kind == CMD_RESUME)
		return control_resume(control, call, &one, err);
	return plain(control, call, &one, err);
}

static enum call_event_kind event_without_call(enum command_kind kind)
{
	switch (kind) {
	case CMD_HOLDRESUME:
		return EV_HOLD;
	case CMD_RESUME:
		return EV_RESUME;
	case CMD_TRANSFER_CONSULT:
		return EV_CONSULT;
	case CMD_LEAVE:
		return EV_LEAVE;
	case CMD_CANCEL_CONSULT:
		return EV_CANCEL_CONSULT;
	case CMD_SET_OUTCOME:
		return EV_OUTCOME;
	case CMD_SCHEDULE_CALLBACK:
		return EV_CALLBACK;
	default:
		return plain_events[kind];
	}
}

static enum status on_call(struct control *control, struct live_call *call,
			   const struct command *command, struct reply *reply, struct err *err)
{
	if (!call)
		return refuse_without_call(event_without_call(command->kind), err);
	name_call(call, reply);
	switch (command->kind) {
	case CMD_HOLDRESUME:
		return holdresume(control, call, command, err);
	case CMD_RESUME:
		return control_resume(control, call, command, err);
	case CMD_TRANSFER_CONSULT:
		return control_consult(control, call, command, reply, err);
	case CMD_LEAVE:
		return control_leave(control, call, command, err);
	case CMD_CANCEL_CONSULT:
		return control_cancel_consult(control, call, command, err);
	case CMD_SET_OUTCOME:
	case CMD_SCHEDULE_CALLBACK:
		return set_outcome(control, call, command, err);
	default:
		return plain(control, call, command, err);
	}
}

static enum status do_command(struct control *control, const struct command *command,
			      struct reply *reply, struct err *err)
{
	struct agent_slot *agent = control_find_agent(control, &command->agent_id);
	bool needs_tab = command->kind != CMD_AGENT_STATE && command->kind != CMD_PRESENT;

	if (!agent)
		return err_set(err, ST_NOT_FOUND, "agent.unknown", "agent",
			       "there is no such agent");
	if (command->tab < (needs_tab ? 1 : 0) || command->tab > TAB_MAX)
		return err_set(err, ST_INVALID, "tab.invalid", "tab", "tabs are 1 to %d", TAB_MAX);
	reply->tab = command->tab;
	switch (command->kind) {
	case CMD_AGENT_STATE:
		return control_set_agent_state(control, agent, command->agent_state,
					       command->reason, command, err);
	case CMD_PRESENT:
		return present(control, agent, command, reply, err);
	case CMD_DIAL:
		return dial(control, agent, command, reply, err);
	case CMD_TRANSFER_COMPLETE:
	case CMD_CONFERENCE:
		return control_pair_up(control, agent, command, reply, err);
	default:
		return on_call(control, control_current(agent, command->tab), command, reply, err);
	}
}

/* The commands that begin something; all others are about a call that lives. */
static const enum overload_level classes[CMD_KIND_COUNT] = {
	[CMD_DIAL] = OVERLOAD_DIALS,
	[CMD_PRESENT] = OVERLOAD_DIALS,
};

bool control_turns_away(struct control *control, const struct command *command, struct reply *ret)
{
	const struct agent_slot *agent;

	if (shed_level(control->config.shed) < OVERLOAD_DIALS)
		return false;
	agent = control_find_agent(control, &command->agent_id);
	if (command->kind == CMD_DIAL && agent && command->tab >= 1 && command->tab <= TAB_MAX &&
	    is_dial_of_call(control_current(agent, command->tab)))
		return false;
	if (!shed_refuses(control->config.shed, classes[command->kind]))
		return false;
	ret->tab = command->tab;
	ret->status = shed_error(classes[command->kind], &ret->err);
	return true;
}

void control_do_command(struct control *control, const struct command *command,
			control_reply_fn on_reply, void *user)
{
	struct reply reply = {0};

	reply.status = do_command(control, command, &reply, &reply.err);
	if (on_reply)
		on_reply(user, command, &reply);
}
