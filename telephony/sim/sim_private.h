#pragma once
/* What the files of the simulated switch share; see sim.h for what it is. */
#include "base/cleanup.h"
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>
#include <utlist.h>

#include "telephony/sim/sim.h"

#define SIM_LEGS_MAX	 20000
#define SIM_SCRIPTS_MAX	 10000
#define SIM_STATIONS_MAX 100000
#define SIM_PLAYS_MAX	 16 /* in one mix */
#define SIM_TONES_MAX	 32 /* waiting leg_dtmf operations of one leg */
#define SIM_RING_S	 120
#define SIM_SOUND_MS	 1000 /* every sound is this long */

enum sim_phase {
	SIM_NEW,
	SIM_RINGING,
	SIM_EARLY,
	SIM_UP,
	SIM_GONE, /* ended, but the host has not been told yet */
};

enum sim_step { /* what the far end of an outbound leg does next */
		SIM_STEP_RING,
		SIM_STEP_END,
		SIM_STEP_PRESS,
};

struct sim_tones { /* one leg_dtmf operation */
	struct sim_tones *prev, *next;
	uint32_t token;
	char digits[TEL_DIGITS_SIZE];
	unsigned on_ms, gap_ms, sent;
};

struct sim_leg {
	UT_hash_handle hh;
	struct sim *sim;
	char id[TEL_ID_SIZE], party[TEL_ID_SIZE], tag[TEL_ID_SIZE];
	char number[TEL_NUMBER_SIZE], name[TEL_NAME_SIZE], dnis[TEL_NUMBER_SIZE];
	bool is_inbound, is_station;
	bool is_known;	   /* the host made it, or its offer has reached the host */
	bool was_rung;	   /* inbound: we were asked to let the caller hear ringing */
	bool was_heard_of; /* outbound: it rang or had early media */
	bool is_holding;   /* its own hold key */
	enum sim_phase phase;
	unsigned mute;
	struct sim_mix *mix;
	struct sim_leg *prev, *next; /* in the mix */
	struct sim_script plan;
	enum sim_step step;
	unsigned pressed;
	struct timer step_timer, limit_timer, tone_timer;
	struct sim_tones *tones;
	unsigned tones_count;
	char received[65];
	int64_t made_us, up_us, told_us; /* told_us: no fact of this leg may be told before */
};

struct sim_play {
	UT_hash_handle hh;
	struct sim *sim;
	struct sim_mix *mix; /* NULL: over, but that is told late */
	struct sim_play *prev, *next;
	char id[TEL_ID_SIZE];
	char sound[96];
	const char *outcome;
	struct timer timer;
};

struct sim_record {
	UT_hash_handle hh;
	struct sim *sim;
	struct sim_mix *mix; /* NULL: over, but that is told late */
	struct sim_record *prev, *next;
	char id[TEL_ID_SIZE];
	bool is_paused;
	int64_t begun_us;
	unsigned length_ms;
	struct timer timer;
};

struct sim_mix {
	UT_hash_handle hh;
	char id[TEL_ID_SIZE];
	enum tel_mix_kind kind;
	bool has_music;
	struct sim_leg *legs;
	struct sim_play *plays;
	unsigned plays_count;
	struct sim_record *records;
};

struct sim_known_script {
	UT_hash_handle hh;
	struct sim_script script;
};

struct sim_station {
	UT_hash_handle hh;
	char name[TEL_ID_SIZE];
	bool is_reachable, answers_by_itself;
};

struct sim_telling { /* a fact on its way */
	struct sim_telling *prev, *next;
	struct sim *sim;
	struct sim_leg *leg; /* whose it is, or NULL */
	struct timer timer;
	struct tel_fact fact;
};

enum sim_op_kind {
	SIM_OP_LEG_MAKE,
	SIM_OP_LEG_RING,
	SIM_OP_LEG_ANSWER,
	SIM_OP_LEG_HANGUP,
	SIM_OP_LEG_DTMF,
	SIM_OP_LEG_MUTE,
	SIM_OP_MIX_MAKE,
	SIM_OP_MIX_FREE,
	SIM_OP_MIX_ADD,
	SIM_OP_MIX_REMOVE,
	SIM_OP_MIX_MUSIC,
	SIM_OP_MIX_PLAY,
	SIM_OP_PLAY_STOP,
	SIM_OP_MIX_RECORD,
	SIM_OP_RECORD_PAUSE,
	SIM_OP_RECORD_STOP,
	SIM_OP_COUNT
};

struct sim_op { /* an operation between its acceptance and its effect */
	struct sim_op *prev, *next;
	struct sim *sim;
	struct timer timer;
	enum sim_op_kind kind;
	uint32_t token;
	char leg[TEL_ID_SIZE], mix[TEL_ID_SIZE], play[TEL_ID_SIZE], record[TEL_ID_SIZE];
	char digits[TEL_DIGITS_SIZE], sound[96];
	struct tel_dest dest;
	struct tel_leg_options options;
	unsigned on_ms, gap_ms;
	int cause;
	enum tel_mute mute;
	enum tel_mix_kind mix_kind;
	bool on, is_duplicate; /* is_duplicate: leg_make with an id that exists */
};

