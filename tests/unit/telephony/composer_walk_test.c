/* The composer: 20,000 random commands, deeds of the parties and faults of the switch. Whatever
 * happens, each call ends exactly once and nothing is left at the switch; and while the switch does
 * its work properly, it is so at the switch as the composer's books say.
 *
 * CALLTAB_SEED=n walks other ways. A failure names seed and step. */
#include "crew.h"

#include "base/str.h"
#include "telephony/composer.h"

#define WALKS	   10
#define STEPS	   2000
#define CALLS_MAX  20 /* at a time */
#define OFFERS_MAX 8

enum {
	ANSWER,
	CLEAR,
	HOLD,
	RESUME,
	MUTE,
	DTMF,
	PLAY,
	PLAY_STOP,
	RECORD,
	RECORD_STOP,
	RECORD_PAUSE,
	TRANSFER,
	COMPLETE,
	CONFERENCE,
	LEAVE,
	KEEP,
	COMMANDS
};

struct walk {
	struct crew crew;
	uint64_t seed, random;
	unsigned step;
	bool is_proper; /* the switch is prompt and refuses nothing */
	bool is_away;
	bool is_over; /* nobody's leg is kept any more */
	unsigned made, ended, offered_count, calls_count;
	char calls[CALLS_MAX][TEL_ID_SIZE];
	char offers[OFFERS_MAX][TEL_ID_SIZE];
	unsigned told[TELCALL_FACT_COUNT], accepted[COMMANDS];
};

static unsigned pick(struct walk *walk, unsigned n)
{
	uint64_t z = walk->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (unsigned)((z ^ (z >> 31)) % n);
}

#define holds(walk, condition, ...)                                                                \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			print_error("seed %llu step %u: ", (unsigned long long)(walk)->seed,       \
				    (walk)->step);                                                 \
			fail_msg(__VA_ARGS__);                                                     \
		}                                                                                  \
	} while (0)

static const char *some_call(struct walk *walk)
{
	return walk->calls_count ? walk->calls[pick(walk, walk->calls_count)] : "none";
}

static const char *some_station(struct walk *walk)
{
	static const char *const stations[] = {"1001", "1002", "1005", "1003", "1004"};

	/* Mostly those that answer. */
	return stations[pick(walk, 4) ? pick(walk, 3) : pick(walk, 5)];
}

static const char *some_number(struct walk *walk)
{
	static const char *const numbers[] = {
		"+1555486", "+1555404", "+1555480", "+1555603", "+1555503", "+1555500", "+1555408",
		"+1555999", "+1555183", "+1555777", "+1555199", "+1555555", "+1555242"};

	return pick(walk, 5) ? "+15550001" : numbers[pick(walk, sizeof numbers / sizeof *numbers)];
}

static void remember_call(struct walk *walk, const char *id)
{
	str_copy(walk->calls[walk->calls_count++], TEL_ID_SIZE, id);
	walk->made++;
}

static int find_call(const struct walk *walk, const char *id)
{
	for (unsigned i = 0; i < walk->calls_count; i++)
		if (strcmp(walk->calls[i], id) == 0)
			return (int)i;
	return -1;
}

/* The audio of one of them is in a page. */
static struct tel_agent some_agent(struct walk *walk)
{
	struct tel_agent agent = crew_agent(some_station(walk));

	if (strcmp(agent.station, "1005") == 0)
		agent.mode = TEL_AGENT_TAB;
	return agent;
}

static void make(struct walk *walk)
{
	struct tel_agent agent = some_agent(walk);
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};
	struct tel_call_options options = {.ring_s = 1 + pick(walk, 30)};
	char id[TEL_ID_SIZE];

	if (walk->calls_count == CALLS_MAX)
		return;
	snprintf(id, sizeof id, "w%u", walk->made);
	str_copy(dest.value, sizeof dest.value, some_number(walk));
	if (telephony_make(walk->crew.telephony, id, &agent, &dest, &options, NULL) == ST_OK)
		remember_call(walk, id);
}

static void call_in(struct walk *walk)
{
	char leg[TEL_ID_SIZE];

	assert_int_equal(sim_call_in(walk->crew.sim, "+15559999", "", "100", leg, NULL), ST_OK);
}

