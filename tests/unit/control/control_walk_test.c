/* Sixty thousand random things, done by three agents, their callers, the switch, the database and
 * the clock; what must always hold is checked after each. CALLTAB_SEED=n repeats a walk that
 * failed. */
#include "ledger.h"

#define STEPS 30000 /* of each walk */
#define TABS  4	    /* of each agent */

struct walk {
	struct house house;
	struct ledger ledger;
	uint64_t random, seed;
	unsigned steps, accepted, refused, heard;
	unsigned pages[AGENTS + 1];
	bool is_linked, is_stored;
	bool has_faults; /* the switch may refuse single operations: who hears whom is not promised
			    then */
};

static unsigned below(struct walk *walk, unsigned n)
{
	uint64_t z = walk->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (unsigned)((z ^ (z >> 31)) % n);
}

static const char *some_number(struct walk *walk)
{
	static const char *const numbers[] = {
		CUSTOMER,    OTHER,	    "+15550003", "+15550777",	 "+15550199", "+15550004",
		"+15550005", "+15550006",   "+15550007", "+15550008",	 BUSY_NUMBER, "+15550404",
		"+15550480", SILENT_NUMBER, DEAD_NUMBER, "not a number", "1001",      "1002",
	};

	/* agents in each other's calls would be heard by the customers of both */
	return numbers[below(walk,
			     sizeof numbers / sizeof numbers[0] - (walk->has_faults ? 0 : 2))];
}

/* --- commands --- */

static const struct {
	unsigned can;
	enum command_kind kind;
} promises[] = {
	{CAN_DIAL, CMD_DIAL},
	{CAN_ANSWER, CMD_ANSWER},
	{CAN_RELEASE, CMD_RELEASE},
	{CAN_HOLD, CMD_HOLD},
	{CAN_RESUME, CMD_RESUME},
	{CAN_TRANSFER_BLIND, CMD_TRANSFER_BLIND},
	{CAN_TRANSFER_CONSULT, CMD_TRANSFER_CONSULT},
	{CAN_TRANSFER_COMPLETE, CMD_TRANSFER_COMPLETE},
	{CAN_CONFERENCE, CMD_CONFERENCE},
	{CAN_CANCEL_CONSULT, CMD_CANCEL_CONSULT},
	{CAN_DTMF, CMD_DTMF},
	{CAN_PLAY, CMD_PLAY},
	{CAN_MUTE, CMD_MUTE},
	{CAN_REJECT, CMD_REJECT},
	{CAN_SKIP, CMD_SKIP},
	{CAN_PAUSE, CMD_PAUSE_TIMER},
	{CAN_UNPAUSE, CMD_RESUME_TIMER},
	{CAN_OUTCOME, CMD_SET_OUTCOME},
	{CAN_END_WRAP, CMD_END_WRAP},
	{CAN_LEAVE, CMD_LEAVE},
	{CAN_CALLBACK, CMD_SCHEDULE_CALLBACK},
	{CAN_RECORD_START, CMD_RECORD_START},
	{CAN_RECORD_STOP, CMD_RECORD_STOP},
	{CAN_RECORD_PAUSE, CMD_RECORD_PAUSE},
	{CAN_RECORD_RESUME, CMD_RECORD_RESUME},
};
_Static_assert(sizeof promises / sizeof promises[0] == CAN_COUNT, "every ability");

static bool view_of(struct walk *walk, int agent, int tab, struct call_view *view)
{
	uint64_t epoch, seq;

	return control_tab_snapshot(walk->house.control, &walk->house.agents[agent], tab, view,
				    &epoch, &seq);
}

/* A held tab of this agent other than `tab`, or any. */
static int held_tab(struct walk *walk, int agent, int tab)
{
	struct call_view view;

	for (int i = 1; i <= TAB_MAX; i++)
		if (i != tab && view_of(walk, agent, i, &view) && call_state_is_held(view.state))
			return i;
	return 1 + (int)below(walk, TABS);
}

static struct command some_command(struct walk *walk, enum command_kind kind, int agent, int tab)
{
	static const char *const outcomes[] = {"Sale", "Wrong person", "Call again",
					       "nobody configured this"};
	struct command command = command_of(&walk->house, kind, agent, tab);

