#include "crew.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "telephony/composer.h"
#include "telephony/sim/sim_private.h"

#define LEGS_MAX 4096

static void keep(void *user, const struct tel_call_fact *fact)
{
	struct crew *crew = user;

	assert_false(crew->is_in_op);
	if (crew->count == crew->capacity) {
		crew->capacity = crew->capacity ? 2 * crew->capacity : 64;
		crew->facts = xrealloc(crew->facts, crew->capacity * sizeof *crew->facts);
	}
	crew->facts[crew->count++] = *fact;
	if (crew->on_fact)
		crew->on_fact(crew, fact);
}

/* Between the switch and the composer. */
static void overhear(void *user, const struct tel_fact *fact)
{
	struct crew *crew = user;

	if (!crew->telephony || (crew->is_new_life && fact->kind == TEL_LEG_ENDED))
		return;
	crew->is_new_life &= fact->kind != TEL_SYNC_END;
	struct tel_sink sink = telephony_driver_sink(crew->telephony);
	crew->refused += fact->kind == TEL_OP_FAILED;
	sink.on_fact(sink.user, fact);
}

void crew_open(struct crew *crew, const struct sim_config *config)
{
	*crew = (struct crew){.count = 0};
	stage_init(&crew->stage);
	crew->telephony = telephony_create(&crew->stage.clock, &crew->stage.timers, NODE,
					   (struct tel_call_sink){keep, crew});
	struct tel_host host = {&crew->stage.clock, &crew->stage.timers, NODE, {overhear, crew}};
	crew->driver = sim_driver_create(&host, config, &crew->sim);
	sim_set_station(crew->sim, "1001", true, true);
	sim_set_station(crew->sim, "1002", true, true);
	sim_set_station(crew->sim, "1003", true, false);
	sim_set_station(crew->sim, "1004", false, true);
	assert_int_equal(telephony_start(crew->telephony, crew->driver, NULL), ST_OK);
	assert_false(telephony_is_linked(crew->telephony));
	crew_run_ms(crew, config ? config->jitter_ms : 0);
	assert_true(telephony_is_linked(crew->telephony));
	crew_forget(crew);
}

static void leave_switch(struct tel_driver *driver)
{
	sim_link_down(sim_of(driver));
}

/* Callers whom only the former life was offered are offered again. */
static enum status find_switch(struct tel_driver *driver, struct err *err)
{
	struct sim_leg *leg, *next;

	(void)err;
	HASH_ITER(hh, sim_of(driver)->legs, leg, next)
		leg->is_known &= !leg->is_inbound || leg->phase == SIM_UP;
	sim_link_up(sim_of(driver));
	return ST_OK;
}

/* A switch whose driver comes and goes. */
static struct tel_driver_ops outliving;

void crew_die(struct crew *crew)
{
	const struct tel_driver_ops *ops = crew->driver->ops;

	outliving = *ops;
	outliving.close = leave_switch;
	crew->driver->ops = &outliving;
	telephony_destroy(crew->telephony);
	crew->driver->ops = ops;
	crew->telephony = NULL;
	crew_run_ms(crew, 1);
	crew_forget(crew);
}

void crew_rise(struct crew *crew)
{
	crew->telephony = telephony_create(&crew->stage.clock, &crew->stage.timers, NODE,
					   (struct tel_call_sink){keep, crew});
	crew->is_new_life = true;
}

void crew_start(struct crew *crew)
{
	const struct tel_driver_ops *ops = crew->driver->ops;

	outliving = *ops;
	outliving.open = find_switch;
	crew->driver->ops = &outliving;
	assert_int_equal(telephony_start(crew->telephony, crew->driver, NULL), ST_OK);
	crew->driver->ops = ops;
	crew_settle(crew);
	assert_true(telephony_is_linked(crew->telephony));
}

void crew_done(struct crew *crew)
{
	telephony_destroy(crew->telephony);
	free(crew->facts);
	stage_done(&crew->stage);
}

void crew_done_empty(struct crew *crew)
{
	assert_int_equal(crew->refused, 0);
	crew_done_refused(crew);
}

void crew_done_refused(struct crew *crew)
{
	assert_int_equal(crew_legs(crew), 0);
	assert_int_equal(sim_mixes(crew->sim), 0);
	assert_null(crew->telephony->calls);
	assert_null(crew->telephony->lines);
	assert_null(crew->telephony->legs);
	assert_null(crew->telephony->mixes);
	crew_done(crew);
}

void crew_run_ms(struct crew *crew, int64_t ms)
{
	stage_run_ms(&crew->stage, ms);
}

void crew_settle(struct crew *crew)
{
	crew_run_ms(crew, 0);
}

struct tel_agent crew_agent(const char *station)
{
	struct tel_agent agent = {.mode = TEL_AGENT_DESK};

	str_format(agent.id, sizeof agent.id, "agent-%s", station);
	str_copy(agent.station, sizeof agent.station, station);
	return agent;
}

static bool is_about(const struct tel_call_fact *fact, enum tel_call_fact_kind kind,
		     const char *call)
{
	return fact->kind == kind && (!call || strcmp(fact->call, call) == 0);
}

unsigned crew_told(const struct crew *crew, enum tel_call_fact_kind kind, const char *call)
{
	unsigned told = 0;

	for (unsigned i = 0; i < crew->count; i++)
		told += is_about(&crew->facts[i], kind, call);
	return told;
}