static void adopt(struct walk *walk)
{
	char id[TEL_ID_SIZE];

	if (walk->calls_count == CALLS_MAX || !walk->offered_count)
		return;
	snprintf(id, sizeof id, "w%u", walk->made);
	const char *leg = walk->offers[pick(walk, walk->offered_count)];
	if (pick(walk, 4) == 0) {
		enum status status = telephony_refuse(walk->crew.telephony, leg, 17, NULL);
		holds(walk, status != ST_INTERNAL, "refuse");
	} else if (telephony_adopt(walk->crew.telephony, id, leg, NULL) == ST_OK) {
		remember_call(walk, id);
	}
}

/* Mostly one that fits: pure chance would hardly ever find two calls of one agent. */
static const char *call_in_state(struct walk *walk, enum tc_state state, const char *with)
{
	const struct tc_call *partner = tc_call_find(walk->crew.telephony, with);
	unsigned first = pick(walk, CALLS_MAX);

	for (unsigned i = 0; i < walk->calls_count; i++) {
		const char *id = walk->calls[(first + i) % walk->calls_count];
		const struct tc_call *call = tc_call_find(walk->crew.telephony, id);
		if (call && call->state == state && (!partner || partner->line == call->line))
			return id;
	}
	return some_call(walk);
}

static enum status give(struct walk *walk, unsigned kind)
{
	struct telephony *t = walk->crew.telephony;
	struct tel_agent agent = some_agent(walk);
	struct tel_dest dest = {.kind = TEL_DEST_NUMBER};
	const char *call = some_call(walk);
	const char *active = call_in_state(walk, TC_TALK, "");
	const char *held = call_in_state(walk, TC_HELD, active);

	str_copy(dest.value, sizeof dest.value, some_number(walk));
	switch (kind) {
	case ANSWER:
		return telephony_answer(t, call, &agent, NULL);
	case CLEAR:
		return telephony_clear(t, call, 16, NULL);
	case HOLD:
		return telephony_hold(t, call, NULL);
	case RESUME:
		return telephony_resume(t, call, NULL);
	case MUTE:
		return telephony_mute(t, call, pick(walk, 2), NULL);
	case DTMF:
		return telephony_dtmf(t, call, 1, "12", NULL);
	case PLAY:
		return telephony_play(t, active, pick(walk, 8) ? "hello" : "missing",
				      (enum tel_hearers)pick(walk, 2), NULL);
	case PLAY_STOP:
		return telephony_play_stop(t, active, NULL);
	case RECORD:
		return telephony_record(t, active, "r-1", NULL);
	case RECORD_STOP:
		return telephony_record_stop(t, call, NULL);
	case RECORD_PAUSE:
		return telephony_record_pause(t, active, pick(walk, 2), NULL);
	case TRANSFER:
		return telephony_transfer_blind(t, call, &dest, NULL, NULL);
	case COMPLETE:
		return telephony_complete(t, active, held, NULL);
	case CONFERENCE:
		return telephony_conference(t, active, held, NULL);
	case KEEP:
		return telephony_keep(t, &agent, pick(walk, 4) != 0 && !walk->is_over, NULL);
	default:
		return telephony_leave(t, active, NULL);
	}
}

static void command(struct walk *walk)
{
	static const unsigned char often[] = {
		ANSWER,	    ANSWER,	ANSWER,	     CLEAR,	   HOLD,     HOLD,     HOLD,
		RESUME,	    RESUME,	MUTE,	     DTMF,	   PLAY,     PLAY,     PLAY_STOP,
		RECORD,	    RECORD,	RECORD_STOP, RECORD_PAUSE, TRANSFER, COMPLETE, COMPLETE,
		CONFERENCE, CONFERENCE, CONFERENCE,  CONFERENCE,   LEAVE,    KEEP,     KEEP};
	unsigned kind = often[pick(walk, sizeof often)];
	enum status status = give(walk, kind);

	walk->accepted[kind] += status == ST_OK;
	holds(walk,
	      status == ST_OK || status == ST_CONFLICT || status == ST_BUSY ||
		      status == ST_UNAVAILABLE,
	      "command %u was answered with %s", kind, status_name(status));
}

static struct sim_leg_view views[4096];

