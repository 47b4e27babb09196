/* Operations on two parties: transfer, complete, conference, leave. */
#include "telephony/composer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"

void tc_mix_leave(struct tc_mix *mix, enum tel_side side)
{
	const struct tc_ending ending = {TEL_NORMAL, side, 16, 0};
	struct tc_call *call, *next;

	if (mix->calls)
		tc_play_stop(mix->calls->telephony, mix);
	/* The last one may take the mix with it: the list is not looked at again after that. */
	DL_FOREACH_SAFE2(mix->calls, call, next, mix_next)
		tc_call_over(call, &ending);
}

static enum status check_transfer(const struct tc_call *call, const struct tel_dest *dest,
				  const struct tel_call_options *options, struct err *err)
{
	if (!tel_is_dest(dest) ||
	    (options->caller_number[0] && !tel_is_number(options->caller_number)) ||
	    options->ring_s > 3600)
		return err_set(err, ST_INVALID, "number.invalid", "number",
			       "the number must be 1 to 32 of +0-9*#");
	if (call->state != TC_TALK && call->state != TC_HELD && call->state != TC_PARKED)
		return tc_not_up(call, err);
	if (call->mix->calls->mix_next)
		return err_set(err, ST_CONFLICT, "call.in_conference", "call",
			       "a conference cannot be transferred; leave it instead");
	return ST_OK;
}

static struct tc_op *transfer_op(const struct tc_call *call, const struct tel_dest *dest,
				 const struct tel_call_options *options)
{
	struct telephony *t = call->telephony;
	struct tc_op *op = xcalloc(1, sizeof *op);

	op->kind = TC_LEG_MAKE;
	op->dest = *dest;
	str_format(op->leg, sizeof op->leg, "%s-t-%" PRIu64, t->node, ++t->next_serial);
	str_copy(op->options.caller_number, sizeof op->options.caller_number,
		 options->caller_number);
	str_copy(op->options.caller_name, sizeof op->options.caller_name, options->caller_name);
	op->options.is_withheld = options->is_withheld;
	op->options.timeout_s = options->ring_s;
	str_copy(op->options.mix, sizeof op->options.mix, call->mix->id);
	str_copy(op->options.tag, sizeof op->options.tag, call->id);
	return op;
}

void tc_transfer_begin(struct tc_call *call)
{
	struct telephony *t = call->telephony;
	struct tc_op *op = call->transfer;

	call->transfer = NULL;
	tc_line_settle(call->line);
	call->target = tc_leg_create(t, op->leg, TC_TARGET);
	tc_pace_count(t);
	call->target->call = call;
	tc_mix_enlist(t, call->mix, call->target);
	tc_send(t, op);
	free(op);
}

enum status telephony_transfer_blind(struct telephony *t, const char *id,
				     const struct tel_dest *dest,
				     const struct tel_call_options *options, struct err *err)
{
	static const struct tel_call_options usual;
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	options = options ? options : &usual;
	if (status == ST_OK)
		status = check_transfer(call, dest, options, err);
	if (status != ST_OK)
		return status;
	tc_play_stop(t, call->mix);
	call->state = TC_TRANSFERRING;
	call->transfer = transfer_op(call, dest, options);
	if (!options->far_waits)
		tc_transfer_begin(call);
	return ST_OK;
}

void tc_transfer_up(struct tc_call *call)
{
	tc_tell(call->telephony, TELCALL_TRANSFERRED, call);
	tc_call_over(call, &(struct tc_ending){TEL_NORMAL, TEL_SIDE_US, 16, 0});
}

void tc_transfer_failed(struct tc_call *call, const struct tc_ending *ending)
{
	struct tel_call_fact *fact = tc_tell(call->telephony, TELCALL_TRANSFER_FAILED, call);

	fact->result = ending->result;
	fact->cause = ending->cause;
	fact->sip = ending->sip;
	call->target = NULL;
	call->state = TC_PARKED;
	tc_mix_settle(call->telephony, call->mix);
}

/* active must be active and held held, both of the same agent. */
static enum status find_two(struct telephony *t, const char *active_id, const char *held_id,
			    struct tc_call **active, struct tc_call **held, struct err *err)
{
	enum status status = tc_ready_call(t, active_id, active, err);

	if (status == ST_OK)
		status = tc_ready_call(t, held_id, held, err);
	if (status != ST_OK)
		return status;
	if ((*active)->state != TC_TALK)
		return tc_not_up(*active, err);
	if ((*held)->state != TC_HELD || (*held)->line != (*active)->line)
		return err_set(err, ST_CONFLICT, "call.not_held", "held",
			       "the other call is not held by this agent");
	return ST_OK;
}

static void move_legs(struct telephony *t, struct tc_mix *from, struct tc_mix *to)
{
	struct tc_call *call;

	DL_FOREACH2(from->calls, call, mix_next)
		tc_record_follow(call, to);
	while (from->legs)
		tc_mix_add(t, to, from->legs);
}

enum status telephony_complete(struct telephony *t, const char *active_id, const char *held_id,
			       struct err *err)
{
	struct tc_call *active, *held;
	enum status status = find_two(t, active_id, held_id, &active, &held, err);

	if (status != ST_OK)
		return status;
	struct tc_mix *from = held->mix, *to = active->mix;
	move_legs(t, from, to);
	tc_mix_leave(from, TEL_SIDE_US);
	tc_mix_leave(to, TEL_SIDE_US);
	return ST_OK;
}

enum status telephony_conference(struct telephony *t, const char *active_id, const char *held_id,
				 struct err *err)
{
	struct tc_call *active, *held;
	enum status status = find_two(t, active_id, held_id, &active, &held, err);

	if (status != ST_OK)
		return status;
	struct tc_mix *from = held->mix, *to = active->mix;
	move_legs(t, from, to);
	while (from->calls) {
		struct tc_call *call = from->calls;
		call->state = TC_TALK;
		call->is_muted = active->is_muted;
		tc_call_move(call, to);
	}
	tc_mix_settle(t, from);
	return ST_OK;
}

enum status telephony_leave(struct telephony *t, const char *id, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK)
		return status;
	if (call->state != TC_TALK)
		return tc_not_up(call, err);
	if (!call->mix->calls->mix_next)
		return err_set(err, ST_CONFLICT, "call.not_in_conference", "call",
			       "only a conference can be left to the others");
	tc_mix_leave(call->mix, TEL_SIDE_US);
	return ST_OK;
}
