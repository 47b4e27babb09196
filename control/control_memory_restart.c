/* Commands over a restart: what was answered keeps its answer; what nobody answered for is found
 * out about, or honestly unknown. */
#include "control/control_memory.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/str.h"

static void answer_error(struct control *control, struct remembered *entry, enum status status,
			 const char *code, const char *message)
{
	struct reply reply = {.status = status};

	err_set(&reply.err, status, code, "", "%s", message);
	memory_answer(control, entry, &reply);
}

static struct remembered *recall(struct control *control, const struct record *record)
{
	const struct record_intent *intent = &record->intent;
	bool is_program = intent->kind == CMD_PRESENT;
	char key[KEY_MAX];
	size_t length = memory_make_key(key, &intent->key, intent->tab, is_program, intent->id);
	struct remembered *entry = memory_find(control, key, length);

	if (!entry)
		entry = memory_add(control, key, length, record->at_ms);
	entry->body_hash = intent->body_hash;
	return entry;
}

static void remember_intent(struct remembered *entry, const struct record_intent *intent)
{
	if (entry->intent || entry->progress == ANSWERED)
		return;
	entry->intent = xmalloc(sizeof(*intent));
	*entry->intent = *intent;
}

static void remember_answer(struct control *control, struct remembered *entry,
			    const struct record_answer *stored)
{
	struct reply reply = {.status = stored->err.status,
			      .err = stored->err,
			      .call_id = stored->call_id,
			      .dialer_call_id = stored->dialer_call_id,
			      .tab = stored->tab};

	free(entry->intent);
	entry->intent = NULL;
	if (entry->progress != ANSWERED)
		memory_keep(entry, &reply);
	entry->progress = ANSWERED;
	if (memory_is_for_now(entry))
		memory_forget(control, entry);
}

void control_remember(struct control *control, const struct record *record)
{
	if (!control->config.remember_s || PLANTED(5))
		return;
	if (record->has & RECORD_ANSWER)
		remember_answer(control, recall(control, record), &record->answer);
	else if (record->intent.id[0])
		remember_intent(recall(control, record), &record->intent);
}

/* The last thing that happened to the call was this command. */
static struct live_call *changed_by(struct control *control, const struct record_intent *intent)
{
	struct live_call *call, *next;

	HASH_ITER(by_id, control->calls, call, next) {
		if (uuid_equal(&call->call.view.agent_id, &intent->agent_id) &&
		    (!strcmp(call->call.view.command_id, intent->id) ||
		     (!uuid_is_nil(&intent->call_id) &&
		      uuid_equal(&call->call.view.call_id, &intent->call_id) &&
		      call->call.view.state != CALL_PREVIEW &&
		      call->call.view.state != CALL_PREVIEW_PAUSED)))
			return call;
	}
	return NULL;
}

/* Without the step that tells of it this was certainly not done, or is undone by now: it happens in
 * records only; or what is so at the switch is made what the last step says it is (who hears whom,
 * who is held, who is mute), and a caller who was answered is still offered; or it calls somebody,
 * which waits for the step. */
static bool is_surely_undone(const struct record_intent *intent)
{
	switch ((enum command_kind)intent->kind) {
	case CMD_PAUSE_TIMER:
	case CMD_RESUME_TIMER:
	case CMD_SET_OUTCOME:
	case CMD_SCHEDULE_CALLBACK:
	case CMD_END_WRAP:
	case CMD_AGENT_STATE:
	case CMD_PRESENT:
	case CMD_SKIP:
	case CMD_ANSWER:
	case CMD_HOLDRESUME:
	case CMD_RESUME:
	case CMD_MUTE:
	case CMD_RECORD_RESUME:
		return true;
	case CMD_DIAL:
	case CMD_TRANSFER_BLIND:
	case CMD_TRANSFER_CONSULT:
		return intent->far_waits;
	default:
		return false;
	}
}

/* As if it had never been asked: who asks again under the same id, or has already, gets it done. */
static void begin_anew(struct control *control, struct remembered *entry)
{
	struct work *asked = NULL, *work;

	while ((work = entry->waiters)) { /* the newest is first */
		entry->waiters = work->next;
		work->next = asked;
		asked = work;
	}
	memory_forget(control, entry);
	while ((work = asked)) {
		asked = work->next;
		work->kind = WORK_COMMAND;
		work->u.c.entry = NULL;
		control_push(control, work);
	}
}

/* Asked for again: at the switch it makes no difference how often. */
static void send_again(struct control *control, struct remembered *entry)
{
	struct work *work = xcalloc(1, sizeof(*work));
	struct command *command = &work->u.c.command;

	command->kind = (enum command_kind)entry->intent->kind;
	command->actor = ACTOR_RECONCILER;
	str_copy(command->id, sizeof(command->id), entry->intent->id);
	command->agent_id = entry->intent->agent_id;
	command->tab = entry->intent->tab;
	work->kind = WORK_INTENDED;
	work->u.c.entry = entry;
	control_push(control, work);
}

/* They end or park a call, or keep a secret out of its recording. */
static bool is_safe_twice(int kind)
{
	return kind == CMD_RELEASE || kind == CMD_REJECT || kind == CMD_HOLD ||
	       kind == CMD_RECORD_PAUSE || kind == CMD_RECORD_STOP;
}

static void settle_one(struct control *control, struct remembered *entry)
{
	struct record_intent intent = *entry->intent;
	struct live_call *call = changed_by(control, &intent);
	struct reply reply = {.status = ST_OK, .tab = intent.tab};

	if (!call && is_surely_undone(&intent)) {
		begin_anew(control, entry);
		return;
	}
	if (!call && !PLANTED(22) && is_safe_twice(intent.kind)) {
		send_again(control, entry);
	} else if (call && strcmp(call->call.view.reason, "lost") != 0) {
		reply.call_id = call->call.view.call_id;
		reply.dialer_call_id = call->call.view.dialer_call_id;
		reply.tab = call->call.view.tab;
		memory_answer(control, entry, &reply);
	} else {
		answer_error(control, entry, ST_INTERNAL, "command.unknown",
			     "the gateway was restarted: nobody knows whether this was done");
	}
	free(entry->intent);
	entry->intent = NULL;
}

void control_each_open_dial(struct control *control,
			    void (*each)(struct control *, const struct record_intent *))
{
	struct remembered *entry, *next;

	HASH_ITER(hh, control->memory.by_id, entry, next)
		if (entry->intent && entry->intent->kind == CMD_DIAL)
			each(control, entry->intent);
}

void control_settle_intents(struct control *control)
{
	struct remembered *entry, *next;

	HASH_ITER(hh, control->memory.by_id, entry, next)
		if (entry->intent)
			settle_one(control, entry);
}

void control_copy_begin(struct control *control)
{
	control->memory.cursor = control->memory.by_id;
}

bool control_copy_commands(struct control *control, unsigned most)
{
	struct remembered *entry = control->memory.cursor;
	struct record *record = xcalloc(1, sizeof(*record));
	uint64_t number;

	for (; entry && most > 0; entry = entry->hh.next) {
		if (entry->progress != ANSWERED)
			continue; /* its answer comes behind the checkpoint's beginning */
		memset(record, 0, sizeof(*record));
		record->at_ms = entry->at_ms;
		record->has = RECORD_COPY;
		memory_fill_answer(entry, record);
		control_append(control, record, &number);
		most--;
	}
	free(record);
	control->memory.cursor = entry;
	return entry != NULL;
}
