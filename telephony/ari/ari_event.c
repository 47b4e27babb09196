#include "telephony/ari/ari_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"

#define NUMBER_CHARACTERS "+0123456789*#"

static const int oldest_version[3] = {22, 10, 1};

/* ---- fields: what is absent, of another type or too long stays "" or 0 ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int int_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value >= 0 && value <= 1000000 ? (int)value : 0;
}

static void copy_number(char ret[TEL_NUMBER_SIZE], const char *text)
{
	if (tel_is_number(text))
		str_copy(ret, TEL_NUMBER_SIZE, text);
}

/* The length of a character that no display and no header should get: C0, DEL, C1 and the marks
 * that turn the direction of writing; 0 for all others. */
static size_t unwanted_length(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;

	if (c[0] < 0x20 || c[0] == 0x7f)
		return 1;
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	if (c[0] == 0xe2 && c[1] == 0x80 &&
	    ((c[2] >= 0x8e && c[2] <= 0x8f) || (c[2] >= 0xa8 && c[2] <= 0xae)))
		return 3;
	if (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)
		return 3;
	return 0;
}

static void copy_clean(char *ret, size_t size, const char *text, const char *also_unwanted)
{
	auto_free char *clean = xmalloc(strlen(text) + 1);
	size_t length = 0;

	while (*text) {
		size_t skip = unwanted_length(text);
		if (!skip && strchr(also_unwanted, *text))
			skip = 1;
		if (skip)
			text += skip;
		else
			clean[length++] = *text++;
	}
	clean[length] = '\0';
	str_copy_cut(ret, size, clean);
}

void ari_clean_name(char *ret, size_t size, const char *name)
{
	copy_clean(ret, size, name, "\"\\<>");
}

/* ---- channels ---- */

static enum ari_channel_state state_of(const char *word)
{
	if (strcmp(word, "Up") == 0)
		return ARI_STATE_UP;
	return strcmp(word, "Ringing") == 0 ? ARI_STATE_RINGING : ARI_STATE_OTHER;
}

/* "calltab,inbound,+18005550100": the application and its arguments, as the dialplan or we gave
 * them. */
static void read_app_data(const char *data, const char *app, struct ari_channel *channel)
{
	size_t length = strlen(app);

	if (strncmp(data, app, length) != 0 || (data[length] && data[length] != ','))
		return;
	channel->is_in_app = true;
	const char *first = data[length] ? data + length + 1 : "";
	size_t first_length = strcspn(first, ",");
	channel->is_inbound =
		first_length == strlen("inbound") && strncmp(first, "inbound", first_length) == 0;
	const char *second = first[first_length] ? first + first_length + 1 : "";
	str_format(channel->argument, sizeof channel->argument, "%.*s", (int)strcspn(second, ","),
		   second);
}

static void read_channel(const json_t *object, const char *app, struct ari_channel *channel)
{
	const json_t *dialplan = json_object_get(object, "dialplan");
	const json_t *caller = json_object_get(object, "caller");

	*channel = (struct ari_channel){.state = state_of(text_of(object, "state"))};
	str_copy(channel->id, sizeof channel->id, text_of(object, "id"));
	if (strcmp(text_of(dialplan, "app_name"), "Stasis") == 0)
		read_app_data(text_of(dialplan, "app_data"), app, channel);
	if (!channel->argument[0] && channel->is_inbound)
		str_copy(channel->argument, sizeof channel->argument, text_of(dialplan, "exten"));
	copy_number(channel->number, text_of(caller, "number"));
	copy_clean(channel->name, sizeof channel->name, text_of(caller, "name"), "");
	copy_number(channel->redirected_from, text_of(object, "caller_rdnis"));
}

/* ---- events ---- */

static void read_hangup(const json_t *object, struct ari_event *event)
{
	event->cause = int_of(object, "cause");
	event->tech_cause = int_of(object, "tech_cause");
	event->is_soft = json_is_true(json_object_get(object, "soft"));
}

static void read_digit(const json_t *object, struct ari_event *event)
{
	const char *digit = text_of(object, "digit");

	if (digit[0] && !digit[1])
		event->digit = digit[0];
	event->duration_ms = (unsigned)int_of(object, "duration_ms");
}

static void read_endpoint(const json_t *object, struct ari_event *event)
{
	const json_t *endpoint = json_object_get(object, "endpoint");

	str_copy(event->technology, sizeof event->technology, text_of(endpoint, "technology"));
	str_copy(event->resource, sizeof event->resource, text_of(endpoint, "resource"));
	event->is_online = strcmp(text_of(endpoint, "state"), "online") == 0;
}

