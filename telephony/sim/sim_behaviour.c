/* What far ends do. Every called number gets a script: its own (sim_set_script), else the one of
 * the first matching ending below, else "rings, then answers". */
#include "telephony/sim/sim_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define USUAL	 UINT32_MAX /* the configuration's ring_ms or answer_ms */
#define PRESS_MS 200

struct ending {
	const char *tail;
	struct sim_script script;
};

/* clang-format off */
static const struct ending endings[] = {
	/* tail   end            rings after, ends after            */
	{"486", {.end = SIM_BUSY,       .ring_after_ms = USUAL, .end_after_ms = 0}},
	{"404", {.end = SIM_INVALID,    .ring_after_ms = USUAL, .end_after_ms = 0}},
	{"480", {.end = SIM_NO_ANSWER,  .ring_after_ms = USUAL, .end_after_ms = 1000}},
	{"603", {.end = SIM_REJECT,     .ring_after_ms = USUAL, .end_after_ms = 0}},
	{"503", {.end = SIM_CONGESTION, .ring_after_ms = USUAL, .end_after_ms = 0}},
	{"500", {.end = SIM_ERROR,      .ring_after_ms = USUAL, .end_after_ms = 0}},
	{"408", {.end = SIM_NO_ANSWER,  .ring_after_ms = USUAL, .end_after_ms = 0}},
	{"999", {.end = SIM_DEAD}},
	{"183", {.end = SIM_ANSWER,     .ring_after_ms = USUAL, .end_after_ms = 1000, .early_media = true}},
	{"777", {.end = SIM_ANSWER,     .ring_after_ms = 0,     .end_after_ms = 0}},
	{"199", {.end = SIM_ANSWER,     .ring_after_ms = USUAL, .end_after_ms = USUAL, .hangup_after_ms = 1000}},
	{"555", {.end = SIM_ANSWER,     .ring_after_ms = 1000,  .end_after_ms = 2000}},
	{"242", {.end = SIM_ANSWER,     .ring_after_ms = USUAL, .end_after_ms = USUAL, .digits = "42#"}},
	{"",    {.end = SIM_ANSWER,     .ring_after_ms = USUAL, .end_after_ms = USUAL}},
};

static const struct sim_ending results[] = {
	[SIM_BUSY]       = {TEL_BUSY,       TEL_BY_THEM,    17, 486},
	[SIM_NO_ANSWER]  = {TEL_NO_ANSWER,  TEL_BY_THEM,    19, 480},
	[SIM_REJECT]     = {TEL_REJECTED,   TEL_BY_THEM,    21, 603},
	[SIM_INVALID]    = {TEL_INVALID,    TEL_BY_UNKNOWN,  1, 404},
	[SIM_CONGESTION] = {TEL_CONGESTION, TEL_BY_UNKNOWN, 34, 503},
	[SIM_ERROR]      = {TEL_ERROR,      TEL_BY_UNKNOWN, 38, 500},
};
/* clang-format on */

