#pragma once
/* A stage for the telephony tests: a held clock, its timers and a simulated switch. Time moves only
 * when a test says so, from one timer to the next, so a day costs no more than what happens in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timers.h"
#include "telephony/sim/sim.h"

#define NODE "gw1"

struct stage {
	struct held_clock held;
	struct clock clock;
	struct timers timers;
	struct tel_driver *driver; /* NULL when somebody else owns it */
	struct sim *sim;
	struct tel_fact *facts; /* everything told so far, for tests without a composer */
	unsigned count, capacity;
	bool is_in_op; /* a fact now would be a fact from inside an operation */
};

/* The clock, the timers and nothing else. */
void stage_init(struct stage *stage);
/* ... and an open simulated switch whose facts are kept in stage->facts. config may be NULL. */
void stage_open(struct stage *stage, const struct sim_config *config);
void stage_done(struct stage *stage);
/* The sink; user is the stage. */
void stage_keep(void *user, const struct tel_fact *fact);

/* Lets so much time pass. */
void stage_run_ms(struct stage *stage, int64_t ms);
/* What is due now happens, and what follows from it without waiting. */
void stage_settle(struct stage *stage);

/* How many facts of this kind (about this leg, or any when NULL) were told. */
unsigned stage_told(const struct stage *stage, enum tel_fact_kind kind, const char *leg);
/* The latest one; fails the test when there is none. */
const struct tel_fact *stage_fact(const struct stage *stage, enum tel_fact_kind kind,
				  const char *leg);
/* Its place among all facts, or -1. */
int stage_place(const struct stage *stage, enum tel_fact_kind kind, const char *leg);
void stage_forget(struct stage *stage);

/* A leg to a number or a station, into a mix or none. */
void stage_leg(struct stage *stage, const char *leg, const char *number, const char *mix);
void stage_station_leg(struct stage *stage, const char *leg, const char *station, bool auto_answer);
void stage_mix(struct stage *stage, const char *mix);

/* An operation that must be accepted. */
#define does(operation) assert_int_equal(operation, ST_OK)

#define assert_hears(sim, leg, expected)                                                           \
	do {                                                                                       \
		char heard_[160];                                                                  \
		sim_heard_by(sim, leg, heard_, sizeof heard_);                                     \
		assert_string_equal(heard_, expected);                                             \
	} while (0)
