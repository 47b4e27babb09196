/* Comparing what we know with what Asterisk has: on every connect, since nothing that happened
 * while the link was away is ever told afterwards, and whenever asked. */
#include "telephony/ari/ari_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Each hangup would bring five long statistics variables; each dialplan step an event. */
#define FILTER                                                                                     \
	"{\"disallowed\":[{\"type\":\"ChannelVarset\"},{\"type\":\"ChannelDialplan\"},"            \
	"{\"type\":\"ChannelCallerId\"},{\"type\":\"ChannelConnectedLine\"}]}"

/* ---- a new link ---- */

static bool is_refused(struct ari *ari, const struct ari_event *answer, const char *what)
{
	char reason[ARI_REASON_SIZE], text[160];

	if (answer->status < 300)
		return false;
	ari_reason_parse(answer->body, answer->body_length, reason, sizeof reason);
	str_format(text, sizeof text, "%s: %d %s", what, answer->status, reason);
	ari_link_drop(ari, text);
	return true;
}

static void on_setup_answer(struct ari *ari, const struct ari_request *request,
			    const struct ari_event *answer)
{
	(void)request;
	is_refused(ari, answer, "Asterisk refuses the set-up");
}

static void on_info_answer(struct ari *ari, const struct ari_request *request,
			   const struct ari_event *answer)
{
	struct ari_info info;
	char text[160];

	(void)request;
	if (is_refused(ari, answer, "Asterisk does not say who it is"))
		return;
	if (ari_info_parse(answer->body, answer->body_length, &info) != ST_OK) {
		ari_link_drop(ari, "Asterisk does not say who it is");
		return;
	}
	if (!ari_version_is_supported(info.version)) {
		str_format(text, sizeof text,
			   "Asterisk %s is too old: calltab needs 22.10.1 or newer", info.version);
		ari_link_refuse(ari, text);
		return;
	}
	ari->epoch = info.epoch;
}

/* All of it on every connect: filter and subscriptions belong to the application object in
 * Asterisk, which is gone when nothing was left in it, and otherwise has kept them. Both requests
 * may be repeated. (subscribeAll in the URL is ignored for an application that was left over.) */
void ari_sync_identify(struct ari *ari)
{
	struct json_writer filter = {0};

	ari_send(ari, on_info_answer, NULL, "GET asterisk/info?only=system,status");
	jw_raw(&filter, FILTER, strlen(FILTER));
	ari_send(ari, on_setup_answer, &filter, "PUT applications/%s/eventFilter", ari->config.app);
	jw_done(&filter);
	ari_send(ari, on_setup_answer, NULL,
		 "POST applications/%s/subscription?eventSource=channel:,bridge:,endpoint:",
		 ari->config.app);
	ari_sync_start(ari);
}

/* ---- the lists ---- */

static void free_lists(struct ari_sync *sync)
{
	free(sync->channels);
	free(sync->bridges);
	sync->channels = sync->bridges = NULL;
	while (sync->gone) {
		struct ari_gone *next = sync->gone->next;
		free(sync->gone);
		sync->gone = next;
	}
}

void ari_sync_drop(struct ari *ari)
{
	free_lists(&ari->sync);
	ari->sync.is_running = ari->sync.is_wanted_again = false;
}

void ari_sync_note_gone(struct ari *ari, const char *channel)
{
	if (!ari->sync.is_running)
		return;
	struct ari_gone *gone = xcalloc(1, sizeof *gone);
	str_copy(gone->channel, sizeof gone->channel, channel);
	LL_PREPEND(ari->sync.gone, gone);
}

/* The list may be older than the event that told of the end. */
static bool is_gone(const struct ari *ari, const char *channel)
{
	const struct ari_gone *gone;

	LL_FOREACH(ari->sync.gone, gone)
	if (strcmp(gone->channel, channel) == 0)
		return true;
	return false;
}

static void tell_kind(struct ari *ari, enum tel_fact_kind kind)
{
	ari_tell(ari, (struct tel_fact){.kind = kind});
}

static void mark_seen(void *user, const struct ari_channel *channel)
{
	struct ari_leg *leg = ari_leg_of_channel(user, channel->id);

	if (leg)
		leg->is_seen = true;
}

/* A leg whose creation was asked for after the lists were is not in them. */
static void end_lost_legs(struct ari *ari)
{
	struct ari_leg *leg, *next;

	HASH_ITER(hh, ari->legs, leg, next)
		if (leg->sync == ari->sync.serial && !leg->is_seen)
			ari_leg_lost(leg);
}

