/* The handlers on a real PostgreSQL, as the service role: what is promised of the sets is what the
 * statements give, secrets are found by what is kept of them, and another tenant's rows do not
 * exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "routes/entities.h"
#include "routes/private.h"
#include "routes/secret.h"
#include "tests/support/pg_fixture.h"
#include "tests/support/routes_control.h"
#include "tests/support/routes_loopback.h"
#include "tests/support/routes_store.h" /* the names of its rows only */

#define OTHER_TENANT "00000000-0000-7000-8000-000000000002"
#define OTHER_AGENT  "01890000-0000-7000-8000-0000000000a9"
#define OTHER_CALL   "01890000-0000-7000-8000-0000000000c9"
#define KEY(letters) "ctsk_" letters "_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define KEY_READ     KEY("readread")
#define KEY_DIAL     KEY("dialdial")
#define KEY_EXPIRED  KEY("expiredd")
#define KEY_REVOKED  KEY("revokedd")
#define KEY_OTHER    KEY("otherten")
#define LINK	     "ctsl_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
#define LINK_EXPIRED "ctsl_DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"

static struct pg_fixture pg;

struct world {
	char owner[PG_CONNINFO_SIZE], gateway[PG_CONNINFO_SIZE];
	struct db *db;
	struct control *control;
	struct routes *routes;
	struct loopback lo;
	unsigned peers;
};

static void add_key(struct world *world, const char *key, const char *tenant, const char *more)
{
	char hash[SECRET_HASH_SIZE], prefix[KEY_PREFIX_SIZE], sql[600];

	secret_hash(key, hash);
	assert_true(key_prefix(key, prefix));
	snprintf(sql, sizeof sql,
		 "insert into api_keys (api_key_id, tenant_id, name, prefix, secret_hash, scopes, "
		 "expires_on, revoked_on) values (gen_random_uuid(), '%s', '%s', '%s', "
		 "decode('%s', 'hex'), %s)",
		 tenant, prefix, prefix, hash, more);
	pg_fixture_exec(world->owner, sql);
}

static void add_link(struct world *world, const char *link, const char *expires)
{
	char hash[SECRET_HASH_SIZE], sql[400];

	secret_hash(link, hash);
	snprintf(sql, sizeof sql,
		 "insert into sign_in_links (link_hash, tenant_id, agent_id, expires_on) values "
		 "(decode('%s', 'hex'), '" STORE_TENANT "', '" STORE_AGENT "', %s)",
		 hash, expires);
	pg_fixture_exec(world->owner, sql);
}

static void add_password(struct world *world)
{
	char hash[PASSWORD_HASH_SIZE], sql[600];

	assert_int_equal(password_hash(STORE_PASSWORD, hash, NULL), ST_OK);
	snprintf(sql, sizeof sql, "update agents set password_hash = '%s' where login = '1001'",
		 hash);
	pg_fixture_exec(world->owner, sql);
}

