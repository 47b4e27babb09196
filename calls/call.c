#include "calls/call.h"

#include "base/str.h"

#include <stddef.h>
#include <string.h>

static const char *const event_words[] = {
	"present",	"enqueue",	  "offer",	  "dial",
	"consult_dial", "answer",	  "release",	  "reject",
	"skip",		"not_ready",	  "hold",	  "resume",
	"mute",		"dtmf",		  "play",	  "transfer",
	"consult",	"cancel_consult", "complete",	  "conference",
	"leave",	"pause_timer",	  "resume_timer", "outcome",
	"callback",	"end_wrap",	  "completed",	  "conferenced",
	"partner_left", "partner_gone",	  "far_ringing",  "up",
	"far_ended",	"no_audio",	  "transferred",  "transfer_failed",
	"preview_time", "ring_time",	  "offer_time",	  "wrap_time",
};
_Static_assert(sizeof(event_words) / sizeof(event_words[0]) == EV_COUNT, "every event");

static const char *const effect_words[] = {
	"",	"dial", "answer",   "clear",	"hold",	      "resume", "mute",
	"dtmf", "play", "transfer", "complete", "conference", "leave",	"give_back",
};
_Static_assert(sizeof(effect_words) / sizeof(effect_words[0]) == FX_COUNT, "every effect");

const char *call_event_word(enum call_event_kind kind)
{
	return event_words[kind];
}

const char *call_effect_word(enum call_effect effect)
{
	return effect_words[effect];
}

/* Why a command is refused: what it needs, in words, and the code of the unmet condition. */
static const struct {
	const char *code, *needs;
} refusals[EV_LAST_COMMAND + 1] = {
	[EV_PRESENT] = {"tab.not_free", "present needs a free tab"},
	[EV_ENQUEUE] = {"tab.not_free", "a waiting caller is on no tab"},
	[EV_OFFER] = {"tab.not_free", "an offer needs a free tab"},
	[EV_DIAL] = {"tab.not_free", "dial needs a free tab"},
	[EV_CONSULT_DIAL] = {"tab.not_free", "a consultation needs a free tab"},
	[EV_ANSWER] = {"call.not_incoming", "answer needs an incoming call"},
	[EV_RELEASE] = {"call.nothing_to_release", "release needs a call"},
	[EV_REJECT] = {"call.not_incoming", "reject needs an incoming or previewed call"},
	[EV_SKIP] = {"call.not_preview", "skip needs a call in preview"},
	[EV_NOT_READY] = {"call.not_offered", "nothing is offered"},
	[EV_HOLD] = {"call.not_active", "hold needs an active call"},
	[EV_RESUME] = {"call.not_held", "resume needs a held call"},
	[EV_MUTE] = {"call.not_active", "mute needs an active call"},
	[EV_DTMF] = {"call.not_active", "sendDTMF needs an active call"},
	[EV_PLAY] = {"call.not_active", "playWaveFile needs an active call"},
	[EV_TRANSFER] = {"call.not_active", "transferBlind needs an active or held call"},
	[EV_CONSULT] = {"call.not_active", "transferConsult needs an active or held call"},
	[EV_CANCEL_CONSULT] = {"call.no_consult", "cancelConsult needs a consultation"},
	[EV_COMPLETE] = {"tab.not_active", "transferComplete needs this tab active"},
	[EV_CONFERENCE] = {"tab.not_active", "conference needs this tab active"},
	[EV_LEAVE] = {"call.no_conference", "leave needs a conference"},
	[EV_PAUSE_TIMER] = {"call.no_timer", "pauseTimer needs a running preview or wrap timer"},
	[EV_RESUME_TIMER] = {"call.not_paused", "resumeTimer needs a paused timer"},
	[EV_OUTCOME] = {"call.no_outcome_now",
			"setOutcome needs a call that has been talked or is idle"},
	[EV_CALLBACK] = {"call.no_outcome_now",
			 "scheduleCallback needs a call that has been talked or is idle"},
	[EV_END_WRAP] = {"call.not_idle", "endWrap needs a call that is idle"},
};

static const char *const state_phrases[] = {
	[CALL_NONE] = "there is no call",
	[CALL_QUEUED] = "the caller is waiting",
	[CALL_PREVIEW] = "it is in preview",
	[CALL_PREVIEW_PAUSED] = "it is in preview",
	[CALL_INCOMING] = "it is incoming",
	[CALL_ANSWERING] = "it is being answered",
	[CALL_RINGING] = "it is ringing",
	[CALL_TALK] = "it is active",
	[CALL_HELD] = "it is held",
	[CALL_CONSULT] = "it is active",
	[CALL_CONSULT_HELD] = "it is held",
	[CALL_CONFERENCE] = "it is in a conference",
	[CALL_TRANSFERRING] = "it is being transferred",
	[CALL_WRAP] = "it is idle",
	[CALL_WRAP_PAUSED] = "it is idle",
	[CALL_PAUSE] = "it is idle, an outcome is due",
	[CALL_END] = "it has ended",
};

