#include "unit.h"

#include "base/clock.h"
#include "base/timers.h"

struct world {
	struct held_clock held;
	struct clock clock;
	struct timers timers;
	char fired[64]; /* the names of the timers that fired */
	int earlier;	/* calls of on_earlier */
};

struct named {
	struct timer timer;
	struct world *world;
	char name;
	int64_t again_us; /* sets itself again so much later, when not 0 */
	struct named *stops, *sets;
	int64_t sets_at_us;
};

static void fire(void *arg)
{
	struct named *me = arg;
	size_t length = strlen(me->world->fired);

	assert_true(length + 1 < sizeof(me->world->fired));
	me->world->fired[length] = me->name;
	assert_false(timer_is_set(&me->timer));
	if (me->again_us)
		timer_set(&me->world->timers, &me->timer, me->timer.at_us + me->again_us);
	if (me->stops)
		timer_stop(&me->world->timers, &me->stops->timer);
	if (me->sets)
		timer_set(&me->world->timers, &me->sets->timer, me->sets_at_us);
}

static void on_earlier(void *user)
{
	((struct world *)user)->earlier++;
}

static struct named named(struct world *world, char name)
{
	return (struct named){.timer.fire = fire, .world = world, .name = name};
}

static void set_at(struct named *named, int64_t at_us)
{
	named->timer.arg = named;
	timer_set(&named->world->timers, &named->timer, at_us);
}

static int set_up(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.clock = clock_held(&world.held);
	timers_init(&world.timers);
	world.timers.on_earlier = on_earlier;
	world.timers.user = &world;
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	w->timers.count = 0; /* those still set lay on the stack of a test that is over */
	timers_done(&w->timers);
	return 0;
}

static size_t run_after(struct world *world, int64_t us)
{
	held_clock_advance(&world->held, us);
	world->fired[0] = '\0';
	memset(world->fired, 0, sizeof(world->fired));
	return timers_run(&world->timers, clock_mono_us(&world->clock));
}

static void timers_fire_in_order_of_deadline(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b'), c = named(w, 'c');

	set_at(&c, 300);
	set_at(&a, 100);
	set_at(&b, 200);
	assert_int_equal(timers_next_us(&w->timers), 100);
	assert_int_equal(run_after(w, 99), 0);
	assert_int_equal(run_after(w, 1), 1);
	assert_string_equal(w->fired, "a");
	assert_int_equal(timers_next_us(&w->timers), 200);
	assert_int_equal(run_after(w, 1000), 2);
	assert_string_equal(w->fired, "bc");
	assert_int_equal(timers_next_us(&w->timers), INT64_MAX);
}

static void equal_deadlines_fire_in_the_order_they_were_set(void **state)
{
	struct world *w = *state;
	struct named many[20];

	for (int i = 0; i < 20; i++) {
		many[i] = named(w, (char)('a' + i));
		set_at(&many[i], 500);
	}
	set_at(&many[0], 500); /* set anew: now the last */
	assert_int_equal(run_after(w, 500), 20);
	assert_string_equal(w->fired, "bcdefghijklmnopqrsta");
}

static void moved_timer_fires_only_at_its_new_time(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b');

	set_at(&a, 100);
	set_at(&b, 150);
	set_at(&a, 200);
	assert_int_equal(run_after(w, 160), 1);
	assert_string_equal(w->fired, "b");
	set_at(&a, 170);
	assert_int_equal(run_after(w, 10), 1);
	assert_string_equal(w->fired, "a");
	assert_int_equal(run_after(w, 1000), 0);
}

static void stopped_timer_does_not_fire(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b');

	set_at(&a, 100);
	set_at(&b, 100);
	timer_stop(&w->timers, &a.timer);
	assert_false(timer_is_set(&a.timer));
	timer_stop(&w->timers, &a.timer);
	assert_int_equal(run_after(w, 100), 1);
	assert_string_equal(w->fired, "b");
}

static void timer_that_sets_itself_again_fires_each_period(void **state)
{
	struct world *w = *state;
	struct named tick = named(w, 't');

	tick.again_us = 10;
	set_at(&tick, 10);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(run_after(w, 10), 1);
	assert_int_equal(tick.timer.at_us, 10010);
}

static void timer_set_anew_in_the_past_waits_for_the_next_run(void **state)
{
	struct world *w = *state;
	struct named tick = named(w, 't'), other = named(w, 'o');

	tick.again_us = 1;
	set_at(&tick, 10);
	set_at(&other, 50);
	assert_int_equal(run_after(w, 100), 2);
	/* the repeated timer is due before the other, and does not hide it */
	assert_string_equal(w->fired, "to");
	assert_true(timers_next_us(&w->timers) <= 100);
	assert_int_equal(run_after(w, 0), 1);
	assert_string_equal(w->fired, "t");
}

