/* The whole tab door without sockets (hub_lines.h). What only a real socket can show is in
 * tests/integration/ws_wire.test.mjs; what a window gets that was away is in hub_resume_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/unit/ws/hub_lines.h"

/* ---- presence ---- */

static void an_agent_is_present_from_his_first_window_to_his_last(void **state)
{
	(void)state;
	struct line one, two;

	open_line(&one, 7, 7, 0);
	assert_false(fake_is_present(control, 7));
	attach(&one, 1, "");
	assert_true(fake_is_present(control, 7));
	open_attached(&two, 7, 2);
	assert_int_equal(fake_present_count(control), 1);
	hang_up(&one);
	assert_true(fake_is_present(control, 7));
	channel_close(two.channel, CLOSE_SLOW,
		      ""); /* gone for him at once, not when the socket is */
	assert_false(fake_is_present(control, 7));
	hang_up(&two);
	assert_int_equal(fake_present_count(control), 0);
}

static void a_page_that_replaces_itself_is_present_all_the_time(void **state)
{
	(void)state;
	struct line old, young, tab2;

	open_line(&old, 7, 7, 0);
	attach(&old, 1, "page");
	open_line(&tab2, 7, 7, 0);
	attach(&tab2, 2, "page");
	open_line(&young, 7, 7, 0);
	attach(&young, 1, "page");
	assert_int_equal(old.close_code, CLOSE_REPLACED);
	assert_int_equal(young.close_code, 0);
	assert_int_equal(tab2.close_code, 0);
	hang_up(&tab2);
	assert_true(fake_is_present(control, 7));
	hang_up(&old);
	assert_true(fake_is_present(control, 7));
	hang_up(&young);
	assert_false(fake_is_present(control, 7));
}

static void an_agent_has_a_limit_of_windows(void **state)
{
	(void)state;
	struct line *lines = xcalloc(65, sizeof(*lines));

	for (int i = 0; i < 64; i++)
		open_attached(&lines[i], 7, 1);
	open_line(&lines[64], 7, 7, 0);
	attach(&lines[64], 1, "");
	assert_non_null(strstr(lines[64].last, "agent.too_many_windows"));
	hang_up(&lines[0]);
	attach(&lines[64], 1, "");
	assert_non_null(strstr(lines[64].last, "\"result\""));
	for (int i = 1; i < 65; i++)
		hang_up(&lines[i]);
	free(lines);
}

/* ---- what is told ---- */

static void a_tab_is_told_once_for_all_its_windows(void **state)
{
	(void)state;
	struct line one, two, other, stranger;

	open_attached(&one, 7, 1);
	open_attached(&two, 7, 1);
	open_attached(&other, 7, 2);
	open_attached(&stranger, 8, 1);
	fake_tell_call(control, 7, 1, CALL_TALK, "m");
	assert_int_equal(one.texts, 2);
	assert_non_null(strstr(one.last, "\"method\":\"state\""));
	assert_string_equal(one.last, two.last);
	assert_int_equal(other.texts, 1);
	assert_int_equal(stranger.texts, 1);
	fake_tell_agent(control, 7, AGENT_AWAY);
	fake_tell_tabs(control, 7);
	assert_int_equal(one.texts, 4);
	assert_int_equal(other.texts, 3);
	assert_int_equal(stranger.texts, 1);
	hang_up(&one);
	hang_up(&two);
	hang_up(&other);
	hang_up(&stranger);
	fake_tell_call(control, 7, 1, CALL_WRAP, "m"); /* to nobody */
}

static void a_slow_window_goes_while_its_neighbours_are_told(void **state)
{
	(void)state;
	struct line lines[3];

	for (int i = 0; i < 3; i++)
		open_attached(&lines[i], 7, 1);
	lines[0].is_choked = lines[2].is_choked = true;
	for (int i = 0; i < 65; i++)
		fake_tell_call(control, 7, 1, CALL_TALK, "");
	assert_int_equal(figures().closed_slow, 2);
	assert_int_equal(lines[1].texts, 66);
	lines[0].is_choked = false;
	channel_on_writable(lines[0].channel);
	assert_int_equal(lines[0].close_code, CLOSE_SLOW);
	fake_tell_call(control, 7, 1, CALL_TALK, "");
	assert_int_equal(lines[0].texts, 1);
	for (int i = 0; i < 3; i++)
		hang_up(&lines[i]);
}

