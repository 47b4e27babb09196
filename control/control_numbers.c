/* Which number is meant, and how it is dialed: extensions, numbering plans, dial rules. */
#include "control/control_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/str.h"
#include "calls/number.h"

#define RING_MARGIN_S 10 /* the switch's own limit, should ours not come: later than ours */

void control_set_dial_rules(struct control *control, const struct dial_rule *list, unsigned count)
{
	free(control->dial_rules);
	control->dial_rules = xcalloc(count + 1, sizeof(*list));
	if (count)
		memcpy(control->dial_rules, list, count * sizeof(*list));
	control->dial_rule_count = count;
}

void control_numbers_free(struct control *control)
{
	free(control->dial_rules);
}

static struct agent_slot *find_station(const struct control *control, const char *number)
{
	struct agent_slot *agent;

	HASH_FIND(by_extension, control->agents_by_extension, number, strlen(number), agent);
	return agent;
}

static bool is_internal(const struct control *control, const char *number)
{
	return number_is_internal(number) || find_station(control, number);
}

enum status control_parse_number(const struct control *control, const char *text,
				 char ret[NUMBER_SIZE], struct err *err)
{
	char number[NUMBER_SIZE];
	enum status status = number_parse(text, number, err);

	if (status == ST_OK && control->config.numbering && !is_internal(control, number))
		status = numbering_normalise(control->config.numbering, number, number,
					     sizeof(number), err);
	if (status == ST_OK)
		memcpy(ret, number, sizeof(number));
	return status;
}

void control_name_caller(const struct control *control, const char *text, char ret[NUMBER_SIZE])
{
	if (control_parse_number(control, text, ret, NULL) != ST_OK)
		str_copy_cut(ret, NUMBER_SIZE, text);
}

static const char *party_type(const struct call_view *view)
{
	return view->direction == DIR_INBOUND ? view->from.type : view->to.type;
}

static const struct dial_rule *find_rule(const struct control *control,
					 const struct live_call *call, const char *number)
{
	const struct call_view *view = &call->call.view;
	const struct dial_facts facts = {
		.campaign = view->campaign,
		.queue = call->queue ? call->queue->setup.name : "",
		.party_type = party_type(view),
		.number = number,
	};

	return dial_rule_find(control->dial_rules, control->dial_rule_count, &facts);
}

static void fill_caller(const struct control *control, const struct dial_rule *rule,
			struct tel_call_options *ret)
{
	const char *number = control->config.caller_number, *name = control->config.caller_name;

	if (rule && rule->is_withheld) {
		ret->is_withheld = true;
		number = name = "";
	}
	if (rule && rule->caller_number[0])
		number = rule->caller_number;
	if (rule && rule->caller_name[0])
		name = rule->caller_name;
	str_copy_cut(ret->caller_number, sizeof(ret->caller_number), number);
	str_copy_cut(ret->caller_name, sizeof(ret->caller_name), name);
}

enum status control_plan_dial(const struct control *control, const struct live_call *call,
			      const char *number, struct dial_plan *ret, struct err *err)
{
	const struct dial_rule *rule = NULL;
	char dialed[NUMBER_SIZE];
	enum status status = ST_OK;

	memset(ret, 0, sizeof(*ret));
	ret->options.ring_s = control->config.ring_s + RING_MARGIN_S;
	ret->options.far_waits = !PLANTED(7);
	ret->dest.kind = find_station(control, number) ? TEL_DEST_STATION : TEL_DEST_NUMBER;
	str_copy_cut(dialed, sizeof(dialed), number);
	if (ret->dest.kind == TEL_DEST_NUMBER)
		rule = find_rule(control, call, number);
	if (rule)
		status = dial_rule_apply(rule, number, dialed, err);
	str_copy_cut(ret->dest.value, sizeof(ret->dest.value), dialed);
	fill_caller(control, rule, &ret->options);
	return status;
}