	str_copy(command.number, sizeof command.number, some_number(walk));
	str_copy(command.digits, sizeof command.digits, below(walk, 8) ? "42#" : "4x");
	str_copy(command.sound, sizeof command.sound, "hello");
	str_copy(command.outcome, sizeof command.outcome, outcomes[below(walk, 4)]);
	command.other_tab = held_tab(walk, agent, tab);
	command.on = below(walk, 2);
	command.retry_at_ms = walk->house.held.wall_us / 1000 + 3600000;
	command.agent_state = (enum agent_state)(1 + below(walk, AGENT_STATE_COUNT - 1));
	command.direction = below(walk, 2) ? DIR_OUTBOUND : DIR_CCOUTBOUND;
	return command;
}

/* Refusals that `can` does not speak of: arguments, the switch, storage. */
static bool is_no_matter_of_state(const char *code)
{
	static const char *const codes[] = {
		"number.invalid",  "digits.invalid",
		"outcome.unknown", "sound.not_found",
		"switch.away",	   "switch.busy",
		"storage.away",	   "tab.same",
		"tab.not_held",	   "call.unknown",
		"agent.busy",	   "call.not_up",
		"call.not_held",   "call.not_in_conference",
	};

	for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (!strcmp(code, codes[i]))
			return true;
	return false;
}

static void fail_walk(struct walk *walk, const char *what, const char *more)
{
	fail_msg("CALLTAB_SEED=%llu, step %u: %s %s", (unsigned long long)walk->seed, walk->steps,
		 what, more);
}

/* promised: 1 by `can`, 0 not, -1 nobody knows */
static void send(struct walk *walk, const struct command *command, int promised)
{
	const struct reply *reply = house_send(&walk->house, command);

	walk->accepted += reply->status == ST_OK;
	walk->refused += reply->status != ST_OK;
	if (reply->status != ST_OK && (!reply->err.code[0] || !reply->err.message[0]))
		fail_walk(walk, "refused without a reason", "");
	if (promised == 1 && reply->status != ST_OK && !is_no_matter_of_state(reply->err.code))
		fail_walk(walk, "can promised what was refused:", reply->err.message);
	if (promised == 0 && reply->status == ST_OK)
		fail_walk(walk, "can hid what was accepted on", command->id);
}

/* Mostly something that is possible now. */
static unsigned some_ability(struct walk *walk, unsigned can)
{
	unsigned which = below(walk, CAN_COUNT);

	if (can && below(walk, 8))
		while (!(can & promises[which].can))
			which = (which + 1) % CAN_COUNT;
	/* calls are for talking, not for being ended at once */
	if ((promises[which].can & (CAN_RELEASE | CAN_END_WRAP | CAN_SKIP | CAN_REJECT)) &&
	    below(walk, 2))
		which = below(walk, CAN_COUNT);
	return which;
}

static void a_tab_command(struct walk *walk)
{
	int agent = 1 + (int)below(walk, AGENTS), tab = 1 + (int)below(walk, TABS);
	struct call_view view;
	bool is_known = view_of(walk, agent, tab, &view) && walk->is_stored;
	unsigned which = some_ability(walk, is_known ? view.can : CAN_DIAL);
	struct command command = some_command(walk, promises[which].kind, agent, tab);
	/* what an ended call can do is not told again when the agent's other calls change it */
	bool is_promise = is_known && view.state != CALL_END;

	send(walk, &command, is_promise ? (view.can & promises[which].can) != 0 : -1);
}

static void sign_in_again(struct walk *walk)
{
	unsigned agent = 1 + below(walk, AGENTS);

	for (; walk->pages[agent]; walk->pages[agent]--)
		control_agent_present(walk->house.control, &walk->house.agents[agent], false);
	control_agent_present(walk->house.control, &walk->house.agents[agent], true);
	walk->pages[agent] = 1;
}

static void another_command(struct walk *walk)
{
	static const enum command_kind kinds[] = {CMD_AGENT_STATE, CMD_PRESENT, CMD_PRESENT,
						  CMD_DIAL, CMD_HOLDRESUME};
	struct command command =
		some_command(walk, kinds[below(walk, 5)], 1 + (int)below(walk, AGENTS),
			     (int)below(walk, TABS + 1));

	if (command.kind == CMD_AGENT_STATE && below(walk, 4) == 0) {
		sign_in_again(walk);
		return;
	}
	if (command.kind == CMD_AGENT_STATE && below(walk, 20) == 0) {
		command.actor = ACTOR_API;
		command.agent_state = AGENT_LOGGED_OUT;
	}
	send(walk, &command, -1);
}

