#include "step_check.h"

#include <string.h>

#define MUST(condition, what)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return what;                                                               \
	} while (0)

/* preview? -> ringing or incoming -> talk -> idle -> end; a blind transfer that failed comes back.
 */
static bool client_may_move(const struct call *before, const struct call *after)
{
	static const char *const moves[] = {
		"preview>ringing", "preview>idle", "incoming>talk", "incoming>idle",
		"ringing>talk",	   "ringing>idle", "talk>idle",	    "idle>end",
	};
	const char *from = call_client_word(before->view.state);
	const char *to = call_client_word(after->view.state);

	if (before->view.state == CALL_NONE)
		return !strcmp(to, "preview") || !strcmp(to, "ringing") ||
		       after->view.state == CALL_QUEUED;
	if (before->view.state == CALL_QUEUED)
		return !strcmp(to, "incoming") || !strcmp(to, "idle");
	if (before->view.state == CALL_TRANSFERRING && after->view.state == CALL_INCOMING)
		return true;
	if (!strcmp(from, to))
		return before->view.state != CALL_END;
	for (unsigned i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		size_t length = strlen(from);

		if (!strncmp(moves[i], from, length) && moves[i][length] == '>' &&
		    !strcmp(moves[i] + length + 1, to))
			return true;
	}
	return false;
}

static const char *state_fault(const struct call *before, const struct call_event *event,
			       const struct call *after)
{
	const struct call_view *b = &before->view, *a = &after->view;
	bool is_moved = strcmp(call_client_word(b->state), call_client_word(a->state)) != 0 ||
			b->state == CALL_NONE;

	MUST(client_may_move(before, after), "the client's state made an illegal move");
	MUST(a->version == b->version + 1, "a change without a new version");
	MUST(a->state_at_ms >= b->state_at_ms, "stateTime went back");
	MUST(is_moved || a->state_at_ms == b->state_at_ms, "stateTime without a new state");
	MUST(!is_moved || event->at_ms < b->state_at_ms || a->state_at_ms == event->at_ms,
	     "stateTime is not the event's");
	MUST(a->actor == event->actor, "nobody is named as actor");
	MUST(a->reason[0], "no reason is given");
	MUST(!strcmp(a->command_id, event->command_id ? event->command_id : ""),
	     "another command is named");
	MUST(a->is_paused == (a->state == CALL_PREVIEW_PAUSED || a->state == CALL_WRAP_PAUSED ||
			      a->state == CALL_PAUSE),
	     "paused is wrong");
	MUST(!a->is_muted || call_state_is_live(a->state), "muted after its end");
	MUST((a->ended_by == ENDED_BY_UNKNOWN) || call_state_is_over(a->state),
	     "somebody ended what goes on");
	MUST(a->started_at_ms == (b->state == CALL_NONE ? event->at_ms : b->started_at_ms),
	     "it began at another time");
	return NULL;
}

static int64_t full_ms(const struct call *call)
{
	const struct call_policy *p = &call->policy;

	switch (call->view.state) {
	case CALL_PREVIEW:
		return p->preview_ms;
	case CALL_RINGING:
		return p->ring_ms;
	case CALL_INCOMING:
		return p->offer_ms;
	case CALL_WRAP:
		return p->wrap_ms;
	default:
		return 0;
	}
}

