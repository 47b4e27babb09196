#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "routes/attempts.h"

struct world {
	struct held_clock held;
	struct clock clock;
	struct attempts *attempts;
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	world->clock = clock_held(&world->held);
	world->attempts = attempts_create(&world->clock);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	attempts_destroy(world->attempts);
	free(world);
	return 0;
}

static void add_wrong(struct world *world, const char *peer, int times)
{
	while (times-- > 0)
		attempts_add_wrong(world->attempts, peer);
}

static void five_wrong_ones_make_an_address_wait_for_the_rest_of_the_minute(void **state)
{
	struct world *world = *state;

	add_wrong(world, "192.0.2.1", 4);
	held_clock_advance(&world->held, 20000000);
	assert_int_equal(attempts_wait_s(world->attempts, "192.0.2.1"), 0);
	add_wrong(world, "192.0.2.1", 1);
	assert_int_equal(attempts_wait_s(world->attempts, "192.0.2.1"), 40);
	assert_int_equal(attempts_wait_s(world->attempts, "192.0.2.2"), 0);
	held_clock_advance(&world->held, 39000000);
	assert_int_equal(attempts_wait_s(world->attempts, "192.0.2.1"), 1);
	held_clock_advance(&world->held, 1000000);
	assert_int_equal(attempts_wait_s(world->attempts, "192.0.2.1"), 0);
}

static void one_network_of_ipv6_counts_as_one(void **state)
{
	struct world *world = *state;

	add_wrong(world, "2001:db8:0:1::1", 3);
	add_wrong(world, "2001:db8:0:1:ffff::2", 2);
	assert_true(attempts_wait_s(world->attempts, "2001:db8:0:1::77") > 0);
	assert_int_equal(attempts_wait_s(world->attempts, "2001:db8:0:2::1"), 0);
}

static void many_addresses_are_no_way_to_more_memory_or_to_a_hang(void **state)
{
	struct world *world = *state;
	char peer[PEER_SIZE];

	for (int i = 0; i < 20000; i++) {
		snprintf(peer, sizeof peer, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		add_wrong(world, peer, 5);
		assert_true(attempts_wait_s(world->attempts, peer) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			five_wrong_ones_make_an_address_wait_for_the_rest_of_the_minute, setup,
			teardown),
		cmocka_unit_test_setup_teardown(one_network_of_ipv6_counts_as_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			many_addresses_are_no_way_to_more_memory_or_to_a_hang, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
