/* A live call as a record, and back. */
#include "control/control_priv.h"

#include "base/str.h"

void control_fill_live(const struct live_call *call, struct record *record)
{
	const struct call *c = &call->call;
	struct record_live *live = &record->live;

	record->has |= RECORD_LIVE;
	record->call = c->view;
	live->policy = c->policy;
	live->base = c->base;
	live->outcome = c->outcome;
	str_copy_cut(live->comment, sizeof(live->comment), c->comment);
	live->timer_left_ms = c->timer_left_ms;
	live->results = c->results;
	live->is_consult = c->is_consult;
	live->has_rung = c->has_rung;
	live->has_dialed = c->has_dialed;
	live->is_detached = c->is_detached;
	str_copy_cut(live->line, sizeof(live->line), call->line);
	str_copy_cut(live->leg, sizeof(live->leg), call->leg);
	if (call->queue)
		str_copy_cut(live->queue_number, sizeof(live->queue_number),
			     call->queue->setup.number);
	if (call->wanted)
		live->wanted_agent_id = call->wanted->setup.agent_id;
	live->excluded_agent_id = call->excluded_agent;
	live->event_id = call->event_id;
	live->event_at_ms = call->event_at_ms;
	live->waiting_since_ms = call->is_waiting ? call->waiting_since_ms : 0;
	live->conference_id = call->conference_id;
	str_copy_cut(live->recording, sizeof(live->recording), call->recording);
}

void control_fill_step(const struct call_event *event, struct record *record)
{
	record->has |= RECORD_STEP;
	record->step = (struct record_step){
		.kind = event->kind,
		.at_ms = event->at_ms,
		.actor = event->actor,
		.has_reason = event->reason != NULL,
		.result = event->result,
		.ended_by = event->ended_by,
		.cause = event->cause,
		.on = event->on,
		.retry_at_ms = event->retry_at_ms,
		.outcome = event->outcome,
		.agent_id = event->agent_id,
		.tab = event->tab,
	};
	str_copy_cut(record->step.command_id, sizeof(record->step.command_id), event->command_id);
	str_copy_cut(record->step.reason, sizeof(record->step.reason), event->reason);
	str_copy_cut(record->step.comment, sizeof(record->step.comment), event->comment);
}

void control_read_live(const struct record *record, struct call *ret)
{
	const struct record_live *live = &record->live;

	*ret = (struct call){
		.view = record->call,
		.policy = live->policy,
		.base = live->base,
		.outcome = live->outcome,
		.timer_left_ms = live->timer_left_ms,
		.results = live->results,
		.is_consult = live->is_consult,
		.has_rung = live->has_rung,
		.has_dialed = live->has_dialed,
		.is_detached = live->is_detached,
	};
	str_copy_cut(ret->comment, sizeof(ret->comment), live->comment);
}