static enum status refuse(const struct call *call, enum call_event_kind kind, struct err *err)
{
	return err_set(err, ST_CONFLICT, refusals[kind].code, "tab", "%s: %s", refusals[kind].needs,
		       state_phrases[call->view.state]);
}

/* The event rows a state belongs to (mission M25). */
const char *call_event_name(enum call_state state)
{
	switch (state) {
	case CALL_PREVIEW:
	case CALL_PREVIEW_PAUSED:
		return "preview";
	case CALL_QUEUED:
		return "queue";
	case CALL_INCOMING:
	case CALL_ANSWERING:
		return "incoming";
	case CALL_RINGING:
		return "ring";
	case CALL_TALK:
	case CALL_CONSULT:
		return "talk";
	case CALL_HELD:
	case CALL_CONSULT_HELD:
		return "hold";
	case CALL_CONFERENCE:
		return "conference";
	case CALL_TRANSFERRING:
	case CALL_WRAP:
	case CALL_WRAP_PAUSED:
	case CALL_PAUSE:
		return "idle";
	default:
		return NULL;
	}
}

/* What the switch said, weighed with how far the attempt had come. A number that never rang and
 * timed out is a dead carrier, not a customer who did not answer. */
static enum attempt_result weigh(const struct call *call, enum attempt_result said)
{
	if (call->view.attempt_result == ATTEMPT_CONNECTED)
		return ATTEMPT_CONNECTED;
	if (said == ATTEMPT_NO_ANSWER && !call->has_rung)
		return ATTEMPT_ERROR;
	return said == ATTEMPT_NONE ? ATTEMPT_ERROR : said;
}

static void give_outcome(struct call *next, const struct call_outcome *outcome, int64_t at_ms)
{
	next->outcome = *outcome;
	next->view.retry_at_ms = outcome->is_retry ? at_ms + outcome->retry_after_ms : 0;
	str_copy_cut(next->view.outcome, sizeof(next->view.outcome), outcome->name);
	next->results++;
}

/* Counters are derived: those before this attempt, and what this attempt is worth so far (M22,
 * M23). */
static void derive_counters(struct call *next)
{
	struct dialer_counters *c = &next->view.counters;
	bool is_connected = next->view.attempt_result == ATTEMPT_CONNECTED;
	bool is_judged =
		next->outcome.name[0] && next->outcome.is_configured && !next->outcome.is_automatic;

	*c = next->base;
	c->calls += next->has_dialed || next->view.direction == DIR_INBOUND;
	c->no_answers += next->view.attempt_result == ATTEMPT_NO_ANSWER;
	c->busies += next->view.attempt_result == ATTEMPT_BUSY;
	c->did_connect |= is_connected;
	if (is_connected)
		c->connects += !is_judged || next->outcome.is_connect_xor_abort;
	else
		c->aborts += is_judged && next->outcome.is_connect_xor_abort;
}

static void derive_dialer_status(struct call *next)
{
	if (next->view.state != CALL_END)
		next->view.dialer_status = DIALER_OPEN;
	else
		next->view.dialer_status = next->view.retry_at_ms ? DIALER_RETRY : DIALER_CLOSED;
}

static void enter_idle(const struct call *call, const struct call_event *event,
		       const struct call_rule *rule, struct call *next)
{
	struct call_view *v = &next->view;
	const struct call_outcome *system;

	if (rule->result != ATTEMPT_NONE || v->attempt_result == ATTEMPT_NONE)
		v->attempt_result = weigh(call, rule->result ? rule->result : event->result);
	v->ended_by = event->kind == EV_FAR_ENDED ? event->ended_by
		      : event->actor == ACTOR_AGENT || event->actor == ACTOR_SUPERVISOR
			      ? ENDED_BY_AGENT
			      : ENDED_BY_SYSTEM;
	v->cause = event->cause;
	v->is_muted = false;
	v->is_recording = false;
	v->partner_tab = 0;
	system = &next->policy.system[v->attempt_result];
	if (!next->outcome.name[0] && system->name[0])
		give_outcome(next, system, event->at_ms);
}

static const struct call_outcome outcome_none = {.name = "None", .is_automatic = true};
static const struct call_outcome outcome_abandon = {.name = "Abandon", .is_automatic = true};

