#include <inttypes.h>

#include "base/cleanup.h"
#include "db/record_log_priv.h"

/* What the first reading finds out, so that the second decodes only what is needed. */
struct survey {
	uint64_t begun_at;   /* where the last complete checkpoint began; 0 = there is none */
	uint64_t begin_seen; /* the last beginning, complete or not */
	uint64_t older_from; /* the first older record that is wanted, when it began; 0 = none */
};

static bool is_wanted(const struct record_head *head, int64_t since_ms)
{
	return head->at_ms >= since_ms &&
	       (head->has & (RECORD_STREAM | RECORD_ANSWER | RECORD_INTENT));
}

static enum status unreadable(uint64_t number, struct err *err)
{
	return err_set(err, ST_INVALID, "journal.damaged", "journal",
		       "record %" PRIu64 " of the journal is none of this program", number);
}

/* The next entry that is a record; ST_NOT_FOUND at the end. */
static enum status next_record(struct journal_reader *reader, struct journal_entry *entry,
			       struct record_head *head, struct err *err)
{
	do {
		enum status status = journal_reader_next(reader, entry, err);
		if (status != ST_OK)
			return status;
	} while (entry->type != RECORD_TYPE);
	return record_peek(entry->payload, entry->size, head) ? ST_OK
							      : unreadable(entry->number, err);
}

static enum status look_through(struct record_log *log, int64_t since_ms, struct survey *survey,
				struct err *err)
{
	struct journal_reader *reader = journal_reader_open(log->journal, 1);
	struct journal_entry entry;
	struct record_head head;
	enum status status;

	*survey = (struct survey){0};
	while ((status = next_record(reader, &entry, &head, err)) == ST_OK) {
		record_log_count(log, head.has, entry.size);
		if (head.has & RECORD_CHECKPOINT_BEGIN)
			survey->begin_seen = entry.number;
		if ((head.has & RECORD_CHECKPOINT_END) && head.begun_at == survey->begin_seen)
			survey->begun_at = head.begun_at;
		if (!survey->older_from && is_wanted(&head, since_ms))
			survey->older_from = entry.number;
	}
	journal_reader_close(reader);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status record_log_recover(struct record_log *log, int64_t since_ms,
			       void (*each)(void *user, const struct record *, bool is_state),
			       void *user, struct err *err)
{
	struct record *record auto_free = xmalloc(sizeof(*record));
	struct journal_entry entry;
	struct record_head head;
	struct survey survey;
	enum status status = look_through(log, since_ms, &survey, err);

	if (status != ST_OK)
		return status;
	uint64_t from = survey.begun_at;
	if (survey.older_from && survey.older_from < from)
		from = survey.older_from;
	struct journal_reader *reader = journal_reader_open(log->journal, from ? from : 1);
	while ((status = next_record(reader, &entry, &head, err)) == ST_OK) {
		bool is_state = entry.number >= survey.begun_at;
		if (!is_state && !is_wanted(&head, since_ms))
			continue;
		if (!record_decode(entry.payload, entry.size, record)) {
			status = unreadable(entry.number, err);
			break;
		}
		record->number = entry.number;
		each(user, record, is_state);
	}
	journal_reader_close(reader);
	if (survey.begun_at)
		drain_keep_from(atomic_load(&log->drain), survey.begun_at);
	return status == ST_NOT_FOUND ? ST_OK : status;
}
