/* Prints docs/state-machines.md from the tables of calls/. With a file's name it compares instead,
 * and says how to bring the file up to date when it differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls/agent.h"
#include "calls/call.h"

static const char *const meanings[CALL_STATE_COUNT] = {
	[CALL_NONE] = "nothing has happened yet",
	[CALL_QUEUED] = "a caller waits for an agent; on no tab",
	[CALL_PREVIEW] = "a record is presented, the preview timer runs",
	[CALL_PREVIEW_PAUSED] = "the agent stopped the preview timer",
	[CALL_INCOMING] = "an inbound call is presented",
	[CALL_ANSWERING] = "the agent has answered, his audio is being brought",
	[CALL_RINGING] = "dialed, waiting for the customer to answer",
	[CALL_TALK] = "the call is active",
	[CALL_HELD] = "the customer hears music",
	[CALL_CONSULT] = "active, with the target of a consultation",
	[CALL_CONSULT_HELD] = "the target waits while the agent is with somebody else",
	[CALL_CONFERENCE] = "active, with both parties",
	[CALL_TRANSFERRING] = "blind transfer: the agent is out, the target is being called",
	[CALL_WRAP] = "released, the wrap timer runs if one is configured",
	[CALL_WRAP_PAUSED] = "the agent stopped the wrap timer",
	[CALL_PAUSE] = "the wrap is over and an outcome is due",
	[CALL_END] = "the wrap is over or the agent has moved on",
};
static const char *const timers[CALL_STATE_COUNT] = {
	[CALL_PREVIEW] = "preview",
	[CALL_INCOMING] = "offer",
	[CALL_RINGING] = "ring limit",
	[CALL_WRAP] = "wrap",
};

static const char *or_dash(const char *text)
{
	return text && text[0] ? text : "-";
}

static void print_states(FILE *out)
{
	fprintf(out, "## The states of a call\n\n"
		     "| state | clients see | live board | event row | timer | |\n"
		     "|---|---|---|---|---|---|\n");
	for (int i = 0; i < CALL_STATE_COUNT; i++) {
		enum call_state s = (enum call_state)i;

		fprintf(out, "| `%s` | %s | %s | %s | %s | %s |\n", call_state_word(s),
			or_dash(call_client_word(s)), call_board_word(s),
			or_dash(call_event_name(s)), or_dash(timers[i]), meanings[i]);
	}
}

static void print_effects(FILE *out, const struct call_rule *rule)
{
	for (unsigned i = 0; i < EFFECTS_MAX && rule->effects[i] != FX_NONE; i++)
		fprintf(out, "%s%s", i ? ", " : "", call_effect_word(rule->effects[i]));
	if (rule->effects[0] == FX_NONE)
		fputs("-", out);
}

static void print_rule(FILE *out, const struct call_rule *rule)
{
	fprintf(out, "| %s | %s | `%s` | ", call_event_word(rule->event),
		or_dash(call_guard_word(rule->guard)), call_state_word(rule->to));
	print_effects(out, rule);
	fprintf(out, " | %s | %s |\n", rule->reason,
		rule->result == ATTEMPT_NONE ? "-" : attempt_result_word(rule->result));
}

static void print_transitions(FILE *out)
{
	fprintf(out, "## Transitions of a call\n\n"
		     "The first line whose condition holds applies. A command that is not here is "
		     "refused "
		     "and changes nothing; a fact or\ntimer that is not here came late and is "
		     "ignored.\n");
	for (int s = 0; s < CALL_STATE_COUNT; s++) {
		bool has_rules = false;

		fprintf(out, "\n### %s\n\n", call_state_word((enum call_state)s));
		for (unsigned i = 0; i < call_rule_count; i++) {
			if (call_rules[i].from != (enum call_state)s)
				continue;
			if (!has_rules)
				fprintf(out,
					"| event | if | becomes | asked of the switch | reason "
					"| result |\n|---|---|---|---|---|---|\n");
			has_rules = true;
			print_rule(out, &call_rules[i]);
		}
		if (!has_rules)
			fprintf(out, "Nothing happens any more.\n");
	}
}

/* `end` is a word of the diagram's own language. */
static const char *node(enum call_state state)
{
	return state == CALL_END ? "ended" : call_state_word(state);
}

/* All events that lead from one state to another on one arrow. */
static void print_arrow(FILE *out, enum call_state from, enum call_state to)
{
	bool is_first = true;

	for (unsigned i = 0; i < call_rule_count; i++) {
		const struct call_rule *rule = &call_rules[i];

		if (rule->from != from || rule->to != to)
			continue;
		if (is_first)
			fprintf(out, "    %s --> %s: ", node(from), node(to));
		fprintf(out, "%s%s", is_first ? "" : ", ", call_event_word(rule->event));
		is_first = false;
	}
	if (!is_first)
		fputs("\n", out);
}

