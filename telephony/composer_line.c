/* An agent's own audio: one leg for all his calls. */
#include "telephony/composer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"

struct tc_line *tc_line_find(struct telephony *t, const char *agent)
{
	struct tc_line *line;

	HASH_FIND_STR(t->lines, agent, line);
	return line;
}

struct tc_line *tc_line_get(struct telephony *t, const struct tel_agent *agent)
{
	struct tc_line *line = tc_line_find(t, agent->id);

	if (!line) {
		line = xcalloc(1, sizeof *line);
		line->telephony = t;
		str_copy(line->agent, sizeof line->agent, agent->id);
		HASH_ADD_STR(t->lines, agent, line);
	}
	if (!line->leg) {
		str_copy(line->station, sizeof line->station, agent->station);
		line->mode = agent->mode;
	}
	return line;
}

bool tc_line_is_busy(struct telephony *t, const char *agent, const struct tc_mix *but)
{
	const struct tc_line *line = tc_line_find(t, agent);

	return line && line->mix && line->mix != but;
}

static void tell_audio(struct tc_line *line, bool on)
{
	struct tel_call_fact *fact = tc_tell(line->telephony, TELCALL_AGENT_AUDIO, NULL);

	str_copy(fact->agent, sizeof fact->agent, line->agent);
	fact->on = on;
}

static void on_not_answered(void *arg)
{
	struct tc_line *line = arg;
	struct telephony *t = line->telephony;
	struct tc_leg *leg = line->leg;

	tc_line_lost(line, &(struct tc_ending){TEL_NO_ANSWER, TEL_SIDE_AGENT, 19, 480});
	if (leg)
		tc_leg_hangup(t, leg, 16);
	tc_tell_all(t);
}

static void await(struct tc_line *line)
{
	struct telephony *t = line->telephony;

	/* Who tries again and again is waited for once. */
	if (line->mode == TEL_AGENT_TAB && timer_is_set(&line->ring_timer))
		return;
	line->ring_timer.fire = on_not_answered;
	line->ring_timer.arg = line;
	timer_set(t->timers, &line->ring_timer,
		  clock_mono_us(t->clock) + TC_AGENT_RING_S * 1000000LL);
}

void tc_line_ring(struct tc_line *line)
{
	struct telephony *t = line->telephony;
	struct tc_op op = {.kind = TC_LEG_MAKE, .dest = {.kind = TEL_DEST_STATION}};

	if (line->mode == TEL_AGENT_TAB)
		op.dest.kind = TEL_DEST_MEDIA;
	if (line->mode == TEL_AGENT_TAB && !line->is_kept) { /* no page yet */
		await(line);
		return;
	}
	str_format(op.leg, sizeof op.leg, "%s-a-%" PRIu64 "-%.8s", t->node, ++t->next_serial,
		   line->agent);
	str_copy(op.dest.value, sizeof op.dest.value, line->station);
	op.options.auto_answer = true;
	/* The switch's limit is the net under ours. */
	op.options.timeout_s = TC_AGENT_RING_S + 5;
	str_copy(op.options.tag, sizeof op.options.tag, line->agent);
	line->leg = tc_leg_create(t, op.leg, TC_AGENT);
	line->leg->line = line;
	tc_keep_stop(line);
	await(line);
	tc_send(t, &op);
}

static bool wants_mute(const struct tc_line *line)
{
	const struct tc_call *call;
	bool is_muted = false;

	DL_FOREACH2(line->mix->calls, call, mix_next)
		is_muted |= call->is_muted;
	return is_muted;
}

void tc_line_mute(struct tc_line *line)
{
	struct tc_leg *leg = line->leg;

	if (!leg || !leg->is_up || !line->mix)
		return;
	bool is_muted = wants_mute(line);
	if (leg->is_muted == is_muted)
		return;
	leg->is_muted = is_muted;
	tc_send_mute(line->telephony, leg->id, TEL_MUTE_VOICE, is_muted);
}

static void join(struct tc_line *line)
{
	/* Muted first: what mute is for must not slip through. */
	tc_line_mute(line);
	tc_mix_add(line->telephony, line->mix, line->leg);
}

void tc_line_bring(struct tc_line *line, struct tc_mix *mix)
{
	line->mix = mix;
	if (!line->leg)
		tc_line_ring(line);
	else if (line->leg->is_up)
		join(line);
}

bool tc_line_is_in(const struct tc_line *line)
{
	return line->leg && line->leg->is_up && line->mix && line->leg->mix == line->mix;
}

static struct tc_call *current_call(const struct tc_line *line)
{
	struct tc_call *call;

	DL_FOREACH2(line->calls, call, line_next)
		if (tc_state_is_current(call->state))
			return call;
	return NULL;
}

/* The leg is no longer this agent's; what becomes of it is the caller's business. */
static void let_go(struct tc_line *line)
{
	struct tc_leg *leg = line->leg;

	if (!tc_line_waits(line))
		timer_stop(line->telephony->timers, &line->ring_timer);
	if (leg->is_up)
		tell_audio(line, false);
	if (leg->is_up &&
	    clock_mono_us(line->telephony->clock) - line->up_us >= TC_KEEP_GOOD_S * 1000000LL)
		line->keep_failures = 0;
	leg->line = NULL;
	line->leg = NULL;
}

static void drop(struct tc_line *line)
{
	struct tc_leg *leg = line->leg;

	line->mix = NULL;
	timer_stop(line->telephony->timers, &line->ring_timer);
	if (!leg)
		return;
	let_go(line);
	tc_leg_hangup(line->telephony, leg, 16);
}

