#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/doctor.h"

/* An Asterisk in order; each test spoils one thing. */
static struct doctor_facts facts;
static struct doctor_module modules[64];
static struct doctor_endpoint endpoints[8];
static struct doctor_agent agents[8];
static struct doctor_finding findings[DOCTOR_CHECKS_MAX];
static unsigned count;

#define FILES  5  /* checks that read files are the last ones, in the order of the files */
#define NEEDED 36 /* of the modules below */

static const char *const loaded[] = {
	"res_http_websocket",
	"res_websocket_client",
	"res_ari",
	"res_ari_model",
	"res_ari_applications",
	"res_ari_asterisk",
	"res_ari_bridges",
	"res_ari_channels",
	"res_ari_endpoints",
	"res_ari_events",
	"res_ari_playbacks",
	"res_stasis",
	"res_stasis_answer",
	"res_stasis_playback",
	"app_stasis",
	"pbx_config",
	"chan_pjsip",
	"res_pjsip",
	"res_pjsip_session",
	"res_pjsip_sdp_rtp",
	"res_rtp_asterisk",
	"res_pjsip_registrar",
	"res_pjsip_authenticator_digest",
	"res_pjsip_endpoint_identifier_user",
	"res_pjsip_endpoint_identifier_ip",
	"res_pjsip_caller_id",
	"res_pjsip_header_funcs",
	"func_callerid",
	"func_channel",
	"chan_bridge_media",
	"res_musiconhold",
	"bridge_simple",
	"bridge_softmix",
	"codec_ulaw",
	"codec_alaw",
	"format_wav",
	/* the ones that are only wanted */
	"bridge_holding",
	"bridge_native_rtp",
	"res_pjsip_diversion",
	"res_pjsip_dtmf_info",
	"res_pjsip_nat",
	"res_pjsip_rfc3326",
	"codec_resample",
	"res_stasis_snoop",
	"res_stasis_recording",
	"res_ari_recordings",
	"app_amd",
	"res_curl",
	"func_curl",
	"res_http_media_cache",
	"chan_websocket",
	"res_pjsip_transport_websocket",
};
#define LOADED (sizeof(loaded) / sizeof(loaded[0]))

static int set_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOADED; i++) {
		snprintf(modules[i].name, sizeof(modules[i].name), "%s.so", loaded[i]);
		modules[i].is_running = true;
	}
	for (unsigned i = 0; i < 7; i++) {
		strcpy(endpoints[i].technology, "PJSIP");
		snprintf(endpoints[i].resource, sizeof(endpoints[i].resource), "%u", 1001 + i);
		snprintf(agents[i].extension, sizeof(agents[i].extension), "%u", 1001 + i);
		endpoints[i].is_online = true;
	}
	strcpy(endpoints[7].technology, "PJSIP");
	strcpy(endpoints[7].resource, "trunk");
	endpoints[7].is_online = true;
	facts = (struct doctor_facts){
		.host = "127.0.0.1",
		.port = 8088,
		.user = "calltab",
		.app = "calltab",
		.technology = "PJSIP",
		.trunk = "trunk",
		.music = "",
		.reach = DOCTOR_SIGNED_IN,
		.version = "22.11.0",
		.may_write = DOCTOR_YES,
		.has_app = DOCTOR_NO,
		.has_clock = true,
		.has_modules = true,
		.has_endpoints = true,
		.modules = modules,
		.module_count = LOADED,
		.endpoints = endpoints,
		.endpoint_count = 8,
		.has_agents = true,
		.agents = agents,
		.agent_count = 7,
		.config_dir = "/etc/asterisk",
		.files =
			{
				[DOCTOR_HTTP_CONF] =
					{"[general]\nenabled=yes\nbindaddr=127.0.0.1\n", false},
				[DOCTOR_ARI_CONF] = {"[general]\nwebsocket_write_timeout = 2000\n",
						     false},
				[DOCTOR_RTP_CONF] = {"[general]\nrtpstart=16000\nrtpend=17999\n",
						     false},
				[DOCTOR_MUSIC_CONF] = {"[default]\nmode=files\n", false},
				[DOCTOR_EXTENSIONS_CONF] =
					{"Stasis(calltab,inbound)\n${STASISSTATUS}", false},
			},
	};
	return 0;
}

