/* One step of one call: what the rules decide is carried out at the switch, stored, recorded, and
 * its deadline set. */
#include "control/control_priv.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/str.h"

static void on_deadline(void *arg)
{
	struct live_call *call = arg;
	struct control *control = call->control;
	struct call_event event = {.actor = ACTOR_TIMER};
	int64_t at_ms;

	if (call_deadline(&call->call, &at_ms, &event.kind))
		control_queue_event(control, call, &event);
}

/* Deadlines are absolute on the call's own time line, monotonic in the timer. */
void control_set_timer(struct control *control, struct live_call *call)
{
	enum call_event_kind event;
	int64_t at_ms, left_us;

	/* after a restart nothing fires before it is known what the switch has done meanwhile */
	if (control->is_settling || (PLANTED(4) && !strcmp(call->call.view.reason, "lost")) ||
	    !call_deadline(&call->call, &at_ms, &event)) {
		timer_stop(control->timers, &call->timer);
		return;
	}
	left_us = (at_ms - control_call_ms(call)) * 1000;
	timer_set(control->timers, &call->timer,
		  clock_mono_us(control->clock) + (left_us > 0 ? left_us : 0));
}

static void fill_policy(const struct control *control, struct call_policy *policy)
{
	policy->preview_ms = control->config.preview_s * 1000LL;
	policy->ring_ms = control->config.ring_s * 1000LL;
	policy->offer_ms = control->config.offer_s * 1000LL;
	policy->wrap_ms = control->config.wrap_s * 1000LL;
	policy->has_outcomes = control->outcome_count > 0;
	for (unsigned i = 0; i < ATTEMPT_RESULT_COUNT; i++) {
		str_copy_cut(policy->system[i].name, sizeof(policy->system[i].name),
			     attempt_system_outcome((enum attempt_result)i));
		policy->system[i].is_automatic = true;
	}
	for (unsigned i = 0; i < control->outcome_count; i++) {
		const struct outcome_setup *setup = &control->outcomes[i];

		/* M34: "a configured outcome of the same meaning supersedes the system one" */
		if (setup->system_for != ATTEMPT_NONE) {
			policy->system[setup->system_for] = control_outcome(setup);
			policy->system[setup->system_for].is_automatic = true;
		}
		if (setup->is_default) {
			policy->default_outcome = control_outcome(setup);
			policy->default_outcome.is_automatic = true;
		}
	}
}

struct call_outcome control_outcome(const struct outcome_setup *setup)
{
	struct call_outcome outcome = {
		.is_configured = true,
		.is_connect_xor_abort = setup->is_connect_xor_abort,
		.is_retry = setup->is_retry,
		.retry_after_ms = setup->retry_after_s * 1000LL,
	};

	str_copy_cut(outcome.name, sizeof(outcome.name), setup->name);
	return outcome;
}

struct live_call *control_call_create(struct control *control, const struct uuid *call_id,
				      enum call_direction direction, struct agent_slot *agent,
				      int tab)
{
	struct live_call *call = xcalloc(1, sizeof(*call));
	struct call_view *view = &call->call.view;
	int64_t now = control_now_ms(control);

	view->call_id = call_id && !uuid_is_nil(call_id) ? *call_id : uuid_make(now);
	view->dialer_call_id = uuid_make(now);
	view->phone_call_id = uuid_make(now);
	view->tenant_id = control->config.tenant_id;
	view->direction = direction;
	view->attempt = 1;
	fill_policy(control, &call->call.policy);
	call->control = control;
	call->wall_ms = now;
	call->mono_us = clock_mono_us(control->clock);
	call->timer.fire = on_deadline;
	call->timer.arg = call;
	call->agent = agent;
	if (agent) {
		view->agent_id = agent->setup.agent_id;
		view->tab = tab;
		str_copy_cut(view->extension, sizeof(view->extension), agent->setup.extension);
		str_copy_cut(view->cc_agent_id, sizeof(view->cc_agent_id),
			     agent->setup.cc_agent_id);
	}
	HASH_ADD(by_id, control->calls, call.view.call_id, sizeof(view->call_id), call);
	return call;
}

void control_set_line(struct control *control, struct live_call *call, const char *line)
{
	if (call->line[0])
		HASH_DELETE(by_line, control->calls_by_line, call);
	str_copy_cut(call->line, sizeof(call->line), line);
	if (call->line[0])
		HASH_ADD_KEYPTR(by_line, control->calls_by_line, call->line, strlen(call->line),
				call);
}

void control_leave_dialer_index(struct control *control, struct live_call *call)
{
	if (call->is_in_dialer_index)
		HASH_DELETE(by_dialer, control->calls_by_dialer, call);
	call->is_in_dialer_index = false;
}

void control_call_destroy(struct control *control, struct live_call *call)
{
	struct tab_slot *slot =
		call->agent && call->call.view.tab ? call->agent->tabs[call->call.view.tab] : NULL;

	timer_stop(control->timers, &call->timer);
	control_caller_gone(control, call);
	control_set_line(control, call, "");
	control_leave_dialer_index(control, call);
	HASH_DELETE(by_id, control->calls, call);
	if (slot && slot->current == call)
		slot->current = NULL;
	free(call);
}

#define SWEEP_US 1000000

static void sweep_soon(struct control *control)
{
	timer_set(control->timers, &control->sweep, clock_mono_us(control->clock) + SWEEP_US);
}

