/* Recordings: there is no file, but what one would hold can be asked for. */
#include "telephony/sim/sim_private.h"

#include <stdlib.h>

#include "base/str.h"

#define AGAIN_MS 1000

static struct sim_record *find(struct sim *sim, const char *id)
{
	struct sim_record *record;

	HASH_FIND_STR(sim->records, id, record);
	return record;
}

static void record_free(struct sim_record *record)
{
	sim_stop(record->sim, &record->timer);
	HASH_DEL(record->sim->records, record);
	free(record);
}

/* The end is always told, if need be later. */
static void on_end_told(void *arg)
{
	struct sim_record *record = arg;
	struct tel_fact fact = {.kind = TEL_RECORD_ENDED, .length_ms = record->length_ms};

	if (!record->sim->is_linked) {
		sim_start(record->sim, &record->timer, on_end_told, record, AGAIN_MS);
		return;
	}
	str_copy(fact.record, sizeof fact.record, record->id);
	str_copy(fact.text, sizeof fact.text, "ok");
	sim_tell(record->sim, NULL, &fact);
	record_free(record);
}

static void record_over(struct sim_record *record)
{
	if (!record->mix)
		return;
	DL_DELETE(record->mix->records, record);
	record->mix = NULL;
	record->length_ms = (unsigned)((sim_now_us(record->sim) - record->begun_us) / 1000);
	sim_start(record->sim, &record->timer, on_end_told, record, 0);
}

void sim_records_end(struct sim_mix *mix)
{
	while (mix->records)
		record_over(mix->records);
}

void sim_records_free(struct sim *sim)
{
	struct sim_record *record, *next;

	HASH_ITER(hh, sim->records, record, next)
		record_free(record);
}

static void tell_begun(struct sim_record *record)
{
	struct tel_fact fact = {.kind = TEL_RECORD_BEGUN};

	str_copy(fact.record, sizeof fact.record, record->id);
	sim_tell(record->sim, NULL, &fact);
}

static void tell_lost(struct sim *sim, const char *id)
{
	struct tel_fact fact = {.kind = TEL_RECORD_ENDED};

	str_copy(fact.record, sizeof fact.record, id);
	str_copy(fact.text, sizeof fact.text, "lost");
	sim_tell(sim, NULL, &fact);
}

void sim_op_mix_record(struct sim *sim, const struct sim_op *op)
{
	struct sim_mix *mix = sim_mix_find(sim, op->mix);
	struct sim_record *record = find(sim, op->record);

	if (!mix && !record) {
		sim_tell_failure(sim, op, "no such mix");
		return;
	}
	if (!record) {
		record = xcalloc(1, sizeof *record);
		record->sim = sim;
		record->mix = mix;
		record->begun_us = sim_now_us(sim);
		str_copy(record->id, sizeof record->id, op->record);
		HASH_ADD_STR(sim->records, id, record);
		DL_APPEND(mix->records, record);
	}
	if (record->mix)
		tell_begun(record);
}

void sim_op_record_pause(struct sim *sim, const struct sim_op *op)
{
	struct sim_record *record = find(sim, op->record);

	if (record)
		record->is_paused = op->on;
}

void sim_op_record_stop(struct sim *sim, const struct sim_op *op)
{
	struct sim_record *record = find(sim, op->record);

	if (record)
		record_over(record);
	else
		tell_lost(sim, op->record);
}

void sim_each_recording(struct sim *sim, void (*each)(void *user, const char *record), void *user)
{
	struct sim_record *record, *next;

	HASH_ITER(hh, sim->records, record, next)
		if (record->mix)
			each(user, record->id);
}

void sim_recorded(struct sim *sim, const char *id, char *buffer, unsigned size)
{
	const struct sim_record *record = find(sim, id);

	if (size == 0)
		return;
	buffer[0] = '\0';
	if (record && record->mix && !record->is_paused)
		sim_heard_in(record->mix, buffer, size);
}
