#include "house.h"

#include "base/cleanup.h"

#define NODE   "gw1"
#define SEATED 2 /* agents with a page from the start */

/* --- what the doors hear --- */

static int agent_number(const struct house *house, const struct uuid *agent_id)
{
	for (int i = 1; i <= AGENTS; i++)
		if (uuid_equal(&house->agents[i], agent_id))
			return i;
	fail_msg("somebody else's");
	return 0;
}

static void on_call(void *user, enum tell_kind kind, const struct call_view *call, uint64_t epoch,
		    uint64_t seq)
{
	struct house *house = user;
	uint64_t shown_epoch, shown_seq;
	struct call_view shown;

	assert_false(house->is_in_command);
	if (house->heard_count == house->heard_capacity) {
		house->heard_capacity = house->heard_capacity ? 2 * house->heard_capacity : 64;
		house->heard = xrealloc(house->heard, house->heard_capacity * sizeof *house->heard);
	}
	house->heard[house->heard_count++] =
		(struct heard){kind, *call, seq, (unsigned)house->stable};
	/* M19: the event is the snapshot */
	assert_true(control_tab_snapshot(house->control, &call->agent_id, call->tab, &shown,
					 &shown_epoch, &shown_seq));
	assert_memory_equal(&shown, call, sizeof shown);
	assert_int_equal(shown_epoch, epoch);
	assert_int_equal(shown_seq, seq);
}

static void on_agent(void *user, const struct agent_view *agent, uint64_t epoch)
{
	struct house *house = user;

	(void)epoch;
	assert_false(house->is_in_command);
	house->heard_agent[agent_number(house, &agent->agent_id)] = *agent;
	house->agent_tells++;
}

static void on_tabs(void *user, const struct uuid *agent_id)
{
	struct house *house = user;

	(void)agent_id;
	house->tabs_tells++;
}

static void on_notice(void *user, const struct uuid *agent_id, const char *code,
		      const char *message)
{
	struct house *house = user;
	size_t length = strlen(house->notices);

	(void)agent_id;
	assert_true(message[0]);
	str_format(house->notices + length, sizeof house->notices - length, "%s ", code);
}

static void on_past(void *user, enum tell_kind kind, const struct call_view *call, uint64_t epoch,
		    uint64_t seq, int64_t age_ms)
{
	struct house *house = user;

	(void)kind;
	assert_true(call->tab > 0 && epoch > 0 && seq > 0 && age_ms >= 0);
	house->past++;
}

static void on_stable(void *user, uint64_t number)
{
	struct house *house = user;

	house->stable = number;
	control_on_stable(house->control, number);
}

static void on_wake(void *user)
{
	struct house *house = user;

	house->wakes++;
}

static void on_reply(void *user, const struct command *command, const struct reply *reply)
{
	struct house *house = user;

	assert_false(house->is_in_command);
	house->reply = *reply;
	str_copy(house->last_id, sizeof house->last_id, command->id);
	house->replies++;
}

/* --- life --- */

struct control_config house_config(void)
{
	struct control_config config = {.node = NODE,
					.preview_s = 15,
					.wrap_s = WRAP_MS / 1000,
					.ring_s = 22,
					.offer_s = 20};

	str_copy(config.caller_number, sizeof config.caller_number, "+15559999");
	return config;
}

struct control_config house_exact_config(void)
{
	struct control_config config = house_config();

	config.remember_s = 86400;
	return config;
}

static void set_agent(struct house *house, int number)
{
	struct agent_setup setup = {.agent_id = uuid_from(number, (uint8_t[10]){1})};

	house->agents[number] = setup.agent_id;
	str_format(setup.login, sizeof setup.login, "agent%d", number);
	str_format(setup.name, sizeof setup.name, "Agent %d", number);
	str_format(setup.extension, sizeof setup.extension, "100%d", number);
	control_set_agent(house->control, &setup);
}

static void set_outcome(struct house *house, const char *name, bool flag, bool is_retry)
{
	struct outcome_setup setup = {.outcome_id = uuid_from(name[0], (uint8_t[10]){2}),
				      .is_connect_xor_abort = flag,
				      .is_retry = is_retry,
				      .retry_after_s = is_retry ? 3600 : 0};

	str_copy(setup.name, sizeof setup.name, name);
	control_set_outcome(house->control, &setup);
}