static const struct doctor_finding *found(const char *check)
{
	count = doctor_check(&facts, findings);
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(findings[i].check, check))
			return &findings[i];
	fail_msg("there is no check %s", check);
	return NULL;
}

/* That check alone has another state than ok; text and change say this. */
static const struct doctor_finding *assert_found(const char *check, enum doctor_state state,
						 const char *text, const char *change)
{
	const struct doctor_finding *finding = found(check);

	assert_string_equal(doctor_state_word(finding->state), doctor_state_word(state));
	assert_non_null(strstr(finding->text, text));
	assert_non_null(strstr(finding->change, change));
	assert_int_equal(!*change, !*finding->change);
	for (unsigned i = 0; i < count; i++)
		if (&findings[i] != finding)
			assert_string_equal(doctor_state_word(findings[i].state), "ok");
	return finding;
}

static void asterisk_in_order_is_ok_in_every_check(void **state)
{
	(void)state;
	assert_found("version", DOCTOR_OK, "22.11.0", "");
	assert_true(count >= 15);
	for (unsigned i = 0; i < count; i++) {
		assert_true(findings[i].text[0] && !strchr(findings[i].text, '\n'));
		assert_string_equal(findings[i].change, "");
	}
}

static void assert_not_reached(enum doctor_reach reach, const char *text, const char *change)
{
	facts.reach = reach;
	count = doctor_check(&facts, findings);
	assert_string_equal(findings[0].check, "connection");
	assert_int_equal(findings[0].state, DOCTOR_FAILED);
	assert_non_null(strstr(findings[0].text, text));
	assert_non_null(strstr(findings[0].change, change));
	for (unsigned i = 1; i < count; i++)
		assert_int_equal(findings[i].state, i < count - FILES ? DOCTOR_UNKNOWN : DOCTOR_OK);
}

static void without_an_answer_only_the_files_are_known(void **state)
{
	(void)state;
	strcpy(facts.why, "Connection refused");
	assert_not_reached(DOCTOR_AWAY, "127.0.0.1:8088: Connection refused", "enabled = yes");
	assert_not_reached(DOCTOR_NO_ARI, "not as ARI", "res_ari");
	assert_not_reached(DOCTOR_REFUSED, "calltab", "[calltab]");
}

static void reading_user_fails(void **state)
{
	(void)state;
	facts.may_write = DOCTOR_NO;
	assert_string_equal(
		assert_found("rights", DOCTOR_FAILED, "only read", "read_only = no")->file,
		"ari.conf");
}

static void assert_version(const char *version, enum doctor_state plain, enum doctor_state webrtc)
{
	strcpy(facts.version, version);
	assert_int_equal(found("version")->state, plain);
	assert_int_equal(found("webrtc-version")->state, webrtc);
}

static void version_below_22_10_1_fails_and_below_22_11_warns_for_webrtc(void **state)
{
	(void)state;
	assert_version("22.10.0", DOCTOR_FAILED, DOCTOR_WARNING);
	assert_version("22.9.3", DOCTOR_FAILED, DOCTOR_WARNING);
	assert_version("20.15.2", DOCTOR_FAILED, DOCTOR_WARNING);
	assert_version("22.10", DOCTOR_FAILED, DOCTOR_WARNING);
	assert_version("22.10.1", DOCTOR_OK, DOCTOR_WARNING);
	assert_version("22.10.12", DOCTOR_OK, DOCTOR_WARNING);
	assert_version("22.11.0", DOCTOR_OK, DOCTOR_OK);
	assert_version("23.0.0", DOCTOR_OK, DOCTOR_OK);
	assert_version("", DOCTOR_UNKNOWN, DOCTOR_UNKNOWN);
}

