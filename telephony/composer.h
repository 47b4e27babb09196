#pragma once
/* What the composer's files share; telephony.h is what it is for.
 *
 * The composer holds what *should* be so at the switch: which leg is in which mix, which legs
 * should be gone. It sends the operations that lead there. An operation on a call sets states
 * first, then settles: the agent's leg goes where a current call of his is, or nowhere, or is hung
 * up; a mix gets music when one answered party is alone in it, and is freed when nobody needs it.
 * After a lost link the same knowledge is asserted once more.
 *
 *	composer.c	   life, checks every command makes, words
 *	composer_send.c	   operations to the driver; waiting when its queue is full
 *	composer_tell.c	   facts to control
 *	composer_leg.c	   legs and mixes
 *	composer_line.c	   an agent's own audio
 *	composer_keep.c	   ... between calls
 *	composer_pace.c	   calls that wait for their turn
 *	composer_call.c	   a call's life
 *	composer_command.c commands on one call: make .. dtmf
 *	composer_play.c	   prompts
 *	composer_record.c  recordings
 *	composer_pair.c	   commands on two: transfer, complete, conference, leave
 *	composer_facts.c   what the switch says
 *	composer_sync.c	   link and resync
 *	composer_restore.c calls of an earlier life, and what becomes of them
 *	composer_found.c   what is at the switch and nobody here knows */
#include "base/cleanup.h"
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>
#include <utlist.h>

#include "telephony/pace.h"
#include "telephony/telephony.h"

#define TC_NODE_MAX	24
#define TC_AGENT_RING_S 20
#define TC_ENDING_S	5
#define TC_DOUBT_S	8 /* taken back and not known to have been called: to ring until then */
#define TC_RETRY_MS	20
#define TC_KEEP_MIN_S	1  /* a kept leg that is gone is rung again after this ... */
#define TC_KEEP_MAX_S	30 /* ... doubled up to this */
#define TC_KEEP_GOOD_S	10 /* one that was up for so long begins anew */
#define TC_DTMF_MAX	8

enum tc_state {
	TC_SEEKING,   /* outbound: the agent's audio is being brought */
	TC_CALLING,   /* outbound: the far party is being called */
	TC_OFFERED,   /* inbound, adopted: the caller hears ringing */
	TC_ANSWERING, /* inbound: the caller is being answered, the agent's audio brought */
	TC_TALK,
	TC_HELD,
	TC_RESUMING,	 /* held, and the agent's audio is being brought */
	TC_PARKED,	 /* far party up, with music, nobody to talk to */
	TC_TRANSFERRING, /* blind: the target is being called */
	TC_ENDING,	 /* far leg is being hung up */
};

enum tc_role {
	TC_FAR,
	TC_TARGET,
	TC_AGENT,
	TC_OFFER, /* offered, not adopted */
};

enum tc_link {
	TC_DOWN,
	TC_SYNCING,
	TC_UP,
};

struct tc_mix;
struct tc_call;

struct tc_leg {
	UT_hash_handle hh;
	char id[TEL_ID_SIZE];
	enum tc_role role;
	bool is_up, is_muted;
	bool is_deaf;				/* a prompt is for the customer alone */
	bool is_seen, is_seen_up, is_seen_rung; /* in this comparison */
	char seen_mix[TEL_ID_SIZE];		/* there */
	int hangup_cause;			/* not 0: we want it gone */
	struct tc_call *call; /* whose far leg or target; NULL: it only has its mix, or is going */
	struct tc_line *line; /* whose agent leg */
	struct tc_mix *mix;   /* where it should be */
	struct tc_leg *prev, *next;
};

struct tc_mix {
	UT_hash_handle hh;
	char id[TEL_ID_SIZE];
	bool has_music, is_seen;
	bool is_gone;  /* never made, or lost by the switch: left alone until the next sync */
	bool is_freed; /* during a sync, which may still name it */
	struct tc_play *play; /* or NULL */
	struct tc_record *records;
	struct tc_leg *legs;
	struct tc_call *calls; /* none: the parties were left to themselves */
};

struct tc_play { /* a prompt, until it has ended or we have stopped it */
	UT_hash_handle hh;
	char id[TEL_ID_SIZE], call[TEL_ID_SIZE];
	char ear[TEL_ID_SIZE]; /* the agent's leg that hears nothing meanwhile; "": none */
	uint32_t token;
	struct tc_mix *mix;
};

struct tc_record { /* one part of a call's recording, until the switch says that it has ended */
	UT_hash_handle hh;
	char id[TEL_ID_SIZE], call[TEL_ID_SIZE];
	uint32_t token, later_token; /* of its beginning; of the last pause or stop */
	bool is_paused, is_failed;
	bool is_unasked;    /* restored: the switch will be asked whether it still has it */
	struct tc_mix *mix; /* NULL: it is being stopped */
	struct tc_record *prev, *next;
};

