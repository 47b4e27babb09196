#pragma once
/* The live state and how its files talk to each other. Only the .c files of control may include
 * this.
 *
 * - control.c: life, queue, finding
 * - control_setup.c: what is configured, what doors may read
 * - control_sounds.c: sounds
 * - control_numbers.c: numbers and dial rules
 * - control_agent.c: agents
 * - control_audio.c: audio that is kept between calls
 * - control_commands.c: commands -> events
 * - control_pair.c: commands on two calls
 * - control_facts.c: what the switch reports -> events
 * - control_apply.c: one step: effects, timers, records
 * - control_effects.c: effect -> switch
 * - control_tell.c: records, and the tells that wait for them
 * - control_offer.c: waiting callers and whom they are offered to
 * - control_memory.c: commands that were given before
 * - control_record.c: live state <-> record
 * - control_recover.c: the live state of before a restart
 * - control_checkpoint.c: copies of everything live
 */
#include <uthash.h>

#include "calls/agent.h"
#include "calls/call.h"
#include "control/control.h"
#include "db/record.h"
#include "telephony/telephony.h"

#define Q850_NORMAL 16
#define Q850_BUSY   17

struct agent_slot;

struct tab_slot { /* a numbered place of one agent; exists once somebody looked at it or a call was
		     put there */
	struct live_call *current; /* until its end is stable */
	struct call_view *told;	   /* the newest told call; NULL before the first */
	uint64_t seq;		   /* of the last told event */
	uint64_t appended_seq;	   /* of the last one on its way to be told */
};

struct live_call {
	struct call call;
	char line[TEL_ID_SIZE];	    /* the telephony call; "" = none (any more) */
	char leg[TEL_ID_SIZE];	    /* the caller's, as the switch named it; "" = ours */
	struct agent_slot *agent;   /* NULL while nobody has it */
	struct queue_slot *queue;   /* the queue it came through, or NULL */
	int64_t wall_ms, mono_us;   /* of its birth: see control_call_ms() */
	struct agent_slot *wanted;  /* a caller who dialed this agent's own extension */
	struct uuid excluded_agent; /* gave it back last */
	struct uuid event_id;	    /* the open event row */
	int64_t event_at_ms;
	struct timer timer;
	struct control *control;
	uint64_t recovered;   /* the record it was last seen in, copies not counted */
	bool far_waits;	      /* for its next record to be stable; then it may be called */
	uint64_t last_record; /* its end is stable with this one ... */
	bool is_ended; /* ... which has happened: forgotten when the switch has let go of it too */
	unsigned told_can; /* as of its last record */
	int told_partner_tab;
	struct live_call *next_waiting, *prev_waiting;
	UT_hash_handle by_line, by_dialer, by_id;
	bool is_waiting, is_in_dialer_index;
	int64_t waiting_since_ms;
	struct uuid conference_id;   /* the other call in the same mix; nil = none */
	char recording[TEL_ID_SIZE]; /* the part being written, or the last one; "" = none */
};

struct agent_slot {
	struct agent_setup setup;
	struct agent_view view, told;
	struct tab_slot *tabs[TAB_MAX + 1];
	unsigned pages; /* connected */
	struct control *control;
	struct timer left_timer; /* set: his last page has gone, he may be back */
	bool is_audio_kept;
	struct audio_lease lease; /* AUDIO_WS */
	struct timer lease_timer; /* nobody has come back */
	bool is_known_to_tell;
	bool is_device_held;	 /* by the hold key of his telephone */
	struct uuid device_held; /* the call that was held for it; nil = none */
	UT_hash_handle by_id, by_login, by_extension;
};

struct queue_slot {
	struct queue_setup setup;
	UT_hash_handle by_number;
};

struct sound_slot {
	struct sound_setup setup;
	UT_hash_handle by_name;
};

