/* The rule book of one call: a pair (state, event) that is not here is refused when it is a command
 * and ignored when it is a fact or a timer. The first row whose guard holds applies.
 * docs/state-machines.md is printed from this table. */
#include "calls/call.h"

#include <stddef.h>

/* clang-format off */
#define TO_WRAP_BY_COMMAND(state) \
	{state, EV_RELEASE, GUARD_ALWAYS, CALL_WRAP, {FX_CLEAR}, "released", ATTEMPT_NONE}

#define RECORDED(state) \
	{state, EV_RECORD_START,  GUARD_UNRECORDED,    state, {FX_RECORD_START},  "recording_started", ATTEMPT_NONE}, \
	{state, EV_RECORD_STOP,   GUARD_RECORDED,      state, {FX_RECORD_STOP},   "recording_stopped", ATTEMPT_NONE}, \
	{state, EV_RECORD_PAUSE,  GUARD_RECORD_ON,     state, {FX_RECORD_PAUSE},  "recording_paused",  ATTEMPT_NONE}, \
	{state, EV_RECORD_RESUME, GUARD_RECORD_PAUSED, state, {FX_RECORD_RESUME}, "recording_resumed", ATTEMPT_NONE}, \
	{state, EV_RECORD_OVER,   GUARD_RECORDED,      state, {FX_NONE},          "recording_failed",  ATTEMPT_NONE}

