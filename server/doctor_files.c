/* What only Asterisk's configuration files tell. */
#include <stdlib.h>
#include <string.h>

#include "server/asterisk_conf.h"
#include "server/doctor_priv.h"

#define WRITE_TIMEOUT_MS     2000 /* what the samples have */
#define WRITE_TIMEOUT_MS_BAD 1000
#define WRITE_TIMEOUT_MS_OWN 100 /* Asterisk's default */
#define RTP_START_OWN	     5000
#define RTP_END_OWN	     31000
#define RTP_PORTS_A_CALL     4 /* two legs, and each takes two */
#define RTP_CALLS_MIN	     10

const char *const doctor_file_names[DOCTOR_FILE_COUNT] = {
	[DOCTOR_HTTP_CONF] = "http.conf",
	[DOCTOR_ARI_CONF] = "ari.conf",
	[DOCTOR_RTP_CONF] = "rtp.conf",
	[DOCTOR_MUSIC_CONF] = "musiconhold.conf",
	[DOCTOR_EXTENSIONS_CONF] = "extensions.conf",
};

/* NULL: it could not be read, and the finding says so. */
static const char *text_of(const struct doctor_facts *facts, enum doctor_file_index index,
			   struct doctor_finding *finding)
{
	const struct doctor_file *file = &facts->files[index];
	const char *name = doctor_file_names[index];

	if (!file->text && !facts->config_dir)
		doctor_find(finding, DOCTOR_UNKNOWN,
			    "Asterisk does not tell what %s says: --config-dir names the folder",
			    name);
	else if (!file->text)
		doctor_find(finding, DOCTOR_UNKNOWN, "%s/%s %s", facts->config_dir, name,
			    file->is_missing ? "is not there" : "cannot be read");
	return file->text;
}

/* true: it stands in the file. Else *ret is "", and it is open whether an included file has it. */
static bool value_in(const char *text, const char *section, const char *key, char *ret, size_t size,
		     const char *file, struct doctor_finding *finding, bool *is_open)
{
	bool is_there = conf_value(text, section, key, ret, size);

	*is_open = !is_there && conf_has_include(text);
	if (*is_open)
		doctor_find(finding, DOCTOR_UNKNOWN, "%s does not say %s, but includes other files",
			    file, key);
	return is_there;
}

static bool is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "::1") || !strcmp(host, "localhost");
}

static bool is_any(const char *address)
{
	return !strcmp(address, "0.0.0.0") || !strcmp(address, "::") || !strcmp(address, "[::]");
}

static void check_http_address(const struct doctor_facts *facts, const char *text,
			       struct doctor_finding *finding)
{
	char port[16], address[64];
	long number = conf_value(text, "general", "bindport", port, sizeof(port))
			      ? strtol(port, NULL, 10)
			      : 8088;

	conf_value(text, "general", "bindaddr", address, sizeof(address));
	if (number != (long)facts->port) {
		doctor_find(
			finding, DOCTOR_WARNING,
			"bindport is %ld, calltab asks port %u: is this folder that Asterisk's?",
			number, facts->port);
		doctor_advise(finding, "calltab.ini", "ari_port = %ld, or --config-dir", number);
	} else if (is_any(address) && is_loopback(facts->host)) {
		doctor_find(finding, DOCTOR_WARNING, "ARI is open to the network: bindaddr = %s",
			    address);
		doctor_advise(finding, "http.conf",
			      "bindaddr = 127.0.0.1: who may speak ARI may place calls");
	} else {
		doctor_find(finding, DOCTOR_OK, "enabled, port %ld%s%s", number,
			    *address ? " of " : "", address);
	}
}

void doctor_check_http(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const char *text = text_of(facts, DOCTOR_HTTP_CONF, finding);
	char enabled[16];
	bool is_open;

	if (!text)
		return;
	value_in(text, "general", "enabled", enabled, sizeof(enabled), "http.conf", finding,
		 &is_open);
	if (is_open)
		return;
	if (conf_is_true(enabled)) {
		check_http_address(facts, text, finding);
		return;
	}
	doctor_find(finding, DOCTOR_FAILED, "Asterisk's HTTP server is not enabled");
	doctor_advise(finding, "http.conf", "in [general]: enabled = yes");
}

