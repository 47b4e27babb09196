#include "db/record_rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

/* Every text of a call_view and an agent_view, and the few numbers, fit many times. */
#define PACK_SIZE 8192

enum row { ROW_CALL, ROW_EVENT_CLOSE, ROW_EVENT, ROW_RESULT, ROW_AGENT };

const char *const record_statements[] = {
	[ROW_CALL] = "dialer_call_upsert",  [ROW_EVENT_CLOSE] = "event_close",
	[ROW_EVENT] = "event_insert",	    [ROW_RESULT] = "result_insert",
	[ROW_AGENT] = "agent_state_update", NULL,
};

/* Packed: per row its enum, the number of values, then per value 'v' and the text with its NUL, or
 * '0'. */
struct pack {
	char data[PACK_SIZE];
	size_t size;
	size_t count_at; /* where the open row's number of values stands */
};

static void put_byte(struct pack *pack, unsigned char byte)
{
	assert(pack->size < PACK_SIZE);
	pack->data[pack->size++] = (char)byte;
}

static void put_row(struct pack *pack, enum row row)
{
	put_byte(pack, (unsigned char)row);
	pack->count_at = pack->size;
	put_byte(pack, 0);
}

static void put_null(struct pack *pack)
{
	pack->data[pack->count_at]++;
	put_byte(pack, '0');
}

/* One bad byte from a telephone must not make the record unwritable. */
static void put_text(struct pack *pack, const char *text)
{
	size_t left = strlen(text);

	pack->data[pack->count_at]++;
	put_byte(pack, 'v');
	while (left > 0) {
		size_t length = str_utf8_char(text, left);
		if (length == 0) {
			put_byte(pack, '?');
			length = 1;
		} else {
			for (size_t i = 0; i < length; i++)
				put_byte(pack, (unsigned char)text[i]);
		}
		text += length;
		left -= length;
	}
	put_byte(pack, '\0');
}

static void put_int(struct pack *pack, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	put_text(pack, text);
}

static void put_bool(struct pack *pack, bool value)
{
	put_text(pack, value ? "t" : "f");
}

static void put_uuid(struct pack *pack, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE];

	if (uuid_is_nil(uuid))
		put_null(pack);
	else
		put_text(pack, uuid_format(uuid, text));
}

static void put_time(struct pack *pack, int64_t unix_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (unix_ms == 0) {
		put_null(pack);
		return;
	}
	clock_format(text, unix_ms, true);
	put_text(pack, text);
}

static void put_party(struct pack *pack, const struct party_view *party)
{
	put_text(pack, party->name);
	put_text(pack, party->type);
	put_text(pack, party->id);
}

static void put_call(struct pack *pack, const struct record *record, uint64_t number,
		     const struct uuid *writer_id)
{
	const struct call_view *call = &record->call;

	put_row(pack, ROW_CALL);
	put_uuid(pack, &call->dialer_call_id);
	put_uuid(pack, &call->tenant_id);
	put_text(pack, call->campaign);
	put_party(pack, &call->to);
	put_party(pack, &call->from);
	put_text(pack, call->phone);
	put_text(pack, direction_word(call->direction));
	put_text(pack, dialer_status_word(call->dialer_status));
	put_uuid(pack, &call->agent_id);
	put_uuid(pack, &call->phone_call_id);
	put_int(pack, call->counters.calls);
	put_int(pack, call->counters.no_answers);
	put_int(pack, call->counters.busies);
	put_int(pack, call->counters.connects);
	put_int(pack, call->counters.aborts);
	put_bool(pack, call->counters.did_connect);
	put_text(pack, call->dnis);
	put_time(pack, call->retry_at_ms);
	put_bool(pack, call->is_callback);
	put_uuid(pack, &call->call_id);
	put_int(pack, call->version);
	put_uuid(pack, writer_id);
	put_int(pack, (int64_t)number);
	put_time(pack, call->started_at_ms ? call->started_at_ms : record->at_ms);
	put_time(pack, record->at_ms);
}

static void put_event_close(struct pack *pack, const struct record *record)
{
	put_row(pack, ROW_EVENT_CLOSE);
	put_uuid(pack, &record->closed_event_id);
	put_int(pack, record->closed_duration_ms);
}

static void put_event(struct pack *pack, const struct record *record)
{
	const struct call_view *call = &record->call;

	put_row(pack, ROW_EVENT);
	put_uuid(pack, &record->event_id);
	put_uuid(pack, &call->tenant_id);
	put_uuid(pack, &call->dialer_call_id);
	put_uuid(pack, &call->call_id);
	put_text(pack, record->event_name);
	put_text(pack, direction_word(call->direction));
	put_text(pack, call->phone);
	if (record->is_event_instant)
		put_int(pack, 0);
	else
		put_null(pack);
	put_text(pack, actor_word(call->actor));
	put_text(pack, call->reason);
	put_int(pack, call->cause);
	put_time(pack, record->event_at_ms ? record->event_at_ms : record->at_ms);
}

static void put_result(struct pack *pack, const struct record *record)
{
	const struct call_view *call = &record->call;

	put_row(pack, ROW_RESULT);
	put_uuid(pack, &record->result_id);
	put_uuid(pack, &call->tenant_id);
	put_uuid(pack, &call->dialer_call_id);
	put_uuid(pack, &call->call_id);
	put_uuid(pack, &call->agent_id);
	put_text(pack, direction_word(call->direction));
	put_text(pack, call->phone);
	put_text(pack, record->result);
	put_bool(pack, record->is_result_automatic);
	put_text(pack, call->campaign);
	put_text(pack, record->comment);
	put_time(pack, record->at_ms);
}

static void put_agent(struct pack *pack, const struct record *record, uint64_t number,
		      const struct uuid *writer_id)
{
	const struct agent_view *agent = &record->agent;

	put_row(pack, ROW_AGENT);
	put_uuid(pack, &agent->agent_id);
	put_uuid(pack, &agent->tenant_id);
	put_text(pack, agent_state_word(agent->state));
	put_text(pack, agent->reason);
	put_time(pack, agent->state_at_ms ? agent->state_at_ms : record->at_ms);
	put_uuid(pack, writer_id);
	put_int(pack, (int64_t)number);
}

struct record_rows *record_rows_make(const struct record *record, uint64_t number,
				     const struct uuid *writer_id)
{
	struct pack pack;

	pack.size = 0;
	/* The dialer call first: events and results refer to it. */
	if (record->has & RECORD_CALL)
		put_call(&pack, record, number, writer_id);
	if (record->has & RECORD_EVENT_CLOSE)
		put_event_close(&pack, record);
	if (record->has & RECORD_EVENT_OPEN)
		put_event(&pack, record);
	if (record->has & RECORD_RESULT)
		put_result(&pack, record);
	if (record->has & RECORD_AGENT)
		put_agent(&pack, record, number, writer_id);

	struct record_rows *rows = xmalloc(sizeof(*rows) + pack.size);
	*rows = (struct record_rows){.number = number, .size = pack.size};
	memcpy(rows->data, pack.data, pack.size);
	return rows;
}

bool record_rows_next(const struct record_rows *rows, size_t *at, struct record_row *ret)
{
	const char *from = rows->data + *at;

	if (*at >= rows->size)
		return false;
	ret->statement = record_statements[(unsigned char)*from++];
	ret->count = (unsigned char)*from++;
	for (unsigned i = 0; i < ret->count; i++) {
		bool is_null = *from++ == '0';
		ret->values[i] = is_null ? NULL : from;
		if (!is_null)
			from += strlen(from) + 1;
	}
	*at = (size_t)(from - rows->data);
	return true;
}
