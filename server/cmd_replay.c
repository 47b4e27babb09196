/* calltab replay: a slice of the journal through the same rules once more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/str.h"
#include "control/replay.h"
#include "db/journal.h"
#include "db/record_codec.h"
#include "server/cli.h"

#define PROGRESS_EVERY 50000

struct slice {
	uint64_t from, to;
	bool is_compared;
	struct cli *cli;
	struct replay *replay;
	struct record *record;
};

/* "17..20", "17..", "..20", "17", "" */
static bool parse_slice(const char *text, struct slice *slice)
{
	const char *dots = strstr(text, "..");
	char *end;

	slice->from = 1;
	slice->to = UINT64_MAX;
	if (*text && text != dots) {
		slice->from = strtoull(text, &end, 10);
		if (end == text || (*end && end != dots))
			return false;
		if (!dots)
			slice->to = slice->from;
	}
	if (dots && dots[2]) {
		slice->to = strtoull(dots + 2, &end, 10);
		if (*end)
			return false;
	}
	return slice->from > 0 && slice->from <= slice->to;
}

static void print_difference(const struct slice *slice, const struct record *record,
			     const struct replay_difference *difference)
{
	char id[UUID_TEXT_SIZE];
	struct json_writer w = {0};

	uuid_format(&record->call.call_id, id);
	if (!slice->cli->is_json) {
		printf("record %" PRIu64 "  call %s  %s: %s was \"%s\", is \"%s\"\n",
		       record->number, id, call_event_word(record->step.kind), difference->field,
		       difference->recorded, difference->replayed);
		return;
	}
	jw_object(&w);
	jw_kv_int(&w, "record", (int64_t)record->number);
	jw_kv_text(&w, "call", id);
	jw_kv_text(&w, "event", call_event_word(record->step.kind));
	jw_kv_text(&w, "field", difference->field);
	jw_kv_text(&w, "recorded", difference->recorded);
	jw_kv_text(&w, "replayed", difference->replayed);
	jw_object_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

static void print_call(void *arg, const struct call_view *call)
{
	const struct slice *slice = arg;
	char id[UUID_TEXT_SIZE], since[CLOCK_TEXT_SIZE];
	struct json_writer w = {0};

	uuid_format(&call->call_id, id);
	clock_format(since, call->state_at_ms, true);
	if (!slice->cli->is_json) {
		printf("call  %s  tab %-2d %-14s since %s  %s  %s %s\n", id, call->tab,
		       call_state_word(call->state), since, log_number(call->phone), call->reason,
		       call->outcome);
		return;
	}
	jw_object(&w);
	jw_kv_text(&w, "call", id);
	jw_kv_int(&w, "tab", call->tab);
	jw_kv_text(&w, "state", call_state_word(call->state));
	jw_kv_text(&w, "since", since);
	jw_kv_text(&w, "reason", call->reason);
	jw_kv_text(&w, "outcome", call->outcome);
	jw_object_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

static void print_agent(void *arg, const struct agent_view *agent)
{
	const struct slice *slice = arg;
	char since[CLOCK_TEXT_SIZE];
	struct json_writer w = {0};

	clock_format(since, agent->state_at_ms, true);
	if (!slice->cli->is_json) {
		printf("agent %-32s %-10s since %s  %s\n", agent->login,
		       agent_state_word(agent->state), since, agent->reason);
		return;
	}
	jw_object(&w);
	jw_kv_text(&w, "agent", agent->login);
	jw_kv_text(&w, "state", agent_state_word(agent->state));
	jw_kv_text(&w, "since", since);
	jw_kv_text(&w, "reason", agent->reason);
	jw_object_end(&w);
	printf("%.*s\n", (int)w.length, jw_start(&w));
	jw_done(&w);
}

static void take(struct slice *slice)
{
	struct replay_difference differences[REPLAY_DIFFERENCES_MAX];
	unsigned count = replay_take(slice->replay, slice->record, differences);

	if (!slice->is_compared || slice->record->number < slice->from)
		return;
	for (unsigned i = 0; i < count && i < REPLAY_DIFFERENCES_MAX; i++)
		print_difference(slice, slice->record, &differences[i]);
}

static void show_progress(uint64_t number, uint64_t last)
{
	if (isatty(STDERR_FILENO) && number % PROGRESS_EVERY == 0 && last)
		fprintf(stderr, "\rrecord %" PRIu64 " of %" PRIu64 " (%u %%) ", number, last,
			(unsigned)(number * 100 / last));
}

static enum status read_slice(struct journal *journal, struct slice *slice, struct err *err)
{
	struct journal_reader *reader = journal_reader_open(journal, 1);
	uint64_t last = journal_synced(journal);
	struct journal_entry entry;
	enum status status;

	while ((status = journal_reader_next(reader, &entry, err)) == ST_OK &&
	       entry.number <= slice->to) {
		show_progress(entry.number, last);
		if (entry.type != RECORD_TYPE ||
		    !record_decode(entry.payload, entry.size, slice->record)) {
			status = err_set(err, ST_INVALID, "journal.unknown_record", "",
					 "record %" PRIu64 " was written by another version",
					 entry.number);
			break;
		}
		slice->record->number = entry.number;
		take(slice);
	}
	journal_reader_close(reader);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static int conclude(struct slice *slice)
{
	struct replay_figures figures;

	replay_figures(slice->replay, &figures);
	replay_calls(slice->replay, print_call, slice);
	replay_agents(slice->replay, print_agent, slice);
	fprintf(stderr,
		"%" PRIu64 " records, %" PRIu64 " steps, %" PRIu64
		" of them different with this version's rules\n",
		figures.records, figures.steps, figures.different);
	return slice->is_compared && figures.different ? 1 : 0;
}

static int run_replay(struct cli *cli)
{
	struct slice slice = {.cli = cli, .is_compared = cli_flag(cli, "compare") != NULL};
	struct journal_config config = {.folder = config_text(&cli->config, OPT_journal_dir),
					.node = config_text(&cli->config, OPT_node),
					.is_read_only = true};
	const struct journal_events events = {0};
	struct journal *journal;
	struct err err = {0}, why;
	enum status status;
	int code;

	if (cli->word_count > 1 || !parse_slice(cli->word_count ? cli->words[0] : "", &slice))
		return cli_usage(&command_replay, "say which records: 100..200, 100.. or ..200");
	journal = journal_open(&config, &events, NULL, &why);
	if (!journal) {
		err_set(&err, why.status, why.code, "journal_dir", "the journal in %.80s: %.100s",
			config.folder, why.message);
		return cli_fail(cli, &err);
	}
	slice.replay = replay_create();
	slice.record = xmalloc(sizeof(*slice.record));
	status = read_slice(journal, &slice, &err);
	code = status == ST_OK ? conclude(&slice) : cli_fail(cli, &err);
	replay_destroy(slice.replay);
	free(slice.record);
	journal_close(journal, 0);
	return code;
}

const struct cli_command command_replay = {
	.name = "replay",
	.summary = "feed a slice of the journal through the rules once more",
	.help = "Usage: calltab replay [FROM..TO] [--compare] [--json] [--journal-dir FOLDER]\n\n"
		"Reads the records FROM to TO (numbers; both ends may be left out) of the journal, "
		"also\n"
		"while the gateway runs, and prints the state of every call and agent at TO.\n\n"
		"--compare  prints each step that comes out otherwise with this version's rules "
		"than\n"
		"           it was recorded, and ends with 1 when there is one\n\n"
		"Example: calltab replay ..5000 --compare --journal-dir /var/lib/calltab/journal\n",
	.flags = "!compare",
	.run = run_replay,
};
