#include "fixture.h"

#include "routes/auth.h"
#include "routes/secret.h"

static unsigned challenges(const struct answer *answer)
{
	unsigned count = 0;

	for (unsigned i = 0; i < answer->field_count; i++)
		count += strcmp(answer->fields[i].name, "WWW-Authenticate") == 0;
	return count;
}

static void nobody_is_challenged_twice(void **state)
{
	struct world *world = *state;
	const struct answer *answer =
		loopback_send(&world->lo, "GET", "/odata/v4/cts_dialerCalls", NULL);

	assert_int_equal(answer->code, 401);
	assert_int_equal(challenges(answer), 2);
	assert_string_equal(answer_field(answer, "WWW-Authenticate"), "Bearer realm=\"calltab\"");
	assert_contains(world->lo.body, "\"code\":\"Unauthorized\"");
}

static void a_browsers_script_does_not_make_the_browser_ask_for_a_password(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Sec-Fetch-Mode", "cors");
	const struct answer *answer = loopback_send(&world->lo, "GET", "/api/v1/me", NULL);
	assert_int_equal(answer->code, 401);
	assert_int_equal(challenges(answer), 1);
}

static void cookies_mean_nothing(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Cookie", "token=" SESSION "; Authorization=Bearer " SESSION);
	assert_int_equal(loopback_send(&world->lo, "GET", "/api/v1/me", NULL)->code, 401);
}

static void a_token_in_the_address_means_nothing(void **state)
{
	struct world *world = *state;

	assert_int_equal(
		loopback_send(&world->lo, "GET", "/api/v1/me?access_token=" SESSION, NULL)->code,
		401);
	assert_int_equal(
		loopback_send(&world->lo, "GET", "/odata/v4/agents?apikey=" KEY_READ, NULL)->code,
		401);
}

static void a_key_may_be_shown_in_four_ways(void **state)
{
	/* base64 of "x:KEY_READ" and of "rrrrrrrr:BBB…" */
	static const char *const headers[][2] = {
		{"Authorization", BEARER KEY_READ},
		{"authorization", "bearer   " KEY_READ},
		{"X-API-Key", KEY_READ},
		{"Authorization",
		 "Basic "
		 "eDpjdHNrX3JycnJycnJyX0JCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ"
		 "kI="},
		{"Authorization",
		 "Basic cnJycnJycnI6QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQg=="},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof headers / sizeof *headers; i++) {
		loopback_header(&world->lo, headers[i][0], headers[i][1]);
		assert_int_equal(
			loopback_send(&world->lo, "GET", "/odata/v4/cts_dialerCalls/$count", NULL)
				->code,
			200);
	}
}

static void what_has_no_known_form_is_401_without_a_query(void **state)
{
	static const char *const headers[][2] = {
		{"Authorization", "Bearer"},
		{"Authorization", "Bearer "},
		{"Authorization", "Bearer x"},
		{"Authorization", "Digest " SESSION},
		{"Authorization", SESSION},
		{"X-API-Key", SESSION},
		{"Authorization", "Basic !!!"},
		{"Authorization", "Basic eDp5"},
		{"Authorization", "Bearer " SESSION "x"},
	};
	struct world *world = *state;
	char peer[PEER_SIZE];

	for (unsigned i = 0; i < sizeof headers / sizeof *headers; i++) {
		snprintf(peer, sizeof peer, "192.0.2.%u", 10 + i);
		world->lo.peer = peer;
		loopback_header(&world->lo, headers[i][0], headers[i][1]);
		assert_int_equal(loopback_send(&world->lo, "GET", "/api/v1/me", NULL)->code, 401);
	}
	assert_int_equal(routes_store_queries(world->db, "session_by_token"), 0);
}

/* Every right against everybody who may ask: a key without `dial` cannot have anything dialed. */
static void rights_are_a_matrix(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int session, reader, dialer, admin;
	} cases[] = {
		{"GET", "/api/v1/me", NULL, 200, 403, 403, 403},
		{"POST", "/api/v1/ws-tickets", NULL, 501, 403, 403, 403},
		{"POST", "/api/v1/present", "{\"agent\":\"1001\",\"number\":\"+15551234567\"}", 202,
		 403, 202, 403},
		{"GET", "/odata/v4/cts_dialerCalls", NULL, 200, 200, 200, 403},
		{"GET", "/odata/v4/cts_dialerCalls/$count", NULL, 200, 200, 200, 403},
		{"GET", "/odata/v4/cts_dialerCalls(" STORE_CALL ")", NULL, 200, 200, 200, 403},
		{"GET", "/odata/v4/cts_dialerCalls(" STORE_CALL ")/dialerCallEvents", NULL, 200,
		 200, 200, 403},
		{"GET", "/api/v1/sim/legs", NULL, 403, 403, 403, 501},
		{"POST", "/api/v1/sim/call", "{}", 403, 403, 403, 501},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *method = cases[i].method, *target = cases[i].target;
		const char *body = cases[i].body;
		assert_int_equal(send_as(world, NULL, method, target, body)->code, 401);
		assert_int_equal(send_as(world, SESSION, method, target, body)->code,
				 cases[i].session);
		assert_int_equal(send_as(world, KEY_READ, method, target, body)->code,
				 cases[i].reader);
		assert_int_equal(send_as(world, KEY_DIAL, method, target, body)->code,
				 cases[i].dialer);
		assert_int_equal(send_as(world, KEY_ADMIN, method, target, body)->code,
				 cases[i].admin);
	}
}

