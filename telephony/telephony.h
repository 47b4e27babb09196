#pragma once
/* Layer 1: calls. control speaks this; the composer (composer.h) turns it into legs and mixes of
 * whatever driver is below (driver.h), following the table "Operations on a call" of
 * docs/telephony.md: one audio leg per agent, moved between mixes; one mix per call; hold = the
 * agent's leg leaves the mix and the mix gets music.
 *
 * Ids: a call id and an agent id are texts chosen by control (UUIDs). The composer makes leg and
 * mix ids as <node>-c-<call id> (far leg), <node>-t-<serial> (target of a blind transfer),
 * <node>-a-<serial>-<agent's first 8> (agent leg), <node>-m-<call id> (mix). A serial starts at the
 * wall clock and only grows. node has at most 24 characters; none may be another gateway's followed
 * by -a, -c, -m or -t.
 *
 * Every function is called on the call plane's thread, does not block, and never calls the sink
 * from inside itself; from inside the sink every function but telephony_destroy() may be called. A
 * function fails (and then has changed nothing) only with ST_UNAVAILABLE switch.away, ST_BUSY
 * switch.busy, ST_UNSUPPORTED, ST_CONFLICT call.unknown / call.exists / call.not_up / call.not_held
 * / call.in_conference / call.not_in_conference / agent.busy, or ST_INVALID for what the driver's
 * door would not let pass (an id, a number, an extension, digits). What goes wrong later is a
 * TELCALL_ENDED with a result, or TELCALL_OP_FAILED. Every call made or adopted here ends with
 * exactly one TELCALL_ENDED. Asking for what is so already (to hold a held call) is ST_OK. */
#include "telephony/driver.h"

struct telephony;

/* How an agent's own audio is reached. */
enum tel_agent_mode {
	/* His telephone is rung when audio is needed, asked to answer by itself, and hung up when
	 * his last call is over. A leg that telephony_keep() asked for stays between calls. */
	TEL_AGENT_DESK,
	/* In a page of his, which brings it over a socket (TELCALL_AGENT_MEDIA says where): there
	 * while telephony_keep() says that the page is. A page that has gone is waited for: his
	 * calls go on, whoever talks with him hears music; after 20 s it is as if he had put down a
	 * telephone. */
	TEL_AGENT_TAB,
};

struct tel_agent { /* who the agent is, for calls that need his audio */
	char id[TEL_ID_SIZE];
	char station[TEL_ID_SIZE]; /* extension */
	enum tel_agent_mode mode;
};

struct tel_call_options {
	char caller_number[TEL_NUMBER_SIZE]; /* shown to the far party, */
	char caller_name[TEL_NAME_SIZE];     /* this too */
	bool is_withheld;
	unsigned ring_s; /* switch-side limit; control has its own timer */
	/* Nobody but the agent is called before telephony_call_far(), and he does not leave a call
	 * that is transferred: so that what is called can be made certain first. */
	bool far_waits;
};

enum tel_call_fact_kind {
	/* leg, dnis, number, name, redirected_from: adopt it or refuse it by the leg's id */
	TELCALL_OFFERED,
	/* leg, result: an offer that nobody adopted has ended */
	TELCALL_OFFER_GONE,
	/* call: made, and waits for its turn: more are wanted than the switch is asked for in a
	 * second. It may be cleared; nobody has been called. */
	TELCALL_WAITING,
	/* call: the far party is being called now (the agent's audio is up) */
	TELCALL_DIALING,
	/* call: the far party rings, or early media; once */
	TELCALL_RINGING,
	/* call: the far party answered and the agent's audio is joined; once per make or answer */
	TELCALL_UP,
	/* call, result, cause, sip, by, side */
	TELCALL_ENDED,
	/* call: the blind target answered; the two talk; our part of the call is over */
	TELCALL_TRANSFERRED,
	/* call, result, cause, sip: the far party is in the mix with music; offer it back: answer,
	 * resume, transfer or clear */
	TELCALL_TRANSFER_FAILED,
	/* call, digits[0]: the far party pressed a key */
	TELCALL_DIGIT,
	/* call, token */
	TELCALL_DTMF_DONE,
	/* agent, on: his own leg came up or went away; calls that are held then stay held */
	TELCALL_AGENT_AUDIO,
	/* agent, on: he pressed hold on his telephone itself, which then neither hears nor speaks
	 * (on), or took it off again. It is his wish; what becomes of his calls is control's. */
	TELCALL_AGENT_HELD,
	/* agent, leg, text: a new leg of a TEL_AGENT_TAB waits for its audio at this path; as
	 * TEL_LEG_MEDIA */
	TELCALL_AGENT_MEDIA,
	/* call, text = "ok" | "failed" | "stopped": once for each telephony_play, before the call's
	 * ENDED */
	TELCALL_PLAY_ENDED,
	/* call, recording: the switch writes into the file of this name; for each part */
	TELCALL_RECORD_BEGUN,
	/* call, recording, text = "ok" | "failed" | "lost", length_ms (0 = not known), on = the
	 * call goes on being recorded (another part has begun). May come after the call's ENDED:
	 * with those whom a transfer left to themselves their recording goes on. "failed" without
	 * a RECORD_BEGUN: there is no file. */
	TELCALL_RECORD_ENDED,
	/* call, text: "agent.no_audio" (of an answer: the caller is left with music; of a resume:
	 * the call is held again), "dtmf.lost" (the link went while digits were sent), or the
	 * switch's own words: a step of hold, resume, ... was refused; token: telephony_dtmf's, or
	 * 0. */
	TELCALL_OP_FAILED,
	/* link_up, epoch */
	TELCALL_LINK,
	/* what differs after a reconnect has been told by now */
	TELCALL_SYNCED,
	/* station, on */
	TELCALL_STATION,
	TELCALL_FACT_COUNT
};

