#include "db/drain_rows.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "db/drain_array.h"

enum kind {
	KIND_CALL,
	KIND_EVENT,
	KIND_CLOSE,
	KIND_RESULT,
	KIND_AGENT,
	KIND_RECORDING,
	KIND_RECORDED,
	KIND_COUNT
};

const char *const drain_statements[] = {
	[KIND_CALL] = "dialer_call_upsert",  [KIND_EVENT] = "event_insert",
	[KIND_CLOSE] = "event_close",	     [KIND_RESULT] = "result_insert",
	[KIND_AGENT] = "agent_state_update", [KIND_RECORDING] = "recording_insert",
	[KIND_RECORDED] = "recording_end",   NULL,
};

/* A row as it is planned: which record it is made of, and what others have added. */
struct plan {
	const struct record *record;
	const struct record *first; /* CALL: the first of the same presentation */
	unsigned round;		    /* CALL: rows of one round are one statement */
	bool is_closed;		    /* EVENT, CLOSE */
	int64_t duration_ms;
};

struct plans {
	struct plan *list;
	unsigned count, room;
};

#define NOWHERE UINT_MAX

/* Keys to places in a list. */
struct key_map {
	struct {
		const struct uuid *key;
		unsigned place;
	} * slots;
	unsigned size; /* a power of two */
};

struct drain_rows {
	struct uuid writer_id;
	struct plans plans[KIND_COUNT];
	struct key_map calls, events, closes, agents;
	struct drain_array arrays[DRAIN_PARAMS_MAX];
	unsigned column; /* the next to be filled of the row */
	unsigned rounds; /* of calls */
	enum kind kind;	 /* the next statement */
	unsigned round;
};

/* --- keys --- */

static void map_clear(struct key_map *map, unsigned count)
{
	unsigned size = 64;

	while (size < 2 * count)
		size *= 2;
	if (size > map->size) {
		map->slots = xrealloc(map->slots, size * sizeof(map->slots[0]));
		map->size = size;
	}
	memset(map->slots, 0, map->size * sizeof(map->slots[0]));
}

/* Where its place is kept; NULL when it is not there and is not to be added. */
static unsigned *map_find(struct key_map *map, const struct uuid *key, bool is_added)
{
	uint64_t hash;

	/* the end of a key is random */
	memcpy(&hash, key->bytes + 8, sizeof(hash));
	unsigned at = (unsigned)((hash ^ hash >> 32) * 2654435761u) & (map->size - 1);
	for (; map->slots[at].key; at = (at + 1) & (map->size - 1))
		if (uuid_equal(map->slots[at].key, key))
			return &map->slots[at].place;
	if (!is_added)
		return NULL;
	map->slots[at].key = key;
	map->slots[at].place = NOWHERE;
	return &map->slots[at].place;
}

/* --- planning --- */

static void plan_add(struct plans *plans, struct plan plan)
{
	if (plans->count == plans->room) {
		plans->room = plans->room ? plans->room * 2 : 64;
		plans->list = xrealloc(plans->list, plans->room * sizeof(plans->list[0]));
	}
	plans->list[plans->count++] = plan;
}

/* Written one after the other they would give the same row as the newer one alone. */
static bool can_stand_for(const struct record *newer, const struct plan *older)
{
	const struct call_view *now = &newer->call, *then = &older->record->call;

	return uuid_equal(&now->call_id, &then->call_id) &&
	       uuid_equal(&now->tenant_id, &then->tenant_id) &&
	       (!uuid_is_nil(&older->first->call.phone_call_id) ||
		uuid_is_nil(&now->phone_call_id));
}

static void plan_call(struct drain_rows *rows, const struct record *record)
{
	struct plans *plans = &rows->plans[KIND_CALL];
	unsigned *at = map_find(&rows->calls, &record->call.dialer_call_id, true);
	unsigned round = 0;

	if (*at != NOWHERE && can_stand_for(record, &plans->list[*at])) {
		plans->list[*at].record = record;
		return;
	}
	if (*at != NOWHERE)
		round = plans->list[*at].round + 1;
	if (round >= rows->rounds)
		rows->rounds = round + 1;
	*at = plans->count;
	plan_add(plans, (struct plan){.record = record, .first = record, .round = round});
}

/* The first with a key is the one that counts, as it would in the table. */
static void plan_event(struct drain_rows *rows, const struct record *record)
{
	struct plans *plans = &rows->plans[KIND_EVENT];
	unsigned *at = map_find(&rows->events, &record->event_id, true);

	if (*at != NOWHERE)
		return;
	*at = plans->count;
	plan_add(plans, (struct plan){.record = record, .is_closed = record->is_event_instant});
}

