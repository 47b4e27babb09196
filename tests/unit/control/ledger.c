#include "ledger.h"

static struct entry *find(struct ledger *ledger, const struct uuid *call_id)
{
	for (unsigned i = 0; i < ledger->count; i++)
		if (uuid_equal(&ledger->entries[i].call_id, call_id))
			return &ledger->entries[i];
	assert_true(ledger->count < sizeof ledger->entries / sizeof ledger->entries[0]);
	ledger->entries[ledger->count] = (struct entry){.call_id = *call_id};
	return &ledger->entries[ledger->count++];
}

static void close_row(struct entry *entry, const struct record *record)
{
	assert_true(entry->has_row);
	assert_true(uuid_equal(&entry->open_event, &record->closed_event_id));
	assert_int_equal(record->closed_duration_ms, record->at_ms - entry->row_at_ms);
	entry->sum_ms += record->closed_duration_ms;
	entry->has_row = false;
}

static void open_row(struct entry *entry, const struct record *record)
{
	assert_true(record->event_name[0]);
	if (record->is_event_instant)
		return;
	assert_false(entry->has_row);
	entry->has_row = true;
	entry->open_event = record->event_id;
	entry->row_at_ms = record->event_at_ms;
	if (!entry->begun_ms)
		entry->begun_ms = record->event_at_ms;
}

static void check_end(struct entry *entry, const struct record *record)
{
	const struct call_view *call = &record->call;

	if (call->state != CALL_END || record->is_event_instant)
		return;
	assert_false(entry->is_ended);
	entry->is_ended = true;
	assert_false(entry->has_row);
	assert_int_equal(entry->sum_ms, record->at_ms - entry->begun_ms);
	assert_true(call->outcome[0] || call->direction == DIR_TRANSFER);
}

static void check_record(struct ledger *ledger, const struct record *record)
{
	struct entry *entry;

	ledger->records++;
	if (record->has & RECORD_RESULT)
		assert_true(record->result[0]);
	if (!(record->has & (RECORD_CALL | RECORD_EVENT_OPEN | RECORD_EVENT_CLOSE | RECORD_RESULT)))
		return;
	entry = find(ledger, &record->call.call_id);
	assert_false(entry->is_ended);
	if (record->has & RECORD_EVENT_CLOSE)
		close_row(entry, record);
	if (record->has & RECORD_EVENT_OPEN)
		open_row(entry, record);
	check_end(entry, record);
}

static void check_told_state(const struct entry *entry, const struct heard *heard)
{
	const char *was = entry->is_told ? call_client_word(entry->state) : "";
	const char *is = call_client_word(heard->call.state);

	assert_int_equal(heard->kind, strcmp(was, is) ? TELL_STATE : TELL_UPDATE);
	if (!strcmp(is, "end"))
		assert_string_equal(was, "idle");
	if (!strcmp(was, "idle") && strcmp(is, "idle") && strcmp(is, "end"))
		assert_int_equal(entry->state, CALL_TRANSFERRING); /* a transfer that failed */
}

static void check_tell(struct ledger *ledger, struct house *house, const struct heard *heard)
{
	struct entry *entry = find(ledger, &heard->call.call_id);
	int agent = 1;

	while (!uuid_equal(&house->agents[agent], &heard->call.agent_id))
		assert_true(++agent <= AGENTS);
	ledger->tells++;
	assert_int_equal(heard->seq, ++ledger->seq[agent][heard->call.tab]);
	assert_false(entry->is_told_ended);
	check_told_state(entry, heard);
	if (entry->is_told) {
		assert_true(heard->call.version > entry->version);
		assert_true(heard->call.state_at_ms >= entry->state_at_ms);
	}
	entry->is_told = true;
	entry->version = heard->call.version;
	entry->state = heard->call.state;
	entry->state_at_ms = heard->call.state_at_ms;
	entry->is_told_ended = heard->call.state == CALL_END;
}

/* What has ended, in the records and on its tab, comes no more. */
static void drop_ended(struct ledger *ledger)
{
	for (unsigned i = ledger->count; i-- > 0;) {
		const struct entry *entry = &ledger->entries[i];

		if (!entry->is_ended || entry->is_told != entry->is_told_ended)
			continue;
		ledger->ended++;
		ledger->entries[i] = ledger->entries[--ledger->count];
	}
}

void ledger_read(struct ledger *ledger, struct house *house)
{
	for (unsigned i = ledger->records; i < fake_log_count(house->log); i++)
		check_record(ledger, fake_log_record(house->log, i));
	for (unsigned i = 0; i < house->heard_count; i++)
		check_tell(ledger, house, &house->heard[i]);
	drop_ended(ledger);
	house_forget(house);
	fake_log_forget(house->log);
}

void ledger_close(const struct ledger *ledger)
{
	for (unsigned i = 0; i < ledger->count; i++)
		fail_msg("a call is still in %s, row %s", call_state_word(ledger->entries[i].state),
			 ledger->entries[i].has_row ? "open" : "closed");
}
