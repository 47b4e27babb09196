#include "telephony/sim/sim_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct sim_leg *sim_leg_find(struct sim *sim, const char *id)
{
	struct sim_leg *leg;

	HASH_FIND_STR(sim->legs, id, leg);
	return leg && leg->phase != SIM_GONE ? leg : NULL;
}

struct sim_leg *sim_leg_create(struct sim *sim, const char *id)
{
	struct sim_leg *leg = xcalloc(1, sizeof *leg);

	leg->sim = sim;
	leg->made_us = sim_now_us(sim);
	str_copy(leg->id, sizeof leg->id, id);
	HASH_ADD_STR(sim->legs, id, leg);
	sim->live_legs++;
	return leg;
}

/* Out of the switch; the struct stays for the last fact. */
static void leg_leave(struct sim_leg *leg, bool is_told)
{
	sim_stop(leg->sim, &leg->step_timer);
	sim_stop(leg->sim, &leg->limit_timer);
	sim_tones_stop(leg);
	sim_mix_part(leg, is_told);
	if (leg->phase != SIM_GONE)
		leg->sim->live_legs--;
	leg->phase = SIM_GONE;
}

void sim_leg_free(struct sim_leg *leg)
{
	leg_leave(leg, false);
	HASH_DEL(leg->sim->legs, leg);
	free(leg);
}

void sim_leg_vanish(struct sim_leg *leg)
{
	leg_leave(leg, false);
	if (!leg->is_known)
		sim_leg_free(leg);
}

static unsigned talk_ms(const struct sim_leg *leg)
{
	return leg->phase == SIM_UP ? (unsigned)((sim_now_us(leg->sim) - leg->up_us) / 1000) : 0;
}

void sim_leg_end(struct sim_leg *leg, struct sim_ending ending)
{
	struct tel_fact fact = {
		.kind = TEL_LEG_ENDED,
		.result = ending.result,
		.by = ending.by,
		.cause = ending.cause,
		.sip = ending.sip,
		.talk_ms = talk_ms(leg),
	};

	if (!leg->sim->is_linked) {
		sim_leg_vanish(leg);
		return;
	}
	leg_leave(leg, true);
	sim_tell(leg->sim, leg, &fact);
}

void sim_leg_up(struct sim_leg *leg)
{
	sim_stop(leg->sim, &leg->step_timer);
	sim_stop(leg->sim, &leg->limit_timer);
	leg->phase = SIM_UP;
	leg->up_us = sim_now_us(leg->sim);
	sim_tell_simple(leg, TEL_LEG_UP);
	if (!leg->is_inbound)
		sim_behave_after_answer(leg);
}

/* The switch gives up. A carrier that never said anything is not a person who did not answer. */
static void on_ring_limit(void *arg)
{
	struct sim_leg *leg = arg;
	enum tel_result result = leg->was_heard_of ? TEL_NO_ANSWER : TEL_ERROR;

	sim_leg_end(leg, (struct sim_ending){result, TEL_BY_US, 19, 480});
}

static void describe(struct sim_leg *leg, const struct sim_op *op)
{
	str_copy(leg->party, sizeof leg->party, op->dest.value);
	str_copy(leg->tag, sizeof leg->tag, op->options.tag);
	if (!op->options.is_withheld)
		str_copy(leg->number, sizeof leg->number, op->options.caller_number);
	leg->is_station = op->dest.kind != TEL_DEST_NUMBER;
}

void sim_op_leg_make(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);

	if (op->is_duplicate) {
		sim_tell_failure(sim, op, "the id is in use");
		return;
	}
	if (!leg) /* hung up before it came to be: cannot happen while operations keep their order
		   */
		return;
	describe(leg, op);
	if (sim->live_legs > sim->config.max_legs) {
		sim_leg_end(leg, (struct sim_ending){TEL_CONGESTION, TEL_BY_UNKNOWN, 34, 503});
		return;
	}
	if (op->dest.kind == TEL_DEST_MEDIA) {
		leg->plan = (struct sim_script){.end = SIM_ANSWER};
		sim_tell_simple(leg, TEL_LEG_MEDIA);
	} else if (!leg->is_station) {
		sim_plan_number(sim, leg->party, &leg->plan);
	} else if (!sim_plan_station(sim, leg->party, op->options.auto_answer, &leg->plan)) {
		sim_leg_end(leg, (struct sim_ending){TEL_INVALID, TEL_BY_UNKNOWN, 20, 480});
		return;
	}
	if (op->options.mix[0]) {
		struct sim_mix *mix = sim_mix_find(sim, op->options.mix);
		if (mix)
			sim_mix_join(mix, leg);
		else
			sim_tell_failure(sim, op, "no such mix");
	}
	unsigned limit_s = op->options.timeout_s ? op->options.timeout_s : SIM_RING_S;
	sim_start(sim, &leg->limit_timer, on_ring_limit, leg, limit_s * 1000);
	sim_behave(leg);
}

void sim_op_leg_ring(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);

	if (!leg)
		return;
	if (!leg->is_inbound)
		sim_tell_failure(sim, op, "the leg is not an offered one");
	else if (leg->phase == SIM_NEW)
		leg->was_rung = true;
}

void sim_op_leg_answer(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);

	if (!leg)
		return;
	if (!leg->is_inbound)
		sim_tell_failure(sim, op, "the leg is not an offered one");
	else if (leg->phase != SIM_UP)
		sim_leg_up(leg);
}

void sim_op_leg_hangup(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);

	if (!leg)
		return;
	enum tel_result result = leg->phase == SIM_UP ? TEL_NORMAL : TEL_CANCELLED;
	sim_leg_end(leg, (struct sim_ending){result, TEL_BY_US, op->cause, 0});
}

void sim_op_leg_mute(struct sim *sim, const struct sim_op *op)
{
	struct sim_leg *leg = sim_leg_find(sim, op->leg);

	if (leg && op->on)
		leg->mute |= op->mute;
	else if (leg)
		leg->mute &= ~(unsigned)op->mute;
}