static void each_missing_module_is_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOADED; i++) {
		bool is_needed = i < NEEDED;

		modules[i].is_running = false;
		assert_found(is_needed ? "modules" : "more-modules",
			     is_needed ? DOCTOR_FAILED : DOCTOR_WARNING, loaded[i], "load = ");
		modules[i].is_running = true;
	}
}

static void of_many_missing_modules_four_are_named(void **state)
{
	(void)state;
	facts.module_count = 30;
	assert_non_null(strstr(found("modules")->text,
			       "bridge_simple, bridge_softmix, codec_ulaw and 2 more"));
}

static void telephone_without_endpoint_fails_and_offline_warns(void **state)
{
	(void)state;
	endpoints[1].is_online = false;
	assert_found("telephones", DOCTOR_WARNING, "not reachable: 1002", "register");
	strcpy(endpoints[2].resource, "other");
	assert_found("telephones", DOCTOR_FAILED, "no endpoint PJSIP/...: 1003", "pjsip reload");
	facts.has_agents = false;
	strcpy(facts.agents_why, "no database");
	assert_found("telephones", DOCTOR_UNKNOWN, "no database", "");
}

static void trunk_that_is_not_there_fails_and_silent_warns(void **state)
{
	(void)state;
	endpoints[7].is_online = false;
	assert_found("trunk", DOCTOR_WARNING, "does not answer", "contact");
	facts.trunk = "carrier";
	assert_found("trunk", DOCTOR_FAILED, "PJSIP/carrier", "[carrier]");
}

static void clocks_apart_warn(void **state)
{
	(void)state;
	facts.clock_ahead_ms = -2000;
	assert_found("clock", DOCTOR_OK, "-2.0 s", "");
	facts.clock_ahead_ms = -61500;
	assert_found("clock", DOCTOR_WARNING, "61.5 s behind ours", "time server");
	facts.clock_ahead_ms = 2001;
	assert_found("clock", DOCTOR_WARNING, "2.0 s ahead of ours", "time server");
}

static const struct doctor_finding *assert_file(enum doctor_file_index index, const char *content,
						const char *check, enum doctor_state state,
						const char *text, const char *change)
{
	facts.files[index].text = content;
	return assert_found(check, state, text, change);
}

static void http_server_is_enabled_on_our_port_and_not_open(void **state)
{
	(void)state;
	assert_file(DOCTOR_HTTP_CONF, "[general]\n", "http", DOCTOR_FAILED, "not enabled",
		    "enabled = yes");
	assert_file(DOCTOR_HTTP_CONF, "[general]\n#include x\n", "http", DOCTOR_UNKNOWN, "includes",
		    "");
	assert_file(DOCTOR_HTTP_CONF, "[general]\nenabled=yes\nbindport=8089\n", "http",
		    DOCTOR_WARNING, "8089", "ari_port = 8089");
	assert_file(DOCTOR_HTTP_CONF, "[general]\nenabled=yes\nbindaddr=0.0.0.0\n", "http",
		    DOCTOR_WARNING, "open to the network", "bindaddr = 127.0.0.1");
	facts.host = "192.0.2.5";
	assert_found("http", DOCTOR_OK, "0.0.0.0", "");
}

static void write_timeout_below_two_seconds_is_found(void **state)
{
	(void)state;
	assert_file(DOCTOR_ARI_CONF, "[general]\n", "write-timeout", DOCTOR_FAILED,
		    "100 ms, the default", "websocket_write_timeout = 2000");
	assert_file(DOCTOR_ARI_CONF, "[general]\nwebsocket_write_timeout=1500\n", "write-timeout",
		    DOCTOR_WARNING, "1500 ms", "websocket_write_timeout = 2000");
	assert_file(DOCTOR_ARI_CONF, "#include \"x\"\n", "write-timeout", DOCTOR_UNKNOWN,
		    "includes", "");
	assert_file(DOCTOR_ARI_CONF, "#include \"x\"\n[general]\nwebsocket_write_timeout=5000\n",
		    "write-timeout", DOCTOR_OK, "5000", "");
}

