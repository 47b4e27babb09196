#include "fixture.h"

#include "routes/entities.h"

#define CALLS "/odata/v4/cts_dialerCalls"

static int get(struct world *world, const char *target)
{
	return send_as(world, KEY_READ, "GET", target, NULL)->code;
}

static void sets_are_found_exactly_then_without_case_and_by_their_published_name(void **state)
{
	(void)state;
	assert_string_equal(entity_set_find("cts_dialerCalls")->name, "cts_dialerCalls");
	assert_string_equal(entity_set_find("cts_dialerCall")->name, "cts_dialerCalls");
	assert_string_equal(entity_set_find("CTS_DIALERCALL")->name, "cts_dialerCalls");
	assert_string_equal(entity_set_find("cts_dialercallevents")->name, "cts_dialerCallEvents");
	assert_string_equal(entity_set_find("cts_dialerCallResult")->name, "cts_dialerCallResults");
	assert_string_equal(entity_set_find("Agents")->name, "agents");
	assert_null(entity_set_find("agent"));
	assert_null(entity_set_find("sessions"));
	assert_null(entity_set_find("api_keys"));
}

static void a_row_is_written_by_the_types_of_its_columns(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, CALLS "(" STORE_CALL ")"), 200);
	assert_string_equal(
		world->lo.body,
		"{\"dialerCallId\":\"" STORE_CALL "\",\"subject\":\"Spring \\\"sale\\\"\","
		"\"to\":\"Ada "
		"Example\",\"phoneNumber\":\"+15551234567\",\"direction\":\"ccOutbound\","
		"\"status\":\"retry\",\"agent\":\"" STORE_AGENT "\",\"agentName\":\"Ada Agent\","
		"\"phoneCallId\":null,\"crmRecordRef\":null,\"calls\":2,\"noAnswers\":1,\"busies\":"
		"0,"
		"\"connects\":1,\"aborts\":0,\"didConnect\":true,\"computedOutcome\":null,"
		"\"retryOn\":null,\"createdOn\":\"2026-01-05T10:00:00.123Z\","
		"\"modifiedOn\":\"2026-01-05T10:00:00.123Z\"}");
}

static void a_row_has_the_promised_properties_in_their_order(void **state)
{
	struct world *world = *state;
	const char *at = world->lo.body;

	assert_int_equal(get(world, CALLS "(" STORE_CALL ")"), 200);
	for (const struct entity_property *property = entity_sets[0].properties; property->name;
	     property++) {
		char key[64];
		snprintf(key, sizeof key, "\"%s\":", property->name);
		at = strstr(at, key);
		assert_non_null(at);
	}
}

static void lists_are_cut_by_top_and_skip(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, CALLS), 200);
	assert_contains(world->lo.body, "{\"value\":[{\"dialerCallId\":\"" STORE_CALL "\"");
	assert_contains(world->lo.body, STORE_NEW_CALL);
	assert_int_equal(get(world, CALLS "?$top=1"), 200);
	assert_null(strstr(world->lo.body, STORE_NEW_CALL));
	assert_int_equal(get(world, CALLS "?%24skip=1&$top=1"), 200);
	assert_contains(world->lo.body, "{\"value\":[{\"dialerCallId\":\"" STORE_NEW_CALL "\"");
	assert_int_equal(get(world, CALLS "?$top=0"), 200);
	assert_string_equal(world->lo.body, "{\"value\":[]}");
	assert_int_equal(get(world, CALLS "/$count"), 200);
	assert_string_equal(world->lo.body, "2");
	assert_string_equal(world->lo.request->answer.type, "text/plain; charset=utf-8");
}

static void options_that_are_wrong_or_not_done_are_refused(void **state)
{
	static const struct {
		const char *target;
		int code;
		const char *part;
	} cases[] = {
		{CALLS "?$top=x", 400, "\"code\":\"InvalidQueryOption\""},
		{CALLS "?$top=", 400, "\"target\":\"$top\""},
		{CALLS "?$top=-1", 400, "InvalidQueryOption"},
		{CALLS "?$top=1001", 400, "from 0 to 1000"},
		{CALLS "?$top=99999999999999999999", 400, "InvalidQueryOption"},
		{CALLS "?$skip=1.5", 400, "\"target\":\"$skip\""},
		{CALLS "?$filter=calls%20gt%201", 501, "\"target\":\"$filter\""},
		{CALLS "?$expand", 501, "NotImplemented"},
		{CALLS "?whatever=1", 200, "value"},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(get(world, cases[i].target), cases[i].code);
		assert_contains(world->lo.body, cases[i].part);
	}
}

static void what_is_not_there_is_404_and_what_is_no_key_is_400(void **state)
{
	static const struct {
		const char *target;
		int code;
	} cases[] = {
		{"/odata/v4/nothing", 404},
		{"/odata/v4/sessions", 404},
		{CALLS "(01890000-0000-7000-8000-0000000000ff)", 404},
		{CALLS "(7)", 400},
		{CALLS "('" STORE_CALL "')", 400},
		{CALLS "(" STORE_CALL "0)", 400},
		{CALLS "(" STORE_CALL ")/nothing", 404},
		{"/odata/v4/cts_dialerCallEvents(" STORE_CALL ")/dialerCallEvents", 404},
		{CALLS "(01890000-0000-7000-8000-0000000000ff)/dialerCallEvents", 404},
		{CALLS "(" STORE_NEW_CALL ")/dialerCallEvents", 200},
		{CALLS "(" STORE_CALL ")/dialerCallEvents", 200},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		if (get(world, cases[i].target) != cases[i].code)
			fail_msg("%s: %s", cases[i].target, world->lo.body);
	assert_contains(world->lo.body, "\"eventName\":\"talk\"");
	assert_contains(world->lo.body, "\"duration\":null");
}

static void a_query_that_fails_tells_nothing_of_the_database(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, "/odata/v4/queues"), 500); /* not in the fake store */
	assert_null(strstr(world->lo.body, "queue_list"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			sets_are_found_exactly_then_without_case_and_by_their_published_name),
		cmocka_unit_test_setup_teardown(a_row_is_written_by_the_types_of_its_columns, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_row_has_the_promised_properties_in_their_order,
						setup, teardown),
		cmocka_unit_test_setup_teardown(lists_are_cut_by_top_and_skip, setup, teardown),
		cmocka_unit_test_setup_teardown(options_that_are_wrong_or_not_done_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_404_and_what_is_no_key_is_400,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_query_that_fails_tells_nothing_of_the_database,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
