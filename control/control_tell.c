/* Records, and what is told once they are stable. Nobody hears of anything before on_stable() has
 * named its record: seen implies stored. */
#include "control/control_priv.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"

struct pending_tell *control_when_stable(struct control *control, enum pending_kind kind,
					 uint64_t number)
{
	struct pending_tell *pending = xcalloc(1, sizeof(*pending));

	pending->kind = kind;
	pending->record = number;
	*control->pending_tail = pending;
	control->pending_tail = &pending->next;
	return pending;
}

/* The log refuses only when its limit is reached, long after new work was refused: then the record
 * is lost, and what it was about is not told either. */
bool control_append(struct control *control, const struct record *record, uint64_t *ret_number)
{
	if (record_append(control->log, record, ret_number) == ST_OK)
		return true;
	log_err("record refused: too many wait for storage", "has=%u", record->has);
	return false;
}

static void open_event(struct live_call *call, struct record *record, const char *name,
		       int64_t at_ms)
{
	record->has |= RECORD_EVENT_OPEN;
	record->event_id = uuid_make(at_ms);
	record->event_at_ms = at_ms;
	str_copy_cut(record->event_name, sizeof(record->event_name), name);
	call->event_id = record->event_id;
	call->event_at_ms = at_ms;
}

static void close_event(const struct live_call *call, struct record *record, int64_t at_ms)
{
	record->has |= RECORD_EVENT_CLOSE;
	record->closed_event_id = call->event_id;
	record->closed_duration_ms = at_ms > call->event_at_ms ? at_ms - call->event_at_ms : 0;
}

/* "busy", "no answer", "error on dial", "end" have no length: a row of their own between the two
 * others. */
static void record_instant(struct control *control, const struct live_call *call, const char *name,
			   int64_t at_ms)
{
	struct record *record = xcalloc(1, sizeof(*record));
	uint64_t number;

	record->at_ms = at_ms;
	record->has = RECORD_EVENT_OPEN;
	record->call = call->call.view;
	record->event_id = uuid_make(at_ms);
	record->event_at_ms = at_ms;
	record->is_event_instant = true;
	str_copy_cut(record->event_name, sizeof(record->event_name), name);
	control_append(control, record, &number);
	free(record);
}

/* A call that is on a tab is told on its stream, with the next number of it. */
static struct tab_slot *fill_stream(struct control *control, const struct live_call *call,
				    enum tell_kind tell, struct record *record)
{
	struct tab_slot *slot;

	if (!call->agent || !call->call.view.tab)
		return NULL;
	slot = control_tab(control, call->agent, call->call.view.tab);
	record->has |= RECORD_STREAM;
	record->epoch = control->epoch;
	record->seq = slot->appended_seq + 1;
	if (PLANTED(14))
		record->has &= ~(unsigned)RECORD_EVENT_CLOSE;
	record->is_update = tell == TELL_UPDATE;
	return slot;
}

/* What is called is stable first: after a crash it is certain that nobody else was. */
static void call_far_when_stable(struct control *control, struct live_call *call)
{
	struct pending_tell *pending;

	if (!call->far_waits)
		return;
	call->far_waits = false;
	pending = control_when_stable(control, PENDING_FAR, call->last_record);
	pending->call_id = call->call.view.call_id;
}

static void call_far(struct control *control, const struct uuid *call_id)
{
	struct live_call *call;

	HASH_FIND(by_id, control->calls, call_id, sizeof(*call_id), call);
	if (call && call->line[0])
		telephony_call_far(control->telephony, call->line);
}

/* Appends; what is on a stream is told when it is stable. */
static bool append_call(struct control *control, struct live_call *call, enum tell_kind tell,
			struct record *record)
{
	struct tab_slot *slot = fill_stream(control, call, tell, record);
	struct pending_tell *pending;
	uint64_t number;

	control_fill_live(call, record);
	if (!control_append(control, record, &number))
		return false;
	call->last_record = number;
	call_far_when_stable(control, call);
	if (!slot)
		return true;
	slot->appended_seq = record->seq;
	pending = control_when_stable(control, PENDING_CALL, number);
	pending->tell = tell;
	pending->seq = record->seq;
	pending->call = xmalloc(sizeof(*pending->call));
	*pending->call = call->call.view;
	return true;
}

