#include "fixture.h"

#include "routes/router.h"

static bool matches(const char *pattern, const char *path, struct request *request)
{
	request->path = (char *)path;
	return route_match(pattern, request);
}

static void patterns_name_pieces_of_a_path(void **state)
{
	struct request request = {0};
	char piece[64];

	(void)state;
	assert_true(matches("/healthz", "/healthz", &request));
	assert_false(matches("/healthz", "/healthz/", &request));
	assert_false(matches("/healthz", "/health", &request));
	assert_true(matches("/o/{set}({key})/{nav}", "/o/calls(12)/events", &request));
	assert_true(request_arg(&request, 0, piece, sizeof piece));
	assert_string_equal(piece, "calls");
	assert_true(request_arg(&request, 1, piece, sizeof piece));
	assert_string_equal(piece, "12");
	assert_true(request_arg(&request, 2, piece, sizeof piece));
	assert_string_equal(piece, "events");
	assert_false(request_arg(&request, 2, piece, 6));
	assert_false(matches("/o/{set}({key})", "/o/calls()", &request));
	assert_false(matches("/o/{set}({key})", "/o/calls(1", &request));
	assert_false(matches("/o/{set}({key})", "/o/calls(1)x", &request));
	assert_false(matches("/o/{set}", "/o/", &request));
	assert_false(matches("/o/{set}", "/o/a/b", &request));
}

static void unknown_address_is_404_as_a_problem(void **state)
{
	struct world *world = *state;
	const struct answer *answer = loopback_send(&world->lo, "GET", "/nothing", NULL);

	assert_int_equal(answer->code, 404);
	assert_string_equal(answer->type, "application/problem+json");
	assert_contains(world->lo.body, "\"title\":\"Not Found\",\"status\":404");
	assert_contains(world->lo.body, "\"code\":\"http.not_found\"");
	assert_contains(world->lo.body, world->lo.request->id);
}

static void unknown_address_under_odata_has_its_form(void **state)
{
	struct world *world = *state;
	const struct answer *answer = loopback_send(&world->lo, "GET", "/odata/v4/a/b/c", NULL);

	assert_int_equal(answer->code, 404);
	assert_string_equal(answer->type, "application/json");
	assert_contains(world->lo.body, "{\"error\":{\"code\":\"NotFound\",\"message\":");
}

static void wrong_method_is_405_and_says_what_is_allowed(void **state)
{
	static const struct {
		const char *method, *target, *allow;
	} cases[] = {
		{"POST", "/healthz", "GET, HEAD, OPTIONS"},
		{"BREW", "/healthz", "GET, HEAD, OPTIONS"},
		{"get", "/healthz", "GET, HEAD, OPTIONS"},
		{"GET", "/api/v1/sign-in", "POST, OPTIONS"},
		{"DELETE", "/api/v1/sim/link", "GET, HEAD, POST, OPTIONS"},
		{"PATCH", "/odata/v4/agents", "GET, HEAD, OPTIONS"},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct answer *answer =
			loopback_send(&world->lo, cases[i].method, cases[i].target, NULL);
		assert_int_equal(answer->code, 405);
		assert_string_equal(answer_field(answer, "Allow"), cases[i].allow);
	}
}