static bool ends_with(const char *text, const char *tail)
{
	size_t length = strlen(text), tail_length = strlen(tail);

	return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

void sim_plan_number(struct sim *sim, const char *number, struct sim_script *plan)
{
	struct sim_known_script *known;
	const struct ending *ending = endings;

	HASH_FIND_STR(sim->scripts, number, known);
	if (known) {
		*plan = known->script;
		return;
	}
	while (!ends_with(number, ending->tail))
		ending++;
	*plan = ending->script;
	if (plan->ring_after_ms == USUAL)
		plan->ring_after_ms = sim->config.ring_ms;
	if (plan->end_after_ms == USUAL)
		plan->end_after_ms = sim->config.answer_ms;
}

bool sim_plan_station(struct sim *sim, const char *station, bool auto_answer,
		      struct sim_script *plan)
{
	struct sim_station *known;

	HASH_FIND_STR(sim->stations, station, known);
	if (known ? !known->is_reachable : !sim->config.any_station)
		return false;
	*plan = (struct sim_script){.end = SIM_NO_ANSWER, .ring_after_ms = sim->config.ring_ms};
	if (!known || known->answers_by_itself) {
		plan->end = SIM_ANSWER;
		/* At least a moment, or it would not have rung. */
		plan->end_after_ms = auto_answer ? 1 : sim->config.answer_ms;
	}
	return true;
}

static void end_as_planned(struct sim_leg *leg)
{
	if (leg->plan.end == SIM_ANSWER)
		sim_leg_up(leg);
	else
		sim_leg_end(leg, results[leg->plan.end]);
}

static void on_party_hangs_up(void *arg)
{
	sim_leg_end(arg, (struct sim_ending){TEL_NORMAL, TEL_BY_THEM, 16, 0});
}

static void on_step(void *arg);

static void next_step(struct sim_leg *leg, enum sim_step step, unsigned ms)
{
	leg->step = step;
	sim_start(leg->sim, &leg->step_timer, on_step, leg, ms);
}

static void ring(struct sim_leg *leg)
{
	const struct sim_script *plan = &leg->plan;
	bool rings_for_ever = plan->end == SIM_NO_ANSWER && plan->end_after_ms == 0;

	if (plan->end_after_ms == 0 && !rings_for_ever) {
		end_as_planned(leg);
		return;
	}
	leg->phase = plan->early_media ? SIM_EARLY : SIM_RINGING;
	leg->was_heard_of = true;
	sim_tell_simple(leg, plan->early_media ? TEL_LEG_EARLY : TEL_LEG_RINGING);
	if (!rings_for_ever)
		next_step(leg, SIM_STEP_END, plan->end_after_ms);
}

static void press(struct sim_leg *leg)
{
	sim_tell_digit(leg, leg->plan.digits[leg->pressed++]);
	if (leg->plan.digits[leg->pressed])
		next_step(leg, SIM_STEP_PRESS, PRESS_MS);
}

static void on_step(void *arg)
{
	struct sim_leg *leg = arg;

	switch (leg->step) {
	case SIM_STEP_RING:
		ring(leg);
		break;
	case SIM_STEP_END:
		end_as_planned(leg);
		break;
	case SIM_STEP_PRESS:
		press(leg);
		break;
	}
}

void sim_behave(struct sim_leg *leg)
{
	if (leg->plan.end != SIM_DEAD)
		next_step(leg, SIM_STEP_RING, leg->plan.ring_after_ms);
}

void sim_behave_after_answer(struct sim_leg *leg)
{
	if (leg->plan.digits[0])
		next_step(leg, SIM_STEP_PRESS, PRESS_MS);
	if (leg->plan.hangup_after_ms)
		sim_start(leg->sim, &leg->limit_timer, on_party_hangs_up, leg,
			  leg->plan.hangup_after_ms);
}

static bool is_script_valid(const struct sim_script *script)
{
	return tel_is_number(script->number) && script->end <= SIM_DEAD &&
	       (!script->digits[0] || tel_is_digits(script->digits));
}

enum status sim_set_script(struct sim *sim, const struct sim_script *script)
{
	struct sim_known_script *known;

	if (!is_script_valid(script))
		return ST_INVALID;
	HASH_FIND_STR(sim->scripts, script->number, known);
	if (!known && HASH_COUNT(sim->scripts) >= SIM_SCRIPTS_MAX)
		return ST_BUSY;
	if (known) {
		known->script = *script;
		return ST_OK;
	}
	known = xcalloc(1, sizeof *known);
	known->script = *script;
	HASH_ADD_STR(sim->scripts, script.number, known);
	return ST_OK;
}

enum status sim_set_station(struct sim *sim, const char *name, bool is_reachable,
			    bool answers_by_itself)
{
	struct tel_dest dest = {.kind = TEL_DEST_STATION};
	struct sim_station *station;

	if (!str_copy(dest.value, sizeof dest.value, name) || !tel_is_dest(&dest))
		return ST_INVALID;
	HASH_FIND_STR(sim->stations, name, station);
	if (!station && HASH_COUNT(sim->stations) >= SIM_STATIONS_MAX)
		return ST_BUSY;
	bool is_news = !station || station->is_reachable != is_reachable;
	if (!station) {
		station = xcalloc(1, sizeof *station);
		str_copy(station->name, sizeof station->name, name);
		HASH_ADD_STR(sim->stations, name, station);
	}
	station->is_reachable = is_reachable;
	station->answers_by_itself = answers_by_itself;
	if (is_news)
		sim_tell_station(sim, station);
	return ST_OK;
}

void sim_behaviour_free(struct sim *sim)
{
	struct sim_known_script *script, *next_script;
	struct sim_station *station, *next_station;

	HASH_ITER(hh, sim->scripts, script, next_script) {
		HASH_DEL(sim->scripts, script);
		free(script);
	}
	HASH_ITER(hh, sim->stations, station, next_station) {
		HASH_DEL(sim->stations, station);
		free(station);
	}
}
