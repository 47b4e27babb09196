/* What the switch says, and what follows from it. */
#include "telephony/composer.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static enum tel_side side_of(const struct tel_fact *fact)
{
	switch (fact->result) {
	case TEL_LOST:
	case TEL_ERROR:
	case TEL_INVALID:
	case TEL_CONGESTION:
		return TEL_SIDE_SWITCH;
	default:
		break;
	}
	if (fact->by == TEL_BY_THEM)
		return TEL_SIDE_FAR;
	return fact->by == TEL_BY_US ? TEL_SIDE_US : TEL_SIDE_UNKNOWN;
}

static void on_offered(struct telephony *t, const struct tel_fact *fact)
{
	if (tc_leg_find(t, fact->leg))
		return;
	tc_leg_create(t, fact->leg, TC_OFFER);
	struct tel_call_fact *offer = tc_tell(t, TELCALL_OFFERED, NULL);
	str_copy(offer->leg, sizeof offer->leg, fact->leg);
	str_copy(offer->dnis, sizeof offer->dnis, fact->dnis);
	str_copy(offer->number, sizeof offer->number, fact->number);
	str_copy(offer->name, sizeof offer->name, fact->name);
	str_copy(offer->redirected_from, sizeof offer->redirected_from, fact->redirected_from);
}

static void on_ringing(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (!leg || !leg->call || leg->role != TC_FAR || leg->call->state != TC_CALLING ||
	    leg->call->has_rung)
		return;
	leg->call->has_rung = true;
	tc_tell(t, TELCALL_RINGING, leg->call);
}

static void far_up(struct telephony *t, struct tc_call *call)
{
	switch (call->state) {
	case TC_CALLING:
		call->state = TC_TALK;
		tc_tell(t, TELCALL_UP, call);
		tc_mix_settle(t, call->mix); /* music, when the agent is away */
		break;
	case TC_ANSWERING:
	case TC_PARKED:
		tc_mix_add(t, call->mix, call->far);
		tc_call_join(call);
		tc_mix_settle(t, call->mix);
		break;
	default:
		break;
	}
}

void tc_leg_up(struct telephony *t, struct tc_leg *leg)
{
	if (leg->is_up)
		return;
	leg->is_up = true;
	if (leg->hangup_cause)
		return;
	if (leg->role == TC_AGENT && leg->line)
		tc_line_up(leg->line);
	else if (leg->role == TC_TARGET && leg->call)
		tc_transfer_up(leg->call);
	else if (leg->role == TC_FAR && leg->call)
		far_up(t, leg->call);
}

static void on_up(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (leg)
		tc_leg_up(t, leg);
}

static void offer_ended(struct telephony *t, const struct tel_fact *fact)
{
	struct tel_call_fact *gone = tc_tell(t, TELCALL_OFFER_GONE, NULL);

	str_copy(gone->leg, sizeof gone->leg, fact->leg);
	gone->result = fact->result;
	gone->cause = fact->cause;
	gone->sip = fact->sip;
}

static void far_ended(struct telephony *t, struct tc_call *call, struct tc_ending ending)
{
	if (call->state == TC_ENDING)
		ending.side = call->end_side;
	if (call->target) {
		call->target->call = NULL;
		tc_leg_hangup(t, call->target, 16);
		call->target = NULL;
	}
	tc_call_over(call, &ending);
}

static void agent_ended(struct tc_line *line, struct tc_ending ending)
{
	if (ending.result != TEL_NO_ANSWER && ending.result != TEL_LOST)
		ending.result = TEL_ERROR;
	ending.side = ending.result == TEL_LOST ? TEL_SIDE_SWITCH : TEL_SIDE_AGENT;
	if (tc_line_waits(line))
		tc_line_away(line);
	else
		tc_line_lost(line, &ending);
}

void tc_leg_ended(struct telephony *t, struct tc_leg *leg, const struct tel_fact *fact)
{
	const struct tc_ending ending = {fact->result, side_of(fact), fact->cause, fact->sip};
	struct tc_mix *mix = leg->mix;

	tc_mix_strike(leg);
	if (leg->role == TC_OFFER)
		offer_ended(t, fact);
	else if (leg->line)
		agent_ended(leg->line, ending);
	else if (leg->call && leg->role == TC_FAR)
		far_ended(t, leg->call, ending);
	else if (leg->call)
		tc_transfer_failed(leg->call, &ending);
	else
		tc_mix_settle(t, mix);
	tc_leg_free(t, leg);
}

static void on_ended(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (leg)
		tc_leg_ended(t, leg, fact);
	else
		tc_found_forget(t, fact->leg);
}

static void on_media(struct telephony *t, const struct tel_fact *fact)
{
	const struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (!leg || !leg->line)
		return;
	struct tel_call_fact *media = tc_tell(t, TELCALL_AGENT_MEDIA, NULL);
	str_copy(media->agent, sizeof media->agent, leg->line->agent);
	str_copy(media->leg, sizeof media->leg, leg->id);
	str_copy(media->text, sizeof media->text, fact->text);
}

