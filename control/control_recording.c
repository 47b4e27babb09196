/* Recordings: their names, their rows, and what the tab is told of them. A part's row is written
 * when the switch has begun it and again when it has ended it, which may be after the call: the row
 * is found by its name, which begins with the dialer call's id. */
#include "control/control_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"

#define TIME_SIZE 40

/* <dialer call>_<second in which it was begun>-<part> */
static void make_name(const struct control *control, const struct live_call *call,
		      char ret[TEL_ID_SIZE])
{
	char id[UUID_TEXT_SIZE], time[TIME_SIZE], digits[TIME_SIZE];
	size_t length = 0;

	clock_format(time, control_now_ms(control), false);
	for (const char *at = time; *at; at++)
		if (*at != '-' && *at != ':')
			digits[length++] = *at;
	digits[length] = '\0';
	str_format(ret, TEL_ID_SIZE, "%s_%s-1", uuid_format(&call->call.view.dialer_call_id, id),
		   digits);
}

enum status control_record(struct control *control, struct live_call *call, struct err *err)
{
	char name[TEL_ID_SIZE];
	enum status status;

	make_name(control, call, name);
	status = telephony_record(control->telephony, call->line, name, err);
	if (status == ST_OK)
		str_copy(call->recording, sizeof(call->recording), name);
	return status;
}

static struct live_call *find_call(struct control *control, const char *text)
{
	struct live_call *call = NULL;
	struct uuid id;

	if (uuid_parse(text, &id))
		HASH_FIND(by_id, control->calls, &id, sizeof(id), call);
	return call;
}

static bool dialer_call_of(const char *recording, struct uuid *ret)
{
	char id[UUID_TEXT_SIZE];

	str_copy_cut(id, sizeof(id), recording);
	return uuid_parse(id, ret);
}

static void fill(struct control *control, const struct tel_call_fact *fact,
		 const struct live_call *call, struct record *record)
{
	struct record_recording *recording = &record->recording;

	record->at_ms = control_now_ms(control);
	record->has = RECORD_RECORDING;
	recording->tenant_id = control->config.tenant_id;
	str_copy_cut(recording->name, sizeof(recording->name), fact->recording);
	str_format(recording->location, sizeof(recording->location), "%s:recording/%s.wav",
		   telephony_driver_name(control->telephony), fact->recording);
	uuid_parse(fact->call, &recording->call_id);
	if (call && call->agent)
		recording->agent_id = call->agent->setup.agent_id;
}

void control_recording_begun(struct control *control, const struct tel_call_fact *fact)
{
	struct live_call *call = find_call(control, fact->call);
	struct record *record = xcalloc(1, sizeof(*record));
	uint64_t number;

	fill(control, fact, call, record);
	record->recording.begun_at_ms = record->at_ms;
	if (call) {
		str_copy_cut(call->recording, sizeof(call->recording), fact->recording);
		control_fill_live(call, record);
	}
	if (dialer_call_of(fact->recording, &record->recording.dialer_call_id) &&
	    control_append(control, record, &number) && call)
		call->last_record = number;
	free(record);
}

static void tell_failure(struct control *control, const struct live_call *call)
{
	log_warn("a recording failed", "agent=%s tab=%d",
		 call->agent ? call->agent->setup.login : "-", call->call.view.tab);
	if (call->agent)
		control_notice(control, &call->agent->setup.agent_id, "recording.failed",
			       "the switch does not record the call");
}

void control_recording_ended(struct control *control, const struct tel_call_fact *fact)
{
	struct live_call *call = find_call(control, fact->call);
	struct call_event event = control_event(control, EV_RECORD_OVER, ACTOR_SWITCH, NULL);
	struct record *record = xcalloc(1, sizeof(*record));
	uint64_t number;

	fill(control, fact, call, record);
	record->recording.ended_at_ms = record->at_ms;
	record->recording.duration_ms = fact->length_ms ? (int64_t)fact->length_ms : -1;
	str_copy_cut(record->recording.result, sizeof(record->recording.result), fact->text);
	control_append(control, record, &number);
	free(record);
	if (!call || fact->on || call->call.view.recording == RECORDING_OFF)
		return;
	tell_failure(control, call);
	control_apply(control, call, &event, NULL, NULL);
}
