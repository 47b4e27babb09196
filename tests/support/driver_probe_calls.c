#include "driver_probe_calls.h"

#include <string.h>

#include "base/str.h"

void probe_on_call_fact(void *user, const struct tel_call_fact *fact)
{
	struct json_writer w = {0};
	char kind[40];

	(void)user;
	str_format(kind, sizeof kind, "call_%s", tel_call_fact_word(fact->kind));
	jw_object(&w);
	jw_kv_text(&w, "fact", kind);
	jw_kv_text(&w, "call", fact->call);
	jw_kv_text(&w, "agent", fact->agent);
	jw_kv_text(&w, "leg", fact->leg);
	jw_kv_text(&w, "dnis", fact->dnis);
	jw_kv_text(&w, "text", fact->text);
	jw_kv_int(&w, "on", fact->on);
	if (fact->kind == TELCALL_ENDED) {
		jw_kv_text(&w, "result", tel_result_word(fact->result));
		jw_kv_text(&w, "side", tel_side_word(fact->side));
	}
	jw_object_end(&w);
	probe_print(&w);
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static struct tel_agent agent_of(const json_t *line)
{
	const char *station = text_of(line, "station");
	struct tel_agent agent = {.mode = TEL_AGENT_DESK};

	if (station[0])
		str_format(agent.id, sizeof agent.id, "agent-%s", station);
	str_copy(agent.station, sizeof agent.station, station);
	return agent;
}

static enum status op_make(struct telephony *t, const json_t *line)
{
	struct tel_agent agent = agent_of(line);
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};

	str_copy(dest.value, sizeof dest.value, text_of(line, "number"));
	return telephony_make(t, text_of(line, "call"), &agent, &dest, NULL, NULL);
}

static enum status op_adopt(struct telephony *t, const json_t *line)
{
	return telephony_adopt(t, text_of(line, "call"), text_of(line, "leg"), NULL);
}

static enum status op_answer(struct telephony *t, const json_t *line)
{
	struct tel_agent agent = agent_of(line);

	return telephony_answer(t, text_of(line, "call"), &agent, NULL);
}

static enum status op_clear(struct telephony *t, const json_t *line)
{
	return telephony_clear(t, text_of(line, "call"), 16, NULL);
}

static enum status op_keep(struct telephony *t, const json_t *line)
{
	struct tel_agent agent = agent_of(line);

	return telephony_keep(t, &agent, json_is_true(json_object_get(line, "on")), NULL);
}

static enum status op_hold(struct telephony *t, const json_t *line)
{
	return telephony_hold(t, text_of(line, "call"), NULL);
}

static enum status op_resume(struct telephony *t, const json_t *line)
{
	return telephony_resume(t, text_of(line, "call"), NULL);
}

static enum status op_conference(struct telephony *t, const json_t *line)
{
	return telephony_conference(t, text_of(line, "call"), text_of(line, "held"), NULL);
}

static enum status op_complete(struct telephony *t, const json_t *line)
{
	return telephony_complete(t, text_of(line, "call"), text_of(line, "held"), NULL);
}

static enum status op_restore(struct telephony *t, const json_t *line)
{
	static const char *const phases[TEL_WAS_COUNT] = {"made",	  "offered",	"answering",
							  "talk",	  "held",	"parked",
							  "transferring", "conference", "ending"};
	struct tel_restored was = {.agent = agent_of(line), .phase = TEL_WAS_COUNT};

	for (int i = 0; i < TEL_WAS_COUNT; i++)
		if (strcmp(text_of(line, "phase"), phases[i]) == 0)
			was.phase = (enum tel_was)i;
	str_copy(was.call, sizeof was.call, text_of(line, "call"));
	str_copy(was.leg, sizeof was.leg, text_of(line, "leg"));
	str_copy(was.partner, sizeof was.partner, text_of(line, "partner"));
	return telephony_restore(t, &was, NULL);
}

enum status probe_call_op(struct telephony *t, const char *op, const json_t *line)
{
	static const struct {
		const char *name;
		enum status (*run)(struct telephony *t, const json_t *line);
	} ops[] = {
		{"call_make", op_make},		{"call_adopt", op_adopt},
		{"call_answer", op_answer},	{"call_clear", op_clear},
		{"call_keep", op_keep},		{"call_hold", op_hold},
		{"call_resume", op_resume},	{"call_conference", op_conference},
		{"call_complete", op_complete}, {"call_restore", op_restore},
	};

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strcmp(ops[i].name, op) == 0)
			return ops[i].run(t, line);
	return ST_UNSUPPORTED;
}
