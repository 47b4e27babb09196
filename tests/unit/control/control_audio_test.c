/* Audio that is kept up between an agent's calls. */
#include "house.h"

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct house));
	house_open(*state);
	return 0;
}

static void has_audio(struct house *h, enum audio_mode mode, const char *extension)
{
	struct agent_setup agent = {.agent_id = h->agents[1], .audio = mode};

	str_copy(agent.login, sizeof agent.login, "agent1");
	str_copy(agent.extension, sizeof agent.extension, extension);
	control_set_agent(h->control, &agent);
	house_run_ms(h, 1000);
}

static int teardown(void **state)
{
	has_audio(*state, AUDIO_DESK, "1001");
	house_close(*state);
	free(*state);
	return 0;
}

static void signs_out(struct house *h)
{
	struct command command = command_of(h, CMD_AGENT_STATE, 1, 1);

	command.actor = ACTOR_API;
	command.agent_state = AGENT_LOGGED_OUT;
	assert_int_equal(house_send(h, &command)->status, ST_OK);
	house_run_ms(h, 1000);
}

static void a_desk_telephone_is_not_rung_without_a_call(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_NOT_READY);
	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	assert_int_equal(legs(h), 0);
}

static void a_nailed_one_is_rung_with_the_first_state_and_let_go_at_sign_out(void **state)
{
	struct house *h = *state;

	has_audio(h, AUDIO_NAILED, "1001");
	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	assert_true(h->heard_agent[1].is_audio_up);
	assert_int_equal(h->heard_agent[1].audio, AUDIO_NAILED);
	talks(h, 1, 1, CUSTOMER);
	assert_hears(h, CUSTOMER, "1001");
	hangs_up(h, CUSTOMER);
	ends_wrap(h, 1, 1);
	says(h, 1, AGENT_NOT_READY);
	house_run_ms(h, 300000);
	assert_int_equal(legs(h), 1);
	assert_true(h->heard_agent[1].is_audio_up);
	signs_out(h);
	assert_int_equal(legs(h), 0);
	assert_false(h->heard_agent[1].is_audio_up);
	control_agent_present(h->control, &h->agents[1], true);
	control_agent_present(h->control, &h->agents[1], false);
}

static void it_stays_over_a_reload_and_goes_a_minute_after_the_last_page(void **state)
{
	struct house *h = *state;

	has_audio(h, AUDIO_NAILED, "1001");
	says(h, 1, AGENT_READY);
	control_agent_present(h->control, &h->agents[1], false);
	house_run_ms(h, 30000);
	control_agent_present(h->control, &h->agents[1], true);
	house_run_ms(h, 70000);
	assert_int_equal(legs(h), 1);
	control_agent_present(h->control, &h->agents[1], false);
	house_run_ms(h, 59000);
	assert_int_equal(legs(h), 1);
	house_run_ms(h, 2000);
	assert_int_equal(legs(h), 0);
	control_agent_present(h->control, &h->agents[1], true);
	house_run_ms(h, 1000);
	assert_int_equal(legs(h), 1);
}

static void another_mode_or_telephone_takes_effect_at_once(void **state)
{
	struct house *h = *state;

	has_audio(h, AUDIO_NAILED, "1001");
	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	assert_string_not_equal(leg_of(h, "1001"), "");
	has_audio(h, AUDIO_NAILED, "1010");
	assert_string_equal(leg_of(h, "1001"), "");
	sim_set_station(h->sim, "1010", true, true);
	house_run_ms(h, 30000);
	assert_string_not_equal(leg_of(h, "1010"), "");
	has_audio(h, AUDIO_DESK, "1010");
	assert_int_equal(legs(h), 0);
	has_audio(h, AUDIO_NAILED, "1001");
	assert_string_not_equal(leg_of(h, "1001"), "");
}

static void after_a_restart_it_is_rung_again(void **state)
{
	struct house *h = *state;

	has_audio(h, AUDIO_NAILED, "1001");
	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	house_crash(h);
	/* the new one learns of the mode when it loads the agents; the house gives it late */
	has_audio(h, AUDIO_NAILED, "1001");
	assert_int_equal(legs(h), 1);
}

/* ---- in a page ---- */

static struct {
	char paths[200]; /* "lease:path " */
	uint64_t over;
} door;

static void on_path(void *user, const struct uuid *agent, uint64_t lease, const char *path)
{
	size_t used = strlen(door.paths);

	(void)user;
	(void)agent;
	snprintf(door.paths + used, sizeof door.paths - used, "%d:%s ", (int)lease, path);
}

static void on_over(void *user, const struct uuid *agent, uint64_t lease)
{
	(void)user;
	(void)agent;
	door.over = lease;
}

static int setup_page(void **state)
{
	const struct control_listener listener = {.on_audio_path = on_path,
						  .on_audio_over = on_over};
	struct house *h;

	setup(state);
	h = *state;
	memset(&door, 0, sizeof door);
	control_listen(h->control, &listener);
	has_audio(h, AUDIO_WS, "1001");
	return 0;
}