static void read_playback(const json_t *object, struct ari_event *event)
{
	const json_t *playback = json_object_get(object, "playback");

	str_copy(event->playback, sizeof event->playback, text_of(playback, "id"));
	event->is_done = strcmp(text_of(playback, "state"), "done") == 0;
}

/* Asterisk counts whole seconds. */
static void read_record(const json_t *object, struct ari_event *event)
{
	const json_t *record = json_object_get(object, "recording");

	str_copy(event->record, sizeof event->record, text_of(record, "name"));
	event->duration_ms = (unsigned)int_of(record, "duration") * 1000;
}

static void read_dial(const json_t *object, struct ari_event *event)
{
	str_copy(event->dial_status, sizeof event->dial_status, text_of(object, "dialstatus"));
}

static void read_answer(const json_t *object, struct ari_event *event)
{
	const json_t *body = json_object_get(object, "message_body");

	event->request = strtoull(text_of(object, "request_id"), NULL, 10);
	event->status = int_of(object, "status_code");
	event->body = xstrdup(json_is_string(body) ? json_string_value(body) : "");
	event->body_length = strlen(event->body);
}

struct kind_row {
	const char *type;
	enum ari_event_kind kind;
	void (*read)(const json_t *object, struct ari_event *event);
};

static const struct kind_row kinds[] = {
	{"RESTResponse", ARI_EVENT_ANSWER, read_answer},
	{"StasisStart", ARI_EVENT_STASIS_START, NULL},
	{"StasisEnd", ARI_EVENT_STASIS_END, NULL},
	{"ChannelStateChange", ARI_EVENT_CHANNEL_STATE, NULL},
	{"Dial", ARI_EVENT_DIAL, read_dial},
	{"ChannelHangupRequest", ARI_EVENT_HANGUP_REQUEST, read_hangup},
	{"ChannelDestroyed", ARI_EVENT_CHANNEL_DESTROYED, read_hangup},
	{"ChannelEnteredBridge", ARI_EVENT_BRIDGE_ENTERED, NULL},
	{"ChannelLeftBridge", ARI_EVENT_BRIDGE_LEFT, NULL},
	{"ChannelDtmfReceived", ARI_EVENT_DTMF, read_digit},
	{"ChannelHold", ARI_EVENT_HOLD, NULL},
	{"ChannelUnhold", ARI_EVENT_UNHOLD, NULL},
	{"PlaybackFinished", ARI_EVENT_PLAYBACK_ENDED, read_playback},
	{"RecordingStarted", ARI_EVENT_RECORD_BEGUN, read_record},
	{"RecordingFinished", ARI_EVENT_RECORD_ENDED, read_record},
	{"RecordingFailed", ARI_EVENT_RECORD_ENDED, read_record},
	{"PeerStatusChange", ARI_EVENT_ENDPOINT, read_endpoint},
	{"ContactStatusChange", ARI_EVENT_ENDPOINT, read_endpoint},
	{"EndpointStateChange", ARI_EVENT_ENDPOINT, read_endpoint},
	{"ApplicationReplaced", ARI_EVENT_REPLACED, NULL},
};

static const struct kind_row *find_kind(const char *type)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

static void read_event(const json_t *object, const char *app, struct ari_event *event)
{
	const struct kind_row *row = find_kind(text_of(object, "type"));

	if (!row)
		return;
	event->kind = row->kind;
	const char *channel = row->kind == ARI_EVENT_DIAL ? "peer" : "channel";
	read_channel(json_object_get(object, channel), app, &event->channel);
	str_copy(event->bridge, sizeof event->bridge,
		 text_of(json_object_get(object, "bridge"), "id"));
	if (row->read)
		row->read(object, event);
}

enum status ari_event_parse(const char *text, size_t length, const char *app,
			    struct ari_event *event)
{
	auto_json json_t *object = NULL;

	*event = (struct ari_event){.kind = ARI_EVENT_IGNORED};
	if (json_parse(text, length, &json_limits_switch, &object, NULL) != ST_OK)
		return ST_INVALID;
	read_event(object, app, event);
	return ST_OK;
}

void ari_event_done(struct ari_event *event)
{
	free(event->body);
	event->body = NULL;
}

/* ---- bodies of answers ---- */

static json_t *load(const char *body, size_t length, json_type type)
{
	json_t *value = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);

	if (value && json_typeof(value) == type)
		return value;
	json_decref(value);
	return NULL;
}

