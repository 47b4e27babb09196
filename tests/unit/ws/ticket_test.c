#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ws/ticket.h"

static struct held_clock held;
static struct clock clock_of_test;
static struct tickets *tickets;

static const struct ticket ada = {
	.agent_id.bytes = {1}, .session_id.bytes = {2}, .session_expires_ms = 1234};

static int begin(void **state)
{
	(void)state;
	held = (struct held_clock){.wall_us = 1000000, .mono_us = 1000000};
	clock_of_test = clock_held(&held);
	tickets = tickets_create(&clock_of_test);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tickets_destroy(tickets);
	return 0;
}

static bool take(const char *text, const char *origin)
{
	struct ticket ret;

	return tickets_take(tickets, text, strlen(text), origin, &ret);
}

static void a_ticket_opens_once(void **state)
{
	(void)state;
	char text[TICKET_SIZE];
	struct ticket ret = {0};

	assert_int_equal(tickets_make(tickets, &ada, NULL, text, NULL), ST_OK);
	assert_int_equal(strlen(text), 43);
	assert_int_equal(
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
		43);
	assert_true(tickets_take(tickets, text, 43, "https://a", &ret));
	assert_memory_equal(&ret, &ada, sizeof(ret));
	assert_false(take(text, "https://a"));
	assert_int_equal(tickets_count(tickets), 0);
}

static void a_ticket_lives_thirty_seconds(void **state)
{
	(void)state;
	char first[TICKET_SIZE], second[TICKET_SIZE];

	assert_int_equal(tickets_make(tickets, &ada, NULL, first, NULL), ST_OK);
	assert_int_equal(tickets_make(tickets, &ada, NULL, second, NULL), ST_OK);
	held_clock_advance(&held, 30 * 1000000 - 1);
	assert_true(take(first, NULL));
	held_clock_advance(&held, 1);
	assert_false(take(second, NULL));
	assert_int_equal(tickets_count(tickets), 0);
}

static void a_jump_of_the_wall_clock_changes_nothing(void **state)
{
	(void)state;
	char text[TICKET_SIZE];

	assert_int_equal(tickets_make(tickets, &ada, NULL, text, NULL), ST_OK);
	held.wall_us += INT64_C(3600000000);
	assert_true(take(text, NULL));
}

static void a_ticket_is_good_from_its_own_origin_only_and_is_used_up_by_another(void **state)
{
	(void)state;
	char text[TICKET_SIZE];
	static const char *const others[] = {"https://a.example:444", "http://a.example", "", NULL};

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(tickets_make(tickets, &ada, "https://a.example", text, NULL),
				 ST_OK);
		assert_false(take(text, others[i]));
		assert_false(take(text, "https://a.example"));
	}
	assert_int_equal(tickets_make(tickets, &ada, "https://a.example", text, NULL), ST_OK);
	assert_true(take(text, "https://a.example"));
}

static void what_is_nearly_a_ticket_is_none(void **state)
{
	(void)state;
	char text[TICKET_SIZE], other[TICKET_SIZE + 1];
	struct ticket ret;

	assert_int_equal(tickets_make(tickets, &ada, NULL, text, NULL), ST_OK);
	for (size_t i = 0; i < 43; i++) {
		strcpy(other, text);
		other[i] = other[i] == 'A' ? 'B' : 'A';
		assert_false(take(other, NULL));
	}
	assert_false(tickets_take(tickets, text, 42, NULL, &ret));
	strcpy(other, text);
	strcat(other, "A");
	assert_false(take(other, NULL));
	assert_false(take("", NULL));
	assert_true(take(text, NULL));
}

static void one_session_cannot_fill_the_table(void **state)
{
	(void)state;
	char text[TICKET_SIZE] = "untouched";
	struct ticket other = ada;
	struct err err;

	for (int i = 0; i < TICKETS_PER_SESSION; i++)
		assert_int_equal(tickets_make(tickets, &ada, NULL, text, NULL), ST_OK);
	strcpy(text, "untouched");
	assert_int_equal(tickets_make(tickets, &ada, NULL, text, &err), ST_RATE);
	assert_string_equal(err.code, "ticket.too_many");
	assert_string_equal(text, "untouched");
	other.session_id.bytes[0]++;
	assert_int_equal(tickets_make(tickets, &other, NULL, text, NULL), ST_OK);
	held_clock_advance(&held, TICKET_LIFE_US);
	assert_int_equal(tickets_make(tickets, &ada, NULL, text, NULL), ST_OK);
	assert_int_equal(tickets_count(tickets), 1);
}

static void the_table_has_a_limit(void **state)
{
	(void)state;
	char text[TICKET_SIZE];
	struct ticket each = ada;
	struct err err;

	for (uint32_t i = 0; i < TICKETS_MAX; i++) {
		memcpy(each.session_id.bytes, &i, sizeof(i));
		assert_int_equal(tickets_make(tickets, &each, NULL, text, NULL), ST_OK);
	}
	each.session_id.bytes[15] = 1;
	assert_int_equal(tickets_make(tickets, &each, NULL, text, &err), ST_BUSY);
	assert_string_equal(err.code, "ticket.table_full");
	held_clock_advance(&held, TICKET_LIFE_US);
	assert_int_equal(tickets_make(tickets, &each, NULL, text, NULL), ST_OK);
}

static void the_tickets_of_an_ended_session_open_nothing(void **state)
{
	(void)state;
	char mine[2][TICKET_SIZE], theirs[TICKET_SIZE];
	struct ticket other = ada;

	other.session_id.bytes[0]++;
	assert_int_equal(tickets_make(tickets, &ada, NULL, mine[0], NULL), ST_OK);
	assert_int_equal(tickets_make(tickets, &other, NULL, theirs, NULL), ST_OK);
	assert_int_equal(tickets_make(tickets, &ada, NULL, mine[1], NULL), ST_OK);
	tickets_drop_session(tickets, &ada.session_id);
	assert_false(take(mine[0], NULL));
	assert_false(take(mine[1], NULL));
	assert_true(take(theirs, NULL));
	tickets_drop_session(tickets, &ada.session_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_ticket_opens_once, begin, end),
		cmocka_unit_test_setup_teardown(a_ticket_lives_thirty_seconds, begin, end),
		cmocka_unit_test_setup_teardown(a_jump_of_the_wall_clock_changes_nothing, begin,
						end),
		cmocka_unit_test_setup_teardown(
			a_ticket_is_good_from_its_own_origin_only_and_is_used_up_by_another, begin,
			end),
		cmocka_unit_test_setup_teardown(what_is_nearly_a_ticket_is_none, begin, end),
		cmocka_unit_test_setup_teardown(one_session_cannot_fill_the_table, begin, end),
		cmocka_unit_test_setup_teardown(the_table_has_a_limit, begin, end),
		cmocka_unit_test_setup_teardown(the_tickets_of_an_ended_session_open_nothing, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
