#include "telephony/ari/ari.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "telephony/ari/ari_private.h"

#define CONNECT_MIN_MS	   100
#define CONNECT_MAX_MS	   3200
#define PING_S		   5
#define APP		   "calltab"
#define STATION_TECHNOLOGY "PJSIP"
#define WORD_CHARACTERS	   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static struct ari *ari_of(struct tel_driver *driver)
{
	return (struct ari *)driver; /* its first member */
}

void ari_timer_in(struct ari *ari, struct timer *timer, void (*fire)(void *), void *arg,
		  unsigned ms)
{
	timer->fire = fire;
	timer->arg = arg;
	timer_set(ari->driver.host.timers, timer, ari_now_us(ari) + (int64_t)ms * 1000);
}

void ari_timer_stop(struct ari *ari, struct timer *timer)
{
	timer_stop(ari->driver.host.timers, timer);
}

/* ---- telling ---- */

static void on_tell_due(void *arg)
{
	ari_flush(arg);
}

/* Told at the end of this turn's message or timer, or, when it comes from an operation, soon. */
void ari_tell(struct ari *ari, struct tel_fact fact)
{
	struct ari_fact *waiting = xcalloc(1, sizeof *waiting);

	waiting->fact = fact;
	waiting->fact.at_us = clock_wall_us(ari->driver.host.clock);
	DL_APPEND(ari->facts, waiting);
	if (!timer_is_set(&ari->tell_timer))
		ari_timer_in(ari, &ari->tell_timer, on_tell_due, ari, 0);
}

void ari_tell_leg(const struct ari_leg *leg, struct tel_fact fact)
{
	str_copy(fact.leg, sizeof fact.leg, leg->id);
	ari_tell(leg->ari, fact);
}

void ari_tell_failure(struct ari *ari, uint32_t token, const char *leg, const char *mix,
		      const char *text)
{
	struct tel_fact fact = {.kind = TEL_OP_FAILED, .token = token};

	str_copy(fact.leg, sizeof fact.leg, leg);
	str_copy(fact.mix, sizeof fact.mix, mix);
	str_copy_cut(fact.text, sizeof fact.text, text);
	ari_tell(ari, fact);
}

void ari_flush(struct ari *ari)
{
	struct tel_sink sink = ari->driver.host.sink;

	if (ari->is_telling)
		return;
	ari->is_telling = true;
	while (ari->facts) {
		struct ari_fact *first = ari->facts;
		DL_DELETE(ari->facts, first);
		sink.on_fact(sink.user, &first->fact);
		free(first);
	}
	ari->is_telling = false;
	ari_timer_stop(ari, &ari->tell_timer);
}

/* ---- operations ---- */

static enum status check_link(const struct ari *ari)
{
	if (ari->phase != ARI_LINKED)
		return ST_UNAVAILABLE;
	return ari->requests_count + ari->ops_count < ARI_REQUESTS_MAX ? ST_OK : ST_BUSY;
}

/* A leg that is not known, or is being hung up, has ended or will: no failure. */
static struct ari_leg *find_live(struct ari *ari, const char *id)
{
	struct ari_leg *leg = ari_leg_find(ari, id);

	return leg && !leg->is_hangup_asked ? leg : NULL;
}

static enum status leg_make(struct tel_driver *driver, uint32_t token, const char *id,
			    const struct tel_dest *dest, const struct tel_leg_options *options)
{
	struct ari *ari = ari_of(driver);
	enum status status = check_link(ari);

	if (status != ST_OK)
		return status;
	if (ari_leg_find(ari, id))
		ari_tell_failure(ari, token, id, "", "the id is in use");
	else
		ari_leg_start(ari, token, id, dest, options);
	return ST_OK;
}

static enum status leg_op(struct tel_driver *driver, const char *id, struct ari_op op)
{
	struct ari *ari = ari_of(driver);
	enum status status = check_link(ari);

	if (status != ST_OK)
		return status;
	op.leg = find_live(ari, id);
	if (op.leg)
		ari_queue_put(ari, &op);
	return ST_OK;
}

static enum status offered_leg_op(struct tel_driver *driver, const char *id, struct ari_op op)
{
	struct ari *ari = ari_of(driver);
	struct ari_leg *leg = find_live(ari, id);