/* More than a slice of them, some of whom leave between the slices. */
static void a_notice_reaches_everybody_also_when_some_leave_meanwhile(void **state)
{
	(void)state;
	enum { COUNT = 700 };
	struct line *lines = xcalloc(COUNT, sizeof(*lines));

	for (int i = 0; i < COUNT; i++)
		open_attached(&lines[i], (unsigned)i + 1, 1);
	fake_tell_notice(control, 0, "switch.away", "gone");
	assert_int_equal(lines[0].texts, 2);
	assert_int_equal(lines[COUNT - 1].texts, 1); /* not yet */
	for (int i = 250; i < 260; i++)		     /* around where the first slice ended */
		hang_up(&lines[i]);
	fake_tell_notice(control, 0, "switch.ok", "back");
	advance(100 * MS);
	for (int i = 0; i < COUNT; i++) {
		if (!lines[i].channel)
			continue;
		assert_int_equal(lines[i].texts, 3);
		assert_non_null(strstr(lines[i].last, "switch.ok"));
		hang_up(&lines[i]);
	}
	free(lines);
}

static void a_job_survives_that_all_leave(void **state)
{
	(void)state;
	enum { COUNT = 600 };
	struct line *lines = xcalloc(COUNT, sizeof(*lines));

	for (int i = 0; i < COUNT; i++)
		open_attached(&lines[i], (unsigned)i + 1, 1);
	fake_tell_notice(control, 0, "switch.away", "gone");
	for (int i = 0; i < COUNT; i++)
		hang_up(&lines[i]);
	advance(100 * MS);
	free(lines);
}

static void a_hub_may_end_in_the_middle_of_a_job(void **state)
{
	(void)state;
	enum { COUNT = 300 };
	struct line *lines = xcalloc(COUNT, sizeof(*lines));
	const struct ws_config config = {0};
	struct hub *other = hub_create(&config, &wire_ops, &clock_of_test, &timers, control);
	const struct ticket ticket = {.agent_id = fake_uuid(1, 7)};

	for (int i = 0; i < COUNT; i++)
		lines[i].channel = hub_open(other, &lines[i], &ticket);
	hub_close_all(other, CLOSE_RESTART, 0);
	assert_int_equal(lines[COUNT - 1].close_code, 0);
	hub_destroy(other);
	assert_int_equal(timers_next_us(&timers), INT64_MAX);
	free(lines);
}

/* ---- time ---- */

static void who_does_not_attach_in_five_seconds_is_closed_and_cut_three_later(void **state)
{
	(void)state;
	struct line line;

	open_line(&line, 7, 7, 0);
	say(&line, "{}"); /* a refused request is no attachment */
	advance(5 * S - 1);
	assert_int_equal(line.close_code, 0);
	advance(1);
	assert_int_equal(line.close_code, CLOSE_POLICY);
	advance(3 * S - 1);
	assert_false(line.is_killed);
	advance(1);
	assert_true(line.is_killed);
	hang_up(&line);
}

static void a_session_ends_on_time_whatever_the_wall_clock_does(void **state)
{
	(void)state;
	struct line line, unattached, endless;

	open_line(&line, 7, 7, 3600 * 1000);
	attach(&line, 1, "");
	open_line(&unattached, 8, 8, 2000);
	open_attached(&endless, 9, 1);
	held.wall_us += 3600 * S;
	advance(2 * S);
	assert_int_equal(unattached.close_code, CLOSE_NOT_SIGNED_IN);
	for (int minute = 0; minute < 59; minute++) {
		hub_hear_pong(line.channel);
		hub_hear_pong(endless.channel);
		assert_int_equal(line.texts, 1);
		advance(60 * S);
	}
	assert_int_equal(line.texts, 2);
	assert_non_null(strstr(line.last, "token.expiring"));
	hub_hear_pong(line.channel);
	hub_hear_pong(endless.channel);
	advance(57 * S);
	assert_int_equal(line.close_code, 0);
	advance(1 * S);
	assert_int_equal(line.close_code, CLOSE_NOT_SIGNED_IN);
	assert_int_equal(endless.close_code, 0);
	hang_up(&line);
	hang_up(&unattached);
	hang_up(&endless);
}

static void a_session_that_ends_within_a_minute_is_told_at_once(void **state)
{
	(void)state;
	struct line line;

	open_line(&line, 7, 7, 30000);
	attach(&line, 1, "");
	assert_int_equal(line.texts, 2);
	assert_non_null(strstr(line.last, "token.expiring"));
	advance(30 * S);
	assert_int_equal(line.texts, 2);
	assert_int_equal(line.close_code, CLOSE_NOT_SIGNED_IN);
	hang_up(&line);
}