int crew_place(const struct crew *crew, enum tel_call_fact_kind kind, const char *call)
{
	for (int i = (int)crew->count - 1; i >= 0; i--)
		if (is_about(&crew->facts[i], kind, call))
			return i;
	return -1;
}

const struct tel_call_fact *crew_fact(const struct crew *crew, enum tel_call_fact_kind kind,
				      const char *call)
{
	int place = crew_place(crew, kind, call);

	if (place < 0)
		fail_msg("no %s was told about %s", tel_call_fact_word(kind),
			 call ? call : "anything");
	return &crew->facts[place];
}

void crew_forget(struct crew *crew)
{
	crew->count = 0;
}

static void accepted(struct crew *crew, enum status status, const struct err *err)
{
	crew->is_in_op = false;
	if (status != ST_OK)
		fail_msg("refused: %s %s", err->code, err->message);
}

/* Between these two no fact may come. */
#define ACCEPTED(crew, command)                                                                    \
	do {                                                                                       \
		struct err err = {.code = ""};                                                     \
		(crew)->is_in_op = true;                                                           \
		accepted((crew), (command), &err);                                                 \
	} while (0)

void crew_restore(struct crew *crew, const struct tel_restored *was)
{
	ACCEPTED(crew, telephony_restore(crew->telephony, was, &err));
}

static struct tel_dest number_of(const char *number)
{
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};

	str_copy(dest.value, sizeof dest.value, number);
	return dest;
}

void crew_make(struct crew *crew, const char *call, const char *station, const char *number)
{
	struct tel_agent agent = crew_agent(station);
	struct tel_dest dest = number_of(number);
	struct tel_call_options options = {.caller_number = "+18005550100", .ring_s = 30};

	ACCEPTED(crew, telephony_make(crew->telephony, call, &agent, &dest, &options, &err));
}

void crew_talk(struct crew *crew, const char *call, const char *station, const char *number)
{
	crew_make(crew, call, station, number);
	crew_run_ms(crew, 1500);
	assert_int_equal(crew_told(crew, TELCALL_UP, call), 1);
}

void crew_caller(struct crew *crew, const char *call, const char *number)
{
	char leg[TEL_ID_SIZE];

	assert_int_equal(sim_call_in(crew->sim, number, "Caller", "+18005550100", leg, NULL),
			 ST_OK);
	crew_settle(crew);
	ACCEPTED(crew, telephony_adopt(crew->telephony, call, leg, &err));
}

void crew_answer(struct crew *crew, const char *call, const char *station)
{
	struct tel_agent agent = crew_agent(station);

	ACCEPTED(crew, telephony_answer(crew->telephony, call, &agent, &err));
}

void crew_hold(struct crew *crew, const char *call)
{
	ACCEPTED(crew, telephony_hold(crew->telephony, call, &err));
}

void crew_resume(struct crew *crew, const char *call)
{
	ACCEPTED(crew, telephony_resume(crew->telephony, call, &err));
}

void crew_transfer(struct crew *crew, const char *call, const char *number)
{
	struct tel_dest dest = number_of(number);

	ACCEPTED(crew, telephony_transfer_blind(crew->telephony, call, &dest, NULL, &err));
}

void crew_clear(struct crew *crew, const char *call)
{
	ACCEPTED(crew, telephony_clear(crew->telephony, call, 16, &err));
}

void crew_consult(struct crew *crew)
{
	crew_talk(crew, "1", "1001", "+15550001");
	crew_hold(crew, "1");
	crew_talk(crew, "2", "1001", "+15550002");
}

static struct sim_leg_view views[LEGS_MAX];

unsigned crew_legs(struct crew *crew)
{
	unsigned count = sim_legs(crew->sim, views, LEGS_MAX);

	assert_true(count <= LEGS_MAX);
	return count;
}

const char *crew_leg(struct crew *crew, const char *party)
{
	unsigned count = crew_legs(crew);

	for (unsigned i = 0; i < count; i++)
		if (strcmp(views[i].party, party) == 0)
			return views[i].leg;
	return "";
}

void crew_hangup(struct crew *crew, const char *party)
{
	assert_int_equal(sim_party_hangup(crew->sim, crew_leg(crew, party)), ST_OK);
}

struct tel_restored crew_was(const char *call, enum tel_was phase, const char *station)
{
	struct tel_restored restored = {.phase = phase};

	str_copy(restored.call, sizeof restored.call, call);
	if (station)
		restored.agent = crew_agent(station);
	return restored;
}

void crew_restore_as(struct crew *crew, const char *call, enum tel_was phase, const char *station)
{
	struct tel_restored restored = crew_was(call, phase, station);

	crew_restore(crew, &restored);
}

void crew_live_again(struct crew *crew, enum tel_was phase, const char *station, unsigned ms)
{
	crew_die(crew);
	crew_run_ms(crew, ms);
	crew_rise(crew);
	crew_restore_as(crew, "1", phase, station);
	crew_start(crew);
}

void crew_told_nothing(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->facts[i].call[0])
			fail_msg("%s was told", tel_call_fact_word(crew->facts[i].kind));
	assert_int_equal(crew_told(crew, TELCALL_SYNCED, NULL), 1);
}

void crew_end(struct crew *crew, const char *call)
{
	crew_clear(crew, call);
	crew_settle(crew);
	assert_int_equal(crew_told(crew, TELCALL_ENDED, call), 1);
}