static void timer_may_stop_another_that_is_due_in_the_same_run(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b'), c = named(w, 'c');

	a.stops = &b;
	set_at(&a, 1);
	set_at(&b, 2);
	set_at(&c, 3);
	assert_int_equal(run_after(w, 3), 2);
	assert_string_equal(w->fired, "ac");
}

static void timer_may_move_another_that_is_due_in_the_same_run(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b'), c = named(w, 'c');

	a.sets = &b;
	a.sets_at_us = 1000;
	b.timer.arg = &b;
	set_at(&a, 1);
	set_at(&b, 2);
	set_at(&c, 3);
	assert_int_equal(run_after(w, 3), 2);
	assert_string_equal(w->fired, "ac");
	assert_int_equal(timers_next_us(&w->timers), 1000);
}

static void owner_hears_only_of_an_earlier_deadline(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b');

	set_at(&a, 100);
	assert_int_equal(w->earlier, 1);
	set_at(&b, 200);
	assert_int_equal(w->earlier, 1);
	set_at(&b, 50);
	assert_int_equal(w->earlier, 2);
	set_at(&b, 300);
	assert_int_equal(w->earlier, 2);
	timer_stop(&w->timers, &a.timer);
	assert_int_equal(w->earlier, 2);
}

static void hours_pass_in_one_run(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a'), b = named(w, 'b');

	set_at(&a, INT64_C(3600000000) * 5);
	set_at(&b, INT64_C(3600000000) * 4);
	assert_int_equal(run_after(w, INT64_C(3600000000) * 6), 2);
	assert_string_equal(w->fired, "ba");
}

static void timers_are_not_set_after_done(void **state)
{
	struct world *w = *state;
	struct named a = named(w, 'a');

	set_at(&a, 1);
	timers_done(&w->timers);
	assert_false(timer_is_set(&a.timer));
	assert_int_equal(timers_next_us(&w->timers), INT64_MAX);
}

#define CROWD 300

struct member {
	struct timer timer;
	bool is_set, has_fired;
	int64_t at_us;
	uint64_t order;
};

static struct {
	struct member member[CROWD], *last;
	uint64_t order;
} crowd;

static void member_fires(void *arg)
{
	struct member *me = arg, *last = crowd.last;

	assert_true(me->is_set);
	assert_true(!last || last->at_us < me->at_us ||
		    (last->at_us == me->at_us && last->order < me->order));
	me->is_set = false;
	me->has_fired = true;
	crowd.last = me;
}

static size_t count_due(int64_t now_us, int64_t *next_us)
{
	size_t due = 0;

	*next_us = INT64_MAX;
	for (int i = 0; i < CROWD; i++) {
		const struct member *m = &crowd.member[i];
		assert_int_equal(timer_is_set(&m->timer), m->is_set);
		if (m->is_set && m->at_us <= now_us)
			due++;
		else if (m->is_set && m->at_us < *next_us)
			*next_us = m->at_us;
	}
	return due;
}

static void change_one(struct timers *timers, int64_t now_us)
{
	struct member *m = &crowd.member[random_below(CROWD)];

	if (random_below(3) == 0) {
		timer_stop(timers, &m->timer);
		m->is_set = false;
		return;
	}
	m->at_us = now_us + 1 + random_below(40);
	m->order = crowd.order++;
	m->is_set = true;
	m->timer.fire = member_fires;
	m->timer.arg = m;
	timer_set(timers, &m->timer, m->at_us);
}

/* Against a plain list that is searched from end to end. */
static void random_sets_stops_and_runs_agree_with_a_plain_list(void **state)
{
	struct world *w = *state;
	int64_t now_us = 0, next_us;

	random_start();
	w->timers.on_earlier = NULL;
	for (int round = 0; round < 3000; round++) {
		for (unsigned i = random_below(30); i > 0; i--)
			change_one(&w->timers, now_us);
		now_us += random_below(15);
		size_t due = count_due(now_us, &next_us);
		crowd.last = NULL;
		assert_int_equal(timers_run(&w->timers, now_us), due);
		assert_int_equal(timers_next_us(&w->timers), next_us);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_fire_in_order_of_deadline),
		TEST(equal_deadlines_fire_in_the_order_they_were_set),
		TEST(moved_timer_fires_only_at_its_new_time),
		TEST(stopped_timer_does_not_fire),
		TEST(timer_that_sets_itself_again_fires_each_period),
		TEST(timer_set_anew_in_the_past_waits_for_the_next_run),
		TEST(timer_may_stop_another_that_is_due_in_the_same_run),
		TEST(timer_may_move_another_that_is_due_in_the_same_run),
		TEST(owner_hears_only_of_an_earlier_deadline),
		TEST(hours_pass_in_one_run),
		TEST(timers_are_not_set_after_done),
		TEST(random_sets_stops_and_runs_agree_with_a_plain_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
