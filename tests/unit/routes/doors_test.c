/* The small handlers that pass something on: health, readiness, tickets, the simulated switch. */
#include "fixture.h"

static struct {
	bool is_ready, fails;
	char origin[64], verb[16], args[6][65];
	unsigned arg_count, tickets;
} seen;

static bool ready(void *user, char *json, unsigned size)
{
	(void)user;
	snprintf(json, size, "\"database\":\"%s\"", seen.is_ready ? "ok" : "away");
	return seen.is_ready;
}

static void make_ticket(void *user, const struct uuid *agent_id, const struct uuid *session_id,
			int64_t session_expires_ms, const char *origin,
			void (*done)(void *arg, enum status status, const char *ticket,
				     const struct err *err),
			void *arg)
{
	struct err err = {0};

	(void)user;
	(void)agent_id;
	assert_false(uuid_is_nil(session_id));
	assert_true(session_expires_ms > 0);
	seen.tickets++;
	snprintf(seen.origin, sizeof seen.origin, "%s", origin ? origin : "(none)");
	if (seen.fails)
		err_set(&err, ST_BUSY, "ticket.too_many", "", "too many tickets");
	done(arg, err.status, seen.fails ? NULL : "T", &err);
}

static void simulate(void *user, const char *verb, const char *const args[6],
		     void (*done)(void *arg, enum status status, const char *json,
				  const struct err *err),
		     void *arg)
{
	struct err err = {0};

	(void)user;
	snprintf(seen.verb, sizeof seen.verb, "%s", verb);
	seen.arg_count = 0;
	for (unsigned i = 0; i < 6; i++) {
		snprintf(seen.args[i], sizeof seen.args[i], "%s", args[i] ? args[i] : "(none)");
		seen.arg_count += args[i] != NULL;
	}
	if (seen.fails)
		err_set(&err, ST_NOT_FOUND, "sim.leg", "leg", "no such leg");
	done(arg, err.status, seen.fails ? NULL : "{\"leg\":\"x\"}", &err);
}

static int setup_hooks(void **state)
{
	const struct route_hooks hooks = {
		.ready = ready, .make_ticket = make_ticket, .simulate = simulate};

	memset(&seen, 0, sizeof seen);
	*state = world_make(STORE_AT_ONCE, &hooks);
	return 0;
}

static void readiness_is_the_hooks_word(void **state)
{
	struct world *world = *state;

	seen.is_ready = true;
	assert_int_equal(loopback_send(&world->lo, "GET", "/readyz", NULL)->code, 200);
	assert_string_equal(world->lo.body, "{\"ready\":true,\"database\":\"ok\"}");
	seen.is_ready = false;
	assert_int_equal(loopback_send(&world->lo, "GET", "/readyz", NULL)->code, 503);
	assert_string_equal(world->lo.body, "{\"ready\":false,\"database\":\"away\"}");
	assert_int_equal(loopback_send(&world->lo, "GET", "/healthz", NULL)->code, 200);
}

static void a_session_gets_a_ticket_for_its_page(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Origin", ORIGIN);
	assert_int_equal(send_as(world, SESSION, "POST", "/api/v1/ws-tickets", NULL)->code, 200);
	assert_string_equal(world->lo.body, "{\"ticket\":\"T\",\"expiresIn\":30}");
	assert_string_equal(seen.origin, ORIGIN);
	seen.fails = true;
	assert_int_equal(send_as(world, SESSION, "POST", "/api/v1/ws-tickets", "{}")->code, 503);
	assert_contains(world->lo.body, "ticket.too_many");
	assert_int_equal(send_as(world, KEY_ADMIN, "POST", "/api/v1/ws-tickets", NULL)->code, 403);
	assert_int_equal(seen.tickets, 2);
}

static void the_socket_path_asks_for_an_upgrade(void **state)
{
	struct world *world = *state;
	const struct answer *answer = loopback_send(&world->lo, "GET", "/ws", NULL);

	assert_int_equal(answer->code, 426);
	assert_string_equal(answer_field(answer, "Upgrade"), "websocket");
	assert_true(answer->closes);
}

static void verbs_of_the_simulated_switch_get_their_arguments_in_order(void **state)
{
	static const struct {
		const char *target, *body, *args[3];
		unsigned count;
	} cases[] = {
		{"call",
		 "{\"name\":\"Cy\",\"to\":\"800\",\"from\":\"555\"}",
		 {"555", "800", "Cy"},
		 3},
		{"call", "{\"to\":\"800\",\"from\":\"555\"}", {"555", "800", "(none)"}, 2},
		{"answer", "{\"leg\":\"l1\"}", {"l1", "(none)", "(none)"}, 1},
		{"hangup", "{\"leg\":\"l1\"}", {"l1", "(none)", "(none)"}, 1},
		{"press", "{\"leg\":\"l1\",\"digits\":\"42#\"}", {"l1", "42#", "(none)"}, 2},
		{"station",
		 "{\"station\":\"1001\",\"reachable\":false,\"answers\":true}",
		 {"1001", "false", "true"},
		 3},
		{"link", "{\"state\":\"down\"}", {"down", "(none)", "(none)"}, 1},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		char target[64];
		snprintf(target, sizeof target, "/api/v1/sim/%s", cases[i].target);
		assert_int_equal(send_as(world, KEY_ADMIN, "POST", target, cases[i].body)->code,
				 200);
		assert_string_equal(world->lo.body, "{\"leg\":\"x\"}");
		assert_string_equal(seen.verb, cases[i].target);
		assert_int_equal(seen.arg_count, cases[i].count);
		for (unsigned j = 0; j < 3; j++)
			assert_string_equal(seen.args[j], cases[i].args[j]);
	}
	assert_int_equal(send_as(world, KEY_ADMIN, "GET", "/api/v1/sim/legs", NULL)->code, 200);
	assert_string_equal(seen.verb, "legs");
}

static void wrong_verbs_and_arguments_never_reach_the_switch(void **state)
{
	struct world *world = *state;

	assert_int_equal(send_as(world, KEY_ADMIN, "POST", "/api/v1/sim/legs", "{}")->code, 404);
	assert_int_equal(send_as(world, KEY_ADMIN, "GET", "/api/v1/sim/call", NULL)->code, 404);
	assert_int_equal(send_as(world, KEY_ADMIN, "POST", "/api/v1/sim/reboot", "{}")->code, 404);
	assert_int_equal(
		send_as(world, KEY_ADMIN, "POST", "/api/v1/sim/press", "{\"leg\":7}")->code, 400);
	assert_string_equal(seen.verb, "");
	seen.fails = true;
	assert_int_equal(
		send_as(world, KEY_ADMIN, "POST", "/api/v1/sim/hangup", "{\"leg\":\"x\"}")->code,
		404);
	assert_contains(world->lo.body, "\"code\":\"sim.leg\",\"target\":\"leg\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readiness_is_the_hooks_word, setup_hooks, teardown),
		cmocka_unit_test_setup_teardown(a_session_gets_a_ticket_for_its_page, setup_hooks,
						teardown),
		cmocka_unit_test_setup_teardown(the_socket_path_asks_for_an_upgrade, setup_hooks,
						teardown),
		cmocka_unit_test_setup_teardown(
			verbs_of_the_simulated_switch_get_their_arguments_in_order, setup_hooks,
			teardown),
		cmocka_unit_test_setup_teardown(wrong_verbs_and_arguments_never_reach_the_switch,
						setup_hooks, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