static uint64_t opens(struct house *h, const char *window, bool is_take)
{
	uint64_t lease = 0;

	assert_int_equal(
		control_audio_open(h->control, &h->agents[1], window, is_take, &lease, NULL),
		ST_OK);
	house_run_ms(h, 200);
	return lease;
}

static void is_not_given(struct house *h, const char *window, enum status status, const char *code)
{
	struct err err = {0};
	uint64_t lease;

	assert_int_equal(control_audio_open(h->control, &h->agents[1], window, false, &lease, &err),
			 status);
	assert_string_equal(err.code, code);
}

static void closes(struct house *h, uint64_t lease)
{
	control_audio_close(h->control, &h->agents[1], lease);
	house_run_ms(h, 100);
}

static void a_page_has_a_leg_while_its_audio_is_open(void **state)
{
	struct house *h = *state;

	says(h, 1, AGENT_READY);
	house_run_ms(h, 1000);
	assert_int_equal(legs(h), 0);
	uint64_t lease = opens(h, "one", false);
	assert_string_equal(door.paths, "1: ");
	assert_true(h->heard_agent[1].is_audio_up);
	assert_string_equal(h->heard_agent[1].audio_window, "one");
	talks(h, 1, 1, CUSTOMER);
	assert_hears(h, CUSTOMER, "1001");
	hangs_up(h, CUSTOMER);
	ends_wrap(h, 1, 1);
	closes(h, lease);
	assert_int_equal(legs(h), 0);
	assert_false(h->heard_agent[1].is_audio_up);
	assert_string_equal(h->heard_agent[1].audio_window, "one");
	house_run_ms(h, 10000);
	assert_string_equal(h->heard_agent[1].audio_window, "");
}

static void a_reload_in_a_call_brings_it_back(void **state)
{
	struct house *h = *state;
	uint64_t lease = opens(h, "one", false);

	talks(h, 1, 1, CUSTOMER);
	closes(h, lease);
	assert_hears(h, CUSTOMER, "music");
	assert_tab(h, 1, 1, "talk");
	opens(h, "one", false);
	assert_hears(h, CUSTOMER, "1001");
	closes(h, lease); /* told late: the old one's */
	assert_hears(h, CUSTOMER, "1001");
	house_run_ms(h, 60000);
	assert_tab(h, 1, 1, "talk");
}

static void a_page_that_does_not_come_back_has_hung_up(void **state)
{
	struct house *h = *state;
	uint64_t lease = opens(h, "one", false);

	talks(h, 1, 1, CUSTOMER);
	closes(h, lease);
	house_run_ms(h, 20000);
	assert_tab(h, 1, 1, "wrap");
	assert_string_equal(told(h, 1, 1)->reason, "agent_hung_up");
	assert_int_equal(legs(h), 0);
}

static void another_window_takes_it_over(void **state)
{
	struct house *h = *state;
	uint64_t lease = opens(h, "one", false);

	talks(h, 1, 1, CUSTOMER);
	is_not_given(h, "two", ST_CONFLICT, "audio.elsewhere");
	assert_hears(h, CUSTOMER, "1001");
	opens(h, "two", true);
	assert_hears(h, CUSTOMER, "1001");
	assert_string_equal(h->heard_agent[1].audio_window, "two");
	assert_string_equal(door.paths, "1: 2: ");
	closes(h, lease);
	assert_hears(h, CUSTOMER, "1001");
	is_not_given(h, "one", ST_CONFLICT, "audio.elsewhere");
	is_not_given(h, "a b", ST_INVALID, "audio.bad_window");
}

static void without_this_mode_there_is_none(void **state)
{
	struct house *h = *state;
	uint64_t lease = opens(h, "one", false);

	has_audio(h, AUDIO_DESK, "1001");
	assert_int_equal(door.over, lease);
	assert_int_equal(legs(h), 0);
	is_not_given(h, "one", ST_CONFLICT, "audio.not_here");
	talks(h, 1, 1, CUSTOMER);
	assert_hears(h, CUSTOMER, "1001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_desk_telephone_is_not_rung_without_a_call, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_nailed_one_is_rung_with_the_first_state_and_let_go_at_sign_out, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			it_stays_over_a_reload_and_goes_a_minute_after_the_last_page, setup,
			teardown),
		cmocka_unit_test_setup_teardown(another_mode_or_telephone_takes_effect_at_once,
						setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_restart_it_is_rung_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_has_a_leg_while_its_audio_is_open,
						setup_page, teardown),
		cmocka_unit_test_setup_teardown(a_reload_in_a_call_brings_it_back, setup_page,
						teardown),
		cmocka_unit_test_setup_teardown(a_page_that_does_not_come_back_has_hung_up,
						setup_page, teardown),
		cmocka_unit_test_setup_teardown(another_window_takes_it_over, setup_page, teardown),
		cmocka_unit_test_setup_teardown(without_this_mode_there_is_none, setup_page,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