static void fill(struct world *world)
{
	pg_fixture_exec(
		world->owner,
		"insert into tenants (tenant_id, name) values ('" OTHER_TENANT "', 'other');"
		"insert into agents (agent_id, tenant_id, login, full_name, extension) values "
		"('" STORE_AGENT "', '" STORE_TENANT "', '1001', 'Ada Agent', '1001'),"
		"('" OTHER_AGENT "', '" OTHER_TENANT "', '1001', 'Foreign Agent', '1001');"
		"insert into queues (queue_id, tenant_id, name, phone_number) values "
		"('" STORE_CALL "', '" STORE_TENANT "', 'Service', '5000');"
		"insert into outcomes (outcome_id, tenant_id, name, system_for) values "
		"('" STORE_CALL "', '" STORE_TENANT "', 'No Answer', 'noanswer');"
		"insert into dialer_calls (dialer_call_id, tenant_id, subject, to_name, "
		"phone_number, direction, status, agent_id, calls, no_answers, created_on, "
		"modified_on) values "
		"('" STORE_CALL "', '" STORE_TENANT "', 'Spring', 'Ada Example', '+15551234567', "
		"'ccOutbound', 'retry', '" STORE_AGENT "', 2, 1, '2026-01-05T10:00:00.123Z', "
		"'2026-01-05T10:00:01Z'),"
		"('" OTHER_CALL "', '" OTHER_TENANT
		"', 'Foreign', '', '+1999', 'outbound', 'open', "
		"null, 0, 0, now(), now());"
		"insert into dialer_call_events (dialer_call_event_id, tenant_id, dialer_call_id, "
		"call_id, event_name, direction, phone_number, duration_ms, created_on) values "
		"('" STORE_NEW_CALL "', '" STORE_TENANT "', '" STORE_CALL "', '" STORE_CALL "', "
		"'talk', 'ccOutbound', '+15551234567', null, '2026-01-05T10:00:04.900Z'),"
		"('" STORE_CALL "', '" STORE_TENANT "', '" STORE_CALL "', '" STORE_CALL
		"', 'ring', "
		"'ccOutbound', '+15551234567', 4777, '2026-01-05T10:00:00.123Z');"
		"insert into dialer_call_results (dialer_call_result_id, tenant_id, "
		"dialer_call_id, call_id, agent_id, direction, phone_number, result, created_on) "
		"values ('" STORE_CALL "', '" STORE_TENANT "', '" STORE_CALL "', '" STORE_CALL
		"', '" STORE_AGENT "', 'ccOutbound', '+15551234567', 'Sale', now());");
	add_key(world, KEY_READ, STORE_TENANT, "'calls.read', null, null");
	add_key(world, KEY_DIAL, STORE_TENANT, "'dial', now() + interval '1 day', null");
	add_key(world, KEY_EXPIRED, STORE_TENANT, "'calls.read', now() - interval '1 s', null");
	add_key(world, KEY_REVOKED, STORE_TENANT, "'calls.read', null, now()");
	add_key(world, KEY_OTHER, OTHER_TENANT, "'calls.read', null, null");
	add_link(world, LINK, "now() + interval '1 hour'");
	add_link(world, LINK_EXPIRED, "now() - interval '1 s'");
	add_password(world);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct routes_config config = {.version = "test"};
	struct db_config pool = {.workers = 2};

	assert_non_null(world);
	pg_fixture_database(&pg, true, world->owner);
	pg_fixture_as(world->owner, "gateway", world->gateway);
	fill(world);
	assert_true(uuid_parse(STORE_TENANT, &config.tenant_id));
	pool.conninfo = world->gateway;
	world->db = db_open(&pool, NULL);
	world->control = routes_control_create();
	world->routes =
		routes_create_bare(&config, &clock_system, world->control, world->db, NULL, NULL);
	world->lo.routes = world->routes;
	*state = world;
	return world->db && world->routes ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	loopback_done(&world->lo);
	db_close(world->db);
	routes_unref(world->routes);
	routes_control_destroy(world->control);
	free(world);
	return 0;
}

static bool is_answered(void *arg)
{
	return loopback_answer(arg) != NULL;
}

/* Each from another address, so that wrong ones are not counted together. */
static int ask(struct world *world, const char *token, const char *method, const char *target,
	       const char *body)
{
	char header[200], peer[PEER_SIZE];

	snprintf(peer, sizeof peer, "10.0.0.%u", ++world->peers);
	world->lo.peer = peer;
	snprintf(header, sizeof header, "Bearer %s", token ? token : "");
	if (token)
		loopback_header(&world->lo, "Authorization", header);
	(void)loopback_send(&world->lo, method, target, body);
	pg_until("the answer", is_answered, &world->lo, 10000);
	return loopback_answer(&world->lo)->code;
}

static const char *target_of(const char *set, const char *rest)
{
	static char target[200];

	snprintf(target, sizeof target, "/odata/v4/%s%s", set, rest);
	return target;
}

/* ---- what is promised is what the statements give ---- */

struct check { /* on a worker, because rows live there only */
	const struct entity_set *set;
	char what[400];
	atomic_bool is_done;
};

static void compare(struct check *check, const struct db_result *rows)
{
	const struct entity_property *property = check->set->properties;

	for (unsigned i = 0; i < db_columns(rows); i++, property++)
		if (!property->name || strcmp(property->name, db_column_name(rows, i)) != 0 ||
		    property->type != db_column_type(rows, i)) {
			snprintf(check->what, sizeof check->what, "%s: column %u is %s",
				 check->set->name, i, db_column_name(rows, i));
			return;
		}
	if (property->name)
		snprintf(check->what, sizeof check->what, "%s has no %s", check->set->name,
			 property->name);
}

static enum status run_check(struct db_conn *conn, void *arg, struct err *err)
{
	struct check *check = arg;
	struct uuid tenant, key;
	auto_db_result struct db_result *list = NULL, *one = NULL;