/* False when the switch cannot be asked now. What it does not know is gone. */
static bool clear_line(struct control *control, struct live_call *call)
{
	enum status status = telephony_clear(control->telephony, call->line, Q850_NORMAL, NULL);

	if (status == ST_OK)
		return true;
	if (status != ST_CONFLICT)
		return false;
	control_set_line(control, call, "");
	if (call->is_ended)
		control_call_destroy(control, call);
	return true;
}

void control_sweep_lines(struct control *control)
{
	struct live_call *call, *next;
	bool is_done = true;

	HASH_ITER(by_id, control->calls, call, next) {
		if (call->line[0] && call_state_is_over(call->call.view.state) &&
		    !call_state_is_live(call->call.view.state))
			is_done &= clear_line(control, call);
	}
	if (!is_done)
		sweep_soon(control);
}

struct call_event control_event(const struct control *control, enum call_event_kind kind,
				enum actor actor, const struct command *command)
{
	return (struct call_event){
		.kind = kind,
		.at_ms = control_now_ms(control),
		.actor = command ? command->actor : actor,
		.command_id = command ? command->id : NULL,
	};
}

/* The place on the tab and the ownership of the dialer call's row, once the first step has
 * succeeded. */
void control_take_place(struct control *control, struct live_call *call)
{
	struct call_view *view = &call->call.view;
	struct live_call *other;

	if (call->agent && view->tab)
		control_tab(control, call->agent, view->tab)->current = call;
	if (call->is_in_dialer_index || call->call.is_detached)
		return;
	HASH_FIND(by_dialer, control->calls_by_dialer, &view->dialer_call_id,
		  sizeof(view->dialer_call_id), other);
	if (!other) {
		HASH_ADD(by_dialer, control->calls_by_dialer, call.view.dialer_call_id,
			 sizeof(view->dialer_call_id), call);
		call->is_in_dialer_index = true;
	}
}

/* A dial that a timer asked for and that the switch cannot take: the attempt has failed. */
static void fail_dial(struct control *control, const struct live_call *call)
{
	struct call_event event = control_event(control, EV_FAR_ENDED, ACTOR_SWITCH, NULL);

	event.result = ATTEMPT_ERROR;
	event.ended_by = ENDED_BY_SWITCH;
	event.reason = "switch_refused";
	control_queue_event(control, call, &event);
}

static enum status carry_out_all(struct control *control, struct live_call *call,
				 const struct call_event *event, const struct effects *todo,
				 const struct effect_args *args, struct err *err)
{
	for (unsigned i = 0; i < todo->count; i++) {
		enum call_effect effect = todo->list[i];
		enum status status = control_carry_out(control, call, effect, args, err);

		/* hanging up what is gone is no failure */
		if (status == ST_OK || (effect == FX_CLEAR && status == ST_CONFLICT))
			continue;
		if (call_event_is_command(event->kind))
			return status;
		if (effect == FX_DIAL)
			fail_dial(control, call);
		else
			sweep_soon(control);
	}
	return ST_OK;
}

/* Nobody wraps up a caller who was never on a tab. */
static void end_unseen(struct control *control, const struct live_call *call)
{
	struct call_event event = control_event(control, EV_END_WRAP, ACTOR_SWITCH, NULL);

	event.reason = "caller_left";
	control_queue_event(control, call, &event);
}

static void after_step(struct control *control, struct live_call *call, const struct call *before)
{
	enum call_state was = before->view.state, is = call->call.view.state;

	if (was == CALL_QUEUED)
		control_caller_gone(control, call);
	if (is == CALL_WRAP && !call->call.view.tab)
		end_unseen(control, call);
	if (is == CALL_WRAP && was != CALL_WRAP_PAUSED)
		control_partner_after(control, call);
	if (is == CALL_END)
		control_forget_when_stable(control, call);
	if (call->agent)
		control_refresh(control, call->agent);
	if (call->agent && call_state_is_live(was) && !call_state_is_live(is) &&
	    !control_is_live(call->agent))
		control_agent_event(control, call->agent, AGENT_EV_CALL_OVER);
	if (is == CALL_END || is == CALL_QUEUED)
		control_offer_soon(control);
}

enum status control_apply(struct control *control, struct live_call *call,
			  const struct call_event *asked, const struct effect_args *args,
			  struct err *err)
{
	struct call before = call->call, next;
	struct call_event event = *asked;
	struct effects todo;
	enum status status;

	event.at_ms = control_call_ms(call);
	status = call_step(&before, &event, &next, &todo, err);
	if (status != ST_OK || next.view.version == before.view.version)
		return status;
	FAILPOINT("step.decided");
	if (!args || !args->is_carried_out)
		status = carry_out_all(control, call, &event, &todo, args, err);
	if (status != ST_OK)
		return status;
	FAILPOINT("step.carried_out");
	call->call = next;
	control_take_place(control, call);
	control_set_timer(control, call);
	FAILPOINT("timer.armed");
	call->call.view.can = control_abilities(call);
	control_record_call(control, call, &before, &event);
	FAILPOINT("step.recorded");
	for (unsigned i = 0; i < todo.count; i++)
		if (todo.list[i] == FX_GIVE_BACK)
			control_give_back(control, call);
	after_step(control, call, &before);
	return ST_OK;
}