/* --- the world --- */

static void some_party_acts(struct walk *walk)
{
	struct sim_leg_view views[64];
	unsigned count = sim_legs(walk->house.sim, views, 64);
	const char *leg;

	if (!count)
		return;
	leg = views[below(walk, count < 64 ? count : 64)].leg;
	switch (below(walk, 3)) {
	case 0:
		sim_party_answer(walk->house.sim, leg);
		break;
	case 1:
		sim_party_press(walk->house.sim, leg, "5");
		break;
	default:
		sim_party_hangup(walk->house.sim, leg);
		break;
	}
}

static void somebody_calls(struct walk *walk)
{
	static const char *const dialed[] = {QUEUE, QUEUE, "1001", "1002", "4711"};
	char leg[TEL_ID_SIZE];

	if (figures(&walk->house).waiting_callers < 5)
		assert_int_equal(sim_call_in(walk->house.sim, "+15551234", "Somebody",
					     dialed[below(walk, 5)], leg, NULL),
				 ST_OK);
}

static void the_link_changes(struct walk *walk)
{
	if (walk->is_linked && below(walk, 4) == 0) {
		sim_restart(walk->house.sim);
		return;
	}
	if (walk->is_linked)
		sim_link_down(walk->house.sim);
	else
		sim_link_up(walk->house.sim);
	walk->is_linked = !walk->is_linked;
}

static void storage_changes(struct walk *walk)
{
	walk->is_stored = !walk->is_stored;
	walk->house.is_log_slow = !walk->is_stored;
	control_on_degraded(walk->house.control, !walk->is_stored, "gone");
}

static void a_telephone_changes(struct walk *walk)
{
	char station[8];

	str_format(station, sizeof station, "100%u", 1 + below(walk, AGENTS));
	sim_set_station(walk->house.sim, station, below(walk, 4) != 0, true);
}

static void a_page_changes(struct walk *walk)
{
	unsigned agent = 1 + below(walk, AGENTS);
	bool is_coming = walk->pages[agent] == 0 || (walk->pages[agent] == 1 && below(walk, 2));

	walk->pages[agent] += is_coming ? 1 : -1u;
	control_agent_present(walk->house.control, &walk->house.agents[agent], is_coming);
}

static void something_happens(struct walk *walk)
{
	static const char *const ops[] = {"mix_add", "mix_remove", "leg_mute", "leg_make",
					  "leg_answer"};
	unsigned what = below(walk, 1000);

	if (what < 600)
		a_tab_command(walk);
	else if (what < 700)
		another_command(walk);
	else if (what < 740)
		some_party_acts(walk);
	else if (what < 770)
		somebody_calls(walk);
	else if (what < 780)
		a_page_changes(walk);
	else if (what < 784)
		a_telephone_changes(walk);
	else if (what < 790)
		the_link_changes(walk);
	else if (what < 796)
		storage_changes(walk);
	else if (what < 799)
		house_set_wall(&walk->house, ((int)below(walk, 200) - 100) * 60000);
	else if (what < 803 && walk->has_faults)
		sim_busy_next(walk->house.sim, 1 + below(walk, 3));
	else if (what < 807 && walk->has_faults)
		assert_int_equal(sim_fail_next(walk->house.sim, ops[below(walk, 5)], "no"), ST_OK);
	else
		house_run_ms(&walk->house,
			     below(walk, 20) ? below(walk, 1500) : below(walk, 40000));
	if (below(walk, 8) == 0) { /* most outages are short */
		if (!walk->is_linked)
			the_link_changes(walk);
		if (!walk->is_stored)
			storage_changes(walk);
	}
}

/* --- what must hold --- */

static void check_agent(struct walk *walk, int agent)
{
	unsigned active = 0, conferences = 0;
	struct call_view view;

	for (int tab = 1; tab <= TAB_MAX; tab++) {
		if (!view_of(walk, agent, tab, &view))
			continue;
		conferences += view.state == CALL_CONFERENCE;
		active += view.state == CALL_TALK || view.state == CALL_CONSULT ||
			  view.state == CALL_RINGING || view.state == CALL_ANSWERING;
	}
	if (active + (conferences > 0) > 1)
		fail_walk(walk, "two active calls of one agent", "");
	if (conferences == 1 || conferences > 2)
		fail_walk(walk, "a conference of one, or of four", "");
}