	if (check_link(ari) == ST_OK && leg && !leg->is_inbound) {
		ari_tell_failure(ari, op.token, id, "", "the leg is not an offered one");
		return ST_OK;
	}
	if (check_link(ari) == ST_OK && leg && leg->stage == ARI_LEG_UP)
		return ST_OK;
	return leg_op(driver, id, op);
}

static enum status leg_ring(struct tel_driver *driver, uint32_t token, const char *leg)
{
	return offered_leg_op(driver, leg, (struct ari_op){.kind = ARI_OP_RING, .token = token});
}

static enum status leg_answer(struct tel_driver *driver, uint32_t token, const char *leg)
{
	return offered_leg_op(driver, leg, (struct ari_op){.kind = ARI_OP_ANSWER, .token = token});
}

/* Never refused for a full queue: it is what empties the switch. */
static enum status leg_hangup(struct tel_driver *driver, uint32_t token, const char *id, int cause)
{
	struct ari *ari = ari_of(driver);
	struct ari_leg *leg = ari_leg_find(ari, id);

	(void)token;
	if (ari->phase != ARI_LINKED)
		return ST_UNAVAILABLE;
	if (leg)
		ari_leg_hangup(leg, cause);
	return ST_OK;
}

static enum status leg_dtmf(struct tel_driver *driver, uint32_t token, const char *leg,
			    const char *digits, unsigned on_ms, unsigned gap_ms)
{
	struct ari_op op = {.kind = ARI_OP_DTMF, .token = token, .on_ms = on_ms, .gap_ms = gap_ms};

	str_copy(op.digits, sizeof op.digits, digits);
	return leg_op(driver, leg, op);
}

static enum status leg_mute(struct tel_driver *driver, uint32_t token, const char *leg,
			    enum tel_mute mute, bool on)
{
	return leg_op(driver, leg,
		      (struct ari_op){.kind = ARI_OP_MUTE, .token = token, .mute = mute, .on = on});
}

/* NULL, and told, when there is none. */
static struct ari_mix *need_mix(struct ari *ari, uint32_t token, const char *id, const char *leg)
{
	struct ari_mix *mix = ari_mix_find(ari, id);

	if (mix && !mix->is_freed)
		return mix;
	ari_tell_failure(ari, token, leg, id, "no such mix");
	return NULL;
}

static enum status mix_make(struct tel_driver *driver, uint32_t token, const char *id,
			    enum tel_mix_kind kind)
{
	struct ari *ari = ari_of(driver);
	enum status status = check_link(ari);

	if (status != ST_OK || ari_mix_find(ari, id)) /* asked for twice after a lost link */
		return status;
	ari_queue_put(ari, &(struct ari_op){.kind = ARI_OP_MIX_MAKE,
					    .token = token,
					    .mix = ari_mix_create(ari, id),
					    .mix_kind = kind});
	return ST_OK;
}

static enum status mix_op(struct tel_driver *driver, const char *id, struct ari_op op)
{
	struct ari *ari = ari_of(driver);
	enum status status = check_link(ari);

	if (status != ST_OK)
		return status;
	op.mix = need_mix(ari, op.token, id, "");
	if (!op.mix)
		return ST_OK;
	if (op.kind == ARI_OP_MIX_FREE)
		op.mix->is_freed = true;
	ari_queue_put(ari, &op);
	return ST_OK;
}

static enum status mix_free(struct tel_driver *driver, uint32_t token, const char *mix)
{
	return mix_op(driver, mix, (struct ari_op){.kind = ARI_OP_MIX_FREE, .token = token});
}

static enum status mix_music(struct tel_driver *driver, uint32_t token, const char *mix, bool on)
{
	return mix_op(driver, mix, (struct ari_op){.kind = ARI_OP_MUSIC, .token = token, .on = on});
}

static enum status move(struct tel_driver *driver, enum ari_op_kind kind, uint32_t token,
			const char *mix, const char *leg)
{
	struct ari *ari = ari_of(driver);
	struct ari_op op = {.kind = kind, .token = token};
	enum status status = check_link(ari);

	if (status != ST_OK)
		return status;
	op.mix = need_mix(ari, token, mix, leg);
	op.leg = find_live(ari, leg);
	if (op.mix && op.leg)
		ari_queue_put(ari, &op);
	return ST_OK;
}

