/* The live state of before a restart, from the records; and what became of it at the switch
 * meanwhile. */
#include "control/control_priv.h"

#include <string.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"

#define SETTLE_US 5000000

/* --- record by record --- */

static void tell_past(struct control *control, const struct record *record)
{
	enum tell_kind tell = record->is_update ? TELL_UPDATE : TELL_STATE;
	int64_t age_ms = control_now_ms(control) - record->at_ms;

	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_past)
			control->listeners[i].on_past(control->listeners[i].user, tell,
						      &record->call, record->epoch, record->seq,
						      age_ms > 0 ? age_ms : 0);
}

static void recover_stream(struct control *control, const struct record *record)
{
	struct agent_slot *agent = control_find_agent(control, &record->call.agent_id);
	struct tab_slot *slot;

	if (!agent || record->call.tab < 1 || record->call.tab > TAB_MAX)
		return;
	slot = control_tab(control, agent, record->call.tab);
	if (record->epoch != control->epoch)
		control->epoch = record->epoch;
	else if (record->seq < slot->seq)
		return;
	slot->seq = slot->appended_seq = PLANTED(3) ? 0 : record->seq;
	if (!slot->told)
		slot->told = xmalloc(sizeof(*slot->told));
	*slot->told = record->call;
	if (!(record->has & RECORD_COPY))
		tell_past(control, record);
}

static void recover_agent(struct control *control, const struct record *record)
{
	struct agent_slot *agent = control_find_agent(control, &record->agent.agent_id);
	struct agent_view *view = agent ? &agent->view : NULL;

	if (!agent)
		return;
	control->ready_count -= view->state == AGENT_READY;
	view->state = record->agent.state;
	view->next_state = record->agent.next_state;
	view->state_at_ms = record->agent.state_at_ms;
	view->version = record->agent.version;
	str_copy_cut(view->reason, sizeof(view->reason), record->agent.reason);
	control->ready_count += view->state == AGENT_READY;
	agent->told = *view;
}

static struct live_call *find_call(struct control *control, const struct uuid *call_id)
{
	struct live_call *call;

	HASH_FIND(by_id, control->calls, call_id, sizeof(*call_id), call);
	return call;
}

static void recover_call(struct control *control, const struct record *record)
{
	const struct record_live *live = &record->live;
	struct live_call *call = find_call(control, &record->call.call_id);

	if (record->call.state == CALL_END && !live->line[0]) {
		if (call)
			control_call_destroy(control, call);
		return;
	}
	if (!call)
		call = control_call_create(control, &record->call.call_id, record->call.direction,
					   NULL, 0);
	control_read_live(record, &call->call);
	control_set_line(control, call, live->line);
	str_copy_cut(call->leg, sizeof(call->leg), live->leg);
	HASH_FIND(by_number, control->queues, live->queue_number, strlen(live->queue_number),
		  call->queue);
	call->wanted = control_find_agent(control, &live->wanted_agent_id);
	call->excluded_agent = live->excluded_agent_id;
	call->event_id = live->event_id;
	call->event_at_ms = live->event_at_ms;
	call->waiting_since_ms = live->waiting_since_ms;
	call->conference_id = live->conference_id;
	str_copy_cut(call->recording, sizeof(call->recording), live->recording);
	if (!(record->has & RECORD_COPY))
		call->recovered = record->number;
}

static void recover_timer_dial(struct control *control, const struct record *record)
{
	struct timer_dial *dial;

	if (record->intent.far_waits)
		return; /* without the step behind it nobody was called: the preview goes on */
	dial = xcalloc(1, sizeof(*dial));
	dial->call_id = record->intent.call_id;
	dial->number = record->number;
	LL_PREPEND(control->timer_dials, dial);
}

void control_recover_record(void *user, const struct record *record, bool is_state)
{
	struct control *control = user;

	if (record->has & RECORD_STREAM)
		recover_stream(control, record);
	FAILPOINT("recover.record");
	if (is_state && record->has & RECORD_AGENT && !PLANTED(23))
		recover_agent(control, record);
	if (is_state && record->has & RECORD_LIVE)
		recover_call(control, record);
	if (record->has & (RECORD_INTENT | RECORD_ANSWER))
		control_remember(control, record);
	if (record->has & RECORD_INTENT && !record->intent.id[0])
		recover_timer_dial(control, record);
}