static void set_up(struct house *house)
{
	struct queue_setup queue = {.queue_id = uuid_from(9, (uint8_t[10]){3}),
				    .name = "Support",
				    .number = QUEUE,
				    .script_url = "https://example.org/script"};

	for (int i = 1; i <= AGENTS; i++)
		set_agent(house, i);
	control_set_queue(house->control, &queue);
	if (!house->has_outcomes)
		return;
	set_outcome(house, "Sale", true, false);
	set_outcome(house, "Wrong person", false, false);
	set_outcome(house, "Call again", true, true);
}

static void create_control(struct house *house)
{
	struct control_listener listener = {.on_call = on_call,
					    .on_past = on_past,
					    .on_agent = on_agent,
					    .on_tabs = on_tabs,
					    .on_notice = on_notice,
					    .user = house};

	house->control =
		control_create(&house->config, &house->clock, &house->timers, on_wake, house);
	control_attach_log(house->control, house->log);
	control_listen(house->control, &listener);
	set_up(house);
	house->telephony =
		telephony_create(&house->clock, &house->timers, NODE,
				 (struct tel_call_sink){control_on_fact, house->control});
	control_attach_telephony(house->control, house->telephony);
}

static void start_switch(struct house *house)
{
	struct sim_config sim = {.ring_ms = 100, .answer_ms = 400};
	struct tel_host host = {&house->clock, &house->timers, NODE,
				telephony_driver_sink(house->telephony)};
	struct tel_driver *driver = sim_driver_create(&host, &sim, &house->sim);

	assert_int_equal(telephony_start(house->telephony, driver, NULL), ST_OK);
	for (int i = 1; i <= AGENTS; i++) {
		char extension[WORD_SIZE];

		str_format(extension, sizeof extension, "100%d", i);
		sim_set_station(house->sim, extension, i <= SEATED, true);
	}
}

static void seat(struct house *house)
{
	house_run_ms(house, 0);
	for (int i = 1; i <= AGENTS; i++)
		control_agent_present(house->control, &house->agents[i], true);
	house_run_ms(house, 0);
}

void house_open_with(struct house *house, const struct control_config *config, bool has_outcomes)
{
	*house = (struct house){.held = {.wall_us = 1795366800000000, .mono_us = 1000000},
				.config = *config,
				.has_outcomes = has_outcomes};
	house->clock = clock_held(&house->held);
	timers_init(&house->timers);
	house->log = fake_log_open(on_stable, house);
	create_control(house);
	start_switch(house);
	seat(house);
	house_forget(house);
}

void house_crash(struct house *house)
{
	telephony_destroy(house->telephony);
	control_destroy(house->control);
	fake_log_cut(house->log);
	house->past = 0;
	house->replies = house->commands; /* who was not answered never will be */
	create_control(house);
	fake_log_replay(house->log, control_recover_record, house->control);
	control_recover_end(house->control, true);
	start_switch(house);
	seat(house);
}

void house_open(struct house *house)
{
	struct control_config config = house_config();

	house_open_with(house, &config, true);
}

int house_setup(void **state)
{
	struct house *house = xmalloc(sizeof *house);

	house_open(house);
	*state = house;
	return 0;
}

int house_teardown(void **state)
{
	house_close(*state);
	free(*state);
	return 0;
}

static bool rest(struct house *house, int agent, int tab)
{
	struct call_view view;
	uint64_t epoch, seq;
	struct command command;

	if (!control_tab_snapshot(house->control, &house->agents[agent], tab, &view, &epoch,
				  &seq) ||
	    view.state == CALL_END)
		return true;
	command =
		command_of(house, view.can & CAN_RELEASE ? CMD_RELEASE : CMD_END_WRAP, agent, tab);
	house_send(house, &command);
	return false;
}

static bool rest_all(struct house *house)
{
	bool is_at_rest = true;

	for (int agent = 1; agent <= AGENTS; agent++) {
		int tabs[TAB_MAX];
		unsigned count = control_tabs(house->control, &house->agents[agent], tabs);

		for (unsigned i = 0; i < count; i++)
			is_at_rest &= rest(house, agent, tabs[i]);
	}
	return is_at_rest;
}

static void hang_up_callers(struct house *house)
{
	struct sim_leg_view *views = xcalloc(4096, sizeof *views);
	unsigned count = sim_legs(house->sim, views, 4096);

	for (unsigned i = 0; i < count && i < 4096; i++)
		if (!views[i].is_station)
			sim_party_hangup(house->sim, views[i].leg);
	free(views);
}

