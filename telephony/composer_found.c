/* What a comparison shows at the switch and nobody here knows: an earlier life of this gateway has
 * left it, or it is somebody else's. */
#include "telephony/composer.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/str.h"

bool tc_is_ours(const struct telephony *t, const char *id, const char *kinds)
{
	size_t length = strlen(t->node);

	return strncmp(id, t->node, length) == 0 && id[length] == '-' && id[length + 1] &&
	       strchr(kinds, id[length + 1]) && id[length + 2] == '-';
}

/* Of legs only; "i" is what a driver may put in front of a caller's own name. */
static char kind_of(const struct telephony *t, const struct tc_found *found)
{
	return tc_is_ours(t, found->id, "acti") ? found->id[strlen(t->node) + 1] : '?';
}

static struct tc_found *keep(struct telephony *t, const char *id)
{
	struct tc_found *found = xcalloc(1, sizeof *found);

	str_copy(found->id, sizeof found->id, id);
	DL_APPEND(t->found, found);
	return found;
}

void tc_found_leg(struct telephony *t, const struct tel_fact *fact)
{
	if (!tc_is_ours(t, fact->leg, "acti") && !tc_is_ours(t, fact->mix, "m"))
		return;
	struct tc_found *found = keep(t, fact->leg);
	str_copy(found->tag, sizeof found->tag, fact->tag);
	str_copy(found->mix, sizeof found->mix, fact->mix);
	found->is_up = fact->is_up;
	found->has_rung = fact->on;
}

void tc_found_mix(struct telephony *t, const char *id)
{
	if (tc_is_ours(t, id, "m"))
		keep(t, id)->is_mix = true;
}

static void found_free(struct telephony *t, struct tc_found *found)
{
	DL_DELETE(t->found, found);
	free(found);
}

void tc_found_forget(struct telephony *t, const char *leg)
{
	struct tc_found *found, *next;

	DL_FOREACH_SAFE(t->found, found, next)
		if (!found->is_mix && strcmp(found->id, leg) == 0)
			found_free(t, found);
}

void tc_found_done(struct telephony *t)
{
	while (t->found)
		found_free(t, t->found);
}

bool tc_found_take_mix(struct telephony *t, const char *id)
{
	struct tc_found *found;

	DL_FOREACH(t->found, found)
		if (found->is_mix && !found->is_kept && strcmp(found->id, id) == 0)
			return found->is_kept = true;
	return false;
}

/* ---- for restored calls ---- */

/* The better of two candidates is taken first: one that talks where it should, one that is up, one
 * that rings. */
enum score { NEVER, RINGS, IS_UP, IS_IN_PLACE, SCORE_COUNT };

static enum score score_agent(const struct tc_found *found, const struct tc_line *line)
{
	if (!line || !line->is_restored || line->leg || !tc_line_wants_audio(line))
		return NEVER;
	if (!found->is_up)
		return tc_line_is_awaited(line) ? RINGS : NEVER;
	return line->mix && strcmp(line->mix->id, found->mix) == 0 ? IS_IN_PLACE : IS_UP;
}

/* One that neither rings nor is in the mix has not been called yet, and never will be. */
static enum score score_target(const struct tc_found *found, const struct tc_call *call)
{
	if (!call || !call->is_restored || call->state != TC_TRANSFERRING || call->target)
		return NEVER;
	if (found->is_up)
		return IS_UP;
	return found->has_rung || found->mix[0] ? RINGS : NEVER;
}

static void take_target(struct tc_call *call, const struct tc_found *found)
{
	struct telephony *t = call->telephony;

	call->target = tc_leg_create(t, found->id, TC_TARGET);
	call->target->call = call;
	call->target->is_seen = true;
	call->target->is_seen_up = found->is_up;
	tc_mix_enlist(t, call->mix, call->target);
}

static void take(struct telephony *t, struct tc_found *found, enum score score)
{
	if (kind_of(t, found) == 'a') {
		struct tc_line *line = tc_line_find(t, found->tag);
		found->is_kept = score_agent(found, line) == score;
		if (found->is_kept)
			tc_line_take(line, found->id, found->is_up);
	}
	if (kind_of(t, found) == 't') {
		struct tc_call *call = tc_call_find(t, found->tag);
		found->is_kept = score_target(found, call) == score;
		if (found->is_kept)
			take_target(call, found);
	}
}

void tc_found_take(struct telephony *t)
{
	struct tc_found *found;

	for (enum score score = IS_IN_PLACE; score > NEVER; score--)
		DL_FOREACH(t->found, found)
			if (!found->is_mix && !found->is_kept)
				take(t, found, score);
}

/* ---- for nobody ---- */

static bool is_party_in(struct telephony *t, const struct tc_found *found, const char *mix)
{
	return !found->is_mix && !found->is_kept && found->is_up && kind_of(t, found) != 'a' &&
	       strcmp(found->mix, mix) == 0 && !tc_leg_find(t, found->id);
}

static void keep_party(struct telephony *t, struct tc_mix *mix, struct tc_found *found)
{
	struct tc_leg *leg = tc_leg_create(t, found->id, TC_FAR);

	leg->is_up = true;
	tc_mix_enlist(t, mix, leg);
	found->is_kept = true;
}

/* Two who talk without us have been left to themselves by an earlier life. */
static void keep_parties(struct telephony *t, struct tc_found *mix)
{
	struct tc_found *found;
	unsigned parties = 0;

	DL_FOREACH(t->found, found)
		parties += is_party_in(t, found, mix->id);
	if (parties < 2 || tc_mix_find(t, mix->id))
		return;
	struct tc_mix *kept = tc_mix_enter(t, mix->id);
	kept->is_seen = mix->is_kept = true;
	DL_FOREACH(t->found, found)
		if (is_party_in(t, found, mix->id))
			keep_party(t, kept, found);
}

/* A caller who is not up will be offered. */
static void remove_leg(struct telephony *t, const struct tc_found *found)
{
	if (tc_is_ours(t, found->id, found->is_up ? "acti" : "act") && !tc_leg_find(t, found->id) &&
	    !PLANTED(10))
		tc_send_hangup(t, found->id, 16);
}

void tc_found_settle(struct telephony *t)
{
	struct tc_found *found;

	DL_FOREACH(t->found, found)
		if (found->is_mix && !found->is_kept)
			keep_parties(t, found);
	DL_FOREACH(t->found, found)
		if (!found->is_mix && !found->is_kept)
			remove_leg(t, found);
	DL_FOREACH(t->found, found)
		if (found->is_mix && !found->is_kept && !tc_mix_find(t, found->id))
			tc_send_mix(t, TC_MIX_FREE, found->id);
	tc_found_done(t);
}
