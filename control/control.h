#pragma once
/* The only room with live calls, agents and tabs. Commands come in from the doors, facts from the
 * switch, deadlines from the timers; each is put into one queue, stepped by the pure rules of
 * calls/, stored as a record, and told to the doors only when the record is stable (db/record.h).
 * No callback ever runs inside another: the doors hear from their own turn of the loop.
 *
 * Everything here is called on the call plane's thread. Other threads use control_post(). */
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/inbox.h"
#include "base/status.h"
#include "base/timers.h"
#include "base/numbering.h"
#include "calls/call_view.h"
#include "calls/dial_rule.h"

struct control;
struct shed;
struct telephony;
struct record_log;
struct record;

#define TAB_MAX		   16 /* tabs of one agent: 1 .. 16 */
#define DIGITS_SIZE	   33
#define SOUND_SIZE	   65
#define SOUND_VERSION_SIZE 33

struct control_config {
	const char *node;
	struct uuid tenant_id;
	unsigned preview_s, wrap_s, ring_s; /* defaults 15, 30, 22; wrap_s 0 = no wrap timer: idle
					       waits for the agent */
	unsigned offer_s;   /* how long an incoming call rings at one agent; default 22 */
	unsigned max_calls; /* live; default 20000 */
	/* A command's id and its answer are remembered this long, over restarts too, and each
	 * command is carried out only when the intent is stable. 0 = neither: it is carried out at
	 * once. */
	unsigned remember_s;
	struct shed *shed; /* what is turned away now; NULL = nothing ever is. Borrowed. */
	char caller_number[NUMBER_SIZE], caller_name[NAME_SIZE]; /* shown to called parties */
	/* National numbers become international by it, those of callers too; NULL: they stay as
	 * they are. An agent's extension and what has at most 6 digits is never changed. Borrowed.
	 */
	const struct numbering *numbering;
};

/* What is configured in the database, loaded at start and on reload by server/ (control asks
 * nobody). */
struct agent_setup {
	struct uuid agent_id;
	char login[WORD_SIZE], name[NAME_SIZE], extension[WORD_SIZE], cc_agent_id[WORD_SIZE];
	enum audio_mode audio;
};
struct queue_setup {
	struct uuid queue_id;
	char name[NAME_SIZE], number[NUMBER_SIZE]; /* its DNIS */
	unsigned wrap_s;			   /* 0 = the general one */
	char script_url[URL_SIZE];
};
struct outcome_setup {
	struct uuid outcome_id;
	char name[OUTCOME_SIZE];
	bool is_connect_xor_abort;
	enum attempt_result system_for; /* replaces the system outcome of the same meaning;
					   ATTEMPT_NONE = none */
	bool is_default;		/* applied when wrap ends and nobody chose */
	bool is_retry;
	unsigned retry_after_s;
};

struct sound_setup {
	char name[SOUND_SIZE];
	char version[SOUND_VERSION_SIZE]; /* of what it sounds like: the switch fetches it by this
					   */
	unsigned duration_ms;
};

enum command_kind {
	CMD_DIAL,
	CMD_HOLDRESUME,
	CMD_HOLD,
	CMD_RESUME,
	CMD_TRANSFER_BLIND,
	CMD_TRANSFER_CONSULT,
	CMD_TRANSFER_COMPLETE,
	CMD_CONFERENCE,
	CMD_LEAVE,
	CMD_CANCEL_CONSULT,
	CMD_ANSWER,
	CMD_RELEASE,
	CMD_REJECT,
	CMD_SKIP,
	CMD_PLAY,
	CMD_DTMF,
	CMD_MUTE,
	CMD_PAUSE_TIMER,
	CMD_RESUME_TIMER,
	CMD_SET_OUTCOME,
	CMD_SCHEDULE_CALLBACK,
	CMD_END_WRAP,
	CMD_AGENT_STATE, /* agentReady, agentNotReady, setState */
	CMD_PRESENT,	 /* a record is presented to an agent with the preview timer: routes and
			    `calltab call` */
	CMD_RECORD_START,
	CMD_RECORD_STOP,
	CMD_RECORD_PAUSE,
	CMD_RECORD_RESUME,
	CMD_KIND_COUNT
};