struct sim {
	struct tel_driver driver; /* first: a driver is cast to its sim */
	struct sim_config config;
	char node[TEL_ID_SIZE];
	bool is_open, is_cut, is_linked;
	bool takes_ops; /* the host knows of the link: what it asks now comes after the resync */
	bool loses_play_ends;
	int64_t epoch;
	uint64_t random, next_caller;
	struct sim_leg *legs; /* by id, SIM_GONE ones too */
	unsigned live_legs;
	struct sim_mix *mixes;
	struct sim_play *plays;
	struct sim_record *records;
	struct sim_known_script *scripts;
	struct sim_station *stations;
	struct sim_op *ops;
	unsigned ops_count;
	struct sim_telling *tellings;
	int64_t told_us, floor_us; /* the latest fact under way; none may be told before floor_us */
	unsigned busy_next;
	char fail_next[SIM_OP_COUNT][96];
};

static inline struct sim *sim_of(struct tel_driver *driver)
{
	return (struct sim *)driver;
}

static inline int64_t sim_now_us(const struct sim *sim)
{
	return clock_mono_us(sim->driver.host.clock);
}

/* timer, fire, arg: in so many ms from now */
void sim_start(struct sim *sim, struct timer *timer, void (*fire)(void *), void *arg, unsigned ms);
void sim_stop(struct sim *sim, struct timer *timer);

/* sim_fact.c: fills in time and the leg's id; facts are lost while there is no link. */
void sim_tell(struct sim *sim, struct sim_leg *leg, struct tel_fact *fact);
void sim_tell_simple(struct sim_leg *leg, enum tel_fact_kind kind);
void sim_tell_offer(struct sim_leg *leg);
void sim_tell_failure(struct sim *sim, const struct sim_op *op, const char *text);
void sim_tell_station(struct sim *sim, const struct sim_station *station);
void sim_connect(struct sim *sim);
void sim_sync(struct sim *sim);
void sim_forget_tellings(struct sim *sim);

/* sim_leg.c */
struct sim_leg *sim_leg_find(struct sim *sim, const char *id); /* not the SIM_GONE ones */
struct sim_leg *sim_leg_create(struct sim *sim, const char *id);
void sim_leg_free(struct sim_leg *leg);
void sim_leg_up(struct sim_leg *leg);
struct sim_ending {
	enum tel_result result;
	enum tel_by by;
	int cause, sip;
};
void sim_leg_end(struct sim_leg *leg, struct sim_ending ending);
/* The link, or the switch, took it away: nothing is told now, the next resync tells it as LOST. */
void sim_leg_vanish(struct sim_leg *leg);
void sim_op_leg_make(struct sim *sim, const struct sim_op *op);
void sim_op_leg_ring(struct sim *sim, const struct sim_op *op);
void sim_op_leg_answer(struct sim *sim, const struct sim_op *op);
void sim_op_leg_hangup(struct sim *sim, const struct sim_op *op);
void sim_op_leg_mute(struct sim *sim, const struct sim_op *op);

/* sim_tone.c: digits in both directions */
void sim_op_leg_dtmf(struct sim *sim, const struct sim_op *op);
void sim_tones_stop(struct sim_leg *leg);
void sim_tell_digit(struct sim_leg *leg, char digit);

/* sim_behaviour.c */
void sim_plan_number(struct sim *sim, const char *number, struct sim_script *plan);
/* False: there is no such telephone, or it is not reachable. */
bool sim_plan_station(struct sim *sim, const char *station, bool auto_answer,
		      struct sim_script *plan);
void sim_behave(struct sim_leg *leg); /* starts what leg->plan says */
void sim_behave_after_answer(struct sim_leg *leg);
void sim_behaviour_free(struct sim *sim);

/* sim_mix.c */
struct sim_mix *sim_mix_find(struct sim *sim, const char *id);
void sim_mix_join(struct sim_mix *mix, struct sim_leg *leg);
void sim_mix_part(struct sim_leg *leg, bool is_told);
void sim_mix_free(struct sim *sim, struct sim_mix *mix);
void sim_plays_free(struct sim *sim);
void sim_op_mix_make(struct sim *sim, const struct sim_op *op);
void sim_op_mix_free(struct sim *sim, const struct sim_op *op);
void sim_op_mix_add(struct sim *sim, const struct sim_op *op);
void sim_op_mix_remove(struct sim *sim, const struct sim_op *op);
void sim_op_mix_music(struct sim *sim, const struct sim_op *op);
void sim_op_mix_play(struct sim *sim, const struct sim_op *op);
void sim_op_play_stop(struct sim *sim, const struct sim_op *op);

/* sim_record.c */
void sim_records_end(struct sim_mix *mix); /* the mix goes */
void sim_records_free(struct sim *sim);
void sim_op_mix_record(struct sim *sim, const struct sim_op *op);
void sim_op_record_pause(struct sim *sim, const struct sim_op *op);
void sim_op_record_stop(struct sim *sim, const struct sim_op *op);

/* sim_audio.c */
void sim_heard_in(const struct sim_mix *mix, char *buffer, unsigned size);

/* sim.c */
void sim_ops_drop(struct sim *sim);
