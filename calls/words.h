#pragma once
/* Every enum of the domain with its wire word, in one place: what a tab, a CRM or a row shows is
 * never spelled anywhere else. Words are stable: they are a promise to scripts and reports. */
#include <stdbool.h>

/* The inner states of a call on a tab. Clients see the six words of the contract
 * (call_client_word), the live board sees call_board_word. */
enum call_state {
	CALL_NONE,	     /* nothing has happened yet */
	CALL_QUEUED,	     /* a caller waits for an agent; on no tab */
	CALL_PREVIEW,	     /* "presented to agent and preview timer started" */
	CALL_PREVIEW_PAUSED, /* the agent stopped the preview timer */
	CALL_INCOMING,	     /* "presenting to agent" */
	CALL_ANSWERING,	     /* the agent has answered, his audio is being brought */
	CALL_RINGING,	     /* "dialed and waiting for the customer to answer" */
	CALL_TALK,	     /* "the call is active" */
	CALL_HELD,
	CALL_CONSULT,	   /* active, with the target of a consultation */
	CALL_CONSULT_HELD, /* the target waits while the agent is back with the customer */
	CALL_CONFERENCE,   /* active, with both parties */
	CALL_TRANSFERRING, /* blind transfer asked: the agent is out, the target rings */
	CALL_WRAP,	   /* "released, wrap timer may be running" */
	CALL_WRAP_PAUSED,  /* the agent stopped the wrap timer */
	CALL_PAUSE,	   /* wrap is over and an outcome is still due */
	CALL_END,	   /* "wrap time has expired or agent has manually moved on" */
	CALL_STATE_COUNT
};
const char *call_state_word(enum call_state state);  /* inner: "queued" "preview_paused" ... */
const char *call_client_word(enum call_state state); /* "preview" "incoming" "ringing" "talk" "idle"
							"end"; "" while it is on no tab */
const char *
call_board_word(enum call_state state); /* "Offering" "Preview" "Ring" "Talk" "Hold" "Wrap" ... */
bool call_state_is_active(enum call_state state); /* parties can talk: TALK, CONSULT, CONFERENCE */
bool call_state_is_held(enum call_state state);	  /* HELD, CONSULT_HELD */
bool call_state_is_live(enum call_state state);	  /* something of it may be up at the switch */
bool call_state_is_over(enum call_state state);	  /* client word idle or end */

enum call_direction {
	DIR_INBOUND,
	DIR_OUTBOUND,
	DIR_CLICKTOCALL,
	DIR_TRANSFER,
	DIR_CCOUTBOUND,
	DIR_COUNT
};
const char *direction_word(
	enum call_direction direction); /* inbound outbound clicktocall transfer ccOutbound */
bool direction_parse(const char *word, enum call_direction *ret);

enum agent_state {
	AGENT_LOGGED_OUT,
	AGENT_LOGGED_IN,
	AGENT_READY,
	AGENT_AWAY,
	AGENT_NOT_READY,
	AGENT_STATE_COUNT
};
const char *agent_state_word(enum agent_state state); /* LoggedOut LoggedIn Ready Away NotReady */
const char *
agent_state_colour(enum agent_state state); /* "dark gray" ... as the product's live board */
bool agent_state_parse(const char *word, enum agent_state *ret);

/* How an agent's own audio is reached. */
enum audio_mode {
	AUDIO_DESK,   /* his telephone is rung when a call needs it */
	AUDIO_NAILED, /* his telephone is rung when he begins to work and stays up between calls */
	AUDIO_WS,     /* in a page of his, over a WebSocket through calltab */
	AUDIO_MODE_COUNT
};
const char *audio_mode_word(enum audio_mode mode); /* desk nailed ws */
bool audio_mode_parse(const char *word, enum audio_mode *ret);

enum actor {
	ACTOR_AGENT,
	ACTOR_SUPERVISOR,
	ACTOR_TIMER,
	ACTOR_DIALER,
	ACTOR_SWITCH,
	ACTOR_RECONCILER,
	ACTOR_API,
	ACTOR_COUNT
};
const char *actor_word(enum actor actor); /* "agent" ... */

enum dialer_status { DIALER_OPEN, DIALER_RETRY, DIALER_CLOSED, DIALER_STATUS_COUNT };
const char *dialer_status_word(enum dialer_status status); /* open retry closed */

/* How an attempt went, as far as nobody has judged it yet. */
enum attempt_result {
	ATTEMPT_NONE,	   /* still going on, or never reached the switch */
	ATTEMPT_CONNECTED, /* reached talk */
	ATTEMPT_NO_ANSWER,
	ATTEMPT_BUSY,
	ATTEMPT_ERROR,	   /* "error on dial" */
	ATTEMPT_CANCELLED, /* released by the agent before an answer */
	ATTEMPT_REJECTED,  /* preview skipped or not ready */
	ATTEMPT_DEFLECTED, /* incoming refused by the agent */
	ATTEMPT_MISSED,	   /* incoming rang out or the caller left */
	ATTEMPT_RESULT_COUNT
};
const char *
attempt_result_word(enum attempt_result result); /* none connected noanswer busy error cancelled
						    rejected deflected missed */
/* The system outcome given automatically: "noanswer" "Busy" "EoD" "Reject" "Deflect" "MissedCall",
 * or "" where an agent chooses. */
const char *attempt_system_outcome(enum attempt_result result);

enum ended_by {
	ENDED_BY_UNKNOWN,
	ENDED_BY_AGENT,
	ENDED_BY_CUSTOMER,
	ENDED_BY_SYSTEM,
	ENDED_BY_SWITCH,
	ENDED_BY_COUNT
};
const char *ended_by_word(enum ended_by by); /* "" agent customer system switch */

enum recording { RECORDING_OFF, RECORDING_ON, RECORDING_PAUSED, RECORDING_COUNT };
const char *recording_word(enum recording recording); /* off on paused */

/* What may be done with a call now: the `can` list of every payload. */
enum can {
	CAN_DIAL = 1 << 0,
	CAN_ANSWER = 1 << 1,
	CAN_RELEASE = 1 << 2,
	CAN_HOLD = 1 << 3,
	CAN_RESUME = 1 << 4,
	CAN_TRANSFER_BLIND = 1 << 5,
	CAN_TRANSFER_CONSULT = 1 << 6,
	CAN_TRANSFER_COMPLETE = 1 << 7,
	CAN_CONFERENCE = 1 << 8,
	CAN_CANCEL_CONSULT = 1 << 9,
	CAN_DTMF = 1 << 10,
	CAN_PLAY = 1 << 11,
	CAN_MUTE = 1 << 12,
	CAN_REJECT = 1 << 13,
	CAN_SKIP = 1 << 14,
	CAN_PAUSE = 1 << 15,
	CAN_UNPAUSE = 1 << 16,
	CAN_OUTCOME = 1 << 17,
	CAN_END_WRAP = 1 << 18,
	CAN_LEAVE = 1 << 19,
	CAN_CALLBACK = 1 << 20,
	CAN_RECORD_START = 1 << 21,
	CAN_RECORD_STOP = 1 << 22,
	CAN_RECORD_PAUSE = 1 << 23,
	CAN_RECORD_RESUME = 1 << 24,
};
#define CAN_COUNT 25
const char *
can_word(unsigned bit); /* of one bit: the method's name: "dial" "answer" ... "endWrap" */