enum work_kind {
	WORK_COMMAND,  /* as it came from a door */
	WORK_INTENDED, /* its intent is stable: carry it out */
	WORK_FACT,
	WORK_EVENT,
	WORK_DIAL_EVENT /* a timer's dial whose intent is stable */
};
struct remembered;
struct work { /* one item of the queue */
	struct work *next;
	enum work_kind kind;
	union {
		struct {
			struct command command;
			control_reply_fn on_reply;
			void *user;
			struct remembered *entry;
		} c;
		struct tel_call_fact fact;
		struct {
			struct uuid
				call_id; /* looked up when its turn comes: the call may be gone */
			struct call_event event;
		} e;
	} u;
};

enum pending_kind {
	PENDING_CALL,
	PENDING_AGENT,
	PENDING_FORGET,
	PENDING_INTENT,
	PENDING_ANSWER,
	PENDING_FAR
};
struct pending_tell { /* waits for its record */
	struct pending_tell *next;
	uint64_t record;
	enum pending_kind kind;
	enum tell_kind tell;
	uint64_t seq;
	struct call_view *call;	  /* CALL */
	struct agent_view agent;  /* AGENT */
	struct live_call *forget; /* FORGET */
	struct work *work;	  /* INTENT: runs then; NULL = refused meanwhile */
	struct remembered *entry; /* ANSWER */
	struct uuid call_id;	  /* FAR: its far party may be called then */
};

struct timer_dial { /* at recovery: a preview's end that was about to be dialed */
	struct timer_dial *next;
	struct uuid call_id;
	uint64_t number;
};

struct memory {			   /* control_memory.c */
	struct remembered *by_id;  /* uthash, oldest first */
	struct remembered *cursor; /* the next one a checkpoint copies */
};

#define LISTENERS_MAX 4
#define OUTCOMES_MAX  64

struct control {
	struct control_config config;
	const struct clock *clock;
	struct timers *timers;
	struct inbox inbox; /* of posted functions */
	struct telephony *telephony;
	struct record_log *log;
	struct control_listener listeners[LISTENERS_MAX];
	unsigned listener_count;
	struct agent_slot *agents, *agents_by_login, *agents_by_extension;
	struct queue_slot *queues;
	struct sound_slot *sounds;
	struct outcome_setup outcomes[OUTCOMES_MAX];
	unsigned outcome_count;
	struct dial_rule *dial_rules;
	unsigned dial_rule_count;
	struct live_call *calls, *calls_by_line, *calls_by_dialer;
	struct live_call *waiting; /* utlist, oldest first */
	struct work *work_head, **work_tail;
	struct pending_tell *pending_head, **pending_tail;
	struct memory memory;
	struct timer_dial *timer_dials;
	struct checkpoint *checkpoint; /* the one being written, or NULL */
	uint64_t epoch;
	uint64_t command_count, fact_count, told_count;
	unsigned ready_count, waiting_count; /* figures are asked for in every turn of the loop */
	struct timer sweep;		     /* lines that could not be hung up */
	struct timer settle; /* after a restart: the switch did not come back in time */
	bool is_offer_due, is_linked, is_degraded, is_polling;
	bool is_settling; /* after a restart, until the switch has been read back or is too late */
	bool has_open_intents;
};

/* What a command asks of the switch beyond the step itself: borrowed during one apply. */
struct effect_args {
	const char *number, *digits, *sound;
	bool on;
	bool is_for_customer;
	const struct live_call *partner; /* complete, conference */
	bool is_carried_out;		 /* by the caller, before the step */
};

/* control.c */
int64_t control_now_ms(const struct control *);
/* Now, on the call's own time line: it begins at the wall clock and goes on with the monotonic one,
 * so that a wall clock that is set neither fires nor starves a timer, nor falsifies a duration. */
int64_t control_call_ms(const struct live_call *);
struct agent_slot *control_find_agent(struct control *, const struct uuid *agent_id);
struct tab_slot *control_tab(struct control *, struct agent_slot *, int tab); /* makes it */
void control_push(struct control *, struct work *); /* to the end of the queue; owns it */
void control_queue_event(struct control *, const struct live_call *, const struct call_event *);
struct live_call *control_current(const struct agent_slot *,
				  int tab);	   /* not over for good, or NULL */
