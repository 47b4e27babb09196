#pragma once
/* The simulated switch: a product, not a test double. It is calltab's default switch: calltab can
 * be tried, shown and trained on without any PBX, and with a held clock whole days run in seconds.
 *
 * Numbers decide by their ending what the far party does, the same table as the test carrier's:
 *   ...486 busy                 ...404 no such number    ...480 rings 1 s, unavailable
 *   ...603 rejected             ...503 congestion        ...500 error
 *   ...408 rings for ever       ...999 never even rings (dead carrier)
 *   ...183 early media 1 s, then answers                 ...777 answers at once
 *   ...199 answers, hangs up after 1 s                   ...555 rings after 1 s, answers 2 s later
 *   ...242 answers, then presses 4 2 #
 *   anything else: rings, answers after answer_ms
 * A script (sim_set_script) overrides it per number. Stations (agents' telephones) ring after
 * ring_ms and answer by themselves, at once when asked to, else answer_ms later; they can be set
 * unreachable.
 *
 * Audio is symbolic: every leg says its own name, music says "music", ringback "ringback", digits
 * "dtmf:42#". sim_heard_by() answers exactly what a leg hears now, so a test can ask who hears
 * whom.
 *
 * All functions are called on the thread that runs the host's timers; none of them calls the sink.
 * Files: sim.c life and doors | sim_leg.c legs | sim_tone.c digits | sim_behaviour.c what far ends
 * do | sim_mix.c mixes | sim_record.c recordings | sim_audio.c who hears whom | sim_fact.c telling,
 * link, resync | sim_party.c the people at the far ends. For users: docs/simulated-switch.md */
#include "telephony/driver.h"

struct sim; /* the switch behind the driver; lives as long as the driver */

struct sim_config {
	unsigned ring_ms;    /* default 100: until the far end rings */
	unsigned answer_ms;  /* default 400: from ringing to answer */
	unsigned latency_ms; /* default 0: every op takes effect after this */
	unsigned jitter_ms;  /* default 0: facts come up to this much later, one leg's in order */
	unsigned seed;	     /* of the jitter */
	unsigned max_legs;   /* default 20,000; more end with CONGESTION. As many mixes */
	bool any_station;    /* stations that nobody set exist, reachable and obedient */
};

/* config may be NULL. Closed by tel_driver_close(). */
struct tel_driver *sim_driver_create(const struct tel_host *host, const struct sim_config *config,
				     struct sim **ret_sim);

enum sim_end {
	SIM_ANSWER,
	SIM_BUSY,
	SIM_NO_ANSWER,
	SIM_REJECT,
	SIM_INVALID,
	SIM_CONGESTION,
	SIM_ERROR,
	SIM_DEAD, /* never says anything */
};
/* What a number does when called. */
struct sim_script {
	char number[TEL_NUMBER_SIZE];
	enum sim_end end;
	unsigned ring_after_ms; /* from dialing */
	/* From ringing. 0: it ends without having rung; but SIM_NO_ANSWER then rings for ever. */
	unsigned end_after_ms;
	bool early_media;	      /* instead of ringing */
	unsigned hangup_after_ms;     /* after answer; 0 = never */
	char digits[TEL_DIGITS_SIZE]; /* pressed from 200 ms after answer, 200 ms apart */
};
/* At most 10,000 scripts and 100,000 stations (ST_BUSY); ST_INVALID: no number, no extension. A
 * change of reachability is told (TEL_STATION). A station that nobody set does not exist, unless
 * config.any_station. */
enum status sim_set_script(struct sim *, const struct sim_script *script);
enum status sim_set_station(struct sim *, const char *station, bool is_reachable,
			    bool answers_by_itself);

/* A caller dials dnis. Writes the caller's leg id (also TEL_LEG_OFFERED's) into ret_leg. Without a
 * link the caller waits and is offered when it is back. */
enum status sim_call_in(struct sim *, const char *from_number, const char *from_name,
			const char *dnis, char ret_leg[TEL_ID_SIZE], struct err *err) MUST_USE;
/* The party at the far end of a leg (a caller, a called number's owner, a station's user) acts.
 * ST_NOT_FOUND: no such leg; ST_CONFLICT: nothing to answer, or not up; ST_INVALID: digits. */
enum status sim_party_answer(struct sim *, const char *leg);
enum status sim_party_hangup(struct sim *, const char *leg);
enum status sim_party_press(struct sim *, const char *leg, const char *digits);
/* The telephone's own hold key: it hears and says nothing until it is pressed again. */
enum status sim_party_hold(struct sim *, const char *leg, bool on);

struct sim_leg_view {
	char leg[TEL_ID_SIZE];
	char party[TEL_ID_SIZE]; /* the number or station at the far end */
	char mix[TEL_ID_SIZE], tag[TEL_ID_SIZE];
	char shown[TEL_NUMBER_SIZE]; /* the called party's display; "" = withheld or none */
	char state[12];		     /* "new" "ringing" "up" */
	bool is_inbound, is_station;
	char hears[160]; /* what sim_heard_by() answers */
	char digits[65]; /* the newest DTMF digits this party has received */
	int64_t made_us; /* monotonic: when the host asked for it, or the caller dialed */
	int64_t up_us;	 /* monotonic: when it was answered; 0 = not yet */
};
/* All live legs, at most max; returns how many there are. */
unsigned sim_legs(struct sim *, struct sim_leg_view *views, unsigned max);
unsigned sim_mixes(struct sim *);
/* The parties and sounds this leg's party hears now, sorted, joined by '+': "1001+music"; "" =
 * silence. */
void sim_heard_by(struct sim *, const char *leg, char *buffer, unsigned size);
/* What this recording takes down now, in the same words; "" = silence: it is paused, or there is
 * none. Recordings leave no file. */
void sim_recorded(struct sim *, const char *record, char *buffer, unsigned size);
/* Calls each() for every recording that is being made. */
void sim_each_recording(struct sim *, void (*each)(void *user, const char *record), void *user);

/* Faults: the link goes away (calls go on, facts are lost as on a real switch) and comes back
 * (TEL_LINK, then a resync); restart loses every leg and changes the epoch. */
void sim_link_down(struct sim *);
void sim_link_up(struct sim *);
void sim_restart(struct sim *);
/* The next operation of this name ("mix_add", "leg_dtmf", ...) does nothing and is told as
 * TEL_OP_FAILED with this text (NULL = a usual one); a leg_make ends its leg with ERROR.
 * ST_INVALID: no such operation. */
enum status sim_fail_next(struct sim *, const char *op, const char *text);
/* The next `count` operations are refused with ST_BUSY, as when a driver's queue is full. */
void sim_busy_next(struct sim *, unsigned count);
/* The switch no longer says when a sound is over; the driver's own timer tells it 2 s late. */
void sim_lose_play_ends(struct sim *, bool on);
