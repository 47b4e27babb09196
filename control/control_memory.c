/* Commands that cannot double. A command's id, what was asked and what was answered are remembered;
 * the intent is stable before the switch is asked, the answer is told when it is stable too. */
#include "control/control_memory.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/str.h"

#define REMEMBERED_MAX 500000

/* --- keys and bodies --- */

size_t memory_make_key(char key[KEY_MAX], const struct uuid *agent_id, int tab, bool is_program,
		       const char *id)
{
	size_t length = strlen(id);

	memcpy(key, agent_id, sizeof(*agent_id));
	key[sizeof(*agent_id)] = (char)(is_program ? TAB_MAX + 1 : tab);
	memcpy(key + sizeof(*agent_id) + 1, id, length);
	return sizeof(*agent_id) + 1 + length;
}

struct remembered *memory_find(struct control *control, const char *key, size_t length)
{
	struct remembered *entry;

	HASH_FIND(hh, control->memory.by_id, key, length, entry);
	return entry;
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return mix(hash, text, strlen(text) + 1);
}

static uint64_t hash_body(const struct command *c)
{
	const int64_t numbers[] = {c->kind,	   c->other_tab,      c->retry_at_ms,
				   c->on,	   c->agent_state,    c->direction,
				   c->is_callback, c->is_for_customer};
	const char *const texts[] = {c->number, c->digits,  c->sound,	c->outcome, c->comment,
				     c->reason, c->subject, c->to.type, c->to.id,   c->to.name};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = mix(hash, numbers, sizeof(numbers));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		hash = mix_text(hash, texts[i]);
	hash = mix(hash, &c->dialer_call_id, sizeof(c->dialer_call_id));
	return mix(hash, &c->phone_call_id, sizeof(c->phone_call_id));
}

/* --- entries --- */

static void free_waiters(struct remembered *entry)
{
	while (entry->waiters) {
		struct work *work = entry->waiters;

		entry->waiters = work->next;
		free(work);
	}
}

void memory_forget(struct control *control, struct remembered *entry)
{
	if (control->memory.cursor == entry)
		control->memory.cursor = entry->hh.next;
	HASH_DELETE(hh, control->memory.by_id, entry);
	free_waiters(entry);
	free(entry->refusal);
	free(entry->intent);
	free(entry);
}

/* The oldest are first. One that is not answered yet is kept whatever its age. */
static void forget_old(struct control *control)
{
	int64_t oldest_ms = control_now_ms(control) - control->config.remember_s * 1000LL;
	struct remembered *entry, *next;

	HASH_ITER(hh, control->memory.by_id, entry, next) {
		bool is_too_many = HASH_CNT(hh, control->memory.by_id) > REMEMBERED_MAX;

		if (entry->progress != ANSWERED || (entry->at_ms >= oldest_ms && !is_too_many))
			return;
		memory_forget(control, entry);
	}
}

struct remembered *memory_add(struct control *control, const char *key, size_t length,
			      int64_t at_ms)
{
	struct remembered *entry = xcalloc(1, sizeof(*entry) + length);

	memcpy(entry->key, key, length);
	entry->key_length = length;
	entry->at_ms = at_ms;
	HASH_ADD_KEYPTR(hh, control->memory.by_id, entry->key, length, entry);
	return entry;
}

void control_memory_free(struct control *control)
{
	struct remembered *entry, *next;

	HASH_ITER(hh, control->memory.by_id, entry, next)
		memory_forget(control, entry);
}

/* --- answers --- */

static void reply_to(const struct work *work, const struct reply *reply)
{
	if (work->u.c.on_reply)
		work->u.c.on_reply(work->u.c.user, &work->u.c.command, reply);
}

static struct reply stored_reply(const struct remembered *entry)
{
	struct reply reply = {
		.status = entry->refusal ? entry->refusal->status : ST_OK,
		.call_id = entry->call_id,
		.dialer_call_id = entry->dialer_call_id,
		.tab = entry->tab,
	};

	if (entry->refusal)
		reply.err = *entry->refusal;
	return reply;
}

/* "Not now" is no answer to keep: nothing was done, and the same id may be tried again. */
bool memory_is_for_now(const struct remembered *entry)
{
	return entry->refusal &&
	       (entry->refusal->status == ST_BUSY || entry->refusal->status == ST_UNAVAILABLE);
}

void control_tell_answer(struct control *control, struct remembered *entry)
{
	struct reply reply = stored_reply(entry);
	struct work *work = entry->waiters;

	FAILPOINT("answer.stable");
	entry->progress = ANSWERED;
	entry->waiters = NULL;
	if (memory_is_for_now(entry))
		memory_forget(control, entry);
	while (work) {
		struct work *next = work->next;

		reply_to(work, &reply);
		free(work);
		work = next;
	}
}

