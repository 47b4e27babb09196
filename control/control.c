#include "control/control_priv.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"

struct posted {
	struct inbox_item item;
	void (*fn)(struct control *, void *arg);
	void *arg;
};

#define POSTED_LIMIT 10000

static void on_sweep(void *arg)
{
	control_sweep_lines(arg);
}

struct control *control_create(const struct control_config *config, const struct clock *clock,
			       struct timers *timers, void (*wake)(void *user), void *user)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->config = *config;
	if (!control->config.max_calls)
		control->config.max_calls = 20000;
	control->clock = clock;
	control->timers = timers;
	control->work_tail = &control->work_head;
	control->pending_tail = &control->pending_head;
	control->epoch = (uint64_t)clock_wall_ms(clock);
	inbox_init(&control->inbox, POSTED_LIMIT, wake, user);
	control->sweep.fire = on_sweep;
	control->sweep.arg = control;
	return control;
}

static void free_queues(struct control *control)
{
	struct queue_slot *queue, *next;

	HASH_ITER(by_number, control->queues, queue, next) {
		HASH_DELETE(by_number, control->queues, queue);
		free(queue);
	}
}

static void free_agents(struct control *control)
{
	struct agent_slot *agent, *next;

	HASH_CLEAR(by_login, control->agents_by_login);
	HASH_CLEAR(by_extension, control->agents_by_extension);
	HASH_ITER(by_id, control->agents, agent, next) {
		HASH_DELETE(by_id, control->agents, agent);
		timer_stop(control->timers, &agent->left_timer);
		timer_stop(control->timers, &agent->lease_timer);
		for (int i = 1; i <= TAB_MAX; i++)
			if (agent->tabs[i]) {
				free(agent->tabs[i]->told);
				free(agent->tabs[i]);
			}
		free(agent);
	}
}

static void free_work(struct control *control)
{
	while (control->work_head) {
		struct work *work = control->work_head;

		control->work_head = work->next;
		free(work);
	}
	while (control->pending_head) {
		struct pending_tell *pending = control->pending_head;

		control->pending_head = pending->next;
		free(pending->work);
		free(pending->call);
		free(pending);
	}
}

void control_destroy(struct control *control)
{
	struct live_call *call, *next;
	struct inbox_item *item, *after;

	if (!control)
		return;
	HASH_ITER(by_id, control->calls, call, next)
		control_call_destroy(control, call);
	free_agents(control);
	free_queues(control);
	control_sounds_free(control);
	control_numbers_free(control);
	free_work(control);
	for (item = inbox_take_all(&control->inbox); item; item = after) {
		after = item->next;
		free(item);
	}
	inbox_done(&control->inbox);
	control_memory_free(control);
	free(control->checkpoint);
	timer_stop(control->timers, &control->sweep);
	timer_stop(control->timers, &control->settle);
	free(control);
}

void control_attach_telephony(struct control *control, struct telephony *telephony)
{
	control->telephony = telephony;
}

void control_attach_log(struct control *control, struct record_log *log)
{
	control->log = log;
}

void control_listen(struct control *control, const struct control_listener *listener)
{
	if (control->listener_count < LISTENERS_MAX)
		control->listeners[control->listener_count++] = *listener;
}

int64_t control_now_ms(const struct control *control)
{
	return clock_wall_ms(control->clock);
}

int64_t control_call_ms(const struct live_call *call)
{
	return call->wall_ms + (clock_mono_us(call->control->clock) - call->mono_us) / 1000;
}

/* --- finding --- */

struct agent_slot *control_find_agent(struct control *control, const struct uuid *agent_id)
{
	struct agent_slot *agent;

	HASH_FIND(by_id, control->agents, agent_id, sizeof(*agent_id), agent);
	return agent;
}

struct tab_slot *control_tab(struct control *control, struct agent_slot *agent, int tab)
{
	if (!agent->tabs[tab]) {
		agent->tabs[tab] = xcalloc(1, sizeof(*agent->tabs[tab]));
		control_tell_tabs(control, agent);
	}
	return agent->tabs[tab];
}

struct live_call *control_current(const struct agent_slot *agent, int tab)
{
	struct live_call *call = agent->tabs[tab] ? agent->tabs[tab]->current : NULL;

	return call && call->call.view.state != CALL_END ? call : NULL;
}

bool control_uses_audio(const struct live_call *call)
{
	enum call_state state = call->call.view.state;

	return call_state_is_active(state) || state == CALL_RINGING || state == CALL_ANSWERING;
}

struct live_call *control_active_call(const struct agent_slot *agent,
				      const struct live_call *except)
{
	for (int i = 1; i <= TAB_MAX; i++) {
		struct live_call *call = control_current(agent, i);

		if (call && call != except && control_uses_audio(call))
			return call;
	}
	return NULL;
}

bool control_is_live(const struct agent_slot *agent)
{
	for (int i = 1; i <= TAB_MAX; i++) {
		struct live_call *call = control_current(agent, i);

		if (call && call_state_is_live(call->call.view.state))
			return true;
	}
	return false;
}