static void on_digit(struct telephony *t, const struct tel_fact *fact)
{
	const struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (!leg || !leg->call || leg->role != TC_FAR)
		return;
	struct tel_call_fact *digit = tc_tell(t, TELCALL_DIGIT, leg->call);
	digit->digits[0] = fact->digits[0];
}

/* False when it is no telephony_dtmf of this call that has this token. */
static bool take_dtmf(struct tc_call *call, uint32_t token, uint32_t *user_token)
{
	for (unsigned i = 0; i < call->dtmf_count; i++) {
		if (call->dtmf[i].token != token)
			continue;
		*user_token = call->dtmf[i].user_token;
		call->dtmf_count--;
		memmove(&call->dtmf[i], &call->dtmf[i + 1],
			(call->dtmf_count - i) * sizeof *call->dtmf);
		return true;
	}
	return false;
}

static void on_dtmf_done(struct telephony *t, const struct tel_fact *fact)
{
	const struct tc_leg *leg = tc_leg_find(t, fact->leg);
	uint32_t token;

	if (leg && leg->call && take_dtmf(leg->call, fact->token, &token))
		tc_tell(t, TELCALL_DTMF_DONE, leg->call)->token = token;
}

/* The call that a failed operation was for, or NULL: then nobody waits for it any more. */
static struct tc_call *concerned(struct telephony *t, const struct tel_fact *fact)
{
	const struct tc_leg *leg = tc_leg_find(t, fact->leg);
	const struct tc_mix *mix = tc_mix_find(t, fact->mix);

	if (leg && leg->call)
		return leg->call;
	if (leg && leg->line && leg->line->mix)
		return leg->line->mix->calls;
	return mix ? mix->calls : NULL;
}

static void on_op_failed(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_call *call = concerned(t, fact);
	uint32_t token = 0;

	if (tc_play_failed(t, fact) || tc_record_failed(t, fact) || !call ||
	    fact->token - t->repair_from < t->repair_count)
		return;
	take_dtmf(call, fact->token, &token);
	struct tel_call_fact *failed = tc_tell(t, TELCALL_OP_FAILED, call);
	failed->token = token;
	str_copy(failed->text, sizeof failed->text, fact->text);
}

static void on_station(struct telephony *t, const struct tel_fact *fact)
{
	struct tel_call_fact *station = tc_tell(t, TELCALL_STATION, NULL);

	str_copy(station->station, sizeof station->station, fact->station);
	station->on = fact->on;
}

static void on_held(struct telephony *t, const struct tel_fact *fact)
{
	const struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (!leg || !leg->line)
		return;
	struct tel_call_fact *held = tc_tell(t, TELCALL_AGENT_HELD, NULL);
	str_copy(held->agent, sizeof held->agent, leg->line->agent);
	held->on = fact->on;
}

static void work_on(struct telephony *t, const struct tel_fact *fact)
{
	switch (fact->kind) {
	case TEL_LINK:
		tc_on_link(t, fact);
		break;
	case TEL_SYNC_BEGIN:
		tc_on_sync_begin(t);
		break;
	case TEL_LEG_SEEN:
		tc_on_leg_seen(t, fact);
		break;
	case TEL_MIX_SEEN:
		tc_on_mix_seen(t, fact);
		break;
	case TEL_SYNC_END:
		tc_on_sync_end(t);
		break;
	case TEL_LEG_OFFERED:
		on_offered(t, fact);
		break;
	case TEL_LEG_RINGING:
	case TEL_LEG_EARLY:
		on_ringing(t, fact);
		break;
	case TEL_LEG_UP:
		on_up(t, fact);
		break;
	case TEL_LEG_ENDED:
		on_ended(t, fact);
		break;
	case TEL_LEG_DIGIT:
		on_digit(t, fact);
		break;
	case TEL_LEG_HELD:
		on_held(t, fact);
		break;
	case TEL_LEG_MEDIA:
		on_media(t, fact);
		break;
	case TEL_LEG_DTMF_DONE:
		on_dtmf_done(t, fact);
		break;
	case TEL_PLAY_ENDED:
		tc_play_ended(t, fact);
		break;
	case TEL_RECORD_BEGUN:
		tc_record_begun(t, fact);
		break;
	case TEL_RECORD_ENDED:
		tc_record_ended(t, fact);
		break;
	case TEL_STATION:
		on_station(t, fact);
		break;
	case TEL_OP_FAILED:
		on_op_failed(t, fact);
		break;
	default: /* joined, left: our books say where a leg is */
		break;
	}
}

void tc_on_fact(void *user, const struct tel_fact *fact)
{
	struct telephony *t = user;

	t->fact_at_us = fact->at_us;
	work_on(t, fact);
	t->fact_at_us = 0;
	tc_tell_all(t);
}
