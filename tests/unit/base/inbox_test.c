#include "unit.h"

#include <semaphore.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/inbox.h"

struct message {
	struct inbox_item item; /* first: an item is its message */
	int producer, number;
};

static void count_wake(void *user)
{
	++*(int *)user;
}

static void items_come_out_in_the_order_they_were_put(void **state)
{
	(void)state;
	struct inbox inbox;
	struct message m[3];

	inbox_init(&inbox, 0, NULL, NULL);
	assert_null(inbox_take_all(&inbox));
	for (int i = 0; i < 3; i++) {
		m[i].item.next = &m[0].item; /* whatever was there */
		assert_true(inbox_put(&inbox, &m[i].item));
	}
	assert_int_equal(inbox_count(&inbox), 3);
	struct inbox_item *item = inbox_take_all(&inbox);
	for (int i = 0; i < 3; i++, item = item->next)
		assert_ptr_equal(item, &m[i].item);
	assert_null(item);
	assert_int_equal(inbox_count(&inbox), 0);
	assert_null(inbox_take_all(&inbox));
	inbox_done(&inbox);
}

static void burst_costs_one_wake(void **state)
{
	(void)state;
	struct inbox inbox;
	struct message m[10];
	int wakes = 0;

	inbox_init(&inbox, 0, count_wake, &wakes);
	for (int i = 0; i < 10; i++)
		assert_true(inbox_put(&inbox, &m[i].item));
	assert_int_equal(wakes, 1);
	assert_non_null(inbox_take_all(&inbox));
	assert_true(inbox_put(&inbox, &m[0].item));
	assert_int_equal(wakes, 2);
	inbox_done(&inbox);
}

static void full_inbox_leaves_the_item_with_the_caller(void **state)
{
	(void)state;
	struct inbox inbox;
	struct message m[3];
	int wakes = 0;

	inbox_init(&inbox, 2, count_wake, &wakes);
	assert_true(inbox_put(&inbox, &m[0].item));
	assert_true(inbox_put(&inbox, &m[1].item));
	m[2].item.next = &m[0].item;
	assert_false(inbox_put(&inbox, &m[2].item));
	assert_ptr_equal(m[2].item.next, &m[0].item);
	assert_int_equal(inbox_count(&inbox), 2);
	struct inbox_item *all = inbox_take_all(&inbox);
	assert_ptr_equal(all->next, &m[1].item);
	assert_null(all->next->next);
	assert_true(inbox_put(&inbox, &m[2].item));
	inbox_done(&inbox);
}

static void wake_may_look_into_the_inbox(void *user)
{
	struct inbox *inbox = user;

	assert_int_equal(inbox_count(inbox), 1);
}

static void wake_is_called_outside_the_lock(void **state)
{
	(void)state;
	struct inbox inbox;
	struct message m;

	alarm(20); /* the failure would be a standstill */
	inbox_init(&inbox, 0, wake_may_look_into_the_inbox, &inbox);
	assert_true(inbox_put(&inbox, &m.item));
	inbox_done(&inbox);
	alarm(0);
}

#define PRODUCERS    4
#define PER_PRODUCER 20000

struct shared {
	struct inbox inbox;
	sem_t wakes;
};

struct producer {
	struct shared *shared;
	int number;
};

static void post_wake(void *user)
{
	sem_post(user);
}

static void *produce(void *arg)
{
	struct producer *me = arg;

	for (int i = 0; i < PER_PRODUCER; i++) {
		struct message *m = xcalloc(1, sizeof(*m));
		m->producer = me->number;
		m->number = i;
		if (!inbox_put(&me->shared->inbox, &m->item))
			abort();
	}
	return NULL;
}

static bool wait_for_wake(sem_t *wakes)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 20;
	return sem_timedwait(wakes, &deadline) == 0;
}

/* Answers how many were taken. */
static int take_and_check(struct inbox *inbox, int next_of[PRODUCERS])
{
	int taken = 0;

	for (struct inbox_item *item = inbox_take_all(inbox), *next; item; item = next) {
		struct message *m = (struct message *)item;
		next = item->next;
		assert_int_equal(m->number, next_of[m->producer]);
		next_of[m->producer]++;
		free(m);
		taken++;
	}
	return taken;
}

/* The taker sleeps until it is woken, as a loop does: a lost wake would be a standstill. */
static void four_producers_lose_nothing_and_each_keeps_its_order(void **state)
{
	(void)state;
	struct shared shared;
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];
	int next_of[PRODUCERS] = {0}, taken = 0;

	sem_init(&shared.wakes, 0, 0);
	inbox_init(&shared.inbox, 0, post_wake, &shared.wakes);
	for (int i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){.shared = &shared, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	while (taken < PRODUCERS * PER_PRODUCER) {
		assert_true(wait_for_wake(&shared.wakes));
		taken += take_and_check(&shared.inbox, next_of);
	}
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(next_of[i], PER_PRODUCER);
	}
	assert_null(inbox_take_all(&shared.inbox));
	inbox_done(&shared.inbox);
	sem_destroy(&shared.wakes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_the_order_they_were_put),
		cmocka_unit_test(burst_costs_one_wake),
		cmocka_unit_test(full_inbox_leaves_the_item_with_the_caller),
		cmocka_unit_test(wake_is_called_outside_the_lock),
		cmocka_unit_test(four_producers_lose_nothing_and_each_keeps_its_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
