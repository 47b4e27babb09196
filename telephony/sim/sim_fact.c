/* How the host learns what happened: each fact travels on a timer of its own, so that none is ever
 * told from inside an operation, and so that jitter can disorder the facts of different legs as a
 * real switch does. */
#include "telephony/sim/sim_private.h"

#include <stdlib.h>

#include "base/str.h"

static uint64_t random_next(struct sim *sim)
{
	sim->random ^= sim->random << 13;
	sim->random ^= sim->random >> 7;
	sim->random ^= sim->random << 17;
	return sim->random;
}

static void telling_free(struct sim_telling *telling)
{
	sim_stop(telling->sim, &telling->timer);
	DL_DELETE(telling->sim->tellings, telling);
	free(telling);
}

void sim_forget_tellings(struct sim *sim)
{
	struct sim_telling *telling, *next;

	DL_FOREACH_SAFE(sim->tellings, telling, next)
		telling_free(telling);
}

static void on_telling_due(void *arg)
{
	struct sim_telling *telling = arg;
	struct tel_sink sink = telling->sim->driver.host.sink;
	struct tel_fact fact = telling->fact;

	if (fact.kind == TEL_LINK)
		telling->sim->takes_ops = fact.link_up;
	if (fact.kind == TEL_LEG_OFFERED)
		telling->leg->is_known = true;
	if (fact.kind == TEL_LEG_ENDED)
		sim_leg_free(telling->leg);
	telling_free(telling);
	sink.on_fact(sink.user, &fact);
}

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Nothing overtakes these: they say what the facts before and after them mean. */
static bool is_barrier(enum tel_fact_kind kind)
{
	return kind == TEL_LINK || kind == TEL_SYNC_BEGIN || kind == TEL_LEG_SEEN ||
	       kind == TEL_MIX_SEEN || kind == TEL_SYNC_END;
}

static int64_t due_us(struct sim *sim, struct sim_leg *leg, enum tel_fact_kind kind)
{
	int64_t due = later_of(sim_now_us(sim), sim->floor_us);

	if (is_barrier(kind)) {
		sim->floor_us = later_of(due, sim->told_us);
		return sim->floor_us;
	}
	if (sim->config.jitter_ms)
		due += (int64_t)(random_next(sim) % (sim->config.jitter_ms * 1000 + 1));
	if (leg) {
		due = later_of(due, leg->told_us);
		leg->told_us = due;
	}
	return due;
}

static void tell_always(struct sim *sim, struct sim_leg *leg, const struct tel_fact *fact)
{
	struct sim_telling *telling = xcalloc(1, sizeof *telling);

	telling->sim = sim;
	telling->leg = leg;
	telling->fact = *fact;
	telling->fact.at_us = clock_wall_us(sim->driver.host.clock);
	if (leg)
		str_copy(telling->fact.leg, sizeof telling->fact.leg, leg->id);
	telling->timer.fire = on_telling_due;
	telling->timer.arg = telling;
	DL_APPEND(sim->tellings, telling);
	int64_t due = due_us(sim, leg, fact->kind);
	sim->told_us = later_of(sim->told_us, due);
	timer_set(sim->driver.host.timers, &telling->timer, due);
}

void sim_tell(struct sim *sim, struct sim_leg *leg, struct tel_fact *fact)
{
	if (sim->is_linked)
		tell_always(sim, leg, fact);
}

void sim_tell_simple(struct sim_leg *leg, enum tel_fact_kind kind)
{
	sim_tell(leg->sim, leg, &(struct tel_fact){.kind = kind});
}

void sim_tell_offer(struct sim_leg *leg)
{
	struct tel_fact fact = {.kind = TEL_LEG_OFFERED};

	str_copy(fact.dnis, sizeof fact.dnis, leg->dnis);
	str_copy(fact.number, sizeof fact.number, leg->number);
	str_copy(fact.name, sizeof fact.name, leg->name);
	sim_tell(leg->sim, leg, &fact);
}

void sim_tell_failure(struct sim *sim, const struct sim_op *op, const char *text)
{
	struct tel_fact fact = {.kind = TEL_OP_FAILED, .token = op->token};

	str_copy(fact.leg, sizeof fact.leg, op->leg);
	str_copy(fact.mix, sizeof fact.mix, op->mix);
	str_copy_cut(fact.text, sizeof fact.text, text);
	sim_tell(sim, NULL, &fact);
}

