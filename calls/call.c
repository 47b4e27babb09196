#include "calls/call.h"

#include "base/str.h"

#include <stddef.h>
#include <string.h>

/* Why a command is refused: what it needs, in words, and the code of the unmet condition. */
static const struct {
	const char *code, *needs;
} refusals[EV_COUNT] = {
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
	[EV_RECORD_START] = {"call.not_recordable",
			     "startRecording needs an active or held call that is not recorded"},
	[EV_RECORD_STOP] = {"call.not_recorded", "stopRecording needs a recorded call"},
	[EV_RECORD_PAUSE] = {"call.not_recorded",
			     "pauseRecording needs a call whose recording is on"},
	[EV_RECORD_RESUME] = {"call.recording_not_paused",
			      "resumeRecording needs a call whose recording is paused"},
};

bool call_event_is_command(enum call_event_kind kind)
{
	return refusals[kind].code != NULL;
}

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
	[CALL_CONSULT] = "it is a consultation",
	[CALL_CONSULT_HELD] = "it is a consultation on hold",
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
	next->comment[0] = 0;
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

/* "skip/NotReady -> idle(Reject) -> end, record back in its queue": it stays open. */
static void derive_dialer_status(struct call *next)
{
	bool is_back_in_queue =
		next->view.attempt_result == ATTEMPT_REJECTED && next->outcome.is_automatic;

	if (next->view.state != CALL_END)
		next->view.dialer_status = DIALER_OPEN;
	else if (next->view.retry_at_ms)
		next->view.dialer_status = DIALER_RETRY;
	else
		next->view.dialer_status = is_back_in_queue ? DIALER_OPEN : DIALER_CLOSED;
}

static enum ended_by who_ended(const struct call *call, const struct call_event *event)
{
	if (event->kind == EV_FAR_ENDED)
		return event->ended_by;
	if (call->view.state == CALL_TRANSFERRING) /* ended for the agent when he gave it away */
		return call->view.ended_by;
	return event->actor == ACTOR_AGENT || event->actor == ACTOR_SUPERVISOR ? ENDED_BY_AGENT
									       : ENDED_BY_SYSTEM;
}

static void enter_idle(const struct call *call, const struct call_event *event,
		       const struct call_rule *rule, struct call *next)
{
	struct call_view *v = &next->view;
	const struct call_outcome *system;

	v->attempt_result = weigh(call, rule->result ? rule->result : event->result);
	v->ended_by = who_ended(call, event);
	v->cause = event->cause;
	v->is_muted = false;
	v->recording = RECORDING_OFF;
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

/* What is left of a timer that is paused now; never more than it had, also when the wall clock was
 * set back. */
static int64_t left_ms(int64_t until_ms, int64_t at_ms, int64_t full_ms)
{
	int64_t left = until_ms - at_ms;

	return left < 0 ? 0 : left < full_ms ? left : full_ms;
}

/* Deadlines belong to the state that is entered; staying in it keeps them. */
static void set_deadlines(const struct call *call, const struct call_event *event,
			  struct call *next)
{
	const struct call_policy *policy = &next->policy;
	const struct call_view *before = &call->view;
	struct call_view *v = &next->view;
	bool is_resumed = event->kind == EV_RESUME_TIMER;
	int64_t at_ms = event->at_ms;

	if (event->kind == EV_FAR_DIALING) /* the ring limit is the customer's, not the agent's */
		v->ring_until_ms = at_ms + policy->ring_ms;
	if (v->state == before->state)
		return;
	v->preview_until_ms = v->ring_until_ms = v->wrap_until_ms = 0;
	if (v->state == CALL_PREVIEW_PAUSED)
		next->timer_left_ms = left_ms(before->preview_until_ms, at_ms, policy->preview_ms);
	if (v->state == CALL_WRAP_PAUSED)
		next->timer_left_ms = left_ms(before->wrap_until_ms, at_ms, policy->wrap_ms);
	if (v->state == CALL_PREVIEW)
		v->preview_until_ms =
			at_ms + (is_resumed ? call->timer_left_ms : policy->preview_ms);
	if (v->state == CALL_RINGING)
		v->ring_until_ms = at_ms + policy->ring_ms;
	if (v->state == CALL_INCOMING)
		v->ring_until_ms = at_ms + policy->offer_ms;
	if (v->state == CALL_WRAP && (is_resumed || policy->wrap_ms))
		v->wrap_until_ms = at_ms + (is_resumed ? call->timer_left_ms : policy->wrap_ms);
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
	case EV_CONFERENCED: /* the agent's voice is one for both */
		next->view.is_muted = event->on;
		break;
	case EV_RECORD_START:
	case EV_RECORD_RESUME:
		next->view.recording = RECORDING_ON;
		break;
	case EV_RECORD_PAUSE:
		next->view.recording = RECORDING_PAUSED;
		break;
	case EV_RECORD_STOP:
	case EV_RECORD_OVER:
		next->view.recording = RECORDING_OFF;
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
		if (event->comment)
			str_copy_cut(next->comment, sizeof(next->comment), event->comment);
		break;
	default:
		break;
	}
}

static void enter_state(const struct call *call, const struct call_event *event,
			const struct call_rule *rule, struct call *next)
{
	enum call_state from = call->view.state, to = rule->to;
	bool was_idle = from == CALL_WRAP || from == CALL_WRAP_PAUSED;

	if (to == CALL_RINGING && from != CALL_RINGING)
		next->has_dialed = true;
	if (call_state_is_active(to))
		next->view.attempt_result = ATTEMPT_CONNECTED;
	if (to == CALL_WRAP && !was_idle) {
		if (from == CALL_QUEUED)
			give_outcome(next, &outcome_abandon, event->at_ms);
		enter_idle(call, event, rule, next);
	}
	if (to == CALL_TRANSFERRING && from != CALL_TRANSFERRING)
		next->view.ended_by = who_ended(call, event);
	if (from == CALL_TRANSFERRING && to == CALL_INCOMING)
		next->view.ended_by = ENDED_BY_UNKNOWN;
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

	if (!rule && call_event_is_command(event->kind))
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
	result.view.is_wrap_required = !call_guard_holds(&result, GUARD_SETTLED);
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
