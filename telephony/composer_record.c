/* Recordings. What is recorded is a mix, so a recording goes through hold and transfer by itself:
 * the agent leaves the mix, the target comes. Only where two calls become one (conference,
 * complete) the customer goes to another mix, and his recording follows with a new part. The
 * agent's consultation is another call in another mix. */
#include "telephony/composer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define NAME_MAX_LENGTH 60 /* room for the numbers of the parts to come */

static struct tc_record *find(struct telephony *t, const char *id)
{
	struct tc_record *record;

	HASH_FIND_STR(t->records, id, record);
	return record;
}

static struct tc_record *create(struct tc_call *call, struct tc_mix *mix, const char *id)
{
	struct tc_record *record = xcalloc(1, sizeof *record);

	str_copy(record->id, sizeof record->id, id);
	str_copy(record->call, sizeof record->call, call->id);
	record->mix = mix;
	HASH_ADD_STR(call->telephony->records, id, record);
	DL_APPEND(mix->records, record);
	call->record = record;
	return record;
}

static void leave_mix(struct tc_record *record)
{
	if (record->mix)
		DL_DELETE(record->mix->records, record);
	record->mix = NULL;
}

static struct tc_op op_of(const struct tc_record *record, enum tc_op_kind kind)
{
	struct tc_op op = {.kind = kind, .on = record->is_paused};

	str_copy(op.record, sizeof op.record, record->id);
	if (record->mix)
		str_copy(op.mix, sizeof op.mix, record->mix->id);
	return op;
}

static void send(struct telephony *t, struct tc_record *record, enum tc_op_kind kind)
{
	struct tc_op op = op_of(record, kind);

	tc_send(t, &op);
	if (kind == TC_RECORD)
		record->token = t->next_token;
	else
		record->later_token = t->next_token;
}

/* The call it belongs to, as long as it is this one that is recorded. */
static struct tc_call *owner(struct telephony *t, const struct tc_record *record)
{
	struct tc_call *call = tc_call_find(t, record->call);

	return call && call->record == record ? call : NULL;
}

/* The one place where a recording's end is told. */
static void over(struct telephony *t, struct tc_record *record, const char *text,
		 unsigned length_ms)
{
	struct tc_call *call = owner(t, record);
	struct tel_call_fact *fact = tc_tell(t, TELCALL_RECORD_ENDED, NULL);

	if (call)
		call->record = NULL;
	call = tc_call_find(t, record->call);
	str_copy(fact->call, sizeof fact->call, record->call);
	str_copy(fact->recording, sizeof fact->recording, record->id);
	str_copy(fact->text, sizeof fact->text, record->is_failed ? "failed" : text);
	fact->length_ms = length_ms;
	fact->on = call && call->record;
	leave_mix(record);
	HASH_DEL(t->records, record);
	free(record);
}

static void stop(struct telephony *t, struct tc_record *record)
{
	if (!record->mix)
		return;
	leave_mix(record);
	if (record->is_unasked) /* nobody will say how it ended */
		over(t, record, "lost", 0);
	else
		send(t, record, TC_RECORD_STOP);
}

/* "x-7" becomes "x-8", or the next number that no recording has. */
static void count_up(struct telephony *t, char name[TEL_ID_SIZE])
{
	char *number = strrchr(name, '-');

	if (!number)
		number = name + strlen(name);
	else
		*number = '\0';
	unsigned part = (unsigned)strtoul(*number ? "" : number + 1, NULL, 10);
	size_t room = TEL_ID_SIZE - (size_t)(number - name);
	do
		str_format(number, room, "-%u", ++part);
	while (find(t, name));
}

void tc_record_follow(struct tc_call *call, struct tc_mix *mix)
{
	struct telephony *t = call->telephony;
	struct tc_record *before = call->record;
	char name[TEL_ID_SIZE];

	if (!before)
		return;
	str_copy(name, sizeof name, before->id);
	count_up(t, name);
	stop(t, before);
	struct tc_record *record = create(call, mix, name);
	record->is_paused = before->is_paused;
	send(t, record, TC_RECORD);
	if (record->is_paused)
		send(t, record, TC_RECORD_PAUSE);
}

void tc_record_over(struct tc_call *call)
{
	struct tc_record *record = call->record;

	call->record = NULL;
	if (record && !(call->far && call->far->mix && call->far->mix == record->mix))
		stop(call->telephony, record);
}