static void plan_close(struct drain_rows *rows, const struct record *record)
{
	struct plans *events = &rows->plans[KIND_EVENT], *closes = &rows->plans[KIND_CLOSE];
	int64_t duration_ms = record->closed_duration_ms > 0 ? record->closed_duration_ms : 0;
	unsigned *event = map_find(&rows->events, &record->closed_event_id, false);
	unsigned *close;

	if (event) {
		struct plan *plan = &events->list[*event];
		plan->duration_ms = plan->is_closed ? plan->duration_ms : duration_ms;
		plan->is_closed = true;
		return;
	}
	close = map_find(&rows->closes, &record->closed_event_id, true);
	if (*close != NOWHERE)
		return;
	*close = closes->count;
	plan_add(closes, (struct plan){.record = record, .duration_ms = duration_ms});
}

static void plan_agent(struct drain_rows *rows, const struct record *record)
{
	struct plans *plans = &rows->plans[KIND_AGENT];
	unsigned *at = map_find(&rows->agents, &record->agent.agent_id, true);

	if (*at != NOWHERE) {
		plans->list[*at].record = record;
		return;
	}
	*at = plans->count;
	plan_add(plans, (struct plan){.record = record});
}

bool drain_has_rows(unsigned has)
{
	const unsigned parts = RECORD_CALL | RECORD_EVENT_CLOSE | RECORD_EVENT_OPEN |
			       RECORD_RESULT | RECORD_AGENT | RECORD_RECORDING;

	return (has & parts) && !(has & RECORD_COPY);
}

/* In the order of the parts of one record: the event before ends, then the next begins. */
static void plan_record(struct drain_rows *rows, const struct record *record)
{
	if (!drain_has_rows(record->has))
		return;
	if (record->has & RECORD_CALL)
		plan_call(rows, record);
	if (record->has & RECORD_EVENT_CLOSE)
		plan_close(rows, record);
	if (record->has & RECORD_EVENT_OPEN)
		plan_event(rows, record);
	if (record->has & RECORD_RESULT)
		plan_add(&rows->plans[KIND_RESULT], (struct plan){.record = record});
	if (record->has & RECORD_AGENT)
		plan_agent(rows, record);
	if (record->has & RECORD_RECORDING)
		plan_add(&rows->plans[record->recording.ended_at_ms ? KIND_RECORDED
								    : KIND_RECORDING],
			 (struct plan){.record = record});
}

void drain_rows_begin(struct drain_rows *rows, const struct record *records, unsigned count,
		      const struct uuid *writer_id)
{
	rows->writer_id = *writer_id;
	rows->rounds = rows->round = 0;
	rows->kind = KIND_CALL;
	for (int i = 0; i < KIND_COUNT; i++)
		rows->plans[i].count = 0;
	map_clear(&rows->calls, count);
	map_clear(&rows->events, count);
	map_clear(&rows->closes, count);
	map_clear(&rows->agents, count);
	for (unsigned i = 0; i < count; i++)
		plan_record(rows, &records[i]);
}

/* --- rows --- */

/* The array of the row's next column, empty when this is the statement's first row. */
static struct drain_array *next(struct drain_rows *rows, struct drain_statement *statement,
				enum array_type type)
{
	struct drain_array *array = &rows->arrays[rows->column++];

	if (statement->rows == 0)
		drain_array_begin(array, type);
	return array;
}

#define UUID(value)   drain_array_uuid(next(rows, to, ARRAY_UUID), value)
#define TEXT(value)   drain_array_text(next(rows, to, ARRAY_TEXT), value)
#define INT(value)    drain_array_int(next(rows, to, ARRAY_INT), value)
#define BIGINT(value) drain_array_bigint(next(rows, to, ARRAY_BIGINT), value)
#define BOOL(value)   drain_array_bool(next(rows, to, ARRAY_BOOL), value)
#define TIME(value)   drain_array_time(next(rows, to, ARRAY_TIME), value)

static int64_t first_of(int64_t time_ms, int64_t otherwise_ms)
{
	return time_ms ? time_ms : otherwise_ms;
}

static void put_call(struct drain_rows *rows, struct drain_statement *to, const struct plan *plan)
{
	const struct record *record = plan->record, *first = plan->first;
	const struct call_view *call = &record->call;
	const struct party_view *const parties[] = {&call->to, &call->from};

	UUID(&call->dialer_call_id);
	UUID(&call->tenant_id);
	TEXT(call->campaign);
	for (int i = 0; i < 2; i++) {
		TEXT(parties[i]->name);
		TEXT(parties[i]->type);
		TEXT(parties[i]->id);
	}
	TEXT(call->phone);
	TEXT(direction_word(call->direction));
	TEXT(dialer_status_word(call->dialer_status));
	UUID(&call->agent_id);
	UUID(&first->call.phone_call_id);
	INT(call->counters.calls);
	INT(call->counters.no_answers);
	INT(call->counters.busies);
	INT(call->counters.connects);
	INT(call->counters.aborts);
	BOOL(call->counters.did_connect);
	TEXT(call->dnis);
	TIME(call->retry_at_ms);
	BOOL(call->is_callback);
	UUID(&call->call_id);
	BIGINT(call->version);
	UUID(&rows->writer_id);
	BIGINT((int64_t)record->number);
	TIME(first_of(first->call.started_at_ms, first->at_ms));
	TIME(record->at_ms);
}