	if (!uuid_parse(STORE_TENANT, &tenant) || !uuid_parse(STORE_CALL, &key))
		return ST_INTERNAL;
	struct db_param page[] = {db_uuid(&tenant), db_int(10), db_int(0)};
	struct db_param single[] = {db_uuid(&tenant), db_uuid(&key)};
	enum status status = db_query(conn, check->set->list, page, 3, &list, err);
	if (status == ST_OK)
		status = db_query(conn, check->set->one, single, 2, &one, err);
	if (status != ST_OK)
		return status;
	compare(check, list);
	compare(check, one);
	return ST_OK;
}

static void check_done(void *arg, enum status status, const struct err *err)
{
	struct check *check = arg;

	if (status != ST_OK)
		snprintf(check->what, sizeof check->what, "%s: %s", check->set->name, err->message);
	atomic_store(&check->is_done, true);
}

static bool is_done(void *arg)
{
	return atomic_load(&((struct check *)arg)->is_done);
}

static void columns_are_the_promised_properties(void **state)
{
	struct world *world = *state;

	for (const struct entity_set *set = entity_sets; set->name; set++) {
		struct check check = {.set = set};
		struct db_job job = {.run = run_check, .done = check_done, .arg = &check};
		assert_int_equal(db_submit(world->db, &job, NULL), ST_OK);
		pg_until("the columns", is_done, &check, 10000);
		assert_string_equal(check.what, "");
	}
}

static void every_set_is_read_by_list_key_and_count(void **state)
{
	struct world *world = *state;

	for (const struct entity_set *set = entity_sets; set->name; set++) {
		bool is_agents = strcmp(set->name, "agents") == 0;
		const char *key = is_agents ? "(" STORE_AGENT ")" : "(" STORE_CALL ")";
		assert_int_equal(ask(world, KEY_READ, "GET", target_of(set->name, ""), NULL), 200);
		assert_non_null(strstr(world->lo.body, "{\"value\":[{\""));
		assert_null(strstr(world->lo.body, "Foreign"));
		assert_int_equal(ask(world, KEY_READ, "GET", target_of(set->name, "/$count"), NULL),
				 200);
		assert_string_equal(world->lo.body,
				    strcmp(set->name, "cts_dialerCallEvents") ? "1" : "2");
		assert_int_equal(ask(world, KEY_READ, "GET", target_of(set->name, key), NULL), 200);
	}
}

static void events_come_in_order_of_time_and_seconds_add_up(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, KEY_READ, "GET",
			     "/odata/v4/cts_dialerCalls(" STORE_CALL ")/dialerCallEvents", NULL),
			 200);
	const char *ring = strstr(world->lo.body, "\"ring\""),
		   *talk = strstr(world->lo.body, "\"talk\"");
	assert_true(ring && talk && ring < talk);
	assert_non_null(strstr(ring, "\"duration\":4,\"createdOn\":\"2026-01-05T10:00:00.123Z\""));
	assert_non_null(strstr(talk, "\"duration\":null"));
	assert_int_equal(ask(world, KEY_READ, "GET",
			     "/odata/v4/cts_dialerCalls(" STORE_CALL ")/dialerCallResults", NULL),
			 200);
	assert_non_null(strstr(world->lo.body, "\"result\":\"Sale\""));
}

static void rows_of_another_tenant_do_not_exist(void **state)
{
	struct world *world = *state;

	assert_int_equal(
		ask(world, KEY_READ, "GET", "/odata/v4/cts_dialerCalls(" OTHER_CALL ")", NULL),
		404);
	assert_int_equal(ask(world, KEY_READ, "GET",
			     "/odata/v4/cts_dialerCalls(" OTHER_CALL ")/dialerCallEvents", NULL),
			 404);
	assert_int_equal(ask(world, KEY_READ, "GET", "/odata/v4/agents(" OTHER_AGENT ")", NULL),
			 404);
	assert_int_equal(ask(world, KEY_DIAL, "POST", "/api/v1/present",
			     "{\"agent\":\"1001\",\"dialerCallId\":\"" OTHER_CALL "\"}"),
			 404);
	assert_int_equal(ask(world, KEY_OTHER, "GET", "/odata/v4/cts_dialerCalls", NULL), 401);
}

/* ---- who comes in ---- */

static void keys_that_ended_open_nothing(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, KEY_READ, "GET", "/odata/v4/agents", NULL), 200);
	assert_int_equal(ask(world, KEY_DIAL, "GET", "/odata/v4/agents", NULL), 403);
	assert_int_equal(ask(world, KEY_EXPIRED, "GET", "/odata/v4/agents", NULL), 401);
	assert_int_equal(ask(world, KEY_REVOKED, "GET", "/odata/v4/agents", NULL), 401);
	assert_int_equal(ask(world, KEY("readread") "x", "GET", "/odata/v4/agents", NULL), 401);
	assert_int_equal(ask(world, "ctsk_readread_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			     "GET", "/odata/v4/agents", NULL),
			 401);
}

