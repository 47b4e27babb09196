/* The table, and the checks on what Asterisk itself answered. */
#include "server/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "server/doctor_priv.h"

#define CLOCK_MS_MAX 2000

const char *doctor_state_word(enum doctor_state state)
{
	static const char *const words[DOCTOR_STATE_COUNT] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARNING] = "warning",
		[DOCTOR_FAILED] = "failed",
		[DOCTOR_UNKNOWN] = "unknown",
	};

	return words[state];
}

void doctor_find(struct doctor_finding *finding, enum doctor_state state, const char *format, ...)
{
	va_list args;

	finding->state = state;
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

void doctor_advise(struct doctor_finding *finding, const char *file, const char *format, ...)
{
	va_list args;

	finding->file = file;
	va_start(args, format);
	vsnprintf(finding->change, sizeof(finding->change), format, args);
	va_end(args);
}

/* true: it was not asked, and the finding says why. */
bool doctor_not_asked(const struct doctor_facts *facts, bool is_known,
		      struct doctor_finding *finding)
{
	if (facts->reach == DOCTOR_SIGNED_IN && is_known)
		return false;
	doctor_find(finding, DOCTOR_UNKNOWN,
		    facts->reach == DOCTOR_SIGNED_IN ? "Asterisk did not say"
						     : "could not be asked");
	return true;
}

static void check_connection(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	switch (facts->reach) {
	case DOCTOR_AWAY:
		doctor_find(finding, DOCTOR_FAILED, "nobody answers at %s:%u: %s", facts->host,
			    facts->port, facts->why);
		doctor_advise(finding, "http.conf",
			      "is Asterisk running? In [general]: enabled = yes, and bindaddr and "
			      "bindport as ari_host and ari_port of calltab.ini say");
		break;
	case DOCTOR_NO_ARI:
		doctor_find(finding, DOCTOR_FAILED, "%s:%u answers, but not as ARI: %s",
			    facts->host, facts->port, facts->why);
		doctor_advise(finding, "ari.conf",
			      "in [general]: enabled = yes; no `prefix` in http.conf; the modules "
			      "res_ari and res_ari_* loaded");
		break;
	case DOCTOR_REFUSED:
		doctor_find(finding, DOCTOR_FAILED, "Asterisk does not let the user \"%s\" in",
			    facts->user);
		doctor_advise(finding, "ari.conf",
			      "a section [%s] with type = user and the password that ari_password "
			      "(or ari_password_file) of calltab.ini has; then `module reload "
			      "res_ari`",
			      facts->user);
		break;
	case DOCTOR_SIGNED_IN:
		doctor_find(finding, DOCTOR_OK, "Asterisk answers at %s:%u and knows the user %s",
			    facts->host, facts->port, facts->user);
	}
}

static void check_rights(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	if (doctor_not_asked(facts, facts->may_write != DOCTOR_NOT_ASKED, finding))
		return;
	if (facts->may_write == DOCTOR_YES) {
		doctor_find(finding, DOCTOR_OK, "the user may make calls");
		return;
	}
	doctor_find(finding, DOCTOR_FAILED, "the user \"%s\" may only read", facts->user);
	doctor_advise(finding, "ari.conf", "in [%s]: read_only = no", facts->user);
}

/* Below {22, 10, 1}? Anything that is no number ends the comparison. */
static bool is_below(const char *version, const int lowest[3])
{
	for (unsigned i = 0; i < 3; i++) {
		char *end;
		long part = strtol(version, &end, 10);

		if (part != lowest[i])
			return part < lowest[i];
		version = *end == '.' ? end + 1 : end;
	}
	return false;
}

static void check_version(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	if (doctor_not_asked(facts, *facts->version != 0, finding))
		return;
	if (!is_below(facts->version, (const int[]){22, 10, 1})) {
		doctor_find(finding, DOCTOR_OK, "Asterisk %s", facts->version);
		return;
	}
	doctor_find(finding, DOCTOR_FAILED,
		    "Asterisk %s is too old: calltab refuses what is below 22.10.1",
		    facts->version);
	doctor_advise(finding, NULL,
		      "install Asterisk 22.10.1 or newer: older ones let users write who may only "
		      "read");
}

static void check_webrtc(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	if (doctor_not_asked(facts, *facts->version != 0, finding))
		return;
	if (!is_below(facts->version, (const int[]){22, 11, 0})) {
		doctor_find(finding, DOCTOR_OK, "this version is fit for audio by WebRTC");
		return;
	}
	doctor_find(finding, DOCTOR_WARNING,
		    "below 22.11 audio by WebRTC can lock up a call; desk telephones are not "
		    "concerned");
	doctor_advise(finding, NULL, "install 22.11 or newer before agents talk through WebRTC");
}

static void check_application(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	if (doctor_not_asked(facts, facts->has_app != DOCTOR_NOT_ASKED, finding))
		return;
	doctor_find(finding, DOCTOR_OK,
		    facts->has_app == DOCTOR_YES
			    ? "the application \"%s\" is there: a gateway is, or was, connected"
			    : "the application name \"%s\" is free: no gateway is connected now",
		    facts->app);
}

static void check_clock(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	double seconds = (double)facts->clock_ahead_ms / 1000;

	if (doctor_not_asked(facts, facts->has_clock, finding))
		return;
	if (llabs(facts->clock_ahead_ms) <= CLOCK_MS_MAX) {
		doctor_find(finding, DOCTOR_OK, "the clocks agree (%+.1f s)", seconds);
		return;
	}
	doctor_find(finding, DOCTOR_WARNING, "Asterisk's clock is %.1f s %s ours",
		    seconds < 0 ? -seconds : seconds, seconds < 0 ? "behind" : "ahead of");
	doctor_advise(finding, NULL,
		      "let both machines follow a time server, or their logs do not fit together");
}

static const struct {
	const char *name;
	void (*check)(const struct doctor_facts *facts, struct doctor_finding *finding);
} checks[] = {
	{"connection", check_connection},   {"rights", check_rights},
	{"version", check_version},	    {"webrtc-version", check_webrtc},
	{"modules", doctor_check_modules},  {"more-modules", doctor_check_more_modules},
	{"application", check_application}, {"telephones", doctor_check_telephones},
	{"trunk", doctor_check_trunk},	    {"clock", check_clock},
	{"http", doctor_check_http},	    {"write-timeout", doctor_check_write_timeout},
	{"rtp-ports", doctor_check_rtp},    {"music", doctor_check_music},
	{"callers", doctor_check_callers},
};
_Static_assert(sizeof(checks) / sizeof(checks[0]) <= DOCTOR_CHECKS_MAX, "findings has room");

unsigned doctor_check(const struct doctor_facts *facts, struct doctor_finding *findings)
{
	unsigned count = sizeof(checks) / sizeof(checks[0]);

	for (unsigned i = 0; i < count; i++) {
		findings[i] = (struct doctor_finding){.check = checks[i].name};
		checks[i].check(facts, &findings[i]);
	}
	return count;
}