/* --- all of it --- */

/* Its time line goes on with the wall clock, never backwards. */
static void go_on(struct control *control, struct live_call *call)
{
	const struct call_view *view = &call->call.view;
	int64_t now_ms = control_now_ms(control);

	call->wall_ms = now_ms > view->state_at_ms ? now_ms : view->state_at_ms;
	call->mono_us = clock_mono_us(control->clock);
	if (PLANTED(21) && call->call.view.wrap_until_ms)
		call->call.view.wrap_until_ms = now_ms + call->call.policy.wrap_ms;
	call->told_can = view->can;
	call->told_partner_tab = view->partner_tab;
	call->is_ended = view->state == CALL_END;
	if (view->tab)
		call->agent = control_find_agent(control, &view->agent_id);
	if (call->is_ended)
		return;
	control_take_place(control, call);
	if (view->state == CALL_QUEUED) {
		DL_APPEND2(control->waiting, call, prev_waiting, next_waiting);
		call->is_waiting = true;
		control->waiting_count++;
	}
}

static int by_waiting(const struct live_call *a, const struct live_call *b)
{
	return (a->waiting_since_ms > b->waiting_since_ms) -
	       (a->waiting_since_ms < b->waiting_since_ms);
}

/* A journal of before the far party waited for the step to be stable: whether the switch was asked
 * is not known. It is as if it had been, and reading the switch back tells. It is never asked
 * again. */
static void assume_dialed(struct control *control, struct live_call *call,
			  enum call_event_kind kind, enum actor actor, const char *command_id)
{
	const struct effect_args done = {.is_carried_out = true};
	struct call_event event = control_event(control, kind, actor, NULL);
	char line[UUID_TEXT_SIZE];

	event.command_id = command_id;
	control_set_line(control, call, uuid_format(&call->call.view.call_id, line));
	control_apply(control, call, &event, &done, NULL);
}

static void end_wrap_on(struct control *control, struct agent_slot *agent, int tab)
{
	struct live_call *last = control_current(agent, tab);
	struct call_event event = control_event(control, EV_END_WRAP, ACTOR_RECONCILER, NULL);

	if (last && call_state_is_over(last->call.view.state))
		control_apply(control, last, &event, NULL, NULL);
}

static void recover_dial(struct control *control, const struct record_intent *intent)
{
	struct live_call *call = find_call(control, &intent->call_id);
	struct agent_slot *agent = control_find_agent(control, &intent->agent_id);
	enum call_direction direction =
		intent->direction == DIR_CLICKTOCALL ? DIR_CLICKTOCALL : DIR_OUTBOUND;

	if (intent->far_waits)
		return; /* without its step it was certainly not done */
	if (call) {
		if (call->call.view.state == CALL_PREVIEW ||
		    call->call.view.state == CALL_PREVIEW_PAUSED)
			assume_dialed(control, call, EV_DIAL, ACTOR_AGENT, intent->id);
		return;
	}
	if (!agent || intent->tab < 1 || intent->tab > TAB_MAX)
		return;
	end_wrap_on(control, agent, intent->tab);
	if (control_current(agent, intent->tab))
		return; /* then it was refused */
	call = control_call_create(control, &intent->call_id, direction, agent, intent->tab);
	control_name_caller(control, intent->number, call->call.view.phone);
	assume_dialed(control, call, EV_DIAL, ACTOR_AGENT, intent->id);
}

static void recover_timer_dials(struct control *control)
{
	struct timer_dial *dial, *next;

	LL_FOREACH_SAFE(control->timer_dials, dial, next)
	{
		struct live_call *call = find_call(control, &dial->call_id);

		if (call && call->call.view.state == CALL_PREVIEW && dial->number > call->recovered)
			assume_dialed(control, call, EV_PREVIEW_TIME, ACTOR_TIMER, NULL);
		free(dial);
	}
	control->timer_dials = NULL;
}

/* --- to the switch --- */