static void a_missing_scope_is_named(void **state)
{
	struct world *world = *state;
	const struct answer *answer = send_as(world, KEY_READ, "POST", "/api/v1/present", "{}");

	assert_int_equal(answer->code, 403);
	assert_contains(world->lo.body, "\"detail\":\"this key lacks the scope dial\"");
	assert_contains(world->lo.body, "\"code\":\"scope.missing\",\"target\":\"dial\"");
}

static void a_token_is_looked_up_once_a_second(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 10; i++)
		assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	assert_int_equal(routes_store_queries(world->db, "session_by_token"), 1);
	held_clock_advance(&world->held, AUTH_CACHE_US);
	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	assert_int_equal(routes_store_queries(world->db, "session_by_token"), 2);
}

static void a_revoked_key_is_refused_within_a_second(void **state)
{
	struct world *world = *state;

	assert_int_equal(send_as(world, KEY_READ, "GET", "/odata/v4/cts_dialerCalls", NULL)->code,
			 200);
	routes_store_revoke_key(world->db, KEY_READ);
	held_clock_advance(&world->held, AUTH_CACHE_US);
	assert_int_equal(send_as(world, KEY_READ, "GET", "/odata/v4/cts_dialerCalls", NULL)->code,
			 401);
}

static void six_wrong_tokens_in_a_minute_are_429(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ATTEMPTS_MAX; i++)
		assert_int_equal(send_as(world, KEY_WRONG, "GET", "/api/v1/me", NULL)->code, 401);
	const struct answer *answer = send_as(world, KEY_WRONG, "GET", "/api/v1/me", NULL);
	assert_int_equal(answer->code, 429);
	assert_string_equal(answer_field(answer, "Retry-After"), "60");
	assert_int_equal(routes_store_queries(world->db, "key_by_prefix"), ATTEMPTS_MAX);
	/* Another address is not concerned, nor is this one after a minute. */
	world->lo.peer = "192.0.2.2";
	assert_int_equal(send_as(world, KEY_WRONG, "GET", "/api/v1/me", NULL)->code, 401);
	world->lo.peer = NULL;
	held_clock_advance(&world->held, 60000000);
	assert_int_equal(send_as(world, KEY_WRONG, "GET", "/api/v1/me", NULL)->code, 401);
}

static void who_was_known_before_is_not_shut_out_by_others_behind_his_address(void **state)
{
	struct world *world = *state;

	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	for (int i = 0; i < 2 * ATTEMPTS_MAX; i++)
		(void)send_as(world, KEY_WRONG, "GET", "/api/v1/me", NULL);
	held_clock_advance(&world->held, 2 * AUTH_CACHE_US);
	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	assert_int_equal(send_as(world, KEY_READ, "GET", "/odata/v4/cts_dialerCalls", NULL)->code,
			 429);
}

static void without_a_database_nothing_is_believed_any_longer(void **state)
{
	struct world *world = *state;

	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	routes_store_set_mode(world->db, STORE_AWAY);
	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
	held_clock_advance(&world->held, AUTH_CACHE_US);
	const struct answer *answer = send_as(world, SESSION, "GET", "/api/v1/me", NULL);
	assert_int_equal(answer->code, 503);
	assert_non_null(answer_field(answer, "Retry-After"));
	routes_store_set_mode(world->db, STORE_FULL);
	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 503);
	routes_store_set_mode(world->db, STORE_AT_ONCE);
	assert_int_equal(send_as(world, SESSION, "GET", "/api/v1/me", NULL)->code, 200);
}

static void scopes_are_words(void **state)
{
	unsigned scopes;
	char bad[WORD_SIZE];

	(void)state;
	assert_true(scopes_parse("calls.read, dial", &scopes, bad));
	assert_int_equal(scopes, SCOPE_CALLS_READ | SCOPE_DIAL);
	assert_true(scopes_parse("", &scopes, bad));
	assert_int_equal(scopes, 0);
	assert_false(scopes_parse("dial everything admin", &scopes, bad));
	assert_string_equal(bad, "everything");
	assert_int_equal(scopes, SCOPE_DIAL | SCOPE_ADMIN);
	for (unsigned i = 0; i < SCOPE_COUNT; i++) {
		assert_true(scopes_parse(scope_word((enum scope)(1u << i)), &scopes, NULL));
		assert_int_equal(scopes, 1u << i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_is_challenged_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_browsers_script_does_not_make_the_browser_ask_for_a_password, setup,
			teardown),
		cmocka_unit_test_setup_teardown(cookies_mean_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_token_in_the_address_means_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_key_may_be_shown_in_four_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_no_known_form_is_401_without_a_query,
						setup, teardown),
		cmocka_unit_test_setup_teardown(rights_are_a_matrix, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_scope_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_token_is_looked_up_once_a_second, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_revoked_key_is_refused_within_a_second, setup,
						teardown),
		cmocka_unit_test_setup_teardown(six_wrong_tokens_in_a_minute_are_429, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			who_was_known_before_is_not_shut_out_by_others_behind_his_address, setup,
			teardown),
		cmocka_unit_test_setup_teardown(without_a_database_nothing_is_believed_any_longer,
						setup, teardown),
		cmocka_unit_test(scopes_are_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