bool control_uses_audio(const struct live_call *); /* the agent's, or is about to */
/* A call of this agent that occupies his audio or is about to; other than `except`. */
struct live_call *control_active_call(const struct agent_slot *, const struct live_call *except);
bool control_is_live(const struct agent_slot *);    /* something of his is up at the switch */
bool control_is_engaged(const struct agent_slot *); /* any call that has not ended */
/* 1 .. TAB_MAX without a call, places in use first; 0 = none. */
int control_free_tab(const struct agent_slot *);

/* control_apply.c */
/* call_id: NULL or nil = a new one. */
struct live_call *control_call_create(struct control *, const struct uuid *call_id,
				      enum call_direction, struct agent_slot *, int tab);
void control_call_destroy(struct control *, struct live_call *);
/* The dialer call's row may be presented again. */
void control_leave_dialer_index(struct control *, struct live_call *);
/* Steps, carries out, stores, records. On failure nothing has changed. */
enum status control_apply(struct control *, struct live_call *, const struct call_event *,
			  const struct effect_args *, struct err *);
struct call_event control_event(const struct control *, enum call_event_kind, enum actor,
				const struct command *);
void control_set_line(struct control *, struct live_call *, const char *line);
void control_set_timer(struct control *, struct live_call *);
/* The place on the tab, and the ownership of the dialer call's row. */
void control_take_place(struct control *, struct live_call *);
/* The switch has a line of a call that is over: hang it up, now or when it can be. */
void control_sweep_lines(struct control *);
struct call_outcome control_outcome(const struct outcome_setup *);

/* control_effects.c */
enum status control_carry_out(struct control *, struct live_call *, enum call_effect,
			      const struct effect_args *, struct err *);
struct tel_agent control_tel_agent(const struct agent_slot *);

/* control_tell.c */
void control_record_call(struct control *, struct live_call *, const struct call *before,
			 const struct call_event *event);
/* False: it is lost, and what it was about is not told. */
bool control_append(struct control *, const struct record *record, uint64_t *ret_number);
struct pending_tell *control_when_stable(struct control *, enum pending_kind, uint64_t number);
void control_record_agent(struct control *, struct agent_slot *);
void control_forget_when_stable(struct control *, struct live_call *);
/* What may be done with the call now. */
unsigned control_abilities(const struct live_call *);
/* What the agent's other calls may do has changed with this one: they are told. */
void control_refresh(struct control *, struct agent_slot *);
void control_notice(struct control *, const struct uuid *agent_id, const char *code,
		    const char *message);
void control_tell_tabs(struct control *, const struct agent_slot *);

/* control_agent.c */
enum status control_set_agent_state(struct control *, struct agent_slot *, enum agent_state,
				    const char *reason, const struct command *, struct err *);
void control_agent_event(struct control *, struct agent_slot *, enum agent_event_kind);
/* control_commands.c */
void control_do_command(struct control *, const struct command *, control_reply_fn, void *user);
/* It would begin a call, and such are turned away now: *ret says so. Not asked for a command that
 * was given before. */
bool control_turns_away(struct control *, const struct command *, struct reply *ret);
/* Something may be begun: storage and switch are there; there is room for one call more. */
enum status control_check_begin(const struct control *, struct err *);
enum status control_check_room(const struct control *, struct err *);
/* No other call than `except` has the agent's audio. */
enum status control_check_audio(const struct agent_slot *, const struct live_call *except,
				struct err *);
/* control_pair.c: the parts of control_do_command() for two calls */
enum status control_consult(struct control *, struct live_call *, const struct command *,
			    struct reply *, struct err *);
enum status control_pair_up(struct control *, struct agent_slot *, const struct command *,
			    struct reply *, struct err *);
void control_mute_partner(struct control *, struct live_call *, const struct call_event *);
enum status control_cancel_consult(struct control *, struct live_call *, const struct command *,
				   struct err *);
enum status control_leave(struct control *, struct live_call *, const struct command *,
			  struct err *);
enum status control_resume(struct control *, struct live_call *, const struct command *,
			   struct err *);
