/* Texts of tests/fuzz/corpus/ari_event were recorded from Asterisk 22.10.1; their first letter says
 * what they are (see ari_event_fuzz.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "telephony/ari/ari_event.h"

#define APP "calltab"

static struct ari_event event; /* of the running test; freed by the tear-down */

static int forget_event(void **state)
{
	(void)state;
	ari_event_done(&event);
	event = (struct ari_event){.kind = ARI_EVENT_IGNORED};
	return 0;
}

static char *recorded(const char *name)
{
	static char text[16384];
	char path[512];

	assert_true(str_format(path, sizeof path, "%s/%s", RECORDED, name));
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = '\0';
	return text + 1; /* behind the letter */
}

static void parse(const char *text)
{
	assert_int_equal(ari_event_parse(text, strlen(text), APP, &event), ST_OK);
}

static void a_caller_arrives(void **state)
{
	(void)state;
	parse(recorded("stasis_startinbound"));
	assert_int_equal(event.kind, ARI_EVENT_STASIS_START);
	assert_string_equal(event.channel.id, "test-1795371324.1");
	assert_true(event.channel.is_in_app);
	assert_true(event.channel.is_inbound);
	assert_string_equal(event.channel.argument, "+18005550100");
	assert_string_equal(event.channel.number, "+15551112222");
	assert_string_equal(event.channel.name, "Clara Caller");
	assert_string_equal(event.channel.redirected_from, "+18005559999");
	assert_int_equal(event.channel.state, ARI_STATE_OTHER);
}

static void our_own_leg_is_in_stasis(void **state)
{
	(void)state;
	parse(recorded("stasis_startout"));
	assert_int_equal(event.kind, ARI_EVENT_STASIS_START);
	assert_string_equal(event.channel.id, "n1-c-1");
	assert_true(event.channel.is_in_app);
	assert_false(event.channel.is_inbound);
	assert_string_equal(event.channel.argument, "call-17");
}

static void each_recorded_kind_is_known(void **state)
{
	static const struct {
		const char *name;
		enum ari_event_kind kind;
	} rows[] = {
		{"restresponse", ARI_EVENT_ANSWER},
		{"stasis_end", ARI_EVENT_STASIS_END},
		{"channel_state_change_up", ARI_EVENT_CHANNEL_STATE},
		{"channel_state_change_ringing", ARI_EVENT_CHANNEL_STATE},
		{"dial_ringing", ARI_EVENT_DIAL},
		{"channel_hangup_request", ARI_EVENT_HANGUP_REQUEST},
		{"channel_destroyed", ARI_EVENT_CHANNEL_DESTROYED},
		{"channel_entered_bridge", ARI_EVENT_BRIDGE_ENTERED},
		{"channel_left_bridge", ARI_EVENT_BRIDGE_LEFT},
		{"channel_dtmf_received", ARI_EVENT_DTMF},
		{"channel_hold", ARI_EVENT_HOLD},
		{"channel_unhold", ARI_EVENT_UNHOLD},
		{"playback_finished", ARI_EVENT_PLAYBACK_ENDED},
		{"peer_status_change", ARI_EVENT_ENDPOINT},
		{"contact_status_change", ARI_EVENT_ENDPOINT},
		{"application_replaced", ARI_EVENT_REPLACED},
		{"channel_created", ARI_EVENT_IGNORED},
		{"channel_varset", ARI_EVENT_IGNORED},
		{"bridge_created", ARI_EVENT_IGNORED},
		{"playback_started", ARI_EVENT_IGNORED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		parse(recorded(rows[i].name));
		if (event.kind != rows[i].kind)
			fail_msg("%s is kind %d", rows[i].name, event.kind);
		ari_event_done(&event);
	}
}

static void the_fields_of_events_are_read(void **state)
{
	(void)state;
	parse(recorded("channel_state_change_ringing"));
	assert_int_equal(event.channel.state, ARI_STATE_RINGING);
	parse(recorded("channel_state_change_up"));
	assert_int_equal(event.channel.state, ARI_STATE_UP);
	parse(recorded("dial_ringing"));
	assert_string_equal(event.channel.id, "n1-c-1");
	assert_string_equal(event.dial_status, "RINGING");
	parse(recorded("channel_hangup_request"));
	assert_true(event.is_soft);
	assert_int_equal(event.cause, 32);
	parse(recorded("channel_destroyed"));
	assert_int_equal(event.cause, 16);
	assert_int_equal(event.tech_cause, 0);
	parse(recorded("channel_entered_bridge"));
	assert_string_equal(event.bridge, "n1-m-1");
	parse(recorded("channel_dtmf_received"));
	assert_int_equal(event.digit, '7');
	assert_in_range(event.duration_ms, 50, 200);
	parse(recorded("playback_finished"));
	assert_string_equal(event.playback, "pl1");
	assert_true(event.is_done);
	parse(recorded("peer_status_change"));
	assert_string_equal(event.technology, "PJSIP");
	assert_string_equal(event.resource, "1001");
	assert_false(event.is_online);
}

static void an_answer_has_its_number_and_body(void **state)
{
	struct ari_info info;

	(void)state;
	parse(recorded("restresponse"));
	assert_int_equal(event.request, 1);
	assert_int_equal(event.status, 200);
	assert_int_equal(ari_info_parse(event.body, event.body_length, &info), ST_OK);
	assert_string_equal(info.version, "22.10.1");
}

static void a_media_channel_says_where_its_socket_is(void **state)
{
	static const char *const bad[] = {
		"{}", "[]", "{\"channelvars\":{\"MEDIA_WEBSOCKET_CONNECTION_ID\":\"a/b\"}}",
		"{\"channelvars\":{\"MEDIA_WEBSOCKET_CONNECTION_ID\":7}}"};
	static const char good[] =
		"{\"id\":\"a\",\"channelvars\":{\"MEDIA_WEBSOCKET_CONNECTION_ID\":\"b1-9\"}}";
	char name[TEL_ID_SIZE];

	(void)state;
	assert_int_equal(ari_media_parse(good, sizeof good - 1, name), ST_OK);
	assert_string_equal(name, "b1-9");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ari_media_parse(bad[i], strlen(bad[i]), name), ST_INVALID);
}