const struct call_rule call_rules[] = {
/* from                 event               guard          to                    effects          reason              result */
{CALL_NONE,           EV_PRESENT,         GUARD_ALWAYS,  CALL_PREVIEW,         {FX_NONE},       "presented",        ATTEMPT_NONE},
{CALL_NONE,           EV_ENQUEUE,         GUARD_ALWAYS,  CALL_QUEUED,          {FX_NONE},       "caller_waits",     ATTEMPT_NONE},
{CALL_NONE,           EV_DIAL,            GUARD_ALWAYS,  CALL_RINGING,         {FX_DIAL},       "dialed",           ATTEMPT_NONE},
{CALL_NONE,           EV_CONSULT_DIAL,    GUARD_ALWAYS,  CALL_RINGING,         {FX_DIAL},       "consultation",     ATTEMPT_NONE},

{CALL_QUEUED,         EV_OFFER,           GUARD_ALWAYS,  CALL_INCOMING,        {FX_NONE},       "offered",          ATTEMPT_NONE},
{CALL_QUEUED,         EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "caller_left",      ATTEMPT_MISSED},

{CALL_PREVIEW,        EV_PREVIEW_TIME,    GUARD_ALWAYS,  CALL_RINGING,         {FX_DIAL},       "preview_over",     ATTEMPT_NONE},
{CALL_PREVIEW,        EV_DIAL,            GUARD_ALWAYS,  CALL_RINGING,         {FX_DIAL},       "dialed",           ATTEMPT_NONE},
{CALL_PREVIEW,        EV_PAUSE_TIMER,     GUARD_ALWAYS,  CALL_PREVIEW_PAUSED,  {FX_NONE},       "paused",           ATTEMPT_NONE},
{CALL_PREVIEW,        EV_SKIP,            GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "skipped",          ATTEMPT_REJECTED},
{CALL_PREVIEW,        EV_RELEASE,         GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "released",         ATTEMPT_REJECTED},
{CALL_PREVIEW,        EV_REJECT,          GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "rejected",         ATTEMPT_REJECTED},
{CALL_PREVIEW,        EV_NOT_READY,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "not_ready",        ATTEMPT_REJECTED},
{CALL_PREVIEW_PAUSED, EV_RESUME_TIMER,    GUARD_ALWAYS,  CALL_PREVIEW,         {FX_NONE},       "timer_resumed",    ATTEMPT_NONE},
{CALL_PREVIEW_PAUSED, EV_DIAL,            GUARD_ALWAYS,  CALL_RINGING,         {FX_DIAL},       "dialed",           ATTEMPT_NONE},
{CALL_PREVIEW_PAUSED, EV_SKIP,            GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "skipped",          ATTEMPT_REJECTED},
{CALL_PREVIEW_PAUSED, EV_RELEASE,         GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "released",         ATTEMPT_REJECTED},
{CALL_PREVIEW_PAUSED, EV_REJECT,          GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "rejected",         ATTEMPT_REJECTED},
{CALL_PREVIEW_PAUSED, EV_NOT_READY,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "not_ready",        ATTEMPT_REJECTED},

{CALL_INCOMING,       EV_ANSWER,          GUARD_ALWAYS,  CALL_ANSWERING,       {FX_ANSWER},     "answered",         ATTEMPT_NONE},
{CALL_INCOMING,       EV_RELEASE,         GUARD_ALWAYS,  CALL_WRAP,            {FX_GIVE_BACK},  "released",         ATTEMPT_DEFLECTED},
{CALL_INCOMING,       EV_REJECT,          GUARD_ALWAYS,  CALL_WRAP,            {FX_GIVE_BACK},  "rejected",         ATTEMPT_DEFLECTED},
{CALL_INCOMING,       EV_NOT_READY,       GUARD_UNTALKED,CALL_WRAP,            {FX_GIVE_BACK},  "not_ready",        ATTEMPT_DEFLECTED},
{CALL_INCOMING,       EV_OFFER_TIME,      GUARD_ALWAYS,  CALL_WRAP,            {FX_GIVE_BACK},  "rang_out",         ATTEMPT_MISSED},
{CALL_INCOMING,       EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "caller_left",      ATTEMPT_MISSED},
{CALL_ANSWERING,      EV_UP,              GUARD_ALWAYS,  CALL_TALK,            {FX_NONE},       "connected",        ATTEMPT_NONE},
{CALL_ANSWERING,      EV_RELEASE,         GUARD_ALWAYS,  CALL_WRAP,            {FX_CLEAR},      "released",         ATTEMPT_DEFLECTED},
{CALL_ANSWERING,      EV_NO_AUDIO,        GUARD_ALWAYS,  CALL_WRAP,            {FX_GIVE_BACK},  "no_agent_audio",   ATTEMPT_MISSED},
{CALL_ANSWERING,      EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "caller_left",      ATTEMPT_MISSED},

{CALL_RINGING,        EV_FAR_WAITS,       GUARD_ALWAYS,  CALL_RINGING,         {FX_NONE},       "waits_for_line",   ATTEMPT_NONE},
{CALL_RINGING,        EV_FAR_DIALING,     GUARD_ALWAYS,  CALL_RINGING,         {FX_NONE},       "customer_called",  ATTEMPT_NONE},
{CALL_RINGING,        EV_FAR_RINGING,     GUARD_ALWAYS,  CALL_RINGING,         {FX_NONE},       "far_rings",        ATTEMPT_NONE},
{CALL_RINGING,        EV_UP,              GUARD_CONSULT, CALL_CONSULT,         {FX_NONE},       "connected",        ATTEMPT_NONE},
{CALL_RINGING,        EV_UP,              GUARD_ALWAYS,  CALL_TALK,            {FX_NONE},       "connected",        ATTEMPT_NONE},
{CALL_RINGING,        EV_RELEASE,         GUARD_ALWAYS,  CALL_WRAP,            {FX_CLEAR},      "released",         ATTEMPT_CANCELLED},
{CALL_RINGING,        EV_CANCEL_CONSULT,  GUARD_CONSULT, CALL_WRAP,            {FX_CLEAR},      "consult_cancelled", ATTEMPT_CANCELLED},
{CALL_RINGING,        EV_RING_TIME,       GUARD_ALWAYS,  CALL_WRAP,            {FX_CLEAR},      "ring_limit",       ATTEMPT_NO_ANSWER},
{CALL_RINGING,        EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "failed",           ATTEMPT_NONE},

{CALL_TALK,           EV_HOLD,            GUARD_ALWAYS,  CALL_HELD,            {FX_HOLD},       "held",             ATTEMPT_NONE},
{CALL_TALK,           EV_MUTE,            GUARD_ALWAYS,  CALL_TALK,            {FX_MUTE},       "muted",            ATTEMPT_NONE},
{CALL_TALK,           EV_DTMF,            GUARD_ALWAYS,  CALL_TALK,            {FX_DTMF},       "digits",           ATTEMPT_NONE},
{CALL_TALK,           EV_PLAY,            GUARD_ALWAYS,  CALL_TALK,            {FX_PLAY},       "played",           ATTEMPT_NONE},
{CALL_TALK,           EV_TRANSFER,        GUARD_ALWAYS,  CALL_TRANSFERRING,    {FX_TRANSFER},   "transferred",      ATTEMPT_NONE},
{CALL_TALK,           EV_CONSULT,         GUARD_ALWAYS,  CALL_HELD,            {FX_HOLD},       "consultation",     ATTEMPT_NONE},
{CALL_TALK,           EV_COMPLETE,        GUARD_ALWAYS,  CALL_WRAP,            {FX_COMPLETE},   "transfer_completed", ATTEMPT_NONE},
{CALL_TALK,           EV_CONFERENCE,      GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_CONFERENCE}, "conference",       ATTEMPT_NONE},
{CALL_TALK,           EV_NO_AUDIO,        GUARD_ALWAYS,  CALL_HELD,            {FX_NONE},       "no_agent_audio",   ATTEMPT_NONE},
{CALL_TALK,           EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "hung_up",          ATTEMPT_NONE},
TO_WRAP_BY_COMMAND(CALL_TALK),
{CALL_HELD,           EV_RESUME,          GUARD_ALWAYS,  CALL_TALK,            {FX_RESUME},     "resumed",          ATTEMPT_NONE},
{CALL_HELD,           EV_TRANSFER,        GUARD_ALWAYS,  CALL_TRANSFERRING,    {FX_TRANSFER},   "transferred",      ATTEMPT_NONE},
{CALL_HELD,           EV_CONSULT,         GUARD_ALWAYS,  CALL_HELD,            {FX_NONE},       "consultation",     ATTEMPT_NONE},
{CALL_HELD,           EV_COMPLETED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "transfer_completed", ATTEMPT_NONE},
{CALL_HELD,           EV_CONFERENCED,     GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_NONE},       "conference",       ATTEMPT_NONE},
{CALL_HELD,           EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "hung_up",          ATTEMPT_NONE},
TO_WRAP_BY_COMMAND(CALL_HELD),
{CALL_CONSULT,        EV_HOLD,            GUARD_ALWAYS,  CALL_CONSULT_HELD,    {FX_HOLD},       "held",             ATTEMPT_NONE},
{CALL_CONSULT,        EV_MUTE,            GUARD_ALWAYS,  CALL_CONSULT,         {FX_MUTE},       "muted",            ATTEMPT_NONE},
{CALL_CONSULT,        EV_DTMF,            GUARD_ALWAYS,  CALL_CONSULT,         {FX_DTMF},       "digits",           ATTEMPT_NONE},
{CALL_CONSULT,        EV_PLAY,            GUARD_ALWAYS,  CALL_CONSULT,         {FX_PLAY},       "played",           ATTEMPT_NONE},
{CALL_CONSULT,        EV_NO_AUDIO,        GUARD_ALWAYS,  CALL_CONSULT_HELD,    {FX_NONE},       "no_agent_audio",   ATTEMPT_NONE},
{CALL_CONSULT,        EV_CANCEL_CONSULT,  GUARD_ALWAYS,  CALL_WRAP,            {FX_CLEAR},      "consult_cancelled", ATTEMPT_NONE},
{CALL_CONSULT,        EV_COMPLETE,        GUARD_ALWAYS,  CALL_WRAP,            {FX_COMPLETE},   "transfer_completed", ATTEMPT_NONE},
{CALL_CONSULT,        EV_CONFERENCE,      GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_CONFERENCE}, "conference",       ATTEMPT_NONE},
{CALL_CONSULT,        EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "hung_up",          ATTEMPT_NONE},
TO_WRAP_BY_COMMAND(CALL_CONSULT),
{CALL_CONSULT_HELD,   EV_RESUME,          GUARD_ALWAYS,  CALL_CONSULT,         {FX_RESUME},     "resumed",          ATTEMPT_NONE},
{CALL_CONSULT_HELD,   EV_CANCEL_CONSULT,  GUARD_ALWAYS,  CALL_WRAP,            {FX_CLEAR},      "consult_cancelled", ATTEMPT_NONE},
{CALL_CONSULT_HELD,   EV_COMPLETED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "transfer_completed", ATTEMPT_NONE},
{CALL_CONSULT_HELD,   EV_CONFERENCED,     GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_NONE},       "conference",       ATTEMPT_NONE},
{CALL_CONSULT_HELD,   EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "hung_up",          ATTEMPT_NONE},
TO_WRAP_BY_COMMAND(CALL_CONSULT_HELD),
{CALL_CONFERENCE,     EV_LEAVE,           GUARD_ALWAYS,  CALL_WRAP,            {FX_LEAVE},      "left_conference",  ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_PARTNER_LEFT,    GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "left_conference",  ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_PARTNER_GONE,    GUARD_ALWAYS,  CALL_TALK,            {FX_NONE},       "conference_over",  ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_MUTE,            GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_MUTE},       "muted",            ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_DTMF,            GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_DTMF},       "digits",           ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_PLAY,            GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_PLAY},       "played",           ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "hung_up",          ATTEMPT_NONE},
TO_WRAP_BY_COMMAND(CALL_CONFERENCE),
{CALL_TRANSFERRING,   EV_TRANSFERRED,     GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "transfer_completed", ATTEMPT_NONE},
{CALL_TRANSFERRING,   EV_TRANSFER_FAILED, GUARD_ALWAYS,  CALL_INCOMING,        {FX_NONE},       "transfer_failed",  ATTEMPT_NONE},
{CALL_TRANSFERRING,   EV_FAR_ENDED,       GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "hung_up",          ATTEMPT_NONE},
TO_WRAP_BY_COMMAND(CALL_TRANSFERRING),

