/* One leg: a channel of Asterisk's from the request to make it, or its arrival, until it is
 * destroyed. */
#include "telephony/ari/ari_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "telephony/ari/ari_result.h"

#define RING_S		120
#define HANGUP_BY_ARI	32 /* cause of a ChannelHangupRequest that is no far end's */
#define START_CHECK_MS	5000
#define HANGUP_CHECK_MS 5000
#define VANISH_CHECK_MS 1000
#define INBOUND		"-i-"
#define FROM_NAMES_SIZE (TEL_NAME_SIZE + TEL_NUMBER_SIZE + 8)

static struct ari_leg *leg_create(struct ari *ari, const char *id, const char *channel)
{
	struct ari_leg *leg = xcalloc(1, sizeof *leg);

	leg->ari = ari;
	str_copy(leg->id, sizeof leg->id, id);
	str_copy(leg->channel, sizeof leg->channel, channel);
	HASH_ADD_STR(ari->legs, id, leg);
	return leg;
}

void ari_leg_free(struct ari_leg *leg)
{
	ari_timer_stop(leg->ari, &leg->check_timer);
	ari_queue_drop_leg(leg->ari, leg);
	HASH_DEL(leg->ari->legs, leg);
	free(leg);
}

struct ari_leg *ari_leg_find(struct ari *ari, const char *id)
{
	struct ari_leg *leg;

	HASH_FIND_STR(ari->legs, id, leg);
	return leg;
}

/* Callers are named by Asterisk; in front we put what all our ids begin with. The same channel gets
 * the same name again after a restart of ours. */
static bool name_inbound(const struct ari *ari, const char *channel, char ret[TEL_ID_SIZE])
{
	return str_format(ret, TEL_ID_SIZE, "%s" INBOUND "%s", ari->driver.host.node, channel) &&
	       tel_is_id(ret);
}

struct ari_leg *ari_leg_of_channel(struct ari *ari, const char *channel)
{
	char name[TEL_ID_SIZE];
	struct ari_leg *leg = ari_leg_find(ari, channel);

	if (leg || !name_inbound(ari, channel, name))
		return leg;
	return ari_leg_find(ari, name);
}

/* ---- its stages ---- */

enum input { IN_STASIS, RINGING, EARLY, UP, INPUT_COUNT };

/* clang-format off */
static const enum ari_leg_stage next_stage[ARI_LEG_STAGE_COUNT][INPUT_COUNT] = {
	/*                 IN_STASIS     RINGING       EARLY         UP      */
	[ARI_LEG_CREATING] = { ARI_LEG_READY,    ARI_LEG_RINGING,  ARI_LEG_RINGING,  ARI_LEG_UP },
	[ARI_LEG_READY]    = { ARI_LEG_READY,    ARI_LEG_RINGING,  ARI_LEG_RINGING,  ARI_LEG_UP },
	[ARI_LEG_DIALING]  = { ARI_LEG_DIALING,  ARI_LEG_RINGING,  ARI_LEG_RINGING,  ARI_LEG_UP },
	[ARI_LEG_RINGING]  = { ARI_LEG_RINGING,  ARI_LEG_RINGING,  ARI_LEG_RINGING,  ARI_LEG_UP },
	[ARI_LEG_OFFERED]  = { ARI_LEG_OFFERED,  ARI_LEG_OFFERED,  ARI_LEG_OFFERED,  ARI_LEG_UP },
	[ARI_LEG_UP]       = { ARI_LEG_UP,       ARI_LEG_UP,       ARI_LEG_UP,       ARI_LEG_UP },
};
/* clang-format on */

static void tell_once(struct ari_leg *leg, bool *has_told, enum tel_fact_kind kind)
{
	leg->has_rung = true;
	if (*has_told)
		return;
	*has_told = true;
	ari_tell_leg(leg, (struct tel_fact){.kind = kind});
}

/* Ringing is told by two events, in either order, and both may come late. */
static void tell_stage(struct ari_leg *leg, enum ari_leg_stage before, enum input input)
{
	if (input == UP && before != ARI_LEG_UP) {
		leg->up_us = ari_now_us(leg->ari);
		ari_tell_leg(leg, (struct tel_fact){.kind = TEL_LEG_UP});
	}
	if (leg->stage != ARI_LEG_RINGING)
		return;
	if (input == RINGING)
		tell_once(leg, &leg->has_told_ringing, TEL_LEG_RINGING);
	if (input == EARLY)
		tell_once(leg, &leg->has_told_early, TEL_LEG_EARLY);
}

