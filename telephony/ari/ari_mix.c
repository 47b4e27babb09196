#include "telephony/ari/ari_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* A sound that has not ended by then never will: Asterisk says nothing when a bridge goes or a
 * sound cannot be had. One whose length is known may take so much longer: it is fetched first. */
#define PLAY_MAX_MS  (60 * 60 * 1000)
#define PLAY_LATE_MS 10000
#define STOP_MAX_MS  2000

struct ari_mix *ari_mix_find(struct ari *ari, const char *id)
{
	struct ari_mix *mix;

	HASH_FIND_STR(ari->mixes, id, mix);
	return mix;
}

struct ari_mix *ari_mix_create(struct ari *ari, const char *id)
{
	struct ari_mix *mix = xcalloc(1, sizeof *mix);

	mix->ari = ari;
	str_copy(mix->id, sizeof mix->id, id);
	HASH_ADD_STR(ari->mixes, id, mix);
	return mix;
}

void ari_mix_destroy(struct ari *ari, struct ari_mix *mix)
{
	struct ari_play *play, *next;

	HASH_ITER(hh, ari->plays, play, next)
		if (strcmp(play->mix, mix->id) == 0)
			ari_play_end(play, "stopped");
	ari_records_mix_gone(ari, mix->id);
	HASH_DEL(ari->mixes, mix);
	free(mix);
}

/* ---- sounds ---- */

struct ari_play *ari_play_find(struct ari *ari, const char *id)
{
	struct ari_play *play;

	HASH_FIND_STR(ari->plays, id, play);
	return play;
}

static void on_play_too_long(void *arg)
{
	struct ari_play *play = arg;
	struct ari *ari = play->ari;

	if (!play->is_stop_asked)
		ari_send(ari, ari_ignore_answer, NULL, "DELETE playbacks/%s", play->id);
	ari_play_end(play, "failed");
	ari_flush(ari);
}

struct ari_play *ari_play_create(struct ari *ari, const char *id, const char *mix,
				 unsigned length_ms)
{
	struct ari_play *play = xcalloc(1, sizeof *play);

	play->ari = ari;
	str_copy(play->id, sizeof play->id, id);
	str_copy(play->mix, sizeof play->mix, mix);
	HASH_ADD_STR(ari->plays, id, play);
	ari_timer_in(ari, &play->timer, on_play_too_long, play,
		     length_ms ? length_ms + PLAY_LATE_MS : PLAY_MAX_MS);
	return play;
}

void ari_play_destroy(struct ari_play *play)
{
	ari_timer_stop(play->ari, &play->timer);
	HASH_DEL(play->ari->plays, play);
	free(play);
}

void ari_play_end(struct ari_play *play, const char *outcome)
{
	struct tel_fact fact = {.kind = TEL_PLAY_ENDED};

	str_copy(fact.play, sizeof fact.play, play->id);
	str_copy(fact.text, sizeof fact.text, play->is_stop_asked ? "stopped" : outcome);
	ari_tell(play->ari, fact);
	ari_play_destroy(play);
}

void ari_play_stop(struct ari_play *play)
{
	if (play->is_stop_asked)
		return;
	play->is_stop_asked = true;
	ari_send(play->ari, ari_ignore_answer, NULL, "DELETE playbacks/%s", play->id);
	ari_timer_in(play->ari, &play->timer, on_play_too_long, play, STOP_MAX_MS);
}

void ari_plays_free(struct ari *ari)
{
	struct ari_play *play, *next;

	HASH_ITER(hh, ari->plays, play, next)
		ari_play_destroy(play);
}
