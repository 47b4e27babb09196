#include "calls/agent.h"

#include "base/str.h"

#include <string.h>

#define STAY AGENT_STATE_COUNT

/* clang-format off */
static const enum agent_state rules[AGENT_STATE_COUNT][AGENT_EV_COUNT] = {
	/*                      PRESENT          ABSENT            SET              CALL_OVER  MISSED */
	[AGENT_LOGGED_OUT] = {AGENT_LOGGED_IN, STAY,             STAY,            STAY,      STAY},
	[AGENT_LOGGED_IN]  = {STAY,            AGENT_LOGGED_OUT, AGENT_LOGGED_IN, STAY,      STAY},
	[AGENT_READY]      = {STAY,            AGENT_LOGGED_OUT, AGENT_READY,     STAY,      AGENT_NOT_READY},
	[AGENT_AWAY]       = {STAY,            AGENT_LOGGED_OUT, AGENT_AWAY,      STAY,      STAY},
	[AGENT_NOT_READY]  = {STAY,            AGENT_LOGGED_OUT, AGENT_NOT_READY, STAY,      STAY},
};
/* clang-format on */

static const char *const event_words[] = {"present", "absent", "set", "call_over", "missed"};
_Static_assert(sizeof(event_words) / sizeof(event_words[0]) == AGENT_EV_COUNT, "every event");

enum agent_state agent_rule(enum agent_state from, enum agent_event_kind event)
{
	return rules[from][event];
}

const char *agent_event_word(enum agent_event_kind kind)
{
	return event_words[kind];
}

/* The time of a state is when it began: asking for it again is no new beginning (who has been ready
 * longest is offered the next call), and it never goes back when the wall clock does. */
static void change(struct agent_view *next, enum agent_state state, const char *reason,
		   int64_t at_ms)
{
	if (next->state != state && at_ms > next->state_at_ms)
		next->state_at_ms = at_ms;
	next->state = next->next_state = state;
	str_copy_cut(next->reason, sizeof(next->reason), reason);
}

static enum status step_set(const struct agent_event *event, struct agent_view *next,
			    struct err *err)
{
	if (event->state == AGENT_LOGGED_OUT)
		return err_set(err, ST_INVALID, "agent.state_invalid", "state",
			       "LoggedOut is reached by signing out");
	if (rules[next->state][AGENT_EV_SET] == STAY)
		return err_set(err, ST_CONFLICT, "agent.logged_out", "state",
			       "the agent is logged out: sign in first");
	if (event->is_on_call && event->state != next->state) {
		next->next_state = event->state;
		str_copy_cut(next->reason, sizeof(next->reason), event->reason);
		return ST_OK;
	}
	change(next, event->state, event->reason, event->at_ms);
	return ST_OK;
}

enum status agent_step(const struct agent_view *agent, const struct agent_event *event,
		       struct agent_view *next, bool *ret_changed, struct err *err)
{
	struct agent_view result = *agent;
	enum agent_state to = rules[agent->state][event->kind];
	enum status status = ST_OK;

	if (event->kind == AGENT_EV_SET)
		status = step_set(event, &result, err);
	else if (event->kind == AGENT_EV_CALL_OVER && agent->next_state != agent->state)
		change(&result, agent->next_state, agent->reason, event->at_ms);
	else if (to != STAY)
		change(&result, to, event->kind == AGENT_EV_MISSED ? "missed_call" : "",
		       event->at_ms);
	if (status != ST_OK)
		return status;
	*ret_changed = result.state != agent->state || result.next_state != agent->next_state ||
		       strcmp(result.reason, agent->reason) != 0;
	if (*ret_changed)
		result.version++;
	*next = result;
	return ST_OK;
}

bool agent_is_available(const struct agent_view *agent, bool is_on_call)
{
	return agent->state == AGENT_READY && agent->next_state == AGENT_READY && !is_on_call;
}

bool agent_keeps_audio(const struct agent_view *agent)
{
	return agent->audio == AUDIO_NAILED && agent->state != AGENT_LOGGED_OUT &&
	       agent->state != AGENT_LOGGED_IN;
}
