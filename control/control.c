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
	return control;
}

static void free_queues(struct control *control)
{
	struct queue_slot *queue, *next;

	HASH_ITER(by_number, control->queues, queue, next)
	{
		HASH_DELETE(by_number, control->queues, queue);
		free(queue);
	}
}

static void free_agents(struct control *control)
{
	struct agent_slot *agent, *next;

	HASH_CLEAR(by_login, control->agents_by_login);
	HASH_CLEAR(by_extension, control->agents_by_extension);
	HASH_ITER(by_id, control->agents, agent, next)
	{
		HASH_DELETE(by_id, control->agents, agent);
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
	free_work(control);
	for (item = inbox_take_all(&control->inbox); item; item = after) {
		after = item->next;
		free(item);
	}
	inbox_done(&control->inbox);
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

/* --- setup --- */

static void index_agent(struct control *control, struct agent_slot *agent)
{
	HASH_ADD(by_id, control->agents, setup.agent_id, sizeof(agent->setup.agent_id), agent);
	HASH_ADD_KEYPTR(by_login, control->agents_by_login, agent->setup.login,
			strlen(agent->setup.login), agent);
	HASH_ADD_KEYPTR(by_extension, control->agents_by_extension, agent->setup.extension,
			strlen(agent->setup.extension), agent);
}

static void unindex_agent(struct control *control, struct agent_slot *agent)
{
	HASH_DELETE(by_id, control->agents, agent);
	HASH_DELETE(by_login, control->agents_by_login, agent);
	HASH_DELETE(by_extension, control->agents_by_extension, agent);
}

void control_set_agent(struct control *control, const struct agent_setup *setup)
{
	struct agent_slot *agent = control_find_agent(control, &setup->agent_id);

	if (agent) {
		unindex_agent(control, agent);
	} else {
		agent = xcalloc(1, sizeof(*agent));
		agent->view.state = agent->view.next_state = AGENT_LOGGED_OUT;
		agent->view.state_at_ms = control_now_ms(control);
		/* versions grow over restarts too: a row is only written by a newer one */
		agent->view.version = (unsigned)(control->epoch / 100 - 17000000000);
	}
	agent->setup = *setup;
	agent->view.agent_id = setup->agent_id;
	agent->view.tenant_id = control->config.tenant_id;
	str_copy_cut(agent->view.login, sizeof(agent->view.login), setup->login);
	str_copy_cut(agent->view.name, sizeof(agent->view.name), setup->name);
	str_copy_cut(agent->view.extension, sizeof(agent->view.extension), setup->extension);
	agent->told = agent->view;
	index_agent(control, agent);
}

void control_set_queue(struct control *control, const struct queue_setup *setup)
{
	struct queue_slot *queue;

	HASH_FIND(by_number, control->queues, setup->number, strlen(setup->number), queue);
	if (!queue) {
		queue = xcalloc(1, sizeof(*queue));
		queue->setup = *setup;
		HASH_ADD_KEYPTR(by_number, control->queues, queue->setup.number,
				strlen(queue->setup.number), queue);
	}
	queue->setup = *setup;
}

void control_set_outcome(struct control *control, const struct outcome_setup *outcome)
{
	for (unsigned i = 0; i < control->outcome_count; i++)
		if (uuid_equal(&control->outcomes[i].outcome_id, &outcome->outcome_id)) {
			control->outcomes[i] = *outcome;
			return;
		}
	if (control->outcome_count < OUTCOMES_MAX)
		control->outcomes[control->outcome_count++] = *outcome;
}

/* --- finding --- */

struct agent_slot *control_find_agent(struct control *control, const struct uuid *agent_id)
{
	struct agent_slot *agent;

	HASH_FIND(by_id, control->agents, agent_id, sizeof(*agent_id), agent);
	return agent;
}

bool control_find_agent_by_login(struct control *control, const char *login, struct uuid *ret)
{
	struct agent_slot *agent;

	HASH_FIND(by_login, control->agents_by_login, login, strlen(login), agent);
	if (agent)
		*ret = agent->setup.agent_id;
	return agent != NULL;
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

static void push(struct control *control, struct work *work)
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
	push(control, work);
}

void control_on_fact(void *control, const struct tel_call_fact *fact)
{
	struct work *work = xmalloc(sizeof(*work));

	work->kind = WORK_FACT;
	work->u.fact = *fact;
	push(control, work);
}

void control_queue_event(struct control *control, const struct live_call *call,
			 const struct call_event *event)
{
	struct work *work = xmalloc(sizeof(*work));

	work->kind = WORK_EVENT;
	work->u.e.call_id = call->call.view.call_id;
	work->u.e.event = *event;
	push(control, work);
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

static void do_event(struct control *control, const struct work *work)
{
	struct live_call *call;

	HASH_FIND(by_id, control->calls, &work->u.e.call_id, sizeof(work->u.e.call_id), call);
	if (call)
		control_apply(control, call, &work->u.e.event, NULL, NULL);
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

static void run_work(struct control *control)
{
	struct work *work;

	while ((work = control->work_head)) {
		control->work_head = work->next;
		if (!control->work_head)
			control->work_tail = &control->work_head;
		if (work->kind == WORK_COMMAND) {
			control->command_count++;
			control_do_command(control, &work->u.c.command, work->u.c.on_reply,
					   work->u.c.user);
		} else if (work->kind == WORK_FACT) {
			control->fact_count++;
			control_do_fact(control, &work->u.fact);
		} else {
			do_event(control, work);
		}
		free(work);
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
		if (control->is_offer_due)
			control_offer_waiting(control);
	} while (control->work_head);
	control->is_polling = false;
}

/* --- reading --- */

bool control_tab_snapshot(struct control *control, const struct uuid *agent_id, int tab,
			  struct call_view *ret, uint64_t *ret_epoch, uint64_t *ret_seq)
{
	struct agent_slot *agent = control_find_agent(control, agent_id);
	struct tab_slot *slot;

	*ret_epoch = control->epoch;
	*ret_seq = 0;
	memset(ret, 0, sizeof(*ret));
	if (!agent || tab < 1 || tab > TAB_MAX)
		return false;
	slot = control_tab(control, agent, tab);
	*ret_seq = slot->seq;
	if (slot->told)
		*ret = *slot->told;
	return slot->told != NULL;
}

bool control_agent_view(struct control *control, const struct uuid *agent_id,
			struct agent_view *ret)
{
	struct agent_slot *agent = control_find_agent(control, agent_id);

	if (agent)
		*ret = agent->told;
	return agent != NULL;
}

unsigned control_tabs(struct control *control, const struct uuid *agent_id, int tabs[TAB_MAX])
{
	struct agent_slot *agent = control_find_agent(control, agent_id);
	unsigned count = 0;

	for (int i = 1; agent && i <= TAB_MAX; i++)
		if (agent->tabs[i])
			tabs[count++] = i;
	return count;
}

unsigned control_outcomes(struct control *control, struct outcome_setup *ret, unsigned max)
{
	unsigned count = control->outcome_count < max ? control->outcome_count : max;

	memcpy(ret, control->outcomes, count * sizeof(*ret));
	return count;
}

void control_agent_present(struct control *control, const struct uuid *agent_id, bool is_present)
{
	struct agent_slot *agent = control_find_agent(control, agent_id);

	if (!agent)
		return;
	if (is_present)
		agent->pages++;
	else if (agent->pages)
		agent->pages--;
	if (is_present && agent->pages == 1)
		control_agent_event(control, agent, AGENT_EV_PRESENT);
	control->is_offer_due = true;
}

void control_figures(const struct control *control, struct control_figures *ret)
{
	struct agent_slot *agent, *next;
	const struct live_call *call;

	*ret = (struct control_figures){
		.calls_live = HASH_CNT(by_id, control->calls),
		.agents = HASH_CNT(by_id, control->agents),
		.commands = control->command_count,
		.facts = control->fact_count,
		.told = control->told_count,
		.is_switch_linked = control->is_linked,
		.is_storage_degraded = control->is_degraded,
	};
	HASH_ITER(by_id, control->agents, agent, next)
	ret->agents_ready += agent->view.state == AGENT_READY;
	for (call = control->waiting; call; call = call->next_waiting)
		ret->waiting_callers++;
}