static void each_channel_is_pinged_once_a_period(void **state)
{
	(void)state;
	enum { COUNT = 50 };
	struct line *lines = xcalloc(COUNT, sizeof(*lines));

	for (int i = 0; i < COUNT; i++)
		open_attached(&lines[i], (unsigned)i + 1, 1);
	for (int second = 0; second < 300; second++) {
		advance(S);
		for (int i = 0; i < COUNT; i++)
			while (lines[i].channel->pings_unanswered > 0)
				hub_hear_pong(lines[i].channel);
	}
	for (int i = 0; i < COUNT; i++) {
		assert_in_range(lines[i].pings, 9, 11);
		assert_false(lines[i].is_killed);
	}
	assert_in_range(figures().pings, 10 * COUNT - COUNT, 10 * COUNT + COUNT);
	for (int i = 0; i < COUNT; i++)
		hang_up(&lines[i]);
	free(lines);
}

static void pings_go_round_while_channels_come_and_go(void **state)
{
	(void)state;
	enum { COUNT = 20 };
	struct line *lines = xcalloc(COUNT, sizeof(*lines));

	for (int i = 0; i < COUNT; i++)
		open_attached(&lines[i], (unsigned)i + 1, 1);
	for (int step = 0; step < 1000; step++) {
		advance(331 * MS);
		struct line *line = &lines[(step * 7) % COUNT];
		if (step % COUNT == 0)
			continue;
		hang_up(line);
		open_attached(line, (unsigned)(line - lines) + 1, 1);
	}
	for (int i = 0; i < COUNT; i++)
		hang_up(&lines[i]);
	assert_int_equal(timers_next_us(&timers),
			 INT64_MAX); /* nobody to ping, nothing to wake up for */
	free(lines);
}

static void who_is_silent_for_75_seconds_is_buried_soon_after(void **state)
{
	(void)state;
	struct line silent, choked;

	open_attached(&silent, 7, 1);
	open_attached(&choked, 8, 1);
	choked.is_choked = true;
	advance(75 * S);
	assert_false(silent.is_killed);
	assert_false(choked.is_killed);
	advance(16 * S);
	assert_true(silent.is_killed);
	assert_true(choked.is_killed);
	assert_false(fake_is_present(control, 7));
	hang_up(&silent);
	hang_up(&choked);
}

static void a_process_that_stood_still_asks_before_it_buries(void **state)
{
	(void)state;
	struct line line;

	open_attached(&line, 7, 1);
	advance(40 * S); /* one ping is out */
	while (line.channel->pings_unanswered > 0)
		hub_hear_pong(line.channel);
	held_clock_advance(&held, 600 * S); /* the machine slept */
	timers_run(&timers, held.mono_us);
	advance(20 * S);
	assert_false(line.is_killed);
	hub_hear_pong(line.channel);
	advance(70 * S);
	assert_false(line.is_killed);
	hang_up(&line);
}

/* ---- the end ---- */

static void a_restart_reaches_all_in_slices(void **state)
{
	(void)state;
	enum { COUNT = 600 };
	struct line *lines = xcalloc(COUNT, sizeof(*lines)), late;
	unsigned longest = 0;

	for (int i = 0; i < COUNT; i++)
		open_attached(&lines[i], (unsigned)i + 1, 1);
	hub_close_all(hub, CLOSE_RESTART, 3000);
	assert_int_equal(lines[COUNT - 1].close_code, 0);
	advance(100 * MS);
	for (int i = 0; i < COUNT; i++) {
		unsigned wait;
		assert_int_equal(lines[i].close_code, CLOSE_RESTART);
		assert_int_equal(sscanf(lines[i].close_reason, "retry=%u", &wait), 1);
		assert_in_range(wait, 0, 3000);
		longest = wait > longest ? wait : longest;
		hang_up(&lines[i]);
	}
	assert_true(longest > 2000);
	open_line(&late, 7, 7, 0);
	assert_int_equal(late.close_code, CLOSE_RESTART);
	hang_up(&late);
	assert_int_equal(figures().connections, 0);
	free(lines);
}

