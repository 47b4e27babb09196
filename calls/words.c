#include "calls/words.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *inner, *client, *board;
	unsigned char active, held, live, over;
} states[] = {
	[CALL_NONE]           = {"none",           "end",      "Idle",     0, 0, 0, 1},
	[CALL_QUEUED]         = {"queued",         "",         "Offering", 0, 0, 1, 0},
	[CALL_PREVIEW]        = {"preview",        "preview",  "Preview",  0, 0, 0, 0},
	[CALL_PREVIEW_PAUSED] = {"preview_paused", "preview",  "Pause",    0, 0, 0, 0},
	[CALL_INCOMING]       = {"incoming",       "incoming", "Incoming", 0, 0, 1, 0},
	[CALL_ANSWERING]      = {"answering",      "incoming", "Start",    0, 0, 1, 0},
	[CALL_RINGING]        = {"ringing",        "ringing",  "Ring",     0, 0, 1, 0},
	[CALL_TALK]           = {"talk",           "talk",     "Talk",     1, 0, 1, 0},
	[CALL_HELD]           = {"held",           "talk",     "Hold",     0, 1, 1, 0},
	[CALL_CONSULT]        = {"consult",        "talk",     "Talk",     1, 0, 1, 0},
	[CALL_CONSULT_HELD]   = {"consult_held",   "talk",     "Hold",     0, 1, 1, 0},
	[CALL_CONFERENCE]     = {"conference",     "talk",     "Talk",     1, 0, 1, 0},
	[CALL_TRANSFERRING]   = {"transferring",   "idle",     "Wrap",     0, 0, 1, 1},
	[CALL_WRAP]           = {"wrap",           "idle",     "Wrap",     0, 0, 0, 1},
	[CALL_WRAP_PAUSED]    = {"wrap_paused",    "idle",     "Pause",    0, 0, 0, 1},
	[CALL_PAUSE]          = {"pause",          "idle",     "Pause",    0, 0, 0, 1},
	[CALL_END]            = {"end",            "end",      "End",      0, 0, 0, 1},
};
/* clang-format on */
_Static_assert(sizeof(states) / sizeof(states[0]) == CALL_STATE_COUNT, "every state has words");

static const char *const directions[] = {"inbound", "outbound", "clicktocall", "transfer",
					 "ccOutbound"};
_Static_assert(sizeof(directions) / sizeof(directions[0]) == DIR_COUNT, "every direction");

static const struct {
	const char *word, *colour;
} agent_states[] = {
	[AGENT_LOGGED_OUT] = {"LoggedOut", "dark gray"},
	[AGENT_LOGGED_IN] = {"LoggedIn", "light gray"},
	[AGENT_READY] = {"Ready", "green"},
	[AGENT_AWAY] = {"Away", "yellow"},
	[AGENT_NOT_READY] = {"NotReady", "red"},
};

static const char *const actors[] = {"agent",  "supervisor", "timer", "dialer",
				     "switch", "reconciler", "api"};
_Static_assert(sizeof(actors) / sizeof(actors[0]) == ACTOR_COUNT, "every actor");

static const char *const dialer_statuses[] = {"open", "retry", "closed"};

/* Mission M34: outcomes given by the system, as the product spelled them. */
static const struct {
	const char *word, *outcome;
} attempts[] = {
	[ATTEMPT_NONE] = {"none", ""},
	[ATTEMPT_CONNECTED] = {"connected", ""},
	[ATTEMPT_NO_ANSWER] = {"noanswer", "noanswer"},
	[ATTEMPT_BUSY] = {"busy", "Busy"},
	[ATTEMPT_ERROR] = {"error", "EoD"},
	[ATTEMPT_CANCELLED] = {"cancelled", ""},
	[ATTEMPT_REJECTED] = {"rejected", "Reject"},
	[ATTEMPT_DEFLECTED] = {"deflected", "Deflect"},
	[ATTEMPT_MISSED] = {"missed", "MissedCall"},
};
_Static_assert(sizeof(attempts) / sizeof(attempts[0]) == ATTEMPT_RESULT_COUNT, "every result");