static void step(struct ari_leg *leg, enum input input)
{
	enum ari_leg_stage before = leg->stage;

	leg->stage = next_stage[before][input];
	if (input == IN_STASIS) {
		leg->is_in_stasis = true;
		if (!leg->is_hangup_asked)
			ari_timer_stop(leg->ari, &leg->check_timer);
	}
	tell_stage(leg, before, input);
	ari_queue_run(leg->ari, leg);
}

/* ---- its end ---- */

static void end(struct ari_leg *leg, enum tel_result result, int cause, int sip)
{
	struct tel_fact fact = {
		.kind = TEL_LEG_ENDED, .result = result, .cause = cause, .sip = sip, .by = leg->by};

	if (leg->by == TEL_BY_UNKNOWN && leg->is_hangup_asked && !leg->has_failed)
		fact.by = TEL_BY_US;
	if (leg->up_us)
		fact.talk_ms = (unsigned)((ari_now_us(leg->ari) - leg->up_us) / 1000);
	ari_tell_leg(leg, fact);
	ari_leg_free(leg);
}

/* A far end that says goodbye in the moment when its channel is told otherwise is not always told
 * by a request: who else should have ended it in the normal way? */
static bool is_unasked_goodbye(const struct ari_leg *leg, const struct ari_event *event)
{
	return leg->stage == ARI_LEG_UP && !leg->is_hangup_asked && !leg->has_hangup_request &&
	       event->cause == 16;
}

static void on_destroyed(struct ari_leg *leg, const struct ari_event *event)
{
	struct ari_ending ending = {
		.is_inbound = leg->is_inbound,
		.was_up = leg->stage == ARI_LEG_UP,
		.has_rung = leg->has_rung,
		.was_hangup_ours = leg->is_hangup_asked,
		.was_timeout = leg->was_timeout,
		.cause = event->cause,
		.sip = event->tech_cause >= 300 && event->tech_cause < 700 ? event->tech_cause : 0,
	};

	if (is_unasked_goodbye(leg, event))
		leg->by = TEL_BY_THEM;
	if (leg->has_failed)
		end(leg, TEL_ERROR, event->cause, ending.sip);
	else
		end(leg, ari_result(&ending), event->cause, ending.sip);
}

/* Only the first one tells who it was: the dialplan's own Hangup() sends another. */
static void on_hangup_request(struct ari_leg *leg, const struct ari_event *event)
{
	bool is_switch = event->is_soft && event->cause == HANGUP_BY_ARI;

	if (leg->has_hangup_request)
		return;
	leg->has_hangup_request = true;
	leg->by = is_switch ? TEL_BY_US : TEL_BY_THEM;
	leg->was_timeout = is_switch && !leg->is_hangup_asked && leg->stage != ARI_LEG_UP;
}

void ari_leg_lost(struct ari_leg *leg)
{
	if (!leg->is_hangup_asked || leg->has_failed)
		end(leg, leg->has_failed ? TEL_ERROR : TEL_LOST, 0, 0);
	else
		end(leg, leg->stage == ARI_LEG_UP ? TEL_NORMAL : TEL_CANCELLED, leg->hangup_cause,
		    0);
}

static void send_hangup(struct ari_leg *leg)
{
	ari_send(leg->ari, ari_ignore_answer, NULL, "DELETE channels/%s?reason_code=%d",
		 leg->channel, leg->hangup_cause);
	ari_leg_check_in(leg, HANGUP_CHECK_MS);
}

void ari_leg_hangup(struct ari_leg *leg, int cause)
{
	if (leg->is_hangup_asked && !leg->has_failed)
		return;
	leg->is_hangup_asked = true;
	leg->hangup_cause = cause;
	ari_queue_drop_leg(leg->ari, leg);
	send_hangup(leg);
}

void ari_leg_fail(struct ari_leg *leg)
{
	if (leg->is_hangup_asked)
		return;
	leg->has_failed = leg->is_hangup_asked = true;
	leg->hangup_cause = 38; /* network out of order */
	ari_queue_drop_leg(leg->ari, leg);
	send_hangup(leg);
}

/* ---- is it still there? ---- */

