/* Random lives: a million events in any order, with what must always hold checked after each. A
 * failure prints seed and step; CALLTAB_SEED=n repeats it. */
#include "scene.h"

#include "step_check.h"
#include "walk.h"

#define EVENTS 1000000

struct tally {
	unsigned events, accepted, refused, ignored, lives;
	unsigned reached[CALL_STATE_COUNT];
};

static void fail_at(uint64_t seed, const struct walk *walk, const char *fault)
{
	fail_msg("CALLTAB_SEED=%llu, event %u, %s in %s: %s", (unsigned long long)seed,
		 walk->events, call_event_word(walk->event.kind),
		 call_state_word(walk->before.view.state), fault);
}

static void a_million_random_events_break_nothing(void **state)
{
	uint64_t seed = walk_seed();
	struct tally tally = {0};
	struct walk walk;

	(void)state;
	walk_begin(&walk, seed);
	while (walk.events < EVENTS) {
		const char *fault = walk_step(&walk);

		if (fault)
			fail_at(seed, &walk, fault);
		tally.accepted += walk.did == WALK_ACCEPTED;
		tally.refused += walk.did == WALK_REFUSED;
		tally.ignored += walk.did == WALK_IGNORED;
		tally.reached[walk.call.view.state]++;
	}
	print_message("# %u events: %u accepted, %u refused, %u late; %u calls ended\n",
		      walk.events, tally.accepted, tally.refused, tally.ignored, walk.lives);
	assert_true(walk.lives > EVENTS / 200);
	for (unsigned i = 1; i < CALL_STATE_COUNT; i++)
		if (tally.reached[i] < EVENTS / 10000)
			fail_msg("%s was reached %u times only",
				 call_state_word((enum call_state)i), tally.reached[i]);
}

/* The same walk twice gives the same calls: nothing but the events decides. */
static void a_walk_can_be_repeated(void **state)
{
	struct walk one, two;

	(void)state;
	walk_begin(&one, 42);
	walk_begin(&two, 42);
	for (unsigned i = 0; i < 20000; i++) {
		assert_null(walk_step(&one));
		assert_null(walk_step(&two));
		assert_memory_equal(&one.call, &two.call, sizeof one.call);
	}
}

/* With timers alone every call ends, whatever has been done to it before: nothing waits for ever
 * but what waits for a person or for the switch. */
static void left_alone_every_call_comes_to_rest(void **state)
{
	uint64_t seed = walk_seed();
	struct walk walk;

	(void)state;
	walk_begin(&walk, seed);
	for (unsigned i = 0; i < 20000; i++) {
		enum call_event_kind kind;
		int64_t at_ms;
		unsigned timers = 0;
		struct walk left;

		assert_null(walk_step(&walk));
		if (i % 10)
			continue;
		left = walk;
		while (call_deadline(&left.call, &at_ms, &kind)) {
			const char *fault = walk_timer(&left);

			if (fault)
				fail_at(seed, &left, fault);
			assert_true(++timers < 5);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_random_events_break_nothing),
		cmocka_unit_test(a_walk_can_be_repeated),
		cmocka_unit_test(left_alone_every_call_comes_to_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