static void missing_and_wrong_fields_count_as_absent(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"type\":7}",
		"{\"type\":\"StasisStart\"}",
		"{\"type\":\"StasisStart\",\"channel\":[1,2]}",
		"{\"type\":\"StasisStart\",\"channel\":{\"id\":7,\"state\":{},\"caller\":\"x\"}}",
		"{\"type\":\"ChannelDestroyed\",\"cause\":\"x\",\"channel\":null}",
		"{\"type\":\"ChannelDestroyed\",\"cause\":-5,\"tech_cause\":99999999999}",
		"{\"type\":\"ChannelDtmfReceived\",\"digit\":\"12\"}",
		"{\"type\":\"RESTResponse\",\"message_body\":{\"a\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		parse(texts[i]);
		assert_string_equal(event.channel.id, "");
		assert_int_equal(event.cause, 0);
		assert_int_equal(event.tech_cause, 0);
		assert_int_equal(event.digit, 0);
		assert_int_equal(event.body_length, 0);
		ari_event_done(&event);
	}
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = {"",	  "[]", "\"x\"", "{\"type\":", "{\"a\":1,\"a\":2}",
					    "nul"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(ari_event_parse(texts[i], strlen(texts[i]), APP, &event),
				 ST_INVALID);
}

static void ids_longer_than_ours_are_not_ours(void **state)
{
	char text[512];

	(void)state;
	assert_true(str_format(text, sizeof text,
			       "{\"type\":\"StasisEnd\",\"channel\":{\"id\":\"%0200d\"}}", 0));
	parse(text);
	assert_string_equal(event.channel.id, "");
}

static void read_as(const char *app_name, const char *app_data, const char *exten)
{
	char text[512];

	assert_true(str_format(text, sizeof text,
			       "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"x\",\"dialplan\":{"
			       "\"app_name\":\"%s\",\"app_data\":\"%s\",\"exten\":\"%s\"}}}",
			       app_name, app_data, exten));
	parse(text);
}

static void the_application_decides_whose_a_channel_is(void **state)
{
	(void)state;
	read_as("Stasis", "calltab,inbound,+1800", "s");
	assert_true(event.channel.is_in_app && event.channel.is_inbound);
	assert_string_equal(event.channel.argument, "+1800");
	read_as("Stasis", "calltab,inbound", "+1900");
	assert_string_equal(event.channel.argument, "+1900");
	read_as("Stasis", "calltab,out,", "s");
	assert_true(event.channel.is_in_app && !event.channel.is_inbound);
	assert_string_equal(event.channel.argument, "");
	read_as("Stasis", "calltab", "s");
	assert_true(event.channel.is_in_app && !event.channel.is_inbound);
	read_as("Stasis", "calltab2,inbound,+1800", "s");
	assert_false(event.channel.is_in_app);
	read_as("Stasis", "callta", "s");
	assert_false(event.channel.is_in_app);
	read_as("Dial", "calltab,inbound,+1800", "s");
	assert_false(event.channel.is_in_app);
	read_as("Stasis", "calltab,inboundx,+1800", "s");
	assert_false(event.channel.is_inbound);
}

