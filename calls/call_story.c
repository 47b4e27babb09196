/* What a call tells of itself: its words, its event rows, what may be done with it. */
#include "calls/call.h"

#include <stddef.h>
#include <string.h>

static const char *const event_words[] = {
	"present",
	"enqueue",
	"offer",
	"dial",
	"consult_dial",
	"answer",
	"release",
	"reject",
	"skip",
	"not_ready",
	"hold",
	"resume",
	"mute",
	"dtmf",
	"play",
	"transfer",
	"consult",
	"cancel_consult",
	"complete",
	"conference",
	"leave",
	"pause_timer",
	"resume_timer",
	"outcome",
	"callback",
	"end_wrap",
	"completed",
	"conferenced",
	"partner_left",
	"partner_gone",
	"far_dialing",
	"far_ringing",
	"up",
	"far_ended",
	"no_audio",
	"transferred",
	"transfer_failed",
	"far_waits",
	"preview_time",
	"ring_time",
	"offer_time",
	"wrap_time",
	"record_start",
	"record_stop",
	"record_pause",
	"record_resume",
	"record_over",
};
_Static_assert(sizeof(event_words) / sizeof(event_words[0]) == EV_COUNT, "every event");

static const char *const effect_words[] = {
	"",	 "dial",      "answer",	      "clear",	     "hold",	     "resume",
	"mute",	 "dtmf",      "play",	      "transfer",    "complete",     "conference",
	"leave", "give_back", "record_start", "record_stop", "record_pause", "record_resume",
};
_Static_assert(sizeof(effect_words) / sizeof(effect_words[0]) == FX_COUNT, "every effect");

const char *call_event_word(enum call_event_kind kind)
{
	return event_words[kind];
}

const char *call_effect_word(enum call_effect effect)
{
	return effect_words[effect];
}

/* The event rows a state belongs to (mission M25). */
const char *call_event_name(enum call_state state)
{
	switch (state) {
	case CALL_PREVIEW:
	case CALL_PREVIEW_PAUSED:
		return "preview";
	case CALL_QUEUED:
		return "queue";
	case CALL_INCOMING:
	case CALL_ANSWERING:
		return "incoming";
	case CALL_RINGING:
		return "ring";
	case CALL_TALK:
	case CALL_CONSULT:
		return "talk";
	case CALL_HELD:
	case CALL_CONSULT_HELD:
		return "hold";
	case CALL_CONFERENCE:
		return "conference";
	case CALL_TRANSFERRING:
	case CALL_WRAP:
	case CALL_WRAP_PAUSED:
	case CALL_PAUSE:
		return "idle";
	default:
		return NULL;
	}
}

static const struct {
	enum call_event_kind event;
	unsigned can;
} abilities[] = {
	{EV_DIAL, CAN_DIAL},
	{EV_ANSWER, CAN_ANSWER},
	{EV_RELEASE, CAN_RELEASE},
	{EV_HOLD, CAN_HOLD},
	{EV_RESUME, CAN_RESUME},
	{EV_TRANSFER, CAN_TRANSFER_BLIND},
	{EV_CONSULT, CAN_TRANSFER_CONSULT},
	{EV_COMPLETE, CAN_TRANSFER_COMPLETE},
	{EV_CONFERENCE, CAN_CONFERENCE},
	{EV_CANCEL_CONSULT, CAN_CANCEL_CONSULT},
	{EV_DTMF, CAN_DTMF},
	{EV_PLAY, CAN_PLAY},
	{EV_MUTE, CAN_MUTE},
	{EV_REJECT, CAN_REJECT},
	{EV_SKIP, CAN_SKIP},
	{EV_PAUSE_TIMER, CAN_PAUSE},
	{EV_RESUME_TIMER, CAN_UNPAUSE},
	{EV_OUTCOME, CAN_OUTCOME},
	{EV_END_WRAP, CAN_END_WRAP},
	{EV_LEAVE, CAN_LEAVE},
	{EV_CALLBACK, CAN_CALLBACK},
	{EV_RECORD_START, CAN_RECORD_START},
	{EV_RECORD_STOP, CAN_RECORD_STOP},
	{EV_RECORD_PAUSE, CAN_RECORD_PAUSE},
	{EV_RECORD_RESUME, CAN_RECORD_RESUME},
};
_Static_assert(sizeof(abilities) / sizeof(abilities[0]) == CAN_COUNT, "every ability has an event");

/* What the agent's other calls stand in the way of, or make possible. */
static unsigned with_neighbours(unsigned can, const struct call_neighbours *others)
{
	if (!others->has_held)
		can &= ~(unsigned)(CAN_TRANSFER_COMPLETE | CAN_CONFERENCE);
	if (others->has_active)
		can &= ~(unsigned)(CAN_DIAL | CAN_ANSWER);
	if (others->has_fixed)
		can &= ~(unsigned)(CAN_RESUME | CAN_TRANSFER_CONSULT);
	if (!others->has_place)
		can &= ~(unsigned)CAN_TRANSFER_CONSULT;
	if (others->has_consult)
		can |= CAN_CANCEL_CONSULT;
	return can;
}

unsigned call_can(const struct call *call, const struct call_neighbours *others)
{
	unsigned can = 0;

	for (unsigned i = 0; i < CAN_COUNT; i++)
		if (call_rule_find(call, abilities[i].event))
			can |= abilities[i].can;
	/* the next dial on the tab ends the wrap of this call */
	if (call_state_is_over(call->view.state) && call->view.state != CALL_TRANSFERRING)
		can |= CAN_DIAL;
	return with_neighbours(can, others);
}

static const char *recording_event(enum recording was, enum recording is)
{
	if (is == RECORDING_OFF)
		return "recording off";
	if (is == RECORDING_PAUSED)
		return "recording paused";
	return was == RECORDING_OFF ? "recording on" : "recording resumed";
}

static const char *instant_event(const struct call *before, const struct call *after)
{
	if (after->view.state == CALL_END && before->view.state != CALL_END)
		return "end";
	if (before->view.recording != after->view.recording &&
	    !call_state_is_over(after->view.state))
		return recording_event(before->view.recording, after->view.recording);
	if (before->view.state != CALL_RINGING || after->view.state != CALL_WRAP)
		return NULL;
	switch (after->view.attempt_result) {
	case ATTEMPT_BUSY:
		return "busy";
	case ATTEMPT_NO_ANSWER:
		return "no answer";
	case ATTEMPT_ERROR:
		return "error on dial";
	default:
		return NULL;
	}
}

struct call_story call_story(const struct call *before, const struct call *after)
{
	const char *was = call_event_name(before->view.state);
	const char *is = call_event_name(after->view.state);
	bool is_same_row = was && is && !strcmp(was, is);

	return (struct call_story){
		.is_changed = before->view.version != after->view.version,
		.is_new_client_state = before->view.state == CALL_NONE ||
				       strcmp(call_client_word(before->view.state),
					      call_client_word(after->view.state)) != 0,
		.closed_event = is_same_row ? NULL : was,
		.instant_event = instant_event(before, after),
		.opened_event = is_same_row ? NULL : is,
		.is_result_given = after->results > before->results,
	};
}