static void fill_record(struct live_call *call, const struct call_story *story, int64_t at_ms,
			struct record *record)
{
	record->at_ms = at_ms;
	record->has |= call->call.is_detached ? 0 : RECORD_CALL;
	record->call = call->call.view;
	if (story->closed_event)
		close_event(call, record, at_ms);
	if (story->opened_event)
		open_event(call, record, story->opened_event, at_ms);
	if (story->is_result_given) {
		record->has |= RECORD_RESULT;
		record->result_id = uuid_make(at_ms);
		record->is_result_automatic = call->call.outcome.is_automatic;
		str_copy_cut(record->result, sizeof(record->result), call->call.outcome.name);
		str_copy_cut(record->comment, sizeof(record->comment), call->call.comment);
	}
}

static void log_story(const struct live_call *call, const struct call_story *story)
{
	const struct call_view *v = &call->call.view;
	char id[UUID_TEXT_SIZE];

	if (story->is_new_client_state)
		log_info("call",
			 "call=%s agent=%s tab=%d state=%s number=%s reason=%s actor=%s cause=%d",
			 uuid_format(&v->call_id, id), call->agent ? call->agent->setup.login : "-",
			 v->tab, call_state_word(v->state), log_number(v->phone), v->reason,
			 actor_word(v->actor), v->cause);
}

void control_record_call(struct control *control, struct live_call *call, const struct call *before,
			 const struct call_event *event)
{
	struct call_story story = call_story(before, &call->call);
	struct record *record = xcalloc(1, sizeof(*record));

	/* before the row that begins now, so that keys and times tell the order */
	if (story.instant_event)
		record_instant(control, call, story.instant_event, event->at_ms);
	fill_record(call, &story, event->at_ms, record);
	control_fill_step(event, record);
	call->told_can = call->call.view.can;
	call->told_partner_tab = call->call.view.partner_tab;
	append_call(control, call, story.is_new_client_state ? TELL_STATE : TELL_UPDATE, record);
	if (PLANTED(13) && record->has & RECORD_RESULT) {
		uint64_t ignored;

		record->has = RECORD_RESULT;
		record->result_id = uuid_make(event->at_ms);
		control_append(control, record, &ignored);
	}
	free(record);
	log_story(call, &story);
}

void control_forget_when_stable(struct control *control, struct live_call *call)
{
	control_when_stable(control, PENDING_FORGET, call->last_record)->forget = call;
}

/* What the agent's other tabs carry. */
static struct call_neighbours neighbours(const struct live_call *call)
{
	struct call_neighbours others = {.has_place =
						 !call->agent || control_free_tab(call->agent)};

	others.has_active = others.has_fixed = call->agent && call->agent->is_device_held;

	for (int i = 1; call->agent && i <= TAB_MAX; i++) {
		const struct live_call *other = control_current(call->agent, i);

		if (!other || other == call)
			continue;
		others.has_held |= call_state_is_held(other->call.view.state);
		if (control_uses_audio(other)) {
			others.has_active = true;
			others.has_fixed |= !call_rule_find(&other->call, EV_HOLD);
		}
		if (other->call.is_consult && call->call.view.partner_tab == i)
			others.has_consult |=
				call_rule_find(&other->call, EV_CANCEL_CONSULT) != NULL;
	}
	return others;
}

unsigned control_abilities(const struct live_call *call)
{
	struct call_neighbours others = neighbours(call);

	return call_can(&call->call, &others);
}

/* No row says it, but it is told in order with everything else. */
static void record_notice(struct control *control, struct live_call *call)
{
	struct record *record = xcalloc(1, sizeof(*record));

	record->at_ms = control_call_ms(call);
	record->has = RECORD_NOTICE;
	record->call = call->call.view;
	append_call(control, call, TELL_UPDATE, record);
	free(record);
}

void control_refresh(struct control *control, struct agent_slot *agent)
{
	for (int i = 1; i <= TAB_MAX; i++) {
		struct live_call *call = control_current(agent, i);

		if (!call)
			continue;
		call->call.view.can = control_abilities(call);
		if (call->told_can == call->call.view.can &&
		    call->told_partner_tab == call->call.view.partner_tab)
			continue;
		call->told_can = call->call.view.can;
		call->told_partner_tab = call->call.view.partner_tab;
		call->call.view.version++;
		record_notice(control, call);
	}
}

