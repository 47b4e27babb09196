#include "telephony/sim/sim_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LATE_MS	    2000
#define AGAIN_MS    1000
#define NO_SUCH_MIX "no such mix"

struct sim_mix *sim_mix_find(struct sim *sim, const char *id)
{
	struct sim_mix *mix;

	HASH_FIND_STR(sim->mixes, id, mix);
	return mix;
}

static void tell_membership(struct sim_leg *leg, enum tel_fact_kind kind, const struct sim_mix *mix)
{
	struct tel_fact fact = {.kind = kind};

	str_copy(fact.mix, sizeof fact.mix, mix->id);
	sim_tell(leg->sim, leg, &fact);
}

void sim_mix_part(struct sim_leg *leg, bool is_told)
{
	struct sim_mix *mix = leg->mix;

	if (!mix)
		return;
	DL_DELETE(mix->legs, leg);
	leg->mix = NULL;
	if (is_told)
		tell_membership(leg, TEL_LEG_LEFT, mix);
}

void sim_mix_join(struct sim_mix *mix, struct sim_leg *leg)
{
	if (leg->mix == mix)
		return;
	sim_mix_part(leg, true);
	DL_APPEND(mix->legs, leg);
	leg->mix = mix;
	tell_membership(leg, TEL_LEG_JOINED, mix);
}

static void play_free(struct sim_play *play)
{
	sim_stop(play->sim, &play->timer);
	HASH_DEL(play->sim->plays, play);
	free(play);
}

/* A play's end is always told, if need be later: a caller may be waiting for it. */
static void on_play_end_told(void *arg)
{
	struct sim_play *play = arg;
	struct tel_fact fact = {.kind = TEL_PLAY_ENDED};

	if (!play->sim->is_linked) {
		sim_start(play->sim, &play->timer, on_play_end_told, play, AGAIN_MS);
		return;
	}
	str_copy(fact.text, sizeof fact.text, play->outcome);
	str_copy(fact.play, sizeof fact.play, play->id);
	sim_tell(play->sim, NULL, &fact);
	play_free(play);
}

static void play_over(struct sim_play *play, const char *outcome)
{
	if (!play->mix)
		return;
	DL_DELETE(play->mix->plays, play);
	play->mix->plays_count--;
	play->mix = NULL;
	play->outcome = outcome;
	sim_start(play->sim, &play->timer, on_play_end_told, play,
		  play->sim->loses_play_ends ? LATE_MS : 0);
}

static void on_sound_over(void *arg)
{
	play_over(arg, "ok");
}

void sim_plays_free(struct sim *sim)
{
	struct sim_play *play, *next;

	HASH_ITER(hh, sim->plays, play, next)
		play_free(play);
}

void sim_mix_free(struct sim *sim, struct sim_mix *mix)
{
	while (mix->plays)
		play_over(mix->plays, "stopped");
	sim_records_end(mix);
	while (mix->legs)
		sim_mix_part(mix->legs, true);
	HASH_DEL(sim->mixes, mix);
	free(mix);
}

void sim_op_mix_make(struct sim *sim, const struct sim_op *op)
{
	if (sim_mix_find(sim, op->mix))
		return; /* asked for twice after a lost link */
	if (HASH_COUNT(sim->mixes) >= sim->config.max_legs) {
		sim_tell_failure(sim, op, "too many mixes");
		return;
	}
	struct sim_mix *mix = xcalloc(1, sizeof *mix);
	str_copy(mix->id, sizeof mix->id, op->mix);
	mix->kind = op->mix_kind;
	HASH_ADD_STR(sim->mixes, id, mix);
}

/* NULL, and told, when there is none. */
static struct sim_mix *mix_of(struct sim *sim, const struct sim_op *op)
{
	struct sim_mix *mix = sim_mix_find(sim, op->mix);

	if (!mix)
		sim_tell_failure(sim, op, NO_SUCH_MIX);
	return mix;
}

void sim_op_mix_free(struct sim *sim, const struct sim_op *op)
{
	struct sim_mix *mix = mix_of(sim, op);

	if (mix)
		sim_mix_free(sim, mix);
}

void sim_op_mix_add(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);
	struct sim_mix *mix = mix_of(sim, op);

	if (leg && mix)
		sim_mix_join(mix, leg);
}

void sim_op_mix_remove(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);
	struct sim_mix *mix = mix_of(sim, op);

	if (leg && mix && leg->mix == mix)
		sim_mix_part(leg, true);
}

void sim_op_mix_music(struct sim *sim, const struct sim_op *op)
{
	struct sim_mix *mix = mix_of(sim, op);

	if (mix)
		mix->has_music = op->on;
}

void sim_op_mix_play(struct sim *sim, const struct sim_op *op)
{
	struct sim_mix *mix = mix_of(sim, op);
	struct sim_play *play;

	if (!mix)
		return;
	HASH_FIND_STR(sim->plays, op->play, play);
	if (play || mix->plays_count >= SIM_PLAYS_MAX) {
		sim_tell_failure(sim, op, play ? "the id is in use" : "too many sounds at once");
		return;
	}
	play = xcalloc(1, sizeof *play);
	play->sim = sim;
	play->mix = mix;
	str_copy(play->id, sizeof play->id, op->play);
	str_copy(play->sound, sizeof play->sound, op->sound);
	HASH_ADD_STR(sim->plays, id, play);
	DL_APPEND(mix->plays, play);
	mix->plays_count++;
	if (strncmp(play->sound, "missing", strlen("missing")) == 0)
		play_over(play, "failed");
	else
		sim_start(sim, &play->timer, on_sound_over, play, SIM_SOUND_MS);
}

void sim_op_play_stop(struct sim *sim, const struct sim_op *op)
{
	struct sim_play *play;

	HASH_FIND_STR(sim->plays, op->play, play);
	if (play)
		play_over(play, "stopped");
}
