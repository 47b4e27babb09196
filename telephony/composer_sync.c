/* Losing and regaining the switch. Facts and operations may have been lost meanwhile; afterwards
 * everything the calls ask for is asserted once more. Asserting what is so already does no harm,
 * and if the switch objects that is no news for anybody. */
#include "telephony/composer.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void tell_link(struct telephony *t, bool is_up)
{
	struct tel_call_fact *fact = tc_tell(t, TELCALL_LINK, NULL);

	fact->link_up = is_up;
	fact->epoch = t->epoch;
}

/* The switch was restarted: its mixes are gone, its legs will be told as lost. */
static void forget_mixes(struct telephony *t)
{
	struct tc_mix *mix, *next;

	HASH_ITER(hh, t->mixes, mix, next) {
		mix->is_gone = true;
		tc_play_lost(t, mix);
	}
}

static void forget_freed(struct telephony *t)
{
	struct tc_mix *mix, *next;

	t->is_syncing = false;
	HASH_ITER(hh, t->mixes, mix, next)
		if (mix->is_freed)
			tc_mix_forget(t, mix);
}

void tc_on_link(struct telephony *t, const struct tel_fact *fact)
{
	bool was_up = t->link != TC_DOWN;

	if (fact->link_up) {
		t->link = TC_SYNCING;
		t->is_syncing = true;
		if (t->epoch && fact->epoch != t->epoch)
			forget_mixes(t);
		t->epoch = fact->epoch;
	} else {
		t->link = TC_DOWN;
		tc_send_drop(t);
		tc_found_done(t);
		forget_freed(t);
	}
	if (was_up != fact->link_up)
		tell_link(t, fact->link_up);
}

void tc_on_sync_begin(struct telephony *t)
{
	struct tc_mix *mix, *next;
	struct tc_leg *leg, *next_leg;

	t->is_syncing = true;
	HASH_ITER(hh, t->mixes, mix, next)
		mix->is_seen = false;
	HASH_ITER(hh, t->legs, leg, next_leg)
		leg->is_seen = leg->is_seen_up = leg->is_seen_rung = false;
	tc_found_done(t);
}

void tc_on_leg_seen(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_leg *leg = tc_leg_find(t, fact->leg);

	if (!leg) {
		tc_found_leg(t, fact);
		return;
	}
	leg->is_seen = true;
	leg->is_seen_up = fact->is_up;
	leg->is_seen_rung = fact->on;
	str_copy(leg->seen_mix, sizeof leg->seen_mix, fact->mix);
}

void tc_on_mix_seen(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_mix *mix = tc_mix_find(t, fact->mix);

	if (mix)
		mix->is_seen = true;
	else
		tc_found_mix(t, fact->mix);
}

static void repair_mix(struct telephony *t, struct tc_mix *mix)
{
	const struct tc_leg *leg;

	mix->is_gone = false;
	if (!mix->is_seen)
		tc_send_mix(t, TC_MIX_MAKE, mix->id);
	if (!mix->has_music)
		tc_send_music(t, mix->id, false);
	DL_FOREACH(mix->legs, leg)
		tc_send_both(t, TC_MIX_ADD, mix->id, leg->id);
	if (mix->has_music)
		tc_send_music(t, mix->id, true);
}

/* An agent's leg that should be nowhere may still be where it was before the hold. */
static void repair_line(struct telephony *t, const struct tc_line *line)
{
	const struct tc_call *call;

	if (!line->leg || !line->leg->is_up)
		return;
	tc_send_mute(t, line->leg->id, TEL_MUTE_VOICE, line->leg->is_muted);
	tc_send_mute(t, line->leg->id, TEL_MUTE_EAR, line->leg->is_deaf);
	if (line->leg->mix)
		return;
	DL_FOREACH2(line->calls, call, line_next)
		if (call->mix)
			tc_send_both(t, TC_MIX_REMOVE, call->mix->id, line->leg->id);
}

static void repair_call(struct telephony *t, struct tc_call *call)
{
	if (call->state == TC_OFFERED)
		tc_send_leg(t, TC_LEG_RING, call->far->id);
	if (call->is_answered && !call->far->is_up && call->state != TC_ENDING)
		tc_send_leg(t, TC_LEG_ANSWER, call->far->id);
	while (call->dtmf_count > 0) {
		struct tel_call_fact *fact = tc_tell(t, TELCALL_OP_FAILED, call);
		fact->token = call->dtmf[--call->dtmf_count].user_token;
		str_copy(fact->text, sizeof fact->text, "dtmf.lost");
	}
}

static void repair(struct telephony *t)
{
	struct tc_mix *mix, *next_mix;
	struct tc_line *line, *next_line;
	struct tc_call *call, *next_call;
	struct tc_leg *leg, *next_leg;

	HASH_ITER(hh, t->mixes, mix, next_mix)
		repair_mix(t, mix);
	tc_records_repair(t);
	HASH_ITER(hh, t->lines, line, next_line)
		repair_line(t, line);
	HASH_ITER(hh, t->calls, call, next_call)
		repair_call(t, call);
	HASH_ITER(hh, t->legs, leg, next_leg)
		if (leg->hangup_cause)
			tc_send_hangup(t, leg->id, leg->hangup_cause);
}

/* No leg is freed by this, so the list stays whole. */
static void notice_answers(struct telephony *t)
{
	struct tc_leg *leg, *next;

	HASH_ITER(hh, t->legs, leg, next)
		if (leg->is_seen_up)
			tc_leg_up(t, leg);
}

void tc_on_sync_end(struct telephony *t)
{
	t->link = TC_UP;
	tc_restore_take(t);
	tc_found_take(t);
	tc_restore_settle(t);
	tc_found_settle(t);
	forget_freed(t);
	t->repair_from = t->next_token + 1;
	repair(t);
	t->repair_count = t->next_token + 1 - t->repair_from;
	notice_answers(t);
	tc_keep_all(t);
	tc_tell(t, TELCALL_SYNCED, NULL);
	tc_pace_run(t);
}