static void read_caller(const char *number, const char *name)
{
	char text[1024];

	assert_true(str_format(text, sizeof text,
			       "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"x\",\"caller\":{"
			       "\"number\":\"%s\",\"name\":\"%s\"}}}",
			       number, name));
	parse(text);
}

static void a_callers_number_is_a_number_or_nothing(void **state)
{
	(void)state;
	read_caller("+15551112222", "");
	assert_string_equal(event.channel.number, "+15551112222");
	read_caller("anonymous", "");
	assert_string_equal(event.channel.number, "");
	read_caller("1;x=y", "");
	assert_string_equal(event.channel.number, "");
	read_caller("012345678901234567890123456789012", "");
	assert_string_equal(event.channel.number, "");
}

static void a_callers_name_has_no_control_characters(void **state)
{
	(void)state;
	read_caller("1", "a\\r\\nb\\u0007c\\u0085d\\u202ee\\u2066f\\u007fg");
	assert_string_equal(event.channel.name, "abcdefg");
	read_caller("1", "Zo\\u00eb \\u2014 \\ud83d\\ude00");
	assert_string_equal(event.channel.name, "Zo\xc3\xab \xe2\x80\x94 \xf0\x9f\x98\x80");
}

static void a_long_name_is_cut_between_characters(void **state)
{
	char name[512] = "";

	(void)state;
	for (int i = 0; i < 70; i++)
		strcat(name, "\\u00eb");
	read_caller("1", name);
	assert_int_equal(strlen(event.channel.name), TEL_NAME_SIZE - 1);
	assert_true(str_is_utf8(event.channel.name, strlen(event.channel.name)));
}

static void a_shown_name_cannot_leave_its_quotes(void **state)
{
	char name[TEL_NAME_SIZE];

	(void)state;
	ari_clean_name(name, sizeof name, "A\"c\\m<e>\r\nEvil: 1");
	assert_string_equal(name, "AcmeEvil: 1");
}

/* ---- lists ---- */

struct listed {
	unsigned count, ours, members, online;
	char last[TEL_ID_SIZE];
};

static void count_channel(void *user, const struct ari_channel *channel)
{
	struct listed *listed = user;

	listed->count++;
	listed->ours += channel->is_in_app;
	str_copy(listed->last, sizeof listed->last, channel->id);
}

static void count_bridge(void *user, const struct ari_bridge *bridge)
{
	struct listed *listed = user;

	listed->count++;
	listed->ours += bridge->is_ours && !bridge->is_empty;
	str_copy(listed->last, sizeof listed->last, bridge->id);
}

static void count_member(void *user, const char *bridge, const char *channel)
{
	struct listed *listed = user;

	assert_string_equal(bridge, "n1-m-1");
	assert_string_equal(channel, "n1-c-1");
	listed->members++;
}

static void count_endpoint(void *user, const char *technology, const char *resource, bool is_online)
{
	struct listed *listed = user;

	assert_string_equal(technology, "PJSIP");
	assert_true(resource[0]);
	listed->count++;
	listed->online += is_online;
}

static void lists_are_read(void **state)
{
	struct listed channels = {0}, bridges = {0}, endpoints = {0};
	char *body = recorded("channels");

	(void)state;
	assert_int_equal(ari_channels_parse(body, strlen(body), APP, count_channel, &channels),
			 ST_OK);
	assert_int_equal(channels.count, 2);
	assert_int_equal(channels.ours, 2);
	body = recorded("bridges");
	assert_int_equal(
		ari_bridges_parse(body, strlen(body), APP, count_bridge, count_member, &bridges),
		ST_OK);
	assert_int_equal(bridges.ours, 1);
	assert_int_equal(bridges.members, 1);
	assert_string_equal(bridges.last, "n1-m-1");
	body = recorded("endpoints");
	assert_int_equal(ari_endpoints_parse(body, strlen(body), count_endpoint, &endpoints),
			 ST_OK);
	assert_int_equal(endpoints.count, 4);
	assert_int_equal(endpoints.online, 2);
}

