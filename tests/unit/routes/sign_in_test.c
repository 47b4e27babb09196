#include "fixture.h"

#include "routes/attempts.h"

#define RIGHT  "{\"login\":\"1001\",\"password\":\"" STORE_PASSWORD "\"}"
#define WRONG  "{\"login\":\"1001\",\"password\":\"wrong\"}"
#define NOBODY "{\"login\":\"nobody\",\"password\":\"wrong\"}"
#define LINK   "ctsl_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"

static const struct answer *sign_in(struct world *world, const char *body)
{
	return loopback_send(&world->lo, "POST", "/api/v1/sign-in", body);
}

/* The token of the last answer. */
static const char *token_of(struct world *world)
{
	static char token[64];
	const char *at = strstr(world->lo.body, "\"token\":\"");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "\"token\":\"%48[^\"]\"", token), 1);
	return token;
}

static void a_password_opens_a_session(void **state)
{
	struct world *world = *state;

	assert_int_equal(sign_in(world, RIGHT)->code, 200);
	assert_contains(world->lo.body, "\"expiresOn\":\"2026-01-05T22:00:00.123Z\"");
	assert_contains(world->lo.body, "\"login\":\"1001\",\"name\":\"Ada Agent\"");
	assert_contains(world->lo.body, "\"state\":\"Ready\"");
	assert_int_equal(send_as(world, token_of(world), "GET", "/api/v1/me", NULL)->code, 200);
	assert_contains(world->lo.body, "{\"agent\":{\"agentId\":\"" STORE_AGENT "\"");
	assert_null(strstr(world->lo.body, "token"));
}

static void an_agent_that_the_call_plane_does_not_know_yet_is_logged_out(void **state)
{
	struct world *world = *state;

	routes_control_set_full(world->control, true);
	assert_int_equal(sign_in(world, RIGHT)->code, 200);
	assert_contains(world->lo.body, "\"state\":\"LoggedOut\",\"nextState\":\"LoggedOut\"");
}

static void a_link_opens_one_session(void **state)
{
	struct world *world = *state;

	routes_store_add_link(world->db, LINK);
	assert_int_equal(sign_in(world, "{\"link\":\"" LINK "\"}")->code, 200);
	assert_int_equal(send_as(world, token_of(world), "GET", "/api/v1/me", NULL)->code, 200);
	assert_int_equal(sign_in(world, "{\"link\":\"" LINK "\"}")->code, 401);
}

static void unknown_user_and_wrong_password_are_told_the_same(void **state)
{
	struct world *world = *state;
	char first[LOOPBACK_BODY];

	loopback_header(&world->lo, "X-Request-Id", "r");
	assert_int_equal(sign_in(world, WRONG)->code, 401);
	strcpy(first, world->lo.body);
	loopback_header(&world->lo, "X-Request-Id", "r");
	assert_int_equal(sign_in(world, NOBODY)->code, 401);
	assert_string_equal(world->lo.body, first);
	loopback_header(&world->lo, "X-Request-Id", "r");
	/* 1002 has the same password and is disabled */
	assert_int_equal(
		sign_in(world, "{\"login\":\"1002\",\"password\":\"" STORE_PASSWORD "\"}")->code,
		401);
	assert_string_equal(world->lo.body, first);
}

static void after_five_wrong_ones_even_the_right_one_has_to_wait(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ATTEMPTS_MAX; i++)
		assert_int_equal(sign_in(world, i % 2 ? WRONG : NOBODY)->code, 401);
	const struct answer *answer = sign_in(world, RIGHT);
	assert_int_equal(answer->code, 429);
	assert_string_equal(answer_field(answer, "Retry-After"), "60");
	assert_int_equal(routes_store_queries(world->db, "agent_by_login"), ATTEMPTS_MAX);
	held_clock_advance(&world->held, 60000000);
	assert_int_equal(sign_in(world, RIGHT)->code, 200);
}

static void old_tokens_of_a_page_do_not_keep_its_agent_from_signing_in(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 2 * ATTEMPTS_MAX; i++)
		(void)send_as(world, KEY_WRONG, "GET", "/api/v1/me", NULL);
	assert_int_equal(sign_in(world, RIGHT)->code, 200);
}

static void a_foreign_page_cannot_sign_its_visitor_in(void **state)
{
	static const struct {
		const char *origin, *host;
		int code;
	} cases[] = {
		{"https://evil.example", "calltab.example", 403},
		{"null", "calltab.example", 403},
		{ORIGIN, "calltab.example", 200},
		{"https://calltab.example", "calltab.example", 200},
		{"http://calltab.example:8080", "calltab.example:8080", 200},
		{"http://calltab.example.evil", "calltab.example", 403},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		loopback_header(&world->lo, "Origin", cases[i].origin);
		loopback_header(&world->lo, "Host", cases[i].host);
		assert_int_equal(sign_in(world, RIGHT)->code, cases[i].code);
	}
}

static void bad_bodies_are_told_what_is_wrong(void **state)
{
	static const struct {
		const char *body;
		int code;
		const char *part;
	} cases[] = {
		{"{}", 400, "\"code\":\"json.missing\",\"target\":\"login\""},
		{"{\"login\":\"1001\"}", 400, "\"target\":\"password\""},
		{"{\"login\":1001,\"password\":\"x\"}", 400, "\"code\":\"json.wrong_type\""},
		{"{\"login\":\"1001\",", 400, "\"code\":\"json.malformed\""},
		{"[]", 400, "\"code\":\"json.not_object\""},
		{"{\"link\":\"ctsl_\"}", 401, "sign_in.refused"},
		{"{\"link\":7}", 400, "json.wrong_type"},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(sign_in(world, cases[i].body)->code, cases[i].code);
		assert_contains(world->lo.body, cases[i].part);
	}
}

static void only_json_is_taken(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Content-Type", "text/plain"); /* before the loopback's own */
	assert_int_equal(sign_in(world, RIGHT)->code, 415);
	assert_contains(world->lo.body, "\"code\":\"http.unsupported_type\"");
}

static struct uuid ended;
static unsigned end_count;

static void end_session(void *user, const struct uuid *session_id)
{
	(void)user;
	ended = *session_id;
	end_count++;
}

static int setup_hooks(void **state)
{
	const struct route_hooks hooks = {.end_session = end_session};

	end_count = 0;
	*state = world_make(STORE_AT_ONCE, &hooks);
	return 0;
}

static void sign_out_ends_the_session_at_once(void **state)
{
	struct world *world = *state;

	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	assert_int_equal(send_as(world, SESSION, "POST", "/api/v1/sign-out", NULL)->code, 204);
	assert_int_equal(end_count, 1);
	assert_false(uuid_is_nil(&ended));
	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_password_opens_a_session, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_agent_that_the_call_plane_does_not_know_yet_is_logged_out, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_link_opens_one_session, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_user_and_wrong_password_are_told_the_same,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			after_five_wrong_ones_even_the_right_one_has_to_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(
			old_tokens_of_a_page_do_not_keep_its_agent_from_signing_in, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_foreign_page_cannot_sign_its_visitor_in, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_bodies_are_told_what_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(only_json_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(sign_out_ends_the_session_at_once, setup_hooks,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