/* With what identifies the command, so that it stands for itself in a checkpoint. */
void memory_fill_answer(const struct remembered *entry, struct record *record)
{
	size_t fixed = sizeof(struct uuid) + 1, length = entry->key_length - fixed;
	struct record_intent *intent = &record->intent;
	struct record_answer *stored = &record->answer;
	int tab = entry->key[sizeof(struct uuid)];

	record->has |= RECORD_ANSWER | RECORD_INTENT;
	memcpy(&intent->key, entry->key, sizeof(intent->key));
	memcpy(intent->id, entry->key + fixed, length);
	intent->kind = tab > TAB_MAX ? CMD_PRESENT : CMD_KIND_COUNT;
	intent->tab = tab > TAB_MAX ? 0 : tab;
	intent->body_hash = entry->body_hash;
	if (entry->refusal)
		stored->err = *entry->refusal;
	stored->call_id = entry->call_id;
	stored->dialer_call_id = entry->dialer_call_id;
	stored->tab = entry->tab;
}

void memory_keep(struct remembered *entry, const struct reply *reply)
{
	entry->call_id = reply->call_id;
	entry->dialer_call_id = reply->dialer_call_id;
	entry->tab = reply->tab;
	if (reply->status == ST_OK)
		return;
	entry->refusal = xmalloc(sizeof(*entry->refusal));
	*entry->refusal = reply->err;
	entry->refusal->status = reply->status;
}

void memory_answer(struct control *control, struct remembered *entry, const struct reply *reply)
{
	struct record *record = xcalloc(1, sizeof(*record));
	uint64_t number;

	memory_keep(entry, reply);
	entry->progress = ANSWERING;
	record->at_ms = control_now_ms(control);
	memory_fill_answer(entry, record);
	if (control_append(control, record, &number))
		control_when_stable(control, PENDING_ANSWER, number)->entry = entry;
	else
		control_tell_answer(control, entry);
	free(record);
}

/* --- a command comes --- */

/* What must work although nothing can be made stable: it ends or parks a call. */
static bool is_safe_unstored(enum command_kind kind)
{
	return kind == CMD_RELEASE || kind == CMD_REJECT || kind == CMD_HOLD ||
	       kind == CMD_HOLDRESUME || kind == CMD_RESUME || kind == CMD_MUTE ||
	       kind == CMD_RECORD_PAUSE || kind == CMD_RECORD_STOP;
}

static void take_reply(void *user, const struct command *command, const struct reply *reply)
{
	(void)command;
	*(struct reply *)user = *reply;
}

/* While storage fails: done and said to be volatile, or not done. */
static struct reply do_unstored(struct control *control, const struct command *command)
{
	struct reply reply = {0};

	if (is_safe_unstored(command->kind)) {
		control_do_command(control, command, take_reply, &reply);
		reply.is_volatile = true;
	} else {
		reply.status = err_set(&reply.err, ST_UNAVAILABLE, "storage.away", "",
				       "nothing can be stored now: try again when it can");
	}
	return reply;
}

static void run_unstored(struct control *control, struct work *work)
{
	struct reply reply = do_unstored(control, &work->u.c.command);

	reply_to(work, &reply);
	free(work);
}

/* The call a dial would make or begin: its leg at the switch is found by it after a crash. */
static void choose_call_id(struct control *control, struct command *command)
{
	struct agent_slot *agent = control_find_agent(control, &command->agent_id);
	struct live_call *call = NULL;

	if (command->kind != CMD_DIAL && command->kind != CMD_TRANSFER_CONSULT)
		return;
	command->call_id = uuid_make(control_now_ms(control));
	if (agent && command->kind == CMD_DIAL && command->tab >= 1 && command->tab <= TAB_MAX)
		call = control_current(agent, command->tab);
	if (call && call_rule_find(&call->call, EV_DIAL))
		command->call_id = call->call.view.call_id;
}

static bool append_intent(struct control *control, struct work *work, uint64_t body_hash)
{
	const struct command *command = &work->u.c.command;
	struct record *record = xcalloc(1, sizeof(*record));
	struct record_intent *intent = &record->intent;
	uint64_t number = 0;

	record->has = RECORD_INTENT;
	record->at_ms = control_now_ms(control);
	str_copy(intent->id, sizeof(intent->id), command->id);
	intent->key = intent->agent_id = command->agent_id;
	intent->kind = (int)command->kind;
	intent->body_hash = body_hash;
	intent->tab = command->tab;
	intent->other_tab = command->other_tab;
	intent->call_id = command->call_id;
	intent->direction = command->direction;
	intent->far_waits = true;
	str_copy_cut(intent->number, sizeof(intent->number), command->number);
	if (control_append(control, record, &number))
		control_when_stable(control, PENDING_INTENT, number)->work = work;
	free(record);
	FAILPOINT("intent.appended");
	return number > 0;
}

