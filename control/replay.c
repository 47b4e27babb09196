#include "control/replay.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "calls/call.h"
#include "control/control_priv.h"

struct seen_call {
	UT_hash_handle hh;
	struct uuid call_id;
	struct call call;
};

struct seen_agent {
	UT_hash_handle hh;
	struct uuid agent_id;
	struct agent_view view;
};

struct replay {
	struct seen_call *calls;
	struct seen_agent *agents;
	struct replay_figures figures;
};

struct replay *replay_create(void)
{
	return xcalloc(1, sizeof(struct replay));
}

void replay_destroy(struct replay *replay)
{
	struct seen_call *call, *next_call;
	struct seen_agent *agent, *next_agent;

	HASH_ITER(hh, replay->calls, call, next_call) {
		HASH_DEL(replay->calls, call);
		free(call);
	}
	HASH_ITER(hh, replay->agents, agent, next_agent) {
		HASH_DEL(replay->agents, agent);
		free(agent);
	}
	free(replay);
}

/* --- comparing --- */

enum field_kind { F_STATE, F_INT, F_INT64, F_BOOL, F_TEXT, F_RESULT, F_DIALER };

/* What the rules decide. What control adds (tab, names, abilities) is not theirs. */
static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
} fields[] = {
#define FIELD(kind, field)                                                                         \
	{                                                                                          \
#field, kind, offsetof(struct call_view, field)                                    \
	}
	FIELD(F_STATE, state),
	FIELD(F_INT64, state_at_ms),
	FIELD(F_TEXT, outcome),
	FIELD(F_RESULT, attempt_result),
	FIELD(F_TEXT, reason),
	FIELD(F_INT64, preview_until_ms),
	FIELD(F_INT64, ring_until_ms),
	FIELD(F_INT64, wrap_until_ms),
	FIELD(F_INT64, retry_at_ms),
	FIELD(F_BOOL, is_muted),
	FIELD(F_BOOL, is_paused),
	FIELD(F_BOOL, is_wrap_required),
	FIELD(F_INT, cause),
	FIELD(F_DIALER, dialer_status),
	{"counters.calls", F_INT,
	 offsetof(struct call_view, counters) + offsetof(struct dialer_counters, calls)},
	{"counters.connects", F_INT,
	 offsetof(struct call_view, counters) + offsetof(struct dialer_counters, connects)},
	{"counters.aborts", F_INT,
	 offsetof(struct call_view, counters) + offsetof(struct dialer_counters, aborts)},
#undef FIELD
};

static void format_field(const struct field *field, const struct call_view *view, char *text,
			 size_t size)
{
	const char *at = (const char *)view + field->offset;
	int64_t number;

	switch (field->kind) {
	case F_STATE:
		str_copy_cut(text, size, call_state_word(view->state));
		break;
	case F_RESULT:
		str_copy_cut(text, size, attempt_result_word(view->attempt_result));
		break;
	case F_DIALER:
		str_copy_cut(text, size, dialer_status_word(view->dialer_status));
		break;
	case F_TEXT:
		str_copy_cut(text, size, at);
		break;
	case F_BOOL:
		str_copy_cut(text, size, *(const bool *)at ? "true" : "false");
		break;
	case F_INT:
		snprintf(text, size, "%d", *(const int *)at);
		break;
	case F_INT64:
		memcpy(&number, at, sizeof(number));
		snprintf(text, size, "%" PRId64, number);
		break;
	}
}

static unsigned compare(const struct call_view *recorded, const struct call_view *replayed,
			struct replay_difference ret[REPLAY_DIFFERENCES_MAX])
{
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct replay_difference one = {.field = fields[i].name};

		format_field(&fields[i], recorded, one.recorded, sizeof(one.recorded));
		format_field(&fields[i], replayed, one.replayed, sizeof(one.replayed));
		if (!strcmp(one.recorded, one.replayed))
			continue;
		if (count < REPLAY_DIFFERENCES_MAX)
			ret[count] = one;
		count++;
	}
	return count;
}

/* --- steps --- */

