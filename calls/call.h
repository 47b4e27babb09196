#pragma once
/* One call on one tab, and what follows when something happens to it. Pure: no clock, no log, no
 * allocation, no JSON; time comes in the event, so the same events always give the same calls
 * (replay, tests, docs).
 *
 * call_step() looks the pair (state, event) up in the table of call_rules.c. A command that is not
 * there is refused and nothing changes; a fact or timer that is not there is late and ignored
 * (ST_OK, nothing changes). What the step wants done is returned as effects; deadlines, the rows to
 * write and the words to tell are derived from the call before and after (call_deadline(),
 * call_story()), so they cannot be forgotten in a row. */
#include "base/status.h"
#include "calls/call_view.h"

enum call_event_kind {
	/* commands */
	EV_PRESENT, /* a record is shown with the preview timer */
	EV_ENQUEUE, /* a caller waits */
	EV_OFFER,   /* ... and is presented to an agent */
	EV_DIAL,
	EV_CONSULT_DIAL, /* the new call of a consultation */
	EV_ANSWER,
	EV_RELEASE,
	EV_REJECT,
	EV_SKIP,
	EV_NOT_READY, /* the agent became not ready: an offer goes back */
	EV_HOLD,
	EV_RESUME,
	EV_MUTE,
	EV_DTMF,
	EV_PLAY,
	EV_TRANSFER, /* blind */
	EV_CONSULT,  /* the customer's side of a consultation */
	EV_CANCEL_CONSULT,
	EV_COMPLETE,   /* on the active call of the pair */
	EV_CONFERENCE, /* on the active call of the pair */
	EV_LEAVE,      /* the agent leaves the conference */
	EV_PAUSE_TIMER,
	EV_RESUME_TIMER,
	EV_OUTCOME,
	EV_CALLBACK,
	EV_END_WRAP,
	/* what the pair's other call did */
	EV_COMPLETED,
	EV_CONFERENCED,
	EV_PARTNER_LEFT,
	EV_PARTNER_GONE,
	/* facts of the switch */
	EV_FAR_DIALING, /* the agent is there: now the customer's telephone is called */
	EV_FAR_RINGING,
	EV_UP,
	EV_FAR_ENDED,
	EV_NO_AUDIO, /* answer: the agent's telephone could not be reached */
	EV_TRANSFERRED,
	EV_TRANSFER_FAILED,
	EV_FAR_WAITS, /* the call waits until the switch may be asked for it */
	/* timers */
	EV_PREVIEW_TIME,
	EV_RING_TIME,
	EV_OFFER_TIME,
	EV_WRAP_TIME,
	/* Later additions: the numbers of those above are in journals. Commands again: */
	EV_RECORD_START,
	EV_RECORD_STOP,
	EV_RECORD_PAUSE,
	EV_RECORD_RESUME,
	/* a fact: the switch records no more, or never did */
	EV_RECORD_OVER,
	EV_COUNT
};
/* Somebody waits for the answer, and a refusal tells him that nothing has changed. */
bool call_event_is_command(enum call_event_kind kind);

/* An outcome as given: the configured one, or a system one. */
struct call_outcome {
	char name[OUTCOME_SIZE];
	bool is_configured;
	bool is_connect_xor_abort;
	bool is_retry;
	bool is_automatic;
	int64_t retry_after_ms;
};

struct call_event {
	enum call_event_kind kind;
	int64_t at_ms; /* wall clock */
	enum actor actor;
	const char *command_id; /* NULL = none */
	const char *reason;	/* NULL = the rule's own word */
	/* FAR_ENDED: what the switch said; call_step() weighs it with what the call had reached */
	enum attempt_result result;
	enum ended_by ended_by;
	int cause;
	bool on;		     /* MUTE; CONFERENCED: the partner is muted */
	int64_t retry_at_ms;	     /* CALLBACK */
	struct call_outcome outcome; /* OUTCOME, CALLBACK */
	const char *comment;	     /* OUTCOME: what the agent says to it; NULL = nothing */
	struct uuid agent_id;	     /* OFFER */
	int tab;		     /* OFFER */
};

/* What the switch is asked to do; carried out by control in this order. */
enum call_effect {
	FX_NONE,
	FX_DIAL,
	FX_ANSWER,
	FX_CLEAR,
	FX_HOLD,
	FX_RESUME,
	FX_MUTE,
	FX_DTMF,
	FX_PLAY,
	FX_TRANSFER,
	FX_COMPLETE,
	FX_CONFERENCE,
	FX_LEAVE,
	FX_GIVE_BACK, /* a caller returns to the queue, or is cleared when he belongs to none */
	FX_RECORD_START,
	FX_RECORD_STOP,
	FX_RECORD_PAUSE,
	FX_RECORD_RESUME,
	FX_COUNT
};
#define EFFECTS_MAX 3
struct effects {
	unsigned count;
	enum call_effect list[EFFECTS_MAX];
};