static void only_the_sockets_of_the_session_end_with_it(void **state)
{
	(void)state;
	struct line mine, theirs;
	char ticket[TICKET_SIZE];
	struct ticket ret;
	const struct ticket unused = {.agent_id = fake_uuid(1, 7), .session_id = fake_uuid(2, 70)};

	open_line(&mine, 7, 70, 0);
	open_line(&theirs, 7, 71, 0);
	assert_int_equal(tickets_make(hub_tickets(hub), &unused, NULL, ticket, NULL), ST_OK);
	hub_session_end(hub, &unused.session_id);
	assert_int_equal(mine.close_code, CLOSE_NOT_SIGNED_IN);
	assert_int_equal(theirs.close_code, 0);
	assert_false(tickets_take(hub_tickets(hub), ticket, 43, NULL, &ret));
	hang_up(&mine);
	hang_up(&theirs);
}

static void a_socket_without_a_good_ticket_says_nothing_and_hears_nothing(void **state)
{
	(void)state;
	struct line line = {0};

	line.channel = hub_open(hub, &line, NULL);
	assert_int_equal(line.close_code, CLOSE_NOT_SIGNED_IN);
	attach(&line, 1, "");
	assert_int_equal(line.texts, 0);
	assert_int_equal(fake_present_count(control), 0);
	hang_up(&line);
}

/* ---- commands ---- */

static void an_answer_goes_to_the_one_who_asked(void **state)
{
	(void)state;
	struct line one, two;

	open_attached(&one, 7, 3);
	open_attached(&two, 7, 3);
	say(&one, "{\"jsonrpc\":\"2.0\",\"id\":\"c1\",\"method\":\"hold\"}");
	assert_int_equal(fake_command(control, 0)->tab, 3);
	assert_true(uuid_equal(&fake_command(control, 0)->agent_id, &one.channel->agent_id));
	assert_int_equal(one.texts, 1);
	fake_answer_all(control, NULL);
	assert_non_null(strstr(one.last, "\"id\":\"c1\""));
	assert_int_equal(two.texts, 1);
	hang_up(&one);
	hang_up(&two);
}

static void answers_for_those_who_left_or_are_closing_go_nowhere(void **state)
{
	(void)state;
	struct line left, closing;

	open_attached(&left, 7, 1);
	open_attached(&closing, 8, 1);
	say(&left, "{\"jsonrpc\":\"2.0\",\"id\":\"c1\",\"method\":\"hold\"}");
	say(&left, "{\"jsonrpc\":\"2.0\",\"id\":\"c2\",\"method\":\"hold\"}");
	say(&closing, "{\"jsonrpc\":\"2.0\",\"id\":\"c3\",\"method\":\"hold\"}");
	hang_up(&left);
	channel_close(closing.channel, CLOSE_POLICY, "");
	assert_int_equal(fake_answer_all(control, NULL), 3);
	assert_int_equal(closing.texts, 1);
	hang_up(&closing);
}

static void an_answer_after_the_hub_is_gone_is_forgotten(void **state)
{
	(void)state;
	struct line line;
	const struct ws_config config = {0};
	struct hub *other = hub_create(&config, &wire_ops, &clock_of_test, &timers, control);
	const struct ticket ticket = {.agent_id = fake_uuid(1, 7)};

	memset(&line, 0, sizeof(line));
	line.channel = hub_open(other, &line, &ticket);
	attach(&line, 1, "");
	say(&line, "{\"jsonrpc\":\"2.0\",\"id\":\"c1\",\"method\":\"hold\"}");
	hub_destroy(other);
	assert_int_equal(fake_answer_all(control, NULL), 1);
}

/* ---- origins ---- */