struct command {
	enum command_kind kind;
	struct uuid call_id;	  /* control's own: of the call it would make */
	char id[COMMAND_ID_SIZE]; /* client-made; echoed in the call's commandId */
	enum actor actor;
	struct uuid agent_id;	  /* whose tab */
	int tab;		  /* 1..TAB_MAX; 0 with PRESENT = a free one */
	int other_tab;		  /* callTab of transferComplete and conference */
	char number[NUMBER_SIZE]; /* dial, transfer; as given: normalised by control through
				     calls/number */
	char digits[DIGITS_SIZE];
	char sound[SOUND_SIZE];
	bool is_for_customer; /* the sound: the agent does not hear it */
	char outcome[OUTCOME_SIZE];
	char comment[COMMENT_SIZE];
	char reason[WORD_SIZE];
	int64_t retry_at_ms; /* schedule callback */
	bool on;	     /* mute */
	enum agent_state agent_state;
	enum call_direction
		direction; /* dial: outbound or clicktocall; present: ccOutbound or outbound */
	/* PRESENT: what is known of the record. dialer_call_id nil = a new one. */
	struct uuid dialer_call_id, phone_call_id;
	struct dialer_counters counters;
	char subject[SUBJECT_SIZE];
	struct party_view to;
	bool is_callback;
};

struct reply {
	enum status status;
	struct err err;			     /* when status != ST_OK */
	struct uuid call_id, dialer_call_id; /* nil when no call is concerned */
	int tab;	  /* where the result is to be seen: transferConsult names the new tab */
	bool is_volatile; /* carried out while storage failed: after a crash nobody will know of it
			   */
};

/* Called exactly once per command, never from inside control_command(). */
typedef void (*control_reply_fn)(void *user, const struct command *command,
				 const struct reply *reply);

/* What the doors hear. Views are valid during the call only. */
enum tell_kind { TELL_STATE, TELL_UPDATE }; /* new state | same state, other details */
struct control_listener {
	/* A call changed. seq: dense per tab within the epoch. */
	void (*on_call)(void *user, enum tell_kind kind, const struct call_view *call,
			uint64_t epoch, uint64_t seq);
	/* While control_recover_record() runs: an event that was told before the restart, oldest
	 * first per tab, for those who come back and say how far they heard. age_ms: how long ago.
	 */
	void (*on_past)(void *user, enum tell_kind kind, const struct call_view *call,
			uint64_t epoch, uint64_t seq, int64_t age_ms);
	void (*on_agent)(void *user, const struct agent_view *agent, uint64_t epoch);
	/* The set of the agent's tabs, or what they carry, changed: ask control_tabs(). */
	void (*on_tabs)(void *user, const struct uuid *agent_id);
	/* code: "storage.degraded" "storage.ok" "switch.away" "switch.ok" "sound.failed" ...; agent
	 * nil = everybody */
	void (*on_notice)(void *user, const struct uuid *agent_id, const char *code,
			  const char *message);
	/* Audio in a page: that of this lease is to be brought to the switch here, from now on; "":
	 * nowhere. */
	void (*on_audio_path)(void *user, const struct uuid *agent_id, uint64_t lease,
			      const char *path);
	/* The lease is no good any more: the agent's audio is reached in another way now. */
	void (*on_audio_over)(void *user, const struct uuid *agent_id, uint64_t lease);
	void *user;
};

/* Borrowed for control's life: clock, timers. telephony and log are attached before
 * control_poll(). wake is called from any thread when control_poll() is needed. */
struct control *control_create(const struct control_config *config, const struct clock *clock,
			       struct timers *timers, void (*wake)(void *user), void *user);
void control_destroy(struct control *);
void control_attach_telephony(struct control *, struct telephony *);
void control_attach_log(struct control *, struct record_log *);
void control_listen(struct control *, const struct control_listener *listener); /* at most 4 */

/* --- after a restart, before control_poll() and before the switch is opened; agents, queues and
 * outcomes are set and doors listen --- */
/* One record of before, in order. is_state: from the last complete checkpoint on; older ones are
 * only what was told and what was commanded. The signature is record_log_recover()'s. */