static void bridges_of_others_are_not_ours(void **state)
{
	static const char body[] =
		"[{\"id\":\"a\",\"name\":\"other\",\"bridge_class\":\"stasis\",\"channels\":[\"x\"]"
		"},"
		"{\"id\":\"b\",\"name\":\"calltab\",\"bridge_class\":\"base\",\"channels\":[\"x\"]}"
		","
		"{\"id\":\"c\",\"name\":\"calltab\",\"bridge_class\":\"stasis\",\"channels\":[]},"
		"{\"name\":\"calltab\",\"bridge_class\":\"stasis\",\"channels\":[7]}]";
	struct listed listed = {0};

	(void)state;
	assert_int_equal(ari_bridges_parse(body, strlen(body), APP, count_bridge, NULL, &listed),
			 ST_OK);
	assert_int_equal(listed.count, 3);
	assert_int_equal(listed.ours, 0);
}

static void bodies_of_another_shape_are_refused(void **state)
{
	static const char *const bodies[] = {"", "{}", "7", "[", "{\"a\":[]}"};
	struct ari_channel channel;
	struct ari_info info;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		const char *body = bodies[i];
		size_t length = strlen(body);
		assert_int_equal(ari_channels_parse(body, length, APP, count_channel, NULL),
				 ST_INVALID);
		assert_int_equal(ari_bridges_parse(body, length, APP, count_bridge, NULL, NULL),
				 ST_INVALID);
		assert_int_equal(ari_endpoints_parse(body, length, count_endpoint, NULL),
				 ST_INVALID);
		assert_int_equal(ari_info_parse(body, length, &info), ST_INVALID);
	}
	assert_int_equal(ari_channel_parse("[]", 2, APP, &channel), ST_INVALID);
}

static void a_refusal_has_a_reason(void **state)
{
	char reason[96], *body = recorded("reason");

	(void)state;
	ari_reason_parse(body, strlen(body), reason, sizeof reason);
	assert_string_equal(reason, "Channel not found");
	body = recorded("reason_error");
	ari_reason_parse(body, strlen(body), reason, sizeof reason);
	assert_string_equal(reason, "Allocation failed");
	ari_reason_parse("", 0, reason, sizeof reason);
	assert_string_equal(reason, "");
}

static void times_are_read_in_any_zone(void **state)
{
	int64_t ms = 7;

	(void)state;
	assert_true(ari_time_parse("2026-11-22T15:07:05.831+0000", &ms));
	assert_int_equal(ms, INT64_C(1795360025831));
	assert_true(ari_time_parse("2026-11-22T17:07:05.831+0200", &ms));
	assert_int_equal(ms, INT64_C(1795360025831));
	assert_true(ari_time_parse("2026-11-22T09:37:05.831-0530", &ms));
	assert_int_equal(ms, INT64_C(1795360025831));
	assert_false(ari_time_parse("2026-11-22", &ms));
	assert_false(ari_time_parse("", &ms));
}

static void old_versions_are_not_supported(void **state)
{
	static const char *const good[] = {"22.10.1", "22.10.2", "22.11.0",
					   "22.11",   "23.0.0",	 "100.0"};
	static const char *const bad[] = {"22.10.0",  "22.10", "22.9.9", "22",
					  "21.99.99", "",      "GIT",	 "x"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(ari_version_is_supported(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(ari_version_is_supported(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_media_channel_says_where_its_socket_is),
		cmocka_unit_test_teardown(a_caller_arrives, forget_event),
		cmocka_unit_test_teardown(our_own_leg_is_in_stasis, forget_event),
		cmocka_unit_test_teardown(each_recorded_kind_is_known, forget_event),
		cmocka_unit_test_teardown(the_fields_of_events_are_read, forget_event),
		cmocka_unit_test_teardown(an_answer_has_its_number_and_body, forget_event),
		cmocka_unit_test_teardown(missing_and_wrong_fields_count_as_absent, forget_event),
		cmocka_unit_test_teardown(what_is_no_object_is_refused, forget_event),
		cmocka_unit_test_teardown(ids_longer_than_ours_are_not_ours, forget_event),
		cmocka_unit_test_teardown(the_application_decides_whose_a_channel_is, forget_event),
		cmocka_unit_test_teardown(a_callers_number_is_a_number_or_nothing, forget_event),
		cmocka_unit_test_teardown(a_callers_name_has_no_control_characters, forget_event),
		cmocka_unit_test_teardown(a_long_name_is_cut_between_characters, forget_event),
		cmocka_unit_test(a_shown_name_cannot_leave_its_quotes),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(bridges_of_others_are_not_ours),
		cmocka_unit_test(bodies_of_another_shape_are_refused),
		cmocka_unit_test(a_refusal_has_a_reason),
		cmocka_unit_test(times_are_read_in_any_zone),
		cmocka_unit_test(old_versions_are_not_supported),
	};

	return cmocka_run_group_tests_name("ari_event", tests, NULL, NULL);
}