static void every_answer_carries_what_protects_a_browser(void **state)
{
	struct world *world = *state;
	const struct answer *answer = loopback_send(&world->lo, "GET", "/healthz", NULL);

	assert_int_equal(answer->code, 200);
	assert_string_equal(world->lo.body, "{\"status\":\"ok\"}");
	assert_string_equal(answer_field(answer, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(answer_field(answer, "Referrer-Policy"), "no-referrer");
	assert_string_equal(answer_field(answer, "Cache-Control"), "no-store");
	assert_string_equal(answer_field(answer, "Content-Security-Policy"),
			    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action "
			    "'self'; frame-ancestors 'self' " ORIGIN " http://127.0.0.1:8080");
	assert_int_equal(strlen(answer_field(answer, "X-Request-Id")), 36);
}

static void request_id_is_echoed_when_it_is_harmless(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "x-request-id", "abc-1.2:3_4");
	const struct answer *answer = loopback_send(&world->lo, "GET", "/healthz", NULL);
	assert_string_equal(answer_field(answer, "X-Request-Id"), "abc-1.2:3_4");
	loopback_header(&world->lo, "X-Request-Id", "a b");
	answer = loopback_send(&world->lo, "GET", "/healthz", NULL);
	assert_int_equal(strlen(answer_field(answer, "X-Request-Id")), 36);
}

static void configured_origins_may_read_answers_and_others_may_not(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Origin", ORIGIN);
	const struct answer *answer = loopback_send(&world->lo, "GET", "/healthz", NULL);
	assert_string_equal(answer_field(answer, "Access-Control-Allow-Origin"), ORIGIN);
	assert_string_equal(answer_field(answer, "Vary"), "Origin");
	static const char *const others[] = {"https://crm.example.evil",
					     "https://CRM.example",
					     "http://crm.example",
					     "https://crm.example:443",
					     "https://crm.example/",
					     "null",
					     "",
					     "*"};
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
		loopback_header(&world->lo, "Origin", others[i]);
		answer = loopback_send(&world->lo, "GET", "/healthz", NULL);
		assert_null(answer_field(answer, "Access-Control-Allow-Origin"));
		assert_string_equal(answer_field(answer, "Vary"), "Origin");
	}
}

static void preflight_is_answered_from_the_table(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Origin", ORIGIN);
	loopback_header(&world->lo, "Access-Control-Request-Method", "POST");
	const struct answer *answer = loopback_send(&world->lo, "OPTIONS", "/api/v1/present", NULL);
	assert_int_equal(answer->code, 204);
	assert_string_equal(answer_field(answer, "Access-Control-Allow-Methods"), "POST, OPTIONS");
	assert_contains(answer_field(answer, "Access-Control-Allow-Headers"), "Authorization");
	assert_string_equal(answer_field(answer, "Access-Control-Max-Age"), "600");
	loopback_header(&world->lo, "Origin", "https://evil.example");
	loopback_header(&world->lo, "Access-Control-Request-Method", "POST");
	answer = loopback_send(&world->lo, "OPTIONS", "/api/v1/present", NULL);
	assert_int_equal(answer->code, 204);
	assert_null(answer_field(answer, "Access-Control-Allow-Origin"));
	assert_null(answer_field(answer, "Access-Control-Allow-Methods"));
	answer = loopback_send(&world->lo, "OPTIONS", "/nothing", NULL);
	assert_int_equal(answer->code, 404);
}

static void table_is_sound(void **state)
{
	(void)state;
	for (const struct route *route = route_table; route->pattern; route++) {
		assert_non_null(route->handle);
		assert_int_equal(route->pattern[0], '/');
		assert_true(route->method < HTTP_OPTIONS && route->method != HTTP_HEAD);
		/* Room for much only where somebody has to be known. */
		assert_true(!route->body_limit || route->right == RIGHT_ADMIN);
		/* What is under these is never open to everybody. */
		if (strncmp(route->pattern, "/odata", 6) == 0)
			assert_int_equal(route->right, RIGHT_READ);
		if (strncmp(route->pattern, "/api/v1/sim", 11) == 0 ||
		    strncmp(route->pattern, "/api/v1/sounds", 14) == 0)
			assert_int_equal(route->right, RIGHT_ADMIN);
	}
}

static void the_first_answer_wins(void **state)
{
	struct world *world = *state;
	struct err err = {0};

	(void)loopback_send(&world->lo, "GET", "/healthz", NULL);
	err_set(&err, ST_TIMEOUT, "request.timeout", "", "late");
	answer_error(world->lo.request, &err);
	assert_int_equal(loopback_answer(&world->lo)->code, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_name_pieces_of_a_path),
		cmocka_unit_test_setup_teardown(unknown_address_is_404_as_a_problem, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unknown_address_under_odata_has_its_form, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wrong_method_is_405_and_says_what_is_allowed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_answer_carries_what_protects_a_browser, setup,
						teardown),
		cmocka_unit_test_setup_teardown(request_id_is_echoed_when_it_is_harmless, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			configured_origins_may_read_answers_and_others_may_not, setup, teardown),
		cmocka_unit_test_setup_teardown(preflight_is_answered_from_the_table, setup,
						teardown),
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test_setup_teardown(the_first_answer_wins, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
