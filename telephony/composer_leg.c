#include "telephony/composer.h"

#include <assert.h>
#include <stdlib.h>

#include "base/str.h"

struct tc_leg *tc_leg_find(struct telephony *t, const char *id)
{
	struct tc_leg *leg;

	HASH_FIND_STR(t->legs, id, leg);
	return leg;
}

struct tc_leg *tc_leg_create(struct telephony *t, const char *id, enum tc_role role)
{
	struct tc_leg *leg = xcalloc(1, sizeof *leg);

	str_copy(leg->id, sizeof leg->id, id);
	leg->role = role;
	HASH_ADD_STR(t->legs, id, leg);
	return leg;
}

void tc_leg_free(struct telephony *t, struct tc_leg *leg)
{
	tc_mix_strike(leg);
	HASH_DEL(t->legs, leg);
	free(leg);
}

/* The hang-up takes it out of its mix too. */
void tc_leg_hangup(struct telephony *t, struct tc_leg *leg, int cause)
{
	if (leg->hangup_cause)
		return;
	tc_mix_strike(leg);
	leg->hangup_cause = cause;
	tc_send_hangup(t, leg->id, cause);
}

struct tc_mix *tc_mix_find(struct telephony *t, const char *id)
{
	struct tc_mix *mix;

	HASH_FIND_STR(t->mixes, id, mix);
	return mix;
}

struct tc_mix *tc_mix_enter(struct telephony *t, const char *id)
{
	struct tc_mix *mix = xcalloc(1, sizeof *mix);

	str_copy(mix->id, sizeof mix->id, id);
	HASH_ADD_STR(t->mixes, id, mix);
	return mix;
}

void tc_mix_rename(struct telephony *t, struct tc_mix *mix, const char *id)
{
	HASH_DEL(t->mixes, mix);
	str_copy(mix->id, sizeof mix->id, id);
	HASH_ADD_STR(t->mixes, id, mix);
}

struct tc_mix *tc_mix_create(struct telephony *t, const char *call)
{
	char id[TEL_ID_SIZE];

	str_format(id, sizeof id, "%s-m-%s", t->node, call);
	struct tc_mix *mix = tc_mix_enter(t, id);
	tc_send_mix(t, TC_MIX_MAKE, mix->id);
	return mix;
}

unsigned tc_mix_parties(const struct tc_mix *mix)
{
	const struct tc_leg *leg;
	unsigned parties = 0;

	DL_FOREACH(mix->legs, leg)
		parties += leg->role != TC_AGENT;
	return parties;
}

/* One answered party alone. */
static bool wants_music(const struct tc_mix *mix)
{
	const struct tc_leg *only = mix->legs;

	return only && !only->next && only->is_up && only->role != TC_AGENT;
}

static void tune(struct telephony *t, struct tc_mix *mix)
{
	bool wants = wants_music(mix);

	if (mix->has_music == wants)
		return;
	mix->has_music = wants;
	if (!mix->is_gone)
		tc_send_music(t, mix->id, wants);
}

void tc_mix_strike(struct tc_leg *leg)
{
	if (!leg->mix)
		return;
	DL_DELETE(leg->mix->legs, leg);
	leg->mix = NULL;
}

void tc_mix_enlist(struct telephony *t, struct tc_mix *mix, struct tc_leg *leg)
{
	tc_mix_strike(leg);
	DL_APPEND(mix->legs, leg);
	leg->mix = mix;
	/* The music ends before the party comes: nobody hears both. */
	if (!wants_music(mix))
		tune(t, mix);
}

void tc_mix_add(struct telephony *t, struct tc_mix *mix, struct tc_leg *leg)
{
	if (leg->mix == mix)
		return;
	tc_mix_enlist(t, mix, leg);
	if (!mix->is_gone)
		tc_send_both(t, TC_MIX_ADD, mix->id, leg->id);
}

void tc_mix_remove(struct telephony *t, struct tc_leg *leg)
{
	if (!leg->mix)
		return;
	if (!leg->mix->is_gone)
		tc_send_both(t, TC_MIX_REMOVE, leg->mix->id, leg->id);
	tc_mix_strike(leg);
}

void tc_mix_forget(struct telephony *t, struct tc_mix *mix)
{
	tc_play_lost(t, mix);
	tc_records_stop(t, mix);
	HASH_DEL(t->mixes, mix);
	free(mix);
}

void tc_mix_settle(struct telephony *t, struct tc_mix *mix)
{
	if (!mix)
		return;
	if (mix->calls || tc_mix_parties(mix) >= 2) {
		tune(t, mix);
		return;
	}
	while (mix->legs) {
		assert(mix->legs->role != TC_AGENT);
		tc_leg_hangup(t, mix->legs, 16);
	}
	tc_records_stop(t, mix);
	if (!mix->is_gone)
		tc_send_mix(t, TC_MIX_FREE, mix->id);
	mix->is_freed = true;
	if (!t->is_syncing)
		tc_mix_forget(t, mix);
}
