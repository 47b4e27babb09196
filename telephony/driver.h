#pragma once
/* Layer 2: what every switch driver implements - legs (one party's audio path) and mixes (rooms in
 * which legs hear each other). The composer (telephony.h) builds calls from it; nobody else uses
 * it. Drivers: telephony/sim (the simulated switch, the default) and telephony/ari (Asterisk 22).
 *
 * Rules for every driver, each one a test of tests/contract:
 *  - All functions are called on the call plane's thread, never block, and never call the sink from
 *    inside themselves: facts come later, from the driver's own turn of the loop.
 *  - Ids are chosen by the caller, [A-Za-z0-9._-]{1,64}, unique for ever; only an offered (inbound)
 *    leg is named by the driver.
 *  - A function's ST_OK means "accepted, in order"; ops on one leg or mix take effect in the order
 *    given. What fails later arrives as TEL_OP_FAILED with the op's token. ST_BUSY = the driver's
 *    queue is full, ST_UNAVAILABLE = no link to the switch, ST_UNSUPPORTED = not among
 *    tel_driver_capabilities().
 *  - An op on a leg that has ended is no failure: TEL_LEG_ENDED was, or will be, told.
 *  - Every leg that was made or offered ends with exactly one TEL_LEG_ENDED, its last fact - also
 *    when the link is lost for good (result LOST).
 *  - After tel_driver_close() returns no fact comes. */
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/timers.h"

#define TEL_ID_SIZE	65
#define TEL_NUMBER_SIZE 33
#define TEL_NAME_SIZE	81
#define TEL_DIGITS_SIZE 33

enum tel_capability {
	TEL_CAN_EARLY_MEDIA = 1 << 0,
	TEL_CAN_PLAY = 1 << 1,
	TEL_CAN_RECORD = 1 << 2,
	TEL_CAN_SPY = 1 << 3,
	TEL_CAN_AMD = 1 << 4,
	TEL_CAN_PROVISION = 1 << 5,
	TEL_CAN_MEDIA = 1 << 6, /* legs to TEL_DEST_MEDIA */
};

enum tel_dest_kind {
	TEL_DEST_STATION, /* an agent's telephone or browser, by extension */
	TEL_DEST_NUMBER,  /* a telephone number, out through the trunk */
	/* An agent's own audio, by extension: not called by the switch, but brought to it over a
	 * socket of its own. TEL_LEG_MEDIA says where; the leg is up when the socket is, and ends
	 * with it, and by itself when none comes within 5 s. */
	TEL_DEST_MEDIA,
};

struct tel_dest {
	enum tel_dest_kind kind;
	char value[TEL_ID_SIZE]; /* extension [A-Za-z0-9_-]{1,32}, or number [+0-9*#]{1,32} */
};

struct tel_leg_options {
	char caller_number[TEL_NUMBER_SIZE]; /* shown to the called party; "" = the trunk's own */
	char caller_name[TEL_NAME_SIZE];     /* control characters are stripped by the driver */
	bool is_withheld;
	bool auto_answer;   /* ask the telephone to answer by itself (Call-Info answer-after=0) */
	unsigned timeout_s; /* the switch gives up ringing after this; 0 = 120 */
	/* joined before ringing, so that ringback and early media are heard; "" = none */
	char mix[TEL_ID_SIZE];
	/* kept by the switch with the leg and read back by resync: the call's id */
	char tag[TEL_ID_SIZE];
};

enum tel_mix_kind {
	TEL_MIX_TALK, /* everybody hears everybody */
	TEL_MIX_PARK, /* nobody hears anybody */
};

enum tel_mute {
	TEL_MUTE_VOICE = 1, /* nobody hears this leg */
	TEL_MUTE_EAR = 2,   /* this leg hears nobody */
	TEL_MUTE_BOTH = 3,
};

/* How a leg ended; see the table in docs/telephony.md. */
enum tel_result {
	TEL_NORMAL, /* was up, then hung up */
	TEL_BUSY,
	TEL_NO_ANSWER,
	TEL_REJECTED,
	TEL_INVALID, /* no such number, no such or unregistered station */
	TEL_CONGESTION,
	TEL_ERROR,
	TEL_CANCELLED, /* we hung up before it was up */
	TEL_ABANDONED, /* the inbound caller gave up before it was up */
	TEL_LOST,      /* the switch no longer knows it */
	TEL_RESULT_COUNT
};

enum tel_by {
	TEL_BY_UNKNOWN,
	TEL_BY_US,
	TEL_BY_THEM,
};