struct tc_line { /* one agent's own audio; lives as long as he has a call, or it is kept */
	UT_hash_handle hh;
	struct telephony *telephony;
	char agent[TEL_ID_SIZE], station[TEL_ID_SIZE];
	enum tel_agent_mode mode;
	struct tc_leg *leg;
	struct tc_mix *mix; /* where his audio is wanted; NULL: nowhere */
	struct tc_call *calls;
	struct timer ring_timer;
	bool is_kept;		 /* up between calls too */
	struct timer keep_timer; /* then it is rung again */
	unsigned keep_failures;
	int64_t up_us;	   /* monotonic, of his leg */
	bool is_unsettled; /* its calls are being gone through: do not free it */
	bool is_restored;  /* as struct tc_call's */
};

struct tc_dtmf {
	uint32_t token, user_token;
};

struct tc_call {
	UT_hash_handle hh;
	struct telephony *telephony;
	char id[TEL_ID_SIZE], agent[TEL_ID_SIZE];
	char partner[TEL_ID_SIZE]; /* while restored */
	bool is_restored; /* by telephony_restore(), and the switch has not been compared yet */
	enum tc_state state;
	struct tc_line *line; /* NULL: no agent yet */
	struct tc_call *line_prev, *line_next;
	struct tc_mix *mix;
	struct tc_call *mix_prev, *mix_next;
	struct tc_leg *far, *target;
	struct tel_dest dest;
	struct tel_call_options options;
	struct pace_entry turn; /* SEEKING: whether it still waits for it */
	struct tc_op *transfer; /* far_waits: how its target will be called; or NULL */
	bool is_answered;	/* the switch was asked to answer the caller */
	bool has_rung, is_muted;
	enum tel_side end_side;
	struct timer end_timer;
	struct tc_dtmf dtmf[TC_DTMF_MAX];
	unsigned dtmf_count;
	struct tc_record *record; /* or NULL */
};

enum tc_op_kind {
	TC_LEG_MAKE,
	TC_LEG_RING,
	TC_LEG_ANSWER,
	TC_LEG_HANGUP,
	TC_LEG_DTMF,
	TC_LEG_MUTE,
	TC_MIX_MAKE,
	TC_MIX_FREE,
	TC_MIX_ADD,
	TC_MIX_REMOVE,
	TC_MIX_MUSIC,
	TC_PLAY,
	TC_PLAY_STOP,
	TC_RECORD,
	TC_RECORD_PAUSE,
	TC_RECORD_STOP,
};

struct tc_op {
	struct tc_op *prev, *next;
	enum tc_op_kind kind;
	uint32_t token;
	char leg[TEL_ID_SIZE], mix[TEL_ID_SIZE], play[TEL_ID_SIZE], sound[TEL_ID_SIZE];
	char record[TEL_ID_SIZE];
	char digits[TEL_DIGITS_SIZE];
	struct tel_dest dest;
	struct tel_leg_options options;
	int cause;
	enum tel_mute mute;
	bool on;
};

struct tc_telling {
	struct tc_telling *prev, *next;
	struct tel_call_fact fact;
};

struct tc_refused { /* a leg the driver would not even try to make */
	struct tc_refused *prev, *next;
	char leg[TEL_ID_SIZE];
};

struct tc_found { /* a leg or a mix at the switch that nobody here knows */
	struct tc_found *prev, *next;
	bool is_mix;
	char id[TEL_ID_SIZE], tag[TEL_ID_SIZE], mix[TEL_ID_SIZE];
	bool is_up, has_rung;
	bool is_kept; /* it was taken over */
};

struct telephony {
	const struct clock *clock;
	struct timers *timers;
	char node[TC_NODE_MAX + 1];
	struct tel_call_sink sink;
	struct tel_driver *driver;
	enum tc_link link;
	bool is_syncing;
	int64_t epoch;
	int64_t fact_at_us; /* of the driver's fact being worked on, or 0 */
	uint64_t next_serial;
	uint32_t next_token;
	uint32_t repair_from,
		repair_count; /* tokens of the last reassertion: its failures are no news */
	struct tc_leg *legs;
	struct tc_mix *mixes;
	struct tc_line *lines;
	struct tc_call *calls;
	struct tc_play *plays;
	struct tc_record *records;
	struct tc_found *found; /* during a sync */
	struct tc_op *waiting;	/* operations for which the driver's queue had no room */
	struct timer retry_timer;
	struct pace pace; /* of the calls that are made */
	struct timer pace_timer;
	struct telephony_figures figures;
	struct tc_refused *refused;
	struct timer refused_timer;
	struct tc_telling *tellings;
	struct timer tell_timer;
	bool is_telling;
};

struct tc_ending { /* why a call is over */
	enum tel_result result;
	enum tel_side side;
	int cause, sip;
};