enum status ari_info_parse(const char *body, size_t length, struct ari_info *info)
{
	auto_json json_t *object = load(body, length, JSON_OBJECT);
	struct ari_info found = {.epoch = 0};
	const char *version = text_of(json_object_get(object, "system"), "version");
	const char *started = text_of(json_object_get(object, "status"), "startup_time");

	if (!str_format(found.version, sizeof found.version, "%.*s",
			(int)strspn(version, "0123456789."), version) ||
	    !found.version[0] || !ari_time_parse(started, &found.epoch))
		return ST_INVALID;
	*info = found;
	return ST_OK;
}

enum status ari_media_parse(const char *body, size_t length, char ret[TEL_ID_SIZE])
{
	auto_json json_t *object = load(body, length, JSON_OBJECT);
	const char *name =
		text_of(json_object_get(object, "channelvars"), "MEDIA_WEBSOCKET_CONNECTION_ID");

	return tel_is_id(name) && str_copy(ret, TEL_ID_SIZE, name) ? ST_OK : ST_INVALID;
}

enum status ari_channels_parse(const char *body, size_t length, const char *app,
			       ari_channel_fn each, void *user)
{
	auto_json json_t *list = load(body, length, JSON_ARRAY);
	struct ari_channel channel;
	const json_t *item;
	size_t i;

	if (!list)
		return ST_INVALID;
	json_array_foreach(list, i, item)
	{
		read_channel(item, app, &channel);
		if (channel.id[0])
			each(user, &channel);
	}
	return ST_OK;
}

enum status ari_channel_parse(const char *body, size_t length, const char *app,
			      struct ari_channel *channel)
{
	auto_json json_t *object = load(body, length, JSON_OBJECT);

	if (!object)
		return ST_INVALID;
	read_channel(object, app, channel);
	return ST_OK;
}

enum status ari_bridges_parse(const char *body, size_t length, const char *app, ari_bridge_fn each,
			      ari_member_fn each_member, void *user)
{
	auto_json json_t *list = load(body, length, JSON_ARRAY);
	const json_t *item, *member;
	size_t i, j;

	if (!list)
		return ST_INVALID;
	json_array_foreach(list, i, item)
	{
		const json_t *members = json_object_get(item, "channels");
		struct ari_bridge bridge = {.is_empty = json_array_size(members) == 0};
		str_copy(bridge.id, sizeof bridge.id, text_of(item, "id"));
		bridge.is_ours = strcmp(text_of(item, "name"), app) == 0 &&
				 strcmp(text_of(item, "bridge_class"), "stasis") == 0;
		if (!bridge.id[0])
			continue;
		each(user, &bridge);
		json_array_foreach(members, j, member)
		{
			if (each_member && json_is_string(member))
				each_member(user, bridge.id, json_string_value(member));
		}
	}
	return ST_OK;
}

enum status ari_endpoints_parse(const char *body, size_t length, ari_endpoint_fn each, void *user)
{
	auto_json json_t *list = load(body, length, JSON_ARRAY);
	const json_t *item;
	size_t i;

	if (!list)
		return ST_INVALID;
	json_array_foreach(list, i, item)
	{
		each(user, text_of(item, "technology"), text_of(item, "resource"),
		     strcmp(text_of(item, "state"), "online") == 0);
	}
	return ST_OK;
}

void ari_reason_parse(const char *body, size_t length, char *reason, size_t size)
{
	auto_json json_t *object = load(body, length, JSON_OBJECT);
	const char *message = text_of(object, "message");

	copy_clean(reason, size, message[0] ? message : text_of(object, "error"), "");
}

/* ---- small texts ---- */

bool ari_time_parse(const char *text, int64_t *ret_ms)
{
	struct tm tm = {.tm_isdst = 0};
	int ms = 0, zone_h = 0, zone_m = 0;
	char sign = '+';

	int fields = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c%2d%2d", &tm.tm_year, &tm.tm_mon,
			    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms, &sign, &zone_h,
			    &zone_m);
	if (fields != 10 || (sign != '+' && sign != '-'))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t offset_s = (int64_t)zone_h * 3600 + (int64_t)zone_m * 60;
	*ret_ms = ((int64_t)timegm(&tm) - (sign == '+' ? offset_s : -offset_s)) * 1000 + ms;
	return true;
}

bool ari_version_is_supported(const char *version)
{
	int parts[3] = {0, 0, 0};

	if (sscanf(version, "%5d.%5d.%5d", &parts[0], &parts[1], &parts[2]) < 1)
		return false;
	for (int i = 0; i < 3; i++)
		if (parts[i] != oldest_version[i])
			return parts[i] > oldest_version[i];
	return true;
}