static void print_diagram(FILE *out)
{
	fprintf(out, "## A call as a diagram\n\nEvents that stay in a state are left out.\n\n"
		     "```mermaid\nstateDiagram-v2\n    state \"end\" as ended\n    [*] --> none\n");
	for (int from = 0; from < CALL_STATE_COUNT; from++)
		for (int to = 0; to < CALL_STATE_COUNT; to++)
			if (from != to)
				print_arrow(out, (enum call_state)from, (enum call_state)to);
	fprintf(out, "    ended --> [*]\n```\n");
}

static void print_agent_cell(FILE *out, enum agent_state from, enum agent_event_kind event)
{
	enum agent_state to = agent_rule(from, event);

	if (event == AGENT_EV_SET && to != AGENT_STATE_COUNT)
		fprintf(out, " the state asked for |");
	else if (event == AGENT_EV_CALL_OVER && from != AGENT_LOGGED_OUT)
		fprintf(out, " the state waiting, if any |");
	else
		fprintf(out, " %s |", to == AGENT_STATE_COUNT ? "-" : agent_state_word(to));
}

static void print_agent(FILE *out)
{
	fprintf(out, "## An agent\n\n"
		     "What is asked for while a call is live waits for its end. `LoggedOut` is "
		     "reached by "
		     "signing out and by nothing else.\n\n"
		     "| state | colour |");
	for (int e = 0; e < AGENT_EV_COUNT; e++)
		fprintf(out, " %s |", agent_event_word((enum agent_event_kind)e));
	fprintf(out, "\n|---|---|---|---|---|---|---|\n");
	for (int s = 0; s < AGENT_STATE_COUNT; s++) {
		fprintf(out, "| `%s` | %s |", agent_state_word((enum agent_state)s),
			agent_state_colour((enum agent_state)s));
		for (int e = 0; e < AGENT_EV_COUNT; e++)
			print_agent_cell(out, (enum agent_state)s, (enum agent_event_kind)e);
		fputs("\n", out);
	}
}

static void print_agent_diagram(FILE *out)
{
	fprintf(out, "\n```mermaid\nstateDiagram-v2\n    [*] --> LoggedOut\n");
	for (int s = 0; s < AGENT_STATE_COUNT; s++)
		for (int e = 0; e < AGENT_EV_COUNT; e++) {
			enum agent_state to =
				agent_rule((enum agent_state)s, (enum agent_event_kind)e);

			if (to != AGENT_STATE_COUNT && e != AGENT_EV_SET)
				fprintf(out, "    %s --> %s: %s\n",
					agent_state_word((enum agent_state)s), agent_state_word(to),
					agent_event_word((enum agent_event_kind)e));
		}
	for (int s = AGENT_LOGGED_IN; s < AGENT_STATE_COUNT; s++)
		for (int to = AGENT_LOGGED_IN; to < AGENT_STATE_COUNT; to++)
			if (s != to)
				fprintf(out, "    %s --> %s: set\n",
					agent_state_word((enum agent_state)s),
					agent_state_word((enum agent_state)to));
	fprintf(out, "```\n");
}

static void print_all(FILE *out)
{
	fprintf(out, "# State machines\n\n"
		     "Printed from the tables in `calls/call_rules.c`, `calls/words.c` and "
		     "`calls/agent.c`; do not edit it here. To print it\nagain: "
		     "`meson compile -C build print_state_machines` and\n"
		     "`build/tests/unit/calls/print_state_machines > docs/state-machines.md`.\n\n");
	print_states(out);
	fputs("\n", out);
	print_transitions(out);
	fputs("\n", out);
	print_diagram(out);
	fputs("\n", out);
	print_agent(out);
	print_agent_diagram(out);
}

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = calloc(1, 1 << 20);

	if (file) {
		size_t length = fread(text, 1, (1 << 20) - 1, file);

		text[length] = 0;
		fclose(file);
	}
	return text;
}

static int compare(const char *path, const char *now)
{
	char *kept = read_all(path);
	unsigned line = 1;
	size_t i = 0;

	while (kept[i] && kept[i] == now[i])
		line += kept[i++] == '\n';
	if (kept[i] == now[i]) {
		free(kept);
		return 0;
	}
	printf("%s:%u: differs from the tables of calls/. To print it again, from the top of the "
	       "tree "
	       "(BUILD = your build folder):\n"
	       "  ninja -C BUILD tests/unit/calls/print_state_machines && "
	       "BUILD/tests/unit/calls/print_state_machines > docs/state-machines.md\n",
	       path, line);
	free(kept);
	return 1;
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int result = 0;

	print_all(out);
	fclose(out);
	if (argc > 1)
		result = compare(argv[1], text);
	else
		fputs(text, stdout);
	free(text);
	return result;
}