static void line_free(struct tc_line *line)
{
	tc_keep_stop(line);
	timer_stop(line->telephony->timers, &line->ring_timer);
	HASH_DEL(line->telephony->lines, line);
	free(line);
}

bool tc_line_wants_audio(const struct tc_line *line)
{
	const struct tc_call *call;

	if (line->is_kept)
		return true;
	DL_FOREACH2(line->calls, call, line_next)
		if (tc_state_wants_audio(call->state))
			return true;
	return false;
}

void tc_line_settle(struct tc_line *line)
{
	bool is_in_use = false;
	struct tc_call *call;

	if (!line || line->is_unsettled)
		return;
	DL_FOREACH2(line->calls, call, line_next)
		is_in_use |= tc_state_is_current(call->state) && call->mix == line->mix;
	if (!tc_line_wants_audio(line)) {
		drop(line);
	} else if (!is_in_use) {
		line->mix = NULL;
		if (line->leg)
			tc_mix_remove(line->telephony, line->leg);
	}
	if (line->is_kept)
		tc_keep_later(line);
	else if (!line->calls)
		line_free(line);
}

/* One of his calls goes on; which of them does not matter, they do not depend on each other. */
static void go_on(struct tc_call *call)
{
	switch (call->state) {
	case TC_SEEKING:
		if (!call->turn.is_waiting)
			tc_call_dial(call);
		break;
	case TC_ANSWERING:
		tc_call_join(call);
		break;
	case TC_RESUMING:
		call->state = TC_TALK;
		break;
	default:
		break;
	}
}

void tc_line_up(struct tc_line *line)
{
	struct tc_call *call;

	timer_stop(line->telephony->timers, &line->ring_timer);
	line->up_us = clock_mono_us(line->telephony->clock);
	tell_audio(line, true);
	if (!line->mix)
		return;
	join(line);
	DL_FOREACH2(line->calls, call, line_next)
		if (call->mix == line->mix)
			go_on(call);
}

static void fall_back(struct tc_call *call, enum tc_state state)
{
	struct tel_call_fact *fact = tc_tell(call->telephony, TELCALL_OP_FAILED, call);

	str_copy(fact->text, sizeof fact->text, "agent.no_audio");
	call->state = state;
	tc_mix_settle(call->telephony, call->mix);
}

/* Each state is followed by one that is not current. */
static void lose(struct tc_call *call, const struct tc_ending *ending)
{
	switch (call->state) {
	case TC_SEEKING:
		tc_call_over(call, ending);
		break;
	case TC_ANSWERING:
		fall_back(call, TC_PARKED);
		break;
	case TC_RESUMING:
		fall_back(call, TC_HELD);
		break;
	default:
		tc_call_clear(call, 16, ending->side);
		break;
	}
}

void tc_line_lost(struct tc_line *line, const struct tc_ending *ending)
{
	struct tc_mix *mix = line->mix;
	struct tc_call *call;

	if (line->leg) {
		tc_mix_strike(line->leg);
		let_go(line);
	}
	line->mix = NULL;
	line->is_unsettled = true;
	/* Who puts down his telephone in a conference leaves it. */
	if (mix && mix->calls && mix->calls->mix_next && mix->calls->state == TC_TALK)
		tc_mix_leave(mix, ending->side);
	while ((call = current_call(line)) != NULL)
		lose(call, ending);
	line->is_unsettled = false;
	tc_line_settle(line);
}

/* ---- audio in a page ---- */

bool tc_line_waits(const struct tc_line *line)
{
	return line->mode == TEL_AGENT_TAB && current_call(line);
}

/* Back with line->mix as if nothing had happened, or lost when the time is over. */
void tc_line_away(struct tc_line *line)
{
	if (line->leg) {
		tc_mix_strike(line->leg);
		let_go(line);
	}
	await(line);
	tc_mix_settle(line->telephony, line->mix);
	tc_keep_later(line);
}

void tc_line_part(struct tc_line *line)
{
	struct tc_leg *leg = line->leg;

	if (tc_line_waits(line)) {
		tc_line_away(line);
	} else if (leg) {
		tc_mix_strike(leg);
		let_go(line);
	}
	if (leg)
		tc_leg_hangup(line->telephony, leg, 16);
}

/* ---- after a restart ---- */

/* A resume is told by nothing, so a call that was talked on may still be waiting for him. */
bool tc_line_is_awaited(const struct tc_line *line)
{
	const struct tc_call *call = current_call(line);

	return call && (call->state == TC_ANSWERING || call->state == TC_TALK);
}

static void take_ringing(struct tc_line *line)
{
	struct tc_call *call;

	DL_FOREACH2(line->mix->calls, call, mix_next)
		if (call->state == TC_TALK)
			call->state = TC_RESUMING;
	await(line);
}

void tc_line_take(struct tc_line *line, const char *id, bool is_up)
{
	line->leg = tc_leg_create(line->telephony, id, TC_AGENT);
	line->leg->line = line;
	line->leg->is_up = is_up;
	if (!is_up) {
		take_ringing(line);
	} else if (line->mix) {
		line->leg->is_muted = wants_mute(line);
		tc_mix_enlist(line->telephony, line->mix, line->leg);
	}
}

void tc_line_restored(struct tc_line *line)
{
	line->is_restored = false;
	line->up_us = clock_mono_us(line->telephony->clock);
	tell_audio(line, line->leg && line->leg->is_up);
	if (!line->leg && tc_line_waits(line))
		tc_line_away(line);
	else if (!line->leg)
		tc_line_lost(line, &(struct tc_ending){TEL_LOST, TEL_SIDE_SWITCH, 0, 0});
}