/* Those who wait have never been told of by this life: they are offered when all else is told. */
static void meet_channel(void *user, const struct ari_channel *channel)
{
	struct ari *ari = user;
	struct ari_leg *leg = ari_leg_of_channel(ari, channel->id);

	if (leg)
		ari_leg_refresh(leg, channel, ari->sync.is_first);
	else if (channel->is_in_app && !is_gone(ari, channel->id))
		ari_leg_found(ari, channel);
}

static void tell_legs_seen(struct ari *ari)
{
	struct ari_leg *leg, *next;

	HASH_ITER(hh, ari->legs, leg, next) {
		struct tel_fact fact = {.kind = TEL_LEG_SEEN, .is_up = leg->stage == ARI_LEG_UP};
		if (!leg->is_seen)
			continue;
		fact.on = fact.is_up || leg->has_rung;
		str_copy(fact.tag, sizeof fact.tag, leg->tag);
		str_copy(fact.mix, sizeof fact.mix, leg->mix);
		ari_tell_leg(leg, fact);
	}
}

static void offer_waiting(void *user, const struct ari_channel *channel)
{
	const struct ari_leg *leg = ari_leg_of_channel(user, channel->id);

	if (leg && leg->is_unoffered)
		ari_leg_offer(user, channel);
}

static void see_bridge(void *user, const struct ari_bridge *bridge)
{
	struct ari *ari = user;
	struct ari_mix *mix = ari_mix_find(ari, bridge->id);
	struct tel_fact fact = {.kind = TEL_MIX_SEEN};

	if (!mix && (!bridge->is_ours || !tel_is_id(bridge->id)))
		return;
	if (!mix && bridge->is_empty) { /* left behind by an earlier life: they live for ever */
		ari_send(ari, ari_ignore_answer, NULL, "DELETE bridges/%s", bridge->id);
		return;
	}
	if (!mix)
		mix = ari_mix_create(ari, bridge->id);
	mix->is_seen = true;
	str_copy(fact.mix, sizeof fact.mix, mix->id);
	ari_tell(ari, fact);
}

static void note_member(void *user, const char *bridge, const char *channel)
{
	struct ari *ari = user;
	struct ari_leg *leg = ari_leg_of_channel(ari, channel);

	if (leg && ari_mix_find(ari, bridge) && !is_gone(ari, channel))
		str_copy(leg->mix, sizeof leg->mix, bridge);
}

static void forget_members(struct ari *ari)
{
	struct ari_leg *leg, *next;

	HASH_ITER(hh, ari->legs, leg, next)
		leg->mix[0] = '\0';
}

static void tell_members(struct ari *ari)
{
	struct ari_leg *leg, *next;

	HASH_ITER(hh, ari->legs, leg, next)
		ari_leg_is_in(leg, leg->mix);
}

static void end_lost_mixes(struct ari *ari)
{
	struct ari_mix *mix, *next;

	HASH_ITER(hh, ari->mixes, mix, next)
		if (mix->sync == ari->sync.serial && !mix->is_seen && !mix->ops)
			ari_mix_destroy(ari, mix);
}

static void on_playback_answer(struct ari *ari, const struct ari_request *request,
			       const struct ari_event *answer)
{
	struct ari_play *play = ari_play_find(ari, request->play);

	if (play && answer->status == 404)
		ari_play_end(play, "ok");
}

static void check_plays(struct ari *ari)
{
	struct ari_play *play, *next;

	HASH_ITER(hh, ari->plays, play, next) {
		struct ari_request *request =
			ari_send(ari, on_playback_answer, NULL, "GET playbacks/%s", play->id);
		str_copy(request->play, sizeof request->play, play->id);
	}
}

/* ---- stations ---- */

static bool is_station(const struct ari *ari, const char *technology, const char *resource)
{
	struct tel_dest dest = {.kind = TEL_DEST_STATION};

	return strcmp(technology, ari->config.station_technology) == 0 &&
	       strcmp(resource, ari->config.trunk) != 0 &&
	       str_copy(dest.value, sizeof dest.value, resource) && tel_is_dest(&dest);
}

static void tell_station(struct ari *ari, const char *name, bool is_online)
{
	struct tel_fact fact = {.kind = TEL_STATION, .on = is_online};

	str_copy(fact.station, sizeof fact.station, name);
	ari_tell(ari, fact);
}

/* Keeps it; answers whether that is news. */
static bool keep_station(struct ari *ari, const char *name, bool is_online)
{
	struct ari_station *station;
	bool is_news = true;

	HASH_FIND_STR(ari->stations, name, station);
	if (station) {
		is_news = station->is_online != is_online;
	} else {
		station = xcalloc(1, sizeof *station);
		str_copy(station->name, sizeof station->name, name);
		HASH_ADD_STR(ari->stations, name, station);
	}
	station->is_online = is_online;
	return is_news;
}

