#pragma once
/* What the files of the Asterisk driver share; see ari.h for what it is.
 *
 * The way of an operation: ari.c takes it -> ari_queue.c lets it go when its leg and its mix are
 * ready -> ari_request.c sends it -> the answer comes back by its number. The way of an event:
 * ari_net.c -> ari_event.c -> ari_leg.c (or ari_sync.c) -> ari_tell() -> the sink. Facts are told
 * when the message that caused them has been dealt with, never in between: the sink may call any
 * operation. */
#include "base/cleanup.h"
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>
#include <utlist.h>

#include "base/json_writer.h"
#include "telephony/ari/ari.h"
#include "telephony/ari/ari_event.h"
#include "telephony/ari/ari_net.h"

#define ARI_REQUESTS_MAX 4096 /* unanswered or waiting; more is ST_BUSY */
#define ARI_REASON_SIZE	 96

struct ari;
struct ari_op;

/* ---- ari_queue.c: operations wait here until they may be sent ---- */

enum ari_op_kind {
	ARI_OP_ADD,
	ARI_OP_REMOVE,
	ARI_OP_DIAL,
	ARI_OP_DTMF,
	ARI_OP_MUTE,
	ARI_OP_RING,
	ARI_OP_ANSWER,
	ARI_OP_MIX_MAKE,
	ARI_OP_MIX_FREE,
	ARI_OP_MUSIC,
	ARI_OP_PLAY,
	ARI_OP_RECORD,
	ARI_OP_KIND_COUNT
};

struct ari_op {
	enum ari_op_kind kind;
	uint64_t number; /* in the order in which they were asked for */
	uint32_t token;
	struct ari_leg *leg; /* NULL: of a mix alone */
	struct ari_mix *mix; /* NULL: of a leg alone */
	struct ari_op *leg_prev, *leg_next, *mix_prev, *mix_next;
	unsigned tries;		      /* ADD: how often it was refused */
	unsigned timeout_s;	      /* DIAL */
	char digits[TEL_DIGITS_SIZE]; /* DTMF */
	unsigned on_ms, gap_ms, sent; /* DTMF; sent: digits that are out */
	enum tel_mute mute;	      /* MUTE */
	enum tel_mix_kind mix_kind;   /* MIX_MAKE */
	bool on;		      /* MUTE, MUSIC */
	char play[TEL_ID_SIZE];	      /* PLAY; of a RECORD: the recording */
	char sound[ARI_SOUND_SIZE];   /* PLAY */
};

/* Takes a copy of the op and sends it when it is the first one of its leg and of its mix and the
 * leg is ready: at once, if nothing is in the way. */
void ari_queue_put(struct ari *ari, const struct ari_op *op);
/* The leg has become ready: its first operations may go. */
void ari_queue_run(struct ari *ari, struct ari_leg *leg);
/* The leg is in the bridge, or out of it: the event has come. */
void ari_queue_on_moved(struct ari_leg *leg, const char *bridge, bool is_in);
/* Forgets what waits for a leg that has ended, or for anything. */
void ari_queue_drop_leg(struct ari *ari, struct ari_leg *leg);
void ari_queue_drop_all(struct ari *ari);

/* ---- ari_leg.c: one leg, a small machine ---- */

enum ari_leg_stage {
	ARI_LEG_CREATING, /* asked for; not in Stasis yet */
	ARI_LEG_READY,	  /* in Stasis, not dialed */
	ARI_LEG_DIALING,
	ARI_LEG_RINGING,
	ARI_LEG_OFFERED, /* inbound, not answered */
	ARI_LEG_UP,
	ARI_LEG_STAGE_COUNT
};

struct ari_leg {
	UT_hash_handle hh;
	struct ari *ari;
	char id[TEL_ID_SIZE];
	char channel[TEL_ID_SIZE]; /* Asterisk's name for it; equals id unless inbound */
	char tag[TEL_ID_SIZE];
	char station[TEL_ID_SIZE]; /* the telephone it calls; "" = none */
	enum ari_leg_stage stage;
	bool is_inbound, is_in_stasis;
	bool is_unoffered; /* a caller who was found waiting */
	bool is_dialed;	   /* Asterisk has confirmed the dial request */
	bool has_rung, has_told_ringing, has_told_early;
	bool is_hangup_asked, has_failed;
	int hangup_cause;
	bool has_hangup_request, was_timeout;
	enum tel_by by;
	int64_t up_us;		  /* monotonic; 0 = never was up */
	char mix[TEL_ID_SIZE];	  /* where it is after all that was sent; "" = nowhere or unknown */
	char joined[TEL_ID_SIZE]; /* where it is as far as was told */
	unsigned move;		  /* number of its newest move */
	bool is_moving, moves_in; /* the event that tells of that move has not come yet ... */
	char moving[TEL_ID_SIZE]; /* ... into or out of this bridge ... */
	char moving_from[TEL_ID_SIZE]; /* ... and out of this one */
	unsigned sync;		       /* it existed when this comparison began */
	bool is_seen;
	struct ari_op *ops;	  /* waiting, by leg_next */
	struct timer pause_timer; /* set: the queue stands still; digits or the leg itself are on
				     their way, or Asterisk was not ready */
	struct timer check_timer; /* then Asterisk is asked whether the channel still exists */
};