static void on_check_answer(struct ari *ari, const struct ari_request *request,
			    const struct ari_event *answer)
{
	struct ari_leg *leg = ari_leg_find(ari, request->leg);
	struct ari_channel channel;

	if (!leg)
		return;
	if (answer->status == 404) {
		ari_leg_lost(leg);
		return;
	}
	if (answer->status >= 300 || ari_channel_parse(answer->body, answer->body_length,
						       ari->config.app, &channel) != ST_OK)
		return;
	if (leg->is_hangup_asked)
		send_hangup(leg);
	else if (!channel.is_in_app && leg->stage == ARI_LEG_CREATING)
		ari_leg_fail(leg);
	else if (!channel.is_in_app)
		ari_leg_lost(leg); /* somebody has taken it out of our application */
}

static void on_check_due(void *arg)
{
	struct ari_leg *leg = arg;
	struct ari_request *request =
		ari_send(leg->ari, on_check_answer, NULL, "GET channels/%s", leg->channel);

	str_copy(request->leg, sizeof request->leg, leg->id);
}

void ari_leg_check_in(struct ari_leg *leg, unsigned ms)
{
	ari_timer_in(leg->ari, &leg->check_timer, on_check_due, leg, ms);
}

/* ---- outbound ---- */

/* The number and name that the called party sees are the new channel's connected line; a caller id
 * set in the usual way is not sent. */
static void write_caller(struct json_writer *w, const struct tel_leg_options *options)
{
	char name[TEL_NAME_SIZE], both[FROM_NAMES_SIZE];

	ari_clean_name(name, sizeof name, options->caller_name);
	if (options->caller_number[0]) {
		str_format(both, sizeof both, "\"%s\" <%s>", name, options->caller_number);
		jw_kv_text(w, "CONNECTEDLINE(all,i)", both);
	} else if (name[0]) {
		jw_kv_text(w, "CONNECTEDLINE(name,i)", name);
	}
	if (options->is_withheld)
		jw_kv_text(w, "CONNECTEDLINE(pres,i)", "prohib");
}

static void write_create(struct json_writer *w, const struct ari_leg *leg,
			 const struct tel_dest *dest, const struct tel_leg_options *options)
{
	const struct ari_config *config = &leg->ari->config;
	char endpoint[160], arguments[TEL_ID_SIZE + 8];

	if (dest->kind == TEL_DEST_STATION)
		str_format(endpoint, sizeof endpoint, "%s/%s", config->station_technology,
			   dest->value);
	else
		str_format(endpoint, sizeof endpoint, "PJSIP/%s@%s", dest->value, config->trunk);
	str_format(arguments, sizeof arguments, "out,%s", options->tag);
	jw_object(w);
	jw_kv_text(w, "endpoint", endpoint);
	jw_kv_text(w, "app", config->app);
	jw_kv_text(w, "appArgs", arguments);
	jw_kv_text(w, "channelId", leg->channel);
	jw_key(w, "variables");
	jw_object(w);
	write_caller(w, options);
	if (options->auto_answer) {
		jw_kv_text(w, "PJSIP_HEADER(add,Call-Info)", "<sip:calltab>;answer-after=0");
		jw_kv_text(w, "PJSIP_HEADER(add,Alert-Info)",
			   "<http://calltab>;info=alert-autoanswer");
	}
	jw_object_end(w);
	jw_object_end(w);
}

static bool is_station_online(struct ari *ari, const char *name)
{
	struct ari_station *station;

	HASH_FIND_STR(ari->stations, name, station);
	return station && station->is_online;
}

/* An unknown or unregistered endpoint and a lack of resources look the same: status 500,
 * "Allocation failed". */
void ari_leg_on_create_answer(struct ari *ari, const struct ari_request *request,
			      const struct ari_event *answer)
{
	struct ari_leg *leg = ari_leg_find(ari, request->leg);

	if (!leg || answer->status < 300)
		return;
	if (leg->is_hangup_asked)
		end(leg, TEL_CANCELLED, leg->hangup_cause, 0);
	else if (leg->station[0] && !is_station_online(ari, leg->station))
		end(leg, TEL_INVALID, 20, 0); /* subscriber absent */
	else
		end(leg, TEL_ERROR, 38, 0);
}