static void an_origin_is_allowed_to_the_letter(void **state)
{
	(void)state;
	static const char *const others[] = {
		"",
		"null",
		"https://a.example/",
		"https://a.example:443",
		"https",
		"https://a.exampl",
		"http://a.example",
		"https://a.example.evil.test",
		"HTTPS",
		"https://A.example",
		"https://a.example\n",
		"xhttps://a.example",
	};
	static const char *const origins[] = {"null", NULL};
	const struct ws_config open = {.allow_no_origin = true}, odd = {.origins = origins};
	struct hub *other;

	assert_true(hub_allows_origin(hub, "https://a.example"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(hub_allows_origin(hub, others[i]));
	other = hub_create(&open, &wire_ops, &clock_of_test, &timers, control);
	assert_true(hub_allows_origin(other, ""));
	assert_false(hub_allows_origin(other, "https://a.example"));
	hub_destroy(other);
	other = hub_create(&odd, &wire_ops, &clock_of_test, &timers, control);
	assert_false(hub_allows_origin(other, "null")); /* even when somebody configures it */
	hub_destroy(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* ---- overload ---- */

static void a_tab_that_is_new_is_told_when_to_come_again(void **state)
{
	struct line old, fresh;

	(void)state;
	open_attached(&old, 7, 1);
	shed_set_level(&shed, OVERLOAD_TABS);
	open_line(&fresh, 8, 8, 0);
	attach(&fresh, 1, "");
	assert_int_equal(fresh.close_code, CLOSE_OVERLOAD);
	assert_memory_equal(fresh.close_reason, "retry=", 6);
	assert_in_range(atoi(fresh.close_reason + 6), 1000, 5000);
	assert_int_equal(fresh.texts, 0);
	assert_false(fake_is_present(control, 8));
	/* who is there stays, and is told and answered as ever */
	fake_tell_call(control, 7, 1, CALL_TALK, "m");
	assert_int_equal(old.events, 1);
	say(&old, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}");
	assert_non_null(strstr(old.last, "serverTime"));
	assert_int_equal(old.close_code, 0);
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_TABS]), 1);
	hang_up(&old);
	hang_up(&fresh);
}

static void attach_at(struct line *line, const char *more)
{
	char text[200];

	open_line(line, 7, 7, 0);
	snprintf(
		text, sizeof(text),
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"attach\",\"params\":{\"tab\":1%s}}",
		more);
	say(line, text);
}

static void a_tab_that_comes_back_is_let_in_until_the_last_level(void **state)
{
	struct line back, loaded_again, other_tab, ended;

	(void)state;
	shed_set_level(&shed, OVERLOAD_TABS);
	attach_at(&back, ",\"epoch\":1,\"seq\":0");
	assert_int_equal(back.close_code, 0);
	/* the page was loaded again and knows no number, but its call is up */
	fake_tell_call(control, 7, 1, CALL_TALK, "m");
	attach_at(&loaded_again, "");
	assert_int_equal(loaded_again.close_code, 0);
	open_line(&other_tab, 7, 7, 0);
	attach(&other_tab, 2, "");
	assert_int_equal(other_tab.close_code, CLOSE_OVERLOAD);
	fake_tell_call(control, 7, 1, CALL_END, "m");
	attach_at(&ended, "");
	assert_int_equal(ended.close_code, CLOSE_OVERLOAD);
	hang_up(&ended);
	shed_set_level(&shed, OVERLOAD_RESUMES);
	attach_at(&ended, ",\"epoch\":1,\"seq\":0");
	assert_int_equal(ended.close_code, CLOSE_OVERLOAD);
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_TABS]), 2);
	assert_int_equal(atomic_load(&shed.refused[OVERLOAD_RESUMES]), 1);
	hang_up(&back);
	hang_up(&loaded_again);
	hang_up(&other_tab);
	hang_up(&ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_agent_is_present_from_his_first_window_to_his_last),
		TEST(a_page_that_replaces_itself_is_present_all_the_time),
		TEST(an_agent_has_a_limit_of_windows),
		TEST(a_tab_is_told_once_for_all_its_windows),
		TEST(a_slow_window_goes_while_its_neighbours_are_told),
		TEST(a_notice_reaches_everybody_also_when_some_leave_meanwhile),
		TEST(a_job_survives_that_all_leave),
		TEST(a_hub_may_end_in_the_middle_of_a_job),
		TEST(who_does_not_attach_in_five_seconds_is_closed_and_cut_three_later),
		TEST(a_session_ends_on_time_whatever_the_wall_clock_does),
		TEST(a_session_that_ends_within_a_minute_is_told_at_once),
		TEST(each_channel_is_pinged_once_a_period),
		TEST(pings_go_round_while_channels_come_and_go),
		TEST(who_is_silent_for_75_seconds_is_buried_soon_after),
		TEST(a_process_that_stood_still_asks_before_it_buries),
		TEST(a_restart_reaches_all_in_slices),
		TEST(only_the_sockets_of_the_session_end_with_it),
		TEST(a_socket_without_a_good_ticket_says_nothing_and_hears_nothing),
		TEST(an_answer_goes_to_the_one_who_asked),
		TEST(answers_for_those_who_left_or_are_closing_go_nowhere),
		TEST(an_answer_after_the_hub_is_gone_is_forgotten),
		TEST(an_origin_is_allowed_to_the_letter),
		TEST(a_tab_that_is_new_is_told_when_to_come_again),
		TEST(a_tab_that_comes_back_is_let_in_until_the_last_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