void house_rest(struct house *house)
{
	fake_log_refuse(house->log, false);
	house->is_log_slow = false;
	control_on_degraded(house->control, false, NULL);
	sim_link_up(house->sim);
	house_run_ms(house, 0);
	for (int i = 1; i <= AGENTS; i++)
		says(house, i, AGENT_NOT_READY);
	for (int i = 0; i < 50 && !rest_all(house); i++)
		house_run_ms(house, 100);
	hang_up_callers(house);
	house_run_ms(house, 20000);
}

void house_close(struct house *house)
{
	house_rest(house);
	assert_int_equal(figures(house).calls_live, 0);
	assert_int_equal(figures(house).waiting_callers, 0);
	assert_int_equal(legs(house), 0);
	assert_int_equal(sim_mixes(house->sim), 0);
	assert_int_equal(house->replies, house->commands);
	telephony_destroy(house->telephony);
	control_destroy(house->control);
	fake_log_close(house->log);
	assert_int_equal(house->timers.count, 0);
	timers_done(&house->timers);
	free(house->heard);
}

static void settle(struct house *house)
{
	control_poll(house->control);
	if (!house->is_log_slow)
		fake_log_sync(house->log);
	control_poll(house->control);
}

void house_run_ms(struct house *house, int64_t ms)
{
	int64_t end_us = house->held.mono_us + ms * 1000;

	settle(house);
	while (timers_next_us(&house->timers) <= end_us) {
		int64_t next_us = timers_next_us(&house->timers);

		if (next_us > house->held.mono_us)
			held_clock_advance(&house->held, next_us - house->held.mono_us);
		timers_run(&house->timers, house->held.mono_us);
		settle(house);
	}
	held_clock_advance(&house->held, end_us - house->held.mono_us);
}

void house_set_wall(struct house *house, int64_t ms)
{
	house->held.wall_us += ms * 1000;
}

/* --- commands --- */

struct command command_of(const struct house *house, enum command_kind kind, int agent, int tab)
{
	struct command command = {.kind = kind, .actor = ACTOR_AGENT, .tab = tab, .on = true};

	if (agent)
		command.agent_id = house->agents[agent];
	str_format(command.id, sizeof command.id, "c%u", house->commands + 1);
	return command;
}

void house_queue(struct house *house, const struct command *command)
{
	unsigned before = house->replies;

	house->commands++;
	house->is_in_command = true;
	control_command(house->control, command, on_reply, house);
	house->is_in_command = false;
	assert_int_equal(house->replies, before);
}

void house_run_switch(struct house *house)
{
	while (timers_next_us(&house->timers) <= house->held.mono_us)
		timers_run(&house->timers, house->held.mono_us);
}

const struct reply *house_send(struct house *house, const struct command *command)
{
	unsigned before = house->replies;

	house_queue(house, command);
	control_poll(house->control);
	for (int i = 0; i < 3 && house->config.remember_s; i++)
		settle(house);
	assert_int_equal(house->replies, before + 1);
	assert_string_equal(house->last_id, command->id);
	house_run_ms(house, 0);
	return &house->reply;
}

static void must(struct house *house, const struct command *command)
{
	const struct reply *reply = house_send(house, command);

	if (reply->status != ST_OK)
		fail_msg("%s: %s", reply->err.code, reply->err.message);
}

void does(struct house *house, enum command_kind kind, int agent, int tab)
{
	does_with(house, kind, agent, tab, "", 0);
}

void does_with(struct house *house, enum command_kind kind, int agent, int tab, const char *number,
	       int other_tab)
{
	struct command command = command_of(house, kind, agent, tab);

	str_copy(command.number, sizeof command.number, number);
	str_copy(command.digits, sizeof command.digits, number);
	command.other_tab = other_tab;
	must(house, &command);
}

void dials(struct house *house, int agent, int tab, const char *number)
{
	does_with(house, CMD_DIAL, agent, tab, number, 0);
}

void says(struct house *house, int agent, enum agent_state state)
{
	struct command command = command_of(house, CMD_AGENT_STATE, agent, 0);

	command.agent_state = state;
	must(house, &command);
}

void presents(struct house *house, int agent, int tab, const char *number)
{
	struct command command = command_of(house, CMD_PRESENT, agent, tab);

	command.actor = ACTOR_API;
	command.direction = DIR_CCOUTBOUND;
	str_copy(command.number, sizeof command.number, number);
	must(house, &command);
}

void chooses(struct house *house, int agent, int tab, const char *outcome)
{
	struct command command = command_of(house, CMD_SET_OUTCOME, agent, tab);

	str_copy(command.outcome, sizeof command.outcome, outcome);
	must(house, &command);
}