enum tel_fact_kind {
	TEL_LINK,	   /* link_up; a new epoch: the switch was restarted, every leg is dead */
	TEL_SYNC_BEGIN,	   /* after each link up: what the switch has now ... */
	TEL_LEG_SEEN,	   /* leg, tag, mix ("": none), is_up, on = it has rung or is up */
	TEL_MIX_SEEN,	   /* mix */
	TEL_SYNC_END,	   /* ... the driver has already told unseen legs as ended (LOST) */
	TEL_LEG_OFFERED,   /* leg, dnis, number, name, redirected_from: an inbound call; who waits
			    * and was not offered by this driver is seen in the sync, offered after it
			    */
	TEL_LEG_RINGING,   /* leg; once */
	TEL_LEG_EARLY,	   /* leg; early media; once */
	TEL_LEG_UP,	   /* leg; once */
	TEL_LEG_ENDED,	   /* leg, result, cause, sip, by, talk_ms; once, the leg's last fact */
	TEL_LEG_JOINED,	   /* leg, mix */
	TEL_LEG_LEFT,	   /* leg, mix */
	TEL_LEG_DIGIT,	   /* leg, digits[0], digit_ms: the party pressed a key */
	TEL_LEG_HELD,	   /* leg, on: the device's own hold key */
	TEL_LEG_MEDIA,	   /* leg, text: path of the WebSocket at the switch to which its audio is
			    * brought; "": it needs none */
	TEL_LEG_DTMF_DONE, /* leg, token: all digits of that tel_leg_dtmf are out */
	TEL_RECORD_BEGUN,  /* record */
	TEL_RECORD_ENDED,  /* record, text = "ok" | "lost" (the switch has forgotten it), length_ms
			    * (0 = not known); once, also for one whose mix is gone */
	TEL_PLAY_ENDED,	   /* play, text = "ok" | "failed" | "stopped" */
	TEL_STATION,	   /* station, on = reachable */
	TEL_OP_FAILED,	   /* token, leg or mix, text */
	TEL_FACT_COUNT
};

/* One flat struct for all facts: it is copied into queues, so it owns no memory. Fields not named
 * above for a kind are zero. */
struct tel_fact {
	enum tel_fact_kind kind;
	int64_t at_us; /* wall clock, when the driver learned it */
	char leg[TEL_ID_SIZE];
	char mix[TEL_ID_SIZE];
	char tag[TEL_ID_SIZE];
	char station[TEL_ID_SIZE];
	char play[TEL_ID_SIZE];
	char record[TEL_ID_SIZE];
	char dnis[TEL_NUMBER_SIZE];
	char number[TEL_NUMBER_SIZE];
	char name[TEL_NAME_SIZE];
	char redirected_from[TEL_NUMBER_SIZE];
	char digits[TEL_DIGITS_SIZE];
	char text[96];
	uint32_t token;
	unsigned digit_ms, talk_ms, length_ms;
	int64_t epoch;
	bool link_up, is_up, on;
	enum tel_result result;
	enum tel_by by;
	int cause; /* ITU-T Q.850; 0 unknown */
	int sip;   /* SIP status or 0 */
};

struct tel_sink {
	void (*on_fact)(void *user, const struct tel_fact *fact);
	void *user;
};

/* What a driver needs from the house. All borrowed for the driver's life. */
struct tel_host {
	const struct clock *clock;
	struct timers *timers; /* of the call plane */
	const char *node;      /* this gateway's node id: the prefix of every leg and mix id */
	struct tel_sink sink;
};

struct tel_driver; /* made by sim_driver_create(), ari_driver_create() */

struct tel_driver_ops {
	const char *name;
	unsigned capabilities; /* enum tel_capability */
	enum status (*open)(struct tel_driver *, struct err *);
	void (*close)(struct tel_driver *); /* frees it */
	enum status (*leg_make)(struct tel_driver *, uint32_t token, const char *leg,
				const struct tel_dest *, const struct tel_leg_options *);
	enum status (*leg_ring)(struct tel_driver *, uint32_t token, const char *leg);
	enum status (*leg_answer)(struct tel_driver *, uint32_t token, const char *leg);
	enum status (*leg_hangup)(struct tel_driver *, uint32_t token, const char *leg, int cause);
	enum status (*leg_dtmf)(struct tel_driver *, uint32_t token, const char *leg,
				const char *digits, unsigned on_ms, unsigned gap_ms);
	enum status (*leg_mute)(struct tel_driver *, uint32_t token, const char *leg, enum tel_mute,
				bool on);
	enum status (*mix_make)(struct tel_driver *, uint32_t token, const char *mix,
				enum tel_mix_kind);
	enum status (*mix_free)(struct tel_driver *, uint32_t token, const char *mix);
	enum status (*mix_add)(struct tel_driver *, uint32_t token, const char *mix,
			       const char *leg);
	enum status (*mix_remove)(struct tel_driver *, uint32_t token, const char *mix,
				  const char *leg);
	enum status (*mix_music)(struct tel_driver *, uint32_t token, const char *mix, bool on);
	enum status (*mix_play)(struct tel_driver *, uint32_t token, const char *mix,
				const char *play, const char *sound);
	enum status (*play_stop)(struct tel_driver *, uint32_t token, const char *play);
	enum status (*mix_record)(struct tel_driver *, uint32_t token, const char *mix,
				  const char *record);
	enum status (*record_pause)(struct tel_driver *, uint32_t token, const char *record,
				    bool on);
	enum status (*record_stop)(struct tel_driver *, uint32_t token, const char *record);
	enum status (*resync)(struct tel_driver *);
};

