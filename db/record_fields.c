#include "db/record_fields.h"

#include "db/record.h"

#define MEMBER(s, m)	  .offset = offsetof(struct s, m), .size = sizeof(((struct s *)0)->m)
#define TEXT(s, m)	  .kind = FIELD_TEXT, MEMBER(s, m)
#define UUID(s, m)	  .kind = FIELD_UUID, MEMBER(s, m)
#define BOOL(s, m)	  .kind = FIELD_BOOL, MEMBER(s, m)
#define INT(s, m)	  .kind = FIELD_INT, MEMBER(s, m)
#define UINT(s, m)	  .kind = FIELD_UINT, MEMBER(s, m)
#define I64(s, m)	  .kind = FIELD_I64, MEMBER(s, m)
#define U64(s, m)	  .kind = FIELD_U64, MEMBER(s, m)
#define ENUM(s, m, count) .kind = FIELD_ENUM, MEMBER(s, m), .limit = count
#define STRUCT(s, m, t)	  .kind = FIELD_STRUCT, MEMBER(s, m), .sub = &(t)
#define TABLE(name, fields)                                                                        \
	static const struct field_table name = {fields, sizeof(fields) / sizeof((fields)[0])}

/* clang-format off */
static const struct record_field party_fields[] = {
	[1] = {TEXT(party_view, type)},
	[2] = {TEXT(party_view, id)},
	[3] = {TEXT(party_view, name)},
};
TABLE(party_table, party_fields);

static const struct record_field counter_fields[] = {
	[1] = {INT(dialer_counters, calls)},
	[2] = {INT(dialer_counters, no_answers)},
	[3] = {INT(dialer_counters, busies)},
	[4] = {INT(dialer_counters, connects)},
	[5] = {INT(dialer_counters, aborts)},
	[6] = {BOOL(dialer_counters, did_connect)},
};
TABLE(counter_table, counter_fields);

static const struct record_field call_fields[] = {
	[1] = {UUID(call_view, call_id)},
	[2] = {UUID(call_view, dialer_call_id)},
	[3] = {UUID(call_view, phone_call_id)},
	[4] = {UUID(call_view, tenant_id)},
	[5] = {UUID(call_view, agent_id)},
	[6] = {INT(call_view, tab)},
	[7] = {UINT(call_view, version)},
	[8] = {ENUM(call_view, state, CALL_STATE_COUNT)},
	[9] = {I64(call_view, state_at_ms)},
	[10] = {I64(call_view, started_at_ms)},
	[11] = {ENUM(call_view, direction, DIR_COUNT)},
	[12] = {TEXT(call_view, phone)},
	[13] = {TEXT(call_view, outcome)},
	[14] = {STRUCT(call_view, from, party_table)},
	[15] = {STRUCT(call_view, to, party_table)},
	[16] = {BOOL(call_view, is_callback)},
	[17] = {I64(call_view, retry_at_ms)},
	[18] = {TEXT(call_view, dnis)},
	[19] = {TEXT(call_view, queue_number)},
	[20] = {TEXT(call_view, cc_agent_id)},
	[21] = {TEXT(call_view, extension)},
	[22] = {BOOL(call_view, is_muted)},
	[23] = {ENUM(call_view, recording, RECORDING_COUNT)},
	[24] = {ENUM(call_view, ended_by, ENDED_BY_COUNT)},
	[25] = {INT(call_view, cause)},
	[26] = {ENUM(call_view, attempt_result, ATTEMPT_RESULT_COUNT)},
	[27] = {TEXT(call_view, reason)},
	[28] = {ENUM(call_view, actor, ACTOR_COUNT)},
	[29] = {TEXT(call_view, command_id)},
	[30] = {I64(call_view, preview_until_ms)},
	[31] = {I64(call_view, ring_until_ms)},
	[32] = {I64(call_view, wrap_until_ms)},
	[33] = {BOOL(call_view, is_wrap_required)},
	[34] = {BOOL(call_view, is_paused)},
	[35] = {TEXT(call_view, queue)},
	[36] = {TEXT(call_view, campaign)},
	[37] = {INT(call_view, attempt)},
	[38] = {INT(call_view, attempts)},
	[39] = {TEXT(call_view, script_url)},
	[40] = {TEXT(call_view, pop_url)},
	[41] = {UINT(call_view, can)},
	[42] = {INT(call_view, partner_tab)},
	[43] = {STRUCT(call_view, counters, counter_table)},
	[44] = {ENUM(call_view, dialer_status, DIALER_STATUS_COUNT)},
};
TABLE(call_table, call_fields);