void is_refused(struct house *house, const struct command *command, const char *code)
{
	unsigned records = fake_log_count(house->log), heard = house->heard_count;
	unsigned before = legs(house), tells = house->agent_tells;
	const struct reply *reply = house_send(house, command);

	if (reply->status == ST_OK)
		fail_msg("accepted");
	assert_string_equal(reply->err.code, code);
	assert_int_equal(reply->err.status, reply->status);
	assert_true(reply->err.message[0]);
	assert_int_equal(fake_log_count(house->log), records);
	assert_int_equal(house->heard_count, heard);
	assert_int_equal(house->agent_tells, tells);
	assert_int_equal(legs(house), before);
}

void is_refused_plain(struct house *house, enum command_kind kind, int agent, int tab,
		      const char *code)
{
	struct command command = command_of(house, kind, agent, tab);

	str_copy(command.number, sizeof command.number, OTHER);
	str_copy(command.digits, sizeof command.digits, "1");
	str_copy(command.sound, sizeof command.sound, "hello");
	str_copy(command.outcome, sizeof command.outcome, "Sale");
	command.retry_at_ms = house->held.wall_us / 1000 + 3600000;
	command.other_tab = tab == 1 ? 2 : 1;
	is_refused(house, &command, code);
}

void talks(struct house *house, int agent, int tab, const char *number)
{
	dials(house, agent, tab, number);
	house_run_ms(house, 2000);
	assert_tab(house, agent, tab, "talk");
}

void ends_wrap(struct house *house, int agent, int tab)
{
	does(house, CMD_END_WRAP, agent, tab);
	assert_tab(house, agent, tab, "end");
}

/* --- the outside --- */

void calls_in(struct house *house, const char *from, const char *dnis)
{
	char leg[TEL_ID_SIZE];

	assert_int_equal(sim_call_in(house->sim, from, "Clara Customer", dnis, leg, NULL), ST_OK);
	house_run_ms(house, 0);
}

const char *leg_of(struct house *house, const char *party)
{
	static char leg[TEL_ID_SIZE];
	struct sim_leg_view *views = xcalloc(4096, sizeof *views);
	unsigned count = sim_legs(house->sim, views, 4096);

	leg[0] = 0;
	for (unsigned i = 0; i < count && i < 4096; i++)
		if (!strcmp(views[i].party, party))
			str_copy(leg, sizeof leg, views[i].leg);
	free(views);
	return leg;
}

void hangs_up(struct house *house, const char *party)
{
	const char *leg = leg_of(house, party);

	if (!leg[0])
		fail_msg("%s is in no call", party);
	assert_int_equal(sim_party_hangup(house->sim, leg), ST_OK);
	house_run_ms(house, 0);
}

unsigned legs(struct house *house)
{
	return sim_legs(house->sim, NULL, 0);
}

/* --- what the doors know --- */

const struct call_view *told(struct house *house, int agent, int tab)
{
	static struct call_view view;
	uint64_t epoch, seq;

	if (!control_tab_snapshot(house->control, &house->agents[agent], tab, &view, &epoch, &seq))
		fail_msg("agent %d's tab %d never had a call", agent, tab);
	return &view;
}

const char *state_of(struct house *house, int agent, int tab)
{
	struct call_view view;
	uint64_t epoch, seq;

	return control_tab_snapshot(house->control, &house->agents[agent], tab, &view, &epoch, &seq)
		       ? call_state_word(view.state)
		       : "";
}

bool can_do(struct house *house, int agent, int tab, unsigned can)
{
	return (told(house, agent, tab)->can & can) == can;
}

struct control_figures figures(struct house *house)
{
	struct control_figures result;

	control_figures(house->control, &result);
	return result;
}

const char *states_told(struct house *house, int agent, int tab, char *buffer, unsigned size)
{
	buffer[0] = 0;
	for (unsigned i = 0; i < house->heard_count; i++) {
		const struct heard *heard = &house->heard[i];
		size_t length = strlen(buffer);

		if (heard->kind != TELL_STATE || heard->call.tab != tab ||
		    !uuid_equal(&heard->call.agent_id, &house->agents[agent]))
			continue;
		str_format(buffer + length, size - length, "%s%s", length ? " " : "",
			   call_client_word(heard->call.state));
	}
	return buffer;
}

void house_forget(struct house *house)
{
	house->heard_count = 0;
	house->agent_tells = house->tabs_tells = 0;
	house->notices[0] = 0;
}