/* composer.c */
struct tc_call *tc_call_find(struct telephony *t, const char *id);
/* What every command checks first: link, room, and that the call exists. */
enum status tc_ready(struct telephony *t, struct err *err) MUST_USE;
enum status tc_ready_call(struct telephony *t, const char *id, struct tc_call **ret,
			  struct err *err) MUST_USE;
enum status tc_not_up(const struct tc_call *call, struct err *err) MUST_USE;

/* composer_send.c */
void tc_send(struct telephony *t, const struct tc_op *op);
void tc_send_leg(struct telephony *t, enum tc_op_kind kind, const char *leg);
void tc_send_mix(struct telephony *t, enum tc_op_kind kind, const char *mix);
void tc_send_both(struct telephony *t, enum tc_op_kind kind, const char *mix, const char *leg);
void tc_send_hangup(struct telephony *t, const char *leg, int cause);
void tc_send_music(struct telephony *t, const char *mix, bool on);
void tc_send_mute(struct telephony *t, const char *leg, enum tel_mute mute, bool on);
enum status tc_send_now(struct telephony *t, const struct tc_op *op) MUST_USE; /* or not at all */
void tc_send_drop(struct telephony *t); /* the link is down: what waits will not be sent */
void tc_send_done(struct telephony *t);

/* composer_pace.c: a call that is SEEKING goes on, now or when its turn comes */
void tc_pace_begin(struct tc_call *call);
void tc_pace_run(struct telephony *t);
/* What does not wait counts too. */
void tc_pace_count(struct telephony *t);

/* composer_tell.c: the returned fact may be filled in until the caller returns to the loop. */
struct tel_call_fact *tc_tell(struct telephony *t, enum tel_call_fact_kind kind,
			      const struct tc_call *call);
void tc_tell_all(struct telephony *t);
void tc_tell_done(struct telephony *t);

/* composer_restore.c: before and after what was found is dealt with */
void tc_restore_take(struct telephony *t);
void tc_restore_settle(struct telephony *t);

/* composer_found.c */
void tc_found_leg(struct telephony *t, const struct tel_fact *fact);
void tc_found_mix(struct telephony *t, const char *id);
void tc_found_forget(struct telephony *t, const char *leg); /* it has ended */
/* False: there is no such mix. */
bool tc_found_take_mix(struct telephony *t, const char *id);
/* For restored calls: the agents' legs, the targets. */
void tc_found_take(struct telephony *t);
/* Keeps who was left to himself with others, removes the rest that is ours. */
void tc_found_settle(struct telephony *t);
void tc_found_done(struct telephony *t);
/* <node>-<kind>-..., kind one of kinds */
bool tc_is_ours(const struct telephony *t, const char *id, const char *kinds);

/* composer_command.c */
struct tc_call *tc_call_create(struct telephony *t, const char *id, enum tc_state state);
enum status tc_check_id(struct telephony *t, const char *id, struct err *err) MUST_USE;
enum status tc_check_agent(const struct tel_agent *agent, struct err *err) MUST_USE;
enum status tc_agent_busy(struct err *err);

/* composer_leg.c */
struct tc_leg *tc_leg_find(struct telephony *t, const char *id);
struct tc_leg *tc_leg_create(struct telephony *t, const char *id, enum tc_role role);
void tc_leg_free(struct telephony *t, struct tc_leg *leg);
void tc_leg_hangup(struct telephony *t, struct tc_leg *leg, int cause);
struct tc_mix *tc_mix_find(struct telephony *t, const char *id);
struct tc_mix *tc_mix_create(struct telephony *t, const char *call);
struct tc_mix *tc_mix_enter(struct telephony *t, const char *id); /* in our books only */
void tc_mix_rename(struct telephony *t, struct tc_mix *mix, const char *id);
/* In our books only: for a leg that is made into the mix. */
void tc_mix_enlist(struct telephony *t, struct tc_mix *mix, struct tc_leg *leg);
void tc_mix_add(struct telephony *t, struct tc_mix *mix, struct tc_leg *leg);
void tc_mix_remove(struct telephony *t, struct tc_leg *leg);
void tc_mix_strike(struct tc_leg *leg); /* from our books only */
void tc_mix_forget(struct telephony *t, struct tc_mix *mix);
unsigned tc_mix_parties(const struct tc_mix *mix); /* legs that are no agent's */
/* Music as it should be; the mix freed, and the last party hung up, when nobody needs it. NULL is
 * fine. */
void tc_mix_settle(struct telephony *t, struct tc_mix *mix);

