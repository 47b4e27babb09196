#include "telephony/sim/sim_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void tones_drop_first(struct sim_leg *leg)
{
	struct sim_tones *first = leg->tones;

	DL_DELETE(leg->tones, first);
	leg->tones_count--;
	free(first);
}

void sim_tones_stop(struct sim_leg *leg)
{
	sim_stop(leg->sim, &leg->tone_timer);
	while (leg->tones)
		tones_drop_first(leg);
}

/* The newest digits are kept when the party's memory is full. */
static void receive(struct sim_leg *leg, char digit)
{
	size_t length = strlen(leg->received);

	if (length == sizeof leg->received - 1) {
		memmove(leg->received, leg->received + 1, length);
		length--;
	}
	leg->received[length] = digit;
	leg->received[length + 1] = '\0';
}

static void on_tone_over(void *arg)
{
	struct sim_leg *leg = arg;
	struct sim_tones *tones = leg->tones;

	receive(leg, tones->digits[tones->sent++]);
	if (!tones->digits[tones->sent]) {
		sim_tell(leg->sim, leg,
			 &(struct tel_fact){.kind = TEL_LEG_DTMF_DONE, .token = tones->token});
		tones_drop_first(leg);
		tones = leg->tones;
	}
	if (tones)
		sim_start(leg->sim, &leg->tone_timer, on_tone_over, leg,
			  tones->gap_ms + tones->on_ms);
}

void sim_op_leg_dtmf(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);

	if (!leg)
		return;
	if (leg->phase != SIM_UP || leg->tones_count >= SIM_TONES_MAX) {
		sim_tell_failure(sim, op,
				 leg->phase == SIM_UP ? "too many digits are waiting"
						      : "the leg is not up");
		return;
	}
	struct sim_tones *tones = xcalloc(1, sizeof *tones);
	tones->token = op->token;
	str_copy(tones->digits, sizeof tones->digits, op->digits);
	tones->on_ms = op->on_ms;
	tones->gap_ms = op->gap_ms;
	DL_APPEND(leg->tones, tones);
	leg->tones_count++;
	if (leg->tones_count == 1)
		sim_start(sim, &leg->tone_timer, on_tone_over, leg, tones->on_ms);
}

void sim_tell_digit(struct sim_leg *leg, char digit)
{
	sim_tell(leg->sim, leg,
		 &(struct tel_fact){.kind = TEL_LEG_DIGIT, .digits = {digit}, .digit_ms = 100});
}
