/* Recordings. Asterisk writes a mix into a file of its own, by the recording's name; pausing is its
 * "mute", which writes silence: its "pause" would leave the time out.
 *
 * Between the request and RecordingStarted it refuses every other request for the recording, so
 * what is asked for meanwhile is kept. After a lost link, or another life of ours, the recording is
 * asked for once more or looked at: Asterisk has it, or it has ended. */
#include "telephony/ari/ari_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define NOT_FOUND  404
#define ALREADY_SO 409
#define END_MAX_MS 3000 /* until the event that tells of the end is not waited for any more */

struct ari_record *ari_record_find(struct ari *ari, const char *id)
{
	struct ari_record *record;

	HASH_FIND_STR(ari->records, id, record);
	return record;
}

void ari_record_create(struct ari *ari, const char *id, const char *mix)
{
	struct ari_record *record = xcalloc(1, sizeof *record);

	record->ari = ari;
	str_copy(record->id, sizeof record->id, id);
	str_copy(record->mix, sizeof record->mix, mix);
	HASH_ADD_STR(ari->records, id, record);
}

static void destroy(struct ari_record *record)
{
	ari_timer_stop(record->ari, &record->timer);
	HASH_DEL(record->ari->records, record);
	free(record);
}

void ari_records_free(struct ari *ari)
{
	struct ari_record *record, *next;

	HASH_ITER(hh, ari->records, record, next)
		destroy(record);
}

static void end(struct ari_record *record, const char *text, unsigned length_ms)
{
	struct tel_fact fact = {.kind = TEL_RECORD_ENDED, .length_ms = length_ms};

	str_copy(fact.record, sizeof fact.record, record->id);
	str_copy(fact.text, sizeof fact.text, text);
	ari_tell(record->ari, fact);
	destroy(record);
}

static unsigned length_of(const struct ari_record *record)
{
	return record->begun_us ? (unsigned)((ari_now_us(record->ari) - record->begun_us) / 1000)
				: 0;
}

static void on_end_overdue(void *arg)
{
	struct ari_record *record = arg;
	struct ari *ari = record->ari;

	end(record, record->is_begun ? "ok" : "lost", length_of(record));
	ari_flush(ari);
}

static void expect_end(struct ari_record *record)
{
	ari_timer_in(record->ari, &record->timer, on_end_overdue, record, END_MAX_MS);
}

/* It still records what must not be recorded. */
static void on_pause_answer(struct ari *ari, const struct ari_request *request,
			    const struct ari_event *answer)
{
	struct ari_record *record = ari_record_find(ari, request->play);
	char reason[ARI_REASON_SIZE];

	if (!record || answer->status < 300)
		return;
	ari_reason_parse(answer->body, answer->body_length, reason, sizeof reason);
	if (answer->status != NOT_FOUND) /* else it has ended, and that is about to be said */
		ari_tell_failure(ari, request->token, "", record->mix, reason);
	ari_record_stop(record);
}

static void ask_pause(struct ari_record *record)
{
	struct ari_request *request =
		ari_send(record->ari, on_pause_answer, NULL, "%s recordings/live/%s/mute",
			 record->is_pause_wanted ? "POST" : "DELETE", record->id);

	request->token = record->token;
	str_copy(request->play, sizeof request->play, record->id);
}

static void ask_stop(struct ari_record *record)
{
	record->is_stop_asked = true;
	ari_send(record->ari, ari_ignore_answer, NULL, "POST recordings/live/%s/stop", record->id);
	expect_end(record);
}

static void begun(struct ari_record *record, bool is_found)
{
	struct tel_fact fact = {.kind = TEL_RECORD_BEGUN};

	if (record->is_begun)
		return;
	record->is_begun = true;
	if (!is_found)
		record->begun_us = ari_now_us(record->ari);
	ari_timer_stop(record->ari, &record->timer);
	str_copy(fact.record, sizeof fact.record, record->id);
	ari_tell(record->ari, fact);
	if (record->is_pause_wanted || is_found)
		ask_pause(record);
	if (record->is_stop_wanted)
		ask_stop(record);
}

/* Does Asterisk still write it? */
static void on_found(struct ari *ari, const struct ari_request *request,
		     const struct ari_event *answer)
{
	struct ari_record *record = ari_record_find(ari, request->play);

	if (!record)
		return;
	if (answer->status < 300)
		begun(record, true);
	else
		end(record, "lost", length_of(record));
}

static void look(struct ari_record *record)
{
	struct ari_request *request =
		ari_send(record->ari, on_found, NULL, "GET recordings/live/%s", record->id);

	str_copy(request->play, sizeof request->play, record->id);
}

/* Refused because there is a recording of this name: ours, of before. */
static void on_record_answer(struct ari *ari, const struct ari_request *request,
			     const struct ari_event *answer)
{
	struct ari_record *record = ari_record_find(ari, request->play);
	char reason[ARI_REASON_SIZE];

	if (!record || answer->status < 300)
		return;
	if (answer->status == ALREADY_SO) {
		look(record);
		return;
	}
	ari_reason_parse(answer->body, answer->body_length, reason, sizeof reason);
	ari_tell_failure(ari, request->token, "", record->mix, reason);
	destroy(record);
}

void ari_record_send(struct ari_record *record, uint32_t token)
{
	struct ari_request *request = ari_send(
		record->ari, on_record_answer, NULL,
		"POST bridges/%s/record?name=%s&format=wav&ifExists=fail", record->mix, record->id);

	request->token = token;
	str_copy(request->play, sizeof request->play, record->id);
}

void ari_record_pause(struct ari_record *record, uint32_t token, bool on)
{
	if (record->is_pause_wanted == on || record->is_stop_wanted)
		return;
	record->is_pause_wanted = on;
	record->token = token;
	if (record->is_begun)
		ask_pause(record);
}

void ari_record_stop(struct ari_record *record)
{
	record->is_stop_wanted = true;
	if (record->is_begun && !record->is_stop_asked)
		ask_stop(record);
	else if (!record->is_begun)
		expect_end(record);
}

void ari_record_tell_lost(struct ari *ari, const char *id)
{
	struct tel_fact fact = {.kind = TEL_RECORD_ENDED};

	str_copy(fact.record, sizeof fact.record, id);
	str_copy(fact.text, sizeof fact.text, "lost");
	ari_tell(ari, fact);
}

void ari_record_on_event(struct ari *ari, const struct ari_event *event)
{
	struct ari_record *record = ari_record_find(ari, event->record);

	if (!record)
		return;
	if (event->kind == ARI_EVENT_RECORD_BEGUN)
		begun(record, false);
	else
		end(record, "ok", record->begun_us ? length_of(record) : event->duration_ms);
}

/* Asterisk ends them with it and says so, in most cases. */
void ari_records_mix_gone(struct ari *ari, const char *mix)
{
	struct ari_record *record, *next;

	HASH_ITER(hh, ari->records, record, next)
		if (strcmp(record->mix, mix) == 0)
			expect_end(record);
}

/* Without this module a recording can be begun and neither paused nor ended. */
static void on_module_answer(struct ari *ari, const struct ari_request *request,
			     const struct ari_event *answer)
{
	(void)request;
	ari->cannot_record = answer->status == NOT_FOUND;
}

void ari_records_check(struct ari *ari)
{
	struct ari_record *record, *next;

	ari_send(ari, on_module_answer, NULL, "GET asterisk/modules/res_ari_recordings.so");
	HASH_ITER(hh, ari->records, record, next) {
		record->is_begun = record->is_stop_asked = false;
		look(record);
	}
}