struct ari_mix {
	UT_hash_handle hh;
	struct ari *ari;
	char id[TEL_ID_SIZE];
	bool is_freed; /* its DELETE waits in the queue: nothing may follow */
	int moves;     /* of legs, into it or out of it, whose events have not come yet */
	unsigned sync;
	bool is_seen;
	struct ari_op *ops; /* waiting, by mix_next */
};

struct ari_leg *ari_leg_find(struct ari *ari, const char *id);
/* The leg that Asterisk knows by this channel id. */
struct ari_leg *ari_leg_of_channel(struct ari *ari, const char *channel);
/* A new outbound leg: asks for the channel and queues the rest: into options->mix, then dial. */
void ari_leg_start(struct ari *ari, uint32_t token, const char *id, const struct tel_dest *dest,
		   const struct tel_leg_options *options);
/* A caller; also one who was found waiting. When its id does not fit ours it is sent away. */
void ari_leg_offer(struct ari *ari, const struct ari_channel *channel);
/* One of our application's channels that was found and is not known: a leg as the channel is. NULL:
 * its id does not fit ours, it was sent away. */
struct ari_leg *ari_leg_found(struct ari *ari, const struct ari_channel *channel);
/* Facts that were missed are told now. On a new link, what the old one left half done is ended. */
void ari_leg_refresh(struct ari_leg *leg, const struct ari_channel *channel, bool is_new_link);
void ari_leg_is_in(struct ari_leg *leg, const char *mix); /* "" = nowhere */
void ari_leg_on_event(struct ari *ari, const struct ari_event *event);
void ari_leg_hangup(struct ari_leg *leg, int cause);
/* It could not even be dialed: hangs up, and that is an error. */
void ari_leg_fail(struct ari_leg *leg);
/* Asterisk does not know it any more: tells so and frees it. */
void ari_leg_lost(struct ari_leg *leg);
/* After ms Asterisk is asked whether the channel is there. */
void ari_leg_check_in(struct ari_leg *leg, unsigned ms);
/* Frees it with its queue; tells nothing. */
void ari_leg_free(struct ari_leg *leg);

struct ari_request;
/* It could not be created: told as its end. */
void ari_leg_on_create_answer(struct ari *ari, const struct ari_request *request,
			      const struct ari_event *answer);

/* ---- ari_media.c: an agent's audio over a WebSocket ---- */

/* Asks for the leg's channel, which waits for its socket; where, is told. */
void ari_media_create(struct ari_leg *leg);

/* ---- ari_request.c: requests and their answers ---- */

struct ari_request {
	struct ari_request *prev, *next;
	uint64_t number;
	int64_t sent_us;
	void (*on_answer)(struct ari *ari, const struct ari_request *request,
			  const struct ari_event *answer);
	uint32_t token;
	char leg[TEL_ID_SIZE], mix[TEL_ID_SIZE], play[TEL_ID_SIZE];
	enum ari_op_kind kind;
	unsigned move, tries;
	bool on;
};

/* A request under way: fill in what its answer needs, nothing else. Never NULL. body may be NULL;
 * it is JSON. path: method, blank, uri. */
struct ari_request *ari_send(struct ari *ari,
			     void (*on_answer)(struct ari *ari, const struct ari_request *request,
					       const struct ari_event *answer),
			     const struct json_writer *body, const char *path, ...)
	PRINTF_LIKE(4, 5);
void ari_on_answer(struct ari *ari, const struct ari_event *answer);
void ari_requests_drop(struct ari *ari);
/* How long some have been waiting and none was answered, microseconds; 0 = none waits. */
int64_t ari_requests_stuck_us(const struct ari *ari);
/* For requests whose answer nobody needs. */
void ari_ignore_answer(struct ari *ari, const struct ari_request *request,
		       const struct ari_event *answer);

/* ---- ari_mix.c: mixes and what plays in them ---- */

struct ari_play {
	UT_hash_handle hh;
	struct ari *ari;
	char id[TEL_ID_SIZE], mix[TEL_ID_SIZE];
	bool is_stop_asked;
	struct timer timer; /* Asterisk does not always say that a sound is over */
};

struct ari_mix *ari_mix_find(struct ari *ari, const char *id);
struct ari_mix *ari_mix_create(struct ari *ari, const char *id);
/* Frees the entry, whose queue is empty, and ends what plays in it. */
void ari_mix_destroy(struct ari *ari, struct ari_mix *mix);
struct ari_play *ari_play_find(struct ari *ari, const char *id);
/* length_ms 0: not known. */
struct ari_play *ari_play_create(struct ari *ari, const char *id, const char *mix,
				 unsigned length_ms);