static void check(struct walk *walk)
{
	house_run_ms(&walk->house, 0);
	if (!walk->is_stored)
		return;
	ledger_read(&walk->ledger, &walk->house);
	for (int agent = 1; agent <= AGENTS; agent++)
		check_agent(walk, agent);
}

/* The one leg of this party, or NULL: the same number may be called twice. */
static const char *only_leg(struct walk *walk, const char *party)
{
	static char leg[TEL_ID_SIZE];
	struct sim_leg_view views[64];
	unsigned count = sim_legs(walk->house.sim, views, 64), found = 0;

	for (unsigned i = 0; i < count && i < 64; i++)
		if (!strcmp(views[i].party, party)) {
			str_copy(leg, sizeof leg, views[i].leg);
			found++;
		}
	return found == 1 ? leg : NULL;
}

static void check_heard(struct walk *walk, const struct call_view *call)
{
	const char *leg = only_leg(walk, call->phone);
	char heard[160];

	if (!leg)
		return;
	sim_heard_by(walk->house.sim, leg, heard, sizeof heard);
	walk->heard++;
	if (call_state_is_held(call->state) && strcmp(heard, "music") != 0)
		fail_walk(walk, "a held party hears", heard);
	if (call_state_is_active(call->state) && !strstr(heard, call->extension) != call->is_muted)
		fail_walk(walk, "the party of an active call hears", heard);
}

/* With the switch and storage there and all telephones in reach, after a moment in which nothing
 * happens, who talks is heard and who is held hears music. */
static void check_audio(struct walk *walk)
{
	struct call_view view;

	if (!walk->is_linked || !walk->is_stored || walk->has_faults)
		return;
	house_run_ms(&walk->house, 1500);
	check(walk);
	for (int agent = 1; agent <= AGENTS; agent++)
		for (int tab = 1; tab <= TAB_MAX; tab++)
			if (view_of(walk, agent, tab, &view))
				check_heard(walk, &view);
}

static void open_walk(struct walk *walk, bool has_faults)
{
	const char *seed = getenv("CALLTAB_SEED");

	memset(walk, 0, sizeof *walk);
	walk->seed = walk->random = seed ? strtoull(seed, NULL, 10) : 1;
	walk->is_linked = walk->is_stored = true;
	walk->has_faults = has_faults;
	house_open(&walk->house);
	sim_set_station(walk->house.sim, "1003", true, true);
	for (int agent = 1; agent <= AGENTS; agent++) {
		walk->pages[agent] = 1;
		says(&walk->house, agent, AGENT_READY);
	}
}

static void close_walk(struct walk *walk)
{
	struct house *house = &walk->house;

	if (!walk->is_stored)
		storage_changes(walk);
	sim_link_up(house->sim);
	sim_busy_next(house->sim, 0);
	house_run_ms(house, 2000);
	for (int i = 1; i <= AGENTS; i++) { /* who signed out signs in again */
		for (unsigned page = 0; page < walk->pages[i]; page++)
			control_agent_present(house->control, &house->agents[i], false);
		control_agent_present(house->control, &house->agents[i], true);
	}
	ledger_read(&walk->ledger, house);
	house_rest(house);
	ledger_read(&walk->ledger, house);
	ledger_close(&walk->ledger);
	house_close(house);
	print_message("# %u things: %u commands accepted, %u refused; %u calls, %u records, %u "
		      "tells, %u times listened\n",
		      walk->steps, walk->accepted, walk->refused, walk->ledger.ended,
		      walk->ledger.records, walk->ledger.tells, walk->heard);
}

static void go(bool has_faults)
{
	struct walk *walk = malloc(sizeof *walk);

	open_walk(walk, has_faults);
	for (walk->steps = 0; walk->steps < STEPS; walk->steps++) {
		something_happens(walk);
		check(walk);
		if (walk->steps % 50 == 0)
			check_audio(walk);
	}
	close_walk(walk);
	assert_true(walk->ledger.ended > STEPS / 50);
	assert_true(has_faults || walk->heard > STEPS / 200);
	free(walk);
}

static void whatever_people_do_calls_begin_and_end_and_are_told(void **state)
{
	(void)state;
	go(false);
}

static void whatever_the_switch_refuses_calls_begin_and_end_and_are_told(void **state)
{
	(void)state;
	go(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_people_do_calls_begin_and_end_and_are_told),
		cmocka_unit_test(whatever_the_switch_refuses_calls_begin_and_end_and_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
