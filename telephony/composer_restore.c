/* Calls of an earlier life. Until the switch has been compared they are only what should be so;
 * then each is what the switch shows of it, and from there on like any other. Nothing here calls
 * anybody. */
#include "telephony/composer.h"

#include <string.h>

#include "base/fault.h"
#include "base/str.h"

struct phase {
	enum tc_state state;
	bool has_agent, needs_agent, has_mix;
	bool is_in_mix; /* the far leg, already */
	bool was_up;	/* the far party */
};

static const struct phase phases[TEL_WAS_COUNT] = {
	[TEL_WAS_MADE] = {TC_CALLING, true, true, true, true, false},
	[TEL_WAS_OFFERED] = {TC_OFFERED, false, false, false, false, false},
	[TEL_WAS_ANSWERING] = {TC_ANSWERING, true, true, true, false, false},
	[TEL_WAS_TALK] = {TC_TALK, true, true, true, true, true},
	[TEL_WAS_HELD] = {TC_HELD, true, true, true, true, true},
	[TEL_WAS_PARKED] = {TC_PARKED, true, false, true, true, true},
	[TEL_WAS_TRANSFERRING] = {TC_TRANSFERRING, true, false, true, true, true},
	[TEL_WAS_CONFERENCE] = {TC_TALK, true, true, true, true, true},
	[TEL_WAS_ENDING] = {TC_ENDING, false, false, false, false, false},
};

/* ---- before the start ---- */

static bool is_partner(const struct tc_call *call, const struct tel_restored *was)
{
	return call->mix &&
	       (strcmp(call->id, was->partner) == 0 || strcmp(call->partner, was->call) == 0);
}

/* The mix in which a partner waits, or NULL. */
static struct tc_mix *mix_of_partner(struct telephony *t, const struct tel_restored *was)
{
	struct tc_call *call, *next;

	if (!was->partner[0] || !phases[was->phase].has_mix)
		return NULL;
	HASH_ITER(hh, t->calls, call, next)
		if (is_partner(call, was))
			return call->mix;
	return NULL;
}

static void far_name(const struct telephony *t, const struct tel_restored *was,
		     char ret[TEL_ID_SIZE])
{
	if (was->leg[0])
		str_copy(ret, TEL_ID_SIZE, was->leg);
	else
		str_format(ret, TEL_ID_SIZE, "%s-c-%s", t->node, was->call);
}

static enum status check_leg(struct telephony *t, const struct tel_restored *was, struct err *err)
{
	char leg[TEL_ID_SIZE];

	if (was->leg[0] && !tel_is_id(was->leg))
		return err_set(err, ST_INVALID, "call.bad_id", "leg",
			       "the leg's id must be letters, digits, '.', '_' and '-'");
	far_name(t, was, leg);
	if (tc_leg_find(t, leg))
		return err_set(err, ST_CONFLICT, "call.exists", "leg",
			       "another call has this leg already");
	return ST_OK;
}

static enum status check(struct telephony *t, const struct tel_restored *was, struct err *err)
{
	if (t->driver)
		return err_set(err, ST_CONFLICT, "telephony.started", "",
			       "calls can be restored only before the switch is there");
	if ((unsigned)was->phase >= TEL_WAS_COUNT)
		return err_set(err, ST_INVALID, "call.bad_phase", "phase", "no such phase");
	enum status status = tc_check_id(t, was->call, err);
	if (status == ST_OK)
		status = check_leg(t, was, err);
	if (status == ST_OK && (was->agent.id[0] || phases[was->phase].needs_agent))
		status = tc_check_agent(&was->agent, err);
	if (status == ST_OK && was->agent.id[0] && tc_state_is_current(phases[was->phase].state) &&
	    tc_line_is_busy(t, was->agent.id, mix_of_partner(t, was)))
		status = tc_agent_busy(err);
	return status;
}

static void enter_mix(struct tc_call *call, struct tc_mix *mix)
{
	struct telephony *t = call->telephony;
	char id[TEL_ID_SIZE];

	if (!mix) {
		str_format(id, sizeof id, "%s-m-%s", t->node, call->id);
		mix = tc_mix_enter(t, id);
		mix->is_gone = true;
	}
	tc_call_move(call, mix);
}

static void enter_line(struct tc_call *call, const struct tel_agent *agent)
{
	struct tc_line *line = tc_line_get(call->telephony, agent);

	line->is_restored = true;
	tc_call_attach(call, line);
	if (tc_state_is_current(call->state))
		line->mix = call->mix;
}

static void enter_far(struct tc_call *call, const struct tel_restored *was)
{
	struct telephony *t = call->telephony;
	char leg[TEL_ID_SIZE];

	far_name(t, was, leg);
	call->far = tc_leg_create(t, leg, TC_FAR);
	call->far->call = call;
	if (phases[was->phase].is_in_mix)
		tc_mix_enlist(t, call->mix, call->far);
	if (call->state == TC_ENDING)
		call->far->hangup_cause = 16;
}

enum status telephony_restore(struct telephony *t, const struct tel_restored *was, struct err *err)
{
	enum status status = check(t, was, err);

