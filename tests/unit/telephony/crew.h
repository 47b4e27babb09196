#pragma once
/* A composer on the simulated switch, with agents, and everything it has told. */
#include "stage.h"
#include "telephony/telephony.h"

struct crew {
	struct stage stage;
	struct telephony *telephony;
	struct tel_driver *driver; /* the telephony's */
	struct sim *sim;
	struct tel_call_fact *facts;
	unsigned count, capacity;
	bool is_in_op;
	bool is_new_life; /* a new driver does not know which legs there were */
	unsigned refused; /* operations of the composer that the switch would not do */
	void (*on_fact)(struct crew *crew, const struct tel_call_fact *fact); /* optional */
	void *user;
};

/* Stations 1001, 1002 (obey), 1003 (reachable, never answers by itself), 1004 (unreachable). */
void crew_open(struct crew *crew, const struct sim_config *config);
void crew_done(struct crew *crew);
/* Also checks that nothing is left at the switch and in the composer's books, and that the switch
 * had nothing to object to. */
void crew_done_empty(struct crew *crew);
/* ... when the switch was made to object. */
void crew_done_refused(struct crew *crew);
/* As by kill -9: the composer is gone, the switch and its parties go on. */
void crew_die(struct crew *crew);
/* Another composer, to which calls can be restored ... */
void crew_rise(struct crew *crew);
void crew_restore(struct crew *crew, const struct tel_restored *was);
/* ... until it has its link. Nothing that was told before is kept. */
void crew_start(struct crew *crew);
/* station NULL: nobody's. */
struct tel_restored crew_was(const char *call, enum tel_was phase, const char *station);
void crew_restore_as(struct crew *crew, const char *call, enum tel_was phase, const char *station);
/* All of it, with "1" as the only call, after so much time. */
void crew_live_again(struct crew *crew, enum tel_was phase, const char *station, unsigned ms);
/* Synced, and no call was heard of. */
void crew_told_nothing(const struct crew *crew);
/* Clears the call; that is told at once. */
void crew_end(struct crew *crew, const char *call);
void crew_run_ms(struct crew *crew, int64_t ms);
void crew_settle(struct crew *crew);

/* The agent whose station is so called. */
struct tel_agent crew_agent(const char *station);

unsigned crew_told(const struct crew *crew, enum tel_call_fact_kind kind, const char *call);
const struct tel_call_fact *crew_fact(const struct crew *crew, enum tel_call_fact_kind kind,
				      const char *call);
int crew_place(const struct crew *crew, enum tel_call_fact_kind kind, const char *call);
void crew_forget(struct crew *crew);

/* Commands that must be accepted. */
void crew_make(struct crew *crew, const char *call, const char *station, const char *number);
/* ... and be answered. */
void crew_talk(struct crew *crew, const char *call, const char *station, const char *number);
/* An inbound caller, adopted as call. */
void crew_caller(struct crew *crew, const char *call, const char *number);
void crew_answer(struct crew *crew, const char *call, const char *station);
void crew_hold(struct crew *crew, const char *call);
void crew_resume(struct crew *crew, const char *call);
void crew_transfer(struct crew *crew, const char *call, const char *number);
void crew_clear(struct crew *crew, const char *call);
/* "1" is held, "2" active, both of 1001; their parties are +15550001 and +15550002. */
void crew_consult(struct crew *crew);

/* The leg at the switch whose far end is this party ("" when there is none). */
const char *crew_leg(struct crew *crew, const char *party);
unsigned crew_legs(struct crew *crew);
void crew_hangup(struct crew *crew, const char *party);

/* What the party hears now. */
#define assert_party_hears(crew, party, expected)                                                  \
	assert_hears((crew)->sim, crew_leg((crew), (party)), (expected))
#define assert_ended(crew, call, expected_result, expected_side)                                   \
	do {                                                                                       \
		assert_int_equal(crew_told((crew), TELCALL_ENDED, (call)), 1);                     \
		assert_int_equal(crew_fact((crew), TELCALL_ENDED, (call))->result,                 \
				 (expected_result));                                               \
		assert_int_equal(crew_fact((crew), TELCALL_ENDED, (call))->side, (expected_side)); \
	} while (0)
/* A command that must be refused, with this code. */
#define assert_refused(expected_status, expected_code, command)                                    \
	do {                                                                                       \
		struct err err = {.code = ""};                                                     \
		assert_int_equal((command), (expected_status));                                    \
		assert_string_equal(err.code, (expected_code));                                    \
		assert_true(err.message[0]);                                                       \
	} while (0)