static struct call_event event_of(const struct record_step *step)
{
	return (struct call_event){
		.kind = step->kind,
		.at_ms = step->at_ms,
		.actor = step->actor,
		.command_id = step->command_id[0] ? step->command_id : NULL,
		.reason = step->has_reason ? step->reason : NULL,
		.result = step->result,
		.ended_by = step->ended_by,
		.cause = step->cause,
		.on = step->on,
		.retry_at_ms = step->retry_at_ms,
		.outcome = step->outcome,
		.comment = step->comment[0] ? step->comment : NULL,
		.agent_id = step->agent_id,
		.tab = step->tab,
	};
}

/* The first step of a call: what it was before is what it became, before anything had happened. */
static struct call unborn(const struct call *after)
{
	struct call before = *after;
	struct call_view *view = &before.view;

	view->state = CALL_NONE;
	view->version = 0;
	view->state_at_ms = view->started_at_ms = 0;
	view->preview_until_ms = view->ring_until_ms = view->wrap_until_ms = 0;
	view->counters = (struct dialer_counters){0};
	view->attempt_result = ATTEMPT_NONE;
	view->ended_by = ENDED_BY_UNKNOWN;
	view->cause = 0;
	view->dialer_status = DIALER_OPEN;
	view->is_paused = false;
	view->reason[0] = view->outcome[0] = 0;
	before.has_rung = before.has_dialed = false;
	before.results = 0;
	before.timer_left_ms = 0;
	return before;
}

static unsigned step(struct replay *replay, const struct seen_call *known, const struct call *after,
		     const struct record_step *step,
		     struct replay_difference ret[REPLAY_DIFFERENCES_MAX])
{
	struct call before = known ? known->call : unborn(after), next;
	struct call_event event = event_of(step);
	struct effects todo;
	struct err err;
	unsigned count;

	replay->figures.steps++;
	if (call_step(&before, &event, &next, &todo, &err) != ST_OK) {
		ret[0] = (struct replay_difference){.field = "state"};
		str_copy_cut(ret[0].recorded, sizeof(ret[0].recorded),
			     call_state_word(after->view.state));
		str_format(ret[0].replayed, sizeof(ret[0].replayed), "refused: %s", err.code);
		count = 1;
	} else {
		count = compare(&after->view, &next.view, ret);
	}
	replay->figures.different += count > 0;
	return count;
}

static void take_agent(struct replay *replay, const struct agent_view *view)
{
	struct seen_agent *agent;

	HASH_FIND(hh, replay->agents, &view->agent_id, sizeof(view->agent_id), agent);
	if (!agent) {
		agent = xcalloc(1, sizeof(*agent));
		agent->agent_id = view->agent_id;
		HASH_ADD(hh, replay->agents, agent_id, sizeof(agent->agent_id), agent);
	}
	agent->view = *view;
}

unsigned replay_take(struct replay *replay, const struct record *record,
		     struct replay_difference ret[REPLAY_DIFFERENCES_MAX])
{
	unsigned count = 0;
	struct seen_call *known;
	struct call after;

	replay->figures.records++;
	if (record->has & RECORD_AGENT)
		take_agent(replay, &record->agent);
	if (!(record->has & RECORD_LIVE))
		return 0;
	control_read_live(record, &after);
	HASH_FIND(hh, replay->calls, &record->call.call_id, sizeof(record->call.call_id), known);
	if (record->has & RECORD_STEP)
		count = step(replay, known, &after, &record->step, ret);
	if (!known) {
		known = xcalloc(1, sizeof(*known));
		known->call_id = record->call.call_id;
		HASH_ADD(hh, replay->calls, call_id, sizeof(known->call_id), known);
	}
	known->call = after;
	return count;
}

/* --- what it has come to --- */

void replay_figures(const struct replay *replay, struct replay_figures *ret)
{
	*ret = replay->figures;
}

void replay_calls(const struct replay *replay,
		  void (*each)(void *arg, const struct call_view *call), void *arg)
{
	const struct seen_call *call;

	for (call = replay->calls; call; call = call->hh.next)
		each(arg, &call->call.view);
}

void replay_agents(const struct replay *replay,
		   void (*each)(void *arg, const struct agent_view *agent), void *arg)
{
	const struct seen_agent *agent;

	for (agent = replay->agents; agent; agent = agent->hh.next)
		each(arg, &agent->view);
}