static enum status mix_add(struct tel_driver *driver, uint32_t token, const char *mix,
			   const char *leg)
{
	return move(driver, ARI_OP_ADD, token, mix, leg);
}

static enum status mix_remove(struct tel_driver *driver, uint32_t token, const char *mix,
			      const char *leg)
{
	return move(driver, ARI_OP_REMOVE, token, mix, leg);
}

/* Writes what Asterisk is to play. Of its own sounds, by name or path, none may climb out of the
 * sounds' folder. */
static bool find_sound(const struct ari *ari, const char *name, char ret[ARI_SOUND_SIZE],
		       unsigned *ret_ms)
{
	*ret_ms = 0;
	if (ari->config.find_sound)
		return ari->config.find_sound(ari->config.sound_user, name, ret, ret_ms);
	return !strstr(name, "..") && str_copy(ret, ARI_SOUND_SIZE, name);
}

static enum status mix_play(struct tel_driver *driver, uint32_t token, const char *mix,
			    const char *play, const char *sound)
{
	struct ari *ari = ari_of(driver);
	struct ari_op op = {.kind = ARI_OP_PLAY, .token = token};
	enum status status = check_link(ari);
	bool is_in_use = ari_play_find(ari, play);
	unsigned length_ms;

	if (status != ST_OK)
		return status;
	if (!need_mix(ari, token, mix, ""))
		return ST_OK;
	if (is_in_use || !find_sound(ari, sound, op.sound, &length_ms)) {
		ari_tell_failure(ari, token, "", mix,
				 is_in_use ? "the id is in use" : "no such sound");
		return ST_OK;
	}
	str_copy(op.play, sizeof op.play, play);
	ari_play_create(ari, play, mix, length_ms);
	return mix_op(driver, mix, op);
}

static enum status play_stop(struct tel_driver *driver, uint32_t token, const char *id)
{
	struct ari *ari = ari_of(driver);
	struct ari_play *play = ari_play_find(ari, id);
	enum status status = check_link(ari);

	(void)token;
	if (status == ST_OK && play)
		ari_play_stop(play);
	return status;
}

static enum status mix_record(struct tel_driver *driver, uint32_t token, const char *mix,
			      const char *id)
{
	struct ari *ari = ari_of(driver);
	struct ari_op op = {.kind = ARI_OP_RECORD, .token = token};
	enum status status = check_link(ari);

	if (status != ST_OK || ari_record_find(ari, id))
		return status; /* asked for twice after a lost link */
	if (!need_mix(ari, token, mix, ""))
		return ST_OK;
	if (ari->cannot_record) {
		ari_tell_failure(ari, token, "", mix, "Asterisk lacks res_ari_recordings");
		return ST_OK;
	}
	str_copy(op.play, sizeof op.play, id);
	ari_record_create(ari, id, mix);
	return mix_op(driver, mix, op);
}

static enum status record_pause(struct tel_driver *driver, uint32_t token, const char *id, bool on)
{
	struct ari *ari = ari_of(driver);
	struct ari_record *record = ari_record_find(ari, id);
	enum status status = check_link(ari);

	if (status == ST_OK && record)
		ari_record_pause(record, token, on);
	return status;
}

static enum status record_stop(struct tel_driver *driver, uint32_t token, const char *id)
{
	struct ari *ari = ari_of(driver);
	struct ari_record *record = ari_record_find(ari, id);
	enum status status = check_link(ari);

	(void)token;
	if (status == ST_OK && record)
		ari_record_stop(record);
	else if (status == ST_OK)
		ari_record_tell_lost(ari, id);
	return status;
}

static enum status resync(struct tel_driver *driver)
{
	struct ari *ari = ari_of(driver);
	enum status status = check_link(ari);

	if (status == ST_OK)
		ari_sync_start(ari);
	return status;
}

/* ---- life ---- */

static bool is_word(const char *text)
{
	return text[0] && strspn(text, WORD_CHARACTERS) == strlen(text);
}

