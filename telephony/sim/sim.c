#include "telephony/sim/sim_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define OPS_MAX 100000

struct op_kind {
	const char *name;
	void (*apply)(struct sim *sim, const struct sim_op *op);
};

static const struct op_kind kinds[SIM_OP_COUNT] = {
	[SIM_OP_LEG_MAKE] = {"leg_make", sim_op_leg_make},
	[SIM_OP_LEG_RING] = {"leg_ring", sim_op_leg_ring},
	[SIM_OP_LEG_ANSWER] = {"leg_answer", sim_op_leg_answer},
	[SIM_OP_LEG_HANGUP] = {"leg_hangup", sim_op_leg_hangup},
	[SIM_OP_LEG_DTMF] = {"leg_dtmf", sim_op_leg_dtmf},
	[SIM_OP_LEG_MUTE] = {"leg_mute", sim_op_leg_mute},
	[SIM_OP_MIX_MAKE] = {"mix_make", sim_op_mix_make},
	[SIM_OP_MIX_FREE] = {"mix_free", sim_op_mix_free},
	[SIM_OP_MIX_ADD] = {"mix_add", sim_op_mix_add},
	[SIM_OP_MIX_REMOVE] = {"mix_remove", sim_op_mix_remove},
	[SIM_OP_MIX_MUSIC] = {"mix_music", sim_op_mix_music},
	[SIM_OP_MIX_PLAY] = {"mix_play", sim_op_mix_play},
	[SIM_OP_PLAY_STOP] = {"play_stop", sim_op_play_stop},
	[SIM_OP_MIX_RECORD] = {"mix_record", sim_op_mix_record},
	[SIM_OP_RECORD_PAUSE] = {"record_pause", sim_op_record_pause},
	[SIM_OP_RECORD_STOP] = {"record_stop", sim_op_record_stop},
};

void sim_start(struct sim *sim, struct timer *timer, void (*fire)(void *), void *arg, unsigned ms)
{
	timer->fire = fire;
	timer->arg = arg;
	timer_set(sim->driver.host.timers, timer, sim_now_us(sim) + (int64_t)ms * 1000);
}

void sim_stop(struct sim *sim, struct timer *timer)
{
	timer_stop(sim->driver.host.timers, timer);
}

static void op_take_effect(struct sim *sim, const struct sim_op *op)
{
	char *failure = sim->fail_next[op->kind];

	if (!failure[0]) {
		kinds[op->kind].apply(sim, op);
		return;
	}
	struct sim_leg *leg = sim_leg_find(sim, op->leg);
	if (op->kind == SIM_OP_LEG_MAKE && leg && !op->is_duplicate)
		sim_leg_end(leg, (struct sim_ending){TEL_ERROR, TEL_BY_UNKNOWN, 38, 500});
	else
		sim_tell_failure(sim, op, failure);
	failure[0] = '\0';
}

static void op_free(struct sim_op *op)
{
	sim_stop(op->sim, &op->timer);
	DL_DELETE(op->sim->ops, op);
	op->sim->ops_count--;
	free(op);
}

static void on_op_due(void *arg)
{
	struct sim_op *op = arg;

	op_take_effect(op->sim, op);
	op_free(op);
}

/* What was accepted and is still under way when the link goes is lost with it. */
void sim_ops_drop(struct sim *sim)
{
	struct sim_op *op, *next;

	DL_FOREACH_SAFE(sim->ops, op, next) {
		struct sim_leg *leg = sim_leg_find(sim, op->leg);
		if (op->kind == SIM_OP_LEG_MAKE && leg && !op->is_duplicate)
			sim_leg_vanish(leg);
		op_free(op);
	}
}

static enum status op_check(struct sim *sim, const struct sim_op *op)
{
	if (!sim->takes_ops)
		return ST_UNAVAILABLE;
	if (sim->busy_next) {
		sim->busy_next--;
		return ST_BUSY;
	}
	if (sim->ops_count >= OPS_MAX)
		return ST_BUSY;
	if (op->kind == SIM_OP_LEG_MAKE && HASH_COUNT(sim->legs) >= 2 * sim->config.max_legs)
		return ST_BUSY;
	return ST_OK;
}

static enum status op_accept(struct tel_driver *driver, struct sim_op *op)
{
	struct sim *sim = sim_of(driver);
	enum status status = op_check(sim, op);

