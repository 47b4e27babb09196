#include "tests/support/routes_control.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/support/routes_store.h"

#define POSTED_MAX 64

struct posted {
	void (*run)(struct control *control, void *arg);
	void *arg;
};

struct control {
	pthread_mutex_t lock;
	struct posted posted[POSTED_MAX];
	unsigned posted_count;
	bool is_held, is_full;
	struct reply reply;
	struct command last;
	unsigned commands;
};

struct control *routes_control_create(void)
{
	struct control *control = xcalloc(1, sizeof *control);

	pthread_mutex_init(&control->lock, NULL);
	return control;
}

void routes_control_destroy(struct control *control)
{
	pthread_mutex_destroy(&control->lock);
	free(control);
}

void routes_control_set_reply(struct control *control, enum status status, const char *code,
			      const char *message)
{
	control->reply = (struct reply){.status = status};
	if (status != ST_OK)
		err_set(&control->reply.err, status, code, "", "%s", message);
}

void routes_control_hold(struct control *control, bool is_held)
{
	pthread_mutex_lock(&control->lock);
	control->is_held = is_held;
	pthread_mutex_unlock(&control->lock);
}

void routes_control_set_full(struct control *control, bool is_full)
{
	control->is_full = is_full;
}

void routes_control_run(struct control *control)
{
	for (;;) {
		struct posted next = {0};
		pthread_mutex_lock(&control->lock);
		if (control->posted_count > 0) {
			next = control->posted[0];
			control->posted_count--;
			memmove(control->posted, control->posted + 1,
				control->posted_count * sizeof *control->posted);
		}
		pthread_mutex_unlock(&control->lock);
		if (!next.run)
			return;
		next.run(control, next.arg);
	}
}

unsigned routes_control_posted(struct control *control)
{
	pthread_mutex_lock(&control->lock);
	unsigned count = control->posted_count;
	pthread_mutex_unlock(&control->lock);
	return count;
}

_Bool control_post(struct control *control, void (*fn)(struct control *, void *arg), void *arg)
{
	pthread_mutex_lock(&control->lock);
	bool takes = !control->is_full && control->posted_count < POSTED_MAX;
	bool is_held = control->is_held;
	if (takes && is_held)
		control->posted[control->posted_count++] = (struct posted){fn, arg};
	pthread_mutex_unlock(&control->lock);
	if (takes && !is_held)
		fn(control, arg);
	return takes;
}

bool control_agent_view(struct control *control, const struct uuid *agent_id,
			struct agent_view *ret)
{
	struct uuid ada;

	(void)control;
	if (!uuid_parse(STORE_AGENT, &ada) || !uuid_equal(agent_id, &ada))
		return false;
	*ret = (struct agent_view){.agent_id = ada,
				   .state = AGENT_READY,
				   .next_state = AGENT_READY,
				   .state_at_ms = 1767607200123LL,
				   .is_phone_reachable = true};
	str_copy(ret->login, sizeof ret->login, "1001");
	str_copy(ret->name, sizeof ret->name, "Ada Agent");
	str_copy(ret->extension, sizeof ret->extension, "1001");
	return true;
}

bool control_find_agent_by_login(struct control *control, const char *login, struct uuid *ret)
{
	(void)control;
	return strcmp(login, "1001") == 0 && uuid_parse(STORE_AGENT, ret);
}

void control_command(struct control *control, const struct command *command,
		     control_reply_fn on_reply, void *user)
{
	struct reply reply = control->reply;

	control->last = *command;
	control->commands++;
	if (reply.status == ST_OK) {
		(void)uuid_parse(STORE_NEW_CALL, &reply.call_id);
		reply.dialer_call_id = uuid_is_nil(&command->dialer_call_id)
					       ? reply.call_id
					       : command->dialer_call_id;
		reply.tab = command->tab ? command->tab : 1;
	}
	on_reply(user, command, &reply);
}

unsigned routes_control_commands(const struct control *control)
{
	return control->commands;
}

const struct command *routes_control_last(const struct control *control)
{
	return &control->last;
}