static const char *deadline_fault(const struct call *before, const struct call_event *event,
				  const struct call *after)
{
	const struct call_view *a = &after->view;
	enum call_state s = a->state;
	enum call_event_kind kind;
	int64_t at_ms = 0, left_ms;
	bool is_running = call_deadline(after, &at_ms, &kind);

	MUST(!a->preview_until_ms || s == CALL_PREVIEW, "previewUntil outside preview");
	MUST(!a->ring_until_ms || s == CALL_RINGING || s == CALL_INCOMING,
	     "ringUntil outside ringing and incoming");
	MUST(!a->wrap_until_ms || s == CALL_WRAP, "wrapUntil outside wrap");
	MUST((s == CALL_PREVIEW || s == CALL_RINGING || s == CALL_INCOMING ||
	      (s == CALL_WRAP && after->policy.wrap_ms)) == is_running,
	     "a timer runs without its state, or a state without its timer");
	if (!is_running)
		return NULL;
	MUST(call_rule_find(after, kind), "the timer's event has no rule");
	MUST(at_ms == a->preview_until_ms + a->ring_until_ms + a->wrap_until_ms,
	     "the payload tells another deadline than the timer's");
	if (before->view.state == s && event->kind != EV_FAR_DIALING) {
		MUST(a->preview_until_ms == before->view.preview_until_ms &&
			     a->ring_until_ms == before->view.ring_until_ms &&
			     a->wrap_until_ms == before->view.wrap_until_ms,
		     "a deadline moved though its state stayed");
		return NULL;
	}
	left_ms = at_ms - event->at_ms;
	MUST(left_ms >= 0 && left_ms <= full_ms(after), "a deadline beyond its full time");
	MUST(event->kind == EV_RESUME_TIMER || left_ms == full_ms(after),
	     "a new timer that is not full");
	return NULL;
}

static const char *counter_fault(const struct call *before, const struct call *after)
{
	const struct dialer_counters *c = &after->view.counters, *b = &after->base;
	int connects = c->connects - b->connects, aborts = c->aborts - b->aborts;
	int no_answers = c->no_answers - b->no_answers, busies = c->busies - b->busies;
	bool is_talked = after->view.attempt_result == ATTEMPT_CONNECTED;

	MUST(c->calls >= before->view.counters.calls || before->view.state == CALL_NONE,
	     "calls were uncounted");
	MUST(c->calls - b->calls >= 0 && c->calls - b->calls <= 1, "an attempt counted twice");
	MUST(connects >= 0 && aborts >= 0 && connects + aborts <= 1, "connects and aborts at once");
	MUST(no_answers >= 0 && busies >= 0 && no_answers + busies + is_talked <= 1,
	     "one attempt with two results");
	MUST(!connects || is_talked, "connects without talk");
	MUST(!aborts || !is_talked, "aborts with talk");
	MUST(c->did_connect == (b->did_connect || is_talked), "didConnect is wrong");
	MUST(before->view.attempt_result != ATTEMPT_CONNECTED || is_talked, "talk was forgotten");
	return NULL;
}

static const char *outcome_fault(const struct call *before, const struct call *after)
{
	const struct call_view *a = &after->view;

	MUST(after->results - before->results <= 1, "two results in one step");
	MUST(after->results == before->results || after->outcome.name[0], "a result without name");
	MUST(!strcmp(a->outcome, after->outcome.name), "another outcome is shown than given");
	MUST(a->is_wrap_required == !call_guard_holds(after, GUARD_SETTLED),
	     "wrapRequired is not what the wrap timer does");
	MUST(a->state == CALL_END || a->dialer_status == DIALER_OPEN, "closed before its end");
	if (a->state != CALL_END)
		return NULL;
	MUST(after->outcome.name[0] || after->is_consult, "ended without an outcome");
	MUST((a->dialer_status == DIALER_RETRY) == (a->retry_at_ms != 0), "retry without a time");
	MUST(a->dialer_status != DIALER_OPEN || a->attempt_result == ATTEMPT_REJECTED,
	     "left open at its end");
	return NULL;
}

static const char *effect_fault(const struct call *before, const struct call *after,
				const struct effects *todo)
{
	enum call_state from = before->view.state, to = after->view.state;

	MUST(todo->count <= EFFECTS_MAX, "too many effects");
	for (unsigned i = 0; i < todo->count; i++) {
		enum call_effect fx = todo->list[i];

		MUST(fx > FX_NONE && fx < FX_COUNT, "no effect of ours");
		MUST(fx != FX_DIAL || (to == CALL_RINGING && from != to), "dials outside ringing");
		MUST(fx != FX_HOLD || (call_state_is_active(from) && call_state_is_held(to)),
		     "holds what is not active");
		MUST(fx != FX_RESUME || (call_state_is_held(from) && call_state_is_active(to)),
		     "resumes what is not held");
		MUST(fx != FX_ANSWER || from == CALL_INCOMING, "answers what is not incoming");
		MUST(fx != FX_GIVE_BACK || (call_state_is_live(from) && to == CALL_WRAP),
		     "gives back what it keeps");
		MUST(fx != FX_CLEAR || (call_state_is_live(from) && to == CALL_WRAP),
		     "clears what it keeps");
	}
	MUST(to != CALL_END || !todo->count, "the end asks for something");
	return NULL;
}