void doctor_check_write_timeout(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const char *text = text_of(facts, DOCTOR_ARI_CONF, finding);
	char value[16];
	bool is_open, is_there;
	long ms;

	if (!text)
		return;
	is_there = value_in(text, "general", "websocket_write_timeout", value, sizeof(value),
			    "ari.conf", finding, &is_open);
	if (is_open)
		return;
	ms = is_there ? strtol(value, NULL, 10) : WRITE_TIMEOUT_MS_OWN;
	if (ms >= WRITE_TIMEOUT_MS) {
		doctor_find(finding, DOCTOR_OK, "websocket_write_timeout is %ld ms", ms);
		return;
	}
	doctor_find(
		finding, ms < WRITE_TIMEOUT_MS_BAD ? DOCTOR_FAILED : DOCTOR_WARNING,
		"websocket_write_timeout is %ld ms%s: a gateway that is busy for so long is cut "
		"off",
		ms, is_there ? "" : ", the default");
	doctor_advise(finding, "ari.conf", "in [general]: websocket_write_timeout = %d",
		      WRITE_TIMEOUT_MS);
}

static long port_of(const char *text, const char *key, long own)
{
	char value[16];

	return conf_value(text, "general", key, value, sizeof(value)) ? strtol(value, NULL, 10)
								      : own;
}

void doctor_check_rtp(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const char *text = text_of(facts, DOCTOR_RTP_CONF, finding);
	long start, end, calls, wanted = facts->has_agents ? (long)facts->agent_count : 0;

	if (!text)
		return;
	start = port_of(text, "rtpstart", RTP_START_OWN);
	end = port_of(text, "rtpend", RTP_END_OWN);
	calls = (end - start + 1) / RTP_PORTS_A_CALL;
	wanted = wanted > RTP_CALLS_MIN ? wanted : RTP_CALLS_MIN;
	if (start < 1024 || end > 65535 || end <= start) {
		doctor_find(finding, DOCTOR_FAILED, "%ld to %ld is no range of ports", start, end);
		doctor_advise(finding, "rtp.conf",
			      "in [general]: rtpstart = 16000 and rtpend = 17999");
	} else if (calls < wanted) {
		doctor_find(finding, DOCTOR_FAILED,
			    "%ld to %ld is enough for %ld calls, %ld are to be expected", start,
			    end, calls, wanted);
		doctor_advise(finding, "rtp.conf", "in [general]: rtpend = %ld or more",
			      start + wanted * RTP_PORTS_A_CALL * 2 - 1);
	} else {
		doctor_find(finding, DOCTOR_OK, "%ld to %ld: enough for %ld calls", start, end,
			    calls);
	}
}

void doctor_check_music(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const char *name = *facts->music ? facts->music : "default";
	const char *text = text_of(facts, DOCTOR_MUSIC_CONF, finding);

	if (!text)
		return;
	if (conf_has_section(text, name)) {
		doctor_find(finding, DOCTOR_OK, "there is a music class \"%s\"", name);
	} else if (conf_has_include(text)) {
		doctor_find(finding, DOCTOR_UNKNOWN,
			    "musiconhold.conf has no class \"%s\", but includes other files", name);
	} else {
		doctor_find(finding, DOCTOR_FAILED,
			    "there is no music class \"%s\": who is on hold hears nothing", name);
		doctor_advise(finding, "musiconhold.conf",
			      "[%s] with mode = files and directory = a folder of 8 kHz mono .wav "
			      "files, or ari_music in calltab.ini",
			      name);
	}
}

void doctor_check_callers(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const char *text = text_of(facts, DOCTOR_EXTENSIONS_CONF, finding);

	if (!text)
		return;
	if (!conf_calls_stasis(text, facts->app)) {
		bool is_open = conf_has_include(text);

		doctor_find(finding, is_open ? DOCTOR_UNKNOWN : DOCTOR_WARNING,
			    "extensions.conf itself sends no caller to \"%s\"%s", facts->app,
			    is_open ? ", but includes other files" : "");
		if (!is_open)
			doctor_advise(finding, "extensions.conf",
				      "in the trunk's context: Stasis(%s,inbound,${EXTEN}), as "
				      "docs/asterisk/extensions.conf has it",
				      facts->app);
	} else if (!conf_mentions(text, "STASISSTATUS")) {
		doctor_find(finding, DOCTOR_WARNING,
			    "callers go to \"%s\", and are turned away while it is not connected",
			    facts->app);
		doctor_advise(finding, "extensions.conf",
			      "after Stasis(): try again while ${STASISSTATUS} is FAILED, as "
			      "docs/asterisk/extensions.conf does");
	} else {
		doctor_find(finding, DOCTOR_OK,
			    "callers go to \"%s\", and wait while it is not connected", facts->app);
	}
}
