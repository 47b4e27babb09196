#pragma once
/* A house for the tests of control: a held clock, the real composer on the simulated switch,
 * control, and a log whose records become stable on command (at once, unless a test says
 * otherwise). It writes down what the doors hear. Agents 1 and 2 (stations 1001, 1002) and a queue
 * 5000; agent 3's telephone (1003) cannot be reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/timers.h"
#include "control/control.h"
#include "telephony/sim/sim.h"
#include "telephony/telephony.h"
#include "tests/support/fake_log.h"

#define AGENTS	      3
#define QUEUE	      "5000"
#define CUSTOMER      "+15550001"
#define OTHER	      "+15550002"
#define BUSY_NUMBER   "+15550486"
#define SILENT_NUMBER "+15550408" /* rings for ever */
#define DEAD_NUMBER   "+15550999" /* never even rings */
#define WRONG_NUMBER  "+15550404"
#define WRAP_MS	      30000

struct heard { /* one call told to the doors */
	enum tell_kind kind;
	struct call_view call;
	uint64_t seq;
	unsigned records; /* stable when it was told */
};

struct house {
	struct held_clock held;
	struct clock clock;
	struct timers timers;
	struct telephony *telephony;
	struct sim *sim;
	struct control *control;
	struct record_log *log;
	struct uuid agents[AGENTS + 1]; /* 1 .. */
	bool is_log_slow;		/* records wait for fake_log_sync() */
	uint64_t stable;
	struct heard *heard;
	unsigned heard_count, heard_capacity;
	struct agent_view heard_agent[AGENTS + 1];
	unsigned agent_tells, tabs_tells;
	char notices[400];  /* codes, each with a blank behind */
	struct reply reply; /* the last one */
	unsigned commands, replies, wakes;
	struct control_config config;
	bool has_outcomes;
	unsigned past;	    /* events of before the crash that the doors were given */
	bool is_in_command; /* a callback now would be one from inside control_command() */
	char last_id[COMMAND_ID_SIZE];
};

struct control_config house_config(void);
void house_open(struct house *house);
void house_open_with(struct house *house, const struct control_config *config, bool has_outcomes);
/* cmocka's: each test has a house of its own, opened by house_open(). */
int house_setup(void **state);
int house_teardown(void **state);
/* Remembers commands: the answer comes when all is stable. */
struct control_config house_exact_config(void);
/* kill -9, and a new gateway on the same records: what was not stable is gone, and so is the
 * switch's memory (it lives in the process). The doors' pages are back when it returns. */
void house_crash(struct house *house);
/* Brings everybody to rest: what is left is released and wrapped up, callers hang up. */
void house_rest(struct house *house);
/* ... and closes the house: releases what is left, waits for all ends and checks that nothing
 * remains: no live call, no leg, no mix, no timer, no unanswered command. */
void house_close(struct house *house);

/* Lets so much time pass. */
void house_run_ms(struct house *house, int64_t ms);
/* Only the monotonic clock knows; the wall clock is set by this much. */
void house_set_wall(struct house *house, int64_t ms);

/* --- commands: each is sent, answered, and must be accepted --- */
struct command command_of(const struct house *house, enum command_kind kind, int agent, int tab);
/* Sends it and returns the answer. */
const struct reply *house_send(struct house *house, const struct command *command);
/* Sends it without waiting for the answer, which comes with the next turn. */
void house_queue(struct house *house, const struct command *command);
/* The switch and the composer have their turn, control has not: what they say waits behind what is
 * queued. */
void house_run_switch(struct house *house);
void does(struct house *house, enum command_kind kind, int agent, int tab);
void dials(struct house *house, int agent, int tab, const char *number);
void says(struct house *house, int agent, enum agent_state state);
void presents(struct house *house, int agent, int tab, const char *number);
void chooses(struct house *house, int agent, int tab, const char *outcome);
/* with kind one of those that take a number or another tab */
void does_with(struct house *house, enum command_kind kind, int agent, int tab, const char *number,
	       int other_tab);
/* It is refused with this code; nothing is recorded, told or changed. */
void is_refused(struct house *house, const struct command *command, const char *code);
void is_refused_plain(struct house *house, enum command_kind kind, int agent, int tab,
		      const char *code);

/* Dials and waits until they talk. */
void talks(struct house *house, int agent, int tab, const char *number);
/* The wrap of this tab is ended by hand. */
void ends_wrap(struct house *house, int agent, int tab);

/* --- the outside --- */
void calls_in(struct house *house, const char *from, const char *dnis);
void hangs_up(struct house *house, const char *party);
const char *leg_of(struct house *house, const char *party);
unsigned legs(struct house *house);

/* --- what the doors know --- */
/* The newest told call of the tab; fails the test when there is none. */
const struct call_view *told(struct house *house, int agent, int tab);
const char *state_of(struct house *house, int agent,
		     int tab); /* the inner state's word, "" = none */
bool can_do(struct house *house, int agent, int tab, unsigned can);
struct control_figures figures(struct house *house);
/* "ringing talk idle end": the told states of this tab since the last forget. */
const char *states_told(struct house *house, int agent, int tab, char *buffer, unsigned size);
void house_forget(struct house *house);

#define assert_tab(house, agent, tab, expected)                                                    \
	assert_string_equal(state_of(house, agent, tab), expected)
#define assert_hears(house, party, expected)                                                       \
	do {                                                                                       \
		char heard_[160];                                                                  \
		sim_heard_by((house)->sim, leg_of(house, party), heard_, sizeof heard_);           \
		assert_string_equal(heard_, expected);                                             \
	} while (0)
#define assert_states_told(house, agent, tab, expected)                                            \
	do {                                                                                       \
		char states_[400];                                                                 \
		assert_string_equal(states_told(house, agent, tab, states_, sizeof states_),       \
				    expected);                                                     \
	} while (0)
