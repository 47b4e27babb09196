/* Who hears whom, in words instead of sound. */
#include "telephony/sim/sim_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define SOUNDS_MAX 64

struct sounds {
	const char *items[SOUNDS_MAX];
	unsigned count;
};

static void add(struct sounds *sounds, const char *item)
{
	if (item && sounds->count < SOUNDS_MAX)
		sounds->items[sounds->count++] = item;
}

static bool hears_its_mix(const struct sim_leg *leg)
{
	return (leg->phase == SIM_UP || leg->phase == SIM_EARLY) && !leg->is_holding;
}

/* What one leg gives to the others in its mix. */
static const char *voice_of(const struct sim_leg *leg)
{
	switch (leg->phase) {
	case SIM_RINGING:
		return "ringback";
	case SIM_EARLY:
	case SIM_UP:
		return leg->mute & TEL_MUTE_VOICE || leg->is_holding ? NULL : leg->party;
	default:
		return NULL;
	}
}

static void add_mix(struct sounds *sounds, const struct sim_leg *leg)
{
	const struct sim_mix *mix = leg->mix;
	const struct sim_leg *other;
	const struct sim_play *play;

	if (mix->kind == TEL_MIX_TALK)
		DL_FOREACH(mix->legs, other)
			if (other != leg)
				add(sounds, voice_of(other));
	if (mix->has_music)
		add(sounds, "music");
	DL_FOREACH(mix->plays, play)
		add(sounds, play->sound);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void join(struct sounds *sounds, char *buffer, unsigned size)
{
	size_t used = 0;

	qsort(sounds->items, sounds->count, sizeof *sounds->items, by_name);
	buffer[0] = '\0';
	for (unsigned i = 0; i < sounds->count; i++) {
		if (i > 0 && strcmp(sounds->items[i], sounds->items[i - 1]) == 0)
			continue;
		size_t length = strlen(sounds->items[i]);
		if (used + length + 2 > size)
			return;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? "+" : "",
					 sounds->items[i]);
	}
}

static void hear(const struct sim_leg *leg, char *buffer, unsigned size)
{
	struct sounds sounds = {.count = 0};
	char tones[5 + TEL_DIGITS_SIZE];

	if (leg->tones) {
		snprintf(tones, sizeof tones, "dtmf:%s", leg->tones->digits);
		add(&sounds, tones);
	}
	if (leg->is_inbound && leg->phase == SIM_NEW && leg->was_rung)
		add(&sounds, "ringback");
	if (leg->mix && hears_its_mix(leg) && !(leg->mute & TEL_MUTE_EAR))
		add_mix(&sounds, leg);
	join(&sounds, buffer, size);
}

void sim_heard_in(const struct sim_mix *mix, char *buffer, unsigned size)
{
	struct sounds sounds = {.count = 0};
	const struct sim_leg *leg;
	const struct sim_play *play;

	if (mix->kind == TEL_MIX_TALK)
		DL_FOREACH(mix->legs, leg)
			add(&sounds, voice_of(leg));
	if (mix->has_music)
		add(&sounds, "music");
	DL_FOREACH(mix->plays, play)
		add(&sounds, play->sound);
	join(&sounds, buffer, size);
}

void sim_heard_by(struct sim *sim, const char *id, char *buffer, unsigned size)
{
	struct sim_leg *leg = sim_leg_find(sim, id);

	if (size == 0)
		return;
	buffer[0] = '\0';
	if (leg)
		hear(leg, buffer, size);
}

static const char *state_word(const struct sim_leg *leg)
{
	switch (leg->phase) {
	case SIM_UP:
		return "up";
	case SIM_RINGING:
	case SIM_EARLY:
		return "ringing";
	default:
		return leg->was_rung ? "ringing" : "new";
	}
}

static void view(const struct sim_leg *leg, struct sim_leg_view *view)
{
	*view = (struct sim_leg_view){
		.is_inbound = leg->is_inbound,
		.is_station = leg->is_station,
		.made_us = leg->made_us,
		.up_us = leg->up_us,
	};
	str_copy(view->leg, sizeof view->leg, leg->id);
	str_copy(view->party, sizeof view->party, leg->party);
	str_copy(view->mix, sizeof view->mix, leg->mix ? leg->mix->id : "");
	str_copy(view->tag, sizeof view->tag, leg->tag);
	str_copy(view->shown, sizeof view->shown, leg->is_inbound ? "" : leg->number);
	str_copy(view->state, sizeof view->state, state_word(leg));
	str_copy(view->digits, sizeof view->digits, leg->received);
	hear(leg, view->hears, sizeof view->hears);
}

unsigned sim_legs(struct sim *sim, struct sim_leg_view *views, unsigned max)
{
	struct sim_leg *leg, *next;
	unsigned count = 0;

	HASH_ITER(hh, sim->legs, leg, next) {
		if (leg->phase == SIM_GONE)
			continue;
		if (count < max)
			view(leg, &views[count]);
		count++;
	}
	return count;
}

unsigned sim_mixes(struct sim *sim)
{
	return HASH_COUNT(sim->mixes);
}
