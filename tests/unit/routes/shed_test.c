/* What the HTTP door turns away at which level: by the table, before anybody is looked up. */
#include "fixture.h"

#include "base/shed.h"
#include "routes/router.h"

static struct shed shed;

static int shed_setup(void **state)
{
	struct world *world = world_make(STORE_AT_ONCE, NULL);

	shed = (struct shed){0};
	world->routes->config.shed = &shed;
	routes_store_set_fill(world->db, SHED_POLL_ROOM_PERCENT);
	*state = world;
	return 0;
}

/* One of each class, and what has none. */
static const struct {
	const char *method, *target;
	enum overload_level work;
} requests[] = {
	{"GET", "/odata/v4/agents", OVERLOAD_POLLS},
	{"HEAD", "/odata/v4/agents", OVERLOAD_POLLS},
	{"GET", "/odata/v4/agents/$count", OVERLOAD_POLLS},
	{"GET", "/api/v1/sounds", OVERLOAD_POLLS},
	{"DELETE", "/api/v1/sounds/a", OVERLOAD_WRITES},
	{"PUT", "/api/v1/sounds/a", OVERLOAD_WRITES},
	{"POST", "/api/v1/present", OVERLOAD_DIALS},
	{"POST", "/api/v1/sign-in", OVERLOAD_TABS},
	{"GET", "/api/v1/me", OVERLOAD_TABS},
	{"POST", "/api/v1/ws-tickets", OVERLOAD_RESUMES},
	{"GET", "/ws", OVERLOAD_RESUMES},
	{"GET", "/healthz", OVERLOAD_NONE},
	{"GET", "/readyz", OVERLOAD_NONE},
	{"GET", "/sounds/1/a.wav", OVERLOAD_NONE},
	{"GET", "/api/v1/sim/legs", OVERLOAD_NONE},
	{"POST", "/api/v1/sign-out", OVERLOAD_NONE},
	{"GET", "/", OVERLOAD_NONE},
	{"OPTIONS", "/odata/v4/agents", OVERLOAD_NONE},
};

static bool is_turned_away(struct world *world, const struct answer *answer)
{
	if (!answer || answer->code != 503)
		return false;
	if (!strstr(world->lo.body, "overload.") && !strstr(world->lo.body, "\"Unavailable\""))
		return false;
	const char *after = answer_field(answer, "Retry-After");
	assert_non_null(after);
	assert_in_range(atoi(after), 1, 5);
	assert_false(answer->closes);
	return true;
}

static void each_class_is_turned_away_from_its_level_on(void **state)
{
	struct world *world = *state;

	for (int level = OVERLOAD_NONE; level < OVERLOAD_LEVEL_COUNT; level++) {
		shed_set_level(&shed, (enum overload_level)level);
		for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
			const struct answer *answer = loopback_send(&world->lo, requests[i].method,
								    requests[i].target, NULL);
			bool expected =
				requests[i].work != OVERLOAD_NONE && level >= (int)requests[i].work;
			if (is_turned_away(world, answer) != expected)
				fail_msg("%s %s at level %s", requests[i].method,
					 requests[i].target,
					 overload_word((enum overload_level)level));
		}
	}
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_POLLS]), 4 * 5);
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_DIALS]), 3);
}

static void a_refusal_has_the_form_of_every_error(void **state)
{
	struct world *world = *state;

	shed_set_level(&shed, OVERLOAD_DIALS);
	const struct answer *answer =
		send_as(world, SESSION, "POST", "/api/v1/present", "{\"number\":\"1\"}");
	assert_int_equal(answer->code, 503);
	assert_string_equal(answer->type, "application/problem+json");
	assert_contains(world->lo.body, "\"code\":\"overload.dials\"");
	assert_contains(world->lo.body, "\"requestId\":");
	(void)send_as(world, SESSION, "GET", "/odata/v4/agents", NULL);
	assert_contains(world->lo.body, "{\"error\":{\"code\":\"Unavailable\",\"message\":");
}

static void nobody_is_looked_up_for_a_refusal(void **state)
{
	struct world *world = *state;

	shed_set_level(&shed, OVERLOAD_POLLS);
	const struct answer *answer = loopback_send(&world->lo, "GET", "/odata/v4/agents", NULL);
	assert_int_equal(answer->code, 503); /* and not 401 */
}

static int code_of_poll(struct world *world, enum overload_level level, unsigned fill_percent)
{
	shed_set_level(&shed, level);
	routes_store_set_fill(world->db, fill_percent);
	return send_as(world, SESSION, "GET", "/odata/v4/cts_dialerCalls", NULL)->code;
}

static void at_the_lowest_level_polls_find_room_while_few_wait(void **state)
{
	struct world *world = *state;

	assert_int_equal(code_of_poll(world, OVERLOAD_NONE, 100), 200);
	assert_int_equal(code_of_poll(world, OVERLOAD_POLLS, SHED_POLL_ROOM_PERCENT), 503);
	assert_int_equal(code_of_poll(world, OVERLOAD_POLLS, SHED_POLL_ROOM_PERCENT - 1), 200);
	assert_int_equal(code_of_poll(world, OVERLOAD_WRITES, 0), 503);
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_POLLS]), 2);
}

/* A new route is given its class when it is made, and what reads is the first to go. */
static void the_table_gives_every_route_its_class(void **state)
{
	(void)state;
	for (const struct route *route = route_table; route->pattern; route++) {
		assert_in_range(route->shed, OVERLOAD_NONE, OVERLOAD_RESUMES);
		if (strncmp(route->pattern, "/odata", 6) == 0)
			assert_int_equal(route->shed, route->method == HTTP_GET ? OVERLOAD_POLLS
										: OVERLOAD_WRITES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_class_is_turned_away_from_its_level_on,
						shed_setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_has_the_form_of_every_error, shed_setup,
						teardown),
		cmocka_unit_test_setup_teardown(nobody_is_looked_up_for_a_refusal, shed_setup,
						teardown),
		cmocka_unit_test_setup_teardown(at_the_lowest_level_polls_find_room_while_few_wait,
						shed_setup, teardown),
		cmocka_unit_test(the_table_gives_every_route_its_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