void control_recover_record(void *control, const struct record *record, bool is_state);
/* All have been given. is_continuous: none were lost; else every tab begins a new epoch. Calls are
 * handed to telephony, their timers go on once the switch has been read back, at the latest after
 * 5 s. Returns how many calls live. */
unsigned control_recover_end(struct control *, bool is_continuous);
/* Begins to append a copy of everything live, in slices; does nothing while one is under way. */
void control_checkpoint(struct control *);

/* Setup: insert or replace by id. */
void control_set_agent(struct control *, const struct agent_setup *agent);
void control_set_queue(struct control *, const struct queue_setup *queue);
void control_set_outcome(struct control *, const struct outcome_setup *outcome);

/* Dial rules: all there are, in their order, in the place of those before. */
void control_set_dial_rules(struct control *, const struct dial_rule *list, unsigned count);

/* Sounds: insert or replace by name; forget one; all there are, in the place of those before. */
void control_set_sound(struct control *, const struct sound_setup *sound);
void control_forget_sound(struct control *, const char *name);
void control_set_sounds(struct control *, const struct sound_setup *list, unsigned count);
bool control_find_sound(const struct control *, const char *name, struct sound_setup *ret);

/* Runs what is queued: commands, facts, stable records. The loop calls it after every wake and
 * every timer. */
void control_poll(struct control *);

/* Queues the command (copied). The reply comes from control_poll(). */
void control_command(struct control *, const struct command *command, control_reply_fn on_reply,
		     void *user);

/* From any thread: runs fn(control, arg) on the call plane's thread. False when the inbox is full.
 */
_Bool control_post(struct control *, void (*fn)(struct control *, void *arg), void *arg);

/* --- the seam upwards from telephony and the record log; server/ wires them --- */
struct tel_call_fact;
void control_on_fact(void *control, const struct tel_call_fact *fact);
void control_on_stable(void *control, uint64_t number);
void control_on_degraded(void *control, bool is_degraded, const char *why);
/* PostgreSQL is away or back: nothing changes but that everybody is told. */
void control_on_database(void *control, bool is_away);

/* --- what doors may read, always as of the last stable record --- */
/* A tab somebody looks at exists from then on. Fills the newest told call of the tab; false when it
 * never had one (then *ret is zeroed). *ret_epoch and *ret_seq: the last told number of this tab.
 */
bool control_tab_snapshot(struct control *, const struct uuid *agent_id, int tab,
			  struct call_view *ret, uint64_t *ret_epoch, uint64_t *ret_seq);
bool control_agent_view(struct control *, const struct uuid *agent_id, struct agent_view *ret);
/* Tabs in use, ascending; returns how many were written. */
unsigned control_tabs(struct control *, const struct uuid *agent_id, int tabs[TAB_MAX]);
unsigned control_outcomes(struct control *, struct outcome_setup *ret, unsigned max);
bool control_find_agent_by_login(struct control *, const char *login, struct uuid *ret);
/* A page of this agent was opened (true) or is gone (false), in pairs; a door may tell of the first
 * and the last only. One that is told makes LoggedOut LoggedIn; without any he is offered nothing.
 */
void control_agent_present(struct control *, const struct uuid *agent_id, bool is_present);

/* --- audio in a page, of agents whose audio is AUDIO_WS --- */
/* This window of his has his audio from now on, under this lease; who had it before has lost it,
 * which is for the door to say. ST_CONFLICT audio.elsewhere: another window has it (is_take: it is
 * taken over), audio.not_here: the agent's audio is not in a page; ST_INVALID; ST_NOT_FOUND. */
enum status control_audio_open(struct control *, const struct uuid *agent_id, const char *window,
			       bool is_take, uint64_t *ret_lease, struct err *) MUST_USE;
/* The connection of this lease has ended. */
void control_audio_close(struct control *, const struct uuid *agent_id, uint64_t lease);

struct control_figures {
	unsigned calls_live, agents, agents_ready, waiting_callers;
	uint64_t commands, facts, told;
	bool is_switch_linked, is_storage_degraded;
};
void control_figures(const struct control *, struct control_figures *ret);