static void party_acts(struct walk *walk)
{
	unsigned count = sim_legs(walk->crew.sim, views, 4096);

	if (!count)
		return;
	const char *leg = views[pick(walk, count)].leg;
	switch (pick(walk, 5)) {
	case 4: /* and off again: who hears whom is another test's */
		sim_party_hold(walk->crew.sim, leg, true);
		sim_party_hold(walk->crew.sim, leg, false);
		break;
	case 0:
		sim_party_answer(walk->crew.sim, leg);
		break;
	case 1:
		sim_party_press(walk->crew.sim, leg, "7");
		break;
	default:
		sim_party_hangup(walk->crew.sim, leg);
		break;
	}
}

static void switch_fails(struct walk *walk)
{
	static const char *const ops[] = {"leg_make",	"leg_answer",  "mix_add",   "mix_remove",
					  "leg_dtmf",	"leg_mute",    "mix_music", "mix_play",
					  "mix_record", "record_pause"};
	struct sim *sim = walk->crew.sim;

	switch (pick(walk, 12)) {
	case 0:
	case 1:
	case 2:
		walk->is_away = true;
		sim_link_down(sim);
		break;
	case 3:
		sim_restart(sim);
		break;
	case 4:
		sim_set_station(sim, some_station(walk), pick(walk, 3), pick(walk, 3));
		break;
	case 5:
		sim_set_station(sim, "1001", true, true);
		sim_set_station(sim, "1002", true, true);
		sim_set_station(sim, "1005", true, true);
		break;
	case 6:
	case 7:
		sim_busy_next(sim, pick(walk, 6));
		break;
	case 8:
		/* What is freed between the switch's list and our reading of it is freed twice: no
		 * harm, but the switch objects. */
		if (walk->is_proper)
			break;
		/* Refused while the link is away, or so new that nobody knows of it. */
		assert_int_not_equal(tel_driver_resync(walk->crew.driver), ST_INTERNAL);
		break;
	default:
		if (!walk->is_proper)
			sim_fail_next(sim, ops[pick(walk, sizeof ops / sizeof *ops)], NULL);
		break;
	}
}

static void take_step(struct walk *walk)
{
	unsigned deed = pick(walk, 100);

	if (walk->is_away && deed < 50) {
		sim_link_up(walk->crew.sim);
		walk->is_away = false;
	} else if (deed < 15) {
		make(walk);
	} else if (deed < 17) {
		call_in(walk);
	} else if (deed < 20) {
		adopt(walk);
	} else if (deed < 65) {
		command(walk);
	} else if (deed < 68) {
		party_acts(walk);
	} else if (deed < 70) {
		switch_fails(walk);
	} else {
		crew_run_ms(&walk->crew, pick(walk, deed < 99 ? 700 : 30000));
	}
}

static void on_offer(struct walk *walk, const struct tel_call_fact *fact)
{
	if (walk->offered_count < OFFERS_MAX)
		str_copy(walk->offers[walk->offered_count++], TEL_ID_SIZE, fact->leg);
	else
		str_copy(walk->offers[pick(walk, OFFERS_MAX)], TEL_ID_SIZE, fact->leg);
}

/* Commands from inside the sink, as control may give them. */
static void react(struct walk *walk, const struct tel_call_fact *fact)
{
	if (fact->kind == TELCALL_UP && pick(walk, 4) == 0)
		command(walk);
	if (fact->kind == TELCALL_ENDED && pick(walk, 8) == 0)
		make(walk);
}

static void on_fact(struct crew *crew, const struct tel_call_fact *fact)
{
	struct walk *walk = crew->user;
	int place = find_call(walk, fact->call);

	walk->told[fact->kind]++;
	if (fact->call[0] && fact->kind != TELCALL_RECORD_BEGUN &&
	    fact->kind != TELCALL_RECORD_ENDED)
		holds(walk, place >= 0, "%s was told about %s, which has ended or never was",
		      tel_call_fact_word(fact->kind), fact->call);
	if (fact->kind == TELCALL_OFFERED)
		on_offer(walk, fact);
	if (fact->kind == TELCALL_ENDED) {
		walk->ended++;
		memmove(walk->calls[place], walk->calls[--walk->calls_count], TEL_ID_SIZE);
	}
	react(walk, fact);
}