void control_record_agent(struct control *control, struct agent_slot *agent)
{
	struct record *record = xcalloc(1, sizeof(*record));
	uint64_t number;

	record->at_ms = control_now_ms(control);
	record->has = RECORD_AGENT;
	record->agent = agent->view;
	if (control_append(control, record, &number))
		control_when_stable(control, PENDING_AGENT, number)->agent = agent->view;
	free(record);
}

static void tell_doors(struct control *control, enum tell_kind kind, const struct tab_slot *slot)
{
	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_call)
			control->listeners[i].on_call(control->listeners[i].user, kind, slot->told,
						      control->epoch, slot->seq);
}

static void tell_call(struct control *control, const struct pending_tell *pending)
{
	struct agent_slot *agent = control_find_agent(control, &pending->call->agent_id);
	struct tab_slot *slot;

	if (!agent)
		return;
	slot = control_tab(control, agent, pending->call->tab);
	if (!slot->told)
		slot->told = xmalloc(sizeof(*slot->told));
	*slot->told = *pending->call;
	slot->seq = PLANTED(16) && pending->seq % 16 < 2 ? pending->seq ^ 1 : pending->seq;
	control->told_count++;
	FAILPOINT("tell");
	if (PLANTED(2) && control->told_count % 40 == 0)
		return;
	tell_doors(control, pending->tell, slot);
	if (PLANTED(15) && control->told_count % 40 == 0)
		tell_doors(control, pending->tell, slot);
}

static void tell_agent(struct control *control, const struct pending_tell *pending)
{
	struct agent_slot *agent = control_find_agent(control, &pending->agent.agent_id);

	if (!agent)
		return;
	agent->told = pending->agent;
	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_agent)
			control->listeners[i].on_agent(control->listeners[i].user, &agent->told,
						       control->epoch);
}

/* What is still up at the switch is not forgotten: its end comes, or it is swept. */
static void forget(struct control *control, struct live_call *call)
{
	call->is_ended = true;
	control_leave_dialer_index(control, call);
	if (!call->line[0])
		control_call_destroy(control, call);
}

static void tell(struct control *control, struct pending_tell *pending)
{
	switch (pending->kind) {
	case PENDING_CALL:
		tell_call(control, pending);
		break;
	case PENDING_AGENT:
		tell_agent(control, pending);
		break;
	case PENDING_FORGET:
		forget(control, pending->forget);
		break;
	case PENDING_INTENT:
		if (pending->work)
			control_push(control, pending->work);
		break;
	case PENDING_ANSWER:
		control_tell_answer(control, pending->entry);
		break;
	case PENDING_FAR:
		call_far(control, &pending->call_id);
		break;
	}
	free(pending->call);
	free(pending);
}

void control_on_stable(void *user, uint64_t number)
{
	struct control *control = user;
	struct pending_tell *pending;

	while ((pending = control->pending_head) && pending->record <= number) {
		control->pending_head = pending->next;
		if (!control->pending_head)
			control->pending_tail = &control->pending_head;
		tell(control, pending);
	}
}

void control_notice(struct control *control, const struct uuid *agent_id, const char *code,
		    const char *message)
{
	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_notice)
			control->listeners[i].on_notice(control->listeners[i].user, agent_id, code,
							message);
}

void control_on_degraded(void *user, bool is_degraded, const char *why)
{
	struct control *control = user;

	if (control->is_degraded == is_degraded)
		return;
	control->is_degraded = is_degraded;
	if (is_degraded)
		control_refuse_intended(control);
	if (is_degraded)
		log_err("storage is away: events wait, new calls are refused", "why=%s",
			log_quote(why ? why : ""));
	else
		log_warn("storage is back", "waiting=%llu",
			 (unsigned long long)record_log_waiting(control->log));
	control_offer_soon(control);
	control_notice(control, NULL, is_degraded ? "storage.degraded" : "storage.ok",
		       is_degraded ? "storage is away: what happens is shown when it is back"
				   : "storage is back");
}

void control_on_database(void *user, bool is_away)
{
	control_notice(user, NULL, is_away ? "database.away" : "database.ok",
		       is_away ? "the database is away: calls go on, reports have to wait"
			       : "the database is back");
}

void control_tell_tabs(struct control *control, const struct agent_slot *agent)
{
	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_tabs)
			control->listeners[i].on_tabs(control->listeners[i].user,
						      &agent->setup.agent_id);
}