	if (status != ST_OK)
		return status;
	op->sim = sim;
	if (op->kind == SIM_OP_LEG_MAKE) {
		struct sim_leg *leg;
		HASH_FIND_STR(sim->legs, op->leg, leg);
		op->is_duplicate = leg != NULL;
		if (!leg)
			sim_leg_create(sim, op->leg)->is_known = true;
	}
	if (sim->config.latency_ms == 0) {
		op_take_effect(sim, op);
		return ST_OK;
	}
	struct sim_op *waiting = xmalloc(sizeof *waiting);
	*waiting = *op;
	DL_APPEND(sim->ops, waiting);
	sim->ops_count++;
	sim_start(sim, &waiting->timer, on_op_due, waiting, sim->config.latency_ms);
	return ST_OK;
}

static struct sim_op op_new(enum sim_op_kind kind, uint32_t token)
{
	return (struct sim_op){.kind = kind, .token = token};
}

static enum status leg_make(struct tel_driver *driver, uint32_t token, const char *leg,
			    const struct tel_dest *dest, const struct tel_leg_options *options)
{
	struct sim_op op = op_new(SIM_OP_LEG_MAKE, token);

	str_copy(op.leg, sizeof op.leg, leg);
	op.dest = *dest;
	op.options = *options;
	return op_accept(driver, &op);
}

static enum status leg_op(struct tel_driver *driver, enum sim_op_kind kind, uint32_t token,
			  const char *leg)
{
	struct sim_op op = op_new(kind, token);

	str_copy(op.leg, sizeof op.leg, leg);
	return op_accept(driver, &op);
}

static enum status leg_ring(struct tel_driver *driver, uint32_t token, const char *leg)
{
	return leg_op(driver, SIM_OP_LEG_RING, token, leg);
}

static enum status leg_answer(struct tel_driver *driver, uint32_t token, const char *leg)
{
	return leg_op(driver, SIM_OP_LEG_ANSWER, token, leg);
}

static enum status leg_hangup(struct tel_driver *driver, uint32_t token, const char *leg, int cause)
{
	struct sim_op op = op_new(SIM_OP_LEG_HANGUP, token);

	str_copy(op.leg, sizeof op.leg, leg);
	op.cause = cause;
	return op_accept(driver, &op);
}

static enum status leg_dtmf(struct tel_driver *driver, uint32_t token, const char *leg,
			    const char *digits, unsigned on_ms, unsigned gap_ms)
{
	struct sim_op op = op_new(SIM_OP_LEG_DTMF, token);

	str_copy(op.leg, sizeof op.leg, leg);
	str_copy(op.digits, sizeof op.digits, digits);
	op.on_ms = on_ms;
	op.gap_ms = gap_ms;
	return op_accept(driver, &op);
}

static enum status leg_mute(struct tel_driver *driver, uint32_t token, const char *leg,
			    enum tel_mute mute, bool on)
{
	struct sim_op op = op_new(SIM_OP_LEG_MUTE, token);

	str_copy(op.leg, sizeof op.leg, leg);
	op.mute = mute;
	op.on = on;
	return op_accept(driver, &op);
}

static enum status mix_op(struct tel_driver *driver, enum sim_op_kind kind, uint32_t token,
			  const char *mix, const char *leg)
{
	struct sim_op op = op_new(kind, token);

	str_copy(op.mix, sizeof op.mix, mix);
	str_copy(op.leg, sizeof op.leg, leg);
	return op_accept(driver, &op);
}

static enum status mix_make(struct tel_driver *driver, uint32_t token, const char *mix,
			    enum tel_mix_kind kind)
{
	struct sim_op op = op_new(SIM_OP_MIX_MAKE, token);

	str_copy(op.mix, sizeof op.mix, mix);
	op.mix_kind = kind;
	return op_accept(driver, &op);
}

static enum status mix_free(struct tel_driver *driver, uint32_t token, const char *mix)
{
	return mix_op(driver, SIM_OP_MIX_FREE, token, mix, NULL);
}

static enum status mix_add(struct tel_driver *driver, uint32_t token, const char *mix,
			   const char *leg)
{
	return mix_op(driver, SIM_OP_MIX_ADD, token, mix, leg);
}

static enum status mix_remove(struct tel_driver *driver, uint32_t token, const char *mix,
			      const char *leg)
{
	return mix_op(driver, SIM_OP_MIX_REMOVE, token, mix, leg);
}

static enum status mix_music(struct tel_driver *driver, uint32_t token, const char *mix, bool on)
{
	struct sim_op op = op_new(SIM_OP_MIX_MUSIC, token);

	str_copy(op.mix, sizeof op.mix, mix);
	op.on = on;
	return op_accept(driver, &op);
}