/* Who ended it, as far as the call can tell. */
enum tel_side {
	TEL_SIDE_UNKNOWN,
	TEL_SIDE_FAR,	/* the customer */
	TEL_SIDE_AGENT, /* the agent's own telephone hung up, or could not be reached */
	TEL_SIDE_US,	/* a command or timer of ours */
	TEL_SIDE_SWITCH,
};

struct tel_call_fact {
	enum tel_call_fact_kind kind;
	int64_t at_us; /* wall clock */
	char call[TEL_ID_SIZE];
	char agent[TEL_ID_SIZE];
	char leg[TEL_ID_SIZE]; /* offers only */
	char station[TEL_ID_SIZE];
	char dnis[TEL_NUMBER_SIZE], number[TEL_NUMBER_SIZE], name[TEL_NAME_SIZE];
	char redirected_from[TEL_NUMBER_SIZE];
	char digits[TEL_DIGITS_SIZE];
	char text[96];
	char recording[TEL_ID_SIZE];
	unsigned length_ms;
	uint32_t token;
	int64_t epoch;
	bool link_up, on;
	/* With ENDED: RINGING had been told (a leg that never rang and timed out is a dead
	 * carrier). */
	bool has_rung;
	enum tel_result result;
	enum tel_side side;
	int cause, sip;
};

struct tel_call_sink {
	void (*on_fact)(void *user, const struct tel_call_fact *fact);
	void *user;
};

/* clock, timers borrowed. */
struct telephony *telephony_create(const struct clock *clock, struct timers *timers,
				   const char *node, struct tel_call_sink sink);
void telephony_destroy(struct telephony *);

/* What a call was when the gateway died, for one that starts again. */
enum tel_was {
	TEL_WAS_MADE,	      /* outbound, the far party not up yet */
	TEL_WAS_OFFERED,      /* inbound, adopted, not answered */
	TEL_WAS_ANSWERING,    /* inbound, answered by an agent, TELCALL_UP not told yet */
	TEL_WAS_TALK,	      /* the agent's audio is in it, or was being brought by a resume */
	TEL_WAS_HELD,	      /* also a conference that is held: with a partner */
	TEL_WAS_PARKED,	      /* far party up, with music, nobody to talk to */
	TEL_WAS_TRANSFERRING, /* blind: the target is being called */
	TEL_WAS_CONFERENCE,   /* talk, together with the partner */
	TEL_WAS_ENDING,	      /* to be hung up */
	TEL_WAS_COUNT
};

struct tel_restored {
	char call[TEL_ID_SIZE];
	struct tel_agent
		agent; /* id "": nobody. Needed by MADE, ANSWERING, TALK, HELD, CONFERENCE */
	enum tel_was phase;
	/* The far party's: an adopted caller's as TELCALL_OFFERED named it; "": made by us. */
	char leg[TEL_ID_SIZE];
	char partner[TEL_ID_SIZE]; /* another call of the same conference; "": none */
	bool has_rung, is_muted;
	char recording[TEL_ID_SIZE]; /* the part that was being written last; "": none */
	bool is_recording_paused;
};

