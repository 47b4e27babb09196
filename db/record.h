#pragma once
/* A record is the one description of something that happened. control makes it, hands it to
 * record_append(), and tells nobody before on_stable() has named it: seen implies stored. The tab's
 * event, the rows, the webhook, the replay and the state after a crash are projections of it.
 *
 * The way of a record: record_append() encodes it (record_codec.h) into the journal (journal.h);
 * when the journal has synced it, it is stable and told; the drain (drain.h) moves it to PostgreSQL
 * in its own time. With PostgreSQL away everything goes on.
 *
 * Rows written from it (mission M20-M27): the dialer call (insert or update), the end of the event
 * before and the event that begins now, a result, the agent's state: in this order, in the order of
 * the records. Writing is repeated after every doubt, so each row is made so that twice is once
 * (docs/data.md): what it relies on is that event_id, result_id and dialer_call_id are never used
 * for two things, that call.call_id changes with every presentation, and that records of one call
 * are appended in the order in which they happened. call.version need not grow from one
 * presentation to the next. computed_outcome is never touched; phone_call_id only where it is empty
 * or a new presentation brings one. */
#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"
#include "calls/call.h"
#include "db/journal.h"

#define EVENT_NAME_SIZE 33
#define LOCATION_SIZE	101

enum record_has {
	/* rows */
	RECORD_CALL = 1 << 0,	     /* call: upsert the dialer call row */
	RECORD_EVENT_CLOSE = 1 << 1, /* closed_event: its duration is known now */
	RECORD_EVENT_OPEN = 1 << 2,  /* event: a new cts_dialerCallEvent row */
	RECORD_RESULT = 1 << 3,	     /* result: a new cts_dialerCallResult row */
	RECORD_AGENT = 1 << 4,	     /* agent: state */
	RECORD_NOTICE = 1 << 5,	     /* nothing to store, but to be told in order */
	/* what a restarted gateway goes on from */
	RECORD_STREAM = 1 << 6, /* call was told on its tab: epoch, seq, is_update */
	RECORD_LIVE = 1 << 7,	/* call and live: all there is to know of a live call */
	RECORD_STEP = 1 << 8,	/* step: the event that led to call and live from what was before */
	RECORD_INTENT = 1 << 10, /* intent: a command is about to be carried out */
	RECORD_ANSWER = 1 << 11, /* answer: of the command that intent names */
	/* A checkpoint: a copy of everything live, so that older segments can go. Records between
	 * its two marks are copies (nothing happened, no row is written) or ordinary ones. */
	RECORD_COPY = 1 << 12,
	RECORD_CHECKPOINT_BEGIN = 1 << 13,
	RECORD_CHECKPOINT_END = 1 << 14, /* begun_at: the number of its beginning */
	RECORD_RECORDING = 1 << 15,	 /* row: a part of a recording begins, or has ended */
};

/* What of a live call is not in its view: the rest of struct call, and control's own. */
struct record_live {
	struct call_policy policy;
	struct dialer_counters base;
	struct call_outcome outcome;
	char comment[COMMENT_SIZE];
	int64_t timer_left_ms;
	unsigned results;
	bool is_consult, has_rung, has_dialed, is_detached;
	char line[UUID_TEXT_SIZE];	/* the call's name at the switch; "" = none */
	char leg[COMMAND_ID_SIZE];	/* the caller's leg, named by the switch; "" = ours */
	char queue_number[NUMBER_SIZE]; /* of the queue it came through */
	struct uuid wanted_agent_id, excluded_agent_id;
	struct uuid event_id; /* the open event row */
	int64_t event_at_ms;
	int64_t waiting_since_ms;	 /* in a queue: 0 = not */
	struct uuid conference_id;	 /* call_id of the other call in the same mix; nil = none */
	char recording[COMMAND_ID_SIZE]; /* the part being written, or the last one; "" = none */
};

/* An event of the pure machine, flat (struct call_event borrows its texts). */
struct record_step {
	enum call_event_kind kind;
	int64_t at_ms;
	enum actor actor;
	char command_id[COMMAND_ID_SIZE], reason[WORD_SIZE];
	bool has_reason;
	enum attempt_result result;
	enum ended_by ended_by;
	int cause;
	bool on;
	int64_t retry_at_ms;
	struct call_outcome outcome;
	char comment[COMMENT_SIZE];
	struct uuid agent_id;
	int tab;
};

/* A command before it is carried out. key: whose id it is (an agent, or an API key), so that two
 * cannot meet. */
struct record_intent {
	char id[COMMAND_ID_SIZE];
	struct uuid key;
	uint64_t body_hash; /* of everything asked: the same id with another body is refused */
	int kind;	    /* enum command_kind */
	struct uuid agent_id;
	int tab, other_tab;
	struct uuid call_id; /* of the call it would make: its leg at the switch is found by it */
	char number[NUMBER_SIZE];
	/* Nobody but the agent is called before the step that says so is stable: without that step
	 * nobody was. */
	bool far_waits;
	enum call_direction direction;
};

/* One file at the switch. ended_at_ms 0: it begins. */
struct record_recording {
	char name[COMMAND_ID_SIZE];
	char location[LOCATION_SIZE];
	struct uuid tenant_id, dialer_call_id, call_id, agent_id;
	int64_t begun_at_ms, ended_at_ms;
	int64_t duration_ms;	/* -1 = not known */
	char result[WORD_SIZE]; /* of one that has ended: "ok" "failed" "lost" */
};