struct call_policy { /* what held when the call began; kept with it so that replay gives the same */
	int64_t preview_ms, ring_ms, offer_ms, wrap_ms; /* wrap_ms 0: idle waits for the agent */
	bool has_outcomes; /* some are configured: one is due at the end of wrap */
	struct call_outcome default_outcome;		  /* name "" = none */
	struct call_outcome system[ATTEMPT_RESULT_COUNT]; /* automatic, by result; name "" = the
							     agent chooses */
};

struct call {
	struct call_view view;
	struct call_policy policy;
	struct dialer_counters base; /* of the dialer call before this attempt */
	struct call_outcome outcome; /* given so far; name "" = none */
	char comment[COMMENT_SIZE];  /* to that outcome; never with an automatic one */
	int64_t timer_left_ms;	     /* of a paused timer */
	unsigned results; /* how many outcomes were given: the story writes a row for each */
	bool is_consult, has_rung, has_dialed;
	bool is_detached; /* given back to the queue: the dialer call's row belongs to its next
			     presentation */
};

/* What the step decided. On failure, *next and *todo are left as they were. */
enum status call_step(const struct call *call, const struct call_event *event, struct call *next,
		      struct effects *todo, struct err *err) MUST_USE;

/* The deadline now running and the event it becomes; false when none is. */
bool call_deadline(const struct call *call, int64_t *ret_at_ms, enum call_event_kind *ret_event);

/* What the agent's other tabs carry, as far as it decides about this one's call. */
struct call_neighbours {
	bool has_held;	  /* a held call: transferComplete and conference have a partner */
	bool has_active;  /* his audio is in use or about to be: no second dial or answer */
	bool has_fixed;	  /* ... by a call that cannot be held now: no resume, no consultation */
	bool has_consult; /* the consultation about this call: cancelConsult works here too */
	bool has_place;	  /* a tab for the call of a consultation */
};
/* Methods that would be accepted now, as bits of enum can. */
unsigned call_can(const struct call *call, const struct call_neighbours *others);

/* What there is to write and tell between two moments of a call. */
struct call_story {
	bool is_changed;	   /* anything at all: the call is told and its row written */
	bool is_new_client_state;  /* told as `state`, else as `update` */
	const char *closed_event;  /* the event row whose duration is known now, or NULL */
	const char *instant_event; /* a row without length: "busy" "no answer" "error on dial"
				      "recording on" "recording paused" "recording resumed"
				      "recording off" "end", or NULL */
	const char *opened_event;  /* the row that begins, or NULL */
	bool is_result_given;	   /* a result row with after->outcome and its comment */
};
struct call_story call_story(const struct call *before, const struct call *after);

/* The name of the event row a call is in: "queue" "preview" "incoming" "ring" "talk" "hold"
 * "conference" "idle", NULL at none/end. */
const char *call_event_name(enum call_state state);

const char *call_event_word(enum call_event_kind kind); /* "dial" "far_ended" ... */
const char *call_effect_word(enum call_effect effect);

/* --- the table, for docs and tests --- */
enum call_guard {
	GUARD_ALWAYS,
	GUARD_CONSULT,	/* the call is the new one of a consultation */
	GUARD_SETTLED,	/* an outcome was given, or none is due, or a default exists */
	GUARD_TIMER,	/* a timer runs */
	GUARD_UNTALKED, /* nobody has talked on it yet */
	GUARD_UNRECORDED,
	GUARD_RECORDED, /* also while that is paused */
	GUARD_RECORD_ON,
	GUARD_RECORD_PAUSED,
	GUARD_COUNT
};
struct call_rule {
	enum call_state from;
	enum call_event_kind event;
	enum call_guard guard;
	enum call_state to;
	enum call_effect effects[EFFECTS_MAX]; /* FX_NONE ends */
	const char *reason;
	enum attempt_result
		result; /* set when this rule enters idle; ATTEMPT_NONE = keep, or the event's */
};
extern const struct call_rule call_rules[];
extern const unsigned call_rule_count;
/* The rule that applies, or NULL. */
const struct call_rule *call_rule_find(const struct call *call, enum call_event_kind event);
bool call_guard_holds(const struct call *call, enum call_guard guard);
/* "" unless the state machine needs a word for it in the docs. */
const char *call_guard_word(enum call_guard guard);
