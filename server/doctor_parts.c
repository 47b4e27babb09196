/* Modules, telephones, trunk. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "server/doctor_priv.h"

#define NAMED_MAX 4 /* in one line; of the others only the number is said */

/* A module, without ".so", and what is not there without it. */
struct need {
	const char *module, *what_for;
};

static const struct need needed[] = {
	{"res_http_websocket", "the events socket"},
	{"res_websocket_client", "ARI"},
	{"res_ari", "ARI"},
	{"res_ari_model", "ARI"},
	{"res_ari_applications", "ARI"},
	{"res_ari_asterisk", "ARI"},
	{"res_ari_bridges", "ARI"},
	{"res_ari_channels", "ARI"},
	{"res_ari_endpoints", "ARI"},
	{"res_ari_events", "ARI"},
	{"res_ari_playbacks", "announcements"},
	{"res_stasis", "ARI"},
	{"res_stasis_answer", "answering callers"},
	{"res_stasis_playback", "announcements"},
	{"app_stasis", "callers"},
	{"pbx_config", "extensions.conf"},
	{"chan_pjsip", "telephones and trunk"},
	{"res_pjsip", "telephones and trunk"},
	{"res_pjsip_session", "telephones and trunk"},
	{"res_pjsip_sdp_rtp", "audio"},
	{"res_rtp_asterisk", "audio"},
	{"res_pjsip_registrar", "telephones that register"},
	{"res_pjsip_authenticator_digest", "telephones that register"},
	{"res_pjsip_endpoint_identifier_user", "telephones that register"},
	{"res_pjsip_endpoint_identifier_ip", "the trunk"},
	{"res_pjsip_caller_id", "numbers of callers"},
	{"res_pjsip_header_funcs", "telephones that answer by themselves"},
	{"func_callerid", "the number that called parties see"},
	{"func_channel", "the number that called parties see"},
	{"chan_bridge_media", "music and announcements in a call"},
	{"res_musiconhold", "music"},
	{"bridge_simple", "calls"},
	{"bridge_softmix", "conferences"},
	{"codec_ulaw", "G.711"},
	{"codec_alaw", "G.711"},
	{"format_wav", "announcements"},
};