	if (status != ST_OK)
		return status;
	const struct phase *phase = &phases[was->phase];
	struct tc_mix *mix = mix_of_partner(t, was);
	struct tc_call *call = tc_call_create(t, was->call, phase->state);
	call->is_restored = true;
	call->has_rung = was->has_rung;
	call->is_muted = was->is_muted;
	call->is_answered = call->state == TC_ANSWERING;
	call->end_side = TEL_SIDE_US;
	str_copy(call->partner, sizeof call->partner, was->partner);
	str_copy(call->agent, sizeof call->agent, was->agent.id);
	if (phase->has_mix)
		enter_mix(call, mix);
	if (phase->has_agent && was->agent.id[0])
		enter_line(call, &was->agent);
	enter_far(call, was);
	tc_record_restore(call, was);
	return ST_OK;
}

/* ---- when the switch has been compared ---- */

static bool was_up(const struct tc_call *call)
{
	return call->state == TC_TALK || call->state == TC_HELD || call->state == TC_PARKED ||
	       call->state == TC_TRANSFERRING;
}

/* Parties of a conference are in the mix of one of them; which one, only the switch knows. */
static void take_mix(struct tc_call *call)
{
	struct telephony *t = call->telephony;
	const char *seen = call->far->seen_mix;

	if (!call->mix || call->mix->is_seen || !seen[0] || !tc_found_take_mix(t, seen))
		return;
	tc_mix_rename(t, call->mix, seen);
	call->mix->is_seen = true;
}

/* The caller was answered, but nobody had written down by whom. */
static void park(struct tc_call *call)
{
	call->state = TC_PARKED;
	call->is_answered = true;
	enter_mix(call, NULL);
	tc_mix_enlist(call->telephony, call->mix, call->far);
}

void tc_restore_take(struct telephony *t)
{
	struct tc_call *call, *next;

	HASH_ITER(hh, t->calls, call, next) {
		if (!call->is_restored || !call->far->is_seen)
			continue;
		if (call->state == TC_OFFERED && call->far->is_seen_up)
			park(call);
		take_mix(call);
		if (was_up(call) || call->state == TC_ENDING)
			call->far->is_up = call->far->is_seen_up;
	}
}

/* From here on they are like all others; music is told by the repair. */
static void settle_mixes(struct telephony *t)
{
	struct tc_mix *mix, *next;

	HASH_ITER(hh, t->mixes, mix, next) {
		if (mix->is_gone && mix->calls)
			tc_mix_settle(t, mix);
		mix->is_gone &= !mix->is_seen;
	}
}

/* A leg that neither rings nor is in the mix has been made but not called. */
static bool is_far_lost(const struct tc_call *call)
{
	const struct tc_leg *far = call->far;

	if (!far->is_seen)
		return true;
	if (was_up(call))
		return !far->is_seen_up;
	return call->state == TC_CALLING && !far->is_seen_up && !far->is_seen_rung &&
	       !far->seen_mix[0];
}

static void lose_far(struct tc_call *call)
{
	struct telephony *t = call->telephony;

	if (call->far->is_seen)
		tc_send_hangup(t, call->far->id, 16);
	tc_leg_ended(t, call->far, &(struct tel_fact){.kind = TEL_LEG_ENDED, .result = TEL_LOST});
}

/* It is in its mix, so it was called or was just about to be: nothing at the switch tells the two
 * apart. What has been called says something in time. */
static void on_never_rung(void *arg)
{
	struct tc_call *call = arg;
	struct telephony *t = call->telephony;

	if (call->state != TC_CALLING || call->has_rung || call->far->is_up)
		return;
	lose_far(call);
	tc_tell_all(t);
}

static void doubt(struct tc_call *call)
{
	struct telephony *t = call->telephony;

	call->end_timer.fire = on_never_rung;
	call->end_timer.arg = call;
	timer_set(t->timers, &call->end_timer, clock_mono_us(t->clock) + TC_DOUBT_S * 1000000LL);
}

static void settle_call(struct tc_call *call)
{
	static const struct tc_ending lost = {TEL_LOST, TEL_SIDE_SWITCH, 0, 0};
	const struct tc_leg *far = call->far;

	call->is_restored = false;
	call->partner[0] = '\0';
	if (is_far_lost(call)) {
		lose_far(call);
		return;
	}
	if (call->state == TC_ENDING)
		tc_call_end_in_time(call);
	if (call->state == TC_TRANSFERRING && !call->target)
		tc_transfer_failed(call, &lost);
	if (call->state == TC_CALLING && !far->is_seen_rung && !far->is_seen_up)
		doubt(call);
	if (call->state == TC_CALLING && far->is_seen_rung && !far->is_seen_up && !call->has_rung) {
		call->has_rung = true;
		tc_tell(call->telephony, TELCALL_RINGING, call);
	}
}

void tc_restore_settle(struct telephony *t)
{
	struct tc_call *call, *next_call;
	struct tc_line *line, *next_line;

	FAILPOINT("composer.settling");
	settle_mixes(t);
	HASH_ITER(hh, t->calls, call, next_call)
		if (call->is_restored)
			settle_call(call);
	HASH_ITER(hh, t->lines, line, next_line)
		if (line->is_restored)
			tc_line_restored(line);
	FAILPOINT("composer.settled");
}