static const char *const audio_modes[] = {"desk", "nailed", "ws"};
_Static_assert(sizeof(audio_modes) / sizeof(audio_modes[0]) == AUDIO_MODE_COUNT, "every mode");

static const char *const enders[] = {"", "agent", "customer", "system", "switch"};
_Static_assert(sizeof(enders) / sizeof(enders[0]) == ENDED_BY_COUNT, "every ender");

static const char *const recordings[] = {"off", "on", "paused"};
_Static_assert(sizeof(recordings) / sizeof(recordings[0]) == RECORDING_COUNT, "every recording");

/* Bit by bit, in the order of enum can. */
static const char *const cans[] = {
	"dial",
	"answer",
	"release",
	"hold",
	"resume",
	"transferBlind",
	"transferConsult",
	"transferComplete",
	"conference",
	"cancelConsult",
	"sendDTMF",
	"playWaveFile",
	"mute",
	"reject",
	"skip",
	"pauseTimer",
	"resumeTimer",
	"setOutcome",
	"endWrap",
	"leave",
	"scheduleCallback",
	"startRecording",
	"stopRecording",
	"pauseRecording",
	"resumeRecording",
};
_Static_assert(sizeof(cans) / sizeof(cans[0]) == CAN_COUNT, "every ability");

const char *call_state_word(enum call_state state)
{
	return states[state].inner;
}

const char *call_client_word(enum call_state state)
{
	return states[state].client;
}

const char *call_board_word(enum call_state state)
{
	return states[state].board;
}

bool call_state_is_active(enum call_state state)
{
	return states[state].active;
}

bool call_state_is_held(enum call_state state)
{
	return states[state].held;
}

bool call_state_is_live(enum call_state state)
{
	return states[state].live;
}

bool call_state_is_over(enum call_state state)
{
	return states[state].over;
}

const char *direction_word(enum call_direction direction)
{
	return directions[direction];
}

bool direction_parse(const char *word, enum call_direction *ret)
{
	for (int i = 0; i < DIR_COUNT; i++)
		if (!strcmp(word, directions[i])) {
			*ret = (enum call_direction)i;
			return true;
		}
	return false;
}

const char *agent_state_word(enum agent_state state)
{
	return agent_states[state].word;
}

const char *agent_state_colour(enum agent_state state)
{
	return agent_states[state].colour;
}

bool agent_state_parse(const char *word, enum agent_state *ret)
{
	for (int i = 0; i < AGENT_STATE_COUNT; i++)
		if (!strcmp(word, agent_states[i].word)) {
			*ret = (enum agent_state)i;
			return true;
		}
	return false;
}

const char *audio_mode_word(enum audio_mode mode)
{
	return audio_modes[mode];
}

bool audio_mode_parse(const char *word, enum audio_mode *ret)
{
	for (unsigned i = 0; i < AUDIO_MODE_COUNT; i++)
		if (!strcmp(audio_modes[i], word)) {
			*ret = (enum audio_mode)i;
			return true;
		}
	return false;
}

const char *actor_word(enum actor actor)
{
	return actors[actor];
}

const char *dialer_status_word(enum dialer_status status)
{
	return dialer_statuses[status];
}

const char *attempt_result_word(enum attempt_result result)
{
	return attempts[result].word;
}

const char *attempt_system_outcome(enum attempt_result result)
{
	return attempts[result].outcome;
}

const char *ended_by_word(enum ended_by by)
{
	return enders[by];
}

const char *recording_word(enum recording recording)
{
	return recordings[recording];
}

const char *can_word(unsigned bit)
{
	for (unsigned i = 0; i < CAN_COUNT; i++)
		if (bit == 1u << i)
			return cans[i];
	return "";
}