/* What is turned away costs no record, and is not remembered: the same id may be tried again. */
static bool refuse_new(struct control *control, struct work *work)
{
	struct reply reply = {0};

	if (!control_turns_away(control, &work->u.c.command, &reply))
		return false;
	reply_to(work, &reply);
	free(work);
	return true;
}

static void begin(struct control *control, struct work *work, const char *key, size_t length,
		  uint64_t body_hash)
{
	struct remembered *entry;

	forget_old(control);
	if (refuse_new(control, work))
		return;
	if (control->is_degraded) {
		run_unstored(control, work);
		return;
	}
	choose_call_id(control, &work->u.c.command);
	entry = memory_add(control, key, length, control_now_ms(control));
	entry->body_hash = body_hash;
	work->u.c.entry = entry;
	work->kind = WORK_INTENDED;
	if (append_intent(control, work, body_hash))
		return;
	memory_forget(control, entry);
	work->u.c.entry = NULL;
	run_unstored(control, work);
}

static void repeat(struct remembered *entry, struct work *work, uint64_t body_hash)
{
	struct reply reply = {0};

	if (entry->body_hash != body_hash) {
		reply.status = err_set(&reply.err, ST_CONFLICT, "command.id_reuse", "id",
				       "this id was used for another command");
	} else if (entry->progress == ANSWERED) {
		reply = stored_reply(entry);
		if (PLANTED(20))
			reply.call_id.bytes[15] ^= 1;
	} else {
		work->next = entry->waiters;
		entry->waiters = work;
		return;
	}
	reply_to(work, &reply);
	free(work);
}

void control_take_command(struct control *control, struct work *work)
{
	struct command *command = &work->u.c.command;
	bool is_program = command->kind == CMD_PRESENT;
	uint64_t body_hash = hash_body(command);
	struct remembered *entry;
	char key[KEY_MAX];
	size_t length;

	if (!control->config.remember_s) {
		if (refuse_new(control, work))
			return;
		control_do_command(control, command, work->u.c.on_reply, work->u.c.user);
		free(work);
		return;
	}
	if (!command->id[0]) { /* nobody can ask again, but the intent is told apart */
		struct uuid id = uuid_make(control_now_ms(control));

		uuid_format(&id, command->id);
	}
	length = memory_make_key(key, &command->agent_id, command->tab, is_program, command->id);
	entry = memory_find(control, key, length);
	if (PLANTED(6) && entry && entry->progress == ANSWERED) {
		memory_forget(control, entry);
		entry = NULL;
	}
	if (entry)
		repeat(entry, work, body_hash);
	else
		begin(control, work, key, length, body_hash);
}

/* --- its intent is stable --- */

void control_run_intended(struct control *control, struct work *work)
{
	struct remembered *entry = work->u.c.entry;
	struct reply reply = {0};

	FAILPOINT("intent.stable");
	control_do_command(control, &work->u.c.command, take_reply, &reply);
	FAILPOINT("command.done");
	work->next = entry->waiters;
	entry->waiters = work;
	memory_answer(control, entry, &reply);
}

bool control_intend_dial(struct control *control, const struct live_call *call,
			 const struct call_event *event)
{
	struct record *record;
	struct work *work;
	uint64_t number = 0;

	if (!control->config.remember_s)
		return false;
	record = xcalloc(1, sizeof(*record));
	work = xcalloc(1, sizeof(*work));
	work->kind = WORK_DIAL_EVENT;
	work->u.e.call_id = call->call.view.call_id;
	work->u.e.event = *event;
	record->has = RECORD_INTENT;
	record->at_ms = control_now_ms(control);
	record->intent.kind = CMD_DIAL;
	record->intent.agent_id = call->call.view.agent_id;
	record->intent.tab = call->call.view.tab;
	record->intent.call_id = call->call.view.call_id;
	record->intent.far_waits = true;
	if (control_append(control, record, &number))
		control_when_stable(control, PENDING_INTENT, number)->work = work;
	else
		free(work);
	free(record);
	return true;
}

/* A timer's dial only waits. */
static void refuse_one(struct control *control, struct work *work)
{
	struct remembered *entry = work->u.c.entry;
	struct reply reply = do_unstored(control, &work->u.c.command);

	reply_to(work, &reply);
	free(work);
	memory_answer(control, entry, &reply);
}

void control_refuse_intended(struct control *control)
{
	for (struct pending_tell *p = control->pending_head; p; p = p->next) {
		struct work *work = p->kind == PENDING_INTENT ? p->work : NULL;

		if (!work || work->kind != WORK_INTENDED)
			continue;
		p->work = NULL;
		record_log_hold(control->log, true);
		refuse_one(control, work);
		record_log_hold(control->log, false);
	}
}
