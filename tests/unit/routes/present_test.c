#include "fixture.h"

static int present(struct world *world, const char *token, const char *body)
{
	return send_as(world, token, "POST", "/api/v1/present", body)->code;
}

static void a_key_presents_a_record_to_a_named_agent(void **state)
{
	struct world *world = *state;

	assert_int_equal(
		present(world, KEY_DIAL,
			"{\"agent\":\"1001\",\"tab\":2,\"number\":\"+15551234567\","
			"\"subject\":\"Spring\",\"toName\":\"Ada Example\",\"toType\":\"contact\","
			"\"toId\":\"" STORE_CALL "\",\"phoneCallId\":\"" STORE_NEW_CALL "\","
			"\"isCallback\":true,\"direction\":\"outbound\",\"dialerCallId\":null}"),
		202);
	assert_string_equal(world->lo.body,
			    "{\"callId\":\"" STORE_NEW_CALL "\",\"dialerCallId\":\"" STORE_NEW_CALL
			    "\",\"tab\":2}");
	const struct command *command = routes_control_last(world->control);
	char id[UUID_TEXT_SIZE];
	assert_int_equal(command->kind, CMD_PRESENT);
	assert_int_equal(command->actor, ACTOR_API);
	assert_string_equal(uuid_format(&command->agent_id, id), STORE_AGENT);
	assert_int_equal(command->tab, 2);
	assert_string_equal(command->number, "+15551234567");
	assert_string_equal(command->subject, "Spring");
	assert_string_equal(command->to.name, "Ada Example");
	assert_string_equal(command->to.type, "contact");
	assert_string_equal(command->to.id, STORE_CALL);
	assert_string_equal(uuid_format(&command->phone_call_id, id), STORE_NEW_CALL);
	assert_true(command->is_callback);
	assert_int_equal(command->direction, DIR_OUTBOUND);
	assert_true(uuid_is_nil(&command->dialer_call_id));
	assert_int_equal(strlen(command->id), 36);
}

static void a_session_presents_to_its_own_agent_only(void **state)
{
	struct world *world = *state;
	struct uuid ada;

	assert_true(uuid_parse(STORE_AGENT, &ada));
	assert_int_equal(present(world, SESSION, "{\"number\":\"5551\"}"), 202);
	assert_true(uuid_equal(&routes_control_last(world->control)->agent_id, &ada));
	assert_int_equal(routes_control_last(world->control)->actor, ACTOR_AGENT);
	assert_int_equal(routes_control_last(world->control)->direction, DIR_CCOUTBOUND);
	assert_int_equal(present(world, SESSION, "{\"agent\":\"1001\",\"number\":\"5551\"}"), 202);
	assert_int_equal(present(world, SESSION, "{\"agent\":\"1002\",\"number\":\"5551\"}"), 403);
	assert_contains(world->lo.body, "agent.foreign");
	assert_int_equal(routes_control_commands(world->control), 2);
}

static void a_dialer_call_is_tried_again_with_its_number_and_counters(void **state)
{
	struct world *world = *state;

	assert_int_equal(present(world, KEY_DIAL,
				 "{\"agent\":\"1001\",\"dialerCallId\":\"" STORE_CALL "\"}"),
			 202);
	const struct command *command = routes_control_last(world->control);
	char id[UUID_TEXT_SIZE];
	assert_string_equal(uuid_format(&command->dialer_call_id, id), STORE_CALL);
	assert_string_equal(command->number, "+15551234567");
	assert_string_equal(command->subject, "Spring \"sale\"");
	assert_string_equal(command->to.name, "Ada Example");
	assert_string_equal(command->to.id, STORE_NEW_CALL);
	assert_true(command->is_callback);
	assert_int_equal(command->counters.calls, 2);
	assert_int_equal(command->counters.no_answers, 1);
	assert_int_equal(command->counters.connects, 1);
	assert_true(command->counters.did_connect);
}

static void what_the_body_names_wins_over_the_row(void **state)
{
	struct world *world = *state;

	assert_int_equal(present(world, KEY_DIAL,
				 "{\"agent\":\"1001\",\"dialerCallId\":\"" STORE_CALL "\","
				 "\"number\":\"5552\",\"subject\":\"\",\"isCallback\":false}"),
			 202);
	const struct command *command = routes_control_last(world->control);
	assert_string_equal(command->number, "5552");
	assert_string_equal(command->subject, "");
	assert_false(command->is_callback);
	assert_int_equal(command->counters.calls, 2);
}

