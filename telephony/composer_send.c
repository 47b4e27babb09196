/* Operations on their way to the driver. When its queue is full they wait here, in order, and
 * commands are refused meanwhile; so what waits are only the next steps of calls under way. When
 * the link is away they are dropped: the next resync asserts what should be so. */
#include "telephony/composer.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/str.h"

#define TONE_MS 100

static enum status give(struct telephony *t, const struct tc_op *op)
{
	struct tel_driver *driver = t->driver;

	switch (op->kind) {
	case TC_LEG_MAKE:
		return tel_leg_make(driver, op->token, op->leg, &op->dest, &op->options);
	case TC_LEG_RING:
		return tel_leg_ring(driver, op->token, op->leg);
	case TC_LEG_ANSWER:
		return tel_leg_answer(driver, op->token, op->leg);
	case TC_LEG_HANGUP:
		return tel_leg_hangup(driver, op->token, op->leg, op->cause);
	case TC_LEG_DTMF:
		return tel_leg_dtmf(driver, op->token, op->leg, op->digits, TONE_MS, TONE_MS);
	case TC_LEG_MUTE:
		return tel_leg_mute(driver, op->token, op->leg, op->mute, op->on);
	case TC_MIX_MAKE:
		return tel_mix_make(driver, op->token, op->mix, TEL_MIX_TALK);
	case TC_MIX_FREE:
		return tel_mix_free(driver, op->token, op->mix);
	case TC_MIX_ADD:
		return tel_mix_add(driver, op->token, op->mix, op->leg);
	case TC_MIX_REMOVE:
		return tel_mix_remove(driver, op->token, op->mix, op->leg);
	case TC_MIX_MUSIC:
		return tel_mix_music(driver, op->token, op->mix, op->on);
	case TC_PLAY:
		return tel_mix_play(driver, op->token, op->mix, op->play, op->sound);
	case TC_PLAY_STOP:
		return tel_play_stop(driver, op->token, op->play);
	case TC_RECORD:
		return tel_mix_record(driver, op->token, op->mix, op->record);
	case TC_RECORD_PAUSE:
		return tel_record_pause(driver, op->token, op->record, op->on);
	case TC_RECORD_STOP:
		return tel_record_stop(driver, op->token, op->record);
	}
	return ST_INTERNAL;
}

static enum status run(struct telephony *t, const struct tc_op *op)
{
	FAILPOINT("composer.send");
	enum status status = give(t, op);
	FAILPOINT("composer.sent");
	return status;
}

/* For the rest of the composer such a leg has existed and ended, like any other that fails. */
static void on_refused(void *arg)
{
	struct telephony *t = arg;

	while (t->refused) {
		struct tc_refused *refused = t->refused;
		struct tel_fact fact = {.kind = TEL_LEG_ENDED, .result = TEL_LOST};
		str_copy(fact.leg, sizeof fact.leg, refused->leg);
		fact.at_us = clock_wall_us(t->clock);
		DL_DELETE(t->refused, refused);
		free(refused);
		tc_on_fact(t, &fact);
	}
}

static void refuse(struct telephony *t, const struct tc_op *op)
{
	struct tc_mix *mix = op->kind == TC_MIX_MAKE ? tc_mix_find(t, op->mix) : NULL;

	if (mix)
		mix->is_gone = true;
	if (op->kind != TC_LEG_MAKE)
		return;
	struct tc_refused *refused = xcalloc(1, sizeof *refused);
	str_copy(refused->leg, sizeof refused->leg, op->leg);
	DL_APPEND(t->refused, refused);
	t->refused_timer.fire = on_refused;
	t->refused_timer.arg = t;
	timer_set(t->timers, &t->refused_timer, clock_mono_us(t->clock));
}

static void op_free(struct telephony *t, struct tc_op *op)
{
	DL_DELETE(t->waiting, op);
	free(op);
}

static void retry(void *arg);

static void retry_soon(struct telephony *t)
{
	t->retry_timer.fire = retry;
	t->retry_timer.arg = t;
	timer_set(t->timers, &t->retry_timer, clock_mono_us(t->clock) + TC_RETRY_MS * 1000);
}

static void retry(void *arg)
{
	struct telephony *t = arg;

	while (t->waiting) {
		enum status status = run(t, t->waiting);
		if (status == ST_BUSY) {
			retry_soon(t);
			return;
		}
		if (status != ST_OK)
			refuse(t, t->waiting);
		op_free(t, t->waiting);
	}
}

static void wait_for_room(struct telephony *t, const struct tc_op *op)
{
	struct tc_op *waiting = xmalloc(sizeof *waiting);

	*waiting = *op;
	DL_APPEND(t->waiting, waiting);
	if (!timer_is_set(&t->retry_timer))
		retry_soon(t);
}

void tc_send(struct telephony *t, const struct tc_op *wanted)
{
	struct tc_op op = *wanted;

	op.token = ++t->next_token;
	enum status status = t->link == TC_DOWN ? ST_UNAVAILABLE
			     : t->waiting	? ST_BUSY
						: run(t, &op);
	if (status == ST_BUSY)
		wait_for_room(t, &op);
	else if (status != ST_OK)
		refuse(t, &op);
}

enum status tc_send_now(struct telephony *t, const struct tc_op *op)
{
	return run(t, op);
}

void tc_send_leg(struct telephony *t, enum tc_op_kind kind, const char *leg)
{
	tc_send_both(t, kind, NULL, leg);
}

void tc_send_mix(struct telephony *t, enum tc_op_kind kind, const char *mix)
{
	tc_send_both(t, kind, mix, NULL);
}

void tc_send_both(struct telephony *t, enum tc_op_kind kind, const char *mix, const char *leg)
{
	struct tc_op op = {.kind = kind};

	str_copy(op.mix, sizeof op.mix, mix);
	str_copy(op.leg, sizeof op.leg, leg);
	tc_send(t, &op);
}

void tc_send_hangup(struct telephony *t, const char *leg, int cause)
{
	struct tc_op op = {.kind = TC_LEG_HANGUP, .cause = cause};

	str_copy(op.leg, sizeof op.leg, leg);
	tc_send(t, &op);
}

void tc_send_music(struct telephony *t, const char *mix, bool on)
{
	struct tc_op op = {.kind = TC_MIX_MUSIC, .on = on};

	str_copy(op.mix, sizeof op.mix, mix);
	tc_send(t, &op);
}

void tc_send_mute(struct telephony *t, const char *leg, enum tel_mute mute, bool on)
{
	struct tc_op op = {.kind = TC_LEG_MUTE, .mute = mute, .on = on};

	str_copy(op.leg, sizeof op.leg, leg);
	tc_send(t, &op);
}

void tc_send_drop(struct telephony *t)
{
	timer_stop(t->timers, &t->retry_timer);
	while (t->waiting) {
		refuse(t, t->waiting);
		op_free(t, t->waiting);
	}
}

void tc_send_done(struct telephony *t)
{
	tc_send_drop(t);
	timer_stop(t->timers, &t->refused_timer);
	while (t->refused) {
		struct tc_refused *refused = t->refused;
		DL_DELETE(t->refused, refused);
		free(refused);
	}
}