static const struct {
	enum call_state state;
	enum tel_was was;
} phases[] = {
	{CALL_QUEUED, TEL_WAS_OFFERED},
	{CALL_INCOMING, TEL_WAS_OFFERED},
	{CALL_ANSWERING, TEL_WAS_ANSWERING},
	{CALL_RINGING, TEL_WAS_MADE},
	{CALL_TALK, TEL_WAS_TALK},
	{CALL_CONSULT, TEL_WAS_TALK},
	{CALL_HELD, TEL_WAS_HELD},
	{CALL_CONSULT_HELD, TEL_WAS_HELD},
	{CALL_CONFERENCE, TEL_WAS_CONFERENCE},
	{CALL_TRANSFERRING, TEL_WAS_TRANSFERRING},
};

static enum tel_was phase_of(const struct live_call *call)
{
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (phases[i].state == call->call.view.state)
			return phases[i].was;
	return TEL_WAS_ENDING;
}

/* Both sides must say so; a partner that is over is none. */
static const struct live_call *conference_partner(struct control *control,
						  const struct live_call *call)
{
	const struct live_call *other = find_call(control, &call->conference_id);

	return call->call.view.state == CALL_CONFERENCE && other &&
			       other->call.view.state == CALL_CONFERENCE &&
			       uuid_equal(&other->conference_id, &call->call.view.call_id)
		       ? other
		       : NULL;
}

static void restore_line(struct control *control, struct live_call *call)
{
	const struct live_call *partner = conference_partner(control, call);
	struct tel_restored was = {
		.phase = phase_of(call),
		.has_rung = call->call.has_rung,
		.is_muted = call->call.view.is_muted,
	};
	struct err err = {0};

	str_copy_cut(was.call, sizeof(was.call), call->line);
	str_copy_cut(was.leg, sizeof(was.leg), call->leg);
	if (call->call.view.recording != RECORDING_OFF)
		str_copy_cut(was.recording, sizeof(was.recording), call->recording);
	was.is_recording_paused = call->call.view.recording == RECORDING_PAUSED;
	if (was.phase == TEL_WAS_CONFERENCE && !partner)
		was.phase = TEL_WAS_TALK;
	if (partner)
		str_copy_cut(was.partner, sizeof(was.partner), partner->line);
	if (call->agent && was.phase != TEL_WAS_OFFERED && was.phase != TEL_WAS_ENDING)
		was.agent = control_tel_agent(call->agent);
	if (telephony_restore(control->telephony, &was, &err) != ST_OK)
		log_err("a call of before the restart is not taken back", "why=%s", err.message);
}

static void on_settle_time(void *arg)
{
	control_settle(arg, false);
}

static unsigned restore_lines(struct control *control)
{
	struct live_call *call, *next;
	unsigned count = 0;

	HASH_ITER(by_id, control->calls, call, next) {
		count += !call->is_ended;
		if (call->line[0] && !(PLANTED(8) && phase_of(call) == TEL_WAS_TALK))
			restore_line(control, call);
	}
	return count;
}

unsigned control_recover_end(struct control *control, bool is_continuous)
{
	struct live_call *call, *next;
	unsigned count;

	control->is_settling = control->has_open_intents = true;
	if (!is_continuous)
		control->epoch = (uint64_t)control_now_ms(control);
	HASH_ITER(by_id, control->calls, call, next)
		go_on(control, call);
	/* the macro takes the list apart and puts it together again */
	/* cppcheck-suppress nullPointer */
	DL_SORT2(control->waiting, by_waiting, prev_waiting, next_waiting);
	record_log_hold(control->log, true);
	control_each_open_dial(control, recover_dial);
	recover_timer_dials(control);
	record_log_hold(control->log, false);
	FAILPOINT("recover.restoring");
	count = restore_lines(control);
	control_audio_recover(control);
	FAILPOINT("recover.done");
	control->settle.fire = on_settle_time;
	control->settle.arg = control;
	timer_set(control->timers, &control->settle, clock_mono_us(control->clock) + SETTLE_US);
	return count;
}

void control_settle(struct control *control, bool is_read_back)
{
	struct live_call *call, *next;

	/* whether a command was done is known only when the switch has been read back */
	FAILPOINT("recover.settling");
	if (is_read_back && control->has_open_intents)
		control_settle_intents(control);
	if (is_read_back)
		control->has_open_intents = false;
	if (!control->is_settling)
		return;
	control->is_settling = false;
	timer_stop(control->timers, &control->settle);
	HASH_ITER(by_id, control->calls, call, next)
		control_set_timer(control, call);
	control_offer_soon(control);
}