static void copy_token(const struct world *world, char token[TOKEN_SIZE])
{
	const char *at = strstr(world->lo.body, "\"token\":\"");

	assert_non_null(at);
	snprintf(token, TOKEN_SIZE, "%.*s", TOKEN_SIZE - 1, at + strlen("\"token\":\""));
	assert_true(token_is_well_formed(token));
}

static void a_session_lasts_from_sign_in_to_sign_out(void **state)
{
	struct world *world = *state;
	char token[TOKEN_SIZE];

	assert_int_equal(ask(world, NULL, "POST", "/api/v1/sign-in",
			     "{\"login\":\"1001\",\"password\":\"" STORE_PASSWORD "\"}"),
			 200);
	copy_token(world, token);
	/* What is kept opens nothing. */
	assert_string_equal(
		pg_fixture_value(world->owner, "select length(token_hash)::text from sessions"),
		"32");
	assert_int_equal(ask(world, token, "GET", "/api/v1/me", NULL), 200);
	assert_non_null(strstr(world->lo.body, "\"agentId\":\"" STORE_AGENT "\""));
	assert_int_equal(ask(world, token, "GET", "/odata/v4/cts_dialerCalls", NULL), 200);
	assert_int_equal(ask(world, token, "POST", "/api/v1/sign-out", NULL), 204);
	assert_int_equal(ask(world, token, "GET", "/api/v1/me", NULL), 401);
	assert_string_equal(pg_fixture_value(world->owner, "select count(*)::text from sessions"),
			    "0");
}

static void a_disabled_agent_is_out_within_a_second(void **state)
{
	struct world *world = *state;
	char token[TOKEN_SIZE];

	assert_int_equal(ask(world, NULL, "POST", "/api/v1/sign-in", "{\"link\":\"" LINK "\"}"),
			 200);
	copy_token(world, token);
	pg_fixture_exec(world->owner, "update agents set is_enabled = false");
	assert_int_equal(ask(world, token, "GET", "/api/v1/me", NULL), 401);
	assert_int_equal(ask(world, NULL, "POST", "/api/v1/sign-in",
			     "{\"login\":\"1001\",\"password\":\"" STORE_PASSWORD "\"}"),
			 401);
}

static void a_link_works_once_and_in_time(void **state)
{
	struct world *world = *state;

	assert_int_equal(
		ask(world, NULL, "POST", "/api/v1/sign-in", "{\"link\":\"" LINK_EXPIRED "\"}"),
		401);
	assert_int_equal(ask(world, NULL, "POST", "/api/v1/sign-in", "{\"link\":\"" LINK "\"}"),
			 200);
	assert_int_equal(ask(world, NULL, "POST", "/api/v1/sign-in", "{\"link\":\"" LINK "\"}"),
			 401);
	assert_int_equal(ask(world, NULL, "POST", "/api/v1/sign-in", "{\"link\":\"nothing\"}"),
			 401);
}

static void a_dialer_call_is_presented_with_what_its_row_knows(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, KEY_DIAL, "POST", "/api/v1/present",
			     "{\"agent\":\"1001\",\"dialerCallId\":\"" STORE_CALL "\"}"),
			 202);
	const struct command *command = routes_control_last(world->control);
	assert_string_equal(command->number, "+15551234567");
	assert_string_equal(command->subject, "Spring");
	assert_string_equal(command->to.name, "Ada Example");
	assert_int_equal(command->counters.calls, 2);
	assert_int_equal(command->counters.no_answers, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(columns_are_the_promised_properties),
		TEST(every_set_is_read_by_list_key_and_count),
		TEST(events_come_in_order_of_time_and_seconds_add_up),
		TEST(rows_of_another_tenant_do_not_exist),
		TEST(keys_that_ended_open_nothing),
		TEST(a_session_lasts_from_sign_in_to_sign_out),
		TEST(a_disabled_agent_is_out_within_a_second),
		TEST(a_link_works_once_and_in_time),
		TEST(a_dialer_call_is_presented_with_what_its_row_knows),
	};
	char reason[200];

	if (!pg_fixture_start(&pg, reason, sizeof reason)) {
		printf("1..0 # SKIP %s\n", reason);
		return 0;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_fixture_stop(&pg);
	return failed;
}