static enum status mix_play(struct tel_driver *driver, uint32_t token, const char *mix,
			    const char *play, const char *sound)
{
	struct sim_op op = op_new(SIM_OP_MIX_PLAY, token);

	str_copy(op.mix, sizeof op.mix, mix);
	str_copy(op.play, sizeof op.play, play);
	str_copy_cut(op.sound, sizeof op.sound, sound);
	return op_accept(driver, &op);
}

static enum status play_stop(struct tel_driver *driver, uint32_t token, const char *play)
{
	struct sim_op op = op_new(SIM_OP_PLAY_STOP, token);

	str_copy(op.play, sizeof op.play, play);
	return op_accept(driver, &op);
}

static enum status mix_record(struct tel_driver *driver, uint32_t token, const char *mix,
			      const char *record)
{
	struct sim_op op = op_new(SIM_OP_MIX_RECORD, token);

	str_copy(op.mix, sizeof op.mix, mix);
	str_copy(op.record, sizeof op.record, record);
	return op_accept(driver, &op);
}

static enum status record_pause(struct tel_driver *driver, uint32_t token, const char *record,
				bool on)
{
	struct sim_op op = op_new(SIM_OP_RECORD_PAUSE, token);

	str_copy(op.record, sizeof op.record, record);
	op.on = on;
	return op_accept(driver, &op);
}

static enum status record_stop(struct tel_driver *driver, uint32_t token, const char *record)
{
	struct sim_op op = op_new(SIM_OP_RECORD_STOP, token);

	str_copy(op.record, sizeof op.record, record);
	return op_accept(driver, &op);
}

static enum status resync(struct tel_driver *driver)
{
	struct sim *sim = sim_of(driver);

	if (!sim->takes_ops)
		return ST_UNAVAILABLE;
	sim_sync(sim);
	return ST_OK;
}

static enum status open_sim(struct tel_driver *driver, struct err *err)
{
	struct sim *sim = sim_of(driver);

	if (sim->is_open)
		return err_set(err, ST_CONFLICT, "switch.open", "",
			       "the simulated switch is open already");
	sim->is_open = true;
	if (!sim->is_cut)
		sim_connect(sim);
	return ST_OK;
}

static void close_sim(struct tel_driver *driver)
{
	struct sim *sim = sim_of(driver);
	struct sim_leg *leg, *next_leg;
	struct sim_mix *mix, *next_mix;

	sim->is_linked = false;
	sim_ops_drop(sim);
	sim_forget_tellings(sim);
	HASH_ITER(hh, sim->legs, leg, next_leg)
		sim_leg_free(leg);
	HASH_ITER(hh, sim->mixes, mix, next_mix)
		sim_mix_free(sim, mix);
	sim_plays_free(sim);
	sim_records_free(sim);
	sim_behaviour_free(sim);
	free(sim);
}

static const struct tel_driver_ops ops = {
	.name = "sim",
	.capabilities = TEL_CAN_EARLY_MEDIA | TEL_CAN_PLAY | TEL_CAN_RECORD | TEL_CAN_MEDIA,
	.open = open_sim,
	.close = close_sim,
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

struct tel_driver *sim_driver_create(const struct tel_host *host, const struct sim_config *config,
				     struct sim **ret_sim)
{
	struct sim *sim = xcalloc(1, sizeof *sim);

	sim->driver = (struct tel_driver){.ops = &ops, .host = *host};
	sim->config = config ? *config : (struct sim_config){0};
	if (!sim->config.ring_ms)
		sim->config.ring_ms = 100;
	if (!sim->config.answer_ms)
		sim->config.answer_ms = 400;
	if (!sim->config.max_legs)
		sim->config.max_legs = SIM_LEGS_MAX;
	sim->random = 0x9e3779b97f4a7c15u ^ sim->config.seed;
	sim->epoch = clock_wall_us(host->clock);
	if (ret_sim)
		*ret_sim = sim;
	return &sim->driver;
}

enum status sim_fail_next(struct sim *sim, const char *op, const char *text)
{
	for (unsigned i = 0; i < SIM_OP_COUNT; i++) {
		if (strcmp(kinds[i].name, op) != 0)
			continue;
		str_copy_cut(sim->fail_next[i], sizeof sim->fail_next[i],
			     text && text[0] ? text : "failed on request");
		return ST_OK;
	}
	return ST_INVALID;
}

void sim_busy_next(struct sim *sim, unsigned count)
{
	sim->busy_next = count;
}
