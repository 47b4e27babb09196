/* What door_probe understands on its standard input (the list is at the head of door_probe.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "tests/support/door_journal.h"
#include "tests/support/door_probe.h"
#include "tests/support/fake_control.h"
#include "ws/call_json.h"
#include "ws/protocol.h"

#define WORDS_MAX 8

static struct json_writer out;

static void say(void)
{
	fwrite(jw_start(&out), 1, out.length, stdout);
	putchar('\n');
	fflush(stdout);
	jw_reset(&out);
}

/* ---- answers of control ---- */

static enum { ANSWER_OK, ANSWER_HOLD, ANSWER_ERROR } answer_mode;
static struct err answer_error;
static struct json_writer commands_seen = {0};

static void note_commands(void)
{
	const struct command *command;

	jw_reset(&commands_seen);
	jw_array(&commands_seen);
	for (unsigned i = 0; (command = fake_command(probe.control, i)); i++) {
		jw_object(&commands_seen);
		jw_kv_int(&commands_seen, "kind", command->kind);
		jw_kv_int(&commands_seen, "agent", fake_number(&command->agent_id));
		jw_kv_int(&commands_seen, "tab", command->tab);
		jw_kv_int(&commands_seen, "otherTab", command->other_tab);
		jw_kv_text(&commands_seen, "id", command->id);
		jw_kv_text(&commands_seen, "number", command->number);
		jw_kv_text(&commands_seen, "digits", command->digits);
		jw_object_end(&commands_seen);
	}
	jw_array_end(&commands_seen);
}

/* Control answers in its own turn, never inside the question. */
void probe_answer_commands(void)
{
	if (fake_command_count(probe.control) == 0)
		return;
	note_commands();
	if (answer_mode != ANSWER_HOLD)
		fake_answer_all(probe.control, answer_mode == ANSWER_ERROR ? &answer_error : NULL);
}

/* ---- figures ---- */

static int64_t cpu_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

