/* What the switch reports, turned into events of calls and agents. */
#include "control/control_priv.h"

#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"

static struct live_call *find_line(struct control *control, const char *line)
{
	struct live_call *call;

	HASH_FIND(by_line, control->calls_by_line, line, strlen(line), call);
	return call;
}

/* The result of the far leg as an attempt's (mission section 2: "busy/congestion -> Busy ; error ->
 * EoD"). */
static const enum attempt_result results[TEL_RESULT_COUNT] = {
	[TEL_NORMAL] = ATTEMPT_CANCELLED, /* weighed: CONNECTED when it had been talked */
	[TEL_BUSY] = ATTEMPT_BUSY,	     [TEL_NO_ANSWER] = ATTEMPT_NO_ANSWER,
	[TEL_REJECTED] = ATTEMPT_BUSY,	     [TEL_INVALID] = ATTEMPT_ERROR,
	[TEL_CONGESTION] = ATTEMPT_BUSY,     [TEL_ERROR] = ATTEMPT_ERROR,
	[TEL_CANCELLED] = ATTEMPT_CANCELLED, [TEL_ABANDONED] = ATTEMPT_MISSED,
	[TEL_LOST] = ATTEMPT_ERROR,
};

static const enum ended_by enders[] = {
	[TEL_SIDE_UNKNOWN] = ENDED_BY_UNKNOWN, [TEL_SIDE_FAR] = ENDED_BY_CUSTOMER,
	[TEL_SIDE_AGENT] = ENDED_BY_AGENT,     [TEL_SIDE_US] = ENDED_BY_SYSTEM,
	[TEL_SIDE_SWITCH] = ENDED_BY_SWITCH,
};

static const char *end_reason(const struct live_call *call, const struct tel_call_fact *fact)
{
	bool was_up = call->call.view.attempt_result == ATTEMPT_CONNECTED;

	if (fact->result == TEL_LOST)
		return "lost";
	if (fact->side == TEL_SIDE_AGENT)
		return was_up ? "agent_hung_up" : "agent_unreachable";
	return was_up ? NULL : tel_result_word(fact->result);
}

static void on_ended(struct control *control, struct live_call *call,
		     const struct tel_call_fact *fact)
{
	enum actor actor = fact->result == TEL_LOST ? ACTOR_RECONCILER : ACTOR_SWITCH;
	struct call_event event = control_event(control, EV_FAR_ENDED, actor, NULL);

	if (PLANTED(9) && fact->result == TEL_LOST)
		return;
	event.result = fact->side == TEL_SIDE_AGENT ? ATTEMPT_ERROR : results[fact->result];
	event.ended_by = enders[fact->side];
	event.cause = fact->cause;
	event.reason = end_reason(call, fact);
	control_set_line(control, call, "");
	control_apply(control, call, &event, NULL, NULL);
	if (call->is_ended)
		control_call_destroy(control, call);
}

static void on_call_event(struct control *control, struct live_call *call,
			  enum call_event_kind kind)
{
	struct call_event event = control_event(control, kind, ACTOR_SWITCH, NULL);

	control_apply(control, call, &event, NULL, NULL);
}

static void on_op_failed(struct control *control, struct live_call *call,
			 const struct tel_call_fact *fact)
{
	if (!strcmp(fact->text, "agent.no_audio")) {
		on_call_event(control, call, EV_NO_AUDIO);
		return;
	}
	log_warn("switch refused an operation", "agent=%s tab=%d why=%s",
		 call->agent ? call->agent->setup.login : "-", call->call.view.tab,
		 log_quote(fact->text));
	if (call->agent)
		control_notice(control, &call->agent->setup.agent_id, "switch.refused",
			       "the switch refused the last operation on this call");
}

/* A sound that ends by itself or is stopped is no news; one that nobody heard is. */
static void on_play_ended(struct control *control, const struct live_call *call,
			  const struct tel_call_fact *fact)
{
	if (strcmp(fact->text, "failed") != 0)
		return;
	log_warn("a sound could not be played", "agent=%s tab=%d",
		 call->agent ? call->agent->setup.login : "-", call->call.view.tab);
	if (call->agent)
		control_notice(control, &call->agent->setup.agent_id, "sound.failed",
			       "the switch could not play the sound");
}

static void on_offered(struct control *control, const struct tel_call_fact *fact)
{
	struct live_call *call;
	char line[UUID_TEXT_SIZE];
	struct queue_slot *queue;
	struct agent_slot *wanted;

	HASH_FIND(by_number, control->queues, fact->dnis, strlen(fact->dnis), queue);
	HASH_FIND(by_extension, control->agents_by_extension, fact->dnis, strlen(fact->dnis),
		  wanted);
	if ((!queue && !wanted) || control->is_degraded ||
	    HASH_CNT(by_id, control->calls) >= control->config.max_calls) {
		enum status ignored = telephony_refuse(control->telephony, fact->leg,
						       !queue && !wanted ? 1 : 34, NULL);

		(void)ignored;
		log_warn("inbound call refused", "dnis=%s why=%s", log_number(fact->dnis),
			 !queue && !wanted ? "no_such_number" : "overload");
		return;
	}
	call = control_call_create(control, NULL, DIR_INBOUND, NULL, 0);
	call->queue = queue;
	call->wanted = wanted;
	uuid_format(&call->call.view.call_id, line);
	if (telephony_adopt(control->telephony, line, fact->leg, NULL) != ST_OK) {
		control_call_destroy(control, call);
		return;
	}
	control_set_line(control, call, line);
	str_copy_cut(call->leg, sizeof(call->leg), fact->leg);
	control_name_caller(control, fact->number, call->call.view.phone);
	str_copy_cut(call->call.view.dnis, sizeof(call->call.view.dnis), fact->dnis);
	str_copy_cut(call->call.view.from.name, sizeof(call->call.view.from.name), fact->name);
	control_caller_waits(control, call);
}