/* Before telephony_start() only (then ST_CONFLICT telephony.started): this call should be so.
 * Two calls of one conference name each other as partners; of more, each names one that was
 * restored before it. Further errors: ST_INVALID, ST_CONFLICT call.exists, agent.busy (two current
 * calls of one agent).
 *
 * When the link comes up, the legs and mixes that the switch has are taken over, and by
 * TELCALL_SYNCED every restored call has been told about:
 *
 * - Nothing, when it is as it was; what it asks for (mixes, music, mute) is asserted once more.
 *
 * - TELCALL_RINGING, TELCALL_UP, TELCALL_TRANSFERRED, when that happened meanwhile.
 *
 * - TELCALL_ENDED, TEL_LOST, when its far party is gone, or was never called (side: the switch's,
 * or ours when it was to be hung up). Nobody is ever called again: no far party, no target, no
 * agent.
 *
 * - When only the agent's leg is gone, it is as when the switch loses it at any other time: a call
 * that was being made or talked on is hung up (ENDED, side SWITCH, follows within 5 s); one that
 * was being answered is parked and a resumed one held (TELCALL_OP_FAILED agent.no_audio); a
 * conference is left to the others; a held call stays held. When only the target is gone:
 * TRANSFER_FAILED (LOST).
 *
 * A recording that the switch still makes goes on; one that it does not is told as ended (LOST).
 *
 * TELCALL_AGENT_AUDIO tells of every agent who has a restored call whether his leg is up.
 *
 * Legs of ours that no restored call knows are hung up, also a caller who was answered. One who
 * still waits is offered (again). Two or more parties who were left to themselves in a mix of ours
 * stay together until one hangs up. Legs of others are never touched. */
enum status telephony_restore(struct telephony *, const struct tel_restored *,
			      struct err *) MUST_USE;

/* The driver is created by the caller with telephony_driver_sink() as its sink, then given here and
 * opened; owned from now on, also when opening fails. */
struct tel_sink telephony_driver_sink(struct telephony *);
enum status telephony_start(struct telephony *, struct tel_driver *driver, struct err *) MUST_USE;
/* The link is up and what differed has been told (TELCALL_SYNCED): commands are taken. */
bool telephony_is_linked(const struct telephony *);
const char *telephony_driver_name(const struct telephony *);

/* No more calls than so many are set up in a second; 0, which is where it begins: no limit. What is
 * over it waits: each agent's in turn, and however long it takes; control has its own timer.
 * Answers and transfers never wait, since somebody is on the line, but count. */
void telephony_set_pace(struct telephony *, unsigned calls_per_s);

struct telephony_figures {
	unsigned waiting;	 /* now */
	uint64_t made, delayed;	 /* of those made, so many had to wait */
	int64_t longest_wait_us; /* so far */
};
void telephony_figures(const struct telephony *, struct telephony_figures *ret);

/* Outbound: agent's audio first (his telephone is rung unless up), then the number, into one mix.
 * TELCALL_DIALING, RINGING, UP, ENDED follow; before them TELCALL_WAITING, when it has to wait. */
enum status telephony_make(struct telephony *, const char *call, const struct tel_agent *agent,
			   const struct tel_dest *dest, const struct tel_call_options *,
			   struct err *) MUST_USE;
/* The number of a call, or of its transfer, that was made with far_waits may be called now; also
 * when it is too late for that or was said before. */
void telephony_call_far(struct telephony *, const char *call);
/* An offered leg becomes this call; the caller hears ringing. */
enum status telephony_adopt(struct telephony *, const char *call, const char *leg,
			    struct err *) MUST_USE;
enum status telephony_refuse(struct telephony *, const char *leg, int cause, struct err *) MUST_USE;
/* Adopted call: answer the caller and bring the agent's audio; TELCALL_UP when both are joined.
 * When the agent's telephone does not answer: TELCALL_OP_FAILED "agent.no_audio" and the caller is
 * left with music (answered) for control to offer again or clear. */
enum status telephony_answer(struct telephony *, const char *call, const struct tel_agent *agent,
			     struct err *) MUST_USE;
