/* Prompts. A sound is always played into the mix, never on a leg: Asterisk lets every later request
 * of every call wait while a channel it is to move plays something (docs/telephony.md). A prompt
 * for the customer alone is played into the mix too, and the agent's ear is shut meanwhile. A mix
 * has one prompt: the next takes the place of the one before. */
#include "telephony/composer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void set_ear(struct telephony *t, struct tc_leg *leg, bool is_deaf)
{
	leg->is_deaf = is_deaf;
	if (!leg->hangup_cause)
		tc_send_mute(t, leg->id, TEL_MUTE_EAR, is_deaf);
}

/* The one place where a prompt's end is told. */
static void play_over(struct telephony *t, struct tc_play *play, const char *outcome)
{
	struct tc_leg *ear = tc_leg_find(t, play->ear);
	const struct tc_call *call = tc_call_find(t, play->call);

	play->mix->play = NULL;
	if (ear && ear->is_deaf)
		set_ear(t, ear, false);
	if (call) {
		struct tel_call_fact *fact = tc_tell(t, TELCALL_PLAY_ENDED, call);
		str_copy(fact->text, sizeof fact->text, outcome);
	}
	HASH_DEL(t->plays, play);
	free(play);
}

void tc_play_stop(struct telephony *t, struct tc_mix *mix)
{
	struct tc_op op = {.kind = TC_PLAY_STOP};

	if (!mix || !mix->play)
		return;
	str_copy(op.play, sizeof op.play, mix->play->id);
	tc_send(t, &op);
	play_over(t, mix->play, "stopped");
}

void tc_play_leave(const struct tc_call *call)
{
	if (call->mix && call->mix->play && strcmp(call->mix->play->call, call->id) == 0)
		tc_play_stop(call->telephony, call->mix);
}

void tc_play_lost(struct telephony *t, struct tc_mix *mix)
{
	if (mix->play)
		play_over(t, mix->play, "stopped");
}

void tc_play_ended(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_play *play;

	HASH_FIND_STR(t->plays, fact->play, play);
	if (play)
		play_over(t, play, fact->text);
}

bool tc_play_failed(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_mix *mix = tc_mix_find(t, fact->mix);

	if (!mix || !mix->play || mix->play->token != fact->token)
		return false;
	play_over(t, mix->play, "failed");
	return true;
}

void tc_plays_done(struct telephony *t)
{
	struct tc_play *play, *next;

	HASH_ITER(hh, t->plays, play, next) {
		HASH_DEL(t->plays, play);
		free(play);
	}
}

static enum status check_play(struct telephony *t, const struct tc_call *call, const char *sound,
			      struct err *err)
{
	if (!tel_is_id(sound))
		return err_set(err, ST_INVALID, "sound.invalid", "filename",
			       "a sound's name is 1 to 64 of A-Z a-z 0-9 _ -");
	if (!(tel_driver_capabilities(t->driver) & TEL_CAN_PLAY))
		return err_set(err, ST_UNSUPPORTED, "sound.unsupported", "",
			       "this telephone switch plays no sounds");
	return call->state == TC_TALK ? ST_OK : tc_not_up(call, err);
}

static void begin(struct tc_call *call, const struct tc_op *op, enum tel_hearers who)
{
	struct telephony *t = call->telephony;
	struct tc_play *play = xcalloc(1, sizeof *play);

	play->mix = call->mix;
	play->token = op->token;
	str_copy(play->id, sizeof play->id, op->play);
	str_copy(play->call, sizeof play->call, call->id);
	HASH_ADD_STR(t->plays, id, play);
	call->mix->play = play;
	if (who != TEL_HEARD_BY_CUSTOMER || !call->line || !call->line->leg)
		return;
	str_copy(play->ear, sizeof play->ear, call->line->leg->id);
	set_ear(t, call->line->leg, true);
}

enum status telephony_play(struct telephony *t, const char *id, const char *sound,
			   enum tel_hearers who, struct err *err)
{
	struct tc_op op = {.kind = TC_PLAY};
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status == ST_OK)
		status = check_play(t, call, sound, err);
	if (status != ST_OK)
		return status;
	op.token = ++t->next_token;
	str_copy(op.mix, sizeof op.mix, call->mix->id);
	str_copy(op.sound, sizeof op.sound, sound);
	str_format(op.play, sizeof op.play, "%s-p-%" PRIu64, t->node, ++t->next_serial);
	status = tc_send_now(t, &op);
	if (status != ST_OK)
		return err_set(err, status, "switch.busy", "filename",
			       "the telephone switch could not take the sound");
	tc_play_stop(t, call->mix);
	begin(call, &op, who);
	return ST_OK;
}

enum status telephony_play_stop(struct telephony *t, const char *id, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status == ST_OK)
		tc_play_leave(call);
	return status;
}