void ari_leg_start(struct ari *ari, uint32_t token, const char *id, const struct tel_dest *dest,
		   const struct tel_leg_options *options)
{
	struct ari_leg *leg = leg_create(ari, id, id);
	struct ari_mix *mix = options->mix[0] ? ari_mix_find(ari, options->mix) : NULL;
	struct json_writer body = {0};

	str_copy(leg->tag, sizeof leg->tag, options->tag);
	if (dest->kind == TEL_DEST_MEDIA) {
		ari_media_create(leg);
		ari_leg_check_in(leg, START_CHECK_MS);
		return;
	}
	if (dest->kind == TEL_DEST_STATION)
		str_copy(leg->station, sizeof leg->station, dest->value);
	write_create(&body, leg, dest, options);
	struct ari_request *request =
		ari_send(ari, ari_leg_on_create_answer, &body, "POST channels/create");
	str_copy(request->leg, sizeof request->leg, id);
	jw_done(&body);
	if (mix && !mix->is_freed)
		ari_queue_put(ari,
			      &(struct ari_op){
				      .kind = ARI_OP_ADD, .token = token, .leg = leg, .mix = mix});
	else if (options->mix[0])
		ari_tell_failure(ari, token, id, options->mix, "no such mix");
	ari_queue_put(ari, &(struct ari_op){.kind = ARI_OP_DIAL,
					    .token = token,
					    .leg = leg,
					    .timeout_s = options->timeout_s ? options->timeout_s
									    : RING_S});
	ari_leg_check_in(leg, START_CHECK_MS);
}

/* ---- inbound, and found again ---- */

static void turn_away(struct ari *ari, const char *channel)
{
	ari_send(ari, ari_ignore_answer, NULL, "DELETE channels/%s?reason=congestion", channel);
}

/* Only the former life knew whether it was dialed, and how long it may ring. */
static void on_found_overdue(void *arg)
{
	struct ari_leg *leg = arg;

	if (!leg->has_rung && leg->stage != ARI_LEG_UP)
		ari_leg_fail(leg);
	ari_flush(leg->ari);
}

struct ari_leg *ari_leg_found(struct ari *ari, const struct ari_channel *channel)
{
	char id[TEL_ID_SIZE];
	struct ari_leg *leg;

	if (channel->is_inbound ? !name_inbound(ari, channel->id, id)
				: !str_copy(id, sizeof id, channel->id) || !tel_is_id(id)) {
		turn_away(ari, channel->id);
		return NULL;
	}
	leg = leg_create(ari, id, channel->id);
	leg->is_inbound = channel->is_inbound;
	leg->is_in_stasis = leg->is_dialed = leg->is_seen = true;
	if (!channel->is_inbound && tel_is_id(channel->argument))
		str_copy(leg->tag, sizeof leg->tag, channel->argument);
	leg->stage = channel->is_inbound ? ARI_LEG_OFFERED : ARI_LEG_DIALING;
	if (channel->state == ARI_STATE_RINGING && !channel->is_inbound) {
		leg->stage = ARI_LEG_RINGING;
		leg->has_rung = leg->has_told_ringing = true;
	}
	if (channel->state == ARI_STATE_UP) {
		leg->stage = ARI_LEG_UP;
		leg->up_us = ari_now_us(ari);
	}
	leg->is_unoffered = leg->stage == ARI_LEG_OFFERED;
	if (leg->stage == ARI_LEG_DIALING)
		ari_timer_in(ari, &leg->check_timer, on_found_overdue, leg, RING_S * 1000);
	return leg;
}

void ari_leg_offer(struct ari *ari, const struct ari_channel *channel)
{
	struct tel_fact fact = {.kind = TEL_LEG_OFFERED};
	struct ari_leg *leg = ari_leg_of_channel(ari, channel->id);

	if (!leg)
		leg = ari_leg_found(ari, channel);
	if (!leg)
		return;
	leg->is_unoffered = false;
	if (tel_is_number(channel->argument))
		str_copy(fact.dnis, sizeof fact.dnis, channel->argument);
	str_copy(fact.number, sizeof fact.number, channel->number);
	str_copy(fact.name, sizeof fact.name, channel->name);
	str_copy(fact.redirected_from, sizeof fact.redirected_from, channel->redirected_from);
	ari_tell_leg(leg, fact);
}

static void on_state(struct ari_leg *leg, enum ari_channel_state state)
{
	if (state == ARI_STATE_RINGING)
		step(leg, RINGING);
	if (state == ARI_STATE_UP)
		step(leg, UP);
}

void ari_leg_refresh(struct ari_leg *leg, const struct ari_channel *channel, bool is_new_link)
{
	on_state(leg, channel->state);
	if (!is_new_link)
		return;
	leg->is_in_stasis = channel->is_in_app;
	if (leg->is_hangup_asked)
		send_hangup(leg);
	else if (leg->stage < ARI_LEG_RINGING && !leg->is_dialed)
		ari_leg_fail(leg); /* the link went while it was made: what came of it is unknown */
}