/* From now on this agent's leg is kept up, or no longer. His telephone is rung at once; when he
 * does not answer, or puts it down, it is rung again after 1 s, 2 s, ... 30 s. TELCALL_AGENT_AUDIO
 * tells of it. Needs no link: what is kept is rung when the switch is there. Before
 * telephony_start() it says that a leg of his which the switch still has is taken over. Ended, his
 * leg goes with his last call; one of a TEL_AGENT_TAB goes at once. ST_INVALID for what the
 * driver's door would not let pass. */
enum status telephony_keep(struct telephony *, const struct tel_agent *agent, bool on,
			   struct err *) MUST_USE;
/* Ends the call with this Q.850 cause, in any phase; the agent's leg goes when this was his last
 * call. ENDED follows (side US), within 5 s also when the switch says nothing. */
enum status telephony_clear(struct telephony *, const char *call, int cause, struct err *) MUST_USE;
enum status telephony_hold(struct telephony *, const char *call, struct err *) MUST_USE;
/* Moves the agent's audio here (redials his telephone when it is gone). Another call of the agent
 * that is not held must be held first: ST_CONFLICT agent.busy. */
enum status telephony_resume(struct telephony *, const char *call, struct err *) MUST_USE;
/* Nobody on the call hears the agent. Belongs to the call: it is kept while the call is held. */
enum status telephony_mute(struct telephony *, const char *call, bool on, struct err *) MUST_USE;
/* TELCALL_DTMF_DONE or TELCALL_OP_FAILED with the token follows, unless the call ends before. At
 * most 8 under way per call: ST_BUSY. */
enum status telephony_dtmf(struct telephony *, const char *call, uint32_t token, const char *digits,
			   struct err *) MUST_USE;
/* Who hears a prompt. */
enum tel_hearers {
	TEL_HEARD_BY_BOTH,
	TEL_HEARD_BY_CUSTOMER, /* everybody in the call but the agent, who hears nothing meanwhile
				*/
};
/* Plays a sound, by its name, over what is spoken in an active call. A prompt that is playing there
 * is stopped for it. TELCALL_PLAY_ENDED follows: at the sound's end, and as soon as the call is
 * held, transferred, left or over. */
enum status telephony_play(struct telephony *, const char *call, const char *sound,
			   enum tel_hearers who, struct err *) MUST_USE;
/* ST_OK also when nothing is being played. */
enum status telephony_play_stop(struct telephony *, const char *call, struct err *) MUST_USE;
/* Records an active or held call: everything its customer says and hears. `name` is of the first
 * part, ends in -<number> and has at most 60 characters; a call whose parties come together with
 * those of another (conference, complete) goes on with the next number. Music is recorded too, what
 * the agent says in another call is not. */
enum status telephony_record(struct telephony *, const char *call, const char *name,
			     struct err *err) MUST_USE;
/* Silence is written until it is resumed. When the switch refuses to, the recording is ended. ST_OK
 * also of a call that is not recorded, this and the next. */
enum status telephony_record_pause(struct telephony *, const char *call, bool on,
				   struct err *err) MUST_USE;
enum status telephony_record_stop(struct telephony *, const char *call, struct err *err) MUST_USE;
/* Of an active or held call, or again after TRANSFER_FAILED; not of a conference. The agent leaves
 * at once; the far party hears ringback, then dest. TRANSFERRED or TRANSFER_FAILED follows. After
 * TRANSFERRED the composer keeps the two connected until one hangs up; ENDED (result NORMAL) is
 * told at TRANSFERRED time, so the call id is free of us. */
enum status telephony_transfer_blind(struct telephony *, const char *call,
				     const struct tel_dest *dest, const struct tel_call_options *,
				     struct err *) MUST_USE;
/* held must be held, active up: the agent leaves, the two far parties stay together until one hangs
 * up. Both calls are told ENDED (NORMAL, side US). */
enum status telephony_complete(struct telephony *, const char *active, const char *held,
			       struct err *) MUST_USE;
/* held's far party joins active's mix: three hear each other. telephony_leave() then takes the
 * agent out and the two others stay; both calls are told ENDED (NORMAL, side US). When one far
 * party hangs up the other two go on; an agent who puts down his telephone has left. hold, resume
 * and mute of either call are for both. */
enum status telephony_conference(struct telephony *, const char *active, const char *held,
				 struct err *) MUST_USE;
enum status telephony_leave(struct telephony *, const char *active, struct err *) MUST_USE;

const char *tel_call_fact_word(enum tel_call_fact_kind kind);
/* "unknown" "customer" "agent" "us" "switch" */
const char *tel_side_word(enum tel_side side);
