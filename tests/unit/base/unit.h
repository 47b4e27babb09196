#pragma once
/* What the unit tests of base share: cmocka's includes, repeatable random numbers, and a child
 * process for code that is meant to abort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* splitmix64; CALLTAB_SEED=n gives other numbers than the usual ones. */
static uint64_t random_state;

static inline void random_start(void)
{
	const char *seed = getenv("CALLTAB_SEED");

	random_state = seed ? strtoull(seed, NULL, 10) : 1;
}

static inline uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* 0 to n - 1 */
static inline unsigned random_below(unsigned n)
{
	return (unsigned)(random_next() % n);
}

/* Runs f in a child whose stderr goes to said (NUL-ended); answers the signal that ended it, or 0.
 */
static inline int dies_of(void (*f)(void), char *said, size_t size)
{
	int ends[2], status;
	size_t length = 0;
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		alarm(20);
		f();
		_exit(0);
	}
	close(ends[1]);
	while (length < size - 1 && (got = read(ends[0], said + length, size - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static inline void assert_aborts(void (*f)(void), const char *saying)
{
	char said[4096];

	assert_int_equal(dies_of(f, said, sizeof(said)), SIGABRT);
	if (!strstr(said, saying))
		fail_msg("expected \"%s\" in \"%s\"", saying, said);
}