struct record_answer {
	struct err err; /* .status ST_OK: done */
	struct uuid call_id, dialer_call_id;
	int tab;
};

struct record {
	uint64_t number; /* 1, 2, 3 ... set by record_append(); goes on over restarts */
	int64_t at_ms;
	unsigned has;
	struct call_view call;
	struct uuid event_id, closed_event_id, result_id;
	char event_name[EVENT_NAME_SIZE]; /* preview incoming ring talk hold idle wrap ... and busy,
					     no answer, error on dial */
	int64_t event_at_ms;
	int64_t closed_duration_ms;
	bool is_event_instant; /* a fact without length ("busy"): its duration is 0 from the start
				*/
	char result[OUTCOME_SIZE];
	char comment[COMMENT_SIZE]; /* the agent's, to that result; "" = none */
	bool is_result_automatic;
	struct agent_view agent;
	uint64_t epoch, seq; /* STREAM */
	bool is_update;	     /* STREAM: told as `update`, not as `state` */
	struct record_live live;
	struct record_step step;
	struct record_intent intent;
	struct record_answer answer;
	struct record_recording recording;
	uint64_t begun_at; /* CHECKPOINT_END */
};

struct record_log;

struct record_log_config {
	const char *conninfo;	 /* libpq's; of the drain */
	const char *journal_dir; /* made when it is not there */
	const char *node;
	/* The drain stores only while the lease of tenant and node has this epoch (lease.h); 0 = it
	 * does not look. */
	struct uuid tenant_id;
	int64_t lease_epoch;
	unsigned limit;	       /* records that may wait for the disk; 0 = 100,000 */
	bool salvage;	       /* go on behind damage of the journal, losing what is damaged */
	uint32_t segment_size; /* 0 = the journal's own; tests */
	unsigned keep_s;       /* how long what is stored stays in the journal; 0 = 15 min; tests */
	const struct journal_io *io; /* NULL = the system's */
};

struct record_log_events { /* called on the thread that calls record_log_poll() */
	/* Every record up to and including this number is on stable storage. */
	void (*on_stable)(void *user, uint64_t number);
	/* The journal's disk is away (records wait, nothing is told) or back. */
	void (*on_degraded)(void *user, bool is_degraded, const char *why);
	/* PostgreSQL is away, or back. Everything goes on; `behind` records are not in the tables
	 * yet. May be NULL. */
	void (*on_database)(void *user, bool is_away, const char *why, uint64_t behind);
	/* PostgreSQL refused this one record for good (bad data, a constraint, a trigger that
	 * raises). It is stable and was told, but its rows are lost: they must not keep all others
	 * waiting. A defect to be logged. May be NULL. */
	void (*on_rejected)(void *user, uint64_t number, const char *why);
	/* Another thread has news: arrange that record_log_poll() is called soon
	 * (lws_cancel_service, uv_async). */
	void (*wake)(void *user);
	/* For the log: what PostgreSQL said, on the drain's thread, without values of rows. May be
	 * NULL. */
	void (*on_trouble)(void *user, const char *what, const char *detail);
	void *user;
};

/* Opens the journal (errors are its own: journal.locked, journal.damaged, journal.newer,
 * journal.io) and starts the drain, which connects at once and reconnects for ever with back-off.
 * *ret_found: what was in the journal; may be NULL. */
struct record_log *record_log_open(const struct record_log_config *config,
				   const struct record_log_events *events,
				   struct journal_found *ret_found, struct err *err);
/* What a restarted program goes on from, before the first record_append(): each() is called in the
 * order of the records for every one since the last complete checkpoint began (is_state; without a
 * checkpoint, for all), and before these for the older ones that are not older than since_ms and
 * have RECORD_STREAM, RECORD_ANSWER or RECORD_INTENT (not is_state). */
enum status record_log_recover(struct record_log *, int64_t since_ms,
			       void (*each)(void *user, const struct record *, bool is_state),
			       void *user, struct err *err) MUST_USE;
/* Waits at most wait_ms for PostgreSQL to get what is in the journal (not at all when it is away;
 * 3 s more when it hangs just then) and for the disk, then stops; returns how many records were not
 * stable: they are lost. No callback comes any more; what became stable last may not have been
 * told. */
uint64_t record_log_close(struct record_log *, unsigned wait_ms);
/* Encodes the record and numbers it. ST_BUSY when the limit is reached. */
enum status record_append(struct record_log *, const struct record *record,
			  uint64_t *ret_number) MUST_USE;
/* What is appended between on and off is stable together or not at all, also when the program is
 * killed or the power goes: the records of one step. */
void record_log_hold(struct record_log *, bool on);
/* In the file `id` of its folder. */
struct uuid record_log_journal_id(const struct record_log *);
/* Delivers what the journal and the drain have to say. */
void record_log_poll(struct record_log *);
/* So much was appended since the last checkpoint began that it is time for another. */
bool record_log_wants_checkpoint(const struct record_log *);
bool record_log_is_degraded(const struct record_log *);
/* Records appended and not yet stable. */
uint64_t record_log_waiting(const struct record_log *);
/* Waits until the tables have all that is stable now, so that somebody who was told of it finds it
 * there; false: not in this time, or the database is away. From any other thread. */
bool record_log_settle(struct record_log *, unsigned wait_ms);
/* The same, in hundredths of how many may wait. */
unsigned record_log_fill_percent(const struct record_log *);
/* Records stable and not yet in PostgreSQL. From any thread. */
uint64_t record_log_behind(const struct record_log *);
