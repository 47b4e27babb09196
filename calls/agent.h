#pragma once
/* An agent's state and what may change it. A change asked for while a call is live waits
 * (next_state) and is taken when the call is over. Pure; time comes in the event. */
#include "base/status.h"
#include "calls/call_view.h"

enum agent_event_kind {
	AGENT_EV_PRESENT,   /* his first page is connected */
	AGENT_EV_ABSENT,    /* signed out */
	AGENT_EV_SET,	    /* agentReady, agentNotReady, setState */
	AGENT_EV_CALL_OVER, /* his last live call is over */
	AGENT_EV_MISSED,    /* an offer rang out: he is taken out of the queue */
	AGENT_EV_COUNT
};

struct agent_event {
	enum agent_event_kind kind;
	int64_t at_ms;
	enum agent_state state; /* SET */
	const char *reason;	/* SET; NULL = none */
	bool is_on_call;	/* a call of his is live */
};

/* *ret_changed: the agent is to be stored and told. */
enum status agent_step(const struct agent_view *agent, const struct agent_event *event,
		       struct agent_view *next, bool *ret_changed, struct err *err) MUST_USE;
/* May he be offered a call now? */
bool agent_is_available(const struct agent_view *agent, bool is_on_call);
/* Is his audio kept up between calls? From the first state he takes until he signs out. */
bool agent_keeps_audio(const struct agent_view *agent);

/* The rules as data, for docs/state-machines.md: what `event` leads to from `from`;
 * AGENT_STATE_COUNT = no change, for SET the asked-for state itself. */
enum agent_state agent_rule(enum agent_state from, enum agent_event_kind event);
const char *agent_event_word(enum agent_event_kind kind);