struct tel_driver {
	const struct tel_driver_ops *ops;
	struct tel_host host;
};

/* The doors: check arguments and capabilities once for all drivers (ids, numbers, digits, causes
 * 1..127: ST_INVALID), then pass on. What they do, in one line each: */
/* Starts connecting; TEL_LINK follows. */
enum status tel_driver_open(struct tel_driver *, struct err *) MUST_USE;
/* NULL is fine; legs stay up on a real switch. */
void tel_driver_close(struct tel_driver *);
unsigned tel_driver_capabilities(const struct tel_driver *);
/* Makes an outbound leg: created, joined to options->mix when named, then rung. options NULL = all
 * zero. */
enum status tel_leg_make(struct tel_driver *, uint32_t token, const char *leg,
			 const struct tel_dest *, const struct tel_leg_options *) MUST_USE;
enum status tel_leg_ring(struct tel_driver *, uint32_t token, const char *leg) MUST_USE;
enum status tel_leg_answer(struct tel_driver *, uint32_t token, const char *leg) MUST_USE;
/* cause: Q.850; an offered leg that is not up is refused with it (17 = busy, 21 = rejected,
 * 16 = normal). */
enum status tel_leg_hangup(struct tel_driver *, uint32_t token, const char *leg,
			   int cause) MUST_USE;
/* digits [0-9*#]{1,32}; queued by the driver: two calls never overlap. on_ms, gap_ms: 20..5000,
 * 0 = 100. */
enum status tel_leg_dtmf(struct tel_driver *, uint32_t token, const char *leg, const char *digits,
			 unsigned on_ms, unsigned gap_ms) MUST_USE;
enum status tel_leg_mute(struct tel_driver *, uint32_t token, const char *leg, enum tel_mute,
			 bool on) MUST_USE;
enum status tel_mix_make(struct tel_driver *, uint32_t token, const char *mix,
			 enum tel_mix_kind) MUST_USE;
/* Legs still in it are left alone, hearing nobody. */
enum status tel_mix_free(struct tel_driver *, uint32_t token, const char *mix) MUST_USE;
/* Moves the leg out of any other mix. */
enum status tel_mix_add(struct tel_driver *, uint32_t token, const char *mix,
			const char *leg) MUST_USE;
enum status tel_mix_remove(struct tel_driver *, uint32_t token, const char *mix,
			   const char *leg) MUST_USE;
/* Music on hold for all in the mix. */
enum status tel_mix_music(struct tel_driver *, uint32_t token, const char *mix, bool on) MUST_USE;
enum status tel_mix_play(struct tel_driver *, uint32_t token, const char *mix, const char *play,
			 const char *sound) MUST_USE;
enum status tel_play_stop(struct tel_driver *, uint32_t token, const char *play) MUST_USE;
/* Writes what is heard in the mix into a file at the switch, whose name is the recording's. One
 * that the switch is making already goes on; one that it has made is told as ended (LOST). */
enum status tel_mix_record(struct tel_driver *, uint32_t token, const char *mix,
			   const char *record) MUST_USE;
/* While it is paused silence is written: what was said before and after stays where it was. */
enum status tel_record_pause(struct tel_driver *, uint32_t token, const char *record,
			     bool on) MUST_USE;
/* TEL_RECORD_ENDED follows; also of one that nobody knows (LOST). */
enum status tel_record_stop(struct tel_driver *, uint32_t token, const char *record) MUST_USE;
/* Asks for TEL_SYNC_BEGIN .. TEL_SYNC_END now. */
enum status tel_driver_resync(struct tel_driver *) MUST_USE;

/* [A-Za-z0-9._-]{1,64} */
bool tel_is_id(const char *text);
/* [+0-9*#]{1,32} */
bool tel_is_number(const char *text);
/* [0-9*#]{1,32} */
bool tel_is_digits(const char *text);
/* The value fits its kind, see struct tel_dest. */
bool tel_is_dest(const struct tel_dest *dest);
const char *tel_result_word(enum tel_result result); /* "normal" "busy" "noanswer" ... */
const char *tel_fact_word(enum tel_fact_kind kind);