void ari_leg_is_in(struct ari_leg *leg, const char *mix)
{
	struct tel_fact fact = {.kind = TEL_LEG_LEFT};

	if (strcmp(leg->joined, mix) == 0)
		return;
	if (leg->joined[0]) {
		str_copy(fact.mix, sizeof fact.mix, leg->joined);
		ari_tell_leg(leg, fact);
	}
	str_copy(leg->joined, sizeof leg->joined, mix);
	if (!mix[0])
		return;
	fact.kind = TEL_LEG_JOINED;
	str_copy(fact.mix, sizeof fact.mix, mix);
	ari_tell_leg(leg, fact);
}

/* ---- events ---- */

static void on_stasis_start(struct ari *ari, const struct ari_channel *channel)
{
	if (channel->is_inbound)
		ari_leg_offer(ari, channel);
	else if (channel->is_in_app)
		turn_away(ari, channel->id); /* nobody here has asked for it */
}

static void on_unknown_channel(struct ari *ari, const struct ari_event *event)
{
	if (event->kind == ARI_EVENT_STASIS_START)
		on_stasis_start(ari, &event->channel);
	if (event->kind == ARI_EVENT_CHANNEL_DESTROYED)
		ari_sync_note_gone(ari, event->channel.id);
}

static void on_stasis_end(struct ari_leg *leg)
{
	leg->is_in_stasis = false;
	if (!leg->is_hangup_asked && !leg->has_hangup_request)
		ari_leg_check_in(leg, VANISH_CHECK_MS);
}

static void on_dial(struct ari_leg *leg, const char *status)
{
	if (strcmp(status, "RINGING") == 0)
		step(leg, RINGING);
	if (strcmp(status, "PROGRESS") == 0)
		step(leg, EARLY);
}

static void on_entered(struct ari_leg *leg, const char *bridge)
{
	if (ari_mix_find(leg->ari, bridge)) {
		if (!leg->mix[0])
			str_copy(leg->mix, sizeof leg->mix, bridge);
		ari_leg_is_in(leg, bridge);
	}
	ari_queue_on_moved(leg, bridge, true);
}

static void on_left(struct ari_leg *leg, const char *bridge)
{
	if (strcmp(leg->mix, bridge) == 0)
		leg->mix[0] = '\0';
	if (strcmp(leg->joined, bridge) == 0)
		ari_leg_is_in(leg, "");
	ari_queue_on_moved(leg, bridge, false);
}

static void on_digit(struct ari_leg *leg, const struct ari_event *event)
{
	struct tel_fact fact = {.kind = TEL_LEG_DIGIT, .digit_ms = event->duration_ms};

	fact.digits[0] = event->digit;
	if (tel_is_digits(fact.digits))
		ari_tell_leg(leg, fact);
}

void ari_leg_on_event(struct ari *ari, const struct ari_event *event)
{
	if (!event->channel.id[0])
		return;
	struct ari_leg *leg = ari_leg_of_channel(ari, event->channel.id);
	if (!leg) {
		on_unknown_channel(ari, event);
		return;
	}
	switch (event->kind) {
	case ARI_EVENT_STASIS_START:
		step(leg, IN_STASIS);
		break;
	case ARI_EVENT_STASIS_END:
		on_stasis_end(leg);
		break;
	case ARI_EVENT_CHANNEL_STATE:
		on_state(leg, event->channel.state);
		break;
	case ARI_EVENT_DIAL:
		on_dial(leg, event->dial_status);
		break;
	case ARI_EVENT_HANGUP_REQUEST:
		on_hangup_request(leg, event);
		break;
	case ARI_EVENT_CHANNEL_DESTROYED:
		ari_sync_note_gone(ari, event->channel.id);
		on_destroyed(leg, event);
		break;
	case ARI_EVENT_BRIDGE_ENTERED:
		on_entered(leg, event->bridge);
		break;
	case ARI_EVENT_BRIDGE_LEFT:
		on_left(leg, event->bridge);
		break;
	case ARI_EVENT_DTMF:
		on_digit(leg, event);
		break;
	case ARI_EVENT_HOLD:
	case ARI_EVENT_UNHOLD:
		ari_tell_leg(leg, (struct tel_fact){.kind = TEL_LEG_HELD,
						    .on = event->kind == ARI_EVENT_HOLD});
		break;
	default:
		break;
	}
}