static const struct record_field agent_fields[] = {
	[1] = {UUID(agent_view, agent_id)},
	[2] = {UUID(agent_view, tenant_id)},
	[3] = {TEXT(agent_view, login)},
	[4] = {TEXT(agent_view, name)},
	[5] = {TEXT(agent_view, extension)},
	[6] = {ENUM(agent_view, state, AGENT_STATE_COUNT)},
	[7] = {ENUM(agent_view, next_state, AGENT_STATE_COUNT)},
	[8] = {TEXT(agent_view, reason)},
	[9] = {I64(agent_view, state_at_ms)},
	[10] = {UINT(agent_view, version)},
	[11] = {BOOL(agent_view, is_phone_reachable)},
	[12] = {BOOL(agent_view, is_audio_up)},
	[13] = {ENUM(agent_view, audio, AUDIO_MODE_COUNT)},
	[14] = {TEXT(agent_view, audio_window)},
};
TABLE(agent_table, agent_fields);

static const struct record_field outcome_fields[] = {
	[1] = {TEXT(call_outcome, name)},
	[2] = {BOOL(call_outcome, is_configured)},
	[3] = {BOOL(call_outcome, is_connect_xor_abort)},
	[4] = {BOOL(call_outcome, is_retry)},
	[5] = {BOOL(call_outcome, is_automatic)},
	[6] = {I64(call_outcome, retry_after_ms)},
};
TABLE(outcome_table, outcome_fields);

_Static_assert(ATTEMPT_RESULT_COUNT == 9, "a new attempt result needs a tag of its own");
static const struct record_field policy_fields[] = {
	[1] = {I64(call_policy, preview_ms)},
	[2] = {I64(call_policy, ring_ms)},
	[3] = {I64(call_policy, offer_ms)},
	[4] = {I64(call_policy, wrap_ms)},
	[5] = {BOOL(call_policy, has_outcomes)},
	[6] = {STRUCT(call_policy, default_outcome, outcome_table)},
	[7] = {STRUCT(call_policy, system[ATTEMPT_NONE], outcome_table)},
	[8] = {STRUCT(call_policy, system[ATTEMPT_CONNECTED], outcome_table)},
	[9] = {STRUCT(call_policy, system[ATTEMPT_NO_ANSWER], outcome_table)},
	[10] = {STRUCT(call_policy, system[ATTEMPT_BUSY], outcome_table)},
	[11] = {STRUCT(call_policy, system[ATTEMPT_ERROR], outcome_table)},
	[12] = {STRUCT(call_policy, system[ATTEMPT_CANCELLED], outcome_table)},
	[13] = {STRUCT(call_policy, system[ATTEMPT_REJECTED], outcome_table)},
	[14] = {STRUCT(call_policy, system[ATTEMPT_DEFLECTED], outcome_table)},
	[15] = {STRUCT(call_policy, system[ATTEMPT_MISSED], outcome_table)},
};
TABLE(policy_table, policy_fields);

static const struct record_field live_fields[] = {
	[1] = {STRUCT(record_live, policy, policy_table)},
	[2] = {STRUCT(record_live, base, counter_table)},
	[3] = {STRUCT(record_live, outcome, outcome_table)},
	[4] = {TEXT(record_live, comment)},
	[5] = {I64(record_live, timer_left_ms)},
	[6] = {UINT(record_live, results)},
	[7] = {BOOL(record_live, is_consult)},
	[8] = {BOOL(record_live, has_rung)},
	[9] = {BOOL(record_live, has_dialed)},
	[10] = {BOOL(record_live, is_detached)},
	[12] = {TEXT(record_live, line)},
	[13] = {TEXT(record_live, leg)},
	[14] = {TEXT(record_live, queue_number)},
	[15] = {UUID(record_live, wanted_agent_id)},
	[16] = {UUID(record_live, excluded_agent_id)},
	[17] = {UUID(record_live, event_id)},
	[18] = {I64(record_live, event_at_ms)},
	[19] = {I64(record_live, waiting_since_ms)},
	[20] = {UUID(record_live, conference_id)},
	[21] = {TEXT(record_live, recording)},
};
TABLE(live_table, live_fields);

static const struct record_field step_fields[] = {
	[1] = {ENUM(record_step, kind, EV_COUNT)},
	[2] = {I64(record_step, at_ms)},
	[3] = {ENUM(record_step, actor, ACTOR_COUNT)},
	[4] = {TEXT(record_step, command_id)},
	[5] = {TEXT(record_step, reason)},
	[6] = {BOOL(record_step, has_reason)},
	[7] = {ENUM(record_step, result, ATTEMPT_RESULT_COUNT)},
	[8] = {ENUM(record_step, ended_by, ENDED_BY_COUNT)},
	[9] = {INT(record_step, cause)},
	[10] = {BOOL(record_step, on)},
	[11] = {I64(record_step, retry_at_ms)},
	[12] = {STRUCT(record_step, outcome, outcome_table)},
	[13] = {TEXT(record_step, comment)},
	[14] = {UUID(record_step, agent_id)},
	[15] = {INT(record_step, tab)},
};
TABLE(step_table, step_fields);

