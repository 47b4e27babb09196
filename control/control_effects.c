/* What the rules ask of the switch, one telephony call each. A refusal comes back at once and
 * undoes the step. */
#include "control/control_priv.h"

#include <string.h>

#include "base/str.h"

struct tel_agent control_tel_agent(const struct agent_slot *agent)
{
	struct tel_agent result = {.mode = agent->setup.audio == AUDIO_WS ? TEL_AGENT_TAB
									  : TEL_AGENT_DESK};

	uuid_format(&agent->setup.agent_id, result.id);
	str_copy_cut(result.station, sizeof(result.station), agent->setup.extension);
	return result;
}

static enum status dial(struct control *control, struct live_call *call, struct err *err)
{
	struct tel_agent agent = control_tel_agent(call->agent);
	struct dial_plan plan;
	char line[UUID_TEXT_SIZE];
	enum status status = control_plan_dial(control, call, call->call.view.phone, &plan, err);

	uuid_format(&call->call.view.call_id, line);
	if (status == ST_OK)
		status = telephony_make(control->telephony, line, &agent, &plan.dest, &plan.options,
					err);
	if (status != ST_OK)
		return status;
	control_set_line(control, call, line);
	call->far_waits = true;
	return ST_OK;
}

static enum status transfer(struct control *control, struct live_call *call, const char *number,
			    struct err *err)
{
	struct dial_plan plan;
	enum status status = control_plan_dial(control, call, number, &plan, err);

	if (status == ST_OK)
		status = telephony_transfer_blind(control->telephony, call->line, &plan.dest,
						  &plan.options, err);
	call->far_waits |= status == ST_OK;
	return status;
}

static enum status answer(struct control *control, struct live_call *call, struct err *err)
{
	struct tel_agent agent = control_tel_agent(call->agent);

	return telephony_answer(control->telephony, call->line, &agent, err);
}

/* Sounds of the registry only. */
static enum status play(struct control *control, const struct live_call *call,
			const struct effect_args *args, struct err *err)
{
	enum status status = control_check_sound(control, args->sound, err);

	return status == ST_OK ? telephony_play(control->telephony, call->line, args->sound,
						args->is_for_customer ? TEL_HEARD_BY_CUSTOMER
								      : TEL_HEARD_BY_BOTH,
						err)
			       : status;
}

enum status control_carry_out(struct control *control, struct live_call *call,
			      enum call_effect effect, const struct effect_args *args,
			      struct err *err)
{
	struct telephony *t = control->telephony;

	switch (effect) {
	case FX_DIAL:
		return dial(control, call, err);
	case FX_ANSWER:
		return answer(control, call, err);
	case FX_CLEAR:
		return telephony_clear(t, call->line, Q850_NORMAL, err);
	case FX_HOLD:
		return telephony_hold(t, call->line, err);
	case FX_RESUME:
		return telephony_resume(t, call->line, err);
	case FX_MUTE:
		return telephony_mute(t, call->line, args->on, err);
	case FX_DTMF:
		return telephony_dtmf(t, call->line, 0, args->digits, err);
	case FX_PLAY:
		return play(control, call, args, err);
	case FX_TRANSFER:
		return transfer(control, call, args->number, err);
	case FX_COMPLETE:
		return telephony_complete(t, call->line, args->partner->line, err);
	case FX_CONFERENCE:
		return telephony_conference(t, call->line, args->partner->line, err);
	case FX_LEAVE:
		return telephony_leave(t, call->line, err);
	case FX_RECORD_START:
		return control_record(control, call, err);
	case FX_RECORD_STOP:
		return telephony_record_stop(t, call->line, err);
	case FX_RECORD_PAUSE:
	case FX_RECORD_RESUME:
		return telephony_record_pause(t, call->line, effect == FX_RECORD_PAUSE, err);
	case FX_GIVE_BACK: /* control_offer.c, after the step */
	default:
		return ST_OK;
	}
}