static const struct sim_leg_view *view_of(unsigned count, const char *leg)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(views[i].leg, leg) == 0)
			return &views[i];
	return NULL;
}

static void check_record(struct walk *walk, const struct tc_call *call,
			 const struct sim_leg_view *far)
{
	char heard[160];

	sim_recorded(walk->crew.sim, call->record->id, heard, sizeof heard);
	holds(walk, call->record->mix == call->mix, "%s is recorded elsewhere", call->id);
	holds(walk, !strstr(heard, far->party) == call->record->is_paused,
	      "the recording of %s takes down '%s', paused: %d", call->id, heard,
	      call->record->is_paused);
}

/* Where the books say a leg is, there it is; who is on hold hears music; who is talking is heard.
 */
static void check_call(struct walk *walk, const struct tc_call *call, unsigned count)
{
	const struct sim_leg_view *far = call->far ? view_of(count, call->far->id) : NULL;

	holds(walk, !call->far || far, "the far leg of %s is not at the switch", call->id);
	if (call->far && call->far->mix)
		holds(walk, strcmp(far->mix, call->far->mix->id) == 0,
		      "the far leg of %s is in mix '%s'", call->id, far->mix);
	if (call->state == TC_HELD && call->mix->legs == call->far && !call->far->next)
		holds(walk, strstr(far->hears, "music"), "%s is held and hears '%s'", call->id,
		      far->hears);
	if (call->record)
		check_record(walk, call, far);
	if (call->state != TC_TALK)
		return;
	if (call->line->mode == TEL_AGENT_TAB && (!call->line->leg || !call->line->leg->is_up))
		return; /* his page is away */
	const struct sim_leg_view *agent = view_of(count, call->line->leg->id);
	holds(walk, agent && strcmp(agent->mix, far->mix) == 0,
	      "%s talks and the agent is elsewhere", call->id);
	bool is_deaf = call->mix->play && call->mix->play->ear[0];
	holds(walk, !strstr(agent->hears, far->party) == is_deaf,
	      "the agent of %s hears '%s', deaf: %d", call->id, agent->hears, is_deaf);
	holds(walk, !strstr(far->hears, "hello") || call->mix->play,
	      "%s hears a prompt that is over", call->id);
	holds(walk, !strstr(far->hears, "music"), "%s talks and hears music", call->id);
	holds(walk, !strstr(far->hears, agent->party) == call->is_muted,
	      "%s is muted: %d, and hears '%s'", call->id, call->is_muted, far->hears);
}

static void check_legs(struct walk *walk, unsigned count)
{
	unsigned agents[5] = {0}, talking = 0;

	for (unsigned i = 0; i < count; i++) {
		if (strncmp(views[i].leg, NODE "-a-", strlen(NODE "-a-")) == 0)
			agents[views[i].party[3] - '1']++;
		talking += views[i].mix[0] != '\0';
	}
	for (unsigned i = 0; i < 5; i++)
		holds(walk, agents[i] <= 1, "station 100%u has %u legs", i + 1, agents[i]);
	holds(walk, sim_mixes(walk->crew.sim) == HASH_COUNT(walk->crew.telephony->mixes),
	      "%u mixes at the switch, %u in the books", sim_mixes(walk->crew.sim),
	      HASH_COUNT(walk->crew.telephony->mixes));
	holds(walk, !talking || walk->crew.telephony->mixes, "somebody is in a forgotten mix");
}

static void check(struct walk *walk)
{
	struct telephony *t = walk->crew.telephony;
	struct tc_call *call, *next;

	crew_settle(&walk->crew);
	if (!walk->is_proper || t->link != TC_UP || t->waiting)
		return;
	unsigned count = sim_legs(walk->crew.sim, views, 4096);
	check_legs(walk, count);
	HASH_ITER(hh, t->calls, call, next)
		check_call(walk, call, count);
}

static void keep_nobody(struct walk *walk)
{
	static const char *const stations[] = {"1001", "1002", "1003", "1004", "1005"};

	for (unsigned i = 0; i < sizeof stations / sizeof *stations; i++) {
		struct tel_agent agent = crew_agent(stations[i]);
		assert_int_equal(telephony_keep(walk->crew.telephony, &agent, false, NULL), ST_OK);
	}
}