static void on_agent_media(struct control *control, const struct tel_call_fact *fact)
{
	struct agent_slot *agent = NULL;
	struct uuid id;

	if (uuid_parse(fact->agent, &id))
		agent = control_find_agent(control, &id);
	if (agent)
		control_audio_path(control, agent, fact->text);
}

static void on_agent_audio(struct control *control, const struct tel_call_fact *fact)
{
	struct agent_slot *agent = NULL;
	struct uuid id;

	if (uuid_parse(fact->agent, &id))
		agent = control_find_agent(control, &id);
	if (!agent || agent->view.is_audio_up == fact->on)
		return;
	if (!fact->on)
		control_device_gone(control, agent);
	agent->view.is_audio_up = fact->on;
	agent->view.version++;
	control_record_agent(control, agent);
}

static void on_agent_held(struct control *control, const struct tel_call_fact *fact)
{
	struct agent_slot *agent = NULL;
	struct uuid id;

	if (uuid_parse(fact->agent, &id))
		agent = control_find_agent(control, &id);
	if (agent)
		control_device_held(control, agent, fact->on);
}

static void on_station(struct control *control, const struct tel_call_fact *fact)
{
	struct agent_slot *agent;

	HASH_FIND(by_extension, control->agents_by_extension, fact->station, strlen(fact->station),
		  agent);
	if (!agent || agent->view.is_phone_reachable == fact->on)
		return;
	agent->view.is_phone_reachable = fact->on;
	agent->view.version++;
	control_record_agent(control, agent);
}

/* The switch is there when what differed has been told, not when its link is up: only then does it
 * take commands. */
static void on_link(struct control *control)
{
	bool is_linked = telephony_is_linked(control->telephony);

	if (control->is_linked == is_linked)
		return;
	control->is_linked = is_linked;
	if (is_linked)
		log_info("switch is up", "driver=%s", telephony_driver_name(control->telephony));
	else
		log_err("switch is away: calls go on there, new ones are refused", "driver=%s",
			telephony_driver_name(control->telephony));
	if (is_linked)
		control_sweep_lines(control);
	control_notice(control, NULL, is_linked ? "switch.ok" : "switch.away",
		       is_linked ? "the switch is back" : "the switch is away");
	control_offer_soon(control);
}

static bool on_general_fact(struct control *control, const struct tel_call_fact *fact)
{
	switch (fact->kind) {
	case TELCALL_OFFERED:
		on_offered(control, fact);
		return true;
	case TELCALL_AGENT_AUDIO:
		on_agent_audio(control, fact);
		return true;
	case TELCALL_AGENT_HELD:
		on_agent_held(control, fact);
		return true;
	case TELCALL_AGENT_MEDIA:
		on_agent_media(control, fact);
		return true;
	case TELCALL_STATION:
		on_station(control, fact);
		return true;
	case TELCALL_RECORD_BEGUN: /* the call may be over: its parties go on without us */
		control_recording_begun(control, fact);
		return true;
	case TELCALL_RECORD_ENDED:
		control_recording_ended(control, fact);
		return true;
	case TELCALL_LINK:
		on_link(control);
		return true;
	case TELCALL_SYNCED: /* behind everything that was found out about calls */
		on_link(control);
		control_settle(control, true);
		return true;
	default:
		return false;
	}
}

void control_do_fact(struct control *control, const struct tel_call_fact *fact)
{
	struct live_call *call;

	if (on_general_fact(control, fact))
		return;
	call = find_line(control, fact->call);
	if (!call)
		return; /* its end has been told already */
	switch (fact->kind) {
	case TELCALL_WAITING:
		on_call_event(control, call, EV_FAR_WAITS);
		break;
	case TELCALL_DIALING:
		on_call_event(control, call, EV_FAR_DIALING);
		break;
	case TELCALL_RINGING:
		on_call_event(control, call, EV_FAR_RINGING);
		break;
	case TELCALL_UP:
		on_call_event(control, call, EV_UP);
		break;
	case TELCALL_ENDED:
		on_ended(control, call, fact);
		break;
	case TELCALL_TRANSFERRED:
		on_call_event(control, call, EV_TRANSFERRED);
		break;
	case TELCALL_TRANSFER_FAILED:
		on_call_event(control, call, EV_TRANSFER_FAILED);
		break;
	case TELCALL_OP_FAILED:
		on_op_failed(control, call, fact);
		break;
	case TELCALL_PLAY_ENDED:
		on_play_ended(control, call, fact);
		break;
	default:
		break;
	}
}