static const struct need wanted[] = {
	{"bridge_holding", "waiting lines"},
	{"bridge_native_rtp", "calls at little cost"},
	{"res_pjsip_diversion", "diverted callers"},
	{"res_pjsip_dtmf_info", "digits by SIP INFO"},
	{"res_pjsip_nat", "telephones behind NAT"},
	{"res_pjsip_rfc3326", "causes of hang-ups"},
	{"codec_resample", "wide-band telephones"},
	{"res_stasis_snoop", "listening"},
	{"res_stasis_recording", "recordings"},
	{"res_ari_recordings", "recordings"},
	{"app_amd", "detection of answering machines"},
	{"res_curl", "sound files of calltab"},
	{"func_curl", "sound files of calltab"},
	{"res_http_media_cache", "sound files of calltab"},
	{"chan_websocket", "audio in the tab by WebSocket"},
	{"res_pjsip_transport_websocket", "audio in the tab by WebRTC"},
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_running(const struct doctor_facts *facts, const char *module)
{
	size_t length = strlen(module);

	for (unsigned i = 0; i < facts->module_count; i++) {
		const char *name = facts->modules[i].name;

		if (!strncmp(name, module, length) &&
		    (!name[length] || !strcmp(name + length, ".so")))
			return facts->modules[i].is_running;
	}
	return false;
}

/* "a, b, c, d and 3 more" */
struct names {
	char text[200];
	unsigned count;
};

static void add_name(struct names *names, const char *name)
{
	size_t length = strlen(names->text);

	if (names->count++ < NAMED_MAX)
		snprintf(names->text + length, sizeof(names->text) - length, "%s%s",
			 length ? ", " : "", name);
}

static void end_names(struct names *names)
{
	size_t length = strlen(names->text);

	if (names->count > NAMED_MAX)
		snprintf(names->text + length, sizeof(names->text) - length, " and %u more",
			 names->count - NAMED_MAX);
}

static void check_needs(const struct doctor_facts *facts, const struct need *needs, unsigned count,
			enum doctor_state bad, struct doctor_finding *finding)
{
	struct names missing = {0};
	const struct need *first = NULL;

	if (doctor_not_asked(facts, facts->has_modules, finding))
		return;
	for (unsigned i = 0; i < count; i++) {
		if (is_running(facts, needs[i].module))
			continue;
		first = first ? first : &needs[i];
		add_name(&missing, needs[i].module);
	}
	end_names(&missing);
	if (!first) {
		doctor_find(finding, DOCTOR_OK, "all %u are loaded", count);
		return;
	}
	doctor_find(finding, bad, "not loaded: %s; without %s no %s", missing.text, first->module,
		    first->what_for);
	doctor_advise(finding, "modules.conf",
		      "load = NAME.so for each of them and no noload; install the package that has "
		      "it; then `module load NAME.so`, which says why when it does not");
}

void doctor_check_modules(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	check_needs(facts, needed, COUNT(needed), DOCTOR_FAILED, finding);
}

void doctor_check_more_modules(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	check_needs(facts, wanted, COUNT(wanted), DOCTOR_WARNING, finding);
}

static const struct doctor_endpoint *find_endpoint(const struct doctor_facts *facts,
						   const char *technology, const char *resource)
{
	for (unsigned i = 0; i < facts->endpoint_count; i++)
		if (!strcmp(facts->endpoints[i].technology, technology) &&
		    !strcmp(facts->endpoints[i].resource, resource))
			return &facts->endpoints[i];
	return NULL;
}

static void find_telephones(const struct doctor_facts *facts, const struct names *missing,
			    const struct names *offline, struct doctor_finding *finding)
{
	if (missing->count) {
		doctor_find(finding, DOCTOR_FAILED,
			    "of %u agents these have no endpoint %s/...: %s", facts->agent_count,
			    facts->technology, missing->text);
		doctor_advise(
			finding, "pjsip.conf",
			"endpoint, auth and aor for each, named like the agent's extension, as "
			"docs/asterisk/pjsip.conf has them; then `pjsip reload`");
	} else if (offline->count) {
		doctor_find(finding, DOCTOR_WARNING, "of %u agents these are not reachable: %s",
			    facts->agent_count, offline->text);
		doctor_advise(finding, NULL,
			      "let the telephones register: user and password of their auth in "
			      "pjsip.conf; `pjsip show contacts` lists who has");
	} else {
		doctor_find(finding, facts->agent_count ? DOCTOR_OK : DOCTOR_WARNING,
			    facts->agent_count
				    ? "the telephones of all %u agents are reachable"
				    : "there are %u agents: add some with `calltab agent "
				      "add`",
			    facts->agent_count);
	}
}

void doctor_check_telephones(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	struct names missing = {0}, offline = {0};

	if (!facts->has_agents) {
		doctor_find(finding, DOCTOR_UNKNOWN, "the agents are not known: %s",
			    facts->agents_why);
		return;
	}
	if (doctor_not_asked(facts, facts->has_endpoints, finding))
		return;
	for (unsigned i = 0; i < facts->agent_count; i++) {
		const char *extension = facts->agents[i].extension;
		const struct doctor_endpoint *endpoint =
			find_endpoint(facts, facts->technology, extension);

		if (!endpoint || !endpoint->is_online)
			add_name(endpoint ? &offline : &missing, extension);
	}
	end_names(&missing);
	end_names(&offline);
	find_telephones(facts, &missing, &offline, finding);
}

void doctor_check_trunk(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const struct doctor_endpoint *trunk = find_endpoint(facts, "PJSIP", facts->trunk);

	if (doctor_not_asked(facts, facts->has_endpoints, finding))
		return;
	if (!trunk) {
		doctor_find(finding, DOCTOR_FAILED, "there is no endpoint PJSIP/%s", facts->trunk);
		doctor_advise(finding, "pjsip.conf",
			      "an endpoint [%s] with an aor that has the carrier's contact, as "
			      "docs/asterisk/pjsip.conf has it, or ari_trunk in calltab.ini",
			      facts->trunk);
	} else if (!trunk->is_online) {
		doctor_find(finding, DOCTOR_WARNING, "PJSIP/%s is there, but does not answer",
			    facts->trunk);
		doctor_advise(
			finding, "pjsip.conf",
			"contact in the trunk's aor; is the carrier reachable? A carrier that "
			"never answers OPTIONS wants qualify_frequency = 0");
	} else {
		doctor_find(finding, DOCTOR_OK, "PJSIP/%s is there and reachable", facts->trunk);
	}
}