static void put_event(struct drain_rows *rows, struct drain_statement *to, const struct plan *plan)
{
	const struct record *record = plan->record;
	const struct call_view *call = &record->call;

	UUID(&record->event_id);
	UUID(&call->tenant_id);
	UUID(&call->dialer_call_id);
	UUID(&call->call_id);
	TEXT(record->event_name);
	TEXT(direction_word(call->direction));
	TEXT(call->phone);
	if (plan->is_closed)
		BIGINT(plan->duration_ms);
	else
		drain_array_null(next(rows, to, ARRAY_BIGINT));
	TEXT(actor_word(call->actor));
	TEXT(call->reason);
	INT(call->cause + PLANTED(25));
	TIME(first_of(record->event_at_ms, record->at_ms));
}

static void put_close(struct drain_rows *rows, struct drain_statement *to, const struct plan *plan)
{
	UUID(&plan->record->closed_event_id);
	BIGINT(plan->duration_ms);
}

static void put_result(struct drain_rows *rows, struct drain_statement *to, const struct plan *plan)
{
	const struct record *record = plan->record;
	const struct call_view *call = &record->call;

	UUID(&record->result_id);
	UUID(&call->tenant_id);
	UUID(&call->dialer_call_id);
	UUID(&call->call_id);
	UUID(&call->agent_id);
	TEXT(direction_word(call->direction));
	TEXT(call->phone);
	TEXT(record->result);
	BOOL(record->is_result_automatic);
	TEXT(call->campaign);
	TEXT(record->comment);
	TIME(record->at_ms);
}

static void put_agent(struct drain_rows *rows, struct drain_statement *to, const struct plan *plan)
{
	const struct record *record = plan->record;
	const struct agent_view *agent = &record->agent;

	UUID(&agent->agent_id);
	UUID(&agent->tenant_id);
	TEXT(agent_state_word(agent->state));
	TEXT(agent->reason);
	TIME(first_of(agent->state_at_ms, record->at_ms));
	UUID(&rows->writer_id);
	BIGINT((int64_t)record->number);
}

static void put_recording(struct drain_rows *rows, struct drain_statement *to,
			  const struct plan *plan)
{
	const struct record_recording *recording = &plan->record->recording;

	UUID(&recording->tenant_id);
	TEXT(recording->name);
	TEXT(recording->location);
	UUID(&recording->dialer_call_id);
	UUID(&recording->call_id);
	UUID(&recording->agent_id);
	TIME(recording->begun_at_ms);
}

static void put_recorded(struct drain_rows *rows, struct drain_statement *to,
			 const struct plan *plan)
{
	const struct record_recording *recording = &plan->record->recording;

	UUID(&recording->tenant_id);
	TEXT(recording->name);
	TIME(recording->ended_at_ms);
	if (recording->duration_ms >= 0)
		BIGINT(recording->duration_ms);
	else
		drain_array_null(next(rows, to, ARRAY_BIGINT));
	TEXT(recording->result);
}

typedef void put_row(struct drain_rows *, struct drain_statement *, const struct plan *);
static put_row *const put_rows[] = {
	[KIND_CALL] = put_call,		[KIND_EVENT] = put_event, [KIND_CLOSE] = put_close,
	[KIND_RESULT] = put_result,	[KIND_AGENT] = put_agent, [KIND_RECORDING] = put_recording,
	[KIND_RECORDED] = put_recorded,
};

static void fill(struct drain_rows *rows, struct drain_statement *to)
{
	const struct plans *plans = &rows->plans[rows->kind];
	unsigned columns = 0;

	*to = (struct drain_statement){.name = drain_statements[rows->kind]};
	for (unsigned i = 0; i < plans->count; i++) {
		if (plans->list[i].round != rows->round)
			continue;
		rows->column = 0;
		put_rows[rows->kind](rows, to, &plans->list[i]);
		columns = rows->column;
		to->rows++;
	}
	to->count = columns;
	for (unsigned i = 0; i < columns; i++) {
		size_t size;
		to->values[i] = drain_array_value(&rows->arrays[i], &size);
		to->lengths[i] = (int)size;
	}
}

bool drain_rows_next(struct drain_rows *rows, struct drain_statement *ret)
{
	while (rows->kind < KIND_COUNT) {
		bool has_rows = rows->plans[rows->kind].count > 0;
		if (has_rows)
			fill(rows, ret);
		if (rows->kind == KIND_CALL && ++rows->round < rows->rounds)
			return true;
		rows->round = 0;
		rows->kind++;
		if (has_rows)
			return true;
	}
	return false;
}

struct drain_rows *drain_rows_create(void)
{
	return xcalloc(1, sizeof(struct drain_rows));
}

void drain_rows_destroy(struct drain_rows *rows)
{
	if (!rows)
		return;
	for (int i = 0; i < KIND_COUNT; i++)
		free(rows->plans[i].list);
	free(rows->calls.slots);
	free(rows->events.slots);
	free(rows->closes.slots);
	free(rows->agents.slots);
	for (int i = 0; i < DRAIN_PARAMS_MAX; i++)
		drain_array_free(&rows->arrays[i]);
	free(rows);
}
