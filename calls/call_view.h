#pragma once
/* One call as everybody outside sees it: the whole truth about it at one moment, flat, owning no
 * memory. The tab's event, the row, the answer to a command and the snapshot after a reload are all
 * written from this struct, each by one function, so they cannot disagree (mission M3, M19). Times
 * are Unix milliseconds, 0 = none. */
#include <stdbool.h>
#include <stdint.h>
#include "base/uuid.h"
#include "calls/audio_lease.h"
#include "calls/words.h"

#define NUMBER_SIZE	33
#define NAME_SIZE	81
#define OUTCOME_SIZE	101
#define SUBJECT_SIZE	201
#define COMMENT_SIZE	201
#define WORD_SIZE	33
#define COMMAND_ID_SIZE 65
#define URL_SIZE	257

struct party_view {	      /* who calls or is called, as the CRM knows him */
	char type[WORD_SIZE]; /* agent lead contact account case ... or "" */
	char id[UUID_TEXT_SIZE];
	char name[NAME_SIZE];
};

/* The counters of one dialer call over its whole life (cts_dialerCall). */
struct dialer_counters {
	int calls, no_answers, busies, connects, aborts;
	bool did_connect;
};

struct call_view {
	struct uuid call_id;	    /* this presentation of it on a tab: one attempt */
	struct uuid dialer_call_id; /* dtCallId: the row, over all attempts */
	struct uuid phone_call_id;  /* id: the guid of the CRM phonecall */
	struct uuid tenant_id, agent_id;
	int tab;
	unsigned version; /* grows with every change of this call */
	enum call_state state;
	int64_t state_at_ms;
	int64_t started_at_ms;
	enum call_direction direction;
	char phone[NUMBER_SIZE];
	char outcome[OUTCOME_SIZE];
	struct party_view from, to;
	bool is_callback;
	int64_t retry_at_ms;
	char dnis[NUMBER_SIZE], queue_number[NUMBER_SIZE];
	char cc_agent_id[WORD_SIZE], extension[WORD_SIZE];
	bool is_muted;
	enum recording recording;
	enum ended_by ended_by;
	int cause; /* ITU-T Q.850, 0 unknown */
	enum attempt_result attempt_result;
	char reason[WORD_SIZE]; /* why the last change: "command" "answered" "ring_limit"
				   "far_hangup" ... */
	enum actor actor;
	char command_id[COMMAND_ID_SIZE]; /* of the command that changed it last, or "" */
	int64_t preview_until_ms, ring_until_ms, wrap_until_ms;
	bool is_wrap_required; /* an outcome must be chosen before end */
	bool is_paused;
	char queue[NAME_SIZE], campaign[SUBJECT_SIZE];
	int attempt, attempts; /* this one, and the most there may be (0 = no limit) */
	char script_url[URL_SIZE], pop_url[URL_SIZE];
	unsigned can;	 /* enum can */
	int partner_tab; /* the other tab of a consultation or conference, 0 = none */
	struct dialer_counters counters;
	enum dialer_status dialer_status;
};

struct agent_view {
	struct uuid agent_id, tenant_id;
	char login[WORD_SIZE], name[NAME_SIZE], extension[WORD_SIZE];
	enum agent_state state;
	enum agent_state
		next_state; /* taken when the live call is over; == state when nothing is pending */
	char reason[WORD_SIZE]; /* of not ready / away */
	int64_t state_at_ms;
	unsigned version;
	bool is_phone_reachable;
	enum audio_mode audio;
	char audio_window[WINDOW_SIZE]; /* of his that has it; "" = none */
	bool is_audio_up;
};