const char *step_fault(const struct call *before, const struct call_event *event,
		       const struct call *after, const struct effects *todo)
{
	const char *fault = state_fault(before, event, after);

	if (!fault)
		fault = deadline_fault(before, event, after);
	if (!fault)
		fault = counter_fault(before, after);
	if (!fault)
		fault = outcome_fault(before, after);
	return fault ? fault : effect_fault(before, after, todo);
}

static const struct {
	enum call_event_kind event;
	unsigned can;
} promises[] = {
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
	{EV_LEAVE, CAN_LEAVE},
	{EV_CALLBACK, CAN_CALLBACK},
	{EV_RECORD_START, CAN_RECORD_START},
	{EV_RECORD_STOP, CAN_RECORD_STOP},
	{EV_RECORD_PAUSE, CAN_RECORD_PAUSE},
	{EV_RECORD_RESUME, CAN_RECORD_RESUME},
};

const char *can_fault(const struct call *call)
{
	const struct call_neighbours alone = {.has_held = true, .has_place = true};
	unsigned can = call_can(call, &alone), known = 0;

	for (unsigned i = 0; i < sizeof promises / sizeof promises[0]; i++) {
		struct call_event event = {.kind = promises[i].event,
					   .at_ms = call->view.state_at_ms,
					   .outcome.name = "Sold"};
		struct effects todo;
		struct call next;
		bool is_taken = call_step(call, &event, &next, &todo, NULL) == ST_OK;

		known |= promises[i].can;
		/* the next dial on the tab moves on from what is idle */
		if (event.kind == EV_DIAL && call_state_is_over(call->view.state))
			is_taken = call->view.state != CALL_TRANSFERRING;
		MUST(((can & promises[i].can) != 0) == is_taken,
		     "can promises what is refused, or hides what is taken");
	}
	MUST(!(can & ~known), "can has a bit nobody knows");
	return NULL;
}

static const char *row_fault(struct life *life, const struct call_story *story, int64_t at_ms)
{
	if (story->closed_event) {
		MUST(life->open_row && !strcmp(life->open_row, story->closed_event),
		     "an event row is closed that was not open");
		life->row_sum_ms += at_ms - life->row_at_ms;
		life->open_row = NULL;
	}
	if (story->opened_event) {
		MUST(!life->open_row, "two event rows are open");
		life->open_row = story->opened_event;
		life->row_at_ms = at_ms;
	}
	return NULL;
}

const char *life_fault(struct life *life, const struct call *before, const struct call_event *event,
		       const struct call *after)
{
	struct call_story story = call_story(before, after);
	bool was_idle = !strcmp(call_client_word(before->view.state), "idle");
	bool is_idle = !strcmp(call_client_word(after->view.state), "idle");
	const char *fault;

	if (before->view.state == CALL_NONE)
		life->begun_at_ms = event->at_ms;
	MUST(story.is_changed, "a step that tells nothing");
	fault = row_fault(life, &story, event->at_ms);
	if (fault)
		return fault;
	life->idles += is_idle && !was_idle;
	life->returns +=
		before->view.state == CALL_TRANSFERRING && after->view.state == CALL_INCOMING;
	life->wraps_armed += after->view.state == CALL_WRAP && before->view.state != CALL_WRAP &&
			     before->view.state != CALL_WRAP_PAUSED;
	life->ends += after->view.state == CALL_END;
	life->results += story.is_result_given;
	MUST(life->idles <= 1 + life->returns, "idle twice");
	MUST(life->wraps_armed <= 1, "two wrap timers");
	MUST(life->ends <= 1, "ended twice");
	MUST(life->results == after->results, "a result without its row");
	if (after->view.state != CALL_END)
		return NULL;
	MUST(life->idles == 1 + life->returns && life->wraps_armed == 1, "end without idle");
	MUST(!life->open_row, "a row stays open after the end");
	MUST(life->row_sum_ms == event->at_ms - life->begun_at_ms,
	     "durations do not add up to the call's length");
	return NULL;
}
