/* The commands on one call. Each checks everything first and then changes states; what follows at
 * the switch is settled from them. */
#include "telephony/composer.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define RING_MAX_S 3600

struct tc_call *tc_call_create(struct telephony *t, const char *id, enum tc_state state)
{
	struct tc_call *call = xcalloc(1, sizeof *call);

	call->telephony = t;
	call->state = state;
	str_copy(call->id, sizeof call->id, id);
	HASH_ADD_STR(t->calls, id, call);
	return call;
}

enum status tc_check_id(struct telephony *t, const char *id, struct err *err)
{
	/* The longest id made from it is <node>-c-<call>. */
	if (!tel_is_id(id) || strlen(t->node) + 3 + strlen(id) >= TEL_ID_SIZE)
		return err_set(
			err, ST_INVALID, "call.bad_id", "call",
			"the call's id must be letters, digits, '.', '_' and '-', and short");
	if (tc_call_find(t, id))
		return err_set(err, ST_CONFLICT, "call.exists", "call",
			       "there is a call with this id already");
	return ST_OK;
}

static enum status check_new(struct telephony *t, const char *id, struct err *err)
{
	enum status status = tc_ready(t, err);

	return status == ST_OK ? tc_check_id(t, id, err) : status;
}

enum status tc_check_agent(const struct tel_agent *agent, struct err *err)
{
	struct tel_dest station = {.kind = TEL_DEST_STATION};

	if (!tel_is_id(agent->id))
		return err_set(err, ST_INVALID, "agent.bad_id", "agent",
			       "the agent's id must be letters, digits, '.', '_' and '-'");
	if (!str_copy(station.value, sizeof station.value, agent->station) ||
	    !tel_is_dest(&station))
		return err_set(err, ST_INVALID, "agent.bad_station", "agent",
			       "the agent has no usable extension");
	return ST_OK;
}

static enum status check_dest(const struct tel_dest *dest, const struct tel_call_options *options,
			      struct err *err)
{
	if (!tel_is_dest(dest))
		return err_set(err, ST_INVALID, "number.invalid", "number",
			       "the number must be 1 to 32 of +0-9*#");
	if (options->caller_number[0] && !tel_is_number(options->caller_number))
		return err_set(err, ST_INVALID, "number.invalid", "callerNumber",
			       "the number shown must be empty or 1 to 32 of +0-9*#");
	if (options->ring_s > RING_MAX_S)
		return err_set(err, ST_INVALID, "call.bad_ring_limit", "ringLimit",
			       "the ring limit must be at most %d s", RING_MAX_S);
	return ST_OK;
}

enum status tc_agent_busy(struct err *err)
{
	return err_set(err, ST_CONFLICT, "agent.busy", "agent",
		       "the agent has another active call; hold it first");
}

enum status telephony_make(struct telephony *t, const char *id, const struct tel_agent *agent,
			   const struct tel_dest *dest, const struct tel_call_options *options,
			   struct err *err)
{
	static const struct tel_call_options usual;
	enum status status = check_new(t, id, err);

	options = options ? options : &usual;
	if (status == ST_OK)
		status = tc_check_agent(agent, err);
	if (status == ST_OK)
		status = check_dest(dest, options, err);
	if (status != ST_OK)
		return status;
	if (tc_line_is_busy(t, agent->id, NULL))
		return tc_agent_busy(err);
	struct tc_call *call = tc_call_create(t, id, TC_SEEKING);
	call->dest = *dest;
	call->options = *options;
	tc_call_move(call, tc_mix_create(t, id));
	tc_call_attach(call, tc_line_get(t, agent));
	tc_pace_begin(call);
	return ST_OK;
}

static enum status find_offer(struct telephony *t, const char *id, struct tc_leg **ret,
			      struct err *err)
{
	struct tc_leg *leg = tc_leg_find(t, id);

	if (!leg || leg->role != TC_OFFER || leg->hangup_cause)
		return err_set(err, ST_CONFLICT, "call.unknown", "leg",
			       "this caller is no longer there");
	*ret = leg;
	return ST_OK;
}

enum status telephony_adopt(struct telephony *t, const char *id, const char *leg_id,
			    struct err *err)
{
	struct tc_leg *leg = NULL;
	enum status status = check_new(t, id, err);

	if (status == ST_OK)
		status = find_offer(t, leg_id, &leg, err);
	if (status != ST_OK)
		return status;
	struct tc_call *call = tc_call_create(t, id, TC_OFFERED);
	call->far = leg;
	leg->role = TC_FAR;
	leg->call = call;
	tc_send_leg(t, TC_LEG_RING, leg->id);
	return ST_OK;
}