static void enter_end(struct call *next, int64_t at_ms)
{
	const struct call_policy *policy = &next->policy;

	if (next->outcome.name[0] || next->is_consult)
		return;
	give_outcome(next,
		     policy->default_outcome.name[0] ? &policy->default_outcome : &outcome_none,
		     at_ms);
}

/* Deadlines belong to the state that is entered; staying in it keeps them. */
static void set_deadlines(const struct call *call, const struct call_event *event,
			  struct call *next)
{
	struct call_view *v = &next->view;
	enum call_state from = call->view.state;
	bool is_resumed = event->kind == EV_RESUME_TIMER;
	int64_t left;

	if (v->state == from)
		return;
	left = from == CALL_PREVIEW ? call->view.preview_until_ms - event->at_ms
				    : call->view.wrap_until_ms - event->at_ms;
	v->preview_until_ms = v->ring_until_ms = v->wrap_until_ms = 0;
	if (v->state == CALL_PREVIEW_PAUSED || v->state == CALL_WRAP_PAUSED)
		next->timer_left_ms = left > 0 ? left : 0;
	if (v->state == CALL_PREVIEW)
		v->preview_until_ms =
			event->at_ms + (is_resumed ? call->timer_left_ms : next->policy.preview_ms);
	if (v->state == CALL_RINGING)
		v->ring_until_ms = event->at_ms + next->policy.ring_ms;
	if (v->state == CALL_INCOMING)
		v->ring_until_ms = event->at_ms + next->policy.offer_ms;
	if (v->state == CALL_WRAP && is_resumed && call->timer_left_ms)
		v->wrap_until_ms = event->at_ms + call->timer_left_ms;
	else if (v->state == CALL_WRAP && next->policy.wrap_ms)
		v->wrap_until_ms = event->at_ms + next->policy.wrap_ms;
}

/* What the event itself carries into the call, whatever state it leads to. */
static void take_event(const struct call_event *event, struct call *next)
{
	switch (event->kind) {
	case EV_OFFER:
		next->view.agent_id = event->agent_id;
		next->view.tab = event->tab;
		break;
	case EV_MUTE:
		next->view.is_muted = event->on;
		break;
	case EV_FAR_RINGING:
		next->has_rung = true;
		break;
	case EV_CALLBACK:
		give_outcome(next, &event->outcome, event->at_ms);
		next->view.retry_at_ms = event->retry_at_ms;
		break;
	case EV_OUTCOME:
		give_outcome(next, &event->outcome, event->at_ms);
		break;
	default:
		break;
	}
}

static void enter_state(const struct call *call, const struct call_event *event,
			const struct call_rule *rule, struct call *next)
{
	enum call_state from = call->view.state, to = rule->to;
	bool was_idle = call_event_name(from) && !strcmp(call_event_name(from), "idle") &&
			from != CALL_TRANSFERRING;

	if (to == CALL_RINGING && from != CALL_RINGING)
		next->has_dialed = true;
	if (call_state_is_active(to))
		next->view.attempt_result = ATTEMPT_CONNECTED;
	if (to == CALL_WRAP && !was_idle) {
		if (from == CALL_QUEUED)
			give_outcome(next, &outcome_abandon, event->at_ms);
		enter_idle(call, event, rule, next);
	}
	if (to == CALL_HELD || to == CALL_CONSULT_HELD)
		next->view.is_muted = false;
	if (to == CALL_END)
		enter_end(next, event->at_ms);
}

static void stamp(const struct call *call, const struct call_event *event,
		  const struct call_rule *rule, struct call *next)
{
	struct call_view *v = &next->view;
	const char *reason = event->reason ? event->reason : rule->reason;

	v->state = rule->to;
	v->is_paused = v->state == CALL_PREVIEW_PAUSED || v->state == CALL_WRAP_PAUSED ||
		       v->state == CALL_PAUSE;
	if (strcmp(call_client_word(v->state), call_client_word(call->view.state)) ||
	    call->view.state == CALL_NONE)
		v->state_at_ms = event->at_ms > call->view.state_at_ms ? event->at_ms
								       : call->view.state_at_ms;
	if (call->view.state == CALL_NONE)
		v->started_at_ms = event->at_ms;
	v->version = call->view.version + 1;
	v->actor = event->actor;
	str_copy_cut(v->reason, sizeof(v->reason), reason);
	str_copy_cut(v->command_id, sizeof(v->command_id), event->command_id);
}

enum status call_step(const struct call *call, const struct call_event *event, struct call *next,
		      struct effects *todo, struct err *err)
{
	const struct call_rule *rule = call_rule_find(call, event->kind);
	struct call result = *call;
	struct effects wanted = {0};

