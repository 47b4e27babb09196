#include "tests/support/fake_control.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#include <utlist.h>

struct agent {
	unsigned number;
	unsigned pages;
	enum agent_state state;
	unsigned tabs; /* bit per tab that somebody attached to */
	uint32_t seq[TAB_MAX + 1];
	uint8_t call_state[TAB_MAX + 1]; /* CALL_NONE = never had one */
};

struct waiting {
	struct command command;
	control_reply_fn on_reply;
	void *user;
	struct waiting *prev, *next;
};

struct seen_tab {
	struct agent *agent;
	int tab;
};

struct control {
	const struct clock *clock;
	struct agent **agents; /* by number */
	unsigned agents_size;
	struct control_listener listeners[4];
	unsigned listener_count;
	struct waiting *waiting;
	unsigned waiting_count, present_count;
	struct seen_tab *seen;
	unsigned seen_count, seen_capacity;
};

/* ---- made-up things ---- */

struct uuid fake_uuid(unsigned kind, unsigned number)
{
	struct uuid uuid = {{(uint8_t)kind, 0, 0, 0, 0, 0, 0x70, 0, 0x80}};

	for (int i = 0; i < 4; i++)
		uuid.bytes[15 - i] = (uint8_t)(number >> (8 * i));
	return uuid;
}

unsigned fake_number(const struct uuid *uuid)
{
	unsigned number = 0;

	for (int i = 12; i < 16; i++)
		number = number << 8 | uuid->bytes[i];
	return number;
}

void fake_call(struct control *control, unsigned agent, int tab, enum call_state state,
	       const char *mark, struct call_view *ret)
{
	*ret = (struct call_view){
		.call_id = fake_uuid(3, agent * 16 + (unsigned)tab),
		.dialer_call_id = fake_uuid(4, agent * 16 + (unsigned)tab),
		.phone_call_id = fake_uuid(5, agent * 16 + (unsigned)tab),
		.agent_id = fake_uuid(1, agent),
		.tab = tab,
		.version = 7,
		.state = state,
		.state_at_ms = clock_wall_ms(control->clock),
		.direction = DIR_OUTBOUND,
		.phone = "+15551234567",
		.from = {.type = "agent", .name = "Ada Example"},
		.to = {.type = "contact", .name = "Grace Example"},
		.extension = "1001",
		.reason = "answered",
		.actor = ACTOR_SWITCH,
		.campaign = "Spring renewal",
		.attempt = 1,
		.can = CAN_HOLD | CAN_DTMF | CAN_RELEASE,
	};
	str_copy_cut(ret->command_id, sizeof(ret->command_id), mark);
}

static void fake_agent_view(const struct control *control, const struct agent *agent,
			    struct agent_view *ret)
{
	*ret = (struct agent_view){
		.agent_id = fake_uuid(1, agent->number),
		.name = "Ada Example",
		.extension = "1001",
		.state = agent->state,
		.next_state = agent->state,
		.state_at_ms = clock_wall_ms(control->clock),
		.is_phone_reachable = true,
	};
	snprintf(ret->login, sizeof(ret->login), "%u", agent->number);
}

/* ---- life ---- */

struct control *fake_control_create(const struct clock *clock)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->clock = clock;
	return control;
}

void fake_control_destroy(struct control *control)
{
	fake_answer_all(control, NULL);
	for (unsigned i = 0; i < control->agents_size; i++)
		free(control->agents[i]);
	free(control->agents);
	free(control->seen);
	free(control);
}

static struct agent *need_agent(struct control *control, unsigned number)
{
	struct agent **place;

	if (number >= control->agents_size) {
		unsigned size = 2 * number + 16;
		control->agents = xrealloc(control->agents, size * sizeof(struct agent *));
		memset(control->agents + control->agents_size, 0,
		       (size - control->agents_size) * sizeof(struct agent *));
		control->agents_size = size;
	}
	place = &control->agents[number];
	if (!*place) {
		*place = xcalloc(1, sizeof(struct agent));
		(*place)->number = number;
		(*place)->state = AGENT_LOGGED_IN;
	}
	return *place;
}

static void see_tab(struct control *control, struct agent *agent, int tab)
{
	if (agent->tabs & 1u << tab)
		return;
	agent->tabs |= 1u << tab;
	if (control->seen_count == control->seen_capacity) {
		control->seen_capacity = control->seen_capacity ? 2 * control->seen_capacity : 64;
		control->seen =
			xrealloc(control->seen, control->seen_capacity * sizeof(*control->seen));
	}
	control->seen[control->seen_count++] = (struct seen_tab){agent, tab};
}

/* ---- what the door calls ---- */

void control_listen(struct control *control, const struct control_listener *listener)
{
	control->listeners[control->listener_count++] = *listener;
}

bool control_tab_snapshot(struct control *control, const struct uuid *agent_id, int tab,
			  struct call_view *ret, uint64_t *ret_epoch, uint64_t *ret_seq)
{
	struct agent *agent = need_agent(control, fake_number(agent_id));

	see_tab(control, agent, tab);
	*ret_epoch = FAKE_EPOCH;
	*ret_seq = agent->seq[tab];
	fake_call(control, agent->number, tab, agent->call_state[tab], "", ret);
	return agent->call_state[tab] != CALL_NONE;
}

bool control_agent_view(struct control *control, const struct uuid *agent_id,
			struct agent_view *ret)
{
	if (fake_number(agent_id) >= FAKE_NOBODY)
		return false;
	fake_agent_view(control, need_agent(control, fake_number(agent_id)), ret);
	return true;
}

