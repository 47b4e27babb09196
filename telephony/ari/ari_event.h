#pragma once
/* What Asterisk says, as plain facts: one message from the ARI socket (an event, or the answer to a
 * request) becomes one struct ari_event, and the bodies of the answers that we read become lists.
 * Pure: no state, no clock, nothing of the driver; fuzzed by tests/fuzz/ari_event_fuzz.c.
 *
 * Asterisk does not check what it sends: every field may be missing, too long or of another type.
 * Such a field counts as absent; texts meant for people are cut, and cleaned of control characters.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "telephony/driver.h"

enum ari_event_kind {
	ARI_EVENT_IGNORED, /* a kind of event that we do not need */
	ARI_EVENT_ANSWER,  /* request, status, body */
	ARI_EVENT_STASIS_START,
	ARI_EVENT_STASIS_END,
	ARI_EVENT_CHANNEL_STATE,     /* state */
	ARI_EVENT_DIAL,		     /* dial_status; the channel is the called one */
	ARI_EVENT_HANGUP_REQUEST,    /* is_soft, cause */
	ARI_EVENT_CHANNEL_DESTROYED, /* cause, tech_cause */
	ARI_EVENT_BRIDGE_ENTERED,    /* bridge */
	ARI_EVENT_BRIDGE_LEFT,
	ARI_EVENT_DTMF, /* digit, duration_ms */
	ARI_EVENT_HOLD,
	ARI_EVENT_UNHOLD,
	ARI_EVENT_PLAYBACK_ENDED, /* playback, is_done */
	ARI_EVENT_RECORD_BEGUN,	  /* record */
	ARI_EVENT_RECORD_ENDED,	  /* record, duration_ms */
	ARI_EVENT_ENDPOINT,	  /* technology, resource, is_online */
	ARI_EVENT_REPLACED,	  /* another client took over our application */
};

enum ari_channel_state {
	ARI_STATE_OTHER, /* Down, Rsrved, Ring (an inbound call that is not answered), ... */
	ARI_STATE_RINGING,
	ARI_STATE_UP,
};

struct ari_channel {
	char id[TEL_ID_SIZE]; /* "" when absent or longer than ours ever are */
	enum ari_channel_state state;
	bool is_in_app;		    /* in our Stasis application */
	bool is_inbound;	    /* came in through the dialplan: Stasis(app,inbound,<dnis>) */
	char argument[TEL_ID_SIZE]; /* second argument: the dnis, or the tag of a leg we made */
	char number[TEL_NUMBER_SIZE], name[TEL_NAME_SIZE]; /* of the caller */
	char redirected_from[TEL_NUMBER_SIZE];
};

struct ari_event {
	enum ari_event_kind kind;
	struct ari_channel channel;
	char bridge[TEL_ID_SIZE];
	char playback[TEL_ID_SIZE];
	char record[TEL_ID_SIZE];
	char technology[17], resource[TEL_ID_SIZE];
	char dial_status[17];
	char digit;
	unsigned duration_ms;
	int cause, tech_cause;
	bool is_soft, is_done, is_online;
	uint64_t request; /* 0 = none */
	int status;
	char *body; /* of an answer, "" when it has none; freed by ari_event_done() */
	size_t body_length;
};

/* app: the name of our application. ST_INVALID: the text is no JSON object; then *event is zero. */
enum status ari_event_parse(const char *text, size_t length, const char *app,
			    struct ari_event *event) MUST_USE;
void ari_event_done(struct ari_event *event);

/* Bodies of answers. ST_INVALID when the JSON is not what it should be. */
struct ari_info {
	char version[33]; /* "22.10.1" */
	int64_t epoch;	  /* when it was started, milliseconds since 1970 */
};
enum status ari_info_parse(const char *body, size_t length, struct ari_info *info) MUST_USE;

typedef void (*ari_channel_fn)(void *user, const struct ari_channel *channel);
enum status ari_channels_parse(const char *body, size_t length, const char *app,
			       ari_channel_fn each, void *user) MUST_USE;
/* One channel alone, as GET channels/{id} gives it. */
enum status ari_channel_parse(const char *body, size_t length, const char *app,
			      struct ari_channel *channel) MUST_USE;

/* The answer to externalMedia: by what name the channel's socket is known. */
enum status ari_media_parse(const char *body, size_t length, char ret[TEL_ID_SIZE]) MUST_USE;

struct ari_bridge {
	char id[TEL_ID_SIZE];
	bool is_ours; /* made by this application: bridges carry its name */
	bool is_empty;
};
/* each is called for every bridge; each_member (may be NULL) for every channel in it. */
typedef void (*ari_bridge_fn)(void *user, const struct ari_bridge *bridge);
typedef void (*ari_member_fn)(void *user, const char *bridge, const char *channel);
enum status ari_bridges_parse(const char *body, size_t length, const char *app, ari_bridge_fn each,
			      ari_member_fn each_member, void *user) MUST_USE;

typedef void (*ari_endpoint_fn)(void *user, const char *technology, const char *resource,
				bool is_online);
enum status ari_endpoints_parse(const char *body, size_t length, ari_endpoint_fn each,
				void *user) MUST_USE;

/* Why a request failed, in Asterisk's words: {"message":...} or {"error":...}; else "". */
void ari_reason_parse(const char *body, size_t length, char *reason, size_t size);

/* "2026-11-22T15:07:05.831+0000" to milliseconds since 1970; false when it is something else. */
bool ari_time_parse(const char *text, int64_t *ret_ms);
/* "22.10.1+dfsg" is not below {22, 10, 1}. */
bool ari_version_is_supported(const char *version);
/* Without quotes, angle brackets, backslashes and control characters: fit to stand in a SIP header,
 * where Asterisk would put it unchecked. */
void ari_clean_name(char *ret, size_t size, const char *name);
