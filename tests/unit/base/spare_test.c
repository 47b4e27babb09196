/* The reserve, with the real limit of this process. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/spare.h"

#define MOST 64

static struct rlimit before;
static int taken[MOST];
static unsigned taken_count;

static int open_one(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Every descriptor below a limit of 64 is somebody's. */
static void exhaust(void)
{
	struct rlimit few = before;

	few.rlim_cur = MOST;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int fd; (fd = open_one()) >= 0;)
		taken[taken_count++] = fd;
	assert_true(spare_may_help(errno));
}

static void give_back(void)
{
	while (taken_count > 0)
		close(taken[--taken_count]);
}

static int set_up(void **state)
{
	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	spare_keep(4);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	give_back();
	setrlimit(RLIMIT_NOFILE, &before);
	spare_keep(0);
	return 0;
}

static void what_is_released_is_found_by_the_next_open(void **state)
{
	(void)state;
	exhaust();
	assert_true(spare_release());
	int fd = open_one();
	assert_true(fd >= 0);
	assert_true(open_one() < 0);
	close(fd);
	assert_true(spare_fill());
	assert_true(open_one() < 0);
}

static void the_reserve_has_an_end_and_says_so(void **state)
{
	(void)state;
	exhaust();
	for (int i = 0; i < 4; i++)
		assert_true(spare_release());
	assert_false(spare_release());
	for (int i = 0; i < 4; i++)
		taken[taken_count++] = open_one();
	assert_true(open_one() < 0);
	assert_false(spare_fill());
	give_back();
	assert_true(spare_fill());
}

static void room_is_made_and_not_filled_up_before_it_is_used(void **state)
{
	int fds[3];

	(void)state;
	exhaust();
	spare_make_room(3);
	assert_false(spare_fill());
	for (int i = 0; i < 3; i++)
		assert_true((fds[i] = open_one()) >= 0);
	assert_true(open_one() < 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void nothing_is_released_while_there_are_enough(void **state)
{
	(void)state;
	int lowest = open_one();
	spare_make_room(3);
	assert_true(spare_fill());
	assert_int_equal(open_one(), lowest + 1);
	close(lowest + 1);
	close(lowest);
}

static void a_lowered_limit_leaves_the_reserve_its_worth(void **state)
{
	struct rlimit few = before;
	int fds[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		fds[i] = open_one();
	few.rlim_cur = (rlim_t)fds[0]; /* all eight are above it now */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_true(open_one() < 0);
	assert_true(spare_release());
	int fd = open_one();
	assert_true(fd >= 0);
	close(fd);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_released_is_found_by_the_next_open, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_reserve_has_an_end_and_says_so, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_released_while_there_are_enough, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_lowered_limit_leaves_the_reserve_its_worth,
						set_up, tear_down),
		/* last: for a second nothing is filled up */
		cmocka_unit_test_setup_teardown(room_is_made_and_not_filled_up_before_it_is_used,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