static void too_few_rtp_ports_fail(void **state)
{
	(void)state;
	assert_file(DOCTOR_RTP_CONF, "[general]\nrtpstart=16000\nrtpend=16038\n", "rtp-ports",
		    DOCTOR_FAILED, "enough for 9 calls, 10", "rtpend = 16079");
	assert_file(DOCTOR_RTP_CONF, "[general]\nrtpstart=16000\nrtpend=16039\n", "rtp-ports",
		    DOCTOR_OK, "enough for 10 calls", "");
	assert_file(DOCTOR_RTP_CONF, "[general]\nrtpstart=20000\nrtpend=16000\n", "rtp-ports",
		    DOCTOR_FAILED, "no range", "rtpstart");
	assert_file(DOCTOR_RTP_CONF, "[general]\nrtpstart=80\n", "rtp-ports", DOCTOR_FAILED,
		    "no range", "rtpstart");
	assert_file(DOCTOR_RTP_CONF, "[general]\n", "rtp-ports", DOCTOR_OK, "5000 to 31000", "");
}

static void music_class_has_to_be_there(void **state)
{
	(void)state;
	facts.music = "sales";
	assert_found("music", DOCTOR_FAILED, "\"sales\"", "[sales]");
	assert_file(DOCTOR_MUSIC_CONF, "[sales]\n", "music", DOCTOR_OK, "sales", "");
}

static void callers_go_to_the_application_and_are_held_while_it_is_away(void **state)
{
	(void)state;
	assert_file(DOCTOR_EXTENSIONS_CONF, "Stasis(calltab,inbound)", "callers", DOCTOR_WARNING,
		    "turned away", "STASISSTATUS");
	assert_file(DOCTOR_EXTENSIONS_CONF, "Dial(PJSIP/1)", "callers", DOCTOR_WARNING, "no caller",
		    "Stasis(calltab,inbound,${EXTEN})");
	assert_file(DOCTOR_EXTENSIONS_CONF, "#include x\n", "callers", DOCTOR_UNKNOWN, "includes",
		    "");
}

static void file_that_is_not_read_is_not_known(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DOCTOR_FILE_COUNT; i++) {
		const char *text = facts.files[i].text;

		facts.files[i] = (struct doctor_file){NULL, true};
		count = doctor_check(&facts, findings);
		assert_int_equal(findings[count - FILES + i].state, DOCTOR_UNKNOWN);
		assert_non_null(strstr(findings[count - FILES + i].text, "is not there"));
		assert_non_null(strstr(findings[count - FILES + i].text, doctor_file_names[i]));
		facts.files[i] = (struct doctor_file){text, false};
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asterisk_in_order_is_ok_in_every_check),
		TEST(without_an_answer_only_the_files_are_known),
		TEST(reading_user_fails),
		TEST(version_below_22_10_1_fails_and_below_22_11_warns_for_webrtc),
		TEST(each_missing_module_is_found),
		TEST(of_many_missing_modules_four_are_named),
		TEST(telephone_without_endpoint_fails_and_offline_warns),
		TEST(trunk_that_is_not_there_fails_and_silent_warns),
		TEST(clocks_apart_warn),
		TEST(http_server_is_enabled_on_our_port_and_not_open),
		TEST(write_timeout_below_two_seconds_is_found),
		TEST(too_few_rtp_ports_fail),
		TEST(music_class_has_to_be_there),
		TEST(callers_go_to_the_application_and_are_held_while_it_is_away),
		TEST(file_that_is_not_read_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