/* These stand in addresses and paths of Asterisk's as they are. */
static enum status check_config(const struct ari_config *config, struct err *err)
{
	if (!config->host[0] || config->port < 1 || config->port > 65535)
		return err_set(err, ST_INVALID, "asterisk.address", "host",
			       "Asterisk needs a host and a port from 1 to 65535");
	if (!is_word(config->app))
		return err_set(err, ST_INVALID, "asterisk.app", "app",
			       "the application's name may have letters, digits, _ and - only");
	if (!is_word(config->trunk))
		return err_set(
			err, ST_INVALID, "asterisk.trunk", "trunk",
			"the trunk is the name of a PJSIP endpoint: letters, digits, _ and - only");
	if (!is_word(config->station_technology))
		return err_set(err, ST_INVALID, "asterisk.technology", "station_technology",
			       "the technology of the telephones is a word such as PJSIP");
	return ST_OK;
}

static enum status open_ari(struct tel_driver *driver, struct err *err)
{
	struct ari *ari = ari_of(driver);
	enum status status = check_config(&ari->config, err);

	if (status != ST_OK)
		return status;
	if (ari->phase != ARI_CLOSED)
		return err_set(err, ST_CONFLICT, "switch.open", "",
			       "the link to Asterisk is open already");
	ari_link_open(ari);
	return ST_OK;
}

static void free_all(struct ari *ari)
{
	struct ari_leg *leg, *next_leg;
	struct ari_mix *mix, *next_mix;
	struct ari_fact *fact, *next_fact;

	ari_plays_free(ari);
	HASH_ITER(hh, ari->legs, leg, next_leg)
		ari_leg_free(leg);
	HASH_ITER(hh, ari->mixes, mix, next_mix)
		ari_mix_destroy(ari, mix);
	ari_records_free(ari);
	ari_stations_free(ari);
	DL_FOREACH_SAFE(ari->facts, fact, next_fact) {
		DL_DELETE(ari->facts, fact);
		free(fact);
	}
}

static void close_ari(struct tel_driver *driver)
{
	struct ari *ari = ari_of(driver);

	assert(!ari->is_telling && "close is not for the sink");
	ari_link_close(ari);
	free_all(ari);
	ari_timer_stop(ari, &ari->tell_timer);
	explicit_bzero(ari->config.password, sizeof ari->config.password);
	free(ari);
}

static const struct tel_driver_ops ops = {
	.name = "asterisk",
	.capabilities = TEL_CAN_EARLY_MEDIA | TEL_CAN_PLAY | TEL_CAN_RECORD | TEL_CAN_MEDIA,
	.open = open_ari,
	.close = close_ari,
	.leg_make = leg_make,
	.leg_ring = leg_ring,
	.leg_answer = leg_answer,
	.leg_hangup = leg_hangup,
	.leg_dtmf = leg_dtmf,
	.leg_mute = leg_mute,
	.mix_make = mix_make,
	.mix_free = mix_free,
	.mix_add = mix_add,
	.mix_remove = mix_remove,
	.mix_music = mix_music,
	.mix_play = mix_play,
	.play_stop = play_stop,
	.mix_record = mix_record,
	.record_pause = record_pause,
	.record_stop = record_stop,
	.resync = resync,
};

struct tel_driver *ari_driver_create(const struct tel_host *host, const struct ari_config *config,
				     struct lws_context *lws)
{
	struct ari *ari = xcalloc(1, sizeof *ari);

	ari->driver = (struct tel_driver){.ops = &ops, .host = *host};
	ari->config = *config;
	ari->lws = lws;
	if (!ari->config.app[0])
		str_copy(ari->config.app, sizeof ari->config.app, APP);
	if (!ari->config.station_technology[0])
		str_copy(ari->config.station_technology, sizeof ari->config.station_technology,
			 STATION_TECHNOLOGY);
	if (!ari->config.connect_min_ms)
		ari->config.connect_min_ms = CONNECT_MIN_MS;
	if (!ari->config.connect_max_ms)
		ari->config.connect_max_ms = CONNECT_MAX_MS;
	if (!ari->config.ping_s)
		ari->config.ping_s = PING_S;
	str_copy(ari->state, sizeof ari->state, "connecting");
	return &ari->driver;
}

void ari_driver_fence(struct tel_driver *driver, const char *why)
{
	ari_link_fence(ari_of(driver), why);
}

const char *ari_driver_state(struct tel_driver *driver)
{
	return ari_of(driver)->state;
}