static void what_cannot_be_presented_is_refused_and_nothing_happens(void **state)
{
	static const struct {
		const char *body;
		int code;
		const char *part;
	} cases[] = {
		{"{}", 400, "\"target\":\"agent\""},
		{"{\"agent\":\"\",\"number\":\"5551\"}", 400, "\"target\":\"agent\""},
		{"{\"agent\":\"1001\"}", 400, "\"target\":\"number\""},
		{"{\"agent\":\"1001\",\"number\":5551}", 400, "json.wrong_type"},
		{"{\"agent\":\"1001\",\"number\":\"123456789012345678901234567890123\"}", 400,
		 "json.too_long"},
		{"{\"agent\":\"nobody\",\"number\":\"5551\"}", 404, "\"code\":\"agent.unknown\""},
		{"{\"agent\":\"1001\",\"number\":\"5551\",\"tab\":17}", 400, "\"target\":\"tab\""},
		{"{\"agent\":\"1001\",\"number\":\"5551\",\"tab\":-1}", 400, "\"target\":\"tab\""},
		{"{\"agent\":\"1001\",\"dialerCallId\":\"7\"}", 400, "\"target\":\"dialerCallId\""},
		{"{\"agent\":\"1001\",\"dialerCallId\":\"" STORE_NEW_CALL "\"}", 404,
		 "\"code\":\"dialer_call.unknown\""},
		{"{\"agent\":\"1001\",\"number\":\"5551\",\"direction\":\"inbound\"}", 400,
		 "\"code\":\"direction.invalid\""},
		{"{\"agent\":\"1001\",\"number\":\"5551\",\"isCallback\":1}", 400,
		 "json.wrong_type"},
		{"not json", 400, "json.malformed"},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(present(world, KEY_DIAL, cases[i].body), cases[i].code);
		assert_contains(world->lo.body, cases[i].part);
	}
	assert_int_equal(routes_control_commands(world->control), 0);
}

static void the_word_of_the_call_plane_is_passed_on(void **state)
{
	struct world *world = *state;

	routes_control_set_reply(world->control, ST_CONFLICT, "agent.no_free_tab",
				 "no tab is free");
	assert_int_equal(present(world, KEY_DIAL, "{\"agent\":\"1001\",\"number\":\"5551\"}"), 409);
	assert_contains(world->lo.body, "\"code\":\"agent.no_free_tab\"");
	assert_contains(world->lo.body, "\"detail\":\"no tab is free\"");
	routes_control_set_full(world->control, true);
	assert_int_equal(present(world, KEY_DIAL, "{\"agent\":\"1001\",\"number\":\"5551\"}"), 503);
}

static void the_answer_waits_for_the_call_plane(void **state)
{
	struct world *world = *state;

	routes_control_hold(world->control, true);
	assert_null(send_as(world, KEY_DIAL, "POST", "/api/v1/present",
			    "{\"agent\":\"1001\",\"number\":\"5551\"}"));
	routes_control_run(world->control);
	assert_int_equal(loopback_answer(&world->lo)->code, 202);
}

static void the_clients_key_of_idempotence_is_the_commands_id(void **state)
{
	struct world *world = *state;

	loopback_header(&world->lo, "Idempotency-Key", "\"job 17\"");
	assert_int_equal(present(world, KEY_DIAL, "{\"agent\":\"1001\",\"number\":\"5551\"}"), 202);
	assert_string_equal(routes_control_last(world->control)->id, "\"job 17\"");
	loopback_header(&world->lo, "Idempotency-Key", "");
	assert_int_equal(present(world, KEY_DIAL, "{\"agent\":\"1001\",\"number\":\"5551\"}"), 400);
	loopback_header(&world->lo, "Idempotency-Key",
			"12345678901234567890123456789012345678901234567890123456789012345");
	assert_int_equal(present(world, KEY_DIAL, "{\"agent\":\"1001\",\"number\":\"5551\"}"), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_presents_a_record_to_a_named_agent, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_session_presents_to_its_own_agent_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_dialer_call_is_tried_again_with_its_number_and_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_body_names_wins_over_the_row, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_presented_is_refused_and_nothing_happens, setup, teardown),
		cmocka_unit_test_setup_teardown(the_word_of_the_call_plane_is_passed_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_answer_waits_for_the_call_plane, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_clients_key_of_idempotence_is_the_commands_id,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