	if (!rule && event->kind <= EV_LAST_COMMAND)
		return refuse(call, event->kind, err);
	if (!rule) {
		*next = result;
		*todo = wanted;
		return ST_OK;
	}
	if (event->kind == EV_CONSULT_DIAL)
		result.is_consult = true;
	take_event(event, &result);
	enter_state(call, event, rule, &result);
	stamp(call, event, rule, &result);
	set_deadlines(call, event, &result);
	derive_counters(&result);
	derive_dialer_status(&result);
	result.view.is_wrap_required =
		result.policy.has_outcomes && !result.is_consult && !result.outcome.name[0];
	for (unsigned i = 0; i < EFFECTS_MAX && rule->effects[i] != FX_NONE; i++)
		wanted.list[wanted.count++] = rule->effects[i];
	*next = result;
	*todo = wanted;
	return ST_OK;
}

bool call_deadline(const struct call *call, int64_t *ret_at_ms, enum call_event_kind *ret_event)
{
	const struct call_view *v = &call->view;

	if (v->state == CALL_PREVIEW)
		return *ret_at_ms = v->preview_until_ms, *ret_event = EV_PREVIEW_TIME, true;
	if (v->state == CALL_RINGING)
		return *ret_at_ms = v->ring_until_ms, *ret_event = EV_RING_TIME, true;
	if (v->state == CALL_INCOMING)
		return *ret_at_ms = v->ring_until_ms, *ret_event = EV_OFFER_TIME, true;
	if (v->state == CALL_WRAP && v->wrap_until_ms)
		return *ret_at_ms = v->wrap_until_ms, *ret_event = EV_WRAP_TIME, true;
	return false;
}

static const struct {
	enum call_event_kind event;
	unsigned can;
} abilities[] = {
	{EV_DIAL, CAN_DIAL},
	{EV_ANSWER, CAN_ANSWER},
	{EV_RELEASE, CAN_RELEASE},
	{EV_HOLD, CAN_HOLD},
	{EV_RESUME, CAN_RESUME},
	{EV_TRANSFER, CAN_TRANSFER_BLIND},
	{EV_CONSULT, CAN_TRANSFER_CONSULT},
	{EV_COMPLETE, CAN_TRANSFER_COMPLETE},
	{EV_CONFERENCE, CAN_CONFERENCE},
	{EV_CANCEL_CONSULT, CAN_CANCEL_CONSULT},
	{EV_DTMF, CAN_DTMF},
	{EV_PLAY, CAN_PLAY},
	{EV_MUTE, CAN_MUTE},
	{EV_REJECT, CAN_REJECT},
	{EV_SKIP, CAN_SKIP},
	{EV_PAUSE_TIMER, CAN_PAUSE},
	{EV_RESUME_TIMER, CAN_UNPAUSE},
	{EV_OUTCOME, CAN_OUTCOME},
	{EV_END_WRAP, CAN_END_WRAP},
};
_Static_assert(sizeof(abilities) / sizeof(abilities[0]) == CAN_COUNT, "every ability has an event");

unsigned call_can(const struct call *call, bool has_held_partner)
{
	unsigned can = 0;

	for (unsigned i = 0; i < CAN_COUNT; i++)
		if (call_rule_find(call, abilities[i].event))
			can |= abilities[i].can;
	if (!has_held_partner)
		can &= ~(unsigned)(CAN_TRANSFER_COMPLETE | CAN_CONFERENCE);
	if (call_state_is_over(call->view.state) && call->view.state != CALL_TRANSFERRING)
		can |= CAN_DIAL;
	if (call->view.state == CALL_WRAP && !call->view.wrap_until_ms)
		can &= ~(unsigned)CAN_PAUSE;
	return can;
}

static const char *instant_event(const struct call *before, const struct call *after)
{
	if (after->view.state == CALL_END && before->view.state != CALL_END)
		return "end";
	if (before->view.state != CALL_RINGING || after->view.state != CALL_WRAP)
		return NULL;
	switch (after->view.attempt_result) {
	case ATTEMPT_BUSY:
		return "busy";
	case ATTEMPT_NO_ANSWER:
		return "no answer";
	case ATTEMPT_ERROR:
		return "error on dial";
	default:
		return NULL;
	}
}

struct call_story call_story(const struct call *before, const struct call *after)
{
	const char *was = call_event_name(before->view.state);
	const char *is = call_event_name(after->view.state);
	bool is_same_row = was && is && !strcmp(was, is);

	return (struct call_story){
		.is_changed = before->view.version != after->view.version,
		.is_new_client_state = before->view.state == CALL_NONE ||
				       strcmp(call_client_word(before->view.state),
					      call_client_word(after->view.state)) != 0,
		.closed_event = is_same_row ? NULL : was,
		.instant_event = instant_event(before, after),
		.opened_event = is_same_row ? NULL : is,
		.is_result_given = after->results > before->results,
	};
}
