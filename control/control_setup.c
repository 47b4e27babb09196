/* What is configured, and what the doors may read. */
#include "control/control_priv.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* --- setup --- */

static void index_agent(struct control *control, struct agent_slot *agent)
{
	HASH_ADD(by_id, control->agents, setup.agent_id, sizeof(agent->setup.agent_id), agent);
	HASH_ADD_KEYPTR(by_login, control->agents_by_login, agent->setup.login,
			strlen(agent->setup.login), agent);
	if (agent->setup.extension[0])
		HASH_ADD_KEYPTR(by_extension, control->agents_by_extension, agent->setup.extension,
				strlen(agent->setup.extension), agent);
}

static void unindex_agent(struct control *control, struct agent_slot *agent)
{
	HASH_DELETE(by_id, control->agents, agent);
	HASH_DELETE(by_login, control->agents_by_login, agent);
	if (agent->setup.extension[0])
		HASH_DELETE(by_extension, control->agents_by_extension, agent);
}

static void name_agent(const struct control *control, const struct agent_setup *setup,
		       struct agent_view *view)
{
	view->agent_id = setup->agent_id;
	view->tenant_id = control->config.tenant_id;
	str_copy_cut(view->login, sizeof(view->login), setup->login);
	str_copy_cut(view->name, sizeof(view->name), setup->name);
	str_copy_cut(view->extension, sizeof(view->extension), setup->extension);
	view->audio = setup->audio;
}

void control_set_agent(struct control *control, const struct agent_setup *setup)
{
	struct agent_slot *agent = control_find_agent(control, &setup->agent_id);

	if (agent) {
		if (strcmp(agent->setup.extension, setup->extension) != 0 ||
		    agent->setup.audio != setup->audio)
			control_drop_audio(control, agent);
		unindex_agent(control, agent);
	} else {
		agent = xcalloc(1, sizeof(*agent));
		agent->control = control;
		agent->view.state = agent->view.next_state = AGENT_LOGGED_OUT;
		agent->view.state_at_ms = control_now_ms(control);
		agent->told = agent->view;
	}
	agent->setup = *setup;
	name_agent(control, setup, &agent->view);
	name_agent(control, setup, &agent->told);
	index_agent(control, agent);
	control_keep_audio(control, agent);
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

/* --- reading --- */

bool control_find_agent_by_login(struct control *control, const char *login, struct uuid *ret)
{
	struct agent_slot *agent;

	HASH_FIND(by_login, control->agents_by_login, login, strlen(login), agent);
	if (agent)
		*ret = agent->setup.agent_id;
	return agent != NULL;
}

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

void control_figures(const struct control *control, struct control_figures *ret)
{
	*ret = (struct control_figures){
		.calls_live = HASH_CNT(by_id, control->calls),
		.agents = HASH_CNT(by_id, control->agents),
		.agents_ready = control->ready_count,
		.waiting_callers = control->waiting_count,
		.commands = control->command_count,
		.facts = control->fact_count,
		.told = control->told_count,
		.is_switch_linked = control->is_linked,
		.is_storage_degraded = control->is_degraded,
	};
}