static void finish(struct walk *walk)
{
	struct telephony *t = walk->crew.telephony;
	unsigned count;

	sim_link_up(walk->crew.sim);
	walk->is_away = false;
	keep_nobody(walk);
	walk->is_over = true;
	crew_run_ms(&walk->crew, 200000);
	walk->crew.on_fact = NULL;
	while (walk->calls_count > 0) {
		enum status status = telephony_clear(t, walk->calls[0], 16, NULL);
		holds(walk, status == ST_OK, "clear was answered with %s", status_name(status));
		crew_run_ms(&walk->crew, 10000);
		holds(walk, crew_told(&walk->crew, TELCALL_ENDED, walk->calls[0]) == 1,
		      "%s did not end", walk->calls[0]);
		walk->ended++;
		memmove(walk->calls[0], walk->calls[--walk->calls_count], TEL_ID_SIZE);
	}
	/* Offers nobody took, and parties left to themselves. */
	while ((count = sim_legs(walk->crew.sim, views, 4096)) > 0) {
		sim_party_hangup(walk->crew.sim, views[0].leg);
		crew_run_ms(&walk->crew, 1000);
	}
	holds(walk, sim_mixes(walk->crew.sim) == 0, "%u mixes are left", sim_mixes(walk->crew.sim));
	holds(walk, !walk->is_proper || !walk->crew.refused, "the switch objected %u times",
	      walk->crew.refused);
	holds(walk, walk->made == walk->ended, "%u calls, %u ended", walk->made, walk->ended);
	holds(walk,
	      !t->calls && !t->lines && !t->legs && !t->mixes && !t->plays && !t->records &&
		      !t->waiting,
	      "the books are not empty");
}

static void take_walk(struct walk *walk, uint64_t seed, const struct sim_config *config)
{
	*walk = (struct walk){.seed = seed, .random = seed, .is_proper = !config};
	crew_open(&walk->crew, config);
	telephony_set_pace(walk->crew.telephony,
			   seed % 3 == 0); /* some calls wait for their turn */
	sim_set_station(walk->crew.sim, "1005", true, true);
	walk->crew.on_fact = on_fact;
	walk->crew.user = walk;
	for (walk->step = 0; walk->step < STEPS; walk->step++) {
		take_step(walk);
		if (pick(walk, 2))
			check(walk);
		crew_forget(&walk->crew);
	}
	finish(walk);
	/* A walk that never came to these places would prove nothing. */
	holds(walk, walk->made > 100 && walk->told[TELCALL_UP] > 20, "the walk was too quiet");
}

static uint64_t first_seed(void)
{
	const char *seed = getenv("CALLTAB_SEED");

	return seed ? strtoull(seed, NULL, 10) : 1;
}

static void random_walks_leave_nothing_and_the_books_are_right(void **state)
{
	(void)state;
	static struct walk walk;
	unsigned told[TELCALL_FACT_COUNT] = {0}, accepted[COMMANDS] = {0};

	for (unsigned i = 0; i < WALKS / 2; i++) {
		take_walk(&walk, first_seed() * 1000 + i, NULL);
		crew_done(&walk.crew);
		for (unsigned k = 0; k < TELCALL_FACT_COUNT; k++)
			told[k] += walk.told[k];
		for (unsigned k = 0; k < COMMANDS; k++)
			accepted[k] += walk.accepted[k];
	}
	for (unsigned k = 0; k < TELCALL_FACT_COUNT; k++)
		if (!told[k])
			fail_msg("no walk ever came to %s", tel_call_fact_word(k));
	for (unsigned k = 0; k < COMMANDS; k++)
		if (!accepted[k])
			fail_msg("command %u was never accepted", k);
}

static void random_walks_on_a_slow_and_failing_switch_leave_nothing(void **state)
{
	(void)state;
	static struct walk walk;

	for (unsigned i = 0; i < WALKS / 2; i++) {
		struct sim_config config = {
			.latency_ms = 20 * i, .jitter_ms = 30 * (i % 3), .seed = i};
		take_walk(&walk, first_seed() * 1000 + 500 + i, &config);
		crew_done(&walk.crew);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walks_leave_nothing_and_the_books_are_right),
		cmocka_unit_test(random_walks_on_a_slow_and_failing_switch_leave_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
