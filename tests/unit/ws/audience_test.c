#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ws/audience.h"
#include "ws/channel.h"

static struct audience *audience;

static int begin(void **state)
{
	(void)state;
	audience = audience_create();
	return 0;
}

static int end(void **state)
{
	(void)state;
	audience_destroy(audience);
	return 0;
}

static struct uuid agent(uint32_t number)
{
	struct uuid id = {{1}};

	memcpy(id.bytes + 12, &number, sizeof(number));
	return id;
}

static void the_first_and_the_last_window_are_told_apart(void **state)
{
	(void)state;
	struct channel one = {.agent_id = agent(1)}, two = {.agent_id = agent(1)},
		       other = {.agent_id = agent(2)};

	assert_true(audience_add(audience, &one));
	assert_false(audience_add(audience, &two));
	assert_true(audience_add(audience, &other));
	assert_int_equal(audience_count(audience, &one.agent_id), 2);
	assert_ptr_equal(audience_find(audience, &one.agent_id), &one);
	assert_ptr_equal(one.agent_next, &two);
	assert_null(two.agent_next);
	assert_false(audience_remove(audience, &one));
	assert_null(one.agent_prev);
	assert_ptr_equal(audience_find(audience, &two.agent_id), &two);
	assert_true(audience_remove(audience, &two));
	assert_null(audience_find(audience, &two.agent_id));
	assert_int_equal(audience_count(audience, &two.agent_id), 0);
	assert_ptr_equal(audience_find(audience, &other.agent_id), &other);
	assert_true(audience_remove(audience, &other));
}

/* Against a plain list of who is in, in a random order of coming and going: growth, collisions and
 * holes. */
static void everybody_is_found_whatever_came_and_went(void **state)
{
	(void)state;
	enum { AGENTS = 3000, STEPS = 60000 };
	struct channel *channels = calloc(AGENTS, sizeof(*channels));
	bool *is_in = calloc(AGENTS, sizeof(*is_in));
	uint64_t random = 4711;

	for (uint32_t i = 0; i < AGENTS; i++)
		channels[i].agent_id = agent(i * 64); /* many homes collide */
	for (int step = 0; step < STEPS; step++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		uint32_t i = (uint32_t)(random >> 33) % (step < STEPS / 2 ? AGENTS : AGENTS / 10);
		if (is_in[i])
			assert_true(audience_remove(audience, &channels[i]));
		else
			assert_true(audience_add(audience, &channels[i]));
		is_in[i] = !is_in[i];
	}
	for (uint32_t i = 0; i < AGENTS; i++) {
		struct channel *found = audience_find(audience, &channels[i].agent_id);
		assert_ptr_equal(found, is_in[i] ? &channels[i] : NULL);
	}
	free(channels);
	free(is_in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_and_the_last_window_are_told_apart, begin,
						end),
		cmocka_unit_test_setup_teardown(everybody_is_found_whatever_came_and_went, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