static long rss_kb(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file && fscanf(file, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void say_stat(void)
{
	struct ws_figures tabs;
	struct front_figures door;

	ws_figures(probe.ws, &tabs);
	front_figures(probe.front, &door);
	jw_object(&out);
	jw_kv_int(&out, "rss_kb", rss_kb());
	jw_kv_int(&out, "cpu_us", cpu_us());
	jw_kv_int(&out, "connections", ws_connections(probe.ws));
	jw_kv_int(&out, "http", atomic_load(&probe.http_connections));
	jw_kv_int(&out, "present", fake_present_count(probe.control));
	jw_kv_int(&out, "open", tabs.connections);
	jw_kv_int(&out, "tickets", tabs.tickets);
	jw_kv_int(&out, "opened", (int64_t)tabs.opened);
	jw_kv_int(&out, "refused", (int64_t)tabs.refused);
	jw_kv_int(&out, "messages_in", (int64_t)tabs.messages_in);
	jw_kv_int(&out, "messages_out", (int64_t)tabs.messages_out);
	jw_kv_int(&out, "closed_slow", (int64_t)tabs.closed_slow);
	jw_kv_int(&out, "closed_rate", (int64_t)tabs.closed_rate);
	jw_kv_int(&out, "pings", (int64_t)tabs.pings);
	jw_kv_int(&out, "accepted", (int64_t)door.accepted);
	jw_kv_int(&out, "given_ws", (int64_t)door.given_ws);
	jw_kv_int(&out, "given_http", (int64_t)door.given_http);
	jw_kv_int(&out, "upgrades_refused", (int64_t)door.refused);
	jw_kv_int(&out, "late", (int64_t)door.late);
	jw_kv_int(&out, "gone", (int64_t)door.gone);
	jw_kv_int(&out, "crowded", (int64_t)door.crowded);
	jw_kv_int(&out, "pauses", (int64_t)door.pauses);
	jw_kv_int(&out, "undecided", door.undecided);
	jw_object_end(&out);
	say();
}

/* ---- pushing ---- */

static struct push {
	long count, done, per_turn, per_second;
	int64_t began_us, began_cpu_us;
	uint64_t random;
	unsigned tabs;
} push;

static struct call_view pushed_call;

/* When it was pushed, by the monotonic clock: a client on this machine can tell how long it took.
 */
static void mark_time(void)
{
	snprintf(pushed_call.command_id, sizeof(pushed_call.command_id), "%016lld",
		 (long long)clock_mono_us(&clock_system));
}

static void push_one(void)
{
	push.random = push.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	fake_tell_seen(probe.control, (unsigned)(push.random >> 33) % push.tabs, &pushed_call);
}

static size_t bytes_of_one(void)
{
	static char text[CALL_EVENT_LONGEST];

	return protocol_put_call_event(text, TELL_UPDATE, &pushed_call, FAKE_EPOCH, 1);
}

void probe_push_some(void)
{
	int64_t now_us = clock_mono_us(&clock_system);
	long due = push.count;

	if (push.per_second > 0)
		due = (now_us - push.began_us) * push.per_second / 1000000;
	if (due > push.count)
		due = push.count;
	mark_time();
	for (long i = 0; i < push.per_turn && push.done < due; i++, push.done++)
		push_one();
	if (push.done < push.count) {
		if (push.per_second > 0 && push.done == due)
			usleep(200); /* a probe may: nothing else needs this thread */
		return;
	}
	probe_push_stop();
	jw_object(&out);
	jw_kv_int(&out, "pushed", push.done);
	jw_kv_int(&out, "wall_us", clock_mono_us(&clock_system) - push.began_us);
	jw_kv_int(&out, "cpu_us", cpu_us() - push.began_cpu_us);
	jw_kv_int(&out, "bytes", (int64_t)bytes_of_one());
	jw_object_end(&out);
	say();
}

/* ---- commands ---- */

static void say_done(void)
{
	jw_object(&out);
	jw_kv_bool(&out, "done", true);
	jw_object_end(&out);
	say();
}

static void say_error(const char *why)
{
	jw_object(&out);
	jw_kv_text(&out, "error", why);
	jw_object_end(&out);
	say();
}

static long number(const char *word, long fallback)
{
	return word ? strtol(word, NULL, 10) : fallback;
}

static bool make_ticket(unsigned agent, const char *origin, unsigned session, long life_ms)
{
	const struct uuid agent_id = fake_uuid(1, agent), session_id = fake_uuid(2, session);
	char ticket[44];
	struct err err;
	int64_t expires_ms = life_ms ? clock_wall_ms(&probe_clock) + life_ms : 0;

	if (origin && strcmp(origin, "-") == 0)
		origin = NULL;
	if (ws_ticket_make(probe.ws, &agent_id, &session_id, expires_ms, origin, ticket, &err) !=
	    ST_OK) {
		jw_text(&out, err.code);
		return false;
	}
	jw_text(&out, ticket);
	return true;
}

static void do_ticket(char **words)
{
	unsigned agent = (unsigned)number(words[1], 1);

	jw_object(&out);
	jw_key(&out, "ticket");
	make_ticket(agent, words[2], (unsigned)number(words[2] ? words[3] : NULL, agent),
		    number(words[2] && words[3] ? words[4] : NULL, 0));
	jw_object_end(&out);
	say();
}

static void do_tickets(char **words)
{
	unsigned first = (unsigned)number(words[1], 1), count = (unsigned)number(words[2], 1);

	jw_object(&out);
	jw_key(&out, "tickets");
	jw_array(&out);
	for (unsigned i = 0; i < count; i++)
		make_ticket(first + i, NULL, first + i, 0);
	jw_array_end(&out);
	jw_object_end(&out);
	say();
}

static enum call_state state_of(const char *word)
{
	for (enum call_state state = 0; word && state < CALL_STATE_COUNT; state++)
		if (strcmp(word, call_state_word(state)) == 0)
			return state;
	return CALL_TALK;
}

static void do_tell(char **words)
{
	fake_tell_call(probe.control, (unsigned)number(words[1], 1), (int)number(words[2], 1),
		       state_of(words[3]), words[3] && words[4] ? words[4] : "");
	say_done();
}

static void do_agent(char **words)
{
	enum agent_state state = AGENT_READY;

	if (words[2] && !agent_state_parse(words[2], &state)) {
		say_error("no such state");
		return;
	}
	fake_tell_agent(probe.control, (unsigned)number(words[1], 1), state);
	say_done();
}

static void do_tabs(char **words)
{
	fake_tell_tabs(probe.control, (unsigned)number(words[1], 1));
	say_done();
}

static void do_notice(char **words)
{
	fake_tell_notice(probe.control, (unsigned)number(words[1], 0), words[2] ? words[2] : "test",
			 words[2] && words[3] ? words[3] : "a notice");
	say_done();
}

static void do_push(char **words)
{
	push = (struct push){
		.count = number(words[1], 1),
		.per_turn = number(words[1] ? words[2] : NULL, 32),
		.per_second = number(words[1] && words[2] ? words[3] : NULL, 0),
		.began_us = clock_mono_us(&clock_system),
		.began_cpu_us = cpu_us(),
		.random = 4711,
		.tabs = fake_seen_count(probe.control),
	};
	if (push.tabs == 0) {
		say_error("no tab was attached to");
		return;
	}
	fake_call(probe.control, 1, 1, CALL_TALK, "", &pushed_call);
	probe_push_start();
}

static void do_journal(char **words)
{
	if (words[1] && door_journal_open(words[1], probe.control, probe_wake_stable))
		say_done();
	else
		say_error("the journal does not open");
}

static struct {
	long count;
	int64_t began_us, began_cpu_us;
} stored;

static void do_store(char **words)
{
	const struct door_store store = {
		.count = number(words[1], 1),
		.out = number(words[1] ? words[2] : NULL, 1),
		.per_second = number(words[1] && words[2] ? words[3] : NULL, 0),
	};

	if (fake_seen_count(probe.control) == 0) {
		say_error("no tab was attached to");
		return;
	}
	stored.count = store.count;
	stored.began_us = clock_mono_us(&clock_system);
	stored.began_cpu_us = cpu_us();
	door_journal_start(&store);
	probe_store();
}

void probe_say_stored(void)
{
	if (!door_journal_is_done())
		return;
	jw_object(&out);
	jw_kv_int(&out, "stored", stored.count);
	jw_kv_int(&out, "wall_us", clock_mono_us(&clock_system) - stored.began_us);
	jw_kv_int(&out, "cpu_us", cpu_us() - stored.began_cpu_us);
	jw_object_end(&out);
	say();
}

static void do_flood(char **words)
{
	long count = number(words[1] && words[2] ? words[3] : NULL, 1);

	for (long i = 0; i < count; i++)
		fake_tell_call(probe.control, (unsigned)number(words[1], 1),
			       (int)number(words[2], 1), CALL_TALK, "flood");
	say_done();
}

static void do_answer(char **words)
{
	static const char *const names[] = {"conflict", "unavailable", "internal", "forbidden"};
	static const enum status statuses[] = {ST_CONFLICT, ST_UNAVAILABLE, ST_INTERNAL,
					       ST_FORBIDDEN};

	answer_mode = ANSWER_OK;
	if (words[1] && strcmp(words[1], "hold") == 0)
		answer_mode = ANSWER_HOLD;
	for (int i = 0; i < 4; i++)
		if (words[1] && strcmp(words[1], names[i]) == 0) {
			answer_mode = ANSWER_ERROR;
			err_set(&answer_error, statuses[i], words[2] ? words[2] : "test.error",
				"tab", "it was asked for");
		}
	if (answer_mode != ANSWER_HOLD)
		probe_answer_commands();
	say_done();
}

static void do_commands(char **words)
{
	(void)words;
	jw_object(&out);
	jw_key(&out, "commands");
	if (commands_seen.length)
		jw_raw(&out, jw_start(&commands_seen), commands_seen.length);
	else
		jw_null(&out);
	jw_object_end(&out);
	say();
}

static void do_advance(char **words)
{
	probe_advance(number(words[1], 0));
	say_done();
}

static void do_close(char **words)
{
	ws_close_all(probe.ws, (unsigned)number(words[1], 1012),
		     (unsigned)number(words[1] ? words[2] : NULL, 0));
	say_done();
}

static void do_end(char **words)
{
	const struct uuid session_id = fake_uuid(2, (unsigned)number(words[1], 1));

	ws_session_end(probe.ws, &session_id);
	say_done();
}

static void do_nofile(char **words)
{
	static struct rlimit first;
	struct rlimit now;

	if (first.rlim_max == 0)
		getrlimit(RLIMIT_NOFILE, &first);
	now = first;
	if (number(words[1], 0) > 0)
		now.rlim_cur = (rlim_t)number(words[1], 0);
	setrlimit(RLIMIT_NOFILE, &now);
	say_done();
}

static void do_stop_accepting(char **words)
{
	(void)words;
	front_stop_accepting(probe.front);
	say_done();
}

static void do_stat(char **words)
{
	(void)words;
	say_stat();
}

static const struct {
	const char *word;
	void (*run)(char **words);
} verbs[] = {
	{"ticket", do_ticket},
	{"tickets", do_tickets},
	{"tell", do_tell},
	{"agent", do_agent},
	{"tabs", do_tabs},
	{"notice", do_notice},
	{"push", do_push},
	{"journal", do_journal},
	{"store", do_store},
	{"flood", do_flood},
	{"answer", do_answer},
	{"commands", do_commands},
	{"advance", do_advance},
	{"close", do_close},
	{"end", do_end},
	{"nofile", do_nofile},
	{"stop-accepting", do_stop_accepting},
	{"stat", do_stat},
};

void probe_obey(char *line)
{
	char *words[WORDS_MAX + 1] = {0};
	unsigned count = 0;

	for (char *word = strtok(line, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
		words[count++] = word;
	if (count == 0)
		return;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(words[0], verbs[i].word) == 0) {
			verbs[i].run(words);
			return;
		}
	say_error("no such command");
}

void probe_say_port(unsigned port)
{
	jw_object(&out);
	jw_kv_int(&out, "port", port);
	jw_object_end(&out);
	say();
}

void probe_done(void)
{
	jw_done(&out);
	jw_done(&commands_seen);
}