void ari_sync_note_station(struct ari *ari, const char *technology, const char *resource,
			   bool is_online)
{
	if (is_station(ari, technology, resource) && keep_station(ari, resource, is_online) &&
	    ari->phase == ARI_LINKED)
		tell_station(ari, resource, is_online);
}

static void see_station(void *user, const char *technology, const char *resource, bool is_online)
{
	struct ari *ari = user;

	if (!is_station(ari, technology, resource))
		return;
	keep_station(ari, resource, is_online);
	tell_station(ari, resource, is_online);
}

void ari_stations_free(struct ari *ari)
{
	struct ari_station *station, *next;

	HASH_ITER(hh, ari->stations, station, next) {
		HASH_DEL(ari->stations, station);
		free(station);
	}
}

/* ---- the comparison ---- */

static bool see_all(struct ari *ari, const char *endpoints)
{
	const char *channels = ari->sync.channels, *bridges = ari->sync.bridges;
	size_t channels_length = strlen(channels), bridges_length = strlen(bridges);
	const char *app = ari->config.app;

	if (ari_channels_parse(channels, channels_length, app, mark_seen, ari) != ST_OK)
		return false;
	end_lost_legs(ari);
	if (ari_channels_parse(channels, channels_length, app, meet_channel, ari) != ST_OK)
		return false;
	if (ari->sync.is_first)
		forget_members(ari);
	if (ari_bridges_parse(bridges, bridges_length, app, see_bridge,
			      ari->sync.is_first ? note_member : NULL, ari) != ST_OK)
		return false;
	end_lost_mixes(ari);
	tell_legs_seen(ari);
	if (ari->sync.is_first)
		tell_members(ari);
	return ari_endpoints_parse(endpoints, strlen(endpoints), see_station, ari) == ST_OK;
}

static void compare(struct ari *ari, const char *endpoints)
{
	bool is_wanted_again = ari->sync.is_wanted_again;

	ari->sync.is_first = ari->phase == ARI_IDENTIFYING;
	if (ari->sync.is_first)
		ari_link_up(ari);
	tell_kind(ari, TEL_SYNC_BEGIN);
	bool is_good = see_all(ari, endpoints);
	tell_kind(ari, TEL_SYNC_END);
	if (!is_good) {
		ari_link_drop(ari, "Asterisk's lists cannot be read");
		return;
	}
	ari->failures = 0;
	if (ari_channels_parse(ari->sync.channels, strlen(ari->sync.channels), ari->config.app,
			       offer_waiting, ari) != ST_OK)
		return;
	if (ari->sync.is_first)
		check_plays(ari);
	if (ari->sync.is_first)
		ari_records_check(ari);
	ari_sync_drop(ari);
	if (is_wanted_again)
		ari_sync_start(ari);
}

static void on_channels_answer(struct ari *ari, const struct ari_request *request,
			       const struct ari_event *answer)
{
	(void)request;
	if (!is_refused(ari, answer, "Asterisk does not list its channels"))
		ari->sync.channels = xstrdup(answer->body);
}

static void on_bridges_answer(struct ari *ari, const struct ari_request *request,
			      const struct ari_event *answer)
{
	(void)request;
	if (!is_refused(ari, answer, "Asterisk does not list its bridges"))
		ari->sync.bridges = xstrdup(answer->body);
}

static void on_endpoints_answer(struct ari *ari, const struct ari_request *request,
				const struct ari_event *answer)
{
	(void)request;
	if (is_refused(ari, answer, "Asterisk does not list its endpoints"))
		return;
	if (ari->sync.channels && ari->sync.bridges)
		compare(ari, answer->body);
	else
		ari_link_drop(ari, "Asterisk answers out of order");
}

static void mark_all(struct ari *ari)
{
	struct ari_leg *leg, *next_leg;
	struct ari_mix *mix, *next_mix;

	HASH_ITER(hh, ari->legs, leg, next_leg) {
		leg->sync = ari->sync.serial;
		leg->is_seen = false;
	}
	HASH_ITER(hh, ari->mixes, mix, next_mix) {
		mix->sync = ari->sync.serial;
		mix->is_seen = false;
	}
}

void ari_sync_start(struct ari *ari)
{
	if (ari->sync.is_running) {
		ari->sync.is_wanted_again = true;
		return;
	}
	ari->sync.is_running = true;
	ari->sync.serial++;
	mark_all(ari);
	ari_send(ari, on_channels_answer, NULL, "GET channels");
	ari_send(ari, on_bridges_answer, NULL, "GET bridges");
	ari_send(ari, on_endpoints_answer, NULL, "GET endpoints");
}
