#include "telephony/composer.h"

#include <stdlib.h>

#include "base/str.h"

bool tc_state_is_current(enum tc_state state)
{
	return state == TC_SEEKING || state == TC_CALLING || state == TC_ANSWERING ||
	       state == TC_TALK || state == TC_RESUMING;
}

bool tc_state_wants_audio(enum tc_state state)
{
	return tc_state_is_current(state) || state == TC_HELD;
}

void tc_call_attach(struct tc_call *call, struct tc_line *line)
{
	if (call->line == line)
		return;
	if (call->line)
		DL_DELETE2(call->line->calls, call, line_prev, line_next);
	call->line = line;
	if (!line)
		return;
	DL_APPEND2(line->calls, call, line_prev, line_next);
	str_copy(call->agent, sizeof call->agent, line->agent);
}

void tc_call_move(struct tc_call *call, struct tc_mix *mix)
{
	if (call->mix)
		DL_DELETE2(call->mix->calls, call, mix_prev, mix_next);
	call->mix = mix;
	if (mix)
		DL_APPEND2(mix->calls, call, mix_prev, mix_next);
}

void tc_call_settle(struct tc_call *call)
{
	tc_line_settle(call->line);
	tc_mix_settle(call->telephony, call->mix);
}

void tc_call_free(struct tc_call *call)
{
	timer_stop(call->telephony->timers, &call->end_timer);
	pace_remove(&call->telephony->pace, &call->turn);
	HASH_DEL(call->telephony->calls, call);
	free(call->transfer);
	free(call);
}

/* Takes the call out of its agent's and its mix's books, and lets both do what follows. */
static void detach(struct tc_call *call)
{
	struct tc_line *line = call->line;
	struct tc_mix *mix = call->mix;

	tc_call_move(call, NULL);
	tc_call_attach(call, NULL);
	tc_line_settle(line);
	tc_mix_settle(call->telephony, mix);
}

void tc_call_over(struct tc_call *call, const struct tc_ending *ending)
{
	struct tel_call_fact *fact;

	tc_play_leave(call);
	tc_record_over(call);
	fact = tc_tell(call->telephony, TELCALL_ENDED, call);
	fact->result = ending->result;
	fact->side = ending->side;
	fact->cause = ending->cause;
	fact->sip = ending->sip;
	fact->has_rung = call->has_rung;
	if (call->far)
		call->far->call = NULL;
	if (call->target)
		call->target->call = NULL;
	call->state = TC_ENDING;
	detach(call);
	tc_call_free(call);
}

static void on_end_overdue(void *arg)
{
	struct tc_call *call = arg;
	struct telephony *t = call->telephony;
	enum tel_result result = call->far->is_up ? TEL_NORMAL : TEL_CANCELLED;

	tc_call_over(call, &(struct tc_ending){result, call->end_side, call->far->hangup_cause, 0});
	tc_tell_all(t);
}

void tc_call_end_in_time(struct tc_call *call)
{
	struct telephony *t = call->telephony;

	call->end_timer.fire = on_end_overdue;
	call->end_timer.arg = call;
	timer_set(t->timers, &call->end_timer, clock_mono_us(t->clock) + TC_ENDING_S * 1000000LL);
}

void tc_call_clear(struct tc_call *call, int cause, enum tel_side side)
{
	struct telephony *t = call->telephony;

	if (call->state == TC_ENDING)
		return;
	tc_play_leave(call);
	call->state = TC_ENDING;
	call->end_side = side;
	if (call->target) {
		call->target->call = NULL;
		tc_leg_hangup(t, call->target, cause);
		call->target = NULL;
	}
	if (!call->far) {
		tc_call_over(call, &(struct tc_ending){TEL_CANCELLED, side, cause, 0});
		return;
	}
	tc_leg_hangup(t, call->far, cause);
	tc_record_over(call);
	detach(call);
	tc_call_end_in_time(call);
}

void tc_call_dial(struct tc_call *call)
{
	struct telephony *t = call->telephony;
	struct tc_op op = {.kind = TC_LEG_MAKE, .dest = call->dest};

	if (call->options.far_waits)
		return;
	str_format(op.leg, sizeof op.leg, "%s-c-%s", t->node, call->id);
	str_copy(op.options.caller_number, sizeof op.options.caller_number,
		 call->options.caller_number);
	str_copy(op.options.caller_name, sizeof op.options.caller_name, call->options.caller_name);
	op.options.is_withheld = call->options.is_withheld;
	op.options.timeout_s = call->options.ring_s;
	str_copy(op.options.mix, sizeof op.options.mix, call->mix->id);
	str_copy(op.options.tag, sizeof op.options.tag, call->id);
	call->far = tc_leg_create(t, op.leg, TC_FAR);
	call->far->call = call;
	tc_mix_enlist(t, call->mix, call->far);
	call->state = TC_CALLING;
	tc_send(t, &op);
	tc_tell(t, TELCALL_DIALING, call);
}

void telephony_call_far(struct telephony *t, const char *id)
{
	struct tc_call *call = tc_call_find(t, id);

	if (!call)
		return;
	call->options.far_waits = false;
	if (call->state == TC_SEEKING && tc_line_is_in(call->line))
		tc_call_dial(call);
	if (call->state == TC_TRANSFERRING && call->transfer)
		tc_transfer_begin(call);
	tc_tell_all(t);
}

void tc_call_join(struct tc_call *call)
{
	if (call->state != TC_ANSWERING || !call->far->is_up || !tc_line_is_in(call->line))
		return;
	call->state = TC_TALK;
	tc_tell(call->telephony, TELCALL_UP, call);
}