static int cause_or_normal(int cause)
{
	return cause >= 1 && cause <= 127 ? cause : 16;
}

enum status telephony_refuse(struct telephony *t, const char *leg_id, int cause, struct err *err)
{
	struct tc_leg *leg = NULL;
	enum status status = tc_ready(t, err);

	if (status == ST_OK)
		status = find_offer(t, leg_id, &leg, err);
	if (status == ST_OK)
		tc_leg_hangup(t, leg, cause_or_normal(cause));
	return status;
}

enum status telephony_answer(struct telephony *t, const char *id, const struct tel_agent *agent,
			     struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status == ST_OK)
		status = tc_check_agent(agent, err);
	if (status != ST_OK)
		return status;
	if (call->state == TC_ANSWERING && strcmp(call->agent, agent->id) == 0)
		return ST_OK;
	if (call->state != TC_OFFERED && call->state != TC_PARKED)
		return tc_not_up(call, err);
	if (tc_line_is_busy(t, agent->id, call->mix))
		return tc_agent_busy(err);
	struct tc_line *former = call->line;
	call->state = TC_ANSWERING;
	tc_pace_count(t);
	if (!call->mix)
		tc_call_move(call, tc_mix_create(t, id));
	tc_call_attach(call, tc_line_get(t, agent));
	if (former != call->line)
		tc_line_settle(former);
	if (!call->is_answered && !call->far->is_up)
		tc_send_leg(t, TC_LEG_ANSWER, call->far->id);
	call->is_answered = true;
	tc_line_bring(call->line, call->mix);
	tc_call_join(call);
	return ST_OK;
}

enum status telephony_clear(struct telephony *t, const char *id, int cause, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status == ST_OK)
		tc_call_clear(call, cause_or_normal(cause), TEL_SIDE_US);
	return status;
}

/* What is done to one call of a conference is done to all. */
static void set_state(struct tc_mix *mix, enum tc_state state)
{
	struct tc_call *call;

	DL_FOREACH2(mix->calls, call, mix_next)
		call->state = state;
}

enum status telephony_hold(struct telephony *t, const char *id, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK || call->state == TC_HELD)
		return status;
	if (call->state != TC_TALK && call->state != TC_RESUMING)
		return tc_not_up(call, err);
	tc_play_stop(t, call->mix);
	set_state(call->mix, TC_HELD);
	tc_call_settle(call);
	return ST_OK;
}

enum status telephony_resume(struct telephony *t, const char *id, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK || call->state == TC_TALK || call->state == TC_RESUMING)
		return status;
	if (call->state != TC_HELD && !(call->state == TC_PARKED && call->line))
		return tc_not_up(call, err);
	if (call->line->mix && call->line->mix != call->mix)
		return tc_agent_busy(err);
	set_state(call->mix, TC_RESUMING);
	tc_line_bring(call->line, call->mix);
	if (tc_line_is_in(call->line))
		set_state(call->mix, TC_TALK);
	return ST_OK;
}

enum status telephony_mute(struct telephony *t, const char *id, bool on, struct err *err)
{
	struct tc_call *call, *other;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK)
		return status;
	if (!call->line || !tc_state_wants_audio(call->state))
		return tc_not_up(call, err);
	DL_FOREACH2(call->mix->calls, other, mix_next)
		other->is_muted = on;
	if (call->line->mix == call->mix)
		tc_line_mute(call->line);
	return ST_OK;
}

enum status telephony_dtmf(struct telephony *t, const char *id, uint32_t token, const char *digits,
			   struct err *err)
{
	struct tc_op op = {.kind = TC_LEG_DTMF};
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK)
		return status;
	if (!tel_is_digits(digits))
		return err_set(err, ST_INVALID, "dtmf.invalid", "digits",
			       "digits must be 1 to 32 of 0-9*#");
	if (call->state != TC_TALK && call->state != TC_HELD && call->state != TC_RESUMING)
		return tc_not_up(call, err);
	if (call->dtmf_count == TC_DTMF_MAX)
		return err_set(err, ST_BUSY, "switch.busy", "digits",
			       "too many digits are waiting; send them together");
	op.token = ++t->next_token;
	str_copy(op.leg, sizeof op.leg, call->far->id);
	str_copy(op.digits, sizeof op.digits, digits);
	status = tc_send_now(t, &op);
	if (status != ST_OK)
		return err_set(err, status, "switch.busy", "digits",
			       "the telephone switch could not take the digits");
	call->dtmf[call->dtmf_count++] = (struct tc_dtmf){op.token, token};
	return ST_OK;
}