/* composer_line.c */
struct tc_line *tc_line_find(struct telephony *t, const char *agent);
struct tc_line *tc_line_get(struct telephony *t, const struct tel_agent *agent);
bool tc_line_is_busy(struct telephony *t, const char *agent, const struct tc_mix *but);
void tc_line_bring(struct tc_line *line, struct tc_mix *mix);
bool tc_line_is_in(const struct tc_line *line); /* his audio is up and in line->mix */
void tc_line_mute(struct tc_line *line);
void tc_line_settle(struct tc_line *line); /* NULL is fine; may free it */
void tc_line_up(struct tc_line *line);
void tc_line_ring(struct tc_line *line);
bool tc_line_wants_audio(const struct tc_line *line);
/* His telephone may be ringing for one of his calls. */
bool tc_line_is_awaited(const struct tc_line *line);
/* A leg that was found is this agent's. */
void tc_line_take(struct tc_line *line, const char *leg, bool is_up);
/* The switch has been compared: his leg is what was taken, or gone. May free the line. */
void tc_line_restored(struct tc_line *line);
/* His audio is in a page, may be back soon, and is waited for by a call. */
bool tc_line_waits(const struct tc_line *line);
/* His leg has ended, and is waited for. */
void tc_line_away(struct tc_line *line);
void tc_line_part(struct tc_line *line); /* his page has gone: hangs up its leg */
/* The agent's leg has ended by itself, or we stop waiting for it. */
void tc_line_lost(struct tc_line *line, const struct tc_ending *ending);

/* composer_keep.c */
/* A kept line without a leg: rung, now or after the back-off. */
void tc_keep_now(struct tc_line *line);
void tc_keep_later(struct tc_line *line);
void tc_keep_stop(struct tc_line *line);
void tc_keep_all(struct telephony *t); /* the switch is there */

/* composer_call.c */
bool tc_state_is_current(
	enum tc_state state); /* the agent's audio is, or should be, in this call */
bool tc_state_wants_audio(enum tc_state state);
void tc_call_attach(struct tc_call *call, struct tc_line *line);
void tc_call_move(struct tc_call *call,
		  struct tc_mix *mix);	 /* to another mix's list; NULL: to none */
void tc_call_dial(struct tc_call *call); /* as soon as the far party may be called */
void tc_call_join(struct tc_call *call); /* after answer: talk when both are there */
void tc_call_settle(struct tc_call *call);
void tc_call_clear(struct tc_call *call, int cause, enum tel_side side);
/* ENDED is told soon also when the switch says nothing. */
void tc_call_end_in_time(struct tc_call *call);
/* Tells ENDED and frees the call; legs that should go have been hung up before. */
void tc_call_over(struct tc_call *call, const struct tc_ending *ending);
void tc_call_free(struct tc_call *call);

/* composer_play.c */
void tc_play_stop(struct telephony *t, struct tc_mix *mix); /* NULL is fine */
void tc_play_leave(const struct tc_call *call);		    /* stops what this call is playing */
void tc_play_lost(struct telephony *t, struct tc_mix *mix); /* the switch has forgotten it */
void tc_play_ended(struct telephony *t, const struct tel_fact *fact);
/* False: the operation that failed was not a prompt that is still wanted. */
bool tc_play_failed(struct telephony *t, const struct tel_fact *fact);
void tc_plays_done(struct telephony *t);

/* composer_record.c */
void tc_record_follow(struct tc_call *call, struct tc_mix *mix); /* its far party goes there */
void tc_record_over(struct tc_call *call); /* its call is; those left to themselves go on with it */
void tc_records_stop(struct telephony *t, struct tc_mix *mix); /* the mix goes */
void tc_record_begun(struct telephony *t, const struct tel_fact *fact);
void tc_record_ended(struct telephony *t, const struct tel_fact *fact);
/* False: the operation that failed was not one of a recording. */
bool tc_record_failed(struct telephony *t, const struct tel_fact *fact);
void tc_record_restore(struct tc_call *call, const struct tel_restored *was);
void tc_records_repair(struct telephony *t);
void tc_records_done(struct telephony *t);

/* composer_pair.c */
void tc_mix_leave(struct tc_mix *mix,
		  enum tel_side side);	      /* its calls are over, its parties stay */
void tc_transfer_begin(struct tc_call *call); /* calls the target */
void tc_transfer_up(struct tc_call *call);
void tc_transfer_failed(struct tc_call *call, const struct tc_ending *ending);

/* composer_facts.c */
void tc_on_fact(void *user, const struct tel_fact *fact);
void tc_leg_up(struct telephony *t, struct tc_leg *leg);
void tc_leg_ended(struct telephony *t, struct tc_leg *leg, const struct tel_fact *fact);

/* composer_sync.c */
void tc_on_link(struct telephony *t, const struct tel_fact *fact);
void tc_on_sync_begin(struct telephony *t);
void tc_on_leg_seen(struct telephony *t, const struct tel_fact *fact);
void tc_on_mix_seen(struct telephony *t, const struct tel_fact *fact);
void tc_on_sync_end(struct telephony *t);