/* an outcome may be chosen while talking already */
{CALL_TALK,           EV_OUTCOME,         GUARD_ALWAYS,  CALL_TALK,            {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_HELD,           EV_OUTCOME,         GUARD_ALWAYS,  CALL_HELD,            {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_OUTCOME,         GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_TRANSFERRING,   EV_OUTCOME,         GUARD_ALWAYS,  CALL_TRANSFERRING,    {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_TALK,           EV_CALLBACK,        GUARD_ALWAYS,  CALL_TALK,            {FX_NONE},       "callback",         ATTEMPT_NONE},
{CALL_HELD,           EV_CALLBACK,        GUARD_ALWAYS,  CALL_HELD,            {FX_NONE},       "callback",         ATTEMPT_NONE},
{CALL_CONFERENCE,     EV_CALLBACK,        GUARD_ALWAYS,  CALL_CONFERENCE,      {FX_NONE},       "callback",         ATTEMPT_NONE},
{CALL_TRANSFERRING,   EV_CALLBACK,        GUARD_ALWAYS,  CALL_TRANSFERRING,    {FX_NONE},       "callback",         ATTEMPT_NONE},

RECORDED(CALL_TALK),
RECORDED(CALL_HELD),
RECORDED(CALL_CONSULT),
RECORDED(CALL_CONSULT_HELD),
RECORDED(CALL_CONFERENCE),
/* the customer is alone with the other side, or waits for it: nobody is there to ask for more */
{CALL_TRANSFERRING,   EV_RECORD_OVER,     GUARD_RECORDED, CALL_TRANSFERRING,   {FX_NONE},       "recording_failed", ATTEMPT_NONE},
{CALL_INCOMING,       EV_RECORD_OVER,     GUARD_RECORDED, CALL_INCOMING,       {FX_NONE},       "recording_failed", ATTEMPT_NONE},
{CALL_ANSWERING,      EV_RECORD_OVER,     GUARD_RECORDED, CALL_ANSWERING,      {FX_NONE},       "recording_failed", ATTEMPT_NONE},

{CALL_WRAP,           EV_WRAP_TIME,       GUARD_SETTLED, CALL_END,             {FX_NONE},       "wrap_over",        ATTEMPT_NONE},
{CALL_WRAP,           EV_WRAP_TIME,       GUARD_ALWAYS,  CALL_PAUSE,           {FX_NONE},       "outcome_due",      ATTEMPT_NONE},
{CALL_WRAP,           EV_END_WRAP,        GUARD_ALWAYS,  CALL_END,             {FX_NONE},       "moved_on",         ATTEMPT_NONE},
{CALL_WRAP,           EV_PAUSE_TIMER,     GUARD_TIMER,   CALL_WRAP_PAUSED,     {FX_NONE},       "paused",           ATTEMPT_NONE},
{CALL_WRAP,           EV_OUTCOME,         GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_WRAP,           EV_CALLBACK,        GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "callback",         ATTEMPT_NONE},
{CALL_WRAP_PAUSED,    EV_RESUME_TIMER,    GUARD_ALWAYS,  CALL_WRAP,            {FX_NONE},       "timer_resumed",    ATTEMPT_NONE},
{CALL_WRAP_PAUSED,    EV_END_WRAP,        GUARD_ALWAYS,  CALL_END,             {FX_NONE},       "moved_on",         ATTEMPT_NONE},
{CALL_WRAP_PAUSED,    EV_OUTCOME,         GUARD_ALWAYS,  CALL_WRAP_PAUSED,     {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_WRAP_PAUSED,    EV_CALLBACK,        GUARD_ALWAYS,  CALL_WRAP_PAUSED,     {FX_NONE},       "callback",         ATTEMPT_NONE},
{CALL_PAUSE,          EV_OUTCOME,         GUARD_ALWAYS,  CALL_END,             {FX_NONE},       "outcome",          ATTEMPT_NONE},
{CALL_PAUSE,          EV_CALLBACK,        GUARD_ALWAYS,  CALL_END,             {FX_NONE},       "callback",         ATTEMPT_NONE},
{CALL_PAUSE,          EV_END_WRAP,        GUARD_ALWAYS,  CALL_END,             {FX_NONE},       "moved_on",         ATTEMPT_NONE},
};
/* clang-format on */
const unsigned call_rule_count = sizeof(call_rules) / sizeof(call_rules[0]);

bool call_guard_holds(const struct call *call, enum call_guard guard)
{
	switch (guard) {
	case GUARD_CONSULT:
		return call->is_consult;
	case GUARD_TIMER: {
		enum call_event_kind kind;
		int64_t at_ms;

		return call_deadline(call, &at_ms, &kind);
	}
	case GUARD_UNTALKED:
		return call->view.attempt_result != ATTEMPT_CONNECTED;
	case GUARD_UNRECORDED:
		return call->view.recording == RECORDING_OFF;
	case GUARD_RECORDED:
		return call->view.recording != RECORDING_OFF;
	case GUARD_RECORD_ON:
		return call->view.recording == RECORDING_ON;
	case GUARD_RECORD_PAUSED:
		return call->view.recording == RECORDING_PAUSED;
	case GUARD_SETTLED:
		return call->outcome.name[0] || call->policy.default_outcome.name[0] ||
		       !call->policy.has_outcomes || call->is_consult || call->view.tab == 0;
	default:
		return true;
	}
}

const struct call_rule *call_rule_find(const struct call *call, enum call_event_kind event)
{
	for (unsigned i = 0; i < call_rule_count; i++)
		if (call_rules[i].from == call->view.state && call_rules[i].event == event &&
		    call_guard_holds(call, call_rules[i].guard))
			return &call_rules[i];
	return NULL;
}

const char *call_guard_word(enum call_guard guard)
{
	static const char *const words[] = {
		[GUARD_ALWAYS] = "",
		[GUARD_CONSULT] = "it is a consultation",
		[GUARD_SETTLED] = "an outcome is given, is not due, or has a default",
		[GUARD_TIMER] = "a timer runs",
		[GUARD_UNTALKED] = "nobody has talked on it yet",
		[GUARD_UNRECORDED] = "it is not recorded",
		[GUARD_RECORDED] = "it is recorded",
		[GUARD_RECORD_ON] = "it is recorded and that is not paused",
		[GUARD_RECORD_PAUSED] = "its recording is paused",
	};
	return words[guard];
}
