#include "walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define WALK_START_MS 1795366800000

uint64_t walk_seed(void)
{
	const char *seed = getenv("CALLTAB_SEED");

	return seed ? strtoull(seed, NULL, 10) : 1;
}

/* splitmix64, or the next byte. */
static unsigned below(struct walk *walk, unsigned n)
{
	uint64_t z;

	if (walk->bytes) {
		if (!walk->left)
			return 0;
		walk->left--;
		return *walk->bytes++ % n;
	}
	z = walk->random += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (unsigned)((z ^ (z >> 31)) % n);
}

static struct call_outcome some_outcome(struct walk *walk)
{
	struct call_outcome outcome = {.is_configured = below(walk, 4) != 0,
				       .is_connect_xor_abort = below(walk, 2),
				       .is_retry = below(walk, 3) == 0,
				       .retry_after_ms = 1 + below(walk, 200) * 60000};

	str_copy_cut(outcome.name, sizeof outcome.name, below(walk, 2) ? "Sold" : "Wrong person");
	return outcome;
}

static struct call_policy some_policy(struct walk *walk)
{
	struct call_policy policy = {.preview_ms = 15000,
				     .ring_ms = 22000,
				     .offer_ms = 20000,
				     .wrap_ms = below(walk, 4) ? 30000 : 0,
				     .has_outcomes = below(walk, 4) != 0};

	for (int i = 0; i < ATTEMPT_RESULT_COUNT; i++) {
		str_copy_cut(policy.system[i].name, sizeof policy.system[i].name,
			     attempt_system_outcome((enum attempt_result)i));
		policy.system[i].is_automatic = true;
	}
	if (below(walk, 3) == 0) {
		policy.default_outcome = some_outcome(walk);
		policy.default_outcome.is_automatic = true;
	}
	return policy;
}

static void new_life(struct walk *walk)
{
	memset(&walk->call, 0, sizeof walk->call);
	memset(&walk->life, 0, sizeof walk->life);
	walk->call.policy = some_policy(walk);
	walk->call.view.direction = (enum call_direction)below(walk, DIR_COUNT);
	walk->call.view.tab = (int)below(walk, 8); /* 0: a caller on no tab */
	walk->call.view.version = below(walk, 200);
	walk->call.base.calls = (int)below(walk, 5);
	walk->call.base.connects = (int)below(walk, 2);
	walk->call.base.did_connect = walk->call.base.connects > 0;
}

void walk_begin(struct walk *walk, uint64_t seed)
{
	memset(walk, 0, sizeof *walk);
	walk->random = seed;
	walk->now_ms = WALK_START_MS;
	new_life(walk);
}

void walk_begin_bytes(struct walk *walk, const uint8_t *bytes, size_t size)
{
	memset(walk, 0, sizeof *walk);
	walk->bytes = bytes;
	walk->left = size;
	walk->now_ms = WALK_START_MS;
	new_life(walk);
}

/* Mostly something the rules know, so that lives go on; else anything. */
static enum call_event_kind some_kind(struct walk *walk)
{
	if (below(walk, 3)) {
		unsigned from = below(walk, EV_COUNT);

		for (unsigned i = 0; i < EV_COUNT; i++) {
			enum call_event_kind kind = (enum call_event_kind)((from + i) % EV_COUNT);
			/* most calls are not thrown away at once */
			bool is_early_end =
				(kind == EV_RELEASE || kind == EV_FAR_ENDED) && below(walk, 4);

			if (call_rule_find(&walk->call, kind) && !is_early_end)
				return kind;
		}
	}
	return (enum call_event_kind)below(walk, EV_COUNT);
}

static void some_event(struct walk *walk)
{
	struct call_event *e = &walk->event;

	memset(e, 0, sizeof *e);
	e->kind = some_kind(walk);
	e->at_ms = walk->now_ms;
	e->actor = (enum actor)below(walk, ACTOR_COUNT);
	e->command_id = below(walk, 2) ? "c1" : NULL;
	e->reason = below(walk, 8) ? NULL : "some_reason";
	e->result = (enum attempt_result)below(walk, ATTEMPT_RESULT_COUNT);
	e->ended_by = (enum ended_by)below(walk, ENDED_BY_COUNT);
	e->cause = (int)below(walk, 128);
	e->on = below(walk, 2);
	e->outcome = some_outcome(walk);
	e->retry_at_ms = walk->now_ms + 1 + below(walk, 250) * 60000;
	e->tab = 1 + (int)below(walk, 16);
	if (e->kind == EV_FAR_ENDED && e->result == ATTEMPT_CONNECTED)
		e->result = ATTEMPT_CANCELLED; /* the switch does not say so */
}

static const char *check_untouched(const struct walk *walk, const struct call *next,
				   const struct effects *todo)
{
	const unsigned char *a = (const void *)next, *b = (const void *)todo;

	for (size_t i = 0; i < sizeof *next; i++)
		if (a[i] != 0x5a)
			return "a refusal wrote into next";
	for (size_t i = 0; i < sizeof *todo; i++)
		if (b[i] != 0x5a)
			return "a refusal wrote into todo";
	return call_event_is_command(walk->event.kind) ? NULL : "a fact was refused";
}

static const char *take(struct walk *walk, const struct call *next)
{
	const char *fault;

	walk->did = next->view.version != walk->call.view.version ? WALK_ACCEPTED : WALK_IGNORED;
	if (walk->did == WALK_IGNORED && call_event_is_command(walk->event.kind))
		return "a command was ignored";
	if (walk->did == WALK_IGNORED)
		return memcmp(next, &walk->call, sizeof *next) || walk->todo.count
			       ? "what came late changed something"
			       : NULL;
	walk->before = walk->call;
	walk->call = *next;
	fault = step_fault(&walk->before, &walk->event, &walk->call, &walk->todo);
	if (!fault)
		fault = life_fault(&walk->life, &walk->before, &walk->event, &walk->call);
	if (!fault && walk->events % 64 == 0)
		fault = can_fault(&walk->call);
	return fault;
}

static const char *step(struct walk *walk)
{
	struct call next;
	struct err err = {0};
	enum status status;

	walk->events++;
	walk->before = walk->call;
	memset(&next, 0x5a, sizeof next);
	memset(&walk->todo, 0x5a, sizeof walk->todo);
	status = call_step(&walk->call, &walk->event, &next, &walk->todo, &err);
	if (status == ST_OK)
		return take(walk, &next);
	walk->did = WALK_REFUSED;
	if (status != ST_CONFLICT || !err.code[0] || !err.message[0])
		return "a refusal without its reason";
	return check_untouched(walk, &next, &walk->todo);
}

const char *walk_step(struct walk *walk)
{
	if (walk->call.view.state == CALL_END && below(walk, 3) == 0) {
		walk->lives++;
		new_life(walk);
	}
	if (below(walk, 4) == 0)
		walk->now_ms += below(walk, 200) * 100;
	if (below(walk, 256) == 0) /* somebody sets the machine's clock */
		walk->now_ms += ((int)below(walk, 200) - 100) * 60000LL;
	some_event(walk);
	return step(walk);
}

const char *walk_timer(struct walk *walk)
{
	int64_t at_ms;

	memset(&walk->event, 0, sizeof walk->event);
	walk->event.actor = ACTOR_TIMER;
	if (!call_deadline(&walk->call, &at_ms, &walk->event.kind))
		return "no timer runs";
	if (at_ms > walk->now_ms)
		walk->now_ms = at_ms;
	walk->event.at_ms = walk->now_ms;
	return step(walk);
}