static const struct record_field intent_fields[] = {
	[1] = {TEXT(record_intent, id)},
	[2] = {UUID(record_intent, key)},
	[3] = {U64(record_intent, body_hash)},
	[4] = {INT(record_intent, kind)},
	[5] = {UUID(record_intent, agent_id)},
	[6] = {INT(record_intent, tab)},
	[7] = {INT(record_intent, other_tab)},
	[8] = {UUID(record_intent, call_id)},
	[9] = {TEXT(record_intent, number)},
	[10] = {ENUM(record_intent, direction, DIR_COUNT)},
	[11] = {BOOL(record_intent, far_waits)},
};
TABLE(intent_table, intent_fields);

static const struct record_field err_fields[] = {
	[1] = {ENUM(err, status, ST_COUNT)},
	[2] = {TEXT(err, code)},
	[3] = {TEXT(err, target)},
	[4] = {TEXT(err, message)},
};
TABLE(err_table, err_fields);

static const struct record_field answer_fields[] = {
	[3] = {STRUCT(record_answer, err, err_table)},
	[4] = {UUID(record_answer, call_id)},
	[5] = {UUID(record_answer, dialer_call_id)},
	[6] = {INT(record_answer, tab)},
};
TABLE(answer_table, answer_fields);

static const struct record_field recording_fields[] = {
	[1] = {TEXT(record_recording, name)},
	[2] = {TEXT(record_recording, location)},
	[3] = {UUID(record_recording, tenant_id)},
	[4] = {UUID(record_recording, dialer_call_id)},
	[5] = {UUID(record_recording, call_id)},
	[6] = {UUID(record_recording, agent_id)},
	[7] = {I64(record_recording, begun_at_ms)},
	[8] = {I64(record_recording, ended_at_ms)},
	[9] = {I64(record_recording, duration_ms)},
	[10] = {TEXT(record_recording, result)},
};
TABLE(recording_table, recording_fields);

#define USES_CALL                                                                                  \
	(RECORD_CALL | RECORD_EVENT_OPEN | RECORD_RESULT | RECORD_STREAM | RECORD_LIVE |           \
	 RECORD_STEP)

static const struct record_field record_fields[] = {
	[TAG_HAS] = {UINT(record, has)},
	[TAG_AT_MS] = {I64(record, at_ms)},
	[TAG_BEGUN_AT] = {U64(record, begun_at), .parts = RECORD_CHECKPOINT_END},
	[4] = {STRUCT(record, call, call_table), .parts = USES_CALL},
	[5] = {UUID(record, event_id), .parts = RECORD_EVENT_OPEN},
	[6] = {UUID(record, closed_event_id), .parts = RECORD_EVENT_CLOSE},
	[7] = {UUID(record, result_id), .parts = RECORD_RESULT},
	[8] = {TEXT(record, event_name), .parts = RECORD_EVENT_OPEN},
	[9] = {I64(record, event_at_ms), .parts = RECORD_EVENT_OPEN},
	[10] = {I64(record, closed_duration_ms), .parts = RECORD_EVENT_CLOSE},
	[11] = {BOOL(record, is_event_instant), .parts = RECORD_EVENT_OPEN},
	[12] = {TEXT(record, result), .parts = RECORD_RESULT},
	[13] = {TEXT(record, comment), .parts = RECORD_RESULT},
	[14] = {BOOL(record, is_result_automatic), .parts = RECORD_RESULT},
	[15] = {STRUCT(record, agent, agent_table), .parts = RECORD_AGENT},
	[16] = {U64(record, epoch), .parts = RECORD_STREAM},
	[17] = {U64(record, seq), .parts = RECORD_STREAM},
	[18] = {BOOL(record, is_update), .parts = RECORD_STREAM},
	[19] = {STRUCT(record, live, live_table), .parts = RECORD_LIVE},
	[20] = {STRUCT(record, step, step_table), .parts = RECORD_STEP},
	[21] = {STRUCT(record, intent, intent_table), .parts = RECORD_INTENT},
	[22] = {STRUCT(record, answer, answer_table), .parts = RECORD_ANSWER},
	[23] = {STRUCT(record, recording, recording_table), .parts = RECORD_RECORDING},
};
/* clang-format on */

const struct field_table record_table = {record_fields,
					 sizeof(record_fields) / sizeof(record_fields[0])};