bool control_is_engaged(const struct agent_slot *agent)
{
	for (int i = 1; i <= TAB_MAX; i++)
		if (control_current(agent, i))
			return true;
	return false;
}

int control_free_tab(const struct agent_slot *agent)
{
	int fresh = 0;

	for (int i = 1; i <= TAB_MAX; i++) {
		if (agent->tabs[i] && !control_current(agent, i))
			return i;
		if (!agent->tabs[i] && !fresh)
			fresh = i;
	}
	return fresh;
}

/* --- the queue --- */

void control_push(struct control *control, struct work *work)
{
	work->next = NULL;
	*control->work_tail = work;
	control->work_tail = &work->next;
	if (!control->is_polling && control->inbox.wake)
		control->inbox.wake(control->inbox.user);
}

void control_command(struct control *control, const struct command *command,
		     control_reply_fn on_reply, void *user)
{
	struct work *work = xmalloc(sizeof(*work));

	work->kind = WORK_COMMAND;
	work->u.c.command = *command;
	work->u.c.on_reply = on_reply;
	work->u.c.user = user;
	work->u.c.entry = NULL;
	control_push(control, work);
}

void control_on_fact(void *control, const struct tel_call_fact *fact)
{
	struct work *work = xmalloc(sizeof(*work));

	work->kind = WORK_FACT;
	work->u.fact = *fact;
	control_push(control, work);
}

void control_queue_event(struct control *control, const struct live_call *call,
			 const struct call_event *event)
{
	struct work *work = xmalloc(sizeof(*work));

	work->kind = WORK_EVENT;
	work->u.e.call_id = call->call.view.call_id;
	work->u.e.event = *event;
	control_push(control, work);
}

_Bool control_post(struct control *control, void (*fn)(struct control *, void *arg), void *arg)
{
	struct posted *posted = xmalloc(sizeof(*posted));

	posted->fn = fn;
	posted->arg = arg;
	if (inbox_put(&control->inbox, &posted->item))
		return true;
	free(posted);
	return false;
}

/* A timer that fired before its turn in the queue came may have been paused or replaced meanwhile.
 */
static bool is_due(const struct live_call *call, enum call_event_kind kind)
{
	enum call_event_kind running;
	int64_t at_ms;

	return kind < EV_PREVIEW_TIME || (call_deadline(&call->call, &at_ms, &running) &&
					  running == kind && at_ms <= control_call_ms(call));
}

/* The preview is over, but nothing can be dialed now: it waits for its agent instead of spoiling an
 * attempt. */
static void dial_preview(struct control *control, struct live_call *call,
			 const struct call_event *event, bool is_intended)
{
	struct call_event pause = *event;
	struct err err = {0};
	enum status status = control_check_begin(control, &err);

	if (status == ST_OK)
		status = control_check_audio(call->agent, call, &err);
	if (status == ST_OK) {
		if (is_intended || !control_intend_dial(control, call, event))
			control_apply(control, call, event, NULL, NULL);
		return;
	}
	pause.kind = EV_PAUSE_TIMER;
	pause.reason = err.code;
	control_apply(control, call, &pause, NULL, NULL);
}

static void do_event(struct control *control, const struct work *work)
{
	const struct call_event *event = &work->u.e.event;
	struct live_call *call;

	HASH_FIND(by_id, control->calls, &work->u.e.call_id, sizeof(work->u.e.call_id), call);
	if (!call || !is_due(call, event->kind))
		return;
	if (event->kind == EV_PREVIEW_TIME)
		dial_preview(control, call, event, work->kind == WORK_DIAL_EVENT);
	else
		control_apply(control, call, event, NULL, NULL);
}

static void run_posted(struct control *control)
{
	struct inbox_item *item = inbox_take_all(&control->inbox);

	while (item) {
		struct posted *posted = (struct posted *)item;

		item = item->next;
		posted->fn(control, posted->arg);
		free(posted);
	}
}

static void do_work(struct control *control, struct work *work)
{
	switch (work->kind) {
	case WORK_COMMAND:
		control->command_count++;
		control_take_command(control, work);
		return;
	case WORK_INTENDED:
		control_run_intended(control, work);
		return;
	case WORK_FACT:
		control->fact_count++;
		control_do_fact(control, &work->u.fact);
		break;
	case WORK_EVENT:
	case WORK_DIAL_EVENT:
		do_event(control, work);
		break;
	}
	free(work);
}

static void run_work(struct control *control)
{
	struct work *work;

	while ((work = control->work_head)) {
		control->work_head = work->next;
		if (!control->work_head)
			control->work_tail = &control->work_head;
		record_log_hold(control->log, true);
		do_work(control, work);
		record_log_hold(control->log, false);
	}
}

void control_poll(struct control *control)
{
	if (control->is_polling)
		return;
	control->is_polling = true;
	run_posted(control);
	do {
		run_work(control);
		if (control->is_offer_due) {
			record_log_hold(control->log, true);
			control_offer_waiting(control);
			record_log_hold(control->log, false);
		}
	} while (control->work_head);
	if (control->checkpoint)
		control_checkpoint_go_on(control);
	control->is_polling = false;
}
