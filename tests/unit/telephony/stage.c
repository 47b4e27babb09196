#include "stage.h"

#include "base/cleanup.h"
#include "base/str.h"

void stage_init(struct stage *stage)
{
	*stage = (struct stage){.held = {.wall_us = 1795357596000000, .mono_us = 1000000}};
	stage->clock = clock_held(&stage->held);
	timers_init(&stage->timers);
}

void stage_keep(void *user, const struct tel_fact *fact)
{
	struct stage *stage = user;

	assert_false(stage->is_in_op);
	if (stage->count == stage->capacity) {
		stage->capacity = stage->capacity ? 2 * stage->capacity : 64;
		stage->facts = xrealloc(stage->facts, stage->capacity * sizeof *stage->facts);
	}
	stage->facts[stage->count++] = *fact;
}

void stage_open(struct stage *stage, const struct sim_config *config)
{
	stage_init(stage);
	struct tel_host host = {&stage->clock, &stage->timers, NODE, {stage_keep, stage}};
	stage->driver = sim_driver_create(&host, config, &stage->sim);
	assert_int_equal(tel_driver_open(stage->driver, NULL), ST_OK);
	assert_int_equal(stage->count, 0);
	stage_settle(stage);
	stage_forget(stage);
}

void stage_done(struct stage *stage)
{
	tel_driver_close(stage->driver);
	assert_int_equal(stage->timers.count, 0);
	timers_done(&stage->timers);
	free(stage->facts);
}

void stage_run_ms(struct stage *stage, int64_t ms)
{
	int64_t end_us = stage->held.mono_us + ms * 1000;

	while (timers_next_us(&stage->timers) <= end_us) {
		int64_t next_us = timers_next_us(&stage->timers);
		if (next_us > stage->held.mono_us)
			held_clock_advance(&stage->held, next_us - stage->held.mono_us);
		timers_run(&stage->timers, stage->held.mono_us);
	}
	held_clock_advance(&stage->held, end_us - stage->held.mono_us);
}

void stage_settle(struct stage *stage)
{
	stage_run_ms(stage, 0);
}

static bool is_about(const struct tel_fact *fact, enum tel_fact_kind kind, const char *leg)
{
	return fact->kind == kind && (!leg || strcmp(fact->leg, leg) == 0);
}

unsigned stage_told(const struct stage *stage, enum tel_fact_kind kind, const char *leg)
{
	unsigned told = 0;

	for (unsigned i = 0; i < stage->count; i++)
		told += is_about(&stage->facts[i], kind, leg);
	return told;
}

int stage_place(const struct stage *stage, enum tel_fact_kind kind, const char *leg)
{
	for (int i = (int)stage->count - 1; i >= 0; i--)
		if (is_about(&stage->facts[i], kind, leg))
			return i;
	return -1;
}

const struct tel_fact *stage_fact(const struct stage *stage, enum tel_fact_kind kind,
				  const char *leg)
{
	int place = stage_place(stage, kind, leg);

	if (place < 0)
		fail_msg("no %s was told about %s", tel_fact_word(kind), leg ? leg : "anything");
	return &stage->facts[place];
}

void stage_forget(struct stage *stage)
{
	stage->count = 0;
}

static void make(struct stage *stage, const char *leg, enum tel_dest_kind kind, const char *value,
		 const struct tel_leg_options *options)
{
	struct tel_dest dest = {.kind = kind};

	str_copy(dest.value, sizeof dest.value, value);
	stage->is_in_op = true;
	assert_int_equal(tel_leg_make(stage->driver, 1, leg, &dest, options), ST_OK);
	stage->is_in_op = false;
}

void stage_leg(struct stage *stage, const char *leg, const char *number, const char *mix)
{
	struct tel_leg_options options = {.timeout_s = 30, .tag = "call-1"};

	str_copy(options.mix, sizeof options.mix, mix);
	make(stage, leg, TEL_DEST_NUMBER, number, &options);
}

void stage_station_leg(struct stage *stage, const char *leg, const char *station, bool auto_answer)
{
	make(stage, leg, TEL_DEST_STATION, station,
	     &(struct tel_leg_options){.auto_answer = auto_answer, .timeout_s = 30});
}

void stage_mix(struct stage *stage, const char *mix)
{
	assert_int_equal(tel_mix_make(stage->driver, 2, mix, TEL_MIX_TALK), ST_OK);
}