void ari_play_destroy(struct ari_play *play);
void ari_play_end(struct ari_play *play, const char *outcome);
void ari_play_stop(struct ari_play *play);
void ari_plays_free(struct ari *ari);

/* ---- ari_record.c: recordings of mixes ---- */

struct ari_record {
	UT_hash_handle hh;
	struct ari *ari;
	char id[TEL_ID_SIZE], mix[TEL_ID_SIZE];
	uint32_t token; /* of the last pause */
	bool is_begun;	/* Asterisk has said so: before that it takes no other request for it */
	bool is_pause_wanted, is_stop_wanted, is_stop_asked;
	int64_t begun_us; /* monotonic; 0 = not known: it was found */
	struct timer timer;
};

struct ari_record *ari_record_find(struct ari *ari, const char *id);
/* Its request waits in the mix's queue. */
void ari_record_create(struct ari *ari, const char *id, const char *mix);
void ari_record_send(struct ari_record *record, uint32_t token);
void ari_record_pause(struct ari_record *record, uint32_t token, bool on);
void ari_record_stop(struct ari_record *record);
void ari_record_tell_lost(struct ari *ari, const char *id);
void ari_record_on_event(struct ari *ari, const struct ari_event *event);
void ari_records_mix_gone(struct ari *ari, const char *mix);
/* On a new link: which of them have ended meanwhile? */
void ari_records_check(struct ari *ari);
void ari_records_free(struct ari *ari);

/* ---- ari_sync.c: who and what is there; on connect and whenever asked ---- */

struct ari_station {
	UT_hash_handle hh;
	char name[TEL_ID_SIZE];
	bool is_online;
};

struct ari_gone { /* a channel that ended while the lists were under way */
	struct ari_gone *next;
	char channel[TEL_ID_SIZE];
};

struct ari_sync {
	unsigned serial; /* of the newest comparison */
	bool is_running, is_wanted_again;
	bool is_first;		  /* on this link */
	char *channels, *bridges; /* bodies of the answers until the last one is there */
	struct ari_gone *gone;
};

/* First thing on a new link: version, event filter, subscriptions, then the lists. */
void ari_sync_identify(struct ari *ari);
void ari_sync_start(struct ari *ari);
void ari_sync_note_gone(struct ari *ari, const char *channel);
void ari_sync_note_station(struct ari *ari, const char *technology, const char *resource,
			   bool is_online);
void ari_sync_drop(struct ari *ari);
void ari_stations_free(struct ari *ari);

/* ---- ari.c ---- */

enum ari_phase {
	ARI_CLOSED,
	ARI_WAITING, /* for the next attempt */
	ARI_CONNECTING,
	ARI_IDENTIFYING, /* connected; version, filter and first lists are under way */
	ARI_LINKED,
};

struct ari_fact { /* waits to be told */
	struct ari_fact *prev, *next;
	struct tel_fact fact;
};

struct ari {
	struct tel_driver driver;
	struct ari_config config;
	struct lws_context *lws;
	struct ari_net *net;
	enum ari_phase phase;
	char state[160];
	unsigned failures; /* attempts in a row that did not become a link */
	int64_t epoch;
	int64_t began_us, heard_us, answered_us; /* this attempt; the last message; answer */
	struct timer connect_timer, watch_timer, tell_timer;
	struct ari_leg *legs;
	struct ari_mix *mixes;
	struct ari_play *plays;
	struct ari_record *records;
	bool cannot_record;
	struct ari_station *stations;
	struct ari_request *requests;
	unsigned requests_count, ops_count;
	uint64_t next_number, next_op;
	unsigned next_move;
	struct ari_sync sync;
	struct ari_fact *facts;
	bool is_telling;
};

static inline int64_t ari_now_us(const struct ari *ari)
{
	return clock_mono_us(ari->driver.host.clock);
}

void ari_timer_in(struct ari *ari, struct timer *timer, void (*fire)(void *), void *arg,
		  unsigned ms);
void ari_timer_stop(struct ari *ari, struct timer *timer);
/* Queues a fact; it is told when the current message or timer has been dealt with. */
void ari_tell(struct ari *ari, struct tel_fact fact);
void ari_tell_leg(const struct ari_leg *leg, struct tel_fact fact);
void ari_tell_failure(struct ari *ari, uint32_t token, const char *leg, const char *mix,
		      const char *text);
/* Tells what is queued: the last thing on every way in from the loop. */
void ari_flush(struct ari *ari);

/* ---- ari_link.c: connecting, watching over it, trying again ---- */

void ari_link_open(struct ari *ari);
void ari_link_close(struct ari *ari);
/* Everything has been compared for the first time on this link. */
void ari_link_up(struct ari *ari);
/* The link is of no use any more: it is closed, and tried again soon. */
void ari_link_drop(struct ari *ari, const char *why);
/* The same, but nothing is gained by trying again soon. */
void ari_link_refuse(struct ari *ari, const char *why);
/* For good: never tried again. */
void ari_link_fence(struct ari *ari, const char *why);