void tc_records_stop(struct telephony *t, struct tc_mix *mix)
{
	while (mix->records)
		stop(t, mix->records);
}

void tc_record_begun(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_record *record = find(t, fact->record);

	if (!record)
		return;
	struct tel_call_fact *begun = tc_tell(t, TELCALL_RECORD_BEGUN, NULL);
	str_copy(begun->call, sizeof begun->call, record->call);
	str_copy(begun->recording, sizeof begun->recording, record->id);
}

void tc_record_ended(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_record *record = find(t, fact->record);

	if (record)
		over(t, record, fact->text, fact->length_ms);
}

/* One that could not be paused must not go on; one that could not begin is over. */
bool tc_record_failed(struct telephony *t, const struct tel_fact *fact)
{
	struct tc_record *record, *next;

	HASH_ITER(hh, t->records, record, next) {
		if (record->token != fact->token && record->later_token != fact->token)
			continue;
		record->is_failed = true;
		if (record->token == fact->token || !record->mix)
			over(t, record, "failed", 0);
		else
			stop(t, record);
		return true;
	}
	return false;
}

void tc_record_restore(struct tc_call *call, const struct tel_restored *was)
{
	if (!tel_is_id(was->recording) || !call->mix || find(call->telephony, was->recording))
		return;
	struct tc_record *record = create(call, call->mix, was->recording);
	record->is_paused = was->is_recording_paused;
	record->is_unasked = true;
}

/* What was asked for while the link was going is asked for once more. */
void tc_records_repair(struct telephony *t)
{
	struct tc_record *record, *next;

	HASH_ITER(hh, t->records, record, next) {
		if (!record->mix) {
			send(t, record, TC_RECORD_STOP);
			continue;
		}
		send(t, record, TC_RECORD);
		if (record->is_paused || record->is_unasked)
			send(t, record, TC_RECORD_PAUSE);
		record->is_unasked = false;
	}
}

void tc_records_done(struct telephony *t)
{
	struct tc_record *record, *next;

	HASH_ITER(hh, t->records, record, next) {
		HASH_DEL(t->records, record);
		free(record);
	}
}

static enum status check(struct telephony *t, const struct tc_call *call, const char *name,
			 struct err *err)
{
	if (!tel_is_id(name) || strlen(name) > NAME_MAX_LENGTH)
		return err_set(err, ST_INVALID, "recording.bad_name", "name",
			       "a recording's name is 1 to %d letters, digits, '.', '_' and '-'",
			       NAME_MAX_LENGTH);
	if (!(tel_driver_capabilities(t->driver) & TEL_CAN_RECORD))
		return err_set(err, ST_UNSUPPORTED, "recording.unsupported", "",
			       "this telephone switch records nothing");
	return call->state == TC_TALK || call->state == TC_HELD || call->state == TC_RESUMING
		       ? ST_OK
		       : tc_not_up(call, err);
}

enum status telephony_record(struct telephony *t, const char *id, const char *name, struct err *err)
{
	char first[TEL_ID_SIZE];
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status == ST_OK)
		status = check(t, call, name, err);
	if (status != ST_OK || call->record)
		return status;
	str_copy(first, sizeof first, name);
	if (find(t, first))
		count_up(t, first);
	struct tc_record *record = create(call, call->mix, first);
	struct tc_op op = op_of(record, TC_RECORD);
	op.token = record->token = ++t->next_token;
	status = tc_send_now(t, &op);
	if (status == ST_OK)
		return ST_OK;
	call->record = NULL;
	leave_mix(record);
	HASH_DEL(t->records, record);
	free(record);
	return err_set(err, status, "switch.busy", "",
		       "the telephone switch could not take the recording");
}

enum status telephony_record_pause(struct telephony *t, const char *id, bool on, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK || !call->record || call->record->is_paused == on)
		return status;
	call->record->is_paused = on;
	send(t, call->record, TC_RECORD_PAUSE);
	return ST_OK;
}

enum status telephony_record_stop(struct telephony *t, const char *id, struct err *err)
{
	struct tc_call *call;
	enum status status = tc_ready_call(t, id, &call, err);

	if (status != ST_OK || !call->record)
		return status;
	stop(t, call->record);
	call->record = NULL;
	return ST_OK;
}