unsigned control_tabs(struct control *control, const struct uuid *agent_id, int tabs[TAB_MAX])
{
	const struct agent *agent = need_agent(control, fake_number(agent_id));
	unsigned count = 0;

	for (int tab = 1; tab <= TAB_MAX; tab++)
		if (agent->tabs & 1u << tab)
			tabs[count++] = tab;
	return count;
}

unsigned control_outcomes(struct control *control, struct outcome_setup *ret, unsigned max)
{
	static const char *const names[] = {"Sale", "No interest", "Voice mail"};
	unsigned count = 0;

	(void)control;
	for (; count < 3 && count < max; count++) {
		ret[count] = (struct outcome_setup){.is_default = count == 1};
		str_copy_cut(ret[count].name, sizeof(ret[count].name), names[count]);
	}
	return count;
}

void control_agent_present(struct control *control, const struct uuid *agent_id, bool is_present)
{
	struct agent *agent = need_agent(control, fake_number(agent_id));

	if (is_present) {
		agent->pages++;
		control->present_count++;
	} else {
		agent->pages--;
		control->present_count--;
	}
}

void control_command(struct control *control, const struct command *command,
		     control_reply_fn on_reply, void *user)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));

	waiting->command = *command;
	waiting->on_reply = on_reply;
	waiting->user = user;
	DL_APPEND(control->waiting, waiting);
	control->waiting_count++;
}

/* ---- what tests do ---- */

static void tell_call(struct control *control, struct agent *agent, int tab, enum call_state state,
		      const struct call_view *call)
{
	enum tell_kind kind = agent->call_state[tab] == state ? TELL_UPDATE : TELL_STATE;

	agent->call_state[tab] = (uint8_t)state;
	agent->seq[tab]++;
	for (unsigned i = 0; i < control->listener_count; i++)
		control->listeners[i].on_call(control->listeners[i].user, kind, call, FAKE_EPOCH,
					      agent->seq[tab]);
}

void fake_tell_call(struct control *control, unsigned agent, int tab, enum call_state state,
		    const char *mark)
{
	struct call_view call;

	fake_call(control, agent, tab, state, mark, &call);
	tell_call(control, need_agent(control, agent), tab, state, &call);
}

void fake_tell_past(struct control *control, unsigned agent, int tab, const struct call_view *call,
		    uint64_t seq, int64_t age_ms)
{
	struct agent *who = need_agent(control, agent);

	who->seq[tab] = (uint32_t)seq;
	who->call_state[tab] = (uint8_t)call->state;
	for (unsigned i = 0; i < control->listener_count; i++)
		if (control->listeners[i].on_past)
			control->listeners[i].on_past(control->listeners[i].user, TELL_STATE, call,
						      FAKE_EPOCH, seq, age_ms);
}

bool fake_tell_seen(struct control *control, unsigned i, struct call_view *call)
{
	const struct seen_tab *seen;

	if (i >= control->seen_count)
		return false;
	seen = &control->seen[i];
	call->agent_id = fake_uuid(1, seen->agent->number);
	call->tab = seen->tab;
	tell_call(control, seen->agent, seen->tab, call->state, call);
	return true;
}

unsigned fake_seen_count(const struct control *control)
{
	return control->seen_count;
}

void fake_tell_agent(struct control *control, unsigned agent, enum agent_state state)
{
	struct agent *who = need_agent(control, agent);
	struct agent_view view;

	who->state = state;
	fake_agent_view(control, who, &view);
	for (unsigned i = 0; i < control->listener_count; i++)
		control->listeners[i].on_agent(control->listeners[i].user, &view, FAKE_EPOCH);
}

void fake_tell_tabs(struct control *control, unsigned agent)
{
	const struct uuid id = fake_uuid(1, agent);

	for (unsigned i = 0; i < control->listener_count; i++)
		control->listeners[i].on_tabs(control->listeners[i].user, &id);
}

void fake_tell_notice(struct control *control, unsigned agent, const char *code,
		      const char *message)
{
	const struct uuid id = fake_uuid(1, agent);

	for (unsigned i = 0; i < control->listener_count; i++)
		control->listeners[i].on_notice(control->listeners[i].user, agent ? &id : NULL,
						code, message);
}

bool fake_is_present(struct control *control, unsigned agent)
{
	return need_agent(control, agent)->pages > 0;
}

unsigned fake_present_count(const struct control *control)
{
	return control->present_count;
}

const struct command *fake_command(const struct control *control, unsigned i)
{
	const struct waiting *waiting = control->waiting;

	while (waiting && i-- > 0)
		waiting = waiting->next;
	return waiting ? &waiting->command : NULL;
}

unsigned fake_command_count(const struct control *control)
{
	return control->waiting_count;
}

static void fill_reply(const struct command *command, const struct err *err, struct reply *ret)
{
	*ret = (struct reply){.tab = command->tab};
	if (err) {
		ret->status = err->status;
		ret->err = *err;
		return;
	}
	ret->call_id = fake_uuid(3, fake_number(&command->agent_id) * 16 + (unsigned)command->tab);
	ret->dialer_call_id =
		fake_uuid(4, fake_number(&command->agent_id) * 16 + (unsigned)command->tab);
}

unsigned fake_answer_all(struct control *control, const struct err *err)
{
	struct waiting *waiting;
	unsigned count = 0;

	while ((waiting = control->waiting)) {
		struct reply reply;
		DL_DELETE(control->waiting, waiting);
		control->waiting_count--;
		fill_reply(&waiting->command, err, &reply);
		waiting->on_reply(waiting->user, &waiting->command, &reply);
		free(waiting);
		count++;
	}
	return count;
}
