#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routes/reaper.h"

static atomic_int late_count;

static void *take_late(struct reaper_entry *entry)
{
	return entry;
}

static void late(void *taken)
{
	(void)taken;
	atomic_fetch_add(&late_count, 1);
}

struct world {
	struct reaper *reaper;
	struct reaper_entry entry;
	int peer; /* the other end of entry.fd */
};

static int setup(void **state)
{
	const struct reaper_config config = {
		.limit_ms = {[PHASE_HEAD] = 20,
			     [PHASE_IDLE] = 60000,
			     [PHASE_BODY] = 20,
			     [PHASE_WORK] = 20,
			     [PHASE_ANSWER] = 60000},
		.take_late = take_late,
		.late = late,
	};
	struct world *world = calloc(1, sizeof *world);
	int pair[2];

	atomic_store(&late_count, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	world->entry.fd = pair[0];
	world->peer = pair[1];
	world->reaper = reaper_create(&config);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	reaper_set(world->reaper, &world->entry, PHASE_NONE);
	reaper_destroy(world->reaper);
	if (world->entry.fd >= 0)
		close(world->entry.fd);
	close(world->peer);
	free(world);
	return 0;
}

/* Was it shut down within the time? */
static bool is_cut(const struct world *world, int ms)
{
	struct pollfd fd = {.fd = world->peer, .events = POLLIN};
	char byte;

	return poll(&fd, 1, ms) == 1 && recv(world->peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void who_stays_too_long_in_a_phase_is_cut(void **state)
{
	struct world *world = *state;

	reaper_set(world->reaper, &world->entry, PHASE_HEAD);
	assert_true(is_cut(world, 5000));
}

static void a_new_phase_has_a_time_of_its_own(void **state)
{
	struct world *world = *state;

	reaper_set(world->reaper, &world->entry, PHASE_HEAD);
	reaper_set(world->reaper, &world->entry, PHASE_IDLE);
	assert_false(is_cut(world, 200)); /* ten times the head's */
	reaper_set(world->reaper, &world->entry, PHASE_BODY);
	assert_true(is_cut(world, 5000));
}

static void late_work_is_handed_over_and_its_answer_waited_for(void **state)
{
	struct world *world = *state;

	reaper_set(world->reaper, &world->entry, PHASE_WORK);
	assert_false(reaper_wait_quiet(world->reaper, 1000));
	assert_int_equal(atomic_load(&late_count), 1);
	assert_int_equal(world->entry.phase, PHASE_ANSWER);
	reaper_set(world->reaper, &world->entry, PHASE_IDLE);
	assert_true(reaper_wait_quiet(world->reaper, 0));
}

static void all_work_can_be_ended_at_once(void **state)
{
	struct world *world = *state;
	struct reaper_entry others[3] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};

	for (unsigned i = 0; i < 3; i++)
		reaper_set(world->reaper, &others[i], PHASE_WORK);
	reaper_end_work(world->reaper);
	assert_int_equal(atomic_load(&late_count), 3);
	for (unsigned i = 0; i < 3; i++)
		reaper_set(world->reaper, &others[i], PHASE_NONE);
	assert_true(reaper_wait_quiet(world->reaper, 0));
}

static void what_is_still_sent_is_read_until_the_peer_has_finished(void **state)
{
	struct world *world = *state;
	static char bytes[1 << 20];

	reaper_linger(world->reaper, world->entry.fd);
	world->entry.fd = -1; /* the reaper's */
	for (size_t sent = 0; sent < sizeof bytes;) {
		ssize_t got = send(world->peer, bytes + sent, sizeof bytes - sent, MSG_NOSIGNAL);
		assert_true(got > 0); /* more than a socket's buffer: somebody reads */
		sent += (size_t)got;
	}
	shutdown(world->peer, SHUT_WR);
	assert_true(is_cut(world, 5000));
}

static void who_never_finishes_is_not_waited_for(void **state)
{
	struct world *world = *state;

	reaper_linger(world->reaper, world->entry.fd);
	world->entry.fd = -1;
	assert_true(is_cut(world, 10000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_stays_too_long_in_a_phase_is_cut, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_new_phase_has_a_time_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(late_work_is_handed_over_and_its_answer_waited_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(all_work_can_be_ended_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_still_sent_is_read_until_the_peer_has_finished, setup, teardown),
		cmocka_unit_test_setup_teardown(who_never_finishes_is_not_waited_for, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