void sim_tell_station(struct sim *sim, const struct sim_station *station)
{
	struct tel_fact fact = {.kind = TEL_STATION, .on = station->is_reachable};

	str_copy(fact.station, sizeof fact.station, station->name);
	sim_tell(sim, NULL, &fact);
}

static void tell_kind(struct sim *sim, enum tel_fact_kind kind)
{
	sim_tell(sim, NULL, &(struct tel_fact){.kind = kind});
}

static void tell_seen(struct sim *sim)
{
	struct sim_leg *leg, *next_leg;
	struct sim_mix *mix, *next_mix;
	struct sim_station *station, *next_station;

	HASH_ITER(hh, sim->legs, leg, next_leg) {
		struct tel_fact fact = {.kind = TEL_LEG_SEEN, .is_up = leg->phase == SIM_UP};
		if (leg->phase == SIM_GONE)
			continue;
		fact.on = fact.is_up || leg->was_heard_of;
		str_copy(fact.leg, sizeof fact.leg, leg->id);
		str_copy(fact.mix, sizeof fact.mix, leg->mix ? leg->mix->id : "");
		str_copy(fact.tag, sizeof fact.tag, leg->tag);
		sim_tell(sim, NULL, &fact);
	}
	HASH_ITER(hh, sim->mixes, mix, next_mix) {
		struct tel_fact fact = {.kind = TEL_MIX_SEEN};
		str_copy(fact.mix, sizeof fact.mix, mix->id);
		sim_tell(sim, NULL, &fact);
	}
	HASH_ITER(hh, sim->stations, station, next_station)
		sim_tell_station(sim, station);
}

void sim_sync(struct sim *sim)
{
	tell_kind(sim, TEL_SYNC_BEGIN);
	tell_seen(sim);
	tell_kind(sim, TEL_SYNC_END);
}

static void tell_lost(struct sim *sim)
{
	struct sim_leg *leg, *next;

	HASH_ITER(hh, sim->legs, leg, next) {
		struct tel_fact fact = {.kind = TEL_LEG_ENDED, .result = TEL_LOST};
		if (leg->phase == SIM_GONE)
			sim_tell(sim, leg, &fact);
	}
}

/* Callers who came while nobody listened have been waiting at the switch. */
static void tell_waiting_callers(struct sim *sim)
{
	struct sim_leg *leg, *next;

	HASH_ITER(hh, sim->legs, leg, next)
		if (leg->phase != SIM_GONE && !leg->is_known)
			sim_tell_offer(leg);
}

void sim_connect(struct sim *sim)
{
	sim->is_linked = true;
	sim_tell(sim, NULL,
		 &(struct tel_fact){.kind = TEL_LINK, .link_up = true, .epoch = sim->epoch});
	tell_kind(sim, TEL_SYNC_BEGIN);
	tell_lost(sim);
	tell_seen(sim);
	tell_kind(sim, TEL_SYNC_END);
	tell_waiting_callers(sim);
}

void sim_link_down(struct sim *sim)
{
	struct sim_leg *leg, *next;

	sim->is_cut = true;
	if (!sim->is_linked)
		return;
	sim_ops_drop(sim);
	sim->is_linked = false;
	sim->takes_ops = false;
	sim_forget_tellings(sim);
	HASH_ITER(hh, sim->legs, leg, next)
		if (leg->phase == SIM_GONE && !leg->is_known)
			sim_leg_free(leg);
	tell_always(sim, NULL, &(struct tel_fact){.kind = TEL_LINK, .epoch = sim->epoch});
}

void sim_link_up(struct sim *sim)
{
	sim->is_cut = false;
	if (sim->is_open && !sim->is_linked)
		sim_connect(sim);
}

void sim_restart(struct sim *sim)
{
	bool was_linked = sim->is_linked;
	struct sim_leg *leg, *next_leg;
	struct sim_mix *mix, *next_mix;

	if (was_linked)
		sim_link_down(sim);
	HASH_ITER(hh, sim->legs, leg, next_leg)
		if (leg->phase != SIM_GONE)
			sim_leg_vanish(leg);
	HASH_ITER(hh, sim->mixes, mix, next_mix)
		sim_mix_free(sim, mix);
	sim->epoch = later_of(sim->epoch + 1, clock_wall_us(sim->driver.host.clock));
	if (was_linked)
		sim_link_up(sim);
}

void sim_lose_play_ends(struct sim *sim, bool on)
{
	sim->loses_play_ends = on;
}