void control_partner_after(struct control *, struct live_call *); /* this call has gone idle */

/* control_memory.c: the same id gets the same answer, and nothing is carried out before its intent
 * is stable */
void control_take_command(struct control *, struct work *work); /* owns it */
void control_run_intended(struct control *, struct work *work); /* owns it */
void control_tell_answer(struct control *, struct remembered *);
/* A timer's dial: the event follows as WORK_DIAL_EVENT. False: it was queued no further, do it now.
 */
bool control_intend_dial(struct control *, const struct live_call *, const struct call_event *);
/* Storage has failed: what has not been begun is refused, what ends or parks a call is done. */
void control_refuse_intended(struct control *);
void control_memory_free(struct control *);
void control_remember(struct control *, const struct record *); /* INTENT or ANSWER, at recovery */
/* Dials that were about to be carried out when the program ended, and may have been. */
void control_each_open_dial(struct control *,
			    void (*each)(struct control *, const struct record_intent *));
/* After a restart: what became of the intents nobody answered. */
void control_settle_intents(struct control *);
/* Copies all of them, up to `most` at a time; false when the last one is copied. */
void control_copy_begin(struct control *);
bool control_copy_commands(struct control *, unsigned most);

/* control_record.c */
void control_fill_live(const struct live_call *, struct record *);
void control_fill_step(const struct call_event *, struct record *);
/* call and live of the record, as they were. */
void control_read_live(const struct record *, struct call *ret);

/* control_recover.c */
/* After a restart: timers go on; commands nobody answered are answered once the switch was read. */
void control_settle(struct control *, bool is_read_back);

/* control_audio.c */
/* As his state, mode and pages ask for. */
void control_keep_audio(struct control *, struct agent_slot *);
void control_drop_audio(struct control *, struct agent_slot *); /* it is reached in another way */
void control_audio_path(struct control *, struct agent_slot *, const char *path);
/* His last page has gone: after a minute it is as if he had signed out. */
void control_audio_left(struct control *, struct agent_slot *);
/* After a restart, before the switch is there: nobody has a page yet. */
void control_audio_recover(struct control *);

/* control_checkpoint.c */
void control_checkpoint_go_on(struct control *);

/* control_sounds.c */
void control_sounds_free(struct control *);

/* control_numbers.c */
void control_numbers_free(struct control *);
/* A number as an agent or a CRM gave it -> as it is kept, shown and dialed. Errors: ST_INVALID
 * number.invalid. */
enum status control_parse_number(const struct control *, const char *text, char ret[NUMBER_SIZE],
				 struct err *) MUST_USE;
/* The same of a number that is what it is: it stays when it is none. */
void control_name_caller(const struct control *, const char *text, char ret[NUMBER_SIZE]);
/* How the switch is asked to dial a number in this call: an agent's extension is his telephone,
 * anything else goes through the dial rules to the trunk. Errors: ST_INVALID dial.rule. */
struct dial_plan {
	struct tel_dest dest;
	struct tel_call_options options;
};
enum status control_plan_dial(const struct control *, const struct live_call *, const char *number,
			      struct dial_plan *ret, struct err *) MUST_USE;
enum status control_check_sound(const struct control *, const char *name, struct err *);

/* control_device.c: keys of the agent's telephone */
void control_device_held(struct control *, struct agent_slot *, bool on);
void control_device_gone(struct control *, struct agent_slot *);
enum status control_check_device(const struct agent_slot *, struct err *);

/* control_recording.c */
enum status control_record(struct control *, struct live_call *, struct err *);
void control_recording_begun(struct control *, const struct tel_call_fact *);
void control_recording_ended(struct control *, const struct tel_call_fact *);

/* control_facts.c */
void control_do_fact(struct control *, const struct tel_call_fact *);

/* control_offer.c */
void control_caller_waits(struct control *, struct live_call *);
void control_caller_gone(struct control *, struct live_call *);
void control_offer_soon(struct control *); /* in the next turn of control_poll() */
void control_offer_waiting(struct control *);
void control_give_back(struct control *, struct live_call *);
